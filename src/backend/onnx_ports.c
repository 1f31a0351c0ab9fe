// SPDX-License-Identifier: Apache-2.0
// What a file says of its inputs and outputs, and what the library says of anything.
#include "backend/onnx_ports.h"

#include <stdio.h>
#include <string.h>

#include "backend/shape.h"
#include "core/error.h"
#include "core/mem.h"

enum { MESSAGE_MAX = 300, NAME_SHOWN = 256 };

// The first line of a message, at most MESSAGE_MAX bytes of it.
static int line_length(const char *message)
{
    size_t n = strcspn(message, "\r\n");
    return n < MESSAGE_MAX ? (int)n : MESSAGE_MAX;
}

enum few_status few__onnx_told(const struct few__onnx_api *api, struct onnx_status *status, const char *thing,
                               struct few_error *err)
{
    if (!status) return FEW_OK;
    const char *message = api->GetErrorMessage(status);
    few__fail(err, FEW_EBACKEND, "%s: %.*s", thing, line_length(message), message);
    api->ReleaseStatus(status);
    return FEW_EBACKEND;
}

enum few_status few__onnx_told_model(const struct few__onnx_api *api, struct onnx_status *status,
                                     const struct few_model *model, struct few_error *err)
{
    if (!status) return FEW_OK;
    few__onnx_told(api, status, "ONNX Runtime", err);
    return few__wrap(err, FEW_EBACKEND, "model '%s'", model->name);
}

const char *few__type_name(int type)
{
    static const char *const names[] = {"no tensor", "float32", "uint8",  "int8",   "uint16",
                                        "int16",     "int32",   "int64",  "string", "bool",
                                        "float16",   "float64", "uint32", "uint64"};
    return type >= 0 && (size_t)type < sizeof names / sizeof *names ? names[type] : "another type";
}

size_t few__type_size(int type)
{
    static const unsigned char sizes[] = {0, 4, 1, 1, 2, 2, 4, 8, 0, 1, 2, 8, 4, 8};
    return type >= 0 && (size_t)type < sizeof sizes ? sizes[type] : 0;
}

struct onnx_status *few__port_shape(const struct few__onnx_api *api, const struct onnx_shape *shape,
                                    struct few__port *port)
{
    struct onnx_status *status = api->GetTensorElementType(shape, &port->type);
    if (!status) status = api->GetDimensionsCount(shape, &port->n_dims);
    if (status || port->n_dims > FEW__DIMS_MAX) return status;
    return api->GetDimensions(shape, port->dims, port->n_dims);
}

// Everything but the name.
static enum few_status read_port(const struct few__onnx_file *f, size_t i, bool is_input,
                                 struct few__port *port, struct few_error *err)
{
    struct onnx_type *type = NULL;
    const struct onnx_shape *shape = NULL;
    struct onnx_status *status = is_input ? f->api->SessionGetInputTypeInfo(f->session, i, &type)
                                          : f->api->SessionGetOutputTypeInfo(f->session, i, &type);
    if (!status) status = f->api->CastTypeInfoToTensorInfo(type, &shape);
    if (!status && shape) status = few__port_shape(f->api, shape, port);
    if (type) f->api->ReleaseTypeInfo(type);
    FEW__TRY(few__onnx_told_model(f->api, status, f->model, err));
    if (port->n_dims > FEW__DIMS_MAX)
        return few__fail(err, FEW_ESHAPE, "model '%s': %s '%s': expected at most %d dimensions, found %zu",
                         f->model->name, is_input ? "input" : "output", port->name, FEW__DIMS_MAX,
                         port->n_dims);
    return FEW_OK;
}

// A copy of the i-th name in *name; FEW_END there is none.
static enum few_status port_name(const struct few__onnx_file *f, size_t i, bool is_input, char **name,
                                 struct few_error *err)
{
    size_t count = 0;
    FEW__TRY(few__onnx_told_model(f->api,
                                  is_input ? f->api->SessionGetInputCount(f->session, &count)
                                           : f->api->SessionGetOutputCount(f->session, &count),
                                  f->model, err));
    if (i >= count) return FEW_END;
    char *theirs = NULL;
    FEW__TRY(few__onnx_told_model(f->api,
                                  is_input
                                      ? f->api->SessionGetInputName(f->session, i, f->allocator, &theirs)
                                      : f->api->SessionGetOutputName(f->session, i, f->allocator, &theirs),
                                  f->model, err));
    *name = few__strdup(f->mem, theirs);
    few__onnx_told(f->api, f->api->AllocatorFree(f->allocator, theirs), "name", NULL);
    return *name ? FEW_OK : few__no_memory(err, f->model->name);
}

// Adds "'a', 'b'" to a message about a name that is not there.
static void list_name(char *list, size_t size, const char *name)
{
    size_t n = strlen(list);
    if (n + 8 < size) snprintf(list + n, size - n, "%s'%s'", n ? ", " : "", name);
}

static bool is_other(const struct few__wanted *wanted, const char *name)
{
    for (size_t i = 0; i < wanted->n_others; i++)
        if (strcmp(wanted->others[i], name) == 0) return true;
    return false;
}

static enum few_status too_many(const struct few__onnx_file *f, const struct few__wanted *wanted, size_t n,
                                const char *found, struct few_error *err)
{
    const char *what = wanted->is_input ? "input" : "output";
    if (wanted->n_others == 0)
        return few__fail(err, FEW_ESHAPE, "model '%s': expected one %s, found %zu: %s", f->model->name, what,
                         n, found);
    return few__fail(err, FEW_ESHAPE,
                     "model '%s': expected one %s beside the states and constants, found %zu %ss in all: %s",
                     f->model->name, what, n, what, found);
}

enum few_status few__port_find(const struct few__onnx_file *f, const struct few__wanted *wanted,
                               struct few__port *port, struct few_error *err)
{
    const char *what = wanted->is_input ? "input" : "output";
    char found[400] = "";
    size_t index = 0, i = 0, n_free = 0;
    for (;; i++) {
        char *name = NULL;
        enum few_status status = port_name(f, i, wanted->is_input, &name, err);
        if (status == FEW_END) break;
        if (status != FEW_OK) return status;
        list_name(found, sizeof found, name);
        bool is_free = !is_other(wanted, name);
        n_free += is_free;
        bool take = !port->name && (wanted->name ? strcmp(name, wanted->name) == 0 : is_free);
        if (take) {
            port->name = name;
            index = i;
        } else {
            few__free(f->mem, name);
        }
    }
    if (!port->name && !wanted->name && wanted->n_others)
        return few__fail(err, FEW_ESHAPE,
                         "model '%s': expected an %s beside the states and constants, found %s",
                         f->model->name, what, found);
    if (!port->name)
        return few__fail(err, FEW_ESHAPE, "model '%s': expected an %s '%.*s', found %s", f->model->name, what,
                         NAME_SHOWN, wanted->name ? wanted->name : "", *found ? found : "none");
    if ((!wanted->name || wanted->is_all) && n_free != 1) return too_many(f, wanted, i, found, err);
    return read_port(f, index, wanted->is_input, port, err);
}

static enum few_status wrong_input(const struct few_model *model, const struct few__port *port,
                                   const int64_t expected[4], const char *why, struct few_error *err)
{
    char want[FEW__SHAPE_TEXT], have[FEW__SHAPE_TEXT];
    few__shape_text(want, sizeof want, "float32", 4, expected);
    few__shape_text(have, sizeof have, few__type_name(port->type), port->n_dims, port->dims);
    return few__fail(err, FEW_ESHAPE, "model '%s': input '%s': expected %s%s, found %s", model->name,
                     port->name, want, why, have);
}

enum few_status few__port_check_input(const struct few__recipe *recipe, const struct few_model *model,
                                      const struct few__port *port, struct few_error *err)
{
    int64_t expected[4];
    const struct few__pixels *pixels = &recipe->input.pixels;
    few__input_dims(&recipe->input, pixels->resize == FEW__HEIGHT ? -1 : pixels->width, expected);
    bool batches = recipe->batch > 1;
    if (batches) expected[0] = -1;
    bool fits = port->type == ONNX_FLOAT && port->n_dims == 4 && (!batches || port->dims[0] < 0);
    for (size_t i = 0; fits && i < 4; i++) fits = port->dims[i] < 0 || port->dims[i] == expected[i];
    return fits ? FEW_OK : wrong_input(model, port, expected, batches ? " for batches" : "", err);
}

// The dimension along which n numbers lie: the last one that says so, else the last that is free; n_dims: none.
static size_t axis_of(const struct few__port *port, int64_t n)
{
    size_t axis = port->n_dims;
    for (size_t i = 0; i < port->n_dims; i++)
        if (port->dims[i] == n) axis = i;
    for (size_t i = 0; axis == port->n_dims && i < port->n_dims; i++)
        if (port->dims[port->n_dims - 1 - i] < 0) axis = port->n_dims - 1 - i;
    return axis;
}

enum few_status few__port_check_row(const struct few__recipe *recipe, const struct few_model *model,
                                    const struct few__port *port, int64_t dims[FEW__DIMS_MAX],
                                    struct few_error *err)
{
    bool is_text = recipe->input.modality == FEW_TEXT;
    int64_t n = (int64_t)few__input_numbers(&recipe->input);
    size_t axis = axis_of(port, n);
    bool fits = axis < port->n_dims && (port->type == ONNX_FLOAT ||
                                        (is_text && (port->type == ONNX_INT64 || port->type == ONNX_INT32)));
    for (size_t i = 0; i < port->n_dims; i++) {
        dims[i] = i == axis ? n : 1;
        fits = fits && (port->dims[i] < 0 || port->dims[i] == dims[i]);
    }
    if (fits) return FEW_OK;
    char want[FEW__SHAPE_TEXT], have[FEW__SHAPE_TEXT];
    few__shape_text(want, sizeof want, is_text ? "int64, int32 or float32" : "float32", 2,
                    (const int64_t[]){1, n});
    few__shape_text(have, sizeof have, few__type_name(port->type), port->n_dims, port->dims);
    return few__fail(err, FEW_ESHAPE, "model '%s': input '%s': expected %s, found %s", model->name,
                     port->name, want, have);
}
