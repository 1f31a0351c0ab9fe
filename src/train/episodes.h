// SPDX-License-Identifier: Apache-2.0
/* Where an agent's experience comes from: items of which it is known what every model says. An abstract source, so that a
 * trace in memory and a generator that makes items as they are asked for look the same. */
#ifndef FEW_TRAIN_EPISODES_H
#define FEW_TRAIN_EPISODES_H

#include "store/trace.h"

/* What one model says about one item. */
struct few__episode_model {
    const struct few_valuable *valuable; // (n_valuable,) label < n_labels
    size_t n_valuable;
    bool found; // it finds something, so that models which need it have something to look at
};

struct few__episodes {
    void *self;
    size_t n_items, n_models, n_labels;
    const int *needs; // (n_models,) the model that a model needs, or -1; NULL = none needs any
    /* (n_models,) of item i < n_items, borrowed until the next call; the same i, the same answer. */
    enum few_status (*get)(void *self, size_t i, const struct few__episode_model **models,
                           struct few_error *err);
};

/* Numbers the labels that are valuable on at least `least` items, by rising label: label_of, (n_labels,) out, UINT32_MAX for
 * the others; *n_kept how many. What occurs on an item or two says which item it is, and a net learns that by heart.
 * Errors: what get gives; FEW_ENOMEM. */
enum few_status few__frequent_labels(const struct few__episodes *episodes, size_t least,
                                     const struct few_env *env, uint32_t *label_of, size_t *n_kept,
                                     struct few_error *err);

struct few__trace_episodes;

/* items[0 .. n_items - 1] of a trace, all borrowed, as a source that is valid until destroy. A model that failed or did not run
 * says nothing. Errors: FEW_EINVAL an item or a label that the trace does not have, or needs in a circle; FEW_ENOMEM. */
enum few_status few__trace_episodes_create(const struct few__trace *trace, const size_t *items,
                                           size_t n_items, const struct few_env *env,
                                           struct few__trace_episodes **out, struct few__episodes *episodes,
                                           struct few_error *err);
void few__trace_episodes_destroy(struct few__trace_episodes *trace);

#endif
