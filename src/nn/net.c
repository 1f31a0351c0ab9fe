// SPDX-License-Identifier: Apache-2.0
/* Shapes and memory. A net, and its work, are one block of memory each, carved from a size table. */
#include "nn/net.h"

#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"

/* ---- shapes ---- */

static enum few_status check_layer(const struct few__net_spec *spec, size_t l, struct few_error *err)
{
    const struct few__layer_spec *layer = &spec->layers[l];
    bool last = l + 1 == spec->n_layers;
    if (layer->n_out < 1 || layer->n_out > FEW__NET_WIDTH_MAX - 1)
        return few__fail(err, FEW_ELIMIT, "layer %zu: expected 1 to %d units, found %zu", l,
                         FEW__NET_WIDTH_MAX - 1, layer->n_out);
    if (!(layer->dropout >= 0 && layer->dropout < 1))
        return few__fail(err, FEW_EINVAL, "layer %zu: expected a dropout of at least 0 and below 1, found %g",
                         l, (double)layer->dropout);
    if ((unsigned)layer->activation >= FEW__ACTIVATION_COUNT)
        return few__fail(err, FEW_EINVAL, "layer %zu: no activation has the number %d", l,
                         (int)layer->activation);
    if (layer->dropout > 0 && last)
        return few__fail(err, FEW_EINVAL, "layer %zu: the outputs of a net cannot have dropout", l);
    if (spec->dueling && last && layer->activation != FEW__LINEAR)
        return few__fail(err, FEW_EINVAL, "layer %zu: a dueling head has no activation", l);
    return FEW_OK;
}

static enum few_status lay_out(struct few__net *net, struct few_error *err)
{
    const struct few__net_spec *spec = &net->spec;
    size_t n_in = spec->n_in;
    if (spec->n_layers < 1 || spec->n_layers > FEW__NET_LAYERS_MAX)
        return few__fail(err, FEW_ELIMIT, "a net: expected 1 to %d layers, found %zu", FEW__NET_LAYERS_MAX,
                         spec->n_layers);
    if (n_in < 1 || n_in > FEW__NET_IN_MAX)
        return few__fail(err, FEW_ELIMIT, "a net: expected 1 to %d inputs, found %zu", FEW__NET_IN_MAX, n_in);
    for (size_t l = 0; l < spec->n_layers; l++) {
        FEW__TRY(check_layer(spec, l, err));
        const struct few__layer_spec *from = &spec->layers[l];
        size_t n_out = from->n_out + (spec->dueling && l + 1 == spec->n_layers), stride = few__padded(n_out);
        net->layers[l] = (struct few__layer){.n_in = n_in,
                                             .n_out = n_out,
                                             .stride = stride,
                                             .weights = net->n_block,
                                             .bias = net->n_block + n_in * stride,
                                             .activation = from->activation,
                                             .dropout = from->dropout};
        net->n_block += (n_in + 1) * stride;
        net->n_params += (n_in + 1) * n_out;
        if (net->n_block > FEW__NET_BLOCK_MAX)
            return few__fail(err, FEW_ELIMIT, "a net: expected at most %d parameters, found more",
                             FEW__NET_BLOCK_MAX);
        n_in = n_out;
    }
    net->n_layers = spec->n_layers;
    net->n_in = spec->n_in;
    net->n_out = spec->layers[spec->n_layers - 1].n_out;
    return FEW_OK;
}

/* ---- memory ---- */

struct carver { // a size table is walked twice: to measure, and to hand out
    char *base;
    size_t used;
};

enum { LINE = 64 }; // every piece begins a line of the cache

static void *carve(struct carver *carver, size_t n, size_t size)
{
    void *piece = carver->base ? carver->base + carver->used : NULL;
    carver->used += (n * size + LINE - 1) / LINE * LINE;
    return piece;
}

// A block of what was measured, zeroed; *block is what has to be freed.
static bool begin_carving(struct carver *carver, const struct few_mem *mem, void **block)
{
    *block = few__new(mem, carver->used + LINE, 1);
    if (!*block) return false;
    *carver = (struct carver){.base = (char *)(((uintptr_t)*block + LINE - 1) & ~(uintptr_t)(LINE - 1))};
    return true;
}

enum few_status few__net_create(const struct few__net_spec *spec, const struct few_env *env,
                                struct few__net **out, struct few_error *err)
{
    *out = NULL;
    struct few_env e = few__env(env);
    struct few__net net = {.mem = e.mem, .kernels = few__kernels(), .spec = *spec};
    FEW__TRY(lay_out(&net, err));
    struct carver carver = {.used = net.n_block * sizeof *net.params};
    struct few__net *copy = FEW__NEW(e.mem, struct few__net);
    if (!copy || !begin_carving(&carver, e.mem, &net.block)) {
        few__free(e.mem, copy);
        return few__no_memory(err, "a net");
    }
    net.params = carve(&carver, net.n_block, sizeof *net.params);
    *copy = net;
    *out = copy;
    return FEW_OK;
}

void few__net_destroy(struct few__net *net)
{
    if (!net) return;
    few__free(net->mem, net->block);
    few__free(net->mem, net);
}

void few__net_init(struct few__net *net, enum few__initialiser how, struct few__rng *rng)
{
    memset(net->params, 0, net->n_block * sizeof *net->params);
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct few__layer *layer = &net->layers[l];
        double limit = sqrt(6.0 / (double)(layer->n_in + layer->n_out)),
               deviation = sqrt(2.0 / (double)layer->n_in);
        for (size_t i = 0; i < layer->n_in; i++) {
            float *row = net->params + layer->weights + i * layer->stride;
            for (size_t j = 0; j < layer->n_out; j++)
                row[j] = (float)(how == FEW__HE_NORMAL ? deviation * few__rng_normal(rng)
                                                       : limit * (2 * few__rng_unit(rng) - 1));
        }
    }
}

/* ---- work ---- */

static void carve_work(struct few__work *w, const struct few__net *net, struct carver *carver)
{
    size_t widest = 0, turned = 0;
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct few__layer *layer = &net->layers[l];
        size_t n = w->n_max * layer->stride, across = few__padded(layer->n_in) * layer->n_out;
        if (layer->stride > widest) widest = layer->stride;
        if (l > 0 && across > turned) turned = across;
        w->y[l] = w->fed[l] = carve(carver, n, sizeof(float));
        w->mask[l] = NULL;
        if (layer->dropout <= 0) continue;
        w->fed[l] = carve(carver, n, sizeof(float));
        w->mask[l] = carve(carver, n, sizeof(float));
    }
    const struct few__layer *last = &net->layers[net->n_layers - 1];
    w->out_stride = few__padded(net->n_out);
    w->out =
        net->spec.dueling ? carve(carver, w->n_max * w->out_stride, sizeof(float)) : w->y[net->n_layers - 1];
    w->slope = carve(carver, w->n_max * last->stride, sizeof(float));
    for (size_t i = 0; i < 2; i++) w->slopes[i] = carve(carver, w->n_max * widest, sizeof(float));
    w->turned = carve(carver, turned, sizeof(float));
    w->grad = carve(carver, net->n_block, sizeof(float));
    w->rows = carve(carver, net->n_in, sizeof *w->rows);
    w->has_row = carve(carver, net->n_in, sizeof *w->has_row);
}

enum few_status few__work_create(const struct few__net *net, size_t n_max, const struct few_env *env,
                                 struct few__work **out, struct few_error *err)
{
    *out = NULL;
    if (n_max < 1 || n_max > FEW__NET_BATCH_MAX)
        return few__fail(err, FEW_ELIMIT, "a batch: expected 1 to %d samples, found %zu", FEW__NET_BATCH_MAX,
                         n_max);
    struct few_env e = few__env(env);
    struct few__work *work = FEW__NEW(e.mem, struct few__work);
    if (!work) return few__no_memory(err, "a batch");
    *work = (struct few__work){.mem = e.mem, .n_max = n_max};
    struct carver carver = {0};
    carve_work(work, net, &carver);
    if (!begin_carving(&carver, e.mem, &work->block)) {
        few__free(e.mem, work);
        return few__no_memory(err, "a batch");
    }
    carve_work(work, net, &carver);
    *out = work;
    return FEW_OK;
}

void few__work_destroy(struct few__work *work)
{
    if (!work) return;
    few__free(work->mem, work->block);
    few__free(work->mem, work);
}
