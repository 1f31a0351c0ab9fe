// SPDX-License-Identifier: Apache-2.0
/* AMS Algorithm 1, cost-Q greedy (TKDD 2022, section 4; ICDE 2020), with chains of needs.
 *
 * One pass over the models in an order where a need comes before its users: the chain of a model is the chain
 * of its need and itself, so sums are carried down. Every corner case that the paper leaves open:
 * docs/item.md. Invariant: chains[m] is written before any user of m is looked at. */
#include "item/sched_deadline.h"

#include <math.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/chain.h"
#include "item/order.h"

enum { NOBODY = -1 };

struct chain { // from the first pending need down to a model
    double q;
    int64_t time_us;
    int32_t first; // the model to start for it; NOBODY: it cannot start now
};

struct few__sched_deadline {
    struct few__arena arena; // holds the arrays
    struct few__chains needs;
    struct few__value value;
    enum few__negative negative;
    double *q;            // (n_models,)
    struct chain *chains; // (n_models,)
};

static struct chain chain_of(const struct few__sched_deadline *s, const struct few__view *view, size_t model)
{
    double q = s->q[model];
    if (isnan(q)) q = -INFINITY;
    struct chain chain = {.q = q, .time_us = view->costs[model].time_us, .first = (int32_t)model};
    int need = s->needs.needs[model];
    if (need < 0 || (view->states[need] == FEW__DONE && view->found[need])) return chain;
    if (view->states[need] != FEW__PENDING || s->chains[need].first == NOBODY) {
        chain.first = NOBODY;
        return chain;
    }
    chain.q += s->chains[need].q;
    if (isnan(chain.q)) chain.q = -INFINITY; // of +infinity and -infinity
    chain.time_us += s->chains[need].time_us;
    chain.first = s->chains[need].first;
    return chain;
}

static double rank(enum few__negative negative, const struct chain *chain)
{
    double time = (double)chain->time_us;
    return negative == FEW__NEGATIVE_PRODUCT && chain->q <= 0 ? chain->q * time : chain->q / time;
}

static void choose(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct few__sched_deadline *s = self;
    s->value.score(s->value.self, view, s->q);
    size_t best = SIZE_MAX;
    double best_rank = 0;
    for (size_t i = 0; i < s->needs.n; i++) {
        size_t model = s->needs.order[i];
        if (view->states[model] != FEW__PENDING) continue;
        struct chain *chain = &s->chains[model];
        *chain = chain_of(s, view, model);
        if (chain->first == NOBODY || !few__view_fits(view, chain->time_us)) continue;
        if (s->negative == FEW__NEGATIVE_STOP && chain->q <= 0) continue;
        double r = rank(s->negative, chain);
        if (best != SIZE_MAX && (r < best_rank || (r == best_rank && model > best))) continue;
        best = model;
        best_rank = r;
    }
    if (best == SIZE_MAX) {
        // What runs may still make a need found, or a value positive.
        choice->answer = view->n_running > 0 ? FEW__WAIT : FEW__STOP;
        return;
    }
    choice->answer = FEW__START;
    choice->n = 1;
    choice->models[0] = (size_t)s->chains[best].first;
}

static void begin(void *self, const struct few__view *view)
{
    struct few__sched_deadline *s = self;
    if (s->value.begin) s->value.begin(s->value.self, view);
}

enum few_status few__sched_deadline_create(const struct few_catalog *catalog, struct few__value value,
                                           enum few__negative negative, const struct few_env *env,
                                           struct few__sched_deadline **sched, struct few_error *err)
{
    *sched = NULL;
    struct few_env e = few__env(env);
    struct few__sched_deadline *s = FEW__NEW(e.mem, struct few__sched_deadline);
    if (!s) {
        if (value.destroy) value.destroy(value.self);
        return few__no_memory(err, "scheduler");
    }
    s->value = value;
    s->negative = negative;
    few__arena_init(&s->arena, e.mem, FEW__ITEM_MEMORY_MAX);
    enum few_status status = few__chains_build(catalog, &s->arena, &s->needs, err);
    if (status == FEW_OK) {
        s->q = FEW__ARENA_NEW(&s->arena, double, s->needs.n);
        s->chains = FEW__ARENA_NEW(&s->arena, struct chain, s->needs.n);
        if (!s->q || !s->chains) status = few__no_memory(err, "scheduler");
    }
    if (status == FEW_OK) *sched = s;
    else few__sched_deadline_destroy(s);
    return status;
}

void few__sched_deadline_destroy(struct few__sched_deadline *sched)
{
    if (!sched) return;
    const struct few_mem *mem = sched->arena.mem;
    if (sched->value.destroy) sched->value.destroy(sched->value.self);
    few__arena_finish(&sched->arena);
    few__free(mem, sched);
}

struct few__chooser few__sched_deadline_chooser(struct few__sched_deadline *sched)
{
    return (struct few__chooser){.self = sched, .name = sched->value.name, .begin = begin, .choose = choose};
}
