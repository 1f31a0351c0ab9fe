// SPDX-License-Identifier: Apache-2.0
/* HEIC and AVIF through libheif, which also turns and mirrors as the file says.
 *
 * The usual picture, 8-bit YUV 4:2:0 without transparency, is taken as it is and converted by picture.c, because
 * libheif repeats chroma instead of interpolating it. Anything else libheif turns into 8-bit RGB or RGBA. */
#include "media/image_internal.h"

#include <string.h>

#include <libheif/heif.h>

#include "core/error.h"
#include "core/mem.h"

struct few__heif {
    const struct few_mem *mem;
    struct heif_context *context; // of the current image
    struct heif_image_handle *handle;
    struct heif_image *image;
    bool is_420, is_av1;
};

enum few_status few__heif_create(const struct few_mem *mem, struct few__heif **heif, struct few_error *err)
{
    *heif = FEW__NEW(mem, struct few__heif);
    if (!*heif) return few__no_memory(err, "HEIF decoder");
    (*heif)->mem = mem;
    return FEW_OK;
}

void few__heif_destroy(struct few__heif *h)
{
    if (!h) return;
    few__heif_release(h);
    few__free(h->mem, h);
}

void few__heif_release(struct few__heif *h)
{
    if (h->image) heif_image_release(h->image);
    if (h->handle) heif_image_handle_release(h->handle);
    if (h->context) heif_context_free(h->context);
    *h = (struct few__heif){.mem = h->mem};
}

static enum few_status check(struct heif_error got, const char *name, struct few_error *err)
{
    if (got.code == heif_error_Ok) return FEW_OK;
    if (got.code == heif_error_Memory_allocation_error &&
        got.subcode != heif_suberror_Security_limit_exceeded)
        return few__no_memory(err, "decoded image");
    return few__fail(err, FEW_EDECODE, "%s: damaged or unsupported HEIF file: %s", name, got.message);
}

// What the codec configurations in the file say. libheif 1.15 tells neither, and converts where it is asked for
// anything else than what is stored. A wrong guess costs sharpness of colour, no more.
static void read_configurations(struct few__heif *h, const uint8_t *bytes, size_t n)
{
    enum { SEARCHED = 256 << 10, HEVC_CHROMA = 20, AV1_FLAGS = 6, MONO = 0x10, SUBSAMPLED = 0x0C };
    size_t n_420 = 0, n_other = 0;
    for (size_t i = 0; i + HEVC_CHROMA < n && i < SEARCHED; i++) {
        const uint8_t *box = bytes + i;
        bool hevc = memcmp(box, "hvcC", 4) == 0, av1 = memcmp(box, "av1C", 4) == 0;
        if ((hevc && !(box[HEVC_CHROMA] & 3)) || (av1 && box[AV1_FLAGS] & MONO)) continue; // of transparency
        bool halved = hevc ? (box[HEVC_CHROMA] & 3) == 1 : (box[AV1_FLAGS] & SUBSAMPLED) == SUBSAMPLED;
        h->is_av1 = h->is_av1 || av1;
        n_420 += (hevc || av1) && halved;
        n_other += (hevc || av1) && !halved;
    }
    h->is_420 = n_420 && !n_other;
}

static enum few_status read_header(struct few__heif *h, const char *name, const uint8_t *bytes, size_t n,
                                   struct few_error *err)
{
    h->context = heif_context_alloc();
    if (!h->context) return few__no_memory(err, "HEIF decoder");
    heif_context_set_maximum_image_size_limit(h->context, FEW__IMAGE_SIDE_MAX);
    heif_context_set_max_decoding_threads(h->context, 0);
    FEW__TRY(check(heif_context_read_from_memory_without_copy(h->context, bytes, n, NULL), name, err));
    read_configurations(h, bytes, n);
    FEW__TRY(check(heif_context_get_primary_image_handle(h->context, &h->handle), name, err));
    return few__image_size_check(name, heif_image_handle_get_width(h->handle),
                                 heif_image_handle_get_height(h->handle), err);
}

// libaom where there is a choice: dav1d prints on stderr what it dislikes in a file, and cannot be told not to.
static const char *quiet_decoder(const struct few__heif *h)
{
    enum { DECODERS_MAX = 16 };
    const struct heif_decoder_descriptor *decoders[DECODERS_MAX];
    int n = h->is_av1 ? heif_get_decoder_descriptors(heif_compression_AV1, decoders, DECODERS_MAX) : 0;
    for (int i = 0; i < n; i++) {
        const char *id = heif_decoder_descriptor_get_id_name(decoders[i]);
        if (id && strcmp(id, "aom") == 0) return id;
    }
    return NULL;
}

static enum few_status decode(struct few__heif *h, const char *name, enum heif_colorspace colours,
                              enum heif_chroma chroma, struct few_error *err)
{
    if (h->image) heif_image_release(h->image);
    h->image = NULL;
    struct heif_decoding_options *options = heif_decoding_options_alloc();
    if (!options) return few__no_memory(err, "HEIF decoder");
    options->convert_hdr_to_8bit = colours == heif_colorspace_RGB;
    options->decoder_id = quiet_decoder(h);
    struct heif_error got = heif_decode_image(h->handle, &h->image, colours, chroma, options);
    heif_decoding_options_free(options);
    return check(got, name, err);
}

// From the picture or, where the codec does not say, the file. Neither: BT.601 in full range, as libheif has it.
static void read_matrix(const struct few__heif *h, struct few__picture *p)
{
    struct heif_color_profile_nclx *nclx = NULL;
    bool told = heif_image_get_nclx_color_profile(h->image, &nclx).code == heif_error_Ok ||
                heif_image_handle_get_nclx_color_profile(h->handle, &nclx).code == heif_error_Ok;
    if (!told || !nclx) return;
    p->full_range = nclx->full_range_flag;
    p->matrix = (int)nclx->matrix_coefficients;
    heif_nclx_color_profile_free(nclx);
}

// False: libheif must convert, because this is no YUV that picture.c reads.
static bool take_yuv(const struct few__heif *h, struct few__picture *p)
{
    static const enum heif_channel channels[3] = {heif_channel_Y, heif_channel_Cb, heif_channel_Cr};
    *p = (struct few__picture){
        .format = AV_PIX_FMT_YUV420P, .full_range = true, .matrix = heif_matrix_coefficients_unspecified};
    if (heif_image_get_colorspace(h->image) != heif_colorspace_YCbCr) return false;
    if (heif_image_get_chroma_format(h->image) != heif_chroma_420) return false;
    if (heif_image_get_bits_per_pixel_range(h->image, heif_channel_Y) != 8) return false;
    read_matrix(h, p);
    if (p->matrix == heif_matrix_coefficients_RGB_GBR) return false;
    for (int c = 0; c < 3; c++) {
        int stride = 0;
        p->data[c] = heif_image_get_plane_readonly(h->image, channels[c], &stride);
        p->stride[c] = stride;
        if (!p->data[c]) return false;
    }
    return true;
}

static enum few_status take_rgb(struct few__heif *h, const char *name, bool alpha, struct few__picture *p,
                                struct few_error *err)
{
    FEW__TRY(decode(h, name, heif_colorspace_RGB,
                    alpha ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB, err));
    int stride = 0;
    *p = (struct few__picture){.format = alpha ? AV_PIX_FMT_RGBA : AV_PIX_FMT_RGB24};
    p->data[0] = heif_image_get_plane_readonly(h->image, heif_channel_interleaved, &stride);
    p->stride[0] = stride;
    if (!p->data[0]) return few__fail(err, FEW_EDECODE, "%s: no picture in it", name);
    return FEW_OK;
}

static enum few_status decode_pixels(struct few__heif *h, const char *name, struct few__picture *p,
                                     struct few_error *err)
{
    bool alpha = heif_image_handle_has_alpha_channel(h->handle), yuv = false;
    if (h->is_420 && !alpha && heif_image_handle_get_luma_bits_per_pixel(h->handle) == 8) {
        FEW__TRY(decode(h, name, heif_colorspace_YCbCr, heif_chroma_420, err));
        yuv = take_yuv(h, p);
    }
    if (!yuv) FEW__TRY(take_rgb(h, name, alpha, p, err));
    p->width = heif_image_get_primary_width(h->image);
    p->height = heif_image_get_primary_height(h->image);
    return few__image_size_check(name, p->width, p->height, err);
}

enum few_status few__heif_decode(struct few__heif *h, const char *name, const uint8_t *bytes, size_t n,
                                 struct few__picture *picture, struct few_error *err)
{
    enum few_status got = read_header(h, name, bytes, n, err);
    if (got == FEW_OK) got = decode_pixels(h, name, picture, err);
    if (got != FEW_OK) few__heif_release(h);
    return got;
}
