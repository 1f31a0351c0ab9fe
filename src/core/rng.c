// SPDX-License-Identifier: Apache-2.0
#include "core/rng.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void few__rng_init(struct few__rng *rng, uint64_t seed, uint64_t stream)
{
    uint64_t x = seed;
    uint64_t mixed = splitmix64(&x) ^ stream;
    for (int i = 0; i < 4; i++) rng->s[i] = splitmix64(&mixed);
}

uint64_t few__rng_next(struct few__rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t few__rng_below(struct few__rng *rng, uint64_t n)
{
    uint64_t reject = (UINT64_MAX - n + 1) % n; // 2^64 mod n: draws below it would favour small numbers
    uint64_t x;
    do x = few__rng_next(rng);
    while (x < reject);
    return x % n;
}

double few__rng_unit(struct few__rng *rng)
{
    return (double)(few__rng_next(rng) >> 11) * 0x1.0p-53;
}

double few__rng_normal(struct few__rng *rng)
{
    double u, v, s;
    do {
        u = 2 * few__rng_unit(rng) - 1;
        v = 2 * few__rng_unit(rng) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}

void few__rng_shuffle(struct few__rng *rng, size_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)few__rng_below(rng, i);
        size_t t = v[i - 1];
        v[i - 1] = v[j];
        v[j] = t;
    }
}
