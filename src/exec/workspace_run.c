// SPDX-License-Identifier: Apache-2.0
/* One run: tensors of its items -> one batch for each shape -> outputs of each item. What goes wrong with one item
 * before the run leaves the others alone. Sound and text are workspace_rows.c. */
#include <assert.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "exec/workspace_impl.h"
#include "model/pick.h"

// What the functions below have in common.
struct run {
    struct few__workspace *w;
    struct few__workspace_lane *lane;
    size_t i_lane, model;
    const struct few__recipe *recipe;
    const struct few_model *about;
    struct few__runner *runner;
    struct few__work *work;
    size_t n;
};

static void note_time(struct few__workspace *w, size_t slot, int64_t us)
{
    atomic_fetch_add(&w->slots[slot].runtime_us, us);
}

/* ---- the tensor of an item ---- */

static enum few_status find_box(const struct run *run, const struct few__work *work, const float **box,
                                struct few_error *err)
{
    *box = NULL;
    if (!work->need) return FEW_OK;
    const struct few__image *image = few__preprocess_image(run->w->slots[work->slot].preprocess);
    if (image) *box = few__pick_box(work->need, run->recipe->input.pixels.pick, image->width, image->height);
    return *box ? FEW_OK : few__fail(err, FEW_EINVAL, "model '%s': its need has no box", run->about->name);
}

static enum few_status prepare(const struct run *run, size_t i, struct few_error *err)
{
    struct few__work *work = &run->work[i];
    struct few__workspace_part *part = &run->lane->parts[i];
    struct few__workspace_slot *slot = &run->w->slots[work->slot];
    const float *box;
    size_t n_numbers;
    FEW__TRY(find_box(run, work, &box, err));
    pthread_mutex_lock(&slot->lock);
    enum few_status status =
        few__preprocess_fill(slot->preprocess, run->model, box, part->dims, &part->placement, err);
    part->data = few__preprocess_buffer(slot->preprocess, run->model, &n_numbers);
    if (status == FEW_OK && slot->users) slot->users[run->recipe->input.i_tensor]++;
    pthread_mutex_unlock(&slot->lock);
    return status;
}

// The tensor is not looked at any more. Where a budget wants it, the last one to look gives its memory back.
static void let_go(const struct run *run, size_t i)
{
    struct few__workspace_slot *slot = &run->w->slots[run->work[i].slot];
    if (!slot->users) return;
    pthread_mutex_lock(&slot->lock);
    if (--slot->users[run->recipe->input.i_tensor] == 0)
        few__preprocess_release(slot->preprocess, run->model);
    pthread_mutex_unlock(&slot->lock);
}

/* ---- a group of one shape ---- */

// The parts that wait and look like the first of them; returns how many, 0 = none waits.
static size_t find_group(const struct run *run)
{
    struct few__workspace_part *parts = run->lane->parts;
    size_t n = 0;
    for (size_t i = 0; i < run->n; i++) {
        if (!parts[i].waits) continue;
        if (n && memcmp(parts[i].dims, parts[run->lane->group[0]].dims, sizeof parts[i].dims) != 0) continue;
        parts[i].waits = false;
        run->lane->group[n++] = i;
    }
    return n;
}

static struct few__run_input gather(const struct run *run, size_t n)
{
    const struct few__workspace_part *first = &run->lane->parts[run->lane->group[0]];
    struct few__run_input input = {.data = first->data, .n_dims = 4};
    memcpy(input.dims, first->dims, sizeof input.dims);
    size_t numbers = (size_t)(input.dims[1] * input.dims[2] * input.dims[3]);
    run->lane->tensor_bytes = n * numbers * sizeof(float);
    if (n == 1) return input;
    input.data = run->lane->together;
    input.dims[0] = (int64_t)n;
    for (size_t k = 0; k < n; k++)
        memcpy(input.data + k * numbers, run->lane->parts[run->lane->group[k]].data, numbers * sizeof(float));
    return input;
}

// The share of the k-th of n items in the outputs of a batch.
static enum few_status split(const struct run *run, const struct few__tensor *all, size_t n_tensors, size_t k,
                             size_t n, struct few__tensor *one, struct few_error *err)
{
    for (size_t t = 0; t < n_tensors; t++) {
        one[t] = all[t];
        if (n == 1) continue;
        if (all[t].n_dims == 0 || all[t].dims[0] != (int64_t)n)
            return few__fail(err, FEW_ESHAPE,
                             "model '%s': output %zu: expected a first dimension of %zu items, found %lld",
                             run->about->name, t, n, all[t].n_dims ? (long long)all[t].dims[0] : 0LL);
        one[t].dims[0] = 1;
        one[t].n = all[t].n / n;
        one[t].data = all[t].data + k * one[t].n;
    }
    return FEW_OK;
}

static enum few_status decode(const struct run *run, const struct few__tensor *all, size_t n_tensors,
                              size_t k, size_t n)
{
    size_t i = run->lane->group[k];
    struct few__work *work = &run->work[i];
    struct few__tensor one[FEW__OUTPUTS_MAX];
    FEW__TRY(split(run, all, n_tensors, k, n, one, &work->error));
    return few__decode(run->recipe, run->about, one, n_tensors, &run->lane->parts[i].placement,
                       &run->w->slots[work->slot].arenas[run->i_lane], work->output, &work->error);
}

static void run_group(const struct run *run, size_t n)
{
    struct few__tensor tensors[FEW__OUTPUTS_MAX];
    size_t n_tensors;
    struct few_error err = {.message = ""};
    const struct few__run_input input = gather(run, n);
    int64_t start = few__now_us(&run->w->zoo->env);
    enum few_status status = few__runner_run(run->runner, &input, tensors, &n_tensors, &err);
    int64_t took = few__now_us(&run->w->zoo->env) - start;
    for (size_t k = 0; k < n; k++) let_go(run, run->lane->group[k]);
    for (size_t t = 0; status == FEW_OK && t < n_tensors; t++)
        run->lane->tensor_bytes += tensors[t].n * sizeof(float);
    for (size_t k = 0; k < n; k++) {
        struct few__work *work = &run->work[run->lane->group[k]];
        // Shares whose sum is the whole.
        note_time(run->w, work->slot, took * (int64_t)(k + 1) / (int64_t)n - took * (int64_t)k / (int64_t)n);
        if (status == FEW_OK) {
            work->status = decode(run, tensors, n_tensors, k, n);
        } else {
            work->status = status;
            work->error = err;
        }
    }
}

/* ---- one run ---- */

// A backend that gives whole outputs needs no pixels.
static void answer(const struct run *run, struct few__work *work)
{
    struct few__workspace_slot *slot = &run->w->slots[work->slot];
    int64_t start = few__now_us(&run->w->zoo->env);
    work->status =
        few__runner_answer(run->runner, slot->digest, &slot->arenas[run->i_lane], work->output, &work->error);
    note_time(run->w, work->slot, few__now_us(&run->w->zoo->env) - start);
}

void few__workspace_run(struct few__workspace *w, size_t lane, size_t model, struct few__work *work, size_t n)
{
    const struct run run = {.w = w,
                            .lane = &w->lanes[lane],
                            .i_lane = lane,
                            .model = model,
                            .recipe = &w->zoo->recipes[model],
                            .about = &w->zoo->catalog.models[model],
                            .runner = *few__workspace_runner(w, lane, model),
                            .work = work,
                            .n = n};
    assert(n <= few__workspace_batch(w, model));
    bool answers = run.runner && few__runner_answers(run.runner);
    bool is_row = run.recipe->input.modality != FEW_IMAGE;
    for (size_t i = 0; i < n; i++) {
        work[i].error = (struct few_error){.message = ""};
        if (!run.runner)
            work[i].status =
                few__fail(&work[i].error, FEW_EINVAL, "model '%s' is not loaded", run.about->name);
        else if (answers) answer(&run, &work[i]);
        else if (is_row) few__workspace_run_row(w, lane, model, &work[i]);
        else work[i].status = prepare(&run, i, &work[i].error);
        run.lane->parts[i].waits = !answers && !is_row && work[i].status == FEW_OK;
    }
    for (size_t in_group; (in_group = find_group(&run)) > 0;) run_group(&run, in_group);
}
