// SPDX-License-Identifier: Apache-2.0
/* One method over the test items of a trace, decided by the scheduler and the executor that decide live.
 *
 * Without a deadline an item gives one sequence of models; every stop is a prefix of it. A blind method (one
 * whose order does not depend on outputs) is asked for its sequence as if every model found something, so that a
 * prefix means the same models on every item. AMS 1.2, 1.7 (algorithms.md).
 *
 * A method of a policy stops where the best that it could start is worth less than a price. Until then it starts what it would
 * start at any price, since value over time ranks: so one sequence serves all prices. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "eval/eval_lane.h"
#include "eval/eval_tally.h"

enum { N_PRICES = 96 };

struct target { // a price, and the sums of what it leads to
    double price;
    struct few__eval_point *sum;
    size_t column; // of the tally: a point of the curve, or n_points and the number of a promise
};

struct replay {
    const struct few__eval *eval;
    const struct few__eval_method *method;
    struct few__eval_lane lane;
    size_t n_points;
    struct few__eval_point *curve; // (n_points,) sums, from nothing to everything: of prefixes, or of prices
    size_t n_targets;
    struct target *targets; // (n_targets,) by falling price
    bool *reached;          // (n_recalls,)
    struct few__arena scratch;
    struct few__eval_tally tally;
    struct few__eval_item state;
};

/* ---- without a deadline ---- */

static double recall_of(const struct few__eval_item *state, const struct few__eval_whole *whole)
{
    return whole->value > 0 ? fmin(1, state->value / whole->value) : 1;
}

// Where the item stands now belongs to a point of the curve, or to a promise.
static void note_point(struct replay *r, size_t i_test, struct few__eval_point *sum, size_t column)
{
    const struct few__eval_whole *whole = &r->eval->wholes[i_test];
    double *tally = few__eval_tally_point(&r->tally, r->eval->units[i_test], column);
    few__eval_add(sum, &r->state, whole);
    tally[0] += r->state.time_us;
    tally[1] += recall_of(&r->state, whole);
}

static void note_recalls(struct replay *r, size_t i_test, bool last, struct few__eval_result *result)
{
    const struct few__eval_whole *whole = &r->eval->wholes[i_test];
    for (size_t i = 0; i < r->eval->n_recalls; i++) {
        if (r->reached[i]) continue;
        double wanted = r->eval->recalls[i] * whole->value;
        if (!last && r->state.value < wanted - FEW__EVAL_SLACK * whole->value) continue;
        r->reached[i] = true;
        few__eval_add(&result->recall[i], &r->state, whole);
        *few__eval_tally_recall(&r->tally, r->eval->units[i_test], i) += r->state.time_us;
    }
}

// Those that stop here, after k steps. from: the first that has not stopped before; returns the first that goes on.
static size_t note_prices(struct replay *r, size_t i_test, size_t k, size_t from)
{
    const struct few__eval_step *next = k < r->lane.n_steps ? &r->lane.steps[k] : NULL;
    for (; from < r->n_targets; from++) {
        double price = r->targets[from].price;
        if (next && !(next->worth.value < price * (double)next->worth.time_us)) break;
        note_point(r, i_test, r->targets[from].sum, r->targets[from].column);
    }
    return from;
}

static void replay_freely(struct replay *r, size_t i_test, struct few__eval_result *result)
{
    bool by_price = r->method->learned;
    size_t n_models = r->eval->trace->catalog.n_models, at = 0;
    few__eval_lane_freely(&r->lane, r->method->blind && !by_price);
    memset(r->reached, 0, r->eval->n_recalls * sizeof *r->reached);
    few__eval_begin(&r->state, r->eval->test[i_test]);
    for (size_t k = 0; k <= n_models; k++) {
        if (k > 0 && k <= r->lane.n_steps) few__eval_run(&r->state, r->lane.steps[k - 1].model);
        note_recalls(r, i_test, k == n_models, result);
        if (!by_price) note_point(r, i_test, &r->curve[k], k);
        else at = note_prices(r, i_test, k, at);
    }
}

/* ---- with a deadline ---- */

static void replay_deadline(struct replay *r, size_t i_test, int64_t deadline_us, struct few__eval_point *sum)
{
    few__eval_lane_deadline(&r->lane, deadline_us, &r->state, &sum->late);
    few__eval_add(sum, &r->state, &r->eval->wholes[i_test]);
}

/* ---- all items ---- */

static enum few_status replay_items(struct replay *r, struct few__eval_result *result, struct few_error *err)
{
    enum few__eval_kind kind = r->method->kind;
    bool has_deadlines = kind == FEW__EVAL_ORDER || kind == FEW__EVAL_PACK;
    for (size_t i = 0; i < r->eval->n_test; i++) {
        FEW__TRY(few__eval_lane_item(&r->lane, r->eval->test[i], err));
        replay_freely(r, i, result);
        for (size_t d = 0; has_deadlines && d < r->eval->n_deadlines; d++)
            replay_deadline(r, i, r->eval->deadlines_us[d], &result->deadline[d]);
    }
    return FEW_OK;
}

static void finish_result(const struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    for (size_t k = 0; k < r->n_points; k++) r->curve[k] = few__eval_mean(&r->curve[k], eval);
    for (size_t i = 0; i < eval->n_recalls; i++) {
        result->recall[i] = few__eval_mean(&result->recall[i], eval);
        result->stop[i] = few__eval_curve_at(r->curve, r->n_points - 1, eval->recalls[i]);
        if (!result->promise) continue;
        result->promise[i].point = few__eval_mean(&result->promise[i].point, eval);
    }
    for (size_t d = 0; d < eval->n_deadlines; d++)
        result->deadline[d] = few__eval_mean(&result->deadline[d], eval);
}

/* ---- prices ---- */

static int by_falling_price(const void *a, const void *b)
{
    const struct target *x = a, *y = b;
    return x->price > y->price ? -1 : x->price < y->price;
}

// What the policy does not promise has no price.
static void read_promises(struct replay *r, struct few__eval_result *result)
{
    const struct few__learned_about about = few__learned_about(r->eval->learned);
    size_t number = (size_t)(r->method->learned - about.methods);
    for (size_t i = 0; i < r->eval->n_recalls; i++) {
        struct few__eval_promise *promise = &result->promise[i];
        enum few_status status =
            few__learned_price(r->eval->learned, number, r->eval->recalls[i], &promise->stop, NULL);
        promise->given = status == FEW_OK;
        if (promise->given)
            r->targets[r->n_targets++] =
                (struct target){promise->stop.price, &promise->point, r->n_points + i};
    }
}

// The curve: nothing, prices, everything. Beside it, the prices of promises.
static enum few_status choose_prices(struct replay *r, struct few__eval_result *result, struct few_error *err)
{
    size_t n = r->n_points - 2;
    double prices[N_PRICES];
    FEW__TRY(few__eval_prices(r->eval, r->method, n, prices, err));
    r->targets[r->n_targets++] = (struct target){INFINITY, &r->curve[0], 0};
    for (size_t p = 0; p < n; p++)
        r->targets[r->n_targets++] = (struct target){prices[p], &r->curve[p + 1], p + 1};
    r->targets[r->n_targets++] = (struct target){-INFINITY, &r->curve[n + 1], n + 1};
    read_promises(r, result);
    qsort(r->targets, r->n_targets, sizeof *r->targets, by_falling_price);
    return FEW_OK;
}

static bool take_memory(struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    struct few__arena *arena = eval->arena;
    bool by_price = r->method->learned;
    r->n_points = by_price ? N_PRICES + 2 : eval->trace->catalog.n_models + 1;
    result->recall = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->stop = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->deadline = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_deadlines);
    if (by_price) result->promise = FEW__ARENA_NEW(arena, struct few__eval_promise, eval->n_recalls);
    r->curve = FEW__ARENA_NEW(arena, struct few__eval_point, r->n_points);
    r->targets = FEW__ARENA_NEW(arena, struct target, r->n_points + eval->n_recalls);
    r->reached = FEW__ARENA_NEW(arena, bool, eval->n_recalls);
    return result->recall && result->stop && result->deadline && (result->promise || !by_price) && r->curve &&
           r->targets && r->reached;
}

static enum few_status replay(struct replay *r, struct few__eval_result *result, struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    FEW__TRY(few__eval_item_create(eval, &r->state, err));
    if (!take_memory(r, result)) return few__no_memory(err, "evaluation");
    FEW__TRY(few__eval_tally_create(eval, r->n_points, &r->scratch, &r->tally, err));
    if (r->method->learned) FEW__TRY(choose_prices(r, result, err));
    FEW__TRY(few__eval_lane_open(eval, r->method, NULL, &r->lane, err));
    FEW__TRY(replay_items(r, result, err));
    finish_result(r, result);
    if (eval->wants_sources) FEW__TRY(few__eval_by_source(eval, &r->tally, result, err));
    return few__eval_resample(eval, &r->tally, result, err);
}

enum few_status few__eval_replay(const struct few__eval *eval, const struct few__eval_method *method,
                                 struct few__eval_result *result, struct few_error *err)
{
    struct replay r = {.eval = eval, .method = method};
    *result = (struct few__eval_result){.method = method};
    few__arena_init(&r.scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    enum few_status status = replay(&r, result, err);
    few__eval_lane_close(&r.lane);
    few__arena_finish(&r.scratch);
    return status;
}
