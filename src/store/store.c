// SPDX-License-Identifier: Apache-2.0
/* Traces and runs in one SQLite file. Items are numbered as they come, without gaps; an item is in the file with all
 * its cells or not at all (a savepoint around each), and a transaction holds FEW__STORE_BATCH of them. Reasons are
 * few and come again and again: rows hold their number. */
#include "store/store.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/env.h"
#include "core/error.h"
#include "store/schema.h"

#define CATALOG_MAX ((size_t)4 << 30) // bytes of a catalog in memory
#define ROW_MAX     ((size_t)4 << 30) // bytes of one item's outputs in memory

enum { REASON_SLOTS = 256, REASON_CACHED = 120 }; // longer reasons are looked up in the file each time

enum statement {
    BEGIN,
    COMMIT,
    SAVEPOINT,
    RELEASE,
    BACK,
    PUT_ITEM,
    PUT_THUMBNAIL,
    PUT_CELL,
    PUT_REASON,
    FIND_REASON,
    SET_COST,
    GET_ITEM,
    GET_CELLS,
    GET_OUTPUTS,
    GET_THUMBNAIL,
    GET_REASON,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [SAVEPOINT] = "SAVEPOINT item",
    [RELEASE] = "RELEASE item",
    [BACK] = "ROLLBACK TO item",
    [PUT_ITEM] = "INSERT INTO items VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [PUT_THUMBNAIL] = "INSERT INTO thumbnails VALUES (?1, ?2)",
    [PUT_CELL] = "INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [PUT_REASON] = "INSERT INTO reasons(text) VALUES (?1)",
    [FIND_REASON] = "SELECT id FROM reasons WHERE text = ?1",
    [SET_COST] = "UPDATE models SET time_us = ?2, memory_bytes = ?3 WHERE id = ?1",
    [GET_ITEM] = "SELECT * FROM items ORDER BY id",
    [GET_CELLS] =
        "SELECT model, outcome, reason, start_us, time_us FROM results WHERE item = ?1 ORDER BY model",
    [GET_OUTPUTS] =
        "SELECT model, outcome, reason, start_us, time_us, output FROM results WHERE item=?1 ORDER BY model",
    [GET_THUMBNAIL] = "SELECT rgb FROM thumbnails WHERE item = ?1",
    [GET_REASON] = "SELECT text FROM reasons WHERE id = ?1",
};

struct reason { // in the slot that its number or its text leads to
    int64_t id; // 0 = free
    char text[REASON_CACHED];
};

struct few__store {
    struct few_env env;
    struct few__db db;
    char *path;
    struct few__arena arena; // catalog, meta
    struct few__arena row;   // the item read last
    struct few_catalog catalog;
    const char *purpose, *config, *zoo_path;
    bool writing, with_outputs;
    bool in_transaction;
    int64_t n_items, n_committed;
    sqlite3_stmt *statements[STATEMENTS]; // prepared at first use
    struct reason reasons[REASON_SLOTS];
};

static enum few_status prepared(struct few__store *store, enum statement which, sqlite3_stmt **stmt,
                                struct few_error *err)
{
    if (!store->statements[which])
        FEW__TRY(few__db_prepare(&store->db, texts[which], &store->statements[which], err));
    *stmt = store->statements[which];
    return FEW_OK;
}

static enum few_status run(struct few__store *store, enum statement which, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(prepared(store, which, &stmt, err));
    return few__db_run(&store->db, stmt, err);
}

/* ---- open and close ---- */

static enum few_status new_store(const char *path, const struct few_env *env, struct few__store **out,
                                 struct few_error *err)
{
    struct few_env full = few__env(env);
    *out = NULL;
    struct few__store *store = FEW__NEW(full.mem, struct few__store);
    char *copy = store ? few__strdup(full.mem, path) : NULL;
    if (!copy) {
        few__free(full.mem, store);
        return few__no_memory(err, path);
    }
    store->env = full;
    store->path = copy;
    few__arena_init(&store->arena, full.mem, CATALOG_MAX);
    few__arena_init(&store->row, full.mem, ROW_MAX);
    *out = store;
    return FEW_OK;
}

static void finalize_all(struct few__store *store)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

static void free_store(struct few__store *store)
{
    finalize_all(store);
    few__db_close(&store->db);
    few__arena_finish(&store->arena);
    few__arena_finish(&store->row);
    few__free(store->env.mem, store->path);
    few__free(store->env.mem, store);
}

// What the store knows of itself comes from the file, also right after it was written.
static enum few_status read_head(struct few__store *store, struct few_error *err)
{
    struct few__arena *arena = &store->arena;
    FEW__TRY(few__schema_check(&store->db, err));
    FEW__TRY(few__schema_meta(&store->db, "purpose", arena, &store->purpose, err));
    FEW__TRY(few__schema_meta(&store->db, "config", arena, &store->config, err));
    FEW__TRY(few__schema_meta(&store->db, "zoo_path", arena, &store->zoo_path, err));
    return few__schema_catalog(&store->db, arena, &store->catalog, err);
}

enum few_status few__store_may_create(const char *path, bool overwrite, struct few_error *err)
{
    struct stat st;
    if (!overwrite && lstat(path, &st) == 0) return few__fail(err, FEW_EEXIST, "%s: exists already", path);
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t n = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
    if (n >= sizeof folder) return few__fail(err, FEW_EIO, "%s: the path is too long", path);
    memcpy(folder, n ? path : ".", n ? n : 1);
    folder[n ? n : 1] = 0;
    if (access(folder, W_OK | X_OK) != 0) return few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
    return FEW_OK;
}

enum few_status few__store_create(const char *path, const struct few__store_new *what,
                                  const struct few_env *env, struct few__store **out, struct few_error *err)
{
    struct few__store *store;
    *out = NULL;
    FEW__TRY(new_store(path, env, &store, err));
    enum few_status status = few__db_create(&store->db, store->path, what->overwrite, err);
    if (status != FEW_OK) {
        free_store(store);
        return status;
    }
    store->writing = true;
    status = few__schema_create(&store->db, what, err);
    if (status == FEW_OK) status = few__db_log(&store->db, err);
    if (status == FEW_OK) status = read_head(store, err);
    if (status == FEW_OK) {
        *out = store;
        return FEW_OK;
    }
    free_store(store);
    (void)few__db_remove(path, NULL);
    return status;
}

enum few_status few__store_open(const char *path, const struct few_env *env, struct few__store **out,
                                struct few_error *err)
{
    struct few__store *store;
    *out = NULL;
    FEW__TRY(new_store(path, env, &store, err));
    enum few_status status = few__db_open(&store->db, store->path, err);
    if (status == FEW_OK) status = read_head(store, err);
    if (status != FEW_OK) free_store(store);
    else *out = store;
    return status;
}

static enum few_status commit(struct few__store *store, struct few_error *err)
{
    if (!store->in_transaction) return FEW_OK;
    enum few_status status = run(store, COMMIT, err);
    store->in_transaction = false;
    if (status == FEW_OK) {
        store->n_committed = store->n_items;
        return FEW_OK;
    }
    sqlite3_exec(store->db.sql, "ROLLBACK", NULL, NULL, NULL);
    store->n_items = store->n_committed;
    memset(store->reasons, 0, sizeof store->reasons); // some of them were rolled back
    return status;
}

enum few_status few__store_close(struct few__store *store, struct few_error *err)
{
    if (!store) return FEW_OK;
    enum few_status status = FEW_OK;
    if (store->writing) {
        status = commit(store, err);
        finalize_all(store);
        enum few_status settled = few__db_settle(&store->db, status == FEW_OK ? err : NULL);
        if (status == FEW_OK) status = settled;
    }
    free_store(store);
    return status;
}

enum few_status few__store_remove(const char *path, struct few_error *err)
{
    return few__db_remove(path, err);
}

const struct few_catalog *few__store_catalog(const struct few__store *store)
{
    return &store->catalog;
}

enum few_status few__store_read_catalog(struct few__store *store, struct few__arena *arena,
                                        struct few_catalog *catalog, struct few_error *err)
{
    return few__schema_catalog(&store->db, arena, catalog, err);
}

const char *few__store_purpose(const struct few__store *store)
{
    return store->purpose;
}

const char *few__store_config(const struct few__store *store)
{
    return store->config;
}

const char *few__store_zoo_path(const struct few__store *store)
{
    return store->zoo_path;
}

/* ---- reasons ---- */

static struct reason *slot_of_text(struct few__store *store, const char *text)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (const char *p = text; *p; p++) hash = (hash ^ (unsigned char)*p) * 16777619u;
    return &store->reasons[hash % REASON_SLOTS];
}

static void remember(struct reason *slot, int64_t id, const char *text)
{
    size_t n = strlen(text);
    if (n >= sizeof slot->text) return;
    slot->id = id;
    memcpy(slot->text, text, n + 1);
}

static enum few_status reason_id(struct few__store *store, const char *text, int64_t *id,
                                 struct few_error *err)
{
    struct reason *slot = slot_of_text(store, text);
    if (slot->id && strcmp(slot->text, text) == 0) {
        *id = slot->id;
        return FEW_OK;
    }
    sqlite3_stmt *find, *put;
    FEW__TRY(prepared(store, FIND_REASON, &find, err));
    sqlite3_bind_text(find, 1, text, -1, SQLITE_STATIC);
    enum few_status status = few__db_step(&store->db, find, err);
    if (status == FEW_OK) {
        *id = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    } else if (status == FEW_END) {
        FEW__TRY(prepared(store, PUT_REASON, &put, err));
        sqlite3_bind_text(put, 1, text, -1, SQLITE_STATIC);
        FEW__TRY(few__db_run(&store->db, put, err));
        *id = sqlite3_last_insert_rowid(store->db.sql);
    } else {
        return status;
    }
    remember(slot, *id, text);
    return FEW_OK;
}

static enum few_status reason_text(struct few__store *store, int64_t id, const char **text,
                                   struct few_error *err)
{
    struct reason *slot = &store->reasons[(uint64_t)id % REASON_SLOTS];
    if (slot->id != id || id == 0) {
        sqlite3_stmt *get;
        FEW__TRY(prepared(store, GET_REASON, &get, err));
        sqlite3_bind_int64(get, 1, id);
        enum few_status status = few__db_step(&store->db, get, err);
        if (status == FEW_END)
            return few__fail(err, FEW_ESTORE, "%s: damaged: a reason is missing", store->path);
        if (status != FEW_OK) return status;
        const char *found = (const char *)sqlite3_column_text(get, 0);
        *text = found ? few__arena_strdup(&store->row, found) : NULL;
        if (*text) remember(slot, id, *text);
        sqlite3_reset(get);
    } else {
        *text = few__arena_strdup(&store->row, slot->text);
    }
    return *text ? FEW_OK : few__no_memory(err, store->path);
}

/* ---- writing ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static enum few_status put_item(struct few__store *store, const struct few__item_row *item,
                                struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(prepared(store, PUT_ITEM, &stmt, err));
    sqlite3_bind_int64(stmt, 1, store->n_items);
    sqlite3_bind_text(stmt, 2, or_empty(item->path), -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, or_empty(item->digest), -1, SQLITE_STATIC);
    sqlite3_bind_int(stmt, 4, item->width);
    sqlite3_bind_int(stmt, 5, item->height);
    sqlite3_bind_int64(stmt, 6, item->decode_us);
    sqlite3_bind_int64(stmt, 7, item->elapsed_us);
    sqlite3_bind_int(stmt, 8, item->deadline_missed);
    sqlite3_bind_int(stmt, 9, (int)item->status);
    sqlite3_bind_text(stmt, 10, or_empty(item->message), -1, SQLITE_STATIC);
    FEW__TRY(few__db_run(&store->db, stmt, err));
    if (!item->thumbnail) return FEW_OK;
    FEW__TRY(prepared(store, PUT_THUMBNAIL, &stmt, err));
    sqlite3_bind_int64(stmt, 1, store->n_items);
    sqlite3_bind_blob(stmt, 2, item->thumbnail, FEW__STORE_THUMBNAIL, SQLITE_STATIC);
    return few__db_run(&store->db, stmt, err);
}

static enum few_status put_cell(struct few__store *store, size_t model, const struct few__cell *cell,
                                struct few_error *err)
{
    int64_t reason;
    sqlite3_stmt *stmt;
    FEW__TRY(reason_id(store, or_empty(cell->reason), &reason, err));
    FEW__TRY(prepared(store, PUT_CELL, &stmt, err));
    sqlite3_bind_int64(stmt, 1, store->n_items);
    sqlite3_bind_int64(stmt, 2, (int64_t)model);
    sqlite3_bind_int(stmt, 3, (int)cell->outcome);
    sqlite3_bind_int64(stmt, 4, reason);
    sqlite3_bind_int64(stmt, 5, cell->start_us);
    sqlite3_bind_int64(stmt, 6, cell->time_us);
    if (cell->output) sqlite3_bind_blob64(stmt, 7, cell->output, cell->n_output, SQLITE_STATIC);
    else sqlite3_bind_null(stmt, 7);
    return few__db_run(&store->db, stmt, err);
}

static enum few_status put_all(struct few__store *store, const struct few__item_row *item,
                               const struct few__cell *cells, struct few_error *err)
{
    FEW__TRY(put_item(store, item, err));
    for (size_t m = 0; m < store->catalog.n_models; m++) FEW__TRY(put_cell(store, m, &cells[m], err));
    return run(store, RELEASE, err);
}

/* A full disk makes SQLite roll the whole transaction back by itself; otherwise this item alone is undone. Either
 * way a reason may be gone from the file that the cache still has. */
static void undo(struct few__store *store)
{
    memset(store->reasons, 0, sizeof store->reasons);
    if (sqlite3_get_autocommit(store->db.sql)) {
        store->in_transaction = false;
        store->n_items = store->n_committed;
        return;
    }
    if (run(store, BACK, NULL) == FEW_OK) (void)run(store, RELEASE, NULL);
}

static enum few_status begin(struct few__store *store, struct few_error *err)
{
    if (!store->writing)
        return few__fail(err, FEW_EINVAL, "%s: was opened for reading, cannot be written to", store->path);
    if (store->in_transaction) return FEW_OK;
    FEW__TRY(run(store, BEGIN, err));
    store->in_transaction = true;
    return FEW_OK;
}

enum few_status few__store_put(struct few__store *store, const struct few__item_row *item,
                               const struct few__cell *cells, struct few_error *err)
{
    FEW__TRY(begin(store, err));
    FEW__TRY(run(store, SAVEPOINT, err));
    enum few_status status = put_all(store, item, cells, err);
    if (status != FEW_OK) {
        undo(store);
        return status;
    }
    store->n_items++;
    return store->n_items - store->n_committed < FEW__STORE_BATCH ? FEW_OK : commit(store, err);
}

enum few_status few__store_set_costs(struct few__store *store, const struct few_cost *costs,
                                     struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(begin(store, err));
    FEW__TRY(prepared(store, SET_COST, &stmt, err));
    for (size_t m = 0; m < store->catalog.n_models; m++) {
        sqlite3_bind_int64(stmt, 1, (int64_t)m);
        sqlite3_bind_int64(stmt, 2, costs[m].time_us);
        sqlite3_bind_int64(stmt, 3, (int64_t)costs[m].memory_bytes);
        FEW__TRY(few__db_run(&store->db, stmt, err));
    }
    return commit(store, err);
}

/* ---- reading ---- */

enum few_status few__store_count(struct few__store *store, int64_t *n_items, struct few_error *err)
{
    return few__db_int(&store->db, "SELECT coalesce(max(id) + 1, 0) FROM items", n_items, err);
}

enum few_status few__store_rewind(struct few__store *store, bool with_outputs, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(prepared(store, GET_ITEM, &stmt, err));
    sqlite3_reset(stmt);
    store->with_outputs = with_outputs;
    return FEW_OK;
}

static enum few_status damaged(const struct few__store *store, int64_t item, struct few_error *err)
{
    return few__fail(err, FEW_ESTORE, "%s: damaged: item %" PRId64 " is not whole", store->path, item);
}

// The bytes of a blob column in the item's arena.
static enum few_status take_blob(struct few__store *store, sqlite3_stmt *stmt, int column, const void **bytes,
                                 size_t *n, struct few_error *err)
{
    const void *blob = sqlite3_column_blob(stmt, column);
    *n = (size_t)sqlite3_column_bytes(stmt, column);
    if (!blob && *n) return few__no_memory(err, store->path);
    void *copy = few__arena_alloc(&store->row, *n, 1);
    if (!copy) return few__no_memory(err, store->path);
    if (*n) memcpy(copy, blob, *n);
    *bytes = copy;
    return FEW_OK;
}

static enum few_status take_cell(struct few__store *store, sqlite3_stmt *stmt, struct few__cell *cell,
                                 struct few_error *err)
{
    *cell = (struct few__cell){.outcome = (enum few_outcome)sqlite3_column_int(stmt, 1),
                               .start_us = sqlite3_column_int64(stmt, 3),
                               .time_us = sqlite3_column_int64(stmt, 4)};
    FEW__TRY(reason_text(store, sqlite3_column_int64(stmt, 2), &cell->reason, err));
    if (!store->with_outputs || sqlite3_column_type(stmt, 5) == SQLITE_NULL) return FEW_OK;
    return take_blob(store, stmt, 5, &cell->output, &cell->n_output, err);
}

static enum few_status take_cells(struct few__store *store, int64_t item, struct few__cell *cells,
                                  struct few_error *err)
{
    sqlite3_stmt *stmt;
    size_t n_models = store->catalog.n_models;
    FEW__TRY(prepared(store, store->with_outputs ? GET_OUTPUTS : GET_CELLS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, item);
    enum few_status status = FEW_OK;
    for (size_t m = 0; m < n_models && status == FEW_OK; m++) {
        status = few__db_step(&store->db, stmt, err);
        if (status != FEW_OK) break;
        int outcome = sqlite3_column_int(stmt, 1);
        if (sqlite3_column_int64(stmt, 0) != (int64_t)m || outcome < 0 || outcome >= FEW_OUTCOME_COUNT)
            status = damaged(store, item, err);
        else status = take_cell(store, stmt, &cells[m], err);
    }
    if (status == FEW_OK && few__db_step(&store->db, stmt, err) == FEW_OK) status = damaged(store, item, err);
    sqlite3_reset(stmt);
    return status == FEW_END ? damaged(store, item, err) : status;
}

static enum few_status take_thumbnail(struct few__store *store, struct few__item_row *item,
                                      struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(prepared(store, GET_THUMBNAIL, &stmt, err));
    sqlite3_bind_int64(stmt, 1, item->id);
    enum few_status status = few__db_step(&store->db, stmt, err);
    if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
    const void *bytes;
    size_t n;
    status = take_blob(store, stmt, 0, &bytes, &n, err);
    sqlite3_reset(stmt);
    if (status == FEW_OK && n != FEW__STORE_THUMBNAIL) return damaged(store, item->id, err);
    item->thumbnail = status == FEW_OK ? bytes : NULL;
    return status;
}

// Texts stay where SQLite has them: the statement is not stepped before the next item.
static enum few_status take_item(struct few__store *store, sqlite3_stmt *stmt, struct few__item_row *item,
                                 struct few_error *err)
{
    *item = (struct few__item_row){.id = sqlite3_column_int64(stmt, 0),
                                   .path = (const char *)sqlite3_column_text(stmt, 1),
                                   .digest = (const char *)sqlite3_column_text(stmt, 2),
                                   .width = sqlite3_column_int(stmt, 3),
                                   .height = sqlite3_column_int(stmt, 4),
                                   .decode_us = sqlite3_column_int64(stmt, 5),
                                   .elapsed_us = sqlite3_column_int64(stmt, 6),
                                   .deadline_missed = sqlite3_column_int(stmt, 7) != 0,
                                   .status = (enum few_status)sqlite3_column_int(stmt, 8),
                                   .message = (const char *)sqlite3_column_text(stmt, 9)};
    if (item->path && item->digest && item->message) return FEW_OK;
    return damaged(store, item->id, err);
}

enum few_status few__store_next(struct few__store *store, struct few__item_row *item, struct few__cell *cells,
                                struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(prepared(store, GET_ITEM, &stmt, err));
    few__arena_reset(&store->row);
    FEW__TRY(few__db_step(&store->db, stmt, err));
    enum few_status status = take_item(store, stmt, item, err);
    if (status == FEW_OK) status = take_cells(store, item->id, cells, err);
    if (status == FEW_OK && store->with_outputs) status = take_thumbnail(store, item, err);
    return status;
}
