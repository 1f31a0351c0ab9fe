// SPDX-License-Identifier: Apache-2.0
#include "core/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *resize_malloc(void *ud, void *ptr, size_t size)
{
    (void)ud;
    if (size) return realloc(ptr, size);
    free(ptr);
    return NULL;
}

static const struct few_mem mem_default = {.resize = resize_malloc, .ud = NULL};

const struct few_mem *few__mem_default(void)
{
    return &mem_default;
}

void *few__resize(const struct few_mem *mem, void *ptr, size_t n, size_t size)
{
    if (!mem) mem = &mem_default;
    if (n == 0 || size == 0 || n > SIZE_MAX / size) return NULL;
    return mem->resize(mem->ud, ptr, n * size);
}

void *few__new(const struct few_mem *mem, size_t n, size_t size)
{
    void *p = few__resize(mem, NULL, n, size);
    if (p) memset(p, 0, n * size);
    return p;
}

void few__free(const struct few_mem *mem, void *ptr)
{
    if (!mem) mem = &mem_default;
    if (ptr) mem->resize(mem->ud, ptr, 0);
}

char *few__strdup(const struct few_mem *mem, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = few__resize(mem, NULL, n, 1);
    if (copy) memcpy(copy, text, n);
    return copy;
}

/* ---- arena ---- */

enum { BLOCK_MIN = 16 << 10, ALIGN_SMALL = 16, ALIGN_LARGE = 64 };

struct few__arena_block {
    struct few__arena_block *next;
    size_t size, used; // bytes of data behind this header
    unsigned char data[];
};

void few__arena_init(struct few__arena *arena, const struct few_mem *mem, size_t max_bytes)
{
    *arena = (struct few__arena){.mem = mem, .max = max_bytes};
}

// The address inside the block is aligned, whatever alignment the allocator gave the block.
static void *take(struct few__arena_block *block, size_t bytes)
{
    uintptr_t align = bytes >= 256 ? ALIGN_LARGE : ALIGN_SMALL;
    uintptr_t base = (uintptr_t)block->data;
    uintptr_t at = (base + block->used + align - 1) & ~(align - 1);
    size_t offset = (size_t)(at - base);
    if (offset > block->size || bytes > block->size - offset) return NULL;
    block->used = offset + bytes;
    return block->data + offset;
}

static struct few__arena_block *add_block(struct few__arena *arena, size_t bytes)
{
    size_t want = bytes + ALIGN_LARGE;
    size_t doubled = arena->total > BLOCK_MIN ? arena->total : BLOCK_MIN;
    size_t size = want > doubled ? want : doubled;
    if (size > arena->max - arena->total) size = want;
    if (want < bytes || size > arena->max - arena->total) return NULL;
    struct few__arena_block *block = few__resize(arena->mem, NULL, 1, sizeof *block + size);
    if (!block) return NULL;
    *block = (struct few__arena_block){.size = size};
    arena->total += size;
    if (arena->current) {
        block->next = arena->current->next;
        arena->current->next = block;
    } else {
        arena->first = block;
    }
    return block;
}

void *few__arena_alloc(struct few__arena *arena, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size) return NULL;
    size_t bytes = n == 0 || size == 0 ? 1 : n * size;
    if (bytes > arena->max) return NULL;
    void *p = NULL;
    while (arena->current && !(p = take(arena->current, bytes)) && arena->current->next)
        arena->current = arena->current->next;
    if (!p) {
        struct few__arena_block *block = add_block(arena, bytes);
        if (!block) return NULL;
        arena->current = block;
        p = take(block, bytes);
    }
    arena->used += bytes;
    return memset(p, 0, bytes);
}

char *few__arena_strndup(struct few__arena *arena, const char *text, size_t length)
{
    char *copy = few__arena_alloc(arena, length + 1, 1);
    if (copy) memcpy(copy, text, length);
    return copy;
}

char *few__arena_strdup(struct few__arena *arena, const char *text)
{
    return few__arena_strndup(arena, text, strlen(text));
}

char *few__arena_printf(struct few__arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = n < 0 ? NULL : few__arena_alloc(arena, (size_t)n + 1, 1);
    if (text) vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}

void few__arena_reset(struct few__arena *arena)
{
    for (struct few__arena_block *b = arena->first; b; b = b->next) b->used = 0;
    arena->current = arena->first;
    arena->used = 0;
}

void few__arena_finish(struct few__arena *arena)
{
    for (struct few__arena_block *b = arena->first, *next; b; b = next) {
        next = b->next;
        few__free(arena->mem, b);
    }
    few__arena_init(arena, arena->mem, arena->max);
}
