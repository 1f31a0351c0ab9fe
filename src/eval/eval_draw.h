// SPDX-License-Identifier: Apache-2.0
/* Intervals: the bootstrap (Efron 1979, percentiles). The test units are drawn with replacement, as many as there are, and every
 * number is read again as if these had been the items. Everybody sees the same draws. */
#ifndef FEW_EVAL_EVAL_DRAW_H
#define FEW_EVAL_EVAL_DRAW_H

#include "eval/eval.h"

struct few__eval_draw {
    uint32_t *times;        // (n_units,) how often each was drawn
    double *sums;           // (n_columns,) of what was drawn
    double n_items, all_us; // how many items that were, and the time of running everything, never 0
};

/* Arrays lie in the arena. Errors: FEW_ENOMEM. */
enum few_status few__eval_draw_create(const struct few__eval *eval, size_t n_columns,
                                      struct few__arena *arena, struct few__eval_draw *draw,
                                      struct few_error *err);

/* Draw number 0 .. FEW__EVAL_DRAWS - 1. rows: (n_units, n_columns). */
void few__eval_draw(const struct few__eval *eval, const double *rows, size_t n_columns, size_t number,
                    struct few__eval_draw *draw);

/* The 25th smallest and the 25th largest of (FEW__EVAL_DRAWS,) values, which are sorted here. */
void few__eval_interval(double *values, double *low, double *high);

#endif
