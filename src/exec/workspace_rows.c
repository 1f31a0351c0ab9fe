// SPDX-License-Identifier: Apache-2.0
/* Runs of models that look at sound or text. Sound goes through the model window after window, in order and on one lane,
 * so that its states pass from each to the next; the answers are made one. A run that is cancelled ends between two
 * windows at the latest. Text is one run.
 *
 * The memory of a window, of its tokens and of its answer is the lane's and is used again. */
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/process.h"
#include "exec/workspace_impl.h"
#include "media/sound_window.h"
#include "model/combine.h"

struct row_run {
    struct few__workspace *w;
    struct few__workspace_lane *lane;
    const struct few__recipe *recipe;
    const struct few_model *about;
    struct few__runner *runner;
    struct few__workspace_slot *slot;
    struct few_error *err;
};

// One run of what lies in the lane's memory, decoded into that arena.
static enum few_status run_once(const struct row_run *run, const struct few__run_input *input,
                                struct few__arena *arena, struct few_output *output)
{
    static const struct few__placement nowhere = {0};
    struct few__tensor tensors[FEW__OUTPUTS_MAX];
    size_t n_tensors;
    int64_t start = few__now_us(&run->w->zoo->env);
    enum few_status status = few__runner_run(run->runner, input, tensors, &n_tensors, run->err);
    atomic_fetch_add(&run->slot->runtime_us, few__now_us(&run->w->zoo->env) - start);
    if (status != FEW_OK) return status;
    run->lane->tensor_bytes = (size_t)input->dims[1] * (input->tokens ? sizeof(int64_t) : sizeof(float));
    for (size_t t = 0; t < n_tensors; t++) run->lane->tensor_bytes += tensors[t].n * sizeof(float);
    return few__decode(run->recipe, run->about, tensors, n_tensors, &nowhere, arena, output, run->err);
}

static enum few_status run_sound(const struct row_run *run, struct few__arena *arena,
                                 struct few_output *output)
{
    const struct few__window *window = &run->recipe->input.window;
    const struct few__sound *sound = few__parts_sound(&run->slot->parts, window->rate);
    if (!sound)
        return few__fail(run->err, FEW_EINVAL,
                         "model '%s': expected sound of %d samples a second, found none", run->about->name,
                         window->rate);
    struct few__run_input input = {.data = run->lane->window,
                                   .n_dims = 2,
                                   .dims = {1, (int64_t)few__input_numbers(&run->recipe->input)}};
    struct few__combined combined;
    enum few_status status = FEW_OK;
    few__combine_begin(&combined, run->recipe->combine, run->about->kind, arena);
    size_t n = few__window_count(window, sound->n);
    for (size_t k = 0; k < n && status == FEW_OK; k++) {
        struct few_output answer;
        few__arena_reset(&run->lane->answers);
        few__window_fill(window, sound, k, run->lane->window);
        input.first = k == 0;
        status = run_once(run, &input, &run->lane->answers, &answer);
        if (status == FEW_OK) status = few__combine_add(&combined, &answer, run->err);
    }
    if (run->w->gives_back) few__heap_trim();
    if (status == FEW_OK) few__combine_end(&combined, output);
    return status;
}

static enum few_status run_text(const struct row_run *run, size_t model, struct few__arena *arena,
                                struct few_output *output)
{
    if (!run->slot->parts.text)
        return few__fail(run->err, FEW_EINVAL, "model '%s': expected text, found none", run->about->name);
    few__vocabulary_fill(run->w->vocabularies[model], run->slot->parts.text, run->lane->tokens);
    const struct few__run_input input = {.tokens = run->lane->tokens,
                                         .n_dims = 2,
                                         .dims = {1, (int64_t)run->recipe->input.tokens.length},
                                         .first = true};
    return run_once(run, &input, arena, output);
}

void few__workspace_run_row(struct few__workspace *w, size_t lane, size_t model, struct few__work *work)
{
    struct few__workspace_slot *slot = &w->slots[work->slot];
    const struct row_run run = {.w = w,
                                .lane = &w->lanes[lane],
                                .recipe = &w->zoo->recipes[model],
                                .about = &w->zoo->catalog.models[model],
                                .runner = *few__workspace_runner(w, lane, model),
                                .slot = slot,
                                .err = &work->error};
    struct few__arena *arena = &slot->arenas[lane];
    work->status = run.recipe->input.modality == FEW_SOUND ? run_sound(&run, arena, work->output)
                                                           : run_text(&run, model, arena, work->output);
}
