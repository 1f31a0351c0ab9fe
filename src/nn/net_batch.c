// SPDX-License-Identifier: Apache-2.0
/* A batch forward and backward. Shapes: S samples, K inputs of a layer, N units (its stride, padding and all).
 * Padding of a layer's outputs may be anything finite: nobody reads it; slopes in the padding are zero, so the padding of
 * weights gets no gradient. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/net_parts.h"

/* ---- forward ---- */

static void check_input(const struct few__net *net, const struct few__work *work,
                        const struct few__net_input *input)
{
    assert(input->n >= 1 && input->n <= work->n_max && "more samples than the work has room for");
    assert((!input->dense || input->n_dense <= net->n_in) && "more inputs than the net has");
    for (size_t i = 0; input->first && i < input->first[input->n]; i++)
        assert(input->index[i] < net->n_in && "an input that the net does not have");
    (void)net;
    (void)work;
}

static size_t dense_stride(const struct few__net_input *input)
{
    return input->dense_stride ? input->dense_stride : input->n_dense;
}

static void first_layer(const struct few__net *net, struct few__work *work,
                        const struct few__net_input *input)
{
    const struct few__layer *layer = &net->layers[0];
    const float *weights = net->params + layer->weights, *bias = net->params + layer->bias;
    if (input->dense)
        net->kernels->product(&(struct few__product){.c = work->y[0],
                                                     .a = input->dense,
                                                     .b = weights,
                                                     .start = bias,
                                                     .c_stride = layer->stride,
                                                     .a_row = dense_stride(input),
                                                     .a_step = 1,
                                                     .b_stride = layer->stride,
                                                     .m = input->n,
                                                     .n = layer->stride,
                                                     .k = input->n_dense});
    for (size_t s = 0; s < input->n; s++) {
        float *y = work->y[0] + s * layer->stride;
        size_t from = input->first ? input->first[s] : 0, n = input->first ? input->first[s + 1] - from : 0;
        if (input->dense && n == 0) continue;
        net->kernels->gather(y, input->dense ? y : bias, weights, layer->stride,
                             input->first ? input->index + from : NULL,
                             input->value ? input->value + from : NULL, n, layer->stride);
    }
}

static void next_layer(const struct few__net *net, struct few__work *work, size_t l)
{
    const struct few__layer *layer = &net->layers[l];
    net->kernels->product(&(struct few__product){.c = work->y[l],
                                                 .a = work->dropped ? work->fed[l - 1] : work->y[l - 1],
                                                 .b = net->params + layer->weights,
                                                 .start = net->params + layer->bias,
                                                 .c_stride = layer->stride,
                                                 .a_row = net->layers[l - 1].stride,
                                                 .a_step = 1,
                                                 .b_stride = layer->stride,
                                                 .m = work->n,
                                                 .n = layer->stride,
                                                 .k = layer->n_in});
}

void few__softmax(const struct few__kernels *kernels, float *y, size_t n, size_t stride)
{
    float most = y[0], sums[FEW__LANES] = {0};
    for (size_t j = 1; j < n; j++) most = y[j] > most ? y[j] : most;
    for (size_t j = 0; j < n; j++) y[j] -= most;
    kernels->exp(y, stride);
    for (size_t j = n; j < stride; j++) y[j] = 0;
    for (size_t j = 0; j < stride; j += FEW__LANES)
        for (size_t i = 0; i < FEW__LANES; i++) sums[i] += y[j + i];
    for (size_t half = FEW__LANES / 2; half > 0; half /= 2)
        for (size_t i = 0; i < half; i++) sums[i] += sums[i + half];
    for (size_t j = 0; j < n; j++) y[j] /= sums[0];
}

void few__activate(const struct few__kernels *kernels, enum few__activation activation, float *y,
                   size_t n_rows, size_t n, size_t stride)
{
    switch (activation) {
    case FEW__RELU: kernels->relu(y, n_rows * stride); break;
    case FEW__SIGMOID: kernels->sigmoid(y, n_rows * stride); break;
    case FEW__TANH: kernels->tanh(y, n_rows * stride); break;
    case FEW__SOFTMAX:
        for (size_t s = 0; s < n_rows; s++) few__softmax(kernels, y + s * stride, n, stride);
        break;
    case FEW__LINEAR:
    case FEW__ACTIVATION_COUNT: break;
    }
}

static void drop(const struct few__net *net, struct few__work *work, size_t l, struct few__rng *rng)
{
    const struct few__layer *layer = &net->layers[l];
    if (layer->dropout <= 0) return;
    size_t n = work->n * layer->stride;
    float kept = 1 / (1 - layer->dropout);
    uint64_t below = (uint64_t)((double)layer->dropout * 0x1.0p32), bits = 0;
    for (size_t i = 0; i < n; i++) { // each draw serves two units, 32 bits each
        bits = i % 2 ? bits >> 32 : few__rng_next(rng);
        work->mask[l][i] = (bits & UINT32_MAX) < below ? 0 : kept;
    }
    memcpy(work->fed[l], work->y[l], n * sizeof(float));
    net->kernels->multiply(work->fed[l], work->mask[l], n);
}

void few__duel(float *out, const float *units, size_t n)
{
    float sum = 0;
    for (size_t j = 0; j < n; j++) sum += units[j];
    float shift = units[n] - sum / (float)n;
    for (size_t j = 0; j < n; j++) out[j] = units[j] + shift;
}

const float *few__net_forward(const struct few__net *net, struct few__work *work,
                              const struct few__net_input *input, struct few__rng *rng)
{
    check_input(net, work, input);
    work->n = input->n;
    work->dropped = rng;
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct few__layer *layer = &net->layers[l];
        if (l == 0) first_layer(net, work, input);
        else next_layer(net, work, l);
        few__activate(net->kernels, layer->activation, work->y[l], work->n, layer->n_out, layer->stride);
        if (rng) drop(net, work, l, rng);
    }
    const struct few__layer *last = &net->layers[net->n_layers - 1];
    for (size_t s = 0; net->spec.dueling && s < work->n; s++)
        few__duel(work->out + s * work->out_stride, work->y[net->n_layers - 1] + s * last->stride,
                  net->n_out);
    return work->out;
}

/* ---- backward ---- */

// Slopes by what softmax was given, from those by what it gave: y (d - sum d y).
static void softmax_back(float *d, const float *y, size_t n)
{
    float sum = 0;
    for (size_t j = 0; j < n; j++) sum += d[j] * y[j];
    for (size_t j = 0; j < n; j++) d[j] = y[j] * (d[j] - sum);
}

void few__activation_back(const struct few__kernels *kernels, enum few__activation activation, float *d,
                          const float *y, size_t n_rows, size_t n, size_t stride)
{
    switch (activation) {
    case FEW__RELU: kernels->relu_back(d, y, n_rows * stride); break;
    case FEW__SIGMOID: kernels->sigmoid_back(d, y, n_rows * stride); break;
    case FEW__TANH: kernels->tanh_back(d, y, n_rows * stride); break;
    case FEW__SOFTMAX:
        for (size_t s = 0; s < n_rows; s++) softmax_back(d + s * stride, y + s * stride, n);
        break;
    case FEW__LINEAR:
    case FEW__ACTIVATION_COUNT: break;
    }
}

// dW (rows of x, N) = x^T slope, where x is (S, rows).
static void weight_gradient(const struct few__net *net, const struct few__work *work, size_t l,
                            const float *x, size_t x_stride, size_t rows, const float *slope)
{
    const struct few__layer *layer = &net->layers[l];
    net->kernels->product(&(struct few__product){.c = work->grad + layer->weights,
                                                 .a = x,
                                                 .b = slope,
                                                 .c_stride = layer->stride,
                                                 .a_row = 1,
                                                 .a_step = x_stride,
                                                 .b_stride = layer->stride,
                                                 .m = rows,
                                                 .n = layer->stride,
                                                 .k = work->n});
}

static void bias_gradient(const struct few__net *net, const struct few__work *work, size_t l,
                          const float *slope)
{
    const struct few__layer *layer = &net->layers[l];
    float *bias = work->grad + layer->bias;
    memset(bias, 0, layer->stride * sizeof *bias);
    for (size_t s = 0; s < work->n; s++)
        net->kernels->add_scaled(bias, slope + s * layer->stride, 1, layer->stride);
}

// Rows of the last backward become zero again, and those below n_dense will be overwritten.
static void begin_rows(const struct few__net *net, struct few__work *work, size_t n_dense)
{
    const struct few__layer *layer = &net->layers[0];
    float *weights = work->grad + layer->weights;
    for (size_t i = 0; i < work->n_rows; i++) {
        memset(weights + work->rows[i] * layer->stride, 0, layer->stride * sizeof *weights);
        work->has_row[work->rows[i]] = false;
    }
    if (work->n_dense > n_dense)
        memset(weights + n_dense * layer->stride, 0,
               (work->n_dense - n_dense) * layer->stride * sizeof *weights);
    work->n_rows = 0;
    work->n_dense = n_dense;
}

static void first_gradient(const struct few__net *net, struct few__work *work,
                           const struct few__net_input *input, const float *slope)
{
    const struct few__layer *layer = &net->layers[0];
    begin_rows(net, work, input->dense ? input->n_dense : 0);
    if (input->dense) weight_gradient(net, work, 0, input->dense, dense_stride(input), input->n_dense, slope);
    for (size_t s = 0; input->first && s < input->n; s++) {
        for (size_t i = input->first[s]; i < input->first[s + 1]; i++) {
            uint32_t row = input->index[i];
            if (!work->has_row[row]) work->rows[work->n_rows++] = row;
            work->has_row[row] = true;
            net->kernels->add_scaled(work->grad + layer->weights + row * layer->stride,
                                     slope + s * layer->stride, input->value ? input->value[i] : 1,
                                     layer->stride);
        }
    }
}

// Slopes by what the layer before was activated from, into `to`.
static void pass_on(const struct few__net *net, struct few__work *work, size_t l, const float *slope,
                    float *to)
{
    const struct few__layer *layer = &net->layers[l], *before = &net->layers[l - 1];
    net->kernels->transpose(work->turned, before->stride, net->params + layer->weights, layer->stride,
                            layer->n_in, layer->n_out);
    net->kernels->product(&(struct few__product){.c = to,
                                                 .a = slope,
                                                 .b = work->turned,
                                                 .c_stride = before->stride,
                                                 .a_row = layer->stride,
                                                 .a_step = 1,
                                                 .b_stride = before->stride,
                                                 .m = work->n,
                                                 .n = before->stride,
                                                 .k = layer->n_out});
    if (work->dropped && work->mask[l - 1])
        net->kernels->multiply(to, work->mask[l - 1], work->n * before->stride);
    few__activation_back(net->kernels, before->activation, to, work->y[l - 1], work->n, before->n_out,
                         before->stride);
}

void few__net_backward(const struct few__net *net, struct few__work *work, const struct few__net_input *input)
{
    assert(input->n == work->n && "forward comes first, with the same input");
    const float *slope = work->slope;
    for (size_t l = net->n_layers - 1; l > 0; l--) {
        const float *x = work->dropped ? work->fed[l - 1] : work->y[l - 1];
        float *to = work->slopes[l % 2];
        weight_gradient(net, work, l, x, net->layers[l - 1].stride, net->layers[l].n_in, slope);
        bias_gradient(net, work, l, slope);
        pass_on(net, work, l, slope, to);
        slope = to;
    }
    first_gradient(net, work, input, slope);
    bias_gradient(net, work, 0, slope);
}
