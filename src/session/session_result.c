// SPDX-License-Identifier: Apache-2.0
/* A passage's result is filled in one of three ways: from the executor, once every model has an outcome; from an earlier
 * item of the store with the same bytes; or with one failure for all models. What it points at lies in the passage's
 * arena, and with a store the outputs are packed for it as well. */
#include <stdio.h>
#include <string.h>

#include "model/output.h"
#include "session/session_internal.h"
#include "store/trace.h"

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
                                      .lane = -1};
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
    if (from->start_us >= 0) {
        row->start_us = from->start_us - item->arrival_us;
        row->time_us = from->end_us - from->start_us;
        if (from->n_items > 1) row->time_us /= (int64_t)from->n_items; // its share of a batch
    }
    if (from->outcome == FEW_EXECUTED)
        return give_output(item, few__live_output(s->live, slot, model), row, err);
    if (from->outcome == FEW_SKIPPED && from->reason == FEW__WHY_NEED_EMPTY)
        return give_output(item, &nothing, row, err);
    return FEW_OK;
}

/* What running everything would have cost here: what was spent on the models that ran to their end, and the expected
 * time of the others, without those whose need found nothing (they would not have run either). */
static int64_t run_all_us(const struct few_session *s, size_t slot, const struct few_result *result)
{
    const struct few__exec_row *rows = few__exec_rows(few__live_exec(s->live), slot);
    int64_t sum = 0;
    for (size_t i = 0; i < s->n_models; i++) {
        if (!s->in_base[i]) continue;
        if (rows[i].outcome == FEW_EXECUTED) sum += result->rows[i].time_us;
        else if (rows[i].reason != FEW__WHY_NEED_EMPTY) sum += s->costs[i].time_us;
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

// What the lane left that read it; nothing, if the deadline came before.
static enum few_status take_picture(struct few__place *place, struct few_error *err)
{
    struct few__passage *item = place->passage;
    struct few_result *result = &item->result;
    item->thumbnail = NULL;
    result->decode_us = item->read_us;
    result->deadline_missed = true;
    if (!atomic_load(&place->is_read)) return FEW_OK;
    result->deadline_missed = place->read_at_us >= place->deadline_us;
    result->width = place->image.width;
    result->height = place->image.height;
    result->decode_us += place->decode_us;
    if (!place->has_thumbnail) return FEW_OK;
    uint8_t *thumbnail = few__arena_alloc(&item->arena, FEW__THUMBNAIL_BYTES, 1);
    if (!thumbnail) return few__no_memory(err, item->path);
    memcpy(thumbnail, place->thumbnail, FEW__THUMBNAIL_BYTES);
    item->thumbnail = thumbnail;
    return FEW_OK;
}

enum few_status few__session_collect(struct few_session *s, size_t slot, struct few_error *err)
{
    struct few__place *place = &s->places[slot];
    struct few__passage *item = place->passage;
    few__arena_reset(&item->arena);
    item->result = (struct few_result){.path = item->path, .message = ""};
    FEW__TRY(take_picture(place, err));
    FEW__TRY(take_rows(s, place, slot, err));
    FEW__TRY(pack(s, item, err));
    item->result.elapsed_us = s->finished_us - item->arrival_us;
    item->done = true;
    return FEW_OK;
}

/* ---- from an earlier item ---- */

static enum few_status reuse_cell(struct few_session *s, struct few__passage *item, const char *path,
                                  size_t m, const struct few__cell *from, struct few_result_row *row,
                                  struct few_error *err)
{
    bool ran = from->outcome == FEW_EXECUTED || from->outcome == FEW_PREDICTED || from->outcome == FEW_REUSED;
    row->outcome = ran ? FEW_REUSED : from->outcome;
    row->start_us = -1;
    row->reason = ran ? few__arena_printf(&item->arena, "same as %s", path)
                      : few__arena_strdup(&item->arena, from->reason);
    if (!row->reason) return few__no_memory(err, item->path);
    if (!from->output) return FEW_OK;
    struct few_output *output = FEW__ARENA_NEW(&item->arena, struct few_output, 1);
    void *packed =
        few__arena_alloc(&item->arena, from->n_output, 1); // the store's bytes go with its next read
    if (!output || !packed) return few__no_memory(err, item->path);
    memcpy(packed, from->output, from->n_output);
    row->output = output;
    return few__trace_unpack(&s->zoo->catalog.models[m], packed, from->n_output, &item->arena, output, err);
}

enum few_status few__session_reuse(struct few_session *s, struct few__passage *item, int64_t id,
                                   struct few_error *err)
{
    struct few__item_row from;
    few__arena_reset(&item->arena);
    FEW__TRY(few__store_get(s->store, id, &from, s->cells, err));
    struct few_result_row *rows = FEW__ARENA_NEW(&item->arena, struct few_result_row, s->n_models);
    if (!rows) return few__no_memory(err, item->path);
    for (size_t m = 0; m < s->n_models; m++)
        FEW__TRY(reuse_cell(s, item, from.path, m, &s->cells[m], &rows[m], err));
    item->result = (struct few_result){.path = item->path,
                                       .message = "",
                                       .width = from.width,
                                       .height = from.height,
                                       .decode_us = item->read_us,
                                       .elapsed_us = item->read_us,
                                       .n_models = s->n_models,
                                       .rows = rows};
    item->run_all_us = from.run_all_us;
    if (from.thumbnail) {
        uint8_t *thumbnail = few__arena_alloc(&item->arena, FEW__STORE_THUMBNAIL, 1);
        if (!thumbnail) return few__no_memory(err, item->path);
        memcpy(thumbnail, from.thumbnail, FEW__STORE_THUMBNAIL);
        item->thumbnail = thumbnail;
    }
    FEW__TRY(pack(s, item, err));
    item->done = true;
    return FEW_OK;
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
        rows[i] = (struct few_result_row){.outcome = FEW_FAILED, .reason = reason, .start_us = -1};
    item->thumbnail = NULL;
    item->result = (struct few_result){.path = item->path,
                                       .status = status,
                                       .message = whole,
                                       .decode_us = item->read_us,
                                       .elapsed_us = item->read_us,
                                       .n_models = s->n_models,
                                       .rows = rows};
    FEW__TRY(pack(s, item, err));
    item->done = true;
    return FEW_OK;
}
