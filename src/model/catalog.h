// SPDX-License-Identifier: Apache-2.0
/* Building a catalog: gives every (space, name) one number, whatever order models come in. Used by the
 * manifest reader and by the store, so that a trace knows its labels without the zoo. */
#ifndef FEW_MODEL_CATALOG_H
#define FEW_MODEL_CATALOG_H

#include <fewer/model.h>

#include "core/mem.h"

/* One label list, shared by the models that name it. Strings are copied. */
struct few__label_list {
    const char *space;
    size_t n;
    const char *const *names; // (n,) as in the file; may repeat
    size_t n_null;
    const char *const *null_names; // every one of them must be in names
};

struct few__catalog_builder; // opaque; lives in the arena

/* max_models <= FEW_MODELS_MAX. NULL: no memory. */
struct few__catalog_builder *few__catalog_begin(struct few__arena *arena, size_t max_models);

/* Add a model. `model` gives name, task, kind, threshold, empty, tolerance, priority, needs, variant_of, cost
 * and digest; the label members are filled in from `list` (NULL = none: the model gets a label named after
 * itself in a space named after itself). A sequence's list is its alphabet and makes no labels.
 * The n-th occurrence of a name in one list is the label "name (n)", also in few_model.labels; an alphabet
 * keeps its names. An empty list counts as none.
 * Errors: FEW_ELIMIT; FEW_EINVAL a null name that is not in the list; FEW_ENOMEM. */
enum few_status few__catalog_add(struct few__catalog_builder *builder, const struct few_model *model,
                                 const struct few__label_list *list, struct few_error *err);

/* The finished catalog, in the arena. Errors: FEW_EINVAL needs or variant_of is no index of a model. */
enum few_status few__catalog_end(struct few__catalog_builder *builder, struct few_catalog *catalog,
                                 struct few_error *err);

/* Index of the model of that name, or -1. */
int few__catalog_find(const struct few_catalog *catalog, const char *name);

#endif
