// SPDX-License-Identifier: Apache-2.0
/* What a method does on the items of a trace, one model after the other, decided by the scheduler and the executor that decide
 * live, on the virtual clock.
 *
 * Without a price an item gives one sequence of steps. Where value over time ranks, a method with a price does the same up
 * to the first step that is not worth it: so one replay serves all prices. */
#ifndef FEW_POLICY_METHOD_REPLAY_H
#define FEW_POLICY_METHOD_REPLAY_H

#include "item/sched_deadline.h"
#include "item/value.h"
#include "store/trace.h"

struct few__replay;

struct few__replay_step {
    size_t model;
    struct few__worth worth; // what it was started for: its own, or that of a user that needs it
    double gain;             // value that it added
    double time_us;          // that it took
};

/* What happened on one item. */
struct few__replay_item {
    size_t n_steps;
    const struct few__replay_step *steps; // (n_steps,) valid until the next item
    double value, time_us;                // of running everything
};

struct few__replay_opts {
    const struct few__trace *trace; // borrowed
    const struct few_cost *costs;   // (n_models,) as the scheduler sees them
    bool outputs;                   // the value function looks at view->outputs: the trace has them
};

/* value: taken over, also on failure. Errors: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__replay_create(const struct few__replay_opts *opts, struct few__value value,
                                   enum few__rank rank, const struct few_env *env, struct few__replay **out,
                                   struct few_error *err);
void few__replay_destroy(struct few__replay *replay);

/* Replay a row of the trace. Cost: O(n_models^2) beside what the value function takes.
 * Errors: FEW_EPARSE a damaged output; FEW_ENOMEM (a larger item than all before). */
enum few_status few__replay_run(struct few__replay *replay, size_t item, struct few__replay_item *out,
                                struct few_error *err);

/* The same where the steps are those that the method takes if every model finds something: of a method whose order does not
 * depend on what models say, the order. A step out of the item's reach adds nothing and takes no time. */
void few__replay_wish(struct few__replay *replay, size_t item, struct few__replay_item *out);

/* A replay needs the truth: every model ran, failed, or had nothing to look at. The first model of the item that did not, or
 * n_models. */
size_t few__replay_gap(const struct few__trace *trace, size_t item);

#endif
