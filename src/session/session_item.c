// SPDX-License-Identifier: Apache-2.0
/* One item from the queue to its result:
 *     admit   look it up, read its file, give it a place of the executor: its clock starts
 *     read    on a lane: decode it once for all models, make its thumbnail
 *     take    when every model has an outcome: rows, reasons and outputs go into the passage, and the place is free */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "model/output.h"
#include "session/session_internal.h"

/* ---- admit ---- */

/* The next item's path into `item`; FEW_END: there is none. It stays where it is until `consume`. */
static enum few_status peek(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    const char *failed = NULL;
    int64_t id = 0;
    enum few_status status = FEW_END;
    if (s->retrying) status = few__store_next_failed(s->store, s->retried, &id, &failed, err);
    s->retrying = status != FEW_END; // once there are no more of them, there are none
    if (status == FEW_END && s->queue_n == 0) return FEW_END;
    if (status != FEW_END && status != FEW_OK) return status;
    snprintf(item->path, sizeof item->path, "%s", status == FEW_OK ? failed : s->queue[s->queue_first]);
    item->from_store = item->replaces = status == FEW_OK;
    item->id = item->replaces ? (uint64_t)id : s->next_id;
    item->done = item->stored = false;
    item->thumbnail = NULL;
    item->runtime_us = item->run_all_us = 0;
    return FEW_OK;
}

static void consume(struct few_session *s, const struct few__passage *item)
{
    if (item->from_store) {
        s->retried = (int64_t)item->id;
    } else {
        s->queue_first = (s->queue_first + 1) % FEW_QUEUE_MAX;
        s->queue_n--;
    }
    if (!item->replaces && !item->result.kept) s->next_id++;
    s->n_inside++;
}

/* The clock starts with the reading of the file; what this process had to do first (load models, wait for a run of the
 * item before to let go) is not the item's. */
static enum few_status begin(struct few_session *s, struct few__passage *item, const void *bytes,
                             size_t n_bytes, struct few_error *err)
{
    size_t index;
    FEW__TRY(few__session_wake(s, err));
    FEW__TRY(few__live_slot(s->live, &index));
    struct few__place *place = &s->places[index];
    struct few__file_reader reader = place->reader;
    place->reader = s->reader; // with the file in it
    s->reader = reader;
    place->bytes = bytes;
    place->n_bytes = n_bytes;
    place->passage = item;
    memcpy(place->path, item->path, sizeof place->path);
    memcpy(place->digest, item->digest, sizeof place->digest);
    atomic_store(&place->is_read, false);
    item->result = (struct few_result){.path = item->path};
    item->arrival_us = few__now_us(&s->env) - item->read_us;
    place->deadline_us = s->opts.deadline_us ? item->arrival_us + s->opts.deadline_us : FEW__NO_DEADLINE;
    few__live_begin(s->live, index, item->id, place->deadline_us);
    s->n_running++;
    return FEW_OK;
}

enum few_status few__session_admit(struct few_session *s, struct few_error *err)
{
    while (!s->blocker && s->n_inside < s->n_passages && s->n_running < s->n_places) {
        struct few__passage *item = &s->passages[(s->first + s->n_inside) % s->n_passages];
        const void *bytes;
        size_t n_bytes;
        enum few__verdict verdict;
        enum few_status status = peek(s, item, err);
        if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
        FEW__TRY(few__session_look_up(s, item, &bytes, &n_bytes, &verdict, err));
        if (verdict == FEW__VERDICT_BLOCKED) return FEW_OK;
        if (verdict == FEW__VERDICT_RUN) FEW__TRY(begin(s, item, bytes, n_bytes, err));
        consume(s, item);
    }
    return FEW_OK;
}

/* ---- read, on the thread of a lane ---- */

static enum few_status decode(struct few_session *s, struct few__place *place, size_t index)
{
    struct few_error *err = &place->error;
    FEW__TRY(
        few__image_decode(place->decoder, place->path, place->bytes, place->n_bytes, &place->image, err));
    few__workspace_begin(s->workspace, index, &place->image, place->digest);
    if (!s->store || s->opts.no_pixels) return FEW_OK;
    FEW__TRY(
        few__preprocess_thumbnail(few__workspace_preprocess(s->workspace, index), place->thumbnail, err));
    place->has_thumbnail = true;
    return FEW_OK;
}

enum few_status few__session_read(void *session, size_t index, struct few_error *err)
{
    struct few_session *s = session;
    struct few__place *place = &s->places[index];
    int64_t began = few__now_us(&s->env);
    place->error = (struct few_error){.message = ""};
    place->image = (struct few__image){0};
    place->has_thumbnail = false;
    enum few_status status = decode(s, place, index);
    place->read_at_us = few__now_us(&s->env);
    place->decode_us = place->read_at_us - began;
    if (status != FEW_OK && err) *err = place->error;
    atomic_store(&place->is_read, true);
    return status;
}

/* ---- take ---- */

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

enum few_status few__session_take(struct few_session *s, struct few_error *err)
{
    size_t slot = s->finished;
    struct few__place *place = &s->places[slot];
    struct few__passage *item = place->passage;
    const struct few__exec_row *rows = few__exec_rows(few__live_exec(s->live), slot);
    if (rows[0].reason == FEW__WHY_ITEM_FAILED) {
        item->read_us += place->decode_us;
        FEW__TRY(few__session_fail(s, item, place->error.code, place->error.message, err));
    } else {
        few__arena_reset(&item->arena);
        item->result = (struct few_result){.path = item->path, .message = ""};
        FEW__TRY(take_picture(place, err));
        FEW__TRY(take_rows(s, place, slot, err));
        FEW__TRY(few__session_pack(s, item, err));
        item->result.elapsed_us = s->finished_us - item->arrival_us;
        item->done = true;
    }
    place->passage = NULL;
    s->finished = SIZE_MAX;
    s->n_running--;
    return FEW_OK;
}

/* ---- results that need no model ---- */

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
    FEW__TRY(few__session_pack(s, item, err));
    item->done = true;
    return FEW_OK;
}

enum few_status few__session_pack(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    if (!s->store) return FEW_OK;
    struct few__cell *cells = FEW__ARENA_NEW(&item->arena, struct few__cell, s->n_models);
    if (!cells) return few__no_memory(err, item->path);
    for (size_t i = 0; i < s->n_models; i++) {
        const struct few_result_row *row = &item->result.rows[i];
        cells[i] = (struct few__cell){.outcome = row->outcome,
                                      .reason = row->reason,
                                      .start_us = row->start_us,
                                      .time_us = row->time_us};
        if (row->output &&
            few__output_pack(row->output, &item->arena, &cells[i].output, &cells[i].n_output) != FEW_OK)
            return few__no_memory(err, item->path);
    }
    item->cells = cells;
    return FEW_OK;
}
