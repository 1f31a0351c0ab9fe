// SPDX-License-Identifier: Apache-2.0
// In plain C, for compilers to make of it what they can.
#include "media/yuv_rgb.h"

void few__yuv_to_rgb(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b, const uint8_t *restrict y,
                     const int16_t *restrict u, const int16_t *restrict v, size_t n,
                     const struct few__matrix *m)
{
    for (size_t i = 0; i < n; i++)
        few__yuv_pixel(y[i], u[i], v[i], m, (uint8_t *const[3]){&r[i], &g[i], &b[i]});
}
