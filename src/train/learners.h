// SPDX-License-Identifier: Apache-2.0
/* The learners that there are, in the order in which a policy file has their methods: rows of learners.c, one file each,
 * learner_<name>.c. */
#ifndef FEW_TRAIN_LEARNERS_H
#define FEW_TRAIN_LEARNERS_H

#include "train/learner.h"

extern const struct few__learner few__learner_static, few__learner_dqn, few__learner_double_dqn,
    few__learner_dueling_dqn, few__learner_deep_sarsa;

/* Row i, or NULL. */
const struct few__learner *few__learner_at(size_t i);

#endif
