// SPDX-License-Identifier: Apache-2.0
/* Whose item is next. A window of turns goes round: each holds a recording until its end, or one item, and is filled with
 * the next entry when it is empty; so the order depends on the entries alone, not on who decodes fast. Live streams have
 * turns of their own and are passed over while they have nothing.
 *
 * What an earlier run took is taken again in this count, only without an item: the rest comes in the order in which it
 * would have come then. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/digest.h"
#include "core/error.h"
#include "source/items_internal.h"

enum { DIGEST_TEXT_MAX = 512 }; // bytes of what a moment's digest is made of

/* ---- sources ---- */

static struct few__source **source_of(struct few_items *items, size_t entry)
{
    const struct few__entry *e = &items->entries[entry];
    return e->kind == FEW__ENTRY_LIVE ? &items->live[e->extra] : &items->sources[e->extra];
}

// Made when there is none yet; NULL: out of memory, which items->no_memory says.
static struct few__source *make_source(struct few_items *items, size_t entry)
{
    struct few__source **source = source_of(items, entry);
    if (*source) return *source;
    *source = FEW__ARENA_NEW(&items->arena, struct few__source, 1);
    if (*source) (*source)->about.newest_us = -1;
    else items->no_memory = true;
    return *source;
}

bool few__items_is_recording(struct few_items *items, size_t entry)
{
    return !items->opts.only_names && few__items_kind(items, entry) == FEW__ENTRY_RECORDING;
}

void few__items_leave_out(struct few_items *items, size_t entry, uint64_t n_taken)
{
    struct few__source *source = few__items_is_recording(items, entry) ? make_source(items, entry) : NULL;
    if (!source) return;
    source->left_out = true;
    source->n_taken = n_taken;
}

void few__items_start_at(struct few_items *items, size_t entry, int64_t at_us, uint64_t n_taken)
{
    struct few__source *source = few__items_is_recording(items, entry) ? make_source(items, entry) : NULL;
    if (!source) return;
    source->start_us = at_us;
    source->n_taken = n_taken;
}

void few__items_about(struct few_items *items, size_t entry, struct few__stream_about *about)
{
    *about = (struct few__stream_about){.newest_us = -1};
    uint8_t kind = items->entries[entry].kind;
    if (kind != FEW__ENTRY_LIVE && kind != FEW__ENTRY_RECORDING) return;
    const struct few__source *source = *source_of(items, entry);
    if (!source) return;
    if (source->stream) few__stream_about(source->stream, about);
    else *about = source->about;
}

static void close_source(struct few__source *source)
{
    few__stream_about(source->stream, &source->about);
    source->about.ended = true;
    few__stream_close(source->stream);
    source->stream = NULL;
}

// Closing has to wait until moments that callers hold are back.
static void close_those_left(struct few_items *items)
{
    struct few__source **at = &items->closing;
    while (*at) {
        struct few__source *source = *at;
        if (atomic_load(&source->in_hands) > 0) {
            at = &source->next_closing;
            continue;
        }
        *at = source->next_closing;
        close_source(source);
    }
}

static void end_stream(struct few_items *items, struct few__source *source)
{
    source->next_closing = items->closing;
    items->closing = source;
    close_those_left(items);
}

/* ---- turns ---- */

// The stream of a recording or a live source begins.
static enum few_status open_stream(struct few_items *items, size_t entry, struct few__source *source,
                                   struct few_error *err)
{
    const struct few__entry *e = &items->entries[entry];
    bool is_live = e->kind == FEW__ENTRY_LIVE;
    struct few__stream_opts opts = {.in_hands = items->needs.in_hands};
    few__items_container(items, is_live, &opts.container);
    if (is_live) {
        opts.reconnects = items->opts.live_reconnects;
        opts.on_ready = items->needs.on_ready;
        opts.ud = items->needs.ud;
    } else {
        FEW__TRY(few__fingerprint(e->path, source->fingerprint, err));
    }
    const char *url = is_live ? items->urls[e->extra] : e->path;
    FEW__TRY(few__stream_open(url, &opts, &items->env, &source->stream, err));
    if (source->start_us > 0) few__stream_start_at(source->stream, source->start_us);
    return FEW_OK;
}

static enum few_status fill(struct few_items *items, struct few__turn *turn, size_t entry,
                            struct few_error *err)
{
    enum few__entry_kind kind = few__items_kind(items, entry);
    *turn = (struct few__turn){.what = FEW__TURN_ONE, .entry = entry};
    if (kind == FEW__ENTRY_PATH || kind == FEW__ENTRY_RECORD) return FEW_OK;
    struct few__source *source = make_source(items, entry);
    if (!source) return few__no_memory(err, "streams of items");
    turn->what = FEW__TURN_STREAM;
    turn->source = source;
    turn->skip = source->n_taken;
    if (source->left_out) return FEW_OK;
    enum few_status status = open_stream(items, entry, source, &turn->error);
    if (status == FEW_ENOMEM) return few__fail(err, status, "%s", turn->error.message);
    if (status != FEW_OK) turn->what = FEW__TURN_BROKEN;
    return FEW_OK;
}

// The next entry that is nobody's turn yet, or none.
static enum few_status refill(struct few_items *items, struct few__turn *turn, struct few_error *err)
{
    turn->what = FEW__TURN_EMPTY;
    while (items->next_entry < items->n) {
        size_t entry = items->next_entry++;
        if (items->entries[entry].kind != FEW__ENTRY_LIVE) return fill(items, turn, entry, err);
    }
    return FEW_OK;
}

static enum few_status fill_window(struct few_items *items, struct few_error *err)
{
    for (size_t k = 0; k < items->n_turns && items->next_entry < items->n; k++) {
        struct few__turn *turn = &items->turns[(items->at + k) % items->n_turns];
        if (turn->what == FEW__TURN_EMPTY && turn < items->turns + items->n_window)
            FEW__TRY(refill(items, turn, err));
    }
    return FEW_OK;
}

enum few_status few__items_begin(struct few_items *items, const struct few__items_needs *needs,
                                 struct few_error *err)
{
    items->needs = *needs;
    if (items->needs.in_hands == 0) items->needs.in_hands = 1;
    items->n_window = items->opts.streams ? items->opts.streams : FEW__ITEMS_WINDOW;
    items->n_turns = items->n_window + items->n_urls;
    items->turns = FEW__NEW_N(items->env.mem, struct few__turn, items->n_turns);
    if (!items->turns) return few__no_memory(err, "turns of items");
    size_t at = items->n_window;
    for (size_t i = 0; i < items->n && !items->opts.only_names; i++)
        if (items->entries[i].kind == FEW__ENTRY_LIVE) FEW__TRY(fill(items, &items->turns[at++], i, err));
    return FEW_OK;
}

void few__items_end(struct few_items *items)
{
    for (size_t i = 0; items->turns && i < items->n_turns; i++) {
        struct few__turn *turn = &items->turns[i];
        if (turn->what == FEW__TURN_STREAM && turn->source->stream) close_source(turn->source);
    }
    for (struct few__source *source = items->closing; source; source = source->next_closing)
        close_source(source);
    items->closing = NULL;
    few__free(items->env.mem, items->turns);
    items->turns = NULL;
    items->ended = true;
}

/* ---- items ---- */

// "clip.mp4#t=12.5"; live: "rtsp://...#t=clock:2026-11-21T06:33:00.123Z"
static void make_key(struct few_items *items, const char *path, bool is_live, int64_t at_us)
{
    char *key = items->key;
    size_t room = sizeof items->key;
    int64_t s = at_us / 1000000, us = at_us % 1000000;
    if (us < 0) us = 0;
    if (is_live) {
        struct tm tm;
        time_t seconds = (time_t)s;
        char day[32];
        if (!gmtime_r(&seconds, &tm) || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0) day[0] = 0;
        if (us % 1000) snprintf(key, room, "%s#t=clock:%s.%06dZ", path, day, (int)us);
        else snprintf(key, room, "%s#t=clock:%s.%03dZ", path, day, (int)(us / 1000));
        return;
    }
    few__moment_name(path, s * 1000000 + us, key, room);
}

/* Of the same picture under any name, and however many pictures are taken beside it; where sound goes with it, its span
 * counts too. */
static enum few_status make_digest(const struct few_items *items, const struct few__source *source,
                                   const struct few__moment *moment, char digest[65], struct few_error *err)
{
    char text[DIGEST_TEXT_MAX];
    int n = snprintf(text, sizeof text, "moment %s %d %lld", source->fingerprint, items->wants_picture,
                     (long long)moment->at_us);
    if (items->n_rates)
        n += snprintf(text + n, sizeof text - (size_t)n, " %lld", (long long)moment->until_us);
    for (size_t i = 0; i < items->n_rates; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, " %d", items->rates[i]);
    return few__sha256(text, (size_t)n, digest) == FEW_OK ? FEW_OK
                                                          : few__no_memory(err, "digest of a moment");
}

static enum few_status give_moment(struct few_items *items, const struct few__turn *turn,
                                   struct few__moment *moment, struct few__item *item, struct few_error *err)
{
    bool is_live = items->entries[turn->entry].kind == FEW__ENTRY_LIVE;
    make_key(items, items->entries[turn->entry].path, is_live, moment->at_us);
    item->moment = moment;
    item->stream = turn->entry;
    if (!is_live) {
        enum few_status status = make_digest(items, turn->source, moment, item->digest, err);
        if (status != FEW_OK) few__stream_give_back(turn->source->stream, moment);
        if (status != FEW_OK) return status;
    }
    atomic_fetch_add(&turn->source->in_hands, 1);
    return FEW_OK;
}

// The error of an item that there is: told by err beside FEW_OK.
static enum few_status give_broken(struct few_items *items, size_t entry, struct few__item *item)
{
    snprintf(items->key, sizeof items->key, "%s", items->entries[entry].path);
    item->stream = entry;
    return FEW_OK;
}

static enum few_status give_one(struct few_items *items, size_t entry, struct few__item *item,
                                struct few_error *err)
{
    const struct few__entry *e = &items->entries[entry];
    snprintf(items->key, sizeof items->key, "%s", e->path);
    if (e->kind == FEW__ENTRY_RECORD) {
        item->record = &items->listed[e->extra]->record;
        return FEW_OK;
    }
    few__arena_reset(&items->record_arena);
    enum few_status status = few__record_of_path(items->key, &items->record_arena, &items->record, err);
    if (status == FEW_OK) item->record = &items->record;
    return status == FEW_ENOMEM ? status : FEW_OK;
}

/* What this turn has. FEW_AGAIN: nothing, or one that an earlier run has taken (then *taken). FEW_END: it is over. */
static enum few_status take(struct few_items *items, struct few__turn *turn, bool *taken,
                            struct few__item *item, struct few_error *err)
{
    struct few__moment *moment = NULL;
    *taken = turn->skip > 0;
    if (turn->skip > 0) {
        turn->skip--;
        return FEW_AGAIN;
    }
    if (turn->what == FEW__TURN_EMPTY || (turn->source && turn->source->left_out)) return FEW_END;
    if (turn->what != FEW__TURN_STREAM) {
        bool broken = turn->what == FEW__TURN_BROKEN;
        if (broken) *err = turn->error;
        turn->what = FEW__TURN_EMPTY;
        return broken ? give_broken(items, turn->entry, item) : give_one(items, turn->entry, item, err);
    }
    bool is_live = items->entries[turn->entry].kind == FEW__ENTRY_LIVE;
    enum few_status status = few__stream_next(turn->source->stream, !is_live, &moment, err);
    if (status == FEW_OK) return give_moment(items, turn, moment, item, err);
    if (status == FEW_END) end_stream(items, turn->source);
    if (status == FEW_END || status == FEW_AGAIN || status == FEW_ENOMEM) return status;
    return give_broken(items, turn->entry, item);
}

// A turn that is over goes to the next entry, which gives something at once.
static enum few_status visit(struct few_items *items, struct few__turn *turn, bool *taken,
                             struct few__item *item, struct few_error *err)
{
    for (;;) {
        enum few_status status = take(items, turn, taken, item, err);
        if (status != FEW_END || turn >= items->turns + items->n_window) {
            if (status == FEW_END) turn->what = FEW__TURN_EMPTY;
            return status;
        }
        FEW__TRY(refill(items, turn, err));
        if (turn->what == FEW__TURN_EMPTY) return FEW_END;
    }
}

enum few_status few__items_next(struct few_items *items, struct few__item *item, struct few_error *err)
{
    const struct few__items_needs needs = {.in_hands = 1};
    *err = (struct few_error){.message = ""};
    *item = (struct few__item){.key = items->key, .stream = SIZE_MAX};
    if (items->ended || items->opts.only_names) return FEW_END;
    if (!items->turns) FEW__TRY(few__items_begin(items, &needs, err));
    if (items->no_memory) return few__no_memory(err, "streams of items");
    close_those_left(items);
    bool silent = false; // a live stream is there, and has nothing
    for (size_t in_vain = 0; in_vain < items->n_turns;) {
        bool taken = false;
        if (items->opts.limit && items->n_given >= items->opts.limit) return FEW_END;
        FEW__TRY(fill_window(items, err));
        struct few__turn *turn = &items->turns[items->at];
        items->at = (items->at + 1) % items->n_turns;
        enum few_status status = visit(items, turn, &taken, item, err);
        if (status != FEW_OK && status != FEW_AGAIN && status != FEW_END) return status;
        items->n_given += status == FEW_OK || taken;
        if (status == FEW_OK && (item->moment || item->record)) *err = (struct few_error){.message = ""};
        if (status == FEW_OK) return FEW_OK;
        silent = silent || (status == FEW_AGAIN && !taken);
        in_vain = taken ? 0 : in_vain + 1;
    }
    return silent ? FEW_AGAIN : FEW_END;
}

void few__items_give_back(struct few_items *items, const struct few__item *item)
{
    if (!item->moment) return;
    struct few__source *source = *source_of(items, item->stream);
    few__stream_give_back(source->stream, item->moment);
    atomic_fetch_sub(&source->in_hands, 1);
}
