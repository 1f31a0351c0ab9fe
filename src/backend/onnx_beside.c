// SPDX-License-Identifier: Apache-2.0
// Invariant: of each state, memory[now] is what the last run gave, or zeros.
#include "backend/onnx_beside.h"

#include <math.h>
#include <string.h>

#include "backend/shape.h"
#include "core/error.h"
#include "core/mem.h"

/* ---- states ---- */

static enum few_status wrong_shape(const struct few__onnx_file *file, const char *what,
                                   const struct few__port *port, const char *type, size_t n_dims,
                                   const int64_t *dims, struct few_error *err)
{
    char want[FEW__SHAPE_TEXT], have[FEW__SHAPE_TEXT];
    few__shape_text(want, sizeof want, type, n_dims, dims);
    few__shape_text(have, sizeof have, few__type_name(port->type), port->n_dims, port->dims);
    return few__fail(err, FEW_ESHAPE, "model '%s': %s '%s': expected %s, found %s", file->model->name, what,
                     port->name, want, have);
}

static bool fits(const struct few__port *port, size_t n_dims, const int64_t *dims)
{
    bool same = port->n_dims == n_dims;
    for (size_t i = 0; same && i < n_dims; i++) same = port->dims[i] < 0 || port->dims[i] == dims[i];
    return same;
}

static enum few_status bind_state(const struct few__onnx_file *file, const struct onnx_memory *memory,
                                  const struct few__model_state *of, struct few__onnx_state *state,
                                  struct few_error *err)
{
    size_t n = few__shape_count(of->n_dims, of->dims);
    state->bytes = n * few__type_size(state->in.type);
    for (int k = 0; k < 2; k++) {
        state->memory[k] = few__new(file->mem, n, few__type_size(state->in.type));
        if (!state->memory[k]) return few__no_memory(err, file->model->name);
        struct onnx_status *made = file->api->CreateTensorWithDataAsOrtValue(
            memory, state->memory[k], state->bytes, of->dims, of->n_dims, state->in.type, &state->value[k]);
        FEW__TRY(few__onnx_told_model(file->api, made, file->model, err));
    }
    return FEW_OK;
}

static enum few_status open_state(const struct few__onnx_file *file, const struct onnx_memory *memory,
                                  const struct few__model_state *of, struct few__onnx_state *state,
                                  struct few_error *err)
{
    FEW__TRY(
        few__port_find(file, &(struct few__wanted){.name = of->input, .is_input = true}, &state->in, err));
    FEW__TRY(few__port_find(file, &(struct few__wanted){.name = of->output}, &state->out, err));
    const char *type = few__type_name(state->in.type);
    if (few__type_size(state->in.type) == 0)
        return few__fail(err, FEW_ESHAPE, "model '%s': state '%s': expected numbers, found %s",
                         file->model->name, state->in.name, type);
    if (!fits(&state->in, of->n_dims, of->dims))
        return wrong_shape(file, "state", &state->in, type, of->n_dims, of->dims, err);
    if (state->out.type != state->in.type || !fits(&state->out, of->n_dims, of->dims))
        return wrong_shape(file, "output of a state", &state->out, type, of->n_dims, of->dims, err);
    return bind_state(file, memory, of, state, err);
}

/* ---- constants ---- */

// The number in the port's type. bytes: out. False: it is none of that type.
static bool set_number(struct few__onnx_constant *c, double value, size_t *bytes)
{
    bool whole = value == floor(value);
    *bytes = few__type_size(c->in.type);
    switch (c->in.type) {
    case ONNX_FLOAT: c->number.f = (float)value; return isfinite(c->number.f);
    case ONNX_DOUBLE: c->number.d = value; return true;
    case ONNX_INT32:
        if (!whole || value < INT32_MIN || value > INT32_MAX) return false;
        c->number.i = (int32_t)value;
        return true;
    case ONNX_INT64:
        if (!whole || fabs(value) > 9007199254740992.0) return false; // 2^53
        c->number.l = (int64_t)value;
        return true;
    default: return false;
    }
}

static enum few_status open_constant(const struct few__onnx_file *file, const struct onnx_memory *memory,
                                     const struct few__constant *of, struct few__onnx_constant *c,
                                     struct few_error *err)
{
    FEW__TRY(few__port_find(file, &(struct few__wanted){.name = of->input, .is_input = true}, &c->in, err));
    const char *type = few__type_name(c->in.type);
    int64_t dims[FEW__DIMS_MAX];
    bool is_one = true;
    for (size_t i = 0; i < c->in.n_dims; i++) {
        is_one = is_one && (c->in.dims[i] < 0 || c->in.dims[i] == 1);
        dims[i] = 1;
    }
    bool has_type = c->in.type == ONNX_FLOAT || c->in.type == ONNX_DOUBLE || c->in.type == ONNX_INT32 ||
                    c->in.type == ONNX_INT64;
    if (!is_one || !has_type) {
        char have[FEW__SHAPE_TEXT];
        few__shape_text(have, sizeof have, type, c->in.n_dims, c->in.dims);
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': constant '%s': expected one float32, float64, int32 or int64, found %s",
                         file->model->name, c->in.name, have);
    }
    size_t bytes;
    if (!set_number(c, of->value, &bytes))
        return few__fail(err, FEW_ESHAPE, "model '%s': constant '%s': expected %s, found %.9g",
                         file->model->name, c->in.name, type, of->value);
    struct onnx_status *made = file->api->CreateTensorWithDataAsOrtValue(memory, &c->number, bytes, dims,
                                                                         c->in.n_dims, c->in.type, &c->value);
    return few__onnx_told_model(file->api, made, file->model, err);
}

/* ---- all of them ---- */

enum few_status few__beside_open(const struct few__onnx_file *file, const struct onnx_memory *memory,
                                 const struct few__input *input, struct few__onnx_beside *b,
                                 struct few_error *err)
{
    *b = (struct few__onnx_beside){.api = file->api, .mem = file->mem};
    for (size_t i = 0; i < input->n_states; i++) {
        b->n_states = i + 1;
        FEW__TRY(open_state(file, memory, &input->states[i], &b->states[i], err));
    }
    for (size_t i = 0; i < input->n_constants; i++) {
        b->n_constants = i + 1;
        FEW__TRY(open_constant(file, memory, &input->constants[i], &b->constants[i], err));
    }
    return FEW_OK;
}

void few__beside_close(struct few__onnx_beside *b)
{
    for (size_t i = 0; i < b->n_states; i++) {
        struct few__onnx_state *state = &b->states[i];
        for (int k = 0; k < 2; k++) {
            if (state->value[k]) b->api->ReleaseValue(state->value[k]);
            few__free(b->mem, state->memory[k]);
        }
        few__free(b->mem, state->in.name);
        few__free(b->mem, state->out.name);
    }
    for (size_t i = 0; i < b->n_constants; i++) {
        if (b->constants[i].value) b->api->ReleaseValue(b->constants[i].value);
        few__free(b->mem, b->constants[i].in.name);
    }
    b->n_states = b->n_constants = 0;
}

void few__beside_zero(struct few__onnx_beside *b)
{
    for (size_t i = 0; i < b->n_states; i++)
        memset(b->states[i].memory[b->states[i].now], 0, b->states[i].bytes);
}

size_t few__beside_inputs(const struct few__onnx_beside *b, const char **names,
                          const struct onnx_value **values)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n_states; i++, n++) {
        names[n] = b->states[i].in.name;
        values[n] = b->states[i].value[b->states[i].now];
    }
    for (size_t i = 0; i < b->n_constants; i++, n++) {
        names[n] = b->constants[i].in.name;
        values[n] = b->constants[i].value;
    }
    return n;
}

size_t few__beside_outputs(const struct few__onnx_beside *b, const char **names, struct onnx_value **values)
{
    for (size_t i = 0; i < b->n_states; i++) {
        names[i] = b->states[i].out.name;
        values[i] = b->states[i].value[!b->states[i].now];
    }
    return b->n_states;
}

void few__beside_turn(struct few__onnx_beside *b)
{
    for (size_t i = 0; i < b->n_states; i++) b->states[i].now = !b->states[i].now;
}
