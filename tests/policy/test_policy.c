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

static void test_no_memory(void **state)
{
    (void)state;
    static char specs[][32] = {"explore_exploit:2:0.9", "random:1", "run_all"};
    for (size_t i = 0; i < 3; i++) t_fail_each_allocation(open_and_schedule, specs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_explore_exploit),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_others_do_not_explore),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
