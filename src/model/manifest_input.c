// SPDX-License-Identifier: Apache-2.0
/* What a model looks at: which table reads its input (a kind of input has keys of its own), and what these keys must say
 * together. A key that would have no effect is a mistake too. */
#include <math.h>
#include <string.h>

#include "model/kind.h"
#include "model/manifest_draft.h"

/* ---- reading ---- */

// The kind that the input says; FEW_MODALITY_COUNT: none, which was noted.
static enum few_modality kind_of(struct few__reader *r, const struct few__where *where,
                                 const struct few__yaml *node)
{
    const struct few__yaml *kind = node->type == FEW__YAML_MAP ? few__yaml_get(node, "kind") : NULL;
    if (!kind) return FEW_IMAGE;
    enum few_modality modality =
        kind->type == FEW__YAML_TEXT ? few_modality_parse(kind->text) : FEW_MODALITY_COUNT;
    if (modality != FEW_MODALITY_COUNT) return modality;
    const struct few__where at = {.up = where, .key = "kind"};
    const char *names = few__one_of(r->problems->arena, few__modality_names, FEW_MODALITY_COUNT);
    few__unexpected(r, &at, kind, names ? names : "");
    return FEW_MODALITY_COUNT;
}

void few__read_input(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    (void)field;
    struct few__model_draft *d = to;
    enum few_modality modality = kind_of(r, where, node);
    d->input_is_known = modality != FEW_MODALITY_COUNT;
    if (!d->input_is_known) return;
    d->model.modality = d->recipe.input.modality = modality;
    few__section_read(r, few__input_sections[modality], where, node, d);
}

void few__read_kind(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                    const struct few__field *field, void *to)
{
    (void)r, (void)where, (void)node, (void)field, (void)to; // few__read_input has
}

void few__read_states(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                      const struct few__field *field, void *to)
{
    struct few__model_state *states = to;
    struct few__model_draft *d = (void *)((char *)to - field->offset);
    if (node->type != FEW__YAML_LIST || node->n == 0 || node->n > FEW__STATES_MAX) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct few__where entry = {.up = where, .index = i};
        few__section_read(r, &few__state_section, &entry, node->items[i], &states[i]);
    }
    d->recipe.input.n_states = node->n;
}

void few__read_constants(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                         const struct few__field *field, void *to)
{
    static const struct few__field number = {.expected = "a number", .low = -1e300, .high = 1e300};
    struct few__constant *constants = to;
    struct few__model_draft *d = (void *)((char *)to - field->offset);
    if (node->type != FEW__YAML_MAP || node->n == 0 || node->n > FEW__CONSTANTS_MAX) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct few__yaml *key = node->pairs[i].key;
        const struct few__where entry = {.up = where, .key = key->text};
        if (key->type != FEW__YAML_TEXT || key->text[0] == '\0') {
            few__unexpected(r, where, key, "a key that is a text");
            continue;
        }
        constants[i].input = few__arena_strdup(r->arena, key->text);
        if (!constants[i].input) r->problems->no_memory = true;
        few__read_double(r, &entry, node->pairs[i].value, &number, &constants[i].value);
    }
    d->recipe.input.n_constants = node->n;
}

/* ---- images ---- */

static bool given(const struct few__yaml *section, const char *key)
{
    return section && few__yaml_get(section, key);
}

static void check_crop(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    struct few__pixels *p = &d->recipe.input.pixels;
    static const char *const keys[] = {"crop", "expand", "pick"};
    if (!d->needs) {
        for (size_t k = 0; k < 3; k++)
            if (given(d->input, keys[k]))
                few__model_problem(r, d, i, "input", keys[k], NULL, "no such key in a model without needs");
        p->crop = FEW__WHOLE;
        return;
    }
    if (!given(d->input, "crop")) p->crop = FEW__SQUARE;
    if (p->crop != FEW__SQUARE && given(d->input, "expand"))
        few__model_problem(r, d, i, "input", "expand", NULL, "no such key unless crop is square");
    if (p->crop == FEW__WHOLE && given(d->input, "pick"))
        few__model_problem(r, d, i, "input", "pick", NULL, "no such key where crop is whole");
}

static void check_channels(struct few__reader *r, const struct few__model_draft *d, size_t i, const char *key)
{
    const struct few__yaml *node = d->input ? few__yaml_get(d->input, key) : NULL;
    if (node && node->type == FEW__YAML_LIST && node->n == 3 && d->recipe.input.colour == FEW__GRAY)
        few__model_problem(r, d, i, "input", key, NULL, "one number where colour is GRAY");
}

static void check_image(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    struct few__pixels *p = &d->recipe.input.pixels;
    p->width = d->size[0];
    p->height = d->size[1];
    check_crop(r, d, i);
    check_channels(r, d, i, "mean");
    check_channels(r, d, i, "std");
    if (p->resize == FEW__HEIGHT) {
        if (p->min_width == 0) p->min_width = p->width < 8 ? p->width : 8;
        if (p->min_width > p->width && p->width > 0)
            few__model_problem(r, d, i, "input", "min_width", NULL, "at most the width of size");
    } else if (given(d->input, "min_width")) {
        few__model_problem(r, d, i, "input", "min_width", NULL, "no such key unless resize is height");
    }
    // What has no effect is made equal, so that more models share their pixels.
    bool pads = p->resize == FEW__LETTERBOX || p->resize == FEW__LETTERBOX_CENTRE || p->crop == FEW__SQUARE;
    if (!pads) p->pad = 0;
}

/* ---- sound and text ---- */

/* As samples at that rate. Nothing was read: 0. Otherwise it is at least `least`, or that was noted. */
static size_t samples_of(struct few__reader *r, const struct few__model_draft *d, size_t i, const char *key,
                         const struct few__samples_draft *draft, size_t least)
{
    int rate = d->recipe.input.window.rate;
    if (!draft->given) return 0;
    double samples = draft->per_second > 0 ? draft->value * rate / draft->per_second : draft->value;
    double whole = round(samples);
    const char *expected = NULL;
    if (fabs(samples - whole) > 1e-6 * (1 + whole))
        expected = few__arena_printf(r->problems->arena, "whole samples at %d a second", rate);
    else if (whole < (double)least || whole > FEW__WINDOW_MAX)
        expected = few__arena_printf(r->problems->arena, "%zu to %d samples", least, FEW__WINDOW_MAX);
    else return (size_t)whole;
    few__model_problem(r, d, i, "input", key, NULL, expected ? expected : "");
    return least;
}

static void check_window(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    struct few__window *w = &d->recipe.input.window;
    if (w->rate == 0 || !d->window.given) return; // noted already
    w->length = samples_of(r, d, i, "window", &d->window, 1);
    w->hop = d->hop.given ? samples_of(r, d, i, "hop", &d->hop, 1) : w->length;
    w->context = samples_of(r, d, i, "context", &d->context, 0);
    if (w->hop > w->length)
        few__model_problem(r, d, i, "input", "hop", NULL, "at most the window: no sound is left out");
    if (w->length + w->context > FEW__WINDOW_MAX) {
        const char *expected =
            few__arena_printf(r->problems->arena, "at most %d samples with the window", FEW__WINDOW_MAX);
        few__model_problem(r, d, i, "input", "context", NULL, expected ? expected : "");
    }
}

static void check_states(struct few__reader *r, const struct few__model_draft *d, size_t i)
{
    const struct few__input *in = &d->recipe.input;
    for (size_t s = 0; s < in->n_states; s++) {
        const struct few__model_state *state = &in->states[s];
        size_t n = 1;
        for (size_t k = 0; k < state->n_dims && n <= FEW__STATE_NUMBERS_MAX; k++)
            n *= state->dims[k] > 0 ? (size_t)state->dims[k] : 1;
        if (n <= FEW__STATE_NUMBERS_MAX) continue;
        const char *expected =
            few__arena_printf(r->problems->arena, "at most %d numbers in each", FEW__STATE_NUMBERS_MAX);
        few__model_problem(r, d, i, "input", "states", NULL, expected ? expected : "");
    }
}

// Whether a name comes twice in the list; empty places do not count.
static const char *repeated(const char *const *names, size_t n)
{
    for (size_t a = 0; a < n; a++)
        for (size_t b = 0; names[a] && b < a; b++)
            if (names[b] && strcmp(names[a], names[b]) == 0) return names[a];
    return NULL;
}

// Each tensor of the model has one use.
static void check_tensors(struct few__reader *r, const struct few__model_draft *d, size_t i)
{
    const struct few__input *in = &d->recipe.input;
    const struct few__decode *decode = &d->recipe.decode;
    const char *ins[1 + FEW__STATES_MAX + FEW__CONSTANTS_MAX] = {in->name};
    const char *outs[FEW__OUTPUTS_MAX + FEW__STATES_MAX];
    size_t n_ins = 1, n_outs = 0;
    for (size_t k = 0; k < in->n_states; k++) ins[n_ins++] = in->states[k].input;
    for (size_t k = 0; k < in->n_constants; k++) ins[n_ins++] = in->constants[k].input;
    for (size_t k = 0; k < decode->n_outputs; k++) outs[n_outs++] = decode->outputs[k];
    for (size_t k = 0; k < in->n_states; k++) outs[n_outs++] = in->states[k].output;
    const char *twice = repeated(ins, n_ins);
    const char *key = in->n_states ? "states" : "constants";
    if (twice)
        few__model_problem(r, d, i, "input", key, few__quoted(r->problems->arena, twice),
                           "each input tensor once, in name, states and constants");
    twice = in->n_states ? repeated(outs, n_outs) : NULL;
    if (twice)
        few__model_problem(r, d, i, "input", "states", few__quoted(r->problems->arena, twice),
                           "each output tensor once, in states and tensors");
}

// Keys of the model that only pictures have a use for, and keys of the input that only a runtime has.
static void check_uses(struct few__reader *r, const struct few__model_draft *d, size_t i)
{
    static const char *const of_images[] = {"needs", "batch"}, *const of_runtimes[] = {"states", "constants"};
    struct few__arena *words = r->problems->arena;
    const char *kind = few_modality_name(d->model.modality);
    for (size_t k = 0; k < 2; k++) {
        if (!given(d->node, of_images[k])) continue;
        const char *expected = few__arena_printf(words, "no such key where input is %s", kind);
        few__model_problem(r, d, i, NULL, of_images[k], NULL, expected ? expected : "");
    }
    bool is_runtime = d->recipe.backend && strcmp(d->recipe.backend, "onnx") == 0;
    for (size_t k = 0; k < 2 && d->recipe.backend && !is_runtime; k++) {
        if (!given(d->input, of_runtimes[k])) continue;
        const char *expected = few__arena_printf(words, "no such key where backend is %s", d->recipe.backend);
        few__model_problem(r, d, i, "input", of_runtimes[k], NULL, expected ? expected : "");
    }
}

void few__input_check(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    if (!d->input || !d->input_is_known) return; // noted already
    if (d->model.modality == FEW_IMAGE) {
        check_image(r, d, i);
        return;
    }
    d->recipe.input.pixels = (struct few__pixels){.needs = -1};
    if (d->model.modality == FEW_SOUND) check_window(r, d, i);
    check_states(r, d, i);
    check_tensors(r, d, i);
    check_uses(r, d, i);
}
