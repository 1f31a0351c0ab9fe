// SPDX-License-Identifier: Apache-2.0
/* From a model's object in a line of JSON to its output. jansson says where JSON is malformed, but not where in the
 * line a value stood; find_value looks that up once something is wrong. */
#include "store/import_output.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "model/output.h"

/* ---- messages ---- */

static const char *skip_text(const char *p) // p at the opening quote
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1]) p++;
    return *p ? p + 1 : p;
}

// The value of a key in the object that begins at p, or NULL. The text is known to be valid JSON.
static const char *find_value(const char *p, const char *key)
{
    size_t n = strlen(key);
    int depth = 0;
    for (p += strspn(p, " \t\r\n"); *p;) {
        if (*p == '{' || *p == '[') depth++;
        if ((*p == '}' || *p == ']') && --depth <= 0) return NULL;
        if (*p != '"') {
            p++;
            continue;
        }
        const char *name = p + 1;
        p = skip_text(p);
        size_t length = (size_t)(p - name) - 1;
        const char *after = p + strspn(p, " \t\r\n");
        if (depth == 1 && *after == ':' && length == n && memcmp(name, key, n) == 0)
            return after + 1 + strspn(after + 1, " \t\r\n");
    }
    return NULL;
}

static size_t column_of(const struct few__import_place *place, const char *key)
{
    const char *at = place->text, *next;
    if (place->model && (next = find_value(at, "models"))) {
        at = next;
        if ((next = find_value(at, place->model))) at = next;
    }
    if (key && (next = find_value(at, key))) at = next;
    return (size_t)(at - place->text) + 1;
}

enum few_status few__import_bad(const struct few__import_place *place, const char *key, struct few_error *err,
                                const char *format, ...)
{
    char message[256];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    const char *model = place->model ? place->model : "";
    return few__fail(err, FEW_EPARSE, "%s:%llu:%zu: %s%s%s%s%s", place->file, (unsigned long long)place->line,
                     column_of(place, key), model, place->model && key ? "." : "", key ? key : "",
                     place->model || key ? ": " : "", message);
}

const char *few__import_describe(const json_t *value, char buffer[64])
{
    if (!value) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: snprintf(buffer, 64, "an array of %zu", json_array_size(value)); return buffer;
    case JSON_STRING: snprintf(buffer, 64, "\"%.40s\"", json_string_value(value)); return buffer;
    case JSON_INTEGER:
    case JSON_REAL: snprintf(buffer, 64, "%g", json_number_value(value)); return buffer;
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: return "null";
    }
    return "something else";
}

/* ---- pieces ---- */

enum few_status few__import_number(const struct few__import_place *place, const json_t *object,
                                   const char *key, double low, double high, double *out,
                                   struct few_error *err)
{
    const json_t *value = json_object_get(object, key);
    if (!value || json_is_null(value)) return FEW_OK;
    double v = json_number_value(value);
    if (json_is_number(value) && v >= low && v <= high) {
        *out = v;
        return FEW_OK;
    }
    char found[64];
    return few__import_bad(place, key, err, "expected a number from %g to %g, found %s", low, high,
                           few__import_describe(value, found));
}

static bool is_share(const json_t *value)
{
    return json_is_number(value) && json_number_value(value) >= 0 && json_number_value(value) <= 1;
}

static const json_t *given(const json_t *said, const char *key)
{
    const json_t *value = json_object_get(said, key);
    return json_is_null(value) ? NULL : value;
}

static float to_float(const json_t *value)
{
    return (float)json_number_value(value);
}

// An array of finite numbers (JSON has no others, but a double may be beyond a float).
static enum few_status take_numbers(const struct few__import_place *place, const char *key,
                                    const json_t *array, float *out, struct few_error *err)
{
    char found[64];
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        out[i] = to_float(value);
        if (!json_is_number(value) || !isfinite(out[i]))
            return few__import_bad(place, key, err, "expected numbers, found %s at %zu",
                                   few__import_describe(value, found), i);
    }
    return FEW_OK;
}

static enum few_status take_dense(const struct few__import_place *place, const struct few_model *model,
                                  const json_t *labels, float *values, struct few_error *err)
{
    char found[64];
    if (json_array_size(labels) != model->n_labels)
        return few__import_bad(place, "labels", err, "expected an array of %zu, found %s", model->n_labels,
                               few__import_describe(labels, found));
    for (size_t i = 0; i < model->n_labels; i++) {
        const json_t *value = json_array_get(labels, i);
        if (!is_share(value))
            return few__import_bad(place, "labels", err, "expected numbers from 0 to 1, found %s at %zu",
                                   few__import_describe(value, found), i);
        values[i] = to_float(value);
    }
    return FEW_OK;
}

// An index into the model's label list (0 alone where it has none), or -1.
static int32_t label_index(const struct few_model *model, const json_t *value)
{
    size_t n = model->n_labels ? model->n_labels : 1;
    json_int_t index = json_is_integer(value) ? json_integer_value(value) : -1;
    return index >= 0 && (size_t)index < n ? (int32_t)index : -1;
}

static enum few_status take_sparse(const struct few__import_place *place, const struct few_model *model,
                                   const json_t *valuable, float *values, struct few_error *err)
{
    char found[64];
    if (!json_is_array(valuable))
        return few__import_bad(place, "valuable", err, "expected an array, found %s",
                               few__import_describe(valuable, found));
    for (size_t i = 0; i < json_array_size(valuable); i++) {
        const json_t *pair = json_array_get(valuable, i), *confidence = json_array_get(pair, 1);
        int32_t label = label_index(model, json_array_get(pair, 0));
        if (json_array_size(pair) != 2 || label < 0 || !is_share(confidence))
            return few__import_bad(
                place, "valuable", err,
                "expected [index below %zu, confidence from 0 to 1], found something else at %zu",
                model->n_labels, i);
        if (to_float(confidence) > values[label]) values[label] = to_float(confidence);
    }
    return FEW_OK;
}

// A confidence for each label; n_labels > 0.
static enum few_status take_labels(const struct few__import_place *place, const struct few_model *model,
                                   const json_t *said, struct few__arena *arena, float **values,
                                   struct few_error *err)
{
    const json_t *labels = given(said, "labels"), *valuable = given(said, "valuable");
    *values = FEW__ARENA_NEW(arena, float, model->n_labels);
    if (!*values) return few__no_memory(err, place->file);
    if (labels) return take_dense(place, model, labels, *values, err);
    if (valuable) return take_sparse(place, model, valuable, *values, err);
    return few__import_bad(place, NULL, err, "expected \"labels\" or \"valuable\", found neither");
}

/* ---- detections ---- */

static float clamp(double v, double low, double high)
{
    return (float)(v < low ? low : v > high ? high : v);
}

// x, y, w, h from numbers i .. i + 3 of an array, kept inside the image: roundings may lead a little out of it.
static bool take_box(const json_t *array, size_t i, float box[4])
{
    double v[4];
    for (size_t k = 0; k < 4; k++) {
        const json_t *value = json_array_get(array, i + k);
        if (!json_is_number(value)) return false;
        v[k] = json_number_value(value);
    }
    if (v[2] < 0 || v[3] < 0) return false;
    for (size_t k = 0; k < 2; k++) {
        box[k] = clamp(v[k], 0, 1);
        box[k + 2] = clamp(v[k] + v[k + 2], 0, 1) - box[k];
    }
    return true;
}

static int by_confidence(const void *a, const void *b)
{
    const struct few_detection *x = a, *y = b;
    if (x->confidence != y->confidence) return x->confidence < y->confidence ? 1 : -1;
    return x->label < y->label ? -1 : x->label > y->label;
}

// In order, and no more of them than an output may have: the best.
static void finish_detections(struct few_output *out)
{
    if (out->n) qsort(out->detections, out->n, sizeof *out->detections, by_confidence);
    if (out->n > FEW_DETECTIONS_MAX) out->n = FEW_DETECTIONS_MAX;
    out->empty = out->n == 0;
    out->confidence = out->n ? out->detections[0].confidence : 0;
}

static enum few_status read_list(const struct few__import_place *place, const struct few_model *model,
                                 const json_t *list, struct few__arena *arena, struct few_output *out,
                                 struct few_error *err)
{
    char found[64];
    if (!json_is_array(list))
        return few__import_bad(place, "detections", err, "expected an array, found %s",
                               few__import_describe(list, found));
    out->n = json_array_size(list);
    out->detections = FEW__ARENA_NEW(arena, struct few_detection, out->n);
    if (!out->detections) return few__no_memory(err, place->file);
    for (size_t i = 0; i < out->n; i++) {
        const json_t *entry = json_array_get(list, i), *confidence = json_array_get(entry, 1);
        struct few_detection *d = &out->detections[i];
        d->label = label_index(model, json_array_get(entry, 0));
        if (json_array_size(entry) != 6 || d->label < 0 || !is_share(confidence) ||
            !take_box(entry, 2, d->box))
            return few__import_bad(
                place, "detections", err,
                "expected [index, confidence, x, y, w, h] at %zu, found something else (%zu labels)", i,
                model->n_labels);
        d->confidence = to_float(confidence);
        d->area = d->box[2] * d->box[3];
    }
    finish_detections(out);
    return FEW_OK;
}

// A detector's best confidence of each label: that many detections of which the place is not known.
static enum few_status read_label_vector(const struct few__import_place *place, const struct few_model *model,
                                         const json_t *said, struct few__arena *arena, struct few_output *out,
                                         struct few_error *err)
{
    if (model->n_labels == 0)
        return few__import_bad(place, NULL, err,
                               "expected \"detections\" or \"bbox\", the model has no labels");
    float *values;
    FEW__TRY(take_labels(place, model, said, arena, &values, err));
    out->detections = FEW__ARENA_NEW(arena, struct few_detection, model->n_labels);
    if (!out->detections) return few__no_memory(err, place->file);
    for (size_t i = 0; i < model->n_labels; i++)
        if (values[i] > 0)
            out->detections[out->n++] = (struct few_detection){.label = (int32_t)i, .confidence = values[i]};
    finish_detections(out);
    return FEW_OK;
}

/* The best box ("bbox", "conf", "n"), or only that there is something ("n", and "scalar" for the share that it
 * covers): one detection either way, sure where no confidence is given. */
static enum few_status take_one(const struct few__import_place *place, const json_t *said,
                                struct few_detection *d, bool *there, struct few_error *err)
{
    const json_t *box = given(said, "bbox");
    double n = -1, share = 0, confidence = 1;
    char found[64];
    FEW__TRY(few__import_number(place, said, "n", 0, 1e9, &n, err));
    FEW__TRY(few__import_number(place, said, "scalar", 0, 1, &share, err));
    FEW__TRY(few__import_number(place, said, "conf", 0, 1, &confidence, err));
    *d = (struct few_detection){.confidence = (float)confidence, .area = (float)share};
    *there = box || n > 0 || (n < 0 && share > 0);
    if (!box) return FEW_OK;
    if (json_array_size(box) != 4 || !take_box(box, 0, d->box))
        return few__import_bad(place, "bbox", err, "expected [x, y, w, h] as shares of the image, found %s",
                               few__import_describe(box, found));
    d->area = d->box[2] * d->box[3];
    return FEW_OK;
}

static enum few_status read_detections(const struct few__import_place *place, const struct few_model *model,
                                       const json_t *said, struct few__arena *arena, struct few_output *out,
                                       struct few_error *err)
{
    const json_t *list = given(said, "detections");
    if (list) return read_list(place, model, list, arena, out, err);
    if (given(said, "labels") || given(said, "valuable"))
        return read_label_vector(place, model, said, arena, out, err);
    if (!json_object_get(said, "bbox") && !given(said, "n") && !given(said, "scalar"))
        return few__import_bad(
            place, NULL, err,
            "expected \"detections\", \"bbox\", \"valuable\", \"labels\" or \"n\", found none");
    bool there;
    out->detections = FEW__ARENA_NEW(arena, struct few_detection, 1);
    if (!out->detections) return few__no_memory(err, place->file);
    FEW__TRY(take_one(place, said, out->detections, &there, err));
    out->n = there;
    finish_detections(out);
    return FEW_OK;
}

/* ---- the other kinds ---- */

static enum few_status read_labels(const struct few__import_place *place, const struct few_model *model,
                                   const json_t *said, struct few__arena *arena, struct few_output *out,
                                   struct few_error *err)
{
    FEW__TRY(take_labels(place, model, said, arena, &out->values, err));
    out->n = model->n_labels;
    for (size_t i = 0; i < out->n; i++)
        if (out->values[i] > out->confidence) out->confidence = out->values[i];
    return FEW_OK;
}

static enum few_status read_box(const struct few__import_place *place, const json_t *said,
                                struct few__arena *arena, struct few_output *out, struct few_error *err)
{
    struct few_detection one;
    bool there;
    FEW__TRY(take_one(place, said, &one, &there, err));
    out->empty = !given(said, "bbox");
    if (out->empty) return FEW_OK;
    out->n = 4;
    out->confidence = one.confidence;
    out->values = FEW__ARENA_NEW(arena, float, 4);
    if (!out->values) return few__no_memory(err, place->file);
    memcpy(out->values, one.box, sizeof one.box);
    return FEW_OK;
}

static enum few_status read_numbers(const struct few__import_place *place, const char *key, bool is_array,
                                    const json_t *said, struct few__arena *arena, struct few_output *out,
                                    struct few_error *err)
{
    const json_t *value = given(said, key);
    char found[64];
    size_t n = is_array ? json_array_size(value) : 1;
    if ((is_array ? !json_is_array(value) : !json_is_number(value)) || n > FEW_VALUES_MAX)
        return few__import_bad(place, key, err, "expected %s, found %s",
                               is_array ? "an array of numbers" : "a number",
                               few__import_describe(value, found));
    out->values = FEW__ARENA_NEW(arena, float, n);
    if (!out->values) return few__no_memory(err, place->file);
    out->n = n;
    out->confidence = 1;
    if (is_array) return take_numbers(place, key, value, out->values, err);
    out->values[0] = to_float(value);
    return isfinite(out->values[0])
               ? FEW_OK
               : few__import_bad(place, key, err, "expected less, found %g", json_number_value(value));
}

static int by_name(const void *a, const void *b)
{
    const struct few__token *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->index - y->index;
}

struct few__token *few__import_alphabet(const struct few_model *model, struct few__arena *arena)
{
    struct few__token *tokens = FEW__ARENA_NEW(arena, struct few__token, model->n_labels);
    if (!tokens) return NULL;
    for (size_t i = 0; i < model->n_labels; i++)
        tokens[i] = (struct few__token){.name = model->labels[i], .index = (int32_t)i};
    if (model->n_labels) qsort(tokens, model->n_labels, sizeof *tokens, by_name);
    return tokens;
}

// The lowest index of that name, or -1.
static int32_t token_of(const struct few_model *model, const struct few__token *alphabet, const json_t *value)
{
    if (!json_is_string(value)) {
        json_int_t index = json_is_integer(value) ? json_integer_value(value) : -1;
        bool fits = index >= 0 && index <= (model->n_labels ? (json_int_t)model->n_labels - 1 : INT32_MAX);
        return fits ? (int32_t)index : -1;
    }
    const char *name = json_string_value(value);
    size_t low = 0, high = model->n_labels;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(alphabet[middle].name, name) < 0) low = middle + 1;
        else high = middle;
    }
    return low < model->n_labels && strcmp(alphabet[low].name, name) == 0 ? alphabet[low].index : -1;
}

static enum few_status read_sequence(const struct few__import_place *place, const struct few_model *model,
                                     const struct few__token *alphabet, const json_t *said,
                                     struct few__arena *arena, struct few_output *out, struct few_error *err)
{
    const json_t *tokens = given(said, "sequence");
    size_t n = json_array_size(tokens);
    double confidence = 1;
    char found[64];
    if (!json_is_array(tokens) || n > FEW_TOKENS_MAX)
        return few__import_bad(place, "sequence", err, "expected an array of at most %d tokens, found %s",
                               FEW_TOKENS_MAX, few__import_describe(tokens, found));
    FEW__TRY(few__import_number(place, said, "conf", 0, 1, &confidence, err));
    out->tokens = FEW__ARENA_NEW(arena, int32_t, n);
    if (!out->tokens) return few__no_memory(err, place->file);
    for (size_t i = 0; i < n; i++) {
        const json_t *token = json_array_get(tokens, i);
        out->tokens[i] = token_of(model, alphabet, token);
        if (out->tokens[i] < 0)
            return few__import_bad(place, "sequence", err,
                                   "expected a token of the model's alphabet, found %s",
                                   few__import_describe(token, found));
    }
    out->n = n;
    out->empty = n == 0;
    out->confidence = n ? (float)confidence : 0;
    return FEW_OK;
}

enum few_status few__import_output(const struct few__import_place *place, const struct few_model *model,
                                   const struct few__token *alphabet, const json_t *said,
                                   struct few__arena *arena, struct few_output *out, struct few_error *err)
{
    *out = (struct few_output){.kind = model->kind};
    switch (model->kind) {
    case FEW_CLASSES:
    case FEW_LABELS:
        if (model->n_labels) return read_labels(place, model, said, arena, out, err);
        return read_numbers(place, "labels", true, said, arena, out, err);
    case FEW_DETECTIONS: return read_detections(place, model, said, arena, out, err);
    case FEW_BOX: return read_box(place, said, arena, out, err);
    case FEW_SCALAR: return read_numbers(place, "scalar", false, said, arena, out, err);
    case FEW_VECTOR: return read_numbers(place, "vector", true, said, arena, out, err);
    case FEW_SEQUENCE: return read_sequence(place, model, alphabet, said, arena, out, err);
    case FEW_KIND_COUNT: break;
    }
    return few__fail(err, FEW_EINVAL, "model %s: has no kind", model->name);
}
