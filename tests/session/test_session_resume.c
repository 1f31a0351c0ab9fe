// SPDX-License-Identifier: Apache-2.0
/* Runs that go on: whatever ended them, the result is that of a run that was never ended. The test starts itself again
 * ("child ...") to have a process that can be killed. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/rng.h"
#include "session_world.h"
#include "store/store.h"

enum { N = 7, MANY = 150, KILLS = 10 };

static const char *const two[] = {"mean", "slow"}, *const three[] = {"mean", "mean", "mean"};
static struct few_error err;
static char paths[MANY][W_PATH];

// In a new folder.
static struct few_zoo *new_world(const char *const *files, size_t n_models, size_t n_items)
{
    t_tmpdir();
    w_pictures(paths, n_items, 1);
    return w_zoo("zoo.yaml", files, n_models, NULL);
}

static void assert_same_lines(const char *store, const char *expected)
{
    char *lines = w_lines(store);
    assert_string_equal(lines, expected);
    free(lines);
}

/* ---- breaks ---- */

static void breaks_change_nothing(const char *spec, struct few_session_opts opts)
{
    struct few_zoo *zoo = new_world(three, 3, N);
    char store[W_PATH];
    struct few_session_stats stats;
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    opts.store = store;
    w_run(zoo, spec, opts, paths, N, SIZE_MAX, NULL, &stats);
    w_counts_add_up(&stats, N, 3);
    char *expected = w_lines(store);
    assert_int_equal(w_count(expected, "\n"), N * 3);
    for (size_t taken = 0; taken <= N; taken++) {
        size_t kept;
        assert_int_equal(unlink(store), 0);
        w_run(zoo, spec, opts, paths, N, taken, NULL, NULL);
        opts.resume = true;
        w_run(zoo, spec, opts, paths, N, SIZE_MAX, &kept, &stats);
        opts.resume = false;
        assert_int_equal(kept, taken);
        assert_int_equal(stats.items_kept, taken);
        w_counts_add_up(&stats, N, 3);
        assert_same_lines(store, expected);
    }
    free(expected);
    few_zoo_close(zoo);
}

static void test_a_run_goes_on_after_any_item(void **state)
{
    (void)state;
    breaks_change_nothing("run_all", (struct few_session_opts){.lanes = 1});
}

static void test_the_same_with_lanes_and_items_in_flight(void **state)
{
    (void)state;
    breaks_change_nothing("random:5", (struct few_session_opts){.lanes = 2, .in_flight = 5});
}

static void test_a_recording_goes_on(void **state)
{
    (void)state;
    breaks_change_nothing("run_all", (struct few_session_opts){.lanes = 1, .purpose = FEW_RECORD});
}

// A finished run needs no runtime to find that out.
static void test_a_finished_run_loads_nothing(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    size_t kept;
    const struct few_session_opts opts = {.store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, NULL);
    const struct few_session_opts again = {
        .store = opts.store, .resume = true, .runtime = "/nowhere/libonnxruntime.so"};
    w_run(zoo, "run_all", again, paths, N, SIZE_MAX, &kept, NULL);
    assert_int_equal(kept, N);

    struct few_session *session;
    const struct few_result *result;
    const struct few_session_opts full = w_opts(again);
    w_picture(t_path("new.bmp"), 8, 6, 99);
    assert_status(few_session_create(zoo, NULL, &full, &session, &err), FEW_OK, &err);
    assert_status(few_session_submit(session, t_path("new.bmp"), &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "/nowhere/libonnxruntime.so"));
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_zoo_close(zoo);
}

/* ---- kills ---- */

// child ZOO ROOT STORE FIRST N: one byte on stdout for each result.
static int child(char **args)
{
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = args[1]};
    const struct few_session_opts opts =
        w_opts((struct few_session_opts){.store = args[2], .resume = true, .lanes = 2, .in_flight = 4});
    struct few_zoo *zoo;
    struct few_session *session;
    const struct few_result *result;
    char folder[W_PATH];
    snprintf(folder, sizeof folder, "%s", args[0]);
    *strrchr(folder, '/') = 0;
    if (few_zoo_open(args[0], &zoo_opts, &zoo, &err) != FEW_OK) return 1;
    if (few_session_create(zoo, NULL, &opts, &session, &err) != FEW_OK) return 1;
    for (size_t i = 0; i < MANY;) {
        char path[W_PATH + 16];
        snprintf(path, sizeof path, "%s/%03zu.bmp", folder, i);
        enum few_status status = few_session_submit(session, path, &err);
        i += status == FEW_OK;
        if (status == FEW_OK) continue;
        if (few_session_receive(session, &result, &err) != FEW_OK || write(1, "x", 1) != 1) return 1;
    }
    while (few_session_receive(session, &result, &err) == FEW_OK)
        if (write(1, "x", 1) != 1) return 1;
    return few_session_close(session, &err) == FEW_OK ? 0 : 1;
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
        execl("/proc/self/exe", "child", "child", zoo, root, store, (char *)NULL);
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
    struct few_zoo *zoo = new_world(three, 2, MANY);
    char store[W_PATH], manifest[W_PATH];
    struct few_session_stats stats;
    struct few__rng rng;
    size_t killed = 0, most = 0, kept;
    snprintf(store, sizeof store, "%s", t_path("whole.db"));
    snprintf(manifest, sizeof manifest, "%s", t_path("zoo.yaml"));
    w_run(zoo, "run_all", (struct few_session_opts){.store = store}, paths, MANY, SIZE_MAX, NULL, NULL);
    char *expected = w_lines(store);
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    few__rng_init(&rng, t_seed(), 0);
    for (size_t i = 0; i < KILLS; i++) {
        if (kill_after(manifest, store, 1 + few__rng_below(&rng, MANY))) killed++;
        w_run(zoo, "run_all", (struct few_session_opts){.store = store, .resume = true}, paths, MANY,
              SIZE_MAX, &kept, &stats);
        if (kept > most) most = kept;
        w_counts_add_up(&stats, MANY, 2);
        assert_same_lines(store, expected);
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

static void test_a_changed_file_is_done_again(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    size_t kept;
    struct few_session_stats stats;
    struct few_session_opts opts = {.store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, NULL);
    char *before = w_lines(opts.store);
    opts.resume = true;
    set_mtime(paths[1], 1000); // touched, the same bytes
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, &kept, NULL);
    assert_int_equal(kept, N);
    assert_same_lines(opts.store, before);

    w_picture(paths[2], 8, 6, 77); // as long as before
    set_mtime(paths[2], 2000);
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, &kept, &stats);
    assert_int_equal(kept, N - 1);
    w_counts_add_up(&stats, N, 2);
    char *after = w_lines(opts.store);
    assert_string_not_equal(after, before);
    unlink(opts.store);
    opts.resume = false;
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, NULL);
    assert_same_lines(opts.store,
                      after); // the same place, the same answers as a run that never saw the old one
    free(before);
    free(after);
    few_zoo_close(zoo);
}

static void test_a_file_that_is_gone_keeps_its_results(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    size_t kept;
    struct few_session_opts opts = {.store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, NULL);
    char *before = w_lines(opts.store);
    opts.resume = true;
    assert_int_equal(unlink(paths[3]), 0);
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, &kept, NULL);
    assert_int_equal(kept, N);
    assert_same_lines(opts.store, before);
    free(before);
    few_zoo_close(zoo);
}

static void test_failed_items_are_done_again_when_asked(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    size_t kept;
    struct few_session_stats stats;
    struct few_session_opts opts = {.store = t_path("run.db"), .in_flight = 3};
    t_write(paths[1], "words", 5);
    t_write(paths[4], "more words", 10);
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, &stats);
    assert_int_equal(stats.items_failed, 2);
    assert_int_equal(stats.counts[FEW_FAILED], 4);
    opts.resume = true;
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, &kept, &stats); // they stay as they are
    assert_int_equal(kept, N);
    assert_int_equal(stats.items_failed, 2);

    w_picture(paths[1], 8, 6, 31);
    opts.resume = false;
    opts.retry = true;
    struct few_session *session;
    const struct few_result *result;
    const struct few_session_opts full = w_opts(opts);
    assert_status(few_session_create(zoo, NULL, &full, &session, &err), FEW_OK, &err);
    assert_status(few_session_submit(session, paths[0], &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_string_equal(result->path, paths[1]);
    assert_int_equal(result->status, FEW_OK);
    assert_false(result->kept);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_string_equal(result->path, paths[4]);
    assert_int_equal(result->status, FEW_EDECODE);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_string_equal(result->path, paths[0]);
    assert_true(result->kept);
    assert_status(few_session_receive(session, &result, &err), FEW_END, &err);
    few_session_stats(session, &stats);
    assert_int_equal(stats.items_failed, 1);
    w_counts_add_up(&stats, N, 2);
    assert_status(few_session_close(session, &err), FEW_OK, &err);

    char *lines = w_lines(opts.store), *second = strstr(lines, "001.bmp");
    assert_true(second && second < strstr(lines, "002.bmp")); // in its old place
    free(lines);
    few_zoo_close(zoo);
}

static void test_retry_needs_a_store(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, 0);
    struct few_session *session;
    struct few_session_opts opts =
        w_opts((struct few_session_opts){.retry = true, .store = t_path("none.db")});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_ENOENT, &err);
    opts.store = NULL;
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EINVAL, &err);
    opts = w_opts((struct few_session_opts){.resume = true, .overwrite = true, .store = t_path("none.db")});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EINVAL, &err);
    few_zoo_close(zoo);
}

/* ---- reuse ---- */

static void copies_are_reused(size_t in_flight)
{
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session_stats stats;
    char same[2 * W_PATH];
    w_picture(paths[2], 8, 6, 1); // as paths[0]
    w_picture(paths[3], 8, 6, 1);
    w_picture(paths[6], 8, 6, 2); // as paths[1]
    const struct few_session_opts opts = {.store = t_path("run.db"), .in_flight = in_flight, .lanes = 2};
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, &stats);
    w_counts_add_up(&stats, N, 2);
    assert_int_equal(stats.counts[FEW_REUSED], 6);
    assert_int_equal(stats.counts[FEW_EXECUTED], 8);
    char *lines = w_lines(opts.store);
    snprintf(same, sizeof same, "\"same as %s\"", paths[0]);
    assert_int_equal(w_count(lines, same), 4);
    snprintf(same, sizeof same, "\"same as %s\"", paths[1]);
    assert_int_equal(w_count(lines, same), 2);
    free(lines);
    few_zoo_close(zoo);
}

static void test_the_same_bytes_are_not_run_twice(void **state)
{
    (void)state;
    copies_are_reused(1);
    copies_are_reused(4);
}

static void test_a_reused_result_has_the_same_output(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, 2);
    struct few_session *session;
    const struct few_result *result;
    float first[2];
    const struct few_session_opts opts = w_opts((struct few_session_opts){.store = t_path("run.db")});
    w_picture(paths[1], 8, 6, 1);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    for (size_t i = 0; i < 2; i++) assert_status(few_session_submit(session, paths[i], &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    for (size_t m = 0; m < 2; m++) {
        assert_int_equal(result->rows[m].outcome, FEW_EXECUTED);
        first[m] = result->rows[m].output->values[0];
    }
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    assert_int_equal(result->width, 8);
    for (size_t m = 0; m < 2; m++) {
        assert_int_equal(result->rows[m].outcome, FEW_REUSED);
        assert_int_equal(result->rows[m].time_us, 0);
        assert_near(result->rows[m].output->values[0], first[m], 0);
    }
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_zoo_close(zoo);
}

static void test_only_a_store_remembers(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, 2);
    struct few_session_stats stats;
    w_picture(paths[1], 8, 6, 1);
    w_run(zoo, "run_all", (struct few_session_opts){0}, paths, 2, SIZE_MAX, NULL, &stats);
    assert_int_equal(stats.counts[FEW_EXECUTED], 4);
    w_run(zoo, "run_all", (struct few_session_opts){.purpose = FEW_RECORD, .store = t_path("t.db")}, paths, 2,
          SIZE_MAX, NULL, &stats);
    assert_int_equal(stats.counts[FEW_EXECUTED], 2);
    assert_int_equal(stats.counts[FEW_REUSED], 2);
    few_zoo_close(zoo);
}

// What failed, or was late, is no answer for another item.
static void test_failures_are_not_reused(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, 2);
    struct few_session_stats stats;
    for (size_t i = 0; i < 2; i++) t_write(paths[i], "words", 5);
    w_run(zoo, "run_all", (struct few_session_opts){.store = t_path("run.db"), .in_flight = 2}, paths, 2,
          SIZE_MAX, NULL, &stats);
    assert_int_equal(stats.items_failed, 2);
    assert_int_equal(stats.counts[FEW_FAILED], 4);
    few_zoo_close(zoo);
}

static void test_a_path_given_twice_is_kept_the_second_time(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, 4);
    struct few_session_stats stats;
    size_t kept;
    memcpy(paths[2], paths[0], W_PATH);
    memcpy(paths[3], paths[0], W_PATH);
    w_run(zoo, "run_all", (struct few_session_opts){.store = t_path("run.db"), .in_flight = 4}, paths, 4,
          SIZE_MAX, &kept, &stats);
    assert_int_equal(kept, 2);
    w_counts_add_up(&stats, 2, 2);
    few_zoo_close(zoo);
}

/* ---- stores that cannot be gone on with ---- */

static void test_another_run_is_refused(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N), *other = w_zoo("other.yaml", three, 3, NULL);
    struct few_policy *policy;
    struct few_session *session;
    struct few_session_opts opts = {.store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, 3, NULL, NULL);
    char *before = w_lines(opts.store);
    opts = w_opts(opts);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EEXIST, &err);
    opts.resume = true;
    assert_status(few_session_create(other, NULL, &opts, &session, &err), FEW_EVERSION, &err);
    assert_status(few_policy_open("random:3", zoo, &policy, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, policy, &opts, &session, &err), FEW_EVERSION, &err);
    assert_non_null(strstr(err.message, opts.store));
    few_policy_close(policy);
    struct few_session_opts changed = opts;
    changed.deadline_us = 1000000;
    assert_status(few_session_create(zoo, NULL, &changed, &session, &err), FEW_EVERSION, &err);
    changed = opts;
    changed.purpose = FEW_RECORD;
    assert_status(few_session_create(zoo, NULL, &changed, &session, &err), FEW_EVERSION, &err);
    assert_null(session);
    assert_same_lines(opts.store, before);
    opts.lanes = opts.in_flight = 3; // how it is done does not matter
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, NULL);
    t_write(opts.store, "words", 5);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_ESTORE, &err);
    free(before);
    few_zoo_close(zoo);
    few_zoo_close(other);
}

static void test_one_session_at_a_time_writes_to_a_store(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session *first, *second;
    struct few_session_opts opts = w_opts((struct few_session_opts){.store = t_path("run.db")});
    assert_status(few_session_create(zoo, NULL, &opts, &first, &err), FEW_OK, &err);
    opts.resume = true;
    assert_status(few_session_create(zoo, NULL, &opts, &second, &err), FEW_AGAIN, &err);
    assert_null(second);
    assert_status(few_session_close(first, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, NULL, &opts, &second, &err), FEW_OK, &err);
    assert_status(few_session_close(second, &err), FEW_OK, &err);
    few_zoo_close(zoo);
}

static void test_a_store_that_is_full_keeps_what_it_has(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(three, 2, MANY);
    struct few_session *session;
    const struct few_result *result;
    char store[W_PATH];
    struct stat about;
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    const struct few_session_opts opts =
        w_opts((struct few_session_opts){.store = store, .store_bytes = 400000});
    w_run(zoo, "run_all", (struct few_session_opts){.store = store}, paths, MANY, SIZE_MAX, NULL, NULL);
    char *expected = w_lines(store);
    unlink(store);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    enum few_status status = FEW_OK;
    size_t received = 0;
    for (size_t i = 0; i < MANY && status == FEW_OK; i++) {
        assert_status(few_session_submit(session, paths[i], &err), FEW_OK, &err);
        status = few_session_receive(session, &result, &err);
        received += status == FEW_OK;
    }
    assert_status(status, FEW_ELIMIT, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_ELIMIT, &err); // nothing is skipped
    assert_true(received > 0 && received < MANY);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    assert_int_equal(stat(store, &about), 0);
    assert_true(about.st_size <= 400000);
    char *lines = w_lines(store);
    assert_int_equal(w_count(lines, "\n"), received * 2);
    assert_memory_equal(lines, expected, strlen(lines));
    free(lines);
    w_run(zoo, "run_all", (struct few_session_opts){.store = store, .resume = true}, paths, MANY, SIZE_MAX,
          NULL, NULL);
    assert_same_lines(store, expected);
    free(expected);
    few_zoo_close(zoo);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "child") == 0) return child(argv + 2);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_goes_on_after_any_item),
        cmocka_unit_test(test_the_same_with_lanes_and_items_in_flight),
        cmocka_unit_test(test_a_recording_goes_on),
        cmocka_unit_test(test_a_finished_run_loads_nothing),
        cmocka_unit_test(test_a_killed_run_goes_on),
        cmocka_unit_test(test_a_changed_file_is_done_again),
        cmocka_unit_test(test_a_file_that_is_gone_keeps_its_results),
        cmocka_unit_test(test_failed_items_are_done_again_when_asked),
        cmocka_unit_test(test_retry_needs_a_store),
        cmocka_unit_test(test_the_same_bytes_are_not_run_twice),
        cmocka_unit_test(test_a_reused_result_has_the_same_output),
        cmocka_unit_test(test_only_a_store_remembers),
        cmocka_unit_test(test_failures_are_not_reused),
        cmocka_unit_test(test_a_path_given_twice_is_kept_the_second_time),
        cmocka_unit_test(test_another_run_is_refused),
        cmocka_unit_test(test_one_session_at_a_time_writes_to_a_store),
        cmocka_unit_test(test_a_store_that_is_full_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
