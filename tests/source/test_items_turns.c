// SPDX-License-Identifier: Apache-2.0
// Whose item is next: recordings, photographs, records and live streams in turns, with streams that the test makes up.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fake_stream.h"
#include "media/parts.h"
#include "source/items.h"

enum { TEXT_MAX = 8000, HELD_MAX = 16 };

static struct few_error err;

static struct few_items *open_items(const char *const *args, size_t n, struct few_items_opts opts)
{
    struct few_items *items;
    opts.size = sizeof opts;
    assert_status(few_items_open(args, n, &opts, &items, &err), FEW_OK, &err);
    return items;
}

// The name without its folder.
static const char *bare(const char *key)
{
    const char *folder = t_path("");
    size_t n = strlen(folder);
    return strncmp(key, folder, n) == 0 ? key + n : key;
}

// At most n items as "a#t=0 a#t=0.5 b.jpg ...", with "!" before what failed and the status at the end.
static const char *take(struct few_items *items, size_t n)
{
    static char text[TEXT_MAX];
    struct few__item item;
    enum few_status status = FEW_OK;
    text[0] = 0;
    for (size_t i = 0; i < n && status == FEW_OK; i++) {
        status = few__items_next(items, &item, &err);
        size_t used = strlen(text);
        if (status != FEW_OK) {
            snprintf(text + used, sizeof text - used, "%s",
                     status == FEW_END     ? "END"
                     : status == FEW_AGAIN ? "AGAIN"
                                           : "?");
            break;
        }
        bool failed = !item.moment && !item.record;
        assert_int_equal(failed, err.code != FEW_OK);
        assert_true(failed || !item.moment || !item.record);
        snprintf(text + used, sizeof text - used, "%s%s ", failed ? "!" : "", bare(item.key));
        few__items_give_back(items, &item);
    }
    size_t used = strlen(text);
    if (used && text[used - 1] == ' ') text[used - 1] = 0;
    return text;
}

static const char *joined(const char *name)
{
    static char paths[16][600];
    static size_t next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s", t_path(name));
    return path;
}

static void fresh(void)
{
    t_tmpdir();
    memset(&t_streams, 0, sizeof t_streams);
}

static void assert_all_closed(void)
{
    assert_int_equal(t_streams.n_open, 0);
    assert_int_equal(t_streams.in_hands, 0);
}

/* ---- order ---- */

static void test_photographs_keep_their_order(void **state)
{
    (void)state;
    fresh();
    const char *args[7];
    char name[16];
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "%d.jpg", i);
        args[i] = joined(name);
        t_write(args[i], "x", 1);
    }
    struct few_items *items = open_items(args, 7, (struct few_items_opts){.streams = 3});
    assert_string_equal(take(items, 100), "0.jpg 1.jpg 2.jpg 3.jpg 4.jpg 5.jpg 6.jpg END");
    assert_string_equal(take(items, 1), "END");
    few_items_close(items);
}

static void test_strict_turns(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 4);
    t_recording("b.mp4", 1);
    t_recording("c.mp4", 3);
    t_write(t_path("p.jpg"), "x", 1);
    const char *args[] = {joined("a.mp4"), joined("p.jpg"), joined("b.mp4"), joined("c.mp4")};
    struct few_items *items = open_items(args, 4, (struct few_items_opts){.streams = 2});
    assert_string_equal(take(items, 100), "a.mp4#t=0 p.jpg a.mp4#t=0.5 b.mp4#t=0 a.mp4#t=1 c.mp4#t=0 "
                                          "a.mp4#t=1.5 c.mp4#t=0.5 c.mp4#t=1 END");
    assert_int_equal(t_streams.n_open, 0); // each was closed when it had ended
    few_items_close(items);
    items = open_items(args, 4, (struct few_items_opts){.streams = 1});
    assert_string_equal(take(items, 4), "a.mp4#t=0 a.mp4#t=0.5 a.mp4#t=1 a.mp4#t=1.5");
    assert_int_equal(t_streams.n_open, 1);
    few__items_end(items);
    assert_all_closed();
    assert_string_equal(take(items, 4), "END");
    struct few__stream_about about;
    few__items_about(items, 0, &about);
    assert_true(about.ended);
    assert_int_equal(about.n_in, 4);
    few_items_close(items);
    assert_all_closed();
}

static void test_four_at_once_by_default(void **state)
{
    (void)state;
    fresh();
    const char *args[6];
    char name[16];
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%d.mkv", i);
        args[i] = joined(name);
        t_recording(name, 2);
    }
    struct few_items *items = open_items(args, 6, (struct few_items_opts){.size = 0});
    assert_string_equal(take(items, 5), "0.mkv#t=0 1.mkv#t=0 2.mkv#t=0 3.mkv#t=0 0.mkv#t=0.5");
    assert_int_equal(t_streams.n_open_max, 4);
    assert_string_equal(take(items, 100),
                        "1.mkv#t=0.5 2.mkv#t=0.5 3.mkv#t=0.5 4.mkv#t=0 5.mkv#t=0 4.mkv#t=0.5 "
                        "5.mkv#t=0.5 END");
    few_items_close(items);
}

static void test_limit(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 4);
    t_recording("b.mp4", 4);
    const char *args[] = {joined("a.mp4"), joined("b.mp4")};
    struct few_items *items = open_items(args, 2, (struct few_items_opts){.limit = 3});
    assert_int_equal(few_items_expected(items), 3);
    assert_string_equal(take(items, 100), "a.mp4#t=0 b.mp4#t=0 a.mp4#t=0.5 END");
    few_items_close(items);
    assert_all_closed();
}

static void test_expected(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 4);
    t_recording("b.wav", 0); // its header does not say
    t_write(t_path("p.jpg"), "x", 1);
    t_write(t_path("bad.mp4"), "x", 1);
    t_recording("noname", 2);
    const char *args[] = {joined("a.mp4"), joined("p.jpg"), joined("bad.mp4"), joined("noname"),
                          joined("b.wav")};
    struct few_items *items = open_items(args, 4, (struct few_items_opts){.size = 0});
    assert_int_equal(few_items_expected(items), 4 + 1 + 1 + 2);
    size_t opened = t_streams.n_containers;
    assert_int_equal(few_items_expected(items), 8);
    assert_int_equal(t_streams.n_containers, opened);
    few_items_close(items);
    items = open_items(args, 5, (struct few_items_opts){.size = 0});
    assert_int_equal(few_items_expected(items), 0);
    few_items_close(items);
    items = open_items(args, 5, (struct few_items_opts){.limit = 8});
    assert_int_equal(few_items_expected(items), 8); // whatever the last one has
    few_items_close(items);
}

/* ---- after an interruption ---- */

static void test_goes_on_in_the_same_order(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 5);
    t_recording("b.mp4", 1);
    t_recording("c.mp4", 4);
    t_recording("d.mp4", 2);
    const char *args[] = {joined("a.mp4"), joined("b.mp4"), joined("c.mp4"), joined("d.mp4")};
    char whole[TEXT_MAX], begun[TEXT_MAX], both[2 * TEXT_MAX + 2];
    struct few_items *items = open_items(args, 4, (struct few_items_opts){.streams = 2, .limit = 11});
    snprintf(whole, sizeof whole, "%s", take(items, 100));
    few_items_close(items);
    for (size_t n = 0; n <= 11; n++) {
        size_t taken[4] = {0};
        items = open_items(args, 4, (struct few_items_opts){.streams = 2, .limit = 11});
        snprintf(begun, sizeof begun, "%s", take(items, n));
        few_items_close(items);
        for (const char *at = begun; (at = strstr(at, ".mp4#")); at++) taken[at[-1] - 'a']++;
        items = open_items(args, 4, (struct few_items_opts){.streams = 2, .limit = 11});
        const size_t all[] = {5, 1, 4, 2};
        for (size_t i = 0; i < 4; i++) {
            if (taken[i] == all[i]) few__items_leave_out(items, i, taken[i]);
            else if (taken[i]) few__items_start_at(items, i, (int64_t)taken[i] * 500000 - 100, taken[i]);
        }
        snprintf(both, sizeof both, "%s%s%s", begun, n ? " " : "", take(items, 100));
        assert_string_equal(both, whole);
        few_items_close(items);
    }
    assert_all_closed();
}

static void test_left_out_is_not_opened(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 2);
    t_write(t_path("p.png"), "x", 1);
    const char *args[] = {joined("a.mp4"), joined("p.png")};
    struct few_items *items = open_items(args, 2, (struct few_items_opts){.size = 0});
    assert_true(few__items_is_recording(items, 0));
    assert_false(few__items_is_recording(items, 1));
    few__items_leave_out(items, 0, 2);
    few__items_leave_out(items, 1, 1); // no recording: nothing happens
    assert_string_equal(take(items, 100), "p.png END");
    assert_int_equal(t_streams.n_opened, 0);
    few_items_close(items);
}

/* ---- live ---- */

static void on_ready(void *ud)
{
    (void)ud;
}

static void test_live_streams(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 3);
    t_streams.live[0] = (struct t_live){.url = "rtsp://me:secret@host/x", .next_us = 1795242780123000};
    t_streams.live[1] = (struct t_live){.url = "udp://host/y", .next_us = 1795242780123456};
    const char *args[] = {"rtsp://me:secret@host/x", joined("a.mp4"), "udp://host/y"};
    struct few_items *items =
        open_items(args, 3, (struct few_items_opts){.live_reconnects = 7, .from_us = 1000000});
    assert_int_equal(few_items_expected(items), 0);
    const struct few__items_needs needs = {.in_hands = 3, .on_ready = on_ready, .ud = &err};
    assert_status(few__items_begin(items, &needs, &err), FEW_OK, &err);
    assert_int_equal(t_streams.n_open, 2); // at once, whatever is before them
    assert_true(t_streams.last.on_ready == on_ready && t_streams.last.ud == &err);
    assert_int_equal(t_streams.last.reconnects, 7);
    assert_int_equal(t_streams.last.in_hands, 3);
    assert_int_equal(t_streams.last.container.from_us, 0); // of recordings alone
    assert_false(few__items_is_recording(items, 0));
    assert_string_equal(take(items, 1), "a.mp4#t=0");
    t_streams.live[0].waiting = 2;
    t_streams.live[1].waiting = 1;
    assert_string_equal(take(items, 5), "rtsp://host/x#t=clock:2026-11-21T06:33:00.123Z "
                                        "udp://host/y#t=clock:2026-11-21T06:33:00.123456Z a.mp4#t=0.5 "
                                        "rtsp://host/x#t=clock:2026-11-21T06:33:00.163Z a.mp4#t=1");
    assert_string_equal(few_items_path(items, 0), "rtsp://host/x");
    assert_string_equal(take(items, 3), "AGAIN");
    t_streams.live[0].failure = FEW_EIO; // given up
    t_streams.live[0].ended = true;
    assert_string_equal(take(items, 3), "!rtsp://host/x AGAIN");
    struct few__stream_about about;
    few__items_about(items, 0, &about);
    assert_int_equal(about.n_in, 2);
    t_streams.live[1].waiting = 1;
    t_streams.live[1].ended = true;
    assert_string_equal(take(items, 3), "udp://host/y#t=clock:2026-11-21T06:33:00.163456Z END");
    few_items_close(items);
    assert_all_closed();
}

static void test_too_many_live_streams(void **state)
{
    (void)state;
    const char *args[FEW_STREAMS_MAX + 1];
    const struct few_items_opts opts = {.size = sizeof opts};
    struct few_items *items;
    for (size_t i = 0; i <= FEW_STREAMS_MAX; i++) args[i] = "udp://host/x";
    assert_status(few_items_open(args, FEW_STREAMS_MAX, &opts, &items, &err), FEW_OK, &err);
    few_items_close(items);
    assert_status(few_items_open(args, FEW_STREAMS_MAX + 1, &opts, &items, &err), FEW_ELIMIT, &err);
}

/* ---- what goes wrong ---- */

static void test_what_cannot_be_opened(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 1);
    t_recording("bad.mp4", -1);
    t_recording("z.mp4", 1);
    const char *args[] = {joined("a.mp4"), joined("bad.mp4"), joined("gone.mp4"), joined("z.mp4")};
    t_write(args[2], "x", 1);
    struct few_items *items = open_items(args, 4, (struct few_items_opts){.size = 0});
    assert_int_equal(remove(args[2]), 0);
    assert_string_equal(take(items, 2), "a.mp4#t=0 !bad.mp4");
    assert_int_equal(err.code, FEW_EDECODE);
    assert_string_equal(take(items, 1), "!gone.mp4");
    assert_int_equal(err.code, FEW_ENOENT);
    assert_string_equal(take(items, 9), "z.mp4#t=0 END");
    few_items_close(items);
    t_streams.refuse = FEW_EIO;
    items = open_items(args, 1, (struct few_items_opts){.size = 0});
    assert_string_equal(take(items, 9), "!a.mp4 END");
    few_items_close(items);
    t_streams.refuse = FEW_ENOMEM;
    items = open_items(args, 1, (struct few_items_opts){.size = 0});
    struct few__item item;
    assert_status(few__items_next(items, &item, &err), FEW_ENOMEM, &err);
    few_items_close(items);
    assert_all_closed();
}

// A stream stays open until what is held of it is back, however far the turns have gone.
static void test_moments_in_hands(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 2);
    t_recording("b.mp4", 3);
    const char *args[] = {joined("a.mp4"), joined("b.mp4")};
    struct few_items *items = open_items(args, 2, (struct few_items_opts){.streams = 1});
    struct few__item held[HELD_MAX];
    size_t n = 0;
    while (few__items_next(items, &held[n], &err) == FEW_OK) {
        assert_int_equal(held[n].stream, n < 2 ? 0 : 1);
        assert_int_equal(strlen(held[n].digest), 64);
        n++;
    }
    assert_int_equal(n, 5);
    assert_int_equal(t_streams.n_open, 2);
    few__items_give_back(items, &held[1]);
    struct few__item item;
    assert_status(few__items_next(items, &item, &err), FEW_END, &err);
    assert_int_equal(t_streams.n_open, 2);
    few__items_give_back(items, &held[0]);
    assert_status(few__items_next(items, &item, &err), FEW_END, &err);
    assert_int_equal(t_streams.n_open, 1);
    for (size_t i = 2; i < n; i++) few__items_give_back(items, &held[i]);
    few_items_close(items);
    assert_all_closed();
}

/* ---- many ---- */

static void test_ten_thousand_recordings(void **state)
{
    (void)state;
    enum { N = 10000 };
    fresh();
    char name[32];
    assert_int_equal(mkdir(t_path("many"), 0700), 0);
    for (int i = 0; i < N; i++) {
        snprintf(name, sizeof name, "many/%05d.mp4", i);
        t_recording(name, 1);
    }
    const char *folder = joined("many");
    struct few_items *items = open_items(&folder, 1, (struct few_items_opts){.every = 1});
    assert_int_equal(few_items_count(items), N);
    struct few__item item;
    for (int i = 0; i < N; i++) {
        assert_status(few__items_next(items, &item, &err), FEW_OK, &err);
        snprintf(name, sizeof name, "many/%05d.mp4#t=0", i);
        assert_string_equal(bare(item.key), name);
        few__items_give_back(items, &item);
    }
    assert_status(few__items_next(items, &item, &err), FEW_END, &err);
    assert_true(t_streams.n_open_max <= 5);
    assert_int_equal(t_streams.n_opened, N);
    few_items_close(items);
    assert_all_closed();
}

/* ---- names, digests, records ---- */

static void digests(const char *name, struct few_items_opts opts, char digest[65])
{
    const char *arg = joined(name);
    struct few_items *items = open_items(&arg, 1, opts);
    struct few__item item;
    assert_status(few__items_next(items, &item, &err), FEW_OK, &err);
    few__items_give_back(items, &item);
    assert_status(few__items_next(items, &item, &err), FEW_OK, &err);
    memcpy(digest, item.digest, 65);
    few__items_give_back(items, &item);
    few_items_close(items);
}

static void test_digest_is_of_bytes_and_time(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 2);
    t_recording("same.mkv", 2);
    t_recording("other.mp4", 3);
    char a[65], same[65], other[65], thin[65];
    digests("a.mp4", (struct few_items_opts){.size = 0}, a);
    digests("same.mkv", (struct few_items_opts){.size = 0}, same);
    digests("other.mp4", (struct few_items_opts){.size = 0}, other);
    digests("a.mp4", (struct few_items_opts){.fps = 2}, thin); // the same picture
    assert_string_equal(a, same);
    assert_string_equal(a, thin);
    assert_string_not_equal(a, other);
}

static void test_records_and_places(void **state)
{
    (void)state;
    fresh();
    t_recording("clip.mp4", 2);
    static const char list[] = "{\"item\": \"one\", \"image\": \"a.jpg\"}\n\n"
                               "{\"item\": \"two\", \"text\": \"words\"}\n";
    t_write(t_path("list.jsonl"), list, sizeof list - 1);
    const char *args[] = {joined("list.jsonl"), joined("clip.mp4#t=0.5"), joined("clip.mp4")};
    struct few_items *items = open_items(args, 3, (struct few_items_opts){.size = 0});
    assert_int_equal(few_items_count(items), 4);
    assert_string_equal(few_items_path(items, 1), "two");
    struct few__item item;
    assert_status(few__items_next(items, &item, &err), FEW_OK, &err);
    assert_string_equal(item.key, "one");
    assert_string_equal(item.record->image.path, t_path("a.jpg"));
    assert_true(item.stream == SIZE_MAX && !item.moment);
    assert_string_equal(take(items, 9), "two clip.mp4#t=0.5 clip.mp4#t=0 clip.mp4#t=0.5 END");
    assert_string_equal(few__items_record(items, "two")->text, "words");
    assert_null(few__items_record(items, "three"));
    few_items_close(items);
    items = open_items(args, 3, (struct few_items_opts){.only_names = true});
    assert_string_equal(take(items, 9), "END");
    assert_false(few__items_is_recording(items, 3));
    assert_non_null(few__items_record(items, "one"));
    few_items_close(items);
}

static enum few_status all_of_it(const struct few_mem *mem, void *ud)
{
    const char *const *args = ud;
    const struct few_items_opts opts = {.size = sizeof opts, .env = {.mem = mem}, .streams = 2};
    const struct few__items_needs needs = {.in_hands = 2};
    struct few_items *items = NULL;
    struct few__item item;
    enum few_status status = few_items_open(args, 3, &opts, &items, &err);
    if (status == FEW_OK) few__items_start_at(items, 0, 500000, 1);
    if (status == FEW_OK) status = few__items_begin(items, &needs, &err);
    while (status == FEW_OK) {
        status = few__items_next(items, &item, &err);
        if (status == FEW_OK) few__items_give_back(items, &item);
    }
    few_items_close(items);
    assert_all_closed();
    return status == FEW_END ? FEW_OK : status;
}

static void test_allocations(void **state)
{
    (void)state;
    fresh();
    t_recording("a.mp4", 2);
    static const char list[] = "{\"item\": \"one\", \"image\": \"a.jpg\"}\n";
    t_write(t_path("list.jsonl"), list, sizeof list - 1);
    const char *args[] = {joined("a.mp4"), joined("list.jsonl"), joined("a.mp4#t=0.5")};
    t_fail_each_allocation(all_of_it, args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_photographs_keep_their_order),
        cmocka_unit_test(test_strict_turns),
        cmocka_unit_test(test_four_at_once_by_default),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_expected),
        cmocka_unit_test(test_goes_on_in_the_same_order),
        cmocka_unit_test(test_left_out_is_not_opened),
        cmocka_unit_test(test_live_streams),
        cmocka_unit_test(test_too_many_live_streams),
        cmocka_unit_test(test_what_cannot_be_opened),
        cmocka_unit_test(test_moments_in_hands),
        cmocka_unit_test(test_ten_thousand_recordings),
        cmocka_unit_test(test_digest_is_of_bytes_and_time),
        cmocka_unit_test(test_records_and_places),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
