// SPDX-License-Identifier: Apache-2.0
#include "train/episodes.h"

#include <string.h>

#include "item/trace_world.h"

static void test_trace(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__trace_episodes *source;
    struct few__episodes episodes;
    const struct few__episode_model *models;
    static const size_t items[] = {2, 0};
    struct few_error err;
    t_trace_init(&t, 3, 3);
    t.world.models[1].needs = 0;
    t_trace_says(&t, 0, 0, 5, 0.9f);
    t_trace_says(&t, 2, 2, 6, 0.8f), t_trace_says(&t, 2, 2, 7, 0.7f);
    t_trace_empty(&t, 0, 1);
    t.trace.cells[2 * 3].outcome = FEW_FAILED;
    assert_status(few__trace_episodes_create(&t.trace, items, 2, NULL, &source, &episodes, &err), FEW_OK,
                  &err);
    assert_int_equal(episodes.n_items, 2);
    assert_int_equal(episodes.n_models, 3);
    assert_int_equal(episodes.needs[1], 0);
    assert_int_equal(episodes.needs[2], -1);
    assert_int_equal(episodes.get(episodes.self, 0, &models, NULL), FEW_OK); // item 2 of the trace
    assert_true(!models[0].found && models[0].n_valuable == 0);
    assert_true(models[2].found && models[2].n_valuable == 2 && models[2].valuable[1].label == 7);
    assert_int_equal(episodes.get(episodes.self, 1, &models, NULL), FEW_OK);
    assert_true(models[0].found && models[0].valuable[0].label == 5 && !models[1].found);
    few__trace_episodes_destroy(source);

    static const size_t outside[] = {3};
    assert_int_equal(few__trace_episodes_create(&t.trace, outside, 1, NULL, &source, &episodes, &err),
                     FEW_EINVAL);
    t.world.models[0].needs = 1;
    assert_int_equal(few__trace_episodes_create(&t.trace, items, 2, NULL, &source, &episodes, &err),
                     FEW_EINVAL);
    t.world.models[0].needs = -1;
    t_trace_says(&t, 0, 0, T_LABELS, 0.9f);
    assert_int_equal(few__trace_episodes_create(&t.trace, items, 2, NULL, &source, &episodes, &err),
                     FEW_EINVAL);
    assert_null(source);
    assert_null(episodes.get);
    t_trace_finish(&t);
    few__trace_episodes_destroy(NULL);
}

static void test_frequent_labels(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__trace_episodes *source;
    struct few__episodes episodes;
    static const size_t items[] = {0, 1, 2};
    uint32_t label_of[T_LABELS];
    size_t n;
    t_trace_init(&t, 2, 3);
    for (size_t i = 0; i < 3; i++) t_trace_says(&t, i, 0, 9, 0.9f);
    for (size_t i = 0; i < 2; i++) t_trace_says(&t, i, 1, 4, 0.9f);
    t_trace_says(&t, 0, 0, 7, 0.9f), t_trace_says(&t, 0, 1, 7, 0.9f); // twice on one item is once
    assert_int_equal(few__trace_episodes_create(&t.trace, items, 3, NULL, &source, &episodes, NULL), FEW_OK);
    assert_int_equal(few__frequent_labels(&episodes, 2, NULL, label_of, &n, NULL), FEW_OK);
    assert_int_equal(n, 2);
    for (size_t l = 0; l < T_LABELS; l++) assert_int_equal(label_of[l], l == 4 ? 0 : l == 9 ? 1 : UINT32_MAX);
    assert_int_equal(few__frequent_labels(&episodes, 4, NULL, label_of, &n, NULL), FEW_OK);
    assert_int_equal(n, 0);
    assert_int_equal(few__frequent_labels(&episodes, 0, NULL, label_of, &n, NULL), FEW_OK);
    assert_int_equal(n, T_LABELS);
    few__trace_episodes_destroy(source);
    t_trace_finish(&t);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    static const size_t items[] = {0};
    struct few_env env = {.mem = mem};
    struct few__trace_episodes *source = NULL;
    struct few__episodes episodes;
    uint32_t label_of[T_LABELS];
    size_t n;
    enum few_status status = few__trace_episodes_create(ud, items, 1, &env, &source, &episodes, NULL);
    if (status == FEW_OK) status = few__frequent_labels(&episodes, 1, &env, label_of, &n, NULL);
    few__trace_episodes_destroy(source);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct t_trace t;
    t_trace_init(&t, 2, 1);
    t_fail_each_allocation(create, &t.trace);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_trace), cmocka_unit_test(test_frequent_labels),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
