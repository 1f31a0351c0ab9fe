// SPDX-License-Identifier: Apache-2.0
// Labels of a catalog: shared spaces, names that come again, null labels, limits.
#include "model/catalog.h"

#include <stdio.h>
#include <string.h>

#include "support/support.h"

#define LIST(space_, ...)                                                \
    {                                                                    \
        .space = (space_), .names = (const char *const[]){__VA_ARGS__},  \
        .n = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) \
    }

static struct few_model named(const char *name, enum few_kind kind)
{
    return (struct few_model){.name = name, .kind = kind, .threshold = 0.5f, .needs = -1, .variant_of = -1};
}

static void add(struct few__catalog_builder *b, const char *name, enum few_kind kind,
                const struct few__label_list *list)
{
    struct few_model m = named(name, kind);
    struct few_error err;
    assert_status(few__catalog_add(b, &m, list, &err), FEW_OK, &err);
}

static void test_models_share_labels_of_a_space(void **state)
{
    (void)state;
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 24);
    struct few__catalog_builder *b = few__catalog_begin(&arena, 8);
    struct few__label_list more = LIST("net", "background", "crane", "dog", "crane");
    const char *null = "background";
    more.null_names = &null;
    more.n_null = 1;
    struct few__label_list fewer = LIST("net", "dog", "crane", "crane");
    struct few__label_list other = LIST("coco", "dog");
    struct few__label_list alphabet = LIST("letters", "a", "a");
    add(b, "a", FEW_CLASSES, &more);
    add(b, "b", FEW_CLASSES, &fewer);
    add(b, "c", FEW_DETECTIONS, &other);
    add(b, "text", FEW_SEQUENCE, &alphabet);
    add(b, "age", FEW_SCALAR, NULL);
    add(b, "d", FEW_LABELS, &more);
    struct few_catalog catalog;
    struct few_error err;
    assert_status(few__catalog_end(b, &catalog, &err), FEW_OK, &err);
    const struct few_model *m = catalog.models;
    assert_int_equal(catalog.n_models, 6);
    assert_int_equal(catalog.n_labels, 4 + 1 + 2);
    assert_string_equal(m[0].labels[3], "crane (2)");
    assert_int_equal(m[1].label_ids[0], m[0].label_ids[2]);
    assert_int_equal(m[1].label_ids[1], m[0].label_ids[1]);
    assert_int_equal(m[1].label_ids[2], m[0].label_ids[3]);
    assert_int_not_equal(m[2].label_ids[0], m[0].label_ids[2]); // another space
    assert_true(m[0].is_null[0] && !m[0].is_null[1] && !m[1].is_null[0]);
    assert_int_equal(m[0].own_label, -1);
    assert_ptr_equal(m[5].label_ids, m[0].label_ids); // equal lists are kept once
    assert_null(m[3].label_ids);
    assert_string_equal(m[3].labels[1], "a"); // an alphabet keeps its names
    assert_string_equal(catalog.labels[m[3].own_label].name, "text");
    assert_string_equal(catalog.labels[m[4].own_label].space, "age");
    assert_string_equal(m[4].space, "age");
    for (size_t i = 0; i < m[0].n_labels; i++)
        assert_string_equal(m[0].labels[i], catalog.labels[m[0].label_ids[i]].name);
    assert_int_equal(few__catalog_find(&catalog, "c"), 2);
    assert_int_equal(few__catalog_find(&catalog, "x"), -1);
    few__arena_finish(&arena);
}

static void test_mistakes_and_limits(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    struct few_catalog catalog;
    few__arena_init(&arena, NULL, 1 << 26);
    assert_null(few__catalog_begin(&arena, FEW_MODELS_MAX + 1));
    struct few__catalog_builder *b = few__catalog_begin(&arena, 1);
    struct few__label_list list = LIST("s", "a");
    const char *null = "b";
    list.null_names = &null;
    list.n_null = 1;
    struct few_model m = named("m", FEW_LABELS);
    assert_status(few__catalog_add(b, &m, &list, &err), FEW_EINVAL, &err);
    m.needs = 1;
    assert_status(few__catalog_add(b, &m, NULL, &err), FEW_OK, &err);
    assert_status(few__catalog_add(b, &m, NULL, &err), FEW_ELIMIT, &err);
    assert_status(few__catalog_end(b, &catalog, &err), FEW_EINVAL, &err);
    few__arena_finish(&arena);
}

static void test_label_limit(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    few__arena_init(&arena, NULL, (size_t)1 << 30);
    struct few__catalog_builder *b = few__catalog_begin(&arena, 2);
    const char **names = few__arena_alloc(&arena, FEW_LABELS_MAX, sizeof *names);
    for (size_t i = 0; i < FEW_LABELS_MAX; i++) names[i] = few__arena_printf(&arena, "%zu", i);
    struct few__label_list list = {.space = "s", .n = FEW_LABELS_MAX, .names = names};
    add(b, "all", FEW_LABELS, &list);
    struct few_model m = named("one more", FEW_SCALAR);
    assert_status(few__catalog_add(b, &m, NULL, &err), FEW_ELIMIT, &err);
    few__arena_finish(&arena);
}

static enum few_status build(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few__arena arena;
    struct few_catalog catalog;
    few__arena_init(&arena, mem, 1 << 26);
    struct few__catalog_builder *b = few__catalog_begin(&arena, 40);
    enum few_status status = b ? FEW_OK : FEW_ENOMEM;
    for (int i = 0; status == FEW_OK && i < 40; i++) {
        char space[16];
        const char *names[200];
        for (int k = 0; k < 200; k++) names[k] = k % 2 ? "odd" : "even";
        snprintf(space, sizeof space, "s%d", i);
        struct few__label_list list = {.space = space, .n = 200, .names = names};
        struct few_model m = named(space, FEW_LABELS);
        status = few__catalog_add(b, &m, &list, NULL);
    }
    if (status == FEW_OK) status = few__catalog_end(b, &catalog, NULL);
    if (status == FEW_OK) assert_int_equal(catalog.n_labels, 40 * 200);
    few__arena_finish(&arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    t_fail_each_allocation(build, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_share_labels_of_a_space),
        cmocka_unit_test(test_mistakes_and_limits),
        cmocka_unit_test(test_label_limit),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
