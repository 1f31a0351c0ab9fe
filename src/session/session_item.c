// SPDX-License-Identifier: Apache-2.0
/* One item from the queue to its result:
 *     admit   look it up, read its file, give it a place of the executor: its clock starts
 *     take    when every model has an outcome: its result goes into the passage, and the place is free */
#include <stdio.h>
#include <string.h>

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
    few__live_begin(s->live, index, item->id, place->deadline_us, NULL);
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

/* ---- take ---- */

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
        FEW__TRY(few__session_collect(s, slot, err));
    }
    place->passage = NULL;
    s->finished = SIZE_MAX;
    s->n_running--;
    return FEW_OK;
}
