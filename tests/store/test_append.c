// SPDX-License-Identifier: Apache-2.0
// A store that is gone on with: what it takes over, whom it refuses, what it finds, what it sums up.
#include "store/set_up.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct few__store_new made(void)
{
    return (struct few__store_new){
        .purpose = "run", .catalog = &catalog, .config_json = "{\"policy\":\"random:1\",\"deadline_ms\":60}"};
}

static struct few__store *create(const char *path)
{
    const struct few__store_new what = made();
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(path, &what, NULL, &store, &err), FEW_OK, &err);
    return store;
}

static struct few__store *append(const char *path)
{
    const struct few__store_new what = made();
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_append(path, &what, NULL, &store, &err), FEW_OK, &err);
    return store;
}

static void close_store(struct few__store *store)
{
    struct few_error err;
    assert_status(few__store_close(store, &err), FEW_OK, &err);
}

// Item i, as it was put the round-th time: every fifth one failed, every third one missed its deadline.
static enum few_status write_item(struct few__store *store, int i, int round, int64_t at,
                                  struct few_error *err)
{
    struct few__cell cells[MODELS];
    char path[32], digest[32];
    snprintf(path, sizeof path, "%d.jpg", i);
    snprintf(digest, sizeof digest, "digest %d", i / 2);
    fix_cells(&arena, i + round, cells);
    bool bad = i % 5 == 4 && round == 0;
    if (bad) cells[HAND] = (struct few__cell){FEW_FAILED, "no hand", -1, 0, -1, NULL, 0};
    struct few__item_row item = {.path = path,
                                 .digest = digest,
                                 .size = 1000 + (uint64_t)i,
                                 .mtime_us = 5000 + i + round,
                                 .runtime_us = 11,
                                 .run_all_us = 100 + i,
                                 .deadline_missed = i % 3 == 0,
                                 .status = bad && i % 2 ? FEW_EDECODE : FEW_OK,
                                 .message = bad ? "bad" : "",
                                 FEW__NO_STREAM};
    return at < 0 ? few__store_put(store, &item, cells, err)
                  : few__store_replace(store, at, &item, cells, err);
}

static void put(struct few__store *store, int i)
{
    struct few_error err;
    assert_status(write_item(store, i, 0, -1, &err), FEW_OK, &err);
}

/* ---- going on ---- */

static void test_goes_on(void **state)
{
    (void)state;
    struct few__cell cells[MODELS];
    struct few__item_row item;
    struct few_error err;
    struct few_cost costs[MODELS] = {{0}};
    int64_t n;
    costs[TAGS] =
        (struct few_cost){.time_us = 5, .memory_bytes = 90, .weights_bytes = 60, .load_us = 8, .more_us = 2};
    struct few__store *store = create(t_path("a.db"));
    for (int i = 0; i < 100; i++) put(store, i);
    assert_status(few__store_set_costs(store, costs, &err), FEW_OK, &err);
    close_store(store);
    store = append(t_path("a.db"));
    assert_memory_equal(&few__store_catalog(store)->models[TAGS].cost, &costs[TAGS], sizeof costs[TAGS]);
    assert_status(few__store_count(store, &n, &err), FEW_OK, &err);
    assert_int_equal(n, 100);
    for (int i = 100; i < 170; i++) put(store, i);
    close_store(store);
    assert_int_equal(access(t_path("a.db-wal"), F_OK), -1);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_rewind(store, true, &err), FEW_OK, &err);
    for (int i = 0; i < 170; i++) {
        assert_status(few__store_next(store, &item, cells, &err), FEW_OK, &err);
        assert_int_equal(item.id, i);
        assert_int_equal(item.size, 1000 + i);
        assert_int_equal(item.mtime_us, 5000 + i);
        assert_int_equal(item.runtime_us, 11);
        assert_int_equal(item.run_all_us, 100 + i);
    }
    assert_status(few__store_next(store, &item, cells, &err), FEW_END, &err);
    close_store(store);
}

static void test_notes_are_replaced(void **state)
{
    (void)state;
    struct few__store_new what = made();
    struct few__store *store;
    struct few_error err;
    what.notes_json = "{\"a\":1}";
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_string_equal(few__store_notes(store), "{\"a\":1}");
    close_store(store);
    what.notes_json = "{\"b\":2}";
    what.zoo_path = "elsewhere.yaml"; // where it lies changes no result
    what.config_json = "{ \"deadline_ms\": 60, \"policy\": \"random:1\" }";
    assert_status(few__store_append(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_string_equal(few__store_notes(store), "{\"b\":2}");
    assert_string_equal(few__store_config(store), made().config_json);
    close_store(store);
    store = append(t_path("a.db"));
    assert_string_equal(few__store_notes(store), "{}");
    close_store(store);
}

static void refuse(const char *path, const struct few__store_new *what, enum few_status status,
                   const char *message)
{
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_append(path, what, NULL, &store, &err), status, &err);
    assert_null(store);
    if (!strstr(err.message, message)) fail_msg("expected \"%s\", found \"%s\"", message, err.message);
    if (status == FEW_EVERSION) assert_int_equal(strncmp(err.message, path, strlen(path)), 0);
}

static void test_refuses_another_configuration(void **state)
{
    (void)state;
    static const struct {
        const char *config, *message;
    } cases[] = {
        {"{\"policy\":\"static:t.db\",\"deadline_ms\":60}", "was made with policy random:1, now static:t.db"},
        {"{\"policy\":\"random:1\",\"deadline_ms\":60.5}", "was made with deadline_ms 60, now 60.5"},
        {"{\"policy\":\"random:1\"}", "was made with deadline_ms 60, now none"},
        {"{\"policy\":\"random:1\",\"deadline_ms\":60,\"seed\":{\"a\":[1,null]}}",
         "was made with seed none, now {\"a\":[1,null]}"},
        {NULL, "was made with policy random:1, now none"},
    };
    close_store(create(t_path("a.db")));
    struct few__store_new what = made();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        what.config_json = cases[i].config;
        refuse(t_path("a.db"), &what, FEW_EVERSION, cases[i].message);
    }
    char far[600];
    snprintf(far, sizeof far, "{\"policy\":\"%0*d\"}", 500, 1); // a value is cut, not the message
    what.config_json = far;
    refuse(t_path("a.db"), &what, FEW_EVERSION, "now 000000");
    what.config_json = "[1]";
    refuse(t_path("a.db"), &what, FEW_EINVAL, "expected a JSON object, found [1]");
    what.config_json = "{";
    refuse(t_path("a.db"), &what, FEW_EINVAL, "expected a JSON object");
    what = made();
    what.purpose = "trace";
    refuse(t_path("a.db"), &what, FEW_EVERSION, "expected a trace, found a run");
    what = made();
    fix_sql(t_path("a.db"), "UPDATE meta SET value = '7' WHERE key = 'config'");
    refuse(t_path("a.db"), &what, FEW_ESTORE, "expected a JSON object, found 7");
    close_store(create(t_path("b.db"))); // whoever was refused left no lock
    close_store(append(t_path("b.db")));
}

static void refuse_changed(const char *message)
{
    const struct few__store_new what = made();
    refuse(t_path("a.db"), &what, FEW_EVERSION, message);
}

static void test_refuses_another_zoo(void **state)
{
    (void)state;
    struct few_model changed[MODELS];
    close_store(create(t_path("a.db")));
    const struct few_catalog was = catalog;
    catalog.models = changed;
#define CHANGE(m, what, message)                     \
    do {                                             \
        memcpy(changed, was.models, sizeof changed); \
        struct few_model *model = &changed[m];       \
        what;                                        \
        refuse_changed(message);                     \
    } while (0)
    CHANGE(TAGS, model->name = "tag", "model 1 was 'tags', now 'tag'");
    CHANGE(SCENE, memcpy(model->digest, "0123456789abcdef", 17),
           "model 'scene' has changed (digest 00ff, now 0123456789ab)");
    CHANGE(FACE, memcpy(model->digest, "11", 3), "model 'face' has changed (digest unknown, now 11)");
    CHANGE(AGE, model->kind = FEW_VECTOR, "model 'age' was of kind scalar, now vector");
    CHANGE(AGE, model->modality = FEW_SOUND, "model 'age' was one of image, now of sound");
    CHANGE(OBJECTS, model->n_labels = 2, "model 'objects' has other labels than before (3, now 2)");
    CHANGE(OBJECTS, model->is_null = NULL, "model 'objects' has other labels");
    CHANGE(TAGS, model->threshold = 0.25F, "model 'tags' had threshold 0.5 and empty 0, now 0.25 and 0");
    CHANGE(AGE, model->needs = -1, "model 'age' needed face, now none");
    CHANGE(OBJECTS_BIG, model->variant_of = -1, "model 'objects_big' was a variant of objects, now of none");
#undef CHANGE
    memcpy(changed, was.models, sizeof changed);
    changed[TAGS].cost.time_us = 77; // costs and priorities may change
    changed[TAGS].priority = 3;
    close_store(append(t_path("a.db")));
    catalog.n_models = MODELS - 1;
    refuse_changed("has 9 models, now 8");
    catalog.n_models = MODELS;
}

static void test_refuses_other_files(void **state)
{
    (void)state;
    const struct few__store_new what = made();
    refuse(t_path("none.db"), &what, FEW_ENOENT, "none.db: not found");
    refuse(t_tmpdir(), &what, FEW_ESTORE, "found a folder");
    t_write(t_path("text.db"), "no database at all, but long enough to look into", 48);
    refuse(t_path("text.db"), &what, FEW_ESTORE, "expected a trace or run file");
    t_write(t_path("empty.db"), "", 0);
    refuse(t_path("empty.db"), &what, FEW_ESTORE, "expected a trace or run file");
    fix_store(t_path("old.db"), 1, false);
    fix_sql(t_path("old.db"), "PRAGMA user_version = 2");
    refuse(t_path("old.db"), &what, FEW_EVERSION, "expected version 3 of the file, found 2");
    struct few__store *store = create(t_path("shut.db"));
    put(store, 0);
    close_store(store);
    assert_int_equal(chmod(t_path("shut.db"), 0444), 0);
    if (geteuid() != 0) refuse(t_path("shut.db"), &what, FEW_ESTORE, "may not be written to");
}

/* ---- finding ---- */

static void test_finds(void **state)
{
    (void)state;
    struct few__known known;
    struct few_error err;
    char name[32];
    struct few__store *store = create(t_path("a.db"));
    for (int i = 0; i < 150; i++) put(store, i);
    put(store, 7);                            // the path again
    for (int again = 0; again < 2; again++) { // what is not committed counts; and after a break
        for (int i = 0; i < 150; i++) {
            snprintf(name, sizeof name, "%d.jpg", i);
            assert_status(few__store_find_path(store, name, &known, &err), FEW_OK, &err);
            assert_int_equal(known.id, i);
            assert_int_equal(known.size, 1000 + i);
            assert_int_equal(known.mtime_us, 5000 + i);
            assert_int_equal(known.failed, i % 5 == 4);
            assert_int_equal(known.late, i % 4 == 3);
            snprintf(name, sizeof name, "digest %d", i / 2);
            assert_string_equal(known.digest, name);
        }
        // Items 2 and 3 are alike, and 4 and 5: 3 is late, 4 failed. Of 14 and 15 neither will do.
        assert_status(few__store_find_digest(store, "digest 1", &known, &err), FEW_OK, &err);
        assert_int_equal(known.id, 2);
        assert_status(few__store_find_digest(store, "digest 2", &known, &err), FEW_OK, &err);
        assert_int_equal(known.id, 5);
        assert_status(few__store_find_digest(store, "digest 7", &known, &err), FEW_END, &err);
        assert_status(few__store_find_digest(store, "", &known, &err), FEW_END, &err);
        assert_status(few__store_find_path(store, "7.jp", &known, &err), FEW_END, &err);
        assert_int_equal(known.id, -1);
        close_store(store);
        store = append(t_path("a.db"));
    }
    close_store(store);
}

static void test_next_failed(void **state)
{
    (void)state;
    struct few_error err;
    const char *path;
    char name[32];
    int64_t id = -1;
    struct few__store *store = create(t_path("a.db"));
    for (int i = 0; i < 100; i++) put(store, i);
    for (int i = 4; i < 100; i += 5) {
        assert_status(few__store_next_failed(store, id, &id, &path, &err), FEW_OK, &err);
        assert_int_equal(id, i);
        snprintf(name, sizeof name, "%d.jpg", i);
        assert_string_equal(path, name);
        if (i % 2) assert_status(write_item(store, i, 1, id, &err), FEW_OK, &err); // mended
    }
    assert_status(few__store_next_failed(store, id, &id, &path, &err), FEW_END, &err);
    id = -1;
    for (int i = 4; i < 100; i += 10) {
        assert_status(few__store_next_failed(store, id, &id, &path, &err), FEW_OK, &err);
        assert_int_equal(id, i);
    }
    close_store(store);
}

static void test_get_and_replace(void **state)
{
    (void)state;
    struct few__cell cells[MODELS], want[MODELS];
    struct few__item_row item;
    struct few_error err;
    uint8_t picture[FEW__STORE_THUMBNAIL] = {1, 2, 3};
    struct few__store *store = create(t_path("a.db"));
    for (int i = 0; i < 80; i++) put(store, i);
    fix_cells(&arena, 0, cells);
    struct few__item_row row = {
        .path = "new.jpg", .digest = "n", .size = 3, .thumbnail = picture, FEW__NO_STREAM};
    assert_status(few__store_replace(store, 4, &row, cells, &err), FEW_OK, &err);
    assert_status(few__store_replace(store, 80, &row, cells, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "has no item 80"));
    assert_status(few__store_replace(store, -1, &row, cells, &err), FEW_ENOENT, &err);
    assert_status(write_item(store, 9, 1, 9, &err), FEW_OK, &err);
    for (int again = 0; again < 2; again++) {
        assert_status(few__store_get(store, 4, &item, cells, &err), FEW_OK, &err);
        assert_string_equal(item.path, "new.jpg");
        assert_int_equal(item.id, 4);
        assert_memory_equal(item.thumbnail, picture, sizeof picture);
        assert_int_equal(cells[HAND].outcome, FEW_EXECUTED);
        assert_status(few__store_get(store, 9, &item, cells, &err), FEW_OK, &err);
        assert_int_equal(item.status, FEW_OK);
        assert_null(item.thumbnail);
        fix_cells(&arena, 10, want);
        assert_int_equal(cells[HAND].n_output, want[HAND].n_output);
        assert_memory_equal(cells[HAND].output, want[HAND].output, want[HAND].n_output);
        assert_status(few__store_get(store, 80, &item, cells, &err), FEW_END, &err);
        assert_status(few__store_get(store, -1, &item, cells, &err), FEW_END, &err);
        close_store(store);
        store = append(t_path("a.db"));
    }
    close_store(store);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_replace(store, 4, &row, cells, &err), FEW_EINVAL, &err);
    close_store(store);
}

/* ---- totals ---- */

static void test_totals(void **state)
{
    (void)state;
    struct few__totals live, read;
    struct few_error err;
    struct few__store *store = create(t_path("a.db"));
    for (int i = 0; i < 100; i++) put(store, i);
    for (int i = 4; i < 100; i += 15) assert_status(write_item(store, i, 1, i, &err), FEW_OK, &err);
    few__store_totals(store, &live);
    close_store(store);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    few__store_totals(store, &read);
    assert_memory_equal(&live, &read, sizeof live);
    struct few__totals sums;
    fix_totals(store, &sums);
    assert_memory_equal(&live, &sums, sizeof live);
    assert_int_equal(live.items, 100);
    assert_int_equal(live.items_failed, 7); // 9, 19, ... 99, but 19, 49, 79 were mended
    assert_int_equal(live.runtime_us, 1100);
    close_store(store);
}

static void test_totals_that_are_wrong(void **state)
{
    (void)state;
    static const char *const wrongs[] = {
        "UPDATE totals SET items = 4",
        "UPDATE totals SET executed = executed + 1",
        "UPDATE totals SET items_failed = 4",
        "UPDATE totals SET items_failed = -1",
        "DELETE FROM totals",
        "DROP TABLE totals",
        "DELETE FROM items WHERE id = 2",
    };
    struct few__store *store;
    struct few_error err;
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        fix_store(t_path("a.db"), 3, false);
        fix_sql(t_path("a.db"), wrongs[i]);
        assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_ESTORE, &err);
        assert_non_null(strstr(err.message, "totals"));
    }
}

/* ---- one writer ---- */

static void test_one_writer(void **state)
{
    (void)state;
    const struct few__store_new what = made();
    struct few__store *reader, *again;
    struct few_error err;
    char me[64];
    assert_false(few__store_is_busy(t_path("a.db")));
    struct few__store *store = create(t_path("a.db"));
    assert_true(few__store_is_busy(t_path("a.db")));
    snprintf(me, sizeof me, "another process (pid %ld) is writing", (long)getpid());
    refuse(t_path("a.db"), &what, FEW_AGAIN, me);
    for (int i = 0; i < 70; i++) put(store, i);
    assert_status(few__store_open(t_path("a.db"), NULL, &reader, &err), FEW_OK, &err);
    assert_true(few__store_is_busy(t_path("a.db")));
    close_store(store);
    assert_false(few__store_is_busy(t_path("a.db"))); // a reader does not keep a writer out
    store = append(t_path("a.db"));
    close_store(reader);
    assert_true(few__store_is_busy(t_path("a.db")));
    assert_int_not_equal(few__store_remove(t_path("a.db"), &err), FEW_OK);
    struct few__store_new over = what;
    over.overwrite = true;
    assert_status(few__store_create(t_path("a.db"), &over, NULL, &again, &err), FEW_ESTORE, &err);
    assert_int_equal(access(t_path("a.db-new"), F_OK), -1);
    put(store, 70);
    close_store(store);
    assert_false(few__store_is_busy(t_path("a.db")));
    assert_false(few__store_is_busy(t_tmpdir()));
}

// A child that writes to a.db until it is killed, and says when it is there.
static pid_t writing_child(int ready[2])
{
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct few__store *store = append(t_path("a.db"));
        put(store, 0);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;) pause();
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void test_another_process_writes(void **state)
{
    (void)state;
    const struct few__store_new what = made();
    struct few__store *reader;
    struct few_error err;
    char who[64];
    int ready[2], how;
    close_store(create(t_path("a.db")));
    pid_t child = writing_child(ready);
    assert_true(few__store_is_busy(t_path("a.db")));
    snprintf(who, sizeof who, "another process (pid %ld) is writing", (long)child);
    refuse(t_path("a.db"), &what, FEW_AGAIN, who);
    assert_status(few__store_open(t_path("a.db"), NULL, &reader, &err), FEW_OK, &err);
    assert_true(few__store_is_busy(t_path("a.db"))); // asks through the reader's descriptor
    close_store(reader);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_false(few__store_is_busy(t_path("a.db")));
    struct few__store *store = append(t_path("a.db"));
    put(store, 0);
    close_store(store);
}

/* ---- transactions, limit ---- */

static int64_t now; // of the clock below

static int64_t read_clock(void *ud)
{
    (void)ud;
    return now;
}

static uint64_t committed(const char *path)
{
    struct few__totals totals;
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_open(path, NULL, &store, &err), FEW_OK, &err);
    few__store_totals(store, &totals);
    close_store(store);
    return totals.items;
}

static void test_commits_by_time(void **state)
{
    (void)state;
    const struct few_env env = {.clock = {.now_us = read_clock}};
    const struct few__store_new what = made();
    struct few__store *store;
    struct few_error err;
    now = 50;
    assert_status(few__store_create(t_path("a.db"), &what, &env, &store, &err), FEW_OK, &err);
    put(store, 0);
    now += FEW__STORE_BATCH_US - 1;
    put(store, 1);
    assert_int_equal(committed(t_path("a.db")), 0);
    now += 1;
    put(store, 2);
    assert_int_equal(committed(t_path("a.db")), 3);
    now += 1;
    put(store, 3);
    now += FEW__STORE_BATCH_US - 1;
    put(store, 4);
    assert_int_equal(committed(t_path("a.db")), 3); // the second clock started with item 3
    for (int i = 5; i < 3 + FEW__STORE_BATCH; i++) put(store, i);
    assert_int_equal(committed(t_path("a.db")), 3 + FEW__STORE_BATCH);
    close_store(store);
}

static uint64_t size_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static void test_limit(void **state)
{
    (void)state;
    enum { LIMIT = 3 << 20, MORE = 4 << 20, MOST = 20000 };
    struct few_error err;
    char log[4200];
    snprintf(log, sizeof log, "%s-wal", t_path("a.db"));
    struct few__store *store = create(t_path("a.db"));
    assert_int_equal(few__store_bytes(store), size_of(t_path("a.db")) + size_of(log));
    few__store_limit(store, LIMIT);
    int n = 0;
    enum few_status status;
    while ((status = write_item(store, n, 0, -1, &err)) == FEW_OK && n < MOST) {
        n++;
        if (size_of(t_path("a.db")) + size_of(log) > LIMIT) fail_msg("over the limit after %d items", n);
    }
    assert_status(status, FEW_ELIMIT, &err);
    assert_non_null(strstr(err.message, "the limit is 3145728; what is done is kept"));
    assert_int_equal(committed(t_path("a.db")), n);
    assert_status(write_item(store, n, 0, -1, &err), FEW_ELIMIT, &err); // and again
    assert_true(few__store_bytes(store) <= LIMIT);
    close_store(store);
    assert_true(size_of(t_path("a.db")) <= LIMIT);
    assert_true(size_of(t_path("a.db")) > LIMIT - (400 << 10)); // most of it was used
    store = append(t_path("a.db"));
    few__store_limit(store, MORE);
    put(store, n);
    few__store_limit(store, 0);
    for (int i = n + 1; i < n + 200; i++) put(store, i);
    close_store(store);
    assert_int_equal(committed(t_path("a.db")), n + 200);
}

/* ---- cost of asking ---- */

static void assert_plan(const char *path, const char *query, const char *expected)
{
    char text[400];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", query);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    if (!strstr((const char *)sqlite3_column_text(stmt, 3), expected))
        fail_msg("%s: expected %s, found %s", query, expected, (const char *)sqlite3_column_text(stmt, 3));
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

static void test_look_ups_use_indexes(void **state)
{
    (void)state;
    fix_store(t_path("a.db"), 1, false);
    assert_plan(t_path("a.db"), "SELECT * FROM items WHERE path = ?1 ORDER BY id LIMIT 1",
                "USING INDEX items_path (path=?)");
    assert_plan(t_path("a.db"),
                "SELECT * FROM items WHERE digest = ?1 AND digest <> '' AND failed = 0 AND late = 0"
                " ORDER BY id LIMIT 1",
                "USING INDEX items_digest (digest=?)");
    assert_plan(t_path("a.db"), "SELECT id, path FROM items WHERE failed = 1 AND id > ?1 ORDER BY id LIMIT 1",
                "USING INDEX items_failed (failed=? AND rowid>?)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_notes_are_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_another_configuration, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_another_zoo, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_other_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_finds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_next_failed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_get_and_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_totals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_totals_that_are_wrong, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_process_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_commits_by_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_look_ups_use_indexes, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
