// SPDX-License-Identifier: Apache-2.0
// The rows of few__methods, each in a file of its own: method_<name>.c.
#ifndef FEW_POLICY_METHODS_H
#define FEW_POLICY_METHODS_H

#include "policy/method.h"

extern const struct few__method few__method_value_net;

#endif
