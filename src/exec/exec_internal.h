// SPDX-License-Identifier: Apache-2.0
/* What the parts of the executor's core share. From the bottom, each calling only those before it: exec_state.c (slots,
 * records, actions), exec_memory.c (what is loaded), exec_run.c (runs on lanes), exec_item.c (one item's models),
 * exec_core.c (events, decisions). exec_sim.c reads it too. Nobody else. */
#ifndef FEW_EXEC_EXEC_INTERNAL_H
#define FEW_EXEC_EXEC_INTERNAL_H

#include "core/mem.h"
#include "exec/chain.h"
#include "exec/exec.h"
#include "exec/exec_log.h"
#include "exec/pairs.h"

#define FEW__NONE SIZE_MAX

/* An item in flight. Arrays are (n_models,) unless they say otherwise. */
struct few__slot {
    struct few__chooser chooser;
    struct few__view view; // what the chooser sees: the arrays below, and what slots share
    bool open;             // between ITEM and FINISH
    bool ready, reading;   // may start models; READ is under way
    bool idle;             // not asked again before the next completion or load
    size_t n_held_by;      // lanes that still look at it, those of cancelled runs too
    size_t wish;           // open: what its policy would like loaded; FEW__NONE

    enum few__state *states;
    enum few_outcome *outcomes;
    bool *found, *held;
    bool *wished, *used; // loads: wished for while absent; started
    const struct few_output **outputs;
    struct few__exec_row *rows;
    size_t *running;  // (n_lanes,) models
    int64_t *ends_us; // (n_lanes,)
    float *seen;      // (n_labels,)
    uint16_t *n_said; // (n_labels,)
    uint16_t *sayer;  // (n_labels,) the last model that said it + 1, where n_said > 0
    int32_t *touched; // (n_labels,) labels with seen > 0, view.n_seen of them
};

enum few__lane_state { FEW__LANE_FREE, FEW__LANE_READS, FEW__LANE_RUNS };

struct few__lane {
    enum few__lane_state state;
    bool canceled;
    size_t model;
    size_t slots[FEW__BATCH_MAX]; // READS: one
    size_t n_slots;
    uint64_t number;        // of the start: rises
    uint64_t working_bytes; // that it holds
    int64_t start_us;
    int64_t alone_us;     // expected, if nothing else ran
    size_t companion;     // the model that ran beside it longest
    int64_t companion_us; // for how long; 0 = none
};

enum few__load { FEW__ABSENT, FEW__LOADING, FEW__LOADED };

/* All that is loaded. Arrays are (n_models,), NULL where loads is false. */
struct few__memory {
    bool loads;
    uint64_t budget;       // FEW__NO_BUDGET = no limit
    uint64_t weights;      // of what is loaded or loading
    uint64_t most_working; // the largest of what is loaded or loading
    uint64_t running;      // working memory of what runs or loads
    enum few__load *load;
    bool *leaving; // to be evicted for `wanted` as soon as its runs have ended; not resident any more
    uint64_t leaving_bytes; // their weights
    bool *chosen;           // scratch: would go
    double *scores;         // scratch
    size_t *n_runs;         // of each model
    double *demand;         // share of recent items that used or wished for it
    size_t *rank;           // for WARM
    size_t loading;         // FEW__NONE = nothing
    int64_t load_us;        // instant at which that began
    size_t wanted;          // a load that an item waits for and that has no room yet; FEW__NONE
    size_t background;      // one that nobody waits for; FEW__NONE
    size_t n_warmed;        // rank[0 .. n_warmed - 1] are done with; n_models: not warming
};

struct few__exec {
    struct few__arena arena; // holds every array
    struct few__chains chains;
    struct few__exec_log *log; // NULL = none
    const struct few_catalog *catalog;
    struct few_cost *costs; // (n_models,)
    int64_t now_us;
    size_t n_slots, n_lanes, n_free;
    struct few__slot *slots; // (n_slots,)
    struct few__lane *lanes; // (n_lanes,)
    size_t *arrivals;        // (n_open,) open slots in order of arrival
    size_t n_open;
    uint64_t n_starts;

    struct few__memory memory;
    bool *resident;          // (n_models,) as policies see it
    uint64_t *working_bytes; // (n_models,) of one run on one item
    bool *too_large;         // (n_models,) never fits in the budget

    size_t *batch_max; // (n_models,); NULL = 1 each
    enum few__variant_rule variants;
    int *group_first,
        *group_next; // (n_models,) variants by rising time; -1 = none; NULL: variants are models of their own

    bool keep_pace;
    double pace;
    struct few__pairs *pairs; // NULL = one lane, or the pace is not kept
    double *slow;             // (n_models,)
    double lone;              // mean of real over expected time of runs with nothing beside them

    size_t *chosen, *joined;         // (n_models,) room for answers
    double *worths, *joined_worths;  // (n_models,) and for what they are worth
    int64_t *chain_us;               // (n_models,) scratch of stop
    struct few__action *own_actions; // (few__exec_actions_max,)

    struct few__action *actions; // of the step under way; the caller's
    size_t n_actions;
};

/* `at` is the number of a slot. */

/* ---- exec_state.c: calls none of the others ---- */

void few__exec_record(struct few__exec *exec, struct few__log_record record); // now
void few__exec_act(struct few__exec *exec, struct few__action action);

bool few__slot_create(struct few__exec *exec, struct few__slot *slot, const struct few__chooser *chooser);
void few__slot_clear(struct few__exec *exec, struct few__slot *slot); // every model pending, nothing seen
void few__slot_settle(struct few__exec *exec, size_t at, size_t model, enum few_outcome outcome,
                      enum few__reason reason);
void few__slot_skip_users(struct few__exec *exec, size_t at, size_t model, enum few__reason reason);

/* A variant has ended without an answer that can be relied on: the cheapest that has not ended may run. */
void few__slot_release_next(struct few__exec *exec, size_t slot, size_t model);

/* ---- exec_memory.c ---- */

enum few_status few__memory_create(struct few__exec *exec, const struct few__exec_opts *opts,
                                   struct few_error *err);
uint64_t few__memory_free(const struct few__exec *exec);
uint64_t few__memory_of_run(const struct few__exec *exec, size_t model, size_t n_items);
void few__memory_wish(struct few__exec *exec, size_t at, size_t model, bool stopped);
void few__memory_note_item(struct few__exec *exec, size_t at); // it is finished
void few__memory_loaded(struct few__exec *exec, size_t model, bool ok);

/* Begin what can be loaded now. True: what was kept for a load is free again, so policies have to be
 * asked again. */
bool few__memory_load(struct few__exec *exec, bool may_ask_again);

/* ---- exec_run.c ---- */

size_t few__lane_free(const struct few__exec *exec);         // the lowest; there is one
void few__slot_refresh(struct few__exec *exec, size_t slot); // what its view shares with others
void few__run_start(struct few__exec *exec, size_t at, size_t model, uint64_t spare_bytes);
void few__run_leave(struct few__exec *exec, size_t at, size_t model); // it is not waited for any more

/* DONE: the lane is free, and no item counts the run among its running[] any more; what it means for each item has to
 * follow (few__slot_hear). False: it was cancelled, so its items have finished. */
bool few__run_end(struct few__exec *exec, const struct few__event *event);

/* ---- exec_item.c ---- */

void few__slot_begin(struct few__exec *exec, size_t at, const struct few__event *event);
void few__slot_ready(struct few__exec *exec, size_t at, unsigned has_parts); // it has been read
void few__slot_hear(struct few__exec *exec, size_t at, size_t model, const struct few__part *part); // DONE
void few__slot_stop(struct few__exec *exec, size_t at);
void few__slot_fail(struct few__exec *exec, size_t at); // it could not be read
void few__slot_deadline(struct few__exec *exec, size_t at);
void few__slot_finish(struct few__exec *exec, size_t at);

/* Groups of variants, in the arena. Errors: FEW_ENOMEM. */
bool few__variants_create(struct few__exec *exec);

/* ---- exec_core.c ---- */

/* Room for the actions of a step that belongs to the executor: for drivers without memory of their own. */
struct few__action *few__exec_own_actions(struct few__exec *exec);

#endif
