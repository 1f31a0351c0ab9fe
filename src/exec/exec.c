// SPDX-License-Identifier: Apache-2.0
/* The executor's pure core: a machine of states over one item at a time.
 *
 * Invariants: n_pending + n_running + models DONE = n_models; running[] holds exactly the RUNNING models in
 * the order of start; a pending model's need is pending, running, or executed with something found (whatever
 * else happens to a need is passed on to its users at once); seen[l] > 0 only for labels in touched[].
 * Corner cases and how each was decided: docs/exec.md. */
#include "exec/exec.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/chain.h"
#include "exec/exec_log.h"
#include "exec/pace.h"

#define MEMORY_MAX ((size_t)64 << 20) // of one executor: some 100 bytes a model, 8 a label

struct few__exec {
    struct few__arena arena; // holds every array below
    struct few__chains chains;
    struct few__chooser chooser;
    struct few__exec_log *log; // NULL = none
    struct few__view view;     // what the chooser sees: the arrays below
    bool keep_pace;            // view.pace follows what runs take
    bool open;                 // between ITEM and FINISH

    struct few_cost *costs;            // (n_models,)
    enum few__state *states;           // (n_models,)
    enum few_outcome *outcomes;        // (n_models,)
    bool *found;                       // (n_models,)
    const struct few_output **outputs; // (n_models,)
    struct few__exec_row *rows;        // (n_models,)
    size_t *chosen;                    // (n_models,) room for the chooser's answer
    int64_t *chain_us;                 // (n_models,) scratch of stop
    size_t *running;                   // (n_lanes,)
    float *seen;                       // (n_labels,)
    int32_t *touched;                  // (n_labels,) labels with seen > 0
    size_t n_touched;

    struct few__action *actions; // of the step under way; the caller's
    size_t n_actions;
};

/* ---- life ---- */

static bool take_memory(struct few__exec *exec, size_t n, size_t n_labels, size_t n_lanes)
{
    struct few__arena *arena = &exec->arena;
    exec->costs = FEW__ARENA_NEW(arena, struct few_cost, n);
    exec->states = FEW__ARENA_NEW(arena, enum few__state, n);
    exec->outcomes = FEW__ARENA_NEW(arena, enum few_outcome, n);
    exec->found = FEW__ARENA_NEW(arena, bool, n);
    exec->outputs = FEW__ARENA_NEW(arena, const struct few_output *, n);
    exec->rows = FEW__ARENA_NEW(arena, struct few__exec_row, n);
    exec->chosen = FEW__ARENA_NEW(arena, size_t, n);
    exec->chain_us = FEW__ARENA_NEW(arena, int64_t, n);
    exec->running = FEW__ARENA_NEW(arena, size_t, n_lanes);
    exec->seen = FEW__ARENA_NEW(arena, float, n_labels);
    exec->touched = FEW__ARENA_NEW(arena, int32_t, n_labels);
    return exec->costs && exec->states && exec->outcomes && exec->found && exec->outputs && exec->rows &&
           exec->chosen && exec->chain_us && exec->running && exec->seen && exec->touched;
}

static void set_view(struct few__exec *exec, const struct few__exec_opts *opts, size_t n_lanes)
{
    for (size_t i = 0; i < opts->catalog->n_models; i++) {
        struct few_cost cost = opts->costs[i];
        if (cost.time_us < 1) cost.time_us = 1;
        if (cost.time_us > FEW__TIME_MAX_US) cost.time_us = FEW__TIME_MAX_US;
        exec->costs[i] = cost;
    }
    exec->view = (struct few__view){.catalog = opts->catalog,
                                    .costs = exec->costs,
                                    .states = exec->states,
                                    .outcomes = exec->outcomes,
                                    .found = exec->found,
                                    .outputs = exec->outputs,
                                    .seen = exec->seen,
                                    .running = exec->running,
                                    .n_lanes = n_lanes,
                                    .pace = FEW__PACE_START,
                                    .now_us = INT64_MIN,
                                    .deadline_us = FEW__NO_DEADLINE};
}

enum few_status few__exec_create(const struct few__exec_opts *opts, struct few__exec **exec,
                                 struct few_error *err)
{
    *exec = NULL;
    struct few_env env = few__env(opts->env);
    size_t n_lanes = opts->n_lanes ? opts->n_lanes : 1;
    if (n_lanes > FEW__LANES_MAX)
        return few__fail(err, FEW_ELIMIT, "%zu lanes, expected at most %d", n_lanes, FEW__LANES_MAX);
    struct few__exec *e = FEW__NEW(env.mem, struct few__exec);
    if (!e) return few__no_memory(err, "executor");
    few__arena_init(&e->arena, env.mem, MEMORY_MAX);
    enum few_status status = few__chains_build(opts->catalog, &e->arena, &e->chains, err);
    if (status == FEW_OK && !take_memory(e, opts->catalog->n_models, opts->catalog->n_labels, n_lanes))
        status = few__no_memory(err, "executor");
    if (status != FEW_OK) {
        few__exec_destroy(e);
        return status;
    }
    e->chooser = opts->chooser;
    e->log = opts->log;
    e->keep_pace = opts->keep_pace;
    set_view(e, opts, n_lanes);
    *exec = e;
    return FEW_OK;
}

void few__exec_destroy(struct few__exec *exec)
{
    if (!exec) return;
    const struct few_mem *mem = exec->arena.mem;
    few__arena_finish(&exec->arena);
    few__free(mem, exec);
}

size_t few__exec_actions_max(const struct few__exec *exec)
{
    return exec->view.n_lanes + 1;
}

const struct few__exec_row *few__exec_rows(const struct few__exec *exec)
{
    return exec->rows;
}

const struct few__view *few__exec_view(const struct few__exec *exec)
{
    return &exec->view;
}

/* ---- what a step is made of ---- */

static void record(struct few__exec *exec, struct few__log_record r)
{
    r.at_us = exec->view.now_us;
    if (exec->log) few__exec_log_add(exec->log, r);
}

static void act(struct few__exec *exec, enum few__action_kind kind, size_t model)
{
    exec->actions[exec->n_actions++] = (struct few__action){.kind = kind, .model = model};
}

static void settle(struct few__exec *exec, size_t model, enum few_outcome outcome, enum few__reason reason)
{
    if (exec->states[model] == FEW__PENDING) exec->view.n_pending--;
    exec->states[model] = FEW__DONE;
    exec->outcomes[model] = outcome;
    exec->rows[model].outcome = outcome;
    exec->rows[model].reason = reason;
}

static void start(struct few__exec *exec, size_t model)
{
    struct few__view *view = &exec->view;
    assert(model < exec->chains.n && exec->states[model] == FEW__PENDING &&
           "the policy starts a model twice");
    int need = exec->chains.needs[model];
    assert((need < 0 || exec->found[need]) && "the policy starts a model before its need");
    exec->states[model] = FEW__RUNNING;
    exec->rows[model].start_us = view->now_us;
    exec->running[view->n_running++] = model;
    view->n_pending--;
    record(exec, (struct few__log_record){.kind = FEW__LOG_START, .model = model});
    act(exec, FEW__ACTION_START, model);
}

static void finish(struct few__exec *exec)
{
    exec->open = false;
    record(exec, (struct few__log_record){.kind = FEW__LOG_FINISH, .item = exec->view.item});
    act(exec, FEW__ACTION_FINISH, 0);
}

// The policy stopped: a pending model is judged with the needs that it would have had to wait for.
static void stop(struct few__exec *exec)
{
    const struct few__view *view = &exec->view;
    const struct few__chains *chains = &exec->chains;
    for (size_t i = 0; i < chains->n; i++) {
        size_t model = chains->order[i];
        int need = chains->needs[model];
        exec->chain_us[model] = 0;
        if (exec->states[model] != FEW__PENDING) continue;
        // What is not pending any more costs nothing; what this loop has just settled still counts.
        exec->chain_us[model] = exec->costs[model].time_us + (need < 0 ? 0 : exec->chain_us[need]);
        bool fits = few__view_fits(view, exec->chain_us[model]);
        settle(exec, model, FEW_SKIPPED, fits ? FEW__WHY_NOT_WORTH : FEW__WHY_NO_TIME);
    }
}

static void note_pace(struct few__exec *exec, size_t model, bool cut_off)
{
    struct few__view *view = &exec->view;
    if (!exec->keep_pace) return;
    int64_t took_us = view->now_us - exec->rows[model].start_us;
    view->pace = few__pace_next(view->pace, exec->costs[model].time_us, took_us, cut_off);
}

static void meet_deadline(struct few__exec *exec)
{
    struct few__view *view = &exec->view;
    record(exec, (struct few__log_record){.kind = FEW__LOG_DEADLINE});
    for (size_t i = 0; i < view->n_running; i++) {
        size_t model = exec->running[i];
        note_pace(exec, model, true);
        settle(exec, model, FEW_LATE, FEW__WHY_DEADLINE);
        exec->rows[model].end_us = view->now_us;
        record(exec, (struct few__log_record){.kind = FEW__LOG_CANCEL, .model = model});
        act(exec, FEW__ACTION_CANCEL, model);
    }
    view->n_running = 0;
    for (size_t i = 0; i < exec->chains.n; i++) {
        size_t model = exec->chains.order[i];
        int need = exec->chains.needs[model];
        if (exec->states[model] != FEW__PENDING) continue;
        bool missing = need >= 0 && (exec->rows[need].outcome == FEW_LATE ||
                                     exec->rows[need].reason == FEW__WHY_NEED_MISSING);
        settle(exec, model, FEW_SKIPPED, missing ? FEW__WHY_NEED_MISSING : FEW__WHY_DEADLINE);
    }
    finish(exec);
}

static void decide(struct few__exec *exec)
{
    struct few__view *view = &exec->view;
    // Nothing starts at the deadline, but what ends at this very instant on another lane still counts.
    bool over = view->now_us >= view->deadline_us;
    if (over && view->n_running == 0) {
        meet_deadline(exec);
        return;
    }
    while (!over && view->n_pending > 0 && view->n_running < view->n_lanes) {
        struct few__choice choice = {.answer = FEW__STOP, .models = exec->chosen};
        exec->chooser.choose(exec->chooser.self, view, &choice);
        if (choice.answer == FEW__STOP) stop(exec);
        if (choice.answer == FEW__WAIT) {
            assert(view->n_running > 0 && "the policy waits for nothing");
            break;
        }
        if (choice.answer != FEW__START) continue;
        assert(choice.n > 0 && choice.n <= view->n_lanes - view->n_running && "the policy starts too many");
        for (size_t i = 0; i < choice.n; i++) start(exec, choice.models[i]);
    }
    if (view->n_pending == 0 && view->n_running == 0) finish(exec);
}

/* ---- events ---- */

static void begin_item(struct few__exec *exec, const struct few__event *event)
{
    assert(!exec->open && "an item while one is open");
    struct few__view *view = &exec->view;
    exec->open = true;
    view->item = event->item;
    view->deadline_us = event->deadline_us;
    view->n_pending = exec->chains.n;
    view->n_running = 0;
    for (size_t i = 0; i < exec->n_touched; i++) exec->seen[exec->touched[i]] = 0;
    exec->n_touched = 0;
    for (size_t i = 0; i < exec->chains.n; i++) {
        exec->states[i] = FEW__PENDING;
        exec->outcomes[i] = FEW_SKIPPED;
        exec->found[i] = false;
        exec->outputs[i] = NULL;
        exec->rows[i] = (struct few__exec_row){
            .outcome = FEW_SKIPPED, .reason = FEW__WHY_DEADLINE, .start_us = -1, .end_us = -1};
    }
    record(exec, (struct few__log_record){
                     .kind = FEW__LOG_ITEM, .item = event->item, .deadline_us = event->deadline_us});
    if (view->now_us >= view->deadline_us) {
        meet_deadline(exec);
        return;
    }
    if (exec->chooser.begin) exec->chooser.begin(exec->chooser.self, view);
    decide(exec);
}

static void see(struct few__exec *exec, const struct few__event *event)
{
    for (size_t i = 0; i < event->n_valuable; i++) {
        int32_t label = event->valuable[i].label;
        float confidence = event->valuable[i].confidence;
        assert(label >= 0 && (size_t)label < exec->view.catalog->n_labels && "a label outside the catalog");
        if (!(confidence > exec->seen[label])) continue;
        if (exec->seen[label] == 0) exec->touched[exec->n_touched++] = label;
        exec->seen[label] = confidence;
    }
}

static void skip_users(struct few__exec *exec, size_t model, enum few__reason reason)
{
    for (size_t i = exec->chains.place[model] + 1; i < exec->chains.end[model]; i++)
        if (exec->states[exec->chains.order[i]] == FEW__PENDING)
            settle(exec, exec->chains.order[i], FEW_SKIPPED, reason);
}

static void end_model(struct few__exec *exec, const struct few__event *event)
{
    struct few__view *view = &exec->view;
    size_t model = event->model;
    assert(model < exec->chains.n && exec->states[model] == FEW__RUNNING &&
           "a model ended that does not run");
    if (view->now_us > view->deadline_us) {
        meet_deadline(exec);
        return;
    }
    size_t lane = 0;
    while (exec->running[lane] != model) lane++;
    view->n_running--;
    memmove(&exec->running[lane], &exec->running[lane + 1], (view->n_running - lane) * sizeof *exec->running);
    exec->rows[model].end_us = view->now_us;
    note_pace(exec, model, false);
    record(exec, (struct few__log_record){.kind = FEW__LOG_DONE, .model = model, .result = event->result});
    if (event->result == FEW__RESULT_FAILED) {
        settle(exec, model, FEW_FAILED, FEW__WHY_FAILED);
        skip_users(exec, model, FEW__WHY_NEED_FAILED);
    } else {
        settle(exec, model, FEW_EXECUTED, FEW__WHY_CHOSEN);
        exec->outputs[model] = event->output;
        exec->found[model] = event->result == FEW__RESULT_OK;
        if (exec->found[model]) see(exec, event);
        else skip_users(exec, model, FEW__WHY_NEED_EMPTY);
    }
    decide(exec);
}

size_t few__exec_step(struct few__exec *exec, int64_t now_us, const struct few__event *event,
                      struct few__action *actions)
{
    assert(now_us >= exec->view.now_us && "time went back");
    exec->view.now_us = now_us;
    exec->actions = actions;
    exec->n_actions = 0;
    switch (event->kind) {
    case FEW__EVENT_ITEM: begin_item(exec, event); break;
    case FEW__EVENT_DONE:
        if (exec->open) end_model(exec, event);
        break;
    case FEW__EVENT_DEADLINE:
        if (!exec->open) break;
        assert(now_us >= exec->view.deadline_us && "a deadline before its time");
        meet_deadline(exec);
        break;
    }
    return exec->n_actions;
}

/* ---- words ---- */

// The model at the top of the chain that began the trouble: the one whose own end was not passed on to it.
static const char *culprit(const struct few__exec *exec, size_t model)
{
    int at = exec->chains.needs[model];
    while (exec->chains.needs[at] >= 0 && exec->rows[at].reason == exec->rows[model].reason)
        at = exec->chains.needs[at];
    return exec->view.catalog->models[at].name;
}

void few__reason_text(const struct few__exec *exec, size_t model, char *text, size_t n)
{
    const char *policy = exec->chooser.name ? exec->chooser.name : "policy";
    switch (exec->rows[model].reason) {
    case FEW__WHY_CHOSEN: snprintf(text, n, "chosen by %s", policy); break;
    case FEW__WHY_NEED_EMPTY: snprintf(text, n, "its need %s found nothing", culprit(exec, model)); break;
    case FEW__WHY_NEED_MISSING: snprintf(text, n, "its need %s was late", culprit(exec, model)); break;
    case FEW__WHY_NEED_FAILED: snprintf(text, n, "its need %s failed", culprit(exec, model)); break;
    case FEW__WHY_NO_TIME: snprintf(text, n, "would not have ended before the deadline"); break;
    case FEW__WHY_NOT_WORTH: snprintf(text, n, "not worth its time, says %s", policy); break;
    case FEW__WHY_DEADLINE:
        snprintf(text, n,
                 exec->rows[model].outcome == FEW_LATE ? "not finished at the deadline"
                                                       : "the deadline came first");
        break;
    case FEW__WHY_FAILED: snprintf(text, n, "the model failed"); break;
    }
}
