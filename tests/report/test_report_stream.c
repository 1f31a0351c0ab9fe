// SPDX-License-Identifier: Apache-2.0
// The page of a run with streams and lanes: timelines, counts, messages; and that a large run stays small and quick.
#include "support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/file.h"
#include "core/mem.h"
#include "report/report.h"
#include "report/street.h"

static char *page_of(const struct street *street)
{
    struct few_error err = {0};
    street_write(t_path("street.db"), street);
    FILE *out = fopen(t_path("page.html"), "wb");
    assert_non_null(out);
    assert_status(few_report(t_path("street.db"), NULL, out, &err), FEW_OK, &err);
    fclose(out);
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

static size_t count(const char *page, const char *words)
{
    size_t n = 0;
    for (const char *p = page; (p = strstr(p, words)); p++) n++;
    return n;
}

// The sum of the numbers of the first "values" behind `words`.
static double sum_behind(const char *page, const char *words, size_t *n)
{
    const char *p = strstr(page, words);
    assert_non_null(p);
    p = strstr(p, "\"values\":[");
    assert_non_null(p);
    double sum = 0;
    *n = 0;
    for (p += strlen("\"values\":["); *p != ']'; (*n)++) {
        char *end;
        sum += strtod(p, &end);
        assert_true(end != p);
        p = *end == ',' ? end + 1 : end;
    }
    return sum;
}

static void test_streams(void **state)
{
    (void)state;
    t_tmpdir();
    char *page = page_of(&(struct street){.purpose = "run", .n_items = 120, .n_streams = 2});
    has(page, "<section id=\"streams\">");
    has(page, "0&lt;u&gt;.mp4");
    has(page, "3 packets &lt;damaged&gt; at 0:12");
    has(page, "gave nothing for 10 s, twice");
    has(page, "not taken to its end, reconnected 2 times, newest answer after 85.0&nbsp;ms");
    has(page, "7 moments were dropped");
    assert_null(strstr(page, "0<u>"));
    size_t n;
    // 60 moments each: stream 0 has the even ones, of which every third is reused and none fails.
    const char *states = strstr(page, "\"label\":\"Moments analysed");
    assert_near(sum_behind(states, "\"analysed\"", &n), 40, 0);
    assert_int_equal(n, 30);
    assert_near(sum_behind(states, "\"reused\"", &n), 20, 0);
    states = strstr(states + 1, "\"label\":\"Moments analysed");
    size_t failed = 0, reused = 0;
    for (size_t i = 1; i < 120; i += 2) failed += street_is_failed(i), reused += street_is_reused(i);
    assert_near(sum_behind(states, "\"failed\"", &n), (double)failed, 0);
    assert_near(sum_behind(states, "\"reused\"", &n), (double)reused, 0);
    few__free(NULL, page);
}

static void test_counts_along_time(void **state)
{
    (void)state;
    t_tmpdir();
    char *page = page_of(&(struct street){.purpose = "trace", .n_items = 24, .n_streams = 1});
    const char *seen = strstr(page, "\"label\":\"How many of each label");
    assert_non_null(seen);
    size_t n;
    double persons = 0, cars = 0;
    for (size_t i = 0; i < 24; i++) persons += street_persons(i), cars += street_cars(i);
    assert_near(sum_behind(seen, "\"person\"", &n), persons, 1e-6); // a part of the time for each moment
    assert_int_equal(n, 24);
    assert_near(sum_behind(seen, "\"car\"", &n), cars, 1e-6);
    has(seen, "\"group\":\"stream0\"");
    has(seen, "\"values\":[0,0.5,1,1.5,");
    few__free(NULL, page);
}

static void test_lanes(void **state)
{
    (void)state;
    t_tmpdir();
    char *page = page_of(&(struct street){.purpose = "run", .n_items = 40});
    assert_int_equal(count(page, "<figure class=\"panel item-lanes\">"), FEW__REPORT_LANES);
    has(page, "<span class=\"who\">lane 1</span>");
    has(page, "<span class=\"who\">lane 2</span>");
    // objects on moment 0: from 2 ms for 9 ms, of 13 ms.
    has(page, "<i class=\"run executed\" style=\"left:15.38%;width:69.23%\" data-words=\"objects, executed: "
              "2.00 to 11.00 ms\">");
    has(page, "data-words=\"reading, read and decoded: 0.00 to 1.80 ms\"");
    has(page, "<i class=\"end\" style=\"left:92.31%\"></i>"); // the deadline, 12 ms
    has(page, "weather&lt;i&gt;");
    few__free(NULL, page);
}

static void test_reasons(void **state)
{
    (void)state;
    t_tmpdir();
    char *page = page_of(&(struct street){.purpose = "run", .n_items = 120, .n_streams = 1});
    has(page, "<section id=\"why\">");
    has(page, "chosen by &lt;i&gt;static");
    has(page, "unchanged since an earlier frame");
    has(page, "not finished at the deadline");
    has(page, "damaged &lt;picture&gt;");
    assert_null(strstr(page, "<picture>"));
    assert_null(strstr(page, "</script><b>"));
    has(page, "\\u003c/script>\\u003cb>fog");
    few__free(NULL, page);
}

static void test_many_items(void **state)
{
    (void)state;
    t_tmpdir();
    char *page = page_of(&(struct street){.purpose = "run", .n_items = 6000, .n_streams = 12});
    assert_int_equal(count(page, "<article"), FEW__REPORT_ITEMS);
    assert_int_equal(count(page, "data-plot="), 2 * FEW__REPORT_STREAMS);
    has(page, "Plots are of the first 8.");
    assert_true(strlen(page) < (size_t)2 << 20);
    few__free(NULL, page);
}

static void test_one_moment(void **state)
{
    (void)state;
    t_tmpdir();
    char *page = page_of(&(struct street){.purpose = "run", .n_items = 2, .n_streams = 2});
    has(page, "data-plot=\"3\"");
    few__free(NULL, page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),    cmocka_unit_test(test_counts_along_time),
        cmocka_unit_test(test_lanes),      cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_many_items), cmocka_unit_test(test_one_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
