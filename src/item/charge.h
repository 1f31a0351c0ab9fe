// SPDX-License-Identifier: Apache-2.0
/* What starting towards a model costs and brings: a model whose need has not run is charged with its whole chain. */
#ifndef FEW_ITEM_CHARGE_H
#define FEW_ITEM_CHARGE_H

#include <math.h>

#include "exec/chain.h"
#include "exec/exec.h"

enum { FEW__NOBODY = -1 };

struct few__charge { // from the first pending need down to a model
    double q;
    int64_t time_us;  // the first as it is beside what runs now, the others alone
    int64_t alone_us; // all of them alone: what a price is for
    int64_t load_us;  // of what is not loaded
    uint64_t bytes;   // the largest working memory
    int32_t first;    // the model to start for it; NOBODY: nothing can start for it now, loaded or not
    int32_t absent;   // the first of them that is not loaded, or NOBODY
};

/* charges: those of the pending needs of the model, which come before it in needs->order. */
static inline struct few__charge few__charge_of(const struct few__chains *needs, const struct few__view *view,
                                                const double *q, const struct few__charge *charges,
                                                size_t model)
{
    int64_t load_us = view->costs[model].load_us;
    struct few__charge c = {.q = isnan(q[model]) ? -INFINITY : q[model],
                            .time_us = view->costs[model].time_us,
                            .alone_us = view->costs[model].time_us,
                            .bytes = view->working_bytes[model],
                            .first = view->held[model] ? FEW__NOBODY : (int32_t)model,
                            .absent = FEW__NOBODY};
    if (!view->resident[model]) {
        c.load_us = load_us < FEW__TIME_MAX_US ? load_us : FEW__TIME_MAX_US;
        c.absent = (int32_t)model;
    }
    int need = needs->needs[model];
    if (need < 0 || (view->states[need] == FEW__DONE && view->found[need])) {
        c.time_us = few__view_time(view, model);
        return c;
    }
    if (c.first == FEW__NOBODY) return c;
    if (view->states[need] != FEW__PENDING) {
        c.first = FEW__NOBODY;
        return c;
    }
    const struct few__charge *above = &charges[need];
    c.first = above->first;
    c.q += above->q;
    if (isnan(c.q)) c.q = -INFINITY; // of +infinity and -infinity
    c.time_us += above->time_us;
    c.alone_us += above->alone_us;
    c.load_us += above->load_us;
    if (above->bytes > c.bytes) c.bytes = above->bytes;
    if (above->absent != FEW__NOBODY) c.absent = above->absent;
    return c;
}

/* What has to be there before the chain can start: few__choice.wish. */
static inline size_t few__charge_wish(const struct few__charge *charge)
{
    return (size_t)(charge->absent == FEW__NOBODY ? charge->first : charge->absent);
}

/* Of several models the one to take: the highest rank; among equals the lowest index. */
struct few__best {
    size_t model; // SIZE_MAX: none yet
    double rank;
};

static inline void few__best_note(struct few__best *best, size_t model, double rank)
{
    if (best->model != SIZE_MAX && (rank < best->rank || (rank == best->rank && model > best->model))) return;
    *best = (struct few__best){model, rank};
}

/* The answer when nothing can start now. hoped: the best that could start once it is loaded or has memory; absent: the
 * best of these that has to be loaded. */
static inline void few__answer_nothing(const struct few__view *view, const struct few__charge *charges,
                                       const struct few__best *hoped, const struct few__best *absent,
                                       struct few__choice *choice)
{
    // What runs may still make a need found, or a value positive.
    choice->answer = view->n_running > 0 || hoped->model != SIZE_MAX ? FEW__WAIT : FEW__STOP;
    // Where nothing of this item runs, the wish has to be worth waiting for. What is loaded lacks memory because others
    // run, or because it is kept free for a load: that load has to stay wished for, or nobody would do anything.
    if (absent->model != SIZE_MAX) hoped = absent;
    if (view->n_running == 0 && hoped->model != SIZE_MAX)
        choice->wish = few__charge_wish(&charges[hoped->model]);
}

#endif
