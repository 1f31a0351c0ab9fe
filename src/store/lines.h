// SPDX-License-Identifier: Apache-2.0
// A text file line by line, gzipped or not.
#ifndef FEW_STORE_LINES_H
#define FEW_STORE_LINES_H

#include <stdint.h>

#include <zlib.h>

#include <fewer/env.h>

struct few__lines {
    const struct few_mem *mem;
    const char *name; // for messages
    gzFile file;
    char *data;
    size_t begin, end, room; // bytes begin .. end were read and not yet handed out
    size_t scanned;          // no newline between begin and here
    uint64_t number;         // of the line handed out last, from 1
};

/* path "-" = stdin. Errors: FEW_ENOENT, FEW_EIO, FEW_ENOMEM. */
enum few_status few__lines_open(struct few__lines *lines, const char *path, const struct few_mem *mem,
                                struct few_error *err);
void few__lines_close(struct few__lines *lines);

/* The next line without its newline, NUL behind it; valid until the next call. FEW_END: no more.
 * Errors: FEW_ELIMIT longer than FEW_LINE_MAX; FEW_EIO unreadable, or a gzip file cut short; FEW_ENOMEM. */
enum few_status few__lines_next(struct few__lines *lines, char **line, size_t *n, struct few_error *err);

#endif
