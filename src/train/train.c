// SPDX-License-Identifier: Apache-2.0
/* few_train: what is asked, the trace, the items; then train_methods.c learns. Nothing depends on the number of threads. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fewer/learn.h>

#include "core/env.h"
#include "core/error.h"
#include "train/train_inside.h"

#define JSON_MAX ((size_t)16 << 20)

static enum few_status check_opts(const struct few_train_opts *opts, struct few_error *err)
{
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "training options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    if (opts->split < 0 || opts->split > 100)
        return few__fail(err, FEW_EINVAL, "split: expected 1 to 100, found %d", opts->split);
    if (opts->threads > FEW_TRAIN_THREADS_MAX)
        return few__fail(err, FEW_EINVAL, "threads: expected at most %d, found %zu", FEW_TRAIN_THREADS_MAX,
                         opts->threads);
    return FEW_OK;
}

/* ---- a policy that parts are kept of ---- */

// What is kept has to be of the same models and items, or methods could not be compared.
static enum few_status check_from(const struct few__training *t, struct few_error *err)
{
    const struct few__learned_about about = few__learned_about(t->from);
    const struct few_catalog *catalog = &t->trace->catalog;
    struct few__value value;
    if (about.split != t->split_at || strcmp(about.source, t->source) != 0)
        return few__fail(err, FEW_EINVAL,
                         "%s: expected a policy of split %d and source '%s', found split %d and source '%s'",
                         t->opts->from, t->split_at, t->source, about.split, about.source);
    if (about.n_models != catalog->n_models)
        return few__fail(err, FEW_EINVAL, "%s: expected a policy of the trace's %zu models, found one of %zu",
                         t->opts->from, catalog->n_models, about.n_models);
    for (size_t m = 0; m < about.n_models; m++)
        if (strcmp(catalog->models[m].name, about.models[m]) != 0)
            return few__fail(
                err, FEW_EINVAL,
                "%s: expected the trace's models in their order, found '%s' in the place of '%s'",
                t->opts->from, about.models[m], catalog->models[m].name);
    FEW__TRY(few__learned_value(t->from, 0, catalog, t->costs, &t->env, &value, err));
    value.destroy(value.self);
    return FEW_OK;
}

/* ---- the trace ---- */

static bool has_value(const struct few__training *t)
{
    size_t n_models = t->trace->catalog.n_models;
    for (size_t i = 0; i < t->split.n_items; i++)
        for (size_t m = 0; m < n_models; m++) {
            const struct few__trace_cell *cell = few__trace_cell(t->trace, t->split.items[i], m);
            if (cell->outcome == FEW_EXECUTED && cell->n_valuable > 0) return true;
        }
    return false;
}

static enum few_status look_at_trace(struct few__training *t, struct few_error *err)
{
    const struct few_catalog *catalog = &t->trace->catalog;
    if (catalog->n_models == 0) return few__fail(err, FEW_EINVAL, "expected models, found none");
    FEW__TRY(few__split_create(t->trace, t->split_at, t->source, &t->arena, &t->split, err));
    if (!has_value(t))
        return few__fail(err, FEW_EINVAL,
                         "expected items on which some model says something of value, found none among %zu: "
                         "there is nothing to choose models by",
                         t->split.n_items);
    t->costs = FEW__ARENA_NEW(&t->arena, struct few_cost, catalog->n_models);
    if (!t->costs) return few__no_memory(err, "training");
    for (size_t m = 0; m < catalog->n_models; m++) {
        t->costs[m] = catalog->models[m].cost;
        if (t->costs[m].time_us <= 0) t->costs[m].time_us = 1;
    }
    return FEW_OK;
}

static bool wants_outputs(const struct few__training *t)
{
    bool wanted = false;
    for (size_t i = 0; i < t->n_methods; i++)
        wanted |= t->methods[i].learner && t->methods[i].row->has_outputs;
    return wanted;
}

/* ---- all ---- */

static enum few_status open_all(struct few__training *t, struct few_error *err)
{
    t->folder = few__arena_printf(&t->arena, "%s.training", t->out_path);
    if (!t->folder) return few__no_memory(err, "training");
    if (t->opts->from) FEW__TRY(few__learned_open(t->opts->from, &t->env, &t->from, err));
    FEW__TRY(few__train_plan(t, err));
    FEW__TRY(few__trace_load(t->trace_path, wants_outputs(t), &t->env, &t->trace, err));
    FEW__TRY(few__sha256_file(t->trace_path, t->digest, err));
    enum few_status status = look_at_trace(t, err);
    if (status != FEW_OK) return few__wrap(err, status, "%s", t->trace_path);
    return t->from ? check_from(t, err) : FEW_OK;
}

// Text handed out is freed without the host's allocator in reach, so it comes from the default one.
static enum few_status write_answer(const struct few__training *t, char **json, struct few_error *err)
{
    struct few__text text;
    if (!json) return FEW_OK;
    few__text_init(&text, t->env.mem, JSON_MAX);
    few__train_json(t, &text);
    if (few__text_ok(&text)) *json = few__strdup(few__mem_default(), text.s);
    few__text_finish(&text);
    return *json ? FEW_OK : few__no_memory(err, "training");
}

static enum few_status train(struct few__training *t, char **json, struct few_error *err)
{
    bool exists = access(t->out_path, F_OK) == 0;
    if (exists && !t->opts->overwrite && !t->opts->dry_run)
        return few__fail(err, FEW_EEXIST, "%s: exists already", t->out_path);
    FEW__TRY(open_all(t, err));
    if (t->opts->dry_run) {
        FEW__TRY(few__train_look(t, err));
        return write_answer(t, json, err);
    }
    FEW__TRY(few__train_learn(t, err));
    FEW__TRY(write_answer(t, json, err));
    FEW__TRY(few__train_write(t, err));
    few__pieces_remove(t->folder);
    return FEW_OK;
}

enum few_status few_train(const char *trace_path, const char *out_path, const struct few_train_opts *opts,
                          char **json, struct few_error *err)
{
    const struct few_train_opts defaults = {.size = sizeof defaults};
    if (json) *json = NULL;
    if (!opts) opts = &defaults;
    FEW__TRY(check_opts(opts, err));
    struct few__training t = {.env = few__env(&opts->env),
                              .opts = opts,
                              .trace_path = trace_path,
                              .out_path = out_path,
                              .source = opts->source ? opts->source : "",
                              .split_at = opts->split ? opts->split : FEW__SPLIT_DEFAULT};
    few__arena_init(&t.arena, t.env.mem, SIZE_MAX / 2); // the trace in memory is the limit
    enum few_status status = train(&t, json, err);
    if (status != FEW_OK && json && *json) {
        few__free(few__mem_default(), *json);
        *json = NULL;
    }
    few__pieces_free(t.pieces, t.n_pieces);
    few__arena_finish(&t.arena);
    few__trace_free(t.trace);
    few__learned_close(t.from);
    return status;
}
