// SPDX-License-Identifier: Apache-2.0
/* Value by regression: networks that were shown what random sets of models said, and what every other model would have added
 * (docs/ams.md). They see all confidences, boxes and numbers (evidence.h), not only valuable labels, and which models ran.
 * What they predict is the share of the item's whole value that a model adds, so that prices mean recall per time. */
#ifndef FEW_ITEM_VALUE_NET_H
#define FEW_ITEM_VALUE_NET_H

#include "item/evidence.h"
#include "item/value.h"
#include "nn/net.h"

enum { FEW__VALUE_NETS_MAX = 32 };

/* Numbers of models and labels are those of the policy. Inputs: evidence of each model; a bit for each that ran; for each label
 * space the value that was seen in it and how many labels, and both over all spaces, as log(1 + x). Outputs: a value for each
 * model. */
struct few__value_nets {
    struct few__evidences evidences;
    size_t n_labels, n_spaces;
    const uint32_t *space_of; // (n_labels,) < n_spaces
    size_t n_nets;
    const struct few__net *const *nets; // (n_nets,) their mean counts
};

static inline size_t few__value_nets_inputs(const struct few__value_nets *nets)
{
    return nets->evidences.n + nets->evidences.n_models + 2 * (nets->n_spaces + 1);
}

/* The label spaces of a catalog, numbered as its labels name them first. space_of: (n_labels,) out. O(labels x spaces). */
size_t few__label_spaces(const struct few_catalog *catalog, uint32_t *space_of);

/* sums: (2 * (n_spaces + 1),) of what was seen: value and number of labels by space, then over all. To inputs, in place. */
void few__seen_inputs(float *sums, size_t n_spaces);

/* From numbers of the catalog to those of the nets; UINT32_MAX = they do not know it, a model's value is 0. NULL = the same. */
struct few__value_maps {
    const uint32_t *model_of, *label_of; // (n_models of the catalog,), (n_labels of the catalog,)
};

/* nets, costs (n_models,) and what maps has are borrowed until it is destroyed. view->outputs has to be there.
 *
 * bundles: a need that has not run is worth what it and the best of its users bring together, over the time of all of them, and its
 * users nothing until it has; so a face detector is run for age, gender and pose together, not for one of them. Not for Algorithm 2,
 * which wants what each model adds. A model's priority multiplies its value. score costs O(evidence of what is new x
 * width) for each net, and allocates nothing.
 * Errors: FEW_ESHAPE nets of other sizes; FEW_EINVAL needs in a circle; FEW_ENOMEM. */
enum few_status few__value_net(const struct few__value_nets *nets, const struct few_catalog *catalog,
                               const struct few__value_maps *maps, const struct few_cost *costs, bool bundles,
                               const struct few_env *env, struct few__value *value, struct few_error *err);

#endif
