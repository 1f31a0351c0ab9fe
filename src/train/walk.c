// SPDX-License-Identifier: Apache-2.0
#include "train/walk.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"

double few__reward(enum few__reward reward, double theta, double sum)
{
    if (reward == FEW__REWARD_SUM) return theta * sum;
    return sum > 0 ? log1p(theta * sum) : -1;
}

size_t few__walk_labels(const struct few__episodes *episodes, const struct few__walk_rules *rules)
{
    return rules->label_of ? rules->n_labels : episodes->n_labels;
}

enum few_status few__walk_create(const struct few__episodes *episodes, const struct few__walk_rules *rules,
                                 const struct few_env *env, struct few__walk **out, struct few_error *err)
{
    *out = NULL;
    struct few_env e = few__env(env);
    size_t n = episodes->n_models, n_words = n / 64 + 1;
    if (n == 0) return few__fail(err, FEW_EINVAL, "an agent needs models to choose from, found none");
    struct few__walk *walk = FEW__NEW(e.mem, struct few__walk);
    if (!walk) return few__no_memory(err, "episodes");
    *walk = (struct few__walk){
        .mem = e.mem, .episodes = episodes, .rules = *rules, .n_actions = n + 1, .n_words = n_words};
    walk->inputs = FEW__NEW_N(e.mem, uint32_t, episodes->n_labels + n);
    walk->open = FEW__NEW_N(e.mem, uint64_t, n_words);
    walk->ran = FEW__NEW_N(e.mem, bool, n);
    walk->gone = FEW__NEW_N(e.mem, bool, n);
    walk->known = FEW__NEW_N(e.mem, bool, episodes->n_labels + 1);
    walk->known_labels = FEW__NEW_N(e.mem, uint32_t, episodes->n_labels + 1);
    walk->n_labels = few__walk_labels(episodes, rules);
    if (!walk->inputs || !walk->known_labels || !walk->open || !walk->ran || !walk->gone || !walk->known) {
        few__walk_destroy(walk);
        return few__no_memory(err, "episodes");
    }
    *out = walk;
    return FEW_OK;
}

void few__walk_destroy(struct few__walk *walk)
{
    if (!walk) return;
    few__free(walk->mem, walk->inputs);
    few__free(walk->mem, walk->open);
    few__free(walk->mem, walk->ran);
    few__free(walk->mem, walk->gone);
    few__free(walk->mem, walk->known);
    few__free(walk->mem, walk->known_labels);
    few__free(walk->mem, walk);
}

void few__walk_begin(struct few__walk *walk, const struct few__episode_model *models)
{
    size_t n = walk->episodes->n_models;
    while (walk->n_known > 0) walk->known[walk->known_labels[--walk->n_known]] = false;
    walk->n_inputs = 0;
    walk->models = models;
    memset(walk->open, 0, walk->n_words * sizeof *walk->open);
    for (size_t a = 0; a <= n; a++) walk->open[a / 64] |= (uint64_t)1 << a % 64;
    memset(walk->ran, 0, n * sizeof *walk->ran);
    memset(walk->gone, 0, n * sizeof *walk->gone);
    walk->n_open = n;
}

static int need_of(const struct few__walk *walk, size_t model)
{
    return walk->episodes->needs ? walk->episodes->needs[model] : -1;
}

static void close_action(struct few__walk *walk, size_t model)
{
    if (!few__is_open(walk->open, model)) return;
    walk->open[model / 64] &= ~((uint64_t)1 << model % 64);
    walk->n_open--;
}

// Whoever needs it, directly or not, has nothing to look at.
static void lose_users(struct few__walk *walk, size_t model)
{
    for (size_t m = 0; m < walk->episodes->n_models; m++) {
        int need = need_of(walk, m);
        while (need >= 0 && (size_t)need != model) need = need_of(walk, (size_t)need);
        if (need < 0) continue;
        walk->gone[m] = true;
        close_action(walk, m);
    }
}

// Runs one model; the confidences of what is new, added up.
static double run(struct few__walk *walk, size_t model)
{
    const struct few__episode_model *said = &walk->models[model];
    double sum = 0;
    for (size_t i = 0; i < said->n_valuable; i++) {
        size_t label = (size_t)said->valuable[i].label;
        if (walk->known[label]) continue;
        walk->known[label] = true;
        walk->known_labels[walk->n_known++] = (uint32_t)label;
        uint32_t input = walk->rules.label_of ? walk->rules.label_of[label] : (uint32_t)label;
        if (input != UINT32_MAX) walk->inputs[walk->n_inputs++] = input;
        sum += (double)said->valuable[i].confidence;
    }
    walk->ran[model] = true;
    if (walk->rules.executed_bits) walk->inputs[walk->n_inputs++] = (uint32_t)(walk->n_labels + model);
    if (!walk->rules.repeats) close_action(walk, model);
    if (!said->found) lose_users(walk, model);
    return sum;
}

// Needs first. Whether the model can run then.
static bool run_needs(struct few__walk *walk, size_t model)
{
    for (;;) {
        size_t next = model;
        for (int need = need_of(walk, model); need >= 0; need = need_of(walk, (size_t)need))
            if (!walk->ran[need]) next = (size_t)need;
        if (next == model) return true;
        run(walk, next);
        if (walk->gone[model]) return false;
    }
}

static bool all_done(const struct few__walk *walk)
{
    if (!walk->rules.repeats) return walk->n_open == 0;
    for (size_t m = 0; m < walk->episodes->n_models; m++)
        if (!walk->ran[m] && !walk->gone[m]) return false;
    return true;
}

double few__walk_step(struct few__walk *walk, size_t action, bool *ended)
{
    assert(action < walk->n_actions && few__is_open(walk->open, action) && "an action that cannot be taken");
    *ended = action == walk->episodes->n_models;
    if (*ended) return 0;
    double reward = 0, theta = walk->rules.theta ? walk->rules.theta[action] : 1;
    if (walk->ran[action]) reward = few__reward(walk->rules.reward, theta, 0);
    else if (run_needs(walk, action)) reward = few__reward(walk->rules.reward, theta, run(walk, action));
    *ended = all_done(walk);
    return reward;
}
