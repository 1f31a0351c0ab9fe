// SPDX-License-Identifier: Apache-2.0
#include "item/marginals.h"

#include <string.h>

#include "core/error.h"

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

static enum few_status count_entries(const struct few__trace *trace, const size_t *items,
                                     struct few__marginals *g, struct few_error *err)
{
    size_t n = 0, k = 0;
    for (size_t i = 0; i < g->n_items; i++) {
        size_t before = n;
        if (items[i] >= trace->n_items)
            return few__fail(err, FEW_EINVAL, "item %zu of a trace of %zu", items[i], trace->n_items);
        for (size_t m = 0; m < g->n_models; m++) {
            const struct few__trace_cell *cell = few__trace_cell(trace, items[i], m);
            FEW__TRY(check_cell(trace, cell, err));
            g->first[k++] = n;
            n += n_valuable(cell);
        }
        if (n - before > g->most_entries) g->most_entries = n - before;
    }
    g->first[k] = n;
    if (n <= UINT32_MAX) return FEW_OK;
    return few__fail(err, FEW_ELIMIT, "%zu valuable labels in a trace, expected at most %u", n, UINT32_MAX);
}

/* slot_of: (n_labels,) zero; 1 + the slot of a label, counted over all items, so that it needs no clearing. g->labels has room for
 * a slot for each entry. */
static void fill_entries(const struct few__trace *trace, const size_t *items, struct few__marginals *g,
                         uint32_t *slot_of)
{
    uint32_t n_slots = 0;
    struct few__marginal_entry *entry = g->entries;
    for (size_t i = 0; i < g->n_items; i++) {
        uint32_t base = n_slots;
        g->base[i] = base;
        for (size_t m = 0; m < g->n_models; m++) {
            const struct few__trace_cell *cell = few__trace_cell(trace, items[i], m);
            for (size_t v = 0; v < n_valuable(cell); v++) {
                int32_t label = cell->valuable[v].label;
                if (slot_of[label] <= base) {
                    g->labels[n_slots] = label;
                    slot_of[label] = ++n_slots;
                }
                *entry++ =
                    (struct few__marginal_entry){slot_of[label] - 1 - base, cell->valuable[v].confidence};
            }
        }
        if (n_slots - base > g->most_slots) g->most_slots = n_slots - base;
    }
    g->base[g->n_items] = n_slots;
}

// seen: (most_slots,)
static void measure_wholes(struct few__marginals *g, float *seen)
{
    for (size_t i = 0; i < g->n_items; i++) {
        memset(seen, 0, (g->base[i + 1] - g->base[i]) * sizeof *seen);
        g->whole[i] = 0;
        for (size_t m = 0; m < g->n_models; m++) g->whole[i] += few__marginal_add(g, i, m, seen, NULL);
    }
}

enum few_status few__marginals_create(const struct few__trace *trace, const size_t *items, size_t n_items,
                                      struct few__arena *arena, struct few__marginals *marginals,
                                      struct few_error *err)
{
    size_t n_models = trace->catalog.n_models;
    *marginals = (struct few__marginals){.n_items = n_items, .n_models = n_models};
    if (n_models && n_items > (SIZE_MAX - 1) / n_models) return few__no_memory(err, "values of the models");
    marginals->first = FEW__ARENA_NEW(arena, size_t, n_items * n_models + 1);
    marginals->base = FEW__ARENA_NEW(arena, size_t, n_items + 1);
    marginals->whole = FEW__ARENA_NEW(arena, double, n_items);
    uint32_t *slot_of = FEW__ARENA_NEW(arena, uint32_t, trace->catalog.n_labels);
    if (!marginals->first || !marginals->base || !marginals->whole || !slot_of)
        return few__no_memory(err, "values of the models");
    FEW__TRY(count_entries(trace, items, marginals, err));
    marginals->entries =
        FEW__ARENA_NEW(arena, struct few__marginal_entry, marginals->first[n_items * n_models]);
    marginals->labels = FEW__ARENA_NEW(arena, int32_t, marginals->first[n_items * n_models]);
    if (!marginals->entries || !marginals->labels) return few__no_memory(err, "values of the models");
    fill_entries(trace, items, marginals, slot_of);
    float *seen = FEW__ARENA_NEW(arena, float, marginals->most_slots);
    if (!seen) return few__no_memory(err, "values of the models");
    measure_wholes(marginals, seen);
    return FEW_OK;
}

double few__marginal_add(const struct few__marginals *g, size_t i, size_t model, float *seen, float *undo)
{
    size_t at = i * g->n_models + model;
    double gain = 0;
    for (size_t k = g->first[at]; k < g->first[at + 1]; k++) {
        float *best = &seen[g->entries[k].slot];
        if (undo) *undo++ = *best;
        if (!(g->entries[k].confidence > *best)) continue;
        gain += (double)g->entries[k].confidence - (double)*best;
        *best = g->entries[k].confidence;
    }
    return gain;
}

// Backwards, so that a label that came twice gets its first value back.
void few__marginal_undo(const struct few__marginals *g, size_t i, size_t model, float *seen,
                        const float *undo)
{
    size_t at = i * g->n_models + model;
    for (size_t k = g->first[at + 1]; k > g->first[at]; k--)
        seen[g->entries[k - 1].slot] = undo[k - 1 - g->first[at]];
}

double few__marginal(const struct few__marginals *g, size_t i, size_t model, const float *seen)
{
    size_t at = i * g->n_models + model;
    double gain = 0;
    for (size_t k = g->first[at]; k < g->first[at + 1]; k++) {
        const struct few__marginal_entry *entry = &g->entries[k];
        double more = (double)entry->confidence - (double)seen[entry->slot];
        if (more > 0) gain += more;
    }
    return gain;
}
