// SPDX-License-Identifier: Apache-2.0
// Several items in flight: whose models go first, reads, cancelled runs, batches, variants. Memory: test_exec_memory.c.
#include "exec/world.h"

#include <string.h>

enum { SLOTS = 4 };

struct flight {
    struct t_world world;
    struct t_script scripts[SLOTS];
    struct few__chooser choosers[SLOTS];
    size_t batch_max[T_MODELS];
    struct few__exec_log log;
    struct few__exec_opts opts;
    struct t_stream stream;
    struct few__exec *exec;
};

static void set_scripts(struct flight *f, struct t_script script)
{
    for (size_t i = 0; i < SLOTS; i++) {
        f->scripts[i] = script;
        f->choosers[i] = t_script_chooser(&f->scripts[i]);
    }
}

// n_models of 100 us without needs; every item runs all of them in order.
static void open_flight(struct flight *f, size_t n_models, size_t n_slots, size_t n_lanes, size_t n_items)
{
    memset(f, 0, sizeof *f);
    t_world_init(&f->world, n_models);
    struct t_script script = {.n = n_models};
    for (size_t m = 0; m < n_models; m++) script.models[m] = m;
    set_scripts(f, script);
    assert_int_equal(few__exec_log_init(&f->log, NULL, 256, NULL), FEW_OK);
    f->opts = (struct few__exec_opts){.catalog = &f->world.catalog,
                                      .costs = f->world.costs,
                                      .choosers = f->choosers,
                                      .n_slots = n_slots,
                                      .n_lanes = n_lanes,
                                      .log = &f->log};
    f->stream = (struct t_stream){.world = &f->world, .n_items = n_items, .deadline_us = FEW__NO_DEADLINE};
}

static void fly(struct flight *f, int64_t end_us, const char *log)
{
    assert_int_equal(t_stream(&f->stream, &f->opts, &f->exec), end_us);
    t_assert_log(&f->log, &f->world, log);
}

static void close_flight(struct flight *f)
{
    few__exec_log_finish(&f->log);
    few__exec_destroy(f->exec);
}

static void assert_row(const struct flight *f, size_t slot, size_t model, enum few_outcome outcome,
                       enum few__reason reason)
{
    const struct few__exec_row *row = &few__exec_rows(f->exec, slot)[model];
    assert_int_equal(row->outcome, outcome);
    assert_int_equal(row->reason, reason);
}

static void assert_reason(const struct flight *f, size_t slot, size_t model, const char *expected)
{
    char text[128];
    few__reason_text(f->exec, slot, model, text, sizeof text);
    assert_string_equal(text, expected);
}

/* ---- lanes and slots ---- */

static void test_older_items_go_first(void **state)
{
    (void)state;
    struct flight f;
    open_flight(&f, 3, 2, 2, 2);
    t_world_time(&f.world, 1, 50);
    // The second item gets the lanes that the first one leaves.
    fly(&f, 300,
        "0 item 0\n0 start a\n0 start b lane 1\n0 item 1 slot 1\n50 done b ok lane 1\n50 start c lane 1\n"
        "100 done a ok\n100 start a slot 1\n150 done c ok lane 1\n150 finish 0\n150 start b lane 1 slot 1\n"
        "200 done a ok slot 1\n200 start c slot 1\n200 done b ok lane 1 slot 1\n300 done c ok slot 1\n"
        "300 finish 1 slot 1\n");
    close_flight(&f);
}

static void test_last_leaves_lanes_to_others(void **state)
{
    (void)state;
    struct flight f;
    open_flight(&f, 2, 2, 2, 2);
    struct t_script one = f.scripts[0];
    one.last = true;
    set_scripts(&f, one);
    fly(&f, 200,
        "0 item 0\n0 start a\n0 item 1 slot 1\n0 start a lane 1 slot 1\n100 done a ok\n100 start b\n"
        "100 done a ok lane 1 slot 1\n100 start b lane 1 slot 1\n200 done b ok\n200 finish 0\n"
        "200 done b ok lane 1 slot 1\n200 finish 1 slot 1\n");
    close_flight(&f);
}

static void test_a_slot_is_taken_until_its_cancelled_run_ends(void **state)
{
    (void)state;
    struct flight f;
    open_flight(&f, 1, 1, 1, 0);
    struct few_error err;
    struct few__action actions[2];
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    const struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = 50, .ready = true, .has_parts = FEW__ALL_PARTS};
    const struct few__event deadline = {.kind = FEW__EVENT_DEADLINE};
    assert_true(few__exec_slot_free(f.exec, 0));
    assert_int_equal(few__exec_step(f.exec, 0, &item, actions), 1);
    assert_int_equal(few__exec_step(f.exec, 50, &deadline, actions), 2);
    assert_int_equal(actions[0].kind, FEW__ACTION_CANCEL);
    assert_int_equal(actions[1].kind, FEW__ACTION_FINISH);
    assert_false(few__exec_slot_free(f.exec, 0));
    // What it says now is not heard, whatever it is.
    const struct few__part part = {.result = FEW__RESULT_OK};
    const struct few__event done = {.kind = FEW__EVENT_DONE, .parts = &part};
    assert_int_equal(few__exec_step(f.exec, 70, &done, actions), 0);
    assert_row(&f, 0, 0, FEW_LATE, FEW__WHY_DEADLINE);
    assert_true(few__exec_slot_free(f.exec, 0));
    t_assert_log(
        &f.log, &f.world,
        "0 item 0 deadline 50\n0 start a\n50 deadline\n50 cancel a\n50 finish 0\n70 done a canceled\n");
    close_flight(&f);
}

// A cancelled run keeps its lane from other items as well.
static void test_a_cancelled_run_keeps_its_lane(void **state)
{
    (void)state;
    struct flight f;
    open_flight(&f, 1, 2, 1, 0);
    struct few_error err;
    struct few__action actions[3];
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = 50, .ready = true, .has_parts = FEW__ALL_PARTS};
    const struct few__event deadline = {.kind = FEW__EVENT_DEADLINE};
    few__exec_step(f.exec, 0, &item, actions);
    few__exec_step(f.exec, 50, &deadline, actions);
    item.slot = 1, item.deadline_us = 500;
    assert_int_equal(few__exec_step(f.exec, 60, &item, actions), 0);
    const struct few__part part = {.result = FEW__RESULT_CANCELED};
    struct few__event done = {.kind = FEW__EVENT_DONE}; // of a cancelled run: its parts are not looked at
    assert_int_equal(few__exec_step(f.exec, 70, &done, actions), 1);
    done.parts = &part;
    assert_int_equal(actions[0].kind, FEW__ACTION_START);
    assert_int_equal(actions[0].slots[0], 1);
    // CANCELED before the deadline: the driver ended it, so it has failed.
    assert_int_equal(few__exec_step(f.exec, 90, &done, actions), 1);
    assert_row(&f, 1, 0, FEW_FAILED, FEW__WHY_FAILED);
    close_flight(&f);
}

/* ---- reads ---- */

static void test_items_are_read_on_lanes(void **state)
{
    (void)state;
    struct flight f;
    open_flight(&f, 1, 2, 1, 3);
    f.stream.read_us = 10;
    f.stream.unreadable = 2;
    fly(&f, 230,
        "0 item 0\n0 read\n0 item 1 slot 1\n10 has read ok\n10 start a\n110 done a ok\n110 finish 0\n"
        "110 read slot 1\n110 item 2\n120 has read failed slot 1\n120 finish 1 slot 1\n120 read\n"
        "130 has read ok\n130 start a\n230 done a ok\n230 finish 2\n");
    assert_row(&f, 1, 0, FEW_FAILED, FEW__WHY_ITEM_FAILED);
    assert_reason(&f, 1, 0, "the item could not be read");
    close_flight(&f);
}

static void test_a_read_that_is_late(void **state)
{
    (void)state;
    struct flight f;
    open_flight(&f, 1, 1, 1, 1);
    f.stream.read_us = 60;
    f.stream.deadline_us = 50;
    fly(&f, 60, "0 item 0 deadline 50\n0 read\n50 deadline\n50 finish 0\n60 has read canceled\n");
    assert_row(&f, 0, 0, FEW_SKIPPED, FEW__WHY_DEADLINE);
    close_flight(&f);
}

// A driver may notice the end of a read before its own timer.
static void test_a_read_after_the_deadline(void **state)
{
    (void)state;
    struct flight f;
    struct few_error err;
    struct few__action actions[2];
    open_flight(&f, 1, 1, 1, 0);
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    const struct few__event item = {.kind = FEW__EVENT_ITEM, .deadline_us = 50};
    const struct few__event read = {.kind = FEW__EVENT_READ, .has_parts = FEW__ALL_PARTS};
    assert_int_equal(few__exec_step(f.exec, 0, &item, actions), 1);
    assert_int_equal(few__exec_step(f.exec, 51, &read, actions), 1);
    assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
    assert_row(&f, 0, 0, FEW_SKIPPED, FEW__WHY_DEADLINE);
    assert_true(few__exec_slot_free(f.exec, 0));
    close_flight(&f);
}

/* ---- batches ---- */

// One model of which a run takes two items: the first arrives alone, the next two together.
static void open_batches(struct flight *f, size_t n_items, int64_t deadline_us)
{
    open_flight(f, 1, 3, 1, n_items);
    f->batch_max[0] = 2;
    f->opts.batch_max = f->batch_max;
    f->world.costs[0].more_us = 20;
    f->stream.deadline_us = deadline_us;
}

static void test_items_share_a_run(void **state)
{
    (void)state;
    struct flight f;
    open_batches(&f, 4, FEW__NO_DEADLINE);
    fly(&f, 320,
        "0 item 0\n0 start a\n0 item 1 slot 1\n0 item 2 slot 2\n100 done a ok\n100 finish 0\n100 start a "
        "slot 1\n"
        "100 join a slot 2\n100 item 3\n220 done a ok slot 1\n220 done a ok slot 2\n220 finish 1 slot 1\n"
        "220 finish 2 slot 2\n220 start a\n320 done a ok\n320 finish 3\n");
    close_flight(&f);
}

struct valued { // a script whose models are worth something
    struct t_script script;
    double worth;
};

static void choose_valued(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct valued *valued = self;
    struct few__chooser script = t_script_chooser(&valued->script);
    script.choose(script.self, view, choice);
    if (choice->answer == FEW__START) choice->worths[0] = valued->worth;
}

static void test_what_joins_is_worth_what_its_own_policy_says(void **state)
{
    (void)state;
    struct flight f;
    struct valued valued[3];
    open_batches(&f, 3, FEW__NO_DEADLINE);
    for (size_t i = 0; i < 3; i++) {
        valued[i] = (struct valued){.script = {.n = 1}, .worth = (double)(i + 1)};
        f.choosers[i] = (struct few__chooser){.self = &valued[i], .name = "valued", .choose = choose_valued};
    }
    t_stream(&f.stream, &f.opts, &f.exec);
    assert_int_equal(few__exec_rows(f.exec, 2)[0].n_items, 2);
    for (size_t i = 0; i < 3; i++) assert_near(few__exec_rows(f.exec, i)[0].worth, (double)(i + 1), 0);
    close_flight(&f);
}

static void test_a_run_is_never_shared_past_a_deadline(void **state)
{
    (void)state;
    struct flight f;
    open_batches(&f, 3, 220); // together they end exactly then
    fly(&f, 220,
        "0 item 0 deadline 220\n0 start a\n0 item 1 deadline 220 slot 1\n0 item 2 deadline 220 slot 2\n"
        "100 done a ok\n100 finish 0\n100 start a slot 1\n100 join a slot 2\n220 done a ok slot 1\n"
        "220 done a ok slot 2\n220 deadline slot 1\n220 finish 1 slot 1\n220 deadline slot 2\n220 finish 2 "
        "slot 2\n");
    close_flight(&f);
    open_batches(&f, 3, 219); // alone one is in time, together both would be late
    fly(&f, 219,
        "0 item 0 deadline 219\n0 start a\n0 item 1 deadline 219 slot 1\n0 item 2 deadline 219 slot 2\n"
        "100 done a ok\n100 finish 0\n100 start a slot 1\n200 done a ok slot 1\n200 finish 1 slot 1\n"
        "200 start a slot 2\n219 deadline slot 2\n219 cancel a\n219 finish 2 slot 2\n219 done a canceled "
        "slot 2\n");
    close_flight(&f);
    open_batches(&f, 3, 220);
    f.opts.keep_pace = true;
    f.world.costs[0].more_us = 0; // as long as the first
    fly(&f, 220,
        "0 item 0 deadline 220\n0 start a\n0 item 1 deadline 220 slot 1\n0 item 2 deadline 220 slot 2\n"
        "100 done a ok\n100 finish 0\n100 start a slot 1\n200 done a ok slot 1\n200 finish 1 slot 1\n"
        "200 start a slot 2\n220 deadline slot 2\n220 cancel a\n220 finish 2 slot 2\n220 done a canceled "
        "slot 2\n");
    close_flight(&f);
}

static void test_a_run_is_shared_only_with_those_that_agree(void **state)
{
    (void)state;
    struct flight f;
    open_batches(&f, 3, FEW__NO_DEADLINE);
    f.scripts[1].n = 0; // stops at once
    fly(&f, 200,
        "0 item 0\n0 start a\n0 item 1 slot 1\n0 item 2 slot 2\n100 done a ok\n100 finish 0\n"
        "100 finish 1 slot 1\n100 start a slot 2\n200 done a ok slot 2\n200 finish 2 slot 2\n");
    close_flight(&f);
    // Nor beyond what memory takes: 6 for one, 4 more for each further item.
    open_batches(&f, 3, FEW__NO_DEADLINE);
    f.world.costs[0].memory_bytes = 6;
    f.world.costs[0].weights_bytes = 2;
    f.opts.memory_bytes = 9;
    fly(&f, 300,
        "0 item 0\n0 start a\n0 item 1 slot 1\n0 item 2 slot 2\n100 done a ok\n100 finish 0\n100 start a "
        "slot 1\n"
        "200 done a ok slot 1\n200 finish 1 slot 1\n200 start a slot 2\n300 done a ok slot 2\n300 finish 2 "
        "slot 2\n");
    close_flight(&f);
}

static void choose_both(void *self, const struct few__view *view, struct few__choice *choice)
{
    const bool *quiet = self;
    uint64_t bytes = view->free_bytes;
    choice->answer = FEW__WAIT;
    for (size_t m = 0; m < 2 && !*quiet && choice->n < view->n_free_lanes; m++) {
        if (!few__view_ready(view, m) || view->working_bytes[m] > bytes) continue;
        bytes -= view->working_bytes[m];
        choice->models[choice->n++] = m;
    }
    if (choice->n) choice->answer = FEW__START;
}

// Those that join do not take what the policy was promised for its next model.
static void test_those_that_join_leave_room_for_the_rest(void **state)
{
    (void)state;
    for (uint64_t memory = 109; memory <= 110; memory++) {
        struct flight f;
        struct few_error err;
        struct few__action actions[8];
        bool quiet = true;
        open_flight(&f, 3, 3, 3, 0);
        f.batch_max[0] = 2;
        f.opts.batch_max = f.batch_max;
        f.world.costs[0].memory_bytes = 30;
        f.world.costs[1].memory_bytes = 50;
        f.opts.memory_bytes = memory;
        f.scripts[0] = (struct t_script){.n = 1, .models = {2}};
        f.choosers[1] = f.choosers[2] =
            (struct few__chooser){.self = &quiet, .name = "both", .choose = choose_both};
        assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
        struct few__event item = {.kind = FEW__EVENT_ITEM,
                                  .deadline_us = FEW__NO_DEADLINE,
                                  .ready = true,
                                  .has_parts = FEW__ALL_PARTS};
        for (; item.slot < 3; item.slot++) few__exec_step(f.exec, 0, &item, actions);
        quiet = false;
        const struct few__part part = {.result = FEW__RESULT_OK};
        const struct few__event done = {.kind = FEW__EVENT_DONE, .parts = &part};
        assert_in_range(few__exec_step(f.exec, 100, &done, actions), 3, 4);
        assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
        assert_int_equal(actions[1].model, 0);
        assert_int_equal(actions[1].n_slots, memory == 110 ? 2 : 1); // 2 x 30 and 50
        assert_int_equal(actions[2].model, 1);
        assert_int_equal(actions[2].slots[0], 1);
        close_flight(&f);
    }
}

// A shared run goes on for the item that still waits; the other one's part is not heard.
static void test_a_shared_run_is_cancelled_when_nobody_waits(void **state)
{
    (void)state;
    struct flight f;
    open_batches(&f, 0, 0);
    struct few_error err;
    struct few__action actions[8];
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = 1000, .ready = true, .has_parts = FEW__ALL_PARTS};
    few__exec_step(f.exec, 0, &item, actions);
    item.slot = 1, item.deadline_us = 300;
    few__exec_step(f.exec, 0, &item, actions);
    item.slot = 2, item.deadline_us = 400;
    few__exec_step(f.exec, 0, &item, actions);
    const struct few__part parts[2] = {{.result = FEW__RESULT_OK}, {.result = FEW__RESULT_EMPTY}};
    const struct few__event done = {.kind = FEW__EVENT_DONE, .parts = parts};
    assert_int_equal(few__exec_step(f.exec, 100, &done, actions), 2);
    assert_int_equal(actions[1].n_slots, 2);
    assert_int_equal(
        few__exec_step(f.exec, 300, &(struct few__event){.kind = FEW__EVENT_DEADLINE, .slot = 1}, actions),
        1);
    assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
    assert_false(few__exec_slot_free(f.exec, 1));
    assert_int_equal(few__exec_step(f.exec, 350, &done, actions), 1);
    assert_row(&f, 1, 0, FEW_LATE, FEW__WHY_DEADLINE);
    assert_row(&f, 2, 0, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_false(few__exec_view(f.exec, 2)->found[0]);
    assert_true(few__exec_slot_free(f.exec, 1));
    close_flight(&f);
}

/* ---- limits ---- */

static void test_limits(void **state)
{
    (void)state;
    static struct flight f;
    static struct few__chooser choosers[FEW__SLOTS_MAX + 1];
    static struct t_script scripts[FEW__SLOTS_MAX + 1];
    struct few_error err;
    open_flight(&f, 1, FEW__SLOTS_MAX, 1, FEW__SLOTS_MAX + 1);
    few__exec_log_finish(&f.log);
    assert_int_equal(few__exec_log_init(&f.log, NULL, 4096, NULL), FEW_OK);
    for (size_t i = 0; i <= FEW__SLOTS_MAX; i++) {
        scripts[i] = f.scripts[0];
        choosers[i] = t_script_chooser(&scripts[i]);
    }
    f.batch_max[0] = 100000; // counts as FEW__BATCH_MAX
    f.world.costs[0].more_us = 1;
    f.opts.batch_max = f.batch_max;
    f.opts.choosers = choosers;
    // The first item alone, then all that have arrived meanwhile, and the one that came in its place.
    assert_int_equal(t_stream(&f.stream, &f.opts, &f.exec), 100 + 162 + 100);
    few__exec_destroy(f.exec);
    f.opts.n_slots++;
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_ELIMIT, &err);
    assert_string_equal(err.message, "65 items in flight, expected at most 64");
    close_flight(&f);
}

static enum few_status stream_in(const struct few_mem *mem, void *ud)
{
    struct flight *f = ud;
    const struct few_env env = {.mem = mem};
    struct few_error err;
    int64_t end_us;
    const struct few__sim_stream stream = {0};
    return few__sim_stream(f->exec, &stream, 0, &env, &end_us, &err);
}

static void test_a_stream_without_memory(void **state)
{
    (void)state;
    struct flight f;
    struct few_error err;
    open_flight(&f, 1, 2, 1, 0);
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    t_fail_each_allocation(stream_in, &f);
    close_flight(&f);
}

static void test_steps_allocate_nothing(void **state)
{
    (void)state;
    struct flight f;
    struct few_error err;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    const struct few_env env = {.mem = &mem.mem};
    open_batches(&f, 0, 1000);
    f.opts.env = &env;
    f.opts.loads = f.opts.keep_pace = true;
    f.opts.n_lanes = 2;
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    size_t calls = mem.calls;
    for (uint64_t i = 0; i < 10; i++) few__sim_item(f.exec, i, (int64_t)i * 1000, 500, f.world.truth);
    assert_int_equal(mem.calls, calls);
    close_flight(&f);
    assert_int_equal(mem.live, 0);
}

/* ---- variants ---- */

// a, b and c are variants of 100, 50 and 200 us; d is another model.
static void open_variants(struct flight *f, enum few__variant_rule rule)
{
    open_flight(f, 4, 1, 1, 1);
    for (size_t m = 0; m < 3; m++) f->world.models[m].variant_of = 0;
    t_world_time(&f->world, 1, 50);
    t_world_time(&f->world, 2, 200);
    const struct t_script script = {.n = 4, .models = {1, 0, 2, 3}};
    set_scripts(f, script);
    f->opts.variants = rule;
}

static void test_all_variants(void **state)
{
    (void)state;
    struct flight f;
    open_variants(&f, FEW__VARIANTS_ALL);
    fly(&f, 450,
        "0 item 0\n0 start b\n50 done b ok\n50 start a\n150 done a ok\n150 start c\n350 done c ok\n350 start "
        "d\n"
        "450 done d ok\n450 finish 0\n");
    close_flight(&f);
}

static void test_the_dearest_variant(void **state)
{
    (void)state;
    struct flight f;
    open_variants(&f, FEW__VARIANTS_DEAREST);
    fly(&f, 300, "0 item 0\n0 start c\n200 done c ok\n200 start d\n300 done d ok\n300 finish 0\n");
    assert_row(&f, 0, 0, FEW_SKIPPED, FEW__WHY_VARIANT);
    assert_reason(&f, 0, 1, "a variant of it answers");
    close_flight(&f);
    open_variants(&f, FEW__VARIANTS_DEAREST);
    f.world.models[3].needs = 1;    // which is therefore not left out
    t_world_time(&f.world, 2, 100); // as long as a: the lower index is the dearest
    fly(&f, 250,
        "0 item 0\n0 start b\n50 done b ok\n50 start a\n150 done a ok\n150 start d\n250 done d ok\n250 "
        "finish 0\n");
    assert_row(&f, 0, 2, FEW_SKIPPED, FEW__WHY_VARIANT);
    close_flight(&f);
    open_variants(&f, FEW__VARIANTS_DEAREST);
    f.world.costs[2].memory_bytes = 10; // too large: the next dearest
    f.opts.memory_bytes = 9;
    fly(&f, 200, "0 item 0\n0 start a\n100 done a ok\n100 start d\n200 done d ok\n200 finish 0\n");
    assert_row(&f, 0, 2, FEW_SKIPPED, FEW__WHY_NO_MEMORY);
    assert_reason(&f, 0, 2, "larger than the memory budget");
    close_flight(&f);
}

static void test_the_cascade_goes_on_while_it_is_unsure(void **state)
{
    (void)state;
    struct flight f;
    open_variants(&f, FEW__VARIANTS_CASCADE);
    fly(&f, 150, "0 item 0\n0 start b\n50 done b ok\n50 start d\n150 done d ok\n150 finish 0\n");
    assert_row(&f, 0, 0, FEW_SKIPPED, FEW__WHY_VARIANT);
    assert_row(&f, 0, 2, FEW_SKIPPED, FEW__WHY_VARIANT);
    close_flight(&f);
    open_variants(&f, FEW__VARIANTS_CASCADE);
    f.world.truth[1].unsure = true;
    fly(&f, 250,
        "0 item 0\n0 start b\n50 done b ok unsure\n50 start a\n150 done a ok\n150 start d\n250 done d ok\n"
        "250 finish 0\n");
    assert_row(&f, 0, 2, FEW_SKIPPED, FEW__WHY_VARIANT);
    close_flight(&f);
    open_variants(&f, FEW__VARIANTS_CASCADE);
    f.world.truth[1].result = FEW__RESULT_FAILED;
    f.world.truth[0].unsure = true;
    f.world.truth[0].result = FEW__RESULT_EMPTY;
    fly(&f, 450,
        "0 item 0\n0 start b\n50 done b failed\n50 start a\n150 done a empty unsure\n150 start c\n350 done c "
        "ok\n"
        "350 start d\n450 done d ok\n450 finish 0\n");
    close_flight(&f);
}

static void test_the_cascade_holds_no_needs(void **state)
{
    (void)state;
    struct flight f;
    open_variants(&f, FEW__VARIANTS_CASCADE);
    f.world.models[3].needs = 2; // the dearest is needed: it is neither held nor left out
    f.scripts[0] = (struct t_script){.n = 3, .models = {2, 3, 1}};
    fly(&f, 300, "0 item 0\n0 start c\n200 done c ok\n200 start d\n300 done d ok\n300 finish 0\n");
    assert_row(&f, 0, 0, FEW_SKIPPED, FEW__WHY_VARIANT); // it has answered for the cheaper ones too
    close_flight(&f);
}

static void test_held_variants_end_like_others(void **state)
{
    (void)state;
    struct flight f;
    open_variants(&f, FEW__VARIANTS_CASCADE);
    f.scripts[0] = (struct t_script){.n = 1, .models = {3}};
    f.stream.deadline_us = 250;
    fly(&f, 100, "0 item 0 deadline 250\n0 start d\n100 done d ok\n100 finish 0\n");
    assert_row(&f, 0, 0, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    assert_row(&f, 0, 2, FEW_SKIPPED, FEW__WHY_NO_TIME);
    close_flight(&f);
}

static void start_held(void *ud)
{
    struct flight *f = ud;
    struct few__action actions[2];
    const struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = FEW__NO_DEADLINE, .ready = true, .has_parts = FEW__ALL_PARTS};
    few__exec_step(f->exec, 0, &item, actions);
}

static void start_dearest(void *self, const struct few__view *view, struct few__choice *choice)
{
    (void)self, (void)view;
    choice->answer = FEW__START;
    choice->models[choice->n++] = 2;
}

static void test_starting_a_held_one_stops_the_program(void **state)
{
    (void)state;
    struct flight f;
    struct few_error err;
    open_variants(&f, FEW__VARIANTS_CASCADE);
    f.choosers[0] = (struct few__chooser){.choose = start_dearest};
    assert_status(few__exec_create(&f.opts, &f.exec, &err), FEW_OK, &err);
    t_assert_aborts(start_held, &f);
    close_flight(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_older_items_go_first),
        cmocka_unit_test(test_last_leaves_lanes_to_others),
        cmocka_unit_test(test_a_slot_is_taken_until_its_cancelled_run_ends),
        cmocka_unit_test(test_a_cancelled_run_keeps_its_lane),
        cmocka_unit_test(test_items_are_read_on_lanes),
        cmocka_unit_test(test_a_read_that_is_late),
        cmocka_unit_test(test_a_read_after_the_deadline),
        cmocka_unit_test(test_items_share_a_run),
        cmocka_unit_test(test_what_joins_is_worth_what_its_own_policy_says),
        cmocka_unit_test(test_a_run_is_never_shared_past_a_deadline),
        cmocka_unit_test(test_a_run_is_shared_only_with_those_that_agree),
        cmocka_unit_test(test_those_that_join_leave_room_for_the_rest),
        cmocka_unit_test(test_a_shared_run_is_cancelled_when_nobody_waits),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_a_stream_without_memory),
        cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_all_variants),
        cmocka_unit_test(test_the_dearest_variant),
        cmocka_unit_test(test_the_cascade_goes_on_while_it_is_unsure),
        cmocka_unit_test(test_the_cascade_holds_no_needs),
        cmocka_unit_test(test_held_variants_end_like_others),
        cmocka_unit_test(test_starting_a_held_one_stops_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
