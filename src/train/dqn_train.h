// SPDX-License-Identifier: Apache-2.0
/* AMS's agents: learn Q of each model by trying models on items whose outcome is known (TKDD 2022, section 3). The papers
 * give no hyper-parameter; docs/dqn.md says how ours were chosen, and what departs. */
#ifndef FEW_TRAIN_DQN_TRAIN_H
#define FEW_TRAIN_DQN_TRAIN_H

#include "train/dqn_learn.h"
#include "train/walk.h"

struct few__dqn_progress {
    uint64_t step, steps; // models run so far, and at most
    uint64_t episodes;
    double epsilon;
    double loss;   // mean since the last report
    double reward; // mean of an episode's rewards since the last report
    bool measured; // the next two count
    double measure, best;
};

struct few__dqn_opts {
    struct few__dqn_learn_opts learn;
    struct few__walk_rules rules;
    uint64_t seed;
    uint64_t steps; // actions taken, each followed by an update once the memory is warm; > 0
    size_t memory;  // transitions that are remembered
    size_t warm;    // remembered before learning begins
    double
        rate_last; // the optimiser's rate falls to this share of itself on a line over all steps, in (0, 1]
    double epsilon_first, epsilon_last,
        epsilon_share; // chance of a random action: a line over that share of the steps
    uint64_t every;    // steps from one report to the next; 0 = none
    /* Of the net as it is, the lower the better: early stopping keeps the best net. NULL = the last one is kept. */
    enum few_status (*measure)(void *ud, const struct few__net *net, double *value, struct few_error *err);
    size_t patience; // reports without a better measure after which training ends; 0 = it never ends early
    bool (*progress)(void *ud,
                     const struct few__dqn_progress *progress); // false: stop with FEW_ECANCELED; may be NULL
    void *ud;
};

/* The measured choice for kind, without theta, seed, reports. */
struct few__dqn_opts few__dqn_defaults(enum few__dqn_kind kind);

/* A net of few__walk_labels (+ n_models with executed bits) inputs and n_models + 1 outputs, owned by the caller. Same episodes, options
 * and seed, same bits. Takes about 300 bytes for each transition that can be remembered.
 * Errors: FEW_EINVAL an option out of its range, no item, no model; FEW_ELIMIT; FEW_ECANCELED; what get and measure
 * give; FEW_ENOMEM. */
enum few_status few__dqn_train(const struct few__episodes *episodes, const struct few__dqn_opts *opts,
                               const struct few_env *env, struct few__net **net, struct few_error *err);

#endif
