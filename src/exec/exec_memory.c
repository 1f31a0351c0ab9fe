// SPDX-License-Identifier: Apache-2.0
/* What is loaded, and what runs may take.
 *
 * Invariants, for a budget B, W = weights of what is loaded or loading:
 *     W + working memory of what runs or loads <= B, at every instant (reading a file takes more than it leaves);
 *     W + the largest working memory of any of these models <= B: whatever is loaded can run when nothing else does.
 * A model in use is never evicted. One load at a time. Without loads everything is resident and W = 0.
 *
 * A load that an item waits for and that has no room yet (`wanted`) is not starved: the models that go for it take no new
 * runs (`leaving`), and what new runs may take is less by what it needs. Which go: greedy-dual-size-frequency (Cherkasova
 * 1998), lowest score first, score = demand x load_us / weights_bytes: what it costs to have the model back, for each byte
 * that it gives. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "exec/exec_internal.h"

#define BYTES_MAX (UINT64_C(1) << 48) // of one model: sums over a batch and all models stay in range

static const double DEMAND_STEP =
    1.0 / 16; // an item weighs so much in `demand`: it follows the last few dozen
static const double HYSTERESIS =
    1.25; // what nobody waits for must be worth so much more than what goes for it

/* ---- life ---- */

static bool take_memory(struct few__exec *exec)
{
    struct few__memory *memory = &exec->memory;
    struct few__arena *arena = &exec->arena;
    size_t n = exec->chains.n;
    memory->load = FEW__ARENA_NEW(arena, enum few__load, n);
    memory->leaving = FEW__ARENA_NEW(arena, bool, n);
    memory->chosen = FEW__ARENA_NEW(arena, bool, n);
    memory->n_runs = FEW__ARENA_NEW(arena, size_t, n);
    memory->demand = FEW__ARENA_NEW(arena, double, n);
    memory->scores = FEW__ARENA_NEW(arena, double, n);
    memory->rank = FEW__ARENA_NEW(arena, size_t, n);
    return memory->load && memory->leaving && memory->chosen && memory->n_runs && memory->demand &&
           memory->scores && memory->rank;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static enum few_status load_residents(struct few__exec *exec, const bool *resident, struct few_error *err)
{
    struct few__memory *memory = &exec->memory;
    for (size_t m = 0; m < exec->chains.n; m++) {
        if (!resident || !resident[m]) continue;
        memory->load[m] = FEW__LOADED;
        exec->resident[m] = true;
        memory->weights += exec->costs[m].weights_bytes;
        memory->most_working = larger(memory->most_working, exec->working_bytes[m]);
        if (memory->weights + memory->most_working > memory->budget)
            return few__fail(
                err, FEW_EINVAL,
                "model '%s' is loaded: expected at most %" PRIu64 " bytes, found %" PRIu64 " with it",
                exec->catalog->models[m].name, memory->budget, memory->weights + memory->most_working);
    }
    return FEW_OK;
}

enum few_status few__memory_create(struct few__exec *exec, const struct few__exec_opts *opts,
                                   struct few_error *err)
{
    struct few__memory *memory = &exec->memory;
    size_t n = exec->chains.n;
    memory->loads = opts->loads;
    memory->budget = opts->memory_bytes ? opts->memory_bytes : FEW__NO_BUDGET;
    memory->loading = memory->wanted = memory->background = FEW__NONE;
    memory->n_warmed = n;
    for (size_t m = 0; m < n; m++) {
        struct few_cost *cost = &exec->costs[m];
        if (cost->memory_bytes > BYTES_MAX) cost->memory_bytes = BYTES_MAX;
        if (cost->weights_bytes > cost->memory_bytes) cost->weights_bytes = cost->memory_bytes;
        exec->working_bytes[m] = cost->memory_bytes - (opts->loads ? cost->weights_bytes : 0);
        exec->too_large[m] = cost->memory_bytes > memory->budget;
        exec->resident[m] = !opts->loads;
    }
    if (!opts->loads) return FEW_OK;
    if (!take_memory(exec)) return few__no_memory(err, "executor");
    for (size_t i = 0; i < n; i++) {
        size_t m = opts->rank ? opts->rank[i] : i;
        assert(m < n && "a rank of a model that does not exist");
        memory->rank[i] = m;
        memory->demand[m] = 1 - (double)i / (double)n;
    }
    return load_residents(exec, opts->resident, err);
}

/* ---- what runs may take ---- */

uint64_t few__memory_of_run(const struct few__exec *exec, size_t model, size_t n_items)
{
    const struct few_cost *cost = &exec->costs[model];
    uint64_t weights = exec->memory.loads ? 0 : cost->weights_bytes;
    return weights + n_items * (cost->memory_bytes - cost->weights_bytes);
}

uint64_t few__memory_free(const struct few__exec *exec)
{
    const struct few__memory *memory = &exec->memory;
    if (memory->budget == FEW__NO_BUDGET) return FEW__NO_BUDGET;
    uint64_t taken = memory->weights;
    // As if it were loaded and what goes for it had gone: what stays can run alone all the same.
    if (memory->wanted != FEW__NONE)
        taken = larger(taken, taken - memory->leaving_bytes + exec->costs[memory->wanted].memory_bytes);
    taken += memory->running;
    return taken < memory->budget ? memory->budget - taken : 0;
}

/* ---- wishes ---- */

// It would end in time, once loaded.
static bool would_fit(const struct few__exec *exec, size_t at, size_t model)
{
    const struct few__view *view = &exec->slots[at].view;
    return few__view_fits(view, exec->costs[model].load_us + few__view_time(view, model));
}

void few__memory_wish(struct few__exec *exec, size_t at, size_t model, bool stopped)
{
    struct few__memory *memory = &exec->memory;
    struct few__slot *slot = &exec->slots[at];
    slot->wish = FEW__NONE;
    if (!memory->loads || model == FEW__NONE) return;
    assert(model < exec->chains.n && "the policy wishes for a model that does not exist");
    if (exec->resident[model] || slot->states[model] != FEW__PENDING || slot->held[model]) return;
    slot->wished[model] = true;
    if (!stopped && would_fit(exec, at, model)) slot->wish = model;
    else if (memory->background == FEW__NONE) memory->background = model;
}

void few__memory_note_item(struct few__exec *exec, size_t at)
{
    const struct few__slot *slot = &exec->slots[at];
    for (size_t m = 0; m < exec->chains.n; m++) {
        double used = slot->used[m] || slot->wished[m] ? 1 : 0;
        exec->memory.demand[m] += DEMAND_STEP * (used - exec->memory.demand[m]);
    }
}

bool few__exec_loading(const struct few__exec *exec)
{
    const struct few__memory *memory = &exec->memory;
    return memory->loading != FEW__NONE || memory->wanted != FEW__NONE || memory->n_warmed < exec->chains.n;
}

// The oldest item's wish that has to be loaded; FEW__NONE = all have what they wish for.
static size_t first_wish(const struct few__exec *exec)
{
    for (size_t i = 0; i < exec->n_open; i++) {
        const struct few__slot *slot = &exec->slots[exec->arrivals[i]];
        size_t wish = slot->wish;
        if (wish != FEW__NONE && slot->states[wish] == FEW__PENDING && !exec->resident[wish]) return wish;
    }
    return FEW__NONE;
}

/* ---- loads and evictions ---- */

static void measure(struct few__exec *exec)
{
    struct few__memory *memory = &exec->memory;
    memory->most_working = 0;
    for (size_t m = 0; m < exec->chains.n; m++)
        if (memory->load[m] != FEW__ABSENT)
            memory->most_working = larger(memory->most_working, exec->working_bytes[m]);
}

static void evict(struct few__exec *exec, size_t model)
{
    struct few__memory *memory = &exec->memory;
    assert(memory->load[model] == FEW__LOADED && memory->n_runs[model] == 0);
    memory->load[model] = FEW__ABSENT;
    memory->leaving[model] = exec->resident[model] = false;
    memory->weights -= exec->costs[model].weights_bytes;
    measure(exec);
    few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_EVICT, .model = model});
    few__exec_act(exec, (struct few__action){.kind = FEW__ACTION_EVICT, .model = model});
}

// What was to go stays.
static void keep_all(struct few__exec *exec)
{
    for (size_t m = 0; m < exec->chains.n; m++) {
        if (!exec->memory.leaving[m]) continue;
        exec->memory.leaving[m] = false;
        exec->resident[m] = true;
    }
    exec->memory.leaving_bytes = 0;
}

static void begin_load(struct few__exec *exec, size_t model)
{
    struct few__memory *memory = &exec->memory;
    memory->load[model] = FEW__LOADING;
    memory->loading = model;
    memory->load_us = exec->now_us;
    memory->weights += exec->costs[model].weights_bytes;
    memory->running += exec->working_bytes[model];
    memory->most_working = larger(memory->most_working, exec->working_bytes[model]);
    if (memory->wanted == model) memory->wanted = FEW__NONE;
    if (memory->background == model) memory->background = FEW__NONE;
    few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_LOAD, .model = model});
    few__exec_act(exec, (struct few__action){.kind = FEW__ACTION_LOAD, .model = model});
}

void few__memory_loaded(struct few__exec *exec, size_t model, bool ok)
{
    struct few__memory *memory = &exec->memory;
    assert(memory->loads && memory->loading == model && model != FEW__NONE &&
           "a load ended that was not begun");
    memory->loading = FEW__NONE;
    memory->running -= exec->working_bytes[model];
    memory->load[model] = ok ? FEW__LOADED : FEW__ABSENT;
    exec->resident[model] = ok;
    few__exec_record(exec, (struct few__log_record){.kind = FEW__LOG_LOADED,
                                                    .model = model,
                                                    .result = ok ? FEW__RESULT_OK : FEW__RESULT_FAILED});
    for (size_t i = 0; i < exec->n_open; i++)
        if (exec->slots[exec->arrivals[i]].wish == model) exec->slots[exec->arrivals[i]].wish = FEW__NONE;
    if (ok) return;
    memory->weights -= exec->costs[model].weights_bytes;
    measure(exec);
    for (size_t i = 0; i < exec->n_open; i++) {
        size_t slot = exec->arrivals[i];
        if (exec->slots[slot].states[model] != FEW__PENDING) continue;
        few__slot_settle(exec, slot, model, FEW_FAILED, FEW__WHY_NOT_LOADED);
        few__slot_skip_users(exec, slot, model, FEW__WHY_NEED_FAILED);
    }
}

static void score(struct few__exec *exec)
{
    struct few__memory *memory = &exec->memory;
    for (size_t m = 0; m < exec->chains.n; m++) {
        double demand = memory->demand[m];
        for (size_t i = 0; i < exec->n_open; i++)
            demand += exec->slots[exec->arrivals[i]].states[m] == FEW__PENDING ? 1 : 0;
        const struct few_cost *cost = &exec->costs[m];
        memory->scores[m] =
            demand * (double)larger((uint64_t)cost->load_us, 1) / (double)larger(cost->weights_bytes, 1);
    }
}

// What goes first: what is not in use, then what is; among these the lowest score.
static size_t next_to_go(const struct few__exec *exec)
{
    const struct few__memory *memory = &exec->memory;
    size_t best = FEW__NONE;
    bool best_in_use = false;
    for (size_t m = 0; m < exec->chains.n; m++) {
        if (memory->load[m] != FEW__LOADED || memory->chosen[m]) continue;
        bool in_use = memory->n_runs[m] > 0;
        if (best != FEW__NONE &&
            (in_use > best_in_use || (in_use == best_in_use && memory->scores[m] >= memory->scores[best])))
            continue;
        best = m;
        best_in_use = in_use;
    }
    return best;
}

struct room {
    uint64_t weights;  // of what would go
    bool in_use;       // some of it is
    double best_score; // of it
};

static void choose(struct few__exec *exec, struct room *room, size_t model)
{
    struct few__memory *memory = &exec->memory;
    memory->chosen[model] = true;
    room->weights += exec->costs[model].weights_bytes;
    room->in_use |= memory->n_runs[model] > 0;
    if (memory->scores[model] > room->best_score) room->best_score = memory->scores[model];
}

static uint64_t most_working_of_rest(const struct few__exec *exec)
{
    uint64_t most = 0;
    for (size_t m = 0; m < exec->chains.n; m++)
        if (exec->memory.load[m] == FEW__LOADED && !exec->memory.chosen[m])
            most = larger(most, exec->working_bytes[m]);
    return most;
}

/* Chooses what would have to go so that the model can be loaded and everything that is loaded can run: what is to go
 * already, and more if need be. */
static struct room choose_room(struct few__exec *exec, size_t model)
{
    struct few__memory *memory = &exec->memory;
    struct room room = {.best_score = -1};
    memset(memory->chosen, 0, exec->chains.n * sizeof *memory->chosen);
    score(exec);
    for (size_t m = 0; m < exec->chains.n; m++)
        if (memory->leaving[m]) choose(exec, &room, m);
    uint64_t weights = memory->weights + exec->costs[model].weights_bytes;
    while (weights - room.weights + larger(most_working_of_rest(exec), exec->working_bytes[model]) >
           memory->budget) {
        size_t gone = next_to_go(exec);
        assert(gone != FEW__NONE && "a model that fits alone has no room");
        choose(exec, &room, gone);
    }
    return room;
}

static bool may_begin(const struct few__exec *exec, size_t model, const struct room *room)
{
    const struct few__memory *memory = &exec->memory;
    return !room->in_use &&
           memory->weights - room->weights + exec->costs[model].memory_bytes + memory->running <=
               memory->budget;
}

static void begin_in_room(struct few__exec *exec, size_t model)
{
    for (size_t m = 0; m < exec->chains.n; m++)
        if (exec->memory.chosen[m]) evict(exec, m);
    begin_load(exec, model);
}

static void load_wanted(struct few__exec *exec)
{
    struct few__memory *memory = &exec->memory;
    struct room room = choose_room(exec, memory->wanted);
    if (may_begin(exec, memory->wanted, &room)) {
        begin_in_room(exec, memory->wanted);
        memory->leaving_bytes = 0; // all of it has gone
        return;
    }
    memory->leaving_bytes = room.weights;
    for (size_t m = 0; m < exec->chains.n; m++) {
        if (!memory->chosen[m]) continue;
        memory->leaving[m] = true;
        exec->resident[m] = false;
    }
}

// Without evicting anything that is worth as much, or anything at all.
static bool load_quietly(struct few__exec *exec, size_t model, bool evicts)
{
    const struct few__memory *memory = &exec->memory;
    if (memory->load[model] != FEW__ABSENT || exec->too_large[model]) return false;
    struct room room = choose_room(exec, model);
    bool worth = room.best_score < 0 || (evicts && memory->scores[model] > HYSTERESIS * room.best_score);
    if (!worth || !may_begin(exec, model, &room)) return false;
    begin_in_room(exec, model);
    return true;
}

bool few__memory_load(struct few__exec *exec, bool may_ask_again)
{
    struct few__memory *memory = &exec->memory;
    if (memory->loading != FEW__NONE) return false;
    if (first_wish(exec) != memory->wanted) {
        // What was kept for it is free again, and somebody may have waited for just that.
        bool was_wanted = memory->wanted != FEW__NONE;
        memory->wanted = FEW__NONE;
        keep_all(exec);
        if (was_wanted && may_ask_again) return true;
        memory->wanted = first_wish(exec);
    }
    if (memory->wanted != FEW__NONE) {
        load_wanted(exec);
        return false;
    }
    while (memory->loading == FEW__NONE && memory->n_warmed < exec->chains.n)
        load_quietly(exec, memory->rank[memory->n_warmed++], false);
    if (memory->loading == FEW__NONE && memory->background != FEW__NONE)
        load_quietly(exec, memory->background, true);
    if (memory->loading == FEW__NONE) memory->background = FEW__NONE;
    return false;
}
