// SPDX-License-Identifier: Apache-2.0
// What batches and single samples share. For src/nn and its tests.
#ifndef FEW_NN_NET_PARTS_H
#define FEW_NN_NET_PARTS_H

#include "nn/net.h"

/* y: (stride,), n of it count; the padding becomes zero. */
void few__softmax(const struct few__kernels *kernels, float *y, size_t n, size_t stride);

/* In place, on n_rows rows of `stride`, n of each count. */
void few__activate(const struct few__kernels *kernels, enum few__activation activation, float *y,
                   size_t n_rows, size_t n, size_t stride);

/* d, slopes by y, become slopes by what y was made from. */
void few__activation_back(const struct few__kernels *kernels, enum few__activation activation, float *d,
                          const float *y, size_t n_rows, size_t n, size_t stride);

/* out[j] = V + A[j] - mean(A); units: (n + 1,) A and then V. */
void few__duel(float *out, const float *units, size_t n);

#endif
