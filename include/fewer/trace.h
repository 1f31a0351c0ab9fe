// SPDX-License-Identifier: Apache-2.0
/* What can be done with a trace or a run file once it is there: make one from outputs that something
 * else computed, replay every policy on it, export it, report on it. docs/store.md has the schema. */
#ifndef FEWER_TRACE_H
#define FEWER_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include <fewer/zoo.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_LINE_MAX (64 << 20) // bytes of one line of JSON

struct few_import_stats {
    uint64_t items, items_failed; // lines taken; those of them that carried an error of their own
    uint64_t outputs;             // outputs of models that ran
    uint64_t unknown;             // outputs of models that the zoo does not have, left out
};

/* Make a trace from JSON Lines, gzipped or not (docs/import.md has the form). "-" reads stdin.
 *
 * Times come from the line ("ms"), else from the manifest's cost.
 * Errors: FEW_ENOENT; FEW_EEXIST out_path exists and overwrite is false; FEW_EPARSE with line and column;
 *         FEW_ELIMIT a longer line; FEW_EIO; FEW_ESTORE; FEW_ENOMEM. No trace is left behind then. */
FEW_API FEW_MUST_USE enum few_status few_import(const char *path, const struct few_zoo *zoo,
                                                const char *out_path, bool overwrite,
                                                struct few_import_stats *stats, struct few_error *err);

struct few_eval_opts {
    size_t size;
    struct few_env env;
    uint64_t seed;
    const double *recalls; // recalls to reach; NULL = 0.1, 0.2 ... 0.9, 0.95, 1
    size_t n_recalls;
    const int64_t *deadlines_us; // NULL = ten shares, 0.02 to 1, of the mean time of running everything
    size_t n_deadlines;
    const uint64_t
        *memories; // bytes, each with every deadline, models side by side (Algorithm 2); NULL = none
    size_t n_memories;
    const char *const *methods; // NULL = all of them that the trace has the items for
    size_t n_methods;
    int64_t segment_us; // of streams: what is reused and explored ends with it; 0 = 10 s
    const char *policy; // file of `fewer train`, whose methods compete too; NULL = none
    int split; // items whose SHA-1 (below) modulo 100 is less are learned from, 1 to 99; 0 = the policy's, else 20
    const char *priority; // the position of this model where its priority is 1, 2, 5, 10; NULL = none
    size_t n_threads;     // methods replayed at once, up to 64; the answer is the same. 0 = 1
    bool by_source;       // each source of items alone, too: those whose file names are alike before a '_'
    const char *rules;    // file of rules for the method "rules" (docs/rules.md); NULL = without that method
};

/* Replay every method on the test items of a trace (SHA-1 of the file name modulo 100 is 20 or more; of a stream, each
 * ten seconds have a name of their own); what is learned comes from the others. A trace without train or without test items serves as both, and
 * the result says so.
 *
 * json   out, owned (few_text_free): one JSON object, DESIGN section 5
 * Errors: FEW_ENOENT, FEW_ESTORE, FEW_EVERSION; FEW_EPARSE mistakes in the rules; FEW_EINVAL no items, an unknown
 *         method, one for streams where there are none, rules without a file, or memory budgets for a trace that lacks the memory of a model; FEW_ENOMEM.
 * Cost:   O(items x models^2) for each method, deadline and memory budget. */
FEW_API FEW_MUST_USE enum few_status few_eval(const char *trace_path, const struct few_eval_opts *opts,
                                              char **json, struct few_error *err);
FEW_API void few_text_free(char *text);

struct few_plan_opts {
    size_t size;
    struct few_env env;
    uint64_t seed;
    const char *policy;    // file of `fewer train`
    const char *method;    // of its methods; NULL = the one that it prefers
    int split;             // as few_eval_opts
    const double *recalls; // wanted, the policy stopping by itself; NULL = those that it promises
    size_t n_recalls;
    const int64_t *deadlines_us; // NULL = as few_eval_opts
    size_t n_deadlines;
    const uint64_t
        *memories; // bytes, each with every deadline; NULL = a quarter and half of what all models take
    size_t n_memories;
    double rate; // items a second that have to be kept up with; 0 = not asked
};

/* How much hardware do I need: what one method of a policy takes and gives under a range of budgets, on items that it was
 * not learned from, with intervals of 95%.
 *
 * json   out, owned (few_text_free): one JSON object, docs/evaluate.md
 * Errors: as few_eval; FEW_EINVAL no policy, a method that it has not, or a recall that it promises no price for.
 * Cost:   O(items x models^2) for each budget. */
FEW_API FEW_MUST_USE enum few_status few_plan(const char *trace_path, const struct few_plan_opts *opts,
                                              char **json, struct few_error *err);

/* How far a run or trace file is. */
struct few_run_status {
    size_t size;      // sizeof(struct few_run_status), set by the caller
    bool busy;        // a process is writing to it now
    char purpose[16]; // "run" or "trace"
    uint64_t models;
    uint64_t models_bytes; // memory that all of them take together; 0 = not known
    uint64_t items, items_failed;
    uint64_t items_planned;   // that the last run was asked for; 0 = not known
    uint64_t counts[6];       // by enum few_outcome; they add up to items x models
    uint64_t deadline_missed; // items
    int64_t spent_us, run_all_us;
    uint64_t bytes; // of the file
    char *config;   // JSON: what decides its results; few_text_free
    char *notes;    // JSON: what the command keeps for people and retry; few_text_free
};

/* Read it, also while it is being written. Cost: the same for any number of items.
 * Errors: FEW_ENOENT, FEW_ESTORE, FEW_EVERSION, FEW_ENOMEM. */
FEW_API FEW_MUST_USE enum few_status few_run_status(const char *path, struct few_run_status *status,
                                                    struct few_error *err);

/* Write a trace or run file in another form.
 * format  "jsonl" (a line an item and model), "csv" (the same columns), "coco" (images and boxes), "label-studio" (tasks with
 *         predictions) and "label-studio-config" (the labelling configuration that they want), "fiftyone" (detections),
 *         "fiftyone-classes", "fiftyone-temporal" (segments of streams). docs/export.md.
 * Errors: FEW_EINVAL unknown format; FEW_ENOENT, FEW_ESTORE, FEW_EVERSION; FEW_EIO writing failed. */
FEW_API FEW_MUST_USE enum few_status few_export(const char *path, const char *format, FILE *out,
                                                struct few_error *err);

/* Write a trace or run file as a folder of files: "yolo" (a text file for each item, names of classes, list of images).
 * Errors: as few_export; FEW_EEXIST the folder is there and not empty. */
FEW_API FEW_MUST_USE enum few_status few_export_folder(const char *path, const char *format,
                                                       const char *folder, struct few_error *err);

struct few_report_opts {
    size_t size; // sizeof(struct few_report_opts)
    const char *
        trace; // what everything says about (some of) the same items, known by their bytes: recall and agreement
               // are measured against it; NULL = not measured
    const char *eval_json; // of few_eval, for curves against the baselines; NULL = none
};

/* Write one HTML page that stands alone, of a run or trace (what ran, what it saved, items to look at), or, with path NULL, of
 * the evaluation alone. opts NULL = defaults. Errors: as few_export; FEW_EPARSE eval_json. */
FEW_API FEW_MUST_USE enum few_status few_report(const char *path, const struct few_report_opts *opts,
                                                FILE *out, struct few_error *err);

#ifdef __cplusplus
}
#endif
#endif
