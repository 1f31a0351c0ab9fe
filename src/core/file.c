// SPDX-License-Identifier: Apache-2.0
#include "core/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/mem.h"

enum { PADDING = 64 };

void few__file_reader_init(struct few__file_reader *reader, const struct few_mem *mem)
{
    *reader = (struct few__file_reader){.mem = mem};
}

void few__file_reader_finish(struct few__file_reader *reader)
{
    few__free(reader->mem, reader->buffer);
    few__file_reader_init(reader, reader->mem);
}

static enum few_status make_room(struct few__file_reader *reader, const char *path, size_t n,
                                 struct few_error *err)
{
    size_t want = n + PADDING;
    bool shrink = reader->room > FEW__READER_KEEP && want <= FEW__READER_KEEP;
    if (want <= reader->room && !shrink) return FEW_OK;
    size_t room = shrink ? FEW__READER_KEEP : want + want / 4;
    unsigned char *buffer = few__resize(reader->mem, reader->buffer, room, 1);
    if (!buffer) return few__no_memory(err, path);
    reader->buffer = buffer;
    reader->room = room;
    return FEW_OK;
}

static enum few_status read_all(struct few__file_reader *reader, int fd, const char *path, size_t size,
                                size_t *n, struct few_error *err)
{
    size_t have = 0;
    assert(reader->buffer && "make_room comes first");
    while (have < size) {
        ssize_t got = read(fd, reader->buffer + have, size - have);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return few__fail_sys(err, FEW_EIO, "%s: cannot be read", path);
        if (got == 0) break; // it became shorter meanwhile; the decoder will say so
        have += (size_t)got;
    }
    memset(reader->buffer + have, 0, PADDING);
    *n = have;
    return FEW_OK;
}

static enum few_status read_open(struct few__file_reader *reader, int fd, const char *path, size_t max,
                                 size_t *n, struct few_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) return few__fail_sys(err, FEW_EIO, "%s: cannot be examined", path);
    if (!S_ISREG(st.st_mode))
        return few__fail(err, FEW_EIO, "%s: expected a file, found %s", path,
                         S_ISDIR(st.st_mode) ? "a folder" : "something else");
    if ((uintmax_t)st.st_size > max)
        return few__fail(err, FEW_ELIMIT, "%s: expected at most %zu bytes, found %jd", path, max,
                         (intmax_t)st.st_size);
    FEW__TRY(make_room(reader, path, (size_t)st.st_size, err));
    return read_all(reader, fd, path, (size_t)st.st_size, n, err);
}

enum few_status few__file_reader_read(struct few__file_reader *reader, const char *path, size_t max,
                                      const void **bytes, size_t *n, struct few_error *err)
{
    *bytes = NULL;
    *n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe must not block us before fstat
    if (fd < 0)
        return few__fail_sys(err, errno == ENOENT ? FEW_ENOENT : FEW_EIO, "%s: cannot be opened", path);
    enum few_status status = read_open(reader, fd, path, max, n, err);
    close(fd);
    *bytes = status == FEW_OK ? reader->buffer : NULL;
    return status;
}

enum few_status few__file_read(const char *path, size_t max, const struct few_mem *mem, char **data,
                               size_t *n, struct few_error *err)
{
    struct few__file_reader reader;
    const void *bytes;
    few__file_reader_init(&reader, mem);
    enum few_status status = few__file_reader_read(&reader, path, max, &bytes, n, err);
    if (status != FEW_OK) few__file_reader_finish(&reader);
    *data = (char *)reader.buffer; // the padding is the NUL
    return status;
}
