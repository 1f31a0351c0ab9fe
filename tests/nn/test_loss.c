// SPDX-License-Identifier: Apache-2.0
// Values and slopes by hand, on a net that hands its input on.
#include "nn/net.h"

#include <math.h>
#include <string.h>

#include "support/support.h"

struct world {
    struct few__net *net;
    struct few__work *work;
};

// n inputs, each an output through the activation alone.
static struct world set_up(size_t n, enum few__activation activation, bool dueling)
{
    struct world w;
    struct few__net_spec spec = {
        .n_in = n + dueling, .n_layers = 1, .layers = {{n, activation, 0}}, .dueling = dueling};
    assert_int_equal(few__net_create(&spec, NULL, &w.net, NULL), FEW_OK);
    assert_int_equal(few__work_create(w.net, 4, NULL, &w.work, NULL), FEW_OK);
    for (size_t i = 0; i < n + dueling; i++) w.net->params[i * w.net->layers[0].stride + i] = 1;
    return w;
}

static void tear_down(struct world *w)
{
    few__work_destroy(w->work);
    few__net_destroy(w->net);
}

static double loss_of(struct world *w, const float *x, size_t n, struct few__loss loss,
                      struct few__targets targets)
{
    double value;
    few__net_forward(w->net, w->work, &(struct few__net_input){.n = n, .dense = x, .n_dense = w->net->n_in},
                     NULL);
    few__net_loss(w->net, w->work, &loss, &targets, &value);
    return value;
}

static void test_regressions(void **state)
{
    (void)state;
    struct world w = set_up(2, FEW__LINEAR, false);
    const float x[] = {1, 2, 3, 0}, t[] = {0.5F, 4, 3, 0};
    const struct few__targets targets = {.t = t};
    assert_near(loss_of(&w, x, 2, (struct few__loss){.kind = FEW__SQUARED}, targets), (0.25 + 4) / 4, 1e-6);
    assert_near(w.work->slope[0], 2 * 0.5 / 4, 1e-6);
    assert_near(w.work->slope[1], 2 * -2.0 / 4, 1e-6);
    assert_near(w.work->slope[16], 0, 0);
    assert_near(loss_of(&w, x, 2, (struct few__loss){.kind = FEW__ABSOLUTE, .scale = 1}, targets), 2.5, 1e-6);
    assert_near(w.work->slope[0], 1, 0);
    assert_near(w.work->slope[1], -1, 0);
    assert_near(w.work->slope[16], 0, 0);
    assert_near(loss_of(&w, x, 2, (struct few__loss){.kind = FEW__HUBER, .delta = 1, .scale = 1}, targets),
                0.125 + 1.5, 1e-6);
    assert_near(w.work->slope[0], 0.5, 1e-6);
    assert_near(w.work->slope[1], -1, 1e-6);
    tear_down(&w);
}

static void test_entropies(void **state)
{
    (void)state;
    const float x[] = {0, logf(3)}, soft[] = {0.25F, 0.75F}, hard[] = {1, 0};
    struct world w = set_up(2, FEW__SOFTMAX, false);
    struct few__loss loss = {.kind = FEW__CROSS_ENTROPY};
    assert_near(loss_of(&w, x, 1, loss, (struct few__targets){.t = soft}),
                -0.25 * log(0.25) - 0.75 * log(0.75), 1e-6);
    assert_near(w.work->slope[0], 0, 1e-6); // a soft target is met by itself
    assert_near(loss_of(&w, x, 1, loss, (struct few__targets){.t = hard}), -log(0.25), 1e-6);
    assert_near(w.work->slope[0], -0.75, 1e-6);
    assert_near(w.work->slope[1], 0.75, 1e-6);
    tear_down(&w);
    w = set_up(2, FEW__SIGMOID, false);
    loss.kind = FEW__BINARY_CROSS_ENTROPY;
    assert_near(loss_of(&w, x, 1, loss, (struct few__targets){.t = hard}), (log(2) - log(0.25)) / 2, 1e-6);
    assert_near(w.work->slope[0], -0.25, 1e-6);
    assert_near(w.work->slope[1], 0.375, 1e-6);
    tear_down(&w);
}

// Far outside the value stops at the clip of 1e-7, as Keras' does; slopes go on.
static void test_clip(void **state)
{
    (void)state;
    const float x[] = {60, -60}, t[] = {0, 1};
    struct world w = set_up(2, FEW__SIGMOID, false);
    assert_near(loss_of(&w, x, 1, (struct few__loss){.kind = FEW__BINARY_CROSS_ENTROPY, .scale = 1},
                        (struct few__targets){.t = t}),
                -2 * log(1e-7), 1e-4);
    assert_near(w.work->slope[0], 1, 1e-6);
    assert_near(w.work->slope[1], -1, 1e-6);
    tear_down(&w);
    w = set_up(2, FEW__SOFTMAX, false);
    assert_near(
        loss_of(&w, x, 1, (struct few__loss){.kind = FEW__CROSS_ENTROPY}, (struct few__targets){.t = t}),
        -log(1e-7), 1e-4);
    assert_near(w.work->slope[1], -1, 1e-6);
    tear_down(&w);
}

static void test_weights(void **state)
{
    (void)state;
    struct world w = set_up(2, FEW__LINEAR, false);
    const float x[] = {1, 2, 3, 4}, t[] = {NAN, 0, NAN, NAN}, mask[] = {0, 1, 1, 1}, sample[] = {2, 0},
                column[] = {0, 3};
    struct few__loss loss = {.kind = FEW__SQUARED, .scale = 1};
    assert_near(
        loss_of(&w, x, 2, loss,
                (struct few__targets){.t = t, .weights = mask, .weight_stride = 2, .sample_weights = sample}),
        8, 1e-6);
    assert_near(w.work->slope[0], 0, 0);
    assert_near(w.work->slope[1], 8, 1e-6);
    assert_near(w.work->slope[16], 0, 0);
    assert_near(loss_of(&w, x, 1, loss, (struct few__targets){.t = t, .weights = column}), 12,
                1e-6); // one row for all
    tear_down(&w);
}

static void test_picked(void **state)
{
    (void)state;
    for (int dueling = 0; dueling < 2; dueling++) {
        struct world w = set_up(3, FEW__LINEAR, dueling);
        const float x[] = {1, 2, 3, 5, 0, -1, 1, 2}, t[] = {1, 4}, sample[] = {1, 2};
        const uint32_t output[] = {2, 1};
        float dense[6], mask[6] = {0, 0, 1, 0, 1, 0};
        for (size_t i = 0; i < 6; i++) dense[i] = mask[i] > 0 ? t[i / 3] : NAN;
        struct few__loss loss = {.kind = FEW__HUBER, .delta = 1.5F};
        double whole =
                   loss_of(&w, x, 2, loss,
                           (struct few__targets){
                               .t = dense, .weights = mask, .weight_stride = 3, .sample_weights = sample}),
               picked;
        float slopes[2 * 16];
        memcpy(slopes, w.work->slope, sizeof slopes);
        few__net_loss_picked(w.net, w.work, &loss, output, t, sample, &picked);
        assert_near(picked, whole, 1e-7);
        assert_near_all(w.work->slope, slopes, 32, 1e-7);
        assert_true(whole > 0 && slopes[2] > 0);
        tear_down(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_regressions), cmocka_unit_test(test_entropies), cmocka_unit_test(test_clip),
        cmocka_unit_test(test_weights),     cmocka_unit_test(test_picked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
