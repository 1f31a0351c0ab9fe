// SPDX-License-Identifier: Apache-2.0
/* The calling thread takes the decisions: it asks the core what to do, hands jobs to the threads of lanes.c and goes
 * on with whatever comes first, an end, a deadline or a time-out. All state here is its own; a lane writes outputs,
 * which are looked at once its run has ended.
 *
 * A run that nobody waits for is cancelled, and its lane and slots are used again when it has ended. */
#include "exec/exec_live.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/lanes.h"
#include "exec/watchdog.h"

// What runs on a lane.
struct live_lane {
    bool runs; // a model, not a read
    bool cancelled, timed_out;
    size_t model, n;
    const size_t *slots; // (n,) the core's
    int64_t until_us;    // time-out; INT64_MAX = none, or it has come
};

struct live_slot {
    bool open;           // its item has not been finished
    int64_t deadline_us; // INT64_MAX = none, or the core has been told
    int64_t end_us;
    struct few_error read_error;
    struct few_output *outputs;          // (n_models,)
    bool *has_output;                    // (n_models,)
    char (*messages)[FEW__LIVE_MESSAGE]; // (n_models,)
};

struct few__live {
    struct few_env env;
    struct few__live_opts opts;
    size_t n_slots, n_lanes, n_models;
    struct few__exec *exec;
    struct few__lanes *threads;
    struct few__action *actions; // (few__exec_actions_max,)
    struct live_lane *lanes;     // (n_lanes,)
    struct live_slot *slots;     // (n_slots,)
    size_t *finished;            // (n_slots,) ring of slots that few__live_wait has not returned
    size_t first_finished, n_finished, n_open;
    size_t n_jobs;                            // threads that are at work
    int64_t now_us;                           // of the last step
    char (*load_messages)[FEW__LIVE_MESSAGE]; // (n_models,) why it could not be loaded
    struct few_error warm_error;              // the first load that failed
};

/* ---- life ---- */

static enum few_status allocate_slot(struct few__live *l, struct live_slot *slot, struct few_error *err)
{
    const struct few_mem *mem = l->env.mem;
    slot->deadline_us = INT64_MAX;
    slot->outputs = FEW__NEW_N(mem, struct few_output, l->n_models);
    slot->has_output = FEW__NEW_N(mem, bool, l->n_models);
    slot->messages = few__new(mem, l->n_models, FEW__LIVE_MESSAGE);
    if (!slot->outputs || !slot->has_output || !slot->messages) return few__no_memory(err, "executor");
    return FEW_OK;
}

static enum few_status allocate(struct few__live *l, struct few_error *err)
{
    const struct few_mem *mem = l->env.mem;
    l->actions = FEW__NEW_N(mem, struct few__action, few__exec_actions_max(l->exec));
    l->slots = FEW__NEW_N(mem, struct live_slot, l->n_slots);
    l->lanes = FEW__NEW_N(mem, struct live_lane, l->n_lanes);
    l->finished = FEW__NEW_N(mem, size_t, l->n_slots);
    l->load_messages = few__new(mem, l->n_models, FEW__LIVE_MESSAGE);
    if (!l->actions || !l->slots || !l->lanes || !l->finished || !l->load_messages)
        return few__no_memory(err, "executor");
    for (size_t i = 0; i < l->n_lanes; i++) l->lanes[i].until_us = INT64_MAX;
    for (size_t i = 0; i < l->n_slots; i++) FEW__TRY(allocate_slot(l, &l->slots[i], err));
    return FEW_OK;
}

static enum few_status start(struct few__live *l, struct few_error *err)
{
    FEW__TRY(few__exec_create(&l->opts.exec, &l->exec, err));
    FEW__TRY(allocate(l, err));
    const struct few__lanes_opts opts = {.env = &l->env,
                                         .catalog = l->opts.exec.catalog,
                                         .workspace = l->opts.workspace,
                                         .n_lanes = l->n_lanes,
                                         .batch_max = l->opts.exec.batch_max,
                                         .loads = l->opts.exec.loads,
                                         .read = l->opts.read,
                                         .ud = l->opts.ud};
    return few__lanes_start(&opts, &l->threads, err);
}

enum few_status few__live_create(const struct few__live_opts *opts, struct few__live **live,
                                 struct few_error *err)
{
    *live = NULL;
    struct few_env env = few__env(opts->exec.env);
    struct few__live *l = FEW__NEW(env.mem, struct few__live);
    if (!l) return few__no_memory(err, "executor");
    l->env = env;
    l->opts = *opts;
    l->n_slots = opts->exec.n_slots ? opts->exec.n_slots : 1;
    l->n_lanes = opts->exec.n_lanes ? opts->exec.n_lanes : 1;
    l->n_models = opts->exec.catalog->n_models;
    l->now_us = INT64_MIN;
    enum few_status status = start(l, err);
    if (status != FEW_OK) few__live_destroy(l);
    else *live = l;
    return status;
}

void few__live_destroy(struct few__live *l)
{
    if (!l) return;
    const struct few_mem *mem = l->env.mem;
    for (size_t i = 0; l->lanes && i < l->n_lanes; i++)
        if (l->lanes[i].runs) few__workspace_cancel(l->opts.workspace, i, l->lanes[i].model);
    few__lanes_stop(l->threads);
    for (size_t i = 0; l->lanes && i < l->n_lanes; i++)
        if (l->lanes[i].runs) few__workspace_reset(l->opts.workspace, i, l->lanes[i].model);
    few__exec_destroy(l->exec);
    for (size_t i = 0; l->slots && i < l->n_slots; i++) {
        few__free(mem, l->slots[i].outputs);
        few__free(mem, l->slots[i].has_output);
        few__free(mem, l->slots[i].messages);
    }
    few__free(mem, l->actions);
    few__free(mem, l->slots);
    few__free(mem, l->lanes);
    few__free(mem, l->finished);
    few__free(mem, l->load_messages);
    few__free(mem, l);
}

/* ---- what the core asks for ---- */

static void start_run(struct few__live *l, const struct few__action *action)
{
    struct live_lane *lane = &l->lanes[action->lane];
    struct few__work *work = few__lanes_work(l->threads, action->lane);
    int need = l->opts.exec.catalog->models[action->model].needs;
    int64_t limit = l->opts.recipes ? l->opts.recipes[action->model].timeout_us : 0;
    for (size_t i = 0; i < action->n_slots; i++) {
        const struct live_slot *slot = &l->slots[action->slots[i]];
        work[i].slot = action->slots[i];
        work[i].need = need >= 0 ? &slot->outputs[need] : NULL;
        work[i].output = &slot->outputs[action->model];
    }
    *lane = (struct live_lane){.runs = true,
                               .model = action->model,
                               .n = action->n_slots,
                               .slots = action->slots,
                               .until_us = limit > 0 ? few__now_us(&l->env) + limit : INT64_MAX};
    few__lanes_run(l->threads, action->lane, action->model, action->n_slots);
    l->n_jobs++;
}

static void cancel_run(struct few__live *l, size_t i)
{
    struct live_lane *lane = &l->lanes[i];
    if (!lane->runs) return; // reading cannot be cut short
    lane->cancelled = true;
    lane->until_us = INT64_MAX;
    few__workspace_cancel(l->opts.workspace, i, lane->model);
}

static void finish_item(struct few__live *l, size_t i)
{
    struct live_slot *slot = &l->slots[i];
    slot->open = false;
    slot->end_us = l->now_us;
    slot->deadline_us = INT64_MAX;
    l->finished[(l->first_finished + l->n_finished++) % l->n_slots] = i;
    l->n_open--;
}

static void act(struct few__live *l, const struct few__action *action)
{
    switch (action->kind) {
    case FEW__ACTION_READ:
        few__lanes_read(l->threads, action->lane, action->slot);
        l->n_jobs++;
        break;
    case FEW__ACTION_START: start_run(l, action); break;
    case FEW__ACTION_CANCEL: cancel_run(l, action->lane); break;
    case FEW__ACTION_LOAD:
        few__lanes_load(l->threads, action->model);
        l->n_jobs++;
        break;
    case FEW__ACTION_EVICT: few__lanes_evict(l->threads, action->model); break;
    case FEW__ACTION_FINISH: finish_item(l, action->slot); break;
    }
}

static void step(struct few__live *l, int64_t now_us, const struct few__event *event)
{
    if (now_us > l->now_us) l->now_us = now_us; // a host's clock may do what it likes
    size_t n = few__exec_step(l->exec, l->now_us, event, l->actions);
    for (size_t i = 0; i < n; i++) act(l, &l->actions[i]);
}

/* ---- what comes back ---- */

static void keep_message(char message[FEW__LIVE_MESSAGE], const char *text)
{
    snprintf(message, FEW__LIVE_MESSAGE, "%.*s", FEW__LIVE_MESSAGE - 1, text);
}

static void take_part(struct few__live *l, const struct live_lane *lane, size_t i,
                      const struct few__ended *ended)
{
    struct live_slot *slot = &l->slots[lane->slots[i]];
    struct few__part *part = &ended->parts[i];
    char span[FEW__SPAN_TEXT], text[FEW__LIVE_MESSAGE];
    const char *why = ended->work[i].error.message;
    if (lane->timed_out) {
        *part = (struct few__part){.result = FEW__RESULT_FAILED};
        snprintf(text, sizeof text, "took longer than %s",
                 few__span_text(l->opts.recipes[lane->model].timeout_us, span));
        why = text;
    }
    if (!slot->open) return; // its results are the caller's by now
    slot->has_output[lane->model] = part->result == FEW__RESULT_OK || part->result == FEW__RESULT_EMPTY;
    if (part->result == FEW__RESULT_FAILED) keep_message(slot->messages[lane->model], why);
}

static void run_ended(struct few__live *l, const struct few__ended *ended)
{
    struct live_lane *lane = &l->lanes[ended->lane];
    if (lane->cancelled) few__workspace_reset(l->opts.workspace, ended->lane, lane->model);
    for (size_t i = 0; i < lane->n; i++) take_part(l, lane, i, ended);
    lane->runs = false;
    lane->until_us = INT64_MAX;
    step(l, ended->at_us,
         &(struct few__event){.kind = FEW__EVENT_DONE, .lane = ended->lane, .parts = ended->parts});
}

static void read_ended(struct few__live *l, const struct few__ended *ended)
{
    struct live_slot *slot = &l->slots[ended->slot];
    bool failed = ended->error->code != FEW_OK;
    if (slot->open) slot->read_error = *ended->error;
    step(l, ended->at_us,
         &(struct few__event){.kind = FEW__EVENT_READ,
                              .slot = ended->slot,
                              .lane = ended->lane,
                              .result = failed ? FEW__RESULT_FAILED : FEW__RESULT_OK,
                              .has_parts = ended->has_parts});
}

static void load_ended(struct few__live *l, const struct few__ended *ended)
{
    bool failed = ended->error->code != FEW_OK;
    keep_message(l->load_messages[ended->model], failed ? ended->error->message : "");
    if (failed && l->warm_error.code == FEW_OK) l->warm_error = *ended->error;
    step(l, ended->at_us,
         &(struct few__event){.kind = FEW__EVENT_LOADED,
                              .model = ended->model,
                              .result = failed ? FEW__RESULT_FAILED : FEW__RESULT_OK});
}

static void take_end(struct few__live *l, const struct few__ended *ended)
{
    l->n_jobs--;
    switch (ended->kind) {
    case FEW__ENDED_READ: read_ended(l, ended); break;
    case FEW__ENDED_RUN: run_ended(l, ended); break;
    case FEW__ENDED_LOAD: load_ended(l, ended); break;
    }
}

/* ---- what is due ---- */

static int64_t next_due(const struct few__live *l)
{
    int64_t until = INT64_MAX;
    for (size_t i = 0; i < l->n_slots; i++)
        if (l->slots[i].deadline_us < until) until = l->slots[i].deadline_us;
    for (size_t i = 0; i < l->n_lanes; i++)
        if (l->lanes[i].until_us < until) until = l->lanes[i].until_us;
    return until;
}

// The first deadline or time-out that has come; deadlines first.
static void take_due(struct few__live *l, int64_t now_us)
{
    for (size_t i = 0; i < l->n_slots; i++) {
        if (l->slots[i].deadline_us > now_us) continue;
        l->slots[i].deadline_us = INT64_MAX;
        step(l, now_us, &(struct few__event){.kind = FEW__EVENT_DEADLINE, .slot = i});
        return;
    }
    for (size_t i = 0; i < l->n_lanes; i++) {
        if (l->lanes[i].until_us > now_us) continue;
        l->lanes[i].timed_out = true;
        cancel_run(l, i);
        return;
    }
}

/* Take what comes next, until_us at the latest. False: nothing has come (LOOK), a poke has (WAIT_OR_POKE), or until_us.
 * now_us: out, the instant of it. */
static bool go_on_until(struct few__live *l, enum few__lanes_wait wait, int64_t until_us, int64_t *now_us)
{
    struct few__ended ended;
    int64_t due_us = next_due(l), first_us = due_us < until_us ? due_us : until_us;
    assert(wait != FEW__LANES_WAIT || l->n_jobs > 0 ||
           first_us != INT64_MAX); // the core is never idle with an item
    switch (few__lanes_next(l->threads, first_us, wait, &ended, now_us)) {
    case FEW__LANES_ENDED: take_end(l, &ended); return true;
    case FEW__LANES_DUE:
        if (*now_us >= due_us) take_due(l, *now_us);
        return *now_us < until_us;
    case FEW__LANES_NOTHING: break;
    }
    return false;
}

static void go_on(struct few__live *l, int64_t *now_us)
{
    (void)go_on_until(l, FEW__LANES_WAIT, INT64_MAX, now_us);
}

// Everything that happened before now; returns now.
static int64_t catch_up(struct few__live *l)
{
    int64_t now_us;
    while (go_on_until(l, FEW__LANES_LOOK, INT64_MAX, &now_us)) continue;
    return now_us;
}

/* ---- items ---- */

enum few_status few__live_warm(struct few__live *l, struct few_error *err)
{
    int64_t now_us = catch_up(l);
    l->warm_error = (struct few_error){.message = ""};
    step(l, now_us, &(struct few__event){.kind = FEW__EVENT_WARM});
    while (few__exec_loading(l->exec)) go_on(l, &now_us);
    if (l->warm_error.code != FEW_OK && err) *err = l->warm_error;
    return l->warm_error.code;
}

// No item in it whose results somebody waits for.
static bool is_idle(const struct few__live *l, size_t slot)
{
    if (l->slots[slot].open) return false;
    for (size_t i = 0; i < l->n_finished; i++)
        if (l->finished[(l->first_finished + i) % l->n_slots] == slot) return false;
    return true;
}

enum few_status few__live_slot(struct few__live *l, size_t *slot)
{
    int64_t now_us = catch_up(l);
    for (;;) {
        size_t n_idle = 0;
        for (size_t i = 0; i < l->n_slots; i++) {
            if (!is_idle(l, i)) continue;
            n_idle++;
            if (!few__exec_slot_free(l->exec, i)) continue;
            *slot = i;
            return FEW_OK;
        }
        if (n_idle == 0) return FEW_AGAIN;
        go_on(l, &now_us);
    }
}

void few__live_begin(struct few__live *l, size_t slot, uint64_t item, int64_t deadline_us,
                     const double *gains)
{
    struct live_slot *of = &l->slots[slot];
    int64_t now_us = catch_up(l);
    assert(is_idle(l, slot) && few__exec_slot_free(l->exec, slot));
    memset(of->has_output, 0, l->n_models * sizeof *of->has_output);
    for (size_t m = 0; m < l->n_models; m++) of->messages[m][0] = 0;
    of->read_error = (struct few_error){.message = ""};
    if (l->opts.read) few__fail(&of->read_error, FEW_AGAIN, "it was not read before the deadline");
    of->open = true;
    of->deadline_us = deadline_us;
    l->n_open++;
    step(l, now_us,
         &(struct few__event){.kind = FEW__EVENT_ITEM,
                              .slot = slot,
                              .item = item,
                              .deadline_us = deadline_us,
                              .gains = gains,
                              .has_parts = 1u << FEW_IMAGE,
                              .ready = !l->opts.read});
}

static void take_finished(struct few__live *l, size_t *slot, int64_t *end_us)
{
    *slot = l->finished[l->first_finished];
    *end_us = l->slots[*slot].end_us;
    l->first_finished = (l->first_finished + 1) % l->n_slots;
    l->n_finished--;
}

enum few_status few__live_wait(struct few__live *l, size_t *slot, int64_t *end_us)
{
    int64_t now_us;
    while (l->n_finished == 0) {
        if (l->n_open == 0) return FEW_END;
        go_on(l, &now_us);
    }
    take_finished(l, slot, end_us);
    return FEW_OK;
}

enum few_status few__live_wait_for(struct few__live *l, int64_t wait_us, size_t *slot, int64_t *end_us)
{
    int64_t now_us = few__now_us(&l->env);
    int64_t until_us = wait_us < INT64_MAX - now_us ? now_us + wait_us : INT64_MAX;
    while (l->n_finished == 0)
        if (!go_on_until(l, FEW__LANES_WAIT_OR_POKE, until_us, &now_us)) break;
    if (l->n_finished == 0) return FEW_AGAIN;
    take_finished(l, slot, end_us);
    return FEW_OK;
}

void few__live_poke(struct few__live *l)
{
    few__lanes_poke(l->threads);
}

void few__live_settle(struct few__live *l)
{
    int64_t now_us = catch_up(l);
    while (l->n_jobs > 0) go_on(l, &now_us);
}

/* ---- results ---- */

const struct few__exec *few__live_exec(const struct few__live *l)
{
    return l->exec;
}

const struct few_output *few__live_output(const struct few__live *l, size_t slot, size_t model)
{
    const struct live_slot *s = &l->slots[slot];
    return s->has_output[model] ? &s->outputs[model] : NULL;
}

const char *few__live_message(const struct few__live *l, size_t slot, size_t model)
{
    const struct few__exec_row *row = &few__exec_rows(l->exec, slot)[model];
    const char *message = l->slots[slot].messages[model];
    bool not_loaded = row->outcome == FEW_FAILED && row->reason == FEW__WHY_NOT_LOADED;
    return not_loaded && !*message ? l->load_messages[model] : message;
}

const struct few_error *few__live_read_error(const struct few__live *l, size_t slot)
{
    return &l->slots[slot].read_error;
}
