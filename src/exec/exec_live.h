// SPDX-License-Identifier: Apache-2.0
/* Drives the executor's core with the real clock: the calling thread takes the decisions and watches deadlines and
 * time-outs, a thread for each lane reads items and runs models, one more loads them. */
#ifndef FEW_EXEC_EXEC_LIVE_H
#define FEW_EXEC_EXEC_LIVE_H

#include "exec/exec.h"
#include "exec/workspace.h"

struct few__live;

enum { FEW__LIVE_MESSAGE = 256 };

struct few__live_opts {
    struct few__exec_opts exec;        // slots and lanes as many as the workspace has
    struct few__workspace *workspace;  // borrowed
    const struct few__recipe *recipes; // (n_models,) for time-outs
    /* Make the item of a slot ready (decode it, few__workspace_begin), on the thread of a lane. parts: out, bit m = it has
     * modality m. NULL: the caller has done so before few__live_begin, and the item is an image. */
    enum few_status (*read)(void *ud, size_t slot, unsigned *parts, struct few_error *err);
    void *ud;
};

/* Errors: those of few__exec_create; FEW_EIO a thread cannot be started; FEW_ENOMEM. */
enum few_status few__live_create(const struct few__live_opts *opts, struct few__live **live,
                                 struct few_error *err);
void few__live_destroy(struct few__live *live); // items in flight are given up

/* Load what fits before the first item; returns when that is done. Errors: of the first model that cannot be loaded. */
enum few_status few__live_warm(struct few__live *live, struct few_error *err);

/* A slot for a new item: waits for cancelled runs to end if need be. FEW_AGAIN: all slots have items. */
enum few_status few__live_slot(struct few__live *live, size_t *slot);

/* An item arrived in that slot. deadline_us: instant, FEW__NO_DEADLINE = none. gains: as in few__event. */
void few__live_begin(struct few__live *live, size_t slot, uint64_t item, int64_t deadline_us,
                     const double *gains);

/* Work until an item is finished: its slot, and the instant of its last answer. Its rows, outputs and messages stay until
 * the slot's next begin, though cancelled runs may still be ending. FEW_END: no item is in flight. */
enum few_status few__live_wait(struct few__live *live, size_t *slot, int64_t *end_us);

/* The same, but FEW_AGAIN after few__live_poke, also one before the call, or after at most wait_us (items in flight or
 * not). For callers who also wait for items to come. */
enum few_status few__live_wait_for(struct few__live *live, int64_t wait_us, size_t *slot, int64_t *end_us);

/* From any thread: end a wait. */
void few__live_poke(struct few__live *live);

/* Wait until nothing is under way any more: items in flight (few__live_wait still has them), cancelled runs, loads. */
void few__live_settle(struct few__live *live);

/* Of the item that a slot had last. */
const struct few__exec *few__live_exec(const struct few__live *live);
const struct few_output *few__live_output(const struct few__live *live, size_t slot,
                                          size_t model); // NULL = none
const char *few__live_message(const struct few__live *live, size_t slot,
                              size_t model); // why it failed, or ""
/* code FEW_OK: it was read; FEW_AGAIN: not before its deadline (a lane may still be at it, until few__live_slot gives the
 * slot again). */
const struct few_error *few__live_read_error(const struct few__live *live, size_t slot);

#endif
