// SPDX-License-Identifier: Apache-2.0
/* Learners: each makes the tensors of one method of a policy file (policy/method.h) from items of a trace. A learner knows
 * nothing of files, splits or stop rules; train.c asks it several times, to see how it does on items that it has not seen. */
#ifndef FEW_TRAIN_LEARNER_H
#define FEW_TRAIN_LEARNER_H

#include "nn/tensors_file.h"
#include "store/trace.h"

struct few__lesson {
    struct few_env env;
    const struct few__trace *trace; // with outputs
    const size_t *items;            // (n_items,) rows to learn from, no others are looked at
    size_t n_items;
    const struct few_cost *costs; // (n_models,) expected
    uint64_t seed;
    size_t n_threads; // that it may use; the result is the same for any number
    /* How far it is, 0 .. 1, now and then, from the thread of the call; false: stop with FEW_ECANCELED. May be NULL. */
    bool (*progress)(void *ud, double share);
    void *ud;
};

struct few__learner {
    const char *name;
    /* Adds tensors "NAME.*". Same items, seed: same bytes. Errors: FEW_EINVAL nothing can be learned from these items; FEW_ECANCELED;
     * FEW_EPARSE a damaged output; FEW_ENOMEM. */
    enum few_status (*learn)(const struct few__lesson *lesson, struct few__tensors *tensors,
                             struct few_error *err);
    size_t
        folds; // items are held out from it in so many parts, where stops are measured; 0 = 5. Fewer for slow ones
    double weight; // how long it takes beside others, for progress; 0 = 1
};

#endif
