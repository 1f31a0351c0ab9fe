// SPDX-License-Identifier: Apache-2.0
/* What the truth of each test item allows under each budget: density greedy with its certificate, and the bound that no
 * method exceeds (item/bound.h). Times are those of the very item, which a scheduler does not know. */
#include <math.h>

#include "core/error.h"
#include "eval/eval.h"
#include "item/bound.h"

struct bounds {
    const struct few__eval *eval;
    enum few__eval_kind kind;
    struct few__bounder *bounder;
    struct few__sim_truth *truth; // (n_models,)
    struct few__eval_item state;
};

static double share(double value, double whole)
{
    return whole > 0 ? fmin(1, value / whole) : 1;
}

static void add_item(struct bounds *b, size_t i_test, int64_t deadline_us, uint64_t memory,
                     struct few__eval_point *sum)
{
    const struct few__eval *eval = b->eval;
    const struct few__eval_whole *whole = &eval->wholes[i_test];
    size_t item = eval->test[i_test];
    int64_t left_us = deadline_us - eval->trace->items[item].decode_us;
    struct few__bound bound = few__bound_item(b->bounder, b->truth, eval->costs, left_us, memory);
    if (b->kind == FEW__EVAL_BOUND) {
        sum->recall += share(bound.bound, whole->value);
        sum->relaxed += share(bound.relaxed, whole->value);
        return;
    }
    few__eval_begin(&b->state, item);
    // Needs before users: reach is judged by what has run.
    for (bool more = true; more;) {
        more = false;
        for (size_t m = 0; m < eval->trace->catalog.n_models; m++) {
            int need = eval->trace->catalog.models[m].needs;
            if (!bound.in[m] || b->state.ran[m] || (need >= 0 && !b->state.ran[need])) continue;
            few__eval_run(&b->state, m);
            more |= b->state.ran[m];
        }
    }
    few__eval_add(sum, &b->state, whole);
    sum->wall_us += (double)bound.wall_us;
    double most = fmin(bound.bound, whole->value);
    sum->certificate += share(bound.value, most);
}

static void replay_items(struct bounds *b, struct few__eval_result *result)
{
    const struct few__eval *eval = b->eval;
    for (size_t i = 0; i < eval->n_test; i++) {
        few__eval_truth(eval->trace, eval->test[i], b->truth);
        for (size_t d = 0; d < eval->n_deadlines; d++) {
            int64_t deadline_us = eval->deadlines_us[d];
            add_item(b, i, deadline_us, FEW__NO_BUDGET, &result->deadline[d]);
            for (size_t k = 0; k < eval->n_memories; k++)
                add_item(b, i, deadline_us, eval->memories[k], &result->memory[k * eval->n_deadlines + d]);
        }
    }
    for (size_t d = 0; d < eval->n_deadlines; d++)
        result->deadline[d] = few__eval_mean(&result->deadline[d], eval);
    for (size_t k = 0; k < eval->n_memories * eval->n_deadlines; k++)
        result->memory[k] = few__eval_mean(&result->memory[k], eval);
}

enum few_status few__eval_bound(const struct few__eval *eval, struct few__eval_result *result,
                                struct few_error *err)
{
    struct bounds b = {.eval = eval, .kind = result->method->kind};
    size_t n = eval->n_memories * eval->n_deadlines;
    FEW__TRY(few__eval_item_create(eval, &b.state, err));
    b.truth = FEW__ARENA_NEW(eval->arena, struct few__sim_truth, eval->trace->catalog.n_models);
    result->deadline = FEW__ARENA_NEW(eval->arena, struct few__eval_point, eval->n_deadlines);
    result->memory = FEW__ARENA_NEW(eval->arena, struct few__eval_point, n);
    if (!b.truth || !result->deadline || !result->memory) return few__no_memory(err, "evaluation");
    FEW__TRY(few__bounder_create(&eval->trace->catalog, &eval->env, &b.bounder, err));
    replay_items(&b, result);
    few__bounder_destroy(b.bounder);
    return FEW_OK;
}
