// SPDX-License-Identifier: Apache-2.0
#include "paper/ams_methods.h"

#include <string.h>

#include "core/error.h"

/* ---- items ---- */

// Spread over the corpus: each stretch of it gives its first item of the part that is wanted.
static bool next_of_corpus(struct ams_walk *w, enum ams_dataset *dataset, uint64_t *number, uint64_t *id)
{
    uint64_t n = w->n ? w->n : AMS_CORPUS;
    while (w->i < n) {
        uint64_t from = w->i * AMS_CORPUS / n, end = (w->i + 1) * AMS_CORPUS / n;
        w->i++;
        for (*id = from; *id < end; (*id)++) {
            *dataset = ams_corpus_at(*id, number);
            if (ams_is_train(*dataset, *number) == w->train) return true;
        }
    }
    return false;
}

bool ams_walk_next(struct ams_walk *w, enum ams_dataset *dataset, uint64_t *number, uint64_t *id)
{
    if (w->source.corpus) return next_of_corpus(w, dataset, number, id);
    if (w->i == w->n) return false;
    *dataset = w->source.dataset;
    while (ams_is_train(*dataset, w->at) != w->train) w->at++;
    w->i++;
    *number = w->at++;
    *id = (uint64_t)*dataset << 40 | *number;
    return true;
}

/* ---- static ---- */

struct sample {
    struct few__arena arena;
    struct few__trace trace;
    size_t *items; // (n,)
};

static enum few_status add_item(struct sample *s, const struct ams_item *item)
{
    struct few_valuable *valuable = FEW__ARENA_NEW(&s->arena, struct few_valuable, item->n);
    if (!valuable) return FEW_ENOMEM;
    memcpy(valuable, item->valuable, item->n * sizeof *valuable);
    size_t at = s->trace.n_items++;
    s->items[at] = at;
    for (size_t m = 0; m < AMS_MODELS; m++) {
        const struct few__sim_truth *t = &item->truth[m];
        s->trace.cells[at * AMS_MODELS + m] =
            (struct few__trace_cell){.outcome = FEW_EXECUTED,
                                     .empty = t->n_valuable == 0,
                                     .time_us = (int32_t)t->time_us,
                                     .n_valuable = (uint32_t)t->n_valuable,
                                     .valuable = valuable + (t->valuable - item->valuable)};
    }
    return FEW_OK;
}

static enum few_status take_sample(struct sample *s, const struct ams_world *world,
                                   const struct ams_source *source, uint64_t n, struct few_error *err)
{
    static struct ams_item item;
    struct ams_walk walk = {.source = *source, .train = true, .n = n};
    enum ams_dataset dataset;
    uint64_t number, id;
    s->trace.catalog = world->catalog;
    s->trace.cells = FEW__ARENA_NEW(&s->arena, struct few__trace_cell, n * AMS_MODELS);
    s->items = FEW__ARENA_NEW(&s->arena, size_t, n);
    if (!s->trace.cells || !s->items) return few__no_memory(err, "train items");
    while (ams_walk_next(&walk, &dataset, &number, &id)) {
        ams_world_item(world, dataset, number, &item);
        if (add_item(s, &item) != FEW_OK) return few__no_memory(err, "train items");
    }
    return FEW_OK;
}

static enum few_status learn(const struct sample *s, bool by_time, size_t *order, double *gain,
                             struct few_error *err)
{
    struct few_cost costs[AMS_MODELS];
    double found[AMS_MODELS];
    size_t unused[AMS_MODELS];
    const struct few__static_plan plan = {.order = order ? order : unused, .gain = gain, .found = found};
    for (size_t m = 0; m < AMS_MODELS; m++)
        costs[m].time_us = by_time ? s->trace.catalog.models[m].cost.time_us : 1;
    return few__static_plan(&s->trace, s->items, s->trace.n_items, costs, NULL, &plan, err);
}

enum few_status ams_learn_static(const struct ams_world *world, const struct ams_source *source, uint64_t n,
                                 struct ams_context *context, struct few_error *err)
{
    struct sample s = {.items = NULL};
    few__arena_init(&s.arena, NULL, (size_t)1 << 30);
    enum few_status status = take_sample(&s, world, source, n, err);
    if (status == FEW_OK) status = learn(&s, true, context->order, context->gain, err);
    if (status == FEW_OK) status = learn(&s, false, NULL, context->gain_by_value, err);
    few__arena_finish(&s.arena);
    return status;
}

/* ---- methods ---- */

static enum few_status make_random(const struct ams_context *c, bool packed, struct few__value *value,
                                   struct few_error *err)
{
    (void)packed;
    return few__value_random(&c->world->catalog, c->seed, NULL, value, err);
}

static enum few_status make_rules(const struct ams_context *c, bool packed, struct few__value *value,
                                  struct few_error *err)
{
    (void)packed;
    return few__value_rules(c->rules, &c->world->catalog, c->seed, NULL, value, err);
}

static enum few_status make_static(const struct ams_context *c, bool packed, struct few__value *value,
                                   struct few_error *err)
{
    struct few_cost costs[AMS_MODELS];
    if (packed) return few__value_gains(c->gain, NULL, AMS_MODELS, "static", NULL, value, err);
    for (size_t m = 0; m < AMS_MODELS; m++) costs[m] = c->world->catalog.models[m].cost;
    return few__value_order(c->order, AMS_MODELS, "static", costs, NULL, value, err);
}

static enum few_status make_q_greedy(const struct ams_context *c, bool packed, struct few__value *value,
                                     struct few_error *err)
{
    (void)packed;
    return few__value_gains(c->gain_by_value, NULL, AMS_MODELS, "q_greedy", NULL, value, err);
}

static enum few_status make_optimal(const struct ams_context *c, bool packed, struct few__value *value,
                                    struct few_error *err)
{
    return packed ? few__value_oracle(&c->row->trace, NULL, value, err)
                  : few__value_oracle_total(&c->row->trace, NULL, value, err);
}

static enum few_status make_oracle(const struct ams_context *c, bool packed, struct few__value *value,
                                   struct few_error *err)
{
    (void)packed;
    return few__value_oracle(&c->row->trace, NULL, value, err);
}

const struct ams_method ams_baselines[AMS_BASELINES] = {
    {"random", FEW__RANK_RATIO, false, false, make_random},
    {"rules", FEW__RANK_RATIO, false, false, make_rules},
    {"static", FEW__RANK_RATIO, true, false, make_static},
    {"q_greedy", FEW__RANK_VALUE, false, false, make_q_greedy},
    {"optimal", FEW__RANK_RATIO, false, true, make_optimal},
    {"oracle", FEW__RANK_RATIO, true, true, make_oracle},
};
