// SPDX-License-Identifier: Apache-2.0
/* AMS Algorithm 1 (TKDD 2022, section 4; algorithms.md 1.5): among the models that still fit before the
 * deadline start the one with the largest value over time; after each completion ask the value function
 * again. A model whose need has not run yet is charged with its whole chain, and the chain's first model is
 * started. */
#ifndef FEW_ITEM_SCHED_DEADLINE_H
#define FEW_ITEM_SCHED_DEADLINE_H

#include "exec/view.h"
#include "item/value.h"

enum few__negative {        // what models of value <= 0 are worth
    FEW__NEGATIVE_FAITHFUL, // rank by q / time like the others (the paper)
    FEW__NEGATIVE_STOP,     // stop when every value is <= 0
    FEW__NEGATIVE_PRODUCT,  // rank them by q * time: short ones first
};

struct few__sched_deadline;

/* value is taken over (destroyed with the scheduler, also on failure). choose takes O(n_models) and
 * allocates nothing.
 * Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__sched_deadline_create(const struct few_catalog *catalog, struct few__value value,
                                           enum few__negative negative, const struct few_env *env,
                                           struct few__sched_deadline **sched, struct few_error *err);
void few__sched_deadline_destroy(struct few__sched_deadline *sched);
struct few__chooser few__sched_deadline_chooser(struct few__sched_deadline *sched);

#endif
