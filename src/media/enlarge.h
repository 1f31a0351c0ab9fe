// SPDX-License-Identifier: Apache-2.0
/* Enlarging as libvips does it. Its bilinear resize samples at out / scale - 1/2 where everybody else samples at
 * (out + 1/2) / scale - 1/2: as soon as one side grows, the picture moves by half an output pixel on both axes.
 * Detectors notice. Models whose reference was made with libvips say `sampling: libvips` in the manifest. */
#ifndef FEW_MEDIA_ENLARGE_H
#define FEW_MEDIA_ENLARGE_H

#include "media/buffer.h"

/* Three planes of width x height pixels to out_width >= width, out_height >= height, in libvips's own arithmetic
 * (weights of 1/4096, four to a pixel). memory: reused from call to call.
 * Errors: FEW_ENOMEM. Allocates nothing once the width repeats. */
enum few_status few__enlarge_libvips(const uint8_t *const planes[3], size_t stride, int width, int height,
                                     uint8_t *const out[3], size_t out_stride, int out_width, int out_height,
                                     struct few__buffer *memory, struct few_error *err);

#endif
