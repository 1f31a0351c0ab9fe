// SPDX-License-Identifier: Apache-2.0
// Reading a whole file into memory.
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "support/support.h"

static void test_reads(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("file"), "ab\0cd", 5);
    t_write(t_path("empty"), "", 0);
    struct few_error err;
    char *data = NULL;
    size_t n = 99;
    assert_status(few__file_read(t_path("file"), 5, NULL, &data, &n, &err), FEW_OK, &err);
    assert_int_equal(n, 5);
    assert_memory_equal(data, "ab\0cd", 6); // NUL after the end
    few__free(NULL, data);
    assert_status(few__file_read(t_path("empty"), 0, NULL, &data, &n, &err), FEW_OK, &err);
    assert_int_equal(n, 0);
    assert_string_equal(data, "");
    few__free(NULL, data);
}

static void expect(const char *path, size_t max, enum few_status expected, const char *words)
{
    struct few_error err;
    char *data = (char *)1;
    size_t n = 99;
    assert_status(few__file_read(path, max, NULL, &data, &n, &err), expected, &err);
    if (!strstr(err.message, words)) fail_msg("\"%s\" lacks \"%s\"", err.message, words);
    assert_null(data);
    assert_int_equal(n, 0);
    assert_int_equal(few__file_read(path, max, NULL, &data, &n, NULL), expected);
}

static void test_errors(void **state)
{
    (void)state;
    const char *dir = t_tmpdir();
    t_write(t_path("file"), "abcdef", 6);
    expect(t_path("none"), 100, FEW_ENOENT, "none: cannot be opened: No such file");
    expect(t_path("file/below"), 100, FEW_EIO, "Not a directory");
    expect(t_path("file"), 5, FEW_ELIMIT, "expected at most 5 bytes, found 6");
    expect(dir, 100, FEW_EIO, "expected a file, found a folder");
    expect("/dev/null", 100, FEW_EIO, "expected a file, found something else");
}

static enum few_status read_it(const struct few_mem *mem, void *ud)
{
    char *data;
    size_t n;
    enum few_status status = few__file_read(ud, 100, mem, &data, &n, NULL);
    few__free(mem, data);
    return status;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    char path[512];
    t_tmpdir();
    snprintf(path, sizeof path, "%s", t_path("file"));
    t_write(path, "abc", 3);
    t_fail_each_allocation(read_it, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
