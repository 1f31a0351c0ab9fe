// SPDX-License-Identifier: Apache-2.0
/* What each model says on items of a trace, laid out for asking what it would add (AMS 1.2: the value of a set of models is
 * the sum over distinct valuable labels of the highest confidence). One float for each label that occurs on an item, not items
 * x labels: an item's labels have slots 0 .. n_slots[i] - 1 there, and entries of item i, model m are
 * entries[first[i * n_models + m] .. first[i * n_models + m + 1] - 1]. */
#ifndef FEW_ITEM_MARGINALS_H
#define FEW_ITEM_MARGINALS_H

#include "store/trace.h"

struct few__marginal_entry {
    uint32_t slot;
    float confidence;
};

struct few__marginals {
    size_t n_items, n_models;
    size_t *first;                       // (n_items * n_models + 1,)
    struct few__marginal_entry *entries; // (first[n_items * n_models],)
    size_t *base;    // (n_items + 1,) slots of all items before: base[i + 1] - base[i] is n_slots[i]
    int32_t *labels; // (base[n_items],) label of each slot
    size_t most_entries, most_slots; // of one item
    double *whole;                   // (n_items,) value of all models
};

/* Of items[0 .. n_items - 1], in the arena. Cells that were not executed have no entries. O(labels that occur).
 * Errors: FEW_EINVAL an item or a label that the trace does not have; FEW_ELIMIT more than UINT32_MAX entries; FEW_ENOMEM. */
enum few_status few__marginals_create(const struct few__trace *trace, const size_t *items, size_t n_items,
                                      struct few__arena *arena, struct few__marginals *marginals,
                                      struct few_error *err);

/* What the model adds on item i to what is seen, and makes seen. seen: (slots of the item,); undo: (entries of the model,) out
 * for few__marginal_undo, or NULL. */
double few__marginal_add(const struct few__marginals *marginals, size_t i, size_t model, float *seen,
                         float *undo);

/* Takes back the last addition that was not taken back. */
void few__marginal_undo(const struct few__marginals *marginals, size_t i, size_t model, float *seen,
                        const float *undo);

/* What the model would add; nothing changes. For cells that say each label once, as few__valuable does. */
double few__marginal(const struct few__marginals *marginals, size_t i, size_t model, const float *seen);

#endif
