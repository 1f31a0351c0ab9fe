// SPDX-License-Identifier: Apache-2.0
// A fixed order as a value function. Invariant: q / time is n - position, so it falls along the order.
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/order.h"
#include "item/value.h"

struct fixed_order {
    const struct few_mem *mem;
    size_t n;
    double q[]; // (n,)
};

static void score(void *self, const struct few__view *view, double *q)
{
    (void)view;
    const struct fixed_order *o = self;
    memcpy(q, o->q, o->n * sizeof *q);
}

static void destroy(void *self)
{
    struct fixed_order *o = self;
    few__free(o->mem, o);
}

enum few_status few__value_order(const size_t *order, size_t n_models, const char *name,
                                 const struct few_cost *costs, const struct few_env *env,
                                 struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct fixed_order *o = few__new(e.mem, 1, sizeof *o + n_models * sizeof *o->q);
    if (!o) return few__no_memory(err, "order of the models");
    o->mem = e.mem;
    o->n = n_models;
    for (size_t p = 0; p < n_models; p++) {
        size_t m = order[p];
        if (m >= n_models || o->q[m] > 0) {
            destroy(o);
            return few__fail(err, FEW_EINVAL,
                             "order '%s', position %zu: model %zu of %zu comes twice or is none", name, p, m,
                             n_models);
        }
        o->q[m] = few__order_value(costs[m].time_us, p, n_models);
    }
    *value = (struct few__value){.self = o, .name = name, .score = score, .destroy = destroy};
    return FEW_OK;
}
