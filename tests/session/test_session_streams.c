// SPDX-License-Identifier: Apache-2.0
// Attached items: what comes of recordings, in which order, what is reused and explored, and what the store says of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/store.h"
#include "streams_world.h"

static struct few_error err;
static struct w_log run;
static char names[4][W_PATH];
static const char *args[4];

// Names of the last t_tmpdir.
static void name(size_t i, const char *file)
{
    snprintf(names[i], W_PATH, "%s", t_path(file));
    args[i] = names[i];
}

static const uint8_t ten[] = {40, 40, 40, 200, 200, 60, 60, 61, 60, 220};

/* ---- moments ---- */

static void test_a_photograph_and_a_recording(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("clip.mkv", ten, 10, 10);
    w_picture(t_path("a.bmp"), 8, 6, 1);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "a.bmp");
    name(1, "clip.mkv");
    const struct few_session_opts opts = {.lanes = 2, .in_flight = 4, .store = t_path("run.db")};
    w_attach(zoo, "run_all", opts, args, 2, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 11);
    assert_string_equal(w_column(&run, 0), "eeeeeeeeeee");
    size_t k = 0;
    for (size_t i = 0; i < run.n; i++) {
        char expected[32];
        if (strcmp(run.paths[i], "a.bmp") == 0) continue;
        snprintf(expected, sizeof expected, "clip.mkv#t=%g", (double)k++ / 10);
        assert_string_equal(run.paths[i], expected);
    }
    w_counts_add_up(&run.stats, 11, 3);
    assert_null(run.streams[0].path);
    const struct few_stream_stats *stream = &run.streams[1];
    assert_non_null(stream->path);
    assert_true(stream->ended && !stream->is_live);
    assert_int_equal(stream->width, 32);
    assert_int_equal(stream->height, 24);
    assert_near(stream->fps, 10, 1e-9);
    assert_int_equal(stream->n_in, 10);
    assert_int_equal(stream->n_analysed, 10);
    assert_string_equal(stream->message, "");
    few_zoo_close(zoo);
}

static void test_what_the_store_says_of_moments(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("clip.mkv", ten, 10, 10);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    struct few__store *store;
    struct few__stream_row row;
    struct few__item_row item;
    struct few__cell cells[3];
    name(0, "clip.mkv");
    const struct few_session_opts opts = {.purpose = FEW_RECORD, .lanes = 1, .store = t_path("trace.db")};
    w_attach(zoo, "run_all", opts, args, 1, &(struct few_items_opts){.every = 2}, SIZE_MAX, &run);
    assert_int_equal(run.n, 5);
    assert_status(few__store_open(opts.store, NULL, &store, &err), FEW_OK, &err);
    assert_int_equal(few__store_n_streams(store), 1);
    assert_status(few__store_find_stream(store, names[0], &row, &err), FEW_OK, &err);
    assert_non_null(strstr(row.options, "every"));
    assert_true(row.size > 0 && row.mtime_us > 0 && row.ended && !row.is_live);
    assert_int_equal(row.n_in, 5);
    assert_int_equal(row.last_us, 800000);
    assert_int_equal(row.newest_age_us, -1);
    assert_status(few__store_rewind(store, true, &err), FEW_OK, &err);
    for (int64_t i = 0; i < 5; i++) {
        assert_status(few__store_next(store, &item, cells, &err), FEW_OK, &err);
        assert_int_equal(item.stream, 0);
        assert_int_equal(item.at_us, 200000 * i);
        assert_true(item.until_us > item.at_us);
        assert_int_equal(item.age_us, -1);
        assert_int_equal(strlen(item.digest), 64);
        assert_non_null(item.thumbnail);
        assert_non_null(item.look);
        assert_int_equal(item.width, 32);
        for (size_t m = 0; m < 3; m++) assert_int_equal(cells[m].lane, 0);
    }
    assert_status(few__store_next(store, &item, cells, &err), FEW_END, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);

    const struct few_session_opts plain = {
        .no_pixels = true, .purpose = FEW_RECORD, .store = t_path("plain.db")};
    w_attach(zoo, "run_all", plain, args, 1, NULL, SIZE_MAX, &run);
    assert_status(few__store_open(plain.store, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_get(store, 0, &item, cells, &err), FEW_OK, &err);
    assert_true(!item.thumbnail && !item.look);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    few_zoo_close(zoo);
}

static void test_streams_take_turns(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("a.mkv", ten, 6, 10);
    w_clip("b.mkv", ten, 4, 10);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "a.mkv");
    name(1, "b.mkv");
    w_attach(zoo, "run_all", (struct few_session_opts){.lanes = 2, .in_flight = 3}, args, 2, NULL, SIZE_MAX,
             &run);
    assert_int_equal(run.n, 10);
    for (size_t i = 0; i < 8; i++) assert_int_equal(run.paths[i][0], i % 2 ? 'b' : 'a');
    assert_string_equal(run.paths[9], "a.mkv#t=0.5");
    assert_int_equal(run.streams[0].n_in, 6);
    assert_int_equal(run.streams[1].n_in, 4);
    assert_true(run.streams[0].ended && run.streams[1].ended);
    few_zoo_close(zoo);
}

// Nothing of it is for a zoo that looks at pictures: what models get is nothing, and they say nothing.
static void test_a_record_without_a_picture(void **state)
{
    (void)state;
    static const char line[] = "{\"item\": \"words\", \"text\": \"a dog\"}\n";
    struct few_session *session;
    const struct few_result *result;
    t_tmpdir();
    t_write(t_path("list.jsonl"), line, sizeof line - 1);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "list.jsonl");
    struct few_items *items = w_items(args, 1, NULL);
    const struct few_session_opts opts = w_opts((struct few_session_opts){.store = t_path("run.db")});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_attach(session, items, &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_string_equal(result->path, "words");
    assert_int_equal(result->status, FEW_OK);
    assert_int_equal(result->stream, SIZE_MAX);
    for (size_t m = 0; m < 3; m++) {
        assert_int_equal(result->rows[m].outcome, FEW_SKIPPED);
        assert_string_equal(result->rows[m].reason, "no picture in it");
        assert_true(result->rows[m].output && result->rows[m].output->empty);
        assert_int_equal(result->rows[m].lane, -1);
    }
    assert_status(few_session_receive(session, &result, &err), FEW_END, &err);
    struct few_session_stats stats;
    few_session_stats(session, &stats);
    assert_int_equal(stats.run_all_us, 0); // nothing would have run
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(items);
    few_zoo_close(zoo);
}

static void test_pictures_and_sound(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("silent.mkv", ten, 5, 10);
    w_ffmpeg("-i silent.mkv -f lavfi -i sine=440:duration=0.5 -c:v copy -c:a pcm_s16le both.mkv");
    w_ffmpeg("-f lavfi -i sine=300:duration=2 talk.wav");
    struct few_zoo *zoo = w_sound_zoo("sound.yaml");
    name(0, "silent.mkv");
    name(1, "both.mkv");
    name(2, "talk.wav");
    for (size_t i = 0; i < 2;
         i++) { // with places enough, and where the sound of one is still held by its place
        const struct few_session_opts opts = {
            .lanes = 2, .in_flight = i ? 1 : 4, .store = i ? NULL : t_path("run.db")};
        w_attach(zoo, "run_all", opts, args, 3, &(struct few_items_opts){.streams = 1}, SIZE_MAX, &run);
        assert_int_equal(run.n, 12);
        assert_string_equal(w_column(&run, 0), "eeeeeeeeeess");
        assert_string_equal(w_column(&run, 1), "ssssseeeeeee");
        assert_string_equal(run.paths[11], "talk.wav#t=1");
        assert_int_equal(run.streams[2].n_in, 2);
        assert_int_equal(run.streams[2].width, 0);
    }
    char *lines = w_lines(t_path("run.db"));
    assert_int_equal(w_count(lines, "no sound in it"), 5);
    assert_int_equal(w_count(lines, "no picture in it"), 2);
    free(lines);
    few_zoo_close(zoo);
}

/* ---- what goes wrong ---- */

static void test_what_cannot_be_opened_fails_alone(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("clip.mkv", ten, 4, 10);
    t_write(t_path("bad.mp4"), "no film", 7);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "bad.mp4");
    name(1, "clip.mkv");
    const struct few_session_opts opts = {.store = t_path("run.db"), .resume = true};
    w_attach(zoo, "run_all", opts, args, 2, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 5);
    assert_int_equal(run.n_failed, 1);
    assert_string_equal(run.paths[0], "bad.mp4");
    assert_string_equal(w_column(&run, 0), "Feeee");
    assert_int_equal(run.streams[0].n_failed, 1);
    assert_int_equal(run.streams[0].n_in, 1);
    assert_true(run.streams[0].ended && strstr(run.streams[0].message, "bad.mp4"));
    assert_int_equal(run.stats.items_failed, 1);
    w_attach(zoo, "run_all", opts, args, 2, NULL, SIZE_MAX, &run); // what was said about it stays
    assert_string_equal(w_column(&run, 0), "kk");
    assert_int_equal(run.n_kept, 5);
    // Another file under that name: its first moment takes the place of the failure.
    w_clip("bad.mkv", ten, 3, 10);
    assert_int_equal(rename(t_path("bad.mkv"), t_path("bad.mp4")), 0);
    w_attach(zoo, "run_all", opts, args, 2, NULL, SIZE_MAX, &run);
    assert_string_equal(w_column(&run, 0), "keee");
    assert_int_equal(run.stats.items, 7);
    assert_int_equal(run.stats.items_failed, 0);
    assert_int_equal(run.streams[0].n_failed, 0);
    assert_int_equal(run.streams[0].n_in, 3);
    few_zoo_close(zoo);
}

static void test_calls_are_checked(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("clip.mkv", ten, 2, 10);
    w_picture(t_path("a.bmp"), 8, 6, 1);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    struct few_session *session;
    const struct few_result *result;
    struct few_stream_stats stats = {.size = sizeof stats}, wrong = {.size = 1};
    name(0, "clip.mkv");
    name(1, "a.bmp");
    struct few_items *items = w_items(args, 2, NULL);
    const struct few_session_opts opts = w_opts((struct few_session_opts){.lanes = 1});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_int_equal(few_session_stream(session, 0, &stats), FEW_ENOENT);
    assert_status(few_session_attach(session, items, &err), FEW_OK, &err);
    assert_status(few_session_attach(session, items, &err), FEW_EINVAL, &err);
    assert_int_equal(few_session_stream(session, 0, &stats), FEW_ENOENT); // nothing was taken of it
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_int_equal(result->stream, 0);
    assert_int_equal(few_session_stream(session, 0, &wrong), FEW_EINVAL);
    assert_int_equal(few_session_stream(session, 0, &stats), FEW_OK);
    assert_string_equal(stats.path, names[0]);
    assert_int_equal(stats.newest_age_us, -1);
    assert_int_equal(few_session_stream(session, 1, &stats), FEW_ENOENT); // a photograph
    assert_status(few_session_close(session, &err), FEW_OK, &err);        // with moments in hands
    few_items_close(items);

    const struct few_session_opts bad[] = {{.reuse_below = -0.1},
                                           {.reuse_below = 1.5},
                                           {.reuse_feature = FEW_FEATURE_COUNT},
                                           {.segment_us = -1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct few_session_opts full = w_opts(bad[i]);
        assert_status(few_session_create(zoo, NULL, &full, &session, &err), FEW_EINVAL, &err);
    }
    few_zoo_close(zoo);
}

/* ---- reuse ---- */

static void test_unchanged_frames_are_reused(void **state)
{
    (void)state;
    struct w_log first;
    t_tmpdir();
    w_clip("clip.mkv", ten, 10, 10);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "clip.mkv");
    for (size_t i = 0; i < 4; i++) {
        const struct few_session_opts opts = {.reuse_below = 0.05,
                                              .lanes = 1 + i % 2,
                                              .in_flight = 1 + 3 * (i % 2),
                                              .overwrite = i > 2,
                                              .store = i < 2 ? NULL : t_path("run.db")};
        w_attach(zoo, "run_all", opts, args, 1, NULL, SIZE_MAX, &run);
        assert_string_equal(w_column(&run, 0), "errererrre");
        assert_string_equal(w_column(&run, 2), "errererrre");
        assert_int_equal(run.streams[0].n_analysed, 4);
        assert_int_equal(run.streams[0].n_reused, 6);
        if (i == 0) first = run;
        assert_int_equal(run.stats.counts[FEW_REUSED], first.stats.counts[FEW_REUSED]);
    }
    char *lines = w_lines(t_path("run.db"));
    assert_int_equal(w_count(lines, "\"unchanged since "), 18);
    assert_int_equal(w_count(lines, "clip.mkv#t=0.5\","), 3 + 9); // its own name, and that of three like it
    free(lines);
    // A segment ends it.
    w_attach(zoo, "run_all", (struct few_session_opts){.reuse_below = 0.05, .segment_us = 200000}, args, 1,
             NULL, SIZE_MAX, &run);
    assert_string_equal(w_column(&run, 0), "ereeeeeree");
    few_zoo_close(zoo);
}

/* ---- explore and exploit ---- */

static void explored(const char *spec, const uint8_t *levels, size_t n, const char *bright, const char *never)
{
    t_tmpdir();
    w_clip("clip.mkv", levels, n, 10);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "clip.mkv");
    for (size_t lanes = 1; lanes <= 2; lanes++) {
        const struct few_session_opts opts = {.lanes = lanes, .in_flight = 2 * lanes, .segment_us = 1000000};
        w_attach(zoo, spec, opts, args, 1, NULL, SIZE_MAX, &run);
        assert_int_equal(run.n, n);
        assert_null(strchr(w_column(&run, 0), 's')); // always worth its time
        assert_string_equal(w_column(&run, 1), bright);
        assert_string_equal(w_column(&run, 2), never);
        assert_int_equal(run.streams[0].n_analysed, n);
    }
    few_zoo_close(zoo);
}

static void test_the_rest_of_a_segment_follows_from_its_first_frames(void **state)
{
    (void)state;
    static const uint8_t levels[] = {40, 40, 40, 40, 40, 200, 200, 200, 200, 200, 40,  40, 200,
                                     40, 40, 40, 40, 40, 40,  40,  200, 30,  30,  200, 40, 30};
    explored("explore_exploit:3", levels, sizeof levels, "eeessssssseeeeeeeeeeeeeeee",
             "eeessssssseeessssssseeesss");
    explored("explore_exploit:1", levels, sizeof levels, "esssssssssessssssssseeeeee",
             "esssssssssesssssssssesssss");
}

// What is like an earlier frame neither explores nor is explored for.
static void test_reused_frames_explore_nothing(void **state)
{
    (void)state;
    static const uint8_t levels[] = {40, 40, 40, 40, 90, 90, 140, 190, 190, 220};
    t_tmpdir();
    w_clip("clip.mkv", levels, sizeof levels, 10);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "clip.mkv");
    for (size_t lanes = 1; lanes <= 2; lanes++) {
        const struct few_session_opts opts = {.lanes = lanes, .in_flight = 4, .reuse_below = 0.05};
        w_attach(zoo, "explore_exploit:2", opts, args, 1, NULL, SIZE_MAX, &run);
        assert_string_equal(w_column(&run, 0), "errrereere");
        assert_string_equal(w_column(&run, 2), "errrerssss"); // skipped where it was skipped
        assert_int_equal(run.streams[0].n_reused, 5);
    }
    few_zoo_close(zoo);
}

static void test_other_streams_go_on(void **state)
{
    (void)state;
    static const uint8_t dark[20] = {40, 40, 40, 40, 40, 40, 40, 40, 40, 40,
                                     40, 40, 40, 40, 40, 40, 40, 40, 40, 40};
    t_tmpdir();
    w_clip("a.mkv", dark, 20, 10);
    w_clip("b.mkv", dark, 20, 10);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    name(0, "a.mkv");
    name(1, "b.mkv");
    const struct few_session_opts opts = {.lanes = 2, .in_flight = 4};
    w_attach(zoo, "explore_exploit:4", opts, args, 2, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 40);
    assert_string_equal(w_column(&run, 2), "eeeeeeeessssssssssssssssssssssssssssssss");
    for (size_t i = 0; i < 40; i++) assert_int_equal(run.paths[i][0], i % 2 ? 'b' : 'a');
    few_zoo_close(zoo);
}

/* ---- forecasts ---- */

static void test_a_forecast_of_recordings(void **state)
{
    (void)state;
    t_tmpdir();
    w_clip("clip.mkv", ten, 10, 10);
    w_picture(t_path("a.bmp"), 8, 6, 1);
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    struct few_session *session;
    struct few_forecast forecast = {.size = sizeof forecast};
    const struct few_result *result;
    name(0, "clip.mkv");
    name(1, "a.bmp");
    struct few_items *items = w_items(args, 2, NULL);
    const struct few_session_opts opts =
        w_opts((struct few_session_opts){.store = t_path("run.db"), .resume = true});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_forecast(session, items, &forecast, &err), FEW_OK, &err);
    assert_int_equal(forecast.items, 11);
    assert_int_equal(forecast.kept, 0);
    assert_true(forecast.bytes > 54 + 24 * 6 && forecast.total_us > 0);
    assert_status(few_session_attach(session, items, &err), FEW_OK, &err); // it only looked
    for (size_t i = 0; i < 5; i++) assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(items);

    items = w_items(args, 2, NULL);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_forecast(session, items, &forecast, &err), FEW_OK, &err);
    assert_int_equal(forecast.items, 6);
    assert_int_equal(forecast.kept, 5);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(items);
    few_zoo_close(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_photograph_and_a_recording),
        cmocka_unit_test(test_what_the_store_says_of_moments),
        cmocka_unit_test(test_streams_take_turns),
        cmocka_unit_test(test_a_record_without_a_picture),
        cmocka_unit_test(test_pictures_and_sound),
        cmocka_unit_test(test_what_cannot_be_opened_fails_alone),
        cmocka_unit_test(test_calls_are_checked),
        cmocka_unit_test(test_unchanged_frames_are_reused),
        cmocka_unit_test(test_the_rest_of_a_segment_follows_from_its_first_frames),
        cmocka_unit_test(test_reused_frames_explore_nothing),
        cmocka_unit_test(test_other_streams_go_on),
        cmocka_unit_test(test_a_forecast_of_recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
