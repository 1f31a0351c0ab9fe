// SPDX-License-Identifier: Apache-2.0
// Agents that learn on the made-up world: a short training already beats random order, and is the same every time.
#include "support/support.h"

#include <string.h>

#include "paper/ams_agents.h"

enum { STEPS = 3000, N = 300, LAST = AMS_RECALLS - 1 };

static struct ams_world world;
static const struct ams_source corpus = {.name = "corpus", .corpus = true};

static int setup(void **state)
{
    (void)state;
    struct few_error err;
    assert_status(ams_world_init(&world, AMS_SEED, NULL, &err), FEW_OK, &err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ams_world_finish(&world);
    return 0;
}

static struct ams_agent train(enum few__dqn_kind kind, uint64_t seed)
{
    struct ams_agent agent;
    struct few_error err;
    const struct ams_agent_opts opts = {.kind = kind, .seed = seed, .steps = STEPS};
    assert_status(ams_agent_train(&world, &corpus, &opts, &agent, &err), FEW_OK, &err);
    return agent;
}

static void test_same_seed_same_agent(void **state)
{
    (void)state;
    struct ams_agent a = train(FEW__DUELING_DQN, 1), b = train(FEW__DUELING_DQN, 1),
                     c = train(FEW__DUELING_DQN, 2);
    size_t bytes = a.net->n_block * sizeof *a.net->params;
    assert_memory_equal(a.net->params, b.net->params, bytes);
    assert_true(memcmp(a.net->params, c.net->params, bytes) != 0);
    ams_agent_finish(&a);
    ams_agent_finish(&b);
    ams_agent_finish(&c);
}

static void measure(const struct ams_agent *agent, struct ams_subject *subjects)
{
    static struct ams_item item;
    static struct ams_sum sum;
    struct ams_context context = {.world = &world, .seed = 1, .learned = &agent->meaning};
    struct ams_walk walk = {.source = corpus, .n = N};
    uint64_t number, id;
    enum ams_dataset dataset;
    assert_int_equal(ams_subject_open(&subjects[0], &ams_baselines[0], &context, NULL), FEW_OK);
    assert_int_equal(ams_subject_open(&subjects[1], &ams_agent_methods[FEW__DQN], &context, NULL), FEW_OK);
    assert_int_equal(ams_subject_open(&subjects[2], &ams_agent_printed, &context, NULL), FEW_OK);
    while (ams_walk_next(&walk, &dataset, &number, &id)) {
        ams_world_item(&world, dataset, number, &item);
        const struct ams_facts facts = {.total = ams_value(&sum, &item)};
        for (size_t i = 0; i < 3; i++)
            ams_subject_measure(&subjects[i], id, &item, &facts, &sum, AMS_FREELY | AMS_BY_DEADLINE);
    }
    for (size_t i = 0; i < 3; i++) ams_subject_close(&subjects[i]);
}

static void test_it_learns(void **state)
{
    (void)state;
    static struct ams_subject s[3]; // random, the agent, the agent with the printed ratio
    struct ams_agent agent = train(FEW__DQN, 1);
    measure(&agent, s);
    assert_true(s[1].time_us[LAST] < 0.7 * s[0].time_us[LAST]);
    assert_true(s[1].deadline[0] > 2 * s[0].deadline[0]);
    // Divided by their time, useless models come first that take longest; until then nothing differs.
    assert_true(s[2].time_us[LAST] > 1.2 * s[1].time_us[LAST]);
    assert_near(s[2].time_us[0], s[1].time_us[0], 0.05 * s[1].time_us[0]);
    ams_agent_finish(&agent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_seed_same_agent),
                                       cmocka_unit_test(test_it_learns)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
