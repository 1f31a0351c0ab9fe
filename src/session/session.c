// SPDX-License-Identifier: Apache-2.0
/* A session wires items, a policy, the executor and the store. Several items are in flight; they come back, and are kept,
 * in the order in which they were submitted, whatever finishes first. The calling thread decides everything; lanes read
 * items and run models. Everything is allocated when the session is made; buffers grow to the largest item. */
#include <assert.h>
#include <string.h>
#include <unistd.h>

#include "session/session_internal.h"

enum { SEGMENT_US = 10000000, QUIET_US = 500000, TEXTS_MAX = 1 << 20 };

/* ---- options ---- */

static enum few_status check_numbers(const struct few_session_opts *opts, struct few_error *err)
{
    if (opts->deadline_us < 0)
        return few__fail(err, FEW_EINVAL, "deadline: expected 0 or more, found %jd us",
                         (intmax_t)opts->deadline_us);
    if (opts->lanes > FEW_LANES_MAX)
        return few__fail(err, FEW_EINVAL, "lanes: expected at most %d, found %zu", FEW_LANES_MAX,
                         opts->lanes);
    if (opts->in_flight > FEW_IN_FLIGHT_MAX)
        return few__fail(err, FEW_EINVAL, "items in flight: expected at most %d, found %zu",
                         FEW_IN_FLIGHT_MAX, opts->in_flight);
    if (!(opts->memory_share >= 0 && opts->memory_share <= 1))
        return few__fail(err, FEW_EINVAL, "memory: expected a share in 0 .. 1, found %g", opts->memory_share);
    if (!(opts->reuse_below >= 0 && opts->reuse_below <= 1))
        return few__fail(err, FEW_EINVAL, "reuse: expected a difference in 0 .. 1, found %g",
                         opts->reuse_below);
    if (opts->reuse_feature < 0 || opts->reuse_feature >= FEW_FEATURE_COUNT)
        return few__fail(err, FEW_EINVAL, "reuse: expected a feature, found number %d",
                         (int)opts->reuse_feature);
    if (opts->segment_us < 0)
        return few__fail(err, FEW_EINVAL, "segment: expected 0 or more, found %jd us",
                         (intmax_t)opts->segment_us);
    if (opts->memory_share > 0 && opts->memory_bytes > 0)
        return few__fail(err, FEW_EINVAL, "memory: expected bytes or a share, found both");
    return FEW_OK;
}

static enum few_status check_opts(const struct few_session_opts *opts, struct few_error *err)
{
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "session options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    FEW__TRY(check_numbers(opts, err));
    bool goes_on = opts->resume || opts->retry;
    if (goes_on && opts->overwrite)
        return few__fail(err, FEW_EINVAL, "store: expected one of resume and overwrite, found both");
    if (goes_on && !opts->store)
        return few__fail(err, FEW_EINVAL, "store: expected the path of the one to go on with, found none");
    return FEW_OK;
}

static size_t n_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > FEW_LANES_MAX ? FEW_LANES_MAX : (size_t)n;
}

// With a deadline an item has the machine to itself; without, enough of them that no lane waits and batches fill.
static size_t default_in_flight(const struct few_session *s)
{
    size_t n = s->n_lanes + 1;
    if (s->opts.deadline_us) return 1;
    for (size_t i = 0; i < s->n_models; i++)
        if (s->zoo->recipes[i].batch > n) n = s->zoo->recipes[i].batch;
    return n > FEW_IN_FLIGHT_MAX ? FEW_IN_FLIGHT_MAX : n;
}

static void settle_opts(struct few_session *s, const struct few_session_opts *opts)
{
    s->opts = *opts;
    s->n_lanes = opts->lanes ? opts->lanes : n_cores();
    s->n_places = opts->in_flight ? opts->in_flight : default_in_flight(s);
    s->n_passages = 2 * s->n_places + 1; // finished ones may wait for an older one, and one is the caller's
    if (opts->all_variants || opts->purpose == FEW_RECORD || few_policy_all_variants(s->policy))
        s->variants = FEW__VARIANTS_ALL;
    else s->variants = few__policy_runs_all(s->policy) ? FEW__VARIANTS_DEAREST : FEW__VARIANTS_CASCADE;
    s->segment_us = opts->segment_us ? opts->segment_us : SEGMENT_US;
    s->explores = few__policy_explores(s->policy, &s->explore_first, &s->explore_keep);
    s->stores_looks = opts->purpose == FEW_RECORD && opts->store && !opts->no_pixels;
    s->memory_bytes = FEW__NO_BUDGET;
    s->finished = SIZE_MAX;
    s->retrying = opts->retry;
    s->retried = -1;
}

/* ---- create ---- */

static enum few_status allocate_items(struct few_session *s, struct few_error *err)
{
    const struct few_mem *mem = s->env.mem;
    few__file_reader_init(&s->reader, mem);
    few__arena_init(&s->texts, mem, TEXTS_MAX);
    for (size_t i = 0; i < s->n_places; i++) {
        struct few__place *place = &s->places[i];
        few__file_reader_init(&place->reader, mem);
        few__arena_init(&place->texts, mem, TEXTS_MAX);
        place->planes.mem = mem;
        if (!(place->gains = FEW__NEW_N(mem, double, s->n_models))) return few__no_memory(err, "session");
    }
    for (size_t i = 0; i < s->n_passages; i++) {
        struct few__passage *item = &s->passages[i];
        few__arena_init(&item->arena, mem, FEW__ITEM_ARENA_MAX);
        if (s->stores_looks && !(item->look_room = few__new(mem, FEW__LOOK_BYTES, 1)))
            return few__no_memory(err, "session");
    }
    return FEW_OK;
}

static enum few_status allocate(struct few_session *s, struct few_error *err)
{
    const struct few_mem *mem = s->env.mem;
    size_t n = s->n_models;
    s->costs = FEW__NEW_N(mem, struct few_cost, n);
    s->spent = FEW__NEW_N(mem, struct few_cost, n);
    s->n_spent = FEW__NEW_N(mem, uint64_t, n);
    s->in_base = FEW__NEW_N(mem, bool, n);
    s->rank = FEW__NEW_N(mem, size_t, n);
    s->forecast_runs = FEW__NEW_N(mem, bool, n);
    s->cells = FEW__NEW_N(mem, struct few__cell, n);
    s->said = FEW__NEW_N(mem, const struct few_output *, n);
    s->queue = few__new(mem, FEW_QUEUE_MAX, FEW_PATH_MAX);
    s->scheds = FEW__NEW_N(mem, struct few__sched, s->n_places);
    s->places = FEW__NEW_N(mem, struct few__place, s->n_places);
    s->passages = FEW__NEW_N(mem, struct few__passage, s->n_passages);
    if (!s->costs || !s->spent || !s->n_spent || !s->in_base || !s->rank || !s->forecast_runs || !s->cells ||
        !s->said || !s->queue || !s->scheds || !s->places || !s->passages)
        return few__no_memory(err, "session");
    FEW__TRY(allocate_items(s, err));
    if (s->opts.reuse_below > 0) FEW__TRY(few__look_scratch_create(mem, &s->scratch, err));
    if (s->opts.runtime && !(s->runtime = few__strdup(mem, s->opts.runtime)))
        return few__no_memory(err, "session");
    return FEW_OK;
}

// The catalog with the costs that were measured, so that a store has them from its first moment.
static enum few_status create_store(struct few_session *s, const struct few__store_new *what,
                                    struct few_error *err)
{
    FEW__TRY(few__store_may_create(s->opts.store, s->opts.overwrite, err));
    FEW__TRY(few__session_wake(s, err));
    struct few_model *models = FEW__NEW_N(s->env.mem, struct few_model, s->n_models);
    if (!models) return few__no_memory(err, "session");
    struct few_catalog catalog = s->zoo->catalog;
    memcpy(models, catalog.models, s->n_models * sizeof *models);
    for (size_t i = 0; i < s->n_models; i++) models[i].cost = s->spent[i];
    catalog.models = models;
    struct few__store_new measured = *what;
    measured.catalog = &catalog;
    enum few_status status = few__store_create(s->opts.store, &measured, &s->env, &s->store, err);
    s->store_is_new = status == FEW_OK;
    few__free(s->env.mem, models);
    return status;
}

static enum few_status open_store(struct few_session *s, struct few_error *err)
{
    char *config = few__session_config(s);
    if (!config) return few__no_memory(err, "session");
    const struct few__store_new what = {.purpose = s->opts.purpose == FEW_RECORD ? "trace" : "run",
                                        .catalog = &s->zoo->catalog,
                                        .zoo_path = s->zoo->path,
                                        .zoo_digest = s->zoo->digest,
                                        .config_json = config,
                                        .notes_json = s->opts.notes_json ? s->opts.notes_json : "{}",
                                        .items_planned = s->opts.items_planned,
                                        .overwrite = s->opts.overwrite};
    bool exists = access(s->opts.store, F_OK) == 0, goes_on = s->opts.retry || (s->opts.resume && exists);
    enum few_status status = goes_on ? few__store_append(s->opts.store, &what, &s->env, &s->store, err)
                                     : create_store(s, &what, err);
    few__free(s->env.mem, config);
    return status;
}

static enum few_status go_on(struct few_session *s, struct few_error *err)
{
    int64_t n_items;
    FEW__TRY(few__store_count(s->store, &n_items, err));
    s->next_id = (uint64_t)n_items;
    few__store_limit(s->store, s->opts.store_bytes);
    if (s->store_is_new) return FEW_OK;
    few__session_recall_costs(s, few__store_catalog(s->store));
    for (size_t i = 0; i < s->n_models; i++) s->n_spent[i] = s->next_id;
    return s->measured ? few__session_measure(s, err) : FEW_OK;
}

/* A store that cannot be written, or gone on with, is told before models are loaded. A new one is made, and an old one
 * replaced, only after that, so that a start that fails or is interrupted leaves things as they were. */
static enum few_status open_parts(struct few_session *s, struct few_error *err)
{
    if (!s->opts.store) return few__session_wake(s, err);
    FEW__TRY(open_store(s, err));
    return go_on(s, err);
}

// A session that could not be made leaves no new store behind.
static void drop_store(struct few_session *s)
{
    if (!s->store || !s->store_is_new) return;
    few__store_close(s->store, NULL);
    s->store = NULL;
    unlink(s->opts.store);
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
    s->n_models = zoo->catalog.n_models;
    if (pthread_mutex_init(&s->poke_lock, NULL) != 0) {
        few__free(zoo->env.mem, s);
        return few__no_memory(err, "session");
    }
    s->policy = policy;
    enum few_status status = FEW_OK;
    if (!policy) {
        status = few_policy_open(NULL, zoo, &s->own_policy, err);
        s->policy = s->own_policy;
    }
    if (status == FEW_OK) {
        settle_opts(s, opts);
        status = allocate(s, err);
    }
    if (status == FEW_OK) status = open_parts(s, err);
    if (status == FEW_OK) {
        *session = s;
        return FEW_OK;
    }
    drop_store(s);
    few_session_close(s, NULL);
    return status;
}

/* ---- close ---- */

static enum few_status close_store(struct few_session *s, struct few_error *err)
{
    enum few_status status = s->items ? few__flows_renew(s, err) : FEW_OK;
    if (status == FEW_OK && s->store && s->opts.purpose == FEW_RECORD && s->measured)
        status = few__store_set_costs(s->store, s->spent, err);
    enum few_status closed = few__store_close(s->store, status == FEW_OK ? err : NULL);
    return status == FEW_OK ? closed : status;
}

static void free_parts(struct few_session *s)
{
    const struct few_mem *mem = s->env.mem;
    for (size_t i = 0; s->places && i < s->n_places; i++) {
        few__file_reader_finish(&s->places[i].reader);
        few__arena_finish(&s->places[i].texts);
        few__buffer_finish(&s->places[i].planes);
        few__free(mem, s->places[i].gains);
    }
    for (size_t i = 0; s->passages && i < s->n_passages; i++) {
        few__arena_finish(&s->passages[i].arena);
        few__free(mem, s->passages[i].look_room);
    }
    few__file_reader_finish(&s->reader);
    few__arena_finish(&s->texts);
    few__look_scratch_destroy(s->scratch);
    few__explore_destroy(s->explore);
    few__flows_close(s);
    few__free(mem, s->runtime);
    few__free(mem, s->costs);
    few__free(mem, s->spent);
    few__free(mem, s->n_spent);
    few__free(mem, s->in_base);
    few__free(mem, s->rank);
    few__free(mem, s->forecast_runs);
    few__free(mem, s->cells);
    few__free(mem, s->said);
    few__free(mem, s->queue);
    few__free(mem, s->scheds);
    few__free(mem, s->places);
    few__free(mem, s->passages);
    pthread_mutex_destroy(&s->poke_lock);
    few__free(mem, s);
}

// Lanes have ended; the streams' threads end here, so that nobody calls the session any more.
static void let_go_of_items(struct few_session *s)
{
    for (size_t i = 0; s->places && i < s->n_places; i++) few__session_give_back(s, &s->places[i].moment);
    for (size_t i = 0; s->passages && i < s->n_passages; i++)
        few__session_give_back(s, &s->passages[i].moment);
    if (s->items) few__items_end(s->items);
}

enum few_status few_session_close(struct few_session *s, struct few_error *err)
{
    if (!s) return FEW_OK;
    enum few_status status = close_store(s, err);
    few__session_sleep(s);
    let_go_of_items(s);
    few__recall_destroy(s->recall);
    few_policy_close(s->own_policy);
    free_parts(s);
    return status;
}

/* ---- submit and receive ---- */

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

static void add_to_totals(struct few__totals *totals, const struct few__passage *item)
{
    const struct few_result *result = &item->result;
    totals->items++;
    totals->items_failed += result->status != FEW_OK;
    totals->deadline_missed += result->deadline_missed;
    totals->runtime_us += item->runtime_us;
    totals->run_all_us += item->run_all_us;
    for (size_t i = 0; i < result->n_models; i++) {
        totals->counts[result->rows[i].outcome]++;
        totals->spent_us += result->rows[i].time_us;
    }
}

static void follow_costs(struct few_session *s, const struct few_result *result)
{
    for (size_t i = 0; i < result->n_models; i++) {
        if (result->rows[i].outcome != FEW_EXECUTED) continue;
        int64_t mean = s->n_spent[i] ? s->spent[i].time_us : 0;
        s->spent[i].time_us = mean + (result->rows[i].time_us - mean) / (int64_t)++s->n_spent[i];
    }
}

// The caller is done with the first item.
static void drop_first(struct few_session *s)
{
    s->passages[s->first].step = FEW__STEP_EMPTY;
    s->first = (s->first + 1) % s->n_passages;
    s->n_inside--;
    s->given_out = false;
}

/* Until something finishes, or a stream has something (then s->finished is SIZE_MAX). FEW_AGAIN: neither came in time. */
static enum few_status wait_for_more(struct few_session *s, int64_t until_us, struct few_error *err)
{
    enum few_status status;
    if (!s->awaits) {
        status = s->n_running ? few__live_wait(s->live, &s->finished, &s->finished_us) : FEW_END;
        assert(status == FEW_OK && "an item that is not done is in flight");
        if (status == FEW_OK) return FEW_OK;
        return few__fail(err, status, "executor: expected an item in flight, found none");
    }
    FEW__TRY(few__session_wake(s, err));
    int64_t left_us = until_us - few__now_us(&s->env);
    if (s->n_inside == 0 && left_us <= 0) return few__fail(err, FEW_AGAIN, "live streams: nothing new");
    status = few__live_wait_for(s->live, left_us > 0 ? left_us : QUIET_US, &s->finished, &s->finished_us);
    if (status != FEW_OK) s->finished = SIZE_MAX;
    return FEW_OK;
}

/* Work until the first item is done; FEW_END: there is none. With a deadline nothing new begins once it is, since its
 * clock would go on while the caller looks at the result. */
static enum few_status finish_first(struct few_session *s, struct few_error *err)
{
    int64_t until_us = few__now_us(&s->env) + QUIET_US;
    for (;;) {
        const struct few__passage *first = &s->passages[s->first];
        if (s->finished != SIZE_MAX) FEW__TRY(few__session_take(s, err));
        bool done = s->n_inside > 0 && first->step == FEW__STEP_DONE;
        if (!done || !s->opts.deadline_us) FEW__TRY(few__session_admit(s, err));
        if (s->n_inside == 0 && !s->awaits) return FEW_END;
        if (s->n_inside > 0 && first->step == FEW__STEP_DONE) return FEW_OK;
        FEW__TRY(wait_for_more(s, until_us, err));
    }
}

enum few_status few_session_receive(struct few_session *s, const struct few_result **result,
                                    struct few_error *err)
{
    *result = NULL;
    if (s->given_out) drop_first(s);
    enum few_status status = finish_first(s, err);
    if (status == FEW_END && s->items) FEW__TRY(few__flows_renew(s, err));
    if (status != FEW_OK) return status;
    struct few__passage *item = &s->passages[s->first];
    FEW__TRY(few__session_keep(s, item, err));
    FEW__TRY(few__flow_count(s, item, err));
    s->blocker = NULL;
    s->n_kept += item->result.n_kept;
    if (!s->store) add_to_totals(&s->totals, item);
    if (s->opts.purpose == FEW_RECORD) follow_costs(s, &item->result);
    s->given_out = true;
    *result = &item->result;
    return FEW_OK;
}

void few_session_stats(const struct few_session *s, struct few_session_stats *stats)
{
    struct few__totals totals = s->totals;
    if (s->store) few__store_totals(s->store, &totals);
    *stats = (struct few_session_stats){.items = totals.items,
                                        .items_failed = totals.items_failed,
                                        .items_kept = s->n_kept,
                                        .deadline_missed = totals.deadline_missed,
                                        .spent_us = totals.spent_us,
                                        .runtime_us = totals.runtime_us,
                                        .run_all_us = totals.run_all_us,
                                        .lanes = s->n_lanes,
                                        .in_flight = s->n_places};
    stats->memory_bytes = s->given_bytes ? s->given_bytes : s->opts.memory_bytes;
    memcpy(stats->counts, totals.counts, sizeof stats->counts);
}

enum few_status few_session_stream(const struct few_session *s, size_t i, struct few_stream_stats *stats)
{
    const struct few__flow *flow = stats->size == sizeof *stats ? few__flow_find(s, i) : NULL;
    if (!flow) return stats->size == sizeof *stats ? FEW_ENOENT : FEW_EINVAL;
    const struct few__stream_row *row = &flow->row;
    *stats = (struct few_stream_stats){.size = sizeof *stats,
                                       .path = row->path,
                                       .is_live = row->is_live,
                                       .ended = row->ended,
                                       .width = row->width,
                                       .height = row->height,
                                       .fps = row->fps,
                                       .duration_us = row->duration_us,
                                       .n_in = row->n_in,
                                       .n_analysed = row->n_analysed,
                                       .n_reused = row->n_reused,
                                       .n_dropped = row->n_dropped,
                                       .n_failed = row->n_failed,
                                       .n_damaged = row->n_damaged,
                                       .n_reconnects = row->n_reconnects,
                                       .newest_age_us = -1};
    if (flow->answered_us >= 0) stats->newest_age_us = few__now_us(&s->env) - flow->answered_us;
    memcpy(stats->message, flow->message, sizeof stats->message);
    return FEW_OK;
}
