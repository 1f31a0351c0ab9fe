// SPDX-License-Identifier: Apache-2.0
/* One method over the test items with models in parallel: each memory budget with each deadline, AMS Algorithm 2 in the
 * virtual clock (algorithms.md 1.6). Lanes are not what is scarce: there are as many as the executor can have. */
#include "core/error.h"
#include "eval/eval.h"
#include "item/sched_pack.h"

struct replay {
    const struct few__eval *eval;
    struct few__sched sched;
    struct few__exec *exec;
    struct few__eval_said said;
    int64_t clock_us; // of the executor, which never goes back
    struct few__eval_item state;
};

static enum few_status open_executor(struct replay *r, const struct few__eval_method *method,
                                     enum few__pack_rule rule, uint64_t memory, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    const struct few_catalog *catalog = &eval->trace->catalog;
    struct few__value value;
    bool packs = method->kind == FEW__EVAL_PACK;
    FEW__TRY(packs ? method->gains(eval, method, &value, err) : method->value(eval, method, &value, err));
    if (packs) FEW__TRY(few__sched_pack_create(catalog, value, rule, &eval->env, &r->sched, err));
    else FEW__TRY(few__sched_deadline_create(catalog, value, method->rank, &eval->env, &r->sched, err));
    struct few__exec_opts opts = {.env = &eval->env,
                                  .catalog = catalog,
                                  .costs = eval->costs,
                                  .choosers = &r->sched.chooser,
                                  .n_lanes = FEW__LANES_MAX,
                                  .memory_bytes = memory};
    return few__exec_create(&opts, &r->exec, err);
}

// As in eval_replay.c, the deadline covers decoding.
static void replay_item(struct replay *r, size_t i_test, int64_t deadline_us, struct few__eval_point *sum)
{
    size_t item = r->eval->test[i_test];
    int64_t left_us = deadline_us - r->eval->trace->items[item].decode_us;
    few__eval_begin(&r->state, item);
    if (left_us > 0) {
        int64_t start_us = r->clock_us;
        struct few__sim_about about = few__eval_about(r->eval->trace, item);
        r->clock_us = few__sim_item_about(r->exec, item, &about, start_us, left_us, r->said.truth);
        few__eval_rows(&r->state, few__exec_rows(r->exec, 0), &sum->late);
        sum->wall_us += (double)(r->clock_us - start_us);
    }
    few__eval_add(sum, &r->state, &r->eval->wholes[i_test]);
}

// points: (n_deadlines,)
static enum few_status replay_memory(struct replay *r, const struct few__eval_method *method,
                                     enum few__pack_rule rule, uint64_t memory,
                                     struct few__eval_point *points, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    enum few_status status = open_executor(r, method, rule, memory, err);
    for (size_t i = 0; status == FEW_OK && i < eval->n_test; i++) {
        status = few__eval_said_item(&r->said, eval->test[i], err);
        for (size_t d = 0; status == FEW_OK && d < eval->n_deadlines; d++)
            replay_item(r, i, eval->deadlines_us[d], &points[d]);
    }
    for (size_t d = 0; status == FEW_OK && d < eval->n_deadlines; d++)
        points[d] = few__eval_mean(&points[d], eval);
    few__exec_destroy(r->exec);
    few__sched_destroy(&r->sched);
    r->exec = NULL;
    r->clock_us = 0;
    return status;
}

// As published, too, where models are packed.
static enum few_status replay_memories(struct replay *r, struct few__eval_result *result,
                                       struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    const struct few__eval_method *method = result->method;
    for (size_t k = 0; k < eval->n_memories; k++) {
        size_t at = k * eval->n_deadlines;
        FEW__TRY(replay_memory(r, method, FEW__PACK_IMPROVED, eval->memories[k], &result->memory[at], err));
        if (!result->faithful) continue;
        FEW__TRY(replay_memory(r, method, FEW__PACK_FAITHFUL, eval->memories[k], &result->faithful[at], err));
    }
    return FEW_OK;
}

enum few_status few__eval_memory(const struct few__eval *eval, struct few__eval_result *result,
                                 struct few_error *err)
{
    const struct few__eval_method *method = result->method;
    bool packs = method->kind == FEW__EVAL_PACK;
    struct replay r = {.eval = eval};
    size_t n = eval->n_memories * eval->n_deadlines;
    FEW__TRY(few__eval_item_create(eval, &r.state, err));
    result->memory = FEW__ARENA_NEW(eval->arena, struct few__eval_point, n);
    if (packs) result->faithful = FEW__ARENA_NEW(eval->arena, struct few__eval_point, n);
    if (!result->memory || (packs && !result->faithful)) return few__no_memory(err, "evaluation");
    enum few_status status = few__eval_said_create(eval, method, &r.said, err);
    if (status == FEW_OK) status = replay_memories(&r, result, err);
    few__eval_said_finish(&r.said);
    return status;
}
