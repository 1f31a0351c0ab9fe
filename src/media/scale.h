// SPDX-License-Identifier: Apache-2.0
/* Resize three 8-bit planes: bilinear, the kernel widened when shrinking (swscale's; enlarge.h where a model wants
 * libvips's way of enlarging). swscale's tables for a pair of sizes are kept, because making them takes a third
 * of a small photograph's resize. */
#ifndef FEW_MEDIA_SCALE_H
#define FEW_MEDIA_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

#include "media/image.h"
#include "model/recipe.h"

enum { FEW__SCALERS_MAX = 64 }; // pairs of sizes kept, some 60 KB each; the longest unused goes first

struct few__scaler;

enum few_status few__scaler_create(const struct few_mem *mem, struct few__scaler **scaler,
                                   struct few_error *err);
void few__scaler_destroy(struct few__scaler *scaler);

/* Pairs of sizes set up so far, kept or not. For tests. */
size_t few__scaler_made(const struct few__scaler *scaler);

/* Resize `from` to the size of `to`.
 * Errors: FEW_ENOMEM; FEW_EINVAL sizes that swscale refuses. Allocates nothing once the pair of sizes is known. */
enum few_status few__scale(struct few__scaler *scaler, enum few__sampling sampling,
                           const struct few__image *from, const struct few__planes *to,
                           struct few_error *err);

#endif
