// SPDX-License-Identifier: Apache-2.0
/* Explore and exploit (AMS, for correlated chunks): the first items of each segment of a stream run everything; from what
 * they said follow the models that are worth running on the rest of it, and how much each is expected to add.
 * algorithms.md 1.1. Pure: no clock, no thread. */
#ifndef FEW_ITEM_EXPLORE_H
#define FEW_ITEM_EXPLORE_H

#include "exec/view.h"

struct few__explore;

struct few__explore_opts {
    const struct few_catalog *catalog; // borrowed
    const struct few_cost *costs;      // (n_models,) borrowed, as the scheduler has them
    size_t n_first;                    // items of a segment that run everything; 0 = 3
    double keep;                       // share of the explored value that the subset must have; 0 = 1
};

enum few_status few__explore_create(const struct few__explore_opts *opts, const struct few_env *env,
                                    struct few__explore **explore, struct few_error *err);
void few__explore_destroy(struct few__explore *explore);

enum few__phase {
    FEW__PHASE_EXPLORE, // run everything
    FEW__PHASE_WAIT,    // enough items explore; their answers are not all there
    FEW__PHASE_EXPLOIT,
};

/* Of the next item of this stream and segment. A new segment forgets the one before it (of that stream). */
enum few__phase few__explore_phase(const struct few__explore *explore, size_t stream, int64_t segment);

/* An item explores. Errors: FEW_ENOMEM (a stream that is new). */
enum few_status few__explore_begin(struct few__explore *explore, size_t stream, int64_t segment,
                                   struct few_error *err);

/* What it said: outputs (n_models,), NULL where a model said nothing. ok false: it failed, another one explores instead. */
void few__explore_learn(struct few__explore *explore, size_t stream, int64_t segment, bool ok,
                        const struct few_output *const *outputs);

/* EXPLOIT: (n_models,) value that each model is expected to add, 0 = leave it; with the values of the whole order. Borrowed
 * until the stream's next segment. The subset: greedy by marginal value over time on the explored items (a chain is charged
 * whole, ties by the lowest index) until `keep` of their value is reached. */
const double *few__explore_gains(const struct few__explore *explore, size_t stream);

#endif
