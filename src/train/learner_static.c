// SPDX-License-Identifier: Apache-2.0
/* static: the greedy order by mean marginal value over time (item/value_static.c), and the rate at which each model is taken.
 *
 * Rates have to fall along the order, or a price would not cut it off at one place. Mean marginal values over time do,
 * but for chains: a need is taken for the sake of its users. So neighbours that rise are pooled (isotonic regression,
 * Ayer et al. 1955), which gives them the rate of the chain, and equal ones are set apart by their place. */
#include <math.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/value.h"
#include "train/learners.h"

static const double APART = 1e-9;

struct block { // of neighbours in the order
    double gain, time;
    size_t n;
};

static double rate_of(const struct block *block)
{
    return block->gain / block->time;
}

// blocks: (n,) scratch. Returns how many there are.
static size_t pool(const struct few__static_plan *plan, const struct few_cost *costs, size_t n,
                   struct block *blocks)
{
    size_t n_blocks = 0;
    for (size_t p = 0; p < n; p++) {
        int64_t time_us = costs[plan->order[p]].time_us;
        blocks[n_blocks++] = (struct block){
            .gain = plan->gain[plan->order[p]], .time = (double)(time_us > 0 ? time_us : 1), .n = 1};
        while (n_blocks > 1 && rate_of(&blocks[n_blocks - 1]) > rate_of(&blocks[n_blocks - 2])) {
            struct block *a = &blocks[n_blocks - 2], *b = &blocks[n_blocks - 1];
            *a = (struct block){a->gain + b->gain, a->time + b->time, a->n + b->n};
            n_blocks--;
        }
    }
    return n_blocks;
}

// Strictly falling: what stands behind is a little cheaper, also where nothing brings anything.
static void set_rates(const struct few__static_plan *plan, const struct block *blocks, size_t n_blocks,
                      double *rate)
{
    double least = n_blocks > 0 && rate_of(&blocks[0]) > 0 ? rate_of(&blocks[0]) : 1, before = INFINITY;
    for (size_t b = 0, p = 0; b < n_blocks; b++) {
        for (size_t i = 0; i < blocks[b].n; i++, p++) {
            rate[plan->order[p]] = fmin(rate_of(&blocks[b]), before - least * APART);
            before = rate[plan->order[p]];
        }
    }
}

static enum few_status add(struct few__tensors *tensors, const struct few__static_plan *plan,
                           const double *rate, size_t n, struct few_error *err)
{
    FEW__TRY(few__tensors_add(tensors, "static.rate", FEW__F64, &n, 1, rate, NULL, err));
    FEW__TRY(few__tensors_add(tensors, "static.gain", FEW__F64, &n, 1, plan->gain, NULL, err));
    return few__tensors_add(tensors, "static.found", FEW__F64, &n, 1, plan->found, NULL, err);
}

static enum few_status learn_in(const struct few__lesson *lesson, struct few__arena *arena,
                                struct few__tensors *tensors, struct few_error *err)
{
    size_t n = lesson->trace->catalog.n_models;
    const struct few__static_plan plan = {.order = FEW__ARENA_NEW(arena, size_t, n),
                                          .gain = FEW__ARENA_NEW(arena, double, n),
                                          .found = FEW__ARENA_NEW(arena, double, n)};
    double *rate = FEW__ARENA_NEW(arena, double, n);
    struct block *blocks = FEW__ARENA_NEW(arena, struct block, n);
    if (!plan.order || !plan.gain || !plan.found || !rate || !blocks)
        return few__no_memory(err, "static order");
    FEW__TRY(
        few__static_plan_in(arena, lesson->trace, lesson->items, lesson->n_items, lesson->costs, &plan, err));
    set_rates(&plan, blocks, pool(&plan, lesson->costs, n, blocks), rate);
    return add(tensors, &plan, rate, n, err);
}

static enum few_status learn(const struct few__lesson *lesson, struct few__tensors *tensors,
                             struct few_error *err)
{
    struct few__arena arena;
    few__arena_init(&arena, few__env(&lesson->env).mem, SIZE_MAX / 2); // the trace in memory is the limit
    enum few_status status = learn_in(lesson, &arena, tensors, err);
    few__arena_finish(&arena);
    return status;
}

const struct few__learner few__learner_static = {.name = "static", .learn = learn};
