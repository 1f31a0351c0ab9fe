// SPDX-License-Identifier: Apache-2.0
/* From an image to input tensors, each distinct one once per item.
 *
 * Two steps are shared: the resized 8-bit planes (by few__input.i_pixels) and the numbers made of them (by
 * few__input.i_tensor). Tensor memory is allocated at creation and never moves, so a runtime binds it once. Models of sound
 * and text have neither, and are not asked for here.
 * Default resize: bilinear, kernel widened when shrinking (swscale's, as in Pillow and libvips). */
#ifndef FEW_MEDIA_PREPROCESS_H
#define FEW_MEDIA_PREPROCESS_H

#include "media/image.h"
#include "model/decode.h"
#include "model/recipe.h"

struct few__preprocess;

/* recipes: (n_models,), borrowed until destroy. One for each thread (lane). Errors: FEW_ENOMEM, FEW_EINVAL. */
enum few_status few__preprocess_create(const struct few_env *env, const struct few__recipe *recipes,
                                       size_t n_models, struct few__preprocess **preprocess,
                                       struct few_error *err);
void few__preprocess_destroy(struct few__preprocess *preprocess);

/* Forget the last item; image is borrowed until the next call. */
void few__preprocess_begin(struct few__preprocess *preprocess, const struct few__image *image);

/* The current image. */
const struct few__image *few__preprocess_image(const struct few__preprocess *preprocess);

/* The memory of a model's input tensor: room for the largest shape; it stays where it is until it is released. NULL: it
 * was released and not filled since. */
float *few__preprocess_buffer(struct few__preprocess *preprocess, size_t model, size_t *n_numbers);

/* Fill it for the current image (at once if that is done already). Memory that was released is taken again.
 *
 * box        x, y, w, h in [0, 1]: the detection picked from the need's output; NULL where there is no need
 * dims       out, (4,): the shape of this fill
 * placement  out: leads boxes back to the image
 * Errors: FEW_ENOMEM; FEW_EDECODE the crop is no pixel large. Allocates nothing once image sizes repeat. */
enum few_status few__preprocess_fill(struct few__preprocess *preprocess, size_t model, const float box[4],
                                     int64_t dims[4], struct few__placement *placement,
                                     struct few_error *err);

/* Give the memory of the model's tensor back: it has to be filled again, and lies elsewhere then. For memory budgets. */
void few__preprocess_release(struct few__preprocess *preprocess, size_t model);

/* A thumbnail of the current image, 64 x 64 RGB interleaved, stretched. */
enum { FEW__THUMBNAIL_SIDE = 64, FEW__THUMBNAIL_BYTES = 64 * 64 * 3 };
enum few_status few__preprocess_thumbnail(struct few__preprocess *preprocess,
                                          uint8_t rgb[FEW__THUMBNAIL_BYTES], struct few_error *err);

#endif
