// SPDX-License-Identifier: Apache-2.0
// The store: what is put in comes out; nothing that happens to the file or the process makes it lie.
#include "store/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/rng.h"

static struct few__store *create(const char *path, struct few__arena *arena)
{
    struct few_catalog catalog = fix_catalog(arena);
    struct few__store_new what = {.purpose = "run",
                                  .catalog = &catalog,
                                  .zoo_path = "zoo.yaml",
                                  .zoo_digest = "ab",
                                  .config_json = "{\"deadline\":5}"};
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(path, &what, NULL, &store, &err), FEW_OK, &err);
    return store;
}

// Reads everything there is; the first status that is not FEW_OK (FEW_END = it is whole).
static enum few_status read_all(const char *path, bool with_outputs, int64_t *n_items, struct few_error *err)
{
    struct few__store *store;
    struct few__item_row item;
    *n_items = 0;
    enum few_status status = few__store_open(path, NULL, &store, err);
    if (status != FEW_OK) return status;
    size_t n_models = few__store_catalog(store)->n_models;
    struct few__cell *cells = calloc(n_models + 1, sizeof *cells);
    status = few__store_rewind(store, with_outputs, err);
    while (status == FEW_OK) {
        status = few__store_next(store, &item, cells, err);
        if (status == FEW_OK) ++*n_items;
    }
    free(cells);
    assert_int_equal(few__store_close(store, NULL), FEW_OK);
    return status;
}

static void assert_same_model(const struct few_model *a, const struct few_model *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->task, b->task);
    assert_string_equal(a->space, b->space);
    assert_string_equal(a->digest, b->digest);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->modality, b->modality);
    assert_int_equal(a->n_labels, b->n_labels);
    assert_int_equal(a->own_label, b->own_label);
    assert_int_equal(a->needs, b->needs);
    assert_int_equal(a->variant_of, b->variant_of);
    assert_int_equal(a->cost.time_us, b->cost.time_us);
    assert_int_equal(a->cost.memory_bytes, b->cost.memory_bytes);
    const float x[] = {a->threshold, a->empty, a->tolerance, a->priority};
    const float y[] = {b->threshold, b->empty, b->tolerance, b->priority};
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(!a->label_ids, !b->label_ids);
    assert_int_equal(!a->is_null, !b->is_null);
    for (size_t i = 0; i < a->n_labels; i++) {
        assert_string_equal(a->labels[i], b->labels[i]);
        if (a->label_ids) assert_int_equal(a->label_ids[i], b->label_ids[i]);
        if (a->is_null) assert_int_equal(a->is_null[i], b->is_null[i]);
    }
}

static void test_catalog_comes_back(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few__store *store;
    struct few_error err;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    assert_status(few__store_close(create(t_path("a.db"), &arena), &err), FEW_OK, &err);
    struct few_catalog was = fix_catalog(&arena);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    const struct few_catalog *is = few__store_catalog(store);
    assert_int_equal(is->n_models, was.n_models);
    assert_int_equal(is->n_labels, was.n_labels);
    for (size_t m = 0; m < was.n_models; m++) assert_same_model(&was.models[m], &is->models[m]);
    for (size_t i = 0; i < was.n_labels; i++) {
        assert_string_equal(is->labels[i].space, was.labels[i].space);
        assert_string_equal(is->labels[i].name, was.labels[i].name);
    }
    assert_string_equal(was.models[SCENE].labels[2], "beach (2)");
    assert_string_equal(few__store_purpose(store), "run");
    assert_string_equal(few__store_config(store), "{\"deadline\":5}");
    assert_string_equal(few__store_zoo_path(store), "zoo.yaml");
    few__store_close(store, NULL);
    few__arena_finish(&arena);
}

static void test_lists_are_stored_once(void **state)
{
    (void)state;
    struct few__arena arena;
    sqlite3 *db;
    sqlite3_stmt *stmt;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    few__store_close(create(t_path("a.db"), &arena), NULL);
    assert_int_equal(sqlite3_open(t_path("a.db"), &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT count(*) FROM label_lists", -1, &stmt, NULL);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 4); // scene, tags, coco of two detectors, alphabet
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    few__arena_finish(&arena);
}

enum { MANY = 700 }; // more reasons than the cache holds, several batches

struct sample { // what the i-th item of a test is
    char path[32], reason[400];
    uint8_t thumbnail[FEW__STORE_THUMBNAIL], look[FEW__STORE_LOOK];
    struct few__item_row row;
    struct few__cell cells[MODELS];
};

static void make_sample(struct few__arena *arena, int i, struct sample *out)
{
    few__arena_reset(arena);
    snprintf(out->path, sizeof out->path, "p\xff%d", i);
    if (i % 10) snprintf(out->reason, sizeof out->reason, "reason %d", i / 2);
    else snprintf(out->reason, sizeof out->reason, "%0300d", i);
    for (size_t k = 0; k < sizeof out->thumbnail; k++) out->thumbnail[k] = (uint8_t)(k * 7 + (size_t)i);
    fix_look(out->look, i);
    fix_cells(arena, i, out->cells);
    out->cells[HAND].reason = out->reason;
    out->row = (struct few__item_row){.id = i,
                                      .path = out->path,
                                      .digest = "dd",
                                      .width = i,
                                      .height = 2,
                                      .decode_us = 3,
                                      .elapsed_us = 4,
                                      .deadline_missed = i % 2 == 0,
                                      .status = i % 5 ? FEW_OK : FEW_EDECODE,
                                      .message = i % 5 ? "" : "why",
                                      .thumbnail = i % 3 ? NULL : out->thumbnail,
                                      .stream = i % 3 - 1,
                                      .at_us = 1000 * i,
                                      .until_us = 1000 * i + 999,
                                      .age_us = i % 2 ? -1 : i,
                                      .look = i % 4 ? out->look : NULL};
}

static void assert_same_item(const struct few__item_row *a, const struct few__item_row *b)
{
    assert_int_equal(a->id, b->id);
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->digest, b->digest);
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->decode_us, b->decode_us);
    assert_int_equal(a->elapsed_us, b->elapsed_us);
    assert_int_equal(a->deadline_missed, b->deadline_missed);
    assert_int_equal(a->status, b->status);
    assert_string_equal(a->message, b->message);
    assert_int_equal(!a->thumbnail, !b->thumbnail);
    if (a->thumbnail) assert_memory_equal(a->thumbnail, b->thumbnail, FEW__STORE_THUMBNAIL);
    assert_int_equal(a->stream, b->stream);
    assert_int_equal(a->at_us, b->at_us);
    assert_int_equal(a->until_us, b->until_us);
    assert_int_equal(a->age_us, b->age_us);
    assert_int_equal(!a->look, !b->look);
    if (a->look) assert_memory_equal(a->look, b->look, FEW__STORE_LOOK);
}

static void assert_same_cell(const struct few__cell *a, const struct few__cell *b)
{
    assert_int_equal(a->outcome, b->outcome);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->start_us, b->start_us);
    assert_int_equal(a->time_us, b->time_us);
    assert_int_equal(a->lane, b->lane);
    assert_int_equal(!a->output, !b->output);
    assert_int_equal(a->n_output, b->n_output);
    if (a->output) assert_memory_equal(a->output, b->output, a->n_output);
}

static void test_items_come_back(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    struct few__cell got[MODELS];
    struct few__item_row item;
    static struct sample sample;
    int64_t n;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 24);
    struct few__store *store = create(t_path("a.db"), &arena);
    fix_stream(store, "one.mp4");
    fix_stream(store, "two.mp4");
    for (int i = 0; i < MANY; i++) {
        make_sample(&arena, i, &sample);
        sample.row.id = 99; // ignored
        assert_status(few__store_put(store, &sample.row, sample.cells, &err), FEW_OK, &err);
    }
    assert_status(few__store_count(store, &n, &err), FEW_OK, &err);
    assert_int_equal(n, MANY);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_rewind(store, true, &err), FEW_OK, &err);
    for (int i = 0; i < MANY; i++) {
        make_sample(&arena, i, &sample);
        assert_status(few__store_next(store, &item, got, &err), FEW_OK, &err);
        assert_same_item(&item, &sample.row);
        for (size_t m = 0; m < MODELS; m++) assert_same_cell(&got[m], &sample.cells[m]);
    }
    assert_status(few__store_next(store, &item, got, &err), FEW_END, &err);
    assert_status(few__store_rewind(store, false, &err), FEW_OK, &err);
    assert_status(few__store_next(store, &item, got, &err), FEW_OK, &err);
    assert_string_equal(got[SCENE].reason, "chosen");
    assert_null(got[SCENE].output);
    assert_null(item.thumbnail);
    assert_null(item.look);
    few__store_close(store, NULL);
    few__arena_finish(&arena);
}

static void test_costs_are_replaced(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    struct few_cost costs[MODELS];
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    struct few__store *store = create(t_path("a.db"), &arena);
    for (size_t m = 0; m < MODELS; m++)
        costs[m] = (struct few_cost){.time_us = (int64_t)m + 1,
                                     .memory_bytes = (1ull << 40) + m,
                                     .weights_bytes = (1ull << 39) + m,
                                     .load_us = 7 + (int64_t)m,
                                     .more_us = 3};
    assert_status(few__store_set_costs(store, costs, &err), FEW_OK, &err);
    few__store_close(store, NULL);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    for (size_t m = 0; m < MODELS; m++)
        assert_memory_equal(&few__store_catalog(store)->models[m].cost, &costs[m], sizeof costs[m]);
    assert_status(few__store_set_costs(store, costs, &err), FEW_EINVAL, &err);
    struct few__item_row row = {.path = "x", FEW__NO_STREAM};
    struct few__cell cells[MODELS] = {0};
    assert_status(few__store_put(store, &row, cells, &err), FEW_EINVAL, &err);
    few__store_close(store, NULL);
    few__arena_finish(&arena);
}

/* ---- files ---- */

static void test_existing_files(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    struct few__store *store;
    const char *dir = t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    struct few_catalog catalog = fix_catalog(&arena);
    struct few__store_new what = {.purpose = "run", .catalog = &catalog};
    t_write(t_path("a.db"), "mine", 4);
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_EEXIST, &err);
    assert_null(store);
    assert_non_null(strstr(err.message, "a.db"));
    what.overwrite = true;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    struct few__store *second;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &second, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "another process is writing"));
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    assert_status(few__store_create(dir, &what, NULL, &store, &err), FEW_EIO, &err);
    assert_non_null(strstr(err.message, "a folder"));
    assert_status(few__store_create("/dev/null", &what, NULL, &store, &err), FEW_EIO, &err);
    assert_int_equal(access("/dev/null", F_OK), 0);
    few__arena_finish(&arena);
}

static void test_places_that_cannot_be_written(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    struct few__store *store;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    struct few_catalog catalog = fix_catalog(&arena);
    struct few__store_new what = {.purpose = "run", .catalog = &catalog};
    assert_status(few__store_create(t_path("no/a.db"), &what, NULL, &store, &err), FEW_EIO, &err);
    assert_non_null(strstr(err.message, "no/a.db: cannot be created: No such file or directory"));
    assert_status(few__store_create("", &what, NULL, &store, &err), FEW_EIO, &err);
    char *far = calloc(1, 5000);
    memset(far, 'x', 4999);
    assert_status(few__store_create(far, &what, NULL, &store, &err), FEW_EIO, &err);
    free(far);
    assert_int_equal(mkdir(t_path("closed"), 0500), 0);
    bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(65534), 0); // root may write anywhere
    enum few_status status = few__store_create(t_path("closed/a.db"), &what, NULL, &store, &err);
    if (root) assert_int_equal(seteuid(0), 0);
    assert_status(status, FEW_EIO, &err);
    assert_non_null(strstr(err.message, "closed/a.db: cannot be created: Permission denied"));
    few__arena_finish(&arena);
}

static void test_names_are_only_names(void **state)
{
    (void)state;
    struct few__arena arena;
    char before[4096];
    few__arena_init(&arena, NULL, 1 << 20);
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(t_tmpdir()), 0);
    const char *const names[] = {":memory:", "file:a.db?mode=memory", "-x"};
    for (size_t i = 0; i < 3; i++) {
        struct stat st;
        assert_int_equal(few__store_close(create(names[i], &arena), NULL), FEW_OK);
        assert_int_equal(stat(names[i], &st), 0);
        assert_true(st.st_size > 4096);
    }
    assert_int_equal(chdir(before), 0);
    few__arena_finish(&arena);
}

static void test_at_rest_it_is_one_file(void **state)
{
    (void)state;
    struct few_error err;
    int64_t n;
    const char *dir = t_tmpdir();
    fix_store(t_path("a.db"), 100, false);
    assert_int_equal(access(t_path("a.db-wal"), F_OK), -1);
    assert_int_equal(access(t_path("a.db-shm"), F_OK), -1);
    assert_int_equal(access(t_path("a.db-journal"), F_OK), -1);
    chmod(t_path("a.db"), 0444);
    chmod(dir, 0555);
    bool root = geteuid() == 0;
    if (root) assert_int_equal(seteuid(65534), 0);
    enum few_status status = read_all(t_path("a.db"), true, &n, &err);
    if (root) assert_int_equal(seteuid(0), 0);
    chmod(dir, 0700);
    assert_status(status, FEW_END, &err);
    assert_int_equal(n, 100);
}

static void test_reading_while_it_is_written(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err;
    struct few__cell cells[MODELS];
    int64_t n;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    struct few__store *store = create(t_path("a.db"), &arena);
    fix_cells(&arena, 0, cells);
    struct few__item_row row = {.path = "x", FEW__NO_STREAM};
    for (int i = 0; i < FEW__STORE_BATCH + 5; i++)
        assert_status(few__store_put(store, &row, cells, &err), FEW_OK, &err);
    assert_status(read_all(t_path("a.db"), true, &n, &err), FEW_END, &err);
    assert_int_equal(n, FEW__STORE_BATCH);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    assert_status(read_all(t_path("a.db"), true, &n, &err), FEW_END, &err);
    assert_int_equal(n, FEW__STORE_BATCH + 5);
    few__arena_finish(&arena);
}

static void test_other_files(void **state)
{
    (void)state;
    struct few_error err;
    struct few__store *store;
    t_tmpdir();
    assert_status(few__store_open(t_path("none.db"), NULL, &store, &err), FEW_ENOENT, &err);
    assert_status(few__store_open(t_path("a/b/none.db"), NULL, &store, &err), FEW_ENOENT, &err);
    assert_status(few__store_open(t_tmpdir(), NULL, &store, &err), FEW_ESTORE, &err);
    t_write(t_path("text.db"), "no database at all, but long enough to look into", 48);
    assert_status(few__store_open(t_path("text.db"), NULL, &store, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "text.db: expected a trace or run file"));
    t_write(t_path("empty.db"), "", 0);
    assert_status(few__store_open(t_path("empty.db"), NULL, &store, &err), FEW_ESTORE, &err);
    fix_sql(t_path("other.db"), "CREATE TABLE items(x); PRAGMA application_id = 7");
    assert_status(few__store_open(t_path("other.db"), NULL, &store, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "another program's"));
    fix_store(t_path("new.db"), 1, false);
    fix_sql(t_path("new.db"), "PRAGMA user_version = 2");
    assert_status(few__store_open(t_path("new.db"), NULL, &store, &err), FEW_EVERSION, &err);
    assert_non_null(
        strstr(err.message, "expected version 3 of the file, found 2: another version of Fewer made it"));
    assert_null(store);
}

/* ---- accidents ---- */

static void test_killed_process(void **state)
{
    (void)state;
    struct few_error err;
    int64_t n;
    int how;
    t_tmpdir();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct few__arena arena;
        struct few__cell cells[MODELS];
        few__arena_init(&arena, NULL, 1 << 20);
        struct few__store *store = create(t_path("a.db"), &arena);
        fix_cells(&arena, 0, cells);
        struct few__item_row row = {.path = "x", FEW__NO_STREAM};
        for (int i = 0; i < 3 * FEW__STORE_BATCH + 9; i++) (void)few__store_put(store, &row, cells, NULL);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how));
    assert_status(read_all(t_path("a.db"), true, &n, &err), FEW_END, &err);
    assert_int_equal(n, 3 * FEW__STORE_BATCH);
    fix_sql(t_path("a.db"), "PRAGMA integrity_check");
    fix_store(t_path("a.db"), 2, false); // and it can be replaced, whatever lies beside it
    assert_status(read_all(t_path("a.db"), true, &n, &err), FEW_END, &err);
    assert_int_equal(n, 2);
}

// In a child, since the limit stays: 0 = as expected.
static int fill_disk(const char *path)
{
    struct few__arena arena;
    struct few_error err = {0};
    struct few__cell cells[MODELS];
    uint8_t *thumbnail = calloc(1, FEW__STORE_THUMBNAIL);
    few__arena_init(&arena, NULL, 1 << 20);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {4 << 20, 4 << 20};
    if (!thumbnail || setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    struct few__store *store = create(path, &arena);
    fix_cells(&arena, 0, cells);
    struct few__item_row row = {.path = "x", .thumbnail = thumbnail, FEW__NO_STREAM};
    enum few_status status = FEW_OK;
    for (int i = 0; i < 1000 && status == FEW_OK; i++) status = few__store_put(store, &row, cells, &err);
    if (status != FEW_ESTORE || !strstr(err.message, path)) return 2;
    (void)few__store_close(store, NULL);
    free(thumbnail);
    few__arena_finish(&arena);
    return 0;
}

static void test_full_disk(void **state)
{
    (void)state;
    struct few_error err;
    int64_t n;
    int how;
    t_tmpdir();
    pid_t child = fork();
    if (child == 0) _exit(fill_disk(t_path("a.db")));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
    assert_status(read_all(t_path("a.db"), true, &n, &err), FEW_END, &err);
    assert_true(n > 0 && n % FEW__STORE_BATCH == 0);
}

static void test_full_disk_at_creation(void **state)
{
    (void)state;
    int how;
    t_tmpdir();
    pid_t child = fork();
    if (child == 0) {
        struct few__arena arena;
        struct few__store *store;
        struct few_error err = {0};
        few__arena_init(&arena, NULL, 1 << 20);
        struct few_catalog catalog = fix_catalog(&arena);
        struct few__store_new what = {.purpose = "run", .catalog = &catalog};
        signal(SIGXFSZ, SIG_IGN);
        struct rlimit limit = {8192, 8192};
        setrlimit(RLIMIT_FSIZE, &limit);
        enum few_status status = few__store_create(t_path("a.db"), &what, NULL, &store, &err);
        _exit(status == FEW_ESTORE && strstr(err.message, "a.db") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(access(t_path("a.db"), F_OK), -1);
    assert_int_equal(access(t_path("a.db-wal"), F_OK), -1);
}

static void test_truncated_file(void **state)
{
    (void)state;
    struct few_error err;
    int64_t n;
    size_t size;
    t_tmpdir();
    fix_store(t_path("a.db"), 200, false);
    char *data = fix_slurp(t_path("a.db"), &size);
    for (size_t keep = 0; keep < size; keep += 3000) {
        t_write(t_path("b.db"), data, keep);
        assert_status(read_all(t_path("b.db"), true, &n, &err), FEW_ESTORE, &err);
        assert_non_null(strstr(err.message, "b.db"));
    }
    free(data);
}

static void test_damaged_bytes(void **state)
{
    (void)state;
    struct few_error err;
    struct few__rng rng;
    int64_t n;
    size_t size;
    t_tmpdir();
    fix_store(t_path("a.db"), 40, false);
    char *data = fix_slurp(t_path("a.db"), &size);
    few__rng_init(&rng, t_seed(), 0);
    for (int round = 0; round < 300; round++) {
        char *copy = malloc(size);
        assert_non_null(copy);
        memcpy(copy, data, size);
        for (int k = 0; k < 20; k++) copy[few__rng_below(&rng, size)] = (char)few__rng_below(&rng, 256);
        t_write(t_path("b.db"), copy, size);
        free(copy);
        enum few_status status = read_all(t_path("b.db"), true, &n, &err);
        if (status != FEW_END && status != FEW_ESTORE && status != FEW_EVERSION)
            fail_msg("seed %llu round %d: %s: %s", (unsigned long long)t_seed(), round,
                     few_status_name(status), err.message);
    }
    free(data);
}

static void test_rows_that_are_wrong(void **state)
{
    (void)state;
    static const char *const wrongs[] = {
        "DELETE FROM results WHERE item = 1 AND model = 3",
        "DELETE FROM results WHERE item = 1 AND model = 8",
        "INSERT INTO results VALUES (1, 9, 0, 1, 0, 0, -1, NULL)",
        "UPDATE results SET outcome = 6 WHERE item = 1",
        "UPDATE results SET outcome = -1 WHERE item = 1",
        "UPDATE results SET reason = 77 WHERE item = 1",
        "INSERT INTO thumbnails VALUES (1, x'00')",
        "DELETE FROM models WHERE id = 4",
        "DELETE FROM label_names WHERE list = 0 AND i = 1",
        "DELETE FROM label_lists",
        "UPDATE label_lists SET n = 100000000",
        "UPDATE label_lists SET id = 500 WHERE id = 0",
        "UPDATE models SET kind = 'smell'",
        "UPDATE models SET modality = 'smell'",
        "INSERT INTO looks VALUES (1, x'00')",
        "INSERT INTO looks VALUES (1, x'')",
        "INSERT INTO looks VALUES (1, zeroblob(30000))",
        "UPDATE items SET stream = 0 WHERE id = 1",
        "UPDATE items SET stream = -2 WHERE id = 1",
        "DROP TABLE streams",
        "UPDATE models SET needs = 9",
        "UPDATE models SET variant_of = -5",
        "DROP TABLE reasons",
        "DROP TABLE meta",
        "WITH RECURSIVE c(i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM c WHERE i < 5000)"
        " INSERT INTO models SELECT i, 'm', '', 'box', 'image', NULL, 0, 0, 0, 1, NULL, NULL, 0, 0, 0, 0, 0, "
        "'' FROM "
        "c",
    };
    struct few_error err;
    int64_t n;
    t_tmpdir();
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        fix_store(t_path("a.db"), 3, false);
        fix_sql(t_path("a.db"), wrongs[i]);
        enum few_status status = read_all(t_path("a.db"), true, &n, &err);
        if (status != FEW_ESTORE || !strstr(err.message, "a.db"))
            fail_msg("%s: got %s: %s", wrongs[i], few_status_name(status), err.message);
    }
}

/* ---- memory, size ---- */

static enum few_status write_body(const struct few_mem *mem, void *ud)
{
    struct few__arena *arena = ud;
    struct few_env env = {.mem = mem};
    struct few_catalog catalog = fix_catalog(arena);
    struct few__store_new what = {.purpose = "run", .catalog = &catalog, .overwrite = true};
    struct few__store *store;
    struct few__cell cells[MODELS];
    struct few__item_row row = {.path = "x", FEW__NO_STREAM};
    fix_cells(arena, 0, cells);
    enum few_status status = few__store_create(t_path("a.db"), &what, &env, &store, NULL);
    if (status != FEW_OK) return status;
    status = few__store_put(store, &row, cells, NULL);
    enum few_status closed = few__store_close(store, NULL);
    return status != FEW_OK ? status : closed;
}

static enum few_status read_body(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few_env env = {.mem = mem};
    struct few__store *store;
    struct few__cell cells[MODELS];
    struct few__item_row item;
    enum few_status status = few__store_open(t_path("a.db"), &env, &store, NULL);
    if (status != FEW_OK) return status;
    status = few__store_rewind(store, true, NULL);
    while (status == FEW_OK) status = few__store_next(store, &item, cells, NULL);
    few__store_close(store, NULL);
    return status == FEW_END ? FEW_OK : status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct few__arena arena;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 24);
    t_fail_each_allocation(write_body, &arena);
    t_fail_each_allocation(read_body, NULL);
    few__arena_finish(&arena);
}

static void test_many_items(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few__store *store;
    struct few_error err;
    struct few__cell cell = {FEW_EXECUTED, "chosen", 0, 12, 0, NULL, 0};
    float one = 1;
    struct few_output output = {.kind = FEW_SCALAR, .n = 1, .values = &one};
    int64_t n;
    t_tmpdir();
    few__arena_init(&arena, NULL, 1 << 20);
    assert_int_equal(few__output_pack(&output, &arena, &cell.output, &cell.n_output), FEW_OK);
    struct few__catalog_builder *b = few__catalog_begin(&arena, 1);
    fix_add(b, (struct few_model){.name = "one", .kind = FEW_SCALAR, .needs = -1, .variant_of = -1}, NULL);
    struct few_catalog catalog;
    assert_int_equal(few__catalog_end(b, &catalog, &err), FEW_OK);
    struct few__store_new what = {.purpose = "trace", .catalog = &catalog};
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    for (int i = 0; i < 100000; i++) {
        struct few__item_row row = {.path = "folder/photo.jpg", FEW__NO_STREAM};
        assert_status(few__store_put(store, &row, &cell, &err), FEW_OK, &err);
    }
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    assert_status(read_all(t_path("a.db"), true, &n, &err), FEW_END, &err);
    assert_int_equal(n, 100000);
    few__arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catalog_comes_back),
        cmocka_unit_test(test_lists_are_stored_once),
        cmocka_unit_test(test_items_come_back),
        cmocka_unit_test(test_costs_are_replaced),
        cmocka_unit_test(test_existing_files),
        cmocka_unit_test(test_places_that_cannot_be_written),
        cmocka_unit_test(test_names_are_only_names),
        cmocka_unit_test(test_at_rest_it_is_one_file),
        cmocka_unit_test(test_reading_while_it_is_written),
        cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_killed_process),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_full_disk_at_creation),
        cmocka_unit_test(test_truncated_file),
        cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test(test_rows_that_are_wrong),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_many_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
