// SPDX-License-Identifier: Apache-2.0
/* The table of decoders, what they share (shape checks, finite numbers, candidates), and the two that read
 * plain numbers: values and CTC text (greedy decoding: Graves et al. 2006, section 3.2). */
#include "model/decode.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/decode_impl.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3", "no-trapping-math") // all_finite reads millions of numbers
#endif

/* ---- shapes ---- */

static void write_dims(char *text, size_t size, size_t n_dims, const int64_t *dims)
{
    size_t n = (size_t)snprintf(text, size, "[");
    for (size_t i = 0; i < n_dims && n + 24 < size; i++) {
        if (dims[i] < 0) n += (size_t)snprintf(text + n, size - n, "%s?", i ? "," : "");
        else n += (size_t)snprintf(text + n, size - n, "%s%lld", i ? "," : "", (long long)dims[i]);
    }
    snprintf(text + n, size - n, "]");
}

static const char *tensor_name(const struct few__reading *r, size_t i)
{
    const struct few__decode *decode = &r->recipe->decode;
    return i < decode->n_outputs && decode->outputs[i] ? decode->outputs[i] : "";
}

enum few_status few__shape_error(const struct few__reading *r, size_t i, const char *format, ...)
{
    char expected[200], found[200];
    va_list args;
    va_start(args, format);
    vsnprintf(expected, sizeof expected, format, args);
    va_end(args);
    write_dims(found, sizeof found, r->tensors[i].n_dims, r->tensors[i].dims);
    return few__fail(r->err, FEW_ESHAPE, "model '%s': output '%s': expected %s, found %s", r->model->name,
                     tensor_name(r, i), expected, found);
}

enum few_status few__expect_shape(const struct few__reading *r, size_t i, size_t n_dims, const int64_t *dims)
{
    const struct few__tensor *t = &r->tensors[i];
    bool fits = t->n_dims == n_dims;
    for (size_t k = 0; fits && k < n_dims; k++) fits = dims[k] < 0 || t->dims[k] < 0 || t->dims[k] == dims[k];
    if (fits) return FEW_OK;
    char expected[200];
    write_dims(expected, sizeof expected, n_dims, dims);
    return few__shape_error(r, i, "%s", expected);
}

size_t few__n_classes(const struct few_model *model)
{
    return model->n_labels ? model->n_labels : 1;
}

/* ---- candidates ---- */

static bool make_room(struct few__candidates *c)
{
    if (c->n < c->room) return true;
    size_t room = c->room ? 2 * c->room : 128;
    struct few_detection *list = FEW__ARENA_NEW(c->r->arena, struct few_detection, room);
    if (!list) return false;
    if (c->n) memcpy(list, c->list, c->n * sizeof *list);
    c->list = list;
    c->room = room;
    return true;
}

static float clamp(float v)
{
    return v < 0 ? 0 : v > 1 ? 1 : v;
}

void few__candidate_add(struct few__candidates *c, size_t label, float confidence, const float corners[4],
                        float area_pixels)
{
    const struct few__placement *p = c->r->placement;
    float share_x = 1 / (p->scale_x * (float)p->image_width);
    float share_y = 1 / (p->scale_y * (float)p->image_height);
    float left = p->image_x / (float)p->image_width, top = p->image_y / (float)p->image_height;
    float x0 = left + (corners[0] - p->inner_x) * share_x, x1 = left + (corners[2] - p->inner_x) * share_x;
    float y0 = top + (corners[1] - p->inner_y) * share_y, y1 = top + (corners[3] - p->inner_y) * share_y;
    // Sizes come out of exp() and may be infinite: such a box fails here, as one outside the image does.
    if (!(clamp(x1) > clamp(x0) && clamp(y1) > clamp(y0) && isfinite(x1 - x0) && isfinite(y1 - y0))) return;
    if (c->failed || !make_room(c)) {
        c->failed = true;
        return;
    }
    c->list[c->n++] = (struct few_detection){.label = (int32_t)label,
                                             .confidence = clamp(confidence),
                                             .box = {x0, y0, x1 - x0, y1 - y0},
                                             .area = area_pixels < 0 ? -1 : area_pixels * share_x * share_y};
}

static void cut(struct few_detection *d)
{
    float x0 = clamp(d->box[0]), y0 = clamp(d->box[1]);
    d->box[2] = clamp(d->box[0] + d->box[2]) - x0;
    d->box[3] = clamp(d->box[1] + d->box[3]) - y0;
    d->box[0] = x0;
    d->box[1] = y0;
    d->area = d->area < 0 ? d->box[2] * d->box[3] : clamp(d->area);
}

static enum few_status end_box(struct few__candidates *c)
{
    struct few_output *output = c->r->output;
    output->values = FEW__ARENA_NEW(c->r->arena, float, 4);
    if (!output->values) return few__no_memory(c->r->err, "a box");
    memcpy(output->values, c->list[0].box, sizeof c->list[0].box);
    output->n = 4;
    output->confidence = c->list[0].confidence;
    return FEW_OK;
}

enum few_status few__candidates_end(struct few__candidates *c)
{
    if (c->failed) return few__no_memory(c->r->err, "detections");
    struct few_output *output = c->r->output;
    size_t max = output->kind == FEW_BOX ? 1 : FEW_DETECTIONS_MAX;
    size_t kept = few__nms(c->list, c->n, c->r->recipe->decode.iou, c->r->recipe->decode.iou_across, max);
    assert(kept <= c->n);
    c->n = kept;
    for (size_t i = 0; i < c->n; i++) cut(&c->list[i]);
    output->empty = c->n == 0;
    if (output->empty) return FEW_OK;
    if (output->kind == FEW_BOX) return end_box(c);
    output->detections = c->list;
    output->n = c->n;
    output->confidence = c->list[0].confidence;
    return FEW_OK;
}

/* ---- values ---- */

static size_t values_step(const struct few__decode *decode)
{
    return decode->step ? decode->step : 1;
}

// How many numbers are wanted; with `box`, the fifth is its confidence.
static size_t values_wanted(const struct few__reading *r)
{
    size_t declared = r->recipe->decode.n_values;
    if (r->model->kind == FEW_BOX) return declared == 5 ? 5 : 4;
    if (r->model->kind == FEW_SCALAR) return 1;
    return declared ? declared : few__n_classes(r->model);
}

static size_t total(const struct few__tensor *t)
{
    size_t n = 1;
    for (size_t i = 0; i < t->n_dims; i++) {
        if (t->dims[i] <= 0) return 0;
        n *= (size_t)t->dims[i];
    }
    return n;
}

// A leading 1 is the batch; any further free dimension leaves the check to the run.
static bool is_open(const struct few__tensor *t)
{
    for (size_t i = 1; i < t->n_dims; i++)
        if (t->dims[i] < 0) return true;
    return t->n_dims == 1 && t->dims[0] < 0;
}

static enum few_status values_check(const struct few__reading *r)
{
    const struct few__decode *decode = &r->recipe->decode;
    struct few__tensor t = r->tensors[0];
    size_t wanted = values_wanted(r), n_labels = r->model->n_labels;
    if (wanted > FEW_VALUES_MAX)
        return few__fail(r->err, FEW_ELIMIT, "model '%s': expected at most %d numbers, found %zu",
                         r->model->name, FEW_VALUES_MAX, wanted);
    bool labelled = r->model->kind == FEW_CLASSES || r->model->kind == FEW_LABELS;
    if (labelled && n_labels && wanted != n_labels)
        return few__fail(r->err, FEW_ESHAPE,
                         "model '%s': expected one number for each of %zu labels, found %zu", r->model->name,
                         n_labels, wanted);
    if (is_open(&t)) return FEW_OK;
    if (t.n_dims && t.dims[0] < 0) t.dims[0] = 1;
    size_t n = total(&t), step = values_step(decode);
    size_t there = n > decode->offset ? (n - decode->offset - 1) / step + 1 : 0;
    bool exact = labelled && decode->n_values == 0; // then a label list of the wrong length shows here
    if (exact ? there == wanted : there >= wanted) return FEW_OK;
    return few__shape_error(r, 0, "%zu numbers%s", decode->offset + (wanted - 1) * step + 1,
                            n_labels ? ", one for each label" : "");
}

static void softmax(float *v, size_t n)
{
    float most = v[0];
    for (size_t i = 1; i < n; i++) most = v[i] > most ? v[i] : most;
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += v[i] = expf(v[i] - most);
    for (size_t i = 0; i < n; i++) v[i] = (float)(v[i] / sum);
}

static void activate(enum few__activation activation, float *v, size_t n)
{
    switch (activation) {
    case FEW__LINEAR: return;
    case FEW__CLAMP:
        for (size_t i = 0; i < n; i++) v[i] = clamp(v[i]);
        return;
    case FEW__SOFTMAX: softmax(v, n); return;
    case FEW__SIGMOID:
        for (size_t i = 0; i < n; i++) v[i] = 1 / (1 + expf(-v[i]));
        return;
    }
}

// x, y, w, h as shares of the input, and a confidence where there is a fifth number.
static enum few_status values_box(const struct few__reading *r, const float *v, size_t n)
{
    struct few__candidates c = {.r = r};
    float w = (float)r->placement->width, h = (float)r->placement->height;
    const float corners[4] = {v[0] * w, v[1] * h, (v[0] + v[2]) * w, (v[1] + v[3]) * h};
    float confidence = n == 5 ? v[4] : 1;
    if (confidence > r->recipe->decode.keep) few__candidate_add(&c, 0, confidence, corners, -1);
    return few__candidates_end(&c);
}

static enum few_status values_read(const struct few__reading *r)
{
    const struct few__decode *decode = &r->recipe->decode;
    struct few_output *output = r->output;
    size_t n = values_wanted(r), step = values_step(decode);
    float *v = FEW__ARENA_NEW(r->arena, float, n);
    if (!v) return few__no_memory(r->err, "an output");
    for (size_t k = 0; k < n; k++) v[k] = r->tensors[0].data[decode->offset + k * step];
    activate(decode->activation, v, n);
    if (output->kind == FEW_BOX) return values_box(r, v, n);
    output->values = v;
    output->n = n;
    output->confidence = 1;
    if (output->kind == FEW_SCALAR || output->kind == FEW_VECTOR) return FEW_OK;
    output->confidence = v[0];
    for (size_t i = 1; i < n; i++)
        if (v[i] > output->confidence) output->confidence = v[i];
    return FEW_OK;
}

static const struct few__decoder_row values_row = {
    .name = "values",
    .kinds = 1u << FEW_CLASSES | 1u << FEW_LABELS | 1u << FEW_SCALAR | 1u << FEW_VECTOR | 1u << FEW_BOX,
    .check = values_check,
    .read = values_read,
};

/* ---- text ---- */

static enum few_status ctc_check(const struct few__reading *r)
{
    const int64_t dims[3] = {1, -1, (int64_t)r->model->n_labels + 1};
    if (r->tensors[0].n_dims == 3 && r->tensors[0].dims[1] > FEW_TOKENS_MAX)
        return few__fail(r->err, FEW_ELIMIT, "model '%s': expected at most %d steps of text, found %lld",
                         r->model->name, FEW_TOKENS_MAX, (long long)r->tensors[0].dims[1]);
    return few__expect_shape(r, 0, 3, dims);
}

static enum few_status ctc_read(const struct few__reading *r)
{
    struct few_output *output = r->output;
    size_t steps = (size_t)r->tensors[0].dims[1], n_classes = r->model->n_labels + 1;
    int32_t *tokens = FEW__ARENA_NEW(r->arena, int32_t, steps);
    if (!tokens) return few__no_memory(r->err, "text");
    size_t before = 0;
    double sum = 0;
    for (size_t t = 0; t < steps; t++) {
        const float *p = r->tensors[0].data + t * n_classes;
        size_t best = 0;
        for (size_t c = 1; c < n_classes; c++)
            if (p[c] > p[best]) best = c;
        if (best && best != before) {
            tokens[output->n++] = (int32_t)best - 1;
            sum += p[best];
        }
        before = best;
    }
    output->tokens = tokens;
    output->empty = output->n == 0;
    output->confidence = output->empty ? 0 : (float)(sum / (double)output->n);
    return FEW_OK;
}

static const struct few__decoder_row ctc_row = {
    .name = "ctc", .kinds = 1u << FEW_SEQUENCE, .check = ctc_check, .read = ctc_read};

/* ---- table ---- */

static const struct few__decoder_row *const rows[] = {
    [FEW__DECODE_VALUES] = &values_row,
    [FEW__DECODE_YOLOX] = &few__decode_yolox,
    [FEW__DECODE_FASTESTDET] = &few__decode_fastestdet,
    [FEW__DECODE_FASTESTV2] = &few__decode_fastestv2,
    [FEW__DECODE_NANODET] = &few__decode_nanodet,
    [FEW__DECODE_CENTERNET] = &few__decode_centernet,
    [FEW__DECODE_ULTRAFACE] = &few__decode_ultraface,
    [FEW__DECODE_YUNET] = &few__decode_yunet,
    [FEW__DECODE_REGIONS] = &few__decode_regions,
    [FEW__DECODE_SEG_MEAN] = &few__decode_seg_mean,
    [FEW__DECODE_SEG_SHARE] = &few__decode_seg_share,
    [FEW__DECODE_MASK_SHARE] = &few__decode_mask_share,
    [FEW__DECODE_CTC] = &ctc_row,
};

static enum few_status check(const struct few__reading *r)
{
    const struct few__decode *decode = &r->recipe->decode;
    const struct few__decoder_row *row = rows[decode->kind];
    if (!(row->kinds >> r->model->kind & 1))
        return few__fail(r->err, FEW_ESHAPE,
                         "model '%s': decoder %s does not give outputs of the model's kind", r->model->name,
                         row->name);
    size_t n_outputs = row->n_outputs ? row->n_outputs(decode) : 1;
    if (r->n_tensors != n_outputs)
        return few__fail(r->err, FEW_ESHAPE, "model '%s': decoder %s: expected %zu outputs, found %zu",
                         r->model->name, row->name, n_outputs, r->n_tensors);
    return row->check(r);
}

enum few_status few__decode_check(const struct few__recipe *recipe, const struct few_model *model,
                                  const struct few__tensor *outputs, size_t n_outputs, struct few_error *err)
{
    const struct few__pixels *pixels = &recipe->input.pixels;
    const struct few__reading r = {.recipe = recipe,
                                   .model = model,
                                   .tensors = outputs,
                                   .n_tensors = n_outputs,
                                   .width = pixels->resize == FEW__HEIGHT ? -1 : pixels->width,
                                   .height = pixels->height,
                                   .err = err};
    return check(&r);
}

/* A float is infinite or not a number if all eight bits of its exponent are set. Whole numbers, because
 * comparisons of floats would stop the compiler from doing several at a time. */
static bool all_finite(const float *v, size_t n)
{
    int32_t over = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits;
        memcpy(&bits, &v[i], sizeof bits);
        over |= 0x7f7fffff - (bits & 0x7fffffff); // negative if the exponent is full
    }
    return over >= 0;
}

static enum few_status check_numbers(const struct few__reading *r)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        const struct few__tensor *t = &r->tensors[i];
        if (t->n == 0 || t->n != total(t)) return few__shape_error(r, i, "numbers");
        if (!all_finite(t->data, t->n))
            return few__fail(r->err, FEW_EDECODE,
                             "model '%s': output '%s': expected finite numbers, found others", r->model->name,
                             tensor_name(r, i));
    }
    return FEW_OK;
}

enum few_status few__decode(const struct few__recipe *recipe, const struct few_model *model,
                            const struct few__tensor *outputs, size_t n_outputs,
                            const struct few__placement *placement, struct few__arena *arena,
                            struct few_output *output, struct few_error *err)
{
    struct few_output decoded = {.kind = model->kind};
    const struct few__reading r = {.recipe = recipe,
                                   .model = model,
                                   .tensors = outputs,
                                   .n_tensors = n_outputs,
                                   .width = placement->width,
                                   .height = placement->height,
                                   .placement = placement,
                                   .arena = arena,
                                   .output = &decoded,
                                   .err = err};
    *output = (struct few_output){.kind = model->kind, .empty = true};
    FEW__TRY(check(&r));
    FEW__TRY(check_numbers(&r));
    FEW__TRY(rows[recipe->decode.kind]->read(&r));
    *output = decoded;
    return FEW_OK;
}
