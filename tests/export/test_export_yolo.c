// SPDX-License-Identifier: Apache-2.0
// The folder of YOLO: what its files say, whatever items are called, and what is left when it fails.
#include "export/export_made.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void export_to(const char *format, const char *folder)
{
    struct few_error err;
    assert_status(few_export_folder(t_path("a.db"), format, folder, &err), FEW_OK, &err);
}

static void assert_file(const char *name, const char *want)
{
    char path[256];
    size_t n;
    snprintf(path, sizeof path, "out/%s", name);
    char *text = fix_slurp(t_path(path), &n);
    text[n] = 0;
    assert_string_equal(text, want);
    free(text);
}

static size_t count_files(const char *folder)
{
    size_t n = 0;
    DIR *dir = opendir(folder);
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir));) n += entry->d_name[0] != '.';
    closedir(dir);
    return n;
}

static void test_files(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 4, true); // the last one failed
    fix_sql(t_path("a.db"), "UPDATE results SET output = NULL, outcome = 3 WHERE item = 2");
    export_to("yolo", t_path("out"));
    assert_file("classes.txt", "person\ndog\nface\nhand\n");
    assert_file("data.yaml",
                "path: .\ntrain: images\nval: images\nnc: 4\nnames:\n  0: \"person\"\n  1: \"dog\"\n"
                "  2: \"face\"\n  3: \"hand\"\n");
    assert_file("images.txt", "item_0.txt\tdir/item_0.jpg\nitem_1.txt\tdir/item_1.jpg\n");
    // The person is not above the threshold; the hand of item 0 has no height.
    assert_file("labels/item_0.txt",
                "1 0.375000 0.625000 0.250000 0.250000\n2 0.062500 0.500000 0.125000 0.500000\n");
    assert_file("labels/item_1.txt",
                "1 0.375000 0.625000 0.250000 0.250000\n2 0.187500 0.500000 0.125000 0.500000\n"
                "3 0.312500 0.562500 0.125000 0.125000\n");
    assert_int_equal(count_files(t_path("out/labels")), 2); // where nobody looked there is nothing to say
    assert_int_equal(count_files(t_path("out")), 4);
    assert_int_not_equal(access(t_path("out.part"), F_OK), 0);
}

static void test_confidences(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 1, false);
    export_to("yolo-conf", t_path("out"));
    assert_file("labels/item_0.txt", "1 0.375000 0.625000 0.250000 0.250000 0.750000\n"
                                     "0 0.500000 0.500000 1.000000 1.000000 0.500000\n"
                                     "2 0.062500 0.500000 0.125000 0.500000 0.875000\n");
}

// Nothing found is a file without lines; a box is cut at the edge of the picture.
static void test_empty_and_cut(void **state)
{
    (void)state;
    static const struct made_moment moments[] = {{-1, "none.jpg", 0, 0, false, false, 0},
                                                 {-1, "two.jpg", 0, 0, false, false, 2},
                                                 {-1, "unseen.jpg", 0, 0, false, true, 0}};
    t_tmpdir();
    made_run(moments, 3);
    export_to("yolo", t_path("out"));
    assert_file("labels/none.txt", "");
    assert_file("labels/two.txt",
                "1 0.375000 0.625000 0.250000 0.250000\n1 0.750000 0.625000 0.500000 0.250000\n");
    assert_int_equal(count_files(t_path("out/labels")), 2);
}

// Of variants the dearest that answered speaks: one of both has every box once.
static void test_variants(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 2, false);
    fix_sql(t_path("a.db"), "UPDATE results SET output = (SELECT output FROM results WHERE item = 0 AND "
                            "model = 3) WHERE model = 2;"
                            "DELETE FROM results WHERE 0; UPDATE results SET output = NULL, outcome = 3 "
                            "WHERE item = 1 AND model = 3");
    export_to("yolo", t_path("out"));
    assert_file("labels/item_0.txt",
                "1 0.375000 0.625000 0.250000 0.250000\n2 0.062500 0.500000 0.125000 0.500000\n");
    assert_file("labels/item_1.txt",
                "1 0.375000 0.625000 0.250000 0.250000\n2 0.187500 0.500000 0.125000 0.500000\n"
                "3 0.312500 0.562500 0.125000 0.125000\n");
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *path, *name, *listed;
    } cases[] = {
        {"a/photo.jpg", "photo.txt", "a/photo.jpg"},
        {"b/photo.jpg", "photo-2.txt", "b/photo.jpg"}, // the item's number
        {"photo-4.jpg", "photo-4.txt", "photo-4.jpg"},
        {"c/photo.png", "photo-4-2.txt", "c/photo.png"}, // which is taken
        {"../../../../etc/passwd", "passwd.txt", "../../../../etc/passwd"},
        {"..", "_.txt", ".."},
        {"a/..", "_-7.txt", "a/.."},
        {".hidden", "_hidden.txt", ".hidden"},
        {"folder/", "item.txt", "folder/"},
        {"", "item-10.txt", ""},
        {"a\\..\\b:c*?.jpg", "a_.._b_c__.txt", "a\\\\..\\\\b:c*?.jpg"},
        {"x\ty\nz.jpg", "x_y_z.txt", "x\\ty\\nz.jpg"},
        {"\xc3\xa9t\xc3\xa9.jpg", "\xc3\xa9t\xc3\xa9.txt", "\xc3\xa9t\xc3\xa9.jpg"},
    };
    enum { CASES = sizeof cases / sizeof *cases };
    struct made_moment moments[CASES];
    char want[2048] = "";
    for (size_t i = 0; i < CASES; i++) {
        moments[i] = (struct made_moment){.stream = -1, .path = cases[i].path, .dogs = 1};
        size_t n = strlen(want);
        snprintf(want + n, sizeof want - n, "%s\t%s\n", cases[i].name, cases[i].listed);
    }
    t_tmpdir();
    made_run(moments, CASES);
    export_to("yolo", t_path("out"));
    assert_file("images.txt", want);
    assert_int_equal(count_files(t_path("out/labels")), CASES);
    assert_int_equal(count_files(t_path(".")), 2); // a.db and out
}

static void test_names_of_moments(void **state)
{
    (void)state;
    static const struct made_moment moments[] = {
        {0, "clips/a.mp4#t=1.5", 1.5, 2, false, false, 1},
        {2, "rtsp://camera/1#t=clock:2026-11-21T06:33:00.123Z", 5, 6, false, false, 1},
        {0, "clips/a.mp4#t=1", 1, 1.5, false, false, 1},
    };
    t_tmpdir();
    made_run(moments, 3);
    export_to("yolo", t_path("out"));
    assert_file("images.txt",
                "a.mp4_t_1.5.txt\tclips/a.mp4#t=1.5\n"
                "1_t_clock_2026-11-21T06_33_00.123Z.txt\trtsp://camera/1#t=clock:2026-11-21T06:33:00.123Z\n"
                "a.mp4_t_1.txt\tclips/a.mp4#t=1\n");
}

static void test_long_names(void **state)
{
    (void)state;
    char path[600], want[700];
    for (size_t i = 0; i < 598; i += 2) memcpy(path + i, "\xc3\xa9", 3);
    memmove(path + 1, path, 598); // so that the cut is in the middle of a letter
    path[0] = 'x';
    path[599] = 0;
    const struct made_moment moments[] = {{-1, path, 0, 0, false, false, 1},
                                          {-1, path, 0, 0, false, false, 1}};
    t_tmpdir();
    made_run(moments, 2);
    export_to("yolo", t_path("out"));
    snprintf(want, sizeof want, "labels/%.199s.txt", path);
    assert_file(want, "1 0.375000 0.625000 0.250000 0.250000\n");
    snprintf(want, sizeof want, "labels/%.199s-2.txt", path);
    assert_file(want, "1 0.375000 0.625000 0.250000 0.250000\n");
}

/* ---- places ---- */

static void refuse(const char *folder, enum few_status status, const char *message)
{
    struct few_error err;
    assert_status(few_export_folder(t_path("a.db"), "yolo", folder, &err), status, &err);
    if (!strstr(err.message, message)) fail_msg("%s", err.message);
}

static void test_places(void **state)
{
    (void)state;
    struct few_error err;
    t_tmpdir();
    fix_store(t_path("a.db"), 1, false);
    assert_int_equal(mkdir(t_path("out"), 0777), 0);
    export_to("yolo", t_path("out/")); // an empty folder is as good as none
    refuse(t_path("out"), FEW_EEXIST, "out: expected a folder that is new or empty, found 4 in it");
    refuse(t_path("a.db"), FEW_EEXIST, "a.db: expected a folder that is new or empty");
    assert_int_equal(symlink("nowhere", t_path("link")), 0);
    refuse(t_path("link"), FEW_EEXIST, "link: expected a folder");
    refuse(t_path("none/out"), FEW_EIO, "none/out.part: cannot be made");
    assert_int_equal(mkdir(t_path("b.part"), 0777), 0);
    refuse(t_path("b"), FEW_EEXIST, "an export that was killed may have left it");
    assert_status(few_export_folder(t_path("a.db"), "coco", t_path("c"), &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "expected yolo or yolo-conf, found \"coco\""));
    assert_status(few_export_folder(t_path("none.db"), "yolo", t_path("c"), &err), FEW_ENOENT, &err);
    assert_int_not_equal(access(t_path("c"), F_OK), 0);
}

static void test_nothing_in_it(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 0, false);
    export_to("yolo", t_path("out"));
    assert_file("images.txt", "");
    assert_int_equal(count_files(t_path("out/labels")), 0);
}

// What goes wrong on the way leaves nothing.
static void test_damaged_output(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 20, false);
    fix_sql(t_path("a.db"), "UPDATE results SET output = x'0203' WHERE item = 15 AND model = 3");
    refuse(t_path("out"), FEW_ESTORE, "a.db: damaged: item 15");
    assert_int_equal(count_files(t_path(".")), 1);
}

static void test_full_disk(void **state)
{
    (void)state;
    t_tmpdir();
    fix_store(t_path("a.db"), 2000, false);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { // images.txt grows beyond what a file may have
        const struct rlimit limit = {1024, 1024};
        struct few_error err;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        enum few_status status = few_export_folder(t_path("a.db"), "yolo", t_path("out"), &err);
        _exit(status == FEW_EIO && strstr(err.message, "cannot be written") ? 0 : 1);
    }
    int how;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_int_equal(count_files(t_path(".")), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),         cmocka_unit_test(test_confidences),
        cmocka_unit_test(test_empty_and_cut), cmocka_unit_test(test_variants),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_names_of_moments),
        cmocka_unit_test(test_long_names),    cmocka_unit_test(test_places),
        cmocka_unit_test(test_nothing_in_it), cmocka_unit_test(test_damaged_output),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
