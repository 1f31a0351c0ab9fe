// SPDX-License-Identifier: Apache-2.0
/* The executor with real threads and made-up models: lanes side by side, items in flight, what is cancelled, what fails,
 * what is loaded. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/rng.h"
#include "exec/exec_live.h"
#include "exec/exec_log.h"
#include "exec/fake_backend.h"

enum { MODELS_MAX = 8, SLOTS_MAX = 4, LOG_MAX = 1 << 16, HOUR_US = 2000000000 };

/* ---- a zoo, and what its models do ---- */

// What model m does on any item. Its value is m * 1000 + the item's number.
struct deed {
    int64_t us;
    bool stubborn;          // goes on after it has been cancelled, until the test opens the gate
    enum few_status status; // FEW_OK, or how it fails
    bool empty;             // finds nothing
    bool pokes;             // the thread that decides, and waits at the gate
    enum few_status load;
};

static struct world {
    struct few_model models[MODELS_MAX];
    struct few__recipe recipes[MODELS_MAX];
    struct few_cost costs[MODELS_MAX];
    char names[MODELS_MAX][8];
    struct few_zoo zoo;
    struct deed deeds[MODELS_MAX]; // read by all threads while it runs, written before
    size_t batch_max[MODELS_MAX];

    struct few__chooser choosers[SLOTS_MAX];
    struct few__live_opts opts;
    struct few__workspace *workspace;
    struct few__live *live;
    struct few__exec_log log;

    atomic_size_t n_running, n_meeting; // runs now; runs that were told to meet
    atomic_size_t n_loads, n_unloads;
    size_t meet;               // so many runs are awaited in each run; 0 = none
    uint64_t items[SLOTS_MAX]; // what a slot reads
    uint64_t unreadable;       // every item whose number it divides; 0 = none
    unsigned parts;            // that items have; 0 = a picture
    const double *gains;       // what items are known to give
} w;

static struct few_error err;

static int64_t now_us(void)
{
    const struct few_env env = few__env(NULL);
    return few__now_us(&env);
}

static enum few_status load(void *ud, const struct few_model *model, struct few_error *e)
{
    (void)ud;
    enum few_status status = w.deeds[model - w.models].load;
    if (status != FEW_OK) return few__fail(e, status, "model '%s' has no file", model->name);
    w.n_loads++;
    return FEW_OK;
}

static void unload(void *ud, const struct few_model *model)
{
    (void)ud;
    (void)model;
    w.n_unloads++;
}

static pthread_mutex_t gate_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_moved = PTHREAD_COND_INITIALIZER;
static bool gate_open;

static void move_gate(bool open)
{
    pthread_mutex_lock(&gate_mutex);
    gate_open = open;
    pthread_cond_broadcast(&gate_moved);
    pthread_mutex_unlock(&gate_mutex);
}

static void wait_at_gate(void)
{
    pthread_mutex_lock(&gate_mutex);
    while (!gate_open) pthread_cond_wait(&gate_moved, &gate_mutex);
    pthread_mutex_unlock(&gate_mutex);
}

// Until so many runs are inside at once; a run that is cancelled leaves.
static void meet(struct few__runner *runner)
{
    w.n_meeting++;
    while (w.n_meeting < w.meet && !t_fake_wait(runner, 200)) continue;
}

static enum few_status answer(void *ud, struct few__runner *runner, const struct few_model *model,
                              const char *digest, struct few__arena *arena, struct few_output *output,
                              struct few_error *e)
{
    (void)ud;
    const struct deed *deed = &w.deeds[model - w.models];
    w.n_running++;
    if (w.meet) meet(runner);
    if (deed->pokes) {
        few__live_poke(w.live);
        wait_at_gate();
    }
    bool canceled = t_fake_wait(runner, deed->us);
    if (canceled && deed->stubborn) wait_at_gate();
    w.n_running--;
    if (canceled) return few__fail(e, FEW_ECANCELED, "cancelled");
    if (deed->status != FEW_OK) return few__fail(e, deed->status, "it is broken");
    *output = (struct few_output){.kind = FEW_SCALAR, .empty = deed->empty, .confidence = 1};
    output->values = FEW__ARENA_NEW(arena, float, 1);
    if (!output->values) return few__no_memory(e, "output");
    output->values[0] = (float)(model - w.models) * 1000 + strtof(digest, NULL);
    output->n = 1;
    return FEW_OK;
}

/* Starts what is ready, the lowest index first; wishes for what is not loaded; waits while that may help. */
static void choose_all(void *self, const struct few__view *view, struct few__choice *choice)
{
    (void)self;
    bool others_run = view->n_free_lanes < view->n_lanes;
    choice->answer = view->n_running > 0 ? FEW__WAIT : FEW__STOP;
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        if (view->states[m] != FEW__PENDING || view->held[m]) continue;
        if (!view->resident[m] && choice->wish == SIZE_MAX) {
            choice->wish = m;
            if (few__view_fits(view, view->costs[m].load_us + few__view_time(view, m)))
                choice->answer = FEW__WAIT;
        }
        if (!few__view_ready(view, m)) continue;
        if (few__view_has_memory(view, m)) {
            choice->answer = FEW__START;
            choice->n = 1;
            choice->models[0] = m;
            return;
        }
        if (others_run) choice->answer = FEW__WAIT;
    }
}

static enum few_status read_slot(void *ud, size_t slot, unsigned *parts, struct few_error *e)
{
    (void)ud;
    char digest[32];
    uint64_t item = w.items[slot];
    if (w.unreadable && item % w.unreadable == 0)
        return few__fail(e, FEW_EDECODE, "item %llu cannot be read", (unsigned long long)item);
    snprintf(digest, sizeof digest, "%llu", (unsigned long long)item);
    few__workspace_begin(w.workspace, slot, NULL, digest);
    *parts = w.parts ? w.parts : 1u << FEW_IMAGE;
    return FEW_OK;
}

static void make(size_t n_models, size_t n_slots, size_t n_lanes)
{
    memset(&w, 0, sizeof w);
    t_fake = (struct t_fake){.load = load, .unload = unload, .answer = answer};
    for (size_t m = 0; m < n_models; m++) {
        snprintf(w.names[m], sizeof w.names[m], "%c", 'a' + (int)m);
        w.models[m] = (struct few_model){.name = w.names[m],
                                         .kind = FEW_SCALAR,
                                         .space = w.names[m],
                                         .own_label = (int32_t)m,
                                         .threshold = 0.5F,
                                         .priority = 1,
                                         .needs = -1,
                                         .variant_of = -1};
        w.recipes[m] = (struct few__recipe){
            .backend = "replay",
            .batch = 1,
            .timeout_us = HOUR_US,
            .input = {.pixels = {.width = 1, .height = 1, .needs = -1, .expand = 1}, .std = {1, 1, 1}}};
        w.costs[m] = (struct few_cost){.time_us = 100, .memory_bytes = 2, .weights_bytes = 1, .load_us = 10};
        w.batch_max[m] = 1;
    }
    static const struct few_label labels[MODELS_MAX] = {{"a", "a"}, {"b", "b"}, {"c", "c"}, {"d", "d"},
                                                        {"e", "e"}, {"f", "f"}, {"g", "g"}, {"h", "h"}};
    w.zoo = (struct few_zoo){
        .env = few__env(NULL), .catalog = {n_models, w.models, MODELS_MAX, labels}, .recipes = w.recipes};
    for (size_t i = 0; i < SLOTS_MAX; i++)
        w.choosers[i] = (struct few__chooser){.name = "all", .choose = choose_all};
    assert_status(few__exec_log_init(&w.log, NULL, LOG_MAX, &err), FEW_OK, &err);
    w.opts = (struct few__live_opts){.exec = {.catalog = &w.zoo.catalog,
                                              .costs = w.costs,
                                              .choosers = w.choosers,
                                              .n_slots = n_slots,
                                              .n_lanes = n_lanes,
                                              .batch_max = w.batch_max,
                                              .log = &w.log},
                                     .recipes = w.recipes,
                                     .read = read_slot};
}

static enum few_status open_world(const struct few_mem *mem)
{
    w.zoo.env.mem = mem ? mem : few__mem_default();
    w.opts.exec.env = &w.zoo.env;
    const struct few__workspace_opts opts = {.n_slots = w.opts.exec.n_slots, .n_lanes = w.opts.exec.n_lanes};
    FEW__TRY(few__workspace_create(&w.zoo, &opts, &w.workspace, &err));
    for (size_t m = 0; !w.opts.exec.loads && m < w.zoo.catalog.n_models; m++)
        FEW__TRY(few__workspace_load(w.workspace, m, &err));
    w.opts.workspace = w.workspace;
    return few__live_create(&w.opts, &w.live, &err);
}

static void open_all(void)
{
    assert_status(open_world(NULL), FEW_OK, &err);
}

static void close_all(void)
{
    few__live_destroy(w.live);
    few__workspace_destroy(w.workspace);
    w.live = NULL;
    w.workspace = NULL;
    assert_int_equal(w.n_running, 0);
    assert_int_equal(w.n_loads, w.n_unloads);
    few__exec_log_finish(&w.log);
}

static void expect_good_log(void)
{
    few__live_settle(w.live);
    assert_int_equal(w.log.lost, 0);
    assert_status(few__exec_check(&w.log, &w.opts.exec, &err), FEW_OK, &err);
}

static size_t begin(uint64_t item, int64_t deadline_us)
{
    size_t slot = SIZE_MAX;
    assert_int_equal(few__live_slot(w.live, &slot), FEW_OK);
    w.items[slot] = item;
    unsigned parts;
    if (!w.opts.read) assert_status(read_slot(NULL, slot, &parts, &err), FEW_OK, &err);
    few__live_begin(w.live, slot, item, deadline_us, w.gains);
    return slot;
}

static size_t finish(void)
{
    size_t slot = SIZE_MAX;
    int64_t end_us = -1;
    assert_int_equal(few__live_wait(w.live, &slot, &end_us), FEW_OK);
    assert_true(end_us > 0 && end_us <= now_us());
    return slot;
}

static const struct few__exec_row *row(size_t slot, size_t model)
{
    return &few__exec_rows(few__live_exec(w.live), slot)[model];
}

// The item says what is true of it, and nothing about what was not executed.
static void check_item(size_t slot, size_t counts[FEW_OUTCOME_COUNT])
{
    for (size_t m = 0; m < w.zoo.catalog.n_models; m++) {
        const struct few_output *output = few__live_output(w.live, slot, m);
        enum few_outcome outcome = row(slot, m)->outcome;
        counts[outcome]++;
        if (outcome == FEW_EXECUTED) {
            assert_non_null(output);
            assert_near(output->values[0], (float)m * 1000 + (float)w.items[slot], 0);
        } else {
            assert_null(output);
        }
        bool item_failed = row(slot, m)->reason == FEW__WHY_ITEM_FAILED;
        assert_int_equal(outcome == FEW_FAILED && !item_failed, few__live_message(w.live, slot, m)[0] != 0);
    }
}

/* Feeds items 1 .. n through all slots and checks each; deadline_us: of each from its arrival, 0 = none. */
static void stream(size_t n, int64_t deadline_us, size_t counts[FEW_OUTCOME_COUNT])
{
    bool seen[1024] = {false};
    size_t next = 1, done = 0, slot;
    while (done < n) {
        while (next <= n && few__live_slot(w.live, &slot) == FEW_OK) {
            assert_int_equal(begin(next, deadline_us ? now_us() + deadline_us : FEW__NO_DEADLINE), slot);
            next++;
        }
        slot = finish();
        assert_false(seen[w.items[slot]]);
        seen[w.items[slot]] = true;
        check_item(slot, counts);
        done++;
    }
    int64_t end_us;
    assert_int_equal(few__live_wait(w.live, &slot, &end_us), FEW_END);
}

/* ---- lanes and items in flight ---- */

// Each run waits inside until the other is inside too: one lane after the other would wait for ever.
static void test_lanes_run_at_once(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    make(2, 1, 2);
    w.meet = 2;
    open_all();
    begin(7, FEW__NO_DEADLINE);
    check_item(finish(), counts);
    assert_int_equal(counts[FEW_EXECUTED], 2);
    expect_good_log();
    close_all();
}

static void test_models_of_two_items_at_once(void **state)
{
    (void)state;
    make(1, 2, 2);
    w.meet = 2;
    open_all();
    begin(1, FEW__NO_DEADLINE);
    begin(2, FEW__NO_DEADLINE);
    size_t slot;
    assert_int_equal(few__live_slot(w.live, &slot), FEW_AGAIN);
    size_t first = finish(), second = finish();
    assert_int_not_equal(first, second);
    expect_good_log();
    close_all();
}

static void test_items_in_flight(void **state)
{
    (void)state;
    for (size_t lanes = 1; lanes <= 3; lanes++) {
        size_t counts[FEW_OUTCOME_COUNT] = {0};
        make(5, SLOTS_MAX, lanes);
        w.models[1].needs = 0;
        w.models[3].needs = 2;
        w.deeds[2].empty = true;
        w.deeds[4].us = 50;
        open_all();
        stream(100, 0, counts);
        assert_int_equal(counts[FEW_EXECUTED], 400); // d has nothing to look at
        assert_int_equal(counts[FEW_SKIPPED], 100);
        expect_good_log();
        close_all();
    }
}

static void test_caller_reads(void **state)
{
    (void)state;
    make(2, 1, 1);
    w.opts.read = NULL;
    open_all();
    begin(3, FEW__NO_DEADLINE);
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    check_item(finish(), counts);
    assert_int_equal(counts[FEW_EXECUTED], 2);
    assert_int_equal(few__live_read_error(w.live, 0)->code, FEW_OK);
    expect_good_log();
    close_all();
}

static void test_batches(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    make(3, SLOTS_MAX, 2);
    for (size_t m = 0; m < 3; m++) {
        w.batch_max[m] = w.recipes[m].batch = 3;
        w.costs[m].more_us = 10;
    }
    w.models[2].needs = 1;
    w.opts.read = NULL; // so that all items are ready from the start
    open_all();
    stream(200, 0, counts);
    assert_int_equal(counts[FEW_EXECUTED], 600);
    expect_good_log();
    size_t joined = 0;
    for (size_t i = 0; i < w.log.n; i++) joined += w.log.records[i].kind == FEW__LOG_JOIN;
    assert_true(joined > 0);
    close_all();
}

/* ---- what goes wrong ---- */

static void test_unreadable_items_fail_alone(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    make(3, 3, 2);
    w.unreadable = 5;
    open_all();
    stream(50, 0, counts);
    assert_int_equal(counts[FEW_FAILED], 10 * 3);
    assert_int_equal(counts[FEW_EXECUTED], 40 * 3);
    size_t slot = begin(10, FEW__NO_DEADLINE);
    assert_int_equal(finish(), slot);
    assert_int_equal(few__live_read_error(w.live, slot)->code, FEW_EDECODE);
    assert_string_equal(few__live_read_error(w.live, slot)->message, "item 10 cannot be read");
    assert_int_equal(row(slot, 0)->reason, FEW__WHY_ITEM_FAILED);
    slot = begin(11, FEW__NO_DEADLINE);
    assert_int_equal(finish(), slot);
    assert_int_equal(few__live_read_error(w.live, slot)->code, FEW_OK);
    expect_good_log();
    close_all();
}

static void test_a_model_fails_alone(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    make(3, 2, 2);
    w.deeds[1].status = FEW_EBACKEND;
    open_all();
    stream(20, 0, counts);
    assert_int_equal(counts[FEW_FAILED], 20);
    assert_int_equal(counts[FEW_EXECUTED], 40);
    assert_string_equal(few__live_message(w.live, 0, 1), "it is broken");
    expect_good_log();
    close_all();
}

static void test_time_out(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    make(3, 1, 2);
    w.deeds[1].us = HOUR_US;
    w.recipes[1].timeout_us = 3000;
    open_all();
    for (size_t k = 0; k < 5; k++) {
        size_t slot = begin(k, FEW__NO_DEADLINE);
        assert_int_equal(finish(), slot);
        check_item(slot, counts);
        assert_int_equal(row(slot, 1)->outcome, FEW_FAILED);
        assert_int_equal(row(slot, 1)->reason, FEW__WHY_FAILED);
        assert_string_equal(few__live_message(w.live, slot, 1), "took longer than 3 ms");
    }
    assert_int_equal(counts[FEW_EXECUTED], 10);
    expect_good_log();
    close_all();
}

static void test_deadline_cancels(void **state)
{
    (void)state;
    size_t n_late = 0;
    make(2, 2, 2);
    w.deeds[1].us = HOUR_US;
    w.opts.read = NULL; // so that models start at once
    open_all();
    for (size_t k = 0; k < 10; k++) {
        int64_t deadline = now_us() + 5000;
        size_t slot = begin(k, deadline);
        assert_int_equal(finish(), slot);
        n_late += row(slot, 1)->outcome == FEW_LATE; // else this machine was away for the whole time
        assert_true(row(slot, 1)->outcome == FEW_SKIPPED || row(slot, 1)->end_us >= deadline);
        assert_null(few__live_output(w.live, slot, 1));
        if (row(slot, 0)->outcome == FEW_EXECUTED) assert_non_null(few__live_output(w.live, slot, 0));
    }
    assert_true(n_late > 0);
    expect_good_log();
    close_all();
}

/* ---- waiting for more than models ---- */

static enum few_status wait_for(int64_t wait_us)
{
    size_t slot;
    int64_t end_us;
    return few__live_wait_for(w.live, wait_us, &slot, &end_us);
}

static void test_wait_ends_by_itself(void **state)
{
    (void)state;
    make(1, 1, 1);
    w.deeds[0].us = HOUR_US;
    open_all();
    for (int64_t us = 0; us <= 1000; us += 500) {
        int64_t began = now_us();
        assert_int_equal(wait_for(us), FEW_AGAIN); // no item is in flight
        assert_true(now_us() - began >= us);
    }
    size_t slot, finished = SIZE_MAX;
    int64_t end_us, deadline_us = now_us() + 20000;
    slot = begin(1, deadline_us);
    for (int64_t began = now_us(); wait_for(0) == FEW_AGAIN;) assert_true(now_us() - began < HOUR_US);
    slot = begin(2, now_us() + 5000);
    assert_int_equal(few__live_wait_for(w.live, INT64_MAX, &finished, &end_us), FEW_OK); // the deadline
    assert_int_equal(finished, slot);
    expect_good_log();
    close_all();
}

static void test_a_poke_ends_a_wait(void **state)
{
    (void)state;
    make(1, 1, 1);
    w.deeds[0].pokes = true;
    open_all();
    few__live_poke(w.live);
    few__live_poke(w.live);
    assert_int_equal(wait_for(INT64_MAX), FEW_AGAIN); // one before the call; two count once
    assert_int_equal(wait_for(0), FEW_AGAIN);
    for (size_t k = 0; k < 20; k++) {
        move_gate(false);
        size_t slot = begin(k, FEW__NO_DEADLINE), finished = SIZE_MAX;
        int64_t end_us;
        assert_int_equal(wait_for(INT64_MAX), FEW_AGAIN); // by the lane's thread, in the middle of its run
        move_gate(true);
        assert_int_equal(few__live_wait_for(w.live, INT64_MAX, &finished, &end_us), FEW_OK);
        assert_int_equal(finished, slot);
        assert_true(end_us <= now_us());
    }
    begin(1, FEW__NO_DEADLINE);
    finish(); // is not ended by the poke, and leaves it
    assert_int_equal(wait_for(INT64_MAX), FEW_AGAIN);
    expect_good_log();
    close_all();
}

static void test_parts_and_gains(void **state)
{
    (void)state;
    const double gains[3] = {1, 2, 3};
    make(3, 2, 2);
    w.models[1].modality = FEW_SOUND;
    w.models[2].needs = 1;
    w.gains = gains;
    open_all();
    for (size_t k = 0; k < 20; k++) {
        w.parts = k % 2 ? 1u << FEW_IMAGE : FEW__ALL_PARTS;
        size_t slot = begin(k, FEW__NO_DEADLINE);
        assert_ptr_equal(few__exec_view(few__live_exec(w.live), slot)->gains, gains);
        assert_int_equal(finish(), slot);
        assert_int_equal(row(slot, 0)->outcome, FEW_EXECUTED);
        assert_true(row(slot, 0)->lane < 2);
        assert_int_equal(row(slot, 1)->outcome, k % 2 ? FEW_SKIPPED : FEW_EXECUTED);
        assert_int_equal(row(slot, 1)->reason, k % 2 ? FEW__WHY_NO_PART : FEW__WHY_CHOSEN);
        assert_int_equal(row(slot, 2)->reason, k % 2 ? FEW__WHY_NEED_EMPTY : FEW__WHY_CHOSEN);
        assert_int_equal(few__live_output(w.live, slot, 1) == NULL, k % 2);
    }
    expect_good_log();
    close_all();
}

// A run that does not end when it is told to keeps its slot, not its result.
static void test_slot_waits_for_its_runs(void **state)
{
    (void)state;
    make(1, 1, 1);
    w.deeds[0].us = HOUR_US;
    w.deeds[0].stubborn = true;
    w.opts.read = NULL;
    open_all();
    for (size_t k = 0; k < 3; k++) {
        move_gate(false);
        size_t slot = begin(1, now_us() + 20000);
        assert_int_equal(finish(), slot); // though the run goes on
        assert_null(few__live_output(w.live, slot, 0));
        move_gate(true);
        assert_int_equal(few__live_slot(w.live, &slot), FEW_OK);
        assert_int_equal(w.n_running, 0);
        assert_true(few__exec_slot_free(few__live_exec(w.live), slot));
    }
    expect_good_log();
    close_all();
}

static void test_deadline_that_is_over(void **state)
{
    (void)state;
    make(2, 1, 1);
    open_all();
    size_t slot = begin(1, now_us() - 1000);
    assert_int_equal(finish(), slot);
    assert_int_equal(row(slot, 0)->outcome, FEW_SKIPPED);
    assert_int_equal(few__live_read_error(w.live, slot)->code, FEW_AGAIN); // nobody has read it
    expect_good_log();
    close_all();
}

static void test_destroy_in_flight(void **state)
{
    (void)state;
    make(3, 3, 2);
    w.deeds[0].us = w.deeds[1].us = w.deeds[2].us = HOUR_US;
    open_all();
    for (uint64_t k = 0; k < 3; k++) begin(k, FEW__NO_DEADLINE);
    while (w.n_running == 0) {
        size_t none;
        assert_int_equal(few__live_slot(w.live, &none), FEW_AGAIN);
    }
    close_all();
}

/* ---- memory ---- */

static void limit_memory(uint64_t bytes)
{
    w.opts.exec.loads = true;
    w.opts.exec.memory_bytes = bytes;
}

static void test_every_model_gets_its_turn(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    make(6, 3, 2);
    for (size_t m = 0; m < 6; m++)
        w.costs[m] =
            (struct few_cost){.time_us = 100, .memory_bytes = 130, .weights_bytes = 100, .load_us = 50};
    w.models[5].needs = 0;
    limit_memory(300);
    open_all();
    assert_status(few__live_warm(w.live, &err), FEW_OK, &err);
    stream(30, 0, counts);
    assert_int_equal(counts[FEW_EXECUTED], 30 * 6);
    assert_true(w.n_unloads > 0);
    expect_good_log();
    close_all();
}

static void test_warm(void **state)
{
    (void)state;
    make(3, 1, 2);
    limit_memory(1000);
    open_all();
    assert_status(few__live_warm(w.live, &err), FEW_OK, &err);
    assert_int_equal(w.n_loads, 3 * 2); // on each lane
    for (size_t m = 0; m < 3; m++) assert_true(few__exec_view(few__live_exec(w.live), 0)->resident[m]);
    close_all();

    make(3, 1, 2);
    limit_memory(1000);
    w.deeds[1].load = FEW_ENOENT;
    open_all();
    assert_status(few__live_warm(w.live, &err), FEW_ENOENT, &err);
    assert_string_equal(err.message, "model 'b' has no file");
    close_all();
}

static void test_a_model_that_cannot_be_loaded(void **state)
{
    (void)state;
    make(3, 2, 2);
    limit_memory(1000);
    w.deeds[1].load = FEW_ENOENT;
    open_all();
    for (uint64_t k = 0; k < 4; k++) {
        size_t slot = begin(k, FEW__NO_DEADLINE);
        assert_int_equal(finish(), slot);
        assert_int_equal(row(slot, 0)->outcome, FEW_EXECUTED);
        assert_int_equal(row(slot, 1)->outcome, FEW_FAILED);
        assert_int_equal(row(slot, 1)->reason, FEW__WHY_NOT_LOADED);
        assert_string_equal(few__live_message(w.live, slot, 1), "model 'b' has no file");
        assert_int_equal(row(slot, 2)->outcome, FEW_EXECUTED);
    }
    expect_good_log();
    close_all();
}

/* ---- random workloads ---- */

static void make_random(struct few__rng *rng)
{
    size_t n = 1 + (size_t)few__rng_below(rng, MODELS_MAX);
    make(n, 1 + (size_t)few__rng_below(rng, SLOTS_MAX), 1 + (size_t)few__rng_below(rng, 3));
    uint64_t most = 0, sum = 0;
    for (size_t m = 0; m < n; m++) {
        struct few_cost *cost = &w.costs[m];
        cost->time_us = 1 + (int64_t)few__rng_below(rng, 200);
        cost->weights_bytes = 1 + few__rng_below(rng, 100);
        cost->memory_bytes = cost->weights_bytes + few__rng_below(rng, 50);
        cost->load_us = 1 + (int64_t)few__rng_below(rng, 100);
        if (m > 0 && few__rng_below(rng, 3) == 0) w.models[m].needs = (int)few__rng_below(rng, m);
        if (few__rng_below(rng, 4) == 0)
            w.models[m].modality = (enum few_modality)few__rng_below(rng, FEW_MODALITY_COUNT);
        if (few__rng_below(rng, 3) == 0)
            w.batch_max[m] = w.recipes[m].batch = 1 + (size_t)few__rng_below(rng, 3);
        struct deed *deed = &w.deeds[m];
        deed->us = (int64_t)few__rng_below(rng, 2 * (uint64_t)cost->time_us);
        uint64_t fate = few__rng_below(rng, 20);
        deed->empty = fate == 0;
        if (fate == 1) deed->status = FEW_EBACKEND;
        if (fate == 2) deed->load = FEW_ENOENT;
        if (fate == 3) w.recipes[m].timeout_us = 50;
        if (cost->memory_bytes > most) most = cost->memory_bytes;
        sum += cost->memory_bytes;
    }
    w.unreadable = few__rng_below(rng, 3) ? 0 : 7;
    w.parts = few__rng_below(rng, 2) ? FEW__ALL_PARTS : 1 + (unsigned)few__rng_below(rng, FEW__ALL_PARTS);
    w.opts.exec.keep_pace = few__rng_below(rng, 2);
    if (few__rng_below(rng, 2)) limit_memory(most + few__rng_below(rng, sum));
    for (size_t m = 0; !w.opts.exec.loads && m < n; m++) w.deeds[m].load = FEW_OK;
}

static void test_random_workloads(void **state)
{
    (void)state;
    struct few__rng rng;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    few__rng_init(&rng, t_seed(), 1);
    for (size_t round = 0; round < 200; round++) {
        make_random(&rng);
        open_all();
        if (w.opts.exec.loads && few__rng_below(&rng, 2)) (void)few__live_warm(w.live, NULL);
        stream(10, few__rng_below(&rng, 2) ? 1 + (int64_t)few__rng_below(&rng, 2000) : 0, counts);
        expect_good_log();
        close_all();
    }
    assert_true(counts[FEW_EXECUTED] > 0 && counts[FEW_FAILED] > 0 && counts[FEW_SKIPPED] > 0);
    assert_int_equal(counts[FEW_PREDICTED] + counts[FEW_REUSED], 0);
}

/* ---- start ---- */

static enum few_status open_and_close(const struct few_mem *mem, void *ud)
{
    (void)ud;
    enum few_status status = open_world(mem);
    if (status == FEW_OK) status = few__live_warm(w.live, &err);
    few__live_destroy(w.live);
    few__workspace_destroy(w.workspace);
    w.live = NULL;
    w.workspace = NULL;
    return status;
}

static void test_no_memory_at_start(void **state)
{
    (void)state;
    make(3, 2, 2);
    w.batch_max[0] = w.recipes[0].batch = 2;
    limit_memory(1000);
    t_fail_each_allocation(open_and_close, NULL);
    few__exec_log_finish(&w.log);
}

static size_t thread_that_fails; // from 1; 0 = none
static atomic_size_t n_threads;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                          void *arg);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                          void *arg)
{
    if (++n_threads == thread_that_fails) return EAGAIN;
    return __real_pthread_create(thread, attributes, body, arg);
}

static void test_no_thread(void **state)
{
    (void)state;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    make(2, 1, 3);
    limit_memory(1000);
    for (thread_that_fails = 1; thread_that_fails <= 4; thread_that_fails++) { // three lanes and the loader
        n_threads = 0;
        assert_status(open_and_close(&mem.mem, NULL), FEW_EIO, &err);
        assert_non_null(strstr(err.message, "thread cannot be started: Resource temporarily unavailable"));
        assert_int_equal(mem.live, 0);
    }
    n_threads = 0;
    assert_status(open_and_close(&mem.mem, NULL), FEW_OK, &err);
    assert_int_equal(n_threads, 4);
    thread_that_fails = 1; // the one that watches over a profile
    n_threads = 0;
    w.opts.exec.loads = false;
    w.opts.exec.memory_bytes = 0;
    thread_that_fails = 0;
    open_all();
    struct few_cost cost;
    thread_that_fails = n_threads + 1;
    assert_status(few__workspace_profile(w.workspace, 0, &cost, &err), FEW_EIO, &err);
    assert_ptr_equal(strstr(err.message, "model 'a': watchdog: its thread"), err.message);
    thread_that_fails = 0;
    close_all();
}

// What a replay's models take is what the zoo declares.
static void test_profile_of_answers(void **state)
{
    (void)state;
    make(1, 1, 1);
    w.models[0].cost = (struct few_cost){.time_us = 77, .memory_bytes = 9};
    open_all();
    struct few_cost cost;
    assert_status(few__workspace_profile(w.workspace, 0, &cost, &err), FEW_OK, &err);
    assert_int_equal(cost.time_us, 77);
    assert_int_equal(cost.memory_bytes, 9);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lanes_run_at_once),
        cmocka_unit_test(test_models_of_two_items_at_once),
        cmocka_unit_test(test_items_in_flight),
        cmocka_unit_test(test_caller_reads),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_unreadable_items_fail_alone),
        cmocka_unit_test(test_a_model_fails_alone),
        cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_deadline_cancels),
        cmocka_unit_test(test_wait_ends_by_itself),
        cmocka_unit_test(test_a_poke_ends_a_wait),
        cmocka_unit_test(test_parts_and_gains),
        cmocka_unit_test(test_slot_waits_for_its_runs),
        cmocka_unit_test(test_deadline_that_is_over),
        cmocka_unit_test(test_destroy_in_flight),
        cmocka_unit_test(test_every_model_gets_its_turn),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_a_model_that_cannot_be_loaded),
        cmocka_unit_test(test_random_workloads),
        cmocka_unit_test(test_no_memory_at_start),
        cmocka_unit_test(test_no_thread),
        cmocka_unit_test(test_profile_of_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
