// SPDX-License-Identifier: Apache-2.0
/* static: value over time is a fixed rate, so the scheduler follows the order, and a price cuts it off at the same model on
 * every item. Where it packs, gains and shares take the place of rates. */
#include <math.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "policy/methods.h"

struct fixed {
    const struct few_mem *mem;
    size_t n; // models
    const double *rate, *gain, *found;
};

static enum few_status take(const struct few__tensors *tensors, const char *name, size_t n,
                            const double **numbers, struct few_error *err)
{
    const struct few__named_tensor *tensor;
    FEW__TRY(few__tensors_get(tensors, name, FEW__F64, &n, 1, &tensor, err));
    *numbers = tensor->data;
    for (size_t i = 0; i < n; i++)
        if (!isfinite((*numbers)[i]))
            return few__fail(err, FEW_EPARSE, "tensor %s: expected finite numbers, found another at %zu",
                             name, i);
    return FEW_OK;
}

static void close_fixed(void *self)
{
    struct fixed *f = self;
    few__free(f->mem, f);
}

static enum few_status open_fixed(const struct few__tensors *tensors, const struct few_catalog *catalog,
                                  const struct few_env *env, void **self, struct few_error *err)
{
    const struct few_mem *mem = few__env(env).mem;
    struct fixed *f = FEW__NEW(mem, struct fixed);
    *self = NULL;
    if (!f) return few__no_memory(err, "static order");
    *f = (struct fixed){.mem = mem, .n = catalog->n_models};
    enum few_status status = take(tensors, "static.rate", f->n, &f->rate, err);
    if (status == FEW_OK) status = take(tensors, "static.gain", f->n, &f->gain, err);
    if (status == FEW_OK) status = take(tensors, "static.found", f->n, &f->found, err);
    if (status == FEW_OK) *self = f;
    else close_fixed(f);
    return status;
}

static enum few_status value(const void *self, const struct few__method_map *map,
                             const struct few_cost *costs, bool packs, const struct few_env *env,
                             struct few__value *out, struct few_error *err)
{
    const struct fixed *f = self;
    const struct few_mem *mem = few__env(env).mem;
    size_t n = map->catalog->n_models;
    double *gain = FEW__NEW_N(mem, double, 2 * n + 1);
    *out = (struct few__value){0};
    if (!gain) return few__no_memory(err, "static order");
    for (size_t m = 0; m < n; m++) {
        uint32_t number = map->model_of[m];
        if (number == UINT32_MAX) continue;
        double time = costs[m].time_us > 0 ? (double)costs[m].time_us : 1;
        gain[m] = packs ? f->gain[number] : f->rate[number] * time;
        gain[n + m] = f->found[number];
    }
    enum few_status status = few__value_gains(gain, packs ? gain + n : NULL, n, "static", env, out, err);
    few__free(mem, gain);
    return status == FEW_OK ? few__method_prior(map->catalog, env, out, err) : status;
}

const struct few__method few__method_static = {.name = "static",
                                               .rank = FEW__RANK_RATIO,
                                               .blind = true,
                                               .open = open_fixed,
                                               .close = close_fixed,
                                               .value = value};
