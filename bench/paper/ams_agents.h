// SPDX-License-Identifier: Apache-2.0
// AMS's learned agents on the made-up world: trained on items that are made as they are asked for.
#ifndef FEW_BENCH_AMS_AGENTS_H
#define FEW_BENCH_AMS_AGENTS_H

#include "item/value_dqn.h"
#include "paper/ams_methods.h"
#include "train/dqn_train.h"

enum {
    AMS_AGENT_ITEMS = 20000, // train items that an agent learns from
    AMS_AGENT_CHECKS = 400,  // further train items that choose the best net of a training
    AMS_AGENT_STEPS = 60000, // models run, each followed by an update
};

struct ams_agent_opts {
    enum few__dqn_kind kind;
    uint64_t seed;
    enum few__reward reward;
    const double *theta; // (AMS_MODELS,) priorities, or NULL = 1
    uint64_t steps;      // 0 = AMS_AGENT_STEPS
};

struct ams_agent {
    struct few__net *net;
    struct few__dqn_net meaning; // context.learned
};

/* Train an agent on train items of the source. Errors: FEW_ENOMEM. End: ams_agent_finish. */
enum few_status ams_agent_train(const struct ams_world *world, const struct ams_source *source,
                                const struct ams_agent_opts *opts, struct ams_agent *agent,
                                struct few_error *err);
void ams_agent_finish(struct ams_agent *agent);

/* By kind: value over time, those of zero or less by value times time; and by value alone (Q-greedy). */
extern const struct ams_method ams_agent_methods[FEW__DQN_KIND_COUNT], ams_agent_greedy[FEW__DQN_KIND_COUNT];

/* A Dueling agent whose reward is the value itself. */
extern const struct ams_method ams_agent_of_sums;

/* As the first, but value over time whatever the sign, which is what the paper prints. */
extern const struct ams_method ams_agent_printed;

#endif
