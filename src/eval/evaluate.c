// SPDX-License-Identifier: Apache-2.0
/* few_eval: what is asked of an evaluation, the split into train and test items, the table of methods. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/env.h"
#include "core/error.h"
#include "eval/eval.h"

#define ARENA_MAX ((size_t)8 << 30)
#define JSON_MAX  ((size_t)64 << 20)

enum { SEGMENT_US = 10000000 };

/* ---- methods ---- */

static enum few_status value_run_all(const struct few__eval *eval, struct few__value *value,
                                     struct few_error *err)
{
    return few__value_run_all(&eval->trace->catalog, &eval->env, value, err);
}

static enum few_status value_random(const struct few__eval *eval, struct few__value *value,
                                    struct few_error *err)
{
    return few__value_random(&eval->trace->catalog, eval->seed, &eval->env, value, err);
}

static enum few_status value_rules(const struct few__eval *eval, struct few__value *value,
                                   struct few_error *err)
{
    return few__value_rules(&eval->rules, &eval->trace->catalog, eval->seed, &eval->env, value, err);
}

static enum few_status value_static(const struct few__eval *eval, struct few__value *value,
                                    struct few_error *err)
{
    return few__value_static(eval->trace, eval->train, eval->n_train, eval->costs, &eval->env, value, err);
}

static enum few_status value_oracle(const struct few__eval *eval, struct few__value *value,
                                    struct few_error *err)
{
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

static enum few_status gains_static(const struct few__eval *eval, struct few__value *value,
                                    struct few_error *err)
{
    return gains_at(eval, eval->costs, "static", value, err);
}

// Q-greedy knows no costs, so its gains are those of an order that knows none.
static enum few_status value_q_greedy(const struct few__eval *eval, struct few__value *value,
                                      struct few_error *err)
{
    size_t n = eval->trace->catalog.n_models;
    struct few_cost *equal = FEW__ARENA_NEW(eval->arena, struct few_cost, n);
    if (!equal) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < n; m++) equal[m].time_us = 1;
    return gains_at(eval, equal, "q_greedy", value, err);
}

static const struct few__eval_method methods[] = {
    {"run_all", FEW__EVAL_ORDER, true, FEW__RANK_RATIO, value_run_all, NULL},
    {"random", FEW__EVAL_ORDER, true, FEW__RANK_RATIO, value_random, NULL},
    {"rules", FEW__EVAL_ORDER, false, FEW__RANK_RATIO, value_rules, NULL},
    {"static", FEW__EVAL_PACK, true, FEW__RANK_RATIO, value_static, gains_static},
    {"q_greedy", FEW__EVAL_ORDER, true, FEW__RANK_VALUE, value_q_greedy, NULL},
    {"oracle", FEW__EVAL_PACK, false, FEW__RANK_RATIO, value_oracle, value_oracle},
    {"density_greedy", FEW__EVAL_TRUTH, false, FEW__RANK_RATIO, value_oracle, NULL},
    {"bound", FEW__EVAL_BOUND, false, FEW__RANK_RATIO, NULL, NULL},
    {"explore_exploit", FEW__EVAL_EXPLORE, false, FEW__RANK_STOP, NULL, NULL},
    {"reducto", FEW__EVAL_REUSE, false, FEW__RANK_RATIO, NULL, NULL},
    {"reducto_successive", FEW__EVAL_REUSE_SUCCESSIVE, false, FEW__RANK_RATIO, NULL, NULL},
};
enum { N_METHODS = sizeof methods / sizeof *methods };

static const struct few__eval_method *find_method(const char *name)
{
    for (size_t i = 0; i < N_METHODS; i++)
        if (strcmp(methods[i].name, name) == 0) return &methods[i];
    return NULL;
}

static bool is_of_streams(const struct few__eval_method *method)
{
    return method->kind == FEW__EVAL_EXPLORE || method->kind == FEW__EVAL_REUSE ||
           method->kind == FEW__EVAL_REUSE_SUCCESSIVE;
}

static bool applies(const struct few__eval *eval, const struct few__eval_method *method)
{
    if (method->value == value_rules) return eval->rules.n > 0;
    if (!is_of_streams(method)) return true;
    return method->kind == FEW__EVAL_EXPLORE ? eval->n_moments > 0 : eval->n_looks > 0;
}

static enum few_status check_methods(const struct few__eval *eval, const struct few_eval_opts *opts,
                                     struct few_error *err)
{
    for (size_t i = 0; opts->methods && i < opts->n_methods; i++) {
        const struct few__eval_method *method = find_method(opts->methods[i]);
        if (!method)
            return few__fail(
                err, FEW_EINVAL,
                "method: expected run_all, random, rules, static, q_greedy, oracle, density_greedy, bound, "
                "explore_exploit, reducto or reducto_successive, found \"%s\"",
                opts->methods[i]);
        if (method->value == value_rules && eval->rules.n == 0)
            return few__fail(err, FEW_EINVAL, "method rules: expected a file of rules, found none");
        if (!applies(eval, method))
            return few__fail(err, FEW_EINVAL, "method %s: expected a trace with streams%s, found none",
                             method->name, method->kind == FEW__EVAL_EXPLORE ? "" : " and their looks");
        for (size_t j = 0; j < i; j++)
            if (strcmp(opts->methods[i], opts->methods[j]) == 0)
                return few__fail(err, FEW_EINVAL, "method: expected each once, found \"%s\" twice",
                                 opts->methods[i]);
    }
    return FEW_OK;
}

/* ---- what is asked ---- */

static bool same_key(double a, double b)
{
    char x[32], y[32];
    snprintf(x, sizeof x, "%g", a);
    snprintf(y, sizeof y, "%g", b);
    return strcmp(x, y) == 0;
}

static void add_deadline(struct few__eval *eval, int64_t deadline_us)
{
    for (size_t i = 0; i < eval->n_deadlines; i++) // two keys that print alike are one
        if (same_key((double)eval->deadlines_us[i] / 1e3, (double)deadline_us / 1e3)) return;
    eval->deadlines_us[eval->n_deadlines++] = deadline_us;
}

static void add_recall(struct few__eval *eval, double recall)
{
    for (size_t i = 0; i < eval->n_recalls; i++)
        if (same_key(eval->recalls[i], recall)) return;
    eval->recalls[eval->n_recalls++] = recall;
}

static void add_memory(struct few__eval *eval, uint64_t bytes)
{
    for (size_t i = 0; i < eval->n_memories; i++)
        if (same_key((double)eval->memories[i] / 0x1p20, (double)bytes / 0x1p20)) return;
    eval->memories[eval->n_memories++] = bytes;
}

static double two_digits(double value)
{
    double unit = pow(10, floor(log10(value)) - 1);
    return round(value / unit) * unit;
}

static void default_deadlines(struct few__eval *eval)
{
    static const double shares[] = {0.1, 0.2, 0.3, 0.5, 0.75, 1};
    double mean_us = eval->run_all_us / (double)eval->n_test;
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        double deadline_us = shares[i] * mean_us;
        if (deadline_us >= 1) add_deadline(eval, (int64_t)llround(two_digits(deadline_us)));
    }
}

static enum few_status read_memories(struct few__eval *eval, const struct few_eval_opts *opts,
                                     struct few_error *err)
{
    const struct few_catalog *catalog = &eval->trace->catalog;
    size_t n = opts->memories ? opts->n_memories : 0;
    if (n > FEW__EVAL_MEMORIES_MAX)
        return few__fail(err, FEW_EINVAL, "evaluation: expected at most %d memory budgets, found %zu",
                         FEW__EVAL_MEMORIES_MAX, n);
    for (size_t m = 0; n > 0 && m < catalog->n_models; m++)
        if (catalog->models[m].cost.memory_bytes == 0)
            return few__fail(err, FEW_EINVAL,
                             "memory: expected a trace that has the memory of every model, found none of %s",
                             catalog->models[m].name);
    for (size_t i = 0; i < n; i++) {
        if (opts->memories[i] == 0)
            return few__fail(err, FEW_EINVAL, "memory: expected more than 0 bytes, found 0");
        add_memory(eval, opts->memories[i]);
    }
    return FEW_OK;
}

static enum few_status read_opts(struct few__eval *eval, const struct few_eval_opts *opts,
                                 struct few_error *err)
{
    size_t n_recalls = opts->recalls ? opts->n_recalls : 0;
    size_t n_deadlines = opts->deadlines_us ? opts->n_deadlines : 0;
    if (n_recalls > FEW__EVAL_RECALLS_MAX || n_deadlines > FEW__EVAL_DEADLINES_MAX)
        return few__fail(err, FEW_EINVAL, "evaluation: expected at most %d recalls and %d deadlines",
                         FEW__EVAL_RECALLS_MAX, FEW__EVAL_DEADLINES_MAX);
    for (size_t i = 0; i < n_recalls; i++) {
        if (!(opts->recalls[i] >= 0 && opts->recalls[i] <= 1))
            return few__fail(err, FEW_EINVAL, "recall: expected 0 to 1, found %g", opts->recalls[i]);
        add_recall(eval, opts->recalls[i]);
    }
    for (size_t i = 0; i < n_deadlines; i++) {
        if (opts->deadlines_us[i] <= 0)
            return few__fail(err, FEW_EINVAL, "deadline: expected more than 0 us, found %lld",
                             (long long)opts->deadlines_us[i]);
        add_deadline(eval, opts->deadlines_us[i]);
    }
    if (!opts->recalls)
        for (int i = 1; i <= 10; i++) add_recall(eval, i / 10.0);
    if (!opts->deadlines_us) default_deadlines(eval);
    if (opts->segment_us < 0)
        return few__fail(err, FEW_EINVAL, "segment: expected more than 0 us, found %lld",
                         (long long)opts->segment_us);
    eval->segment_us = opts->segment_us ? opts->segment_us : SEGMENT_US;
    FEW__TRY(read_memories(eval, opts, err));
    return check_methods(eval, opts, err);
}

/* ---- the trace ---- */

// A replay needs the truth: every model ran, failed, or had a need that gave it nothing to look at.
// Returns the first model of the item that did not, or the number of models.
static size_t find_gap(const struct few__trace *trace, size_t item)
{
    size_t m = 0;
    for (; m < trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, item, m);
        int needs = trace->catalog.models[m].needs;
        if (cell->outcome == FEW_EXECUTED || cell->outcome == FEW_FAILED || cell->empty) continue;
        if (needs < 0) break;
        const struct few__trace_cell *need = few__trace_cell(trace, item, (size_t)needs);
        if (need->outcome == FEW_EXECUTED && !need->empty) break;
    }
    return m;
}

static enum few_status no_whole_item(const struct few__trace *trace, struct few_error *err)
{
    size_t gap = find_gap(trace, 0);
    return few__fail(err, FEW_EINVAL, "expected a trace in which every model ran, found %s %s on %s",
                     trace->catalog.models[gap].name,
                     few_outcome_name(few__trace_cell(trace, 0, gap)->outcome), trace->items[0].path);
}

static void count_moments(struct few__eval *eval)
{
    const struct few__trace_item *items = eval->trace->items;
    for (size_t i = 0; i < eval->n_test; i++) {
        eval->n_moments += items[eval->test[i]].stream >= 0;
        eval->n_looks += items[eval->test[i]].stream >= 0 && items[eval->test[i]].look;
    }
}

// Items with a gap are left out; one split for all methods.
static enum few_status split(struct few__eval *eval, struct few_error *err)
{
    const struct few__trace *trace = eval->trace;
    size_t *train = FEW__ARENA_NEW(eval->arena, size_t, trace->n_items);
    size_t *test = FEW__ARENA_NEW(eval->arena, size_t, trace->n_items);
    size_t *all = FEW__ARENA_NEW(eval->arena, size_t, trace->n_items), n_all = 0;
    if (!train || !test || !all) return few__no_memory(err, "evaluation");
    for (size_t i = 0; i < trace->n_items; i++) {
        if (find_gap(trace, i) < trace->catalog.n_models) continue;
        all[n_all++] = i;
        if (trace->items[i].is_test) test[eval->n_test++] = i;
        else train[eval->n_train++] = i;
    }
    if (n_all == 0) return no_whole_item(trace, err);
    eval->n_incomplete = trace->n_items - n_all;
    eval->same_items = eval->n_train == 0 || eval->n_test == 0;
    eval->train = eval->same_items ? all : train;
    eval->test = eval->same_items ? all : test;
    if (eval->same_items) eval->n_train = eval->n_test = n_all;
    count_moments(eval);
    return FEW_OK;
}

static enum few_status measure_wholes(struct few__eval *eval, struct few_error *err)
{
    size_t n_models = eval->trace->catalog.n_models;
    struct few_cost *costs = FEW__ARENA_NEW(eval->arena, struct few_cost, n_models);
    struct few__eval_whole *wholes = FEW__ARENA_NEW(eval->arena, struct few__eval_whole, eval->n_test);
    float *seen = FEW__ARENA_NEW(eval->arena, float, eval->trace->catalog.n_labels);
    if (!costs || !wholes || !seen) return few__no_memory(err, "evaluation");
    for (size_t m = 0; m < n_models; m++) {
        costs[m] = eval->trace->catalog.models[m].cost;
        if (costs[m].time_us <= 0) costs[m].time_us = 1;
    }
    for (size_t i = 0; i < eval->n_test; i++) {
        wholes[i] = few__eval_whole(eval->trace, eval->test[i], seen);
        eval->run_all_us += wholes[i].time_us;
    }
    eval->costs = costs;
    eval->wholes = wholes;
    return FEW_OK;
}

static enum few_status prepare(struct few__eval *eval, const struct few_eval_opts *opts,
                               struct few_error *err)
{
    if (eval->trace->n_items == 0 || eval->trace->catalog.n_models == 0)
        return few__fail(err, FEW_EINVAL,
                         "expected a trace with items and models, found %zu items, %zu models",
                         eval->trace->n_items, eval->trace->catalog.n_models);
    FEW__TRY(split(eval, err));
    FEW__TRY(measure_wholes(eval, err));
    if (opts->rules)
        FEW__TRY(
            few__rules_read(opts->rules, &eval->trace->catalog, eval->arena, NULL, NULL, &eval->rules, err));
    return read_opts(eval, opts, err);
}

/* ---- the answer ---- */

// Text handed out is freed without the host's allocator in reach, so it comes from the default one.
static enum few_status write_answer(const struct few__eval *eval, const struct few__eval_result *results,
                                    size_t n_results, char **json, struct few_error *err)
{
    struct few__text text;
    few__text_init(&text, eval->env.mem, JSON_MAX);
    few__eval_json(eval, results, n_results, &text);
    if (few__text_ok(&text)) *json = few__strdup(few__mem_default(), text.s);
    few__text_finish(&text);
    return *json ? FEW_OK : few__no_memory(err, "evaluation");
}

static enum few_status replay(const struct few__eval *eval, const struct few__eval_method *method,
                              struct few__eval_result *result, struct few_error *err)
{
    bool decides = method->kind == FEW__EVAL_ORDER || method->kind == FEW__EVAL_PACK;
    *result = (struct few__eval_result){.method = method};
    if (method->kind == FEW__EVAL_EXPLORE) return few__eval_explore(eval, result, err);
    if (is_of_streams(method)) return few__eval_reuse(eval, result, err);
    if (method->kind != FEW__EVAL_BOUND) FEW__TRY(few__eval_replay(eval, method, result, err));
    return decides ? few__eval_memory(eval, result, err) : few__eval_bound(eval, result, err);
}

static enum few_status answer(struct few__eval *eval, const struct few_eval_opts *opts, char **json,
                              struct few_error *err)
{
    struct few__eval_result results[N_METHODS];
    size_t n_asked = opts->methods ? opts->n_methods : N_METHODS, n = 0;
    for (size_t i = 0; i < n_asked; i++) {
        const struct few__eval_method *method = opts->methods ? find_method(opts->methods[i]) : &methods[i];
        if (!applies(eval, method)) continue;
        FEW__TRY(replay(eval, method, &results[n++], err));
    }
    return write_answer(eval, results, n, json, err);
}

// Outputs and looks take far more room than labels do, and only streams want them.
static enum few_status load(const char *path, const struct few_eval_opts *opts, const struct few_env *env,
                            struct few__trace **trace, struct few_error *err)
{
    bool wanted = !opts->methods, streams = false;
    for (size_t i = 0; opts->methods && i < opts->n_methods; i++) {
        const struct few__eval_method *method = find_method(opts->methods[i]);
        if (method) wanted |= is_of_streams(method);
    }
    FEW__TRY(few__trace_load(path, false, env, trace, err));
    for (size_t i = 0; i < (*trace)->n_items; i++) streams |= (*trace)->items[i].stream >= 0;
    if (!wanted || !streams) return FEW_OK;
    few__trace_free(*trace);
    return few__trace_load(path, true, env, trace, err);
}

enum few_status few_eval(const char *trace_path, const struct few_eval_opts *opts, char **json,
                         struct few_error *err)
{
    const struct few_eval_opts defaults = {.size = sizeof defaults};
    *json = NULL;
    if (!opts) opts = &defaults;
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "evaluation options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    struct few_env env = few__env(&opts->env);
    struct few__trace *trace = NULL;
    FEW__TRY(load(trace_path, opts, &env, &trace, err));
    struct few__arena arena;
    few__arena_init(&arena, env.mem, ARENA_MAX);
    struct few__eval eval = {.env = env, .arena = &arena, .trace = trace, .seed = opts->seed};
    enum few_status status = prepare(&eval, opts, err);
    if (status == FEW_OK) status = answer(&eval, opts, json, err);
    few__arena_finish(&arena);
    few__trace_free(trace);
    return status == FEW_EINVAL ? few__wrap(err, status, "%s", trace_path) : status;
}

void few_text_free(char *text)
{
    few__free(few__mem_default(), text);
}
