// SPDX-License-Identifier: Apache-2.0
/* Intervals of a method's recalls and stops. All methods see the same draws, so that the ratio of two methods is drawn too, and
 * what both have in common cancels. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "eval/eval_draw.h"
#include "eval/eval_tally.h"

struct draw {
    struct few__eval_draw units;
    struct few__eval_point *curve;         // (n_points,) time_ratio and recall
    double *promise_time, *promise_recall; // (n_recalls, DRAWS)
};

static void read_draw(const struct few__eval *eval, const struct few__eval_tally *tally, size_t number,
                      struct draw *d, struct few__eval_result *result)
{
    const double *points = d->units.sums + tally->n_recalls, *promises = points + 2 * tally->n_points;
    for (size_t k = 0; k < tally->n_points; k++)
        d->curve[k] = (struct few__eval_point){.time_ratio = points[2 * k] / d->units.all_us,
                                               .recall = points[2 * k + 1] / d->units.n_items};
    for (size_t i = 0; i < tally->n_recalls; i++) {
        size_t at = i * FEW__EVAL_DRAWS + number;
        result->drawn_recall[at] = d->units.sums[i] / d->units.all_us;
        result->drawn_stop[at] =
            few__eval_curve_at(d->curve, tally->n_points - 1, eval->recalls[i]).time_ratio;
        d->promise_time[at] = promises[2 * i] / d->units.all_us;
        d->promise_recall[at] = promises[2 * i + 1] / d->units.n_items;
    }
}

static enum few_status take_memory(const struct few__eval *eval, const struct few__eval_tally *tally,
                                   struct few__arena *scratch, struct draw *d,
                                   struct few__eval_result *result, struct few_error *err)
{
    size_t n = tally->n_recalls * FEW__EVAL_DRAWS;
    FEW__TRY(few__eval_draw_create(eval, tally->n_columns, scratch, &d->units, err));
    d->curve = FEW__ARENA_NEW(scratch, struct few__eval_point, tally->n_points);
    d->promise_time = FEW__ARENA_NEW(scratch, double, n);
    d->promise_recall = FEW__ARENA_NEW(scratch, double, n);
    result->drawn_recall = FEW__ARENA_NEW(eval->arena, double, n);
    result->drawn_stop = FEW__ARENA_NEW(eval->arena, double, n);
    bool all = d->curve && d->promise_time && d->promise_recall && result->drawn_recall && result->drawn_stop;
    return all ? FEW_OK : few__no_memory(err, "evaluation");
}

static void read_promises(const struct few__eval_tally *tally, struct draw *d,
                          struct few__eval_result *result)
{
    for (size_t i = 0; i < tally->n_recalls; i++) {
        struct few__eval_promise *promise = &result->promise[i];
        few__eval_interval(&d->promise_time[i * FEW__EVAL_DRAWS], &promise->time_low, &promise->time_high);
        few__eval_interval(&d->promise_recall[i * FEW__EVAL_DRAWS], &promise->recall_low,
                           &promise->recall_high);
    }
}

enum few_status few__eval_resample(const struct few__eval *eval, const struct few__eval_tally *tally,
                                   struct few__eval_result *result, struct few_error *err)
{
    struct few__arena scratch;
    struct draw d = {0};
    few__arena_init(&scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    enum few_status status = take_memory(eval, tally, &scratch, &d, result, err);
    for (size_t b = 0; status == FEW_OK && b < FEW__EVAL_DRAWS; b++) {
        few__eval_draw(eval, tally->sums, tally->n_columns, b, &d.units);
        read_draw(eval, tally, b, &d, result);
    }
    if (status == FEW_OK && result->promise) read_promises(tally, &d, result);
    few__arena_finish(&scratch);
    return status;
}

/* ---- one method against another ---- */

// Few items may be drawn so that theirs takes no time at all: then mine is as good, or infinitely worse.
static void against(const double *mine, const double *theirs, double *scratch, struct few__eval_span *span)
{
    for (size_t b = 0; b < FEW__EVAL_DRAWS; b++)
        scratch[b] = theirs[b] > 0 ? mine[b] / theirs[b] : mine[b] > 0 ? INFINITY : 1;
    few__eval_interval(scratch, &span->ratio_low, &span->ratio_high);
}

static void span_of(const struct few__eval_point *mine, const double *drawn,
                    const struct few__eval_point *theirs, const double *theirs_drawn, double *scratch,
                    struct few__eval_span *span)
{
    span->has_static = theirs && theirs->time_ratio > 0;
    if (span->has_static) {
        span->ratio = mine->time_ratio / theirs->time_ratio;
        against(drawn, theirs_drawn, scratch, span);
    }
    memcpy(scratch, drawn, FEW__EVAL_DRAWS * sizeof *scratch);
    few__eval_interval(scratch, &span->low, &span->high);
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
