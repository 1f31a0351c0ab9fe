// SPDX-License-Identifier: Apache-2.0
// Files of rules: what they mean in the numbers of a catalog, every mistake with its place, every limit.
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "model/catalog.h"
#include "model/manifest.h"
#include "model/rules_file.h"
#include "support/support.h"

/* ---- a zoo: two detectors of one space, one model with null labels, one without labels ---- */

static struct few__arena memory;
static struct few_catalog catalog;
static struct few__text told; // "line:column where|expected|found" a line

static void add_model(struct few__catalog_builder *builder, const char *name, const char *task,
                      const struct few__label_list *list)
{
    struct few_error err;
    const struct few_model model = {.name = name,
                                    .task = task,
                                    .kind = list ? FEW_DETECTIONS : FEW_SCALAR,
                                    .threshold = 0.5F,
                                    .priority = 1,
                                    .needs = -1,
                                    .variant_of = -1};
    assert_status(few__catalog_add(builder, &model, list, &err), FEW_OK, &err);
}

static int setup(void **state)
{
    (void)state;
    static const char *const objects[] = {"person", "dog", "cat"}, *const fewer[] = {"dog", "person"},
                             *const places[] = {"kitchen", "street", "nowhere"};
    static const struct few__label_list coco = {.space = "coco", .n = 3, .names = objects},
                                        small = {.space = "coco", .n = 2, .names = fewer},
                                        where = {.space = "places",
                                                 .n = 3,
                                                 .names = places,
                                                 .n_null = 1,
                                                 .null_names = places + 2};
    struct few_error err;
    t_tmpdir();
    few__text_init(&told, NULL, 1 << 20);
    few__arena_init(&memory, NULL, 64 << 20);
    struct few__catalog_builder *builder = few__catalog_begin(&memory, 4);
    add_model(builder, "big", "object detection", &coco);
    add_model(builder, "little", "object detection", &small);
    add_model(builder, "scene", "places", &where);
    add_model(builder, "age", "", NULL);
    assert_status(few__catalog_end(builder, &catalog, &err), FEW_OK, &err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    few__text_finish(&told);
    few__arena_finish(&memory);
    return 0;
}

static int32_t label(const char *space, const char *name)
{
    for (size_t i = 0; i < catalog.n_labels; i++)
        if (strcmp(catalog.labels[i].space, space) == 0 && strcmp(catalog.labels[i].name, name) == 0)
            return (int32_t)i;
    fail_msg("%s, %s: no such label", space, name);
    return -1;
}

static void tell(void *ud, const struct few_problem *p)
{
    (void)ud;
    assert_string_equal(p->file, t_path("rules.yaml"));
    few__text_printf(&told, "%d:%d %s|%s|%s\n", p->line, p->column, p->where, p->expected, p->found);
}

static enum few_status read_rules(const char *text, struct few__rules *rules, struct few_error *err)
{
    few__text_clear(&told);
    few__text_put(&told, "");
    t_write(t_path("rules.yaml"), text, strlen(text));
    return few__rules_read(t_path("rules.yaml"), &catalog, &memory, tell, NULL, rules, err);
}

/* ---- what is right ---- */

static void test_what_they_mean(void **state)
{
    (void)state;
    struct few_error err;
    struct few__rules rules;
    assert_status(
        read_rules("version: 1\nrules:\n"
                   "  - {when: {space: coco, labels: [dog, person]}, models: [scene, big], times: 2}\n"
                   "  - {when: {space: places}, tasks: [object detection], times: .5}\n"
                   "  - when: {model: little}\n    tasks: [object detection]\n    models: [age, big]\n"
                   "    times: 1000\n"
                   "  - {when: {model: age}, models: [big], times: 0.001}\n",
                   &rules, &err),
        FEW_OK, &err);
    assert_string_equal(told.s, "");
    assert_int_equal(rules.n, 4);
    const struct few__rule *r = rules.rules;
    assert_int_equal(r[0].n_labels, 2);
    assert_int_equal(r[0].labels[0], label("coco", "dog"));
    assert_int_equal(r[0].labels[1], label("coco", "person"));
    assert_int_equal(r[0].n_models, 2); // by rising index, whatever the order
    assert_int_equal(r[0].models[0], 0);
    assert_int_equal(r[0].models[1], 2);
    assert_near(r[0].times, 2, 0);
    assert_int_equal(r[1].n_labels, 3);
    assert_int_equal(r[1].n_models, 2);
    assert_int_equal(r[1].models[1], 1);
    assert_near(r[1].times, 0.5, 0);
    assert_int_equal(r[2].n_labels, 2); // its own two of the space's three
    assert_int_equal(r[2].labels[0] + r[2].labels[1], label("coco", "dog") + label("coco", "person"));
    assert_int_equal(r[2].n_models, 3); // big comes by its task and by its name, once
    assert_int_equal(r[2].models[2], 3);
    assert_int_equal(r[3].n_labels, 1);
    assert_int_equal(r[3].labels[0], label("age", "age"));
}

/* ---- what is wrong ---- */

static void expect(const char *text, const char *expected)
{
    struct few_error err;
    struct few__rules rules = {.n = 7};
    assert_status(read_rules(text, &rules, &err), FEW_EPARSE, &err);
    assert_string_equal(told.s, expected);
    assert_int_equal(rules.n, 0);
    assert_non_null(strstr(err.message, t_path("rules.yaml")));
    assert_non_null(strstr(err.message, "in the rules\n"));
}

static void test_form(void **state)
{
    (void)state;
    expect("", "1:1 version|1|nothing\n1:1 rules|a list of 1 to 256 rules|nothing\n");
    expect("- a\n", "1:1 |a map|a list of 1\n");
    expect("version: 2\nrules: {}\n",
           "1:10 version|1|2\n2:8 rules|a list of 1 to 256 rules|a map of 0 keys\n");
    expect("version: 1\nrules: []\n", "2:8 rules|a list of 1 to 256 rules|a list of 0\n");
    expect("version: 1\nrules: [\n", "3:1 |well-formed YAML|flow sequence without a closing bracket\n");
}

static void test_all_mistakes_at_once(void **state)
{
    (void)state;
    expect("version: 1\n"
           "rules:\n"
           "  - {when: {space: cocoo}, models: [bog], times: 0}\n"
           "  - {when: {space: coco, labels: [persn, dog, sofa]}, tasks: [object detektion], times: 1001}\n"
           "  - {when: {space: coco, model: big}, models: [], times: x}\n"
           "  - {when: {labels: [dog]}, times: 2}\n"
           "  - {when: {model: littel}, model: [big], times: 2}\n"
           "  - {when: person, models: [big, ''], times: 2}\n"
           "  - 5\n"
           "  - {models: [big]}\n",
           "3:20 rules[0].when.space|a label space, perhaps \"coco\"|\"cocoo\"\n"
           "3:37 rules[0].models[0]|the name of a model, perhaps \"big\"|\"bog\"\n"
           "3:50 rules[0].times|a number from 0.001 to 1000|0\n"
           "4:35 rules[1].when.labels[0]|a label of it, perhaps \"person\"|\"persn\"\n"
           "4:47 rules[1].when.labels[2]|a label of it|\"sofa\"\n"
           "4:63 rules[1].tasks[0]|the task of a model, perhaps \"object detection\"|\"object detektion\"\n"
           "4:89 rules[1].times|a number from 0.001 to 1000|1001\n"
           "5:33 rules[2].when.model|a space or a model|both\n"
           "5:47 rules[2].models|a list of 1 to 4096 names of models|a list of 0\n"
           "5:58 rules[2].times|a number from 0.001 to 1000|\"x\"\n"
           "6:5 rules[3].models|models or tasks|nothing\n"
           "6:12 rules[3].when.space|a space or a model|nothing\n"
           "7:5 rules[4].models|models or tasks|nothing\n"
           "7:20 rules[4].when.model|the name of a model, perhaps \"little\"|\"littel\"\n"
           "7:29 rules[4].model|a known key, perhaps \"models\"|\"model\"\n"
           "8:12 rules[5].when|a map|\"person\"\n"
           "8:34 rules[5].models[1]|a list of 1 to 4096 names of models|\"\"\n"
           "9:5 rules[6]|a map|5\n"
           "10:5 rules[7].when|a map|nothing\n"
           "10:5 rules[7].times|a number from 0.001 to 1000|nothing\n");
}

static void test_a_label_of_the_model(void **state)
{
    (void)state;
    expect("version: 1\nrules:\n  - {when: {model: little, labels: [cat]}, models: [big], times: 2}\n",
           "3:37 rules[0].when.labels[0]|a label of it|\"cat\"\n");
}

static void test_no_file(void **state)
{
    (void)state;
    struct few_error err;
    struct few__rules rules;
    assert_status(few__rules_read(t_path("none.yaml"), &catalog, &memory, NULL, NULL, &rules, &err),
                  FEW_ENOENT, &err);
    assert_int_equal(rules.n, 0);
}

/* ---- limits ---- */

static void test_limits(void **state)
{
    (void)state;
    struct few_error err;
    struct few__rules rules;
    struct few__text text;
    few__text_init(&text, NULL, 4 << 20);
    for (size_t n = FEW__RULES_MAX; n <= FEW__RULES_MAX + 1; n++) {
        few__text_clear(&text);
        few__text_put(&text, "version: 1\nrules:\n");
        for (size_t i = 0; i < n; i++)
            few__text_put(&text, "- {when: {space: coco}, models: [big], times: 1}\n");
        assert_status(read_rules(text.s, &rules, &err), n > FEW__RULES_MAX ? FEW_EPARSE : FEW_OK, &err);
        assert_int_equal(rules.n, n > FEW__RULES_MAX ? 0 : n);
    }
    assert_string_equal(told.s, "3:1 rules|a list of 1 to 256 rules|a list of 257\n");
    for (size_t n = FEW__RULE_LABELS_MAX; n <= FEW__RULE_LABELS_MAX + 1; n++) {
        few__text_clear(&text);
        few__text_put(&text, "version: 1\nrules: [{when: {space: coco, labels: [");
        for (size_t i = 0; i < n; i++) few__text_put(&text, "dog,");
        few__text_put(&text, "]}, models: [big], times: 1}]\n");
        assert_status(read_rules(text.s, &rules, &err), n > FEW__RULE_LABELS_MAX ? FEW_EPARSE : FEW_OK, &err);
    }
    assert_string_equal(told.s,
                        "2:38 rules[0].when.labels|a list of 1 to 4096 names of labels|a list of 4097\n");
    few__text_clear(&text);
    for (size_t i = 0; i <= FEW__RULES_FILE_MAX; i++) few__text_add(&text, "#", 1);
    assert_status(read_rules(text.s, &rules, &err), FEW_ELIMIT, &err);
    few__text_finish(&text);
}

static enum few_status read_once(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few__arena arena;
    struct few__rules rules;
    few__arena_init(&arena, mem, 64 << 20);
    enum few_status status =
        few__rules_read(t_path("rules.yaml"), &catalog, &arena, NULL, NULL, &rules, NULL);
    few__arena_finish(&arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct few_error err;
    struct few__rules rules;
    assert_status(
        read_rules("version: 1\nrules: [{when: {space: coco}, models: [big], tasks: [places], times: 1}]\n",
                   &rules, &err),
        FEW_OK, &err);
    t_fail_each_allocation(read_once, NULL);
}

/* ---- the photo zoo's ---- */

static void test_photo_zoo(void **state)
{
    (void)state;
    const char *root = t_zoo();
    if (!root) skip();
    char path[4096];
    struct few_zoo *zoo;
    struct few_error err;
    struct few__rules rules;
    struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    snprintf(path, sizeof path, "%s/examples/photo-zoo/zoo.yaml", t_source());
    assert_status(few_zoo_open(path, &opts, &zoo, &err), FEW_OK, &err);
    snprintf(path, sizeof path, "%s/examples/photo-zoo/rules.yaml", t_source());
    assert_status(few__rules_read(path, &zoo->catalog, &memory, NULL, NULL, &rules, &err), FEW_OK, &err);
    assert_int_equal(rules.n, 8);
    assert_int_equal(rules.rules[2].n_models, 5); // ImageNet classifiers
    assert_int_equal(rules.rules[5].n_labels, 17);
    assert_ptr_not_equal(rules.rules[6].labels, rules.rules[7].labels);
    assert_int_equal(rules.rules[6].n_labels, rules.rules[7].n_labels); // through the alias
    few_zoo_close(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_they_mean),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_all_mistakes_at_once),
        cmocka_unit_test(test_a_label_of_the_model),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_photo_zoo),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
