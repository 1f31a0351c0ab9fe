// SPDX-License-Identifier: Apache-2.0
// A policy file as a policy: its name, its methods, where it stops, how it runs models on one lane and on several.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "exec/exec_log.h"
#include "exec/exec_sim.h"
#include "model/manifest.h"
#include "policy/learned_made.h"
#include "policy/policy.h"

struct live {
    struct made_zoo made;
    struct few_zoo zoo;
};

static void open_live(struct live *live, const struct made_odds *odds, const struct few_mem *mem)
{
    memset(live, 0, sizeof *live);
    made_zoo(&live->made, odds);
    live->zoo.env.mem = mem;
    live->zoo.catalog = live->made.catalog;
}

static void write_policy(const char *path)
{
    struct made_zoo zoo;
    struct few_error err;
    made_zoo(&zoo, NULL);
    assert_status(made_policy(&zoo, NULL, path, &err), FEW_OK, &err);
    made_zoo_finish(&zoo);
}

static struct few_policy *open_policy(const struct live *live, const char *spec)
{
    struct few_policy *policy;
    struct few_error err;
    assert_status(few_policy_open(spec, &live->zoo, &policy, &err), FEW_OK, &err);
    return policy;
}

static void test_opens(void **state)
{
    (void)state;
    struct live live;
    char spec[300];
    size_t first;
    double keep;
    t_tmpdir();
    write_policy(t_path("p"));
    open_live(&live, &(struct made_odds){.turned = true, .without_words = true}, NULL);
    for (int named = 0; named < 2; named++) {
        snprintf(spec, sizeof spec, "%s%s", t_path("p"), named ? ":static" : "");
        struct few_policy *policy = open_policy(&live, spec);
        assert_string_equal(few_policy_name(policy), spec);
        assert_int_equal(strlen(few__policy_digest(policy)), 64);
        assert_false(few__policy_runs_all(policy));
        assert_true(few_policy_all_variants(policy));
        assert_false(few__policy_explores(policy, &first, &keep));
        assert_near(few__policy_recall(policy), 0, 0);
        for (size_t m = 0; m < live.made.catalog.n_models; m++) // as the policy has it
            assert_int_equal(few__policy_costs(policy)[m].time_us, live.made.costs[m].time_us);
        few_policy_close(policy);
    }
    made_zoo_finish(&live.made);
}

static void assert_refused(const struct live *live, const char *spec, enum few_status expected,
                           const char *what)
{
    struct few_policy *policy;
    struct few_error err;
    assert_status(few_policy_open(spec, &live->zoo, &policy, &err), expected, &err);
    assert_null(policy);
    if (!strstr(err.message, what)) fail_msg("\"%s\" does not say \"%s\"", err.message, what);
}

static void test_refused(void **state)
{
    (void)state;
    struct live live;
    char spec[300];
    t_tmpdir();
    write_policy(t_path("p"));
    open_live(&live, NULL, NULL);
    snprintf(spec, sizeof spec, "%s:dqn", t_path("p"));
    assert_refused(&live, spec, FEW_EINVAL, "expected one of its methods (static), found \"dqn\"");
    snprintf(spec, sizeof spec, "%s:", t_path("p"));
    assert_refused(&live, spec, FEW_EINVAL, "found \"\"");
    assert_refused(&live, t_path("nowhere"), FEW_EINVAL, "expected a file of 'fewer train', run_all");
    assert_refused(&live, t_path(""), FEW_EINVAL, "expected a file of 'fewer train'"); // a folder
    t_write(t_path("text"), "text", 4);
    assert_refused(&live, t_path("text"), FEW_EPARSE, "text");
    made_zoo_finish(&live.made);
    open_live(&live, &(struct made_odds){.extra = "ocr"}, NULL);
    assert_refused(&live, t_path("p"), FEW_EINVAL, "'ocr'");
    made_zoo_finish(&live.made);
    open_live(&live, &(struct made_odds){.digest = "beef"}, NULL);
    assert_refused(&live, t_path("p"), FEW_EINVAL, "model 'face' has changed");
    made_zoo_finish(&live.made);
}

static void test_stop(void **state)
{
    (void)state;
    struct live live;
    struct few_error err;
    struct few_policy_promise promise = {.size = sizeof promise};
    t_tmpdir();
    write_policy(t_path("p"));
    open_live(&live, NULL, NULL);
    struct few_policy *policy = open_policy(&live, t_path("p"));
    assert_status(few_policy_stop(policy, 0.6, &promise, &err), FEW_OK, &err);
    assert_near(few__policy_recall(policy), 0.6, 0);
    assert_string_equal(promise.method, "static");
    assert_near(promise.recall, 0.55 + 0.26 / 3, 1e-9);
    assert_near(promise.low, 0.5 + 0.28 / 3, 1e-9);
    assert_near(promise.high, 0.68, 1e-9);
    assert_near(promise.time_ratio, 0.3, 1e-9);
    assert_true(promise.is_held_out);
    assert_status(few_policy_stop(policy, 0.5, NULL, &err), FEW_OK, &err);
    assert_near(few__policy_recall(policy), 0.5, 0);
    assert_status(few_policy_stop(policy, 0.2, NULL, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected a recall from 0.5 to 1, found 0.2"));
    assert_near(few__policy_recall(policy), 0.5, 0); // as it was
    promise.size = 1;
    assert_status(few_policy_stop(policy, 0.5, &promise, &err), FEW_EINVAL, &err);
    few_policy_close(policy);
    policy = open_policy(&live, "run_all");
    assert_status(few_policy_stop(policy, 0.5, NULL, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "policy 'run_all': expected a file of 'fewer train'"));
    few_policy_close(policy);
    made_zoo_finish(&live.made);
}

/* ---- schedules ---- */

// Runs one item in which every model finds something; what it came to, "0 tags, 1 face": milliseconds of the starts.
static void run(const struct live *live, double recall, enum few__way way, size_t n_lanes,
                int64_t deadline_us, char *text, size_t n_text)
{
    struct few_policy *policy = open_policy(live, t_path("p"));
    struct few__sched sched;
    struct few__exec_log log;
    struct few__exec *exec;
    struct few_error err;
    struct few__sim_truth truth[M_MODELS];
    size_t used = 0;
    for (size_t m = 0; m < M_MODELS; m++)
        truth[m] = (struct few__sim_truth){.time_us = live->made.costs[m].time_us};
    if (recall > 0) assert_status(few_policy_stop(policy, recall, NULL, &err), FEW_OK, &err);
    assert_status(few__policy_scheduler(policy, live->made.costs, way, &sched, &err), FEW_OK, &err);
    assert_int_equal(few__exec_log_init(&log, NULL, 64, NULL), FEW_OK);
    const struct few__exec_opts opts = {.catalog = &live->made.catalog,
                                        .costs = live->made.costs,
                                        .choosers = &sched.chooser,
                                        .n_lanes = n_lanes,
                                        .log = &log};
    assert_status(few__exec_create(&opts, &exec, &err), FEW_OK, &err);
    few__sim_item(exec, 0, 0, deadline_us, truth);
    text[0] = 0;
    for (size_t i = 0; i < log.n; i++)
        if (log.records[i].kind == FEW__LOG_START)
            used += (size_t)snprintf(text + used, n_text - used, "%s%lld %s", used ? ", " : "",
                                     (long long)log.records[i].at_us / 1000,
                                     live->made.catalog.models[log.records[i].model].name);
    few__exec_log_finish(&log);
    few__exec_destroy(exec);
    few__sched_destroy(&sched);
    few_policy_close(policy);
}

#define assert_runs(live, recall, way, n_lanes, deadline_us, expected)               \
    do {                                                                             \
        char text_[200];                                                             \
        run((live), (recall), (way), (n_lanes), (deadline_us), text_, sizeof text_); \
        assert_string_equal(text_, (expected));                                      \
    } while (0)

/* Rates fall from tags to depth; face, of which mood has need, stands before it. Prices: 0.5 is above what mood is worth, 0.8
 * above depth. */
static void test_one_after_the_other(void **state)
{
    (void)state;
    struct live live;
    t_tmpdir();
    write_policy(t_path("p"));
    open_live(&live, NULL, NULL);
    assert_runs(&live, 0, FEW__ONE_LANE, 1, FEW__NO_DEADLINE, "0 tags, 1 face, 3 mood, 6 words, 10 depth");
    assert_runs(&live, 0.5, FEW__ONE_LANE, 1, FEW__NO_DEADLINE, "0 tags, 1 face");
    assert_runs(&live, 0.8, FEW__ONE_LANE, 1, FEW__NO_DEADLINE, "0 tags, 1 face, 3 mood, 6 words");
    assert_runs(&live, 1, FEW__ONE_LANE, 1, FEW__NO_DEADLINE, "0 tags, 1 face, 3 mood, 6 words, 10 depth");
    assert_runs(&live, 0.8, FEW__ONE_LANE, 1, 4000, "0 tags, 1 face");
    // In turn on three lanes: the same.
    assert_runs(&live, 0.8, FEW__IN_TURN, 3, FEW__NO_DEADLINE, "0 tags, 1 face, 3 mood, 6 words");
    made_zoo_finish(&live.made);
    // A priority makes mood worth more than what stands before it; its need comes along.
    open_live(&live, &(struct made_odds){.priority = 5}, NULL);
    assert_runs(&live, 0.5, FEW__ONE_LANE, 1, FEW__NO_DEADLINE, "0 face, 2 mood, 5 tags");
    made_zoo_finish(&live.made);
}

/* Side by side, with gains: 0.9 in 1 ms, 0.1 in 2, 0.5 in 3 (found: 1), 0.3 in 4, 0.2 in 5. Without a deadline by gain over
 * time; at the price of 0.8, 0.00015, tags and mood with face (0.6 in 5 ms = 0.00012) ... only tags is worth it. */
static void test_side_by_side(void **state)
{
    (void)state;
    struct live live;
    t_tmpdir();
    write_policy(t_path("p"));
    open_live(&live, NULL, NULL);
    assert_runs(&live, 0, FEW__SIDE_BY_SIDE, 3, FEW__NO_DEADLINE, "0 tags, 0 face, 0 words, 1 depth, 2 mood");
    assert_runs(&live, 0.8, FEW__SIDE_BY_SIDE, 3, FEW__NO_DEADLINE, "0 tags");
    assert_runs(&live, 0.8, FEW__SIDE_BY_SIDE, 3, 9000, "0 tags");
    assert_runs(&live, 0, FEW__SIDE_BY_SIDE, 3, 5000, "0 tags, 0 face, 0 words, 2 mood");
    made_zoo_finish(&live.made);
}

/* ---- memory ---- */

static enum few_status open_and_schedule(const struct few_mem *mem, void *ud)
{
    struct live *live = ud;
    struct few_policy *policy;
    struct few__sched sched;
    live->zoo.env.mem = mem;
    enum few_status status = few_policy_open(t_path("p"), &live->zoo, &policy, NULL);
    if (status != FEW_OK) return status;
    for (enum few__way way = FEW__ONE_LANE; status == FEW_OK && way <= FEW__IN_TURN; way++) {
        status = few__policy_scheduler(policy, live->made.costs, way, &sched, NULL);
        if (status == FEW_OK) few__sched_destroy(&sched);
    }
    few_policy_close(policy);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct live live;
    t_tmpdir();
    write_policy(t_path("p"));
    open_live(&live, NULL, NULL);
    t_fail_each_allocation(open_and_schedule, &live);
    made_zoo_finish(&live.made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens),        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_stop),         cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_side_by_side), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
