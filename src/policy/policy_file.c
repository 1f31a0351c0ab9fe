// SPDX-License-Identifier: Apache-2.0
/* A policy file as a policy: one of its methods, and the price at which it stops. Where every item may run its models one
 * after the other, it does, even on several lanes: each decision then knows all that the ones before it found. */
#include <string.h>
#include <sys/stat.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/sched_deadline.h"
#include "item/sched_pack.h"
#include "model/manifest.h"
#include "policy/policy_inside.h"

/* ---- names ---- */

static bool is_file(const char *path, size_t n)
{
    char copy[4096];
    struct stat st;
    if (n == 0 || n >= sizeof copy) return false;
    memcpy(copy, path, n);
    copy[n] = 0;
    return stat(copy, &st) == 0 && !S_ISDIR(st.st_mode);
}

// Bytes of the path in "PATH" or "PATH:METHOD"; 0: there is no such file.
static size_t path_length(const char *spec)
{
    const char *colon = strrchr(spec, ':');
    if (is_file(spec, strlen(spec))) return strlen(spec);
    return colon && is_file(spec, (size_t)(colon - spec)) ? (size_t)(colon - spec) : 0;
}

bool few__policy_is_file(const char *spec)
{
    return path_length(spec) > 0;
}

static enum few_status find_method(struct few_policy *p, const char *name, struct few_error *err)
{
    const struct few__learned_about about = few__learned_about(p->learned);
    char names[256] = "";
    p->method = about.preferred;
    if (!name) return FEW_OK;
    for (size_t i = 0, used = 0; i < about.n_methods; i++) {
        p->method = i;
        if (strcmp(about.methods[i].name, name) == 0) return FEW_OK;
        size_t n = strlen(about.methods[i].name);
        if (used + n + 3 > sizeof names) continue;
        if (used > 0) memcpy(names + used, ", ", 3), used += 2;
        memcpy(names + used, about.methods[i].name, n + 1);
        used += n;
    }
    return few__fail(err, FEW_EINVAL, "policy '%s': expected one of its methods (%s), found \"%s\"", p->name,
                     names, name);
}

/* ---- open ---- */

// The trace's costs in the zoo's numbers; that the models fit is found out on the way.
static enum few_status fit(struct few_policy *p, struct few_error *err)
{
    const struct few__learned_about about = few__learned_about(p->learned);
    const struct few_catalog *catalog = &p->zoo->catalog;
    struct few__value value;
    p->costs = FEW__NEW_N(p->env.mem, struct few_cost, catalog->n_models);
    if (!p->costs && catalog->n_models > 0) return few__no_memory(err, "policy");
    FEW__TRY(few__learned_gains(p->learned, p->method, catalog, &p->env, &value, err));
    value.destroy(value.self);
    for (size_t m = 0; m < catalog->n_models; m++)
        for (size_t k = 0; k < about.n_models; k++)
            if (strcmp(about.models[k], catalog->models[m].name) == 0) p->costs[m] = about.costs[k];
    return FEW_OK;
}

static enum few_status open_file(struct few_policy *p, const char *argument, struct few_error *err)
{
    (void)argument;
    size_t n = path_length(p->name);
    const char *method = p->name[n] ? p->name + n + 1 : NULL;
    char *path = few__strdup(p->env.mem, p->name);
    if (!path) return few__no_memory(err, "policy");
    path[n] = 0;
    enum few_status status = few__learned_open(path, &p->env, &p->learned, err);
    if (status == FEW_OK) status = find_method(p, method, err);
    if (status == FEW_OK) status = fit(p, err);
    if (status == FEW_OK) status = few__sha256_file(path, p->digest, err);
    few__free(p->env.mem, path);
    return status;
}

/* ---- use ---- */

static enum few_status schedule_file(const struct few_policy *p, const struct few_cost *costs,
                                     enum few__way way, struct few__sched *sched, struct few_error *err)
{
    const struct few_catalog *catalog = &p->zoo->catalog;
    struct few__value value;
    if (way == FEW__SIDE_BY_SIDE) {
        FEW__TRY(few__learned_gains(p->learned, p->method, catalog, &p->env, &value, err));
        FEW__TRY(few__sched_pack_create(catalog, value, FEW__PACK_IMPROVED, &p->env, sched, err));
        few__sched_pack_price(sched, p->stop.price);
        return FEW_OK;
    }
    enum few__rank rank = few__learned_about(p->learned).methods[p->method].rank;
    FEW__TRY(few__learned_value(p->learned, p->method, catalog, costs, &p->env, &value, err));
    FEW__TRY(few__sched_deadline_create(catalog, value, rank, &p->env, sched, err));
    few__sched_deadline_price(sched, p->stop.price);
    if (way == FEW__IN_TURN) few__sched_deadline_in_turn(sched);
    return FEW_OK;
}

const struct few__policy_kind few__policy_file = {NULL, open_file, schedule_file};

enum few_status few_policy_stop(struct few_policy *policy, double recall, struct few_policy_promise *promise,
                                struct few_error *err)
{
    struct few__learned_stop stop;
    if (promise && promise->size != sizeof *promise)
        return few__fail(err, FEW_EINVAL, "promise: expected size %zu, found %zu", sizeof *promise,
                         promise->size);
    if (!policy->learned)
        return few__fail(
            err, FEW_EINVAL,
            "policy '%s': expected a file of 'fewer train', which knows where to stop for a recall",
            policy->name);
    FEW__TRY(few__learned_price(policy->learned, policy->method, recall, &stop, err));
    policy->stop = stop;
    if (!promise) return FEW_OK;
    const struct few__learned_method *method = &few__learned_about(policy->learned).methods[policy->method];
    *promise = (struct few_policy_promise){.size = sizeof *promise,
                                           .method = method->name,
                                           .recall = stop.got,
                                           .low = stop.low,
                                           .high = stop.high,
                                           .time_ratio = stop.time_ratio,
                                           .is_held_out = method->folds > 1};
    return FEW_OK;
}

double few__policy_recall(const struct few_policy *policy)
{
    return policy->stop.recall;
}
