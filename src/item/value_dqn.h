// SPDX-License-Identifier: Apache-2.0
/* AMS's agent when it is used: a trained Q-network as a value function (TKDD 2022, section 3; algorithms.md 1.3). Which model
 * may run is the scheduler's business, END (the last output) is nobody's. docs/dqn.md. */
#ifndef FEW_ITEM_VALUE_DQN_H
#define FEW_ITEM_VALUE_DQN_H

#include "item/value.h"
#include "nn/net.h"

/* What the inputs and outputs of a net mean. Inputs: a bit for each label, then, with executed_bits, one for each model;
 * outputs: Q of each model, then of END. Borrowed by who uses it, as the net is. */
struct few__dqn_net {
    const struct few__net *net;
    size_t n_labels, n_models; // inputs of labels; models that it was trained with
    bool
        executed_bits; // false: the paper's state, in which a model that ran and found nothing leaves no trace
    /* The net's number of each label that it was trained with, UINT32_MAX = it is no input (few__frequent_labels). NULL = each is
     * its own. */
    const uint32_t *input_of; // (n_known,)
    size_t n_known;
    /* Of the catalog that it is used with: the numbers that its labels and models had in training, UINT32_MAX = none, which
     * for a model means a value of 0. NULL = the same numbers. */
    const uint32_t *label_of; // (n_labels of the catalog,)
    const uint32_t *model_of; // (n_models of the catalog,)
};

/* name: borrowed. A score costs O(labels that are new on the item x width of the first layer + the layers after it), and
 * allocates nothing. When the parameters of the net change, begin again.
 * Errors: FEW_ESHAPE the net has other sizes than it says, or the maps lead outside; FEW_ENOMEM. */
enum few_status few__value_dqn(const struct few__dqn_net *net, const struct few_catalog *catalog,
                               const char *name, const struct few_env *env, struct few__value *value,
                               struct few_error *err);

#endif
