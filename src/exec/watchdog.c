// SPDX-License-Identifier: Apache-2.0
#include "exec/watchdog.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/timed.h"

struct few__watchdog {
    struct few_env env;
    void (*bark)(void *ud);
    void *ud;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool quit, runs, barked;
    int64_t until_us; // while it runs; INT64_MAX = no limit
};

static void *watch(void *arg)
{
    struct few__watchdog *w = arg;
    pthread_mutex_lock(&w->mutex);
    while (!w->quit) {
        bool waits = w->runs && !w->barked && w->until_us != INT64_MAX;
        int64_t left = waits ? w->until_us - few__now_us(&w->env) : INT64_MAX;
        if (left > 0) {
            few__timed_wait(&w->changed, &w->mutex, left);
            continue;
        }
        w->barked = true;
        w->bark(w->ud);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

enum few_status few__watchdog_start(const struct few_env *env, void (*bark)(void *ud), void *ud,
                                    struct few__watchdog **watchdog, struct few_error *err)
{
    *watchdog = NULL;
    struct few_env full = few__env(env);
    struct few__watchdog *w = FEW__NEW(full.mem, struct few__watchdog);
    if (!w) return few__no_memory(err, "watchdog");
    w->env = full;
    w->bark = bark;
    w->ud = ud;
    pthread_mutex_init(&w->mutex, NULL);
    few__timed_init(&w->changed);
    int failed = pthread_create(&w->thread, NULL, watch, w);
    if (!failed) {
        *watchdog = w;
        return FEW_OK;
    }
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->changed);
    few__free(full.mem, w);
    return few__fail(err, FEW_EIO, "watchdog: its thread cannot be started: %s", strerror(failed));
}

void few__watchdog_stop(struct few__watchdog *w)
{
    if (!w) return;
    pthread_mutex_lock(&w->mutex);
    w->quit = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->mutex);
    pthread_cond_destroy(&w->changed);
    few__free(w->env.mem, w);
}

void few__watchdog_begin(struct few__watchdog *w, int64_t limit_us)
{
    pthread_mutex_lock(&w->mutex);
    w->runs = true;
    w->barked = false;
    w->until_us = limit_us > 0 ? few__now_us(&w->env) + limit_us : INT64_MAX;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->mutex);
}

bool few__watchdog_end(struct few__watchdog *w)
{
    pthread_mutex_lock(&w->mutex);
    w->runs = false;
    bool barked = w->barked;
    pthread_mutex_unlock(&w->mutex);
    return barked;
}

const char *few__span_text(int64_t us, char text[FEW__SPAN_TEXT])
{
    if (us >= 1000000) snprintf(text, FEW__SPAN_TEXT, "%g s", (double)us / 1e6);
    else snprintf(text, FEW__SPAN_TEXT, "%g ms", (double)us / 1e3);
    return text;
}
