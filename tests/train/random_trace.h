// SPDX-License-Identifier: Apache-2.0
/* Traces at random, through the store: models of kind labels, some of which need one of detections. Items are "a_N.jpg" and
 * "b_N.jpg" in turn. */
#ifndef FEW_TESTS_RANDOM_TRACE_H
#define FEW_TESTS_RANDOM_TRACE_H

#include <stddef.h>
#include <stdint.h>

enum { RANDOM_MODELS = 8 };

void random_trace(const char *path, size_t n_items, uint64_t seed);
void random_trace_of(const char *path, size_t n_models, size_t n_items, uint64_t seed);

#endif
