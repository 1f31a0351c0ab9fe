// SPDX-License-Identifier: Apache-2.0
/* What is asked of an evaluation: the options, the policy, the trace, and its split into train and test items. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/crew.h"
#include "core/env.h"
#include "core/error.h"
#include "eval/eval_tally.h"
#include "policy/method_replay.h"

#define ARENA_MAX ((size_t)8 << 30)

enum { SEGMENT_US = 10000000 };

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
    static const double shares[] = {0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1};
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

static enum few_status read_priority(struct few__eval *eval, const char *name, struct few_error *err)
{
    const struct few_catalog *catalog = &eval->trace->catalog;
    eval->priority_model = SIZE_MAX;
    for (size_t m = 0; name && m < catalog->n_models; m++)
        if (strcmp(catalog->models[m].name, name) == 0) eval->priority_model = m;
    if (!name || eval->priority_model != SIZE_MAX) return FEW_OK;
    return few__fail(err, FEW_EINVAL, "priority: expected a model of the trace, found \"%s\"", name);
}

static enum few_status read_opts(struct few__eval *eval, const struct few_eval_opts *opts,
                                 struct few_error *err)
{
    static const double usual[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1};
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
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) add_recall(eval, usual[i]);
    if (!opts->deadlines_us) default_deadlines(eval);
    if (opts->segment_us < 0)
        return few__fail(err, FEW_EINVAL, "segment: expected more than 0 us, found %lld",
                         (long long)opts->segment_us);
    eval->wants_sources = opts->by_source;
    FEW__TRY(read_priority(eval, opts->priority, err));
    eval->segment_us = opts->segment_us ? opts->segment_us : SEGMENT_US;
    FEW__TRY(read_memories(eval, opts, err));
    return few__eval_check_methods(eval, opts->methods, opts->methods ? opts->n_methods : 0, err);
}

/* ---- the trace ---- */

static enum few_status no_whole_item(const struct few__trace *trace, struct few_error *err)
{
    size_t gap = few__replay_gap(trace, 0);
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

// What begins with the source that the policy was learned from, if it was learned from one.
static bool is_learned_from(const struct few__eval *eval, const char *path)
{
    const char *source = eval->learned ? few__learned_about(eval->learned).source : NULL;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return !source || strncmp(name, source, strlen(source)) == 0;
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
        if (few__replay_gap(trace, i) < trace->catalog.n_models) continue;
        all[n_all++] = i;
        if (trace->items[i].bucket >= eval->split) test[eval->n_test++] = i;
        else if (is_learned_from(eval, trace->items[i].path)) train[eval->n_train++] = i;
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

/* The policy's split unless another one is asked for: what it was learned from tests nothing. */
static enum few_status read_split(struct few__eval *eval, int asked, struct few_error *err)
{
    int least = eval->learned ? few__learned_about(eval->learned).split : 0;
    if (asked < 0 || asked > 99)
        return few__fail(err, FEW_EINVAL, "split: expected 1 to 99, found %d", asked);
    eval->split = asked ? asked : least ? least : FEW__SPLIT_DEFAULT;
    if (eval->split >= least) return FEW_OK;
    return few__fail(err, FEW_EINVAL,
                     "split: expected at least %d, which the policy was learned with, found %d", least,
                     asked);
}

/* A policy that knows other models is refused before anything takes time. */
static enum few_status check_policy(const struct few__eval *eval, struct few_error *err)
{
    struct few__value value;
    if (!eval->learned || few__learned_about(eval->learned).n_methods == 0) return FEW_OK;
    FEW__TRY(
        few__learned_value(eval->learned, 0, &eval->trace->catalog, eval->costs, &eval->env, &value, err));
    if (value.destroy) value.destroy(value.self);
    return FEW_OK;
}

static enum few_status prepare(struct few__eval *eval, const struct few_eval_opts *opts,
                               struct few_error *err)
{
    if (eval->trace->n_items == 0 || eval->trace->catalog.n_models == 0)
        return few__fail(err, FEW_EINVAL,
                         "expected a trace with items and models, found %zu items, %zu models",
                         eval->trace->n_items, eval->trace->catalog.n_models);
    if (opts->n_threads > FEW__CREW_MAX)
        return few__fail(err, FEW_EINVAL, "threads: expected at most %d, found %zu", FEW__CREW_MAX,
                         opts->n_threads);
    FEW__TRY(few__eval_methods(eval, err));
    FEW__TRY(read_split(eval, opts->split, err));
    FEW__TRY(split(eval, err));
    FEW__TRY(measure_wholes(eval, err));
    if (opts->rules)
        FEW__TRY(
            few__rules_read(opts->rules, &eval->trace->catalog, eval->arena, NULL, NULL, &eval->rules, err));
    FEW__TRY(read_opts(eval, opts, err));
    FEW__TRY(few__eval_units(eval, err));
    return check_policy(eval, err);
}

bool few__eval_is_asked(const struct few_eval_opts *opts, const char *name)
{
    bool asked = !opts->methods;
    for (size_t i = 0; opts->methods && i < opts->n_methods; i++)
        asked |= strcmp(opts->methods[i], name) == 0;
    return asked;
}

// Outputs and looks take far more room than labels do: only where there are streams, or a method that looks at them.
static enum few_status load(struct few__eval *eval, const char *path, const struct few_eval_opts *opts,
                            struct few_error *err)
{
    struct few__learned_about about = {0};
    bool wanted = false, of_streams = false, streams = false;
    if (eval->learned) about = few__learned_about(eval->learned);
    for (size_t i = 0; i < about.n_methods; i++)
        wanted |= about.methods[i].has_outputs && few__eval_is_asked(opts, about.methods[i].name);
    of_streams = few__eval_is_asked(opts, "explore_exploit") || few__eval_is_asked(opts, "reducto") ||
                 few__eval_is_asked(opts, "reducto_successive");
    FEW__TRY(few__trace_load(path, wanted, &eval->env, &eval->loaded, err));
    for (size_t i = 0; i < eval->loaded->n_items; i++) streams |= eval->loaded->items[i].stream >= 0;
    if (wanted || !of_streams || !streams) return FEW_OK;
    few__trace_free(eval->loaded);
    return few__trace_load(path, true, &eval->env, &eval->loaded, err);
}

enum few_status few__eval_open(const char *trace_path, const struct few_eval_opts *opts,
                               struct few__eval *eval, struct few_error *err)
{
    *eval = (struct few__eval){.env = few__env(&opts->env), .seed = opts->seed};
    few__arena_init(&eval->memory, eval->env.mem, ARENA_MAX);
    eval->arena = &eval->memory;
    if (opts->policy) FEW__TRY(few__learned_open(opts->policy, &eval->env, &eval->learned, err));
    FEW__TRY(load(eval, trace_path, opts, err));
    eval->trace = eval->loaded;
    enum few_status status = prepare(eval, opts, err);
    return status == FEW_EINVAL ? few__wrap(err, status, "%s", trace_path) : status;
}

void few__eval_close(struct few__eval *eval)
{
    few__arena_finish(&eval->memory);
    few__trace_free(eval->loaded);
    few__learned_close(eval->learned);
}
