// SPDX-License-Identifier: Apache-2.0
/* Drives the executor's core with a virtual clock: over one item of a trace, or over a stream of them. */
#ifndef FEW_EXEC_EXEC_SIM_H
#define FEW_EXEC_EXEC_SIM_H

#include "exec/exec.h"

/* What really happens when a model runs on the item: from a trace, or made up by a test. */
struct few__sim_truth {
    int64_t time_us; // > 0
    enum few__result result;
    bool unsure;
    const struct few_valuable *valuable;
    size_t n_valuable;
    const struct few_output *output; // or NULL
};

/* One item in slot 0. item's number; truth: (n_models,); deadline_us: from the start of the item, FEW__NO_DEADLINE =
 * none. The clock starts at start_us. Returns the instant of FINISH; rows are in few__exec_rows(exec, 0). Events at one
 * instant: DONE in the order of start, then LOADED, then DEADLINE (a model that ends exactly at the deadline is
 * executed). A load takes its cost's load_us; a cancelled run ends at once. */
int64_t few__sim_item(struct few__exec *exec, uint64_t item, int64_t start_us, int64_t deadline_us,
                      const struct few__sim_truth *truth);

/* What else is known of an item. {.has_parts = FEW__ALL_PARTS} is what few__sim_item takes. */
struct few__sim_about {
    unsigned has_parts;  // bit m = it has modality m
    const double *gains; // (n_models,) the view's, or NULL
};
int64_t few__sim_item_about(struct few__exec *exec, uint64_t item, const struct few__sim_about *about,
                            int64_t start_us, int64_t deadline_us, const struct few__sim_truth *truth);

/* A stream: items arrive as soon as a slot is free, in order. */
struct few__sim_stream {
    size_t n_items;
    int64_t deadline_us; // of each, from its arrival
    /* The truth of an item, (n_models,), borrowed until it is finished; *read_us > 0: it has to be read first, which
     * takes that long on a lane; *readable false: reading fails. */
    const struct few__sim_truth *(*truth)(void *ud, uint64_t item, int64_t *read_us, bool *readable);
    void (*about)(void *ud, uint64_t item, struct few__sim_about *about); // NULL = as few__sim_item
    /* How long a batch of n takes whose items alone take time_us[i]; NULL = their sum. */
    int64_t (*batch_us)(void *ud, size_t model, const int64_t *time_us, size_t n);
    bool (*loadable)(void *ud, size_t model); // whether a load that ends now has worked; NULL = all do
    void (*finished)(void *ud, uint64_t item, size_t slot,
                     int64_t now_us); // rows are still there; may be NULL
    void *ud;
};

/* Loads what fits first (WARM), where the executor loads. Returns in *end_us the instant at which everything has ended, cancelled runs
 * and loads included.
 * Errors: FEW_ENOMEM. env: of the scratch memory. */
enum few_status few__sim_stream(struct few__exec *exec, const struct few__sim_stream *stream,
                                int64_t start_us, const struct few_env *env, int64_t *end_us,
                                struct few_error *err);

#endif
