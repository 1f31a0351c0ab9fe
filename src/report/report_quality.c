// SPDX-License-Identifier: Apache-2.0
/* A run beside a trace: what its answers were worth, as docs/evaluate.md and few__agreement define it. Items are the same
 * when their bytes are (else, when their path is); models, when name, kind and labels are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "model/agreement.h"
#include "model/catalog.h"
#include "model/output.h"
#include "report/report.h"
#include "store/trace.h"

#define ARENA_MAX ((size_t)1 << 30)

enum { RANGE_ITEMS = 1000 }; // that the spread of a scalar is read from
static const double low_share = 0.05, high_share = 0.95;

struct few__quality {
    struct few_env env;
    struct few__arena arena;
    const char *path;
    struct few__store *trace;
    const struct few_catalog *catalog; // the run's
    size_t n_theirs;
    struct few__cell *cells;        // (n_theirs,) of one item of the trace
    int *of;                        // (n_models,) the trace's model, -1 = none
    double *range;                  // (n_models,) of scalars
    struct few__report_mean *agree; // (n_models,)
    float *whole, *got;             // (n_labels,) zeros between items
    int32_t *touched;               // (n_labels,) of which whole or got is not 0
    size_t n_touched;
    struct few__quality_sums sums;
};

/* ---- the same models ---- */

static bool same_model(const struct few_model *a, const struct few_model *b)
{
    if (a->kind != b->kind || a->n_labels != b->n_labels) return false;
    for (size_t i = 0; i < a->n_labels; i++)
        if (strcmp(a->labels[i], b->labels[i]) != 0) return false;
    return true;
}

static void match_models(struct few__quality *q)
{
    const struct few_catalog *theirs = few__store_catalog(q->trace);
    for (size_t m = 0; m < q->catalog->n_models; m++) {
        const struct few_model *model = &q->catalog->models[m];
        int t = few__catalog_find(theirs, model->name);
        q->of[m] = t >= 0 && same_model(model, &theirs->models[t]) ? t : -1;
        q->sums.n_models += q->of[m] >= 0;
    }
}

/* ---- the spread of scalars ---- */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

// values: (RANGE_ITEMS,) room for each model, counts: (n_models,) how many there are.
static enum few_status read_scalars(struct few__quality *q, double *values, size_t *counts,
                                    struct few__arena *scratch, struct few_error *err)
{
    int64_t n_items;
    FEW__TRY(few__store_count(q->trace, &n_items, err));
    int64_t n = n_items < RANGE_ITEMS ? n_items : RANGE_ITEMS;
    for (int64_t i = 0; i < n; i++) {
        struct few__item_row row;
        enum few_status status = few__store_get(q->trace, i * n_items / n, &row, q->cells, err);
        if (status == FEW_END) continue;
        if (status != FEW_OK) return status;
        for (size_t m = 0; m < q->catalog->n_models; m++) {
            const struct few_model *model = &q->catalog->models[m];
            if (model->kind != FEW_SCALAR || q->of[m] < 0 || !q->cells[q->of[m]].output) continue;
            const struct few__cell *cell = &q->cells[q->of[m]];
            struct few_output output;
            FEW__TRY(few__trace_unpack(model, cell->output, cell->n_output, scratch, &output, err));
            if (!output.empty && isfinite(output.values[0]))
                values[m * RANGE_ITEMS + counts[m]++] = (double)output.values[0];
        }
        few__arena_reset(scratch);
    }
    return FEW_OK;
}

static enum few_status measure_ranges(struct few__quality *q, struct few_error *err)
{
    size_t n_models = q->catalog->n_models, n_scalars = 0;
    for (size_t m = 0; m < n_models; m++) n_scalars += q->catalog->models[m].kind == FEW_SCALAR;
    if (n_scalars == 0) return FEW_OK;
    struct few__arena scratch;
    few__arena_init(&scratch, q->env.mem, ARENA_MAX);
    double *values = FEW__NEW_N(q->env.mem, double, n_models *RANGE_ITEMS);
    size_t *counts = FEW__NEW_N(q->env.mem, size_t, n_models);
    enum few_status status =
        values && counts ? read_scalars(q, values, counts, &scratch, err) : few__no_memory(err, q->path);
    for (size_t m = 0; status == FEW_OK && m < n_models; m++) {
        double *mine = values + m * RANGE_ITEMS;
        if (counts[m] == 0) continue;
        qsort(mine, counts[m], sizeof *mine, by_value);
        double last = (double)(counts[m] - 1);
        q->range[m] = mine[(size_t)(high_share * last + 0.5)] - mine[(size_t)(low_share * last + 0.5)];
    }
    few__free(q->env.mem, values);
    few__free(q->env.mem, counts);
    few__arena_finish(&scratch);
    return status;
}

/* ---- one item ---- */

static enum few_status find(struct few__quality *q, const struct few__item_row *row,
                            struct few__item_row *theirs, struct few_error *err)
{
    struct few__known known;
    enum few_status status = FEW_END;
    if (*row->digest) status = few__store_find_digest(q->trace, row->digest, &known, err);
    if (status == FEW_END) status = few__store_find_path(q->trace, row->path, &known, err);
    return status == FEW_OK ? few__store_get(q->trace, known.id, theirs, q->cells, err) : status;
}

static void add(struct few__report_mean *mean, double value)
{
    mean->sum += value;
    mean->n++;
}

static enum few_status note_labels(struct few__quality *q, const struct few_model *model,
                                   const struct few_output *output, float *into, struct few__arena *scratch,
                                   struct few_error *err)
{
    size_t max = few__valuable_max(model);
    struct few_valuable *found = FEW__ARENA_NEW(scratch, struct few_valuable, max);
    if (!found) return few__no_memory(err, q->path);
    size_t n = few__valuable(model, output, found, max);
    for (size_t i = 0; i < n; i++) {
        int32_t label = found[i].label;
        if (q->whole[label] == 0 && q->got[label] == 0) q->touched[q->n_touched++] = label;
        if (found[i].confidence > into[label]) into[label] = found[i].confidence;
    }
    return FEW_OK;
}

// A label that is not there when everything runs is worth nothing, and none is worth more than then.
static void add_recall(struct few__quality *q)
{
    double whole = 0, got = 0, n_whole = 0, n_got = 0;
    for (size_t i = 0; i < q->n_touched; i++) {
        int32_t label = q->touched[i];
        float most = q->whole[label], had = q->got[label];
        q->whole[label] = q->got[label] = 0;
        if (most == 0) continue;
        whole += (double)most;
        got += (double)(had < most ? had : most);
        n_whole++;
        n_got += had > 0;
    }
    q->n_touched = 0;
    add(&q->sums.recall, whole > 0 ? got / whole : 1);
    add(&q->sums.label_recall, n_whole > 0 ? n_got / n_whole : 1);
}

static enum few_status add_model(struct few__quality *q, size_t m, const struct few__report_item *item,
                                 struct few__arena *scratch, struct few_error *err)
{
    const struct few_model *model = &q->catalog->models[m];
    const struct few__cell *cell = &item->cells[m], *theirs = &q->cells[q->of[m]];
    if (!theirs->output) return FEW_OK; // the trace does not know
    struct few_output exact;
    FEW__TRY(few__trace_unpack(model, theirs->output, theirs->n_output, scratch, &exact, err));
    const struct few_output *given = &item->outputs[m];
    double agreement = few__agreement(model, given, &exact, q->range[m], scratch);
    add(&q->agree[m], agreement);
    add(&q->sums.all, agreement);
    if (cell->outcome == FEW_PREDICTED || cell->outcome == FEW_REUSED) add(&q->sums.given, agreement);
    if (!given->empty || !exact.empty) add(&q->sums.present, agreement);
    q->sums.whole_us += (double)theirs->time_us;
    if (cell->outcome == FEW_EXECUTED) q->sums.ran_us += (double)theirs->time_us;
    if (cell->outcome == FEW_LATE) q->sums.ran_us += (double)cell->time_us;
    FEW__TRY(note_labels(q, model, &exact, q->whole, scratch, err));
    return note_labels(q, model, given, q->got, scratch, err);
}

enum few_status few__quality_add(struct few__quality *q, const struct few__report_item *item,
                                 struct few__arena *scratch, struct few_error *err)
{
    struct few__item_row theirs;
    q->sums.n_items++;
    enum few_status status = find(q, item->row, &theirs, err);
    if (status == FEW_END) return FEW_OK;
    if (status != FEW_OK || theirs.status != FEW_OK) return status;
    q->sums.n_known++;
    for (size_t m = 0; status == FEW_OK && m < q->catalog->n_models; m++)
        if (q->of[m] >= 0) status = add_model(q, m, item, scratch, err);
    if (status != FEW_OK) return few__wrap(err, status, "%s: %s", q->path, theirs.path);
    add_recall(q);
    return FEW_OK;
}

/* ---- the whole ---- */

static enum few_status prepare(struct few__quality *q, struct few_error *err)
{
    size_t n_models = q->catalog->n_models, n_labels = q->catalog->n_labels;
    FEW__TRY(few__store_open(q->path, &q->env, &q->trace, err));
    q->n_theirs = few__store_catalog(q->trace)->n_models;
    q->cells = FEW__ARENA_NEW(&q->arena, struct few__cell, q->n_theirs);
    q->of = FEW__ARENA_NEW(&q->arena, int, n_models);
    q->range = FEW__ARENA_NEW(&q->arena, double, n_models);
    q->agree = FEW__ARENA_NEW(&q->arena, struct few__report_mean, n_models);
    q->whole = FEW__ARENA_NEW(&q->arena, float, n_labels);
    q->got = FEW__ARENA_NEW(&q->arena, float, n_labels);
    q->touched = FEW__ARENA_NEW(&q->arena, int32_t, n_labels);
    if (!q->cells || !q->of || !q->range || !q->agree || !q->whole || !q->got || !q->touched)
        return few__no_memory(err, q->path);
    match_models(q);
    return measure_ranges(q, err);
}

enum few_status few__quality_create(const char *trace, const struct few_catalog *catalog,
                                    const struct few_env *env, struct few__quality **quality,
                                    struct few_error *err)
{
    struct few_env full = few__env(env);
    *quality = NULL;
    struct few__quality *q = FEW__NEW(full.mem, struct few__quality);
    if (!q) return few__no_memory(err, trace);
    q->env = full;
    q->path = trace;
    q->catalog = catalog;
    few__arena_init(&q->arena, full.mem, ARENA_MAX);
    enum few_status status = prepare(q, err);
    if (status == FEW_OK) *quality = q;
    else few__quality_destroy(q);
    return status;
}

void few__quality_destroy(struct few__quality *quality)
{
    if (!quality) return;
    (void)few__store_close(quality->trace, NULL); // nothing was written
    few__arena_finish(&quality->arena);
    few__free(quality->env.mem, quality);
}

const struct few__quality_sums *few__quality_sums(const struct few__quality *quality)
{
    return &quality->sums;
}

const struct few__report_mean *few__quality_of(const struct few__quality *quality, size_t model)
{
    return &quality->agree[model];
}

const char *few__quality_trace(const struct few__quality *quality)
{
    return quality->path;
}
