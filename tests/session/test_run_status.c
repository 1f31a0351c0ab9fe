// SPDX-License-Identifier: Apache-2.0
// few_run_status: every field, at rest and while the file is being written; what is no run.
#include "support/support.h"

#include <string.h>
#include <sys/stat.h>

#include <fewer/trace.h>

#include "eval/trace_made.h"

static const struct made_model two[] = {{"find", FEW_DETECTIONS, "a", -1}, {"look", FEW_LABELS, "bc", 0}};
static const struct made_cell whole[] = {{FEW_EXECUTED, 10000, {0.9F}, false},
                                         {FEW_EXECUTED, 30000, {0.7F, 0.2F}, false}};
static const struct made_cell late[] = {{FEW_EXECUTED, 10000, {0.8F}, false}, {FEW_LATE, 5000, {0}, true}};
static const struct made_cell reused[] = {{FEW_REUSED, 0, {0.9F}, false}, {FEW_SKIPPED, 0, {0}, true}};

static struct few_run_status ask(const char *path)
{
    struct few_run_status status = {.size = sizeof status};
    struct few_error err;
    assert_status(few_run_status(path, &status, &err), FEW_OK, &err);
    return status;
}

static void forget(struct few_run_status *status)
{
    few_text_free(status->config);
    few_text_free(status->notes);
}

static void put_failed(struct made_trace *trace)
{
    const struct few__cell cells[2] = {{.outcome = FEW_FAILED, .reason = "no", .start_us = -1},
                                       {.outcome = FEW_FAILED, .reason = "no", .start_us = -1}};
    const struct few__item_row row = {.path = "x",
                                      .status = FEW_EDECODE,
                                      .message = "no",
                                      .deadline_missed = true,
                                      .run_all_us = 7,
                                      FEW__NO_STREAM};
    struct few_error err;
    assert_status(few__store_put(trace->store, &row, cells, &err), FEW_OK, &err);
}

static void test_at_rest(void **state)
{
    (void)state;
    struct made_trace trace;
    struct stat st;
    t_tmpdir();
    made_open(&trace, t_path("a.db"), "run", two, 2);
    made_item(&trace, "a.jpg", 0, whole);
    made_item(&trace, "b.jpg", 0, late);
    made_item(&trace, "c.jpg", 0, reused);
    put_failed(&trace);
    made_close(&trace);
    struct few_run_status status = ask(t_path("a.db"));
    static const uint64_t counts[6] = {
        [FEW_EXECUTED] = 3, [FEW_REUSED] = 1, [FEW_SKIPPED] = 1, [FEW_LATE] = 1, [FEW_FAILED] = 2};
    assert_false(status.busy);
    assert_string_equal(status.purpose, "run");
    assert_int_equal(status.models, 2);
    assert_int_equal(status.items, 4);
    assert_int_equal(status.items_failed, 1);
    assert_int_equal(status.items_planned, 0);
    assert_memory_equal(status.counts, counts, sizeof counts);
    assert_int_equal(status.deadline_missed, 1);
    assert_int_equal(status.spent_us, 55000);
    assert_int_equal(status.run_all_us, 7);
    assert_int_equal(stat(t_path("a.db"), &st), 0);
    assert_int_equal(status.bytes, st.st_size);
    assert_string_equal(status.config, "{}");
    assert_string_equal(status.notes, "{}");
    forget(&status);
}

static void test_while_it_is_written(void **state)
{
    (void)state;
    struct made_trace trace;
    t_tmpdir();
    made_open(&trace, t_path("a.db"), "trace", two, 2);
    struct few_run_status status = ask(t_path("a.db"));
    assert_true(status.busy);
    assert_int_equal(status.items, 0);
    forget(&status);
    for (int i = 0; i < FEW__STORE_BATCH + 3; i++) made_item(&trace, "a.jpg", 0, whole);
    status = ask(t_path("a.db"));
    assert_true(status.busy);
    assert_string_equal(status.purpose, "trace");
    assert_int_equal(status.items, FEW__STORE_BATCH); // what is committed
    assert_int_equal(status.counts[FEW_EXECUTED], 2 * FEW__STORE_BATCH);
    forget(&status);
    made_item(&trace, "a.jpg", 0, whole); // the writer goes on undisturbed
    made_close(&trace);
    status = ask(t_path("a.db"));
    assert_false(status.busy);
    assert_int_equal(status.items, FEW__STORE_BATCH + 4);
    forget(&status);
}

static void plan(uint64_t items_planned, const char *notes, uint64_t expected)
{
    struct few_catalog catalog = {0};
    const struct few__store_new what = {.purpose = "run",
                                        .catalog = &catalog,
                                        .config_json = "{\"a\":1}",
                                        .notes_json = notes,
                                        .items_planned = items_planned,
                                        .overwrite = true};
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    struct few_run_status status = ask(t_path("a.db"));
    assert_int_equal(status.items_planned, expected);
    assert_string_equal(status.config, "{\"a\":1}");
    assert_string_equal(status.notes, notes ? notes : "{}");
    forget(&status);
}

static void test_what_was_planned(void **state)
{
    (void)state;
    t_tmpdir();
    plan(300, NULL, 300);
    plan(300, "{\"items\":7}", 300);
    plan(0, "{\"items\":7}", 7);
    plan(0, "{\"items\":\"many\"}", 0);
    plan(0, "{\"items\":-7}", 0);
    plan(0, "no JSON", 0);
}

static void test_no_run(void **state)
{
    (void)state;
    struct few_run_status status = {.size = 3};
    struct few_error err;
    t_tmpdir();
    assert_status(few_run_status(t_path("none.db"), &status, &err), FEW_EINVAL, &err);
    status.size = sizeof status;
    assert_status(few_run_status(t_path("none.db"), &status, &err), FEW_ENOENT, &err);
    assert_status(few_run_status(t_tmpdir(), &status, &err), FEW_ESTORE, &err);
    t_write(t_path("text.db"), "hello", 5);
    status.config = (char *)"left over";
    assert_status(few_run_status(t_path("text.db"), &status, &err), FEW_ESTORE, &err);
    assert_null(status.config);
    assert_int_equal(status.size, sizeof status);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_rest),
        cmocka_unit_test(test_while_it_is_written),
        cmocka_unit_test(test_what_was_planned),
        cmocka_unit_test(test_no_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
