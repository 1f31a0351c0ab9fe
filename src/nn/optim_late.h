// SPDX-License-Identifier: Apache-2.0
// Rows of the first layer that wait for their steps. For optim.c.
#ifndef FEW_NN_OPTIM_LATE_H
#define FEW_NN_OPTIM_LATE_H

#include "nn/optim.h"

/* base to the power of k by products alone: the same bits everywhere, which the C library's pow does not promise. */
double few__power(double base, uint64_t k);

/* NULL when there is no memory. */
struct few__optim_late *few__optim_late_create(const struct few__net *net, const struct few__optim_spec *spec,
                                               const struct few_mem *mem);
void few__optim_late_destroy(struct few__optim_late *late);
void few__optim_late_reset(struct few__optim_late *late);

/* Before step optim->t + 1. */
void few__optim_late_begin(struct few__optim *optim);

/* The row has all steps up to optim->t. */
void few__optim_late_row(struct few__optim *optim, struct few__net *net, size_t row);

/* Step optim->t was done on rows that had all before it; they have a gradient from now on. */
void few__optim_late_stepped(struct few__optim *optim, size_t row);

#endif
