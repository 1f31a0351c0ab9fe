// SPDX-License-Identifier: Apache-2.0
/* Losses and their slopes. Cross-entropy after softmax and binary cross-entropy after sigmoid have slopes by what the
 * activation is given that need no division: y sum(t) - t, and y - t. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "nn/net_parts.h"

static const double clip = 1e-7;

static double clipped(float y)
{
    return y < clip ? clip : y > 1 - clip ? 1 - clip : (double)y;
}

static double value_of(const struct few__loss *loss, float y, float t)
{
    double e = (double)y - (double)t, delta = (double)loss->delta;
    switch (loss->kind) {
    case FEW__CROSS_ENTROPY: return t == 0 ? 0 : -(double)t * log(clipped(y));
    case FEW__BINARY_CROSS_ENTROPY:
        return -((double)t * log(clipped(y)) + (1 - (double)t) * log(1 - clipped(y)));
    case FEW__SQUARED: return e * e;
    case FEW__ABSOLUTE: return fabs(e);
    case FEW__HUBER: return fabs(e) <= delta ? e * e / 2 : delta * (fabs(e) - delta / 2);
    }
    return 0;
}

// By y; of the two entropies by what the activation was given, and of cross-entropy only the part -t.
static float slope_of(const struct few__loss *loss, float y, float t)
{
    float e = y - t;
    switch (loss->kind) {
    case FEW__CROSS_ENTROPY: return -t;
    case FEW__BINARY_CROSS_ENTROPY: return e;
    case FEW__SQUARED: return 2 * e;
    case FEW__ABSOLUTE: return (float)(e > 0) - (float)(e < 0);
    case FEW__HUBER: return e > loss->delta ? loss->delta : e < -loss->delta ? -loss->delta : e;
    }
    return 0;
}

static bool is_entropy(enum few__loss_kind kind)
{
    return kind == FEW__CROSS_ENTROPY || kind == FEW__BINARY_CROSS_ENTROPY;
}

static void check(const struct few__net *net, const struct few__loss *loss)
{
    enum few__activation end = net->layers[net->n_layers - 1].activation;
    assert((loss->kind != FEW__CROSS_ENTROPY || end == FEW__SOFTMAX) && "cross-entropy belongs to softmax");
    assert((loss->kind != FEW__BINARY_CROSS_ENTROPY || end == FEW__SIGMOID) &&
           "binary cross-entropy belongs to sigmoid");
    assert((loss->kind != FEW__HUBER || loss->delta > 0) && "Huber's loss has a delta above 0");
    (void)end;
}

// d: slopes by the outputs, (n_out,), where the head is dueling. slope: by its units, (n_out + 1,).
static void duel_back(float *slope, const float *d, size_t n)
{
    float sum = 0;
    for (size_t j = 0; j < n; j++) sum += d[j];
    for (size_t j = 0; j < n; j++) slope[j] = d[j] - sum / (float)n;
    slope[n] = sum;
}

// From slopes by the outputs in d, (n_out,), to those by what the last activation of the sample was given.
static void finish_sample(const struct few__net *net, struct few__work *work, const struct few__loss *loss,
                          size_t s, const float *d)
{
    const struct few__layer *last = &net->layers[net->n_layers - 1];
    float *slope = work->slope + s * last->stride;
    if (net->spec.dueling) duel_back(slope, d, net->n_out);
    else if (slope != d) memcpy(slope, d, net->n_out * sizeof *slope);
    memset(slope + last->n_out, 0, (last->stride - last->n_out) * sizeof *slope);
    if (!is_entropy(loss->kind))
        few__activation_back(net->kernels, last->activation, slope,
                             work->y[net->n_layers - 1] + s * last->stride, 1, last->n_out, last->stride);
}

static float default_scale(const struct few__net *net, const struct few__work *work,
                           const struct few__loss *loss)
{
    if (loss->scale != 0) return loss->scale;
    double n = (double)work->n * (loss->kind == FEW__CROSS_ENTROPY ? 1 : (double)net->n_out);
    return (float)(1 / n);
}

// Room for slopes by the outputs: where the head is not dueling they lie where they belong.
static float *outputs_room(const struct few__net *net, struct few__work *work, size_t s)
{
    return net->spec.dueling ? work->slopes[0] : work->slope + s * net->layers[net->n_layers - 1].stride;
}

void few__net_loss(const struct few__net *net, struct few__work *work, const struct few__loss *loss,
                   const struct few__targets *targets, double *value)
{
    check(net, loss);
    const float scale = default_scale(net, work, loss);
    size_t stride = targets->stride ? targets->stride : net->n_out;
    double sum = 0;
    for (size_t s = 0; s < work->n; s++) {
        const float *y = work->out + s * work->out_stride, *t = targets->t + s * stride;
        const float *weights = targets->weights ? targets->weights + s * targets->weight_stride : NULL;
        float sample = targets->sample_weights ? targets->sample_weights[s] : 1, all = 0,
              *d = outputs_room(net, work, s);
        for (size_t j = 0; j < net->n_out; j++) {
            float weight = weights ? weights[j] * sample : sample;
            d[j] = weight == 0 ? 0 : scale * weight * slope_of(loss, y[j], t[j]);
            all += d[j];
            if (value && weight != 0) sum += (double)weight * value_of(loss, y[j], t[j]);
        }
        for (size_t j = 0; loss->kind == FEW__CROSS_ENTROPY && j < net->n_out; j++) d[j] -= all * y[j];
        finish_sample(net, work, loss, s, d);
    }
    if (value) *value = sum * (double)scale;
}

void few__net_loss_picked(const struct few__net *net, struct few__work *work, const struct few__loss *loss,
                          const uint32_t *output, const float *t, const float *sample_weights, double *value)
{
    check(net, loss);
    assert(loss->kind != FEW__CROSS_ENTROPY && "cross-entropy has a target for every class");
    const float scale = default_scale(net, work, loss);
    double sum = 0;
    for (size_t s = 0; s < work->n; s++) {
        float *d = outputs_room(net, work, s), weight = sample_weights ? sample_weights[s] : 1;
        float y = work->out[s * work->out_stride + output[s]];
        memset(d, 0, net->n_out * sizeof *d);
        if (weight != 0) d[output[s]] = scale * weight * slope_of(loss, y, t[s]);
        if (value && weight != 0) sum += (double)weight * value_of(loss, y, t[s]);
        finish_sample(net, work, loss, s, d);
    }
    if (value) *value = sum * (double)scale;
}
