// SPDX-License-Identifier: Apache-2.0
/* A scheduler turns values into decisions (sched_<name>.c): a chooser for one item in flight, and how it is freed. */
#ifndef FEW_ITEM_SCHED_H
#define FEW_ITEM_SCHED_H

#include "exec/view.h"

struct few__sched {
    struct few__chooser chooser;
    void (*destroy)(void *self); // of chooser.self; NULL = there is nothing
};

static inline void few__sched_destroy(struct few__sched *sched)
{
    if (sched->destroy) sched->destroy(sched->chooser.self);
    *sched = (struct few__sched){0};
}

#endif
