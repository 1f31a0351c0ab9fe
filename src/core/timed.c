// SPDX-License-Identifier: Apache-2.0
#include "core/timed.h"

#include <time.h>

void few__timed_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void few__timed_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t us)
{
    if (us <= 0) return;
    if (us == INT64_MAX) {
        pthread_cond_wait(condition, mutex);
        return;
    }
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + us % 1000000 * 1000;
    t.tv_sec += us / 1000000 + ns / 1000000000;
    t.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(condition, mutex, &t);
}
