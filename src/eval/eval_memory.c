// SPDX-License-Identifier: Apache-2.0
/* One method over the test items with models in parallel: each memory budget with each deadline, AMS Algorithm 2 in the
 * virtual clock (algorithms.md 1.6). */
#include "core/error.h"
#include "eval/eval_lane.h"

// points: (n_deadlines,)
static enum few_status replay_items(struct few__eval_lane *lane, struct few__eval_item *state,
                                    struct few__eval_point *points, struct few_error *err)
{
    const struct few__eval *eval = lane->eval;
    for (size_t i = 0; i < eval->n_test; i++) {
        FEW__TRY(few__eval_lane_item(lane, eval->test[i], err));
        for (size_t d = 0; d < eval->n_deadlines; d++) {
            few__eval_lane_deadline(lane, eval->deadlines_us[d], state, &points[d].late);
            few__eval_add(&points[d], state, &eval->wholes[i]);
            points[d].wall_us += (double)lane->wall_us;
        }
    }
    for (size_t d = 0; d < eval->n_deadlines; d++) points[d] = few__eval_mean(&points[d], eval);
    return FEW_OK;
}

static enum few_status replay(const struct few__eval *eval, const struct few__eval_method *method,
                              const struct few__eval_room *room, struct few__eval_item *state,
                              struct few__eval_point *points, struct few_error *err)
{
    struct few__eval_lane lane;
    enum few_status status = few__eval_lane_open(eval, method, room, &lane, err);
    if (status == FEW_OK) status = replay_items(&lane, state, points, err);
    few__eval_lane_close(&lane);
    return status;
}

enum few_status few__eval_memory(const struct few__eval *eval, struct few__eval_result *result,
                                 struct few_error *err)
{
    const struct few__eval_method *method = result->method;
    bool packs = method->kind == FEW__EVAL_PACK;
    struct few__eval_item state;
    size_t n = eval->n_memories * eval->n_deadlines;
    FEW__TRY(few__eval_item_create(eval, &state, err));
    result->memory = FEW__ARENA_NEW(eval->arena, struct few__eval_point, n);
    if (packs) result->faithful = FEW__ARENA_NEW(eval->arena, struct few__eval_point, n);
    if (!result->memory || (packs && !result->faithful)) return few__no_memory(err, "evaluation");
    for (size_t k = 0; k < eval->n_memories; k++) {
        size_t at = k * eval->n_deadlines;
        struct few__eval_room room = {eval->memories[k], FEW__PACK_IMPROVED};
        FEW__TRY(replay(eval, method, &room, &state, &result->memory[at], err));
        room.rule = FEW__PACK_FAITHFUL;
        if (packs) FEW__TRY(replay(eval, method, &room, &state, &result->faithful[at], err));
    }
    return FEW_OK;
}
