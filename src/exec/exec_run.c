// SPDX-License-Identifier: Apache-2.0
/* Runs on lanes: of one item or a batch of them. What a run's end means for its items is theirs: exec_item.c.
 *
 * Invariants: a slot is held by the lanes whose run it is part of, until their DONE; an open item's running[] holds exactly
 * its RUNNING models, in the order of start; a run is cancelled exactly when no open item waits for it; memory.running is
 * what RUNS lanes hold, and the load that is under way. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "exec/exec_internal.h"
#include "exec/pace.h"

static const double LONE_STEP = 0.05; // of the running mean

size_t few__lane_free(const struct few__exec *exec)
{
    size_t lane = 0;
    while (exec->lanes[lane].state != FEW__LANE_FREE) lane++;
    return lane;
}

void few__slot_refresh(struct few__exec *exec, size_t slot)
{
    struct few__view *view = &exec->slots[slot].view;
    view->n_free_lanes = exec->n_free;
    view->free_bytes = few__memory_free(exec);
    view->pace = exec->pace;
    view->now_us = exec->now_us;
}

/* ---- how long runs take ---- */

static int64_t alone_us(const struct few__exec *exec, size_t model, size_t n_items)
{
    const struct few_cost *cost = &exec->costs[model];
    return cost->time_us + (int64_t)(n_items - 1) * cost->more_us;
}

static int64_t times(int64_t us, double factor)
{
    return factor == 1 ? us : (int64_t)((double)us * factor);
}

static void update_slow(struct few__exec *exec)
{
    if (!exec->pairs || !few__pairs_any(exec->pairs)) return;
    size_t beside[FEW__LANES_MAX], n = 0;
    for (size_t i = 0; i < exec->n_lanes; i++)
        if (exec->lanes[i].state == FEW__LANE_RUNS) beside[n++] = exec->lanes[i].model;
    for (size_t m = 0; m < exec->chains.n; m++) exec->slow[m] = few__pairs_factor(exec->pairs, m, beside, n);
}

static void keep_companion(struct few__lane *lane, const struct few__lane *other, int64_t now_us)
{
    int64_t since = lane->start_us > other->start_us ? lane->start_us : other->start_us;
    if (now_us - since <= lane->companion_us) return;
    lane->companion = other->model;
    lane->companion_us = now_us - since;
}

// The model that ran beside most of it so far; FEW__NONE.
static size_t companion_of(struct few__exec *exec, struct few__lane *lane)
{
    for (size_t i = 0; i < exec->n_lanes; i++)
        if (&exec->lanes[i] != lane && exec->lanes[i].state == FEW__LANE_RUNS)
            keep_companion(lane, &exec->lanes[i], exec->now_us);
    int64_t took_us = exec->now_us - lane->start_us;
    return lane->companion_us > 0 && lane->companion_us >= took_us - lane->companion_us ? lane->companion
                                                                                        : FEW__NONE;
}

/* What a run says about the pace, and about the pair of models if most of it was beside another.
 *
 * cut_off  it would have taken longer
 * clean    it did its work to the end */
static void note_time(struct few__exec *exec, struct few__lane *lane, bool cut_off, bool clean)
{
    if (!exec->keep_pace) return;
    size_t companion = exec->pairs ? companion_of(exec, lane) : FEW__NONE;
    double factor = companion == FEW__NONE ? 1 : few__pairs_factor(exec->pairs, lane->model, &companion, 1);
    int64_t took_us = exec->now_us - lane->start_us;
    exec->pace = few__pace_next(exec->pace, times(lane->alone_us, factor), took_us, cut_off);
    if (!exec->pairs || !clean || took_us <= 0) return;
    double ratio = (double)took_us / (double)lane->alone_us;
    if (companion != FEW__NONE) few__pairs_note(exec->pairs, lane->model, companion, ratio / exec->lone);
    else if (lane->companion_us == 0) exec->lone += LONE_STEP * (ratio - exec->lone);
}

/* ---- start ---- */

static bool would_start(struct few__exec *exec, size_t at, size_t model)
{
    struct few__slot *slot = &exec->slots[at];
    struct few__choice choice = {
        .answer = FEW__STOP, .models = exec->joined, .worths = exec->joined_worths, .wish = FEW__NONE};
    for (size_t i = 0; i < slot->view.n_free_lanes && i < exec->chains.n; i++) exec->joined_worths[i] = NAN;
    slot->chooser.choose(slot->chooser.self, &slot->view, &choice);
    for (size_t i = 0; choice.answer == FEW__START && i < choice.n; i++) {
        if (choice.models[i] != model) continue;
        slot->rows[model].worth = choice.worths[i];
        return true;
    }
    return false;
}

static bool all_fit(const struct few__exec *exec, const size_t *slots, size_t n, int64_t time_us)
{
    for (size_t i = 0; i < n; i++)
        if (!few__view_fits(&exec->slots[slots[i]].view, time_us)) return false;
    return true;
}

// Fills slots[] with the items of the run: the one that asked, and those behind it that would start the model too.
static size_t gather(struct few__exec *exec, size_t at, size_t model, uint64_t spare_bytes, size_t *slots)
{
    slots[0] = at;
    size_t n = 1, max = exec->batch_max ? exec->batch_max[model] : 1, i = 0;
    if (max <= 1) return 1;
    uint64_t free_bytes = few__memory_free(exec);
    while (exec->arrivals[i] != at) i++;
    for (i++; i < exec->n_open && n < max; i++) {
        size_t other = exec->arrivals[i];
        struct few__slot *slot = &exec->slots[other];
        if (!slot->ready) continue;
        few__slot_refresh(exec, other);
        if (!few__view_ready(&slot->view, model)) continue;
        if (free_bytes != FEW__NO_BUDGET && few__memory_of_run(exec, model, n + 1) > free_bytes - spare_bytes)
            break;
        slots[n] = other;
        int64_t time_us = times(alone_us(exec, model, n + 1), exec->slow[model]);
        if (!all_fit(exec, slots, n + 1, time_us) || !would_start(exec, other, model)) continue;
        n++;
    }
    return n;
}

static void enter(struct few__exec *exec, size_t at, size_t model, size_t lane_at, bool first)
{
    struct few__slot *slot = &exec->slots[at];
    struct few__lane *lane = &exec->lanes[lane_at];
    struct few__view *view = &slot->view;
    slot->states[model] = FEW__RUNNING;
    slot->rows[model].start_us = exec->now_us;
    slot->rows[model].n_items = lane->n_slots;
    slot->rows[model].lane = lane_at;
    slot->ends_us[view->n_running] = exec->now_us + times(lane->alone_us, exec->slow[model]);
    slot->running[view->n_running++] = model;
    slot->n_held_by++;
    if (slot->used) slot->used[model] = true;
    view->n_pending--;
    few__exec_record(exec, (struct few__log_record){.kind = first ? FEW__LOG_START : FEW__LOG_JOIN,
                                                    .model = model,
                                                    .slot = at,
                                                    .lane = lane_at});
}

void few__run_start(struct few__exec *exec, size_t at, size_t model, uint64_t spare_bytes)
{
    assert(few__view_ready(&exec->slots[at].view, model) &&
           "the policy starts a model twice, before its need, or one that is held or not loaded");
    size_t lane_at = few__lane_free(exec);
    struct few__lane *lane = &exec->lanes[lane_at];
    lane->n_slots = gather(exec, at, model, spare_bytes, lane->slots);
    lane->state = FEW__LANE_RUNS;
    lane->canceled = false;
    lane->model = model;
    lane->number = exec->n_starts++;
    lane->start_us = exec->now_us;
    lane->alone_us = alone_us(exec, model, lane->n_slots);
    lane->companion_us = 0;
    lane->working_bytes = few__memory_of_run(exec, model, lane->n_slots);
    exec->n_free--;
    exec->memory.running += lane->working_bytes;
    if (exec->memory.loads) exec->memory.n_runs[model]++;
    for (size_t i = 0; i < lane->n_slots; i++) enter(exec, lane->slots[i], model, lane_at, i == 0);
    few__exec_act(exec, (struct few__action){.kind = FEW__ACTION_START,
                                             .model = model,
                                             .lane = lane_at,
                                             .slot = at,
                                             .slots = lane->slots,
                                             .n_slots = lane->n_slots});
    update_slow(exec);
}

/* ---- end ---- */

static bool waits(const struct few__exec *exec, size_t slot, size_t model)
{
    return exec->slots[slot].open && exec->slots[slot].states[model] == FEW__RUNNING;
}

static void forget_run(struct few__slot *slot, size_t model)
{
    size_t i = 0;
    while (slot->running[i] != model) i++;
    size_t behind = --slot->view.n_running - i;
    memmove(&slot->running[i], &slot->running[i + 1], behind * sizeof *slot->running);
    memmove(&slot->ends_us[i], &slot->ends_us[i + 1], behind * sizeof *slot->ends_us);
}

static bool has_slot(const struct few__lane *lane, size_t slot)
{
    for (size_t i = 0; i < lane->n_slots; i++)
        if (lane->slots[i] == slot) return true;
    return false;
}

void few__run_leave(struct few__exec *exec, size_t at, size_t model)
{
    forget_run(&exec->slots[at], model);
    size_t lane_at = 0;
    while (exec->lanes[lane_at].state != FEW__LANE_RUNS || exec->lanes[lane_at].model != model ||
           !has_slot(&exec->lanes[lane_at], at))
        lane_at++;
    struct few__lane *lane = &exec->lanes[lane_at];
    for (size_t i = 0; i < lane->n_slots; i++)
        if (waits(exec, lane->slots[i], model)) return;
    note_time(exec, lane, true, false);
    lane->canceled = true;
    few__exec_record(exec,
                     (struct few__log_record){.kind = FEW__LOG_CANCEL, .model = model, .lane = lane_at});
    few__exec_act(
        exec, (struct few__action){.kind = FEW__ACTION_CANCEL, .model = model, .lane = lane_at, .slot = at});
}

// What the item of a part makes of it: nothing, if it has finished or its deadline is over.
static enum few__result heard(const struct few__exec *exec, size_t slot, const struct few__part *part)
{
    bool late = exec->now_us > exec->slots[slot].view.deadline_us;
    return exec->slots[slot].open && !late ? part->result : FEW__RESULT_CANCELED;
}

static void release(struct few__exec *exec, struct few__lane *lane, bool clean)
{
    if (!lane->canceled) note_time(exec, lane, false, clean);
    for (size_t i = 0; exec->pairs && i < exec->n_lanes; i++)
        if (&exec->lanes[i] != lane && exec->lanes[i].state == FEW__LANE_RUNS)
            keep_companion(&exec->lanes[i], lane, exec->now_us);
    lane->state = FEW__LANE_FREE;
    exec->n_free++;
    exec->memory.running -= lane->working_bytes;
    if (exec->memory.loads) exec->memory.n_runs[lane->model]--;
    for (size_t i = 0; i < lane->n_slots; i++) exec->slots[lane->slots[i]].n_held_by--;
    update_slow(exec);
}

bool few__run_end(struct few__exec *exec, const struct few__event *event)
{
    assert(event->lane < exec->n_lanes && exec->lanes[event->lane].state == FEW__LANE_RUNS &&
           "a lane ended that runs nothing");
    struct few__lane *lane = &exec->lanes[event->lane];
    static const struct few__part none = {.result = FEW__RESULT_CANCELED};
    bool clean = true;
    for (size_t i = 0; i < lane->n_slots; i++) {
        const struct few__part *part = lane->canceled ? &none : &event->parts[i];
        clean &= part->result == FEW__RESULT_OK || part->result == FEW__RESULT_EMPTY;
        few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_DONE,
                                                        .model = lane->model,
                                                        .lane = event->lane,
                                                        .slot = lane->slots[i],
                                                        .result = heard(exec, lane->slots[i], part),
                                                        .unsure = part->unsure});
    }
    release(exec, lane, clean);
    if (lane->canceled) return false;
    for (size_t i = 0; i < lane->n_slots; i++)
        if (exec->slots[lane->slots[i]].open) forget_run(&exec->slots[lane->slots[i]], lane->model);
    return true;
}
