// SPDX-License-Identifier: Apache-2.0
/* Two threads: the caller (decides, watches the clock) and the lane (runs one model at a time). They meet in `job`
 * alone, under `mutex`; between JOB_QUEUED and JOB_ENDED the job's results belong to the lane.
 *
 * A model that is cancelled at the deadline is late at once; few__live_item still waits for its lane, so that
 * nothing touches the item's memory afterwards. */
#include "exec/exec_live.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "core/env.h"
#include "core/error.h"
#include "model/output.h"

enum job_state { JOB_NONE, JOB_QUEUED, JOB_ENDED, JOB_QUIT };

struct job {
    enum job_state state;
    size_t model;
    const struct few_output *need; // NULL = none
    struct few__arena *arena;
    enum few_status status; // set by the lane
    int64_t ended_us;       // set by the lane
};

struct few__live {
    struct few_env env;
    const struct few_catalog *catalog;
    struct few__workspace *workspace;
    struct few__exec *exec;
    struct few__action *actions;         // (few__exec_actions_max,)
    struct few_output *outputs;          // (n_models,)
    bool *has_output;                    // (n_models,)
    char (*messages)[FEW__LIVE_MESSAGE]; // (n_models,)
    struct few_valuable *valuable;       // (max_valuable,)
    size_t max_valuable;
    pthread_t lane;
    pthread_mutex_t mutex;
    pthread_cond_t queued, ended; // job.state became JOB_QUEUED or JOB_QUIT; JOB_ENDED
    bool has_lane;
    bool busy; // the lane was given a job whose end was not taken note of yet
    struct job job;
};

/* ---- lane ---- */

static void run_job(struct few__live *live)
{
    struct job *job = &live->job;
    struct few_error err = {.message = ""};
    job->status = few__workspace_run(live->workspace, job->model, job->need, job->arena,
                                     &live->outputs[job->model], &err);
    job->ended_us = few__now_us(&live->env);
    if (job->status == FEW_OK) return;
    char *message = live->messages[job->model];
    memcpy(message, err.message, FEW__LIVE_MESSAGE - 1);
    message[FEW__LIVE_MESSAGE - 1] = 0;
}

static void *lane_main(void *arg)
{
    struct few__live *live = arg;
    pthread_mutex_lock(&live->mutex);
    for (;;) {
        while (live->job.state != JOB_QUEUED && live->job.state != JOB_QUIT)
            pthread_cond_wait(&live->queued, &live->mutex);
        if (live->job.state == JOB_QUIT) break;
        pthread_mutex_unlock(&live->mutex);
        run_job(live);
        pthread_mutex_lock(&live->mutex);
        live->job.state = JOB_ENDED;
        pthread_cond_signal(&live->ended);
    }
    pthread_mutex_unlock(&live->mutex);
    return NULL;
}

/* ---- life ---- */

static enum few_status start_lane(struct few__live *live, struct few_error *err)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&live->mutex, NULL);
    pthread_cond_init(&live->queued, NULL);
    pthread_cond_init(&live->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    int failed = pthread_create(&live->lane, NULL, lane_main, live);
    live->has_lane = failed == 0;
    return failed ? few__fail(err, FEW_EIO, "lane: the thread cannot be started: %s", strerror(failed))
                  : FEW_OK;
}

static size_t most_valuable(const struct few_catalog *catalog)
{
    size_t most = 1;
    for (size_t i = 0; i < catalog->n_models; i++) {
        size_t n = few__valuable_max(&catalog->models[i]);
        if (n > most) most = n;
    }
    return most;
}

enum few_status few__live_create(const struct few__exec_opts *opts, struct few__workspace *workspace,
                                 struct few__live **live, struct few_error *err)
{
    *live = NULL;
    if (opts->n_lanes != 1 || opts->n_slots > 1 || opts->loads)
        return few__fail(err, FEW_EINVAL, "lanes: expected 1, found %zu", opts->n_lanes);
    struct few_env env = few__env(opts->env);
    struct few__live *l = FEW__NEW(env.mem, struct few__live);
    if (!l) return few__no_memory(err, "executor");
    size_t n = opts->catalog->n_models;
    l->env = env;
    l->catalog = opts->catalog;
    l->workspace = workspace;
    l->max_valuable = most_valuable(opts->catalog);
    enum few_status status = few__exec_create(opts, &l->exec, err);
    if (status != FEW_OK) goto out;
    l->actions = FEW__NEW_N(env.mem, struct few__action, few__exec_actions_max(l->exec));
    l->outputs = FEW__NEW_N(env.mem, struct few_output, n);
    l->has_output = FEW__NEW_N(env.mem, bool, n);
    l->messages = few__new(env.mem, n, FEW__LIVE_MESSAGE);
    l->valuable = FEW__NEW_N(env.mem, struct few_valuable, l->max_valuable);
    if (!l->actions || !l->outputs || !l->has_output || !l->messages || !l->valuable) {
        status = few__no_memory(err, "executor");
        goto out;
    }
    status = start_lane(l, err);
out:
    if (status != FEW_OK) few__live_destroy(l);
    else *live = l;
    return status;
}

static void stop_lane(struct few__live *live)
{
    pthread_mutex_lock(&live->mutex);
    live->job.state = JOB_QUIT;
    pthread_cond_signal(&live->queued);
    pthread_mutex_unlock(&live->mutex);
    pthread_join(live->lane, NULL);
    pthread_mutex_destroy(&live->mutex);
    pthread_cond_destroy(&live->queued);
    pthread_cond_destroy(&live->ended);
}

void few__live_destroy(struct few__live *live)
{
    if (!live) return;
    if (live->has_lane) stop_lane(live);
    few__exec_destroy(live->exec);
    few__free(live->env.mem, live->actions);
    few__free(live->env.mem, live->outputs);
    few__free(live->env.mem, live->has_output);
    few__free(live->env.mem, live->messages);
    few__free(live->env.mem, live->valuable);
    few__free(live->env.mem, live);
}

/* ---- one item ---- */

static void queue_job(struct few__live *live, size_t model, struct few__arena *arena)
{
    int need = live->catalog->models[model].needs;
    live->busy = true;
    pthread_mutex_lock(&live->mutex);
    live->job = (struct job){
        .state = JOB_QUEUED, .model = model, .need = need >= 0 ? &live->outputs[need] : NULL, .arena = arena};
    pthread_cond_signal(&live->queued);
    pthread_mutex_unlock(&live->mutex);
}

// The instant `us` from now on the clock that pthread_cond_timedwait uses.
static struct timespec monotonic_in(int64_t us)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t ns = t.tv_nsec + us % 1000000 * 1000;
    return (struct timespec){.tv_sec = t.tv_sec + us / 1000000 + ns / 1000000000, .tv_nsec = ns % 1000000000};
}

/* Wait until the job ended or the deadline came; true = it ended. */
static bool wait_job(struct few__live *live, int64_t deadline_us)
{
    pthread_mutex_lock(&live->mutex);
    while (live->job.state == JOB_QUEUED) {
        if (deadline_us == FEW__NO_DEADLINE) {
            pthread_cond_wait(&live->ended, &live->mutex);
            continue;
        }
        int64_t left = deadline_us - few__now_us(&live->env);
        if (left <= 0) break;
        struct timespec until = monotonic_in(left);
        pthread_cond_timedwait(&live->ended, &live->mutex, &until);
    }
    bool ended = live->job.state == JOB_ENDED;
    pthread_mutex_unlock(&live->mutex);
    return ended;
}

static struct few__part part_of(struct few__live *live)
{
    const struct job *job = &live->job;
    struct few__part part = {.result = FEW__RESULT_FAILED};
    if (job->status != FEW_OK) return part;
    const struct few_output *output = &live->outputs[job->model];
    live->has_output[job->model] = true;
    part.result = output->empty ? FEW__RESULT_EMPTY : FEW__RESULT_OK;
    part.output = output;
    part.valuable = live->valuable;
    part.n_valuable =
        few__valuable(&live->catalog->models[job->model], output, live->valuable, live->max_valuable);
    return part;
}

/* Do what the core asked for; true = the item is finished. */
static bool act(struct few__live *live, size_t n_actions, struct few__arena *arena)
{
    bool finished = false;
    for (size_t i = 0; i < n_actions; i++) {
        const struct few__action *action = &live->actions[i];
        if (action->kind == FEW__ACTION_START) queue_job(live, action->model, arena);
        else if (action->kind == FEW__ACTION_CANCEL) few__workspace_cancel(live->workspace, action->model);
        else finished |= action->kind == FEW__ACTION_FINISH;
    }
    return finished;
}

// A cancelled model is still on its lane: let it end, then take the cancellation back.
static void settle(struct few__live *live)
{
    if (!live->busy) return;
    wait_job(live, FEW__NO_DEADLINE);
    few__workspace_reset(live->workspace, live->job.model);
    live->busy = false;
    const struct few__part part = {.result = FEW__RESULT_CANCELED};
    const struct few__event done = {.kind = FEW__EVENT_DONE, .parts = &part};
    few__exec_step(live->exec, few__now_us(&live->env), &done, live->actions);
}

int64_t few__live_item(struct few__live *live, uint64_t item, int64_t deadline_us, struct few__arena *arena)
{
    memset(live->has_output, 0, live->catalog->n_models * sizeof *live->has_output);
    for (size_t i = 0; i < live->catalog->n_models; i++) live->messages[i][0] = 0;
    int64_t now = few__now_us(&live->env);
    struct few__part part;
    struct few__event event = {
        .kind = FEW__EVENT_ITEM, .item = item, .deadline_us = deadline_us, .ready = true};
    while (!act(live, few__exec_step(live->exec, now, &event, live->actions), arena)) {
        bool ended = wait_job(live, deadline_us);
        // A model that ended just before the deadline counts, even if this thread woke up after it.
        if (ended && live->job.ended_us <= deadline_us) {
            now = live->job.ended_us;
            part = part_of(live);
            event = (struct few__event){.kind = FEW__EVENT_DONE, .parts = &part};
            live->busy = false;
        } else {
            now = few__now_us(&live->env);
            event = (struct few__event){.kind = FEW__EVENT_DEADLINE};
        }
    }
    settle(live);
    return now;
}

const struct few__exec *few__live_exec(const struct few__live *live)
{
    return live->exec;
}

const struct few_output *few__live_output(const struct few__live *live, size_t model)
{
    return live->has_output[model] ? &live->outputs[model] : NULL;
}

const char *few__live_message(const struct few__live *live, size_t model)
{
    return live->messages[model];
}
