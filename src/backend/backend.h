// SPDX-License-Identifier: Apache-2.0
/* Running a model, for callers. (backend_impl.h is for those who write a backend.)
 *
 * A runtime is opened once (a library, a thread pool); a runner is one loaded model on one lane. Runners of the same
 * model share what is heavy about it: weights, or a process. */
#ifndef FEW_BACKEND_BACKEND_H
#define FEW_BACKEND_BACKEND_H

#include "model/decode.h"
#include "model/recipe.h"

struct few__runtime;
struct few__runner;

/* What a model said about an item before: replay asks its caller, who has the trace.
 * digest  of the item, SHA-256
 * output  out; its arrays lie in the arena.  time_us: out
 * Errors: FEW_ENOENT nothing is known of the item; FEW_ENOMEM; others as the trace's reader has them. */
typedef enum few_status few__recall_fn(void *ud, const struct few__recipe *recipe,
                                       const struct few_model *model, const char *digest,
                                       struct few__arena *arena, struct few_output *output, int64_t *time_us,
                                       struct few_error *err);

struct few__runtime_opts {
    const char *name;    // "onnx", "worker" or "replay"
    const char *library; // onnx: path of its shared library, and no other; NULL = where it is looked for
    int threads;         // onnx: of the one global pool; 0 = 1
    bool
        give_back; // onnx: working memory goes back to the system after each run (of sound: to the heap); slower, for
                   // memory budgets
    int64_t start_us;       // worker: time that one has to get ready, at load and after a restart; 0 = 60 s
    few__recall_fn *recall; // replay
    void *ud;               // of recall
};

/* Errors: FEW_EINVAL no backend of that name, threads above 256; FEW_ENOENT no library (the message lists every place
 * tried); FEW_EVERSION too old; FEW_ENOMEM. */
enum few_status few__runtime_open(const struct few__runtime_opts *opts, const struct few_env *env,
                                  struct few__runtime **runtime, struct few_error *err);
void few__runtime_close(struct few__runtime *runtime); // all runners must be gone

/* "ONNX Runtime 1.30.0 (/path/libonnxruntime.so.1.30.0)" */
const char *few__runtime_describe(const struct few__runtime *runtime);

/* Load a model and check it against its recipe: input name, type and shape (with recipe->batch above 1 its first dimension
 * must be free); output names, types and shapes. Several threads may load and unload at once.
 *
 * recipe, model     borrowed until unload
 * runner            out, owned: few__runner_unload
 * States and constants: their names, types and shapes too.
 * Errors: FEW_EINVAL a recipe for another backend; FEW_ENOENT no file; FEW_EBACKEND not a model; FEW_ESHAPE not as the manifest says (expected, found);
 *         FEW_ENOMEM. */
enum few_status few__runner_load(struct few__runtime *runtime, const struct few__recipe *recipe,
                                 const struct few_model *model, struct few__runner **runner,
                                 struct few_error *err);
void few__runner_unload(struct few__runner *runner);

/* What a run looks at. Memory that comes again with the same shape is bound once only. */
struct few__run_input {
    float *data;     // (product of dims,) borrowed until the run ends; text: NULL
    int64_t *tokens; // text: (product of dims,), else NULL
    size_t n_dims;   // images 4, sound and text 2
    int64_t dims[4]; // dims[0]: items of the batch, 1 .. recipe->batch
    bool
        first; // sound: the item's first window. States are zero before it, otherwise as the run before left them
};

/* Run. outputs: (FEW__OUTPUTS_MAX,) out, in the order of recipe->decode.outputs, first dimension = items of the batch
 * where that is above 1; borrowed until the next run. Allocates nothing of ours where the model declares its shapes.
 * Errors: FEW_ECANCELED few__runner_cancel was called; FEW_EBACKEND; FEW_ESHAPE. */
enum few_status few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                struct few__tensor *outputs, size_t *n_outputs, struct few_error *err);

/* Whether the runner gives whole outputs for an item it knows (replay) instead of tensors: then few__runner_answer takes
 * the place of few__runner_run, one item at a time. It takes as long as the model took then.
 * Errors: those of few__recall_fn; FEW_ECANCELED. */
bool few__runner_answers(const struct few__runner *runner);
enum few_status few__runner_answer(struct few__runner *runner, const char *digest, struct few__arena *arena,
                                   struct few_output *output, struct few_error *err);

/* Bytes that the model holds outside this process (a worker's), for all its runners together; 0 = none. */
uint64_t few__runner_bytes(const struct few__runner *runner);

/* From any thread: the run in flight ends soon with FEW_ECANCELED; without one, the next run does, until
 * few__runner_reset. */
void few__runner_cancel(struct few__runner *runner);
void few__runner_reset(struct few__runner *runner);

#endif
