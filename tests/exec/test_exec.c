// SPDX-License-Identifier: Apache-2.0
// The executor's core, one corner case at a time. Workloads at random: test_workload.c.
#include "exec/world.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

static struct few__exec_log open_log(void)
{
    struct few__exec_log log;
    assert_int_equal(few__exec_log_init(&log, NULL, 256, NULL), FEW_OK);
    return log;
}

static void close_all(struct few__exec *exec, struct few__exec_log *log, const struct t_world *world,
                      size_t n_lanes)
{
    t_check(log, world, n_lanes);
    few__exec_log_finish(log);
    few__exec_destroy(exec);
}

static void assert_row(const struct few__exec *exec, size_t model, enum few_outcome outcome,
                       enum few__reason reason)
{
    const struct few__exec_row *row = &few__exec_rows(exec, 0)[model];
    assert_int_equal(row->outcome, outcome);
    assert_int_equal(row->reason, reason);
}

static void assert_reason(const struct few__exec *exec, size_t model, const char *expected)
{
    char text[128];
    few__reason_text(exec, 0, model, text, sizeof text);
    assert_string_equal(text, expected);
}

/* ---- create ---- */

static enum few_status create(struct few_catalog *catalog, size_t n_lanes, struct few_error *err)
{
    struct few__exec *exec = (void *)err;
    struct few_cost *costs = FEW__NEW_N(NULL, struct few_cost, catalog->n_models + 1);
    const struct few__chooser choosers[FEW__SLOTS_MAX] = {{0}};
    struct few__exec_opts opts = {
        .catalog = catalog, .costs = costs, .choosers = choosers, .n_lanes = n_lanes};
    enum few_status status = few__exec_create(&opts, &exec, err);
    if (status != FEW_OK) assert_null(exec);
    few__exec_destroy(exec);
    few__free(NULL, costs);
    return status;
}

static void test_create_refuses_wrong_needs(void **state)
{
    (void)state;
    struct few_error err;
    struct t_world w;
    t_world_init(&w, 4);
    w.models[1].needs = 4;
    assert_status(create(&w.catalog, 1, &err), FEW_EINVAL, &err);
    assert_string_equal(err.message, "model 'b' needs model number 4, expected 0 .. 3 or -1");
    w.models[1].needs = -2;
    assert_status(create(&w.catalog, 1, &err), FEW_EINVAL, &err);
    w.models[1].needs = 1;
    assert_status(create(&w.catalog, 1, &err), FEW_EINVAL, &err);
    assert_string_equal(err.message, "model 'b': its needs go in a circle");
    w.models[1].needs = 3, w.models[3].needs = 2, w.models[2].needs = 1;
    assert_status(create(&w.catalog, 1, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "'b'"));
    w.models[2].needs = 0;
    assert_status(create(&w.catalog, 1, &err), FEW_OK, &err);
}

static void test_create_limits(void **state)
{
    (void)state;
    struct few_error err;
    struct t_world w;
    t_world_init(&w, 1);
    assert_status(create(&w.catalog, FEW__LANES_MAX, &err), FEW_OK, &err);
    assert_status(create(&w.catalog, FEW__LANES_MAX + 1, &err), FEW_ELIMIT, &err);
    struct few_model *models = FEW__NEW_N(NULL, struct few_model, FEW_MODELS_MAX + 1);
    for (size_t i = 0; i <= FEW_MODELS_MAX; i++)
        models[i] = (struct few_model){.name = "m", .needs = (int)i - 1};
    struct few_catalog big = {.n_models = FEW_MODELS_MAX, .models = models, .n_labels = FEW_LABELS_MAX};
    assert_status(create(&big, 1, &err), FEW_OK, &err);
    big.n_models++;
    assert_status(create(&big, 1, &err), FEW_ELIMIT, &err);
    few__free(NULL, models);
}

static enum few_status create_in(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__exec *exec;
    struct few__exec_log log;
    struct few_error err;
    enum few_status status = few__exec_log_init(&log, mem, 8, &err);
    if (status != FEW_OK) return status;
    struct t_world *w = ud;
    const struct few__chooser choosers[2] = {{0}};
    const size_t batch_max[T_MODELS] = {4};
    struct few__exec_opts opts = {.env = &env,
                                  .catalog = &w->catalog,
                                  .costs = w->costs,
                                  .choosers = choosers,
                                  .n_slots = 2,
                                  .n_lanes = 2,
                                  .memory_bytes = 1000,
                                  .loads = true,
                                  .batch_max = batch_max,
                                  .variants = FEW__VARIANTS_CASCADE,
                                  .log = &log,
                                  .keep_pace = true};
    status = few__exec_create(&opts, &exec, &err);
    few__exec_destroy(exec);
    if (status == FEW_OK) status = few__exec_check(&log, &opts, &err);
    few__exec_log_finish(&log);
    return status;
}

static void test_create_without_memory(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 40);
    w.models[3].variant_of = w.models[4].variant_of = 3;
    t_fail_each_allocation(create_in, &w);
}

static void test_no_model_finishes_at_once(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 0);
    struct t_script script = {0};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 0, &log);
    assert_int_equal(few__sim_item(exec, 3, 50, FEW__NO_DEADLINE, w.truth), 50);
    t_assert_log(&log, &w, "50 item 3\n50 finish 3\n");
    close_all(exec, &log, &w, 1);
}

/* ---- the life of an item ---- */

static void test_order_log_and_rows(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    t_world_time(&w, 1, 30);
    w.truth[0].result = FEW__RESULT_EMPTY;
    struct t_script script = {.n = 3, .models = {2, 0, 1}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    assert_int_equal(few__exec_actions_max(exec), 2);
    assert_int_equal(few__sim_item(exec, 7, 1000, 500, w.truth), 1230);
    t_assert_log(&log, &w,
                 "1000 item 7 deadline 1500\n1000 start c\n1100 done c ok\n1100 start a\n1200 done a empty\n"
                 "1200 start b\n1230 done b ok\n1230 finish 7\n");
    for (size_t m = 0; m < 3; m++) assert_row(exec, m, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_int_equal(few__exec_rows(exec, 0)[0].start_us, 1100);
    assert_int_equal(few__exec_rows(exec, 0)[0].end_us, 1200);
    assert_false(few__exec_view(exec, 0)->found[0]);
    assert_true(few__exec_view(exec, 0)->found[1]);
    assert_reason(exec, 0, "chosen by script");
    close_all(exec, &log, &w, 1);
}

static void test_need_that_found_nothing_skips_its_users(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 5); // d <- b <- a <- e; c alone
    w.models[1].needs = 3, w.models[0].needs = 1, w.models[4].needs = 0;
    w.truth[3].result = FEW__RESULT_EMPTY;
    struct t_script script = {.n = 2, .models = {3, 2}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    assert_row(exec, 3, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_row(exec, 2, FEW_EXECUTED, FEW__WHY_CHOSEN);
    for (size_t i = 0; i < 3; i++) {
        static const size_t users[] = {1, 0, 4};
        assert_row(exec, users[i], FEW_SKIPPED, FEW__WHY_NEED_EMPTY);
        assert_reason(exec, users[i], "its need d found nothing");
        assert_int_equal(few__exec_rows(exec, 0)[users[i]].start_us, -1);
    }
    w.truth[3].result = FEW__RESULT_OK;
    w.truth[1].result = FEW__RESULT_FAILED;
    script = (struct t_script){.n = 3, .models = {3, 1, 2}};
    few__sim_item(exec, 1, 1000, FEW__NO_DEADLINE, w.truth);
    assert_row(exec, 1, FEW_FAILED, FEW__WHY_FAILED);
    assert_reason(exec, 1, "the model failed");
    assert_row(exec, 0, FEW_SKIPPED, FEW__WHY_NEED_FAILED);
    assert_row(exec, 4, FEW_SKIPPED, FEW__WHY_NEED_FAILED);
    assert_reason(exec, 4, "its need b failed");
    close_all(exec, &log, &w, 1);
}

// The policy is not asked again when everything left was skipped with the need.
static void test_nothing_left_after_an_empty_need(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 2);
    w.models[1].needs = 0;
    w.truth[0].result = FEW__RESULT_EMPTY;
    struct t_script script = {.n = 1, .models = {0}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    t_assert_log(&log, &w, "0 item 0\n0 start a\n100 done a empty\n100 finish 0\n");
    close_all(exec, &log, &w, 1);
}

// a looks at pictures, b at what a found, c at sound, d at what c found, e at text that c found.
static void test_models_without_their_part_are_skipped(void **state)
{
    (void)state;
    struct t_world w;
    struct few__exec_log log;
    char text[128];
    t_world_init(&w, 5);
    w.models[1].needs = 0;
    w.models[2].modality = FEW_SOUND;
    w.models[3].needs = w.models[4].needs = 2;
    w.models[4].modality = FEW_TEXT;
    struct t_script script = {.n = 5, .models = {0, 1, 2, 3, 4}};
    assert_int_equal(few__exec_log_init(&log, NULL, 64, NULL), FEW_OK);
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    const struct few__sim_about picture = {.has_parts = 1u << FEW_IMAGE};
    assert_int_equal(few__sim_item_about(exec, 0, &picture, 0, FEW__NO_DEADLINE, w.truth), 200);
    assert_row(exec, 0, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_row(exec, 1, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_row(exec, 2, FEW_SKIPPED, FEW__WHY_NO_PART);
    assert_row(exec, 3, FEW_SKIPPED, FEW__WHY_NEED_EMPTY);
    assert_row(exec, 4, FEW_SKIPPED, FEW__WHY_NO_PART); // its own reason goes before that of its need
    const char *const why[] = {"chosen by script", "chosen by script", "no sound in it",
                               "its need c had nothing to look at", "no text in it"};
    for (size_t m = 0; m < 5; m++) {
        few__reason_text(exec, 0, m, text, sizeof text);
        assert_string_equal(text, why[m]);
        assert_int_equal(few__reason_is_empty(few__exec_rows(exec, 0)[m].reason), m > 1);
        assert_int_equal(few__exec_rows(exec, 0)[m].lane, m < 2 ? 0 : SIZE_MAX);
    }
    const struct few__sim_about sound = {.has_parts = 1u << FEW_SOUND};
    assert_int_equal(few__sim_item_about(exec, 1, &sound, 1000, FEW__NO_DEADLINE, w.truth), 1100);
    few__reason_text(exec, 0, 0, text, sizeof text);
    assert_string_equal(text, "no picture in it");
    const struct few__sim_about nothing = {0};
    assert_int_equal(few__sim_item_about(exec, 2, &nothing, 2000, FEW__NO_DEADLINE, w.truth), 2000);
    for (size_t m = 0; m < 5; m++) assert_row(exec, m, FEW_SKIPPED, FEW__WHY_NO_PART);
    t_assert_log(&log, &w,
                 "0 item 0 with image\n0 start a\n100 done a ok\n100 start b\n200 done b ok\n200 finish 0\n"
                 "1000 item 1 with sound\n1000 start c\n1100 done c ok\n"
                 "1100 finish 1\n2000 item 2 with nothing\n2000 finish 2\n");
    t_check(&log, &w, 1);
    few__exec_log_finish(&log);
    few__exec_destroy(exec);
}

// After its deadline an item has one reason for everything; before, what it lacks is said.
static void test_parts_and_a_deadline(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 2);
    w.models[1].modality = FEW_SOUND;
    struct t_script script = {.n = 2, .models = {0, 1}};
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, NULL);
    const struct few__sim_about picture = {.has_parts = 1u << FEW_IMAGE};
    few__sim_item_about(exec, 0, &picture, 0, 50, w.truth);
    assert_row(exec, 0, FEW_LATE, FEW__WHY_DEADLINE);
    assert_row(exec, 1, FEW_SKIPPED, FEW__WHY_NO_PART);
    few__exec_destroy(exec);
}

static void look_at_gains(void *self, const struct few__view *view, struct few__choice *choice)
{
    const double **seen = self;
    seen[view->item] = view->gains;
    choice->answer = FEW__STOP;
}

static void test_gains_are_shown_to_the_policy(void **state)
{
    (void)state;
    struct t_world w;
    const double gains[1] = {0.5}, unseen = 0;
    const double *seen[2] = {&unseen, &unseen};
    t_world_init(&w, 1);
    const struct few__chooser chooser = {.self = seen, .choose = look_at_gains};
    struct few__exec *exec = t_exec(&w, chooser, 1, NULL);
    const struct few__sim_about about = {.has_parts = FEW__ALL_PARTS, .gains = gains};
    few__sim_item_about(exec, 0, &about, 0, FEW__NO_DEADLINE, w.truth);
    few__sim_item(exec, 1, 1, FEW__NO_DEADLINE, w.truth);
    assert_ptr_equal(seen[0], gains);
    assert_null(seen[1]);
    assert_null(few__exec_view(exec, 0)->gains);
    few__exec_destroy(exec);
}

/* ---- what models are worth ---- */

struct worths { // starts model 0 for `first`, then stops: model m is worth later[m]
    double first, later[T_MODELS];
    size_t n, asked;
};

static void choose_worth(void *self, const struct few__view *view, struct few__choice *choice)
{
    const struct worths *worths = self;
    choice->answer = view->states[0] == FEW__PENDING ? FEW__START : view->n_running ? FEW__WAIT : FEW__STOP;
    choice->n = 1;
    choice->models[0] = 0;
    choice->worths[0] = worths->first;
}

static void explain_worth(void *self, const struct few__view *view, double *out)
{
    struct worths *worths = self;
    worths->asked++;
    for (size_t m = 0; m < worths->n; m++)
        if (view->states[m] == FEW__PENDING && !isnan(worths->later[m])) out[m] = worths->later[m];
}

static void test_reasons_tell_what_models_are_worth(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 7);
    t_world_time(&w, 6, 300);
    struct worths worths = {
        .first = 3.14159e-5, .later = {0, 1.066e-6, -2e-6, 1e-12, NAN, INFINITY, 1}, .n = 7};
    struct few__chooser chooser = {.self = &worths, .name = "it", .choose = choose_worth};
    chooser.explain = explain_worth;
    chooser.price = 4.0449e-6;
    struct few__exec *exec = t_exec(&w, chooser, 1, NULL);
    few__sim_item(exec, 0, 0, 300, w.truth);
    assert_int_equal(worths.asked, 1);
    assert_near(few__exec_rows(exec, 0)[0].worth, 3.14159e-5, 0);
    assert_near(few__exec_rows(exec, 0)[1].worth, 1.066e-6, 0);
    assert_reason(exec, 0, "chosen by it: worth 0.031/ms, price 0.004/ms");
    assert_reason(exec, 1, "not worth its time, says it: 0.0011/ms, price 0.004/ms");
    assert_reason(exec, 2, "not worth its time, says it: -0.002/ms, price 0.004/ms");
    assert_reason(exec, 3, "not worth its time, says it: 0/ms, price 0.004/ms");
    assert_reason(exec, 4, "not worth its time, says it");
    assert_reason(exec, 5, "not worth its time, says it");
    assert_reason(exec, 6, "would not have ended before the deadline");
    few__exec_destroy(exec);
    chooser.price = -INFINITY;
    exec = t_exec(&w, chooser, 1, NULL);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    assert_reason(exec, 0, "chosen by it: worth 0.031/ms");
    assert_reason(exec, 1, "not worth its time, says it: 0.0011/ms");
    few__exec_destroy(exec);
    chooser.explain = NULL; // what it says is no value
    exec = t_exec(&w, chooser, 1, NULL);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    assert_reason(exec, 0, "chosen by it");
    assert_reason(exec, 1, "not worth its time, says it");
    few__exec_destroy(exec);
}

static void test_stop_tells_no_time_from_not_worth(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 5);
    t_world_time(&w, 1, 200); // exactly what is left: fits
    t_world_time(&w, 2, 201);
    w.models[4].needs = 3; // 100 + 101
    t_world_time(&w, 4, 101);
    struct t_script script = {.n = 1, .models = {0}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    few__sim_item(exec, 0, 0, 300, w.truth);
    assert_row(exec, 1, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    assert_row(exec, 2, FEW_SKIPPED, FEW__WHY_NO_TIME);
    assert_row(exec, 3, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    assert_row(exec, 4, FEW_SKIPPED, FEW__WHY_NO_TIME);
    assert_reason(exec, 1, "not worth its time, says script");
    assert_reason(exec, 2, "would not have ended before the deadline");
    // The need has run: its user is judged alone.
    script = (struct t_script){.n = 1, .models = {3}};
    few__sim_item(exec, 1, 1000, 300, w.truth);
    assert_row(exec, 4, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    few__sim_item(exec, 2, 2000, FEW__NO_DEADLINE, w.truth);
    assert_row(exec, 2, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    close_all(exec, &log, &w, 1);
}

/* ---- the deadline ---- */

static void test_ending_at_the_deadline_counts(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 2);
    struct t_script script = {.n = 2, .models = {0, 1}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    assert_int_equal(few__sim_item(exec, 0, 0, 200, w.truth), 200);
    assert_row(exec, 1, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_int_equal(few__sim_item(exec, 1, 1000, 100, w.truth), 1100);
    assert_row(exec, 0, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_row(exec, 1, FEW_SKIPPED, FEW__WHY_DEADLINE);
    assert_reason(exec, 1, "the deadline came first");
    close_all(exec, &log, &w, 1);
}

static void test_running_at_the_deadline_is_late(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 4);
    w.models[1].needs = 0, w.models[2].needs = 1;
    w.truth[0].time_us = 101;
    struct t_script script = {.n = 1, .models = {0}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    assert_int_equal(few__sim_item(exec, 5, 0, 100, w.truth), 100);
    t_assert_log(&log, &w,
                 "0 item 5 deadline 100\n0 start a\n100 deadline\n100 cancel a\n100 finish 5\n"
                 "100 done a canceled\n");
    assert_row(exec, 0, FEW_LATE, FEW__WHY_DEADLINE);
    assert_int_equal(few__exec_rows(exec, 0)[0].start_us, 0);
    assert_int_equal(few__exec_rows(exec, 0)[0].end_us, 100);
    assert_row(exec, 1, FEW_SKIPPED, FEW__WHY_NEED_MISSING);
    assert_row(exec, 2, FEW_SKIPPED, FEW__WHY_NEED_MISSING);
    assert_row(exec, 3, FEW_SKIPPED, FEW__WHY_DEADLINE);
    assert_reason(exec, 0, "not finished at the deadline");
    assert_reason(exec, 2, "its need a was late");
    close_all(exec, &log, &w, 1);
}

static void test_deadline_past_on_arrival(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 2);
    w.models[1].needs = 0;
    struct t_script script = {.n = 1, .models = {0}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    assert_int_equal(few__sim_item(exec, 0, 0, 0, w.truth), 0);
    assert_int_equal(few__sim_item(exec, 1, 10, -7, w.truth), 10);
    t_assert_log(
        &log, &w,
        "0 item 0 deadline 0\n0 deadline\n0 finish 0\n10 item 1 deadline 3\n10 deadline\n10 finish 1\n");
    assert_row(exec, 0, FEW_SKIPPED, FEW__WHY_DEADLINE);
    assert_row(exec, 1, FEW_SKIPPED, FEW__WHY_DEADLINE);
    close_all(exec, &log, &w, 1);
}

// A driver may notice the end of a model before its own timer: the model is late all the same.
static void test_done_after_the_deadline_is_late(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 2);
    struct t_script script = {.n = 2, .models = {0, 1}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    struct few__action actions[2];
    struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = 100, .ready = true, .has_parts = FEW__ALL_PARTS};
    assert_int_equal(few__exec_step(exec, 0, &item, actions), 1);
    assert_int_equal(actions[0].kind, FEW__ACTION_START);
    const struct few__part part = {.result = FEW__RESULT_OK};
    struct few__event done = {.kind = FEW__EVENT_DONE, .parts = &part};
    assert_int_equal(few__exec_step(exec, 101, &done, actions), 1);
    assert_int_equal(actions[0].kind, FEW__ACTION_FINISH);
    assert_row(exec, 0, FEW_LATE, FEW__WHY_DEADLINE);
    assert_true(few__exec_slot_free(exec, 0));
    // A DEADLINE after FINISH is ignored.
    struct few__event deadline = {.kind = FEW__EVENT_DEADLINE};
    assert_int_equal(few__exec_step(exec, 102, &deadline, actions), 0);
    assert_row(exec, 0, FEW_LATE, FEW__WHY_DEADLINE);
    t_assert_log(&log, &w,
                 "0 item 0 deadline 100\n0 start a\n101 done a canceled\n101 deadline\n101 finish 0\n");
    close_all(exec, &log, &w, 1);
}

/* ---- what is seen ---- */

static void test_seen_is_the_highest_and_is_forgotten(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    t_world_says(&w, 0, 5, 0.7f);
    t_world_says(&w, 0, 39, 0.6f);
    t_world_says(&w, 1, 5, 0.9f);
    t_world_says(&w, 2, 5, 0.8f);
    struct t_script script = {.n = 3, .models = {0, 1, 2}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, &log);
    const struct few__view *view = few__exec_view(exec, 0);
    const float *seen = view->seen;
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    assert_int_equal(view->n_seen, 2); // each once, in the order in which they came
    assert_true(view->seen_labels[0] == 5 && view->seen_labels[1] == 39);
    for (size_t l = 0; l < T_LABELS; l++) assert_near(seen[l], l == 5 ? 0.9f : l == 39 ? 0.6f : 0, 0);
    few__sim_item(exec, 1, 1000, 100, w.truth); // a alone
    for (size_t l = 0; l < T_LABELS; l++) assert_near(seen[l], l == 5 ? 0.7f : l == 39 ? 0.6f : 0, 0);
    few__sim_item(exec, 2, 2000, 0, w.truth);
    assert_int_equal(view->n_seen, 0);
    for (size_t l = 0; l < T_LABELS; l++) assert_near(seen[l], 0, 0);
    close_all(exec, &log, &w, 1);
}

static void test_costs_are_made_positive(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    w.costs[0].time_us = 0;
    w.costs[1].time_us = -5;
    w.costs[2].time_us = INT64_MAX;
    struct t_script script = {0};
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 1, NULL);
    assert_int_equal(few__exec_view(exec, 0)->costs[0].time_us, 1);
    assert_int_equal(few__exec_view(exec, 0)->costs[1].time_us, 1);
    assert_int_equal(few__exec_view(exec, 0)->costs[2].time_us, FEW__TIME_MAX_US);
    few__exec_destroy(exec);
}

static void test_steps_allocate_nothing(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 30);
    struct t_script script = {.n = 30};
    for (size_t i = 0; i < 30; i++) script.models[i] = i;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few_env env = {.mem = &mem.mem};
    struct few__exec *exec;
    const struct few__chooser chooser = t_script_chooser(&script);
    struct few__exec_opts opts = {.env = &env, .catalog = &w.catalog, .costs = w.costs, .choosers = &chooser};
    assert_int_equal(few__exec_create(&opts, &exec, NULL), FEW_OK);
    size_t calls = mem.calls;
    for (int64_t i = 0; i < 10; i++) few__sim_item(exec, (uint64_t)i, i * 10000, 2500, w.truth);
    assert_int_equal(mem.calls, calls);
    few__exec_destroy(exec);
    assert_int_equal(mem.live, 0);
}

/* ---- lanes ---- */

static void test_two_lanes(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 4);
    w.models[2].needs = 1;
    t_world_time(&w, 0, 150);
    t_world_time(&w, 2, 50); // ends with a, which started first
    struct t_script script = {.n = 4, .models = {0, 1, 2, 3}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 2, &log);
    assert_int_equal(few__exec_actions_max(exec), 3);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    t_assert_log(&log, &w,
                 "0 item 0\n0 start a\n0 start b lane 1\n100 done b ok lane 1\n100 start c lane 1\n"
                 "150 done a ok\n150 start d\n150 done c ok lane 1\n250 done d ok\n250 finish 0\n");
    // Both lanes end at the deadline: both count; d comes too late for anything.
    few__exec_log_clear(&log);
    few__sim_item(exec, 1, 1000, 150, w.truth);
    t_assert_log(&log, &w,
                 "1000 item 1 deadline 1150\n1000 start a\n1000 start b lane 1\n"
                 "1100 done b ok lane 1\n1100 start c lane 1\n1150 done a ok\n1150 done c ok lane 1\n1150 "
                 "deadline\n1150 finish 1\n");
    assert_row(exec, 3, FEW_SKIPPED, FEW__WHY_DEADLINE);
    few__exec_log_clear(&log);
    few__sim_item(exec, 2, 2000, 149, w.truth);
    assert_row(exec, 0, FEW_LATE, FEW__WHY_DEADLINE);
    assert_row(exec, 2, FEW_LATE, FEW__WHY_DEADLINE);
    close_all(exec, &log, &w, 2);
}

// A script that ends while something runs: what runs may end, nothing else starts.
static void test_stop_while_running(void **state)
{
    (void)state;
    struct t_world w;
    t_world_init(&w, 3);
    w.models[1].needs = 0;
    w.truth[0].result = FEW__RESULT_EMPTY;
    struct t_script script = {.n = 1, .models = {0}};
    struct few__exec_log log = open_log();
    struct few__exec *exec = t_exec(&w, t_script_chooser(&script), 2, &log);
    assert_int_equal(few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth), 100);
    assert_row(exec, 0, FEW_EXECUTED, FEW__WHY_CHOSEN);
    assert_row(exec, 1, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    assert_row(exec, 2, FEW_SKIPPED, FEW__WHY_NOT_WORTH);
    close_all(exec, &log, &w, 2);
}

/* ---- programmer's errors ---- */

struct answer {
    enum few__answer answer;
    size_t n, models[3];
};

static void give_answer(void *self, const struct few__view *view, struct few__choice *choice)
{
    (void)view;
    const struct answer *answer = self;
    choice->answer = answer->answer;
    choice->n = answer->n;
    memcpy(choice->models, answer->models, answer->n * sizeof *answer->models);
}

// Three models, b needs a; one lane.
static struct few__exec *open_item(struct answer *answer)
{
    static struct t_world w;
    t_world_init(&w, 3);
    w.models[1].needs = 0;
    struct few__chooser chooser = {.self = answer, .name = "answer", .choose = give_answer};
    struct few__exec *exec = t_exec(&w, chooser, 1, NULL);
    struct few__action actions[4];
    struct few__event item = {
        .kind = FEW__EVENT_ITEM, .deadline_us = 1000, .ready = true, .has_parts = FEW__ALL_PARTS};
    few__exec_step(exec, 0, &item, actions);
    return exec;
}

static void run_answer(void *ud)
{
    struct few__exec *exec = open_item(ud);
    struct few__action actions[4];
    const struct few__part part = {.result = FEW__RESULT_OK};
    struct few__event done = {.kind = FEW__EVENT_DONE, .parts = &part};
    few__exec_step(exec, 10, &done, actions); // the same answer again
}

static void test_impossible_answers_stop_the_program(void **state)
{
    (void)state;
    struct answer answers[] = {
        {.answer = FEW__WAIT},                            // nothing runs
        {.answer = FEW__START, .n = 0},                   // starts nothing
        {.answer = FEW__START, .n = 1, .models = {1}},    // before its need
        {.answer = FEW__START, .n = 1, .models = {3}},    // no such model
        {.answer = FEW__START, .n = 2, .models = {0, 2}}, // one lane
        {.answer = FEW__START, .n = 1, .models = {0}},    // a second time, after DONE
    };
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) t_assert_aborts(run_answer, &answers[i]);
}

enum { N_WRONG = 8 };

static void step_wrongly(void *ud)
{
    static const struct few__part part = {.result = FEW__RESULT_OK};
    static const struct {
        int64_t now_us;
        struct few__event event;
    } wrong[N_WRONG] = {
        {5, {.kind = FEW__EVENT_ITEM, .deadline_us = 10}},         // the slot is taken
        {5, {.kind = FEW__EVENT_ITEM, .slot = 1}},                 // there is no such slot
        {5, {.kind = FEW__EVENT_DONE, .lane = 1, .parts = &part}}, // nor such a lane
        {5, {.kind = FEW__EVENT_READ}},                            // it was ready
        {5, {.kind = FEW__EVENT_LOADED}},                          // nothing is loaded
        {5, {.kind = FEW__EVENT_DEADLINE, .slot = 1}},             // no such slot
        {999, {.kind = FEW__EVENT_DEADLINE}},                      // before its time
        {-1, {.kind = FEW__EVENT_DONE, .parts = &part}},           // time goes back
    };
    struct answer answer = {.answer = FEW__START, .n = 1, .models = {0}};
    struct few__exec *exec = open_item(&answer);
    struct few__action actions[4];
    size_t i = *(const size_t *)ud;
    few__exec_step(exec, wrong[i].now_us, &wrong[i].event, actions);
}

static void test_impossible_events_stop_the_program(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_WRONG; i++) t_assert_aborts(step_wrongly, &i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_refuses_wrong_needs),
        cmocka_unit_test(test_create_limits),
        cmocka_unit_test(test_create_without_memory),
        cmocka_unit_test(test_no_model_finishes_at_once),
        cmocka_unit_test(test_order_log_and_rows),
        cmocka_unit_test(test_need_that_found_nothing_skips_its_users),
        cmocka_unit_test(test_nothing_left_after_an_empty_need),
        cmocka_unit_test(test_models_without_their_part_are_skipped),
        cmocka_unit_test(test_parts_and_a_deadline),
        cmocka_unit_test(test_gains_are_shown_to_the_policy),
        cmocka_unit_test(test_stop_tells_no_time_from_not_worth),
        cmocka_unit_test(test_reasons_tell_what_models_are_worth),
        cmocka_unit_test(test_ending_at_the_deadline_counts),
        cmocka_unit_test(test_running_at_the_deadline_is_late),
        cmocka_unit_test(test_deadline_past_on_arrival),
        cmocka_unit_test(test_done_after_the_deadline_is_late),
        cmocka_unit_test(test_seen_is_the_highest_and_is_forgotten),
        cmocka_unit_test(test_costs_are_made_positive),
        cmocka_unit_test(test_steps_allocate_nothing),
        cmocka_unit_test(test_two_lanes),
        cmocka_unit_test(test_stop_while_running),
        cmocka_unit_test(test_impossible_answers_stop_the_program),
        cmocka_unit_test(test_impossible_events_stop_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
