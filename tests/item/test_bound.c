// SPDX-License-Identifier: Apache-2.0
// Upper bounds and density greedy: the examples by hand, then against every set of up to eight models.
#include "exec/world.h"

#include <string.h>

#include "item/bound.h"

static struct few__bound bound_of(struct few__bounder *b, const struct t_world *w, int64_t budget_us,
                                  uint64_t memory_bytes)
{
    return few__bound_item(b, w->truth, w->costs, budget_us, memory_bytes);
}

static struct few__bounder *bounder_of(const struct t_world *w)
{
    struct few__bounder *b;
    struct few_error err;
    assert_status(few__bounder_create(&w->catalog, NULL, &b, &err), FEW_OK, &err);
    return b;
}

// 0.02 in 0.01 s against 1 in 1 s, budget 1 s: greedy is repaired by the best single model.
static void test_best_single_repairs_greedy(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 2);
    t_world_time(&w, 0, 10000), t_world_time(&w, 1, 1000000);
    t_world_says(&w, 0, 0, 0.02F), t_world_says(&w, 1, 1, 1);
    struct few__bounder *b = bounder_of(&w);
    struct few__bound got = bound_of(b, &w, 1000000, FEW__NO_BUDGET);
    assert_true(got.repaired && !got.in[0] && got.in[1]);
    assert_near(got.value, 1, 1e-9);
    assert_near(got.relaxed, 0.02 + 0.99, 1e-7);
    assert_near(got.bound, 0.02 + 0.99, 1e-7); // fractional knapsack of everything
    assert_int_equal(got.wall_us, 1000000);
    got = bound_of(b, &w, 1010000, FEW__NO_BUDGET);
    assert_true(!got.repaired && got.in[0] && got.in[1]);
    assert_near(got.value, 1.02, 1e-6);
    assert_near(got.bound, 1.02, 1e-6);
    got = bound_of(b, &w, 999999, FEW__NO_BUDGET); // the second cannot run at all
    assert_near(got.value, 0.02, 1e-6);
    assert_near(got.bound, 0.02, 1e-6);
    got = bound_of(b, &w, 0, FEW__NO_BUDGET);
    assert_near(got.value + got.bound + got.relaxed, 0, 0);
    few__bounder_destroy(b);
}

// Y = {a, b}, Z = {c, d}, X = {a, c, e} with e worth 0.1, unit times, budget 2: relaxed 3.1, optimum 4, bound 4.1.
static void test_relaxed_optimum_is_no_bound_under_overlap(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    t_world_says(&w, 0, 0, 1), t_world_says(&w, 0, 1, 1);
    t_world_says(&w, 1, 2, 1), t_world_says(&w, 1, 3, 1);
    t_world_says(&w, 2, 0, 1), t_world_says(&w, 2, 2, 1), t_world_says(&w, 2, 4, 0.1F);
    struct few__bounder *b = bounder_of(&w);
    struct few__bound got = bound_of(b, &w, 200, FEW__NO_BUDGET);
    assert_near(got.relaxed, 3.1, 1e-6);
    assert_near(got.value, 3.1, 1e-6);
    assert_near(got.bound, 4.1, 1e-6);
    assert_int_equal(got.wall_us, 200);
    few__bounder_destroy(b);
}

// The example of Algorithm 2: memory 8, 0.5 s. Area 4: B (0.6), A (1.6), C (2.0), D (0.2) by density 1.5, 1, 0.5, 0.5.
static void test_shared_memory_by_hand(void **state)
{
    (void)state;
    struct t_world w;
    const int64_t times[] = {400000, 200000, 400000, 200000};
    const uint64_t bytes[] = {4, 3, 5, 1};
    const int confidences[][2] = {{16, 0}, {9, 0}, {10, 0}, {1, 0}}; // tenths
    t_world_init(&w, 4);
    for (size_t m = 0; m < 4; m++) {
        t_world_time(&w, m, times[m]);
        w.costs[m].memory_bytes = bytes[m];
        t_world_says(&w, m, (int32_t)m, (float)confidences[m][0] / 10);
    }
    struct few__bounder *b = bounder_of(&w);
    struct few__bound got = bound_of(b, &w, 500000, 8);
    assert_near(got.value, 2.6, 1e-6); // a, b, d at once
    assert_true(got.in[0] && got.in[1] && !got.in[2] && got.in[3]);
    assert_int_equal(got.wall_us, 400000);
    assert_near(got.relaxed, 0.9 + 1.6 + 0.9, 1e-6); // c has 1.8 of its area 2.0
    assert_near(got.bound, 0.9 + 1.6 + 0.9, 1e-6);
    got = bound_of(b, &w, 1000000, 8);
    assert_near(got.value, 3.6, 1e-6);
    got = bound_of(b, &w, 1000000, 2); // only d runs
    assert_near(got.value, 0.1, 1e-6);
    assert_near(got.bound, 0.1, 1e-6);
    got = bound_of(b, &w, 150000, 8);
    assert_near(got.bound, 0, 0);
    few__bounder_destroy(b);
}

static void test_chains_are_charged_whole(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    w.models[1].needs = 0;
    t_world_says(&w, 1, 0, 0.9F);
    t_world_says(&w, 2, 1, 0.5F);
    struct few__bounder *b = bounder_of(&w);
    // c has 0.5 / 100, the chain 0.9 / 200: c first, then the chain does not fit; alone it is worth more.
    struct few__bound got = bound_of(b, &w, 200, FEW__NO_BUDGET);
    assert_true(got.repaired && got.in[0] && got.in[1] && !got.in[2]);
    assert_near(got.value, 0.9, 1e-6);
    got = bound_of(b, &w, 199, FEW__NO_BUDGET); // the chain cannot run
    assert_near(got.value, 0.5, 1e-6);
    assert_near(got.bound, 0.5, 1e-6);
    w.truth[0].result = FEW__RESULT_EMPTY; // nothing to look at
    got = bound_of(b, &w, 1000, FEW__NO_BUDGET);
    assert_near(got.bound, 0.5, 1e-6);
    few__bounder_destroy(b);
}

/* ---- brute force ---- */

static double value_of(const struct t_world *w, const bool *in)
{
    float best[T_LABELS] = {0};
    double value = 0;
    for (size_t m = 0; m < w->catalog.n_models; m++)
        for (size_t v = 0; in[m] && w->truth[m].result == FEW__RESULT_OK && v < w->truth[m].n_valuable; v++)
            if (w->valuable[m][v].confidence > best[w->valuable[m][v].label])
                best[w->valuable[m][v].label] = w->valuable[m][v].confidence;
    for (size_t l = 0; l < T_LABELS; l++) value += (double)best[l];
    return value;
}

static bool can_follow(const struct t_world *w, const bool *in, size_t model)
{
    int need = w->models[model].needs;
    return need < 0 || (in[need] && w->truth[need].result == FEW__RESULT_OK);
}

static double best_set(const struct t_world *w, int64_t budget_us)
{
    double best = 0;
    size_t n = w->catalog.n_models;
    for (unsigned set = 0; set < 1U << n; set++) {
        bool in[T_MODELS] = {0}, possible = true;
        int64_t time = 0;
        for (size_t m = 0; m < n; m++) in[m] = set >> m & 1;
        for (size_t m = 0; m < n; m++) {
            if (!in[m]) continue;
            possible &= can_follow(w, in, m);
            time += w->truth[m].time_us;
        }
        if (!possible || time > budget_us) continue;
        double value = value_of(w, in);
        if (value > best) best = value;
    }
    return best;
}

struct search { // over all orders in which models can be put as early as possible: some of them is optimal
    const struct t_world *w;
    int64_t budget_us, start[T_MODELS], end[T_MODELS];
    uint64_t memory;
    bool in[T_MODELS];
    double best;
};

static bool has_room(const struct search *s, size_t model, int64_t start)
{
    // Memory in use changes where models start: looked at there and at the start.
    for (size_t k = 0; k <= s->w->catalog.n_models; k++) {
        bool self = k == s->w->catalog.n_models;
        if (!self && !s->in[k]) continue;
        int64_t at = self ? start : s->start[k];
        if (at < start || at >= start + s->w->truth[model].time_us) continue;
        uint64_t used = s->w->costs[model].memory_bytes;
        for (size_t m = 0; m < s->w->catalog.n_models; m++)
            if (s->in[m] && s->start[m] <= at && at < s->end[m]) used += s->w->costs[m].memory_bytes;
        if (used > s->memory) return false;
    }
    return true;
}

static void search(struct search *s)
{
    double value = value_of(s->w, s->in);
    if (value > s->best) s->best = value;
    for (size_t m = 0; m < s->w->catalog.n_models; m++) {
        if (s->in[m] || !can_follow(s->w, s->in, m)) continue;
        int need = s->w->models[m].needs;
        int64_t start = need < 0 ? 0 : s->end[need];
        int64_t at = start;
        bool found = has_room(s, m, at);
        for (size_t k = 0; k < s->w->catalog.n_models; k++) {
            if (!s->in[k] || s->end[k] < start || (found && s->end[k] >= at) || !has_room(s, m, s->end[k]))
                continue;
            at = s->end[k];
            found = true;
        }
        if (!found || at + s->w->truth[m].time_us > s->budget_us) continue;
        s->start[m] = at;
        s->end[m] = at + s->w->truth[m].time_us;
        s->in[m] = true;
        search(s);
        s->in[m] = false;
    }
}

static void random_world(struct t_world *w, struct few__rng *rng, size_t max_models)
{
    t_world_random(w, rng, max_models);
    for (size_t m = 0; m < w->catalog.n_models; m++) w->costs[m].memory_bytes = few__rng_below(rng, 8);
}

static void assert_between(const struct few__bound *got, double best, const char *what, uint64_t seed)
{
    if (got->value > best + 1e-6 || best > got->bound + 1e-6)
        fail_msg("seed %llu, %s: greedy %g, best %g, bound %g", (unsigned long long)seed, what, got->value,
                 best, got->bound);
}

// greedy <= optimum <= bound, always; and greedy has what it says.
static void test_against_every_set(void **state)
{
    (void)state;
    double sum_greedy = 0, sum_best = 0, sum_bound = 0;
    size_t n_repaired = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 2000; seed++) {
        struct few__rng rng;
        struct t_world w;
        few__rng_init(&rng, seed, 21);
        random_world(&w, &rng, 8);
        struct few__bounder *b = bounder_of(&w);
        int64_t budget = (int64_t)few__rng_below(&rng, 600);
        struct few__bound got = bound_of(b, &w, budget, FEW__NO_BUDGET);
        double best = best_set(&w, budget);
        assert_between(&got, best, "one after the other", seed);
        assert_near(value_of(&w, got.in), got.value, 1e-6);
        assert_true(got.wall_us <= budget);
        sum_greedy += got.value, sum_best += best, sum_bound += got.bound;
        n_repaired += got.repaired;
        few__bounder_destroy(b);
    }
    print_message("greedy %.4f, bound %.4f of the optimum; repaired %zu times\n", sum_greedy / sum_best,
                  sum_bound / sum_best, n_repaired);
    assert_true(sum_greedy > 0.95 * sum_best && sum_bound < 1.3 * sum_best);
    assert_true(n_repaired > 10);
}

static void test_against_every_order(void **state)
{
    (void)state;
    double sum_greedy = 0, sum_best = 0, sum_bound = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 2000; seed++) {
        struct few__rng rng;
        struct t_world w;
        few__rng_init(&rng, seed, 22);
        random_world(&w, &rng, 6);
        struct few__bounder *b = bounder_of(&w);
        struct search s = {.w = &w, .budget_us = (int64_t)few__rng_below(&rng, 400)};
        s.memory = few__rng_below(&rng, 16);
        struct few__bound got = bound_of(b, &w, s.budget_us, s.memory);
        search(&s);
        assert_between(&got, s.best, "shared memory", seed);
        assert_near(value_of(&w, got.in), got.value, 1e-6);
        assert_true(got.wall_us <= s.budget_us);
        sum_greedy += got.value, sum_best += s.best, sum_bound += got.bound;
        few__bounder_destroy(b);
    }
    print_message("shared memory: greedy %.4f, bound %.4f of the optimum\n", sum_greedy / sum_best,
                  sum_bound / sum_best);
    assert_true(sum_greedy > 0.9 * sum_best && sum_bound < 2 * sum_best);
}

/* ---- life ---- */

static enum few_status create_in(const struct few_mem *mem, void *ud)
{
    const struct t_world *w = ud;
    struct few_env env = {.mem = mem};
    struct few__bounder *b;
    enum few_status status = few__bounder_create(&w->catalog, &env, &b, NULL);
    if (status != FEW_OK) assert_null(b);
    few__bounder_destroy(b);
    return status;
}

static void test_create(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 30);
    t_fail_each_allocation(create_in, &w);
    w.models[3].needs = 3;
    assert_int_equal(create_in(NULL, &w), FEW_EINVAL);
    few__bounder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_single_repairs_greedy),
        cmocka_unit_test(test_relaxed_optimum_is_no_bound_under_overlap),
        cmocka_unit_test(test_shared_memory_by_hand),
        cmocka_unit_test(test_chains_are_charged_whole),
        cmocka_unit_test(test_against_every_set),
        cmocka_unit_test(test_against_every_order),
        cmocka_unit_test(test_create),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
