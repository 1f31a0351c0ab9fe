// SPDX-License-Identifier: Apache-2.0
#include "nn/optim.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"

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
    if (!(spec->epsilon >= 0 && spec->epsilon < INFINITY))
        return few__fail(err, FEW_EINVAL, "optimiser: expected an epsilon of at least 0, found %g",
                         spec->epsilon);
    if (!(spec->decay >= 0 && spec->decay * spec->rate < 1))
        return few__fail(err, FEW_EINVAL,
                         "optimiser: expected a decay of at least 0 and below 1 / rate, found %g",
                         spec->decay);
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
    if (!optim->v || (spec->kind == FEW__ADAM && !optim->m)) {
        few__optim_destroy(optim);
        return few__no_memory(err, "an optimiser");
    }
    *out = optim;
    return FEW_OK;
}

void few__optim_destroy(struct few__optim *optim)
{
    if (!optim) return;
    few__free(optim->mem, optim->m);
    few__free(optim->mem, optim->v);
    few__free(optim->mem, optim);
}

void few__optim_reset(struct few__optim *optim)
{
    optim->t = 0;
    memset(optim->v, 0, optim->n * sizeof *optim->v);
    if (optim->m) memset(optim->m, 0, optim->n * sizeof *optim->m);
}

static struct few__step step_of(const struct few__optim *optim)
{
    const struct few__optim_spec *spec = &optim->spec;
    bool inside = spec->epsilon_place == FEW__EPSILON_INSIDE, adam = spec->kind == FEW__ADAM;
    double t = (double)optim->t, first = adam ? 1 - pow(spec->beta1, t) : 1,
           second = adam ? 1 - pow(spec->beta2, t) : 1;
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

void few__optim_step(struct few__optim *optim, struct few__net *net, const struct few__work *work)
{
    assert(optim->n == net->n_block && "an optimiser belongs to its net");
    optim->t++;
    struct few__step step = step_of(optim);
    if (optim->m) net->kernels->adam(net->params, optim->m, optim->v, work->grad, optim->n, &step);
    else net->kernels->rmsprop(net->params, optim->v, work->grad, optim->n, &step);
}
