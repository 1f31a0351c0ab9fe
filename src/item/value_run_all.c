// SPDX-License-Identifier: Apache-2.0
// run_all: the order of the catalog, needs brought forward. AMS, "no policy" (TKDD 2022, section 5).
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/order.h"
#include "item/value.h"

struct run_all {
    struct few__arena arena; // holds order
    size_t n;
    size_t *order; // (n,)
};

// Times are the view's, so that the order holds whatever costs the scheduler was given.
static void score(void *self, const struct few__view *view, double *q)
{
    const struct run_all *r = self;
    for (size_t p = 0; p < r->n; p++) {
        size_t m = r->order[p];
        q[m] = few__order_value(view->costs[m].time_us, p, r->n);
    }
}

static void destroy(void *self)
{
    struct run_all *r = self;
    const struct few_mem *mem = r->arena.mem;
    few__arena_finish(&r->arena);
    few__free(mem, r);
}

static enum few_status build(struct run_all *r, const struct few_catalog *catalog, struct few_error *err)
{
    struct few__chains chains;
    FEW__TRY(few__chains_build(catalog, &r->arena, &chains, err));
    r->n = chains.n;
    r->order = FEW__ARENA_NEW(&r->arena, size_t, r->n);
    size_t *drawn = FEW__ARENA_NEW(&r->arena, size_t, r->n);
    bool *placed = FEW__ARENA_NEW(&r->arena, bool, r->n);
    if (!r->order || !drawn || !placed) return few__no_memory(err, "order of the models");
    for (size_t i = 0; i < r->n; i++) drawn[i] = i;
    few__order_complete(&chains, drawn, placed, r->order);
    return FEW_OK;
}

enum few_status few__value_run_all(const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct run_all *r = FEW__NEW(e.mem, struct run_all);
    if (!r) return few__no_memory(err, "policy run_all");
    few__arena_init(&r->arena, e.mem, FEW__ITEM_MEMORY_MAX);
    enum few_status status = build(r, catalog, err);
    if (status == FEW_OK)
        *value = (struct few__value){.self = r, .name = "run_all", .score = score, .destroy = destroy};
    else destroy(r);
    return status;
}
