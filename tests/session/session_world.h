// SPDX-License-Identifier: Apache-2.0
/* What the session tests share: zoos of tiny models, pictures of a few pixels, a run in one call, and the lines of an
 * export without their times. Failures end the test. */
#ifndef FEW_TESTS_SESSION_WORLD_H
#define FEW_TESTS_SESSION_WORLD_H

#include <fewer/fewer.h>

#include "support/support.h"

/* Writes a manifest of n models "m0", "m1" ... into the last t_tmpdir, of tests/backend/data/<files[i]>.onnx, whose
 * output `mean` (files "mean" and "large") or only output ("slow") is a number of its own threshold. NULL mem: malloc. */
struct few_zoo *w_zoo(const char *name, const char *const *files, size_t n, const struct few_mem *mem);

/* A 24-bit bitmap of random pixels: the same seed gives the same bytes. */
void w_picture(const char *path, int width, int height, uint64_t seed);

/* n pictures "000.bmp" ... in the last t_tmpdir, pictures i of seed `seed` + i. paths: (n,), out. */
enum { W_PATH = 512 };
void w_pictures(char (*paths)[W_PATH], size_t n, uint64_t seed);

/* opts with size and runtime filled in. */
struct few_session_opts w_opts(struct few_session_opts opts);

/* n paths, or what else names items, as a list; opts: NULL = defaults. few_items_close. */
struct few_items *w_items(const char *const *args, size_t n, const struct few_items_opts *opts);

/* Submit all, receive until `take` results came (SIZE_MAX = all), close. kept: out, how many were kept; or NULL.
 * stats: out, before close; or NULL. */
void w_run(struct few_zoo *zoo, const char *spec, struct few_session_opts opts, char (*paths)[W_PATH],
           size_t n, size_t take, size_t *kept, struct few_session_stats *stats);

/* The export of a store as JSON Lines, times replaced by 0; free(). */
char *w_lines(const char *store);

/* How often `part` comes in the text. */
size_t w_count(const char *text, const char *part);

/* The six counts add up to items x models. */
void w_counts_add_up(const struct few_session_stats *stats, size_t n_items, size_t n_models);

#endif
