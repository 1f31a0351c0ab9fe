// SPDX-License-Identifier: Apache-2.0
/* Inside the image decoder: what the bytes say before anything is decoded (probe), what a codec library hands
 * back (picture), and the two libraries behind one shape: decode, look at the picture, release. */
#ifndef FEW_MEDIA_IMAGE_INTERNAL_H
#define FEW_MEDIA_IMAGE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavutil/pixfmt.h>

#include "media/buffer.h"
#include "media/image.h"

struct AVFrame;

enum few__image_kind {
    FEW__JPEG,
    FEW__PNG,
    FEW__GIF,
    FEW__BMP,
    FEW__WEBP,
    FEW__TIFF,
    FEW__HEIF,            // HEIC and AVIF
    FEW__IMAGE_KIND_COUNT // of no known kind
};

/* The header of an image file, by content; names do not matter. */
struct few__probe {
    enum few__image_kind kind;
    int64_t width, height; // pixels as stored, before rotation; 0 = none or not found; HEIF: always 0
    int orientation;       // EXIF, 1 .. 8; 1 where there is none or where it makes no sense
    bool whole;            // false: the file ends before the image does (JPEG, PNG, GIF, WebP)
    bool animated;         // WebP only
};

/* Reads no byte outside (bytes, n); any content is fine. Cost: O(n) for JPEG, else O(chunks). */
struct few__probe few__image_probe(const uint8_t *bytes, size_t n);

/* The orientation in an EXIF block or TIFF file; 1 where there is none. For the tests. */
int few__exif_orientation(const uint8_t *bytes, size_t n);

/* One decoded picture as a codec library left it, borrowed from it. */
struct few__picture {
    enum AVPixelFormat format;
    int width, height;
    const uint8_t *data[4]; // as in an AVFrame of this format
    ptrdiff_t stride[4];
    bool full_range; // YUV: 0 .. 255, not 16 .. 235
    int matrix;      // YUV: ISO/IEC 23091-2 matrix coefficients (1 BT.709, 9 BT.2020, else BT.601)
};

enum { FEW__ROWS_MAX = 32 }; // rows converted at a time

/* Whether few__picture_rows can read this format. */
bool few__picture_readable(const struct few__picture *picture);

/* Bytes of scratch that few__picture_rows wants for pictures of this width. */
size_t few__picture_scratch(int width);

/* Rows y .. y + n - 1 (n <= FEW__ROWS_MAX) as R, G, B planes: chroma interpolated as in libjpeg, transparency
 * on white, 16-bit samples cut to their high byte. Allocates nothing.
 *
 * planes, stride   out: row y goes to planes[c], the next one `stride` bytes on; room for width bytes a row
 * scratch          few__picture_scratch(width) bytes, aligned to 16 */
void few__picture_rows(const struct few__picture *picture, int y, int n, uint8_t *const planes[3],
                       size_t stride, void *scratch);

/* A whole picture as R, G, B planes in `planes`, turned as EXIF's orientation says (1 .. 8).
 * image: borrowed from the buffer. Errors: FEW_ENOMEM. */
enum few_status few__picture_upright(const struct few__picture *picture, int orientation,
                                     struct few__buffer *planes, struct few__image *image,
                                     struct few_error *err);

/* libjpeg-turbo. picture is borrowed until few__jpeg_release. Damage that leaves a whole picture is tolerated.
 * Errors: FEW_EDECODE, FEW_ELIMIT, FEW_ENOMEM; FEW_EUNSUPPORTED, without a message: CMYK, which FFmpeg's decoder
 * reads. Nothing to release then. */
struct few__jpeg;
enum few_status few__jpeg_create(const struct few_mem *mem, struct few__jpeg **jpeg, struct few_error *err);
void few__jpeg_destroy(struct few__jpeg *jpeg);
enum few_status few__jpeg_decode(struct few__jpeg *jpeg, const char *name, const uint8_t *bytes, size_t n,
                                 struct few__picture *picture, struct few_error *err);

/* Gives the picture back; a large one's memory at once. */
void few__jpeg_release(struct few__jpeg *jpeg);

/* FFmpeg prints what it dislikes in a file, on stderr, for the whole process: no longer, unless the host has chosen a
 * level. */
void few__ffmpeg_quiet(void);

/* What FFmpeg decoded, borrowed from the frame. Not for TIFF, whose matrix is not to be believed. */
struct few__picture few__frame_picture(const struct AVFrame *frame);

/* FFmpeg's decoders. */
struct few__ffmpeg;
enum few_status few__ffmpeg_create(const struct few_mem *mem, struct few__ffmpeg **ffmpeg,
                                   struct few_error *err);
void few__ffmpeg_destroy(struct few__ffmpeg *ffmpeg);

/* picture is borrowed until few__ffmpeg_release. Errors: FEW_EDECODE, FEW_ENOMEM; nothing to release then. */
enum few_status few__ffmpeg_decode(struct few__ffmpeg *ffmpeg, enum few__image_kind kind, const char *name,
                                   const uint8_t *bytes, size_t n, struct few__picture *picture,
                                   struct few_error *err);

/* Gives the picture back. */
void few__ffmpeg_release(struct few__ffmpeg *ffmpeg);

/* libheif: HEIC and AVIF, rotation and mirroring done by it. */
struct few__heif;
enum few_status few__heif_create(const struct few_mem *mem, struct few__heif **heif, struct few_error *err);
void few__heif_destroy(struct few__heif *heif);
enum few_status few__heif_decode(struct few__heif *heif, const char *name, const uint8_t *bytes, size_t n,
                                 struct few__picture *picture, struct few_error *err);
void few__heif_release(struct few__heif *heif);

/* FEW_EDECODE for a picture without pixels, FEW_ELIMIT for one over the limits of image.h. */
enum few_status few__image_size_check(const char *name, int64_t width, int64_t height, struct few_error *err);

#endif
