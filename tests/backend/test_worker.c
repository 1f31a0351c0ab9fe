// SPDX-License-Identifier: Apache-2.0
// Models in other processes: what they may answer, every way in which they fail, and that nothing of them is left.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/backend.h"
#include "backend/worker_process.h"
#include "support/support.h"

enum { CHANNELS = 3, SIDE = 4, NUMBERS = CHANNELS * SIDE * SIDE, BATCH = 2, PIDS_MAX = 16 };

static const struct few_model vector = {.name = "m", .kind = FEW_VECTOR};
static const int64_t LONG_US = 60000000; // no test waits for its end
static const int64_t SHORT_US = 20000;   // the test waits for its end, inside the library

/* ---- a model with a habit ---- */

static atomic_llong host_us; // the host's clock, by which pauses are counted

static int64_t host_now(void *ud)
{
    (void)ud;
    return atomic_load(&host_us);
}

struct world {
    struct few__runtime *runtime;
    const char *folder, *command[4];
    struct few__recipe recipe;
    float data[BATCH * NUMBERS];
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n_out;
    struct few_error err;
};

static struct few__runtime *open_workers(const struct few_mem *mem, int64_t start_us)
{
    struct few__runtime *runtime;
    struct few_error err;
    const struct few__runtime_opts opts = {.name = "worker", .start_us = start_us};
    const struct few_env env = {.mem = mem, .clock = {.now_us = host_now}};
    assert_status(few__runtime_open(&opts, &env, &runtime, &err), FEW_OK, &err);
    return runtime;
}

static void fill(struct world *w, float first)
{
    for (size_t i = 0; i < BATCH * NUMBERS; i++) w->data[i] = (float)(i % 7) - 2 + (float)(i / NUMBERS);
    w->data[0] = first;
}

static void world_init(struct world *w, const char *habit, int64_t start_us)
{
    static char script[4096];
    snprintf(script, sizeof script, "%s/tests/backend/odd_worker.py", t_source());
    *w = (struct world){.folder = t_tmpdir()};
    w->command[0] = PYTHON;
    w->command[1] = script;
    w->command[2] = habit;
    w->command[3] = w->folder;
    w->recipe = (struct few__recipe){.backend = "worker",
                                     .n_command = 4,
                                     .command = w->command,
                                     .batch = 1,
                                     .timeout_us = LONG_US,
                                     .input = {.pixels = {.width = SIDE, .height = SIDE}},
                                     .decode = {.kind = FEW__DECODE_VALUES, .n_values = CHANNELS}};
    w->runtime = open_workers(NULL, start_us);
    fill(w, 0);
}

static void world_finish(struct world *w)
{
    few__runtime_close(w->runtime);
}

static enum few_status run_items(struct world *w, struct few__runner *runner, int64_t items)
{
    const struct few__run_input in = {w->data, {items, CHANNELS, SIDE, SIDE}};
    w->err.message[0] = '\0';
    return few__runner_run(runner, &in, w->out, &w->n_out, &w->err);
}

static enum few_status run(struct world *w, struct few__runner *runner)
{
    return run_items(w, runner, 1);
}

static struct few__runner *load(struct world *w)
{
    struct few__runner *runner;
    assert_status(few__runner_load(w->runtime, &w->recipe, &vector, &runner, &w->err), FEW_OK, &w->err);
    return runner;
}

static void expect_message(const struct world *w, const char *part)
{
    if (!strstr(w->err.message, part)) fail_msg("'%s' is not in: %s", part, w->err.message);
    if (strchr(w->err.message, '\n')) fail_msg("more than one line: %s", w->err.message);
}

static void expect_means(const struct world *w, int64_t items)
{
    float expected[BATCH * CHANNELS];
    for (size_t c = 0; c < (size_t)items * CHANNELS; c++) {
        double sum = 0;
        for (size_t i = 0; i < SIDE * SIDE; i++) sum += (double)w->data[c * SIDE * SIDE + i];
        expected[c] = (float)(sum / (SIDE * SIDE));
    }
    assert_int_equal(w->n_out, 1);
    assert_int_equal(w->out[0].n, items * CHANNELS);
    assert_near_all(w->out[0].data, expected, (size_t)items * CHANNELS, 1e-6);
}

static void expect_run(struct world *w, struct few__runner *runner)
{
    assert_status(run(w, runner), FEW_OK, &w->err);
    expect_means(w, 1);
}

// The processes that noted themselves, in order; returns how many.
static size_t read_pids(pid_t pids[PIDS_MAX])
{
    size_t n = 0;
    long pid;
    FILE *file = fopen(t_path("pids"), "r");
    assert_non_null(file);
    while (n < PIDS_MAX && fscanf(file, "%ld", &pid) == 1) pids[n++] = (pid_t)pid;
    fclose(file);
    return n;
}

// No child is left to be waited for, and none that noted itself is alive.
static void expect_none_left(size_t n_expected)
{
    pid_t pids[PIDS_MAX];
    size_t n = read_pids(pids);
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++) {
        while (kill(pids[i], 0) == 0 && getpgid(pids[i]) == pids[0] && pids[i] != pids[0])
            sched_yield(); // an orphan that was killed: init takes it
        if (kill(pids[i], 0) == 0) fail_msg("process %ld is alive", (long)pids[i]);
        assert_int_equal(errno, ESRCH);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* ---- what works ---- */

static void test_answers(void **state)
{
    (void)state;
    const char *const habits[] = {"good", "lists"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, habits[i], 0);
        struct few__runner *runner = load(&w);
        for (int k = 0; k < 3; k++) {
            fill(&w, (float)k);
            expect_run(&w, runner);
        }
        assert_int_equal(w.out[0].n_dims, 2);
        assert_int_equal(w.out[0].dims[0], 1);
        assert_int_equal(w.out[0].dims[1], CHANNELS);
        assert_false(few__runner_answers(runner));
        few__runner_unload(runner);
        world_finish(&w);
        expect_none_left(1);
    }
}

static void test_outputs_by_name(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "named", 0);
    w.recipe.decode.n_outputs = 2;
    w.recipe.decode.outputs[0] = "mean";
    w.recipe.decode.outputs[1] = "twice";
    struct few__runner *runner = load(&w);
    assert_status(run(&w, runner), FEW_OK, &w.err);
    assert_int_equal(w.n_out, 2);
    assert_int_equal(w.out[0].n_dims, 3);
    assert_int_equal(w.out[0].n, CHANNELS);
    assert_int_equal(w.out[1].n_dims, 2);
    assert_int_equal(w.out[1].dims[1], 0);
    assert_int_equal(w.out[1].n, 0);
    w.n_out = 1;
    expect_means(&w, 1);
    few__runner_unload(runner);
    world_finish(&w);
}

static void test_hello(void **state)
{
    (void)state;
    struct world w;
    char hello[1000] = "";
    world_init(&w, "good", 0);
    w.recipe.batch = BATCH;
    w.recipe.decode.n_outputs = 1;
    w.recipe.decode.outputs[0] = "mean \"m\"";
    struct few__runner *runner = load(&w);
    FILE *file = fopen(t_path("hello"), "r");
    assert_non_null(file);
    assert_non_null(fgets(hello, sizeof hello, file));
    fclose(file);
    assert_string_equal(hello,
                        "{\"batch\": 2, \"fewer\": 1, \"model\": \"m\", \"outputs\": [\"mean \\\"m\\\"\"], "
                        "\"shape\": [1, 3, 4, 4]}");
    few__runner_unload(runner);
    world_finish(&w);
}

static void test_batch(void **state)
{
    (void)state;
    const char *const habits[] = {"good", "lists"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, habits[i], 0);
        w.recipe.batch = BATCH;
        struct few__runner *runner = load(&w);
        for (int64_t items = BATCH; items > 0; items--) {
            assert_status(run_items(&w, runner, items), FEW_OK, &w.err);
            assert_int_equal(w.out[0].dims[0], items);
            expect_means(&w, items);
        }
        assert_status(run_items(&w, runner, BATCH + 1), FEW_ESHAPE, &w.err);
        expect_message(&w, "expected float32 [?,3,4,4], at most 2 items");
        few__runner_unload(runner);
        world_finish(&w);
    }
}

// The worker's own word about one request costs that run and no more.
static void test_error_of_a_request(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "error", 0);
    struct few__runner *runner = load(&w);
    expect_run(&w, runner);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    assert_string_equal(w.err.message, "model 'm': its worker: the picture is upside down");
    expect_run(&w, runner);
    few__runner_unload(runner);
    world_finish(&w);
    expect_none_left(1);
}

static void test_a_lot_on_standard_error(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "noisy", 0);
    struct few__runner *runner = load(&w);
    for (int i = 0; i < 3; i++) expect_run(&w, runner);
    few__runner_unload(runner);
    world_finish(&w);
}

static void test_memory_of_the_process(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "good", 0);
    struct few__runner *runner = load(&w);
    assert_true(few__runner_bytes(runner) > 1 << 20); // an interpreter takes more than that
    few__runner_unload(runner);
    world_finish(&w);
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
        world_init(&w, cases[i].habit, 0);
        assert_status(few__runner_load(w.runtime, &w.recipe, &vector, &runner, &w.err), cases[i].status,
                      &w.err);
        assert_null(runner);
        assert_ptr_equal(strstr(w.err.message, "model 'm': its worker "), w.err.message);
        expect_message(&w, cases[i].part);
        world_finish(&w);
        expect_none_left(1);
    }
}

static void test_hangs_at_start(void **state)
{
    (void)state;
    struct world w;
    struct few__runner *runner;
    world_init(&w, "hang_at_start", SHORT_US);
    assert_status(few__runner_load(w.runtime, &w.recipe, &vector, &runner, &w.err), FEW_EBACKEND, &w.err);
    expect_message(&w, "model 'm': its worker was not ready after 0.02 s");
    world_finish(&w);
}

static void expect_no_start(const char *const *command, size_t n, enum few_status status, const char *part)
{
    struct world w;
    struct few__runner *runner;
    world_init(&w, "good", 0);
    w.recipe.command = command;
    w.recipe.n_command = n;
    assert_status(few__runner_load(w.runtime, &w.recipe, &vector, &runner, &w.err), status, &w.err);
    expect_message(&w, part);
    world_finish(&w);
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
    world_init(&w, "good", 0);
    w.recipe.input.pixels.width = w.recipe.input.pixels.height =
        2048; // 12,582,912 numbers, 9 too many for a line
    assert_status(few__runner_load(w.runtime, &w.recipe, &vector, &runner, &w.err), FEW_ELIMIT, &w.err);
    expect_message(
        &w, "expected an input of at most 12582864 numbers for a worker, found float32 [1,3,2048,2048]");
    w.recipe.input.pixels.width = 1024;
    few__runner_unload(load(&w));
    w.recipe.batch = 2;
    assert_status(few__runner_load(w.runtime, &w.recipe, &vector, &runner, &w.err), FEW_ELIMIT, &w.err);
    expect_message(&w, "found float32 [2,3,2048,1024]");
    world_finish(&w);
    expect_none_left(1);
}

/* ---- answers that are none ---- */

static void expect_broken(const char *habit, enum few_status status, const char *part)
{
    struct world w;
    world_init(&w, habit, 0);
    struct few__runner *runner = load(&w);
    assert_status(run(&w, runner), status, &w.err);
    assert_int_equal(w.n_out, 0);
    expect_message(&w, part);
    assert_int_equal(few__runner_bytes(runner), 0); // it was killed
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    expect_message(&w, "; next start in 100 ms");
    few__runner_unload(runner);
    world_finish(&w);
    expect_none_left(1);
}

static void test_broken_answers(void **state)
{
    (void)state;
    expect_broken("rubbish", FEW_EBACKEND,
                  "gave a wrong answer: expected one JSON object in a line, found "
                  "'Loading weights ...'");
    expect_broken("no_object", FEW_EBACKEND, "expected one JSON object in a line, found '[1, 2]'");
    expect_broken("no_id", FEW_EBACKEND, "expected an answer with the \"id\" of its request");
    expect_broken("other_id", FEW_EBACKEND, "expected the answer to request 1, found 2");
    expect_broken("nan", FEW_EBACKEND,
                  "expected one JSON object in a line, found '{\"id\": 1, \"output\": [NaN");
    expect_broken("too_large", FEW_EBACKEND, "number 0 of an output: expected a float32");
    expect_broken("nothing", FEW_EBACKEND, "expected one of \"output\", \"outputs\" and \"error\"");
    expect_broken("no_base64", FEW_EBACKEND, "expected base64, found another character");
    expect_broken("half_numbers", FEW_EBACKEND, "expected base64 of float32 numbers, found 4 characters");
}

static void test_wrong_shapes(void **state)
{
    (void)state;
    expect_broken("wrong_shape", FEW_ESHAPE, "expected numbers for its shape float32 [1,4], found 3");
    expect_broken("no_shape", FEW_ESHAPE, "expected a \"shape\" of 1 to 8 whole numbers");
    expect_broken("many_dims", FEW_ESHAPE, "expected a \"shape\" of 1 to 8 whole numbers");
    expect_broken("negative", FEW_ESHAPE, "expected a \"shape\" of 1 to 8 whole numbers");
    expect_broken("few_outputs", FEW_ESHAPE, "expected a list of 1 \"outputs\", found 0");
}

static void test_wrong_output_names(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "other_name", 0);
    w.recipe.decode.n_outputs = 1;
    w.recipe.decode.outputs[0] = "mean";
    struct few__runner *runner = load(&w);
    assert_status(run(&w, runner), FEW_ESHAPE, &w.err);
    expect_message(&w, "expected an output 'mean'");
    few__runner_unload(runner);
    w.recipe.decode.n_outputs = 2;
    w.recipe.decode.outputs[1] = "twice";
    w.command[2] = "good";
    runner = load(&w);
    assert_status(run(&w, runner), FEW_ESHAPE, &w.err);
    expect_message(&w, "expected 2 \"outputs\", found one \"output\"");
    few__runner_unload(runner);
    world_finish(&w);
}

static void test_wrong_batch(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "one_for_two", 0);
    w.recipe.batch = 2;
    struct few__runner *runner = load(&w);
    assert_status(run_items(&w, runner, 1), FEW_OK, &w.err);
    assert_status(run_items(&w, runner, 2), FEW_ESHAPE, &w.err);
    expect_message(&w, "expected 2 as first dimension, found 1");
    few__runner_unload(runner);
    world_finish(&w);
}

// The second of two equal answers is found when the next run begins.
static void test_answers_twice(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "twice", 0);
    struct few__runner *runner = load(&w);
    expect_run(&w, runner);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    expect_message(&w, "it wrote more than the answer to request 1");
    few__runner_unload(runner);
    world_finish(&w);
    expect_none_left(1);
}

static void test_line_too_long(void **state)
{
    (void)state;
    expect_broken("huge", FEW_EBACKEND, "wrote a line of more than 67108864 bytes");
}

/* ---- crashes and pauses ---- */

static void test_crash(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "crash", 0);
    struct few__runner *runner = load(&w);
    expect_run(&w, runner);
    expect_run(&w, runner);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    assert_string_equal(w.err.message,
                        "model 'm': its worker ended with status 7; it said last: 'ValueError: three is "
                        "too many'");
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    expect_message(&w, "'ValueError: three is too many'; next start in 100 ms");
    atomic_fetch_add(&host_us, 100000);
    expect_run(&w, runner); // a new process
    few__runner_unload(runner);
    world_finish(&w);
    expect_none_left(2);
}

static void test_killed_and_hung_up(void **state)
{
    (void)state;
    expect_broken("killed", FEW_EBACKEND, "its worker was killed by signal 9");
    expect_broken("hangs_up", FEW_EBACKEND, "its worker closed its output");
}

// A shell's worker that ends with the first request: the pause doubles up to ten seconds, and an answer ends it.
static void test_pauses_double(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "good", 0);
    char script[200];
    snprintf(script, sizeof script,
             "read l; echo '{\"ready\":1}'; read l; test -e %s/well && echo '{\"id\":1,\"output\":[1,2,3]}'",
             w.folder);
    const char *const command[] = {"sh", "-c", script};
    w.recipe.command = command;
    w.recipe.n_command = 3;
    struct few__runner *runner = load(&w);
    const int expected_ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
        char part[60];
        assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
        expect_message(&w, "its worker ended with status 1");
        assert_null(strstr(w.err.message, "next start"));
        assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
        snprintf(part, sizeof part, "; next start in %d ms", expected_ms[i]);
        expect_message(&w, part);
        atomic_fetch_add(&host_us, expected_ms[i] * 1000 - 1);
        assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
        expect_message(&w, "; next start in 1 ms");
        atomic_fetch_add(&host_us, 1);
    }
    t_write(t_path("well"), "", 0);
    assert_status(run(&w, runner), FEW_OK, &w.err);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    expect_message(&w, "its worker ended with status 0; next start in 100 ms");
    few__runner_unload(runner);
    world_finish(&w);
}

/* ---- time ---- */

// Opens for reading once the worker is at the gate.
static void wait_at_gate(void)
{
    int fd = open(t_path("entered"), O_RDONLY);
    assert_true(fd >= 0);
    close(fd);
}

static void open_gate(void)
{
    int fd = open(t_path("go"), O_WRONLY);
    assert_true(fd >= 0);
    close(fd);
}

static void make_gate(void)
{
    assert_int_equal(mkfifo(t_path("entered"), 0600), 0);
    assert_int_equal(mkfifo(t_path("go"), 0600), 0);
}

// A request over its time costs that run; the worker goes on when it answers late.
static void test_late_answer(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "gate", 0);
    make_gate();
    struct few__runner *runner = load(&w);
    w.recipe.timeout_us = SHORT_US;
    fill(&w, 1);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    assert_string_equal(w.err.message, "model 'm': its worker gave no answer within 0.02 s");
    wait_at_gate();
    open_gate();
    w.recipe.timeout_us = LONG_US;
    fill(&w, 2);
    expect_run(&w, runner); // and not what the late answer said
    few__runner_unload(runner);
    world_finish(&w);
    expect_none_left(1);
}

static void test_silent_twice(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "gate", 0);
    make_gate();
    struct few__runner *runner = load(&w);
    w.recipe.timeout_us = SHORT_US;
    fill(&w, 1);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    fill(&w, 2);
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    expect_message(&w, "its worker gave no answer for longer than 0.02 s and was ended");
    assert_status(run(&w, runner), FEW_EBACKEND, &w.err);
    expect_message(&w, "next start in 100 ms");
    atomic_fetch_add(&host_us, 100000);
    w.recipe.timeout_us = LONG_US;
    expect_run(&w, runner);
    few__runner_unload(runner);
    world_finish(&w);
    expect_none_left(2);
}

/* ---- lanes ---- */

struct lane {
    struct world *world;
    struct few__runner *runner;
    struct few__run_input in;
    float data[NUMBERS];
    int runs;
    enum few_status status;
    float result[CHANNELS];
    bool equal;
};

static void lane_init(struct lane *lane, struct world *w, float first, int runs)
{
    *lane = (struct lane){.world = w, .runner = load(w), .runs = runs, .equal = true};
    fill(w, first);
    memcpy(lane->data, w->data, sizeof lane->data);
    lane->in = (struct few__run_input){lane->data, {1, CHANNELS, SIDE, SIDE}};
}

static void *run_lane(void *ud)
{
    struct lane *lane = ud;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    for (int i = 0; i < lane->runs && lane->status == FEW_OK; i++) {
        lane->status = few__runner_run(lane->runner, &lane->in, out, &n, NULL);
        if (lane->status != FEW_OK) break;
        if (i == 0) memcpy(lane->result, out[0].data, sizeof lane->result);
        lane->equal = lane->equal && memcmp(lane->result, out[0].data, sizeof lane->result) == 0;
    }
    return NULL;
}

static void test_lanes_share_a_worker(void **state)
{
    (void)state;
    struct world w;
    struct lane lanes[2];
    pthread_t threads[2];
    world_init(&w, "good", 0);
    for (size_t i = 0; i < 2; i++) lane_init(&lanes[i], &w, (float)(100 * i), 100);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_lane, &lanes[i]), 0);
    for (size_t i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(lanes[i].status, FEW_OK);
        assert_true(lanes[i].equal);
    }
    assert_near(lanes[1].result[0] - lanes[0].result[0], 100.0 / (SIDE * SIDE), 1e-5);
    assert_int_equal(few__runner_bytes(lanes[0].runner) > 0, 1);
    few__runner_unload(lanes[0].runner);
    expect_run(&w, lanes[1].runner); // the other still has the process
    few__runner_unload(lanes[1].runner);
    world_finish(&w);
    expect_none_left(1);
}

static void *load_lane(void *ud)
{
    struct lane *lane = ud;
    lane->status = few__runner_load(lane->world->runtime, &lane->world->recipe, &vector, &lane->runner, NULL);
    return NULL;
}

static void test_two_loads_make_one_process(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, "good", 0);
    struct lane lanes[3] = {{.world = &w}, {.world = &w}, {.world = &w}};
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_lane, &lanes[i]), 0);
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lanes[i].status, FEW_OK);
        few__runner_unload(lanes[i].runner);
    }
    world_finish(&w);
    expect_none_left(1);
}

// One lane is inside the worker, another waits for its turn; both are cancelled, and the worker lives on.
static void test_cancel(void **state)
{
    (void)state;
    struct world w;
    struct lane lanes[2];
    pthread_t threads[2];
    world_init(&w, "gate", 0);
    make_gate();
    lane_init(&lanes[0], &w, 1, 1);
    lane_init(&lanes[1], &w, 2, 1);
    assert_int_equal(pthread_create(&threads[0], NULL, run_lane, &lanes[0]), 0);
    wait_at_gate();
    assert_int_equal(pthread_create(&threads[1], NULL, run_lane, &lanes[1]), 0);
    for (size_t i = 2; i-- > 0;) {
        few__runner_cancel(lanes[i].runner);
        pthread_join(threads[i], NULL);
        assert_int_equal(lanes[i].status, FEW_ECANCELED);
    }
    assert_status(run(&w, lanes[0].runner), FEW_ECANCELED, &w.err); // until the reset
    open_gate();
    for (size_t i = 0; i < 2; i++) {
        few__runner_reset(lanes[i].runner);
        fill(&w, (float)(5 + i));
        expect_run(&w, lanes[i].runner);
    }
    for (size_t i = 0; i < 2; i++) few__runner_unload(lanes[i].runner);
    world_finish(&w);
    expect_none_left(1);
}

/* ---- the end ---- */

static void test_ends_that_do_not_come(void **state)
{
    (void)state;
    const char *const habits[] = {"stubborn", "parent"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, habits[i], 0);
        struct few__runner *runner = load(&w);
        expect_run(&w, runner);
        few__runner_unload(runner);
        world_finish(&w);
        expect_none_left(1 + i); // with its child
    }
}

/* ---- memory ---- */

static enum few_status load_and_run(const struct few_mem *mem, void *ud)
{
    (void)ud;
    const char *const command[] = {
        "sh", "-c",
        "read l; echo '{\"ready\":1}'; while read l; do echo '{\"id\":1,\"output\":[1,2,3]}'; done"};
    const struct few__recipe recipe = {.n_command = 3,
                                       .command = command,
                                       .input = {.pixels = {.width = SIDE, .height = SIDE}},
                                       .decode = {.kind = FEW__DECODE_VALUES, .n_values = CHANNELS}};
    const struct few__runtime_opts opts = {.name = "worker"};
    const struct few_env env = {.mem = mem};
    float data[NUMBERS] = {0};
    const struct few__run_input in = {data, {1, CHANNELS, SIDE, SIDE}};
    struct few__runtime *runtime = NULL;
    struct few__runner *runner = NULL;
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
    t_fail_each_allocation(load_and_run, NULL);
}

static void test_run_allocates_nothing(void **state)
{
    (void)state;
    struct t_mem mem;
    struct world w;
    world_init(&w, "good", 0);
    few__runtime_close(w.runtime);
    t_mem_init(&mem, 0);
    w.runtime = open_workers(&mem.mem, 0);
    struct few__runner *runner = load(&w);
    expect_run(&w, runner);
    size_t calls = mem.calls;
    for (int i = 0; i < 3; i++) expect_run(&w, runner);
    assert_int_equal(mem.calls, calls);
    few__runner_unload(runner);
    world_finish(&w);
    assert_int_equal(mem.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_outputs_by_name),
        cmocka_unit_test(test_hello),
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
        cmocka_unit_test(test_wrong_batch),
        cmocka_unit_test(test_answers_twice),
        cmocka_unit_test(test_line_too_long),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_killed_and_hung_up),
        cmocka_unit_test(test_pauses_double),
        cmocka_unit_test(test_late_answer),
        cmocka_unit_test(test_silent_twice),
        cmocka_unit_test(test_lanes_share_a_worker),
        cmocka_unit_test(test_two_loads_make_one_process),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_ends_that_do_not_come),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_run_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
