// SPDX-License-Identifier: Apache-2.0
/* Replaying methods on a trace, between evaluate.c (what is asked), eval_replay.c (one method) and eval_json.c (the
 * answer). docs/evaluate.md defines every number. */
#ifndef FEW_SESSION_EVAL_H
#define FEW_SESSION_EVAL_H

#include "core/text.h"
#include "item/value.h"

enum { FEW__EVAL_RECALLS_MAX = 100, FEW__EVAL_DEADLINES_MAX = 100 };

/* Means over the test items (sums while they are made; times in microseconds). */
struct few__eval_point {
    double time_ratio; // of running everything; while summed: microseconds
    double models;     // executed
    double recall, label_recall;
    double agreement; // with exact execution, a model that did not run having said nothing
    double late;      // models cut off by the deadline
};

/* One item when everything ran. */
struct few__eval_whole {
    double value;     // sum over its valuable labels of the highest confidence
    double n_labels;  // how many those are
    double time_us;   // of all models that ran
    double unanimous; // models whose exact output is "nothing": they agree although they did not run
};

/* What is asked, and what every method shares. Lies in the arena. */
struct few__eval {
    struct few_env env;
    struct few__arena *arena;
    const struct few__trace *trace;
    size_t n_train, n_test;
    const size_t *train, *test; // rows of the trace
    size_t n_incomplete;        // items left out because a model neither ran nor failed
    bool same_items;            // too few for a split: all items train and test
    uint64_t seed;
    const struct few_cost *costs;         // (n_models,) of the catalog
    const struct few__eval_whole *wholes; // (n_test,)
    double run_all_us;                    // sum over the test items
    size_t n_recalls, n_deadlines;
    double recalls[FEW__EVAL_RECALLS_MAX];
    int64_t deadlines_us[FEW__EVAL_DEADLINES_MAX];
};

struct few__eval_method {
    const char *name;
    bool blind; // its order does not depend on what models say
    enum few_status (*value)(const struct few__eval *eval, struct few__value *value, struct few_error *err);
};

struct few__eval_result {
    const struct few__eval_method *method;
    struct few__eval_point *recall;   // (n_recalls,) stopped when the truth says that the recall is reached
    struct few__eval_point *stop;     // (n_recalls,) stopped after a number of models, at that mean recall
    struct few__eval_point *deadline; // (n_deadlines,)
};

/* Replay one method on all test items. result: its arrays lie in the arena. Errors: FEW_ENOMEM. */
enum few_status few__eval_replay(const struct few__eval *eval, const struct few__eval_method *method,
                                 struct few__eval_result *result, struct few_error *err);

/* What the item amounts to when everything runs. seen: (n_labels,) zeros, left so. */
struct few__eval_whole few__eval_whole(const struct few__trace *trace, size_t item, float *seen);

/* Append the JSON object. */
void few__eval_json(const struct few__eval *eval, const struct few__eval_result *results, size_t n_results,
                    struct few__text *text);

#endif
