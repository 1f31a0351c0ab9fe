// SPDX-License-Identifier: Apache-2.0
/* One thread, a ring of moments. What is shared is under the mutex; the container belongs to the thread.
 *
 * A moment is free, being filled, waiting, or in hands. There are as many as may wait and be in hands, and one to fill. */
#include "source/stream.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/timed.h"

enum { AHEAD = 4 };
static const int64_t backoff_first_us = 500000, backoff_last_us = 30000000;

struct few__stream {
    struct few_env env;
    struct few__stream_opts opts;
    char *url, *name; // name: for messages
    atomic_bool quit; // asked by FFmpeg while it waits
    pthread_t thread;

    pthread_mutex_t mutex;
    pthread_cond_t came, go; // for who takes moments; for the thread
    size_t n_all;
    struct few__moment *all;   // (n_all,)
    struct few__moment **free; // (n_all,) stack
    size_t n_free;
    struct few__moment **waiting; // (n_all,) ring
    size_t first, n_waiting;
    bool live;      // this connection
    bool next_came; // somebody asked for the first one
    bool goes_to;   // begin at go_to_us instead
    int64_t go_to_us;
    bool may_go; // it ended, and its container is still open
    struct few__stream_about about;
    uint64_t n_damaged;     // of connections that are over
    struct few_error error; // to be told once; code FEW_OK = none
};

/* ---- the thread: moments ---- */

static bool must_stop(void *ud)
{
    struct few__stream *s = ud;
    return atomic_load(&s->quit);
}

static void tell(struct few__stream *s)
{
    if (s->opts.on_ready) s->opts.on_ready(s->opts.ud);
}

// Under the mutex.
static void set_free(struct few__stream *s, struct few__moment *moment)
{
    few__moment_clear(moment);
    s->free[s->n_free++] = moment;
}

static struct few__moment *oldest(struct few__stream *s)
{
    struct few__moment *moment = s->waiting[s->first];
    s->first = (s->first + 1) % s->n_all;
    s->n_waiting--;
    return moment;
}

// One to fill. NULL: it is time to stop, or to go elsewhere.
static struct few__moment *room(struct few__stream *s)
{
    struct few__moment *moment = NULL;
    pthread_mutex_lock(&s->mutex);
    while (!moment && !atomic_load(&s->quit) && !s->goes_to) {
        while (s->live && s->n_waiting >= s->opts.ahead) {
            set_free(s, oldest(s));
            s->about.n_dropped++;
        }
        if (s->n_waiting < s->opts.ahead && s->n_free > 0) moment = s->free[--s->n_free];
        else pthread_cond_wait(&s->go, &s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
    return moment;
}

static void hand_in(struct few__stream *s, struct few__moment *moment, uint64_t n_damaged)
{
    pthread_mutex_lock(&s->mutex);
    s->about.n_damaged = s->n_damaged + n_damaged;
    bool stale = s->goes_to;
    if (stale) {
        set_free(s, moment);
    } else {
        s->about.n_in++;
        s->about.newest_us = moment->arrived_us;
        s->waiting[(s->first + s->n_waiting++) % s->n_all] = moment;
        pthread_cond_broadcast(&s->came);
    }
    pthread_mutex_unlock(&s->mutex);
    if (!stale) tell(s);
}

// Where to begin instead, if anywhere.
static bool elsewhere(struct few__stream *s, int64_t *at_us)
{
    pthread_mutex_lock(&s->mutex);
    bool goes = s->goes_to;
    s->goes_to = false;
    *at_us = s->go_to_us;
    pthread_mutex_unlock(&s->mutex);
    return goes;
}

// Moments until there are none any more: how that came.
static enum few_status pump(struct few__stream *s, struct few__container *c, struct few_error *err)
{
    while (!atomic_load(&s->quit)) {
        int64_t at_us;
        if (elsewhere(s, &at_us)) {
            enum few_status got = few__container_seek(c, at_us, err);
            if (got != FEW_OK) return got;
        }
        struct few__moment *moment = room(s);
        if (!moment) continue;
        enum few_status got = few__container_next(c, moment, err);
        if (got == FEW_OK) {
            hand_in(s, moment, few__container_damaged(c));
            continue;
        }
        pthread_mutex_lock(&s->mutex);
        set_free(s, moment);
        s->about.n_damaged = s->n_damaged + few__container_damaged(c);
        pthread_mutex_unlock(&s->mutex);
        return got;
    }
    return few__fail(err, FEW_ECANCELED, "stream: closed");
}

/* ---- the thread: connections ---- */

// What is said of it afterwards; FEW_END has no words of its own.
static void say(struct few__stream *s, enum few_status status, const struct few_error *err)
{
    pthread_mutex_lock(&s->mutex);
    if (status == FEW_END) snprintf(s->about.message, sizeof s->about.message, "%.200s: it ended", s->name);
    else if (status != FEW_ECANCELED)
        snprintf(s->about.message, sizeof s->about.message, "%.255s", err->message);
    pthread_mutex_unlock(&s->mutex);
}

static uint64_t count_in(struct few__stream *s)
{
    pthread_mutex_lock(&s->mutex);
    uint64_t n = s->about.n_in;
    pthread_mutex_unlock(&s->mutex);
    return n;
}

static void opened(struct few__stream *s, const struct few__container *c, bool again)
{
    pthread_mutex_lock(&s->mutex);
    few__container_about(c, &s->about.container);
    s->live = s->about.container.is_live;
    if (s->live) s->goes_to = false;
    s->about.is_open = true;
    if (again) s->about.n_reconnects++;
    pthread_mutex_unlock(&s->mutex);
}

static void closed(struct few__stream *s)
{
    pthread_mutex_lock(&s->mutex);
    s->n_damaged = s->about.n_damaged;
    s->about.is_open = false;
    pthread_mutex_unlock(&s->mutex);
}

// Nothing more will come. err: to be told by next; NULL = it is in the message alone.
static void set_ended(struct few__stream *s, const struct few_error *err)
{
    pthread_mutex_lock(&s->mutex);
    s->about.ended = true;
    s->may_go = !err;
    if (err) s->error = *err;
    pthread_cond_broadcast(&s->came);
    pthread_mutex_unlock(&s->mutex);
    tell(s);
}

// A recording to its end; it stays open until nobody can want another beginning.
static void play(struct few__stream *s, struct few__container *c)
{
    bool goes = true;
    while (goes) {
        struct few_error err = {.message = ""};
        enum few_status got = pump(s, c, &err);
        if (got == FEW_ECANCELED) return;
        if (got != FEW_END) say(s, got, &err);
        set_ended(s, got == FEW_ENOMEM ? &err : NULL);
        pthread_mutex_lock(&s->mutex);
        while (!atomic_load(&s->quit) && !s->goes_to && !s->next_came) pthread_cond_wait(&s->go, &s->mutex);
        goes = s->goes_to && !atomic_load(&s->quit);
        s->may_go = false;
        pthread_mutex_unlock(&s->mutex);
    }
}

// One connection. FEW_OK: it gave something before it ended or broke; the message has what happened.
static enum few_status connect_once(struct few__stream *s, uint64_t *n_before, struct few_error *err)
{
    struct few__container_opts opts = s->opts.container;
    opts.stop = must_stop;
    opts.ud = s;
    struct few__container *c;
    enum few_status got = few__container_open(s->url, &opts, &s->env, &c, err);
    if (got != FEW_OK) return got;
    opened(s, c, (*n_before)++ > 0);
    bool live = s->live;
    uint64_t n_in = count_in(s);
    if (live) got = pump(s, c, err);
    else play(s, c);
    closed(s);
    few__container_close(c);
    if (!live) return FEW_END;
    say(s, got, err);
    if (count_in(s) > n_in) return got == FEW_ECANCELED || got == FEW_ENOMEM ? got : FEW_OK;
    return got == FEW_END ? few__fail(err, FEW_EIO, "%s: it ended before anything came", s->name) : got;
}

static void wait_for(struct few__stream *s, int64_t us)
{
    int64_t until = few__now_us(&s->env) + us, left = us;
    pthread_mutex_lock(&s->mutex);
    while (!atomic_load(&s->quit) && left > 0) {
        few__timed_wait(&s->go, &s->mutex, left);
        left = until - few__now_us(&s->env);
    }
    pthread_mutex_unlock(&s->mutex);
}

static void *run(void *arg)
{
    struct few__stream *s = arg;
    uint64_t n_connections = 0, n_failed = 0;
    int64_t backoff = s->opts.backoff_us;
    while (!atomic_load(&s->quit)) {
        struct few_error err = {.message = ""};
        enum few_status got = connect_once(s, &n_connections, &err);
        if (got == FEW_END) break;
        if (got == FEW_OK) {
            n_failed = 0;
            backoff = s->opts.backoff_us;
        } else {
            say(s, got, &err);
            bool hopeless = !s->opts.container.is_live || got == FEW_EINVAL || got == FEW_ENOMEM;
            n_failed++;
            if (hopeless || (s->opts.reconnects > 0 && n_failed > s->opts.reconnects)) {
                set_ended(s, &err);
                break;
            }
        }
        wait_for(s, backoff);
        if (got != FEW_OK)
            backoff = backoff > s->opts.backoff_max_us / 2 ? s->opts.backoff_max_us : 2 * backoff;
    }
    return NULL;
}

/* ---- life ---- */

static enum few_status allocate(struct few__stream *s, const char *url, struct few_error *err)
{
    const struct few_mem *mem = s->env.mem;
    size_t n = strlen(url) + 1;
    s->url = few__strdup(mem, url);
    s->name = few__new(mem, n, 1);
    if (!s->url || !s->name) return few__no_memory(err, "stream");
    if (s->opts.container.is_live) few__url_clean(url, s->name, n);
    else memcpy(s->name, url, n);
    s->all = FEW__NEW_N(mem, struct few__moment, s->n_all);
    s->free = FEW__NEW_N(mem, struct few__moment *, s->n_all);
    s->waiting = FEW__NEW_N(mem, struct few__moment *, s->n_all);
    if (!s->all || !s->free || !s->waiting) return few__no_memory(err, "stream");
    for (size_t i = 0; i < s->n_all; i++) {
        enum few_status got = few__moment_init(&s->all[i], mem, s->opts.container.wants_look, err);
        if (got != FEW_OK) return got;
        s->free[s->n_free++] = &s->all[i];
    }
    return FEW_OK;
}

static void destroy(struct few__stream *s)
{
    for (size_t i = 0; s->all && i < s->n_all; i++) few__moment_finish(&s->all[i]);
    pthread_mutex_destroy(&s->mutex);
    pthread_cond_destroy(&s->came);
    pthread_cond_destroy(&s->go);
    few__free(s->env.mem, s->url);
    few__free(s->env.mem, s->name);
    few__free(s->env.mem, s->all);
    few__free(s->env.mem, s->free);
    few__free(s->env.mem, s->waiting);
    few__free(s->env.mem, s);
}

static void set_defaults(struct few__stream_opts *o)
{
    if (o->ahead == 0) o->ahead = AHEAD;
    if (o->backoff_us <= 0) o->backoff_us = backoff_first_us;
    if (o->backoff_max_us <= 0) o->backoff_max_us = backoff_last_us;
    if (o->backoff_max_us < o->backoff_us) o->backoff_max_us = o->backoff_us;
}

enum few_status few__stream_open(const char *url, const struct few__stream_opts *opts,
                                 const struct few_env *env, struct few__stream **stream,
                                 struct few_error *err)
{
    *stream = NULL;
    struct few_env full = few__env(env);
    struct few__stream *s = FEW__NEW(full.mem, struct few__stream);
    if (!s) return few__no_memory(err, "stream");
    s->env = full;
    s->opts = *opts;
    set_defaults(&s->opts);
    s->n_all = s->opts.ahead + s->opts.in_hands + 1;
    s->about.newest_us = -1;
    atomic_init(&s->quit, false);
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->came, NULL);
    few__timed_init(&s->go);
    enum few_status got = allocate(s, url, err);
    int failed = got == FEW_OK ? pthread_create(&s->thread, NULL, run, s) : 0;
    if (failed) got = few__fail(err, FEW_EIO, "stream: its thread cannot be started: %s", strerror(failed));
    if (got != FEW_OK) destroy(s);
    else *stream = s;
    return got;
}

void few__stream_close(struct few__stream *s)
{
    if (!s) return;
    pthread_mutex_lock(&s->mutex);
    atomic_store(&s->quit, true);
    pthread_cond_broadcast(&s->go);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->thread, NULL);
    destroy(s);
}

/* ---- who takes moments ---- */

enum few_status few__stream_next(struct few__stream *s, bool block, struct few__moment **moment,
                                 struct few_error *err)
{
    *moment = NULL;
    enum few_status got = FEW_AGAIN;
    pthread_mutex_lock(&s->mutex);
    s->next_came = true;
    while (block && s->n_waiting == 0 && !s->about.ended) pthread_cond_wait(&s->came, &s->mutex);
    if (s->n_waiting > 0) {
        *moment = oldest(s);
        got = FEW_OK;
    } else if (s->error.code != FEW_OK) {
        if (err) *err = s->error;
        got = s->error.code;
        s->error.code = FEW_OK;
    } else if (s->about.ended) {
        got = FEW_END;
    }
    pthread_cond_signal(&s->go);
    pthread_mutex_unlock(&s->mutex);
    return got;
}

void few__stream_give_back(struct few__stream *s, struct few__moment *moment)
{
    pthread_mutex_lock(&s->mutex);
    set_free(s, moment);
    pthread_cond_signal(&s->go);
    pthread_mutex_unlock(&s->mutex);
}

void few__stream_start_at(struct few__stream *s, int64_t at_us)
{
    pthread_mutex_lock(&s->mutex);
    if (!s->live && !s->next_came && (!s->about.ended || s->may_go)) {
        while (s->n_waiting > 0) set_free(s, oldest(s));
        s->about.n_in = 0;
        s->goes_to = true;
        s->go_to_us = at_us;
        s->about.ended = false;
        pthread_cond_signal(&s->go);
    }
    pthread_mutex_unlock(&s->mutex);
}

void few__stream_about(struct few__stream *s, struct few__stream_about *about)
{
    pthread_mutex_lock(&s->mutex);
    *about = s->about;
    pthread_mutex_unlock(&s->mutex);
}
