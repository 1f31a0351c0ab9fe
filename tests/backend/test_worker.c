// SPDX-License-Identifier: Apache-2.0
// Models in other processes: what they may answer, loads that fail, answers that are none.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backend/worker_process.h"
#include "worker_world.h"

/* ---- what works ---- */

static void test_answers(void **state)
{
    (void)state;
    const char *const habits[] = {"good", "lists"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        w_init(&w, habits[i], 0);
        struct few__runner *runner = w_load(&w);
        for (int k = 0; k < 3; k++) {
            w_fill(&w, (float)k);
            w_expect_run(&w, runner);
        }
        assert_int_equal(w.out[0].n_dims, 2);
        assert_int_equal(w.out[0].dims[0], 1);
        assert_int_equal(w.out[0].dims[1], CHANNELS);
        assert_false(few__runner_answers(runner));
        few__runner_unload(runner);
        w_finish(&w);
        w_expect_none_left(1);
    }
}

static void test_outputs_by_name(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "named", 0);
    w.recipe.decode.n_outputs = 2;
    w.recipe.decode.outputs[0] = "mean";
    w.recipe.decode.outputs[1] = "twice";
    struct few__runner *runner = w_load(&w);
    assert_status(w_run(&w, runner), FEW_OK, &w.err);
    assert_int_equal(w.n_out, 2);
    assert_int_equal(w.out[0].n_dims, 3);
    assert_int_equal(w.out[0].n, CHANNELS);
    assert_int_equal(w.out[1].n_dims, 2);
    assert_int_equal(w.out[1].dims[1], 0);
    assert_int_equal(w.out[1].n, 0);
    w.n_out = 1;
    w_expect_means(&w, 1);
    few__runner_unload(runner);
    w_finish(&w);
}

static void test_hello(void **state)
{
    (void)state;
    struct world w;
    char hello[1000] = "";
    w_init(&w, "good", 0);
    w.recipe.batch = BATCH;
    w.recipe.decode.n_outputs = 1;
    w.recipe.decode.outputs[0] = "mean \"m\"";
    struct few__runner *runner = w_load(&w);
    FILE *file = fopen(t_path("hello"), "r");
    assert_non_null(file);
    assert_non_null(fgets(hello, sizeof hello, file));
    fclose(file);
    assert_string_equal(hello,
                        "{\"batch\": 2, \"fewer\": 1, \"model\": \"m\", \"outputs\": [\"mean \\\"m\\\"\"], "
                        "\"shape\": [1, 3, 4, 4]}");
    few__runner_unload(runner);
    w_finish(&w);
}

// Whatever the host opened, blocked and ignored, a worker begins with three files and the signals of any program.
static void test_what_a_worker_inherits(void **state)
{
    (void)state;
    struct world w;
    char around[200] = "";
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, was;
    w_init(&w, "looks", 0);
    int left_open = open("/dev/null", O_RDONLY);
    assert_true(left_open > STDERR_FILENO);
    sigaction(SIGUSR1, &ignore, &was);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    struct few__runner *runner = w_load(&w);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    sigaction(SIGUSR1, &was, NULL);
    close(left_open);
    FILE *file = fopen(t_path("around"), "r");
    assert_non_null(file);
    assert_non_null(fgets(around, sizeof around, file));
    fclose(file);
    assert_string_equal(around, "[0, 1, 2] [] True True\n");
    few__runner_unload(runner);
    w_finish(&w);
}

static void test_batch(void **state)
{
    (void)state;
    const char *const habits[] = {"good", "lists"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        w_init(&w, habits[i], 0);
        w.recipe.batch = BATCH;
        struct few__runner *runner = w_load(&w);
        for (int64_t items = BATCH; items > 0; items--) {
            assert_status(w_run_items(&w, runner, items), FEW_OK, &w.err);
            assert_int_equal(w.out[0].dims[0], items);
            w_expect_means(&w, items);
        }
        assert_status(w_run_items(&w, runner, BATCH + 1), FEW_ESHAPE, &w.err);
        w_expect_message(&w, "expected float32 [?,3,4,4], at most 2 items");
        few__runner_unload(runner);
        w_finish(&w);
    }
}

// The worker's own word about one request costs that run and no more.
static void test_error_of_a_request(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "error", 0);
    struct few__runner *runner = w_load(&w);
    w_expect_run(&w, runner);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    assert_string_equal(w.err.message, "model 'm': its worker: the picture is upside down");
    w_expect_run(&w, runner);
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(1);
}

static void test_a_lot_on_standard_error(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "noisy", 0);
    struct few__runner *runner = w_load(&w);
    for (int i = 0; i < 3; i++) w_expect_run(&w, runner);
    few__runner_unload(runner);
    w_finish(&w);
}

static void test_memory_of_the_process(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "good", 0);
    struct few__runner *runner = w_load(&w);
    assert_true(few__runner_bytes(runner) > 1 << 20); // an interpreter takes more than that
    few__runner_unload(runner);
    w_finish(&w);
    assert_int_equal(few__child_bytes(0), 0);
}

/* ---- loads that fail ---- */

static void test_load_fails(void **state)
{
    (void)state;
    const struct {
        const char *habit;
        enum few_status status;
        const char *part;
    } cases[] = {
        {"crash_at_start", FEW_EBACKEND, "ended with status 1; it said last: 'no such weights: w.bin'"},
        {"refuses", FEW_EBACKEND, "did not get ready: needs a newer Python"},
        {"old", FEW_EVERSION, "expected \"ready\": 1, found 2"},
        {"not_ready", FEW_EBACKEND, "expected \"ready\": 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world w;
        struct few__runner *runner;
        w_init(&w, cases[i].habit, 0);
        assert_status(few__runner_load(w.runtime, &w.recipe, &w_model, &runner, &w.err), cases[i].status,
                      &w.err);
        assert_null(runner);
        assert_ptr_equal(strstr(w.err.message, "model 'm': its worker "), w.err.message);
        w_expect_message(&w, cases[i].part);
        w_finish(&w);
        w_expect_none_left(1);
    }
}

static void test_hangs_at_start(void **state)
{
    (void)state;
    struct world w;
    struct few__runner *runner;
    w_init(&w, "hang_at_start", SHORT_US);
    assert_status(few__runner_load(w.runtime, &w.recipe, &w_model, &runner, &w.err), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "model 'm': its worker was not ready after 0.02 s");
    w_finish(&w);
}

static void expect_no_start(const char *const *command, size_t n, enum few_status status, const char *part)
{
    struct world w;
    struct few__runner *runner;
    w_init(&w, "good", 0);
    w.recipe.command = command;
    w.recipe.n_command = n;
    assert_status(few__runner_load(w.runtime, &w.recipe, &w_model, &runner, &w.err), status, &w.err);
    w_expect_message(&w, part);
    w_finish(&w);
}

static void test_no_program(void **state)
{
    (void)state;
    const char *const missing[] = {"/nowhere/worker", "x"}, *const unknown[] = {"no-such-program-of-fewer"};
    const char *const folder[] = {"/tmp"};
    const char *many[FEW__CHILD_WORDS_MAX + 1];
    for (size_t i = 0; i < FEW__CHILD_WORDS_MAX + 1; i++) many[i] = "true";
    expect_no_start(missing, 2, FEW_ENOENT, "program '/nowhere/worker' cannot be started: No such file");
    expect_no_start(unknown, 1, FEW_ENOENT,
                    "program 'no-such-program-of-fewer' cannot be started: No such file");
    expect_no_start(folder, 1, FEW_EIO, "program '/tmp' cannot be started: Permission denied");
    expect_no_start(many, FEW__CHILD_WORDS_MAX + 1, FEW_ELIMIT, "expected 1 to 64 words, found 65");
    expect_no_start(many, 0, FEW_ELIMIT, "expected 1 to 64 words, found 0");
    const char *const ends[] = {"true"};
    expect_no_start(ends, 1, FEW_EBACKEND, "its worker ended with status 0");
}

// What would not fit a line is refused before there is a process.
static void test_input_too_large(void **state)
{
    (void)state;
    struct world w;
    struct few__runner *runner;
    w_init(&w, "good", 0);
    w.recipe.input.pixels.width = w.recipe.input.pixels.height =
        2048; // 12,582,912 numbers, 9 too many for a line
    assert_status(few__runner_load(w.runtime, &w.recipe, &w_model, &runner, &w.err), FEW_ELIMIT, &w.err);
    w_expect_message(
        &w, "expected an input of at most 12582864 numbers for a worker, found float32 [1,3,2048,2048]");
    w.recipe.input.pixels.width = 1024;
    few__runner_unload(w_load(&w));
    w.recipe.batch = 2;
    assert_status(few__runner_load(w.runtime, &w.recipe, &w_model, &runner, &w.err), FEW_ELIMIT, &w.err);
    w_expect_message(&w, "found float32 [2,3,2048,1024]");
    w_finish(&w);
    w_expect_none_left(1);
}

/* ---- answers that are none ---- */

static void test_broken_answers(void **state)
{
    (void)state;
    w_expect_broken("rubbish", FEW_EBACKEND,
                    "gave a wrong answer: expected one JSON object in a line, found "
                    "'Loading weights ...'");
    w_expect_broken("no_object", FEW_EBACKEND, "expected one JSON object in a line, found '[1, 2]'");
    w_expect_broken("no_id", FEW_EBACKEND, "expected an answer with the \"id\" of its request");
    w_expect_broken("other_id", FEW_EBACKEND, "expected the answer to request 1, found 2");
    w_expect_broken("nan", FEW_EBACKEND,
                    "expected one JSON object in a line, found '{\"id\": 1, \"output\": [NaN");
    w_expect_broken("too_large", FEW_EBACKEND, "number 0 of an output: expected a float32");
    w_expect_broken("nothing", FEW_EBACKEND, "expected one of \"output\", \"outputs\" and \"error\"");
    w_expect_broken("no_base64", FEW_EBACKEND, "expected base64, found another character");
    w_expect_broken("half_numbers", FEW_EBACKEND, "expected base64 of float32 numbers, found 4 characters");
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    w_expect_broken("wrong_shape", FEW_ESHAPE, "expected numbers for its shape float32 [1,4], found 3");
    w_expect_broken("no_shape", FEW_ESHAPE, "expected a \"shape\" of 1 to 8 whole numbers");
    w_expect_broken("many_dims", FEW_ESHAPE, "expected a \"shape\" of 1 to 8 whole numbers");
    w_expect_broken("negative", FEW_ESHAPE, "expected a \"shape\" of 1 to 8 whole numbers");
    w_expect_broken("few_outputs", FEW_ESHAPE, "expected a list of 1 \"outputs\", found 0");
}

static void test_wrong_output_names(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "other_name", 0);
    w.recipe.decode.n_outputs = 1;
    w.recipe.decode.outputs[0] = "mean";
    struct few__runner *runner = w_load(&w);
    assert_status(w_run(&w, runner), FEW_ESHAPE, &w.err);
    w_expect_message(&w, "expected an output 'mean'");
    few__runner_unload(runner);
    w.recipe.decode.n_outputs = 2;
    w.recipe.decode.outputs[1] = "twice";
    w.command[2] = "good";
    runner = w_load(&w);
    assert_status(w_run(&w, runner), FEW_ESHAPE, &w.err);
    w_expect_message(&w, "expected 2 \"outputs\", found one \"output\"");
    few__runner_unload(runner);
    w_finish(&w);
}

/* ---- sound and text ---- */

static struct few__recipe hearing_recipe(const char **command, enum few_modality modality)
{
    static char script[4096];
    snprintf(script, sizeof script, "%s/tests/backend/hearing_worker.py", t_source());
    command[0] = PYTHON;
    command[1] = script;
    return (struct few__recipe){.backend = "worker",
                                .n_command = 2,
                                .command = command,
                                .batch = 1,
                                .timeout_us = LONG_US,
                                .input = {.modality = modality},
                                .decode = {.kind = FEW__DECODE_VALUES, .n_values = 1}};
}

static float run_row(struct few__runner *runner, const struct few__run_input *input)
{
    struct few_error err;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runner_run(runner, input, out, &n, &err), FEW_OK, &err);
    assert_int_equal(out[0].n, 1);
    return out[0].data[0];
}

// Two lanes take turns; each has a sum of its own, which begins anew with an item.
static void test_sound(void **state)
{
    (void)state;
    const char *command[2];
    struct few_error err;
    struct few__recipe recipe = hearing_recipe(command, FEW_SOUND);
    recipe.input.window = (struct few__window){.rate = 8000, .length = 3, .hop = 2, .context = 1};
    struct few__runtime *runtime = w_open(NULL, 0);
    struct few__runner *lanes[2];
    float data[4] = {1, 2, 3, 4};
    for (size_t i = 0; i < 2; i++)
        assert_status(few__runner_load(runtime, &recipe, &w_model, &lanes[i], &err), FEW_OK, &err);
    struct few__run_input in = {.data = data, .n_dims = 2, .dims = {1, 4}};
    for (int item = 0; item < 2; item++)
        for (int k = 0; k < 3; k++)
            for (size_t i = 0; i < 2; i++) {
                data[3] = i ? 4 : 5;
                in.first = k == 0;
                assert_near(run_row(lanes[i], &in), (k + 1) * (i ? 10 : 11), 0);
            }
    data[0] = -1;
    assert_near(run_row(lanes[0], &in), 8000 + 30 + 2 + 0.1, 1e-3);
    in.dims[1] = 3;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runner_run(lanes[0], &in, out, &n, &err), FEW_ESHAPE, &err);
    assert_string_equal(err.message, "model 'm': input 'data': expected float32 [1,4], found float32 [1,3]");
    for (size_t i = 0; i < 2; i++) few__runner_unload(lanes[i]);
    few__runtime_close(runtime);
}

static void test_text(void **state)
{
    (void)state;
    const char *command[2];
    struct few_error err;
    struct few__recipe recipe = hearing_recipe(command, FEW_TEXT);
    recipe.input.tokens = (struct few__tokens){.length = 4};
    struct few__runtime *runtime = w_open(NULL, 0);
    struct few__runner *runner;
    assert_status(few__runner_load(runtime, &recipe, &w_model, &runner, &err), FEW_OK, &err);
    int64_t tokens[4] = {7, -2, 0, 100000};
    const struct few__run_input in = {.tokens = tokens, .n_dims = 2, .dims = {1, 4}, .first = true};
    assert_near(run_row(runner, &in), 100005, 0);
    tokens[0] = 8;
    assert_near(run_row(runner, &in), 100006, 0);
    few__runner_unload(runner);
    few__runtime_close(runtime);
}

static void test_wrong_batch(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "one_for_two", 0);
    w.recipe.batch = 2;
    struct few__runner *runner = w_load(&w);
    assert_status(w_run_items(&w, runner, 1), FEW_OK, &w.err);
    assert_status(w_run_items(&w, runner, 2), FEW_ESHAPE, &w.err);
    w_expect_message(&w, "expected 2 as first dimension, found 1");
    few__runner_unload(runner);
    w_finish(&w);
}

// The second of two equal answers is found when the next run begins.
static void test_answers_twice(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "twice", 0);
    struct few__runner *runner = w_load(&w);
    w_expect_run(&w, runner);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "it wrote more than the answer to request 1");
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(1);
}

static void test_line_too_long(void **state)
{
    (void)state;
    w_expect_broken("huge", FEW_EBACKEND, "wrote a line of more than 67108864 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_outputs_by_name),
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_what_a_worker_inherits),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_error_of_a_request),
        cmocka_unit_test(test_a_lot_on_standard_error),
        cmocka_unit_test(test_memory_of_the_process),
        cmocka_unit_test(test_load_fails),
        cmocka_unit_test(test_hangs_at_start),
        cmocka_unit_test(test_no_program),
        cmocka_unit_test(test_input_too_large),
        cmocka_unit_test(test_broken_answers),
        cmocka_unit_test(test_wrong_shapes),
        cmocka_unit_test(test_wrong_output_names),
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_wrong_batch),
        cmocka_unit_test(test_answers_twice),
        cmocka_unit_test(test_line_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
