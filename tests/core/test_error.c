// SPDX-License-Identifier: Apache-2.0
// Statuses and the messages that go with them.
#include "core/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fewer/version.h>

#include "support/support.h"

static void test_names_and_texts(void **state)
{
    (void)state;
    assert_string_equal(few_status_name(FEW_OK), "FEW_OK");
    assert_string_equal(few_status_text(FEW_ENOENT), "not found");
#define CHECK(name, number, text)                      \
    assert_string_equal(few_status_name(name), #name); \
    assert_string_equal(few_status_text(name), text);  \
    assert_int_equal(name, number);
    FEW_STATUS_TABLE(CHECK)
#undef CHECK
    assert_string_equal(few_status_name((enum few_status) - 99), "FEW_?");
    assert_string_equal(few_status_text((enum few_status) - 99), "unknown status");
}

// Programs keep these numbers: errors are negative, "no more" and "not now" positive, nothing twice.
static void test_numbers(void **state)
{
    (void)state;
#define NUMBER(name, number, text) number,
    static const int numbers[] = {FEW_STATUS_TABLE(NUMBER)};
#undef NUMBER
    size_t n = sizeof numbers / sizeof *numbers;
    assert_int_equal(n, 17);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) assert_int_not_equal(numbers[i], numbers[j]);
    assert_true(FEW_END > 0 && FEW_AGAIN > 0 && FEW_OK == 0);
    for (size_t i = 3; i < n; i++) assert_true(numbers[i] < 0);
}

static void test_version(void **state)
{
    (void)state;
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", FEW_VERSION_MAJOR, FEW_VERSION_MINOR, FEW_VERSION_PATCH);
    assert_string_equal(few_version(), version);
    assert_string_equal(FEW_VERSION, version);
}

static void test_fail(void **state)
{
    (void)state;
    struct few_error err;
    assert_int_equal(few__fail(&err, FEW_ESHAPE, "%s: expected %d, found %d", "input", 3, 4), FEW_ESHAPE);
    assert_int_equal(err.code, FEW_ESHAPE);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.message, "input: expected 3, found 4");
    assert_int_equal(few__no_memory(&err, "labels"), FEW_ENOMEM);
    assert_string_equal(err.message, "out of memory: labels");
}

static void test_fail_sys(void **state)
{
    (void)state;
    struct few_error err;
    errno = EACCES;
    assert_int_equal(few__fail_sys(&err, FEW_EIO, "a.db: cannot be opened"), FEW_EIO);
    assert_int_equal(err.sys, EACCES);
    assert_string_equal(err.message, "a.db: cannot be opened: Permission denied");
}

static void test_wrap(void **state)
{
    (void)state;
    struct few_error err;
    errno = ENOENT;
    enum few_status status = few__fail_sys(&err, FEW_ENOENT, "a.onnx");
    assert_int_equal(few__wrap(&err, status, "model %s", "a"), FEW_ENOENT);
    assert_string_equal(err.message, "model a: a.onnx: No such file or directory");
    assert_int_equal(err.sys, ENOENT);
    assert_int_equal(err.code, FEW_ENOENT);
}

static void test_without_an_error(void **state)
{
    (void)state;
    assert_int_equal(few__fail(NULL, FEW_EIO, "x"), FEW_EIO);
    assert_int_equal(few__fail_sys(NULL, FEW_EIO, "x"), FEW_EIO);
    assert_int_equal(few__wrap(NULL, FEW_EIO, "x"), FEW_EIO);
    assert_int_equal(few__no_memory(NULL, "x"), FEW_ENOMEM);
}

// A message has a limit: what is beyond is cut, whichever end it was added at.
static void test_long_messages(void **state)
{
    (void)state;
    struct few_error err;
    (void)few__fail(&err, FEW_EIO, "%2000d", 1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    (void)few__wrap(&err, FEW_EIO, "outer");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_memory_equal(err.message, "outer:  ", 8);
    errno = EIO;
    (void)few__fail_sys(&err, FEW_EIO, "%1020d", 1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
}

static enum few_status try_it(enum few_status first, int *reached)
{
    FEW__TRY(first);
    *reached = 1;
    return FEW_END;
}

static void test_try(void **state)
{
    (void)state;
    int reached = 0;
    assert_int_equal(try_it(FEW_EIO, &reached), FEW_EIO);
    assert_int_equal(reached, 0);
    assert_int_equal(try_it(FEW_OK, &reached), FEW_END);
    assert_int_equal(reached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_and_texts),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_fail),
        cmocka_unit_test(test_fail_sys),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_without_an_error),
        cmocka_unit_test(test_long_messages),
        cmocka_unit_test(test_try),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
