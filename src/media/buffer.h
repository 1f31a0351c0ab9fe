// SPDX-License-Identifier: Apache-2.0
// Memory for pixels that is used again from item to item: grows to what is asked, lets go of what a giant left.
#ifndef FEW_MEDIA_BUFFER_H
#define FEW_MEDIA_BUFFER_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

enum {
    FEW__BUFFER_ALIGN = 64,      // what the widest vector loads want; so much room again follows the end
    FEW__BUFFER_KEEP = 16 << 20, // bytes that are never worth giving back
};

struct few__buffer {
    const struct few_mem *mem;
    void *base;
    size_t room; // bytes after alignment
};

/* n bytes, aligned, of any content; the last ones are gone. Memory is given back first where it is more than
 * FEW__BUFFER_KEEP and twice what is needed. NULL: out of memory, and the buffer is empty. */
void *few__buffer_reserve(struct few__buffer *buffer, size_t n);
void few__buffer_finish(struct few__buffer *buffer);

/* Bytes from one row of a plane to the next. */
static inline size_t few__plane_stride(int width)
{
    return ((size_t)width + FEW__BUFFER_ALIGN - 1) / FEW__BUFFER_ALIGN * FEW__BUFFER_ALIGN;
}

#endif
