// SPDX-License-Identifier: Apache-2.0
// Whoever is free takes the next method. Invariant: a job is of one worker, from taking it to the end.
#include "eval/eval_crew.h"

#include <pthread.h>

#include "core/error.h"

struct few__eval_worker {
    struct few__eval eval; // with an arena of its own
    struct few__arena arena;
    struct shared *shared;
    pthread_t thread;
};

struct shared {
    pthread_mutex_t lock;
    size_t next, n; // jobs: next is the first that nobody has taken
    struct few__eval_job *jobs;
    few__eval_job_fn *work;
};

static struct few__eval_job *take(struct shared *shared)
{
    pthread_mutex_lock(&shared->lock);
    struct few__eval_job *job = shared->next < shared->n ? &shared->jobs[shared->next++] : NULL;
    pthread_mutex_unlock(&shared->lock);
    return job;
}

static void *work(void *self)
{
    struct few__eval_worker *worker = self;
    struct few__eval_job *job;
    while ((job = take(worker->shared)))
        job->status = worker->shared->work(&worker->eval, job->method, &job->result, &job->err);
    return NULL;
}

static void begin(const struct few__eval *eval, struct shared *shared, struct few__eval_worker *worker)
{
    few__arena_init(&worker->arena, eval->env.mem, eval->arena->max);
    worker->eval = *eval;
    worker->eval.arena = &worker->arena;
    worker->shared = shared;
}

enum few_status few__eval_crew_work(const struct few__eval *eval, struct few__eval_job *jobs, size_t n,
                                    size_t n_threads, few__eval_job_fn *fn, struct few__eval_crew *crew,
                                    struct few_error *err)
{
    struct shared shared = {.n = n, .jobs = jobs, .work = fn};
    size_t n_started = 1;
    if (n_threads > n) n_threads = n;
    crew->n = n_threads;
    crew->workers = FEW__NEW_N(eval->env.mem, struct few__eval_worker, n_threads);
    if (!crew->workers) {
        crew->n = 0;
        return n > 0 ? few__no_memory(err, "evaluation") : FEW_OK;
    }
    pthread_mutex_init(&shared.lock, NULL);
    for (size_t w = 0; w < n_threads; w++) begin(eval, &shared, &crew->workers[w]);
    for (; n_started < n_threads; n_started++) {
        struct few__eval_worker *worker = &crew->workers[n_started];
        if (pthread_create(&worker->thread, NULL, work, worker)) break; // those that are there do it all
    }
    work(&crew->workers[0]);
    for (size_t w = 1; w < n_started; w++) pthread_join(crew->workers[w].thread, NULL);
    pthread_mutex_destroy(&shared.lock);
    for (size_t i = 0; i < n; i++)
        if (jobs[i].status != FEW_OK) {
            if (err) *err = jobs[i].err;
            return jobs[i].status;
        }
    return FEW_OK;
}

void few__eval_crew_finish(const struct few__eval *eval, struct few__eval_crew *crew)
{
    for (size_t w = 0; w < crew->n; w++) few__arena_finish(&crew->workers[w].arena);
    few__free(eval->env.mem, crew->workers);
}
