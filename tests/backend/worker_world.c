// SPDX-License-Identifier: Apache-2.0
#include "worker_world.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIDS_MAX = 16 };

const struct few_model w_model = {.name = "m", .kind = FEW_VECTOR};
atomic_llong w_host_us;

static int64_t host_now(void *ud)
{
    (void)ud;
    return atomic_load(&w_host_us);
}

struct few__runtime *w_open(const struct few_mem *mem, int64_t start_us)
{
    struct few__runtime *runtime;
    struct few_error err;
    const struct few__runtime_opts opts = {.name = "worker", .start_us = start_us};
    const struct few_env env = {.mem = mem, .clock = {.now_us = host_now}};
    assert_status(few__runtime_open(&opts, &env, &runtime, &err), FEW_OK, &err);
    return runtime;
}

void w_fill(struct world *w, float first)
{
    for (size_t i = 0; i < BATCH * NUMBERS; i++) w->data[i] = (float)(i % 7) - 2 + (float)(i / NUMBERS);
    w->data[0] = first;
}

void w_init(struct world *w, const char *habit, int64_t start_us)
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
    w->runtime = w_open(NULL, start_us);
    w_fill(w, 0);
}

void w_finish(struct world *w)
{
    few__runtime_close(w->runtime);
}

enum few_status w_run_items(struct world *w, struct few__runner *runner, int64_t items)
{
    const struct few__run_input in = {.data = w->data, .n_dims = 4, .dims = {items, CHANNELS, SIDE, SIDE}};
    w->err.message[0] = '\0';
    return few__runner_run(runner, &in, w->out, &w->n_out, &w->err);
}

enum few_status w_run(struct world *w, struct few__runner *runner)
{
    return w_run_items(w, runner, 1);
}

struct few__runner *w_load(struct world *w)
{
    struct few__runner *runner;
    assert_status(few__runner_load(w->runtime, &w->recipe, &w_model, &runner, &w->err), FEW_OK, &w->err);
    return runner;
}

void w_expect_message(const struct world *w, const char *part)
{
    if (!strstr(w->err.message, part)) fail_msg("'%s' is not in: %s", part, w->err.message);
    if (strchr(w->err.message, '\n')) fail_msg("more than one line: %s", w->err.message);
}

void w_expect_means(const struct world *w, int64_t items)
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

void w_expect_run(struct world *w, struct few__runner *runner)
{
    assert_status(w_run(w, runner), FEW_OK, &w->err);
    w_expect_means(w, 1);
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

// Whether it runs. One that died and that nobody waits for yet does not.
static bool is_alive(pid_t pid)
{
    char path[40], state = 'X';
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "r");
    if (!file) return false;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
    fclose(file);
    return state != 'Z' && state != 'X';
}

void w_expect_none_left(size_t n_expected)
{
    pid_t pids[PIDS_MAX];
    size_t n = read_pids(pids);
    assert_int_equal(n, n_expected);
    for (size_t i = 0; i < n; i++)
        while (is_alive(pids[i])) // a child of the worker dies when it gets to it; ours were waited for
            if (i == 0) fail_msg("process %ld is alive", (long)pids[i]);
            else sched_yield();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

void w_expect_broken(const char *habit, enum few_status status, const char *part)
{
    struct world w;
    w_init(&w, habit, 0);
    struct few__runner *runner = w_load(&w);
    assert_status(w_run(&w, runner), status, &w.err);
    assert_int_equal(w.n_out, 0);
    w_expect_message(&w, part);
    assert_int_equal(few__runner_bytes(runner), 0); // it was killed
    assert_status(w_run(&w, runner), FEW_EBACKEND, &w.err);
    w_expect_message(&w, "; next start in 100 ms");
    few__runner_unload(runner);
    w_finish(&w);
    w_expect_none_left(1);
}
