// SPDX-License-Identifier: Apache-2.0
// A run beside a trace: recall and agreement by hand, how items and models are matched, and what is left out.
#include "support/support.h"

#include <string.h>

#include "core/mem.h"
#include "model/agreement.h"
#include "model/output.h"
#include "report/report.h"
#include "report/street.h"
#include "session/trace_made.h"
#include "store/trace.h"

static const struct made_model two[] = {{"objects", FEW_DETECTIONS, "ab", -1}, {"tags", FEW_LABELS, "bc", 0}};

#define YES(us, ...)                           \
    {                                          \
        FEW_EXECUTED, us, {__VA_ARGS__}, false \
    }
#define NO                        \
    {                             \
        FEW_SKIPPED, 0, {0}, true \
    }
#define AGAIN(...)                          \
    {                                       \
        FEW_REUSED, 0, {__VA_ARGS__}, false \
    }

static void make(const char *path, const char *purpose, const struct made_model *models,
                 const char *const *names, const struct made_cell (*cells)[2], size_t n)
{
    struct made_trace trace;
    made_open(&trace, path, purpose, models, 2);
    for (size_t i = 0; i < n; i++) made_item(&trace, names[i], 0, cells[i]);
    made_close(&trace);
}

// Reads the whole run into a quality; the caller destroys it.
static struct few__quality *measure(const char *run, const char *trace, const struct few_mem *mem,
                                    enum few_status expected)
{
    struct few_env env = {.mem = mem};
    struct few_error err = {0};
    struct few__store *store;
    struct few__quality *quality = NULL;
    struct few__arena scratch;
    few__arena_init(&scratch, NULL, (size_t)64 << 20);
    assert_status(few__store_open(run, NULL, &store, &err), FEW_OK, &err);
    const struct few_catalog *catalog = few__store_catalog(store);
    static struct few__cell cells[MADE_MODELS_MAX];
    static struct few_output outputs[MADE_MODELS_MAX];
    struct few__item_row row;
    enum few_status status = few__quality_create(trace, catalog, &env, &quality, &err);
    if (status == FEW_OK) assert_status(few__store_rewind(store, true, &err), FEW_OK, &err);
    while (status == FEW_OK && few__store_next(store, &row, cells, &err) == FEW_OK) {
        for (size_t m = 0; m < catalog->n_models; m++) {
            outputs[m] = few__output_empty(&catalog->models[m]);
            if (cells[m].output)
                assert_status(few__trace_unpack(&catalog->models[m], cells[m].output, cells[m].n_output,
                                                &scratch, &outputs[m], &err),
                              FEW_OK, &err);
        }
        const struct few__report_item item = {.row = &row, .cells = cells, .outputs = outputs};
        status = few__quality_add(quality, &item, &scratch, &err);
    }
    assert_status(status, expected, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    few__arena_finish(&scratch);
    return quality;
}

static double mean(const struct few__report_mean *m)
{
    return m->sum / (double)m->n;
}

static const char *const names[] = {"one.jpg", "two.jpg", "three.jpg"};
static const struct made_cell whole[3][2] = {{YES(10, 0.9F, 0), YES(30, 0.8F, 0.6F)},
                                             {YES(10, 0, 0.7F), YES(30, 0.9F, 0)},
                                             {YES(10, 0, 0), YES(30, 0, 0)}};

/* one: objects ran. value 0.9 of 0.9 + 0.8 + 0.6; labels 1 of 3; objects agree 1, tags (nothing beside b, c) 0.
 * two: tags were reused, and say b: 0.9 of 0.9 (objects' b 0.7 is less); labels 1 of 1; objects 0, tags 1.
 * three: nothing is there and nothing was run: recall 1; both agree. */
static const struct made_cell ran[3][2] = {{YES(10, 0.9F, 0), NO}, {NO, AGAIN(0.9F, 0)}, {NO, NO}};

static void test_by_hand(void **state)
{
    (void)state;
    t_tmpdir();
    make(t_path("run.db"), "run", two, names, ran, 3);
    make(t_path("trace.db"), "trace", two, names, whole, 3);
    struct few__quality *q = measure(t_path("run.db"), t_path("trace.db"), NULL, FEW_OK);
    const struct few__quality_sums *sums = few__quality_sums(q);
    assert_int_equal(sums->n_items, 3);
    assert_int_equal(sums->n_known, 3);
    assert_int_equal(sums->n_models, 2);
    assert_near(mean(&sums->recall), (0.9 / 2.3 + 1 + 1) / 3, 1e-6);
    assert_near(mean(&sums->label_recall), (1.0 / 3 + 1 + 1) / 3, 1e-12);
    assert_near(mean(&sums->all), 4.0 / 6, 1e-12);
    assert_int_equal(sums->all.n, 6);
    assert_near(mean(&sums->given), 1, 0);
    assert_int_equal(sums->given.n, 1);
    assert_int_equal(sums->present.n, 5); // tags always have numbers; objects are there on one and two
    assert_near(mean(few__quality_of(q, 0)), 2.0 / 3, 1e-12);
    assert_near(sums->ran_us, 10, 0);
    assert_near(sums->whole_us, 120, 0);
    few__quality_destroy(q);
}

// Labels that running everything does not have are worth nothing, confidences above its own no more.
static void test_wrong_answers_are_worth_nothing(void **state)
{
    (void)state;
    static const struct made_cell wrong[1][2] = {{AGAIN(0.99F, 0.9F), NO}},
                                  right[1][2] = {{YES(10, 0.6F, 0), YES(30, 0, 0)}};
    t_tmpdir();
    make(t_path("run.db"), "run", two, names, wrong, 1);
    make(t_path("trace.db"), "trace", two, names, right, 1);
    struct few__quality *q = measure(t_path("run.db"), t_path("trace.db"), NULL, FEW_OK);
    const struct few__quality_sums *sums = few__quality_sums(q);
    assert_near(mean(&sums->recall), 1, 1e-12);
    assert_near(mean(&sums->given), 2.0 / 3, 1e-9); // one of two found, the other is not there: F1
    few__quality_destroy(q);
}

static void test_items_that_the_trace_lacks(void **state)
{
    (void)state;
    static const char *const others[] = {"two.jpg", "four.jpg"};
    static const struct made_cell gap[2][2] = {{YES(10, 0.9F, 0), {FEW_FAILED, 5, {0}, true}},
                                               {YES(10, 0, 0), YES(30, 0, 0)}};
    t_tmpdir();
    make(t_path("run.db"), "run", two, names, ran, 3);
    make(t_path("trace.db"), "trace", two, others, gap, 2);
    struct few__quality *q = measure(t_path("run.db"), t_path("trace.db"), NULL, FEW_OK);
    const struct few__quality_sums *sums = few__quality_sums(q);
    assert_int_equal(sums->n_known, 1);
    assert_int_equal(sums->all.n, 1); // what failed there is not known
    assert_near(mean(&sums->recall), 0, 0);
    few__quality_destroy(q);
}

static void test_models_that_differ(void **state)
{
    (void)state;
    static const struct made_model others[] = {{"objects", FEW_DETECTIONS, "ac", -1},
                                               {"tags", FEW_LABELS, "bc", 0}};
    static const struct made_model strange[] = {{"faces", FEW_DETECTIONS, "ab", -1},
                                                {"tags", FEW_DETECTIONS, "bc", 0}};
    t_tmpdir();
    make(t_path("run.db"), "run", two, names, ran, 3);
    make(t_path("labels.db"), "trace", others, names, whole, 3);
    make(t_path("strange.db"), "trace", strange, names, whole, 3);
    struct few__quality *q = measure(t_path("run.db"), t_path("labels.db"), NULL, FEW_OK);
    assert_int_equal(few__quality_sums(q)->n_models, 1);
    assert_int_equal(few__quality_of(q, 0)->n, 0);
    assert_int_equal(few__quality_of(q, 1)->n, 3);
    few__quality_destroy(q);
    q = measure(t_path("run.db"), t_path("strange.db"), NULL, FEW_OK);
    assert_int_equal(few__quality_sums(q)->n_models, 0);
    few__quality_destroy(q);
}

// Photographs are known by their bytes, whatever they are called; without digests by their path.
static void test_matched_by_digest_then_path(void **state)
{
    (void)state;
    const struct street run = {.purpose = "run", .n_items = 60},
                        all = {.purpose = "trace", .n_items = 60, .n_streams = 1},
                        bare = {.purpose = "trace", .n_items = 60, .no_digests = true};
    t_tmpdir();
    street_write(t_path("run.db"), &run);
    street_write(t_path("renamed.db"), &all);
    street_write(t_path("bare.db"), &bare);
    struct few__quality *q = measure(t_path("run.db"), t_path("renamed.db"), NULL, FEW_OK);
    assert_int_equal(few__quality_sums(q)->n_known, 60);
    few__quality_destroy(q);
    q = measure(t_path("run.db"), t_path("bare.db"), NULL, FEW_OK);
    assert_int_equal(few__quality_sums(q)->n_known, 60);
    // The crowd never ran: of a scalar, something beside nothing. Objects: those of failed items are missing.
    assert_near(mean(few__quality_of(q, STREET_CROWD)), 0, 0);
    size_t failed = 0;
    double agree = 0;
    for (size_t i = 0; i < 60; i++) {
        if (street_is_failed(i)) failed++;
        else if (!street_is_reused(i)) agree++;
        else { // the answers of the moment before
            double gave = street_persons(i - 1) + street_cars(i - 1), is = street_persons(i) + street_cars(i);
            int persons =
                street_persons(i) < street_persons(i - 1) ? street_persons(i) : street_persons(i - 1);
            int cars = street_persons(i) != street_persons(i - 1) ? 0 // they stand elsewhere
                       : street_cars(i) < street_cars(i - 1)      ? street_cars(i)
                                                                  : street_cars(i - 1);
            agree += 2 * (persons + cars) / (gave + is);
        }
    }
    assert_int_equal(failed, 1);
    assert_near(mean(few__quality_of(q, STREET_OBJECTS)), agree / 60, 0.02);
    few__quality_destroy(q);
}

static void test_on_the_page(void **state)
{
    (void)state;
    t_tmpdir();
    make(t_path("run.db"), "run", two, names, ran, 3);
    make(t_path("trace.db"), "trace", two, names, whole, 3);
    const struct few_report_opts opts = {
        .size = sizeof opts,
        .trace = t_path("trace.db"),
        .eval_json = "{\"test_items\": 3, \"methods\": {\"random\": {\"stop\": {\"0.5\": "
                     "{\"time_ratio\": 0.5}}}}}"};
    static char page[1 << 20];
    struct few_error err = {0};
    FILE *out = fmemopen(page, sizeof page, "w");
    assert_non_null(out);
    assert_status(few_report(t_path("run.db"), &opts, out, &err), FEW_OK, &err);
    fclose(out);
    assert_non_null(strstr(page, "<b>0.797</b><span>recall of value"));
    assert_non_null(strstr(page, "<b>0.667</b><span>agreement"));
    assert_non_null(strstr(page, "3 of 3 items and 2 of 2 models are in trace.db"));
    assert_non_null(strstr(page, "\"own\":{\"x\":0.79"));
    assert_non_null(strstr(page, "\"y\":8.3333}"));
    const struct few_report_opts gone = {.size = sizeof gone, .trace = t_path("gone.db")};
    out = fmemopen(page, sizeof page, "w");
    assert_status(few_report(t_path("run.db"), &gone, out, &err), FEW_ENOENT, &err);
    fclose(out);
}

static enum few_status measure_with(const struct few_mem *mem, void *ud)
{
    const char *const *paths = ud;
    struct few_env env = {.mem = mem};
    struct few_error err = {0};
    struct few__store *store;
    struct few__quality *quality = NULL;
    assert_status(few__store_open(paths[0], NULL, &store, &err), FEW_OK, &err);
    enum few_status status = few__quality_create(paths[1], few__store_catalog(store), &env, &quality, &err);
    few__quality_destroy(quality);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    return status;
}

static void test_each_allocation(void **state)
{
    (void)state;
    const struct street run = {.purpose = "run", .n_items = 3}, all = {.purpose = "trace", .n_items = 3};
    t_tmpdir();
    const char *paths[] = {t_path("run.db"), t_path("trace.db")};
    street_write(paths[0], &run);
    street_write(paths[1], &all);
    t_fail_each_allocation(measure_with, paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_wrong_answers_are_worth_nothing),
        cmocka_unit_test(test_items_that_the_trace_lacks),
        cmocka_unit_test(test_models_that_differ),
        cmocka_unit_test(test_matched_by_digest_then_path),
        cmocka_unit_test(test_on_the_page),
        cmocka_unit_test(test_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
