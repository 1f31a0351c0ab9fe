// SPDX-License-Identifier: Apache-2.0
/* A decoded picture to upright RGB planes: converted band by band straight into the place where the pixels belong.
 * Besides the planes only a band of 32 rows is held. */
#include "core/error.h"
#include "media/buffer.h"
#include "media/image_internal.h"

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

enum few_status few__picture_upright(const struct few__picture *p, int orientation,
                                     struct few__buffer *buffer, struct few__image *image,
                                     struct few_error *err)
{
    bool turned = orientation > 4, direct = orientation == 1;
    int width = turned ? p->height : p->width, height = turned ? p->width : p->height;
    size_t stride = few__plane_stride(width), band_stride = few__plane_stride(p->width);
    size_t plane = stride * (size_t)height, band_plane = direct ? 0 : band_stride * FEW__ROWS_MAX;
    struct layout to = layout_of(p->width, p->height, stride, orientation);

    uint8_t *out = few__buffer_reserve(buffer, 3 * plane + 3 * band_plane + few__picture_scratch(p->width));
    if (!out) return few__no_memory(err, "image planes");
    uint8_t *band = out + 3 * plane;
    void *scratch = band + 3 * band_plane;

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
