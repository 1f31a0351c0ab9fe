// SPDX-License-Identifier: Apache-2.0
/* The entries of a run: what each is, how many items it will give, and what of a recording is wanted. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "media/image_internal.h"
#include "source/items_internal.h"

enum { HEADER = 4 << 10 }; // bytes that tell a kind of image

/* ---- what there is ---- */

enum few_status few__items_add(struct few_items *items, enum few__entry_kind kind, const char *path,
                               uint32_t extra, struct few_error *err)
{
    size_t most =
        kind == FEW__ENTRY_RECORDING || kind == FEW__ENTRY_LIVE ? FEW_PATH_MAX - FEW__KEY_ROOM : FEW_PATH_MAX;
    if (strlen(path) >= most)
        return few__fail(err, FEW_ELIMIT, "path of %zu bytes, the limit is %zu: %.60s...", strlen(path),
                         most - 1, path);
    if (items->n == FEW_ITEMS_MAX) return few__fail(err, FEW_ELIMIT, "more than %d items", FEW_ITEMS_MAX);
    if (items->n == items->room) {
        size_t room = items->room ? 2 * items->room : 64;
        struct few__entry *grown = few__resize(items->env.mem, items->entries, room, sizeof *grown);
        if (!grown) return few__no_memory(err, "list of items");
        items->entries = grown;
        items->room = room;
    }
    const char *copy = kind == FEW__ENTRY_RECORD ? path : few__arena_strdup(&items->arena, path);
    if (!copy) return few__no_memory(err, "list of items");
    items->entries[items->n++] = (struct few__entry){.path = copy, .extra = extra, .kind = (uint8_t)kind};
    return FEW_OK;
}

size_t few_items_count(const struct few_items *items)
{
    return items->n;
}

const char *few_items_path(const struct few_items *items, size_t i)
{
    return items->entries[i].path;
}

/* ---- what of a recording is wanted ---- */

const char *few__items_options(const struct few_items *items)
{
    return items->options;
}

void few__items_container(const struct few_items *items, bool is_live, struct few__container_opts *opts)
{
    const struct few_items_opts *o = &items->opts;
    *opts = (struct few__container_opts){.wants_picture = items->wants_picture,
                                         .n_rates = items->n_rates,
                                         .wants_look = items->needs.wants_look && items->wants_picture,
                                         .is_live = is_live,
                                         .fps = o->fps,
                                         .every = o->every,
                                         .clip_us = o->clip_us,
                                         .from_us = is_live ? 0 : o->from_us,
                                         .until_us = is_live ? 0 : o->until_us,
                                         .timeout_us = is_live ? o->live_timeout_us : 0};
    memcpy(opts->rates, items->rates, sizeof opts->rates);
}

/* ---- kinds, and how many ---- */

static bool holds_image(const char *path)
{
    uint8_t bytes[HEADER];
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return true; // whatever reads it says so
    FILE *file = fopen(path, "rbe");
    if (!file) return true;
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return few__image_probe(bytes, n).kind != FEW__IMAGE_KIND_COUNT;
}

enum few__entry_kind few__items_kind(struct few_items *items, size_t entry)
{
    struct few__entry *e = &items->entries[entry];
    if (e->kind != FEW__ENTRY_UNKNOWN) return (enum few__entry_kind)e->kind;
    struct few__container_opts opts;
    struct few__container *container = NULL;
    few__items_container(items, false, &opts);
    opts.threads = 1;
    bool recording = strlen(e->path) < FEW_PATH_MAX - FEW__KEY_ROOM && !holds_image(e->path) &&
                     few__container_open(e->path, &opts, &items->env, &container, NULL) == FEW_OK;
    few__container_close(container);
    e->kind = recording ? FEW__ENTRY_RECORDING : FEW__ENTRY_PATH;
    return (enum few__entry_kind)e->kind;
}

// Items of entry i; 0 = not known. What cannot be opened is one item, which fails.
static uint64_t count(struct few_items *items, size_t i)
{
    struct few__container_opts opts;
    struct few__container_about about;
    struct few__container *container = NULL;
    enum few__entry_kind kind = few__items_kind(items, i);
    if (kind == FEW__ENTRY_LIVE) return 0;
    if (kind != FEW__ENTRY_RECORDING) return 1;
    few__items_container(items, false, &opts);
    opts.threads = 1;
    if (few__container_open(items->entries[i].path, &opts, &items->env, &container, NULL) != FEW_OK) return 1;
    few__container_about(container, &about);
    few__container_close(container);
    return about.n_expected;
}

uint64_t few_items_expected(struct few_items *items)
{
    uint64_t limit = items->opts.limit ? items->opts.limit : UINT64_MAX, sum = 0;
    bool known = true;
    if (items->expected_known) return items->expected;
    for (size_t i = 0; i < items->n && known && sum < limit; i++) {
        uint64_t n = count(items, i);
        known = n > 0;
        sum += n;
    }
    items->expected_known = true;
    items->expected = known || sum >= limit ? (sum < limit ? sum : limit) : 0;
    return items->expected;
}
