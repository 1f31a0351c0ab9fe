// SPDX-License-Identifier: Apache-2.0
/* The pool is a ring of its own: lists lie one after another, a list never wraps, and used space runs from the oldest list to
 * `write`. Every list takes at least one place, so that lists of different transitions never begin at the same one. */
#include "train/replay_memory.h"

#include <assert.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"

struct few__replay_memory {
    const struct few_mem *mem;
    size_t capacity, n_words, pool;
    size_t first, n; // of the ring
    size_t write;    // where the next list may begin
    struct few__transition *ring;
    uint32_t *inputs; // (pool,)
    uint64_t *open;   // (capacity, n_words)
};

enum few_status few__replay_memory_create(size_t capacity, size_t n_words, size_t longest, size_t pool,
                                          const struct few_env *env, struct few__replay_memory **out,
                                          struct few_error *err)
{
    *out = NULL;
    if (capacity < 1 || capacity > FEW__REPLAY_MAX)
        return few__fail(err, FEW_ELIMIT, "replay memory: expected 1 to %d transitions, found %zu",
                         FEW__REPLAY_MAX, capacity);
    if (pool < longest || pool == 0)
        return few__fail(err, FEW_EINVAL, "replay memory: expected room for at least %zu inputs, found %zu",
                         longest, pool);
    struct few_env e = few__env(env);
    struct few__replay_memory *memory = FEW__NEW(e.mem, struct few__replay_memory);
    if (!memory) return few__no_memory(err, "replay memory");
    *memory =
        (struct few__replay_memory){.mem = e.mem, .capacity = capacity, .n_words = n_words, .pool = pool};
    memory->ring = FEW__NEW_N(e.mem, struct few__transition, capacity);
    memory->inputs = FEW__NEW_N(e.mem, uint32_t, pool);
    memory->open = FEW__NEW_N(e.mem, uint64_t, capacity * n_words);
    if (!memory->ring || !memory->inputs || !memory->open) {
        few__replay_memory_destroy(memory);
        return few__no_memory(err, "replay memory");
    }
    *out = memory;
    return FEW_OK;
}

void few__replay_memory_destroy(struct few__replay_memory *memory)
{
    if (!memory) return;
    few__free(memory->mem, memory->ring);
    few__free(memory->mem, memory->inputs);
    few__free(memory->mem, memory->open);
    few__free(memory->mem, memory);
}

static void drop_oldest(struct few__replay_memory *memory)
{
    memory->first = (memory->first + 1) % memory->capacity;
    memory->n--;
}

// Where a list of n inputs can lie; oldest transitions go until there is such a place.
static size_t make_room(struct few__replay_memory *memory, size_t n)
{
    while (memory->n == memory->capacity) drop_oldest(memory);
    for (;; drop_oldest(memory)) {
        if (memory->n == 0) return 0;
        size_t oldest = (size_t)(memory->ring[memory->first].inputs - memory->inputs);
        if (memory->write <= oldest) {
            if (n <= oldest - memory->write) return memory->write;
        } else {
            if (n <= memory->pool - memory->write) return memory->write;
            if (n <= oldest) return 0;
        }
    }
}

void few__replay_memory_push(struct few__replay_memory *memory, const struct few__transition *transition)
{
    size_t n = transition->n_after > 0 ? transition->n_after : 1;
    assert(n <= memory->pool && transition->n_before <= transition->n_after &&
           "a state longer than the longest");
    size_t at = make_room(memory, n), place = (memory->first + memory->n) % memory->capacity;
    uint32_t *inputs = memory->inputs + at;
    uint64_t *open = memory->open + place * memory->n_words;
    if (transition->n_after > 0) memcpy(inputs, transition->inputs, transition->n_after * sizeof *inputs);
    memcpy(open, transition->open, memory->n_words * sizeof *open);
    memory->ring[place] = *transition;
    memory->ring[place].inputs = inputs;
    memory->ring[place].open = open;
    memory->write = at + n;
    memory->n++;
}

size_t few__replay_memory_n(const struct few__replay_memory *memory)
{
    return memory->n;
}

struct few__transition few__replay_memory_at(const struct few__replay_memory *memory, size_t i)
{
    assert(i < memory->n && "a transition that is not there");
    return memory->ring[(memory->first + i) % memory->capacity];
}
