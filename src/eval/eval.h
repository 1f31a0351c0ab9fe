// SPDX-License-Identifier: Apache-2.0
/* Replaying methods on a trace, between eval_open.c (what is asked), evaluate.c (every method that is), eval_methods.c (which
 * there are), eval_replay.c (one method, one model after the other, on the lane of eval_lane.c, at the prices of
 * eval_prices.c), eval_memory.c (in parallel within shared memory), eval_bound.c (what the truth allows), eval_explore.c and
 * eval_reuse.c (streams), which share eval_item.c, eval_tally.c, eval_draw.c and eval_resample.c (intervals), eval_priority.c,
 * eval_plan.c (few_plan) and eval_json.c (the answer). docs/evaluate.md defines every number. */
#ifndef FEW_EVAL_EVAL_H
#define FEW_EVAL_EVAL_H

#include <fewer/session.h>
#include <fewer/trace.h>

#include "core/text.h"
#include "exec/exec_sim.h"
#include "item/sched_deadline.h"
#include "policy/learned.h"

#define FEW__EVAL_SLACK       1e-9 // what sums in another order may differ by, relative
#define FEW__EVAL_SCRATCH_MAX ((size_t)8 << 30)

enum { FEW__EVAL_SOURCES_MAX = 32, FEW__EVAL_DRAWS = 1000, FEW__EVAL_PRIORITIES = 4 };
enum { FEW__EVAL_KEEPS = 12, FEW__EVAL_BUDGETS = 10 };
enum { FEW__EVAL_RECALLS_MAX = 100, FEW__EVAL_DEADLINES_MAX = 100, FEW__EVAL_MEMORIES_MAX = 100 };

/* Means over the test items (sums while they are made; times in microseconds). */
struct few__eval_point {
    double time_ratio; // of running everything; while summed: microseconds
    double models;     // executed
    double recall, label_recall;
    double agreement;   // with exact execution, a model that did not run having said nothing
    double late;        // models cut off by the deadline
    double wall_us;     // until the last model ends; shared memory only
    double certificate; // density_greedy: value over its bound
    double relaxed;     // bound: recall of AMS's optimal*, which is none where labels overlap
};

/* One item when everything ran. */
struct few__eval_whole {
    double value;     // sum over its valuable labels of the highest confidence
    double n_labels;  // how many those are
    double time_us;   // of all models that ran
    double unanimous; // models whose exact output is "nothing": they agree although they did not run
};

/* Items whose file names begin alike (few__trace_source). */
struct few__eval_source {
    const char *name;
    size_t n_items, first_unit, n_units;
    double all_us; // of running everything
};

/* What is asked, and what every method shares. Lies in the arena. */
struct few__eval {
    struct few_env env;
    struct few__arena memory, *arena; // arena: of everything below
    struct few__trace *loaded;        // owned
    const struct few__trace *trace;   // the same
    struct few__learned *learned;     // the policy, owned; NULL = none
    size_t n_methods;
    const struct few__eval_method *methods; // (n_methods,) that could be asked for
    int split;                              // items whose bucket is below are train items
    size_t n_train, n_test;
    const size_t *train, *test; // rows of the trace
    size_t n_incomplete;        // items left out because a model neither ran nor failed
    bool same_items;            // too few for a split: all items train and test
    uint64_t seed;
    struct few__rules rules;              // none: the method has no file
    const struct few_cost *costs;         // (n_models,) of the catalog
    const struct few__eval_whole *wholes; // (n_test,)
    double run_all_us;                    // sum over the test items
    size_t n_recalls, n_deadlines, n_memories;
    double recalls[FEW__EVAL_RECALLS_MAX];
    int64_t deadlines_us[FEW__EVAL_DEADLINES_MAX];
    uint64_t memories[FEW__EVAL_MEMORIES_MAX]; // bytes
    int64_t segment_us;                        // of streams
    // Test items as they are drawn again, and their sources: eval_tally.h.
    size_t n_units, n_sources;
    const uint32_t *units;              // (n_test,)
    const double *unit_items, *unit_us; // (n_units,) how many items, and the time of running everything
    struct few__eval_source sources[FEW__EVAL_SOURCES_MAX];
    bool wants_sources;
    size_t priority_model;                                    // whose priority is tried out; SIZE_MAX = none
    const struct few__eval_result *base_static, *base_oracle; // what others are measured against
    size_t n_moments, n_looks; // test items that are of a stream; train and test items that also have a look
};

enum few__eval_kind {
    FEW__EVAL_ORDER,            // a scheduler decides; in shared memory, the next in order that has room
    FEW__EVAL_PACK,             // the same; in shared memory, Algorithm 2
    FEW__EVAL_FREE,             // the same, without budgets only: what others are measured against
    FEW__EVAL_TRUTH,            // density greedy that knows the truth; without a budget a scheduler decides
    FEW__EVAL_BOUND,            // what nothing can exceed: budgets only
    FEW__EVAL_EXPLORE,          // explore and exploit on streams
    FEW__EVAL_REUSE,            // unchanged frames of streams, against the last one that was analysed
    FEW__EVAL_REUSE_SUCCESSIVE, // the same against the one before: the paper
};

struct few__eval_method {
    const char *name;
    enum few__eval_kind kind;
    bool blind; // its order does not depend on what models say
    enum few__rank rank;
    enum few_status (*value)(const struct few__eval *eval, const struct few__eval_method *method,
                             struct few__value *value, struct few_error *err);
    // PACK: the same in true magnitudes, for Algorithm 2.
    enum few_status (*gains)(const struct few__eval *eval, const struct few__eval_method *method,
                             struct few__value *value, struct few_error *err);
    const struct few__learned_method
        *learned; // of the policy: stops by a price; NULL = after a number of models
    const struct few__learned_method
        *twin; // the policy's of the same name, where this one is learned here; or NULL
};

/* A method at the price that its policy promises to reach a recall with. */
struct few__eval_promise {
    bool given; // the policy promises this recall
    struct few__learned_stop stop;
    struct few__eval_point point;
    double time_low, time_high, recall_low, recall_high; // 95%
};

/* In which 95 of 100 draws of the test items lie: the time of a method, and the same over that of static at equal recall. */
struct few__eval_span {
    double low, high;
    bool has_static; // not static itself, and static takes time
    double ratio, ratio_low, ratio_high;
};

/* A method where one model has another priority: means over the test items. */
struct few__eval_priority {
    double position;   // of the model in the order of execution, from 1, where it was executed
    double items;      // share of the items on which it was
    double time_ratio; // until everything of value is there, over running everything
};

/* One method on the items of one source, at one recall. Times are over running everything there. */
struct few__eval_at_source {
    double recall_time;
    struct few__eval_point stop; // time_ratio and recall
    double promise_time, promise_recall;
};

struct few__eval_result {
    const struct few__eval_method *method;
    struct few__eval_point *recall;    // (n_recalls,) stopped when the truth says that the recall is reached
    struct few__eval_point *stop;      // (n_recalls,) stopped by itself, at that mean recall
    struct few__eval_promise *promise; // (n_recalls,) NULL unless the policy has the method
    struct few__eval_span *recall_span, *stop_span; // (n_recalls,) or NULL
    double *drawn_recall, *drawn_stop; // (n_recalls, FEW__EVAL_DRAWS) time over running everything, or NULL
    struct few__eval_at_source *by_source; // (n_sources, n_recalls) or NULL
    struct few__eval_priority *priority;   // (FEW__EVAL_PRIORITIES,) or NULL
    struct few__eval_point *deadline;      // (n_deadlines,)
    struct few__eval_point *memory;        // (n_memories, n_deadlines)
    struct few__eval_point *faithful; // (n_memories, n_deadlines) Algorithm 2 as printed; NULL unless PACK
    struct few__eval_point *keep;     // (FEW__EVAL_KEEPS,) EXPLORE: few__eval_keeps
    struct few__eval_reuse *budget; // (FEW__EVAL_BUDGETS,) REUSE: a tenth, two ... all of the time of run_all
};

struct few__eval_reuse {
    enum few_feature feature;
    double threshold; // what differs by less is reused
    struct few__eval_point point;
    double reused;           // share of the items
    double agreement_reused; // of these alone; 1 where there are none
    double agreement_found;  // of their models that say something, here or there; 1 where there are none
};

extern const float few__eval_priorities[FEW__EVAL_PRIORITIES]; // rising
extern const double few__eval_keeps[FEW__EVAL_KEEPS];          // rising

/* Replay one method on all test items, one model after the other. result: its arrays lie in the arena.
 * Errors: FEW_EINVAL the policy does not fit the trace; FEW_EPARSE a damaged output; FEW_ENOMEM. */
enum few_status few__eval_replay(const struct few__eval *eval, const struct few__eval_method *method,
                                 struct few__eval_result *result, struct few_error *err);

/* ---- eval_open.c ---- */

/* Read and check what is asked. Closed also when this fails. opts->size is not looked at.
 * Errors: those of few_eval. */
enum few_status few__eval_open(const char *trace_path, const struct few_eval_opts *opts,
                               struct few__eval *eval, struct few_error *err);
void few__eval_close(struct few__eval *eval);
bool few__eval_is_asked(const struct few_eval_opts *opts, const char *method);

/* ---- eval_methods.c ---- */

/* Fill eval->methods. Errors: FEW_ENOMEM. */
enum few_status few__eval_methods(struct few__eval *eval, struct few_error *err);
const struct few__eval_method *few__eval_find(const struct few__eval *eval, const char *name); // or NULL
struct few__eval_method few__eval_learned_method(const struct few__learned_method *learned);
bool few__eval_of_streams(const struct few__eval_method *method);
/* Whether the trace has the items for it. */
bool few__eval_applies(const struct few__eval *eval, const struct few__eval_method *method);
/* Errors: FEW_EINVAL an unknown one, one that does not apply, or one twice. */
enum few_status few__eval_check_methods(const struct few__eval *eval, const char *const *names, size_t n,
                                        struct few_error *err);

/* ---- eval_resample.c ---- */

/* Fill result->recall_span and stop_span, from its draws and those of eval->base_static. Errors: FEW_ENOMEM. */
enum few_status few__eval_spans(const struct few__eval *eval, struct few__eval_result *result,
                                struct few_error *err);

/* ---- eval_priority.c ---- */

/* Fill result->priority of a method that a scheduler decides. Errors: as few__eval_replay. */
enum few_status few__eval_priority(const struct few__eval *eval, struct few__eval_result *result,
                                   struct few_error *err);

/* ---- eval_prices.c ---- */

/* Prices at which a method of the policy gets from nothing to everything in steps of about equal size, of recall and of
 * time, on the train items. prices: (n,) out, falling. Errors: as few__eval_replay. */
enum few_status few__eval_prices(const struct few__eval *eval, const struct few__eval_method *method,
                                 size_t n, double *prices, struct few_error *err);

/* Replay explore and exploit: result->keep, stop, deadline. The trace has outputs. Errors: FEW_ENOMEM; FEW_EPARSE. */
enum few_status few__eval_explore(const struct few__eval *eval, struct few__eval_result *result,
                                  struct few_error *err);

/* Choose features and thresholds on the train items and replay reuse with them: result->budget. The trace has outputs.
 * Errors: FEW_ENOMEM; FEW_EPARSE. */
enum few_status few__eval_reuse(const struct few__eval *eval, struct few__eval_result *result,
                                struct few_error *err);

/* Fill result->memory and result->faithful of a method that a scheduler decides. Errors: as few__eval_replay. */
enum few_status few__eval_memory(const struct few__eval *eval, struct few__eval_result *result,
                                 struct few_error *err);

/* Fill result->deadline and result->memory of TRUTH and BOUND. Errors: FEW_ENOMEM. */
enum few_status few__eval_bound(const struct few__eval *eval, struct few__eval_result *result,
                                struct few_error *err);

/* ---- eval_item.c: one item while its models run ---- */

struct few__eval_item {
    const struct few__trace *trace;
    size_t item;
    float *seen; // (n_labels,) highest confidence of each label so far
    bool *ran;   // (n_models,) executed
    double value, n_labels, time_us, n_ran, gained;
};

/* In the arena, of the item `item`. Errors: FEW_ENOMEM. */
enum few_status few__eval_item_create(const struct few__eval *eval, struct few__eval_item *state,
                                      struct few_error *err);
void few__eval_begin(struct few__eval_item *state, size_t item);
void few__eval_execute(struct few__eval_item *state, size_t model); // it ran and was heard
void few__eval_run(struct few__eval_item *state,
                   size_t model); // the same and its time; out of reach: nothing
void few__eval_rows(struct few__eval_item *state, const struct few__exec_row *rows, double *late);
void few__eval_add(struct few__eval_point *sum, const struct few__eval_item *state,
                   const struct few__eval_whole *whole);

/* Of which modalities the item has something: not that of a model that had no need and was skipped with an empty output. */
struct few__sim_about few__eval_about(const struct few__trace *trace, size_t item);

static inline int64_t few__eval_segment(const struct few__eval *eval, size_t item)
{
    int64_t at_us = eval->trace->items[item].at_us;
    return at_us > 0 ? at_us / eval->segment_us : 0;
}

/* What really happens on an item. truth: (n_models,) out. */
void few__eval_truth(const struct few__trace *trace, size_t item, struct few__sim_truth *truth);

/* The same with what a method of the policy wants to see of it. */
struct few__eval_said {
    const struct few__trace *trace;
    size_t item;
    bool has_outputs;             // the method looks at whole outputs
    struct few__sim_truth *truth; // (n_models,) of the item
    struct few_output *outputs;   // (n_models,) in scratch
    struct few__arena scratch;
};

/* Arrays lie in the arena. Errors: FEW_ENOMEM. */
enum few_status few__eval_said_create(const struct few__eval *eval, const struct few__eval_method *method,
                                      struct few__eval_said *said, struct few_error *err);
void few__eval_said_finish(struct few__eval_said *said);
/* Go to an item. Errors: FEW_EPARSE a damaged output; FEW_ENOMEM. */
enum few_status few__eval_said_item(struct few__eval_said *said, size_t item, struct few_error *err);

/* What the item amounts to when everything runs. seen: (n_labels,) zeros, left so. */
struct few__eval_whole few__eval_whole(const struct few__trace *trace, size_t item, float *seen);

/* curve[0 .. n] at mean recall `wanted`: on the straight line between the two points around it, or the last if none has it. */
struct few__eval_point few__eval_curve_at(const struct few__eval_point *curve, size_t n, double wanted);

/* Sums over the test items to means. */
struct few__eval_point few__eval_mean(const struct few__eval_point *sum, const struct few__eval *eval);

/* Append the JSON object. */
void few__eval_json(const struct few__eval *eval, const struct few__eval_result *results, size_t n_results,
                    struct few__text *text);

#endif
