// SPDX-License-Identifier: Apache-2.0
/* The streams of a store: rows that are written and undone together with the items that came with them. They are numbered
 * as they come, without gaps. */
#include "store/store_inside.h"

#include <inttypes.h>
#include <math.h>

#include "core/error.h"

/* ---- writing ---- */

static const char *or_(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

static void bind_row(sqlite3_stmt *stmt, int64_t id, const struct few__stream_row *row)
{
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_text(stmt, 2, or_(row->path, ""), -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, or_(row->options, "{}"), -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 4, (int64_t)row->size);
    sqlite3_bind_int64(stmt, 5, row->mtime_us);
    sqlite3_bind_int(stmt, 6, row->is_live);
    sqlite3_bind_int(stmt, 7, row->width);
    sqlite3_bind_int(stmt, 8, row->height);
    sqlite3_bind_double(stmt, 9, isfinite(row->fps) ? row->fps : 0); // SQLite would make a NaN NULL
    sqlite3_bind_int64(stmt, 10, row->duration_us);
    sqlite3_bind_int64(stmt, 11, (int64_t)row->n_in);
    sqlite3_bind_int64(stmt, 12, (int64_t)row->n_analysed);
    sqlite3_bind_int64(stmt, 13, (int64_t)row->n_reused);
    sqlite3_bind_int64(stmt, 14, (int64_t)row->n_dropped);
    sqlite3_bind_int64(stmt, 15, (int64_t)row->n_failed);
    sqlite3_bind_int64(stmt, 16, (int64_t)row->n_damaged);
    sqlite3_bind_int64(stmt, 17, (int64_t)row->n_reconnects);
    sqlite3_bind_int64(stmt, 18, row->last_us);
    sqlite3_bind_int64(stmt, 19, row->newest_age_us);
    sqlite3_bind_int(stmt, 20, row->ended);
    sqlite3_bind_text(stmt, 21, or_(row->message, ""), -1, SQLITE_STATIC);
}

enum few_status few__store_put_stream(struct few__store *store, struct few__stream_row *row,
                                      struct few_error *err)
{
    sqlite3_stmt *stmt;
    int64_t id = row->id < 0 ? store->n_streams : row->id;
    if (row->id >= store->n_streams)
        return few__fail(err, FEW_ENOENT, "%s: has no stream %" PRId64, store->path, row->id);
    if (id >= FEW__STREAMS_MAX)
        return few__fail(err, FEW_ELIMIT, "%s: expected at most %d streams, found one more", store->path,
                         FEW__STREAMS_MAX);
    FEW__TRY(few__store_begin(store, err));
    FEW__TRY(few__store_statement(store, FEW__PUT_STREAM, &stmt, err));
    bind_row(stmt, id, row);
    enum few_status status = few__db_run(&store->db, stmt, err);
    if (status != FEW_OK) {
        (void)few__store_check_alive(store, NULL);
        return status;
    }
    if (id == store->n_streams) store->n_streams++;
    row->id = id;
    store->n_renewed++;
    return few__store_commit_due(store, err);
}

/* ---- reading ---- */

static const char *take_text(struct few__store *store, sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? few__arena_strdup(&store->row, text) : NULL;
}

static enum few_status take_row(struct few__store *store, sqlite3_stmt *stmt, struct few__stream_row *row,
                                struct few_error *err)
{
    *row = (struct few__stream_row){.id = sqlite3_column_int64(stmt, 0),
                                    .path = take_text(store, stmt, 1),
                                    .options = take_text(store, stmt, 2),
                                    .size = (uint64_t)sqlite3_column_int64(stmt, 3),
                                    .mtime_us = sqlite3_column_int64(stmt, 4),
                                    .is_live = sqlite3_column_int(stmt, 5) != 0,
                                    .width = sqlite3_column_int(stmt, 6),
                                    .height = sqlite3_column_int(stmt, 7),
                                    .fps = sqlite3_column_double(stmt, 8),
                                    .duration_us = sqlite3_column_int64(stmt, 9),
                                    .n_in = (uint64_t)sqlite3_column_int64(stmt, 10),
                                    .n_analysed = (uint64_t)sqlite3_column_int64(stmt, 11),
                                    .n_reused = (uint64_t)sqlite3_column_int64(stmt, 12),
                                    .n_dropped = (uint64_t)sqlite3_column_int64(stmt, 13),
                                    .n_failed = (uint64_t)sqlite3_column_int64(stmt, 14),
                                    .n_damaged = (uint64_t)sqlite3_column_int64(stmt, 15),
                                    .n_reconnects = (uint64_t)sqlite3_column_int64(stmt, 16),
                                    .last_us = sqlite3_column_int64(stmt, 17),
                                    .newest_age_us = sqlite3_column_int64(stmt, 18),
                                    .ended = sqlite3_column_int(stmt, 19) != 0,
                                    .message = take_text(store, stmt, 20)};
    if (row->path && row->options && row->message) return FEW_OK;
    for (int column = 1; column < 21; column++)
        if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
            return few__fail(err, FEW_ESTORE, "%s: damaged: stream %" PRId64 " is not whole", store->path,
                             row->id);
    return few__no_memory(err, store->path);
}

// The row that the statement, bound, gives.
static enum few_status get(struct few__store *store, sqlite3_stmt *stmt, struct few__stream_row *row,
                           struct few_error *err)
{
    FEW__TRY(few__db_step(&store->db, stmt, err));
    enum few_status status = take_row(store, stmt, row, err);
    sqlite3_reset(stmt);
    return status;
}

enum few_status few__store_find_stream(struct few__store *store, const char *path,
                                       struct few__stream_row *row, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_begin_reading(store, err));
    FEW__TRY(few__store_statement(store, FEW__FIND_STREAM, &stmt, err));
    few__arena_reset(&store->row);
    sqlite3_bind_text(stmt, 1, path, -1, SQLITE_STATIC);
    return get(store, stmt, row, err);
}

enum few_status few__store_get_stream(struct few__store *store, int64_t id, struct few__stream_row *row,
                                      struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_begin_reading(store, err));
    FEW__TRY(few__store_statement(store, FEW__GET_STREAM, &stmt, err));
    few__arena_reset(&store->row);
    sqlite3_bind_int64(stmt, 1, id);
    return get(store, stmt, row, err);
}

enum few_status few__store_count_moments(struct few__store *store, int64_t stream, int64_t before_us,
                                         uint64_t *n, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_begin_reading(store, err));
    FEW__TRY(few__store_statement(store, FEW__COUNT_MOMENTS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, stream);
    sqlite3_bind_int64(stmt, 2, before_us);
    FEW__TRY(few__db_step(&store->db, stmt, err));
    *n = (uint64_t)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return FEW_OK;
}
