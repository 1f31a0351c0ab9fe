// SPDX-License-Identifier: Apache-2.0
// Inputs of sound and text in manifests: what they become, their defaults and limits, and every mistake in them.
#include <stdio.h>
#include <string.h>

#include <fewer/zoo.h>

#include "core/text.h"
#include "model/manifest.h"
#include "support/support.h"

static struct few_error err;
static struct few__text told; // one line for each problem: "line where|expected|found"

static void tell(void *ud, const struct few_problem *p)
{
    (void)ud;
    assert_true(p->column > 0);
    few__text_printf(&told, "%d %s|%s|%s\n", p->line, p->where, p->expected, p->found);
}

static const char *const head = "version: 1\n"
                                "labels: {words: {names: [none, sun]}}\n"
                                "models:\n";

static struct few_zoo *open_models(const char *models)
{
    char text[8192];
    struct few_zoo *zoo;
    snprintf(text, sizeof text, "%s%s", head, models);
    t_write(t_path("zoo.yaml"), text, strlen(text));
    assert_status(few_zoo_open(t_path("zoo.yaml"), NULL, &zoo, &err), FEW_OK, &err);
    return zoo;
}

// What is told of these models, from line 4 on.
static void expect_models(const char *models, const char *expected)
{
    char text[8192];
    const struct few_zoo_opts opts = {.size = sizeof opts, .on_problem = tell};
    struct few_zoo *zoo;
    few__text_clear(&told);
    few__text_put(&told, "");
    snprintf(text, sizeof text, "%s%s", head, models);
    t_write(t_path("zoo.yaml"), text, strlen(text));
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, &err), FEW_EPARSE, &err);
    assert_string_equal(told.s, expected);
}

// Of one model with this input, at line 5, and this output, at line 6.
static void expect_mistake(const char *input, const char *output, const char *expected)
{
    char models[4096];
    snprintf(models, sizeof models, "  - {name: m, file: m.onnx,\n     input: {%s},\n     output: {%s}}\n",
             input, output);
    expect_models(models, expected);
}

static int setup(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("m.onnx"), "model", 5);
    few__text_init(&told, NULL, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    few__text_finish(&told);
    return 0;
}

/* ---- what is right ---- */

static void test_sound_is_read(void **state)
{
    (void)state;
    struct few_zoo *zoo = open_models(
        "  - name: voice\n"
        "    file: m.onnx\n"
        "    input: {kind: sound, name: input, rate: 16000, window: 32ms, hop: 0.016s, context: 64,\n"
        "            constants: {sr: 16000, gain: -0.5},\n"
        "            states: [{input: state, output: stateN, dims: [2, 1, 128]}, {input: a, output: b, dims: "
        "[7]}]}\n"
        "    output: {kind: classes, labels: words, combine: last}\n");
    const struct few__input *in = &zoo->recipes[0].input;
    assert_int_equal(zoo->catalog.models[0].modality, FEW_SOUND);
    assert_int_equal(in->modality, FEW_SOUND);
    assert_string_equal(in->name, "input");
    assert_int_equal(in->window.rate, 16000);
    assert_int_equal(in->window.length, 512);
    assert_int_equal(in->window.hop, 256);
    assert_int_equal(in->window.context, 64);
    assert_int_equal(few__input_numbers(in), 576);
    assert_int_equal(in->n_states, 2);
    assert_string_equal(in->states[0].input, "state");
    assert_string_equal(in->states[0].output, "stateN");
    assert_int_equal(in->states[0].n_dims, 3);
    assert_int_equal(in->states[0].dims[2], 128);
    assert_int_equal(in->states[1].n_dims, 1);
    assert_int_equal(in->states[1].dims[0], 7);
    assert_int_equal(in->n_constants, 2);
    assert_string_equal(in->constants[1].input, "gain");
    assert_near(in->constants[1].value, -0.5, 0);
    assert_int_equal(zoo->recipes[0].combine, FEW__LAST);
    assert_int_equal(in->pixels.needs, -1);
    assert_int_equal(zoo->n_pixels, 0);
    assert_true(zoo->looks_at[FEW_SOUND]);
    assert_false(zoo->looks_at[FEW_IMAGE] || zoo->looks_at[FEW_TEXT]);
    few_zoo_close(zoo);
}

static void test_defaults(void **state)
{
    (void)state;
    struct few_zoo *zoo =
        open_models("  - &s {name: scalar, file: m.onnx, input: &i {kind: sound, rate: 44100, window: 100},\n"
                    "        output: {kind: scalar}}\n"
                    "  - {<<: *s, name: labels, output: {kind: labels, labels: words}}\n"
                    "  - {<<: *s, name: classes, output: {kind: classes, labels: words}}\n"
                    "  - {<<: *s, name: vector, output: {kind: vector}}\n"
                    "  - {name: text, file: m.onnx, input: {kind: text, length: 3, vocabulary: words},\n"
                    "     output: {kind: sequence, decode: ctc, labels: words}}\n"
                    "  - {name: image, file: m.onnx, input: {size: [4, 4]}, output: {kind: scalar}}\n");
    const struct few__recipe *r = zoo->recipes;
    assert_int_equal(r[0].input.window.hop, 100);
    assert_int_equal(r[0].input.window.context, 0);
    assert_int_equal(r[0].input.n_states + r[0].input.n_constants, 0);
    assert_null(r[0].input.name);
    static const enum few__combine combines[] = {FEW__MAX, FEW__MAX, FEW__MEAN, FEW__MEAN};
    for (size_t i = 0; i < 4; i++) assert_int_equal(r[i].combine, combines[i]);
    const struct few__tokens *tokens = &r[4].input.tokens;
    assert_int_equal(zoo->catalog.models[4].modality, FEW_TEXT);
    assert_int_equal(tokens->split, FEW__WORDS);
    assert_int_equal(tokens->length, 3);
    assert_int_equal(tokens->n_names, 2);
    assert_string_equal(tokens->names[1], "sun");
    assert_int_equal(tokens->unknown, 0);
    assert_int_equal(tokens->pad, 0);
    assert_int_equal(few__input_numbers(&r[4].input), 3);
    assert_int_equal(zoo->catalog.models[5].modality, FEW_IMAGE);
    assert_int_equal(few__input_numbers(&r[5].input), 48);
    assert_int_equal(r[5].input.i_pixels, 0); // sound and text have none
    assert_int_equal(zoo->n_pixels, 1);
    assert_int_equal(zoo->n_tensors, 1);
    for (int m = 0; m < FEW_MODALITY_COUNT; m++) assert_true(zoo->looks_at[m]);
    few_zoo_close(zoo);
}

static void test_text_is_read(void **state)
{
    (void)state;
    struct few_zoo *zoo = open_models(
        "  - {name: t, file: m.onnx, output: {kind: labels, labels: words},\n"
        "     input: {kind: text, split: characters, length: 65536, vocabulary: words, unknown: 2147483647,\n"
        "             pad: -2147483648, name: ids, constants: {mask: 1}}}\n");
    const struct few__input *in = &zoo->recipes[0].input;
    assert_int_equal(in->tokens.split, FEW__CHARACTERS);
    assert_int_equal(in->tokens.length, 65536);
    assert_int_equal(in->tokens.unknown, 2147483647);
    assert_int_equal(in->tokens.pad, -2147483647 - 1);
    assert_string_equal(in->name, "ids");
    assert_int_equal(in->n_constants, 1);
    few_zoo_close(zoo);
}

// Each rate once, rising, whatever the order of the models.
static void test_rates(void **state)
{
    (void)state;
    struct few_zoo *zoo = open_models("  - &a {name: a, file: m.onnx, input: &i {kind: sound, rate: 44100, "
                                      "window: 1}, output: {kind: scalar}}\n"
                                      "  - {<<: *a, name: b, input: {<<: *i, rate: 8000}}\n"
                                      "  - {<<: *a, name: c, input: {<<: *i, rate: 384000}}\n"
                                      "  - {<<: *a, name: d, input: {<<: *i, rate: 8000}}\n"
                                      "  - {<<: *a, name: e, input: {<<: *i, rate: 16000}}\n"
                                      "  - {<<: *a, name: f, input: {<<: *i, rate: 384000}}\n");
    static const int rates[] = {8000, 16000, 44100, 384000};
    assert_int_equal(zoo->n_rates, 4);
    assert_memory_equal(zoo->rates, rates, sizeof rates);
    few_zoo_close(zoo);
}

static void test_most_of_everything(void **state)
{
    (void)state;
    struct few_zoo *zoo = open_models(
        "  - name: s\n"
        "    file: m.onnx\n"
        "    input: {kind: sound, rate: 1000, window: 16777215, context: 1,\n"
        "            constants: {a: 1, b: 2, c: 3, d: 4e200},\n"
        "            states: [{input: e, output: e, dims: [4194304]}, {input: f, output: f, dims: [2, 2048, "
        "1024, 1]},\n"
        "                     {input: g, output: g, dims: [1]}, {input: h, output: h, dims: [1]}]}\n"
        "    output: {kind: scalar}\n");
    assert_int_equal(zoo->recipes[0].input.n_states, FEW__STATES_MAX);
    assert_int_equal(zoo->recipes[0].input.n_constants, FEW__CONSTANTS_MAX);
    assert_int_equal(few__input_numbers(&zoo->recipes[0].input), FEW__WINDOW_MAX);
    few_zoo_close(zoo);
}

/* ---- what is not ---- */

#define SOUND "kind: sound, rate: 16000, window: 512"
#define TEXT  "kind: text, length: 4, vocabulary: words"

static void test_kinds(void **state)
{
    (void)state;
    expect_mistake("kind: video, length: 3", "kind: scalar",
                   "5 models[0].input.kind|image, sound or text|\"video\"\n");
    expect_mistake("kind: [sound], size: 3", "kind: scalar",
                   "5 models[0].input.kind|image, sound or text|a list of 1\n");
    expect_mistake("kind: sound, size: [4, 4], windw: 3", "kind: scalar",
                   "5 models[0].input.rate|samples a second, from 1000 to 384000|nothing\n"
                   "5 models[0].input.window|samples, or a time with ms or s|nothing\n"
                   "5 models[0].input.size|a known key (kind, name, rate, window, hop, context, states or "
                   "constants)|\"size\"\n"
                   "5 models[0].input.windw|a known key, perhaps \"window\"|\"windw\"\n");
    expect_mistake("kind: text, rate: 3", "kind: scalar",
                   "5 models[0].input.length|a whole number from 1 to 65536|nothing\n"
                   "5 models[0].input.vocabulary|a name under labels|nothing\n"
                   "5 models[0].input.rate|a known key, perhaps \"name\"|\"rate\"\n");
    expect_mistake(
        "window: 4", "kind: scalar",
        "5 models[0].input.size|[width, height], each from 1 to 8192|nothing\n"
        "5 models[0].input.window|a known key (kind, name, size, resize, sampling, min_width, pad, "
        "layout, colour, mean, std, crop, expand or pick)|\"window\"\n");
}

static void test_windows(void **state)
{
    (void)state;
    expect_mistake("kind: sound, rate: 999, window: 4m, hop: -1, context: x", "kind: scalar",
                   "5 models[0].input.rate|samples a second, from 1000 to 384000|999\n"
                   "5 models[0].input.window|samples, or a time with ms or s|4m\n"
                   "5 models[0].input.hop|samples, or a time with ms or s|-1\n"
                   "5 models[0].input.context|samples, or a time with ms or s|\"x\"\n");
    expect_mistake("kind: sound, rate: 384001, window: 4", "kind: scalar",
                   "5 models[0].input.rate|samples a second, from 1000 to 384000|384001\n");
    expect_mistake("kind: sound, rate: 22050, window: 10ms, hop: 1.5, context: 0.5ms", "kind: scalar",
                   "5 models[0].input.window|whole samples at 22050 a second|10ms\n"
                   "5 models[0].input.hop|whole samples at 22050 a second|1.5\n"
                   "5 models[0].input.context|whole samples at 22050 a second|0.5ms\n");
    expect_mistake("kind: sound, rate: 16000, window: 0, hop: 0s", "kind: scalar",
                   "5 models[0].input.window|1 to 16777216 samples|0\n"
                   "5 models[0].input.hop|1 to 16777216 samples|0s\n");
    expect_mistake("kind: sound, rate: 16000, window: 1048.577s", "kind: scalar",
                   "5 models[0].input.window|1 to 16777216 samples|1048.577s\n");
    expect_mistake("kind: sound, rate: 16000, window: 10, hop: 11", "kind: scalar",
                   "5 models[0].input.hop|at most the window: no sound is left out|11\n");
    expect_mistake("kind: sound, rate: 16000, window: 16777216, context: 1", "kind: scalar",
                   "5 models[0].input.context|at most 16777216 samples with the window|1\n");
}

static void test_states(void **state)
{
    (void)state;
    static const char list[] = "5 models[0].input.states|a list of 1 to 4 states|";
    static const char *const lists[][2] = {{"[]", "a list of 0\n"},
                                           {"{}", "a map of 0 keys\n"},
                                           {"3", "3\n"},
                                           {"[1, 2, 3, 4, 5]", "a list of 5\n"}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        char input[256], expected[256];
        snprintf(input, sizeof input, SOUND ", states: %s", lists[i][0]);
        snprintf(expected, sizeof expected, "%s%s", list, lists[i][1]);
        expect_mistake(input, "kind: scalar", expected);
    }
    expect_mistake(
        SOUND ", states: [{input: a, dims: [0, 1, 2, 3, 4]}, 5]", "kind: scalar",
        "5 models[0].input.states[0].output|the name of an output tensor|nothing\n"
        "5 models[0].input.states[0].dims|a list of 1 to 4 whole numbers from 1 to 4194304|a list of "
        "5\n"
        "5 models[0].input.states[1]|a map|5\n");
    expect_mistake(SOUND ", states: [{input: a, output: b, dims: [0, 4194305]}]", "kind: scalar",
                   "5 models[0].input.states[0].dims[0]|a list of 1 to 4 whole numbers from 1 to 4194304|0\n"
                   "5 models[0].input.states[0].dims[1]|a list of 1 to 4 whole numbers from 1 to 4194304|"
                   "4194305\n");
    expect_mistake(SOUND ", states: [{input: a, output: b, dims: [2048, 2049]}]", "kind: scalar",
                   "5 models[0].input.states|at most 4194304 numbers in each|a list of 1\n");
}

static void test_constants(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"[]", "5 models[0].input.constants|a map of 1 to 4 input tensors and their numbers|a list of 0\n"},
        {"{}",
         "5 models[0].input.constants|a map of 1 to 4 input tensors and their numbers|a map of 0 keys\n"},
        {"{a: 1, b: 2, c: 3, d: 4, e: 5}",
         "5 models[0].input.constants|a map of 1 to 4 input tensors and their numbers|a map of 5 keys\n"},
        {"{a: x, \"\": 2}", "5 models[0].input.constants.a|a number|\"x\"\n"
                            "5 models[0].input.constants|a key that is a text|\"\"\n"},
        {"{a: 1e301}", "5 models[0].input.constants.a|a number|1e301\n"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char input[256];
        snprintf(input, sizeof input, SOUND ", constants: %s", wrong[i][0]);
        expect_mistake(input, "kind: scalar", wrong[i][1]);
    }
}

static void test_each_tensor_has_one_use(void **state)
{
    (void)state;
    expect_mistake(SOUND ", name: a, states: [{input: a, output: b, dims: [1]}]", "kind: scalar",
                   "5 models[0].input.states|each input tensor once, in name, states and constants|\"a\"\n");
    expect_mistake(SOUND ", constants: {x: 1}, states: [{input: x, output: b, dims: [1]}]", "kind: scalar",
                   "5 models[0].input.states|each input tensor once, in name, states and constants|\"x\"\n");
    expect_mistake(
        SOUND ", name: x, constants: {x: 1}", "kind: scalar",
        "5 models[0].input.constants|each input tensor once, in name, states and constants|\"x\"\n");
    expect_mistake(SOUND ", states: [{input: a, output: c, dims: [1]}, {input: b, output: c, dims: [1]}]",
                   "kind: scalar",
                   "5 models[0].input.states|each output tensor once, in states and tensors|\"c\"\n");
    expect_mistake(SOUND ", states: [{input: a, output: c, dims: [1]}]", "kind: scalar, tensors: [c]",
                   "5 models[0].input.states|each output tensor once, in states and tensors|\"c\"\n");
}

static void test_text_mistakes(void **state)
{
    (void)state;
    expect_mistake(
        "kind: text, split: letters, length: 65537, vocabulary: word, unknown: 1.5, pad: 4294967296",
        "kind: scalar",
        "5 models[0].input.split|words or characters|\"letters\"\n"
        "5 models[0].input.length|a whole number from 1 to 65536|65537\n"
        "5 models[0].input.vocabulary|a name under labels, perhaps \"words\"|\"word\"\n"
        "5 models[0].input.unknown|a whole number of 32 bits|1.5\n"
        "5 models[0].input.pad|a whole number of 32 bits|4294967296\n");
}

static void test_outputs(void **state)
{
    (void)state;
    static const char sound[] = "classes, labels, scalar or vector, as the answers of windows are combined";
    static const char *const kinds[] = {"detections", "box", "sequence"};
    char expected[512];
    for (size_t i = 0; i < 2; i++) {
        const char *decode = i ? "" : ", decode: yunet";
        char output[64];
        snprintf(output, sizeof output, "kind: %s%s", kinds[i], decode);
        if (i) snprintf(expected, sizeof expected, "6 models[0].output.kind|%s|\"%s\"\n", sound, kinds[i]);
        else
            snprintf(expected, sizeof expected,
                     "6 models[0].output.decode|values where input is sound|\"yunet\"\n");
        expect_mistake(SOUND, output, expected);
    }
    expect_mistake(SOUND, "kind: sequence, decode: ctc, labels: words",
                   "6 models[0].output.decode|values where input is sound|\"ctc\"\n");
    expect_mistake(SOUND, "kind: labels, decode: seg-mean, labels: words",
                   "6 models[0].output.decode|values where input is sound|\"seg-mean\"\n");
    expect_mistake(TEXT, "kind: box",
                   "6 models[0].output.kind|classes, labels, scalar, vector or sequence where input is text|"
                   "\"box\"\n");
    expect_mistake(TEXT, "kind: detections, decode: yunet",
                   "6 models[0].output.decode|values or ctc where input is text|\"yunet\"\n");
    expect_mistake(TEXT, "kind: scalar, combine: max",
                   "6 models[0].output.combine|no such key unless input is sound|\"max\"\n");
    expect_mistake("size: [4, 4]", "kind: scalar, combine: median",
                   "6 models[0].output.combine|mean, max or last|\"median\"\n"
                   "6 models[0].output.combine|no such key unless input is sound|\"median\"\n");
}

static void test_keys_of_models(void **state)
{
    (void)state;
    expect_models(
        "  - {name: f, file: m.onnx, input: {size: [4, 4]}, output: {kind: box}}\n"
        "  - {name: s, file: m.onnx, input: {" SOUND "}, output: {kind: scalar}, needs: f, batch: 2}\n"
        "  - {name: t, file: m.onnx, input: {" TEXT "}, output: {kind: scalar}, needs: f, batch: 1}\n"
        "  - {name: r, backend: replay, file: m.onnx, output: {kind: scalar},\n"
        "     input: {" SOUND ", constants: {a: 1}}}\n"
        "  - {name: w, backend: worker, command: [a], output: {kind: scalar},\n"
        "     input: {" SOUND ", states: [{input: a, output: b, dims: [1]}]}}\n",
        "5 models[1].needs|no such key where input is sound|\"f\"\n"
        "5 models[1].batch|no such key where input is sound|2\n"
        "6 models[2].needs|no such key where input is text|\"f\"\n"
        "6 models[2].batch|no such key where input is text|1\n"
        "8 models[3].input.constants|no such key where backend is replay|a map of 1 keys\n"
        "10 models[4].input.states|no such key where backend is worker|a list of 1\n");
}

static void test_models_together(void **state)
{
    (void)state;
    expect_models("  - {name: s, file: m.onnx, input: {" SOUND "}, output: {kind: scalar}}\n"
                  "  - {name: t, file: m.onnx, input: {" TEXT "}, output: {kind: scalar}, variant_of: s}\n"
                  "  - {name: i, file: m.onnx, input: {size: [4, 4]}, output: {kind: scalar}, needs: s}\n",
                  "5 models[1].variant_of|a model of the same kind of input|\"s\"\n"
                  "6 models[2].needs|a model of kind detections or box|\"s\" of kind scalar\n");
    expect_models(
        "  - &a {name: a, file: m.onnx, input: &i {kind: sound, rate: 44100, window: 1}, output: {kind: "
        "scalar}}\n"
        "  - {<<: *a, name: b, input: {<<: *i, rate: 8000}}\n"
        "  - {<<: *a, name: c, input: {<<: *i, rate: 11025}}\n"
        "  - {<<: *a, name: d, input: {<<: *i, rate: 22050}}\n"
        "  - {<<: *a, name: e, input: {<<: *i, rate: 8000}}\n"
        "  - {<<: *a, name: f, input: {<<: *i, rate: 16000}}\n"
        "  - {<<: *a, name: g, input: {<<: *i, rate: 32000}}\n",
        "9 models[5].input.rate|one of the 4 rates that models before it have (44100, 8000, 11025, "
        "22050)|16000\n");
}

/* ---- memory ---- */

static enum few_status open_both(const struct few_mem *mem, void *ud)
{
    const struct few_zoo_opts opts = {.size = sizeof opts, .env = {.mem = mem}};
    struct few_zoo *zoo;
    enum few_status status = few_zoo_open(ud, &opts, &zoo, NULL);
    few_zoo_close(zoo);
    return status == FEW_EPARSE ? FEW_OK : status;
}

static void test_no_memory(void **state)
{
    (void)state;
    few_zoo_close(open_models("  - {name: s, file: m.onnx, output: {kind: scalar},\n"
                              "     input: {" SOUND
                              ", constants: {a: 1}, states: [{input: c, output: b, dims: [1]}]}}\n"
                              "  - {name: t, file: m.onnx, input: {" TEXT "}, output: {kind: scalar}}\n"));
    char path[512];
    snprintf(path, sizeof path, "%s", t_path("zoo.yaml"));
    t_fail_each_allocation(open_both, path);
    expect_mistake(SOUND ", hop: 1.5, states: [{input: c, output: b, dims: [1]}], constants: {c: 1}",
                   "kind: box",
                   "5 models[0].input.hop|whole samples at 16000 a second|1.5\n"
                   "5 models[0].input.states|each input tensor once, in name, states and constants|\"c\"\n"
                   "6 models[0].output.kind|classes, labels, scalar or vector, as the answers of windows are "
                   "combined|\"box\"\n");
    t_fail_each_allocation(open_both, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_is_read),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_text_is_read),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_most_of_everything),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_each_tensor_has_one_use),
        cmocka_unit_test(test_text_mistakes),
        cmocka_unit_test(test_outputs),
        cmocka_unit_test(test_keys_of_models),
        cmocka_unit_test(test_models_together),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
