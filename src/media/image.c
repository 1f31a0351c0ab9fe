// SPDX-License-Identifier: Apache-2.0
// One image from file bytes to planes: look at the header, refuse early, decode, turn upright.
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
};

enum few_status few__image_decoder_create(const struct few_env *env, struct few__image_decoder **decoder,
                                          struct few_error *err)
{
    *decoder = NULL;
    struct few_env full = few__env(env);
    struct few__image_decoder *d = FEW__NEW(full.mem, struct few__image_decoder);
    if (!d) return few__no_memory(err, "image decoder");
    d->env = full;
    d->planes.mem = full.mem;
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

/* ---- decoding ---- */

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
        got = few__picture_upright(&picture, probe.kind == FEW__HEIF ? 1 : probe.orientation, &d->planes,
                                   image, err);
    few__jpeg_release(d->jpeg);
    few__heif_release(d->heif);
    few__ffmpeg_release(d->ffmpeg);
    return got;
}
