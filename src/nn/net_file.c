// SPDX-License-Identifier: Apache-2.0
#include "nn/net_file.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

enum { NAME_ROOM = FEW__TENSORS_NAME_MAX + 1 };

static enum few_status name_of(char name[NAME_ROOM], const char *prefix, size_t l, const char *what,
                               struct few_error *err)
{
    int n = snprintf(name, NAME_ROOM, "%s.%zu.%s", prefix, l, what);
    if (n >= 0 && n < NAME_ROOM) return FEW_OK;
    return few__fail(err, FEW_ELIMIT, "a net: expected a prefix of at most %d bytes, found %zu",
                     NAME_ROOM - 16, strlen(prefix));
}

enum few_status few__net_put(const struct few__net *net, struct few__tensors *tensors, const char *prefix,
                             struct few_error *err)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct few__layer *layer = &net->layers[l];
        const size_t dims[] = {layer->n_in, layer->n_out};
        char name[NAME_ROOM];
        void *weights;
        FEW__TRY(name_of(name, prefix, l, "weight", err));
        FEW__TRY(few__tensors_add(tensors, name, FEW__F32, dims, 2, NULL, &weights, err));
        for (size_t i = 0; i < layer->n_in; i++)
            memcpy((float *)weights + i * layer->n_out, net->params + layer->weights + i * layer->stride,
                   layer->n_out * sizeof(float));
        FEW__TRY(name_of(name, prefix, l, "bias", err));
        FEW__TRY(
            few__tensors_add(tensors, name, FEW__F32, &dims[1], 1, net->params + layer->bias, NULL, err));
    }
    return FEW_OK;
}

static enum few_status take(float *to, size_t to_stride, const struct few__tensors *tensors, const char *name,
                            const size_t *dims, size_t n_dims, struct few_error *err)
{
    const struct few__named_tensor *tensor;
    FEW__TRY(few__tensors_get(tensors, name, FEW__F32, dims, n_dims, &tensor, err));
    const float *from = tensor->data;
    size_t columns = dims[n_dims - 1];
    for (size_t i = 0; i < tensor->n; i++) {
        if (!isfinite(from[i]))
            return few__fail(err, FEW_EPARSE, "tensor %s: expected finite numbers, found %g", name,
                             (double)from[i]);
        to[i / columns * to_stride + i % columns] = from[i];
    }
    return FEW_OK;
}

enum few_status few__net_take(struct few__net *net, const struct few__tensors *tensors, const char *prefix,
                              struct few_error *err)
{
    for (size_t l = 0; l < net->n_layers; l++) {
        const struct few__layer *layer = &net->layers[l];
        const size_t dims[] = {layer->n_in, layer->n_out};
        char name[NAME_ROOM];
        FEW__TRY(name_of(name, prefix, l, "weight", err));
        FEW__TRY(take(net->params + layer->weights, layer->stride, tensors, name, dims, 2, err));
        FEW__TRY(name_of(name, prefix, l, "bias", err));
        FEW__TRY(take(net->params + layer->bias, layer->stride, tensors, name, &dims[1], 1, err));
    }
    return FEW_OK;
}
