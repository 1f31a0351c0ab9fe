// SPDX-License-Identifier: Apache-2.0
/* What a run of an ONNX file takes and gives beside its input and outputs: states, which go from one run to the next, and
 * constants. Everything is allocated and bound at load; each state lies in two places that change roles. */
#ifndef FEW_BACKEND_ONNX_BESIDE_H
#define FEW_BACKEND_ONNX_BESIDE_H

#include "backend/onnx_ports.h"

struct few__onnx_state {
    struct few__port in, out;
    size_t bytes;
    void *memory[2];             // owned
    struct onnx_value *value[2]; // over them
    int now;                     // the next run reads this one and writes the other
};

struct few__onnx_constant {
    struct few__port in;
    union {
        float f;
        double d;
        int32_t i;
        int64_t l;
    } number;
    struct onnx_value *value; // over it
};

struct few__onnx_beside {
    const struct few__onnx_api *api;
    const struct few_mem *mem;
    size_t n_states, n_constants;
    struct few__onnx_state states[FEW__STATES_MAX];
    struct few__onnx_constant constants[FEW__CONSTANTS_MAX];
};

enum { FEW__BESIDE_MAX = FEW__STATES_MAX + FEW__CONSTANTS_MAX }; // inputs

/* Find and check the tensors that the recipe names. It must not move after that; close in any case.
 * Errors: FEW_ESHAPE no such tensor, or another type or shape (expected, found); FEW_EBACKEND; FEW_ENOMEM. */
enum few_status few__beside_open(const struct few__onnx_file *file, const struct onnx_memory *memory,
                                 const struct few__input *input, struct few__onnx_beside *beside,
                                 struct few_error *err);
void few__beside_close(struct few__onnx_beside *beside);

void few__beside_zero(struct few__onnx_beside *beside); // states, for a new item

/* Of the next run: names and values of inputs (FEW__BESIDE_MAX room) and of outputs (FEW__STATES_MAX). Return how many. */
size_t few__beside_inputs(const struct few__onnx_beside *beside, const char **names,
                          const struct onnx_value **values);
size_t few__beside_outputs(const struct few__onnx_beside *beside, const char **names,
                           struct onnx_value **values);

void few__beside_turn(
    struct few__onnx_beside *beside); // a run ended well: what it gave is what the next one takes

#endif
