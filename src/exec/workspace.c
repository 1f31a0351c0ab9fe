// SPDX-License-Identifier: Apache-2.0
#include "exec/workspace.h"

#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/process.h"
#include "model/pick.h"

enum { PROFILE_RUNS = 3, GREY = 128, GREY_WIDTH = 320, GREY_HEIGHT = 240 };

struct few__workspace {
    const struct few_zoo *zoo;
    struct few__preprocess *preprocess;
    struct few__runner **runners; // (n_models,)
    uint64_t *loaded_bytes;       // (n_models,) growth of the process when it was loaded
    int64_t runtime_us;           // inside few__runner_run; written by the lane, read between items
};

static enum few_status load(struct few__workspace *w, struct few__runtime *runtime, size_t i,
                            struct few_error *err)
{
    uint64_t before = few__resident_bytes();
    enum few_status status =
        few__runner_load(runtime, &w->zoo->recipes[i], &w->zoo->catalog.models[i], &w->runners[i], err);
    uint64_t after = few__resident_bytes();
    w->loaded_bytes[i] = after > before ? after - before : 0;
    return status;
}

enum few_status few__workspace_create(const struct few_zoo *zoo, struct few__runtime *runtime,
                                      struct few__workspace **workspace, struct few_error *err)
{
    *workspace = NULL;
    size_t n = zoo->catalog.n_models;
    struct few__workspace *w = FEW__NEW(zoo->env.mem, struct few__workspace);
    if (!w) return few__no_memory(err, "workspace");
    w->zoo = zoo;
    enum few_status status = few__preprocess_create(&zoo->env, zoo->recipes, n, &w->preprocess, err);
    if (status != FEW_OK) goto out;
    w->runners = FEW__NEW_N(zoo->env.mem, struct few__runner *, n);
    w->loaded_bytes = FEW__NEW_N(zoo->env.mem, uint64_t, n);
    if (!w->runners || !w->loaded_bytes) status = few__no_memory(err, "runners");
    for (size_t i = 0; i < n && status == FEW_OK; i++) status = load(w, runtime, i, err);
out:
    if (status != FEW_OK) few__workspace_destroy(w);
    else *workspace = w;
    return status;
}

void few__workspace_destroy(struct few__workspace *w)
{
    if (!w) return;
    for (size_t i = 0; w->runners && i < w->zoo->catalog.n_models; i++) few__runner_unload(w->runners[i]);
    few__preprocess_destroy(w->preprocess);
    few__free(w->zoo->env.mem, w->runners);
    few__free(w->zoo->env.mem, w->loaded_bytes);
    few__free(w->zoo->env.mem, w);
}

void few__workspace_begin(struct few__workspace *w, const struct few__image *image)
{
    few__preprocess_begin(w->preprocess, image);
}

struct few__preprocess *few__workspace_preprocess(struct few__workspace *w)
{
    return w->preprocess;
}

/* ---- one run ---- */

static enum few_status run_on_box(struct few__workspace *w, size_t model, const float *box,
                                  struct few__arena *arena, struct few_output *output, struct few_error *err)
{
    size_t n_numbers;
    struct few__run_input input = {.data = few__preprocess_buffer(w->preprocess, model, &n_numbers)};
    struct few__placement placement;
    struct few__tensor tensors[FEW__OUTPUTS_MAX];
    size_t n_tensors;
    FEW__TRY(few__preprocess_fill(w->preprocess, model, box, input.dims, &placement, err));
    int64_t start = few__now_us(&w->zoo->env);
    enum few_status status = few__runner_run(w->runners[model], &input, tensors, &n_tensors, err);
    w->runtime_us += few__now_us(&w->zoo->env) - start;
    if (status != FEW_OK) return status;
    return few__decode(&w->zoo->recipes[model], &w->zoo->catalog.models[model], tensors, n_tensors,
                       &placement, arena, output, err);
}

enum few_status few__workspace_run(struct few__workspace *w, size_t model, const struct few_output *need,
                                   struct few__arena *arena, struct few_output *output, struct few_error *err)
{
    const float *box = NULL;
    if (need) {
        const struct few__image *image = few__preprocess_image(w->preprocess);
        box = few__pick_box(need, w->zoo->recipes[model].input.pixels.pick, image->width, image->height);
        if (!box)
            return few__fail(err, FEW_EINVAL, "model '%s': its need has no box",
                             w->zoo->catalog.models[model].name);
    }
    return run_on_box(w, model, box, arena, output, err);
}

int64_t few__workspace_runtime_us(const struct few__workspace *w)
{
    return w->runtime_us;
}

void few__workspace_cancel(struct few__workspace *w, size_t model)
{
    few__runner_cancel(w->runners[model]);
}

void few__workspace_reset(struct few__workspace *w, size_t model)
{
    few__runner_reset(w->runners[model]);
}

/* ---- profile ---- */

static int64_t median3(int64_t a, int64_t b, int64_t c)
{
    int64_t low = a < b ? a : b, high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

static enum few_status profile_model(struct few__workspace *w, size_t model, const struct few__image *grey,
                                     struct few__arena *arena, struct few_cost *cost, struct few_error *err)
{
    static const float whole[4] = {0, 0, 1, 1};
    const float *box = w->zoo->recipes[model].input.pixels.needs >= 0 ? whole : NULL;
    uint64_t before = few__resident_bytes();
    int64_t took[PROFILE_RUNS + 1];
    for (int run = 0; run <= PROFILE_RUNS; run++) { // the first one only warms up
        struct few_output output;
        few__workspace_begin(w, grey); // so that every run pays for its own preprocessing
        few__arena_reset(arena);
        int64_t start = few__now_us(&w->zoo->env);
        FEW__TRY(run_on_box(w, model, box, arena, &output, err));
        took[run] = few__now_us(&w->zoo->env) - start;
    }
    uint64_t after = few__resident_bytes();
    cost->time_us = median3(took[1], took[2], took[3]);
    if (cost->time_us < 1) cost->time_us = 1;
    cost->memory_bytes = w->loaded_bytes[model] + (after > before ? after - before : 0);
    return FEW_OK;
}

enum few_status few__workspace_profile(struct few__workspace *w, struct few_cost *costs,
                                       struct few_error *err)
{
    uint8_t *plane = few__new(w->zoo->env.mem, (size_t)GREY_WIDTH * GREY_HEIGHT, 1);
    if (!plane) return few__no_memory(err, "grey image");
    memset(plane, GREY, (size_t)GREY_WIDTH * GREY_HEIGHT);
    const struct few__image grey = {GREY_WIDTH, GREY_HEIGHT, GREY_WIDTH, {plane, plane, plane}};
    struct few__arena arena;
    few__arena_init(&arena, w->zoo->env.mem, SIZE_MAX);
    enum few_status status = FEW_OK;
    for (size_t i = 0; i < w->zoo->catalog.n_models && status == FEW_OK; i++) {
        status = profile_model(w, i, &grey, &arena, &costs[i], err);
        if (status != FEW_OK) few__wrap(err, status, "model '%s'", w->zoo->catalog.models[i].name);
    }
    w->runtime_us = 0;
    few__arena_finish(&arena);
    few__free(w->zoo->env.mem, plane);
    return status;
}
