// SPDX-License-Identifier: Apache-2.0
/* One side of label_vs_python: a session of one lane that runs everything. Reads lines "PATH" from stdin; answers each with
 * {"total_us": ..., "runtime_us": ...}, the time of the item and the part of it inside the runtime.
 *
 *     label_loop zoo.yaml ROOT RUNTIME */
#include <stdio.h>
#include <string.h>

#include <fewer/fewer.h>

#include "bench.h"

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    struct few_error err = {.message = ""};
    struct few_zoo *zoo = NULL;
    struct few_session *session = NULL;
    const struct few_zoo_opts zoo_opts = {.size = sizeof zoo_opts, .root = argv[2]};
    const struct few_session_opts opts = {
        .size = sizeof opts, .lanes = 1, .in_flight = 1, .all_variants = true, .runtime = argv[3]};
    char line[FEW_PATH_MAX];
    if (few_zoo_open(argv[1], &zoo_opts, &zoo, &err) != FEW_OK) goto failed;
    if (few_session_create(zoo, NULL, &opts, &session, &err) != FEW_OK) goto failed;
    for (int64_t before = 0; fgets(line, sizeof line, stdin);) {
        const struct few_result *result;
        struct few_session_stats stats;
        line[strcspn(line, "\n")] = 0;
        int64_t start = bench_now_ns();
        if (few_session_submit(session, line, &err) != FEW_OK) goto failed;
        if (few_session_receive(session, &result, &err) != FEW_OK) goto failed;
        int64_t took = bench_now_ns() - start;
        few_session_stats(session, &stats);
        printf("{\"total_us\": %.1f, \"runtime_us\": %lld}\n", (double)took / 1000,
               (long long)(stats.runtime_us - before));
        fflush(stdout);
        before = stats.runtime_us;
    }
    few_session_close(session, NULL);
    few_zoo_close(zoo);
    return 0;
failed:
    fprintf(stderr, "label_loop: %s\n", err.message);
    return 1;
}
