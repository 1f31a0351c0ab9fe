// SPDX-License-Identifier: Apache-2.0
// What outputs tell a network (item/evidence.h), learned from those of a lesson: directions, middles, scales.
#ifndef FEW_TRAIN_EVIDENCE_LEARN_H
#define FEW_TRAIN_EVIDENCE_LEARN_H

#include "item/evidence.h"
#include "train/learner.h"

/* evidences: in the arena. table: (lesson->n_items, evidences->n) in the arena, out: the numbers of each item, zero where a model was
 * not executed. Errors: FEW_EPARSE a damaged output; FEW_ELIMIT a vector of more than FEW__EVIDENCE_VECTOR_MAX numbers; FEW_ENOMEM.
 * Cost: O(items x labels x components) for each model, 20 times. */
enum { FEW__EVIDENCE_VECTOR_MAX = 1 << 16 };
enum few_status few__evidence_learn(const struct few__lesson *lesson, struct few__arena *arena,
                                    struct few__evidences *evidences, float **table, struct few_error *err);

#endif
