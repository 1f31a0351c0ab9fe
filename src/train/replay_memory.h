// SPDX-License-Identifier: Apache-2.0
/* Transitions of the past, for an agent that learns from random ones of them (Mnih et al. 2013). A ring: the newest take the
 * place of the oldest. A state is its set inputs, and the state after an action has those before it as its first ones,
 * so a transition is one list with two lengths. */
#ifndef FEW_TRAIN_REPLAY_MEMORY_H
#define FEW_TRAIN_REPLAY_MEMORY_H

#include <stdbool.h>

#include "core/mem.h"

enum { FEW__REPLAY_MAX = 1 << 24 }; // transitions

struct few__transition {
    const uint32_t *inputs; // (n_after,) set in the state after; the first n_before were set before
    uint32_t n_before, n_after;
    uint32_t action,
        next_action; // next_action: taken in the state after; what it is after the last step counts nothing
    float reward;
    bool ended;           // no state after counts
    const uint64_t *open; // (n_words,) actions that may be taken in the state after
};

struct few__replay_memory;

/* capacity  1 .. FEW__REPLAY_MAX transitions
 * n_words   of `open`
 * longest   inputs of a state at most; pool: inputs of all transitions together, >= longest. Where the pool is full before the
 *           ring, the oldest go earlier.
 * Errors: FEW_ELIMIT a capacity outside of that; FEW_EINVAL a pool that is too small; FEW_ENOMEM. */
enum few_status few__replay_memory_create(size_t capacity, size_t n_words, size_t longest, size_t pool,
                                          const struct few_env *env, struct few__replay_memory **out,
                                          struct few_error *err);
void few__replay_memory_destroy(struct few__replay_memory *memory);

/* Copied. */
void few__replay_memory_push(struct few__replay_memory *memory, const struct few__transition *transition);

size_t few__replay_memory_n(const struct few__replay_memory *memory);

/* The i-th oldest, i < n; its arrays are borrowed until the next push. */
struct few__transition few__replay_memory_at(const struct few__replay_memory *memory, size_t i);

#endif
