// SPDX-License-Identifier: Apache-2.0
/* A run over a recording that goes on, with frames reused and segments explored, in which every allocation of the session
 * fails once: it says so, and a second try loses nothing. (The streams' own memory is another.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "streams_world.h"

enum { FRAMES = 9, BEFORE = 6 };

static struct few_error err;
static char manifest[W_PATH], partial[W_PATH], store[W_PATH], clip[W_PATH];
static char *expected; // the lines of a run without failures
static char *bytes;    // of the store as it is at the start
static size_t n_bytes;

static const char spec[] = "explore_exploit:2";

static struct few_session_opts options(const char *path)
{
    return (struct few_session_opts){
        .store = path, .resume = true, .lanes = 1, .in_flight = 1, .reuse_below = 0.05, .segment_us = 500000};
}

static char *read_all(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    *n = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*n);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *n, file), *n);
    fclose(file);
    return text;
}

static int set_up(void **state)
{
    (void)state;
    static const uint8_t levels[FRAMES] = {40, 40, 90, 140, 140, 200, 200, 90, 40};
    static struct w_log log;
    t_tmpdir();
    w_clip("clip.mkv", levels, FRAMES, 10);
    snprintf(manifest, sizeof manifest, "%s", t_path("zoo.yaml"));
    snprintf(partial, sizeof partial, "%s", t_path("partial.db"));
    snprintf(store, sizeof store, "%s", t_path("run.db"));
    snprintf(clip, sizeof clip, "%s", t_path("clip.mkv"));
    const char *args[] = {clip};
    struct few_zoo *zoo = w_bright_zoo("zoo.yaml", NULL);
    w_attach(zoo, spec, options(store), args, 1, NULL, SIZE_MAX, &log);
    assert_int_equal(log.n, FRAMES);
    expected = w_lines(store);
    w_attach(zoo, spec, options(partial), args, 1, NULL, BEFORE, &log);
    bytes = read_all(partial, &n_bytes);
    few_zoo_close(zoo);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(expected);
    free(bytes);
    return 0;
}

// FEW_ENOMEM if a model failed for want of memory.
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

// A receive that failed is called again. lost: out, an item failed; n: out, items.
static enum few_status receive_all(struct few_session *session, bool *lost, uint64_t *n)
{
    enum few_status worst = FEW_OK;
    *lost = false;
    *n = 0;
    for (;;) {
        const struct few_result *result;
        enum few_status status = few_session_receive(session, &result, &err);
        if (status == FEW_END) return worst;
        if (status != FEW_OK) {
            assert_int_equal(status, FEW_ENOMEM);
            worst = status;
            continue;
        }
        *n += result->kept ? result->n_kept : 1;
        status = status_of(result);
        if (status == FEW_OK) continue;
        worst = status;
        *lost = true;
    }
}

static enum few_status run(struct few_session *session, struct few_items *items)
{
    bool lost;
    uint64_t n;
    enum few_status status = few_session_attach(session, items, &err);
    if (status != FEW_OK) return few_session_close(session, NULL), status;
    status = receive_all(session, &lost, &n);
    assert_int_equal(n, FRAMES);
    enum few_status closed = few_session_close(session, &err);
    if (!lost && closed == FEW_OK && status == FEW_OK) {
        char *lines = w_lines(store);
        assert_string_equal(lines, expected);
        free(lines);
    }
    return status == FEW_OK ? closed : status;
}

static enum few_status body(const struct few_mem *mem, void *ud)
{
    bool goes_on = *(const bool *)ud;
    const char *args[] = {clip};
    char root[W_PATH];
    struct few_zoo *zoo;
    struct few_policy *policy;
    struct few_session *session;
    const struct few_session_opts opts = w_opts(options(store));
    unlink(store);
    if (goes_on) t_write(store, bytes, n_bytes);
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = root, .env = {.mem = mem}};
    enum few_status status = few_zoo_open(manifest, &zoo_opts, &zoo, &err);
    if (status != FEW_OK) return status;
    struct few_items *items = w_items(args, 1, NULL);
    status = few_policy_open(spec, zoo, &policy, &err);
    if (status == FEW_OK) {
        status = few_session_create(zoo, policy, &opts, &session, &err);
        if (status == FEW_OK) status = run(session, items);
        few_policy_close(policy);
    }
    few_items_close(items);
    few_zoo_close(zoo);
    return status;
}

static void test_a_new_run(void **state)
{
    (void)state;
    bool goes_on = false;
    t_fail_each_allocation(body, &goes_on);
}

static void test_a_run_that_goes_on(void **state)
{
    (void)state;
    bool goes_on = true;
    t_fail_each_allocation(body, &goes_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_run),
        cmocka_unit_test(test_a_run_that_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
