// SPDX-License-Identifier: Apache-2.0
/* label_two_lanes: a session with two lanes beside one with a single lane, running everything. Same process, same
 * photographs, blocks in turn; ratio = two / one, at least 1.7 wanted on two cores.
 *
 *     label_two_lanes zoo.yaml ROOT IMAGES RUNTIME [ITEMS] */
#include <stdio.h>
#include <stdlib.h>

#include <fewer/fewer.h>

#include "bench.h"

enum { ROUNDS = 9, PER_ROUND_DEFAULT = 8 };

static void must(enum few_status status, const struct few_error *err)
{
    if (status == FEW_OK) return;
    fprintf(stderr, "label_two_lanes: %s\n", err->message);
    exit(1);
}

static struct few_session *session_open(const struct few_zoo *zoo, size_t lanes, const char *runtime)
{
    const struct few_session_opts opts = {
        .size = sizeof opts, .lanes = lanes, .all_variants = true, .runtime = runtime};
    struct few_session *session;
    struct few_error err;
    must(few_session_create(zoo, NULL, &opts, &session, &err), &err);
    return session;
}

// Nanoseconds for n items from the first-th on; results are not kept.
static int64_t run_block(struct few_session *session, const struct few_items *items, size_t first, size_t n)
{
    struct few_error err;
    const struct few_result *result;
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < n; i++)
        must(few_session_submit(session, few_items_path(items, (first + i) % few_items_count(items)), &err),
             &err);
    for (size_t i = 0; i < n; i++) must(few_session_receive(session, &result, &err), &err);
    return bench_now_ns() - start;
}

static void compare(const struct few_zoo *zoo, const struct few_items *items, const char *runtime, size_t n)
{
    struct few_session *one = session_open(zoo, 1, runtime), *two = session_open(zoo, 2, runtime);
    double ours[ROUNDS], theirs[ROUNDS], ratio[ROUNDS];
    run_block(one, items, 0, 2); // caches and arenas
    run_block(two, items, 0, 2);
    for (size_t round = 0; round < ROUNDS; round++) {
        int64_t in_one = 0, in_two = 0;
        // Who goes first alternates, so that a warm file favours neither.
        for (int turn = 0; turn < 2; turn++)
            if ((round + (size_t)turn) % 2) in_one = run_block(one, items, round * n, n);
            else in_two = run_block(two, items, round * n, n);
        ours[round] = (double)n * 1e9 / (double)in_two;
        theirs[round] = (double)n * 1e9 / (double)in_one;
        ratio[round] = ours[round] / theirs[round];
    }
    few_session_close(one, NULL);
    few_session_close(two, NULL);
    bench_print("label_two_lanes", bench_median(ours, ROUNDS), bench_median(theirs, ROUNDS), "one lane",
                "items/s", bench_median(ratio, ROUNDS), -1);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: label_two_lanes zoo.yaml ROOT IMAGES RUNTIME [ITEMS]\n");
        return 2;
    }
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = argv[2]};
    const char *const images[] = {argv[3]};
    struct few_zoo *zoo;
    struct few_items *items;
    struct few_error err;
    must(few_zoo_open(argv[1], &zoo_opts, &zoo, &err), &err);
    must(few_items_open(images, 1, NULL, &items, &err), &err);
    unsigned long n = argc > 5 ? strtoul(argv[5], NULL, 10) : PER_ROUND_DEFAULT;
    compare(zoo, items, argv[4], n < 1 || n > FEW_QUEUE_MAX ? PER_ROUND_DEFAULT : n);
    few_items_close(items);
    few_zoo_close(zoo);
    return 0;
}
