// SPDX-License-Identifier: Apache-2.0
/* The executor's pure core: events in, actions out. It owns no clock, thread, file or random number; the
 * drivers (exec_sim with a virtual clock, exec_live with threads) call the same function.
 *
 * Items in flight have a slot each, models run on lanes, and both share the memory. The life of an item:
 *     ITEM -> [READ -> READ] -> [START m -> DONE] ... -> FINISH
 *     DEADLINE -> CANCEL of runs that nobody waits for any more -> FINISH
 * After FINISH a run that was cancelled may still hold its lane, its memory and what it looks at; its DONE, which
 * the driver sends in every case, gives them back. A slot may be used again when few__exec_slot_free.
 * Where memory is limited, models are loaded and evicted as well: LOAD m -> LOADED m, EVICT m (at once).
 * docs/exec.md lists the corner cases (algorithms.md 1.5, 1.6) and how each was decided. */
#ifndef FEW_EXEC_EXEC_H
#define FEW_EXEC_EXEC_H

#include <fewer/env.h>

#include "exec/view.h"

#define FEW__LANES_MAX   64                        // models that run at once
#define FEW__SLOTS_MAX   64                        // items in flight
#define FEW__BATCH_MAX   64                        // items of one run
#define FEW__TIME_MAX_US INT64_C(1000000000000000) // of one model; an expected time above it counts as this

struct few__exec;
struct few__exec_log; // exec_log.h

enum { FEW__ALL_PARTS = (1 << FEW_MODALITY_COUNT) - 1 }; // an item that has something of each modality

enum few__event_kind {
    FEW__EVENT_WARM,     // before the first item: load what fits, in order of opts.rank
    FEW__EVENT_ITEM,     // an item arrived: slot, item, deadline_us, ready
    FEW__EVENT_READ,     // an item that was not ready has been read: slot, result OK or FAILED
    FEW__EVENT_DONE,     // a run ended: lane, parts
    FEW__EVENT_LOADED,   // a load ended: model, result OK or FAILED
    FEW__EVENT_DEADLINE, // the deadline of a slot's item has come: slot
};

enum few__result { FEW__RESULT_OK, FEW__RESULT_EMPTY, FEW__RESULT_FAILED, FEW__RESULT_CANCELED };

/* What a run said about one of its items. */
struct few__part {
    enum few__result result;
    bool unsure; // the output leaves its labels in doubt: a dearer variant may say more (few__output_unsure)
    const struct few_valuable *valuable; // (n_valuable,): few__valuable of the output
    size_t n_valuable;
    const struct few_output *output; // may be NULL in a replay; borrowed until the slot's FINISH
};

struct few__event {
    enum few__event_kind kind;
    size_t slot;
    uint64_t item;
    int64_t deadline_us;     // ITEM: instant, FEW__NO_DEADLINE = none
    const double *gains;     // ITEM: the view's, or NULL; borrowed until FINISH
    unsigned has_parts;      // READ that went well, or ITEM that is ready: bit m = the item has modality m
    bool ready;              // ITEM: models may start at once; false: it has to be read first, on a lane
    enum few__result result; // READ, LOADED
    size_t model;            // LOADED
    size_t lane;             // DONE
    const struct few__part *parts; // DONE: one for each slot of the run, in the order of START
};

enum few__action_kind {
    FEW__ACTION_READ,   // slot, lane: read the item on that lane
    FEW__ACTION_START,  // model, lane, slots
    FEW__ACTION_CANCEL, // model, lane: end the run soon; its DONE is still awaited
    FEW__ACTION_LOAD,   // model: one at a time
    FEW__ACTION_EVICT,  // model: not in use
    FEW__ACTION_FINISH, // slot: every model has an outcome
};

struct few__action {
    enum few__action_kind kind;
    size_t model, lane, slot;
    size_t n_slots;
    const size_t *slots; // (n_slots,) START: the items of the run; borrowed until its DONE
};

/* Why a model ended as it did. Text: few__reason_text. */
enum few__reason {
    FEW__WHY_CHOSEN,       // executed: the policy chose it, or it is needed by one it chose
    FEW__WHY_NEED_EMPTY,   // skipped: its need found nothing
    FEW__WHY_NEED_MISSING, // skipped: its need was skipped or late, so there was nothing to look at
    FEW__WHY_NEED_FAILED,  // skipped: its need failed
    FEW__WHY_NO_TIME,      // skipped: the policy stopped and it would not have fitted before the deadline
    FEW__WHY_NOT_WORTH,    // skipped: the policy stopped although it would have fitted
    FEW__WHY_DEADLINE,     // late, or skipped because the deadline came
    FEW__WHY_FAILED,       // failed: the backend said why
    FEW__WHY_VARIANT,      // skipped: a variant of it answers
    FEW__WHY_NO_MEMORY,    // skipped: it alone is larger than the memory budget
    FEW__WHY_NOT_LOADED, // failed: it could not be loaded (the backend said why); skipped: not loaded in time
    FEW__WHY_ITEM_FAILED, // failed: the item could not be read
    FEW__WHY_NO_PART, // skipped: the item has nothing of its modality ("no sound in it"); its output is empty
};

enum few__variant_rule {
    FEW__VARIANTS_ALL,     // variants are models of their own
    FEW__VARIANTS_DEAREST, // of each group only the one with the longest expected time
    FEW__VARIANTS_CASCADE, // the cheapest first; the next dearer only if it was unsure or failed
};                         // A variant that other models need is never left out for another.

struct few__exec_opts {
    const struct few_env *env;
    const struct few_catalog *catalog;   // borrowed
    const struct few_cost *costs;        // (n_models,) copied; time <= 0 counts as 1 us
    const struct few__chooser *choosers; // (n_slots,) copied
    size_t n_slots, n_lanes;             // 0 = 1
    uint64_t memory_bytes;               // budget of all models; 0 = no limit
    /* Models are loaded and evicted: weights count while loaded, working memory while it loads or runs. false (replays,
     * AMS): everything is loaded, and a run takes all of memory_bytes. */
    bool loads;
    const bool *resident;    // (n_models,) loads: what is loaded already; NULL = nothing
    const size_t *rank;      // (n_models,) loads: models by falling worth, for WARM; NULL = by index
    const size_t *batch_max; // (n_models,) items that one run may take; NULL = 1 each
    enum few__variant_rule variants;
    struct few__exec_log *log; // NULL = none
    /* Follow how late runs are, and how pairs of models slow each other down, and plan with it (pace.h, pairs.h). false:
     * mean times, as AMS. */
    bool keep_pace;
};

/* All memory is taken here; a step allocates nothing.
 * Errors: FEW_EINVAL a need that does not exist or is in a circle, or loads are asked for and a model that is
 * resident exceeds the budget; FEW_ELIMIT more than the limits above; FEW_ENOMEM. */
enum few_status few__exec_create(const struct few__exec_opts *opts, struct few__exec **exec,
                                 struct few_error *err);
void few__exec_destroy(struct few__exec *exec);

/* One step. actions: (few__exec_actions_max,) room; returns how many. now_us never goes back.
 * A DONE after an item's deadline whose DEADLINE the driver has not sent yet counts as that DEADLINE: the model is
 * late there. DEADLINE for a slot without an open item is ignored. An event that cannot be (a lane that runs nothing,
 * an item in a slot that is not free, a DEADLINE before its time) is a programmer's error and stops the program by
 * assertion. */
size_t few__exec_step(struct few__exec *exec, int64_t now_us, const struct few__event *event,
                      struct few__action *actions);
size_t few__exec_actions_max(const struct few__exec *exec);

/* No item is open in the slot and no run looks at it any more. */
bool few__exec_slot_free(const struct few__exec *exec, size_t slot);

/* A load is under way, or wanted as soon as there is room. */
bool few__exec_loading(const struct few__exec *exec);

/* After FINISH, until the slot's next ITEM. */
struct few__exec_row {
    enum few_outcome outcome;
    enum few__reason reason;
    int64_t start_us, end_us; // instants; -1 if not started
    size_t n_items;           // of its run: above 1 in a batch, whose time they share; 0 if not started
    size_t lane;              // that it ran on; SIZE_MAX if not started
    double
        worth; // value for each microsecond: that it was started for, or that was not enough; NaN = not known
};

/* Skipped because there was nothing to look at: its output is the empty one, and running everything would not have run
 * it. */
static inline bool few__reason_is_empty(enum few__reason reason)
{
    return reason == FEW__WHY_NEED_EMPTY || reason == FEW__WHY_NO_PART;
}

const struct few__exec_row *few__exec_rows(const struct few__exec *exec, size_t slot); // (n_models,)
const struct few__view *few__exec_view(const struct few__exec *exec, size_t slot);

/* One phrase for people, in `text`: "its need ultraface_rfb_320 found nothing". Numbers in it have two digits, so that the
 * phrases of a run are a few hundred. */
void few__reason_text(const struct few__exec *exec, size_t slot, size_t model, char *text, size_t n);

#endif
