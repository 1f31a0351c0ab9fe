// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fewer/items.h>

#include "model/manifest.h"
#include "source/items.h"
#include "support/support.h"

static void touch(const char *name)
{
    t_write(t_path(name), "x", 1);
}

static void folder(const char *name)
{
    assert_int_equal(mkdir(t_path(name), 0700), 0);
}

static void assert_items(const char *const *args, size_t n_args, FILE *list, const char *const *names,
                         size_t n)
{
    const struct few_items_opts opts = {.size = sizeof opts, .list = list};
    struct few_items *items;
    struct few_error err;
    assert_status(few_items_open(args, n_args, &opts, &items, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(items), n);
    for (size_t i = 0; i < n; i++) assert_string_equal(few_items_path(items, i), names[i]);
    few_items_close(items);
}

static void assert_no_items(const char *arg, FILE *list, enum few_status expected, const char *word)
{
    const struct few_items_opts opts = {.size = sizeof opts, .list = list};
    struct few_items *items;
    struct few_error err = {0};
    assert_status(few_items_open(&arg, 1, &opts, &items, &err), expected, &err);
    assert_null(items);
    if (!strstr(err.message, word)) fail_msg("\"%s\" is not in \"%s\"", word, err.message);
}

static const char *joined(const char *name)
{
    static char paths[16][600];
    static size_t next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s", t_path(name));
    return path;
}

static void make_tree(void)
{
    t_tmpdir();
    folder("b");
    folder("b/deep");
    folder(".hidden");
    folder("c.jpg");
    touch("z.JPG");
    touch("a.jpeg");
    touch("B.png");
    touch("notes.txt");
    touch("jpg");
    touch(".secret.jpg");
    touch(".hidden/x.jpg");
    touch("b/1.webp");
    touch("b/deep/2.HEIC");
    touch("b/deep/3.avif");
    touch("b.bmp");
    touch("c.jpg/4.TIFF");
    assert_int_equal(symlink(t_path("b"), t_path("b/deep/loop")), 0);
    assert_int_equal(symlink("loop2.jpg", t_path("loop2.jpg")), 0);
    assert_int_equal(symlink("gone", t_path("dangling.gif")), 0);
    assert_int_equal(symlink("a.jpeg", t_path("link.gif")), 0);
}

// By the bytes of the whole path: capitals before small letters, '.' before '/'.
static void test_folder(void **state)
{
    (void)state;
    make_tree();
    const char *names[] = {joined("B.png"),        joined("a.jpeg"),        joined("b.bmp"),
                           joined("b/1.webp"),     joined("b/deep/2.HEIC"), joined("b/deep/3.avif"),
                           joined("c.jpg/4.TIFF"), joined("link.gif"),      joined("z.JPG")};
    const char *arg = joined("");
    assert_items(&arg, 1, NULL, names, 9); // ends in a slash
    char bare[600];
    snprintf(bare, sizeof bare, "%.*s", (int)strlen(arg) - 1, arg);
    arg = bare;
    assert_items(&arg, 1, NULL, names, 9);
}

static void test_arguments_in_their_order(void **state)
{
    (void)state;
    make_tree();
    touch("[1].png");
    const char *args[] = {joined("z.JPG"), joined("notes.txt"), joined("b"), joined("z.JPG"),
                          joined("[1].png")};
    const char *names[] = {
        args[0], args[1], joined("b/1.webp"), joined("b/deep/2.HEIC"), joined("b/deep/3.avif"),
        args[3], args[4]};
    assert_items(args, 5, NULL, names, 7);
    assert_items(NULL, 0, NULL, NULL, 0);
}

static void test_globs(void **state)
{
    (void)state;
    make_tree();
    const char *arg = joined("*.j*");
    folder("nothing.j"); // matched, and no error
    const char *names[] = {joined("a.jpeg"), joined("c.jpg/4.TIFF"), joined("loop2.jpg")};
    assert_items(&arg, 1, NULL, names, 3);
    arg = joined("[zB].*");
    const char *others[] = {joined("B.png"), joined("z.JPG")};
    assert_items(&arg, 1, NULL, others, 2);
    assert_no_items(joined("*.nothing"), NULL, FEW_ENOENT, "nothing matches");
    assert_no_items(joined("n?thing.j"), NULL, FEW_ENOENT, "no image");
}

static FILE *list_of(const char *text)
{
    t_write(t_path("list"), text, strlen(text));
    FILE *list = fopen(t_path("list"), "r");
    assert_non_null(list);
    return list;
}

static void test_list(void **state)
{
    (void)state;
    t_tmpdir();
    FILE *list = list_of("one.jpg\n\n  two words.txt\r\n*.png\nlast");
    const char *args[] = {"-"};
    const char *names[] = {"one.jpg", "  two words.txt", "*.png", "last"};
    assert_items(args, 1, list, names, 4);
    fclose(list);
    assert_no_items("-", NULL, FEW_EINVAL, "list");
    list = fopen(t_path("."), "r"); // a folder can be opened, not read
    if (list) {
        assert_no_items("-", list, FEW_EIO, "list");
        fclose(list);
    }
}

static void test_what_is_not_there(void **state)
{
    (void)state;
    t_tmpdir();
    folder("empty");
    touch("file");
    assert_no_items(joined("nobody.jpg"), NULL, FEW_ENOENT, "nobody.jpg");
    assert_no_items(joined("file/inside.jpg"), NULL, FEW_ENOENT, "file/inside.jpg");
    assert_no_items(joined("empty"), NULL, FEW_ENOENT, "no image");
    few_items_close(NULL);
}

static void test_path_limit(void **state)
{
    (void)state;
    t_tmpdir();
    static char line[FEW_PATH_MAX + 8];
    memset(line, 'x', sizeof line);
    line[FEW_PATH_MAX - 1] = '\0';
    FILE *list = list_of(line);
    const char *arg = "-", *name = line;
    assert_items(&arg, 1, list, &name, 1);
    fclose(list);
    for (int n = FEW_PATH_MAX; n < FEW_PATH_MAX + 5; n++) {
        memset(line, 'x', sizeof line);
        line[n] = '\0';
        list = list_of(line);
        assert_no_items("-", list, FEW_ELIMIT, "4095");
        fclose(list);
    }
    // A tree whose paths grow past the limit is an error, not a crash.
    char name_255[256];
    memset(name_255, 'd', 255);
    name_255[255] = '\0';
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir(joined("")), 0);
    int depth = 0;
    for (; depth < 17 && mkdir(name_255, 0700) == 0 && chdir(name_255) == 0; depth++) continue;
    if (depth == 17) assert_no_items(joined(""), NULL, FEW_ELIMIT, "4095");
    for (; depth; depth--) assert_int_equal(chdir("..") | rmdir(name_255), 0);
    assert_int_equal(chdir(before), 0);
    free(before);
}

static void test_item_limit(void **state)
{
    (void)state;
    t_tmpdir();
    FILE *list = fopen(t_path("list"), "w+");
    assert_non_null(list);
    for (int i = 0; i < FEW_ITEMS_MAX; i++) fputs("a\n", list);
    rewind(list);
    const struct few_items_opts opts = {.size = sizeof opts, .list = list};
    struct few_items *items;
    struct few_error err;
    const char *arg = "-";
    assert_status(few_items_open(&arg, 1, &opts, &items, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(items), FEW_ITEMS_MAX);
    few_items_close(items);
    fputs("a\n", list);
    rewind(list);
    assert_no_items("-", list, FEW_ELIMIT, "10000000");
    fclose(list);
}

/* ---- recordings, streams, records ---- */

static void assert_items_with(const char *arg, struct few_items_opts opts, const char *const *names, size_t n)
{
    struct few_items *items;
    struct few_error err;
    opts.size = sizeof opts;
    assert_status(few_items_open(&arg, 1, &opts, &items, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(items), n);
    for (size_t i = 0; i < n; i++) assert_string_equal(few_items_path(items, i), names[i]);
    few_items_close(items);
}

static void test_what_a_folder_gives(void **state)
{
    (void)state;
    t_tmpdir();
    folder("mix");
    touch("mix/a.jpg");
    touch("mix/b.mp4");
    touch("mix/c.wav");
    touch("mix/d.jsonl");
    const char *arg = joined("mix");
    const char *names[] = {joined("mix/a.jpg"), joined("mix/b.mp4"), joined("mix/c.wav")};
    const struct few_zoo sees = {.looks_at = {[FEW_IMAGE] = true}};
    const struct few_zoo hears = {.looks_at = {[FEW_SOUND] = true}, .n_rates = 1, .rates = {16000}};
    const struct few_zoo both = {
        .looks_at = {[FEW_IMAGE] = true, [FEW_SOUND] = true}, .n_rates = 1, .rates = {8000}};
    assert_items_with(arg, (struct few_items_opts){.zoo = NULL}, names, 1);
    assert_items_with(arg, (struct few_items_opts){.zoo = &sees}, names, 1);
    assert_items_with(arg, (struct few_items_opts){.zoo = &sees, .fps = 2}, names, 2);
    assert_items_with(arg, (struct few_items_opts){.every = 10}, names, 2);
    assert_items_with(arg, (struct few_items_opts){.zoo = &both}, names, 3);
    assert_items_with(arg, (struct few_items_opts){.zoo = &hears}, names + 1, 2);
}

static void test_live_streams_without_passwords(void **state)
{
    (void)state;
    const char *clean = "rtsp://host:554/door?x=1";
    assert_items_with("rtsp://me:secret@host:554/door?x=1", (struct few_items_opts){.size = 0}, &clean, 1);
}

static void test_places_in_recordings(void **state)
{
    (void)state;
    t_tmpdir();
    touch("clip[1].mp4");
    const char *place = joined("clip[1].mp4#t=3,5");
    assert_items_with(place, (struct few_items_opts){.size = 0}, &place, 1);
    assert_no_items(joined("gone.mp4#t=3"), NULL, FEW_ENOENT, "gone.mp4");
}

static void assert_list(const char *text, enum few_status expected, const char *word)
{
    t_write(t_path("list.jsonl"), text, strlen(text));
    assert_no_items(joined("list.jsonl"), NULL, expected, word);
}

static void test_lists_of_records(void **state)
{
    (void)state;
    t_tmpdir();
    static const char text[] = "{\"item\": \"b\", \"text\": \"x\"}\r\n \n{\"item\": \"a\", \"text\": \"y\"}";
    t_write(t_path("LIST.JSONL"), text, sizeof text - 1);
    const char *names[] = {"b", "a"};
    assert_items_with(joined("LIST.JSONL"), (struct few_items_opts){.size = 0}, names, 2);
    assert_items_with(joined("LIST.JSONL"), (struct few_items_opts){.limit = 1}, names, 1);
    assert_list("", FEW_ENOENT, "found none");
    assert_list("\n{\"item\": \"a\"}", FEW_EPARSE, "list.jsonl, line 2: line: expected 'image'");
    assert_list("{\"item\": \"a\", \"text\": \"x\"}\n{\"item\": \"b\", \"text\": \"x\"}\n"
                "{\"item\": \"a\", \"text\": \"z\"}\n",
                FEW_EPARSE, "list.jsonl, line 3: expected a name of its own, found 'a'");
    t_write(t_path("nul.jsonl"), "{\"item\": \"a\0\"}", 14);
    assert_no_items(joined("nul.jsonl"), NULL, FEW_EPARSE, "line 1");
    assert_no_items(joined("none.jsonl"), NULL, FEW_ENOENT, "none.jsonl");
}

static void test_long_lines_of_lists(void **state)
{
    (void)state;
    t_tmpdir();
    static char line[FEW__RECORD_LINE_MAX + 1];
    static const char record[] = "{\"item\": \"a\", \"text\": \"x\"}";
    memset(line, ' ', sizeof line);
    memcpy(line, record, sizeof record - 1);
    t_write(t_path("list.jsonl"), line, FEW__RECORD_LINE_MAX);
    const char *name = "a";
    assert_items_with(joined("list.jsonl"), (struct few_items_opts){.size = 0}, &name, 1);
    t_write(t_path("list.jsonl"), line, sizeof line);
    assert_no_items(joined("list.jsonl"), NULL, FEW_ELIMIT, "line 1: line of more than 1048576 bytes");
}

static void test_options_that_make_no_sense(void **state)
{
    (void)state;
    static const struct few_items_opts rows[] = {
        {.size = 1},
        {.size = sizeof *rows, .fps = -1},
        {.size = sizeof *rows, .fps = 1001},
        {.size = sizeof *rows, .fps = 1, .every = 2},
        {.size = sizeof *rows, .clip_us = -1},
        {.size = sizeof *rows, .clip_us = 60000001},
        {.size = sizeof *rows, .from_us = -1},
        {.size = sizeof *rows, .from_us = 5, .until_us = 5},
        {.size = sizeof *rows, .streams = FEW_STREAMS_MAX + 1},
        {.size = sizeof *rows, .live_timeout_us = -1},
    };
    struct few_items *items;
    struct few_error err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_status(few_items_open(NULL, 0, &rows[i], &items, &err), FEW_EINVAL, &err);
}

static void test_options_that_decide(void **state)
{
    (void)state;
    const struct few_zoo hears = {.looks_at = {[FEW_SOUND] = true}, .n_rates = 2, .rates = {8000, 16000}};
    const struct few_items_opts opts = {.size = sizeof opts,
                                        .zoo = &hears,
                                        .fps = 2.5,
                                        .clip_us = 500000,
                                        .from_us = 1,
                                        .until_us = 3000000,
                                        .limit = 9,
                                        .streams = 2};
    struct few_items *items;
    struct few_error err;
    assert_status(few_items_open(NULL, 0, &opts, &items, &err), FEW_OK, &err);
    assert_string_equal(few__items_options(items),
                        "{\"picture\": false, \"rates\": [8000, 16000], \"fps\": 2.5, "
                        "\"clip_us\": 500000, \"from_us\": 1, \"until_us\": 3000000}");
    few_items_close(items);
    assert_status(few_items_open(NULL, 0, NULL, &items, &err), FEW_OK, &err);
    assert_string_equal(few__items_options(items), "{\"picture\": true, \"rates\": []}");
    few_items_close(items);
}

/* ---- memory ---- */

static enum few_status open_all(const struct few_mem *mem, void *ud)
{
    (void)ud;
    const struct few_items_opts opts = {.size = sizeof opts, .env = {.mem = mem}};
    struct few_items *items = NULL;
    const char *args[] = {joined(""), joined("*.png"), joined("z.JPG")};
    enum few_status got = few_items_open(args, 3, &opts, &items, NULL);
    few_items_close(items);
    return got;
}

static void test_allocations(void **state)
{
    (void)state;
    make_tree();
    folder("many");
    for (int i = 0; i < 200; i++) {
        char name[32];
        snprintf(name, sizeof name, "many/%d.jpg", i);
        touch(name);
    }
    t_fail_each_allocation(open_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_arguments_in_their_order),
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_what_is_not_there),
        cmocka_unit_test(test_path_limit),
        cmocka_unit_test(test_item_limit),
        cmocka_unit_test(test_what_a_folder_gives),
        cmocka_unit_test(test_live_streams_without_passwords),
        cmocka_unit_test(test_places_in_recordings),
        cmocka_unit_test(test_lists_of_records),
        cmocka_unit_test(test_long_lines_of_lists),
        cmocka_unit_test(test_options_that_make_no_sense),
        cmocka_unit_test(test_options_that_decide),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
