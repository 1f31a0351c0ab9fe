// SPDX-License-Identifier: Apache-2.0
// few_report: what stands on the page, that data cannot become markup, and that the page stands alone.
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/file.h"
#include "eval/trace_made.h"
#include "media/image.h"

static const struct made_model two[] = {{"find<b>", FEW_DETECTIONS, "a", -1}, {"look", FEW_LABELS, "bc", 0}};

// Writes the report of path and returns it; the test frees it.
static char *page_of(const char *path, const struct few_report_opts *opts, enum few_status status,
                     struct few_error *err)
{
    FILE *out = fopen(t_path("page.html"), "wb");
    assert_non_null(out);
    assert_status(few_report(path, opts, out, err), status, err);
    assert_int_equal(fclose(out), 0);
    char *page = NULL;
    size_t n = 0;
    assert_int_equal(few__file_read(t_path("page.html"), 1 << 24, NULL, &page, &n, NULL), FEW_OK);
    return page;
}

static void has(const char *page, const char *words)
{
    if (!strstr(page, words)) print_error("the page lacks '%s'\n", words);
    assert_non_null(strstr(page, words));
}

static void lacks(const char *page, const char *words)
{
    if (strstr(page, words)) print_error("the page has '%s'\n", words);
    assert_null(strstr(page, words));
}

static const struct made_cell whole[] = {{FEW_EXECUTED, 10000, {0.9F}, false},
                                         {FEW_EXECUTED, 30000, {0.7F, 0.2F}, false}};
static const struct made_cell late[] = {{FEW_EXECUTED, 10000, {0.8F}, false}, {FEW_LATE, 5000, {0}, true}};
static const struct made_cell broken[] = {{FEW_FAILED, 10000, {0}, true}, {FEW_SKIPPED, 0, {0}, true}};

static void make_run(const char *path)
{
    struct made_trace trace;
    const struct few_cost expected[] = {{.time_us = 10000}, {.time_us = 30000}};
    made_open(&trace, path, "run", two, 2);
    assert_status(few__store_set_costs(trace.store, expected, NULL), FEW_OK, NULL);
    trace.run_all_us = 40000;
    made_item(&trace, "a.jpg", 0, whole);
    made_item(&trace, "<script>alert(1)</script>&.jpg", 0, late);
    made_item(&trace, "c.jpg", 0, broken);
    made_close(&trace);
}

static void test_run_page(void **state)
{
    (void)state;
    t_tmpdir();
    make_run(t_path("run.db"));
    struct few_error err = {0};
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    has(page, "<!DOCTYPE html>");
    has(page, "<title>run.db - Fewer</title>");
    has(page, "<b>3</b><span>items</span>");
    has(page, "<b>1</b><span>failures</span>");
    // Spent 10 + 30, 10 + 5, 10; running everything would have taken 40 on each of the three, says the file.
    has(page, "45.8&thinsp;%</b><span>of the models' time saved");
    has(page, "<section id=\"saved\"><h2>What was saved</h2>");
    has(page, "not measured");
    has(page, "fewer report run.db --trace trace.db");
    has(page, "</i></span><b>65.0&nbsp;ms</b>");
    has(page, "</i></span><b>120&nbsp;ms</b>");
    has(page, "executed <b>3</b> (50.0&nbsp;%)");
    has(page, "late <b>1</b> (16.7&nbsp;%)");
    has(page, "failed <b>1</b> (16.7&nbsp;%)");
    has(page, "c.jpg</td><td>find&lt;b&gt;</td><td class=\"words\">failed");
    has(page, "<span class=\"chip\" data-label=\"1\">b<b>0.70</b></span>");
    has(page, "data-label=\"0\" style=\"left:10.00%;top:10.00%;width:50.00%;height:50.00%\" "
              "title=\"a\"><b>a</b></i>");
    has(page, "<article class=\"card\" data-labels=\"0 1\">");
    has(page, "\"labels\":[{\"id\":0,\"items\":2,\"name\":\"a\"},{\"id\":1,\"items\":1,\"name\":\"b\"}]");
    has(page, "no picture");
    has(page, "</html>");
    few__free(NULL, page);
}

static void test_reused_rows(void **state)
{
    (void)state;
    static const struct made_cell reused[] = {{FEW_REUSED, 0, {0.9F}, false},
                                              {FEW_REUSED, 0, {0.7F, 0.2F}, false}};
    const struct few_cost expected[] = {{.time_us = 10000}, {.time_us = 30000}};
    struct made_trace trace;
    struct few_error err = {0};
    t_tmpdir();
    made_open(&trace, t_path("run.db"), "run", two, 2);
    assert_status(few__store_set_costs(trace.store, expected, NULL), FEW_OK, NULL);
    trace.run_all_us = 40000;
    made_item(&trace, "a.jpg", 0, whole);
    made_item(&trace, "again.jpg", 0, reused);
    made_close(&trace);
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    has(page, "reused <b>2</b> (50.0&nbsp;%)");
    has(page, "50.0&thinsp;%</b><span>of the models' time saved");
    const char *card = strstr(page, "title=\"again.jpg\"");
    assert_non_null(card);
    has(card, "<span class=\"chip\" data-label=\"1\">b<b>0.70</b></span>"); // its labels,
    has(card, "b 0.70");                                                    // what the model said,
    has(card, "<small>reused</small>");                                     // and why
    few__free(NULL, page);
}

// What a policy expected of a model, and what it had to be worth.
static void test_card_says_why(void **state)
{
    (void)state;
    t_tmpdir();
    static const struct made_model three[] = {
        {"first", FEW_LABELS, "a", -1}, {"second", FEW_LABELS, "b", -1}, {"third", FEW_LABELS, "c", -1}};
    const struct made_cell cells[] = {{FEW_EXECUTED, 10000, {0.9F}, false},
                                      {FEW_EXECUTED, 10000, {0.8F}, false},
                                      {FEW_SKIPPED, 0, {0}, true}};
    const struct made_why whys[] = {{"chosen by value_net: worth 0.031/ms, price 0.004/ms", 20000},
                                    {"chosen by value_net: worth 0.012/ms, price 0.004/ms", 10000},
                                    {"not worth its time, says value_net: 0.001/ms, price 0.004/ms", -1}};
    struct made_trace trace;
    made_open(&trace, t_path("run.db"), "run", three, 3);
    trace.whys = whys;
    made_item(&trace, "a.jpg", 0, cells);
    made_close(&trace);
    struct few_error err = {0};
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    const char *card = strstr(page, "every model, and why");
    assert_non_null(card);
    const char *second = strstr(
                   card, "<td class=\"n\">1</td><td><i class=\"dot executed\" title=\"executed\"></i>second"),
               *first = strstr(
                   card, "<td class=\"n\">2</td><td><i class=\"dot executed\" title=\"executed\"></i>first"),
               *third = strstr(
                   card, "<td class=\"n\"></td><td><i class=\"dot skipped\" title=\"skipped\"></i>third");
    assert_true(second && first && third && second < first && first < third);
    has(second, "<small>chosen by value_net: worth 0.012/ms, price 0.004/ms</small><span class=\"worth\"><i "
                "style=\"width:75%\">");
    has(third,
        "says value_net: 0.001/ms, price 0.004/ms</small><span class=\"worth\"><i style=\"width:20%\">");
    const char *why = strstr(page, "id=\"why\"");
    assert_non_null(why);
    has(why, ">chosen by value_net<");
    has(why, ">not worth its time, says value_net<");
    lacks(why, "0.031");
    few__free(NULL, page);
}

static void test_data_is_no_markup(void **state)
{
    (void)state;
    t_tmpdir();
    make_run(t_path("run.db"));
    struct few_error err = {0};
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    has(page, "&lt;/script&gt;&amp;.jpg");
    lacks(page, "<script>alert");
    lacks(page, "find<b>");
    few__free(NULL, page);
}

static void test_page_stands_alone(void **state)
{
    (void)state;
    t_tmpdir();
    make_run(t_path("run.db"));
    struct few_error err = {0};
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    lacks(page, "http:");
    lacks(page, "https:");
    lacks(page, "url(");
    lacks(page, "@import");
    has(page, "prefers-color-scheme:dark");
    has(page, "name=\"viewport\"");
    few__free(NULL, page);
}

static void test_missing_and_unreadable_pictures(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("text.jpg"), "no picture", 10);
    struct made_trace trace;
    made_open(&trace, t_path("run.db"), "trace", two, 2);
    made_item(&trace, t_path("text.jpg"), 0, whole);
    made_item(&trace, t_path("gone.jpg"), 0, whole);
    made_close(&trace);
    struct few_error err = {0};
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    has(page, "text.jpg");
    has(page, "no picture");
    lacks(page, "time saved"); // a trace ran everything on purpose
    few__free(NULL, page);
}

static void put_thumbnail(const char *path)
{
    static uint8_t thumbnail[64 * 64 * 3];
    for (size_t i = 0; i < sizeof thumbnail; i++) thumbnail[i] = (uint8_t)(i % 3 == 0 ? 200 : 10);
    struct made_trace trace;
    struct few_error err = {0};
    made_open(&trace, path, "trace", two, 2);
    struct few__cell cells[2] = {{.outcome = FEW_SKIPPED, .reason = "no", .start_us = -1},
                                 {.outcome = FEW_SKIPPED, .reason = "no", .start_us = -1}};
    struct few__item_row row = {.path = "gone.jpg",
                                .digest = "",
                                .width = 640,
                                .height = 480,
                                .message = "",
                                .thumbnail = thumbnail,
                                FEW__NO_STREAM};
    assert_status(few__store_put(trace.store, &row, cells, &err), FEW_OK, &err);
    made_close(&trace);
}

// The bytes of the first picture on the page.
static size_t decode_base64(const char *page, unsigned char *bytes, size_t max)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static const char before[] = "src=\"data:image/jpeg;base64,";
    const char *p = strstr(page, before);
    assert_non_null(p);
    unsigned value = 0, n_bits = 0;
    size_t n = 0;
    for (p += strlen(before); *p != '"' && *p != '='; p++) {
        assert_non_null(strchr(digits, *p));
        value = (value << 6 | (unsigned)(strchr(digits, *p) - digits)) & 0xffff;
        n_bits += 6;
        if (n_bits < 8) continue;
        n_bits -= 8;
        assert_true(n < max);
        bytes[n++] = (unsigned char)(value >> n_bits);
    }
    return n;
}

static void test_thumbnail_becomes_a_picture(void **state)
{
    (void)state;
    t_tmpdir();
    put_thumbnail(t_path("trace.db"));
    struct few_error err = {0};
    char *page = page_of(t_path("trace.db"), NULL, FEW_OK, &err);
    has(page, "aspect-ratio:640/480");
    static unsigned char jpeg[1 << 16];
    size_t n = decode_base64(page, jpeg, sizeof jpeg);
    struct few__image_decoder *decoder = NULL;
    struct few__image image;
    assert_status(few__image_decoder_create(NULL, &decoder, &err), FEW_OK, &err);
    assert_status(few__image_decode(decoder, "page", jpeg, n, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, 64);
    assert_int_equal(image.height, 64);
    size_t last = 63 * image.stride + 63;
    for (int c = 0; c < 3; c++) assert_near(image.planes[c][last], c == 0 ? 200 : 10, 4);
    few__image_decoder_destroy(decoder);
    few__free(NULL, page);
}

// Of a recording, the picture at that moment: red, then blue.
static void test_moments_become_pictures(void **state)
{
    (void)state;
    t_tmpdir();
    char command[1024];
    snprintf(
        command, sizeof command,
        "ffmpeg -v error -f lavfi -i color=red:s=320x240:d=1:r=10 -f lavfi -i color=blue:s=320x240:d=1:r=10 "
        "-filter_complex concat -c:v mpeg4 -q:v 2 '%s'",
        t_path("clip.mp4"));
    if (system(command) != 0) skip();
    struct made_trace trace;
    struct few_error err = {0};
    char name[512];
    snprintf(name, sizeof name, "%s#t=1.5", t_path("clip.mp4"));
    made_open(&trace, t_path("run.db"), "run", two, 2);
    made_item(&trace, name, 0, whole);
    made_item(&trace, "rtsp://127.0.0.1:1/x#t=1.5", 0, whole); // is not asked for
    made_close(&trace);
    char *page = page_of(t_path("run.db"), NULL, FEW_OK, &err);
    has(page, ">clip.mp4#t=1.5</h3>");
    has(page, "no picture");
    static unsigned char jpeg[1 << 16];
    size_t n = decode_base64(page, jpeg, sizeof jpeg);
    struct few__image_decoder *decoder = NULL;
    struct few__image image;
    assert_status(few__image_decoder_create(NULL, &decoder, &err), FEW_OK, &err);
    assert_status(few__image_decode(decoder, "page", jpeg, n, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, 240);
    assert_int_equal(image.height, 180);
    assert_true(image.planes[0][0] < 60 && image.planes[2][0] > 190);
    few__image_decoder_destroy(decoder);
    few__free(NULL, page);
}

static void test_many_items_and_failures(void **state)
{
    (void)state;
    t_tmpdir();
    struct made_trace trace;
    made_open(&trace, t_path("many.db"), "run", two, 2);
    for (int i = 0; i < 150; i++) made_item(&trace, "x.jpg", 0, broken);
    made_close(&trace);
    struct few_error err = {0};
    char *page = page_of(t_path("many.db"), NULL, FEW_OK, &err);
    has(page, "48 of 150, spread evenly");
    has(page, "150 in all; the first 50.");
    size_t n = 0;
    for (const char *p = page; (p = strstr(p, "<article")); p++) n++;
    assert_int_equal(n, 48);
    few__free(NULL, page);
}

static void test_eval_page(void **state)
{
    (void)state;
    t_tmpdir();
    make_run(t_path("run.db"));
    struct few_error err = {0};
    static const char json[] =
        "{\"test_items\": 7, \"train_items\": 3, \"models\": 2, \"split\": \"sha1\", \"run_all\": "
        "{\"time_ms\": 40},"
        " \"methods\": {\"<i>\": {\"recall\": {\"0.5\": {\"time_ratio\": 0.25, \"models\": 1.5}},"
        " \"deadline\": {\"60\": {\"recall\": 0.75, \"agreement\": 0.5}}}}}";
    const struct few_report_opts opts = {.size = sizeof opts, .eval_json = json};
    char *page = page_of(NULL, &opts, FEW_OK, &err);
    has(page, "<title>Evaluation - Fewer</title>");
    has(page, "<b>7</b><span>test items</span>");
    has(page, "40.0&nbsp;ms");
    has(page, "<td>0.5</td><td class=\"n\">25%</td>");
    has(page, "<td>0.5</td><td class=\"n\">1.5</td>");
    has(page, "<td>60 ms</td><td class=\"n\">0.75</td>");
    has(page, "<figure class=\"panel plot\" data-plot=\"3\">");
    has(page, "\"series\":[{\"name\":\"\\u003ci>\",\"colour\":\"c0\",\"values\":[25]}]");
    has(page, "&lt;i&gt;");
    lacks(page, "<i></");
    few__free(NULL, page);
    page = page_of(t_path("run.db"), &opts, FEW_OK, &err); // beside a run
    has(page, "Beside the baselines");
    has(page, "Every method replayed on 7 items");
    has(page, "<td>60 ms</td><td class=\"n\">0.75</td>");
    few__free(NULL, page);
    const struct few_report_opts cut = {.size = sizeof cut, .eval_json = "{"},
                                 none = {.size = sizeof none, .eval_json = "{}"};
    few__free(NULL, page_of(NULL, &cut, FEW_EPARSE, &err));
    few__free(NULL, page_of(t_path("run.db"), &none, FEW_EPARSE, &err));
    assert_non_null(strstr(err.message, "expected \"methods\""));
}

static void test_errors(void **state)
{
    (void)state;
    t_tmpdir();
    make_run(t_path("run.db"));
    struct few_error err = {0};
    few__free(NULL, page_of(t_path("none.db"), NULL, FEW_ENOENT, &err));
    t_write(t_path("text.db"), "hello", 5);
    few__free(NULL, page_of(t_path("text.db"), NULL, FEW_ESTORE, &err));
    const struct few_report_opts old = {.size = 3}, nothing = {.size = sizeof nothing};
    few__free(NULL, page_of(t_path("run.db"), &old, FEW_EINVAL, &err));
    few__free(NULL, page_of(NULL, &nothing, FEW_EINVAL, &err));
    assert_non_null(strstr(err.message, "found neither"));
    FILE *full = fopen("/dev/full", "wb");
    if (!full) return;
    assert_status(few_report(t_path("run.db"), NULL, full, &err), FEW_EIO, &err);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_page),
        cmocka_unit_test(test_reused_rows),
        cmocka_unit_test(test_card_says_why),
        cmocka_unit_test(test_data_is_no_markup),
        cmocka_unit_test(test_page_stands_alone),
        cmocka_unit_test(test_missing_and_unreadable_pictures),
        cmocka_unit_test(test_thumbnail_becomes_a_picture),
        cmocka_unit_test(test_moments_become_pictures),
        cmocka_unit_test(test_many_items_and_failures),
        cmocka_unit_test(test_eval_page),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
