// SPDX-License-Identifier: Apache-2.0
/* For those who write a backend: one file, one table like this, one row in backend.c. */
#ifndef FEW_BACKEND_BACKEND_IMPL_H
#define FEW_BACKEND_BACKEND_IMPL_H

#include "backend/backend.h"

struct few__backend_impl {
    const char *name;
    enum few_status (*open)(const struct few__runtime_opts *opts, const struct few_env *env, void **self,
                            struct few_error *err);
    void (*close)(void *self);
    const char *(*describe)(const void *self);
    enum few_status (*load)(void *self, const struct few__recipe *recipe, const struct few_model *model,
                            void **runner, struct few_error *err);
    void (*unload)(void *runner);
    enum few_status (*run)(void *runner, const struct few__run_input *input, struct few__tensor *outputs,
                           size_t *n_outputs, struct few_error *err);
    enum few_status (*answer)(void *runner, const char *digest, struct few__arena *arena,
                              struct few_output *output,
                              struct few_error *err); // one of run and answer is NULL
    uint64_t (*bytes)(const void *runner);            // NULL: none
    void (*cancel)(void *runner);                     // thread-safe
    void (*reset)(void *runner);
};

extern const struct few__backend_impl few__backend_onnx, few__backend_worker, few__backend_replay;

#endif
