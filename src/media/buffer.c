// SPDX-License-Identifier: Apache-2.0
#include "media/buffer.h"

#include "core/mem.h"

void few__buffer_finish(struct few__buffer *buffer)
{
    few__free(buffer->mem, buffer->base);
    buffer->base = NULL;
    buffer->room = 0;
}

void *few__buffer_reserve(struct few__buffer *buffer, size_t n)
{
    const size_t align = FEW__BUFFER_ALIGN;
    if (n > SIZE_MAX - 2 * align) return NULL;
    bool giant = buffer->room > FEW__BUFFER_KEEP && n < buffer->room / 2;
    if (giant || buffer->room < n) {
        few__buffer_finish(buffer);
        buffer->base = few__resize(buffer->mem, NULL, 1, n + 2 * align);
        if (!buffer->base) return NULL;
        buffer->room = n;
    }
    size_t past = (uintptr_t)buffer->base % align;
    return (char *)buffer->base + (past ? align - past : 0);
}
