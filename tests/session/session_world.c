// SPDX-License-Identifier: Apache-2.0
#include "session_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"

static struct few_error err;

struct few_zoo *w_zoo(const char *name, const char *const *files, size_t n, const struct few_mem *mem)
{
    char text[4096], root[512], path[W_PATH];
    size_t at = (size_t)snprintf(text, sizeof text, "version: 1\nmodels:\n");
    for (size_t i = 0; i < n; i++) {
        bool slow = strcmp(files[i], "slow") == 0;
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "  - name: m%zu\n    file: %s.onnx\n    input: {size: [%s}\n"
                               "    output: {kind: scalar, %sempty: -%zu}\n",
                               i, files[i], slow ? "64, 64], colour: GRAY" : "4, 4]",
                               slow ? "" : "tensors: [mean], ", i + 1);
    }
    assert_true(at < sizeof text);
    snprintf(path, sizeof path, "%s", t_path(name));
    t_write(path, text, at);
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root, .env = {.mem = mem}};
    struct few_zoo *zoo;
    assert_status(few_zoo_open(path, &opts, &zoo, &err), FEW_OK, &err);
    return zoo;
}

static void put32(unsigned char *at, uint32_t value)
{
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

void w_picture(const char *path, int width, int height, uint64_t seed)
{
    size_t row = ((size_t)width * 3 + 3) / 4 * 4, n = 54 + row * (size_t)height;
    unsigned char *bytes = calloc(1, n);
    struct few__rng rng;
    assert_non_null(bytes);
    memcpy(bytes, "BM", 2);
    put32(bytes + 2, (uint32_t)n);
    put32(bytes + 10, 54);
    put32(bytes + 14, 40);
    put32(bytes + 18, (uint32_t)width);
    put32(bytes + 22, (uint32_t)height);
    bytes[26] = 1;
    bytes[28] = 24;
    few__rng_init(&rng, seed, 0);
    for (size_t i = 54; i < n; i++) bytes[i] = (unsigned char)few__rng_below(&rng, 256);
    t_write(path, bytes, n);
    free(bytes);
}

void w_pictures(char (*paths)[W_PATH], size_t n, uint64_t seed)
{
    char name[32];
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%03zu.bmp", i);
        snprintf(paths[i], W_PATH, "%s", t_path(name));
        w_picture(paths[i], 8, 6, seed + i);
    }
}

struct few_session_opts w_opts(struct few_session_opts opts)
{
    opts.size = sizeof opts;
    if (!opts.runtime) opts.runtime = t_runtime();
    return opts;
}

struct few_items *w_items(const char *const *args, size_t n, const struct few_items_opts *opts)
{
    struct few_items *items;
    assert_status(few_items_open(args, n, opts, &items, &err), FEW_OK, &err);
    return items;
}

void w_run(struct few_zoo *zoo, const char *spec, struct few_session_opts opts, char (*paths)[W_PATH],
           size_t n, size_t take, size_t *kept, struct few_session_stats *stats)
{
    struct few_policy *policy;
    struct few_session *session;
    const struct few_result *result;
    enum few_status status = FEW_OK;
    opts = w_opts(opts);
    assert_status(few_policy_open(spec, zoo, &policy, &err), FEW_OK, &err);
    assert_status(few_session_create(zoo, policy, &opts, &session, &err), FEW_OK, &err);
    size_t submitted = 0, received = 0;
    if (kept) *kept = 0;
    while (received < take && status == FEW_OK) {
        while (submitted < n && status == FEW_OK) {
            status = few_session_submit(session, paths[submitted], &err);
            submitted += status == FEW_OK;
        }
        assert_true(status == FEW_OK || status == FEW_AGAIN);
        status = few_session_receive(session, &result, &err);
        if (status == FEW_OK) received++;
        else assert_status(status, FEW_END, &err);
        if (status == FEW_OK && kept) *kept += result->kept;
    }
    if (stats) few_session_stats(session, stats);
    assert_status(few_session_close(session, &err), FEW_OK, &err);
    few_policy_close(policy);
}

// "time_ms":12.3 becomes "time_ms":0
static void drop_times(char *text)
{
    static const char key[] = "\"time_ms\":";
    char *to = text;
    for (const char *from = text; *from;) {
        if (strncmp(from, key, sizeof key - 1) != 0) {
            *to++ = *from++;
            continue;
        }
        memcpy(to, key, sizeof key - 1);
        to += sizeof key - 1;
        from += sizeof key - 1;
        from += strspn(from, "0123456789.eE+-");
        *to++ = '0';
    }
    *to = 0;
}

char *w_lines(const char *store)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    assert_status(few_export(store, "jsonl", out, &err), FEW_OK, &err);
    assert_int_equal(fclose(out), 0);
    drop_times(text);
    return text;
}

size_t w_count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)); text += strlen(part)) n++;
    return n;
}

void w_counts_add_up(const struct few_session_stats *stats, size_t n_items, size_t n_models)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < FEW_OUTCOME_COUNT; i++) sum += stats->counts[i];
    assert_int_equal(stats->items, n_items);
    assert_int_equal(sum, n_items * n_models);
}
