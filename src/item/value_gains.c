// SPDX-License-Identifier: Apache-2.0
// Fixed gains as a value function. Invariant: found[m] > 0.
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/value.h"

struct gains {
    const struct few_mem *mem;
    size_t n;
    double *gain, *found; // (n,)
    double numbers[];     // (2 * n,)
};

// The nearest need that has run: what lies below it is already known to be reached.
static int known_need(const struct few__view *view, size_t model)
{
    int need = view->catalog->models[model].needs;
    while (need >= 0 && view->states[need] != FEW__DONE) need = view->catalog->models[need].needs;
    return need;
}

static void score(void *self, const struct few__view *view, double *q)
{
    const struct gains *g = self;
    for (size_t m = 0; m < g->n; m++) {
        q[m] = g->gain[m];
        if (view->catalog->models[m].needs < 0 || view->states[m] != FEW__PENDING) continue;
        int need = known_need(view, m);
        if (need >= 0 && view->found[need]) q[m] /= g->found[need];
    }
}

static void destroy(void *self)
{
    struct gains *g = self;
    few__free(g->mem, g);
}

enum few_status few__value_gains(const double *gain, const double *found, size_t n_models, const char *name,
                                 const struct few_env *env, struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct gains *g = few__new(e.mem, 1, sizeof *g + 2 * n_models * sizeof *g->numbers);
    if (!g) return few__no_memory(err, "gains of the models");
    *g = (struct gains){.mem = e.mem, .n = n_models, .gain = g->numbers, .found = g->numbers + n_models};
    for (size_t m = 0; m < n_models; m++) {
        g->gain[m] = gain[m];
        g->found[m] = found && found[m] > 0 ? found[m] : 1;
    }
    *value = (struct few__value){.self = g, .name = name, .score = score, .destroy = destroy};
    return FEW_OK;
}
