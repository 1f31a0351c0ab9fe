// SPDX-License-Identifier: Apache-2.0
/* AMS Algorithm 1, cost-Q greedy (TKDD 2022, section 4; ICDE 2020), with chains of needs, and Q-greedy beside it.
 *
 * One pass over the models in an order where a need comes before its users: the chain of a model is the chain
 * of its need and itself, so sums are carried down. Every corner case that the paper leaves open:
 * docs/item.md. Invariant: charges[m] is written before any user of m is looked at. */
#include "item/sched_deadline.h"

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/charge.h"
#include "item/order.h"

struct deadline {
    struct few__arena arena; // holds the arrays
    struct few__chains needs;
    struct few__value value;
    enum few__rank rank;
    double price;                // value per microsecond, or -INFINITY
    bool in_turn;                // one model of the item at a time
    bool tells;                  // what things are worth
    struct few__worth started;   // by the last choose that started something
    double *q;                   // (n_models,)
    struct few__charge *charges; // (n_models,)
};

static double rank_of(enum few__rank rank, const struct few__charge *charge)
{
    double time = (double)charge->time_us;
    if (rank == FEW__RANK_VALUE) return charge->q;
    return rank == FEW__RANK_PRODUCT && charge->q <= 0 ? charge->q * time : charge->q / time;
}

static double worth_of(const struct few__charge *charge)
{
    return charge->q / (double)charge->alone_us;
}

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct deadline *d = self;
    d->value.score(d->value.self, view, d->q);
    struct few__best best = {.model = SIZE_MAX}, wish = best, hoped = best, absent = best;
    for (size_t i = 0; i < d->needs.n; i++) {
        size_t model = d->needs.order[i];
        if (view->states[model] != FEW__PENDING) continue;
        struct few__charge *charge = &d->charges[model];
        *charge = few__charge_of(&d->needs, view, d->q, d->charges, model);
        if (d->in_turn) charge->time_us = charge->alone_us;
        if (charge->first == FEW__NOBODY || charge->bytes > view->memory_bytes) continue;
        if (!few__view_fits(view, charge->time_us)) continue;
        if (d->rank == FEW__RANK_STOP && charge->q <= 0) continue;
        if (charge->q < d->price * (double)charge->alone_us) continue;
        double rank = rank_of(d->rank, charge);
        size_t first = (size_t)charge->first;
        few__best_note(&wish, model, rank);
        if (charge->load_us > 0 && !few__view_fits(view, charge->time_us + charge->load_us)) continue;
        bool now = view->resident[first] && few__view_has_memory(view, first);
        few__best_note(now ? &best : &hoped, model, rank);
        if (!now && charge->absent != FEW__NOBODY) few__best_note(&absent, model, rank);
    }
    choice->wish = wish.model == SIZE_MAX ? SIZE_MAX : few__charge_wish(&d->charges[wish.model]);
    if (d->in_turn && view->n_running > 0) {
        choice->answer = FEW__WAIT;
        return;
    }
    if (best.model == SIZE_MAX) {
        few__answer_nothing(view, d->charges, &hoped, &absent, choice);
        return;
    }
    d->started = (struct few__worth){d->charges[best.model].q, d->charges[best.model].time_us};
    choice->answer = FEW__START;
    choice->n = 1;
    choice->models[0] = (size_t)d->charges[best.model].first;
    if (d->tells && choice->worths) choice->worths[0] = worth_of(&d->charges[best.model]);
}

static void explain(void *self, const struct few__view *view, double *worths)
{
    const struct deadline *d = self;
    for (size_t m = 0; m < d->needs.n; m++)
        if (view->states[m] == FEW__PENDING) worths[m] = worth_of(&d->charges[m]);
}

static void begin(void *self, const struct few__view *view)
{
    struct deadline *d = self;
    if (d->value.begin) d->value.begin(d->value.self, view);
}

static void destroy(void *self)
{
    struct deadline *d = self;
    const struct few_mem *mem = d->arena.mem;
    if (d->value.destroy) d->value.destroy(d->value.self);
    few__arena_finish(&d->arena);
    few__free(mem, d);
}

void few__sched_deadline_price(struct few__sched *sched, double price)
{
    struct deadline *d = sched->chooser.self;
    d->price = price;
    d->tells = true;
    sched->chooser.explain = explain;
    sched->chooser.price = price;
}

void few__sched_deadline_in_turn(struct few__sched *sched)
{
    struct deadline *d = sched->chooser.self;
    d->in_turn = true;
}

struct few__worth few__sched_deadline_worth(const struct few__sched *sched)
{
    const struct deadline *d = sched->chooser.self;
    return d->started;
}

enum few_status few__sched_deadline_create(const struct few_catalog *catalog, struct few__value value,
                                           enum few__rank rank, const struct few_env *env,
                                           struct few__sched *sched, struct few_error *err)
{
    *sched = (struct few__sched){0};
    struct few_env e = few__env(env);
    struct deadline *d = FEW__NEW(e.mem, struct deadline);
    if (!d) {
        if (value.destroy) value.destroy(value.self);
        return few__no_memory(err, "scheduler");
    }
    d->value = value;
    d->rank = rank;
    d->price = -INFINITY;
    few__arena_init(&d->arena, e.mem, FEW__ITEM_MEMORY_MAX);
    enum few_status status = few__chains_build(catalog, &d->arena, &d->needs, err);
    if (status == FEW_OK) {
        d->q = FEW__ARENA_NEW(&d->arena, double, d->needs.n);
        d->charges = FEW__ARENA_NEW(&d->arena, struct few__charge, d->needs.n);
        if (!d->q || !d->charges) status = few__no_memory(err, "scheduler");
    }
    if (status != FEW_OK) {
        destroy(d);
        return status;
    }
    *sched = (struct few__sched){.chooser = {.self = d, .name = value.name, .begin = begin, .choose = choose},
                                 .destroy = destroy};
    return FEW_OK;
}
