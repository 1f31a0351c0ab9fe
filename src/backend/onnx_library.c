// SPDX-License-Identifier: Apache-2.0
// Finding ONNX Runtime's shared library and reading its table of functions.
#include "backend/onnx_api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#ifndef FEW__RUNTIME_PATH
#define FEW__RUNTIME_PATH ""
#endif

static const char system_name[] = "libonnxruntime.so.1";

// What the library's one exported function returns.
struct base {
    const void *(*get_api)(uint32_t version);
    const char *(*version)(void);
};

typedef const struct base *(*base_fn)(void);
typedef void (*slot_fn)(void);

static void fill(struct few__onnx_api *api, const slot_fn *slots)
{
    api->GetErrorCode = (int (*)(const struct onnx_status *))slots[1];
    api->GetErrorMessage = (const char *(*)(const struct onnx_status *))slots[2];
#define FILL(slot, name, other) api->name = (__typeof__(api->name))slots[slot];
    FEW__ONNX_CALLS(FILL)
    FEW__ONNX_RELEASES(FILL)
#undef FILL
}

static bool new_enough(const char *version)
{
    char *end;
    long major = strtol(version, &end, 10);
    long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    return major > 1 || (major == 1 && minor >= ONNX_MINOR_MIN);
}

static enum few_status read_table(const struct base *base, const char *path, struct few__onnx_api *api,
                                  char *describe, struct few_error *err)
{
    const char *version = base->version();
    if (!new_enough(version))
        return few__fail(err, FEW_EVERSION, "ONNX Runtime '%s': expected version 1.%d or later, found %s",
                         path, ONNX_MINOR_MIN, version);
    const slot_fn *slots = base->get_api(ONNX_API_VERSION);
    if (!slots)
        return few__fail(err, FEW_EVERSION, "ONNX Runtime '%s': version %s does not serve interface %d", path,
                         version, ONNX_API_VERSION);
    fill(api, slots);
    snprintf(describe, FEW__ONNX_PATH_MAX + 64, "ONNX Runtime %.32s (%s)", version, path);
    return FEW_OK;
}

// The library's entry, or NULL and the reason in `why`.
static base_fn open_at(const char *path, char *why, size_t size)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *symbol = handle ? dlsym(handle, "OrtGetApiBase") : NULL;
    if (!symbol) {
        const char *reason = dlerror();
        snprintf(why, size, "%s", reason ? reason : "no OrtGetApiBase in it");
        if (handle) dlclose(handle);
        return NULL;
    }
    base_fn entry;
    memcpy(&entry, &symbol, sizeof entry); // ISO C has no cast from object to function pointer
    return entry;
}

enum few_status few__onnx_open(const char *library, struct few__onnx_api *api,
                               char describe[FEW__ONNX_PATH_MAX + 64], struct few_error *err)
{
    const char *places[2] = {FEW__RUNTIME_PATH, system_name};
    size_t n_places = 2;
    if (library) {
        places[0] = library;
        n_places = 1;
    }
    char tried[800] = "";
    for (size_t i = 0; i < n_places; i++) {
        if (!library && !*places[i]) continue;
        char why[360];
        base_fn entry = open_at(places[i], why, sizeof why);
        if (entry) return read_table(entry(), places[i], api, describe, err);
        size_t used = strlen(tried);
        snprintf(tried + used, sizeof tried - used, "\n  '%.120s': %s", places[i], why);
    }
    return few__fail(err, FEW_ENOENT, "ONNX Runtime's library was not found; tried:%s", tried);
}
