// SPDX-License-Identifier: Apache-2.0
// The allocator interface and the arena on top of it.
#include "core/mem.h"

#include <string.h>

#include "support/support.h"

static bool all_zero(const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((const unsigned char *)p)[i]) return false;
    return true;
}

static void test_new_and_free(void **state)
{
    (void)state;
    struct t_mem t;
    t_mem_init(&t, 0);
    int *v = FEW__NEW_N(&t.mem, int, 1000);
    assert_non_null(v);
    assert_true(all_zero(v, 1000 * sizeof *v));
    v[999] = 5;
    v = few__resize(&t.mem, v, 2000, sizeof *v);
    assert_int_equal(v[999], 5);
    char *copy = few__strdup(&t.mem, "label");
    assert_string_equal(copy, "label");
    assert_int_equal(t.live, 2);
    few__free(&t.mem, copy);
    few__free(&t.mem, v);
    few__free(&t.mem, NULL);
    assert_int_equal(t.live, 0);
}

static void test_impossible_sizes(void **state)
{
    (void)state;
    struct t_mem t;
    t_mem_init(&t, 0);
    assert_null(few__new(&t.mem, SIZE_MAX / 2, 3));
    assert_null(few__new(&t.mem, SIZE_MAX, SIZE_MAX));
    assert_null(few__new(&t.mem, 0, 8));
    assert_null(few__new(&t.mem, 8, 0));
    assert_null(few__resize(&t.mem, NULL, SIZE_MAX / 8 + 1, 8));
    assert_int_equal(t.calls, 0); // none of them got as far as the allocator
}

static void test_default_allocator(void **state)
{
    (void)state;
    void *p = few__new(NULL, 3, 5);
    assert_non_null(p);
    p = few__resize(NULL, p, 300, 5);
    assert_non_null(p);
    few__free(NULL, p);
}

static enum few_status use_objects(const struct few_mem *mem, void *ud)
{
    (void)ud;
    enum few_status status = FEW_ENOMEM;
    char *a = few__strdup(mem, "a"), *grown = NULL;
    double *b = FEW__NEW(mem, double);
    if (!a || !b || !(grown = few__resize(mem, a, 100, 1))) goto out;
    a = grown;
    status = FEW_OK;
out:
    few__free(mem, a);
    few__free(mem, b);
    return status;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    t_fail_each_allocation(use_objects, NULL);
}

/* ---- arena ---- */

static void test_arena_pieces(void **state)
{
    (void)state;
    struct t_mem t;
    t_mem_init(&t, 0);
    struct few__arena arena;
    few__arena_init(&arena, &t.mem, 1 << 20);
    unsigned char *pieces[100];
    size_t sum = 0;
    for (size_t i = 0; i < 100; i++) {
        size_t n = 1 + 37 * i;
        pieces[i] = few__arena_alloc(&arena, n, 1);
        assert_non_null(pieces[i]);
        assert_true(all_zero(pieces[i], n));
        assert_int_equal((uintptr_t)pieces[i] % (n >= 256 ? 64 : 16), 0);
        memset(pieces[i], (int)i, n);
        sum += n;
    }
    for (size_t i = 0; i < 100; i++) // no piece was overwritten by another
        for (size_t k = 0; k < 1 + 37 * i; k++) assert_int_equal(pieces[i][k], i);
    assert_int_equal(arena.used, sum);
    assert_non_null(few__arena_alloc(&arena, 0, 8));
    few__arena_finish(&arena);
    assert_int_equal(t.live, 0);
}

static void test_arena_texts(void **state)
{
    (void)state;
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 20);
    assert_string_equal(few__arena_strdup(&arena, "whole"), "whole");
    assert_string_equal(few__arena_strndup(&arena, "whole", 2), "wh");
    assert_string_equal(few__arena_strndup(&arena, "", 0), "");
    assert_string_equal(few__arena_printf(&arena, "%s[%d]", "models", 3), "models[3]");
    few__arena_finish(&arena);
}

// After a reset the same work takes no further memory, and finds its memory zeroed.
static void test_arena_reset(void **state)
{
    (void)state;
    struct t_mem t;
    t_mem_init(&t, 0);
    struct few__arena arena;
    few__arena_init(&arena, &t.mem, 64 << 20);
    size_t calls = 0;
    for (int round = 0; round < 5; round++) {
        for (size_t i = 1; i <= 300; i++) {
            char *p = few__arena_alloc(&arena, i, 997);
            assert_non_null(p);
            assert_true(all_zero(p, i * 997));
            memset(p, 0xab, i * 997);
        }
        if (round == 0) calls = t.calls;
        assert_int_equal(t.calls, calls);
        few__arena_reset(&arena);
        assert_int_equal(arena.used, 0);
    }
    few__arena_finish(&arena);
    assert_int_equal(t.live, 0);
    assert_non_null(few__arena_alloc(&arena, 1, 1)); // a finished arena may be used anew
    few__arena_finish(&arena);
}

static void test_arena_limit(void **state)
{
    (void)state;
    struct few__arena arena;
    few__arena_init(&arena, NULL, 100000);
    assert_null(few__arena_alloc(&arena, 100001, 1));
    assert_null(few__arena_alloc(&arena, SIZE_MAX, 2));
    assert_null(few__arena_alloc(&arena, SIZE_MAX, 1));
    size_t got = 0;
    while (few__arena_alloc(&arena, 1000, 1)) got++;
    assert_true(got >= 60 && got <= 100);
    assert_true(arena.total <= arena.max);
    assert_null(few__arena_printf(&arena, "%2000d", 1));
    few__arena_reset(&arena);
    assert_non_null(few__arena_alloc(&arena, 1000, 1));
    few__arena_finish(&arena);
}

static enum few_status use_arena(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few__arena arena;
    few__arena_init(&arena, mem, 16 << 20);
    enum few_status status = FEW_OK;
    for (size_t i = 0; i < 20 && status == FEW_OK; i++)
        if (!few__arena_alloc(&arena, 10000, i + 1)) status = FEW_ENOMEM;
    if (status == FEW_OK && !few__arena_printf(&arena, "%0100000d", 1)) status = FEW_ENOMEM;
    few__arena_finish(&arena);
    return status;
}

static void test_arena_each_allocation_fails(void **state)
{
    (void)state;
    t_fail_each_allocation(use_arena, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_and_free),
        cmocka_unit_test(test_impossible_sizes),
        cmocka_unit_test(test_default_allocator),
        cmocka_unit_test(test_each_allocation_fails),
        cmocka_unit_test(test_arena_pieces),
        cmocka_unit_test(test_arena_texts),
        cmocka_unit_test(test_arena_reset),
        cmocka_unit_test(test_arena_limit),
        cmocka_unit_test(test_arena_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
