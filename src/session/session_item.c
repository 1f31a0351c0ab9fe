// SPDX-License-Identifier: Apache-2.0
/* One item from its source to its result:
 *     enter   what the store has of it; a moment is numbered
 *     begin   it gets a place of the executor: its clock starts
 *     take    when every model has an outcome: its result goes into the passage, and the place is free
 * An item of no stream enters and begins in one step, or stays in front of the door; moments may wait inside. */
#include <stdio.h>
#include <string.h>

#include "session/session_internal.h"

/* ---- begin ---- */

static enum few_status copy_text(struct few__arena *arena, const char **text, struct few_error *err)
{
    if (*text && !(*text = few__arena_strdup(arena, *text))) return few__no_memory(err, "record");
    return FEW_OK;
}

// Its texts are the place's own: a lane may look at them longer than the item is waited for.
static enum few_status copy_record(struct few__place *place, const struct few__record *from,
                                   struct few_error *err)
{
    struct few__record *to = &place->record;
    *to = *from;
    few__arena_reset(&place->texts);
    FEW__TRY(copy_text(&place->texts, &to->name, err));
    FEW__TRY(copy_text(&place->texts, &to->image.path, err));
    FEW__TRY(copy_text(&place->texts, &to->sound.path, err));
    FEW__TRY(copy_text(&place->texts, &to->text, err));
    return copy_text(&place->texts, &to->text_path, err);
}

static enum few_status free_place(struct few_session *s, struct few__place **place, size_t *index,
                                  struct few_error *err)
{
    FEW__TRY(few__session_wake(s, err));
    enum few_status status = few__live_slot(s->live, index);
    if (status != FEW_OK) return few__fail(err, status, "executor: expected a free place, found none");
    *place = &s->places[*index];
    few__session_give_back(s, &(*place)->moment); // nobody looks at it any more
    return FEW_OK;
}

static void start(struct few_session *s, struct few__passage *item, size_t index, bool has_gains)
{
    struct few__place *place = &s->places[index];
    place->passage = item;
    memcpy(place->digest, item->digest, sizeof place->digest);
    atomic_store(&place->is_read, false);
    item->arrival_us = few__now_us(&s->env) - item->read_us;
    place->deadline_us = s->opts.deadline_us ? item->arrival_us + s->opts.deadline_us : FEW__NO_DEADLINE;
    few__live_begin(s->live, index, item->id, place->deadline_us, has_gains ? place->gains : NULL);
    item->step = FEW__STEP_RUNS;
    s->n_running++;
}

/* The clock starts with the reading of the files; what this process had to do first (load models, wait for a run of the
 * item before to let go) is not the item's. */
static enum few_status begin_record(struct few_session *s, struct few__passage *item, const void *bytes,
                                    size_t n_bytes, struct few_error *err)
{
    struct few__place *place;
    size_t index;
    FEW__TRY(free_place(s, &place, &index, err));
    FEW__TRY(copy_record(place, &item->record, err));
    place->bytes = bytes;
    place->n_bytes = n_bytes;
    if (bytes) { // they are in the session's reader
        struct few__file_reader reader = place->reader;
        place->reader = s->reader;
        s->reader = reader;
    }
    start(s, item, index, false);
    return FEW_OK;
}

static enum few_status begin_moment(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    struct few__place *place;
    size_t index;
    bool has_gains;
    FEW__TRY(free_place(s, &place, &index, err));
    FEW__TRY(few__flow_begin(s, item, place->gains, &has_gains, err));
    place->moment = item->moment;
    item->moment.moment = NULL;
    start(s, item, index, has_gains);
    return FEW_OK;
}

/* ---- enter ---- */

static void come_in(struct few_session *s, const struct few__passage *item)
{
    if (!item->replaces && !item->result.kept) s->next_id++;
    s->n_inside++;
}

static enum few_status enter_record(struct few_session *s, struct few__passage *item,
                                    enum few__verdict *verdict, struct few_error *err)
{
    const void *bytes = NULL;
    size_t n_bytes = 0;
    FEW__TRY(few__session_look_up(s, item, &bytes, &n_bytes, verdict, err));
    if (*verdict == FEW__VERDICT_BLOCKED) return FEW_OK;
    if (*verdict == FEW__VERDICT_RUN) FEW__TRY(begin_record(s, item, bytes, n_bytes, err));
    come_in(s, item);
    return FEW_OK;
}

static enum few_status enter_moment(struct few_session *s, struct few__passage *item,
                                    enum few__verdict *verdict, struct few_error *err)
{
    FEW__TRY(few__flow_meet(s, item, verdict, err));
    if (*verdict == FEW__VERDICT_GONE) item->step = FEW__STEP_EMPTY;
    else come_in(s, item);
    if (*verdict != FEW__VERDICT_BLOCKED) return FEW_OK;
    item->step = FEW__STEP_WAITS;
    s->n_waiting++;
    return FEW_OK;
}

// The passage behind those inside.
static enum few_status enter(struct few_session *s, struct few__passage *item, enum few__verdict *verdict,
                             struct few_error *err)
{
    *verdict = FEW__VERDICT_DONE;
    if (item->step == FEW__STEP_DONE) come_in(s, item);
    else if (item->moment.stream != SIZE_MAX) return enter_moment(s, item, verdict, err);
    else return enter_record(s, item, verdict, err);
    return FEW_OK;
}

/* ---- those that wait ---- */

static enum few_status leave_waiting(struct few_session *s, struct few__passage *item, struct few_error *err)
{
    enum few__verdict verdict;
    if (item->wrong.code != FEW_OK) {
        FEW__TRY(few__session_fail(s, item, item->wrong.code, item->wrong.message, err));
    } else {
        FEW__TRY(few__flow_judge(s, item, &verdict, err));
        if (verdict == FEW__VERDICT_BLOCKED) return FEW_OK;
        if (verdict == FEW__VERDICT_RUN) FEW__TRY(begin_moment(s, item, err));
    }
    s->n_waiting--;
    return FEW_OK;
}

// Of each stream only the oldest is looked at.
static bool is_oldest(const struct few_session *s, size_t place)
{
    const struct few__flow *flow = s->passages[(s->first + place) % s->n_passages].flow;
    for (size_t i = 0; i < place; i++) {
        const struct few__passage *item = &s->passages[(s->first + i) % s->n_passages];
        if (item->step == FEW__STEP_WAITS && item->flow == flow) return false;
    }
    return true;
}

static enum few_status admit_waiting(struct few_session *s, struct few_error *err)
{
    for (size_t i = 0; s->n_waiting > 0 && i < s->n_inside && s->n_running < s->n_places; i++) {
        struct few__passage *item = &s->passages[(s->first + i) % s->n_passages];
        if (item->step == FEW__STEP_WAITS && is_oldest(s, i)) FEW__TRY(leave_waiting(s, item, err));
    }
    return FEW_OK;
}

/* More moments are let in to wait only while some other stream may have one that need not. */
static bool has_room(const struct few_session *s)
{
    return s->n_inside < s->n_passages && s->n_running < s->n_places && s->n_waiting < s->n_places &&
           (s->n_waiting == 0 || s->n_waiting < s->n_open);
}

enum few_status few__session_admit(struct few_session *s, struct few_error *err)
{
    s->awaits = false;
    FEW__TRY(admit_waiting(s, err));
    while (!s->blocker && has_room(s)) {
        struct few__passage *item = &s->passages[(s->first + s->n_inside) % s->n_passages];
        enum few__verdict verdict;
        if (item->step == FEW__STEP_EMPTY) {
            enum few_status status = few__session_pull(s, item, err);
            s->awaits = status == FEW_AGAIN;
            if (status != FEW_OK) return status == FEW_END || status == FEW_AGAIN ? FEW_OK : status;
        }
        FEW__TRY(enter(s, item, &verdict, err));
        if (verdict == FEW__VERDICT_BLOCKED && s->n_waiting > 0) FEW__TRY(admit_waiting(s, err));
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
        const struct few_error *why = few__live_read_error(s->live, slot);
        item->read_us += place->decode_us;
        FEW__TRY(few__session_fail(s, item, why->code, why->message, err));
    } else {
        FEW__TRY(few__session_collect(s, slot, err));
    }
    FEW__TRY(few__flow_learn(s, item, err));
    place->passage = NULL;
    s->finished = SIZE_MAX;
    s->n_running--;
    return FEW_OK;
}
