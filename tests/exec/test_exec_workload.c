// SPDX-License-Identifier: Apache-2.0
/* 10,000 random workloads under a policy that answers at random: whatever it answers, the log passes the
 * checker, rows agree with the log and with each other, and one seed gives one log. */
#include "exec/world.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

enum { WORKLOADS = 10000, ITEMS = 3, RECORDS = 1024 };

struct random_policy {
    struct few__rng rng;
};

static bool may_start(const struct few__view *view, size_t m)
{
    int need = view->catalog->models[m].needs;
    return view->states[m] == FEW__PENDING &&
           (need < 0 || (view->states[need] == FEW__DONE && view->found[need]));
}

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct random_policy *policy = self;
    uint64_t mood = few__rng_below(&policy->rng, 20);
    choice->answer = FEW__STOP;
    if (mood == 0) return;
    if (mood < 4 && view->n_running > 0) {
        choice->answer = FEW__WAIT;
        return;
    }
    size_t room = 1 + (size_t)few__rng_below(&policy->rng, view->n_lanes - view->n_running);
    for (size_t m = 0; m < view->catalog->n_models; m++)
        if (may_start(view, m)) choice->models[choice->n++] = m;
    few__rng_shuffle(&policy->rng, choice->models, choice->n);
    if (choice->n > room) choice->n = room;
    if (choice->n) choice->answer = FEW__START;
    else if (view->n_running) choice->answer = FEW__WAIT;
}

// An ancestor whose end explains the reason, found by walking up; -1 = none.
static int explained_by(const struct few__exec *exec, size_t m, enum few_outcome outcome, bool found)
{
    const struct few__view *view = few__exec_view(exec, 0);
    for (int up = view->catalog->models[m].needs; up >= 0; up = view->catalog->models[up].needs)
        if (few__exec_rows(exec, 0)[up].outcome == outcome && view->found[up] == found) return up;
    return -1;
}

static bool row_is_right(const struct few__exec *exec, size_t m)
{
    const struct few__view *view = few__exec_view(exec, 0);
    const struct few__exec_row *row = &few__exec_rows(exec, 0)[m];
    int need = view->catalog->models[m].needs;
    bool started = row->start_us >= 0;
    if (view->states[m] != FEW__DONE || view->outcomes[m] != row->outcome) return false;
    if (started && need >= 0 && !view->found[need]) return false;
    if (view->found[m] && row->outcome != FEW_EXECUTED) return false;
    switch (row->reason) {
    case FEW__WHY_CHOSEN: return row->outcome == FEW_EXECUTED && started && row->end_us > row->start_us;
    case FEW__WHY_FAILED: return row->outcome == FEW_FAILED && started;
    case FEW__WHY_DEADLINE:
        return view->deadline_us != FEW__NO_DEADLINE && row->outcome == (started ? FEW_LATE : FEW_SKIPPED);
    case FEW__WHY_NEED_EMPTY:
        return row->outcome == FEW_SKIPPED && !started && explained_by(exec, m, FEW_EXECUTED, false) >= 0;
    case FEW__WHY_NEED_FAILED:
        return row->outcome == FEW_SKIPPED && !started && explained_by(exec, m, FEW_FAILED, false) >= 0;
    case FEW__WHY_NEED_MISSING:
        return row->outcome == FEW_SKIPPED && !started && explained_by(exec, m, FEW_LATE, false) >= 0;
    case FEW__WHY_NO_TIME:
        return row->outcome == FEW_SKIPPED && !started && view->deadline_us != FEW__NO_DEADLINE;
    case FEW__WHY_NOT_WORTH: return row->outcome == FEW_SKIPPED && !started;
    case FEW__WHY_VARIANT:
    case FEW__WHY_NO_MEMORY:
    case FEW__WHY_NOT_LOADED:
    case FEW__WHY_ITEM_FAILED: return false;
    }
    return false;
}

// seen must be the maximum over what the executed models really said.
static bool seen_is_right(const struct few__exec *exec, const struct t_world *w)
{
    float seen[T_LABELS] = {0};
    for (size_t m = 0; m < w->catalog.n_models; m++)
        for (size_t k = 0; few__exec_rows(exec, 0)[m].outcome == FEW_EXECUTED && k < w->truth[m].n_valuable;
             k++) {
            const struct few_valuable *v = &w->valuable[m][k];
            if (v->confidence > seen[v->label]) seen[v->label] = v->confidence;
        }
    return memcmp(seen, few__exec_view(exec, 0)->seen, sizeof seen) == 0;
}

static void run_workload(uint64_t seed, struct few__exec_log *log, size_t counts[FEW_OUTCOME_COUNT],
                         size_t reasons[FEW__WHY_FAILED + 1])
{
    struct random_policy policy;
    struct few__rng rng;
    struct t_world w;
    few__rng_init(&rng, seed, 1);
    few__rng_init(&policy.rng, seed, 2);
    t_world_random(&w, &rng, 12);
    size_t n_lanes = 1 + (size_t)few__rng_below(&rng, 4);
    struct few__chooser chooser = {.self = &policy, .name = "random", .choose = choose};
    struct few__exec *exec = t_exec(&w, chooser, n_lanes, log);
    few__exec_log_clear(log);
    int64_t now = 0;
    for (uint64_t item = 0; item < ITEMS; item++) {
        int64_t deadline = few__rng_below(&rng, 3) ? (int64_t)few__rng_below(&rng, 1000) : FEW__NO_DEADLINE;
        now = few__sim_item(exec, item, now, deadline, w.truth);
        for (size_t m = 0; m < w.catalog.n_models; m++) {
            if (!row_is_right(exec, m)) fail_msg("seed %llu, model %zu", (unsigned long long)seed, m);
            counts[few__exec_rows(exec, 0)[m].outcome]++;
            reasons[few__exec_rows(exec, 0)[m].reason]++;
        }
        if (!seen_is_right(exec, &w)) fail_msg("seed %llu: seen", (unsigned long long)seed);
    }
    struct few_error err;
    const struct few__exec_opts had = {.catalog = &w.catalog, .costs = w.costs, .n_lanes = n_lanes};
    if (few__exec_check(log, &had, &err) != FEW_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.message);
    few__exec_destroy(exec);
}

static void test_random_workloads(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0}, reasons[FEW__WHY_FAILED + 1] = {0};
    struct few__exec_log log;
    assert_int_equal(few__exec_log_init(&log, NULL, RECORDS, NULL), FEW_OK);
    for (uint64_t seed = t_seed(); seed < t_seed() + WORKLOADS; seed++)
        run_workload(seed, &log, counts, reasons);
    // The workloads reach every end that a model can come to.
    for (size_t i = 0; i <= FEW__WHY_FAILED; i++) assert_true(reasons[i] > 100);
    assert_int_equal(counts[FEW_PREDICTED] + counts[FEW_REUSED], 0);
    few__exec_log_finish(&log);
}

static void test_same_seed_same_log(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0}, reasons[FEW__WHY_FAILED + 1] = {0};
    struct few__exec_log one, two;
    assert_int_equal(few__exec_log_init(&one, NULL, RECORDS, NULL), FEW_OK);
    assert_int_equal(few__exec_log_init(&two, NULL, RECORDS, NULL), FEW_OK);
    for (uint64_t seed = 0; seed < 200; seed++) {
        run_workload(seed, &one, counts, reasons);
        run_workload(seed, &two, counts, reasons);
        assert_int_equal(one.n, two.n);
        assert_memory_equal(one.records, two.records, one.n * sizeof *one.records);
    }
    few__exec_log_finish(&one);
    few__exec_log_finish(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_workloads),
        cmocka_unit_test(test_same_seed_same_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
