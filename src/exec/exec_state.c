// SPDX-License-Identifier: Apache-2.0
/* The bottom of the executor's core: what it keeps of an item in flight, in a slot, and what a step leaves behind, its
 * records and actions. The other files decide; nothing here calls them.
 *
 * Invariants: n_pending counts the PENDING models; a model that is DONE has an outcome and a reason, and is not held;
 * records and actions stand in the order in which they were decided. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exec/exec_internal.h"

enum { WORTH_MAX = 64 };

/* ---- what a step leaves behind ---- */

void few__exec_record(struct few__exec *exec, struct few__log_record r)
{
    r.at_us = exec->now_us;
    if (exec->log) few__exec_log_add(exec->log, r);
}

void few__exec_act(struct few__exec *exec, struct few__action action)
{
    exec->actions[exec->n_actions++] = action;
}

/* ---- slots ---- */

bool few__slot_create(struct few__exec *exec, struct few__slot *slot, const struct few__chooser *chooser)
{
    struct few__arena *arena = &exec->arena;
    size_t n = exec->chains.n, n_labels = exec->catalog->n_labels;
    slot->chooser = *chooser;
    slot->states = FEW__ARENA_NEW(arena, enum few__state, n);
    slot->outcomes = FEW__ARENA_NEW(arena, enum few_outcome, n);
    slot->found = FEW__ARENA_NEW(arena, bool, n);
    slot->held = FEW__ARENA_NEW(arena, bool, n);
    slot->outputs = FEW__ARENA_NEW(arena, const struct few_output *, n);
    slot->rows = FEW__ARENA_NEW(arena, struct few__exec_row, n);
    slot->running = FEW__ARENA_NEW(arena, size_t, exec->n_lanes);
    slot->ends_us = FEW__ARENA_NEW(arena, int64_t, exec->n_lanes);
    slot->seen = FEW__ARENA_NEW(arena, float, n_labels);
    slot->n_said = FEW__ARENA_NEW(arena, uint16_t, n_labels);
    slot->sayer = FEW__ARENA_NEW(arena, uint16_t, n_labels);
    slot->touched = FEW__ARENA_NEW(arena, int32_t, n_labels);
    if (exec->memory.loads) {
        slot->wished = FEW__ARENA_NEW(arena, bool, n);
        slot->used = FEW__ARENA_NEW(arena, bool, n);
        if (!slot->wished || !slot->used) return false;
    }
    slot->wish = FEW__NONE;
    slot->view = (struct few__view){.catalog = exec->catalog,
                                    .costs = exec->costs,
                                    .states = slot->states,
                                    .outcomes = slot->outcomes,
                                    .found = slot->found,
                                    .outputs = slot->outputs,
                                    .held = slot->held,
                                    .seen = slot->seen,
                                    .seen_labels = slot->touched,
                                    .n_said = slot->n_said,
                                    .running = slot->running,
                                    .ends_us = slot->ends_us,
                                    .n_lanes = exec->n_lanes,
                                    .n_free_lanes = exec->n_lanes,
                                    .memory_bytes = exec->memory.budget,
                                    .free_bytes = exec->memory.budget,
                                    .working_bytes = exec->working_bytes,
                                    .resident = exec->resident,
                                    .slow = exec->slow,
                                    .pace = exec->pace,
                                    .now_us = INT64_MIN,
                                    .deadline_us = FEW__NO_DEADLINE};
    return slot->states && slot->outcomes && slot->found && slot->held && slot->outputs && slot->rows &&
           slot->running && slot->ends_us && slot->seen && slot->n_said && slot->sayer && slot->touched;
}

void few__slot_clear(struct few__exec *exec, struct few__slot *slot)
{
    for (size_t i = 0; i < slot->view.n_seen; i++) {
        slot->seen[slot->touched[i]] = 0;
        slot->n_said[slot->touched[i]] = 0;
        slot->sayer[slot->touched[i]] = 0;
    }
    slot->view.n_seen = 0;
    for (size_t i = 0; i < exec->chains.n; i++) {
        slot->states[i] = FEW__PENDING;
        slot->outcomes[i] = FEW_SKIPPED;
        slot->found[i] = slot->held[i] = false;
        slot->outputs[i] = NULL;
        slot->rows[i] = (struct few__exec_row){.outcome = FEW_SKIPPED,
                                               .reason = FEW__WHY_DEADLINE,
                                               .start_us = -1,
                                               .end_us = -1,
                                               .lane = FEW__NONE,
                                               .worth = NAN};
    }
    if (!exec->memory.loads) return;
    memset(slot->wished, 0, exec->chains.n * sizeof *slot->wished);
    memset(slot->used, 0, exec->chains.n * sizeof *slot->used);
}

bool few__exec_slot_free(const struct few__exec *exec, size_t slot)
{
    return !exec->slots[slot].open && exec->slots[slot].n_held_by == 0;
}

const struct few__exec_row *few__exec_rows(const struct few__exec *exec, size_t slot)
{
    return exec->slots[slot].rows;
}

const struct few__view *few__exec_view(const struct few__exec *exec, size_t slot)
{
    return &exec->slots[slot].view;
}

/* ---- outcomes ---- */

void few__slot_release_next(struct few__exec *exec, size_t slot, size_t model)
{
    struct few__slot *s = &exec->slots[slot];
    int next = exec->group_first[model];
    while (next >= 0 && s->states[next] == FEW__DONE) next = exec->group_next[next];
    if (next >= 0) s->held[next] = false;
}

void few__slot_settle(struct few__exec *exec, size_t at, size_t model, enum few_outcome outcome,
                      enum few__reason reason)
{
    struct few__slot *slot = &exec->slots[at];
    if (slot->states[model] == FEW__PENDING) slot->view.n_pending--;
    slot->states[model] = FEW__DONE;
    slot->held[model] = false;
    slot->outcomes[model] = outcome;
    slot->rows[model].outcome = outcome;
    slot->rows[model].reason = reason;
    bool cascade = exec->group_first && exec->variants == FEW__VARIANTS_CASCADE;
    if (cascade && outcome != FEW_EXECUTED && reason != FEW__WHY_VARIANT)
        few__slot_release_next(exec, at, model);
}

void few__slot_skip_users(struct few__exec *exec, size_t at, size_t model, enum few__reason reason)
{
    const struct few__chains *chains = &exec->chains;
    for (size_t i = chains->place[model] + 1; i < chains->end[model]; i++)
        if (exec->slots[at].states[chains->order[i]] == FEW__PENDING)
            few__slot_settle(exec, at, chains->order[i], FEW_SKIPPED, reason);
}

/* ---- words ---- */

// The model at the top of the chain that began the trouble: the one whose own end was not passed on to it.
static size_t culprit(const struct few__exec *exec, const struct few__exec_row *rows, size_t model)
{
    int at = exec->chains.needs[model];
    while (exec->chains.needs[at] >= 0 && rows[at].reason == rows[model].reason) at = exec->chains.needs[at];
    return (size_t)at;
}

static void need_text(const struct few__exec *exec, const struct few__exec_row *rows, size_t model,
                      char *text, size_t n)
{
    size_t need = culprit(exec, rows, model);
    const char *what = rows[need].reason == FEW__WHY_NO_PART        ? "had nothing to look at"
                       : rows[model].reason == FEW__WHY_NEED_EMPTY  ? "found nothing"
                       : rows[model].reason == FEW__WHY_NEED_FAILED ? "failed"
                       : rows[need].reason == FEW__WHY_NO_MEMORY    ? "is larger than the memory budget"
                                                                    : "was late";
    snprintf(text, n, "its need %s %s", exec->catalog->models[need].name, what);
}

static const char *no_part_text(enum few_modality modality)
{
    switch (modality) {
    case FEW_SOUND: return "no sound in it";
    case FEW_TEXT: return "no text in it";
    case FEW_IMAGE:
    case FEW_MODALITY_COUNT: break;
    }
    return "no picture in it";
}

// Value for a millisecond; " 0.031/ms", and the price where there is one.
static void worth_text(const struct few__chooser *chooser, double worth, char *text, size_t n)
{
    double least = 1e-6, price = 1e3 * chooser->price;
    worth *= 1e3;
    if (fabs(worth) < least) worth = 0;
    if (fabs(price) < least) price = 0;
    if (isinf(price)) snprintf(text, n, " %.2g/ms", worth);
    else snprintf(text, n, " %.2g/ms, price %.2g/ms", worth, price);
}

void few__reason_text(const struct few__exec *exec, size_t slot, size_t model, char *text, size_t n)
{
    const struct few__slot *of = &exec->slots[slot];
    const struct few__exec_row *row = &of->rows[model];
    const char *policy = of->chooser.name ? of->chooser.name : "policy";
    char worth[WORTH_MAX] = "";
    if (of->chooser.explain && isfinite(row->worth))
        worth_text(&of->chooser, row->worth, worth, sizeof worth);
    switch (row->reason) {
    case FEW__WHY_CHOSEN:
        snprintf(text, n, "chosen by %s%s%s", policy, *worth ? ": worth" : "", worth);
        break;
    case FEW__WHY_NEED_EMPTY:
    case FEW__WHY_NEED_MISSING:
    case FEW__WHY_NEED_FAILED: need_text(exec, of->rows, model, text, n); break;
    case FEW__WHY_NO_TIME: snprintf(text, n, "would not have ended before the deadline"); break;
    case FEW__WHY_NOT_WORTH:
        snprintf(text, n, "not worth its time, says %s%s%s", policy, *worth ? ":" : "", worth);
        break;
    case FEW__WHY_DEADLINE:
        snprintf(text, n,
                 row->outcome == FEW_LATE ? "not finished at the deadline" : "the deadline came first");
        break;
    case FEW__WHY_FAILED: snprintf(text, n, "the model failed"); break;
    case FEW__WHY_VARIANT: snprintf(text, n, "a variant of it answers"); break;
    case FEW__WHY_NO_MEMORY: snprintf(text, n, "larger than the memory budget"); break;
    case FEW__WHY_NOT_LOADED:
        snprintf(text, n, row->outcome == FEW_FAILED ? "could not be loaded" : "not loaded in time");
        break;
    case FEW__WHY_ITEM_FAILED: snprintf(text, n, "the item could not be read"); break;
    case FEW__WHY_NO_PART:
        snprintf(text, n, "%s", no_part_text(exec->catalog->models[model].modality));
        break;
    }
}
