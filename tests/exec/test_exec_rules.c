// SPDX-License-Identifier: Apache-2.0
// The checker's rules about several items, reads, shared runs, variants, memory and loads: a hand-made log for each.
#include "exec/world.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

// a, b, c of 100, 50 and 200 us, 50 bytes of which 30, 40 and 40 are weights.
static void check_log(struct few__exec_opts opts, const struct few__log_record *records, size_t n,
                      const char *rule)
{
    struct t_world w;
    t_world_init(&w, 3);
    t_world_time(&w, 1, 50);
    t_world_time(&w, 2, 200);
    for (size_t m = 0; m < 3; m++) {
        w.costs[m].memory_bytes = 50;
        w.costs[m].weights_bytes = m == 0 ? 30 : 40;
        if (opts.variants) w.models[m].variant_of = 0;
    }
    opts.catalog = &w.catalog;
    opts.costs = w.costs;
    struct few__log_record copy[16];
    memcpy(copy, records, n * sizeof *records);
    struct few__exec_log log = {.records = copy, .n = n, .max = n};
    struct few_error err = {0};
    enum few_status status = few__exec_check(&log, &opts, &err);
    if (!rule) {
        assert_status(status, FEW_OK, &err);
        return;
    }
    assert_status(status, FEW_EINVAL, &err);
    char expected[256];
    snprintf(expected, sizeof expected, "record %zu: %s", strstr(rule, "log ends") ? n : n - 1, rule);
    assert_string_equal(err.message, expected);
}

// clang-format off
#define R(at, ...) {.at_us = (at), .kind = FEW__LOG_##__VA_ARGS__}
// clang-format on
#define LOG(opts, rule, ...)                                              \
    do {                                                                  \
        const struct few__log_record records[] = {__VA_ARGS__};           \
        check_log(opts, records, sizeof records / sizeof *records, rule); \
    } while (0)

static const struct few__log_record item =
    R(0, ITEM, .deadline_us = 400, .ready = true, .has_parts = FEW__ALL_PARTS);
static const struct few__log_record item_1 =
    R(0, ITEM, .deadline_us = 400, .ready = true, .has_parts = FEW__ALL_PARTS, .slot = 1, .item = 1);
static const struct few__log_record start_a = R(0, START, .model = 0);
static const struct few__log_record finish = R(300, FINISH), finish_1 = R(300, FINISH, .slot = 1, .item = 1);

static void test_slots(void **state)
{
    (void)state;
    const struct few__exec_opts opts = {.n_slots = 2, .n_lanes = 2};
    const struct few__log_record start_1 = R(0, START, .model = 0, .lane = 1, .slot = 1);
    LOG(opts, NULL, item, start_a, item_1, start_1, R(100, DONE, .lane = 1, .slot = 1), R(100, DONE), finish,
        finish_1);
    LOG(opts, "more items in flight than there may be", R(0, ITEM, .slot = 2));
    LOG(opts, "a lane does two things at once", item, start_a, item_1, R(0, START, .model = 0, .slot = 1));
    LOG(opts, "a model ends that does not run", item, start_a, item_1, start_1, R(100, DONE, .slot = 1));
    const struct few__log_record over = R(400, DEADLINE), cancel = R(400, CANCEL), end = R(400, FINISH);
    LOG(opts, "an item begins in a slot that a run still looks at", item, start_a, over, cancel, end,
        R(400, ITEM, .deadline_us = 900, .ready = true, .has_parts = FEW__ALL_PARTS));
    LOG(opts, "a lane does two things at once", item, start_a, over, cancel, end,
        R(400, ITEM, .deadline_us = 900, .ready = true, .has_parts = FEW__ALL_PARTS, .slot = 1, .item = 1),
        R(400, START, .slot = 1));
    LOG(opts, NULL, item, start_a, over, cancel, end, R(410, DONE, .result = FEW__RESULT_CANCELED));
    LOG(opts, "a result that nobody waits for", item, start_a, over, cancel, end, R(410, DONE));
    LOG(opts, "the log ends while a lane is busy", item, start_a, over, cancel, end);
    LOG(opts, "a model is cancelled that does not run", item, start_a, over, cancel, cancel);
    LOG(opts, NULL, item, start_a, R(50, DONE, .result = FEW__RESULT_CANCELED), finish); // timed out
    LOG(opts, NULL, item, start_a, R(410, DONE, .result = FEW__RESULT_CANCELED), R(410, DEADLINE),
        R(410, FINISH));
}

static void test_reads(void **state)
{
    (void)state;
    const struct few__exec_opts opts = {.n_slots = 2, .n_lanes = 2};
    const struct few__log_record unread = R(0, ITEM, .deadline_us = 400), read = R(0, READ),
                                 has_read = R(9, HAS_READ);
    LOG(opts, NULL, unread, read, has_read, finish);
    LOG(opts, "a model starts on an item that has not been read", unread, start_a);
    LOG(opts, "a model starts on an item that has not been read", unread, read, R(0, START, .lane = 1));
    LOG(opts, "a lane does two things at once", unread, read, item_1, R(0, START, .slot = 1));
    LOG(opts, "an item is read twice", unread, read, R(0, READ, .lane = 1));
    LOG(opts, "an item is read twice", item, read);
    LOG(opts, "an item is read at or after its deadline", unread, R(400, READ));
    LOG(opts, "an item has been read that was not being read", unread, has_read);
    LOG(opts, "a result that does not exist", unread, read, R(9, HAS_READ, .result = FEW__RESULT_EMPTY));
    LOG(opts, "an item finishes that was not read", unread, finish);
    LOG(opts, NULL, unread, read, R(9, HAS_READ, .result = FEW__RESULT_FAILED), finish);
    LOG(opts, "a result that nobody waits for", unread, read, R(400, DEADLINE), R(400, FINISH),
        R(401, HAS_READ));
    LOG(opts, NULL, unread, read, R(400, DEADLINE), R(400, FINISH),
        R(401, HAS_READ, .result = FEW__RESULT_CANCELED));
}

static void test_parts(void **state)
{
    (void)state;
    const struct few__exec_opts opts = {.n_lanes = 2};
    const struct few__log_record unread = R(0, ITEM, .deadline_us = 400), read = R(0, READ),
                                 end = R(100, DONE);
    const struct few__log_record sound =
        R(0, ITEM, .deadline_us = 400, .ready = true, .has_parts = 1u << FEW_SOUND);
    LOG(opts, NULL, R(0, ITEM, .deadline_us = 400, .ready = true, .has_parts = 1u << FEW_IMAGE), start_a, end,
        finish);
    LOG(opts, "a model starts although the item has nothing of its modality", sound, start_a);
    LOG(opts, NULL, unread, read, R(0, HAS_READ, .has_parts = 1u << FEW_IMAGE), start_a, end, finish);
    LOG(opts, "a model starts although the item has nothing of its modality", unread, read, R(0, HAS_READ),
        start_a);
    LOG(opts, "a modality that does not exist",
        R(0, ITEM, .ready = true, .has_parts = 1u << FEW_MODALITY_COUNT));
}

static void test_shared_runs(void **state)
{
    (void)state;
    const size_t two[] = {2, 1, 1};
    const struct few__exec_opts opts = {.n_slots = 3, .n_lanes = 2, .batch_max = two};
    const struct few__log_record join = R(0, JOIN, .slot = 1), end = R(200, DONE),
                                 end_1 = R(200, DONE, .slot = 1);
    const struct few__log_record item_2 =
        R(0, ITEM, .deadline_us = 199, .ready = true, .has_parts = FEW__ALL_PARTS, .slot = 2, .item = 2);
    LOG(opts, NULL, item, item_1, start_a, join, end, end_1, finish, finish_1);
    LOG(opts, "a model ends that does not run", item, item_1, start_a, join, end_1);
    LOG(opts, "a run ends for some of its items only", item, item_1, start_a, join, end, finish);
    LOG(opts, "an item joins a run that does not start", item, start_a, item_1, join);
    LOG(opts, "an item joins a run that does not start", item, item_1, start_a,
        R(0, JOIN, .slot = 1, .model = 1));
    LOG(opts, "an item joins a run that does not start", item, item_1, start_a, R(1, JOIN, .slot = 1));
    LOG(opts, "a model starts twice", item, item_1, start_a, R(0, JOIN));
    LOG(opts, "a run takes more items than it may", item, item_1, item_2, start_a, join,
        R(0, JOIN, .slot = 2));
    LOG(opts, "a run takes more items than it may", item, item_1, R(0, START, .model = 1),
        R(0, JOIN, .model = 1, .slot = 1));
    LOG(opts, "a run of several items would end after the deadline of one", item, item_2, start_a,
        R(0, JOIN, .slot = 2));
    // It goes on for the one that waits.
    const struct few__log_record over = R(400, DEADLINE), cancel = R(400, CANCEL);
    const struct few__log_record late =
        R(0, ITEM, .deadline_us = 900, .ready = true, .has_parts = FEW__ALL_PARTS, .slot = 1, .item = 1);
    LOG(opts, NULL, item, late, start_a, join, over, R(400, FINISH),
        R(500, DONE, .result = FEW__RESULT_CANCELED), R(500, DONE, .slot = 1),
        R(500, FINISH, .slot = 1, .item = 1));
    LOG(opts, "a model is cancelled before the deadline", item, late, start_a, join, over, cancel);
}

static void test_variants(void **state)
{
    (void)state;
    const struct few__exec_opts dearest = {.variants = FEW__VARIANTS_DEAREST},
                                cascade = {.n_lanes = 2, .variants = FEW__VARIANTS_CASCADE};
    const struct few__log_record start_b = R(0, START, .model = 1), start_c = R(0, START, .model = 2);
    LOG(dearest, NULL, item, start_c, R(200, DONE, .model = 2), finish);
    LOG(dearest, "a variant runs that is not the dearest", item, start_a);
    LOG(cascade, NULL, item, start_b, R(50, DONE, .model = 1, .unsure = true), R(50, START), R(150, DONE),
        finish);
    LOG(cascade, NULL, item, start_b, R(50, DONE, .model = 1, .result = FEW__RESULT_FAILED), R(50, START),
        R(150, DONE), finish);
    LOG(cascade, "a variant runs before a cheaper one has ended", item, start_a);
    LOG(cascade, "a variant runs before a cheaper one has ended", item, start_b, R(0, START, .lane = 1));
    LOG(cascade, "a variant runs before a cheaper one has ended", item, start_b,
        R(50, DONE, .model = 1, .unsure = true), R(50, START, .model = 2));
    LOG(cascade, "a variant runs after one has answered", item, start_b, R(50, DONE, .model = 1),
        R(50, START));
    LOG(cascade, "a variant runs after one has answered", item, start_b,
        R(50, DONE, .model = 1, .result = FEW__RESULT_EMPTY), R(50, START));
}

static void test_memory(void **state)
{
    (void)state;
    const size_t two[] = {2, 1, 1};
    struct few__exec_opts opts = {.n_slots = 2, .n_lanes = 2, .memory_bytes = 100, .batch_max = two};
    const struct few__log_record start_b = R(0, START, .model = 1, .lane = 1), join = R(0, JOIN, .slot = 1);
    LOG(opts, NULL, item, start_a, start_b, R(50, DONE, .model = 1, .lane = 1), R(100, DONE), finish);
    opts.memory_bytes = 99;
    LOG(opts, "more memory is taken than there is", item, start_a, start_b);
    opts.memory_bytes = 70;
    LOG(opts, NULL, item, item_1, start_a, join, R(200, DONE), R(200, DONE, .slot = 1), finish, finish_1);
    opts.memory_bytes = 69;
    LOG(opts, "more memory is taken than there is", item, item_1, start_a, join);
}

static void test_loads(void **state)
{
    (void)state;
    const bool resident[] = {true, false, false};
    struct few__exec_opts opts = {.n_lanes = 3, .memory_bytes = 100, .loads = true, .resident = resident};
    const struct few__log_record load_b = R(0, LOAD, .model = 1), loaded_b = R(9, LOADED, .model = 1);
    const struct few__log_record failed_b = R(9, LOADED, .model = 1, .result = FEW__RESULT_FAILED);
    const struct few__log_record start_b = R(10, START, .model = 1, .lane = 1);
    LOG(opts, NULL, item, load_b, start_a, loaded_b, start_b, R(60, DONE, .model = 1, .lane = 1),
        R(100, DONE), R(100, EVICT), R(100, EVICT, .model = 1), finish);
    LOG(opts, "a model runs that is not loaded", item, start_b);
    LOG(opts, "a model runs that is not loaded", item, load_b, start_b);
    LOG(opts, "a model runs that is not loaded", item, load_b, failed_b, start_b);
    LOG(opts, "a model starts twice", item, load_b, failed_b, R(9, LOAD, .model = 1), loaded_b, start_b);
    LOG(opts, "two models are loaded at once", load_b, R(0, LOAD, .model = 2));
    LOG(opts, "a model is loaded twice", R(0, LOAD, .model = 0));
    LOG(opts, "a load ends that was not begun", loaded_b);
    LOG(opts, "a result that does not exist", load_b, R(9, LOADED, .model = 1, .result = FEW__RESULT_EMPTY));
    LOG(opts, "a model is evicted that is not loaded", R(0, EVICT, .model = 1));
    LOG(opts, "a model is evicted that is not loaded", load_b, R(0, EVICT, .model = 1));
    LOG(opts, "a model is evicted that is in use", item, start_a, R(1, EVICT));
    LOG(opts, "more memory is taken than there is", load_b, loaded_b, R(9, LOAD, .model = 2));
    opts.memory_bytes = 85; // b beside a fits, but a would not run beside it
    LOG(opts, "something is loaded that could never run", load_b);
    opts.memory_bytes = 0;
    LOG(opts, NULL, load_b, loaded_b, R(9, LOAD, .model = 2));
    opts.loads = false;
    LOG(opts, "a model is loaded or evicted where all are", load_b);
    LOG(opts, "a model is loaded or evicted where all are", R(0, EVICT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),       cmocka_unit_test(test_reads),    cmocka_unit_test(test_parts),
        cmocka_unit_test(test_shared_runs), cmocka_unit_test(test_variants), cmocka_unit_test(test_memory),
        cmocka_unit_test(test_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
