// SPDX-License-Identifier: Apache-2.0
/* Density greedy and upper bounds on one item. A model's cost is its time, or time x memory where memory is shared;
 * the budget is the time, or time x memory, then.
 *
 * Bound: for any set S and any schedule T, f(T) <= f(S) + sum over T of what each adds to S (f is monotone and
 * submodular) <= f(S) + the fractional knapsack of those gains. The smallest over the prefixes S of the density order is
 * taken. Needs are left out of it, which only makes it larger; what cannot run at all, with its needs, is left out too.
 *
 * Schedule: a profile of the memory in use, a step function over time; a model starts as early as it has room for as
 * long as it runs. Without a limit of memory every model takes all of it. Invariant: profile[n_steps - 1].bytes is 0. */
#include "item/bound.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/chain.h"
#include "item/order.h"

#define BOUND_MEMORY_MAX ((size_t)64 << 20) // some 300 bytes a model, 8 a label

struct step { // until the next one
    int64_t at_us;
    uint64_t bytes; // in use
};

struct piece {
    double gain, cost;
};

struct few__bounder {
    struct few__arena arena; // holds everything below
    struct few__chains needs;
    float *seen;           // (n_labels,) highest confidence in the set at hand
    int32_t *touched;      // (n_labels,) labels with seen > 0
    size_t n_touched;      // of them
    float *before;         // (n_labels,) what a tried chain has overwritten
    int32_t *before_label; // (n_labels,)
    bool *in, *possible;   // (n_models,)
    size_t *failed;        // (n_models,) length of the chain that did not fit; 0 = none
    int64_t *end_us;       // (n_models,) in the schedule
    size_t *chain;         // (n_models,) scratch
    struct piece *pieces;  // (n_models,)
    size_t n_steps;
    struct step *profile, *saved; // (2 * n_models + 1,)

    // The item at hand.
    const struct few__sim_truth *truth;
    const struct few_cost *costs;
    int64_t budget_us;
    uint64_t memory_bytes; // FEW__NO_BUDGET: one model at a time
};

/* ---- values ---- */

static void forget(struct few__bounder *b)
{
    for (size_t i = 0; i < b->n_touched; i++) b->seen[b->touched[i]] = 0;
    b->n_touched = 0;
}

static double gain_of(const struct few__bounder *b, size_t model)
{
    const struct few__sim_truth *truth = &b->truth[model];
    double gain = 0;
    for (size_t i = 0; truth->result == FEW__RESULT_OK && i < truth->n_valuable; i++) {
        double more = (double)truth->valuable[i].confidence - (double)b->seen[truth->valuable[i].label];
        if (more > 0) gain += more;
    }
    return gain;
}

static double add(struct few__bounder *b, size_t model)
{
    const struct few__sim_truth *truth = &b->truth[model];
    double gain = 0;
    for (size_t i = 0; truth->result == FEW__RESULT_OK && i < truth->n_valuable; i++) {
        float *seen = &b->seen[truth->valuable[i].label], confidence = truth->valuable[i].confidence;
        if (!(confidence > *seen)) continue;
        if (*seen == 0) b->touched[b->n_touched++] = truth->valuable[i].label;
        gain += (double)confidence - (double)*seen;
        *seen = confidence;
    }
    return gain;
}

static uint64_t bytes_of(const struct few__bounder *b, size_t model)
{
    return b->memory_bytes == FEW__NO_BUDGET ? 1 : b->costs[model].memory_bytes;
}

static uint64_t all_bytes(const struct few__bounder *b)
{
    return b->memory_bytes == FEW__NO_BUDGET ? 1 : b->memory_bytes;
}

static int64_t time_of(const struct few__bounder *b, size_t model)
{
    return b->truth[model].time_us > 0 ? b->truth[model].time_us : 1;
}

static double cost_of(const struct few__bounder *b, size_t model)
{
    return (double)time_of(b, model) * (double)bytes_of(b, model);
}

static double density(double gain, double cost)
{
    return gain > 0 ? gain / cost : 0; // infinite where it takes nothing
}

/* ---- bounds ---- */

// A model that cannot run in the budget with its needs, or has nothing to look at, adds to no schedule.
static void find_possible(struct few__bounder *b)
{
    for (size_t i = 0; i < b->needs.n; i++) {
        size_t m = b->needs.order[i];
        int need = b->needs.needs[m];
        int64_t before_us = need < 0 ? 0 : b->end_us[need];
        b->end_us[m] = before_us + time_of(b, m); // of the chain alone
        b->possible[m] = b->end_us[m] <= b->budget_us && bytes_of(b, m) <= all_bytes(b) &&
                         (need < 0 || (b->possible[need] && b->truth[need].result == FEW__RESULT_OK));
    }
}

static int by_density(const void *x, const void *y)
{
    const struct piece *a = x, *b = y;
    double da = density(a->gain, a->cost), db = density(b->gain, b->cost);
    return (da < db) - (da > db);
}

static double knapsack(struct piece *pieces, size_t n, double budget)
{
    double value = 0;
    qsort(pieces, n, sizeof *pieces, by_density);
    for (size_t i = 0; i < n && budget >= 0; i++) {
        bool whole = pieces[i].cost <= budget;
        value += whole ? pieces[i].gain : pieces[i].gain * (budget / pieces[i].cost);
        budget = whole ? budget - pieces[i].cost : -1;
    }
    return value;
}

// What the models outside the set add to it at most.
static double rest(struct few__bounder *b, double budget)
{
    size_t n = 0;
    for (size_t m = 0; m < b->needs.n; m++) {
        double gain = b->possible[m] && !b->in[m] ? gain_of(b, m) : 0;
        if (gain > 0) b->pieces[n++] = (struct piece){gain, cost_of(b, m)};
    }
    return knapsack(b->pieces, n, budget);
}

// The model outside the set that adds most for its cost, or SIZE_MAX. all: also those that cannot run.
static size_t densest(const struct few__bounder *b, bool all)
{
    size_t best = SIZE_MAX;
    double best_density = 0;
    for (size_t m = 0; m < b->needs.n; m++) {
        if (b->in[m] || (!all && !b->possible[m])) continue;
        double d = density(gain_of(b, m), cost_of(b, m));
        if (!(d > best_density)) continue;
        best = m;
        best_density = d;
    }
    return best;
}

static void begin_set(struct few__bounder *b)
{
    forget(b);
    memset(b->in, 0, b->needs.n * sizeof *b->in);
}

static double upper_bound(struct few__bounder *b, double budget)
{
    double value = 0, least = INFINITY;
    begin_set(b);
    for (;;) {
        double bound = value + rest(b, budget);
        if (bound < least) least = bound;
        size_t next = value < least ? densest(b, false) : SIZE_MAX;
        if (next == SIZE_MAX) return least;
        b->in[next] = true;
        value += add(b, next);
    }
}

static double relaxed_optimum(struct few__bounder *b, double budget)
{
    double value = 0;
    begin_set(b);
    for (size_t m; (m = densest(b, true)) != SIZE_MAX;) {
        double cost = cost_of(b, m);
        if (cost > budget) return value + gain_of(b, m) * (budget / cost);
        budget -= cost;
        b->in[m] = true;
        value += add(b, m);
    }
    return value;
}

/* ---- the schedule ---- */

// Where the profile has room for the model from not_before_us on; the start of it.
static int64_t find_room(const struct few__bounder *b, size_t model, int64_t not_before_us)
{
    uint64_t bytes = bytes_of(b, model), all = all_bytes(b);
    int64_t start = not_before_us;
    for (size_t i = 0; i < b->n_steps; i++) {
        bool last = i + 1 == b->n_steps;
        if (!last && b->profile[i + 1].at_us <= start) continue; // over before
        if (b->profile[i].at_us >= start + time_of(b, model)) break;
        if (bytes > all - b->profile[i].bytes) start = b->profile[i + 1].at_us; // the last has room: possible
    }
    return start;
}

// The number of the step that begins at at_us, made if there is none.
static size_t cut(struct few__bounder *b, int64_t at_us)
{
    size_t i = b->n_steps;
    while (b->profile[i - 1].at_us > at_us) i--;
    if (b->profile[i - 1].at_us == at_us) return i - 1;
    memmove(&b->profile[i + 1], &b->profile[i], (b->n_steps - i) * sizeof *b->profile);
    b->profile[i] = (struct step){at_us, b->profile[i - 1].bytes};
    b->n_steps++;
    return i;
}

// Puts the chain into the schedule; false: it would not end in the budget, and nothing has changed.
static bool place(struct few__bounder *b, size_t length)
{
    size_t n_saved = b->n_steps;
    memcpy(b->saved, b->profile, n_saved * sizeof *b->saved);
    for (size_t c = 0; c < length; c++) {
        size_t m = b->chain[c];
        int need = b->needs.needs[m];
        int64_t start = find_room(b, m, need < 0 ? 0 : b->end_us[need]);
        b->end_us[m] = start + time_of(b, m);
        if (b->end_us[m] > b->budget_us) {
            memcpy(b->profile, b->saved, n_saved * sizeof *b->profile);
            b->n_steps = n_saved;
            return false;
        }
        size_t from = cut(b, start), to = cut(b, b->end_us[m]);
        for (size_t i = from; i < to; i++) b->profile[i].bytes += bytes_of(b, m);
    }
    return true;
}

// What the chain adds to the set, a label that two of it share counted once.
static struct piece try_chain(struct few__bounder *b, size_t length)
{
    struct piece piece = {0};
    if (length == 1) return (struct piece){gain_of(b, b->chain[0]), cost_of(b, b->chain[0])};
    size_t n_touched = b->n_touched, n_before = 0;
    // Labels are noted before they change; one that two models change is put back twice, its first value last.
    for (size_t c = 0; c < length; c++) {
        const struct few__sim_truth *truth = &b->truth[b->chain[c]];
        for (size_t i = 0; truth->result == FEW__RESULT_OK && i < truth->n_valuable; i++) {
            int32_t label = truth->valuable[i].label;
            size_t k = 0;
            while (k < n_before && b->before_label[k] != label) k++;
            if (k < n_before) continue;
            b->before_label[n_before] = label;
            b->before[n_before++] = b->seen[label];
        }
        piece.gain += add(b, b->chain[c]);
        piece.cost += cost_of(b, b->chain[c]);
    }
    for (size_t k = 0; k < n_before; k++) b->seen[b->before_label[k]] = b->before[k];
    b->n_touched = n_touched;
    return piece;
}

static size_t best_chain(struct few__bounder *b)
{
    size_t best = SIZE_MAX;
    double best_density = 0;
    for (size_t m = 0; m < b->needs.n; m++) {
        if (b->in[m] || !b->possible[m]) continue;
        size_t length = few__chains_missing(&b->needs, b->in, m, b->chain);
        if (b->failed[m] && b->failed[m] <= length) continue; // a schedule only gets fuller
        struct piece piece = try_chain(b, length);
        double d = density(piece.gain, piece.cost);
        if (!(d > best_density)) continue;
        best = m;
        best_density = d;
    }
    return best;
}

static void begin_schedule(struct few__bounder *b)
{
    begin_set(b);
    memset(b->failed, 0, b->needs.n * sizeof *b->failed);
    b->n_steps = 1;
    b->profile[0] = (struct step){0};
}

static double take_chain(struct few__bounder *b, size_t length)
{
    double value = 0;
    for (size_t c = 0; c < length; c++) {
        b->in[b->chain[c]] = true;
        value += add(b, b->chain[c]);
    }
    return value;
}

static double greedy(struct few__bounder *b)
{
    double value = 0;
    begin_schedule(b);
    for (size_t m; (m = best_chain(b)) != SIZE_MAX;) {
        size_t length = few__chains_missing(&b->needs, b->in, m, b->chain);
        if (place(b, length)) value += take_chain(b, length);
        else b->failed[m] = length;
    }
    return value;
}

// The model whose chain alone is worth most, if that is more than `value`; else SIZE_MAX.
static size_t best_single(struct few__bounder *b, double value)
{
    size_t best = SIZE_MAX;
    forget(b);
    for (size_t m = 0; m < b->needs.n; m++) {
        if (!b->possible[m]) continue;
        size_t length = 0;
        for (int up = (int)m; up >= 0; up = b->needs.needs[up]) b->chain[length++] = (size_t)up;
        double alone = try_chain(b, length).gain;
        if (!(alone > value)) continue;
        best = m;
        value = alone;
    }
    return best;
}

/* ---- all ---- */

struct few__bound few__bound_item(struct few__bounder *b, const struct few__sim_truth *truth,
                                  const struct few_cost *costs, int64_t budget_us, uint64_t memory_bytes)
{
    b->truth = truth;
    b->costs = costs;
    b->budget_us = budget_us;
    b->memory_bytes = memory_bytes;
    double budget = (double)(budget_us > 0 ? budget_us : 0) * (double)all_bytes(b);
    struct few__bound result = {.in = b->in};
    find_possible(b);
    result.bound = upper_bound(b, budget);
    result.relaxed = relaxed_optimum(b, budget);
    result.value = greedy(b);
    result.wall_us = b->profile[b->n_steps - 1].at_us;
    size_t single = best_single(b, result.value);
    if (single != SIZE_MAX) {
        begin_schedule(b);
        size_t length = few__chains_missing(&b->needs, b->in, single, b->chain);
        place(b, length);
        result.value = take_chain(b, length);
        result.wall_us = b->end_us[single];
        result.repaired = true;
    }
    // A value is a sum in another order than its bound: where they are equal, equal they shall be.
    result.bound = fmax(result.bound, result.value);
    return result;
}

enum few_status few__bounder_create(const struct few_catalog *catalog, const struct few_env *env,
                                    struct few__bounder **bounder, struct few_error *err)
{
    *bounder = NULL;
    struct few_env e = few__env(env);
    struct few__bounder *b = FEW__NEW(e.mem, struct few__bounder);
    if (!b) return few__no_memory(err, "bound");
    struct few__arena *arena = &b->arena;
    few__arena_init(arena, e.mem, BOUND_MEMORY_MAX);
    enum few_status status = few__chains_build(catalog, arena, &b->needs, err);
    size_t n = b->needs.n, n_labels = catalog->n_labels;
    if (status == FEW_OK) {
        b->seen = FEW__ARENA_NEW(arena, float, n_labels);
        b->touched = FEW__ARENA_NEW(arena, int32_t, n_labels);
        b->before = FEW__ARENA_NEW(arena, float, n_labels);
        b->before_label = FEW__ARENA_NEW(arena, int32_t, n_labels);
        b->in = FEW__ARENA_NEW(arena, bool, n);
        b->possible = FEW__ARENA_NEW(arena, bool, n);
        b->failed = FEW__ARENA_NEW(arena, size_t, n);
        b->end_us = FEW__ARENA_NEW(arena, int64_t, n);
        b->chain = FEW__ARENA_NEW(arena, size_t, n);
        b->pieces = FEW__ARENA_NEW(arena, struct piece, n);
        b->profile = FEW__ARENA_NEW(arena, struct step, 2 * n + 1);
        b->saved = FEW__ARENA_NEW(arena, struct step, 2 * n + 1);
        if (!b->seen || !b->touched || !b->before || !b->before_label || !b->in || !b->possible ||
            !b->failed || !b->end_us || !b->chain || !b->pieces || !b->profile || !b->saved)
            status = few__no_memory(err, "bound");
    }
    if (status == FEW_OK) *bounder = b;
    else few__bounder_destroy(b);
    return status;
}

void few__bounder_destroy(struct few__bounder *bounder)
{
    if (!bounder) return;
    const struct few_mem *mem = bounder->arena.mem;
    few__arena_finish(&bounder->arena);
    few__free(mem, bounder);
}
