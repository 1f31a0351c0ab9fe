// SPDX-License-Identifier: Apache-2.0
// Models that repeat themselves: their output, the time it takes, and the end of a wait.
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "backend/backend.h"
#include "support/support.h"

static const struct few_model number = {.name = "m", .kind = FEW_SCALAR};
static const struct few__recipe recipe = {.backend = "replay", .file = "a.db"};

struct memory {
    int64_t time_us;
    atomic_int asked;
};

// Knows the item "aa", by what it says: the arena's number 7.
static enum few_status recall(void *ud, const struct few__recipe *r, const struct few_model *model,
                              const char *digest, struct few__arena *arena, struct few_output *output,
                              int64_t *time_us, struct few_error *err)
{
    struct memory *memory = ud;
    (void)err;
    atomic_fetch_add(&memory->asked, 1);
    if (r != &recipe || model != &number || strcmp(digest, "aa") != 0) return FEW_ENOENT;
    float *values = FEW__ARENA_NEW(arena, float, 1);
    if (!values) return FEW_ENOMEM;
    values[0] = 7;
    *output = (struct few_output){.kind = FEW_SCALAR, .n = 1, .values = values, .confidence = 1};
    *time_us = memory->time_us;
    return FEW_OK;
}

struct world {
    struct memory memory;
    struct few__runtime *runtime;
    struct few__runner *runner;
    struct few__arena arena;
    struct few_output output;
    enum few_status status;
    struct few_error err;
};

static void world_init(struct world *w, int64_t time_us)
{
    *w = (struct world){.memory = {.time_us = time_us}};
    const struct few__runtime_opts opts = {.name = "replay", .recall = recall, .ud = &w->memory};
    few__arena_init(&w->arena, NULL, 1 << 20);
    assert_status(few__runtime_open(&opts, NULL, &w->runtime, &w->err), FEW_OK, &w->err);
    assert_status(few__runner_load(w->runtime, &recipe, &number, &w->runner, &w->err), FEW_OK, &w->err);
}

static void world_finish(struct world *w)
{
    few__runner_unload(w->runner);
    few__runtime_close(w->runtime);
    few__arena_finish(&w->arena);
}

static enum few_status answer(struct world *w, const char *digest)
{
    return few__runner_answer(w->runner, digest, &w->arena, &w->output, &w->err);
}

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void test_answer(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 0);
    assert_true(few__runner_answers(w.runner));
    assert_int_equal(few__runner_bytes(w.runner), 0);
    assert_non_null(strstr(few__runtime_describe(w.runtime), "replay"));
    assert_status(answer(&w, "aa"), FEW_OK, &w.err);
    assert_near(w.output.values[0], 7, 0);
    assert_int_equal(answer(&w, "bb"), FEW_ENOENT);
    assert_int_equal(w.memory.asked, 2);
    // It has answers and does not run.
    float data[1] = {0};
    struct few__tensor out[FEW__OUTPUTS_MAX];
    size_t n;
    assert_status(few__runner_run(w.runner,
                                  &(struct few__run_input){.data = data, .n_dims = 4, .dims = {1, 1, 1, 1}},
                                  out, &n, &w.err),
                  FEW_EINVAL, &w.err);
    world_finish(&w);
}

static void test_takes_its_time(void **state)
{
    (void)state;
    const int64_t times[] = {5000, 1};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, times[i]);
        int64_t start = now_us();
        assert_status(answer(&w, "aa"), FEW_OK, &w.err);
        assert_true(now_us() - start >= times[i]);
        world_finish(&w);
    }
}

static void *answer_slowly(void *ud)
{
    struct world *w = ud;
    w->status = answer(w, "aa");
    return NULL;
}

static void test_cancel(void **state)
{
    (void)state;
    struct world w;
    pthread_t thread;
    world_init(&w, (int64_t)3600 * 1000000);
    for (int i = 0; i < 2; i++) {
        int asked = atomic_load(&w.memory.asked);
        assert_int_equal(pthread_create(&thread, NULL, answer_slowly, &w), 0);
        while (atomic_load(&w.memory.asked) == asked) sched_yield();
        few__runner_cancel(w.runner);
        pthread_join(thread, NULL);
        assert_int_equal(w.status, FEW_ECANCELED);
        w.memory.time_us = 0;
        assert_status(answer(&w, "aa"), FEW_ECANCELED, &w.err); // until the reset
        few__runner_reset(w.runner);
        assert_status(answer(&w, "aa"), FEW_OK, &w.err);
        w.memory.time_us = (int64_t)3600 * 1000000;
    }
    world_finish(&w);
}

static void test_without_recall(void **state)
{
    (void)state;
    struct few_error err;
    struct few__runtime *runtime;
    const struct few__runtime_opts opts = {.name = "replay"};
    assert_status(few__runtime_open(&opts, NULL, &runtime, &err), FEW_EINVAL, &err);
    assert_null(runtime);
}

static enum few_status open_and_load(const struct few_mem *mem, void *ud)
{
    const struct few__runtime_opts opts = {.name = "replay", .recall = recall, .ud = ud};
    const struct few_env env = {.mem = mem};
    struct few__runtime *runtime = NULL;
    struct few__runner *runner = NULL;
    enum few_status status = few__runtime_open(&opts, &env, &runtime, NULL);
    if (status == FEW_OK) status = few__runner_load(runtime, &recipe, &number, &runner, NULL);
    few__runner_unload(runner);
    few__runtime_close(runtime);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct memory memory = {0};
    t_fail_each_allocation(open_and_load, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer),    cmocka_unit_test(test_takes_its_time),
        cmocka_unit_test(test_cancel),    cmocka_unit_test(test_without_recall),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
