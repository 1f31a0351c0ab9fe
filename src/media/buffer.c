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
    if (n > SIZE_MAX - 2 * FEW__BUFFER_ALIGN) return NULL;
    bool giant = buffer->room > FEW__BUFFER_KEEP && n < buffer->room / 2;
    if (giant || buffer->room < n) {
        few__buffer_finish(buffer);
        buffer->base = few__resize(buffer->mem, NULL, 1, n + 2 * FEW__BUFFER_ALIGN);
        if (!buffer->base) return NULL;
        buffer->room = n;
    }
    uintptr_t at = ((uintptr_t)buffer->base + FEW__BUFFER_ALIGN - 1) & ~(uintptr_t)(FEW__BUFFER_ALIGN - 1);
    return (void *)at;
}
