// SPDX-License-Identifier: Apache-2.0
/* Two taps on each axis, weights of 1/256: rows are widened once each (16 bits), then blended in pairs. */
#include "media/enlarge.h"

#include <math.h>
#include <stdbool.h>

#include "core/error.h"

enum { ONE = 256 };

struct tap {
    int32_t at;      // of two neighbouring samples, the first
    uint32_t second; // weight of the other one, of ONE
};

// Outside the plane its edge goes on.
static struct tap tap_of(int out, int out_side, int side)
{
    double x = (double)out * side / out_side - 0.5;
    if (x <= 0 || side == 1) return (struct tap){0, 0};
    if (x >= side - 1) return (struct tap){side - 2, ONE};
    int32_t at = (int32_t)floor(x);
    return (struct tap){at, (uint32_t)lround((x - at) * ONE)};
}

static void widen(const uint8_t *row, int width, const struct tap *taps, int out_width, uint16_t *out)
{
    if (width == 1) {
        for (int x = 0; x < out_width; x++) out[x] = (uint16_t)(row[0] * ONE);
        return;
    }
    for (int x = 0; x < out_width; x++) {
        const uint8_t *two = row + taps[x].at;
        out[x] = (uint16_t)(two[0] * (ONE - taps[x].second) + two[1] * taps[x].second);
    }
}

static void blend(const uint16_t *restrict a, const uint16_t *restrict b, uint32_t second, int n,
                  uint8_t *restrict out)
{
    uint32_t first = ONE - second;
    for (int x = 0; x < n; x++)
        out[x] = (uint8_t)((a[x] * first + b[x] * second + ONE * ONE / 2) / (ONE * ONE));
}

enum few_status few__enlarge_libvips(const uint8_t *plane, size_t stride, int width, int height, uint8_t *out,
                                     size_t out_stride, int out_width, int out_height,
                                     struct few__buffer *memory, struct few_error *err)
{
    size_t n = (size_t)out_width;
    struct tap *taps = few__buffer_reserve(memory, n * (sizeof *taps + 2 * sizeof(uint16_t)));
    if (!taps) return few__no_memory(err, "enlarging");
    uint16_t *rows[2] = {(uint16_t *)(taps + n), (uint16_t *)(taps + n) + n};
    int held[2] = {-1, -1}; // which rows of the plane they are; row y is held at y % 2
    for (int x = 0; x < out_width; x++) taps[x] = tap_of(x, out_width, width);
    for (int y = 0; y < out_height; y++, out += out_stride) {
        struct tap down = tap_of(y, out_height, height);
        int last = height == 1 ? 0 : down.at + 1;
        for (int r = down.at; r <= last; r++) {
            if (held[r % 2] == r) continue;
            widen(plane + (size_t)r * stride, width, taps, out_width, rows[r % 2]);
            held[r % 2] = r;
        }
        blend(rows[down.at % 2], rows[last % 2], down.second, out_width, out);
    }
    return FEW_OK;
}
