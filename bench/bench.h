// SPDX-License-Identifier: Apache-2.0
// What the C benchmarks share: a clock, medians, the one JSON line.
#ifndef FEW_BENCH_BENCH_H
#define FEW_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

int64_t bench_now_ns(void);

/* Sorts v. */
double bench_median(double *v, size_t n);

/* {"name", "ours", "theirs", "peer", "unit", "ratio"}; calib_ns < 0 leaves that member out. */
void bench_print(const char *name, double ours, double theirs, const char *peer, const char *unit,
                 double ratio, double calib_ns);

/* Nanoseconds of a fixed loop, so that absolute times of different machines can be compared. */
double bench_calibrate(void);

#endif
