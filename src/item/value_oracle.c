// SPDX-License-Identifier: Apache-2.0
/* oracle: the truth of a trace as values, for replays alone.
 *
 * few__value_oracle gives the marginal value given what has been seen. AMS's optimal policy (TKDD 2022,
 * section 5) sorts by total value, which repeats labels that another model has already given;
 * few__value_oracle_total is that one. In both, what has nothing to add has 0 and comes last. */
#include <assert.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/value.h"

struct oracle {
    const struct few_mem *mem;
    const struct few__trace *trace; // borrowed
};

static const struct few__trace_cell *truth(const struct oracle *o, const struct few__view *view, size_t model)
{
    assert(view->item < o->trace->n_items && "an item that the trace does not have");
    return few__trace_cell(o->trace, (size_t)view->item, model);
}

static void score_marginal(void *self, const struct few__view *view, double *q)
{
    const struct oracle *o = self;
    for (size_t m = 0; m < o->trace->catalog.n_models; m++) {
        q[m] = 0;
        const struct few__trace_cell *cell = truth(o, view, m);
        if (view->states[m] != FEW__PENDING || cell->outcome != FEW_EXECUTED) continue;
        for (size_t i = 0; i < cell->n_valuable; i++) {
            double more = (double)cell->valuable[i].confidence - (double)view->seen[cell->valuable[i].label];
            if (more > 0) q[m] += more;
        }
    }
}

// Times the expected time, so that dividing by it leaves the total.
static void score_total(void *self, const struct few__view *view, double *q)
{
    const struct oracle *o = self;
    for (size_t m = 0; m < o->trace->catalog.n_models; m++) {
        double total = 0;
        const struct few__trace_cell *cell = truth(o, view, m);
        if (cell->outcome == FEW_EXECUTED)
            for (size_t i = 0; i < cell->n_valuable; i++) total += (double)cell->valuable[i].confidence;
        q[m] = total * (double)view->costs[m].time_us;
    }
}

static void destroy(void *self)
{
    struct oracle *o = self;
    few__free(o->mem, o);
}

static enum few_status create(const struct few__trace *trace, const struct few_env *env, const char *name,
                              void (*score)(void *self, const struct few__view *view, double *q),
                              struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct oracle *o = FEW__NEW(e.mem, struct oracle);
    if (!o) return few__no_memory(err, "policy oracle");
    *o = (struct oracle){.mem = e.mem, .trace = trace};
    *value = (struct few__value){.self = o, .name = name, .score = score, .destroy = destroy};
    return FEW_OK;
}

enum few_status few__value_oracle(const struct few__trace *trace, const struct few_env *env,
                                  struct few__value *value, struct few_error *err)
{
    return create(trace, env, "oracle", score_marginal, value, err);
}

enum few_status few__value_oracle_total(const struct few__trace *trace, const struct few_env *env,
                                        struct few__value *value, struct few_error *err)
{
    return create(trace, env, "oracle_total", score_total, value, err);
}
