// SPDX-License-Identifier: Apache-2.0
/* Whether a frame is like another one: the four low-level features of Reducto (pixel, area, edge, corner), on a small grey
 * copy of each frame, its look. Looks are what traces keep, so that a replay decides what a run decided. */
#ifndef FEW_MEDIA_LOOK_H
#define FEW_MEDIA_LOOK_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/session.h>

enum { FEW__LOOK_WIDTH = 160, FEW__LOOK_HEIGHT = 120, FEW__LOOK_BYTES = 160 * 120 };

/* The brightness of a picture, stretched: area averages, rounded (of a side smaller than the look's: the nearest).
 *
 * luma    (height, stride) bytes, the first row first; stride may be negative
 * width, height  at least 1, height at most 2^24
 * look    (FEW__LOOK_BYTES,) out
 * Cost:   0.3 ms for 1280 x 720, 1 ms for 3840 x 2160. Allocates nothing. */
void few__look_make(const uint8_t *luma, ptrdiff_t stride, int width, int height, uint8_t *look);

/* Room for a comparison, one at a time. Errors: FEW_ENOMEM. */
struct few__look_scratch;
enum few_status few__look_scratch_create(const struct few_mem *mem, struct few__look_scratch **scratch,
                                         struct few_error *err);
void few__look_scratch_destroy(struct few__look_scratch *scratch);

/* How different two looks are, in [0, 1], always as a share of all pixels (algorithms.md 2.9, docs/looks.md). pixel: that
 * differ by more than 21; area: of the largest region that does; edge: where an edge came or went; corner: where a corner
 * did. Symmetric; 0 for equal looks. Cost: pixel 4 us, area 80, edge 160, corner 220. Allocates nothing. */
double few__look_difference(struct few__look_scratch *scratch, enum few_feature feature, const uint8_t *a,
                            const uint8_t *b);

#endif
