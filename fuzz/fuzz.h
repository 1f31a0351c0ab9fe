// SPDX-License-Identifier: Apache-2.0
/* What the fuzz targets share. A target is LLVMFuzzerTestOneInput in a file of its own; libFuzzer gives it bytes
 * (`make fuzz`), or replay.c gives it those of fuzz/corpus (an ordinary test). */
#ifndef FEW_FUZZ_FUZZ_H
#define FEW_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "DIR/NAME" in a folder of this process under TMPDIR, removed with its files at exit; one of a few static buffers. */
const char *fuzz_path(const char *name);

/* Write a file; abort when that fails, as everything here does when the machine and not the library is at fault. */
void fuzz_write(const char *path, const void *data, size_t n);

/* A whole file; free() it. */
char *fuzz_read(const char *path, size_t *n);

/* Memory that ends at FUZZ_MEMORY bytes, so that what asks for too much is refused and not merely slow. */
enum { FUZZ_MEMORY = 256 << 20 };
const struct few_env *fuzz_env(void);

/* What must hold whatever the bytes are; words: what is printed when it does not. */
#define fuzz_must(x)            fuzz_must_say(x, #x)
#define fuzz_must_say(x, words) ((x) ? (void)0 : fuzz__fail(words, __FILE__, __LINE__))
_Noreturn void fuzz__fail(const char *what, const char *file, int line);

/* Open a store and use it in every way there is, each of which may fail; results go nowhere. */
void fuzz_use_store(const char *path);

#endif
