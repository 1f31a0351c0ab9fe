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
#define FEW__NO_BUDGET   UINT64_MAX // of memory

enum few__state { // of a model on the current item
    FEW__PENDING,
    FEW__RUNNING,
    FEW__DONE, // has an outcome
};

/* Of one item. Arrays are (n_models,) unless they say otherwise. */
struct few__view {
    const struct few_catalog *catalog;
    const struct few_cost *costs; // expected, time_us > 0
    const enum few__state *states;
    const enum few_outcome *outcomes;        // where DONE
    const bool *found;                       // executed and not empty
    const struct few_output *const *outputs; // where executed; entries may be NULL in a replay
    const bool *held;                        // pending, but not to be started: a cheaper variant goes first
    const float *seen;                       // (n_labels,) highest valuable confidence so far, 0 = none
    const int32_t *seen_labels;              // (n_seen,) labels with seen > 0, as they came: only ever longer
    size_t n_seen;
    const uint16_t *n_said;      // (n_labels,) models that said it so far
    size_t n_pending, n_running; // of this item
    const size_t *running;       // (n_running,) models, in the order of start
    const int64_t *ends_us;      // (n_running,) instants at which they are expected to end

    // What the item shares with the others in flight.
    size_t n_lanes, n_free_lanes;  // models that may run at once, and that may start now
    uint64_t memory_bytes;         // of all models together; FEW__NO_BUDGET = no limit
    uint64_t free_bytes;           // working memory that new runs may take now; FEW__NO_BUDGET = no limit
    const uint64_t *working_bytes; // what a run takes of it
    const bool *resident;          // loaded; any other can be wished for, not started
    const double *slow;            // how much longer a run takes beside what runs now, >= 1; all 1 in replays
    double pace;                   // how much longer than expected a run may take, pace.h; 1 in replays
    const double
        *gains; // (n_models,) value that each model is expected to add, as the item's segment of a stream has
                // shown; NULL = nothing is known of it
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

/* Expected time of a run of the model that starts now. */
static inline int64_t few__view_time(const struct few__view *view, size_t model)
{
    int64_t time_us = view->costs[model].time_us;
    return view->slow[model] == 1 ? time_us : (int64_t)((double)time_us * view->slow[model]);
}

/* Whether the model may be started on this item now, memory aside: pending, not held, loaded, its need found. */
static inline bool few__view_ready(const struct few__view *view, size_t model)
{
    int need = view->catalog->models[model].needs;
    return view->states[model] == FEW__PENDING && !view->held[model] && view->resident[model] &&
           (need < 0 || (view->states[need] == FEW__DONE && view->found[need]));
}

static inline bool few__view_has_memory(const struct few__view *view, size_t model)
{
    return view->working_bytes[model] <= view->free_bytes;
}

/* FEW__START: start models[0 .. n-1] now, 1 <= n <= n_free_lanes, each few__view_ready, their working memory together
 * at most free_bytes. FEW__WAIT: ask again after the next completion or load; only while something runs or loads,
 * or if `wish` would fit before the deadline once loaded. FEW__STOP: nothing more on this item; what runs may end.
 * Anything else is a programmer's error and stops the program.
 *
 * A policy is asked about one item several times at one instant, and may be asked for the sake of another item's
 * batch without its answer being followed: choose must not change what it would answer. */
struct few__choice {
    enum few__answer answer;
    bool last; // START: ask again only after the next completion (or load), though lanes may be free
    size_t n;
    size_t *models; // (n_models,) room, given by the executor
    size_t wish; // with any answer: the model that would be best if everything were loaded; SIZE_MAX = none
    /* START: of each model, value for each microsecond of what it is started for, itself or a user of it; left as it is (NaN)
     * where a policy does not reckon in value. (n_models,) room, or NULL. */
    double *worths;
};

/* The policy as the executor knows it: one for each item in flight. choose allocates nothing. */
struct few__chooser {
    void *self;
    const char *name;                                        // for reasons and logs: "static"
    void (*begin)(void *self, const struct few__view *view); // a new item; may be NULL
    void (*choose)(void *self, const struct few__view *view, struct few__choice *choice);
    /* At once after a choose that answered STOP: worths (n_models,) of pending models as above, out, those that it does not
     * know left as they are. NULL: it does not reckon in value. */
    void (*explain)(void *self, const struct few__view *view, double *worths);
    double price; // with explain: what is worth less for each microsecond is not started; -INFINITY = none
};

#endif
