// SPDX-License-Identifier: Apache-2.0
/* Where items come from: failed ones of the store (retry), then paths that were submitted, then the attached items. An
 * item that was taken stays in its passage until it is decided, so that an error loses nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/session_internal.h"

/* ---- attaching ---- */

static void on_ready(void *session)
{
    struct few_session *s = session;
    pthread_mutex_lock(&s->poke_lock);
    if (s->poked) few__live_poke(s->poked);
    pthread_mutex_unlock(&s->poke_lock);
}

static int64_t segment_start(const struct few_session *s, int64_t at_us)
{
    return at_us < 0 ? 0 : at_us / s->segment_us * s->segment_us;
}

/* What the store has of a recording is not taken again, but for the segment in which it ends: what is like an earlier
 * frame, and which models are worth running, follows from the whole of it. */
static enum few_status skip_stored(struct few_session *s, size_t entry, struct few_error *err)
{
    struct few__flow *flow;
    FEW__TRY(few__flow_open(s, entry, &flow, err));
    if (flow->n_kept == 0) return FEW_OK;
    if (flow->row.ended) {
        few__items_leave_out(s->items, entry, flow->n_kept);
        return FEW_OK;
    }
    int64_t from_us = segment_start(s, flow->row.last_us);
    uint64_t n_before;
    FEW__TRY(few__store_count_moments(s->store, flow->row.id, from_us, &n_before, err));
    few__items_start_at(s->items, entry, from_us, n_before);
    return FEW_OK;
}

// Moments that were chosen otherwise would be another run.
static enum few_status same_options(struct few_session *s, struct few_error *err)
{
    struct few__stream_row first;
    const char *options = few__items_options(s->items);
    if (few__store_n_streams(s->store) == 0) return FEW_OK;
    FEW__TRY(few__store_get_stream(s->store, 0, &first, err));
    if (strcmp(first.options, options) == 0) return FEW_OK;
    return few__fail(err, FEW_EVERSION, "%s: its moments were chosen by %s, now by %s", s->opts.store,
                     first.options, options);
}

struct named { // entry
    const char *path;
    size_t entry;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry);
}

static size_t find_recordings(struct few_session *s, struct named *named)
{
    size_t n = 0;
    for (size_t i = 0; i < few_items_count(s->items); i++)
        if (few__items_is_recording(s->items, i)) named[n++] = (struct named){few_items_path(s->items, i), i};
    qsort(named, n, sizeof *named, by_name);
    return n;
}

// A recording that is named twice is one: its moments have the same names.
static enum few_status attach_recordings(struct few_session *s, struct named *named, struct few_error *err)
{
    size_t n = find_recordings(s, named);
    if (n > 0) FEW__TRY(same_options(s, err));
    for (size_t i = 0; i < n; i++) {
        bool again = i > 0 && strcmp(named[i].path, named[i - 1].path) == 0;
        if (again) few__items_leave_out(s->items, named[i].entry, 0);
        else if (!s->store_is_new) FEW__TRY(skip_stored(s, named[i].entry, err));
    }
    return FEW_OK;
}

static enum few_status attach_stored(struct few_session *s, struct few_error *err)
{
    size_t n = few_items_count(s->items);
    if (!s->store || n == 0) return FEW_OK;
    struct named *named = FEW__NEW_N(s->env.mem, struct named, n);
    if (!named) return few__no_memory(err, "attached items");
    enum few_status status = attach_recordings(s, named, err);
    few__free(s->env.mem, named);
    return status;
}

// Of a camera that never answers something is known, too.
static enum few_status attach_live(struct few_session *s, struct few_error *err)
{
    for (size_t i = 0; i < few_items_count(s->items); i++) {
        struct few__flow *flow;
        if (!strstr(few_items_path(s->items, i), "://") || few__items_is_recording(s->items, i)) continue;
        FEW__TRY(few__flow_open(s, i, &flow, err));
    }
    return FEW_OK;
}

enum few_status few_session_attach(struct few_session *s, struct few_items *items, struct few_error *err)
{
    if (s->items) return few__fail(err, FEW_EINVAL, "items: expected one list for a session, found another");
    const struct few__items_needs needs = {
        .in_hands = 2 * s->n_places + 1, // in places, waiting, and the one that was taken last
        .wants_look = s->opts.reuse_below > 0 || s->stores_looks,
        .on_ready = on_ready,
        .ud = s};
    s->items = items;
    enum few_status status = attach_stored(s, err);
    if (status == FEW_OK) status = attach_live(s, err);
    if (status == FEW_OK) status = few__items_begin(items, &needs, err);
    if (status == FEW_OK) return FEW_OK;
    few__flows_close(s);
    s->items = NULL;
    return status;
}

/* ---- taking ---- */

static void empty(struct few_session *s, struct few__passage *item)
{
    item->record = (struct few__record){.name = item->path};
    item->wrong = (struct few_error){.message = ""};
    item->moment = (struct few__item){.stream = SIZE_MAX};
    item->flow = NULL;
    item->stream = -1;
    item->digest[0] = 0;
    item->size = 0;
    item->mtime_us = item->read_us = item->runtime_us = item->run_all_us = 0;
    item->at_us = item->until_us = item->arrived_us = item->segment = 0;
    item->id = s->next_id;
    item->replaces = item->from_store = item->stored = item->counted = item->in_counts = false;
    item->moment_taken = item->explores = item->learned = item->reused = item->had_failed = false;
    item->thumbnail = item->look = NULL;
    item->cells = NULL;
    item->result = few__session_blank(item);
}

// What is wrong with a path is the item's failure.
static enum few_status read_path(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    few__arena_reset(&s->texts);
    const struct few__record *listed = s->items ? few__items_record(s->items, item->path) : NULL;
    if (listed) item->record = *listed;
    enum few_status status =
        listed ? FEW_OK : few__record_of_path(item->path, &s->texts, &item->record, &item->wrong);
    item->record.name = item->path;
    return status == FEW_ENOMEM ? few__no_memory(err, item->path) : FEW_OK;
}

// The name says when it begins; its sound goes on until the next one.
static void add_sound(const struct few_session *s, struct few__passage *item)
{
    static const struct few__place_in nothing = {.from_us = -1, .until_us = -1, .frame = -1};
    struct few__record *record = &item->record;
    const char *file = record->image.path ? record->image.path : record->sound.path;
    if (item->stream < 0 || !file) return;
    if (!s->zoo->looks_at[FEW_IMAGE]) record->image = nothing;
    if (!s->zoo->looks_at[FEW_SOUND] || item->until_us <= item->at_us) return;
    record->sound = (struct few__place_in){file, item->at_us, item->until_us, -1};
}

// A recording that could not be opened is more than one item: it is for a run that goes on.
static enum few_status fail_whole(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    struct few__stream_row row;
    if (item->stream < 0) return FEW_OK;
    FEW__TRY(few__store_get_stream(s->store, item->stream, &row, err));
    if (strcmp(row.path, item->path) == 0)
        few__fail(&item->wrong, FEW_EDECODE,
                  "%s: a whole recording is not tried again by itself: go on with "
                  "the run once its file is another one",
                  item->path);
    return FEW_OK;
}

static enum few_status pull_failed(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    int64_t id;
    const char *path;
    struct few__item_row row;
    FEW__TRY(few__store_next_failed(s->store, s->retried, &id, &path, err));
    snprintf(item->path, sizeof item->path, "%s", path);
    FEW__TRY(few__store_get(s->store, id, &row, s->cells, err));
    item->from_store = item->replaces = true;
    item->id = (uint64_t)id;
    item->stream = row.stream;
    item->at_us = row.at_us;
    item->until_us = row.until_us;
    item->had_failed = row.status != FEW_OK;
    if (row.stream >= 0) snprintf(item->digest, sizeof item->digest, "%s", row.digest);
    FEW__TRY(read_path(s, item, err));
    add_sound(s, item);
    FEW__TRY(fail_whole(s, item, err));
    s->retried = id;
    return FEW_OK;
}

static enum few_status pull_queued(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    snprintf(item->path, sizeof item->path, "%s", s->queue[s->queue_first]);
    FEW__TRY(read_path(s, item, err));
    s->queue_first = (s->queue_first + 1) % FEW_QUEUE_MAX;
    s->queue_n--;
    return FEW_OK;
}

// What an earlier run had of a recording, as one result.
static void pull_kept(struct few_session *s, struct few__passage *item)
{
    size_t i = 0;
    while (s->flows[i]->n_kept == 0 || s->flows[i]->told_kept) i++;
    struct few__flow *flow = s->flows[i];
    snprintf(item->path, sizeof item->path, "%s", flow->row.path);
    item->flow = flow;
    few__session_kept(item, flow->n_kept);
    flow->told_kept = true;
    s->n_to_tell--;
}

/* The rest of a recording that broke off is one item that failed, named after the time at which it ends. All of them come
 * last: when an end is seen depends on what is read ahead. */
static enum few_status pull_broken(struct few_session *s, struct few__passage *item)
{
    for (size_t i = 0; i < s->n_flows; i++) {
        struct few__stream_about about;
        struct few__flow *flow = s->flows[i];
        if (flow->told_end || !flow->seen) continue;
        few__items_about(s->items, flow->entry, &about);
        if (!few__flow_is_broken(flow, &about)) continue;
        few__moment_name(flow->row.path, flow->end_us, item->path, sizeof item->path);
        item->at_us = item->until_us = flow->end_us;
        item->moment.stream = flow->entry;
        few__fail(&item->wrong, FEW_EDECODE, "%s", about.message);
        flow->told_end = true;
        return FEW_OK;
    }
    return FEW_END;
}

static enum few_status pull_attached(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    if (s->n_to_tell > 0) {
        pull_kept(s, item);
        return FEW_OK;
    }
    if (s->items_ended) return pull_broken(s, item);
    enum few_status status = few__items_next(s->items, &item->moment, &item->wrong);
    s->items_ended = status == FEW_END;
    if (status == FEW_END) return pull_broken(s, item);
    if (status != FEW_OK && status != FEW_AGAIN && err) *err = item->wrong;
    if (status != FEW_OK) return status;
    snprintf(item->path, sizeof item->path, "%s", item->moment.key);
    snprintf(item->digest, sizeof item->digest, "%s", item->moment.digest);
    const struct few__moment *moment = item->moment.moment;
    if (item->moment.record) item->record = *item->moment.record;
    item->record.name = item->path;
    if (!moment) return FEW_OK;
    item->moment_taken = true;
    item->at_us = moment->at_us;
    item->until_us = moment->until_us;
    item->arrived_us = moment->arrived_us;
    return FEW_OK;
}

static enum few_status pull(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    enum few_status status = FEW_END;
    if (s->retrying) status = pull_failed(s, item, err);
    s->retrying = status != FEW_END && s->retrying; // once there are no more of them, there are none
    if (status != FEW_END) return status;
    if (s->queue_n > 0) return pull_queued(s, item, err);
    return s->items ? pull_attached(s, item, err) : FEW_END;
}

enum few_status few__session_pull(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    empty(s, item);
    enum few_status status = pull(s, item, err);
    if (status == FEW_OK && item->step == FEW__STEP_EMPTY) item->step = FEW__STEP_TAKEN;
    return status;
}
