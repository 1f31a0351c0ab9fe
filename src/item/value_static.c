// SPDX-License-Identifier: Apache-2.0
/* static: one order for all items, greedy by mean marginal value over time on a trace. No paper shows it; it
 * is what a learned scheduler has to beat.
 *
 * The value of a set of models on an item is the sum over distinct valuable labels of the highest confidence.
 * Labels of an item are numbered among themselves (slots), so that what has been seen costs one float for
 * each label that occurs, not items x labels:
 *     entries of item i, model m:  entries[first[i * n_models + m] .. first[i * n_models + m + 1] - 1]
 * Invariant: seen[slot] is the highest confidence that the models placed so far gave that label on that item.
 * */
#include <assert.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/chain.h"
#include "item/value.h"

struct entry {
    uint32_t slot; // of (item, label)
    float confidence;
};

struct greedy {
    struct few__arena *arena; // holds everything below
    struct few__chains chains;
    size_t n_items;
    size_t *first;         // (n_items * n_models + 1,)
    struct entry *entries; // (first[n_items * n_models],)
    float *seen;           // (n_slots,)
    float *before;         // (entries of one item,) what a tried chain has overwritten
    bool *placed;          // (n_models,)
    size_t *chain;         // (n_models,) scratch: a model and its needs not yet placed, needs first
};

static size_t n_valuable(const struct few__trace_cell *cell)
{
    return cell->outcome == FEW_EXECUTED && !cell->empty ? cell->n_valuable : 0;
}

static enum few_status check_cell(const struct few__trace *trace, const struct few__trace_cell *cell,
                                  struct few_error *err)
{
    for (size_t i = 0; i < n_valuable(cell); i++) {
        int32_t label = cell->valuable[i].label;
        if (label < 0 || (size_t)label >= trace->catalog.n_labels)
            return few__fail(err, FEW_EINVAL, "label %d of the trace, expected 0 .. %zu", (int)label,
                             trace->catalog.n_labels);
    }
    return FEW_OK;
}

static enum few_status count_entries(const struct few__trace *trace, const size_t *items, struct greedy *g,
                                     size_t *most, struct few_error *err)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < g->n_items; i++) {
        size_t before = n;
        if (items[i] >= trace->n_items)
            return few__fail(err, FEW_EINVAL, "item %zu of a trace of %zu", items[i], trace->n_items);
        for (size_t m = 0; m < g->chains.n; m++) {
            const struct few__trace_cell *cell = few__trace_cell(trace, items[i], m);
            FEW__TRY(check_cell(trace, cell, err));
            g->first[k++] = n;
            n += n_valuable(cell);
        }
        if (n - before > *most) *most = n - before;
    }
    g->first[k] = n;
    if (n > UINT32_MAX)
        return few__fail(err, FEW_ELIMIT, "%zu valuable labels in a trace, expected at most %u", n,
                         UINT32_MAX);
    return FEW_OK;
}

// slot_of: (n_labels,) zero; slot + 1 of a label on the item at hand. Returns the number of slots.
static size_t fill_entries(const struct few__trace *trace, const size_t *items, struct greedy *g,
                           uint32_t *slot_of)
{
    uint32_t n_slots = 0;
    struct entry *entry = g->entries;
    for (size_t i = 0; i < g->n_items; i++) {
        uint32_t base = n_slots;
        for (size_t m = 0; m < g->chains.n; m++) {
            const struct few__trace_cell *cell = few__trace_cell(trace, items[i], m);
            for (size_t v = 0; v < n_valuable(cell); v++) {
                int32_t label = cell->valuable[v].label;
                // A slot number from an item before is below `base`, so slot_of needs no clearing.
                if (slot_of[label] <= base) slot_of[label] = ++n_slots;
                *entry++ = (struct entry){slot_of[label] - 1, cell->valuable[v].confidence};
            }
        }
    }
    return n_slots;
}

static enum few_status prepare(const struct few__trace *trace, const size_t *items, struct greedy *g,
                               struct few_error *err)
{
    FEW__TRY(few__chains_build(&trace->catalog, g->arena, &g->chains, err));
    size_t n = g->chains.n, most = 0;
    if (n && g->n_items > (SIZE_MAX - 1) / n) return few__no_memory(err, "static order");
    g->first = FEW__ARENA_NEW(g->arena, size_t, g->n_items * n + 1);
    g->placed = FEW__ARENA_NEW(g->arena, bool, n);
    g->chain = FEW__ARENA_NEW(g->arena, size_t, n);
    uint32_t *slot_of = FEW__ARENA_NEW(g->arena, uint32_t, trace->catalog.n_labels);
    if (!g->first || !g->placed || !g->chain || !slot_of) return few__no_memory(err, "static order");
    FEW__TRY(count_entries(trace, items, g, &most, err));
    g->entries = FEW__ARENA_NEW(g->arena, struct entry, g->first[g->n_items * n]);
    g->before = FEW__ARENA_NEW(g->arena, float, most);
    if (!g->entries || !g->before) return few__no_memory(err, "static order");
    g->seen = FEW__ARENA_NEW(g->arena, float, fill_entries(trace, items, g, slot_of));
    return g->seen ? FEW_OK : few__no_memory(err, "static order");
}

// What one model adds on one item to what is seen, and makes seen. undo: (its entries,) out, or NULL.
static double add(struct greedy *g, size_t item, size_t model, float *undo)
{
    size_t at = item * g->chains.n + model;
    double gain = 0;
    for (size_t k = g->first[at]; k < g->first[at + 1]; k++) {
        float *seen = &g->seen[g->entries[k].slot];
        if (undo) *undo++ = *seen;
        if (!(g->entries[k].confidence > *seen)) continue;
        gain += (double)g->entries[k].confidence - (double)*seen;
        *seen = g->entries[k].confidence;
    }
    return gain;
}

// Backwards, so that a label that came twice gets its first value back.
static void take_back(struct greedy *g, size_t item, size_t model, const float *undo)
{
    size_t at = item * g->chains.n + model;
    assert(undo);
    for (size_t k = g->first[at + 1]; k > g->first[at]; k--)
        g->seen[g->entries[k - 1].slot] = undo[k - 1 - g->first[at]];
}

static double gain_of(struct greedy *g, size_t length)
{
    double gain = 0;
    for (size_t i = 0; i < g->n_items; i++) {
        const size_t *first = &g->first[i * g->chains.n];
        float *undo = g->before;
        for (size_t c = 0; c < length; c++) {
            gain += add(g, i, g->chain[c], undo);
            undo += first[g->chain[c] + 1] - first[g->chain[c]];
        }
        for (size_t c = length; c-- > 0;) {
            undo -= first[g->chain[c] + 1] - first[g->chain[c]];
            take_back(g, i, g->chain[c], undo);
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
    struct greedy g = {.arena = arena, .n_items = n_items};
    FEW__TRY(prepare(trace, items, &g, err));
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
