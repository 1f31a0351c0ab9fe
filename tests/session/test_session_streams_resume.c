// SPDX-License-Identifier: Apache-2.0
/* Runs over recordings that go on: killed or broken off anywhere, with frames reused and segments explored, the result is
 * that of a run that was never ended. The test starts itself again ("child ...") to have a process that can be killed. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/rng.h"
#include "store/store.h"
#include "streams_world.h"

enum { LONG = 90, SHORT = 35, KILLS = 8 };

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

// Frames that stay as they are for a while.
static void scenes(const char *file, size_t n, uint64_t seed)
{
    uint8_t levels[LONG];
    struct few__rng rng;
    few__rng_init(&rng, seed, 0);
    for (size_t i = 0; i < n; i++)
        levels[i] =
            i > 0 && few__rng_below(&rng, 3) ? levels[i - 1] : (uint8_t)(16 + few__rng_below(&rng, 200));
    w_clip(file, levels, n, 10);
}

// Two recordings and a photograph, in a new folder.
static struct few_zoo *new_world(void)
{
    t_tmpdir();
    scenes("a.mkv", LONG, 1);
    scenes("b.mkv", SHORT, 2);
    w_picture(t_path("p.bmp"), 8, 6, 1);
    name(0, "a.mkv");
    name(1, "p.bmp");
    name(2, "b.mkv");
    return w_bright_zoo("zoo.yaml", NULL);
}

static const char spec[] = "explore_exploit:2";

static struct few_session_opts options(const char *store)
{
    return (struct few_session_opts){.store = store,
                                     .resume = true,
                                     .lanes = 2,
                                     .in_flight = 4,
                                     .reuse_below = 0.05,
                                     .segment_us = 1500000};
}

static void assert_same_lines(const char *store, const char *expected)
{
    char *lines = w_lines(store);
    assert_string_equal(lines, expected);
    free(lines);
}

static void get_stream(const char *store, const char *path, struct few__stream_row *row)
{
    struct few__store *opened;
    assert_status(few__store_open(store, NULL, &opened, &err), FEW_OK, &err);
    assert_status(few__store_find_stream(opened, path, row, &err), FEW_OK, &err);
    row->path = row->options = row->message = NULL;
    assert_status(few__store_close(opened, &err), FEW_OK, &err);
}

static void assert_whole(const char *store, size_t i, uint64_t n, const struct few__stream_row *expected)
{
    struct few__stream_row row;
    get_stream(store, names[i], &row);
    assert_true(row.ended);
    assert_int_equal(row.n_in, n);
    assert_int_equal(row.n_analysed + row.n_reused, n);
    assert_int_equal(row.n_failed + row.n_dropped, 0);
    if (expected) assert_int_equal(row.n_reused, expected->n_reused);
}

/* ---- breaks ---- */

static void test_a_run_that_was_broken_off_goes_on(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    struct few__stream_row whole;
    struct few_session_stats stats;
    char store[W_PATH];
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    w_attach(zoo, spec, options(store), args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, LONG + SHORT + 1);
    assert_non_null(strchr(w_column(&run, 0), 'r')); // something is reused,
    assert_non_null(strchr(w_column(&run, 2), 's')); // and something left out
    stats = run.stats;
    get_stream(store, names[0], &whole);
    char *expected = w_lines(store);
    for (size_t taken = 0; taken <= LONG + SHORT + 1; taken += taken < 8 ? 1 : 7) {
        assert_int_equal(unlink(store), 0);
        w_attach(zoo, spec, options(store), args, 3, NULL, taken, &run);
        w_attach(zoo, spec, options(store), args, 3, NULL, SIZE_MAX, &run);
        assert_same_lines(store, expected);
        assert_int_equal(run.n_kept, taken);
        assert_int_equal(run.stats.items_kept, taken);
        assert_memory_equal(run.stats.counts, stats.counts, sizeof stats.counts);
        assert_whole(store, 0, LONG, &whole);
        assert_whole(store, 2, SHORT, NULL);
    }
    free(expected);
    few_zoo_close(zoo);
}

// The way of another policy, which draws from an item's number.
static void test_the_order_is_that_of_one_run(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    char store[W_PATH];
    struct few_session_opts opts = {.lanes = 2, .in_flight = 3, .resume = true, .segment_us = 700000};
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    opts.store = store;
    opts.reuse_below = 0.05;
    w_attach(zoo, "random:3", opts, args, 3, NULL, SIZE_MAX, &run);
    char *expected = w_lines(store);
    for (size_t taken = 9; taken < LONG + SHORT; taken += 23) {
        assert_int_equal(unlink(store), 0);
        w_attach(zoo, "random:3", opts, args, 3, NULL, taken, &run);
        w_attach(zoo, "random:3", opts, args, 3, NULL, taken, &run);
        w_attach(zoo, "random:3", opts, args, 3, NULL, SIZE_MAX, &run);
        assert_same_lines(store, expected);
    }
    free(expected);
    few_zoo_close(zoo);
}

/* ---- kills ---- */

// child ZOO ROOT STORE A P B: one byte on stdout for each result.
static int child(char **given)
{
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = given[1]};
    const struct few_session_opts opts = w_opts(options(given[2]));
    struct few_zoo *zoo;
    struct few_policy *policy;
    struct few_session *session;
    struct few_items *items;
    const struct few_result *result;
    if (few_zoo_open(given[0], &zoo_opts, &zoo, &err) != FEW_OK) return 1;
    const struct few_items_opts items_opts = {.size = sizeof items_opts, .zoo = zoo};
    if (few_policy_open(spec, zoo, &policy, &err) != FEW_OK) return 1;
    if (few_items_open((const char *const *)given + 3, 3, &items_opts, &items, &err) != FEW_OK) return 1;
    if (few_session_create(zoo, policy, &opts, &session, &err) != FEW_OK) return 1;
    if (few_session_attach(session, items, &err) != FEW_OK) return 1;
    while (few_session_receive(session, &result, &err) == FEW_OK)
        if (write(1, "x", 1) != 1) return 1;
    enum few_status closed = few_session_close(session, &err);
    few_items_close(items);
    few_policy_close(policy);
    few_zoo_close(zoo);
    return closed == FEW_OK ? 0 : 1;
}

// Kills the child after it has given `n` results; whether it was still running.
static bool kill_after(const char *zoo, const char *store, size_t n)
{
    int ends[2], status;
    char root[W_PATH], byte;
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        execl("/proc/self/exe", "child", "child", zoo, root, store, names[0], names[1], names[2],
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    for (size_t i = 0; i < n && read(ends[0], &byte, 1) == 1; i++) continue;
    kill(pid, SIGKILL);
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

static void test_a_killed_run_goes_on(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    char store[W_PATH], manifest[W_PATH];
    struct few__rng rng;
    size_t killed = 0;
    uint64_t most = 0;
    snprintf(store, sizeof store, "%s", t_path("whole.db"));
    snprintf(manifest, sizeof manifest, "%s", t_path("zoo.yaml"));
    w_attach(zoo, spec, options(store), args, 3, NULL, SIZE_MAX, &run);
    char *expected = w_lines(store);
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    few__rng_init(&rng, t_seed(), 0);
    for (size_t i = 0; i < KILLS; i++) {
        if (kill_after(manifest, store, 1 + few__rng_below(&rng, LONG + SHORT))) killed++;
        if (kill_after(manifest, store, 1 + few__rng_below(&rng, LONG + SHORT))) killed++;
        w_attach(zoo, spec, options(store), args, 3, NULL, SIZE_MAX, &run);
        if (run.n_kept > most) most = run.n_kept;
        w_counts_add_up(&run.stats, LONG + SHORT + 1, 3);
        assert_same_lines(store, expected);
        assert_whole(store, 0, LONG, NULL);
        assert_whole(store, 2, SHORT, NULL);
        assert_int_equal(unlink(store), 0);
    }
    assert_true(killed > 0);
    assert_true(most >= FEW__STORE_BATCH); // some kill came after a transaction
    free(expected);
    few_zoo_close(zoo);
}

/* ---- what is done again ---- */

static void set_mtime(const char *path, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_a_whole_recording_is_one_result(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    const struct few_session_opts opts = options(t_path("run.db"));
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    struct few_session_opts again = opts;
    again.runtime = "/nowhere/libonnxruntime.so"; // nothing is loaded to find that out
    w_attach(zoo, spec, again, args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 3);
    assert_string_equal(w_column(&run, 0), "kkk");
    assert_int_equal(run.n_kept, LONG + SHORT + 1);
    assert_int_equal(run.streams[0].n_in, LONG);
    assert_true(run.streams[0].ended);
    // Gone: what was said about it stays.
    assert_int_equal(unlink(names[2]), 0);
    args[2] = names[0]; // and one that is named twice is one
    w_attach(zoo, spec, again, args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 2);
    assert_int_equal(run.n_kept, LONG + 1);
    few_zoo_close(zoo);
}

// Its bytes are the same, so its answers are; only it has to be read again to know that.
static void test_a_touched_recording_is_kept(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    const struct few_session_opts opts = options(t_path("run.db"));
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    char *expected = w_lines(opts.store);
    set_mtime(names[2], 1000000000);
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 2 + SHORT);
    assert_int_equal(run.n_kept, LONG + SHORT + 1);
    assert_same_lines(opts.store, expected);
    assert_whole(opts.store, 2, SHORT, NULL);
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 3); // known as it is now
    free(expected);
    few_zoo_close(zoo);
}

static void test_a_changed_recording_is_done_again(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    const struct few_session_opts opts = options(t_path("run.db"));
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    scenes("b.mkv", SHORT + 5, 77);
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n_kept, LONG + 1);
    assert_int_equal(run.n, 2 + SHORT + 5);
    assert_int_equal(run.stats.items, LONG + 1 + SHORT + 5);
    assert_whole(opts.store, 2, SHORT + 5, NULL);
    few_zoo_close(zoo);
}

static void test_other_moments_are_another_run(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    struct few_session *session;
    struct few_session_opts opts = options(t_path("run.db"));
    w_attach(zoo, "run_all", opts, args, 3, &(struct few_items_opts){.every = 3}, SIZE_MAX, &run);
    opts = w_opts(opts);
    struct few_items *items =
        w_items(args, 3, &(struct few_items_opts){.size = sizeof(struct few_items_opts), .every = 2});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_attach(session, items, &err), FEW_EVERSION, &err);
    assert_non_null(strstr(err.message, "every"));
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(items);
    opts.segment_us = 9;
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EVERSION, &err);
    assert_non_null(strstr(err.message, "segment_s"));
    opts.segment_us = 1500000;
    opts.reuse_below = 0.06;
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EVERSION, &err);
    assert_non_null(strstr(err.message, "reuse_below"));
    few_zoo_close(zoo);
}

/* ---- what failed ---- */

static void test_a_recording_that_breaks_off(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    const struct few_session_opts opts = options(t_path("run.db"));
    struct few__stream_row row;
    struct stat about;
    assert_int_equal(stat(names[0], &about), 0);
    assert_int_equal(truncate(names[0], about.st_size / 2), 0);
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    size_t n = run.n - 1 - SHORT - 1; // of its moments
    assert_true(n > 5 && n < LONG);
    assert_int_equal(run.n_failed, 1);
    assert_int_equal(run.stats.items_failed, 1);
    char expected[64];
    snprintf(expected, sizeof expected, "a.mkv#t=%g", (double)n / 10);
    assert_string_equal(run.paths[run.n - 1], expected); // the one that would have come
    assert_non_null(strstr(run.streams[0].message, "cut off"));
    get_stream(opts.store, names[0], &row);
    assert_true(row.ended);
    assert_int_equal(row.n_failed, 1);
    assert_int_equal(row.n_in, n + 1);
    char *lines = w_lines(opts.store);
    w_attach(zoo, spec, opts, args, 3, NULL, SIZE_MAX, &run);
    assert_int_equal(run.n, 3);
    assert_int_equal(run.n_kept, SHORT + 1 + n + 1);
    assert_same_lines(opts.store, lines);

    // The same after any break.
    struct few_session_opts again = opts;
    again.store = t_path("again.db");
    for (size_t taken = 1; taken <= SHORT + n + 2; taken += 9) {
        w_attach(zoo, spec, again, args, 3, NULL, taken, &run);
        w_attach(zoo, spec, again, args, 3, NULL, SIZE_MAX, &run);
        assert_same_lines(again.store, lines);
        get_stream(again.store, names[0], &row);
        assert_int_equal(row.n_in, n + 1);
        assert_int_equal(unlink(again.store), 0);
    }
    free(lines);
    few_zoo_close(zoo);
}

// Item `id` of the store becomes one that failed.
static void make_failed(const char *path, int64_t id)
{
    struct few__store *store, *opened;
    struct few__item_row row;
    struct few__cell cells[3];
    struct few__stream_row stream;
    assert_status(few__store_open(path, NULL, &opened, &err), FEW_OK, &err);
    const struct few__store_new what = {.purpose = few__store_purpose(opened),
                                        .catalog = few__store_catalog(opened),
                                        .zoo_path = few__store_zoo_path(opened),
                                        .zoo_digest = "",
                                        .config_json = few__store_config(opened),
                                        .notes_json = "{}"};
    assert_status(few__store_append(path, &what, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_get(opened, id, &row, cells, &err), FEW_OK, &err);
    row.status = FEW_EDECODE;
    row.message = "broken";
    for (size_t m = 0; m < 3; m++)
        cells[m] = (struct few__cell){.outcome = FEW_FAILED, .reason = "broken", .start_us = -1, .lane = -1};
    assert_status(few__store_replace(store, id, &row, cells, &err), FEW_OK, &err);
    assert_status(few__store_get_stream(store, row.stream, &stream, &err), FEW_OK, &err);
    stream.n_analysed--;
    stream.n_failed++;
    assert_status(few__store_put_stream(store, &stream, &err), FEW_OK, &err);
    assert_status(few__store_close(opened, &err), FEW_OK, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
}

static void test_a_failed_moment_is_tried_again(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    struct few_session *session;
    const struct few_result *result;
    struct few__stream_row row;
    char path[W_PATH + 16];
    struct few_session_opts opts = {.store = t_path("run.db"), .lanes = 1, .in_flight = 1};
    w_attach(zoo, "run_all", opts, args, 1, NULL, SIZE_MAX, &run);
    char *expected = w_lines(opts.store);
    make_failed(opts.store, 37);
    opts.retry = true;
    opts = w_opts(opts);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    snprintf(path, sizeof path, "%s#t=3.7", names[0]);
    assert_string_equal(result->path, path);
    assert_int_equal(result->status, FEW_OK);
    assert_int_equal(result->at_us, 3700000);
    assert_int_equal(result->stream, SIZE_MAX); // nothing is attached
    assert_status(few_session_receive(session, &result, &err), FEW_END, &err);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    assert_same_lines(opts.store, expected);
    get_stream(opts.store, names[0], &row);
    assert_int_equal(row.n_failed, 0);
    assert_int_equal(row.n_analysed, LONG);
    free(expected);

    // A recording that cannot be opened is for a run that goes on.
    t_write(t_path("bad.mp4"), "no film", 7);
    name(3, "bad.mp4");
    opts.retry = false;
    opts.resume = true;
    w_attach(zoo, "run_all", opts, args + 3, 1, NULL, SIZE_MAX, &run);
    opts.retry = true;
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_int_equal(result->status, FEW_EDECODE);
    assert_non_null(strstr(result->message, "whole recording"));
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_zoo_close(zoo);
}

// With the sound that goes with its picture.
static void test_a_failed_moment_with_sound(void **state)
{
    (void)state;
    static const uint8_t levels[] = {40, 60, 80, 100, 120, 140, 160, 180};
    struct few_session *session;
    const struct few_result *result;
    t_tmpdir();
    w_clip("silent.mkv", levels, sizeof levels, 4);
    w_ffmpeg("-i silent.mkv -f lavfi -i sine=440:duration=2 -c:v copy -c:a pcm_s16le both.mkv");
    w_ffmpeg("-f lavfi -i sine=300:duration=3 talk.wav");
    struct few_zoo *zoo = w_sound_zoo("sound.yaml");
    name(0, "both.mkv");
    name(1, "talk.wav");
    struct few_session_opts opts = {.store = t_path("run.db")};
    w_attach(zoo, "run_all", opts, args, 2, &(struct few_items_opts){.streams = 1}, SIZE_MAX, &run);
    assert_int_equal(run.n, 11);
    char *expected = w_lines(opts.store);
    make_failed(opts.store, 3);
    make_failed(opts.store, 9);
    opts.retry = true;
    opts = w_opts(opts);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    for (size_t i = 0; i < 2; i++) assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_END, &err);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    assert_same_lines(opts.store, expected);
    free(expected);
    few_zoo_close(zoo);
}

static void test_answers_of_moments_are_replayed(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world();
    char text[W_PATH * 2], trace[W_PATH];
    snprintf(trace, sizeof trace, "%s", t_path("trace.db"));
    const struct few_session_opts record = {.purpose = FEW_RECORD, .store = trace};
    w_attach(zoo, "run_all", record, args, 3, NULL, SIZE_MAX, &run);
    int n = snprintf(text, sizeof text,
                     "version: 1\nmodels:\n  - name: mean\n    backend: replay\n    file: %s\n"
                     "    input: {size: [4, 4]}\n    output: {kind: scalar, empty: -1}\n"
                     "    cost: {time_ms: 0.1}\n",
                     trace);
    t_write(t_path("replay.yaml"), text, (size_t)n);
    struct few_zoo *replay;
    assert_status(few_zoo_open(t_path("replay.yaml"),
                               &(struct few_zoo_opts){.size = sizeof(struct few_zoo_opts)}, &replay, &err),
                  FEW_OK, &err);
    // Other moments of the same recording have the same digests.
    const struct few_session_opts opts = {.lanes = 2, .in_flight = 3};
    w_attach(replay, "run_all", opts, args, 3, &(struct few_items_opts){.every = 2}, SIZE_MAX, &run);
    assert_int_equal(run.n, LONG / 2 + (SHORT + 1) / 2 + 1);
    assert_int_equal(run.stats.counts[FEW_EXECUTED], run.n);
    few_zoo_close(replay);
    few_zoo_close(zoo);
}

int main(int argc, char **argv)
{
    if (argc == 8 && strcmp(argv[1], "child") == 0) return child(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_that_was_broken_off_goes_on),
        cmocka_unit_test(test_the_order_is_that_of_one_run),
        cmocka_unit_test(test_a_killed_run_goes_on),
        cmocka_unit_test(test_a_whole_recording_is_one_result),
        cmocka_unit_test(test_a_touched_recording_is_kept),
        cmocka_unit_test(test_a_changed_recording_is_done_again),
        cmocka_unit_test(test_other_moments_are_another_run),
        cmocka_unit_test(test_a_recording_that_breaks_off),
        cmocka_unit_test(test_a_failed_moment_is_tried_again),
        cmocka_unit_test(test_a_failed_moment_with_sound),
        cmocka_unit_test(test_answers_of_moments_are_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
