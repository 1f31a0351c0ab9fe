// SPDX-License-Identifier: Apache-2.0
/* Enlarging as libvips does it. Its bilinear resize samples at out / scale - 1/2 where everybody else samples at
 * (out + 1/2) / scale - 1/2: as soon as one side grows, the picture moves by half an output pixel on both axes.
 * Detectors notice. Models whose reference was made with libvips say `sampling: libvips` in the manifest. */
#ifndef FEW_MEDIA_ENLARGE_H
#define FEW_MEDIA_ENLARGE_H

#include "media/buffer.h"
#include "media/image.h"

/* `from` to the size of `to`, no side smaller, in libvips's own arithmetic (weights of 1/4096, four to a pixel).
 * memory: reused from call to call. Errors: FEW_ENOMEM. Allocates nothing once the width repeats. */
enum few_status few__enlarge_libvips(const struct few__image *from, const struct few__planes *to,
                                     struct few__buffer *memory, struct few_error *err);

#endif
