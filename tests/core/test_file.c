// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "support/support.h"

static struct few_error err;

static void test_reads_a_file_whole(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("a"), "hello", 5);
    char *data;
    size_t n;
    assert_status(few__file_read(t_path("a"), 5, NULL, &data, &n, &err), FEW_OK, &err);
    assert_int_equal(n, 5);
    assert_string_equal(data, "hello");
    few__free(NULL, data);
}

static void test_says_what_is_wrong(void **state)
{
    (void)state;
    const char *folder = t_tmpdir();
    t_write(t_path("a"), "hello", 5);
    char *data;
    size_t n;
    assert_status(few__file_read(t_path("a"), 4, NULL, &data, &n, &err), FEW_ELIMIT, &err);
    assert_null(data);
    assert_status(few__file_read(t_path("b"), 4, NULL, &data, &n, &err), FEW_ENOENT, &err);
    assert_status(few__file_read(folder, 4, NULL, &data, &n, &err), FEW_EIO, &err);
    assert_non_null(strstr(err.message, "found a folder"));
}

static void test_keeps_its_buffer_and_shrinks_it(void **state)
{
    (void)state;
    t_tmpdir();
    size_t large = FEW__READER_KEEP + 1;
    char *zeros = calloc(1, large);
    assert_non_null(zeros);
    t_write(t_path("large"), zeros, large);
    t_write(t_path("small"), "hello", 5);
    free(zeros);
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few__file_reader reader;
    few__file_reader_init(&reader, &mem.mem);
    const void *bytes;
    size_t n;
    assert_status(few__file_reader_read(&reader, t_path("large"), large, &bytes, &n, &err), FEW_OK, &err);
    assert_int_equal(n, large);
    assert_status(few__file_reader_read(&reader, t_path("small"), large, &bytes, &n, &err), FEW_OK, &err);
    assert_string_equal(bytes, "hello");
    assert_int_equal(reader.room, FEW__READER_KEEP);
    size_t calls = mem.calls;
    assert_status(few__file_reader_read(&reader, t_path("small"), large, &bytes, &n, &err), FEW_OK, &err);
    assert_int_equal(mem.calls, calls);
    few__file_reader_finish(&reader);
    assert_int_equal(mem.live, 0);
}

static enum few_status read_one(const struct few_mem *mem, void *path)
{
    char *data;
    size_t n;
    enum few_status status = few__file_read(path, 100, mem, &data, &n, &err);
    few__free(mem, data);
    return status;
}

static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    t_tmpdir();
    char path[512];
    strncpy(path, t_path("a"), sizeof path - 1);
    t_write(path, "hello", 5);
    t_fail_each_allocation(read_one, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_file_whole),
        cmocka_unit_test(test_says_what_is_wrong),
        cmocka_unit_test(test_keeps_its_buffer_and_shrinks_it),
        cmocka_unit_test(test_every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
