// SPDX-License-Identifier: Apache-2.0
// The table of backends, and the way from a caller's handle to the backend behind it.
#include "backend/backend_impl.h"

#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"

struct few__runtime {
    const struct few__backend_impl *impl;
    const struct few_mem *mem;
    void *self;
};

struct few__runner {
    const struct few__backend_impl *impl;
    const struct few_mem *mem;
    void *self;
};

static const struct few__backend_impl *const backends[] = {&few__backend_onnx, &few__backend_worker,
                                                           &few__backend_replay};

static const struct few__backend_impl *find(const char *name)
{
    for (size_t i = 0; name && i < sizeof backends / sizeof *backends; i++)
        if (strcmp(backends[i]->name, name) == 0) return backends[i];
    return NULL;
}

enum few_status few__runtime_open(const struct few__runtime_opts *opts, const struct few_env *env,
                                  struct few__runtime **runtime, struct few_error *err)
{
    *runtime = NULL;
    const struct few__backend_impl *impl = find(opts->name);
    if (!impl)
        return few__fail(err, FEW_EINVAL, "backend '%s': expected onnx, worker or replay",
                         opts->name ? opts->name : "");
    struct few_env whole = few__env(env);
    struct few__runtime *r = FEW__NEW(whole.mem, struct few__runtime);
    if (!r) return few__no_memory(err, "a backend");
    *r = (struct few__runtime){.impl = impl, .mem = whole.mem};
    enum few_status status = impl->open(opts, &whole, &r->self, err);
    if (status == FEW_OK) *runtime = r;
    else few__free(whole.mem, r);
    return status;
}

void few__runtime_close(struct few__runtime *runtime)
{
    if (!runtime) return;
    runtime->impl->close(runtime->self);
    few__free(runtime->mem, runtime);
}

const char *few__runtime_describe(const struct few__runtime *runtime)
{
    return runtime->impl->describe(runtime->self);
}

enum few_status few__runner_load(struct few__runtime *runtime, const struct few__recipe *recipe,
                                 const struct few_model *model, struct few__runner **runner,
                                 struct few_error *err)
{
    *runner = NULL;
    if (recipe->backend && strcmp(recipe->backend, runtime->impl->name) != 0)
        return few__fail(err, FEW_EINVAL, "model '%s': expected backend %s, found %s", model->name,
                         runtime->impl->name, recipe->backend);
    struct few__runner *r = FEW__NEW(runtime->mem, struct few__runner);
    if (!r) return few__no_memory(err, model->name);
    *r = (struct few__runner){.impl = runtime->impl, .mem = runtime->mem};
    enum few_status status = runtime->impl->load(runtime->self, recipe, model, &r->self, err);
    if (status == FEW_OK) *runner = r;
    else few__free(runtime->mem, r);
    return status;
}

void few__runner_unload(struct few__runner *runner)
{
    if (!runner) return;
    runner->impl->unload(runner->self);
    few__free(runner->mem, runner);
}

enum few_status few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                struct few__tensor *outputs, size_t *n_outputs, struct few_error *err)
{
    *n_outputs = 0;
    if (!runner->impl->run)
        return few__fail(err, FEW_EINVAL, "backend %s: answers for items, it does not run",
                         runner->impl->name);
    return runner->impl->run(runner->self, input, outputs, n_outputs, err);
}

bool few__runner_answers(const struct few__runner *runner)
{
    return runner->impl->answer != NULL;
}

enum few_status few__runner_answer(struct few__runner *runner, const char *digest, struct few__arena *arena,
                                   struct few_output *output, struct few_error *err)
{
    if (!runner->impl->answer)
        return few__fail(err, FEW_EINVAL, "backend %s: runs, it has no answers", runner->impl->name);
    return runner->impl->answer(runner->self, digest, arena, output, err);
}

uint64_t few__runner_bytes(const struct few__runner *runner)
{
    return runner->impl->bytes ? runner->impl->bytes(runner->self) : 0;
}

void few__runner_cancel(struct few__runner *runner)
{
    runner->impl->cancel(runner->self);
}

void few__runner_reset(struct few__runner *runner)
{
    runner->impl->reset(runner->self);
}
