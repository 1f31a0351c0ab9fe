// SPDX-License-Identifier: Apache-2.0
/* Whole trainings, from a trace to a policy: what comes out, on any number of threads and after any end; what is refused.
 * With the method static, which is quick; networks: test_train_nets.c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fewer/learn.h>
#include <fewer/trace.h>
#include <jansson.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "eval/trace_made.h"
#include "model/catalog.h"
#include "policy/learned.h"
#include "support/support.h"
#include "train/random_trace.h"

static const char *const only_static[] = {"static"};

static struct few_train_opts options(void)
{
    return (struct few_train_opts){.size = sizeof(struct few_train_opts),
                                   .seed = 5,
                                   .split = 100,
                                   .methods = only_static,
                                   .n_methods = 1};
}

static json_t *train(const struct few_train_opts *opts, const char *out)
{
    char *text = NULL;
    struct few_error err;
    assert_status(few_train(t_path("t.db"), out, opts, &text, &err), FEW_OK, &err);
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(json);
    few_text_free(text);
    return json;
}

static double number(const json_t *json, const char *a, const char *b, const char *c, const char *d,
                     const char *e)
{
    const char *const keys[] = {a, b, c, d, e};
    for (size_t i = 0; i < 5 && keys[i]; i++) json = json_object_get(json, keys[i]);
    assert_true(json_is_number(json));
    return json_number_value(json);
}

static void assert_same_files(const char *a, const char *b)
{
    char *x, *y;
    size_t n, m;
    assert_int_equal(few__file_read(a, 1 << 24, NULL, &x, &n, NULL), FEW_OK);
    assert_int_equal(few__file_read(b, 1 << 24, NULL, &y, &m, NULL), FEW_OK);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    few__free(NULL, x);
    few__free(NULL, y);
}

/* ---- what comes out ---- */

static void test_a_policy(void **state)
{
    (void)state;
    struct few__learned *learned;
    struct few_error err;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 1);
    const struct few_train_opts opts = options();
    json_t *json = train(&opts, t_path("p"));
    assert_int_equal(access(t_path("p.training"), F_OK), -1);
    assert_near(number(json, "items", NULL, NULL, NULL, NULL), 60, 0);
    assert_near(number(json, "models", NULL, NULL, NULL, NULL), RANDOM_MODELS, 0);
    assert_near(number(json, "pieces", NULL, NULL, NULL, NULL), 6, 0);
    assert_string_equal(json_string_value(json_object_get(json, "preferred")), "static");
    assert_near(number(json, "methods", "static", "folds", NULL, NULL), 5, 0);
    assert_near(number(json, "methods", "static", "stop", "0.9", "against_static"), 1, 1e-9);
    assert_status(few__learned_open(t_path("p"), NULL, &learned, &err), FEW_OK, &err);
    const struct few__learned_about about = few__learned_about(learned);
    assert_true(about.seed == 5);
    assert_int_equal(about.split, 100);
    assert_int_equal(about.n_items, 60);
    assert_int_equal(about.n_methods, 1);
    assert_int_equal(strlen(about.trace), 64);
    const struct few__learned_method *method = &about.methods[0];
    assert_int_equal(method->n_stops, 71);
    for (size_t i = 0; i < 71; i++) {
        const struct few__learned_stop *stop = &method->stops[i];
        assert_near(stop->recall, i < 70 ? 0.3 + 0.01 * (double)i : 1, 1e-9);
        assert_true(stop->got >= stop->recall - 1e-9 && stop->low <= stop->got && stop->got <= stop->high);
        if (i == 0) continue;
        assert_true(stop->price <= stop[-1].price && stop->got >= stop[-1].got);
        assert_true(stop->time_ratio >= stop[-1].time_ratio);
    }
    assert_true(method->stops[70].price == -INFINITY);
    assert_near(number(json, "methods", "static", "promise", "0.9", "recall"), method->stops[60].got, 1e-5);
    few__learned_close(learned);
    json_decref(json);
}

static void test_same_bytes_on_any_number_of_threads(void **state)
{
    (void)state;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 2);
    struct few_train_opts opts = options();
    json_decref(train(&opts, t_path("one")));
    for (opts.threads = 2; opts.threads < 9; opts.threads *= 2) {
        opts.overwrite = opts.threads > 2;
        json_decref(train(&opts, t_path("more")));
        assert_same_files(t_path("one"), t_path("more"));
    }
}

/* ---- an end before the end ---- */

struct told {
    size_t n, stop_after, kept;
};

static bool tell(void *ud, const struct few_train_progress *p)
{
    struct told *told = ud;
    if (p->pieces_kept > told->kept) told->kept = p->pieces_kept;
    return ++told->n != told->stop_after;
}

static void test_goes_on(void **state)
{
    (void)state;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 3);
    struct few_train_opts opts = options();
    json_decref(train(&opts, t_path("whole")));
    for (size_t after = 1; after < 12; after++) {
        struct told told = {.stop_after = after};
        struct few_error err;
        char *json;
        opts.progress = tell;
        opts.ud = &told;
        opts.threads = 1;
        assert_status(few_train(t_path("t.db"), t_path("p"), &opts, &json, &err), FEW_ECANCELED, &err);
        assert_null(json);
        assert_int_equal(access(t_path("p"), F_OK), -1);
        told = (struct told){0};
        opts.threads = after % 3;
        json_t *answer = train(&opts, t_path("p"));
        assert_int_equal(told.kept, after / 2); // each piece tells twice: when it begins, and when it is done
        assert_near(number(answer, "pieces_kept", NULL, NULL, NULL, NULL), (double)(after / 2), 0);
        json_decref(answer);
        assert_same_files(t_path("whole"), t_path("p"));
        assert_int_equal(remove(t_path("p")), 0);
    }
}

// What another training left there is not taken, and goes with the rest.
static void test_another_seed_begins_again(void **state)
{
    (void)state;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 4);
    struct told told = {.stop_after = 9};
    struct few_train_opts opts = options();
    struct few_error err;
    opts.progress = tell;
    opts.ud = &told;
    assert_status(few_train(t_path("t.db"), t_path("p"), &opts, NULL, &err), FEW_ECANCELED, &err);
    opts.seed = 6;
    told = (struct told){0};
    json_decref(train(&opts, t_path("p")));
    assert_int_equal(told.kept, 0);
    assert_int_equal(access(t_path("p.training"), F_OK), -1);
}

static void test_dry_run(void **state)
{
    (void)state;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 5);
    struct told told = {.stop_after = 7};
    struct few_train_opts opts = options();
    struct few_error err;
    opts.progress = tell;
    opts.ud = &told;
    assert_status(few_train(t_path("t.db"), t_path("p"), &opts, NULL, &err), FEW_ECANCELED, &err);
    opts.dry_run = true;
    json_t *json = train(&opts, t_path("p"));
    assert_near(number(json, "items", NULL, NULL, NULL, NULL), 60, 0);
    assert_near(number(json, "pieces", NULL, NULL, NULL, NULL), 6, 0);
    assert_near(number(json, "pieces_kept", NULL, NULL, NULL, NULL), 3, 0);
    assert_null(json_object_get(json, "methods"));
    json_decref(json);
    assert_int_equal(access(t_path("p"), F_OK), -1);
}

/* ---- parts ---- */

// Nothing is learned, all is kept: the same file.
static void test_from(void **state)
{
    (void)state;
    struct few_error err;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 6);
    struct few_train_opts opts = options();
    json_decref(train(&opts, t_path("p")));
    opts.n_methods = 0;
    assert_status(few_train(t_path("t.db"), t_path("q"), &opts, NULL, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected one at least to learn or to keep"));
    char from[300];
    snprintf(from, sizeof from, "%s", t_path("p"));
    opts.from = from;
    json_t *json = train(&opts, t_path("q"));
    assert_true(json_is_false(
        json_object_get(json_object_get(json_object_get(json, "methods"), "static"), "learned")));
    json_decref(json);
    assert_same_files(t_path("p"), t_path("q"));
    opts.split = 50;
    assert_status(few_train(t_path("t.db"), t_path("r"), &opts, NULL, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected a policy of split 50 and source '', found split 100"));
    random_trace(t_path("t.db"), 60, 7);
    opts.split = 100;
    json_decref(train(&opts, t_path("r"))); // another trace of the same models
    remove(t_path("t.db"));
    random_trace_of(t_path("t.db"), RANDOM_MODELS - 1, 60, 7);
    assert_status(few_train(t_path("t.db"), t_path("s"), &opts, NULL, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected a policy of the trace's"));
    snprintf(from, sizeof from, "%s", t_path("t.db")); // no policy
    assert_status(few_train(t_path("t.db"), t_path("s"), &opts, NULL, &err), FEW_EPARSE, &err);
}

static void test_source(void **state)
{
    (void)state;
    t_tmpdir();
    random_trace(t_path("t.db"), 60, 8);
    struct few_train_opts opts = options();
    opts.source = "b_";
    json_t *json = train(&opts, t_path("p"));
    assert_near(number(json, "items", NULL, NULL, NULL, NULL), 30, 0);
    assert_string_equal(json_string_value(json_object_get(json, "source")), "b_");
    json_decref(json);
}

/* ---- bad input ---- */

static void assert_refused(const struct few_train_opts *opts, enum few_status expected, const char *what)
{
    struct few_error err;
    char *json;
    assert_status(few_train(t_path("t.db"), t_path("p"), opts, &json, &err), expected, &err);
    assert_null(json);
    if (!strstr(err.message, what)) fail_msg("\"%s\" does not say \"%s\"", err.message, what);
    assert_int_equal(access(t_path("p"), F_OK), -1);
    assert_int_equal(access(t_path("p.training"), F_OK), -1);
}

static void test_wrong_options(void **state)
{
    (void)state;
    static const char *const unknown[] = {"static", "magic"};
    struct few_error err;
    t_tmpdir();
    random_trace(t_path("t.db"), 20, 9);
    struct few_train_opts opts = options();
    opts.size = 3;
    assert_refused(&opts, FEW_EINVAL, "training options: expected size");
    opts = options();
    opts.split = 101;
    assert_refused(&opts, FEW_EINVAL, "split: expected 1 to 100, found 101");
    opts.split = -1;
    assert_refused(&opts, FEW_EINVAL, "split");
    opts = options();
    opts.threads = FEW_TRAIN_THREADS_MAX + 1;
    assert_refused(&opts, FEW_EINVAL, "threads: expected at most 64");
    opts = options();
    opts.methods = unknown;
    opts.n_methods = 2;
    assert_refused(&opts, FEW_EINVAL, "method: expected static, ");
    opts = options();
    opts.from = t_path("nowhere");
    assert_refused(&opts, FEW_ENOENT, "nowhere");
    opts = options();
    opts.source = "zoo";
    assert_refused(&opts, FEW_EINVAL, "begin with 'zoo'");
    opts = options();
    json_decref(train(&opts, t_path("p")));
    assert_status(few_train(t_path("t.db"), t_path("p"), &opts, NULL, &err), FEW_EEXIST, &err);
    opts.overwrite = true;
    json_decref(train(&opts, t_path("p")));
}

static void test_traces_that_teach_nothing(void **state)
{
    (void)state;
    static const struct made_model two[] = {{"a", FEW_LABELS, "ab", -1}, {"b", FEW_LABELS, "c", -1}};
    struct made_trace trace;
    const struct few_train_opts opts = options();
    const struct made_cell nothing[2] = {{FEW_EXECUTED, 10, {0.1F, 0.2F}, false},
                                         {FEW_EXECUTED, 20, {0.3F}, false}};
    const struct made_cell gap[2] = {{FEW_EXECUTED, 10, {0.9F, 0.2F}, false}, {FEW_LATE, 20, {0}, true}};
    const struct made_cell nan[2] = {{FEW_EXECUTED, 10, {NAN, NAN}, false}, {FEW_EXECUTED, 20, {NAN}, false}};
    t_tmpdir();
    assert_refused(&opts, FEW_ENOENT, "t.db");
    t_write(t_path("t.db"), "text", 4);
    assert_refused(&opts, FEW_ESTORE, "t.db");
    made_open(&trace, t_path("t2.db"), "trace", two, 2);
    made_close(&trace);
    assert_int_equal(rename(t_path("t2.db"), t_path("t.db")), 0);
    assert_refused(&opts, FEW_EINVAL, "expected items to learn from, found none");
    const struct made_cell *const cases[] = {nothing, gap, nan};
    static const char *const why[] = {"some model says something of value, found none among 3",
                                      "3 lack an output, as b on 0.jpg", "found none among 3"};
    for (size_t i = 0; i < 3; i++) {
        made_open(&trace, t_path("t2.db"), "trace", two, 2);
        for (int k = 0; k < 3; k++) {
            char name[16];
            snprintf(name, sizeof name, "%d.jpg", k);
            made_item(&trace, name, 0, cases[i]);
        }
        made_close(&trace);
        assert_int_equal(rename(t_path("t2.db"), t_path("t.db")), 0);
        assert_refused(&opts, FEW_EINVAL, why[i]);
    }
}

// Some outputs that are no numbers are answers without value; one item, one model: the answer is what there is.
static void test_small_traces(void **state)
{
    (void)state;
    static const struct made_model two[] = {{"a", FEW_LABELS, "ab", -1}, {"b", FEW_LABELS, "c", -1}};
    const struct made_cell good[2] = {{FEW_EXECUTED, 10, {0.9F, 0.2F}, false},
                                      {FEW_EXECUTED, 20, {0.8F}, false}};
    const struct made_cell nan[2] = {{FEW_EXECUTED, 10, {NAN, 0.7F}, false},
                                     {FEW_EXECUTED, 20, {NAN}, false}};
    struct made_trace trace;
    struct few__learned *learned;
    struct few_train_opts opts = options();
    opts.overwrite = true;
    for (size_t n_models = 1; n_models <= 2; n_models++) {
        for (int n_items = 1; n_items <= 3; n_items++) {
            t_tmpdir();
            made_open(&trace, t_path("t.db"), "trace", two, n_models);
            for (int k = 0; k < n_items; k++) {
                char name[16];
                snprintf(name, sizeof name, "%d.jpg", k);
                made_item(&trace, name, 0, k == 1 ? nan : good);
            }
            made_close(&trace);
            json_t *json = train(&opts, t_path("p"));
            double folds = number(json, "methods", "static", "folds", NULL, NULL);
            assert_near(folds, n_items, 0); // one item is looked at by what was learned from it
            assert_near(number(json, "methods", "static", "promise", "0.95", "recall"), 1, 1e-6);
            json_decref(json);
            assert_int_equal(few__learned_open(t_path("p"), NULL, &learned, NULL), FEW_OK);
            few__learned_close(learned);
        }
    }
}

/* ---- a thousand models ---- */

static void test_a_thousand_models(void **state)
{
    (void)state;
    struct few__learned *learned;
    struct few_error err;
    t_tmpdir();
    random_trace_of(t_path("t.db"), 1000, 12, 10);
    const struct few_train_opts opts = options();
    json_decref(train(&opts, t_path("p")));
    assert_status(few__learned_open(t_path("p"), NULL, &learned, &err), FEW_OK, &err);
    assert_int_equal(few__learned_about(learned).n_models, 1000);
    few__learned_close(learned);
}

/* ---- memory ---- */

static enum few_status train_in(const struct few_mem *mem, void *ud)
{
    struct few_train_opts opts = options();
    (void)ud;
    opts.env.mem = mem;
    opts.overwrite = true;
    return few_train(t_path("t.db"), t_path("p"), &opts, NULL, NULL);
}

static void test_no_memory(void **state)
{
    (void)state;
    t_tmpdir();
    random_trace_of(t_path("t.db"), 3, 4, 11);
    t_fail_each_allocation(train_in, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_policy),
        cmocka_unit_test(test_same_bytes_on_any_number_of_threads),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_another_seed_begins_again),
        cmocka_unit_test(test_dry_run),
        cmocka_unit_test(test_from),
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_wrong_options),
        cmocka_unit_test(test_traces_that_teach_nothing),
        cmocka_unit_test(test_small_traces),
        cmocka_unit_test(test_a_thousand_models),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
