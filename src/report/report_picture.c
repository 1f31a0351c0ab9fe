// SPDX-License-Identifier: Apache-2.0
/* Pictures inside the page: the item's file, or the moment of its recording, if it is still there and can be decoded, else the thumbnail that the
 * trace keeps. Shrunk by area averages, written as JPEG, in base 64. */
#include <string.h>

#include "media/jpeg_write.h"
#include "media/preprocess.h"
#include "media/record.h"
#include "report/report.h"

enum { QUALITY = 82 }; // of a JPEG

struct picture {
    int width, height;
    uint8_t *rgb; // (height, width, 3)
};

/* ---- pixels ---- */

// The mean of one plane over the source pixels under (x, y).
static uint8_t area_mean(const struct few__image *image, int plane, int x, int y, const struct picture *to)
{
    int64_t x0 = (int64_t)x * image->width / to->width, x1 = (int64_t)(x + 1) * image->width / to->width;
    int64_t y0 = (int64_t)y * image->height / to->height, y1 = (int64_t)(y + 1) * image->height / to->height;
    uint64_t sum = 0;
    if (x1 == x0) x1++;
    if (y1 == y0) y1++;
    for (int64_t v = y0; v < y1; v++)
        for (int64_t u = x0; u < x1; u++) sum += image->planes[plane][(size_t)v * image->stride + (size_t)u];
    uint64_t n = (uint64_t)((x1 - x0) * (y1 - y0));
    return (uint8_t)((sum + n / 2) / n);
}

static bool shrink(const struct few__image *image, struct few__arena *arena, struct picture *to)
{
    int longer = image->width > image->height ? image->width : image->height;
    double scale = longer > FEW__REPORT_SIDE ? (double)FEW__REPORT_SIDE / longer : 1;
    to->width = (int)(image->width * scale) > 0 ? (int)(image->width * scale) : 1;
    to->height = (int)(image->height * scale) > 0 ? (int)(image->height * scale) : 1;
    to->rgb = few__arena_alloc(arena, (size_t)to->width * (size_t)to->height, 3);
    if (!to->rgb) return false;
    uint8_t *p = to->rgb;
    for (int y = 0; y < to->height; y++)
        for (int x = 0; x < to->width; x++)
            for (int c = 0; c < 3; c++) *p++ = area_mean(image, c, x, y, to);
    return true;
}

/* A photograph, or a moment of a recording. What has a scheme is not asked for: a page is made without a network. Whatever
 * goes wrong, there is the thumbnail. */
static bool read_picture(struct few__report *report, const char *path, struct few__arena *arena,
                         struct picture *picture)
{
    struct few__record record;
    struct few__parts parts;
    if (strstr(path, "://") || few__record_of_path(path, arena, &record, NULL) != FEW_OK) return false;
    return few__record_read(report->reader, &record, NULL, 0, &parts, NULL) == FEW_OK && parts.image &&
           shrink(parts.image, arena, picture);
}

/* ---- the element ---- */

static void put_base64(struct few__text *text, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    enum { FILLER = 64 };
    char four[4];
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (left > 2 ? bytes[i + 2] : 0);
        four[0] = digits[v >> 18];
        four[1] = digits[v >> 12 & 63];
        four[2] = digits[left > 1 ? v >> 6 & 63 : FILLER];
        four[3] = digits[left > 2 ? v & 63 : FILLER];
        few__text_add(text, four, 4);
    }
}

void few__report_picture(struct few__report *report, const struct few__item_row *row)
{
    struct few__text *text = &report->gallery;
    struct few__arena arena;
    struct picture picture = {0};
    few__arena_init(&arena, report->env.mem, (size_t)16 << 20);
    bool there = read_picture(report, row->path, &arena, &picture);
    if (!there && row->thumbnail) {
        picture = (struct picture){FEW__THUMBNAIL_SIDE, FEW__THUMBNAIL_SIDE, NULL};
        picture.rgb = few__arena_alloc(&arena, FEW__THUMBNAIL_BYTES, 1);
        there = picture.rgb != NULL;
        if (there) memcpy(picture.rgb, row->thumbnail, FEW__THUMBNAIL_BYTES);
    }
    const uint8_t *jpeg = NULL;
    size_t n = 0;
    if (there && few__jpeg_write(picture.rgb, picture.width, picture.height, QUALITY, &arena, &jpeg, &n,
                                 NULL) == FEW_OK) {
        few__text_put(text, "<img alt=\"\" loading=\"lazy\" src=\"data:image/jpeg;base64,");
        put_base64(text, jpeg, n);
        few__text_put(text, "\">");
    } else {
        few__text_put(text, "<span class=\"none\">no picture</span>");
    }
    few__arena_finish(&arena);
}
