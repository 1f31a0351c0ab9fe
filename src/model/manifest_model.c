// SPDX-License-Identifier: Apache-2.0
/* One model of the manifest: its defaults, and what its keys must say together. A key that would have no effect is a
 * mistake too: whoever wrote it expected one. */
#include <math.h>
#include <string.h>

#include "model/kind.h"
#include "model/manifest_draft.h"

static const int64_t TIMEOUT_US = 60000000;
static const enum few__decoder UNREAD = (enum few__decoder)(FEW__DECODE_CTC + 1);

static const enum few__combine UNCOMBINED = (enum few__combine)(FEW__LAST + 1);

static void set_defaults(struct few__model_draft *d)
{
    d->model.kind = FEW_KIND_COUNT; // until it is read
    d->model.threshold = 0.5f;
    d->model.priority = 1;
    d->model.needs = d->model.variant_of = -1;
    d->backend = FEW__BACKENDS; // until it is read
    d->recipe.batch = 1;
    d->recipe.timeout_us = TIMEOUT_US;
    for (int c = 0; c < 3; c++) d->recipe.input.std[c] = 1;
    d->recipe.input.pixels.expand = 1;
    d->recipe.input.pixels.sampling = FEW__SAMPLING_OF_MANIFEST;
    d->recipe.input.pixels.needs = -1;
    d->recipe.combine = UNCOMBINED;
    struct few__decode *decode = &d->recipe.decode;
    decode->kind = UNREAD;
    decode->step = 1;
    decode->keep = 0.3f;
    decode->iou = 0.45f;
    decode->fraction = 0.01f;
    decode->mask_threshold = NAN; // its default depends on the decoder
    decode->region_mean = 0.6f;
    decode->unclip = 1.5f;
    decode->region_pixels = 16;
}

void few__read_models(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                      const struct few__field *field, void *to)
{
    struct few__manifest_draft *manifest = (void *)((char *)to - field->offset);
    if (node->type != FEW__YAML_LIST || node->n == 0 || node->n > field->max) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    struct few__model_draft *models = FEW__ARENA_NEW(r->arena, struct few__model_draft, node->n);
    if (!models) {
        r->problems->no_memory = true;
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        struct few__where entry = {.up = where, .index = i};
        struct few__model_draft *d = &models[i];
        set_defaults(d);
        d->node = node->items[i];
        d->input = few__yaml_map(d->node, "input");
        d->output = few__yaml_map(d->node, "output");
        few__section_read(r, &few__model_section, &entry, d->node, d);
        few__model_check(r, d, i);
    }
    manifest->models = models;
    manifest->n_models = node->n;
}

static bool given(const struct few__yaml *section, const char *key)
{
    return section && few__yaml_get(section, key);
}

/* ---- output ---- */

#define KIND(kind)       (1u << FEW_##kind)
#define DECODER(decoder) (1u << FEW__DECODE_##decoder)

enum { FOUND = KIND(DETECTIONS) | KIND(BOX) }; // all that was found, or the best of it

/* The output kinds that each decoder makes. */
static const unsigned kinds_of[] = {
    [FEW__DECODE_VALUES] = KIND(CLASSES) | KIND(LABELS) | KIND(BOX) | KIND(SCALAR) | KIND(VECTOR),
    [FEW__DECODE_YOLOX] = FOUND,
    [FEW__DECODE_FASTESTDET] = FOUND,
    [FEW__DECODE_FASTESTV2] = FOUND,
    [FEW__DECODE_NANODET] = FOUND,
    [FEW__DECODE_CENTERNET] = FOUND,
    [FEW__DECODE_ULTRAFACE] = FOUND,
    [FEW__DECODE_YUNET] = FOUND,
    [FEW__DECODE_REGIONS] = FOUND,
    [FEW__DECODE_SEG_MEAN] = KIND(LABELS),
    [FEW__DECODE_SEG_SHARE] = KIND(LABELS),
    [FEW__DECODE_MASK_SHARE] = KIND(SCALAR),
    [FEW__DECODE_CTC] = KIND(SEQUENCE),
};

enum {
    GRIDS = DECODER(YOLOX) | DECODER(FASTESTV2) | DECODER(NANODET) | DECODER(YUNET),
    FINDERS = GRIDS | DECODER(FASTESTDET) | DECODER(CENTERNET) | DECODER(ULTRAFACE) | DECODER(REGIONS),
    MAPS = DECODER(SEG_MEAN) | DECODER(SEG_SHARE) | DECODER(MASK_SHARE) | DECODER(REGIONS),
};

/* The decoders that look at each key. */
static const struct {
    const char *key;
    unsigned decoders;
} keys_of[] = {
    {"activation", DECODER(VALUES)},
    {"values", DECODER(VALUES)},
    {"offset", DECODER(VALUES)},
    {"step", DECODER(VALUES)},
    {"keep", FINDERS},
    {"iou", FINDERS},
    {"iou_across", FINDERS},
    {"strides", GRIDS},
    {"anchors", DECODER(FASTESTV2)},
    {"map_layout", MAPS},
    {"fraction", DECODER(SEG_MEAN)},
    {"mask_threshold", DECODER(MASK_SHARE) | DECODER(REGIONS)},
    {"region_mean", DECODER(REGIONS)},
    {"unclip", DECODER(REGIONS)},
    {"region_pixels", DECODER(REGIONS)},
};

/* The names of the kinds in the mask. */
static const char *kind_list(struct few__reader *r, unsigned kinds)
{
    const char *names[FEW_KIND_COUNT];
    size_t n = 0;
    for (unsigned k = 0; k < FEW_KIND_COUNT; k++)
        if (kinds & (1u << k)) names[n++] = few__kind_names[k];
    return few__one_of(r->problems->arena, names, n);
}

static void check_decoder(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    struct few__decode *decode = &d->recipe.decode;
    if (decode->kind == UNREAD && given(d->output, "decode")) return; // noted already
    if (decode->kind == UNREAD) decode->kind = FEW__DECODE_VALUES;
    unsigned decoder = 1u << decode->kind;
    for (size_t k = 0; k < sizeof keys_of / sizeof *keys_of; k++)
        if (given(d->output, keys_of[k].key) && !(keys_of[k].decoders & decoder))
            few__model_problem(r, d, i, "output", keys_of[k].key, NULL, "no such key with this decoder");
    if (d->model.kind != FEW_KIND_COUNT && !(kinds_of[decode->kind] & (1u << d->model.kind))) {
        const char *kinds = kind_list(r, kinds_of[decode->kind]);
        const char *expected =
            few__arena_printf(r->problems->arena, "%s with this decoder", kinds ? kinds : "");
        few__model_problem(r, d, i, "output", "kind", NULL, expected ? expected : "");
    }
    if (isnan(decode->mask_threshold))
        decode->mask_threshold = decode->kind == FEW__DECODE_REGIONS ? 0.3f : 0.5f;
}

static void check_kind(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    enum few_kind kind = d->model.kind;
    struct few__decode *decode = &d->recipe.decode;
    bool names = kind == FEW_CLASSES || kind == FEW_LABELS || kind == FEW_SEQUENCE;
    if (kind == FEW_KIND_COUNT) return; // noted already
    if (names && !given(d->output, "labels"))
        few__model_problem(r, d, i, "output", "labels", NULL, "a name under labels");
    if (!names && kind != FEW_DETECTIONS && given(d->output, "labels"))
        few__model_problem(r, d, i, "output", "labels", NULL, "no such key with this kind");
    if (kind != FEW_SCALAR && given(d->output, "empty"))
        few__model_problem(r, d, i, "output", "empty", NULL, "no such key unless kind is scalar");
    if (kind != FEW_SCALAR && given(d->output, "tolerance"))
        few__model_problem(r, d, i, "output", "tolerance", NULL, "no such key unless kind is scalar");
    if (kind == FEW_BOX && decode->n_values != 0 && decode->n_values != 4 && decode->n_values != 5)
        few__model_problem(r, d, i, "output", "values", NULL, "4, or 5 with the confidence");
    if (kind == FEW_SCALAR && decode->n_values > 1)
        few__model_problem(r, d, i, "output", "values", NULL, "1, as kind is scalar");
    if (kind == FEW_BOX && decode->n_values == 0) decode->n_values = 4;
}

/* Sound is answered window by window, and the answers are made one; text has no place for a box to be in. */
static const struct {
    unsigned kinds, decoders;
    const char *kind, *decode;
} made_of[FEW_MODALITY_COUNT] = {
    [FEW_IMAGE] = {.kinds = ~0u, .decoders = ~0u},
    [FEW_SOUND] = {KIND(CLASSES) | KIND(LABELS) | KIND(SCALAR) | KIND(VECTOR), DECODER(VALUES),
                   "classes, labels, scalar or vector, as the answers of windows are combined",
                   "values where input is sound"},
    [FEW_TEXT] = {KIND(CLASSES) | KIND(LABELS) | KIND(SCALAR) | KIND(VECTOR) | KIND(SEQUENCE),
                  DECODER(VALUES) | DECODER(CTC),
                  "classes, labels, scalar, vector or sequence where input is text",
                  "values or ctc where input is text"},
};

static void check_modality(struct few__reader *r, struct few__model_draft *d, size_t i)
{
    enum few_modality modality = d->model.modality;
    enum few_kind kind = d->model.kind;
    const struct few__decode *decode = &d->recipe.decode;
    if (decode->kind != UNREAD && !(made_of[modality].decoders >> decode->kind & 1))
        few__model_problem(r, d, i, "output", "decode", NULL, made_of[modality].decode);
    else if (kind != FEW_KIND_COUNT && !(made_of[modality].kinds >> kind & 1))
        few__model_problem(r, d, i, "output", "kind", NULL, made_of[modality].kind);
    if (modality != FEW_SOUND && given(d->output, "combine"))
        few__model_problem(r, d, i, "output", "combine", NULL, "no such key unless input is sound");
    if (d->recipe.combine == UNCOMBINED)
        d->recipe.combine = kind == FEW_SCALAR || kind == FEW_LABELS ? FEW__MAX : FEW__MEAN;
}

void few__model_check(struct few__reader *r, struct few__model_draft *d, size_t i_model)
{
    few__backend_check(r, d, i_model);
    few__input_check(r, d, i_model);
    if (d->output) check_decoder(r, d, i_model);
    if (d->output) check_kind(r, d, i_model);
    if (d->output && d->input_is_known) check_modality(r, d, i_model);
}
