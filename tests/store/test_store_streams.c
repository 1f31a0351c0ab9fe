// SPDX-License-Identifier: Apache-2.0
// Streams and looks: what is put comes out, in the transaction of the items, and damage is named.
#include "store/set_up.h"

#include <math.h>

#include "store/store_inside.h"
#include "store/trace.h"

static struct few__store_new made(void)
{
    return (struct few__store_new){.purpose = "run", .catalog = &catalog, .overwrite = true};
}

static struct few__store *create(void)
{
    const struct few__store_new what = made();
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    return store;
}

static struct few__store *reopen(struct few__store *store)
{
    struct few_error err;
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    return store;
}

static struct few__stream_row sample(void)
{
    return (struct few__stream_row){.id = -1,
                                    .path = "clips/street 1.mp4",
                                    .options = "{\"fps\":2}",
                                    .size = 123456789012,
                                    .mtime_us = 1700000000000000,
                                    .is_live = true,
                                    .width = 1280,
                                    .height = 720,
                                    .fps = 29.97,
                                    .duration_us = 60000000,
                                    .n_in = 10,
                                    .n_analysed = 4,
                                    .n_reused = 3,
                                    .n_dropped = 2,
                                    .n_failed = 1,
                                    .n_damaged = 5,
                                    .n_reconnects = 6,
                                    .last_us = 4500000,
                                    .newest_age_us = 80000,
                                    .ended = true,
                                    .message = "gave up after 6 attempts"};
}

static void assert_same(const struct few__stream_row *a, const struct few__stream_row *b)
{
    struct few__stream_row x = *a, y = *b;
    assert_string_equal(a->path, b->path);
    assert_string_equal(a->options, b->options);
    assert_string_equal(a->message, b->message);
    assert_near(a->fps, b->fps, 0);
    x.path = x.options = x.message = y.path = y.options = y.message = NULL;
    x.fps = y.fps = 0;
    assert_memory_equal(&x.size, &y.size, sizeof x.size);
    assert_int_equal(x.id, y.id);
    assert_int_equal(x.mtime_us, y.mtime_us);
    assert_int_equal(x.is_live, y.is_live);
    assert_int_equal(x.width, y.width);
    assert_int_equal(x.height, y.height);
    assert_int_equal(x.duration_us, y.duration_us);
    assert_int_equal(x.n_in, y.n_in);
    assert_int_equal(x.n_analysed, y.n_analysed);
    assert_int_equal(x.n_reused, y.n_reused);
    assert_int_equal(x.n_dropped, y.n_dropped);
    assert_int_equal(x.n_failed, y.n_failed);
    assert_int_equal(x.n_damaged, y.n_damaged);
    assert_int_equal(x.n_reconnects, y.n_reconnects);
    assert_int_equal(x.last_us, y.last_us);
    assert_int_equal(x.newest_age_us, y.newest_age_us);
    assert_int_equal(x.ended, y.ended);
}

/* ---- streams ---- */

static void test_comes_back(void **state)
{
    (void)state;
    struct few__stream_row row = sample(), got;
    struct few_error err;
    struct few__store *store = create();
    assert_int_equal(few__store_n_streams(store), 0);
    assert_status(few__store_find_stream(store, row.path, &got, &err), FEW_END, &err);
    assert_status(few__store_put_stream(store, &row, &err), FEW_OK, &err);
    assert_int_equal(row.id, 0);
    assert_int_equal(fix_stream(store, "other.mp4"), 1);
    assert_int_equal(few__store_n_streams(store), 2);
    for (int again = 0; again < 2; again++) { // not committed yet, then from the file
        assert_status(few__store_find_stream(store, row.path, &got, &err), FEW_OK, &err);
        assert_same(&got, &row);
        assert_status(few__store_get_stream(store, 0, &got, &err), FEW_OK, &err);
        assert_same(&got, &row);
        assert_status(few__store_get_stream(store, 1, &got, &err), FEW_OK, &err);
        assert_string_equal(got.path, "other.mp4");
        assert_string_equal(got.options, "{}");
        assert_string_equal(got.message, "");
        assert_status(few__store_get_stream(store, 2, &got, &err), FEW_END, &err);
        assert_status(few__store_get_stream(store, -1, &got, &err), FEW_END, &err);
        assert_status(few__store_find_stream(store, "street 1.mp4", &got, &err), FEW_END, &err);
        if (!again) store = reopen(store);
        assert_int_equal(few__store_n_streams(store), 2);
    }
    assert_status(few__store_put_stream(store, &row, &err), FEW_EINVAL, &err);
    few__store_close(store, NULL);
}

static void test_is_renewed(void **state)
{
    (void)state;
    struct few__stream_row row = sample(), got;
    struct few_error err;
    const struct few__store_new what = made();
    struct few__store *store = create();
    assert_status(few__store_put_stream(store, &row, &err), FEW_OK, &err);
    row.n_in = 99;
    row.fps = NAN; // not known, and nothing that a file may hold
    row.message = "";
    assert_status(few__store_put_stream(store, &row, &err), FEW_OK, &err);
    assert_int_equal(row.id, 0);
    assert_int_equal(few__store_n_streams(store), 1);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    assert_status(few__store_append(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_find_stream(store, row.path, &got, &err), FEW_OK, &err);
    assert_int_equal(got.n_in, 99);
    assert_near(got.fps, 0, 0);
    assert_int_equal(fix_stream(store, "next"), 1); // numbers go on
    row.id = 2;
    assert_status(few__store_put_stream(store, &row, &err), FEW_ENOENT, &err);
    assert_non_null(strstr(err.message, "a.db: has no stream 2"));
    few__store_close(store, NULL);
}

static void test_same_path_twice(void **state)
{
    (void)state;
    struct few__stream_row got;
    struct few_error err;
    struct few__store *store = create();
    assert_int_equal(fix_stream(store, "a"), 0);
    assert_int_equal(fix_stream(store, "a"), 1);
    assert_status(few__store_find_stream(store, "a", &got, &err), FEW_OK, &err);
    assert_int_equal(got.id, 0);
    few__store_close(store, NULL);
}

static void test_limit(void **state)
{
    (void)state;
    struct few__stream_row row = sample();
    struct few_error err;
    const struct few__store_new what = made();
    struct few__store *store = create();
    fix_stream(store, "a");
    few__store_close(store, NULL);
    fix_sql(t_path("a.db"), "UPDATE streams SET id = 999999");
    assert_status(few__store_append(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    assert_int_equal(few__store_n_streams(store), FEW__STREAMS_MAX);
    assert_status(few__store_put_stream(store, &row, &err), FEW_ELIMIT, &err);
    assert_int_equal(row.id, -1);
    row.id = FEW__STREAMS_MAX - 1;
    assert_status(few__store_put_stream(store, &row, &err), FEW_OK, &err);
    few__store_close(store, NULL);
    fix_sql(t_path("a.db"), "UPDATE streams SET id = 1000000");
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "streams that cannot be"));
}

static enum few_status put_item(struct few__store *store, int64_t stream, struct few_error *err)
{
    struct few__cell cells[MODELS];
    fix_cells(&arena, 0, cells);
    struct few__item_row row = {.path = "x", .stream = stream, .at_us = 5, .age_us = -1};
    return few__store_put(store, &row, cells, err);
}

static void test_items_are_of_streams_that_were_put(void **state)
{
    (void)state;
    struct few_error err;
    struct few__store *store = create();
    assert_status(put_item(store, 0, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected an item of no stream or of 0, found one of stream 0"));
    fix_stream(store, "a");
    assert_status(put_item(store, 0, &err), FEW_OK, &err);
    assert_status(put_item(store, 1, &err), FEW_EINVAL, &err);
    assert_status(put_item(store, -1, &err), FEW_OK, &err);
    few__store_close(store, NULL);
}

// Streams go with the transaction that their items are in: the file has both or neither, and the numbers start again.
static void test_is_undone_with_the_items(void **state)
{
    (void)state;
    struct few_error err;
    struct few__stream_row got;
    struct few__store *store = create(), *reader;
    fix_stream(store, "kept");
    for (int i = 0; i < FEW__STORE_BATCH; i++) assert_status(put_item(store, 0, &err), FEW_OK, &err);
    fix_stream(store, "lost");
    assert_status(put_item(store, 1, &err), FEW_OK, &err);
    assert_status(few__store_open(t_path("a.db"), NULL, &reader, &err), FEW_OK, &err);
    assert_int_equal(few__store_n_streams(reader), 1);
    few__store_close(reader, NULL);
    few__store_roll_back(store);
    assert_int_equal(few__store_n_streams(store), 1);
    assert_status(few__store_get_stream(store, 1, &got, &err), FEW_END, &err);
    assert_status(few__store_get_stream(store, 0, &got, &err), FEW_OK, &err);
    assert_int_equal(fix_stream(store, "again"), 1);
    few__store_close(store, NULL);
}

static void test_damaged_streams(void **state)
{
    (void)state;
    struct few__stream_row got;
    struct few__trace *trace;
    struct few_error err;
    struct few__store *store = create();
    fix_stream(store, "a");
    fix_stream(store, "b");
    assert_status(put_item(store, 0, &err), FEW_OK, &err);
    few__store_close(store, NULL);
    fix_sql(t_path("a.db"), "DELETE FROM streams WHERE id = 0");
    assert_status(few__trace_load(t_path("a.db"), true, NULL, &trace, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "a.db: damaged: item 0 is of a stream that is missing"));
    fix_sql(t_path("a.db"), "PRAGMA writable_schema = 1;"
                            "UPDATE sqlite_master SET sql = replace(sql, 'message TEXT NOT NULL', 'message')"
                            " WHERE name = 'streams'");
    fix_sql(t_path("a.db"), "UPDATE streams SET message = NULL");
    assert_status(few__store_open(t_path("a.db"), NULL, &store, &err), FEW_OK, &err);
    assert_status(few__store_get_stream(store, 0, &got, &err), FEW_END, &err);
    assert_status(few__store_get_stream(store, 1, &got, &err), FEW_ESTORE, &err);
    assert_non_null(strstr(err.message, "a.db: damaged: stream 1 is not whole"));
    few__store_close(store, NULL);
}

// One who reads has what there was when it opened the file, so that no item is of a stream that it does not know.
static void test_reader_does_not_see_what_comes(void **state)
{
    (void)state;
    struct few__item_row item;
    struct few__cell cells[MODELS];
    struct few_error err;
    struct few__store *store = create(), *reader;
    fix_stream(store, "a");
    for (int i = 0; i < FEW__STORE_BATCH; i++) assert_status(put_item(store, 0, &err), FEW_OK, &err);
    assert_status(few__store_open(t_path("a.db"), NULL, &reader, &err), FEW_OK, &err);
    fix_stream(store, "b");
    for (int i = 0; i < FEW__STORE_BATCH; i++) assert_status(put_item(store, 1, &err), FEW_OK, &err);
    assert_status(few__store_rewind(reader, true, &err), FEW_OK, &err);
    for (int i = 0; i < FEW__STORE_BATCH; i++) {
        assert_status(few__store_next(reader, &item, cells, &err), FEW_OK, &err);
        assert_true(item.stream < few__store_n_streams(reader));
    }
    assert_status(few__store_next(reader, &item, cells, &err), FEW_END, &err);
    assert_status(few__store_get(reader, FEW__STORE_BATCH, &item, cells, &err), FEW_END, &err);
    few__store_close(reader, NULL);
    few__store_close(store, NULL);
}

/* ---- looks ---- */

static void test_looks_are_packed(void **state)
{
    (void)state;
    static uint8_t look[FEW__STORE_LOOK], back[FEW__STORE_LOOK];
    struct few__look_packer packer = {0};
    const void *packed;
    size_t n;
    for (int i = 0; i < 21; i++) {
        fix_look(look, i);
        assert_int_equal(few__look_pack(&packer, look, &packed, &n), FEW_OK);
        assert_true(n <= deflateBound(&packer.out, FEW__STORE_LOOK));
        assert_true(deflateBound(&packer.out, FEW__STORE_LOOK) <= FEW__LOOK_PACKED_MAX);
        if (i % 7 != 6) assert_true(n < FEW__STORE_LOOK / 6);
        memset(back, 0xee, sizeof back);
        assert_int_equal(few__look_unpack(&packer, packed, n, back), FEW_OK);
        assert_memory_equal(look, back, sizeof look);
    }
    few__look_packer_finish(&packer);
    few__look_packer_finish(&packer);
}

static void test_damaged_looks(void **state)
{
    (void)state;
    static uint8_t look[FEW__STORE_LOOK], bytes[FEW__LOOK_PACKED_MAX + 1];
    struct few__look_packer packer = {0};
    const void *packed;
    size_t n;
    fix_look(look, 1);
    assert_int_equal(few__look_pack(&packer, look, &packed, &n), FEW_OK);
    memcpy(bytes, packed, n);
    assert_int_equal(few__look_unpack(&packer, bytes, 0, look), FEW_EPARSE);
    assert_int_equal(few__look_unpack(&packer, bytes, n - 1, look), FEW_EPARSE);
    assert_int_equal(few__look_unpack(&packer, bytes, n + 1, look), FEW_EPARSE);
    assert_int_equal(few__look_unpack(&packer, bytes, sizeof bytes, look), FEW_EPARSE);
    bytes[n / 2] ^= 4; // zlib's check sum tells
    assert_int_equal(few__look_unpack(&packer, bytes, n, look), FEW_EPARSE);
    few__look_packer_finish(&packer);
}

/* ---- a trace of them ---- */

static void make_trace(int64_t step_us, int n)
{
    struct few_error err;
    struct few__cell cells[MODELS];
    uint8_t look[FEW__STORE_LOOK];
    char name[64];
    struct few__store *store = create();
    fix_stream(store, "some/where/clip.mp4");
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "some/where/clip.mp4#t=%d", i);
        fix_cells(&arena, i, cells);
        fix_look(look, i);
        struct few__item_row row = {
            .path = name, .at_us = i * step_us, .age_us = -1, .look = i % 2 ? look : NULL};
        assert_status(few__store_put(store, &row, cells, &err), FEW_OK, &err);
    }
    struct few__item_row row = {.path = "d.jpg", FEW__NO_STREAM};
    assert_status(few__store_put(store, &row, cells, &err), FEW_OK, &err);
    few__store_close(store, NULL);
}

static void test_trace(void **state)
{
    (void)state;
    // SHA-1 of clip.mp4#0 .. #5 modulo 100, by another program.
    static const int buckets[] = {55, 37, 38, 3, 36, 16};
    uint8_t look[FEW__STORE_LOOK];
    struct few__trace *trace;
    struct few_error err;
    make_trace(2500000, 24);
    for (int with = 0; with < 2; with++) {
        assert_status(few__trace_load(t_path("a.db"), with, NULL, &trace, &err), FEW_OK, &err);
        assert_int_equal(trace->n_items, 25);
        for (int i = 0; i < 24; i++) {
            const struct few__trace_item *item = &trace->items[i];
            assert_int_equal(item->stream, 0);
            assert_int_equal(item->at_us, 2500000 * i);
            assert_int_equal(item->bucket, buckets[i / 4]);
            assert_int_equal(item->look != NULL, with && i % 2);
            fix_look(look, i);
            if (item->look) assert_memory_equal(item->look, look, sizeof look);
        }
        assert_int_equal(trace->items[24].stream, -1);
        assert_int_equal(trace->items[24].bucket, 21); // as before streams: d.jpg
        assert_null(trace->items[24].look);
        assert_int_equal(trace->catalog.models[SCENE].modality, FEW_SOUND);
        few__trace_free(trace);
    }
}

/* ---- memory ---- */

static enum few_status write_body(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__store_new what = made();
    struct few__stream_row row = sample(), got;
    struct few__item_row item = {.path = "x", .look = ud};
    struct few__cell cells[MODELS];
    struct few__store *store;
    struct few_error err;
    fix_cells(&arena, 0, cells);
    enum few_status status = few__store_create(t_path("b.db"), &what, &env, &store, &err);
    if (status != FEW_OK) return status;
    status = few__store_put_stream(store, &row, &err);
    if (status == FEW_OK) status = few__store_put(store, &item, cells, &err);
    if (status == FEW_OK) status = few__store_find_stream(store, row.path, &got, &err);
    if (status == FEW_OK) status = few__store_get(store, 0, &item, cells, &err);
    if (status == FEW_OK) assert_non_null(item.look);
    enum few_status closed = few__store_close(store, NULL);
    return status != FEW_OK ? status : closed;
}

static enum few_status load_body(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few_env env = {.mem = mem};
    struct few__trace *trace;
    enum few_status status = few__trace_load(t_path("a.db"), true, &env, &trace, NULL);
    few__trace_free(trace);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    uint8_t look[FEW__STORE_LOOK];
    fix_look(look, 1);
    t_fail_each_allocation(write_body, look);
    make_trace(1000, 20);
    t_fail_each_allocation(load_body, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_renewed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_same_path_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_items_are_of_streams_that_were_put, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_is_undone_with_the_items, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_does_not_see_what_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_looks_are_packed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_damaged_looks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
