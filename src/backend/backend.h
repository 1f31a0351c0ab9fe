// SPDX-License-Identifier: Apache-2.0
/* Running a model, for callers. (backend_impl.h is for those who write a backend.)
 *
 * A runtime is opened once (a library, a thread pool); a runner is one loaded model with its input bound to
 * fixed memory. */
#ifndef FEW_BACKEND_BACKEND_H
#define FEW_BACKEND_BACKEND_H

#include "model/decode.h"
#include "model/recipe.h"

struct few__runtime;
struct few__runner;

struct few__runtime_opts {
    const char *name;    // "onnx"
    const char *library; // path of its shared library, and no other; NULL = where it is looked for
    int threads;         // of the one global pool; 0 = 1
};

/* Errors: FEW_EINVAL no backend of that name, threads above 256; FEW_ENOENT no library (the message lists every place tried);
 * FEW_EVERSION too old; FEW_ENOMEM. */
enum few_status few__runtime_open(const struct few__runtime_opts *opts, const struct few_env *env,
                                  struct few__runtime **runtime, struct few_error *err);
void few__runtime_close(struct few__runtime *runtime); // all runners must be gone

/* "ONNX Runtime 1.30.0 (/path/libonnxruntime.so.1.30.0)" */
const char *few__runtime_describe(const struct few__runtime *runtime);

/* Load a model and check it against its recipe: input name, type and shape; output names, types and shapes.
 *
 * recipe, model     borrowed until unload
 * input, n_numbers  the memory its input is bound to (few__preprocess_buffer); borrowed until unload
 * runner            out, owned: few__runner_unload
 * Errors: FEW_ENOENT no file; FEW_EBACKEND not a model; FEW_ESHAPE not as the manifest says (expected, found);
 *         FEW_ENOMEM. */
enum few_status few__runner_load(struct few__runtime *runtime, const struct few__recipe *recipe,
                                 const struct few_model *model, float *input, size_t n_numbers,
                                 struct few__runner **runner, struct few_error *err);
void few__runner_unload(struct few__runner *runner);

/* Run on what the input memory holds, as a tensor of shape dims (4,).
 * outputs: (FEW__OUTPUTS_MAX,) out, in the order of recipe->decode.outputs; borrowed until the next run.
 * Allocates nothing of ours where the model declares its shapes.
 * Errors: FEW_ECANCELED few__runner_cancel was called; FEW_EBACKEND; FEW_ESHAPE. */
enum few_status few__runner_run(struct few__runner *runner, const int64_t dims[4],
                                struct few__tensor *outputs, size_t *n_outputs, struct few_error *err);

/* From any thread: the run in flight ends soon with FEW_ECANCELED; without one, the next run does, until
 * few__runner_reset. */
void few__runner_cancel(struct few__runner *runner);
void few__runner_reset(struct few__runner *runner);

#endif
