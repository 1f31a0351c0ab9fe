// SPDX-License-Identifier: Apache-2.0
// What models add to sets of models, against the definition of a set's value.
#include "item/marginals.h"

#include <math.h>
#include <string.h>

#include "item/trace_world.h"

enum { N_ITEMS = 12 };

static void create(struct t_trace *t, const size_t *items, size_t n, struct few__arena *arena,
                   struct few__marginals *out)
{
    few__arena_init(arena, NULL, 1 << 20);
    assert_int_equal(few__marginals_create(&t->trace, items, n, arena, out, NULL), FEW_OK);
}

static void test_gains_are_differences_of_sets(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3);
    for (int round = 0; round < 30; round++) {
        struct t_trace t;
        struct few__arena arena;
        struct few__marginals g;
        size_t n = 1 + few__rng_below(&rng, 10), items[N_ITEMS], order[T_MODELS];
        t_trace_init(&t, n, N_ITEMS);
        t_trace_random(&t, &rng);
        t.trace.catalog.n_labels = T_LABELS;
        for (size_t c = 0; c < n * N_ITEMS; c++) // each label once in a cell, shared between cells
            for (uint32_t v = 0; v < t.trace.cells[c].n_valuable; v++)
                t.valuable[c * T_VALUABLE + v].label =
                    t.valuable[c * T_VALUABLE + v].label / 4 + 3 * (int32_t)v;
        for (size_t i = 0; i < N_ITEMS; i++) items[i] = N_ITEMS - 1 - i;
        create(&t, items, N_ITEMS, &arena, &g);
        for (size_t i = 0; i < N_ITEMS; i++) {
            bool in[T_MODELS] = {0}, all[T_MODELS];
            float seen[T_LABELS] = {0}, undo[T_VALUABLE];
            for (size_t m = 0; m < n; m++) order[m] = m, all[m] = true;
            few__rng_shuffle(&rng, order, n);
            assert_near(g.whole[i], t_set_value(&t, items[i], all), 1e-6);
            assert_true(g.base[i + 1] - g.base[i] <= g.most_slots);
            for (size_t k = 0; k < n; k++) {
                double before = t_set_value(&t, items[i], in);
                in[order[k]] = true;
                double gain = t_set_value(&t, items[i], in) - before;
                assert_near(few__marginal(&g, i, order[k], seen), gain, 1e-6);
                assert_near(few__marginal_add(&g, i, order[k], seen, undo), gain, 1e-6);
                few__marginal_undo(&g, i, order[k], seen, undo);
                assert_near(few__marginal_add(&g, i, order[k], seen, NULL), gain, 1e-6);
                assert_near(few__marginal(&g, i, order[k], seen), 0, 0);
            }
        }
        few__arena_finish(&arena);
        t_trace_finish(&t);
    }
}

static void test_slots_have_labels(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__arena arena;
    struct few__marginals g;
    const size_t items[] = {1, 0};
    t_trace_init(&t, 2, 2);
    t.trace.catalog.n_labels = T_LABELS;
    t_trace_says(&t, 0, 0, 7, 0.9F), t_trace_says(&t, 0, 1, 5, 0.8F), t_trace_says(&t, 0, 1, 7, 0.95F);
    t_trace_says(&t, 1, 1, 5, 0.6F);
    create(&t, items, 2, &arena, &g);
    const int32_t labels[] = {5, 7, 5};
    assert_int_equal(g.base[2], 3);
    assert_memory_equal(g.labels, labels, sizeof labels);
    assert_near(g.whole[1], 0.95 + 0.8, 1e-6);
    few__arena_finish(&arena);
    t_trace_finish(&t);
}

static void test_what_did_not_run_adds_nothing(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__arena arena;
    struct few__marginals g;
    const size_t items[] = {0};
    float seen[T_LABELS] = {0};
    t_trace_init(&t, 3, 1);
    t.trace.catalog.n_labels = T_LABELS;
    for (size_t m = 0; m < 3; m++) t_trace_says(&t, 0, m, (int32_t)m, 0.9F);
    t.trace.cells[0].outcome = FEW_FAILED;
    t.trace.cells[1].empty = true;
    create(&t, items, 1, &arena, &g);
    assert_near(few__marginal(&g, 0, 0, seen), 0, 0);
    assert_near(few__marginal(&g, 0, 1, seen), 0, 0);
    assert_near(g.whole[0], 0.9, 1e-6);
    few__arena_finish(&arena);
    t_trace_finish(&t);
}

static void test_refused(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__arena arena;
    struct few__marginals g;
    struct few_error err;
    size_t item = 1;
    t_trace_init(&t, 1, 1);
    few__arena_init(&arena, NULL, 1 << 20);
    assert_status(few__marginals_create(&t.trace, &item, 1, &arena, &g, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "item 1 of a trace of 1"));
    t_trace_says(&t, 0, 0, T_LABELS, 0.9F);
    item = 0;
    assert_status(few__marginals_create(&t.trace, &item, 1, &arena, &g, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "label 40"));
    few__arena_finish(&arena);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gains_are_differences_of_sets),
        cmocka_unit_test(test_slots_have_labels),
        cmocka_unit_test(test_what_did_not_run_adds_nothing),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
