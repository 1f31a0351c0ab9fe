// SPDX-License-Identifier: Apache-2.0
/* Everything that reads a store, on one that may be damaged in any way. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/mem.h"
#include "model/output.h"
#include "store/store.h"
#include "store/trace.h"

enum { MODELS_MAX = 256 }; // larger catalogs are possible and only slow here

static void look_at_cell(const struct few_model *model, const struct few__cell *cell)
{
    fuzz_must((int)cell->outcome >= 0 && cell->outcome < FEW_OUTCOME_COUNT);
    fuzz_must(cell->reason);
    struct few__arena arena;
    struct few_output output;
    struct few_error err;
    few__arena_init(&arena, fuzz_env()->mem, FUZZ_MEMORY);
    if (cell->output &&
        few__trace_unpack(model, cell->output, cell->n_output, &arena, &output, &err) == FEW_OK) {
        size_t max = few__valuable_max(model);
        struct few_valuable *valuable = FEW__ARENA_NEW(&arena, struct few_valuable, max);
        if (valuable) fuzz_must(few__valuable(model, &output, valuable, max) <= max);
    }
    few__arena_finish(&arena);
}

static void walk(const char *path)
{
    struct few__store *store;
    struct few_error err;
    if (few__store_open(path, fuzz_env(), &store, &err) != FEW_OK) {
        fuzz_must(!store && err.message[0]);
        return;
    }
    const struct few_catalog *catalog = few__store_catalog(store);
    struct few__cell *cells = calloc(catalog->n_models + 1, sizeof *cells);
    struct few__item_row item;
    enum few_status status = few__store_rewind(store, true, &err);
    while (status == FEW_OK && (status = few__store_next(store, &item, cells, &err)) == FEW_OK) {
        fuzz_must(item.path && item.digest && item.message);
        for (size_t m = 0; m < catalog->n_models; m++) look_at_cell(&catalog->models[m], &cells[m]);
    }
    free(cells);
    (void)few__store_close(store, NULL);
}

static bool small(const char *path)
{
    struct few__store *store;
    if (few__store_open(path, fuzz_env(), &store, NULL) != FEW_OK) return true;
    bool answer = few__store_catalog(store)->n_models <= MODELS_MAX;
    (void)few__store_close(store, NULL);
    return answer;
}

void fuzz_use_store(const char *path)
{
    struct few__trace *trace;
    struct few_error err;
    walk(path);
    if (few__trace_load(path, true, fuzz_env(), &trace, &err) == FEW_OK) few__trace_free(trace);
    if (!small(path)) return;
    FILE *out = fopen("/dev/null", "w");
    fuzz_must(out);
    static const char *const formats[] = {"jsonl", "csv", "coco"};
    for (size_t i = 0; i < 3; i++) (void)!few_export(path, formats[i], out, &err);
    (void)!few_report(path, NULL, out, &err);
    fclose(out);
    static const double recall = 0.5;
    static const int64_t deadline = 1000;
    const struct few_eval_opts opts = {.size = sizeof opts,
                                       .env = *fuzz_env(),
                                       .recalls = &recall,
                                       .n_recalls = 1,
                                       .deadlines_us = &deadline,
                                       .n_deadlines = 1};
    char *json;
    if (few_eval(path, &opts, &json, &err) == FEW_OK) few_text_free(json);
}
