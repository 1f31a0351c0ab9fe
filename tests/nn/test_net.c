// SPDX-License-Identifier: Apache-2.0
/* Forward against a reference in doubles, gradients against finite differences of that reference (so that rounding of
 * floats does not hide an error), sparse against dense, limits, memory. */
#include "nn/net.h"

#include <math.h>
#include <string.h>

#include "nn/net_parts.h"
#include "support/support.h"

enum { SAMPLES = 5, IN = 7, UNITS_MAX = 80 };

struct world {
    struct few__net *net;
    struct few__work *work;
    struct few__rng rng;
    double *params; // of the reference
    float dense[SAMPLES * IN], targets[SAMPLES * UNITS_MAX], weights[SAMPLES * UNITS_MAX],
        sample_weights[SAMPLES];
    struct few__net_input input;
    struct few__loss loss;
    struct few__targets what;
};

static void set_up(struct world *w, const struct few__net_spec *spec, struct few__loss loss)
{
    struct few_error err;
    memset(w, 0, sizeof *w);
    few__rng_init(&w->rng, t_seed(), spec->n_layers);
    assert_status(few__net_create(spec, NULL, &w->net, &err), FEW_OK, &err);
    assert_status(few__work_create(w->net, SAMPLES, NULL, &w->work, &err), FEW_OK, &err);
    few__net_init(w->net, FEW__GLOROT_UNIFORM, &w->rng);
    for (size_t l = 0; l < w->net->n_layers; l++) // biases that do something
        for (size_t j = 0; j < w->net->layers[l].n_out; j++)
            w->net->params[w->net->layers[l].bias + j] = (float)(few__rng_unit(&w->rng) - 0.5);
    w->params = FEW__NEW_N(NULL, double, w->net->n_block);
    assert_non_null(w->params);
    for (size_t i = 0; i < w->net->n_block; i++) w->params[i] = (double)w->net->params[i];
    for (size_t i = 0; i < SAMPLES * IN; i++) w->dense[i] = (float)(2 * few__rng_unit(&w->rng) - 1);
    for (size_t i = 0; i < SAMPLES * w->net->n_out; i++) {
        w->targets[i] = (float)few__rng_unit(&w->rng);
        w->weights[i] = few__rng_below(&w->rng, 3) ? (float)few__rng_unit(&w->rng) : 0;
    }
    for (size_t s = 0; s < SAMPLES; s++) w->sample_weights[s] = (float)(0.5 + few__rng_unit(&w->rng));
    w->input = (struct few__net_input){.n = SAMPLES, .dense = w->dense, .n_dense = IN};
    w->loss = loss;
    w->what = (struct few__targets){.t = w->targets,
                                    .weights = w->weights,
                                    .weight_stride = w->net->n_out,
                                    .sample_weights = w->sample_weights};
}

static void tear_down(struct world *w)
{
    few__free(NULL, w->params);
    few__work_destroy(w->work);
    few__net_destroy(w->net);
}

static void reference_activate(enum few__activation activation, double *y, size_t n)
{
    double most = y[0], sum = 0;
    for (size_t j = 0; j < n; j++) most = fmax(most, y[j]);
    for (size_t j = 0; j < n; j++) sum += exp(y[j] - most);
    for (size_t j = 0; j < n; j++) {
        if (activation == FEW__RELU) y[j] = fmax(y[j], 0);
        if (activation == FEW__SIGMOID) y[j] = 1 / (1 + exp(-y[j]));
        if (activation == FEW__TANH) y[j] = tanh(y[j]);
        if (activation == FEW__SOFTMAX) y[j] = exp(y[j] - most) / sum;
    }
}

// Outputs of one sample; masks of dropout as the net drew them.
static void reference_forward(const struct world *w, size_t s, double *y)
{
    double x[UNITS_MAX];
    for (size_t i = 0; i < w->net->n_in; i++) x[i] = i < IN ? (double)w->dense[s * IN + i] : 0;
    for (size_t l = 0; l < w->net->n_layers; l++) {
        const struct few__layer *layer = &w->net->layers[l];
        for (size_t j = 0; j < layer->n_out; j++) {
            y[j] = w->params[layer->bias + j];
            for (size_t i = 0; i < layer->n_in; i++)
                y[j] += x[i] * w->params[layer->weights + i * layer->stride + j];
        }
        reference_activate(layer->activation, y, layer->n_out);
        for (size_t j = 0; w->work->mask[l] && w->work->dropped && j < layer->n_out; j++)
            y[j] *= (double)w->work->mask[l][s * layer->stride + j];
        memcpy(x, y, layer->n_out * sizeof *x);
    }
    if (!w->net->spec.dueling) return;
    double mean = 0;
    for (size_t j = 0; j < w->net->n_out; j++) mean += y[j] / (double)w->net->n_out;
    for (size_t j = 0; j < w->net->n_out; j++) y[j] += x[w->net->n_out] - mean;
}

static double reference_term(const struct few__loss *loss, double y, double t)
{
    double e = fabs(y - t), delta = (double)loss->delta;
    switch (loss->kind) {
    case FEW__CROSS_ENTROPY: return -t * log(y);
    case FEW__BINARY_CROSS_ENTROPY: return -t * log(y) - (1 - t) * log(1 - y);
    case FEW__SQUARED: return e * e;
    case FEW__ABSOLUTE: return e;
    case FEW__HUBER: return e < delta ? e * e / 2 : delta * e - delta * delta / 2;
    }
    return NAN;
}

static double reference_loss(const struct world *w)
{
    double sum = 0, y[UNITS_MAX], n_out = (double)w->net->n_out;
    for (size_t s = 0; s < SAMPLES; s++) {
        reference_forward(w, s, y);
        for (size_t j = 0; j < w->net->n_out; j++) {
            size_t at = s * w->net->n_out + j;
            sum += reference_term(&w->loss, y[j], (double)w->targets[at]) * (double)w->weights[at] *
                   (double)w->sample_weights[s];
        }
    }
    double scale = w->loss.scale != 0 ? (double)w->loss.scale
                                      : 1 / (SAMPLES * (w->loss.kind == FEW__CROSS_ENTROPY ? 1 : n_out));
    return sum * scale;
}

static void check_gradient(struct world *w)
{
    const double h = 1e-5;
    double value, largest = 0;
    few__net_loss(w->net, w->work, &w->loss, &w->what, &value);
    assert_near(value, reference_loss(w), 1e-5 * fmax(1, fabs(value)));
    few__net_backward(w->net, w->work, &w->input);
    for (size_t i = 0; i < w->net->n_block; i++) largest = fmax(largest, fabs((double)w->work->grad[i]));
    assert_true(largest > 1e-4);
    size_t checked = 0;
    for (size_t l = 0; l < w->net->n_layers; l++) {
        const struct few__layer *layer = &w->net->layers[l];
        for (size_t i = 0; i <= layer->n_in; i++) // the last row is the biases
            for (size_t j = 0; j < layer->stride; j++) {
                size_t at = layer->weights + i * layer->stride + j;
                double before = w->params[at], slope = 0;
                if (j < layer->n_out) {
                    w->params[at] = before + h;
                    slope = reference_loss(w);
                    w->params[at] = before - h;
                    slope = (slope - reference_loss(w)) / (2 * h);
                    w->params[at] = before;
                    checked++;
                } else {
                    assert_true(w->work->grad[at] == 0);
                }
                assert_near(w->work->grad[at], slope, 2e-6 + 1e-4 * largest);
            }
    }
    assert_int_equal(checked, w->net->n_params);
}

static void check_forward(struct world *w, struct few__rng *rng)
{
    double y[UNITS_MAX];
    const float *out = few__net_forward(w->net, w->work, &w->input, rng);
    for (size_t s = 0; s < SAMPLES; s++) {
        reference_forward(w, s, y);
        for (size_t j = 0; j < w->net->n_out; j++) assert_near(out[s * w->work->out_stride + j], y[j], 2e-6);
    }
}

static void check_net(const struct few__net_spec *spec, struct few__loss loss)
{
    struct world w;
    set_up(&w, spec, loss);
    check_forward(&w, NULL);
    check_gradient(&w);
    check_forward(&w, &w.rng);
    check_gradient(&w);
    w.loss.scale = 0.37F;
    few__net_forward(w.net, w.work, &w.input, NULL);
    check_gradient(&w);
    tear_down(&w);
}

static void test_every_activation_and_loss(void **state)
{
    (void)state;
    static const struct few__loss losses[] = {
        {.kind = FEW__SQUARED}, {.kind = FEW__ABSOLUTE}, {.kind = FEW__HUBER, .delta = 0.2F}};
    for (int hidden = FEW__LINEAR; hidden < FEW__ACTIVATION_COUNT; hidden++)
        for (int end = FEW__LINEAR; end < FEW__ACTIVATION_COUNT; end++) {
            struct few__net_spec spec = {.n_in = IN,
                                         .n_layers = 3,
                                         .layers = {{11, (enum few__activation)hidden, hidden % 2 ? 0 : 0.4F},
                                                    {18, FEW__TANH, hidden % 2 ? 0.25F : 0},
                                                    {17, (enum few__activation)end, 0}}};
            check_net(&spec, losses[(hidden + end) % 3]);
            if (end == FEW__SOFTMAX) check_net(&spec, (struct few__loss){.kind = FEW__CROSS_ENTROPY});
            if (end == FEW__SIGMOID) check_net(&spec, (struct few__loss){.kind = FEW__BINARY_CROSS_ENTROPY});
        }
}

static void test_odd_sizes(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {2, 16}, {15, 3}, {16, 31}, {17, 32}, {64, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct few__net_spec spec = {
            .n_in = IN,
            .n_layers = 2,
            .layers = {{sizes[i][0], FEW__SIGMOID, 0}, {sizes[i][1], FEW__LINEAR, 0}}};
        check_net(&spec, (struct few__loss){.kind = FEW__SQUARED});
        spec.dueling = true;
        check_net(&spec, (struct few__loss){.kind = FEW__HUBER, .delta = 0.3F});
        spec = (struct few__net_spec){.n_in = IN, .n_layers = 1, .layers = {{sizes[i][1], FEW__SOFTMAX, 0}}};
        if (sizes[i][1] > 1) check_net(&spec, (struct few__loss){.kind = FEW__CROSS_ENTROPY});
    }
}

/* algorithms of Wang et al. 2016: a constant on all advantages changes nothing, and the mean of the outputs is V. */
static void test_dueling(void **state)
{
    (void)state;
    struct world w;
    struct few__net_spec spec = {
        .n_in = IN, .n_layers = 2, .layers = {{16, FEW__RELU, 0}, {5, FEW__LINEAR, 0}}, .dueling = true};
    set_up(&w, &spec, (struct few__loss){.kind = FEW__SQUARED});
    const struct few__layer *last = &w.net->layers[1];
    float before[5], mean = 0;
    assert_int_equal(last->n_out, 6);
    memcpy(before, few__net_forward(w.net, w.work, &w.input, NULL), sizeof before);
    for (size_t j = 0; j < 5; j++) mean += before[j] / 5;
    assert_near(mean, w.work->y[1][5], 1e-6);
    for (size_t j = 0; j < 5; j++) w.net->params[last->bias + j] += 3;
    assert_near_all(few__net_forward(w.net, w.work, &w.input, NULL), before, 5, 2e-6);
    tear_down(&w);
}

// Inputs as they come from labels: sparse with ones, with values, twice the same, none, and beside dense ones.
static void test_sparse_is_dense(void **state)
{
    (void)state;
    static const uint32_t first[SAMPLES + 1] = {0, 3, 3, 5, 6, 9}, index[] = {6, 0, 3, 2, 2, 5, 1, 0, 4};
    static const float value[] = {1, 0.5F, -2, 3, 0.25F, 1, -1, 2, 4};
    struct few__net_spec spec = {
        .n_in = IN, .n_layers = 2, .layers = {{21, FEW__RELU, 0}, {3, FEW__LINEAR, 0}}};
    for (int variant = 0; variant < 4; variant++) {
        struct world w;
        set_up(&w, &spec, (struct few__loss){.kind = FEW__SQUARED});
        bool valued = variant % 2, beside = variant / 2;
        size_t n_dense = beside ? 4 : 0;
        float some[SAMPLES * 5];
        for (size_t s = 0; s < SAMPLES; s++)
            for (size_t i = 0; i < IN; i++) {
                if (i < 4) some[s * 5 + i] = w.dense[s * IN + i];
                if (i >= n_dense) w.dense[s * IN + i] = 0;
                for (uint32_t k = first[s]; k < first[s + 1]; k++)
                    if (index[k] == i) w.dense[s * IN + i] += valued ? value[k] : 1;
            }
        w.input = (struct few__net_input){.n = SAMPLES,
                                          .dense = beside ? some : NULL,
                                          .n_dense = n_dense,
                                          .dense_stride = 5,
                                          .first = first,
                                          .index = index,
                                          .value = valued ? value : NULL};
        for (int twice = 0; twice < 2; twice++) {
            check_forward(&w, NULL);
            check_gradient(&w);
        }
        tear_down(&w);
    }
}

// The gradient of one batch has nothing of the one before, whatever forms the two inputs had.
static void test_gradients_do_not_mix(void **state)
{
    (void)state;
    static const uint32_t first[] = {0, 2, 3}, index[] = {5, 1, 6};
    struct few__net_spec spec = {.n_in = IN, .n_layers = 1, .layers = {{3, FEW__LINEAR, 0}}};
    struct world w;
    set_up(&w, &spec, (struct few__loss){.kind = FEW__SQUARED});
    const struct few__net_input inputs[] = {w.input,
                                            {.n = 2, .first = first, .index = index},
                                            {.n = 2, .dense = w.dense, .n_dense = 2},
                                            {.n = 1, .first = first, .index = index}};
    float expected[4][(IN + 1) * 16];
    for (size_t i = 0; i < 4; i++) {
        struct few__work *fresh;
        assert_int_equal(few__work_create(w.net, SAMPLES, NULL, &fresh, NULL), FEW_OK);
        few__net_forward(w.net, fresh, &inputs[i], NULL);
        few__net_loss(w.net, fresh, &w.loss, &w.what, NULL);
        few__net_backward(w.net, fresh, &inputs[i]);
        memcpy(expected[i], fresh->grad, sizeof expected[i]);
        few__work_destroy(fresh);
    }
    for (size_t k = 0; k < 16; k++) {
        size_t i = (k * 7 + k / 4) % 4;
        few__net_forward(w.net, w.work, &inputs[i], NULL);
        few__net_loss(w.net, w.work, &w.loss, &w.what, NULL);
        few__net_backward(w.net, w.work, &inputs[i]);
        assert_memory_equal(w.work->grad, expected[i], sizeof expected[i]);
    }
    tear_down(&w);
}

static void test_dropout(void **state)
{
    (void)state;
    struct world w;
    struct few__net_spec spec = {
        .n_in = IN, .n_layers = 2, .layers = {{64, FEW__SIGMOID, 0.25F}, {2, FEW__LINEAR, 0}}};
    set_up(&w, &spec, (struct few__loss){.kind = FEW__SQUARED});
    size_t dropped = 0, n = 0;
    for (int round = 0; round < 200; round++) {
        few__net_forward(w.net, w.work, &w.input, &w.rng);
        for (size_t i = 0; i < SAMPLES * 64; i++, n++) {
            float mask = w.work->mask[0][i];
            assert_true(mask == 0 || mask == 1 / 0.75F);
            dropped += mask == 0;
        }
    }
    assert_near((double)dropped / (double)n, 0.25, 4 * sqrt(0.25 * 0.75 / (double)n));
    tear_down(&w);
}

static void test_initialisers(void **state)
{
    (void)state;
    struct few__net *net;
    struct few__rng rng;
    struct few__net_spec spec = {.n_in = 300, .n_layers = 1, .layers = {{200, FEW__RELU, 0}}};
    double n = 300 * 200, limit = sqrt(6.0 / 500), square = 0, most = 0;
    few__rng_init(&rng, t_seed(), 9);
    assert_int_equal(few__net_create(&spec, NULL, &net, NULL), FEW_OK);
    assert_int_equal(net->n_params, 300 * 200 + 200);
    few__net_init(net, FEW__GLOROT_UNIFORM, &rng);
    for (size_t i = 0; i < net->n_block; i++) {
        square += (double)net->params[i] * (double)net->params[i];
        most = fmax(most, fabs((double)net->params[i]));
    }
    assert_true(most <= limit * (1 + 1e-6) && most > 0.999 * limit);
    assert_near(square / n, limit * limit / 3, 0.01 * limit * limit);
    few__net_init(net, FEW__HE_NORMAL, &rng);
    square = 0;
    for (size_t i = 0; i < net->n_block; i++) square += (double)net->params[i] * (double)net->params[i];
    assert_near(square / n, 2.0 / 300, 0.02 * 2.0 / 300);
    for (size_t j = 0; j < net->layers[0].stride; j++) assert_true(net->params[net->layers[0].bias + j] == 0);
    for (size_t i = 0; i < 300; i++)
        for (size_t j = 200; j < 208; j++) assert_true(net->params[i * 208 + j] == 0);
    few__net_destroy(net);
}

// The two nets of AMS: 1104 -> 256 -> 31 has 290,847 parameters, and 291,104 with a dueling head.
static void test_counts(void **state)
{
    (void)state;
    struct few__net *net;
    struct few__net_spec spec = {
        .n_in = 1104, .n_layers = 2, .layers = {{256, FEW__RELU, 0}, {31, FEW__LINEAR, 0}}};
    assert_int_equal(few__net_create(&spec, NULL, &net, NULL), FEW_OK);
    assert_int_equal(net->n_params, 290847);
    few__net_destroy(net);
    spec.dueling = true;
    assert_int_equal(few__net_create(&spec, NULL, &net, NULL), FEW_OK);
    assert_int_equal(net->n_params, 291104);
    assert_int_equal(net->n_out, 31);
    few__net_destroy(net);
}

static void refuse(struct few__net_spec spec, enum few_status status, const char *says)
{
    struct few_error err;
    struct few__net *net = (struct few__net *)&err;
    assert_int_equal(few__net_create(&spec, NULL, &net, &err), status);
    assert_null(net);
    if (!strstr(err.message, says)) fail_msg("%s: expected %s", err.message, says);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    const struct few__net_spec good = {
        .n_in = 3, .n_layers = 2, .layers = {{4, FEW__RELU, 0}, {2, FEW__LINEAR, 0}}};
    struct few__net_spec spec = good;
    spec.n_layers = 0;
    refuse(spec, FEW_ELIMIT, "1 to 8 layers");
    spec.n_layers = FEW__NET_LAYERS_MAX + 1;
    refuse(spec, FEW_ELIMIT, "found 9");
    spec = good;
    spec.n_in = 0;
    refuse(spec, FEW_ELIMIT, "inputs");
    spec.n_in = FEW__NET_IN_MAX + 1;
    refuse(spec, FEW_ELIMIT, "inputs");
    spec = good;
    spec.layers[0].n_out = 0;
    refuse(spec, FEW_ELIMIT, "layer 0");
    spec.layers[0].n_out = FEW__NET_WIDTH_MAX;
    refuse(spec, FEW_ELIMIT, "layer 0");
    spec.layers[0].n_out = FEW__NET_WIDTH_MAX - 1;
    spec.n_in = FEW__NET_IN_MAX;
    refuse(spec, FEW_ELIMIT, "parameters");
    spec = good;
    spec.layers[0].dropout = 1;
    refuse(spec, FEW_EINVAL, "dropout");
    spec.layers[0].dropout = NAN;
    refuse(spec, FEW_EINVAL, "dropout");
    spec = good;
    spec.layers[1].dropout = 0.5F;
    refuse(spec, FEW_EINVAL, "outputs");
    spec = good;
    spec.dueling = true;
    spec.layers[1].activation = FEW__SOFTMAX;
    refuse(spec, FEW_EINVAL, "dueling");
    spec = good;
    spec.layers[0].activation = FEW__ACTIVATION_COUNT;
    refuse(spec, FEW_EINVAL, "activation");

    struct few__net *net;
    struct few__work *work;
    assert_int_equal(few__net_create(&good, NULL, &net, NULL), FEW_OK);
    assert_int_equal(few__work_create(net, 0, NULL, &work, NULL), FEW_ELIMIT);
    assert_int_equal(few__work_create(net, FEW__NET_BATCH_MAX + 1, NULL, &work, NULL), FEW_ELIMIT);
    assert_null(work);
    few__net_destroy(net);
    few__net_destroy(NULL);
    few__work_destroy(NULL);
}

static enum few_status make_all(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__net *net = NULL;
    struct few__work *work = NULL;
    enum few_status status = few__net_create(ud, &env, &net, NULL);
    if (status == FEW_OK) status = few__work_create(net, 4, &env, &work, NULL);
    few__work_destroy(work);
    few__net_destroy(net);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct few__net_spec spec = {
        .n_in = 3, .n_layers = 2, .layers = {{4, FEW__RELU, 0.5F}, {2, FEW__LINEAR, 0}}, .dueling = true};
    t_fail_each_allocation(make_all, &spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_activation_and_loss),
        cmocka_unit_test(test_odd_sizes),
        cmocka_unit_test(test_dueling),
        cmocka_unit_test(test_sparse_is_dense),
        cmocka_unit_test(test_gradients_do_not_mix),
        cmocka_unit_test(test_dropout),
        cmocka_unit_test(test_initialisers),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
