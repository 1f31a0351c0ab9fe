// SPDX-License-Identifier: Apache-2.0
/* Models in processes of their own, which read requests from their standard input and write answers to their standard
 * output: docs/worker.md.
 *
 * One process for each model, shared by its runners: whoever has the turn talks to it. At most one request is open.
 * One that nobody waits for any more (cancelled, or over its time) stays open, and the next run waits for its answer
 * first: so requests never pile up in the process. A worker that breaks the rules is killed, and started again by the
 * next run once the pause after a failure is over. */
#include "backend/backend_impl.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend/shape.h"
#include "backend/worker_lines.h"
#include "backend/worker_protocol.h"
#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"

enum { WHY_MAX = 600, LAST_WORDS_MAX = 200 };

static const int64_t START_US = 60000000; // to get ready
static const int64_t RUN_US = 60000000;   // of a run where the recipe does not say
static const int64_t PAUSE_US = 100000;   // after the first failure; twice as long after each further one
static const int64_t PAUSE_MAX_US = 10000000;

struct pool {
    struct few_env env;
    int64_t start_us;
    pthread_mutex_t lock; // of `workers` and their `users`
    struct worker *workers;
};

// A model's process. What follows `busy` belongs to whoever has the turn.
struct worker {
    struct pool *pool;
    const struct few__recipe *recipe;
    const struct few_model *model;
    struct worker *next;
    size_t users;
    uint64_t n_runners; // that there have been
    atomic_long pid;    // of the process, 0 = none

    pthread_mutex_t lock; // of `busy`
    pthread_cond_t turn;
    bool busy;

    bool running, ready;
    int64_t ready_until; // on the wire's clock
    struct few__wire wire;
    int64_t id;        // of the last request
    bool open;         // it has no answer yet
    int failures;      // in a row
    int64_t retry_us;  // not started again before this time of the host's clock
    char why[WHY_MAX]; // it failed last
};

struct runner {
    struct worker *worker;
    uint64_t number; // among the worker's
    atomic_bool canceled;
    int wake; // readable while the runner is cancelled
    struct few__answer answer;
};

/* ---- runtime ---- */

static enum few_status open_pool(const struct few__runtime_opts *opts, const struct few_env *env, void **self,
                                 struct few_error *err)
{
    struct pool *p = FEW__NEW(env->mem, struct pool);
    if (!p) return few__no_memory(err, "a backend");
    p->env = *env;
    p->start_us = opts->start_us > 0 ? opts->start_us : START_US;
    pthread_mutex_init(&p->lock, NULL);
    *self = p;
    return FEW_OK;
}

static void close_pool(void *self)
{
    struct pool *p = self;
    pthread_mutex_destroy(&p->lock);
    few__free(p->env.mem, p);
}

static const char *describe(const void *self)
{
    (void)self;
    return "worker processes (protocol 1)";
}

/* ---- failures ---- */

/* The worker has ended, or is ended here: remember why and when it may start again. `how` is what the message says;
 * status what the run gives. */
static enum few_status give_up(struct worker *w, enum few_status status, const char *how,
                               struct few_error *err)
{
    char last[LAST_WORDS_MAX];
    few__child_end(&w->wire.child, false);
    few__child_last_line(&w->wire.child, last, sizeof last);
    few__wire_free(&w->wire);
    atomic_store(&w->pid, 0);
    w->running = w->ready = w->open = false;
    int64_t pause = PAUSE_MAX_US;
    if (w->failures < 7) pause = PAUSE_US << w->failures; // 2^7 of them are more than the most
    w->failures += w->failures < 7;
    w->retry_us = few__now_us(&w->pool->env) + pause;
    snprintf(w->why, sizeof w->why, "%.330s%s%s%s", how, *last ? "; it said last: '" : "", last,
             *last ? "'" : "");
    return few__fail(err, status, "model '%s': its worker %s", w->model->name, w->why);
}

// The process closed its side.
static enum few_status hung_up(struct worker *w, struct few_error *err)
{
    char how[60];
    few__child_hung_up(&w->wire.child, how, sizeof how);
    return give_up(w, FEW_EBACKEND, how, err);
}

// What it wrote breaks the rules; `what` says how.
static enum few_status broke_rules(struct worker *w, enum few_status status, const struct few_error *what,
                                   struct few_error *err)
{
    char how[WHY_MAX];
    snprintf(how, sizeof how, "%s: %.300s", w->ready ? "gave a wrong answer" : "did not get ready",
             what->message);
    return give_up(w, status == FEW_ESHAPE || status == FEW_EVERSION ? status : FEW_EBACKEND, how, err);
}

static enum few_status canceled(const struct worker *w, struct few_error *err)
{
    return few__fail(err, FEW_ECANCELED, "model '%s': run cancelled", w->model->name);
}

// Whoever waited in vain: FEW_AGAIN is left to the caller.
static enum few_status wait_failed(struct worker *w, enum few_status status, struct few_error *err)
{
    char how[60];
    switch ((int)status) {
    case FEW_ECANCELED: return canceled(w, err);
    case FEW_ENOMEM: return few__no_memory(err, w->model->name);
    case FEW_END: return hung_up(w, err);
    case FEW_ELIMIT:
        snprintf(how, sizeof how, "wrote a line of more than %d bytes", FEW__WORKER_LINE_MAX);
        return give_up(w, FEW_EBACKEND, how, err);
    default: return give_up(w, FEW_EBACKEND, "cannot be waited for", err);
    }
}

/* ---- a process that is ready ---- */

static enum few_status start(struct worker *w, struct few_error *err)
{
    const struct few__recipe *recipe = w->recipe;
    struct few_error why = {.message = ""};
    enum few_status status =
        few__wire_start(&w->wire, w->pool->env.mem, recipe->command, recipe->n_command, &why);
    if (status != FEW_OK) {
        char how[WHY_MAX];
        snprintf(how, sizeof how, "did not start: %.300s", why.message);
        return give_up(w, status, how, err);
    }
    w->running = true;
    w->id = 0;
    atomic_store(&w->pid, (long)w->wire.child.pid);
    w->ready_until = few__wire_now_us() + w->pool->start_us;
    struct few__text *text = few__wire_queue(&w->wire);
    few__worker_hello(text, recipe, w->model);
    if (few__text_ok(text)) return FEW_OK;
    give_up(w, FEW_ENOMEM, "had no memory for its greeting", err);
    return few__no_memory(err, w->model->name);
}

static enum few_status restart(struct worker *w, struct few_error *err)
{
    int64_t left = w->failures ? w->retry_us - few__now_us(&w->pool->env) : 0;
    if (left <= 0) return start(w, err);
    return few__fail(err, FEW_EBACKEND, "model '%s': its worker %s; next start in %lld ms", w->model->name,
                     w->why, (long long)((left + 999) / 1000));
}

// Start it if it does not run and wait until it is ready; a wait that is cancelled goes on with the next run.
static enum few_status get_ready(struct worker *w, int cancel, struct few_error *err)
{
    const char *line;
    size_t n;
    char version[FEW__WORKER_VERSION_MAX], how[60];
    struct few_error why = {.message = ""};
    if (w->ready) return FEW_OK;
    if (!w->running) FEW__TRY(restart(w, err));
    enum few_status status = few__wire_wait(&w->wire, cancel, w->ready_until, &line, &n);
    if (status == FEW_AGAIN) {
        snprintf(how, sizeof how, "was not ready after %.3g s", (double)w->pool->start_us / 1e6);
        return give_up(w, FEW_EBACKEND, how, err);
    }
    if (status != FEW_OK) return wait_failed(w, status, err);
    status = few__worker_read_ready(line, n, version, &why);
    if (status != FEW_OK) return broke_rules(w, status, &why, err);
    w->ready = true;
    few__log(&w->pool->env, FEW_LOG_INFO, "model '%s': worker %ld is ready: %s", w->model->name,
             (long)w->wire.child.pid, version);
    return FEW_OK;
}

/* ---- one run ---- */

static enum few_status too_late(struct worker *w, int64_t timeout, struct few_error *err)
{
    return few__fail(err, FEW_EBACKEND, "model '%s': its worker gave no answer within %.3g s", w->model->name,
                     (double)timeout / 1e6);
}

// Wait for the answer to a request that was given up; it is thrown away.
static enum few_status finish_open(struct worker *w, int cancel, int64_t until, int64_t timeout,
                                   struct few_error *err)
{
    const char *line;
    size_t n;
    int64_t id = 0;
    struct few_error why = {.message = ""};
    enum few_status status = few__wire_wait(&w->wire, cancel, until, &line, &n);
    if (status == FEW_AGAIN) {
        char how[80];
        snprintf(how, sizeof how, "gave no answer for longer than %.3g s and was ended",
                 (double)timeout / 1e6);
        return give_up(w, FEW_EBACKEND, how, err);
    }
    if (status != FEW_OK) return wait_failed(w, status, err);
    status = few__worker_read_id(line, n, &id, &why);
    if (status == FEW_OK && id != w->id)
        status = few__fail(&why, FEW_EPARSE, "expected the answer to request %lld, found %lld",
                           (long long)w->id, (long long)id);
    if (status != FEW_OK) return broke_rules(w, status, &why, err);
    w->open = false;
    return FEW_OK;
}

static enum few_status ask(struct worker *w, const struct runner *r, const struct few__run_input *input,
                           struct few_error *err)
{
    struct few_error why = {.message = ""};
    if (few__wire_has_more(&w->wire))
        few__fail(&why, FEW_EPARSE, "it wrote more than the answer to request %lld", (long long)w->id);
    else if (!few__wire_is_sent(&w->wire))
        few__fail(&why, FEW_EPARSE, "it answered request %lld before it had read it", (long long)w->id);
    if (*why.message) return broke_rules(w, FEW_EPARSE, &why, err);
    struct few__text *text = few__wire_queue(&w->wire);
    few__worker_request(text, w->id + 1, w->recipe, r->number, input);
    if (!few__text_ok(text)) {
        few__text_clear(text);
        return few__no_memory(err, w->model->name);
    }
    w->id++;
    w->open = true;
    return FEW_OK;
}

static enum few_status read_answer(struct worker *w, struct runner *r, int64_t items, const char *line,
                                   size_t n, struct few_error *err)
{
    struct few_error why = {.message = ""};
    enum few_status status = few__worker_read_answer(line, n, w->id, w->recipe, items, &r->answer, &why);
    w->open = false;
    if (status == FEW_ENOMEM) return few__no_memory(err, w->model->name);
    if (status != FEW_OK && status != FEW_EBACKEND) return broke_rules(w, status, &why, err);
    w->failures = 0;
    if (status == FEW_OK) return FEW_OK;
    return few__fail(err, FEW_EBACKEND, "model '%s': its worker: %s", w->model->name, why.message);
}

// With the turn.
static enum few_status run_in_turn(struct worker *w, struct runner *r, const struct few__run_input *input,
                                   struct few_error *err)
{
    const char *line;
    size_t n;
    int64_t timeout = w->recipe->timeout_us > 0 ? w->recipe->timeout_us : RUN_US;
    FEW__TRY(get_ready(w, r->wake, err));
    int64_t until = few__wire_now_us() + timeout;
    if (w->open) FEW__TRY(finish_open(w, r->wake, until, timeout, err));
    FEW__TRY(ask(w, r, input, err));
    enum few_status status = few__wire_wait(&w->wire, r->wake, until, &line, &n);
    if (status == FEW_AGAIN) return too_late(w, timeout, err);
    if (status != FEW_OK) return wait_failed(w, status, err);
    return read_answer(w, r, input->dims[0], line, n, err);
}

/* ---- turns ---- */

// r NULL: a load, which is not cancelled. false: the runner was cancelled while it waited.
static bool take_turn(struct worker *w, const struct runner *r)
{
    pthread_mutex_lock(&w->lock);
    while (w->busy && !(r && atomic_load(&r->canceled))) pthread_cond_wait(&w->turn, &w->lock);
    bool mine = !(r && atomic_load(&r->canceled));
    if (mine) w->busy = true;
    pthread_mutex_unlock(&w->lock);
    return mine;
}

static void give_turn(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->busy = false;
    pthread_cond_broadcast(&w->turn);
    pthread_mutex_unlock(&w->lock);
}

static enum few_status run(void *runner, const struct few__run_input *input, struct few__tensor *outputs,
                           size_t *n_outputs, struct few_error *err)
{
    struct runner *r = runner;
    struct worker *w = r->worker;
    const char *name = w->recipe->input.name ? w->recipe->input.name : "data";
    FEW__TRY(few__check_run_input(w->recipe, w->model, name, input, err));
    if (!take_turn(w, r)) return canceled(w, err);
    enum few_status status = run_in_turn(w, r, input, err);
    give_turn(w);
    if (status == FEW_OK && atomic_load(&r->canceled)) status = canceled(w, err);
    if (status != FEW_OK) return status;
    memcpy(outputs, r->answer.tensors, r->answer.n * sizeof *outputs);
    *n_outputs = r->answer.n;
    return FEW_OK;
}

/* ---- load ---- */

// A request of the largest batch must fit a line.
static enum few_status check_size(const struct few__recipe *recipe, const struct few_model *model,
                                  struct few_error *err)
{
    enum { BESIDE = 256 }; // bytes of a request beside its numbers; of text each number has less than 16
    bool is_image = recipe->input.modality == FEW_IMAGE;
    size_t n_dims = is_image ? 4 : 2;
    int64_t dims[4] = {1, (int64_t)few__input_numbers(&recipe->input)};
    if (is_image) few__input_dims(&recipe->input, recipe->input.pixels.width, dims);
    dims[0] = few__recipe_batch(recipe);
    size_t n = few__shape_count(n_dims, dims),
           most = (size_t)(FEW__WORKER_LINE_MAX - BESIDE) / 16 * 3; // 4 numbers: 16 bytes
    if (n > 0 && n <= most) return FEW_OK;
    char text[FEW__SHAPE_TEXT];
    few__shape_text(text, sizeof text, "float32", n_dims, dims);
    return few__fail(err, FEW_ELIMIT,
                     "model '%s': expected an input of at most %zu numbers for a worker, found %s",
                     model->name, most, text);
}

static struct worker *new_worker(struct pool *p, const struct few__recipe *recipe,
                                 const struct few_model *model)
{
    struct worker *w = FEW__NEW(p->env.mem, struct worker);
    if (!w) return NULL;
    w->pool = p;
    w->recipe = recipe;
    w->model = model;
    atomic_init(&w->pid, 0);
    w->wire.child.io = w->wire.child.err = -1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->turn, NULL);
    return w;
}

// The model's worker, new or not, and the number of a runner of it; NULL: no memory.
static struct worker *take_worker(struct pool *p, const struct few__recipe *recipe,
                                  const struct few_model *model, uint64_t *number)
{
    pthread_mutex_lock(&p->lock);
    struct worker *w = p->workers;
    while (w && (w->recipe != recipe || w->model != model)) w = w->next;
    if (!w && (w = new_worker(p, recipe, model))) {
        w->next = p->workers;
        p->workers = w;
    }
    if (w) w->users++;
    if (w) *number = w->n_runners++;
    pthread_mutex_unlock(&p->lock);
    return w;
}

static void give_worker(struct worker *w)
{
    struct pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    bool last = --w->users == 0;
    struct worker **at = &p->workers;
    while (last && *at != w) at = &(*at)->next;
    if (last) *at = w->next;
    pthread_mutex_unlock(&p->lock);
    if (!last) return;
    few__child_end(&w->wire.child, true); // outside the lock: it takes a while
    few__wire_free(&w->wire);
    pthread_cond_destroy(&w->turn);
    pthread_mutex_destroy(&w->lock);
    few__free(p->env.mem, w);
}

static void unload(void *runner)
{
    struct runner *r = runner;
    struct worker *w = r->worker;
    const struct few_mem *mem = r->answer.mem;
    if (r->wake >= 0) close(r->wake);
    few__free(mem, r->answer.numbers);
    few__free(mem, r);
    if (w) give_worker(w);
}

static enum few_status load(void *self, const struct few__recipe *recipe, const struct few_model *model,
                            void **runner, struct few_error *err)
{
    struct pool *p = self;
    FEW__TRY(check_size(recipe, model, err));
    struct runner *r = FEW__NEW(p->env.mem, struct runner);
    if (!r) return few__no_memory(err, model->name);
    r->answer.mem = p->env.mem;
    atomic_init(&r->canceled, false);
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum few_status status = FEW_OK;
    if (r->wake < 0) status = few__fail_sys(err, FEW_EIO, "model '%s': no event to be woken by", model->name);
    if (status == FEW_OK) r->worker = take_worker(p, recipe, model, &r->number);
    if (status == FEW_OK && !r->worker) status = few__no_memory(err, model->name);
    if (status == FEW_OK) {
        take_turn(r->worker, NULL);
        status = get_ready(r->worker, -1, err);
        give_turn(r->worker);
    }
    if (status == FEW_OK) *runner = r;
    else unload(r);
    return status;
}

/* ---- from other threads ---- */

// The flag comes first: whoever is woken must find it set.
static void cancel(void *runner)
{
    struct runner *r = runner;
    struct worker *w = r->worker;
    atomic_store(&r->canceled, true);
    while (eventfd_write(r->wake, 1) != 0 && errno == EINTR) {
    }
    pthread_mutex_lock(&w->lock);
    pthread_cond_broadcast(&w->turn);
    pthread_mutex_unlock(&w->lock);
}

static void reset(void *runner)
{
    struct runner *r = runner;
    eventfd_t times;
    while (eventfd_read(r->wake, &times) != 0 && errno == EINTR) {
    }
    atomic_store(&r->canceled, false);
}

static uint64_t bytes(const void *runner)
{
    return few__child_bytes((pid_t)atomic_load(&((const struct runner *)runner)->worker->pid));
}

const struct few__backend_impl few__backend_worker = {
    .name = "worker",
    .open = open_pool,
    .close = close_pool,
    .describe = describe,
    .load = load,
    .unload = unload,
    .run = run,
    .bytes = bytes,
    .cancel = cancel,
    .reset = reset,
};
