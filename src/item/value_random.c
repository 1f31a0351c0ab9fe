// SPDX-License-Identifier: Apache-2.0
/* random: a uniformly random order for each item, drawn from (seed, item) alone, so that neither the items
 * before it nor the number of decisions matter. AMS, "random" (TKDD 2022, section 5). A model drawn before
 * its need brings the need forward: needs run a little earlier than uniform, the rest keeps its draw. */
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/rng.h"
#include "item/order.h"
#include "item/value.h"

struct random_order {
    struct few__arena arena; // holds the arrays
    struct few__chains chains;
    uint64_t seed;
    size_t *drawn, *order; // (n,)
    bool *placed;          // (n,)
};

static void begin(void *self, const struct few__view *view)
{
    struct random_order *r = self;
    struct few__rng rng;
    few__rng_init(&rng, r->seed, view->item);
    for (size_t i = 0; i < r->chains.n; i++) r->drawn[i] = i;
    few__rng_shuffle(&rng, r->drawn, r->chains.n);
    few__order_complete(&r->chains, r->drawn, r->placed, r->order);
}

static void score(void *self, const struct few__view *view, double *q)
{
    const struct random_order *r = self;
    for (size_t p = 0; p < r->chains.n; p++) {
        size_t m = r->order[p];
        q[m] = few__order_value(view->costs[m].time_us, p, r->chains.n);
    }
}

static void destroy(void *self)
{
    struct random_order *r = self;
    const struct few_mem *mem = r->arena.mem;
    few__arena_finish(&r->arena);
    few__free(mem, r);
}

static enum few_status build(struct random_order *r, const struct few_catalog *catalog, struct few_error *err)
{
    FEW__TRY(few__chains_build(catalog, &r->arena, &r->chains, err));
    r->drawn = FEW__ARENA_NEW(&r->arena, size_t, r->chains.n);
    r->order = FEW__ARENA_NEW(&r->arena, size_t, r->chains.n);
    r->placed = FEW__ARENA_NEW(&r->arena, bool, r->chains.n);
    return r->drawn && r->order && r->placed ? FEW_OK : few__no_memory(err, "order of the models");
}

enum few_status few__value_random(const struct few_catalog *catalog, uint64_t seed, const struct few_env *env,
                                  struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct random_order *r = FEW__NEW(e.mem, struct random_order);
    if (!r) return few__no_memory(err, "policy random");
    few__arena_init(&r->arena, e.mem, FEW__ITEM_MEMORY_MAX);
    r->seed = seed;
    enum few_status status = build(r, catalog, err);
    if (status == FEW_OK)
        *value = (struct few__value){
            .self = r, .name = "random", .begin = begin, .score = score, .destroy = destroy};
    else destroy(r);
    return status;
}
