// SPDX-License-Identifier: Apache-2.0
/* Looks against plain references: area averages in exact fractions, every feature as its paper's words say it, neighbour by
 * neighbour with the bounds checked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "media/look.h"
#include "support/support.h"

enum { W = FEW__LOOK_WIDTH, H = FEW__LOOK_HEIGHT, N = FEW__LOOK_BYTES };

static struct few__look_scratch *scratch;

static double difference(enum few_feature feature, const uint8_t *a, const uint8_t *b)
{
    return few__look_difference(scratch, feature, a, b);
}

static int open_scratch(void **state)
{
    (void)state;
    struct few_error err;
    return few__look_scratch_create(NULL, &scratch, &err) == FEW_OK ? 0 : -1;
}

static int close_scratch(void **state)
{
    (void)state;
    few__look_scratch_destroy(scratch);
    return 0;
}

static void fill(uint8_t *look, int left, int top, int width, int height, uint8_t value)
{
    for (int y = top; y < top + height; y++) memset(look + (ptrdiff_t)y * W + left, value, (size_t)width);
}

/* ---- the average ---- */

// The overlap of pixel i of n with place o of n_out, times n * n_out.
static int64_t overlap(int64_t n, int64_t i, int64_t n_out, int64_t o)
{
    if (n < n_out) return i == (2 * o + 1) * n / (2 * n_out);
    int64_t from = i * n_out > o * n ? i * n_out : o * n;
    int64_t until = (i + 1) * n_out < (o + 1) * n ? (i + 1) * n_out : (o + 1) * n;
    return until > from ? until - from : 0;
}

static int average(const uint8_t *luma, ptrdiff_t stride, int width, int height, int x, int y)
{
    int64_t sum = 0, weight = 0;
    for (int j = 0; j < height; j++) {
        int64_t down = overlap(height, j, H, y);
        for (int i = 0; down && i < width; i++) {
            int64_t w = down * overlap(width, i, W, x);
            sum += w * luma[j * stride + i];
            weight += w;
        }
    }
    return (int)((sum + weight / 2) / weight);
}

static void check_average(struct few__rng *rng, int width, int height, ptrdiff_t stride)
{
    uint8_t look[N], *luma = malloc((size_t)(stride * height));
    assert_non_null(luma);
    for (ptrdiff_t i = 0; i < stride * height; i++) luma[i] = (uint8_t)few__rng_below(rng, 256);
    few__look_make(luma, stride, width, height, look);
    for (int k = 0; k < 200; k++) {
        int x = (int)few__rng_below(rng, W), y = (int)few__rng_below(rng, H);
        assert_int_equal(look[y * W + x], average(luma, stride, width, height, x, y));
    }
    assert_int_equal(look[0], average(luma, stride, width, height, 0, 0));
    assert_int_equal(look[N - 1], average(luma, stride, width, height, W - 1, H - 1));
    free(luma);
}

static void test_make_averages(void **state)
{
    (void)state;
    static const int sizes[][2] = {{160, 120},   {161, 121},  {319, 239},   {320, 240},
                                   {640, 480},   {1023, 130}, {1024, 120},  {1025, 600},
                                   {1920, 1080}, {2500, 121}, {160, 33000}, {99, 700},
                                   {700, 77},    {1, 1},      {2, 1},       {80, 60}};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_average(&rng, sizes[i][0], sizes[i][1], sizes[i][0]);
        check_average(&rng, sizes[i][0], sizes[i][1], sizes[i][0] + 37);
    }
}

static void test_make_keeps(void **state)
{
    (void)state;
    uint8_t luma[N], look[N], wide[4 * N];
    for (size_t i = 0; i < N; i++) luma[i] = (uint8_t)(i * 7 + i / W);
    few__look_make(luma, W, W, H, look);
    assert_memory_equal(look, luma, N); // of the same size: the same
    for (size_t y = 0; y < 2 * H; y++)
        for (size_t x = 0; x < (size_t)2 * W; x++) wide[y * 2 * W + x] = luma[y / 2 * W + x / 2];
    few__look_make(wide, (ptrdiff_t)2 * W, 2 * W, 2 * H, look);
    assert_memory_equal(look, luma, N);           // doubled and halved
    few__look_make(luma + N - W, -W, W, H, look); // upside down
    assert_memory_equal(look, luma + N - W, W);
    memset(wide, 255, sizeof wide);
    few__look_make(wide, 1, 4 * N, 1, look); // long rows, one for all
    for (size_t i = 0; i < N; i++) assert_int_equal(look[i], 255);
}

/* ---- plain references ---- */

static int at(const uint8_t *look, int x, int y)
{
    x = x < 0 ? 0 : x >= W ? W - 1 : x;
    y = y < 0 ? 0 : y >= H ? H - 1 : y;
    return look[y * W + x];
}

static int plane_at(const int *plane, int x, int y)
{
    return x < 0 || y < 0 || x >= W || y >= H ? 0 : plane[y * W + x];
}

static void sobel(const uint8_t *look, int *dx, int *dy)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int gx = 0, gy = 0;
            for (int j = -1; j <= 1; j++) {
                int w = j ? 1 : 2;
                gx += w * (at(look, x + 1, y + j) - at(look, x - 1, y + j));
                gy += w * (at(look, x + j, y + 1) - at(look, x + j, y - 1));
            }
            dx[y * W + x] = gx;
            dy[y * W + x] = gy;
        }
}

static double plain_pixel(const uint8_t *a, const uint8_t *b)
{
    int n = 0;
    for (int i = 0; i < N; i++) n += abs(a[i] - b[i]) > 21;
    return n / (double)N;
}

// The smallest label spreads until nothing changes.
static double plain_area(const uint8_t *a, const uint8_t *b)
{
    static const int kernel[3] = {1, 2, 1};
    static int region[N], sizes[N + 1];
    memset(sizes, 0, sizeof sizes);
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            int sum = 0;
            for (int j = -1; j <= 1; j++)
                for (int i = -1; i <= 1; i++)
                    sum += kernel[i + 1] * kernel[j + 1] * (at(a, x + i, y + j) - at(b, x + i, y + j));
            region[y * W + x] = abs(sum) > 16 * 21 ? y * W + x + 1 : 0;
        }
    for (bool changes = true; changes;) {
        changes = false;
        for (int k = 0; k < N; k++)
            for (int j = -1; region[k] && j <= 1; j++)
                for (int i = -1; i <= 1; i++) {
                    int other = plane_at(region, k % W + i, k / W + j);
                    if (!other || other >= region[k]) continue;
                    region[k] = other;
                    changes = true;
                }
    }
    int most = 0;
    for (int k = 0; k < N; k++)
        if (region[k] && ++sizes[region[k]] > most) most = sizes[region[k]];
    return most / (double)N;
}

static void plain_edges(const uint8_t *look, int *edge)
{
    static int dx[N], dy[N], magnitude[N];
    sobel(look, dx, dy);
    for (int k = 0; k < N; k++) magnitude[k] = abs(dx[k]) + abs(dy[k]);
    for (int k = 0; k < N; k++) {
        double steep = dx[k] ? fabs((double)dy[k] / dx[k]) : 1e9;
        int i, j;
        if (steep < 13573.0 / 32768) i = 1, j = 0;
        else if (steep > 13573.0 / 32768 + 2) i = 0, j = 1;
        else i = (dx[k] < 0) == (dy[k] < 0) ? 1 : -1, j = 1;
        int before = plane_at(magnitude, k % W - i, k / W - j),
            after = plane_at(magnitude, k % W + i, k / W + j);
        bool ridge = magnitude[k] > before && (i && j ? magnitude[k] > after : magnitude[k] >= after);
        edge[k] = !ridge || magnitude[k] <= 101 ? 0 : magnitude[k] > 255 ? 2 : 1;
    }
    for (bool changes = true; changes;) {
        changes = false;
        for (int k = 0; k < N; k++)
            for (int j = -1; edge[k] == 1 && j <= 1; j++)
                for (int i = -1; i <= 1; i++)
                    if (edge[k] == 1 && plane_at(edge, k % W + i, k / W + j) == 2) {
                        edge[k] = 2;
                        changes = true;
                    }
    }
    for (int k = 0; k < N; k++) edge[k] = edge[k] == 2;
}

static void plain_corners(const uint8_t *look, int *corner)
{
    static int dx[N], dy[N];
    static double response[N];
    double strongest = 38144.0 * 21 * 21 * 21 * 21 / 20;
    sobel(look, dx, dy);
    for (int k = 0; k < N; k++) {
        double xx = 0, xy = 0, yy = 0;
        for (int j = -1; j <= 1; j++)
            for (int i = -1; i <= 1; i++) {
                int x = plane_at(dx, k % W + i, k / W + j), y = plane_at(dy, k % W + i, k / W + j);
                xx += x * x, xy += x * y, yy += y * y;
            }
        response[k] = xx * yy - xy * xy - (xx + yy) * (xx + yy) / 20;
        if (response[k] > strongest) strongest = response[k];
    }
    for (int k = 0; k < N; k++) corner[k] = response[k] > strongest / 100;
}

static double plain_unlike(void (*find)(const uint8_t *, int *), const uint8_t *a, const uint8_t *b)
{
    static int x[N], y[N];
    int n = 0;
    find(a, x);
    find(b, y);
    for (int k = 0; k < N; k++) n += x[k] != y[k];
    return n / (double)N;
}

static void check_all(const uint8_t *a, const uint8_t *b)
{
    assert_near(difference(FEW_PIXEL, a, b), plain_pixel(a, b), 0);
    assert_near(difference(FEW_AREA, a, b), plain_area(a, b), 0);
    assert_near(difference(FEW_EDGE, a, b), plain_unlike(plain_edges, a, b), 0);
    assert_near(difference(FEW_CORNER, a, b), plain_unlike(plain_corners, a, b), 0);
    for (int f = 0; f < FEW_FEATURE_COUNT; f++) {
        double d = difference((enum few_feature)f, a, b);
        assert_true(d >= 0 && d <= 1);
        assert_near(difference((enum few_feature)f, b, a), d, 0);
        assert_near(difference((enum few_feature)f, a, a), 0, 0);
        assert_near(difference((enum few_feature)f, b, b), 0, 0);
    }
}

// Boxes, a slope and noise of some strength: pictures with edges and corners of every kind.
static void draw(struct few__rng *rng, uint8_t *look, unsigned noise)
{
    int slope = (int)few__rng_below(rng, 3);
    for (int k = 0; k < N; k++) look[k] = (uint8_t)(60 + slope * (k % W) / 3 + (k / W) / 4);
    for (int i = 0; i < 12; i++) {
        int left = (int)few__rng_below(rng, W - 1), top = (int)few__rng_below(rng, H - 1);
        int width = 1 + (int)few__rng_below(rng, (uint64_t)(W - left));
        int height = 1 + (int)few__rng_below(rng, (uint64_t)(H - top));
        fill(look, left, top, width > 40 ? 40 : width, height > 40 ? 40 : height,
             (uint8_t)few__rng_below(rng, 256));
    }
    for (int k = 0; noise && k < N; k++) {
        int v = look[k] + (int)few__rng_below(rng, 2 * noise + 1) - (int)noise;
        look[k] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static void test_references(void **state)
{
    (void)state;
    static const unsigned noises[] = {0, 3, 15, 60, 255};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 2);
    uint8_t a[N], b[N];
    for (int i = 0; i < 15; i++) {
        draw(&rng, a, noises[i % 5]);
        if (i % 2) draw(&rng, b, noises[i % 5]);
        else {
            memcpy(b, a, N);
            fill(b, 10 + i, 20, 30, 25, (uint8_t)(i * 17));
        }
        check_all(a, b);
    }
}

/* ---- pictures by hand ---- */

static void test_pixel(void **state)
{
    (void)state;
    uint8_t a[N] = {0}, b[N] = {0};
    fill(b, 0, 0, W, H / 4, 21);
    assert_near(difference(FEW_PIXEL, a, b), 0, 0); // by 21 is not by more than 21
    fill(b, 0, 0, W, H / 4, 22);
    assert_near(difference(FEW_PIXEL, a, b), 0.25, 0);
    fill(b, 0, 0, W, H, 255);
    assert_near(difference(FEW_PIXEL, a, b), 1, 0);
}

static void test_area(void **state)
{
    (void)state;
    uint8_t a[N] = {0}, b[N] = {0};
    b[W * 50 + 80] = 84; // blurred: 21, which is not more
    assert_near(difference(FEW_AREA, a, b), 0, 0);
    b[W * 50 + 80] = 85;
    assert_near(difference(FEW_AREA, a, b), 1.0 / N, 0);
    fill(b, 10, 10, 20, 10, 100); // grows beside its sides (25 there), not at the last pixel of one (18.75)
    fill(b, 100, 60, 8, 8, 100);
    assert_near(difference(FEW_AREA, a, b), (20.0 * 10 + 2 * 18 + 2 * 8) / N, 0);
    fill(b, 30, 20, 20, 10, 100); // hangs on by a corner, where 18.75 of each add up at two pixels
    assert_near(difference(FEW_AREA, a, b), (2 * (20.0 * 10 + 2 * 18 + 2 * 8) + 2) / N, 0);
    fill(b, 0, 0, W, H, 22); // everything, to the last pixel
    assert_near(difference(FEW_AREA, a, b), 1, 0);
}

static void test_edge(void **state)
{
    (void)state;
    uint8_t a[N], b[N];
    memset(a, 50, N);
    memset(b, 50, N);
    fill(b, 80, 0, 80, H, 113); // 4 x 63 = 252: faint
    assert_near(difference(FEW_EDGE, a, b), 0, 0);
    fill(b, 80, 0, 80, H, 114); // 4 x 64 = 256: clear, and one pixel wide
    assert_near(difference(FEW_EDGE, a, b), (double)H / N, 0);
    fill(b, 80, 1, 80, H - 1, 80); // faint below the first row, but hanging on it
    fill(a, 80, 0, 80, H, 80);
    assert_true(difference(FEW_EDGE, a, b) >= (double)(H - 2) / N);
    fill(b, 80, 0, 80, H, 75); // 4 x 25 = 100: none
    assert_near(difference(FEW_EDGE, a, b), 0, 0);
}

static void test_corner(void **state)
{
    (void)state;
    uint8_t a[N], b[N];
    memset(a, 20, N);
    memset(b, 20, N);
    fill(b, 80, 0, 80, H, 200); // an edge has no corners, also where it leaves the picture
    assert_near(difference(FEW_CORNER, a, b), 0, 0);
    memset(b, 20, N);
    fill(b, 40, 40, 40, 30, 200);
    double one = difference(FEW_CORNER, a, b); // four corners, each of a few pixels
    assert_true(one >= 4.0 / N && one <= 4 * 25.0 / N);
    memcpy(a, b, N);
    fill(b, 100, 80, 40, 30, 200); // a second one: the same again
    assert_near(difference(FEW_CORNER, a, b), one, 0);
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3); // faint noise has none
    for (int k = 0; k < N; k++) a[k] = (uint8_t)(100 + few__rng_below(&rng, 3));
    memset(b, 100, N);
    assert_near(difference(FEW_CORNER, a, b), 0, 0);
}

// What was compared before leaves nothing behind.
static void test_no_memory_of_before(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 4);
    uint8_t looks[3][N];
    double first[FEW_FEATURE_COUNT];
    for (int i = 0; i < 3; i++) draw(&rng, looks[i], 100);
    for (int f = 0; f < FEW_FEATURE_COUNT; f++)
        first[f] = difference((enum few_feature)f, looks[0], looks[1]);
    for (int f = 0; f < FEW_FEATURE_COUNT; f++)
        for (int g = 0; g < FEW_FEATURE_COUNT; g++) {
            (void)difference((enum few_feature)g, looks[2], looks[g % 2]);
            assert_near(difference((enum few_feature)f, looks[0], looks[1]), first[f], 0);
        }
}

static void test_names(void **state)
{
    (void)state;
    static const char *const names[] = {"pixel", "area", "edge", "corner"};
    for (int f = 0; f < FEW_FEATURE_COUNT; f++) {
        assert_string_equal(few_feature_name((enum few_feature)f), names[f]);
        assert_int_equal(few_feature_parse(names[f]), f);
    }
    assert_int_equal(few_feature_parse("Pixel"), FEW_FEATURE_COUNT);
    assert_int_equal(few_feature_parse(""), FEW_FEATURE_COUNT);
    assert_string_equal(few_feature_name(FEW_FEATURE_COUNT), "unknown");
}

static enum few_status create_and_destroy(const struct few_mem *mem, void *ud)
{
    struct few__look_scratch *s;
    struct few_error err;
    (void)ud;
    enum few_status status = few__look_scratch_create(mem, &s, &err);
    few__look_scratch_destroy(s);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    t_fail_each_allocation(create_and_destroy, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make_averages), cmocka_unit_test(test_make_keeps),
        cmocka_unit_test(test_references),    cmocka_unit_test(test_pixel),
        cmocka_unit_test(test_area),          cmocka_unit_test(test_edge),
        cmocka_unit_test(test_corner),        cmocka_unit_test(test_no_memory_of_before),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, open_scratch, close_scratch);
}
