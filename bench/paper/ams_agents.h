// SPDX-License-Identifier: Apache-2.0
// AMS's learned agents on the made-up world: trained on items that are made as they are asked for.
#ifndef FEW_BENCH_AMS_AGENTS_H
#define FEW_BENCH_AMS_AGENTS_H

#include "item/value_dqn.h"
#include "paper/ams_methods.h"
#include "train/dqn_train.h"

enum { AMS_AGENT_ITEMS = 20000 }; // train items of an agent

struct ams_agent {
    struct few__net *net;
    struct few__dqn_net meaning; // context.learned
};

/* Train an agent of a kind on AMS_AGENT_ITEMS train items of the source. theta: (AMS_MODELS,) or NULL = 1.
 * Errors: FEW_ENOMEM. End: ams_agent_finish. */
enum few_status ams_agent_train(const struct ams_world *world, const struct ams_source *source,
                                enum few__dqn_kind kind, uint64_t seed, const double *theta,
                                struct ams_agent *agent, struct few_error *err);
void ams_agent_finish(struct ams_agent *agent);

/* By kind: by value over time, and by value alone (as the paper's recall experiments do: Q-greedy). */
extern const struct ams_method ams_agent_methods[FEW__DQN_KIND_COUNT], ams_agent_greedy[FEW__DQN_KIND_COUNT];

#endif
