// SPDX-License-Identifier: Apache-2.0
/* The threads of the live driver: one for each lane, which reads items and runs models, and one that loads models.
 * exec_live gives each one job at a time (the loader: a list of them) and is told of every end in order of time.
 *
 * All functions but few__lanes_poke are for the one thread that decides. What a lane made (parts, error) may be looked at
 * from its end to its next job. */
#ifndef FEW_EXEC_LANES_H
#define FEW_EXEC_LANES_H

#include "exec/exec.h"
#include "exec/workspace.h"

struct few__lanes;

struct few__lanes_opts {
    const struct few_env *env;
    const struct few_catalog *catalog;
    struct few__workspace *workspace;
    size_t n_lanes;
    const size_t *batch_max; // (n_models,) NULL = 1 each
    bool loads;              // a loader is needed
    enum few_status (*read)(void *ud, size_t slot, unsigned *parts, struct few_error *err);
    void *ud;
};

/* Errors: FEW_EIO a thread cannot be started (those that were are stopped); FEW_ENOMEM. */
enum few_status few__lanes_start(const struct few__lanes_opts *opts, struct few__lanes **lanes,
                                 struct few_error *err);
void few__lanes_stop(struct few__lanes *lanes); // waits for what runs; loads that wait are given up

void few__lanes_read(struct few__lanes *lanes, size_t lane, size_t slot);

/* Run the model over the n items that the caller has put into few__lanes_work (room for a batch). */
struct few__work *few__lanes_work(struct few__lanes *lanes, size_t lane);
void few__lanes_run(struct few__lanes *lanes, size_t lane, size_t model, size_t n);

/* In the order of the calls, one after the other. Only a load has an end that is told. */
void few__lanes_load(struct few__lanes *lanes, size_t model);
void few__lanes_evict(struct few__lanes *lanes, size_t model);

enum few__ended_kind { FEW__ENDED_READ, FEW__ENDED_RUN, FEW__ENDED_LOAD };

struct few__ended {
    enum few__ended_kind kind;
    size_t lane;        // READ, RUN
    size_t slot;        // READ
    unsigned has_parts; // READ: of the item
    size_t model;       // RUN, LOAD
    int64_t at_us;
    const struct few_error *error; // READ, LOAD: code FEW_OK = it went well
    struct few__part *parts;       // RUN: (n,), the caller may change them
    const struct few__work *work;  // RUN: (n,)
};

enum few__lanes_next { FEW__LANES_ENDED, FEW__LANES_DUE, FEW__LANES_NOTHING };
enum few__lanes_wait { FEW__LANES_LOOK, FEW__LANES_WAIT, FEW__LANES_WAIT_OR_POKE };

/* The next end, if it came at until_us or before (ENDED). Otherwise, once until_us has come: DUE. NOTHING if neither: LOOK
 * never waits, WAIT_OR_POKE until few__lanes_poke, which counts once. now_us: out, the instant of it; what ends after a
 * call has no earlier one. */
enum few__lanes_next few__lanes_next(struct few__lanes *lanes, int64_t until_us, enum few__lanes_wait wait,
                                     struct few__ended *ended, int64_t *now_us);

/* From any thread: end a WAIT_OR_POKE, or the next one. */
void few__lanes_poke(struct few__lanes *lanes);

#endif
