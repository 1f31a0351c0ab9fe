// SPDX-License-Identifier: Apache-2.0
/* The forest of needs, laid out so that a need comes before its users and the users of a model, direct and
 * not, are one run of the order. */
#ifndef FEW_EXEC_CHAIN_H
#define FEW_EXEC_CHAIN_H

#include <fewer/model.h>

#include "core/mem.h"

struct few__chains {
    size_t n;
    size_t *order; // (n,) models, a need before its users; roots and siblings by rising index
    size_t *place; // (n,) order[place[m]] is m
    size_t *end;   // (n,) the users of m are order[place[m] + 1 .. end[m] - 1]
    int *needs;    // (n,) as in the catalog
};

/* Everything in the arena. O(n_models).
 * Errors: FEW_EINVAL a need that does not exist, or a circle; FEW_ELIMIT more than FEW_MODELS_MAX models;
 * FEW_ENOMEM. */
enum few_status few__chains_build(const struct few_catalog *catalog, struct few__arena *arena,
                                  struct few__chains *chains, struct few_error *err);

/* The model and those of its needs that are not in a set, needs first: what has to be taken for it. have: (n,), not of the
 * model. missing: (n,) room, out. Returns how many. */
size_t few__chains_missing(const struct few__chains *chains, const bool *have, size_t model, size_t *missing);

#endif
