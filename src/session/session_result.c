// SPDX-License-Identifier: Apache-2.0
/* A passage's result is filled in one of three ways: from the executor, once every model has an outcome; from an earlier
 * item of the store with the same bytes; or with one failure for all models. What it points at lies in the passage's
 * arena, and with a store the outputs are packed for it as well. */
#include <stdio.h>
#include <string.h>

#include "model/output.h"
#include "session/session_internal.h"
#include "store/trace.h"

struct few_result few__session_blank(const struct few__passage *item)
{
    return (struct few_result){.path = item->path,
                               .message = "",
                               .stream = item->flow ? item->flow->entry : SIZE_MAX,
                               .at_us = item->at_us,
                               .until_us = item->until_us,
                               .age_us = -1,
                               .decode_us = item->read_us,
                               .elapsed_us = item->read_us};
}

// Live: how old it is at that instant.
static int64_t age_at(const struct few__passage *item, int64_t now_us)
{
    return item->flow && item->flow->row.is_live && item->arrived_us > 0 ? now_us - item->arrived_us : -1;
}

// The outputs of the rows, for the store.
static enum few_status pack(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    if (!s->store) return FEW_OK;
    struct few__cell *cells = FEW__ARENA_NEW(&item->arena, struct few__cell, s->n_models);
    if (!cells) return few__no_memory(err, item->path);
    for (size_t i = 0; i < s->n_models; i++) {
        const struct few_result_row *row = &item->result.rows[i];
        cells[i] = (struct few__cell){.outcome = row->outcome,
                                      .reason = row->reason,
                                      .start_us = row->start_us,
                                      .time_us = row->time_us,
                                      .lane = row->lane};
        if (row->output &&
            few__output_pack(row->output, &item->arena, &cells[i].output, &cells[i].n_output) != FEW_OK)
            return few__no_memory(err, item->path);
    }
    item->cells = cells;
    return FEW_OK;
}

/* ---- from the executor ---- */

static enum few_status give_output(struct few__passage *item, const struct few_output *from,
                                   struct few_result_row *row, struct few_error *err)
{
    if (!from) return FEW_OK;
    struct few_output *copy = FEW__ARENA_NEW(&item->arena, struct few_output, 1);
    if (!copy || few__output_copy(from, &item->arena, copy) != FEW_OK) return few__no_memory(err, item->path);
    row->output = copy;
    return FEW_OK;
}

static enum few_status take_row(struct few_session *s, size_t slot, struct few__passage *item, size_t model,
                                struct few_result_row *row, struct few_error *err)
{
    const struct few__exec *exec = few__live_exec(s->live);
    const struct few__exec_row *from = &few__exec_rows(exec, slot)[model];
    const char *failure = few__live_message(s->live, slot, model);
    const struct few_output nothing = few__output_empty(&s->zoo->catalog.models[model]);
    char reason[FEW__REASON_MAX];
    if (from->outcome == FEW_FAILED && failure[0])
        snprintf(reason, sizeof reason, "%.*s", FEW__REASON_MAX - 1, failure);
    else few__reason_text(exec, slot, model, reason, sizeof reason);
    row->outcome = from->outcome;
    row->reason = few__arena_strdup(&item->arena, reason);
    if (!row->reason) return few__no_memory(err, item->path);
    row->start_us = -1;
    row->lane = -1;
    if (from->start_us >= 0) {
        row->lane = (int)from->lane;
        row->start_us = from->start_us - item->arrival_us;
        row->time_us = from->end_us - from->start_us;
        if (from->n_items > 1) row->time_us /= (int64_t)from->n_items; // its share of a batch
    }
    if (from->outcome == FEW_EXECUTED)
        return give_output(item, few__live_output(s->live, slot, model), row, err);
    if (from->outcome == FEW_SKIPPED && few__reason_is_empty(from->reason))
        return give_output(item, &nothing, row, err);
    return FEW_OK;
}

/* What running everything would have cost here: what was spent on the models that ran to their end, and the expected
 * time of the others, without those that had nothing to look at (they would not have run either). */
static int64_t run_all_us(const struct few_session *s, size_t slot, const struct few_result *result)
{
    const struct few__exec_row *rows = few__exec_rows(few__live_exec(s->live), slot);
    int64_t sum = 0;
    for (size_t i = 0; i < s->n_models; i++) {
        if (!s->in_base[i]) continue;
        if (rows[i].outcome == FEW_EXECUTED) sum += result->rows[i].time_us;
        else if (!few__reason_is_empty(rows[i].reason)) sum += s->costs[i].time_us;
    }
    return sum;
}

static enum few_status take_rows(struct few_session *s, struct few__place *place, size_t slot,
                                 struct few_error *err)
{
    struct few__passage *item = place->passage;
    struct few_result *result = &item->result;
    struct few_result_row *rows = FEW__ARENA_NEW(&item->arena, struct few_result_row, s->n_models);
    if (!rows) return few__no_memory(err, item->path);
    result->rows = rows;
    result->n_models = s->n_models;
    for (size_t i = 0; i < s->n_models; i++) {
        FEW__TRY(take_row(s, slot, item, i, &rows[i], err));
        if (rows[i].outcome == FEW_LATE) result->deadline_missed = true;
    }
    item->runtime_us = few__workspace_runtime_us(s->workspace, slot);
    item->run_all_us = run_all_us(s, slot, result);
    return FEW_OK;
}

static enum few_status take_thumbnail(struct few__passage *item, const uint8_t *from, struct few_error *err)
{
    uint8_t *thumbnail = few__arena_alloc(&item->arena, FEW__THUMBNAIL_BYTES, 1);
    if (!thumbnail) return few__no_memory(err, item->path);
    memcpy(thumbnail, from, FEW__THUMBNAIL_BYTES);
    item->thumbnail = thumbnail;
    return FEW_OK;
}

// What the lane left that read it; nothing, if the deadline came before.
static enum few_status take_picture(struct few__place *place, struct few_error *err)
{
    struct few__passage *item = place->passage;
    struct few_result *result = &item->result;
    item->thumbnail = NULL;
    result->deadline_missed = true;
    if (!atomic_load(&place->is_read)) return FEW_OK;
    result->deadline_missed = place->read_at_us >= place->deadline_us;
    result->decode_us += place->decode_us;
    if (place->parts.image) {
        result->width = place->parts.image->width;
        result->height = place->parts.image->height;
    }
    return place->has_thumbnail ? take_thumbnail(item, place->thumbnail, err) : FEW_OK;
}

enum few_status few__session_collect(struct few_session *s, size_t slot, struct few_error *err)
{
    struct few__place *place = &s->places[slot];
    struct few__passage *item = place->passage;
    few__arena_reset(&item->arena);
    item->result = few__session_blank(item);
    FEW__TRY(take_picture(place, err));
    FEW__TRY(take_rows(s, place, slot, err));
    FEW__TRY(pack(s, item, err));
    item->result.elapsed_us = s->finished_us - item->arrival_us;
    item->result.age_us = age_at(item, s->finished_us);
    item->step = FEW__STEP_DONE;
    return FEW_OK;
}

/* ---- from an earlier item ---- */

static enum few_status recall_output(struct few_session *s, size_t m, const struct few__cell *from,
                                     struct few__arena *arena, struct few_result_row *row,
                                     struct few_error *err)
{
    if (!from->output) return FEW_OK;
    struct few_output *output = FEW__ARENA_NEW(arena, struct few_output, 1);
    void *packed = few__arena_alloc(arena, from->n_output, 1); // the store's bytes go with its next read
    if (!output || !packed) return few__no_memory(err, s->zoo->catalog.models[m].name);
    memcpy(packed, from->output, from->n_output);
    row->output = output;
    return few__trace_unpack(&s->zoo->catalog.models[m], packed, from->n_output, arena, output, err);
}

enum few_status few__session_recall(struct few_session *s, int64_t id, struct few__arena *arena,
                                    struct few__item_row *row, const struct few_result_row **rows,
                                    struct few_error *err)
{
    FEW__TRY(few__store_get(s->store, id, row, s->cells, err));
    struct few_result_row *own = FEW__ARENA_NEW(arena, struct few_result_row, s->n_models);
    *rows = own;
    if (!own) return few__no_memory(err, row->path);
    for (size_t m = 0; m < s->n_models; m++) {
        const struct few__cell *from = &s->cells[m];
        own[m] = (struct few_result_row){.outcome = from->outcome,
                                         .reason = few__arena_strdup(arena, from->reason),
                                         .start_us = from->start_us,
                                         .time_us = from->time_us,
                                         .lane = from->lane};
        if (!own[m].reason) return few__no_memory(err, row->path);
        FEW__TRY(recall_output(s, m, from, arena, &own[m], err));
    }
    return FEW_OK;
}

// Of rows that stay where they are for as long as the item, or are copied with it.
static enum few_status repeat_row(struct few__passage *item, const struct few_result_row *from,
                                  const char *why, struct few_result_row *row, struct few_error *err)
{
    bool ran = from->outcome == FEW_EXECUTED || from->outcome == FEW_PREDICTED || from->outcome == FEW_REUSED;
    *row = (struct few_result_row){.outcome = ran ? FEW_REUSED : from->outcome, .start_us = -1, .lane = -1};
    row->reason = ran ? why : few__arena_strdup(&item->arena, from->reason);
    if (!row->reason) return few__no_memory(err, item->path);
    return give_output(item, from->output, row, err);
}

enum few_status few__session_repeat(struct few_session *s, struct few__passage *item,
                                    const struct few_result *from, int64_t run_all_us, const char *why,
                                    struct few_error *err)
{
    struct few_result_row *rows = FEW__ARENA_NEW(&item->arena, struct few_result_row, s->n_models);
    const char *reason = few__arena_strndup(&item->arena, why, strnlen(why, FEW__REASON_MAX - 1));
    if (!rows || !reason) return few__no_memory(err, item->path);
    for (size_t m = 0; m < s->n_models; m++)
        FEW__TRY(repeat_row(item, &from->rows[m], reason, &rows[m], err));
    int64_t now_us = few__now_us(&s->env);
    item->result = few__session_blank(item);
    item->result.width = from->width;
    item->result.height = from->height;
    item->result.n_models = s->n_models;
    item->result.rows = rows;
    item->result.age_us = age_at(item, now_us);
    item->run_all_us = run_all_us;
    FEW__TRY(pack(s, item, err));
    item->step = FEW__STEP_DONE;
    return FEW_OK;
}

enum few_status few__session_reuse(struct few_session *s, struct few__passage *item, int64_t id,
                                   struct few_error *err)
{
    struct few__item_row from;
    struct few_result earlier = {.n_models = s->n_models};
    few__arena_reset(&item->arena);
    FEW__TRY(few__session_recall(s, id, &item->arena, &from, &earlier.rows, err));
    earlier.width = from.width;
    earlier.height = from.height;
    const char *why = few__arena_printf(&item->arena, "same as %s", from.path);
    if (!why) return few__no_memory(err, item->path);
    item->thumbnail = NULL;
    if (from.thumbnail) FEW__TRY(take_thumbnail(item, from.thumbnail, err));
    return few__session_repeat(s, item, &earlier, from.run_all_us, why, err);
}

/* ---- one failure for all ---- */

enum few_status few__session_fail(struct few_session *s, struct few__passage *item, enum few_status status,
                                  const char *message, struct few_error *err)
{
    few__arena_reset(&item->arena);
    struct few_result_row *rows = FEW__ARENA_NEW(&item->arena, struct few_result_row, s->n_models);
    const char *whole = few__arena_strdup(&item->arena, message);
    const char *reason = few__arena_strndup(&item->arena, message, strnlen(message, FEW__REASON_MAX - 1));
    if (!rows || !whole || !reason) return few__no_memory(err, item->path);
    for (size_t i = 0; i < s->n_models; i++)
        rows[i] =
            (struct few_result_row){.outcome = FEW_FAILED, .reason = reason, .start_us = -1, .lane = -1};
    item->thumbnail = item->look = NULL;
    item->result = few__session_blank(item);
    item->result.status = status;
    item->result.message = whole;
    item->result.n_models = s->n_models;
    item->result.rows = rows;
    FEW__TRY(pack(s, item, err));
    item->step = FEW__STEP_DONE;
    return FEW_OK;
}

/* ---- by an earlier run ---- */

void few__session_kept(struct few__passage *item, uint64_t n)
{
    item->result = few__session_blank(item);
    item->result.decode_us = item->result.elapsed_us = 0;
    item->result.kept = true;
    item->result.n_kept = n;
    item->step = FEW__STEP_DONE;
    item->stored = item->counted = true;
}
