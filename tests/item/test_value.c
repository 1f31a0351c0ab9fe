// SPDX-License-Identifier: Apache-2.0
// Value functions: the orders they make, against brute force and closed forms.
#include "item/trace_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "item/order.h"

static void assert_order(const size_t *order, size_t n, const char *expected)
{
    char letters[T_MODELS + 1];
    for (size_t i = 0; i < n; i++) letters[i] = (char)('a' + order[i]);
    letters[n] = 0;
    assert_string_equal(letters, expected);
}

static void assert_replay(struct t_trace *t, struct few__value value, size_t item, int64_t deadline_us,
                          const char *expected)
{
    size_t order[T_MODELS];
    size_t n = t_replay(t, value, FEW__RANK_RATIO, item, deadline_us, order);
    assert_order(order, n, expected);
}

/* ---- run_all ---- */

static void test_run_all(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value value;
    t_trace_init(&t, 6, 1);
    for (size_t m = 0; m < 6; m++) t_world_time(&t.world, m, (int64_t)(m * 37 % 5) * 100000);
    for (size_t m = 0; m < 6; m++) t.trace.cells[m].time_us = (int32_t)t.world.costs[m].time_us;
    assert_int_equal(few__value_run_all(&t.world.catalog, NULL, &value, NULL), FEW_OK);
    assert_string_equal(value.name, "run_all");
    assert_replay(&t, value, 0, FEW__NO_DEADLINE, "abcdef");
    value.destroy(value.self);
    // b needs e, e needs f: both come before it, the rest as it was.
    t.world.models[1].needs = 4, t.world.models[4].needs = 5;
    assert_int_equal(few__value_run_all(&t.world.catalog, NULL, &value, NULL), FEW_OK);
    assert_replay(&t, value, 0, FEW__NO_DEADLINE, "afebcd");
    value.destroy(value.self);
    t_trace_finish(&t);
}

/* ---- random ---- */

static void test_random_is_of_seed_and_item(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value one, two, other;
    size_t a[T_MODELS], b[T_MODELS], n_same_seed = 0, n_same_item = 0;
    t_trace_init(&t, 20, 50);
    assert_int_equal(few__value_random(&t.world.catalog, 7, NULL, &one, NULL), FEW_OK);
    assert_int_equal(few__value_random(&t.world.catalog, 7, NULL, &two, NULL), FEW_OK);
    assert_int_equal(few__value_random(&t.world.catalog, 8, NULL, &other, NULL), FEW_OK);
    for (size_t i = 50; i-- > 0;) {
        t_replay(&t, one, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, a);
        t_replay(&t, two, FEW__RANK_RATIO, 49 - i, FEW__NO_DEADLINE, b); // other items before it
        t_replay(&t, two, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, b);
        assert_memory_equal(a, b, 20 * sizeof *a);
        t_replay(&t, other, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, b);
        n_same_seed += memcmp(a, b, 20 * sizeof *a) == 0;
        t_replay(&t, one, FEW__RANK_RATIO, (i + 1) % 50, FEW__NO_DEADLINE, b);
        n_same_item += memcmp(a, b, 20 * sizeof *a) == 0;
    }
    assert_int_equal(n_same_seed + n_same_item, 0);
    one.destroy(one.self);
    two.destroy(two.self);
    other.destroy(other.self);
    t_trace_finish(&t);
}

static void test_random_respects_needs_and_is_uniform(void **state)
{
    (void)state;
    enum { N = 5, ITEMS = 6000 };
    struct t_trace t;
    struct few__value value;
    size_t first[N] = {0}, order[T_MODELS];
    t_trace_init(&t, N, 1);
    t.world.models[0].needs = 3;
    assert_int_equal(few__value_random(&t.world.catalog, t_seed(), NULL, &value, NULL), FEW_OK);
    struct few__view view = {.costs = t.world.costs};
    for (size_t i = 0; i < ITEMS; i++) {
        double q[N];
        view.item = i;
        value.begin(value.self, &view);
        value.score(value.self, &view, q);
        assert_true(q[3] > q[0]);
        for (size_t m = 0; m < N; m++) order[N - (size_t)(q[m] / 100)] = m;
        first[order[0]]++;
        if (order[0] == 3) continue;
        // d is never behind a; where a was drawn first they are neighbours.
        assert_true(order[0] != 0);
    }
    // a is never first, d is first in place of it: 0, 1/5, 1/5, 2/5, 1/5 within 4 sigma (sqrt(6000 * .24) =
    // 38).
    assert_int_equal(first[0], 0);
    assert_near(first[1], ITEMS / 5, 4 * 38);
    assert_near(first[2], ITEMS / 5, 4 * 38);
    assert_near(first[3], 2 * ITEMS / 5, 4 * 38);
    assert_near(first[4], ITEMS / 5, 4 * 38);
    value.destroy(value.self);
    t_trace_finish(&t);
}

/* With k equally valuable models of N, a random order needs j (N + 1) / (k + 1) executions on average until j
 * = ceil(r k) of them have run (negative hypergeometric). Tolerance: 4 standard errors of the mean, from
 * variance j (N + 1) (N - k) (k + 1 - j) / ((k + 1)^2 (k + 2)). */
static void assert_closed_form(size_t n, size_t k, double recall, double expected)
{
    enum { ITEMS = 2000 };
    struct t_trace t;
    struct few__value value;
    double mean = 0;
    size_t order[T_MODELS];
    t_trace_init(&t, n, ITEMS);
    for (size_t i = 0; i < ITEMS; i++)
        for (size_t m = 0; m < k; m++) t_trace_says(&t, i, (i + m * 3) % n, (int32_t)m, 0.8f);
    assert_int_equal(few__value_random(&t.world.catalog, t_seed(), NULL, &value, NULL), FEW_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        bool in[T_MODELS] = {0}, all[T_MODELS];
        memset(all, 1, sizeof all);
        double goal = recall * t_set_value(&t, i, all) - 1e-9;
        assert_int_equal(t_replay(&t, value, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, order), n);
        size_t used = 0;
        while (t_set_value(&t, i, in) < goal) in[order[used++]] = true;
        mean += (double)used / ITEMS;
    }
    double j = ceil(recall * (double)k - 1e-9), dn = (double)n, dk = (double)k;
    assert_near(j * (dn + 1) / (dk + 1), expected, 1e-9);
    double variance = j * (dn + 1) * (dn - dk) * (dk + 1 - j) / ((dk + 1) * (dk + 1) * (dk + 2));
    assert_near(mean, expected, 4 * sqrt(variance / ITEMS));
    value.destroy(value.self);
    t_trace_finish(&t);
}

static void test_random_meets_the_closed_form(void **state)
{
    (void)state;
    assert_closed_form(30, 1, 1, 15.5);
    assert_closed_form(30, 7, 1, 27.125);
    assert_closed_form(30, 7, 0.5, 15.5);
    assert_closed_form(10, 4, 0.75, 6.6);
}

/* ---- a fixed order ---- */

static void test_order_is_followed(void **state)
{
    (void)state;
    for (uint64_t seed = t_seed(); seed < t_seed() + 500; seed++) {
        struct t_trace t;
        struct few__rng rng;
        struct few__value value;
        struct few__arena arena;
        struct few__chains chains;
        bool placed[T_MODELS];
        size_t drawn[T_MODELS], order[T_MODELS], got[T_MODELS], n_expected = 0;
        few__rng_init(&rng, seed, 4);
        size_t n = 1 + (size_t)few__rng_below(&rng, 20);
        t_trace_init(&t, n, 1);
        t_trace_random(&t, &rng);
        for (size_t m = 0; m < n; m++) { // from 1 us to 10^9 us side by side
            t_world_time(&t.world, m, (int64_t)pow(10, (double)few__rng_below(&rng, 10)));
            t.trace.cells[m].time_us = (int32_t)t.world.costs[m].time_us;
            drawn[m] = m;
        }
        few__rng_shuffle(&rng, drawn, n);
        few__arena_init(&arena, NULL, 1 << 20);
        assert_int_equal(few__chains_build(&t.world.catalog, &arena, &chains, NULL), FEW_OK);
        few__order_complete(&chains, drawn, placed, order);
        few__arena_finish(&arena);
        assert_int_equal(few__value_order(order, n, "mine", t.world.costs, NULL, &value, NULL), FEW_OK);
        // Expected: along the order what has its need found and fits in what is left.
        int64_t left =
            few__rng_below(&rng, 2) ? (int64_t)1 << 40 : (int64_t)few__rng_below(&rng, 3000000000U);
        int64_t deadline = left;
        bool found[T_MODELS] = {0};
        size_t expected[T_MODELS];
        for (size_t p = 0; p < n; p++) {
            int need = t.world.models[order[p]].needs;
            if ((need >= 0 && !found[need]) || t.world.costs[order[p]].time_us > left) continue;
            left -= t.world.costs[order[p]].time_us;
            found[order[p]] = !t.trace.cells[order[p]].empty;
            expected[n_expected++] = order[p];
        }
        size_t n_got = t_replay(&t, value, FEW__RANK_RATIO, 0, deadline, got);
        assert_int_equal(n_got, n_expected);
        assert_memory_equal(got, expected, n_got * sizeof *got);
        value.destroy(value.self);
        t_trace_finish(&t);
    }
}

static void test_order_must_have_every_model_once(void **state)
{
    (void)state;
    struct few_error err;
    struct few__value value;
    struct few_cost costs[3] = {{0}};
    assert_status(few__value_order((size_t[]){2, 0, 1}, 3, "mine", costs, NULL, &value, &err), FEW_OK, &err);
    value.destroy(value.self);
    assert_status(few__value_order((size_t[]){2, 0, 2}, 3, "mine", costs, NULL, &value, &err), FEW_EINVAL,
                  &err);
    assert_null(value.self);
    assert_string_equal(err.message, "order 'mine', position 2: model 2 of 3 comes twice or is none");
    assert_status(few__value_order((size_t[]){2, 0, 3}, 3, "mine", costs, NULL, &value, &err), FEW_EINVAL,
                  &err);
}

/* ---- static ---- */

static const size_t all_items[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static void order_of(struct t_trace *t, size_t n_items, size_t *order)
{
    struct few_error err;
    assert_status(few__static_order(&t->trace, all_items, n_items, t->world.costs, NULL, order, &err), FEW_OK,
                  &err);
}

static void test_static_by_hand(void **state)
{
    (void)state;
    struct t_trace t;
    size_t order[T_MODELS];
    t_trace_init(&t, 4, 2);
    // Two items. a: {0}, {0}; b: {0, 1}, {}; c: {2}, {}; d repeats a.
    t_trace_says(&t, 0, 0, 0, 0.8f), t_trace_says(&t, 1, 0, 0, 0.8f);
    t_trace_says(&t, 0, 1, 0, 0.9f), t_trace_says(&t, 0, 1, 1, 0.6f);
    t_trace_says(&t, 0, 2, 2, 0.65f);
    t_trace_says(&t, 0, 3, 0, 0.75f), t_trace_says(&t, 1, 3, 0, 0.75f);
    // Gains 1.6, 1.5, 0.65, 1.5; after a: b (0.9 - 0.8) + 0.6 = 0.7, c 0.65, d 0.
    order_of(&t, 2, order);
    assert_order(order, 4, "abcd");
    t_world_time(&t.world, 1, 120); // 0.7 / 120 < 0.65 / 100
    order_of(&t, 2, order);
    assert_order(order, 4, "acbd");
    // The second item alone: a and d only; ties (0) by index.
    const size_t second[] = {1};
    assert_int_equal(few__static_order(&t.trace, second, 1, t.world.costs, NULL, order, NULL), FEW_OK);
    assert_order(order, 4, "abcd");
    assert_int_equal(few__static_order(&t.trace, second, 0, t.world.costs, NULL, order, NULL), FEW_OK);
    assert_order(order, 4, "abcd");
    // c needs d: the chain has 1.5 + 0.65 in 200 us, behind a; after a 0.65 in 200.
    t.world.models[2].needs = 3;
    order_of(&t, 2, order);
    assert_order(order, 4, "abdc");
    // A label that one output has twice counts once, with the higher confidence.
    t_trace_says(&t, 0, 2, 7, 0.6f), t_trace_says(&t, 0, 2, 7, 0.9f);
    order_of(&t, 2, order); // after a: d, c 1.55 / 200, b 0.7 / 120, d 0
    assert_order(order, 4, "adcb");
    t_trace_finish(&t);
}

// The example above: what each model adds where it stands in the order, per item.
static void test_static_plan_by_hand(void **state)
{
    (void)state;
    struct t_trace t;
    size_t order[4];
    double gain[4], found[4];
    const struct few__static_plan plan = {.order = order, .gain = gain, .found = found};
    t_trace_init(&t, 4, 2);
    t_trace_says(&t, 0, 0, 0, 0.8f), t_trace_says(&t, 1, 0, 0, 0.8f);
    t_trace_says(&t, 0, 1, 0, 0.9f), t_trace_says(&t, 0, 1, 1, 0.6f);
    t_trace_says(&t, 0, 2, 2, 0.65f);
    t_trace_empty(&t, 1, 2);
    t_trace_says(&t, 0, 3, 0, 0.75f), t_trace_says(&t, 1, 3, 0, 0.75f);
    assert_int_equal(few__static_plan(&t.trace, all_items, 2, t.world.costs, NULL, &plan, NULL), FEW_OK);
    assert_order(order, 4, "abcd");
    const double gains[] = {0.8, 0.35, 0.325, 0}, shares[] = {1, 1, 0.5, 1};
    for (size_t m = 0; m < 4; m++) assert_near(gain[m], gains[m], 1e-6);
    for (size_t m = 0; m < 4; m++) assert_near(found[m], shares[m], 1e-9);
    assert_int_equal(few__static_plan(&t.trace, all_items, 0, t.world.costs, NULL, &plan, NULL), FEW_OK);
    for (size_t m = 0; m < 4; m++) assert_near(gain[m] + found[m], 0, 0);
    t_trace_finish(&t);
}

// The gains of a set that comes first in the order are the mean value of the set.
static void test_static_gains_add_up(void **state)
{
    (void)state;
    for (uint64_t seed = t_seed(); seed < t_seed() + 200; seed++) {
        struct t_trace t;
        struct few__rng rng;
        size_t order[T_MODELS];
        double gain[T_MODELS], sum = 0;
        const struct few__static_plan plan = {.order = order, .gain = gain};
        bool in[T_MODELS] = {0};
        few__rng_init(&rng, seed, 51);
        size_t n = 1 + (size_t)few__rng_below(&rng, 12);
        t_trace_init(&t, n, 8);
        t_trace_random(&t, &rng);
        assert_int_equal(few__static_plan(&t.trace, all_items, 8, t.world.costs, NULL, &plan, NULL), FEW_OK);
        for (size_t p = 0; p < n; p++) {
            double mean = 0;
            in[order[p]] = true;
            sum += gain[order[p]];
            for (size_t i = 0; i < 8; i++) mean += t_set_value(&t, i, in) / 8;
            assert_near(sum, mean, 1e-5);
        }
        t_trace_finish(&t);
    }
}

// c needs b needs a; a finds something on half of the items, b on a fifth.
static void test_gains_of_users_grow_once_their_need_has_found_something(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value value;
    double q[3];
    enum few__state states[3] = {FEW__PENDING};
    bool found[3] = {false};
    t_trace_init(&t, 3, 1);
    t.world.models[1].needs = 0, t.world.models[2].needs = 1;
    struct few__view view = {.catalog = &t.world.catalog, .states = states, .found = found};
    assert_int_equal(
        few__value_gains((double[]){1, 2, 3}, (double[]){0.5, 0.2, 0}, 3, "mine", NULL, &value, NULL),
        FEW_OK);
    assert_string_equal(value.name, "mine");
    value.score(value.self, &view, q);
    assert_true(q[0] == 1 && q[1] == 2 && q[2] == 3);
    states[0] = FEW__RUNNING; // not known yet
    value.score(value.self, &view, q);
    assert_true(q[1] == 2 && q[2] == 3);
    states[0] = FEW__DONE, found[0] = true;
    value.score(value.self, &view, q);
    assert_near(q[1], 4, 1e-12);
    assert_near(q[2], 6, 1e-12);
    states[1] = FEW__DONE, found[1] = true;
    value.score(value.self, &view, q);
    assert_near(q[2], 15, 1e-12);
    value.destroy(value.self);
    t_trace_finish(&t);
}

// Only what was executed counts: a cell that did not run says nothing, whatever is in it.
static void test_static_counts_executed_cells(void **state)
{
    (void)state;
    struct t_trace t;
    size_t order[T_MODELS];
    t_trace_init(&t, 2, 1);
    t_trace_says(&t, 0, 0, 0, 0.9f);
    t_trace_says(&t, 0, 1, 1, 0.6f);
    t.trace.cells[0].outcome = FEW_FAILED;
    order_of(&t, 1, order);
    assert_order(order, 2, "ba");
    t_trace_finish(&t);
}

// Greedy from the definition: the value of whole sets, nothing kept between steps.
static void naive_greedy(const struct t_trace *t, size_t n_items, size_t *order)
{
    size_t n = t->trace.catalog.n_models, placed = 0;
    bool in[T_MODELS] = {0};
    while (placed < n) {
        size_t best = SIZE_MAX;
        double best_ratio = 0;
        for (size_t m = 0; m < n; m++) {
            if (in[m]) continue;
            bool with[T_MODELS];
            memcpy(with, in, sizeof with);
            double gain = 0, time = 0;
            for (int up = (int)m; up >= 0 && !in[up]; up = t->world.models[up].needs) {
                with[up] = true;
                time += (double)t->world.costs[up].time_us;
            }
            for (size_t i = 0; i < n_items; i++) gain += t_set_value(t, i, with) - t_set_value(t, i, in);
            // Sums in another order differ in the last bits: such ties are not decided here.
            if (best != SIZE_MAX && gain / time <= best_ratio + 1e-9) continue;
            best = m;
            best_ratio = gain / time;
        }
        size_t chain[T_MODELS], length = 0;
        for (int up = (int)best; up >= 0 && !in[up]; up = t->world.models[up].needs)
            chain[length++] = (size_t)up;
        while (length > 0) {
            in[chain[--length]] = true;
            order[placed++] = chain[length];
        }
    }
}

static void test_static_against_the_definition(void **state)
{
    (void)state;
    for (uint64_t seed = t_seed(); seed < t_seed() + 400; seed++) {
        struct t_trace t;
        struct few__rng rng;
        size_t order[T_MODELS], expected[T_MODELS];
        few__rng_init(&rng, seed, 5);
        size_t n = 1 + (size_t)few__rng_below(&rng, 10);
        t_trace_init(&t, n, 8);
        t_trace_random(&t, &rng);
        order_of(&t, 8, order);
        naive_greedy(&t, 8, expected);
        if (memcmp(order, expected, n * sizeof *order) != 0) fail_msg("seed %llu", (unsigned long long)seed);
        t_trace_finish(&t);
    }
}

// One item, labels apart, no needs: each model worth c / time, and the order is the sorted one. Taking the
// prefix of the order at any of its lengths is then the best set for that time (fractional knapsack): no
// subset of the 2^n with at most that time is worth more.
static void test_static_prefixes_are_optimal_when_modular(void **state)
{
    (void)state;
    enum { N = 8 };
    for (uint64_t seed = t_seed(); seed < t_seed() + 100; seed++) {
        struct t_trace t;
        struct few__rng rng;
        size_t order[T_MODELS];
        few__rng_init(&rng, seed, 6);
        t_trace_init(&t, N, 1);
        for (size_t m = 0; m < N; m++) {
            t_world_time(&t.world, m, 1 + (int64_t)few__rng_below(&rng, 100));
            t_trace_says(&t, 0, m, (int32_t)m, (float)(0.5 + 0.5 * few__rng_unit(&rng)));
        }
        order_of(&t, 1, order);
        bool in[T_MODELS] = {0};
        int64_t time = 0;
        for (size_t p = 0; p < N; p++) {
            in[order[p]] = true;
            time += t.world.costs[order[p]].time_us;
            double value = t_set_value(&t, 0, in);
            for (unsigned set = 0; set < 1U << N; set++) {
                bool other[T_MODELS] = {0};
                int64_t other_time = 0;
                for (size_t m = 0; m < N; m++) {
                    other[m] = set >> m & 1;
                    other_time += other[m] ? t.world.costs[m].time_us : 0;
                }
                if (other_time <= time) assert_true(t_set_value(&t, 0, other) <= value + 1e-9);
            }
        }
        t_trace_finish(&t);
    }
}

static void test_static_as_a_policy(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value value;
    struct few_error err;
    t_trace_init(&t, 3, 2);
    t_trace_says(&t, 0, 2, 0, 0.9f);
    t_trace_says(&t, 1, 1, 1, 0.8f);
    assert_status(few__value_static(&t.trace, all_items, 2, t.world.costs, NULL, &value, &err), FEW_OK, &err);
    assert_string_equal(value.name, "static");
    assert_replay(&t, value, 0, FEW__NO_DEADLINE, "cba");
    assert_replay(&t, value, 1, 200, "cb");
    value.destroy(value.self);
    t_trace_finish(&t);
}

static void test_static_refuses_what_is_not_there(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value value;
    struct few_error err;
    t_trace_init(&t, 2, 2);
    const size_t third[] = {2};
    assert_status(few__value_static(&t.trace, third, 1, t.world.costs, NULL, &value, &err), FEW_EINVAL, &err);
    assert_string_equal(err.message, "item 2 of a trace of 2");
    t_trace_says(&t, 0, 0, T_LABELS, 0.9f);
    assert_status(few__value_static(&t.trace, all_items, 2, t.world.costs, NULL, &value, &err), FEW_EINVAL,
                  &err);
    t_trace_finish(&t);
}

/* ---- oracle ---- */

static void test_oracle_is_marginal_and_total_is_not(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value value;
    t_trace_init(&t, 3, 2);
    // Item 1: a {0: .9, 1: .8}, b {0: .9, 1: .7}, c {2: .6}. b has nothing to add after a.
    t_trace_says(&t, 1, 0, 0, 0.9f), t_trace_says(&t, 1, 0, 1, 0.8f);
    t_trace_says(&t, 1, 1, 0, 0.9f), t_trace_says(&t, 1, 1, 1, 0.7f);
    t_trace_says(&t, 1, 2, 2, 0.6f);
    assert_int_equal(few__value_oracle(&t.trace, NULL, &value, NULL), FEW_OK);
    assert_replay(&t, value, 1, FEW__NO_DEADLINE, "acb");
    assert_replay(&t, value, 1, 200, "ac");
    assert_replay(&t, value, 0, FEW__NO_DEADLINE, "abc");
    // By value over time: c at 0.6 / 30 comes before a at 1.7 / 100.
    t_world_time(&t.world, 2, 30);
    t.trace.cells[5].time_us = 30;
    assert_replay(&t, value, 1, FEW__NO_DEADLINE, "cab");
    value.destroy(value.self);
    assert_int_equal(few__value_oracle_total(&t.trace, NULL, &value, NULL), FEW_OK);
    assert_replay(&t, value, 1, FEW__NO_DEADLINE, "abc");
    value.destroy(value.self);
    t_trace_finish(&t);
}

static double replay_value(struct t_trace *t, struct few__value value, size_t item, int64_t deadline_us)
{
    size_t order[T_MODELS];
    bool in[T_MODELS] = {0};
    size_t n = t_replay(t, value, FEW__RANK_RATIO, item, deadline_us, order);
    for (size_t i = 0; i < n; i++) in[order[i]] = true;
    return t_set_value(t, item, in);
}

// The best set of at most 8 models that can run within the deadline: needs inside it, and found.
static double best_value(const struct t_trace *t, size_t item, int64_t deadline_us)
{
    double best = 0;
    size_t n = t->trace.catalog.n_models;
    for (unsigned set = 0; set < 1U << n; set++) {
        bool in[T_MODELS] = {0}, possible = true;
        int64_t time = 0;
        for (size_t m = 0; m < n; m++) {
            in[m] = set >> m & 1;
            int need = t->world.models[m].needs;
            if (!in[m]) continue;
            time += t->world.costs[m].time_us;
            if (need >= 0 && (!(set >> need & 1) || few__trace_cell(&t->trace, item, (size_t)need)->empty))
                possible = false;
        }
        if (!possible || time > deadline_us) continue;
        double value = t_set_value(t, item, in);
        if (value > best) best = value;
    }
    return best;
}

// No policy beats the best set; all the time gives all the value; none gives none.
static void test_policies_against_brute_force(void **state)
{
    (void)state;
    double sum_oracle = 0, sum_random = 0, sum_best = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 150; seed++) {
        struct t_trace t;
        struct few__rng rng;
        struct few__value values[5];
        few__rng_init(&rng, seed, 7);
        t_trace_init(&t, 1 + (size_t)few__rng_below(&rng, 8), 4);
        t_trace_random(&t, &rng);
        assert_int_equal(few__value_run_all(&t.world.catalog, NULL, &values[0], NULL), FEW_OK);
        assert_int_equal(few__value_random(&t.world.catalog, seed, NULL, &values[1], NULL), FEW_OK);
        assert_int_equal(few__value_static(&t.trace, all_items, 4, t.world.costs, NULL, &values[2], NULL),
                         FEW_OK);
        assert_int_equal(few__value_oracle(&t.trace, NULL, &values[3], NULL), FEW_OK);
        assert_int_equal(few__value_oracle_total(&t.trace, NULL, &values[4], NULL), FEW_OK);
        bool all[T_MODELS];
        memset(all, 1, sizeof all);
        for (size_t i = 0; i < 4; i++) {
            int64_t deadline = (int64_t)few__rng_below(&rng, 800);
            double best = best_value(&t, i, deadline);
            for (size_t v = 0; v < 5; v++) {
                double got = replay_value(&t, values[v], i, deadline);
                if (got > best + 1e-9) fail_msg("seed %llu: %s", (unsigned long long)seed, values[v].name);
                assert_near(replay_value(&t, values[v], i, FEW__NO_DEADLINE), t_set_value(&t, i, all), 1e-9);
                assert_near(replay_value(&t, values[v], i, 0), 0, 0);
                if (v == 1) sum_random += got;
                if (v == 3) sum_oracle += got;
            }
            sum_best += best;
        }
        for (size_t v = 0; v < 5; v++) values[v].destroy(values[v].self);
        t_trace_finish(&t);
    }
    // On average the oracle is near the best and far from random: 1 - 1/e is far below what greedy reaches.
    assert_true(sum_oracle > 0.9 * sum_best);
    assert_true(sum_oracle > 1.1 * sum_random);
}

static void score_missing_item(void *ud)
{
    struct few__value *value = ud;
    double q[1];
    value->score(value->self, &(struct few__view){.item = 2}, q);
}

static void test_oracle_needs_the_item(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__value value;
    t_trace_init(&t, 1, 2);
    assert_int_equal(few__value_oracle(&t.trace, NULL, &value, NULL), FEW_OK);
    t_assert_aborts(score_missing_item, &value);
    value.destroy(value.self);
    t_trace_finish(&t);
}

/* ---- memory ---- */

struct maker {
    struct t_trace *t;
    int which;
};

static enum few_status make(const struct few_mem *mem, void *ud)
{
    const struct maker *maker = ud;
    const struct few__trace *trace = &maker->t->trace;
    struct few_env env = {.mem = mem};
    struct few__value value;
    static const double numbers[T_MODELS];
    enum few_status status = FEW_EINVAL;
    switch (maker->which) {
    case 0: status = few__value_run_all(&trace->catalog, &env, &value, NULL); break;
    case 1: status = few__value_random(&trace->catalog, 1, &env, &value, NULL); break;
    case 2:
        status = few__value_static(trace, all_items, 12, maker->t->world.costs, &env, &value, NULL);
        break;
    case 3: status = few__value_oracle(trace, &env, &value, NULL); break;
    case 4: status = few__value_oracle_total(trace, &env, &value, NULL); break;
    case 5: status = few__value_gains(numbers, numbers, T_MODELS, "mine", &env, &value, NULL); break;
    }
    if (status == FEW_OK) value.destroy(value.self);
    else assert_null(value.self);
    return status;
}

static void test_making_values_without_memory(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 8);
    t_trace_init(&t, T_MODELS, 12);
    t_trace_random(&t, &rng);
    for (int which = 0; which < 6; which++) t_fail_each_allocation(make, &(struct maker){&t, which});
    t.world.models[0].needs = 0;
    for (int which = 0; which < 3; which++)
        assert_int_equal(make(NULL, &(struct maker){&t, which}), FEW_EINVAL);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_all),
        cmocka_unit_test(test_random_is_of_seed_and_item),
        cmocka_unit_test(test_random_respects_needs_and_is_uniform),
        cmocka_unit_test(test_random_meets_the_closed_form),
        cmocka_unit_test(test_order_is_followed),
        cmocka_unit_test(test_order_must_have_every_model_once),
        cmocka_unit_test(test_static_by_hand),
        cmocka_unit_test(test_static_plan_by_hand),
        cmocka_unit_test(test_static_gains_add_up),
        cmocka_unit_test(test_gains_of_users_grow_once_their_need_has_found_something),
        cmocka_unit_test(test_static_counts_executed_cells),
        cmocka_unit_test(test_static_against_the_definition),
        cmocka_unit_test(test_static_prefixes_are_optimal_when_modular),
        cmocka_unit_test(test_static_as_a_policy),
        cmocka_unit_test(test_static_refuses_what_is_not_there),
        cmocka_unit_test(test_oracle_is_marginal_and_total_is_not),
        cmocka_unit_test(test_policies_against_brute_force),
        cmocka_unit_test(test_oracle_needs_the_item),
        cmocka_unit_test(test_making_values_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
