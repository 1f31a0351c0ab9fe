// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "core/rng.h"
#include "data.h"
#include "media/buffer.h"
#include "media/scale.h"

struct planes {
    uint8_t *memory;
    struct few__planes to;   // the same planes, to write
    struct few__image image; // and to read
};

static struct planes make(int width, int height)
{
    struct planes p = {.to = {.width = width, .height = height, .stride = few__plane_stride(width)}};
    p.memory = calloc(3 * (size_t)height + 1, p.to.stride);
    p.image = (struct few__image){.width = width, .height = height, .stride = p.to.stride};
    for (int c = 0; c < 3; c++)
        p.image.planes[c] = p.to.planes[c] = p.memory + (size_t)c * p.to.stride * (size_t)height;
    return p;
}

static void scale(struct few__scaler *scaler, const struct planes *from, const struct planes *to)
{
    struct few_error err;
    assert_status(few__scale(scaler, FEW__CENTRES, &from->image, &to->to, &err), FEW_OK, &err);
}

/* ---- the definition ---- */

// Number x of a row of n resized to m: triangle around the centre, as wide as the reduction. Beyond its ends the
// row goes on as it ended (libvips and swscale; Pillow leaves those weights out, which shows at the rim alone).
static double triangle(const double *v, size_t step, int n, int m, int x)
{
    double ratio = (double)n / m, support = ratio > 1 ? ratio : 1, centre = (x + 0.5) * ratio, sum = 0,
           weights = 0;
    for (int i = (int)floor(centre - support); i <= (int)ceil(centre + support); i++) {
        double w = 1 - fabs(i + 0.5 - centre) / support;
        if (w <= 0) continue;
        int at = i < 0 ? 0 : i >= n ? n - 1 : i;
        sum += w * v[(size_t)at * step];
        weights += w;
    }
    return sum / weights;
}

static double *resize_exactly(const struct planes *from, int c, int width, int height)
{
    size_t w = (size_t)from->to.width, h = (size_t)from->to.height, ow = (size_t)width;
    double *in = malloc(w * h * sizeof *in), *wide = malloc(ow * h * sizeof *wide);
    double *out = malloc(ow * (size_t)height * sizeof *out);
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < w; x++) in[y * w + x] = from->to.planes[c][y * from->to.stride + x];
    for (size_t y = 0; y < h; y++)
        for (size_t x = 0; x < ow; x++) wide[y * ow + x] = triangle(in + y * w, 1, (int)w, width, (int)x);
    for (size_t y = 0; y < (size_t)height; y++)
        for (size_t x = 0; x < ow; x++) out[y * ow + x] = triangle(wide + x, ow, (int)h, height, (int)y);
    free(in);
    free(wide);
    return out;
}

static void compare(struct few__scaler *scaler, const struct planes *from, int width, int height, double mean,
                    double most)
{
    struct planes to = make(width, height);
    scale(scaler, from, &to);
    for (int c = 0; c < 3; c++) {
        double *exact = resize_exactly(from, c, width, height), sum = 0, worst = 0;
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                double d = fabs(exact[y * width + x] - to.to.planes[c][(size_t)y * to.to.stride + (size_t)x]);
                sum += d;
                worst = d > worst ? d : worst;
            }
        if (sum / (width * height) > mean || worst > most)
            fail_msg("%d x %d to %d x %d: mean %g, worst %g", from->to.width, from->to.height, width, height,
                     sum / (width * height), worst);
        free(exact);
    }
    free(to.memory);
}

// Noise is the hardest picture there is: every weight shows. 0.25 is what rounding alone gives.
static void test_against_the_definition(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    struct few__scaler *scaler;
    assert_int_equal(few__scaler_create(NULL, &scaler, NULL), FEW_OK);
    static const int sizes[][4] = {{40, 30, 80, 60}, {40, 30, 20, 15},  {41, 29, 64, 64}, {97, 61, 32, 24},
                                   {64, 64, 64, 31}, {300, 200, 17, 9}, {31, 33, 97, 90}, {16, 200, 64, 8},
                                   {8, 8, 200, 200}, {33, 47, 32, 46}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct planes from = make(sizes[k][0], sizes[k][1]);
        for (size_t i = 0; i < 3 * from.to.stride * (size_t)from.to.height; i++)
            from.memory[i] = (uint8_t)few__rng_next(&rng);
        compare(scaler, &from, sizes[k][2], sizes[k][3], 0.7, 4);
        free(from.memory);
    }
    few__scaler_destroy(scaler);
}

// The definition is Pillow's but for the outermost pixels.
static void compare_with_pillow(const char *source, const char *expected, int width, int height)
{
    struct few__image_decoder *decoder;
    struct few__scaler *scaler;
    assert_int_equal(few__image_decoder_create(NULL, &decoder, NULL), FEW_OK);
    assert_int_equal(few__scaler_create(NULL, &scaler, NULL), FEW_OK);
    struct bytes file = read_data(source), pixels = read_data(expected);
    struct few__image image;
    assert_int_equal(few__image_decode(decoder, source, file.data, file.n, &image, NULL), FEW_OK);
    struct planes to = make(width, height);
    struct few_error err;
    assert_status(few__scale(scaler, FEW__CENTRES, &image, &to.to, &err), FEW_OK, &err);
    double sum = 0;
    for (int y = 1; y < height - 1; y++)
        for (int x = 1; x < width - 1; x++)
            for (int c = 0; c < 3; c++) {
                uint8_t theirs = (uint8_t)pixels.data[(y * width + x) * 3 + c];
                double d = abs(theirs - to.to.planes[c][(size_t)y * to.to.stride + (size_t)x]);
                assert_near(d, 0, 2);
                sum += d;
            }
    assert_near(sum / (3 * width * height), 0, 0.5);
    free(to.memory);
    free(file.data);
    free(pixels.data);
    few__scaler_destroy(scaler);
    few__image_decoder_destroy(decoder);
}

static void test_against_pillow(void **state)
{
    (void)state;
    compare_with_pillow("rgb.png", "small_up.rgb", 53, 41);
    compare_with_pillow("large.png", "large_down.rgb", 32, 21);
}

// One pixel, one row, one column, and a reduction by more than the widest kernel that swscale has.
static void test_extreme_sizes(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 1, 1},     {1, 1, 64, 48},     {2, 1, 33, 33},    {1, 90, 64, 64},
                                   {90, 1, 64, 64},  {3, 2, 1, 1},       {5000, 3, 8, 8},   {3, 5000, 8, 8},
                                   {32767, 2, 4, 2}, {2000, 2000, 4, 4}, {7, 5, 2000, 1000}};
    struct few__scaler *scaler;
    assert_int_equal(few__scaler_create(NULL, &scaler, NULL), FEW_OK);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        struct planes from = make(sizes[k][0], sizes[k][1]), to = make(sizes[k][2], sizes[k][3]);
        for (int c = 0; c < 3; c++)
            memset(from.to.planes[c], 50 + 100 * c, from.to.stride * (size_t)from.to.height);
        scale(scaler, &from, &to);
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < to.to.height; y++)
                for (int x = 0; x < to.to.width; x++)
                    assert_near(to.to.planes[c][(size_t)y * to.to.stride + (size_t)x], 50 + 100 * c, 1);
        free(from.memory);
        free(to.memory);
    }
    few__scaler_destroy(scaler);
}

static void test_refused_size(void **state)
{
    (void)state;
    struct few__scaler *scaler;
    assert_int_equal(few__scaler_create(NULL, &scaler, NULL), FEW_OK);
    struct planes p = make(4, 4);
    struct few__image none = p.image;
    none.width = 0;
    struct few_error err;
    assert_status(few__scale(scaler, FEW__CENTRES, &none, &p.to, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "0 x 4"));
    few__scaler_destroy(scaler);
    few__scaler_destroy(NULL);
    free(p.memory);
}

static void test_tables_are_kept(void **state)
{
    (void)state;
    struct few__scaler *scaler;
    assert_int_equal(few__scaler_create(NULL, &scaler, NULL), FEW_OK);
    struct planes from = make(16, 16), to = make(16, 1 + FEW__SCALERS_MAX);
    for (int round = 0; round < 3; round++)
        for (int h = 1; h <= FEW__SCALERS_MAX; h++) {
            to.to.height = h;
            scale(scaler, &from, &to);
        }
    assert_int_equal(few__scaler_made(scaler), FEW__SCALERS_MAX);
    to.to.height = 1 + FEW__SCALERS_MAX; // takes the place of the longest unused: height 1
    scale(scaler, &from, &to);
    to.to.height = 2;
    scale(scaler, &from, &to);
    assert_int_equal(few__scaler_made(scaler), FEW__SCALERS_MAX + 1);
    to.to.height = 1;
    scale(scaler, &from, &to);
    assert_int_equal(few__scaler_made(scaler), FEW__SCALERS_MAX + 2);
    few__scaler_destroy(scaler);
    free(from.memory);
    free(to.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_definition), cmocka_unit_test(test_against_pillow),
        cmocka_unit_test(test_extreme_sizes),          cmocka_unit_test(test_refused_size),
        cmocka_unit_test(test_tables_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
