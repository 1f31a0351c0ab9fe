// SPDX-License-Identifier: Apache-2.0
#include "item/evidence.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

enum { NAME_ROOM = 64 };
enum { BEST, COUNT, ROOT, VALUE, LARGEST, BOXES, N_SUMMARY }; // the last two: detections only

void few__evidence_sizes(const struct few_model *model, size_t n_values, struct few__evidence *sizes)
{
    *sizes = (struct few__evidence){0};
    switch (model->kind) {
    case FEW_CLASSES:
    case FEW_LABELS:
        sizes->n_labels = model->n_labels ? model->n_labels : n_values;
        sizes->n_summary = LARGEST;
        break;
    case FEW_DETECTIONS:
        sizes->n_labels = model->n_labels ? model->n_labels : 1;
        sizes->n_summary = N_SUMMARY;
        break;
    case FEW_BOX: sizes->n_summary = 5; break;
    case FEW_SCALAR:
    case FEW_SEQUENCE: sizes->n_summary = 2; break;
    case FEW_VECTOR: sizes->n_labels = n_values; break;
    case FEW_KIND_COUNT: break;
    }
    sizes->n_parts = sizes->n_labels < FEW__EVIDENCE_MAX ? sizes->n_labels : FEW__EVIDENCE_MAX;
}

static float finite(float x)
{
    return isfinite(x) ? x : 0;
}

static float root(float confidence)
{
    return confidence > 0 && isfinite(confidence) ? sqrtf(confidence) : 0;
}

// labels: confidences in, roots out.
static void sum_up(const struct few_model *model, size_t n, float *labels, float *summary)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        float c = finite(labels[i]);
        labels[i] = root(c);
        if (model->is_null && i < model->n_labels && model->is_null[i]) continue;
        sum += c > 0 ? c : 0;
        if (c > summary[BEST]) summary[BEST] = c;
        if (!(c > model->threshold)) continue;
        summary[COUNT] += 1;
        summary[VALUE] += c;
    }
    summary[ROOT] = root(sum);
}

static void see_boxes(const struct few_output *output, size_t n, float *labels, float *summary)
{
    for (size_t i = 0; i < output->n; i++) {
        const struct few_detection *d = &output->detections[i];
        if (d->label < 0 || (size_t)d->label >= n) continue;
        if (finite(d->confidence) > labels[d->label]) labels[d->label] = d->confidence;
        if (finite(d->area) > summary[LARGEST]) summary[LARGEST] = d->area;
    }
    summary[LARGEST] = root(summary[LARGEST]);
    summary[BOXES] = logf(1 + (float)output->n);
}

void few__evidence_raw(const struct few_model *model, const struct few_output *output,
                       const struct few__evidence *sizes, float *labels, float *summary)
{
    size_t n = output->values && output->n < sizes->n_labels ? output->n : sizes->n_labels;
    memset(labels, 0, sizes->n_labels * sizeof *labels);
    memset(summary, 0, sizes->n_summary * sizeof *summary);
    switch (model->kind) {
    case FEW_CLASSES:
    case FEW_LABELS:
        if (output->values) memcpy(labels, output->values, n * sizeof *labels);
        sum_up(model, sizes->n_labels, labels, summary);
        break;
    case FEW_DETECTIONS:
        see_boxes(output, sizes->n_labels, labels, summary);
        sum_up(model, sizes->n_labels, labels, summary);
        break;
    case FEW_BOX:
        for (size_t i = 0; i < 4 && i < output->n; i++) summary[i] = finite(output->values[i]);
        summary[4] = output->n ? finite(output->confidence) : 0;
        break;
    case FEW_SCALAR:
        summary[0] = output->n ? finite(output->values[0]) : 0;
        summary[1] = !output->empty && fabsf(summary[0] - model->empty) > model->tolerance;
        break;
    case FEW_SEQUENCE:
        summary[0] = logf(1 + (float)output->n);
        summary[1] = output->n ? finite(output->confidence) : 0;
        break;
    case FEW_VECTOR:
        for (size_t i = 0; output->values && i < n; i++) labels[i] = finite(output->values[i]);
        break;
    case FEW_KIND_COUNT: break;
    }
}

static float within(float x)
{
    const float most = FEW__EVIDENCE_SPREADS;
    return x > most ? most : x < -most ? -most : x;
}

void few__evidence_of(const struct few__evidences *evidences, size_t m, const struct few_model *model,
                      const struct few_output *output, float *scratch, float *out)
{
    const struct few__evidence *e = &evidences->models[m];
    float *summary = scratch + e->n_labels;
    few__evidence_raw(model, output, e, scratch, summary);
    for (size_t i = 0; i < e->n_labels; i++) scratch[i] -= e->mean[i];
    for (size_t c = 0; c < e->n_parts; c++) {
        const float *basis = e->basis + c * e->n_labels;
        float sums[8] = {0}; // in a fixed order that vectorises
        size_t i = 0;
        for (; i + 8 <= e->n_labels; i += 8)
            for (size_t k = 0; k < 8; k++) sums[k] += basis[i + k] * scratch[i + k];
        for (; i < e->n_labels; i++) sums[0] += basis[i] * scratch[i];
        out[c] =
            within(((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])));
    }
    for (size_t i = 0; i < e->n_summary; i++)
        out[e->n_parts + i] = within((summary[i] - e->middle[i]) * e->scale[i]);
}

/* ---- files ---- */

static enum few_status put(struct few__tensors *tensors, const char *prefix, size_t m, const char *what,
                           const float *data, const size_t *dims, size_t n_dims, struct few_error *err)
{
    char name[NAME_ROOM];
    snprintf(name, sizeof name, "%s.%zu.%s", prefix, m, what);
    return few__tensors_add(tensors, name, FEW__F32, dims, n_dims, data, NULL, err);
}

enum few_status few__evidences_put(const struct few__evidences *evidences, struct few__tensors *tensors,
                                   const char *prefix, struct few_error *err)
{
    for (size_t m = 0; m < evidences->n_models; m++) {
        const struct few__evidence *e = &evidences->models[m];
        const size_t dims[] = {e->n_parts, e->n_labels};
        FEW__TRY(put(tensors, prefix, m, "mean", e->mean, &e->n_labels, 1, err));
        FEW__TRY(put(tensors, prefix, m, "basis", e->basis, dims, 2, err));
        FEW__TRY(put(tensors, prefix, m, "middle", e->middle, &e->n_summary, 1, err));
        FEW__TRY(put(tensors, prefix, m, "scale", e->scale, &e->n_summary, 1, err));
    }
    return FEW_OK;
}

static enum few_status take(const struct few__tensors *tensors, const char *prefix, size_t m,
                            const char *what, const size_t *dims, size_t n_dims,
                            const struct few__named_tensor **tensor, struct few_error *err)
{
    char name[NAME_ROOM];
    snprintf(name, sizeof name, "%s.%zu.%s", prefix, m, what);
    FEW__TRY(few__tensors_get(tensors, name, FEW__F32, dims, n_dims, tensor, err));
    const float *x = (*tensor)->data;
    for (size_t i = 0; i < (*tensor)->n; i++)
        if (!isfinite(x[i]))
            return few__fail(err, FEW_EPARSE, "tensor %s: expected finite numbers, found %g", name,
                             (double)x[i]);
    return FEW_OK;
}

static enum few_status take_model(const struct few__tensors *tensors, const char *prefix, size_t m,
                                  const struct few_model *model, struct few__evidence *e,
                                  struct few_error *err)
{
    const struct few__named_tensor *mean, *basis, *middle, *scale;
    const size_t any = SIZE_MAX;
    FEW__TRY(take(tensors, prefix, m, "mean", &any, 1, &mean, err));
    few__evidence_sizes(model, mean->n, e);
    if (mean->n != e->n_labels)
        return few__fail(err, FEW_ESHAPE,
                         "tensor %s.%zu.mean: expected %zu numbers, as model %s has, found %zu", prefix, m,
                         e->n_labels, model->name, mean->n);
    const size_t dims[] = {e->n_parts, e->n_labels};
    FEW__TRY(take(tensors, prefix, m, "basis", dims, 2, &basis, err));
    FEW__TRY(take(tensors, prefix, m, "middle", &e->n_summary, 1, &middle, err));
    FEW__TRY(take(tensors, prefix, m, "scale", &e->n_summary, 1, &scale, err));
    e->mean = mean->data;
    e->basis = basis->data;
    e->middle = middle->data;
    e->scale = scale->data;
    return FEW_OK;
}

enum few_status few__evidences_take(const struct few__tensors *tensors, const char *prefix,
                                    const struct few_catalog *catalog, struct few__arena *arena,
                                    struct few__evidences *evidences, struct few_error *err)
{
    *evidences = (struct few__evidences){.n_models = catalog->n_models};
    evidences->models = FEW__ARENA_NEW(arena, struct few__evidence, catalog->n_models);
    if (!evidences->models) return few__no_memory(err, "evidence");
    for (size_t m = 0; m < catalog->n_models; m++) {
        struct few__evidence *e = &evidences->models[m];
        FEW__TRY(take_model(tensors, prefix, m, &catalog->models[m], e, err));
        e->at = evidences->n;
        evidences->n += e->n_parts + e->n_summary;
        if (e->n_labels + e->n_summary > evidences->room) evidences->room = e->n_labels + e->n_summary;
    }
    return FEW_OK;
}
