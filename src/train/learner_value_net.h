// SPDX-License-Identifier: Apache-2.0
/* The learner "value_net": networks that predict what each model would add to a set of models that ran, by regression on
 * random sets of models on the items (docs/ams.md). */
#ifndef FEW_TRAIN_LEARNER_VALUE_NET_H
#define FEW_TRAIN_LEARNER_VALUE_NET_H

#include "train/learner.h"

/* What is asked of the networks; zero = the measured choice (docs/ams.md has the attempts). */
struct few__net_learn_opts {
    size_t n_nets;       // 5: their mean is better than each
    size_t hidden;       // units of each of the two hidden layers: 192
    size_t steps, batch; // 2000 and one for each item, 8000 at most, fewer below 600 items; 256
    double dropout;      // 0.5
    double rate, decay;  // of Adam: 1e-3, falling along a cosine; 0.03
};

/* Tensors "value_net.*" with these options. Errors as few__learner.learn; FEW_EINVAL more than FEW__VALUE_NETS_MAX nets. */
enum few_status few__net_learn(const struct few__lesson *lesson, const struct few__net_learn_opts *opts,
                               struct few__tensors *tensors, struct few_error *err);

extern const struct few__learner few__learner_value_net;

#endif
