// SPDX-License-Identifier: Apache-2.0
/* The rows of method.c: one file each, method_<name>.c, with its tensors. */
#ifndef FEW_POLICY_METHODS_H
#define FEW_POLICY_METHODS_H

#include "policy/method.h"

/* One order for all items, greedy by mean marginal value over time. F64, (n_models,) each:
 *     static.rate   value per microsecond for which each is taken, falling along the order
 *     static.gain   mean value that it adds where it stands in the order
 *     static.found  share of the items on which it found something */
extern const struct few__method few__method_static;

/* Networks that predict what each model would add (item/value_net.h):
 *     value_net.n_nets      I64, how many
 *     value_net.evidence.M.mean, .basis, .middle, .scale   of model M (item/evidence.h)
 *     value_net.net.I.L.weight, .bias                      layer L of net I */
extern const struct few__method few__method_value_net;

/* AMS's agents (item/value_dqn.h), NAME each of dqn, double_dqn, dueling_dqn, deep_sarsa:
 *     NAME.inputs           I32, the labels that are inputs
 *     NAME.executed_bits    U8 (1,), 1: a bit for each model that ran comes after them
 *     NAME.net.0.*, .1.*    weights and biases; outputs are the models and END, and then V where it is dueling */
extern const struct few__method few__method_dqn, few__method_double_dqn, few__method_dueling_dqn,
    few__method_deep_sarsa;

#endif
