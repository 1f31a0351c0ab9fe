// SPDX-License-Identifier: Apache-2.0
#include "fuzz.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

_Noreturn void fuzz__fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

/* ---- files ---- */

static char folder[512];
static pid_t owner;

static void remove_folder(void)
{
    if (getpid() != owner) return;
    DIR *dir = opendir(folder);
    for (struct dirent *e; dir && (e = readdir(dir));)
        if (e->d_name[0] != '.') unlink(fuzz_path(e->d_name));
    if (dir) closedir(dir);
    rmdir(folder);
}

const char *fuzz_path(const char *name)
{
    static char paths[8][1024];
    static size_t next;
    if (!folder[0]) {
        const char *top = getenv("TMPDIR");
        snprintf(folder, sizeof folder, "%s/fewer-fuzz-XXXXXX", top ? top : "/tmp");
        fuzz_must(mkdtemp(folder));
        owner = getpid();
        atexit(remove_folder);
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void fuzz_write(const char *path, const void *data, size_t n)
{
    FILE *file = fopen(path, "wb");
    fuzz_must(file);
    fuzz_must(fwrite(data, 1, n, file) == n);
    fuzz_must(fclose(file) == 0);
}

char *fuzz_read(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    fuzz_must(file && fseek(file, 0, SEEK_END) == 0);
    *n = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*n + 1);
    fuzz_must(data && fread(data, 1, *n, file) == *n);
    fclose(file);
    return data;
}

/* ---- memory ---- */

enum { HEAD = 16 };

static _Atomic size_t held;

static size_t size_of(const void *block)
{
    size_t n = 0;
    if (block) memcpy(&n, block, sizeof n);
    return n;
}

static void *resize(void *ud, void *ptr, size_t size)
{
    (void)ud;
    char *block = ptr ? (char *)ptr - HEAD : NULL;
    size_t before = size_of(block);
    if (size == 0) {
        held -= before;
        free(block);
        return NULL;
    }
    if (size > FUZZ_MEMORY || held - before + size > FUZZ_MEMORY) return NULL;
    block = realloc(block, size + HEAD);
    if (!block) return NULL;
    memcpy(block, &size, sizeof size);
    held += size - before;
    return block + HEAD;
}

const struct few_env *fuzz_env(void)
{
    static const struct few_mem mem = {.resize = resize};
    static const struct few_env env = {.mem = &mem};
    return &env;
}
