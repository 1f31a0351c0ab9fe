// SPDX-License-Identifier: Apache-2.0
/* The work of a training in pieces: one learner on some of the items. Pieces do not know of each other, so they run side by
 * side, and what is finished is kept in a folder until all are. */
#ifndef FEW_TRAIN_PIECES_H
#define FEW_TRAIN_PIECES_H

#include <fewer/learn.h>

#include "train/learner.h"

struct few__piece {
    const struct few__learner *learner;
    size_t fold, folds;  // fold == folds: of all items
    const size_t *items; // (n_items,) rows to learn from
    size_t n_items;
    bool optional; // FEW_EINVAL is not the end of everything

    // Out.
    struct few__tensors *tensors; // owned: few__pieces_free
    bool kept;                    // from an earlier training
    struct few_error err;         // FEW_EINVAL, where optional
};

struct few__pieces_opts {
    struct few_env env;
    const struct few__trace *trace;
    const struct few_cost *costs;
    uint64_t seed;
    size_t threads;
    const char *folder;  // where pieces are kept; made where it is missing
    const char *of_what; // what their results depend on, beside learner and fold
    bool (*progress)(void *ud, const struct few_train_progress *progress); // may be NULL
    void *ud;
};

/* Learn all that the folder does not have. Errors: FEW_ECANCELED; FEW_EIO the folder; those of learners, the first of those that
 * failed, with its name. Pieces have tensors also then. */
enum few_status few__pieces_run(const struct few__pieces_opts *opts, struct few__piece *pieces, size_t n,
                                struct few_error *err);

/* How many of them the folder has; each is marked as kept. Errors: FEW_ENOMEM. */
enum few_status few__pieces_look(const struct few__pieces_opts *opts, struct few__piece *pieces, size_t n,
                                 size_t *n_kept, struct few_error *err);

void few__pieces_free(struct few__piece *pieces, size_t n);

/* Remove the folder and every piece in it. Anything else that is in it stays, and then so does the folder. */
void few__pieces_remove(const char *folder);

#endif
