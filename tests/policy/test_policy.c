// SPDX-License-Identifier: Apache-2.0
// Policies by name: what their arguments mean, and what is refused. That of traces is tested with sessions.
#include <stdio.h>
#include <string.h>

#include "exec/world.h"
#include "model/manifest.h"
#include "policy/policy.h"

static void make_zoo(struct t_world *world, struct few_zoo *zoo, const struct few_mem *mem)
{
    t_world_init(world, 4);
    memset(zoo, 0, sizeof *zoo);
    zoo->env.mem = mem;
    zoo->catalog = world->catalog;
}

static void assert_explores(const char *spec, size_t first, double keep)
{
    struct t_world world;
    struct few_zoo zoo;
    struct few_policy *policy;
    struct few_error err;
    size_t got_first = 0;
    double got_keep = 0;
    make_zoo(&world, &zoo, NULL);
    assert_status(few_policy_open(spec, &zoo, &policy, &err), FEW_OK, &err);
    assert_string_equal(few_policy_name(policy), spec);
    assert_true(few__policy_explores(policy, &got_first, &got_keep));
    assert_int_equal(got_first, first);
    assert_near(got_keep, keep, 0);
    assert_false(few__policy_runs_all(policy));
    few_policy_close(policy);
}

static void test_explore_exploit(void **state)
{
    (void)state;
    assert_explores("explore_exploit", 3, 1);
    assert_explores("explore_exploit:1", 1, 1);
    assert_explores("explore_exploit:1000", 1000, 1);
    assert_explores("explore_exploit:5:0.95", 5, 0.95);
    assert_explores("explore_exploit:5:.5", 5, 0.5);
    assert_explores("explore_exploit:2:1", 2, 1);
    assert_explores("explore_exploit:2:1.000", 2, 1);
}

static void assert_refused(const char *spec, const char *found)
{
    struct t_world world;
    struct few_zoo zoo;
    struct few_policy *policy;
    struct few_error err;
    make_zoo(&world, &zoo, NULL);
    assert_status(few_policy_open(spec, &zoo, &policy, &err), FEW_EINVAL, &err);
    assert_null(policy);
    assert_non_null(strstr(err.message, found));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const frames[] = {
        "", "0", "1001", "-1", "+1", " 1", "x", "3x", "1.5", ":0.5", "99999999999999999999"};
    static const char *const shares[] = {"",    "0",    "1.01", "-1", "nan", "0.5x",
                                         "0x1", "1e-1", "0..5", ".",  "0,5"};
    char spec[64];
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        snprintf(spec, sizeof spec, "explore_exploit:%s", frames[i]);
        assert_refused(spec, "expected 1 to 1000 frames");
    }
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        snprintf(spec, sizeof spec, "explore_exploit:3:%s", shares[i]);
        assert_refused(spec, "expected a share of the value");
    }
    assert_refused("explore_exploi", "explore_exploit[:FIRST[:KEEP]]");
    assert_refused("run_all:3", "run_all alone");
    assert_refused("random:x", "whole number");
    assert_refused("static", "path of a trace");
    assert_refused("q_greedy:", "path of a trace");
    assert_refused("rules", "path of a file of rules");
    assert_refused("rules:", "path of a file of rules");
}

/* ---- rules ---- */

/* A world of four models; the first has the label "said" of the space "words", the others none. */
static const char *make_rules(struct t_world *world, const char *text)
{
    static const int32_t ids[] = {0};
    static const bool is_null[] = {false};
    static const char *const names[] = {"said"};
    static struct few_model models[4];
    static const struct few_label label = {.space = "words", .name = "said"};
    for (size_t m = 0; m < 4; m++) {
        models[m] = world->models[m];
        models[m].own_label = -1;
        models[m].task = models[m].space = "";
    }
    models[0].space = "words";
    models[0].n_labels = 1;
    models[0].labels = names;
    models[0].label_ids = ids;
    models[0].is_null = is_null;
    world->catalog.models = models;
    world->catalog.n_labels = 1;
    world->catalog.labels = &label;
    t_write(t_path("rules.yaml"), text, strlen(text));
    return t_path("rules.yaml");
}

static enum few_status open_rules(const struct few_mem *mem, const char *text, struct few_policy **policy,
                                  struct few_error *err)
{
    struct t_world world;
    static struct few_zoo zoo;
    char spec[512];
    make_zoo(&world, &zoo, mem);
    snprintf(spec, sizeof spec, "rules:%s", make_rules(&world, text));
    zoo.catalog = world.catalog;
    return few_policy_open(spec, &zoo, policy, err);
}

static const char good_rules[] = "version: 1\nrules: [{when: {space: words}, models: [b], times: 2}]\n";

static void test_rules(void **state)
{
    (void)state;
    struct few_policy *policy, *other;
    struct few_error err;
    struct t_world world;
    struct few__sched sched;
    t_tmpdir();
    assert_status(open_rules(NULL, good_rules, &policy, &err), FEW_OK, &err);
    assert_false(few__policy_runs_all(policy));
    assert_int_equal(strlen(few__policy_digest(policy)), 64);
    t_world_init(&world, 4);
    assert_status(few__policy_scheduler(policy, world.costs, true, &sched, &err), FEW_OK, &err);
    assert_string_equal(sched.chooser.name, "rules");
    few__sched_destroy(&sched);
    // A run under changed rules is another run.
    assert_status(open_rules(NULL, "version: 1\nrules: [{when: {space: words}, models: [b], times: 3}]\n",
                             &other, &err),
                  FEW_OK, &err);
    assert_string_not_equal(few__policy_digest(policy), few__policy_digest(other));
    few_policy_close(policy);
    few_policy_close(other);
    assert_status(open_rules(NULL, "version: 1\nrules: [{when: {space: word}, models: [b], times: 2}]\n",
                             &policy, &err),
                  FEW_EPARSE, &err);
    assert_null(policy);
    assert_non_null(strstr(err.message, "rules.yaml:2:24: rules[0].when.space: expected a label space"));
}

static void test_others_do_not_explore(void **state)
{
    (void)state;
    struct t_world world;
    struct few_zoo zoo;
    struct few_error err;
    make_zoo(&world, &zoo, NULL);
    static const char *const specs[] = {NULL, "run_all", "random", "random:7"};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        struct few_policy *policy;
        size_t first;
        double keep;
        assert_status(few_policy_open(specs[i], &zoo, &policy, &err), FEW_OK, &err);
        assert_false(few__policy_explores(policy, &first, &keep));
        assert_int_equal(few__policy_runs_all(policy), i < 2);
        few_policy_close(policy);
    }
}

static enum few_status open_and_schedule(const struct few_mem *mem, void *ud)
{
    struct t_world world;
    struct few_zoo zoo;
    struct few_policy *policy;
    struct few__sched sched;
    make_zoo(&world, &zoo, mem);
    enum few_status status = few_policy_open(ud, &zoo, &policy, NULL);
    if (status != FEW_OK) return status;
    status = few__policy_scheduler(policy, world.costs, FEW__SIDE_BY_SIDE, &sched, NULL);
    if (status == FEW_OK) few__sched_destroy(&sched);
    few_policy_close(policy);
    return status;
}

static enum few_status open_rules_once(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few_policy *policy;
    enum few_status status = open_rules(mem, good_rules, &policy, NULL);
    few_policy_close(policy);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    static char specs[][32] = {"explore_exploit:2:0.9", "random:1", "run_all"};
    for (size_t i = 0; i < 3; i++) t_fail_each_allocation(open_and_schedule, specs[i]);
    t_tmpdir();
    t_fail_each_allocation(open_rules_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explore_exploit), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_rules),           cmocka_unit_test(test_others_do_not_explore),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
