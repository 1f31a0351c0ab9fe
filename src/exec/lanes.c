// SPDX-License-Identifier: Apache-2.0
/* Everything is under one mutex: jobs on their way to a thread, ends on their way back. Between the two a lane's job
 * belongs to its thread. An end takes its instant under the mutex, so that the queue of ends is in order of time. */
#include "exec/lanes.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/timed.h"
#include "model/output.h"

enum job { JOB_NONE, JOB_READ, JOB_RUN };

struct lane {
    struct few__lanes *lanes;
    size_t index;
    pthread_t thread;
    bool started;
    pthread_cond_t queued; // job set, or quit
    enum job job;
    size_t slot, model, n;
    struct few__work *work;        // (batch,)
    struct few__part *parts;       // (batch,)
    struct few_valuable *valuable; // (max_valuable,) of all parts, one after the other
    struct few_error error;        // of a read
    unsigned has_parts;            // of the item that was read
};

struct load {
    size_t model;
    bool evict;
};

struct few__lanes {
    struct few_env env;
    struct few__lanes_opts opts;
    size_t batch, max_valuable; // the most of one run
    struct lane *lanes;         // (n_lanes,)
    pthread_mutex_t mutex;
    pthread_cond_t ended; // an end, or a poke
    bool quit, poked;

    struct few__ended *ends; // (n_lanes + 1,) ring: each thread has at most one end that was not fetched
    size_t first_end, n_ends;

    pthread_t loader;
    bool loader_started;
    pthread_cond_t load_queued;
    struct load *loads; // (max_loads,) ring
    size_t first_load, n_loads, max_loads;
    struct few_error load_error; // of the last load
};

/* ---- ends ---- */

// Under the mutex.
static void add_end(struct few__lanes *l, struct few__ended ended)
{
    size_t room = l->opts.n_lanes + 1;
    assert(l->n_ends < room);
    ended.at_us = few__now_us(&l->env);
    l->ends[(l->first_end + l->n_ends++) % room] = ended;
    pthread_cond_signal(&l->ended);
}

void few__lanes_poke(struct few__lanes *l)
{
    pthread_mutex_lock(&l->mutex);
    l->poked = true;
    pthread_cond_signal(&l->ended);
    pthread_mutex_unlock(&l->mutex);
}

enum few__lanes_next few__lanes_next(struct few__lanes *l, int64_t until_us, enum few__lanes_wait wait,
                                     struct few__ended *ended, int64_t *now_us)
{
    enum few__lanes_next next = FEW__LANES_NOTHING;
    pthread_mutex_lock(&l->mutex);
    for (;;) {
        *now_us = few__now_us(&l->env);
        const struct few__ended *first = l->n_ends ? &l->ends[l->first_end] : NULL;
        if (first && first->at_us < *now_us) *now_us = first->at_us;
        if (first && first->at_us <= until_us) {
            *ended = *first;
            l->first_end = (l->first_end + 1) % (l->opts.n_lanes + 1);
            l->n_ends--;
            next = FEW__LANES_ENDED;
            break;
        }
        if (*now_us >= until_us) {
            next = FEW__LANES_DUE;
            break;
        }
        if (wait == FEW__LANES_LOOK) break;
        if (wait == FEW__LANES_WAIT_OR_POKE && l->poked) {
            l->poked = false;
            break;
        }
        few__timed_wait(&l->ended, &l->mutex, until_us == INT64_MAX ? INT64_MAX : until_us - *now_us);
    }
    pthread_mutex_unlock(&l->mutex);
    return next;
}

/* ---- a lane ---- */

static enum few__result result_of(const struct few__work *work)
{
    if (work->status == FEW_OK) return work->output->empty ? FEW__RESULT_EMPTY : FEW__RESULT_OK;
    return work->status == FEW_ECANCELED ? FEW__RESULT_CANCELED : FEW__RESULT_FAILED;
}

static void run_models(struct lane *lane)
{
    const struct few__lanes *l = lane->lanes;
    const struct few_model *model = &l->opts.catalog->models[lane->model];
    struct few_valuable *free_room = lane->valuable;
    few__workspace_run(l->opts.workspace, lane->index, lane->model, lane->work, lane->n);
    for (size_t i = 0; i < lane->n; i++) {
        const struct few__work *work = &lane->work[i];
        struct few__part *part = &lane->parts[i];
        *part = (struct few__part){.result = result_of(work)};
        if (work->status != FEW_OK) continue;
        size_t left = l->max_valuable - (size_t)(free_room - lane->valuable);
        part->output = work->output;
        part->valuable = free_room;
        part->n_valuable = few__valuable(model, work->output, free_room, left);
        part->unsure = few__output_unsure(model, work->output);
        free_room += part->n_valuable;
    }
}

static void read_item(struct lane *lane)
{
    const struct few__lanes_opts *opts = &lane->lanes->opts;
    lane->error = (struct few_error){.message = ""};
    lane->has_parts = 0;
    lane->error.code = opts->read(opts->ud, lane->slot, &lane->has_parts, &lane->error);
}

static void *lane_main(void *arg)
{
    struct lane *lane = arg;
    struct few__lanes *l = lane->lanes;
    pthread_mutex_lock(&l->mutex);
    for (;;) {
        while (lane->job == JOB_NONE && !l->quit) pthread_cond_wait(&lane->queued, &l->mutex);
        if (l->quit) break;
        bool reads = lane->job == JOB_READ;
        pthread_mutex_unlock(&l->mutex);
        if (reads) read_item(lane);
        else run_models(lane);
        pthread_mutex_lock(&l->mutex);
        lane->job = JOB_NONE;
        add_end(l, (struct few__ended){.kind = reads ? FEW__ENDED_READ : FEW__ENDED_RUN,
                                       .lane = lane->index,
                                       .slot = lane->slot,
                                       .has_parts = lane->has_parts,
                                       .model = lane->model,
                                       .error = &lane->error,
                                       .parts = lane->parts,
                                       .work = lane->work});
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static void queue_job(struct lane *lane, enum job job)
{
    pthread_mutex_lock(&lane->lanes->mutex);
    assert(lane->job == JOB_NONE);
    lane->job = job;
    pthread_cond_signal(&lane->queued);
    pthread_mutex_unlock(&lane->lanes->mutex);
}

void few__lanes_read(struct few__lanes *l, size_t lane, size_t slot)
{
    l->lanes[lane].slot = slot;
    queue_job(&l->lanes[lane], JOB_READ);
}

struct few__work *few__lanes_work(struct few__lanes *l, size_t lane)
{
    return l->lanes[lane].work;
}

void few__lanes_run(struct few__lanes *l, size_t lane, size_t model, size_t n)
{
    assert(n <= l->batch);
    l->lanes[lane].model = model;
    l->lanes[lane].n = n;
    queue_job(&l->lanes[lane], JOB_RUN);
}

/* ---- the loader ---- */

static void *loader_main(void *arg)
{
    struct few__lanes *l = arg;
    pthread_mutex_lock(&l->mutex);
    for (;;) {
        while (l->n_loads == 0 && !l->quit) pthread_cond_wait(&l->load_queued, &l->mutex);
        if (l->quit) break;
        struct load load = l->loads[l->first_load];
        l->first_load = (l->first_load + 1) % l->max_loads;
        l->n_loads--;
        pthread_mutex_unlock(&l->mutex);
        if (load.evict) {
            few__workspace_unload(l->opts.workspace, load.model);
        } else {
            l->load_error = (struct few_error){.message = ""};
            l->load_error.code = few__workspace_load(l->opts.workspace, load.model, &l->load_error);
        }
        pthread_mutex_lock(&l->mutex);
        if (!load.evict)
            add_end(l, (struct few__ended){
                           .kind = FEW__ENDED_LOAD, .model = load.model, .error = &l->load_error});
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static void queue_load(struct few__lanes *l, struct load load)
{
    pthread_mutex_lock(&l->mutex);
    assert(l->loader_started && l->n_loads < l->max_loads);
    l->loads[(l->first_load + l->n_loads++) % l->max_loads] = load;
    pthread_cond_signal(&l->load_queued);
    pthread_mutex_unlock(&l->mutex);
}

void few__lanes_load(struct few__lanes *l, size_t model)
{
    queue_load(l, (struct load){.model = model});
}

void few__lanes_evict(struct few__lanes *l, size_t model)
{
    queue_load(l, (struct load){.model = model, .evict = true});
}

/* ---- life ---- */

static size_t batch_of(const struct few__lanes_opts *opts, size_t model)
{
    size_t batch = opts->batch_max ? opts->batch_max[model] : 1;
    return batch < 1 ? 1 : batch > FEW__BATCH_MAX ? FEW__BATCH_MAX : batch;
}

static void find_most(struct few__lanes *l)
{
    l->batch = l->max_valuable = 1;
    for (size_t i = 0; i < l->opts.catalog->n_models; i++) {
        size_t batch = batch_of(&l->opts, i);
        size_t valuable = batch * few__valuable_max(&l->opts.catalog->models[i]);
        if (batch > l->batch) l->batch = batch;
        if (valuable > l->max_valuable) l->max_valuable = valuable;
    }
}

static enum few_status allocate(struct few__lanes *l, struct few_error *err)
{
    const struct few_mem *mem = l->env.mem;
    l->max_loads =
        2 * l->opts.catalog->n_models + 2; // a model waits at most once to be evicted and once to be loaded
    l->ends = FEW__NEW_N(mem, struct few__ended, l->opts.n_lanes + 1);
    if (l->opts.loads) l->loads = FEW__NEW_N(mem, struct load, l->max_loads);
    if (!l->ends || (l->opts.loads && !l->loads)) return few__no_memory(err, "lanes");
    for (size_t i = 0; i < l->opts.n_lanes; i++) {
        struct lane *lane = &l->lanes[i];
        lane->lanes = l;
        lane->index = i;
        lane->work = FEW__NEW_N(mem, struct few__work, l->batch);
        lane->parts = FEW__NEW_N(mem, struct few__part, l->batch);
        lane->valuable = FEW__NEW_N(mem, struct few_valuable, l->max_valuable);
        if (!lane->work || !lane->parts || !lane->valuable) return few__no_memory(err, "lanes");
    }
    return FEW_OK;
}

static enum few_status start_threads(struct few__lanes *l, struct few_error *err)
{
    for (size_t i = 0; i < l->opts.n_lanes; i++) {
        int failed = pthread_create(&l->lanes[i].thread, NULL, lane_main, &l->lanes[i]);
        if (failed)
            return few__fail(err, FEW_EIO, "lane %zu of %zu: its thread cannot be started: %s", i + 1,
                             l->opts.n_lanes, strerror(failed));
        l->lanes[i].started = true;
    }
    if (!l->opts.loads) return FEW_OK;
    int failed = pthread_create(&l->loader, NULL, loader_main, l);
    if (failed)
        return few__fail(err, FEW_EIO, "loader of models: its thread cannot be started: %s",
                         strerror(failed));
    // Under the mutex because the assertion of queue_load reads it there.
    pthread_mutex_lock(&l->mutex);
    l->loader_started = true;
    pthread_mutex_unlock(&l->mutex);
    return FEW_OK;
}

enum few_status few__lanes_start(const struct few__lanes_opts *opts, struct few__lanes **lanes,
                                 struct few_error *err)
{
    *lanes = NULL;
    struct few_env env = few__env(opts->env);
    struct few__lanes *l = FEW__NEW(env.mem, struct few__lanes);
    if (!l) return few__no_memory(err, "lanes");
    l->env = env;
    l->opts = *opts;
    l->lanes = FEW__NEW_N(env.mem, struct lane, opts->n_lanes);
    if (!l->lanes) {
        few__free(env.mem, l);
        return few__no_memory(err, "lanes");
    }
    pthread_mutex_init(&l->mutex, NULL);
    few__timed_init(&l->ended);
    pthread_cond_init(&l->load_queued, NULL);
    for (size_t i = 0; i < opts->n_lanes; i++) pthread_cond_init(&l->lanes[i].queued, NULL);
    find_most(l);
    enum few_status status = allocate(l, err);
    if (status == FEW_OK) status = start_threads(l, err);
    if (status != FEW_OK) few__lanes_stop(l);
    else *lanes = l;
    return status;
}

static void join_all(struct few__lanes *l)
{
    pthread_mutex_lock(&l->mutex);
    l->quit = true;
    for (size_t i = 0; i < l->opts.n_lanes; i++) pthread_cond_signal(&l->lanes[i].queued);
    pthread_cond_signal(&l->load_queued);
    pthread_mutex_unlock(&l->mutex);
    for (size_t i = 0; i < l->opts.n_lanes; i++)
        if (l->lanes[i].started) pthread_join(l->lanes[i].thread, NULL);
    if (l->loader_started) pthread_join(l->loader, NULL);
}

void few__lanes_stop(struct few__lanes *l)
{
    if (!l) return;
    const struct few_mem *mem = l->env.mem;
    join_all(l);
    for (size_t i = 0; i < l->opts.n_lanes; i++) {
        pthread_cond_destroy(&l->lanes[i].queued);
        few__free(mem, l->lanes[i].work);
        few__free(mem, l->lanes[i].parts);
        few__free(mem, l->lanes[i].valuable);
    }
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->ended);
    pthread_cond_destroy(&l->load_queued);
    few__free(mem, l->lanes);
    few__free(mem, l->ends);
    few__free(mem, l->loads);
    few__free(mem, l);
}
