// SPDX-License-Identifier: Apache-2.0
/* Drives the executor's core with the real clock: the calling thread takes the decisions and watches the deadline,
 * a lane thread runs the models. */
#ifndef FEW_EXEC_EXEC_LIVE_H
#define FEW_EXEC_EXEC_LIVE_H

#include "exec/exec.h"
#include "exec/workspace.h"

struct few__live;

enum { FEW__LIVE_MESSAGE = 256 };

/* opts->n_lanes must be 1. workspace is borrowed, and the lane's alone while an item runs.
 * Errors: those of few__exec_create; FEW_EIO the thread cannot be started; FEW_ENOMEM. */
enum few_status few__live_create(const struct few__exec_opts *opts, struct few__workspace *workspace,
                                 struct few__live **live, struct few_error *err);
void few__live_destroy(struct few__live *live);

/* Run one item to its end: the current image of the workspace must be set (few__workspace_begin).
 *
 * deadline_us  instant, FEW__NO_DEADLINE = none
 * arena        receives the outputs
 * Returns the instant of the last answer. When it returns nothing runs any more. */
int64_t few__live_item(struct few__live *live, uint64_t item, int64_t deadline_us, struct few__arena *arena);

/* Of the last item, until the next one. */
const struct few__exec *few__live_exec(const struct few__live *live);
const struct few_output *few__live_output(const struct few__live *live, size_t model); // NULL = none
const char *few__live_message(const struct few__live *live, size_t model);             // why it failed, or ""

#endif
