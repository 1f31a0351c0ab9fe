// SPDX-License-Identifier: Apache-2.0
/* The checker against logs that are wrong: one hand-made log for each rule, and every kind of damage to every
 * record of logs that the executor wrote. */
#include "exec/world.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

// Two models, b needs a; the item is 0, its deadline 100.
static void check_log(const struct few__log_record *records, size_t n, size_t n_lanes, const char *rule)
{
    struct t_world w;
    t_world_init(&w, 3);
    w.models[1].needs = 0;
    struct few__log_record copy[16];
    memcpy(copy, records, n * sizeof *records);
    struct few__exec_log log = {.records = copy, .n = n, .max = n};
    struct few_error err = {0};
    const struct few__exec_opts opts = {.catalog = &w.catalog, .costs = w.costs, .n_lanes = n_lanes};
    enum few_status status = few__exec_check(&log, &opts, &err);
    if (!rule) {
        assert_status(status, FEW_OK, &err);
        return;
    }
    assert_status(status, FEW_EINVAL, &err);
    char expected[256];
    snprintf(expected, sizeof expected, "record %zu: %s", n - 1, rule);
    // A log that ends too early is noticed behind its last record.
    if (strstr(rule, "log ends")) snprintf(expected, sizeof expected, "record %zu: %s", n, rule);
    assert_string_equal(err.message, expected);
}

// clang-format off
#define R(at, ...) {.at_us = (at), .kind = FEW__LOG_##__VA_ARGS__}
// clang-format on
#define LOG(n_lanes, rule, ...)                                              \
    do {                                                                     \
        const struct few__log_record records[] = {__VA_ARGS__};              \
        check_log(records, sizeof records / sizeof *records, n_lanes, rule); \
    } while (0)

static void test_each_rule(void **state)
{
    (void)state;
    const struct few__log_record item =
        R(0, ITEM, .deadline_us = 100, .ready = true, .has_parts = FEW__ALL_PARTS);
    const struct few__log_record start_a = R(0, START, .model = 0);
    const struct few__log_record done_a = R(50, DONE, .model = 0);
    const struct few__log_record no_kind = {.kind = (enum few__log_kind)12};
    LOG(1, NULL, item, R(99, FINISH, .item = 0));
    LOG(1, NULL, item, R(100, DEADLINE), R(100, FINISH, .item = 0));
    LOG(1, NULL, item, start_a, done_a, R(50, START, .model = 1), R(100, DONE, .model = 1), R(100, DEADLINE),
        R(100, FINISH, .item = 0));
    LOG(1, "the log ends while an item is open", item, start_a, done_a);
    LOG(1, "an item begins while one is open", item, item);
    LOG(1, "something happens while no item is open", start_a);
    LOG(1, "something happens while no item is open", item, R(1, FINISH, .item = 0), R(1, FINISH, .item = 0));
    LOG(1, "time goes back", R(5, ITEM, .deadline_us = 100, .ready = true, .has_parts = FEW__ALL_PARTS),
        start_a);
    LOG(1, "a model starts twice", item, start_a, done_a, R(50, START, .model = 0));
    LOG(1, "a model that the catalog does not have", item, R(0, START, .model = 3));
    LOG(1, "a model starts although its need has not found anything", item, R(0, START, .model = 1));
    LOG(2, "a model starts although its need has not found anything", item, start_a,
        R(0, START, .model = 1, .lane = 1));
    LOG(1, "a model starts although its need has not found anything", item, start_a,
        R(50, DONE, .model = 0, .result = FEW__RESULT_EMPTY), R(50, START, .model = 1));
    LOG(1, "a model starts although its need has not found anything", item, start_a,
        R(50, DONE, .model = 0, .result = FEW__RESULT_FAILED), R(50, START, .model = 1));
    LOG(1, "a lane does two things at once", item, start_a, R(0, START, .model = 2));
    LOG(1, "more models run than there are lanes", item, start_a, R(0, START, .model = 2, .lane = 1));
    LOG(2, NULL, item, start_a, R(0, START, .model = 2, .lane = 1), done_a,
        R(60, DONE, .model = 2, .lane = 1), R(60, FINISH, .item = 0));
    LOG(1, "a model starts at or after the deadline", item, R(100, START, .model = 0));
    LOG(1, "a model ends that does not run", item, done_a);
    LOG(1, "a model runs past the deadline", item, start_a, R(101, DONE, .model = 0));
    LOG(1, "a result that does not exist", item, start_a,
        R(50, DONE, .model = 0, .result = (enum few__result)4));
    LOG(1, "a kind of record that does not exist", item, no_kind);
    LOG(1, "the deadline comes before its time", item, start_a, R(99, DEADLINE));
    LOG(1, "the deadline comes before its time",
        R(0, ITEM, .deadline_us = FEW__NO_DEADLINE, .ready = true, .has_parts = FEW__ALL_PARTS),
        R(99, DEADLINE));
    LOG(1, "the deadline comes twice", item, R(100, DEADLINE), R(100, DEADLINE));
    LOG(1, "a model runs past the deadline", item, start_a, R(100, DEADLINE), R(100, DONE, .model = 0));
    LOG(1, "a model is cancelled before the deadline", item, start_a, R(50, CANCEL, .model = 0));
    LOG(1, "a model is cancelled that does not run", item, R(100, DEADLINE), R(100, CANCEL, .model = 0));
    LOG(1, "an item finishes while a model runs", item, start_a, R(100, DEADLINE), R(100, FINISH, .item = 0));
    LOG(1, "another item finishes than began", item, R(1, FINISH, .item = 1));
    LOG(1, "an item finishes at its deadline or later, which was not recorded", item,
        R(100, FINISH, .item = 0));
    LOG(1, "an item finishes at its deadline or later, which was not recorded",
        R(100, ITEM, .deadline_us = 100, .ready = true, .has_parts = FEW__ALL_PARTS),
        R(100, FINISH, .item = 0));
}

static void test_lost_records(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    struct t_script script = {.n = 3, .models = {0, 1, 2}};
    struct few__exec_log log;
    struct few_error err;
    assert_int_equal(few__exec_log_init(&log, NULL, 8, NULL), FEW_OK); // exactly enough
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    few__sim_item(exec, 0, 0, 1000, w.truth);
    const struct few__exec_opts opts = {.catalog = &w.catalog, .costs = w.costs};
    assert_status(few__exec_check(&log, &opts, &err), FEW_OK, &err);
    log.max--;
    few__exec_log_clear(&log);
    few__sim_item(exec, 0, 1000, 1000, w.truth);
    assert_int_equal(log.lost, 1);
    assert_status(few__exec_check(&log, &opts, &err), FEW_EINVAL, &err);
    few__exec_log_finish(&log);
    few__exec_destroy(exec);
}

static void test_log_without_room(void **state)
{
    (void)state;
    struct few__exec_log log;
    assert_int_equal(few__exec_log_init(&log, NULL, 0, NULL), FEW_OK);
    few__exec_log_add(&log, (struct few__log_record){0});
    assert_int_equal(log.n, 0);
    assert_int_equal(log.lost, 1);
    few__exec_log_finish(&log);
}

/* ---- damage ---- */

static enum few_status check_copy(const struct few__exec_log *log, const struct t_world *w)
{
    const struct few__exec_opts opts = {.catalog = &w->catalog, .costs = w->costs};
    return few__exec_check(log, &opts, NULL);
}

static void assert_caught(const struct few__exec_log *log, const struct t_world *w, const char *how, size_t i,
                          uint64_t seed)
{
    if (check_copy(log, w) == FEW_EINVAL) return;
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    few__exec_log_print(log, &w->catalog, &text);
    fail_msg("seed %llu: %s record %zu was not noticed:\n%s", (unsigned long long)seed, how, i, text.s);
}

// Nothing that one changed field, lost, doubled or swapped record does to a one-lane log leaves a valid log.
static void damage(struct few__exec_log *log, const struct t_world *w, uint64_t seed)
{
    struct few__log_record *r = log->records;
    size_t n = log->n;
    for (size_t i = 0; i < n; i++) {
        struct few__log_record was = r[i];
        memmove(&r[i], &r[i + 1], (n - i - 1) * sizeof *r);
        log->n = n - 1;
        assert_caught(log, w, "lost", i, seed);
        memmove(&r[i + 1], &r[i], (n - i - 1) * sizeof *r);
        r[i] = was;
        memmove(&r[i + 1], &r[i], (n - i) * sizeof *r);
        log->n = n + 1;
        assert_caught(log, w, "doubled", i, seed);
        memmove(&r[i], &r[i + 1], (n - i) * sizeof *r);
        log->n = n;
        // A cancelled run may end before or after its item.
        bool free_order =
            was.result == FEW__RESULT_CANCELED || (i > 0 && r[i - 1].result == FEW__RESULT_CANCELED);
        if (i > 0 && !free_order) {
            r[i] = r[i - 1], r[i - 1] = was;
            assert_caught(log, w, "swapped", i, seed);
            r[i - 1] = r[i], r[i] = was;
            r[i].at_us = r[i - 1].at_us - 1;
            assert_caught(log, w, "earlier", i, seed);
            r[i] = was;
        }
        if (was.kind == FEW__LOG_START || was.kind == FEW__LOG_DONE || was.kind == FEW__LOG_CANCEL) {
            for (size_t m = 0; m <= w->catalog.n_models; m++) {
                r[i].model = m;
                if (m != was.model) assert_caught(log, w, "model of", i, seed);
            }
            r[i] = was;
        }
        if (was.kind == FEW__LOG_FINISH || was.kind == FEW__LOG_ITEM) {
            r[i].item++;
            assert_caught(log, w, "item of", i, seed);
            r[i] = was;
        }
        if (was.kind == FEW__LOG_ITEM && was.deadline_us != FEW__NO_DEADLINE) {
            // The deadline moved to before what happens last.
            r[i].deadline_us = r[i].at_us - 1;
            if (r[i + 1].kind != FEW__LOG_DEADLINE) assert_caught(log, w, "deadline of", i, seed);
            r[i] = was;
        }
        if (i > 0 && was.kind == FEW__LOG_START && w->models[was.model].needs >= 0) {
            size_t k = i;
            while (r[k].kind != FEW__LOG_DONE || r[k].model != (size_t)w->models[was.model].needs) k--;
            r[k].result = FEW__RESULT_EMPTY;
            assert_caught(log, w, "empty need of", i, seed);
            r[k].result = FEW__RESULT_FAILED;
            assert_caught(log, w, "failed need of", i, seed);
            r[k].result = FEW__RESULT_OK;
        }
    }
}

static size_t script_needs_first(const struct t_world *w, size_t model, struct t_script *script, bool *in)
{
    if (in[model]) return script->n;
    in[model] = true;
    if (w->models[model].needs >= 0) script_needs_first(w, (size_t)w->models[model].needs, script, in);
    script->models[script->n] = model;
    return ++script->n;
}

static void test_damage_is_noticed(void **state)
{
    (void)state;
    size_t n_records = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 300; seed++) {
        struct few__rng rng;
        few__rng_init(&rng, seed, 0);
        struct t_world w;
        t_world_random(&w, &rng, 8);
        struct t_script script = {0};
        bool in[T_MODELS] = {0};
        for (size_t m = 0; m < w.catalog.n_models; m++) script_needs_first(&w, m, &script, in);
        struct few__exec_log log;
        assert_int_equal(few__exec_log_init(&log, NULL, 128, NULL), FEW_OK);
        struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
        int64_t now = 0;
        for (uint64_t item = 0; item < 3; item++) {
            int64_t deadline = item == 1 ? FEW__NO_DEADLINE : (int64_t)few__rng_below(&rng, 600);
            now = few__sim_item(exec, item, now, deadline, w.truth) + 1;
        }
        assert_int_equal(check_copy(&log, &w), FEW_OK);
        n_records += log.n;
        damage(&log, &w, seed);
        assert_int_equal(check_copy(&log, &w), FEW_OK); // and everything was put back
        few__exec_log_finish(&log);
        few__exec_destroy(exec);
    }
    assert_true(n_records > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule),
        cmocka_unit_test(test_lost_records),
        cmocka_unit_test(test_log_without_room),
        cmocka_unit_test(test_damage_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
