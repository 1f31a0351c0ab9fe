// SPDX-License-Identifier: Apache-2.0
/* Models that repeat what they said before. The caller knows what that was; here is only the time that it takes. */
#include "backend/backend_impl.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"

struct replay {
    struct few_env env;
    few__recall_fn *recall;
    void *ud;
};

struct runner {
    struct replay *replay;
    const struct few__recipe *recipe;
    const struct few_model *model;
    pthread_mutex_t lock; // of `canceled`
    pthread_cond_t wake;
    bool canceled;
};

static enum few_status open_replay(const struct few__runtime_opts *opts, const struct few_env *env,
                                   void **self, struct few_error *err)
{
    if (!opts->recall) return few__fail(err, FEW_EINVAL, "backend replay: expected a function that recalls");
    struct replay *p = FEW__NEW(env->mem, struct replay);
    if (!p) return few__no_memory(err, "a backend");
    *p = (struct replay){.env = *env, .recall = opts->recall, .ud = opts->ud};
    *self = p;
    return FEW_OK;
}

static void close_replay(void *self)
{
    struct replay *p = self;
    few__free(p->env.mem, p);
}

static const char *describe(const void *self)
{
    (void)self;
    return "replay of a trace";
}

static enum few_status load(void *self, const struct few__recipe *recipe, const struct few_model *model,
                            void **runner, struct few_error *err)
{
    struct replay *p = self;
    struct runner *r = FEW__NEW(p->env.mem, struct runner);
    if (!r) return few__no_memory(err, model->name);
    *r = (struct runner){.replay = p, .recipe = recipe, .model = model};
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *runner = r;
    return FEW_OK;
}

static void unload(void *runner)
{
    struct runner *r = runner;
    pthread_cond_destroy(&r->wake);
    pthread_mutex_destroy(&r->lock);
    few__free(r->replay->env.mem, r);
}

static struct timespec after(struct timespec t, int64_t us)
{
    t.tv_sec += (time_t)(us / 1000000);
    t.tv_nsec += (long)(us % 1000000) * 1000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

// false: cancelled, before or meanwhile.
static bool wait_until(struct runner *r, const struct timespec *end)
{
    pthread_mutex_lock(&r->lock);
    int code = 0;
    while (!r->canceled && code != ETIMEDOUT) code = pthread_cond_timedwait(&r->wake, &r->lock, end);
    bool whole = !r->canceled;
    pthread_mutex_unlock(&r->lock);
    return whole;
}

// Recalling is part of the time.
static enum few_status answer(void *runner, const char *digest, struct few__arena *arena,
                              struct few_output *output, struct few_error *err)
{
    struct runner *r = runner;
    struct timespec start;
    int64_t time_us = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    FEW__TRY(r->replay->recall(r->replay->ud, r->recipe, r->model, digest, arena, output, &time_us, err));
    struct timespec end = after(start, time_us > 0 ? time_us : 0);
    if (wait_until(r, &end)) return FEW_OK;
    return few__fail(err, FEW_ECANCELED, "model '%s': run cancelled", r->model->name);
}

static void set_canceled(struct runner *r, bool canceled)
{
    pthread_mutex_lock(&r->lock);
    r->canceled = canceled;
    pthread_cond_broadcast(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

static void cancel(void *runner)
{
    set_canceled(runner, true);
}

static void reset(void *runner)
{
    set_canceled(runner, false);
}

const struct few__backend_impl few__backend_replay = {
    .name = "replay",
    .open = open_replay,
    .close = close_replay,
    .describe = describe,
    .load = load,
    .unload = unload,
    .answer = answer,
    .cancel = cancel,
    .reset = reset,
};
