// SPDX-License-Identifier: Apache-2.0
// When progress is told, and in which words.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "progress.h"
#include "streams.h"
#include "support/support.h"

static struct progress plain(uint64_t total)
{
    return (struct progress){
        .mode = PROGRESS_PLAIN, .total = total, .n_models = 4, .began_s = 100, .shown_s = 100};
}

// The seconds at which a run of that many items and that rate would tell.
static const char *times(struct progress progress, uint64_t total, double rate, double end_s)
{
    static char text[2000];
    const struct few_session_stats stats = {.items = 0};
    size_t used = 0;
    text[0] = 0;
    for (double s = 0; s <= end_s; s += 0.5) {
        uint64_t done = (uint64_t)(s * rate);
        if (total && done > total) break;
        if (!progress_due(&progress, 100 + s, done)) continue;
        struct progress_state state = {.now_s = 100 + s, .done = done, .stats = &stats};
        progress_show(&progress, &state);
        used += (size_t)snprintf(text + used, sizeof text - used, "%g ", s);
    }
    return text;
}

static FILE *kept_stderr;

static int silence(void **state)
{
    (void)state;
    kept_stderr = stderr;
    stderr = fopen("/dev/null", "w");
    return stderr ? 0 : -1;
}

static int speak(void **state)
{
    (void)state;
    fclose(stderr);
    stderr = kept_stderr;
    return 0;
}

static void test_plain_lines_are_rare(void **state)
{
    (void)state;
    assert_string_equal(times(plain(90), 90, 10, 100), ""); // over in nine seconds
    assert_string_equal(times(plain(1000), 1000, 10, 100), "10 40 70 100 ");
    assert_string_equal(times(plain(100000), 100000, 100, 1000), "10 110 210 310 410 510 610 710 810 910 ");
    assert_string_equal(times(plain(10000000), 10000000, 1, 1000),
                        "10 310 610 910 ");                            // at least every five minutes
    assert_string_equal(times(plain(0), 0, 25, 100), "10 40 70 100 "); // nobody knows how many
}

static void test_other_modes(void **state)
{
    (void)state;
    struct progress json = plain(0), line = plain(10), none = plain(10);
    json.mode = PROGRESS_JSON;
    line.mode = PROGRESS_LINE;
    none.mode = PROGRESS_NONE;
    assert_string_equal(times(json, 0, 25, 3), "1 2 3 ");
    assert_string_equal(times(none, 0, 25, 300), "");
    assert_true(progress_due(&line, 100, 1)); // at once
    line.shown_s = 100.5;
    assert_false(progress_due(&line, 100.55, 5));
    assert_true(progress_due(&line, 100.55, 10)); // the last item
    assert_true(progress_due(&line, 100.65, 5));
}

static void test_modes_by_name(void **state)
{
    (void)state;
    struct progress progress;
    static const struct {
        const char *how;
        bool quiet;
        enum progress_mode mode;
    } rows[] = {{"json", false, PROGRESS_JSON},   {"json", true, PROGRESS_JSON},
                {"plain", false, PROGRESS_PLAIN}, {"none", false, PROGRESS_NONE},
                {NULL, true, PROGRESS_NONE},      {"auto", true, PROGRESS_NONE}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        progress_begin(&progress, rows[i].how, rows[i].quiet, 3, 1);
        assert_int_equal(progress.mode, rows[i].mode);
    }
    setenv("TERM", "dumb", 1);
    progress_begin(&progress, "auto", false, 3, 1);
    assert_int_equal(progress.mode, PROGRESS_PLAIN);
}

static const char *line_of(const struct progress *progress, struct progress_state state, bool plain_words,
                           size_t width)
{
    static char line[512];
    progress_line(progress, &state, plain_words, width, line, sizeof line);
    return line;
}

static void test_words(void **state)
{
    (void)state;
    struct few_session_stats stats = {.items = 60, .spent_us = 60, .run_all_us = 100};
    stats.counts[FEW_EXECUTED] = 120;
    struct progress progress = plain(120);
    struct progress_state at = {.now_s = 110, .done = 60, .kept = 10, .stats = &stats};
    assert_string_equal(line_of(&progress, at, true, 200),
                        "60 of 120 items, 5.0/s, 0:12 left, 40% time saved");
    assert_string_equal(
        line_of(&progress, at, false, 200),
        "[##########..........] 60/120 items  5.0/s  0:12 left  120/240 models  40% time saved");
    assert_string_equal(line_of(&progress, at, false, 12), "[##########.");
    at.done = at.kept; // nothing new: no rate, and so no time left
    assert_string_equal(line_of(&progress, at, true, 200), "10 of 120 items, 0.0/s, 40% time saved");
    const struct few_stream_stats streams[] = {
        {.path = "a", .is_live = true, .newest_age_us = 40000, .n_dropped = 2},
        {.path = "b", .is_live = true, .newest_age_us = 120000, .n_dropped = 3, .n_reused = 1},
        {.path = "c", .newest_age_us = -1, .n_reused = 6},
    };
    progress.total = 0;
    at = (struct progress_state){
        .now_s = 110, .done = 12345, .stats = &stats, .streams = streams, .n_streams = 3};
    assert_string_equal(line_of(&progress, at, true, 200),
                        "12,345 items, 1234.5/s, 40% time saved, newest answer 120 ms "
                        "old, 7 reused, 5 dropped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain_lines_are_rare, silence, speak),
        cmocka_unit_test_setup_teardown(test_other_modes, silence, speak),
        cmocka_unit_test(test_modes_by_name),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
