// SPDX-License-Identifier: Apache-2.0
// Invariant: seen[] is zero, and ran[] false, between two items.
#include "policy/method_replay.h"

#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "exec/exec_sim.h"

#define OUTPUTS_MAX ((size_t)4 << 30) // of one item

struct replay_start {
    int64_t at_us;
    size_t model;
};

struct few__replay {
    const struct few__trace *trace;
    const struct few_cost *costs;
    bool outputs;
    struct few__arena arena, item; // arrays; outputs of the item at hand
    struct few__sched sched;
    struct few__chooser chooser; // keeps what each model was started for
    struct few__exec *exec;
    int64_t clock_us; // of the executor, which never goes back: items follow each other
    struct few__sim_truth *truth;
    struct few__worth *worths; // (n_models,) of the last start
    struct replay_start *starts;
    struct few__replay_step *steps;
    float *seen; // (n_labels,)
    bool *ran;   // (n_models,)
};

/* ---- life ---- */

static void begin(void *self, const struct few__view *view)
{
    const struct few__replay *r = self;
    if (r->sched.chooser.begin) r->sched.chooser.begin(r->sched.chooser.self, view);
}

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct few__replay *r = self;
    r->sched.chooser.choose(r->sched.chooser.self, view, choice);
    for (size_t i = 0; choice->answer == FEW__START && i < choice->n; i++)
        r->worths[choice->models[i]] = few__sched_deadline_worth(&r->sched);
}

static enum few_status prepare(struct few__replay *r, const struct few_env *env, struct few_error *err)
{
    size_t n = r->trace->catalog.n_models;
    r->truth = FEW__ARENA_NEW(&r->arena, struct few__sim_truth, n);
    r->worths = FEW__ARENA_NEW(&r->arena, struct few__worth, n);
    r->starts = FEW__ARENA_NEW(&r->arena, struct replay_start, n);
    r->steps = FEW__ARENA_NEW(&r->arena, struct few__replay_step, n);
    r->seen = FEW__ARENA_NEW(&r->arena, float, r->trace->catalog.n_labels);
    r->ran = FEW__ARENA_NEW(&r->arena, bool, n);
    if (!r->truth || !r->worths || !r->starts || !r->steps || !r->seen || !r->ran)
        return few__no_memory(err, "replay");
    r->chooser =
        (struct few__chooser){.self = r, .name = r->sched.chooser.name, .begin = begin, .choose = choose};
    const struct few__exec_opts opts = {
        .env = env, .catalog = &r->trace->catalog, .costs = r->costs, .choosers = &r->chooser, .n_lanes = 1};
    return few__exec_create(&opts, &r->exec, err);
}

enum few_status few__replay_create(const struct few__replay_opts *opts, struct few__value value,
                                   enum few__rank rank, const struct few_env *env, struct few__replay **out,
                                   struct few_error *err)
{
    struct few_env e = few__env(env);
    struct few__sched sched;
    *out = NULL;
    FEW__TRY(few__sched_deadline_create(&opts->trace->catalog, value, rank, &e, &sched, err));
    struct few__replay *r = FEW__NEW(e.mem, struct few__replay);
    if (!r) {
        few__sched_destroy(&sched);
        return few__no_memory(err, "replay");
    }
    *r = (struct few__replay){
        .trace = opts->trace, .costs = opts->costs, .outputs = opts->outputs, .sched = sched};
    few__arena_init(&r->arena, e.mem, SIZE_MAX / 2);
    few__arena_init(&r->item, e.mem, OUTPUTS_MAX);
    enum few_status status = prepare(r, &e, err);
    if (status == FEW_OK) *out = r;
    else few__replay_destroy(r);
    return status;
}

void few__replay_destroy(struct few__replay *r)
{
    if (!r) return;
    const struct few_mem *mem = r->arena.mem;
    few__exec_destroy(r->exec);
    few__sched_destroy(&r->sched);
    few__arena_finish(&r->arena);
    few__arena_finish(&r->item);
    few__free(mem, r);
}

/* ---- the truth ---- */

static enum few_status give_output(struct few__replay *r, size_t model, const struct few__trace_cell *cell,
                                   struct few_error *err)
{
    if (!r->outputs || !cell->packed) return FEW_OK;
    struct few_output *output = FEW__ARENA_NEW(&r->item, struct few_output, 1);
    if (!output) return few__no_memory(err, "replay");
    r->truth[model].output = output;
    return few__trace_unpack(&r->trace->catalog.models[model], cell->packed, cell->n_packed, &r->item, output,
                             err);
}

static enum few_status set_truth(struct few__replay *r, size_t item, struct few_error *err)
{
    few__arena_reset(&r->item);
    for (size_t m = 0; m < r->trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(r->trace, item, m);
        enum few__result result = cell->outcome == FEW_FAILED ? FEW__RESULT_FAILED
                                  : cell->empty               ? FEW__RESULT_EMPTY
                                                              : FEW__RESULT_OK;
        r->truth[m] = (struct few__sim_truth){.time_us = cell->time_us > 0 ? cell->time_us : 1,
                                              .result = result,
                                              .valuable = cell->valuable,
                                              .n_valuable = cell->n_valuable};
        FEW__TRY(give_output(r, m, cell, err));
    }
    return FEW_OK;
}

static void set_wish(struct few__replay *r)
{
    for (size_t m = 0; m < r->trace->catalog.n_models; m++)
        r->truth[m] = (struct few__sim_truth){.time_us = r->costs[m].time_us > 0 ? r->costs[m].time_us : 1,
                                              .result = FEW__RESULT_OK};
}

// Of which modalities the item has something: not that of a model without a need that was skipped with an empty output.
static unsigned parts_of(const struct few__trace *trace, size_t item)
{
    unsigned parts = FEW__ALL_PARTS;
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        const struct few_model *model = &trace->catalog.models[m];
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        if (model->needs < 0 && cell->outcome == FEW_SKIPPED && cell->empty)
            parts &= ~(1U << model->modality);
    }
    return parts;
}

size_t few__replay_gap(const struct few__trace *trace, size_t item)
{
    size_t m = 0;
    for (; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        int needs = trace->catalog.models[m].needs;
        if (cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED || cell->empty) continue;
        if (needs < 0) break;
        const struct few__trace_cell *need = few__trace_cell(trace, item, (size_t)needs);
        if (need->outcome == FEW_EXECUTED && !need->empty) break;
    }
    return m;
}

/* ---- steps ---- */

static int by_start(const void *a, const void *b)
{
    const struct replay_start *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

static size_t play(struct few__replay *r, size_t item, unsigned parts)
{
    const struct few__sim_about about = {.has_parts = parts};
    size_t n = 0;
    r->clock_us = few__sim_item_about(r->exec, item, &about, r->clock_us, FEW__NO_DEADLINE, r->truth);
    const struct few__exec_row *rows = few__exec_rows(r->exec, 0);
    for (size_t m = 0; m < r->trace->catalog.n_models; m++)
        if (rows[m].start_us >= 0) r->starts[n++] = (struct replay_start){rows[m].start_us, m};
    qsort(r->starts, n, sizeof *r->starts, by_start);
    return n;
}

// Value that the model's output on this item adds to what is seen.
static double add_value(struct few__replay *r, const struct few__trace_cell *cell)
{
    double gain = 0;
    for (uint32_t i = 0; cell->outcome == FEW_EXECUTED && i < cell->n_valuable; i++) {
        float *seen = &r->seen[cell->valuable[i].label], confidence = cell->valuable[i].confidence;
        if (!(confidence > *seen)) continue;
        gain += (double)confidence - (double)*seen;
        *seen = confidence;
    }
    return gain;
}

static void forget(struct few__replay *r, size_t item)
{
    size_t n = r->trace->catalog.n_models;
    for (size_t m = 0; m < n; m++) {
        const struct few__trace_cell *cell = few__trace_cell(r->trace, item, m);
        for (uint32_t i = 0; i < cell->n_valuable; i++) r->seen[cell->valuable[i].label] = 0;
    }
    memset(r->ran, 0, n * sizeof *r->ran);
}

static double time_of(const struct few__trace_cell *cell)
{
    bool ran = cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED;
    return ran ? (double)cell->time_us : 0;
}

static bool in_reach(const struct few__replay *r, size_t item, size_t model)
{
    int need = r->trace->catalog.models[model].needs;
    return need < 0 || (r->ran[need] && !few__trace_cell(r->trace, item, (size_t)need)->empty);
}

static void take_steps(struct few__replay *r, size_t item, size_t n, struct few__replay_item *out)
{
    *out = (struct few__replay_item){.n_steps = n, .steps = r->steps};
    for (size_t m = 0; m < r->trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(r->trace, item, m);
        out->value += add_value(r, cell);
        out->time_us += time_of(cell);
    }
    forget(r, item);
    for (size_t k = 0; k < n; k++) {
        size_t model = r->starts[k].model;
        const struct few__trace_cell *cell = few__trace_cell(r->trace, item, model);
        r->steps[k] = (struct few__replay_step){.model = model, .worth = r->worths[model]};
        if (!in_reach(r, item, model)) continue;
        r->ran[model] = cell->outcome == FEW_EXECUTED;
        r->steps[k].gain = add_value(r, cell);
        r->steps[k].time_us = time_of(cell);
    }
    forget(r, item);
}

enum few_status few__replay_run(struct few__replay *r, size_t item, struct few__replay_item *out,
                                struct few_error *err)
{
    *out = (struct few__replay_item){0};
    FEW__TRY(set_truth(r, item, err));
    take_steps(r, item, play(r, item, parts_of(r->trace, item)), out);
    return FEW_OK;
}

void few__replay_wish(struct few__replay *r, size_t item, struct few__replay_item *out)
{
    set_wish(r);
    take_steps(r, item, play(r, item, FEW__ALL_PARTS), out);
}
