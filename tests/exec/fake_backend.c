// SPDX-License-Identifier: Apache-2.0
#include "exec/fake_backend.h"

#include <pthread.h>
#include <stdatomic.h>

#include "core/env.h"
#include "core/error.h"
#include "core/timed.h"

// The linker leads calls of few__X here (--wrap).
enum few_status __wrap_few__runtime_open(const struct few__runtime_opts *opts, const struct few_env *env,
                                         struct few__runtime **runtime, struct few_error *err);
void __wrap_few__runtime_close(struct few__runtime *runtime);
enum few_status __wrap_few__runner_load(struct few__runtime *runtime, const struct few__recipe *recipe,
                                        const struct few_model *model, struct few__runner **runner,
                                        struct few_error *err);
void __wrap_few__runner_unload(struct few__runner *runner);
bool __wrap_few__runner_answers(const struct few__runner *runner);
enum few_status __wrap_few__runner_answer(struct few__runner *runner, const char *digest,
                                          struct few__arena *arena, struct few_output *output,
                                          struct few_error *err);
void __wrap_few__runner_cancel(struct few__runner *runner);
void __wrap_few__runner_reset(struct few__runner *runner);

struct few__runtime {
    const struct few_mem *mem;
};

struct few__runner {
    const struct few_mem *mem;
    const struct few_model *model;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool canceled;
};

struct t_fake t_fake;

enum few_status __wrap_few__runtime_open(const struct few__runtime_opts *opts, const struct few_env *env,
                                         struct few__runtime **runtime, struct few_error *err)
{
    (void)opts;
    *runtime = FEW__NEW(env->mem, struct few__runtime);
    if (!*runtime) return few__no_memory(err, "runtime");
    (*runtime)->mem = env->mem;
    return FEW_OK;
}

void __wrap_few__runtime_close(struct few__runtime *runtime)
{
    few__free(runtime->mem, runtime);
}

enum few_status __wrap_few__runner_load(struct few__runtime *runtime, const struct few__recipe *recipe,
                                        const struct few_model *model, struct few__runner **runner,
                                        struct few_error *err)
{
    (void)recipe;
    *runner = NULL;
    if (t_fake.load) FEW__TRY(t_fake.load(t_fake.ud, model, err));
    struct few__runner *r = FEW__NEW(runtime->mem, struct few__runner);
    if (!r) return few__no_memory(err, "runner");
    r->mem = runtime->mem;
    r->model = model;
    pthread_mutex_init(&r->mutex, NULL);
    few__timed_init(&r->changed);
    *runner = r;
    return FEW_OK;
}

void __wrap_few__runner_unload(struct few__runner *runner)
{
    if (t_fake.unload) t_fake.unload(t_fake.ud, runner->model);
    pthread_mutex_destroy(&runner->mutex);
    pthread_cond_destroy(&runner->changed);
    few__free(runner->mem, runner);
}

bool __wrap_few__runner_answers(const struct few__runner *runner)
{
    (void)runner;
    return true;
}

enum few_status __wrap_few__runner_answer(struct few__runner *runner, const char *digest,
                                          struct few__arena *arena, struct few_output *output,
                                          struct few_error *err)
{
    if (t_fake_wait(runner, 0)) return few__fail(err, FEW_ECANCELED, "cancelled");
    return t_fake.answer(t_fake.ud, runner, runner->model, digest, arena, output, err);
}

static void set_canceled(struct few__runner *runner, bool canceled)
{
    pthread_mutex_lock(&runner->mutex);
    runner->canceled = canceled;
    pthread_cond_broadcast(&runner->changed);
    pthread_mutex_unlock(&runner->mutex);
}

void __wrap_few__runner_cancel(struct few__runner *runner)
{
    set_canceled(runner, true);
}

void __wrap_few__runner_reset(struct few__runner *runner)
{
    set_canceled(runner, false);
}

bool t_fake_wait(struct few__runner *runner, int64_t us)
{
    const struct few_env env = few__env(NULL);
    int64_t until = few__now_us(&env) + us;
    pthread_mutex_lock(&runner->mutex);
    for (int64_t left; !runner->canceled && (left = until - few__now_us(&env)) > 0;)
        few__timed_wait(&runner->changed, &runner->mutex, left);
    bool canceled = runner->canceled;
    pthread_mutex_unlock(&runner->mutex);
    return canceled;
}
