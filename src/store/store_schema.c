// SPDX-License-Identifier: Apache-2.0
/* The tables of a store file. A label list is written once, however many models share it; what few__catalog_add
 * makes of the models and lists of a file equals the catalog that was written (labels get the same numbers, since
 * models and names keep their order). */
#include "store/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <fewer/version.h>
#include <jansson.h>

#include "core/error.h"
#include "model/catalog.h"

enum { APPLICATION_ID = 0x46657772 }; // "Fewr"

#define SCRATCH_MAX ((size_t)1 << 30) // bytes of label lists while they are read

static const char tables[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE label_lists(id INTEGER PRIMARY KEY, space TEXT NOT NULL, n INTEGER NOT NULL);"
    "CREATE TABLE label_names(list INTEGER NOT NULL, i INTEGER NOT NULL, name TEXT NOT NULL,"
    " is_null INTEGER NOT NULL, PRIMARY KEY(list, i)) WITHOUT ROWID;"
    "CREATE TABLE models(id INTEGER PRIMARY KEY, name TEXT NOT NULL, task TEXT NOT NULL, kind TEXT NOT NULL,"
    " modality TEXT NOT NULL, list INTEGER, threshold REAL NOT NULL, empty REAL NOT NULL, tolerance REAL NOT "
    "NULL,"
    " priority REAL NOT NULL, needs INTEGER, variant_of INTEGER, time_us INTEGER NOT NULL,"
    " memory_bytes INTEGER NOT NULL, weights_bytes INTEGER NOT NULL, load_us INTEGER NOT NULL,"
    " more_us INTEGER NOT NULL, digest TEXT NOT NULL);"
    "CREATE TABLE items(id INTEGER PRIMARY KEY, path TEXT NOT NULL, digest TEXT NOT NULL,"
    " size INTEGER NOT NULL, mtime_us INTEGER NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL,"
    " decode_us INTEGER NOT NULL, elapsed_us INTEGER NOT NULL, runtime_us INTEGER NOT NULL,"
    " run_all_us INTEGER NOT NULL, deadline_missed INTEGER NOT NULL, status INTEGER NOT NULL,"
    " message TEXT NOT NULL, failed INTEGER NOT NULL, late INTEGER NOT NULL, stream INTEGER,"
    " at_us INTEGER NOT NULL, until_us INTEGER NOT NULL, age_us INTEGER NOT NULL);"
    "CREATE INDEX items_path ON items(path);"
    "CREATE INDEX items_digest ON items(digest) WHERE digest <> '' AND failed = 0 AND late = 0;"
    "CREATE INDEX items_failed ON items(failed) WHERE failed = 1;"
    "CREATE TABLE streams(id INTEGER PRIMARY KEY, path TEXT NOT NULL, options TEXT NOT NULL,"
    " size INTEGER NOT NULL, mtime_us INTEGER NOT NULL, is_live INTEGER NOT NULL, width INTEGER NOT NULL,"
    " height INTEGER NOT NULL, fps REAL NOT NULL, duration_us INTEGER NOT NULL, n_in INTEGER NOT NULL,"
    " n_analysed INTEGER NOT NULL, n_reused INTEGER NOT NULL, n_dropped INTEGER NOT NULL,"
    " n_failed INTEGER NOT NULL, n_damaged INTEGER NOT NULL, n_reconnects INTEGER NOT NULL,"
    " last_us INTEGER NOT NULL, newest_age_us INTEGER NOT NULL, ended INTEGER NOT NULL,"
    " message TEXT NOT NULL);"
    "CREATE INDEX streams_path ON streams(path);"
    "CREATE TABLE thumbnails(item INTEGER PRIMARY KEY, rgb BLOB NOT NULL);"
    "CREATE TABLE looks(item INTEGER PRIMARY KEY, grey BLOB NOT NULL);"
    "CREATE TABLE reasons(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);"
    "CREATE TABLE results(item INTEGER NOT NULL, model INTEGER NOT NULL, outcome INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, start_us INTEGER NOT NULL, time_us INTEGER NOT NULL, lane INTEGER NOT NULL,"
    " output BLOB,"
    " PRIMARY KEY(item, model)) WITHOUT ROWID;"
    "CREATE TABLE totals(id INTEGER PRIMARY KEY, items INTEGER NOT NULL, items_failed INTEGER NOT NULL,"
    " executed INTEGER NOT NULL, predicted INTEGER NOT NULL, reused INTEGER NOT NULL,"
    " skipped INTEGER NOT NULL, late INTEGER NOT NULL, failed INTEGER NOT NULL,"
    " deadline_missed INTEGER NOT NULL, spent_us INTEGER NOT NULL, runtime_us INTEGER NOT NULL,"
    " run_all_us INTEGER NOT NULL);"
    "INSERT INTO totals VALUES (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);";

/* ---- writing ---- */

static void bind_text(sqlite3_stmt *stmt, int i, const char *text)
{
    sqlite3_bind_text(stmt, i, text ? text : "", -1, SQLITE_STATIC);
}

static void bind_index(sqlite3_stmt *stmt, int i, int64_t index)
{
    if (index < 0) sqlite3_bind_null(stmt, i);
    else sqlite3_bind_int64(stmt, i, index);
}

static enum few_status write_pairs(const struct few__db *db, const char *const pairs[][2], size_t n,
                                   struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)", &stmt, err));
    enum few_status status = FEW_OK;
    for (size_t i = 0; i < n && status == FEW_OK; i++) {
        bind_text(stmt, 1, pairs[i][0]);
        bind_text(stmt, 2, pairs[i][1]);
        status = few__db_run(db, stmt, err);
    }
    sqlite3_finalize(stmt);
    return status;
}

/* A session is given items one by one and does not know how many will come; whoever started it does, and may say so in
 * the notes: {"items": 300}. */
static uint64_t planned_of(const struct few__store_new *what)
{
    if (what->items_planned || !what->notes_json) return what->items_planned;
    json_t *notes = json_loads(what->notes_json, 0, NULL);
    json_int_t n = json_integer_value(json_object_get(notes, "items"));
    json_decref(notes);
    return n > 0 ? (uint64_t)n : 0;
}

// What every process that writes to the file says anew.
static enum few_status write_writer(const struct few__db *db, const struct few__store_new *what,
                                    struct few_error *err)
{
    char planned[24], writer[24];
    snprintf(planned, sizeof planned, "%" PRIu64, planned_of(what));
    snprintf(writer, sizeof writer, "%ld", (long)getpid());
    const char *const pairs[][2] = {{"notes", what->notes_json ? what->notes_json : "{}"},
                                    {"items_planned", planned},
                                    {"writer", writer}};
    return write_pairs(db, pairs, sizeof pairs / sizeof *pairs, err);
}

static enum few_status write_meta(const struct few__db *db, const struct few__store_new *what,
                                  struct few_error *err)
{
    const char *const pairs[][2] = {{"purpose", what->purpose},
                                    {"zoo_path", what->zoo_path},
                                    {"zoo_digest", what->zoo_digest},
                                    {"config", what->config_json ? what->config_json : "{}"},
                                    {"fewer_version", FEW_VERSION}};
    FEW__TRY(write_pairs(db, pairs, sizeof pairs / sizeof *pairs, err));
    return write_writer(db, what, err);
}

enum few_status few__schema_renew(const struct few__db *db, const struct few__store_new *what,
                                  struct few_error *err)
{
    FEW__TRY(few__db_exec(db, "BEGIN IMMEDIATE", err));
    enum few_status status = write_writer(db, what, err);
    if (status == FEW_OK) status = few__db_exec(db, "COMMIT", err);
    if (status != FEW_OK) (void)few__db_exec(db, "ROLLBACK", NULL);
    return status;
}

static bool is_null(const struct few_model *model, size_t i)
{
    return model->is_null && model->is_null[i];
}

static bool same_list(const struct few_model *a, const struct few_model *b)
{
    if (a->n_labels != b->n_labels || strcmp(a->space, b->space) != 0) return false;
    for (size_t i = 0; i < a->n_labels; i++) {
        if (is_null(a, i) != is_null(b, i)) return false;
        if (a->labels[i] != b->labels[i] && strcmp(a->labels[i], b->labels[i]) != 0) return false;
    }
    return true;
}

// The first model with the list of model m; m itself if there is none before it, -1 if it has no list.
static int list_owner(const struct few_catalog *catalog, size_t m)
{
    if (catalog->models[m].n_labels == 0) return -1;
    size_t owner = 0;
    while (owner < m && !same_list(&catalog->models[owner], &catalog->models[m])) owner++;
    return (int)owner;
}

static enum few_status write_names(const struct few__db *db, int list, const struct few_model *model,
                                   sqlite3_stmt *stmt, struct few_error *err)
{
    for (size_t i = 0; i < model->n_labels; i++) {
        sqlite3_bind_int(stmt, 1, list);
        sqlite3_bind_int64(stmt, 2, (int64_t)i);
        bind_text(stmt, 3, model->labels[i]);
        sqlite3_bind_int(stmt, 4, is_null(model, i));
        FEW__TRY(few__db_run(db, stmt, err));
    }
    return FEW_OK;
}

// A list has the number of the first model that has it.
static enum few_status write_lists(const struct few__db *db, const struct few_catalog *catalog,
                                   struct few_error *err)
{
    sqlite3_stmt *lists = NULL, *names = NULL;
    enum few_status status = few__db_prepare(db, "INSERT INTO label_lists VALUES (?1, ?2, ?3)", &lists, err);
    if (status == FEW_OK)
        status = few__db_prepare(db, "INSERT INTO label_names VALUES (?1, ?2, ?3, ?4)", &names, err);
    for (size_t m = 0; m < catalog->n_models && status == FEW_OK; m++) {
        if (list_owner(catalog, m) != (int)m) continue;
        sqlite3_bind_int64(lists, 1, (int64_t)m);
        bind_text(lists, 2, catalog->models[m].space);
        sqlite3_bind_int64(lists, 3, (int64_t)catalog->models[m].n_labels);
        status = few__db_run(db, lists, err);
        if (status == FEW_OK) status = write_names(db, (int)m, &catalog->models[m], names, err);
    }
    sqlite3_finalize(lists);
    sqlite3_finalize(names);
    return status;
}

static void bind_model(sqlite3_stmt *stmt, const struct few_catalog *catalog, size_t m)
{
    const struct few_model *model = &catalog->models[m];
    sqlite3_bind_int64(stmt, 1, (int64_t)m);
    bind_text(stmt, 2, model->name);
    bind_text(stmt, 3, model->task);
    bind_text(stmt, 4, few_kind_name(model->kind));
    bind_text(stmt, 5, few_modality_name(model->modality));
    bind_index(stmt, 6, list_owner(catalog, m));
    sqlite3_bind_double(stmt, 7, (double)model->threshold);
    sqlite3_bind_double(stmt, 8, (double)model->empty);
    sqlite3_bind_double(stmt, 9, (double)model->tolerance);
    sqlite3_bind_double(stmt, 10, (double)model->priority);
    bind_index(stmt, 11, model->needs);
    bind_index(stmt, 12, model->variant_of);
    sqlite3_bind_int64(stmt, 13, model->cost.time_us);
    sqlite3_bind_int64(stmt, 14, (int64_t)model->cost.memory_bytes);
    sqlite3_bind_int64(stmt, 15, (int64_t)model->cost.weights_bytes);
    sqlite3_bind_int64(stmt, 16, model->cost.load_us);
    sqlite3_bind_int64(stmt, 17, model->cost.more_us);
    bind_text(stmt, 18, model->digest);
}

static enum few_status write_models(const struct few__db *db, const struct few_catalog *catalog,
                                    struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db,
                             "INSERT INTO models VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
                             " ?13, ?14, ?15, ?16, ?17, ?18)",
                             &stmt, err));
    enum few_status status = FEW_OK;
    for (size_t m = 0; m < catalog->n_models && status == FEW_OK; m++) {
        bind_model(stmt, catalog, m);
        status = few__db_run(db, stmt, err);
    }
    sqlite3_finalize(stmt);
    return status;
}

enum few_status few__schema_create(const struct few__db *db, const struct few__store_new *what,
                                   struct few_error *err)
{
    char marks[128];
    snprintf(marks, sizeof marks, "BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, FEW__STORE_VERSION);
    FEW__TRY(few__db_exec(db, marks, err));
    FEW__TRY(few__db_exec(db, tables, err));
    FEW__TRY(write_meta(db, what, err));
    FEW__TRY(write_lists(db, what->catalog, err));
    FEW__TRY(write_models(db, what->catalog, err));
    return few__db_exec(db, "COMMIT", err);
}

/* ---- reading ---- */

enum few_status few__schema_check(const struct few__db *db, struct few_error *err)
{
    int64_t id, version;
    FEW__TRY(few__db_int(db, "PRAGMA application_id", &id, err));
    if (id != APPLICATION_ID)
        return few__fail(err, FEW_ESTORE, "%s: expected a trace or run file, found %s", db->path,
                         id ? "another program's SQLite file" : "none of Fewer's");
    FEW__TRY(few__db_int(db, "PRAGMA user_version", &version, err));
    if (version != FEW__STORE_VERSION)
        return few__fail(
            err, FEW_EVERSION,
            "%s: expected version %d of the file, found %lld: another version of Fewer made it; make "
            "it again, or use that version",
            db->path, FEW__STORE_VERSION, (long long)version);
    return FEW_OK;
}

static enum few_status damaged(const struct few__db *db, const char *what, struct few_error *err)
{
    return few__fail(err, FEW_ESTORE, "%s: damaged: %s", db->path, what);
}

// A text column in the arena.
static enum few_status take_text(const struct few__db *db, sqlite3_stmt *stmt, int column,
                                 struct few__arena *arena, const char **out, struct few_error *err)
{
    *out = NULL;
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL) return damaged(db, "a text is missing", err);
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (text) *out = few__arena_strdup(arena, text);
    return *out ? FEW_OK : few__no_memory(err, db->path);
}

enum few_status few__schema_meta(const struct few__db *db, const char *key, struct few__arena *arena,
                                 const char **value, struct few_error *err)
{
    *value = "";
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db, "SELECT value FROM meta WHERE key = ?1", &stmt, err));
    bind_text(stmt, 1, key);
    enum few_status status = few__db_step(db, stmt, err);
    if (status == FEW_OK) status = take_text(db, stmt, 0, arena, value, err);
    sqlite3_finalize(stmt);
    return status == FEW_END ? FEW_OK : status;
}

static enum few_status read_names(const struct few__db *db, int64_t list, struct few__arena *arena,
                                  struct few__label_list *out, struct few_error *err)
{
    const char **names = FEW__ARENA_NEW(arena, const char *, out->n);
    const char **nulls = FEW__ARENA_NEW(arena, const char *, out->n);
    if (!names || !nulls) return few__no_memory(err, db->path);
    sqlite3_stmt *stmt;
    FEW__TRY(
        few__db_prepare(db, "SELECT name, is_null FROM label_names WHERE list = ?1 ORDER BY i", &stmt, err));
    sqlite3_bind_int64(stmt, 1, list);
    enum few_status status = FEW_OK;
    size_t n = 0;
    for (; n <= out->n && (status = few__db_step(db, stmt, err)) == FEW_OK; n++) {
        if (n == out->n || (status = take_text(db, stmt, 0, arena, &names[n], err)) != FEW_OK) break;
        if (sqlite3_column_int(stmt, 1)) nulls[out->n_null++] = names[n];
    }
    sqlite3_finalize(stmt);
    out->names = names;
    out->null_names = nulls;
    if (status == FEW_END && n == out->n) return FEW_OK;
    return status == FEW_OK || status == FEW_END ? damaged(db, "a label list has another length", err)
                                                 : status;
}

// lists: (n_models,), a list at the place of the first model that has it; n = 0 where there is none.
static enum few_status read_lists(const struct few__db *db, size_t n_models, struct few__arena *arena,
                                  struct few__label_list *lists, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db, "SELECT id, space, n FROM label_lists ORDER BY id", &stmt, err));
    enum few_status status;
    while ((status = few__db_step(db, stmt, err)) == FEW_OK) {
        int64_t id = sqlite3_column_int64(stmt, 0), n = sqlite3_column_int64(stmt, 2);
        if (id < 0 || (uint64_t)id >= n_models || n < 1 || n > FEW_LABELS_MAX) {
            status = damaged(db, "a label list that cannot be", err);
            break;
        }
        lists[id].n = (size_t)n;
        if ((status = take_text(db, stmt, 1, arena, &lists[id].space, err)) != FEW_OK) break;
        if ((status = read_names(db, id, arena, &lists[id], err)) != FEW_OK) break;
    }
    sqlite3_finalize(stmt);
    return status == FEW_END ? FEW_OK : status;
}

static int index_at(sqlite3_stmt *stmt, int column)
{
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? -1 : sqlite3_column_int(stmt, column);
}

// Everything but the labels. n_models bounds what it may refer to.
static enum few_status take_model(const struct few__db *db, sqlite3_stmt *stmt, int n_models,
                                  struct few__arena *arena, struct few_model *out, struct few_error *err)
{
    const char *kind, *modality, *digest;
    FEW__TRY(take_text(db, stmt, 1, arena, &out->name, err));
    FEW__TRY(take_text(db, stmt, 2, arena, &out->task, err));
    FEW__TRY(take_text(db, stmt, 3, arena, &kind, err));
    FEW__TRY(take_text(db, stmt, 4, arena, &modality, err));
    FEW__TRY(take_text(db, stmt, 17, arena, &digest, err));
    out->kind = few_kind_parse(kind);
    out->modality = few_modality_parse(modality);
    out->threshold = (float)sqlite3_column_double(stmt, 6);
    out->empty = (float)sqlite3_column_double(stmt, 7);
    out->tolerance = (float)sqlite3_column_double(stmt, 8);
    out->priority = (float)sqlite3_column_double(stmt, 9);
    out->needs = index_at(stmt, 10);
    out->variant_of = index_at(stmt, 11);
    out->cost.time_us = sqlite3_column_int64(stmt, 12);
    out->cost.memory_bytes = (uint64_t)sqlite3_column_int64(stmt, 13);
    out->cost.weights_bytes = (uint64_t)sqlite3_column_int64(stmt, 14);
    out->cost.load_us = sqlite3_column_int64(stmt, 15);
    out->cost.more_us = sqlite3_column_int64(stmt, 16);
    snprintf(out->digest, sizeof out->digest, "%s", digest);
    if (out->kind == FEW_KIND_COUNT) return damaged(db, "a model of no kind", err);
    if (out->modality == FEW_MODALITY_COUNT) return damaged(db, "a model that looks at nothing", err);
    if (out->needs < -1 || out->needs >= n_models || out->variant_of < -1 || out->variant_of >= n_models)
        return damaged(db, "a model that refers to none", err);
    return FEW_OK;
}

static enum few_status read_models(const struct few__db *db, size_t n_models,
                                   const struct few__label_list *lists, struct few__arena *scratch,
                                   struct few__catalog_builder *builder, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db, "SELECT * FROM models ORDER BY id", &stmt, err));
    enum few_status status = FEW_OK;
    for (size_t m = 0; m < n_models && status == FEW_OK; m++) {
        struct few_model model = {0};
        status = few__db_step(db, stmt, err);
        if (status == FEW_OK && sqlite3_column_int64(stmt, 0) != (int64_t)m)
            status = damaged(db, "models are missing", err);
        if (status == FEW_OK) status = take_model(db, stmt, (int)n_models, scratch, &model, err);
        if (status != FEW_OK) break;
        int list = index_at(stmt, 5);
        if (list < -1 || list >= (int)n_models || (list >= 0 && lists[list].n == 0))
            status = damaged(db, "a model whose label list is missing", err);
        if (status == FEW_OK) status = few__catalog_add(builder, &model, list < 0 ? NULL : &lists[list], err);
    }
    sqlite3_finalize(stmt);
    return status == FEW_END ? damaged(db, "models are missing", err) : status;
}

static enum few_status rebuild(const struct few__db *db, size_t n_models, struct few__arena *scratch,
                               struct few__arena *arena, struct few_catalog *catalog, struct few_error *err)
{
    struct few__label_list *lists = FEW__ARENA_NEW(scratch, struct few__label_list, n_models);
    struct few__catalog_builder *builder = few__catalog_begin(arena, n_models);
    if (!lists || !builder) return few__no_memory(err, db->path);
    FEW__TRY(read_lists(db, n_models, scratch, lists, err));
    FEW__TRY(read_models(db, n_models, lists, scratch, builder, err));
    return few__catalog_end(builder, catalog, err);
}

enum few_status few__schema_catalog(const struct few__db *db, struct few__arena *arena,
                                    struct few_catalog *catalog, struct few_error *err)
{
    int64_t n_models;
    FEW__TRY(few__db_int(db, "SELECT count(*) FROM models", &n_models, err));
    if (n_models > FEW_MODELS_MAX) return damaged(db, "too many models", err);
    struct few__arena scratch;
    few__arena_init(&scratch, arena->mem, SCRATCH_MAX);
    enum few_status status = rebuild(db, (size_t)n_models, &scratch, arena, catalog, err);
    few__arena_finish(&scratch);
    return status;
}

/* ---- totals ---- */

// One statement, so that all of it is of the same moment while somebody writes.
static const char ask_totals[] =
    "SELECT items, items_failed, executed, predicted, reused, skipped, late, failed, deadline_missed, "
    "spent_us,"
    " runtime_us, run_all_us, (SELECT coalesce(max(id) + 1, 0) FROM items),"
    " (SELECT coalesce(max(id) + 1, 0) FROM streams) FROM totals";

enum few_status few__schema_totals(const struct few__db *db, size_t n_models, struct few__totals *totals,
                                   int64_t *n_streams, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db, ask_totals, &stmt, err));
    enum few_status status = few__db_step(db, stmt, err);
    if (status == FEW_OK) {
        uint64_t n_cells = 0;
        *totals = (struct few__totals){.items = (uint64_t)sqlite3_column_int64(stmt, 0),
                                       .items_failed = (uint64_t)sqlite3_column_int64(stmt, 1),
                                       .deadline_missed = (uint64_t)sqlite3_column_int64(stmt, 8),
                                       .spent_us = sqlite3_column_int64(stmt, 9),
                                       .runtime_us = sqlite3_column_int64(stmt, 10),
                                       .run_all_us = sqlite3_column_int64(stmt, 11)};
        for (int i = 0; i < FEW_OUTCOME_COUNT; i++)
            n_cells += totals->counts[i] = (uint64_t)sqlite3_column_int64(stmt, 2 + i);
        bool fits = totals->items == (uint64_t)sqlite3_column_int64(stmt, 12) && totals->items <= INT64_MAX &&
                    n_cells == totals->items * n_models && totals->items_failed <= totals->items &&
                    totals->deadline_missed <= totals->items;
        *n_streams = sqlite3_column_int64(stmt, 13);
        if (*n_streams < 0 || *n_streams > FEW__STREAMS_MAX)
            status = damaged(db, "streams that cannot be", err);
        if (!fits) status = damaged(db, "the totals are not those of the items", err);
    }
    sqlite3_finalize(stmt);
    return status == FEW_END ? damaged(db, "the totals are missing", err) : status;
}
