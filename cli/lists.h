// SPDX-License-Identifier: Apache-2.0
// Options that are lists, of eval and plan: parts between commas, without spaces.
#ifndef FEW_CLI_LISTS_H
#define FEW_CLI_LISTS_H

#include "args.h"

enum { LIST_MAX = 64, METHOD_NAME_MAX = 63 };

struct lists {
    size_t n_recalls, n_deadlines, n_memories, n_methods;
    double recalls[LIST_MAX];
    int64_t deadlines_us[LIST_MAX];
    struct args_memory memories[LIST_MAX];
    uint64_t memories_bytes[LIST_MAX];
    const char *methods[LIST_MAX];
    char names[LIST_MAX][METHOD_NAME_MAX + 1]; // of those that only a policy may have
};

/* --recall, --deadline, --memory. What is wrong is said. Returns an exit status. */
int lists_read(const char *verb, const struct args *args, struct lists *lists);

/* --method: of the n methods that are always there, or, with a policy, any. */
int lists_methods(const char *verb, const struct args *args, const char *const *methods, size_t n_methods,
                  struct lists *lists);

/* lists->memories_bytes: shares are of what all models of the trace take together. Returns an exit status. */
int lists_measure(const char *trace, struct lists *lists);

#endif
