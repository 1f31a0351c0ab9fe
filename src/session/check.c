// SPDX-License-Identifier: Apache-2.0
/* Profiles a zoo: each model alone in the process, on random input, unloaded before the next one. Times are of the
 * runtime alone (no preprocessing; of sound, of one window), so that they compare with other people's tables. */
#include <fewer/check.h>

#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "core/env.h"
#include "core/error.h"
#include "core/process.h"
#include "core/rng.h"
#include "model/manifest.h"

enum { RUNS_DEFAULT = 10, RUNS_MAX = 1000, WARM_UP = 3 };

static const double NOISE = 0.01; // of the loudest

struct checker {
    const struct few_zoo *zoo;
    struct few__runtime_opts runtime;
    unsigned runs;
    uint64_t seed;
    float *input;    // as large as the largest input of the zoo
    int64_t *tokens; // the same for text
    double took_ms[RUNS_MAX];
};

static size_t largest_input(const struct few_zoo *zoo)
{
    size_t most = 1;
    for (size_t i = 0; i < zoo->catalog.n_models; i++) {
        size_t n = few__input_numbers(&zoo->recipes[i].input);
        if (n > most) most = n;
    }
    return most;
}

/* Numbers in the range that the model's own normalisation gives, faint noise, words of the vocabulary. */
static void fill_random(const struct checker *c, size_t model, struct few__run_input *run)
{
    const struct few__input *input = &c->zoo->recipes[model].input;
    const size_t n = few__input_numbers(input), n_words = input->tokens.n_names ? input->tokens.n_names : 1;
    struct few__rng rng;
    few__rng_init(&rng, c->seed, model);
    *run = (struct few__run_input){.data = c->input, .n_dims = 2, .dims = {1, (int64_t)n}, .first = true};
    if (input->modality == FEW_TEXT) {
        run->data = NULL;
        run->tokens = c->tokens;
        for (size_t i = 0; i < n; i++) c->tokens[i] = (int64_t)few__rng_below(&rng, n_words);
        return;
    }
    if (input->modality == FEW_SOUND) {
        for (size_t i = 0; i < n; i++) c->input[i] = (float)(NOISE * (2 * few__rng_unit(&rng) - 1));
        return;
    }
    run->n_dims = 4;
    few__input_dims(input, input->pixels.width, run->dims);
    for (size_t i = 0; i < n; i++)
        c->input[i] = (float)((255 * few__rng_unit(&rng) - (double)input->mean[0]) / (double)input->std[0]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static enum few_status time_runs(struct checker *c, struct few__runner *runner,
                                 const struct few__run_input *input, struct few_profile *profile,
                                 struct few_error *err)
{
    struct few__tensor outputs[FEW__OUTPUTS_MAX];
    size_t n_outputs;
    for (unsigned i = 0; i < WARM_UP; i++) FEW__TRY(few__runner_run(runner, input, outputs, &n_outputs, err));
    for (unsigned i = 0; i < c->runs; i++) {
        int64_t start = few__now_us(&c->zoo->env);
        FEW__TRY(few__runner_run(runner, input, outputs, &n_outputs, err));
        c->took_ms[i] = (double)(few__now_us(&c->zoo->env) - start) / 1000;
    }
    qsort(c->took_ms, c->runs, sizeof *c->took_ms, compare);
    profile->run_ms = c->took_ms[c->runs / 2];
    profile->run_p90_ms = c->took_ms[(c->runs - 1) * 9 / 10];
    return FEW_OK;
}

static uint64_t growth(uint64_t before, uint64_t after)
{
    return after > before ? after - before : 0;
}

static enum few_status profile_loaded(struct checker *c, size_t model, struct few__runtime *runtime,
                                      struct few_profile *profile, struct few_error *err)
{
    struct few__runner *runner;
    struct few__run_input input;
    fill_random(c, model, &input);
    few__resident_peak_reset();
    uint64_t before = few__resident_bytes();
    int64_t start = few__now_us(&c->zoo->env);
    FEW__TRY(
        few__runner_load(runtime, &c->zoo->recipes[model], &c->zoo->catalog.models[model], &runner, err));
    profile->load_ms = (double)(few__now_us(&c->zoo->env) - start) / 1000;
    profile->loaded_bytes = growth(before, few__resident_bytes()) + few__runner_bytes(runner);
    enum few_status status = time_runs(c, runner, &input, profile, err);
    profile->peak_bytes = growth(before, few__resident_peak_bytes()) + few__runner_bytes(runner);
    few__runner_unload(runner);
    return status;
}

static enum few_status open_runtime(const struct checker *c, const char *backend,
                                    struct few__runtime **runtime, struct few_error *err)
{
    struct few__runtime_opts opts = c->runtime;
    opts.name = backend;
    return few__runtime_open(&opts, &c->zoo->env, runtime, err);
}

// A runtime of its own for each model: memory that a runtime keeps for the next model would hide what this one takes.
static enum few_status profile_model(struct checker *c, size_t model, struct few_profile *profile,
                                     struct few_error *err)
{
    struct few__runtime *runtime;
    FEW__TRY(open_runtime(c, c->zoo->recipes[model].backend, &runtime, err));
    few__heap_trim();
    enum few_status status = profile_loaded(c, model, runtime, profile, err);
    few__runtime_close(runtime);
    return status;
}

// Without ONNX Runtime there is one thing to say, not one for each model that needs it.
static enum few_status try_runtime(const struct checker *c, struct few_error *err)
{
    struct few__runtime *runtime;
    size_t i = 0, n = c->zoo->catalog.n_models;
    while (i < n && strcmp(c->zoo->recipes[i].backend, "onnx") != 0) i++;
    if (i == n) return FEW_OK;
    FEW__TRY(open_runtime(c, "onnx", &runtime, err));
    few__runtime_close(runtime);
    return FEW_OK;
}

static enum few_status check_models(struct checker *c, few_profile_fn fn, void *ud, struct few_error *err)
{
    size_t n = c->zoo->catalog.n_models, failed = 0;
    for (size_t i = 0; i < n; i++) {
        struct few_error model_err = {.message = ""};
        struct few_profile profile = {.message = model_err.message};
        profile.status = profile_model(c, i, &profile, &model_err);
        failed += profile.status != FEW_OK;
        fn(ud, i, &profile);
    }
    return failed ? few__fail(err, FEW_EBACKEND, "%zu of %zu models cannot be used", failed, n) : FEW_OK;
}

enum few_status few_check(const struct few_zoo *zoo, const struct few_check_opts *opts, few_profile_fn fn,
                          void *ud, struct few_error *err)
{
    const struct few_check_opts defaults = {.size = sizeof defaults};
    if (!opts) opts = &defaults;
    if (opts->size != sizeof *opts || opts->runs > RUNS_MAX)
        return few__fail(err, FEW_EINVAL, "check: expected at most %d runs, found %u", RUNS_MAX, opts->runs);
    struct checker *c = FEW__NEW(zoo->env.mem, struct checker);
    if (!c) return few__no_memory(err, "check");
    c->zoo = zoo;
    c->runs = opts->runs ? opts->runs : RUNS_DEFAULT;
    c->seed = opts->seed;
    c->runtime = (struct few__runtime_opts){.library = opts->runtime, .threads = 1};
    size_t n = largest_input(zoo);
    c->input = FEW__NEW_N(zoo->env.mem, float, n);
    if (zoo->looks_at[FEW_TEXT]) c->tokens = FEW__NEW_N(zoo->env.mem, int64_t, n);
    bool has_memory = c->input && (c->tokens || !zoo->looks_at[FEW_TEXT]);
    enum few_status status = has_memory ? try_runtime(c, err) : few__no_memory(err, "check");
    if (status == FEW_OK) status = check_models(c, fn, ud, err);
    few__free(zoo->env.mem, c->input);
    few__free(zoo->env.mem, c->tokens);
    few__free(zoo->env.mem, c);
    return status;
}
