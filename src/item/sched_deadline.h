// SPDX-License-Identifier: Apache-2.0
/* AMS Algorithm 1 (TKDD 2022, section 4; algorithms.md 1.5): among the models that still fit before the
 * deadline start the one with the largest value over time; after each completion ask the value function
 * again. A model whose need has not run yet is charged with its whole chain, and the chain's first model is
 * started. With several lanes it is asked until they are full. */
#ifndef FEW_ITEM_SCHED_DEADLINE_H
#define FEW_ITEM_SCHED_DEADLINE_H

#include "item/sched.h"
#include "item/value.h"

enum few__rank {       // which model comes first, and what values <= 0 are worth
    FEW__RANK_RATIO,   // by q / time, whatever the sign (cost-Q greedy: the paper)
    FEW__RANK_STOP,    // the same; stop when every value is <= 0
    FEW__RANK_PRODUCT, // those of q <= 0 behind the others, by q * time: short ones first
    FEW__RANK_VALUE,   // by q, whatever the time (Q-greedy: the paper's baseline)
};

/* value is taken over (destroyed with the scheduler, also on failure). choose takes O(n_models) and
 * allocates nothing. Its wish is what has to be loaded first for the model of the highest rank that would fit
 * if everything were loaded.
 * Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__sched_deadline_create(const struct few_catalog *catalog, struct few__value value,
                                           enum few__rank rank, const struct few_env *env,
                                           struct few__sched *sched, struct few_error *err);

/* Start towards nothing whose value over time (of its chain, in value per microsecond) is below price; as created:
 * -INFINITY, nothing is too dear. That is how a policy stops by itself: what is left is not worth its time. Time is what models
 * take alone, so that what runs beside them changes nothing. Values are worth something then: reasons tell them. */
void few__sched_deadline_price(struct few__sched *sched, double price);

/* From now on one model of the item at a time, and what runs beside it does not count: what is chosen is the same on any
 * number of lanes, which other items keep busy. */
void few__sched_deadline_in_turn(struct few__sched *sched);

/* What the last choose that answered START started towards: its value and expected time, with what it needs. It starts
 * unless value < price * time_us. */
struct few__worth {
    double value;
    int64_t time_us;
};
struct few__worth few__sched_deadline_worth(const struct few__sched *sched);

#endif
