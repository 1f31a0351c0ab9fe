// SPDX-License-Identifier: Apache-2.0
/* The mistakes of one manifest, or of another file of its kind: collected while reading goes on, reported together in order
 * of line. */
#ifndef FEW_MODEL_MANIFEST_PROBLEMS_H
#define FEW_MODEL_MANIFEST_PROBLEMS_H

#include <fewer/zoo.h>

#include "core/mem.h"

/* Where a reader stands, as a chain on the stack: "models[3].input" is {key input} up {index 3} up {key models}. */
struct few__where {
    const struct few__where *up; // NULL at the outermost
    const char *key;             // NULL: an entry of a list, `index` counts
    size_t index;
};

/* A place in the manifest's file, from 1; 0 = the file as a whole. */
struct few__place {
    int line, column;
};

struct few__problems {
    struct few__arena *arena; // strings lie here
    const char *file;         // as the caller named it; borrowed
    const char *what;         // what it holds, for messages; NULL = "manifest"
    size_t n;                 // kept: the first ones by line and column
    size_t total;             // found in all
    bool no_memory;           // one could not be kept
    struct few_problem items[FEW_ZOO_PROBLEMS_MAX];
};

/* Note a mistake. found is copied; what the format makes is what was expected. */
void few__problem(struct few__problems *problems, struct few__place place, const struct few__where *where,
                  const char *found, const char *expected, ...) FEW_PRINTF(5, 6);

/* Enough were found: no need to look for what was probably meant. */
bool few__problems_full(const struct few__problems *problems);

/* Tell fn of each mistake and put the first ones into err. FEW_OK if there is none, else FEW_EPARSE; FEW_ENOMEM
 * if one was lost. */
enum few_status few__problems_report(const struct few__problems *problems, few_problem_fn fn, void *ud,
                                     struct few_error *err);

/* The name that was probably meant: the nearest by edits (one edit for 3 letters), or NULL. */
const char *few__nearest_name(const char *name, const char *const *names, size_t n);

/* Text for `found` or `expected` in the arena: "the text" in quotes, shortened; one of a, b or c. NULL: no memory. */
const char *few__quoted(struct few__arena *arena, const char *text);
const char *few__one_of(struct few__arena *arena, const char *const *names, size_t n);

#endif
