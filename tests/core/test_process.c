// SPDX-License-Identifier: Apache-2.0
// The memory of this process: sizes that must show, whatever else the process holds.
#include "core/process.h"

#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { MIB = 1 << 20, SLACK = 2 * MIB }; // the kernel counts in batches, and reading takes memory itself

static void test_resident_grows(void **state)
{
    (void)state;
    uint64_t before = few__resident_bytes();
    if (before == 0) skip(); // no /proc here
    char *block = malloc(64 * MIB);
    assert_non_null(block);
    memset(block, 1, 64 * MIB);
    assert_true(few__resident_bytes() >= before + 60 * MIB);
    assert_true(few__resident_peak_bytes() + SLACK >= before + 64 * MIB);
    assert_int_equal(block[63 * MIB], 1);
    free(block);
}

static void test_peak_stays_until_reset(void **state)
{
    (void)state;
    if (few__resident_bytes() == 0) skip();
    char *block = malloc(64 * MIB);
    assert_non_null(block);
    memset(block, 1, 64 * MIB);
    uint64_t high = few__resident_bytes();
    assert_int_equal(block[63 * MIB], 1);
    free(block);
    few__heap_trim();
    assert_true(few__resident_peak_bytes() + SLACK >= high);
    few__resident_peak_reset();
    uint64_t peak = few__resident_peak_bytes(), now = few__resident_bytes();
    assert_true(peak + SLACK >= now);
    assert_true(peak <= now + SLACK || peak + SLACK >= high); // the latter where the kernel refuses the reset
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resident_grows),
        cmocka_unit_test(test_peak_stays_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
