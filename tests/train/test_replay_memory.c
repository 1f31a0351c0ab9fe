// SPDX-License-Identifier: Apache-2.0
#include "train/replay_memory.h"

#include <string.h>

#include "core/rng.h"
#include "support/support.h"

enum { LONGEST = 30, WORDS = 2, PUSHES = 5000 };

// Transition number `at` of a stream, always the same one.
static struct few__transition make(uint64_t at, uint32_t inputs[LONGEST], uint64_t open[WORDS])
{
    struct few__rng rng;
    few__rng_init(&rng, 7, at);
    struct few__transition t = {.inputs = inputs, .open = open};
    t.n_after = (uint32_t)few__rng_below(&rng, LONGEST + 1);
    t.n_before = (uint32_t)few__rng_below(&rng, t.n_after + 1);
    t.action = (uint32_t)at;
    t.next_action = (uint32_t)few__rng_below(&rng, 9);
    t.reward = (float)few__rng_unit(&rng);
    t.ended = few__rng_below(&rng, 2);
    for (size_t i = 0; i < t.n_after; i++) inputs[i] = (uint32_t)few__rng_next(&rng);
    for (size_t i = 0; i < WORDS; i++) open[i] = few__rng_next(&rng);
    return t;
}

static void assert_same(const struct few__transition *a, const struct few__transition *b)
{
    assert_int_equal(a->action, b->action);
    assert_int_equal(a->next_action, b->next_action);
    assert_int_equal(a->n_before, b->n_before);
    assert_int_equal(a->n_after, b->n_after);
    assert_int_equal(a->ended, b->ended);
    assert_true(a->reward == b->reward);
    if (a->n_after > 0) assert_memory_equal(a->inputs, b->inputs, a->n_after * sizeof *a->inputs);
    assert_memory_equal(a->open, b->open, WORDS * sizeof *a->open);
}

// What is remembered is the newest n, whole, whatever wrapped where.
static void check(size_t capacity, size_t pool, size_t least)
{
    struct few__replay_memory *memory;
    assert_int_equal(few__replay_memory_create(capacity, WORDS, LONGEST, pool, NULL, &memory, NULL), FEW_OK);
    for (uint64_t at = 0; at < PUSHES; at++) {
        uint32_t inputs[LONGEST];
        uint64_t open[WORDS];
        struct few__transition t = make(at, inputs, open);
        few__replay_memory_push(memory, &t);
        size_t n = few__replay_memory_n(memory);
        assert_true(n <= capacity && n >= 1 && (n == at + 1 || n >= least));
        for (size_t i = 0; i < n; i += 1 + n / 7) {
            struct few__transition expected = make(at + 1 - n + i, inputs, open);
            struct few__transition got = few__replay_memory_at(memory, i);
            assert_same(&got, &expected);
        }
    }
    few__replay_memory_destroy(memory);
}

static void test_newest_are_kept(void **state)
{
    (void)state;
    check(1, LONGEST, 1);
    check(7, 7 * LONGEST + LONGEST, 7);
    check(50, 100 * LONGEST, 50);
    check(50, 5 * LONGEST, 3); // the pool is what is full
    check(1000, LONGEST, 1);
    check(64, 64 * LONGEST + LONGEST, 64);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct few__replay_memory *memory;
    struct few_error err;
    assert_int_equal(few__replay_memory_create(0, 1, 5, 10, NULL, &memory, &err), FEW_ELIMIT);
    assert_int_equal(few__replay_memory_create(FEW__REPLAY_MAX + 1, 1, 5, 10, NULL, &memory, &err),
                     FEW_ELIMIT);
    assert_int_equal(few__replay_memory_create(5, 1, 11, 10, NULL, &memory, &err), FEW_EINVAL);
    assert_null(memory);
    few__replay_memory_destroy(NULL);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__replay_memory *memory = NULL;
    (void)ud;
    enum few_status status = few__replay_memory_create(5, 1, 5, 10, &env, &memory, NULL);
    few__replay_memory_destroy(memory);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    t_fail_each_allocation(create, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_are_kept),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
