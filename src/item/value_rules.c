// SPDX-License-Identifier: Apache-2.0
/* rules: AMS's rule-based baseline (TKDD 2022, section 5; algorithms.md 1.7). All models begin with the weight 1; a rule that
 * holds multiplies those of its models, once; the next model is drawn by weight among those that may start now.
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
    bool *held;          // (n_rules,) rules that hold on this item
    double *weights;     // (n_models,)
};

static void begin(void *self, const struct few__view *view)
{
    struct by_rules *b = self;
    struct few__rng rng;
    few__rng_init(&rng, b->seed, view->item);
    b->draw = few__rng_next(&rng);
    memset(b->held, 0, b->rules->n * sizeof *b->held);
    for (size_t m = 0; m < b->n_models; m++) b->weights[m] = 1;
}

// A label that was seen stays seen, so a rule that holds need not be looked at again.
static bool holds(const struct few__rule *rule, const float *seen)
{
    for (size_t i = 0; i < rule->n_labels; i++)
        if (seen[rule->labels[i]] > 0) return true;
    return false;
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
        if (b->held[i] || !holds(&b->rules->rules[i], view->seen)) continue;
        b->held[i] = true;
        apply(b, &b->rules->rules[i]);
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
    b->held = FEW__ARENA_NEW(&b->arena, bool, rules->n);
    b->weights = FEW__ARENA_NEW(&b->arena, double, catalog->n_models);
    if (!b->held || !b->weights) {
        destroy(b);
        return few__no_memory(err, "policy rules");
    }
    *value =
        (struct few__value){.self = b, .name = "rules", .begin = begin, .score = score, .destroy = destroy};
    return FEW_OK;
}
