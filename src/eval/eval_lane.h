// SPDX-License-Identifier: Apache-2.0
/* One method that decides about the items of a trace: the scheduler and the executor that decide live, on the virtual clock. One
 * model runs after the other, or, in shared memory, side by side. */
#ifndef FEW_EVAL_EVAL_LANE_H
#define FEW_EVAL_EVAL_LANE_H

#include "eval/eval.h"
#include "item/sched_pack.h"

struct few__eval_step {
    int64_t start_us;
    size_t model;
    struct few__worth
        worth; // what it was started for: its own value over time, or that of a user that needs it
};

/* Memory that models share. Lanes are not what is scarce: there are as many as the executor can have. */
struct few__eval_room {
    uint64_t bytes;
    enum few__pack_rule rule; // of methods that pack: AMS Algorithm 2 (algorithms.md 1.6)
};

struct few__eval_lane {
    const struct few__eval *eval;
    struct few__exec *exec;
    struct few__sched sched;
    struct few__eval_said said;
    struct few__sim_truth *wish; // (n_models,) everything found
    struct few__worth *worths;   // (n_models,) of the last start of each
    bool packs;                  // nobody knows what a model was started for
    int64_t clock_us;            // of the executor, which never goes back; items follow each other
    int64_t wall_us;             // that the last item took
    size_t n_steps;
    struct few__eval_step *steps; // (n_models,) the models that the last item's replay started, in that order
};

/* Arrays lie in the arena. room: shared memory; NULL = one model after the other. lane must stay where it is until it is closed.
 * Closed also when this fails: by few__eval_lane_close, which zeros may be given to.
 * Errors: FEW_EINVAL the policy does not fit the trace; FEW_ENOMEM. */
enum few_status few__eval_lane_open(const struct few__eval *eval, const struct few__eval_method *method,
                                    const struct few__eval_room *room, struct few__eval_lane *lane,
                                    struct few_error *err);
void few__eval_lane_close(struct few__eval_lane *lane);

/* Go to an item of the trace. Errors: FEW_EPARSE a damaged output; FEW_ENOMEM. */
enum few_status few__eval_lane_item(struct few__eval_lane *lane, size_t item, struct few_error *err);

/* Replay the item: lane->steps. wished: as if every model found something, and every item had everything. */
void few__eval_lane_freely(struct few__eval_lane *lane, bool wished);

/* Replay it under a deadline, which covers decoding: what decoding took is gone when the first model can start. state: out, of
 * this item; late: models that were cut off are added. */
void few__eval_lane_deadline(struct few__eval_lane *lane, int64_t deadline_us, struct few__eval_item *state,
                             double *late);

#endif
