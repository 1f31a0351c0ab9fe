// SPDX-License-Identifier: Apache-2.0
// Policies by name: which value function the scheduler asks.
#include "session/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "model/catalog.h"
#include "model/manifest.h"
#include "store/trace.h"

enum policy_kind { RUN_ALL, RANDOM, STATIC };

struct few_policy {
    struct few_env env;
    const struct few_zoo *zoo;
    enum policy_kind kind;
    char *name;
    uint64_t seed;          // RANDOM
    size_t *order;          // STATIC: (n_models,)
    struct few_cost *costs; // STATIC: (n_models,) as in the trace
};

/* ---- static ---- */

/* The trace's order and costs in the zoo's numbers. Every model of the zoo must be in the trace; more may be. */
static enum few_status translate(struct few_policy *p, const struct few__trace *trace,
                                 const size_t *trace_order, struct few_error *err)
{
    const struct few_catalog *catalog = &p->zoo->catalog;
    size_t n = 0;
    for (size_t i = 0; i < trace->catalog.n_models; i++) {
        const struct few_model *model = &trace->catalog.models[trace_order[i]];
        int ours = few__catalog_find(catalog, model->name);
        if (ours < 0) continue;
        p->order[n++] = (size_t)ours;
        p->costs[ours] = model->cost;
    }
    if (n == catalog->n_models) return FEW_OK;
    for (size_t i = 0; i < catalog->n_models; i++)
        if (few__catalog_find(&trace->catalog, catalog->models[i].name) < 0)
            return few__fail(err, FEW_EINVAL,
                             "policy '%s': the trace has no model '%s', expected all %zu models of the zoo",
                             p->name, catalog->models[i].name, catalog->n_models);
    return FEW_OK;
}

static enum few_status learn(struct few_policy *p, const struct few__trace *trace, struct few_error *err)
{
    size_t n_models = trace->catalog.n_models;
    size_t *items = FEW__NEW_N(p->env.mem, size_t, trace->n_items);
    size_t *order = FEW__NEW_N(p->env.mem, size_t, n_models);
    struct few_cost *costs = FEW__NEW_N(p->env.mem, struct few_cost, n_models);
    enum few_status status = FEW_OK;
    if (!items || !order || !costs) status = few__no_memory(err, "static order");
    for (size_t i = 0; status == FEW_OK && i < trace->n_items; i++) items[i] = i;
    for (size_t i = 0; status == FEW_OK && i < n_models; i++) costs[i] = trace->catalog.models[i].cost;
    if (status == FEW_OK)
        status = few__static_order(trace, items, trace->n_items, costs, &p->env, order, err);
    if (status == FEW_OK) status = translate(p, trace, order, err);
    few__free(p->env.mem, items);
    few__free(p->env.mem, order);
    few__free(p->env.mem, costs);
    return status;
}

static enum few_status open_static(struct few_policy *p, const char *path, struct few_error *err)
{
    size_t n = p->zoo->catalog.n_models;
    p->kind = STATIC;
    p->order = FEW__NEW_N(p->env.mem, size_t, n);
    p->costs = FEW__NEW_N(p->env.mem, struct few_cost, n);
    if (!p->order || !p->costs) return few__no_memory(err, "policy");
    struct few__trace *trace;
    enum few_status status = few__trace_load(path, false, &p->env, &trace, err);
    if (status != FEW_OK) return few__wrap(err, status, "policy '%s'", p->name);
    if (trace->n_items == 0)
        status = few__fail(err, FEW_EINVAL, "policy '%s': expected a trace with items, found none", p->name);
    else status = learn(p, trace, err);
    few__trace_free(trace);
    return status;
}

/* ---- all ---- */

static enum few_status open_random(struct few_policy *p, const char *seed, struct few_error *err)
{
    p->kind = RANDOM;
    if (!seed) return FEW_OK;
    char *end;
    errno = 0;
    p->seed = strtoull(seed, &end, 10);
    if (errno || *end || end == seed || *seed == '-')
        return few__fail(err, FEW_EINVAL, "policy '%s': expected a whole number as seed, found \"%s\"",
                         p->name, seed);
    return FEW_OK;
}

static enum few_status open_kind(struct few_policy *p, struct few_error *err)
{
    if (strcmp(p->name, "run_all") == 0) return FEW_OK;
    if (strcmp(p->name, "random") == 0) return open_random(p, NULL, err);
    if (strncmp(p->name, "random:", 7) == 0) return open_random(p, p->name + 7, err);
    if (strncmp(p->name, "static:", 7) == 0) return open_static(p, p->name + 7, err);
    return few__fail(err, FEW_EINVAL, "policy: expected run_all, random[:SEED] or static:TRACE, found \"%s\"",
                     p->name);
}

enum few_status few_policy_open(const char *spec, const struct few_zoo *zoo, struct few_policy **policy,
                                struct few_error *err)
{
    *policy = NULL;
    struct few_policy *p = FEW__NEW(zoo->env.mem, struct few_policy);
    if (!p) return few__no_memory(err, "policy");
    p->env = zoo->env;
    p->zoo = zoo;
    p->name = few__strdup(zoo->env.mem, spec ? spec : "run_all");
    enum few_status status = p->name ? open_kind(p, err) : few__no_memory(err, "policy");
    if (status != FEW_OK) few_policy_close(p);
    else *policy = p;
    return status;
}

void few_policy_close(struct few_policy *policy)
{
    if (!policy) return;
    few__free(policy->env.mem, policy->name);
    few__free(policy->env.mem, policy->order);
    few__free(policy->env.mem, policy->costs);
    few__free(policy->env.mem, policy);
}

const char *few_policy_name(const struct few_policy *policy)
{
    return policy->name;
}

const struct few_cost *few__policy_costs(const struct few_policy *policy)
{
    return policy->costs;
}

static enum few_status make_value(const struct few_policy *p, const struct few_cost *costs,
                                  struct few__value *value, struct few_error *err)
{
    const struct few_catalog *catalog = &p->zoo->catalog;
    if (p->kind == RANDOM) return few__value_random(catalog, p->seed, &p->env, value, err);
    if (p->kind == STATIC)
        return few__value_order(p->order, catalog->n_models, "static", costs, &p->env, value, err);
    return few__value_run_all(catalog, &p->env, value, err);
}

enum few_status few__policy_scheduler(const struct few_policy *policy, const struct few_cost *costs,
                                      struct few__sched_deadline **sched, struct few_error *err)
{
    struct few__value value;
    *sched = NULL;
    FEW__TRY(make_value(policy, costs, &value, err));
    return few__sched_deadline_create(&policy->zoo->catalog, value, FEW__NEGATIVE_FAITHFUL, &policy->env,
                                      sched, err);
}
