// SPDX-License-Identifier: Apache-2.0
/* What a session would do, asked of the same policy and the same executor with a virtual clock: an item in which every
 * model finds something and takes the time expected of it. */
#include <string.h>

#include "exec/exec_sim.h"
#include "session/session_internal.h"

enum { STREAM_ITEMS = 200 }; // that stand for many

struct rehearsal {
    struct few_session *session;
    struct few__sched *scheds; // (n_slots,)
    size_t n_slots;
    struct few__exec *exec;
    struct few__sim_truth *truth; // (n_models,)
    int64_t finished_us, item_us; // of the last item
};

static void end(struct rehearsal *r)
{
    const struct few_mem *mem = r->session->env.mem;
    few__exec_destroy(r->exec);
    for (size_t i = 0; r->scheds && i < r->n_slots; i++) few__sched_destroy(&r->scheds[i]);
    few__free(mem, r->scheds);
    few__free(mem, r->truth);
}

static enum few_status make_exec(struct rehearsal *r, const struct few__exec_opts *opts,
                                 struct few_error *err)
{
    struct few_session *s = r->session;
    bool packs = opts->n_lanes > 1 || opts->loads;
    struct few__exec_opts full = *opts;
    struct few__chooser *choosers = FEW__NEW_N(s->env.mem, struct few__chooser, r->n_slots);
    enum few_status status = choosers ? FEW_OK : few__no_memory(err, "forecast");
    for (size_t i = 0; status == FEW_OK && i < r->n_slots; i++) {
        status = few__policy_scheduler(s->policy, s->costs, packs, &r->scheds[i], err);
        choosers[i] = r->scheds[i].chooser;
    }
    full.env = &s->env;
    full.catalog = &s->zoo->catalog;
    full.costs = s->costs;
    full.choosers = choosers;
    full.n_slots = r->n_slots;
    full.variants = s->variants;
    if (status == FEW_OK) status = few__exec_create(&full, &r->exec, err);
    few__free(s->env.mem, choosers);
    return status;
}

/* unsure: every output leaves its labels in doubt. r: ended by the caller, also on failure. */
static enum few_status begin(struct few_session *s, const struct few__exec_opts *opts, bool unsure,
                             struct rehearsal *r, struct few_error *err)
{
    *r = (struct rehearsal){.session = s, .n_slots = opts->n_slots};
    r->scheds = FEW__NEW_N(s->env.mem, struct few__sched, r->n_slots);
    r->truth = FEW__NEW_N(s->env.mem, struct few__sim_truth, s->n_models);
    if (!r->scheds || !r->truth) return few__no_memory(err, "forecast");
    for (size_t i = 0; i < s->n_models; i++) {
        int64_t time_us = s->costs[i].time_us;
        r->truth[i] = (struct few__sim_truth){
            .time_us = time_us > 0 ? time_us : 1, .result = FEW__RESULT_OK, .unsure = unsure};
    }
    return make_exec(r, opts, err);
}

/* ---- rank ---- */

// By the instant of the start; what was not started comes last, by index.
static void sort_by_start(const struct few__exec_row *rows, size_t n, size_t *rank)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = i;
        uint64_t start = (uint64_t)rows[i].start_us; // -1 is the largest
        for (; k > 0 && (uint64_t)rows[rank[k - 1]].start_us > start; k--) rank[k] = rank[k - 1];
        rank[k] = i;
    }
}

enum few_status few__session_rank(struct few_session *s, size_t *rank, struct few_error *err)
{
    const struct few__exec_opts opts = {.n_slots = 1, .n_lanes = 1};
    struct rehearsal r;
    enum few_status status = begin(s, &opts, true, &r, err);
    if (status == FEW_OK) {
        (void)few__sim_item(r.exec, 0, 0, FEW__NO_DEADLINE, r.truth);
        sort_by_start(few__exec_rows(r.exec, 0), s->n_models, rank);
    }
    end(&r);
    return status;
}

/* ---- forecast ---- */

static const struct few__sim_truth *same_truth(void *ud, uint64_t item, int64_t *read_us, bool *readable)
{
    (void)item;
    const struct rehearsal *r = ud;
    *read_us = 0;
    *readable = true;
    return r->truth;
}

static int64_t batch_us(void *ud, size_t model, const int64_t *time_us, size_t n)
{
    const struct rehearsal *r = ud;
    int64_t more_us = r->session->costs[model].more_us;
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
    struct rehearsal *r = ud;
    const struct few__exec_row *rows = few__exec_rows(r->exec, slot);
    for (size_t i = 0; i < r->session->n_models; i++)
        r->session->forecast_runs[i] = rows[i].outcome == FEW_EXECUTED;
    r->item_us = now_us - r->finished_us;
    r->finished_us = now_us;
}

/* One item alone, after so many others that what is loaded is what these items leave behind. */
static enum few_status forecast_one(struct few_session *s, struct few_forecast *forecast,
                                    struct few_error *err)
{
    const struct few__exec_opts opts = as_here(s, 1);
    struct rehearsal r;
    int64_t end_us;
    enum few_status status = begin(s, &opts, false, &r, err);
    const struct few__sim_stream stream = {.n_items = STREAM_ITEMS,
                                           .deadline_us = deadline_of(s),
                                           .truth = same_truth,
                                           .finished = note_item,
                                           .ud = &r};
    if (status == FEW_OK) status = few__sim_stream(r.exec, &stream, 0, &s->env, &end_us, err);
    end(&r);
    forecast->item_us = r.item_us;
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
    struct rehearsal r;
    int64_t end_us = 0;
    size_t *batch_max = FEW__NEW_N(s->env.mem, size_t, s->n_models);
    if (!batch_max) return few__no_memory(err, "forecast");
    for (size_t i = 0; i < s->n_models; i++) batch_max[i] = s->zoo->recipes[i].batch;
    opts.batch_max = batch_max;
    enum few_status status = begin(s, &opts, false, &r, err);
    const struct few__sim_stream stream = {.n_items = (size_t)n,
                                           .deadline_us = deadline_of(s),
                                           .truth = same_truth,
                                           .batch_us = batch_us,
                                           .ud = &r};
    if (status == FEW_OK && n > 0) status = few__sim_stream(r.exec, &stream, 0, &s->env, &end_us, err);
    end(&r);
    few__free(s->env.mem, batch_max);
    if (status == FEW_OK && n > 0)
        forecast->total_us = (int64_t)((double)end_us * ((double)forecast->items / (double)n));
    return status;
}

static enum few_status count_items(struct few_session *s, const char *const *paths, size_t n,
                                   struct few_forecast *forecast, struct few_error *err)
{
    for (size_t i = 0; i < n; i++) {
        bool has;
        uint64_t bytes;
        FEW__TRY(few__session_has(s, paths[i], &has, &bytes, err));
        forecast->kept += has;
        forecast->items += !has;
        if (!has) forecast->bytes += bytes;
    }
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

// As the items that the store has, if it has some.
static uint64_t item_bytes(const struct few_session *s)
{
    enum { ITEM_BYTES = 400, CELL_BYTES = 60 };
    struct few__totals totals = {0};
    if (s->store) few__store_totals(s->store, &totals);
    if (totals.items) return few__store_bytes(s->store) / totals.items;
    uint64_t sum = ITEM_BYTES + (s->opts.no_pixels ? 0 : FEW__STORE_THUMBNAIL);
    for (size_t i = 0; i < s->n_models; i++) {
        sum += CELL_BYTES;
        if (s->forecast_runs[i]) sum += output_bytes(&s->zoo->catalog.models[i], &s->zoo->recipes[i]);
    }
    return sum;
}

enum few_status few_session_forecast(struct few_session *s, const char *const *paths, size_t n,
                                     struct few_forecast *forecast, struct few_error *err)
{
    if (forecast->size != sizeof *forecast)
        return few__fail(err, FEW_EINVAL, "forecast: expected size %zu, found %zu", sizeof *forecast,
                         forecast->size);
    *forecast = (struct few_forecast){.size = sizeof *forecast, .runs = s->forecast_runs, .costs = s->costs};
    FEW__TRY(few__session_measure(s, err));
    FEW__TRY(count_items(s, paths, n, forecast, err));
    FEW__TRY(few__session_rank(s, s->rank, err));
    FEW__TRY(forecast_one(s, forecast, err));
    FEW__TRY(forecast_all(s, forecast, err));
    forecast->store_bytes = forecast->items * item_bytes(s);
    return FEW_OK;
}
