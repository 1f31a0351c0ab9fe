// SPDX-License-Identifier: Apache-2.0
// A policy as a session uses it.
#ifndef FEW_POLICY_POLICY_H
#define FEW_POLICY_POLICY_H

#include <fewer/policy.h>

#include "item/sched.h"

/* Costs that the policy was learned with: cost.time_us > 0 where it knows a model. (n_models,), or NULL. */
const struct few_cost *few__policy_costs(const struct few_policy *policy);

/* SHA-256 of the trace that it was learned from, or of its rules; "" = none. */
const char *few__policy_digest(const struct few_policy *policy);

/* Whether it is run_all. */
bool few__policy_runs_all(const struct few_policy *policy);

/* Whether it is explore_exploit, and with what: see few__explore_opts. */
bool few__policy_explores(const struct few_policy *policy, size_t *first, double *keep);

/* A scheduler for one item in flight.
 *
 * costs  (n_models,) expected, borrowed until the scheduler is destroyed
 * packs  models share several lanes, or memory; false: they run one after another
 * sched  out, owned: few__sched_destroy; empty on failure
 * Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__policy_scheduler(const struct few_policy *policy, const struct few_cost *costs,
                                      bool packs, struct few__sched *sched, struct few_error *err);

#endif
