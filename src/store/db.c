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

static const char *const companions[] = {"-wal", "-shm", "-journal"};
static const char unfinished[] = "-new";

enum few_status few__db_fail(const struct few__db *db, struct few_error *err)
{
    int code = db->sql ? sqlite3_errcode(db->sql) & 0xff : SQLITE_NOMEM;
    bool no_memory = code == SQLITE_NOMEM || sqlite3_extended_errcode(db->sql) == SQLITE_IOERR_NOMEM;
    if (no_memory) return few__no_memory(err, db->path);
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

/* ---- opening ---- */

// "PATH" or "PATH-new".
static enum few_status name_of(const char *path, const char *behind, char name[COMPANION_ROOM],
                               struct few_error *err)
{
    int n = snprintf(name, COMPANION_ROOM, "%s%s", path, behind);
    if (*path && n < COMPANION_ROOM) return FEW_OK;
    errno = *path ? ENAMETOOLONG : ENOENT;
    return few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
}

// SQLite gives a meaning to names such as ":memory:" and "file:..."; a folder in front takes it away.
static enum few_status connect(struct few__db *db, const char *name, struct few_error *err)
{
    char full[COMPANION_ROOM + 2];
    int n = snprintf(full, sizeof full, "%s%s", name[0] == '/' ? "" : "./", name);
    if (n >= (int)sizeof full)
        return few__fail(err, FEW_ELIMIT, "expected a path of at most %d bytes, found %zu", FEW_PATH_MAX,
                         strlen(name));
    int code = sqlite3_open_v2(full, &db->sql, SQLITE_OPEN_READWRITE, NULL);
    if (code == SQLITE_OK) {
        sqlite3_busy_timeout(db->sql, BUSY_MS);
        return FEW_OK;
    }
    enum few_status status = few__db_fail(db, err);
    sqlite3_close(db->sql);
    db->sql = NULL;
    return status;
}

void few__db_close(struct few__db *db)
{
    sqlite3_close(db->sql);
    db->sql = NULL;
    few__lock_close(&db->lock);
}

enum few_status few__db_open(struct few__db *db, const char *path, bool writing, struct few_error *err)
{
    *db = (struct few__db){.path = path};
    FEW__TRY(few__lock_open(&db->lock, path, writing, err));
    enum few_status status = connect(db, path, err);
    // Opened for writing in any case, so that the log of a killed process can be finished.
    if (status == FEW_OK)
        status = few__db_exec(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", err);
    if (status == FEW_OK && !writing) status = few__db_exec(db, "PRAGMA query_only = ON", err);
    if (status == FEW_OK && writing && sqlite3_db_readonly(db->sql, "main"))
        status = few__fail(err, FEW_ESTORE, "%s: may not be written to", path);
    if (status != FEW_OK) few__db_close(db);
    return status;
}

enum few_status few__db_log(struct few__db *db, struct few_error *err)
{
    return few__db_exec(
        db, "PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL", err);
}

/* ---- replacing ---- */

static void remove_companions(const char *path)
{
    char name[COMPANION_ROOM];
    for (size_t i = 0; i < sizeof companions / sizeof *companions; i++)
        if (name_of(path, companions[i], name, NULL) == FEW_OK) unlink(name);
}

/* Programs that know nothing of our lock may be there too: SQLite refuses to leave WAL mode while anybody has the file
 * open. A file that is not SQLite's is used by nobody, as far as we are concerned. */
static enum few_status check_unused(const char *path, struct few_error *err)
{
    struct few__db db = {.path = path};
    if (connect(&db, path, NULL) != FEW_OK) return FEW_OK;
    sqlite3_busy_timeout(db.sql, 0);
    int code = sqlite3_exec(db.sql, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    few__db_close(&db);
    if (code != SQLITE_BUSY) return FEW_OK;
    return few__fail(err, FEW_ESTORE, "%s: cannot be replaced, another process is writing to it", path);
}

static enum few_status check_replaceable(const char *path, struct few_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0 || S_ISREG(st.st_mode)) return FEW_OK;
    return few__fail(err, FEW_EIO, "%s: expected a file that can be replaced, found %s", path,
                     S_ISDIR(st.st_mode) ? "a folder" : "something else");
}

/* Nobody writes to path until *lock is closed, and nothing lies beside it that SQLite would take for a part of a file
 * that is put there. Not held afterwards: there is no file. */
static enum few_status clear(const char *path, struct few__lock *lock, struct few_error *err)
{
    *lock = (struct few__lock){0};
    FEW__TRY(check_replaceable(path, err));
    enum few_status status = few__lock_open(lock, path, true, err);
    if (status == FEW_AGAIN)
        return few__fail(err, FEW_ESTORE, "%s: cannot be replaced, another process is writing to it", path);
    if (status != FEW_OK && status != FEW_ENOENT) return status;
    status = lock->held ? check_unused(path, err) : FEW_OK;
    if (status == FEW_OK) remove_companions(path);
    else few__lock_close(lock);
    return status;
}

enum few_status few__db_remove(const char *path, struct few_error *err)
{
    struct few__lock lock;
    FEW__TRY(clear(path, &lock, err));
    unlink(path);
    few__lock_close(&lock);
    return FEW_OK;
}

/* ---- creating ---- */

static enum few_status exists(const char *path, struct few_error *err)
{
    return few__fail(err, FEW_EEXIST, "%s: exists already", path);
}

enum few_status few__db_create(struct few__db *db, const char *path, bool overwrite, struct few_error *err)
{
    char name[COMPANION_ROOM];
    struct stat st;
    *db = (struct few__db){.path = path};
    FEW__TRY(name_of(path, unfinished, name, err));
    if (!overwrite && lstat(path, &st) == 0) return exists(path, err);
    FEW__TRY(check_replaceable(path, err));
    FEW__TRY(few__lock_create(&db->lock, name, path, err));
    db->unfinished = true;
    remove_companions(name);
    enum few_status status = connect(db, name, err);
    if (status == FEW_OK)
        status = few__db_exec(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY", err);
    if (status != FEW_OK) few__db_abandon(db);
    return status;
}

void few__db_abandon(struct few__db *db)
{
    char name[COMPANION_ROOM];
    sqlite3_close(db->sql);
    db->sql = NULL;
    const char *behind = db->unfinished ? unfinished : "";
    if (db->lock.held && name_of(db->path, behind, name, NULL) == FEW_OK) {
        remove_companions(name);
        unlink(name); // while it is still locked
    }
    few__lock_close(&db->lock);
}

// A second name is refused where something has it already; not all file systems know second names.
static enum few_status move_new(const char *name, const char *path, struct few_error *err)
{
    struct stat st;
    remove_companions(path);
    if (link(name, path) == 0) {
        unlink(name);
        return FEW_OK;
    }
    if (errno == EEXIST || lstat(path, &st) == 0) return exists(path, err);
    return rename(name, path) == 0 ? FEW_OK : few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
}

static enum few_status move_over(const char *name, const char *path, struct few_error *err)
{
    struct few__lock old;
    FEW__TRY(clear(path, &old, err));
    bool moved = rename(name, path) == 0;
    few__lock_close(&old);
    return moved ? FEW_OK : few__fail_sys(err, FEW_EIO, "%s: cannot be created", path);
}

enum few_status few__db_publish(struct few__db *db, bool overwrite, struct few_error *err)
{
    char name[COMPANION_ROOM];
    FEW__TRY(name_of(db->path, unfinished, name, err));
    int code = sqlite3_close(db->sql);
    db->sql = NULL;
    if (code != SQLITE_OK || fsync(db->lock.fd) != 0)
        return few__fail_sys(err, FEW_ESTORE, "%s: cannot be written", db->path);
    FEW__TRY(overwrite ? move_over(name, db->path, err) : move_new(name, db->path, err));
    db->unfinished = false;
    FEW__TRY(connect(db, db->path, err));
    return few__db_log(db, err);
}

/* ---- the log ---- */

uint64_t few__db_log_bytes(const struct few__db *db)
{
    struct stat log;
    const char *name = sqlite3_db_filename(db->sql, "main");
    return name && stat(sqlite3_filename_wal(name), &log) == 0 ? (uint64_t)log.st_size : 0;
}

uint64_t few__db_bytes(const struct few__db *db)
{
    struct stat file;
    const char *name = sqlite3_db_filename(db->sql, "main");
    return name && stat(name, &file) == 0 ? (uint64_t)file.st_size + few__db_log_bytes(db) : 0;
}

enum few_status few__db_checkpoint(struct few__db *db, struct few_error *err)
{
    int code = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return code == SQLITE_OK || code == SQLITE_BUSY ? FEW_OK : few__db_fail(db, err);
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
