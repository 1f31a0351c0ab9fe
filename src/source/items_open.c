// SPDX-License-Identifier: Apache-2.0
/* Which items a run is about. The order depends on names alone: a folder or a glob gives its files sorted by
 * the bytes of their whole path. Inside a folder, links to folders are not followed, so there is no loop. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "core/env.h"
#include "core/error.h"
#include "core/text.h"
#include "model/manifest.h"
#include "source/items_internal.h"

enum {
    OPTIONS_MAX = 1024, // bytes of few__items_options
    FPS_MAX = 1000,
    CLIP_MAX_S = 60, // of sound alone, in one item of a recording
};

struct folders {  // of a walk: found, not yet looked into
    char **paths; // in the arena
    size_t n, room;
};

static enum few_status add_live(struct few_items *items, const char *url, struct few_error *err)
{
    char clean[FEW_PATH_MAX];
    if (items->n_urls == FEW_STREAMS_MAX)
        return few__fail(err, FEW_ELIMIT, "more than %d live streams", FEW_STREAMS_MAX);
    if (strlen(url) >= FEW_PATH_MAX - FEW__KEY_ROOM)
        return few__fail(err, FEW_ELIMIT, "URL of %zu bytes, the limit is %d", strlen(url),
                         FEW_PATH_MAX - FEW__KEY_ROOM - 1);
    few__url_clean(url, clean, sizeof clean);
    char *copy = few__arena_strdup(&items->arena, url);
    if (!copy) return few__no_memory(err, "list of items");
    FEW__TRY(few__items_add(items, FEW__ENTRY_LIVE, clean, (uint32_t)items->n_urls, err));
    items->urls[items->n_urls++] = copy;
    return FEW_OK;
}

static enum few_status add(struct few_items *items, const char *path, struct few_error *err)
{
    if (strstr(path, "://")) return add_live(items, path, err);
    enum few__file_kind file = few__file_kind(path);
    enum few__entry_kind kind = FEW__ENTRY_UNKNOWN;
    if (file == FEW__FILE_VIDEO || file == FEW__FILE_SOUND) kind = FEW__ENTRY_RECORDING;
    if (file == FEW__FILE_IMAGE || (file == FEW__FILE_OTHER && few__path_time(path))) kind = FEW__ENTRY_PATH;
    uint32_t extra = 0;
    if (kind != FEW__ENTRY_PATH) extra = (uint32_t)items->n_sources++;
    return few__items_add(items, kind, path, extra, err);
}

/* ---- folders ---- */

// Whether a file of that name is an item when its folder is given.
static bool is_wanted(const struct few_items *items, const char *name)
{
    const struct few_zoo *zoo = items->opts.zoo;
    bool listens = items->n_rates > 0;
    switch (few__file_kind(name)) {
    case FEW__FILE_IMAGE: return !zoo || zoo->looks_at[FEW_IMAGE] || !listens;
    case FEW__FILE_VIDEO: return listens || items->opts.fps > 0 || items->opts.every > 0;
    case FEW__FILE_SOUND: return listens;
    case FEW__FILE_OTHER: break;
    }
    return false;
}

static enum few_status put_folder(struct few_items *items, struct folders *folders, const char *path,
                                  struct few_error *err)
{
    if (strlen(path) >= FEW_PATH_MAX || folders->n == FEW_ITEMS_MAX)
        return few__fail(err, FEW_ELIMIT, "path of %zu bytes, the limit is %d: %.60s...", strlen(path),
                         FEW_PATH_MAX - 1, path);
    if (folders->n == folders->room) {
        size_t room = folders->room ? 2 * folders->room : 64;
        char **grown = few__resize(items->env.mem, folders->paths, room, sizeof *grown);
        if (!grown) return few__no_memory(err, "list of folders");
        folders->paths = grown;
        folders->room = room;
    }
    char *copy = few__arena_strdup(&items->arena, path);
    if (!copy) return few__no_memory(err, "list of folders");
    folders->paths[folders->n++] = copy;
    return FEW_OK;
}

static enum few_status add_entry(struct few_items *items, struct folders *folders, const char *folder,
                                 const char *name, struct few_error *err)
{
    if (name[0] == '.') return FEW_OK; // also . and ..
    char path[FEW_PATH_MAX];
    const char *slash = folder[0] && folder[strlen(folder) - 1] == '/' ? "" : "/";
    if ((size_t)snprintf(path, sizeof path, "%s%s%s", folder, slash, name) >= sizeof path)
        return few__fail(err, FEW_ELIMIT, "path of more than %d bytes in %.60s...", FEW_PATH_MAX - 1, folder);
    struct stat st;
    if (lstat(path, &st) != 0) return FEW_OK; // gone since the folder was read
    if (S_ISDIR(st.st_mode)) return put_folder(items, folders, path, err);
    if (!is_wanted(items, name) || (S_ISLNK(st.st_mode) && stat(path, &st) != 0) || !S_ISREG(st.st_mode))
        return FEW_OK;
    return add(items, path, err);
}

static enum few_status read_folder(struct few_items *items, struct folders *folders, const char *folder,
                                   struct few_error *err)
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
        got = add_entry(items, folders, folder, entry->d_name, err);
    }
    closedir(dir);
    return got;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct few__entry *)a)->path, ((const struct few__entry *)b)->path);
}

// One folder open at a time, however deep the tree is.
static enum few_status add_folder(struct few_items *items, const char *folder, struct few_error *err)
{
    struct folders folders = {0};
    size_t before = items->n;
    enum few_status status = put_folder(items, &folders, folder, err);
    while (status == FEW_OK && folders.n)
        status = read_folder(items, &folders, folders.paths[--folders.n], err);
    few__free(items->env.mem, folders.paths);
    if (status != FEW_OK) return status;
    size_t found = items->n - before;
    if (found) qsort(items->entries + before, found, sizeof *items->entries, by_path);
    return FEW_OK;
}

/* ---- arguments ---- */

static enum few_status add_file(struct few_items *items, const char *path, struct few_error *err)
{
    const char *dot = strrchr(path, '.');
    return dot && strcasecmp(dot, ".jsonl") == 0 ? few__items_add_list(items, path, err)
                                                 : add(items, path, err);
}

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
        status = folder ? add_folder(items, found.gl_pathv[i], err) : add_file(items, found.gl_pathv[i], err);
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
        if (n) FEW__TRY(add(items, line, err));
    }
    if (ferror(list)) return few__fail_sys(err, FEW_EIO, "cannot read the list of items");
    return FEW_OK;
}

// "clip.mp4#t=3" where there is a clip.mp4
static bool is_place(const char *arg)
{
    char file[FEW_PATH_MAX];
    struct stat st;
    if (!few__path_time(arg) || strlen(arg) >= sizeof file) return false;
    snprintf(file, sizeof file, "%.*s", (int)(few__path_time(arg) - arg), arg);
    return stat(file, &st) == 0 && S_ISREG(st.st_mode);
}

static enum few_status add_argument(struct few_items *items, const char *arg, FILE *list,
                                    struct few_error *err)
{
    if (strcmp(arg, "-") == 0) return add_list(items, list, err);
    if (strstr(arg, "://")) return add(items, arg, err);
    size_t before = items->n;
    struct stat st;
    bool exists = stat(arg, &st) == 0;
    int why = errno;
    if (!exists && is_place(arg)) FEW__TRY(add(items, arg, err));
    else if (!exists && strpbrk(arg, "*?[")) FEW__TRY(add_glob(items, arg, err));
    else if (!exists) {
        errno = why;
        return few__fail_sys(err, why == ENOENT || why == ENOTDIR ? FEW_ENOENT : FEW_EIO, "%s", arg);
    } else if (S_ISDIR(st.st_mode)) FEW__TRY(add_folder(items, arg, err));
    else FEW__TRY(add_file(items, arg, err));
    if (items->n == before) {
        bool recordings = items->n_rates > 0 || items->opts.fps > 0 || items->opts.every > 0;
        return few__fail(err, FEW_ENOENT, "no image%s in folder %s", recordings ? " or recording" : "", arg);
    }
    return FEW_OK;
}

/* ---- what is wanted ---- */

static enum few_status check_opts(const struct few_items_opts *o, struct few_error *err)
{
    const int64_t longest = (int64_t)CLIP_MAX_S * 1000000;
    if (o->size != sizeof *o)
        return few__fail(err, FEW_EINVAL, "few_items_opts: expected size %zu, found %zu", sizeof *o, o->size);
    if (!(o->fps >= 0) || o->fps > FPS_MAX)
        return few__fail(err, FEW_EINVAL, "fps: expected 0 to %d, found %g", FPS_MAX, o->fps);
    if (o->fps > 0 && o->every > 0)
        return few__fail(err, FEW_EINVAL, "expected fps or every, found both: %g and %llu", o->fps,
                         (unsigned long long)o->every);
    if (o->clip_us < 0 || o->clip_us > longest)
        return few__fail(err, FEW_EINVAL, "clip: expected at most %d s, found %g s", CLIP_MAX_S,
                         (double)o->clip_us / 1e6);
    if (o->from_us < 0 || o->until_us < 0 || (o->until_us > 0 && o->until_us <= o->from_us))
        return few__fail(err, FEW_EINVAL, "expected an end after the beginning, found %g s and %g s",
                         (double)o->from_us / 1e6, (double)o->until_us / 1e6);
    if (o->streams > FEW_STREAMS_MAX)
        return few__fail(err, FEW_EINVAL, "streams: expected at most %d, found %zu", FEW_STREAMS_MAX,
                         o->streams);
    if (o->live_timeout_us < 0)
        return few__fail(err, FEW_EINVAL, "live timeout: expected 0 or more, found %lld us",
                         (long long)o->live_timeout_us);
    return FEW_OK;
}

static void set_wants(struct few_items *items)
{
    const struct few_zoo *zoo = items->opts.zoo;
    items->wants_picture = !zoo || zoo->looks_at[FEW_IMAGE] || !zoo->looks_at[FEW_SOUND];
    if (!zoo || !zoo->looks_at[FEW_SOUND]) return;
    items->n_rates = zoo->n_rates < FEW__RATES_MAX ? zoo->n_rates : FEW__RATES_MAX;
    memcpy(items->rates, zoo->rates, sizeof items->rates);
}

// Everything that decides which moments there are, whether it was given or not.
static enum few_status make_options(struct few_items *items, struct few_error *err)
{
    const struct few_items_opts *o = &items->opts;
    struct few__text text;
    few__text_init(&text, items->env.mem, OPTIONS_MAX);
    few__text_printf(&text, "{\"picture\": %s, \"rates\": [", items->wants_picture ? "true" : "false");
    for (size_t i = 0; i < items->n_rates; i++)
        few__text_printf(&text, "%s%d", i ? ", " : "", items->rates[i]);
    few__text_put(&text, "]");
    if (o->fps > 0) {
        few__text_put(&text, ", \"fps\": ");
        few__text_double(&text, o->fps, 17);
    }
    if (o->every > 1) few__text_printf(&text, ", \"every\": %llu", (unsigned long long)o->every);
    if (o->clip_us > 0) few__text_printf(&text, ", \"clip_us\": %lld", (long long)o->clip_us);
    if (o->from_us > 0) few__text_printf(&text, ", \"from_us\": %lld", (long long)o->from_us);
    if (o->until_us > 0) few__text_printf(&text, ", \"until_us\": %lld", (long long)o->until_us);
    few__text_put(&text, "}");
    items->options = few__text_ok(&text) ? few__arena_strdup(&items->arena, text.s) : NULL;
    few__text_finish(&text);
    return items->options ? FEW_OK : few__no_memory(err, "options of items");
}

/* ---- open ---- */

static enum few_status collect(struct few_items *items, const char *const *args, size_t n_args,
                               struct few_error *err)
{
    FEW__TRY(check_opts(&items->opts, err));
    set_wants(items);
    FEW__TRY(make_options(items, err));
    for (size_t i = 0; i < n_args; i++) FEW__TRY(add_argument(items, args[i], items->opts.list, err));
    bool one_each = items->n_sources == 0 && items->n_urls == 0;
    if (items->opts.limit && one_each && items->n > items->opts.limit) items->n = (size_t)items->opts.limit;
    if (items->n_sources > 0) {
        items->sources = FEW__NEW_N(items->env.mem, struct few__source *, items->n_sources);
        if (!items->sources) return few__no_memory(err, "list of items");
    }
    return few__items_index(items, err);
}

enum few_status few_items_open(const char *const *args, size_t n_args, const struct few_items_opts *opts,
                               struct few_items **items, struct few_error *err)
{
    *items = NULL;
    struct few_env env = few__env(opts ? &opts->env : NULL);
    struct few_items *it = FEW__NEW(env.mem, struct few_items);
    if (!it) return few__no_memory(err, "list of items");
    it->env = env;
    it->opts = opts ? *opts : (struct few_items_opts){.size = sizeof *opts};
    few__arena_init(&it->arena, env.mem, SIZE_MAX / 2);
    few__arena_init(&it->record_arena, env.mem, SIZE_MAX / 2);
    enum few_status got = collect(it, args, n_args, err);
    if (got != FEW_OK) few_items_close(it);
    else *items = it;
    return got;
}

void few_items_close(struct few_items *items)
{
    if (!items) return;
    few__items_end(items);
    few__arena_finish(&items->arena);
    few__arena_finish(&items->record_arena);
    few__free(items->env.mem, items->entries);
    few__free(items->env.mem, items->listed);
    few__free(items->env.mem, items->by_name);
    few__free(items->env.mem, items->sources);
    few__free(items->env.mem, items);
}
