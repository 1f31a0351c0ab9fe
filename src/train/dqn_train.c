// SPDX-License-Identifier: Apache-2.0
/* The loop: take an action, remember, learn. Items come in a new random order each time all have been seen. */
#include "train/dqn_train.h"

#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"

enum { POOL = 64 }; // inputs remembered for each transition, on average

enum { STREAM_INIT = 1, STREAM_ITEMS, STREAM_ACTIONS, STREAM_BATCHES }; // of the seed

struct train {
    const struct few__episodes *episodes;
    const struct few__dqn_opts *opts;
    const struct few_mem *mem;
    struct few__dqn_learner *learner;
    struct few__replay_memory *memory;
    struct few__walk *walk;
    struct few__transition *sample; // (batch,)
    struct few__rng actions, batches, order;
    size_t *items; // a random order of all
    size_t at;     // the next one
    bool walking;
    size_t next; // SARSA: the action that was chosen already; SIZE_MAX = none
    uint64_t step, episodes_done;
    double loss, reward; // sums since the last report
    uint64_t n_losses, n_rewards;
    float *best_params;
    double best;
    size_t n_worse;
    struct few_error *err;
};

struct few__dqn_opts few__dqn_defaults(enum few__dqn_kind kind)
{
    struct few__dqn_opts opts = {.rules = {.reward = FEW__REWARD_SUM, .executed_bits = true},
                                 .steps = 60000,
                                 .memory = 50000,
                                 .warm = 1000,
                                 .rate_last = 0.01,
                                 .epsilon_first = 1,
                                 .epsilon_last = 0.05,
                                 .epsilon_share = 0.5};
    opts.learn = (struct few__dqn_learn_opts){
        .kind = kind, .hidden = 256, .batch = 32, .sync = 500, .gamma = 0.1, .delta = 0, .optim = few__adam};
    opts.learn.optim.decay = 2;
    opts.learn.optim.lazy = true; // states are sparse
    return opts;
}

/* ---- life ---- */

static bool is_share(double x)
{
    return x >= 0 && x <= 1;
}

static enum few_status check(const struct few__episodes *episodes, const struct few__dqn_opts *o,
                             struct few_error *err)
{
    if (episodes->n_items == 0)
        return few__fail(err, FEW_EINVAL, "an agent needs items to learn from, found none");
    if (o->steps == 0) return few__fail(err, FEW_EINVAL, "agent: expected at least 1 step, found 0");
    if (!is_share(o->epsilon_first) || !is_share(o->epsilon_last) || !is_share(o->epsilon_share))
        return few__fail(err, FEW_EINVAL, "agent: expected epsilons in 0 .. 1, found %g, %g and %g",
                         o->epsilon_first, o->epsilon_last, o->epsilon_share);
    if (!(o->rate_last > 0 && o->rate_last <= 1))
        return few__fail(err, FEW_EINVAL, "agent: expected the last rate as a share in (0, 1], found %g",
                         o->rate_last);
    for (size_t m = 0; o->rules.theta && m < episodes->n_models; m++)
        if (!(o->rules.theta[m] > 0 && o->rules.theta[m] < INFINITY))
            return few__fail(err, FEW_EINVAL, "model %zu: expected a priority above 0, found %g", m,
                             o->rules.theta[m]);
    return FEW_OK;
}

static enum few_status begin(struct train *t, const struct few_env *env)
{
    const struct few__episodes *e = t->episodes;
    const struct few__dqn_opts *o = t->opts;
    struct few__rng init;
    size_t n_labels = few__walk_labels(e, &o->rules), longest = n_labels + e->n_models;
    size_t n_in = n_labels + (o->rules.executed_bits ? e->n_models : 0);
    size_t pool = o->memory > SIZE_MAX / POOL ? SIZE_MAX : o->memory * POOL;
    few__rng_init(&init, o->seed, STREAM_INIT);
    few__rng_init(&t->order, o->seed, STREAM_ITEMS);
    few__rng_init(&t->actions, o->seed, STREAM_ACTIONS);
    few__rng_init(&t->batches, o->seed, STREAM_BATCHES);
    FEW__TRY(few__walk_create(e, &o->rules, env, &t->walk, t->err));
    FEW__TRY(few__replay_memory_create(o->memory, t->walk->n_words, longest, pool > longest ? pool : longest,
                                       env, &t->memory, t->err));
    FEW__TRY(few__dqn_learner_create(&o->learn, n_in, e->n_models + 1, &init, env, &t->learner, t->err));
    t->sample = FEW__NEW_N(t->mem, struct few__transition, o->learn.batch);
    t->items = FEW__NEW_N(t->mem, size_t, e->n_items);
    if (o->measure) t->best_params = FEW__NEW_N(t->mem, float, t->learner->net->n_block);
    if (!t->sample || !t->items || (o->measure && !t->best_params)) return few__no_memory(t->err, "agent");
    for (size_t i = 0; i < e->n_items; i++) t->items[i] = i;
    t->at = e->n_items;
    t->next = SIZE_MAX;
    t->best = INFINITY;
    return FEW_OK;
}

static void finish(struct train *t)
{
    few__dqn_learner_destroy(t->learner);
    few__replay_memory_destroy(t->memory);
    few__walk_destroy(t->walk);
    few__free(t->mem, t->sample);
    few__free(t->mem, t->items);
    few__free(t->mem, t->best_params);
}

// In a hundred stairs.
static void set_rate(struct train *t)
{
    uint64_t stair = t->opts->steps / 100 + 1;
    if (t->opts->rate_last == 1 || t->step % stair != 0) return;
    double share = 1 - (1 - t->opts->rate_last) * (double)t->step / (double)t->opts->steps;
    few__optim_set_rate(t->learner->optim, t->learner->net, share * t->opts->learn.optim.rate);
}

/* ---- acting ---- */

static double epsilon(const struct train *t)
{
    double over = t->opts->epsilon_share * (double)t->opts->steps;
    double share = over > 0 ? fmin(1, (double)t->step / over) : 1;
    return t->opts->epsilon_first + share * (t->opts->epsilon_last - t->opts->epsilon_first);
}

static size_t random_action(struct train *t)
{
    uint64_t left = few__rng_below(&t->actions, t->walk->n_open + 1); // END too
    size_t action = 0;
    while (!few__is_open(t->walk->open, action) || left-- > 0) action++;
    return action;
}

static size_t choose(struct train *t)
{
    if (few__rng_unit(&t->actions) < epsilon(t)) return random_action(t);
    const float *q = few__dqn_q(t->learner, t->walk->inputs, t->walk->n_inputs);
    size_t best = few__dqn_best(q, t->walk->open, t->walk->n_actions);
    return best == SIZE_MAX ? t->episodes->n_models : best; // only NaN
}

static enum few_status next_item(struct train *t)
{
    const struct few__episode_model *models;
    if (t->at == t->episodes->n_items) {
        few__rng_shuffle(&t->order, t->items, t->episodes->n_items);
        t->at = 0;
    }
    FEW__TRY(t->episodes->get(t->episodes->self, t->items[t->at++], &models, t->err));
    few__walk_begin(t->walk, models);
    t->walking = true;
    t->next = SIZE_MAX;
    return FEW_OK;
}

static enum few_status act(struct train *t)
{
    if (!t->walking) FEW__TRY(next_item(t));
    size_t action = t->next != SIZE_MAX ? t->next : choose(t);
    struct few__transition transition = {.n_before = (uint32_t)t->walk->n_inputs, .action = (uint32_t)action};
    bool ended;
    double reward = few__walk_step(t->walk, action, &ended);
    t->next = t->opts->learn.kind == FEW__DEEP_SARSA && !ended ? choose(t) : SIZE_MAX;
    transition.inputs = t->walk->inputs;
    transition.n_after = (uint32_t)t->walk->n_inputs;
    transition.next_action = ended || t->next == SIZE_MAX ? 0 : (uint32_t)t->next;
    transition.reward = (float)reward;
    transition.ended = ended;
    transition.open = t->walk->open;
    few__replay_memory_push(t->memory, &transition);
    t->walking = !ended;
    t->reward += reward;
    t->n_rewards += ended;
    t->episodes_done += ended;
    return FEW_OK;
}

/* ---- learning ---- */

static enum few_status learn(struct train *t)
{
    size_t n = few__replay_memory_n(t->memory);
    double loss;
    if (n < t->opts->warm && n < t->opts->memory) return FEW_OK;
    for (size_t s = 0; s < t->opts->learn.batch; s++)
        t->sample[s] = few__replay_memory_at(t->memory, (size_t)few__rng_below(&t->batches, n));
    FEW__TRY(few__dqn_learn(t->learner, t->sample, t->opts->learn.batch, &loss, t->err));
    t->loss += loss;
    t->n_losses++;
    return FEW_OK;
}

static enum few_status measure(struct train *t, struct few__dqn_progress *progress)
{
    struct few__net *net = t->learner->net;
    if (!t->opts->measure) return FEW_OK;
    few__dqn_settle(t->learner);
    FEW__TRY(t->opts->measure(t->opts->ud, net, &progress->measure, t->err));
    progress->measured = true;
    t->n_worse++;
    if (progress->measure < t->best) {
        t->best = progress->measure;
        t->n_worse = 0;
        memcpy(t->best_params, net->params, net->n_block * sizeof *net->params);
    }
    progress->best = t->best;
    return FEW_OK;
}

static enum few_status report(struct train *t)
{
    struct few__dqn_progress progress = {.step = t->step,
                                         .steps = t->opts->steps,
                                         .episodes = t->episodes_done,
                                         .epsilon = epsilon(t),
                                         .loss = t->n_losses ? t->loss / (double)t->n_losses : 0,
                                         .reward = t->n_rewards ? t->reward / (double)t->n_rewards : 0};
    FEW__TRY(measure(t, &progress));
    t->loss = t->reward = 0;
    t->n_losses = t->n_rewards = 0;
    if (!t->opts->progress || t->opts->progress(t->opts->ud, &progress)) return FEW_OK;
    return few__fail(t->err, FEW_ECANCELED, "training was cancelled after %llu steps",
                     (unsigned long long)t->step);
}

static enum few_status loop(struct train *t)
{
    const struct few__dqn_opts *o = t->opts;
    while (t->step < o->steps) {
        set_rate(t);
        FEW__TRY(act(t));
        FEW__TRY(learn(t));
        t->step++;
        if (t->step == o->steps || (o->every > 0 && t->step % o->every == 0)) FEW__TRY(report(t));
        if (o->patience > 0 && t->n_worse >= o->patience) break;
    }
    struct few__net *net = t->learner->net;
    few__dqn_settle(t->learner);
    if (t->best < INFINITY) memcpy(net->params, t->best_params, net->n_block * sizeof *net->params);
    return FEW_OK;
}

enum few_status few__dqn_train(const struct few__episodes *episodes, const struct few__dqn_opts *opts,
                               const struct few_env *env, struct few__net **net, struct few_error *err)
{
    struct few_env e = few__env(env);
    struct train t = {.episodes = episodes, .opts = opts, .mem = e.mem, .err = err};
    *net = NULL;
    FEW__TRY(check(episodes, opts, err));
    enum few_status status = begin(&t, &e);
    if (status == FEW_OK) status = loop(&t);
    if (status == FEW_OK) {
        *net = t.learner->net;
        t.learner->net = NULL;
    }
    finish(&t);
    return status;
}
