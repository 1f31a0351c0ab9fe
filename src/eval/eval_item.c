// SPDX-License-Identifier: Apache-2.0
/* One item of a trace while its models run, and what that adds to a point. AMS 1.2 (algorithms.md). Invariant: seen[] is
 * zero but for the labels of the item at hand. */
#include <math.h>
#include <string.h>

#include "core/error.h"
#include "eval/eval.h"

enum few_status few__eval_item_create(const struct few__eval *eval, struct few__eval_item *state,
                                      struct few_error *err)
{
    *state =
        (struct few__eval_item){.trace = eval->trace,
                                .item = eval->test[0],
                                .seen = FEW__ARENA_NEW(eval->arena, float, eval->trace->catalog.n_labels),
                                .ran = FEW__ARENA_NEW(eval->arena, bool, eval->trace->catalog.n_models)};
    return state->seen && state->ran ? FEW_OK : few__no_memory(err, "evaluation");
}

static bool says_nothing(const struct few_model *model, const struct few__trace_cell *cell)
{
    if (cell->outcome != FEW_EXECUTED) return true;
    return model->kind == FEW_LABELS ? cell->n_valuable == 0 : cell->empty;
}

static bool reachable(const struct few__eval_item *state, size_t model)
{
    int need = state->trace->catalog.models[model].needs;
    return need < 0 || (state->ran[need] && !few__trace_cell(state->trace, state->item, (size_t)need)->empty);
}

static void add_values(struct few__eval_item *state, const struct few__trace_cell *cell)
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

void few__eval_execute(struct few__eval_item *state, size_t model)
{
    const struct few__trace_cell *cell = few__trace_cell(state->trace, state->item, model);
    state->ran[model] = true;
    state->n_ran++;
    state->gained += !says_nothing(&state->trace->catalog.models[model], cell);
    add_values(state, cell);
}

void few__eval_run(struct few__eval_item *state, size_t model)
{
    if (!reachable(state, model)) return;
    const struct few__trace_cell *cell = few__trace_cell(state->trace, state->item, model);
    if (cell->outcome == FEW_EXECUTED) few__eval_execute(state, model);
    if (cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED) state->time_us += cell->time_us;
}

void few__eval_rows(struct few__eval_item *state, const struct few__exec_row *rows, double *late)
{
    for (size_t m = 0; m < state->trace->catalog.n_models; m++) {
        if (rows[m].outcome == FEW_EXECUTED) few__eval_execute(state, m);
        *late += rows[m].outcome == FEW_LATE;
        if (rows[m].start_us >= 0) state->time_us += (double)(rows[m].end_us - rows[m].start_us);
    }
}

static void forget_labels(const struct few__trace *trace, size_t item, float *seen)
{
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        for (uint32_t i = 0; i < cell->n_valuable; i++) seen[cell->valuable[i].label] = 0;
    }
}

void few__eval_begin(struct few__eval_item *state, size_t item)
{
    forget_labels(state->trace, state->item, state->seen);
    memset(state->ran, 0, state->trace->catalog.n_models * sizeof *state->ran);
    state->item = item;
    state->value = state->n_labels = state->time_us = state->n_ran = state->gained = 0;
}

struct few__eval_whole few__eval_whole(const struct few__trace *trace, size_t item, float *seen)
{
    struct few__eval_whole whole = {0};
    struct few__eval_item state = {.trace = trace, .item = item, .seen = seen};
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

void few__eval_add(struct few__eval_point *sum, const struct few__eval_item *state,
                   const struct few__eval_whole *whole)
{
    sum->time_ratio += state->time_us;
    sum->models += state->n_ran;
    sum->recall += whole->value > 0 ? fmin(1, state->value / whole->value) : 1;
    sum->label_recall += whole->n_labels > 0 ? state->n_labels / whole->n_labels : 1;
    sum->agreement += (whole->unanimous + state->gained) / (double)state->trace->catalog.n_models;
}

struct few__sim_about few__eval_about(const struct few__trace *trace, size_t item)
{
    struct few__sim_about about = {.has_parts = FEW__ALL_PARTS};
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few_model *model = &trace->catalog.models[m];
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        if (model->needs < 0 && cell->outcome == FEW_SKIPPED && cell->empty)
            about.has_parts &= ~(1U << model->modality);
    }
    return about;
}

/* ---- what models say of it ---- */

enum few_status few__eval_said_create(const struct few__eval *eval, const struct few__eval_method *method,
                                      struct few__eval_said *said, struct few_error *err)
{
    size_t n = eval->trace->catalog.n_models;
    *said = (struct few__eval_said){.trace = eval->trace,
                                    .has_outputs = method->learned && method->learned->has_outputs,
                                    .truth = FEW__ARENA_NEW(eval->arena, struct few__sim_truth, n),
                                    .outputs = FEW__ARENA_NEW(eval->arena, struct few_output, n)};
    few__arena_init(&said->scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    return said->truth && said->outputs ? FEW_OK : few__no_memory(err, "evaluation");
}

void few__eval_said_finish(struct few__eval_said *said)
{
    few__arena_finish(&said->scratch);
}

enum few_status few__eval_said_item(struct few__eval_said *said, size_t item, struct few_error *err)
{
    const struct few_catalog *catalog = &said->trace->catalog;
    said->item = item;
    few__eval_truth(said->trace, item, said->truth);
    if (!said->has_outputs) return FEW_OK;
    few__arena_reset(&said->scratch);
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(said->trace, item, m);
        if (!cell->packed) continue;
        FEW__TRY(few__trace_unpack(&catalog->models[m], cell->packed, cell->n_packed, &said->scratch,
                                   &said->outputs[m], err));
        said->truth[m].output = &said->outputs[m];
    }
    return FEW_OK;
}

void few__eval_truth(const struct few__trace *trace, size_t item, struct few__sim_truth *truth)
{
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        enum few__result result = cell->outcome == FEW_FAILED ? FEW__RESULT_FAILED
                                  : cell->empty               ? FEW__RESULT_EMPTY
                                                              : FEW__RESULT_OK;
        truth[m] = (struct few__sim_truth){.time_us = cell->time_us > 0 ? cell->time_us : 1,
                                           .result = result,
                                           .valuable = cell->valuable,
                                           .n_valuable = cell->n_valuable};
    }
}

struct few__eval_point few__eval_mean(const struct few__eval_point *sum, const struct few__eval *eval)
{
    double n = (double)eval->n_test;
    return (struct few__eval_point){.time_ratio =
                                        eval->run_all_us > 0 ? sum->time_ratio / eval->run_all_us : 0,
                                    .models = sum->models / n,
                                    .recall = sum->recall / n,
                                    .label_recall = sum->label_recall / n,
                                    .agreement = sum->agreement / n,
                                    .late = sum->late / n,
                                    .wall_us = sum->wall_us / n,
                                    .certificate = sum->certificate / n,
                                    .relaxed = sum->relaxed / n};
}

static double between(double a, double b, double share)
{
    return a + share * (b - a);
}

struct few__eval_point few__eval_curve_at(const struct few__eval_point *curve, size_t n, double wanted)
{
    size_t k = 0;
    while (k < n && curve[k].recall < wanted - FEW__EVAL_SLACK) k++;
    if (k == 0 || curve[k].recall < wanted) return curve[k];
    const struct few__eval_point *a = &curve[k - 1], *b = &curve[k];
    double share = (wanted - a->recall) / (b->recall - a->recall);
    return (struct few__eval_point){.time_ratio = between(a->time_ratio, b->time_ratio, share),
                                    .models = between(a->models, b->models, share),
                                    .recall = between(a->recall, b->recall, share),
                                    .label_recall = between(a->label_recall, b->label_recall, share),
                                    .agreement = between(a->agreement, b->agreement, share)};
}
