// SPDX-License-Identifier: Apache-2.0
// A row of YUV to R, G and B. yuv_rgb_sse2.c where the processor has it (all of x86-64), yuv_rgb.c elsewhere: equal to the bit.
#ifndef FEW_MEDIA_YUV_RGB_H
#define FEW_MEDIA_YUV_RGB_H

#include <stddef.h>
#include <stdint.h>

/* In units of 2^-13: small enough for 16-bit factors, fine enough that no result is off by one. */
enum { FEW__MATRIX_BITS = 13 };
struct few__matrix {
    int16_t y, y_offset, rv, gu, gv, bu;
};

/* With Y = y - y_offset, U = u - 128, V = v - 128, rounded and cut to 0 .. 255:
 * r = y Y + rv V, g = y Y - gu U - gv V, b = y Y + bu U.
 *
 * y     (n,) u, v: (n,), 0 .. 255 each
 * r, g, b   (n,) out; they overlap nothing */
void few__yuv_to_rgb(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b, const uint8_t *restrict y,
                     const int16_t *restrict u, const int16_t *restrict v, size_t n,
                     const struct few__matrix *m);

/* One pixel of it. rgb: (3,) out. */
static inline void few__yuv_pixel(int y, int u, int v, const struct few__matrix *m, uint8_t *const rgb[3])
{
    const int half = 1 << (FEW__MATRIX_BITS - 1), luma = m->y * (y - m->y_offset) + half;
    u -= 128;
    v -= 128;
    const int sums[3] = {luma + m->rv * v, luma - m->gu * u - m->gv * v, luma + m->bu * u};
    for (int c = 0; c < 3; c++) {
        int x = sums[c] >> FEW__MATRIX_BITS;
        *rgb[c] = (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
    }
}

#endif
