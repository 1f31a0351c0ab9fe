// SPDX-License-Identifier: Apache-2.0
/* What lives as long as the workspace, and which models are loaded. Invariant: a model has a runner on every lane or on
 * none; the entries of a model change only while nothing runs it. */
#include "exec/workspace.h"

#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/process.h"
#include "exec/workspace_impl.h"

enum { ARENA_MAX = 512 << 20 }; // bytes of the outputs that one lane makes of one item, and of one window

/* ---- life ---- */

static const char *backend_of(const struct few__recipe *recipe)
{
    return recipe->backend ? recipe->backend : "onnx";
}

static struct few__runtime *find_runtime(const struct few__workspace *w, const char *name)
{
    for (size_t i = 0; i < w->n_runtimes; i++)
        if (strcmp(w->runtimes[i].name, name) == 0) return w->runtimes[i].runtime;
    return NULL;
}

static enum few_status open_runtimes(struct few__workspace *w, const struct few__runtime_opts *opts,
                                     struct few_error *err)
{
    for (size_t i = 0; i < w->zoo->catalog.n_models; i++) {
        struct few__runtime_opts named = *opts;
        named.name = backend_of(&w->zoo->recipes[i]);
        if (find_runtime(w, named.name)) continue;
        struct few__workspace_runtime *to = &w->runtimes[w->n_runtimes];
        FEW__TRY(few__runtime_open(&named, &w->zoo->env, &to->runtime, err));
        to->name = named.name;
        w->n_runtimes++;
    }
    return FEW_OK;
}

static enum few_status set_up_slot(struct few__workspace *w, struct few__workspace_slot *slot,
                                   struct few_error *err)
{
    const struct few_mem *mem = w->zoo->env.mem;
    slot->arenas = FEW__NEW_N(mem, struct few__arena, w->n_lanes);
    if (!slot->arenas) return few__no_memory(err, "workspace");
    for (size_t i = 0; i < w->n_lanes; i++) few__arena_init(&slot->arenas[i], mem, ARENA_MAX);
    if (w->gives_back) {
        slot->users = FEW__NEW_N(mem, size_t, w->zoo->catalog.n_models);
        if (!slot->users) return few__no_memory(err, "workspace");
    }
    return few__preprocess_create(&w->zoo->env, w->zoo->recipes, w->zoo->catalog.n_models, &slot->preprocess,
                                  err);
}

// The most bytes that the tensors of one batch take; 0 = no model has batches.
static size_t largest_batch(const struct few__workspace *w)
{
    size_t most = 0;
    for (size_t i = 0; i < w->zoo->catalog.n_models; i++) {
        size_t n_numbers, batch = few__workspace_batch(w, i);
        if (w->zoo->recipes[i].input.modality != FEW_IMAGE) continue;
        few__preprocess_buffer(w->slots[0].preprocess, i, &n_numbers);
        size_t bytes = batch * n_numbers * sizeof(float);
        if (batch > 1 && bytes > most) most = bytes;
    }
    return most;
}

// The most numbers of one input of that kind; 0 = no model looks at it.
static size_t largest_row(const struct few__workspace *w, enum few_modality modality)
{
    size_t most = 0;
    for (size_t i = 0; i < w->zoo->catalog.n_models; i++) {
        const struct few__input *input = &w->zoo->recipes[i].input;
        if (input->modality == modality && few__input_numbers(input) > most) most = few__input_numbers(input);
    }
    return most;
}

static enum few_status set_up_rows(struct few__workspace *w, struct few_error *err)
{
    const struct few_mem *mem = w->zoo->env.mem;
    size_t n = w->zoo->catalog.n_models, window = largest_row(w, FEW_SOUND),
           tokens = largest_row(w, FEW_TEXT);
    for (size_t i = 0; i < w->n_lanes; i++) {
        struct few__workspace_lane *lane = &w->lanes[i];
        if (window) lane->window = FEW__NEW_N(mem, float, window);
        if (tokens) lane->tokens = FEW__NEW_N(mem, int64_t, tokens);
        if ((window && !lane->window) || (tokens && !lane->tokens))
            return few__no_memory(err, "a window of sound");
    }
    if (!tokens) return FEW_OK;
    w->vocabularies = FEW__NEW_N(mem, struct few__vocabulary *, n);
    if (!w->vocabularies) return few__no_memory(err, "vocabularies");
    for (size_t i = 0; i < n; i++)
        if (w->zoo->recipes[i].input.modality == FEW_TEXT)
            FEW__TRY(few__vocabulary_create(&w->zoo->recipes[i].input.tokens, mem, &w->vocabularies[i], err));
    return FEW_OK;
}

static enum few_status set_up_lanes(struct few__workspace *w, struct few_error *err)
{
    size_t bytes = largest_batch(w);
    for (size_t i = 0; i < w->n_lanes; i++) {
        w->lanes[i].batch.mem = w->zoo->env.mem;
        few__arena_init(&w->lanes[i].answers, w->zoo->env.mem, ARENA_MAX);
        if (bytes == 0) continue;
        w->lanes[i].together = few__buffer_reserve(&w->lanes[i].batch, bytes);
        if (!w->lanes[i].together) return few__no_memory(err, "tensors of a batch");
    }
    return FEW_OK;
}

static enum few_status set_up(struct few__workspace *w, const struct few__runtime_opts *runtime,
                              struct few_error *err)
{
    const struct few_mem *mem = w->zoo->env.mem;
    size_t n = w->zoo->catalog.n_models;
    w->slots = FEW__NEW_N(mem, struct few__workspace_slot, w->n_slots);
    if (!w->slots) return few__no_memory(err, "workspace");
    for (size_t i = 0; i < w->n_slots; i++) pthread_mutex_init(&w->slots[i].lock, NULL);
    w->lanes = FEW__NEW_N(mem, struct few__workspace_lane, w->n_lanes);
    w->runtimes = FEW__NEW_N(mem, struct few__workspace_runtime, n);
    w->runners = FEW__NEW_N(mem, struct few__runner *, w->n_lanes * n);
    if (!w->lanes || !w->runtimes || !w->runners) return few__no_memory(err, "workspace");
    for (size_t i = 0; i < w->n_slots; i++) FEW__TRY(set_up_slot(w, &w->slots[i], err));
    FEW__TRY(set_up_lanes(w, err));
    FEW__TRY(set_up_rows(w, err));
    return open_runtimes(w, runtime, err);
}

enum few_status few__workspace_create(const struct few_zoo *zoo, const struct few__workspace_opts *opts,
                                      struct few__workspace **workspace, struct few_error *err)
{
    *workspace = NULL;
    size_t n_slots = opts->n_slots ? opts->n_slots : 1, n_lanes = opts->n_lanes ? opts->n_lanes : 1;
    if (n_slots > FEW__SLOTS_MAX || n_lanes > FEW__LANES_MAX)
        return few__fail(err, FEW_ELIMIT,
                         "workspace: expected at most %d items in flight and %d lanes, found %zu and %zu",
                         FEW__SLOTS_MAX, FEW__LANES_MAX, n_slots, n_lanes);
    struct few__workspace *w = FEW__NEW(zoo->env.mem, struct few__workspace);
    if (!w) return few__no_memory(err, "workspace");
    w->zoo = zoo;
    w->n_slots = n_slots;
    w->n_lanes = n_lanes;
    w->gives_back = opts->runtime.give_back;
    if (w->gives_back) few__heap_give_back();
    enum few_status status = set_up(w, &opts->runtime, err);
    if (status != FEW_OK) few__workspace_destroy(w);
    else *workspace = w;
    return status;
}

static void finish_slot(struct few__workspace *w, struct few__workspace_slot *slot)
{
    for (size_t i = 0; slot->arenas && i < w->n_lanes; i++) few__arena_finish(&slot->arenas[i]);
    few__free(w->zoo->env.mem, slot->arenas);
    few__free(w->zoo->env.mem, slot->users);
    few__preprocess_destroy(slot->preprocess);
    pthread_mutex_destroy(&slot->lock);
}

static void finish_lane(struct few__workspace *w, struct few__workspace_lane *lane)
{
    few__buffer_finish(&lane->batch);
    few__arena_finish(&lane->answers);
    few__free(w->zoo->env.mem, lane->window);
    few__free(w->zoo->env.mem, lane->tokens);
}

void few__workspace_destroy(struct few__workspace *w)
{
    if (!w) return;
    const struct few_mem *mem = w->zoo->env.mem;
    for (size_t i = 0; w->runners && i < w->zoo->catalog.n_models; i++) few__workspace_unload(w, i);
    for (size_t i = 0; i < w->n_runtimes; i++) few__runtime_close(w->runtimes[i].runtime);
    for (size_t i = 0; w->slots && i < w->n_slots; i++) finish_slot(w, &w->slots[i]);
    for (size_t i = 0; w->lanes && i < w->n_lanes; i++) finish_lane(w, &w->lanes[i]);
    for (size_t i = 0; w->vocabularies && i < w->zoo->catalog.n_models; i++)
        few__vocabulary_destroy(w->vocabularies[i]);
    few__free(mem, w->vocabularies);
    few__free(mem, w->slots);
    few__free(mem, w->lanes);
    few__free(mem, w->runtimes);
    few__free(mem, w->runners);
    few__free(mem, w);
}

/* ---- loading ---- */

enum few_status few__workspace_load(struct few__workspace *w, size_t model, struct few_error *err)
{
    if (*few__workspace_runner(w, 0, model)) return FEW_OK;
    const struct few__recipe *recipe = &w->zoo->recipes[model];
    struct few__runtime *runtime = find_runtime(w, backend_of(recipe));
    enum few_status status = FEW_OK;
    for (size_t lane = 0; lane < w->n_lanes && status == FEW_OK; lane++)
        status = few__runner_load(runtime, recipe, &w->zoo->catalog.models[model],
                                  few__workspace_runner(w, lane, model), err);
    if (status != FEW_OK) few__workspace_unload(w, model);
    else if (w->gives_back) few__heap_trim(); // reading a file takes more than what it leaves
    return status;
}

void few__workspace_unload(struct few__workspace *w, size_t model)
{
    for (size_t lane = 0; lane < w->n_lanes; lane++) {
        struct few__runner **runner = few__workspace_runner(w, lane, model);
        if (*runner) few__runner_unload(*runner);
        *runner = NULL;
    }
    if (w->gives_back) few__heap_trim();
}

/* ---- items ---- */

void few__workspace_begin(struct few__workspace *w, size_t slot, const struct few__parts *parts,
                          const char *digest)
{
    struct few__workspace_slot *of = &w->slots[slot];
    snprintf(of->digest, sizeof of->digest, "%s", digest ? digest : "");
    for (size_t lane = 0; lane < w->n_lanes; lane++) few__arena_reset(&of->arenas[lane]);
    atomic_store(&of->runtime_us, 0);
    of->parts = parts ? *parts : (struct few__parts){0};
    few__preprocess_begin(of->preprocess, of->parts.image);
}

int64_t few__workspace_runtime_us(const struct few__workspace *w, size_t slot)
{
    return atomic_load(&w->slots[slot].runtime_us);
}

struct few__preprocess *few__workspace_preprocess(struct few__workspace *w, size_t slot)
{
    return w->slots[slot].preprocess;
}

void few__workspace_cancel(struct few__workspace *w, size_t lane, size_t model)
{
    struct few__runner *runner = *few__workspace_runner(w, lane, model);
    if (runner) few__runner_cancel(runner);
}

void few__workspace_reset(struct few__workspace *w, size_t lane, size_t model)
{
    struct few__runner *runner = *few__workspace_runner(w, lane, model);
    if (runner) few__runner_reset(runner);
}
