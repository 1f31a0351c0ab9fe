// SPDX-License-Identifier: Apache-2.0
/* Agents against Q* of a small world, computed by walking through all its states; the discount; seeds, reports, early stopping.
 * algorithms.md 1.3, 1.4 (c). */
#include "train/dqn_train.h"

#include <math.h>
#include <string.h>

#include "item/trace_world.h"
#include "item/value_dqn.h"

enum { MODELS = 3, LABELS = 3 };

// a gives 0, b gives 0 and 1, c gives nothing; all certain.
struct world {
    struct few__episode_model models[MODELS];
    struct few_valuable valuable[MODELS][2];
    struct few__episodes episodes;
    size_t n_gets;
    enum few_status fails;
};

static enum few_status get(void *self, size_t i, const struct few__episode_model **models,
                           struct few_error *err)
{
    struct world *w = self;
    (void)i;
    w->n_gets++;
    *models = w->models;
    if (w->fails != FEW_OK && err) err->code = w->fails;
    return w->fails;
}

static enum few_status get_silent(void *self, size_t i, const struct few__episode_model **models,
                                  struct few_error *err)
{
    (void)i;
    (void)err;
    *models = self;
    return FEW_OK;
}

static void set_up(struct world *w)
{
    memset(w, 0, sizeof *w);
    for (size_t m = 0; m < MODELS; m++)
        w->models[m] = (struct few__episode_model){.valuable = w->valuable[m], .found = true};
    w->models[0].n_valuable = 1;
    w->models[1].n_valuable = 2;
    w->valuable[0][0] = w->valuable[1][0] = (struct few_valuable){0, 1};
    w->valuable[1][1] = (struct few_valuable){1, 1};
    w->episodes =
        (struct few__episodes){.self = w, .n_items = 1, .n_models = MODELS, .n_labels = LABELS, .get = get};
}

// Q*(s, m) where the set `ran` has run; END is worth 0.
static double q_star(unsigned ran, size_t m, double gamma)
{
    static const unsigned labels[] = {1, 3, 0};
    unsigned known = 0;
    for (size_t i = 0; i < MODELS; i++) known |= ran >> i & 1 ? labels[i] : 0;
    unsigned fresh = labels[m] & ~known;
    double best = 0, reward = fresh ? log(1 + (fresh & 1) + (fresh >> 1)) : -1;
    ran |= 1U << m;
    for (size_t i = 0; i < MODELS; i++)
        if (!(ran >> i & 1)) best = fmax(best, q_star(ran, i, gamma));
    return reward + gamma * best;
}

static struct few__dqn_opts options(enum few__dqn_kind kind)
{
    struct few__dqn_opts opts = few__dqn_defaults(kind);
    opts.rules.reward = FEW__REWARD_LOG;
    opts.learn.hidden = 24;
    opts.learn.gamma = 0.9;
    opts.learn.sync = 50;
    opts.learn.optim.rate = 5e-3;
    opts.learn.optim.decay = 0;
    opts.learn.delta = 1;
    opts.rate_last = 0.05;
    opts.steps = 4000;
    opts.memory = 500;
    opts.warm = 50;
    opts.epsilon_last = 1;
    opts.seed = 3;
    return opts;
}

static struct few__net *train(struct world *w, const struct few__dqn_opts *opts)
{
    struct few__net *net;
    struct few_error err;
    assert_status(few__dqn_train(&w->episodes, opts, NULL, &net, &err), FEW_OK, &err);
    return net;
}

// Q of the state in which these models have run.
static const float *q_of(struct few__single *single, unsigned ran)
{
    uint32_t inputs[LABELS + MODELS], n = 0;
    if (ran & 3) inputs[n++] = 0;
    if (ran & 2) inputs[n++] = 1;
    for (uint32_t m = 0; m < MODELS; m++)
        if (ran >> m & 1) inputs[n++] = LABELS + m;
    few__single_begin(single);
    few__single_add(single, inputs, NULL, n);
    return few__single_out(single);
}

static void assert_near_q_star(const struct few__net *net, unsigned ran, double gamma)
{
    struct few__single *single;
    assert_int_equal(few__single_create(net, NULL, &single, NULL), FEW_OK);
    const float *q = q_of(single, ran);
    for (size_t m = 0; m < MODELS; m++)
        if (!(ran >> m & 1)) assert_near(q[m], q_star(ran, m, gamma), 0.06);
    assert_near(q[MODELS], 0, 0.06);
    few__single_destroy(single);
}

static void test_off_policy_kinds_find_q_star(void **state)
{
    (void)state;
    assert_near(q_star(0, 0, 0.9), log(2) + 0.9 * log(2), 1e-9);
    assert_near(q_star(0, 2, 0), -1, 0);
    for (int kind = FEW__DQN; kind <= FEW__DUELING_DQN; kind++) {
        struct world w;
        struct few__dqn_opts opts = options((enum few__dqn_kind)kind);
        set_up(&w);
        struct few__net *net = train(&w, &opts);
        for (unsigned ran = 0; ran < 7; ran++) assert_near_q_star(net, ran, 0.9);
        few__net_destroy(net);
    }
}

/* Deep SARSA learns what its own policy is worth: with a random one less than Q*, and Q* along the greedy path when epsilon has
 * gone to 0 and what the random policy did is forgotten. */
static void test_sarsa_needs_epsilon_to_vanish(void **state)
{
    (void)state;
    struct world w;
    struct few__single *single;
    struct few__dqn_opts opts = options(FEW__DEEP_SARSA);
    set_up(&w);
    struct few__net *net = train(&w, &opts);
    assert_int_equal(few__single_create(net, NULL, &single, NULL), FEW_OK);
    assert_true((double)q_of(single, 0)[0] < q_star(0, 0, 0.9) - 0.2);
    few__single_destroy(single);
    few__net_destroy(net);

    opts.epsilon_last = 0;
    opts.epsilon_share = 0.5;
    opts.memory = 100;
    opts.steps = 6000;
    net = train(&w, &opts);
    assert_int_equal(few__single_create(net, NULL, &single, NULL), FEW_OK);
    assert_near(q_of(single, 0)[0], q_star(0, 0, 0.9), 0.06); // a, then b, then END
    assert_near(q_of(single, 1)[1], q_star(1, 1, 0.9), 0.06);
    assert_near(q_of(single, 3)[MODELS], 0, 0.06);
    few__single_destroy(single);
    few__net_destroy(net);
}

/* Two useful models of one second, a useless one of a tenth. With a discount of 1 the useless one is worth what comes after it,
 * and value over cost begins with it (3.86 > 1.386); with 0 it comes last. */
static size_t first_model(double gamma)
{
    struct t_trace t;
    struct few__trace_episodes *source;
    struct few__episodes episodes;
    struct few__net *net;
    struct few__value value;
    struct few_error err;
    static const size_t items[] = {0};
    size_t order[T_MODELS];
    struct few__dqn_opts opts = options(FEW__DQN);
    opts.learn.gamma = gamma;
    t_trace_init(&t, 3, 1);
    t_trace_says(&t, 0, 0, 0, 1), t_trace_says(&t, 0, 1, 1, 1);
    for (size_t m = 0; m < 3; m++) {
        t_world_time(&t.world, m, m < 2 ? 1000000 : 100000);
        t.trace.cells[m].time_us = (int32_t)t.world.costs[m].time_us;
    }
    assert_int_equal(few__trace_episodes_create(&t.trace, items, 1, NULL, &source, &episodes, NULL), FEW_OK);
    assert_status(few__dqn_train(&episodes, &opts, NULL, &net, &err), FEW_OK, &err);
    const struct few__dqn_net about = {
        .net = net, .n_labels = T_LABELS, .n_models = 3, .executed_bits = true};
    assert_status(few__value_dqn(&about, &t.world.catalog, "dqn", NULL, &value, &err), FEW_OK, &err);
    assert_int_equal(t_replay(&t, value, FEW__RANK_RATIO, 0, FEW__NO_DEADLINE, order), 3);
    value.destroy(value.self);
    few__net_destroy(net);
    few__trace_episodes_destroy(source);
    t_trace_finish(&t);
    return order[0];
}

static void test_discount_of_one_breaks_value_over_cost(void **state)
{
    (void)state;
    assert_int_equal(first_model(1), 2);
    assert_true(first_model(0) < 2);
    assert_true(few__dqn_defaults(FEW__DQN).learn.gamma <= 0.5);
}

static void test_theta_raises_q(void **state)
{
    (void)state;
    static const double theta[] = {1, 1, 1, 10, 1, 1};
    for (int kind = 0; kind < 2; kind++) { // of reward
        struct world w;
        double q[2];
        set_up(&w);
        for (size_t i = 0; i < 2; i++) {
            struct few__single *single;
            struct few__dqn_opts opts = options(FEW__DQN);
            opts.learn.gamma = 0;
            opts.learn.delta = 0;
            opts.rules.reward = kind ? FEW__REWARD_SUM : FEW__REWARD_LOG;
            opts.rules.theta = theta + 3 * i;
            struct few__net *net = train(&w, &opts);
            assert_int_equal(few__single_create(net, NULL, &single, NULL), FEW_OK);
            q[i] = (double)q_of(single, 0)[0];
            few__single_destroy(single);
            few__net_destroy(net);
        }
        assert_near(q[0], kind ? 1 : log(2), 0.1);
        assert_near(q[1], kind ? 10 : log(11), 0.4);
    }
}

/* algorithms.md 1.8: the higher a model's priority, the earlier it runs. Five models that mostly find something, and a sixth
 * that finds something on half of the items, with less confidence. */
static double mean_position(double theta)
{
    enum { N = 6, ITEMS = 60 };
    struct t_trace t;
    struct few__rng rng;
    struct few__trace_episodes *source;
    struct few__episodes episodes;
    struct few__net *net;
    struct few__value value;
    size_t items[ITEMS], order[T_MODELS];
    double thetas[N] = {1, 1, 1, 1, 1, theta}, position = 0;
    struct few__dqn_opts opts = options(FEW__DUELING_DQN);
    opts.learn.gamma = 0;
    opts.learn.delta = 0;
    opts.rules.theta = thetas;
    opts.steps = 3000;
    few__rng_init(&rng, 9, 0);
    t_trace_init(&t, N, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) {
        items[i] = i;
        for (size_t m = 0; m < N; m++)
            if (few__rng_unit(&rng) < (m < 5 ? 0.8 : 0.5))
                t_trace_says(&t, i, m, (int32_t)m, m < 5 ? 0.95f : 0.55f);
    }
    assert_int_equal(few__trace_episodes_create(&t.trace, items, ITEMS, NULL, &source, &episodes, NULL),
                     FEW_OK);
    assert_int_equal(few__dqn_train(&episodes, &opts, NULL, &net, NULL), FEW_OK);
    const struct few__dqn_net about = {
        .net = net, .n_labels = T_LABELS, .n_models = N, .executed_bits = true};
    assert_int_equal(few__value_dqn(&about, &t.world.catalog, "dqn", NULL, &value, NULL), FEW_OK);
    for (size_t i = 0; i < ITEMS; i++) {
        size_t at = 0;
        assert_int_equal(t_replay(&t, value, FEW__RANK_VALUE, i, FEW__NO_DEADLINE, order), N);
        while (order[at] != N - 1) at++;
        position += (double)(at + 1) / ITEMS;
    }
    value.destroy(value.self);
    few__net_destroy(net);
    few__trace_episodes_destroy(source);
    t_trace_finish(&t);
    return position;
}

static void test_theta_moves_a_model_forward(void **state)
{
    (void)state;
    static const double thetas[] = {1, 2, 5, 10};
    double first = mean_position(1), before = first;
    assert_true(first > 4);
    for (size_t i = 1; i < 4; i++) {
        double position = mean_position(thetas[i]);
        assert_true(position <= before + 0.2); // at the end noise decides
        before = position;
    }
    assert_true(before < 1.5);
}

// Nothing valuable anywhere, one model, a thousand of them: an agent all the same, whose values are those of nothing.
static void test_odd_worlds(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 2, 1000};
    static struct few__episode_model silent[1000];
    for (size_t i = 0; i < 3; i++) {
        struct world w;
        struct few__single *single;
        struct few__dqn_opts opts = options(FEW__DOUBLE_DQN);
        opts.steps = 1500;
        opts.learn.gamma = 0;
        set_up(&w);
        w.episodes.n_models = sizes[i];
        memcpy(silent, w.models, sizeof w.models);
        for (size_t m = 0; m < sizes[i]; m++) silent[m].n_valuable = 0;
        for (size_t m = 0; m < MODELS; m++) w.models[m].n_valuable = 0;
        w.episodes.self = silent;
        w.episodes.get = get_silent;
        struct few__net *net = train(&w, &opts);
        assert_int_equal(few__single_create(net, NULL, &single, NULL), FEW_OK);
        const float *q = few__single_out(single);
        for (size_t m = 0; m <= sizes[i]; m++) assert_true(isfinite(q[m]));
        if (sizes[i] < 3) assert_near(q[0], -1, 0.1);
        few__single_destroy(single);
        few__net_destroy(net);
    }
}

/* ---- how it is run ---- */

static void test_seeds(void **state)
{
    (void)state;
    for (int kind = 0; kind < FEW__DQN_KIND_COUNT; kind++) {
        struct world w;
        struct few__dqn_opts opts = options((enum few__dqn_kind)kind);
        opts.steps = 300;
        opts.epsilon_last = 0.1;
        set_up(&w);
        struct few__net *a = train(&w, &opts), *b = train(&w, &opts);
        opts.seed++;
        struct few__net *c = train(&w, &opts);
        assert_memory_equal(a->params, b->params, a->n_block * sizeof *a->params);
        assert_memory_not_equal(a->params, c->params, a->n_block * sizeof *a->params);
        few__net_destroy(a);
        few__net_destroy(b);
        few__net_destroy(c);
    }
}

// A measure that is best at its third call.
struct reports {
    size_t n_measured, n_reports, cancel_at;
    uint64_t steps[16];
    float params[16]; // one of them, when it was measured
    enum few_status fails;
};

static enum few_status measure(void *ud, const struct few__net *net, double *value, struct few_error *err)
{
    struct reports *r = ud;
    (void)err;
    r->params[r->n_measured] = net->params[net->layers[1].bias];
    *value = fabs((double)r->n_measured - 2);
    r->n_measured++;
    return r->fails;
}

static bool progress(void *ud, const struct few__dqn_progress *p)
{
    struct reports *r = ud;
    r->steps[r->n_reports++] = p->step;
    assert_true(p->steps == 1000 && p->epsilon >= 0 && p->episodes > 0 && p->loss >= 0);
    if (p->measured) assert_near(p->best, fmax(0, 2 - ((double)r->n_measured - 1)), 1e-9);
    return r->n_reports != r->cancel_at;
}

static void test_reports_and_early_stopping(void **state)
{
    (void)state;
    struct world w;
    struct reports r = {0};
    struct few_error err;
    struct few__net *net;
    struct few__dqn_opts opts = options(FEW__DQN);
    opts.steps = 1000;
    opts.every = 100;
    opts.progress = progress;
    opts.ud = &r;
    set_up(&w);
    few__net_destroy(train(&w, &opts));
    assert_int_equal(r.n_reports, 10);
    assert_int_equal(r.steps[9], 1000);

    opts.measure = measure;
    opts.patience = 3;
    r = (struct reports){0};
    net = train(&w, &opts);
    assert_int_equal(r.n_reports, 6); // three without a better one
    assert_true(net->params[net->layers[1].bias] == r.params[2]);
    few__net_destroy(net);

    opts.patience = 0;
    r = (struct reports){0};
    net = train(&w, &opts);
    assert_int_equal(r.n_reports, 10);
    assert_true(net->params[net->layers[1].bias] == r.params[2] && r.params[2] != r.params[9]);
    few__net_destroy(net);

    r = (struct reports){.cancel_at = 4};
    assert_int_equal(few__dqn_train(&w.episodes, &opts, NULL, &net, &err), FEW_ECANCELED);
    assert_string_equal(err.message, "training was cancelled after 400 steps");
    assert_null(net);
    r = (struct reports){.fails = FEW_EIO};
    assert_int_equal(few__dqn_train(&w.episodes, &opts, NULL, &net, &err), FEW_EIO);
    w.fails = FEW_ESTORE;
    assert_int_equal(few__dqn_train(&w.episodes, &opts, NULL, &net, &err), FEW_ESTORE);
    assert_null(net);
}

static void refuse(const struct few__episodes *episodes, struct few__dqn_opts opts, const char *says)
{
    struct few__net *net;
    struct few_error err;
    assert_int_equal(few__dqn_train(episodes, &opts, NULL, &net, &err), FEW_EINVAL);
    assert_null(net);
    if (!strstr(err.message, says)) fail_msg("%s: expected %s", err.message, says);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    static const double zero[] = {1, 0, 1};
    struct world w;
    struct few__dqn_opts good = options(FEW__DQN), bad = good;
    set_up(&w);
    struct few__episodes none = w.episodes;
    none.n_items = 0;
    refuse(&none, good, "items");
    none = w.episodes, none.n_models = 0;
    refuse(&none, good, "models");
    bad.steps = 0;
    refuse(&w.episodes, bad, "step");
    bad = good, bad.epsilon_last = 1.5;
    refuse(&w.episodes, bad, "epsilons");
    bad = good, bad.epsilon_share = NAN;
    refuse(&w.episodes, bad, "epsilons");
    bad = good, bad.rate_last = 0;
    refuse(&w.episodes, bad, "rate");
    bad = good, bad.rules.theta = zero;
    refuse(&w.episodes, bad, "model 1: expected a priority above 0, found 0");
    bad = good, bad.learn.gamma = 2;
    refuse(&w.episodes, bad, "discount");
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct world *w = ud;
    struct few_env env = {.mem = mem};
    struct few__net *net;
    struct reports r = {0};
    struct few__dqn_opts opts = options(FEW__DOUBLE_DQN);
    opts.steps = 100;
    opts.every = 50;
    opts.measure = measure;
    opts.ud = &r;
    enum few_status status = few__dqn_train(&w->episodes, &opts, &env, &net, NULL);
    few__net_destroy(net);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct world w;
    set_up(&w);
    t_fail_each_allocation(create, &w);
}

// The paper's state, repeats allowed, and few labels as inputs: whatever the rules, training ends.
static void test_rules(void **state)
{
    (void)state;
    static const uint32_t label_of[LABELS] = {UINT32_MAX, 0, UINT32_MAX};
    struct world w;
    struct few__dqn_opts opts = options(FEW__DUELING_DQN);
    opts.steps = 500;
    opts.rules = (struct few__walk_rules){.repeats = true};
    set_up(&w);
    struct few__net *net = train(&w, &opts);
    assert_int_equal(net->n_in, LABELS);
    few__net_destroy(net);
    opts.rules = (struct few__walk_rules){.executed_bits = true, .label_of = label_of, .n_labels = 1};
    net = train(&w, &opts);
    assert_int_equal(net->n_in, 1 + MODELS);
    assert_int_equal(net->n_out, MODELS + 1);
    few__net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_off_policy_kinds_find_q_star),
        cmocka_unit_test(test_sarsa_needs_epsilon_to_vanish),
        cmocka_unit_test(test_discount_of_one_breaks_value_over_cost),
        cmocka_unit_test(test_theta_raises_q),
        cmocka_unit_test(test_theta_moves_a_model_forward),
        cmocka_unit_test(test_odd_worlds),
        cmocka_unit_test(test_seeds),
        cmocka_unit_test(test_reports_and_early_stopping),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
