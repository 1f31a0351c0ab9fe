// SPDX-License-Identifier: Apache-2.0
// A policy as a session uses it.
#ifndef FEW_SESSION_POLICY_H
#define FEW_SESSION_POLICY_H

#include <fewer/policy.h>

#include "item/sched_deadline.h"

/* Costs that the policy was learned with: cost.time_us > 0 where it knows a model. (n_models,), or NULL. */
const struct few_cost *few__policy_costs(const struct few_policy *policy);

/* A scheduler for one session. costs: (n_models,) expected, borrowed until the scheduler is destroyed.
 * Errors: FEW_ENOMEM. */
enum few_status few__policy_scheduler(const struct few_policy *policy, const struct few_cost *costs,
                                      struct few__sched_deadline **sched, struct few_error *err);

#endif
