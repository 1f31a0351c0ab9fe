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
        run_store(&s, loads ? 160 : 100, NULL);
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
    // For c the one that is worth less goes: b, by its rank. On the second item a has nothing left to do when b comes.
    run_store(
        &s, 720,
        "0 load a\n30 loaded a ok\n30 load b\n60 loaded b ok\n60 item 0\n60 start a\n160 done a ok\n"
        "160 start b\n260 done b ok\n260 evict b\n260 load c\n290 loaded c ok\n290 start c\n390 done c ok\n"
        "390 finish 0\n390 item 1\n390 start a\n490 done a ok\n490 evict a\n490 load b\n520 loaded b ok\n"
        "520 start b\n620 done b ok\n620 start c\n720 done c ok\n720 finish 1\n");
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
    const struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = FEW__NO_DEADLINE, .ready = true, .has_parts = FEW__ALL_PARTS};
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

/* ---- what goes, and when ---- */

struct wisher { // starts `start` if it can, then waits for it or stops, and wishes for `wish`
    size_t start, wish;
    enum few__answer then;
};

static void choose_wish(void *self, const struct few__view *view, struct few__choice *choice)
{
    const struct wisher *wisher = self;
    bool over = wisher->start != SIZE_MAX && view->states[wisher->start] == FEW__DONE;
    choice->answer = over ? FEW__STOP : wisher->then;
    choice->wish = wisher->wish;
    if (wisher->start == SIZE_MAX || !few__view_ready(view, wisher->start)) return;
    if (!few__view_has_memory(view, wisher->start)) return;
    choice->answer = FEW__START;
    choice->models[choice->n++] = wisher->start;
}

static struct few__chooser wish_chooser(struct wisher *wisher)
{
    return (struct few__chooser){.self = wisher, .name = "wisher", .choose = choose_wish};
}

static size_t step(struct store *s, int64_t now_us, struct few__event event, struct few__action *actions)
{
    return few__exec_step(s->exec, now_us, &event, actions);
}

static void begin_store(struct store *s)
{
    struct few_error err;
    s->opts.resident = s->resident;
    assert_status(few__exec_create(&s->opts, &s->exec, &err), FEW_OK, &err);
}

static struct few__event new_item(size_t slot, int64_t deadline_us)
{
    return (struct few__event){.kind = FEW__EVENT_ITEM,
                               .slot = slot,
                               .item = slot,
                               .deadline_us = deadline_us,
                               .ready = true,
                               .has_parts = FEW__ALL_PARTS};
}

static const struct few__part found = {.result = FEW__RESULT_OK};

static struct few__event done_on(size_t lane)
{
    return (struct few__event){.kind = FEW__EVENT_DONE, .lane = lane, .parts = &found};
}

static void test_a_model_in_use_is_not_evicted(void **state)
{
    (void)state;
    struct store s;
    struct few__action actions[16];
    struct wisher runs_a = {.start = 0, .wish = 0, .then = FEW__WAIT},
                  wants_c = {.start = 2, .wish = 2, .then = FEW__WAIT};
    open_store(&s, 4, 2, 3, 0);
    s.choosers[0] = wish_chooser(&runs_a), s.choosers[1] = wish_chooser(&wants_c);
    s.resident[0] = s.resident[1] = true;
    s.world.costs[0].load_us = 1; // is worth little, but it runs
    begin_store(&s);
    assert_int_equal(step(&s, 0, new_item(0, FEW__NO_DEADLINE), actions), 1);
    assert_int_equal(step(&s, 5, new_item(1, FEW__NO_DEADLINE), actions), 2);
    assert_int_equal(actions[0].kind, FEW__ACTION_EVICT);
    assert_int_equal(actions[0].model, 1);
    assert_int_equal(actions[1].kind, FEW__ACTION_LOAD);
    assert_int_equal(actions[1].model, 2);
    close_store(&s);
}

// What has to go for a wish takes no new runs, so that the wish is not starved by a stream of them.
static void test_what_has_to_go_ends_its_runs_first(void **state)
{
    (void)state;
    struct store s;
    struct few__action actions[16];
    struct wisher runs_a = {.start = 0, .wish = 0, .then = FEW__WAIT},
                  wants_c = {.start = 2, .wish = 2, .then = FEW__WAIT};
    open_store(&s, 3, 3, 3, 0);
    s.opts.memory_bytes = 90;
    s.world.costs[0].memory_bytes = s.world.costs[0].weights_bytes =
        80; // working memory 0: nothing else limits it
    s.choosers[0] = wish_chooser(&runs_a), s.choosers[1] = wish_chooser(&wants_c);
    s.choosers[2] = wish_chooser(&runs_a);
    s.resident[0] = true;
    begin_store(&s);
    assert_int_equal(step(&s, 0, new_item(0, FEW__NO_DEADLINE), actions), 1);
    assert_int_equal(step(&s, 5, new_item(1, FEW__NO_DEADLINE), actions), 0);
    assert_true(few__exec_loading(s.exec));
    assert_int_equal(step(&s, 10, new_item(2, FEW__NO_DEADLINE), actions), 0); // does not get to run a
    assert_false(few__exec_view(s.exec, 2)->resident[0]);
    assert_int_equal(step(&s, 100, done_on(0), actions), 3);
    assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
    assert_int_equal(actions[1].kind, FEW__ACTION_EVICT);
    assert_int_equal(actions[1].model, 0);
    assert_int_equal(actions[2].kind, FEW__ACTION_LOAD);
    assert_int_equal(actions[2].model, 2);
    close_store(&s);
}

// A wish that has gone gives the models back that were to go for it, to items that wait as well.
static void test_what_was_to_go_stays_when_nobody_wishes(void **state)
{
    (void)state;
    struct store s;
    struct few__action actions[16];
    struct wisher runs_a = {.start = 0, .wish = 0, .then = FEW__WAIT},
                  wants_c = {.start = 2, .wish = 2, .then = FEW__WAIT};
    open_store(&s, 3, 3, 3, 0);
    s.opts.memory_bytes = 90;
    s.world.costs[0].memory_bytes = s.world.costs[0].weights_bytes = 80;
    s.choosers[0] = wish_chooser(&runs_a), s.choosers[1] = wish_chooser(&wants_c);
    s.choosers[2] = wish_chooser(&runs_a);
    s.resident[0] = true;
    begin_store(&s);
    step(&s, 0, new_item(0, FEW__NO_DEADLINE), actions);
    step(&s, 5, new_item(1, 200), actions);
    step(&s, 10, new_item(2, FEW__NO_DEADLINE), actions);
    const struct few__event deadline = {.kind = FEW__EVENT_DEADLINE, .slot = 1};
    assert_int_equal(step(&s, 200, deadline, actions), 2); // it is finished, and the third one runs a
    assert_row(&s, 1, 2, FEW_SKIPPED, FEW__WHY_NOT_LOADED);
    assert_row(&s, 1, 1, FEW_SKIPPED, FEW__WHY_DEADLINE);
    assert_reason(&s, 1, 2, "not loaded in time");
    assert_int_equal(actions[1].kind, FEW__ACTION_START);
    assert_int_equal(actions[1].slot, 2);
    assert_false(few__exec_loading(s.exec));
    close_store(&s);
}

// Room for a wish is not given to new runs.
static void test_free_memory_is_kept_for_a_wish(void **state)
{
    (void)state;
    struct store s;
    struct few__action actions[16];
    struct wisher runs_a = {.start = 0, .wish = 0, .then = FEW__WAIT},
                  wants_b = {.start = 1, .wish = 1, .then = FEW__WAIT};
    open_store(&s, 2, 4, 4, 0);
    s.world.costs[0] =
        (struct few_cost){.time_us = 100, .memory_bytes = 40, .weights_bytes = 10, .load_us = 30};
    s.choosers[0] = wish_chooser(&runs_a), s.choosers[1] = wish_chooser(&runs_a);
    s.choosers[2] = wish_chooser(&wants_b), s.choosers[3] = wish_chooser(&runs_a);
    s.resident[0] = true;
    begin_store(&s);
    step(&s, 0, new_item(0, FEW__NO_DEADLINE), actions);
    step(&s, 0, new_item(1, FEW__NO_DEADLINE), actions);
    assert_int_equal(step(&s, 5, new_item(2, FEW__NO_DEADLINE), actions), 0); // 10 + 2 x 30 + 40 are too much
    assert_int_equal(step(&s, 10, new_item(3, FEW__NO_DEADLINE), actions),
                     0); // may not take the 30 that are left
    assert_int_equal(few__exec_view(s.exec, 3)->free_bytes, 0);
    // Of the 60 that are free when the first run ends 50 are for the load, which begins; a third run has to wait.
    assert_int_equal(step(&s, 100, done_on(0), actions), 2);
    assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
    assert_int_equal(actions[1].kind, FEW__ACTION_LOAD);
    assert_int_equal(few__exec_view(s.exec, 3)->free_bytes, 10);
    close_store(&s);
}

/* ---- loads that nobody waits for ---- */

static void test_a_wish_that_comes_too_late(void **state)
{
    (void)state;
    struct store s;
    struct few__action actions[16];
    struct wisher wisher = {.start = SIZE_MAX, .wish = 1, .then = FEW__STOP};
    open_store(&s, 3, 1, 1, 0);
    s.choosers[0] = wish_chooser(&wisher);
    s.resident[0] = true;
    begin_store(&s);
    // 30 to load and 100 to run: too late for this item, but there is room.
    assert_int_equal(step(&s, 0, new_item(0, 129), actions), 2);
    assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
    assert_int_equal(actions[1].kind, FEW__ACTION_LOAD);
    assert_int_equal(actions[1].model, 1);
    assert_row(&s, 0, 1, FEW_SKIPPED, FEW__WHY_NOT_LOADED);
    assert_row(&s, 0, 2, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    // Now there is none, and c is worth less than the others.
    const struct few__event loaded = {.kind = FEW__EVENT_LOADED, .model = 1};
    assert_int_equal(step(&s, 30, loaded, actions), 0);
    wisher.wish = 2;
    int64_t now = 200;
    size_t n_items = 0;
    while (step(&s, now, new_item(0, now + 129), actions) == 1) now += 200, n_items++;
    // It was wished for so often, and the others were not, that it is.
    assert_in_range(n_items, 2, 30);
    assert_int_equal(actions[1].kind, FEW__ACTION_EVICT);
    assert_int_equal(actions[1].model, 1);
    assert_int_equal(actions[2].kind, FEW__ACTION_LOAD);
    assert_int_equal(actions[2].model, 2);
    close_store(&s);
}

static void wait_too_late(void *ud)
{
    struct store *s = ud;
    struct few__action actions[16];
    step(s, 0, new_item(0, 129), actions);
}

static void test_waiting_for_what_comes_too_late_stops_the_program(void **state)
{
    (void)state;
    struct store s;
    struct few__action actions[16];
    struct wisher wisher = {.start = SIZE_MAX, .wish = 1, .then = FEW__WAIT};
    open_store(&s, 3, 1, 1, 0);
    s.choosers[0] = wish_chooser(&wisher);
    begin_store(&s);
    t_assert_aborts(wait_too_late, &s);
    assert_int_equal(step(&s, 0, new_item(0, 130), actions), 1); // exactly in time
    assert_int_equal(actions[0].kind, FEW__ACTION_LOAD);
    close_store(&s);
}

/* ---- everything gets its turn ---- */

static void test_every_model_gets_its_turn(void **state)
{
    (void)state;
    for (size_t n_slots = 1; n_slots <= SLOTS; n_slots++)
        for (size_t n_lanes = 1; n_lanes <= 4; n_lanes++) {
            struct store s;
            open_store(&s, 8, n_slots, n_lanes, 40);
            for (size_t m = 0; m < 8; m++) s.world.costs[m].memory_bytes = 45 + 5 * m;
            // Each item in another order, so that they want different models at once.
            for (size_t i = 0; i < n_slots; i++)
                for (size_t k = 0; k < 8; k++) s.scripts[i].models[k] = (k * (2 * i + 1) + i) % 8;
            int64_t end_us = t_stream(&s.stream, &s.opts, &s.exec);
            size_t n_starts = 0;
            for (size_t i = 0; i < s.log.n; i++) n_starts += s.log.records[i].kind == FEW__LOG_START;
            assert_int_equal(n_starts, 40 * 8);
            assert_true(end_us <= 60 + 40 * 8 * (100 + 30)); // never worse than one by one
            close_store(&s);
        }
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
        cmocka_unit_test(test_a_model_in_use_is_not_evicted),
        cmocka_unit_test(test_what_has_to_go_ends_its_runs_first),
        cmocka_unit_test(test_what_was_to_go_stays_when_nobody_wishes),
        cmocka_unit_test(test_free_memory_is_kept_for_a_wish),
        cmocka_unit_test(test_a_wish_that_comes_too_late),
        cmocka_unit_test(test_waiting_for_what_comes_too_late_stops_the_program),
        cmocka_unit_test(test_every_model_gets_its_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
