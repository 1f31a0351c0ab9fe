// SPDX-License-Identifier: Apache-2.0
// How much models slow each other down: the table, and what the executor learns and plans with it.
#include "exec/pairs.h"

#include "exec/world.h"

static void test_means_of_ordered_pairs(void **state)
{
    (void)state;
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 24);
    struct few__pairs *pairs = few__pairs_create(&arena, 3);
    const size_t beside[] = {1, 2};
    assert_near(1, few__pairs_factor(pairs, 0, beside, 2), 0);
    assert_false(few__pairs_any(pairs));
    few__pairs_note(pairs, 0, 1, 1.4);
    few__pairs_note(pairs, 0, 1, 1.6);
    few__pairs_note(pairs, 0, 2, 1.2);
    few__pairs_note(pairs, 2, 0, 0.5);
    assert_true(few__pairs_any(pairs));
    assert_near(1.5, few__pairs_factor(pairs, 0, beside, 1), 1e-6);
    assert_near(1.7, few__pairs_factor(pairs, 0, beside, 2), 1e-6);
    assert_near(1, few__pairs_factor(pairs, 0, beside, 0), 0);
    assert_near(1, few__pairs_factor(pairs, 1, (const size_t[]){0}, 1), 0);
    assert_near(1, few__pairs_factor(pairs, 2, (const size_t[]){0}, 1), 0); // never less
    for (int i = 0; i < 200; i++) few__pairs_note(pairs, 0, 1, 2);          // it follows what changes
    assert_near(2, few__pairs_factor(pairs, 0, beside, 1), 1e-3);
    few__pairs_note(pairs, 1, 1, 1e9);
    assert_near(16, few__pairs_factor(pairs, 1, beside, 1), 0);
    few__arena_finish(&arena);
}

static void test_many_models_share_one_factor(void **state)
{
    (void)state;
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 24);
    struct few__pairs *pairs = few__pairs_create(&arena, FEW__PAIRS_MODELS_MAX + 1);
    few__pairs_note(pairs, 7, FEW__PAIRS_MODELS_MAX, 1.5);
    assert_near(1.5, few__pairs_factor(pairs, 100, (const size_t[]){5}, 1), 1e-6);
    few__arena_finish(&arena);
    few__arena_init(&arena, NULL, 1 << 24);
    assert_non_null(few__pairs_create(&arena, FEW__PAIRS_MODELS_MAX));
    few__arena_finish(&arena);
    few__arena_init(&arena, NULL, 1 << 10);
    assert_null(few__pairs_create(&arena, FEW__PAIRS_MODELS_MAX));
    few__arena_finish(&arena);
}

/* ---- in the executor: a and b slow each other down by a half, c slows nobody ---- */

struct machine {
    struct t_world world;
    struct few__exec *exec;
    int64_t now_us;
    uint64_t n_items;
};

static void open_machine(struct machine *m, struct t_script *script, bool keep_pace)
{
    struct few_error err;
    t_world_init(&m->world, 3);
    for (size_t k = 0; k < 3; k++) t_world_time(&m->world, k, 10000);
    const struct few__chooser chooser = t_script_chooser(script);
    const struct few__exec_opts opts = {.catalog = &m->world.catalog,
                                        .costs = m->world.costs,
                                        .choosers = &chooser,
                                        .n_lanes = 2,
                                        .keep_pace = keep_pace};
    assert_status(few__exec_create(&opts, &m->exec, &err), FEW_OK, &err);
}

static void run_pair(struct machine *m, int64_t time_us)
{
    for (size_t k = 0; k < 3; k++) m->world.truth[k].time_us = time_us;
    m->now_us = few__sim_item(m->exec, m->n_items++, m->now_us, FEW__NO_DEADLINE, m->world.truth);
}

static double slow_of_b_beside_a(struct machine *m, struct t_script *script)
{
    struct few__action actions[8];
    *script = (struct t_script){.n = 1, .models = {0}};
    const struct few__event event = {.kind = FEW__EVENT_ITEM,
                                     .deadline_us = FEW__NO_DEADLINE,
                                     .ready = true,
                                     .has_parts = FEW__ALL_PARTS,
                                     .item = m->n_items};
    few__exec_step(m->exec, m->now_us, &event, actions);
    return few__exec_view(m->exec, 0)->slow[1];
}

static void test_the_executor_learns_what_pairs_cost(void **state)
{
    (void)state;
    struct machine m = {0};
    struct t_script script = {.n = 2, .models = {0, 1}};
    open_machine(&m, &script, true);
    for (int i = 0; i < 100; i++) run_pair(&m, 15000);
    // The pace does not take the blame for it.
    assert_near(1, few__exec_view(m.exec, 0)->pace, 0.25);
    assert_near(1, few__exec_view(m.exec, 0)->slow[2], 0);
    assert_near(1.5, slow_of_b_beside_a(&m, &script), 0.01);
    assert_near(1, few__exec_view(m.exec, 0)->slow[2], 0);
    assert_int_equal(few__view_time(few__exec_view(m.exec, 0), 1), 15000);
    few__exec_destroy(m.exec);
}

// A machine that is slower for everything does not look like models that slow each other down.
static void test_a_slow_machine_is_no_pair(void **state)
{
    (void)state;
    struct machine m = {0};
    struct t_script script = {.n = 1, .models = {2}};
    open_machine(&m, &script, true);
    for (int i = 0; i < 200; i++) run_pair(&m, 20000);
    script = (struct t_script){.n = 2, .models = {0, 1}};
    for (int i = 0; i < 20; i++) run_pair(&m, 20000);
    assert_near(1, slow_of_b_beside_a(&m, &script), 0.01);
    few__exec_destroy(m.exec);
}

static void test_replays_learn_nothing(void **state)
{
    (void)state;
    struct machine m = {0};
    struct t_script script = {.n = 2, .models = {0, 1}};
    open_machine(&m, &script, false);
    for (int i = 0; i < 20; i++) run_pair(&m, 15000);
    assert_near(1, slow_of_b_beside_a(&m, &script), 0);
    assert_near(1, few__exec_view(m.exec, 0)->pace, 0);
    few__exec_destroy(m.exec);
}

// A companion that was there for less than half of a run is not to blame.
static void test_a_short_companion_does_not_count(void **state)
{
    (void)state;
    struct machine m = {0};
    struct t_script script = {.n = 2, .models = {0, 1}};
    open_machine(&m, &script, true);
    m.world.truth[0].time_us = 4000;
    m.world.truth[1].time_us = 15000;
    m.now_us = few__sim_item(m.exec, m.n_items++, 0, FEW__NO_DEADLINE, m.world.truth);
    assert_near(1, slow_of_b_beside_a(&m, &script), 0);
    few__exec_destroy(m.exec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_means_of_ordered_pairs),
        cmocka_unit_test(test_many_models_share_one_factor),
        cmocka_unit_test(test_the_executor_learns_what_pairs_cost),
        cmocka_unit_test(test_a_slow_machine_is_no_pair),
        cmocka_unit_test(test_replays_learn_nothing),
        cmocka_unit_test(test_a_short_companion_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
