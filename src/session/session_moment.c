// SPDX-License-Identifier: Apache-2.0
/* What becomes of a moment: it is reused, since it looks like the last frame that was analysed (Reducto); it explores its
 * segment, or runs what those before it showed to be worth it (explore and exploit, AMS).
 *
 * That depends on the moments of its stream before it and on nothing else, so it waits for those whose answers decide it;
 * other streams go on. A run that goes on meets the moments of the last segment again, and learns from their rows in the
 * store what the run before had learned from them. */
#include <stdio.h>
#include <string.h>

#include "model/output.h"
#include "session/session_internal.h"

static bool reuses(const struct few_session *s)
{
    return s->opts.reuse_below > 0;
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
    if (!counted) few__flow_add(flow, item);
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
        few__flow_look(s, flow);
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
