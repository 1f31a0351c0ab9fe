// SPDX-License-Identifier: Apache-2.0
/* Subspace iteration: a few more directions than wanted are multiplied by rows^T rows again and again and made orthonormal;
 * what they span turns towards the first components. Inside that span the components are found exactly (Jacobi).
 * Sums go by rising index in doubles where they are short, so the result is the same everywhere. */
#include "nn/pca.h"

#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/rng.h"
#include "nn/kernels.h"

enum { MORE = 8, PASSES = 10, SWEEPS = 40 };

struct pca {
    const struct few__kernels *kernels;
    const float *rows; // (n, d) centred
    size_t n, d, q;    // q: directions that are followed
    size_t stride;     // few__padded(q)
    float *span;       // (d, stride)
    float *along;      // (n, stride) rows times span
    double *inner;     // (q, q)
    double *turn;      // (q, q)
    size_t order[FEW__PCA_MAX + MORE];
};

static enum few_status centre(float *rows, size_t n, size_t d, float *mean, struct few_error *err)
{
    for (size_t j = 0; j < d; j++) {
        double sum = 0;
        for (size_t i = 0; i < n; i++) sum += (double)rows[i * d + j];
        if (!isfinite(sum))
            return few__fail(err, FEW_EINVAL, "components: expected finite numbers, found none in column %zu",
                             j);
        mean[j] = n ? (float)(sum / (double)n) : 0;
        for (size_t i = 0; i < n; i++) rows[i * d + j] -= mean[j];
    }
    return FEW_OK;
}

static void times_rows(struct pca *p)
{
    p->kernels->product(&(struct few__product){.c = p->along,
                                               .a = p->rows,
                                               .b = p->span,
                                               .c_stride = p->stride,
                                               .a_row = p->d,
                                               .a_step = 1,
                                               .b_stride = p->stride,
                                               .m = p->n,
                                               .n = p->stride,
                                               .k = p->d});
}

static void back_by_rows(struct pca *p)
{
    p->kernels->product(&(struct few__product){.c = p->span,
                                               .a = p->rows,
                                               .b = p->along,
                                               .c_stride = p->stride,
                                               .a_row = 1,
                                               .a_step = p->d,
                                               .b_stride = p->stride,
                                               .m = p->d,
                                               .n = p->stride,
                                               .k = p->n});
}

static double dot(const struct pca *p, size_t a, size_t b)
{
    double sum = 0;
    for (size_t j = 0; j < p->d; j++)
        sum += (double)p->span[j * p->stride + a] * (double)p->span[j * p->stride + b];
    return sum;
}

// Gram and Schmidt, each direction twice. One that lies within those before it becomes zero.
static void orthonormalise(struct pca *p)
{
    for (size_t c = 0; c < p->q; c++) {
        double before = sqrt(dot(p, c, c));
        for (int twice = 0; twice < 2; twice++)
            for (size_t b = 0; b < c; b++) {
                double part = dot(p, c, b);
                for (size_t j = 0; j < p->d; j++)
                    p->span[j * p->stride + c] -= (float)(part * (double)p->span[j * p->stride + b]);
            }
        double length = sqrt(dot(p, c, c));
        bool gone = !(length > 1e-6 * before) || length < 1e-20;
        for (size_t j = 0; j < p->d; j++)
            p->span[j * p->stride + c] = gone ? 0 : (float)((double)p->span[j * p->stride + c] / length);
    }
}

// Products of the columns of `along`: rows^T rows within the span.
static void measure_inner(struct pca *p)
{
    memset(p->inner, 0, p->q * p->q * sizeof *p->inner);
    for (size_t i = 0; i < p->n; i++) {
        const float *row = p->along + i * p->stride;
        for (size_t a = 0; a < p->q; a++)
            for (size_t b = 0; b <= a; b++) p->inner[a * p->q + b] += (double)row[a] * (double)row[b];
    }
    for (size_t a = 0; a < p->q; a++)
        for (size_t b = 0; b < a; b++) p->inner[b * p->q + a] = p->inner[a * p->q + b];
}

static void rotate(double *x, size_t step, size_t n, double *y, double c, double s)
{
    for (size_t i = 0; i < n; i++) {
        double a = x[i * step], b = y[i * step];
        x[i * step] = c * a - s * b;
        y[i * step] = s * a + c * b;
    }
}

// Golub and Van Loan, section 8.5: the angle that makes inner[a][b] zero.
static bool turn_pair(struct pca *p, size_t a, size_t b)
{
    size_t q = p->q;
    double *m = p->inner, off = m[a * q + b];
    if (fabs(off) <= 1e-14 * sqrt(fabs(m[a * q + a] * m[b * q + b])) || off == 0) return false;
    double tau = (m[b * q + b] - m[a * q + a]) / (2 * off);
    double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau)), c = 1 / sqrt(1 + t * t);
    rotate(m + a, q, q, m + b, c, t * c);
    rotate(m + a * q, 1, q, m + b * q, c, t * c);
    rotate(p->turn + a, q, q, p->turn + b, c, t * c);
    return true;
}

static void find_turn(struct pca *p)
{
    memset(p->turn, 0, p->q * p->q * sizeof *p->turn);
    for (size_t a = 0; a < p->q; a++) p->turn[a * p->q + a] = 1;
    bool turned = true;
    for (int sweep = 0; turned && sweep < SWEEPS; sweep++) {
        turned = false;
        for (size_t a = 0; a + 1 < p->q; a++)
            for (size_t b = a + 1; b < p->q; b++) turned |= turn_pair(p, a, b);
    }
    for (size_t a = 0; a < p->q; a++) { // by falling spread, equal ones by index
        size_t at = a;
        for (; at > 0 && p->inner[p->order[at - 1] * (p->q + 1)] < p->inner[a * (p->q + 1)]; at--)
            p->order[at] = p->order[at - 1];
        p->order[at] = a;
    }
}

static void write_component(const struct pca *p, size_t c, float *basis, float *spread)
{
    size_t from = p->order[c];
    double square = p->inner[from * (p->q + 1)];
    float most = 0;
    *spread = square > 0 && p->n ? (float)sqrt(square / (double)p->n) : 0;
    for (size_t j = 0; j < p->d; j++) {
        double sum = 0;
        for (size_t a = 0; a < p->q; a++)
            sum += (double)p->span[j * p->stride + a] * p->turn[a * p->q + from];
        basis[j] = *spread > 0 ? (float)sum : 0;
        if (fabsf(basis[j]) > fabsf(most)) most = basis[j];
    }
    for (size_t j = 0; most < 0 && j < p->d; j++) basis[j] = -basis[j];
}

static bool take_memory(struct pca *p, struct few__arena *arena)
{
    p->span = FEW__ARENA_NEW(arena, float, p->d * p->stride);
    p->along = FEW__ARENA_NEW(arena, float, p->n * p->stride);
    p->inner = FEW__ARENA_NEW(arena, double, p->q * p->q);
    p->turn = FEW__ARENA_NEW(arena, double, p->q * p->q);
    return p->span && p->along && p->inner && p->turn;
}

static void iterate(struct pca *p, uint64_t seed)
{
    struct few__rng rng;
    few__rng_init(&rng, seed, 0);
    for (size_t j = 0; j < p->d; j++)
        for (size_t c = 0; c < p->q; c++) p->span[j * p->stride + c] = (float)few__rng_normal(&rng);
    for (int pass = 0; pass < PASSES; pass++) {
        orthonormalise(p);
        times_rows(p);
        back_by_rows(p);
    }
    orthonormalise(p);
    times_rows(p);
    measure_inner(p);
    find_turn(p);
}

enum few_status few__pca(float *rows, size_t n, size_t d, size_t k, uint64_t seed, const struct few_env *env,
                         float *mean, float *basis, float *spread, struct few_error *err)
{
    if (k == 0 || k > FEW__PCA_MAX || k > d)
        return few__fail(err, FEW_EINVAL, "components: expected 1 to %d of %zu, found %zu", FEW__PCA_MAX, d,
                         k);
    FEW__TRY(centre(rows, n, d, mean, err));
    size_t q = k + MORE < d ? k + MORE : d;
    struct pca p = {
        .kernels = few__kernels(), .rows = rows, .n = n, .d = d, .q = q, .stride = few__padded(q)};
    struct few__arena arena;
    few__arena_init(&arena, few__env(env).mem, SIZE_MAX / 2);
    enum few_status status = take_memory(&p, &arena) ? FEW_OK : few__no_memory(err, "components");
    if (status == FEW_OK) {
        iterate(&p, seed);
        for (size_t c = 0; c < k; c++) write_component(&p, c, basis + c * d, &spread[c]);
    }
    few__arena_finish(&arena);
    return status;
}
