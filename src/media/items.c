// SPDX-License-Identifier: Apache-2.0
/* Which items a run is about. The order depends on names alone: a folder or a glob gives its files sorted by
 * the bytes of their whole path. Inside a folder, links to folders are not followed, so there is no loop. */
#include <fewer/items.h>

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"

struct list {
    char **paths; // in the arena
    size_t n, room;
};

struct few_items {
    struct few_env env;
    struct few__arena arena;
    struct list files;
    struct list folders; // of the walk: found, not yet looked into
};

static enum few_status add(struct few_items *items, struct list *list, const char *path,
                           struct few_error *err)
{
    if (strlen(path) >= FEW_PATH_MAX)
        return few__fail(err, FEW_ELIMIT, "path of %zu bytes, the limit is %d: %.60s...", strlen(path),
                         FEW_PATH_MAX - 1, path);
    if (list->n == FEW_ITEMS_MAX) return few__fail(err, FEW_ELIMIT, "more than %d items", FEW_ITEMS_MAX);
    if (list->n == list->room) {
        size_t room = list->room ? 2 * list->room : 64;
        char **grown = few__resize(items->env.mem, list->paths, room, sizeof *grown);
        if (!grown) return few__no_memory(err, "list of items");
        list->paths = grown;
        list->room = room;
    }
    char *copy = few__arena_strdup(&items->arena, path);
    if (!copy) return few__no_memory(err, "list of items");
    list->paths[list->n++] = copy;
    return FEW_OK;
}

/* ---- folders ---- */

static bool is_image_name(const char *name)
{
    static const char *const suffixes[] = {".jpg",  ".jpeg", ".png",  ".webp", ".bmp", ".tif",
                                           ".tiff", ".gif",  ".heic", ".heif", ".avif"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcasecmp(dot, suffixes[i]) == 0) return true;
    return false;
}

static enum few_status add_entry(struct few_items *items, const char *folder, const char *name,
                                 struct few_error *err)
{
    if (name[0] == '.') return FEW_OK; // also . and ..
    char path[FEW_PATH_MAX];
    const char *slash = folder[0] && folder[strlen(folder) - 1] == '/' ? "" : "/";
    if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder, slash, name) >= sizeof path)
        return few__fail(err, FEW_ELIMIT, "path of more than %d bytes in %.60s...", FEW_PATH_MAX - 1, folder);
    struct stat st;
    if (lstat(path, &st) != 0) return FEW_OK; // gone since the folder was read
    if (S_ISDIR(st.st_mode)) return add(items, &items->folders, path, err);
    if (!is_image_name(name) || (S_ISLNK(st.st_mode) && stat(path, &st) != 0) || !S_ISREG(st.st_mode))
        return FEW_OK;
    return add(items, &items->files, path, err);
}

static enum few_status read_folder(struct few_items *items, const char *folder, struct few_error *err)
{
    DIR *dir = opendir(folder);
    if (!dir && errno == ENOENT) return FEW_OK; // gone since its parent was read
    if (!dir) return few__fail_sys(err, FEW_EIO, "cannot read folder %s", folder);
    enum few_status got = FEW_OK;
    while (got == FEW_OK) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno) got = few__fail_sys(err, FEW_EIO, "cannot read folder %s", folder);
        if (!entry) break;
        got = add_entry(items, folder, entry->d_name, err);
    }
    closedir(dir);
    return got;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// One folder open at a time, however deep the tree is.
static enum few_status add_folder(struct few_items *items, const char *folder, struct few_error *err)
{
    size_t before = items->files.n;
    items->folders.n = 0;
    FEW__TRY(add(items, &items->folders, folder, err));
    while (items->folders.n) FEW__TRY(read_folder(items, items->folders.paths[--items->folders.n], err));
    size_t found = items->files.n - before;
    if (found) qsort(items->files.paths + before, found, sizeof *items->files.paths, by_name);
    return FEW_OK;
}

/* ---- arguments ---- */

static enum few_status add_glob(struct few_items *items, const char *pattern, struct few_error *err)
{
    glob_t found = {0};
    int got = glob(pattern, GLOB_NOSORT, NULL, &found);
    enum few_status status = FEW_OK;
    if (got == GLOB_NOMATCH) status = few__fail(err, FEW_ENOENT, "nothing matches %s", pattern);
    else if (got == GLOB_NOSPACE) status = few__no_memory(err, "glob");
    else if (got != 0) status = few__fail(err, FEW_EIO, "cannot read the folders of %s", pattern);
    else qsort(found.gl_pathv, found.gl_pathc, sizeof *found.gl_pathv, by_name);
    for (size_t i = 0; status == FEW_OK && i < found.gl_pathc; i++) {
        struct stat st;
        bool folder = stat(found.gl_pathv[i], &st) == 0 && S_ISDIR(st.st_mode);
        status = folder ? add_folder(items, found.gl_pathv[i], err)
                        : add(items, &items->files, found.gl_pathv[i], err);
    }
    globfree(&found);
    return status;
}

// The paths are taken as they are: a file that is not there is that item's failure, not the run's.
static enum few_status add_list(struct few_items *items, FILE *list, struct few_error *err)
{
    if (!list) return few__fail(err, FEW_EINVAL, "\"-\" stands for a list, and none was given");
    char line[FEW_PATH_MAX + 2];
    for (size_t number = 1; fgets(line, sizeof line, list); number++) {
        size_t n = strcspn(line, "\n");
        if (line[n] != '\n' && !feof(list))
            return few__fail(err, FEW_ELIMIT, "list, line %zu: a path is longer than %d bytes or has a NUL",
                             number, FEW_PATH_MAX - 1);
        if (n && line[n - 1] == '\r') n--;
        line[n] = '\0';
        if (n) FEW__TRY(add(items, &items->files, line, err));
    }
    if (ferror(list)) return few__fail_sys(err, FEW_EIO, "cannot read the list of items");
    return FEW_OK;
}

static enum few_status add_argument(struct few_items *items, const char *arg, FILE *list,
                                    struct few_error *err)
{
    if (strcmp(arg, "-") == 0) return add_list(items, list, err);
    size_t before = items->files.n;
    struct stat st;
    bool exists = stat(arg, &st) == 0;
    if (!exists && strpbrk(arg, "*?[")) FEW__TRY(add_glob(items, arg, err));
    else if (!exists)
        return few__fail_sys(err, errno == ENOENT || errno == ENOTDIR ? FEW_ENOENT : FEW_EIO, "%s", arg);
    else if (S_ISDIR(st.st_mode)) FEW__TRY(add_folder(items, arg, err));
    else FEW__TRY(add(items, &items->files, arg, err));
    if (items->files.n == before) return few__fail(err, FEW_ENOENT, "no image in folder %s", arg);
    return FEW_OK;
}

enum few_status few_items_open(const char *const *args, size_t n_args, void *list, const struct few_env *env,
                               struct few_items **items, struct few_error *err)
{
    *items = NULL;
    struct few_env full = few__env(env);
    struct few_items *it = FEW__NEW(full.mem, struct few_items);
    if (!it) return few__no_memory(err, "list of items");
    it->env = full;
    few__arena_init(&it->arena, full.mem, SIZE_MAX / 2);
    enum few_status got = FEW_OK;
    for (size_t i = 0; got == FEW_OK && i < n_args; i++) got = add_argument(it, args[i], list, err);
    few__free(full.mem, it->folders.paths);
    it->folders = (struct list){0};
    if (got != FEW_OK) few_items_close(it);
    else *items = it;
    return got;
}

void few_items_close(struct few_items *items)
{
    if (!items) return;
    few__arena_finish(&items->arena);
    few__free(items->env.mem, items->files.paths);
    few__free(items->env.mem, items->folders.paths);
    few__free(items->env.mem, items);
}

size_t few_items_count(const struct few_items *items)
{
    return items->files.n;
}

const char *few_items_path(const struct few_items *items, size_t i)
{
    return items->files.paths[i];
}
