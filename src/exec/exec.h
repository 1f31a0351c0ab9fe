// SPDX-License-Identifier: Apache-2.0
/* The executor's pure core: events in, actions out. It owns no clock, thread, file or random number; the
 * drivers (exec_sim with a virtual clock, exec_live with threads) call the same function.
 *
 * One item at a time, one lane for now. The life of an item:
 *     ITEM -> [START m] -> DONE m -> [START ...] -> ... -> [FINISH]
 *     DEADLINE -> [CANCEL m for everything running] [FINISH]
 * A model that runs at the deadline is late at that moment; what its lane still does is not waited for here.
 * docs/exec.md lists the corner cases (algorithms.md 1.5) and how each was decided. */
#ifndef FEW_EXEC_EXEC_H
#define FEW_EXEC_EXEC_H

#include <fewer/env.h>

#include "exec/view.h"

#define FEW__LANES_MAX   64                        // models that run at once
#define FEW__TIME_MAX_US INT64_C(1000000000000000) // of one model; an expected time above it counts as this

struct few__exec;
struct few__exec_log; // exec_log.h

enum few__event_kind {
    FEW__EVENT_ITEM,     // an item arrived and was decoded: item, deadline_us
    FEW__EVENT_DONE,     // a model ended: model, result
    FEW__EVENT_DEADLINE, // the item's deadline has come
};

enum few__result { FEW__RESULT_OK, FEW__RESULT_EMPTY, FEW__RESULT_FAILED };

struct few__event {
    enum few__event_kind kind;
    uint64_t item;
    int64_t deadline_us;                 // ITEM: instant, FEW__NO_DEADLINE = none
    size_t model;                        // DONE
    enum few__result result;             // DONE
    const struct few_valuable *valuable; // DONE, (n_valuable,): few__valuable of the output
    size_t n_valuable;
    const struct few_output *output; // DONE: may be NULL in a replay; borrowed until FINISH
};

enum few__action_kind { FEW__ACTION_START, FEW__ACTION_CANCEL, FEW__ACTION_FINISH };

struct few__action {
    enum few__action_kind kind;
    size_t model; // START, CANCEL
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
};

struct few__exec_opts {
    const struct few_env *env;
    const struct few_catalog *catalog; // borrowed
    const struct few_cost *costs;      // (n_models,) copied; time <= 0 counts as 1 us
    struct few__chooser chooser;       // copied
    size_t n_lanes;                    // models that may run at once; 0 = 1
    struct few__exec_log *log;         // NULL = none
    bool keep_pace; // follow how late runs are and plan with it (pace.h); false: mean times, as AMS
};

/* All memory is taken here; a step allocates nothing.
 * Errors: FEW_EINVAL a need that does not exist or is in a circle; FEW_ELIMIT more than FEW__LANES_MAX lanes
 * or FEW_MODELS_MAX models; FEW_ENOMEM. */
enum few_status few__exec_create(const struct few__exec_opts *opts, struct few__exec **exec,
                                 struct few_error *err);
void few__exec_destroy(struct few__exec *exec);

/* One step. actions: (few__exec_actions_max,) room; returns how many. now_us never goes back.
 * DEADLINE and DONE after FINISH are ignored (a lane that ended too late). A DONE after the deadline whose
 * DEADLINE the driver has not sent yet counts as that DEADLINE: the model is late, and CANCEL may name one
 * that has ended. An event that cannot be (a model that does not run, an item while one is open, a
 * DEADLINE before its time) is a programmer's error and stops the program by assertion. */
size_t few__exec_step(struct few__exec *exec, int64_t now_us, const struct few__event *event,
                      struct few__action *actions);
size_t few__exec_actions_max(const struct few__exec *exec);

/* After FINISH, until the next ITEM. */
struct few__exec_row {
    enum few_outcome outcome;
    enum few__reason reason;
    int64_t start_us, end_us; // instants; -1 if not started
};
const struct few__exec_row *few__exec_rows(const struct few__exec *exec); // (n_models,)
const struct few__view *few__exec_view(const struct few__exec *exec);

/* One phrase for people, in `text`: "its need ultraface_rfb_320 found nothing". */
void few__reason_text(const struct few__exec *exec, size_t model, char *text, size_t n);

#endif
