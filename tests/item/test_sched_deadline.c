// SPDX-License-Identifier: Apache-2.0
// AMS Algorithm 1: the hand-computed examples of its corner cases, then random workloads.
#include "item/trace_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

// A value function that copies numbers.
struct table {
    double q[T_MODELS];
    size_t n;
    bool over_time; // q times the time: undoes the division, so that models come by falling q (Q-greedy)
    size_t n_destroyed;
};

static void score(void *self, const struct few__view *view, double *q)
{
    const struct table *table = self;
    for (size_t m = 0; m < table->n; m++)
        q[m] = table->over_time ? table->q[m] * (double)view->costs[m].time_us : table->q[m];
}

static void count_destroy(void *self)
{
    ((struct table *)self)->n_destroyed++;
}

static struct few__value table_value(struct table *table)
{
    return (struct few__value){.self = table, .name = "table", .score = score, .destroy = count_destroy};
}

/* Replay one item of models with these times and values; the models started are `expected`, as letters. */
static void assert_starts(const char *expected, size_t n, const int64_t *times_us, const int *needs,
                          const double *q, enum few__negative negative, int64_t deadline_us, bool over_time)
{
    struct t_trace t;
    struct table table = {.n = n, .over_time = over_time};
    memcpy(table.q, q, n * sizeof *q);
    t_trace_init(&t, n, 1);
    for (size_t m = 0; m < n; m++) {
        t_world_time(&t.world, m, times_us[m]);
        t.trace.cells[m].time_us = times_us[m] > 0 ? (int32_t)times_us[m] : 1;
        if (needs) t.world.models[m].needs = needs[m];
    }
    size_t order[T_MODELS];
    size_t started = t_replay(&t, table_value(&table), negative, 0, deadline_us, order);
    char letters[T_MODELS + 1] = "";
    for (size_t i = 0; i < started; i++) letters[i] = t.world.names[order[i]][0];
    letters[started] = 0;
    assert_string_equal(letters, expected);
    t_trace_finish(&t);
}

#define TIMES     (const int64_t[])
#define NEEDS     (const int[])
#define Q         (const double[])
#define FAITHFUL  FEW__NEGATIVE_FAITHFUL
#define UNLIMITED FEW__NO_DEADLINE

// A (0.3 s, 0.9), B (0.2, 0.5), C (0.5, 1.2), budget 0.5 s.
static void test_cost_q_greedy_against_q_greedy(void **state)
{
    (void)state;
    const int64_t times[] = {300000, 200000, 500000};
    const double q[] = {0.9, 0.5, 1.2};
    assert_starts("ab", 3, times, NULL, q, FAITHFUL, 500000, false);
    assert_starts("c", 3, times, NULL, q, FAITHFUL, 500000, true);
    assert_starts("abc", 3, times, NULL, q, FAITHFUL, UNLIMITED, false);
}

// Equal to what is left is admissible, one microsecond more is not; and the loop ends although time remains.
static void test_filter_is_strict(void **state)
{
    (void)state;
    assert_starts("a", 1, TIMES{100}, NULL, Q{1}, FAITHFUL, 100, false);
    assert_starts("", 1, TIMES{101}, NULL, Q{1}, FAITHFUL, 100, false);
    assert_starts("ba", 3, TIMES{60, 40, 1}, NULL, Q{1, 1, 1e-9}, FAITHFUL, 100, false);
    assert_starts("bac", 3, TIMES{60, 40, 1}, NULL, Q{1, 1, 1e-9}, FAITHFUL, 101, false);
    assert_starts("", 2, TIMES{60, 40}, NULL, Q{1, 1}, FAITHFUL, 0, false);
    assert_starts("b", 2, TIMES{60, 40}, NULL, Q{9, 1}, FAITHFUL, 59, false);
}

// -0.5 / 0.1 = -5 < -0.9 / 0.4 = -2.25: the quotient prefers the long useless model, the product -0.05 >
// -0.36 the short one.
static void test_negative_values(void **state)
{
    (void)state;
    const int64_t times[] = {100000, 400000};
    const double q[] = {-0.5, -0.9};
    assert_starts("ba", 2, times, NULL, q, FAITHFUL, UNLIMITED, false);
    assert_starts("b", 2, times, NULL, q, FAITHFUL, 400000, false);
    assert_starts("", 2, times, NULL, q, FEW__NEGATIVE_STOP, UNLIMITED, false);
    assert_starts("ab", 2, times, NULL, q, FEW__NEGATIVE_PRODUCT, UNLIMITED, false);
    // Positive ones come first whatever their time; zero is not worth running for STOP.
    const int64_t times3[] = {100, 400, 100};
    const double q3[] = {-0.5, 0.01, 0};
    assert_starts("bca", 3, times3, NULL, q3, FEW__NEGATIVE_PRODUCT, UNLIMITED, false);
    assert_starts("b", 3, times3, NULL, q3, FEW__NEGATIVE_STOP, UNLIMITED, false);
    // STOP looks at what still fits: the positive one does not.
    assert_starts("", 3, times3, NULL, q3, FEW__NEGATIVE_STOP, 399, false);
}

static void test_ties_go_to_the_lowest_index(void **state)
{
    (void)state;
    assert_starts("abcd", 4, TIMES{100, 50, 200, 100}, NULL, Q{1, .5, 2, 1}, FAITHFUL, UNLIMITED, false);
    assert_starts("abcd", 4, TIMES{100, 50, 200, 100}, NULL, Q{0, 0, 0, 0}, FAITHFUL, UNLIMITED, false);
    // b needs d, so d is looked at before b; a, c and d still tie by index.
    assert_starts("acdb", 4, TIMES{100, 100, 100, 100}, NEEDS{-1, 3, -1, -1}, Q{1, .5, 1, 1}, FAITHFUL,
                  UNLIMITED, false);
}

static void test_time_zero_counts_as_one_microsecond(void **state)
{
    (void)state;
    // 5 / 1 us against 400 / 100 us; then two of time 0 are ordered by q.
    assert_starts("ab", 2, TIMES{0, 100}, NULL, Q{5, 400}, FAITHFUL, UNLIMITED, false);
    assert_starts("ba", 2, TIMES{0, -3}, NULL, Q{5, 6}, FAITHFUL, UNLIMITED, false);
    assert_starts("b", 2, TIMES{0, 0}, NULL, Q{5, 6}, FAITHFUL, 1, false);
}

static void test_values_that_are_no_numbers(void **state)
{
    (void)state;
    const int64_t times[] = {100, 100, 100};
    assert_starts("cba", 3, times, NULL, Q{NAN, -1e300, 1}, FAITHFUL, UNLIMITED, false);
    assert_starts("cab", 3, times, NULL, Q{NAN, NAN, 1}, FAITHFUL, UNLIMITED, false);
    assert_starts("cba", 3, times, NULL, Q{NAN, -1, 1}, FEW__NEGATIVE_PRODUCT, UNLIMITED, false);
    assert_starts("c", 3, times, NULL, Q{NAN, -1, 1}, FEW__NEGATIVE_STOP, UNLIMITED, false);
    assert_starts("cab", 3, times, NULL, Q{-INFINITY, NAN, INFINITY}, FAITHFUL, UNLIMITED, false);
    // The chain of a and b is the sum of both infinities, which counts as minus infinity; a alone is plus.
    assert_starts("acb", 3, times, NEEDS{-1, 0, -1}, Q{INFINITY, -INFINITY, 1}, FAITHFUL, UNLIMITED, false);
}

// AMS says so itself: density greedy can be arbitrarily bad. Kept as it is; the optimum would be b, worth 1.
static void test_density_greedy_can_be_arbitrarily_bad(void **state)
{
    (void)state;
    assert_starts("a", 2, TIMES{10000, 1000000}, NULL, Q{0.02, 1}, FAITHFUL, 1000000, false);
}

static void test_chains(void **state)
{
    (void)state;
    // b (worth 3) needs a (worth 0): 3 / 200 beats c's 1 / 100; then b alone is 3 / 100.
    assert_starts("abc", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 1}, FAITHFUL, UNLIMITED, false);
    // ... and loses against 2 / 100.
    assert_starts("cab", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 2}, FAITHFUL, UNLIMITED, false);
    // The chain must fit as a whole: 200 > 199. a alone does, and is worth nothing.
    assert_starts("ab", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 1}, FAITHFUL, 200, false);
    assert_starts("c", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 1}, FAITHFUL, 199, false);
    // Three deep, the user's index below its needs': a <- b <- c backwards.
    assert_starts("cbad", 4, TIMES{10, 10, 10, 10}, NEEDS{1, 2, -1, -1}, Q{9, 0, 0, 2}, FAITHFUL, UNLIMITED,
                  false);
    assert_starts("dcba", 4, TIMES{10, 10, 10, 10}, NEEDS{1, 2, -1, -1}, Q{9, 0, 0, 4}, FAITHFUL, UNLIMITED,
                  false);
    // A worthless user does not pull its need down: a alone is better than a and b.
    assert_starts("acb", 3, TIMES{10, 90, 50}, NEEDS{-1, 0, -1}, Q{1, 0, 2}, FAITHFUL, UNLIMITED, false);
    // STOP: the chain is worth something although its need is not.
    assert_starts("ab", 3, TIMES{10, 10, 10}, NEEDS{-1, 0, -1}, Q{-1, 1.5, -1}, FEW__NEGATIVE_STOP, UNLIMITED,
                  false);
    assert_starts("", 3, TIMES{10, 10, 10}, NEEDS{-1, 0, -1}, Q{-1, 1, -1}, FEW__NEGATIVE_STOP, UNLIMITED,
                  false);
}

static void test_chain_after_an_empty_need(void **state)
{
    (void)state;
    struct t_trace t;
    struct table table = {.n = 3, .q = {0, 9, 1}};
    t_trace_init(&t, 3, 1);
    t.world.models[1].needs = 0;
    t_trace_empty(&t, 0, 0);
    size_t order[T_MODELS];
    assert_int_equal(t_replay(&t, table_value(&table), FAITHFUL, 0, UNLIMITED, order), 2);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 2);
    t_trace_finish(&t);
}

// What a running need may still find is waited for, with every mode.
static void test_two_lanes_wait_for_a_need(void **state)
{
    (void)state;
    for (enum few__negative mode = FAITHFUL; mode <= FEW__NEGATIVE_PRODUCT; mode++) {
        struct t_world w;
        struct table table = {.n = 2, .q = {1, 2}};
        struct few__sched_deadline *sched;
        struct few__exec_log log;
        t_world_init(&w, 2);
        w.models[1].needs = 0;
        assert_int_equal(
            few__sched_deadline_create(&w.catalog, table_value(&table), mode, NULL, &sched, NULL), FEW_OK);
        assert_int_equal(few__exec_log_init(&log, NULL, 16, NULL), FEW_OK);
        struct few__exec *exec = t_exec(&w, few__sched_deadline_chooser(sched), 2, &log);
        few__sim_item(exec, 0, 0, 300, w.truth);
        t_assert_log(
            &log, &w,
            "0 item 0 deadline 300\n0 start a\n100 done a ok\n100 start b\n200 done b ok\n200 finish 0\n");
        few__exec_log_finish(&log);
        few__exec_destroy(exec);
        few__sched_deadline_destroy(sched);
        assert_int_equal(table.n_destroyed, 1);
    }
}

/* ---- life ---- */

static enum few_status create_in(const struct few_mem *mem, void *ud)
{
    struct t_world w;
    struct table *table = ud;
    struct few_env env = {.mem = mem};
    struct few__sched_deadline *sched;
    t_world_init(&w, 30);
    table->n_destroyed = 0;
    enum few_status status =
        few__sched_deadline_create(&w.catalog, table_value(table), FAITHFUL, &env, &sched, NULL);
    if (status != FEW_OK) assert_null(sched);
    few__sched_deadline_destroy(sched);
    assert_int_equal(table->n_destroyed, 1); // also on failure
    return status;
}

static void test_create_without_memory(void **state)
{
    (void)state;
    struct table table = {.n = 30};
    t_fail_each_allocation(create_in, &table);
}

static void test_create_refuses_a_circle(void **state)
{
    (void)state;
    struct t_world w;
    struct table table = {.n = 2};
    struct few_error err;
    struct few__sched_deadline *sched;
    t_world_init(&w, 2);
    w.models[0].needs = 1, w.models[1].needs = 0;
    assert_status(few__sched_deadline_create(&w.catalog, table_value(&table), FAITHFUL, NULL, &sched, &err),
                  FEW_EINVAL, &err);
    assert_null(sched);
    assert_int_equal(table.n_destroyed, 1);
    few__sched_deadline_destroy(NULL);
}

/* ---- random workloads ---- */

// The choice by a search over all models that walks every chain by itself.
static size_t reference_choice(const struct few__view *view, const double *q, enum few__negative negative)
{
    size_t best = SIZE_MAX, best_first = SIZE_MAX;
    double best_rank = 0;
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        if (view->states[m] != FEW__PENDING) continue;
        // From the top down, as the scheduler adds: sums of doubles depend on the order.
        size_t chain[T_MODELS], n = 0;
        int up = (int)m;
        for (; up >= 0 && view->states[up] == FEW__PENDING; up = view->catalog->models[up].needs)
            chain[n++] = (size_t)up;
        if (up >= 0 && !view->found[up]) continue;
        double value = q[chain[n - 1]];
        int64_t time = view->costs[chain[n - 1]].time_us;
        for (size_t k = n - 1; k-- > 0;) {
            value = q[chain[k]] + value;
            time += view->costs[chain[k]].time_us;
        }
        if (view->deadline_us != FEW__NO_DEADLINE && time > view->deadline_us - view->now_us) continue;
        if (negative == FEW__NEGATIVE_STOP && value <= 0) continue;
        double rank =
            negative == FEW__NEGATIVE_PRODUCT && value <= 0 ? value * (double)time : value / (double)time;
        if (best != SIZE_MAX && rank <= best_rank) continue;
        best = m;
        best_rank = rank;
        best_first = chain[n - 1];
    }
    return best_first;
}

struct compared {
    struct few__chooser chooser;
    const double *q;
    enum few__negative negative;
    uint64_t seed;
    size_t n_starts, n_stops;
};

static void compare_choice(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct compared *c = self;
    c->chooser.choose(c->chooser.self, view, choice);
    size_t expected = reference_choice(view, c->q, c->negative);
    bool same = expected == SIZE_MAX
                    ? choice->answer == (view->n_running ? FEW__WAIT : FEW__STOP)
                    : choice->answer == FEW__START && choice->n == 1 && choice->models[0] == expected;
    if (!same) fail_msg("seed %llu: another choice than %zu", (unsigned long long)c->seed, expected);
    if (choice->answer == FEW__START) c->n_starts++;
    if (choice->answer == FEW__STOP) c->n_stops++;
}

static void test_random_workloads(void **state)
{
    (void)state;
    struct few__exec_log log;
    size_t n_starts = 0, n_stops = 0;
    assert_int_equal(few__exec_log_init(&log, NULL, 256, NULL), FEW_OK);
    for (uint64_t seed = t_seed(); seed < t_seed() + 10000; seed++) {
        struct few__rng rng;
        struct t_world w;
        struct table table = {0};
        struct few__sched_deadline *sched;
        struct few_error err;
        few__rng_init(&rng, seed, 3);
        t_world_random(&w, &rng, 16);
        table.n = w.catalog.n_models;
        for (size_t m = 0; m < table.n; m++) table.q[m] = (double)few__rng_below(&rng, 9) / 4 - 0.75;
        enum few__negative negative = (enum few__negative)few__rng_below(&rng, 3);
        size_t n_lanes = 1 + (size_t)few__rng_below(&rng, 2);
        assert_status(
            few__sched_deadline_create(&w.catalog, table_value(&table), negative, NULL, &sched, &err), FEW_OK,
            &err);
        struct compared c = {
            .chooser = few__sched_deadline_chooser(sched), .q = table.q, .negative = negative, .seed = seed};
        struct few__chooser chooser = {.self = &c, .name = "compared", .choose = compare_choice};
        struct few__exec *exec = t_exec(&w, chooser, n_lanes, &log);
        few__exec_log_clear(&log);
        int64_t deadline = few__rng_below(&rng, 4) ? (int64_t)few__rng_below(&rng, 1500) : UNLIMITED;
        few__sim_item(exec, seed, 0, deadline, w.truth);
        const struct few__exec_opts had = {.catalog = &w.catalog, .costs = w.costs, .n_lanes = n_lanes};
        if (few__exec_check(&log, &had, &err) != FEW_OK)
            fail_msg("seed %llu: %s", (unsigned long long)seed, err.message);
        // Without a deadline nothing but STOP and bad luck leaves a model out.
        for (size_t m = 0; deadline == UNLIMITED && negative != FEW__NEGATIVE_STOP && m < table.n; m++) {
            enum few__reason why = few__exec_rows(exec, 0)[m].reason;
            if (why != FEW__WHY_CHOSEN && why != FEW__WHY_FAILED && why != FEW__WHY_NEED_EMPTY &&
                why != FEW__WHY_NEED_FAILED)
                fail_msg("seed %llu: model %zu was left out", (unsigned long long)seed, m);
        }
        n_starts += c.n_starts, n_stops += c.n_stops;
        few__exec_destroy(exec);
        few__sched_deadline_destroy(sched);
    }
    assert_true(n_starts > 10000 && n_stops > 1000);
    few__exec_log_finish(&log);
}

static void test_choosing_allocates_nothing(void **state)
{
    (void)state;
    struct t_world w;
    struct table table = {.n = 30};
    struct t_mem mem;
    struct few__sched_deadline *sched;
    t_world_init(&w, 30);
    for (size_t m = 0; m < 30; m++) table.q[m] = (double)(m * 7 % 30);
    t_mem_init(&mem, 0);
    struct few_env env = {.mem = &mem.mem};
    assert_int_equal(
        few__sched_deadline_create(&w.catalog, table_value(&table), FAITHFUL, &env, &sched, NULL), FEW_OK);
    struct few__exec *exec = t_exec(&w, few__sched_deadline_chooser(sched), 1, NULL);
    size_t calls = mem.calls;
    few__sim_item(exec, 0, 0, 2000, w.truth);
    assert_int_equal(mem.calls, calls);
    few__exec_destroy(exec);
    few__sched_deadline_destroy(sched);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_q_greedy_against_q_greedy),
        cmocka_unit_test(test_filter_is_strict),
        cmocka_unit_test(test_negative_values),
        cmocka_unit_test(test_ties_go_to_the_lowest_index),
        cmocka_unit_test(test_time_zero_counts_as_one_microsecond),
        cmocka_unit_test(test_values_that_are_no_numbers),
        cmocka_unit_test(test_density_greedy_can_be_arbitrarily_bad),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_chain_after_an_empty_need),
        cmocka_unit_test(test_two_lanes_wait_for_a_need),
        cmocka_unit_test(test_create_without_memory),
        cmocka_unit_test(test_create_refuses_a_circle),
        cmocka_unit_test(test_random_workloads),
        cmocka_unit_test(test_choosing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
