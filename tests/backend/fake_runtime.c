// SPDX-License-Identifier: Apache-2.0
// A library that calls itself ONNX Runtime, of a version given at build, and serves no interface.
#include <stddef.h>
#include <stdint.h>

struct base {
    const void *(*get_api)(uint32_t version);
    const char *(*version)(void);
};

static const void *get_api(uint32_t version)
{
    (void)version;
    return NULL;
}

static const char *version(void)
{
    return FAKE_VERSION;
}

__attribute__((visibility("default"))) const struct base *OrtGetApiBase(void);

const struct base *OrtGetApiBase(void)
{
    static const struct base base = {get_api, version};
    return &base;
}
