// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, compare);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

void bench_print(const char *name, double ours, double theirs, const char *peer, const char *unit,
                 double ratio, double calib_ns)
{
    printf("{\"name\": \"%s\", \"ours\": %.6g, \"theirs\": %.6g, \"peer\": \"%s\", \"unit\": \"%s\", "
           "\"ratio\": %.4g",
           name, ours, theirs, peer, unit, ratio);
    if (calib_ns >= 0) printf(", \"calib_ns\": %.6g", calib_ns);
    printf("}\n");
}

double bench_calibrate(void)
{
    enum { ROUNDS = 9, STEPS = 100000 };
    double took[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        volatile uint64_t x = 88172645463325252U;
        int64_t start = bench_now_ns();
        for (int i = 0; i < STEPS; i++) x = (x ^ (x << 13)) + 7;
        took[r] = (double)(bench_now_ns() - start);
    }
    return bench_median(took, ROUNDS);
}
