// SPDX-License-Identifier: Apache-2.0
// Steps by hand, a plain reference in doubles, and a net that learns.
#include "nn/optim.h"

#include <math.h>
#include <string.h>

#include "support/support.h"

// One weight and one bias: the gradient is what the test puts there.
struct world {
    struct few__net *net;
    struct few__work *work;
    struct few__optim *optim;
};

static struct world set_up(const struct few__optim_spec *spec)
{
    struct world w;
    struct few_error err;
    struct few__net_spec shape = {.n_in = 3, .n_layers = 1, .layers = {{5, FEW__LINEAR, 0}}};
    assert_int_equal(few__net_create(&shape, NULL, &w.net, NULL), FEW_OK);
    assert_int_equal(few__work_create(w.net, 1, NULL, &w.work, NULL), FEW_OK);
    assert_status(few__optim_create(w.net, spec, NULL, &w.optim, &err), FEW_OK, &err);
    return w;
}

static void tear_down(struct world *w)
{
    few__optim_destroy(w->optim);
    few__work_destroy(w->work);
    few__net_destroy(w->net);
}

static float step(struct world *w, float gradient)
{
    w->work->grad[0] = gradient;
    few__optim_step(w->optim, w->net, w->work);
    return w->net->params[0];
}

// From nothing, RMSprop goes rate / sqrt(0.1) = 3.162 rate in the gradient's direction, however large it is.
static void test_first_steps(void **state)
{
    (void)state;
    static const float gradients[] = {1, -1, 1e-2F, -300};
    for (size_t i = 0; i < 4; i++) {
        struct world w = set_up(&few__rmsprop);
        assert_near(step(&w, gradients[i]), gradients[i] > 0 ? -0.0316228 : 0.0316228, 2e-6);
        tear_down(&w);
        w = set_up(&few__adam);
        assert_near(step(&w, gradients[i]), gradients[i] > 0 ? -1e-3 : 1e-3, 1e-8);
        tear_down(&w);
    }
}

// Three steps of gradient 1, -2, 0.5, worked out beside.
static void test_by_hand(void **state)
{
    (void)state;
    struct world w = set_up(&few__adam);
    assert_near(step(&w, 1), -1e-3, 1e-8);
    // m = 0.09 - 0.2 = -0.11, over 0.19; v = 0.000999 + 0.004 = 0.004999, over 0.001999
    assert_near(step(&w, -2), -1e-3 + 1e-3 * (0.11 / 0.19) / sqrt(0.004999 / 0.001999), 1e-8);
    tear_down(&w);
    w = set_up(&few__rmsprop);
    assert_near(step(&w, 1), -0.01 / sqrt(0.1), 1e-7);
    assert_near(step(&w, -2), -0.01 / sqrt(0.1) + 0.02 / sqrt(0.09 + 0.4), 1e-7);
    few__optim_reset(w.optim);
    w.net->params[0] = 0;
    assert_near(step(&w, 1), -0.01 / sqrt(0.1), 1e-7);
    tear_down(&w);
}

// It shows only where gradients are tiny: g = 1e-6, v = 1e-13.
static void test_epsilon_place(void **state)
{
    (void)state;
    struct few__optim_spec spec = few__rmsprop;
    struct world w = set_up(&spec);
    assert_near(step(&w, 1e-6F), -0.01 * 1e-6 / (sqrt(1e-13) + 1e-7), 1e-6);
    tear_down(&w);
    spec.epsilon_place = FEW__EPSILON_INSIDE;
    w = set_up(&spec);
    assert_near(step(&w, 1e-6F), -0.01 * 1e-6 / sqrt(1e-13 + 1e-7), 1e-8);
    tear_down(&w);
}

static void test_decay(void **state)
{
    (void)state;
    struct few__optim_spec spec = few__adam;
    spec.decay = 0.1;
    struct world w = set_up(&spec);
    w.net->params[0] = 2;
    assert_near(step(&w, 0), 2 * (1 - 1e-4), 1e-7);
    assert_near(step(&w, 0), 2 * (1 - 1e-4) * (1 - 1e-4), 1e-7);
    tear_down(&w);
}

// What fades becomes 0 and not a number too small for a float's exponent, which is slow to compute with.
static void test_what_fades_is_nothing(void **state)
{
    (void)state;
    for (int lazy = 0; lazy < 2; lazy++) {
        struct few__optim_spec spec = few__adam;
        uint32_t first[2] = {0, 1}, index[1] = {0};
        const struct few__net_input input = {.n = 1, .first = first, .index = index};
        spec.lazy = lazy;
        spec.decay = 100;
        struct world w = set_up(&spec);
        w.work->n_rows = 1; // the first
        step(&w, 1);
        w.work->grad[0] = 0;
        w.work->n_rows = 0;
        for (int t = 0; t < 3000; t++) few__optim_step(w.optim, w.net, w.work);
        few__optim_ready(w.optim, w.net, &input);
        assert_true(w.net->params[0] == 0 && w.optim->m[0] == 0);
        assert_true(w.optim->v[0] > 1e-6F);
        tear_down(&w);
    }
}

static double reference(const struct few__optim_spec *s, double *p, double *m, double *v, double g, int t)
{
    bool inside = s->epsilon_place == FEW__EPSILON_INSIDE;
    *m = s->beta1 * *m + (1 - s->beta1) * g;
    *v = s->beta2 * *v + (1 - s->beta2) * g * g;
    double first = s->kind == FEW__ADAM ? *m / (1 - pow(s->beta1, t)) : g,
           second = s->kind == FEW__ADAM ? *v / (1 - pow(s->beta2, t)) : *v;
    *p = *p * (1 - s->rate * s->decay) -
         s->rate * first / (inside ? sqrt(second + s->epsilon) : sqrt(second) + s->epsilon);
    return *p;
}

static void test_against_reference(void **state)
{
    (void)state;
    struct few__optim_spec specs[] = {few__adam, few__rmsprop, few__adam, few__rmsprop};
    specs[2].epsilon_place = specs[3].epsilon_place = FEW__EPSILON_INSIDE;
    specs[2].decay = specs[3].decay = 0.01;
    for (size_t i = 0; i < 4; i++) {
        struct few__rng rng;
        struct world w = set_up(&specs[i]);
        double p = 0, m = 0, v = 0;
        few__rng_init(&rng, t_seed(), i);
        for (int t = 1; t <= 500; t++) {
            float g = t % 7 ? (float)(few__rng_normal(&rng) * (t > 300 ? 1e-4 : 1)) : 0;
            double expected = reference(&specs[i], &p, &m, &v, (double)g, t);
            assert_near(step(&w, g), expected, 5e-5 * fmax(2e-2, fabs(expected)));
        }
        for (size_t j = 1; j < w.net->n_block; j++) assert_true(w.net->params[j] == 0);
        tear_down(&w);
    }
}

/* A lazy optimiser beside one that is not, on the same batches of sparse inputs: some inputs in every batch, some rarely, some
 * after more steps than the table of sums remembers, some never; gradients that shrink towards epsilon. */
static void check_lazy(struct few__optim_spec spec, double gradient, bool dense)
{
    enum { IN = 40, OUT = 20, STEPS = 1500, N = 3 };
    struct few__net_spec shape = {
        .n_in = IN, .n_layers = 2, .layers = {{OUT, FEW__RELU, 0}, {2, FEW__LINEAR, 0}}};
    struct world w[2];
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3);
    for (int i = 0; i < 2; i++) {
        struct few__rng init;
        spec.lazy = i;
        few__rng_init(&init, 5, 0);
        assert_int_equal(few__net_create(&shape, NULL, &w[i].net, NULL), FEW_OK);
        assert_int_equal(few__work_create(w[i].net, N, NULL, &w[i].work, NULL), FEW_OK);
        assert_int_equal(few__optim_create(w[i].net, &spec, NULL, &w[i].optim, NULL), FEW_OK);
        few__net_init(w[i].net, FEW__GLOROT_UNIFORM, &init);
    }
    for (int t = 1; t <= STEPS; t++) {
        uint32_t first[N + 1] = {0}, index[N * 3], at = 0;
        float x[N * 2], targets[N * 2];
        for (uint32_t s = 0; s < N; s++) {
            index[at++] = (uint32_t)few__rng_below(&rng, 5);
            if (few__rng_below(&rng, 9) == 0) index[at++] = 5 + (uint32_t)few__rng_below(&rng, 10);
            if (t % 400 < 3) index[at++] = 20 + (uint32_t)few__rng_below(&rng, 10);
            first[s + 1] = at;
        }
        for (size_t i = 0; i < N * 2; i++) {
            x[i] = (float)few__rng_unit(&rng);
            targets[i] = (float)few__rng_normal(&rng);
        }
        struct few__net_input input = {
            .n = N, .first = first, .index = index, .dense = dense ? x : NULL, .n_dense = 2};
        struct few__loss loss = {.kind = FEW__SQUARED,
                                 .scale = (float)(t < 900 ? gradient : gradient * 1e-3)};
        for (int i = 0; i < 2; i++) {
            few__optim_ready(w[i].optim, w[i].net, &input);
            few__net_forward(w[i].net, w[i].work, &input, NULL);
            few__net_loss(w[i].net, w[i].work, &loss, &(struct few__targets){.t = targets}, NULL);
        }
        assert_near_all(w[1].work->out, w[0].work->out, 2, 2e-4);
        // Slopes of one for both, so that rounding does not grow.
        memcpy(w[1].work->slope, w[0].work->slope, N * 16 * sizeof(float));
        memcpy(w[1].work->y[0], w[0].work->y[0], N * w[0].net->layers[0].stride * sizeof(float));
        for (int i = 0; i < 2; i++) few__net_backward(w[i].net, w[i].work, &input);
        for (int i = 0; i < 2; i++) few__optim_step(w[i].optim, w[i].net, w[i].work);
        if (t == 700)
            for (int i = 0; i < 2; i++) few__optim_set_rate(w[i].optim, w[i].net, spec.rate / 2);
        if (t % 250 == 0) few__optim_settle(w[1].optim, w[1].net);
        if (t % 250 == 0) assert_near_all(w[1].net->params, w[0].net->params, w[0].net->n_block, 1e-4);
    }
    few__optim_settle(w[1].optim, w[1].net);
    assert_near_all(w[1].net->params, w[0].net->params, w[0].net->n_block, 1e-4);
    assert_near_all(w[1].optim->v, w[0].optim->v, w[0].net->n_block, 2e-5);
    tear_down(&w[0]);
    tear_down(&w[1]);
}

static void test_lazy_is_the_same(void **state)
{
    (void)state;
    struct few__optim_spec adam = few__adam, rmsprop = few__rmsprop, decays = few__adam, other = few__adam;
    decays.decay = 0.05;
    other.beta1 = 0.5, other.beta2 = 0.99;
    for (int dense = 0; dense < 2; dense++) {
        check_lazy(adam, 1, dense);
        check_lazy(adam, 1e-4, dense);
        check_lazy(adam, 1e-7, dense); // most elements one by one
        check_lazy(rmsprop, 1, dense);
        check_lazy(decays, 1e-2, dense);
        check_lazy(other, 1e-2, dense);
    }
    rmsprop.decay = 0.01;
    check_lazy(rmsprop, 1e-2, false);
}

// One element, one gradient, and then k steps without: against the reference.
static void test_lazy_by_reference(void **state)
{
    (void)state;
    static const int gaps[] = {1, 2, 7, 100, 255, 256, 257, 300, 2000};
    static const double gradients[] = {1, -1e-3, 1e-6, 1e-8, -1e-9};
    for (size_t a = 0; a < sizeof gaps / sizeof *gaps; a++)
        for (size_t b = 0; b < sizeof gradients / sizeof *gradients; b++)
            for (int before = 0; before < 3; before++) { // steps that the row has waited already
                struct few__optim_spec spec = few__adam;
                double p = 0, m = 0, v = 0;
                spec.lazy = true;
                struct world w = set_up(&spec);
                int t = 0, warm = before * 400;
                float one = 1;
                uint32_t first[2] = {0, 1}, index[1] = {1};
                struct few__net_input other = {.n = 1, .first = first, .index = index};
                for (int i = 0; i < warm + 1 + gaps[a]; i++) {
                    index[0] = i == warm ? 0 : 1;
                    few__optim_ready(w.optim, w.net, &other);
                    few__net_forward(w.net, w.work, &other, NULL);
                    few__net_loss(w.net, w.work, &(struct few__loss){.kind = FEW__SQUARED},
                                  &(struct few__targets){.t = &one, .weights = (float[5]){0}}, NULL);
                    few__net_backward(w.net, w.work, &other);
                    if (i == warm) w.work->grad[0] = (float)gradients[b];
                    few__optim_step(w.optim, w.net, w.work);
                    reference(&spec, &p, &m, &v, i == warm ? gradients[b] : 0, ++t);
                }
                few__optim_settle(w.optim, w.net);
                assert_near(w.net->params[0], p, 2e-6 * fabs(p));
                assert_true(fabs(p) > 0);
                tear_down(&w);
            }
}

// exclusive or of two bits, which no single layer can: both optimisers get there.
static void test_learns(void **state)
{
    (void)state;
    static const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, t[] = {0, 1, 1, 0};
    for (int kind = 0; kind < 2; kind++) {
        struct few__net_spec shape = {
            .n_in = 2, .n_layers = 2, .layers = {{16, FEW__TANH, 0}, {1, FEW__SIGMOID, 0}}};
        struct few__net_input input = {.n = 4, .dense = x, .n_dense = 2};
        struct few__optim_spec spec = kind ? few__adam : few__rmsprop;
        struct world w;
        struct few__rng rng;
        double value = 0;
        spec.rate = 0.01;
        few__rng_init(&rng, 1, 0);
        assert_int_equal(few__net_create(&shape, NULL, &w.net, NULL), FEW_OK);
        assert_int_equal(few__work_create(w.net, 4, NULL, &w.work, NULL), FEW_OK);
        assert_int_equal(few__optim_create(w.net, &spec, NULL, &w.optim, NULL), FEW_OK);
        few__net_init(w.net, FEW__GLOROT_UNIFORM, &rng);
        for (int i = 0; i < 1500; i++) {
            few__net_forward(w.net, w.work, &input, NULL);
            few__net_loss(w.net, w.work, &(struct few__loss){.kind = FEW__BINARY_CROSS_ENTROPY},
                          &(struct few__targets){.t = t}, &value);
            few__net_backward(w.net, w.work, &input);
            few__optim_step(w.optim, w.net, w.work);
        }
        assert_true(value < 0.05);
        tear_down(&w);
    }
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct world w = set_up(&few__adam);
    const struct few__optim_spec good = {.rate = 0.1, .beta1 = 0.9, .beta2 = 0.9, .epsilon = 1e-8};
    struct {
        struct few__optim_spec spec;
        const char *says;
    } bad[] = {{good, "rate"},    {good, "rate"},    {good, "betas"},  {good, "betas"},
               {good, "epsilon"}, {good, "epsilon"}, {good, "decay"},  {good, "decay"},
               {good, "beta1"},   {good, "beta2"},   {good, "outside"}};
    bad[0].spec.rate = 0;
    bad[1].spec.rate = NAN;
    bad[2].spec.beta1 = 1;
    bad[3].spec.beta2 = -0.1;
    bad[4].spec.epsilon = NAN;
    bad[5].spec.epsilon = 0;
    bad[6].spec.decay = 10;
    bad[7].spec.decay = -1;
    bad[8].spec.kind = FEW__ADAM;
    bad[9].spec.beta2 = 0;
    bad[10].spec.epsilon_place = FEW__EPSILON_INSIDE;
    for (size_t i = 8; i < 11; i++) bad[i].spec.lazy = true;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct few_error err;
        struct few__optim *optim = w.optim;
        assert_int_equal(few__optim_create(w.net, &bad[i].spec, NULL, &optim, &err), FEW_EINVAL);
        assert_null(optim);
        if (!strstr(err.message, bad[i].says)) fail_msg("%s: expected %s", err.message, bad[i].says);
    }
    tear_down(&w);
    few__optim_destroy(NULL);
}

static enum few_status make(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__optim *optim = NULL;
    struct few__optim_spec spec = few__adam;
    spec.lazy = true;
    enum few_status status = few__optim_create(ud, &spec, &env, &optim, NULL);
    few__optim_destroy(optim);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct world w = set_up(&few__adam);
    t_fail_each_allocation(make, w.net);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_steps),
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_epsilon_place),
        cmocka_unit_test(test_decay),
        cmocka_unit_test(test_what_fades_is_nothing),
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_lazy_is_the_same),
        cmocka_unit_test(test_lazy_by_reference),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
