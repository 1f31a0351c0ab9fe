// SPDX-License-Identifier: Apache-2.0
/* How a model's priority moves it: the replay without budgets, once more for each priority of one model. AMS section 6 measures
 * it so. What is learned on the train items here (static) knows no priorities and stays. */
#include <string.h>

#include "core/error.h"
#include "eval/eval_lane.h"

const float few__eval_priorities[FEW__EVAL_PRIORITIES] = {1, 2, 5, 10};

static const double slack = 1e-9; // what sums in another order may differ by, relative

// The trace with another priority of one model; the rest is shared.
static enum few_status change(const struct few__eval *eval, float priority, struct few__trace *trace,
                              struct few__eval *changed, struct few_error *err)
{
    size_t n = eval->trace->catalog.n_models;
    struct few_model *models = FEW__ARENA_NEW(eval->arena, struct few_model, n);
    if (!models) return few__no_memory(err, "evaluation");
    memcpy(models, eval->trace->catalog.models, n * sizeof *models);
    models[eval->priority_model].priority = priority;
    *trace = *eval->trace;
    trace->catalog.models = models;
    *changed = *eval;
    changed->trace = trace;
    return FEW_OK;
}

static void note_item(const struct few__eval *eval, const struct few__eval_lane *lane, size_t i_test,
                      struct few__eval_item *state, struct few__eval_priority *sum)
{
    const struct few__eval_whole *whole = &eval->wholes[i_test];
    few__eval_begin(state, eval->test[i_test]);
    size_t k = 0;
    for (; k < lane->n_steps && state->value < whole->value * (1 - slack); k++)
        few__eval_run(state, lane->steps[k].model);
    sum->time_ratio += state->time_us;
    for (k = 0; k < lane->n_steps; k++) {
        if (lane->steps[k].model != eval->priority_model) continue;
        sum->position += (double)(k + 1);
        sum->items++;
    }
}

static enum few_status replay(const struct few__eval *eval, const struct few__eval_method *method,
                              struct few__eval_priority *sum, struct few_error *err)
{
    struct few__eval_lane lane;
    struct few__eval_item state;
    FEW__TRY(few__eval_item_create(eval, &state, err));
    enum few_status status = few__eval_lane_open(eval, method, NULL, &lane, err);
    for (size_t i = 0; status == FEW_OK && i < eval->n_test; i++) {
        status = few__eval_lane_item(&lane, eval->test[i], err);
        if (status != FEW_OK) break;
        few__eval_lane_freely(&lane, false);
        note_item(eval, &lane, i, &state, sum);
    }
    few__eval_lane_close(&lane);
    if (sum->items > 0) sum->position /= sum->items;
    sum->items /= (double)eval->n_test;
    sum->time_ratio /= eval->run_all_us > 0 ? eval->run_all_us : 1;
    return status;
}

enum few_status few__eval_priority(const struct few__eval *eval, struct few__eval_result *result,
                                   struct few_error *err)
{
    struct few__trace trace;
    struct few__eval changed;
    result->priority = FEW__ARENA_NEW(eval->arena, struct few__eval_priority, FEW__EVAL_PRIORITIES);
    if (!result->priority) return few__no_memory(err, "evaluation");
    for (size_t p = 0; p < FEW__EVAL_PRIORITIES; p++) {
        FEW__TRY(change(eval, few__eval_priorities[p], &trace, &changed, err));
        FEW__TRY(replay(&changed, result->method, &result->priority[p], err));
    }
    return FEW_OK;
}
