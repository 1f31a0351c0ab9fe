// SPDX-License-Identifier: Apache-2.0
/* How fast a value function finds what there is to find: the measure for early stopping. Items of a trace are replayed by
 * the scheduler and the executor that decide live; each stops when the truth says that a recall is reached, as `fewer
 * eval` does (docs/evaluate.md). */
#ifndef FEW_TRAIN_RECALL_TIME_H
#define FEW_TRAIN_RECALL_TIME_H

#include "item/sched_deadline.h"

enum { FEW__RECALL_LEVELS_MAX = 16 };

struct few__recall_time;

/* trace, items and costs (n_models,) are borrowed; value is taken over, also on failure. levels: (n_levels,) in (0, 1].
 * Errors: FEW_EINVAL no item, an item that the trace does not have, a level out of range, needs in a circle; FEW_ELIMIT more
 * than FEW__RECALL_LEVELS_MAX levels; FEW_ENOMEM. */
enum few_status few__recall_time_create(const struct few__trace *trace, const size_t *items, size_t n_items,
                                        const struct few_cost *costs, const double *levels, size_t n_levels,
                                        struct few__value value, enum few__rank rank,
                                        const struct few_env *env, struct few__recall_time **out,
                                        struct few_error *err);
void few__recall_time_destroy(struct few__recall_time *r);

/* The value function as it is now: time until a level is reached as a share of the time of everything, over all items;
 * ratio: (n_levels,) out, or NULL. Returns their mean. */
double few__recall_time(struct few__recall_time *r, double *ratio);

#endif
