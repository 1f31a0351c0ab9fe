// SPDX-License-Identifier: Apache-2.0
/* The learners that there are, rows of learners.c: one for each method of policy/method.c, of the same name. */
#ifndef FEW_TRAIN_LEARNERS_H
#define FEW_TRAIN_LEARNERS_H

#include "train/learner.h"

extern const struct few__learner few__learner_static;

/* Row i, or NULL. */
const struct few__learner *few__learner_at(size_t i);

#endif
