// SPDX-License-Identifier: Apache-2.0
/* One item in flight: what becomes of each of its models, from ITEM to FINISH.
 *
 * Invariants: n_pending + n_running + models DONE = n_models; a pending model's need is pending, running, or executed with
 * something found (whatever else happens to a need is passed on to its users at once); seen[l] > 0 only for labels in
 * touched[]; a held model is pending, and of each group of variants the cheapest one that has not ended is not held. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "exec/exec_internal.h"

/* ---- variants ---- */

static bool is_needed(const struct few__exec *exec, size_t model)
{
    return exec->chains.end[model] > exec->chains.place[model] + 1;
}

// Puts a model into its group's list, by rising time, equal ones by rising index.
static void link_variant(struct few__exec *exec, int *heads, size_t model)
{
    int *at = &heads[exec->catalog->models[model].variant_of];
    while (*at >= 0 && exec->costs[*at].time_us <= exec->costs[model].time_us) at = &exec->group_next[*at];
    exec->group_next[model] = *at;
    *at = (int)model;
}

bool few__variants_create(struct few__exec *exec)
{
    size_t n = exec->chains.n;
    bool any = false;
    for (size_t m = 0; m < n; m++) any |= exec->catalog->models[m].variant_of >= 0;
    if (exec->variants == FEW__VARIANTS_ALL || !any) return true;
    int *heads = FEW__ARENA_NEW(&exec->arena, int, n);
    exec->group_first = FEW__ARENA_NEW(&exec->arena, int, n);
    exec->group_next = FEW__ARENA_NEW(&exec->arena, int, n);
    if (!heads || !exec->group_first || !exec->group_next) return false;
    for (size_t m = 0; m < n; m++) heads[m] = exec->group_next[m] = -1;
    for (size_t m = 0; m < n; m++)
        if (exec->catalog->models[m].variant_of >= 0) link_variant(exec, heads, m);
    for (size_t m = 0; m < n; m++) {
        int group = exec->catalog->models[m].variant_of;
        exec->group_first[m] = group >= 0 ? heads[group] : -1;
    }
    return true;
}

// Of the group that begins with `first` only the dearest that memory can ever take, lowest index first, stays.
static void keep_dearest(struct few__exec *exec, size_t slot, int first)
{
    int best = -1;
    for (int m = first; m >= 0; m = exec->group_next[m])
        if (!exec->too_large[m] && (best < 0 || exec->costs[m].time_us > exec->costs[best].time_us)) best = m;
    for (int m = first; m >= 0; m = exec->group_next[m])
        if (m != best && !exec->too_large[m] && !is_needed(exec, (size_t)m))
            few__slot_settle(exec, slot, (size_t)m, FEW_SKIPPED, FEW__WHY_VARIANT);
}

static void begin_variants(struct few__exec *exec, size_t slot)
{
    for (size_t m = 0; m < exec->chains.n; m++) {
        int first = exec->group_first[m];
        if (first < 0) continue;
        if (exec->variants == FEW__VARIANTS_CASCADE)
            exec->slots[slot].held[m] = (size_t)first != m && !is_needed(exec, m);
        else if ((size_t)first == m) keep_dearest(exec, slot, first);
    }
}

// A variant has answered: those of its group that have not begun are not needed.
static void skip_variants(struct few__exec *exec, size_t slot, size_t model)
{
    for (int m = exec->group_first[model]; m >= 0; m = exec->group_next[m])
        if (exec->slots[slot].states[m] == FEW__PENDING && !is_needed(exec, (size_t)m))
            few__slot_settle(exec, slot, (size_t)m, FEW_SKIPPED, FEW__WHY_VARIANT);
}

/* ---- the life of an item ---- */

void few__slot_begin(struct few__exec *exec, size_t at, const struct few__event *event)
{
    struct few__slot *slot = &exec->slots[at];
    few__slot_clear(exec, slot);
    slot->open = true;
    slot->ready = event->ready;
    slot->reading = slot->idle = false;
    slot->wish = FEW__NONE;
    slot->view.item = event->item;
    slot->view.gains = event->gains;
    slot->view.deadline_us = event->deadline_us;
    slot->view.n_pending = exec->chains.n;
    slot->view.n_running = 0;
    few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_ITEM,
                                                    .slot = at,
                                                    .item = event->item,
                                                    .deadline_us = event->deadline_us,
                                                    .ready = event->ready,
                                                    .has_parts = event->ready ? event->has_parts : 0});
    if (exec->group_first) begin_variants(exec, at);
    for (size_t m = 0; exec->memory.budget != FEW__NO_BUDGET && m < exec->chains.n; m++) {
        if (!exec->too_large[m] || slot->states[m] == FEW__DONE) continue;
        few__slot_settle(exec, at, m, FEW_SKIPPED, FEW__WHY_NO_MEMORY);
        few__slot_skip_users(exec, at, m, FEW__WHY_NEED_MISSING);
    }
    few__slot_refresh(exec, at);
    if (slot->ready) few__slot_ready(exec, at, event->has_parts);
}

// Models with nothing to look at, and then what is only there to look at what they found.
static void skip_missing(struct few__exec *exec, size_t at, unsigned has_parts)
{
    const struct few_model *models = exec->catalog->models;
    struct few__slot *slot = &exec->slots[at];
    for (size_t m = 0; m < exec->chains.n; m++)
        if (slot->states[m] == FEW__PENDING && !(has_parts >> models[m].modality & 1))
            few__slot_settle(exec, at, m, FEW_SKIPPED, FEW__WHY_NO_PART);
    for (size_t m = 0; m < exec->chains.n; m++)
        if (slot->rows[m].reason == FEW__WHY_NO_PART) few__slot_skip_users(exec, at, m, FEW__WHY_NEED_EMPTY);
}

void few__slot_ready(struct few__exec *exec, size_t at, unsigned has_parts)
{
    struct few__slot *slot = &exec->slots[at];
    slot->ready = true;
    if (has_parts != FEW__ALL_PARTS) skip_missing(exec, at, has_parts);
    few__slot_refresh(exec, at);
    if (slot->chooser.begin && exec->now_us < slot->view.deadline_us)
        slot->chooser.begin(slot->chooser.self, &slot->view);
}

_Static_assert(FEW_MODELS_MAX < UINT16_MAX, "models are counted in 16 bits");

// An output may have a label twice; then it is said once, with the higher confidence.
static void see(struct few__exec *exec, struct few__slot *slot, size_t model, const struct few__part *part)
{
    for (size_t i = 0; i < part->n_valuable; i++) {
        int32_t label = part->valuable[i].label;
        float confidence = part->valuable[i].confidence;
        assert(label >= 0 && (size_t)label < exec->catalog->n_labels && "a label outside the catalog");
        if (!(confidence > 0)) continue;
        if (slot->sayer[label] != model + 1) slot->n_said[label]++;
        slot->sayer[label] = (uint16_t)(model + 1);
        if (!(confidence > slot->seen[label])) continue;
        if (slot->seen[label] == 0) slot->touched[slot->view.n_seen++] = label;
        slot->seen[label] = confidence;
    }
}

static void end_model(struct few__exec *exec, size_t at, size_t model, const struct few__part *part)
{
    struct few__slot *slot = &exec->slots[at];
    slot->rows[model].end_us = exec->now_us;
    if (part->result == FEW__RESULT_FAILED || part->result == FEW__RESULT_CANCELED) {
        few__slot_settle(exec, at, model, FEW_FAILED, FEW__WHY_FAILED);
        few__slot_skip_users(exec, at, model, FEW__WHY_NEED_FAILED);
        return;
    }
    few__slot_settle(exec, at, model, FEW_EXECUTED, FEW__WHY_CHOSEN);
    slot->outputs[model] = part->output;
    slot->found[model] = part->result == FEW__RESULT_OK;
    if (slot->found[model]) see(exec, slot, model, part);
    else few__slot_skip_users(exec, at, model, FEW__WHY_NEED_EMPTY);
    if (!exec->group_first || exec->variants != FEW__VARIANTS_CASCADE || exec->group_first[model] < 0) return;
    if (part->unsure) few__slot_release_next(exec, at, model);
    else skip_variants(exec, at, model);
}

// A model that was wished for, and that is not loaded now.
static bool was_missed(const struct few__exec *exec, const struct few__slot *slot, size_t model)
{
    return exec->memory.loads && slot->wished[model] && exec->memory.load[model] != FEW__LOADED;
}

/* Nothing more is to start: what is pending is skipped, each model judged by its own chain (it and its pending needs), so
 * that a need that is left out together with its user is no reason of its own. */
void few__slot_stop(struct few__exec *exec, size_t at)
{
    struct few__slot *slot = &exec->slots[at];
    for (size_t m = 0; m < exec->chains.n; m++) exec->worths[m] = NAN;
    if (slot->chooser.explain) slot->chooser.explain(slot->chooser.self, &slot->view, exec->worths);
    for (size_t i = 0; i < exec->chains.n; i++) {
        size_t model = exec->chains.order[i];
        int need = exec->chains.needs[model];
        exec->chain_us[model] = 0;
        if (slot->states[model] != FEW__PENDING) continue;
        exec->chain_us[model] = exec->costs[model].time_us + (need < 0 ? 0 : exec->chain_us[need]);
        bool fits = few__view_fits(&slot->view, exec->chain_us[model]);
        enum few__reason reason = !fits                           ? FEW__WHY_NO_TIME
                                  : was_missed(exec, slot, model) ? FEW__WHY_NOT_LOADED
                                                                  : FEW__WHY_NOT_WORTH;
        slot->rows[model].worth = exec->worths[model];
        few__slot_settle(exec, at, model, FEW_SKIPPED, reason);
    }
}

void few__slot_fail(struct few__exec *exec, size_t at)
{
    for (size_t m = 0; m < exec->chains.n; m++)
        few__slot_settle(exec, at, m, FEW_FAILED, FEW__WHY_ITEM_FAILED);
    few__slot_finish(exec, at);
}

void few__slot_deadline(struct few__exec *exec, size_t at)
{
    struct few__slot *slot = &exec->slots[at];
    few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_DEADLINE, .slot = at});
    while (slot->view.n_running > 0) {
        size_t model = slot->running[0];
        few__slot_settle(exec, at, model, FEW_LATE, FEW__WHY_DEADLINE);
        slot->rows[model].end_us = exec->now_us;
        few__run_leave(exec, at, model);
    }
    for (size_t i = 0; i < exec->chains.n && slot->view.n_pending > 0; i++) {
        size_t model = exec->chains.order[i];
        int need = exec->chains.needs[model];
        if (slot->states[model] != FEW__PENDING) continue;
        bool missing = need >= 0 && (slot->rows[need].outcome == FEW_LATE ||
                                     slot->rows[need].reason == FEW__WHY_NEED_MISSING);
        enum few__reason reason = missing                         ? FEW__WHY_NEED_MISSING
                                  : was_missed(exec, slot, model) ? FEW__WHY_NOT_LOADED
                                                                  : FEW__WHY_DEADLINE;
        few__slot_settle(exec, at, model, FEW_SKIPPED, reason);
    }
    few__slot_finish(exec, at);
}

void few__slot_hear(struct few__exec *exec, size_t at, size_t model, const struct few__part *part)
{
    struct few__slot *slot = &exec->slots[at];
    if (!slot->open) return;
    if (exec->now_us <= slot->view.deadline_us) {
        end_model(exec, at, model, part);
        return;
    }
    few__slot_settle(exec, at, model, FEW_LATE, FEW__WHY_DEADLINE);
    slot->rows[model].end_us = exec->now_us;
    few__slot_deadline(exec, at);
}

void few__slot_finish(struct few__exec *exec, size_t at)
{
    struct few__slot *slot = &exec->slots[at];
    slot->open = false;
    slot->wish = FEW__NONE;
    slot->view.gains = NULL;
    few__slot_refresh(exec, at);
    size_t i = 0;
    while (exec->arrivals[i] != at) i++;
    exec->n_open--;
    memmove(&exec->arrivals[i], &exec->arrivals[i + 1], (exec->n_open - i) * sizeof *exec->arrivals);
    if (exec->memory.loads) few__memory_note_item(exec, at);
    few__exec_record(exec,
                     (struct few__log_record){.kind = FEW__LOG_FINISH, .slot = at, .item = slot->view.item});
    few__exec_act(exec, (struct few__action){.kind = FEW__ACTION_FINISH, .slot = at});
}
