// SPDX-License-Identifier: Apache-2.0
/* The bytes are a manifest; label files and models lie beside it. */
#include <stdbool.h>
#include <string.h>

#include <fewer/zoo.h>

#include "fuzz.h"
#include "model/manifest.h"

static void make_neighbours(void)
{
    static const char labels[] = "# space: sky\nnone\nsun\nrain\n", broken[] = "a\0b\n\xff\xfe\n";
    fuzz_write(fuzz_path("m.onnx"), "model", 5);
    fuzz_write(fuzz_path("other.onnx"), "other", 5);
    fuzz_write(fuzz_path("labels.txt"), labels, sizeof labels - 1);
    fuzz_write(fuzz_path("broken.txt"), broken, sizeof broken - 1);
    fuzz_write(fuzz_path("empty.txt"), "", 0);
}

static void on_problem(void *ud, const struct few_problem *problem)
{
    fuzz_must(problem->file && problem->where && problem->expected && problem->found);
    fuzz_must(problem->line >= 0 && problem->column >= 0);
    ++*(size_t *)ud;
}

static void look_at_input(const struct few_zoo *zoo, const struct few__input *input,
                          const struct few_model *m)
{
    const struct few__pixels *pixels = &input->pixels;
    const struct few__window *window = &input->window;
    fuzz_must(input->modality == m->modality && zoo->looks_at[m->modality]);
    fuzz_must(input->n_states <= FEW__STATES_MAX && input->n_constants <= FEW__CONSTANTS_MAX);
    for (size_t i = 0; i < input->n_states; i++) {
        const struct few__model_state *state = &input->states[i];
        fuzz_must(state->input && state->output && state->n_dims >= 1 && state->n_dims <= 4);
        for (size_t k = 0; k < state->n_dims; k++) fuzz_must(state->dims[k] >= 1);
    }
    size_t rate = 0;
    switch (m->modality) {
    case FEW_IMAGE:
        fuzz_must(pixels->width >= 1 && pixels->width <= 8192 && pixels->height >= 1 &&
                  pixels->height <= 8192);
        fuzz_must(input->i_pixels < zoo->n_pixels && input->i_tensor < zoo->n_tensors);
        break;
    case FEW_SOUND:
        while (rate < zoo->n_rates && zoo->rates[rate] != window->rate) rate++;
        fuzz_must(rate < zoo->n_rates && m->needs < 0);
        fuzz_must(window->length >= 1 && window->hop >= 1 && window->hop <= window->length);
        fuzz_must(window->length + window->context <= FEW__WINDOW_MAX);
        break;
    case FEW_TEXT:
        fuzz_must(input->tokens.length >= 1 && input->tokens.length <= FEW__TOKENS_LENGTH_MAX &&
                  m->needs < 0);
        for (size_t i = 0; i < input->tokens.n_names; i++) fuzz_must(input->tokens.names[i] != NULL);
        break;
    case FEW_MODALITY_COUNT: fuzz_must(false); break;
    }
}

static void look(const struct few_zoo *zoo)
{
    const struct few_catalog *catalog = few_zoo_catalog(zoo);
    fuzz_must(catalog->n_models > 0 && catalog->n_models <= FEW_MODELS_MAX);
    fuzz_must(catalog->n_labels <= FEW_LABELS_MAX);
    int n = (int)catalog->n_models;
    for (int i = 0; i < n; i++) {
        const struct few_model *m = &catalog->models[i];
        fuzz_must(m->name[0] && m->task && m->space && strlen(m->digest) == 64);
        fuzz_must((int)m->kind >= 0 && m->kind < FEW_KIND_COUNT);
        fuzz_must(m->needs >= -1 && m->needs < n && m->needs != i);
        fuzz_must(m->variant_of >= -1 && m->variant_of < n);
        fuzz_must(m->priority > 0 && m->cost.time_us >= 0);
        for (size_t k = 0; k < m->n_labels; k++)
            fuzz_must(m->labels[k] && (!m->label_ids || (size_t)m->label_ids[k] < catalog->n_labels));
        look_at_input(zoo, &zoo->recipes[i].input, m);
    }
    bool seen[FEW_MODELS_MAX] = {false};
    for (int i = 0; i < n; i++) {
        const struct few_model *m = &catalog->models[zoo->order[i]];
        fuzz_must(!seen[zoo->order[i]] && (m->needs < 0 || seen[m->needs]));
        seen[zoo->order[i]] = true;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) make_neighbours();
    ready = true;
    const char *path = fuzz_path("zoo.yaml");
    fuzz_write(path, data, size);
    size_t problems = 0;
    const struct few_zoo_opts opts = {
        .size = sizeof opts, .env = *fuzz_env(), .on_problem = on_problem, .ud = &problems};
    struct few_zoo *zoo;
    struct few_error err;
    enum few_status status = few_zoo_open(path, &opts, &zoo, &err);
    fuzz_must((status == FEW_OK) == (zoo != NULL));
    if (zoo) look(zoo);
    else fuzz_must(err.message[0] && err.code == status);
    if (status == FEW_OK) fuzz_must(problems == 0);
    few_zoo_close(zoo);
    return 0;
}
