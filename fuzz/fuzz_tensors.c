// SPDX-License-Identifier: Apache-2.0
/* A file of tensors. The bytes are the file, except that of input which begins with "{" the eight bytes of the length are put
 * before its first line, which is the header; so that what is found in the header does not hang on a number. */
#include <string.h>

#include "fuzz.h"
#include "nn/tensors_file.h"

enum { SIZE_MAX_HERE = 1 << 17 };

static void look(const struct few__tensors *tensors)
{
    static const size_t sizes[FEW__DTYPE_COUNT] = {4, 8, 4, 8, 1};
    static volatile unsigned sink; // every byte is read, for the sanitizers
    unsigned sum = 0;
    for (size_t i = 0; i < tensors->n; i++) {
        const struct few__named_tensor *tensor = &tensors->list[i];
        size_t n = 1;
        for (size_t k = 0; k < tensor->n_dims; k++) n *= tensor->dims[k];
        fuzz_must(n == tensor->n && (uintptr_t)tensor->data % sizes[tensor->dtype] == 0);
        fuzz_must(few__tensors_find(tensors, tensor->name) == tensor);
        for (size_t k = 0; k < n * sizes[tensor->dtype]; k++) sum += ((const uint8_t *)tensor->data)[k];
    }
    sink = sum;
    (void)sink;
}

// What can be read is written and read again as the same.
static void again(const struct few__tensors *tensors)
{
    struct few__tensors *second;
    struct few_error err;
    const char *path = fuzz_path("t");
    fuzz_must(few__tensors_write(tensors, path, &err) == FEW_OK);
    fuzz_must(few__tensors_read(path, fuzz_env(), &second, &err) == FEW_OK);
    fuzz_must(second->n == tensors->n && second->n_words == tensors->n_words);
    for (size_t i = 0; i < tensors->n; i++) {
        const struct few__named_tensor *a = &tensors->list[i], *b = &second->list[i];
        fuzz_must(strcmp(a->name, b->name) == 0 && a->dtype == b->dtype && a->n == b->n &&
                  a->n_dims == b->n_dims);
        fuzz_must(a->n == 0 || memcmp(a->data, b->data, a->n) == 0);
    }
    few__tensors_free(second);
}

static void parse(const void *bytes, size_t n)
{
    struct few__tensors *tensors;
    struct few_error err = {.message = ""};
    enum few_status status = few__tensors_parse(bytes, n, "x", fuzz_env(), &tensors, &err);
    if (status != FEW_OK) {
        fuzz_must(!tensors && err.message[0] && err.code == status);
        return;
    }
    look(tensors);
    again(tensors);
    few__tensors_free(tensors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[SIZE_MAX_HERE];
    if (size == 0 || data[0] != '{' || size + 8 > sizeof file) {
        parse(data, size);
        return 0;
    }
    const uint8_t *end = memchr(data, '\n', size);
    uint64_t n = end ? (uint64_t)(end - data) : size;
    size_t rest = end ? size - (size_t)n - 1 : 0;
    memcpy(file, &n, 8);
    memcpy(file + 8, data, n);
    if (rest > 0) memcpy(file + 8 + n, end + 1, rest);
    parse(file, 8 + n + rest);
    return 0;
}
