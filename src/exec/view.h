// SPDX-License-Identifier: Apache-2.0
/* What a policy sees of the item it decides about, and what it answers. A policy is a function of this
 * read-only view: the same in a replay and live. */
#ifndef FEW_EXEC_VIEW_H
#define FEW_EXEC_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/model.h>

#define FEW__NO_DEADLINE INT64_MAX

enum few__state { // of a model on the current item
    FEW__PENDING,
    FEW__RUNNING,
    FEW__DONE, // has an outcome
};

struct few__view {
    const struct few_catalog *catalog;
    const struct few_cost *costs;            // (n_models,) expected, > 0
    const enum few__state *states;           // (n_models,)
    const enum few_outcome *outcomes;        // (n_models,) where DONE
    const bool *found;                       // (n_models,) executed and not empty
    const struct few_output *const *outputs; // (n_models,) where executed; entries may be NULL in a replay
    const float *seen;                       // (n_labels,) highest valuable confidence so far, 0 = none
    size_t n_pending, n_running;
    const size_t *running;       // (n_running,) in the order of start
    size_t n_lanes;              // models that may run at once
    double pace;                 // how much longer than expected a run may take, pace.h; 1 in replays
    uint64_t item;               // number of the item: its row in a trace, its place in a run
    int64_t now_us, deadline_us; // deadline FEW__NO_DEADLINE: none
};

enum few__answer { FEW__START, FEW__WAIT, FEW__STOP };

/* Whether what is expected to take time_us will be done by the deadline if it starts now. */
static inline bool few__view_fits(const struct few__view *view, int64_t time_us)
{
    if (view->deadline_us == FEW__NO_DEADLINE) return true;
    int64_t left = view->deadline_us - view->now_us;
    return view->pace == 1 ? time_us <= left : (double)time_us * view->pace <= (double)left;
}

/* FEW__START: start models[0 .. n-1] now, 1 <= n <= n_lanes - n_running. Each must be PENDING and its need
 * executed with something found. FEW__WAIT: ask again after the next completion; only while something runs.
 * FEW__STOP: nothing more on this item; what runs may end. Anything else is a programmer's error and stops
 * the program. */
struct few__choice {
    enum few__answer answer;
    size_t n;
    size_t *models; // (n_models,) room, given by the executor
};

/* The policy as the executor knows it. choose allocates nothing. */
struct few__chooser {
    void *self;
    const char *name;                                        // for reasons and logs: "static"
    void (*begin)(void *self, const struct few__view *view); // a new item; may be NULL
    void (*choose)(void *self, const struct few__view *view, struct few__choice *choice);
};

#endif
