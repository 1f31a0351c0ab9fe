// SPDX-License-Identifier: Apache-2.0
// SHA-1 and SHA-256 against the vectors of FIPS 180.
#include "core/digest.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

static const char MILLION[] = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void test_sha256(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char hex[FEW__SHA256_HEX];
        assert_int_equal(few__sha256(cases[i][0], strlen(cases[i][0]), hex), FEW_OK);
        assert_string_equal(hex, cases[i][1]);
    }
}

static void test_sha1(void **state)
{
    (void)state;
    char hex[FEW__SHA1_HEX];
    assert_int_equal(few__sha1("", 0, hex), FEW_OK);
    assert_string_equal(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    assert_int_equal(few__sha1("abc", 3, hex), FEW_OK);
    assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

// A million times "a": many pieces, the last one not full.
static void test_file(void **state)
{
    (void)state;
    enum { N = 1000000 };
    char *data = malloc(N), hex[FEW__SHA256_HEX];
    assert_non_null(data);
    memset(data, 'a', N);
    t_tmpdir();
    t_write(t_path("a"), data, N);
    struct few_error err;
    assert_status(few__sha256_file(t_path("a"), hex, &err), FEW_OK, &err);
    assert_string_equal(hex, MILLION);
    assert_int_equal(few__sha256(data, N, hex), FEW_OK);
    assert_string_equal(hex, MILLION);
    free(data);
}

static void test_file_errors(void **state)
{
    (void)state;
    char hex[FEW__SHA256_HEX] = "x";
    struct few_error err;
    const char *dir = t_tmpdir();
    assert_status(few__sha256_file(t_path("none"), hex, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "none: cannot be opened"));
    assert_string_equal(hex, "");
    assert_status(few__sha256_file(dir, hex, &err), FEW_EIO, &err); // a folder opens, but cannot be read
    assert_string_equal(hex, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha1),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_file_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
