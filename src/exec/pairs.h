// SPDX-License-Identifier: Apache-2.0
/* How much models slow each other down when they run side by side: for each ordered pair the mean of real over expected
 * time, learned from runs of which most was spent beside the other. Packing plans with it. Ours; AMS takes times to be
 * independent. */
#ifndef FEW_EXEC_PAIRS_H
#define FEW_EXEC_PAIRS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/mem.h"

enum { FEW__PAIRS_MODELS_MAX = 512 }; // with more models one factor stands for all pairs

struct few__pairs;

/* In the arena. Errors: NULL = no memory. */
struct few__pairs *few__pairs_create(struct few__arena *arena, size_t n_models);

/* How much longer `model` takes beside `beside[0 .. n-1]`: 1 or more; 1 for what was never measured. */
double few__pairs_factor(const struct few__pairs *pairs, size_t model, const size_t *beside, size_t n);

/* A run of `model` that was mostly beside `other` took `ratio` times as long as it takes alone. */
void few__pairs_note(struct few__pairs *pairs, size_t model, size_t other, double ratio);

/* Something was noted: until then every factor is 1. */
bool few__pairs_any(const struct few__pairs *pairs);

#endif
