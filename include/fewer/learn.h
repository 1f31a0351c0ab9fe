// SPDX-License-Identifier: Apache-2.0
/* Learn a policy from a trace: for each method a value function, where it stops for a wanted recall, and which of them is best
 * on items that it was not learned from. docs/train.md says how, docs/policy.md what the file has. */
#ifndef FEWER_LEARN_H
#define FEWER_LEARN_H

#include <stdbool.h>

#include <fewer/env.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_TRAIN_THREADS_MAX 64

/* How far a training is. Borrowed for the call. */
struct few_train_progress {
    const char *method; // that it is at; with several threads, one of them
    size_t fold, folds; // items are held out in `folds` parts; fold == folds: it learns from all
    size_t pieces, pieces_done, pieces_kept; // kept: by a training that was broken off
    double share;                            // of all, 0 .. 1
};

struct few_train_opts {
    size_t size; // sizeof(struct few_train_opts)
    struct few_env env;
    uint64_t seed;
    int split; // of 100 items so many are learned from: those with SHA-1 modulo 100 below it; 1 to 100, 0 = 20
    const char *source;         // learn from items whose file names begin with it only; NULL = all
    const char *const *methods; // (n_methods,) to learn; NULL = all
    size_t n_methods;
    const char *from; // a policy: what is not learned is taken from it. NULL = none
    size_t threads;   // 0 = 1. The policy is the same for any number
    bool overwrite;   // replace an existing file
    bool dry_run;     // say what it would take; write nothing
    /* Now and then, from any thread, never from two at once. false: stop; the same call goes on from there later. */
    bool (*progress)(void *ud, const struct few_train_progress *progress);
    void *ud;
};

/* Learn from a trace, and write a policy.
 *
 * What is learned is kept beside out_path, in "OUT.training", as it comes; a training that was broken off, even killed, goes on
 * from there when it is called again with the same arguments, and ends with the same file. The folder is removed then.
 *
 * json  out, owned (few_text_free), may be NULL: one JSON object, docs/train.md
 * Errors: FEW_ENOENT, FEW_ESTORE, FEW_EVERSION, FEW_EPARSE the trace; FEW_EINVAL no items to learn from, nothing of value on
 *         any of them, an unknown method, a policy `from` of other models; FEW_EEXIST out_path exists and overwrite is false;
 *         FEW_ECANCELED progress said so; FEW_EIO; FEW_ENOMEM. */
FEW_API FEW_MUST_USE enum few_status few_train(const char *trace_path, const char *out_path,
                                               const struct few_train_opts *opts, char **json,
                                               struct few_error *err);

#ifdef __cplusplus
}
#endif
#endif
