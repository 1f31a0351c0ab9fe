// SPDX-License-Identifier: Apache-2.0
/* An item as models see it: a picture, sound, text, or several of them that belong together. */
#ifndef FEW_MEDIA_PARTS_H
#define FEW_MEDIA_PARTS_H

#include "media/image.h"
#include "model/recipe.h"

enum {
    FEW__SOUND_MAX_S = 600,   // seconds of one item
    FEW__TEXT_MAX = 64 << 10, // bytes of one item
};

/* Mono, about -1 .. 1. */
struct few__sound {
    int rate; // samples a second
    size_t n;
    const float *samples; // (n,)
};

/* What an item has not is zero. The same sound at each rate that the zoo wants. */
struct few__parts {
    const struct few__image *image;
    size_t n_sounds;
    struct few__sound sounds[FEW__RATES_MAX];
    const char *text; // UTF-8
};

/* Bit m: there is something of modality m. */
static inline unsigned few__parts_mask(const struct few__parts *parts)
{
    return (parts->image ? 1u << FEW_IMAGE : 0) | (parts->n_sounds ? 1u << FEW_SOUND : 0) |
           (parts->text ? 1u << FEW_TEXT : 0);
}

#endif
