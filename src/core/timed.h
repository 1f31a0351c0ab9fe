// SPDX-License-Identifier: Apache-2.0
// Waiting on a condition for so long, on the clock that nobody sets.
#ifndef FEW_CORE_TIMED_H
#define FEW_CORE_TIMED_H

#include <pthread.h>
#include <stdint.h>

/* A condition for few__timed_wait; pthread_cond_destroy ends it. */
void few__timed_init(pthread_cond_t *condition);

/* pthread_cond_wait for at most `us` microseconds (INT64_MAX: for ever; 0 or less: not at all). May return earlier. */
void few__timed_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t us);

#endif
