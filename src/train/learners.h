// SPDX-License-Identifier: Apache-2.0
/* The learners that there are, in the order in which a policy file has their methods: rows of learners.c, one file each,
 * learner_<name>.c. */
#ifndef FEW_TRAIN_LEARNERS_H
#define FEW_TRAIN_LEARNERS_H

#include "train/learner.h"

extern const struct few__learner few__learner_static;

/* Row i, or NULL. */
const struct few__learner *few__learner_at(size_t i);

#endif
