// SPDX-License-Identifier: Apache-2.0
/* Where models run: the loaded models with a runner on each lane, and for each item in flight its tensors and the
 * memory of its outputs. What is needed to run a model on an item:
 *     pixels -> tensor -> run -> decode
 *     sound -> windows, each of them run -> decode -> combine
 *     text -> tokens -> run -> decode
 *
 * Tensors belong to the item, so that each distinct one is made once whichever lane wants it first. */
#ifndef FEW_EXEC_WORKSPACE_H
#define FEW_EXEC_WORKSPACE_H

#include "backend/backend.h"
#include "media/parts.h"
#include "media/preprocess.h"
#include "model/manifest.h"

struct few__workspace;

struct few__workspace_opts {
    size_t n_slots, n_lanes; // items in flight, models that run at once
    struct few__runtime_opts
        runtime; // name is ignored: a runtime is opened for each backend that the zoo names
};

/* Opens the runtimes; loads nothing. zoo is borrowed until destroy.
 * Errors: those of few__runtime_open; FEW_ENOMEM. */
enum few_status few__workspace_create(const struct few_zoo *zoo, const struct few__workspace_opts *opts,
                                      struct few__workspace **workspace, struct few_error *err);
void few__workspace_destroy(struct few__workspace *workspace); // nothing may run

/* Load a model on every lane, or take it off them. Other models may run meanwhile, this one must not. Loading one that is
 * loaded, or unloading one that is not, does nothing. Errors: those of few__runner_load. */
enum few_status few__workspace_load(struct few__workspace *workspace, size_t model, struct few_error *err);
void few__workspace_unload(struct few__workspace *workspace, size_t model);

/* Load a model, run it on a grey image (a second of faint noise, a short text) until it is warm, time and measure it; it
 * stays loaded. Nothing else may run.
 * cost: out, all of it: times (more_us where its recipe has a batch), weights as what the process (and a worker) holds
 * after loading and the first run, memory as the most while it ran.
 * Errors: those of load and run, with the model's name; FEW_ELIMIT it took longer than its recipe's timeout. */
enum few_status few__workspace_profile(struct few__workspace *workspace, size_t model, struct few_cost *cost,
                                       struct few_error *err);

/* The next item of a slot: its outputs before are forgotten. parts are copied, what they point at is borrowed until the
 * slot's next begin, as is digest; parts: NULL = nothing, digest: "" = not known. Any thread, while nothing runs on the
 * slot. */
void few__workspace_begin(struct few__workspace *workspace, size_t slot, const struct few__parts *parts,
                          const char *digest);

/* One item of a run. */
struct few__work {
    size_t slot;
    const struct few_output *need; // the output of the model's need, not empty; NULL where it has none
    struct few_output *output;     // out; its arrays live until the slot's next begin
    enum few_status status;        // out: FEW_OK, or why this item has none
    struct few_error error;        // out
};

/* Run a loaded model on `lane` over n items at once (n <= its recipe's batch). Returns when it has ended; what became of
 * each item is in its work. One thread for each lane. status: FEW_ECANCELED; FEW_EBACKEND; FEW_ESHAPE; FEW_EDECODE;
 * FEW_ENOMEM. */
void few__workspace_run(struct few__workspace *workspace, size_t lane, size_t model, struct few__work *work,
                        size_t n);

/* From any thread: see few__runner_cancel, few__runner_reset. */
void few__workspace_cancel(struct few__workspace *workspace, size_t lane, size_t model);
void few__workspace_reset(struct few__workspace *workspace, size_t lane, size_t model);

/* Time that a slot's item has spent inside the runtimes. */
int64_t few__workspace_runtime_us(const struct few__workspace *workspace, size_t slot);

/* The slot's preprocessing, for thumbnails; only while nothing runs on it. */
struct few__preprocess *few__workspace_preprocess(struct few__workspace *workspace, size_t slot);

#endif
