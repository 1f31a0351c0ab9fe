// SPDX-License-Identifier: Apache-2.0
// few_eval against numbers computed by hand, the closed form of random order, and the real trace when it is there.
#include "support/support.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include <fewer/trace.h>

#include "eval/eval_asked.h"
#include "eval/trace_made.h"

/* ---- by hand: two items, three models of 20 ms ----
 *
 * first.jpg: A says a 0.8, B says a 0.6 and b 0.9, C nothing: value 1.7, two labels. second.jpg: nobody says anything.
 * Both names are test items, so both serve as train items too. */

static const struct made_model three[] = {
    {"A", FEW_LABELS, "a", -1}, {"B", FEW_LABELS, "ab", -1}, {"C", FEW_LABELS, "c", -1}};

static const char *make_three(int64_t b_first_us, int64_t b_second_us, int64_t decode_us)
{
    const char *path = t_path("three.db");
    const struct made_cell first[] = {{FEW_EXECUTED, 20000, {0.8F}, false},
                                      {FEW_EXECUTED, b_first_us, {0.6F, 0.9F}, false},
                                      {FEW_EXECUTED, 20000, {0.2F}, false}};
    const struct made_cell second[] = {{FEW_EXECUTED, 20000, {0.1F}, false},
                                       {FEW_EXECUTED, b_second_us, {0.1F, 0.3F}, false},
                                       {FEW_EXECUTED, 20000, {0.5F}, false}};
    struct made_trace trace;
    made_open(&trace, path, "trace", three, 3);
    made_item(&trace, "first/a.jpg", decode_us, first);
    made_item(&trace, "second/b.jpg", decode_us, second);
    made_close(&trace);
    return path;
}

static void test_recall_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    const double recalls[] = {0.4, 1};
    struct few_eval_opts opts = {.size = sizeof opts, .recalls = recalls, .n_recalls = 2};
    json_t *json = evaluate(make_three(20000, 20000, 0), &opts);
    assert_near(number(json, "items"), 2, 0);
    assert_near(number(json, "models"), 3, 0);
    assert_near(number(json, "test_items"), 2, 0);
    assert_near(number(json, "train_items"), 2, 0);
    assert_near(number(json, "run_all/time_ms"), 60, 1e-9);
    // 0.4 of 1.7 is 0.68: A alone has it, in the order of the manifest.
    assert_near(number(json, "methods/run_all/recall/0.4/time_ratio"), 20.0 / 120, 1e-6);
    assert_near(number(json, "methods/run_all/recall/0.4/models"), 0.5, 1e-6);
    assert_near(number(json, "methods/run_all/recall/0.4/recall"), (0.8 / 1.7 + 1) / 2, 1e-6);
    assert_near(number(json, "methods/run_all/recall/0.4/label_recall"), 0.75, 1e-6);
    assert_near(number(json, "methods/run_all/recall/0.4/agreement"), (2.0 / 3 + 1) / 2, 1e-6);
    // B is worth most: both labels.
    assert_near(number(json, "methods/static/recall/0.4/recall"), (1.5 / 1.7 + 1) / 2, 1e-6);
    assert_near(number(json, "methods/static/recall/0.4/label_recall"), 1, 1e-6);
    assert_near(number(json, "methods/static/recall/1/time_ratio"), 40.0 / 120, 1e-6);
    assert_near(number(json, "methods/static/recall/1/models"), 1, 1e-6);
    assert_near(number(json, "methods/static/recall/1/agreement"), 1, 1e-6);
    assert_near(number(json, "methods/oracle/recall/1/time_ratio"), 40.0 / 120, 1e-6);
    assert_near(number(json, "methods/oracle/recall/0.4/models"), 0.5, 1e-6);
    json_decref(json);
}

// The second item's outputs come from the first: as good as executed, at the model's mean time.
static void test_reused_outputs_count(void **state)
{
    (void)state;
    t_tmpdir();
    const double recalls[] = {0.4, 1};
    struct few_eval_opts opts = {.size = sizeof opts, .recalls = recalls, .n_recalls = 2};
    struct made_trace trace;
    made_open(&trace, t_path("run.db"), "run", three, 3);
    const struct made_cell first[] = {{FEW_EXECUTED, 20000, {0.8F}, false},
                                      {FEW_EXECUTED, 20000, {0.6F, 0.9F}, false},
                                      {FEW_EXECUTED, 20000, {0.2F}, false}};
    const struct made_cell second[] = {
        {FEW_REUSED, 0, {0.1F}, false}, {FEW_REUSED, 0, {0.1F, 0.3F}, false}, {FEW_REUSED, 0, {0.5F}, false}};
    made_item(&trace, "first/a.jpg", 0, first);
    made_item(&trace, "second/b.jpg", 0, second);
    made_close(&trace);
    json_t *reused = evaluate(t_path("run.db"), &opts), *whole = evaluate(make_three(20000, 20000, 0), &opts);
    assert_near(number(reused, "items"), 2, 0);
    assert_true(json_equal(json_object_get(reused, "methods"), json_object_get(whole, "methods")));
    assert_true(json_equal(json_object_get(reused, "run_all"), json_object_get(whole, "run_all")));
    json_decref(reused);
    json_decref(whole);
}

static void test_stop_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    const double recalls[] = {0.3, 0.5, 0.8, 1};
    struct few_eval_opts opts = {.size = sizeof opts, .recalls = recalls, .n_recalls = 4};
    json_t *json = evaluate(make_three(20000, 20000, 0), &opts);
    // Prefixes of B, A, C: mean recall 0.5 (the second item has nothing to find), 0.941176, 1.
    double after_b = (1.5 / 1.7 + 1) / 2, share = (0.8 - 0.5) / (after_b - 0.5);
    assert_near(number(json, "methods/static/stop/0.3/time_ratio"), 0, 0);
    assert_near(number(json, "methods/static/stop/0.3/recall"), 0.5, 1e-6);
    assert_near(number(json, "methods/static/stop/0.5/models"), 0, 0);
    assert_near(number(json, "methods/static/stop/0.8/time_ratio"), share / 3, 1e-6);
    assert_near(number(json, "methods/static/stop/0.8/models"), share, 1e-6);
    assert_near(number(json, "methods/static/stop/0.8/recall"), 0.8, 1e-6);
    assert_near(number(json, "methods/static/stop/1/time_ratio"), 2.0 / 3, 1e-6);
    assert_near(number(json, "methods/run_all/stop/1/time_ratio"), 2.0 / 3, 1e-6);
    json_decref(json);
}

static void test_deadline_covers_decoding(void **state)
{
    (void)state;
    t_tmpdir();
    const int64_t deadlines_us[] = {5000, 44999, 45000};
    struct few_eval_opts opts = {.size = sizeof opts, .deadlines_us = deadlines_us, .n_deadlines = 3};
    json_t *json = evaluate(make_three(20000, 20000, 5000), &opts);
    assert_near(number(json, "methods/static/deadline/5/models"), 0, 0);
    assert_near(number(json, "methods/static/deadline/5/recall"), 0.5, 1e-6);
    assert_near(number(json, "methods/static/deadline/44.999/models"), 1, 1e-6);
    assert_near(number(json, "methods/static/deadline/45/models"), 2, 1e-6);
    assert_near(number(json, "methods/static/deadline/45/recall"), 1, 1e-6);
    assert_near(number(json, "methods/static/deadline/45/time_ratio"), 80.0 / 120, 1e-6);
    json_decref(json);
}

static void test_late_counts_as_nothing(void **state)
{
    (void)state;
    t_tmpdir();
    const int64_t deadlines_us[] = {25000};
    struct few_eval_opts opts = {.size = sizeof opts, .deadlines_us = deadlines_us, .n_deadlines = 1};
    // B takes 30 ms on the first item and 10 ms on the second: 20 ms on average, so it is started on both.
    json_t *json = evaluate(make_three(30000, 10000, 0), &opts);
    assert_near(number(json, "methods/static/deadline/25/late"), 0.5, 1e-6);
    assert_near(number(json, "methods/static/deadline/25/models"), 0.5, 1e-6);
    assert_near(number(json, "methods/static/deadline/25/recall"), 0.5, 1e-6);
    assert_near(number(json, "methods/static/deadline/25/time_ratio"), 35.0 / 120, 1e-6);
    assert_near(number(json, "methods/static/deadline/25/agreement"), (1.0 / 3 + 1) / 2, 1e-6);
    json_decref(json);
}

/* ---- shared memory by hand: the example of Algorithm 2 ----
 *
 * A (400 ms, 4 MiB, 1.6), B (200, 3, 0.9), C (400, 5, 1.0), D (200, 1, 0.55 on two of eleven items: 0.1). */

static const struct made_model four[] = {{"A", FEW_LABELS, "ab", -1},
                                         {"B", FEW_LABELS, "c", -1},
                                         {"C", FEW_LABELS, "d", -1},
                                         {"D", FEW_LABELS, "e", -1}};
static const uint64_t four_bytes[] = {4 << 20, 3 << 20, 5 << 20, 1 << 20};

static const char *make_four(void)
{
    const char *path = t_path("four.db");
    struct made_trace trace;
    made_open_memory(&trace, path, four, 4, four_bytes);
    for (int i = 0; i < 11; i++) {
        const struct made_cell cells[] = {{FEW_EXECUTED, 400000, {0.8F, 0.8F}, false},
                                          {FEW_EXECUTED, 200000, {0.9F}, false},
                                          {FEW_EXECUTED, 400000, {1}, false},
                                          {FEW_EXECUTED, 200000, {i < 2 ? 0.55F : 0}, false}};
        char name[32];
        snprintf(name, sizeof name, "%c/a.jpg", 'a' + i); // test items, all of them
        made_item(&trace, name, 0, cells);
    }
    made_close(&trace);
    return path;
}

// The mean over nine items without D's label (3.5 in all) and two with it (4.05).
static double eleven(double without, double with)
{
    return (9 * without / 3.5 + 2 * with / 4.05) / 11;
}

static const int64_t four_deadlines_us[] = {150000, 500000, 1000000};
static const uint64_t four_memories[] = {2 << 20, 8 << 20};
static const struct few_eval_opts four_opts = {.size = sizeof four_opts,
                                               .deadlines_us = four_deadlines_us,
                                               .n_deadlines = 3,
                                               .memories = four_memories,
                                               .n_memories = 2};

static void test_memory_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    json_t *json = evaluate(make_four(), &four_opts);
    assert_near(number(json, "methods/static/memory/8/faithful/500/models"), 2, 1e-6);
    assert_near(number(json, "methods/static/memory/8/faithful/500/recall"), eleven(0.9, 1.45), 1e-6);
    assert_near(number(json, "methods/static/memory/8/faithful/500/wall_ms"), 200, 1e-6);
    assert_near(number(json, "methods/static/memory/8/faithful/500/time_ratio"), 400.0 / 1200, 1e-6);
    assert_near(number(json, "methods/static/memory/8/deadline/500/models"), 3, 1e-6);
    assert_near(number(json, "methods/static/memory/8/deadline/500/recall"), eleven(2.5, 3.05), 1e-6);
    assert_near(number(json, "methods/static/memory/8/deadline/500/wall_ms"), 400, 1e-6);
    assert_near(number(json, "methods/static/memory/8/deadline/500/late"), 0, 0);
    assert_near(number(json, "methods/static/memory/8/faithful/1000/recall"), 1, 1e-6);
    assert_near(number(json, "methods/static/memory/8/faithful/1000/wall_ms"), 1000, 1e-6);
    assert_near(number(json, "methods/static/memory/8/deadline/150/models"), 0, 0);
    assert_near(number(json, "methods/static/memory/2/deadline/1000/models"), 1, 1e-6);
    assert_near(number(json, "methods/static/memory/2/faithful/1000/recall"), eleven(0, 0.55), 1e-6);
    // In order, whatever has room: A, B and D at once, C too late.
    const char *const in_order[] = {"run_all", "q_greedy"};
    for (size_t i = 0; i < 2; i++) {
        char path[64];
        snprintf(path, sizeof path, "methods/%s/memory/8/deadline/500/recall", in_order[i]);
        assert_near(number(json, path), eleven(2.5, 3.05), 1e-6);
        json_t *of_memory = json_object_get(json_object_get(json, "methods"), in_order[i]);
        of_memory = json_object_get(json_object_get(of_memory, "memory"), "8");
        assert_non_null(of_memory);
        assert_null(json_object_get(of_memory, "faithful"));
    }
    json_decref(json);
}

static void test_bounds_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    json_t *json = evaluate(make_four(), &four_opts);
    // 500 ms x 8 MiB is area 4000: B 600, A 1600, D 200 where it says something, the rest of it C (2000).
    assert_near(number(json, "methods/bound/memory/8/deadline/500/recall"), eleven(3.4, 3.85), 1e-6);
    assert_near(number(json, "methods/bound/memory/8/deadline/500/relaxed"), eleven(3.4, 3.85), 1e-6);
    assert_near(number(json, "methods/density_greedy/memory/8/deadline/500/recall"), eleven(2.5, 3.05), 1e-6);
    assert_near(number(json, "methods/density_greedy/memory/8/deadline/500/models"), (9 * 2 + 2 * 3) / 11.0,
                1e-5);
    assert_near(number(json, "methods/density_greedy/memory/8/deadline/500/wall_ms"), 400, 1e-6);
    assert_near(number(json, "methods/density_greedy/memory/8/deadline/500/certificate"),
                (9 * 2.5 / 3.4 + 2 * 3.05 / 3.85) / 11, 1e-6);
    // One after the other: B and three quarters of A bound it; greedy has B (and D), A alone is better.
    assert_near(number(json, "methods/bound/deadline/500/recall"), eleven(2.1, 2.1), 1e-6);
    assert_near(number(json, "methods/density_greedy/deadline/500/recall"), eleven(1.6, 1.6), 1e-6);
    assert_near(number(json, "methods/density_greedy/deadline/500/certificate"), 1.6 / 2.1, 1e-6);
    assert_near(number(json, "methods/bound/memory/2/deadline/1000/recall"), eleven(0, 0.55), 1e-6);
    assert_null(json_object_get(json_object_get(json_object_get(json, "methods"), "bound"), "recall"));
    assert_null(json_object_get(json_object_get(json_object_get(json, "methods"), "bound"), "stop"));
    json_decref(json);
}

// Q-greedy looks at the value alone: A (1.6) before B, although B has more for its time.
static void test_q_greedy_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    json_t *json = evaluate(make_four(), &four_opts);
    assert_near(number(json, "methods/q_greedy/deadline/500/recall"), eleven(1.6, 1.6), 1e-6);
    assert_near(number(json, "methods/static/deadline/500/recall"), eleven(0.9, 1.45), 1e-6);
    assert_near(number(json, "methods/q_greedy/deadline/1000/recall"), eleven(3.5, 3.5), 1e-6);
    json_decref(json);
}

static void test_memory_errors(void **state)
{
    (void)state;
    t_tmpdir();
    uint64_t none[101] = {0};
    struct few_eval_opts opts = {.size = sizeof opts, .memories = four_memories, .n_memories = 2};
    fails(make_three(20000, 20000, 0), &opts, FEW_EINVAL, "the memory of every model, found none of A");
    const char *path = make_four();
    opts.memories = none;
    fails(path, &opts, FEW_EINVAL, "more than 0 bytes");
    opts.n_memories = 101;
    fails(path, &opts, FEW_EINVAL, "at most 100 memory budgets, found 101");
}

/* ---- chains, gaps, failures ---- */

static const struct made_model chain[] = {{"find", FEW_DETECTIONS, "a", -1}, {"look", FEW_LABELS, "b", 0}};

static void test_need_that_finds_nothing(void **state)
{
    (void)state;
    t_tmpdir();
    const struct made_cell found[] = {{FEW_EXECUTED, 10000, {0.9F}, false},
                                      {FEW_EXECUTED, 30000, {0.7F}, false}};
    const struct made_cell nothing[] = {{FEW_EXECUTED, 10000, {0}, false}, {FEW_SKIPPED, 0, {0}, false}};
    struct made_trace trace;
    made_open(&trace, t_path("chain.db"), "trace", chain, 2);
    made_item(&trace, "a.jpg", 0, found);
    made_item(&trace, "b.jpg", 0, nothing);
    made_close(&trace);
    const double recalls[] = {1};
    struct few_eval_opts opts = {.size = sizeof opts, .recalls = recalls, .n_recalls = 1};
    json_t *json = evaluate(t_path("chain.db"), &opts);
    assert_near(number(json, "run_all/time_ms"), 25, 1e-9);
    const char *const names[] = {"run_all", "random", "static", "oracle"};
    for (size_t i = 0; i < 4; i++) { // everything on one item, nothing on the other
        char path[64];
        snprintf(path, sizeof path, "methods/%s/recall/1/models", names[i]);
        assert_near(number(json, path), 1, 1e-6);
        snprintf(path, sizeof path, "methods/%s/recall/1/time_ratio", names[i]);
        assert_near(number(json, path), 40.0 / 50, 1e-6);
        snprintf(path, sizeof path, "methods/%s/stop/1/time_ratio", names[i]);
        assert_near(number(json, path), 1, 1e-6); // the second prefix: the chain, whose look found no need
        snprintf(path, sizeof path, "methods/%s/stop/1/agreement", names[i]);
        assert_near(number(json, path), 1, 1e-6);
    }
    json_decref(json);
}

static void test_failed_models_cost_time_and_give_nothing(void **state)
{
    (void)state;
    t_tmpdir();
    const struct made_cell cells[] = {{FEW_FAILED, 10000, {0}, true}, {FEW_SKIPPED, 0, {0}, true}};
    const struct made_cell whole[] = {{FEW_EXECUTED, 10000, {0.9F}, false},
                                      {FEW_EXECUTED, 30000, {0.7F}, false}};
    struct made_trace trace;
    made_open(&trace, t_path("failed.db"), "trace", chain, 2);
    made_item(&trace, "a.jpg", 0, cells);
    made_item(&trace, "b.jpg", 0, whole);
    made_close(&trace);
    const int64_t deadlines_us[] = {1000000};
    struct few_eval_opts opts = {.size = sizeof opts, .deadlines_us = deadlines_us, .n_deadlines = 1};
    json_t *json = evaluate(t_path("failed.db"), &opts);
    assert_near(number(json, "items_incomplete"), 0, 0);
    assert_near(number(json, "methods/run_all/deadline/1000/models"), 1, 1e-6);
    assert_near(number(json, "methods/run_all/deadline/1000/time_ratio"), 1, 1e-6);
    assert_near(number(json, "methods/run_all/deadline/1000/recall"), 1, 1e-6);
    json_decref(json);
}

static void test_items_with_gaps_are_left_out(void **state)
{
    (void)state;
    t_tmpdir();
    const struct made_cell gap[] = {{FEW_EXECUTED, 10000, {0.9F}, false}, {FEW_LATE, 5000, {0}, true}};
    const struct made_cell whole[] = {{FEW_EXECUTED, 10000, {0.9F}, false},
                                      {FEW_EXECUTED, 30000, {0.7F}, false}};
    struct made_trace trace;
    made_open(&trace, t_path("gaps.db"), "run", chain, 2);
    made_item(&trace, "a.jpg", 0, gap);
    made_item(&trace, "b.jpg", 0, whole);
    made_close(&trace);
    struct few_eval_opts opts = {.size = sizeof opts};
    json_t *json = evaluate(t_path("gaps.db"), &opts);
    assert_near(number(json, "items"), 2, 0);
    assert_near(number(json, "items_incomplete"), 1, 0);
    assert_near(number(json, "test_items"), 1, 0);
    json_decref(json);
    made_open(&trace, t_path("run.db"), "run", chain, 2);
    made_item(&trace, "a.jpg", 0, gap);
    made_close(&trace);
    fails(t_path("run.db"), &opts, FEW_EINVAL, "every model ran, found look late on a.jpg");
}

/* ---- split, random, determinism ---- */

static void test_split_by_name(void **state)
{
    (void)state;
    t_tmpdir();
    // SHA-1 modulo 100: e.jpg 1, l.jpg 16 (train), b.jpg 20, a.jpg 25 (test). B alone is useful in training, A in the test.
    const struct made_cell train[] = {{FEW_EXECUTED, 1000, {0}, false},
                                      {FEW_EXECUTED, 1000, {0, 0.9F}, false},
                                      {FEW_EXECUTED, 1000, {0}, false}};
    const struct made_cell test[] = {{FEW_EXECUTED, 1000, {0.9F}, false},
                                     {FEW_EXECUTED, 1000, {0, 0}, false},
                                     {FEW_EXECUTED, 1000, {0}, false}};
    struct made_trace trace;
    made_open(&trace, t_path("split.db"), "trace", three, 3);
    made_item(&trace, "x/e.jpg", 0, train);
    made_item(&trace, "x/b.jpg", 0, test);
    made_item(&trace, "l.jpg", 0, train);
    made_item(&trace, "x/y/a.jpg", 0, test);
    made_close(&trace);
    const double recalls[] = {1};
    struct few_eval_opts opts = {.size = sizeof opts, .recalls = recalls, .n_recalls = 1};
    json_t *json = evaluate(t_path("split.db"), &opts);
    assert_near(number(json, "train_items"), 2, 0);
    assert_near(number(json, "test_items"), 2, 0);
    assert_string_equal(json_string_value(json_object_get(json, "split")), "sha1");
    assert_near(number(json, "methods/static/recall/1/models"), 2, 1e-6);
    assert_near(number(json, "methods/oracle/recall/1/models"), 1, 1e-6);
    json_decref(json);
}

enum { N = 10, K = 3, N_ITEMS = 2000 };

// Ten models, three of which say one label each, equally confident: ceil(r k) (N + 1) / (k + 1) executions on average.
static const char *make_ten(void)
{
    struct made_model models[N];
    char names[N][8];
    for (int m = 0; m < N; m++) {
        snprintf(names[m], sizeof names[m], "m%d", m);
        models[m] = (struct made_model){names[m], FEW_LABELS, m == 2 ? "a" : m == 5 ? "b" : "c", -1};
    }
    const char *path = t_path("ten.db");
    struct made_trace trace;
    made_open(&trace, path, "trace", models, N);
    for (int i = 0; i < N_ITEMS; i++) {
        struct made_cell cells[N];
        for (int m = 0; m < N; m++) cells[m] = (struct made_cell){.outcome = FEW_EXECUTED, .time_us = 1000};
        cells[2].confidences[0] = cells[5].confidences[0] = cells[9].confidences[0] = 1;
        char name[32];
        snprintf(name, sizeof name, "%d.jpg", i);
        made_item(&trace, name, 0, cells);
    }
    made_close(&trace);
    return path;
}

static void test_random_has_its_closed_form(void **state)
{
    (void)state;
    t_tmpdir();
    const double recalls[] = {0.3, 0.6, 1};
    const char *const methods[] = {"random", "oracle", "run_all"};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .recalls = recalls,
                                 .n_recalls = 3,
                                 .methods = methods,
                                 .n_methods = 3,
                                 .seed = t_seed()};
    json_t *json = evaluate(make_ten(), &opts);
    // Standard error of the mean over some 1,600 test items: below 0.06.
    assert_near(number(json, "methods/random/recall/0.3/models"), 1 * 11 / 4.0, 0.2);
    assert_near(number(json, "methods/random/recall/0.6/models"), 2 * 11 / 4.0, 0.2);
    assert_near(number(json, "methods/random/recall/1/models"), 3 * 11 / 4.0, 0.2);
    assert_near(number(json, "methods/oracle/recall/0.6/models"), 2, 1e-6);
    assert_near(number(json, "methods/run_all/recall/1/models"), 10, 1e-6);
    assert_near(number(json, "methods/random/stop/1/models"), 10, 1e-6);
    assert_null(json_object_get(json_object_get(json, "methods"), "static"));
    json_decref(json);
}

// Whoever of the three is drawn first makes the other two all but sure to follow: 11 / 4 + 2 executions for all of them.
static void test_rules_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    static const char text[] =
        "version: 1\nrules: [{when: {space: letters}, models: [m2, m5, m9], times: 1000}]\n",
                      wrong[] = "version: 1\nrules: [{when: {space: letter}, models: [m2], times: 2}]\n";
    const double recalls[] = {0.3, 1};
    const char *const methods[] = {"rules", "random"}, *path = make_ten();
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .recalls = recalls,
                                 .n_recalls = 2,
                                 .methods = methods + 1,
                                 .n_methods = 1,
                                 .seed = t_seed()};
    json_t *without = evaluate(path, &opts);
    t_write(t_path("rules.yaml"), text, sizeof text - 1);
    opts.rules = t_path("rules.yaml");
    opts.methods = methods, opts.n_methods = 2;
    json_t *with = evaluate(path, &opts);
    assert_near(number(with, "methods/rules/recall/0.3/models"), 11 / 4.0, 0.2);
    assert_near(number(with, "methods/rules/recall/1/models"), 11 / 4.0 + 2, 0.2);
    assert_true(json_equal(json_object_get(json_object_get(with, "methods"), "random"),
                           json_object_get(json_object_get(without, "methods"), "random")));
    json_decref(without);
    json_decref(with);
    opts.rules = NULL;
    fails(path, &opts, FEW_EINVAL, "method rules: expected a file of rules, found none");
    opts.rules = t_path("none.yaml");
    fails(path, &opts, FEW_ENOENT, "none.yaml");
    t_write(t_path("rules.yaml"), wrong, sizeof wrong - 1);
    opts.rules = t_path("rules.yaml");
    fails(path, &opts, FEW_EPARSE,
          "rules.yaml:2:24: rules[0].when.space: expected a label space, perhaps \"letters\"");
}

static void test_same_seed_same_bytes(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = make_ten();
    struct few_eval_opts opts = {.size = sizeof opts, .seed = 7};
    char *first = NULL, *again = NULL, *other = NULL;
    assert_int_equal(few_eval(path, &opts, &first, NULL), FEW_OK);
    assert_int_equal(few_eval(path, &opts, &again, NULL), FEW_OK);
    opts.seed = 8;
    assert_int_equal(few_eval(path, &opts, &other, NULL), FEW_OK);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    few_text_free(first);
    few_text_free(again);
    few_text_free(other);
}

static void test_default_deadlines(void **state)
{
    (void)state;
    t_tmpdir();
    const char *const methods[] = {"run_all"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 1};
    json_t *json = evaluate(make_three(20000, 20000, 0), &opts); // 60 ms to run everything
    json_t *deadlines =
        json_object_get(json_object_get(json_object_get(json, "methods"), "run_all"), "deadline");
    const char *const keys[] = {"1.2", "3", "6", "9", "12", "18", "24", "30", "45", "60"};
    assert_int_equal(json_object_size(deadlines), 10);
    for (size_t i = 0; i < 10; i++) assert_non_null(json_object_get(deadlines, keys[i]));
    json_decref(json);
}

/* ---- errors ---- */

static void test_errors(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = make_three(20000, 20000, 0);
    const double too_much[] = {0.5, 1.1};
    const int64_t no_time[] = {0};
    const char *const unknown[] = {"static", "psychic"}, *const twice[] = {"static", "static"};
    struct few_eval_opts opts = {.size = sizeof opts};
    fails(t_path("none.db"), &opts, FEW_ENOENT, "none.db");
    opts.methods = unknown;
    opts.n_methods = 2;
    fails(path, &opts, FEW_EINVAL, "\"psychic\"");
    opts.methods = twice;
    fails(path, &opts, FEW_EINVAL, "twice");
    opts = (struct few_eval_opts){.size = sizeof opts, .recalls = too_much, .n_recalls = 2};
    fails(path, &opts, FEW_EINVAL, "found 1.1");
    opts.n_recalls = 101;
    fails(path, &opts, FEW_EINVAL, "at most 100 recalls");
    opts = (struct few_eval_opts){.size = sizeof opts, .deadlines_us = no_time, .n_deadlines = 1};
    fails(path, &opts, FEW_EINVAL, "more than 0 us");
    opts = (struct few_eval_opts){.size = 3};
    fails(path, &opts, FEW_EINVAL, "expected size");
    struct made_trace trace;
    made_open(&trace, t_path("empty.db"), "trace", three, 3);
    made_close(&trace);
    fails(t_path("empty.db"), NULL, FEW_EINVAL, "found 0 items");
}

static enum few_status evaluate_with(const struct few_mem *mem, void *ud)
{
    struct few_eval_opts opts = four_opts;
    opts.env.mem = mem;
    char *text = NULL;
    enum few_status status = few_eval(ud, &opts, &text, NULL);
    assert_true((status == FEW_OK) == (text != NULL));
    few_text_free(text);
    return status;
}

static void test_each_allocation(void **state)
{
    (void)state;
    t_tmpdir();
    char path[512];
    snprintf(path, sizeof path, "%s", make_four());
    t_fail_each_allocation(evaluate_with, path);
}

/* ---- the real trace ---- */

// Nothing exceeds the bound; what knows more is better.
static void assert_no_more_than_bound(json_t *json)
{
    const char *const names[] = {"bound",    "density_greedy", "oracle", "static",
                                 "q_greedy", "random",         "run_all"};
    const char *const budgets[] = {"deadline/30", "deadline/80", "memory/150/deadline/30",
                                   "memory/150/deadline/80"};
    for (size_t b = 0; b < 4; b++) {
        double recall[7];
        for (size_t i = 0; i < 7; i++) {
            char path[96];
            snprintf(path, sizeof path, "methods/%s/%s/recall", names[i], budgets[b]);
            recall[i] = number(json, path);
            assert_true(recall[i] <= recall[0] + 1e-6);
        }
        assert_true(recall[3] < recall[2] && recall[5] < recall[3]);
    }
    double improved = number(json, "methods/static/memory/150/deadline/30/recall");
    assert_true(improved > number(json, "methods/static/memory/150/faithful/30/recall"));
}

static void test_real_trace(void **state)
{
    (void)state;
    char manifest[512], lines[512];
    snprintf(manifest, sizeof manifest, "%s/examples/photo-zoo/zoo.yaml", t_source());
    if (!t_zoo() || access(manifest, R_OK) != 0) skip();
    snprintf(lines, sizeof lines, "%s/trace.jsonl.gz", t_zoo());
    t_tmpdir();
    struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = t_zoo()};
    struct few_zoo *zoo = NULL;
    struct few_error err = {0};
    struct few_import_stats stats;
    assert_status(few_zoo_open(manifest, &zoo_opts, &zoo, &err), FEW_OK, &err);
    assert_status(few_import(lines, zoo, t_path("real.db"), false, &stats, &err), FEW_OK, &err);
    few_zoo_close(zoo);
    const int64_t deadlines_us[] = {30000, 80000};
    const uint64_t memories[] = {150 << 20};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .seed = t_seed(),
                                 .deadlines_us = deadlines_us,
                                 .n_deadlines = 2,
                                 .memories = memories,
                                 .n_memories = 1};
    json_t *json = evaluate(t_path("real.db"), &opts);
    assert_near(number(json, "items"), 4051, 0);
    assert_no_more_than_bound(json);
    double oracle = number(json, "methods/oracle/recall/0.8/time_ratio");
    double fixed = number(json, "methods/static/recall/0.8/time_ratio");
    double random = number(json, "methods/random/recall/0.8/time_ratio");
    print_message("time to recall 0.8: oracle %.3f, static %.3f, random %.3f\n", oracle, fixed, random);
    assert_true(oracle > 0 && oracle <= fixed && fixed <= random && random < 1);
    assert_near(number(json, "methods/static/recall/1/recall"), 1, 1e-9);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recall_by_hand),
        cmocka_unit_test(test_reused_outputs_count),
        cmocka_unit_test(test_stop_by_hand),
        cmocka_unit_test(test_deadline_covers_decoding),
        cmocka_unit_test(test_late_counts_as_nothing),
        cmocka_unit_test(test_memory_by_hand),
        cmocka_unit_test(test_bounds_by_hand),
        cmocka_unit_test(test_q_greedy_by_hand),
        cmocka_unit_test(test_memory_errors),
        cmocka_unit_test(test_need_that_finds_nothing),
        cmocka_unit_test(test_failed_models_cost_time_and_give_nothing),
        cmocka_unit_test(test_items_with_gaps_are_left_out),
        cmocka_unit_test(test_split_by_name),
        cmocka_unit_test(test_random_has_its_closed_form),
        cmocka_unit_test(test_rules_by_hand),
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_default_deadlines),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_real_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
