// SPDX-License-Identifier: Apache-2.0
// Values and text, and what every decoder refuses.
#include <math.h>

#include "decode_support.h"

static void test_values_of_labels(void **state)
{
    (void)state;
    const float raw[] = {0.2F, -0.5F, 1.5F};
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_CLASSES, 4, 4);
    s.model.n_labels = 3;
    SCENE_TENSOR(&s, "probabilities", raw, 1, 3, 1, 1);
    assert_status(scene_check(&s), FEW_OK, &s.err);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.kind, FEW_CLASSES);
    assert_int_equal(s.output.n, 3);
    assert_false(s.output.empty);
    assert_near_all(s.output.values, raw, 3, 0);
    assert_near(s.output.confidence, 1.5, 0);
    s.recipe.decode.activation = FEW__CLAMP;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, ((float[]){0.2F, 0, 1}), 3, 0);
    assert_near(s.output.confidence, 1, 0);
    scene_finish(&s);
}

static void test_values_activations(void **state)
{
    (void)state;
    const float raw[] = {0, 0.6931472F, 1.0986123F}; // 0, ln 2, ln 3
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_LABELS, 4, 4);
    s.model.n_labels = 3;
    s.recipe.decode.activation = FEW__SOFTMAX;
    SCENE_TENSOR(&s, "logits", raw, 1, 3);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, ((float[]){1 / 6.0F, 2 / 6.0F, 3 / 6.0F}), 3, 1e-6);
    s.recipe.decode.activation = FEW__SIGMOID;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, ((float[]){1 / 2.0F, 2 / 3.0F, 3 / 4.0F}), 3, 1e-6);
    scene_finish(&s);
}

// Rows of y, x, score: the score of each key point.
static void test_values_offset_and_step(void **state)
{
    (void)state;
    const float raw[] = {9, 8, 0.25F, 7, 6, 0.75F};
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_LABELS, 4, 4);
    s.model.n_labels = 2;
    s.recipe.decode.offset = 2;
    s.recipe.decode.step = 3;
    SCENE_TENSOR(&s, "points", raw, 1, 1, 2, 3);
    assert_status(scene_check(&s), FEW_OK, &s.err);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, ((float[]){0.25F, 0.75F}), 2, 0);
    s.model.n_labels = 3;
    scene_refused(&s, FEW_ESHAPE, "output 'points': expected 9 numbers, one for each label, found [1,1,2,3]");
    scene_finish(&s);
}

static void test_values_scalar_and_vector(void **state)
{
    (void)state;
    const float raw[] = {31.5F, -2, 3};
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_SCALAR, 4, 4);
    SCENE_TENSOR(&s, "age", raw, 3);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    assert_near(s.output.values[0], 31.5, 0);
    s.model.kind = FEW_VECTOR;
    s.recipe.decode.n_values = 3;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, raw, 3, 0);
    s.recipe.decode.n_values = 4;
    scene_refused(&s, FEW_ESHAPE, "expected 4 numbers, found [3]");
    s.recipe.decode.n_values = FEW_VALUES_MAX + 1;
    scene_refused(&s, FEW_ELIMIT, "at most 1048576 numbers");
    scene_finish(&s);
}

static void test_values_box(void **state)
{
    (void)state;
    float raw[] = {0.25F, 0.5F, 0.5F, 0.75F, 0.9F};
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_BOX, 100, 50);
    SCENE_TENSOR(&s, "box", raw, 1, 5);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, ((float[]){0.25F, 0.5F, 0.5F, 0.5F}), 4, 1e-6); // cut at the lower edge
    assert_int_equal(s.output.n, 4);
    assert_near(s.output.confidence, 1, 0);
    s.recipe.decode.n_values = 5;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near(s.output.confidence, 0.9, 1e-6);
    raw[4] = 0.2F; // below keep
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_true(s.output.empty);
    assert_int_equal(s.output.n, 0);
    scene_finish(&s);
}

static void test_ctc(void **state)
{
    (void)state;
    // Best classes: 1 1 0 1 2 2 0: tokens 0 (0.9), 0 (0.7), 1 (0.5). A tie goes to the lower class.
    const float raw[] = {0.1F, 0.9F, 0,    0.2F, 0.8F, 0,    0.6F, 0.2F, 0.2F, 0.3F, 0.7F,
                         0,    0.2F, 0.3F, 0.5F, 0.1F, 0.3F, 0.6F, 0.5F, 0,    0.5F};
    struct scene s;
    scene_init(&s, FEW__DECODE_CTC, FEW_SEQUENCE, 4, 4);
    s.model.n_labels = 2;
    SCENE_TENSOR(&s, "steps", raw, 1, 7, 3);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 3);
    assert_int_equal(s.output.tokens[0], 0);
    assert_int_equal(s.output.tokens[1], 0);
    assert_int_equal(s.output.tokens[2], 1);
    assert_near(s.output.confidence, (0.9 + 0.7 + 0.5) / 3, 1e-6);
    s.tensors[0].dims[1] = -1; // at load the width is open
    assert_status(scene_check(&s), FEW_OK, &s.err);
    s.model.n_labels = 5;
    s.tensors[0].dims[1] = 7;
    scene_refused(&s, FEW_ESHAPE, "output 'steps': expected [1,?,6], found [1,7,3]");
    s.tensors[0].dims[1] = FEW_TOKENS_MAX + 1;
    scene_refused(&s, FEW_ELIMIT, "at most 4096 steps of text, found 4097");
    scene_finish(&s);
}

static void test_ctc_nothing(void **state)
{
    (void)state;
    const float raw[] = {0.9F, 0.1F, 0.8F, 0.2F};
    struct scene s;
    scene_init(&s, FEW__DECODE_CTC, FEW_SEQUENCE, 4, 4);
    s.model.n_labels = 1;
    SCENE_TENSOR(&s, "steps", raw, 1, 2, 2);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_true(s.output.empty);
    assert_int_equal(s.output.n, 0);
    assert_near(s.output.confidence, 0, 0);
    scene_finish(&s);
}

static void test_numbers_that_are_not_finite(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, -NAN};
    float raw[67];
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_VECTOR, 4, 4);
    s.recipe.decode.n_values = 1;
    SCENE_TENSOR(&s, "numbers", raw, 67);
    for (size_t at = 0; at < 67; at += 11)
        for (size_t i = 0; i < 4; i++) {
            for (size_t k = 0; k < 67; k++) raw[k] = k % 2 ? -3.4e38F : 3.4e38F;
            assert_status(scene_decode(&s), FEW_OK, &s.err);
            raw[at] = bad[i];
            assert_status(scene_decode(&s), FEW_EDECODE, &s.err);
            assert_non_null(strstr(s.err.message, "model 'm': output 'numbers': expected finite numbers"));
            assert_int_equal(s.output.n, 0);
        }
    scene_finish(&s);
}

static void test_kinds_and_counts(void **state)
{
    (void)state;
    const float raw[4] = {0};
    struct scene s;
    scene_init(&s, FEW__DECODE_CTC, FEW_CLASSES, 4, 4);
    SCENE_TENSOR(&s, "x", raw, 1, 2, 2);
    scene_refused(&s, FEW_ESHAPE, "decoder ctc does not give outputs of the model's kind");
    s.model.kind = FEW_SEQUENCE;
    s.model.n_labels = 1;
    s.n_tensors = 2;
    scene_refused(&s, FEW_ESHAPE, "decoder ctc: expected 1 outputs, found 2");
    s.n_tensors = 1;
    s.tensors[0].n = 3; // not what its shape says
    assert_status(scene_decode(&s), FEW_ESHAPE, &s.err);
    scene_finish(&s);
}

static void test_open_shapes_at_load(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_CLASSES, 4, 4);
    s.model.n_labels = 2;
    SCENE_TENSOR(&s, "x", NULL, -1, 2); // an open batch
    assert_status(scene_check(&s), FEW_OK, &s.err);
    s.tensors[0].dims[1] = -1;
    assert_status(scene_check(&s), FEW_OK, &s.err);
    s.tensors[0].dims[1] = 3;
    assert_status(scene_check(&s), FEW_ESHAPE, &s.err);
    scene_finish(&s);
}

static void test_no_memory(void **state)
{
    (void)state;
    const float raw[] = {0.2F, 0.9F, 0.7F, 0.1F};
    struct scene s;
    scene_init(&s, FEW__DECODE_VALUES, FEW_CLASSES, 4, 4);
    s.model.n_labels = 4;
    SCENE_TENSOR(&s, "x", raw, 1, 4);
    scene_fail_each_allocation(&s);
    scene_init(&s, FEW__DECODE_CTC, FEW_SEQUENCE, 4, 4);
    s.model.n_labels = 1;
    SCENE_TENSOR(&s, "x", raw, 1, 2, 2);
    scene_fail_each_allocation(&s);
    scene_init(&s, FEW__DECODE_VALUES, FEW_BOX, 4, 4);
    SCENE_TENSOR(&s, "x", raw, 1, 4);
    scene_fail_each_allocation(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_of_labels),
        cmocka_unit_test(test_values_activations),
        cmocka_unit_test(test_values_offset_and_step),
        cmocka_unit_test(test_values_scalar_and_vector),
        cmocka_unit_test(test_values_box),
        cmocka_unit_test(test_ctc),
        cmocka_unit_test(test_ctc_nothing),
        cmocka_unit_test(test_numbers_that_are_not_finite),
        cmocka_unit_test(test_kinds_and_counts),
        cmocka_unit_test(test_open_shapes_at_load),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
