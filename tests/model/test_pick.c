// SPDX-License-Identifier: Apache-2.0
#include "model/pick.h"
#include "support/support.h"

enum { WIDTH = 200, HEIGHT = 100 };

// By falling confidence: a high one, a wide one, a larger wide one, the largest of all, which is high.
static struct few_detection found[] = {
    {.confidence = 0.9f, .box = {0, 0, 0.1f, 0.4f}, .area = 0.04f},
    {.confidence = 0.8f, .box = {0, 0, 0.5f, 0.1f}, .area = 0.05f},
    {.confidence = 0.7f, .box = {0, 0, 0.6f, 0.1f}, .area = 0.06f},
    {.confidence = 0.6f, .box = {0, 0, 0.2f, 0.9f}, .area = 0.18f},
};

static const float *pick(size_t n, enum few__pick how)
{
    const struct few_output need = {.kind = FEW_DETECTIONS, .empty = n == 0, .n = n, .detections = found};
    return few__pick_box(&need, how, WIDTH, HEIGHT);
}

static void test_best_largest_and_largest_wide(void **state)
{
    (void)state;
    assert_ptr_equal(pick(4, FEW__BEST), found[0].box);
    assert_ptr_equal(pick(4, FEW__LARGEST), found[3].box);
    assert_ptr_equal(pick(4, FEW__LARGEST_WIDE), found[2].box);
    assert_ptr_equal(pick(2, FEW__LARGEST_WIDE), found[1].box);
    assert_ptr_equal(pick(1, FEW__LARGEST_WIDE), found[0].box); // none is wide: the largest
}

static void test_wide_is_in_pixels_not_in_shares(void **state)
{
    (void)state;
    // 0.1 x 0.12 of 200 x 100 pixels is 20 x 12: wide; of a square image it is 10 x 12, and 0.8 x 12 is still less.
    struct few_detection d[] = {{.box = {0, 0, 0.1f, 0.4f}, .area = 0.04f},
                                {.box = {0, 0, 0.1f, 0.12f}, .area = 0.012f}};
    const struct few_output need = {.kind = FEW_DETECTIONS, .n = 2, .detections = d};
    assert_ptr_equal(few__pick_box(&need, FEW__LARGEST_WIDE, 200, 100), d[1].box);
    assert_ptr_equal(few__pick_box(&need, FEW__LARGEST_WIDE, 100, 100), d[1].box);
    assert_ptr_equal(few__pick_box(&need, FEW__LARGEST_WIDE, 90, 100), d[0].box); // 9 is not above 9.6
}

static void test_ties_go_to_the_first(void **state)
{
    (void)state;
    struct few_detection d[] = {{.box = {0, 0, 0.5f, 0.5f}, .area = 0.25f},
                                {.box = {0.5f, 0, 0.5f, 0.5f}, .area = 0.25f}};
    const struct few_output need = {.kind = FEW_DETECTIONS, .n = 2, .detections = d};
    assert_ptr_equal(few__pick_box(&need, FEW__LARGEST, WIDTH, HEIGHT), d[0].box);
    assert_ptr_equal(few__pick_box(&need, FEW__LARGEST_WIDE, WIDTH, HEIGHT), d[0].box);
}

static void test_a_box_and_nothing(void **state)
{
    (void)state;
    float box[4] = {0.1f, 0.1f, 0.2f, 0.2f};
    const struct few_output one = {.kind = FEW_BOX, .n = 4, .values = box};
    const struct few_output none = {.kind = FEW_BOX, .empty = true};
    assert_ptr_equal(few__pick_box(&one, FEW__BEST, WIDTH, HEIGHT), box);
    assert_null(few__pick_box(&none, FEW__BEST, WIDTH, HEIGHT));
    assert_null(pick(0, FEW__LARGEST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_best_largest_and_largest_wide),
        cmocka_unit_test(test_wide_is_in_pixels_not_in_shares),
        cmocka_unit_test(test_ties_go_to_the_first),
        cmocka_unit_test(test_a_box_and_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
