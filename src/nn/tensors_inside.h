// SPDX-License-Identifier: Apache-2.0
// What reading and writing of tensors share.
#ifndef FEW_NN_TENSORS_INSIDE_H
#define FEW_NN_TENSORS_INSIDE_H

#include "nn/tensors_file.h"

enum { FEW__TENSORS_PREFIX = 8 }; // bytes before the JSON

struct few__dtype_row {
    const char *name;
    size_t size;
};
extern const struct few__dtype_row few__dtypes[FEW__DTYPE_COUNT];

/* Room for one more; the new entry is the last and has its name, NULL data and no numbers. Errors as few__tensors_add. */
enum few_status few__tensors_more(struct few__tensors *tensors, const char *name,
                                  struct few__named_tensor **out, struct few_error *err);

/* Product of the dims. Errors: FEW_ELIMIT the tensor does not fit into a file. */
enum few_status few__tensors_count(const char *name, enum few__dtype dtype, const size_t *dims, size_t n_dims,
                                   size_t *n, struct few_error *err);

#endif
