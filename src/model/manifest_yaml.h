// SPDX-License-Identifier: Apache-2.0
/* A YAML text as a tree that knows where everything stands. Aliases point to the one node of their anchor and
 * merge keys (<<) are resolved; keys that come twice stay, for the reader who knows their path. */
#ifndef FEW_MODEL_MANIFEST_YAML_H
#define FEW_MODEL_MANIFEST_YAML_H

#include "core/mem.h"
#include "model/manifest_problems.h"

enum {
    FEW__YAML_NODES_MAX = 4000000, // nodes of one text, and pairs that merging adds
    FEW__YAML_DEPTH_MAX = 32,      // lists and maps inside each other
    FEW__YAML_ANCHORS_MAX = 1024,
    FEW__YAML_MERGED_MAX = 64, // keys of a map that is merged, and maps merged into one
};

enum few__yaml_type { FEW__YAML_TEXT, FEW__YAML_LIST, FEW__YAML_MAP };

struct few__yaml_pair {
    const struct few__yaml *key, *value;
};

struct few__yaml {
    enum few__yaml_type type;
    bool plain; // text without quotes: may be a number; "" is then nothing at all
    struct few__place place;
    const char *text;                     // text; holds no NUL
    size_t n;                             // entries or pairs
    const struct few__yaml *const *items; // list (n,)
    const struct few__yaml_pair *pairs;   // map (n,), merged pairs last
};

/* Read one document. Mistakes go to problems; *root is NULL where the text is not well formed. An empty document
 * is an empty map.
 * Errors: FEW_ENOMEM; FEW_ELIMIT too many nodes. */
enum few_status few__yaml_read(const char *bytes, size_t n, struct few__arena *arena,
                               struct few__problems *problems, const struct few__yaml **root,
                               struct few_error *err);

/* The value of a key, or NULL. map must be a map. */
const struct few__yaml *few__yaml_get(const struct few__yaml *map, const char *key);

/* The map at a key, or NULL: also where node is no map, or its value is none. */
const struct few__yaml *few__yaml_map(const struct few__yaml *node, const char *key);

/* What stands there, for a message: "\"strech\"", "a list of 3", "nothing". NULL: no memory. */
const char *few__yaml_found(struct few__arena *arena, const struct few__yaml *node);

#endif
