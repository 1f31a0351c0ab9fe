// SPDX-License-Identifier: Apache-2.0
/* The methods that compete: a row for each that needs no policy, and those of the policy file between them, behind the
 * baselines and before what knows the truth. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "eval/eval.h"

static enum few_status value_run_all(const struct few__eval *eval, const struct few__eval_method *method,
                                     struct few__value *value, struct few_error *err)
{
    (void)method;
    return few__value_run_all(&eval->trace->catalog, &eval->env, value, err);
}

static enum few_status value_random(const struct few__eval *eval, const struct few__eval_method *method,
                                    struct few__value *value, struct few_error *err)
{
    (void)method;
    return few__value_random(&eval->trace->catalog, eval->seed, &eval->env, value, err);
}

static enum few_status value_rules(const struct few__eval *eval, const struct few__eval_method *method,
                                   struct few__value *value, struct few_error *err)
{
    (void)method;
    return few__value_rules(&eval->rules, &eval->trace->catalog, eval->seed, &eval->env, value, err);
}

static enum few_status value_static(const struct few__eval *eval, const struct few__eval_method *method,
                                    struct few__value *value, struct few_error *err)
{
    (void)method;
    return few__value_static(eval->trace, eval->train, eval->n_train, eval->costs, &eval->env, value, err);
}

static enum few_status value_oracle(const struct few__eval *eval, const struct few__eval_method *method,
                                    struct few__value *value, struct few_error *err)
{
    (void)method;
    return few__value_oracle(eval->trace, &eval->env, value, err);
}

// Greedy by mean marginal value, on the train items, with what each model adds there.
static enum few_status gains_at(const struct few__eval *eval, const struct few_cost *costs, const char *name,
                                struct few__value *value, struct few_error *err)
{
    size_t n = eval->trace->catalog.n_models;
    struct few__static_plan plan = {.order = FEW__ARENA_NEW(eval->arena, size_t, n),
                                    .gain = FEW__ARENA_NEW(eval->arena, double, n),
                                    .found = FEW__ARENA_NEW(eval->arena, double, n)};
    if (!plan.order || !plan.gain || !plan.found) return few__no_memory(err, "evaluation");
    FEW__TRY(few__static_plan(eval->trace, eval->train, eval->n_train, costs, &eval->env, &plan, err));
    return few__value_gains(plan.gain, plan.found, n, name, &eval->env, value, err);
}

static enum few_status gains_static(const struct few__eval *eval, const struct few__eval_method *method,
                                    struct few__value *value, struct few_error *err)
{
    (void)method;
    return gains_at(eval, eval->costs, "static", value, err);
}

// Q-greedy knows no costs, so its gains are those of an order that knows none.
static enum few_status value_q_greedy(const struct few__eval *eval, const struct few__eval_method *method,
                                      struct few__value *value, struct few_error *err)
{
    (void)method;
    size_t n = eval->trace->catalog.n_models;
    struct few_cost *equal = FEW__ARENA_NEW(eval->arena, struct few_cost, n);
    if (!equal) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < n; m++) equal[m].time_us = 1;
    return gains_at(eval, equal, "q_greedy", value, err);
}

static size_t number_of(const struct few__eval *eval, const struct few__eval_method *method)
{
    return (size_t)(method->learned - few__learned_about(eval->learned).methods);
}

static enum few_status value_learned(const struct few__eval *eval, const struct few__eval_method *method,
                                     struct few__value *value, struct few_error *err)
{
    return few__learned_value(eval->learned, number_of(eval, method), &eval->trace->catalog, eval->costs,
                              &eval->env, value, err);
}

static enum few_status gains_learned(const struct few__eval *eval, const struct few__eval_method *method,
                                     struct few__value *value, struct few_error *err)
{
    return few__learned_gains(eval->learned, number_of(eval, method), &eval->trace->catalog, &eval->env,
                              value, err);
}

static const struct few__eval_method rows[] = {
    {"run_all", FEW__EVAL_ORDER, true, FEW__RANK_RATIO, value_run_all, NULL, NULL, NULL},
    {"random", FEW__EVAL_ORDER, true, FEW__RANK_RATIO, value_random, NULL, NULL, NULL},
    {"rules", FEW__EVAL_ORDER, false, FEW__RANK_RATIO, value_rules, NULL, NULL, NULL},
    {"static", FEW__EVAL_PACK, true, FEW__RANK_RATIO, value_static, gains_static, NULL, NULL},
    {"q_greedy", FEW__EVAL_ORDER, true, FEW__RANK_VALUE, value_q_greedy, NULL, NULL, NULL},
    {"oracle", FEW__EVAL_PACK, false, FEW__RANK_RATIO, value_oracle, value_oracle, NULL, NULL},
    {"density_greedy", FEW__EVAL_TRUTH, false, FEW__RANK_RATIO, value_oracle, NULL, NULL, NULL},
    {"bound", FEW__EVAL_BOUND, false, FEW__RANK_RATIO, NULL, NULL, NULL, NULL},
    {"explore_exploit", FEW__EVAL_EXPLORE, false, FEW__RANK_STOP, NULL, NULL, NULL, NULL},
    {"reducto", FEW__EVAL_REUSE, false, FEW__RANK_RATIO, NULL, NULL, NULL, NULL},
    {"reducto_successive", FEW__EVAL_REUSE_SUCCESSIVE, false, FEW__RANK_RATIO, NULL, NULL, NULL, NULL},
};
enum { N_ROWS = sizeof rows / sizeof *rows, N_BASELINES = 5 };

bool few__eval_of_streams(const struct few__eval_method *method)
{
    return method->kind == FEW__EVAL_EXPLORE || method->kind == FEW__EVAL_REUSE ||
           method->kind == FEW__EVAL_REUSE_SUCCESSIVE;
}

struct few__eval_method few__eval_learned_method(const struct few__learned_method *learned)
{
    return (struct few__eval_method){.name = learned->name,
                                     .kind = FEW__EVAL_PACK,
                                     .rank = learned->rank,
                                     .value = value_learned,
                                     .gains = gains_learned,
                                     .learned = learned};
}

// One of the same name as a baseline does not compete, but what it promises is looked at.
static void add_learned(const struct few__learned_method *learned, struct few__eval_method *all, size_t *n)
{
    for (size_t i = 0; i < N_BASELINES; i++) {
        if (strcmp(all[i].name, learned->name) != 0) continue;
        all[i].twin = learned;
        return;
    }
    all[(*n)++] = few__eval_learned_method(learned);
}

enum few_status few__eval_methods(struct few__eval *eval, struct few_error *err)
{
    struct few__learned_about about = {0};
    if (eval->learned) about = few__learned_about(eval->learned);
    struct few__eval_method *all =
        FEW__ARENA_NEW(eval->arena, struct few__eval_method, N_ROWS + about.n_methods);
    if (!all) return few__no_memory(err, "evaluation");
    size_t n = 0;
    for (size_t i = 0; i < N_BASELINES; i++) all[n++] = rows[i];
    for (size_t i = 0; i < about.n_methods; i++) add_learned(&about.methods[i], all, &n);
    for (size_t i = N_BASELINES; i < N_ROWS; i++) all[n++] = rows[i];
    eval->methods = all;
    eval->n_methods = n;
    return FEW_OK;
}

const struct few__eval_method *few__eval_find(const struct few__eval *eval, const char *name)
{
    for (size_t i = 0; i < eval->n_methods; i++)
        if (strcmp(eval->methods[i].name, name) == 0) return &eval->methods[i];
    return NULL;
}

bool few__eval_applies(const struct few__eval *eval, const struct few__eval_method *method)
{
    if (method->value == value_rules) return eval->rules.n > 0;
    if (!few__eval_of_streams(method)) return true;
    return method->kind == FEW__EVAL_EXPLORE ? eval->n_moments > 0 : eval->n_looks > 0;
}

static enum few_status unknown(const struct few__eval *eval, const char *name, struct few_error *err)
{
    char names[400];
    size_t used = 0;
    for (size_t i = 0; i < eval->n_methods && used < sizeof names; i++) {
        const char *before = i == 0 ? "" : i + 1 == eval->n_methods ? " or " : ", ";
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", before, eval->methods[i].name);
    }
    return few__fail(err, FEW_EINVAL, "method: expected %s, found \"%s\"", names, name);
}

enum few_status few__eval_check_methods(const struct few__eval *eval, const char *const *names, size_t n,
                                        struct few_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct few__eval_method *method = few__eval_find(eval, names[i]);
        if (!method) return unknown(eval, names[i], err);
        if (method->value == value_rules && eval->rules.n == 0)
            return few__fail(err, FEW_EINVAL, "method rules: expected a file of rules, found none");
        if (!few__eval_applies(eval, method))
            return few__fail(err, FEW_EINVAL, "method %s: expected a trace with streams%s, found none",
                             method->name, method->kind == FEW__EVAL_EXPLORE ? "" : " and their looks");
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0)
                return few__fail(err, FEW_EINVAL, "method: expected each once, found \"%s\" twice", names[i]);
    }
    return FEW_OK;
}
