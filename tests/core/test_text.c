// SPDX-License-Identifier: Apache-2.0
// The growing text, its limit, and what it writes: JSON, numbers, HTML.
#include "core/text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "support/support.h"

enum { ROOM = 1 << 20 };

static void test_grows(void **state)
{
    (void)state;
    struct few__text text;
    few__text_init(&text, NULL, ROOM);
    assert_null(text.s);
    for (int i = 0; i < 1000; i++) few__text_printf(&text, "%03d,", i);
    few__text_put(&text, "end");
    few__text_add(&text, "xyz", 1);
    assert_true(few__text_ok(&text));
    assert_int_equal(text.n, 4004);
    assert_memory_equal(text.s, "000,001,002,", 12);
    assert_string_equal(text.s + 3992, "998,999,endx");
    few__text_clear(&text);
    assert_int_equal(text.n, 0);
    assert_string_equal(text.s, "");
    few__text_finish(&text);
}

// Exactly the limit fits; one byte more does not, and from then on nothing does until it is cleared.
static void test_limit(void **state)
{
    (void)state;
    struct few__text text;
    few__text_init(&text, NULL, 300);
    for (int i = 0; i < 30; i++) few__text_put(&text, "0123456789");
    assert_true(few__text_ok(&text));
    assert_int_equal(text.n, 300);
    few__text_put(&text, "");
    assert_true(few__text_ok(&text));
    few__text_put(&text, "x");
    assert_false(few__text_ok(&text));
    few__text_printf(&text, "%d", 1);
    few__text_json(&text, "y");
    assert_int_equal(text.n, 300);
    few__text_clear(&text);
    few__text_put(&text, "again");
    assert_true(few__text_ok(&text));
    assert_string_equal(text.s, "again");
    few__text_finish(&text);
}

static void test_json_escapes(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"a\"b\\c", "\"a\\\"b\\\\c\""},
        {"\n\t\x01\x1f\x7f", "\"\\n\\t\\u0001\\u001f\x7f\""},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
        {"\xff", "\"\xef\xbf\xbd\""},                                 // never starts anything
        {"\xc3", "\"\xef\xbf\xbd\""},                                 // cut off
        {"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 // cut off later
        {"\xc0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 // overlong
        {"\xe0\x9f\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // overlong
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, // half a surrogate pair
        {"\xf4\x90\x80\x80x", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx\""}, // beyond U+10FFFF
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few__text text;
        few__text_init(&text, NULL, ROOM);
        few__text_json(&text, cases[i][0]);
        assert_true(few__text_ok(&text));
        assert_string_equal(text.s, cases[i][1]);
        few__text_finish(&text);
    }
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"plain \"<&\n\x01", "plain \"<&\n\x01"},
        {"\xc3\xa9\xf0\x9f\x98\x80", "\xc3\xa9\xf0\x9f\x98\x80"},
        {"a\xff\xc3z\xed\xa0\x80", "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few__text text;
        few__text_init(&text, NULL, ROOM);
        few__text_utf8(&text, cases[i][0]);
        assert_true(few__text_ok(&text));
        assert_string_equal(text.s, cases[i][1]);
        few__text_finish(&text);
    }
}

// Whatever bytes come in, a strict reader takes what comes out.
static void test_json_of_noise(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 0);
    struct few__text text;
    few__text_init(&text, NULL, ROOM);
    for (int round = 0; round < 2000; round++) {
        char noise[24] = {0};
        for (size_t i = 0; i < sizeof noise - 1; i++) noise[i] = (char)few__rng_below(&rng, 256);
        few__text_clear(&text);
        few__text_json(&text, noise);
        json_error_t error;
        json_t *read = json_loads(text.s, JSON_DECODE_ANY, &error);
        if (!read) fail_msg("round %d, seed %llu: %s", round, (unsigned long long)t_seed(), error.text);
        json_decref(read);
    }
    few__text_finish(&text);
}

static void test_float(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {{0, "0"},          {0.5F, "0.5"},          {0.1F, "0.1"},
                 {1e-10F, "1e-10"}, {16777216, "16777216"}, {1.0F / 3, "0.33333334"},
                 {-2.25F, "-2.25"}, {NAN, "null"},          {INFINITY, "null"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few__text text;
        few__text_init(&text, NULL, ROOM);
        few__text_float(&text, cases[i].value);
        assert_string_equal(text.s, cases[i].text);
        few__text_finish(&text);
    }
}

static void test_every_float_reads_back(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 4);
    struct few__text text;
    few__text_init(&text, NULL, ROOM);
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = (uint32_t)few__rng_next(&rng);
        float value;
        memcpy(&value, &bits, sizeof value);
        few__text_clear(&text);
        few__text_float(&text, value);
        if (isfinite(value)) assert_true(strtof(text.s, NULL) == value);
        else assert_string_equal(text.s, "null");
    }
    few__text_finish(&text);
}

static void test_double_and_html(void **state)
{
    (void)state;
    struct few__text text;
    few__text_init(&text, NULL, ROOM);
    few__text_double(&text, 0.95, 6);
    few__text_put(&text, " ");
    few__text_double(&text, 1234567.0, 3);
    few__text_put(&text, " ");
    few__text_double(&text, NAN, 3);
    few__text_put(&text, " ");
    few__text_double(&text, -INFINITY, 3);
    assert_string_equal(text.s, "0.95 1.23e+06 null null");
    few__text_clear(&text);
    few__text_html(&text, "<a href=\"x\">R&D</a>");
    assert_string_equal(text.s, "&lt;a href=&quot;x&quot;&gt;R&amp;D&lt;/a&gt;");
    few__text_finish(&text);
}

static enum few_status write_much(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few__text text;
    few__text_init(&text, mem, ROOM);
    for (int i = 0; i < 200; i++) {
        few__text_printf(&text, "%d: ", i);
        few__text_json(&text, "a \"name\"");
        few__text_html(&text, "<br>");
        few__text_float(&text, 0.25F);
    }
    enum few_status status = few__text_ok(&text) ? FEW_OK : FEW_ENOMEM;
    few__text_finish(&text);
    return status;
}

static void test_each_allocation_fails(void **state)
{
    (void)state;
    t_fail_each_allocation(write_much, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_json_escapes),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_json_of_noise),
        cmocka_unit_test(test_float),
        cmocka_unit_test(test_every_float_reads_back),
        cmocka_unit_test(test_double_and_html),
        cmocka_unit_test(test_each_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
