// SPDX-License-Identifier: Apache-2.0
/* What a policy file can hold: a row of few__methods for each way of valuing models. Its numbers lie in tensors "NAME.*";
 * src/train has the learner of the same name, which makes them. */
#ifndef FEW_POLICY_METHOD_H
#define FEW_POLICY_METHOD_H

#include "item/sched_deadline.h"
#include "item/value.h"
#include "nn/tensors_file.h"

/* From the numbers of a catalog to those of the policy; UINT32_MAX: the policy does not know it. Models that have a number
 * are alike: kind, labels by index, need. */
struct few__method_map {
    const struct few_catalog *catalog;
    const uint32_t *model_of; // (n_models of the catalog,)
    const uint32_t *label_of; // (n_labels of the catalog,)
};

struct few__method {
    const char *name;
    enum few__rank rank; // not FEW__RANK_VALUE: where it stops is a price for time
    bool blind;          // its order does not depend on what models say
    /* It looks at view->outputs. A rehearsal of an item that nobody has seen has none (NULL) of models that ran. */
    bool has_outputs;

    /* What all its value functions share, out of the tensors, which are borrowed until close. catalog: the policy's own, of
     * the trace that it was learned from; borrowed until close. Errors: FEW_EPARSE, FEW_ENOENT, FEW_ESHAPE; FEW_ENOMEM. */
    enum few_status (*open)(const struct few__tensors *tensors, const struct few_catalog *catalog,
                            const struct few_env *env, void **self, struct few_error *err);
    void (*close)(void *self);

    /* A value function for one item in flight. map, costs (n_models of its catalog,): borrowed until it is destroyed.
     * packs: for Algorithm 2, which wants true magnitudes. The priority of a model in the map's catalog multiplies its value.
     * Errors: FEW_ENOMEM. */
    enum few_status (*value)(const void *self, const struct few__method_map *map,
                             const struct few_cost *costs, bool packs, const struct few_env *env,
                             struct few__value *value, struct few_error *err);
};

/* Row i, the one of that name, or NULL. */
const struct few__method *few__method_at(size_t i);
const struct few__method *few__method_find(const char *name);

/* For methods whose values know of no priorities: the value function with those of the catalog, which multiply what is above 0.
 * value: taken over, also on failure, and given back. Errors: FEW_ENOMEM. */
enum few_status few__method_prior(const struct few_catalog *catalog, const struct few_env *env,
                                  struct few__value *value, struct few_error *err);

#endif
