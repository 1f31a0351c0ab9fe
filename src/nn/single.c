// SPDX-License-Identifier: Apache-2.0
#include "nn/single.h"

#include <assert.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "nn/net_parts.h"

enum { LINE = 64 };

enum few_status few__single_create(const struct few__net *net, const struct few_env *env,
                                   struct few__single **out, struct few_error *err)
{
    *out = NULL;
    struct few_env e = few__env(env);
    size_t widest = 0, first = net->layers[0].stride, outputs = few__padded(net->n_out);
    for (size_t l = 0; l < net->n_layers; l++)
        if (net->layers[l].stride > widest) widest = net->layers[l].stride;
    struct few__single *single = FEW__NEW(e.mem, struct few__single);
    if (!single) return few__no_memory(err, "a sample");
    *single = (struct few__single){.mem = e.mem, .net = net};
    single->block = few__new(e.mem, (first + 2 * widest + outputs) * sizeof(float) + LINE, 1);
    if (!single->block) {
        few__free(e.mem, single);
        return few__no_memory(err, "a sample");
    }
    single->sum = (float *)(((uintptr_t)single->block + LINE - 1) & ~(uintptr_t)(LINE - 1));
    single->layers[0] = single->sum + first; // strides are whole lines
    single->layers[1] = single->layers[0] + widest;
    single->out = single->layers[1] + widest;
    few__single_begin(single);
    *out = single;
    return FEW_OK;
}

void few__single_destroy(struct few__single *single)
{
    if (!single) return;
    few__free(single->mem, single->block);
    few__free(single->mem, single);
}

void few__single_begin(struct few__single *single)
{
    const struct few__layer *layer = &single->net->layers[0];
    memcpy(single->sum, single->net->params + layer->bias, layer->stride * sizeof *single->sum);
}

void few__single_add(struct few__single *single, const uint32_t *index, const float *value, size_t n)
{
    const struct few__net *net = single->net;
    const struct few__layer *layer = &net->layers[0];
    for (size_t i = 0; i < n; i++) assert(index[i] < net->n_in && "an input that the net does not have");
    net->kernels->gather(single->sum, single->sum, net->params + layer->weights, layer->stride, index, value,
                         n, layer->stride);
}

void few__single_add_dense(struct few__single *single, size_t first, const float *value, size_t n)
{
    const struct few__net *net = single->net;
    const struct few__layer *layer = &net->layers[0];
    assert(first <= net->n_in && n <= net->n_in - first && "an input that the net does not have");
    net->kernels->row_product(single->sum, single->sum, value,
                              net->params + layer->weights + first * layer->stride, layer->stride, n,
                              layer->stride);
}

const float *few__single_out(struct few__single *single)
{
    const struct few__net *net = single->net;
    const struct few__kernels *kernels = net->kernels;
    const struct few__layer *layer = &net->layers[0];
    float *x = single->layers[0];
    memcpy(x, single->sum, layer->stride * sizeof *x);
    few__activate(kernels, layer->activation, x, 1, layer->n_out, layer->stride);
    for (size_t l = 1; l < net->n_layers; l++) {
        float *y = single->layers[l % 2];
        layer = &net->layers[l];
        kernels->row_product(y, net->params + layer->bias, x, net->params + layer->weights, layer->stride,
                             layer->n_in, layer->stride);
        few__activate(kernels, layer->activation, y, 1, layer->n_out, layer->stride);
        x = y;
    }
    if (!net->spec.dueling) return x;
    few__duel(single->out, x, net->n_out);
    return single->out;
}
