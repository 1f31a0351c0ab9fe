// SPDX-License-Identifier: Apache-2.0
// Label files in every form that people save them in.
#include "model/labels.h"

#include <string.h>

#include <fewer/model.h>

#include "support/support.h"

static struct few__arena arena;

static enum few_status read_bytes(const char *text, size_t n, struct few__label_file *file,
                                  struct few_error *err)
{
    t_write(t_path("labels.txt"), text, n);
    return few__labels_read(t_path("labels.txt"), &arena, file, err);
}

static struct few__label_file read_text(const char *text)
{
    struct few__label_file file;
    struct few_error err;
    assert_status(read_bytes(text, strlen(text), &file, &err), FEW_OK, &err);
    return file;
}

static int setup(void **state)
{
    (void)state;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 26);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    return 0;
}

static void test_lines(void **state)
{
    (void)state;
    struct few__label_file f = read_text("cat\ndog\n");
    assert_int_equal(f.n, 2);
    assert_string_equal(f.names[1], "dog");
    assert_null(f.space);
    f = read_text("cat\r\ndog");
    assert_int_equal(f.n, 2);
    assert_string_equal(f.names[0], "cat");
    assert_string_equal(f.names[1], "dog");
    f = read_text("\xEF\xBB\xBF"
                  "cat\n");
    assert_string_equal(f.names[0], "cat");
    assert_int_equal(read_text("").n, 0);
}

/* The end of an alphabet: a blank, an empty line, another blank. Only the last newline is no name. */
static void test_blank_lines_are_names(void **state)
{
    (void)state;
    struct few__label_file f = read_text("a\n\n \n \n");
    assert_int_equal(f.n, 4);
    assert_string_equal(f.names[1], "");
    assert_string_equal(f.names[3], " ");
}

static void test_declared_space(void **state)
{
    (void)state;
    struct few__label_file f = read_text("# space: weather\r\nsun\nrain\n");
    assert_int_equal(f.n, 2);
    assert_string_equal(f.space, "weather");
    assert_string_equal(f.names[0], "sun");
    f = read_text("sun\n# space: weather\n"); // only the first line declares
    assert_int_equal(f.n, 2);
    assert_null(f.space);
}

static void test_errors(void **state)
{
    (void)state;
    struct few__label_file f;
    struct few_error err;
    assert_status(few__labels_read(t_path("none"), &arena, &f, &err), FEW_ENOENT, &err);
    assert_status(read_bytes("a\0b", 3, &f, &err), FEW_EPARSE, &err);
    char *lines = few__new(NULL, FEW_LABELS_MAX + 1, 1);
    memset(lines, '\n', FEW_LABELS_MAX + 1);
    assert_status(read_bytes(lines, FEW_LABELS_MAX, &f, &err), FEW_OK, &err);
    assert_int_equal(f.n, FEW_LABELS_MAX);
    assert_status(read_bytes(lines, FEW_LABELS_MAX + 1, &f, &err), FEW_ELIMIT, &err);
    few__free(NULL, lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_blank_lines_are_names),
        cmocka_unit_test(test_declared_space),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
