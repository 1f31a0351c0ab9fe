// SPDX-License-Identifier: Apache-2.0
// Whole files in memory: one at a time, and one after the other in a buffer that is kept.
#include "core/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
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

static void read_ok(struct few__file_reader *reader, const char *name, size_t expected)
{
    struct few_error err;
    const void *bytes;
    size_t n;
    assert_status(few__file_reader_read(reader, t_path(name), SIZE_MAX, &bytes, &n, &err), FEW_OK, &err);
    assert_int_equal(n, expected);
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i++)
        if (p[i] != name[0]) fail_msg("%s: byte %zu is %d", name, i, p[i]);
    for (size_t i = 0; i < 64; i++) assert_int_equal(p[n + i], 0);
}

// The buffer grows to the largest file, smaller ones allocate nothing, and after a very large one it shrinks.
static void test_reader_keeps_its_buffer(void **state)
{
    (void)state;
    enum { HUGE_FILE = FEW__READER_KEEP + 1000 };
    static const struct {
        const char *name;
        size_t n;
    } files[] = {{"a", 1000}, {"b", 70000}, {"c", 0}, {"d", HUGE_FILE}};
    t_tmpdir();
    for (size_t i = 0; i < 4; i++) {
        char *data = malloc(files[i].n + 1);
        assert_non_null(data);
        memset(data, files[i].name[0], files[i].n);
        t_write(t_path(files[i].name), data, files[i].n);
        free(data);
    }
    struct t_mem t;
    t_mem_init(&t, 0);
    struct few__file_reader reader;
    few__file_reader_init(&reader, &t.mem);
    read_ok(&reader, "b", 70000);
    assert_int_equal(t.calls, 1);
    read_ok(&reader, "a", 1000);
    read_ok(&reader, "c", 0);
    read_ok(&reader, "b", 70000);
    assert_int_equal(t.calls, 1);
    read_ok(&reader, "d", HUGE_FILE);
    assert_int_equal(t.calls, 2);
    read_ok(&reader, "a", 1000);
    assert_int_equal(reader.room, FEW__READER_KEEP);
    assert_int_equal(t.live, 1);
    few__file_reader_finish(&reader);
    assert_int_equal(t.live, 0);
}

// What cannot be read leaves the reader usable.
static void test_reader_goes_on(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("a"), "aaaa", 4);
    struct few__file_reader reader;
    few__file_reader_init(&reader, NULL);
    const void *bytes = &reader;
    size_t n = 9;
    assert_int_equal(few__file_reader_read(&reader, t_path("none"), 10, &bytes, &n, NULL), FEW_ENOENT);
    assert_null(bytes);
    assert_int_equal(n, 0);
    assert_int_equal(few__file_reader_read(&reader, t_path("a"), 3, &bytes, &n, NULL), FEW_ELIMIT);
    read_ok(&reader, "a", 4);
    few__file_reader_finish(&reader);
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
        cmocka_unit_test(test_reader_keeps_its_buffer),
        cmocka_unit_test(test_reader_goes_on),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
