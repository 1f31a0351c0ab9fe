// SPDX-License-Identifier: Apache-2.0
/* One image from file bytes to planes: look at the header, refuse early, decode, convert band by band straight
 * into the place where EXIF wants the pixels. Besides the planes only a band of 32 rows is held. */
#include "media/image.h"

#include <stdbool.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "media/buffer.h"
#include "media/image_internal.h"

struct few__image_decoder {
    struct few_env env;
    struct few__jpeg *jpeg;
    struct few__ffmpeg *ffmpeg;
    struct few__heif *heif;
    struct few__buffer planes; // of the last image
    struct few__buffer band; // scratch of the conversion, then 32 rows of 3 planes where the image is turned
};

enum few_status few__image_decoder_create(const struct few_env *env, struct few__image_decoder **decoder,
                                          struct few_error *err)
{
    *decoder = NULL;
    struct few_env full = few__env(env);
    struct few__image_decoder *d = FEW__NEW(full.mem, struct few__image_decoder);
    if (!d) return few__no_memory(err, "image decoder");
    d->env = full;
    d->planes.mem = d->band.mem = full.mem;
    enum few_status got = few__jpeg_create(full.mem, &d->jpeg, err);
    if (got == FEW_OK) got = few__ffmpeg_create(full.mem, &d->ffmpeg, err);
    if (got == FEW_OK) got = few__heif_create(full.mem, &d->heif, err);
    if (got != FEW_OK) few__image_decoder_destroy(d);
    else *decoder = d;
    return got;
}

void few__image_decoder_destroy(struct few__image_decoder *d)
{
    if (!d) return;
    few__jpeg_destroy(d->jpeg);
    few__ffmpeg_destroy(d->ffmpeg);
    few__heif_destroy(d->heif);
    few__buffer_finish(&d->planes);
    few__buffer_finish(&d->band);
    few__free(d->env.mem, d);
}

/* ---- refusing ---- */

static enum few_status refuse_bytes(const char *name, size_t n, struct few_error *err)
{
    if (n == 0) return few__fail(err, FEW_EDECODE, "%s: the file is empty", name);
    if (n > FEW__IMAGE_BYTES_MAX)
        return few__fail(err, FEW_ELIMIT, "%s: a file of %zu bytes is over the limit of %d", name, n,
                         FEW__IMAGE_BYTES_MAX);
    return FEW_OK;
}

static enum few_status refuse_header(const struct few__probe *probe, const char *name, size_t n,
                                     struct few_error *err)
{
    if (probe->kind == FEW__IMAGE_KIND_COUNT)
        return few__fail(err, FEW_EDECODE,
                         "%s: not an image: expected JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC or AVIF", name);
    if (probe->kind == FEW__HEIF) return FEW_OK;
    if (!probe->whole)
        return few__fail(err, FEW_EDECODE, "%s: the file is cut off: its end is missing after %zu bytes",
                         name, n);
    if (probe->animated) return few__fail(err, FEW_EDECODE, "%s: an animated WebP is not an image", name);
    return few__image_size_check(name, probe->width, probe->height, err);
}

/* ---- turning ---- */

// Where the pixels of a picture go: pixel (x, y) to origin + x * dx + y * dy.
struct layout {
    int width, height; // of the image
    ptrdiff_t origin, dx, dy;
};

static struct layout layout_of(int width, int height, size_t stride, int orientation)
{
    ptrdiff_t right = width - 1, bottom = height - 1, s = (ptrdiff_t)stride;
    switch (orientation) {
    case 2: return (struct layout){width, height, right, -1, s};
    case 3: return (struct layout){width, height, bottom * s + right, -1, -s};
    case 4: return (struct layout){width, height, bottom * s, 1, -s};
    case 5: return (struct layout){height, width, 0, s, 1};
    case 6: return (struct layout){height, width, bottom, s, -1};
    case 7: return (struct layout){height, width, right * s + bottom, -s, -1};
    case 8: return (struct layout){height, width, right * s, -s, 1};
    default: return (struct layout){width, height, 0, 1, s};
    }
}

// n rows of one plane from row y on. A turned band is walked down its columns, so that writes are neighbours.
static void place_band(uint8_t *out, const struct layout *to, const uint8_t *band, size_t stride, int width,
                       int y, int n)
{
    uint8_t *base = out + to->origin + y * to->dy;
    if (to->dy == 1 || to->dy == -1) {
        for (int x = 0; x < width; x++)
            for (int i = 0; i < n; i++) base[x * to->dx + i * to->dy] = band[(size_t)i * stride + (size_t)x];
        return;
    }
    for (int i = 0; i < n; i++)
        for (int x = 0; x < width; x++) base[i * to->dy + x * to->dx] = band[(size_t)i * stride + (size_t)x];
}

static enum few_status convert(struct few__image_decoder *d, const struct few__picture *p, int orientation,
                               struct few__image *image, struct few_error *err)
{
    bool turned = orientation > 4, direct = orientation == 1;
    int width = turned ? p->height : p->width, height = turned ? p->width : p->height;
    size_t stride = few__plane_stride(width), band_stride = few__plane_stride(p->width);
    size_t plane = stride * (size_t)height, band_plane = band_stride * FEW__ROWS_MAX;
    struct layout to = layout_of(p->width, p->height, stride, orientation);

    uint8_t *out = few__buffer_reserve(&d->planes, 3 * plane);
    uint8_t *band =
        few__buffer_reserve(&d->band, (direct ? 0 : 3 * band_plane) + few__picture_scratch(p->width));
    if (!out || !band) return few__no_memory(err, "image planes");
    void *scratch = direct ? band : band + 3 * band_plane;

    for (int y = 0; y < p->height; y += FEW__ROWS_MAX) {
        int n = p->height - y < FEW__ROWS_MAX ? p->height - y : FEW__ROWS_MAX;
        uint8_t *rows = direct ? out + (size_t)y * stride : band;
        size_t step = direct ? plane : band_plane;
        uint8_t *planes[3] = {rows, rows + step, rows + 2 * step};
        few__picture_rows(p, y, n, planes, direct ? stride : band_stride, scratch);
        for (int c = 0; !direct && c < 3; c++)
            place_band(out + (size_t)c * plane, &to, planes[c], band_stride, p->width, y, n);
    }
    *image = (struct few__image){.width = to.width,
                                 .height = to.height,
                                 .stride = stride,
                                 .planes = {out, out + plane, out + 2 * plane}};
    return FEW_OK;
}

// One decoded picture, and who has to be told when it is done with.
static enum few_status decode(struct few__image_decoder *d, enum few__image_kind kind, const char *name,
                              const void *bytes, size_t n, struct few__picture *picture,
                              struct few_error *err)
{
    if (kind == FEW__HEIF) return few__heif_decode(d->heif, name, bytes, n, picture, err);
    enum few_status got = FEW_EUNSUPPORTED;
    if (kind == FEW__JPEG) got = few__jpeg_decode(d->jpeg, name, bytes, n, picture, err);
    return got == FEW_EUNSUPPORTED ? few__ffmpeg_decode(d->ffmpeg, kind, name, bytes, n, picture, err) : got;
}

enum few_status few__image_decode(struct few__image_decoder *d, const char *name, const void *bytes, size_t n,
                                  struct few__image *image, struct few_error *err)
{
    *image = (struct few__image){0};
    FEW__TRY(refuse_bytes(name, n, err));
    struct few__probe probe = few__image_probe(bytes, n);
    FEW__TRY(refuse_header(&probe, name, n, err));
    struct few__picture picture = {0};
    FEW__TRY(decode(d, probe.kind, name, bytes, n, &picture, err));

    enum few_status got = few__image_size_check(name, picture.width, picture.height, err);
    if (got == FEW_OK && !few__picture_readable(&picture))
        got = few__fail(err, FEW_EDECODE, "%s: its pixel format is not supported", name);
    if (got == FEW_OK)
        got = convert(d, &picture, probe.kind == FEW__HEIF ? 1 : probe.orientation, image, err);
    few__jpeg_release(d->jpeg);
    few__heif_release(d->heif);
    few__ffmpeg_release(d->ffmpeg);
    return got;
}
