// SPDX-License-Identifier: Apache-2.0
// SQLite as the store uses it: open, run, step; every error names the file.
#ifndef FEW_STORE_DB_H
#define FEW_STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include <fewer/status.h>

struct few__db {
    sqlite3 *sql;
    const char *path; // borrowed; as the user wrote it
};

/* A new empty database that waits for no disk until few__db_log, so that one killed here hardly ever leaves a file
 * without tables. Errors: FEW_EEXIST; FEW_EIO it cannot be created there; FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__db_create(struct few__db *db, const char *path, bool overwrite, struct few_error *err);

/* The tables are there: from now on into a log (WAL mode), on the disk at each checkpoint. Errors: FEW_ESTORE. */
enum few_status few__db_log(struct few__db *db, struct few_error *err);

/* An existing file, for reading. Errors: FEW_ENOENT, FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__db_open(struct few__db *db, const char *path, struct few_error *err);

/* Statements must be finalized. */
void few__db_close(struct few__db *db);

/* After commit: everything into the one file, nothing beside it. Errors: FEW_ESTORE. */
enum few_status few__db_settle(struct few__db *db, struct few_error *err);

/* Remove the file and its companions; none there is no error.
 * Errors: FEW_EIO it is not a file; FEW_ESTORE somebody is writing to it. */
enum few_status few__db_remove(const char *path, struct few_error *err);

/* FEW_ESTORE (FEW_ENOMEM) with the path and what SQLite said last. */
enum few_status few__db_fail(const struct few__db *db, struct few_error *err);

enum few_status few__db_exec(const struct few__db *db, const char *sql, struct few_error *err);
enum few_status few__db_prepare(const struct few__db *db, const char *sql, sqlite3_stmt **stmt,
                                struct few_error *err);

/* FEW_OK: a row is there; FEW_END: no more, the statement is reset. */
enum few_status few__db_step(const struct few__db *db, sqlite3_stmt *stmt, struct few_error *err);

/* Run a statement that gives no rows. It is reset, whatever happens. */
enum few_status few__db_run(const struct few__db *db, sqlite3_stmt *stmt, struct few_error *err);

/* The first number that a query gives; 0 if it gives none. */
enum few_status few__db_int(const struct few__db *db, const char *sql, int64_t *value, struct few_error *err);

#endif
