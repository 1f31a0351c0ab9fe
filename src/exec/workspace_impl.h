// SPDX-License-Identifier: Apache-2.0
// What the files of the workspace share: workspace (life, loading), workspace_run above workspace_rows, workspace_profile.
#ifndef FEW_EXEC_WORKSPACE_IMPL_H
#define FEW_EXEC_WORKSPACE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "core/mem.h"
#include "exec/exec.h"
#include "exec/workspace.h"
#include "media/buffer.h"
#include "media/text_tokens.h"

// An item in flight. `lock` is held while tensors are made, and while they are given back where a budget wants that; in
// between they are only read.
struct few__workspace_slot {
    struct few__preprocess *preprocess;
    pthread_mutex_t lock;
    size_t *users; // (n_models,) by i_tensor: runs that look at the tensor now; NULL = tensors are kept
    struct few__arena *arenas; // (n_lanes,) outputs of the item: one each, so that lanes decode side by side
    struct few__parts parts;   // of the item
    char digest[65];           // of the item, "" = not known
    atomic_int_least64_t runtime_us; // inside the runtimes
};

// One item of a run, ready for it.
struct few__workspace_part {
    bool waits; // has its tensor, was not run yet
    float *data;
    int64_t dims[4];
    struct few__placement placement;
};

// A lane: what only its own thread touches.
struct few__workspace_lane {
    struct few__workspace_part parts[FEW__BATCH_MAX];
    size_t group[FEW__BATCH_MAX]; // parts of the same shape, which go into one run
    struct few__buffer batch;     // memory of `together`
    float *together; // their tensors side by side; room for the largest batch, NULL = no model has batches
    float *window;   // room for the largest window with its context; NULL = no model looks at sound
    int64_t *tokens; // room for the longest text; NULL = no model looks at text
    struct few__arena answers; // of one window
    size_t tensor_bytes;       // of the last run: its input and outputs
};

struct few__workspace_runtime {
    const char *name;
    struct few__runtime *runtime;
};

struct few__workspace {
    const struct few_zoo *zoo;
    size_t n_slots, n_lanes;
    bool gives_back;                         // working memory goes back to the system after each run
    struct few__workspace_slot *slots;       // (n_slots,)
    struct few__workspace_lane *lanes;       // (n_lanes,)
    struct few__workspace_runtime *runtimes; // (n_models,) room, n_runtimes are open
    size_t n_runtimes;
    struct few__runner **runners;          // (n_lanes, n_models); NULL = not loaded
    struct few__vocabulary **vocabularies; // (n_models,); NULL = not of text
};

static inline struct few__runner **few__workspace_runner(const struct few__workspace *w, size_t lane,
                                                         size_t model)
{
    return &w->runners[lane * w->zoo->catalog.n_models + model];
}

/* workspace_rows.c: run a loaded model of sound or text on an item whose work->error is empty. */
void few__workspace_run_row(struct few__workspace *w, size_t lane, size_t model, struct few__work *work);

/* Items of the model that one run may take: at least 1. */
static inline size_t few__workspace_batch(const struct few__workspace *w, size_t model)
{
    size_t batch = w->zoo->recipes[model].batch;
    return batch < 1 ? 1 : batch > FEW__BATCH_MAX ? FEW__BATCH_MAX : batch;
}

#endif
