// SPDX-License-Identifier: Apache-2.0
// Models in other processes: crashes, time-outs, lanes, cancelling, and that nothing of them is left.
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker_world.h"

/* ---- crashes and pauses ---- */

static void test_crash(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "crash", 0);
    struct few__runner *runner = w_load(&w);
    w_expect_run(&w, runner);
    w_expect_run(&w, runner);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    assert_string_equal(w.err.message,
                        "model 'm': its worker ended with status 7; it said last: 'ValueError: three is "
                        "too many'");
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "'ValueError: three is too many'; next start in 100 ms");
    atomic_fetch_add(&w_host_us, 100000);
    w_expect_run(&w, runner); // a new process
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(2);
}

static void test_killed_and_hung_up(void **state)
{
    (void)state;
    w_expect_broken("killed", FEW_EBACKEND, "its worker was killed by signal 9");
    w_expect_broken("hangs_up", FEW_EBACKEND, "its worker closed its output");
}

// A shell's worker that ends with the first request: the pause doubles up to ten seconds, and an answer ends it.
static void test_pauses_double(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "good", 0);
    char script[200];
    snprintf(script, sizeof script,
             "read l; echo '{\"ready\":1}'; read l; test -e %s/well && echo '{\"id\":1,\"output\":[1,2,3]}'",
             w.folder);
    const char *const command[] = {"sh", "-c", script};
    w.recipe.command = command;
    w.recipe.n_command = 3;
    struct few__runner *runner = w_load(&w);
    const int expected_ms[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
    for (size_t i = 0; i < sizeof expected_ms / sizeof *expected_ms; i++) {
        char part[60];
        assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
        w_expect_message(&w, "its worker ended with status 1");
        assert_null(strstr(w.err.message, "next start"));
        assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
        snprintf(part, sizeof part, "; next start in %d ms", expected_ms[i]);
        w_expect_message(&w, part);
        atomic_fetch_add(&w_host_us, expected_ms[i] * 1000 - 1);
        assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
        w_expect_message(&w, "; next start in 1 ms");
        atomic_fetch_add(&w_host_us, 1);
    }
    t_write(t_path("well"), "", 0);
    assert_status(w_run(&w, runner), FEW_OK, &w.err);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "its worker ended with status 0; next start in 100 ms");
    few__runner_unload(runner);
    w_finish(&w);
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
    w_init(&w, "gate", 0);
    make_gate();
    struct few__runner *runner = w_load(&w);
    w.recipe.timeout_us = SHORT_US;
    w_fill(&w, 1);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    assert_string_equal(w.err.message, "model 'm': its worker gave no answer within 0.02 s");
    wait_at_gate();
    open_gate();
    w.recipe.timeout_us = LONG_US;
    w_fill(&w, 2);
    w_expect_run(&w, runner); // and not what the late answer said
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(1);
}

static void test_silent_twice(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "gate", 0);
    make_gate();
    struct few__runner *runner = w_load(&w);
    w.recipe.timeout_us = SHORT_US;
    w_fill(&w, 1);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_fill(&w, 2);
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "its worker gave no answer for longer than 0.02 s and was ended");
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "next start in 100 ms");
    atomic_fetch_add(&w_host_us, 100000);
    w.recipe.timeout_us = LONG_US;
    w_expect_run(&w, runner);
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(2);
}

// The worker hears nothing yet, and the request is more than the socket holds: what is left of it goes out later.
static void test_late_hearing(void **state)
{
    (void)state;
    enum { S = 512 };
    static float data[CHANNELS * S * S];
    struct world w;
    w_init(&w, "late_ear", 0);
    make_gate();
    w.recipe.input.pixels.width = w.recipe.input.pixels.height = S;
    struct few__runner *runner = w_load(&w);
    const struct few__run_input in = {.data = data, .n_dims = 4, .dims = {1, CHANNELS, S, S}};
    for (int i = 0; i < 2; i++) {
        w.recipe.timeout_us = i == 0 ? SHORT_US : LONG_US;
        for (size_t c = 0; c < CHANNELS; c++)
            for (size_t k = 0; k < (size_t)S * S; k++) data[c * S * S + k] = (float)(c + 10 * (size_t)i);
        assert_int_equal(few__runner_run(runner, &in, w.out, &w.n_out, &w.err),
                         i == 0 ? FEW_EBACKEND : FEW_OK);
        if (i == 0) {
            w_expect_message(&w, "gave no answer within 0.02 s");
            wait_at_gate();
            open_gate();
        }
    }
    assert_near_all(w.out[0].data, ((float[]){10, 11, 12}), CHANNELS, 0);
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(1);
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
    *lane = (struct lane){.world = w, .runner = w_load(w), .runs = runs, .equal = true};
    w_fill(w, first);
    memcpy(lane->data, w->data, sizeof lane->data);
    lane->in = (struct few__run_input){.data = lane->data, .n_dims = 4, .dims = {1, CHANNELS, SIDE, SIDE}};
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
    w_init(&w, "good", 0);
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
    w_expect_run(&w, lanes[1].runner); // the other still has the process
    few__runner_unload(lanes[1].runner);
    w_finish(&w);
    w_expect_none_left(1);
}

static void *load_lane(void *ud)
{
    struct lane *lane = ud;
    lane->status =
        few__runner_load(lane->world->runtime, &lane->world->recipe, &w_model, &lane->runner, NULL);
    return NULL;
}

static void test_two_loads_make_one_process(void **state)
{
    (void)state;
    struct world w;
    w_init(&w, "good", 0);
    struct lane lanes[3] = {{.world = &w}, {.world = &w}, {.world = &w}};
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, load_lane, &lanes[i]), 0);
    for (size_t i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lanes[i].status, FEW_OK);
        few__runner_unload(lanes[i].runner);
    }
    w_finish(&w);
    w_expect_none_left(1);
}

// One lane is inside the worker, another waits for its turn; both are cancelled, and the worker lives on.
static void test_cancel(void **state)
{
    (void)state;
    struct world w;
    struct lane lanes[2];
    pthread_t threads[2];
    w_init(&w, "gate", 0);
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
    assert_status(w_run(&w, lanes[0].runner), FEW_ECANCELED, &w.err); // until the reset
    open_gate();
    for (size_t i = 0; i < 2; i++) {
        few__runner_reset(lanes[i].runner);
        w_fill(&w, (float)(5 + i));
        w_expect_run(&w, lanes[i].runner);
    }
    for (size_t i = 0; i < 2; i++) few__runner_unload(lanes[i].runner);
    w_finish(&w);
    w_expect_none_left(1);
}

/* ---- the end ---- */

static void test_ends_that_do_not_come(void **state)
{
    (void)state;
    const char *const habits[] = {"stubborn", "parent"};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        w_init(&w, habits[i], 0);
        struct few__runner *runner = w_load(&w);
        w_expect_run(&w, runner);
        few__runner_unload(runner);
        w_finish(&w);
        w_expect_none_left(1 + i); // with its child
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
    const struct few__run_input in = {.data = data, .n_dims = 4, .dims = {1, CHANNELS, SIDE, SIDE}};
    struct few__runtime *runtime = NULL;
    struct few__runner *runner = NULL;
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    enum few_status status = few__runtime_open(&opts, &env, &runtime, NULL);
    if (status == FEW_OK) status = few__runner_load(runtime, &recipe, &w_model, &runner, NULL);
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
    w_init(&w, "good", 0);
    few__runtime_close(w.runtime);
    t_mem_init(&mem, 0);
    w.runtime = w_open(&mem.mem, 0);
    struct few__runner *runner = w_load(&w);
    w_expect_run(&w, runner);
    size_t calls = mem.calls;
    for (int i = 0; i < 3; i++) w_expect_run(&w, runner);
    assert_int_equal(mem.calls, calls);
    few__runner_unload(runner);
    w_finish(&w);
    assert_int_equal(mem.live, 0);
}

static size_t count_files(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder)) n++;
    closedir(folder);
    return n;
}

static int note_files(void **state)
{
    static size_t n;
    n = count_files();
    *state = &n;
    return 0;
}

// Through all the failures above.
static int expect_no_file_left(void **state)
{
    return count_files() == *(const size_t *)*state ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_killed_and_hung_up),
        cmocka_unit_test(test_pauses_double),
        cmocka_unit_test(test_late_answer),
        cmocka_unit_test(test_silent_twice),
        cmocka_unit_test(test_late_hearing),
        cmocka_unit_test(test_lanes_share_a_worker),
        cmocka_unit_test(test_two_loads_make_one_process),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_ends_that_do_not_come),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_run_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, note_files, expect_no_file_left);
}
