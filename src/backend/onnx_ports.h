// SPDX-License-Identifier: Apache-2.0
// Inputs and outputs of an ONNX file, and messages of the library.
#ifndef FEW_BACKEND_ONNX_PORTS_H
#define FEW_BACKEND_ONNX_PORTS_H

#include "backend/onnx_api.h"
#include "model/decode.h"
#include "model/recipe.h"

enum { FEW__PORTS_MAX = 8 }; // named beside one

/* Consume a status of the library: FEW_OK where it is NULL, else FEW_EBACKEND with the first line of its message. */
enum few_status few__onnx_told(const struct few__onnx_api *api, struct onnx_status *status, const char *thing,
                               struct few_error *err);

/* The same about a model. */
enum few_status few__onnx_told_model(const struct few__onnx_api *api, struct onnx_status *status,
                                     const struct few_model *model, struct few_error *err);

/* A loaded file that is looked at; all borrowed. */
struct few__onnx_file {
    const struct few__onnx_api *api;
    const struct few_mem *mem;
    struct onnx_allocator *allocator; // the library's own, for the names it hands out
    struct onnx_session *session;
    const struct few_model *model; // for messages
};

/* One input or output as the file declares it. */
struct few__port {
    char *name; // owned
    int type;   // ONNX_FLOAT; 0 = not a tensor
    size_t n_dims;
    int64_t dims[FEW__DIMS_MAX]; // -1 = any
};

/* "float32" */
const char *few__type_name(int type);

size_t few__type_size(int type); // bytes of a number; 0 = it is none

/* Type and dimensions; the dimensions only where there are at most FEW__DIMS_MAX. */
struct onnx_status *few__port_shape(const struct few__onnx_api *api, const struct onnx_shape *shape,
                                    struct few__port *port);

struct few__wanted {
    const char *name;      // NULL: the only one that is not among `others`
    bool is_input, is_all; // is_all: with `others` there are no more
    size_t n_others;
    const char *others[FEW__PORTS_MAX]; // (n_others,)
};

/* Find an input or output. Errors: FEW_ESHAPE none, or more than there may be; FEW_EBACKEND; FEW_ENOMEM. */
enum few_status few__port_find(const struct few__onnx_file *file, const struct few__wanted *wanted,
                               struct few__port *port, struct few_error *err);

/* Check that an input takes what the recipe gives; for batches its first dimension is free. Errors: FEW_ESHAPE. */
enum few_status few__port_check_input(const struct few__recipe *recipe, const struct few_model *model,
                                      const struct few__port *port, struct few_error *err);

/* The same of sound and text, whose numbers lie along one dimension while all others are 1. dims: (port->n_dims,) out, the
 * shape of each run. Errors: FEW_ESHAPE. */
enum few_status few__port_check_row(const struct few__recipe *recipe, const struct few_model *model,
                                    const struct few__port *port, int64_t dims[FEW__DIMS_MAX],
                                    struct few_error *err);

#endif
