// SPDX-License-Identifier: Apache-2.0
/* rules: AMS's rule-based baseline (TKDD 2022, section 5; algorithms.md 1.7). All models begin with the weight 1; a model that
 * says a rule's label multiplies the weights of the rule's models; the next model is drawn by weight among those that may
 * start now.
 *
 * Each decision draws anew, from (seed, item, how many models have been started): model m gets E_m, exponential with mean 1,
 * and the smallest E_m / w_m wins, which happens with probability w_m / sum w (Efraimidis and Spirakis 2006). So whatever
 * subset the scheduler may choose from (time, memory, what is loaded), it draws by weight from that subset, and to ask
 * twice changes nothing. */
#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/rng.h"
#include "item/order.h"
#include "item/value.h"
#include "model/rules_file.h"

static const double WEIGHT_MAX = 1e30; // and its reciprocal the least: many rules stay finite

struct by_rules {
    struct few__arena arena;
    const struct few__rules *rules; // borrowed
    size_t n_models;
    uint64_t seed, draw; // draw: of this item
    uint16_t *applied;   // (n_rules,) how often each has been applied on this item
    double *weights;     // (n_models,)
};

static void begin(void *self, const struct few__view *view)
{
    struct by_rules *b = self;
    struct few__rng rng;
    few__rng_init(&rng, b->seed, view->item);
    b->draw = few__rng_next(&rng);
    memset(b->applied, 0, b->rules->n * sizeof *b->applied);
    for (size_t m = 0; m < b->n_models; m++) b->weights[m] = 1;
}

/* The most models that have said one and the same of its labels. The paper's table reads "current model's task, output label,
 * rule": each execution counts. */
static uint16_t times_said(const struct few__rule *rule, const uint16_t *n_said)
{
    uint16_t most = 0;
    for (size_t i = 0; i < rule->n_labels; i++)
        if (n_said[rule->labels[i]] > most) most = n_said[rule->labels[i]];
    return most;
}

static void apply(struct by_rules *b, const struct few__rule *rule)
{
    for (size_t i = 0; i < rule->n_models; i++) {
        double *weight = &b->weights[rule->models[i]];
        *weight = fmin(WEIGHT_MAX, fmax(1 / WEIGHT_MAX, *weight * rule->times));
    }
}

static bool may_start(const struct few__view *view, size_t model)
{
    int need = view->catalog->models[model].needs;
    return view->states[model] == FEW__PENDING &&
           (need < 0 || (view->states[need] == FEW__DONE && view->found[need]));
}

// What waits for its need has 0, so that the average over its chain stays below the need's own ratio.
static void score(void *self, const struct few__view *view, double *q)
{
    struct by_rules *b = self;
    struct few__rng rng;
    for (size_t i = 0; i < b->rules->n; i++) {
        const struct few__rule *rule = &b->rules->rules[i];
        for (uint16_t n = times_said(rule, view->n_said); b->applied[i] < n; b->applied[i]++) apply(b, rule);
    }
    few__rng_init(&rng, b->draw, b->n_models - view->n_pending);
    for (size_t m = 0; m < b->n_models; m++) {
        double e = -log1p(-few__rng_unit(&rng)) + 0x1p-60; // above 0
        q[m] = may_start(view, m) ? (double)few__view_time(view, m) * b->weights[m] / e : 0;
    }
}

static void destroy(void *self)
{
    struct by_rules *b = self;
    const struct few_mem *mem = b->arena.mem;
    few__arena_finish(&b->arena);
    few__free(mem, b);
}

enum few_status few__value_rules(const struct few__rules *rules, const struct few_catalog *catalog,
                                 uint64_t seed, const struct few_env *env, struct few__value *value,
                                 struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    struct by_rules *b = FEW__NEW(e.mem, struct by_rules);
    if (!b) return few__no_memory(err, "policy rules");
    few__arena_init(&b->arena, e.mem, FEW__ITEM_MEMORY_MAX);
    b->rules = rules;
    b->n_models = catalog->n_models;
    b->seed = seed;
    b->applied = FEW__ARENA_NEW(&b->arena, uint16_t, rules->n);
    b->weights = FEW__ARENA_NEW(&b->arena, double, catalog->n_models);
    if (!b->applied || !b->weights) {
        destroy(b);
        return few__no_memory(err, "policy rules");
    }
    *value =
        (struct few__value){.self = b, .name = "rules", .begin = begin, .score = score, .destroy = destroy};
    return FEW_OK;
}
