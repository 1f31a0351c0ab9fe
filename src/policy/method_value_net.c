// SPDX-License-Identifier: Apache-2.0
// The method "value_net" of a policy file: tensors "value_net.evidence.*" and "value_net.net.I.*" (docs/policy.md).
#include <stdio.h>

#include "core/env.h"
#include "core/error.h"
#include "item/value_net.h"
#include "nn/net_file.h"
#include "policy/method.h"
#include "policy/methods.h"

enum { LAYERS = 3 };

struct opened {
    struct few__arena arena;
    struct few__value_nets nets;
    struct few__net *owned[FEW__VALUE_NETS_MAX];
};

static void close_nets(void *self)
{
    struct opened *o = self;
    if (!o) return;
    const struct few_mem *mem = o->arena.mem;
    for (size_t i = 0; i < o->nets.n_nets; i++) few__net_destroy(o->owned[i]);
    few__arena_finish(&o->arena);
    few__free(mem, o);
}

static enum few_status open_net(struct opened *o, const struct few__tensors *tensors,
                                const struct few_env *env, struct few_error *err)
{
    const size_t any[] = {SIZE_MAX};
    size_t i = o->nets.n_nets;
    char prefix[48], name[80];
    const struct few__named_tensor *bias;
    struct few__net_spec spec = {.n_in = few__value_nets_inputs(&o->nets), .n_layers = LAYERS};
    snprintf(prefix, sizeof prefix, "value_net.net.%zu", i);
    for (size_t l = 0; l < LAYERS; l++) {
        snprintf(name, sizeof name, "%s.%zu.bias", prefix, l);
        FEW__TRY(few__tensors_get(tensors, name, FEW__F32, any, 1, &bias, err));
        spec.layers[l] = (struct few__layer_spec){bias->n, l + 1 < LAYERS ? FEW__RELU : FEW__LINEAR, 0};
    }
    FEW__TRY(few__net_create(&spec, env, &o->owned[i], err));
    o->nets.n_nets++;
    FEW__TRY(few__net_take(o->owned[i], tensors, prefix, err));
    if (o->owned[i]->n_out == o->nets.evidences.n_models) return FEW_OK;
    return few__fail(err, FEW_ESHAPE, "%s: expected %zu outputs, found %zu", prefix,
                     o->nets.evidences.n_models, o->owned[i]->n_out);
}

static enum few_status read_nets(struct opened *o, const struct few__tensors *tensors,
                                 const struct few_catalog *catalog, const struct few_env *env,
                                 struct few_error *err)
{
    const size_t one = 1;
    const struct few__named_tensor *count;
    FEW__TRY(few__tensors_get(tensors, "value_net.n_nets", FEW__I64, &one, 1, &count, err));
    int64_t n = *(const int64_t *)count->data;
    if (n < 1 || n > FEW__VALUE_NETS_MAX)
        return few__fail(err, FEW_EPARSE, "value_net.n_nets: expected 1 to %d, found %lld",
                         FEW__VALUE_NETS_MAX, (long long)n);
    FEW__TRY(few__evidences_take(tensors, "value_net.evidence", catalog, &o->arena, &o->nets.evidences, err));
    uint32_t *spaces = FEW__ARENA_NEW(&o->arena, uint32_t, catalog->n_labels);
    if (!spaces) return few__no_memory(err, "value nets");
    o->nets.n_labels = catalog->n_labels;
    o->nets.n_spaces = few__label_spaces(catalog, spaces);
    o->nets.space_of = spaces;
    while (o->nets.n_nets < (size_t)n) FEW__TRY(open_net(o, tensors, env, err));
    o->nets.nets = (const struct few__net *const *)o->owned;
    return FEW_OK;
}

static enum few_status open_nets(const struct few__tensors *tensors, const struct few_catalog *catalog,
                                 const struct few_env *env, void **self, struct few_error *err)
{
    *self = NULL;
    struct few_env e = few__env(env);
    struct opened *o = FEW__NEW(e.mem, struct opened);
    if (!o) return few__no_memory(err, "value nets");
    few__arena_init(&o->arena, e.mem, SIZE_MAX / 2); // as large as the catalog
    enum few_status status = read_nets(o, tensors, catalog, &e, err);
    if (status == FEW_OK) *self = o;
    else close_nets(o);
    return status;
}

static enum few_status value_nets(const void *self, const struct few__method_map *map,
                                  const struct few_cost *costs, bool packs, const struct few_env *env,
                                  struct few__value *value, struct few_error *err)
{
    const struct opened *o = self;
    const struct few__value_maps maps = {map->model_of, map->label_of};
    return few__value_net(&o->nets, map->catalog, &maps, costs, !packs, env, value, err);
}

const struct few__method few__method_value_net = {.name = "value_net",
                                                  .rank = FEW__RANK_RATIO,
                                                  .has_outputs = true,
                                                  .open = open_nets,
                                                  .close = close_nets,
                                                  .value = value_nets};
