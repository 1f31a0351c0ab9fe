// SPDX-License-Identifier: Apache-2.0
/* Label files: one name a line. Carriage returns before a newline are dropped, and so is a byte order mark; the
 * last newline may be missing. An empty or blank line is a name like any other (an alphabet may have a blank). A first
 * line "# space: NAME" declares the label space and is no name. */
#ifndef FEW_MODEL_LABELS_H
#define FEW_MODEL_LABELS_H

#include <fewer/env.h>

#include "core/mem.h"

enum { FEW__LABEL_FILE_MAX = 64 << 20 }; // bytes

struct few__label_file {
    const char *space; // NULL = none declared
    size_t n;
    const char *const *names; // (n,)
};

/* Read a label file into the arena.
 * Errors: FEW_ENOENT, FEW_EIO; FEW_EPARSE a NUL byte; FEW_ELIMIT over FEW__LABEL_FILE_MAX bytes or
 * FEW_LABELS_MAX lines; FEW_ENOMEM. */
enum few_status few__labels_read(const char *path, struct few__arena *arena, struct few__label_file *file,
                                 struct few_error *err);

#endif
