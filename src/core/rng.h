// SPDX-License-Identifier: Apache-2.0
// Seeded random numbers (xoshiro256**, Blackman and Vigna 2018, seeded by splitmix64). No global state.
#ifndef FEW_CORE_RNG_H
#define FEW_CORE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct few__rng {
    uint64_t s[4];
};

/* stream tells apart generators of one seed: for example one for each item, so that what an item draws
 * does not depend on the items before it. */
void few__rng_init(struct few__rng *rng, uint64_t seed, uint64_t stream);
uint64_t few__rng_next(struct few__rng *rng);

/* Uniform in 0 .. n - 1, without bias; n > 0. */
uint64_t few__rng_below(struct few__rng *rng, uint64_t n);

/* Uniform in [0, 1), 53 bits. */
double few__rng_unit(struct few__rng *rng);

/* Standard normal (Marsaglia's polar method). */
double few__rng_normal(struct few__rng *rng);

/* A uniformly random order of the n indices in v (Fisher and Yates). */
void few__rng_shuffle(struct few__rng *rng, size_t *v, size_t n);

#endif
