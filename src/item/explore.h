// SPDX-License-Identifier: Apache-2.0
/* Explore and exploit (AMS, for correlated chunks): the first items of each segment of a stream run everything; from what
 * they said follow the models that are worth running on the rest of it, and how much each is expected to add.
 * algorithms.md 1.1. Pure: no clock, no thread. */
#ifndef FEW_ITEM_EXPLORE_H
#define FEW_ITEM_EXPLORE_H

#include <fewer/env.h>

#include "exec/view.h"

enum { FEW__EXPLORE_FIRST_MAX = 1000 };

struct few__explore;

struct few__explore_opts {
    const struct few_catalog *catalog; // borrowed
    const struct few_cost *costs;      // (n_models,) borrowed, as the scheduler has them
    size_t n_first; // items of a segment that run everything, at most FEW__EXPLORE_FIRST_MAX; 0 = 3
    double keep;    // share of the explored value that the subset must have, 0 .. 1; 0 = 1
};

/* Errors: FEW_EINVAL n_first or keep out of range; FEW_ENOMEM. */
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

/* An item explores; the phase is EXPLORE. Errors: FEW_ENOMEM (a stream that is new). */
enum few_status few__explore_begin(struct few__explore *explore, size_t stream, int64_t segment,
                                   struct few_error *err);

/* What an item that explored said: outputs (n_models,), NULL where a model said nothing. ok false: it failed (outputs may be
 * NULL), another one explores instead. Of a segment that is over: nothing happens.
 * Errors: FEW_ENOMEM; FEW_EINVAL needs in a circle. The item counts as failed then.
 * Cost: O(n_first x models^2) with the last of them. Allocates only what more labels than ever before need. */
enum few_status few__explore_learn(struct few__explore *explore, size_t stream, int64_t segment, bool ok,
                                   const struct few_output *const *outputs, struct few_error *err);

/* EXPLOIT: (n_models,) value that each model is expected to add to an item where it stands in the order, 0 = leave it.
 * Borrowed until the stream's next segment. The subset: greedy by marginal value over time on the explored items (a chain
 * of needs is charged whole, ties by the lowest index) until `keep` of their value is reached, be it inside a chain. */
const double *few__explore_gains(const struct few__explore *explore, size_t stream);

#endif
