// SPDX-License-Identifier: Apache-2.0
/* A manifest while it is read: what the tables fill in, with names not yet resolved and the nodes that later checks
 * point at. Files: manifest_draft (how a model's mistake is told) below manifest_backend (what runs a model) and
 * manifest_input (what it looks at) below manifest_model (all of a model); manifest_tables (the keys), manifest_links
 * (names that models and lists use of each other), manifest (the zoo). */
#ifndef FEW_MODEL_MANIFEST_DRAFT_H
#define FEW_MODEL_MANIFEST_DRAFT_H

#include "model/catalog.h"
#include "model/manifest_fields.h"
#include "model/recipe.h"

enum {
    FEW__LABEL_LISTS_MAX = 4096,
    FEW__NULL_LABELS_MAX = 1000,
    FEW__MANIFEST_VERSION = 1,
    FEW__BACKENDS = 3,
    FEW__COMMAND_MAX = 64, // words
    FEW__BATCH_MAX = 64,
};

/* An entry of `labels:`. */
struct few__list_draft {
    const struct few__yaml *key, *node;
    const char *name, *file, *space; // file and space NULL = not given
    size_t n, n_null;
    const char *const *names, *const *null_names;
    size_t count; // 0 = not given
};

/* A number of samples, or a time. */
struct few__samples_draft {
    bool given;
    double value, per_second; // units of value in a second; 0: it counts samples
};

/* An entry of `models:`. */
struct few__model_draft {
    const struct few__yaml *node, *input, *output; // NULL = not given or no map
    struct few_model model;
    struct few__recipe recipe;
    unsigned backend;    // index of its choice; FEW__BACKENDS = not read
    bool input_is_known; // its kind was read
    struct few__samples_draft window, hop, context;
    const char *vocabulary;                  // name, NULL = not given
    const char *const *words;                // (n_command,) the command as written
    char file_digest[65];                    // of recipe.file, "" without one
    int size[2];                             // width, height
    const char *labels, *needs, *variant_of; // names, NULL = not given
    const struct few__list_draft *list;      // NULL = none
};

struct few__manifest_draft {
    int version;
    const char *name;            // NULL = not given
    enum few__sampling sampling; // of the inputs that do not say
    size_t n_lists, n_models;
    struct few__list_draft *lists;
    struct few__model_draft *models;
};

extern const struct few__section few__manifest_section, few__list_section, few__model_section,
    few__state_section;
extern const struct few__section *const few__input_sections[FEW_MODALITY_COUNT]; // of struct few__model_draft

/* [struct few__list_draft *], [struct few__model_draft *] */
few__read_fn few__read_lists, few__read_models;

/* Note that models[i] has a mistake at `key` of its `section` (NULL = the model itself); at the node of that key where
 * it is given. */
void few__model_problem(struct few__reader *reader, const struct few__model_draft *draft, size_t i_model,
                        const char *section, const char *key, const char *found, const char *expected);

/* "onnx", "worker", "replay" */
extern const char *const few__backend_names[FEW__BACKENDS];

/* [const char *const *] a worker's command, words that name files below the root with their paths; fills words and
 * recipe.file too. */
few__read_fn few__read_command;

/* Name the backend and note keys that it does not take or that it lacks. */
void few__backend_check(struct few__reader *reader, struct few__model_draft *draft, size_t i_model);

/* Fill in the digest of a model without a mistake, whose file_digest is set. Errors: FEW_ENOMEM. */
enum few_status few__backend_digest(const struct few_mem *mem, struct few__model_draft *draft,
                                    struct few_error *err);

/* [struct few__model_draft] an input by the table of its kind; its kind, which that has read before; [few__model_state *],
 * [few__constant *] those of its recipe. */
few__read_fn few__read_input, few__read_kind, few__read_states, few__read_constants;

/* [struct few__samples_draft] a number, or one with ms or s */
few__read_fn few__read_samples;

/* Note what an input says that does not fit together. */
void few__input_check(struct few__reader *reader, struct few__model_draft *draft, size_t i_model);

/* Note what a model says that does not fit together: input, output, crop. */
void few__model_check(struct few__reader *reader, struct few__model_draft *draft, size_t i_model);

/* Resolve needs, variant_of and labels to indices; note unknown names, names that come twice, needs of another kind,
 * circles. */
void few__links_resolve(struct few__reader *reader, struct few__manifest_draft *draft);

#endif
