// SPDX-License-Identifier: Apache-2.0
/* How far an output agrees with the one that exact execution gives, in [0, 1], and the task metrics of
 * algorithms.md 2.10. DESIGN section 2 has the definition for each kind. */
#ifndef FEW_MODEL_AGREEMENT_H
#define FEW_MODEL_AGREEMENT_H

#include <fewer/model.h>

#include "core/mem.h"

/* given, exact  of the same model; an empty output stands for "nothing"
 * range  scalar: 5-95% spread on training items, > 0; counts: pass 0, then |d| < 0.5 counts as 1, else 0
 * scratch  for matching; reset by the caller. Errors: none; NaN counts as disagreement, and so
 * does a scratch without memory (the functions below then give NaN). */
double few__agreement(const struct few_model *model, const struct few_output *given,
                      const struct few_output *exact, double range, struct few__arena *scratch);

/* Intersection over union of x, y, w, h boxes; negative sizes count as 0; 0/0 = 0. */
double few__iou(const float a[4], const float b[4]);

/* F1 of two label sets, each sorted by label without repeats; both empty = 1. */
double few__f1_labels(const struct few_valuable *a, size_t n_a, const struct few_valuable *b, size_t n_b);

/* F1 of detections: matched greedily by falling confidence at IoU >= iou with equal label; both empty = 1. */
double few__f1_detections(const struct few_detection *given, size_t n_given,
                          const struct few_detection *exact, size_t n_exact, double iou,
                          struct few__arena *scratch);

/* Word error rate (substitutions + deletions + insertions) / n_ref; may exceed 1. Empty reference: 0 if the
 * hypothesis is empty too, else 1. */
double few__wer(const int32_t *ref, size_t n_ref, const int32_t *hyp, size_t n_hyp,
                struct few__arena *scratch);

/* (1 + cosine) / 2; two zero vectors 1, one zero vector 0.5. */
double few__cosine_agreement(const float *a, const float *b, size_t n);

/* Mean over the classes that have a positive of the average precision by falling score (ties: the lower item
 * first). scores, truth: (n_items, n_classes). NaN if no class has a positive. */
double few__mean_average_precision(const float *scores, const bool *truth, size_t n_items, size_t n_classes,
                                   struct few__arena *scratch);

#endif
