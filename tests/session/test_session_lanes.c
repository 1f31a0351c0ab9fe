// SPDX-License-Identifier: Apache-2.0
// Items in flight, memory, variants, forecasts, and answers replayed from a trace.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_world.h"
#include "store/store.h"

enum { N = 12, MIB = 1 << 20 };

static const char *const two[] = {"mean", "slow"}, *const three[] = {"mean", "mean", "mean"},
                         *const large[] = {"large", "mean", "large"};
static struct few_error err;
static char paths[N][W_PATH];

static struct few_zoo *new_world(const char *const *files, size_t n_models, size_t n_items)
{
    t_tmpdir();
    w_pictures(paths, n_items, 1);
    return w_zoo("zoo.yaml", files, n_models, NULL);
}

/* ---- order ---- */

static void assert_ids_in_order(const char *path, size_t n)
{
    struct few__store *store;
    struct few__item_row item;
    struct few__cell cells[2];
    assert_status(few__store_open(path, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_rewind(store, false, &err), FEW_OK, &err);
    for (size_t i = 0; i < n; i++) {
        assert_status(few__store_next(store, &item, cells, &err), FEW_OK, &err);
        assert_int_equal(item.id, i);
        assert_string_equal(item.path, paths[i]);
    }
    assert_status(few__store_next(store, &item, cells, &err), FEW_END, &err);
    few__store_close(store, NULL);
}

// The first one takes long to decode, the third cannot be decoded, the fourth is not there: they overtake one another.
static void test_results_come_in_the_order_of_submission(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session *session;
    const struct few_result *result;
    struct few_session_stats stats;
    const struct few_session_opts opts =
        w_opts((struct few_session_opts){.lanes = 3, .in_flight = 6, .store = t_path("run.db")});
    w_picture(paths[0], 3000, 2000, 5);
    t_write(paths[2], "words", 5);
    assert_int_equal(remove(paths[3]), 0);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    for (size_t i = 0; i < N; i++) assert_status(few_session_submit(session, paths[i], &err), FEW_OK, &err);
    for (size_t i = 0; i < N; i++) {
        assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
        assert_string_equal(result->path, paths[i]);
        assert_int_equal(result->status, i == 2 ? FEW_EDECODE : i == 3 ? FEW_ENOENT : FEW_OK);
        assert_int_equal(result->n_models, 2);
        for (size_t m = 0; m < 2; m++)
            assert_int_equal(result->rows[m].outcome, i == 2 || i == 3 ? FEW_FAILED : FEW_EXECUTED);
        assert_true(result->elapsed_us >= result->decode_us);
    }
    assert_status(few_session_receive(session, &result, &err), FEW_END, &err);
    few_session_stats(session, &stats);
    w_counts_add_up(&stats, N, 2);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    assert_ids_in_order(opts.store, N);
    few_zoo_close(zoo);
}

// The same outputs whatever the number of lanes and of items in flight.
static void test_lanes_change_no_output(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(three, 3, N);
    char *lines[3];
    const struct few_session_opts opts[] = {{.lanes = 1, .in_flight = 1}, {.lanes = 2, .in_flight = 8}, {0}};
    for (size_t i = 0; i < 3; i++) {
        struct few_session_opts all = opts[i];
        char name[16];
        snprintf(name, sizeof name, "%zu.db", i);
        all.store = t_path(name);
        w_run(zoo, "run_all", all, paths, N, SIZE_MAX, NULL, NULL);
        lines[i] = w_lines(all.store);
    }
    assert_string_equal(lines[1], lines[0]);
    assert_string_equal(lines[2], lines[0]);
    for (size_t i = 0; i < 3; i++) free(lines[i]);
    few_zoo_close(zoo);
}

// What is in flight is given up; what was received is kept.
static void test_closing_with_items_in_flight(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session_stats stats;
    const struct few_session_opts opts = {.lanes = 2, .in_flight = 6, .store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, 4, NULL, &stats);
    w_counts_add_up(&stats, 4, 2);
    assert_ids_in_order(opts.store, 4);
    few_zoo_close(zoo);
}

static void test_deadlines_with_several_in_flight(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session_stats stats;
    const struct few_session_opts opts = {
        .lanes = 2, .in_flight = 4, .deadline_us = 1, .store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, SIZE_MAX, NULL, &stats);
    w_counts_add_up(&stats, N, 2);
    assert_int_equal(stats.deadline_missed, N);
    assert_int_equal(stats.counts[FEW_SKIPPED], 2 * N);
    few_zoo_close(zoo);
}

static void test_options_have_limits(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, 0);
    const struct few_session_opts bad[] = {{.lanes = FEW_LANES_MAX + 1},
                                           {.in_flight = FEW_IN_FLIGHT_MAX + 1},
                                           {.memory_share = 1.5},
                                           {.memory_share = -0.1},
                                           {.memory_share = NAN},
                                           {.deadline_us = -1},
                                           {.memory_share = 0.5, .memory_bytes = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct few_session *session;
        const struct few_session_opts opts = w_opts(bad[i]);
        assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_EINVAL, &err);
        assert_null(session);
    }
    few_zoo_close(zoo);
}

/* ---- batches ---- */

static const char batches[] = "version: 1\n"
                              "models:\n"
                              "  - name: m0\n"
                              "    file: batch.onnx\n"
                              "    batch: %d\n"
                              "    input: {size: [4, 4]}\n"
                              "    output: {kind: vector, tensors: [mean]}\n";

static struct few_zoo *batch_zoo(const char *name, int batch)
{
    char root[W_PATH], text[sizeof batches + 8];
    struct few_zoo *zoo;
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    int n = snprintf(text, sizeof text, batches, batch);
    t_write(t_path(name), text, (size_t)n);
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    assert_status(few_zoo_open(t_path(name), &opts, &zoo, &err), FEW_OK, &err);
    return zoo;
}

// An item's answer does not depend on which others are in its batch, and a batch's time is shared by its items.
static void test_batches_change_no_output(void **state)
{
    (void)state;
    char *lines[2];
    struct few_session_stats stats;
    t_tmpdir();
    w_pictures(paths, N, 1);
    const struct few_session_opts opts[] = {{.lanes = 1, .in_flight = 1, .store = t_path("0.db")},
                                            {.lanes = 1, .store = t_path("1.db")}};
    for (int i = 0; i < 2; i++) {
        struct few_zoo *zoo = batch_zoo("batch.yaml", i ? 8 : 1);
        w_run(zoo, "run_all", opts[i], paths, N, SIZE_MAX, NULL, &stats);
        w_counts_add_up(&stats, N, 1);
        assert_int_equal(stats.counts[FEW_EXECUTED], N);
        assert_true(stats.spent_us >= stats.runtime_us);
        lines[i] = w_lines(opts[i].store);
        few_zoo_close(zoo);
    }
    assert_string_equal(lines[1], lines[0]);
    for (size_t i = 0; i < 2; i++) free(lines[i]);
}

/* ---- memory ---- */

// What the largest takes, as measured where memory is given back: two of the three take 96 MiB and more while they run.
static uint64_t record_large(struct few_zoo *zoo, const char *trace)
{
    struct few__store *store;
    uint64_t most = 0;
    const struct few_session_opts opts = {
        .purpose = FEW_RECORD, .store = trace, .memory_bytes = (uint64_t)1 << 40};
    w_run(zoo, "run_all", opts, paths, 4, SIZE_MAX, NULL, NULL);
    assert_status(few__store_open(trace, NULL, &store, &err), FEW_OK, &err);
    for (size_t m = 0; m < 3; m++) {
        const struct few_cost *cost = &few__store_catalog(store)->models[m].cost;
        assert_true(cost->time_us > 0 && cost->memory_bytes >= cost->weights_bytes);
        if (cost->memory_bytes > most) most = cost->memory_bytes;
    }
    few__store_close(store, NULL);
    assert_true(most > 90 * MIB);
    return most;
}

// There is room for one of the two large ones.
static void test_everything_runs_within_little_memory(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(large, 3, 4);
    struct few_session_stats stats;
    uint64_t room = record_large(zoo, t_path("trace.db")) / 2 * 3;
    const struct few_session_opts opts = {.lanes = 2, .in_flight = 3, .memory_bytes = room};
    w_run(zoo, "run_all", opts, paths, 4, SIZE_MAX, NULL, &stats);
    w_counts_add_up(&stats, 4, 3);
    assert_int_equal(stats.counts[FEW_EXECUTED], 12);
    const struct few_session_opts share = {.lanes = 2, .in_flight = 3, .memory_share = 0.7};
    w_run(zoo, "random:1", share, paths, 4, SIZE_MAX, NULL, &stats);
    assert_int_equal(stats.counts[FEW_EXECUTED], 12);
    few_zoo_close(zoo);
}

// A rehearsal with a budget loads and evicts as the session will.
static void test_a_forecast_within_little_memory(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(large, 3, 4);
    struct few_session *session;
    struct few_forecast forecast = {.size = sizeof forecast}, roomy = {.size = sizeof roomy};
    const char *names[4] = {paths[0], paths[1], paths[2], paths[3]};
    struct few_items *list = w_items(names, 4, NULL), *short_list = w_items(names, 1, NULL);
    uint64_t room = record_large(zoo, t_path("trace.db")) / 2 * 3;
    struct few_session_opts opts = w_opts((struct few_session_opts){.lanes = 2, .memory_bytes = room});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_forecast(session, list, &forecast, &err), FEW_OK, &err);
    assert_near(forecast.models, 3, 0);
    assert_true(forecast.item_us > 0 && forecast.run_all_us > 0);
    assert_true(forecast.total_us >= forecast.item_us);
    const struct few_result *result;
    assert_status(few_session_submit(session, paths[0], &err), FEW_OK, &err);
    assert_status(few_session_receive(session, &result, &err), FEW_OK, &err); // it was only a rehearsal
    assert_status(few_session_forecast(session, short_list, &roomy, &err), FEW_OK, &err);
    assert_int_equal(roomy.item_us, forecast.item_us); // what is loaded now does not matter
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(list);
    few_items_close(short_list);
    few_zoo_close(zoo);
}

static void test_a_model_larger_than_the_memory(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(large, 3, 0);
    struct few_session *session;
    const struct few_session_opts opts =
        w_opts((struct few_session_opts){.memory_bytes = 20 * MIB, .store = t_path("run.db")});
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_ELIMIT, &err);
    assert_non_null(strstr(err.message, "'m0'"));
    assert_non_null(strstr(err.message, "20.0 MiB"));
    FILE *left = fopen(opts.store, "rb");
    assert_null(left);
    few_zoo_close(zoo);
}

// What an earlier run of the store measured is not measured again.
static void test_costs_of_the_store_are_used(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session_opts opts = {.store = t_path("run.db")};
    w_run(zoo, "run_all", opts, paths, N, 3, NULL, NULL);
    struct few_session *session;
    struct few_forecast forecast = {.size = sizeof forecast};
    opts = w_opts(opts);
    opts.resume = true;
    opts.runtime = "/nowhere/libonnxruntime.so";
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    const char *two_paths[] = {paths[0], paths[5]};
    struct few_items *list = w_items(two_paths, 2, NULL);
    assert_status(few_session_forecast(session, list, &forecast, &err), FEW_OK, &err);
    assert_int_equal(forecast.kept, 1);
    assert_int_equal(forecast.items, 1);
    assert_true(forecast.run_all_us > 0 && forecast.item_us > 0);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(list);
    few_zoo_close(zoo);
}

/* ---- variants ---- */

static const char variants[] = "version: 1\n"
                               "models:\n"
                               "  - name: quick\n"
                               "    file: mean.onnx\n"
                               "    input: {size: [4, 4]}\n"
                               "    output: {kind: scalar, tensors: [mean], empty: -1}\n"
                               "  - name: thorough\n"
                               "    file: slow.onnx\n"
                               "    variant_of: quick\n"
                               "    input: {size: [64, 64], colour: GRAY}\n"
                               "    output: {kind: scalar, empty: -1}\n";

static struct few_zoo *variant_zoo(void)
{
    char root[W_PATH];
    struct few_zoo *zoo;
    t_tmpdir();
    w_pictures(paths, 3, 1);
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    t_write(t_path("zoo.yaml"), variants, sizeof variants - 1);
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, &err), FEW_OK, &err);
    return zoo;
}

// How often each of the two ran on three items; base: stats.run_all_us as a part of what both took.
static void run_variants(struct few_zoo *zoo, const char *spec, struct few_session_opts opts, size_t ran[2])
{
    struct few_policy *policy;
    struct few_session *session;
    const struct few_result *result;
    opts = w_opts(opts);
    ran[0] = ran[1] = 0;
    assert_status(few_policy_open(spec, zoo, &policy, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, policy, &opts, &session, &err), FEW_OK, &err);
    int64_t dearest_us = 0, all_us = 0;
    for (size_t i = 0; i < 3; i++) {
        assert_status(few_session_submit(session, paths[i], &err), FEW_OK, &err);
        assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
        for (size_t m = 0; m < 2; m++) {
            ran[m] += result->rows[m].outcome == FEW_EXECUTED;
            all_us += result->rows[m].time_us;
        }
        dearest_us += result->rows[1].time_us;
    }
    struct few_session_stats stats;
    few_session_stats(session, &stats);
    if (ran[1] == 3) assert_int_equal(stats.run_all_us, ran[0] ? all_us : dearest_us);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_policy_close(policy);
}

static void test_variants(void **state)
{
    (void)state;
    struct few_zoo *zoo = variant_zoo();
    size_t ran[2];
    run_variants(zoo, "run_all", (struct few_session_opts){0}, ran);
    assert_int_equal(ran[0], 0);
    assert_int_equal(ran[1], 3);
    run_variants(zoo, "run_all", (struct few_session_opts){.all_variants = true}, ran);
    assert_int_equal(ran[0], 3);
    assert_int_equal(ran[1], 3);
    run_variants(zoo, "run_all", (struct few_session_opts){.purpose = FEW_RECORD}, ran);
    assert_int_equal(ran[0], 3);
    assert_int_equal(ran[1], 3);
    run_variants(zoo, "random:2", (struct few_session_opts){0}, ran); // the quick one is sure of a number
    assert_int_equal(ran[0], 3);
    assert_int_equal(ran[1], 0);
    few_zoo_close(zoo);
}

static void test_the_base_is_in_the_configuration(void **state)
{
    (void)state;
    struct few_zoo *zoo = variant_zoo();
    struct few__store *store;
    const struct few_session_opts opts = {.store = t_path("run.db"), .notes_json = "{\"note\": 1}"};
    w_run(zoo, "run_all", opts, paths, 1, SIZE_MAX, NULL, NULL);
    assert_status(few__store_open(opts.store, NULL, &store, &err), FEW_OK, &err);
    assert_non_null(strstr(few__store_config(store), "\"base\": \"dearest of each variant group\""));
    assert_non_null(strstr(few__store_config(store), "\"policy\": \"run_all\""));
    assert_string_equal(few__store_notes(store), "{\"note\": 1}");
    few__store_close(store, NULL);
    few_zoo_close(zoo);
}

/* ---- policies that learned ---- */

static void test_learned_policies_share_lanes_and_memory(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(large, 3, 4);
    struct few_session_stats stats;
    char trace[W_PATH], spec[W_PATH + 16], run[W_PATH];
    snprintf(trace, sizeof trace, "%s", t_path("trace.db"));
    snprintf(run, sizeof run, "%s", t_path("run.db"));
    uint64_t room = record_large(zoo, trace) / 2 * 3;
    const char *const kinds[] = {"static", "q_greedy"};
    const struct few_session_opts opts[] = {
        {.lanes = 1}, {.lanes = 2, .in_flight = 3}, {.lanes = 2, .memory_bytes = room}};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < 3; i++) {
            snprintf(spec, sizeof spec, "%s:%s", kinds[k], trace);
            w_run(zoo, spec, opts[i], paths, 4, SIZE_MAX, NULL, &stats);
            w_counts_add_up(&stats, 4, 3);
            assert_int_equal(stats.counts[FEW_EXECUTED], 12); // nothing hurries them
        }

    // The trace's bytes are a part of what decides results.
    snprintf(spec, sizeof spec, "static:%s", trace);
    w_run(zoo, spec, (struct few_session_opts){.store = run}, paths, 4, 2, NULL, NULL);
    assert_int_equal(remove(trace), 0);
    w_run(zoo, "run_all", (struct few_session_opts){.purpose = FEW_RECORD, .store = trace}, paths, 3,
          SIZE_MAX, NULL, NULL);
    struct few_policy *policy;
    struct few_session *session;
    const struct few_session_opts again = w_opts((struct few_session_opts){.store = run, .resume = true});
    assert_status(few_policy_open(spec, zoo, &policy, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, policy, &again, &session, &err), FEW_EVERSION, &err);
    few_policy_close(policy);
    few_zoo_close(zoo);
}

/* ---- forecasts ---- */

static void test_a_forecast(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session *session;
    const struct few_result *result;
    struct few_forecast forecast = {.size = sizeof forecast}, wrong = {0};
    const char *names[N];
    struct few_session_opts opts =
        w_opts((struct few_session_opts){.lanes = 1, .in_flight = 1, .store = t_path("run.db")});
    for (size_t i = 0; i < N; i++) names[i] = paths[i];
    struct few_items *list = w_items(names, N, NULL);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_forecast(session, list, &wrong, &err), FEW_EINVAL, &err);
    assert_status(few_session_forecast(session, list, &forecast, &err), FEW_OK, &err);
    assert_int_equal(forecast.items, N);
    assert_int_equal(forecast.kept, 0);
    assert_int_equal(forecast.bytes, N * (54 + 24 * 6));
    assert_near(forecast.models, 2, 0);
    assert_true(forecast.runs[0] && forecast.runs[1]);
    assert_int_equal(forecast.item_us, forecast.run_all_us); // one lane, no deadline
    assert_int_equal(forecast.total_us, N * forecast.item_us);
    assert_true(forecast.store_bytes > (uint64_t)N * FEW__STORE_THUMBNAIL);
    for (size_t i = 0; i < 5; i++) {
        assert_status(few_session_submit(session, names[i], &err), FEW_OK, &err);
        assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
    }
    assert_status(few_session_forecast(session, list, &forecast, &err), FEW_OK, &err);
    assert_int_equal(forecast.items, N - 5);
    assert_int_equal(forecast.kept, 5);
    assert_status(few_session_close(session, &err), FEW_OK, &err);

    opts.store = NULL;
    opts.deadline_us = 2; // shorter than the slow model
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_forecast(session, list, &forecast, &err), FEW_OK, &err);
    assert_false(forecast.runs[1]);
    assert_true(forecast.item_us <= 2 && forecast.models < 2);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(list);
    few_zoo_close(zoo);
}

/* ---- replay ---- */

// The zoo of a trace's own answers; `file` of its models: the trace.
static struct few_zoo *replay_zoo(const char *trace)
{
    char text[2 * W_PATH + 512];
    struct few_zoo *zoo;
    int n = snprintf(text, sizeof text,
                     "version: 1\nmodels:\n"
                     "  - name: m0\n    backend: replay\n    file: %s\n    input: {size: [4, 4]}\n"
                     "    output: {kind: scalar, empty: -1}\n    cost: {time_ms: 0.1}\n"
                     "  - name: m1\n    backend: replay\n    file: %s\n    input: {size: [4, 4]}\n"
                     "    output: {kind: scalar, empty: -2}\n    cost: {time_ms: 0.1}\n",
                     trace, trace);
    t_write(t_path("replay.yaml"), text, (size_t)n);
    const struct few_zoo_opts opts = {.size = sizeof opts};
    assert_status(few_zoo_open(t_path("replay.yaml"), &opts, &zoo, &err), FEW_OK, &err);
    return zoo;
}

static void test_answers_are_replayed(void **state)
{
    (void)state;
    struct few_zoo *zoo = new_world(two, 2, N);
    struct few_session_stats stats;
    char trace[W_PATH], run[W_PATH];
    snprintf(trace, sizeof trace, "%s", t_path("trace.db"));
    snprintf(run, sizeof run, "%s", t_path("run.db"));
    w_run(zoo, "run_all", (struct few_session_opts){.purpose = FEW_RECORD, .store = trace}, paths, N - 1,
          SIZE_MAX, NULL, NULL);
    struct few_zoo *replay = replay_zoo(trace);
    w_run(replay, "run_all", (struct few_session_opts){.store = run, .lanes = 3, .in_flight = 4}, paths, N,
          SIZE_MAX, NULL, &stats);
    w_counts_add_up(&stats, N, 2);
    assert_int_equal(stats.counts[FEW_EXECUTED], 2 * (N - 1));
    assert_int_equal(stats.counts[FEW_FAILED], 2); // the item that the trace does not have
    char *expected = w_lines(trace), *lines = w_lines(run);
    assert_memory_equal(lines, expected, strlen(expected));
    assert_int_equal(w_count(lines + strlen(expected), "has no item of digest"), 2);
    free(expected);
    free(lines);
    few_zoo_close(replay);
    few_zoo_close(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_come_in_the_order_of_submission),
        cmocka_unit_test(test_lanes_change_no_output),
        cmocka_unit_test(test_closing_with_items_in_flight),
        cmocka_unit_test(test_deadlines_with_several_in_flight),
        cmocka_unit_test(test_options_have_limits),
        cmocka_unit_test(test_batches_change_no_output),
        cmocka_unit_test(test_everything_runs_within_little_memory),
        cmocka_unit_test(test_a_forecast_within_little_memory),
        cmocka_unit_test(test_a_model_larger_than_the_memory),
        cmocka_unit_test(test_costs_of_the_store_are_used),
        cmocka_unit_test(test_variants),
        cmocka_unit_test(test_the_base_is_in_the_configuration),
        cmocka_unit_test(test_learned_policies_share_lanes_and_memory),
        cmocka_unit_test(test_a_forecast),
        cmocka_unit_test(test_answers_are_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
