// SPDX-License-Identifier: Apache-2.0
#include "eval/policy_made.h"

#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "support/support.h"

static const struct made_policy *made;

void made_policy(const struct made_policy *policy)
{
    made = policy;
}

struct few__learned {
    struct few_env env;
    struct few__learned_method methods[MADE_METHODS_MAX];
};

enum few_status few__learned_open(const char *path, const struct few_env *env, struct few__learned **learned,
                                  struct few_error *err)
{
    *learned = NULL;
    if (strcmp(path, "none") == 0) return few__fail(err, FEW_ENOENT, "none: no such file");
    struct few_env e = few__env(env);
    struct few__learned *l = *learned = FEW__NEW(e.mem, struct few__learned);
    if (!l) return few__no_memory(err, path);
    l->env = e;
    for (size_t i = 0; i < made->n_methods; i++) {
        const struct made_method *from = &made->methods[i];
        l->methods[i] = (struct few__learned_method){.name = from->name,
                                                     .rank = from->rank,
                                                     .has_outputs = from->has_outputs,
                                                     .n_stops = from->n_stops,
                                                     .stops = from->stops};
    }
    return FEW_OK;
}

void few__learned_close(struct few__learned *learned)
{
    if (learned) few__free(learned->env.mem, learned);
}

struct few__learned_about few__learned_about(const struct few__learned *learned)
{
    return (struct few__learned_about){.split = made->split,
                                       .n_methods = made->n_methods,
                                       .methods = learned->methods,
                                       .source = made->source,
                                       .preferred = made->preferred};
}

struct value {
    const struct few_mem *mem;
    const struct made_method *method;
};

static bool is_seen(const struct few__view *view, const struct few_model *model)
{
    for (size_t i = 0; model->label_ids && i < model->n_labels; i++)
        if (view->seen[model->label_ids[i]] > 0) return true;
    return false;
}

static void score(void *self, const struct few__view *view, double *q)
{
    const struct value *v = self;
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        const struct few_model *model = &view->catalog->models[m];
        q[m] = v->method->gains[m] * (double)model->priority;
        if (is_seen(view, model)) q[m] *= v->method->again;
        bool executed = view->states[m] == FEW__DONE && view->outcomes[m] == FEW_EXECUTED;
        if (v->method->has_outputs && executed) assert_non_null(view->outputs[m]);
    }
}

static void destroy(void *self)
{
    struct value *v = self;
    few__free(v->mem, v);
}

enum few_status few__learned_gains(const struct few__learned *learned, size_t i,
                                   const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    for (size_t m = 0; m < catalog->n_models; m++)
        if (made->stranger && strcmp(catalog->models[m].name, made->stranger) == 0)
            return few__fail(err, FEW_EINVAL, "policy: expected a model that it knows, found %s",
                             made->stranger);
    struct value *v = FEW__NEW(e.mem, struct value);
    if (!v) return few__no_memory(err, "policy");
    *v = (struct value){e.mem, &made->methods[i]};
    *value =
        (struct few__value){.self = v, .name = learned->methods[i].name, .score = score, .destroy = destroy};
    return FEW_OK;
}

enum few_status few__learned_value(const struct few__learned *learned, size_t i,
                                   const struct few_catalog *catalog, const struct few_cost *costs,
                                   const struct few_env *env, struct few__value *value, struct few_error *err)
{
    (void)costs;
    return few__learned_gains(learned, i, catalog, env, value, err);
}

enum few_status few__learned_price(const struct few__learned *learned, size_t i, double recall,
                                   struct few__learned_stop *stop, struct few_error *err)
{
    const struct few__learned_method *method = &learned->methods[i];
    for (size_t s = 0; s < method->n_stops; s++) {
        if (method->stops[s].recall != recall) continue;
        *stop = method->stops[s];
        return FEW_OK;
    }
    return few__fail(err, FEW_EINVAL, "recall: expected one of the stops, found %g", recall);
}
