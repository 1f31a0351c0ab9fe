// SPDX-License-Identifier: Apache-2.0
// What the kinds of policies share: policy.c (by name), policy_file.c (those that were learned).
#ifndef FEW_POLICY_POLICY_INSIDE_H
#define FEW_POLICY_POLICY_INSIDE_H

#include "core/digest.h"
#include "policy/learned.h"
#include "policy/policy.h"

struct few_policy {
    struct few_env env;
    const struct few_zoo *zoo;
    const struct few__policy_kind *kind;
    char *name;
    uint64_t seed; // random
    size_t first;  // explore_exploit
    double keep;

    // static and q_greedy, (n_models,) each: what the trace says.
    size_t *order;
    double *gain, *found;
    struct few_cost *costs;
    char digest[FEW__SHA256_HEX]; // of the trace, of the rules, or of the file

    struct few__arena arena; // of the rules
    struct few__rules rules;

    // A file.
    struct few__learned *learned;
    size_t method;
    struct few__learned_stop stop; // recall 0: none is wanted; its price holds
};

// What "name" or "name:argument" means.
struct few__policy_kind {
    const char *name;
    enum few_status (*open)(struct few_policy *p, const char *argument,
                            struct few_error *err); // argument: or NULL
    enum few_status (*schedule)(const struct few_policy *p, const struct few_cost *costs, enum few__way way,
                                struct few__sched *sched, struct few_error *err);
};

/* "PATH" or "PATH:METHOD" of a policy file. */
extern const struct few__policy_kind few__policy_file;

/* Whether there is a file of that name, a method behind it or not. */
bool few__policy_is_file(const char *spec);

#endif
