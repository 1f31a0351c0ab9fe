// SPDX-License-Identifier: Apache-2.0
/* A decoded image: 8-bit sRGB in three planes, EXIF rotation applied, transparency on white. Decoded once,
 * shared by all models. JPEG through libjpeg-turbo; PNG, WebP, BMP, TIFF, GIF (first frame) through FFmpeg's
 * libraries; HEIC and AVIF through libheif. */
#ifndef FEW_MEDIA_IMAGE_H
#define FEW_MEDIA_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <fewer/env.h>

enum {
    FEW__IMAGE_BYTES_MAX = 256 << 20,  // of an image file
    FEW__IMAGE_SIDE_MAX = 32767,       // pixels
    FEW__IMAGE_PIXELS_MAX = 200000000, // width x height
};

struct few__image {
    int width, height;
    size_t stride;            // bytes from one row to the next, >= width
    const uint8_t *planes[3]; // R, G, B; (height, stride)
};

/* The same to write: memory of the caller. */
struct few__planes {
    int width, height;
    size_t stride;
    uint8_t *planes[3];
};

/* Owns the decoders and the memory of the image it decoded last: one for each thread. */
struct few__image_decoder;

enum few_status few__image_decoder_create(const struct few_env *env, struct few__image_decoder **decoder,
                                          struct few_error *err);
void few__image_decoder_destroy(struct few__image_decoder *decoder);

/* Decode a file that is already in memory. name is for messages only. image is borrowed until the next call.
 * Memory beyond the image's planes is given back before returning, so that one huge image does not stay.
 * Errors: FEW_EDECODE empty, truncated, of no known type, zero pixels; FEW_ELIMIT over the limits above (told
 * before the pixels are decoded); FEW_ENOMEM. */
enum few_status few__image_decode(struct few__image_decoder *decoder, const char *name, const void *bytes,
                                  size_t n_bytes, struct few__image *image, struct few_error *err);

#endif
