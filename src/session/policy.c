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

struct few_policy {
    struct few_env env;
    const struct few_zoo *zoo;
    const struct policy_kind *kind;
    char *name;
    uint64_t seed;          // random
    size_t *order;          // static: (n_models,)
    struct few_cost *costs; // static: (n_models,) as in the trace
};

// One row of the table at the end: what "name" or "name:argument" means.
struct policy_kind {
    const char *name;
    enum few_status (*open)(struct few_policy *p, const char *argument,
                            struct few_error *err); // argument: or NULL
    enum few_status (*value)(const struct few_policy *p, const struct few_cost *costs,
                             struct few__value *value, struct few_error *err);
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
    if (!path || !*path)
        return few__fail(err, FEW_EINVAL, "policy '%s': expected the path of a trace behind \"static:\"",
                         p->name);
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

static enum few_status value_static(const struct few_policy *p, const struct few_cost *costs,
                                    struct few__value *value, struct few_error *err)
{
    return few__value_order(p->order, p->zoo->catalog.n_models, "static", costs, &p->env, value, err);
}

/* ---- run_all, random ---- */

static enum few_status open_run_all(struct few_policy *p, const char *argument, struct few_error *err)
{
    if (!argument) return FEW_OK;
    return few__fail(err, FEW_EINVAL, "policy '%s': expected run_all alone, found \"%s\" behind it", p->name,
                     argument);
}

static enum few_status value_run_all(const struct few_policy *p, const struct few_cost *costs,
                                     struct few__value *value, struct few_error *err)
{
    (void)costs;
    return few__value_run_all(&p->zoo->catalog, &p->env, value, err);
}

static enum few_status open_random(struct few_policy *p, const char *seed, struct few_error *err)
{
    if (!seed) return FEW_OK;
    char *end;
    errno = 0;
    p->seed = strtoull(seed, &end, 10);
    if (errno || *end || end == seed || *seed == '-')
        return few__fail(err, FEW_EINVAL, "policy '%s': expected a whole number as seed, found \"%s\"",
                         p->name, seed);
    return FEW_OK;
}

static enum few_status value_random(const struct few_policy *p, const struct few_cost *costs,
                                    struct few__value *value, struct few_error *err)
{
    (void)costs;
    return few__value_random(&p->zoo->catalog, p->seed, &p->env, value, err);
}

/* ---- all ---- */

static const struct policy_kind kinds[] = {
    {"run_all", open_run_all, value_run_all},
    {"random", open_random, value_random},
    {"static", open_static, value_static},
};

static enum few_status open_kind(struct few_policy *p, struct few_error *err)
{
    size_t n = strcspn(p->name, ":");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) != n || memcmp(kinds[i].name, p->name, n) != 0) continue;
        p->kind = &kinds[i];
        return p->kind->open(p, p->name[n] ? p->name + n + 1 : NULL, err);
    }
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

enum few_status few__policy_scheduler(const struct few_policy *policy, const struct few_cost *costs,
                                      struct few__sched_deadline **sched, struct few_error *err)
{
    struct few__value value;
    *sched = NULL;
    FEW__TRY(policy->kind->value(policy, costs, &value, err));
    return few__sched_deadline_create(&policy->zoo->catalog, value, FEW__NEGATIVE_FAITHFUL, &policy->env,
                                      sched, err);
}
