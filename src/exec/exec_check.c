// SPDX-License-Identifier: Apache-2.0
/* Re-verifies a log from its records and the options of the executor alone: nothing here is shared with the executor, so
 * that a mistake there cannot hide here. Invariant: items, lanes and models are what the records read so far say. */
#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "exec/exec_log.h"

enum state { // of a model on an item
    NEW,
    RUNS,
    FOUND,     // ended, with something found
    ENDED,     // without
    UNSURE,    // FOUND, but a dearer variant may say more
    FAILED,    // or it could not be loaded
    NOT_HEARD, // ended too late for the item
};

struct item { // in a slot
    bool open, ready, reading, unreadable, deadline_came;
    size_t n_holders; // lanes that look at it
    uint64_t number;
    int64_t deadline_us;
    unsigned has_parts; // once ready
    enum state *state;  // (n_models,)
};

struct lane {
    enum { FREE, READS, RUN } does;
    bool canceled;
    size_t model, n, n_done; // items of the run, and how many have ended
    size_t slots[FEW__BATCH_MAX];
};

enum place { ABSENT, LOADING, LOADED };

struct checker {
    const struct few__exec_opts *opts;
    const struct few_catalog *catalog;
    struct few__arena arena;
    size_t n_slots, n_lanes;
    struct item *items;
    struct lane *lanes;
    enum place *place; // (n_models,)
    size_t *n_runs;    // (n_models,)
    size_t loading;    // SIZE_MAX: nothing
    size_t n_open;
    uint64_t weights, running;
    int64_t at_us;
    size_t ending;                        // a lane of which some items' ends are still to come; SIZE_MAX
    const struct few__log_record *before; // NULL: there is none
};

/* ---- costs, as the executor takes them ---- */

static int64_t time_of(const struct checker *c, size_t model, size_t n)
{
    int64_t time = c->opts->costs[model].time_us, more = c->opts->costs[model].more_us;
    if (time < 1) time = 1;
    if (time > FEW__TIME_MAX_US) time = FEW__TIME_MAX_US;
    if (more < 1 || more > time) more = time;
    return time + (int64_t)(n - 1) * more;
}

static uint64_t weights_of(const struct checker *c, size_t model)
{
    const struct few_cost *cost = &c->opts->costs[model];
    return cost->weights_bytes < cost->memory_bytes ? cost->weights_bytes : cost->memory_bytes;
}

static uint64_t working_of(const struct checker *c, size_t model)
{
    return c->opts->costs[model].memory_bytes - weights_of(c, model);
}

static const char *check_memory(const struct checker *c)
{
    if (c->opts->memory_bytes == 0) return NULL;
    if (c->weights + c->running > c->opts->memory_bytes) return "more memory is taken than there is";
    uint64_t most = 0;
    for (size_t m = 0; c->opts->loads && m < c->catalog->n_models; m++)
        if (c->place[m] != ABSENT && working_of(c, m) > most) most = working_of(c, m);
    return c->weights + most > c->opts->memory_bytes ? "something is loaded that could never run" : NULL;
}

/* ---- items. Each check returns the broken rule, or NULL. ---- */

static const char *check_item(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    if (item->open) return "an item begins while one is open";
    if (item->n_holders) return "an item begins in a slot that a run still looks at";
    enum state *state = item->state;
    *item = (struct item){.open = true,
                          .ready = r->ready,
                          .number = r->item,
                          .deadline_us = r->deadline_us,
                          .has_parts = r->has_parts,
                          .state = state};
    for (size_t m = 0; m < c->catalog->n_models; m++) state[m] = NEW;
    c->n_open++;
    return NULL;
}

static bool is_over(const struct item *item, int64_t at_us)
{
    return item->deadline_came || at_us >= item->deadline_us;
}

static const char *check_read(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    struct lane *lane = &c->lanes[r->lane];
    if (item->ready || item->reading || item->unreadable) return "an item is read twice";
    if (is_over(item, r->at_us)) return "an item is read at or after its deadline";
    if (lane->does != FREE) return "a lane does two things at once";
    lane->does = READS;
    lane->slots[0] = r->slot;
    item->reading = true;
    item->n_holders++;
    return NULL;
}

static const char *check_has_read(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    struct lane *lane = &c->lanes[r->lane];
    if (lane->does != READS || lane->slots[0] != r->slot)
        return "an item has been read that was not being read";
    if (r->result == FEW__RESULT_EMPTY) return "a result that does not exist";
    lane->does = FREE;
    item->reading = false;
    item->n_holders--;
    bool heard = item->open && !item->deadline_came && r->at_us <= item->deadline_us;
    if (!heard) return r->result == FEW__RESULT_CANCELED ? NULL : "a result that nobody waits for";
    item->ready = r->result == FEW__RESULT_OK;
    item->has_parts = r->has_parts;
    item->unreadable = !item->ready;
    return NULL;
}

static const char *check_deadline(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    if (item->deadline_came) return "the deadline comes twice";
    if (r->at_us < item->deadline_us) return "the deadline comes before its time";
    item->deadline_came = true;
    return NULL;
}

static bool waits(const struct checker *c, size_t slot, size_t model)
{
    const struct item *item = &c->items[slot];
    return item->open && !item->deadline_came && item->state[model] == RUNS;
}

static bool is_waited_for(const struct checker *c, const struct lane *lane)
{
    for (size_t i = lane->n_done; i < lane->n; i++)
        if (waits(c, lane->slots[i], lane->model)) return true;
    return false;
}

static bool looks_at(const struct lane *lane, size_t slot)
{
    for (size_t i = 0; i < lane->n; i++)
        if (lane->slots[i] == slot) return true;
    return false;
}

static const char *check_finish(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    if (r->item != item->number) return "another item finishes than began";
    for (size_t i = 0; i < c->n_lanes; i++) {
        const struct lane *lane = &c->lanes[i];
        if (lane->does != RUN || lane->canceled || !looks_at(lane, r->slot)) continue;
        if (!is_waited_for(c, lane) || waits(c, r->slot, lane->model))
            return "an item finishes while a model runs";
    }
    if (!item->deadline_came && !item->unreadable && r->at_us >= item->deadline_us)
        return "an item finishes at its deadline or later, which was not recorded";
    if (!item->ready && !item->unreadable && !item->deadline_came)
        return "an item finishes that was not read";
    item->open = false;
    c->n_open--;
    return NULL;
}

/* ---- variants ---- */

static bool is_needed(const struct checker *c, size_t model)
{
    for (size_t m = 0; m < c->catalog->n_models; m++)
        if (c->catalog->models[m].needs == (int)model) return true;
    return false;
}

static bool is_cheaper(const struct checker *c, size_t a, size_t b)
{
    int64_t time_a = time_of(c, a, 1), time_b = time_of(c, b, 1);
    return time_a < time_b || (time_a == time_b && a < b);
}

static bool is_too_large(const struct checker *c, size_t model)
{
    return c->opts->memory_bytes > 0 && c->opts->costs[model].memory_bytes > c->opts->memory_bytes;
}

static bool has_part(const struct checker *c, const struct item *item, size_t model)
{
    return item->has_parts >> c->catalog->models[model].modality & 1;
}

// Whether a model that has not begun could still run on the item.
static bool may_run(const struct checker *c, const struct item *item, size_t model)
{
    if (item->state[model] != NEW || is_too_large(c, model) || !has_part(c, item, model)) return false;
    for (int need = c->catalog->models[model].needs; need >= 0; need = c->catalog->models[need].needs) {
        enum state state = item->state[need];
        if (state == ENDED || state == FAILED || state == NOT_HEARD || is_too_large(c, (size_t)need) ||
            !has_part(c, item, (size_t)need))
            return false;
    }
    return true;
}

// A cheaper variant that has not begun, or begun and not ended, is in the way of a dearer one.
static const char *check_variant(const struct checker *c, const struct item *item, size_t model)
{
    int group = c->catalog->models[model].variant_of;
    if (c->opts->variants == FEW__VARIANTS_ALL || group < 0 || is_needed(c, model)) return NULL;
    for (size_t m = 0; m < c->catalog->n_models; m++) {
        if (m == model || c->catalog->models[m].variant_of != group) continue;
        if (c->opts->variants == FEW__VARIANTS_DEAREST) {
            bool dearer = time_of(c, m, 1) > time_of(c, model, 1) ||
                          (time_of(c, m, 1) == time_of(c, model, 1) && m < model);
            if (dearer && !is_too_large(c, m)) return "a variant runs that is not the dearest";
            continue;
        }
        if (item->state[m] == FOUND || item->state[m] == ENDED)
            return "a variant runs after one has answered";
        bool waits_for = item->state[m] == RUNS || may_run(c, item, m);
        if (is_cheaper(c, m, model) && waits_for && item->state[model] == NEW)
            return "a variant runs before a cheaper one has ended";
    }
    return NULL;
}

/* ---- runs ---- */

static const char *check_enter(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    struct lane *lane = &c->lanes[r->lane];
    int need = c->catalog->models[r->model].needs;
    if (is_over(item, r->at_us)) return "a model starts at or after the deadline";
    if (!item->ready) return "a model starts on an item that has not been read";
    if (!has_part(c, item, r->model)) return "a model starts although the item has nothing of its modality";
    if (item->state[r->model] != NEW) return "a model starts twice";
    if (need >= 0 && item->state[need] != FOUND && item->state[need] != UNSURE)
        return "a model starts although its need has not found anything";
    const char *broken = check_variant(c, item, r->model);
    if (broken) return broken;
    item->state[r->model] = RUNS;
    item->n_holders++;
    lane->slots[lane->n++] = r->slot;
    c->running += working_of(c, r->model);
    return NULL;
}

static const char *check_start(struct checker *c, const struct few__log_record *r)
{
    struct lane *lane = &c->lanes[r->lane];
    if (lane->does != FREE) return "a lane does two things at once";
    if (c->opts->loads && c->place[r->model] != LOADED) return "a model runs that is not loaded";
    *lane = (struct lane){.does = RUN, .model = r->model};
    c->n_runs[r->model]++;
    if (!c->opts->loads) c->running += weights_of(c, r->model);
    return check_enter(c, r);
}

static const char *check_join(struct checker *c, const struct few__log_record *r)
{
    struct lane *lane = &c->lanes[r->lane];
    const struct few__log_record *before = c->before;
    bool follows = before && (before->kind == FEW__LOG_START || before->kind == FEW__LOG_JOIN) &&
                   before->lane == r->lane && before->model == r->model && before->at_us == r->at_us;
    if (!follows) return "an item joins a run that does not start";
    size_t max = c->opts->batch_max ? c->opts->batch_max[r->model] : 1;
    if (lane->n >= max || lane->n >= FEW__BATCH_MAX) return "a run takes more items than it may";
    const char *broken = check_enter(c, r);
    int64_t time_us = time_of(c, r->model, lane->n);
    for (size_t i = 0; !broken && !c->opts->keep_pace && i < lane->n; i++) {
        int64_t deadline_us = c->items[lane->slots[i]].deadline_us;
        if (deadline_us != FEW__NO_DEADLINE && time_us > deadline_us - r->at_us)
            broken = "a run of several items would end after the deadline of one";
    }
    return broken;
}

static enum state state_of(const struct few__log_record *r)
{
    if (r->result == FEW__RESULT_OK) return r->unsure ? UNSURE : FOUND;
    if (r->result == FEW__RESULT_EMPTY) return r->unsure ? FAILED : ENDED; // nothing to look at for its users
    return FAILED;
}

static const char *check_part(struct checker *c, const struct few__log_record *r)
{
    struct item *item = &c->items[r->slot];
    bool late = r->at_us > item->deadline_us;
    item->n_holders--;
    c->running -= working_of(c, r->model);
    if (!waits(c, r->slot, r->model) || late) {
        if (r->result != FEW__RESULT_CANCELED)
            return item->open ? "a model runs past the deadline" : "a result that nobody waits for";
        if (item->open) item->state[r->model] = NOT_HEARD;
        return NULL;
    }
    item->state[r->model] = state_of(r);
    return NULL;
}

static const char *check_done(struct checker *c, const struct few__log_record *r)
{
    struct lane *lane = &c->lanes[r->lane];
    if (lane->does != RUN || lane->model != r->model || lane->slots[lane->n_done] != r->slot)
        return "a model ends that does not run";
    const char *broken = check_part(c, r);
    if (broken) return broken;
    c->ending = ++lane->n_done < lane->n ? r->lane : SIZE_MAX;
    if (lane->n_done < lane->n) return NULL;
    lane->does = FREE;
    c->n_runs[r->model]--;
    if (!c->opts->loads) c->running -= weights_of(c, r->model);
    return NULL;
}

static const char *check_cancel(struct checker *c, const struct few__log_record *r)
{
    struct lane *lane = &c->lanes[r->lane];
    if (lane->does != RUN || lane->model != r->model || lane->canceled)
        return "a model is cancelled that does not run";
    if (is_waited_for(c, lane)) return "a model is cancelled before the deadline";
    lane->canceled = true;
    return NULL;
}

/* ---- loads ---- */

static const char *check_load(struct checker *c, const struct few__log_record *r)
{
    if (!c->opts->loads) return "a model is loaded or evicted where all are";
    if (c->loading != SIZE_MAX) return "two models are loaded at once";
    if (c->place[r->model] != ABSENT) return "a model is loaded twice";
    c->place[r->model] = LOADING;
    c->loading = r->model;
    c->weights += weights_of(c, r->model);
    c->running += working_of(c, r->model);
    return NULL;
}

static const char *check_loaded(struct checker *c, const struct few__log_record *r)
{
    if (c->loading != r->model) return "a load ends that was not begun";
    if (r->result != FEW__RESULT_OK && r->result != FEW__RESULT_FAILED) return "a result that does not exist";
    c->loading = SIZE_MAX;
    c->running -= working_of(c, r->model);
    c->place[r->model] = r->result == FEW__RESULT_OK ? LOADED : ABSENT;
    if (r->result == FEW__RESULT_OK) return NULL;
    c->weights -= weights_of(c, r->model);
    for (size_t i = 0; i < c->n_slots; i++)
        if (c->items[i].open && c->items[i].state[r->model] == NEW) c->items[i].state[r->model] = FAILED;
    return NULL;
}

static const char *check_evict(struct checker *c, const struct few__log_record *r)
{
    if (!c->opts->loads) return "a model is loaded or evicted where all are";
    if (c->place[r->model] != LOADED) return "a model is evicted that is not loaded";
    if (c->n_runs[r->model]) return "a model is evicted that is in use";
    c->place[r->model] = ABSENT;
    c->weights -= weights_of(c, r->model);
    return NULL;
}

/* ---- records ---- */

struct fields {
    bool slot, open, lane, model; // names a slot, one with an open item, a lane, a model
};

static struct fields fields_of(enum few__log_kind kind)
{
    switch (kind) {
    case FEW__LOG_ITEM: return (struct fields){.slot = true};
    case FEW__LOG_READ: return (struct fields){.slot = true, .open = true, .lane = true};
    case FEW__LOG_HAS_READ: return (struct fields){.slot = true, .lane = true};
    case FEW__LOG_START:
    case FEW__LOG_JOIN: return (struct fields){.slot = true, .open = true, .lane = true, .model = true};
    case FEW__LOG_DONE: return (struct fields){.slot = true, .lane = true, .model = true};
    case FEW__LOG_CANCEL: return (struct fields){.lane = true, .model = true};
    case FEW__LOG_DEADLINE:
    case FEW__LOG_FINISH: return (struct fields){.slot = true, .open = true};
    case FEW__LOG_LOAD:
    case FEW__LOG_LOADED:
    case FEW__LOG_EVICT: return (struct fields){.model = true};
    }
    return (struct fields){0};
}

static const char *check_fields(const struct checker *c, const struct few__log_record *r)
{
    struct fields has = fields_of(r->kind);
    if (has.model && r->model >= c->catalog->n_models) return "a model that the catalog does not have";
    if (has.slot && r->slot >= c->n_slots) return "more items in flight than there may be";
    if (has.lane && r->lane >= c->n_lanes) return "more models run than there are lanes";
    if (has.open && !c->items[r->slot].open) return "something happens while no item is open";
    if ((unsigned)r->result > FEW__RESULT_CANCELED) return "a result that does not exist";
    if (r->has_parts > FEW__ALL_PARTS) return "a modality that does not exist";
    return NULL;
}

static const char *check_kind(struct checker *c, const struct few__log_record *r)
{
    switch (r->kind) {
    case FEW__LOG_ITEM: return check_item(c, r);
    case FEW__LOG_READ: return check_read(c, r);
    case FEW__LOG_HAS_READ: return check_has_read(c, r);
    case FEW__LOG_START: return check_start(c, r);
    case FEW__LOG_JOIN: return check_join(c, r);
    case FEW__LOG_DONE: return check_done(c, r);
    case FEW__LOG_DEADLINE: return check_deadline(c, r);
    case FEW__LOG_CANCEL: return check_cancel(c, r);
    case FEW__LOG_FINISH: return check_finish(c, r);
    case FEW__LOG_LOAD: return check_load(c, r);
    case FEW__LOG_LOADED: return check_loaded(c, r);
    case FEW__LOG_EVICT: return check_evict(c, r);
    }
    return "a kind of record that does not exist";
}

static const char *check_record(struct checker *c, const struct few__log_record *r)
{
    if (r->at_us < c->at_us) return "time goes back";
    c->at_us = r->at_us;
    const char *broken = check_fields(c, r);
    if (!broken && c->ending != SIZE_MAX && (r->kind != FEW__LOG_DONE || r->lane != c->ending))
        broken = "a run ends for some of its items only";
    if (!broken) broken = check_kind(c, r);
    c->before = r;
    return broken ? broken : check_memory(c);
}

// What may not be so after the last record. A load may go on.
static const char *check_end(const struct checker *c)
{
    if (c->n_open) return "the log ends while an item is open";
    for (size_t i = 0; i < c->n_lanes; i++)
        if (c->lanes[i].does != FREE) return "the log ends while a lane is busy";
    return NULL;
}

static bool open_checker(struct checker *c, const struct few_mem *mem)
{
    size_t n = c->catalog->n_models;
    few__arena_init(&c->arena, mem, SIZE_MAX);
    c->items = FEW__ARENA_NEW(&c->arena, struct item, c->n_slots);
    c->lanes = FEW__ARENA_NEW(&c->arena, struct lane, c->n_lanes);
    c->place = FEW__ARENA_NEW(&c->arena, enum place, n);
    c->n_runs = FEW__ARENA_NEW(&c->arena, size_t, n);
    if (!c->items || !c->lanes || !c->place || !c->n_runs) return false;
    for (size_t i = 0; i < c->n_slots; i++)
        if (!(c->items[i].state = FEW__ARENA_NEW(&c->arena, enum state, n))) return false;
    for (size_t m = 0; c->opts->loads && c->opts->resident && m < n; m++) {
        if (!c->opts->resident[m]) continue;
        c->place[m] = LOADED;
        c->weights += weights_of(c, m);
    }
    return true;
}

enum few_status few__exec_check(const struct few__exec_log *log, const struct few__exec_opts *opts,
                                struct few_error *err)
{
    if (log->lost)
        return few__fail(err, FEW_EINVAL, "record %zu: %zu records are lost from here on", log->n, log->lost);
    struct checker c = {.opts = opts,
                        .catalog = opts->catalog,
                        .n_slots = opts->n_slots ? opts->n_slots : 1,
                        .n_lanes = opts->n_lanes ? opts->n_lanes : 1,
                        .loading = SIZE_MAX,
                        .ending = SIZE_MAX,
                        .at_us = INT64_MIN};
    enum few_status status = open_checker(&c, log->mem) ? FEW_OK : few__no_memory(err, "check of a log");
    const char *broken = NULL;
    size_t i = 0;
    while (status == FEW_OK && i < log->n && !(broken = check_record(&c, &log->records[i]))) i++;
    if (status == FEW_OK && !broken) broken = check_end(&c);
    if (broken) status = few__fail(err, FEW_EINVAL, "record %zu: %s", i, broken);
    few__arena_finish(&c.arena);
    return status;
}
