// SPDX-License-Identifier: Apache-2.0
/* One item as an episode: states, actions, rewards, END (TKDD 2022, section 3; algorithms.md 1.3).
 *
 * State: the inputs that are set, a bit for each label that an executed model gave and, by choice, one for each model
 * that ran. Action m < n_models: run model m; action n_models: END. */
#ifndef FEW_TRAIN_WALK_H
#define FEW_TRAIN_WALK_H

#include "train/episodes.h"

enum few__reward {
    FEW__REWARD_LOG, // ln(1 + theta x sum of the confidences of new labels), -1 where nothing is new: the paper
    FEW__REWARD_SUM, // theta x that sum, 0 where nothing is new: the value itself, which evaluation counts
};

struct few__walk_rules {
    enum few__reward reward;
    const double *theta; // (n_models,) > 0, the user's priorities; NULL = 1
    bool executed_bits;  // false: the paper's state
    /* (n_labels of the episodes,) the input of each label, below n_labels, or UINT32_MAX: it counts for rewards and nowhere
     * else (few__frequent_labels). NULL: every label is an input. Borrowed. */
    const uint32_t *label_of;
    size_t n_labels; // inputs of labels; with label_of only
    bool repeats;    // a model that ran may be chosen again, to no use. Unpublished; false: it may not
};

/* Inputs of the labels that are. */
size_t few__walk_labels(const struct few__episodes *episodes, const struct few__walk_rules *rules);

/* A reward for labels whose confidences add up to `sum`; 0: nothing was new. */
double few__reward(enum few__reward reward, double theta, double sum);

struct few__walk {
    const struct few_mem *mem;
    const struct few__episodes *episodes; // borrowed
    struct few__walk_rules rules;
    size_t n_actions; // models and END
    size_t n_labels;  // inputs of labels, below those of models
    size_t n_words;   // of `open`
    const struct few__episode_model *models;
    size_t n_inputs;
    uint32_t *inputs; // (n_inputs,) set ones, in the order in which they came
    uint64_t *open;   // (n_words,) bit a: action a may be chosen. END always may
    bool *ran;        // (n_models,)
    bool *gone;       // (n_models,) out of reach: a need of it found nothing
    bool *known;      // (n_labels,)
    size_t n_known;
    uint32_t *known_labels; // (n_known,)
    size_t n_open;          // models whose bit is set
};

/* The needs of `episodes` have no circle. rules: copied, theta borrowed. Errors: FEW_EINVAL no model; FEW_ENOMEM. */
enum few_status few__walk_create(const struct few__episodes *episodes, const struct few__walk_rules *rules,
                                 const struct few_env *env, struct few__walk **out, struct few_error *err);
void few__walk_destroy(struct few__walk *walk);

/* A new item: models as episodes->get gave them, borrowed until the next begin. */
void few__walk_begin(struct few__walk *walk, const struct few__episode_model *models);

/* Takes an action whose bit is open and returns its reward. END ends the episode (*ended), and so does the last model.
 *
 * A model whose need has not run takes its needs along, as the scheduler's chains do: the state afterwards has what all of
 * them said, the reward is for what the model itself adds to that (the needs have values of their own, which the
 * scheduler adds up). Where a need finds nothing, its users are out of reach and the reward is 0: nothing was spent. */
double few__walk_step(struct few__walk *walk, size_t action, bool *ended);

static inline bool few__is_open(const uint64_t *open, size_t action)
{
    return open[action / 64] >> action % 64 & 1;
}

#endif
