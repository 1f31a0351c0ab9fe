// SPDX-License-Identifier: Apache-2.0
#include "streams_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 32, HEIGHT = 24 };

static struct few_error err;

void w_ffmpeg(const char *arguments)
{
    char command[2048];
    int n = snprintf(command, sizeof command, "cd '%s' && ffmpeg -nostdin -v error -y %s >/dev/null 2>&1",
                     t_path(""), arguments);
    assert_true(n > 0 && n < (int)sizeof command);
    if (system(command) != 0) skip();
}

void w_clip(const char *name, const uint8_t *levels, size_t n, int fps)
{
    char command[2048], raw[W_PATH + 8], path[W_PATH];
    uint8_t frame[WIDTH * HEIGHT * 3 / 2];
    snprintf(path, sizeof path, "%s", t_path(name));
    snprintf(raw, sizeof raw, "%s.raw", path);
    FILE *out = fopen(raw, "wb");
    assert_non_null(out);
    for (size_t i = 0; i < n; i++) {
        memset(frame, levels[i], WIDTH * HEIGHT);
        memset(frame + WIDTH * HEIGHT, 128, sizeof frame - WIDTH * HEIGHT);
        assert_int_equal(fwrite(frame, 1, sizeof frame, out), sizeof frame);
    }
    assert_int_equal(fclose(out), 0);
    snprintf(command, sizeof command,
             "-f rawvideo -pix_fmt yuv420p -video_size %dx%d -framerate %d -i '%s' -c:v ffv1 -g 1 '%s'",
             WIDTH, HEIGHT, fps, raw, path);
    w_ffmpeg(command);
    assert_int_equal(remove(raw), 0);
}

struct few_zoo *w_bright_zoo(const char *name, const struct few_mem *mem)
{
    static const char text[] = "version: 1\n"
                               "models:\n"
                               "  - name: mean\n"
                               "    file: mean.onnx\n"
                               "    input: {size: [4, 4]}\n"
                               "    output: {kind: scalar, tensors: [mean], empty: -1}\n"
                               "  - name: bright\n"
                               "    file: mean.onnx\n"
                               "    input: {size: [4, 4]}\n"
                               "    output: {kind: scalar, tensors: [mean], empty: 0, tolerance: 128}\n"
                               "  - name: never\n"
                               "    file: mean.onnx\n"
                               "    input: {size: [4, 4]}\n"
                               "    output: {kind: scalar, tensors: [mean], empty: 0, tolerance: 1000}\n";
    char root[W_PATH], path[W_PATH];
    struct few_zoo *zoo;
    snprintf(path, sizeof path, "%s", t_path(name));
    t_write(path, text, sizeof text - 1);
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root, .env = {.mem = mem}};
    assert_status(few_zoo_open(path, &opts, &zoo, &err), FEW_OK, &err);
    return zoo;
}

struct few_zoo *w_sound_zoo(const char *name)
{
    static const char text[] = "version: 1\n"
                               "models:\n"
                               "  - name: mean\n"
                               "    file: mean.onnx\n"
                               "    input: {size: [4, 4]}\n"
                               "    output: {kind: scalar, tensors: [mean], empty: -1}\n"
                               "  - name: ends\n"
                               "    file: ends.onnx\n"
                               "    input: {kind: sound, rate: 8000, window: 6, hop: 3}\n"
                               "    output: {kind: vector}\n";
    char root[W_PATH], path[W_PATH];
    struct few_zoo *zoo;
    snprintf(path, sizeof path, "%s", t_path(name));
    t_write(path, text, sizeof text - 1);
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    assert_status(few_zoo_open(path, &opts, &zoo, &err), FEW_OK, &err);
    return zoo;
}

static void note(struct w_log *log, const struct few_result *result)
{
    static const char letters[FEW_OUTCOME_COUNT] = {
        [FEW_EXECUTED] = 'e', [FEW_PREDICTED] = 'p', [FEW_REUSED] = 'r',
        [FEW_SKIPPED] = 's',  [FEW_LATE] = 'l',      [FEW_FAILED] = 'f'};
    assert_true(log->n < W_LOG_MAX);
    const char *slash = strrchr(result->path, '/');
    snprintf(log->paths[log->n], sizeof log->paths[0], "%.63s", slash ? slash + 1 : result->path);
    char *outcomes = log->outcomes[log->n];
    memset(outcomes, 0, 4);
    if (result->kept) outcomes[0] = outcomes[1] = outcomes[2] = 'k';
    for (size_t m = 0; m < result->n_models && m < 3; m++)
        outcomes[m] = result->status == FEW_OK ? letters[result->rows[m].outcome] : 'F';
    log->n++;
    log->n_kept += result->n_kept;
    log->n_failed += result->status != FEW_OK;
    assert_true(result->kept == (result->n_kept > 0));
}

static void receive(struct few_session *session, size_t take, struct w_log *log)
{
    enum few_status status = FEW_OK;
    while (log->n < take && (status == FEW_OK || status == FEW_AGAIN)) {
        const struct few_result *result;
        status = few_session_receive(session, &result, &err);
        if (status == FEW_OK) note(log, result);
    }
    assert_true(status == FEW_OK || status == FEW_END);
}

void w_attach(struct few_zoo *zoo, const char *spec, struct few_session_opts opts, const char *const *args,
              size_t n_args, const struct few_items_opts *items_opts, size_t take, struct w_log *log)
{
    struct few_items_opts full = items_opts ? *items_opts : (struct few_items_opts){.every = 0};
    struct few_policy *policy;
    struct few_session *session;
    struct few_items *items;
    full.size = sizeof full;
    full.zoo = zoo;
    opts = w_opts(opts);
    *log = (struct w_log){.n = 0};
    assert_status(few_items_open(args, n_args, &full, &items, &err), FEW_OK, &err);
    assert_status(few_policy_open(spec, zoo, &policy, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, policy, &opts, &session, &err), FEW_OK, &err);
    assert_status(few_session_attach(session, items, &err), FEW_OK, &err);
    receive(session, take, log);
    few_session_stats(session, &log->stats);
    for (size_t i = 0; i < 8; i++) {
        log->streams[i] = (struct few_stream_stats){.size = sizeof log->streams[i]};
        if (few_session_stream(session, i, &log->streams[i]) != FEW_OK) log->streams[i].path = NULL;
    }
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_items_close(items);
    few_policy_close(policy);
}

const char *w_column(const struct w_log *log, size_t model)
{
    static char text[W_LOG_MAX + 1];
    for (size_t i = 0; i < log->n; i++) text[i] = log->outcomes[i][model];
    text[log->n] = 0;
    return text;
}
