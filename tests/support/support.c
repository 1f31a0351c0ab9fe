// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <dirent.h>
#include <glob.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void t__near(double a, double b, double tolerance, const char *file, int line)
{
    if (fabs(a - b) <= tolerance) return;
    print_error("%.9g is not within %g of %.9g\n", a, tolerance, b);
    _fail(file, line);
}

void t__near_all(const float *a, const float *b, size_t n, double tolerance, const char *file, int line)
{
    size_t worst = 0;
    double most = -1;
    for (size_t i = 0; i < n; i++) {
        double d = fabs((double)a[i] - (double)b[i]);
        if (isnan(d)) d = INFINITY;
        if (d > most) {
            most = d;
            worst = i;
        }
    }
    if (most <= tolerance) return;
    print_error("at %zu: %.9g is not within %g of %.9g\n", worst, (double)a[worst], tolerance,
                (double)b[worst]);
    _fail(file, line);
}

void t__status(enum few_status got, enum few_status expected, const struct few_error *err, const char *call,
               const char *file, int line)
{
    if (got == expected) return;
    print_error("%s\n  gave %s, expected %s: %s\n", call, few_status_name(got), few_status_name(expected),
                err && got != FEW_OK ? err->message : "");
    _fail(file, line);
}

/* ---- folders ---- */

static char dirs[64][64];
static size_t n_dirs;

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        char child[4096];
        snprintf(child, sizeof child, "%s/%s", path, e->d_name);
        struct stat st;
        if (lstat(child, &st) == 0 && S_ISDIR(st.st_mode)) remove_tree(child);
        else unlink(child);
    }
    if (dir) closedir(dir);
    rmdir(path);
}

static void remove_dirs(void)
{
    for (size_t i = 0; i < n_dirs; i++) remove_tree(dirs[i]);
}

const char *t_tmpdir(void)
{
    if (n_dirs == 0) atexit(remove_dirs);
    assert_true(n_dirs < sizeof dirs / sizeof *dirs);
    snprintf(dirs[n_dirs], sizeof dirs[0], "/tmp/fewer-test-XXXXXX");
    assert_non_null(mkdtemp(dirs[n_dirs]));
    return dirs[n_dirs++];
}

const char *t_path(const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];
    assert_true(n_dirs > 0);
    snprintf(path, sizeof paths[0], "%s/%s", dirs[n_dirs - 1], name);
    return path;
}

void t_write(const char *path, const void *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* ---- surroundings ---- */

uint64_t t_seed(void)
{
    const char *seed = getenv("FEW_TEST_SEED");
    return seed ? strtoull(seed, NULL, 10) : 20261121;
}

const char *t_source(void)
{
    const char *source = getenv("FEW_TEST_SOURCE");
    return source ? source : ".";
}

const char *t_build(void)
{
    const char *build = getenv("FEW_TEST_BUILD");
    return build ? build : "build";
}

const char *t_zoo(void)
{
    static char path[4096];
    const char *zoo = getenv("FEW_TEST_ZOO");
    if (zoo) snprintf(path, sizeof path, "%s", zoo);
    else snprintf(path, sizeof path, "%s/../shared/zoo", t_source());
    return access(path, R_OK) == 0 ? path : NULL;
}

const char *t_runtime(void)
{
    static char path[4096];
    const char *runtime = getenv("FEW_TEST_RUNTIME");
    if (runtime) return runtime;
    char pattern[4096];
    snprintf(pattern, sizeof pattern,
             "%s/.venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.1.*", t_source());
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) return NULL;
    snprintf(path, sizeof path, "%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}

/* ---- memory ---- */

static void *resize(void *ud, void *ptr, size_t size)
{
    struct t_mem *t = ud;
    if (size == 0) {
        if (ptr) t->live--;
        free(ptr);
        return NULL;
    }
    if (++t->calls == t->fail_at) {
        t->failed = true;
        return NULL;
    }
    void *p = realloc(ptr, size);
    if (p && !ptr) t->live++;
    return p;
}

void t_mem_init(struct t_mem *t, size_t fail_at)
{
    *t = (struct t_mem){.mem = {.resize = resize, .ud = t}, .fail_at = fail_at};
}

void t_fail_each_allocation(enum few_status (*body)(const struct few_mem *mem, void *ud), void *ud)
{
    for (size_t n = 1;; n++) {
        struct t_mem t;
        t_mem_init(&t, n);
        enum few_status got = body(&t.mem, ud);
        if (t.live != 0) fail_msg("allocation %zu failed: %zu blocks were left", n, t.live);
        enum few_status expected = t.failed ? FEW_ENOMEM : FEW_OK;
        if (got != expected)
            fail_msg("allocation %zu failed: got %s, expected %s", n, few_status_name(got),
                     few_status_name(expected));
        if (!t.failed) return;
    }
}
