// SPDX-License-Identifier: Apache-2.0
/* Streams as the session knows them: what an earlier run has of one, its row in the store, its counts.
 *
 * The row follows each item, in the transaction of the items or of the next one, so a run that was killed may have one item
 * that its row does not count: counted_us says up to where it does. */
#include <stdio.h>
#include <string.h>

#include "session/session_internal.h"

enum { FLOW_ARENA_MAX = 256 << 20 };

/* ---- flows ---- */

// Where the entry is, or belongs.
static size_t place_of(const struct few_session *s, size_t entry)
{
    size_t low = 0, high = s->n_flows;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->flows[middle]->entry < entry) low = middle + 1;
        else high = middle;
    }
    return low;
}

struct few__flow *few__flow_find(const struct few_session *s, size_t entry)
{
    size_t i = place_of(s, entry);
    return i < s->n_flows && s->flows[i]->entry == entry ? s->flows[i] : NULL;
}

static void forget_reference(const struct few_session *s, struct few__reference *ref)
{
    few__free(s->env.mem, ref->look);
    few__arena_finish(&ref->arena);
    *ref = (struct few__reference){.exists = false};
}

static void close_flow(const struct few_session *s, struct few__flow *flow)
{
    if (!flow) return;
    forget_reference(s, &flow->reference);
    few__free(s->env.mem, flow);
}

void few__flows_close(struct few_session *s)
{
    for (size_t i = 0; i < s->n_flows; i++) close_flow(s, s->flows[i]);
    few__free(s->env.mem, s->flows);
    s->flows = NULL;
    s->n_flows = s->flows_room = s->n_open = s->n_to_tell = 0;
}

static struct few__flow *new_flow(struct few_session *s, size_t entry)
{
    struct few__flow *flow = FEW__NEW(s->env.mem, struct few__flow);
    if (!flow) return NULL;
    flow->entry = entry;
    flow->known_us = flow->counted_us = flow->failed_id = flow->answered_us = -1;
    flow->row = (struct few__stream_row){.id = -1,
                                         .path = few_items_path(s->items, entry),
                                         .options = few__items_options(s->items),
                                         .is_live = !few__items_is_recording(s->items, entry),
                                         .last_us = -1,
                                         .newest_age_us = -1,
                                         .message = flow->message};
    few__arena_init(&flow->reference.arena, s->env.mem, FLOW_ARENA_MAX);
    if (s->opts.reuse_below <= 0 || (flow->reference.look = few__new(s->env.mem, FEW__LOOK_BYTES, 1)))
        return flow;
    close_flow(s, flow);
    return NULL;
}

static enum few_status add_flow(struct few_session *s, struct few__flow *flow, struct few_error *err)
{
    if (s->n_flows == s->flows_room) {
        size_t room = s->flows_room ? 2 * s->flows_room : 16;
        struct few__flow **grown = few__resize(s->env.mem, s->flows, room, sizeof(struct few__flow *));
        if (!grown) return few__no_memory(err, flow->row.path);
        s->flows = grown;
        s->flows_room = room;
    }
    size_t at = place_of(s, flow->entry);
    memmove(s->flows + at + 1, s->flows + at, (s->n_flows - at) * sizeof(struct few__flow *));
    s->flows[at] = flow;
    s->n_flows++;
    return FEW_OK;
}

/* ---- what the store has of one ---- */

// Counts go on where they were.
static void take_counts(struct few__flow *flow, const struct few__stream_row *stored)
{
    struct few__stream_row *row = &flow->row;
    row->n_in = stored->n_in;
    row->n_analysed = stored->n_analysed;
    row->n_reused = stored->n_reused;
    row->n_failed = stored->n_failed;
    row->n_dropped = flow->before.n_dropped = stored->n_dropped;
    row->n_damaged = flow->before.n_damaged = stored->n_damaged;
    row->n_reconnects = flow->before.n_reconnects = stored->n_reconnects;
    row->last_us = stored->last_us;
    row->newest_age_us = stored->newest_age_us;
}

// The number of what could not be opened before, which the first moment replaces now.
static enum few_status find_failed(struct few_session *s, struct few__flow *flow, struct few_error *err)
{
    struct few__known known;
    enum few_status status = few__store_find_path(s->store, flow->row.path, &known, err);
    if (status == FEW_OK) flow->failed_id = known.id;
    return status == FEW_END ? FEW_OK : status;
}

static enum few_status find_stored(struct few_session *s, struct few__flow *flow, struct few_error *err)
{
    struct few__stream_row stored;
    struct few__stream_row *row = &flow->row;
    const struct few__record whole = {.name = row->path, .image = {.path = row->path}};
    if (!row->is_live) {
        const struct few__looks now = few__record_looks(&whole);
        row->size = now.size;
        row->mtime_us = now.mtime_us;
    }
    if (!s->store) return FEW_OK;
    enum few_status status = few__store_find_stream(s->store, row->path, &stored, err);
    if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
    row->id = stored.id;
    row->is_live = row->is_live && stored.is_live; // what has an end is a recording
    if (row->is_live) {
        take_counts(flow, &stored);
        return FEW_OK;
    }
    flow->is_known = true;
    flow->known_us = stored.last_us;
    if (row->size && (row->size != stored.size || row->mtime_us != stored.mtime_us))
        return find_failed(s, flow, err);
    row->size = stored.size; // what is gone keeps what was said about it
    row->mtime_us = stored.mtime_us;
    row->ended = stored.ended;
    row->width = stored.width;
    row->height = stored.height;
    row->fps = stored.fps;
    row->duration_us = stored.duration_us;
    snprintf(flow->message, sizeof flow->message, "%.255s", stored.message);
    take_counts(flow, &stored);
    flow->counted_us = stored.last_us;
    flow->n_kept = row->n_analysed + row->n_reused + row->n_failed;
    if (stored.ended || flow->n_kept == 0) return FEW_OK;
    return few__store_count_moments(s->store, row->id, INT64_MAX, &flow->n_kept, err); // one may be uncounted
}

enum few_status few__flow_open(struct few_session *s, size_t entry, struct few__flow **out,
                               struct few_error *err)
{
    if ((*out = few__flow_find(s, entry))) return FEW_OK;
    struct few__flow *flow = new_flow(s, entry);
    if (!flow) return few__no_memory(err, few_items_path(s->items, entry));
    enum few_status status = find_stored(s, flow, err);
    if (status == FEW_OK) status = add_flow(s, flow, err);
    if (status != FEW_OK) {
        close_flow(s, flow);
        return status;
    }
    s->n_to_tell += flow->n_kept > 0;
    *out = flow;
    return FEW_OK;
}

/* ---- its row ---- */

bool few__flow_is_broken(const struct few__flow *flow, const struct few__stream_about *about)
{
    return !flow->row.is_live && !flow->could_not_open && about->ended && about->message[0];
}

// Everything of it was taken, and given out.
static bool is_over(const struct few__flow *flow, const struct few__stream_about *about)
{
    bool told = flow->told_end || !few__flow_is_broken(flow, about);
    return about->ended && told && flow->n_inside == 0 && flow->n_taken == about->n_in - about->n_dropped;
}

void few__flow_look(const struct few_session *s, struct few__flow *flow)
{
    struct few__stream_about about;
    struct few__stream_row *row = &flow->row;
    few__items_about(s->items, flow->entry, &about);
    if (about.container.has_picture || about.container.has_sound) {
        row->is_live = row->is_live && about.container.is_live;
        row->width = about.container.width;
        row->height = about.container.height;
        row->fps = about.container.fps;
        row->duration_us = about.container.duration_us;
    }
    if (flow->is_known) flow->before.n_seen = about.n_damaged; // those were counted when they were met first
    row->n_damaged = flow->before.n_damaged + about.n_damaged - flow->before.n_seen;
    row->n_dropped = flow->before.n_dropped + about.n_dropped;
    row->n_reconnects = flow->before.n_reconnects + about.n_reconnects;
    row->n_in = row->n_analysed + row->n_reused + row->n_dropped + row->n_failed;
    if (about.message[0]) memcpy(flow->message, about.message, sizeof flow->message);
    row->ended = flow->seen && (flow->could_not_open || is_over(flow, &about));
}

static enum few_status renew(struct few_session *s, struct few__flow *flow, struct few_error *err)
{
    few__flow_look(s, flow);
    if (s->store) FEW__TRY(few__store_put_stream(s->store, &flow->row, err));
    if (!flow->row.ended) return FEW_OK;
    forget_reference(s, &flow->reference);
    s->n_open--;
    return FEW_OK;
}

enum few_status few__flows_renew(struct few_session *s, struct few_error *err)
{
    for (size_t i = 0; i < s->n_flows; i++) {
        struct few__flow *flow = s->flows[i];
        if (!flow->row.ended && (flow->seen || flow->row.is_live)) FEW__TRY(renew(s, flow, err));
    }
    return FEW_OK;
}

void few__flow_add(struct few__flow *flow, const struct few__passage *item)
{
    struct few__stream_row *row = &flow->row;
    if (item->result.status != FEW_OK) row->n_failed++;
    else if (item->reused) row->n_reused++;
    else row->n_analysed++;
    if (item->moment_taken && item->at_us > row->last_us) row->last_us = item->at_us;
    if (!row->is_live || item->result.age_us < 0) return;
    row->newest_age_us = item->result.age_us;
    flow->answered_us = item->arrived_us;
}

// A failed moment of an earlier run has its answers now.
static enum few_status count_retried(struct few_session *s, const struct few__passage *item,
                                     struct few_error *err)
{
    struct few__stream_row row;
    if (item->stream < 0 || !item->had_failed || item->result.status != FEW_OK) return FEW_OK;
    for (size_t i = 0; i < s->n_flows; i++) {
        struct few__stream_row *known = &s->flows[i]->row;
        if (known->id != item->stream || known->n_failed == 0) continue;
        known->n_failed--;
        known->n_analysed++;
        return few__store_put_stream(s->store, known, err);
    }
    enum few_status status = few__store_get_stream(s->store, item->stream, &row, err);
    if (status == FEW_END || (status == FEW_OK && row.n_failed == 0)) return FEW_OK;
    if (status != FEW_OK) return status;
    row.n_failed--;
    row.n_analysed++;
    return few__store_put_stream(s->store, &row, err);
}

enum few_status few__flow_count(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    if (item->counted) return FEW_OK;
    if (!item->flow) {
        FEW__TRY(count_retried(s, item, err));
    } else {
        if (!item->in_counts) {
            few__flow_add(item->flow, item);
            item->flow->n_inside--;
            item->in_counts = true;
        }
        FEW__TRY(renew(s, item->flow, err));
    }
    item->counted = true;
    return FEW_OK;
}
