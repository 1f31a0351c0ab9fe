// SPDX-License-Identifier: Apache-2.0
/* Rules of thumb in a file (docs/rules.md): a model that says one of these labels makes these models so many times as
 * likely to be next. What asks them is item/value_rules. */
#ifndef FEW_MODEL_RULES_FILE_H
#define FEW_MODEL_RULES_FILE_H

#include <fewer/zoo.h>

#include "core/mem.h"

enum {
    FEW__RULES_VERSION = 1,
    FEW__RULES_MAX = 256,         // of one file
    FEW__RULE_LABELS_MAX = 4096,  // that one rule names
    FEW__RULES_FILE_MAX = 1 << 20 // bytes
};

struct few__rule {
    size_t n_labels, n_models;
    const int32_t *labels; // (n_labels,) of the catalog: any one of them applies it
    const size_t *models;  // (n_models,) rising
    double times;          // 0.001 ... 1000
};

struct few__rules {
    size_t n;
    const struct few__rule *rules; // (n,) in the order of the file
};

/* Read a file for the models and labels of a catalog; everything lies in the arena.
 *
 * on_problem, ud  told of each mistake, in order of line; NULL = only the error's text
 * rules           out; none on failure
 * Errors: FEW_ENOENT; FEW_EIO; FEW_EPARSE one or more mistakes, the first ones in the message with file, line and
 * column; FEW_ELIMIT a file over FEW__RULES_FILE_MAX bytes, or YAML over the limits of manifest_yaml.h; FEW_ENOMEM.
 * Cost: O(names in the file x labels of the catalog). */
enum few_status few__rules_read(const char *path, const struct few_catalog *catalog, struct few__arena *arena,
                                few_problem_fn on_problem, void *ud, struct few__rules *rules,
                                struct few_error *err);

#endif
