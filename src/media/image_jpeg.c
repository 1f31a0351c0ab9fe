// SPDX-License-Identifier: Apache-2.0
/* JPEG through libjpeg-turbo, not through FFmpeg: its pixels are, to the bit, those that Pillow, libvips and OpenCV
 * read, which is what models were trained and measured on. FFmpeg's inverse transform differs by a grey level here
 * and there, and a face detector's confidence then by a hundredth. CMYK is left to FFmpeg.
 *
 * The libjpeg interface, not TurboJPEG's: that one keeps half-read headers for the next file, and once there was
 * a warning it reports a fatal error as a warning too. Each picture gets a reader of its own. */
#include "media/image_internal.h"

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "core/error.h"
#include "core/mem.h"
#include "media/buffer.h"

#ifndef LIBJPEG_TURBO_VERSION
#error "another libjpeg than libjpeg-turbo: its pixels are not the same"
#endif

enum { SCANS_MAX = 500 }; // cameras and encoders write some ten; each costs a pass over the whole picture

struct few__jpeg {
    const struct few_mem *mem;
    struct few__buffer pixels; // RGB, interleaved
};

struct reader { // of one file
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf failed;
    char message[JMSG_LENGTH_MAX];
};

/* ---- what libjpeg calls ---- */

static void fail(j_common_ptr lib)
{
    struct reader *r = lib->client_data;
    r->errors.format_message(lib, r->message);
    longjmp(r->failed, 1);
}

static void say_nothing(j_common_ptr lib)
{
    (void)lib;
}

static void watch_scans(j_common_ptr lib)
{
    struct reader *r = lib->client_data;
    if (r->lib.input_scan_number <= SCANS_MAX) return;
    snprintf(r->message, sizeof r->message, "more than %d scans", SCANS_MAX);
    longjmp(r->failed, 1);
}

/* ---- reading: each step in a function of its own, so that no variable of it outlives a jump ---- */

// -1: failed, and the message is in r.
static int read_header(struct reader *r, const uint8_t *bytes, size_t n)
{
    r->lib.err = jpeg_std_error(&r->errors);
    r->lib.client_data = r;
    r->errors.error_exit = fail;
    r->errors.output_message = say_nothing;
    r->progress.progress_monitor = watch_scans;
    if (setjmp(r->failed)) return -1;
    jpeg_create_decompress(&r->lib); // keeps err and client_data, clears the rest
    r->lib.progress = &r->progress;
    jpeg_mem_src(&r->lib, bytes, n);
    jpeg_read_header(&r->lib, TRUE);
    return 0;
}

// What follows the last row does not matter: the picture is there.
static int read_pixels(struct reader *r, uint8_t *pixels, size_t stride)
{
    if (setjmp(r->failed)) return -1;
    r->lib.out_color_space = JCS_RGB;
    r->lib.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&r->lib);
    while (r->lib.output_scanline < r->lib.output_height) {
        JSAMPROW row = pixels + r->lib.output_scanline * stride;
        jpeg_read_scanlines(&r->lib, &row, 1);
    }
    return 0;
}

static enum few_status damaged(const struct reader *r, const char *name, struct few_error *err)
{
    if (r->errors.msg_code == JERR_OUT_OF_MEMORY) return few__no_memory(err, "decoded image");
    return few__fail(err, FEW_EDECODE, "%s: damaged JPEG file: %s", name, r->message);
}

static enum few_status decode(struct few__jpeg *j, struct reader *r, const char *name,
                              struct few__picture *picture, struct few_error *err)
{
    if (r->lib.jpeg_color_space == JCS_CMYK || r->lib.jpeg_color_space == JCS_YCCK) return FEW_EUNSUPPORTED;
    size_t width = r->lib.image_width, height = r->lib.image_height, stride = 3 * width;
    FEW__TRY(few__image_size_check(name, (int64_t)width, (int64_t)height, err));
    uint8_t *pixels = few__buffer_reserve(&j->pixels, stride * height);
    if (!pixels) return few__no_memory(err, "decoded image");
    if (read_pixels(r, pixels, stride) != 0) return damaged(r, name, err);
    *picture = (struct few__picture){.format = AV_PIX_FMT_RGB24,
                                     .width = (int)width,
                                     .height = (int)height,
                                     .data = {pixels},
                                     .stride = {(ptrdiff_t)stride}};
    return FEW_OK;
}

/* ---- the decoder ---- */

enum few_status few__jpeg_create(const struct few_mem *mem, struct few__jpeg **jpeg, struct few_error *err)
{
    *jpeg = FEW__NEW(mem, struct few__jpeg);
    if (!*jpeg) return few__no_memory(err, "image decoder");
    (*jpeg)->mem = (*jpeg)->pixels.mem = mem;
    return FEW_OK;
}

void few__jpeg_destroy(struct few__jpeg *j)
{
    if (!j) return;
    few__buffer_finish(&j->pixels);
    few__free(j->mem, j);
}

enum few_status few__jpeg_decode(struct few__jpeg *j, const char *name, const uint8_t *bytes, size_t n,
                                 struct few__picture *picture, struct few_error *err)
{
    struct reader r = {.message = ""};
    enum few_status got = FEW_OK;
    if (read_header(&r, bytes, n) != 0) got = damaged(&r, name, err);
    else got = decode(j, &r, name, picture, err);
    jpeg_destroy_decompress(&r.lib);
    if (got != FEW_OK) few__jpeg_release(j);
    return got;
}

void few__jpeg_release(struct few__jpeg *j)
{
    if (j->pixels.room > FEW__BUFFER_KEEP) few__buffer_finish(&j->pixels);
}
