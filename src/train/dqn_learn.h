// SPDX-License-Identifier: Apache-2.0
/* One update of a Q-network: targets of a batch of transitions, and a step towards them. AMS names four ways and cites them
 * (TKDD 2022; algorithms.md 1.4). y = r where the episode ended, else, with Q' a copy of the net that is synchronised now
 * and then (Mnih et al. 2015), over the actions b that may be taken afterwards:
 *     DQN         r + gamma max_b Q'(s', b)
 *     Double      r + gamma Q'(s', argmax_b Q(s', b))             van Hasselt et al. 2016
 *     Dueling     as DQN (or Double), with Q = V + A - mean(A)    Wang et al. 2016
 *     Deep SARSA  r + gamma Q'(s', a'), a' the action that was taken then */
#ifndef FEW_TRAIN_DQN_LEARN_H
#define FEW_TRAIN_DQN_LEARN_H

#include "nn/optim.h"
#include "nn/single.h"
#include "train/replay_memory.h"

enum few__dqn_kind { FEW__DQN, FEW__DOUBLE_DQN, FEW__DUELING_DQN, FEW__DEEP_SARSA, FEW__DQN_KIND_COUNT };

/* "dqn", "double_dqn", "dueling_dqn", "deep_sarsa". */
const char *few__dqn_kind_name(enum few__dqn_kind kind);

enum { FEW__DQN_HIDDEN_MAX = 4096, FEW__DQN_BATCH_MAX = 4096 };

struct few__dqn_learn_opts {
    enum few__dqn_kind kind;
    bool dueling_double; // Dueling has Double's target
    size_t hidden;       // units, 1 .. FEW__DQN_HIDDEN_MAX; AMS has 256
    size_t batch;        // transitions of an update, 1 .. FEW__DQN_BATCH_MAX
    size_t sync;         // updates from one synchronisation of Q' to the next, > 0
    double
        gamma; // in [0, 1]. At 0 nobody looks at the state afterwards, and all four are the same but for the head
    float delta; // of Huber's loss: errors above it count linearly; 0 = squared loss
    struct few__optim_spec optim;
};

struct few__dqn_learner {
    const struct few_mem *mem;
    struct few__dqn_learn_opts opts;
    struct few__net *net, *target; // Q, Q'
    struct few__optim *optim;
    struct few__work *work, *work_next;
    struct few__single *single;
    uint64_t n_updates;
    struct few__net_input before, after; // of the batch
    uint32_t *first[2], *index[2];
    size_t index_room[2];
    uint32_t *actions, *picked; // (batch,) of the batch; b of each, UINT32_MAX = none
    float *y;                   // (batch,)
};

/* A net n_in -> hidden relu -> n_actions, Glorot-initialised from rng.
 * Errors: FEW_EINVAL an option out of its range; FEW_ELIMIT; FEW_ENOMEM. */
enum few_status few__dqn_learner_create(const struct few__dqn_learn_opts *opts, size_t n_in, size_t n_actions,
                                        struct few__rng *rng, const struct few_env *env,
                                        struct few__dqn_learner **out, struct few_error *err);
void few__dqn_learner_destroy(struct few__dqn_learner *learner);

/* The open action of the highest q, ties to the lowest index; SIZE_MAX when none is open. NaN is never higher. */
size_t few__dqn_best(const float *q, const uint64_t *open, size_t n_actions);

/* Q of the state with these inputs set, (n_actions,), as the net is now. Borrowed until the next call. */
const float *few__dqn_q(struct few__dqn_learner *learner, const uint32_t *inputs, size_t n_inputs);

/* A lazy optimiser's net is whole again: before anybody else looks at it. */
void few__dqn_settle(struct few__dqn_learner *learner);

/* y of n <= opts.batch transitions, in learner->y. Errors: FEW_ENOMEM. */
enum few_status few__dqn_targets(struct few__dqn_learner *learner, const struct few__transition *batch,
                                 size_t n, struct few_error *err);

/* One update on n <= opts.batch transitions; *loss is their mean, NULL = not wanted. Errors: FEW_ENOMEM. */
enum few_status few__dqn_learn(struct few__dqn_learner *learner, const struct few__transition *batch,
                               size_t n, double *loss, struct few_error *err);

#endif
