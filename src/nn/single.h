// SPDX-License-Identifier: Apache-2.0
/* A net on one sample whose inputs become known bit by bit: what the first layer has added up is kept, an input that is
 * new adds its row, and only the layers after it are computed anew. No library call, no allocation. */
#ifndef FEW_NN_SINGLE_H
#define FEW_NN_SINGLE_H

#include "nn/net.h"

struct few__single {
    const struct few_mem *mem;
    const struct few__net *net; // borrowed
    float *sum;                 // (stride of the first layer,) bias and rows so far
    float *layers[2];           // scratch, (widest stride,)
    float *out;                 // (few__padded(n_out),)
    void *block;
};

/* Errors: FEW_ENOMEM. net must outlive it; when its parameters change, begin again. */
enum few_status few__single_create(const struct few__net *net, const struct few_env *env,
                                   struct few__single **out, struct few_error *err);
void few__single_destroy(struct few__single *single);

/* All inputs 0. */
void few__single_begin(struct few__single *single);

/* Inputs index[i] (< n_in) grow by value[i] (NULL = 1). O(n x width of the first layer). */
void few__single_add(struct few__single *single, const uint32_t *index, const float *value, size_t n);

/* Inputs first .. first + n - 1 grow by value[0 .. n-1]. */
void few__single_add_dense(struct few__single *single, size_t first, const float *value, size_t n);

/* Outputs, (n_out,), borrowed until the next call. Sums are taken in another order than in a batch, so the last bits may
 * differ from few__net_forward's. */
const float *few__single_out(struct few__single *single);

#endif
