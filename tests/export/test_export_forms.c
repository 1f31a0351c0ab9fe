// SPDX-License-Identifier: Apache-2.0
// Export for Label Studio and FiftyOne, of moments and of names that nobody would choose: rules of these programs hold.
#include "export/export_made.h"

#include <math.h>
#include <unistd.h>

static const json_t *at(const json_t *root, const char *key)
{
    const json_t *value = json_object_get(root, key);
    if (!value) fail_msg("%s is missing", key);
    return value;
}

static const char *text_at(const json_t *root, const char *key)
{
    return json_string_value(at(root, key));
}

static double number_at(const json_t *root, const char *key)
{
    return json_number_value(at(root, key));
}

/* ---- Label Studio ---- */

// The prediction of a model on a task; NULL = none.
static const json_t *prediction_of(const json_t *tasks, size_t task, const char *model)
{
    const json_t *predictions = at(json_array_get(tasks, task), "predictions");
    for (size_t i = 0; i < json_array_size(predictions); i++)
        if (strcmp(text_at(json_array_get(predictions, i), "model_version"), model) == 0)
            return json_array_get(predictions, i);
    return NULL;
}

static const json_t *result_of(const json_t *tasks, size_t task, const char *model, size_t i)
{
    const json_t *prediction = prediction_of(tasks, task, model);
    if (!prediction) fail_msg("no prediction of %s", model);
    return json_array_get(at(prediction, "result"), i);
}

static void test_label_studio_results(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 5, true); // item 4 failed
    json_t *tasks = made_json("label-studio");
    assert_int_equal(json_array_size(tasks), 4);
    assert_string_equal(text_at(at(json_array_get(tasks, 1), "data"), "image"), "dir/item_1.jpg");
    const json_t *box = result_of(tasks, 1, "objects_big", 0), *value = at(box, "value");
    assert_string_equal(text_at(box, "type"), "rectanglelabels");
    assert_string_equal(text_at(box, "from_name"), "objects_big");
    assert_string_equal(text_at(box, "to_name"), "image");
    assert_int_equal(number_at(box, "original_width"), 200);
    assert_int_equal(number_at(box, "original_height"), 100);
    assert_near(number_at(box, "score"), 0.75, 0);
    assert_near(number_at(value, "x"), 25, 1e-6); // percent
    assert_near(number_at(value, "y"), 50, 1e-6);
    assert_near(number_at(value, "width"), 25, 1e-6);
    assert_near(number_at(value, "height"), 25, 1e-6);
    assert_string_equal(json_string_value(json_array_get(at(value, "rectanglelabels"), 0)), "dog");
    assert_null(result_of(tasks, 1, "objects_big", 1)); // the person is not above the threshold
    assert_string_equal(json_string_value(json_array_get(
                            at(at(result_of(tasks, 1, "face", 0), "value"), "rectanglelabels"), 0)),
                        "face");
    // Classes: the best; labels: all that count; the words; the number; nothing for a vector.
    assert_string_equal(
        json_string_value(json_array_get(at(at(result_of(tasks, 1, "scene", 0), "value"), "choices"), 0)),
        "beach");
    assert_string_equal(
        json_string_value(json_array_get(at(at(result_of(tasks, 1, "tags", 0), "value"), "choices"), 0)),
        "b, \"c\"");
    assert_string_equal(
        json_string_value(json_array_get(at(at(result_of(tasks, 1, "words", 0), "value"), "text"), 0)),
        "\xc3\xa9 a");
    assert_near(number_at(at(result_of(tasks, 1, "age", 0), "value"), "number"), 0.875, 0);
    assert_null(prediction_of(tasks, 1, "pose"));
    // Nothing found is said; that nobody looked is not.
    assert_int_equal(json_array_size(at(prediction_of(tasks, 1, "objects"), "result")), 0);
    assert_null(prediction_of(tasks, 3, "tags"));
    json_decref(tasks);
}

static void test_label_studio_ids_are_unique(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 40, false);
    json_t *tasks = made_json("label-studio"), *ids = json_object();
    size_t n = 0;
    for (size_t t = 0; t < json_array_size(tasks); t++) {
        const json_t *predictions = at(json_array_get(tasks, t), "predictions");
        for (size_t p = 0; p < json_array_size(predictions); p++) {
            const json_t *results = at(json_array_get(predictions, p), "result");
            for (size_t r = 0; r < json_array_size(results); r++, n++)
                json_object_set_new(ids, text_at(json_array_get(results, r), "id"), json_true());
        }
    }
    assert_true(n > 200);
    assert_int_equal(json_object_size(ids), n);
    json_decref(ids);
    json_decref(tasks);
}

static void test_label_studio_config(void **state)
{
    (void)state;
    // Null labels are nothing to choose; vectors have no control.
    static const char want[] = "<View>\n"
                               "  <Image name=\"image\" value=\"$image\"/>\n"
                               "  <Header value=\"where\"/>\n"
                               "  <Choices name=\"scene\" toName=\"image\" choice=\"single\">\n"
                               "    <Choice value=\"beach\"/>\n"
                               "    <Choice value=\"beach (2)\"/>\n"
                               "  </Choices>\n"
                               "  <Header value=\"tags\"/>\n"
                               "  <Choices name=\"tags\" toName=\"image\" choice=\"multiple\">\n"
                               "    <Choice value=\"day\"/>\n"
                               "    <Choice value=\"b, &quot;c&quot;\"/>\n"
                               "  </Choices>\n"
                               "  <Header value=\"objects\"/>\n"
                               "  <RectangleLabels name=\"objects\" toName=\"image\">\n"
                               "    <Label value=\"person\"/>\n"
                               "    <Label value=\"dog\"/>\n"
                               "  </RectangleLabels>\n"
                               "  <Header value=\"objects_big\"/>\n"
                               "  <RectangleLabels name=\"objects_big\" toName=\"image\">\n"
                               "    <Label value=\"person\"/>\n"
                               "    <Label value=\"dog\"/>\n"
                               "  </RectangleLabels>\n"
                               "  <Header value=\"face\"/>\n"
                               "  <RectangleLabels name=\"face\" toName=\"image\">\n"
                               "    <Label value=\"face\"/>\n"
                               "  </RectangleLabels>\n"
                               "  <Header value=\"age\"/>\n"
                               "  <Number name=\"age\" toName=\"image\"/>\n"
                               "  <Header value=\"words\"/>\n"
                               "  <TextArea name=\"words\" toName=\"image\" editable=\"true\"/>\n"
                               "  <Header value=\"hand\"/>\n"
                               "  <RectangleLabels name=\"hand\" toName=\"image\">\n"
                               "    <Label value=\"hand\"/>\n"
                               "  </RectangleLabels>\n"
                               "</View>\n";
    size_t n;
    t_tmpdir();
    fix_store(t_path("a.db"), 1, false);
    char *text = made_export("label-studio-config", &n);
    assert_string_equal(text, want);
    free(text);
}

static void test_label_studio_names(void **state)
{
    (void)state;
    size_t n;
    t_tmpdir();
    fix_store(t_path("a.db"), 1, false);
    fix_sql(t_path("a.db"),
            "UPDATE models SET name = 'image', task = 'a < b & \"c\"' || char(10, 7) || x'ff' WHERE id = 0;"
            "UPDATE models SET name = 'a b' WHERE id = 1; UPDATE models SET name = 'a.b' WHERE id = 2");
    char *text = made_export("label-studio-config", &n);
    assert_non_null(strstr(text, "<Choices name=\"image_\" toName=\"image\""));
    assert_non_null(strstr(text, "<Choices name=\"a_b\" toName"));
    assert_non_null(strstr(text, "<RectangleLabels name=\"a_b_\" toName"));
    assert_non_null(
        strstr(text, "<Header value=\"a &lt; b &amp; &quot;c&quot;&#10;\xef\xbf\xbd\xef\xbf\xbd\"/>"));
    free(text);
    json_t *tasks = made_json("label-studio");
    assert_string_equal(text_at(result_of(tasks, 0, "image", 0), "from_name"), "image_");
    assert_string_equal(text_at(result_of(tasks, 0, "a b", 0), "from_name"), "a_b");
    json_decref(tasks);
}

// Without a model of pictures an item is a sound, or a text; boxes have no place there.
static void test_label_studio_of_sound(void **state)
{
    (void)state;
    size_t n;
    t_tmpdir();
    fix_store(t_path("a.db"), 1, false);
    fix_sql(t_path("a.db"),
            "UPDATE models SET modality = 'text'; UPDATE models SET modality = 'sound' WHERE id = 0");
    char *text = made_export("label-studio-config", &n);
    assert_non_null(strstr(text, "<Audio name=\"audio\" value=\"$audio\"/>"));
    assert_null(strstr(text, "RectangleLabels"));
    free(text);
    json_t *tasks = made_json("label-studio");
    assert_string_equal(text_at(at(json_array_get(tasks, 0), "data"), "audio"), "dir/item_0.jpg");
    assert_string_equal(text_at(result_of(tasks, 0, "scene", 0), "to_name"), "audio");
    assert_null(prediction_of(tasks, 0, "objects_big"));
    json_decref(tasks);
    fix_sql(t_path("a.db"), "UPDATE models SET modality = 'text'");
    text = made_export("label-studio-config", &n);
    assert_non_null(strstr(text, "<Text name=\"text\" value=\"$text\"/>"));
    free(text);
}

// A box that reaches out of the picture is cut at its edge.
static void test_label_studio_clips(void **state)
{
    (void)state;
    static const struct made_moment moments[] = {{-1, "x.jpg", 0, 0, false, false, 2}};
    t_tmpdir();
    made_run(moments, 1);
    json_t *tasks = made_json("label-studio");
    const json_t *value = at(result_of(tasks, 0, "objects_big", 1), "value");
    assert_near(number_at(value, "x"), 50, 1e-6);
    assert_near(number_at(value, "width"), 50, 1e-6);
    json_decref(tasks);
}

/* ---- FiftyOne ---- */

static const char *class_of(const json_t *root, const json_t *label)
{
    return json_string_value(
        json_array_get(at(root, "classes"), (size_t)json_integer_value(at(label, "label"))));
}

static void test_fiftyone_detections(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 5, true);
    fix_sql(t_path("a.db"), "UPDATE items SET path = './dir/b.c.jpeg' WHERE id = 1; UPDATE items SET path = "
                            "'/abs/d.jpg' WHERE id = 2;"
                            "UPDATE results SET output = NULL, outcome = 3 WHERE item = 3");
    json_t *root = made_json("fiftyone");
    const json_t *labels = at(root, "labels");
    assert_int_equal(json_object_size(labels), 4);
    assert_true(json_is_null(at(labels, "dir/item_3"))); // nobody looked
    assert_non_null(at(labels, "/abs/d.jpg"));
    const json_t *found = at(labels, "dir/b.c");
    assert_int_equal(json_array_size(found), 4);
    static const struct {
        const char *name, *model;
        double confidence, box[4];
    } want[] = {{"dog", "objects_big", 0.75, {0.25, 0.5, 0.25, 0.25}},
                {"person", "objects_big", 0.5, {0, 0, 1, 1}}, // every confidence: it can be chosen there
                {"face", "face", 0.875, {0.125, 0.25, 0.125, 0.5}},
                {"hand", "hand", 0.5625, {0.25, 0.5, 0.125, 0.125}}};
    for (size_t i = 0; i < 4; i++) {
        const json_t *label = json_array_get(found, i);
        assert_string_equal(class_of(root, label), want[i].name);
        assert_string_equal(text_at(at(label, "attributes"), "model"), want[i].model);
        assert_near(number_at(label, "confidence"), want[i].confidence, 0);
        for (size_t k = 0; k < 4; k++)
            assert_near(json_number_value(json_array_get(at(label, "bounding_box"), k)), want[i].box[k],
                        1e-6);
    }
    assert_int_equal(json_array_size(at(root, "classes")), 4); // person, dog, face, hand; void says nothing
    json_decref(root);
}

static void test_fiftyone_classes(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 4, false);
    fix_sql(t_path("a.db"), "UPDATE label_names SET name = 'beach' WHERE name = 'day'"); // in two spaces now
    json_t *root = made_json("fiftyone-classes");
    const json_t *found = at(at(root, "labels"), "item_1");
    assert_int_equal(json_array_size(found), 2);
    assert_string_equal(class_of(root, json_array_get(found, 0)), "scene/beach");
    assert_near(number_at(json_array_get(found, 0), "confidence"), 0.875, 0);
    assert_string_equal(class_of(root, json_array_get(found, 1)), "b, \"c\"");
    assert_string_equal(text_at(at(json_array_get(found, 1), "attributes"), "model"), "tags");
    assert_int_equal(json_array_size(at(root, "classes")), 4); // background says nothing
    json_decref(root);
}

// Keys start from the folder that all files are in, which data_path names.
static void test_fiftyone_folder(void **state)
{
    (void)state;
    static const struct {
        const char *paths[3], *folder, *keys[3];
    } cases[] = {
        {{"../photos/a.jpg", "../photos/sub/b.c.png", "../photos/sub/c"},
         "../photos",
         {"a", "sub/b.c", "sub/c"}},
        {{"/data/x/1.jpg", "/data/x/2.jpg", "/data/xy/3.jpg"}, "/data", {"x/1", "x/2", "xy/3"}},
        {{"/a/1.jpg", "/b/2.jpg", "/c/3.jpg"}, ".", {"/a/1.jpg", "/b/2.jpg", "/c/3.jpg"}},
        {{"./1.jpg", "in/2.jpg", "/c/3.jpg"}, ".", {"1", "in/2", "/c/3.jpg"}},
        {{"in/.hidden", "./in/2.jpg", "rtsp://camera/1.5"}, "in", {".hidden", "2", "rtsp://camera/1.5"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct made_moment moments[3];
        for (size_t k = 0; k < 3; k++)
            moments[k] = (struct made_moment){.stream = -1, .path = cases[i].paths[k], .dogs = 1};
        t_tmpdir();
        made_run(moments, 3);
        json_t *root = made_json("fiftyone");
        assert_string_equal(text_at(root, "data_path"), cases[i].folder);
        for (size_t k = 0; k < 3; k++) (void)at(at(root, "labels"), cases[i].keys[k]);
        json_decref(root);
    }
}

/* ---- moments ---- */

static const struct made_moment turns[] = {
    {0, "clips/a.mp4#t=0", 0, 0.5, false, false, 1},
    {1, "/abs/b.mp4#t=0", 0, 1, false, false, 0},
    {0, "clips/a.mp4#t=0.5", 0.5, 1, false, false, 2},
    {2, "rtsp://camera/1#t=clock:2026-11-21T06:33:00.123Z", 5, 6, false, false, 1},
    {-1, "photo.jpg", 0, 0, false, false, 1},
    {0, "clips/a.mp4#t=1", 1, 1.5, false, false, 0}, // gone
    {0, "clips/a.mp4#t=1.5", 1.5, 2, false, false, 1},
    {0, "clips/a.mp4#t=2", 2, 2.5, true, false, 0}, // cannot be told
    {0, "clips/a.mp4#t=2.5", 2.5, 3, false, false, 1},
    {1, "/abs/b.mp4#t=1", 1, 2, false, false, 1},
    {0, "clips/a.mp4#t=3", 3, 3.5, false, true, 0}, // nobody looked
    {0, "clips/a.mp4#t=3.5", 3.5, 4, false, false, 1},
    {0, "clips/a.mp4#t=4.4", 4.4, 4.9, false, false, 1}, // one of the stream's moments is missing between
    {0, "clips/a.mp4#t=9", 9, 9.5, false, false, 1},     // many are
};
enum { TURNS = sizeof turns / sizeof *turns };

static void test_fiftyone_temporal(void **state)
{
    (void)state;
    static const double segments[][2] = {{0, 1}, {1.5, 2}, {2.5, 3}, {3.5, 4.9}, {9, 9.5}};
    t_tmpdir();
    made_run(turns, TURNS);
    json_t *root = made_json("fiftyone-temporal");
    const json_t *labels = at(root, "labels"), *a = at(labels, "clips/a"), *b = at(labels, "/abs/b.mp4");
    assert_int_equal(json_object_size(labels), 2); // not the camera: it is no file
    assert_int_equal(json_array_size(a), 5);
    for (size_t i = 0; i < 5; i++) {
        const json_t *segment = json_array_get(a, i), *times = at(segment, "timestamps");
        assert_string_equal(class_of(root, segment), "dog");
        for (size_t k = 0; k < 2; k++)
            assert_near(json_number_value(json_array_get(times, k)), segments[i][k], 1e-9);
        assert_near(number_at(segment, "confidence"), 0.75, 0);
    }
    assert_int_equal(json_array_size(b), 1);
    assert_near(json_number_value(json_array_get(at(json_array_get(b, 0), "timestamps"), 0)), 1, 0);
    json_decref(root);
}

// Several labels at once, each with its own segments, whichever model says them; the highest confidence is told.
static void test_fiftyone_temporal_labels(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few__cell cells[MODELS];
    struct few_error err;
    struct few__store *store;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 24);
    struct few_catalog catalog = fix_catalog(&arena);
    struct few__store_new what = {.purpose = "run", .catalog = &catalog, .overwrite = true};
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    fix_stream(store, "a.mp4");
    for (int i = 0; i < 16;
         i++) { // beach where 1 - i % 8 / 8 is above a half, "b" always but where tags were late
        const struct few__item_row row = {
            .path = "a.mp4#t=", .at_us = 1000000 * i, .until_us = 1000000 * (i + 1), .age_us = -1};
        fix_cells(&arena, i, cells);
        assert_status(few__store_put(store, &row, cells, &err), FEW_OK, &err);
    }
    few__store_close(store, NULL);
    json_t *root = made_json("fiftyone-temporal");
    const json_t *found = at(at(root, "labels"), "a");
    size_t beaches = 0, bs = 0;
    for (size_t i = 0; i < json_array_size(found); i++) {
        const json_t *segment = json_array_get(found, i), *times = at(segment, "timestamps");
        double from = json_number_value(json_array_get(times, 0)),
               until = json_number_value(json_array_get(times, 1));
        if (strcmp(class_of(root, segment), "beach") == 0) {
            assert_near(from, 8 * (double)beaches++, 0);
            assert_near(until, from + 4, 0);
            assert_near(number_at(segment, "confidence"), 1, 0);
        } else if (strcmp(class_of(root, segment), "b, \"c\"") == 0) {
            assert_near(from, 4 * (double)bs++, 0);
            assert_near(until, from + 3, 0);
        }
    }
    assert_int_equal(beaches, 2);
    assert_int_equal(bs, 4);
    json_decref(root);
    few__arena_finish(&arena);
}

static void test_rows_say_when(void **state)
{
    (void)state;
    size_t n;
    t_tmpdir();
    made_run(turns, TURNS);
    char *text = made_export("jsonl", &n);
    assert_non_null(strstr(
        text, "{\"item\":\"clips/a.mp4#t=0.5\",\"stream\":\"clips/a.mp4\",\"at\":0.5,\"model\":\"scene\""));
    assert_non_null(strstr(text, "{\"item\":\"photo.jpg\",\"model\":\"scene\""));
    free(text);
    text = made_export("csv", &n);
    static const char head[] = "item,model,status,reason,time_ms,kind,output,confidence,text,stream,at\r\n"
                               "clips/a.mp4#t=0,scene,skipped,no time left,0,classes,,,,clips/a.mp4,0\r\n";
    assert_memory_equal(text, head, sizeof head - 1);
    assert_non_null(strstr(text, "photo.jpg,scene,skipped,no time left,0,classes,,,,,\r\n"));
    free(text);
}

static void test_moments_are_pictures(void **state)
{
    (void)state;
    t_tmpdir();
    made_run(turns, TURNS);
    json_t *root = made_json("coco");
    assert_int_equal(json_array_size(at(root, "images")), TURNS - 1); // one failed
    assert_string_equal(text_at(json_array_get(at(root, "images"), 1), "file_name"), "/abs/b.mp4#t=0");
    json_decref(root);
    root = made_json("fiftyone"); // what looks like an ending belongs to the moment
    assert_int_equal(json_array_size(at(at(root, "labels"), "clips/a.mp4#t=0.5")), 2);
    assert_int_equal(json_array_size(at(at(root, "labels"), "photo")), 1);
    json_decref(root);
    root = made_json("label-studio");
    assert_int_equal(json_array_size(root), TURNS - 1);
    json_decref(root);
}

static void test_coco_results(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 3, true);
    json_t *results = made_json("coco-results"), *root = made_json("coco");
    const json_t *annotations = at(root, "annotations");
    assert_int_equal(json_array_size(results), json_array_size(annotations));
    for (size_t i = 0; i < json_array_size(results); i++) {
        static const char *const keys[] = {"image_id", "category_id", "bbox", "score"};
        const json_t *result = json_array_get(results, i);
        assert_int_equal(json_object_size(result), 4);
        for (size_t k = 0; k < 4; k++)
            assert_true(json_equal(at(result, keys[k]), at(json_array_get(annotations, i), keys[k])));
    }
    json_decref(root);
    json_decref(results);
}

// A record without a picture has empty outputs of the models of pictures, and of those that need them: they say nothing.
static void test_no_part(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 4, false);
    fix_sql(
        t_path("a.db"),
        "UPDATE results SET outcome = 3, start_us = -1, output ="
        " (SELECT output FROM results WHERE item = 0 AND model = 2) WHERE item = 1 AND model IN (2, 3, 4);"
        "UPDATE results SET outcome = 3, output = (SELECT output FROM results WHERE item = 3 AND model = 5)"
        " WHERE item = 1 AND model = 5; UPDATE results SET outcome = 3, output = NULL WHERE item = 1 AND "
        "model = 8");
    json_t *root = made_json("fiftyone");
    assert_true(json_is_null(at(at(root, "labels"), "item_1")));
    assert_true(json_is_array(at(at(root, "labels"), "item_0")));
    json_decref(root);
    root = made_json("label-studio");
    assert_null(prediction_of(root, 1, "objects"));
    assert_null(prediction_of(root, 1, "age"));
    assert_non_null(prediction_of(root, 1, "scene"));
    assert_non_null(prediction_of(root, 3, "age")); // its need looked and found nothing
    json_decref(root);
    struct few_error err;
    assert_status(few_export_folder(t_path("a.db"), "yolo", t_path("out"), &err), FEW_OK, &err);
    assert_int_not_equal(access(t_path("out/labels/item_1.txt"), F_OK), 0);
    assert_int_equal(access(t_path("out/labels/item_0.txt"), F_OK), 0);
}

/* ---- the rest ---- */

static const char *const forms[] = {"coco-results",
                                    "label-studio",
                                    "label-studio-config",
                                    "fiftyone",
                                    "fiftyone-classes",
                                    "fiftyone-temporal",
                                    "jsonl",
                                    "csv"};

static void test_nothing_in_it(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 0, false);
    json_t *root = made_json("label-studio");
    assert_int_equal(json_array_size(root), 0);
    json_decref(root);
    root = made_json("coco-results");
    assert_int_equal(json_array_size(root), 0);
    json_decref(root);
    for (size_t i = 3; i < 6; i++) {
        root = made_json(forms[i]);
        assert_int_equal(json_object_size(at(root, "labels")), 0);
        json_decref(root);
    }
}

static void test_failures(void **state)
{
    (void)state;
    struct few_error err;
    t_tmpdir();
    made_run(turns, TURNS);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        FILE *full = fopen("/dev/full", "w"), *out = tmpfile();
        assert_status(few_export(t_path("a.db"), forms[i], full, &err), FEW_EIO, &err);
        fclose(full);
        assert_status(few_export(t_path("none.db"), forms[i], out, &err), FEW_ENOENT, &err);
        fclose(out);
    }
    fix_sql(t_path("a.db"), "DELETE FROM streams WHERE id = 1");
    assert_status(few_export(t_path("a.db"), "jsonl", stderr, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "a.db: damaged: stream 1 is missing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_label_studio_results),
        cmocka_unit_test(test_label_studio_ids_are_unique),
        cmocka_unit_test(test_label_studio_config),
        cmocka_unit_test(test_label_studio_names),
        cmocka_unit_test(test_label_studio_of_sound),
        cmocka_unit_test(test_label_studio_clips),
        cmocka_unit_test(test_fiftyone_detections),
        cmocka_unit_test(test_fiftyone_classes),
        cmocka_unit_test(test_fiftyone_temporal),
        cmocka_unit_test(test_fiftyone_temporal_labels),
        cmocka_unit_test(test_rows_say_when),
        cmocka_unit_test(test_moments_are_pictures),
        cmocka_unit_test(test_coco_results),
        cmocka_unit_test(test_no_part),
        cmocka_unit_test(test_fiftyone_folder),
        cmocka_unit_test(test_nothing_in_it),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
