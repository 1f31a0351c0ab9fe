// SPDX-License-Identifier: Apache-2.0
/* A strict reader: what it lets pass is a header of the form in tensors_file.h whose tensors fill the data from its first
 * byte to its last, each byte belonging to one of them. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "nn/tensors_inside.h"

struct span { // of the data
    uint64_t begin, end;
    const char *name;
};

struct reader {
    struct few__tensors *tensors;
    const char *name; // of the file
    const char *data;
    uint64_t n_data;
    struct span *spans;
    struct few_error *err;
};

static enum few_status read_words(struct reader *r, json_t *words)
{
    const char *key;
    json_t *text;
    if (!json_is_object(words)) return few__fail(r->err, FEW_EPARSE, "__metadata__: expected an object");
    json_object_foreach(words, key, text)
    {
        if (!key[0]) return few__fail(r->err, FEW_EPARSE, "metadata without a name");
        if (!json_is_string(text)) return few__fail(r->err, FEW_EPARSE, "metadata %s: expected a text", key);
        FEW__TRY(few__tensors_say(r->tensors, key, json_string_value(text), r->err));
    }
    return FEW_OK;
}

static enum few_status read_number(struct reader *r, const struct few__named_tensor *tensor, const char *what,
                                   const json_t *value, uint64_t *n)
{
    json_int_t got = json_integer_value(value);
    if (!json_is_integer(value) || got < 0)
        return few__fail(r->err, FEW_EPARSE, "tensor %s: %s: expected whole numbers from 0", tensor->name,
                         what);
    *n = (uint64_t)got;
    return FEW_OK;
}

static enum few_status read_dtype(struct reader *r, struct few__named_tensor *tensor, const json_t *value)
{
    const char *name = json_string_value(value);
    if (!name) return few__fail(r->err, FEW_EPARSE, "tensor %s: expected a dtype", tensor->name);
    for (int i = 0; i < FEW__DTYPE_COUNT; i++) {
        if (strcmp(name, few__dtypes[i].name) != 0) continue;
        tensor->dtype = (enum few__dtype)i;
        return FEW_OK;
    }
    return few__fail(r->err, FEW_EUNSUPPORTED,
                     "tensor %s: expected dtype F32, F64, I32, I64 or U8, found %.16s", tensor->name, name);
}

static enum few_status read_shape(struct reader *r, struct few__named_tensor *tensor, const json_t *value)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value))
        return few__fail(r->err, FEW_EPARSE, "tensor %s: expected a shape", tensor->name);
    if (n > FEW__TENSORS_DIMS_MAX)
        return few__fail(r->err, FEW_ELIMIT, "tensor %s: expected at most %d dimensions, found %zu",
                         tensor->name, FEW__TENSORS_DIMS_MAX, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t dim = 0;
        FEW__TRY(read_number(r, tensor, "shape", json_array_get(value, i), &dim));
        if (dim > FEW__TENSORS_FILE_MAX)
            return few__fail(r->err, FEW_ELIMIT,
                             "tensor %s: expected dimensions of at most %zu, found %" PRIu64, tensor->name,
                             FEW__TENSORS_FILE_MAX, dim);
        tensor->dims[i] = (size_t)dim;
    }
    tensor->n_dims = n;
    return few__tensors_count(tensor->name, tensor->dtype, tensor->dims, n, &tensor->n, r->err);
}

// Where it lies in the file if that is aligned for its type, else a copy.
static enum few_status place(struct reader *r, struct few__named_tensor *tensor, const char *from)
{
    size_t size = few__dtypes[tensor->dtype].size;
    tensor->data = from;
    if ((uintptr_t)from % size == 0) return FEW_OK;
    void *copy = few__arena_alloc(&r->tensors->arena, tensor->n, size);
    if (!copy) return few__no_memory(r->err, tensor->name);
    memcpy(copy, from, tensor->n * size);
    tensor->data = copy;
    return FEW_OK;
}

static enum few_status read_span(struct reader *r, struct few__named_tensor *tensor, const json_t *value)
{
    struct span *span = &r->spans[r->tensors->n - 1];
    if (json_array_size(value) != 2)
        return few__fail(r->err, FEW_EPARSE, "tensor %s: expected two data_offsets", tensor->name);
    FEW__TRY(read_number(r, tensor, "data_offsets", json_array_get(value, 0), &span->begin));
    FEW__TRY(read_number(r, tensor, "data_offsets", json_array_get(value, 1), &span->end));
    span->name = tensor->name;
    uint64_t n = (uint64_t)tensor->n * few__dtypes[tensor->dtype].size;
    if (span->end > r->n_data || span->begin > span->end)
        return few__fail(r->err, FEW_EPARSE,
                         "tensor %s: expected data_offsets within 0 .. %" PRIu64 ", found %" PRIu64
                         " .. %" PRIu64,
                         tensor->name, r->n_data, span->begin, span->end);
    if (span->end - span->begin != n)
        return few__fail(r->err, FEW_EPARSE,
                         "tensor %s: expected %" PRIu64 " bytes for its shape, found %" PRIu64, tensor->name,
                         n, span->end - span->begin);
    return place(r, tensor, r->data + span->begin);
}

static enum few_status read_tensor(struct reader *r, const char *name, const json_t *value)
{
    struct few__named_tensor *tensor;
    if (!name[0]) return few__fail(r->err, FEW_EPARSE, "a tensor without a name");
    FEW__TRY(few__tensors_more(r->tensors, name, &tensor, r->err));
    if (!json_is_object(value)) return few__fail(r->err, FEW_EPARSE, "tensor %s: expected an object", name);
    if (json_object_size(value) != 3)
        return few__fail(r->err, FEW_EPARSE,
                         "tensor %s: expected dtype, shape and data_offsets and nothing else", name);
    FEW__TRY(read_dtype(r, tensor, json_object_get(value, "dtype")));
    FEW__TRY(read_shape(r, tensor, json_object_get(value, "shape")));
    return read_span(r, tensor, json_object_get(value, "data_offsets"));
}

static int by_begin(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

static enum few_status check_spans(struct reader *r)
{
    uint64_t at = 0;
    size_t n = r->tensors->n;
    if (n > 0) qsort(r->spans, n, sizeof *r->spans, by_begin);
    for (size_t i = 0; i < n; i++) {
        if (r->spans[i].begin != at)
            return few__fail(r->err, FEW_EPARSE,
                             "tensor %s: expected its data to begin at %" PRIu64
                             ", where the one before ends, found %" PRIu64,
                             r->spans[i].name, at, r->spans[i].begin);
        at = r->spans[i].end;
    }
    if (at != r->n_data)
        return few__fail(r->err, FEW_EPARSE, "expected %" PRIu64 " bytes of data, found %" PRIu64, at,
                         r->n_data);
    return FEW_OK;
}

static enum few_status read_entries(struct reader *r, json_t *header)
{
    const char *key;
    json_t *value;
    size_t n = json_object_size(header);
    if (n > FEW__TENSORS_MAX + 1)
        return few__fail(r->err, FEW_ELIMIT, "expected at most %d tensors, found %zu", FEW__TENSORS_MAX, n);
    r->spans = FEW__NEW_N(r->tensors->mem, struct span, n + 1);
    if (!r->spans) return few__no_memory(r->err, "tensors");
    json_object_foreach(header, key, value)
        FEW__TRY(strcmp(key, "__metadata__") == 0 ? read_words(r, value) : read_tensor(r, key, value));
    return check_spans(r);
}

static enum few_status read_header(struct reader *r, const char *text, size_t n)
{
    json_error_t why;
    if (n == 0 || text[0] != '{')
        return few__fail(r->err, FEW_EPARSE, "expected a header that begins with {");
    json_t *header = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    if (!header && json_error_code(&why) == json_error_out_of_memory) return few__no_memory(r->err, "header");
    if (!header) return few__fail(r->err, FEW_EPARSE, "header: byte %d: %s", why.position, why.text);
    enum few_status status = read_entries(r, header);
    json_decref(header);
    return status;
}

static enum few_status read_file(struct reader *r, const char *bytes, size_t n)
{
    uint64_t n_header = 0;
    if (n < FEW__TENSORS_PREFIX)
        return few__fail(r->err, FEW_EPARSE, "expected at least %d bytes, found %zu", FEW__TENSORS_PREFIX, n);
    memcpy(&n_header, bytes, FEW__TENSORS_PREFIX);
    if (n_header > n - FEW__TENSORS_PREFIX)
        return few__fail(r->err, FEW_EPARSE, "a header of %" PRIu64 " bytes in a file of %zu", n_header, n);
    if (n_header > FEW__TENSORS_HEADER_MAX)
        return few__fail(r->err, FEW_ELIMIT, "expected a header of at most %d bytes, found %" PRIu64,
                         FEW__TENSORS_HEADER_MAX, n_header);
    r->data = bytes + FEW__TENSORS_PREFIX + n_header;
    r->n_data = n - FEW__TENSORS_PREFIX - n_header;
    return read_header(r, bytes + FEW__TENSORS_PREFIX, (size_t)n_header);
}

// Takes over `file`.
static enum few_status read_owned(char *file, size_t n, const char *name, const struct few_env *env,
                                  struct few__tensors **out, struct few_error *err)
{
    struct reader r = {.name = name, .err = err};
    enum few_status status = few__tensors_create(env, &r.tensors, err);
    if (status != FEW_OK) {
        few__free(env->mem, file);
        return status;
    }
    r.tensors->file = file;
    status = read_file(&r, file, n);
    few__free(env->mem, r.spans);
    if (status == FEW_OK) {
        *out = r.tensors;
        return FEW_OK;
    }
    few__tensors_free(r.tensors);
    return few__wrap(err, status, "%s", name);
}

enum few_status few__tensors_read(const char *path, const struct few_env *env, struct few__tensors **out,
                                  struct few_error *err)
{
    struct few_env e = few__env(env);
    char *file;
    size_t n;
    *out = NULL;
    FEW__TRY(few__file_read(path, FEW__TENSORS_FILE_MAX, e.mem, &file, &n, err));
    return read_owned(file, n, path, &e, out, err);
}

enum few_status few__tensors_parse(const void *bytes, size_t n, const char *name, const struct few_env *env,
                                   struct few__tensors **out, struct few_error *err)
{
    struct few_env e = few__env(env);
    *out = NULL;
    char *file = few__new(e.mem, n + 1, 1);
    if (!file) return few__no_memory(err, name);
    memcpy(file, bytes, n);
    return read_owned(file, n, name, &e, out, err);
}
