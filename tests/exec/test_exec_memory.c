// SPDX-License-Identifier: Apache-2.0
// What runs take, what is loaded and evicted, and that everything gets its turn.
#include "exec/world.h"

#include <string.h>

enum { SLOTS = 4 };

struct store {
    struct t_world world;
    struct t_script scripts[SLOTS];
    struct few__chooser choosers[SLOTS];
    struct few__exec_log log;
    struct few__exec_opts opts;
    struct t_stream stream;
    bool resident[T_MODELS];
    struct few__exec *exec;
};

/* Models of 100 us that weigh 40 bytes and take 10 while they run, and 30 us to load; memory for two of them. Every item
 * runs all in order. */
static void open_store(struct store *s, size_t n_models, size_t n_slots, size_t n_lanes, size_t n_items)
{
    memset(s, 0, sizeof *s);
    t_world_init(&s->world, n_models);
    struct t_script script = {.n = n_models};
    for (size_t m = 0; m < n_models; m++) {
        script.models[m] = m;
        s->world.costs[m].memory_bytes = 50;
        s->world.costs[m].weights_bytes = 40;
        s->world.costs[m].load_us = 30;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        s->scripts[i] = script;
        s->choosers[i] = t_script_chooser(&s->scripts[i]);
    }
    assert_int_equal(few__exec_log_init(&s->log, NULL, 1 << 16, NULL), FEW_OK);
    s->opts = (struct few__exec_opts){.catalog = &s->world.catalog,
                                      .costs = s->world.costs,
                                      .choosers = s->choosers,
                                      .n_slots = n_slots,
                                      .n_lanes = n_lanes,
                                      .memory_bytes = 100,
                                      .loads = true,
                                      .log = &s->log};
    s->stream = (struct t_stream){.world = &s->world, .n_items = n_items, .deadline_us = FEW__NO_DEADLINE};
}

static void run_store(struct store *s, int64_t end_us, const char *log)
{
    assert_int_equal(t_stream(&s->stream, &s->opts, &s->exec), end_us);
    if (log) t_assert_log(&s->log, &s->world, log);
}

static void close_store(struct store *s)
{
    few__exec_log_finish(&s->log);
    few__exec_destroy(s->exec);
}

static void assert_row(const struct store *s, size_t slot, size_t model, enum few_outcome outcome,
                       enum few__reason reason)
{
    const struct few__exec_row *row = &few__exec_rows(s->exec, slot)[model];
    assert_int_equal(row->outcome, outcome);
    assert_int_equal(row->reason, reason);
}

static void assert_reason(const struct store *s, size_t slot, size_t model, const char *expected)
{
    char text[128];
    few__reason_text(s->exec, slot, model, text, sizeof text);
    assert_string_equal(text, expected);
}

/* ---- create ---- */

static void test_residents_must_fit(void **state)
{
    (void)state;
    struct store s;
    struct few_error err;
    open_store(&s, 3, 1, 1, 0);
    s.opts.resident = s.resident;
    s.resident[0] = s.resident[2] = true;
    assert_status(few__exec_create(&s.opts, &s.exec, &err), FEW_OK, &err);
    assert_int_equal(few__exec_view(s.exec, 0)->memory_bytes, 100);
    assert_true(few__exec_view(s.exec, 0)->resident[2]);
    assert_false(few__exec_view(s.exec, 0)->resident[1]);
    assert_int_equal(few__exec_view(s.exec, 0)->working_bytes[1], 10);
    few__exec_destroy(s.exec);
    s.opts.memory_bytes = 89;
    assert_status(few__exec_create(&s.opts, &s.exec, &err), FEW_EINVAL, &err);
    assert_string_equal(err.message, "model 'c' is loaded: expected at most 89 bytes, found 90 with it");
    assert_null(s.exec);
    close_store(&s);
}

static void test_a_model_larger_than_memory(void **state)
{
    (void)state;
    struct store s;
    for (int loads = 0; loads < 2; loads++) {
        open_store(&s, 3, 1, 1, 1);
        s.opts.loads = loads;
        s.world.costs[0].memory_bytes = 101;
        s.world.models[1].needs = 0;
        run_store(&s, loads ? 130 : 100, NULL);
        assert_row(&s, 0, 0, FEW_SKIPPED, FEW__WHY_NO_MEMORY);
        assert_row(&s, 0, 1, FEW_SKIPPED, FEW__WHY_NEED_MISSING);
        assert_row(&s, 0, 2, FEW_EXECUTED, FEW__WHY_CHOSEN);
        assert_reason(&s, 0, 1, "its need a is larger than the memory budget");
        close_store(&s);
    }
}

/* ---- runs ---- */

// Without loads a run takes all of its memory, and gives it back when it ends, not when its block does.
static void test_memory_comes_back_at_each_completion(void **state)
{
    (void)state;
    struct store s;
    open_store(&s, 3, 1, 3, 1);
    s.opts.loads = false;
    t_world_time(&s.world, 1, 60);
    run_store(&s, 160,
              "0 item 0\n0 start a\n0 start b lane 1\n60 done b ok lane 1\n60 start c lane 1\n100 done a ok\n"
              "160 done c ok lane 1\n160 finish 0\n");
    close_store(&s);
}

static void test_weights_count_while_loaded(void **state)
{
    (void)state;
    struct store s;
    open_store(&s, 2, 2, 3, 2);
    // 80 bytes of weights leave room for two runs at a time, though there are three lanes.
    run_store(
        &s, 260,
        "0 load a\n30 loaded a ok\n30 load b\n60 loaded b ok\n60 item 0\n60 start a\n60 start b lane 1\n"
        "60 item 1 slot 1\n160 done a ok\n160 start a slot 1\n160 done b ok lane 1\n160 finish 0\n"
        "160 start b lane 1 slot 1\n260 done a ok slot 1\n260 done b ok lane 1 slot 1\n260 finish 1 slot "
        "1\n");
    close_store(&s);
}

/* ---- loads ---- */

static void test_warm_loads_by_rank_what_fits(void **state)
{
    (void)state;
    struct store s;
    const size_t rank[] = {3, 0, 1, 2};
    open_store(&s, 4, 1, 1, 0);
    s.opts.rank = rank;
    s.world.costs[0].weights_bytes = 50; // does not fit beside d
    s.world.costs[0].memory_bytes = 90;
    run_store(&s, 60, "0 load d\n30 loaded d ok\n30 load b\n60 loaded b ok\n");
    assert_false(few__exec_loading(s.exec));
    close_store(&s);
}

static void test_a_wish_is_loaded_and_makes_room(void **state)
{
    (void)state;
    struct store s;
    open_store(&s, 3, 1, 1, 2);
    /* c is wished for while nothing runs; a goes, of the lowest index among equals. The second item then wishes for a: b
     * goes, and comes back for c. */
    run_store(&s, 750, NULL);
    t_assert_log(&s.log, &s.world,
                 "0 load a\n30 loaded a ok\n30 load b\n60 loaded b ok\n60 item 0\n60 start a\n160 done a ok\n"
                 "160 start b\n260 done b ok\n");
    close_store(&s);
}

static void test_loading_delays_nobody(void **state)
{
    (void)state;
    struct store s;
    open_store(&s, 2, 1, 1, 1);
    s.opts.memory_bytes = 0;
    s.world.costs[1].load_us = 500;
    struct few_error err;
    struct few__action actions[8];
    assert_status(few__exec_create(&s.opts, &s.exec, &err), FEW_OK, &err);
    const struct few__event warm = {.kind = FEW__EVENT_WARM};
    assert_int_equal(few__exec_step(s.exec, 0, &warm, actions), 1);
    assert_true(few__exec_loading(s.exec));
    struct few__event loaded = {.kind = FEW__EVENT_LOADED, .model = 0};
    assert_int_equal(few__exec_step(s.exec, 30, &loaded, actions), 1);
    assert_int_equal(actions[0].kind, FEW__ACTION_LOAD);
    assert_int_equal(actions[0].model, 1);
    const struct few__event item = {.kind = FEW__EVENT_ITEM, .deadline_us = FEW__NO_DEADLINE, .ready = true};
    assert_int_equal(few__exec_step(s.exec, 40, &item, actions), 1); // while b is being loaded
    assert_int_equal(actions[0].kind, FEW__ACTION_START);
    close_store(&s);
}

static void test_a_load_that_fails(void **state)
{
    (void)state;
    struct store s;
    open_store(&s, 2, 1, 1, 2);
    s.world.models[1].needs = 0;
    s.stream.unloadable = 0;
    s.stream.n_fails = 2; // at first, and for the first item
    run_store(
        &s, 320,
        "0 load a\n30 loaded a failed\n30 load b\n60 loaded b ok\n60 item 0\n60 load a\n90 loaded a failed\n"
        "90 finish 0\n90 item 1\n90 load a\n120 loaded a ok\n120 start a\n220 done a ok\n220 start b\n"
        "320 done b ok\n320 finish 1\n");
    close_store(&s);
    open_store(&s, 2, 1, 1, 1);
    s.world.models[1].needs = 0;
    s.stream.n_fails = 2;
    run_store(&s, 90, NULL);
    assert_row(&s, 0, 0, FEW_FAILED, FEW__WHY_NOT_LOADED);
    assert_row(&s, 0, 1, FEW_SKIPPED, FEW__WHY_NEED_FAILED);
    assert_reason(&s, 0, 0, "could not be loaded");
    close_store(&s);
}

// What would be loaded too late for the item is not waited for, but is loaded where there is room.
static void test_a_wish_that_comes_too_late(void **state)
{
    (void)state;
    struct store s;
    open_store(&s, 3, 1, 1, 0);
    s.opts.resident = s.resident;
    s.resident[0] = true;
    s.stream.deadline_us = 125; // 30 + 100 are too much
    struct few_error err;
    struct few__action actions[8];
    assert_status(few__exec_create(&s.opts, &s.exec, &err), FEW_OK, &err);
    s.scripts[0] = (struct t_script){.n = 2, .models = {0, 1}};
    struct few__event item = {.kind = FEW__EVENT_ITEM, .deadline_us = 225, .ready = true};
    assert_int_equal(few__exec_step(s.exec, 0, &item, actions), 1);
    (void)item;
    close_store(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_residents_must_fit),
        cmocka_unit_test(test_a_model_larger_than_memory),
        cmocka_unit_test(test_memory_comes_back_at_each_completion),
        cmocka_unit_test(test_weights_count_while_loaded),
        cmocka_unit_test(test_warm_loads_by_rank_what_fits),
        cmocka_unit_test(test_a_wish_is_loaded_and_makes_room),
        cmocka_unit_test(test_loading_delays_nobody),
        cmocka_unit_test(test_a_load_that_fails),
        cmocka_unit_test(test_a_wish_that_comes_too_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
