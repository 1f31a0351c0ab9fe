// SPDX-License-Identifier: Apache-2.0
// few_eval on traces with streams: explore_exploit and reducto against numbers computed by hand.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/rng.h"
#include "media/look.h"
#include "session/eval_asked.h"
#include "session/trace_made.h"
#include "support/support.h"

enum { SECOND = 1000000 };

static const struct made_model abc[] = {
    {"A", FEW_LABELS, "a", -1}, {"B", FEW_LABELS, "b", -1}, {"C", FEW_LABELS, "c", -1}};

// A in 20 ms, B in 30, C in 50: what each says of its own label.
static void put(struct made_trace *trace, int64_t at_us, const uint8_t *look, float a, float b, float c)
{
    const struct made_cell cells[] = {{FEW_EXECUTED, 20000, {a}, false},
                                      {FEW_EXECUTED, 30000, {b}, false},
                                      {FEW_EXECUTED, 50000, {c}, false}};
    made_moment(trace, 0, at_us, look, 0, cells);
}

static double measure(json_t *json, const char *method, const char *point, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "methods/%s/%s/%s", method, point, name);
    return number(json, path);
}

static void assert_point(json_t *json, const char *method, const char *point, double time_ratio,
                         double recall, double agreement)
{
    assert_near(measure(json, method, point, "time_ratio"), time_ratio, 1e-5);
    assert_near(measure(json, method, point, "recall"), recall, 1e-5);
    assert_near(measure(json, method, point, "agreement"), agreement, 1e-5);
}

/* ---- explore_exploit ----
 *
 * One segment, ten frames. A says a 0.8 on all of them, B says b 0.9 on the first five, C never anything. The first three run
 * everything; per ms A brings 0.04 and B 0.03 there. */

static const char *make_abc(void)
{
    const char *path = t_path("abc.db");
    struct made_trace trace;
    made_open(&trace, path, "trace", abc, 3);
    made_stream(&trace, "clip0.mp4");
    for (int i = 0; i < 10; i++) put(&trace, i * SECOND, NULL, 0.8F, i < 5 ? 0.9F : 0, 0.1F);
    made_close(&trace);
    return path;
}

static void test_explore(void **state)
{
    (void)state;
    t_tmpdir();
    const double recalls[] = {0.5, 0.95, 1};
    const int64_t deadlines[] = {40000, 60000};
    struct few_eval_opts opts = {
        .size = sizeof opts, .recalls = recalls, .n_recalls = 3, .deadlines_us = deadlines, .n_deadlines = 2};
    json_t *json = evaluate(make_abc(), &opts);
    const double half = 0.8 / 1.7;
    assert_near(number(json, "streams/test_items"), 10, 0);
    assert_near(number(json, "streams/segment_s"), 10, 0);
    assert_point(json, "explore_exploit", "keep/1", 0.65, 1, 1);
    assert_near(measure(json, "explore_exploit", "keep/1", "models"), 2.3, 1e-6);
    assert_point(json, "explore_exploit", "keep/0.5", 0.65, 1, 1);
    assert_point(json, "explore_exploit", "keep/0.4", 0.44, (8 + 2 * half) / 10, (8 + 2 * 2.0 / 3) / 10);
    double share = (0.95 - (8 + 2 * half) / 10) / (1 - (8 + 2 * half) / 10);
    assert_near(measure(json, "explore_exploit", "stop/0.5", "time_ratio"), 0.44, 1e-6);
    assert_near(measure(json, "explore_exploit", "stop/0.95", "time_ratio"), 0.44 + share * 0.21, 1e-5);
    assert_near(measure(json, "explore_exploit", "stop/1", "time_ratio"), 0.65, 1e-6);
    // In 60 ms the explorers have A and B, in 40 ms A alone.
    assert_point(json, "explore_exploit", "deadline/60", 0.5, 1, 1);
    assert_point(json, "explore_exploit", "deadline/40", 0.2, (5 + 5 * half) / 10, (5 + 5 * 2.0 / 3) / 10);
    assert_null(json_object_get(json_object_get(json, "methods"), "reducto")); // there are no looks
    json_decref(json);
}

// With segments of five seconds the sixth frame explores again, and B is known to say nothing.
static void test_explore_segments(void **state)
{
    (void)state;
    t_tmpdir();
    const char *methods[] = {"explore_exploit"};
    struct few_eval_opts opts = {
        .size = sizeof opts, .methods = methods, .n_methods = 1, .segment_us = 5 * (int64_t)SECOND};
    json_t *json = evaluate(make_abc(), &opts);
    assert_near(number(json, "streams/segment_s"), 5, 0);
    assert_point(json, "explore_exploit", "keep/1", (6 * 100 + 2 * 50 + 2 * 20) / 1000.0, 1, 1);
    assert_int_equal(json_object_size(json_object_get(json, "methods")), 1);
    json_decref(json);
}

// A photograph among the frames runs everything; two clips explore apart.
static void test_explore_items(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("mixed.db"), *methods[] = {"explore_exploit"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 1};
    struct made_trace trace;
    const struct made_cell one[] = {{FEW_EXECUTED, 100000, {0.8F}, false},
                                    {FEW_EXECUTED, 100000, {0}, false}};
    const struct made_cell other[] = {{FEW_EXECUTED, 100000, {0}, false},
                                      {FEW_EXECUTED, 100000, {0.8F}, false}};
    made_open(&trace, path, "trace", abc, 2);
    made_stream(&trace, "clip0.mp4");
    made_stream(&trace, "clip1.mp4");
    for (int i = 0; i < 5; i++) {
        made_moment(&trace, 0, i * SECOND, NULL, 0, one);
        made_moment(&trace, 1, i * SECOND, NULL, 0, other);
        if (i < 2) made_item(&trace, i ? "second/b.jpg" : "first/a.jpg", 0, one);
    }
    made_close(&trace);
    json_t *json = evaluate(path, &opts);
    assert_near(number(json, "streams/test_items"), 10, 0);
    assert_near(number(json, "test_items"), 12, 0);
    assert_point(json, "explore_exploit", "keep/1", (8 * 2 + 4 * 1) / 24.0, 1, 1);
    json_decref(json);
}

/* ---- reducto ---- */

static void grey(uint8_t *look, int brightness)
{
    memset(look, brightness, FEW__LOOK_BYTES);
}

// Of 40 x 30 pixels, a sixteenth of all.
static void square(uint8_t *look)
{
    for (int y = 40; y < 70; y++) memset(look + (ptrdiff_t)y * FEW__LOOK_WIDTH + 60, 200, 40);
}

/* Ten frames; with the sixth something comes into the picture. A says a 0.8 all the time, B says b 0.9 before, C says c 0.6
 * after. */
static const char *make_scene(void)
{
    const char *path = t_path("scene.db");
    uint8_t look[FEW__LOOK_BYTES];
    struct made_trace trace;
    made_open(&trace, path, "trace", abc, 3);
    made_stream(&trace, "clip0.mp4");
    grey(look, 100);
    for (int i = 0; i < 10; i++) {
        if (i == 5) square(look);
        put(&trace, i * SECOND, look, 0.8F, i < 5 ? 0.9F : 0, i < 5 ? 0 : 0.6F);
    }
    made_close(&trace);
    return path;
}

static void test_reducto(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = make_scene();
    json_t *json = evaluate(path, NULL);
    static const char *const budgets[] = {"budget/0.2", "budget/0.3", "budget/0.5", "budget/0.9", "budget/1"};
    for (size_t i = 0; i < 5; i++) { // frames 0 and 5 are enough
        assert_point(json, "reducto", budgets[i], 0.2, 1, 1);
        assert_near(measure(json, "reducto", budgets[i], "models"), 0.6, 1e-6);
        assert_near(measure(json, "reducto", budgets[i], "label_recall"), 1, 1e-6);
        assert_near(measure(json, "reducto", budgets[i], "threshold"), exp2(-14), 1e-9);
    }
    // A tenth is one frame: of the sixth and on a is right, of value 0.8 in 1.4, and only A agrees.
    assert_point(json, "reducto", "budget/0.1", 0.1, (5 + 5 * 0.8 / 1.4) / 10, (5 + 5 * 1.0 / 3) / 10);
    assert_near(measure(json, "reducto", "budget/0.1", "label_recall"), 0.75, 1e-6);
    assert_near(measure(json, "reducto", "budget/0.1", "threshold"), exp2(-3.75), 1e-6);
    // Nine are reused, four of them right in all three models; A and B say something in those, all three in the others.
    assert_near(measure(json, "reducto", "budget/0.1", "reused"), 0.9, 1e-6);
    assert_near(measure(json, "reducto", "budget/0.1", "agreement_reused"), (4 + 5 * 1.0 / 3) / 9, 1e-5);
    assert_near(measure(json, "reducto", "budget/0.1", "agreement_found"), (4.0 * 2 + 5) / (4 * 2 + 5 * 3),
                1e-5);
    json_t *point = json_object_get(
        json_object_get(json_object_get(json_object_get(json, "methods"), "reducto"), "budget"), "0.1");
    assert_string_equal(json_string_value(json_object_get(point, "feature")), "pixel");
    assert_point(json, "reducto_successive", "budget/0.5", 0.2, 1, 1);
    json_decref(json);
    // In segments of two seconds every other frame is analysed at least.
    const char *methods[] = {"reducto"};
    struct few_eval_opts opts = {
        .size = sizeof opts, .methods = methods, .n_methods = 1, .segment_us = 2 * (int64_t)SECOND};
    json = evaluate(path, &opts);
    assert_point(json, "reducto", "budget/0.6", 0.6, 1, 1);
    assert_point(json, "reducto", "budget/0.1", 0.5, (9 + 0.8 / 1.4) / 10, (9 + 1.0 / 3) / 10); // the least
    json_decref(json);
}

/* Dawn: every frame is brighter by 10, which no pixel's 21 sees in one step. The last five frames have a label. */
static void test_slow_change(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("dawn.db"), *methods[] = {"reducto", "reducto_successive"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 2};
    uint8_t look[FEW__LOOK_BYTES];
    struct made_trace trace;
    made_open(&trace, path, "trace", abc, 1);
    made_stream(&trace, "clip0.mp4");
    for (int i = 0; i < 10; i++) {
        const struct made_cell cells[] = {{FEW_EXECUTED, 10000, {i < 5 ? 0 : 0.8F}, false}};
        grey(look, 20 + 10 * i);
        made_moment(&trace, 0, i * SECOND, look, 0, cells);
    }
    made_close(&trace);
    json_t *json = evaluate(path, &opts);
    assert_point(json, "reducto", "budget/0.5", 0.4, 0.9,
                 0.9); // 0, 3, 6, 9; the sixth has what the fourth said
    assert_point(json, "reducto_successive", "budget/0.5", 0.1, 0.5, 0.5);
    assert_point(json, "reducto", "budget/1", 1, 1, 1);
    assert_near(measure(json, "reducto", "budget/1", "reused"), 0, 0);
    assert_near(measure(json, "reducto", "budget/1", "agreement_reused"), 1, 0);
    assert_near(measure(json, "reducto", "budget/1", "agreement_found"), 1, 0);
    assert_point(json, "reducto_successive", "budget/1", 1, 1, 1);
    json_decref(json);
}

/* A clip whose first ten seconds are train items and the next ten are test items. In both the picture alternates, but only
 * what is learned tells that it does not matter. */
static void test_thresholds_are_learned(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("learn.db"), *methods[] = {"reducto"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 1};
    uint8_t looks[2][FEW__LOOK_BYTES];
    struct made_trace trace;
    grey(looks[0], 100);
    grey(looks[1], 100);
    square(looks[1]);
    made_open(&trace, path, "trace", abc, 3);
    made_stream(&trace, "clip3.mp4");
    for (int i = 0; i < 20; i++) put(&trace, i * SECOND, looks[i % 2], 0.8F, i < 10 || i % 2 ? 0.9F : 0, 0);
    made_close(&trace);
    json_t *json = evaluate(path, &opts);
    assert_near(number(json, "train_items"), 10, 0);
    assert_near(number(json, "test_items"), 10, 0);
    // One frame tells all in the train items, so that is what is done, also where time is left.
    assert_point(json, "reducto", "budget/1", 0.1, (5 + 5 * 0.8 / 1.7) / 10, (5 + 5 * 2.0 / 3) / 10);
    json_decref(json);
}

// A frame without a look is analysed, and so is the one after it, which cannot be compared.
static void test_missing_looks(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("blind.db"), *methods[] = {"reducto"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 1};
    uint8_t look[FEW__LOOK_BYTES];
    struct made_trace trace;
    grey(look, 100);
    made_open(&trace, path, "trace", abc, 3);
    made_stream(&trace, "clip0.mp4");
    for (int i = 0; i < 8; i++) put(&trace, i * SECOND, i == 3 ? NULL : look, 0.8F, 0.9F, 0);
    const struct made_cell photo[] = {{FEW_EXECUTED, 20000, {0}, false},
                                      {FEW_EXECUTED, 30000, {0}, false},
                                      {FEW_EXECUTED, 50000, {0}, false}};
    made_item(&trace, "first/a.jpg", 0, photo);
    made_item(&trace, "second/b.jpg", 0, photo);
    made_close(&trace);
    json_t *json = evaluate(path, &opts);
    assert_point(json, "reducto", "budget/0.5", 0.5, 1, 1); // 0, 3, 4, and the photographs: 5 of 10
    json_decref(json);
}

static void test_failures_count_as_nothing(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("failed.db"), *methods[] = {"reducto"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 1};
    uint8_t look[FEW__LOOK_BYTES];
    struct made_trace trace;
    grey(look, 100);
    made_open(&trace, path, "trace", abc, 2);
    made_stream(&trace, "clip0.mp4");
    for (int i = 0; i < 4; i++) { // B fails on the first frame, which all others are like
        const struct made_cell cells[] = {{FEW_EXECUTED, 10000, {0.8F}, false},
                                          {i ? FEW_EXECUTED : FEW_FAILED, 10000, {i ? 0.9F : 0}, i == 0}};
        made_moment(&trace, 0, i * SECOND, look, 0, cells);
    }
    made_close(&trace);
    json_t *json = evaluate(path, &opts);
    assert_point(json, "reducto", "budget/0.3", 0.25, (1 + 3 * 0.8 / 1.7) / 4, (1 + 3 * 0.5) / 4);
    assert_near(measure(json, "reducto", "budget/0.3", "models"), 0.25, 1e-6);
    json_decref(json);
}

/* ---- at random: the chosen feature and threshold, walked once more ---- */

enum { CLIPS = 2, FRAMES = 25, MODELS = 3 };

struct scene {
    uint8_t looks[CLIPS][FRAMES][FEW__LOOK_BYTES];
    bool blind[CLIPS][FRAMES];         // without a look
    float says[CLIPS][FRAMES][MODELS]; // of the model's own label
    int64_t times_us[CLIPS][FRAMES][MODELS];
};

static void draw_scene(struct few__rng *rng, struct scene *s)
{
    for (int c = 0; c < CLIPS; c++) {
        int at = (int)few__rng_below(rng, 60);
        for (int i = 0; i < FRAMES; i++) {
            if (few__rng_below(rng, 2)) at += (int)few__rng_below(rng, 12);
            grey(s->looks[c][i], 60 + (int)few__rng_below(rng, 3));
            for (int y = 30; y < 60; y++) memset(&s->looks[c][i][y * FEW__LOOK_WIDTH + at % 120], 180, 30);
            s->blind[c][i] = few__rng_below(rng, 20) == 0;
            for (int m = 0; m < MODELS; m++) {
                s->says[c][i][m] =
                    at / 20 % (m + 2) == 0 ? 0.6F + 0.01F * (float)few__rng_below(rng, 30) : 0.1F;
                s->times_us[c][i][m] = 10000 + (int64_t)few__rng_below(rng, 30000);
            }
        }
    }
}

static const char *make_random(const struct scene *s)
{
    const char *path = t_path("random.db");
    struct made_trace trace;
    made_open(&trace, path, "trace", abc, MODELS);
    made_stream(&trace, "clip0.mp4"); // test items, all of both
    made_stream(&trace, "clip1.mp4");
    for (int i = 0; i < FRAMES; i++)
        for (int c = 0; c < CLIPS; c++) {
            struct made_cell cells[MODELS];
            for (int m = 0; m < MODELS; m++)
                cells[m] = (struct made_cell){FEW_EXECUTED, s->times_us[c][i][m], {s->says[c][i][m]}, false};
            made_moment(&trace, c, i * SECOND, s->blind[c][i] ? NULL : s->looks[c][i], 0, cells);
        }
    made_close(&trace);
    return path;
}

struct sums {
    double time, whole, recall, agreement;
};

static void add_frame(const struct scene *s, int c, int last, int i, struct sums *sums)
{
    double all = 0, value = 0, agree = 0, time = 0;
    for (int m = 0; m < MODELS; m++) {
        float exact = s->says[c][i][m], given = s->says[c][last][m];
        time += (double)s->times_us[c][i][m];
        agree += (exact > 0.5F) == (given > 0.5F);
        if (exact > 0.5F) all += (double)exact;
        if (exact > 0.5F && given > 0.5F) value += (double)exact;
    }
    sums->whole += time;
    sums->time += last == i ? time : 0;
    sums->recall += all > 0 ? value / all : 1;
    sums->agreement += agree / MODELS;
}

static struct sums walk_scene(struct few__look_scratch *scratch, const struct scene *s, bool successive,
                              enum few_feature feature, double threshold)
{
    struct sums sums = {0};
    for (int c = 0; c < CLIPS; c++) {
        int last = 0;
        for (int i = 0; i < FRAMES; i++) {
            int before = successive ? i - 1 : last;
            if (i % 10 == 0 || s->blind[c][i] || s->blind[c][before] ||
                few__look_difference(scratch, feature, s->looks[c][before], s->looks[c][i]) >= threshold)
                last = i;
            add_frame(s, c, last, i, &sums);
        }
    }
    return sums;
}

static void check_method(struct few__look_scratch *scratch, const struct scene *s, json_t *json,
                         const char *method, bool successive)
{
    double before = 0;
    for (int b = 1; b <= 10; b++) {
        char point[32];
        snprintf(point, sizeof point, "budget/%g", b / 10.0);
        json_t *found = json_object_get(json_object_get(json_object_get(json, "methods"), method), "budget");
        found = json_object_get(found, point + strlen("budget/"));
        enum few_feature feature = few_feature_parse(json_string_value(json_object_get(found, "feature")));
        assert_true(feature < FEW_FEATURE_COUNT);
        // Printed with six digits: between a quarter of a power of 2 and the next there is room.
        double threshold = measure(json, method, point, "threshold");
        double exact = threshold > 0 ? exp2(round(4 * log2(threshold)) / 4) : 0;
        assert_near(threshold, exact, 1e-5 * exact);
        struct sums sums = walk_scene(scratch, s, successive, feature, exact);
        double n = CLIPS * FRAMES, agreement = measure(json, method, point, "agreement");
        assert_point(json, method, point, sums.time / sums.whole, sums.recall / n, sums.agreement / n);
        assert_true(agreement >= before); // what is chosen from is what it is measured on
        before = agreement;
        if (b >= 5) assert_true(measure(json, method, point, "time_ratio") <= b / 10.0 + 1e-6);
    }
    assert_near(before, 1, 1e-9);
}

static void test_random_scenes(void **state)
{
    (void)state;
    static struct scene scene;
    static const char *methods[] = {"reducto", "reducto_successive"};
    struct few_eval_opts opts = {.size = sizeof opts, .methods = methods, .n_methods = 2};
    struct few__look_scratch *scratch;
    struct few_error err;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    assert_status(few__look_scratch_create(NULL, &scratch, &err), FEW_OK, &err);
    for (int round = 0; round < 10; round++) {
        t_tmpdir();
        draw_scene(&rng, &scene);
        json_t *json = evaluate(make_random(&scene), &opts);
        check_method(scratch, &scene, json, "reducto", false);
        check_method(scratch, &scene, json, "reducto_successive", true);
        json_decref(json);
    }
    few__look_scratch_destroy(scratch);
}

/* ---- items that lack a modality ---- */

static void test_no_sound(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("silent.db");
    const int64_t deadlines[] = {1000000};
    struct few_eval_opts opts = {.size = sizeof opts, .deadlines_us = deadlines, .n_deadlines = 1};
    struct made_trace trace;
    made_open_sounds(&trace, path, abc, 3, 1U << 1); // B listens
    made_stream(&trace, "clip0.mp4");
    for (int i = 0; i < 6; i++) {
        const struct made_cell heard[] = {{FEW_EXECUTED, 20000, {0.8F}, false},
                                          {FEW_EXECUTED, 30000, {0.9F}, false},
                                          {FEW_EXECUTED, 50000, {0}, false}};
        const struct made_cell silent[] = {{FEW_EXECUTED, 20000, {0.8F}, false},
                                           {FEW_SKIPPED, 0, {0}, false},
                                           {FEW_EXECUTED, 50000, {0}, false}};
        made_moment(&trace, 0, i * SECOND, NULL, 0, i % 2 ? silent : heard);
    }
    made_close(&trace);
    json_t *json = evaluate(path, &opts);
    assert_near(number(json, "items_incomplete"), 0, 0);
    assert_point(json, "run_all", "deadline/1000", 1, 1, 1);
    assert_near(measure(json, "run_all", "deadline/1000", "models"), 2.5, 1e-6);
    assert_point(json, "run_all", "recall/1", (3 * 50 + 3 * 20) / 510.0, 1, 1);
    // Explorers: 100, 70, 100 ms; then A and B, of which B has something to hear once in three.
    assert_point(json, "explore_exploit", "keep/1", (270 + 20 + 50 + 20) / 510.0, 1, 1);
    json_decref(json);
}

/* ---- asking ---- */

static void test_refused(void **state)
{
    (void)state;
    t_tmpdir();
    const char *path = t_path("photos.db");
    struct made_trace trace;
    const struct made_cell cells[] = {{FEW_EXECUTED, 20000, {0.8F}, false}};
    made_open(&trace, path, "trace", abc, 1);
    made_item(&trace, "first/a.jpg", 0, cells);
    made_close(&trace);
    static const char *const names[] = {"explore_exploit", "reducto", "reducto_successive"};
    for (size_t i = 0; i < 3; i++) {
        struct few_eval_opts opts = {.size = sizeof opts, .methods = &names[i], .n_methods = 1};
        fails(path, &opts, FEW_EINVAL, "expected a trace with streams");
    }
    fails(path, &(struct few_eval_opts){.size = sizeof(struct few_eval_opts), .segment_us = -1}, FEW_EINVAL,
          "segment: expected more than 0 us");
    json_t *json = evaluate(path, NULL); // and says nothing of streams by itself
    assert_null(json_object_get(json, "streams"));
    for (size_t i = 0; i < 3; i++) assert_null(json_object_get(json_object_get(json, "methods"), names[i]));
    json_decref(json);
}

static enum few_status evaluate_with(const struct few_mem *mem, void *ud)
{
    struct few_eval_opts opts = {.size = sizeof opts, .env.mem = mem};
    char *text = NULL;
    enum few_status status = few_eval(ud, &opts, &text, NULL);
    few_text_free(text);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    t_tmpdir();
    char path[512];
    snprintf(path, sizeof path, "%s", make_scene());
    t_fail_each_allocation(evaluate_with, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explore),       cmocka_unit_test(test_explore_segments),
        cmocka_unit_test(test_explore_items), cmocka_unit_test(test_reducto),
        cmocka_unit_test(test_slow_change),   cmocka_unit_test(test_thresholds_are_learned),
        cmocka_unit_test(test_missing_looks), cmocka_unit_test(test_failures_count_as_nothing),
        cmocka_unit_test(test_random_scenes), cmocka_unit_test(test_no_sound),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
