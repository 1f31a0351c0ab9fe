// SPDX-License-Identifier: Apache-2.0
// A small picture as a JPEG file in memory.
#ifndef FEW_MEDIA_JPEG_WRITE_H
#define FEW_MEDIA_JPEG_WRITE_H

#include <stdint.h>

#include "core/mem.h"

/* rgb: (height, width, 3). quality: 1 .. 100. bytes: in the arena.
 * Errors: FEW_ENOMEM, which is also what is left of a library that gave up. */
enum few_status few__jpeg_write(const uint8_t *rgb, int width, int height, int quality,
                                struct few__arena *arena, const uint8_t **bytes, size_t *n,
                                struct few_error *err);

#endif
