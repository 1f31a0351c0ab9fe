// SPDX-License-Identifier: Apache-2.0
/* The executor's pure core: a machine of states over the items in flight.
 *
 * A step takes in one event and then makes a pass over the open items in order of arrival: each one's policy is asked
 * while lanes are free. Loads are begun after the pass, so that no model is evicted that this pass has just started.
 *
 * Invariants: arrivals[] holds exactly the open slots; n_free lanes are FREE; an idle slot is asked again after the
 * next completion or load. Below it, each calling only those behind it: exec_item.c (an item), exec_run.c (runs),
 * exec_memory.c (what is loaded), exec_state.c (slots). Corner cases and how each was decided: docs/exec.md. */
#include "exec/exec.h"

#include <assert.h>
#include <math.h>

#include "core/env.h"
#include "core/error.h"
#include "exec/exec_internal.h"
#include "exec/pace.h"

#define MEMORY_MAX ((size_t)64 << 20) // of one slot, and of what slots share

/* ---- life ---- */

static bool take_memory(struct few__exec *exec)
{
    struct few__arena *arena = &exec->arena;
    size_t n = exec->chains.n;
    exec->costs = FEW__ARENA_NEW(arena, struct few_cost, n);
    exec->slots = FEW__ARENA_NEW(arena, struct few__slot, exec->n_slots);
    exec->lanes = FEW__ARENA_NEW(arena, struct few__lane, exec->n_lanes);
    exec->arrivals = FEW__ARENA_NEW(arena, size_t, exec->n_slots);
    exec->resident = FEW__ARENA_NEW(arena, bool, n);
    exec->working_bytes = FEW__ARENA_NEW(arena, uint64_t, n);
    exec->too_large = FEW__ARENA_NEW(arena, bool, n);
    exec->slow = FEW__ARENA_NEW(arena, double, n);
    exec->chosen = FEW__ARENA_NEW(arena, size_t, n);
    exec->joined = FEW__ARENA_NEW(arena, size_t, n);
    exec->worths = FEW__ARENA_NEW(arena, double, n);
    exec->joined_worths = FEW__ARENA_NEW(arena, double, n);
    exec->chain_us = FEW__ARENA_NEW(arena, int64_t, n);
    return exec->costs && exec->slots && exec->lanes && exec->arrivals && exec->resident &&
           exec->working_bytes && exec->too_large && exec->slow && exec->chosen && exec->joined &&
           exec->worths && exec->joined_worths && exec->chain_us;
}

static void copy_costs(struct few__exec *exec, const struct few_cost *costs)
{
    for (size_t i = 0; i < exec->chains.n; i++) {
        struct few_cost cost = costs[i];
        if (cost.time_us < 1) cost.time_us = 1;
        if (cost.time_us > FEW__TIME_MAX_US) cost.time_us = FEW__TIME_MAX_US;
        if (cost.more_us < 1 || cost.more_us > cost.time_us) cost.more_us = cost.time_us;
        if (cost.load_us < 0) cost.load_us = 0;
        if (cost.load_us > FEW__TIME_MAX_US) cost.load_us = FEW__TIME_MAX_US;
        if (cost.weights_bytes > cost.memory_bytes) cost.weights_bytes = cost.memory_bytes;
        exec->costs[i] = cost;
        exec->slow[i] = 1;
    }
}

static bool copy_batches(struct few__exec *exec, const size_t *batch_max)
{
    bool any = false;
    for (size_t i = 0; batch_max && i < exec->chains.n; i++) any |= batch_max[i] > 1;
    if (!any || exec->n_slots == 1) return true;
    exec->batch_max = FEW__ARENA_NEW(&exec->arena, size_t, exec->chains.n);
    if (!exec->batch_max) return false;
    for (size_t i = 0; i < exec->chains.n; i++)
        exec->batch_max[i] = batch_max[i] < FEW__BATCH_MAX ? batch_max[i] : FEW__BATCH_MAX;
    return true;
}

static enum few_status fill(struct few__exec *exec, const struct few__exec_opts *opts, struct few_error *err)
{
    FEW__TRY(few__chains_build(opts->catalog, &exec->arena, &exec->chains, err));
    if (!take_memory(exec)) return few__no_memory(err, "executor");
    copy_costs(exec, opts->costs);
    FEW__TRY(few__memory_create(exec, opts, err));
    if (!few__variants_create(exec) || !copy_batches(exec, opts->batch_max))
        return few__no_memory(err, "executor");
    if (exec->keep_pace && exec->n_lanes > 1) {
        exec->pairs = few__pairs_create(&exec->arena, exec->chains.n);
        if (!exec->pairs) return few__no_memory(err, "executor");
    }
    for (size_t i = 0; i < exec->n_slots; i++)
        if (!few__slot_create(exec, &exec->slots[i], &opts->choosers[i]))
            return few__no_memory(err, "executor");
    exec->own_actions = FEW__ARENA_NEW(&exec->arena, struct few__action, few__exec_actions_max(exec));
    return exec->own_actions ? FEW_OK : few__no_memory(err, "executor");
}

enum few_status few__exec_create(const struct few__exec_opts *opts, struct few__exec **exec,
                                 struct few_error *err)
{
    *exec = NULL;
    struct few_env env = few__env(opts->env);
    size_t n_lanes = opts->n_lanes ? opts->n_lanes : 1, n_slots = opts->n_slots ? opts->n_slots : 1;
    if (n_lanes > FEW__LANES_MAX)
        return few__fail(err, FEW_ELIMIT, "%zu lanes, expected at most %d", n_lanes, FEW__LANES_MAX);
    if (n_slots > FEW__SLOTS_MAX)
        return few__fail(err, FEW_ELIMIT, "%zu items in flight, expected at most %d", n_slots,
                         FEW__SLOTS_MAX);
    struct few__exec *e = FEW__NEW(env.mem, struct few__exec);
    if (!e) return few__no_memory(err, "executor");
    few__arena_init(&e->arena, env.mem, (n_slots + 1) * MEMORY_MAX);
    e->catalog = opts->catalog;
    e->log = opts->log;
    e->now_us = INT64_MIN;
    e->n_slots = n_slots;
    e->n_lanes = e->n_free = n_lanes;
    e->variants = opts->variants;
    e->keep_pace = opts->keep_pace;
    e->pace = FEW__PACE_START;
    e->lone = 1;
    enum few_status status = fill(e, opts, err);
    if (status != FEW_OK) few__exec_destroy(e);
    else *exec = e;
    return status;
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
    // A lane starts, reads or is cancelled; an item finishes once; one model is loaded, any may be evicted.
    return exec->n_lanes + exec->n_slots + (exec->memory.loads ? exec->chains.n + 1 : 0);
}

struct few__action *few__exec_own_actions(struct few__exec *exec)
{
    return exec->own_actions;
}

/* ---- decisions ---- */

static void read_item(struct few__exec *exec, size_t slot)
{
    size_t at = few__lane_free(exec);
    struct few__lane *lane = &exec->lanes[at];
    lane->state = FEW__LANE_READS;
    lane->canceled = false;
    lane->slots[0] = slot;
    lane->n_slots = 1;
    lane->start_us = exec->now_us;
    lane->number = exec->n_starts++;
    exec->n_free--;
    exec->slots[slot].reading = true;
    exec->slots[slot].n_held_by++;
    few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_READ, .slot = slot, .lane = at});
    few__exec_act(exec, (struct few__action){.kind = FEW__ACTION_READ, .slot = slot, .lane = at});
}

static void start_chosen(struct few__exec *exec, size_t slot, const struct few__choice *choice)
{
    const struct few__view *view = &exec->slots[slot].view;
    assert(choice->n > 0 && choice->n <= view->n_free_lanes && "the policy starts too many");
    // What the policy was promised must not go to items that join its first models.
    uint64_t spare = 0;
    for (size_t i = 0; i < choice->n; i++) {
        assert(choice->models[i] < exec->chains.n && "the policy starts a model that does not exist");
        spare += view->working_bytes[choice->models[i]];
    }
    assert(spare <= view->free_bytes && "the policy starts more than memory takes");
    for (size_t i = 0; i < choice->n; i++) {
        spare -= view->working_bytes[choice->models[i]];
        exec->slots[slot].rows[choice->models[i]].worth = choice->worths[i];
        few__run_start(exec, slot, choice->models[i], spare);
    }
}

static void ask(struct few__exec *exec, size_t at)
{
    struct few__slot *slot = &exec->slots[at];
    few__slot_refresh(exec, at);
    struct few__choice choice = {
        .answer = FEW__STOP, .models = exec->chosen, .worths = exec->worths, .wish = FEW__NONE};
    for (size_t i = 0; i < slot->view.n_free_lanes && i < exec->chains.n; i++) exec->worths[i] = NAN;
    slot->chooser.choose(slot->chooser.self, &slot->view, &choice);
    few__memory_wish(exec, at, choice.wish, choice.answer == FEW__STOP);
    switch (choice.answer) {
    case FEW__STOP: few__slot_stop(exec, at); break;
    case FEW__WAIT:
        assert((exec->n_free < exec->n_lanes || exec->memory.loading != FEW__NONE ||
                exec->memory.wanted != FEW__NONE || slot->wish != FEW__NONE) &&
               "the policy waits for nothing");
        slot->idle = true;
        break;
    case FEW__START:
        start_chosen(exec, at, &choice);
        slot->idle = choice.last;
        break;
    }
}

static void decide_item(struct few__exec *exec, size_t at)
{
    struct few__slot *slot = &exec->slots[at];
    // Nothing starts at the deadline, but what ends at this very instant on another lane still counts.
    bool over = exec->now_us >= slot->view.deadline_us;
    if (over && slot->view.n_running == 0) {
        few__slot_deadline(exec, at);
        return;
    }
    if (!over && !slot->ready && !slot->reading && exec->n_free > 0) read_item(exec, at);
    while (!over && slot->ready && !slot->idle && slot->view.n_pending > 0 && exec->n_free > 0) ask(exec, at);
    if (slot->ready && slot->view.n_pending == 0 && slot->view.n_running == 0) few__slot_finish(exec, at);
}

static void pass(struct few__exec *exec)
{
    for (size_t i = 0; i < exec->n_open;) {
        size_t slot = exec->arrivals[i];
        decide_item(exec, slot);
        if (i < exec->n_open && exec->arrivals[i] == slot) i++; // else it has finished
    }
}

static void wake(struct few__exec *exec)
{
    for (size_t i = 0; i < exec->n_open; i++) exec->slots[exec->arrivals[i]].idle = false;
}

static void decide(struct few__exec *exec)
{
    pass(exec);
    if (!exec->memory.loads || !few__memory_load(exec, true)) return;
    wake(exec);
    pass(exec);
    few__memory_load(exec, false);
}

/* ---- events ---- */

static void begin_item(struct few__exec *exec, const struct few__event *event)
{
    assert(event->slot < exec->n_slots && few__exec_slot_free(exec, event->slot) &&
           "an item in a slot that is not free");
    exec->arrivals[exec->n_open++] = event->slot;
    few__slot_begin(exec, event->slot, event);
}

static void end_read(struct few__exec *exec, size_t at, enum few__result result, unsigned has_parts)
{
    size_t lane = 0;
    while (lane < exec->n_lanes &&
           (exec->lanes[lane].state != FEW__LANE_READS || exec->lanes[lane].slots[0] != at))
        lane++;
    assert(lane < exec->n_lanes && "an item is read that was not to be");
    struct few__slot *slot = &exec->slots[at];
    exec->lanes[lane].state = FEW__LANE_FREE;
    exec->n_free++;
    slot->n_held_by--;
    slot->reading = false;
    bool late = slot->open && exec->now_us > slot->view.deadline_us;
    if (!slot->open || late) result = FEW__RESULT_CANCELED;
    if (result != FEW__RESULT_OK) has_parts = 0;
    few__exec_record(
        exec,
        (struct few__log_record){
            .kind = FEW__LOG_HAS_READ, .slot = at, .lane = lane, .result = result, .has_parts = has_parts});
    if (late) few__slot_deadline(exec, at);
    else if (slot->open && result == FEW__RESULT_OK) few__slot_ready(exec, at, has_parts);
    else if (slot->open) few__slot_fail(exec, at);
}

static void end_run(struct few__exec *exec, const struct few__event *event)
{
    if (!few__run_end(exec, event)) return;
    const struct few__lane *lane = &exec->lanes[event->lane];
    for (size_t i = 0; i < lane->n_slots; i++)
        few__slot_hear(exec, lane->slots[i], lane->model, &event->parts[i]);
}

static void meet_deadline(struct few__exec *exec, size_t slot)
{
    assert(slot < exec->n_slots && "a deadline of a slot that does not exist");
    if (!exec->slots[slot].open) return;
    assert(exec->now_us >= exec->slots[slot].view.deadline_us && "a deadline before its time");
    few__slot_deadline(exec, slot);
}

size_t few__exec_step(struct few__exec *exec, int64_t now_us, const struct few__event *event,
                      struct few__action *actions)
{
    assert(now_us >= exec->now_us && "time went back");
    exec->now_us = now_us;
    exec->actions = actions;
    exec->n_actions = 0;
    switch (event->kind) {
    case FEW__EVENT_WARM: exec->memory.n_warmed = 0; break;
    case FEW__EVENT_ITEM: begin_item(exec, event); break;
    case FEW__EVENT_READ: end_read(exec, event->slot, event->result, event->has_parts); break;
    case FEW__EVENT_DONE: end_run(exec, event); break;
    case FEW__EVENT_LOADED: few__memory_loaded(exec, event->model, event->result == FEW__RESULT_OK); break;
    case FEW__EVENT_DEADLINE: meet_deadline(exec, event->slot); break;
    }
    bool completion =
        event->kind == FEW__EVENT_READ || event->kind == FEW__EVENT_DONE || event->kind == FEW__EVENT_LOADED;
    if (completion) wake(exec);
    decide(exec);
    return exec->n_actions;
}
