// SPDX-License-Identifier: Apache-2.0
/* What a model takes: time as the median of three runs on grey images (a second of faint noise, a short text), memory as
 * what the process grows by.
 *
 *     resident:  before | load, first run | after = weights | three runs, peak = working memory
 *
 * Reading a file may take more for a moment than running the model; then that is its working memory.
 *
 * Tensors that stay are made before, so that the first model that wants one is not charged for it; tensors that go back
 * after each run are working memory. A thread that watches ends a run that takes too long. */
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/process.h"
#include "core/rng.h"
#include "exec/watchdog.h"
#include "exec/workspace_impl.h"

enum { PROFILE_RUNS = 3, GREY = 128, GREY_WIDTH = 320, GREY_HEIGHT = 240, SOUND_S = 1 };

static const double NOISE = 0.01; // of the loudest

struct profile {
    struct few__workspace *w;
    size_t model;
    struct few__watchdog *watchdog;
    uint8_t *plane; // (GREY_HEIGHT, GREY_WIDTH)
    struct few__image grey;
    float *samples;          // of a model of sound: SOUND_S of it
    struct few__parts parts; // the item
    struct few_output need;  // the whole image
    bool has_need;
    struct few__work work[FEW__BATCH_MAX];
    struct few_output outputs[FEW__BATCH_MAX];
};

static uint64_t growth(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static int64_t median3(const int64_t t[3])
{
    int64_t low = t[0] < t[1] ? t[0] : t[1], high = t[0] < t[1] ? t[1] : t[0];
    return t[2] < low ? low : t[2] > high ? high : t[2];
}

static void end_run(void *ud)
{
    const struct profile *p = ud;
    few__workspace_cancel(p->w, 0, p->model);
}

static enum few_status took_too_long(const struct profile *p, struct few_error *err)
{
    char span[FEW__SPAN_TEXT];
    few__workspace_reset(p->w, 0, p->model);
    return few__fail(err, FEW_ELIMIT, "took longer than %s",
                     few__span_text(p->w->zoo->recipes[p->model].timeout_us, span));
}

/* Run on n such items. Each begins anew, so that every run pays for its own preprocessing. */
static enum few_status run_once(struct profile *p, size_t n, int64_t *took_us, struct few_error *err)
{
    const struct few_env *env = &p->w->zoo->env;
    for (size_t i = 0; i < n; i++) {
        few__workspace_begin(p->w, i, &p->parts, "");
        p->work[i] =
            (struct few__work){.slot = i, .need = p->has_need ? &p->need : NULL, .output = &p->outputs[i]};
    }
    few__watchdog_begin(p->watchdog, p->w->zoo->recipes[p->model].timeout_us);
    int64_t start = few__now_us(env);
    few__workspace_run(p->w, 0, p->model, p->work, n);
    *took_us = few__now_us(env) - start;
    if (few__watchdog_end(p->watchdog)) return took_too_long(p, err);
    for (size_t i = 0; i < n; i++) {
        if (p->work[i].status == FEW_OK) continue;
        if (err) *err = p->work[i].error;
        return p->work[i].status;
    }
    return FEW_OK;
}

/* The median of three runs, at least 1 us. */
static enum few_status time_runs(struct profile *p, size_t n, int64_t *time_us, struct few_error *err)
{
    int64_t took[PROFILE_RUNS];
    for (size_t run = 0; run < PROFILE_RUNS; run++) FEW__TRY(run_once(p, n, &took[run], err));
    *time_us = median3(took);
    if (*time_us < 1) *time_us = 1;
    return FEW_OK;
}

static enum few_status time_batch(struct profile *p, struct few_cost *cost, struct few_error *err)
{
    size_t n = few__workspace_batch(p->w, p->model);
    if (n > p->w->n_slots) n = p->w->n_slots;
    if (n < 2) return FEW_OK;
    int64_t warm_up, all;
    FEW__TRY(run_once(p, n, &warm_up, err));
    FEW__TRY(time_runs(p, n, &all, err));
    cost->more_us = (all - cost->time_us) / (int64_t)(n - 1);
    if (cost->more_us < 1) cost->more_us = 1;
    return FEW_OK;
}

static enum few_status make_tensors(struct profile *p, struct few_error *err)
{
    int64_t dims[4];
    struct few__placement placement;
    few__workspace_begin(p->w, 0, &p->parts, "");
    if (p->w->zoo->recipes[p->model].input.modality != FEW_IMAGE) return FEW_OK;
    return few__preprocess_fill(p->w->slots[0].preprocess, p->model, p->has_need ? p->need.values : NULL,
                                dims, &placement, err);
}

// A replay has nothing to measure: what the zoo says is what its models took when they ran.
static void take_declared(const struct profile *p, struct few_cost *cost)
{
    int64_t load_us = cost->load_us;
    *cost = p->w->zoo->catalog.models[p->model].cost;
    cost->load_us = load_us;
    if (cost->time_us < 1) cost->time_us = 1;
}

static enum few_status measure(struct profile *p, struct few_cost *cost, struct few_error *err)
{
    const struct few_env *env = &p->w->zoo->env;
    *cost = (struct few_cost){0};
    if (!p->w->gives_back) FEW__TRY(make_tensors(p, err));
    few__heap_trim();
    few__resident_peak_reset();
    uint64_t before = few__resident_bytes(), old_peak = few__resident_peak_bytes();
    int64_t start = few__now_us(env), warm_up;
    FEW__TRY(few__workspace_load(p->w, p->model, err));
    cost->load_us = few__now_us(env) - start;
    uint64_t loading = growth(larger(before, old_peak), few__resident_peak_bytes());
    const struct few__runner *runner = *few__workspace_runner(p->w, 0, p->model);
    if (few__runner_answers(runner)) {
        take_declared(p, cost);
        return FEW_OK;
    }
    FEW__TRY(run_once(p, 1, &warm_up, err));
    few__heap_trim();
    cost->weights_bytes = growth(before, few__resident_bytes()) + few__runner_bytes(runner);

    few__resident_peak_reset();
    // Where the kernel refuses the reset, only what is above the old peak is known.
    uint64_t resident = few__resident_bytes();
    old_peak = few__resident_peak_bytes();
    FEW__TRY(time_runs(p, 1, &cost->time_us, err));
    uint64_t working = growth(larger(resident, old_peak), few__resident_peak_bytes());
    working = larger(working, p->w->lanes[0].tensor_bytes);
    cost->memory_bytes = larger(cost->weights_bytes + working, loading);
    return time_batch(p, cost, err);
}

static enum few_status make_grey(struct profile *p, struct few_error *err)
{
    p->plane = few__new(p->w->zoo->env.mem, (size_t)GREY_WIDTH * GREY_HEIGHT, 1);
    if (!p->plane) return few__no_memory(err, "grey image");
    memset(p->plane, GREY, (size_t)GREY_WIDTH * GREY_HEIGHT);
    p->grey = (struct few__image){GREY_WIDTH, GREY_HEIGHT, GREY_WIDTH, {p->plane, p->plane, p->plane}};
    p->parts.image = &p->grey;
    return FEW_OK;
}

static enum few_status make_noise(struct profile *p, int rate, struct few_error *err)
{
    size_t n = (size_t)rate * SOUND_S;
    struct few__rng rng;
    p->samples = FEW__NEW_N(p->w->zoo->env.mem, float, n);
    if (!p->samples) return few__no_memory(err, "noise");
    few__rng_init(&rng, 0, 0);
    for (size_t i = 0; i < n; i++) p->samples[i] = (float)(NOISE * (2 * few__rng_unit(&rng) - 1));
    p->parts.sounds[p->parts.n_sounds++] = (struct few__sound){.rate = rate, .n = n, .samples = p->samples};
    return FEW_OK;
}

// Something of the kind that the model looks at.
static enum few_status make_item(struct profile *p, struct few_error *err)
{
    const struct few__input *input = &p->w->zoo->recipes[p->model].input;
    switch (input->modality) {
    case FEW_SOUND: return make_noise(p, input->window.rate, err);
    case FEW_TEXT: p->parts.text = "a dog and a cat in front of a door"; return FEW_OK;
    case FEW_IMAGE:
    case FEW_MODALITY_COUNT: break;
    }
    return make_grey(p, err);
}

static enum few_status set_up(struct profile *p, struct few__workspace *w, size_t model,
                              struct few_error *err)
{
    static float whole[4] = {0, 0, 1, 1};
    p->w = w;
    p->model = model;
    p->has_need = w->zoo->recipes[model].input.pixels.needs >= 0;
    p->need = (struct few_output){.kind = FEW_BOX, .confidence = 1, .n = 4, .values = whole};
    FEW__TRY(make_item(p, err));
    return few__watchdog_start(&w->zoo->env, end_run, p, &p->watchdog, err);
}

enum few_status few__workspace_profile(struct few__workspace *w, size_t model, struct few_cost *cost,
                                       struct few_error *err)
{
    static const char named[] = "model '";
    struct few_error why = {.message = ""};
    const struct few_mem *mem = w->zoo->env.mem;
    struct profile *p = FEW__NEW(mem, struct profile);
    if (!p) return few__no_memory(err, "profile");
    few__workspace_unload(w, model);
    enum few_status status = set_up(p, w, model, &why);
    if (status == FEW_OK) status = measure(p, cost, &why);
    few__watchdog_stop(p->watchdog);
    for (size_t i = 0; i < w->n_slots; i++) few__workspace_begin(w, i, NULL, ""); // the item goes
    few__free(mem, p->plane);
    few__free(mem, p->samples);
    few__free(mem, p);
    if (status == FEW_OK) return FEW_OK;
    few__workspace_unload(w, model);
    if (err) *err = why;
    if (strncmp(why.message, named, sizeof named - 1) == 0) return status;
    return few__wrap(err, status, "model '%s'", w->zoo->catalog.models[model].name);
}
