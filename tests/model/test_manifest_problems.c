// SPDX-License-Identifier: Apache-2.0
/* Every mistake that a manifest can hold is told with its place, what was expected and what was found; all of them
 * at once, in order of line. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fewer/zoo.h>

#include "core/text.h"
#include "model/manifest_problems.h"
#include "model/manifest_yaml.h"
#include "support/support.h"

static struct few__text told; // one line for each problem: "line:column where|expected|found"

static void tell(void *ud, const struct few_problem *p)
{
    (void)ud;
    assert_string_equal(p->file, t_path("zoo.yaml"));
    few__text_printf(&told, "%d:%d %s|%s|%s\n", p->line, p->column, p->where, p->expected, p->found);
}

static const char *problems_of(const char *text, size_t n, struct few_error *err)
{
    struct few_zoo_opts opts = {.size = sizeof opts, .on_problem = tell};
    struct few_zoo *zoo = (void *)&opts;
    few__text_clear(&told);
    few__text_put(&told, "");
    t_write(t_path("zoo.yaml"), text, n);
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, err), FEW_EPARSE, err);
    assert_null(zoo);
    return told.s;
}

static void expect(const char *text, const char *expected)
{
    struct few_error err;
    assert_string_equal(problems_of(text, strlen(text), &err), expected);
}

/* A manifest whose one model has these lines, from line 5, column 5; and what is told of it. */
static void expect_model(const char *lines, const char *expected)
{
    char text[4096];
    snprintf(text, sizeof text,
             "version: 1\n"
             "labels: {sky: {names: [none, sun], null_labels: [none]}}\n"
             "models:\n"
             "  - name: m\n%s",
             lines);
    expect(text, expected);
}

static int setup(void **state)
{
    (void)state;
    t_tmpdir();
    t_write(t_path("m.onnx"), "model", 5);
    t_write(t_path("two.txt"), "a\nb\n", 4);
    few__text_init(&told, NULL, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    few__text_finish(&told);
    return 0;
}

#define FILE_LINE   "    file: m.onnx\n"
#define INPUT_LINE  "    input: {size: [4, 4]}\n"
#define OUTPUT_LINE "    output: {kind: vector}\n"

static void test_keys(void **state)
{
    (void)state;
    expect("", "1:1 version|1|nothing\n1:1 models|a list of 1 to 4096 models|nothing\n");
    expect("verson: 1\nmodels: []\nversion: 1\n", "1:1 verson|a known key, perhaps \"version\"|\"verson\"\n"
                                                  "2:9 models|a list of 1 to 4096 models|a list of 0\n");
    expect("version: 2\nversion: 1\nmodels: {}\n? [a]\n: b\n",
           "1:10 version|1|2\n2:1 version|the key once|it again after line 1\n"
           "3:9 models|a list of 1 to 4096 models|a map of 0 keys\n4:3 |a key that is a text|a list of 1\n");
    expect_model(FILE_LINE OUTPUT_LINE "    extra_things: 1\n",
                 "4:5 models[0].input|a map|nothing\n"
                 "7:5 models[0].extra_things|a known key (name, task, backend, file, command, batch, "
                 "timeout, input, output, needs, "
                 "variant_of, "
                 "priority or cost)|\"extra_things\"\n");
}

static void test_values(void **state)
{
    (void)state;
    expect_model(FILE_LINE "    input: {size: [4, 0.5], resize: strech}\n" OUTPUT_LINE,
                 "6:23 models[0].input.size[1]|[width, height], each from 1 to 8192|0.5\n"
                 "6:37 models[0].input.resize|stretch, letterbox, letterbox-centre, centre-crop or "
                 "height|\"strech\"\n");
    expect_model(FILE_LINE "    input: {size: 4, pad: 256, mean: [1, 2], std: 0}\n" OUTPUT_LINE,
                 "6:19 models[0].input.size|[width, height], each from 1 to 8192|4\n"
                 "6:27 models[0].input.pad|a whole number from 0 to 255|256\n"
                 "6:38 models[0].input.mean|a number, or a list of one for each channel|a list of 2\n"
                 "6:51 models[0].input.std|a number above 0, or a list of one for each channel|0\n");
    expect_model(FILE_LINE INPUT_LINE OUTPUT_LINE
                 "    priority: \"1\"\n    cost: {time_ms: -1, memory: 5MB}\n",
                 "8:15 models[0].priority|a number above 0|\"1\"\n"
                 "9:21 models[0].cost.time_ms|milliseconds from 0 to 1000000000|-1\n"
                 "9:33 models[0].cost.memory|bytes of at least 0, as a number or with KiB, MiB or GiB|5MB\n");
    expect_model(
        FILE_LINE INPUT_LINE "    output: []\n    cost: {time_ms: .nan, memory: -1KiB}\n",
        "7:13 models[0].output|a map|a list of 0\n"
        "8:21 models[0].cost.time_ms|milliseconds from 0 to 1000000000|.nan\n"
        "8:35 models[0].cost.memory|bytes of at least 0, as a number or with KiB, MiB or GiB|-1KiB\n");
    expect_model(
        "    file:\n" INPUT_LINE OUTPUT_LINE "    task: [a]\n",
        "5:5 models[0].file|an existing model file|nothing\n8:11 models[0].task|a phrase|a list of 1\n");
}

static void test_lists_of_values(void **state)
{
    (void)state;
    expect_model(FILE_LINE INPUT_LINE
                 "    output: {kind: detections, decode: fastestv2, strides: [0, 8], anchors: [1, 2, 3],\n"
                 "             tensors: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17]}\n",
                 "7:61 models[0].output.strides[0]|a list of 1 to 4 whole numbers from 1 to 1024|0\n"
                 "7:77 models[0].output.anchors|a list of 1 to 16 pairs of numbers above 0|a list of 3\n"
                 "8:23 models[0].output.tensors|a list of 1 to 16 names of output tensors|a list of 17\n");
}

static void test_files(void **state)
{
    (void)state;
    char expected[1024];
    snprintf(expected, sizeof expected, "5:11 models[0].file|an existing model file|%s: no such file\n",
             t_path("none.onnx"));
    expect_model("    file: none.onnx\n" INPUT_LINE OUTPUT_LINE, expected);
    snprintf(expected, sizeof expected, "5:11 models[0].file|an existing model file|%s: not a regular file\n",
             t_path("."));
    expect_model("    file: .\n" INPUT_LINE OUTPUT_LINE, expected);
    t_write(t_path("nul.txt"), "a\0", 2);
    t_write(t_path("empty.txt"), "", 0);
    snprintf(expected, sizeof expected,
             "3:13 labels.a.file|a label file|%s: expected a text with one name a line, found a NUL byte\n"
             "4:13 labels.b.file|at least one name|none in it\n"
             "5:13 labels.c.file|an existing label file|%s: no such file\n"
             "6:9 models|a list of 1 to 4096 models|0\n",
             t_path("nul.txt"), t_path("none.txt"));
    expect("version: 1\nlabels:\n  a: {file: nul.txt}\n  b: {file: empty.txt}\n  c: {file: "
           "none.txt}\nmodels: 0\n",
           expected);
}

static void test_sections_together(void **state)
{
    (void)state;
    expect_model(FILE_LINE
                 "    input: {size: [4, 4], min_width: 3, crop: box, expand: 2, pick: best}\n" OUTPUT_LINE,
                 "6:38 models[0].input.min_width|no such key unless resize is height|3\n"
                 "6:47 models[0].input.crop|no such key in a model without needs|\"box\"\n"
                 "6:60 models[0].input.expand|no such key in a model without needs|2\n"
                 "6:69 models[0].input.pick|no such key in a model without needs|\"best\"\n");
    expect_model(FILE_LINE
                 "    input: {size: [4, 4], resize: height, min_width: 5, colour: GRAY, mean: [1, 2, 3]}\n"
                 "    output: {kind: vector, labels: sky, empty: 0, tolerance: 1, iou: 0.5}\n",
                 "6:54 models[0].input.min_width|at most the width of size|5\n"
                 "6:77 models[0].input.mean|one number where colour is GRAY|a list of 3\n"
                 "7:36 models[0].output.labels|no such key with this kind|\"sky\"\n"
                 "7:48 models[0].output.empty|no such key unless kind is scalar|0\n"
                 "7:62 models[0].output.tolerance|no such key unless kind is scalar|1\n"
                 "7:70 models[0].output.iou|no such key with this decoder|0.5\n");
    expect_model(FILE_LINE INPUT_LINE "    output: {kind: box, decode: ctc, values: 3}\n",
                 "7:20 models[0].output.kind|sequence with this decoder|\"box\"\n"
                 "7:46 models[0].output.values|no such key with this decoder|3\n"
                 "7:46 models[0].output.values|4, or 5 with the confidence|3\n");
    expect_model(FILE_LINE INPUT_LINE "    output: {kind: labels}\n",
                 "7:13 models[0].output.labels|a name under labels|nothing\n");
    expect_model(FILE_LINE INPUT_LINE "    output: {kind: labels, labels: sky, values: 3}\n",
                 "7:49 models[0].output.values|2, one for each label|3\n");
    expect_model(FILE_LINE INPUT_LINE "    output: {kind: labels, labels: skye}\n",
                 "7:36 models[0].output.labels|a name under labels, perhaps \"sky\"|\"skye\"\n");
}

static void test_backends(void **state)
{
    (void)state;
#define WORKER_LINE "    backend: worker\n"
    expect_model(INPUT_LINE OUTPUT_LINE, "4:5 models[0].file|an existing model file|nothing\n");
    expect_model(WORKER_LINE INPUT_LINE OUTPUT_LINE,
                 "4:5 models[0].command|a list of 1 to 64 words|nothing\n");
    expect_model(WORKER_LINE FILE_LINE "    command: [a]\n" INPUT_LINE OUTPUT_LINE,
                 "6:11 models[0].file|no such key where backend is worker|\"m.onnx\"\n");
    expect_model(FILE_LINE "    command: [a]\n" INPUT_LINE OUTPUT_LINE,
                 "6:14 models[0].command|no such key where backend is onnx|a list of 1\n");
    expect_model("    backend: replay\n    batch: 2\n    command: [a]\n" INPUT_LINE OUTPUT_LINE,
                 "4:5 models[0].file|an existing model file|nothing\n"
                 "6:12 models[0].batch|no such key where backend is replay|2\n"
                 "7:14 models[0].command|no such key where backend is replay|a list of 1\n");
    expect_model("    backend: workr\n    command: []\n" INPUT_LINE OUTPUT_LINE,
                 "5:14 models[0].backend|onnx, worker or replay|\"workr\"\n"
                 "6:14 models[0].command|a list of 1 to 64 words|a list of 0\n");
    expect_model(WORKER_LINE "    command: python3\n    batch: 65\n    timeout: 30\n" INPUT_LINE OUTPUT_LINE,
                 "6:14 models[0].command|a list of 1 to 64 words|\"python3\"\n"
                 "7:12 models[0].batch|a whole number from 1 to 64|65\n"
                 "8:14 models[0].timeout|a time from 1ms to 1h, with ms, s, min or h|30\n");
    expect_model(WORKER_LINE
                 "    command: [a, [b]]\n    batch: 0\n    timeout: 0.9ms\n" INPUT_LINE OUTPUT_LINE,
                 "6:18 models[0].command[1]|a list of 1 to 64 words|a list of 1\n"
                 "7:12 models[0].batch|a whole number from 1 to 64|0\n"
                 "8:14 models[0].timeout|a time from 1ms to 1h, with ms, s, min or h|0.9ms\n");
    expect_model(FILE_LINE "    timeout: 61min\n" INPUT_LINE OUTPUT_LINE,
                 "6:14 models[0].timeout|a time from 1ms to 1h, with ms, s, min or h|61min\n");
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    few__text_put(&text, WORKER_LINE "    command: [a");
    for (int i = 0; i < 64; i++) few__text_put(&text, ", a");
    few__text_put(&text, "]\n" INPUT_LINE OUTPUT_LINE);
    expect_model(text.s, "6:14 models[0].command|a list of 1 to 64 words|a list of 65\n");
    few__text_finish(&text);
}

static void test_names_of_models(void **state)
{
    (void)state;
    expect("version: 1\n"
           "models:\n"
           "  - {name: a, file: m.onnx, input: &i {size: [4, 4]}, output: {kind: vector}, needs: b}\n"
           "  - {name: b, file: m.onnx, input: *i, output: &o {kind: box}, needs: c}\n"
           "  - {name: c, file: m.onnx, input: *i, output: *o, needs: b}\n"
           "  - {name: c, file: m.onnx, input: *i, output: *o, needs: a}\n"
           "  - {name: d e, file: m.onnx, input: *i, output: *o, needs: dog, variant_of: a}\n"
           "  - {name: f, file: m.onnx, input: *i, output: *o, needs: f, variant_of: g}\n"
           "  - {name: g, file: m.onnx, input: *i, output: *o, variant_of: b}\n"
           "  - 7\n",
           "4:71 models[1].needs|models that do not need each other in a circle|b > c > b\n"
           "6:12 models[3].name|a name that no other model has|\"c\" again after line 5\n"
           "6:59 models[3].needs|a model of kind detections or box|\"a\" of kind vector\n"
           "7:12 models[4].name|a name of letters, digits, _, . and -|\"d e\"\n"
           "7:61 models[4].needs|the name of a model|\"dog\"\n"
           "7:78 models[4].variant_of|a model of the same output kind|\"a\"\n"
           "8:59 models[5].needs|models that do not need each other in a circle|f > f\n"
           "8:74 models[5].variant_of|the first model of a group, no variant itself|\"g\"\n"
           "10:5 models[7]|a map|7\n");
}

static void test_label_lists(void **state)
{
    (void)state;
    expect("version: 1\n"
           "labels:\n"
           "  a: {file: two.txt, count: 3, null_labels: [c, b]}\n"
           "  b: {}\n"
           "  c: {file: two.txt, names: [x]}\n"
           "  a: {names: [y]}\n"
           "  d: {names: [], space: [s]}\n"
           "  e: 5\n"
           "models: 0\n",
           "3:29 labels.a.count|2, the number of its names|3\n"
           "3:46 labels.a.null_labels[0]|a name of the list, perhaps \"a\"|\"c\"\n"
           "4:6 labels.b|file or names|neither\n"
           "5:6 labels.c|file or names|both\n"
           "6:3 labels.a|the key once|it again after line 3\n"
           "7:14 labels.d.names|a list of names|a list of 0\n"
           "7:25 labels.d.space|a name of a label space|a list of 1\n"
           "8:6 labels.e|a map|5\n"
           "9:9 models|a list of 1 to 4096 models|0\n");
}

static void test_yaml(void **state)
{
    (void)state;
    expect("version: [", "2:1 |well-formed YAML|flow sequence without a closing bracket\n");
    expect("models:\n  - &m [*m]\n  - *n\nversion: !!int 1\n",
           "2:8 models[0]|a map|a list of 1\n"
           "2:9 |an anchor that stands before its alias|\"m\"\n"
           "3:5 |an anchor that stands before its alias|\"n\"\n"
           "3:5 models[1]|a map|nothing\n"
           "4:16 |a value without a tag|\"tag:yaml.org,2002:int\"\n");
}

static void test_yaml_text(void **state)
{
    (void)state;
    struct few_error err;
    assert_string_equal(problems_of("a: \xFF", 4, &err), "1:4 |UTF-8 text|byte 0xFF\n");
    assert_string_equal(problems_of("\xC3\xA9: 1\n \xC0\x80", 9, &err), "2:2 |UTF-8 text|byte 0xC0\n");
    assert_string_equal(problems_of("a: \xED\xA0\x80", 6, &err), "1:4 |UTF-8 text|byte 0xED\n");
    assert_string_equal(problems_of("a: \xE2\x82", 5, &err), "1:4 |UTF-8 text|byte 0xE2\n");
    assert_string_equal(problems_of("a: \0b", 5, &err), "1:4 |UTF-8 text|byte 0x00\n");
    expect("name: \"\\0x\"\nversion: 1\nmodels: 0\n",
           "1:7 |a text without a NUL character|\"\"\n1:7 name|a name|\"\"\n"
           "3:9 models|a list of 1 to 4096 models|0\n");
    expect("version: 1\nmodels: 0\n---\nb: 2\n",
           "2:9 models|a list of 1 to 4096 models|0\n3:1 |one YAML document|a second one\n");
    expect("%YAML 9.9\n", "0:0 |well-formed YAML|what the parser cannot read\n");
}

/* libfyaml would print; the library must not. */
static void test_nothing_is_printed(void **state)
{
    (void)state;
    struct few_error err;
    struct few__text found;
    const char *path = t_path("printed.txt");
    few__text_init(&found, NULL, 1 << 16);
    fflush(NULL);
    FILE *file = fopen(path, "w");
    int out = dup(STDOUT_FILENO), errors = dup(STDERR_FILENO);
    assert_true(file && out >= 0 && errors >= 0);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    few__text_put(&found, problems_of("a: [\n}: *x\n", 11, &err));
    fflush(NULL);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
    close(out);
    close(errors);
    assert_non_null(strstr(found.s, "well-formed YAML"));
    fseek(file, 0, SEEK_END);
    assert_int_equal(ftell(file), 0);
    fclose(file);
    few__text_finish(&found);
}

static void test_merging(void **state)
{
    (void)state;
    expect("x: &x {version: 2, name: [1]}\nversion: 1\n<<: [*x, {models: 3, version: 4}]\n",
           "1:1 x|a known key (version, name, sampling, labels or models)|\"x\"\n"
           "1:26 name|a name|a list of 1\n"
           "3:19 models|a list of 1 to 4096 models|3\n"); // an own key is stronger than a merged one
    expect("<<: 5\nversion: 1\nmodels: 0\n",
           "1:5 <<|a map of at most 64 keys to merge, or a list of those|5\n"
           "3:9 models|a list of 1 to 4096 models|0\n");
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    few__text_put(&text, "<<: {");
    for (int i = 0; i < FEW__YAML_MERGED_MAX + 1; i++) few__text_printf(&text, "k%d: 1, ", i);
    few__text_put(&text, "}\nversion: 1\nmodels: 0\n");
    expect(text.s, "1:5 <<|a map of at most 64 keys to merge, or a list of those|a map of 65 keys\n"
                   "3:9 models|a list of 1 to 4096 models|0\n");
    few__text_finish(&text);
}

static enum few_status open_status(const char *text, size_t n, struct few_error *err)
{
    struct few_zoo *zoo;
    t_write(t_path("zoo.yaml"), text, n);
    enum few_status status = few_zoo_open(t_path("zoo.yaml"), NULL, &zoo, err);
    few_zoo_close(zoo);
    return status;
}

static void test_yaml_limits(void **state)
{
    (void)state;
    struct few_error err;
    struct few__text text;
    few__text_init(&text, NULL, FEW_ZOO_FILE_MAX);
    for (int i = 0; i < FEW__YAML_DEPTH_MAX + 1; i++) few__text_put(&text, "- ");
    few__text_put(&text, "x\n");
    assert_status(open_status(text.s, text.n, &err), FEW_ELIMIT, &err);
    assert_status(open_status(text.s + 2, text.n - 2, &err), FEW_EPARSE, &err);
    few__text_clear(&text);
    few__text_put(&text, "version: 1\nmodels: 0\nname: [");
    for (int i = 0; i < FEW__YAML_ANCHORS_MAX; i++) few__text_printf(&text, "&a%d 1, ", i);
    few__text_put(&text, "&last 1]\n");
    assert_status(open_status(text.s, text.n, &err), FEW_EPARSE, &err);
    assert_non_null(strstr(err.message, "at most 1024 anchors"));
    few__text_clear(&text); // a merge list in a merge list ...: each counts, so that none can explode
    few__text_put(&text, "a: &a {<<: [");
    for (int i = 0; i < 60; i++) few__text_put(&text, "{},");
    few__text_put(&text, "]}\nb: [");
    for (int i = 0; i < 1200; i++)
        few__text_put(&text, "{<<: [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,"
                             "*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,"
                             "*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]},");
    few__text_put(&text, "]\n");
    assert_status(open_status(text.s, text.n, &err), FEW_ELIMIT, &err);
    assert_non_null(strstr(err.message, "YAML nodes"));
    few__text_finish(&text);
}

/* More mistakes than are kept: the first ones by line, and the number of all. */
static void test_many_mistakes(void **state)
{
    (void)state;
    struct few_error err;
    struct few__text text;
    few__text_init(&text, NULL, 1 << 20);
    few__text_put(&text, "models: [");
    for (int i = 0; i < 2 * FEW_ZOO_PROBLEMS_MAX; i++) few__text_printf(&text, "%d,\n ", i);
    few__text_put(&text, "]\nversion: 7\n");
    const char *lines = problems_of(text.s, text.n, &err);
    size_t n = 0;
    for (const char *s = lines; *s; s++) n += *s == '\n';
    assert_int_equal(n, FEW_ZOO_PROBLEMS_MAX);
    assert_memory_equal(lines, "1:10 models[0]|a map|0\n2:2 models[1]|a map|1\n", 45);
    assert_non_null(strstr(lines, "\n100:2 models[99]|a map|99\n"));
    assert_non_null(strstr(err.message, "zoo.yaml: 201 mistakes in the manifest\n"));
    assert_non_null(strstr(err.message, "zoo.yaml:1:10: models[0]: expected a map, found 0\n"));
    assert_non_null(strstr(err.message, "\n... and "));
    assert_true(strlen(err.message) < sizeof err.message);
    few__text_finish(&text);
}

/* The list stays sorted when mistakes come from the end. */
static void test_collecting_backwards(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few__problems p = {.arena = &arena, .file = "f"};
    few__arena_init(&arena, NULL, 1 << 20);
    for (int line = 300; line > 0; line--)
        few__problem(&p, (struct few__place){.line = line, .column = 1}, NULL, "found", "line %d", line);
    assert_int_equal(p.total, 300);
    assert_int_equal(p.n, FEW_ZOO_PROBLEMS_MAX);
    for (int i = 0; i < FEW_ZOO_PROBLEMS_MAX; i++) assert_int_equal(p.items[i].line, i + 1);
    assert_string_equal(p.items[99].expected, "line 100");
    few__arena_finish(&arena);
}

static void test_words(void **state)
{
    (void)state;
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 20);
    static const char *const names[] = {"resize", "size", "pad"};
    assert_string_equal(few__nearest_name("resiz", names, 3), "resize");
    assert_string_equal(few__nearest_name("sise", names, 3), "size");
    assert_null(few__nearest_name("layout", names, 3));
    assert_string_equal(few__one_of(&arena, names, 3), "resize, size or pad");
    assert_string_equal(few__one_of(&arena, names, 1), "resize");
    char text[100];
    memset(text, 'x', sizeof text);
    memcpy(text + 59, "\xC3\xA9", 2); // not cut within a character
    text[99] = '\0';
    const char *quoted = few__quoted(&arena, text);
    assert_int_equal(strlen(quoted), 59 + 2 + 3);
    few__arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_lists_of_values),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_sections_together),
        cmocka_unit_test(test_backends),
        cmocka_unit_test(test_names_of_models),
        cmocka_unit_test(test_label_lists),
        cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_yaml_text),
        cmocka_unit_test(test_nothing_is_printed),
        cmocka_unit_test(test_merging),
        cmocka_unit_test(test_yaml_limits),
        cmocka_unit_test(test_many_mistakes),
        cmocka_unit_test(test_collecting_backwards),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
