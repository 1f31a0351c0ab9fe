// SPDX-License-Identifier: Apache-2.0
/* A policy made by hand: these stand where the functions of policy/learned.h would be linked. A model is worth its gain times
 * its priority; `again` times that once one of its labels was seen. */
#ifndef FEW_TESTS_EVAL_POLICY_MADE_H
#define FEW_TESTS_EVAL_POLICY_MADE_H

#include "policy/learned.h"

enum { MADE_METHODS_MAX = 4, MADE_STOPS_MAX = 4, MADE_GAINS_MAX = 12 };

struct made_method {
    const char *name;
    enum few__rank rank;
    bool has_outputs; // the test fails if a model that was executed has no output then
    double again;
    double gains[MADE_GAINS_MAX];
    size_t n_stops;
    struct few__learned_stop stops[MADE_STOPS_MAX];
};

struct made_policy {
    int split;
    size_t preferred, n_methods;
    struct made_method methods[MADE_METHODS_MAX];
    const char *source;   // or NULL
    const char *stranger; // a model of the trace that it does not know, or NULL
};

/* What every path opens from now on; borrowed. "none" is not there. */
void made_policy(const struct made_policy *policy);

#endif
