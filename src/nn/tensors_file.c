// SPDX-License-Identifier: Apache-2.0
// Making a set of tensors, looking into it, writing it.
#include "nn/tensors_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/env.h"
#include "core/error.h"
#include "core/text.h"
#include "nn/tensors_inside.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are written as they lie in memory");

const struct few__dtype_row few__dtypes[FEW__DTYPE_COUNT] = {[FEW__F32] = {"F32", 4},
                                                             [FEW__F64] = {"F64", 8},
                                                             [FEW__I32] = {"I32", 4},
                                                             [FEW__I64] = {"I64", 8},
                                                             [FEW__U8] = {"U8", 1}};

enum few_status few__tensors_create(const struct few_env *env, struct few__tensors **out,
                                    struct few_error *err)
{
    struct few_env e = few__env(env);
    *out = FEW__NEW(e.mem, struct few__tensors);
    if (!*out) return few__no_memory(err, "tensors");
    (*out)->mem = e.mem;
    few__arena_init(&(*out)->arena, e.mem, FEW__TENSORS_FILE_MAX);
    return FEW_OK;
}

void few__tensors_free(struct few__tensors *tensors)
{
    if (!tensors) return;
    few__arena_finish(&tensors->arena);
    few__free(tensors->mem, tensors->list);
    few__free(tensors->mem, tensors->places);
    few__free(tensors->mem, tensors->words);
    few__free(tensors->mem, tensors->file);
    few__free(tensors->mem, tensors);
}

/* ---- filling ---- */

static bool grow(const struct few_mem *mem, void **list, size_t n, size_t *room, size_t size)
{
    if (n < *room) return true;
    size_t more = *room ? 2 * *room : 16;
    void *grown = few__resize(mem, *list, more, size);
    if (!grown) return false;
    *list = grown;
    *room = more;
    return true;
}

static enum few_status check_utf8(const struct few_mem *mem, const char *what, const char *s,
                                  struct few_error *err)
{
    struct few__text text;
    few__text_init(&text, mem, SIZE_MAX);
    few__text_utf8(&text, s);
    bool ok = few__text_ok(&text), same = ok && strcmp(text.s ? text.s : "", s) == 0;
    few__text_finish(&text);
    if (!ok) return few__no_memory(err, what);
    return same ? FEW_OK : few__fail(err, FEW_EINVAL, "%s: expected UTF-8", what);
}

static enum few_status check_name(const char *what, const char *name, struct few_error *err)
{
    size_t n = strlen(name);
    if (n == 0) return few__fail(err, FEW_EINVAL, "%s without a name", what);
    if (n > FEW__TENSORS_NAME_MAX)
        return few__fail(err, FEW_ELIMIT, "%s %.40s...: expected a name of at most %d bytes, found %zu", what,
                         name, FEW__TENSORS_NAME_MAX, n);
    return FEW_OK;
}

enum few_status few__tensors_say(struct few__tensors *tensors, const char *key, const char *text,
                                 struct few_error *err)
{
    FEW__TRY(check_name("metadata", key, err));
    if (few__tensors_word(tensors, key))
        return few__fail(err, FEW_EEXIST, "metadata %s: is there already", key);
    if (tensors->n_words == FEW__TENSORS_WORDS_MAX)
        return few__fail(err, FEW_ELIMIT, "metadata %s: expected at most %d entries", key,
                         FEW__TENSORS_WORDS_MAX);
    FEW__TRY(check_utf8(tensors->mem, "a key of the metadata", key, err));
    FEW__TRY(check_utf8(tensors->mem, key, text, err));
    void *words = tensors->words;
    bool grown = grow(tensors->mem, &words, tensors->n_words, &tensors->words_room, sizeof *tensors->words);
    tensors->words = words;
    struct few__tensors_word word = {.key = few__arena_strdup(&tensors->arena, key),
                                     .text = few__arena_strdup(&tensors->arena, text)};
    if (!grown || !word.key || !word.text) return few__no_memory(err, key);
    tensors->words[tensors->n_words++] = word;
    return FEW_OK;
}

// Where the name is in the table of places, or the empty place where it belongs.
static size_t place_of(const struct few__tensors *tensors, const char *name)
{
    uint64_t hash = 14695981039346656037U; // FNV-1a
    for (const char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211U;
    size_t at = (size_t)hash & (tensors->n_places - 1);
    while (tensors->places[at] && strcmp(tensors->list[tensors->places[at] - 1].name, name) != 0)
        at = (at + 1) & (tensors->n_places - 1);
    return at;
}

// At most half of the places are taken.
static bool grow_places(struct few__tensors *tensors)
{
    if (2 * (tensors->n + 1) <= tensors->n_places) return true;
    size_t n = tensors->n_places ? 2 * tensors->n_places : 32;
    uint32_t *places = FEW__NEW_N(tensors->mem, uint32_t, n);
    if (!places) return false;
    few__free(tensors->mem, tensors->places);
    tensors->places = places;
    tensors->n_places = n;
    for (size_t i = 0; i < tensors->n; i++)
        places[place_of(tensors, tensors->list[i].name)] = (uint32_t)i + 1;
    return true;
}

enum few_status few__tensors_more(struct few__tensors *tensors, const char *name,
                                  struct few__named_tensor **out, struct few_error *err)
{
    FEW__TRY(check_name("a tensor", name, err));
    if (tensors->n == FEW__TENSORS_MAX)
        return few__fail(err, FEW_ELIMIT, "tensor %s: expected at most %d tensors", name, FEW__TENSORS_MAX);
    void *list = tensors->list;
    bool grown = grow(tensors->mem, &list, tensors->n, &tensors->room, sizeof *tensors->list);
    tensors->list = list;
    const char *copy = few__arena_strdup(&tensors->arena, name);
    if (!grown || !copy || !grow_places(tensors)) return few__no_memory(err, name);
    tensors->places[place_of(tensors, name)] = (uint32_t)tensors->n + 1;
    *out = &tensors->list[tensors->n++];
    **out = (struct few__named_tensor){.name = copy};
    return FEW_OK;
}

enum few_status few__tensors_count(const char *name, enum few__dtype dtype, const size_t *dims, size_t n_dims,
                                   size_t *n, struct few_error *err)
{
    size_t most = FEW__TENSORS_FILE_MAX / few__dtypes[dtype].size;
    *n = 1;
    for (size_t i = 0; i < n_dims; i++)
        if (dims[i] == 0) *n = 0;
    for (size_t i = 0; i<n_dims && * n> 0; i++) {
        if (dims[i] > most / *n)
            return few__fail(err, FEW_ELIMIT, "tensor %s: expected at most %zu numbers, found more", name,
                             most);
        *n *= dims[i];
    }
    return FEW_OK;
}

enum few_status few__tensors_add(struct few__tensors *tensors, const char *name, enum few__dtype dtype,
                                 const size_t *dims, size_t n_dims, const void *data, void **to,
                                 struct few_error *err)
{
    size_t n;
    struct few__named_tensor *tensor;
    if (to) *to = NULL;
    if (few__tensors_find(tensors, name))
        return few__fail(err, FEW_EEXIST, "tensor %s: is there already", name);
    if (strcmp(name, "__metadata__") == 0)
        return few__fail(err, FEW_EINVAL, "tensor %s: no tensor can have this name", name);
    FEW__TRY(check_utf8(tensors->mem, "the name of a tensor", name, err));
    if (n_dims > FEW__TENSORS_DIMS_MAX)
        return few__fail(err, FEW_ELIMIT, "tensor %s: expected at most %d dimensions, found %zu", name,
                         FEW__TENSORS_DIMS_MAX, n_dims);
    FEW__TRY(few__tensors_count(name, dtype, dims, n_dims, &n, err));
    void *copy = few__arena_alloc(&tensors->arena, n, few__dtypes[dtype].size);
    if (!copy) return few__no_memory(err, name);
    if (data && n > 0) memcpy(copy, data, n * few__dtypes[dtype].size);
    FEW__TRY(few__tensors_more(tensors, name, &tensor, err));
    tensor->dtype = dtype;
    tensor->n = n;
    tensor->n_dims = n_dims;
    for (size_t i = 0; i < n_dims; i++) tensor->dims[i] = dims[i];
    tensor->data = copy;
    if (to) *to = copy;
    return FEW_OK;
}

/* ---- looking ---- */

const struct few__named_tensor *few__tensors_find(const struct few__tensors *tensors, const char *name)
{
    uint32_t at = tensors->n_places ? tensors->places[place_of(tensors, name)] : 0;
    return at ? &tensors->list[at - 1] : NULL;
}

const char *few__tensors_word(const struct few__tensors *tensors, const char *key)
{
    for (size_t i = 0; i < tensors->n_words; i++)
        if (strcmp(tensors->words[i].key, key) == 0) return tensors->words[i].text;
    return NULL;
}

// "[2, any]"
static void put_shape(char *to, size_t room, const size_t *dims, size_t n_dims)
{
    size_t used = 0;
    snprintf(to, room, "[]");
    for (size_t i = 0; i < n_dims && used < room; i++) {
        int n = dims[i] == SIZE_MAX ? snprintf(to + used, room - used, "%sany", i ? ", " : "[")
                                    : snprintf(to + used, room - used, "%s%zu", i ? ", " : "[", dims[i]);
        used += n > 0 ? (size_t)n : 0;
    }
    if (n_dims > 0 && used < room) snprintf(to + used, room - used, "]");
}

enum few_status few__tensors_get(const struct few__tensors *tensors, const char *name, enum few__dtype dtype,
                                 const size_t *dims, size_t n_dims, const struct few__named_tensor **found,
                                 struct few_error *err)
{
    const struct few__named_tensor *tensor = few__tensors_find(tensors, name);
    *found = NULL;
    if (!tensor) return few__fail(err, FEW_ENOENT, "tensor %s: is not there", name);
    bool same = tensor->dtype == dtype && tensor->n_dims == n_dims;
    for (size_t i = 0; same && i < n_dims; i++) same = dims[i] == SIZE_MAX || dims[i] == tensor->dims[i];
    if (!same) {
        char expected[256], got[256];
        put_shape(expected, sizeof expected, dims, n_dims);
        put_shape(got, sizeof got, tensor->dims, tensor->n_dims);
        return few__fail(err, FEW_ESHAPE, "tensor %s: expected %s %s, found %s %s", name,
                         few__dtypes[dtype].name, expected, few__dtypes[tensor->dtype].name, got);
    }
    *found = tensor;
    return FEW_OK;
}

/* ---- writing ---- */

static void put_words(const struct few__tensors *tensors, struct few__text *text)
{
    few__text_put(text, "\"__metadata__\":{");
    for (size_t i = 0; i < tensors->n_words; i++) {
        if (i > 0) few__text_put(text, ",");
        few__text_json(text, tensors->words[i].key);
        few__text_put(text, ":");
        few__text_json(text, tensors->words[i].text);
    }
    few__text_put(text, "}");
}

static void put_header(const struct few__tensors *tensors, struct few__text *text)
{
    uint64_t offset = 0;
    few__text_put(text, "{");
    if (tensors->n_words > 0) put_words(tensors, text);
    for (size_t i = 0; i < tensors->n; i++) {
        const struct few__named_tensor *tensor = &tensors->list[i];
        uint64_t end = offset + tensor->n * few__dtypes[tensor->dtype].size;
        if (i > 0 || tensors->n_words > 0) few__text_put(text, ",");
        few__text_json(text, tensor->name);
        few__text_printf(text, ":{\"dtype\":\"%s\",\"shape\":[", few__dtypes[tensor->dtype].name);
        for (size_t k = 0; k < tensor->n_dims; k++)
            few__text_printf(text, "%s%zu", k ? "," : "", tensor->dims[k]);
        few__text_printf(text, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", offset, end);
        offset = end;
    }
    few__text_put(text, "}");
    while (few__text_ok(text) && (text->n + FEW__TENSORS_PREFIX) % 8 != 0) few__text_put(text, " ");
}

static bool write_all(const struct few__tensors *tensors, const struct few__text *header, FILE *file)
{
    uint64_t n = header->n;
    bool right = fwrite(&n, sizeof n, 1, file) == 1 && fwrite(header->s, header->n, 1, file) == 1;
    for (size_t i = 0; right && i < tensors->n; i++) {
        const struct few__named_tensor *tensor = &tensors->list[i];
        right = tensor->n == 0 ||
                fwrite(tensor->data, few__dtypes[tensor->dtype].size, tensor->n, file) == tensor->n;
    }
    return right && fflush(file) == 0 && fsync(fileno(file)) == 0;
}

static enum few_status write_part(const struct few__tensors *tensors, const struct few__text *header,
                                  const char *part, const char *path, struct few_error *err)
{
    FILE *file = fopen(part, "wb");
    if (!file) return few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
    bool right = write_all(tensors, header, file);
    int why = errno;
    right = fclose(file) == 0 && right;
    if (right && rename(part, path) == 0) return FEW_OK;
    if (!right && why) errno = why;
    few__fail_sys(err, FEW_EIO, "%s: cannot be written", path);
    unlink(part);
    return FEW_EIO;
}

static enum few_status check_size(const struct few__tensors *tensors, const char *path, struct few_error *err)
{
    size_t total = FEW__TENSORS_HEADER_MAX + FEW__TENSORS_PREFIX;
    for (size_t i = 0; i < tensors->n; i++) {
        size_t n = tensors->list[i].n * few__dtypes[tensors->list[i].dtype].size;
        if (n > FEW__TENSORS_FILE_MAX - total)
            return few__fail(err, FEW_ELIMIT, "%s: expected at most %zu bytes of tensors", path,
                             FEW__TENSORS_FILE_MAX - FEW__TENSORS_HEADER_MAX - FEW__TENSORS_PREFIX);
        total += n;
    }
    return FEW_OK;
}

enum few_status few__tensors_write(const struct few__tensors *tensors, const char *path,
                                   struct few_error *err)
{
    struct few__text header, part;
    FEW__TRY(check_size(tensors, path, err));
    few__text_init(&header, tensors->mem, FEW__TENSORS_HEADER_MAX);
    few__text_init(&part, tensors->mem, strlen(path) + 8);
    put_header(tensors, &header);
    few__text_printf(&part, "%s.part", path);
    enum few_status status = FEW_OK;
    if (!few__text_ok(&part)) status = few__no_memory(err, path);
    else if (!few__text_ok(&header))
        status = header.n > FEW__TENSORS_HEADER_MAX / 2
                     ? few__fail(err, FEW_ELIMIT, "%s: expected a header of at most %d bytes", path,
                                 FEW__TENSORS_HEADER_MAX)
                     : few__no_memory(err, path);
    else status = write_part(tensors, &header, part.s, path, err);
    few__text_finish(&part);
    few__text_finish(&header);
    return status;
}
