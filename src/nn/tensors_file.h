// SPDX-License-Identifier: Apache-2.0
/* Tensors by name, with words beside them, in a safetensors file (https://github.com/huggingface/safetensors): 8 bytes N,
 * little-endian; N bytes of JSON that begin with "{" and may end with spaces; the data of all tensors, without gaps. The
 * JSON is {"__metadata__": {KEY: TEXT, ...}, NAME: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}.
 *
 * One struct for both ways: made and filled and written, or read. */
#ifndef FEW_NN_TENSORS_FILE_H
#define FEW_NN_TENSORS_FILE_H

#include "core/mem.h"

enum {
    FEW__TENSORS_MAX = 1 << 16,        // in a file
    FEW__TENSORS_WORDS_MAX = 1 << 10,  // entries of the metadata
    FEW__TENSORS_DIMS_MAX = 8,         // of one
    FEW__TENSORS_NAME_MAX = 255,       // bytes of a name or a key
    FEW__TENSORS_HEADER_MAX = 64 << 20 // bytes of the JSON
};
#define FEW__TENSORS_FILE_MAX ((size_t)1 << 32)

enum few__dtype { FEW__F32, FEW__F64, FEW__I32, FEW__I64, FEW__U8, FEW__DTYPE_COUNT };

struct few__named_tensor {
    const char *name;
    enum few__dtype dtype;
    size_t n_dims, dims[FEW__TENSORS_DIMS_MAX]; // no dims: one number
    size_t n;                                   // numbers
    const void *data;                           // (n,) aligned for its type
};

struct few__tensors_word {
    const char *key, *text;
};

struct few__tensors {
    const struct few_mem *mem;
    struct few__arena arena; // names, words, copies
    size_t n, room;
    struct few__named_tensor *list; // in the order in which they were added, or stand in the header
    uint32_t *places;               // (n_places,) by name: 1 + where it is in the list, 0 = nowhere
    size_t n_places;
    size_t n_words, words_room;
    struct few__tensors_word *words;
    char *file; // what was read
};

/* Errors: FEW_ENOMEM. */
enum few_status few__tensors_create(const struct few_env *env, struct few__tensors **out,
                                    struct few_error *err);
void few__tensors_free(struct few__tensors *tensors);

/* Both are copied. Errors: FEW_EEXIST the key is there already; FEW_EINVAL an empty key, or no UTF-8; FEW_ELIMIT; FEW_ENOMEM. */
enum few_status few__tensors_say(struct few__tensors *tensors, const char *key, const char *text,
                                 struct few_error *err);

/* Adds a tensor. name: copied; data: copied, or, if NULL, zeros, for the caller to fill through *to. to may be NULL.
 * Errors: FEW_EEXIST the name is there already; FEW_EINVAL an empty name, no UTF-8, or "__metadata__"; FEW_ELIMIT too many
 * tensors, dims, numbers, or too long a name; FEW_ENOMEM. */
enum few_status few__tensors_add(struct few__tensors *tensors, const char *name, enum few__dtype dtype,
                                 const size_t *dims, size_t n_dims, const void *data, void **to,
                                 struct few_error *err);

/* NULL when there is none. */
const struct few__named_tensor *few__tensors_find(const struct few__tensors *tensors, const char *name);
const char *few__tensors_word(const struct few__tensors *tensors, const char *key);

/* The tensor of this name, type and shape; *data is borrowed. dims[i] SIZE_MAX: any.
 * Errors: FEW_ENOENT; FEW_ESHAPE another type or shape. */
enum few_status few__tensors_get(const struct few__tensors *tensors, const char *name, enum few__dtype dtype,
                                 const size_t *dims, size_t n_dims, const struct few__named_tensor **found,
                                 struct few_error *err);

/* Same tensors and words in the same order, same bytes. Written to "PATH.part" and then renamed, so that the path has the
 * old file or the whole new one. Errors: FEW_EIO; FEW_ELIMIT; FEW_ENOMEM. */
enum few_status few__tensors_write(const struct few__tensors *tensors, const char *path,
                                   struct few_error *err);

/* Errors: FEW_ENOENT, FEW_EIO; FEW_EPARSE whatever the format does not allow; FEW_EUNSUPPORTED another dtype; FEW_ELIMIT one of
 * the limits above; FEW_ENOMEM. Numbers may be anything, NaN too. */
enum few_status few__tensors_read(const char *path, const struct few_env *env, struct few__tensors **out,
                                  struct few_error *err);

/* The same of bytes in memory, which are copied. name: for messages. */
enum few_status few__tensors_parse(const void *bytes, size_t n, const char *name, const struct few_env *env,
                                   struct few__tensors **out, struct few_error *err);

#endif
