// SPDX-License-Identifier: Apache-2.0
#include "eval/eval_draw.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/rng.h"

#define STREAM UINT64_C(0x6472617773) // of the seed's random numbers: apart from those of items

enum { LOW = FEW__EVAL_DRAWS * 25 / 1000 - 1, HIGH = FEW__EVAL_DRAWS - 1 - LOW };

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void few__eval_interval(double *values, double *low, double *high)
{
    qsort(values, FEW__EVAL_DRAWS, sizeof *values, by_size);
    *low = values[LOW];
    *high = values[HIGH];
}

enum few_status few__eval_draw_create(const struct few__eval *eval, size_t n_columns,
                                      struct few__arena *arena, struct few__eval_draw *draw,
                                      struct few_error *err)
{
    *draw = (struct few__eval_draw){.times = FEW__ARENA_NEW(arena, uint32_t, eval->n_units),
                                    .sums = FEW__ARENA_NEW(arena, double, n_columns)};
    return draw->times && draw->sums ? FEW_OK : few__no_memory(err, "evaluation");
}

static void add_row(double *sums, const double *row, double times, size_t n)
{
    for (size_t c = 0; c < n; c++) sums[c] += times * row[c];
}

void few__eval_draw(const struct few__eval *eval, const double *rows, size_t n_columns, size_t number,
                    struct few__eval_draw *draw)
{
    struct few__rng rng;
    few__rng_init(&rng, eval->seed, STREAM + number);
    memset(draw->times, 0, eval->n_units * sizeof *draw->times);
    memset(draw->sums, 0, n_columns * sizeof *draw->sums);
    draw->n_items = draw->all_us = 0;
    for (size_t u = 0; u < eval->n_units; u++) draw->times[few__rng_below(&rng, eval->n_units)]++;
    for (size_t u = 0; u < eval->n_units; u++) {
        if (draw->times[u] == 0) continue;
        draw->n_items += draw->times[u] * eval->unit_items[u];
        draw->all_us += draw->times[u] * eval->unit_us[u];
        add_row(draw->sums, rows + u * n_columns, draw->times[u], n_columns);
    }
    if (draw->all_us <= 0) draw->all_us = 1; // no model ran on any of them
}
