// SPDX-License-Identifier: Apache-2.0
/* product_<batch>_<in>_<out>: the three products of a dense layer in training (X W, X^T D, D W^T with its transposition) by our
 * kernels and by OpenBLAS, one thread each, in turn. Why there is no BLAS: docs/nn.md. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "core/rng.h"
#include "nn/kernels.h"

enum { ROUNDS = 15 };

static const size_t sizes[][3] = {{32, 16, 32},  {32, 50, 100},   {32, 200, 100},  {32, 256, 31},
                                  {32, 160, 80}, {32, 1001, 160}, {32, 1104, 256}, {256, 1001, 160}};

struct layer {
    size_t s, k, n, ks, ns; // samples, inputs, units; padded
    float *x, *w, *y, *dw, *wt, *dx;
};

static float *numbers(size_t n)
{
    struct few__rng rng;
    float *v = aligned_alloc(64, n * sizeof *v);
    if (!v) exit(1);
    few__rng_init(&rng, 1, n);
    for (size_t i = 0; i < n; i++) v[i] = (float)few__rng_unit(&rng) - 0.5F;
    return v;
}

static void ours(const struct layer *l, const struct few__kernels *kernels)
{
    kernels->product(
        &(struct few__product){l->y, l->x, l->w, NULL, l->ns, l->ks, 1, l->ns, l->s, l->ns, l->k});
    kernels->product(
        &(struct few__product){l->dw, l->x, l->y, NULL, l->ns, 1, l->ks, l->ns, l->k, l->ns, l->s});
    kernels->transpose(l->wt, l->ks, l->w, l->ns, l->k, l->n);
    kernels->product(
        &(struct few__product){l->dx, l->y, l->wt, NULL, l->ks, l->ns, 1, l->ks, l->s, l->ks, l->n});
}

static void theirs(const struct layer *l)
{
    int s = (int)l->s, k = (int)l->k, n = (int)l->n, ks = (int)l->ks, ns = (int)l->ns;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, s, n, k, 1, l->x, ks, l->w, ns, 0, l->y, ns);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, s, 1, l->x, ks, l->y, ns, 0, l->dw, ns);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, s, k, n, 1, l->y, ns, l->w, ns, 0, l->dx, ks);
}

static double time_one(const struct layer *l, const struct few__kernels *kernels, size_t times)
{
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < times; i++) {
        if (kernels) ours(l, kernels);
        else theirs(l);
    }
    return (double)(bench_now_ns() - start) / (double)times / 1000;
}

static void compare(const size_t size[3])
{
    size_t ks = few__padded(size[1]), ns = few__padded(size[2]),
           times = 400000000 / (size[0] * ks * ns * 3 + 20000) + 1;
    struct layer l = {size[0],
                      size[1],
                      size[2],
                      ks,
                      ns,
                      numbers(size[0] * ks),
                      numbers(ks * ns),
                      numbers(size[0] * ns),
                      numbers(ks * ns),
                      numbers(ks * ns),
                      numbers(size[0] * ks)};
    double a[ROUNDS], b[ROUNDS], ratio[ROUNDS];
    char name[64];
    time_one(&l, few__kernels(), times / 4 + 1);
    time_one(&l, NULL, times / 4 + 1);
    for (size_t r = 0; r < ROUNDS; r++) {
        a[r] = time_one(&l, few__kernels(), times / ROUNDS + 1);
        b[r] = time_one(&l, NULL, times / ROUNDS + 1);
        ratio[r] = b[r] / a[r];
    }
    snprintf(name, sizeof name, "product_%zu_%zu_%zu", size[0], size[1], size[2]);
    bench_print(name, bench_median(a, ROUNDS), bench_median(b, ROUNDS), "OpenBLAS", "us",
                bench_median(ratio, ROUNDS), -1);
    free(l.x), free(l.w), free(l.y), free(l.dw), free(l.wt), free(l.dx);
}

int main(void)
{
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) compare(sizes[i]);
    return 0;
}
