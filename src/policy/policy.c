// SPDX-License-Identifier: Apache-2.0
/* Policies by name: which value function is asked, and which scheduler asks it. Where models run one after another an order
 * is enough; where they share lanes or memory, packing wants to know how much each of them brings. */
#include "policy/policy.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/explore.h"
#include "item/sched_deadline.h"
#include "item/sched_pack.h"
#include "model/catalog.h"
#include "model/manifest.h"
#include "model/rules_file.h"
#include "policy/policy_inside.h"
#include "store/trace.h"

enum { FIRST_DEFAULT = 3 };                // explore_exploit
#define RULES_MEMORY_MAX ((size_t)1 << 30) // 256 rules, each about every label of a space

static enum few_status one_by_one(const struct few_policy *p, struct few__value value, enum few__rank rank,
                                  struct few__sched *sched, struct few_error *err)
{
    return few__sched_deadline_create(&p->zoo->catalog, value, rank, &p->env, sched, err);
}

/* ---- static, q_greedy ---- */

/* The trace's plan and costs in the zoo's numbers. Every model of the zoo must be in the trace; more may be. */
static enum few_status translate(struct few_policy *p, const struct few__trace *trace,
                                 const struct few__static_plan *plan, struct few_error *err)
{
    const struct few_catalog *catalog = &p->zoo->catalog;
    size_t n = 0;
    for (size_t i = 0; i < trace->catalog.n_models; i++) {
        size_t theirs = plan->order[i];
        const struct few_model *model = &trace->catalog.models[theirs];
        int ours = few__catalog_find(catalog, model->name);
        if (ours < 0) continue;
        p->order[n++] = (size_t)ours;
        p->gain[ours] = plan->gain[theirs];
        p->found[ours] = plan->found[theirs];
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

// by_time: what a model adds counts for its time; otherwise all are taken to be as quick as one another.
static enum few_status learn(struct few_policy *p, const struct few__trace *trace, bool by_time,
                             struct few_error *err)
{
    const struct few_mem *mem = p->env.mem;
    size_t n_models = trace->catalog.n_models;
    size_t *items = FEW__NEW_N(mem, size_t, trace->n_items);
    struct few_cost *costs = FEW__NEW_N(mem, struct few_cost, n_models);
    const struct few__static_plan plan = {.order = FEW__NEW_N(mem, size_t, n_models),
                                          .gain = FEW__NEW_N(mem, double, n_models),
                                          .found = FEW__NEW_N(mem, double, n_models)};
    enum few_status status = FEW_OK;
    if (!items || !costs || !plan.order || !plan.gain || !plan.found)
        status = few__no_memory(err, "static order");
    for (size_t i = 0; status == FEW_OK && i < trace->n_items; i++) items[i] = i;
    for (size_t i = 0; status == FEW_OK && i < n_models; i++)
        costs[i].time_us = by_time ? trace->catalog.models[i].cost.time_us : 1;
    if (status == FEW_OK) status = few__static_plan(trace, items, trace->n_items, costs, &p->env, &plan, err);
    if (status == FEW_OK) status = translate(p, trace, &plan, err);
    few__free(mem, items);
    few__free(mem, costs);
    few__free(mem, plan.order);
    few__free(mem, plan.gain);
    few__free(mem, plan.found);
    return status;
}

static enum few_status open_trace(struct few_policy *p, const char *path, bool by_time, struct few_error *err)
{
    size_t n = p->zoo->catalog.n_models;
    if (!path || !*path)
        return few__fail(err, FEW_EINVAL, "policy '%s': expected the path of a trace behind \"%s:\"", p->name,
                         p->kind->name);
    p->order = FEW__NEW_N(p->env.mem, size_t, n);
    p->gain = FEW__NEW_N(p->env.mem, double, n);
    p->found = FEW__NEW_N(p->env.mem, double, n);
    p->costs = FEW__NEW_N(p->env.mem, struct few_cost, n);
    if (!p->order || !p->gain || !p->found || !p->costs) return few__no_memory(err, "policy");
    struct few__trace *trace;
    enum few_status status = few__trace_load(path, false, &p->env, &trace, err);
    if (status != FEW_OK) return few__wrap(err, status, "policy '%s'", p->name);
    if (trace->n_items == 0)
        status = few__fail(err, FEW_EINVAL, "policy '%s': expected a trace with items, found none", p->name);
    else status = learn(p, trace, by_time, err);
    few__trace_free(trace);
    return status == FEW_OK ? few__sha256_file(path, p->digest, err) : status;
}

static enum few_status open_static(struct few_policy *p, const char *path, struct few_error *err)
{
    return open_trace(p, path, true, err);
}

static enum few_status open_q_greedy(struct few_policy *p, const char *path, struct few_error *err)
{
    return open_trace(p, path, false, err);
}

static enum few_status schedule_static(const struct few_policy *p, const struct few_cost *costs,
                                       enum few__way way, struct few__sched *sched, struct few_error *err)
{
    struct few__value value;
    size_t n = p->zoo->catalog.n_models;
    if (way == FEW__ONE_LANE) {
        FEW__TRY(few__value_order(p->order, n, "static", costs, &p->env, &value, err));
        return one_by_one(p, value, FEW__RANK_RATIO, sched, err);
    }
    FEW__TRY(few__value_gains(p->gain, p->found, n, "static", &p->env, &value, err));
    return few__sched_pack_create(&p->zoo->catalog, value, FEW__PACK_IMPROVED, &p->env, sched, err);
}

static enum few_status schedule_q_greedy(const struct few_policy *p, const struct few_cost *costs,
                                         enum few__way way, struct few__sched *sched, struct few_error *err)
{
    struct few__value value;
    (void)costs;
    (void)way;
    FEW__TRY(few__value_gains(p->gain, p->found, p->zoo->catalog.n_models, "q_greedy", &p->env, &value, err));
    return one_by_one(p, value, FEW__RANK_VALUE, sched, err);
}

/* ---- run_all, random ---- */

static enum few_status open_run_all(struct few_policy *p, const char *argument, struct few_error *err)
{
    if (!argument) return FEW_OK;
    return few__fail(err, FEW_EINVAL, "policy '%s': expected run_all alone, found \"%s\" behind it", p->name,
                     argument);
}

static enum few_status schedule_run_all(const struct few_policy *p, const struct few_cost *costs,
                                        enum few__way way, struct few__sched *sched, struct few_error *err)
{
    struct few__value value;
    (void)costs;
    (void)way;
    FEW__TRY(few__value_run_all(&p->zoo->catalog, &p->env, &value, err));
    return one_by_one(p, value, FEW__RANK_RATIO, sched, err);
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

static enum few_status schedule_random(const struct few_policy *p, const struct few_cost *costs,
                                       enum few__way way, struct few__sched *sched, struct few_error *err)
{
    struct few__value value;
    (void)costs;
    (void)way;
    FEW__TRY(few__value_random(&p->zoo->catalog, p->seed, &p->env, &value, err));
    return one_by_one(p, value, FEW__RANK_RATIO, sched, err);
}

/* ---- rules ---- */

static enum few_status open_rules(struct few_policy *p, const char *path, struct few_error *err)
{
    if (!path || !*path)
        return few__fail(err, FEW_EINVAL,
                         "policy '%s': expected the path of a file of rules behind \"rules:\"", p->name);
    enum few_status status = few__rules_read(path, &p->zoo->catalog, &p->arena, NULL, NULL, &p->rules, err);
    if (status != FEW_OK) return few__wrap(err, status, "policy '%s'", p->name);
    return few__sha256_file(path, p->digest, err);
}

static enum few_status schedule_rules(const struct few_policy *p, const struct few_cost *costs,
                                      enum few__way way, struct few__sched *sched, struct few_error *err)
{
    struct few__value value;
    (void)costs;
    (void)way;
    FEW__TRY(few__value_rules(&p->rules, &p->zoo->catalog, p->seed, &p->env, &value, err));
    return one_by_one(p, value, FEW__RANK_RATIO, sched, err);
}

/* ---- explore_exploit ---- */

// "0.95", ".5", "1": not by strtod, which follows the host's locale.
static bool read_share(const char *s, double *share)
{
    double value = 0, unit = 0;
    bool digits = false;
    for (; *s; s++) {
        if (*s == '.' && unit == 0) {
            unit = 1;
            continue;
        }
        if (!isdigit((unsigned char)*s)) return false;
        digits = true;
        value = 10 * value + (*s - '0');
        unit *= 10;
    }
    *share = value / (unit > 0 ? unit : 1);
    return digits;
}

// FIRST or FIRST:KEEP
static enum few_status open_explore_exploit(struct few_policy *p, const char *argument, struct few_error *err)
{
    p->first = FIRST_DEFAULT;
    p->keep = 1;
    if (!argument) return FEW_OK;
    char *end;
    errno = 0;
    unsigned long long first = strtoull(argument, &end, 10);
    if (errno || !isdigit((unsigned char)*argument) || (*end && *end != ':') || first < 1 ||
        first > FEW__EXPLORE_FIRST_MAX)
        return few__fail(
            err, FEW_EINVAL,
            "policy '%s': expected 1 to %d frames of a segment that run everything, found \"%.*s\"", p->name,
            FEW__EXPLORE_FIRST_MAX, (int)strcspn(argument, ":"), argument);
    p->first = (size_t)first;
    if (*end && !(read_share(end + 1, &p->keep) && p->keep > 0 && p->keep <= 1))
        return few__fail(err, FEW_EINVAL,
                         "policy '%s': expected a share of the value, above 0 and at most 1, found \"%s\"",
                         p->name, end + 1);
    return FEW_OK;
}

static enum few_status schedule_explore_exploit(const struct few_policy *p, const struct few_cost *costs,
                                                enum few__way way, struct few__sched *sched,
                                                struct few_error *err)
{
    struct few__value value;
    (void)costs;
    (void)way;
    FEW__TRY(few__value_segment(&p->zoo->catalog, &p->env, &value, err));
    return one_by_one(p, value, FEW__RANK_STOP, sched, err);
}

/* ---- all ---- */

static const struct few__policy_kind kinds[] = {
    {"run_all", open_run_all, schedule_run_all},
    {"random", open_random, schedule_random},
    {"static", open_static, schedule_static},
    {"rules", open_rules, schedule_rules},
    {"explore_exploit", open_explore_exploit, schedule_explore_exploit},
    {"q_greedy", open_q_greedy, schedule_q_greedy},
};

static enum few_status open_kind(struct few_policy *p, struct few_error *err)
{
    size_t n = strcspn(p->name, ":");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i].name) != n || memcmp(kinds[i].name, p->name, n) != 0) continue;
        p->kind = &kinds[i];
        return p->kind->open(p, p->name[n] ? p->name + n + 1 : NULL, err);
    }
    if (few__policy_is_file(p->name)) {
        p->kind = &few__policy_file;
        return p->kind->open(p, NULL, err);
    }
    return few__fail(
        err, FEW_EINVAL,
        "policy: expected a file of 'fewer train', run_all, random[:SEED], static:TRACE, rules:FILE, "
        "explore_exploit[:FIRST[:KEEP]] or q_greedy:TRACE, found \"%s\"",
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
    p->stop.price = -INFINITY;
    few__arena_init(&p->arena, p->env.mem, RULES_MEMORY_MAX);
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
    few__free(policy->env.mem, policy->gain);
    few__free(policy->env.mem, policy->found);
    few__free(policy->env.mem, policy->costs);
    few__learned_close(policy->learned);
    few__arena_finish(&policy->arena);
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

const char *few__policy_digest(const struct few_policy *policy)
{
    return policy->digest;
}

bool few_policy_all_variants(const struct few_policy *policy)
{
    return policy->kind == &few__policy_file;
}

bool few__policy_runs_all(const struct few_policy *policy)
{
    return policy->kind->open == open_run_all;
}

bool few__policy_explores(const struct few_policy *policy, size_t *first, double *keep)
{
    if (policy->kind->open != open_explore_exploit) return false;
    *first = policy->first;
    *keep = policy->keep;
    return true;
}

enum few_status few__policy_scheduler(const struct few_policy *policy, const struct few_cost *costs,
                                      enum few__way way, struct few__sched *sched, struct few_error *err)
{
    *sched = (struct few__sched){0};
    return policy->kind->schedule(policy, costs, way, sched, err);
}
