// SPDX-License-Identifier: Apache-2.0
/* One method over the test items of a trace, decided by the scheduler and the executor that decide live.
 *
 * Without a deadline an item gives one sequence of models; every stop is a prefix of it. A blind method (one
 * whose order does not depend on outputs) is asked for its sequence as if every model found something, so that a
 * prefix means the same models on every item. AMS 1.2, 1.7 (algorithms.md). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "exec/exec_sim.h"
#include "item/sched_deadline.h"
#include "session/eval.h"

static const double slack = 1e-9; // what sums in another order may differ by, relative

// An item while its models run one after the other.
struct state {
    const struct few__trace *trace;
    size_t item;
    float *seen; // (n_labels,) highest confidence of each label so far
    bool *ran;   // (n_models,) executed
    double value, n_labels, time_us, n_ran, gained;
};

struct replay {
    const struct few__eval *eval;
    struct few__exec *exec;
    struct few__sched sched;
    struct few__sim_truth *truth, *wish; // (n_models,) this item's; everything found
    struct few__eval_point *curve;       // (n_models + 1,) sums for each length of the prefix
    struct start *starts;                // (n_models,)
    size_t *sequence;                    // (n_models,)
    bool *reached;                       // (n_recalls,)
    int64_t clock_us;                    // of the executor, which never goes back; items follow each other
    struct state state;
};

struct start {
    int64_t at_us;
    size_t model;
};

/* ---- one item ---- */

static bool says_nothing(const struct few_model *model, const struct few__trace_cell *cell)
{
    if (cell->outcome != FEW_EXECUTED) return true;
    return model->kind == FEW_LABELS ? cell->n_valuable == 0 : cell->empty;
}

static bool reachable(const struct state *state, size_t model)
{
    int need = state->trace->catalog.models[model].needs;
    return need < 0 || (state->ran[need] && !few__trace_cell(state->trace, state->item, (size_t)need)->empty);
}

static void add_values(struct state *state, const struct few__trace_cell *cell)
{
    for (uint32_t i = 0; i < cell->n_valuable; i++) {
        float *seen = &state->seen[cell->valuable[i].label];
        float confidence = cell->valuable[i].confidence;
        if (confidence <= *seen) continue;
        state->n_labels += *seen == 0;
        state->value += (double)confidence - (double)*seen;
        *seen = confidence;
    }
}

static void execute(struct state *state, size_t model)
{
    const struct few__trace_cell *cell = few__trace_cell(state->trace, state->item, model);
    state->ran[model] = true;
    state->n_ran++;
    state->gained += !says_nothing(&state->trace->catalog.models[model], cell);
    add_values(state, cell);
}

// Runs the model as the trace has it; one that is out of reach costs nothing.
static void run_model(struct state *state, size_t model)
{
    if (!reachable(state, model)) return;
    const struct few__trace_cell *cell = few__trace_cell(state->trace, state->item, model);
    if (cell->outcome == FEW_EXECUTED) execute(state, model);
    if (cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED) state->time_us += cell->time_us;
}

static void forget_labels(const struct few__trace *trace, size_t item, float *seen)
{
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        for (uint32_t i = 0; i < cell->n_valuable; i++) seen[cell->valuable[i].label] = 0;
    }
}

static void begin_item(struct state *state, size_t item)
{
    forget_labels(state->trace, state->item, state->seen);
    memset(state->ran, 0, state->trace->catalog.n_models * sizeof *state->ran);
    state->item = item;
    state->value = state->n_labels = state->time_us = state->n_ran = state->gained = 0;
}

struct few__eval_whole few__eval_whole(const struct few__trace *trace, size_t item, float *seen)
{
    struct few__eval_whole whole = {0};
    struct state state = {.trace = trace, .item = item, .seen = seen};
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        whole.unanimous += says_nothing(&trace->catalog.models[m], cell);
        if (cell->outcome == FEW_EXECUTED) add_values(&state, cell);
        if (cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED) whole.time_us += cell->time_us;
    }
    forget_labels(trace, item, seen);
    whole.value = state.value;
    whole.n_labels = state.n_labels;
    return whole;
}

static void add_point(struct few__eval_point *sum, const struct state *state,
                      const struct few__eval_whole *whole)
{
    sum->time_ratio += state->time_us;
    sum->models += state->n_ran;
    sum->recall += whole->value > 0 ? fmin(1, state->value / whole->value) : 1;
    sum->label_recall += whole->n_labels > 0 ? state->n_labels / whole->n_labels : 1;
    sum->agreement += (whole->unanimous + state->gained) / (double)state->trace->catalog.n_models;
}

/* ---- without a deadline ---- */

static int by_start(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

// The models in the order in which they started; returns how many.
static size_t read_sequence(struct replay *r, size_t item, const struct few__sim_truth *truth)
{
    size_t n_models = r->eval->trace->catalog.n_models, n = 0;
    r->clock_us = few__sim_item(r->exec, item, r->clock_us, FEW__NO_DEADLINE, truth);
    const struct few__exec_row *rows = few__exec_rows(r->exec, 0);
    for (size_t m = 0; m < n_models; m++)
        if (rows[m].start_us >= 0) r->starts[n++] = (struct start){rows[m].start_us, m};
    qsort(r->starts, n, sizeof *r->starts, by_start);
    for (size_t i = 0; i < n; i++) r->sequence[i] = r->starts[i].model;
    return n;
}

static void note_recalls(struct replay *r, const struct few__eval_whole *whole, bool last,
                         struct few__eval_result *result)
{
    for (size_t i = 0; i < r->eval->n_recalls; i++) {
        if (r->reached[i]) continue;
        double wanted = r->eval->recalls[i] * whole->value;
        if (!last && r->state.value < wanted - slack * whole->value) continue;
        r->reached[i] = true;
        add_point(&result->recall[i], &r->state, whole);
    }
}

static void replay_freely(struct replay *r, size_t i_test, bool blind, struct few__eval_result *result)
{
    const struct few__eval_whole *whole = &r->eval->wholes[i_test];
    size_t item = r->eval->test[i_test], n_models = r->eval->trace->catalog.n_models;
    size_t n = read_sequence(r, item, blind ? r->wish : r->truth);
    memset(r->reached, 0, r->eval->n_recalls * sizeof *r->reached);
    begin_item(&r->state, item);
    for (size_t k = 0; k <= n_models; k++) {
        if (k > 0 && k <= n) run_model(&r->state, r->sequence[k - 1]);
        note_recalls(r, whole, k == n_models, result);
        add_point(&r->curve[k], &r->state, whole);
    }
}

/* ---- with a deadline ---- */

// The deadline covers decoding: what decoding took is gone when the first model can start.
static void replay_deadline(struct replay *r, size_t i_test, int64_t deadline_us, struct few__eval_point *sum)
{
    size_t item = r->eval->test[i_test];
    int64_t left_us = deadline_us - r->eval->trace->items[item].decode_us;
    begin_item(&r->state, item);
    double late = 0;
    if (left_us > 0) {
        r->clock_us = few__sim_item(r->exec, item, r->clock_us, left_us, r->truth);
        const struct few__exec_row *rows = few__exec_rows(r->exec, 0);
        for (size_t m = 0; m < r->eval->trace->catalog.n_models; m++) {
            if (rows[m].outcome == FEW_EXECUTED) execute(&r->state, m);
            late += rows[m].outcome == FEW_LATE;
            if (rows[m].start_us >= 0) r->state.time_us += (double)(rows[m].end_us - rows[m].start_us);
        }
    }
    add_point(sum, &r->state, &r->eval->wholes[i_test]);
    sum->late += late;
}

/* ---- all items ---- */

static void read_truth(struct replay *r, size_t item)
{
    const struct few__trace *trace = r->eval->trace;
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        enum few__result result = cell->outcome == FEW_FAILED ? FEW__RESULT_FAILED
                                  : cell->empty               ? FEW__RESULT_EMPTY
                                                              : FEW__RESULT_OK;
        r->truth[m] = (struct few__sim_truth){.time_us = cell->time_us > 0 ? cell->time_us : 1,
                                              .result = result,
                                              .valuable = cell->valuable,
                                              .n_valuable = cell->n_valuable};
    }
}

static void replay_items(struct replay *r, bool blind, struct few__eval_result *result)
{
    for (size_t i = 0; i < r->eval->n_test; i++) {
        read_truth(r, r->eval->test[i]);
        replay_freely(r, i, blind, result);
        for (size_t d = 0; d < r->eval->n_deadlines; d++)
            replay_deadline(r, i, r->eval->deadlines_us[d], &result->deadline[d]);
    }
}

static struct few__eval_point mean_of(const struct few__eval_point *sum, const struct few__eval *eval)
{
    double n = (double)eval->n_test;
    return (struct few__eval_point){.time_ratio =
                                        eval->run_all_us > 0 ? sum->time_ratio / eval->run_all_us : 0,
                                    .models = sum->models / n,
                                    .recall = sum->recall / n,
                                    .label_recall = sum->label_recall / n,
                                    .agreement = sum->agreement / n,
                                    .late = sum->late / n};
}

static double between(double a, double b, double share)
{
    return a + share * (b - a);
}

// The curve at mean recall `wanted`, on the straight line between the two prefixes around it.
static struct few__eval_point curve_at(const struct few__eval_point *curve, size_t n, double wanted)
{
    size_t k = 0;
    while (k < n && curve[k].recall < wanted - slack) k++;
    if (k == 0 || curve[k].recall < wanted) return curve[k];
    const struct few__eval_point *a = &curve[k - 1], *b = &curve[k];
    double share = (wanted - a->recall) / (b->recall - a->recall);
    return (struct few__eval_point){.time_ratio = between(a->time_ratio, b->time_ratio, share),
                                    .models = between(a->models, b->models, share),
                                    .recall = between(a->recall, b->recall, share),
                                    .label_recall = between(a->label_recall, b->label_recall, share),
                                    .agreement = between(a->agreement, b->agreement, share)};
}

static void finish_result(const struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    size_t n_models = eval->trace->catalog.n_models;
    for (size_t k = 0; k <= n_models; k++) r->curve[k] = mean_of(&r->curve[k], eval);
    for (size_t i = 0; i < eval->n_recalls; i++) {
        result->recall[i] = mean_of(&result->recall[i], eval);
        result->stop[i] = curve_at(r->curve, n_models, eval->recalls[i]);
    }
    for (size_t d = 0; d < eval->n_deadlines; d++) result->deadline[d] = mean_of(&result->deadline[d], eval);
}

static bool take_memory(struct replay *r, struct few__eval_result *result)
{
    const struct few__eval *eval = r->eval;
    struct few__arena *arena = eval->arena;
    size_t n = eval->trace->catalog.n_models;
    result->recall = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->stop = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_recalls);
    result->deadline = FEW__ARENA_NEW(arena, struct few__eval_point, eval->n_deadlines);
    r->truth = FEW__ARENA_NEW(arena, struct few__sim_truth, n);
    r->wish = FEW__ARENA_NEW(arena, struct few__sim_truth, n);
    r->curve = FEW__ARENA_NEW(arena, struct few__eval_point, n + 1);
    r->starts = FEW__ARENA_NEW(arena, struct start, n);
    r->sequence = FEW__ARENA_NEW(arena, size_t, n);
    r->reached = FEW__ARENA_NEW(arena, bool, eval->n_recalls);
    r->state.ran = FEW__ARENA_NEW(arena, bool, n);
    r->state.seen = FEW__ARENA_NEW(arena, float, eval->trace->catalog.n_labels);
    return result->recall && result->stop && result->deadline && r->truth && r->wish && r->curve &&
           r->starts && r->sequence && r->reached && r->state.ran && r->state.seen;
}

static enum few_status open_executor(struct replay *r, const struct few__eval_method *method,
                                     struct few_error *err)
{
    const struct few__eval *eval = r->eval;
    struct few__value value;
    FEW__TRY(method->value(eval, &value, err));
    FEW__TRY(few__sched_deadline_create(&eval->trace->catalog, value, FEW__RANK_RATIO, &eval->env,
                                        &r->sched, err));
    struct few__exec_opts opts = {.env = &eval->env,
                                  .catalog = &eval->trace->catalog,
                                  .costs = eval->costs,
                                  .choosers = &r->sched.chooser,
                                  .n_lanes = 1};
    return few__exec_create(&opts, &r->exec, err);
}

enum few_status few__eval_replay(const struct few__eval *eval, const struct few__eval_method *method,
                                 struct few__eval_result *result, struct few_error *err)
{
    struct replay r = {.eval = eval, .state = {.trace = eval->trace, .item = eval->test[0]}};
    *result = (struct few__eval_result){.method = method};
    if (!take_memory(&r, result)) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < eval->trace->catalog.n_models; m++)
        r.wish[m] = (struct few__sim_truth){.time_us = eval->costs[m].time_us, .result = FEW__RESULT_OK};
    enum few_status status = open_executor(&r, method, err);
    if (status == FEW_OK) {
        replay_items(&r, method->blind, result);
        finish_result(&r, result);
    }
    few__exec_destroy(r.exec);
    few__sched_destroy(&r.sched);
    return status;
}
