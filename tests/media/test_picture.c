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

/* ---- deeper samples ---- */

enum { W = 37, H = 33 };

static void rows_of(enum AVPixelFormat format, const uint8_t *const planes[3], int stride, uint8_t *out)
{
    struct few__picture p = {.format = format, .width = W, .height = H};
    for (int c = 0; c < 3; c++) p.data[c] = planes[c], p.stride[c] = stride;
    assert_true(few__picture_readable(&p));
    void *scratch = aligned_alloc(64, (few__picture_scratch(W) + 63) / 64 * 64);
    assert_non_null(scratch);
    for (int y = 0; y < H; y += FEW__ROWS_MAX) {
        uint8_t *to[3] = {out + y * W, out + H * W + y * W, out + 2 * H * W + y * W};
        few__picture_rows(&p, y, H - y < FEW__ROWS_MAX ? H - y : FEW__ROWS_MAX, to, W, scratch);
    }
    free(scratch);
}

// What is below the high eight bits is cut.
static void test_deep(void **state)
{
    (void)state;
    static const struct {
        enum AVPixelFormat deep, flat;
        int depth;
        bool big;
    } cases[] = {{AV_PIX_FMT_YUV420P10LE, AV_PIX_FMT_YUV420P, 10, false},
                 {AV_PIX_FMT_YUV420P10BE, AV_PIX_FMT_YUV420P, 10, true},
                 {AV_PIX_FMT_YUV422P12LE, AV_PIX_FMT_YUV422P, 12, false},
                 {AV_PIX_FMT_YUV444P16LE, AV_PIX_FMT_YUV444P, 16, false},
                 {AV_PIX_FMT_YUV444P9BE, AV_PIX_FMT_YUV444P, 9, true}};
    static uint8_t flat[3][H * W], deep[3][2 * H * W], a[3 * H * W], b[3 * H * W];
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const uint8_t *flats[3] = {flat[0], flat[1], flat[2]}, *deeps[3] = {deep[0], deep[1], deep[2]};
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < H * W; i++) {
                unsigned v = (unsigned)(i * 7919 + c * 104729) * 2654435761u >> 16;
                unsigned x = v & ((1u << cases[k].depth) - 1);
                flat[c][i] = (uint8_t)(x >> (cases[k].depth - 8));
                deep[c][2 * i + cases[k].big] = (uint8_t)x;
                deep[c][2 * i + !cases[k].big] = (uint8_t)(x >> 8);
            }
        rows_of(cases[k].flat, flats, W, a);
        rows_of(cases[k].deep, deeps, 2 * W, b);
        assert_memory_equal(a, b, sizeof a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_colours), cmocka_unit_test(test_deep)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
