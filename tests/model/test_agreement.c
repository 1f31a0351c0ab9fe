// SPDX-License-Identifier: Apache-2.0
// Agreement of each output kind and the metrics of algorithms.md 2.10, by hand-computed cases.
#include "model/agreement.h"

#include <math.h>

#include "model/output.h"
#include "support/support.h"

static struct few__arena arena;

static int setup(void **state)
{
    (void)state;
    few__arena_init(&arena, NULL, 1 << 24);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    return 0;
}

static const int32_t ids[] = {0, 1, 2};
static const bool no_null[] = {false, false, false};

static struct few_model model_of(enum few_kind kind)
{
    struct few_model m = {.name = "m", .kind = kind, .threshold = 0.5f, .own_label = -1};
    if (kind == FEW_CLASSES || kind == FEW_LABELS || kind == FEW_DETECTIONS) {
        m.n_labels = 3;
        m.label_ids = ids;
        m.is_null = no_null;
    }
    return m;
}

static double agree(enum few_kind kind, struct few_output a, struct few_output b, double range)
{
    struct few_model m = model_of(kind);
    a.kind = b.kind = kind;
    return few__agreement(&m, &a, &b, range, &arena);
}

#define VALUES(...)                                        \
    ((struct few_output){.values = (float[]){__VA_ARGS__}, \
                         .n = sizeof((float[]){__VA_ARGS__}) / sizeof(float)})
#define TOKENS(...)                                          \
    ((struct few_output){.tokens = (int32_t[]){__VA_ARGS__}, \
                         .n = sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)})
static const struct few_output nothing = {.empty = true};

static void test_iou(void **state)
{
    (void)state;
    float a[4] = {0, 0, 2, 2}, b[4] = {1, 1, 1, 1}, far[4] = {5, 5, 1, 1}, touching[4] = {2, 0, 2, 2};
    assert_near(few__iou(a, (float[]){1, 1, 2, 2}), 1.0 / 7, 1e-12);
    assert_near(few__iou(a, a), 1, 1e-12);
    assert_near(few__iou(a, b), 0.25, 1e-12);
    assert_near(few__iou(a, far), 0, 0);
    assert_near(few__iou(a, touching), 0, 0);
    assert_near(few__iou(a, (float[]){2, 2, -1, 1}), 0, 0);
    assert_near(few__iou((float[]){2, 2, -1, -1}, (float[]){2, 2, -1, -1}), 0, 0);
    assert_near(few__iou((float[]){1, 1, 0, 0}, (float[]){1, 1, 0, 0}), 0, 0);
    assert_near(few__iou(a, (float[]){NAN, 0, 2, 2}), 0, 0);
    assert_near(few__iou(a, (float[]){0, 0, INFINITY, 2}), 0, 0);
}

static void test_word_error_rate(void **state)
{
    (void)state;
    const int32_t ref[] = {1, 2, 3}, hyp[] = {1, 9, 3, 4}, other[] = {7, 8, 9, 10, 11, 12};
    assert_near(few__wer(ref, 3, hyp, 4, &arena), 2.0 / 3, 1e-12); // "a b c", "a x c d"
    assert_near(few__wer(ref, 3, ref, 3, &arena), 0, 0);
    assert_near(few__wer(ref, 3, NULL, 0, &arena), 1, 0);
    assert_near(few__wer(ref, 3, other, 6, &arena), 2, 0); // may exceed 1
    assert_near(few__wer(ref, 3, ref + 1, 2, &arena), 1.0 / 3, 1e-12);
    assert_near(few__wer(NULL, 0, NULL, 0, &arena), 0, 0);
    assert_near(few__wer(NULL, 0, hyp, 4, &arena), 1, 0);
}

static void test_f1_of_label_sets(void **state)
{
    (void)state;
    const struct few_valuable a[] = {{1, 0.9f}, {3, 0.8f}, {7, 0.6f}}, b[] = {{3, 0.7f}, {5, 0.9f}};
    assert_near(few__f1_labels(a, 3, b, 2), 2.0 / 5, 1e-12);
    assert_near(few__f1_labels(b, 2, a, 3), 2.0 / 5, 1e-12);
    assert_near(few__f1_labels(a, 3, a, 3), 1, 0);
    assert_near(few__f1_labels(a, 3, a + 1, 2), 4.0 / 5, 1e-12);
    assert_near(few__f1_labels(NULL, 0, NULL, 0), 1, 0);
    assert_near(few__f1_labels(a, 3, NULL, 0), 0, 0);
}

static void test_f1_of_detections(void **state)
{
    (void)state;
    struct few_detection exact[] = {{1, 0.9f, {0, 0, 0.4f, 0.4f}, 0.16f},
                                    {1, 0.8f, {0.5f, 0.5f, 0.4f, 0.4f}, 0.16f}};
    struct few_detection given[] = {{1, 0.7f, {0.5f, 0.5f, 0.4f, 0.4f}, 0.16f},
                                    {2, 0.6f, {0, 0, 0.4f, 0.4f}, 0.16f},
                                    {1, 0.5f, {0.5f, 0.5f, 0.4f, 0.39f}, 0.16f}};
    // the second has another label, the third finds its box taken: one match of 3 and 2
    assert_near(few__f1_detections(given, 3, exact, 2, 0.5, &arena), 2.0 / 5, 1e-12);
    assert_near(few__f1_detections(exact, 2, exact, 2, 0.5, &arena), 1, 0);
    assert_near(few__f1_detections(NULL, 0, NULL, 0, 0.5, &arena), 1, 0);
    assert_near(few__f1_detections(given, 3, NULL, 0, 0.5, &arena), 0, 0);
}

/* The more confident one chooses first, whatever order they stand in. */
static void test_f1_matches_by_confidence(void **state)
{
    (void)state;
    struct few_detection exact[] = {{0, 1, {0, 0, 1, 1}, 1}, {0, 1, {0, 0, 1, 0.6f}, 0.6f}};
    struct few_detection given[] = {{0, 0.2f, {0, 0, 1, 0.55f}, 0}, {0, 0.9f, {0, 0, 1, 0.9f}, 0}};
    // 0.9 takes the whole box (IoU 0.9, not 0.667); 0.2 takes the other (0.917): both match
    assert_near(few__f1_detections(given, 2, exact, 2, 0.5, &arena), 1, 0);
    given[0].confidence = 0.95f; // now it chooses first and takes the nearer one all the same
    assert_near(few__f1_detections(given, 2, exact, 2, 0.5, &arena), 1, 0);
    given[0].box[3] = 0.7f; // IoU 0.857 with the small box, 0.7 with the whole one
    assert_near(few__f1_detections(given, 2, exact, 2, 0.88, &arena), 0.5, 1e-12);
}

static void test_cosine(void **state)
{
    (void)state;
    const float a[] = {1, 0}, b[] = {0, 2}, zero[] = {0, 0}, minus[] = {-3, 0};
    assert_near(few__cosine_agreement(a, a, 2), 1, 1e-12);
    assert_near(few__cosine_agreement(a, b, 2), 0.5, 1e-12);
    assert_near(few__cosine_agreement(a, minus, 2), 0, 1e-12);
    assert_near(few__cosine_agreement(zero, zero, 2), 1, 0);
    assert_near(few__cosine_agreement(a, zero, 2), 0.5, 0);
}

static void test_mean_average_precision(void **state)
{
    (void)state;
    // class 0: ranks items 1, 0, 2 with positives 1 and 2: (1/1 + 2/3) / 2; class 1: tie, lower item first: 1/2;
    // class 2 has no positive
    const float scores[] = {0.5f, 0.4f, 0.1f, 0.9f, 0.4f, 0.2f, 0.1f, 0.3f, 0.3f};
    const bool truth[] = {false, false, false, true, true, false, true, false, false};
    assert_near(few__mean_average_precision(scores, truth, 3, 3, &arena), (5.0 / 6 + 0.5) / 2, 1e-12);
    const bool none[9] = {false};
    assert_true(isnan(few__mean_average_precision(scores, none, 3, 3, &arena)));
    const float unknown[] = {NAN, 0.1f}; // a score that is none ranks last
    assert_near(few__mean_average_precision(unknown, (bool[]){false, true}, 2, 1, &arena), 1, 0);
}

static void test_agreement_of_classes(void **state)
{
    (void)state;
    struct few_output a = VALUES(0.1f, 0.6f, 0.3f), b = VALUES(0.3f, 0.4f, 0.3f), c = VALUES(0.5f, 0.5f, 0);
    assert_near(agree(FEW_CLASSES, a, b, 0), 1, 0);
    assert_near(agree(FEW_CLASSES, a, c, 0), 0, 0); // a tie goes to the lowest
    assert_near(agree(FEW_CLASSES, nothing, nothing, 0), 1, 0);
    assert_near(agree(FEW_CLASSES, a, nothing, 0), 0, 0);
    assert_near(agree(FEW_CLASSES, VALUES(NAN), VALUES(NAN), 0), 0, 0);
}

static void test_agreement_of_labels_and_detections(void **state)
{
    (void)state;
    struct few_output a = VALUES(0.9f, 0.8f, 0.1f), b = VALUES(0.6f, 0.2f, 0.1f), low = VALUES(0.5f, 0.1f, 0);
    assert_near(agree(FEW_LABELS, a, b, 0), 2.0 / 3, 1e-12);
    assert_near(agree(FEW_LABELS, low, nothing, 0), 1, 0); // 0.5 is not above the threshold
    assert_near(agree(FEW_LABELS, a, nothing, 0), 0, 0);
    struct few_detection d = {1, 0.9f, {0, 0, 1, 1}, 1};
    struct few_output one = {.detections = &d, .n = 1};
    assert_near(agree(FEW_DETECTIONS, one, one, 0), 1, 0);
    assert_near(agree(FEW_DETECTIONS, one, nothing, 0), 0, 0);
    assert_near(agree(FEW_DETECTIONS, nothing, nothing, 0), 1, 0);
}

static void test_agreement_of_numbers(void **state)
{
    (void)state;
    assert_near(agree(FEW_BOX, VALUES(0, 0, 2, 2), VALUES(1, 1, 2, 2), 0), 1.0 / 7, 1e-12);
    assert_near(agree(FEW_BOX, nothing, nothing, 0), 1, 0);
    assert_near(agree(FEW_BOX, VALUES(0, 0, 2, 2), nothing, 0), 0, 0);
    assert_near(agree(FEW_SCALAR, VALUES(30), VALUES(40), 40), 0.75, 1e-12);
    assert_near(agree(FEW_SCALAR, VALUES(30), VALUES(90), 40), 0, 0);
    assert_near(agree(FEW_SCALAR, VALUES(3.4f), VALUES(3), 0), 1, 0); // a count
    assert_near(agree(FEW_SCALAR, VALUES(3.5f), VALUES(3), 0), 0, 0);
    assert_near(agree(FEW_SCALAR, nothing, nothing, 40), 1, 0);
    assert_near(agree(FEW_SCALAR, nothing, VALUES(3), 40), 0, 0);
    assert_near(agree(FEW_SCALAR, VALUES(NAN), VALUES(3), 40), 0, 0);
    assert_near(agree(FEW_VECTOR, VALUES(1, 0), VALUES(0, 1), 0), 0.5, 1e-12);
    assert_near(agree(FEW_VECTOR, VALUES(1, 0), VALUES(1), 0), 0, 0);
    assert_near(agree(FEW_VECTOR, VALUES(NAN, 0), VALUES(NAN, 0), 0), 0, 0);
}

static void test_agreement_of_sequences(void **state)
{
    (void)state;
    assert_near(agree(FEW_SEQUENCE, TOKENS(1, 9, 3, 4), TOKENS(1, 2, 3), 0), 1.0 / 3, 1e-12);
    assert_near(agree(FEW_SEQUENCE, TOKENS(4, 5, 6, 7), TOKENS(1), 0), 0, 0);
    assert_near(agree(FEW_SEQUENCE, nothing, nothing, 0), 1, 0);
    assert_near(agree(FEW_SEQUENCE, TOKENS(4), nothing, 0), 0, 0);
}

static void test_no_memory_is_no_agreement(void **state)
{
    (void)state;
    struct t_mem t;
    t_mem_init(&t, 1);
    struct few__arena full;
    few__arena_init(&full, &t.mem, 1 << 20);
    struct few_model m = model_of(FEW_LABELS);
    struct few_output a = VALUES(0.9f, 0, 0);
    a.kind = FEW_LABELS;
    assert_near(few__agreement(&m, &a, &a, 0, &full), 0, 0);
    assert_near(few__agreement(&m, &a, &a, 0, &full), 1, 0);
    few__arena_finish(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_iou),
        cmocka_unit_test(test_word_error_rate),
        cmocka_unit_test(test_f1_of_label_sets),
        cmocka_unit_test(test_f1_of_detections),
        cmocka_unit_test(test_f1_matches_by_confidence),
        cmocka_unit_test(test_cosine),
        cmocka_unit_test(test_mean_average_precision),
        cmocka_unit_test(test_agreement_of_classes),
        cmocka_unit_test(test_agreement_of_labels_and_detections),
        cmocka_unit_test(test_agreement_of_numbers),
        cmocka_unit_test(test_agreement_of_sequences),
        cmocka_unit_test(test_no_memory_is_no_agreement),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
