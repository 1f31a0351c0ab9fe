// SPDX-License-Identifier: Apache-2.0
/* Invariants: keys fall, or stay, from step to step of an item; taken[first[i] .. first[i + 1] - 1] are the steps of item i;
 * once finished, `points` holds the same steps by falling key, with what all up to there amount to. */
#include "train/curve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/rng.h"

enum { N_DRAWS = 1000, UNITS_MAX = 4096, STREAM_DRAWS = 2 };

static const double slack = 1e-9; // what sums in another order may differ by

struct taken {  // one step of one item
    double key; // the highest price at which it is taken; of a fixed order: minus its place, from 1
    double recall, time_us;
};

struct point {
    double key;
    double recall, time_us; // of this step; then of all up to it, recall as a mean
    size_t number;          // equal keys keep their order
};

struct few__curve {
    struct few_env env;
    struct few__arena arena;
    struct few__curve_opts opts;
    size_t n_items, n; // steps
    size_t *first;     // (n_items + 1,)
    size_t *unit_of;   // (n_items,)
    struct taken *taken;
    struct point *points; // (n,)
    double all_us;        // of running everything
    double free;          // sum of recall where nothing ran: items without anything of value
    bool *is_free;        // (n_items,)
};

/* ---- life ---- */

enum few_status few__curve_create(const struct few__curve_opts *opts, const struct few_env *env,
                                  struct few__curve **out, struct few_error *err)
{
    struct few_env e = few__env(env);
    struct few__curve *c = FEW__NEW(e.mem, struct few__curve);
    *out = NULL;
    if (!c) return few__no_memory(err, "curve");
    *c = (struct few__curve){.env = e, .opts = *opts};
    few__arena_init(&c->arena, e.mem, SIZE_MAX / 2);
    size_t n_models = opts->trace->catalog.n_models;
    c->first = FEW__ARENA_NEW(&c->arena, size_t, opts->n_items + 1);
    c->unit_of = FEW__ARENA_NEW(&c->arena, size_t, opts->n_items);
    c->is_free = FEW__ARENA_NEW(&c->arena, bool, opts->n_items);
    c->taken = few__arena_alloc(&c->arena, opts->n_items, n_models * sizeof *c->taken);
    if (!c->first || !c->unit_of || !c->is_free || !c->taken) {
        few__curve_destroy(c);
        return few__no_memory(err, "curve");
    }
    *out = c;
    return FEW_OK;
}

void few__curve_destroy(struct few__curve *c)
{
    if (!c) return;
    const struct few_mem *mem = c->env.mem;
    few__arena_finish(&c->arena);
    few__free(mem, c);
}

/* ---- a method on the trace that it was learned from ---- */

struct player {
    void *self;
    struct few__replay *replay;
    struct few__arena arena;
    struct few__method_map map;
};

static void close_player(const struct few__curve *c, struct player *p)
{
    few__replay_destroy(p->replay);
    if (p->self) c->opts.method->close(p->self);
    few__arena_finish(&p->arena);
}

// Models and labels have the numbers that they have in the trace.
static enum few_status make_map(const struct few__curve *c, struct player *p, struct few_error *err)
{
    const struct few_catalog *catalog = &c->opts.trace->catalog;
    uint32_t *model_of = FEW__ARENA_NEW(&p->arena, uint32_t, catalog->n_models);
    uint32_t *label_of = FEW__ARENA_NEW(&p->arena, uint32_t, catalog->n_labels);
    if (!model_of || !label_of) return few__no_memory(err, "curve");
    for (size_t i = 0; i < catalog->n_models; i++) model_of[i] = (uint32_t)i;
    for (size_t i = 0; i < catalog->n_labels; i++) label_of[i] = (uint32_t)i;
    p->map = (struct few__method_map){.catalog = catalog, .model_of = model_of, .label_of = label_of};
    return FEW_OK;
}

// Closed by close_player, also when this fails. p must stay where it is.
static enum few_status open_player(const struct few__curve *c, const struct few__tensors *tensors,
                                   struct player *p, struct few_error *err)
{
    const struct few__method *method = c->opts.method;
    const struct few__replay_opts opts = {
        .trace = c->opts.trace, .costs = c->opts.costs, .outputs = method->has_outputs};
    struct few__value value;
    *p = (struct player){0};
    few__arena_init(&p->arena, c->env.mem, SIZE_MAX / 2);
    FEW__TRY(make_map(c, p, err));
    FEW__TRY(method->open(tensors, &c->opts.trace->catalog, &c->env, &p->self, err));
    FEW__TRY(method->value(p->self, &p->map, c->opts.costs, false, &c->env, &value, err));
    return few__replay_create(&opts, value, method->rank, &c->env, &p->replay, err);
}

static enum few_status play(const struct few__curve *c, struct player *p, size_t item,
                            struct few__replay_item *said, struct few_error *err)
{
    if (!c->opts.method->blind) return few__replay_run(p->replay, item, said, err);
    few__replay_wish(p->replay, item, said);
    return FEW_OK;
}

static double worth_of(const struct few__replay_step *step)
{
    double worth = step->worth.value / (double)step->worth.time_us;
    return isnan(worth) ? -INFINITY : worth;
}

/* ---- adding ---- */

static void note(struct few__curve *c, const struct few__replay_item *said, size_t unit)
{
    double lowest = INFINITY;
    c->all_us += said->time_us;
    c->is_free[c->n_items] = !(said->value > 0);
    c->free += c->is_free[c->n_items];
    c->unit_of[c->n_items] = unit;
    for (size_t k = 0; k < said->n_steps; k++) {
        const struct few__replay_step *step = &said->steps[k];
        lowest = fmin(lowest, worth_of(step));
        c->taken[c->n++] = (struct taken){.key = c->opts.method->blind ? -(double)(k + 1) : lowest,
                                          .recall = said->value > 0 ? step->gain / said->value : 0,
                                          .time_us = step->time_us};
    }
    c->first[++c->n_items] = c->n;
}

enum few_status few__curve_add(struct few__curve *c, const struct few__tensors *tensors, const size_t *items,
                               const size_t *units, size_t n_items, struct few_error *err)
{
    struct player player;
    enum few_status status = open_player(c, tensors, &player, err);
    for (size_t i = 0; status == FEW_OK && i < n_items; i++) {
        struct few__replay_item said;
        status = play(c, &player, items[i], &said, err);
        if (status == FEW_OK) note(c, &said, units[i]);
    }
    close_player(c, &player);
    return status;
}

static int by_falling_key(const void *a, const void *b)
{
    const struct point *x = a, *y = b;
    if (x->key != y->key) return x->key > y->key ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

enum few_status few__curve_finish(struct few__curve *c, struct few_error *err)
{
    c->points = FEW__ARENA_NEW(&c->arena, struct point, c->n);
    if (!c->points) return few__no_memory(err, "curve");
    for (size_t k = 0; k < c->n; k++)
        c->points[k] = (struct point){c->taken[k].key, c->taken[k].recall, c->taken[k].time_us, k};
    if (c->n > 0) qsort(c->points, c->n, sizeof *c->points, by_falling_key);
    double recall = c->free, time_us = 0;
    for (size_t k = 0; k < c->n; k++) {
        recall += c->points[k].recall;
        time_us += c->points[k].time_us;
        c->points[k].recall = recall / (double)c->n_items;
        c->points[k].time_us = time_us;
    }
    return FEW_OK;
}

/* ---- reading ---- */

// How many steps are taken where the mean recall is at least that much: with all that have the price of the last.
static size_t steps_for(const struct few__curve *c, double recall)
{
    size_t k = 0;
    if (c->free / (double)c->n_items >= recall - slack) return 0;
    while (k < c->n && c->points[k].recall < recall - slack) k++;
    if (k == c->n) return c->n;
    while (k + 1 < c->n && c->points[k + 1].key == c->points[k].key) k++;
    return k + 1;
}

static double recall_after(const struct few__curve *c, size_t n_steps)
{
    return n_steps > 0 ? fmin(1, c->points[n_steps - 1].recall) : c->free / (double)c->n_items;
}

static double share_after(const struct few__curve *c, size_t n_steps)
{
    return n_steps > 0 && c->all_us > 0 ? c->points[n_steps - 1].time_us / c->all_us : 0;
}

double few__curve_time(const struct few__curve *c, double recall)
{
    size_t b = steps_for(c, recall), a = b;
    if (b == 0) return 0;
    while (a > 0 && c->points[a - 1].key == c->points[b - 1].key) a--;
    double low = recall_after(c, a), high = recall_after(c, b);
    double share = high > low ? fmin(1, fmax(0, (recall - low) / (high - low))) : 1;
    return share_after(c, a) + share * (share_after(c, b) - share_after(c, a));
}

/* ---- prices ---- */

static double above(double key)
{
    return key > 0 ? 2 * key : 1;
}

// A price at which what is worth `last` is taken, and what is worth `next`, less, is not.
static double between(double last, double next)
{
    double middle = last / 2 + next / 2;
    return middle <= last && middle > next ? middle : last;
}

static double price_after(const struct few__curve *c, size_t n_steps)
{
    if (n_steps == 0) return c->n > 0 ? above(c->points[0].key) : 1;
    double last = c->points[n_steps - 1].key;
    if (n_steps == c->n) return last > 0 ? last / 2 : -INFINITY;
    return between(last, c->points[n_steps].key);
}

// Of the order that was learned from all items, after so many places.
static double price_of_place(const struct few__replay_item *order, size_t n_places)
{
    double last = INFINITY, next = INFINITY;
    if (n_places >= order->n_steps) return -INFINITY;
    for (size_t k = 0; k <= n_places; k++) {
        last = next;
        next = fmin(next, worth_of(&order->steps[k]));
    }
    return n_places == 0 ? above(next) : between(last, next);
}

/* ---- intervals ---- */

struct draws {
    size_t n_units, n_stops;
    double *recall;        // (n_units, n_stops) sums
    double *n_items;       // (n_units,)
    double *means;         // (n_stops, N_DRAWS)
    double *sum;           // (n_stops,)
    const size_t *n_steps; // (n_stops,) of the points
};

// What an item has at each stop: its steps and the stops fall together.
static void add_item(const struct few__curve *c, struct draws *d, size_t item)
{
    double recall = c->is_free[item], *sums = &d->recall[c->unit_of[item] % d->n_units * d->n_stops];
    size_t at = c->first[item];
    d->n_items[c->unit_of[item] % d->n_units]++;
    for (size_t s = 0; s < d->n_stops; s++) {
        double key = d->n_steps[s] > 0 ? c->points[d->n_steps[s] - 1].key : INFINITY;
        for (; at < c->first[item + 1] && d->n_steps[s] > 0 && c->taken[at].key >= key; at++)
            recall += c->taken[at].recall;
        sums[s] += fmin(1, recall);
    }
}

static void draw(struct draws *d, struct few__rng *rng, size_t number)
{
    double n_items = 0;
    memset(d->sum, 0, d->n_stops * sizeof *d->sum);
    for (size_t i = 0; i < d->n_units; i++) {
        size_t unit = (size_t)few__rng_below(rng, d->n_units);
        n_items += d->n_items[unit];
        for (size_t s = 0; s < d->n_stops; s++) d->sum[s] += d->recall[unit * d->n_stops + s];
    }
    for (size_t s = 0; s < d->n_stops; s++)
        d->means[s * N_DRAWS + number] = n_items > 0 ? d->sum[s] / n_items : 0;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// The 25th smallest and the 25th largest of a thousand draws.
static enum few_status set_intervals(const struct few__curve *c, const size_t *n_steps, uint64_t seed,
                                     struct few__arena *arena, struct few__learned_stop *stops,
                                     size_t n_stops, struct few_error *err)
{
    enum { TAIL = N_DRAWS / 40 };
    struct draws d = {.n_units = c->opts.n_units < UNITS_MAX ? c->opts.n_units : UNITS_MAX,
                      .n_stops = n_stops,
                      .n_steps = n_steps};
    struct few__rng rng;
    d.recall = FEW__ARENA_NEW(arena, double, d.n_units *n_stops);
    d.n_items = FEW__ARENA_NEW(arena, double, d.n_units);
    d.means = FEW__ARENA_NEW(arena, double, n_stops *N_DRAWS);
    d.sum = FEW__ARENA_NEW(arena, double, n_stops);
    if (!d.recall || !d.n_items || !d.means || !d.sum) return few__no_memory(err, "curve");
    for (size_t i = 0; i < c->n_items; i++) add_item(c, &d, i);
    few__rng_init(&rng, seed, STREAM_DRAWS);
    for (size_t i = 0; i < N_DRAWS; i++) draw(&d, &rng, i);
    for (size_t s = 0; s < n_stops; s++) {
        double *means = &d.means[s * N_DRAWS];
        qsort(means, N_DRAWS, sizeof *means, by_size);
        stops[s].low = fmin(stops[s].got, means[TAIL - 1]);
        stops[s].high = fmax(stops[s].got, means[N_DRAWS - TAIL]);
    }
    return FEW_OK;
}

/* ---- stops ---- */

static enum few_status set_stops(const struct few__curve *c, const struct few__tensors *whole, uint64_t seed,
                                 struct few__arena *arena, struct few__learned_stop *stops, size_t n_stops,
                                 struct few_error *err)
{
    struct player player = {0};
    struct few__replay_item order = {0};
    size_t *n_steps = FEW__ARENA_NEW(arena, size_t, n_stops);
    if (!n_steps) return few__no_memory(err, "curve");
    enum few_status status = FEW_OK;
    bool blind = c->opts.method->blind;
    if (blind) {
        status = open_player(c, whole, &player, err);
        if (status == FEW_OK) few__replay_wish(player.replay, 0, &order);
    }
    for (size_t s = 0; status == FEW_OK && s < n_stops; s++) {
        n_steps[s] = stops[s].recall < 1 ? steps_for(c, stops[s].recall) : c->n;
        size_t place = blind && n_steps[s] > 0 ? (size_t)-c->points[n_steps[s] - 1].key : 0;
        stops[s].price = stops[s].recall >= 1 ? -INFINITY
                         : blind              ? price_of_place(&order, place)
                                              : price_after(c, n_steps[s]);
        stops[s].got = recall_after(c, n_steps[s]);
        stops[s].time_ratio = share_after(c, n_steps[s]);
    }
    if (blind) close_player(c, &player);
    return status == FEW_OK ? set_intervals(c, n_steps, seed, arena, stops, n_stops, err) : status;
}

enum few_status few__curve_stops(const struct few__curve *c, const struct few__tensors *whole, uint64_t seed,
                                 struct few__learned_stop *stops, size_t n_stops, struct few_error *err)
{
    struct few__arena arena;
    few__arena_init(&arena, c->env.mem, SIZE_MAX / 2);
    enum few_status status = set_stops(c, whole, seed, &arena, stops, n_stops, err);
    few__arena_finish(&arena);
    return status;
}
