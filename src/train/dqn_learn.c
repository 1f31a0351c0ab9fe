// SPDX-License-Identifier: Apache-2.0
#include "train/dqn_learn.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "train/walk.h"

const char *few__dqn_kind_name(enum few__dqn_kind kind)
{
    static const char *const names[] = {"dqn", "double_dqn", "dueling_dqn", "deep_sarsa"};
    return (unsigned)kind < FEW__DQN_KIND_COUNT ? names[kind] : "";
}

/* ---- life ---- */

static enum few_status check(const struct few__dqn_learn_opts *o, struct few_error *err)
{
    if ((unsigned)o->kind >= FEW__DQN_KIND_COUNT)
        return few__fail(err, FEW_EINVAL, "agent: no kind %d", (int)o->kind);
    if (o->hidden < 1 || o->hidden > FEW__DQN_HIDDEN_MAX)
        return few__fail(err, FEW_EINVAL, "agent: expected 1 to %d hidden units, found %zu",
                         FEW__DQN_HIDDEN_MAX, o->hidden);
    if (o->batch < 1 || o->batch > FEW__DQN_BATCH_MAX)
        return few__fail(err, FEW_EINVAL, "agent: expected batches of 1 to %d, found %zu", FEW__DQN_BATCH_MAX,
                         o->batch);
    if (o->sync < 1)
        return few__fail(err, FEW_EINVAL,
                         "agent: expected at least 1 update between synchronisations, found 0");
    if (!(o->gamma >= 0 && o->gamma <= 1))
        return few__fail(err, FEW_EINVAL, "agent: expected a discount in 0 .. 1, found %g", o->gamma);
    if (!(o->delta >= 0 && o->delta < INFINITY))
        return few__fail(err, FEW_EINVAL, "agent: expected a delta of at least 0, found %g",
                         (double)o->delta);
    return FEW_OK;
}

static enum few_status make_nets(struct few__dqn_learner *l, size_t n_in, size_t n_actions,
                                 const struct few_env *env, struct few_error *err)
{
    struct few__net_spec spec = {.n_in = n_in,
                                 .n_layers = 2,
                                 .layers = {{l->opts.hidden, FEW__RELU, 0}, {n_actions, FEW__LINEAR, 0}},
                                 .dueling = l->opts.kind == FEW__DUELING_DQN};
    FEW__TRY(few__net_create(&spec, env, &l->net, err));
    FEW__TRY(few__net_create(&spec, env, &l->target, err));
    FEW__TRY(few__work_create(l->net, l->opts.batch, env, &l->work, err));
    FEW__TRY(few__work_create(l->net, l->opts.batch, env, &l->work_next, err));
    FEW__TRY(few__single_create(l->net, env, &l->single, err));
    FEW__TRY(few__optim_create(l->net, &l->opts.optim, env, &l->optim, err));
    for (int i = 0; i < 2; i++) l->first[i] = FEW__NEW_N(l->mem, uint32_t, l->opts.batch + 1);
    l->actions = FEW__NEW_N(l->mem, uint32_t, l->opts.batch);
    l->picked = FEW__NEW_N(l->mem, uint32_t, l->opts.batch);
    l->y = FEW__NEW_N(l->mem, float, l->opts.batch);
    if (!l->first[0] || !l->first[1] || !l->actions || !l->picked || !l->y)
        return few__no_memory(err, "agent");
    return FEW_OK;
}

enum few_status few__dqn_learner_create(const struct few__dqn_learn_opts *opts, size_t n_in, size_t n_actions,
                                        struct few__rng *rng, const struct few_env *env,
                                        struct few__dqn_learner **out, struct few_error *err)
{
    *out = NULL;
    FEW__TRY(check(opts, err));
    struct few_env e = few__env(env);
    struct few__dqn_learner *l = FEW__NEW(e.mem, struct few__dqn_learner);
    if (!l) return few__no_memory(err, "agent");
    *l = (struct few__dqn_learner){.mem = e.mem, .opts = *opts};
    enum few_status status = make_nets(l, n_in, n_actions, &e, err);
    if (status != FEW_OK) {
        few__dqn_learner_destroy(l);
        return status;
    }
    few__net_init(l->net, FEW__GLOROT_UNIFORM, rng);
    memcpy(l->target->params, l->net->params, l->net->n_block * sizeof *l->net->params);
    *out = l;
    return FEW_OK;
}

void few__dqn_learner_destroy(struct few__dqn_learner *learner)
{
    if (!learner) return;
    few__optim_destroy(learner->optim);
    few__single_destroy(learner->single);
    few__work_destroy(learner->work);
    few__work_destroy(learner->work_next);
    few__net_destroy(learner->net);
    few__net_destroy(learner->target);
    for (int i = 0; i < 2; i++) {
        few__free(learner->mem, learner->first[i]);
        few__free(learner->mem, learner->index[i]);
    }
    few__free(learner->mem, learner->actions);
    few__free(learner->mem, learner->picked);
    few__free(learner->mem, learner->y);
    few__free(learner->mem, learner);
}

/* ---- targets ---- */

size_t few__dqn_best(const float *q, const uint64_t *open, size_t n_actions)
{
    size_t best = SIZE_MAX;
    for (size_t a = 0; a < n_actions; a++)
        if (few__is_open(open, a) && !isnan(q[a]) && (best == SIZE_MAX || q[a] > q[best])) best = a;
    return best;
}

const float *few__dqn_q(struct few__dqn_learner *l, const uint32_t *inputs, size_t n_inputs)
{
    const uint32_t first[2] = {0, (uint32_t)n_inputs};
    few__optim_ready(l->optim, l->net, &(struct few__net_input){.n = 1, .first = first, .index = inputs});
    few__single_begin(l->single);
    few__single_add(l->single, inputs, NULL, n_inputs);
    return few__single_out(l->single);
}

void few__dqn_settle(struct few__dqn_learner *l)
{
    few__optim_settle(l->optim, l->net);
}

// Lays the states of the batch, before (0) or after (1) their actions, one after the other.
static enum few_status lay_out(struct few__dqn_learner *l, const struct few__transition *batch, size_t n,
                               int after, struct few__net_input *input, struct few_error *err)
{
    size_t total = 0;
    for (size_t s = 0; s < n; s++) total += after ? batch[s].n_after : batch[s].n_before;
    if (total > l->index_room[after] || !l->index[after]) {
        uint32_t *grown = few__resize(l->mem, l->index[after], 2 * total + 64, sizeof *grown);
        if (!grown) return few__no_memory(err, "agent");
        l->index[after] = grown;
        l->index_room[after] = 2 * total + 64;
    }
    uint32_t at = 0;
    for (size_t s = 0; s < n; s++) {
        uint32_t length = after ? batch[s].n_after : batch[s].n_before;
        l->first[after][s] = at;
        if (length > 0) memcpy(l->index[after] + at, batch[s].inputs, length * sizeof *l->index[after]);
        at += length;
    }
    l->first[after][n] = at;
    *input = (struct few__net_input){.n = n, .first = l->first[after], .index = l->index[after]};
    return FEW_OK;
}

// Whether Q itself, not its copy, says which action follows.
static bool picks_online(const struct few__dqn_learn_opts *opts)
{
    return opts->kind == FEW__DOUBLE_DQN || (opts->kind == FEW__DUELING_DQN && opts->dueling_double);
}

static void pick(struct few__dqn_learner *l, const struct few__transition *batch, size_t n, const float *q)
{
    for (size_t s = 0; s < n; s++) {
        size_t best = few__dqn_best(q + s * l->work->out_stride, batch[s].open, l->net->n_out);
        l->picked[s] = best == SIZE_MAX ? UINT32_MAX : (uint32_t)best;
    }
}

enum few_status few__dqn_targets(struct few__dqn_learner *l, const struct few__transition *batch, size_t n,
                                 struct few_error *err)
{
    assert(n >= 1 && n <= l->opts.batch && "a batch that the learner has room for");
    for (size_t s = 0; s < n; s++) l->y[s] = batch[s].reward;
    if (l->opts.gamma == 0) return FEW_OK;
    FEW__TRY(lay_out(l, batch, n, 1, &l->after, err));
    if (picks_online(&l->opts)) {
        few__optim_ready(l->optim, l->net, &l->after);
        pick(l, batch, n, few__net_forward(l->net, l->work, &l->after, NULL));
    }
    const float *q = few__net_forward(l->target, l->work_next, &l->after, NULL);
    if (l->opts.kind == FEW__DEEP_SARSA)
        for (size_t s = 0; s < n; s++) l->picked[s] = batch[s].next_action;
    else if (!picks_online(&l->opts)) pick(l, batch, n, q);
    for (size_t s = 0; s < n; s++)
        if (!batch[s].ended && l->picked[s] != UINT32_MAX)
            l->y[s] += (float)l->opts.gamma * q[s * l->work_next->out_stride + l->picked[s]];
    return FEW_OK;
}

enum few_status few__dqn_learn(struct few__dqn_learner *l, const struct few__transition *batch, size_t n,
                               double *loss, struct few_error *err)
{
    const struct few__loss how = {
        .kind = l->opts.delta > 0 ? FEW__HUBER : FEW__SQUARED, .delta = l->opts.delta, .scale = 1 / (float)n};
    FEW__TRY(few__dqn_targets(l, batch, n, err));
    FEW__TRY(lay_out(l, batch, n, 0, &l->before, err));
    for (size_t s = 0; s < n; s++) l->actions[s] = batch[s].action;
    few__optim_ready(l->optim, l->net, &l->before);
    few__net_forward(l->net, l->work, &l->before, NULL);
    few__net_loss_picked(l->net, l->work, &how, l->actions, l->y, NULL, loss);
    few__net_backward(l->net, l->work, &l->before);
    few__optim_step(l->optim, l->net, l->work);
    if (++l->n_updates % l->opts.sync != 0 || l->opts.gamma == 0) return FEW_OK;
    few__dqn_settle(l);
    memcpy(l->target->params, l->net->params, l->net->n_block * sizeof *l->net->params);
    return FEW_OK;
}
