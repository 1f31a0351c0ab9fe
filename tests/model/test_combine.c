// SPDX-License-Identifier: Apache-2.0
// The answers of windows made one: each way, each kind, and what cannot be combined.
#include <string.h>

#include "model/combine.h"
#include "support/support.h"

static struct few__arena arena;
static struct few_error err;

static int set_up(void **state)
{
    (void)state;
    few__arena_init(&arena, NULL, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    return 0;
}

static struct few_output answer(enum few_kind kind, float *values, size_t n)
{
    return (struct few_output){.kind = kind, .values = values, .n = n, .confidence = 1};
}

// Three windows of three numbers each.
static struct few_output combined(enum few__combine how, enum few_kind kind)
{
    static float windows[3][3] = {{0.25F, -1, 0.5F}, {0.75F, 0, 0.125F}, {0.5F, -2, 0.125F}};
    struct few__combined c;
    struct few_output whole;
    few__combine_begin(&c, how, kind, &arena);
    for (size_t k = 0; k < 3; k++) {
        float window[3]; // what an answer points at goes
        memcpy(window, windows[k], sizeof window);
        const struct few_output one = answer(kind, window, 3);
        assert_status(few__combine_add(&c, &one, &err), FEW_OK, &err);
        memset(window, 0, sizeof window);
    }
    few__combine_end(&c, &whole);
    assert_int_equal(whole.kind, kind);
    assert_int_equal(whole.n, 3);
    assert_false(whole.empty);
    return whole;
}

static void test_each_way(void **state)
{
    (void)state;
    const float mean[] = {0.5F, -1, 0.25F}, most[] = {0.75F, 0, 0.5F}, last[] = {0.5F, -2, 0.125F};
    struct few_output whole = combined(FEW__MEAN, FEW_VECTOR);
    assert_near_all(whole.values, mean, 3, 0);
    assert_near(whole.confidence, 1, 0);
    whole = combined(FEW__MAX, FEW_LABELS);
    assert_near_all(whole.values, most, 3, 0);
    assert_near(whole.confidence, 0.75, 0);
    whole = combined(FEW__LAST, FEW_CLASSES);
    assert_near_all(whole.values, last, 3, 0);
    assert_near(whole.confidence, 0.5, 0);
    whole = combined(FEW__MEAN, FEW_CLASSES); // the best of the means, not the mean of the best
    assert_near(whole.confidence, 0.5, 0);
}

// The largest of numbers below zero is not zero.
static void test_one_window_is_itself(void **state)
{
    (void)state;
    const enum few__combine ways[] = {FEW__MEAN, FEW__MAX, FEW__LAST};
    for (size_t i = 0; i < 3; i++) {
        struct few__combined c;
        struct few_output whole;
        float number = -3.5F;
        const struct few_output one = answer(FEW_SCALAR, &number, 1);
        few__combine_begin(&c, ways[i], FEW_SCALAR, &arena);
        assert_status(few__combine_add(&c, &one, &err), FEW_OK, &err);
        few__combine_end(&c, &whole);
        assert_int_equal(whole.n, 1);
        assert_near(whole.values[0], -3.5, 0);
        assert_near(whole.confidence, 1, 0);
    }
}

// A sum in float would stop at 2^24.
static void test_mean_of_many(void **state)
{
    (void)state;
    struct few__combined c;
    struct few_output whole;
    float number = 1;
    const struct few_output one = answer(FEW_SCALAR, &number, 1);
    few__combine_begin(&c, FEW__MEAN, FEW_SCALAR, &arena);
    for (int i = 0; i < 20000000; i++)
        if (few__combine_add(&c, &one, &err) != FEW_OK) fail();
    few__combine_end(&c, &whole);
    assert_near(whole.values[0], 1, 0);
}

static void test_empty_answers_are_left_out(void **state)
{
    (void)state;
    struct few__combined c;
    struct few_output whole;
    float numbers[2] = {2, 4};
    const struct few_output nothing = {.kind = FEW_VECTOR, .empty = true};
    few__combine_begin(&c, FEW__MEAN, FEW_VECTOR, &arena);
    few__combine_end(&c, &whole); // no window at all
    assert_true(whole.empty);
    assert_int_equal(whole.kind, FEW_VECTOR);
    assert_int_equal(whole.n, 0);
    assert_null(whole.values);
    assert_status(few__combine_add(&c, &nothing, &err), FEW_OK, &err);
    few__combine_end(&c, &whole);
    assert_true(whole.empty);
    const struct few_output one = answer(FEW_VECTOR, numbers, 2);
    assert_status(few__combine_add(&c, &one, &err), FEW_OK, &err);
    assert_status(few__combine_add(&c, &nothing, &err), FEW_OK, &err);
    few__combine_end(&c, &whole);
    assert_false(whole.empty);
    assert_near_all(whole.values, numbers, 2, 0);
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    struct few__combined c;
    float numbers[3] = {1, 2, 3};
    const struct few_output three = answer(FEW_VECTOR, numbers, 3), two = answer(FEW_VECTOR, numbers, 2);
    const struct few_output labels = answer(FEW_LABELS, numbers, 3);
    few__combine_begin(&c, FEW__MAX, FEW_VECTOR, &arena);
    assert_status(few__combine_add(&c, &three, &err), FEW_OK, &err);
    assert_status(few__combine_add(&c, &two, &err), FEW_ESHAPE, &err);
    assert_string_equal(err.message, "answers of windows: expected 3 numbers in each, found 2");
    assert_status(few__combine_add(&c, &labels, &err), FEW_ESHAPE, &err);
    const enum few_kind others[] = {FEW_DETECTIONS, FEW_BOX, FEW_SEQUENCE};
    for (size_t i = 0; i < 3; i++) {
        const struct few_output other = {.kind = others[i]};
        few__combine_begin(&c, FEW__MAX, others[i], &arena);
        assert_status(few__combine_add(&c, &other, &err), FEW_ESHAPE, &err);
        assert_non_null(strstr(err.message, few_kind_name(others[i])));
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    float number = 1;
    const struct few_output one = answer(FEW_SCALAR, &number, 1);
    struct few__arena none;
    few__arena_init(&none, NULL, 0);
    struct few__combined c;
    few__combine_begin(&c, FEW__MEAN, FEW_SCALAR, &none);
    assert_status(few__combine_add(&c, &one, &err), FEW_ENOMEM, &err);
    few__arena_finish(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_way),          cmocka_unit_test(test_one_window_is_itself),
        cmocka_unit_test(test_mean_of_many),      cmocka_unit_test(test_empty_answers_are_left_out),
        cmocka_unit_test(test_what_does_not_fit), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
