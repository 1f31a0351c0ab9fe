// SPDX-License-Identifier: Apache-2.0
/* label_overhead: what the whole of Fewer (policy, executor, its one lane, store) costs beside a bare loop over
 * the same decoder, tensors and sessions. Same process, same photographs, blocks in turn; ratio = bare / ours, at
 * least 0.97 wanted.
 *
 *     label_overhead zoo.yaml ROOT IMAGES RUNTIME [ITEMS]
 *     label_overhead --memory-bare | --memory-session ...      prints the peak of the process instead */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fewer/fewer.h>

#include "bench.h"
#include "core/file.h"
#include "core/process.h"
#include "exec/workspace.h"

enum { ROUNDS = 9, PER_ROUND_DEFAULT = 4 };

struct bench {
    struct few_zoo *zoo;
    struct few_items *items;
    const char *runtime;
    struct few_error err;
};

static void must(enum few_status status, const struct few_error *err)
{
    if (status == FEW_OK) return;
    fprintf(stderr, "label_overhead: %s\n", err->message);
    exit(1);
}

/* ---- the bare loop ---- */

struct bare {
    struct few__workspace *workspace;
    struct few__image_decoder *decoder;
    struct few__file_reader reader;
    struct few_output *outputs; // (n_models,)
};

static void bare_open(struct bench *b, struct bare *bare)
{
    const struct few__workspace_opts opts = {
        .n_slots = 1, .n_lanes = 1, .runtime = {.library = b->runtime, .threads = 1}};
    size_t n = b->zoo->catalog.n_models;
    bare->outputs = calloc(n, sizeof *bare->outputs);
    must(few__workspace_create(b->zoo, &opts, &bare->workspace, &b->err), &b->err);
    for (size_t i = 0; i < n; i++) {
        struct few_cost cost;
        must(few__workspace_profile(bare->workspace, i, &cost, &b->err), &b->err); // as warm as the session
    }
    must(few__image_decoder_create(&b->zoo->env, &bare->decoder, &b->err), &b->err);
    few__file_reader_init(&bare->reader, b->zoo->env.mem);
}

static void bare_item(struct bench *b, struct bare *bare, const char *path)
{
    const void *bytes;
    size_t n;
    struct few__image image;
    must(few__file_reader_read(&bare->reader, path, FEW__IMAGE_BYTES_MAX, &bytes, &n, &b->err), &b->err);
    must(few__image_decode(bare->decoder, path, bytes, n, &image, &b->err), &b->err);
    few__workspace_begin(bare->workspace, 0, &(struct few__parts){.image = &image}, "");
    for (size_t k = 0; k < b->zoo->catalog.n_models; k++) {
        size_t i = b->zoo->order[k];
        int need = b->zoo->catalog.models[i].needs;
        bare->outputs[i] = (struct few_output){.empty = true};
        if (need >= 0 && bare->outputs[need].empty) continue;
        struct few__work work = {.need = need >= 0 ? &bare->outputs[need] : NULL,
                                 .output = &bare->outputs[i]};
        few__workspace_run(bare->workspace, 0, i, &work, 1);
        must(work.status, &work.error);
    }
}

/* ---- ours ---- */

static struct few_session *session_open(struct bench *b, const char *store)
{
    const struct few_session_opts opts = {.size = sizeof opts,
                                          .lanes = 1,
                                          .in_flight = 1,
                                          .all_variants = true,
                                          .store = store,
                                          .overwrite = true,
                                          .runtime = b->runtime};
    struct few_session *session;
    must(few_session_create(b->zoo, NULL, &opts, &session, &b->err), &b->err);
    return session;
}

static void session_item(struct bench *b, struct few_session *session, const char *path)
{
    const struct few_result *result;
    must(few_session_submit(session, path, &b->err), &b->err);
    must(few_session_receive(session, &result, &b->err), &b->err);
}

/* ---- */

static void compare_speed(struct bench *b, const char *store, size_t per_round)
{
    struct bare bare;
    double ours[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
    bare_open(b, &bare);
    struct few_session *session = session_open(b, store);
    for (size_t round = 0, at = 0; round < ROUNDS; round++) {
        int64_t in_session = 0, in_loop = 0;
        for (size_t k = 0; k < per_round; k++, at++) {
            const char *path = few_items_path(b->items, at % few_items_count(b->items));
            // Who goes first alternates, so that a warm file or cache favours neither.
            for (int turn = 0; turn < 2; turn++) {
                int64_t start = bench_now_ns();
                if ((at + (size_t)turn) % 2) bare_item(b, &bare, path);
                else session_item(b, session, path);
                *((at + (size_t)turn) % 2 ? &in_loop : &in_session) += bench_now_ns() - start;
            }
        }
        ours[round] = (double)per_round * 1e9 / (double)in_session;
        theirs[round] = (double)per_round * 1e9 / (double)in_loop;
        ratio[round] = ours[round] / theirs[round];
    }
    must(few_session_close(session, &b->err), &b->err);
    bench_print("label_overhead", bench_median(ours, ROUNDS), bench_median(theirs, ROUNDS), "bare loop",
                "items/s", bench_median(ratio, ROUNDS), -1);
}

static void print_memory(struct bench *b, bool bare_loop, const char *store, size_t n_items)
{
    struct bare bare;
    struct few_session *session = NULL;
    if (bare_loop) bare_open(b, &bare);
    else session = session_open(b, store);
    for (size_t i = 0; i < n_items; i++) {
        const char *path = few_items_path(b->items, i % few_items_count(b->items));
        if (bare_loop) bare_item(b, &bare, path);
        else session_item(b, session, path);
    }
    must(few_session_close(session, &b->err), &b->err);
    printf("%.1f\n", (double)few__resident_peak_bytes() / (1 << 20));
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 && strncmp(argv[1], "--memory-", 9) == 0 ? argv[1] : NULL;
    if (mode) argv++, argc--;
    if (argc < 5) {
        fprintf(
            stderr,
            "usage: label_overhead [--memory-bare|--memory-session] zoo.yaml ROOT IMAGES RUNTIME [ITEMS]\n");
        return 2;
    }
    struct bench b = {.runtime = argv[4]};
    const struct few_zoo_opts zoo = {.size = sizeof zoo, .root = argv[2]};
    const char *folder = argv[3];
    char store[] = "/tmp/label_overhead-XXXXXX";
    close(mkstemp(store));
    must(few_zoo_open(argv[1], &zoo, &b.zoo, &b.err), &b.err);
    must(few_items_open(&folder, 1, NULL, &b.items, &b.err), &b.err);
    size_t n = argc > 5 ? strtoul(argv[5], NULL, 10) : PER_ROUND_DEFAULT;
    if (mode) print_memory(&b, strcmp(mode, "--memory-bare") == 0, store, n);
    else compare_speed(&b, store, n);
    unlink(store);
    return 0;
}
