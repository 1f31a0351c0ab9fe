// SPDX-License-Identifier: Apache-2.0
// The pace: a quantile of real over expected time, and what planning with it does to deadlines.
#include <math.h>

#include "core/rng.h"
#include "exec/exec_sim.h"
#include "exec/pace.h"
#include "support/support.h"

static void test_it_finds_the_95_percent_quantile(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    double pace = FEW__PACE_START, mean = 0;
    enum { N = 20000, SETTLED = 2000 };
    for (int i = 0; i < N; i++) { // ratios uniform in 1 .. 3: the quantile is 2.9
        pace = few__pace_next(pace, 20000, (int64_t)(20000 * (1 + 2 * few__rng_unit(&rng))), false);
        if (i >= SETTLED) mean += pace / (N - SETTLED);
    }
    assert_near(2.9, mean, 0.1);
}

static void test_it_stays_within_its_limits(void **state)
{
    (void)state;
    double slow = FEW__PACE_START, quick = FEW__PACE_START;
    for (int i = 0; i < 5000; i++) {
        slow = few__pace_next(slow, 1000000, INT32_MAX, false);
        quick = few__pace_next(quick, 1000000, 1, false);
    }
    assert_near(FEW__PACE_MOST, slow, 0);
    assert_near(FEW__PACE_LEAST, quick, 0);
}

static void test_short_runs_hardly_count_and_cut_off_ones_only_raise(void **state)
{
    (void)state;
    double of_short = few__pace_next(1, 20, 200, false), of_long = few__pace_next(1, 200000, 2000000, false);
    assert_true(of_short > 1 && of_short < 1.01 && of_long > 1.09);
    assert_near(1, few__pace_next(1, 200000, 100000, true), 0);
    assert_true(few__pace_next(1, 200000, 100000, false) < 1);
}

/* ---- in the executor: a machine that is 2.5 times slower than expected, give or take a third ---- */

enum { N_MODELS = 12, N_ITEMS = 400, WARM = 50 };

// Starts the longest pending model that fits.
static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    (void)self;
    choice->answer = FEW__STOP;
    for (size_t i = 0; i < N_MODELS; i++) {
        if (view->states[i] != FEW__PENDING || !few__view_fits(view, view->costs[i].time_us)) continue;
        choice->answer = FEW__START;
        choice->n = 1;
        choice->models[0] = i;
    }
}

// The share of items with a late model, after the first WARM ones.
static double late_share(bool keep_pace)
{
    struct few_model models[N_MODELS];
    struct few_cost costs[N_MODELS];
    struct few__sim_truth truth[N_MODELS];
    for (size_t i = 0; i < N_MODELS; i++) {
        models[i] = (struct few_model){.name = "m", .needs = -1, .variant_of = -1};
        costs[i] = (struct few_cost){.time_us = 2000 * (int64_t)(i + 1)};
        truth[i] = (struct few__sim_truth){.result = FEW__RESULT_OK};
    }
    const struct few_catalog catalog = {.n_models = N_MODELS, .models = models};
    const struct few__chooser chooser = {.choose = choose, .name = "longest"};
    const struct few__exec_opts opts = {
        .catalog = &catalog, .costs = costs, .choosers = &chooser, .keep_pace = keep_pace};
    struct few__exec *exec;
    struct few_error err;
    assert_status(few__exec_create(&opts, &exec, &err), FEW_OK, &err);
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 2);
    int late = 0;
    int64_t now = 0;
    for (uint64_t item = 0; item < N_ITEMS; item++) {
        for (size_t i = 0; i < N_MODELS; i++)
            truth[i].time_us = (int64_t)((double)costs[i].time_us * 2.5 * (0.7 + 0.6 * few__rng_unit(&rng)));
        now = few__sim_item(exec, item, now, 150000, truth);
        bool any = false;
        for (size_t i = 0; i < N_MODELS; i++) any |= few__exec_rows(exec, 0)[i].outcome == FEW_LATE;
        late += any && item >= WARM;
    }
    few__exec_destroy(exec);
    return (double)late / (N_ITEMS - WARM);
}

static void test_deadlines_are_kept_on_a_slow_machine(void **state)
{
    (void)state;
    double without = late_share(false), with = late_share(true);
    print_message("items with a late model: %.3f with mean times, %.3f with the pace\n", without, with);
    assert_true(without > 0.5);
    assert_true(with < 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_finds_the_95_percent_quantile),
        cmocka_unit_test(test_it_stays_within_its_limits),
        cmocka_unit_test(test_short_runs_hardly_count_and_cut_off_ones_only_raise),
        cmocka_unit_test(test_deadlines_are_kept_on_a_slow_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
