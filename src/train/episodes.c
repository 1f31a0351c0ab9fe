// SPDX-License-Identifier: Apache-2.0
#include "train/episodes.h"

#include "core/env.h"
#include "core/error.h"
#include "exec/chain.h"

static void count_item(const struct few__episodes *e, const struct few__episode_model *models, size_t item,
                       size_t *count, size_t *last)
{
    for (size_t m = 0; m < e->n_models; m++)
        for (size_t v = 0; v < models[m].n_valuable; v++) {
            size_t label = (size_t)models[m].valuable[v].label;
            count[label] += last[label] != item + 1;
            last[label] = item + 1;
        }
}

enum few_status few__frequent_labels(const struct few__episodes *episodes, size_t least,
                                     const struct few_env *env, uint32_t *label_of, size_t *n_kept,
                                     struct few_error *err)
{
    struct few_env e = few__env(env);
    size_t *count = FEW__NEW_N(e.mem, size_t, 2 * episodes->n_labels + 2), *last = count + episodes->n_labels;
    enum few_status status = count ? FEW_OK : few__no_memory(err, "labels");
    *n_kept = 0;
    for (size_t i = 0; i < episodes->n_items && status == FEW_OK; i++) {
        const struct few__episode_model *models;
        status = episodes->get(episodes->self, i, &models, err);
        if (status == FEW_OK) count_item(episodes, models, i, count, last);
    }
    for (size_t l = 0; l < episodes->n_labels && status == FEW_OK; l++)
        label_of[l] = count[l] >= least ? (uint32_t)(*n_kept)++ : UINT32_MAX;
    few__free(e.mem, count);
    return status;
}

/* ---- a trace ---- */

struct few__trace_episodes {
    const struct few_mem *mem;
    struct few__arena arena; // holds everything below
    const struct few__trace *trace;
    const size_t *items;
    struct few__chains chains;
    struct few__episode_model *models; // (n_models,) of the last item
};

static enum few_status get(void *self, size_t i, const struct few__episode_model **models,
                           struct few_error *err)
{
    struct few__trace_episodes *t = self;
    (void)err;
    for (size_t m = 0; m < t->chains.n; m++) {
        const struct few__trace_cell *cell = few__trace_cell(t->trace, t->items[i], m);
        bool found = cell->outcome == FEW_EXECUTED && !cell->empty;
        t->models[m] = (struct few__episode_model){
            .valuable = cell->valuable, .n_valuable = found ? cell->n_valuable : 0, .found = found};
    }
    *models = t->models;
    return FEW_OK;
}

static enum few_status check(const struct few__trace *trace, const size_t *items, size_t n_items,
                             struct few_error *err)
{
    size_t n_labels = trace->catalog.n_labels;
    for (size_t i = 0; i < n_items; i++) {
        if (items[i] >= trace->n_items)
            return few__fail(err, FEW_EINVAL, "item %zu of a trace of %zu", items[i], trace->n_items);
        for (size_t m = 0; m < trace->catalog.n_models; m++) {
            const struct few__trace_cell *cell = few__trace_cell(trace, items[i], m);
            for (size_t v = 0; v < cell->n_valuable; v++)
                if (cell->valuable[v].label < 0 || (size_t)cell->valuable[v].label >= n_labels)
                    return few__fail(err, FEW_EINVAL, "label %d of the trace, expected 0 .. %zu",
                                     (int)cell->valuable[v].label, n_labels);
        }
    }
    return FEW_OK;
}

static enum few_status prepare(struct few__trace_episodes *t, struct few_error *err)
{
    FEW__TRY(few__chains_build(&t->trace->catalog, &t->arena, &t->chains, err));
    t->models = FEW__ARENA_NEW(&t->arena, struct few__episode_model, t->chains.n);
    return t->models ? FEW_OK : few__no_memory(err, "episodes");
}

enum few_status few__trace_episodes_create(const struct few__trace *trace, const size_t *items,
                                           size_t n_items, const struct few_env *env,
                                           struct few__trace_episodes **out, struct few__episodes *episodes,
                                           struct few_error *err)
{
    *out = NULL;
    *episodes = (struct few__episodes){0};
    FEW__TRY(check(trace, items, n_items, err));
    struct few_env e = few__env(env);
    struct few__trace_episodes *t = FEW__NEW(e.mem, struct few__trace_episodes);
    if (!t) return few__no_memory(err, "episodes");
    *t = (struct few__trace_episodes){.mem = e.mem, .trace = trace, .items = items};
    few__arena_init(&t->arena, e.mem, SIZE_MAX);
    enum few_status status = prepare(t, err);
    if (status != FEW_OK) {
        few__trace_episodes_destroy(t);
        return status;
    }
    *episodes = (struct few__episodes){.self = t,
                                       .n_items = n_items,
                                       .n_models = trace->catalog.n_models,
                                       .n_labels = trace->catalog.n_labels,
                                       .needs = t->chains.needs,
                                       .get = get};
    *out = t;
    return FEW_OK;
}

void few__trace_episodes_destroy(struct few__trace_episodes *trace)
{
    if (!trace) return;
    few__arena_finish(&trace->arena);
    few__free(trace->mem, trace);
}
