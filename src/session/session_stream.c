// SPDX-License-Identifier: Apache-2.0
/* Streams as the session knows them: the row in the store, the frame that later ones may be like (Reducto), what the first
 * frames of a segment showed (explore and exploit).
 *
 * What becomes of a moment depends on the moments of its stream before it and on nothing else, so it waits for those whose
 * answers decide it; other streams go on. A run that goes on meets the moments of the last segment again, and learns from
 * their rows in the store what the run before had learned from them. */
#include <stdio.h>
#include <string.h>

#include "model/output.h"
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

static bool reuses(const struct few_session *s)
{
    return s->opts.reuse_below > 0;
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
    if (!reuses(s) || (flow->reference.look = few__new(s->env.mem, FEW__LOOK_BYTES, 1))) return flow;
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

static void look_at(const struct few_session *s, struct few__flow *flow)
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
    look_at(s, flow);
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

static void add_count(struct few__flow *flow, const struct few__passage *item)
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
            add_count(item->flow, item);
            item->flow->n_inside--;
            item->in_counts = true;
        }
        FEW__TRY(renew(s, item->flow, err));
    }
    item->counted = true;
    return FEW_OK;
}

/* ---- its segment ---- */

// Costs are known only once models are measured, so this waits for the first frame.
static enum few_status wake_explorer(struct few_session *s, struct few_error *err)
{
    const struct few__explore_opts opts = {
        .catalog = &s->zoo->catalog, .costs = s->costs, .n_first = s->explore_first, .keep = s->explore_keep};
    if (s->explore || !s->explores) return FEW_OK;
    FEW__TRY(few__session_measure(s, err));
    return few__explore_create(&opts, &s->env, &s->explore, err);
}

static enum few_status learn_from(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    const struct few_result *result = &item->result;
    for (size_t m = 0; m < s->n_models; m++) s->said[m] = result->rows[m].output;
    item->learned = true;
    return few__explore_learn(s->explore, item->flow->entry, item->segment, result->status == FEW_OK, s->said,
                              err);
}

// Whatever finished first, they are learned from in the order in which they came.
static enum few_status learn_in_order(struct few_session *s, const struct few__flow *flow,
                                      struct few_error *err)
{
    for (size_t i = 0; i < s->n_inside; i++) {
        struct few__passage *item = &s->passages[(s->first + i) % s->n_passages];
        if (item->flow != flow || !item->explores || item->learned) continue;
        if (item->step != FEW__STEP_DONE) break;
        FEW__TRY(learn_from(s, item, err));
    }
    return FEW_OK;
}

/* ---- the frame that others are like ---- */

static bool is_like_reference(struct few_session *s, struct few__passage *item)
{
    const struct few__reference *ref = &item->flow->reference;
    const struct few__moment *moment = item->moment.moment;
    if (!reuses(s) || !moment->has_look || !ref->exists || ref->segment != item->segment) return false;
    if (item->likeness < 0)
        item->likeness = few__look_difference(s->scratch, s->opts.reuse_feature, ref->look, moment->look);
    return item->likeness < s->opts.reuse_below;
}

// This one is analysed: the next ones are compared with it.
static void set_reference(struct few_session *s, const struct few__passage *item)
{
    struct few__reference *ref = &item->flow->reference;
    const struct few__moment *moment = item->moment.moment;
    if (!reuses(s)) return;
    ref->exists = moment->has_look;
    ref->passage = item;
    ref->answers = false;
    ref->segment = item->segment;
    if (moment->has_look) memcpy(ref->look, moment->look, FEW__LOOK_BYTES);
}

static enum few_status copy_row(struct few__reference *ref, const struct few_result_row *from,
                                struct few_result_row *to)
{
    *to = *from;
    to->reason = few__arena_strdup(&ref->arena, from->reason);
    to->output = NULL;
    if (!to->reason) return FEW_ENOMEM;
    if (!from->output) return FEW_OK;
    struct few_output *output = FEW__ARENA_NEW(&ref->arena, struct few_output, 1);
    to->output = output;
    return output ? few__output_copy(from->output, &ref->arena, output) : FEW_ENOMEM;
}

// Its rows are copied, since the caller may be done with it before the next one comes.
static enum few_status keep_answers(struct few_session *s, const struct few__passage *item,
                                    struct few_error *err)
{
    struct few__reference *ref = &item->flow->reference;
    const struct few_result *result = &item->result;
    bool answers = result->status == FEW_OK;
    few__arena_reset(&ref->arena);
    const char *path = few__arena_strdup(&ref->arena, item->path);
    struct few_result_row *rows = FEW__ARENA_NEW(&ref->arena, struct few_result_row, s->n_models);
    if (!path || !rows) return few__no_memory(err, item->path);
    for (size_t m = 0; m < s->n_models; m++) {
        if (copy_row(ref, &result->rows[m], &rows[m]) != FEW_OK) return few__no_memory(err, item->path);
        if (rows[m].outcome == FEW_FAILED || rows[m].outcome == FEW_LATE) answers = false;
    }
    ref->result = (struct few_result){.path = path,
                                      .width = result->width,
                                      .height = result->height,
                                      .n_models = s->n_models,
                                      .rows = rows};
    ref->run_all_us = item->run_all_us;
    ref->answers = answers;
    ref->passage = NULL;
    return FEW_OK;
}

enum few_status few__flow_learn(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    if (!item->flow) return FEW_OK;
    if (item->flow->reference.passage == item) FEW__TRY(keep_answers(s, item, err));
    return s->explore ? learn_in_order(s, item->flow, err) : FEW_OK;
}

/* ---- meeting ---- */

// Something ran, or would have.
static bool was_analysed(const struct few_session *s, const struct few_result *result)
{
    for (size_t m = 0; m < s->n_models; m++) {
        enum few_outcome outcome = result->rows[m].outcome;
        if (outcome == FEW_EXECUTED || outcome == FEW_LATE || outcome == FEW_FAILED) return true;
    }
    return result->status != FEW_OK;
}

// What the run before learned from an item that the store has.
static enum few_status learn_again(struct few_session *s, struct few__passage *item, int64_t id,
                                   struct few_error *err)
{
    struct few__item_row row;
    few__arena_reset(&item->arena);
    item->result = few__session_blank(item);
    item->result.n_models = s->n_models;
    FEW__TRY(few__session_recall(s, id, &item->arena, &row, &item->result.rows, err));
    item->result.status = row.status;
    item->result.width = row.width;
    item->result.height = row.height;
    item->run_all_us = row.run_all_us;
    item->reused = !was_analysed(s, &item->result) && is_like_reference(s, item);
    if (item->reused) return FEW_OK;
    set_reference(s, item);
    if (reuses(s)) FEW__TRY(keep_answers(s, item, err));
    FEW__TRY(wake_explorer(s, err));
    if (!s->explore || few__explore_phase(s->explore, item->flow->entry, item->segment) != FEW__PHASE_EXPLORE)
        return FEW_OK;
    FEW__TRY(few__explore_begin(s->explore, item->flow->entry, item->segment, err));
    return learn_from(s, item, err);
}

static enum few_status meet_stored(struct few_session *s, struct few__passage *item, int64_t id,
                                   enum few__verdict *verdict, struct few_error *err)
{
    struct few__flow *flow = item->flow;
    bool told = flow->n_kept > 0, counted = item->at_us <= flow->counted_us;
    if (reuses(s) || s->explores || !counted) FEW__TRY(learn_again(s, item, id, err));
    if (!counted) add_count(flow, item);
    few__session_give_back(s, &item->moment);
    *verdict = told ? FEW__VERDICT_GONE : FEW__VERDICT_DONE;
    if (!told) few__session_kept(item, 1);
    return FEW_OK;
}

// That it broke off, or could not be opened, is there already.
static void meet_told(struct few__flow *flow, enum few__verdict *verdict)
{
    struct few__stream_row *row = &flow->row;
    row->n_failed += row->n_analysed + row->n_reused + row->n_failed < flow->n_kept;
    *verdict = FEW__VERDICT_GONE;
}

static enum few_status meet_known(struct few_session *s, struct few__passage *item,
                                  enum few__verdict *verdict, struct few_error *err)
{
    struct few__flow *flow = item->flow;
    struct few__known known;
    enum few_status status = few__store_find_path(s->store, item->path, &known, err);
    if (status == FEW_OK && !item->replaces) {
        if (item->wrong.code == FEW_OK && strcmp(known.digest, item->digest) == 0)
            return meet_stored(s, item, known.id, verdict, err);
        if (item->wrong.code != FEW_OK && flow->n_kept > 0) {
            meet_told(flow, verdict);
            return FEW_OK;
        }
        item->replaces = true;
        item->id = (uint64_t)known.id;
    }
    if (status != FEW_OK && status != FEW_END) return status;
    if (status == FEW_END && item->at_us > flow->known_us) flow->is_known = false;
    if (status == FEW_END && flow->failed_id >= 0 && item->wrong.code == FEW_OK) {
        item->replaces = true;
        item->id = (uint64_t)flow->failed_id;
        flow->failed_id = -1;
    }
    return FEW_OK;
}

// Looks are stored where traces are made: what would be reused can be replayed then.
static void keep_look(struct few__passage *item)
{
    const struct few__moment *moment = item->moment.moment;
    item->look = NULL;
    if (!item->look_room || !moment || !moment->has_look) return;
    memcpy(item->look_room, moment->look, FEW__LOOK_BYTES);
    item->look = item->look_room;
}

enum few_status few__flow_meet(struct few_session *s, struct few__passage *item, enum few__verdict *verdict,
                               struct few_error *err)
{
    *verdict = FEW__VERDICT_BLOCKED;
    FEW__TRY(few__flow_open(s, item->moment.stream, &item->flow, err));
    struct few__flow *flow = item->flow;
    if (!flow->seen) {
        look_at(s, flow);
        if (s->store) FEW__TRY(few__store_put_stream(s->store, &flow->row, err));
        flow->seen = true;
        s->n_open++;
    }
    if (item->wrong.code != FEW_OK && !flow->told_end) {
        flow->could_not_open = true;
        snprintf(flow->message, sizeof flow->message, "%.255s", item->wrong.message);
    }
    item->stream = s->store ? flow->row.id : -1;
    item->segment = item->at_us / s->segment_us;
    item->likeness = -1;
    if (s->store && (flow->is_known || item->wrong.code != FEW_OK))
        FEW__TRY(meet_known(s, item, verdict, err));
    if (item->moment_taken) {
        flow->n_taken++;
        flow->end_us = item->until_us;
    }
    if (*verdict != FEW__VERDICT_BLOCKED) return FEW_OK;
    keep_look(item);
    flow->n_inside++;
    return FEW_OK;
}

/* ---- judging ---- */

static enum few_status reuse_reference(struct few_session *s, struct few__passage *item,
                                       struct few_error *err)
{
    const struct few__reference *ref = &item->flow->reference;
    few__arena_reset(&item->arena);
    const char *why = few__arena_printf(&item->arena, "unchanged since %s", ref->result.path);
    if (!why) return few__no_memory(err, item->path);
    item->arrival_us = few__now_us(&s->env);
    FEW__TRY(few__session_repeat(s, item, &ref->result, ref->run_all_us, why, err));
    item->reused = true;
    few__session_give_back(s, &item->moment);
    return FEW_OK;
}

enum few_status few__flow_judge(struct few_session *s, struct few__passage *item, enum few__verdict *verdict,
                                struct few_error *err)
{
    const struct few__reference *ref = &item->flow->reference;
    *verdict = FEW__VERDICT_RUN;
    if (is_like_reference(s, item)) {
        *verdict = ref->passage ? FEW__VERDICT_BLOCKED : ref->answers ? FEW__VERDICT_DONE : FEW__VERDICT_RUN;
        if (*verdict == FEW__VERDICT_BLOCKED) return FEW_OK;
        if (*verdict == FEW__VERDICT_DONE) return reuse_reference(s, item, err);
    }
    FEW__TRY(wake_explorer(s, err));
    if (s->explore && few__explore_phase(s->explore, item->flow->entry, item->segment) == FEW__PHASE_WAIT)
        *verdict = FEW__VERDICT_BLOCKED;
    return FEW_OK;
}

enum few_status few__flow_begin(struct few_session *s, struct few__passage *item, double *gains,
                                bool *has_gains, struct few_error *err)
{
    size_t stream = item->flow->entry;
    *has_gains = false;
    if (s->explore) {
        enum few__phase phase = few__explore_phase(s->explore, stream, item->segment);
        if (phase == FEW__PHASE_EXPLORE) FEW__TRY(few__explore_begin(s->explore, stream, item->segment, err));
        item->explores = phase == FEW__PHASE_EXPLORE;
        *has_gains = phase == FEW__PHASE_EXPLOIT;
        if (*has_gains) memcpy(gains, few__explore_gains(s->explore, stream), s->n_models * sizeof *gains);
    }
    set_reference(s, item);
    return FEW_OK;
}
