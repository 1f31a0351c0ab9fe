// SPDX-License-Identifier: Apache-2.0
/* How much longer a run takes now than it is expected to: not on average but nearly at worst, since the question is
 * whether it will be done by the deadline. Ours, not the paper's, which plans with constant mean times: on a machine
 * that others use too, half of all items would then end with a model that is late.
 *
 * The 95 % quantile of real over expected time, followed step by step: a run above it raises it by `STEP` x 0.95, a run
 * below lowers it by `STEP` x 0.05. Expectations of less than a few milliseconds hardly count: there the noise of the
 * machine is larger than the model. */
#ifndef FEW_EXEC_PACE_H
#define FEW_EXEC_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define FEW__PACE_START 1.0
#define FEW__PACE_LEAST 0.5
#define FEW__PACE_MOST  16.0

/* The pace after a run that took took_us (at_least: or longer, it was cut off) where expected_us was expected. */
double few__pace_next(double pace, int64_t expected_us, int64_t took_us, bool at_least);

#endif
