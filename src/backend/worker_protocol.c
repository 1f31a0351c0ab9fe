// SPDX-License-Identifier: Apache-2.0
/* JSON by jansson; tensors in base64 by hand, straight into the memory that they stay in. Numbers are little-endian, as
 * the processors are that we build for. */
#include "backend/worker_protocol.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "backend/shape.h"
#include "core/error.h"
#include "core/mem.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && sizeof(float) == 4,
               "tensors go as they lie in memory");

enum { SHOWN = 60, ERROR_SHOWN = 300 }; // bytes of what a worker said, in messages

/* ---- base64 ---- */

enum { PAD = 64 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

// Four characters for three bytes; n is a multiple of 3 but in the last piece.
static size_t encode(const unsigned char *bytes, size_t n, char *text)
{
    size_t length = 0;
    for (size_t i = 0; i < n; i += 3, length += 4) {
        size_t left = n - i;
        unsigned b1 = left > 1 ? bytes[i + 1] : 0u, b2 = left > 2 ? bytes[i + 2] : 0u;
        unsigned three = (unsigned)bytes[i] << 16 | b1 << 8 | b2;
        text[length] = digits[three >> 18];
        text[length + 1] = digits[three >> 12 & 63];
        text[length + 2] = digits[left > 1 ? three >> 6 & 63 : PAD];
        text[length + 3] = digits[left > 2 ? three & 63 : PAD];
    }
    return length;
}

static void put_base64(struct few__text *text, const void *data, size_t n)
{
    enum { PIECE = 3 * 1024 };
    const unsigned char *bytes = data;
    char piece[PIECE / 3 * 4];
    for (size_t i = 0; i < n; i += PIECE)
        few__text_add(text, piece, encode(bytes + i, n - i < PIECE ? n - i : PIECE, piece));
}

// 0 .. 63, or -1.
static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Bytes that a text of that length gives; SIZE_MAX: it is none.
static size_t decoded_bytes(const char *text, size_t length)
{
    if (length % 4 != 0) return SIZE_MAX;
    size_t pad = 0;
    while (pad < 2 && pad < length && text[length - 1 - pad] == '=') pad++;
    return length / 4 * 3 - pad;
}

// Into n = decoded_bytes; false: a character that does not belong there.
static bool decode(const char *text, unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += 3, text += 4) {
        size_t left = n - i;
        int a = digit_of(text[0]), b = digit_of(text[1]);
        int c = left > 1 ? digit_of(text[2]) : 0, d = left > 2 ? digit_of(text[3]) : 0;
        if (a < 0 || b < 0 || c < 0 || d < 0) return false;
        unsigned three = (unsigned)a << 18 | (unsigned)b << 12 | (unsigned)c << 6 | (unsigned)d;
        bytes[i] = (unsigned char)(three >> 16);
        if (left > 1) bytes[i + 1] = (unsigned char)(three >> 8 & 255);
        if (left > 2) bytes[i + 2] = (unsigned char)(three & 255);
    }
    return true;
}

/* ---- to the worker ---- */

static void put_dims(struct few__text *text, const int64_t *dims, size_t n)
{
    for (size_t i = 0; i < n; i++) few__text_printf(text, "%s%lld", i ? "," : "[", (long long)dims[i]);
    few__text_put(text, "]");
}

// What a worker of pictures need not be told.
static void put_kind(struct few__text *text, const struct few__input *input)
{
    if (input->modality == FEW_IMAGE) return;
    few__text_printf(text, ",\"input\":\"%s\"", few_modality_name(input->modality));
    if (input->modality == FEW_TEXT) return;
    const struct few__window *w = &input->window;
    few__text_printf(text, ",\"rate\":%d,\"window\":%zu,\"hop\":%zu,\"context\":%zu", w->rate, w->length,
                     w->hop, w->context);
}

void few__worker_hello(struct few__text *text, const struct few__recipe *recipe,
                       const struct few_model *model)
{
    int64_t dims[4] = {1, (int64_t)few__input_numbers(&recipe->input)};
    const struct few__pixels *pixels = &recipe->input.pixels;
    bool is_image = recipe->input.modality == FEW_IMAGE;
    if (is_image) few__input_dims(&recipe->input, pixels->resize == FEW__HEIGHT ? -1 : pixels->width, dims);
    few__text_printf(text, "{\"fewer\":%d,\"model\":", FEW__WORKER_PROTOCOL);
    few__text_json(text, model->name);
    few__text_put(text, ",\"shape\":");
    put_dims(text, dims, is_image ? 4 : 2);
    put_kind(text, &recipe->input);
    few__text_printf(text, ",\"batch\":%lld,\"outputs\":[", (long long)few__recipe_batch(recipe));
    for (size_t i = 0; i < recipe->decode.n_outputs; i++) {
        if (i) few__text_put(text, ",");
        few__text_json(text, recipe->decode.outputs[i]);
    }
    few__text_put(text, "]}\n");
}

static void put_tokens(struct few__text *text, const int64_t *tokens, size_t n)
{
    few__text_put(text, ",\"tokens\":[");
    for (size_t i = 0; i < n; i++) few__text_printf(text, "%s%lld", i ? "," : "", (long long)tokens[i]);
    few__text_put(text, "]}\n");
}

void few__worker_request(struct few__text *text, int64_t id, const struct few__recipe *recipe,
                         uint64_t runner, const struct few__run_input *input)
{
    size_t n = few__shape_count(input->n_dims, input->dims);
    few__text_printf(text, "{\"id\":%lld,\"shape\":", (long long)id);
    put_dims(text, input->dims, input->n_dims);
    if (recipe->input.modality == FEW_TEXT) {
        put_tokens(text, input->tokens, n);
        return;
    }
    if (recipe->input.modality == FEW_SOUND)
        few__text_printf(text, ",\"lane\":%llu,\"first\":%s", (unsigned long long)runner,
                         input->first ? "true" : "false");
    few__text_put(text, ",\"data\":\"");
    put_base64(text, input->data, n * sizeof(float));
    few__text_put(text, "\"}\n");
}

/* ---- from the worker ---- */

// A line as an object; what is none is shown.
static enum few_status read_object(const char *line, size_t n, json_t **object, struct few_error *err)
{
    json_error_t why;
    *object = json_loadb(line, n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(*object)) return FEW_OK;
    bool is_json = *object != NULL;
    json_decref(*object);
    *object = NULL;
    char shown[SHOWN + 1];
    size_t k = 0;
    for (; k < SHOWN && k < n; k++) {
        shown[k] = line[k];
        if (shown[k] < ' ' || shown[k] == 0x7F) shown[k] = '?'; // bytes above 127 too, where char is signed
    }
    shown[k] = '\0';
    return few__fail(err, FEW_EPARSE, "expected one JSON object in a line, found '%s%s'%s%.100s", shown,
                     n > SHOWN ? "..." : "", is_json ? "" : ": ", is_json ? "" : why.text);
}

// The worker's own words about a failure, if these are such; only their first line that has any.
static bool has_error(const json_t *object, struct few_error *err)
{
    const char *text = json_string_value(json_object_get(object, "error"));
    if (!text) return false;
    text += strspn(text, "\r\n");
    if (!*text) text = "an error without words";
    size_t n = strcspn(text, "\r\n");
    few__fail(err, FEW_EBACKEND, "%.*s", n < ERROR_SHOWN ? (int)n : ERROR_SHOWN, text);
    return true;
}

enum few_status few__worker_read_ready(const char *line, size_t n, char version[FEW__WORKER_VERSION_MAX],
                                       struct few_error *err)
{
    json_t *object;
    version[0] = '\0';
    FEW__TRY(read_object(line, n, &object, err));
    const json_t *ready = json_object_get(object, "ready");
    const char *name = json_string_value(json_object_get(object, "version"));
    enum few_status status = FEW_OK;
    if (has_error(object, err)) status = FEW_EBACKEND;
    else if (!json_is_integer(ready))
        status = few__fail(err, FEW_EPARSE, "expected \"ready\": %d", FEW__WORKER_PROTOCOL);
    else if (json_integer_value(ready) != FEW__WORKER_PROTOCOL)
        status = few__fail(err, FEW_EVERSION, "expected \"ready\": %d, found %lld", FEW__WORKER_PROTOCOL,
                           (long long)json_integer_value(ready));
    else if (name) snprintf(version, FEW__WORKER_VERSION_MAX, "%s", name);
    json_decref(object);
    return status;
}

static enum few_status id_of(const json_t *object, int64_t *id, struct few_error *err)
{
    const json_t *value = json_object_get(object, "id");
    if (!json_is_integer(value))
        return few__fail(err, FEW_EPARSE, "expected an answer with the \"id\" of its request");
    *id = json_integer_value(value);
    return FEW_OK;
}

enum few_status few__worker_read_id(const char *line, size_t n, int64_t *id, struct few_error *err)
{
    json_t *object;
    FEW__TRY(read_object(line, n, &object, err));
    enum few_status status = id_of(object, id, err);
    json_decref(object);
    return status;
}

/* ---- tensors ---- */

// Room for n more numbers, which then belong to the answer; never NULL but where there is no memory.
static float *more_numbers(struct few__answer *answer, size_t n)
{
    size_t before = answer->n_numbers, need = before + n; // both are bounded by the length of a line
    if (need >= answer->room) {
        size_t room = need + 1 > 2 * answer->room ? need + 1 : 2 * answer->room;
        float *grown = few__resize(answer->mem, answer->numbers, room, sizeof *grown);
        if (!grown) return NULL;
        answer->numbers = grown;
        answer->room = room;
    }
    answer->n_numbers = need;
    return answer->numbers + before;
}

static enum few_status read_list(const json_t *list, struct few__answer *answer, struct few_error *err)
{
    size_t n = json_array_size(list);
    float *at = more_numbers(answer, n);
    if (!at) return few__no_memory(err, "an answer");
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        double number = json_number_value(value);
        if (!json_is_number(value) || fabs(number) > (double)FLT_MAX)
            return few__fail(err, FEW_EPARSE, "number %zu of an output: expected a float32", i);
        at[i] = (float)number;
    }
    return FEW_OK;
}

static enum few_status read_base64(const json_t *text, struct few__answer *answer, struct few_error *err)
{
    const char *s = json_string_value(text);
    size_t n = decoded_bytes(s, json_string_length(text));
    if (n == SIZE_MAX || n % sizeof(float) != 0)
        return few__fail(err, FEW_EPARSE,
                         "an output: expected base64 of float32 numbers, found %zu characters",
                         json_string_length(text));
    float *at = more_numbers(answer, n / sizeof(float));
    if (!at) return few__no_memory(err, "an answer");
    if (!decode(s, (unsigned char *)at, n))
        return few__fail(err, FEW_EPARSE, "an output: expected base64, found another character");
    return FEW_OK;
}

static enum few_status read_numbers(const json_t *data, struct few__answer *answer, size_t *n,
                                    struct few_error *err)
{
    size_t before = answer->n_numbers;
    enum few_status status = FEW_EPARSE;
    if (json_is_array(data)) status = read_list(data, answer, err);
    else if (json_is_string(data)) status = read_base64(data, answer, err);
    else few__fail(err, FEW_EPARSE, "an output: expected its numbers as a list or in base64");
    *n = answer->n_numbers - before;
    return status;
}

// The shape that was given, and that it holds the numbers.
static enum few_status read_dims(const json_t *shape, struct few__tensor *tensor, struct few_error *err)
{
    size_t n = json_array_size(shape);
    bool fits = json_is_array(shape) && n > 0 && n <= FEW__DIMS_MAX, empty = false;
    for (size_t i = 0; fits && i < n; i++) {
        const json_t *value = json_array_get(shape, i);
        tensor->dims[i] = json_is_integer(value) ? json_integer_value(value) : -1;
        fits = tensor->dims[i] >= 0;
        empty = empty || tensor->dims[i] == 0;
    }
    if (!fits)
        return few__fail(err, FEW_ESHAPE, "an output: expected a \"shape\" of 1 to %d whole numbers",
                         FEW__DIMS_MAX);
    tensor->n_dims = n;
    size_t count = few__shape_count(n, tensor->dims); // 0 also where there are too many
    if (empty ? tensor->n == 0 : count > 0 && tensor->n == count) return FEW_OK;
    char text[FEW__SHAPE_TEXT];
    few__shape_text(text, sizeof text, "float32", n, tensor->dims);
    return few__fail(err, FEW_ESHAPE, "an output: expected numbers for its shape %s, found %zu", text,
                     tensor->n);
}

// Several items: the first dimension counts them.
static enum few_status check_items(const struct few__tensor *tensor, int64_t items, struct few_error *err)
{
    if (items == 1 || tensor->dims[0] == items) return FEW_OK;
    return few__fail(err, FEW_ESHAPE, "an output: expected %lld as first dimension, found %lld",
                     (long long)items, (long long)tensor->dims[0]);
}

// The short form: [numbers], as many for each item.
static enum few_status read_short(const json_t *output, int64_t items, struct few__answer *answer,
                                  struct few__tensor *tensor, struct few_error *err)
{
    if (!json_is_array(output))
        return few__fail(err, FEW_EPARSE, "expected \"output\" to be a list of numbers");
    FEW__TRY(read_numbers(output, answer, &tensor->n, err));
    if (tensor->n % (size_t)items != 0)
        return few__fail(err, FEW_ESHAPE, "expected as many numbers for each of %lld items, found %zu in all",
                         (long long)items, tensor->n);
    tensor->n_dims = 2;
    tensor->dims[0] = items;
    tensor->dims[1] = (int64_t)tensor->n / items;
    return FEW_OK;
}

// The output that the recipe calls by this name; outputs without names stand in the recipe's order.
static const json_t *find_output(const json_t *outputs, size_t i, const char *name)
{
    bool any = false;
    for (size_t k = 0; k < json_array_size(outputs); k++) {
        const json_t *output = json_array_get(outputs, k);
        const char *called = json_string_value(json_object_get(output, "name"));
        any = any || called;
        if (called && name && strcmp(called, name) == 0) return output;
    }
    return any && name ? NULL : json_array_get(outputs, i);
}

static enum few_status read_outputs(const json_t *outputs, const struct few__recipe *recipe, int64_t items,
                                    struct few__answer *answer, struct few_error *err)
{
    if (json_array_size(outputs) < answer->n)
        return few__fail(err, FEW_ESHAPE, "expected a list of %zu \"outputs\", found %zu", answer->n,
                         json_array_size(outputs));
    for (size_t i = 0; i < answer->n; i++) {
        struct few__tensor *tensor = &answer->tensors[i];
        const char *name = recipe->decode.n_outputs ? recipe->decode.outputs[i] : NULL;
        const json_t *output = find_output(outputs, i, name);
        if (!json_is_object(output))
            return few__fail(err, FEW_ESHAPE, "expected an output '%.60s'", name ? name : "");
        FEW__TRY(read_numbers(json_object_get(output, "data"), answer, &tensor->n, err));
        FEW__TRY(read_dims(json_object_get(output, "shape"), tensor, err));
        FEW__TRY(check_items(tensor, items, err));
    }
    return FEW_OK;
}

static enum few_status read_tensors(const json_t *object, const struct few__recipe *recipe, int64_t items,
                                    struct few__answer *answer, struct few_error *err)
{
    const json_t *output = json_object_get(object, "output"), *outputs = json_object_get(object, "outputs");
    if (!output == !outputs)
        return few__fail(err, FEW_EPARSE,
                         "expected one of \"output\", \"outputs\" and \"error\" in an answer");
    if (outputs) return read_outputs(outputs, recipe, items, answer, err);
    if (answer->n != 1)
        return few__fail(err, FEW_ESHAPE, "expected %zu \"outputs\", found one \"output\"", answer->n);
    return read_short(output, items, answer, answer->tensors, err);
}

static enum few_status read_object_answer(const json_t *object, int64_t id, const struct few__recipe *recipe,
                                          int64_t items, struct few__answer *answer, struct few_error *err)
{
    int64_t found = 0;
    FEW__TRY(id_of(object, &found, err));
    if (found != id)
        return few__fail(err, FEW_EPARSE, "expected the answer to request %lld, found %lld", (long long)id,
                         (long long)found);
    if (has_error(object, err)) return FEW_EBACKEND;
    FEW__TRY(read_tensors(object, recipe, items, answer, err));
    size_t at = 0; // where they lie is known once all are there
    for (size_t i = 0; i < answer->n; at += answer->tensors[i++].n)
        answer->tensors[i].data = answer->numbers + at;
    return FEW_OK;
}

enum few_status few__worker_read_answer(const char *line, size_t n, int64_t id,
                                        const struct few__recipe *recipe, int64_t items,
                                        struct few__answer *answer, struct few_error *err)
{
    json_t *object;
    answer->n_numbers = 0;
    answer->n = recipe->decode.n_outputs ? recipe->decode.n_outputs : 1;
    memset(answer->tensors, 0, answer->n * sizeof *answer->tensors);
    FEW__TRY(read_object(line, n, &object, err));
    enum few_status status = read_object_answer(object, id, recipe, items, answer, err);
    json_decref(object);
    return status;
}
