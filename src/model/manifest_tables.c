// SPDX-License-Identifier: Apache-2.0
/* Every key of a manifest: how its value is read and where it goes. docs/manifest.md describes the same keys; a test
 * compares the two. Names of choices stand in the order of their enums. */
#include <float.h>
#include <limits.h>

#include "model/kind.h"
#include "model/manifest_draft.h"

#define COUNT(array)          (sizeof(array) / sizeof *(array))
#define CHOICES(array)        .names = (array), .n_names = COUNT(array)
#define TO(type, member)      .offset = offsetof(struct type, member)
#define N_OF(type, member)    .count_offset = offsetof(struct type, member)
#define ROOM_OF(type, member) .max = COUNT(((struct type *)0)->member)

static const double BYTES_MAX = 1125899906842624.0; // 2^50

static const char *const resizes[] = {
    [FEW__STRETCH] = "stretch",
    [FEW__LETTERBOX] = "letterbox",
    [FEW__LETTERBOX_CENTRE] = "letterbox-centre",
    [FEW__CENTRE_CROP] = "centre-crop",
    [FEW__HEIGHT] = "height",
};
static const char *const samplings[] = {[FEW__CENTRES] = "centre", [FEW__LIBVIPS] = "libvips"};
static const char *const crops[] = {[FEW__WHOLE] = "whole", [FEW__SQUARE] = "square", [FEW__BOX] = "box"};
static const char *const picks[] = {
    [FEW__BEST] = "best", [FEW__LARGEST] = "largest", [FEW__LARGEST_WIDE] = "largest-wide"};
static const char *const colours[] = {[FEW__RGB] = "RGB", [FEW__BGR] = "BGR", [FEW__GRAY] = "GRAY"};
static const char *const layouts[] = {[FEW__NCHW] = "NCHW", [FEW__NHWC] = "NHWC"};
static const char *const splits[] = {[FEW__WORDS] = "words", [FEW__CHARACTERS] = "characters"};
static const char *const combines[] = {[FEW__MEAN] = "mean", [FEW__MAX] = "max", [FEW__LAST] = "last"};
static const char *const activations[] = {
    [FEW__LINEAR] = "linear", [FEW__CLAMP] = "clamp", [FEW__SOFTMAX] = "softmax", [FEW__SIGMOID] = "sigmoid"};
static const char *const decoders[] = {
    [FEW__DECODE_VALUES] = "values",
    [FEW__DECODE_YOLOX] = "yolox",
    [FEW__DECODE_FASTESTDET] = "fastestdet",
    [FEW__DECODE_FASTESTV2] = "fastestv2",
    [FEW__DECODE_NANODET] = "nanodet",
    [FEW__DECODE_CENTERNET] = "centernet",
    [FEW__DECODE_ULTRAFACE] = "ultraface",
    [FEW__DECODE_YUNET] = "yunet",
    [FEW__DECODE_REGIONS] = "regions",
    [FEW__DECODE_SEG_MEAN] = "seg-mean",
    [FEW__DECODE_SEG_SHARE] = "seg-share",
    [FEW__DECODE_MASK_SHARE] = "mask-share",
    [FEW__DECODE_CTC] = "ctc",
};

/* ---- labels ---- */

#define LIST(member) TO(few__list_draft, member)
static const struct few__field list_fields[] = {
    {"file", few__read_path, LIST(file), .expected = "an existing label file"},
    {"names", few__read_text_list, LIST(names), .expected = "a list of names", .max = FEW_LABELS_MAX,
     N_OF(few__list_draft, n)},
    {"space", few__read_text, LIST(space), .expected = "a name of a label space"},
    {"null_labels", few__read_text_list, LIST(null_names), .expected = "a list of 1 to 1000 names",
     .max = FEW__NULL_LABELS_MAX, N_OF(few__list_draft, n_null)},
    {"count", few__read_count, LIST(count), .expected = "a whole number from 1 to 1000000", .low = 1,
     .high = FEW_LABELS_MAX},
};
const struct few__section few__list_section = {"labels", list_fields, COUNT(list_fields)};

/* ---- input ---- */

#define INPUT(member)  TO(few__model_draft, recipe.input.member)
#define PIXELS(member) TO(few__model_draft, recipe.input.pixels.member)
static const struct few__field image_fields[] = {
    {"kind", few__read_kind, .names = few__modality_names, .n_names = FEW_MODALITY_COUNT},
    {"name", few__read_text, INPUT(name), .expected = "the name of an input tensor"},
    {"size", few__read_size, TO(few__model_draft, size), .expected = "[width, height], each from 1 to 8192",
     .required = true, .low = 1, .high = FEW__SIDE_MAX},
    {"resize", few__read_choice, PIXELS(resize), CHOICES(resizes)},
    {"sampling", few__read_choice, PIXELS(sampling), CHOICES(samplings)},
    {"min_width", few__read_int, PIXELS(min_width), .expected = "a whole number from 1 to 8192", .low = 1,
     .high = FEW__SIDE_MAX},
    {"pad", few__read_byte, PIXELS(pad), .expected = "a whole number from 0 to 255", .high = 255},
    {"layout", few__read_choice, INPUT(layout), CHOICES(layouts)},
    {"colour", few__read_choice, INPUT(colour), CHOICES(colours)},
    {"mean", few__read_channels, INPUT(mean), .expected = "a number, or a list of one for each channel",
     .low = -FLT_MAX, .high = FLT_MAX},
    {"std", few__read_channels, INPUT(std), .expected = "a number above 0, or a list of one for each channel",
     .above_low = true, .high = FLT_MAX},
    {"crop", few__read_choice, PIXELS(crop), CHOICES(crops)},
    {"expand", few__read_float, PIXELS(expand), .expected = "a number above 0, at most 100",
     .above_low = true, .high = 100},
    {"pick", few__read_choice, PIXELS(pick), CHOICES(picks)},
};
static const struct few__section image_section = {"input", image_fields, COUNT(image_fields)};

static const char constants_expected[] = "a map of 1 to 4 input tensors and their numbers";
static const struct few__field sound_fields[] = {
    {.key = "kind", .read = few__read_kind},
    {"name", few__read_text, INPUT(name), .expected = "the name of an input tensor"},
    {"rate", few__read_int, INPUT(window.rate), .expected = "samples a second, from 1000 to 384000",
     .required = true, .low = 1000, .high = 384000},
    {"window", few__read_samples, TO(few__model_draft, window), .expected = "samples, or a time with ms or s",
     .required = true},
    {"hop", few__read_samples, TO(few__model_draft, hop), .expected = "samples, or a time with ms or s"},
    {"context", few__read_samples, TO(few__model_draft, context),
     .expected = "samples, or a time with ms or s"},
    {"states", few__read_states, INPUT(states), .expected = "a list of 1 to 4 states"},
    {"constants", few__read_constants, INPUT(constants), .expected = constants_expected},
};
static const struct few__section sound_section = {"input: sound", sound_fields, COUNT(sound_fields)};

#define STATE(member) TO(few__model_state, member)
static const struct few__field state_fields[] = {
    {"input", few__read_text, STATE(input), .expected = "the name of an input tensor", .required = true},
    {"output", few__read_text, STATE(output), .expected = "the name of an output tensor", .required = true},
    {"dims", few__read_longs, STATE(dims), .expected = "a list of 1 to 4 whole numbers from 1 to 4194304",
     .required = true, .low = 1, .high = FEW__STATE_NUMBERS_MAX, ROOM_OF(few__model_state, dims),
     N_OF(few__model_state, n_dims)},
};
const struct few__section few__state_section = {"states", state_fields, COUNT(state_fields)};

static const struct few__field text_fields[] = {
    {.key = "kind", .read = few__read_kind},
    {"name", few__read_text, INPUT(name), .expected = "the name of an input tensor"},
    {"split", few__read_choice, INPUT(tokens.split), CHOICES(splits)},
    {"length", few__read_count, INPUT(tokens.length), .expected = "a whole number from 1 to 65536",
     .required = true, .low = 1, .high = FEW__TOKENS_LENGTH_MAX},
    {"vocabulary", few__read_text, TO(few__model_draft, vocabulary), .expected = "a name under labels",
     .required = true},
    {"unknown", few__read_long, INPUT(tokens.unknown), .expected = "a whole number of 32 bits",
     .low = INT32_MIN, .high = INT32_MAX},
    {"pad", few__read_long, INPUT(tokens.pad), .expected = "a whole number of 32 bits", .low = INT32_MIN,
     .high = INT32_MAX},
    {"constants", few__read_constants, INPUT(constants), .expected = constants_expected},
};
static const struct few__section text_section = {"input: text", text_fields, COUNT(text_fields)};

const struct few__section *const few__input_sections[FEW_MODALITY_COUNT] = {
    [FEW_IMAGE] = &image_section, [FEW_SOUND] = &sound_section, [FEW_TEXT] = &text_section};

/* ---- output ---- */

#define DECODE(member) TO(few__model_draft, recipe.decode.member)
#define MODEL(member)  TO(few__model_draft, model.member)
#define DECODE_LIST(member, n) \
    DECODE(member), ROOM_OF(few__decode, member), N_OF(few__model_draft, recipe.decode.n)
static const struct few__field output_fields[] = {
    {"kind", few__read_choice, MODEL(kind), .names = few__kind_names, .n_names = FEW_KIND_COUNT,
     .required = true, .expected = "an output kind"},
    {"decode", few__read_choice, DECODE(kind), CHOICES(decoders)},
    {"tensors", few__read_texts, DECODE_LIST(outputs, n_outputs),
     .expected = "a list of 1 to 16 names of output tensors"},
    {"activation", few__read_choice, DECODE(activation), CHOICES(activations)},
    {"values", few__read_count, DECODE(n_values), .expected = "a whole number from 1 to 1048576", .low = 1,
     .high = FEW_VALUES_MAX},
    {"offset", few__read_count, DECODE(offset), .expected = "a whole number from 0 to 1048576",
     .high = FEW_VALUES_MAX},
    {"step", few__read_count, DECODE(step), .expected = "a whole number from 1 to 1048576", .low = 1,
     .high = FEW_VALUES_MAX},
    {"labels", few__read_text, TO(few__model_draft, labels), .expected = "a name under labels"},
    {"threshold", few__read_float, MODEL(threshold), .expected = "a number from 0 to 1", .high = 1},
    {"keep", few__read_float, DECODE(keep), .expected = "a number from 0 to 1", .high = 1},
    {"iou", few__read_float, DECODE(iou), .expected = "a number from 0 to 1", .high = 1},
    {"iou_across", few__read_float, DECODE(iou_across), .expected = "a number from 0 to 1", .high = 1},
    {"strides", few__read_ints, DECODE_LIST(strides, n_strides),
     .expected = "a list of 1 to 4 whole numbers from 1 to 1024", .low = 1, .high = 1024},
    {"anchors", few__read_floats, DECODE_LIST(anchors, n_anchors),
     .expected = "a list of 1 to 16 pairs of numbers above 0", .above_low = true, .high = FEW__SIDE_MAX,
     .multiple = 2},
    {"map_layout", few__read_choice, DECODE(layout), CHOICES(layouts)},
    {"fraction", few__read_float, DECODE(fraction), .expected = "a number above 0, at most 1",
     .above_low = true, .high = 1},
    {"mask_threshold", few__read_float, DECODE(mask_threshold), .expected = "a number", .low = -FLT_MAX,
     .high = FLT_MAX},
    {"region_mean", few__read_float, DECODE(region_mean), .expected = "a number from 0 to 1", .high = 1},
    {"unclip", few__read_float, DECODE(unclip), .expected = "a number from 0 to 100", .high = 100},
    {"region_pixels", few__read_count, DECODE(region_pixels), .expected = "a whole number from 1 to 67108864",
     .low = 1, .high = FEW__SIDE_MAX * FEW__SIDE_MAX},
    {"combine", few__read_choice, TO(few__model_draft, recipe.combine), CHOICES(combines)},
    {"empty", few__read_float, MODEL(empty), .expected = "a number", .low = -FLT_MAX, .high = FLT_MAX},
    {"tolerance", few__read_float, MODEL(tolerance), .expected = "a number of at least 0", .high = FLT_MAX},
};
static const struct few__section output_section = {"output", output_fields, COUNT(output_fields)};

/* ---- models ---- */

static const struct few__field cost_fields[] = {
    {"time_ms", few__read_milliseconds, MODEL(cost.time_us), .expected = "milliseconds from 0 to 1000000000",
     .high = 1e9},
    {"memory", few__read_bytes, MODEL(cost.memory_bytes),
     .expected = "bytes of at least 0, as a number or with KiB, MiB or GiB", .high = BYTES_MAX},
};
static const struct few__section cost_section = {"cost", cost_fields, COUNT(cost_fields)};

static const struct few__field model_fields[] = {
    {"name", few__read_name, MODEL(name), .expected = "a name of letters, digits, _, . and -",
     .required = true},
    {"task", few__read_text, MODEL(task), .expected = "a phrase"},
    {"backend", few__read_choice, TO(few__model_draft, backend), .names = few__backend_names,
     .n_names = FEW__BACKENDS},
    {"file", few__read_path, TO(few__model_draft, recipe.file), .expected = "an existing model file"},
    {"command", few__read_command, TO(few__model_draft, recipe.command),
     .expected = "a list of 1 to 64 words", .max = FEW__COMMAND_MAX,
     N_OF(few__model_draft, recipe.n_command)},
    {"batch", few__read_count, TO(few__model_draft, recipe.batch), .expected = "a whole number from 1 to 64",
     .low = 1, .high = FEW__BATCH_MAX},
    {"timeout", few__read_duration, TO(few__model_draft, recipe.timeout_us),
     .expected = "a time from 1ms to 1h, with ms, s, min or h", .low = 1e3, .high = 3600e6},
    {"input", few__read_input, .expected = "a map", .required = true},
    {"output", few__read_section, .expected = "a map", .required = true, .section = &output_section},
    {"needs", few__read_text, TO(few__model_draft, needs), .expected = "the name of a model"},
    {"variant_of", few__read_text, TO(few__model_draft, variant_of), .expected = "the name of a model"},
    {"priority", few__read_float, MODEL(priority), .expected = "a number above 0", .above_low = true,
     .high = FLT_MAX},
    {"cost", few__read_section, .expected = "a map", .section = &cost_section},
};
const struct few__section few__model_section = {"models", model_fields, COUNT(model_fields)};

/* ---- the manifest ---- */

#define MANIFEST(member) TO(few__manifest_draft, member)
static const struct few__field manifest_fields[] = {
    {"version", few__read_int, MANIFEST(version), .expected = "1", .required = true,
     .low = FEW__MANIFEST_VERSION, .high = FEW__MANIFEST_VERSION},
    {"name", few__read_text, MANIFEST(name), .expected = "a name"},
    {"sampling", few__read_choice, MANIFEST(sampling), CHOICES(samplings)},
    {"labels", few__read_lists, MANIFEST(lists), .expected = "a map of at most 4096 label lists",
     .max = FEW__LABEL_LISTS_MAX, N_OF(few__manifest_draft, n_lists)},
    {"models", few__read_models, MANIFEST(models), .expected = "a list of 1 to 4096 models", .required = true,
     .max = FEW_MODELS_MAX, N_OF(few__manifest_draft, n_models)},
};
const struct few__section few__manifest_section = {"manifest", manifest_fields, COUNT(manifest_fields)};

_Static_assert(COUNT(output_fields) <= FEW__KEYS_MAX, "the section with the most keys");

const struct few__section *const few__manifest_sections[] = {
    &few__manifest_section, &few__list_section, &few__model_section, &image_section, &sound_section,
    &few__state_section,    &text_section,      &output_section,     &cost_section,
};
const size_t few__n_manifest_sections = COUNT(few__manifest_sections);
