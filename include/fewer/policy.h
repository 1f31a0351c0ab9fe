// SPDX-License-Identifier: Apache-2.0
/* A policy decides which models run on an item.
 *
 *     PATH[:METHOD]      a file of `fewer train` (learn.h); METHOD: one of its methods, else the one that it prefers
 *     run_all            every model, in the order of the manifest, while there is time
 *     random[:SEED]      a new uniformly random order for each item
 *     static:TRACE       the greedy order by mean marginal value over time, measured on a trace; packed where models
 *                        share lanes or memory
 *     rules:FILE         drawn at random, what has been seen makes some models more or less likely; a yardstick (docs/rules.md)
 *     explore_exploit[:FIRST[:KEEP]]  for streams: everything on the first FIRST (3) frames of each segment, then the models
 *                        that gave at least KEEP (1) of the value there; items of no stream run everything
 *     q_greedy:TRACE     by mean marginal value alone, whatever a model takes: a yardstick */
#ifndef FEWER_POLICY_H
#define FEWER_POLICY_H

#include <fewer/zoo.h>

#ifdef __cplusplus
extern "C" {
#endif

struct few_policy;

/* Make a policy for a zoo.
 *
 * spec   one of the forms above; NULL = "run_all"
 * zoo    borrowed until the policy is closed
 * policy out, owned: few_policy_close
 *
 * Errors: FEW_EINVAL unknown form; a file that does not know a model of the zoo, or knows it otherwise (its labels, its
 *         file ...); FEW_ENOENT, FEW_ESTORE, FEW_EVERSION the trace cannot be read, or lacks a model of the zoo; FEW_EPARSE
 *         no policy, or a damaged one, or mistakes in the rules, with file, line and column; FEW_ENOMEM.
 * Cost:   static and q_greedy read the whole trace once and take O(items x models^2). */
FEW_API FEW_MUST_USE enum few_status few_policy_open(const char *spec, const struct few_zoo *zoo,
                                                     struct few_policy **policy, struct few_error *err);
FEW_API void few_policy_close(struct few_policy *policy);

/* "static:trace.db", as given. */
FEW_API const char *few_policy_name(const struct few_policy *policy);

/* Whether variants are models of their own for it, whatever the session says: for a file they are, since it was learned from a
 * trace of all of them, and its promise counts what each of them adds. */
FEW_API bool few_policy_all_variants(const struct few_policy *policy);

/* What was measured on items that the policy was not learned from, when it stopped at that price. */
struct few_policy_promise {
    size_t size;              // sizeof(struct few_policy_promise), set by the caller
    const char *method;       // borrowed until the policy is closed
    double recall, low, high; // mean, and its 95% interval
    double time_ratio;        // of running everything
    bool
        is_held_out; // false: there were too few items, and it was measured on those that it was learned from
};

/* Stop by itself, where nothing more is worth its time, so that mean recall is as wanted: of a file only, before a session is
 * made with it. Without it a policy goes on as long as there is time. promise: out, or NULL.
 * Errors: FEW_EINVAL another kind of policy, or a recall that it has no price for (0.3 to 1). */
FEW_API FEW_MUST_USE enum few_status few_policy_stop(struct few_policy *policy, double recall,
                                                     struct few_policy_promise *promise,
                                                     struct few_error *err);

#ifdef __cplusplus
}
#endif
#endif
