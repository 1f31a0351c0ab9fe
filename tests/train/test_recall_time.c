// SPDX-License-Identifier: Apache-2.0
#include "train/recall_time.h"

#include <string.h>

#include "item/trace_world.h"

static const size_t items[] = {0, 1, 2};

/* Three models of 100, 200 and 300 us in this order. Item 0: a 0.6, b 0.4; item 1: c 1; item 2: nothing to find. */
static void set_up(struct t_trace *t)
{
    t_trace_init(t, 3, 3);
    for (size_t m = 0; m < 3; m++) {
        t_world_time(&t->world, m, (int64_t)(m + 1) * 100);
        for (size_t i = 0; i < 3; i++) t->trace.cells[i * 3 + m].time_us = (int32_t)(m + 1) * 100;
    }
    t_trace_says(t, 0, 0, 1, 0.6f), t_trace_says(t, 0, 1, 2, 0.4f), t_trace_says(t, 0, 2, 1, 0.5f);
    t_trace_says(t, 1, 2, 3, 1);
}

static struct few__value in_order(struct t_trace *t)
{
    struct few__value value;
    assert_int_equal(few__value_order((size_t[]){0, 1, 2}, 3, "mine", t->world.costs, NULL, &value, NULL),
                     FEW_OK);
    return value;
}

static void test_by_hand(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__recall_time *r;
    struct few_error err;
    static const double levels[] = {0.5, 0.6, 0.7, 1};
    double ratio[4];
    set_up(&t);
    assert_status(few__recall_time_create(&t.trace, items, 3, t.world.costs, levels, 4, in_order(&t),
                                          FEW__RANK_RATIO, NULL, &r, &err),
                  FEW_OK, &err);
    for (int again = 0; again < 2;
         again++) { // of 1800 us: item 0 needs 100, 100, 300, 300; item 1 600; item 2 nothing
        double mean = few__recall_time(r, ratio);
        assert_near(ratio[0], 700.0 / 1800, 1e-9);
        assert_near(ratio[1], 700.0 / 1800, 1e-9);
        assert_near(ratio[2], 900.0 / 1800, 1e-9);
        assert_near(ratio[3], 900.0 / 1800, 1e-9);
        assert_near(mean, 800.0 / 1800, 1e-9);
    }
    assert_near(few__recall_time(r, NULL), 800.0 / 1800, 1e-9);
    few__recall_time_destroy(r);
    t_trace_finish(&t);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__recall_time *r;
    struct few_error err;
    static const double good[] = {0.5}, bad[] = {0.5, 0.4}, zero[] = {0}, over[] = {1.1};
    static const size_t outside[] = {3};
    double many[FEW__RECALL_LEVELS_MAX + 1] = {0};
    set_up(&t);
    const struct {
        const size_t *items;
        size_t n_items;
        const double *levels;
        size_t n_levels;
        enum few_status status;
    } cases[] = {{items, 0, good, 1, FEW_EINVAL},
                 {outside, 1, good, 1, FEW_EINVAL},
                 {items, 1, bad, 2, FEW_EINVAL},
                 {items, 1, zero, 1, FEW_EINVAL},
                 {items, 1, over, 1, FEW_EINVAL},
                 {items, 1, good, 0, FEW_ELIMIT},
                 {items, 1, many, FEW__RECALL_LEVELS_MAX + 1, FEW_ELIMIT}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(few__recall_time_create(&t.trace, cases[i].items, cases[i].n_items, t.world.costs,
                                                 cases[i].levels, cases[i].n_levels, in_order(&t),
                                                 FEW__RANK_RATIO, NULL, &r, &err),
                         cases[i].status);
        assert_null(r);
        assert_true(err.message[0]);
    }
    few__recall_time_destroy(NULL);
    t_trace_finish(&t);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct t_trace *t = ud;
    struct few_env env = {.mem = mem};
    struct few__recall_time *r = NULL;
    struct few__value value;
    enum few_status status =
        few__value_order((size_t[]){0, 1, 2}, 3, "mine", t->world.costs, &env, &value, NULL);
    if (status == FEW_OK)
        status = few__recall_time_create(&t->trace, items, 3, t->world.costs, (double[]){1}, 1, value,
                                         FEW__RANK_RATIO, &env, &r, NULL);
    few__recall_time_destroy(r);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct t_trace t;
    set_up(&t);
    t_fail_each_allocation(create, &t);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_by_hand), cmocka_unit_test(test_what_is_refused),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
