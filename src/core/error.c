// SPDX-License-Identifier: Apache-2.0
#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <fewer/version.h>

const char *few_version(void)
{
    return FEW_VERSION;
}

const char *few_status_name(enum few_status status)
{
#define NAME(name, number, text) \
    case name: return #name;
    switch (status) {
        FEW_STATUS_TABLE(NAME)
    }
#undef NAME
    return "FEW_?";
}

const char *few_status_text(enum few_status status)
{
#define TEXT(name, number, text) \
    case name: return text;
    switch (status) {
        FEW_STATUS_TABLE(TEXT)
    }
#undef TEXT
    return "unknown status";
}

static void set(struct few_error *err, enum few_status code, int sys, const char *format, va_list args)
    FEW_PRINTF(4, 0);

static void set(struct few_error *err, enum few_status code, int sys, const char *format, va_list args)
{
    if (!err) return;
    err->code = code;
    err->sys = sys;
    vsnprintf(err->message, sizeof err->message, format, args);
}

enum few_status few__fail(struct few_error *err, enum few_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, 0, format, args);
    va_end(args);
    return code;
}

enum few_status few__fail_sys(struct few_error *err, enum few_status code, const char *format, ...)
{
    int sys = errno;
    va_list args;
    va_start(args, format);
    set(err, code, sys, format, args);
    va_end(args);
    if (err) {
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(sys));
    }
    return code;
}

enum few_status few__wrap(struct few_error *err, enum few_status code, const char *format, ...)
{
    if (!err) return code;
    char inner[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    va_list args;
    va_start(args, format);
    set(err, code, err->sys, format, args);
    va_end(args);
    size_t used = strlen(err->message);
    snprintf(err->message + used, sizeof err->message - used, ": %s", inner);
    return code;
}
