// SPDX-License-Identifier: Apache-2.0
// The host's memory, log and clock.
#include "core/env.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "support/support.h"

struct heard {
    int calls;
    enum few_log_level level;
    char message[2048];
};

static void hear(void *ud, enum few_log_level level, const char *message)
{
    struct heard *heard = ud;
    heard->calls++;
    heard->level = level;
    snprintf(heard->message, sizeof heard->message, "%s", message);
}

static int64_t fixed_clock(void *ud)
{
    return *(int64_t *)ud;
}

static void test_defaults(void **state)
{
    (void)state;
    struct few_env env = few__env(NULL);
    assert_ptr_equal(env.mem, few__mem_default());
    assert_null(env.log.fn);
    int64_t first = few__now_us(&env), second = few__now_us(&env);
    assert_true(first > 0 && second >= first);
    few__log(&env, FEW_LOG_ERROR, "nobody hears %s", "this");
}

static void test_given_ones_are_kept(void **state)
{
    (void)state;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    int64_t now = 77;
    struct few_env given = {.mem = &mem.mem, .clock = {.now_us = fixed_clock, .ud = &now}};
    struct few_env env = few__env(&given);
    assert_ptr_equal(env.mem, &mem.mem);
    assert_int_equal(few__now_us(&env), 77);
}

static void test_log(void **state)
{
    (void)state;
    struct heard heard = {0};
    struct few_env env =
        few__env(&(struct few_env){.log = {.fn = hear, .ud = &heard, .level = FEW_LOG_WARN}});
    few__log(&env, FEW_LOG_DEBUG, "no");
    few__log(&env, FEW_LOG_INFO, "no");
    assert_int_equal(heard.calls, 0);
    few__log(&env, FEW_LOG_WARN, "model %s: %d of %d", "a", 1, 2);
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.level, FEW_LOG_WARN);
    assert_string_equal(heard.message, "model a: 1 of 2");
    few__log(&env, FEW_LOG_ERROR, "%1500d", 1); // longer than a message may be: cut, not overrun
    assert_int_equal(strlen(heard.message), 1023);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_given_ones_are_kept),
        cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
