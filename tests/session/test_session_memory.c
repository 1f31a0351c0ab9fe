// SPDX-License-Identifier: Apache-2.0
/* Sessions with a store in which every allocation fails once: each of them says so, leaves no memory behind and nothing
 * undone that a second try would not do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "session_world.h"

enum { N = 3 };

static const char *const files[] = {"mean", "mean"};
static struct few_error err;
static char paths[N][W_PATH], manifest[W_PATH], store[W_PATH];
static char *expected; // the lines of a run without failures

static int set_up(void **state)
{
    (void)state;
    t_tmpdir();
    w_pictures(paths, N, 1);
    snprintf(manifest, sizeof manifest, "%s", t_path("zoo.yaml"));
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    struct few_zoo *zoo = w_zoo("zoo.yaml", files, 2, NULL);
    w_run(zoo, "run_all", (struct few_session_opts){.store = store}, paths, N, SIZE_MAX, NULL, NULL);
    few_zoo_close(zoo);
    expected = w_lines(store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(expected);
    return 0;
}

struct kind {
    struct few_session_opts opts;
    size_t n_before; // items that the store has at the start
};

// FEW_ENOMEM if the item, or a model on it, failed for want of memory.
static enum few_status status_of(const struct few_result *result)
{
    if (result->status != FEW_OK) return result->status;
    for (size_t m = 0; m < result->n_models; m++)
        if (result->rows[m].outcome == FEW_FAILED) {
            assert_non_null(strstr(result->rows[m].reason, "memory"));
            return FEW_ENOMEM;
        }
    return FEW_OK;
}

// A receive that failed is called again. lost: out, an item failed.
static enum few_status receive_all(struct few_session *session, bool *lost)
{
    const struct few_result *result;
    enum few_status worst = FEW_OK;
    *lost = false;
    for (size_t i = 0; i < N; i++) assert_status(few_session_submit(session, paths[i], &err), FEW_OK, &err);
    for (size_t i = 0; i < N; i++) {
        enum few_status status = few_session_receive(session, &result, &err);
        if (status != FEW_OK) {
            worst = status;
            assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
        }
        assert_string_equal(result->path, paths[i]);
        status = status_of(result);
        if (status == FEW_OK) continue;
        worst = status;
        *lost = true;
    }
    return worst;
}

static enum few_status run(const struct few_mem *mem, const struct few_session_opts *opts)
{
    char root[W_PATH];
    struct few_zoo *zoo;
    struct few_session *session;
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = root, .env = {.mem = mem}};
    enum few_status status = few_zoo_open(manifest, &zoo_opts, &zoo, &err);
    if (status != FEW_OK) return status;
    status = few_session_create(zoo, NULL, opts, &session, &err);
    if (status == FEW_OK) {
        bool lost;
        status = receive_all(session, &lost);
        enum few_status closed = few_session_close(session, &err);
        if (!lost && closed == FEW_OK) {
            char *lines = w_lines(store);
            assert_string_equal(lines, expected);
            free(lines);
        }
        if (status == FEW_OK) status = closed;
    }
    few_zoo_close(zoo);
    return status;
}

static enum few_status body(const struct few_mem *mem, void *ud)
{
    const struct kind *kind = ud;
    struct few_session_opts opts = w_opts(kind->opts);
    unlink(store);
    if (kind->n_before) {
        struct few_zoo *zoo = w_zoo("zoo.yaml", files, 2, NULL);
        struct few_session_opts before = kind->opts;
        before.resume = false;
        w_run(zoo, "run_all", before, paths, kind->n_before, SIZE_MAX, NULL, NULL);
        few_zoo_close(zoo);
    }
    return run(mem, &opts);
}

static void test_a_new_run(void **state)
{
    (void)state;
    struct kind kind = {.opts = {.store = store, .lanes = 1, .in_flight = 1}};
    t_fail_each_allocation(body, &kind);
}

static void test_a_run_that_goes_on(void **state)
{
    (void)state;
    struct kind kind = {.opts = {.store = store, .lanes = 1, .in_flight = 1, .resume = true}, .n_before = 1};
    t_fail_each_allocation(body, &kind);
}

static void test_a_run_within_a_budget(void **state)
{
    (void)state;
    struct kind kind = {.opts = {.store = store, .lanes = 1, .in_flight = 1, .memory_bytes = 1 << 30}};
    t_fail_each_allocation(body, &kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_run),
        cmocka_unit_test(test_a_run_that_goes_on),
        cmocka_unit_test(test_a_run_within_a_budget),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
