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

enum { MODELS_MAX = 256, ITEMS_MAX = 100 }; // more are possible and only slow here

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

// The item that a path or a digest leads to is there, and putting it once more or in its own place may only fail.
static void put_again(struct few__store *store, int64_t id, struct few__cell *cells)
{
    struct few__item_row item;
    struct few__known known;
    struct few_error err;
    if (few__store_get(store, id, &item, cells, &err) != FEW_OK) return;
    fuzz_must(item.path && item.digest && item.message);
    if (few__store_replace(store, id, &item, cells, &err) != FEW_OK) fuzz_must(err.message[0]);
    if (few__store_get(store, id, &item, cells, &err) != FEW_OK) return;
    if (few__store_put(store, &item, cells, &err) != FEW_OK) fuzz_must(err.message[0]);
    if (few__store_get(store, id, &item, cells, &err) != FEW_OK) return;
    if (few__store_find_digest(store, item.digest, &known, &err) == FEW_OK)
        fuzz_must(!known.failed && !known.late);
    if (few__store_find_path(store, item.path, &known, &err) == FEW_OK)
        fuzz_must(strlen(known.digest) < sizeof known.digest);
}

// Streams come out whole or not at all, and may be renewed.
static void renew_streams(struct few__store *store)
{
    struct few__stream_row row;
    struct few_error err;
    int64_t n = few__store_n_streams(store);
    for (int64_t i = 0; i < n && i < ITEMS_MAX; i++) {
        if (few__store_get_stream(store, i, &row, &err) != FEW_OK) continue;
        fuzz_must(row.path && row.options && row.message);
        if (few__store_put_stream(store, &row, &err) != FEW_OK) fuzz_must(err.message[0]);
        if (few__store_find_stream(store, "a", &row, &err) == FEW_OK) fuzz_must(!strcmp(row.path, "a"));
    }
}

static void use_all(struct few__store *store)
{
    struct few_error err;
    struct few__totals totals;
    const char *path;
    int64_t id = -1, after = -1, n = 0;
    struct few__cell *cells = calloc(few__store_catalog(store)->n_models + 1, sizeof *cells);
    fuzz_must(cells);
    if (few__store_count(store, &n, &err) != FEW_OK) n = 0;
    for (int64_t i = 0; i < n && i < ITEMS_MAX; i++) put_again(store, i, cells);
    for (; few__store_next_failed(store, after, &id, &path, &err) == FEW_OK; after = id)
        fuzz_must(id > after && path);
    few__store_totals(store, &totals);
    renew_streams(store);
    free(cells);
}

// As the next run of the same command would, if the store's own head is what that command would write.
static void go_on(const char *path)
{
    struct few__arena arena;
    struct few_catalog catalog;
    struct few__store *store;
    struct few_error err;
    if (few__store_open(path, fuzz_env(), &store, &err) != FEW_OK) return;
    few__arena_init(&arena, fuzz_env()->mem, FUZZ_MEMORY);
    const struct few__store_new what = {
        .purpose = few__arena_strdup(&arena, few__store_purpose(store)),
        .config_json = few__arena_strdup(&arena, few__store_config(store)),
        .notes_json = "{}",
        .zoo_path = "",
        .zoo_digest = "",
        .catalog = &catalog,
    };
    enum few_status status = few__store_read_catalog(store, &arena, &catalog, &err);
    (void)few__store_close(store, NULL);
    if (status == FEW_OK && what.purpose && what.config_json &&
        few__store_append(path, &what, fuzz_env(), &store, &err) == FEW_OK) {
        use_all(store);
        if (few__store_close(store, &err) == FEW_OK) walk(path);
    }
    few__arena_finish(&arena);
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
    go_on(path);
    struct few_run_status status = {.size = sizeof status};
    if (few_run_status(path, &status, &err) == FEW_OK) {
        fuzz_must(status.config && status.notes);
        few_text_free(status.config);
        few_text_free(status.notes);
    }
    FILE *out = fopen("/dev/null", "w");
    fuzz_must(out);
    static const char *const formats[] = {"jsonl",
                                          "csv",
                                          "coco",
                                          "coco-results",
                                          "label-studio",
                                          "label-studio-config",
                                          "fiftyone",
                                          "fiftyone-classes",
                                          "fiftyone-temporal"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        (void)!few_export(path, formats[i], out, &err);
    const struct few_report_opts beside = {.size = sizeof beside, .trace = path};
    (void)!few_report(path, &beside, out, &err);
    fclose(out);
    static const double recall = 0.5;
    static const int64_t deadline = 1000;
    static const uint64_t memory = 1 << 20;
    const struct few_eval_opts opts = {.size = sizeof opts,
                                       .env = *fuzz_env(),
                                       .recalls = &recall,
                                       .n_recalls = 1,
                                       .deadlines_us = &deadline,
                                       .n_deadlines = 1,
                                       .memories = &memory,
                                       .n_memories = 1};
    char *json;
    if (few_eval(path, &opts, &json, &err) == FEW_OK) few_text_free(json);
}
