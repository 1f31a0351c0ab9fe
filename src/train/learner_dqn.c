// SPDX-License-Identifier: Apache-2.0
/* AMS's agents (dqn_train.h) as learners of a policy file. All items are learned from: the rate falls to nothing, so that the
 * last net is as good as the best of a run (docs/dqn.md). */
#include <stdio.h>

#include "core/env.h"
#include "core/error.h"
#include "nn/net_file.h"
#include "train/dqn_train.h"
#include "train/learners.h"

enum { LEAST = 5, STEPS_OF_ITEM = 80, STEPS_MAX = 60000, REPORT_EVERY = 1000, NAME_MAX = 64 };

static bool tell(void *ud, const struct few__dqn_progress *progress)
{
    const struct few__lesson *lesson = ud;
    return !lesson->progress ||
           lesson->progress(lesson->ud, (double)progress->step / (double)progress->steps);
}

static enum few_status put(const struct few__dqn_opts *opts, const struct few__net *net, size_t n_labels,
                           struct few__tensors *tensors, struct few_error *err)
{
    const char *word = few__dqn_kind_name(opts->learn.kind);
    const uint8_t bits = opts->rules.executed_bits;
    const size_t one = 1;
    char name[NAME_MAX];
    void *inputs;
    snprintf(name, sizeof name, "%s.inputs", word);
    FEW__TRY(few__tensors_add(tensors, name, FEW__I32, &opts->rules.n_labels, 1, NULL, &inputs, err));
    for (size_t l = 0; l < n_labels; l++)
        if (opts->rules.label_of[l] != UINT32_MAX) ((int32_t *)inputs)[opts->rules.label_of[l]] = (int32_t)l;
    snprintf(name, sizeof name, "%s.executed_bits", word);
    FEW__TRY(few__tensors_add(tensors, name, FEW__U8, &one, 1, &bits, NULL, err));
    snprintf(name, sizeof name, "%s.net", word);
    return few__net_put(net, tensors, name, err);
}

static enum few_status learn_from(const struct few__lesson *lesson, const struct few__episodes *episodes,
                                  enum few__dqn_kind kind, uint32_t *label_of, struct few__tensors *tensors,
                                  struct few_error *err)
{
    struct few__net *net;
    struct few__dqn_opts opts = few__dqn_defaults(kind);
    FEW__TRY(few__frequent_labels(episodes, LEAST, &lesson->env, label_of, &opts.rules.n_labels, err));
    opts.rules.label_of = label_of;
    opts.seed = lesson->seed;
    opts.steps = lesson->n_items < STEPS_MAX / STEPS_OF_ITEM ? lesson->n_items * STEPS_OF_ITEM : STEPS_MAX;
    opts.every = REPORT_EVERY;
    opts.progress = tell;
    opts.ud = (void *)lesson;
    FEW__TRY(few__dqn_train(episodes, &opts, &lesson->env, &net, err));
    enum few_status status = put(&opts, net, episodes->n_labels, tensors, err);
    few__net_destroy(net);
    return status;
}

static enum few_status learn(const struct few__lesson *lesson, enum few__dqn_kind kind,
                             struct few__tensors *tensors, struct few_error *err)
{
    const struct few_mem *mem = few__env(&lesson->env).mem;
    struct few__trace_episodes *source;
    struct few__episodes episodes;
    if (lesson->n_items == 0 || lesson->trace->catalog.n_models == 0)
        return few__fail(err, FEW_EINVAL, "%s: expected items and models to learn from, found %zu and %zu",
                         few__dqn_kind_name(kind), lesson->n_items, lesson->trace->catalog.n_models);
    FEW__TRY(few__trace_episodes_create(lesson->trace, lesson->items, lesson->n_items, &lesson->env, &source,
                                        &episodes, err));
    uint32_t *label_of = FEW__NEW_N(mem, uint32_t, episodes.n_labels + 1);
    enum few_status status = label_of ? learn_from(lesson, &episodes, kind, label_of, tensors, err)
                                      : few__no_memory(err, few__dqn_kind_name(kind));
    few__free(mem, label_of);
    few__trace_episodes_destroy(source);
    return status;
}

#define AGENT(word, kind)                                                                               \
    static enum few_status learn_##word(const struct few__lesson *lesson, struct few__tensors *tensors, \
                                        struct few_error *err)                                          \
    {                                                                                                   \
        return learn(lesson, kind, tensors, err);                                                       \
    }                                                                                                   \
    const struct few__learner few__learner_##word = {                                                   \
        .name = #word, .learn = learn_##word, .folds = 2, .weight = 20}

AGENT(dqn, FEW__DQN);
AGENT(double_dqn, FEW__DOUBLE_DQN);
AGENT(dueling_dqn, FEW__DUELING_DQN);
AGENT(deep_sarsa, FEW__DEEP_SARSA);
