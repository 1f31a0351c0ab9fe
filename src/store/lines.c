// SPDX-License-Identifier: Apache-2.0
/* Lines of any length up to FEW_LINE_MAX through one buffer that grows to the longest of them. zlib reads what is
 * not gzipped as it stands. */
#include "store/lines.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <fewer/trace.h>

#include "core/error.h"
#include "core/mem.h"

enum { FIRST_ROOM = 256 << 10, ZLIB_BUFFER = 128 << 10 };

static gzFile open_stdin(void)
{
    int fd = dup(STDIN_FILENO);
    gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");
    if (!file && fd >= 0) close(fd);
    return file;
}

enum few_status few__lines_open(struct few__lines *lines, const char *path, const struct few_mem *mem,
                                struct few_error *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    *lines = (struct few__lines){.mem = mem, .name = is_stdin ? "stdin" : path};
    errno = 0;
    lines->file = is_stdin ? open_stdin() : gzopen(path, "rbe");
    if (!lines->file && errno == 0) return few__no_memory(err, lines->name);
    if (!lines->file)
        return few__fail_sys(err, errno == ENOENT ? FEW_ENOENT : FEW_EIO, "%s: cannot be opened",
                             lines->name);
    gzbuffer(lines->file, ZLIB_BUFFER);
    lines->room = FIRST_ROOM;
    lines->data = few__resize(mem, NULL, lines->room, 1);
    if (lines->data) return FEW_OK;
    few__lines_close(lines);
    return few__no_memory(err, lines->name);
}

void few__lines_close(struct few__lines *lines)
{
    if (lines->file) gzclose_r(lines->file);
    few__free(lines->mem, lines->data);
    lines->file = NULL;
    lines->data = NULL;
}

// Space behind what is there, for at least one byte and the NUL.
static enum few_status make_space(struct few__lines *lines, struct few_error *err)
{
    if (lines->begin) {
        memmove(lines->data, lines->data + lines->begin, lines->end - lines->begin);
        lines->end -= lines->begin;
        lines->scanned -= lines->begin;
        lines->begin = 0;
    }
    if (lines->end > FEW_LINE_MAX)
        return few__fail(err, FEW_ELIMIT, "%s:%llu: expected a line of at most %d bytes, found more",
                         lines->name, (unsigned long long)lines->number + 1, FEW_LINE_MAX);
    if (lines->end + 2 <= lines->room) return FEW_OK;
    char *data = few__resize(lines->mem, lines->data, 2 * lines->room, 1);
    if (!data) return few__no_memory(err, lines->name);
    lines->data = data;
    lines->room *= 2;
    return FEW_OK;
}

// FEW_END: the file ends here.
static enum few_status read_more(struct few__lines *lines, struct few_error *err)
{
    FEW__TRY(make_space(lines, err));
    size_t space = lines->room - lines->end - 1;
    int got = gzread(lines->file, lines->data + lines->end, (unsigned)space);
    int code = Z_OK;
    if (got <= 0) {
        const char *why = gzerror(lines->file, &code);
        if (code == Z_MEM_ERROR) return few__no_memory(err, lines->name);
        if (code != Z_OK && code != Z_STREAM_END)
            return few__fail(err, FEW_EIO, "%s: cannot be read: %s", lines->name,
                             code == Z_ERRNO ? strerror(errno) : why);
        return FEW_END;
    }
    lines->end += (size_t)got;
    return FEW_OK;
}

enum few_status few__lines_next(struct few__lines *lines, char **line, size_t *n, struct few_error *err)
{
    char *newline;
    size_t stop;
    for (;;) {
        newline = memchr(lines->data + lines->scanned, '\n', lines->end - lines->scanned);
        stop = newline ? (size_t)(newline - lines->data) : lines->end;
        if (newline) break;
        lines->scanned = lines->end;
        enum few_status status = read_more(lines, err);
        if (status == FEW_END && lines->begin == lines->end) return FEW_END;
        stop = lines->end;
        if (status == FEW_END) break;
        if (status != FEW_OK) return status;
    }
    lines->number++;
    *line = lines->data + lines->begin;
    *n = stop - lines->begin;
    lines->data[stop] = 0;
    lines->begin = lines->scanned = newline ? stop + 1 : stop;
    if (*n <= FEW_LINE_MAX) return FEW_OK;
    return few__fail(err, FEW_ELIMIT, "%s:%llu: expected a line of at most %d bytes, found %zu", lines->name,
                     (unsigned long long)lines->number, FEW_LINE_MAX, *n);
}
