// SPDX-License-Identifier: Apache-2.0
/* What a session would do with some items: which of them are new, what runs on one of these, how long all of them take,
 * and the disk that they need. Times are those of rehearsals. */
#include <string.h>

#include "session/rehearsal.h"
#include "session/session_internal.h"

enum { STREAM_ITEMS = 200 }; // that stand for many

/* ---- how long ---- */

struct stream { // of equal items
    struct few__rehearsal rehearsal;
    int64_t finished_us, item_us; // of the last one: when, and how long after the one before
};

static const struct few__sim_truth *same_truth(void *ud, uint64_t item, int64_t *read_us, bool *readable)
{
    (void)item;
    const struct stream *stream = ud;
    *read_us = 0;
    *readable = true;
    return stream->rehearsal.truth;
}

static int64_t batch_us(void *ud, size_t model, const int64_t *time_us, size_t n)
{
    const struct stream *stream = ud;
    int64_t more_us = stream->rehearsal.session->costs[model].more_us;
    return time_us[0] + (int64_t)(n - 1) * (more_us > 0 ? more_us : time_us[0]);
}

static int64_t deadline_of(const struct few_session *s)
{
    return s->opts.deadline_us ? s->opts.deadline_us : FEW__NO_DEADLINE;
}

static struct few__exec_opts as_here(const struct few_session *s, size_t n_slots)
{
    bool loads = s->memory_bytes != FEW__NO_BUDGET;
    return (struct few__exec_opts){.n_slots = n_slots,
                                   .n_lanes = s->n_lanes,
                                   .memory_bytes = loads ? s->memory_bytes : 0,
                                   .loads = loads,
                                   .rank = s->rank};
}

// Of the last item that has finished: what ran, and how long it took since the one before.
static void note_item(void *ud, uint64_t item, size_t slot, int64_t now_us)
{
    (void)item;
    struct stream *stream = ud;
    const struct few_session *s = stream->rehearsal.session;
    const struct few__exec_row *rows = few__exec_rows(stream->rehearsal.exec, slot);
    for (size_t i = 0; i < s->n_models; i++) s->forecast_runs[i] = rows[i].outcome == FEW_EXECUTED;
    stream->item_us = now_us - stream->finished_us;
    stream->finished_us = now_us;
}

/* One item alone, after so many others that what is loaded is what these items leave behind. */
static enum few_status forecast_one(struct few_session *s, struct few_forecast *forecast,
                                    struct few_error *err)
{
    const struct few__exec_opts opts = as_here(s, 1);
    struct stream stream = {0};
    int64_t end_us;
    enum few_status status = few__rehearsal_begin(s, &opts, false, &stream.rehearsal, err);
    const struct few__sim_stream items = {.n_items = STREAM_ITEMS,
                                          .deadline_us = deadline_of(s),
                                          .truth = same_truth,
                                          .finished = note_item,
                                          .ud = &stream};
    if (status == FEW_OK) status = few__sim_stream(stream.rehearsal.exec, &items, 0, &s->env, &end_us, err);
    few__rehearsal_end(&stream.rehearsal);
    forecast->item_us = stream.item_us;
    for (size_t i = 0; i < s->n_models; i++) {
        forecast->models += s->forecast_runs[i];
        if (s->in_base[i]) forecast->run_all_us += s->costs[i].time_us;
    }
    return status;
}

static enum few_status forecast_all(struct few_session *s, struct few_forecast *forecast,
                                    struct few_error *err)
{
    uint64_t n = forecast->items < STREAM_ITEMS ? forecast->items : STREAM_ITEMS;
    struct few__exec_opts opts = as_here(s, s->n_places);
    struct stream stream = {0};
    int64_t end_us = 0;
    size_t *batch_max = FEW__NEW_N(s->env.mem, size_t, s->n_models);
    if (!batch_max) return few__no_memory(err, "forecast");
    for (size_t i = 0; i < s->n_models; i++) batch_max[i] = s->zoo->recipes[i].batch;
    opts.batch_max = batch_max;
    enum few_status status = few__rehearsal_begin(s, &opts, false, &stream.rehearsal, err);
    const struct few__sim_stream items = {.n_items = (size_t)n,
                                          .deadline_us = deadline_of(s),
                                          .truth = same_truth,
                                          .batch_us = batch_us,
                                          .ud = &stream};
    if (status == FEW_OK && n > 0)
        status = few__sim_stream(stream.rehearsal.exec, &items, 0, &s->env, &end_us, err);
    few__rehearsal_end(&stream.rehearsal);
    few__free(s->env.mem, batch_max);
    if (status == FEW_OK && n > 0)
        forecast->total_us = (int64_t)((double)end_us * ((double)forecast->items / (double)n));
    return status;
}

/* ---- how many ---- */

// kept: items that the store has of a recording that is as it was. done: to its end.
static enum few_status count_kept(struct few_session *s, const struct few__record *whole, uint64_t *kept,
                                  bool *done, struct few_error *err)
{
    const struct few__looks now = few__record_looks(whole);
    struct few__stream_row row;
    *kept = 0;
    *done = false;
    if (!s->store) return FEW_OK;
    enum few_status status = few__store_find_stream(s->store, whole->name, &row, err);
    if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
    if (now.exists && (now.size != row.size || now.mtime_us != row.mtime_us)) return FEW_OK;
    *kept = row.n_analysed + row.n_reused + row.n_failed;
    *done = row.ended;
    return FEW_OK;
}

// Of an entry that is a photograph, a record or a recording. items: of those that are one item, to do.
static enum few_status count_entry(struct few_session *s, struct few_items *items, size_t i,
                                   struct few_forecast *forecast, struct few_error *err)
{
    const char *path = few_items_path(items, i);
    const struct few__record *listed = few__items_record(items, path);
    const struct few__record whole = {.name = path, .image = {.path = path, .from_us = -1, .until_us = -1}};
    uint64_t kept, bytes;
    bool done;
    if (few__items_is_recording(items, i)) {
        FEW__TRY(count_kept(s, &whole, &kept, &done, err));
        forecast->kept += kept;
        if (!done) forecast->bytes += few__record_looks(&whole).size;
        return FEW_OK;
    }
    if (!listed && strstr(path, "://")) return FEW_OK; // live
    FEW__TRY(few__session_has(s, listed ? listed : &whole, &done, &bytes, err));
    forecast->kept += done;
    forecast->items += !done;
    if (!done) forecast->bytes += bytes;
    return FEW_OK;
}

/* Up to the limit of the items, if they have one. Where nobody knows how long the streams are, they are left out.
 * n_moments: out, of the items to do, those that are moments of recordings. */
static enum few_status count_items(struct few_session *s, struct few_items *items,
                                   struct few_forecast *forecast, uint64_t *n_moments, struct few_error *err)
{
    *n_moments = 0;
    const uint64_t expected = few_items_expected(items);
    for (size_t i = 0; i < few_items_count(items); i++) {
        if (expected && forecast->items + forecast->kept >= expected) break;
        FEW__TRY(count_entry(s, items, i, forecast, err));
    }
    if (expected == 0) return FEW_OK;
    if (forecast->kept > expected) forecast->kept = expected;
    const uint64_t n_alone = forecast->items;
    forecast->items = expected - forecast->kept;
    if (forecast->items > n_alone) *n_moments = forecast->items - n_alone;
    return FEW_OK;
}

/* ---- how much disk ---- */

// Bytes of a typical output of its kind: a few detections, a short word, numbers of which many are near zero.
static uint64_t output_bytes(const struct few_model *model, const struct few__recipe *recipe)
{
    size_t n_values = recipe->decode.n_values ? recipe->decode.n_values : 1;
    switch (model->kind) {
    case FEW_CLASSES:
    case FEW_LABELS: return 8 + 4 * model->n_labels;
    case FEW_DETECTIONS: return 8 + (uint64_t)8 * sizeof(struct few_detection);
    case FEW_SEQUENCE: return 8 + (uint64_t)12 * sizeof(int32_t);
    case FEW_BOX:
    case FEW_SCALAR:
    case FEW_VECTOR: return 8 + 4 * n_values;
    case FEW_KIND_COUNT: break;
    }
    return 0;
}

// A trace keeps thumbnails of all and looks of moments, packed to about half; a run thumbnails of what is no moment.
static uint64_t picture_bytes(const struct few_session *s, uint64_t n_items, uint64_t n_moments)
{
    if (s->opts.no_pixels) return 0;
    if (s->opts.purpose != FEW_RECORD) return (n_items - n_moments) * FEW__STORE_THUMBNAIL;
    return n_items * FEW__STORE_THUMBNAIL + n_moments * FEW__STORE_LOOK / 2;
}

// As the items that the store has, if it has some.
static uint64_t items_bytes(const struct few_session *s, uint64_t n_items, uint64_t n_moments)
{
    enum { ITEM_BYTES = 400, CELL_BYTES = 60 };
    struct few__totals totals = {0};
    if (s->store) few__store_totals(s->store, &totals);
    if (totals.items) return n_items * (few__store_bytes(s->store) / totals.items);
    uint64_t sum = ITEM_BYTES;
    for (size_t i = 0; i < s->n_models; i++) {
        sum += CELL_BYTES;
        if (s->forecast_runs[i]) sum += output_bytes(&s->zoo->catalog.models[i], &s->zoo->recipes[i]);
    }
    return n_items * sum + picture_bytes(s, n_items, n_moments);
}

/* ---- all of it ---- */

enum few_status few_session_forecast(struct few_session *s, struct few_items *items,
                                     struct few_forecast *forecast, struct few_error *err)
{
    if (forecast->size != sizeof *forecast)
        return few__fail(err, FEW_EINVAL, "forecast: expected size %zu, found %zu", sizeof *forecast,
                         forecast->size);
    uint64_t n_moments;
    *forecast = (struct few_forecast){.size = sizeof *forecast, .runs = s->forecast_runs, .costs = s->costs};
    FEW__TRY(few__session_measure(s, err));
    FEW__TRY(count_items(s, items, forecast, &n_moments, err));
    FEW__TRY(few__session_rank(s, s->rank, err));
    FEW__TRY(forecast_one(s, forecast, err));
    FEW__TRY(forecast_all(s, forecast, err));
    forecast->store_bytes = items_bytes(s, forecast->items, n_moments);
    return FEW_OK;
}
