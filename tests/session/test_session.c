// SPDX-License-Identifier: Apache-2.0
// Sessions on the demo zoo: what comes back, what is kept, what happens when something is wrong.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fewer/fewer.h>
#include <sqlite3.h>

#include "core/file.h"
#include "core/mem.h"
#include "store/store.h"
#include "support/support.h"

enum { N_ITEMS = 6 };

static struct few_zoo *zoo;
static char items[N_ITEMS][512];
static struct few_error err;

/* Draws a few demo items with the demo's own script. */
static int set_up(void **state)
{
    (void)state;
    char command[2048], manifest[512];
    const char *folder = t_tmpdir();
    snprintf(manifest, sizeof manifest, "%s/demo/zoo.yaml", t_source());
    snprintf(command, sizeof command, "%s/.venv/bin/python %s/demo/draw.py %s %d >/dev/null", t_source(),
             t_source(), folder, N_ITEMS);
    assert_int_equal(system(command), 0);
    struct few_items *list;
    assert_status(few_items_open(&folder, 1, NULL, &list, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(list), N_ITEMS);
    for (size_t i = 0; i < N_ITEMS; i++) snprintf(items[i], sizeof items[i], "%s", few_items_path(list, i));
    few_items_close(list);
    const struct few_zoo_opts opts = {.size = sizeof opts};
    assert_status(few_zoo_open(manifest, &opts, &zoo, &err), FEW_OK, &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few_zoo_close(zoo);
    return 0;
}

static struct few_session *open_session(const struct few_session_opts *given, const char *spec,
                                        struct few_policy **policy)
{
    struct few_session_opts opts = *given;
    struct few_session *session;
    opts.size = sizeof opts;
    opts.runtime = t_runtime();
    assert_status(few_policy_open(spec, zoo, policy, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, *policy, &opts, &session, &err), FEW_OK, &err);
    return session;
}

static const struct few_result *one(struct few_session *session, const char *path)
{
    const struct few_result *result;
    assert_status(few_session_submit(session, path, &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    return result;
}

static void close_both(struct few_session *session, struct few_policy *policy)
{
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_policy_close(policy);
}

static void test_everything_runs_without_a_deadline(void **state)
{
    (void)state;
    struct few_policy *policy;
    struct few_session *session =
        open_session(&(struct few_session_opts){.all_variants = true}, "run_all", &policy);
    size_t n = few_zoo_catalog(zoo)->n_models;
    for (size_t i = 0; i < N_ITEMS; i++) {
        const struct few_result *r = one(session, items[i]);
        assert_int_equal(r->status, FEW_OK);
        assert_int_equal(r->n_models, n);
        assert_true(r->width > 0 && r->height > 0 && r->elapsed_us >= r->decode_us);
        for (size_t m = 0; m < n; m++) {
            const struct few_result_row *row = &r->rows[m];
            const struct few_model *model = &few_zoo_catalog(zoo)->models[m];
            assert_true(row->outcome == FEW_EXECUTED || (row->outcome == FEW_SKIPPED && model->needs >= 0));
            assert_non_null(row->output); // a model whose need found nothing has an empty one
            assert_true(row->output->empty || row->output->n > 0);
            if (row->outcome == FEW_SKIPPED) assert_non_null(strstr(row->reason, "found nothing"));
        }
    }
    struct few_session_stats stats;
    few_session_stats(session, &stats);
    uint64_t sum = 0;
    for (size_t k = 0; k < FEW_OUTCOME_COUNT; k++) sum += stats.counts[k];
    assert_int_equal(sum, N_ITEMS * n);
    assert_true(stats.spent_us >= stats.runtime_us && stats.runtime_us > 0);
    close_both(session, policy);
}

static void test_the_same_item_gives_the_same_output(void **state)
{
    (void)state;
    struct few_policy *policy;
    struct few_session *session =
        open_session(&(struct few_session_opts){.all_variants = true}, "run_all", &policy);
    const struct few_result *r = one(session, items[0]);
    const struct few_output *output = r->rows[0].output;
    size_t n = output->n;
    float *first = malloc(n * sizeof *first);
    assert_non_null(first);
    if (output->values) memcpy(first, output->values, n * sizeof *first);
    one(session, items[1]);
    r = one(session, items[0]);
    assert_int_equal(r->rows[0].output->n, n);
    if (output->values) assert_memory_equal(first, r->rows[0].output->values, n * sizeof *first);
    free(first);
    close_both(session, policy);
}

static void test_a_deadline_that_is_over_skips_everything(void **state)
{
    (void)state;
    struct few_policy *policy;
    struct few_session *session =
        open_session(&(struct few_session_opts){.deadline_us = 1}, "run_all", &policy);
    const struct few_result *r = one(session, items[0]);
    assert_true(r->deadline_missed);
    for (size_t m = 0; m < r->n_models; m++) {
        assert_int_equal(r->rows[m].outcome, FEW_SKIPPED);
        assert_int_equal(r->rows[m].start_us, -1);
    }
    close_both(session, policy);
}

static const char slow_zoo[] = "version: 1\n"
                               "models:\n"
                               "  - name: mean\n"
                               "    file: mean.onnx\n"
                               "    input: {size: [4, 4]}\n"
                               "    output: {kind: scalar, tensors: [mean], empty: -1}\n"
                               "  - name: slow\n"
                               "    file: slow.onnx\n"
                               "    input: {size: [64, 64], colour: GRAY}\n"
                               "    output: {kind: scalar, empty: -1}\n";

// What running both on items[0 .. 2] says and takes, but with a slow model that is thought to take 1 ms, the other 10 us: so
// that one comes first, and both seem to fit.
static int64_t record_slow(struct few_zoo *slow, const char *trace, float means[3])
{
    struct few_session *session;
    const struct few_session_opts opts = {
        .size = sizeof opts, .purpose = FEW_RECORD, .store = trace, .runtime = t_runtime()};
    assert_status(few_session_create(slow, NULL, &opts, &session, &err), FEW_OK, &err);
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < 3; i++) {
        const struct few_result *r = one(session, items[i]);
        assert_int_equal(r->rows[1].outcome, FEW_EXECUTED);
        means[i] = r->rows[0].output->values[0];
        if (r->rows[1].time_us < least) least = r->rows[1].time_us;
    }
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(trace, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "UPDATE results SET time_us = CASE model WHEN 1 THEN 1000 ELSE 10 END",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 6);
    sqlite3_close(db);
    return least;
}

// The quick model in time, the slow one late: at once, unless the machine itself stood still in between.
static const struct few_result *slow_is_late(struct few_session *session, const char *path)
{
    for (int tries = 0; tries < 20; tries++) {
        const struct few_result *r = one(session, path);
        if (r->rows[0].outcome == FEW_EXECUTED && r->rows[1].outcome == FEW_LATE) return r;
    }
    fail_msg("the slow model was never late");
    return NULL;
}

static void test_a_deadline_in_the_middle_of_a_model(void **state)
{
    (void)state;
    char spec[600], root[512];
    float means[3];
    struct few_zoo *slow;
    struct few_policy *policy;
    struct few_session *session;
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    t_tmpdir();
    t_write(t_path("slow.yaml"), slow_zoo, sizeof slow_zoo - 1);
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = root};
    assert_status(few_zoo_open(t_path("slow.yaml"), &zoo_opts, &slow, &err), FEW_OK, &err);
    const char *trace = t_path("trace.db");
    int64_t deadline = record_slow(slow, trace, means) / 4;
    snprintf(spec, sizeof spec, "static:%s", trace);
    assert_status(few_policy_open(spec, slow, &policy, &err), FEW_OK, &err);
    const struct few_session_opts opts = {
        .size = sizeof opts, .deadline_us = deadline, .lanes = 1, .runtime = t_runtime()};
    assert_status(few_session_create(slow, policy, &opts, &session, &err), FEW_OK, &err);
    for (size_t i = 0; i < 3; i++) {
        const struct few_result *r = slow_is_late(session, items[i]);
        assert_near(r->rows[0].output->values[0], means[i], 0);
        assert_null(r->rows[1].output);
        assert_true(r->rows[1].time_us > 0 && r->rows[1].start_us > 0);
        assert_true(r->deadline_missed && r->elapsed_us >= deadline);
    }
    struct few_session_stats stats;
    few_session_stats(session, &stats);
    assert_true(stats.deadline_missed >= 3);
    assert_true(stats.counts[FEW_EXECUTED] >= 3 && stats.counts[FEW_LATE] >= 3);
    close_both(session, policy);
    few_zoo_close(slow);
}

static void test_a_bad_item_fails_alone(void **state)
{
    (void)state;
    struct few_policy *policy;
    struct few_session *session = open_session(&(struct few_session_opts){0}, "random:7", &policy);
    t_tmpdir();
    t_write(t_path("empty.jpg"), "", 0);
    t_write(t_path("words.jpg"), "these are words", 15);
    const char *bad[] = {t_path("empty.jpg"), t_path("words.jpg"), t_path("gone.jpg"), t_tmpdir()};
    const enum few_status expected[] = {FEW_EDECODE, FEW_EDECODE, FEW_ENOENT, FEW_EIO};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct few_result *r = one(session, bad[i]);
        assert_int_equal(r->status, expected[i]);
        assert_non_null(strstr(r->message, bad[i]));
        for (size_t m = 0; m < r->n_models; m++) assert_int_equal(r->rows[m].outcome, FEW_FAILED);
        assert_int_equal(one(session, items[i % N_ITEMS])->status, FEW_OK);
    }
    struct few_session_stats stats;
    few_session_stats(session, &stats);
    assert_int_equal(stats.items_failed, 4);
    assert_int_equal(stats.counts[FEW_FAILED], 4 * few_zoo_catalog(zoo)->n_models);
    close_both(session, policy);
}

static void test_results_are_kept_and_a_static_policy_learns_from_them(void **state)
{
    (void)state;
    struct few_policy *policy;
    t_tmpdir();
    const char *trace = t_path("trace.db");
    struct few_session *session =
        open_session(&(struct few_session_opts){.purpose = FEW_RECORD, .store = trace}, NULL, &policy);
    for (size_t i = 0; i < N_ITEMS; i++) one(session, items[i]);
    close_both(session, policy);

    struct few__store *store;
    int64_t count;
    assert_status(few__store_open(trace, NULL, &store, &err), FEW_OK, &err);
    assert_string_equal(few__store_purpose(store), "trace");
    assert_status(few__store_count(store, &count, &err), FEW_OK, &err);
    assert_int_equal(count, N_ITEMS);
    for (size_t m = 0; m < few__store_catalog(store)->n_models; m++)
        assert_true(few__store_catalog(store)->models[m].cost.time_us > 0);
    few__store_close(store, NULL);

    char spec[600];
    snprintf(spec, sizeof spec, "static:%s", trace);
    session = open_session(&(struct few_session_opts){0}, spec, &policy);
    assert_string_equal(few_policy_name(policy), spec);
    assert_int_equal(one(session, items[0])->status, FEW_OK);
    close_both(session, policy);
}

static void test_an_existing_store_is_not_overwritten(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("run.db");
    t_write(path, "precious", 8);
    struct few_session *session;
    struct few_session_opts opts = {.size = sizeof opts, .store = path, .runtime = t_runtime()};
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EEXIST, &err);
    assert_null(session);
    assert_non_null(strstr(err.message, path));
    opts.store = "/nowhere/run.db";
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EIO, &err);
}

static void test_the_queue_has_an_end(void **state)
{
    (void)state;
    struct few_policy *policy;
    struct few_session *session = open_session(&(struct few_session_opts){0}, "run_all", &policy);
    const struct few_result *result;
    assert_status(few_session_receive(session, &result, &err), FEW_END, &err);
    for (int i = 0; i < FEW_QUEUE_MAX; i++)
        assert_status(few_session_submit(session, "x", &err), FEW_OK, &err);
    assert_status(few_session_submit(session, "x", &err), FEW_AGAIN, &err);
    char *longest = calloc(1, FEW_PATH_MAX + 1);
    assert_non_null(longest);
    memset(longest, 'a', FEW_PATH_MAX);
    assert_status(few_session_submit(session, longest, &err), FEW_EINVAL, &err);
    assert_status(few_session_submit(session, "", &err), FEW_EINVAL, &err);
    free(longest);
    close_both(session, policy);
}

static void test_policies_by_name(void **state)
{
    (void)state;
    struct few_policy *policy;
    assert_status(few_policy_open("random:12", zoo, &policy, &err), FEW_OK, &err);
    few_policy_close(policy);
    assert_status(few_policy_open("randm", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_status(few_policy_open("run_all:3", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_status(few_policy_open("static", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_status(few_policy_open("static:", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_status(few_policy_open("q_greedy", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "q_greedy:"));
    assert_status(few_policy_open("random:x", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_status(few_policy_open("random:-1", zoo, &policy, &err), FEW_EINVAL, &err);
    assert_status(few_policy_open("static:/nowhere.db", zoo, &policy, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "/nowhere.db"));
    assert_null(policy);
}

static void test_options_are_checked(void **state)
{
    (void)state;
    struct few_session *session;
    struct few_session_opts opts = {.size = 3};
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EINVAL, &err);
    opts = (struct few_session_opts){.size = sizeof opts, .deadline_us = -1};
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EINVAL, &err);
    opts = (struct few_session_opts){.size = sizeof opts, .runtime = "/nowhere/libonnxruntime.so"};
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "/nowhere/libonnxruntime.so"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_runs_without_a_deadline),
        cmocka_unit_test(test_the_same_item_gives_the_same_output),
        cmocka_unit_test(test_a_deadline_that_is_over_skips_everything),
        cmocka_unit_test(test_a_deadline_in_the_middle_of_a_model),
        cmocka_unit_test(test_a_bad_item_fails_alone),
        cmocka_unit_test(test_results_are_kept_and_a_static_policy_learns_from_them),
        cmocka_unit_test(test_an_existing_store_is_not_overwritten),
        cmocka_unit_test(test_the_queue_has_an_end),
        cmocka_unit_test(test_policies_by_name),
        cmocka_unit_test(test_options_are_checked),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
