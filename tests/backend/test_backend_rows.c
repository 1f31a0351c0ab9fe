// SPDX-License-Identifier: Apache-2.0
// Models of sound and text: states from run to run, constants, shapes and types of rows, and what can be wrong with them.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "support/support.h"

enum { LENGTH = 4, CONTEXT = 2, N = CONTEXT + LENGTH };

static struct few_error err;
static const struct few_model scalar = {.name = "sum", .kind = FEW_SCALAR};
static const struct few_model vector = {.name = "numbers", .kind = FEW_VECTOR};

static struct few__runtime *open_runtime(const struct few_mem *mem)
{
    const struct few__runtime_opts opts = {.name = "onnx", .library = t_runtime()};
    const struct few_env env = {.mem = mem};
    struct few__runtime *runtime;
    if (!opts.library) skip();
    assert_status(few__runtime_open(&opts, &env, &runtime, &err), FEW_OK, &err);
    return runtime;
}

static struct few__recipe recipe_of(const char *file, enum few_modality modality, const char *output)
{
    static char paths[4][4096];
    static size_t next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/tests/backend/data/%s", t_source(), file);
    return (struct few__recipe){
        .backend = "onnx",
        .file = path,
        .batch = 1,
        .input = {.modality = modality, .pixels = {.needs = -1}},
        .decode = {.kind = FEW__DECODE_VALUES, .n_outputs = 1, .outputs = {output}, .n_values = 1}};
}

// "sum": gain times the sum of everything that it has heard.
static struct few__recipe sum_recipe(void)
{
    struct few__recipe recipe = recipe_of("sum.onnx", FEW_SOUND, "total");
    struct few__input *input = &recipe.input;
    input->window = (struct few__window){.rate = 16000, .length = LENGTH, .hop = LENGTH, .context = CONTEXT};
    input->n_states = input->n_constants = 1;
    input->states[0] = (struct few__model_state){"before", "after", 2, {1, 1}};
    input->constants[0] = (struct few__constant){"gain", 2};
    return recipe;
}

static struct few__recipe ends_recipe(const char *file)
{
    struct few__recipe recipe = recipe_of(file, FEW_SOUND, "ends");
    recipe.input.window = (struct few__window){.rate = 8000, .length = N, .hop = N};
    recipe.decode.n_values = 2;
    return recipe;
}

static struct few__recipe tokens_recipe(const char *file, size_t length)
{
    static const char *const names[] = {"a", "b"};
    struct few__recipe recipe = recipe_of(file, FEW_TEXT, "numbers");
    recipe.input.tokens = (struct few__tokens){.length = length, .n_names = 2, .names = names};
    recipe.decode.n_values = length;
    return recipe;
}

static struct few__runner *load(struct few__runtime *runtime, const struct few__recipe *recipe,
                                const struct few_model *model)
{
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, recipe, model, &runner, &err), FEW_OK, &err);
    return runner;
}

// One window of N times `sample`.
static float hear(struct few__runner *runner, float sample, bool first)
{
    float data[N];
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    for (size_t i = 0; i < N; i++) data[i] = sample;
    const struct few__run_input in = {.data = data, .n_dims = 2, .dims = {1, N}, .first = first};
    assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
    assert_int_equal(n, 1);
    assert_int_equal(out[0].n, 1);
    return out[0].data[0];
}

/* ---- states and constants ---- */

static void test_states_go_from_run_to_run(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    const struct few__recipe recipe = sum_recipe();
    struct few__runner *runner = load(runtime, &recipe, &scalar), *other = load(runtime, &recipe, &scalar);
    for (int item = 0; item < 3; item++) {
        for (int k = 1; k <= 5; k++) assert_near(hear(runner, 0.5F, k == 1), 2 * k * 0.5 * N, 0);
        assert_near(hear(other, 1, item == 0), 2.0 * N * (item + 1), 0); // has a state of its own
    }
    few__runner_unload(other);
    assert_near(hear(runner, 0.5F, false), 2 * 6 * 0.5 * N, 0);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

// A run that did not end leaves the state as it was.
static void test_a_cancelled_run_keeps_the_state(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    const struct few__recipe recipe = sum_recipe();
    struct few__runner *runner = load(runtime, &recipe, &scalar);
    float data[N] = {7};
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    const struct few__run_input in = {.data = data, .n_dims = 2, .dims = {1, N}};
    assert_near(hear(runner, 1, true), 2 * N, 0);
    few__runner_cancel(runner);
    assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_ECANCELED, &err);
    few__runner_reset(runner);
    assert_near(hear(runner, 1, false), 4 * N, 0);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

// Without a name the input is the one that is neither a state nor a constant, and the output the one that is no state.
static void test_names_may_be_left_out(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = sum_recipe();
    recipe.decode.n_outputs = 0;
    struct few__runner *runner = load(runtime, &recipe, &scalar);
    assert_near(hear(runner, 1, true), 2 * N, 0);
    few__runner_unload(runner);
    recipe.input.name = "sound";
    runner = load(runtime, &recipe, &scalar);
    assert_near(hear(runner, 1, true), 2 * N, 0);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

// As the model declares them: a whole number without dimensions, a number in a list of one.
static void test_constants_have_the_type_of_the_model(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = sum_recipe();
    recipe.input.constants[0].value = -3;
    struct few__runner *runner = load(runtime, &recipe, &scalar);
    assert_near(hear(runner, 1, true), -3 * N, 0);
    few__runner_unload(runner);
    recipe.file = recipe_of("sum_float.onnx", FEW_SOUND, "total").file;
    recipe.input.constants[0].value = 0.25;
    runner = load(runtime, &recipe, &scalar);
    assert_near(hear(runner, 1, true), 0.25 * N, 0);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

static void expect_refusal(struct few__runtime *runtime, const struct few__recipe *recipe,
                           const struct few_model *model, const char *message)
{
    struct few__runner *runner = (void *)&err;
    assert_status(few__runner_load(runtime, recipe, model, &runner, &err), FEW_ESHAPE, &err);
    assert_null(runner);
    assert_string_equal(err.message, message);
}

static void test_states_that_do_not_fit(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = sum_recipe();
    struct few__model_state *s = &recipe.input.states[0];
    s->input = "memory";
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': expected an input 'memory', found 'before', 'sound', 'gain'");
    *s = (struct few__model_state){"before", "next", 2, {1, 1}};
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': expected an output 'next', found 'total', 'after'");
    *s = (struct few__model_state){"before", "after", 2, {2, 1}};
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': state 'before': expected float32 [2,1], found float32 [1,?]");
    *s = (struct few__model_state){"before", "after", 1, {1}};
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': state 'before': expected float32 [1], found float32 [1,?]");
    *s = (struct few__model_state){"before", "total", 2, {1, 5}};
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': output of a state 'total': expected float32 [1,5], found float32 [1,1]");
    struct few__recipe two = ends_recipe("state_of_two.onnx");
    two.decode.outputs[0] = "same";
    two.input.n_states = 1;
    two.input.states[0] = (struct few__model_state){"before", "after", 1, {2}};
    expect_refusal(runtime, &two, &vector,
                   "model 'numbers': output of a state 'after': expected float32 [2], found float64 [2]");
    few__runtime_close(runtime);
}

static void test_constants_that_do_not_fit(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = sum_recipe();
    struct few__constant *c = &recipe.input.constants[0];
    c->value = 0.5;
    expect_refusal(runtime, &recipe, &scalar, "model 'sum': constant 'gain': expected int64, found 0.5");
    c->value = 1e300;
    expect_refusal(runtime, &recipe, &scalar, "model 'sum': constant 'gain': expected int64, found 1e+300");
    recipe.file = recipe_of("sum_float.onnx", FEW_SOUND, "total").file;
    expect_refusal(runtime, &recipe, &scalar, "model 'sum': constant 'gain': expected float32, found 1e+300");
    *c = (struct few__constant){"sound", 1}; // then the input is what is left
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': input 'gain': expected float32 [1,6], found float32 [1]");
    *c = (struct few__constant){"rate", 1};
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': expected an input 'rate', found 'before', 'sound', 'gain'");
    recipe.input.n_constants = 0;
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': expected one input beside the states and constants, found 3 inputs in all: "
                   "'before', 'sound', 'gain'");
    recipe.input.n_constants = 2;
    recipe.input.constants[0] = (struct few__constant){"gain", 1};
    recipe.input.constants[1] = (struct few__constant){"sound", 1};
    expect_refusal(runtime, &recipe, &scalar,
                   "model 'sum': expected an input beside the states and constants, found 'before', 'sound', "
                   "'gain'");
    struct few__recipe two = ends_recipe("state_of_two.onnx");
    two.input.n_constants = 1;
    two.input.constants[0] = (struct few__constant){"before", 1};
    expect_refusal(runtime, &two, &vector,
                   "model 'numbers': constant 'before': expected one float32, float64, int32 or int64, found "
                   "float32 [2]");
    few__runtime_close(runtime);
}

/* ---- rows ---- */

// The numbers lie along one dimension, whichever it is.
static void test_ranks_of_sound(void **state)
{
    (void)state;
    static const char *const files[] = {"ends.onnx", "ends_row.onnx", "ends_column.onnx"};
    struct few__runtime *runtime = open_runtime(NULL);
    for (size_t i = 0; i < 3; i++) {
        const struct few__recipe recipe = ends_recipe(files[i]);
        struct few__runner *runner = load(runtime, &recipe, &vector);
        float data[N] = {3, 0, 0, 0, 0, 5};
        const struct few__run_input in = {.data = data, .n_dims = 2, .dims = {1, N}, .first = true};
        struct few__tensor out[FEW__OUTPUTS_MAX];
        size_t n;
        for (int run = 0; run < 2; run++) {
            data[0] += 1;
            assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
            assert_near(out[0].data[0], 4 + run, 0);
            assert_near(out[0].data[1], 5, 0);
        }
        few__runner_unload(runner);
    }
    few__runtime_close(runtime);
}

static void test_rows_that_do_not_fit(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    struct few__recipe recipe = ends_recipe("ends_row.onnx");
    recipe.input.window.length = 7;
    expect_refusal(runtime, &recipe, &vector,
                   "model 'numbers': input 'sound': expected float32 [1,7], found float32 [6]");
    recipe = ends_recipe("tokens.onnx");
    expect_refusal(runtime, &recipe, &vector,
                   "model 'numbers': input 'text': expected float32 [1,6], found int64 [1,?]");
    recipe = ends_recipe("mean.onnx"); // a model of pictures
    expect_refusal(runtime, &recipe, &vector,
                   "model 'numbers': input 'data': expected float32 [1,6], found float32 [1,3,4,4]");
    recipe = tokens_recipe("double.onnx", 4);
    expect_refusal(runtime, &recipe, &vector,
                   "model 'numbers': input 'data': expected int64, int32 or float32 [1,4], found float64 "
                   "[1,3,4,4]");
    recipe = tokens_recipe("ends_row.onnx", 5);
    expect_refusal(
        runtime, &recipe, &vector,
        "model 'numbers': input 'sound': expected int64, int32 or float32 [1,5], found float32 [6]");
    few__runtime_close(runtime);
}

static void test_runs_that_do_not_fit(void **state)
{
    (void)state;
    struct few__runtime *runtime = open_runtime(NULL);
    const struct few__recipe heard = sum_recipe(), read = tokens_recipe("tokens.onnx", 4);
    struct few__runner *sound = load(runtime, &heard, &scalar), *text = load(runtime, &read, &vector);
    float data[N] = {0};
    int64_t tokens[4] = {0};
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n = 9;
    const struct few__run_input bad_sound[] = {{.data = data, .n_dims = 2, .dims = {1, N - 1}},
                                               {.data = data, .n_dims = 2, .dims = {2, N}},
                                               {.data = data, .n_dims = 1, .dims = {N}},
                                               {.data = data, .n_dims = 4, .dims = {1, N, 1, 1}},
                                               {.tokens = tokens, .n_dims = 2, .dims = {1, N}}};
    for (size_t i = 0; i < sizeof bad_sound / sizeof *bad_sound; i++) {
        assert_status(few__runner_run(sound, &bad_sound[i], out, &n, &err), FEW_ESHAPE, &err);
        assert_int_equal(n, 0);
        assert_non_null(strstr(err.message, "model 'sum': input 'sound': expected float32 [1,6], found "));
    }
    const struct few__run_input no_text = {.data = data, .n_dims = 2, .dims = {1, 4}};
    assert_status(few__runner_run(text, &no_text, out, &n, &err), FEW_ESHAPE, &err);
    assert_string_equal(err.message,
                        "model 'numbers': input 'text': expected int64 [1,4], found float32 [1,4]");
    few__runner_unload(sound);
    few__runner_unload(text);
    few__runtime_close(runtime);
}

static void test_types_of_text(void **state)
{
    (void)state;
    static const char *const files[] = {"tokens.onnx", "tokens_int32.onnx", "tokens_float.onnx"};
    struct few__runtime *runtime = open_runtime(NULL);
    for (size_t i = 0; i < 3; i++) {
        const struct few__recipe recipe = tokens_recipe(files[i], 4);
        struct few__runner *runner = load(runtime, &recipe, &vector);
        int64_t tokens[4] = {7, -1, 0, 2147483647};
        const struct few__run_input in = {.tokens = tokens, .n_dims = 2, .dims = {1, 4}, .first = true};
        struct few__tensor out[FEW__OUTPUTS_MAX];
        size_t n;
        for (int run = 0; run < 3; run++) { // the same memory with other numbers in it
            tokens[2] = run;
            const float expected[] = {7, -1, (float)run, 2147483648.0F};
            assert_status(few__runner_run(runner, &in, out, &n, &err), FEW_OK, &err);
            assert_int_equal(out[0].n, 4);
            assert_near_all(out[0].data, expected, 4, 0);
        }
        few__runner_unload(runner);
    }
    few__runtime_close(runtime);
}

/* ---- memory ---- */

static void test_runs_allocate_nothing(void **state)
{
    (void)state;
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few__runtime *runtime = open_runtime(&mem.mem);
    const struct few__recipe heard = sum_recipe(), read = tokens_recipe("tokens_int32.onnx", 4);
    struct few__runner *sound = load(runtime, &heard, &scalar), *text = load(runtime, &read, &vector);
    int64_t tokens[4] = {1, 2, 3, 4};
    const struct few__run_input in = {.tokens = tokens, .n_dims = 2, .dims = {1, 4}};
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n, calls = mem.calls;
    for (int i = 0; i < 3; i++) {
        hear(sound, 1, i == 0);
        assert_status(few__runner_run(text, &in, out, &n, &err), FEW_OK, &err);
    }
    assert_int_equal(mem.calls, calls);
    few__runner_unload(sound);
    few__runner_unload(text);
    few__runtime_close(runtime);
    assert_int_equal(mem.live, 0);
}

static enum few_status load_both(const struct few_mem *mem, void *ud)
{
    (void)ud;
    const struct few__runtime_opts opts = {.name = "onnx", .library = t_runtime()};
    const struct few_env env = {.mem = mem};
    const struct few__recipe heard = sum_recipe(), read = tokens_recipe("tokens_float.onnx", 4);
    struct few__runtime *runtime = NULL;
    struct few__runner *sound = NULL, *text = NULL;
    enum few_status status = few__runtime_open(&opts, &env, &runtime, NULL);
    if (status == FEW_OK) status = few__runner_load(runtime, &heard, &scalar, &sound, NULL);
    if (status == FEW_OK) status = few__runner_load(runtime, &read, &vector, &text, NULL);
    few__runner_unload(sound);
    few__runner_unload(text);
    few__runtime_close(runtime);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!t_runtime()) skip();
    t_fail_each_allocation(load_both, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states_go_from_run_to_run),
        cmocka_unit_test(test_a_cancelled_run_keeps_the_state),
        cmocka_unit_test(test_names_may_be_left_out),
        cmocka_unit_test(test_constants_have_the_type_of_the_model),
        cmocka_unit_test(test_states_that_do_not_fit),
        cmocka_unit_test(test_constants_that_do_not_fit),
        cmocka_unit_test(test_ranks_of_sound),
        cmocka_unit_test(test_rows_that_do_not_fit),
        cmocka_unit_test(test_runs_that_do_not_fit),
        cmocka_unit_test(test_types_of_text),
        cmocka_unit_test(test_runs_allocate_nothing),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
