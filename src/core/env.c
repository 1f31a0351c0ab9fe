// SPDX-License-Identifier: Apache-2.0
#include "core/env.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "core/mem.h"

enum { MESSAGE_MAX = 1024 };

static int64_t now_monotonic(void *ud)
{
    (void)ud;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

struct few_env few__env(const struct few_env *env)
{
    struct few_env out = env ? *env : (struct few_env){0};
    if (!out.mem) out.mem = few__mem_default();
    if (!out.clock.now_us) out.clock.now_us = now_monotonic;
    return out;
}

void few__log(const struct few_env *env, enum few_log_level level, const char *format, ...)
{
    if (!env->log.fn || level < env->log.level) return;
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    env->log.fn(env->log.ud, level, message);
}

int64_t few__now_us(const struct few_env *env)
{
    return env->clock.now_us(env->clock.ud);
}

int64_t few__wall_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
