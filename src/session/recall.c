// SPDX-License-Identifier: Apache-2.0
// Answers of stored runs for the replay backend. Lanes ask at once, SQLite's handles are one thread's: a lock around all.
#include "session/recall.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "model/catalog.h"
#include "store/store.h"
#include "store/trace.h"

struct memory {       // one open file
    const char *path; // the recipe's
    struct few__store *store;
    struct few__cell *cells; // (n_models of the store,)
};

struct few__recall {
    struct few_env env;
    pthread_mutex_t lock;
    size_t n;
    struct memory files[FEW__RECALL_FILES_MAX];
};

enum few_status few__recall_create(const struct few_env *env, struct few__recall **recall,
                                   struct few_error *err)
{
    struct few_env e = few__env(env);
    *recall = NULL;
    struct few__recall *r = FEW__NEW(e.mem, struct few__recall);
    if (!r) return few__no_memory(err, "recall");
    r->env = e;
    if (pthread_mutex_init(&r->lock, NULL) != 0) {
        few__free(e.mem, r);
        return few__no_memory(err, "recall");
    }
    *recall = r;
    return FEW_OK;
}

void few__recall_destroy(struct few__recall *recall)
{
    if (!recall) return;
    for (size_t i = 0; i < recall->n; i++) {
        few__store_close(recall->files[i].store, NULL);
        few__free(recall->env.mem, recall->files[i].cells);
    }
    pthread_mutex_destroy(&recall->lock);
    few__free(recall->env.mem, recall);
}

static enum few_status open_file(struct few__recall *recall, const char *path, struct memory **out,
                                 struct few_error *err)
{
    for (size_t i = 0; i < recall->n; i++) {
        *out = &recall->files[i];
        if (strcmp(recall->files[i].path, path) == 0) return FEW_OK;
    }
    if (recall->n == FEW__RECALL_FILES_MAX)
        return few__fail(err, FEW_ELIMIT, "%s: expected at most %d files to replay, this is one more", path,
                         FEW__RECALL_FILES_MAX);
    struct memory *file = *out = &recall->files[recall->n];
    *file = (struct memory){.path = path};
    FEW__TRY(few__store_open(path, &recall->env, &file->store, err));
    file->cells = FEW__NEW_N(recall->env.mem, struct few__cell, few__store_catalog(file->store)->n_models);
    if (!file->cells) {
        few__store_close(file->store, NULL);
        return few__no_memory(err, path);
    }
    recall->n++;
    return FEW_OK;
}

static enum few_status find(struct memory *file, const struct few_model *model, const char *digest,
                            const struct few__cell **cell, const struct few_model **stored,
                            struct few_error *err)
{
    const struct few_catalog *catalog = few__store_catalog(file->store);
    int m = few__catalog_find(catalog, model->name);
    if (m < 0) return few__fail(err, FEW_ENOENT, "%s: has no model '%s'", file->path, model->name);
    struct few__known known;
    struct few__item_row item;
    enum few_status status = few__store_find_digest(file->store, digest, &known, err);
    if (status == FEW_OK) status = few__store_get(file->store, known.id, &item, file->cells, err);
    if (status == FEW_END)
        return few__fail(err, FEW_ENOENT, "%s: has no item of digest %.16s...", file->path, digest);
    if (status != FEW_OK) return status;
    *stored = &catalog->models[m];
    *cell = &file->cells[m];
    if (!(*cell)->output)
        return few__fail(err, FEW_ENOENT, "%s: %s: '%s' gave no output there: %s", file->path, item.path,
                         model->name, (*cell)->reason);
    return FEW_OK;
}

enum few_status few__recall_output(void *ud, const struct few__recipe *recipe, const struct few_model *model,
                                   const char *digest, struct few__arena *arena, struct few_output *output,
                                   int64_t *time_us, struct few_error *err)
{
    struct few__recall *recall = ud;
    struct memory *file;
    const struct few__cell *cell = NULL;
    const struct few_model *stored = NULL;
    pthread_mutex_lock(&recall->lock);
    enum few_status status = open_file(recall, recipe->file, &file, err);
    if (status == FEW_OK) status = find(file, model, digest, &cell, &stored, err);
    if (status == FEW_OK) {
        assert(cell && stored);
        *time_us = cell->time_us > 0 ? cell->time_us : stored->cost.time_us;
        status = few__trace_unpack(model, cell->output, cell->n_output, arena, output, err);
    }
    pthread_mutex_unlock(&recall->lock);
    return status;
}
