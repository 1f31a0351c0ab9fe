// SPDX-License-Identifier: Apache-2.0
/* Drives the executor's core over one item of a trace with a virtual clock. */
#ifndef FEW_EXEC_EXEC_SIM_H
#define FEW_EXEC_EXEC_SIM_H

#include "exec/exec.h"

/* What really happens when a model runs on the item: from a trace, or made up by a test. */
struct few__sim_truth {
    int64_t time_us; // > 0
    enum few__result result;
    const struct few_valuable *valuable;
    size_t n_valuable;
    const struct few_output *output; // or NULL
};

/* item's number; truth: (n_models,); deadline_us: from the start of the item, FEW__NO_DEADLINE = none. The
 * clock starts at start_us. Returns the instant of FINISH; rows are in few__exec_rows. Events at one instant:
 * DONE in the order of start, then DEADLINE (a model that ends exactly at the deadline is executed). */
int64_t few__sim_item(struct few__exec *exec, uint64_t item, int64_t start_us, int64_t deadline_us,
                      const struct few__sim_truth *truth);

#endif
