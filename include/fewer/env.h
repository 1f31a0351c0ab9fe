// SPDX-License-Identifier: Apache-2.0
/* What the library needs from its host: memory, somewhere to log, a clock. All optional. */
#ifndef FEWER_ENV_H
#define FEWER_ENV_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One function for all memory of the library. resize(ud, NULL, n) allocates, resize(ud, p, n)
 * grows or shrinks, resize(ud, p, 0) frees and returns NULL. Returns NULL when there is no memory
 * (p is then untouched). Must be callable from several threads at once. */
struct few_mem {
    void *(*resize)(void *ud, void *ptr, size_t size);
    void *ud;
};

enum few_log_level { FEW_LOG_DEBUG, FEW_LOG_INFO, FEW_LOG_WARN, FEW_LOG_ERROR };

/* message is borrowed for the call. Called from any thread. */
typedef void (*few_log_fn)(void *ud, enum few_log_level level, const char *message);

struct few_log {
    few_log_fn fn; // NULL: nothing is logged
    void *ud;
    enum few_log_level level; // lowest level that is passed on
};

/* Microseconds since some fixed instant, never going back. */
struct few_clock {
    int64_t (*now_us)(void *ud);
    void *ud;
};

/* NULL members mean: malloc, silence, the system's monotonic clock. Copied by what takes it. */
struct few_env {
    const struct few_mem *mem; // borrowed, must outlive every object made with it
    struct few_log log;
    struct few_clock clock;
};

#ifdef __cplusplus
}
#endif
#endif
