// SPDX-License-Identifier: Apache-2.0
/* Which items of a trace are learned from, and how they are held out from one another. */
#ifndef FEW_TRAIN_SPLIT_H
#define FEW_TRAIN_SPLIT_H

#include "store/trace.h"

/* What is alike is one unit: an item, or the moments of ten seconds of a stream. A unit is held out as a whole. */
struct few__split {
    size_t n_items;
    size_t *items;   // (n_items,) rows of the trace, rising
    size_t *unit_of; // (n_items,)
    size_t n_units;
    size_t n_gaps; // items left out because a model neither ran nor failed there
};

/* Items whose bucket is below `split` (1 .. 100) and whose file names begin with `source` ("" = any). Arrays lie in the arena.
 * Errors: FEW_EINVAL there are none (the message says why); FEW_ENOMEM. */
enum few_status few__split_create(const struct few__trace *trace, int split, const char *source,
                                  struct few__arena *arena, struct few__split *out, struct few_error *err);

/* Each unit in one of n_folds, at random and evenly: fold_of (n_items,) out. units: (n_units,) scratch. */
void few__split_folds(const struct few__split *split, size_t n_folds, uint64_t seed, size_t *units,
                      size_t *fold_of);

#endif
