// SPDX-License-Identifier: Apache-2.0
/* How much value any schedule can have on one item whose truth is known, and how much a simple one has: density greedy
 * with the best single repair, whose certificate value / bound holds item by item (algorithms.md 1.7, 5.3). */
#ifndef FEW_ITEM_BOUND_H
#define FEW_ITEM_BOUND_H

#include "exec/exec_sim.h"

struct few__bounder;

struct few__bound {
    double value; // of the greedy schedule
    double bound; // of no schedule more than this
    double
        relaxed; // AMS's optimal*: the last model may run in part. Only a bound where no two models share a label
    int64_t wall_us; // until the last model of the greedy schedule ends
    bool repaired;   // the greedy set was worth less than one model with its needs, which is taken instead
    const bool *in;  // (n_models,) the greedy schedule; valid until the next call
};

/* Scratch for any number of items. Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__bounder_create(const struct few_catalog *catalog, const struct few_env *env,
                                    struct few__bounder **bounder, struct few_error *err);
void few__bounder_destroy(struct few__bounder *bounder);

/* truth: (n_models,); valuable counts where the result is OK.
 * costs: (n_models,) memory_bytes counts, as long as a model runs; not read without a limit of memory.
 * budget_us: time from the start; memory_bytes: shared by models in parallel, FEW__NO_BUDGET = one after the other.
 * O(n_models^2 (labels of a model + log n_models)); allocates nothing. */
struct few__bound few__bound_item(struct few__bounder *bounder, const struct few__sim_truth *truth,
                                  const struct few_cost *costs, int64_t budget_us, uint64_t memory_bytes);

#endif
