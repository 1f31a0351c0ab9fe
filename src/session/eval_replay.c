// SPDX-License-Identifier: Apache-2.0
/* One method over the test items of a trace, decided by the scheduler and the executor that decide live.
 *
 * Without a deadline an item gives one sequence of models; every stop is a prefix of it. A blind method (one
 * whose order does not depend on outputs) is asked for its sequence as if every model found something, so that a
 * prefix means the same models on every item. AMS 1.2, 1.7 (algorithms.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "session/eval.h"

static const double slack = 1e-9; // what sums in another order may differ by, relative

struct replay {
    const struct few__eval *eval;
    struct few__exec *exec;
    struct few__sched sched;
    struct few__sim_truth *truth, *wish; // (n_models,) this item's; everything found
    struct few__eval_point *curve;       // (n_models + 1,) sums for each length of the prefix
    struct start *starts;                // (n_models,)
    size_t *sequence;                    // (n_models,)
    bool *reached;                       // (n_recalls,)
    int64_t clock_us;                    // of the executor, which never goes back; items follow each other
    struct few__eval_item state;
};

struct start {
    int64_t at_us;
    size_t model;
};

/* ---- without a deadline ---- */

static int by_start(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

// The models in the order in which they started; returns how many.
static size_t read_sequence(struct replay *r, size_t item, const struct few__sim_truth *truth)
{
    size_t n_models = r->eval->trace->catalog.n_models, n = 0;
    struct few__sim_about about = few__eval_about(r->eval->trace, item);
    if (truth == r->wish) about.has_parts = FEW__ALL_PARTS;
    r->clock_us = few__sim_item_about(r->exec, item, &about, r->clock_us, FEW__NO_DEADLINE, truth);
    const struct few__exec_row *rows = few__exec_rows(r->exec, 0);
    for (size_t m = 0; m < n_models; m++)
        if (rows[m].start_us >= 0) r->starts[n++] = (struct start){rows[m].start_us, m};
    qsort(r->starts, n, sizeof *r->starts, by_start);
    for (size_t i = 0; i < n; i++) r->sequence[i] = r->starts[i].model;
    return n;
}

static void note_recalls(struct replay *r, const struct few__eval_whole *whole, bool last,
                         struct few__eval_result *result)
{
    for (size_t i = 0; i < r->eval->n_recalls; i++) {
        if (r->reached[i]) continue;
        double wanted = r->eval->recalls[i] * whole->value;
        if (!last && r->state.value < wanted - slack * whole->value) continue;
        r->reached[i] = true;
        few__eval_add(&result->recall[i], &r->state, whole);
    }
}

static void replay_freely(struct replay *r, size_t i_test, bool blind, struct few__eval_result *result)
{
    const struct few__eval_whole *whole = &r->eval->wholes[i_test];
    size_t item = r->eval->test[i_test], n_models = r->eval->trace->catalog.n_models;
    size_t n = read_sequence(r, item, blind ? r->wish : r->truth);
    memset(r->reached, 0, r->eval->n_recalls * sizeof *r->reached);
    few__eval_begin(&r->state, item);
    for (size_t k = 0; k <= n_models; k++) {
        if (k > 0 && k <= n) few__eval_run(&r->state, r->sequence[k - 1]);
        note_recalls(r, whole, k == n_models, result);
        few__eval_add(&r->curve[k], &r->state, whole);
    }
}

/* ---- with a deadline ---- */

// The deadline covers decoding: what decoding took is gone when the first model can start.
static void replay_deadline(struct replay *r, size_t i_test, int64_t deadline_us, struct few__eval_point *sum)
{
    size_t item = r->eval->test[i_test];
    int64_t left_us = deadline_us - r->eval->trace->items[item].decode_us;
    few__eval_begin(&r->state, item);
    if (left_us > 0) {
        struct few__sim_about about = few__eval_about(r->eval->trace, item);
        r->clock_us = few__sim_item_about(r->exec, item, &about, r->clock_us, left_us, r->truth);
        few__eval_rows(&r->state, few__exec_rows(r->exec, 0), &sum->late);
    }
    few__eval_add(sum, &r->state, &r->eval->wholes[i_test]);
}

/* ---- all items ---- */

static void replay_items(struct replay *r, struct few__eval_result *result)
{
    bool blind = result->method->blind, known = result->method->kind == FEW__EVAL_TRUTH;
    for (size_t i = 0; i < r->eval->n_test; i++) {
        few__eval_truth(r->eval->trace, r->eval->test[i], r->truth);
        replay_freely(r, i, blind, result);
        for (size_t d = 0; !known && d < r->eval->n_deadlines; d++)
            replay_deadline(r, i, r->eval->deadlines_us[d], &result->deadline[d]);
    }
}

static double between(double a, double b, double share)
{
    return a + share * (b - a);
}

struct few__eval_point few__eval_curve_at(const struct few__eval_point *curve, size_t n, double wanted)
{
    size_t k = 0;
    while (k < n && curve[k].recall < wanted - slack) k++;
    if (k == 0 || curve[k].recall < wanted) return curve[k];
    const struct few__eval_point *a = &curve[k - 1], *b = &curve[k];
    double share = (wanted - a->recall) / (b->recall - a->recall);
    return (struct few__eval_point){.time_ratio = between(a->time_ratio, b->time_ratio, share),
                                    .models = between(a->models, b->models, share),
                                    .recall = between(a->recall, b->recall, share),
                                    .label_recall = between(a->label_recall, b->label_recall, share),
                                    .agreement = between(a->agreement, b->agreement, share)};
}

static void finish_result(const struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    size_t n_models = eval->trace->catalog.n_models;
    for (size_t k = 0; k <= n_models; k++) r->curve[k] = few__eval_mean(&r->curve[k], eval);
    for (size_t i = 0; i < eval->n_recalls; i++) {
        result->recall[i] = few__eval_mean(&result->recall[i], eval);
        result->stop[i] = few__eval_curve_at(r->curve, n_models, eval->recalls[i]);
    }
    for (size_t d = 0; d < eval->n_deadlines; d++)
        result->deadline[d] = few__eval_mean(&result->deadline[d], eval);
}

static bool take_memory(struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    struct few__arena *arena = eval->arena;
    size_t n = eval->trace->catalog.n_models;
    result->recall = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->stop = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->deadline = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_deadlines);
    r->truth = FEW__ARENA_NEW(arena, struct few__sim_truth, n);
    r->wish = FEW__ARENA_NEW(arena, struct few__sim_truth, n);
    r->curve = FEW__ARENA_NEW(arena, struct few__eval_point, n + 1);
    r->starts = FEW__ARENA_NEW(arena, struct start, n);
    r->sequence = FEW__ARENA_NEW(arena, size_t, n);
    r->reached = FEW__ARENA_NEW(arena, bool, eval->n_recalls);
    return result->recall && result->stop && result->deadline && r->truth && r->wish && r->curve &&
           r->starts && r->sequence && r->reached;
}

static enum few_status open_executor(struct replay *r, const struct few__eval_method *method,
                                     struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    struct few__value value;
    FEW__TRY(method->value(eval, &value, err));
    FEW__TRY(
        few__sched_deadline_create(&eval->trace->catalog, value, method->rank, &eval->env, &r->sched, err));
    struct few__exec_opts opts = {.env = &eval->env,
                                  .catalog = &eval->trace->catalog,
                                  .costs = eval->costs,
                                  .choosers = &r->sched.chooser,
                                  .n_lanes = 1};
    return few__exec_create(&opts, &r->exec, err);
}

enum few_status few__eval_replay(const struct few__eval *eval, const struct few__eval_method *method,
                                 struct few__eval_result *result, struct few_error *err)
{
    struct replay r = {.eval = eval};
    *result = (struct few__eval_result){.method = method};
    FEW__TRY(few__eval_item_create(eval, &r.state, err));
    if (!take_memory(&r, result)) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < eval->trace->catalog.n_models; m++)
        r.wish[m] = (struct few__sim_truth){.time_us = eval->costs[m].time_us, .result = FEW__RESULT_OK};
    enum few_status status = open_executor(&r, method, err);
    if (status == FEW_OK) {
        replay_items(&r, result);
        finish_result(&r, result);
    }
    few__exec_destroy(r.exec);
    few__sched_destroy(&r.sched);
    return status;
}
