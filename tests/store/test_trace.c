// SPDX-License-Identifier: Apache-2.0
// A trace in memory: valuable labels, what is empty, mean times, the split; damaged outputs are named.
#include "store/fixture.h"

#include "store/trace.h"

static struct few__trace *load(const char *path, bool with_outputs)
{
    struct few__trace *trace;
    struct few_error err;
    assert_status(few__trace_load(path, with_outputs, NULL, &trace, &err), FEW_OK, &err);
    return trace;
}

static void test_items_and_times(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 9, true);
    struct few__trace *trace = load(t_path("a.db"), false);
    assert_int_equal(trace->n_items, 8);
    assert_int_equal(trace->n_failed, 1);
    assert_string_equal(trace->items[7].path, "dir/item_7.jpg");
    assert_int_equal(trace->items[7].decode_us, 7);
    assert_int_equal(few__trace_cell(trace, 2, OBJECTS_BIG)->time_us, 302);
    assert_int_equal(few__trace_cell(trace, 2, OBJECTS_BIG)->outcome, FEW_EXECUTED);
    assert_int_equal(few__trace_cell(trace, 3, TAGS)->outcome, FEW_LATE);
    // Tags ran on 0, 1, 2, 4, 5, 6 and took 100 us and as many: 103 in the mean.
    assert_int_equal(trace->catalog.models[TAGS].cost.time_us, 103);
    assert_int_equal(few__trace_cell(trace, 3, TAGS)->time_us, 103);
    assert_int_equal(few__trace_cell(trace, 3, AGE)->time_us, 503);
    few__trace_free(trace);
    few__trace_free(NULL);
}

static void test_stored_cost_without_runs(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 4, false);
    fix_sql(t_path("a.db"), "UPDATE results SET outcome = 3, output = NULL WHERE model = 3");
    struct few__trace *trace = load(t_path("a.db"), false);
    assert_int_equal(trace->catalog.models[OBJECTS_BIG].cost.time_us, 9000);
    assert_int_equal(few__trace_cell(trace, 1, OBJECTS_BIG)->time_us, 9000);
    assert_false(few__trace_cell(trace, 1, OBJECTS_BIG)->empty);
    few__trace_free(trace);
}

static void test_reused_outputs_count_as_executed(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 4, false);
    fix_sql(t_path("a.db"), "UPDATE results SET outcome = 2, time_us = 0 WHERE item = 2 AND model <> 8;"
                            "UPDATE results SET outcome = 2, output = NULL WHERE item = 2 AND model = 8");
    fix_sql(t_path("a.db"), "UPDATE models SET weights_bytes = 5, load_us = 6, more_us = 7 WHERE id = 1");
    struct few__trace *trace = load(t_path("a.db"), true);
    const struct few__trace_cell *cell = few__trace_cell(trace, 2, TAGS);
    assert_int_equal(cell->outcome, FEW_EXECUTED);
    assert_int_equal(cell->n_valuable, 1);
    assert_int_equal(cell->time_us, 101); // of items 0 and 1, 100 and 101; item 3 was late
    assert_int_equal(trace->catalog.models[TAGS].cost.time_us, 101);
    assert_int_equal(trace->catalog.models[TAGS].cost.weights_bytes, 5);
    assert_int_equal(trace->catalog.models[TAGS].cost.load_us, 6);
    assert_int_equal(trace->catalog.models[TAGS].cost.more_us, 7);
    assert_int_equal(few__trace_cell(trace, 2, HAND)->outcome,
                     FEW_REUSED);                                    // without an output it says nothing
    assert_int_equal(few__trace_cell(trace, 2, HAND)->time_us, 801); // 800, 801, 803 in the mean
    few__trace_free(trace);
}

static void test_valuable_and_empty(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 8, false);
    struct few__trace *trace = load(t_path("a.db"), false);
    const struct few_catalog *catalog = &trace->catalog;
    const struct few__trace_cell *cell = few__trace_cell(trace, 2, TAGS);
    assert_int_equal(cell->n_valuable, 1);
    assert_string_equal(catalog->labels[cell->valuable[0].label].name, "b, \"c\"");
    assert_near(cell->valuable[0].confidence, 0.75, 0);
    cell = few__trace_cell(trace, 2, OBJECTS_BIG); // the person is not above the threshold
    assert_int_equal(cell->n_valuable, 1);
    assert_string_equal(catalog->labels[cell->valuable[0].label].name, "dog");
    assert_false(cell->empty);
    assert_true(few__trace_cell(trace, 2, OBJECTS)->empty); // executed, found nothing
    assert_int_equal(few__trace_cell(trace, 2, OBJECTS)->n_valuable, 0);
    cell = few__trace_cell(trace, 2, WORDS);
    assert_int_equal(cell->valuable[0].label, catalog->models[WORDS].own_label);
    assert_near(cell->valuable[0].confidence, 0.625, 0);
    assert_true(few__trace_cell(trace, 3, AGE)->empty); // its need found nothing
    assert_int_equal(few__trace_cell(trace, 3, AGE)->n_valuable, 0);
    assert_false(few__trace_cell(trace, 3, POSE)->empty); // skipped by decision: nobody knows
    assert_null(few__trace_cell(trace, 2, TAGS)->packed);
    few__trace_free(trace);
}

static void test_outputs_are_kept(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few__cell want = {0};
    struct few_output output;
    struct few_error err;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    fix_store(t_path("a.db"), 8, false);
    struct few__trace *trace = load(t_path("a.db"), true);
    for (size_t m = 0; m < MODELS; m++) {
        const struct few__trace_cell *cell = few__trace_cell(trace, 5, m);
        fix_output(&arena, m, 5, &want);
        assert_int_equal(cell->n_packed, want.n_output);
        assert_memory_equal(cell->packed, want.output, want.n_output);
        assert_status(
            few__trace_unpack(&trace->catalog.models[m], cell->packed, cell->n_packed, &arena, &output, &err),
            FEW_OK, &err);
        assert_int_equal(output.kind, trace->catalog.models[m].kind);
    }
    assert_null(few__trace_cell(trace, 3, POSE)->packed);
    few__trace_free(trace);
    few__arena_finish(&arena);
}

static void test_split(void **state)
{
    (void)state;
    // SHA-1 modulo 100, by another program: 4, 20, 21, 1.
    static const char *const paths[] = {"ade_0001.jpg", "x/y/b.jpg", "d.jpg", "/e.jpg"};
    static const int buckets[] = {4, 20, 21, 1};
    t_tmpdir();
    for (size_t i = 0; i < 4; i++) {
        char text[100];
        fix_store(t_path("a.db"), 1, false);
        snprintf(text, sizeof text, "UPDATE items SET path = '%s'", paths[i]);
        fix_sql(t_path("a.db"), text);
        struct few__trace *trace = load(t_path("a.db"), false);
        assert_int_equal(trace->items[0].bucket, buckets[i]);
        few__trace_free(trace);
    }
}

static void test_empty_store(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 0, false);
    struct few__trace *trace = load(t_path("a.db"), true);
    assert_int_equal(trace->n_items, 0);
    assert_int_equal(trace->catalog.n_models, MODELS);
    assert_int_equal(trace->catalog.models[SCENE].cost.time_us, 1500);
    few__trace_free(trace);
}

static void test_damaged_outputs(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"UPDATE results SET output = x'00' WHERE item = 1 AND model = 0", "item 1: model scene: "},
        {"UPDATE results SET output = NULL WHERE item = 1 AND model = 0",
         "item 1: model scene: executed, but there is no output"},
        {"UPDATE results SET output = (SELECT output FROM results WHERE item = 1 AND model = 3) WHERE model "
         "= 0",
         "item 0: model scene: expected an output of kind classes, found detections"},
        {"UPDATE results SET output = (SELECT output FROM results WHERE item = 1 AND model = 3) WHERE model "
         "= 4",
         "item 0: model face: expected labels below"},
        {"UPDATE models SET list = 1 WHERE id = 0", "item 0: model scene: expected 2 numbers, found 3"},
        {"UPDATE models SET list = 1 WHERE id = 7", "item 0: model words: expected labels below 2"},
        {"UPDATE models SET kind = 'box' WHERE id = 6", "item 0: model pose: expected an output of kind box"},
    };
    struct few__trace *trace;
    struct few_error err;
    t_tmpdir();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fix_store(t_path("a.db"), 3, false);
        fix_sql(t_path("a.db"), cases[i].text);
        assert_status(few__trace_load(t_path("a.db"), true, NULL, &trace, &err), FEW_EPARSE, &err);
        assert_null(trace);
        if (!strstr(err.message, cases[i].message) || !strstr(err.message, "a.db: "))
            fail_msg("%s: %s", cases[i].text, err.message);
    }
    assert_status(few__trace_load(t_path("none.db"), true, NULL, &trace, &err), FEW_ENOENT, &err);
}

static enum few_status load_body(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few_env env = {.mem = mem};
    struct few__trace *trace;
    enum few_status status = few__trace_load(t_path("a.db"), true, &env, &trace, NULL);
    few__trace_free(trace);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 20, true);
    t_fail_each_allocation(load_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items_and_times),
        cmocka_unit_test(test_stored_cost_without_runs),
        cmocka_unit_test(test_reused_outputs_count_as_executed),
        cmocka_unit_test(test_valuable_and_empty),
        cmocka_unit_test(test_outputs_are_kept),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_empty_store),
        cmocka_unit_test(test_damaged_outputs),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
