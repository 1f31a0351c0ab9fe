// SPDX-License-Identifier: Apache-2.0
/* Traces and runs in one SQLite file: how a store is made, gone on with, opened, committed and closed. Items are
 * numbered as they come, without gaps. Sums over all of them are a row of the file that every transaction renews, so
 * that nothing is ever counted. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/env.h"
#include "core/error.h"
#include "store/store_inside.h"

#define CATALOG_MAX ((size_t)4 << 30) // bytes of a catalog in memory
#define ROW_MAX     ((size_t)4 << 30) // bytes of one item's outputs in memory

#define ITEM_COLUMNS                                                                      \
    "id, path, digest, size, mtime_us, width, height, decode_us, elapsed_us, runtime_us," \
    " run_all_us, deadline_missed, status, message, stream, at_us, until_us, age_us"
#define STREAM_COLUMNS                                                                             \
    "id, path, options, size, mtime_us, is_live, width, height, fps, duration_us, n_in,"           \
    " n_analysed, n_reused, n_dropped, n_failed, n_damaged, n_reconnects, last_us, newest_age_us," \
    " ended, message"
#define KNOWN_COLUMNS "id, digest, size, mtime_us, failed, late"

static const char *const texts[FEW__STATEMENTS] = {
    [FEW__BEGIN] = "BEGIN IMMEDIATE",
    [FEW__COMMIT] = "COMMIT",
    [FEW__SAVEPOINT] = "SAVEPOINT item",
    [FEW__RELEASE] = "RELEASE item",
    [FEW__BACK] = "ROLLBACK TO item",
    [FEW__PUT_ITEM] = "INSERT OR REPLACE INTO items(" ITEM_COLUMNS ", failed, late)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
                      " ?17, ?18, ?19, ?20)",
    [FEW__PUT_THUMBNAIL] = "INSERT INTO thumbnails VALUES (?1, ?2)",
    [FEW__PUT_LOOK] = "INSERT INTO looks VALUES (?1, ?2)",
    [FEW__PUT_STREAM] = "INSERT OR REPLACE INTO streams(" STREAM_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
                        " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    [FEW__PUT_CELL] = "INSERT INTO results VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [FEW__PUT_REASON] = "INSERT INTO reasons(text) VALUES (?1)",
    [FEW__FIND_REASON] = "SELECT id FROM reasons WHERE text = ?1",
    [FEW__SET_COST] = "UPDATE models SET time_us = ?2, memory_bytes = ?3, weights_bytes = ?4, load_us = ?5,"
                      " more_us = ?6 WHERE id = ?1",
    [FEW__SET_TOTALS] = "UPDATE totals SET items = ?1, items_failed = ?2, executed = ?3, predicted = ?4,"
                        " reused = ?5, skipped = ?6, late = ?7, failed = ?8, deadline_missed = ?9,"
                        " spent_us = ?10, runtime_us = ?11, run_all_us = ?12",
    [FEW__OLD_ITEM] = "SELECT status, deadline_missed, runtime_us, run_all_us FROM items WHERE id = ?1",
    [FEW__OLD_CELLS] = "SELECT outcome, time_us FROM results WHERE item = ?1",
    [FEW__DROP_CELLS] = "DELETE FROM results WHERE item = ?1",
    [FEW__DROP_THUMBNAIL] = "DELETE FROM thumbnails WHERE item = ?1",
    [FEW__DROP_LOOK] = "DELETE FROM looks WHERE item = ?1",
    [FEW__PAGES] = "PRAGMA page_count",
    [FEW__GET_ITEMS] = "SELECT " ITEM_COLUMNS " FROM items ORDER BY id",
    [FEW__GET_ITEM] = "SELECT " ITEM_COLUMNS " FROM items WHERE id = ?1",
    [FEW__GET_CELLS] =
        "SELECT model, outcome, reason, start_us, time_us, lane FROM results WHERE item = ?1 ORDER BY model",
    [FEW__GET_OUTPUTS] =
        "SELECT model, outcome, reason, start_us, time_us, lane, output FROM results WHERE item = ?1"
        " ORDER BY model",
    [FEW__GET_THUMBNAIL] = "SELECT rgb FROM thumbnails WHERE item = ?1",
    [FEW__GET_LOOK] = "SELECT grey FROM looks WHERE item = ?1",
    [FEW__GET_STREAM] = "SELECT " STREAM_COLUMNS " FROM streams WHERE id = ?1",
    [FEW__FIND_STREAM] = "SELECT " STREAM_COLUMNS " FROM streams WHERE path = ?1 ORDER BY id LIMIT 1",
    [FEW__COUNT_MOMENTS] = "SELECT count(*) FROM items WHERE stream = ?1 AND at_us < ?2",
    [FEW__GET_REASON] = "SELECT text FROM reasons WHERE id = ?1",
    [FEW__FIND_PATH] = "SELECT " KNOWN_COLUMNS " FROM items WHERE path = ?1 ORDER BY id LIMIT 1",
    // As the index has it, so that it is one look-up in the index.
    [FEW__FIND_DIGEST] = "SELECT " KNOWN_COLUMNS " FROM items WHERE digest = ?1 AND digest <> ''"
                         " AND failed = 0 AND late = 0 ORDER BY id LIMIT 1",
    [FEW__FIND_FAILED] = "SELECT id, path FROM items WHERE failed = 1 AND id > ?1 ORDER BY id LIMIT 1",
};

enum few_status few__store_statement(struct few__store *store, enum few__statement which, sqlite3_stmt **stmt,
                                     struct few_error *err)
{
    if (!store->statements[which])
        FEW__TRY(few__db_prepare(&store->db, texts[which], &store->statements[which], err));
    *stmt = store->statements[which];
    return FEW_OK;
}

enum few_status few__store_run(struct few__store *store, enum few__statement which, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, which, &stmt, err));
    return few__db_run(&store->db, stmt, err);
}

/* ---- open ---- */

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
    store->packer.mem = full.mem;
    few__arena_init(&store->arena, full.mem, CATALOG_MAX);
    few__arena_init(&store->row, full.mem, ROW_MAX);
    *out = store;
    return FEW_OK;
}

static void finalize_all(struct few__store *store)
{
    for (size_t i = 0; i < FEW__STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

static void free_store(struct few__store *store)
{
    finalize_all(store);
    few__db_close(&store->db);
    few__look_packer_finish(&store->packer);
    few__arena_finish(&store->arena);
    few__arena_finish(&store->row);
    few__free(store->env.mem, store->path);
    few__free(store->env.mem, store);
}

// What each writer says anew.
static enum few_status read_writer(struct few__store *store, struct few_error *err)
{
    const char *planned;
    FEW__TRY(few__schema_meta(&store->db, "items_planned", &store->arena, &planned, err));
    store->planned = strtoull(planned, NULL, 10);
    return few__schema_meta(&store->db, "notes", &store->arena, &store->notes, err);
}

// What the store knows of itself comes from the file, also right after it was written.
static enum few_status read_head(struct few__store *store, struct few_error *err)
{
    struct few__arena *arena = &store->arena;
    FEW__TRY(few__schema_check(&store->db, err));
    FEW__TRY(few__schema_meta(&store->db, "purpose", arena, &store->purpose, err));
    FEW__TRY(few__schema_meta(&store->db, "config", arena, &store->config, err));
    FEW__TRY(read_writer(store, err));
    FEW__TRY(few__schema_meta(&store->db, "zoo_path", arena, &store->zoo_path, err));
    FEW__TRY(few__schema_catalog(&store->db, arena, &store->catalog, err));
    FEW__TRY(few__schema_totals(&store->db, store->catalog.n_models, &store->totals, &store->n_streams, err));
    store->before = store->totals;
    store->streams_before = store->n_streams;
    return few__db_int(&store->db, "PRAGMA page_size", &store->page_bytes, err);
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
    if (status == FEW_OK) status = read_head(store, err);
    if (status == FEW_OK) status = few__db_publish(&store->db, what->overwrite, err);
    if (status == FEW_OK) {
        *out = store;
        return FEW_OK;
    }
    few__db_abandon(&store->db);
    free_store(store);
    return status;
}

enum few_status few__store_open(const char *path, const struct few_env *env, struct few__store **out,
                                struct few_error *err)
{
    struct few__store *store;
    *out = NULL;
    FEW__TRY(new_store(path, env, &store, err));
    enum few_status status = few__db_open(&store->db, store->path, false, err);
    if (status == FEW_OK) status = read_head(store, err);
    if (status != FEW_OK) free_store(store);
    else *out = store;
    return status;
}

// "another process (pid 4711) is writing to it", if the file tells.
static enum few_status say_busy(struct few__store *store, struct few_error *err)
{
    const char *writer = "";
    if (few__db_open(&store->db, store->path, false, NULL) == FEW_OK) {
        if (few__schema_meta(&store->db, "writer", &store->arena, &writer, NULL) != FEW_OK) writer = "";
        few__db_close(&store->db);
    }
    return few__fail(err, FEW_AGAIN, "%s: another process%s%s%s is writing to it", store->path,
                     *writer ? " (pid " : "", writer, *writer ? ")" : "");
}

static enum few_status go_on(struct few__store *store, const struct few__store_new *what,
                             struct few_error *err)
{
    enum few_status status = few__db_open(&store->db, store->path, true, err);
    if (status == FEW_AGAIN) return say_busy(store, err);
    if (status != FEW_OK) return status;
    FEW__TRY(read_head(store, err));
    const struct few__store_new was = {
        .purpose = store->purpose, .catalog = &store->catalog, .config_json = store->config};
    FEW__TRY(few__schema_same(store->path, &was, what, err));
    FEW__TRY(few__db_log(&store->db, err));
    FEW__TRY(few__schema_renew(&store->db, what, err));
    store->writing = true;
    return read_writer(store, err);
}

enum few_status few__store_append(const char *path, const struct few__store_new *what,
                                  const struct few_env *env, struct few__store **out, struct few_error *err)
{
    struct few__store *store;
    *out = NULL;
    FEW__TRY(new_store(path, env, &store, err));
    enum few_status status = go_on(store, what, err);
    if (status == FEW_OK) {
        *out = store;
        return FEW_OK;
    }
    if (store->db.sql) (void)few__db_settle(&store->db, NULL);
    free_store(store);
    return status;
}

/* ---- commit and close ---- */

void few__store_roll_back(struct few__store *store)
{
    if (!sqlite3_get_autocommit(store->db.sql)) sqlite3_exec(store->db.sql, "ROLLBACK", NULL, NULL, NULL);
    store->in_transaction = false;
    store->n_pending = store->n_renewed = 0;
    store->totals = store->before;
    store->n_streams = store->streams_before;
    memset(store->reasons, 0, sizeof store->reasons); // some of them are gone
}

enum few_status few__store_check_alive(struct few__store *store, struct few_error *err)
{
    if (!store->in_transaction || !sqlite3_get_autocommit(store->db.sql)) return FEW_OK;
    few__store_roll_back(store);
    return few__fail(err, FEW_ESTORE,
                     "%s: what was not yet committed is lost: SQLite gave its transaction up", store->path);
}

enum few_status few__store_begin(struct few__store *store, struct few_error *err)
{
    if (!store->writing)
        return few__fail(err, FEW_EINVAL, "%s: was opened for reading, cannot be written to", store->path);
    FEW__TRY(few__store_check_alive(store, err));
    if (store->in_transaction) return FEW_OK;
    few__store_end_reading(store);
    FEW__TRY(few__store_run(store, FEW__BEGIN, err));
    store->in_transaction = true;
    store->begun_us = few__now_us(&store->env);
    if (!store->max_bytes) return FEW_OK;
    return few__db_int(&store->db, "PRAGMA page_count", &store->pages_begun, err);
}

enum few_status few__store_begin_reading(struct few__store *store, struct few_error *err)
{
    if (!store->writing || store->in_transaction || store->reading) return FEW_OK;
    FEW__TRY(few__db_exec(&store->db, "BEGIN", err));
    store->reading = true;
    return FEW_OK;
}

void few__store_end_reading(struct few__store *store)
{
    if (store->reading) sqlite3_exec(store->db.sql, "ROLLBACK", NULL, NULL, NULL); // nothing was written
    store->reading = false;
}

static enum few_status write_totals(struct few__store *store, struct few_error *err)
{
    sqlite3_stmt *stmt;
    const struct few__totals *t = &store->totals;
    FEW__TRY(few__store_statement(store, FEW__SET_TOTALS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, (int64_t)t->items);
    sqlite3_bind_int64(stmt, 2, (int64_t)t->items_failed);
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) sqlite3_bind_int64(stmt, 3 + i, (int64_t)t->counts[i]);
    sqlite3_bind_int64(stmt, 9, (int64_t)t->deadline_missed);
    sqlite3_bind_int64(stmt, 10, t->spent_us);
    sqlite3_bind_int64(stmt, 11, t->runtime_us);
    sqlite3_bind_int64(stmt, 12, t->run_all_us);
    return few__db_run(&store->db, stmt, err);
}

enum few_status few__store_commit(struct few__store *store, struct few_error *err)
{
    FEW__TRY(few__store_check_alive(store, err));
    if (!store->in_transaction) return FEW_OK;
    enum few_status status = store->n_pending ? write_totals(store, err) : FEW_OK;
    if (status == FEW_OK) status = few__store_run(store, FEW__COMMIT, err);
    if (status == FEW_OK) {
        store->in_transaction = false;
        store->n_pending = store->n_renewed = 0;
        store->before = store->totals;
        store->streams_before = store->n_streams;
        return FEW_OK;
    }
    few__store_roll_back(store);
    return status;
}

enum few_status few__store_commit_due(struct few__store *store, struct few_error *err)
{
    bool due = store->n_pending >= FEW__STORE_BATCH ||
               few__now_us(&store->env) - store->begun_us >= FEW__STORE_BATCH_US;
    return due ? few__store_commit(store, err) : FEW_OK;
}

enum few_status few__store_close(struct few__store *store, struct few_error *err)
{
    if (!store) return FEW_OK;
    enum few_status status = FEW_OK;
    if (store->writing) {
        few__store_end_reading(store);
        status = few__store_commit(store, err);
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

/* ---- what it is ---- */

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

const char *few__store_notes(const struct few__store *store)
{
    return store->notes;
}

uint64_t few__store_planned(const struct few__store *store)
{
    return store->planned;
}

const char *few__store_zoo_path(const struct few__store *store)
{
    return store->zoo_path;
}

void few__store_totals(const struct few__store *store, struct few__totals *totals)
{
    *totals = store->totals;
}

enum few_status few__store_count(struct few__store *store, int64_t *n_items, struct few_error *err)
{
    (void)err;
    *n_items = (int64_t)store->totals.items;
    return FEW_OK;
}

void few__store_limit(struct few__store *store, uint64_t max_bytes)
{
    store->max_bytes = max_bytes;
}

int64_t few__store_n_streams(const struct few__store *store)
{
    return store->n_streams;
}

uint64_t few__store_bytes(const struct few__store *store)
{
    return few__db_bytes(&store->db);
}

bool few__store_is_busy(const char *path)
{
    return few__lock_is_busy(path);
}
