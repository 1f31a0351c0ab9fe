// SPDX-License-Identifier: Apache-2.0
#include "model/pick.h"

// A line of text is wider than high even when it leans (the rule of the photo zoo's text reader).
static const double WIDE = 0.8;

static bool is_wide(const struct few_detection *d, int width, int height)
{
    return (double)d->box[2] * width > WIDE * (double)d->box[3] * height;
}

const float *few__pick_box(const struct few_output *need, enum few__pick pick, int width, int height)
{
    if (need->empty || need->n == 0) return NULL;
    if (need->kind == FEW_BOX) return need->values;
    const struct few_detection *best = &need->detections[0]; // they come by falling confidence
    for (size_t i = 1; i < need->n && pick != FEW__BEST; i++) {
        const struct few_detection *d = &need->detections[i];
        bool wide = is_wide(d, width, height), best_is_wide = is_wide(best, width, height);
        if (pick == FEW__LARGEST || wide == best_is_wide) {
            if (d->area > best->area) best = d;
        } else if (wide) {
            best = d;
        }
    }
    return best->box;
}
