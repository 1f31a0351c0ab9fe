// SPDX-License-Identifier: Apache-2.0
/* A moment of a recording or a camera: a picture, the sound of a span, or both. Its memory is used again. */
#ifndef FEW_SOURCE_MOMENT_H
#define FEW_SOURCE_MOMENT_H

#include "media/buffer.h"
#include "media/parts.h"

struct AVFrame;

struct few__moment {
    int64_t at_us, until_us; // since the start of the recording; live: since 1970, as the clock says
    int64_t arrived_us;      // few__now_us when it was complete: live ones get older from here
    struct AVFrame *frame;   // owned; NULL until it is needed
    struct AVFrame *picture; // `frame`, as decoded; NULL = it has none
    int rotation;            // clockwise, 0, 90, 180, 270: how the picture has to be turned to be upright
    bool has_look;
    uint8_t *look; // (FEW__LOOK_BYTES,) or NULL where nobody wants it; owned
    size_t n_sounds;
    struct few__sound sounds[FEW__RATES_MAX]; // samples lie in `memory`
    struct few__buffer memory;
};

/* An empty one; look: with room for it. Errors: FEW_ENOMEM. */
enum few_status few__moment_init(struct few__moment *moment, const struct few_mem *mem, bool look,
                                 struct few_error *err);
void few__moment_clear(struct few__moment *moment); // what it holds goes, its memory stays
void few__moment_finish(struct few__moment *moment);

/* Its picture as upright RGB in planes that lie in `planes`: the same numbers as those of a still image of that format.
 * Any thread. Errors: FEW_EINVAL it has no picture; FEW_EUNSUPPORTED a format that few__picture_rows cannot read;
 * FEW_ELIMIT; FEW_ENOMEM. */
enum few_status few__moment_image(const struct few__moment *moment, struct few__buffer *planes,
                                  struct few__image *image, struct few_error *err);

#endif
