// SPDX-License-Identifier: Apache-2.0
// A million frames through one session: its memory after all of them is that after the first hundred thousand.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fewer/fewer.h>

#include "support/support.h"

enum { CLIPS = 100, FRAMES = 10000, WARM = 100000, GROWTH_MAX_KIB = 4096 };

static const char manifest[] =
    "version: 1\n"
    "models:\n"
    "  - {name: mean, file: mean.onnx, input: {size: [4, 4]}, output: {kind: vector, "
    "values: 3, output: mean}}\n";

static long resident_kib(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long size = 0, resident = 0;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld %ld", &size, &resident), 2);
    fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The clip under many names, and the zoo of the one model. */
static void make_world(const char *folder)
{
    char command[1024], name[64];
    snprintf(
        command, sizeof command,
        "ffmpeg -v error -nostdin -y -f lavfi -i testsrc2=s=48x32:r=25 -frames:v %d -c:v mpeg4 -g 25 %s && "
        "cp %s/tests/backend/data/mean.onnx %s",
        FRAMES, t_path("clip.mp4"), t_source(), folder);
    assert_int_equal(system(command), 0);
    for (int i = 0; i < CLIPS; i++) {
        snprintf(name, sizeof name, "clip%03d.mp4", i);
        assert_int_equal(link(t_path("clip.mp4"), t_path(name)), 0);
    }
    assert_int_equal(unlink(t_path("clip.mp4")), 0);
    t_write(t_path("zoo.yaml"), manifest, sizeof manifest - 1);
}

static void test_a_million_frames(void **state)
{
    (void)state;
    if (system("ffmpeg -version > /dev/null 2>&1") != 0 || !t_runtime()) skip();
    const char *folder = t_tmpdir();
    make_world(folder);
    struct few_error err;
    struct few_zoo *zoo;
    struct few_items *items;
    struct few_session *session;
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts};
    const struct few_session_opts opts = {.size = sizeof opts, .runtime = t_runtime()};
    assert_status(few_zoo_open(t_path("zoo.yaml"), &zoo_opts, &zoo, &err), FEW_OK, &err);
    const struct few_items_opts items_opts = {.size = sizeof items_opts, .zoo = zoo, .every = 1};
    assert_status(few_items_open(&folder, 1, &items_opts, &items, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(items), CLIPS);
    assert_status(few_session_create(zoo, NULL, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_attach(session, items, &err), FEW_OK, &err);

    long warm = 0;
    for (uint64_t n = 1; n <= (uint64_t)CLIPS * FRAMES; n++) {
        const struct few_result *result;
        assert_status(few_session_receive(session, &result, &err), FEW_OK, &err);
        if (result->status != FEW_OK) fail_msg("%s: %s", result->path, result->message);
        assert_int_equal(result->rows[0].outcome, FEW_EXECUTED);
        if (n == WARM) warm = resident_kib();
    }
    long after = resident_kib();
    const struct few_result *result;
    assert_int_equal(few_session_receive(session, &result, &err), FEW_END);
    print_message("%ld KiB after %d frames, %ld KiB after %d\n", warm, WARM, after, CLIPS * FRAMES);
    assert_true(after - warm < GROWTH_MAX_KIB);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(items);
    few_zoo_close(zoo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_million_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
