// SPDX-License-Identifier: Apache-2.0
// Export: every kind in every form, read back by another library; writing that fails.
#include "store/fixture.h"

#include <stdlib.h>

#include <fewer/trace.h>
#include <jansson.h>

// What an export wrote, NUL behind it; owned.
static char *exported(const char *format, size_t *n)
{
    struct few_error err;
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_status(few_export(t_path("a.db"), format, out, &err), FEW_OK, &err);
    *n = (size_t)ftell(out);
    rewind(out);
    char *text = calloc(1, *n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *n, out), *n);
    fclose(out);
    return text;
}

static char *line_of(char *text, size_t i)
{
    while (i-- > 0) text = strchr(text, '\n') + 1;
    *strchr(text, '\n') = 0;
    return text;
}

static void test_jsonl_lines(void **state)
{
    (void)state;
    // The form of the lines is a promise: byte by byte, item 1 of the fixture.
    static const char *const lines[MODELS] = {
        [SCENE] = "\"model\":\"scene\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.001,"
                  "\"kind\":\"classes\",\"output\":[0.875,0.125,0],\"confidence\":0.875}",
        [TAGS] = "\"model\":\"tags\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.101,"
                 "\"kind\":\"labels\",\"output\":[0.125,0.75],\"confidence\":0.75}",
        [OBJECTS] = "\"model\":\"objects\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.201,"
                    "\"kind\":\"detections\",\"output\":[],\"confidence\":0}",
        [OBJECTS_BIG] =
            "\"model\":\"objects_big\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.301,"
            "\"kind\":\"detections\",\"output\":[{\"label\":\"dog\",\"confidence\":0.75,"
            "\"box\":[0.25,0.5,0.25,0.25]},{\"label\":\"person\",\"confidence\":0.5,"
            "\"box\":[0,0,1,1],\"area\":0.5}],\"confidence\":0.75}",
        [FACE] = "\"model\":\"face\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.401,"
                 "\"kind\":\"detections\",\"output\":[{\"label\":\"face\",\"confidence\":0.875,"
                 "\"box\":[0.125,0.25,0.125,0.5]}],\"confidence\":0.875}",
        [AGE] = "\"model\":\"age\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.501,"
                "\"kind\":\"scalar\",\"output\":[0.875],\"confidence\":1}",
        [POSE] = "\"model\":\"pose\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.601,"
                 "\"kind\":\"vector\",\"output\":[-10.5,0.125,3],\"confidence\":1}",
        [WORDS] = "\"model\":\"words\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.701,"
                  "\"kind\":\"sequence\",\"output\":[3,2,0],\"confidence\":0.625,\"text\":\"\xc3\xa9 a\"}",
        [HAND] = "\"model\":\"hand\",\"status\":\"executed\",\"reason\":\"chosen\",\"time_ms\":0.801,"
                 "\"kind\":\"box\",\"output\":[0.25,0.5,0.125,0.125],\"confidence\":0.5625}",
    };
    t_tmpdir();
    fix_store(t_path("a.db"), 2, false);
    for (size_t m = 0; m < MODELS; m++) {
        size_t n;
        char *text = exported("jsonl", &n), want[512];
        snprintf(want, sizeof want, "{\"item\":\"dir/item_1.jpg\",%s", lines[m]);
        assert_string_equal(line_of(text, MODELS + m), want);
        free(text);
    }
}

static void test_jsonl_of_what_did_not_run(void **state)
{
    (void)state;
    static const struct {
        size_t item, model;
        const char *status, *reason;
        bool has_output;
    } cases[] = {
        {3, TAGS, "late", "not finished by the deadline", false},
        {3, AGE, "skipped", "its need face found nothing", true},
        {3, POSE, "skipped", "no time left", false},
        {4, SCENE, "failed", "the item could not be read", false},
    };
    t_tmpdir();
    fix_store(t_path("a.db"), 5, true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n;
        char *text = exported("jsonl", &n);
        json_t *row = json_loads(line_of(text, cases[i].item * MODELS + cases[i].model), 0, NULL);
        assert_non_null(row);
        assert_string_equal(json_string_value(json_object_get(row, "status")), cases[i].status);
        assert_string_equal(json_string_value(json_object_get(row, "reason")), cases[i].reason);
        const json_t *output = json_object_get(row, "output"),
                     *confidence = json_object_get(row, "confidence");
        if (cases[i].has_output) assert_int_equal(json_array_size(output), 0);
        assert_int_equal(json_is_array(output), cases[i].has_output);
        assert_int_equal(json_is_null(output), !cases[i].has_output);
        assert_int_equal(json_is_null(confidence), !cases[i].has_output);
        json_decref(row);
        free(text);
    }
}

static void test_jsonl_of_reused_rows(void **state)
{
    (void)state;
    size_t n;
    t_tmpdir();
    fix_store(t_path("a.db"), 2, false);
    fix_sql(t_path("a.db"), "INSERT INTO reasons(text) VALUES ('same bytes as dir/item_0.jpg');"
                            "UPDATE results SET outcome = 2, start_us = -1, time_us = 0, reason ="
                            " (SELECT max(id) FROM reasons) WHERE item = 1 AND model < 8");
    char *text = exported("jsonl", &n);
    assert_string_equal(line_of(text, MODELS + SCENE),
                        "{\"item\":\"dir/item_1.jpg\",\"model\":\"scene\",\"status\":\"reused\","
                        "\"reason\":\"same bytes as dir/item_0.jpg\",\"time_ms\":0,\"kind\":\"classes\","
                        "\"output\":[0.875,0.125,0],\"confidence\":0.875}");
    free(text);
    text = exported("coco", &n); // boxes count, whoever found them
    assert_non_null(strstr(text, "\"image_id\":2,\"category_id\""));
    free(text);
}

/* One field of RFC 4180 at *p into out; returns what ended it. */
static char take_field(const char **p, char *out)
{
    const char *s = *p;
    bool quoted = *s == '"';
    if (quoted) s++;
    while (quoted ? !(*s == '"' && s[1] != '"') : *s != ',' && *s != '\r') {
        assert_int_not_equal(*s, 0);
        if (quoted && *s == '"') s++;
        *out++ = *s++;
    }
    *out = 0;
    if (quoted) s++;
    char end = *s++;
    if (end == '\r') assert_int_equal(*s++, '\n');
    *p = s;
    return end;
}

static void test_csv(void **state)
{
    (void)state;
    size_t n, n_json;
    t_tmpdir();
    fix_store(t_path("a.db"), 5, true);
    fix_sql(t_path("a.db"), // a name that needs quotes
            "UPDATE items SET path = 'a, \"b\"' || char(13, 10) || 'c' WHERE id = 1");
    char *csv = exported("csv", &n), *lines = exported("jsonl", &n_json), *line = lines;
    static const char *const names[] = {"item", "model",  "status",     "reason", "time_ms",
                                        "kind", "output", "confidence", "text"};
    const char *p = csv;
    char field[4096];
    for (size_t k = 0; k < 9; k++) {
        assert_int_equal(take_field(&p, field), k == 8 ? '\r' : ',');
        assert_string_equal(field, names[k]);
    }
    for (size_t i = 0; i < 5 * MODELS; i++) {
        char *end = strchr(line, '\n');
        *end = 0;
        json_t *row = json_loads(line, 0, NULL);
        line = end + 1;
        for (size_t k = 0; k < 9; k++) { // the same as the lines of JSON say
            const json_t *value = json_object_get(row, names[k]);
            assert_int_equal(take_field(&p, field), k == 8 ? '\r' : ',');
            if (!value || json_is_null(value)) assert_string_equal(field, "");
            else if (json_is_string(value)) assert_string_equal(field, json_string_value(value));
            else if (json_is_number(value)) assert_near(strtod(field, NULL), json_number_value(value), 0);
            else {
                json_t *output = json_loads(field, 0, NULL);
                assert_true(json_equal(output, value));
                json_decref(output);
            }
        }
        json_decref(row);
    }
    assert_int_equal(*p, 0);
    free(csv);
    free(lines);
}

static const json_t *by_id(const json_t *list, json_int_t id)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_integer_value(json_object_get(json_array_get(list, i), "id")) == id)
            return json_array_get(list, i);
    fail_msg("no id %lld", (long long)id);
    return NULL;
}

static const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void check_annotation(const json_t *root, size_t i, const char *image, const char *space,
                             const char *name, const double box[4], double area, double score)
{
    const json_t *a = json_array_get(json_object_get(root, "annotations"), i);
    const json_t *picture =
        by_id(json_object_get(root, "images"), json_integer_value(json_object_get(a, "image_id")));
    const json_t *category =
        by_id(json_object_get(root, "categories"), json_integer_value(json_object_get(a, "category_id")));
    assert_int_equal(json_integer_value(json_object_get(a, "id")), i + 1);
    assert_string_equal(text_at(picture, "file_name"), image);
    assert_int_equal(json_integer_value(json_object_get(picture, "width")), 200);
    assert_int_equal(json_integer_value(json_object_get(picture, "height")), 100);
    assert_string_equal(text_at(category, "supercategory"), space);
    assert_string_equal(text_at(category, "name"), name);
    for (size_t k = 0; k < 4; k++)
        assert_near(json_number_value(json_array_get(json_object_get(a, "bbox"), k)), box[k], 1e-4);
    assert_near(json_number_value(json_object_get(a, "area")), area, 1e-3);
    assert_near(json_number_value(json_object_get(a, "score")), score, 1e-6);
    assert_int_equal(json_integer_value(json_object_get(a, "iscrowd")), 0);
}

static void test_coco(void **state)
{
    (void)state;
    size_t n;
    json_error_t why;
    t_tmpdir();
    fix_store(t_path("a.db"), 3, true); // two items and one that failed
    char *text = exported("coco", &n);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!root) fail_msg("%d: %s", why.position, why.text);
    assert_int_equal(json_array_size(json_object_get(root, "images")), 2);
    assert_int_equal(json_array_size(json_object_get(root, "categories")),
                     5); // person, dog, void; face; hand
    assert_int_equal(json_array_size(json_object_get(root, "annotations")),
                     7); // hand of item 0 has no height
    check_annotation(root, 0, "dir/item_0.jpg", "coco", "dog", (const double[]){50, 50, 50, 25}, 1250, 0.75);
    check_annotation(root, 1, "dir/item_0.jpg", "coco", "person", (const double[]){0, 0, 200, 100}, 10000,
                     0.5);
    check_annotation(root, 2, "dir/item_0.jpg", "face", "face", (const double[]){0, 25, 25, 50}, 1250, 0.875);
    check_annotation(root, 6, "dir/item_1.jpg", "hand", "hand", (const double[]){50, 50, 25, 12.5}, 312.5,
                     0.5625);
    json_decref(root);
    free(text);
}

static void test_nothing_in_it(void **state)
{
    (void)state;
    size_t n;
    t_tmpdir();
    fix_store(t_path("a.db"), 0, false);
    char *text = exported("jsonl", &n);
    assert_int_equal(n, 0);
    free(text);
    text = exported("csv", &n);
    assert_string_equal(text, "item,model,status,reason,time_ms,kind,output,confidence,text\r\n");
    free(text);
    text = exported("coco", &n);
    json_t *root = json_loads(text, 0, NULL);
    assert_true(json_is_array(json_object_get(root, "annotations")));
    json_decref(root);
    free(text);
}

static void test_many_rows(void **state)
{
    (void)state;
    size_t n, lines = 0;
    t_tmpdir();
    fix_store(t_path("a.db"), 1000, false); // much more than is held back before writing
    char *text = exported("jsonl", &n);
    assert_true(n > 1 << 20);
    for (char *p = text; (p = strchr(p, '\n')); p++) lines++;
    assert_int_equal(lines, 1000 * MODELS);
    free(text);
}

static void test_failures(void **state)
{
    (void)state;
    struct few_error err;
    static const char *const formats[] = {"jsonl", "csv", "coco"};
    t_tmpdir();
    fix_store(t_path("a.db"), 1000, false);
    fix_store(t_path("small.db"), 1, false);
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < 2; k++) { // fails on the way, fails at the end
            FILE *full = fopen("/dev/full", "w");
            assert_non_null(full);
            const char *path = k ? t_path("small.db") : t_path("a.db");
            assert_status(few_export(path, formats[i], full, &err), FEW_EIO, &err);
            assert_non_null(strstr(err.message, "No space left on device"));
            fclose(full);
        }
    }
    assert_status(few_export(t_path("a.db"), "xml", stdout, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected jsonl, csv, coco, "));
    assert_status(few_export(t_path("none.db"), "csv", stdout, &err), FEW_ENOENT, &err);
    t_write(t_path("text"), "text", 4);
    assert_status(few_export(t_path("text"), "csv", stdout, &err), FEW_ESTORE, &err);
}

static void test_damaged_output(void **state)
{
    (void)state;
    struct few_error err;
    t_tmpdir();
    fix_store(t_path("a.db"), 2, false);
    fix_sql(t_path("a.db"), "UPDATE results SET output = x'0203' WHERE item = 1 AND model = 3");
    FILE *out = tmpfile();
    assert_status(few_export(t_path("a.db"), "jsonl", out, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "a.db: damaged: item 1: model objects_big: "));
    fclose(out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonl_lines),
        cmocka_unit_test(test_jsonl_of_what_did_not_run),
        cmocka_unit_test(test_jsonl_of_reused_rows),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_coco),
        cmocka_unit_test(test_nothing_in_it),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_damaged_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
