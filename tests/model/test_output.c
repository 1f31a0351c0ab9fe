// SPDX-License-Identifier: Apache-2.0
// Valuable labels, names of kinds, copies, and the packed form on right and on random bytes.
#include "model/output.h"

#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "support/support.h"

static struct few__arena arena;

static int setup(void **state)
{
    (void)state;
    few__arena_init(&arena, NULL, 1 << 28);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    return 0;
}

static const int32_t ids[] = {5, 2, 9, 2};
static const bool nulls[] = {false, false, true, false};

static struct few_model listed(enum few_kind kind)
{
    return (struct few_model){.name = "m",
                              .kind = kind,
                              .n_labels = 4,
                              .label_ids = ids,
                              .is_null = nulls,
                              .own_label = -1,
                              .threshold = 0.5f};
}

static struct few_model unlisted(enum few_kind kind)
{
    return (struct few_model){.name = "m", .kind = kind, .own_label = 7, .threshold = 0.5f};
}

static void test_names(void **state)
{
    (void)state;
    for (int k = 0; k < FEW_KIND_COUNT; k++)
        assert_int_equal(few_kind_parse(few_kind_name((enum few_kind)k)), k);
    for (int m = 0; m < FEW_MODALITY_COUNT; m++)
        assert_int_equal(few_modality_parse(few_modality_name((enum few_modality)m)), m);
    assert_string_equal(few_modality_name(FEW_SOUND), "sound");
    assert_string_equal(few_modality_name(FEW_MODALITY_COUNT), "unknown");
    assert_int_equal(few_modality_parse("unknown"), FEW_MODALITY_COUNT);
    assert_int_equal(few_modality_parse(NULL), FEW_MODALITY_COUNT);
    assert_int_equal(few_kind_parse("box "), FEW_KIND_COUNT);
    assert_int_equal(few_kind_parse(NULL), FEW_KIND_COUNT);
    assert_string_equal(few_kind_name(FEW_DETECTIONS), "detections");
    assert_string_equal(few_kind_name(FEW_KIND_COUNT), "unknown");
    assert_string_equal(few_outcome_name(FEW_EXECUTED), "executed");
    assert_string_equal(few_outcome_name(FEW_FAILED), "failed");
    assert_string_equal(few_outcome_name(FEW_OUTCOME_COUNT), "unknown");
}

static void test_valuable_labels(void **state)
{
    (void)state;
    struct few_model m = listed(FEW_LABELS);
    struct few_valuable v[4];
    float values[] = {0.6f, 0.7f, 0.99f, 0.8f}; // labels 5, 2, null, 2 again
    struct few_output output = {.kind = FEW_LABELS, .n = 4, .values = values};
    assert_int_equal(few__valuable_max(&m), 4);
    assert_int_equal(few__valuable(&m, &output, v, 4), 2);
    assert_int_equal(v[0].label, 2);
    assert_near(v[0].confidence, 0.8f, 0);
    assert_int_equal(v[1].label, 5);
    values[0] = 0.5f; // not above
    values[1] = NAN;
    assert_int_equal(few__valuable(&m, &output, v, 4), 1);
    output.empty = true;
    assert_int_equal(few__valuable(&m, &output, v, 4), 0);
}

static void test_valuable_detections(void **state)
{
    (void)state;
    struct few_model m = listed(FEW_DETECTIONS);
    struct few_valuable v[4];
    struct few_detection d[] = {{.label = 0, .confidence = 0.9f},  {.label = 1, .confidence = 0.8f},
                                {.label = 0, .confidence = 0.7f},  {.label = 99, .confidence = 0.7f},
                                {.label = -1, .confidence = 0.7f}, {.label = 3, .confidence = 0.4f}};
    struct few_output output = {.kind = FEW_DETECTIONS, .n = 6, .detections = d, .confidence = 0.9f};
    assert_int_equal(few__valuable(&m, &output, v, 4), 2);
    assert_int_equal(v[0].label, 2);
    assert_int_equal(v[1].label, 5);
    assert_near(v[1].confidence, 0.9f, 0);
    m = unlisted(FEW_DETECTIONS);
    assert_int_equal(few__valuable_max(&m), 1);
    assert_int_equal(few__valuable(&m, &output, v, 1), 1);
    assert_int_equal(v[0].label, 7);
    assert_near(v[0].confidence, 0.9f, 0);
}

static void test_valuable_own_label(void **state)
{
    (void)state;
    struct few_valuable v[1];
    float value = 0.015f;
    struct few_model m = unlisted(FEW_SCALAR);
    m.tolerance = 0.02f;
    struct few_output output = {.kind = FEW_SCALAR, .n = 1, .values = &value, .confidence = value};
    assert_int_equal(few__valuable(&m, &output, v, 1), 0);
    value = 0.03f;
    assert_int_equal(few__valuable(&m, &output, v, 1), 1);
    assert_near(v[0].confidence, 1, 0);
    value = NAN;
    assert_int_equal(few__valuable(&m, &output, v, 1), 0);
    m = unlisted(FEW_SEQUENCE);
    m.n_labels = 4; // an alphabet makes no labels
    output = (struct few_output){.kind = FEW_SEQUENCE, .n = 1, .tokens = (int32_t[]){1}, .confidence = 0.6f};
    assert_int_equal(few__valuable(&m, &output, v, 1), 1);
    assert_near(v[0].confidence, 0.6f, 0);
    output.confidence = 0.5f;
    assert_int_equal(few__valuable(&m, &output, v, 1), 0);
    m = unlisted(FEW_VECTOR);
    output = (struct few_output){.kind = FEW_VECTOR, .n = 1, .values = (float[]){0}};
    assert_int_equal(few__valuable(&m, &output, v, 1), 1);
    output = few__output_empty(&m);
    assert_int_equal(few__valuable(&m, &output, v, 1), 0);
    assert_int_equal(output.kind, FEW_VECTOR);
}

static bool unsure_values(struct few_model m, float a, float b)
{
    float values[] = {a, b, 0.5f, NAN}; // the third is null
    const struct few_output output = {.kind = m.kind, .n = 4, .values = values};
    return few__output_unsure(&m, &output);
}

static void test_unsure_values(void **state)
{
    (void)state;
    const struct few_model labels = listed(FEW_LABELS), classes = listed(FEW_CLASSES);
    assert_true(unsure_values(labels, 0.1f, 0.79f));
    assert_true(unsure_values(labels, 0.21f, 0.9f));
    assert_false(unsure_values(labels, 0.19f, 0.81f));
    assert_true(unsure_values(classes, 0.1f, 0.79f));
    assert_true(unsure_values(classes, 0, 0));
    assert_false(unsure_values(classes, 0.1f, 0.81f));
    const struct few_model own = unlisted(FEW_LABELS);
    assert_true(few__output_unsure(&own, &(struct few_output){.kind = FEW_LABELS, .confidence = 0.3f}));
    assert_false(few__output_unsure(&own, &(struct few_output){.kind = FEW_LABELS, .confidence = 0.9f}));
    const struct few_output none = few__output_empty(&classes);
    assert_true(few__output_unsure(&classes, &none));
}

static void test_unsure_detections(void **state)
{
    (void)state;
    const struct few_model m = listed(FEW_DETECTIONS);
    // Label 0: its best is clear. Label 1: near the threshold. Label 2 is null; 7 and -1 do not exist.
    struct few_detection found[] = {{.label = 0, .confidence = 0.6f},  {.label = 0, .confidence = 0.9f},
                                    {.label = 2, .confidence = 0.6f},  {.label = 7, .confidence = 0.6f},
                                    {.label = -1, .confidence = 0.6f}, {.label = 1, .confidence = 0.7f}};
    struct few_output output = {.kind = FEW_DETECTIONS, .n = 6, .detections = found};
    assert_true(few__output_unsure(&m, &output));
    output.n = 5;
    assert_false(few__output_unsure(&m, &output));
    output = few__output_empty(&m);
    assert_false(few__output_unsure(&m, &output));
}

static void test_unsure_others(void **state)
{
    (void)state;
    for (int k = 0; k < FEW_KIND_COUNT; k++) {
        const struct few_model m = unlisted((enum few_kind)k);
        bool by_confidence = k == FEW_BOX || k == FEW_SEQUENCE;
        if (k == FEW_SCALAR || k == FEW_VECTOR || by_confidence) {
            struct few_output output = {.kind = (enum few_kind)k, .confidence = 0.7f};
            assert_int_equal(few__output_unsure(&m, &output), by_confidence);
            output.confidence = 0.81f;
            assert_false(few__output_unsure(&m, &output));
            output = few__output_empty(&m);
            assert_false(few__output_unsure(&m, &output));
        }
    }
}

static void test_top(void **state)
{
    (void)state;
    struct few_output output = {.n = 4, .values = (float[]){NAN, 0.2f, 0.4f, 0.4f}};
    assert_int_equal(few__top(&output), 2);
    output.n = 1;
    assert_int_equal(few__top(&output), -1);
    output.n = 0;
    assert_int_equal(few__top(&output), -1);
}

static void assert_same(const struct few_output *a, const struct few_output *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->empty, b->empty);
    assert_int_equal(a->n, b->n);
    assert_memory_equal(&a->confidence, &b->confidence, sizeof a->confidence);
    if (a->n && a->values) assert_memory_equal(a->values, b->values, a->n * sizeof *a->values);
    if (a->n && a->tokens) assert_memory_equal(a->tokens, b->tokens, a->n * sizeof *a->tokens);
    if (a->n && a->detections)
        assert_memory_equal(a->detections, b->detections, a->n * sizeof *a->detections);
}

static size_t round_trip(const struct few_output *output)
{
    const void *bytes;
    size_t n;
    struct few_error err;
    struct few_output back, copy;
    assert_int_equal(few__output_pack(output, &arena, &bytes, &n), FEW_OK);
    assert_status(few__output_unpack(bytes, n, &arena, &back, &err), FEW_OK, &err);
    assert_same(output, &back);
    assert_int_equal(few__output_copy(output, &arena, &copy), FEW_OK);
    assert_same(output, &copy);
    if (output->values) assert_ptr_not_equal(copy.values, output->values);
    for (size_t cut = 0; cut < n; cut++) // every shorter text is refused
        assert_int_equal(few__output_unpack(bytes, cut, &arena, &back, NULL), FEW_EPARSE);
    return n;
}

static void test_pack_round_trips(void **state)
{
    (void)state;
    float values[100] = {0};
    struct few_output output = {.kind = FEW_LABELS, .n = 100, .values = values, .confidence = 0.25f};
    assert_int_equal(round_trip(&output), 10 + 4); // all zero: sparse, no entry
    values[3] = 0.25f;
    values[99] = -0.0f; // not the bits of zero: kept
    assert_int_equal(round_trip(&output), 10 + 4 + 2 * 8);
    for (size_t i = 0; i < 100; i++) values[i] = (float)i + 0.5f;
    values[7] = NAN;
    assert_int_equal(round_trip(&output), 10 + 400);
    struct few_detection d[] = {{3, 0.9f, {0.1f, 0.2f, 0.3f, 0.4f}, 0.12f}, {-1, 0.8f, {0, 0, 1, 1}, 0.5f}};
    output = (struct few_output){.kind = FEW_DETECTIONS, .n = 2, .detections = d, .confidence = 0.9f};
    assert_int_equal(round_trip(&output), 10 + 56);
    output = (struct few_output){.kind = FEW_SEQUENCE, .n = 3, .tokens = (int32_t[]){1, -2, 1 << 30}};
    assert_int_equal(round_trip(&output), 10 + 12);
    for (int k = 0; k < FEW_KIND_COUNT; k++) {
        output = (struct few_output){.kind = (enum few_kind)k, .empty = true};
        assert_int_equal(round_trip(&output), 10);
    }
}

static void test_packed_bytes_are_little_endian(void **state)
{
    (void)state;
    const uint8_t expected[] = {FEW_SCALAR, 0, 0, 0, 0x80, 0x3F, 1, 0, 0, 0, 0, 0, 0x20, 0x41};
    struct few_output output = {.kind = FEW_SCALAR, .n = 1, .values = (float[]){10}, .confidence = 1};
    const void *bytes;
    size_t n;
    assert_int_equal(few__output_pack(&output, &arena, &bytes, &n), FEW_OK);
    assert_int_equal(n, sizeof expected);
    assert_memory_equal(bytes, expected, n);
}

static void test_pack_limits(void **state)
{
    (void)state;
    struct few_output output = {.kind = FEW_DETECTIONS, .n = FEW_DETECTIONS_MAX};
    output.detections = few__arena_alloc(&arena, output.n + 1, sizeof *output.detections);
    const void *bytes;
    size_t n;
    assert_int_equal(few__output_pack(&output, &arena, &bytes, &n), FEW_OK);
    uint8_t *copy = few__arena_alloc(&arena, n + 28, 1);
    memcpy(copy, bytes, n);
    copy[6]++; // one more than allowed, with its bytes
    assert_int_equal(few__output_unpack(copy, n + 28, &arena, &output, NULL), FEW_EPARSE);
    output = (struct few_output){.kind = FEW_DETECTIONS, .n = FEW_DETECTIONS_MAX + 1};
    assert_int_equal(few__output_pack(&output, &arena, &bytes, &n), FEW_ELIMIT);
    output = (struct few_output){.kind = FEW_SEQUENCE, .n = FEW_TOKENS_MAX + 1};
    assert_int_equal(few__output_pack(&output, &arena, &bytes, &n), FEW_ELIMIT);
    output = (struct few_output){.kind = FEW_VECTOR, .n = FEW_VALUES_MAX + 1};
    assert_int_equal(few__output_pack(&output, &arena, &bytes, &n), FEW_ELIMIT);
}

/* Random changes to right bytes: refused, or an output that packs to the same bytes again. */
static void test_unpack_survives_any_bytes(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 0);
    float values[40] = {[3] = 1, [17] = 2};
    struct few_detection d[3] = {{.label = 1, .confidence = 0.5f}};
    int32_t tokens[5] = {1, 2, 3};
    const struct few_output seeds[] = {{.kind = FEW_CLASSES, .n = 40, .values = values},
                                       {.kind = FEW_VECTOR, .n = 3, .values = values + 2},
                                       {.kind = FEW_DETECTIONS, .n = 3, .detections = d},
                                       {.kind = FEW_SEQUENCE, .n = 5, .tokens = tokens}};
    size_t accepted = 0;
    for (int round = 0; round < 20000; round++) {
        few__arena_reset(&arena);
        const void *bytes, *again;
        size_t n, n_again;
        struct few_output back;
        assert_int_equal(few__output_pack(&seeds[round % 4], &arena, &bytes, &n), FEW_OK);
        uint8_t *b = few__arena_alloc(&arena, n + 16, 1);
        memcpy(b, bytes, n);
        for (uint64_t i = 0, changes = 1 + few__rng_below(&rng, 4); i < changes; i++)
            b[few__rng_below(&rng, n < 24 ? n : 24)] = (uint8_t)few__rng_next(&rng);
        if (few__rng_below(&rng, 4) == 0) n = few__rng_below(&rng, n + 16);
        uint8_t *exact = few__new(NULL, n, 1); // so that the sanitizer sees a read past the end
        if (n) memcpy(exact, b, n);
        if (few__output_unpack(exact, n, &arena, &back, NULL) == FEW_OK) {
            accepted++;
            assert_int_equal(few__output_pack(&back, &arena, &again, &n_again), FEW_OK);
            assert_int_equal(n_again, n);
            assert_memory_equal(again, exact, n);
        }
        few__free(NULL, exact);
    }
    assert_true(accepted > 100);
}

static enum few_status pack_and_back(const struct few_mem *mem, void *ud)
{
    const struct few_output *output = ud;
    struct few__arena small;
    struct few_output back = {0};
    const void *bytes;
    size_t n;
    few__arena_init(&small, mem, 1 << 24);
    enum few_status status = few__output_pack(output, &small, &bytes, &n);
    if (status == FEW_OK) status = few__output_unpack(bytes, n, &small, &back, NULL);
    if (status == FEW_OK) status = few__output_copy(&back, &small, &back);
    few__arena_finish(&small);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t n = 200000; // each step outgrows the arena
    struct few_output output = {.kind = FEW_VECTOR, .n = n, .values = few__new(NULL, n, sizeof(float))};
    for (size_t i = 0; i < n; i++) output.values[i] = 1;
    t_fail_each_allocation(pack_and_back, &output);
    few__free(NULL, output.values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_valuable_labels),
        cmocka_unit_test(test_valuable_detections),
        cmocka_unit_test(test_valuable_own_label),
        cmocka_unit_test(test_unsure_values),
        cmocka_unit_test(test_unsure_detections),
        cmocka_unit_test(test_unsure_others),
        cmocka_unit_test(test_top),
        cmocka_unit_test(test_pack_round_trips),
        cmocka_unit_test(test_packed_bytes_are_little_endian),
        cmocka_unit_test(test_pack_limits),
        cmocka_unit_test(test_unpack_survives_any_bytes),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
