// SPDX-License-Identifier: Apache-2.0
// The methods of a policy in few_eval and few_plan: own stops, promises, intervals, sources, priorities, by hand.
#include "support/support.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/rng.h"
#include "eval/eval_asked.h"
#include "eval/policy_made.h"
#include "eval/trace_made.h"

/* ---- by hand: two items, three models of 20 ms ----
 *
 * first: A says a 0.8, B says a 0.6 and b 0.9, C nothing: value 1.7. second: nobody says anything. */

static const struct made_model three[] = {
    {"A", FEW_LABELS, "a", -1}, {"B", FEW_LABELS, "ab", -1}, {"C", FEW_LABELS, "c", -1}};

static const char *make_three(void)
{
    const char *path = t_path("three.db");
    const struct made_cell first[] = {{FEW_EXECUTED, 20000, {0.8F}, false},
                                      {FEW_EXECUTED, 20000, {0.6F, 0.9F}, false},
                                      {FEW_EXECUTED, 20000, {0.2F}, false}};
    const struct made_cell second[] = {{FEW_EXECUTED, 20000, {0.1F}, false},
                                       {FEW_EXECUTED, 20000, {0.1F, 0.3F}, false},
                                       {FEW_EXECUTED, 20000, {0.5F}, false}};
    struct made_trace trace;
    made_open(&trace, path, "trace", three, 3);
    made_item(&trace, "first/a.jpg", 0, first);
    made_item(&trace, "second/b.jpg", 0, second);
    made_close(&trace);
    return path;
}

// Once a label of a model was seen, the model is worth nothing.
static const struct made_policy once = {.split = 20,
                                        .n_methods = 2,
                                        .methods = {{.name = "value_net",
                                                     .rank = FEW__RANK_RATIO,
                                                     .gains = {0.8, 1.5, 0.1},
                                                     .n_stops = 2,
                                                     .stops = {{0.8, 0.5 / 20000, 0.83, 0.81, 0.85, 0.4},
                                                               {0.9, 0.05 / 20000, 0.9, 0.9, 0.9, 0.6}}},
                                                    {.name = "dqn",
                                                     .rank = FEW__RANK_PRODUCT,
                                                     .gains = {0.8, 1.5, 0.1},
                                                     .n_stops = 1,
                                                     .stops = {{0.8, 0.5 / 20000, 0.83, 0.81, 0.85, 0.4}}}}};

static void test_promise_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&once);
    const double recalls[] = {0.8, 0.9, 1};
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "p", .recalls = recalls, .n_recalls = 3};
    json_t *json = evaluate(make_three(), &opts);
    assert_near(number(json, "split_at"), 20, 0);
    // first: B, then A is worth nothing and C 0.1 in 20 ms. second: B and A. Of 120 ms, 60.
    const char *const names[] = {"methods/value_net", "methods/dqn"};
    for (size_t i = 0; i < 2; i++) {
        char path[100];
        struct {
            const char *measure;
            double value;
        } want[] = {{"time_ratio", 0.5},
                    {"models", 1.5},
                    {"recall", (1.5 / 1.7 + 1) / 2},
                    {"price", 2.5e-5},
                    {"agreement", (2.0 / 3 + 1) / 2}};
        for (size_t k = 0; k < 5; k++) {
            snprintf(path, sizeof path, "%s/promise/0.8/%s", names[i], want[k].measure);
            assert_near(number(json, path), want[k].value, 1e-6);
        }
    }
    assert_near(number(json, "methods/value_net/promise/0.8/promised/low"), 0.81, 1e-9);
    // 0.05: C as well, on both.
    assert_near(number(json, "methods/value_net/promise/0.9/time_ratio"), 100.0 / 120, 1e-6);
    json_t *promise =
        json_object_get(json_object_get(json_object_get(json, "methods"), "value_net"), "promise");
    assert_int_equal(json_object_size(promise), 2); // none for 1
    promise = json_object_get(json_object_get(json_object_get(json, "methods"), "static"), "promise");
    assert_null(promise);
    json_decref(json);
}

static void test_own_stop_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&once);
    const double recalls[] = {0.5, 0.8, 1};
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "p", .recalls = recalls, .n_recalls = 3};
    json_t *json = evaluate(make_three(), &opts);
    // At 1.5 in 20 ms both items run B: mean recall from 0.5 to 0.941176 for a third of the time. At a price of 0.8 the second
    // runs A, which gives nothing; at 0, which no price of a step is, the first runs A.
    double after_b = (1.5 / 1.7 + 1) / 2, share = (0.8 - 0.5) / (after_b - 0.5);
    const char *const names[] = {"value_net", "dqn"};
    for (size_t i = 0; i < 2; i++) {
        char path[100];
        snprintf(path, sizeof path, "methods/%s/stop/0.5/time_ratio", names[i]);
        assert_near(number(json, path), 0, 0);
        snprintf(path, sizeof path, "methods/%s/stop/0.8/time_ratio", names[i]);
        assert_near(number(json, path), share / 3, 1e-6);
        snprintf(path, sizeof path, "methods/%s/stop/0.8/models", names[i]);
        assert_near(number(json, path), share, 1e-6);
        snprintf(path, sizeof path, "methods/%s/stop/1/time_ratio", names[i]);
        assert_near(number(json, path), 1, 1e-6);
    }
    assert_near(number(json, "methods/value_net/stop/0.8/against_static/time_ratio"), 1, 1e-6);
    // With the truth's stop: B, then C, then A.
    assert_near(number(json, "methods/value_net/recall/1/time_ratio"), 60.0 / 120, 1e-6);
    assert_near(number(json, "methods/value_net/recall/1/against_static/time_ratio"), 60.0 / 40, 1e-6);
    assert_null(json_object_get(
        json_object_get(
            json_object_get(json_object_get(json_object_get(json, "methods"), "static"), "recall"), "1"),
        "against_static"));
    json_decref(json);
}

// The policy's own "static" does not compete, but its promise is looked at.
static void test_twin(void **state)
{
    (void)state;
    t_tmpdir();
    static struct made_policy policy;
    policy = once;
    policy.methods[1].name = "static";
    policy.methods[1].rank = FEW__RANK_RATIO;
    made_policy(&policy);
    const double recalls[] = {0.8};
    const char *const methods[] = {"static", "value_net"};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .policy = "p",
                                 .recalls = recalls,
                                 .n_recalls = 1,
                                 .methods = methods,
                                 .n_methods = 2,
                                 .by_source = true};
    json_t *json = evaluate(make_three(), &opts), *all = json_object_get(json, "methods");
    assert_int_equal(json_object_size(all), 2);
    assert_true(json_equal(json_object_get(json_object_get(all, "static"), "promise"),
                           json_object_get(json_object_get(all, "value_net"), "promise")));
    assert_near(number(json, "sources/other/methods/static/promise/0.8/time_ratio"), 0.5, 1e-6);
    json_decref(json);
}

/* ---- many items: what is read from one sequence is what a replay at that price does ---- */

enum { MANY = 300, SIX = 6 };

static const struct made_model six[SIX] = {{"m0", FEW_LABELS, "ab", -1},     {"m1", FEW_LABELS, "bc", -1},
                                           {"m2", FEW_DETECTIONS, "cd", -1}, {"m3", FEW_LABELS, "de", 2},
                                           {"m4", FEW_LABELS, "ea", -1},     {"m5", FEW_LABELS, "f", -1}};
static const uint64_t six_bytes[SIX] = {1 << 20, 2 << 20, 3 << 20, 1 << 20, 2 << 20, 4 << 20};

// Names: "ade_0.jpg", "voc_1.jpg", "2.jpg", and so on.
static const char *make_many(size_t n)
{
    static const char *const sources[] = {"ade_", "voc_", ""};
    const char *path = t_path("many.db");
    struct made_trace trace;
    struct few__rng rng;
    few__rng_init(&rng, 5, 0);
    made_open_memory(&trace, path, six, SIX, six_bytes);
    for (size_t i = 0; i < n; i++) {
        struct made_cell cells[SIX];
        for (size_t m = 0; m < SIX; m++) {
            cells[m] =
                (struct made_cell){.outcome = FEW_EXECUTED,
                                   .time_us = 1000 * (int64_t)(m + 1) + (int64_t)few__rng_below(&rng, 500)};
            for (size_t l = 0; six[m].labels[l]; l++)
                cells[m].confidences[l] = fmaxf(0, (float)(1.4 * few__rng_unit(&rng) - 0.4));
            if (m == 2 && few__rng_below(&rng, 2))
                memset(cells[m].confidences, 0, sizeof cells[m].confidences);
            if (m == 3 && cells[2].confidences[0] <= 0 && cells[2].confidences[1] <= 0)
                cells[m] = (struct made_cell){.outcome = FEW_SKIPPED};
        }
        char name[32];
        snprintf(name, sizeof name, "%s%zu.jpg", sources[i % 3], i);
        made_item(&trace, name, 100, cells);
    }
    made_close(&trace);
    return path;
}

static const struct made_policy adaptive = {.split = 20,
                                            .n_methods = 3,
                                            .methods = {{.name = "value_net",
                                                         .rank = FEW__RANK_RATIO,
                                                         .has_outputs = true,
                                                         .again = 0.4,
                                                         .gains = {0.6, 0.5, 0.3, 0.5, 0.7, 0.4},
                                                         .n_stops = 3,
                                                         .stops = {{.recall = 0.5, .price = 2e-4},
                                                                   {.recall = 0.8, .price = 9e-5},
                                                                   {.recall = 0.95, .price = 3e-5}}},
                                                        {.name = "dueling_dqn",
                                                         .rank = FEW__RANK_STOP,
                                                         .again = 0.2,
                                                         .gains = {0.6, 0.5, 0.3, 0.5, 0.7, -0.1},
                                                         .n_stops = 1,
                                                         .stops = {{.recall = 0.8, .price = 9e-5}}},
                                                        {.name = "dqn",
                                                         .rank = FEW__RANK_PRODUCT,
                                                         .again = 0.3,
                                                         .gains = {0.6, 0.5, 0.3, 0.5, 0.7, 0.4},
                                                         .n_stops = 1,
                                                         .stops = {{.recall = 0.8, .price = 9e-5}}}}};

static json_t *plan(const char *path, const struct few_plan_opts *opts)
{
    char *text = NULL;
    struct few_error err = {0};
    assert_status(few_plan(path, opts, &text, &err), FEW_OK, &err);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    few_text_free(text);
    return json;
}

static void test_one_sequence_serves_all_prices(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&adaptive);
    const char *path = make_many(MANY);
    const double recalls[] = {0.5, 0.8, 0.95};
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "p", .recalls = recalls, .n_recalls = 3};
    json_t *json = evaluate(path, &opts);
    static const char *const methods[] = {"value_net", "dueling_dqn", "dqn"};
    static const char *const measures[] = {"time_ratio", "models",      "recall",
                                           "recall_low", "recall_high", "agreement"};
    for (size_t m = 0; m < 3; m++) {
        struct few_plan_opts asked = {.size = sizeof asked, .policy = "p", .method = methods[m]};
        json_t *planned = plan(path, &asked);
        for (size_t r = 0; r < adaptive.methods[m].n_stops; r++)
            for (size_t k = 0; k < 6; k++) {
                char here[100], there[100];
                double recall = adaptive.methods[m].stops[r].recall;
                snprintf(here, sizeof here, "methods/%s/promise/%g/%s", methods[m], recall, measures[k]);
                snprintf(there, sizeof there, "plan/recall/%g/%s", recall, measures[k]);
                assert_near(number(json, here), number(planned, there), 1e-9);
            }
        json_decref(planned);
    }
    // A price that asks for more recall takes more time; the three differ, or nothing is tested here.
    assert_true(number(json, "methods/value_net/promise/0.5/time_ratio") + 0.05 <
                number(json, "methods/value_net/promise/0.8/time_ratio"));
    assert_true(number(json, "methods/value_net/promise/0.8/time_ratio") + 0.05 <
                number(json, "methods/value_net/promise/0.95/time_ratio"));
    json_decref(json);
}

// What a promise gets lies on the method's own curve.
static void test_promise_lies_on_the_curve(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&adaptive);
    const char *path = make_many(MANY);
    const double wanted[] = {0.8};
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "p", .recalls = wanted, .n_recalls = 1};
    json_t *json = evaluate(path, &opts);
    double got = number(json, "methods/value_net/promise/0.8/recall");
    double time = number(json, "methods/value_net/promise/0.8/time_ratio");
    json_decref(json);
    opts.recalls = &got;
    json = evaluate(path, &opts);
    char name[100];
    snprintf(name, sizeof name, "methods/value_net/stop/%g/time_ratio", got);
    assert_near(number(json, name), time, 0.01);
    json_decref(json);
}

/* ---- the split ---- */

static size_t n_test(json_t *json)
{
    return (size_t)number(json, "test_items");
}

static void test_split(void **state)
{
    (void)state;
    t_tmpdir();
    static struct made_policy policy;
    policy = adaptive;
    policy.split = 50;
    made_policy(&policy);
    const char *path = make_many(MANY);
    const char *const methods[] = {"value_net"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 1, .policy = "p"};
    json_t *half = evaluate(path, &opts);
    opts.split = 70;
    json_t *less = evaluate(path, &opts);
    assert_near(number(half, "split_at"), 50, 0);
    assert_near(number(less, "split_at"), 70, 0);
    assert_near((double)n_test(half) / MANY, 0.5, 0.1);
    assert_near((double)n_test(less) / MANY, 0.3, 0.1);
    opts.split = 20;
    fails(path, &opts, FEW_EINVAL, "expected at least 50, which the policy was learned with, found 20");
    opts.split = 100;
    fails(path, &opts, FEW_EINVAL, "expected 1 to 99, found 100");
    policy.source = "voc";
    opts.split = 50;
    json_t *one = evaluate(path, &opts); // of three
    assert_near(number(one, "test_items"), number(half, "test_items"), 0);
    assert_near(number(one, "train_items"), number(half, "train_items") / 3, 20);
    json_decref(one);
    opts = (struct few_eval_opts){.size = sizeof opts, .split = 20};
    json_t *twenty = evaluate(path, &opts);
    opts.split = 0;
    json_t *alone = evaluate(path, &opts);
    assert_true(json_equal(twenty, alone));
    json_decref(half);
    json_decref(less);
    json_decref(twenty);
    json_decref(alone);
}

/* ---- intervals ---- */

enum { COINS = 400 };

// One model of 10 ms that finds its label on every other item, one of 10 ms that always does.
static const char *make_coins(size_t n)
{
    static const struct made_model two[] = {{"coin", FEW_LABELS, "a", -1}, {"sure", FEW_LABELS, "ab", -1}};
    const char *path = t_path("coins.db");
    struct made_trace trace;
    made_open(&trace, path, "trace", two, 2);
    for (size_t i = 0; i < n; i++) {
        const struct made_cell cells[] = {{FEW_EXECUTED, 10000, {i % 2 ? 0.8F : 0}, false},
                                          {FEW_EXECUTED, 10000, {0.8F, 0.8F}, false}};
        char name[32];
        snprintf(name, sizeof name, "%zu/a.jpg", i); // test items, all of them
        made_item(&trace, name, 0, cells);
    }
    made_close(&trace);
    return path;
}

// At this price coin alone runs: recall is a half on every other item, else 0.
static const struct made_policy coin = {.split = 20,
                                        .n_methods = 1,
                                        .methods = {{.name = "value_net",
                                                     .rank = FEW__RANK_RATIO,
                                                     .again = 1,
                                                     .gains = {2, 1},
                                                     .n_stops = 1,
                                                     .stops = {{.recall = 0.25, .price = 1.5 / 10000}}}}};

static void test_intervals_have_their_closed_form(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&coin);
    const double recalls[] = {0.25, 0.6};
    struct few_eval_opts opts = {
        .size = sizeof opts, .policy = "p", .recalls = recalls, .n_recalls = 2, .seed = t_seed()};
    json_t *json = evaluate(make_coins(COINS), &opts);
    double sd = 0.25 / sqrt(COINS);
    assert_near(number(json, "methods/value_net/promise/0.25/recall"), 0.25, 1e-6);
    assert_near(number(json, "methods/value_net/promise/0.25/recall_low"), 0.25 - 1.96 * sd, 0.2 * sd);
    assert_near(number(json, "methods/value_net/promise/0.25/recall_high"), 0.25 + 1.96 * sd, 0.2 * sd);
    // Its time is the same on every item.
    assert_near(number(json, "methods/value_net/promise/0.25/low"), 0.5, 1e-6);
    assert_near(number(json, "methods/value_net/promise/0.25/high"), 0.5, 1e-6);
    // Static runs "sure" first, and needs no more.
    assert_near(number(json, "methods/static/recall/0.6/low"), 0.5, 1e-6);
    assert_near(number(json, "methods/static/recall/0.6/high"), 0.5, 1e-6);
    assert_near(number(json, "methods/value_net/recall/0.6/against_static/low"), 2, 1e-6);
    assert_near(number(json, "methods/value_net/recall/0.6/against_static/high"), 2, 1e-6);
    // To 0.25: coin, and sure as well where it found nothing. A mean of 1 and 2 models, of 1 for static.
    double spread = 0.5 * 0.5 / sqrt(COINS); // of the share of all time
    assert_near(number(json, "methods/value_net/recall/0.25/time_ratio"), 0.75, 1e-6);
    assert_near(number(json, "methods/value_net/recall/0.25/high"), 0.75 + 1.96 * spread, 0.2 * spread);
    assert_near(number(json, "methods/value_net/recall/0.25/against_static/high"), 1.5 + 2 * 1.96 * spread,
                0.4 * spread);
    json_decref(json);
}

// Beyond 4,096 units several items are drawn together: the interval stays what it is.
static void test_intervals_of_many_items(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&coin);
    enum { N = 10000 };
    const double recalls[] = {0.25};
    const char *const methods[] = {"value_net"};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .policy = "p",
                                 .recalls = recalls,
                                 .n_recalls = 1,
                                 .methods = methods,
                                 .n_methods = 1};
    json_t *json = evaluate(make_coins(N), &opts); // odd
    double sd = 0.25 / sqrt(N);
    assert_near(number(json, "methods/value_net/promise/0.25/recall_high"), 0.25 + 1.96 * sd, 0.3 * sd);
    json_decref(json);
}

// Frames of a segment are alike, so they are drawn together: two segments make draws of three values.
static void test_segments_are_drawn_whole(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&coin);
    static const struct made_model two[] = {{"coin", FEW_LABELS, "a", -1}, {"sure", FEW_LABELS, "ab", -1}};
    struct made_trace trace;
    made_open(&trace, t_path("street.db"), "trace", two, 2);
    made_stream(&trace, "street.mp4");
    for (int i = 0; i < 40; i++) {
        const struct made_cell cells[] = {{FEW_EXECUTED, 10000, {i < 20 ? 0.8F : 0}, false},
                                          {FEW_EXECUTED, 10000, {0.8F, 0.8F}, false}};
        made_moment(&trace, 0, 500000 * i, NULL, 0, cells);
    }
    made_close(&trace);
    const double recalls[] = {0.25};
    const char *const methods[] = {"value_net"};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .policy = "p",
                                 .recalls = recalls,
                                 .n_recalls = 1,
                                 .methods = methods,
                                 .n_methods = 1};
    json_t *json = evaluate(t_path("street.db"), &opts);
    assert_near(number(json, "methods/value_net/promise/0.25/recall"), 0.25, 1e-6);
    assert_near(number(json, "methods/value_net/promise/0.25/recall_low"), 0, 1e-6);
    assert_near(number(json, "methods/value_net/promise/0.25/recall_high"), 0.5, 1e-6);
    json_decref(json);
}

static void test_gap(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&coin);
    const double recalls[] = {0.25, 0.6};
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "p", .recalls = recalls, .n_recalls = 2};
    json_t *json = evaluate(make_coins(COINS), &opts);
    // Static and oracle take the same time here, so there is no gap.
    json_t *gap =
        json_object_get(json_object_get(json_object_get(json, "methods"), "value_net"), "gap_closed");
    assert_int_equal(json_object_size(gap), 0);
    json_decref(json);
    made_policy(&adaptive);
    json = evaluate(make_many(MANY), &opts);
    double from = number(json, "methods/static/recall/0.6/time_ratio"),
           to = number(json, "methods/oracle/recall/0.6/time_ratio"),
           mine = number(json, "methods/value_net/recall/0.6/time_ratio");
    assert_true(from > to);
    assert_near(number(json, "methods/value_net/gap_closed/0.6"), (from - mine) / (from - to), 1e-4);
    assert_near(number(json, "methods/oracle/gap_closed/0.6"), 1, 1e-6);
    json_decref(json);
}

static void test_same_seed_same_bytes(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&adaptive);
    const char *path = make_many(MANY);
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "p", .seed = 7, .by_source = true};
    char *texts[3] = {NULL};
    static const size_t n_threads[] = {0, 1, 3};
    for (size_t i = 0; i < 3; i++) {
        opts.n_threads = n_threads[i];
        assert_int_equal(few_eval(path, &opts, &texts[i], NULL), FEW_OK);
        assert_string_equal(texts[0], texts[i]);
    }
    for (size_t i = 0; i < 3; i++) few_text_free(texts[i]);
    opts.n_threads = 65;
    fails(path, &opts, FEW_EINVAL, "threads: expected at most 64, found 65");
}

/* ---- sources, priority ---- */

static void test_sources(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&adaptive);
    const double recalls[] = {0.8};
    struct few_eval_opts opts = {
        .size = sizeof opts, .policy = "p", .recalls = recalls, .n_recalls = 1, .by_source = true};
    json_t *json = evaluate(make_many(MANY), &opts);
    static const char *const names[] = {"ade", "voc", "other"};
    double items = 0, recall = 0, all_ms = 0, spent_ms = 0;
    assert_int_equal(json_object_size(json_object_get(json, "sources")), 3);
    for (size_t s = 0; s < 3; s++) {
        char path[100];
        snprintf(path, sizeof path, "sources/%s/test_items", names[s]);
        double n = number(json, path);
        snprintf(path, sizeof path, "sources/%s/run_all_ms", names[s]);
        double ms = n * number(json, path);
        snprintf(path, sizeof path, "sources/%s/methods/value_net/promise/0.8/recall", names[s]);
        recall += n * number(json, path);
        snprintf(path, sizeof path, "sources/%s/methods/value_net/recall/0.8/time_ratio", names[s]);
        spent_ms += ms * number(json, path);
        snprintf(path, sizeof path, "sources/%s/methods/value_net/stop/0.8/recall", names[s]);
        assert_near(number(json, path), 0.8, 1e-6);
        items += n;
        all_ms += ms;
    }
    assert_near(items, number(json, "test_items"), 0);
    assert_near(recall / items, number(json, "methods/value_net/promise/0.8/recall"), 1e-5);
    assert_near(spent_ms / all_ms, number(json, "methods/value_net/recall/0.8/time_ratio"), 1e-5);
    json_decref(json);
}

static void test_too_many_sources(void **state)
{
    (void)state;
    t_tmpdir();
    struct made_trace trace;
    made_open(&trace, t_path("sources.db"), "trace", three, 3);
    const struct made_cell cells[] = {{FEW_EXECUTED, 20000, {0.8F}, false},
                                      {FEW_EXECUTED, 20000, {0.6F, 0.9F}, false},
                                      {FEW_EXECUTED, 20000, {0.2F}, false}};
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "s%d_a.jpg", i);
        made_item(&trace, name, 0, cells);
    }
    made_close(&trace);
    struct few_eval_opts opts = {.size = sizeof opts, .by_source = true, .split = 1};
    json_t *json = evaluate(t_path("sources.db"), &opts);
    assert_int_equal(json_object_size(json_object_get(json, "sources")), 32);
    assert_true(number(json, "sources/other/test_items") > 1);
    json_decref(json);
}

static void test_priority(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&once);
    const char *const methods[] = {"static", "value_net", "oracle"};
    struct few_eval_opts opts = {
        .size = sizeof opts, .policy = "p", .priority = "C", .methods = methods, .n_methods = 3};
    const char *path = make_three();
    json_t *json = evaluate(path, &opts);
    assert_string_equal(json_string_value(json_object_get(json_object_get(json, "priority"), "model")), "C");
    // C: 0.1, 0.2, 0.5, 1 beside A 0.8 and B 1.5; on the first item A is worth nothing once B has run.
    assert_near(number(json, "methods/value_net/priority/1/position"), 2.5, 1e-6);
    assert_near(number(json, "methods/value_net/priority/5/position"), 2.5, 1e-6);
    assert_near(number(json, "methods/value_net/priority/10/position"), 2, 1e-6);
    assert_near(number(json, "methods/value_net/priority/10/executed"), 1, 1e-6);
    assert_near(number(json, "methods/value_net/priority/1/time_ratio"), 60.0 / 120, 1e-6);
    assert_near(number(json, "methods/static/priority/1/position"),
                number(json, "methods/static/priority/10/position"), 1e-9);
    json_decref(json);
    opts.priority = "Z";
    fails(path, &opts, FEW_EINVAL, "expected a model of the trace, found \"Z\"");
}

/* ---- plan ---- */

static void test_plan_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&once);
    const int64_t deadlines_us[] = {25000};
    struct few_plan_opts opts = {
        .size = sizeof opts, .policy = "p", .deadlines_us = deadlines_us, .n_deadlines = 1, .rate = 100};
    json_t *json = plan(make_three(), &opts);
    assert_string_equal(json_string_value(json_object_get(json, "method")), "value_net");
    assert_near(number(json, "plan/recall/0.8/time_ms"), 30, 1e-6);
    assert_near(number(json, "plan/recall/0.8/cores"), 3, 1e-6);
    assert_near(number(json, "plan/recall/0.8/items_per_hour"), 120000, 1e-3);
    assert_near(number(json, "plan/deadline/25/time_ms"), 20, 1e-6);
    assert_near(number(json, "plan/deadline/25/recall"), (1.5 / 1.7 + 1) / 2, 1e-6);
    assert_int_equal(json_object_size(json_object_get(json_object_get(json, "plan"), "memory")),
                     0); // not known
    json_decref(json);
    made_policy(&adaptive);
    const uint64_t memories[] = {6 << 20};
    opts.memories = memories;
    opts.n_memories = 1;
    const char *path = make_many(MANY);
    json = plan(path, &opts);
    assert_near(number(json, "read_ms"), 0.1, 1e-9);
    assert_near(number(json, "run_all/memory_mib"), 13, 1e-9);
    assert_near(number(json, "plan/recall/0.95/memory_mib"), 13, 1e-9);
    assert_near(number(json, "plan/memory/6/deadline/25/memory_mib"), 6, 1e-9);
    assert_true(number(json, "plan/memory/6/deadline/25/wall_ms") <
                number(json, "plan/memory/6/deadline/25/time_ms"));
    json_decref(json);
    opts.memories = NULL;
    json = plan(path, &opts);
    assert_int_equal(json_object_size(json_object_get(json_object_get(json, "plan"), "memory")), 2);
    json_decref(json);
}

static void plan_fails(const char *path, const struct few_plan_opts *opts, enum few_status status,
                       const char *words)
{
    char *text = (char *)"not touched";
    struct few_error err = {0};
    assert_status(few_plan(path, opts, &text, &err), status, &err);
    assert_null(text);
    if (!strstr(err.message, words)) print_error("the message is: %s\n", err.message);
    assert_non_null(strstr(err.message, words));
}

static void test_plan_errors(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&once);
    const char *path = make_three();
    const double recalls[] = {0.85};
    struct few_plan_opts opts = {.size = 3};
    plan_fails(path, &opts, FEW_EINVAL, "expected size");
    opts.size = sizeof opts;
    plan_fails(path, &opts, FEW_EINVAL, "expected a policy");
    opts.policy = "none";
    plan_fails(path, &opts, FEW_ENOENT, "none");
    opts.policy = "p";
    plan_fails(t_path("no.db"), &opts, FEW_ENOENT, "no.db");
    opts.method = "psychic";
    plan_fails(path, &opts, FEW_EINVAL, "found \"psychic\"");
    opts.method = NULL;
    opts.rate = -1;
    plan_fails(path, &opts, FEW_EINVAL, "found -1");
    opts.rate = 0;
    opts.recalls = recalls;
    opts.n_recalls = 1;
    plan_fails(path, &opts, FEW_EINVAL, "found 0.85");
    static const struct made_policy nothing = {.split = 20};
    made_policy(&nothing);
    opts.recalls = NULL;
    plan_fails(path, &opts, FEW_EINVAL, "expected a policy with methods");
}

/* ---- errors ---- */

static void test_errors(void **state)
{
    (void)state;
    t_tmpdir();
    static struct made_policy policy;
    policy = once;
    policy.stranger = "B";
    made_policy(&policy);
    const char *path = make_three();
    struct few_eval_opts opts = {.size = sizeof opts, .policy = "none"};
    fails(path, &opts, FEW_ENOENT, "none");
    opts.policy = "p";
    fails(path, &opts, FEW_EINVAL, "found B");
    made_policy(&once);
    const char *const methods[] = {"deep_sarsa"};
    opts.methods = methods;
    opts.n_methods = 1;
    fails(path, &opts, FEW_EINVAL, "q_greedy, value_net, dqn, oracle");
    fails(path, &opts, FEW_EINVAL, "found \"deep_sarsa\"");
}

static enum few_status evaluate_with(const struct few_mem *mem, void *ud)
{
    const double recalls[] = {0.8};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .env.mem = mem,
                                 .policy = "p",
                                 .recalls = recalls,
                                 .n_recalls = 1,
                                 .priority = "m1",
                                 .by_source = true};
    char *text = NULL;
    enum few_status status = few_eval(ud, &opts, &text, NULL);
    few_text_free(text);
    return status;
}

static enum few_status plan_with(const struct few_mem *mem, void *ud)
{
    struct few_plan_opts opts = {.size = sizeof opts, .env.mem = mem, .policy = "p"};
    char *text = NULL;
    enum few_status status = few_plan(ud, &opts, &text, NULL);
    few_text_free(text);
    return status;
}

static void test_each_allocation(void **state)
{
    (void)state;
    t_tmpdir();
    made_policy(&adaptive);
    char path[512];
    snprintf(path, sizeof path, "%s", make_many(12));
    t_fail_each_allocation(evaluate_with, path);
    t_fail_each_allocation(plan_with, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promise_by_hand),
        cmocka_unit_test(test_own_stop_by_hand),
        cmocka_unit_test(test_twin),
        cmocka_unit_test(test_one_sequence_serves_all_prices),
        cmocka_unit_test(test_promise_lies_on_the_curve),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_intervals_have_their_closed_form),
        cmocka_unit_test(test_intervals_of_many_items),
        cmocka_unit_test(test_segments_are_drawn_whole),
        cmocka_unit_test(test_gap),
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_too_many_sources),
        cmocka_unit_test(test_priority),
        cmocka_unit_test(test_plan_by_hand),
        cmocka_unit_test(test_plan_errors),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
