// SPDX-License-Identifier: Apache-2.0
/* What the parts of a training share: train.c (what is asked, and the order of things), train_methods.c (pieces of each
 * method, its curve, the policy), train_json.c (the answer). */
#ifndef FEW_TRAIN_TRAIN_INSIDE_H
#define FEW_TRAIN_TRAIN_INSIDE_H

#include "core/digest.h"
#include "core/text.h"
#include "policy/learned.h"
#include "train/curve.h"
#include "train/pieces.h"
#include "train/split.h"

enum { FEW__TRAIN_FOLDS = 5, FEW__TRAIN_STOPS = 71 }; // recall 0.3, 0.31 ... 0.99, 1
enum { FEW__TRAIN_LEVELS = 3 };
extern const double few__train_levels[FEW__TRAIN_LEVELS]; // recalls at which methods are compared

struct few__training_method {
    const struct few__method *row;
    const struct few__learner *learner; // NULL: it is kept
    size_t kept;                        // its number in the policy `from`
    bool optional;                      // nobody asked for it by name
    bool left_out;                      // it could not be learned: why
    struct few_error why;

    size_t folds;
    size_t *fold_of;           // (n_items,)
    struct few__piece *pieces; // (folds + 1,) the last: of all items. folds 1: that one alone
    size_t n_pieces;
    struct few__learned_stop stops[FEW__TRAIN_STOPS];
    double times[FEW__TRAIN_LEVELS]; // share of running everything at each level, on held-out items
    double score;                    // their mean: the lowest is preferred
};

struct few__training {
    struct few_env env;
    struct few__arena arena;
    const struct few_train_opts *opts;
    const char *trace_path, *out_path, *source;
    int split_at;
    struct few__trace *trace;
    struct few_cost *costs;    // (n_models,)
    struct few__learned *from; // or NULL
    struct few__split split;
    char digest[FEW__SHA256_HEX]; // of the trace
    size_t n_methods;
    struct few__training_method *methods; // (n_methods,)
    struct few__piece *pieces;            // (n_pieces,) of all methods
    size_t n_pieces, n_kept;
    size_t preferred;
    const char *folder;
};

/* ---- train_methods.c ---- */

/* What is learned and what is kept. Errors: FEW_EINVAL; FEW_ENOMEM. */
enum few_status few__train_plan(struct few__training *t, struct few_error *err);

/* Learn all pieces, measure each method, choose. Errors: those of pieces and curves. */
enum few_status few__train_learn(struct few__training *t, struct few_error *err);

/* Count the pieces that are there already: t->n_kept. Errors: FEW_ENOMEM. */
enum few_status few__train_look(struct few__training *t, struct few_error *err);

/* Write the policy. Errors: FEW_EIO; FEW_ENOMEM. */
enum few_status few__train_write(struct few__training *t, struct few_error *err);

/* ---- train_json.c ---- */

/* Append the answer. */
void few__train_json(const struct few__training *t, struct few__text *text);

#endif
