// SPDX-License-Identifier: Apache-2.0
/* What happens to a store when the process is killed, the disk is full, a write fails, memory is short, bytes are
 * flipped or two write at once: it is whole, its sums are those of its rows, and it can be gone on with. */
#include "store/set_up.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fewer/trace.h>

#include "core/rng.h"

enum { ITEMS = 150, KILLS = 30 };

static struct few__store_new made(bool overwrite)
{
    return (struct few__store_new){
        .purpose = "run", .catalog = &catalog, .config_json = "{\"a\":1}", .overwrite = overwrite};
}

// The stream of item i is put with the first of its ten items and renewed with the others.
static enum few_status write_stream(struct few__store *store, int i, int64_t *id, struct few_error *err)
{
    char path[32];
    struct few__stream_row row;
    snprintf(path, sizeof path, "%d.mp4", i / 10);
    enum few_status status = few__store_find_stream(store, path, &row, err);
    if (status == FEW_END) row = (struct few__stream_row){.id = -1};
    else if (status != FEW_OK) return status;
    row.path = path;
    row.options = row.message = NULL;
    row.n_in++;
    status = few__store_put_stream(store, &row, err);
    *id = row.id;
    return status;
}

static enum few_status write_item(struct few__store *store, int i, int64_t at, struct few_error *err)
{
    struct few__cell cells[MODELS];
    uint8_t look[FEW__STORE_LOOK];
    int64_t stream;
    char path[32], digest[32];
    enum few_status status = write_stream(store, i, &stream, err);
    if (status != FEW_OK) return status;
    fix_look(look, i);
    snprintf(path, sizeof path, "%d.jpg", i);
    snprintf(digest, sizeof digest, "digest %d", i / 2);
    fix_cells(&arena, i, cells);
    struct few__item_row item = {.path = path,
                                 .digest = digest,
                                 .size = (uint64_t)i,
                                 .runtime_us = 3,
                                 .run_all_us = 5,
                                 .width = at < 0,
                                 .stream = stream,
                                 .at_us = i,
                                 .look = i % 10 ? NULL : look};
    return at < 0 ? few__store_put(store, &item, cells, err)
                  : few__store_replace(store, at, &item, cells, err);
}

/* Items first .. ITEMS - 1, of which every seventh is replaced by itself at once. *n_done counts as it goes. */
static enum few_status write_items(struct few__store *store, int first, volatile int *n_done,
                                   struct few_error *err)
{
    enum few_status status = FEW_OK;
    for (int i = first; i < ITEMS && status == FEW_OK; i++) {
        status = write_item(store, i, -1, err);
        if (status == FEW_OK && i % 7 == 6) status = write_item(store, i, i, err);
        if (status == FEW_OK) *n_done = i + 1;
    }
    return status;
}

// As a store says all of it, costs left out; owned.
static char *said(const char *path)
{
    char *text = NULL;
    size_t n = 0;
    struct few_error err;
    FILE *out = open_memstream(&text, &n);
    assert_non_null(out);
    assert_status(few_export(path, "jsonl", out, &err), FEW_OK, &err);
    fclose(out);
    return text;
}

static void write_whole(const char *path)
{
    const struct few__store_new what = made(true);
    struct few__store *store;
    struct few_error err;
    int n;
    assert_status(few__store_create(path, &what, NULL, &store, &err), FEW_OK, &err);
    assert_status(write_items(store, 0, &n, &err), FEW_OK, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
}

static void assert_totals(struct few__store *store)
{
    struct few__totals totals, sums;
    few__store_totals(store, &totals);
    fix_totals(store, &sums);
    assert_memory_equal(&totals, &sums, sizeof totals);
}

// Written by one process: its streams are in order as well.
static void assert_whole(struct few__store *store)
{
    assert_totals(store);
    for (int64_t i = 0; i < few__store_n_streams(store); i++) {
        char name[32];
        struct few__stream_row row;
        struct few_error err;
        snprintf(name, sizeof name, "%d.mp4", (int)i);
        assert_status(few__store_get_stream(store, i, &row, &err), FEW_OK, &err);
        assert_string_equal(row.path, name);
    }
}

static void check_integrity(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *stmt;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

/* Whatever happened to it, a.db is whole; the rest is put in, and then it says what whole.db says. Returns how many
 * items there were. An item that was put but not yet replaced is so again. */
static int mend(const char *wanted)
{
    const struct few__store_new what = made(false);
    struct few__store *store;
    struct few_error err;
    int64_t n;
    int done;
    assert_status(few__store_append(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_whole(store);
    assert_status(few__store_count(store, &n, &err), FEW_OK, &err);
    if (n && n % 7 == 0) assert_status(write_item(store, (int)n - 1, n - 1, &err), FEW_OK, &err);
    assert_status(write_items(store, (int)n, &done, &err), FEW_OK, &err);
    assert_whole(store);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    check_integrity(t_path("a.db"));
    char *text = said(t_path("a.db"));
    assert_string_equal(text, wanted);
    free(text);
    return (int)n;
}

static void remove_all(void)
{
    static const char *const names[] = {"a.db", "a.db-wal", "a.db-shm", "a.db-journal", "a.db-new"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlink(t_path(names[i]));
}

/* ---- killed at a system call ---- */

/* Runs body in a child and kills it at its n-th stop at a system call (before or after one; 0 = never). Returns how many
 * there were. The child cannot tell. */
static int killed_at(int n, void (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) _exit(77);
        raise(SIGSTOP);
        body();
        _exit(0);
    }
    int how, stops = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    if (WIFEXITED(how)) return -1; // tracing is not allowed here
    for (; WIFSTOPPED(how); stops++) {
        if (n && stops == n) kill(child, SIGKILL);
        else ptrace(PTRACE_SYSCALL, child, NULL, NULL);
        assert_int_equal(waitpid(child, &how, 0), child);
    }
    if (WIFEXITED(how)) assert_int_equal(WEXITSTATUS(how), 0);
    return stops;
}

static bool overwriting; // what create_body does

static void create_body(void)
{
    const struct few__store_new what = made(overwriting);
    struct few__store *store;
    if (few__store_create(t_path("a.db"), &what, NULL, &store, NULL) != FEW_OK) _exit(1);
}

// n items, or the file is not there (0 items are allowed, 3 as well where there was an old one).
static void check_created(void)
{
    struct few__store_new what = made(overwriting);
    struct few__store *store;
    struct few_error err;
    int64_t n = -1;
    enum few_status status = few__store_open(t_path("a.db"), NULL, &store, &err);
    if (status != FEW_ENOENT || overwriting) {
        assert_status(status, FEW_OK, &err);
        assert_status(few__store_count(store, &n, &err), FEW_OK, &err);
        assert_true(n == 0 || (overwriting && n == 3));
        assert_int_equal(few__store_catalog(store)->n_models, MODELS);
        few__store_close(store, NULL);
    }
    if (status == FEW_OK && n == 0)
        assert_status(few__store_append(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    else assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    what.overwrite = true;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_int_equal(access(t_path("a.db-new"), F_OK), -1); // what was left is gone
    assert_status(few__store_close(store, &err), FEW_OK, &err);
}

static void kill_creation(bool over)
{
    overwriting = over;
    remove_all();
    if (over) fix_store(t_path("a.db"), 3, false);
    int stops = killed_at(0, create_body);
    if (stops < 0) skip();
    for (int k = 1; k <= KILLS; k++) {
        remove_all();
        if (over) fix_store(t_path("a.db"), 3, false);
        killed_at(stops * k / (KILLS + 1), create_body);
        check_created();
    }
}

static void test_killed_while_it_is_created(void **state)
{
    (void)state;
    kill_creation(false);
}

static void test_killed_while_it_is_replaced(void **state)
{
    (void)state;
    kill_creation(true);
}

static volatile int *shared; // items that the child has put

static void write_body(void)
{
    const struct few__store_new what = made(false);
    struct few__store *store;
    *shared = 0;
    if (few__store_create(t_path("a.db"), &what, NULL, &store, NULL) != FEW_OK) _exit(1);
    if (write_items(store, 0, shared, NULL) != FEW_OK) _exit(2);
    if (few__store_close(store, NULL) != FEW_OK) _exit(3);
}

static void test_killed_while_it_is_written(void **state)
{
    (void)state;
    int file = open(t_path("shared"), O_RDWR | O_CREAT, 0600);
    assert_int_equal(ftruncate(file, sizeof *shared), 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    assert_ptr_not_equal(shared, MAP_FAILED);
    write_whole(t_path("whole.db"));
    char *wanted = said(t_path("whole.db"));
    int stops = killed_at(0, write_body), lost = 0;
    if (stops < 0) skip();
    assert_int_equal(mend(wanted), ITEMS);
    for (int k = 1; k <= KILLS; k++) {
        remove_all();
        killed_at(stops * k / (KILLS + 1), write_body);
        if (access(t_path("a.db"), F_OK) != 0) {
            assert_int_equal(*shared, 0);
            continue;
        }
        int n = mend(wanted);
        assert_true(n >= *shared - FEW__STORE_BATCH && n <= *shared + 1);
        lost += n < *shared;
    }
    assert_true(lost > 0); // or nothing was tested
    free(wanted);
    munmap((void *)shared, sizeof *shared);
    close(file);
}

/* ---- a full disk ---- */

// In a child, whose files may not grow beyond max bytes. 0: it told as it should; 1: everything fitted.
static int write_within(rlim_t max)
{
    const struct few__store_new what = made(false);
    struct few__store *store;
    struct few_error err = {0};
    int n_done;
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){max, max}) != 0) return 9;
    enum few_status status = few__store_create(t_path("a.db"), &what, NULL, &store, &err);
    if (status != FEW_OK) {
        if (access(t_path("a.db"), F_OK) == 0 || access(t_path("a.db-new"), F_OK) == 0) return 2;
        return status == FEW_ESTORE && strstr(err.message, "a.db") ? 0 : 3;
    }
    status = write_items(store, 0, &n_done, &err);
    if (status != FEW_OK && (status != FEW_ESTORE || !strstr(err.message, "a.db"))) return 4;
    enum few_status closed = few__store_close(store, &err);
    if (closed != FEW_OK && closed != FEW_ESTORE) return 5;
    return status == FEW_OK && closed == FEW_OK;
}

static void test_full_disk(void **state)
{
    (void)state;
    enum { STEP = 3 * 4096, MOST = 8 << 20 };
    write_whole(t_path("whole.db"));
    char *wanted = said(t_path("whole.db"));
    int how = 0, partly = 0;
    for (rlim_t max = STEP; max < MOST && !(WIFEXITED(how) && WEXITSTATUS(how) == 1); max += STEP) {
        remove_all();
        pid_t child = fork();
        if (child == 0) _exit(write_within(max));
        assert_int_equal(waitpid(child, &how, 0), child);
        if (!WIFEXITED(how) || WEXITSTATUS(how) > 1)
            fail_msg("%llu bytes: child ended with %d", (unsigned long long)max, how);
        if (access(t_path("a.db"), F_OK) != 0) continue;
        int n = mend(wanted);
        partly += n > 0 && n < ITEMS;
    }
    assert_int_equal(WEXITSTATUS(how), 1);
    assert_true(partly > 0);
    free(wanted);
}

/* ---- writes that fail ---- */

static struct {
    sqlite3_vfs vfs, *real;
    sqlite3_io_methods methods[2]; // of databases and of what lies beside them, which are not locked
    const sqlite3_io_methods *real_methods[2];
    int n,
        fail_at; // writes, truncations, syncs and removals so far; the one that fails and all after it, 0 = none
} disk;

static bool fails(void)
{
    return ++disk.n >= disk.fail_at && disk.fail_at;
}

static const sqlite3_io_methods *real(const sqlite3_file *file)
{
    return disk.real_methods[file->pMethods == &disk.methods[1]];
}

static int disk_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    return fails() ? SQLITE_FULL : real(file)->xWrite(file, bytes, n, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return fails() ? SQLITE_IOERR_TRUNCATE : real(file)->xTruncate(file, size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    return fails() ? SQLITE_IOERR_FSYNC : real(file)->xSync(file, flags);
}

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    int code = disk.real->xOpen(disk.real, name, file, flags, out);
    if (!file->pMethods) return code;
    int beside = !(flags & SQLITE_OPEN_MAIN_DB);
    disk.real_methods[beside] = file->pMethods;
    disk.methods[beside] = *file->pMethods;
    disk.methods[beside].xWrite = disk_write;
    disk.methods[beside].xTruncate = disk_truncate;
    disk.methods[beside].xSync = disk_sync;
    file->pMethods = &disk.methods[beside];
    return code;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    return fails() ? SQLITE_IOERR_DELETE : disk.real->xDelete(disk.real, name, sync);
}

// FEW_OK, or what failed first.
static enum few_status write_all(struct few_error *err)
{
    const struct few__store_new what = made(false);
    struct few__store *store;
    int n_done;
    enum few_status status = few__store_create(t_path("a.db"), &what, NULL, &store, err);
    if (status != FEW_OK) return status;
    status = write_items(store, 0, &n_done, err);
    enum few_status closed = few__store_close(store, status == FEW_OK ? err : NULL);
    return status != FEW_OK ? status : closed;
}

static void test_each_write_fails(void **state)
{
    (void)state;
    struct few_error err;
    write_whole(t_path("whole.db"));
    char *wanted = said(t_path("whole.db"));
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "failing";
    disk.vfs.xOpen = disk_open;
    disk.vfs.xDelete = disk_delete;
    assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
    enum few_status status = FEW_ESTORE;
    int rounds = 0;
    for (int at = 1; status != FEW_OK; at += 1 + at / 10, rounds++) {
        remove_all();
        disk.n = 0;
        disk.fail_at = at;
        status = write_all(&err);
        bool reached = disk.n >= at;
        disk.fail_at = 0;
        if (status != FEW_OK) assert_status(status, FEW_ESTORE, &err);
        else if (reached) status = FEW_ESTORE; // failed where it does no harm, as in tidying up
        if (access(t_path("a.db"), F_OK) == 0) mend(wanted);
    }
    sqlite3_vfs_unregister(&disk.vfs);
    assert_true(rounds > 20);
    free(wanted);
}

/* ---- memory ---- */

static enum few_status use(const struct few_mem *mem)
{
    const struct few_env env = {.mem = mem};
    const struct few__store_new what = made(false);
    struct few__cell cells[MODELS];
    struct few__item_row item;
    struct few__known known;
    struct few__store *store;
    const char *path;
    int64_t id;
    enum few_status status = few__store_append(t_path("a.db"), &what, &env, &store, NULL);
    if (status != FEW_OK) return status;
    few__store_limit(store, 1 << 30);
    status = few__store_find_path(store, "2.jpg", &known, NULL);
    if (status == FEW_OK) status = few__store_find_digest(store, "digest 1", &known, NULL);
    if (status == FEW_OK) status = write_item(store, 10, -1, NULL);
    if (status == FEW_OK) status = write_item(store, 2, 2, NULL);
    if (status == FEW_OK) status = few__store_get(store, 2, &item, cells, NULL);
    if (status == FEW_OK) status = few__store_next_failed(store, -1, &id, &path, NULL);
    enum few_status closed = few__store_close(store, NULL);
    return status != FEW_OK ? status : closed;
}

static void make_used(void)
{
    const struct few__store_new what = made(true);
    struct few__cell cells[MODELS];
    struct few__item_row failed = {.path = "bad", .status = FEW_EIO, .message = "bad", FEW__NO_STREAM};
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    for (int i = 0; i < 5; i++) assert_status(write_item(store, i, -1, &err), FEW_OK, &err);
    fix_cells(&arena, 0, cells);
    assert_status(few__store_put(store, &failed, cells, &err), FEW_OK, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
}

static void check_used(void)
{
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    assert_whole(store);
    few__store_close(store, NULL);
}

static enum few_status use_body(const struct few_mem *mem, void *ud)
{
    (void)ud;
    make_used();
    enum few_status status = use(mem);
    check_used();
    return status;
}

static void test_no_memory_of_ours(void **state)
{
    (void)state;
    t_fail_each_allocation(use_body, NULL);
}

static struct {
    sqlite3_mem_methods real;
    int n, fail_at;
} heap;

static void *heap_malloc(int n)
{
    return ++heap.n == heap.fail_at ? NULL : heap.real.xMalloc(n);
}

static void *heap_realloc(void *p, int n)
{
    return ++heap.n == heap.fail_at ? NULL : heap.real.xRealloc(p, n);
}

static void test_no_memory_of_sqlites(void **state)
{
    (void)state;
    enum few_status status = FEW_ENOMEM;
    int failures = 0;
    for (int at = 1; at == 1 || heap.n >= at - 1; at += 1 + at / 20) {
        make_used();
        heap.n = 0;
        heap.fail_at = at;
        status = use(NULL);
        heap.fail_at = 0;
        if (status != FEW_OK && status != FEW_ENOMEM)
            fail_msg("allocation %d: %s", at, few_status_name(status));
        failures += status != FEW_OK;
        check_used();
        if (heap.n < at) break;
    }
    assert_true(failures > 30);
}

/* ---- flipped bytes, two at once ---- */

static void touch(const char *path, struct few_error *err)
{
    static const enum few_status allowed[] = {FEW_OK, FEW_END, FEW_ESTORE, FEW_EVERSION, FEW_ENOENT};
    const struct few__store_new what = made(false);
    struct few__cell cells[MODELS];
    struct few__item_row item;
    struct few__known known;
    struct few__store *store;
    const char *failed;
    int64_t id;
    enum few_status said_first[6] = {few__store_append(path, &what, NULL, &store, err)};
    if (said_first[0] == FEW_OK) {
        said_first[1] = few__store_find_path(store, "2.jpg", &known, err);
        said_first[2] = few__store_next_failed(store, -1, &id, &failed, err);
        said_first[3] = few__store_get(store, 3, &item, cells, err);
        said_first[4] = write_item(store, 3, 3, err);
        said_first[5] = write_item(store, 99, -1, err);
        (void)few__store_close(store, err);
    }
    for (size_t i = 0; i < 6; i++) {
        bool known_status = false;
        for (size_t k = 0; k < sizeof allowed / sizeof *allowed; k++)
            known_status |= said_first[i] == allowed[k];
        if (!known_status) fail_msg("step %zu: %s: %s", i, few_status_name(said_first[i]), err->message);
    }
}

static void test_flipped_bytes(void **state)
{
    (void)state;
    struct few_error err = {0};
    struct few__rng rng;
    size_t size;
    write_whole(t_path("whole.db"));
    char *data = fix_slurp(t_path("whole.db"), &size);
    few__rng_init(&rng, t_seed(), 0);
    for (int round = 0; round < 200; round++) {
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, data, size);
        size_t reach = round % 2 ? size : 40000; // the second half of the rounds hurts the head
        for (int k = 0; k < 10; k++)
            copy[few__rng_below(&rng, reach < size ? reach : size)] ^= (char)(1 << round % 8);
        t_write(t_path("b.db"), copy, size);
        free(copy);
        touch(t_path("b.db"), &err);
    }
    free(data);
}

enum { TURNS = 20 };

// TURNS items, one for each time that the store is free. 0 = as it should be.
static int take_turns(int first)
{
    const struct few__store_new what = made(false);
    struct few_error err;
    for (int i = 0; i < TURNS;) {
        struct few__store *store;
        enum few_status status = few__store_append(t_path("a.db"), &what, NULL, &store, &err);
        if (status == FEW_AGAIN) continue;
        if (status != FEW_OK) return 1;
        if (write_item(store, first + i++, -1, &err) != FEW_OK) return 2;
        if (few__store_close(store, &err) != FEW_OK) return 3;
    }
    return 0;
}

static void test_two_writers(void **state)
{
    (void)state;
    const struct few__store_new what = made(false);
    struct few__store *store;
    struct few__known known;
    struct few_error err;
    char name[32];
    int how;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    pid_t child = fork();
    if (child == 0) _exit(take_turns(TURNS));
    assert_int_equal(take_turns(0), 0);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    assert_totals(store);
    for (int i = 0; i < 2 * TURNS; i++) {
        snprintf(name, sizeof name, "%d.jpg", i);
        assert_status(few__store_find_path(store, name, &known, &err), FEW_OK, &err);
        assert_true(known.id < 2 * TURNS);
    }
    few__store_close(store, NULL);
    check_integrity(t_path("a.db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_while_it_is_created, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_while_it_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_killed_while_it_is_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_each_write_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_of_ours, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory_of_sqlites, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flipped_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_two_writers, set_up, tear_down),
    };
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &heap.real) != SQLITE_OK) return 1;
    sqlite3_mem_methods counting = heap.real;
    counting.xMalloc = heap_malloc;
    counting.xRealloc = heap_realloc;
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &counting) != SQLITE_OK) return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
