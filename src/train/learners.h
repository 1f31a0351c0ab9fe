// SPDX-License-Identifier: Apache-2.0
/* The learners that there are, rows of learners.c: one for each method of policy/method.c, of the same name. */
#ifndef FEW_TRAIN_LEARNERS_H
#define FEW_TRAIN_LEARNERS_H

#include "train/learner.h"

extern const struct few__learner few__learner_static, few__learner_dqn, few__learner_double_dqn,
    few__learner_dueling_dqn, few__learner_deep_sarsa;

/* Row i, or NULL. */
const struct few__learner *few__learner_at(size_t i);

#endif
