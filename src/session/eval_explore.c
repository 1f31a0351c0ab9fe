// SPDX-License-Identifier: Apache-2.0
/* explore_exploit over the test items of a trace that has streams, one model after the other: the module that explores live
 * (item/explore) explores here. Items come in the order of the trace, each finished before the next, so nobody waits. */
#include "core/error.h"
#include "item/explore.h"
#include "session/eval.h"

const double few__eval_keeps[FEW__EVAL_KEEPS] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1};

struct replay {
    const struct few__eval *eval;
    struct few__exec *exec;
    struct few__sched sched;
    struct few__explore *explore;   // of one pass
    struct few__sim_truth *truth;   // (n_models,)
    struct few_output *outputs;     // (n_models,) of an item that explored
    const struct few_output **said; // (n_models,) those that were given
    struct few__arena scratch;      // their numbers
    int64_t clock_us;               // of the executor, which never goes back
    struct few__eval_item state;
};

static enum few_status learn(struct replay *r, size_t item, struct few_error *err)
{
    const struct few__trace *trace = r->eval->trace;
    few__arena_reset(&r->scratch);
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        r->said[m] = NULL;
        if (!r->state.ran[m] || !cell->packed) continue;
        FEW__TRY(few__trace_unpack(&trace->catalog.models[m], cell->packed, cell->n_packed, &r->scratch,
                                   &r->outputs[m], err));
        r->said[m] = &r->outputs[m];
    }
    return few__explore_learn(r->explore, (size_t)trace->items[item].stream, few__eval_segment(r->eval, item),
                              true, r->said, err);
}

// The deadline covers decoding, as in eval_replay.c.
static void run_item(struct replay *r, size_t item, const double *gains, int64_t deadline_us, double *late)
{
    const struct few__trace *trace = r->eval->trace;
    bool hurries = deadline_us != FEW__NO_DEADLINE;
    int64_t left_us = hurries ? deadline_us - trace->items[item].decode_us : FEW__NO_DEADLINE;
    few__eval_begin(&r->state, item);
    if (left_us <= 0) return;
    struct few__sim_about about = few__eval_about(trace, item);
    about.gains = gains;
    few__eval_truth(trace, item, r->truth);
    r->clock_us = few__sim_item_about(r->exec, item, &about, r->clock_us, left_us, r->truth);
    few__eval_rows(&r->state, few__exec_rows(r->exec, 0), late);
}

static enum few_status replay_item(struct replay *r, size_t i_test, int64_t deadline_us,
                                   struct few__eval_point *sum, struct few_error *err)
{
    size_t item = r->eval->test[i_test];
    int64_t stream = r->eval->trace->items[item].stream, segment = few__eval_segment(r->eval, item);
    const double *gains = NULL;
    bool explores = false;
    if (stream >= 0) {
        explores = few__explore_phase(r->explore, (size_t)stream, segment) == FEW__PHASE_EXPLORE;
        if (explores) FEW__TRY(few__explore_begin(r->explore, (size_t)stream, segment, err));
        else gains = few__explore_gains(r->explore, (size_t)stream);
    }
    run_item(r, item, gains, deadline_us, &sum->late);
    few__eval_add(sum, &r->state, &r->eval->wholes[i_test]);
    return explores ? learn(r, item, err) : FEW_OK;
}

// One pass over the test items.
static enum few_status replay(struct replay *r, double keep, int64_t deadline_us,
                              struct few__eval_point *point, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    struct few__explore_opts opts = {.catalog = &eval->trace->catalog, .costs = eval->costs, .keep = keep};
    struct few__eval_point sum = {0};
    FEW__TRY(few__explore_create(&opts, &eval->env, &r->explore, err));
    enum few_status status = FEW_OK;
    for (size_t i = 0; status == FEW_OK && i < eval->n_test; i++)
        status = replay_item(r, i, deadline_us, &sum, err);
    few__explore_destroy(r->explore);
    *point = few__eval_mean(&sum, eval);
    return status;
}

static enum few_status open_executor(struct replay *r, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    const struct few_catalog *catalog = &eval->trace->catalog;
    struct few__value value;
    FEW__TRY(few__value_segment(catalog, &eval->env, &value, err));
    FEW__TRY(few__sched_deadline_create(catalog, value, FEW__RANK_STOP, &eval->env, &r->sched, err));
    struct few__exec_opts opts = {.env = &eval->env,
                                  .catalog = catalog,
                                  .costs = eval->costs,
                                  .choosers = &r->sched.chooser,
                                  .n_lanes = 1};
    return few__exec_create(&opts, &r->exec, err);
}

static bool take_memory(struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    struct few__arena *arena = eval->arena;
    size_t n = eval->trace->catalog.n_models;
    result->keep = FEW__ARENA_NEW(arena, struct few__eval_point, FEW__EVAL_KEEPS);
    result->stop = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->deadline = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_deadlines);
    r->truth = FEW__ARENA_NEW(arena, struct few__sim_truth, n);
    r->outputs = FEW__ARENA_NEW(arena, struct few_output, n);
    r->said = FEW__ARENA_NEW(arena, const struct few_output *, n);
    return result->keep && result->stop && result->deadline && r->truth && r->outputs && r->said;
}

enum few_status few__eval_explore(const struct few__eval *eval, struct few__eval_result *result,
                                  struct few_error *err)
{
    struct replay r = {.eval = eval};
    FEW__TRY(few__eval_item_create(eval, &r.state, err));
    if (!take_memory(&r, result)) return few__no_memory(err, "evaluation");
    few__arena_init(&r.scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    enum few_status status = open_executor(&r, err);
    for (size_t k = 0; status == FEW_OK && k < FEW__EVAL_KEEPS; k++)
        status = replay(&r, few__eval_keeps[k], FEW__NO_DEADLINE, &result->keep[k], err);
    for (size_t d = 0; status == FEW_OK && d < eval->n_deadlines; d++)
        status = replay(&r, 1, eval->deadlines_us[d], &result->deadline[d], err);
    for (size_t i = 0; status == FEW_OK && i < eval->n_recalls; i++)
        result->stop[i] = few__eval_curve_at(result->keep, FEW__EVAL_KEEPS - 1, eval->recalls[i]);
    few__exec_destroy(r.exec);
    few__sched_destroy(&r.sched);
    few__arena_finish(&r.scratch);
    return status;
}
