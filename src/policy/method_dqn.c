// SPDX-License-Identifier: Apache-2.0
// AMS's agents in a policy file: tensors "NAME.inputs", "NAME.executed_bits", "NAME.net.*" (policy/methods.h).
#include <stdio.h>

#include "core/env.h"
#include "core/error.h"
#include "item/value_dqn.h"
#include "nn/net_file.h"
#include "policy/method.h"
#include "policy/methods.h"

enum { LAYERS = 2, NAME_MAX = 64 };

struct opened {
    struct few__arena arena;
    struct few__net *owned;
    struct few__dqn_net net; // for the policy's own catalog
    const char *name;
};

static void close_agent(void *self)
{
    struct opened *o = self;
    if (!o) return;
    const struct few_mem *mem = o->arena.mem;
    few__net_destroy(o->owned);
    few__arena_finish(&o->arena);
    few__free(mem, o);
}

static enum few_status get(const struct opened *o, const struct few__tensors *tensors, const char *what,
                           enum few__dtype dtype, size_t dim, const struct few__named_tensor **found,
                           struct few_error *err)
{
    char name[NAME_MAX];
    snprintf(name, sizeof name, "%s.%s", o->name, what);
    return few__tensors_get(tensors, name, dtype, &dim, 1, found, err);
}

// Which labels are inputs: those of the list, in its order.
static enum few_status read_inputs(struct opened *o, const struct few__tensors *tensors,
                                   const struct few_catalog *catalog, struct few_error *err)
{
    const struct few__named_tensor *inputs, *bits;
    FEW__TRY(get(o, tensors, "inputs", FEW__I32, SIZE_MAX, &inputs, err));
    FEW__TRY(get(o, tensors, "executed_bits", FEW__U8, 1, &bits, err));
    uint32_t *input_of = FEW__ARENA_NEW(&o->arena, uint32_t, catalog->n_labels);
    if (!input_of) return few__no_memory(err, o->name);
    for (size_t l = 0; l < catalog->n_labels; l++) input_of[l] = UINT32_MAX;
    for (size_t i = 0; i < inputs->n; i++) {
        int32_t label = ((const int32_t *)inputs->data)[i];
        if (label < 0 || (size_t)label >= catalog->n_labels || input_of[label] != UINT32_MAX)
            return few__fail(err, FEW_EPARSE, "%s.inputs: expected labels 0 .. %zu, each once, found %d",
                             o->name, catalog->n_labels - 1, (int)label);
        input_of[label] = (uint32_t)i;
    }
    o->net = (struct few__dqn_net){.n_labels = inputs->n,
                                   .n_models = catalog->n_models,
                                   .executed_bits = *(const uint8_t *)bits->data,
                                   .input_of = input_of,
                                   .n_known = catalog->n_labels};
    return FEW_OK;
}

static enum few_status read_net(struct opened *o, const struct few__tensors *tensors, bool dueling,
                                const struct few_env *env, struct few_error *err)
{
    const struct few__named_tensor *bias;
    char prefix[NAME_MAX];
    snprintf(prefix, sizeof prefix, "%s.net", o->name);
    FEW__TRY(get(o, tensors, "net.0.bias", FEW__F32, SIZE_MAX, &bias, err));
    struct few__net_spec spec = {.n_in = o->net.n_labels + (o->net.executed_bits ? o->net.n_models : 0),
                                 .n_layers = LAYERS,
                                 .layers = {{bias->n, FEW__RELU, 0}, {o->net.n_models + 1, FEW__LINEAR, 0}},
                                 .dueling = dueling};
    FEW__TRY(few__net_create(&spec, env, &o->owned, err));
    o->net.net = o->owned;
    return few__net_take(o->owned, tensors, prefix, err);
}

static enum few_status open_agent(const char *name, bool dueling, const struct few__tensors *tensors,
                                  const struct few_catalog *catalog, const struct few_env *env, void **self,
                                  struct few_error *err)
{
    *self = NULL;
    struct few_env e = few__env(env);
    struct opened *o = FEW__NEW(e.mem, struct opened);
    if (!o) return few__no_memory(err, name);
    o->name = name;
    few__arena_init(&o->arena, e.mem, SIZE_MAX / 2); // as large as the catalog
    enum few_status status = read_inputs(o, tensors, catalog, err);
    if (status == FEW_OK) status = read_net(o, tensors, dueling, &e, err);
    if (status == FEW_OK) *self = o;
    else close_agent(o);
    return status;
}

static enum few_status agent(const void *self, const struct few__method_map *map,
                             const struct few_cost *costs, bool packs, const struct few_env *env,
                             struct few__value *value, struct few_error *err)
{
    const struct opened *o = self;
    struct few__dqn_net net = o->net;
    (void)costs;
    (void)packs; // values as they are
    net.label_of = map->label_of;
    net.model_of = map->model_of;
    FEW__TRY(few__value_dqn(&net, map->catalog, o->name, env, value, err));
    return few__method_prior(map->catalog, env, value, err);
}

#define AGENT(word, is_dueling)                                                                      \
    static enum few_status open_##word(const struct few__tensors *tensors,                           \
                                       const struct few_catalog *catalog, const struct few_env *env, \
                                       void **self, struct few_error *err)                           \
    {                                                                                                \
        return open_agent(#word, is_dueling, tensors, catalog, env, self, err);                      \
    }                                                                                                \
    const struct few__method few__method_##word = {                                                  \
        .name = #word, .rank = FEW__RANK_PRODUCT, .open = open_##word, .close = close_agent, .value = agent}

AGENT(dqn, false);
AGENT(double_dqn, false);
AGENT(dueling_dqn, true);
AGENT(deep_sarsa, false);
