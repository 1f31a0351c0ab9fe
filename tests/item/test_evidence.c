// SPDX-License-Identifier: Apache-2.0
// What an output tells a network: raw numbers of every kind by hand, directions, files.
#include "item/evidence.h"

#include <math.h>
#include <string.h>

#include "support/support.h"

enum { BEST, COUNT, ROOT, VALUE, LARGEST, BOXES };

static void test_classes(void **state)
{
    (void)state;
    const bool is_null[] = {true, false, false};
    const struct few_model model = {
        .name = "a", .kind = FEW_CLASSES, .n_labels = 3, .is_null = is_null, .threshold = 0.5F};
    float values[] = {0.25F, 0.64F, NAN}, labels[3], summary[6];
    const struct few_output output = {.kind = FEW_CLASSES, .n = 3, .values = values};
    struct few__evidence e;
    few__evidence_sizes(&model, 0, &e);
    assert_int_equal(e.n_labels, 3);
    assert_int_equal(e.n_parts, 3);
    assert_int_equal(e.n_summary, LARGEST);
    few__evidence_raw(&model, &output, &e, labels, summary);
    const float roots[] = {0.5F, 0.8F, 0}, sums[] = {0.64F, 1, 0.8F, 0.64F}; // the null label is no finding
    assert_near_all(labels, roots, 3, 1e-6);
    assert_near_all(summary, sums, 4, 1e-6);
}

static void test_detections(void **state)
{
    (void)state;
    const struct few_model model = {.name = "a", .kind = FEW_DETECTIONS, .n_labels = 2, .threshold = 0.5F};
    struct few_detection found[] = {{.label = 1, .confidence = 0.81F, .area = 0.04F},
                                    {.label = 1, .confidence = 0.36F, .area = 0.25F},
                                    {.label = 5, .confidence = 0.99F, .area = 1}};
    const struct few_output output = {.kind = FEW_DETECTIONS, .n = 3, .detections = found};
    float labels[2], summary[6];
    struct few__evidence e;
    few__evidence_sizes(&model, 0, &e);
    assert_int_equal(e.n_summary, BOXES + 1);
    few__evidence_raw(&model, &output, &e, labels, summary);
    assert_near(labels[0], 0, 0);
    assert_near(labels[1], 0.9, 1e-6); // the best of each label; label 5 there is none
    assert_near(summary[BEST], 0.81, 1e-6);
    assert_near(summary[COUNT], 1, 0);
    assert_near(summary[LARGEST], 0.5, 1e-6);
    assert_near(summary[BOXES], log(4), 1e-6);
}

static void test_other_kinds(void **state)
{
    (void)state;
    struct few_model model = {.name = "a", .kind = FEW_SCALAR, .empty = -1, .tolerance = 0.1F};
    float values[] = {31, 2, 3, 4}, labels[8], summary[8];
    int32_t tokens[] = {1, 2};
    struct few_output output = {
        .kind = FEW_SCALAR, .n = 1, .values = values, .confidence = 0.7F, .tokens = tokens};
    struct few__evidence e;
    few__evidence_sizes(&model, 0, &e);
    few__evidence_raw(&model, &output, &e, labels, summary);
    assert_int_equal(e.n_labels, 0);
    assert_near(summary[0], 31, 0);
    assert_near(summary[1], 1, 0);
    values[0] = -0.95F; // within the tolerance of "nothing"
    few__evidence_raw(&model, &output, &e, labels, summary);
    assert_near(summary[1], 0, 0);

    model.kind = output.kind = FEW_SEQUENCE;
    output.n = 2;
    few__evidence_sizes(&model, 0, &e);
    few__evidence_raw(&model, &output, &e, labels, summary);
    assert_near(summary[0], log(3), 1e-6);
    assert_near(summary[1], 0.7, 1e-6);

    model.kind = output.kind = FEW_BOX;
    output.n = 4;
    few__evidence_sizes(&model, 0, &e);
    few__evidence_raw(&model, &output, &e, labels, summary);
    assert_near_all(summary, values, 4, 0);
    assert_near(summary[4], 0.7, 1e-6);

    model.kind = output.kind = FEW_VECTOR; // cut to the length that was learned, or filled up
    few__evidence_sizes(&model, 3, &e);
    few__evidence_raw(&model, &output, &e, labels, summary);
    assert_int_equal(e.n_labels, 3);
    assert_near_all(labels, values, 3, 0);
    output.n = 1;
    few__evidence_raw(&model, &output, &e, labels, summary);
    const float filled[] = {values[0], 0, 0};
    assert_near_all(labels, filled, 3, 0);
}

static void test_an_empty_output_is_zeros(void **state)
{
    (void)state;
    for (int kind = 0; kind < FEW_KIND_COUNT; kind++) {
        const struct few_model model = {
            .name = "a", .kind = (enum few_kind)kind, .n_labels = kind < FEW_BOX ? 5 : 0};
        const struct few_output output = {.kind = (enum few_kind)kind, .empty = true};
        float labels[8], summary[8];
        struct few__evidence e;
        few__evidence_sizes(&model, 4, &e);
        few__evidence_raw(&model, &output, &e, labels, summary);
        for (size_t i = 0; i < e.n_labels; i++) assert_near(labels[i], 0, 0);
        for (size_t i = 0; i < e.n_summary; i++) assert_near(summary[i], 0, 0);
    }
}

enum { N = 21 };
static const struct few_model wide = {.name = "a", .kind = FEW_CLASSES, .n_labels = N, .threshold = 0.5F};

static void make(struct few__evidence *e, float *mean, float *basis, float *middle, float *scale)
{
    few__evidence_sizes(&wide, 0, e);
    for (size_t i = 0; i < N; i++) mean[i] = 0.1F * (float)(i % 3);
    for (size_t i = 0; i < e->n_parts * N; i++) basis[i] = (float)(i % 7) - 3;
    for (size_t i = 0; i < e->n_summary; i++) middle[i] = 0.1F, scale[i] = i == 1 ? 100 : 2;
    e->mean = mean, e->basis = basis, e->middle = middle, e->scale = scale;
}

static void test_directions_and_scales(void **state)
{
    (void)state;
    float mean[N], basis[FEW__EVIDENCE_MAX * N], middle[6], scale[6], values[N], scratch[N + 6], out[20];
    struct few__evidence e;
    make(&e, mean, basis, middle, scale);
    const struct few__evidences all = {
        .n_models = 1, .n = e.n_parts + e.n_summary, .models = &e, .room = N + 6};
    for (size_t i = 0; i < N; i++) values[i] = (float)(i * i % 5) / 50;
    const struct few_output output = {.kind = FEW_CLASSES, .n = N, .values = values};
    few__evidence_of(&all, 0, &wide, &output, scratch, out);
    for (size_t c = 0; c < e.n_parts; c++) {
        double sum = 0;
        for (size_t i = 0; i < N; i++)
            sum += (sqrt((double)values[i]) - (double)mean[i]) * (double)basis[c * N + i];
        assert_near(out[c], fmax(-FEW__EVIDENCE_SPREADS, fmin(FEW__EVIDENCE_SPREADS, sum)), 1e-5);
    }
    assert_near(out[e.n_parts], (0.08 - 0.1) * 2, 1e-5);
    assert_near(out[e.n_parts + 1], -FEW__EVIDENCE_SPREADS, 0); // (0 - 0.1) * 100, held
}

static void test_files(void **state)
{
    (void)state;
    float mean[N], basis[FEW__EVIDENCE_MAX * N], middle[6], scale[6];
    const struct few_catalog catalog = {.n_models = 1, .models = &wide};
    struct few__evidence e;
    struct few__evidences all = {.n_models = 1, .models = &e}, taken;
    struct few__tensors *tensors;
    struct few__arena arena;
    struct few_error err;
    make(&e, mean, basis, middle, scale);
    few__arena_init(&arena, NULL, 1 << 16);
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_status(few__evidences_put(&all, tensors, "x", &err), FEW_OK, &err);
    assert_status(few__evidences_take(tensors, "x", &catalog, &arena, &taken, &err), FEW_OK, &err);
    assert_int_equal(taken.n, e.n_parts + e.n_summary);
    assert_int_equal(taken.room, N + e.n_summary);
    assert_memory_equal(taken.models[0].basis, basis, e.n_parts * N * sizeof *basis);

    struct few_model other = wide; // a model with another list of labels
    other.n_labels = N + 1;
    const struct few_catalog changed = {.n_models = 1, .models = &other};
    assert_status(few__evidences_take(tensors, "x", &changed, &arena, &taken, &err), FEW_ESHAPE, &err);
    assert_non_null(strstr(err.message, "expected 22 numbers, as model a has, found 21"));
    assert_status(few__evidences_take(tensors, "y", &catalog, &arena, &taken, &err), FEW_ENOENT, &err);
    few__tensors_free(tensors);

    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    scale[0] = INFINITY;
    assert_int_equal(few__evidences_put(&all, tensors, "x", NULL), FEW_OK);
    assert_status(few__evidences_take(tensors, "x", &catalog, &arena, &taken, &err), FEW_EPARSE, &err);
    few__tensors_free(tensors);
    few__arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_detections),
        cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_an_empty_output_is_zeros),
        cmocka_unit_test(test_directions_and_scales),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
