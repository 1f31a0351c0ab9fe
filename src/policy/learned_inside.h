// SPDX-License-Identifier: Apache-2.0
/* What the parts of a policy file share: learned.c (opening, values, prices), learned_read.c and learned_write.c (its words),
 * learned_map.c (the models of a zoo among those of the policy). */
#ifndef FEW_POLICY_LEARNED_INSIDE_H
#define FEW_POLICY_LEARNED_INSIDE_H

#include "core/mem.h"
#include "policy/learned.h"
#include "policy/method.h"

enum { FEW__POLICY_VERSION = 1 };
enum { FEW__POLICY_METHODS_MAX = 64, FEW__POLICY_STOPS_MAX = 1000 };
#define FEW__POLICY_WORD "fewer.policy" // key of the metadata

struct few__learned {
    struct few_env env;
    struct few__arena arena; // holds what `about` points at
    const char *name;        // of the file
    struct few__tensors *tensors;
    struct few_catalog catalog;
    struct few__learned_about about;
    const struct few__method **rows; // (n_methods,)
    void **selves;                   // (n_methods,)
};

/* The words of a policy: learned->catalog, about, rows. text: JSON.
 * Errors: FEW_EPARSE; FEW_EVERSION; FEW_ENOMEM. */
enum few_status few__learned_read(struct few__learned *learned, const char *text, struct few_error *err);

/* From the numbers of a catalog to those of the policy. Arrays lie in the arena.
 * Errors: FEW_EINVAL a model that the policy does not know, or that has changed since; FEW_ENOMEM. */
enum few_status few__learned_map(const struct few__learned *learned, const struct few_catalog *catalog,
                                 struct few__arena *arena, struct few__method_map *map,
                                 struct few_error *err);

#endif
