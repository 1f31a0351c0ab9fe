// SPDX-License-Identifier: Apache-2.0
// What a session would do, played with a virtual clock before it is done.
#ifndef FEW_SESSION_REHEARSAL_H
#define FEW_SESSION_REHEARSAL_H

#include "exec/exec_sim.h"

struct few_session;

struct few__rehearsal {
    struct few_session *session;
    struct few__sched *scheds; // (n_slots,)
    size_t n_slots;
    struct few__exec *exec;
    struct few__sim_truth *truth; // (n_models,) every model finds something in the expected time
};

/* An executor as opts say, with the models, costs and policy of the session, whose costs are known. unsure: every output
 * leaves its labels in doubt. r: ended by the caller, also on failure. Errors: FEW_EINVAL, FEW_ENOMEM. */
enum few_status few__rehearsal_begin(struct few_session *s, const struct few__exec_opts *opts, bool unsure,
                                     struct few__rehearsal *r, struct few_error *err);
void few__rehearsal_end(struct few__rehearsal *r);

/* rank: (n_models,) out, the order in which the policy would run everything. Errors: FEW_EINVAL, FEW_ENOMEM. */
enum few_status few__session_rank(struct few_session *s, size_t *rank, struct few_error *err);

#endif
