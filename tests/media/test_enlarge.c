// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "media/buffer.h"
#include "media/enlarge.h"
#include "media/scale.h"
#include "support/support.h"

struct picture {
    uint8_t *memory;
    struct few__planes to;   // the same planes, to write
    struct few__image image; // and to read
};

// No byte lies behind the last row, so that the address sanitizer sees a read beyond it.
static struct picture make(int width, int height)
{
    size_t stride = (size_t)width, plane = stride * (size_t)height;
    struct picture p = {.memory = malloc(3 * plane)};
    assert_non_null(p.memory);
    p.to = (struct few__planes){width, height, stride, {p.memory, p.memory + plane, p.memory + 2 * plane}};
    p.image = (struct few__image){width, height, stride, {p.memory, p.memory + plane, p.memory + 2 * plane}};
    return p;
}

static struct picture make_noise(int width, int height, struct few__rng *rng)
{
    struct picture p = make(width, height);
    for (size_t i = 0; i < 3 * p.to.stride * (size_t)height; i++) p.memory[i] = (uint8_t)few__rng_next(rng);
    return p;
}

static struct picture scale(const struct picture *from, int width, int height)
{
    struct few__scaler *scaler;
    struct few_error err;
    assert_status(few__scaler_create(NULL, &scaler, &err), FEW_OK, &err);
    struct picture to = make(width, height);
    assert_status(few__scale(scaler, FEW__LIBVIPS, &from->image, &to.to, &err), FEW_OK, &err);
    few__scaler_destroy(scaler);
    return to;
}

/* ---- what libvips gives: sharp 0.35.5 (libvips 8.18.7), kernel linear ---- */

// Ramp of 20 to the right in R, downwards in G; B changes with both, so that all four weights show.
static struct picture make_ramps(int width, int height)
{
    struct picture p = make(width, height);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            size_t at = (size_t)y * p.to.stride + (size_t)x;
            p.to.planes[0][at] = (uint8_t)(20 * x);
            p.to.planes[1][at] = (uint8_t)(20 * y);
            p.to.planes[2][at] = (uint8_t)((x * 7 + y * 13) * 37);
        }
    return p;
}

struct golden {
    int width, height, out_width, out_height;
    uint8_t across[16], down[16]; // any row of R, any column of G
};

// tolerance: 0 where sides only grow; what shrinks goes through swscale, whose kernel is libvips's but for
// its rounding of weights.
static void compare_ramps(const struct golden *g, int tolerance)
{
    struct picture from = make_ramps(g->width, g->height), to = scale(&from, g->out_width, g->out_height);
    for (int y = 0; y < g->out_height; y++)
        for (int x = 0; x < g->out_width; x++) {
            size_t at = (size_t)y * to.to.stride + (size_t)x;
            assert_near(to.to.planes[0][at], g->across[x], tolerance);
            assert_near(to.to.planes[1][at], g->down[y], tolerance);
        }
    free(from.memory);
    free(to.memory);
}

static void test_ramps_grow(void **state)
{
    (void)state;
    static const struct golden cases[] = {
        {8,
         8,
         16,
         16,
         {0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140},
         {0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140}},
        {8,
         8,
         12,
         12,
         {0, 3, 17, 30, 43, 57, 70, 83, 97, 110, 123, 137},
         {0, 3, 17, 30, 43, 57, 70, 83, 97, 110, 123, 137}},
        {8,
         8,
         8,
         12,
         {0, 10, 30, 50, 70, 90, 110, 130}, // a side that stays moves with the other one
         {0, 3, 17, 30, 43, 57, 70, 83, 97, 110, 123, 137}},
        {5, 4, 9, 7, {0, 1, 12, 23, 34, 46, 57, 68, 79}, {0, 1, 13, 24, 36, 47, 59}},
        {5, 4, 5, 7, {0, 10, 30, 50, 70}, {0, 1, 13, 24, 36, 47, 59}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) compare_ramps(&cases[i], 0);
}

static void test_one_side_grows_the_other_shrinks(void **state)
{
    (void)state;
    static const struct golden cases[] = {
        {8, 8, 4, 12, {13, 32, 70, 109}, {0, 3, 17, 30, 43, 57, 70, 83, 97, 110, 123, 137}},
        {5, 4, 3, 7, {7, 23, 56}, {0, 1, 13, 24, 36, 47, 59}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) compare_ramps(&cases[i], 2);
}

static void test_four_weights(void **state)
{
    (void)state;
    static const uint8_t expected[7 * 9] = {0,   0,   2,   3,   5,   7,   8,   10,  12,  16,  16,  18,  20,
                                            21,  23,  25,  26,  28,  145, 145, 146, 148, 150, 151, 153, 155,
                                            156, 218, 219, 220, 222, 224, 225, 227, 229, 230, 201, 201, 202,
                                            204, 206, 207, 209, 211, 212, 183, 183, 185, 186, 188, 190, 191,
                                            193, 195, 165, 165, 167, 169, 170, 172, 174, 175, 177};
    struct picture from = make_ramps(5, 4), to = scale(&from, 9, 7);
    assert_memory_equal(to.to.planes[2], expected, sizeof expected);
    free(from.memory);
    free(to.memory);
}

/* ---- the definition ---- */

static double at_edge(const uint8_t *plane, const struct few__image *image, int x, int y)
{
    x = x < 0 ? 0 : x >= image->width ? image->width - 1 : x;
    y = y < 0 ? 0 : y >= image->height ? image->height - 1 : y;
    return plane[(size_t)y * image->stride + (size_t)x];
}

// Bilinear at out / scale - 1/2.
static double exactly(const uint8_t *plane, const struct few__image *image, const struct few__planes *to,
                      int x, int y)
{
    double u = (double)x * image->width / to->width - 0.5, v = (double)y * image->height / to->height - 0.5;
    int left = (int)floor(u), top = (int)floor(v);
    double right = u - left, down = v - top;
    return (1 - down) * ((1 - right) * at_edge(plane, image, left, top) +
                         right * at_edge(plane, image, left + 1, top)) +
           down * ((1 - right) * at_edge(plane, image, left, top + 1) +
                   right * at_edge(plane, image, left + 1, top + 1));
}

static void compare_noise(int width, int height, int out_width, int out_height, struct few__rng *rng)
{
    struct picture from = make_noise(width, height, rng), to = scale(&from, out_width, out_height);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < out_height; y++)
            for (int x = 0; x < out_width; x++) {
                double d = exactly(from.image.planes[c], &from.image, &to.to, x, y) -
                           to.to.planes[c][(size_t)y * to.to.stride + (size_t)x];
                if (fabs(d) > 1)
                    fail_msg("%d x %d to %d x %d: (%d, %d) is off by %g", width, height, out_width,
                             out_height, x, y, d);
            }
    free(from.memory);
    free(to.memory);
}

// Every width up to 40, so that no remainder of a vector loop is left out; then sizes drawn by chance.
static void test_against_the_definition(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (int n = 1; n <= 40; n++) compare_noise((n + 1) / 2, 3, n, 5, &rng);
    for (int i = 0; i < 60; i++) {
        int width = 1 + (int)few__rng_below(&rng, 70), height = 1 + (int)few__rng_below(&rng, 50);
        compare_noise(width, height, width + (int)few__rng_below(&rng, 120),
                      height + 1 + (int)few__rng_below(&rng, 90), &rng);
    }
}

static void test_thin_pictures(void **state)
{
    (void)state;
    static const int sizes[][4] = {{1, 1, 2, 2},  {1, 1, 64, 33}, {1, 1, 1, 2},  {1, 9, 1, 20},
                                   {1, 9, 17, 9}, {9, 1, 20, 1},  {9, 1, 9, 17}, {2, 2, 300, 3},
                                   {1, 2, 2, 3},  {2, 1, 3, 2}};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 2);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        compare_noise(sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3], &rng);
}

// A size that stays is no enlarging, and one that shrinks is not libvips's business: both as without it.
static void test_what_does_not_grow(void **state)
{
    (void)state;
    static const int sizes[][4] = {{31, 17, 31, 17}, {31, 17, 16, 17}, {31, 17, 31, 9}, {31, 17, 12, 9}};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct picture from = make_noise(sizes[i][0], sizes[i][1], &rng);
        struct picture a = scale(&from, sizes[i][2], sizes[i][3]), b = make(sizes[i][2], sizes[i][3]);
        struct few__scaler *scaler;
        assert_int_equal(few__scaler_create(NULL, &scaler, NULL), FEW_OK);
        assert_int_equal(few__scale(scaler, FEW__CENTRES, &from.image, &b.to, NULL), FEW_OK);
        assert_memory_equal(a.memory, b.memory, 3 * a.to.stride * (size_t)a.to.height);
        few__scaler_destroy(scaler);
        free(from.memory);
        free(a.memory);
        free(b.memory);
    }
}

/* ---- memory ---- */

struct work {
    struct picture from, small, large, across; // larger both ways; wider, but lower
    size_t after_first;
};

static enum few_status run(const struct few_mem *mem, void *ud)
{
    struct work *w = ud;
    struct few__scaler *scaler = NULL;
    enum few_status got = few__scaler_create(mem, &scaler, NULL);
    for (int round = 0; got == FEW_OK && round < 3; round++) {
        got = few__scale(scaler, FEW__LIBVIPS, &w->from.image, &w->small.to, NULL);
        if (got == FEW_OK) got = few__scale(scaler, FEW__LIBVIPS, &w->from.image, &w->large.to, NULL);
        if (got == FEW_OK) got = few__scale(scaler, FEW__LIBVIPS, &w->from.image, &w->across.to, NULL);
        if (round == 0) w->after_first = ((const struct t_mem *)mem->ud)->calls;
    }
    few__scaler_destroy(scaler);
    return got;
}

static void test_allocations(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 4);
    struct work w = {make_noise(20, 30, &rng), make(21, 31), make(90, 80), make(60, 7), 0};
    t_fail_each_allocation(run, &w);
    struct t_mem t;
    t_mem_init(&t, 0);
    assert_int_equal(run(&t.mem, &w), FEW_OK);
    assert_int_equal(t.calls, w.after_first);
    assert_int_equal(t.live, 0);
    free(w.from.memory);
    free(w.small.memory);
    free(w.large.memory);
    free(w.across.memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ramps_grow),    cmocka_unit_test(test_one_side_grows_the_other_shrinks),
        cmocka_unit_test(test_four_weights),  cmocka_unit_test(test_against_the_definition),
        cmocka_unit_test(test_thin_pictures), cmocka_unit_test(test_what_does_not_grow),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
