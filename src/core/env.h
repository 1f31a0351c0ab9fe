// SPDX-License-Identifier: Apache-2.0
// The host's memory, log and clock, with defaults filled in.
#ifndef FEW_CORE_ENV_H
#define FEW_CORE_ENV_H

#include <fewer/env.h>

/* A copy of env (NULL = all defaults) in which mem and clock.now_us are never NULL. */
struct few_env few__env(const struct few_env *env);

void few__log(const struct few_env *env, enum few_log_level level, const char *format, ...) FEW_PRINTF(3, 4);

int64_t few__now_us(const struct few_env *env);

/* Microseconds since 1970, as the system's clock says: it may be set. */
int64_t few__wall_us(void);

#endif
