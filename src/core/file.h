// SPDX-License-Identifier: Apache-2.0
// Whole files in memory.
#ifndef FEW_CORE_FILE_H
#define FEW_CORE_FILE_H

#include <stddef.h>

#include <fewer/env.h>

/* A whole file, NUL after the end. *data is owned (few__free).
 * Errors: FEW_ENOENT, FEW_EIO, FEW_ELIMIT longer than max, FEW_ENOMEM. */
enum few_status few__file_read(const char *path, size_t max, const struct few_mem *mem, char **data,
                               size_t *n, struct few_error *err);

/* One buffer that is kept from file to file, so that a run allocates only when a file is larger than all before it;
 * after a very large one the buffer shrinks again. */
enum { FEW__READER_KEEP = 8 << 20 }; // bytes that stay between files

struct few__file_reader {
    const struct few_mem *mem;
    unsigned char *buffer;
    size_t room;
};

void few__file_reader_init(struct few__file_reader *reader, const struct few_mem *mem);
void few__file_reader_finish(struct few__file_reader *reader);

/* bytes: borrowed until the next read. 64 bytes of zeros follow them (decoders read ahead).
 * Errors: FEW_ENOENT; FEW_EIO not a file, or reading failed; FEW_ELIMIT longer than max; FEW_ENOMEM. */
enum few_status few__file_reader_read(struct few__file_reader *reader, const char *path, size_t max,
                                      const void **bytes, size_t *n, struct few_error *err);

#endif
