// SPDX-License-Identifier: Apache-2.0
// A folder and the catalog of fixture.h for each test of a file.
#ifndef FEW_TESTS_STORE_SET_UP_H
#define FEW_TESTS_STORE_SET_UP_H

#include "store/fixture.h"

static struct few__arena arena; // of the test that runs
static struct few_catalog catalog;

static int set_up(void **state)
{
    (void)state;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 28);
    catalog = fix_catalog(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    return 0;
}

#endif
