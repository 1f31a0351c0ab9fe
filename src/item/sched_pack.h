// SPDX-License-Identifier: Apache-2.0
/* AMS Algorithm 2 (TKDD 2022, section 4; algorithms.md 1.6): models in parallel within shared memory before the deadline.
 *
 * Faithful: the printed listing, its omissions decided as in docs/pack.md. Improved: at each decision several ways to fill
 * the rest of the time are tried out with expected times and present values (the faithful one among them), and the
 * best one's next step is taken, so that no block is wasted. */
#ifndef FEW_ITEM_SCHED_PACK_H
#define FEW_ITEM_SCHED_PACK_H

#include "item/sched.h"
#include "item/value.h"

enum few__pack_rule { FEW__PACK_FAITHFUL, FEW__PACK_IMPROVED };

/* value is taken over (destroyed with the scheduler, also on failure). Where memory has no limit, lanes are the resource
 * that is packed. choose allocates nothing.
 * Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__sched_pack_create(const struct few_catalog *catalog, struct few__value value,
                                       enum few__pack_rule rule, const struct few_env *env,
                                       struct few__sched *sched, struct few_error *err);

/* As few__sched_deadline_price: nothing is planned or started whose value over time, alone, of its chain, is below price. */
void few__sched_pack_price(struct few__sched *sched, double price);

#endif
