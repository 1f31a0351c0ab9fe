// SPDX-License-Identifier: Apache-2.0
// A trace in memory built by hand, and replays of it.
#ifndef FEW_TESTS_TRACE_WORLD_H
#define FEW_TESTS_TRACE_WORLD_H

#include "exec/world.h"

#include "item/sched_deadline.h"
#include "item/value.h"

struct t_trace {
    struct few__trace trace;
    struct t_world world; // catalog and costs
    struct few_valuable *valuable;
};

/* n_items on which every model of the world ran and said nothing. End: t_trace_finish. The catalog of the
 * trace is the world's, so what is done to world.models counts. */
void t_trace_init(struct t_trace *t, size_t n_models, size_t n_items);
void t_trace_finish(struct t_trace *t);

/* One more valuable label of a cell. */
void t_trace_says(struct t_trace *t, size_t item, size_t model, int32_t label, float confidence);

/* The model ran and found nothing: what it says is taken back. */
void t_trace_empty(struct t_trace *t, size_t item, size_t model);

/* Labels at random on every item and needs at random among the models; a user whose need is empty was not
 * run. */
void t_trace_random(struct t_trace *t, struct few__rng *rng);

/* Truth of one item for few__sim_item, in t->world.truth. */
const struct few__sim_truth *t_trace_truth(struct t_trace *t, size_t item);

/* Replay an item under a value function; the log is checked. order: (n_models,) out, models in the order of
 * start; returns how many. value is not destroyed. */
size_t t_replay(struct t_trace *t, struct few__value value, enum few__rank rank, size_t item,
                int64_t deadline_us, size_t *order);

/* The same without a deadline, starting nothing whose value over time is below price. */
size_t t_replay_price(struct t_trace *t, struct few__value value, enum few__rank rank, double price,
                      size_t *order);

/* The same on another item than 0. */
size_t t_replay_price_on(struct t_trace *t, struct few__value value, enum few__rank rank, double price,
                         size_t item, size_t *order);

/* Value of a set of models on an item, straight from the definition. in: (n_models,). */
double t_set_value(const struct t_trace *t, size_t item, const bool *in);

#endif
