// SPDX-License-Identifier: Apache-2.0
/* What an output is worth (DESIGN section 2) and its bytes in the store (docs/model.md has the layout).
 *
 * Outputs may come from a file that something else wrote: an index outside the model's labels or a number
 * that is none is never valuable, and no bytes make few__output_unpack read past their end. */
#include "model/output.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/error.h"

/* ---- worth ---- */

/* Sorted by label, each label once with its highest confidence. */
struct valuable_set {
    struct few_valuable *items;
    size_t n, max;
};

static void put(struct valuable_set *set, int32_t label, float confidence)
{
    size_t at = set->n;
    if (at > 0 && label <= set->items[at - 1].label) { // labels nearly always rise
        size_t low = 0;
        for (size_t high = set->n; low < high;) {
            size_t middle = low + (high - low) / 2;
            if (set->items[middle].label < label) low = middle + 1;
            else high = middle;
        }
        at = low;
    }
    if (at < set->n && set->items[at].label == label) {
        if (confidence > set->items[at].confidence) set->items[at].confidence = confidence;
        return;
    }
    if (set->n == set->max) return;
    memmove(set->items + at + 1, set->items + at, (set->n - at) * sizeof *set->items);
    set->items[at] = (struct few_valuable){.label = label, .confidence = confidence};
    set->n++;
}

static void put_index(struct valuable_set *set, const struct few_model *model, size_t i, float confidence)
{
    if (i < model->n_labels && confidence > model->threshold && !model->is_null[i])
        put(set, model->label_ids[i], confidence);
}

/* The confidence of the one label of a model without a label list; 0 = nothing there. */
static float own_confidence(const struct few_model *model, const struct few_output *output)
{
    switch (model->kind) {
    case FEW_SCALAR:
        return output->n > 0 && fabsf(output->values[0] - model->empty) > model->tolerance ? 1.0f : 0.0f;
    case FEW_VECTOR: return 1.0f;
    case FEW_CLASSES:
    case FEW_LABELS:
    case FEW_DETECTIONS:
    case FEW_BOX:
    case FEW_SEQUENCE:
    case FEW_KIND_COUNT: break;
    }
    return output->confidence > model->threshold ? output->confidence : 0.0f;
}

size_t few__valuable(const struct few_model *model, const struct few_output *output, struct few_valuable *out,
                     size_t max)
{
    struct valuable_set set = {.items = out, .max = max};
    if (output->empty) return 0;
    if (!model->label_ids) {
        float confidence = own_confidence(model, output);
        if (confidence > 0) put(&set, model->own_label, confidence);
    } else if (output->kind == FEW_DETECTIONS) {
        for (size_t i = 0; i < output->n; i++)
            if (output->detections[i].label >= 0)
                put_index(&set, model, (size_t)output->detections[i].label, output->detections[i].confidence);
    } else if (output->values) {
        size_t n = output->n < model->n_labels ? output->n : model->n_labels;
        for (size_t i = 0; i < n; i++) put_index(&set, model, i, output->values[i]);
    }
    return set.n;
}

// How far from its threshold a confidence of the model leaves doubt.
static float doubt(const struct few_model *model)
{
    float to_end = model->threshold < 0.5f ? model->threshold : 1 - model->threshold;
    return FEW__UNSURE * to_end;
}

static bool is_near(const struct few_model *model, float confidence)
{
    return fabsf(confidence - model->threshold) < doubt(model); // false for NAN
}

// Whether a detection is the best of its label, or as good as that: none is clearly above the threshold.
static bool decides(const struct few_model *model, const struct few_output *output, int32_t label)
{
    for (size_t i = 0; i < output->n; i++)
        if (output->detections[i].label == label &&
            output->detections[i].confidence >= model->threshold + doubt(model))
            return false;
    return true;
}

static bool is_any_near(const struct few_model *model, const struct few_output *output)
{
    if (!model->label_ids) return is_near(model, output->confidence);
    size_t n = output->n;
    bool detections = output->kind == FEW_DETECTIONS;
    if (detections ? !output->detections : !output->values) n = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t label = detections ? output->detections[i].label : (int32_t)i;
        if (label < 0 || (size_t)label >= model->n_labels || model->is_null[label]) continue;
        float confidence = detections ? output->detections[i].confidence : output->values[i];
        if (is_near(model, confidence) && (!detections || decides(model, output, label))) return true;
    }
    return false;
}

bool few__output_unsure(const struct few_model *model, const struct few_output *output)
{
    int top;
    switch (model->kind) {
    case FEW_LABELS:
    case FEW_DETECTIONS: return is_any_near(model, output);
    case FEW_CLASSES:
        top = few__top(output);
        return (top < 0 ? output->confidence : output->values[top]) < model->threshold + doubt(model);
    case FEW_BOX:
    case FEW_SEQUENCE: return !output->empty && output->confidence < model->threshold + doubt(model);
    case FEW_SCALAR:
    case FEW_VECTOR:
    case FEW_KIND_COUNT: break;
    }
    return false;
}

size_t few__valuable_max(const struct few_model *model)
{
    return model->label_ids && model->n_labels > 0 ? model->n_labels : 1;
}

struct few_output few__output_empty(const struct few_model *model)
{
    return (struct few_output){.kind = model->kind, .empty = true};
}

int few__top(const struct few_output *output)
{
    int top = -1;
    if (output->empty || !output->values) return top;
    for (size_t i = 0; i < output->n; i++)
        if (!isnan(output->values[i]) && (top < 0 || output->values[i] > output->values[top])) top = (int)i;
    return top;
}

enum few_status few__output_copy(const struct few_output *from, struct few__arena *arena,
                                 struct few_output *to)
{
    struct few_output copy = *from;
    *to = (struct few_output){.kind = from->kind};
    copy.values = from->values ? FEW__ARENA_NEW(arena, float, from->n) : NULL;
    copy.detections = from->detections ? FEW__ARENA_NEW(arena, struct few_detection, from->n) : NULL;
    copy.tokens = from->tokens ? FEW__ARENA_NEW(arena, int32_t, from->n) : NULL;
    if ((from->values && !copy.values) || (from->detections && !copy.detections) ||
        (from->tokens && !copy.tokens))
        return FEW_ENOMEM;
    if (copy.values) memcpy(copy.values, from->values, from->n * sizeof *from->values);
    if (copy.detections) memcpy(copy.detections, from->detections, from->n * sizeof *from->detections);
    if (copy.tokens) memcpy(copy.tokens, from->tokens, from->n * sizeof *from->tokens);
    *to = copy;
    return FEW_OK;
}

/* ---- bytes ---- */

enum { HEADER = 10, DETECTION = 28, FLAG_EMPTY = 1, FLAG_SPARSE = 2 };

static size_t limit_of(enum few_kind kind)
{
    if (kind == FEW_DETECTIONS) return FEW_DETECTIONS_MAX;
    return kind == FEW_SEQUENCE ? FEW_TOKENS_MAX : FEW_VALUES_MAX;
}

static uint8_t *write_u32(uint8_t *at, uint32_t v)
{
    for (int i = 0; i < 4; i++) at[i] = (uint8_t)(v >> (8 * i));
    return at + 4;
}

static uint8_t *write_float(uint8_t *at, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    return write_u32(at, bits);
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static float read_float(const uint8_t *at)
{
    uint32_t bits = read_u32(at);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* Numbers that are not +0; -0 counts, so that reading back is exact. */
static size_t count_set(const float *values, size_t n)
{
    size_t set = 0;
    for (size_t i = 0; i < n; i++) set += values[i] != 0.0f || signbit(values[i]);
    return set;
}

static size_t sparse_bytes(size_t n_set)
{
    return 4 + 8 * n_set;
}

static uint8_t *write_values(uint8_t *at, const struct few_output *output, bool sparse, size_t n_set)
{
    if (sparse) at = write_u32(at, (uint32_t)n_set);
    for (size_t i = 0; i < output->n; i++) {
        float v = output->values[i];
        if (sparse && v == 0.0f && !signbit(v)) continue;
        if (sparse) at = write_u32(at, (uint32_t)i);
        at = write_float(at, v);
    }
    return at;
}

static uint8_t *write_detection(uint8_t *at, const struct few_detection *d)
{
    at = write_float(write_u32(at, (uint32_t)d->label), d->confidence);
    for (int k = 0; k < 4; k++) at = write_float(at, d->box[k]);
    return write_float(at, d->area);
}

enum few_status few__output_pack(const struct few_output *output, struct few__arena *arena,
                                 const void **bytes, size_t *n_bytes)
{
    *bytes = NULL;
    *n_bytes = 0;
    size_t n = output->n, n_set = 0, body = 4 * n;
    if ((unsigned)output->kind >= FEW_KIND_COUNT || n > limit_of(output->kind)) return FEW_ELIMIT;
    bool sparse = false;
    if (output->kind == FEW_DETECTIONS) {
        body = DETECTION * n;
    } else if (output->kind != FEW_SEQUENCE) {
        n_set = count_set(output->values, n);
        sparse = sparse_bytes(n_set) < body;
        if (sparse) body = sparse_bytes(n_set);
    }
    uint8_t *start = few__arena_alloc(arena, HEADER + body, 1), *at = start;
    if (!start) return FEW_ENOMEM;
    *at++ = (uint8_t)output->kind;
    *at++ = (uint8_t)((output->empty ? FLAG_EMPTY : 0) | (sparse ? FLAG_SPARSE : 0));
    at = write_u32(write_float(at, output->confidence), (uint32_t)n);
    if (output->kind == FEW_DETECTIONS)
        for (size_t i = 0; i < n; i++) at = write_detection(at, &output->detections[i]);
    else if (output->kind == FEW_SEQUENCE)
        for (size_t i = 0; i < n; i++) at = write_u32(at, (uint32_t)output->tokens[i]);
    else at = write_values(at, output, sparse, n_set);
    assert(at == start + HEADER + body);
    *bytes = start;
    *n_bytes = HEADER + body;
    return FEW_OK;
}

/* What follows the header. */
struct body {
    const uint8_t *at;
    size_t n; // bytes
};

static enum few_status bad(struct few_error *err, const char *what, size_t expected, size_t found)
{
    return few__fail(err, FEW_EPARSE, "packed output: %s: expected %zu, found %zu", what, expected, found);
}

static enum few_status read_dense(struct body body, struct few__arena *arena, struct few_output *output,
                                  struct few_error *err)
{
    if (body.n != 4 * output->n) return bad(err, "bytes of its numbers", 4 * output->n, body.n);
    if (!(output->values = FEW__ARENA_NEW(arena, float, output->n))) return few__no_memory(err, "output");
    for (size_t i = 0; i < output->n; i++) output->values[i] = read_float(body.at + 4 * i);
    return FEW_OK;
}

static enum few_status read_sparse(struct body body, struct few__arena *arena, struct few_output *output,
                                   struct few_error *err)
{
    size_t n_set = body.n >= 4 ? read_u32(body.at) : 0;
    if (body.n < 4 || (body.n - 4) / 8 != n_set || (body.n - 4) % 8 != 0 || body.n >= 4 * output->n)
        return bad(err, "bytes of its sparse numbers", sparse_bytes(n_set), body.n);
    if (!(output->values = FEW__ARENA_NEW(arena, float, output->n))) return few__no_memory(err, "output");
    for (size_t k = 0, next = 0; k < n_set; k++) {
        size_t i = read_u32(body.at + 4 + 8 * k);
        uint32_t bits = read_u32(body.at + 8 + 8 * k);
        if (i < next || i >= output->n) return bad(err, "next place of a number, at least", next, i);
        if (bits == 0) return bad(err, "zeros among its sparse numbers", 0, 1);
        output->values[i] = read_float(body.at + 8 + 8 * k);
        next = i + 1;
    }
    return FEW_OK;
}

static enum few_status read_detections(struct body body, struct few__arena *arena, struct few_output *output,
                                       struct few_error *err)
{
    if (body.n != DETECTION * output->n)
        return bad(err, "bytes of its detections", DETECTION * output->n, body.n);
    output->detections = FEW__ARENA_NEW(arena, struct few_detection, output->n);
    if (!output->detections) return few__no_memory(err, "output");
    for (size_t i = 0; i < output->n; i++) {
        const uint8_t *at = body.at + DETECTION * i;
        struct few_detection *d = &output->detections[i];
        d->label = (int32_t)read_u32(at);
        d->confidence = read_float(at + 4);
        for (size_t k = 0; k < 4; k++) d->box[k] = read_float(at + 8 + 4 * k);
        d->area = read_float(at + 24);
    }
    return FEW_OK;
}

static enum few_status read_tokens(struct body body, struct few__arena *arena, struct few_output *output,
                                   struct few_error *err)
{
    if (body.n != 4 * output->n) return bad(err, "bytes of its tokens", 4 * output->n, body.n);
    if (!(output->tokens = FEW__ARENA_NEW(arena, int32_t, output->n))) return few__no_memory(err, "output");
    for (size_t i = 0; i < output->n; i++) output->tokens[i] = (int32_t)read_u32(body.at + 4 * i);
    return FEW_OK;
}

/* The arrays of an output whose header was read. An array of none is NULL, as in few__output_empty. */
static enum few_status read_body(struct body body, bool sparse, struct few__arena *arena,
                                 struct few_output *output, struct few_error *err)
{
    if (output->n == 0) return body.n == 0 ? FEW_OK : bad(err, "bytes after the header", 0, body.n);
    if (output->kind == FEW_DETECTIONS) return read_detections(body, arena, output, err);
    if (output->kind == FEW_SEQUENCE) return read_tokens(body, arena, output, err);
    return sparse ? read_sparse(body, arena, output, err) : read_dense(body, arena, output, err);
}

enum few_status few__output_unpack(const void *bytes, size_t n_bytes, struct few__arena *arena,
                                   struct few_output *output, struct few_error *err)
{
    const uint8_t *at = bytes;
    *output = (struct few_output){.kind = FEW_CLASSES};
    if (n_bytes < HEADER) return bad(err, "bytes at least", HEADER, n_bytes);
    if (at[0] >= FEW_KIND_COUNT) return bad(err, "kind below", FEW_KIND_COUNT, at[0]);
    enum few_kind kind = (enum few_kind)at[0];
    bool dense_only = kind == FEW_DETECTIONS || kind == FEW_SEQUENCE;
    unsigned allowed = dense_only ? FLAG_EMPTY : FLAG_EMPTY | FLAG_SPARSE;
    if (at[1] & ~allowed) return bad(err, "flags among", allowed, at[1]);
    struct few_output read = {.kind = kind, .empty = at[1] & FLAG_EMPTY, .confidence = read_float(at + 2)};
    read.n = read_u32(at + 6);
    if (read.n > limit_of(kind)) return bad(err, "entries at most", limit_of(kind), read.n);
    struct body body = {.at = at + HEADER, .n = n_bytes - HEADER};
    enum few_status status = read_body(body, at[1] & FLAG_SPARSE, arena, &read, err);
    if (status == FEW_OK) *output = read;
    return status;
}
