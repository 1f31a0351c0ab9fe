// SPDX-License-Identifier: Apache-2.0
// Principal components: the directions in which the rows of a matrix differ most.
#ifndef FEW_NN_PCA_H
#define FEW_NN_PCA_H

#include "core/mem.h"

enum { FEW__PCA_MAX = 64 }; // components

/* The first k components of n rows of d numbers, by falling spread, by subspace iteration (Halko, Martinsson and Tropp
 * 2011, Algorithm 4.4) from directions drawn from seed.
 *
 * rows    (n, d) row-major; left centred: their mean is taken off in place
 * mean    (d,) out
 * basis   (k, d) out, orthonormal rows; the sign of each makes its largest number positive. Where the rows have fewer
 *         than k directions, the rest are zero
 * spread  (k,) out, standard deviation of the rows along each
 *
 * n may be 0: all zero. Errors: FEW_EINVAL k is 0 or above FEW__PCA_MAX or d, or numbers that are not finite;
 * FEW_ENOMEM. Cost: 20 passes of O(n d k). */
enum few_status few__pca(float *rows, size_t n, size_t d, size_t k, uint64_t seed, const struct few_env *env,
                         float *mean, float *basis, float *spread, struct few_error *err);

#endif
