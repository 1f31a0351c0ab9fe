// SPDX-License-Identifier: Apache-2.0
#include "train/evidence_learn.h"

#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "nn/pca.h"

static const float least_spread = 1e-3F; // what hardly differs is not blown up

struct pupil {
    const struct few__lesson *lesson;
    struct few__arena *keep;   // the caller's
    struct few__arena scratch; // of one model
    struct few__arena output;  // of one output
};

static enum few_status output_of(struct pupil *p, size_t i, size_t m, struct few_output *output, bool *has,
                                 struct few_error *err)
{
    const struct few__trace *trace = p->lesson->trace;
    const struct few__trace_cell *cell = few__trace_cell(trace, p->lesson->items[i], m);
    *has = cell->outcome == FEW_EXECUTED && cell->packed;
    if (!*has) return FEW_OK;
    few__arena_reset(&p->output);
    return few__trace_unpack(&trace->catalog.models[m], cell->packed, cell->n_packed, &p->output, output,
                             err);
}

// The most numbers that an output of the model has here; only looked at where the catalog does not say.
static enum few_status count_values(struct pupil *p, size_t m, size_t *most, struct few_error *err)
{
    const struct few_model *model = &p->lesson->trace->catalog.models[m];
    struct few_output output;
    bool has;
    *most = 0;
    if (model->n_labels > 0 && model->kind != FEW_VECTOR) return FEW_OK;
    for (size_t i = 0; i < p->lesson->n_items; i++) {
        FEW__TRY(output_of(p, i, m, &output, &has, err));
        if (has && output.values && output.n > *most) *most = output.n;
    }
    if (*most <= FEW__EVIDENCE_VECTOR_MAX) return FEW_OK;
    return few__fail(err, FEW_ELIMIT, "model %s: expected outputs of at most %d numbers, found %zu",
                     model->name, FEW__EVIDENCE_VECTOR_MAX, *most);
}

// Raw numbers of the items on which the model was executed; returns their count in *n.
static enum few_status gather(struct pupil *p, size_t m, const struct few__evidence *e, float *labels,
                              float *summaries, size_t *n, struct few_error *err)
{
    struct few_output output;
    bool has;
    *n = 0;
    for (size_t i = 0; i < p->lesson->n_items; i++) {
        FEW__TRY(output_of(p, i, m, &output, &has, err));
        if (!has) continue;
        few__evidence_raw(&p->lesson->trace->catalog.models[m], &output, e, labels + *n * e->n_labels,
                          summaries + *n * e->n_summary);
        ++*n;
    }
    return FEW_OK;
}

static void scale_summary(const float *rows, size_t n, size_t width, float *middle, float *scale)
{
    for (size_t j = 0; j < width; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++) sum += (double)rows[i * width + j];
        double mean = n ? sum / (double)n : 0;
        for (size_t i = 0; i < n; i++) {
            double d = (double)rows[i * width + j] - mean;
            squares += d * d;
        }
        middle[j] = (float)mean;
        scale[j] = 1 / ((n ? (float)sqrt(squares / (double)n) : 0) + least_spread);
    }
}

static enum few_status learn_model(struct pupil *p, size_t m, struct few__evidence *e, struct few_error *err)
{
    size_t n_items = p->lesson->n_items, n, most;
    FEW__TRY(count_values(p, m, &most, err));
    few__evidence_sizes(&p->lesson->trace->catalog.models[m], most, e);
    few__arena_reset(&p->scratch);
    float *labels = FEW__ARENA_NEW(&p->scratch, float, n_items * e->n_labels);
    float *summaries = FEW__ARENA_NEW(&p->scratch, float, n_items * e->n_summary);
    float *spread = FEW__ARENA_NEW(&p->scratch, float, e->n_parts);
    float *mean = FEW__ARENA_NEW(p->keep, float, e->n_labels);
    float *basis = FEW__ARENA_NEW(p->keep, float, e->n_parts * e->n_labels);
    float *middle = FEW__ARENA_NEW(p->keep, float, e->n_summary);
    float *scale = FEW__ARENA_NEW(p->keep, float, e->n_summary);
    if (!labels || !summaries || !spread || !mean || !basis || !middle || !scale)
        return few__no_memory(err, "evidence");
    FEW__TRY(gather(p, m, e, labels, summaries, &n, err));
    if (e->n_parts)
        FEW__TRY(few__pca(labels, n, e->n_labels, e->n_parts, m, &p->lesson->env, mean, basis, spread, err));
    for (size_t c = 0; c < e->n_parts; c++)
        for (size_t j = 0; j < e->n_labels; j++) basis[c * e->n_labels + j] /= spread[c] + least_spread;
    scale_summary(summaries, n, e->n_summary, middle, scale);
    e->mean = mean;
    e->basis = basis;
    e->middle = middle;
    e->scale = scale;
    return FEW_OK;
}

static enum few_status fill_table(struct pupil *p, const struct few__evidences *all, float *table,
                                  struct few_error *err)
{
    few__arena_reset(&p->scratch);
    float *room = FEW__ARENA_NEW(&p->scratch, float, all->room);
    if (!room) return few__no_memory(err, "evidence");
    struct few_output output;
    bool has;
    for (size_t i = 0; i < p->lesson->n_items; i++)
        for (size_t m = 0; m < all->n_models; m++) {
            FEW__TRY(output_of(p, i, m, &output, &has, err));
            if (has)
                few__evidence_of(all, m, &p->lesson->trace->catalog.models[m], &output, room,
                                 table + i * all->n + all->models[m].at);
        }
    return FEW_OK;
}

static enum few_status learn(struct pupil *p, struct few__evidences *all, float **table,
                             struct few_error *err)
{
    size_t n_models = p->lesson->trace->catalog.n_models;
    *all = (struct few__evidences){.n_models = n_models,
                                   .models = FEW__ARENA_NEW(p->keep, struct few__evidence, n_models)};
    if (!all->models) return few__no_memory(err, "evidence");
    for (size_t m = 0; m < n_models; m++) {
        struct few__evidence *e = &all->models[m];
        FEW__TRY(learn_model(p, m, e, err));
        e->at = all->n;
        all->n += e->n_parts + e->n_summary;
        if (e->n_labels + e->n_summary > all->room) all->room = e->n_labels + e->n_summary;
    }
    *table = FEW__ARENA_NEW(p->keep, float, p->lesson->n_items * all->n);
    return *table ? fill_table(p, all, *table, err) : few__no_memory(err, "evidence");
}

enum few_status few__evidence_learn(const struct few__lesson *lesson, struct few__arena *arena,
                                    struct few__evidences *evidences, float **table, struct few_error *err)
{
    struct pupil p = {.lesson = lesson, .keep = arena};
    struct few_env env = few__env(&lesson->env);
    few__arena_init(&p.scratch, env.mem, SIZE_MAX / 2); // the trace in memory is the limit
    few__arena_init(&p.output, env.mem, SIZE_MAX / 2);
    enum few_status status = learn(&p, evidences, table, err);
    few__arena_finish(&p.scratch);
    few__arena_finish(&p.output);
    return status;
}
