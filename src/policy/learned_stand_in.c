// SPDX-License-Identifier: Apache-2.0
/* Stands in for policy files until they are there: a JSON object with the methods' gains and stops. A model whose labels were
 * seen already is worth `again` times its gain. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "policy/learned.h"

enum { METHODS_MAX = 16, STOPS_MAX = 16, MODELS_MAX = 1000 };

struct few__learned {
    struct few_env env;
    json_t *json;
    struct few__learned_about about;
    struct few__learned_method methods[METHODS_MAX];
    struct few__learned_stop stops[METHODS_MAX][STOPS_MAX];
    const char *models[MODELS_MAX];
    struct few_cost costs[MODELS_MAX];
};

static double number(const json_t *object, const char *key, double otherwise)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : otherwise;
}

static void read_method(struct few__learned *l, size_t i, const json_t *from)
{
    static const char *const ranks[] = {"ratio", "stop", "product", "value"};
    struct few__learned_method *to = &l->methods[i];
    const char *rank = json_string_value(json_object_get(from, "rank"));
    to->name = json_string_value(json_object_get(from, "name"));
    for (size_t r = 0; rank && r < 4; r++)
        if (strcmp(ranks[r], rank) == 0) to->rank = (enum few__rank)r;
    to->blind = json_is_true(json_object_get(from, "blind"));
    to->has_outputs = json_is_true(json_object_get(from, "has_outputs"));
    const json_t *stops = json_object_get(from, "stops");
    to->n_stops = json_array_size(stops);
    to->stops = l->stops[i];
    for (size_t s = 0; s < to->n_stops && s < STOPS_MAX; s++) {
        const json_t *stop = json_array_get(stops, s);
        l->stops[i][s] = (struct few__learned_stop){number(stop, "recall", 0), number(stop, "price", 0),
                                                    number(stop, "got", 0),    number(stop, "low", 0),
                                                    number(stop, "high", 0),   number(stop, "time_ratio", 0)};
    }
}

enum few_status few__learned_open(const char *path, const struct few_env *env, struct few__learned **learned,
                                  struct few_error *err)
{
    struct few_env e = few__env(env);
    *learned = NULL;
    json_t *json = json_load_file(path, 0, NULL);
    if (!json) return few__fail(err, FEW_EPARSE, "%s: expected a policy", path);
    struct few__learned *l = FEW__NEW(e.mem, struct few__learned);
    if (!l) {
        json_decref(json);
        return few__no_memory(err, "policy");
    }
    l->env = e;
    l->json = json;
    const json_t *methods = json_object_get(json, "methods");
    for (size_t i = 0; i < json_array_size(methods) && i < METHODS_MAX; i++)
        read_method(l, i, json_array_get(methods, i));
    const char *name;
    json_t *cost;
    json_object_foreach(json_object_get(json, "models"), name, cost)
    {
        l->models[l->about.n_models] = name;
        l->costs[l->about.n_models++].time_us = (int64_t)json_number_value(cost);
    }
    l->about.seed = (uint64_t)number(json, "seed", 0);
    l->about.split = (int)number(json, "split", 20);
    l->about.n_methods = json_array_size(methods);
    l->about.methods = l->methods;
    l->about.models = l->models;
    l->about.costs = l->costs;
    *learned = l;
    return FEW_OK;
}

void few__learned_close(struct few__learned *learned)
{
    if (!learned) return;
    json_decref(learned->json);
    few__free(learned->env.mem, learned);
}

struct few__learned_about few__learned_about(const struct few__learned *learned)
{
    return learned->about;
}

struct gains {
    const struct few_mem *mem;
    double again;
    bool needs_outputs;
    double gain[];
};

static void score(void *self, const struct few__view *view, double *q)
{
    const struct gains *g = self;
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        const struct few_model *model = &view->catalog->models[m];
        q[m] = g->gain[m] * model->priority;
        for (size_t i = 0; model->label_ids && i < model->n_labels; i++)
            if (view->seen[model->label_ids[i]] > 0) {
                q[m] *= g->again;
                break;
            }
        for (size_t o = 0; g->needs_outputs && o < view->catalog->n_models; o++)
            if (view->states[o] == FEW__DONE && view->outcomes[o] == FEW_EXECUTED && !view->outputs[o])
                abort();
    }
}

static void destroy(void *self)
{
    struct gains *g = self;
    few__free(g->mem, g);
}

enum few_status few__learned_value(const struct few__learned *learned, size_t i,
                                   const struct few_catalog *catalog, const struct few_cost *costs,
                                   const struct few_env *env, struct few__value *value, struct few_error *err)
{
    (void)costs;
    return few__learned_gains(learned, i, catalog, env, value, err);
}

enum few_status few__learned_gains(const struct few__learned *learned, size_t i,
                                   const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    const json_t *method = json_array_get(json_object_get(learned->json, "methods"), i);
    const json_t *gains = json_object_get(method, "gains");
    struct gains *g = few__new(e.mem, 1, sizeof *g + catalog->n_models * sizeof *g->gain);
    if (!g) return few__no_memory(err, "policy");
    *g = (struct gains){
        .mem = e.mem, .again = number(method, "again", 1), .needs_outputs = learned->methods[i].has_outputs};
    for (size_t m = 0; m < catalog->n_models; m++) {
        const json_t *gain = json_object_get(gains, catalog->models[m].name);
        if (!gain) {
            few__free(e.mem, g);
            return few__fail(err, FEW_EINVAL, "policy: expected a model that it knows, found %s",
                             catalog->models[m].name);
        }
        g->gain[m] = json_number_value(gain);
    }
    *value =
        (struct few__value){.self = g, .name = learned->methods[i].name, .score = score, .destroy = destroy};
    return FEW_OK;
}

enum few_status few__learned_price(const struct few__learned *learned, size_t i, double recall,
                                   struct few__learned_stop *stop, struct few_error *err)
{
    const struct few__learned_method *method = &learned->methods[i];
    for (size_t s = 0; s < method->n_stops; s++)
        if (method->stops[s].recall == recall) {
            *stop = method->stops[s];
            return FEW_OK;
        }
    return few__fail(err, FEW_EINVAL, "recall: expected one of the stops, found %g", recall);
}
