// SPDX-License-Identifier: Apache-2.0
// write_tensors PATH: the file that test_safetensors.py reads.
#include <stdio.h>

#include "nn/tensors_file.h"

int main(int argc, char **argv)
{
    static const float f32[6] = {0, 0.5F, 1, 1.5F, 2, 2.5F};
    static const double f64[1] = {0.1};
    static const int32_t i32[2] = {-1, 7};
    static const int64_t i64[1] = {(int64_t)1 << 40};
    static const uint8_t u8[3] = {1, 2, 255};
    struct few__tensors *t;
    struct few_error err = {.message = "usage: write_tensors PATH"};
    if (argc != 2 || few__tensors_create(NULL, &t, &err) != FEW_OK) goto out;
    bool right =
        few__tensors_say(t, "config", "{\"seed\": 1, \"word\": \"\xc3\xa9\"}", &err) == FEW_OK &&
        few__tensors_add(t, "odd", FEW__U8, (size_t[]){3}, 1, u8, NULL, &err) == FEW_OK &&
        few__tensors_add(t, "net.0.weight", FEW__F32, (size_t[]){2, 3}, 2, f32, NULL, &err) == FEW_OK &&
        few__tensors_add(t, "f64", FEW__F64, NULL, 0, f64, NULL, &err) == FEW_OK &&
        few__tensors_add(t, "i32", FEW__I32, (size_t[]){2, 1}, 2, i32, NULL, &err) == FEW_OK &&
        few__tensors_add(t, "i64", FEW__I64, (size_t[]){1}, 1, i64, NULL, &err) == FEW_OK &&
        few__tensors_add(t, "none", FEW__F32, (size_t[]){0, 4}, 2, NULL, NULL, &err) == FEW_OK &&
        few__tensors_write(t, argv[1], &err) == FEW_OK;
    few__tensors_free(t);
    if (right) return 0;
out:
    fprintf(stderr, "%s\n", err.message);
    return 1;
}
