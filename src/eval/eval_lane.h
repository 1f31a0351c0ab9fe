// SPDX-License-Identifier: Apache-2.0
/* One method that decides about the items of a trace, one model after the other: the scheduler and the executor that decide
 * live, on a lane of the virtual clock. */
#ifndef FEW_EVAL_EVAL_LANE_H
#define FEW_EVAL_EVAL_LANE_H

#include "eval/eval.h"

struct few__eval_step {
    int64_t start_us;
    size_t model;
    struct few__worth
        worth; // what it was started for: its own value over time, or that of a user that needs it
};

struct few__eval_lane {
    const struct few__eval *eval;
    struct few__exec *exec;
    struct few__sched sched;
    struct few__eval_said said;
    struct few__sim_truth *wish; // (n_models,) everything found
    struct few__worth *worths;   // (n_models,) of the last start of each
    int64_t clock_us;            // of the executor, which never goes back; items follow each other
    size_t n_steps;
    struct few__eval_step *steps; // (n_models,) the models that the last item's replay started, in that order
};

/* Arrays lie in the arena. lane must stay where it is until it is closed. Closed also when this fails: by
 * few__eval_lane_close, which zeros may be given to.
 * Errors: FEW_EINVAL the policy does not fit the trace; FEW_ENOMEM. */
enum few_status few__eval_lane_open(const struct few__eval *eval, const struct few__eval_method *method,
                                    struct few__eval_lane *lane, struct few_error *err);
void few__eval_lane_close(struct few__eval_lane *lane);

/* Go to an item of the trace. Errors: FEW_EPARSE a damaged output; FEW_ENOMEM. */
enum few_status few__eval_lane_item(struct few__eval_lane *lane, size_t item, struct few_error *err);

/* Replay the item: lane->steps. wished: as if every model found something, and every item had everything. */
void few__eval_lane_freely(struct few__eval_lane *lane, bool wished);

/* Replay it under a deadline, from now. Rows of the executor: until the next replay. */
const struct few__exec_row *few__eval_lane_deadline(struct few__eval_lane *lane, int64_t deadline_us);

#endif
