// SPDX-License-Identifier: Apache-2.0
/* What `fewer train` learned from a trace, and its file: value functions by name, where each of them stops for a wanted
 * recall, and which items it was learned on. docs/policy.md has the form of the file, a safetensors file that any reader
 * of that form opens. */
#ifndef FEW_POLICY_LEARNED_H
#define FEW_POLICY_LEARNED_H

#include "item/sched_deadline.h"
#include "item/value.h"
#include "nn/tensors_file.h"

struct few__learned;

/* Where a method stops, measured on items that it was not fitted on. */
struct few__learned_stop {
    double recall;         // wanted
    double price;          // few__sched_deadline_price; -INFINITY: everything
    double got, low, high; // mean recall there, and its 95% interval
    double time_ratio;     // of running everything
};

struct few__learned_method {
    const char *name; // "static", "dqn", "value_net", ...
    enum few__rank rank;
    bool blind;       // its order does not depend on what models say
    bool has_outputs; // it looks at whole outputs: view->outputs has to be there
    size_t n_stops;
    const struct few__learned_stop *stops; // (n_stops,) by rising recall
    size_t folds; // of cross-fitting; 1: the stops were measured on the items that it was learned from
};

struct few__learned_about {
    uint64_t seed;
    int split; // items whose SHA-1 modulo 100 is below it were learned from
    size_t n_items;
    size_t n_methods;
    const struct few__learned_method *methods; // (n_methods,) valid until close
    size_t preferred;                          // the method that won on held-out items
    size_t n_models;
    const char *const *models;         // (n_models,) names
    const struct few_cost *costs;      // (n_models,) of the trace
    const char *source;                // items whose file names begin with it were learned from; "" = all
    const char *trace;                 // SHA-256 of the trace
    const struct few_catalog *catalog; // of the trace, as far as values depend on it; tasks are ""
};

/* Errors: FEW_ENOENT, FEW_EIO; FEW_EPARSE no policy, or a damaged one; FEW_EVERSION of another version; FEW_ENOMEM. */
enum few_status few__learned_open(const char *path, const struct few_env *env, struct few__learned **learned,
                                  struct few_error *err);
/* The same of bytes in memory, which are copied. name: for messages. */
enum few_status few__learned_parse(const void *bytes, size_t n, const char *name, const struct few_env *env,
                                   struct few__learned **learned, struct few_error *err);
void few__learned_close(struct few__learned *learned);
struct few__learned_about few__learned_about(const struct few__learned *learned);

/* Method i as a value function for this catalog, whose models are those of the policy by name, perhaps in another order.
 * learned and catalog are borrowed until it is destroyed; costs (n_models of the catalog,) as the scheduler sees them.
 * Errors: FEW_EINVAL a model that the policy does not know, or that has changed since; FEW_ENOMEM. */
enum few_status few__learned_value(const struct few__learned *learned, size_t i,
                                   const struct few_catalog *catalog, const struct few_cost *costs,
                                   const struct few_env *env, struct few__value *value,
                                   struct few_error *err);

/* The same for Algorithm 2 (packing), which needs true magnitudes: value that a model adds. Costs are the policy's. */
enum few_status few__learned_gains(const struct few__learned *learned, size_t i,
                                   const struct few_catalog *catalog, const struct few_env *env,
                                   struct few__value *value, struct few_error *err);

/* The price of method i for a wanted recall: on the straight line between its stops.
 * Errors: FEW_EINVAL a recall that none of its stops reaches (the message says which it does). */
enum few_status few__learned_price(const struct few__learned *learned, size_t i, double recall,
                                   struct few__learned_stop *stop, struct few_error *err);

/* What the file holds, borrowed until it is closed: what is kept when another part of it is learned anew. */
const struct few__tensors *few__learned_tensors(const struct few__learned *learned);

/* Write a policy: about (costs and models are those of the catalog) and tensors "NAME.*" of each of its methods. Its words
 * are added to the tensors. Same arguments, same bytes. Errors: FEW_EIO; FEW_ELIMIT; FEW_EINVAL a name that is no UTF-8; FEW_ENOMEM. */
enum few_status few__learned_write(const struct few__learned_about *about, struct few__tensors *tensors,
                                   const char *path, struct few_error *err);

#endif
