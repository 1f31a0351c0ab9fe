// SPDX-License-Identifier: Apache-2.0
// Finding the runtime, loading models and what can be wrong with them, running, cancelling.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend/backend.h"
#include "core/process.h"
#include "support/support.h"

enum { CHANNELS = 3, SIDE = 4, NUMBERS = CHANNELS * SIDE * SIDE, WIDTH_MAX = 16 };

#ifdef __SANITIZE_ADDRESS__
enum { FREED_STAYS = 1 }; // in its quarantine
#else
enum { FREED_STAYS = 0 };
#endif

// What the model "mean" looks at.
static struct few__run_input mean_input(float *data)
{
    return (struct few__run_input){.data = data, .n_dims = 4, .dims = {1, CHANNELS, SIDE, SIDE}};
}

static struct few__runtime *open_runtime(const struct few_mem *mem)
{
    struct few_error err;
    const struct few__runtime_opts opts = {.name = "onnx", .library = t_runtime()};
    const struct few_env env = {.mem = mem};
    struct few__runtime *runtime;
    if (!opts.library) skip();
    assert_status(few__runtime_open(&opts, &env, &runtime, &err), FEW_OK, &err);
    return runtime;
}

static const char *data_path(const char *file)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/tests/backend/data/%s", t_source(), file);
    return path;
}

// The model "mean": three numbers, the mean of each channel.
static struct few__recipe mean_recipe(void)
{
    return (struct few__recipe){
        .backend = "onnx",
        .file = data_path("mean.onnx"),
        .input = {.name = "data", .pixels = {.width = SIDE, .height = SIDE}},
        .decode = {.kind = FEW__DECODE_VALUES, .n_outputs = 1, .outputs = {"mean"}, .n_values = 3}};
}

// The model "width": any width, one step of three classes for each column.
static struct few__recipe width_recipe(void)
{
    struct few__recipe recipe = {
        .backend = "onnx",
        .file = data_path("width.onnx"),
        .input = {.pixels = {.resize = FEW__HEIGHT, .width = WIDTH_MAX, .height = SIDE, .min_width = 1}},
        .decode = {.kind = FEW__DECODE_CTC, .n_outputs = 1, .outputs = {"steps"}}};
    return recipe;
}

static const struct few_model vector = {.name = "m", .kind = FEW_VECTOR};
static const struct few_model text = {.name = "m", .kind = FEW_SEQUENCE, .n_labels = 2};

/* ---- the library ---- */

static void expect_open(const char *name, const char *library, int threads, enum few_status expected,
                        const char *part)
{
    struct few_error err;
    const struct few__runtime_opts opts = {.name = name, .library = library, .threads = threads};
    struct few__runtime *runtime;
    assert_status(few__runtime_open(&opts, NULL, &runtime, &err), expected, &err);
    assert_null(runtime);
    if (!strstr(err.message, part)) fail_msg("'%s' is not in: %s", part, err.message);
}

static void test_library_not_found(void **state)
{
    (void)state;
    expect_open("onnx", "/nowhere/libonnxruntime.so", 0, FEW_ENOENT, "'/nowhere/libonnxruntime.so': ");
    expect_open("onnx", "libm.so.6", 0, FEW_ENOENT, "OrtGetApiBase");
}

static void test_library_too_old(void **state)
{
    (void)state;
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/backend/libfake_old.so", t_build());
    expect_open("onnx", path, 0, FEW_EVERSION, "expected version 1.19 or later, found 1.18.9");
    snprintf(path, sizeof path, "%s/tests/backend/libfake_bare.so", t_build());
    expect_open("onnx", path, 0, FEW_EVERSION, "does not serve interface");
}

static void test_bad_options(void **state)
{
    (void)state;
    expect_open("tensorrt", NULL, 0, FEW_EINVAL, "'tensorrt': expected onnx, worker or replay");
    expect_open(NULL, NULL, 0, FEW_EINVAL, "expected onnx");
    expect_open("onnx", NULL, -1, FEW_EINVAL, "expected 1 to 256, found -1");
    expect_open("onnx", NULL, 257, FEW_EINVAL, "expected 1 to 256, found 257");
}

static void test_describe(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    const char *says = few__runtime_describe(runtime);
    assert_ptr_equal(strstr(says, "ONNX Runtime 1."), says);
    assert_non_null(strstr(says, t_runtime()));
    few__runtime_close(runtime);
    few__runtime_close(NULL);
}

/* ---- loading ---- */

static void expect_load(struct few__runtime *runtime, const struct few__recipe *recipe,
                        const struct few_model *model, enum few_status expected, const char *part)
{
    struct few_error err;
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, recipe, model, &runner, &err), expected, &err);
    assert_null(runner);
    if (!strstr(err.message, part)) fail_msg("'%s' is not in: %s", part, err.message);
    if (strchr(err.message, '\n')) fail_msg("more than one line: %s", err.message);
}

static void test_load_bad_files(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    recipe.file = "/nowhere/model.onnx";
    expect_load(runtime, &recipe, &vector, FEW_ENOENT, "model 'm': '/nowhere/model.onnx'");
    recipe.backend = "worker";
    expect_load(runtime, &recipe, &vector, FEW_EINVAL, "model 'm': expected backend onnx, found worker");
    recipe.backend = NULL; // nobody said
    recipe.file = t_tmpdir();
    expect_load(runtime, &recipe, &vector, FEW_EBACKEND, "is not a file");

    FILE *file = fopen(data_path("mean.onnx"), "rb");
    char bytes[4096];
    assert_non_null(file);
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    const struct {
        const char *name, *bytes;
        size_t n;
    } bad[] = {{"empty.onnx", "", 0}, {"truncated.onnx", bytes, n / 2}, {"text.onnx", "not a model\n", 12}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        recipe.file = t_path(bad[i].name);
        t_write(recipe.file, bad[i].bytes, bad[i].n);
        expect_load(runtime, &recipe, &vector, FEW_EBACKEND, "model 'm': ONNX Runtime: ");
    }
    few__runtime_close(runtime);
}

static void test_load_wrong_input(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    recipe.input.pixels.width = 5;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE,
                "model 'm': input 'data': expected float32 [1,3,4,5], found float32 [1,3,4,4]");
    recipe = mean_recipe();
    recipe.input.layout = FEW__NHWC;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected float32 [1,4,4,3], found float32 [1,3,4,4]");
    recipe = mean_recipe();
    recipe.input.colour = FEW__GRAY;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected float32 [1,1,4,4]");
    recipe = mean_recipe();
    recipe.input.pixels.resize = FEW__HEIGHT;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected float32 [1,3,4,?], found float32 [1,3,4,4]");
    recipe = mean_recipe();
    recipe.input.name = "image";
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected an input 'image', found 'data'");
    recipe = mean_recipe();
    recipe.file = data_path("two_inputs.onnx");
    recipe.input.name = "b";
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected one input, found 2: 'a', 'b'");
    recipe.file = data_path("double.onnx");
    recipe.input.name = NULL;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE,
                "input 'data': expected float32 [1,3,4,4], found float64 [1,3,4,4]");
    few__runtime_close(runtime);
}

static void test_load_wrong_output(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    recipe.decode.outputs[0] = "median";
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected an output 'median', found 'mean', 'twice'");
    recipe = mean_recipe();
    recipe.decode.n_outputs = 0;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "expected one output, found 2: 'mean', 'twice'");
    recipe.decode.n_outputs = FEW__OUTPUTS_MAX + 1;
    expect_load(runtime, &recipe, &vector, FEW_ELIMIT, "at most 16 outputs, found 17");
    recipe = mean_recipe();
    recipe.file = data_path("integer.onnx");
    recipe.decode.outputs[0] = "rounded";
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "output 'rounded': expected float32, found int64");
    recipe = mean_recipe();
    recipe.decode.n_values = 4; // the decoder's own check
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "output 'mean': expected 4 numbers, found [1,3,1,1]");
    few__runtime_close(runtime);
}

// The library writes to its own standard error unless it is told not to.
static void test_library_is_silent(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    t_tmpdir();
    fflush(stderr);
    int before = dup(STDERR_FILENO);
    FILE *log = fopen(t_path("log"), "w+");
    assert_non_null(log);
    dup2(fileno(log), STDERR_FILENO);
    struct few__recipe recipe = mean_recipe();
    recipe.file = t_path("text.onnx");
    t_write(recipe.file, "not a model\n", 12);
    struct few__runner *runner;
    enum few_status status = few__runner_load(runtime, &recipe, &vector, &runner, NULL);
    dup2(before, STDERR_FILENO);
    close(before);
    fseek(log, 0, SEEK_END);
    assert_int_equal(ftell(log), 0);
    assert_int_equal(status, FEW_EBACKEND);
    fclose(log);
    few__runtime_close(runtime);
}

/* ---- running ---- */

static void fill(float *input, size_t n)
{
    for (size_t i = 0; i < n; i++) input[i] = (float)(i % 7) - 2;
}

static void channel_means(const float *input, float mean[CHANNELS])
{
    for (size_t c = 0; c < CHANNELS; c++) {
        double sum = 0;
        for (size_t i = 0; i < SIDE * SIDE; i++) sum += (double)input[c * SIDE * SIDE + i];
        mean[c] = (float)(sum / (SIDE * SIDE));
    }
}

static void test_run(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    float input[NUMBERS], expected[CHANNELS];
    struct few__run_input in = mean_input(input);
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    struct few__tensor out[FEW__OUTPUTS_MAX];
    const float *data = NULL;
    for (int run = 0; run < 3; run++) {
        size_t n;
        fill(input, NUMBERS);
        input[0] = (float)run; // read at the run, from memory bound before
        channel_means(input, expected);
        assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
        assert_int_equal(n, 1);
        assert_int_equal(out[0].n, CHANNELS);
        assert_int_equal(out[0].n_dims, 4);
        assert_int_equal(out[0].dims[1], CHANNELS);
        assert_near_all(out[0].data, expected, CHANNELS, 1e-6); // sums of 16 numbers in another order
        assert_true(data == NULL || data == out[0].data);       // bound once
        data = out[0].data;
    }
    few__runner_unload(runner);
    few__runner_unload(NULL);
    few__runtime_close(runtime);
}

static void test_outputs_in_the_recipes_order(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    recipe.decode =
        (struct few__decode){.kind = FEW__DECODE_ULTRAFACE, .n_outputs = 2, .outputs = {"twice", "mean"}};
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE, "decoder ultraface");
    const struct few_model faces = {.name = "m", .kind = FEW_DETECTIONS};
    expect_load(runtime, &recipe, &faces, FEW_ESHAPE, "output 'twice': expected [1,?,2], found [1,3,4,4]");
    assert_int_equal(few__runner_load(runtime, &recipe, &faces, &(struct few__runner *){0}, &err),
                     FEW_ESHAPE);
    few__runtime_close(runtime);
}

static void test_run_dynamic(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = width_recipe();
    float input[CHANNELS * SIDE * WIDTH_MAX];
    size_t room = sizeof input / sizeof *input;
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &text, &runner, &err), FEW_OK, &err);
    const int64_t widths[] = {5, 7, 7, 1, WIDTH_MAX};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        size_t n, w = (size_t)widths[i];
        struct few__tensor out[FEW__OUTPUTS_MAX];
        fill(input, room);
        const struct few__run_input in = {.data = input, .n_dims = 4, .dims = {1, CHANNELS, SIDE, widths[i]}};
        assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
        assert_int_equal(out[0].n_dims, 3);
        assert_int_equal(out[0].dims[1], widths[i]);
        assert_int_equal(out[0].n, w * CHANNELS);
        for (size_t x = 0; x < w; x++)
            for (size_t c = 0; c < CHANNELS; c++) {
                const float *column = input + c * SIDE * w + x;
                float mean = (column[0] + column[w] + column[2 * w] + column[3 * w]) / SIDE;
                assert_near(out[0].data[x * CHANNELS + c], mean, 1e-6);
            }
    }
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

static void test_run_wrong_dims(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = width_recipe();
    float input[CHANNELS * SIDE * WIDTH_MAX];
    struct few__tensor out[FEW__OUTPUTS_MAX];
    struct few__runner *runner;
    size_t n = 9;
    assert_status(few__runner_load(runtime, &recipe, &text, &runner, &err), FEW_OK, &err);
    const struct few__run_input bad[] = {
        {.data = input, .n_dims = 4, .dims = {1, CHANNELS, SIDE, WIDTH_MAX + 1}},
        {.data = input, .n_dims = 4, .dims = {1, CHANNELS, SIDE + 1, 4}},
        {.data = input, .n_dims = 4, .dims = {1, CHANNELS, SIDE, 0}},
        {.data = input, .n_dims = 4, .dims = {1, CHANNELS, SIDE, -1}},
        {.data = input, .n_dims = 4, .dims = {0, CHANNELS, SIDE, 4}},
        {.data = input, .n_dims = 4, .dims = {2, CHANNELS, SIDE, 4}},
        {.data = input, .n_dims = 4, .dims = {INT64_MAX, CHANNELS, SIDE, 3}},
        {.data = input, .n_dims = 4, .dims = {1, 1, SIDE, 4}},
        {.data = input, .n_dims = 2, .dims = {1, CHANNELS, SIDE, 4}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_status(few__runner_run(runner, &bad[i], out, &n, &err), FEW_ESHAPE, &err);
        assert_int_equal(n, 0);
        assert_non_null(strstr(err.message, "input 'x': expected float32 [1,3,4,?], at most 1 items, "
                                            "width at most 16, found float32 ["));
    }
    const struct few__run_input good = {.data = input, .n_dims = 4, .dims = {1, CHANNELS, SIDE, 2}};
    assert_status(few__runner_run(runner, &good, out, &n, &err), FEW_OK, &err);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

// Memory that moves is bound again; a shape that fits no more is not.
static void test_input_moves(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    float input[2][NUMBERS], expected[CHANNELS];
    struct few__runner *runner;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    for (size_t i = 0; i < 4; i++) {
        const struct few__run_input in = mean_input(input[i % 2]);
        fill(input[i % 2], NUMBERS);
        input[i % 2][0] = (float)(20 * i);
        channel_means(input[i % 2], expected);
        assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
        assert_near_all(out[0].data, expected, CHANNELS, 1e-6);
    }
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

/* ---- batches ---- */

// The model "batch": as "mean", any number of items; (items, 3) and (items, 3, 4, 4).
static struct few__recipe batch_recipe(size_t batch)
{
    struct few__recipe recipe = mean_recipe();
    recipe.file = data_path("batch.onnx");
    recipe.batch = batch;
    return recipe;
}

static void test_batch(void **state)
{
    (void)state;
    enum { MOST = 4 };
    struct few_error err;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few__runtime *runtime = open_runtime(&mem.mem);
    struct few__recipe recipe = batch_recipe(MOST);
    float input[MOST * NUMBERS], expected[CHANNELS];
    for (size_t i = 0; i < MOST * NUMBERS; i++) input[i] = (float)(i % 11) + (float)(i / NUMBERS);
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    size_t calls = mem.calls;
    const int64_t items[] = {1, MOST, MOST, 2, 3, 1};
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        const struct few__run_input in = {
            .data = input, .n_dims = 4, .dims = {items[i], CHANNELS, SIDE, SIDE}};
        struct few__tensor out[FEW__OUTPUTS_MAX];
        size_t n;
        assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
        assert_int_equal(out[0].n_dims, 2);
        assert_int_equal(out[0].dims[0], items[i]);
        assert_int_equal(out[0].n, (size_t)items[i] * CHANNELS);
        for (size_t k = 0; k < (size_t)items[i]; k++) {
            channel_means(input + k * NUMBERS, expected);
            assert_near_all(out[0].data + k * CHANNELS, expected, CHANNELS, 1e-5); // sums of 16 numbers
        }
    }
    const struct few__run_input more = {.data = input, .n_dims = 4, .dims = {MOST + 1, CHANNELS, SIDE, SIDE}};
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runner_run(runner, &more, out, &n, &err), FEW_ESHAPE, &err);
    assert_non_null(strstr(err.message, "expected float32 [?,3,4,4], at most 4 items, width at most 4, found "
                                        "float32 [5,3,4,4]"));
    assert_int_equal(mem.calls, calls); // bound once for the largest batch
    few__runner_unload(runner);
    few__runtime_close(runtime);
    assert_int_equal(mem.live, 0);
}

// Batches of a free width: the library allocates the output.
static void test_batch_dynamic(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = width_recipe();
    recipe.batch = 3;
    float input[3 * CHANNELS * SIDE * WIDTH_MAX];
    fill(input, sizeof input / sizeof *input);
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &text, &runner, &err), FEW_OK, &err);
    for (int64_t items = 3; items > 0; items--) {
        const struct few__run_input in = {.data = input, .n_dims = 4, .dims = {items, CHANNELS, SIDE, 5}};
        struct few__tensor out[FEW__OUTPUTS_MAX];
        size_t n;
        assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
        assert_int_equal(out[0].dims[0], items);
        assert_int_equal(out[0].n, (size_t)items * 5 * CHANNELS);
    }
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

static void test_batch_of_a_model_without(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    recipe.batch = 2;
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE,
                "input 'data': expected float32 [?,3,4,4] for batches, found float32 [1,3,4,4]");
    recipe = batch_recipe(2);
    recipe.decode.outputs[0] = "all";
    expect_load(runtime, &recipe, &vector, FEW_ESHAPE,
                "output 'all': expected a free first dimension for batches, found float32 [3]");
    // Free, but not the number of items: seen at the run.
    recipe.decode.outputs[0] = "flat";
    recipe.decode.n_values = 1;
    struct few_error err;
    struct few__runner *runner;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    float input[2 * NUMBERS] = {0};
    const struct few__run_input in = {.data = input, .n_dims = 4, .dims = {2, CHANNELS, SIDE, SIDE}};
    size_t n;
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    assert_int_not_equal(few__runner_run(runner, &in, out, &n, &err), FEW_OK);
    assert_int_equal(n, 0);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

/* ---- threads ---- */

struct lane {
    struct few__runner *runner;
    struct few__run_input input;
    enum few_status status;
    float result[CHANNELS];
    bool equal;
};

static void *run_often(void *ud)
{
    struct lane *lane = ud;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    lane->equal = true;
    for (int i = 0; i < 500 && lane->status == FEW_OK; i++) {
        lane->status = few__runner_run(lane->runner, &lane->input, out, &n, NULL);
        if (lane->status != FEW_OK) break;
        if (i == 0) memcpy(lane->result, out[0].data, sizeof lane->result);
        if (memcmp(lane->result, out[0].data, sizeof lane->result) != 0) lane->equal = false;
    }
    return NULL;
}

static void test_two_runners_at_once(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    float input[2][NUMBERS], expected[CHANNELS];
    struct lane lanes[2] = {{.input = mean_input(input[0])}, {.input = mean_input(input[1])}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        fill(input[i], NUMBERS);
        input[i][0] = (float)(10 * i);
        assert_status(few__runner_load(runtime, &recipe, &vector, &lanes[i].runner, &err), FEW_OK, &err);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, &lanes[i]), 0);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(lanes[i].status, FEW_OK);
        assert_true(lanes[i].equal);
        channel_means(input[i], expected);
        assert_near_all(lanes[i].result, expected, CHANNELS, 1e-6);
    }
    few__runner_unload(lanes[0].runner); // the second still has the shared session
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runner_run(lanes[1].runner, &lanes[1].input, out, &n, &err), FEW_OK, &err);
    few__runner_unload(lanes[1].runner);
    few__runtime_close(runtime);
}

struct loader {
    struct few__runtime *runtime;
    const struct few__recipe *recipe;
    enum few_status status;
    char message[sizeof((struct few_error *)0)->message];
};

static void *load_often(void *ud)
{
    struct loader *l = ud;
    for (int i = 0; i < 20; i++) {
        struct few_error err = {.message = ""};
        struct few__runner *runner;
        l->status = few__runner_load(l->runtime, l->recipe, &vector, &runner, &err);
        snprintf(l->message, sizeof l->message, "%s", err.message);
        few__runner_unload(runner);
    }
    return NULL;
}

// Threads that load and unload one file, another one, and one that is no model, all at once.
static void test_load_from_threads(void **state)
{
    (void)state;
    enum { THREADS = 6 };
    struct few__runtime *runtime = open_runtime(NULL);
    char paths[3][4096];
    struct few__recipe recipes[3] = {mean_recipe(), batch_recipe(1), mean_recipe()};
    snprintf(paths[0], sizeof paths[0], "%s", data_path("mean.onnx"));
    snprintf(paths[1], sizeof paths[1], "%s", data_path("batch.onnx"));
    t_tmpdir();
    snprintf(paths[2], sizeof paths[2], "%s", t_path("text.onnx"));
    t_write(paths[2], "not a model\n", 12);
    for (size_t i = 0; i < 3; i++) recipes[i].file = paths[i];
    struct loader loaders[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        loaders[i] = (struct loader){.runtime = runtime, .recipe = &recipes[i % 3]};
        assert_int_equal(pthread_create(&threads[i], NULL, load_often, &loaders[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(loaders[i].status, i % 3 == 2 ? FEW_EBACKEND : FEW_OK);
        if (i % 3 == 2) assert_ptr_equal(strstr(loaders[i].message, "model 'm': "), loaders[i].message);
    }
    few__runtime_close(runtime);
}

static void test_cancel_before(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = mean_recipe();
    float input[NUMBERS] = {0};
    const struct few__run_input in = mean_input(input);
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    few__runner_cancel(runner);
    for (int i = 0; i < 2; i++)
        assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_ECANCELED, &err);
    few__runner_reset(runner);
    assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

static void *run_once(void *ud)
{
    struct lane *lane = ud;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    lane->status = few__runner_run(lane->runner, &lane->input, out, &n, NULL);
    return NULL;
}

// The runner is in the middle of its work once its thread has used that much of a processor.
static void wait_for_work(pthread_t thread, long nanoseconds)
{
    clockid_t clock;
    struct timespec used = {0};
    assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
    while (used.tv_sec == 0 && used.tv_nsec < nanoseconds) {
        sched_yield();
        assert_int_equal(clock_gettime(clock, &used), 0);
    }
}

static void expect_canceled_midway(struct lane *lane)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_once, lane), 0);
    wait_for_work(thread, 10000000);
    few__runner_cancel(lane->runner);
    pthread_join(thread, NULL);
    assert_int_equal(lane->status, FEW_ECANCELED);
}

static void test_cancel_midway(void **state)
{
    (void)state;
    enum { S = 64 };
    struct few_error err;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = {
        .file = data_path("endless.onnx"),
        .input = {.colour = FEW__GRAY, .pixels = {.width = S, .height = S}},
        .decode = {.kind = FEW__DECODE_MASK_SHARE, .n_outputs = 1, .outputs = {"last"}}};
    const struct few_model model = {.name = "endless", .kind = FEW_SCALAR};
    static float input[S * S];
    struct lane lane = {.input = {.data = input, .n_dims = 4, .dims = {1, 1, S, S}}};
    assert_status(few__runner_load(runtime, &recipe, &model, &lane.runner, &err), FEW_OK, &err);
    for (int i = 0; i < 2; i++) {
        expect_canceled_midway(&lane);
        few__runner_reset(lane.runner);
    }
    few__runner_unload(lane.runner);
    few__runtime_close(runtime);
}

// A model of the zoo, text detection on 640 x 640 pixels: far more work than the wait before the cancel.
static void test_cancel_real_model(void **state)
{
    (void)state;
    enum { S = 640 };
    static float input[3 * S * S];
    struct few_error err;
    char path[4096];
    if (!t_zoo()) skip();
    struct few__runtime *runtime = open_runtime(NULL);
    snprintf(path, sizeof path, "%s/models/text_det_640.onnx", t_zoo());
    struct few__recipe recipe = {
        .file = path,
        .input = {.name = "x", .pixels = {.width = S, .height = S}},
        .decode = {.kind = FEW__DECODE_REGIONS, .n_outputs = 1, .outputs = {"sigmoid_0.tmp_0"}}};
    const struct few_model model = {.name = "text_det_640", .kind = FEW_DETECTIONS};
    struct lane lane = {.input = {.data = input, .n_dims = 4, .dims = {1, 3, S, S}}};
    assert_status(few__runner_load(runtime, &recipe, &model, &lane.runner, &err), FEW_OK, &err);
    expect_canceled_midway(&lane);
    few__runner_reset(lane.runner);
    run_once(&lane);
    assert_int_equal(lane.status, FEW_OK);
    few__runner_unload(lane.runner);
    few__runtime_close(runtime);
}

/* ---- memory ---- */

static enum few_status load_and_run(const struct few_mem *mem, void *ud)
{
    (void)ud;
    const struct few__runtime_opts opts = {.name = "onnx", .library = t_runtime()};
    const struct few_env env = {.mem = mem};
    struct few__runtime *runtime = NULL;
    struct few__runner *runner = NULL;
    struct few__recipe recipe = mean_recipe();
    float input[NUMBERS] = {0};
    const struct few__run_input in = mean_input(input);
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    enum few_status status = few__runtime_open(&opts, &env, &runtime, NULL);
    if (status == FEW_OK) status = few__runner_load(runtime, &recipe, &vector, &runner, NULL);
    if (status == FEW_OK) status = few__runner_run(runner, &in, out, &n, NULL);
    few__runner_unload(runner);
    few__runtime_close(runtime);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!t_runtime()) skip();
    t_fail_each_allocation(load_and_run, NULL);
}

static void test_run_allocates_nothing(void **state)
{
    (void)state;
    struct few_error err;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few__runtime *runtime = open_runtime(&mem.mem);
    struct few__recipe recipe = mean_recipe();
    float input[NUMBERS] = {0};
    const struct few__run_input in = mean_input(input);
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    size_t calls = mem.calls;
    for (int i = 0; i < 3; i++) assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
    assert_int_equal(mem.calls, calls);
    few__runner_unload(runner);
    few__runtime_close(runtime);
    assert_int_equal(mem.live, 0);
}

// Bytes that are resident after runs of a model that works in 96 MiB.
static uint64_t resident_after_runs(bool give_back)
{
    struct few_error err;
    const struct few__runtime_opts opts = {.name = "onnx", .library = t_runtime(), .give_back = give_back};
    struct few__runtime *runtime;
    struct few__runner *runner;
    struct few__recipe recipe = mean_recipe();
    recipe.file = data_path("large.onnx");
    float input[NUMBERS] = {0};
    const struct few__run_input in = mean_input(input);
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runtime_open(&opts, NULL, &runtime, &err), FEW_OK, &err);
    assert_status(few__runner_load(runtime, &recipe, &vector, &runner, &err), FEW_OK, &err);
    uint64_t before = few__resident_bytes();
    for (int i = 0; i < 3; i++) assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
    uint64_t after = few__resident_bytes();
    few__runner_unload(runner);
    few__runtime_close(runtime);
    return after > before ? after - before : 0;
}

static void test_gives_memory_back(void **state)
{
    (void)state;
    if (!t_runtime() || FREED_STAYS) skip();
    uint64_t kept = resident_after_runs(false), given_back = resident_after_runs(true);
    assert_true(kept > (uint64_t)80 << 20);       // the arena keeps what one run needed
    assert_true(given_back < (uint64_t)16 << 20); // a few pieces may stay
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_library_not_found),
        cmocka_unit_test(test_library_too_old),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_load_bad_files),
        cmocka_unit_test(test_load_wrong_input),
        cmocka_unit_test(test_load_wrong_output),
        cmocka_unit_test(test_library_is_silent),
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_outputs_in_the_recipes_order),
        cmocka_unit_test(test_run_dynamic),
        cmocka_unit_test(test_run_wrong_dims),
        cmocka_unit_test(test_input_moves),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_batch_dynamic),
        cmocka_unit_test(test_batch_of_a_model_without),
        cmocka_unit_test(test_load_from_threads),
        cmocka_unit_test(test_gives_memory_back),
        cmocka_unit_test(test_two_runners_at_once),
        cmocka_unit_test(test_cancel_before),
        cmocka_unit_test(test_cancel_midway),
        cmocka_unit_test(test_cancel_real_model),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_run_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
