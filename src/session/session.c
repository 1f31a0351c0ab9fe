// SPDX-License-Identifier: Apache-2.0
/* A session wires items, a policy, the executor and the store. One item walks through receive():
 *     read the file -> decode once -> run it through the executor -> rows for the caller -> store
 * Everything is allocated when the session is made; buffers for files and outputs grow to the largest item. */
#include <fewer/items.h>
#include <fewer/session.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "exec/exec_live.h"
#include "media/image.h"
#include "model/manifest.h"
#include "model/output.h"
#include "session/policy.h"
#include "store/store.h"

enum { REASON_MAX = 256, ITEM_ARENA_MAX = 512 << 20, ITEM_MESSAGE_MAX = 1024 };

struct few_session {
    struct few_env env;
    const struct few_zoo *zoo;
    struct few_policy *own_policy; // made here because the caller gave none
    const struct few_policy *policy;
    struct few_session_opts opts;

    struct few__runtime *runtime;
    struct few__workspace *workspace;
    struct few__sched_deadline *sched;
    struct few__live *live;
    struct few__image_decoder *decoder;
    struct few__store *store; // NULL = results are not kept
    struct few_cost *costs;   // (n_models,) expected by the scheduler
    struct few_cost *spent;   // (n_models,) what a trace keeps: mean time so far, memory as measured at load
    uint64_t *n_spent;        // (n_models,) runs that the mean is over

    char (*queue)[FEW_PATH_MAX]; // (FEW_QUEUE_MAX,) ring
    size_t queue_first, queue_n;
    uint64_t n_received;

    struct few__file_reader reader;
    struct few__arena arena;     // outputs of the current item
    struct few_output *nothing;  // (n_models,) the empty output of each model
    struct few_result result;    // of the current item
    struct few_result_row *rows; // (n_models,)
    struct few__cell *cells;     // (n_models,)
    char (*reasons)[REASON_MAX]; // (n_models,)
    char message[ITEM_MESSAGE_MAX];
    char digest[FEW__SHA256_HEX];
    uint8_t thumbnail[FEW__THUMBNAIL_BYTES];
    bool has_thumbnail;
    struct few_session_stats stats;
};

/* ---- life ---- */

static enum few_status allocate(struct few_session *s, struct few_error *err)
{
    const struct few_mem *mem = s->env.mem;
    size_t n = s->zoo->catalog.n_models;
    s->costs = FEW__NEW_N(mem, struct few_cost, n);
    s->spent = FEW__NEW_N(mem, struct few_cost, n);
    s->n_spent = FEW__NEW_N(mem, uint64_t, n);
    s->queue = few__new(mem, FEW_QUEUE_MAX, FEW_PATH_MAX);
    s->nothing = FEW__NEW_N(mem, struct few_output, n);
    s->rows = FEW__NEW_N(mem, struct few_result_row, n);
    s->cells = FEW__NEW_N(mem, struct few__cell, n);
    s->reasons = few__new(mem, n, REASON_MAX);
    few__arena_init(&s->arena, mem, ITEM_ARENA_MAX);
    few__file_reader_init(&s->reader, mem);
    if (!s->costs || !s->spent || !s->n_spent || !s->queue || !s->nothing || !s->rows || !s->cells ||
        !s->reasons)
        return few__no_memory(err, "session");
    for (size_t i = 0; i < n; i++) s->nothing[i] = few__output_empty(&s->zoo->catalog.models[i]);
    return FEW_OK;
}

/* What a policy learned is what its decisions were made for; what it does not know is what was just measured. */
static void expect_costs(struct few_session *s)
{
    const struct few_cost *learned = few__policy_costs(s->policy);
    for (size_t i = 0; i < s->zoo->catalog.n_models; i++) {
        s->costs[i] = s->spent[i];
        if (learned && learned[i].time_us > 0) s->costs[i].time_us = learned[i].time_us;
    }
}

static enum few_status load_models(struct few_session *s, struct few_error *err)
{
    const struct few__runtime_opts runtime = {.name = "onnx", .library = s->opts.runtime, .threads = 1};
    FEW__TRY(few__runtime_open(&runtime, &s->env, &s->runtime, err));
    FEW__TRY(few__workspace_create(s->zoo, s->runtime, &s->workspace, err));
    FEW__TRY(few__workspace_profile(s->workspace, s->spent, err));
    expect_costs(s);
    FEW__TRY(few__policy_scheduler(s->policy, s->costs, &s->sched, err));
    const struct few__chooser chooser = few__sched_deadline_chooser(s->sched);
    const struct few__exec_opts exec = {.env = &s->env,
                                        .catalog = &s->zoo->catalog,
                                        .costs = s->costs,
                                        .choosers = &chooser,
                                        .n_lanes = 1,
                                        .keep_pace = true};
    FEW__TRY(few__live_create(&exec, s->workspace, &s->live, err));
    return few__image_decoder_create(&s->env, &s->decoder, err);
}

static enum few_status open_store(struct few_session *s, struct few_error *err)
{
    if (!s->opts.store) return FEW_OK;
    const struct few__store_new what = {.purpose = s->opts.purpose == FEW_RECORD ? "trace" : "run",
                                        .catalog = &s->zoo->catalog,
                                        .zoo_path = s->zoo->path,
                                        .zoo_digest = s->zoo->digest,
                                        .config_json = s->opts.config_json ? s->opts.config_json : "{}",
                                        .overwrite = s->opts.overwrite};
    return few__store_create(s->opts.store, &what, &s->env, &s->store, err);
}

/* A bad path is told before the models are loaded; the store is made, and an old one replaced, only after that, so that
 * a start that fails or is interrupted leaves things as they were. */
static enum few_status open_parts(struct few_session *s, struct few_error *err)
{
    if (s->opts.store) FEW__TRY(few__store_may_create(s->opts.store, s->opts.overwrite, err));
    FEW__TRY(load_models(s, err));
    FEW__TRY(open_store(s, err));
    return s->store ? few__store_set_costs(s->store, s->costs, err) : FEW_OK;
}

// A session that could not be made leaves no store behind.
static void drop_store(struct few_session *s)
{
    if (!s->store) return;
    few__store_close(s->store, NULL);
    s->store = NULL;
    unlink(s->opts.store);
}

static enum few_status check_opts(const struct few_session_opts *opts, struct few_error *err)
{
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "session options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    if (opts->deadline_us < 0)
        return few__fail(err, FEW_EINVAL, "deadline: expected 0 or more, found %jd us",
                         (intmax_t)opts->deadline_us);
    return FEW_OK;
}

enum few_status few_session_create(const struct few_zoo *zoo, struct few_policy *policy,
                                   const struct few_session_opts *opts, struct few_session **session,
                                   struct few_error *err)
{
    *session = NULL;
    const struct few_session_opts defaults = {.size = sizeof defaults};
    if (!opts) opts = &defaults;
    FEW__TRY(check_opts(opts, err));
    struct few_session *s = FEW__NEW(zoo->env.mem, struct few_session);
    if (!s) return few__no_memory(err, "session");
    s->env = zoo->env;
    s->zoo = zoo;
    s->opts = *opts;
    s->policy = policy;
    enum few_status status = FEW_OK;
    if (!policy) {
        status = few_policy_open(NULL, zoo, &s->own_policy, err);
        s->policy = s->own_policy;
    }
    if (status == FEW_OK) status = allocate(s, err);
    if (status == FEW_OK) status = open_parts(s, err);
    if (status == FEW_OK) {
        *session = s;
        return FEW_OK;
    }
    drop_store(s);
    few_session_close(s, NULL);
    return status;
}

enum few_status few_session_close(struct few_session *s, struct few_error *err)
{
    if (!s) return FEW_OK;
    const struct few_mem *mem = s->env.mem;
    enum few_status status = FEW_OK;
    if (s->store && s->opts.purpose == FEW_RECORD && s->n_received > 0)
        status = few__store_set_costs(s->store, s->spent, err);
    enum few_status closed = few__store_close(s->store, status == FEW_OK ? err : NULL);
    few__live_destroy(s->live);
    few__sched_deadline_destroy(s->sched);
    few__workspace_destroy(s->workspace);
    few__runtime_close(s->runtime);
    few__image_decoder_destroy(s->decoder);
    few_policy_close(s->own_policy);
    few__arena_finish(&s->arena);
    few__file_reader_finish(&s->reader);
    few__free(mem, s->costs);
    few__free(mem, s->spent);
    few__free(mem, s->n_spent);
    few__free(mem, s->queue);
    few__free(mem, s->nothing);
    few__free(mem, s->rows);
    few__free(mem, s->cells);
    few__free(mem, s->reasons);
    few__free(mem, s);
    return status == FEW_OK ? closed : status;
}

enum few_status few_session_submit(struct few_session *s, const char *path, struct few_error *err)
{
    size_t n = strlen(path);
    if (n == 0 || n >= FEW_PATH_MAX)
        return few__fail(err, FEW_EINVAL, "path: expected 1 to %d bytes, found %zu", FEW_PATH_MAX - 1, n);
    if (s->queue_n == FEW_QUEUE_MAX)
        return few__fail(err, FEW_AGAIN, "queue: %d items wait already", FEW_QUEUE_MAX);
    memcpy(s->queue[(s->queue_first + s->queue_n) % FEW_QUEUE_MAX], path, n + 1);
    s->queue_n++;
    return FEW_OK;
}

void few_session_stats(const struct few_session *s, struct few_session_stats *stats)
{
    *stats = s->stats;
}

/* ---- one item ---- */

static enum few_status read_item(struct few_session *s, const char *path, struct few__image *image,
                                 struct few_error *err)
{
    const void *bytes;
    size_t n;
    s->digest[0] = 0;
    FEW__TRY(few__file_reader_read(&s->reader, path, FEW__IMAGE_BYTES_MAX, &bytes, &n, err));
    FEW__TRY(few__sha256(bytes, n, s->digest));
    return few__image_decode(s->decoder, path, bytes, n, image, err);
}

// The item as a whole failed: every model failed, for the same reason.
static void fail_rows(struct few_session *s, const char *message)
{
    for (size_t i = 0; i < s->zoo->catalog.n_models; i++) {
        snprintf(s->reasons[i], REASON_MAX, "%.*s", REASON_MAX - 1, message);
        s->rows[i] = (struct few_result_row){.outcome = FEW_FAILED, .reason = s->reasons[i], .start_us = -1};
    }
}

static void fill_row(struct few_session *s, size_t model, int64_t arrival_us)
{
    const struct few__exec *exec = few__live_exec(s->live);
    const struct few__exec_row *from = &few__exec_rows(exec, 0)[model];
    struct few_result_row *row = &s->rows[model];
    const char *failure = few__live_message(s->live, model);
    if (from->outcome == FEW_FAILED && failure[0])
        snprintf(s->reasons[model], REASON_MAX, "%.*s", REASON_MAX - 1, failure);
    else few__reason_text(exec, 0, model, s->reasons[model], REASON_MAX);
    *row = (struct few_result_row){.outcome = from->outcome, .reason = s->reasons[model], .start_us = -1};
    if (from->start_us >= 0) {
        row->start_us = from->start_us - arrival_us;
        row->time_us = from->end_us - from->start_us;
    }
    if (from->outcome == FEW_EXECUTED) row->output = few__live_output(s->live, model);
    if (from->outcome == FEW_SKIPPED && from->reason == FEW__WHY_NEED_EMPTY) row->output = &s->nothing[model];
}

static void run_item(struct few_session *s, const struct few__image *image, int64_t arrival_us)
{
    int64_t deadline = s->opts.deadline_us ? arrival_us + s->opts.deadline_us : FEW__NO_DEADLINE;
    few__workspace_begin(s->workspace, image);
    int64_t end = few__live_item(s->live, s->n_received, deadline, &s->arena);
    s->result.elapsed_us = end - arrival_us;
    s->result.deadline_missed = arrival_us + s->result.decode_us >= deadline;
    for (size_t i = 0; i < s->zoo->catalog.n_models; i++) {
        fill_row(s, i, arrival_us);
        if (s->rows[i].outcome == FEW_LATE) s->result.deadline_missed = true;
    }
}

/* What running everything would have cost here: what was spent on the models that ran to their end, and the expected
 * time of the others, without those whose need found nothing (they would not have run either). */
static int64_t run_all_us(const struct few_session *s)
{
    const struct few__exec_row *rows = few__exec_rows(few__live_exec(s->live), 0);
    int64_t sum = 0;
    for (size_t i = 0; i < s->zoo->catalog.n_models; i++) {
        if (rows[i].outcome == FEW_EXECUTED) sum += s->rows[i].time_us;
        else if (rows[i].reason != FEW__WHY_NEED_EMPTY) sum += s->costs[i].time_us;
    }
    return sum;
}

static void count(struct few_session *s)
{
    struct few_session_stats *stats = &s->stats;
    bool failed = s->result.status != FEW_OK;
    stats->items++;
    stats->items_failed += failed;
    stats->deadline_missed += s->result.deadline_missed;
    if (!failed) stats->run_all_us += run_all_us(s);
    for (size_t i = 0; i < s->zoo->catalog.n_models; i++) {
        const struct few_result_row *row = &s->rows[i];
        stats->counts[row->outcome]++;
        stats->spent_us += row->time_us;
        if (row->outcome != FEW_EXECUTED) continue;
        uint64_t n = s->n_spent[i]++;
        int64_t mean = n ? s->spent[i].time_us : 0;
        s->spent[i].time_us = mean + (row->time_us - mean) / (int64_t)(n + 1);
    }
}

static enum few_status make_thumbnail(struct few_session *s, struct few_error *err)
{
    s->has_thumbnail = false;
    if (!s->store || s->opts.no_pixels) return FEW_OK;
    FEW__TRY(few__preprocess_thumbnail(few__workspace_preprocess(s->workspace), s->thumbnail, err));
    s->has_thumbnail = true;
    return FEW_OK;
}

static enum few_status keep(struct few_session *s, struct few_error *err)
{
    if (!s->store) return FEW_OK;
    const struct few_result *r = &s->result;
    for (size_t i = 0; i < r->n_models; i++) {
        const struct few_result_row *row = &r->rows[i];
        s->cells[i] = (struct few__cell){.outcome = row->outcome,
                                         .reason = row->reason,
                                         .start_us = row->start_us,
                                         .time_us = row->time_us};
        if (row->output &&
            few__output_pack(row->output, &s->arena, &s->cells[i].output, &s->cells[i].n_output) != FEW_OK)
            return few__no_memory(err, r->path);
    }
    const struct few__item_row item = {.id = (int64_t)s->n_received,
                                       .path = r->path,
                                       .digest = s->digest,
                                       .width = r->width,
                                       .height = r->height,
                                       .decode_us = r->decode_us,
                                       .elapsed_us = r->elapsed_us,
                                       .deadline_missed = r->deadline_missed,
                                       .status = r->status,
                                       .message = r->message,
                                       .thumbnail = s->has_thumbnail ? s->thumbnail : NULL};
    return few__store_put(s->store, &item, s->cells, err);
}

enum few_status few_session_receive(struct few_session *s, const struct few_result **result,
                                    struct few_error *err)
{
    *result = NULL;
    if (s->queue_n == 0) return FEW_END;
    const char *path = s->queue[s->queue_first]; // not overwritten before FEW_QUEUE_MAX more submits
    s->queue_first = (s->queue_first + 1) % FEW_QUEUE_MAX;
    s->queue_n--;
    few__arena_reset(&s->arena);

    struct few__image image = {0};
    struct few_error item_err = {.message = ""};
    int64_t arrival = few__now_us(&s->env);
    enum few_status status = read_item(s, path, &image, &item_err);
    int64_t decoded = few__now_us(&s->env);
    s->has_thumbnail = false;
    s->result = (struct few_result){.path = path,
                                    .status = status,
                                    .message = s->message,
                                    .width = image.width,
                                    .height = image.height,
                                    .decode_us = decoded - arrival,
                                    .elapsed_us = decoded - arrival,
                                    .n_models = s->zoo->catalog.n_models,
                                    .rows = s->rows};
    snprintf(s->message, sizeof s->message, "%s", item_err.message);
    if (status == FEW_OK) {
        run_item(s, &image, arrival);
        FEW__TRY(make_thumbnail(s, err));
    } else {
        fail_rows(s, s->message);
    }
    count(s);
    s->stats.runtime_us = few__workspace_runtime_us(s->workspace);
    FEW__TRY(keep(s, err));
    s->n_received++;
    *result = &s->result;
    return FEW_OK;
}
