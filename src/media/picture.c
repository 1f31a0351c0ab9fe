// SPDX-License-Identifier: Apache-2.0
/* From whatever a codec decoded to rows of R, G and B.
 *
 * YUV with subsampled chroma is what nearly every photograph is. Its chroma is interpolated by the triangle
 * filter of libjpeg (weights 9 3 3 1; Pillow and libvips see the same pixels), which swscale does not do: its
 * plain path repeats chroma and its careful path stretches it where a side is odd, by up to 40 grey levels on
 * our photographs. All else is cut out of its components without arithmetic. */
#include "media/image_internal.h"

#include <string.h>

#include <libavutil/imgutils.h>
#include <libavutil/pixdesc.h>

#include "media/yuv_rgb.h"

enum { ROW_SLACK = 32 }; // numbers at both ends of a scratch row

static bool is_yuv(const AVPixFmtDescriptor *d)
{
    return d->nb_components >= 3 && !(d->flags & AV_PIX_FMT_FLAG_RGB);
}

bool few__picture_readable(const struct few__picture *picture)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(picture->format);
    if (!d) return false;
    if (d->flags & (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT)) return false;
    if (!is_yuv(d)) return true;
    int bytes = d->comp[0].depth > 8 ? 2 : 1;
    return d->flags & AV_PIX_FMT_FLAG_PLANAR && d->comp[0].depth >= 8 && d->comp[0].step == bytes &&
           d->comp[0].shift == 0 && d->comp[1].plane == 1 && d->comp[2].plane == 2 &&
           d->comp[1].step == bytes;
}

static size_t scratch_row(int width)
{
    return ((size_t)width + 2 * (size_t)ROW_SLACK) / 16 * 16 + 16;
}

size_t few__picture_scratch(int width)
{
    return 6 * scratch_row(width) * sizeof(int16_t);
}

/* ---- YUV ---- */

static int16_t fixed(double x)
{
    return (int16_t)(x * (1 << FEW__MATRIX_BITS) + 0.5);
}

static struct few__matrix matrix_of(const struct few__picture *p)
{
    double kr = 0.299, kb = 0.114; // BT.601, JPEG's
    if (p->matrix == 1) kr = 0.2126, kb = 0.0722;
    if (p->matrix == 9 || p->matrix == 10) kr = 0.2627, kb = 0.0593;
    double kg = 1 - kr - kb, luma = p->full_range ? 1 : 255.0 / 219, chroma = p->full_range ? 1 : 255.0 / 224;
    return (struct few__matrix){.y = fixed(luma),
                                .y_offset = p->full_range ? 0 : 16,
                                .rv = fixed(2 * (1 - kr) * chroma),
                                .gu = fixed(2 * (1 - kb) * kb / kg * chroma),
                                .gv = fixed(2 * (1 - kr) * kr / kg * chroma),
                                .bu = fixed(2 * (1 - kb) * chroma)};
}

// out: (n,) four times the chroma at this height, between the row it lies in and the nearest other one.
static void chroma_between(int16_t *restrict out, const uint8_t *restrict near, const uint8_t *restrict far,
                           size_t n)
{
    for (size_t i = 0; i < n; i++) out[i] = (int16_t)(3 * near[i] + far[i]);
}

// out: (2 * n,) sixteenths rounded as libjpeg does, which adds `even` and `odd` before it cuts; v has one more
// number before and after. No sum is above 16 * 255 + 8, and sixteen bits are twice as fast as an int.
static void chroma_double(int16_t *restrict out, const int16_t *restrict v, size_t n, int even, int odd)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t before = (uint16_t)(3 * v[i] + v[(ptrdiff_t)i - 1] + even);
        uint16_t after = (uint16_t)(3 * v[i] + v[i + 1] + odd);
        out[2 * i] = (int16_t)(before >> 4);
        out[2 * i + 1] = (int16_t)(after >> 4);
    }
}

// Row y of plane c as bytes: of deeper samples the high eight bits, in `room` (width bytes).
static const uint8_t *row_of(const struct few__picture *p, const AVPixFmtDescriptor *d, int c, int y,
                             size_t n, uint8_t *room)
{
    const uint8_t *row = p->data[c] + y * p->stride[c];
    int shift = d->comp[c].depth - 8;
    if (shift == 0) return row;
    size_t high = d->flags & AV_PIX_FMT_FLAG_BE ? 0 : 1, low = 1 - high;
    for (size_t x = 0; x < n; x++)
        room[x] = (uint8_t)((unsigned)(row[2 * x + high] << 8 | row[2 * x + low]) >> shift);
    return room;
}

// Chroma plane c at row y, one number for each pixel. sums, deep: scratch rows.
static void chroma_row(const struct few__picture *p, const AVPixFmtDescriptor *d, int c, int y, int16_t *sums,
                       int16_t *out, int16_t *deep)
{
    int sx = d->log2_chroma_w, sy = d->log2_chroma_h;
    size_t n = ((size_t)p->width + (1u << sx) - 1) >> sx;
    int rows = (p->height + (1 << sy) - 1) >> sy, row = y >> sy, other = row;
    if (sy == 1) other = y & 1 ? row + 1 : row - 1;
    if (other < 0 || other >= rows) other = row;
    uint8_t *bytes = (uint8_t *)(deep + scratch_row(p->width) / 2);
    const uint8_t *near = row_of(p, d, c, row, n, (uint8_t *)deep);
    const uint8_t *far = other == row ? near : row_of(p, d, c, other, n, bytes);
    if (sx == 0 && sy == 0) {
        for (size_t i = 0; i < n; i++) out[i] = near[i];
        return;
    }
    chroma_between(sums, near, far, n);
    sums[-1] = sums[0];
    sums[n] = sums[n - 1];
    if (sx == 1) chroma_double(out, sums, n, sy == 1 ? 8 : 4, sy == 1 ? 7 : 8);
    else
        for (size_t i = 0; i < (size_t)p->width; i++) out[i] = (int16_t)((sums[i >> sx] + 2) >> 2);
}

static void yuv_row(const struct few__picture *p, const AVPixFmtDescriptor *d, int y, uint8_t *const out[3],
                    int16_t *scratch, const struct few__matrix *m)
{
    size_t row = scratch_row(p->width);
    int16_t *sums = scratch + ROW_SLACK / 2, *u = scratch + row, *v = scratch + 2 * row,
            *deep = scratch + 4 * row;
    chroma_row(p, d, 1, y, sums, u, deep);
    chroma_row(p, d, 2, y, sums, v, deep);
    const uint8_t *luma = row_of(p, d, 0, y, (size_t)p->width, (uint8_t *)(deep + row));
    few__yuv_to_rgb(out[0], out[1], out[2], luma, u, v, (size_t)p->width, m);
}

/* ---- RGB, grey, palettes ---- */

// Component c of row y as 8 bits.
static void component_row(const struct few__picture *p, const AVPixFmtDescriptor *d, int c, int y,
                          uint8_t *out, uint16_t *scratch)
{
    const AVComponentDescriptor *comp = &d->comp[c];
    const uint8_t *row = p->data[comp->plane] + y * p->stride[comp->plane];
    bool bytes = comp->shift == 0 && (comp->depth == 8 || comp->depth == 16) &&
                 !(d->flags & AV_PIX_FMT_FLAG_BITSTREAM);
    if (bytes) { // the high byte of 16 bits, as libvips takes it
        bool second = comp->depth == 16 && !(d->flags & AV_PIX_FMT_FLAG_BE);
        const uint8_t *from = row + comp->offset + second;
        size_t step = (size_t)comp->step;
        for (size_t x = 0; x < (size_t)p->width; x++) out[x] = from[x * step];
        return;
    }
    int strides[4];
    for (int i = 0; i < 4; i++) strides[i] = (int)p->stride[i];
    const uint8_t *data[4] = {p->data[0], p->data[1], p->data[2], p->data[3]};
    av_read_image_line2(scratch, data, strides, d, 0, y, c, p->width, 0, sizeof *scratch);
    unsigned top = (1u << comp->depth) - 1;
    unsigned flip = p->format == AV_PIX_FMT_MONOWHITE ? top : 0;
    for (int x = 0; x < p->width; x++) out[x] = (uint8_t)(((scratch[x] ^ flip) * 255u + top / 2) / top);
}

static void palette_row(const struct few__picture *p, int y, uint8_t *const out[3], uint8_t *alpha)
{
    const uint8_t *row = p->data[0] + y * p->stride[0];
    uint32_t palette[256]; // 0xAARRGGBB
    memcpy(palette, p->data[1], sizeof palette);
    for (int x = 0; x < p->width; x++) {
        uint32_t colour = palette[row[x]];
        out[0][x] = (uint8_t)(colour >> 16);
        out[1][x] = (uint8_t)(colour >> 8);
        out[2][x] = (uint8_t)colour;
        alpha[x] = (uint8_t)(colour >> 24);
    }
}

/* ---- rows ---- */

// v over white; t + t / 256 over 256 is t / 255 rounded, for every t that comes here.
static void flatten(uint8_t *restrict v, const uint8_t *restrict alpha, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned t = (unsigned)v[i] * alpha[i] + 255u * (255u - alpha[i]) + 128;
        v[i] = (uint8_t)((t + (t >> 8)) >> 8);
    }
}

void few__picture_rows(const struct few__picture *p, int y, int n, uint8_t *const planes[3], size_t stride,
                       void *scratch)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(p->format);
    struct few__matrix m = matrix_of(p);
    size_t width = (size_t)p->width;
    uint8_t *alpha = (uint8_t *)((int16_t *)scratch + 3 * scratch_row(p->width));
    bool yuv = is_yuv(d), palette = p->format == AV_PIX_FMT_PAL8, grey = d->nb_components <= 2 && !palette;
    bool flat = palette || d->flags & AV_PIX_FMT_FLAG_ALPHA;
    for (int i = 0; i < n; i++) {
        size_t at = (size_t)i * stride;
        uint8_t *out[3] = {planes[0] + at, planes[1] + at, planes[2] + at};
        if (yuv) yuv_row(p, d, y + i, out, scratch, &m);
        else if (palette) palette_row(p, y + i, out, alpha);
        else
            for (int c = 0; c < (grey ? 1 : 3); c++) component_row(p, d, c, y + i, out[c], scratch);
        if (flat && !palette) component_row(p, d, d->nb_components - 1, y + i, alpha, scratch);
        for (int c = 0; flat && c < (grey ? 1 : 3); c++) flatten(out[c], alpha, width);
        for (int c = 1; grey && c < 3; c++) memcpy(out[c], out[0], width);
    }
}
