// SPDX-License-Identifier: Apache-2.0
/* Value functions: how much a model is expected to add on this item, given what is known so far. One file
 * each (value_<name>.c); sched_deadline turns values into decisions. */
#ifndef FEW_ITEM_VALUE_H
#define FEW_ITEM_VALUE_H

#include "exec/view.h"
#include "model/rules_file.h"
#include "store/trace.h"

struct few__value {
    void *self;
    const char *name;
    void (*begin)(void *self, const struct few__view *view); // a new item; may be NULL
    /* q: (n_models,) out; only pending models are read. Finite: the scheduler takes NaN for minus infinity.
     * Allocates nothing. */
    void (*score)(void *self, const struct few__view *view, double *q);
    void (*destroy)(void *self); // may be NULL
};

/* Every model by rising index of the catalog, a need brought forward to just before its first user: run_all.
 * Errors, here and below: FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__value_run_all(const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err);

/* A new uniformly random order for each item, drawn from (seed, item) alone; needs come forward as above. */
enum few_status few__value_random(const struct few_catalog *catalog, uint64_t seed, const struct few_env *env,
                                  struct few__value *value, struct few_error *err);

/* The greedy order by mean marginal value over time, measured on items[0 .. n_items-1] of a trace (a chain is
 * charged whole). `costs` as the scheduler will see them. q / time falls along that order. */
enum few_status few__value_static(const struct few__trace *trace, const size_t *items, size_t n_items,
                                  const struct few_cost *costs, const struct few_env *env,
                                  struct few__value *value, struct few_error *err);

/* The same order for a catalog whose models are those of the trace by name, perhaps in another order.
 * order: (n_models,) out, model indices. Errors: FEW_ENOMEM. */
enum few_status few__static_order(const struct few__trace *trace, const size_t *items, size_t n_items,
                                  const struct few_cost *costs, const struct few_env *env, size_t *order,
                                  struct few_error *err);

/* The same with what Algorithm 2 and Q-greedy need: true magnitudes. Arrays are (n_models,), the caller's;
 * those that are NULL are not filled. */
struct few__static_plan {
    size_t *order;
    double *gain;  // mean value that a model adds where it stands in the order
    double *found; // share of the items on which it found something
};
enum few_status few__static_plan(const struct few__trace *trace, const size_t *items, size_t n_items,
                                 const struct few_cost *costs, const struct few_env *env,
                                 const struct few__static_plan *plan, struct few_error *err);

/* The same with scratch from an arena, which is left as it is. */
enum few_status few__static_plan_in(struct few__arena *arena, const struct few__trace *trace,
                                    const size_t *items, size_t n_items, const struct few_cost *costs,
                                    const struct few__static_plan *plan, struct few_error *err);

/* Fixed gains as a value function. Once a need has found something, those of its users are divided by how often it
 * does: a gain is a mean over all items. gain, found: (n_models,) copied; found NULL = 1; name: borrowed.
 * Errors: FEW_ENOMEM. */
enum few_status few__value_gains(const double *gain, const double *found, size_t n_models, const char *name,
                                 const struct few_env *env, struct few__value *value, struct few_error *err);

/* A fixed order as a value function. order: (n_models,) copied, every model once, a need before its users
 * (else the chain's average breaks the order); name: borrowed; costs as the scheduler will see them.
 * Errors: FEW_EINVAL not every model once; FEW_ENOMEM. */
enum few_status few__value_order(const size_t *order, size_t n_models, const char *name,
                                 const struct few_cost *costs, const struct few_env *env,
                                 struct few__value *value, struct few_error *err);

/* explore_exploit: of an item whose view has gains these, a cheaper variant with those of the dearer ones that are held
 * until it has answered; of any other item as run_all. For FEW__RANK_STOP: what adds nothing is left out. */
enum few_status few__value_segment(const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err);

/* AMS's rule-based baseline: the next model is drawn by weight among those that may start, from (seed, item) and how many
 * have been started alone; rules whose label has been seen multiply weights. For FEW__RANK_RATIO. rules: of this
 * catalog, borrowed. Scoring takes O(models + labels that the rules name). Errors: FEW_ENOMEM. */
enum few_status few__value_rules(const struct few__rules *rules, const struct few_catalog *catalog,
                                 uint64_t seed, const struct few_env *env, struct few__value *value,
                                 struct few_error *err);

/* The true marginal value of each model on the item (view->item = row of the trace): replay only. */
enum few_status few__value_oracle(const struct few__trace *trace, const struct few_env *env,
                                  struct few__value *value, struct few_error *err);

/* TK's optimal policy: by falling total (not marginal) true value, whatever the time. Replay only. */
enum few_status few__value_oracle_total(const struct few__trace *trace, const struct few_env *env,
                                        struct few__value *value, struct few_error *err);

#endif
