// SPDX-License-Identifier: Apache-2.0
/* A net as tensors, without padding: for layer l "PREFIX.l.weight" F32 (n_in, n_out), input-major, and "PREFIX.l.bias" F32
 * (n_out,); a dueling head's V is the last unit. The shape of the net is the caller's to store. */
#ifndef FEW_NN_NET_FILE_H
#define FEW_NN_NET_FILE_H

#include "nn/net.h"
#include "nn/tensors_file.h"

/* Errors as few__tensors_add. */
enum few_status few__net_put(const struct few__net *net, struct few__tensors *tensors, const char *prefix,
                             struct few_error *err);

/* Fills the parameters of a net of the same shape. Errors: FEW_ENOENT a tensor is missing; FEW_ESHAPE; FEW_EPARSE a parameter
 * is no finite number; FEW_ELIMIT the prefix is too long. On failure the parameters are undefined. */
enum few_status few__net_take(struct few__net *net, const struct few__tensors *tensors, const char *prefix,
                              struct few_error *err);

#endif
