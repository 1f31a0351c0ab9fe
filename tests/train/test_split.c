// SPDX-License-Identifier: Apache-2.0
// Which items are learned from, and in which fold each of them is.
#include "train/split.h"

#include <stdio.h>
#include <string.h>

#include "item/trace_world.h"

enum { N = 100 };

struct made {
    struct t_trace t;
    struct few__trace_item items[N];
    char paths[N][32];
    struct few__arena arena;
};

// One item in each bucket, from two sources in turn.
static void make(struct made *w, size_t n)
{
    memset(w, 0, sizeof *w);
    t_trace_init(&w->t, 2, n);
    few__arena_init(&w->arena, NULL, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        snprintf(w->paths[i], sizeof w->paths[i], "x/%s_%zu.jpg", i % 2 ? "ade" : "coco", i);
        w->items[i] = (struct few__trace_item){.path = w->paths[i], .bucket = (int)i, .stream = -1};
    }
    w->t.trace.items = w->items;
}

static void finish(struct made *w)
{
    few__arena_finish(&w->arena);
    t_trace_finish(&w->t);
}

static void test_split(void **state)
{
    (void)state;
    struct made w;
    struct few__split split;
    struct few_error err;
    make(&w, N);
    for (int at = 1; at <= 100; at += 33) {
        assert_status(few__split_create(&w.t.trace, at, "", &w.arena, &split, &err), FEW_OK, &err);
        assert_int_equal(split.n_items, at);
        assert_int_equal(split.n_units, at);
        for (size_t i = 0; i < split.n_items; i++) {
            assert_int_equal(split.items[i], i);
            assert_int_equal(split.unit_of[i], i);
        }
    }
    assert_status(few__split_create(&w.t.trace, 20, "ade", &w.arena, &split, &err), FEW_OK, &err);
    assert_int_equal(split.n_items, 10);
    for (size_t i = 0; i < split.n_items; i++) assert_int_equal(split.items[i], 2 * i + 1);
    w.t.trace.cells[2 * 5].outcome = FEW_LATE; // item 5 is not whole
    assert_status(few__split_create(&w.t.trace, 20, "ade", &w.arena, &split, &err), FEW_OK, &err);
    assert_int_equal(split.n_items, 9);
    assert_int_equal(split.n_gaps, 1);
    finish(&w);
}

static void test_no_items(void **state)
{
    (void)state;
    struct made w;
    struct few__split split;
    struct few_error err;
    make(&w, N);
    assert_status(few__split_create(&w.t.trace, 20, "lsun", &w.arena, &split, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "found none of 100 whose names begin with 'lsun'"));
    for (size_t i = 0; i < N; i++) w.t.trace.cells[2 * i + 1].outcome = FEW_SKIPPED;
    assert_status(few__split_create(&w.t.trace, 20, "", &w.arena, &split, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "20 lack an output, as b on x/coco_0.jpg"));
    finish(&w);
    make(&w, 1);
    w.items[0].bucket = 20;
    assert_status(few__split_create(&w.t.trace, 20, "", &w.arena, &split, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "found none of 1 among the 20 of 100 that train"));
    finish(&w);
    make(&w, 0);
    assert_status(few__split_create(&w.t.trace, 20, "", &w.arena, &split, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "found none"));
    finish(&w);
}

// Moments of ten seconds of a stream are one unit, whatever lies between them.
static void test_units(void **state)
{
    (void)state;
    struct made w;
    struct few__split split;
    struct few_error err;
    static const int64_t streams[8] = {0, 1, 0, -1, 1, 0, 0, 1};
    static const int64_t seconds[8] = {0, 3, 9, 0, 12, 10, 19, 4};
    static const size_t alike[8] = {0, 1, 0, 3, 4, 5, 5, 1};
    make(&w, 8);
    for (size_t i = 0; i < 8; i++) {
        w.items[i].stream = streams[i];
        w.items[i].at_us = seconds[i] * 1000000;
    }
    assert_status(few__split_create(&w.t.trace, 100, "", &w.arena, &split, &err), FEW_OK, &err);
    assert_int_equal(split.n_units, 5);
    for (size_t i = 0; i < 8; i++)
        for (size_t k = 0; k < 8; k++)
            assert_int_equal(split.unit_of[i] == split.unit_of[k], alike[i] == alike[k]);
    size_t units[5], fold_of[8];
    few__split_folds(&split, 3, t_seed(), units, fold_of);
    for (size_t i = 0; i < 8; i++)
        for (size_t k = 0; k < 8; k++)
            if (alike[i] == alike[k]) assert_int_equal(fold_of[i], fold_of[k]);
    finish(&w);
}

static void test_folds(void **state)
{
    (void)state;
    struct made w;
    struct few__split split;
    size_t units[N], a[N], b[N], c[N], n[7] = {0}, same = 0;
    make(&w, N);
    assert_int_equal(few__split_create(&w.t.trace, 100, "", &w.arena, &split, NULL), FEW_OK);
    few__split_folds(&split, 7, 1, units, a);
    few__split_folds(&split, 7, 1, units, b);
    few__split_folds(&split, 7, 2, units, c);
    assert_memory_equal(a, b, sizeof a);
    for (size_t i = 0; i < N; i++) {
        assert_true(a[i] < 7);
        n[a[i]]++;
        same += a[i] == c[i];
    }
    for (size_t f = 0; f < 7; f++) assert_true(n[f] == 14 || n[f] == 15);
    assert_true(same < 40);
    finish(&w);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct few__arena arena;
    struct few__split split;
    few__arena_init(&arena, mem, 1 << 20);
    enum few_status status = few__split_create(ud, 50, "", &arena, &split, NULL);
    few__arena_finish(&arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct made w;
    make(&w, N);
    t_fail_each_allocation(create, &w.t.trace);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split), cmocka_unit_test(test_no_items),  cmocka_unit_test(test_units),
        cmocka_unit_test(test_folds), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
