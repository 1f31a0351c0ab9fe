// SPDX-License-Identifier: Apache-2.0
// Reading label files; labels.h has their form.
#include "model/labels.h"

#include <string.h>

#include <fewer/model.h>

#include "core/error.h"
#include "core/file.h"

static size_t count_lines(const char *text, size_t n)
{
    size_t lines = 0;
    for (const char *at = text, *end = text + n; at < end; lines++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    return lines;
}

/* Cut the text, which the arena holds and which ends with NUL, into lines; names has room for all of them. */
static void split(char *text, size_t n, const char **names)
{
    size_t lines = 0;
    for (char *at = text, *end = text + n; at < end;) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline ? newline : end;
        char *next = newline ? newline + 1 : end;
        if (stop > at && stop[-1] == '\r') stop--;
        *stop = '\0';
        names[lines++] = at;
        at = next;
    }
}

static enum few_status parse(const char *path, char *text, size_t n, struct few__arena *arena,
                             struct few__label_file *file, struct few_error *err)
{
    static const char mark[] = "\xEF\xBB\xBF", header[] = "# space: ";
    if (memchr(text, '\0', n))
        return few__fail(err, FEW_EPARSE, "%s: expected a text with one name a line, found a NUL byte", path);
    if (n >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        n -= 3;
    }
    size_t lines = count_lines(text, n);
    const char **names = lines <= FEW_LABELS_MAX ? FEW__ARENA_NEW(arena, const char *, lines) : NULL;
    if (lines > FEW_LABELS_MAX)
        return few__fail(err, FEW_ELIMIT, "%s: expected at most %d names, found %zu", path, FEW_LABELS_MAX,
                         lines);
    if (!names) return few__no_memory(err, "labels");
    split(text, n, names);
    *file = (struct few__label_file){.n = lines, .names = names};
    if (lines > 0 && strncmp(names[0], header, sizeof header - 1) == 0 && names[0][sizeof header - 1])
        *file = (struct few__label_file){
            .space = names[0] + sizeof header - 1, .n = lines - 1, .names = names + 1};
    return FEW_OK;
}

enum few_status few__labels_read(const char *path, struct few__arena *arena, struct few__label_file *file,
                                 struct few_error *err)
{
    char *data = NULL;
    size_t n = 0;
    *file = (struct few__label_file){0};
    FEW__TRY(few__file_read(path, FEW__LABEL_FILE_MAX, arena->mem, &data, &n, err));
    char *text = few__arena_alloc(arena, n + 1, 1);
    if (text) memcpy(text, data, n);
    few__free(arena->mem, data);
    if (!text) return few__no_memory(err, "labels");
    return parse(path, text, n, arena, file, err);
}
