// SPDX-License-Identifier: Apache-2.0
/* 10,000 random workloads under policies that answer at random: items in flight, lanes, memory, loads, batches, variants,
 * reads, deadlines and failures of all kinds. Whatever a policy answers, the log passes the checker, rows agree with each
 * other and with what was said, and one seed gives one log. */
#include "exec/world.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

enum { WORKLOADS = 10000, ITEMS = 6, RECORDS = 4096, SLOTS = 4, LANES = 4, REASONS = FEW__WHY_NO_PART + 1 };

struct tally {
    size_t outcomes[FEW_OUTCOME_COUNT], reasons[REASONS], kinds[FEW__LOG_EVICT + 1];
    size_t n_rows, n_expected;
};

struct workload {
    uint64_t seed;
    struct few__rng rng, policy_rng;
    struct t_world world;
    struct few__sim_truth truth[ITEMS][T_MODELS];
    struct few__exec_opts opts;
    struct few__chooser choosers[SLOTS];
    size_t batch_max[T_MODELS], rank[T_MODELS];
    bool resident[T_MODELS];
    int64_t read_us[ITEMS];
    bool readable[ITEMS];
    unsigned has_parts[ITEMS];
    double gains[ITEMS];
    size_t n_finished;
    struct few__exec *exec;
    struct tally *tally;
};

/* ---- the policy ---- */

static size_t random_wish(struct few__rng *rng, const struct few__view *view)
{
    size_t n = view->catalog->n_models;
    if (n == 0 || few__rng_below(rng, 4) == 0) return SIZE_MAX;
    return (size_t)few__rng_below(rng, n);
}

static bool wish_fits(const struct few__view *view, size_t wish)
{
    if (wish == SIZE_MAX || view->resident[wish] || view->held[wish]) return false;
    return view->states[wish] == FEW__PENDING &&
           few__view_fits(view, view->costs[wish].load_us + few__view_time(view, wish));
}

static const double *gains_of(uint64_t item);

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct few__rng *rng = self;
    assert_ptr_equal(view->gains, gains_of(view->item));
    uint64_t mood = few__rng_below(rng, 30);
    choice->wish = random_wish(rng, view);
    bool may_wait = view->n_free_lanes < view->n_lanes || wish_fits(view, choice->wish);
    choice->answer = FEW__STOP;
    if (mood == 0) return;
    if (mood < 4 && may_wait) {
        choice->answer = FEW__WAIT;
        return;
    }
    size_t room = 1 + (size_t)few__rng_below(rng, view->n_free_lanes);
    uint64_t bytes = view->free_bytes;
    for (size_t m = 0; m < view->catalog->n_models; m++)
        if (few__view_ready(view, m) && few__view_has_memory(view, m)) choice->models[choice->n++] = m;
    if (few__rng_below(rng, 3) == 0)
        few__rng_shuffle(rng, choice->models, choice->n); // else items tend to agree
    size_t n = 0;
    for (size_t i = 0; i < choice->n && n < room; i++) {
        uint64_t takes = view->working_bytes[choice->models[i]];
        if (takes > bytes) continue;
        bytes -= view->free_bytes == FEW__NO_BUDGET ? 0 : takes;
        choice->models[n++] = choice->models[i];
    }
    choice->n = n;
    choice->last = few__rng_below(rng, 4) == 0;
    if (n) choice->answer = FEW__START;
    else if (may_wait) choice->answer = FEW__WAIT;
}

/* ---- the world ---- */

static void make_costs(struct workload *w)
{
    struct few__rng *rng = &w->rng;
    struct t_world *world = &w->world;
    for (size_t m = 0; m < world->catalog.n_models; m++) {
        struct few_cost *cost = &world->costs[m];
        cost->memory_bytes = few__rng_below(rng, 100);
        cost->weights_bytes = few__rng_below(rng, cost->memory_bytes + 1);
        cost->load_us = (int64_t)few__rng_below(rng, 300);
        cost->more_us = (int64_t)few__rng_below(rng, 100);
        w->batch_max[m] = 1 + (size_t)few__rng_below(rng, 4);
        w->rank[m] = m;
        world->models[m].variant_of = -1;
    }
    few__rng_shuffle(rng, w->rank, world->catalog.n_models);
    for (size_t m = 0; m < world->catalog.n_models; m++) {
        size_t first = (size_t)few__rng_below(rng, world->catalog.n_models);
        if (few__rng_below(rng, 2) ||
            (world->models[first].variant_of >= 0 && first != (size_t)world->models[first].variant_of))
            continue;
        if (world->models[m].variant_of >= 0) continue;
        world->models[m].variant_of = world->models[first].variant_of = (int)first;
    }
}

static void make_truth(struct workload *w)
{
    struct few__rng *rng = &w->rng;
    for (size_t i = 0; i < ITEMS; i++) {
        w->read_us[i] = few__rng_below(rng, 2) ? 0 : 1 + (int64_t)few__rng_below(rng, 50);
        w->readable[i] = few__rng_below(rng, 10) > 0;
        w->has_parts[i] =
            few__rng_below(rng, 2) ? FEW__ALL_PARTS : (unsigned)few__rng_below(rng, FEW__ALL_PARTS + 1);
        for (size_t m = 0; m < w->world.catalog.n_models; m++) {
            struct few__sim_truth *truth = &w->truth[i][m];
            *truth = w->world.truth[m];
            truth->unsure = few__rng_below(rng, 2);
            if (few__rng_below(rng, 4)) continue;
            truth->result =
                (enum few__result)few__rng_below(rng, FEW__RESULT_CANCELED + 1); // CANCELED: a time-out
        }
    }
}

static void make_residents(struct workload *w)
{
    uint64_t weights = 0, most = 0;
    for (size_t m = 0; m < w->world.catalog.n_models; m++) {
        const struct few_cost *cost = &w->world.costs[m];
        uint64_t working = cost->memory_bytes - cost->weights_bytes;
        uint64_t most_then = working > most ? working : most;
        w->resident[m] =
            few__rng_below(&w->rng, 3) == 0 &&
            (!w->opts.memory_bytes || weights + cost->weights_bytes + most_then <= w->opts.memory_bytes);
        if (!w->resident[m]) continue;
        weights += cost->weights_bytes;
        most = most_then;
    }
}

static void make(struct workload *w, uint64_t seed, struct few__exec_log *log, struct tally *tally)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->tally = tally;
    few__rng_init(&w->rng, seed, 1);
    few__rng_init(&w->policy_rng, seed, 2);
    t_world_random(&w->world, &w->rng, 12);
    make_costs(w);
    for (size_t m = 0; m < w->world.catalog.n_models; m++)
        if (few__rng_below(&w->rng, 3) == 0)
            w->world.models[m].modality = (enum few_modality)few__rng_below(&w->rng, FEW_MODALITY_COUNT);
    make_truth(w);
    struct few__rng *rng = &w->rng;
    for (size_t i = 0; i < SLOTS; i++)
        w->choosers[i] = (struct few__chooser){.self = &w->policy_rng, .name = "random", .choose = choose};
    w->opts =
        (struct few__exec_opts){.catalog = &w->world.catalog,
                                .costs = w->world.costs,
                                .choosers = w->choosers,
                                .n_slots = 1 + (size_t)few__rng_below(rng, SLOTS),
                                .n_lanes = 1 + (size_t)few__rng_below(rng, LANES),
                                .memory_bytes = few__rng_below(rng, 3) ? 50 + few__rng_below(rng, 300) : 0,
                                .loads = few__rng_below(rng, 2),
                                .resident = few__rng_below(rng, 2) ? w->resident : NULL,
                                .rank = few__rng_below(rng, 2) ? w->rank : NULL,
                                .batch_max = few__rng_below(rng, 3) ? w->batch_max : NULL,
                                .variants = (enum few__variant_rule)few__rng_below(rng, 3),
                                .log = log,
                                .keep_pace = few__rng_below(rng, 2)};
    make_residents(w);
}

static const struct few__sim_truth *truth_of(void *ud, uint64_t item, int64_t *read_us, bool *readable)
{
    struct workload *w = ud;
    *read_us = w->read_us[item];
    *readable = w->readable[item];
    return w->truth[item];
}

static bool loadable(void *ud, size_t model)
{
    (void)model;
    return few__rng_below(&((struct workload *)ud)->rng, 6) > 0;
}

// What only some items are known to give.
static void about(void *ud, uint64_t item, struct few__sim_about *about)
{
    struct workload *w = ud;
    about->has_parts = w->has_parts[item];
    about->gains = gains_of(item);
}

/* ---- what must be so when an item is finished ---- */

static bool lacks_part(const struct workload *w, size_t slot, size_t m)
{
    unsigned has_parts = w->has_parts[few__exec_view(w->exec, slot)->item];
    return !(has_parts >> w->world.models[m].modality & 1);
}

// A model above it that had nothing to look at.
static bool need_lacks_part(const struct workload *w, size_t slot, size_t m)
{
    const struct few__exec_row *rows = few__exec_rows(w->exec, slot);
    for (int up = w->world.models[m].needs; up >= 0; up = w->world.models[up].needs)
        if (rows[up].reason == FEW__WHY_NO_PART) return lacks_part(w, slot, (size_t)up);
    return false;
}

// A model above it whose end explains the reason, found by walking up.
static bool is_explained(const struct workload *w, size_t slot, size_t m, enum few_outcome outcome,
                         bool found)
{
    const struct few__view *view = few__exec_view(w->exec, slot);
    const struct few__exec_row *rows = few__exec_rows(w->exec, slot);
    for (int up = view->catalog->models[m].needs; up >= 0; up = view->catalog->models[up].needs)
        if (rows[up].outcome == outcome && view->found[up] == found) return true;
    return false;
}

static bool is_missing(const struct workload *w, size_t slot, size_t m)
{
    const struct few__exec_row *rows = few__exec_rows(w->exec, slot);
    for (int up = w->world.models[m].needs; up >= 0; up = w->world.models[up].needs)
        if (rows[up].outcome == FEW_LATE || rows[up].reason == FEW__WHY_NO_MEMORY) return true;
    return false;
}

static bool is_variant(const struct workload *w, size_t m)
{
    for (size_t k = 0; k < w->world.catalog.n_models; k++)
        if (w->world.models[k].needs == (int)m) return false; // never left out for another
    return w->opts.variants != FEW__VARIANTS_ALL && w->world.models[m].variant_of >= 0;
}

static bool reason_is_right(const struct workload *w, size_t slot, size_t m)
{
    const struct few__view *view = few__exec_view(w->exec, slot);
    const struct few__exec_row *row = &few__exec_rows(w->exec, slot)[m];
    bool started = row->start_us >= 0, skipped = row->outcome == FEW_SKIPPED && !started;
    switch (row->reason) {
    case FEW__WHY_CHOSEN: return row->outcome == FEW_EXECUTED && started && row->end_us > row->start_us;
    case FEW__WHY_FAILED: return row->outcome == FEW_FAILED && started;
    case FEW__WHY_DEADLINE:
        return view->deadline_us != FEW__NO_DEADLINE && row->outcome == (started ? FEW_LATE : FEW_SKIPPED);
    case FEW__WHY_NEED_EMPTY:
        return skipped && (is_explained(w, slot, m, FEW_EXECUTED, false) || need_lacks_part(w, slot, m));
    case FEW__WHY_NEED_FAILED: return skipped && is_explained(w, slot, m, FEW_FAILED, false);
    case FEW__WHY_NEED_MISSING: return skipped && is_missing(w, slot, m);
    case FEW__WHY_NO_TIME: return skipped && view->deadline_us != FEW__NO_DEADLINE;
    case FEW__WHY_NOT_WORTH: return skipped;
    case FEW__WHY_VARIANT: return skipped && is_variant(w, m);
    case FEW__WHY_NO_MEMORY: return skipped && w->world.costs[m].memory_bytes > w->opts.memory_bytes;
    case FEW__WHY_NOT_LOADED: return w->opts.loads && (skipped || (row->outcome == FEW_FAILED && !started));
    case FEW__WHY_ITEM_FAILED: return row->outcome == FEW_FAILED && !w->readable[view->item] && !started;
    case FEW__WHY_NO_PART: return skipped && lacks_part(w, slot, m);
    }
    return false;
}

static bool row_is_right(const struct workload *w, size_t slot, size_t m)
{
    const struct few__view *view = few__exec_view(w->exec, slot);
    const struct few__exec_row *row = &few__exec_rows(w->exec, slot)[m];
    int need = view->catalog->models[m].needs;
    if (view->states[m] != FEW__DONE || view->outcomes[m] != row->outcome || view->held[m]) return false;
    if (row->start_us >= 0 && need >= 0 && !view->found[need]) return false;
    if (row->start_us >= 0 ? row->lane >= w->opts.n_lanes : row->lane != SIZE_MAX) return false;
    if (row->start_us >= 0 && lacks_part(w, slot, m)) return false;
    if (view->found[m] && row->outcome != FEW_EXECUTED) return false;
    return reason_is_right(w, slot, m);
}

// The list of labels has each that was seen once and no other.
static bool list_is_right(const struct few__view *view)
{
    bool listed[T_LABELS] = {0};
    size_t n = 0;
    for (size_t i = 0; i < view->n_seen; i++) {
        int32_t label = view->seen_labels[i];
        if (listed[label] || view->seen[label] == 0) return false;
        listed[label] = true;
    }
    for (size_t l = 0; l < T_LABELS; l++) n += view->seen[l] > 0;
    return n == view->n_seen;
}

// seen must be the maximum over what the executed models really said.
static bool seen_is_right(const struct workload *w, size_t slot)
{
    const struct few__view *view = few__exec_view(w->exec, slot);
    float seen[T_LABELS] = {0};
    for (size_t m = 0; m < w->world.catalog.n_models; m++) {
        const struct few__sim_truth *truth = &w->truth[view->item][m];
        for (size_t k = 0; view->found[m] && k < truth->n_valuable; k++)
            if (truth->valuable[k].confidence > seen[truth->valuable[k].label])
                seen[truth->valuable[k].label] = truth->valuable[k].confidence;
    }
    return memcmp(seen, view->seen, sizeof seen) == 0 && list_is_right(view);
}

static void finished(void *ud, uint64_t item, size_t slot, int64_t now_us)
{
    struct workload *w = ud;
    (void)now_us;
    w->n_finished++;
    assert_int_equal(few__exec_view(w->exec, slot)->item, item);
    for (size_t m = 0; m < w->world.catalog.n_models; m++) {
        if (!row_is_right(w, slot, m))
            fail_msg("seed %llu, item %llu: model %zu is wrong", (unsigned long long)w->seed,
                     (unsigned long long)item, m);
        char text[128];
        few__reason_text(w->exec, slot, m, text, sizeof text);
        assert_true(text[0]);
        w->tally->outcomes[few__exec_rows(w->exec, slot)[m].outcome]++;
        w->tally->reasons[few__exec_rows(w->exec, slot)[m].reason]++;
        w->tally->n_rows++;
    }
    if (!seen_is_right(w, slot)) fail_msg("seed %llu: seen", (unsigned long long)w->seed);
}

/* ---- runs ---- */

static void fail_with_log(const struct workload *w, const struct few__exec_log *log, const char *why)
{
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    few__exec_log_print(log, &w->world.catalog, &text);
    fail_msg("seed %llu: %s\n%s", (unsigned long long)w->seed, why, text.s ? text.s : "");
}

static struct workload last; // the one that ran

// Every other item is known to give something.
static const double *gains_of(uint64_t item)
{
    return item % 2 ? &last.gains[item] : NULL;
}

static void run_workload(uint64_t seed, struct few__exec_log *log, struct tally *tally)
{
    struct few_error err;
    int64_t end_us;
    make(&last, seed, log, tally);
    few__exec_log_clear(log);
    assert_status(few__exec_create(&last.opts, &last.exec, &err), FEW_OK, &err);
    const struct few__sim_stream stream = {.n_items = ITEMS,
                                           .deadline_us = few__rng_below(&last.rng, 3)
                                                              ? (int64_t)few__rng_below(&last.rng, 1000)
                                                              : FEW__NO_DEADLINE,
                                           .truth = truth_of,
                                           .loadable = loadable,
                                           .about = about,
                                           .finished = finished,
                                           .ud = &last};
    assert_status(few__sim_stream(last.exec, &stream, 0, NULL, &end_us, &err), FEW_OK, &err);
    assert_int_equal(last.n_finished, ITEMS);
    tally->n_expected += ITEMS * last.world.catalog.n_models;
    for (size_t slot = 0; slot < last.opts.n_slots; slot++) assert_true(few__exec_slot_free(last.exec, slot));
    if (few__exec_check(log, &last.opts, &err) != FEW_OK) fail_with_log(&last, log, err.message);
    for (size_t i = 0; i < log->n; i++) tally->kinds[log->records[i].kind]++;
    few__exec_destroy(last.exec);
}

static void test_random_workloads(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct few__exec_log log;
    assert_int_equal(few__exec_log_init(&log, NULL, RECORDS, NULL), FEW_OK);
    for (uint64_t seed = t_seed(); seed < t_seed() + WORKLOADS; seed++) run_workload(seed, &log, &tally);
    // Every model of every item has one row, and the workloads reach every end that a model can come to.
    assert_int_equal(tally.n_rows, tally.n_expected);
    for (size_t i = 0; i < REASONS; i++) assert_true(tally.reasons[i] > 1000);
    for (size_t i = 0; i <= FEW__LOG_EVICT; i++) assert_true(tally.kinds[i] > 1000);
    assert_int_equal(tally.outcomes[FEW_PREDICTED] + tally.outcomes[FEW_REUSED], 0);
    few__exec_log_finish(&log);
}

static void test_same_seed_same_log(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct few__exec_log one, two;
    assert_int_equal(few__exec_log_init(&one, NULL, RECORDS, NULL), FEW_OK);
    assert_int_equal(few__exec_log_init(&two, NULL, RECORDS, NULL), FEW_OK);
    for (uint64_t seed = 0; seed < 300; seed++) {
        run_workload(seed, &one, &tally);
        run_workload(seed, &two, &tally);
        assert_int_equal(one.n, two.n);
        assert_memory_equal(one.records, two.records, one.n * sizeof *one.records);
    }
    few__exec_log_finish(&one);
    few__exec_log_finish(&two);
}

/* ---- damage ---- */

// What a change to a log leaves: still a log that could be.
static bool passes(const struct few__exec_log *log)
{
    return few__exec_check(log, &last.opts, NULL) == FEW_OK;
}

static void assert_caught(const struct few__exec_log *log, const char *how, size_t i)
{
    if (!passes(log)) return;
    char what[64];
    snprintf(what, sizeof what, "%s record %zu was not noticed", how, i);
    fail_with_log(&last, log, what);
}

static void lose_and_double(struct few__exec_log *log, size_t i)
{
    struct few__log_record *r = log->records, was = r[i];
    size_t n = log->n;
    // That a model was loaded or has gone may never matter again.
    bool matters = was.kind != FEW__LOG_LOADED && was.kind != FEW__LOG_EVICT;
    memmove(&r[i], &r[i + 1], (n - i - 1) * sizeof *r);
    log->n = n - 1;
    if (matters) assert_caught(log, "lost", i);
    memmove(&r[i + 1], &r[i], (n - i - 1) * sizeof *r);
    r[i] = was;
    memmove(&r[i + 1], &r[i], (n - i) * sizeof *r);
    log->n = n + 1;
    assert_caught(log, "doubled", i);
    memmove(&r[i], &r[i + 1], (n - i) * sizeof *r);
    log->n = n;
}

static void move(struct few__exec_log *log, size_t i)
{
    struct few__log_record *r = log->records, was = r[i];
    if (i > 0) {
        r[i].at_us = r[i - 1].at_us - 1;
        assert_caught(log, "earlier", i);
    }
    if (i + 1 < log->n) {
        r[i].at_us = r[i + 1].at_us + 1;
        assert_caught(log, "later", i);
    }
    r[i] = was;
    if (i == 0 || r[i - 1].at_us == was.at_us)
        return; // at one instant some records could well be the other way round
    r[i] = r[i - 1], r[i - 1] = was;
    assert_caught(log, "swapped", i);
    r[i - 1] = r[i], r[i] = was;
}

// Another slot, lane, model or item instead of the one that it was.
static void rename_fields(struct few__exec_log *log, size_t i)
{
    struct few__log_record *r = &log->records[i], was = *r;
    bool has_lane = was.kind == FEW__LOG_READ || was.kind == FEW__LOG_HAS_READ ||
                    was.kind == FEW__LOG_START || was.kind == FEW__LOG_JOIN || was.kind == FEW__LOG_DONE ||
                    was.kind == FEW__LOG_CANCEL;
    bool has_slot = was.kind != FEW__LOG_CANCEL && was.kind < FEW__LOG_LOAD;
    bool has_model = was.kind == FEW__LOG_START || was.kind == FEW__LOG_JOIN || was.kind == FEW__LOG_DONE ||
                     was.kind == FEW__LOG_CANCEL || was.kind == FEW__LOG_LOAD || was.kind == FEW__LOG_LOADED;
    for (r->lane = 0; has_lane && r->lane <= last.opts.n_lanes; r->lane++)
        if (r->lane != was.lane) assert_caught(log, "lane of", i);
    *r = was;
    for (r->slot = 0; has_slot && r->slot <= last.opts.n_slots; r->slot++)
        if (r->slot != was.slot) assert_caught(log, "slot of", i);
    *r = was;
    for (r->model = 0; has_model && r->model <= last.world.catalog.n_models; r->model++)
        if (r->model != was.model) assert_caught(log, "model of", i);
    *r = was;
    r->item++;
    if (was.kind == FEW__LOG_ITEM || was.kind == FEW__LOG_FINISH) assert_caught(log, "item of", i);
    *r = was;
}

// An item that has nothing of what was started on it.
static void take_parts(struct few__exec_log *log, size_t i)
{
    struct few__log_record *r = &log->records[i], was = *r;
    if (was.kind != FEW__LOG_ITEM && was.kind != FEW__LOG_HAS_READ) return;
    r->has_parts = FEW__ALL_PARTS + 1;
    assert_caught(log, "unknown part of", i);
    r->has_parts = 0;
    for (size_t k = i + 1; k < log->n; k++) {
        const struct few__log_record *later = &log->records[k];
        if (later->slot != was.slot || later->kind >= FEW__LOG_LOAD || later->kind == FEW__LOG_CANCEL)
            continue;
        if (later->kind == FEW__LOG_ITEM || later->kind == FEW__LOG_HAS_READ) break;
        if (later->kind == FEW__LOG_START || later->kind == FEW__LOG_JOIN) assert_caught(log, "parts of", i);
    }
    *r = was;
}

static void test_damage_is_noticed(void **state)
{
    (void)state;
    struct tally tally = {0};
    struct few__exec_log log;
    size_t n_records = 0;
    assert_int_equal(few__exec_log_init(&log, NULL, RECORDS, NULL), FEW_OK);
    for (uint64_t seed = t_seed(); seed < t_seed() + 300; seed++) {
        run_workload(seed, &log, &tally);
        n_records += log.n;
        for (size_t i = 0; i < log.n; i++) {
            lose_and_double(&log, i);
            move(&log, i);
            rename_fields(&log, i);
            take_parts(&log, i);
        }
        assert_true(passes(&log)); // and everything was put back
    }
    assert_true(n_records > 10000);
    few__exec_log_finish(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_workloads),
        cmocka_unit_test(test_same_seed_same_log),
        cmocka_unit_test(test_damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
