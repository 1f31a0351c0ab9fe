// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "media/yuv_rgb.h"
#include "support/support.h"

enum { MOST = 100, GUARD = 0xA5 };

// BT.601 of 16 .. 235, the same of 0 .. 255, BT.2020 of 16 .. 235: the largest factors.
static const struct few__matrix matrices[] = {{9539, 16, 13075, 3209, 6660, 16525},
                                              {8192, 0, 11485, 2819, 5850, 14516},
                                              {9539, 16, 13752, 1535, 5328, 17545}};

/* The definition, in floating point: no sum comes near enough to a half for that to round otherwise. */
static uint8_t rounded(double sum)
{
    double x = floor(sum / (1 << FEW__MATRIX_BITS) + 0.5);
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

static void compare(const uint8_t *y, const int16_t *u, const int16_t *v, size_t n,
                    const struct few__matrix *m)
{
    uint8_t out[3][MOST + 1];
    memset(out, GUARD, sizeof out);
    few__yuv_to_rgb(out[0], out[1], out[2], y, u, v, n, m);
    for (size_t i = 0; i < n; i++) {
        double luma = (double)m->y * (y[i] - m->y_offset), s = u[i] - 128, t = v[i] - 128;
        assert_int_equal(out[0][i], rounded(luma + m->rv * t));
        assert_int_equal(out[1][i], rounded(luma - m->gu * s - m->gv * t));
        assert_int_equal(out[2][i], rounded(luma + m->bu * s));
    }
    for (int c = 0; c < 3; c++) assert_int_equal(out[c][n], GUARD);
}

static void test_rows_of_all_lengths(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (int round = 0; round < 3000; round++) {
        uint8_t y[MOST + 8];
        int16_t u[MOST + 8], v[MOST + 8];
        size_t n = few__rng_below(&rng, MOST + 1), at = few__rng_below(&rng, 8); // any place in memory
        for (size_t i = 0; i < n; i++) {
            y[at + i] = (uint8_t)few__rng_below(&rng, 256);
            u[at + i] = (int16_t)few__rng_below(&rng, 256);
            v[at + i] = (int16_t)few__rng_below(&rng, 256);
        }
        compare(y + at, u + at, v + at, n, &matrices[round % 3]);
    }
}

static void test_corners(void **state)
{
    (void)state;
    static const int ends[] = {0, 1, 15, 16, 17, 127, 128, 129, 235, 240, 254, 255};
    enum { N = sizeof ends / sizeof *ends };
    uint8_t y[N];
    int16_t u[N], v[N];
    for (int k = 0; k < 3; k++)
        for (int a = 0; a < N; a++)
            for (int b = 0; b < N; b++) {
                for (int i = 0; i < N; i++) {
                    y[i] = (uint8_t)ends[a];
                    u[i] = (int16_t)ends[b];
                    v[i] = (int16_t)ends[i];
                }
                compare(y, u, v, N, &matrices[k]);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_all_lengths),
        cmocka_unit_test(test_corners),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
