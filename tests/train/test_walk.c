// SPDX-License-Identifier: Apache-2.0
// Rewards and states by hand: algorithms.md 1.3.
#include "train/walk.h"

#include <math.h>
#include <string.h>

#include "support/support.h"

enum { MODELS_MAX = 70, LABELS = 100 };

struct world {
    struct few__episode_model models[MODELS_MAX];
    struct few_valuable valuable[MODELS_MAX][LABELS];
    int needs[MODELS_MAX];
    struct few__episodes episodes;
    struct few__walk *walk;
};

static void set_up(struct world *w, size_t n_models)
{
    memset(w, 0, sizeof *w);
    for (size_t m = 0; m < n_models; m++) {
        w->needs[m] = -1;
        w->models[m] = (struct few__episode_model){.valuable = w->valuable[m], .found = true};
    }
    w->episodes =
        (struct few__episodes){.n_items = 1, .n_models = n_models, .n_labels = LABELS, .needs = w->needs};
}

static void says(struct world *w, size_t model, int32_t label, float confidence)
{
    w->valuable[model][w->models[model].n_valuable++] =
        (struct few_valuable){.label = label, .confidence = confidence};
}

static void begin(struct world *w, struct few__walk_rules rules)
{
    few__walk_destroy(w->walk);
    assert_int_equal(few__walk_create(&w->episodes, &rules, NULL, &w->walk, NULL), FEW_OK);
    few__walk_begin(w->walk, w->models);
}

static double step(struct world *w, size_t action, bool ends)
{
    bool ended;
    double reward = few__walk_step(w->walk, action, &ended);
    assert_int_equal(ended, ends);
    return reward;
}

static void assert_inputs(const struct world *w, size_t n, const uint32_t *inputs)
{
    assert_int_equal(w->walk->n_inputs, n);
    if (n > 0) assert_memory_equal(w->walk->inputs, inputs, n * sizeof *inputs);
}

static void test_reward_table(void **state)
{
    (void)state;
    assert_near(few__reward(FEW__REWARD_LOG, 1, 0.9 + 0.7), 0.9555, 5e-5);
    assert_near(few__reward(FEW__REWARD_LOG, 5, 0.9 + 0.7), 2.1972, 5e-5);
    assert_near(few__reward(FEW__REWARD_LOG, 10, 0.9 + 0.7), 2.8332, 5e-5);
    assert_near(few__reward(FEW__REWARD_LOG, 1, 0.5), 0.4055, 5e-5);
    assert_near(few__reward(FEW__REWARD_LOG, 1, 70 * 0.8), 4.0431, 5e-5); // the log makes 56 : 1
    assert_near(few__reward(FEW__REWARD_LOG, 1, 1), 0.6931, 5e-5);        // into 5.8 : 1
    assert_near(few__reward(FEW__REWARD_LOG, 3, 0), -1, 0);
    assert_near(few__reward(FEW__REWARD_SUM, 3, 1.5), 4.5, 0);
    assert_near(few__reward(FEW__REWARD_SUM, 3, 0), 0, 0);
}

static void test_only_new_labels_count(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, 3);
    says(&w, 0, 7, 0.9f), says(&w, 0, 3, 0.7f);
    says(&w, 1, 3, 1.0f), says(&w, 1, 9, 0.6f); // 3 is known by then, whatever its confidence
    says(&w, 2, 9, 0.8f);
    begin(&w, (struct few__walk_rules){0});
    assert_near(step(&w, 0, false), log(1 + 0.9 + 0.7), 1e-6);
    assert_inputs(&w, 2, (uint32_t[]){7, 3});
    assert_near(step(&w, 1, false), log(1.6), 1e-6);
    assert_near(step(&w, 2, true), -1, 0); // all ran: the episode ends
    assert_inputs(&w, 3, (uint32_t[]){7, 3, 9});
    few__walk_begin(w.walk, w.models);
    assert_inputs(&w, 0, NULL);
    assert_near(step(&w, 2, false), log(1.8), 1e-6);
    assert_near(step(&w, 3, true), 0, 0); // END
    few__walk_destroy(w.walk);
}

/* With the paper's state a model that found nothing leaves no trace, so without a mask a greedy agent would repeat it for ever.
 * Executed bits tell the states apart; without repeats the mask does. */
static void test_aliasing(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, 2);
    says(&w, 1, 5, 0.9f);
    begin(&w, (struct few__walk_rules){.repeats = true});
    for (int i = 0; i < 4; i++) {
        assert_near(step(&w, 0, false), -1, 0);
        assert_inputs(&w, 0, NULL);
        assert_true(few__is_open(w.walk->open, 0));
    }
    assert_near(step(&w, 1, true), log(1.9), 1e-6);
    begin(&w, (struct few__walk_rules){.repeats = true, .executed_bits = true});
    step(&w, 0, false);
    assert_inputs(&w, 1, (uint32_t[]){LABELS});
    step(&w, 0, false); // a repeat adds nothing, not even its bit
    assert_inputs(&w, 1, (uint32_t[]){LABELS});
    step(&w, 1, true);
    assert_inputs(&w, 3, (uint32_t[]){LABELS, 5, LABELS + 1});
    begin(&w, (struct few__walk_rules){0});
    step(&w, 0, false);
    assert_false(few__is_open(w.walk->open, 0));
    assert_true(few__is_open(w.walk->open, 1) && few__is_open(w.walk->open, 2)); // END always
    few__walk_destroy(w.walk);
}

/* m1 = {a}, m2 = {a, b}: the return depends on the order, the value of the set does not. */
static void test_return_depends_on_order(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, 2);
    says(&w, 0, 0, 1), says(&w, 1, 0, 1), says(&w, 1, 1, 1);
    begin(&w, (struct few__walk_rules){0});
    assert_near(step(&w, 0, false) + step(&w, 1, true), 1.386, 5e-4);
    few__walk_begin(w.walk, w.models);
    assert_near(step(&w, 1, false) + step(&w, 2, true), 1.099, 5e-4);
    few__walk_begin(w.walk, w.models);
    assert_near(step(&w, 1, false) + step(&w, 0, true), 0.099, 5e-4);
    few__walk_destroy(w.walk);
}

static void test_theta(void **state)
{
    (void)state;
    struct world w;
    static const double theta[] = {1, 5};
    set_up(&w, 2);
    for (size_t m = 0; m < 2; m++) says(&w, m, (int32_t)m, 0.9f), says(&w, m, (int32_t)m + 2, 0.7f);
    begin(&w, (struct few__walk_rules){.theta = theta});
    assert_near(step(&w, 0, false), 0.9555, 5e-5);
    assert_near(step(&w, 1, true), 2.1972, 5e-5);
    begin(&w, (struct few__walk_rules){.theta = theta, .reward = FEW__REWARD_SUM});
    assert_near(step(&w, 1, false), 8, 1e-5);
    few__walk_destroy(w.walk);
}

// 2 needs 1 needs 0; 3 needs 0; 4 needs nobody.
static void test_needs(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, 5);
    w.needs[1] = 0, w.needs[2] = 1, w.needs[3] = 0;
    for (size_t m = 0; m < 5; m++) says(&w, m, (int32_t)m, 0.6f);
    begin(&w, (struct few__walk_rules){.executed_bits = true});
    assert_near(step(&w, 2, false), log(1.6), 1e-6); // its own part alone; 0 and 1 came along
    assert_inputs(&w, 6, (uint32_t[]){0, LABELS, 1, LABELS + 1, 2, LABELS + 2});
    assert_int_equal(w.walk->n_open, 2);
    assert_near(step(&w, 3, false), log(1.6), 1e-6);
    assert_near(step(&w, 4, true), log(1.6), 1e-6);

    w.models[1].found = false; // so 2 is out of reach
    w.models[1].n_valuable = 0;
    few__walk_begin(w.walk, w.models);
    assert_near(step(&w, 2, false), 0, 0);
    assert_inputs(&w, 3, (uint32_t[]){0, LABELS, LABELS + 1});
    assert_false(few__is_open(w.walk->open, 2) || w.walk->ran[2]);
    assert_true(few__is_open(w.walk->open, 3));
    w.models[0].found = false; // and so is all that looks at what 0 finds
    few__walk_begin(w.walk, w.models);
    step(&w, 0, false);
    assert_int_equal(w.walk->n_open, 1);
    assert_near(step(&w, 4, true), log(1.6), 1e-6);
    begin(&w, (struct few__walk_rules){.repeats = true}); // what is out of reach cannot be repeated either
    step(&w, 0, false);
    assert_true(few__is_open(w.walk->open, 0) && !few__is_open(w.walk->open, 1));
    step(&w, 4, true);
    few__walk_destroy(w.walk);
}

static void test_chosen_labels(void **state)
{
    (void)state;
    struct world w;
    uint32_t label_of[LABELS];
    set_up(&w, 2);
    for (size_t l = 0; l < LABELS; l++) label_of[l] = UINT32_MAX;
    label_of[8] = 1, label_of[9] = 0;
    says(&w, 0, 8, 0.6f), says(&w, 0, 5, 0.8f), says(&w, 1, 5, 0.8f), says(&w, 1, 9, 0.7f);
    begin(&w, (struct few__walk_rules){.label_of = label_of, .n_labels = 2, .executed_bits = true});
    assert_near(step(&w, 0, false), log(2.4), 1e-6); // 5 counts, and is no input
    assert_inputs(&w, 2, (uint32_t[]){1, 2});
    assert_near(step(&w, 1, true), log(1.7), 1e-6); // and it is known
    assert_inputs(&w, 4, (uint32_t[]){1, 2, 0, 3});
    few__walk_destroy(w.walk);
}

static void test_many_models(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, MODELS_MAX);
    begin(&w, (struct few__walk_rules){0});
    assert_int_equal(w.walk->n_words, 2);
    for (size_t m = 0; m < MODELS_MAX; m++) {
        assert_true(few__is_open(w.walk->open, m) && few__is_open(w.walk->open, MODELS_MAX));
        step(&w, m, m == MODELS_MAX - 1);
        assert_false(few__is_open(w.walk->open, m));
    }
    few__walk_destroy(w.walk);
    struct few_error err;
    w.episodes.n_models = 0;
    assert_int_equal(few__walk_create(&w.episodes, &(struct few__walk_rules){0}, NULL, &w.walk, &err),
                     FEW_EINVAL);
    few__walk_destroy(NULL);
}

static enum few_status make(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__walk *walk = NULL;
    enum few_status status = few__walk_create(ud, &(struct few__walk_rules){0}, &env, &walk, NULL);
    few__walk_destroy(walk);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct world w;
    set_up(&w, 3);
    t_fail_each_allocation(make, &w.episodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reward_table),  cmocka_unit_test(test_only_new_labels_count),
        cmocka_unit_test(test_aliasing),      cmocka_unit_test(test_return_depends_on_order),
        cmocka_unit_test(test_theta),         cmocka_unit_test(test_needs),
        cmocka_unit_test(test_chosen_labels), cmocka_unit_test(test_many_models),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
