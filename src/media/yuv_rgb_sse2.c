// SPDX-License-Identifier: Apache-2.0
/* Sixteen pixels at a time. Two products and their sum are one instruction (pmaddwd), which compilers do not find: several
 * times as fast as what they make of yuv_rgb.c, and the largest part of what a frame costs beside its decoding. */
#include "media/yuv_rgb.h"

#include <emmintrin.h>

// The factors of two numbers that lie beside each other.
static __m128i pair(int first, int second)
{
    return _mm_set1_epi32((int)((uint32_t)(uint16_t)first | (uint32_t)second << 16));
}

struct factors {
    __m128i offset, middle, one, half, r, g_yv, g_u, b;
};

static struct factors factors_of(const struct few__matrix *m)
{
    const int half = 1 << (FEW__MATRIX_BITS - 1);
    return (struct factors){.offset = _mm_set1_epi16(m->y_offset),
                            .middle = _mm_set1_epi16(128),
                            .one = _mm_set1_epi16(1),
                            .half = _mm_set1_epi32(half),
                            .r = pair(m->y, m->rv),
                            .g_yv = pair(m->y, -m->gv),
                            .g_u = pair(-m->gu, half),
                            .b = pair(m->y, m->bu)};
}

// Eight sums in units of 2^-13, to whole numbers.
static inline __m128i whole(__m128i low, __m128i high)
{
    return _mm_packs_epi32(_mm_srai_epi32(low, FEW__MATRIX_BITS), _mm_srai_epi32(high, FEW__MATRIX_BITS));
}

static inline __m128i two_terms(__m128i low, __m128i high, __m128i factors, __m128i half)
{
    return whole(_mm_add_epi32(_mm_madd_epi16(low, factors), half),
                 _mm_add_epi32(_mm_madd_epi16(high, factors), half));
}

// Eight pixels. y: 0 .. 255; rgb: out.
static inline void eight(__m128i y, __m128i u, __m128i v, const struct factors *f, __m128i rgb[3])
{
    y = _mm_sub_epi16(y, f->offset);
    u = _mm_sub_epi16(u, f->middle);
    v = _mm_sub_epi16(v, f->middle);
    const __m128i yv_low = _mm_unpacklo_epi16(y, v), yv_high = _mm_unpackhi_epi16(y, v);
    const __m128i yu_low = _mm_unpacklo_epi16(y, u), yu_high = _mm_unpackhi_epi16(y, u);
    const __m128i u_low = _mm_unpacklo_epi16(u, f->one), u_high = _mm_unpackhi_epi16(u, f->one);
    rgb[0] = two_terms(yv_low, yv_high, f->r, f->half);
    rgb[1] = whole(_mm_add_epi32(_mm_madd_epi16(yv_low, f->g_yv), _mm_madd_epi16(u_low, f->g_u)),
                   _mm_add_epi32(_mm_madd_epi16(yv_high, f->g_yv), _mm_madd_epi16(u_high, f->g_u)));
    rgb[2] = two_terms(yu_low, yu_high, f->b, f->half);
}

static inline __m128i load(const void *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

void few__yuv_to_rgb(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b, const uint8_t *restrict y,
                     const int16_t *restrict u, const int16_t *restrict v, size_t n,
                     const struct few__matrix *m)
{
    const struct factors f = factors_of(m);
    const __m128i zero = _mm_setzero_si128();
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        __m128i luma = load(y + i), low[3], high[3];
        eight(_mm_unpacklo_epi8(luma, zero), load(u + i), load(v + i), &f, low);
        eight(_mm_unpackhi_epi8(luma, zero), load(u + i + 8), load(v + i + 8), &f, high);
        _mm_storeu_si128((__m128i *)(r + i), _mm_packus_epi16(low[0], high[0]));
        _mm_storeu_si128((__m128i *)(g + i), _mm_packus_epi16(low[1], high[1]));
        _mm_storeu_si128((__m128i *)(b + i), _mm_packus_epi16(low[2], high[2]));
    }
    for (; i < n; i++) few__yuv_pixel(y[i], u[i], v[i], m, (uint8_t *const[3]){&r[i], &g[i], &b[i]});
}
