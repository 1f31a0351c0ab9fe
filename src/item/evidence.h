// SPDX-License-Identifier: Apache-2.0
/* What an output tells a network: a few numbers of fixed size for each model. What its labels' confidences (their square
 * roots, so that faint ones count too) are along the directions in which they differ most, and a summary: how sure, how many, how
 * large. Learned from outputs, without looking at values. */
#ifndef FEW_ITEM_EVIDENCE_H
#define FEW_ITEM_EVIDENCE_H

#include <fewer/model.h>

#include "nn/tensors_file.h"

enum {
    FEW__EVIDENCE_MAX = 12,   // components of a model's labels
    FEW__EVIDENCE_SPREADS = 4 // no number is further than so many deviations from the middle
};

/* Of one model. Without labels in the outputs (n_labels 0) the numbers themselves take their place. */
struct few__evidence {
    size_t n_labels;             // confidences, or numbers, that are looked at
    size_t n_parts;              // components of them
    size_t n_summary;            // numbers beside them
    size_t at;                   // where the model's numbers begin; it has n_parts + n_summary
    const float *mean, *basis;   // (n_labels,), (n_parts, n_labels) over the deviation
    const float *middle, *scale; // (n_summary,)
};

struct few__evidences {
    size_t n_models, n; // numbers of all models together
    struct few__evidence *models;
    size_t room; // floats of scratch that few__evidence_of wants
};

/* How many confidences or numbers an output of the model can have, and how long its summary is. */
void few__evidence_sizes(const struct few_model *model, size_t n_values, struct few__evidence *sizes);

/* The raw numbers: labels (n_labels,) and summary (n_summary,). An output with more numbers than n_labels is cut, one with
 * fewer ends with zeros; a number that is not finite counts as 0. */
void few__evidence_raw(const struct few_model *model, const struct few_output *output,
                       const struct few__evidence *sizes, float *labels, float *summary);

/* The model's numbers for a network, (n_parts + n_summary,). scratch: (evidences->room,). Allocates nothing. */
void few__evidence_of(const struct few__evidences *evidences, size_t m, const struct few_model *model,
                      const struct few_output *output, float *scratch, float *out);

/* In tensors "PREFIX.INDEX.mean", ".basis", ".middle", ".scale". take: numbers are borrowed from the tensors, the rest is in the
 * arena. Errors: FEW_ENOENT, FEW_ESHAPE; FEW_EPARSE numbers that are not finite; FEW_ENOMEM. */
enum few_status few__evidences_put(const struct few__evidences *evidences, struct few__tensors *tensors,
                                   const char *prefix, struct few_error *err);
enum few_status few__evidences_take(const struct few__tensors *tensors, const char *prefix,
                                    const struct few_catalog *catalog, struct few__arena *arena,
                                    struct few__evidences *evidences, struct few_error *err);

#endif
