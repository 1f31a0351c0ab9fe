// SPDX-License-Identifier: Apache-2.0
/* JPEG through libjpeg-turbo, not through FFmpeg: its pixels are, to the bit, those that Pillow, libvips and OpenCV
 * read, which is what models were trained and measured on. FFmpeg's inverse transform differs by a grey level here and
 * there, and a face detector's confidence then by a hundredth. CMYK is left to FFmpeg. */
#include "media/image_internal.h"

#include <turbojpeg.h>

#include "core/error.h"
#include "core/mem.h"
#include "media/buffer.h"

// libjpeg's own ("slow") transform and chroma; a file with more scans than anybody writes is refused.
enum { FLAGS = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS };

struct few__jpeg {
    const struct few_mem *mem;
    tjhandle turbo;
    struct few__buffer pixels; // RGB, interleaved
};

enum few_status few__jpeg_create(const struct few_mem *mem, struct few__jpeg **jpeg, struct few_error *err)
{
    *jpeg = NULL;
    struct few__jpeg *j = FEW__NEW(mem, struct few__jpeg);
    if (!j) return few__no_memory(err, "image decoder");
    j->mem = j->pixels.mem = mem;
    j->turbo = tjInitDecompress();
    if (!j->turbo) {
        few__jpeg_destroy(j);
        return few__no_memory(err, "image decoder");
    }
    *jpeg = j;
    return FEW_OK;
}

void few__jpeg_destroy(struct few__jpeg *j)
{
    if (!j) return;
    if (j->turbo) tjDestroy(j->turbo);
    few__buffer_finish(&j->pixels);
    few__free(j->mem, j);
}

enum few_status few__jpeg_decode(struct few__jpeg *j, const char *name, const uint8_t *bytes, size_t n,
                                 struct few__picture *picture, struct few_error *err)
{
    int width, height, subsampling, colours;
    if (tjDecompressHeader3(j->turbo, bytes, n, &width, &height, &subsampling, &colours) != 0)
        return few__fail(err, FEW_EDECODE, "%s: damaged JPEG file: %s", name, tjGetErrorStr2(j->turbo));
    if (colours == TJCS_CMYK || colours == TJCS_YCCK) return FEW_EUNSUPPORTED;
    FEW__TRY(few__image_size_check(name, width, height, err));
    size_t stride = 3 * (size_t)width;
    uint8_t *pixels = few__buffer_reserve(&j->pixels, stride * (size_t)height);
    if (!pixels) return few__no_memory(err, "decoded image");
    bool failed = tjDecompress2(j->turbo, bytes, n, pixels, width, 0, height, TJPF_RGB, FLAGS) != 0;
    if (failed && tjGetErrorCode(j->turbo) != TJERR_WARNING)
        return few__fail(err, FEW_EDECODE, "%s: damaged JPEG file: %s", name, tjGetErrorStr2(j->turbo));
    *picture = (struct few__picture){.format = AV_PIX_FMT_RGB24,
                                     .width = width,
                                     .height = height,
                                     .data = {pixels},
                                     .stride = {(ptrdiff_t)stride}};
    return FEW_OK;
}
