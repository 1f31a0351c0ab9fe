// SPDX-License-Identifier: Apache-2.0
// What a right manifest becomes: recipes, labels, order, shared inputs; its limits; and its documentation.
#include "model/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/rng.h"
#include "core/text.h"
#include "model/manifest_fields.h"
#include "support/support.h"

static struct few_zoo *open_text(const char *text)
{
    struct few_zoo *zoo;
    struct few_error err;
    t_write(t_path("zoo.yaml"), text, strlen(text));
    assert_status(few_zoo_open(t_path("zoo.yaml"), NULL, &zoo, &err), FEW_OK, &err);
    return zoo;
}

static int setup(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("m.onnx"), "model", 5);
    t_write(t_path("other.onnx"), "other", 5);
    t_write(t_path("labels.txt"), "# space: sky\nnone\nsun\nrain\n", 27);
    return 0;
}

static const char full[] = //
    "version: 1\n"
    "name: all\n"
    "labels:\n"
    "  sky: {file: labels.txt, null_labels: [none], count: 3}\n"
    "  ground: {names: [grass, \"5\"]}\n"
    "models:\n"
    "  - name: chained\n"
    "    task: second\n"
    "    backend: onnx\n"
    "    file: m.onnx\n"
    "    needs: found\n"
    "    priority: 2.5\n"
    "    cost: {time_ms: 7.9, memory: 1.5MiB}\n"
    "    variant_of: chained\n"
    "    input: {kind: image, name: in, size: [640, 32], resize: height, min_width: 48, layout: NHWC,\n"
    "            colour: GRAY, mean: 127.5, std: [2], crop: box, pick: largest-wide}\n"
    "    output: {kind: scalar, values: 1, offset: 2, step: 3, activation: sigmoid, empty: -1, tolerance: "
    "0.5}\n"
    "  - name: found\n"
    "    file: other.onnx\n"
    "    input: {size: [320, 240], mean: [103.53, 116.28, 123.675], std: [1e0, .5, 2.], pad: 114,\n"
    "            resize: letterbox-centre, colour: BGR}\n"
    "    output: {kind: detections, decode: fastestv2, tensors: [a, b], labels: ground, threshold: 0.25,\n"
    "             keep: 0.1, iou: 0.6, strides: [16, 32], anchors: [1, 2.5]}\n"
    "    cost: {memory: 300}\n"
    "  - name: weather\n"
    "    file: m.onnx\n"
    "    variant_of: climate\n"
    "    input: {size: [8, 8], pad: 9}\n"
    "    output: {kind: labels, decode: seg-mean, map_layout: NHWC, fraction: 0.5, labels: sky}\n"
    "  - name: climate\n"
    "    file: m.onnx\n"
    "    input: {size: [8, 8]}\n"
    "    output: {kind: labels, labels: sky}\n";

static void test_everything_is_read(void **state)
{
    (void)state;
    struct few_zoo *zoo = open_text(full);
    const struct few_model *m = few_zoo_catalog(zoo)->models;
    const struct few__recipe *r = zoo->recipes;
    assert_int_equal(zoo->catalog.n_models, 4);
    assert_string_equal(m[0].task, "second");
    assert_int_equal(m[0].kind, FEW_SCALAR);
    assert_int_equal(m[0].needs, 1);
    assert_int_equal(m[0].variant_of, 0);
    assert_near(m[0].priority, 2.5, 0);
    assert_int_equal(m[0].cost.time_us, 7900);
    assert_int_equal(m[0].cost.memory_bytes, 1536 * 1024);
    assert_near(m[0].empty, -1, 0);
    assert_near(m[0].tolerance, 0.5, 0);
    const struct few__input *in = &r[0].input;
    assert_string_equal(in->name, "in");
    assert_int_equal(in->pixels.resize, FEW__HEIGHT);
    assert_int_equal(in->pixels.width, 640);
    assert_int_equal(in->pixels.height, 32);
    assert_int_equal(in->pixels.min_width, 48);
    assert_int_equal(in->pixels.needs, 1);
    assert_int_equal(in->pixels.crop, FEW__BOX);
    assert_int_equal(in->pixels.pick, FEW__LARGEST_WIDE);
    assert_int_equal(in->colour, FEW__GRAY);
    assert_int_equal(in->layout, FEW__NHWC);
    assert_near_all(in->mean, ((float[]){127.5f, 127.5f, 127.5f}), 3, 0);
    assert_near_all(in->std, ((float[]){2, 2, 2}), 3, 0);
    assert_int_equal(r[0].decode.activation, FEW__SIGMOID);
    assert_int_equal(r[0].decode.n_values, 1);
    assert_int_equal(r[0].decode.offset, 2);
    assert_int_equal(r[0].decode.step, 3);
    in = &r[1].input;
    assert_near_all(in->mean, ((float[]){103.53f, 116.28f, 123.675f}), 3, 0);
    assert_near_all(in->std, ((float[]){1, 0.5f, 2}), 3, 0);
    assert_int_equal(in->pixels.pad, 114);
    assert_int_equal(in->pixels.resize, FEW__LETTERBOX_CENTRE);
    assert_int_equal(in->colour, FEW__BGR);
    const struct few__decode *d = &r[1].decode;
    assert_int_equal(d->kind, FEW__DECODE_FASTESTV2);
    assert_int_equal(d->n_outputs, 2);
    assert_string_equal(d->outputs[1], "b");
    assert_near(d->keep, 0.1f, 0);
    assert_near(d->iou, 0.6f, 0);
    assert_int_equal(d->n_strides, 2);
    assert_int_equal(d->strides[1], 32);
    assert_int_equal(d->n_anchors, 2);
    assert_near(d->anchors[1], 2.5, 0);
    assert_near(m[1].threshold, 0.25, 0);
    assert_int_equal(m[1].cost.memory_bytes, 300);
    assert_string_equal(m[1].labels[1], "5");
    assert_string_equal(m[1].space, "ground");
    assert_int_equal(r[2].decode.layout, FEW__NHWC);
    assert_near(r[2].decode.fraction, 0.5, 0);
    assert_int_equal(m[2].variant_of, 3);
    assert_int_equal(m[3].variant_of, 3);
    assert_string_equal(m[2].space, "sky"); // the file says so
    assert_int_equal(m[2].n_labels, 3);
    assert_true(m[2].is_null[0] && !m[2].is_null[1]);
    few_zoo_close(zoo);
}

static void test_defaults(void **state)
{
    (void)state;
    struct few_zoo *zoo =
        open_text("version: 1\n"
                  "models:\n"
                  "  - {name: a, file: m.onnx, input: {size: [4, 5]}, output: {kind: box}}\n"
                  "  - {name: b, file: m.onnx, needs: a, input: {size: [4, 5]},\n"
                  "     output: {kind: detections, decode: regions}}\n"
                  "  - {name: c, file: m.onnx, input: {size: [4, 5]},\n"
                  "     output: {kind: scalar, decode: mask-share}}\n");
    const struct few_model *m = &zoo->catalog.models[0];
    const struct few__recipe *r = zoo->recipes;
    assert_string_equal(r->backend, "onnx");
    assert_int_equal(r->n_command, 0);
    assert_int_equal(r->batch, 1);
    assert_int_equal(r->timeout_us, 60000000);
    assert_null(r->input.name);
    assert_int_equal(r->input.pixels.resize, FEW__STRETCH);
    assert_int_equal(r->input.pixels.needs, -1);
    assert_int_equal(r->input.pixels.crop, FEW__WHOLE);
    assert_near(r->input.pixels.expand, 1, 0);
    assert_int_equal(r->input.colour, FEW__RGB);
    assert_int_equal(r->input.layout, FEW__NCHW);
    assert_near_all(r->input.mean, ((float[]){0, 0, 0}), 3, 0);
    assert_near_all(r->input.std, ((float[]){1, 1, 1}), 3, 0);
    assert_int_equal(r->decode.kind, FEW__DECODE_VALUES);
    assert_int_equal(r->decode.n_values, 4);
    assert_int_equal(r->decode.step, 1);
    assert_int_equal(r->decode.n_outputs, 0);
    assert_near(r->decode.keep, 0.3f, 0);
    assert_near(r->decode.iou, 0.45f, 0);
    assert_near(m->threshold, 0.5, 0);
    assert_near(m->priority, 1, 0);
    assert_int_equal(m->variant_of, -1);
    assert_int_equal(m->cost.time_us, 0);
    assert_string_equal(m->task, "");
    assert_string_equal(zoo->catalog.labels[m->own_label].name, "a");
    assert_int_equal(r[1].input.pixels.crop, FEW__SQUARE);
    assert_int_equal(r[1].input.pixels.needs, 0);
    assert_near(r[1].decode.mask_threshold, 0.3f, 0);
    assert_near(r[1].decode.region_mean, 0.6f, 0);
    assert_near(r[1].decode.unclip, 1.5f, 0);
    assert_int_equal(r[1].decode.region_pixels, 16);
    assert_near(r[2].decode.mask_threshold, 0.5f, 0);
    few_zoo_close(zoo);
}

/* Inputs of one size: what has no effect (a pad without a border) keeps nothing apart. */
static void test_equal_inputs_are_shared(void **state)
{
    (void)state;
    struct few_zoo *zoo =
        open_text("version: 1\n"
                  "models:\n"
                  "  - {name: a, file: m.onnx, input: &i {size: [4, 5]}, output: &o {kind: detections, "
                  "decode: yunet}}\n"
                  "  - {name: b, file: m.onnx, input: {<<: *i, pad: 3}, output: *o}\n"
                  "  - {name: c, file: m.onnx, input: {<<: *i, mean: 2}, output: *o}\n"
                  "  - {name: d, file: m.onnx, input: {<<: *i, resize: letterbox, pad: 3}, output: *o}\n"
                  "  - {name: e, file: m.onnx, input: {<<: *i, resize: letterbox}, output: *o}\n"
                  "  - {name: f, file: m.onnx, input: *i, output: *o, needs: a}\n"
                  "  - {name: g, file: m.onnx, input: *i, output: *o, needs: b}\n"
                  "  - {name: h, file: m.onnx, input: *i, output: *o, needs: a}\n"
                  "  - {name: i, file: m.onnx, input: {<<: *i, pick: largest}, output: *o, needs: a}\n"
                  "  - {name: j, file: m.onnx, input: {<<: *i, crop: whole}, output: *o, needs: a}\n");
    static const size_t pixels[] = {0, 0, 0, 1, 2, 3, 4, 3, 5, 0}, tensors[] = {0, 0, 1, 2, 3, 4, 5, 4, 6, 0};
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(zoo->recipes[i].input.i_pixels, pixels[i]);
        assert_int_equal(zoo->recipes[i].input.i_tensor, tensors[i]);
    }
    assert_int_equal(zoo->n_pixels, 6);
    assert_int_equal(zoo->n_tensors, 7);
    few_zoo_close(zoo);
}

static void test_order_puts_needs_first(void **state)
{
    (void)state;
    struct few_zoo *zoo = open_text("version: 1\n"
                                    "models:\n"
                                    "  - {name: a, file: m.onnx, input: &i {size: [4, 5]}, output: &o {kind: "
                                    "detections, decode: yunet}}\n"
                                    "  - {name: b, file: m.onnx, input: *i, output: *o, needs: d}\n"
                                    "  - {name: c, file: m.onnx, input: *i, output: *o}\n"
                                    "  - {name: d, file: m.onnx, input: *i, output: *o, needs: e}\n"
                                    "  - {name: e, file: m.onnx, input: *i, output: *o}\n");
    static const size_t order[] = {0, 4, 3, 1, 2};
    for (size_t i = 0; i < 5; i++) assert_int_equal(zoo->order[i], order[i]);
    few_zoo_close(zoo);
}

static void test_digests_and_paths(void **state)
{
    (void)state;
    char text[1024], digest[65];
    snprintf(text, sizeof text,
             "version: 1\n"
             "models: [{name: a, file: %s, input: &i {size: [4, 5]}, output: &o {kind: vector}},\n"
             "         {name: b, file: m.onnx, input: *i, output: *o}]\n",
             t_path("other.onnx"));
    struct few_zoo *zoo = open_text(text), *again;
    assert_int_equal(few__sha256("other", 5, digest), FEW_OK);
    assert_string_equal(zoo->catalog.models[0].digest, digest);
    assert_int_equal(few__sha256("model", 5, digest), FEW_OK);
    assert_string_equal(zoo->catalog.models[1].digest, digest);
    assert_int_equal(few__sha256(text, strlen(text), digest), FEW_OK);
    assert_string_equal(zoo->digest, digest);
    assert_string_equal(zoo->path, t_path("zoo.yaml"));
    few_zoo_close(zoo);
    assert_int_equal(mkdir(t_path("root"), 0700), 0); // files of another root
    t_write(t_path("root/m.onnx"), "third", 5);
    char root[512];
    snprintf(root, sizeof root, "%s", t_path("root"));
    struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    struct few_error err;
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &again, &err), FEW_OK, &err);
    assert_int_equal(few__sha256("third", 5, digest), FEW_OK);
    assert_string_equal(again->catalog.models[1].digest, digest);
    few_zoo_close(again);
    few_zoo_close(NULL);
}

/* ---- limits ---- */

static struct few__text text_with_models(size_t n)
{
    struct few__text text;
    few__text_init(&text, NULL, FEW_ZOO_FILE_MAX);
    few__text_put(&text, "version: 1\nmodels:\n"
                         "- {name: m0, file: m.onnx, input: &i {size: [4, 5]}, output: &o {kind: vector}}\n");
    for (size_t i = 1; i < n; i++)
        few__text_printf(&text, "- {name: m%zu, file: m.onnx, input: *i, output: *o}\n", i);
    assert_true(few__text_ok(&text));
    return text;
}

static void test_most_models(void **state)
{
    (void)state;
    struct few__text text = text_with_models(FEW_MODELS_MAX);
    struct few_zoo *zoo = open_text(text.s);
    assert_int_equal(zoo->catalog.n_models, FEW_MODELS_MAX);
    assert_int_equal(zoo->n_tensors, 1);
    few_zoo_close(zoo);
    few__text_finish(&text);
    text = text_with_models(FEW_MODELS_MAX + 1);
    struct few_error err;
    t_write(t_path("many.yaml"), text.s, text.n);
    assert_status(few_zoo_open(t_path("many.yaml"), NULL, &zoo, &err), FEW_EPARSE, &err);
    assert_non_null(strstr(err.message, "models: expected a list of 1 to 4096 models, found a list of 4097"));
    assert_null(zoo);
    few__text_finish(&text);
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    struct few_zoo *zoo;
    struct few_error err;
    assert_status(few_zoo_open(t_path("none.yaml"), NULL, &zoo, &err), FEW_ENOENT, &err);
    assert_status(few_zoo_open(NULL, NULL, &zoo, &err), FEW_EINVAL, &err);
    assert_status(few_zoo_open("x", &(struct few_zoo_opts){0}, &zoo, &err), FEW_EINVAL, &err);
    char *large = few__new(NULL, FEW_ZOO_FILE_MAX + 1, 1);
    memset(large, '#', FEW_ZOO_FILE_MAX + 1);
    t_write(t_path("large.yaml"), large, FEW_ZOO_FILE_MAX + 1);
    assert_status(few_zoo_open(t_path("large.yaml"), NULL, &zoo, &err), FEW_ELIMIT, &err);
    few__free(NULL, large);
}

static enum few_status open_and_close(const struct few_mem *mem, void *ud)
{
    struct few_zoo_opts opts = {.size = sizeof opts, .env = {.mem = mem}};
    struct few_zoo *zoo;
    enum few_status status = few_zoo_open(ud, &opts, &zoo, NULL);
    few_zoo_close(zoo);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct few__text text = text_with_models(300); // several blocks of each arena
    few_zoo_close(open_text(text.s));
    few__text_finish(&text);
    t_fail_each_allocation(open_and_close, (void *)t_path("zoo.yaml"));
    few_zoo_close(open_text(full));
    t_fail_each_allocation(open_and_close, (void *)t_path("zoo.yaml"));
}

/* Random changes to a right manifest: read, or refused with a place; never a crash. */
static void test_survives_any_text(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 0);
    static const char marks[] = "{}[]:,-#&*!|>'\"%@`? \n\t0a<.~\\\xC3";
    size_t refused = 0;
    for (int round = 0; round < 1500; round++) {
        char text[sizeof full];
        memcpy(text, full, sizeof full);
        size_t n = sizeof full - 1, changes = 1 + (size_t)few__rng_below(&rng, 3);
        for (size_t i = 0; i < changes; i++)
            text[few__rng_below(&rng, n)] = marks[few__rng_below(&rng, sizeof marks - 1)];
        if (few__rng_below(&rng, 8) == 0) n = (size_t)few__rng_below(&rng, n);
        t_write(t_path("any.yaml"), text, n);
        struct few_zoo *zoo;
        struct few_error err;
        enum few_status status = few_zoo_open(t_path("any.yaml"), NULL, &zoo, &err);
        assert_true(status == FEW_OK || status == FEW_EPARSE || status == FEW_ELIMIT);
        assert_true((status == FEW_OK) == (zoo != NULL));
        refused += status != FEW_OK;
        few_zoo_close(zoo);
    }
    assert_true(refused > 500);
}

/* ---- backends ---- */

static const char workers[] = //
    "version: 1\n"
    "models:\n"
    "  - {name: w, backend: worker, command: [python3, worker.py, -u, labels.txt, none.txt, 7], batch: 8,\n"
    "     timeout: 1.5s, input: {size: [4, 4]}, output: &o {kind: vector}}\n"
    "  - {name: x, backend: worker, command: [python3, worker.py, -u, labels.txt, none.txt, 8], batch: 64,\n"
    "     timeout: 200ms, input: {size: [4, 4]}, output: *o}\n"
    "  - {name: p, backend: worker, command: [worker.py], timeout: 2min, input: {size: [4, 4]}, output: *o}\n"
    "  - {name: q, backend: worker, command: [cat], timeout: 1h, input: {size: [4, 4]}, output: *o}\n"
    "  - {name: r, backend: replay, file: m.onnx, timeout: 1ms, input: {size: [4, 4]}, output: *o}\n"
    "  - {name: s, backend: replay, file: m.onnx, input: {size: [4, 4]}, output: *o}\n"
    "  - {name: t, file: m.onnx, input: {size: [4, 4]}, output: *o}\n";

static void test_backends(void **state)
{
    (void)state;
    t_write(t_path("worker.py"), "print()", 7);
    struct few_zoo *zoo = open_text(workers);
    const struct few__recipe *r = zoo->recipes;
    assert_string_equal(r[0].backend, "worker");
    assert_int_equal(r[0].n_command, 6);
    assert_string_equal(r[0].command[0], "python3");
    assert_string_equal(r[0].command[1], t_path("worker.py"));
    assert_string_equal(r[0].command[2], "-u");
    assert_string_equal(r[0].command[3], t_path("labels.txt"));
    assert_string_equal(r[0].command[4], "none.txt"); // there is none
    assert_string_equal(r[0].command[5], "7");
    assert_string_equal(r[0].file, t_path("worker.py"));
    assert_int_equal(r[0].batch, 8);
    assert_int_equal(r[0].timeout_us, 1500000);
    assert_int_equal(r[1].batch, 64);
    assert_int_equal(r[1].timeout_us, 200000);
    assert_string_equal(r[2].command[0], t_path("worker.py"));
    assert_string_equal(r[2].file, t_path("worker.py"));
    assert_int_equal(r[2].timeout_us, 120000000);
    assert_null(r[3].file);
    assert_int_equal(r[3].timeout_us, (int64_t)3600 * 1000000);
    assert_string_equal(r[4].backend, "replay");
    assert_string_equal(r[4].file, t_path("m.onnx"));
    assert_int_equal(r[4].timeout_us, 1000);
    assert_string_equal(r[6].backend, "onnx");
    few_zoo_close(zoo);
}

// What the answers depend on changes the digest, and nothing else does.
static void test_digests_of_backends(void **state)
{
    (void)state;
    char first[7][FEW__SHA256_HEX], file[FEW__SHA256_HEX];
    t_write(t_path("worker.py"), "print()", 7);
    struct few_zoo *zoo = open_text(workers);
    for (size_t i = 0; i < 7; i++) {
        snprintf(first[i], sizeof first[i], "%s", zoo->catalog.models[i].digest);
        assert_int_equal(strlen(first[i]), 64);
        for (size_t k = 0; k < i; k++) assert_string_not_equal(first[i], first[k]);
    }
    few_zoo_close(zoo);
    assert_int_equal(few__sha256_file(t_path("m.onnx"), file, NULL), FEW_OK);
    assert_string_equal(first[6], file);
    t_write(t_path("worker.py"), "print(1)", 8);
    zoo = open_text(workers);
    for (size_t i = 0; i < 7; i++) {
        bool same = strcmp(first[i], zoo->catalog.models[i].digest) == 0;
        assert_int_equal(same, i > 2);
    }
    few_zoo_close(zoo);
}

/* ---- documentation ---- */

/* Every key of every table stands in docs/manifest.md, in the part of its section. */
static void test_every_key_is_documented(void **state)
{
    (void)state;
    char path[4096];
    char *text = NULL;
    size_t n;
    struct few_error err;
    snprintf(path, sizeof path, "%s/docs/manifest.md", t_source());
    assert_status(few__file_read(path, 1 << 20, NULL, &text, &n, &err), FEW_OK, &err);
    for (size_t i = 0; i < few__n_manifest_sections; i++) {
        const struct few__section *section = few__manifest_sections[i];
        char heading[64], row[64];
        snprintf(heading, sizeof heading, "\n## `%s`", section->name);
        const char *part = strstr(text, heading);
        if (!part) fail_msg("docs/manifest.md has no part \"## `%s`\"", section->name);
        const char *end = strstr(part + 1, "\n## ");
        for (size_t k = 0; k < section->n_fields; k++) {
            snprintf(row, sizeof row, "\n| `%s` |", section->fields[k].key);
            const char *at = strstr(part, row);
            if (!at || (end && at > end))
                fail_msg("%s: no row for `%s`", heading + 1, section->fields[k].key);
            const struct few__field *field = &section->fields[k];
            for (size_t c = 0; c < field->n_names; c++) { // every choice in the same row
                char choice[64];
                snprintf(choice, sizeof choice, "`%s`", field->names[c]);
                const char *found = strstr(at, choice);
                if (!found || found > strchr(at + 1, '\n')) fail_msg("`%s`: no %s", field->key, choice);
            }
        }
    }
    few__free(NULL, text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backends),
        cmocka_unit_test(test_digests_of_backends),
        cmocka_unit_test(test_everything_is_read),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_equal_inputs_are_shared),
        cmocka_unit_test(test_order_puts_needs_first),
        cmocka_unit_test(test_digests_and_paths),
        cmocka_unit_test(test_most_models),
        cmocka_unit_test(test_files_that_cannot_be_read),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_survives_any_text),
        cmocka_unit_test(test_every_key_is_documented),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
