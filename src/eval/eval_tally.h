// SPDX-License-Identifier: Apache-2.0
/* What a replay adds up beside its means, unit by unit, so that the test items can be drawn again (eval_resample.c) and looked at
 * by source. A unit is a test item, or what is alike: the moments of one segment of a stream. Where there are more than
 * FEW__EVAL_UNITS_MAX, equal numbers of them are one, drawn by lot, so that what is kept does not grow with the trace. */
#ifndef FEW_EVAL_EVAL_TALLY_H
#define FEW_EVAL_EVAL_TALLY_H

#include "eval/eval.h"

enum { FEW__EVAL_UNITS_MAX = 4096 };

/* Columns of one unit: sums over its items.
 *     recalls  n_recalls   time until the truth says that the recall is reached
 *     curve    n_points    {time, recall} at each point of the method's own curve
 *     promise  n_recalls   {time, recall} at the price of each promise */
struct few__eval_tally {
    size_t n_recalls, n_points, n_columns;
    double *sums; // (n_units, n_columns)
};

/* Fill eval->n_units, units, unit_items, unit_us, n_sources, sources. Errors: FEW_ENOMEM. */
enum few_status few__eval_units(struct few__eval *eval, struct few_error *err);

/* All zero, in the arena. Errors: FEW_ENOMEM. */
enum few_status few__eval_tally_create(const struct few__eval *eval, size_t n_points,
                                       struct few__arena *arena, struct few__eval_tally *tally,
                                       struct few_error *err);

static inline double *few__eval_tally_recall(const struct few__eval_tally *tally, size_t unit, size_t i)
{
    return &tally->sums[unit * tally->n_columns + i];
}

static inline double *few__eval_tally_point(const struct few__eval_tally *tally, size_t unit, size_t k)
{
    return &tally->sums[unit * tally->n_columns + tally->n_recalls + 2 * k];
}

static inline double *few__eval_tally_promise(const struct few__eval_tally *tally, size_t unit, size_t i)
{
    return few__eval_tally_point(tally, unit, tally->n_points + i);
}

/* Draw the test items again and again: result->drawn, and the intervals of its promises. The curve of the tally is
 * the one that result->stop was read from. Cost: FEW__EVAL_DRAWS x units x columns. Errors: FEW_ENOMEM. */
enum few_status few__eval_resample(const struct few__eval *eval, const struct few__eval_tally *tally,
                                   struct few__eval_result *result, struct few_error *err);

/* The same numbers of each source alone: result->by_source. Errors: FEW_ENOMEM. */
enum few_status few__eval_by_source(const struct few__eval *eval, const struct few__eval_tally *tally,
                                    struct few__eval_result *result, struct few_error *err);

#endif
