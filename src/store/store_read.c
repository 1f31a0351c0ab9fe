// SPDX-License-Identifier: Apache-2.0
/* Reading a store: item by item, or one that is asked for. What is handed out lies in an arena that the next read
 * empties, so that no statement stays open between reads but that of the walk. */
#include "store/store_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

/* ---- cells ---- */

static enum few_status reason_text(struct few__store *store, int64_t id, const char **text,
                                   struct few_error *err)
{
    struct few__reason *slot = &store->reasons[(uint64_t)id % FEW__REASON_SLOTS];
    if (slot->id != id || id == 0) {
        sqlite3_stmt *get;
        FEW__TRY(few__store_statement(store, FEW__GET_REASON, &get, err));
        sqlite3_bind_int64(get, 1, id);
        enum few_status status = few__db_step(&store->db, get, err);
        if (status == FEW_END)
            return few__fail(err, FEW_ESTORE, "%s: damaged: a reason is missing", store->path);
        if (status != FEW_OK) return status;
        const char *found = (const char *)sqlite3_column_text(get, 0);
        *text = found ? few__arena_strdup(&store->row, found) : NULL;
        if (*text) few__reason_remember(slot, id, *text);
        sqlite3_reset(get);
    } else {
        *text = few__arena_strdup(&store->row, slot->text);
    }
    return *text ? FEW_OK : few__no_memory(err, store->path);
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
                               .time_us = sqlite3_column_int64(stmt, 4),
                               .lane = sqlite3_column_int(stmt, 5)};
    FEW__TRY(reason_text(store, sqlite3_column_int64(stmt, 2), &cell->reason, err));
    if (!store->with_outputs || sqlite3_column_type(stmt, 6) == SQLITE_NULL) return FEW_OK;
    return take_blob(store, stmt, 6, &cell->output, &cell->n_output, err);
}

static enum few_status take_cells(struct few__store *store, int64_t item, struct few__cell *cells,
                                  struct few_error *err)
{
    sqlite3_stmt *stmt;
    size_t n_models = store->catalog.n_models;
    FEW__TRY(
        few__store_statement(store, store->with_outputs ? FEW__GET_OUTPUTS : FEW__GET_CELLS, &stmt, err));
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
    FEW__TRY(few__store_statement(store, FEW__GET_THUMBNAIL, &stmt, err));
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

static enum few_status take_look(struct few__store *store, struct few__item_row *item, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__GET_LOOK, &stmt, err));
    sqlite3_bind_int64(stmt, 1, item->id);
    enum few_status status = few__db_step(&store->db, stmt, err);
    if (status != FEW_OK) return status == FEW_END ? FEW_OK : status;
    uint8_t *look = few__arena_alloc(&store->row, FEW__STORE_LOOK, 1);
    const void *packed = sqlite3_column_blob(stmt, 0);
    size_t n = (size_t)sqlite3_column_bytes(stmt, 0);
    if (!look || (!packed && n)) status = FEW_ENOMEM;
    else status = few__look_unpack(&store->packer, packed, n, look);
    sqlite3_reset(stmt);
    item->look = status == FEW_OK ? look : NULL;
    if (status == FEW_ENOMEM) return few__no_memory(err, store->path);
    return status == FEW_OK ? FEW_OK : damaged(store, item->id, err);
}

/* ---- items ---- */

static const char *take_text(struct few__store *store, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? few__arena_strdup(&store->row, text) : NULL;
}

static enum few_status take_item(struct few__store *store, sqlite3_stmt *stmt, struct few__item_row *item,
                                 struct few_error *err)
{
    *item = (struct few__item_row){.id = sqlite3_column_int64(stmt, 0),
                                   .path = take_text(store, stmt, 1),
                                   .digest = take_text(store, stmt, 2),
                                   .size = (uint64_t)sqlite3_column_int64(stmt, 3),
                                   .mtime_us = sqlite3_column_int64(stmt, 4),
                                   .width = sqlite3_column_int(stmt, 5),
                                   .height = sqlite3_column_int(stmt, 6),
                                   .decode_us = sqlite3_column_int64(stmt, 7),
                                   .elapsed_us = sqlite3_column_int64(stmt, 8),
                                   .runtime_us = sqlite3_column_int64(stmt, 9),
                                   .run_all_us = sqlite3_column_int64(stmt, 10),
                                   .deadline_missed = sqlite3_column_int(stmt, 11) != 0,
                                   .status = (enum few_status)sqlite3_column_int(stmt, 12),
                                   .message = take_text(store, stmt, 13),
                                   .stream = -1,
                                   .at_us = sqlite3_column_int64(stmt, 15),
                                   .until_us = sqlite3_column_int64(stmt, 16),
                                   .age_us = sqlite3_column_int64(stmt, 17)};
    if (sqlite3_column_type(stmt, 14) != SQLITE_NULL) {
        item->stream = sqlite3_column_int64(stmt, 14);
        if (item->stream < 0 || item->stream >= store->n_streams) return damaged(store, item->id, err);
    }
    if (item->path && item->digest && item->message) return FEW_OK;
    for (int column = 1; column < 14;
         column++) // a text that is missing, or one for which there was no memory
        if (sqlite3_column_type(stmt, column) == SQLITE_NULL) return damaged(store, item->id, err);
    return few__no_memory(err, store->path);
}

static enum few_status take_rest(struct few__store *store, struct few__item_row *item,
                                 struct few__cell *cells, struct few_error *err)
{
    FEW__TRY(take_cells(store, item->id, cells, err));
    if (!store->with_outputs) return FEW_OK;
    FEW__TRY(take_thumbnail(store, item, err));
    return take_look(store, item, err);
}

enum few_status few__store_rewind(struct few__store *store, bool with_outputs, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__GET_ITEMS, &stmt, err));
    sqlite3_reset(stmt);
    store->with_outputs = with_outputs;
    return FEW_OK;
}

// One who reads has the items, and so the streams, that there were when it opened the file.
static bool is_later(const struct few__store *store, int64_t id)
{
    return !store->writing && (uint64_t)id >= store->totals.items;
}

enum few_status few__store_next(struct few__store *store, struct few__item_row *item, struct few__cell *cells,
                                struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__GET_ITEMS, &stmt, err));
    few__arena_reset(&store->row);
    FEW__TRY(few__db_step(&store->db, stmt, err));
    if (is_later(store, sqlite3_column_int64(stmt, 0))) {
        sqlite3_reset(stmt);
        return FEW_END;
    }
    FEW__TRY(take_item(store, stmt, item, err));
    return take_rest(store, item, cells, err);
}

enum few_status few__store_get(struct few__store *store, int64_t id, struct few__item_row *item,
                               struct few__cell *cells, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__GET_ITEM, &stmt, err));
    few__arena_reset(&store->row);
    if (is_later(store, id)) return FEW_END;
    sqlite3_bind_int64(stmt, 1, id);
    FEW__TRY(few__db_step(&store->db, stmt, err));
    enum few_status status = take_item(store, stmt, item, err);
    sqlite3_reset(stmt);
    if (status != FEW_OK) return status;
    bool walking_with = store->with_outputs;
    store->with_outputs = true;
    status = take_rest(store, item, cells, err);
    store->with_outputs = walking_with;
    return status;
}

/* ---- looking up ---- */

static enum few_status find(struct few__store *store, enum few__statement which, const char *key,
                            struct few__known *known, struct few_error *err)
{
    sqlite3_stmt *stmt;
    *known = (struct few__known){.id = -1};
    FEW__TRY(few__store_begin_reading(store, err));
    FEW__TRY(few__store_statement(store, which, &stmt, err));
    sqlite3_bind_text(stmt, 1, key, -1, SQLITE_STATIC);
    FEW__TRY(few__db_step(&store->db, stmt, err));
    const char *digest = (const char *)sqlite3_column_text(stmt, 1);
    enum few_status status = digest ? FEW_OK : few__db_fail(&store->db, err);
    known->id = sqlite3_column_int64(stmt, 0);
    snprintf(known->digest, sizeof known->digest, "%s", digest ? digest : "");
    known->size = (uint64_t)sqlite3_column_int64(stmt, 2);
    known->mtime_us = sqlite3_column_int64(stmt, 3);
    known->failed = sqlite3_column_int(stmt, 4) != 0;
    known->late = sqlite3_column_int(stmt, 5) != 0;
    sqlite3_reset(stmt);
    return status;
}

enum few_status few__store_find_path(struct few__store *store, const char *path, struct few__known *known,
                                     struct few_error *err)
{
    return find(store, FEW__FIND_PATH, path, known, err);
}

enum few_status few__store_find_digest(struct few__store *store, const char *digest, struct few__known *known,
                                       struct few_error *err)
{
    return find(store, FEW__FIND_DIGEST, digest, known, err);
}

enum few_status few__store_next_failed(struct few__store *store, int64_t after, int64_t *id,
                                       const char **path, struct few_error *err)
{
    sqlite3_stmt *stmt;
    *id = -1;
    *path = NULL;
    FEW__TRY(few__store_statement(store, FEW__FIND_FAILED, &stmt, err));
    few__arena_reset(&store->row);
    sqlite3_bind_int64(stmt, 1, after);
    FEW__TRY(few__db_step(&store->db, stmt, err));
    *id = sqlite3_column_int64(stmt, 0);
    *path = take_text(store, stmt, 1);
    sqlite3_reset(stmt);
    return *path ? FEW_OK : few__no_memory(err, store->path);
}
