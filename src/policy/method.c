// SPDX-License-Identifier: Apache-2.0
#include "policy/method.h"

#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "policy/methods.h"

static const struct few__method *const methods[] = {&few__method_static,      &few__method_value_net,
                                                    &few__method_dqn,         &few__method_double_dqn,
                                                    &few__method_dueling_dqn, &few__method_deep_sarsa};

const struct few__method *few__method_at(size_t i)
{
    return i < sizeof methods / sizeof *methods ? methods[i] : NULL;
}

const struct few__method *few__method_find(const char *name)
{
    const struct few__method *method;
    for (size_t i = 0; (method = few__method_at(i)); i++)
        if (strcmp(method->name, name) == 0) return method;
    return NULL;
}

/* ---- priorities ---- */

struct prior {
    const struct few_mem *mem;
    struct few__value value;
    size_t n;
    double theta[]; // (n,)
};

static void begin(void *self, const struct few__view *view)
{
    struct prior *p = self;
    if (p->value.begin) p->value.begin(p->value.self, view);
}

static void score(void *self, const struct few__view *view, double *q)
{
    struct prior *p = self;
    p->value.score(p->value.self, view, q);
    for (size_t m = 0; m < p->n; m++)
        if (q[m] > 0) q[m] *= p->theta[m];
}

static void destroy(void *self)
{
    struct prior *p = self;
    if (p->value.destroy) p->value.destroy(p->value.self);
    few__free(p->mem, p);
}

enum few_status few__method_prior(const struct few_catalog *catalog, const struct few_env *env,
                                  struct few__value *value, struct few_error *err)
{
    const struct few_mem *mem = few__env(env).mem;
    size_t n = catalog->n_models;
    bool any = false;
    for (size_t m = 0; m < n; m++) any |= catalog->models[m].priority != 1;
    if (!any) return FEW_OK;
    struct prior *p = few__new(mem, 1, sizeof *p + n * sizeof *p->theta);
    if (!p) {
        if (value->destroy) value->destroy(value->self);
        *value = (struct few__value){0};
        return few__no_memory(err, "priorities");
    }
    p->mem = mem;
    p->value = *value;
    p->n = n;
    for (size_t m = 0; m < n; m++) p->theta[m] = (double)catalog->models[m].priority;
    *value = (struct few__value){
        .self = p, .name = p->value.name, .begin = begin, .score = score, .destroy = destroy};
    return FEW_OK;
}
