// SPDX-License-Identifier: Apache-2.0
// Every brightness and colour through the rows of picture.c, against the formula in plain arithmetic.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "media/image_internal.h"
#include "support/support.h"

enum { SIDE = 256, ODD = 251 }; // odd: what is left over after the last eight

static int cut(double v)
{
    return v < 0 ? 0 : v > 255 ? 255 : (int)floor(v + 0.5);
}

// Off by one at most where the exact number lies in the middle of two.
static void assert_close(int got, double exact)
{
    if (got != cut(exact) && fabs(exact - floor(exact) - 0.5) > 0.02) fail_msg("%d is not %g", got, exact);
}

static void check(int matrix, bool full, double kr, double kb)
{
    static uint8_t y[SIDE * SIDE], u[SIDE * SIDE], v[SIDE * SIDE], out[3][FEW__ROWS_MAX * SIDE];
    struct few__picture p = {.format = AV_PIX_FMT_YUV444P,
                             .width = ODD,
                             .height = SIDE,
                             .data = {y, u, v},
                             .stride = {SIDE, SIDE, SIDE},
                             .full_range = full,
                             .matrix = matrix};
    void *scratch = aligned_alloc(64, (few__picture_scratch(SIDE) + 63) / 64 * 64);
    assert_non_null(scratch);
    double kg = 1 - kr - kb, light = full ? 1 : 255.0 / 219, colour = full ? 1 : 255.0 / 224;
    for (int vv = 0; vv < 256; vv += 5) {
        for (int i = 0; i < SIDE * SIDE; i++) {
            y[i] = (uint8_t)(i % SIDE);
            u[i] = (uint8_t)(i / SIDE);
            v[i] = (uint8_t)vv;
        }
        for (int row = 0; row < SIDE; row += FEW__ROWS_MAX) {
            uint8_t *planes[3] = {out[0], out[1], out[2]};
            few__picture_rows(&p, row, FEW__ROWS_MAX, planes, SIDE, scratch);
            for (int i = 0; i < FEW__ROWS_MAX; i++)
                for (int x = 0; x < ODD; x++) {
                    double l = (x - (full ? 0 : 16)) * light, cb = (row + i - 128) * colour,
                           cr = (vv - 128) * colour;
                    assert_close(out[0][i * SIDE + x], l + 2 * (1 - kr) * cr);
                    assert_close(out[1][i * SIDE + x],
                                 l - 2 * (1 - kb) * kb / kg * cb - 2 * (1 - kr) * kr / kg * cr);
                    assert_close(out[2][i * SIDE + x], l + 2 * (1 - kb) * cb);
                }
        }
    }
    free(scratch);
}

static void test_all_colours(void **state)
{
    (void)state;
    check(5, false, 0.299, 0.114);
    check(5, true, 0.299, 0.114);
    check(1, false, 0.2126, 0.0722);
    check(9, false, 0.2627, 0.0593);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_colours)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
