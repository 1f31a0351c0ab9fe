// SPDX-License-Identifier: Apache-2.0
/* What an output is worth, and how it is kept. DESIGN section 2: valuable label, value; AMS 1.2. */
#ifndef FEW_MODEL_OUTPUT_H
#define FEW_MODEL_OUTPUT_H

#include <fewer/model.h>

#include "core/mem.h"

/* The valuable labels of an output, each catalog label once with its highest confidence, by rising label.
 *
 * out  (max,), max >= few__valuable_max(model); returns how many
 * classes and labels: confidence > threshold and no null label; detections: the best of each label; without
 * a label list: own_label with the best confidence (box, detections, sequence: mean confidence if not empty;
 * scalar: 1 if it differs from `empty` by more than `tolerance`; vector: 1 if not empty). An empty output has none. */
size_t few__valuable(const struct few_model *model, const struct few_output *output, struct few_valuable *out,
                     size_t max);

/* Whether a decision on a label could flip, so that a dearer variant of the model may say something else. A confidence is
 * near the model's threshold when it is less than FEW__UNSURE of the way from there to 0 or 1, whichever is nearer (0.3
 * at a threshold of 0.5). Labels and detections: the best confidence of some label (not a null one) is near. Classes: the
 * best confidence is not clearly above. Box and sequence: so is the output's, and it is not empty. Scalar and vector:
 * never. Numbers that are none do not count. */
#define FEW__UNSURE 0.6f
bool few__output_unsure(const struct few_model *model, const struct few_output *output);

/* The most valuable labels that an output of this model can have: at least 1. */
size_t few__valuable_max(const struct few_model *model);

/* The output that a model has where there is nothing: empty, of its kind. */
struct few_output few__output_empty(const struct few_model *model);

/* Index of the largest value (ties: the lowest), or -1 if there is none. */
int few__top(const struct few_output *output);

/* A deep copy in the arena. Errors: FEW_ENOMEM. */
enum few_status few__output_copy(const struct few_output *from, struct few__arena *arena,
                                 struct few_output *to);

/* Bytes for the store and back, exact: docs/model.md has the layout (little-endian; values dense, or sparse
 * where zeros make that shorter). few__output_pack writes into the arena; arrays of length 0 come back NULL.
 * Errors: FEW_ENOMEM; pack: FEW_ELIMIT more entries than FEW_VALUES_MAX, FEW_DETECTIONS_MAX or FEW_TOKENS_MAX;
 * unpack: FEW_EPARSE bytes that pack did not write. */
enum few_status few__output_pack(const struct few_output *output, struct few__arena *arena,
                                 const void **bytes, size_t *n_bytes);
enum few_status few__output_unpack(const void *bytes, size_t n_bytes, struct few__arena *arena,
                                   struct few_output *output, struct few_error *err);

#endif
