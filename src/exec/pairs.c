// SPDX-License-Identifier: Apache-2.0
/* A table of running means, one for each ordered pair. Invariant: a mean is at most MOST; one that was never noted is 1. */
#include "exec/pairs.h"

static const double LEAST_STEP = 0.1, MOST = 16;

struct mean {
    float factor;
    unsigned n; // noted so often
};

struct few__pairs {
    size_t n; // models; 1: one mean stands for all pairs
    bool any;
    struct mean *means; // (n, n): of the row's model beside the column's
};

struct few__pairs *few__pairs_create(struct few__arena *arena, size_t n_models)
{
    struct few__pairs *pairs = FEW__ARENA_NEW(arena, struct few__pairs, 1);
    if (!pairs) return NULL;
    pairs->n = n_models <= FEW__PAIRS_MODELS_MAX ? n_models : 1;
    pairs->means = FEW__ARENA_NEW(arena, struct mean, pairs->n * pairs->n);
    if (!pairs->means) return NULL;
    for (size_t i = 0; i < pairs->n * pairs->n; i++) pairs->means[i].factor = 1;
    return pairs;
}

static size_t place(const struct few__pairs *pairs, size_t model, size_t other)
{
    return pairs->n == 1 ? 0 : model * pairs->n + other;
}

double few__pairs_factor(const struct few__pairs *pairs, size_t model, const size_t *beside, size_t n)
{
    // What each takes away adds up: two companions that each cost a tenth cost two tenths.
    double factor = 1;
    for (size_t i = 0; i < n; i++) {
        double one = (double)pairs->means[place(pairs, model, beside[i])].factor;
        if (one > 1) factor += one - 1; // running beside others helps nobody: less is noise
    }
    return factor;
}

void few__pairs_note(struct few__pairs *pairs, size_t model, size_t other, double ratio)
{
    struct mean *mean = &pairs->means[place(pairs, model, other)];
    if (ratio > MOST) ratio = MOST;
    if (mean->n < 1000) mean->n++;
    // The mean of the first ones, then one that forgets, since a machine changes.
    double step = 1.0 / mean->n > LEAST_STEP ? 1.0 / mean->n : LEAST_STEP;
    mean->factor = (float)((double)mean->factor + step * (ratio - (double)mean->factor));
    pairs->any = true;
}

bool few__pairs_any(const struct few__pairs *pairs)
{
    return pairs->any;
}
