// SPDX-License-Identifier: Apache-2.0
// explore_exploit: what the segment's first items have shown of each model. AMS on correlated chunks (algorithms.md 1.1).
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/value.h"

struct segment {
    const struct few_mem *mem;
    struct few__value run_all; // while nothing is known
};

// What running a model opens the way to: dearer variants, held until it has answered.
static double held_gains(const struct few__view *view, size_t model)
{
    const struct few_model *models = view->catalog->models;
    double gain = 0;
    if (models[model].variant_of < 0) return 0;
    for (size_t m = 0; m < view->catalog->n_models; m++)
        if (models[m].variant_of == models[model].variant_of && view->states[m] == FEW__PENDING &&
            view->held[m])
            gain += view->gains[m];
    return gain;
}

static void score(void *self, const struct few__view *view, double *q)
{
    const struct segment *s = self;
    if (!view->gains) {
        s->run_all.score(s->run_all.self, view, q);
        return;
    }
    for (size_t m = 0; m < view->catalog->n_models; m++)
        if (view->states[m] == FEW__PENDING)
            q[m] = view->gains[m] + (view->held[m] ? 0 : held_gains(view, m));
}

static void destroy(void *self)
{
    struct segment *s = self;
    s->run_all.destroy(s->run_all.self);
    few__free(s->mem, s);
}

enum few_status few__value_segment(const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct segment *s = FEW__NEW(e.mem, struct segment);
    if (!s) return few__no_memory(err, "policy explore_exploit");
    s->mem = e.mem;
    enum few_status status = few__value_run_all(catalog, &e, &s->run_all, err);
    if (status == FEW_OK)
        *value =
            (struct few__value){.self = s, .name = "explore_exploit", .score = score, .destroy = destroy};
    else few__free(e.mem, s);
    return status;
}
