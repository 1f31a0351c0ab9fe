// SPDX-License-Identifier: Apache-2.0
// SQLite as the store uses it: open, run, step; every error names the file.
#ifndef FEW_STORE_DB_H
#define FEW_STORE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include <fewer/status.h>

#include "store/lock.h"

struct few__db { // stays where it is while it is open
    sqlite3 *sql;
    const char *path; // borrowed; as the user wrote it
    struct few__lock lock;
    bool unfinished; // made, not published yet
};

/* A new empty database in a file of another name beside path, "-new" behind it, so that one killed here leaves nothing
 * at path. Errors: FEW_EEXIST; FEW_EIO it cannot be created there; FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__db_create(struct few__db *db, const char *path, bool overwrite, struct few_error *err);

/* The tables are there: put it at its path, in one step, and write from now on into a log (few__db_log).
 * Errors: FEW_EEXIST; FEW_EIO; FEW_ESTORE, also when somebody is writing to the file that would be replaced. */
enum few_status few__db_publish(struct few__db *db, bool overwrite, struct few_error *err);

/* Close and remove what few__db_create began. */
void few__db_abandon(struct few__db *db);

/* Write into a log (WAL mode), on the disk at each checkpoint. Errors: FEW_ESTORE. */
enum few_status few__db_log(struct few__db *db, struct few_error *err);

/* An existing file, to read it, or to write to it too.
 * Errors: FEW_ENOENT, FEW_ESTORE, FEW_ENOMEM; writing: FEW_AGAIN somebody else does. */
enum few_status few__db_open(struct few__db *db, const char *path, bool writing, struct few_error *err);

/* Statements must be finalized. */
void few__db_close(struct few__db *db);

/* Bytes on the disk: of the log; of the file and its log. */
uint64_t few__db_log_bytes(const struct few__db *db);
uint64_t few__db_bytes(const struct few__db *db);

/* Everything from the log into the file, the log emptied; a reader may prevent that. Errors: FEW_ESTORE. */
enum few_status few__db_checkpoint(struct few__db *db, struct few_error *err);

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
