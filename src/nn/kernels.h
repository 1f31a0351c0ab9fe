// SPDX-License-Identifier: Apache-2.0
/* The loops that a network spends its time in, once for each instruction set, chosen when a network is made.
 *
 * Every table gives the same bits: a product adds its terms in one order, whatever the width of the registers, and each
 * term is one fused multiply-add (fmaf, which C defines to the last bit). Where the machine has no such instruction the
 * C library's stands in: right, and slow. kernels_body.h has the code. */
#ifndef FEW_NN_KERNELS_H
#define FEW_NN_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FEW__LANES = 16 }; // rows of weights and of batches are padded with zeros to a multiple of this

static inline size_t few__padded(size_t n)
{
    return (n + FEW__LANES - 1) / FEW__LANES * FEW__LANES;
}

/* C = start + A B. A is (m, k): element (i, t) is a[i * a_row + t * a_step], so that a transposed matrix needs no copy.
 * B is (k, n), C (m, n), rows b_stride and c_stride apart; n is a multiple of FEW__LANES. start: (n,) for every row of C,
 * NULL = zero. For every element of C the terms are added by rising t. */
struct few__product {
    float *c;
    const float *a, *b, *start;
    size_t c_stride, a_row, a_step, b_stride;
    size_t m, n, k;
};

/* One step of an optimiser, as its kernel wants it; optim.c fills it in. */
struct few__step {
    float keep1, take1; // first moment: keep1 * m + take1 * g
    float keep2, take2; // second moment: keep2 * v + take2 * g * g
    float rate;         // Adam: over its bias correction
    float root_scale;   // Adam: 1 / sqrt of the second bias correction; RMSprop: 1
    float epsilon;      // added outside the root
    float epsilon_inside;
    float shrink; // the parameters are first multiplied by this: 1 - rate * decay
};

/* Adam's steps without a gradient, made up for all at once. With x = sqrt(v) before them and e = epsilon / x, what they took
 * from p adds up to m / x (s1 - e (s2 - e (s3 - e s4))), s as optim_late.c makes them, good to 2e-7 where x >= least. */
struct few__late {
    float keep1, keep2, shrink; // of all the steps together
    float epsilon, least;
    float s1, s2, s3, s4;
};

/* n is a multiple of FEW__LANES throughout. Pointers need no alignment beyond that of float; what is written overlaps
 * nothing else. */
struct few__kernels {
    const char *name;
    void (*product)(const struct few__product *p);

    /* out (columns, rows padded) = the transpose of in (rows, columns); what is padding in out becomes zero. */
    void (*transpose)(float *out, size_t out_stride, const float *in, size_t in_stride, size_t rows,
                      size_t columns);

    /* y = start + the sum over i of value[i] * rows[index[i] * stride], in that order; value NULL = all 1. y may be start. */
    void (*gather)(float *y, const float *start, const float *rows, size_t stride, const uint32_t *index,
                   const float *value, size_t n_index, size_t n);

    /* y = start + x B with x (k,), B (k, n): the terms t, t + 4, t + 8 ... are four sums, which are then added as
     * (0 + 1) + (2 + 3), start first into sum 0. For one sample, where one long chain of additions would be waited for. */
    void (*row_product)(float *y, const float *start, const float *x, const float *b, size_t b_stride,
                        size_t k, size_t n);

    void (*add_scaled)(float *y, const float *x, float scale, size_t n); // y += scale * x
    void (*multiply)(float *y, const float *x, size_t n);                // y *= x

    void (*relu)(float *y, size_t n); // NaN stays NaN
    void (*sigmoid)(float *y, size_t n);
    void (*tanh)(float *y, size_t n);
    void (*exp)(float *y, size_t n); // of numbers <= 0; below -87 it stays at exp(-87)

    /* d, the slope of the loss by y, becomes the slope by what y was made from. */
    void (*relu_back)(float *d, const float *y, size_t n);
    void (*sigmoid_back)(float *d, const float *y, size_t n);
    void (*tanh_back)(float *d, const float *y, size_t n);

    // Parameters and moments below 1e-30 become 0.
    void (*adam)(float *p, float *m, float *v, const float *g, size_t n, const struct few__step *step);
    void (*rmsprop)(float *p, float *v, const float *g, size_t n, const struct few__step *step);

    /* Elements whose m is not 0 and whose sqrt(v) is below late->least stay as they are: left, (n,), is -1 there and 0
     * elsewhere. Returns whether there are any. */
    bool (*adam_late)(float *p, float *m, float *v, int32_t *left, size_t n, const struct few__late *late);
};

/* The fastest table that this machine can run. Costs nothing. */
const struct few__kernels *few__kernels(void);

/* The i-th table that this machine can run, 0 = the plain one; NULL after the last. For tests. */
const struct few__kernels *few__kernels_at(size_t i);

extern const struct few__kernels few__kernels_plain;
#ifdef __x86_64__
extern const struct few__kernels few__kernels_avx2, few__kernels_avx512;
#endif

#endif
