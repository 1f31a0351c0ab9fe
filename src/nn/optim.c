// SPDX-License-Identifier: Apache-2.0
#include "nn/optim.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "nn/optim_late.h"

const struct few__optim_spec few__rmsprop = {
    .kind = FEW__RMSPROP, .rate = 0.01, .beta2 = 0.9, .epsilon = 1e-7, .epsilon_place = FEW__EPSILON_OUTSIDE};
const struct few__optim_spec few__adam = {.kind = FEW__ADAM,
                                          .rate = 1e-3,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .epsilon = 1e-8,
                                          .epsilon_place = FEW__EPSILON_OUTSIDE};

static enum few_status check(const struct few__optim_spec *spec, struct few_error *err)
{
    if (!(spec->rate > 0 && spec->rate < INFINITY))
        return few__fail(err, FEW_EINVAL, "optimiser: expected a rate above 0, found %g", spec->rate);
    if (!(spec->beta1 >= 0 && spec->beta1 < 1 && spec->beta2 >= 0 && spec->beta2 < 1))
        return few__fail(err, FEW_EINVAL,
                         "optimiser: expected betas of at least 0 and below 1, found %g and %g", spec->beta1,
                         spec->beta2);
    if (!(spec->epsilon > 0 && spec->epsilon < INFINITY))
        return few__fail(err, FEW_EINVAL, "optimiser: expected an epsilon above 0, found %g", spec->epsilon);
    if (!(spec->decay >= 0 && spec->decay * spec->rate < 1))
        return few__fail(err, FEW_EINVAL,
                         "optimiser: expected a decay of at least 0 and below 1 / rate, found %g",
                         spec->decay);
    if (spec->lazy && (spec->epsilon_place == FEW__EPSILON_INSIDE || spec->beta2 == 0))
        return few__fail(err, FEW_EINVAL,
                         "optimiser: a lazy one needs an epsilon outside the root, and a beta2 above 0");
    if (spec->lazy && spec->kind == FEW__ADAM &&
        spec->beta1 > 0.95 * spec->beta2 * spec->beta2 * sqrt(spec->beta2))
        return few__fail(err, FEW_EINVAL,
                         "optimiser: a lazy one needs a beta1 well below beta2, found %g and %g", spec->beta1,
                         spec->beta2);
    return FEW_OK;
}

enum few_status few__optim_create(const struct few__net *net, const struct few__optim_spec *spec,
                                  const struct few_env *env, struct few__optim **out, struct few_error *err)
{
    *out = NULL;
    FEW__TRY(check(spec, err));
    struct few_env e = few__env(env);
    struct few__optim *optim = FEW__NEW(e.mem, struct few__optim);
    if (!optim) return few__no_memory(err, "an optimiser");
    *optim = (struct few__optim){.mem = e.mem, .spec = *spec, .n = net->n_block};
    optim->v = FEW__NEW_N(e.mem, float, optim->n);
    if (spec->kind == FEW__ADAM) optim->m = FEW__NEW_N(e.mem, float, optim->n);
    if (spec->lazy) optim->late = few__optim_late_create(net, spec, e.mem);
    if (!optim->v || (spec->kind == FEW__ADAM && !optim->m) || (spec->lazy && !optim->late)) {
        few__optim_destroy(optim);
        return few__no_memory(err, "an optimiser");
    }
    *out = optim;
    return FEW_OK;
}

void few__optim_destroy(struct few__optim *optim)
{
    if (!optim) return;
    few__optim_late_destroy(optim->late);
    few__free(optim->mem, optim->m);
    few__free(optim->mem, optim->v);
    few__free(optim->mem, optim);
}

void few__optim_reset(struct few__optim *optim)
{
    optim->t = 0;
    memset(optim->v, 0, optim->n * sizeof *optim->v);
    if (optim->m) memset(optim->m, 0, optim->n * sizeof *optim->m);
    if (optim->late) few__optim_late_reset(optim->late);
}

static struct few__step step_of(const struct few__optim *optim)
{
    const struct few__optim_spec *spec = &optim->spec;
    bool inside = spec->epsilon_place == FEW__EPSILON_INSIDE, adam = spec->kind == FEW__ADAM;
    double first = adam ? 1 - few__power(spec->beta1, optim->t) : 1;
    double second = adam ? 1 - few__power(spec->beta2, optim->t) : 1;
    return (struct few__step){.keep1 = (float)spec->beta1,
                              .take1 = (float)(1 - spec->beta1),
                              .keep2 = (float)spec->beta2,
                              .take2 = (float)(1 - spec->beta2),
                              .rate = (float)(spec->rate / first),
                              .root_scale = (float)(1 / sqrt(second)),
                              .epsilon = inside ? 0 : (float)spec->epsilon,
                              .epsilon_inside = inside ? (float)spec->epsilon : 0,
                              .shrink = (float)(1 - spec->rate * spec->decay)};
}

static void step_span(struct few__optim *optim, struct few__net *net, const struct few__work *work,
                      size_t from, size_t n, const struct few__step *step)
{
    float *p = net->params + from, *v = optim->v + from;
    const float *g = work->grad + from;
    if (optim->m) net->kernels->adam(p, optim->m + from, v, g, n, step);
    else net->kernels->rmsprop(p, v, g, n, step);
}

// Rows that the last backward gave a gradient have all steps before this one.
static void ready_rows(struct few__optim *optim, struct few__net *net, const struct few__work *work)
{
    for (size_t i = 0; i < work->n_dense; i++) few__optim_late_row(optim, net, i);
    for (size_t i = 0; i < work->n_rows; i++) few__optim_late_row(optim, net, work->rows[i]);
}

static void step_rows(struct few__optim *optim, struct few__net *net, const struct few__work *work,
                      const struct few__step *step)
{
    const struct few__layer *layer = &net->layers[0];
    if (work->n_dense > 0) step_span(optim, net, work, layer->weights, work->n_dense * layer->stride, step);
    for (size_t i = 0; i < work->n_dense; i++) few__optim_late_stepped(optim, i);
    for (size_t i = 0; i < work->n_rows; i++) {
        size_t row = work->rows[i];
        if (row < work->n_dense) continue;
        step_span(optim, net, work, layer->weights + row * layer->stride, layer->stride, step);
        few__optim_late_stepped(optim, row);
    }
    step_span(optim, net, work, layer->bias, optim->n - layer->bias, step);
}

void few__optim_step(struct few__optim *optim, struct few__net *net, const struct few__work *work)
{
    assert(optim->n == net->n_block && "an optimiser belongs to its net");
    if (optim->late) {
        ready_rows(optim, net, work);
        few__optim_late_begin(optim);
    }
    optim->t++;
    struct few__step step = step_of(optim);
    if (optim->late) step_rows(optim, net, work, &step);
    else step_span(optim, net, work, 0, optim->n, &step);
}

void few__optim_ready(struct few__optim *optim, struct few__net *net, const struct few__net_input *input)
{
    if (!optim->late) return;
    for (size_t i = 0; input->dense && i < input->n_dense; i++) few__optim_late_row(optim, net, i);
    for (size_t i = 0; input->first && i < input->first[input->n]; i++)
        few__optim_late_row(optim, net, input->index[i]);
}

void few__optim_settle(struct few__optim *optim, struct few__net *net)
{
    for (size_t i = 0; optim->late && i < net->n_in; i++) few__optim_late_row(optim, net, i);
}

void few__optim_set_rate(struct few__optim *optim, struct few__net *net, double rate)
{
    assert(rate > 0 && rate * optim->spec.decay < 1 && "a rate above 0");
    few__optim_settle(optim, net);
    optim->spec.rate = rate;
}
