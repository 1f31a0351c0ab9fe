// SPDX-License-Identifier: Apache-2.0
// Lists of records: JSON Lines files, read and checked whole before anything runs, and kept by name.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "source/items_internal.h"

/* ---- lines ---- */

// A line without its end; FEW_END: there is none any more.
static enum few_status read_line(FILE *file, char *line, size_t *n, struct few_error *err)
{
    int c;
    *n = 0;
    while ((c = getc_unlocked(file)) != EOF && c != '\n') {
        if (*n == FEW__RECORD_LINE_MAX)
            return few__fail(err, FEW_ELIMIT, "line of more than %d bytes", FEW__RECORD_LINE_MAX);
        line[(*n)++] = (char)c;
    }
    if (c == EOF && ferror(file)) return few__fail_sys(err, FEW_EIO, "cannot be read");
    return c == EOF && *n == 0 ? FEW_END : FEW_OK;
}

static bool is_blank(const char *line, size_t n)
{
    while (n > 0 && strchr(" \t\r", line[n - 1]) && line[n - 1]) n--;
    return n == 0;
}

static enum few_status add_record(struct few_items *items, const char *list, const char *root,
                                  const char *line, size_t n, size_t number, struct few_error *err)
{
    if (items->n_listed == items->listed_room) {
        size_t room = items->listed_room ? 2 * items->listed_room : 64;
        struct few__listed **grown = few__resize(items->env.mem, items->listed, room, sizeof *grown);
        if (!grown) return few__no_memory(err, "list of records");
        items->listed = grown;
        items->listed_room = room;
    }
    struct few__listed *listed = FEW__ARENA_NEW(&items->arena, struct few__listed, 1);
    if (!listed) return few__no_memory(err, "list of records");
    *listed = (struct few__listed){.list = list, .line = number};
    FEW__TRY(few__record_parse(line, n, root, &items->arena, &listed->record, err));
    FEW__TRY(few__items_add(items, FEW__ENTRY_RECORD, listed->record.name, (uint32_t)items->n_listed, err));
    items->listed[items->n_listed++] = listed;
    return FEW_OK;
}

static enum few_status add_lines(struct few_items *items, const char *list, const char *root, FILE *file,
                                 char *line, struct few_error *err)
{
    size_t n;
    for (size_t number = 1;; number++) {
        enum few_status status = read_line(file, line, &n, err);
        if (status == FEW_END) return FEW_OK;
        if (status == FEW_OK && !is_blank(line, n))
            status = add_record(items, list, root, line, n, number, err);
        if (status != FEW_OK) return few__wrap(err, status, "%s, line %zu", list, number);
    }
}

enum few_status few__items_add_list(struct few_items *items, const char *path, struct few_error *err)
{
    const char *slash = strrchr(path, '/');
    char *list = few__arena_strdup(&items->arena, path);
    char *root = few__arena_strndup(&items->arena, path, slash ? (size_t)(slash - path) + 1 : 0);
    if (!list || !root) return few__no_memory(err, "list of records");
    FILE *file = fopen(path, "re");
    if (!file)
        return few__fail_sys(err, errno == ENOENT ? FEW_ENOENT : FEW_EIO, "%s: cannot be opened", path);
    size_t before = items->n;
    char *line = few__resize(items->env.mem, NULL, FEW__RECORD_LINE_MAX, 1);
    enum few_status status =
        line ? add_lines(items, list, root, file, line, err) : few__no_memory(err, "list of records");
    few__free(items->env.mem, line);
    fclose(file);
    if (status == FEW_OK && items->n == before)
        return few__fail(err, FEW_ENOENT, "%s: expected records, one on each line, found none", path);
    return status;
}

/* ---- by name ---- */

static int by_name(const void *a, const void *b)
{
    const struct few__listed *x = *(struct few__listed *const *)a, *y = *(struct few__listed *const *)b;
    int order = strcmp(x->record.name, y->record.name);
    if (order != 0) return order;
    if (x->list != y->list) return strcmp(x->list, y->list);
    return x->line < y->line ? -1 : x->line > y->line;
}

enum few_status few__items_index(struct few_items *items, struct few_error *err)
{
    if (items->n_listed == 0) return FEW_OK;
    items->by_name = FEW__NEW_N(items->env.mem, struct few__listed *, items->n_listed);
    if (!items->by_name) return few__no_memory(err, "list of records");
    memcpy(items->by_name, items->listed, items->n_listed * sizeof(struct few__listed *));
    qsort(items->by_name, items->n_listed, sizeof(struct few__listed *), by_name);
    for (size_t i = 1; i < items->n_listed; i++) {
        const struct few__listed *a = items->by_name[i - 1], *b = items->by_name[i];
        if (strcmp(a->record.name, b->record.name) == 0)
            return few__fail(err, FEW_EPARSE,
                             "%s, line %zu: expected a name of its own, found '%.80s' of %s, line %zu",
                             b->list, b->line, b->record.name, a->list, a->line);
    }
    return FEW_OK;
}

static int find_name(const void *name, const void *listed)
{
    return strcmp(name, (*(struct few__listed *const *)listed)->record.name);
}

const struct few__record *few__items_record(const struct few_items *items, const char *name)
{
    if (items->n_listed == 0) return NULL;
    struct few__listed *const *found =
        bsearch(name, items->by_name, items->n_listed, sizeof(struct few__listed *), find_name);
    return found ? &(*found)->record : NULL;
}
