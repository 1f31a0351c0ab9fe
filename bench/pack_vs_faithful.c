// SPDX-License-Identifier: Apache-2.0
/* pack_vs_faithful: AMS Algorithm 2 as printed beside the improved packing, on the photo zoo's reference trace: mean recall
 * over a grid of deadlines and memory budgets, values learned on the train items (`static`). A second line has the
 * cell where the improvement is least. Wanted: a ratio of 1 or more.
 *
 *     pack_vs_faithful zoo.yaml ROOT trace.jsonl.gz SCRATCH [cells]     cells: the whole grid, on stderr */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fewer/fewer.h>

#include "bench.h"

static const int64_t deadlines_us[] = {5000, 10000, 20000, 30000, 50000, 80000, 120000};
static const uint64_t memories[] = {50 << 20,  75 << 20,  100 << 20, 150 << 20,
                                    200 << 20, 300 << 20, 500 << 20};
static const char *const methods[] = {"static", "bound"};
enum {
    N_DEADLINES = sizeof deadlines_us / sizeof *deadlines_us,
    N_MEMORIES = sizeof memories / sizeof *memories
};

static double recall_of(json_t *of_memory, const char *rule, int64_t deadline_us)
{
    char key[32];
    snprintf(key, sizeof key, "%g", (double)deadline_us / 1e3);
    return json_number_value(
        json_object_get(json_object_get(json_object_get(of_memory, rule), key), "recall"));
}

static json_t *at_memory(json_t *json, const char *method, uint64_t memory)
{
    char key[32];
    snprintf(key, sizeof key, "%g", (double)memory / 0x1p20);
    json_t *of_method = json_object_get(json_object_get(json, "methods"), method);
    return json_object_get(json_object_get(of_method, "memory"), key);
}

static void print_result(json_t *json, bool cells)
{
    double ours = 0, theirs = 0, least = 1e9, least_ours = 0, least_theirs = 0;
    for (size_t k = 0; k < N_MEMORIES; k++)
        for (size_t d = 0; d < N_DEADLINES; d++) {
            json_t *of_memory = at_memory(json, "static", memories[k]);
            double a = recall_of(of_memory, "deadline", deadlines_us[d]);
            double b = recall_of(of_memory, "faithful", deadlines_us[d]);
            double most = recall_of(at_memory(json, "bound", memories[k]), "deadline", deadlines_us[d]);
            if (cells)
                fprintf(stderr, "%4g MiB %4g ms: %.4f against %.4f, %+.4f, at most %.4f\n",
                        (double)memories[k] / 0x1p20, (double)deadlines_us[d] / 1e3, a, b, a - b, most);
            ours += a / (N_MEMORIES * N_DEADLINES);
            theirs += b / (N_MEMORIES * N_DEADLINES);
            if (a / b >= least) continue;
            least = a / b;
            least_ours = a, least_theirs = b;
        }
    bench_print("pack_vs_faithful", ours, theirs, "AMS Algorithm 2", "recall", ours / theirs, -1);
    bench_print("pack_vs_faithful_least", least_ours, least_theirs, "AMS Algorithm 2", "recall", least, -1);
}

static enum few_status import(char **argv, const char *path, struct few_error *err)
{
    struct few_zoo *zoo = NULL;
    struct few_import_stats stats;
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = argv[2]};
    enum few_status status = few_zoo_open(argv[1], &opts, &zoo, err);
    if (status == FEW_OK) status = few_import(argv[3], zoo, path, true, &stats, err);
    few_zoo_close(zoo);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 5) return 2;
    char path[FEW_PATH_MAX];
    struct few_error err = {.message = ""};
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .deadlines_us = deadlines_us,
                                 .n_deadlines = N_DEADLINES,
                                 .memories = memories,
                                 .n_memories = N_MEMORIES,
                                 .methods = methods,
                                 .n_methods = argc > 5 ? 2 : 1}; // bounds are for the grid
    char *text = NULL;
    snprintf(path, sizeof path, "%s/pack_vs_faithful.db", argv[4]);
    enum few_status status = import(argv, path, &err);
    if (status == FEW_OK) status = few_eval(path, &opts, &text, &err);
    unlink(path);
    json_t *json = text ? json_loads(text, 0, NULL) : NULL;
    if (json) print_result(json, argc > 5);
    else fprintf(stderr, "pack_vs_faithful: %s\n", err.message);
    json_decref(json);
    few_text_free(text);
    return json ? 0 : 1;
}
