// SPDX-License-Identifier: Apache-2.0
// Non-maximum suppression on boxes whose overlaps are known.
#include <string.h>

#include "model/decode.h"
#include "support/support.h"

static struct few_detection box(int32_t label, float confidence, float x, float y, float w, float h)
{
    return (struct few_detection){.label = label, .confidence = confidence, .box = {x, y, w, h}};
}

static void test_suppresses_within_a_label(void **state)
{
    (void)state;
    // Two of label 0 share 2/4 of their union of 4/3: IoU 0.5; the third, of label 1, covers the first.
    struct few_detection d[] = {box(0, 0.6F, 0, 0, 0.3F, 1), box(0, 0.9F, 0.1F, 0, 0.3F, 1),
                                box(1, 0.7F, 0.1F, 0, 0.3F, 1)};
    struct few_detection same[3];
    memcpy(same, d, sizeof d);
    assert_int_equal(few__nms(d, 3, 0.45F, 0, 300), 2);
    assert_near(d[0].confidence, 0.9, 1e-6);
    assert_int_equal(d[1].label, 1);
    assert_int_equal(few__nms(same, 3, 0.55F, 0, 300), 3); // not more than iou: kept
    assert_near(same[0].confidence, 0.9, 1e-6);
    assert_near(same[1].confidence, 0.7, 1e-6);
    assert_near(same[2].confidence, 0.6, 1e-6);
}

static void test_suppresses_across_labels(void **state)
{
    (void)state;
    // A car that might be a truck (IoU 0.6), a truck far away, and a second car that overlaps the first by 0.5.
    const struct few_detection all[] = {box(0, 0.9F, 0, 0, 0.4F, 1), box(1, 0.8F, 0.1F, 0, 0.4F, 1),
                                        box(1, 0.7F, 0.6F, 0, 0.4F, 1), box(0, 0.6F, 0, 0, 0.2F, 1)};
    struct few_detection d[4];
    memcpy(d, all, sizeof d);
    assert_int_equal(few__nms(d, 4, 0.45F, 0.55F, 300), 2);
    assert_near(d[0].confidence, 0.9, 1e-6);
    assert_near(d[1].confidence, 0.7, 1e-6);
    memcpy(d, all, sizeof d);
    assert_int_equal(few__nms(d, 4, 0, 0.55F, 300), 3); // within a label nothing is dropped
    memcpy(d, all, sizeof d);
    assert_int_equal(few__nms(d, 4, 0.45F, 0.65F, 300), 3); // no more than that overlap
}

static void test_a_suppressed_box_suppresses_nothing(void **state)
{
    (void)state;
    // A chain: each overlaps the next (IoU 0.6), the first and third hardly (IoU 1/3).
    struct few_detection d[] = {box(0, 0.9F, 0, 0, 0.4F, 1), box(0, 0.8F, 0.1F, 0, 0.4F, 1),
                                box(0, 0.7F, 0.2F, 0, 0.4F, 1)};
    assert_int_equal(few__nms(d, 3, 0.5F, 0, 300), 2);
    assert_near(d[0].box[0], 0, 1e-6);
    assert_near(d[1].box[0], 0.2, 1e-6);
}

static void test_ties_stay_as_they_stood(void **state)
{
    (void)state;
    struct few_detection d[6];
    for (int i = 0; i < 6; i++) d[i] = box(i, i % 2 ? 0.8F : 0.5F, 0, 0, 1, 1);
    assert_int_equal(few__nms(d, 6, 0.5F, 0, 300), 6);
    const int expected[] = {1, 3, 5, 0, 2, 4};
    for (int i = 0; i < 6; i++) assert_int_equal(d[i].label, expected[i]);
}

static void test_max_and_no_suppression(void **state)
{
    (void)state;
    struct few_detection d[5];
    for (int i = 0; i < 5; i++) d[i] = box(0, 0.1F * (float)(i + 1), 0, 0, 1, 1);
    assert_int_equal(few__nms(d, 5, 0, 0, 3), 3); // iou 0: sorted only
    assert_near(d[0].confidence, 0.5, 1e-6);
    assert_near(d[2].confidence, 0.3, 1e-6);
    assert_int_equal(few__nms(d, 0, 0.5F, 0, 3), 0);
    assert_int_equal(few__nms(NULL, 0, 0.5F, 0, 3), 0);
    assert_int_equal(few__nms(d, 1, 0.5F, 0, 0), 0);
}

static void test_boxes_that_only_touch(void **state)
{
    (void)state;
    struct few_detection d[] = {box(0, 0.9F, 0, 0, 0.5F, 1), box(0, 0.8F, 0.5F, 0, 0.5F, 1)};
    assert_int_equal(few__nms(d, 2, 0.01F, 0, 300), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_suppresses_within_a_label),
        cmocka_unit_test(test_suppresses_across_labels),
        cmocka_unit_test(test_a_suppressed_box_suppresses_nothing),
        cmocka_unit_test(test_ties_stay_as_they_stood),
        cmocka_unit_test(test_max_and_no_suppression),
        cmocka_unit_test(test_boxes_that_only_touch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
