// SPDX-License-Identifier: Apache-2.0
// A policy as a session uses it.
#ifndef FEW_POLICY_POLICY_H
#define FEW_POLICY_POLICY_H

#include <fewer/policy.h>

#include "item/sched.h"

/* Costs that the policy was learned with: cost.time_us > 0 where it knows a model. (n_models,), or NULL. */
const struct few_cost *few__policy_costs(const struct few_policy *policy);

/* SHA-256 of the file that decides: the trace that it was learned from, its rules, or the policy; "" = none. */
const char *few__policy_digest(const struct few_policy *policy);

/* Whether it is run_all. */
bool few__policy_runs_all(const struct few_policy *policy);

/* Whether it is explore_exploit, and with what: see few__explore_opts. */
bool few__policy_explores(const struct few_policy *policy, size_t *first, double *keep);

/* The recall that few_policy_stop asked for; 0 = none. */
double few__policy_recall(const struct few_policy *policy);

enum few__way {        // how models of an item run
    FEW__ONE_LANE,     // one after another: there is nothing else
    FEW__SIDE_BY_SIDE, // they share several lanes, or memory
    FEW__IN_TURN, // they do, but there is no deadline, and other items keep the lanes busy: one after another is as quick
};

/* A scheduler for one item in flight.
 *
 * costs  (n_models,) expected, borrowed until the scheduler is destroyed
 * sched  out, owned: few__sched_destroy; empty on failure
 * Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__policy_scheduler(const struct few_policy *policy, const struct few_cost *costs,
                                      enum few__way way, struct few__sched *sched, struct few_error *err);

#endif
