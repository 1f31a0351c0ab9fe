// SPDX-License-Identifier: Apache-2.0
/* Intervals: the paired bootstrap (Efron 1979, percentiles). The test units are drawn with replacement, as many as there are,
 * and every number is read again as if these had been the items. All methods see the same draws, so that the ratio of two
 * methods is drawn too, and what both have in common cancels. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/rng.h"
#include "eval/eval_tally.h"

#define STREAM UINT64_C(0x6472617773) // of the seed's random numbers: apart from those of items

enum { LOW = FEW__EVAL_DRAWS * 25 / 1000 - 1, HIGH = FEW__EVAL_DRAWS * 975 / 1000 - 1 };

struct draw {
    uint32_t *times; // (n_units,) how often each was drawn
    double *sums;    // (n_columns,)
    double n_items, all_us;
    struct few__eval_point *curve;         // (n_points,) time_ratio and recall
    double *promise_time, *promise_recall; // (n_recalls, DRAWS)
};

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

// values: (DRAWS,) sorted here
static void interval(double *values, double *low, double *high)
{
    qsort(values, FEW__EVAL_DRAWS, sizeof *values, by_size);
    *low = values[LOW];
    *high = values[HIGH];
}

static void add_row(double *sums, const double *row, double times, size_t n)
{
    for (size_t c = 0; c < n; c++) sums[c] += times * row[c];
}

static void draw_units(const struct few__eval *eval, const struct few__eval_tally *tally, size_t number,
                       struct draw *d)
{
    struct few__rng rng;
    few__rng_init(&rng, eval->seed, STREAM + number);
    memset(d->times, 0, eval->n_units * sizeof *d->times);
    memset(d->sums, 0, tally->n_columns * sizeof *d->sums);
    d->n_items = d->all_us = 0;
    for (size_t u = 0; u < eval->n_units; u++) d->times[few__rng_below(&rng, eval->n_units)]++;
    for (size_t u = 0; u < eval->n_units; u++) {
        if (d->times[u] == 0) continue;
        d->n_items += d->times[u] * eval->unit_items[u];
        d->all_us += d->times[u] * eval->unit_us[u];
        add_row(d->sums, few__eval_tally_recall(tally, u, 0), d->times[u], tally->n_columns);
    }
    if (d->all_us <= 0) d->all_us = 1; // no model ran on any of them
}

static void read_draw(const struct few__eval *eval, const struct few__eval_tally *tally, size_t number,
                      struct draw *d, struct few__eval_result *result)
{
    const double *points = d->sums + tally->n_recalls, *promises = points + 2 * tally->n_points;
    for (size_t k = 0; k < tally->n_points; k++)
        d->curve[k] = (struct few__eval_point){.time_ratio = points[2 * k] / d->all_us,
                                               .recall = points[2 * k + 1] / d->n_items};
    for (size_t i = 0; i < tally->n_recalls; i++) {
        size_t at = i * FEW__EVAL_DRAWS + number;
        result->drawn_recall[at] = d->sums[i] / d->all_us;
        result->drawn_stop[at] =
            few__eval_curve_at(d->curve, tally->n_points - 1, eval->recalls[i]).time_ratio;
        d->promise_time[at] = promises[2 * i] / d->all_us;
        d->promise_recall[at] = promises[2 * i + 1] / d->n_items;
    }
}

static bool take_memory(const struct few__eval *eval, const struct few__eval_tally *tally, struct draw *d,
                        struct few__eval_result *result, struct few__arena *scratch)
{
    size_t n = tally->n_recalls * FEW__EVAL_DRAWS;
    d->times = FEW__ARENA_NEW(scratch, uint32_t, eval->n_units);
    d->sums = FEW__ARENA_NEW(scratch, double, tally->n_columns);
    d->curve = FEW__ARENA_NEW(scratch, struct few__eval_point, tally->n_points);
    d->promise_time = FEW__ARENA_NEW(scratch, double, n);
    d->promise_recall = FEW__ARENA_NEW(scratch, double, n);
    result->drawn_recall = FEW__ARENA_NEW(eval->arena, double, n);
    result->drawn_stop = FEW__ARENA_NEW(eval->arena, double, n);
    return d->times && d->sums && d->curve && d->promise_time && d->promise_recall && result->drawn_recall &&
           result->drawn_stop;
}

enum few_status few__eval_resample(const struct few__eval *eval, const struct few__eval_tally *tally,
                                   struct few__eval_result *result, struct few_error *err)
{
    struct few__arena scratch;
    struct draw d = {0};
    few__arena_init(&scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    bool has_memory = take_memory(eval, tally, &d, result, &scratch);
    for (size_t b = 0; has_memory && b < FEW__EVAL_DRAWS; b++) {
        draw_units(eval, tally, b, &d);
        read_draw(eval, tally, b, &d, result);
    }
    for (size_t i = 0; has_memory && result->promise && i < tally->n_recalls; i++) {
        struct few__eval_promise *promise = &result->promise[i];
        interval(&d.promise_time[i * FEW__EVAL_DRAWS], &promise->time_low, &promise->time_high);
        interval(&d.promise_recall[i * FEW__EVAL_DRAWS], &promise->recall_low, &promise->recall_high);
    }
    few__arena_finish(&scratch);
    return has_memory ? FEW_OK : few__no_memory(err, "evaluation");
}

/* ---- one method against another ---- */

// ratio: low and high of mine over theirs, where theirs is never 0
static bool against(const double *mine, const double *theirs, double *scratch, struct few__eval_span *span)
{
    for (size_t b = 0; b < FEW__EVAL_DRAWS; b++) {
        if (!(theirs[b] > 0)) return false;
        scratch[b] = mine[b] / theirs[b];
    }
    interval(scratch, &span->ratio_low, &span->ratio_high);
    return true;
}

static void span_of(const struct few__eval_point *mine, const double *drawn,
                    const struct few__eval_point *theirs, const double *theirs_drawn, double *scratch,
                    struct few__eval_span *span)
{
    if (theirs && theirs->time_ratio > 0 && against(drawn, theirs_drawn, scratch, span)) {
        span->has_static = true;
        span->ratio = mine->time_ratio / theirs->time_ratio;
    }
    memcpy(scratch, drawn, FEW__EVAL_DRAWS * sizeof *scratch);
    interval(scratch, &span->low, &span->high);
}

enum few_status few__eval_spans(const struct few__eval *eval, struct few__eval_result *result,
                                struct few_error *err)
{
    const struct few__eval_result *base = eval->base_static;
    bool is_base = strcmp(result->method->name, "static") == 0;
    result->recall_span = FEW__ARENA_NEW(eval->arena, struct few__eval_span, eval->n_recalls);
    result->stop_span = FEW__ARENA_NEW(eval->arena, struct few__eval_span, eval->n_recalls);
    double *scratch = FEW__ARENA_NEW(eval->arena, double, FEW__EVAL_DRAWS);
    if (!result->recall_span || !result->stop_span || !scratch) return few__no_memory(err, "evaluation");
    for (size_t i = 0; i < eval->n_recalls; i++) {
        size_t at = i * FEW__EVAL_DRAWS;
        span_of(&result->recall[i], &result->drawn_recall[at], is_base ? NULL : &base->recall[i],
                &base->drawn_recall[at], scratch, &result->recall_span[i]);
        span_of(&result->stop[i], &result->drawn_stop[at], is_base ? NULL : &base->stop[i],
                &base->drawn_stop[at], scratch, &result->stop_span[i]);
    }
    return FEW_OK;
}
