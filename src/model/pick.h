// SPDX-License-Identifier: Apache-2.0
// Which detection of its need a model looks at.
#ifndef FEW_MODEL_PICK_H
#define FEW_MODEL_PICK_H

#include <fewer/model.h>

#include "model/recipe.h"

/* The box (x, y, w, h; shares) that `pick` names in a need's output: detections or box. width, height: pixels of the
 * image, which decide what is wider than high. Ties go to the first. NULL: nothing was found. Borrowed from need. */
const float *few__pick_box(const struct few_output *need, enum few__pick pick, int width, int height);

#endif
