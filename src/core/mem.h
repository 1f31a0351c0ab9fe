// SPDX-License-Identifier: Apache-2.0
/* Memory through the one allocator interface, and arenas on top of it.
 *
 * Three lifetimes: objects (few__new / few__free), what a zoo or a trace consists of (an arena that is
 * finished with it), and what belongs to one item (an arena that is reset after it: no allocation once the
 * arena has grown to the largest item). malloc appears in mem.c alone. */
#ifndef FEW_CORE_MEM_H
#define FEW_CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

/* malloc and free behind the interface. */
const struct few_mem *few__mem_default(void);

/* Zeroed memory for n things of `size` bytes; NULL when there is none, n * size overflows, or n is 0.
 * mem NULL = the default. */
void *few__new(const struct few_mem *mem, size_t n, size_t size);

/* Grow or shrink to n things of `size` bytes; new bytes are not zeroed. NULL: ptr is untouched. */
void *few__resize(const struct few_mem *mem, void *ptr, size_t n, size_t size);
void few__free(const struct few_mem *mem, void *ptr);
char *few__strdup(const struct few_mem *mem, const char *text);

#define FEW__NEW(mem, type)      ((type *)few__new((mem), 1, sizeof(type)))
#define FEW__NEW_N(mem, type, n) ((type *)few__new((mem), (n), sizeof(type)))

/* A bump allocator. Zero-initialised memory, aligned to 64 bytes for large and 16 for small pieces. */
struct few__arena {
    const struct few_mem *mem;
    struct few__arena_block *first, *current;
    size_t used, total, max; // bytes: handed out, held, limit
};

void few__arena_init(struct few__arena *arena, const struct few_mem *mem, size_t max_bytes);

/* Zeroed; NULL when there is no memory or the limit is reached. n == 0 gives a valid pointer. */
void *few__arena_alloc(struct few__arena *arena, size_t n, size_t size);
char *few__arena_strdup(struct few__arena *arena, const char *text);
char *few__arena_strndup(struct few__arena *arena, const char *text, size_t length);
char *few__arena_printf(struct few__arena *arena, const char *format, ...) FEW_PRINTF(2, 3);

/* Everything handed out is gone; the memory stays for the next round. */
void few__arena_reset(struct few__arena *arena);
void few__arena_finish(struct few__arena *arena);

#define FEW__ARENA_NEW(arena, type, n) ((type *)few__arena_alloc((arena), (n), sizeof(type)))

#endif
