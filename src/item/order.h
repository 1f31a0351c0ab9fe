// SPDX-License-Identifier: Apache-2.0
/* Orders of models as values. Under sched_deadline a model at position p of n with q = time * (n - p) has the
 * ratio n - p, so the scheduler follows the order; the average over a chain stays below the ratio of its
 * first pending model as long as a need comes before its users. */
#ifndef FEW_ITEM_ORDER_H
#define FEW_ITEM_ORDER_H

#include "exec/chain.h"
#include "exec/view.h"

#define FEW__ITEM_MEMORY_MAX ((size_t)4 << 20) // of one scheduler or value function: some 100 bytes a model

/* Bring every need forward to just before its first user.
 *
 * drawn   (n,) a permutation of the models
 * placed  (n,) scratch
 * order   (n,) out; not drawn */
void few__order_complete(const struct few__chains *chains, const size_t *drawn, bool *placed, size_t *order);

/* The value of a model of this expected time at position p of n. */
static inline double few__order_value(int64_t time_us, size_t p, size_t n)
{
    return (double)(time_us > 0 ? time_us : 1) * (double)(n - p);
}

#endif
