// SPDX-License-Identifier: Apache-2.0
#include "train/learners.h"

#include "train/learner_value_net.h"

static const struct few__learner *const learners[] = {&few__learner_static,      &few__learner_value_net,
                                                      &few__learner_dqn,         &few__learner_double_dqn,
                                                      &few__learner_dueling_dqn, &few__learner_deep_sarsa};

const struct few__learner *few__learner_at(size_t i)
{
    return i < sizeof learners / sizeof *learners ? learners[i] : NULL;
}
