// SPDX-License-Identifier: Apache-2.0
/* Invariant: `single` has the inputs of seen_labels[0 .. n_told - 1] and of the models in told[]. What becomes known of an item
 * only grows, so nothing is ever taken back before the next item. */
#include "item/value_dqn.h"

#include "core/env.h"
#include "core/error.h"
#include "nn/single.h"

struct dqn {
    const struct few_mem *mem;
    struct few__dqn_net net;
    struct few__single *single;
    size_t n_models; // of the catalog
    uint64_t item;
    size_t n_told;
    bool *told;       // (n_models,) its executed bit is set
    uint32_t *inputs; // scratch, (n_in,) new inputs
};

static uint32_t number(const uint32_t *map, size_t i)
{
    return map ? map[i] : (uint32_t)i;
}

static uint32_t input_of(const struct few__dqn_net *net, size_t label)
{
    uint32_t known = number(net->label_of, label);
    return known == UINT32_MAX ? UINT32_MAX : number(net->input_of, known);
}

static void begin(void *self, const struct few__view *view)
{
    struct dqn *d = self;
    few__single_begin(d->single);
    d->item = view->item;
    d->n_told = 0;
    for (size_t m = 0; m < d->n_models; m++) d->told[m] = false;
}

static void look(struct dqn *d, const struct few__view *view)
{
    size_t n = 0;
    for (; d->n_told < view->n_seen; d->n_told++) {
        uint32_t input = input_of(&d->net, (size_t)view->seen_labels[d->n_told]);
        if (input != UINT32_MAX) d->inputs[n++] = input;
    }
    for (size_t m = 0; d->net.executed_bits && m < d->n_models; m++) {
        if (d->told[m] || view->states[m] != FEW__DONE || view->outcomes[m] != FEW_EXECUTED) continue;
        uint32_t model = number(d->net.model_of, m);
        d->told[m] = true;
        if (model != UINT32_MAX) d->inputs[n++] = (uint32_t)d->net.n_labels + model;
    }
    few__single_add(d->single, d->inputs, NULL, n);
}

static void score(void *self, const struct few__view *view, double *q)
{
    struct dqn *d = self;
    if (view->item != d->item || view->n_seen < d->n_told) begin(d, view);
    look(d, view);
    const float *out = few__single_out(d->single);
    for (size_t m = 0; m < d->n_models; m++) {
        uint32_t model = number(d->net.model_of, m);
        q[m] = model == UINT32_MAX ? 0 : (double)out[model];
    }
}

static void destroy(void *self)
{
    struct dqn *d = self;
    few__single_destroy(d->single);
    few__free(d->mem, d->told);
    few__free(d->mem, d->inputs);
    few__free(d->mem, d);
}

static bool leads_outside(const uint32_t *map, size_t n, size_t n_known)
{
    if (!map) return n > n_known;
    for (size_t i = 0; i < n; i++)
        if (map[i] != UINT32_MAX && map[i] >= n_known) return true;
    return false;
}

static enum few_status check(const struct few__dqn_net *net, const struct few_catalog *catalog,
                             struct few_error *err)
{
    size_t n_in = net->n_labels + (net->executed_bits ? net->n_models : 0), n_out = net->n_models + 1;
    if (net->net->n_in != n_in || net->net->n_out != n_out)
        return few__fail(err, FEW_ESHAPE,
                         "agent: expected a net of %zu inputs and %zu outputs, found %zu and %zu", n_in,
                         n_out, net->net->n_in, net->net->n_out);
    size_t n_known = net->input_of ? net->n_known : net->n_labels;
    if ((net->input_of && leads_outside(net->input_of, n_known, net->n_labels)) ||
        leads_outside(net->label_of, catalog->n_labels, n_known) ||
        leads_outside(net->model_of, catalog->n_models, net->n_models))
        return few__fail(err, FEW_ESHAPE,
                         "agent: expected at most %zu labels and %zu models, which it was trained with",
                         net->n_labels, net->n_models);
    return FEW_OK;
}

enum few_status few__value_dqn(const struct few__dqn_net *net, const struct few_catalog *catalog,
                               const char *name, const struct few_env *env, struct few__value *value,
                               struct few_error *err)
{
    *value = (struct few__value){0};
    FEW__TRY(check(net, catalog, err));
    struct few_env e = few__env(env);
    struct dqn *d = FEW__NEW(e.mem, struct dqn);
    if (!d) return few__no_memory(err, "agent");
    *d = (struct dqn){.mem = e.mem, .net = *net, .n_models = catalog->n_models, .item = UINT64_MAX};
    d->told = FEW__NEW_N(e.mem, bool, d->n_models + 1);
    d->inputs = FEW__NEW_N(e.mem, uint32_t, catalog->n_labels + d->n_models + 1);
    enum few_status status = few__single_create(net->net, &e, &d->single, err);
    if (status == FEW_OK && (!d->told || !d->inputs)) status = few__no_memory(err, "agent");
    if (status != FEW_OK) {
        destroy(d);
        return status;
    }
    *value = (struct few__value){.self = d, .name = name, .begin = begin, .score = score, .destroy = destroy};
    return FEW_OK;
}
