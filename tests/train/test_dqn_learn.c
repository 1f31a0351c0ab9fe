// SPDX-License-Identifier: Apache-2.0
// One-step targets by hand, choices, and that an update goes where it should: algorithms.md 1.4 (a), (b), (d), (e).
#include "train/dqn_learn.h"

#include <math.h>
#include <string.h>

#include "support/support.h"

enum { IN = 4, ACTIONS = 3 };

static struct few__dqn_learn_opts options(enum few__dqn_kind kind)
{
    return (struct few__dqn_learn_opts){
        .kind = kind, .hidden = 6, .batch = 4, .sync = 1000, .gamma = 0.5, .delta = 1, .optim = few__adam};
}

static struct few__dqn_learner *make(const struct few__dqn_learn_opts *opts)
{
    struct few__dqn_learner *learner;
    struct few__rng rng;
    struct few_error err;
    few__rng_init(&rng, t_seed(), 0);
    assert_status(few__dqn_learner_create(opts, IN, ACTIONS, &rng, NULL, &learner, &err), FEW_OK, &err);
    return learner;
}

// Q(s, a) becomes q[a] in every state: the weights are 0, the last biases are q. Dueling: A = q, V = mean(q).
static void set_q(struct few__net *net, const float q[ACTIONS])
{
    float *bias = net->params + net->layers[1].bias;
    memset(net->params, 0, net->n_block * sizeof *net->params);
    memcpy(bias, q, ACTIONS * sizeof *q);
    if (net->spec.dueling) bias[ACTIONS] = (q[0] + q[1] + q[2]) / 3;
}

static const uint32_t inputs[] = {1, 3, 0};
static const uint64_t all_open = 7, first_open = 1, last_two = 6, none_open = 0;

static void test_targets_by_hand(void **state)
{
    (void)state;
    static const float q[] = {1, 5, 2}, copy[] = {10, -20, 30}; // the net prefers 1, its copy 2
    static const struct few__transition batch[] = {
        {.inputs = inputs,
         .n_before = 1,
         .n_after = 2,
         .action = 0,
         .reward = 1,
         .open = &all_open,
         .next_action = 0},
        {.inputs = inputs,
         .n_before = 1,
         .n_after = 2,
         .action = 1,
         .reward = 2,
         .open = &first_open,
         .next_action = 0},
        {.inputs = inputs, .n_after = 3, .reward = -1, .ended = true, .open = &all_open, .next_action = 1},
        {.inputs = inputs, .n_after = 3, .reward = 0.5f, .open = &none_open, .next_action = UINT32_MAX},
    };
    static const struct {
        enum few__dqn_kind kind;
        bool dueling_double;
        float y[4];
    } cases[] = {
        {FEW__DQN, false, {1 + 15, 2 + 5, -1, 0.5f}},
        {FEW__DOUBLE_DQN, false, {1 - 10, 2 + 5, -1, 0.5f}}, // picks 1 as the net does, worth -20 to the copy
        {FEW__DUELING_DQN, false, {1 + 15, 2 + 5, -1, 0.5f}},
        {FEW__DUELING_DQN, true, {1 - 10, 2 + 5, -1, 0.5f}},
        {FEW__DEEP_SARSA, false, {1 + 5, 2 + 5, -1, 0.5f}}, // 0 was taken
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few__dqn_learn_opts opts = options(cases[i].kind);
        opts.dueling_double = cases[i].dueling_double;
        for (int discounted = 0; discounted < 2; discounted++) {
            opts.gamma = discounted ? 0.5 : 0;
            struct few__dqn_learner *learner = make(&opts);
            set_q(learner->net, q);
            set_q(learner->target, copy);
            assert_int_equal(few__dqn_targets(learner, batch, 4, NULL), FEW_OK);
            for (size_t s = 0; s < 4; s++)
                assert_near(learner->y[s], discounted ? cases[i].y[s] : batch[s].reward, 1e-5);
            few__dqn_learner_destroy(learner);
        }
    }
}

static void test_best(void **state)
{
    (void)state;
    static const float q[] = {1, 5, 5}, odd[] = {NAN, -3, NAN};
    assert_int_equal(few__dqn_best(q, &all_open, 3), 1); // ties to the lowest index
    assert_int_equal(few__dqn_best(q, &first_open, 3), 0);
    assert_int_equal(few__dqn_best(q, &last_two, 3), 1);
    assert_int_equal(few__dqn_best(q, &none_open, 3), SIZE_MAX);
    assert_int_equal(few__dqn_best(odd, &all_open, 3), 1);
    assert_int_equal(few__dqn_best(odd, &first_open, 3), SIZE_MAX);
}

// A constant on all advantages changes no Q, and the mean of Q is V.
static void test_dueling_invariance(void **state)
{
    (void)state;
    struct few__dqn_learn_opts opts = options(FEW__DUELING_DQN);
    struct few__dqn_learner *learner = make(&opts);
    float before[ACTIONS], *bias = learner->net->params + learner->net->layers[1].bias;
    memcpy(before, few__dqn_q(learner, inputs, 2), sizeof before);
    for (size_t a = 0; a < ACTIONS; a++) bias[a] += 4;
    assert_near_all(few__dqn_q(learner, inputs, 2), before, ACTIONS, 1e-5);
    bias[ACTIONS] += 2; // V
    for (size_t a = 0; a < ACTIONS; a++) before[a] += 2;
    assert_near_all(few__dqn_q(learner, inputs, 2), before, ACTIONS, 1e-5);
    few__dqn_learner_destroy(learner);
}

static double loss_of(struct few__dqn_learner *learner, const struct few__transition *batch, size_t n)
{
    double sum = 0;
    for (size_t s = 0; s < n; s++) {
        double e = fabs((double)few__dqn_q(learner, batch[s].inputs, batch[s].n_before)[batch[s].action] -
                        (double)learner->y[s]);
        sum += (e <= 1 ? e * e / 2 : e - 0.5) / (double)n;
    }
    return sum;
}

// The gradient of the loss, targets held fast, by finite differences.
static void test_gradient(void **state)
{
    (void)state;
    static const struct few__transition batch[] = {
        {.inputs = inputs,
         .n_before = 1,
         .n_after = 2,
         .action = 0,
         .reward = 0.3f,
         .open = &all_open,
         .next_action = 1},
        {.inputs = inputs,
         .n_before = 2,
         .n_after = 3,
         .action = 2,
         .reward = 3,
         .open = &last_two,
         .next_action = 1},
        {.inputs = inputs,
         .n_before = 3,
         .n_after = 3,
         .action = 1,
         .reward = -0.4f,
         .ended = true,
         .open = &all_open},
    };
    for (int kind = 0; kind < FEW__DQN_KIND_COUNT; kind++) {
        struct few__dqn_learn_opts opts = options((enum few__dqn_kind)kind);
        struct few__dqn_learner *learner = make(&opts);
        float *params = learner->net->params, *grad = learner->work->grad;
        float kept[512];
        double loss, h = 1e-3, largest = 0;
        size_t n = learner->net->n_block;
        assert_true(n <= 512);
        memcpy(kept, params, n * sizeof *params);
        assert_int_equal(few__dqn_learn(learner, batch, 3, &loss, NULL), FEW_OK);
        memcpy(params, kept, n * sizeof *params); // before the step
        assert_near(loss, loss_of(learner, batch, 3), 1e-5);
        for (size_t i = 0; i < n; i++) {
            params[i] = kept[i] + (float)h;
            double slope = loss_of(learner, batch, 3);
            params[i] = kept[i] - (float)h;
            slope = (slope - loss_of(learner, batch, 3)) / (2 * h);
            params[i] = kept[i];
            bool padding = kept[i] == 0 && grad[i] == 0;
            if (!padding) assert_near(grad[i], slope, 2e-3);
            largest = fmax(largest, fabs(slope));
        }
        assert_true(largest > 0.05);
        few__dqn_learner_destroy(learner);
    }
}

static void test_synchronisation(void **state)
{
    (void)state;
    static const struct few__transition one = {
        .inputs = inputs, .n_before = 1, .n_after = 2, .action = 0, .reward = 1, .open = &all_open};
    struct few__dqn_learn_opts opts = options(FEW__DQN);
    opts.sync = 3;
    opts.optim.lazy = true;
    struct few__dqn_learner *learner = make(&opts);
    size_t bytes = learner->net->n_block * sizeof(float);
    for (int i = 1; i <= 6; i++) {
        assert_int_equal(few__dqn_learn(learner, &one, 1, NULL, NULL), FEW_OK);
        few__dqn_settle(learner);
        assert_int_equal(memcmp(learner->net->params, learner->target->params, bytes) == 0, i % 3 == 0);
    }
    few__dqn_learner_destroy(learner);
}

static void refuse(struct few__dqn_learn_opts opts, const char *says)
{
    struct few__dqn_learner *learner;
    struct few__rng rng = {{1}};
    struct few_error err;
    assert_int_equal(few__dqn_learner_create(&opts, IN, ACTIONS, &rng, NULL, &learner, &err), FEW_EINVAL);
    assert_null(learner);
    if (!strstr(err.message, says)) fail_msg("%s: expected %s", err.message, says);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct few__dqn_learn_opts good = options(FEW__DQN), bad = good;
    bad.kind = FEW__DQN_KIND_COUNT;
    refuse(bad, "kind");
    bad = good, bad.hidden = 0;
    refuse(bad, "hidden");
    bad.hidden = FEW__DQN_HIDDEN_MAX + 1;
    refuse(bad, "hidden");
    bad = good, bad.batch = 0;
    refuse(bad, "batches");
    bad.batch = FEW__DQN_BATCH_MAX + 1;
    refuse(bad, "batches");
    bad = good, bad.sync = 0;
    refuse(bad, "synchronisations");
    bad = good, bad.gamma = 1.01;
    refuse(bad, "discount");
    bad.gamma = NAN;
    refuse(bad, "discount");
    bad = good, bad.delta = -1;
    refuse(bad, "delta");
    bad = good, bad.optim.rate = 0;
    refuse(bad, "rate");
    assert_string_equal(few__dqn_kind_name(FEW__DUELING_DQN), "dueling_dqn");
    assert_string_equal(few__dqn_kind_name(FEW__DQN_KIND_COUNT), "");
    few__dqn_learner_destroy(NULL);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    static const struct few__transition one = {
        .inputs = inputs, .n_before = 1, .n_after = 2, .action = 0, .reward = 1, .open = &all_open};
    struct few_env env = {.mem = mem};
    struct few__rng rng = {{1}};
    struct few__dqn_learner *learner = NULL;
    enum few_status status = few__dqn_learner_create(ud, IN, ACTIONS, &rng, &env, &learner, NULL);
    if (status == FEW_OK) status = few__dqn_learn(learner, &one, 1, NULL, NULL);
    few__dqn_learner_destroy(learner);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct few__dqn_learn_opts opts = options(FEW__DOUBLE_DQN);
    t_fail_each_allocation(create, &opts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets_by_hand),
        cmocka_unit_test(test_best),
        cmocka_unit_test(test_dueling_invariance),
        cmocka_unit_test(test_gradient),
        cmocka_unit_test(test_synchronisation),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
