// SPDX-License-Identifier: Apache-2.0
// Round trips, the bytes themselves, and everything that a reader must refuse.
#include "nn/tensors_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "support/support.h"

static const float numbers[6] = {1, -2.5F, 0, 1e-30F, 3e38F, 7};
static const double doubles[2] = {0.1, -1e300};
static const int32_t ints[3] = {1, -2147483647, 5};
static const int64_t longs[1] = {-9223372036854775807};
static const uint8_t bytes[5] = {0, 1, 254, 255, 7};

static struct few__tensors *make(void)
{
    struct few__tensors *tensors;
    struct few_error err;
    static const size_t dims[] = {2, 3, 5, 1};
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_status(few__tensors_say(tensors, "config", "{\"a\": \"\\u00e9\"}\n", &err), FEW_OK, &err);
    assert_status(few__tensors_say(tensors, "empty", "", &err), FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "u8", FEW__U8, &dims[2], 1, bytes, NULL, &err), FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "f32", FEW__F32, dims, 2, numbers, NULL, &err), FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "f64 \"\xc3\xa9\"", FEW__F64, dims, 1, doubles, NULL, &err),
                  FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "i32", FEW__I32, &dims[1], 1, ints, NULL, &err), FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "i64", FEW__I64, NULL, 0, longs, NULL, &err), FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "none", FEW__F32, (size_t[]){3, 0, 2}, 3, NULL, NULL, &err),
                  FEW_OK, &err);
    assert_status(few__tensors_add(tensors, "zeros", FEW__F32, &dims[3], 1, NULL, NULL, &err), FEW_OK, &err);
    return tensors;
}

static void check(const struct few__tensors *tensors)
{
    const struct few__named_tensor *t;
    struct few_error err;
    assert_int_equal(tensors->n, 7);
    assert_string_equal(few__tensors_word(tensors, "config"), "{\"a\": \"\\u00e9\"}\n");
    assert_string_equal(few__tensors_word(tensors, "empty"), "");
    assert_null(few__tensors_word(tensors, "other"));
    assert_status(few__tensors_get(tensors, "f32", FEW__F32, (size_t[]){2, 3}, 2, &t, &err), FEW_OK, &err);
    assert_memory_equal(t->data, numbers, sizeof numbers);
    assert_status(few__tensors_get(tensors, "f64 \"\xc3\xa9\"", FEW__F64, (size_t[]){SIZE_MAX}, 1, &t, &err),
                  FEW_OK, &err);
    assert_memory_equal(t->data, doubles, sizeof doubles);
    assert_int_equal((uintptr_t)t->data % sizeof(double), 0);
    assert_status(few__tensors_get(tensors, "i32", FEW__I32, (size_t[]){3}, 1, &t, &err), FEW_OK, &err);
    assert_memory_equal(t->data, ints, sizeof ints);
    assert_status(few__tensors_get(tensors, "i64", FEW__I64, NULL, 0, &t, &err), FEW_OK, &err);
    assert_memory_equal(t->data, longs, sizeof longs);
    assert_status(few__tensors_get(tensors, "u8", FEW__U8, (size_t[]){5}, 1, &t, &err), FEW_OK, &err);
    assert_memory_equal(t->data, bytes, sizeof bytes);
    assert_status(few__tensors_get(tensors, "none", FEW__F32, (size_t[]){3, 0, 2}, 3, &t, &err), FEW_OK,
                  &err);
    assert_int_equal(t->n, 0);
    assert_true(*(const float *)few__tensors_find(tensors, "zeros")->data == 0);
    assert_null(few__tensors_find(tensors, "F32"));
}

static void test_round_trip(void **state)
{
    (void)state;
    struct few_error err;
    struct few__tensors *tensors = make(), *again;
    char *first, *second;
    size_t n, m;
    t_tmpdir();
    const char *path = t_path("a.safetensors"), *copy = t_path("b.safetensors");
    check(tensors);
    assert_status(few__tensors_write(tensors, path, &err), FEW_OK, &err);
    few__tensors_free(tensors);
    assert_status(few__tensors_read(path, NULL, &again, &err), FEW_OK, &err);
    check(again);
    assert_status(few__tensors_write(again, copy, &err), FEW_OK, &err);
    few__tensors_free(again);
    assert_int_equal(few__file_read(path, SIZE_MAX, NULL, &first, &n, NULL), FEW_OK);
    assert_int_equal(few__file_read(copy, SIZE_MAX, NULL, &second, &m, NULL), FEW_OK);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    few__free(NULL, first);
    few__free(NULL, second);
    few__tensors_free(NULL);
}

static void test_bytes(void **state)
{
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"v\"},\"t\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]}} ";
    static const int32_t two[] = {1, 2};
    struct few__tensors *tensors;
    char *got;
    size_t n;
    t_tmpdir();
    const char *path = t_path("c.safetensors");
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_int_equal(few__tensors_add(tensors, "t", FEW__I32, (size_t[]){2}, 1, two, NULL, NULL), FEW_OK);
    assert_int_equal(few__tensors_say(tensors, "k", "v", NULL), FEW_OK);
    assert_int_equal(few__tensors_write(tensors, path, NULL), FEW_OK);
    few__tensors_free(tensors);
    assert_int_equal(few__file_read(path, SIZE_MAX, NULL, &got, &n, NULL), FEW_OK);
    uint64_t length = sizeof header - 1;
    assert_int_equal(n, 8 + length + 8);
    assert_int_equal(length % 8, 0);
    assert_memory_equal(got, &length, 8);
    assert_memory_equal(got + 8, header, length);
    assert_memory_equal(got + 8 + length, two, sizeof two);
    few__free(NULL, got);
}

// A file of this header and this many bytes of data.
static enum few_status parse(const char *header, size_t n_data, struct few__tensors **out,
                             struct few_error *err)
{
    static char file[1 << 16];
    uint64_t n = strlen(header);
    memset(file, 0, sizeof file);
    memcpy(file, &n, 8);
    memcpy(file + 8, header, n);
    return few__tensors_parse(file, 8 + n + n_data, "x", NULL, out, err);
}

#define ONE(dtype, shape, offsets) \
    "{\"t\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

static void test_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t n_data;
        const char *says;
    } cases[] = {
        {"", 0, "begins with {"},
        {" {}", 0, "begins with {"},
        {"[]", 0, "begins with {"},
        {"{", 0, "header: byte"},
        {"{}x", 0, "header: byte"},
        {"{\"a\":1,\"a\":2}", 0, "header: byte"},
        {"{\"\\u0000\":1}", 0, "header: byte"},
        {"{\"\xff\":1}", 0, "header: byte"},
        {"{\"t\":3}", 0, "tensor t: expected an object"},
        {"{\"\":{}}", 0, "without a name"},
        {"{\"t\":{}}", 0, "and nothing else"},
        {"{\"t\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1],\"more\":0}}", 1, "and nothing else"},
        {"{\"t\":{\"dtype\":\"U8\",\"shape\":[],\"offsets\":[0,1]}}", 1, "two data_offsets"},
        {"{\"__metadata__\":3}", 0, "__metadata__: expected an object"},
        {"{\"__metadata__\":{\"a\":3}}", 0, "metadata a: expected a text"},
        {"{\"__metadata__\":{\"\":\"\"}}", 0, "without a name"},
        {ONE("3", "[]", "[0,1]"), 1, "expected a dtype"},
        {ONE("\"U8\"", "3", "[0,1]"), 1, "expected a shape"},
        {ONE("\"U8\"", "[1.0]", "[0,1]"), 1, "shape: expected whole numbers"},
        {ONE("\"U8\"", "[-1]", "[0,1]"), 1, "shape: expected whole numbers"},
        {ONE("\"U8\"", "[1]", "[0]"), 1, "two data_offsets"},
        {ONE("\"U8\"", "[1]", "{}"), 1, "two data_offsets"},
        {ONE("\"U8\"", "[1]", "[0,true]"), 1, "data_offsets: expected whole numbers"},
        {ONE("\"U8\"", "[1]", "[-1,0]"), 1, "data_offsets: expected whole numbers"},
        {ONE("\"U8\"", "[1]", "[0,2]"), 1, "within 0 .. 1"},
        {ONE("\"U8\"", "[1]", "[1,0]"), 1, "within 0 .. 1"},
        {ONE("\"U8\"", "[2]", "[0,1]"), 1, "expected 2 bytes for its shape, found 1"},
        {ONE("\"F64\"", "[1]", "[0,4]"), 4, "expected 8 bytes for its shape, found 4"},
        {ONE("\"U8\"", "[1]", "[0,1]"), 2, "expected 1 bytes of data, found 2"},
        {ONE("\"U8\"", "[1]", "[1,2]"), 2, "expected its data to begin at 0"},
        {"{}", 1, "expected 0 bytes of data, found 1"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"b\":{\"dtype\":\"U8\",\"shape\":["
         "2],\"data_offsets\":[1,3]}}",
         3, "tensor b: expected its data to begin at 2"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"b\":{\"dtype\":\"U8\",\"shape\":["
         "1],\"data_offsets\":[2,3]}}",
         3, "tensor b: expected its data to begin at 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few_error err = {.message = ""};
        struct few__tensors *tensors = (struct few__tensors *)&err;
        assert_status(parse(cases[i].header, cases[i].n_data, &tensors, &err), FEW_EPARSE, &err);
        assert_null(tensors);
        if (strncmp(err.message, "x: ", 3) != 0 || !strstr(err.message, cases[i].says))
            fail_msg("%s: %s: expected %s", cases[i].header, err.message, cases[i].says);
    }
}

static void test_unsupported_and_limits(void **state)
{
    (void)state;
    struct few_error err;
    struct few__tensors *tensors;
    char header[700], name[FEW__TENSORS_NAME_MAX + 2];
    assert_int_equal(parse(ONE("\"BF16\"", "[1]", "[0,2]"), 2, &tensors, &err), FEW_EUNSUPPORTED);
    assert_string_equal(err.message, "x: tensor t: expected dtype F32, F64, I32, I64 or U8, found BF16");
    assert_int_equal(parse(ONE("\"U8\"", "[1,1,1,1,1,1,1,1,1]", "[0,1]"), 1, &tensors, &err), FEW_ELIMIT);
    assert_int_equal(parse(ONE("\"U8\"", "[1,1,1,1,1,1,1,1]", "[0,1]"), 1, &tensors, &err), FEW_OK);
    few__tensors_free(tensors);
    assert_int_equal(parse(ONE("\"F32\"", "[4294967296,4294967296,16]", "[0,0]"), 0, &tensors, &err),
                     FEW_ELIMIT);
    assert_int_equal(parse(ONE("\"F32\"", "[4294967297]", "[0,0]"), 0, &tensors, &err), FEW_ELIMIT);
    assert_int_equal(parse(ONE("\"F32\"", "[0,4294967296,4294967296]", "[0,0]"), 0, &tensors, &err), FEW_OK);
    few__tensors_free(tensors);
    memset(name, 'n', sizeof name - 1);
    for (size_t length = FEW__TENSORS_NAME_MAX; length <= FEW__TENSORS_NAME_MAX + 1; length++) {
        name[length] = 0;
        snprintf(header, sizeof header, "{\"%s\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
                 name);
        assert_int_equal(parse(header, 1, &tensors, &err),
                         length > FEW__TENSORS_NAME_MAX ? FEW_ELIMIT : FEW_OK);
        few__tensors_free(tensors);
        name[length] = 'n';
    }
    static const unsigned char over[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
    assert_int_equal(few__tensors_parse(over, sizeof over, "x", NULL, &tensors, &err), FEW_EPARSE);
    assert_int_equal(few__tensors_parse(over, 7, "x", NULL, &tensors, &err), FEW_EPARSE);
    assert_int_equal(few__tensors_parse("", 0, "x", NULL, &tensors, &err), FEW_EPARSE);
}

static void test_long_header(void **state)
{
    (void)state;
    struct few_error err;
    struct few__tensors *tensors;
    size_t n = (size_t)FEW__TENSORS_HEADER_MAX + 1;
    char *file = malloc(n + 8);
    assert_non_null(file);
    memset(file + 8, ' ', n);
    memcpy(file + 8, "{}", 2);
    for (uint64_t length = n; length >= n - 1; length--) {
        memcpy(file, &length, 8);
        assert_int_equal(few__tensors_parse(file, 8 + length, "x", NULL, &tensors, &err),
                         length == n ? FEW_ELIMIT : FEW_OK);
        few__tensors_free(tensors);
    }
    free(file);
}

static void test_too_many(void **state)
{
    (void)state;
    struct few__tensors *tensors;
    struct few_error err;
    char name[16];
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    for (int i = 0; i < FEW__TENSORS_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(few__tensors_add(tensors, name, FEW__U8, NULL, 0, NULL, NULL, NULL), FEW_OK);
    }
    assert_int_equal(few__tensors_add(tensors, "one more", FEW__U8, NULL, 0, NULL, NULL, &err), FEW_ELIMIT);
    assert_ptr_equal(few__tensors_find(tensors, "t40000"), &tensors->list[40000]);
    for (int i = 0; i < FEW__TENSORS_WORDS_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_int_equal(few__tensors_say(tensors, name, name, NULL), FEW_OK);
    }
    assert_int_equal(few__tensors_say(tensors, "one more", "", &err), FEW_ELIMIT);
    t_tmpdir();
    assert_status(few__tensors_write(tensors, t_path("many"), &err), FEW_OK, &err);
    few__tensors_free(tensors);
    assert_status(few__tensors_read(t_path("many"), NULL, &tensors, &err), FEW_OK, &err);
    assert_int_equal(tensors->n, FEW__TENSORS_MAX);
    few__tensors_free(tensors);
}

static void test_what_cannot_be_added(void **state)
{
    (void)state;
    struct few__tensors *tensors = make();
    struct few_error err;
    void *to = tensors;
    size_t wide[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1}, large[2] = {(size_t)1 << 31, 3};
    assert_int_equal(few__tensors_add(tensors, "i32", FEW__U8, NULL, 0, NULL, &to, &err), FEW_EEXIST);
    assert_null(to);
    assert_int_equal(few__tensors_add(tensors, "", FEW__U8, NULL, 0, NULL, NULL, &err), FEW_EINVAL);
    assert_int_equal(few__tensors_add(tensors, "__metadata__", FEW__U8, NULL, 0, NULL, NULL, &err),
                     FEW_EINVAL);
    assert_int_equal(few__tensors_add(tensors, "\xff", FEW__U8, NULL, 0, NULL, NULL, &err), FEW_EINVAL);
    assert_int_equal(few__tensors_add(tensors, "w", FEW__U8, wide, 9, NULL, NULL, &err), FEW_ELIMIT);
    assert_int_equal(few__tensors_add(tensors, "l", FEW__U8, large, 2, NULL, NULL, &err), FEW_ELIMIT);
    assert_int_equal(few__tensors_say(tensors, "config", "", &err), FEW_EEXIST);
    assert_int_equal(few__tensors_say(tensors, "", "", &err), FEW_EINVAL);
    assert_int_equal(few__tensors_say(tensors, "k", "\xff", &err), FEW_EINVAL);
    const struct few__named_tensor *t;
    assert_int_equal(few__tensors_get(tensors, "nobody", FEW__U8, NULL, 0, &t, &err), FEW_ENOENT);
    assert_int_equal(few__tensors_get(tensors, "f32", FEW__F32, (size_t[]){2, SIZE_MAX, 1}, 3, &t, &err),
                     FEW_ESHAPE);
    assert_null(t);
    assert_string_equal(err.message, "tensor f32: expected F32 [2, any, 1], found F32 [2, 3]");
    assert_int_equal(few__tensors_get(tensors, "i64", FEW__F64, NULL, 0, &t, &err), FEW_ESHAPE);
    assert_string_equal(err.message, "tensor i64: expected F64 [], found I64 []");
    check(tensors);
    few__tensors_free(tensors);
}

// A write that fails leaves what was there, and nothing beside it.
static void test_atomic(void **state)
{
    (void)state;
    struct few__tensors *tensors = make();
    struct few_error err;
    struct stat st;
    t_tmpdir();
    const char *folder = t_path("folder");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(few__tensors_write(tensors, folder, &err), FEW_EIO);
    assert_true(strstr(err.message, "folder: cannot be written"));
    assert_true(stat(t_path("folder.part"), &st) != 0);
    assert_int_equal(few__tensors_write(tensors, t_path("nowhere/file"), &err), FEW_EIO);
    assert_true(strstr(err.message, "cannot be created"));
    few__tensors_free(tensors);
    assert_int_equal(few__tensors_read(t_path("nobody"), NULL, &tensors, &err), FEW_ENOENT);
    assert_null(tensors);
}

static enum few_status all(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__tensors *tensors = NULL;
    const char *path = ud;
    enum few_status status = few__tensors_create(&env, &tensors, NULL);
    if (status == FEW_OK) status = few__tensors_say(tensors, "key", "text", NULL);
    for (char name[] = "a"; status == FEW_OK && name[0] <= 'z'; name[0]++)
        status = few__tensors_add(tensors, name, FEW__F64, (size_t[]){2}, 1, doubles, NULL, NULL);
    if (status == FEW_OK) status = few__tensors_write(tensors, path, NULL);
    few__tensors_free(tensors);
    if (status != FEW_OK) return status;
    status = few__tensors_read(path, &env, &tensors, NULL);
    few__tensors_free(tensors);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/t", t_tmpdir());
    t_fail_each_allocation(all, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_unsupported_and_limits),
        cmocka_unit_test(test_long_header),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_what_cannot_be_added),
        cmocka_unit_test(test_atomic),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
