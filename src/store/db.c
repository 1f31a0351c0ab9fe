// SPDX-License-Identifier: Apache-2.0
/* SQLite underneath the store. While it is written, a file is in WAL mode: a commit is one sequential write, a
 * reader may look on, and a killed process leaves a log that the next one to open the file finishes. A file at rest
 * is put back into the ordinary mode, so that it is one file and can be read from a folder that cannot be written. */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fewer/items.h>

#include "core/error.h"

enum { BUSY_MS = 5000, COMPANION_ROOM = FEW_PATH_MAX + 16 };

static const char *const companions[] = {"", "-wal", "-shm", "-journal"};

enum few_status few__db_fail(const struct few__db *db, struct few_error *err)
{
    int code = db->sql ? sqlite3_errcode(db->sql) & 0xff : SQLITE_NOMEM;
    if (code == SQLITE_NOMEM) return few__no_memory(err, db->path);
    if (code == SQLITE_NOTADB)
        return few__fail(err, FEW_ESTORE, "%s: expected a trace or run file, found something else", db->path);
    if (code == SQLITE_FULL) return few__fail(err, FEW_ESTORE, "%s: no room left on the disk", db->path);
    int sys = sqlite3_system_errno(db->sql);
    if (sys && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)) {
        errno = sys;
        return few__fail_sys(err, FEW_ESTORE, "%s: %s", db->path, sqlite3_errmsg(db->sql));
    }
    return few__fail(err, FEW_ESTORE, "%s: %s", db->path, sqlite3_errmsg(db->sql));
}

enum few_status few__db_exec(const struct few__db *db, const char *sql, struct few_error *err)
{
    return sqlite3_exec(db->sql, sql, NULL, NULL, NULL) == SQLITE_OK ? FEW_OK : few__db_fail(db, err);
}

enum few_status few__db_prepare(const struct few__db *db, const char *sql, sqlite3_stmt **stmt,
                                struct few_error *err)
{
    int code = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);
    return code == SQLITE_OK ? FEW_OK : few__db_fail(db, err);
}

enum few_status few__db_step(const struct few__db *db, sqlite3_stmt *stmt, struct few_error *err)
{
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) return FEW_OK;
    enum few_status status = code == SQLITE_DONE ? FEW_END : few__db_fail(db, err);
    sqlite3_reset(stmt);
    return status;
}

enum few_status few__db_run(const struct few__db *db, sqlite3_stmt *stmt, struct few_error *err)
{
    enum few_status status = few__db_step(db, stmt, err);
    if (status == FEW_OK) sqlite3_reset(stmt);
    return status == FEW_END ? FEW_OK : status;
}

enum few_status few__db_int(const struct few__db *db, const char *sql, int64_t *value, struct few_error *err)
{
    *value = 0;
    sqlite3_stmt *stmt;
    FEW__TRY(few__db_prepare(db, sql, &stmt, err));
    enum few_status status = few__db_step(db, stmt, err);
    if (status == FEW_OK) *value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return status == FEW_END ? FEW_OK : status;
}

// SQLite gives a meaning to names such as ":memory:" and "file:..."; a folder in front takes it away.
static enum few_status connect(struct few__db *db, const char *path, struct few_error *err)
{
    char name[COMPANION_ROOM];
    *db = (struct few__db){.path = path};
    if (strlen(path) > FEW_PATH_MAX)
        return few__fail(err, FEW_ELIMIT, "expected a path of at most %d bytes, found %zu", FEW_PATH_MAX,
                         strlen(path));
    snprintf(name, sizeof name, "%s%s", path[0] == '/' ? "" : "./", path);
    int code = sqlite3_open_v2(name, &db->sql, SQLITE_OPEN_READWRITE, NULL);
    if (code != SQLITE_OK) {
        enum few_status status = few__db_fail(db, err);
        few__db_close(db);
        return status;
    }
    sqlite3_busy_timeout(db->sql, BUSY_MS);
    return FEW_OK;
}

void few__db_close(struct few__db *db)
{
    sqlite3_close(db->sql);
    db->sql = NULL;
}

/* A file that is being written is in WAL mode, and SQLite refuses to leave that mode while somebody else has it
 * open. Removing it all the same would let its writer remove the new file's log at its end. */
static enum few_status check_unused(const char *path, struct few_error *err)
{
    struct few__db db;
    if (connect(&db, path, NULL) != FEW_OK) return FEW_OK;
    sqlite3_busy_timeout(db.sql, 0);
    int code = sqlite3_exec(db.sql, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    few__db_close(&db);
    if (code != SQLITE_BUSY) return FEW_OK;
    return few__fail(err, FEW_ESTORE, "%s: cannot be replaced, another process is writing to it", path);
}

enum few_status few__db_remove(const char *path, struct few_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0) {
        if (!S_ISREG(st.st_mode))
            return few__fail(err, FEW_EIO, "%s: expected a file that can be replaced, found %s", path,
                             S_ISDIR(st.st_mode) ? "a folder" : "something else");
        FEW__TRY(check_unused(path, err));
    }
    char name[COMPANION_ROOM];
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
        if (snprintf(name, sizeof name, "%s%s", path, companions[i]) < (int)sizeof name) unlink(name);
    return FEW_OK;
}

enum few_status few__db_create(struct few__db *db, const char *path, bool overwrite, struct few_error *err)
{
    *db = (struct few__db){.path = path};
    if (overwrite) FEW__TRY(few__db_remove(path, err));
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) return few__fail(err, FEW_EEXIST, "%s: exists already", path);
    if (fd < 0) return few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
    close(fd);
    enum few_status status = connect(db, path, err);
    if (status == FEW_OK)
        status = few__db_exec(
            db, "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = OFF", err);
    if (status == FEW_OK) return FEW_OK;
    few__db_close(db);
    (void)few__db_remove(path, NULL);
    return status;
}

enum few_status few__db_log(struct few__db *db, struct few_error *err)
{
    return few__db_exec(db, "PRAGMA synchronous = NORMAL; PRAGMA journal_mode = WAL", err);
}

enum few_status few__db_open(struct few__db *db, const char *path, struct few_error *err)
{
    *db = (struct few__db){.path = path};
    struct stat st;
    if (stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
        return few__fail(err, FEW_ENOENT, "%s: not found", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return few__fail(err, FEW_ESTORE, "%s: expected a trace or run file, found %s", path,
                         S_ISDIR(st.st_mode) ? "a folder" : "something else");
    FEW__TRY(connect(db, path, err));
    // Opened for writing as well, so that the log of a killed process can be finished; then for reading only.
    enum few_status status = few__db_exec(
        db, "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", err);
    if (status != FEW_OK) few__db_close(db);
    return status;
}

enum few_status few__db_settle(struct few__db *db, struct few_error *err)
{
    sqlite3_busy_timeout(db->sql, 0);
    int code = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code == SQLITE_BUSY)
        return FEW_OK; // a reader is still there: whoever is last to close finishes the log
    if (code != SQLITE_OK) return few__db_fail(db, err);
    code = sqlite3_exec(db->sql, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_BUSY ? FEW_OK : few__db_fail(db, err);
}
