// SPDX-License-Identifier: Apache-2.0
/* static: one order for all items, greedy by mean marginal value over time on a trace. No paper shows it; it
 * is what a learned scheduler has to beat. Invariant: seen[] is the highest confidence that the models placed so far gave
 * each label on each item. */
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/chain.h"
#include "item/marginals.h"
#include "item/value.h"

struct greedy {
    struct few__chains chains;
    size_t n_items;
    struct few__marginals values;
    float *seen;   // (slots of all items,)
    float *before; // (entries of one item,) what a tried chain has overwritten
    bool *placed;  // (n_models,)
    size_t *chain; // (n_models,) scratch: a model and its needs not yet placed, needs first
};

static enum few_status prepare(const struct few__trace *trace, const size_t *items, struct few__arena *arena,
                               struct greedy *g, struct few_error *err)
{
    FEW__TRY(few__chains_build(&trace->catalog, arena, &g->chains, err));
    FEW__TRY(few__marginals_create(trace, items, g->n_items, arena, &g->values, err));
    g->placed = FEW__ARENA_NEW(arena, bool, g->chains.n);
    g->chain = FEW__ARENA_NEW(arena, size_t, g->chains.n);
    g->before = FEW__ARENA_NEW(arena, float, g->values.most_entries);
    g->seen = FEW__ARENA_NEW(arena, float, g->values.base[g->n_items]);
    bool whole = g->placed && g->chain && g->before && g->seen;
    return whole ? FEW_OK : few__no_memory(err, "static order");
}

// What one model adds on one item to what is seen, and makes seen. undo: (its entries,) out, or NULL.
static double add(struct greedy *g, size_t item, size_t model, float *undo)
{
    return few__marginal_add(&g->values, item, model, g->seen + g->values.base[item], undo);
}

static double gain_of(struct greedy *g, size_t length)
{
    double gain = 0;
    for (size_t i = 0; i < g->n_items; i++) {
        const size_t *first = &g->values.first[i * g->chains.n];
        float *undo = g->before;
        for (size_t c = 0; c < length; c++) {
            gain += add(g, i, g->chain[c], undo);
            undo += first[g->chain[c] + 1] - first[g->chain[c]];
        }
        for (size_t c = length; c-- > 0;) {
            undo -= first[g->chain[c] + 1] - first[g->chain[c]];
            few__marginal_undo(&g->values, i, g->chain[c], g->seen + g->values.base[i], undo);
        }
    }
    return gain;
}

static double time_of(const struct greedy *g, const struct few_cost *costs, size_t length)
{
    double time = 0;
    for (size_t c = 0; c < length; c++) {
        int64_t us = costs[g->chain[c]].time_us;
        time += us > 0 ? (double)us : 1;
    }
    return time;
}

// plan->gain: sums over the items.
static void place_all(struct greedy *g, const struct few_cost *costs, const struct few__static_plan *plan)
{
    for (size_t n = 0; n < g->chains.n;) {
        size_t best = SIZE_MAX;
        double best_ratio = 0;
        for (size_t m = 0; m < g->chains.n; m++) {
            if (g->placed[m]) continue;
            size_t length = few__chains_missing(&g->chains, g->placed, m, g->chain);
            double ratio = gain_of(g, length) / time_of(g, costs, length);
            if (best != SIZE_MAX && ratio <= best_ratio) continue;
            best = m;
            best_ratio = ratio;
        }
        size_t length = few__chains_missing(&g->chains, g->placed, best, g->chain);
        for (size_t c = 0; c < length; c++) {
            size_t m = g->chain[c];
            plan->order[n++] = m;
            g->placed[m] = true;
            double gain = 0;
            for (size_t i = 0; i < g->n_items; i++) gain += add(g, i, m, NULL);
            if (plan->gain) plan->gain[m] = gain / (double)(g->n_items ? g->n_items : 1);
        }
    }
}

static void count_found(const struct few__trace *trace, const size_t *items, size_t n_items, double *found)
{
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        size_t n = 0;
        for (size_t i = 0; i < n_items; i++) {
            const struct few__trace_cell *cell = few__trace_cell(trace, items[i], m);
            n += cell->outcome == FEW_EXECUTED && !cell->empty;
        }
        found[m] = n_items ? (double)n / (double)n_items : 0;
    }
}

enum few_status few__static_plan_in(struct few__arena *arena, const struct few__trace *trace,
                                    const size_t *items, size_t n_items, const struct few_cost *costs,
                                    const struct few__static_plan *plan, struct few_error *err)
{
    struct greedy g = {.n_items = n_items};
    FEW__TRY(prepare(trace, items, arena, &g, err));
    place_all(&g, costs, plan);
    if (plan->found) count_found(trace, items, n_items, plan->found);
    return FEW_OK;
}

enum few_status few__static_plan(const struct few__trace *trace, const size_t *items, size_t n_items,
                                 const struct few_cost *costs, const struct few_env *env,
                                 const struct few__static_plan *plan, struct few_error *err)
{
    struct few_env e = few__env(env);
    struct few__arena arena;
    few__arena_init(&arena, e.mem, SIZE_MAX / 2); // the trace in memory is the limit
    enum few_status status = few__static_plan_in(&arena, trace, items, n_items, costs, plan, err);
    few__arena_finish(&arena);
    return status;
}

enum few_status few__static_order(const struct few__trace *trace, const size_t *items, size_t n_items,
                                  const struct few_cost *costs, const struct few_env *env, size_t *order,
                                  struct few_error *err)
{
    return few__static_plan(trace, items, n_items, costs, env, &(struct few__static_plan){.order = order},
                            err);
}

enum few_status few__value_static(const struct few__trace *trace, const size_t *items, size_t n_items,
                                  const struct few_cost *costs, const struct few_env *env,
                                  struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    size_t n = trace->catalog.n_models;
    size_t *order = FEW__NEW_N(e.mem, size_t, n + 1);
    if (!order) return few__no_memory(err, "static order");
    enum few_status status = few__static_order(trace, items, n_items, costs, env, order, err);
    if (status == FEW_OK) status = few__value_order(order, n, "static", costs, env, value, err);
    few__free(e.mem, order);
    return status;
}
