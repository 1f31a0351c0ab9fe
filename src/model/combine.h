// SPDX-License-Identifier: Apache-2.0
/* The answers of several windows of one item, made one. Pure.
 *
 *     few__combine_begin(&c, recipe->combine, kind, &arena);
 *     for each window: few__combine_add(&c, &its_output, &err)
 *     few__combine_end(&c, &output); */
#ifndef FEW_MODEL_COMBINE_H
#define FEW_MODEL_COMBINE_H

#include "core/mem.h"
#include "model/recipe.h"

struct few__combined {
    enum few__combine how;
    enum few_kind kind;
    struct few__arena *arena;
    size_t n_windows; // that were not empty
    size_t n;         // numbers of each
    float *values;    // (n,) in the arena
    double *sums;     // (n,) in the arena; MEAN only
};

/* arena: of the output and of sums, borrowed. Nothing is taken before the first answer. */
void few__combine_begin(struct few__combined *c, enum few__combine how, enum few_kind kind,
                        struct few__arena *arena);

/* One more answer: of kind classes, labels, scalar or vector, with as many numbers as the first one; an empty one is
 * left out. What it points at is not kept. Errors: FEW_ESHAPE another kind or count; FEW_ENOMEM. */
enum few_status few__combine_add(struct few__combined *c, const struct few_output *output,
                                 struct few_error *err);

/* The whole: each number the mean, the largest or the last of the windows'. confidence: as of an answer with these
 * numbers, the best of classes and labels, else 1. Empty, if all were. */
void few__combine_end(const struct few__combined *c, struct few_output *output);

#endif
