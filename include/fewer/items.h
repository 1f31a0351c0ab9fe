// SPDX-License-Identifier: Apache-2.0
/* Which items a run is about: files, folders (searched through, hidden ones left out), globs, lists.
 * The order is always the same: arguments as given, a folder's or a glob's files by name. */
#ifndef FEWER_ITEMS_H
#define FEWER_ITEMS_H

#include <fewer/env.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_ITEMS_MAX 10000000 // items of one run
#define FEW_PATH_MAX  4096     // bytes of one path

struct few_items;

/* Collect paths. A folder gives the files in it whose names end like an image's; a file named
 * outright is taken whatever its name. "-" reads one path a line from `list` (a FILE *, or NULL).
 *
 * args   (n_args,) borrowed for the call
 * items  out, owned: few_items_close
 *
 * Errors: FEW_ENOENT an argument or a glob that names nothing; FEW_ELIMIT; FEW_EIO; FEW_ENOMEM. */
FEW_API FEW_MUST_USE enum few_status few_items_open(const char *const *args, size_t n_args, void *list,
                                                    const struct few_env *env, struct few_items **items,
                                                    struct few_error *err);
FEW_API void few_items_close(struct few_items *items);
FEW_API size_t few_items_count(const struct few_items *items);

/* The path of item i; borrowed until close. */
FEW_API const char *few_items_path(const struct few_items *items, size_t i);

#ifdef __cplusplus
}
#endif
#endif
