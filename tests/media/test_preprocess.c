// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/buffer.h"
#include "media/preprocess.h"
#include "support/support.h"

/* ---- pictures and recipes ---- */

struct picture {
    uint8_t *memory;
    struct few__image image;
};

// R tells the column, G the row, B is 7.
static struct picture draw(int width, int height)
{
    size_t stride = few__plane_stride(width), plane = stride * (size_t)height;
    struct picture p = {.memory = calloc(1, 3 * plane + FEW__BUFFER_ALIGN)};
    p.image = (struct few__image){width, height, stride, {p.memory, p.memory + plane, p.memory + 2 * plane}};
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            p.memory[(size_t)y * stride + (size_t)x] = (uint8_t)x;
            p.memory[plane + (size_t)y * stride + (size_t)x] = (uint8_t)y;
            p.memory[2 * plane + (size_t)y * stride + (size_t)x] = 7;
        }
    return p;
}

static struct few__recipe recipe(enum few__resize resize, int width, int height)
{
    struct few__input input = {
        .pixels =
            {.resize = resize, .width = width, .height = height, .min_width = 32, .needs = -1, .expand = 1},
        .std = {1, 1, 1},
    };
    return (struct few__recipe){.backend = "onnx", .input = input};
}

static struct few__recipe crop_recipe(enum few__crop crop, float expand, int side)
{
    struct few__recipe r = recipe(FEW__STRETCH, side, side);
    r.input.pixels.needs = 0;
    r.input.pixels.crop = crop;
    r.input.pixels.expand = expand;
    r.input.pixels.pad = 200;
    return r;
}

struct filled {
    int64_t dims[4];
    struct few__placement at;
    const float *data;
};

static struct filled fill(struct few__preprocess *p, size_t model, const float box[4])
{
    struct filled f;
    struct few_error err;
    size_t n;
    assert_status(few__preprocess_fill(p, model, box, f.dims, &f.at, &err), FEW_OK, &err);
    f.data = few__preprocess_buffer(p, model, &n);
    assert_true((size_t)(f.dims[1] * f.dims[2] * f.dims[3]) <= n);
    return f;
}

static struct few__preprocess *create(const struct few__recipe *recipes, size_t n)
{
    struct few__preprocess *p;
    struct few_error err;
    assert_status(few__preprocess_create(NULL, recipes, n, &p, &err), FEW_OK, &err);
    return p;
}

/* ---- numbers ---- */

static void test_layouts_and_colours(void **state)
{
    (void)state;
    struct few__recipe r[5];
    for (size_t i = 0; i < 5; i++) {
        r[i] = recipe(FEW__STRETCH, 6, 4);
        r[i].input.i_tensor = i;
        memcpy(r[i].input.mean, (const float[]){10, 20, 30}, sizeof r[i].input.mean);
        memcpy(r[i].input.std, (const float[]){2, 3, 7}, sizeof r[i].input.std);
        r[i].input.layout = i % 2 ? FEW__NHWC : FEW__NCHW;
        r[i].input.colour = i == 4 ? FEW__GRAY : i < 2 ? FEW__RGB : FEW__BGR;
    }
    struct picture p = draw(6, 4);
    struct few__preprocess *pre = create(r, 5);
    few__preprocess_begin(pre, &p.image);
    for (size_t i = 0; i < 5; i++) {
        struct filled f = fill(pre, i, NULL);
        int channels = i == 4 ? 1 : 3;
        assert_int_equal(f.dims[0], 1);
        assert_int_equal(f.dims[i % 2 ? 3 : 1], channels);
        assert_int_equal(f.dims[i % 2 ? 1 : 2], 4);
        assert_int_equal(f.dims[i % 2 ? 2 : 3], 6);
        for (int y = 0; y < 4; y++)
            for (int x = 0; x < 6; x++)
                for (int c = 0; c < channels; c++) {
                    const float rgb[3] = {(float)x, (float)y, 7};
                    float v =
                        i == 4 ? 0.299f * rgb[0] + 0.587f * rgb[1] + 0.114f * rgb[2] : rgb[i < 2 ? c : 2 - c];
                    float expected = (v - r[i].input.mean[c]) / r[i].input.std[c];
                    float got = i % 2 ? f.data[(y * 6 + x) * 3 + c] : f.data[c * 24 + y * 6 + x];
                    assert_near(got, expected, 1e-5);
                }
    }
    few__preprocess_destroy(pre);
    free(p.memory);
}

// Sides and offsets as the program that made the zoo's reference has them, computed by hand.
static void test_geometry(void **state)
{
    (void)state;
    static const struct {
        enum few__resize resize;
        int width, height, image_width, image_height; // in
        int out_width;
        double inner_x, inner_y, image_x, image_y, scale_x, scale_y;
    } cases[] = {
        {FEW__STRETCH, 224, 200, 320, 240, 224, 0, 0, 0, 0, 0.7, 200 / 240.0},
        {FEW__LETTERBOX, 416, 416, 320, 213, 416, 0, 0, 0, 0, 1.3, 1.3},
        {FEW__LETTERBOX_CENTRE, 416, 416, 320, 213, 416, 0, 69, 0, 0, 1.3,
         1.3}, // 276.9 -> 277, 139 / 2 -> 69
        {FEW__LETTERBOX_CENTRE, 192, 192, 240, 321, 192, 24, 0, 0, 0, 192 / 321.0,
         192 / 321.0}, // 143.55 -> 144
        {FEW__LETTERBOX_CENTRE, 64, 64, 1, 3000, 64, 31, 0, 0, 0, 64 / 3000.0,
         64 / 3000.0}, // at least one wide
        {FEW__CENTRE_CROP, 64, 64, 321, 240, 64, 0, 0, 40, 0, 64 / 240.0, 64 / 240.0},
        {FEW__CENTRE_CROP, 64, 64, 100, 131, 64, 0, 0, 0, 15, 0.64, 0.64},
        {FEW__HEIGHT, 640, 32, 100, 20, 160, 0, 0, 0, 0, 1.6, 1.6},
        {FEW__HEIGHT, 640, 32, 101, 20, 168, 0, 0, 0, 0, 168 / 101.0, 1.6}, // 161.6 / 8 -> 21
        {FEW__HEIGHT, 640, 32, 10, 40, 32, 0, 0, 0, 0, 3.2, 0.8},           // not below min_width
        {FEW__HEIGHT, 640, 32, 3000, 20, 640, 0, 0, 0, 0, 640 / 3000.0, 1.6},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few__recipe r = recipe(cases[i].resize, cases[i].width, cases[i].height);
        struct picture p = draw(cases[i].image_width, cases[i].image_height);
        struct few__preprocess *pre = create(&r, 1);
        few__preprocess_begin(pre, &p.image);
        struct filled f = fill(pre, 0, NULL);
        assert_int_equal(f.dims[2], cases[i].height);
        assert_int_equal(f.dims[3], cases[i].out_width);
        assert_int_equal(f.at.width, cases[i].out_width);
        assert_int_equal(f.at.height, cases[i].height);
        assert_int_equal(f.at.image_width, cases[i].image_width);
        assert_int_equal(f.at.image_height, cases[i].image_height);
        assert_near(f.at.inner_x, cases[i].inner_x, 0);
        assert_near(f.at.inner_y, cases[i].inner_y, 0);
        assert_near(f.at.image_x, cases[i].image_x, 0);
        assert_near(f.at.image_y, cases[i].image_y, 0);
        assert_near(f.at.scale_x, cases[i].scale_x, 1e-6);
        assert_near(f.at.scale_y, cases[i].scale_y, 1e-6);
        few__preprocess_destroy(pre);
        free(p.memory);
    }
}

// 40 x 20 in 40 x 40: rows 10 .. 29 are the image, unscaled; in both layouts the rest is pad through mean and std.
static void test_pad(void **state)
{
    (void)state;
    struct few__recipe r[3];
    for (size_t i = 0; i < 3; i++) {
        r[i] = recipe(FEW__LETTERBOX_CENTRE, 40, 40);
        r[i].input.pixels.pad = 114;
        r[i].input.mean[0] = r[i].input.mean[1] = r[i].input.mean[2] = 14;
        r[i].input.std[0] = r[i].input.std[1] = r[i].input.std[2] = 10;
        r[i].input.layout = i == 1 ? FEW__NHWC : FEW__NCHW;
        r[i].input.colour = i == 2 ? FEW__GRAY : FEW__RGB;
        r[i].input.i_tensor = i;
    }
    struct picture p = draw(40, 20);
    struct few__preprocess *pre = create(r, 3);
    few__preprocess_begin(pre, &p.image);
    for (size_t i = 0; i < 3; i++) {
        struct filled f = fill(pre, i, NULL);
        for (int y = 0; y < 40; y++)
            for (int x = 0; x < 40; x++) {
                bool image = y >= 10 && y < 30;
                double red = image ? (x - 14) / 10.0 : 10, green = image ? (y - 10 - 14) / 10.0 : 10;
                double grey = image ? (0.299 * x + 0.587 * (y - 10) + 0.114 * 7 - 14) / 10 : 10;
                const float *at = f.data + (i == 1 ? (y * 40 + x) * 3 : y * 40 + x);
                assert_near(at[0], i == 2 ? grey : red, 1e-5);
                if (i < 2) assert_near(at[i == 1 ? 1 : 1600], green, 1e-6);
            }
    }
    few__preprocess_destroy(pre);
    free(p.memory);
}

/* ---- crops ---- */

static struct filled crop_once(const struct few__recipe *r, const struct picture *p, const float box[4],
                               struct few__preprocess **pre)
{
    *pre = create(r, 1);
    few__preprocess_begin(*pre, &p->image);
    return fill(*pre, 0, box);
}

// Sides equal to the input's: what comes out are the image's own pixels, so their place can be read off.
static void test_square_crop(void **state)
{
    (void)state;
    struct picture p = draw(200, 100);
    struct few__preprocess *pre;
    // 20 x 10 pixels around (100.2, 50.3); side 1.3 * 20 = 26, cut from (87.2, 37.3)
    struct few__recipe r = crop_recipe(FEW__SQUARE, 1.3f, 26);
    struct filled f = crop_once(&r, &p, (const float[]){0.451f, 0.453f, 0.1f, 0.1f}, &pre);
    for (int i = 0; i < 26; i++) {
        assert_near(f.data[i], 87 + i, 0);
        assert_near(f.data[26 * 26 + 26 * i], 37 + i, 0);
    }
    assert_near(f.at.image_x, 87, 0);
    assert_near(f.at.image_y, 37, 0);
    assert_near(f.at.scale_x, 1, 0);
    assert_int_equal(f.at.image_width, 200);
    few__preprocess_destroy(pre);

    // over the corner: around (5, 5), side 20, from (-5, -5); outside is pad
    r = crop_recipe(FEW__SQUARE, 2, 20);
    f = crop_once(&r, &p, (const float[]){0, 0, 0.05f, 0.1f}, &pre);
    for (int y = 0; y < 20; y++)
        for (int x = 0; x < 20; x++) {
            bool outside = x < 5 || y < 5;
            assert_near(f.data[y * 20 + x], outside ? 200 : x - 5, 0);
            assert_near(f.data[400 + y * 20 + x], outside ? 200 : y - 5, 0);
        }
    assert_near(f.at.image_x, -5, 0);
    few__preprocess_destroy(pre);

    // around (2.25, 50), side 6.5: from -1.0 and 46.75; a coordinate is cut towards zero: -1.5 would be -1 as well
    r = crop_recipe(FEW__SQUARE, 1.5f, 7);
    f = crop_once(&r, &p, (const float[]){0, 0.475f, 0.025f, 0.05f},
                  &pre);              // 5 x 5 around (2.5, 50), side 7.5
    assert_near(f.at.image_x, -1, 0); // -1.25
    assert_near(f.at.image_y, 46, 0); // 46.25
    few__preprocess_destroy(pre);
    free(p.memory);
}

static void test_box_crop(void **state)
{
    (void)state;
    struct picture p = draw(200, 100);
    struct few__preprocess *pre;
    struct few__recipe r = crop_recipe(FEW__BOX, 1, 32);
    r.input.pixels.width = 30;
    struct filled f =
        crop_once(&r, &p, (const float[]){0.1501f, 0.3f, 0.1512f, 0.3251f}, &pre); // 30.02 30 30.24 32.51
    for (int i = 0; i < 30; i++) assert_near(f.data[i], 30 + i, 0);
    assert_near(f.data[30 * 32], 30, 0);
    few__preprocess_destroy(pre);
    // less than a pixel large: two, here over the edge
    f = crop_once(&r, &p, (const float[]){0.996f, 0.5f, 0.001f, 0.001f}, &pre);
    assert_near(f.at.scale_x, 15, 0);
    assert_near(f.at.image_x, 199, 0);
    assert_near(f.data[29], 200, 0);
    assert_near(f.data[0], 199, 0);
    few__preprocess_destroy(pre);
    // cropped, then by height: 60 x 20 to height 32 -> 96
    r = crop_recipe(FEW__BOX, 1, 32);
    r.input.pixels.resize = FEW__HEIGHT;
    r.input.pixels.width = 640;
    r.input.pixels.min_width = 32;
    f = crop_once(&r, &p, (const float[]){0.25f, 0.25f, 0.3f, 0.2f}, &pre);
    assert_int_equal(f.dims[3], 96);
    few__preprocess_destroy(pre);
    free(p.memory);
}

static void test_crops_that_are_none(void **state)
{
    (void)state;
    struct picture p = draw(200, 100);
    struct few__recipe r = crop_recipe(FEW__SQUARE, 1, 8);
    struct few__preprocess *pre = create(&r, 1);
    struct few_error err;
    int64_t dims[4];
    struct few__placement at;
    assert_status(few__preprocess_fill(pre, 0, NULL, dims, &at, &err), FEW_EINVAL, &err); // no image yet
    few__preprocess_begin(pre, &p.image);
    assert_status(few__preprocess_fill(pre, 0, NULL, dims, &at, &err), FEW_EINVAL, &err);
    static const float bad[][4] = {{0.5f, 0.5f, 0, 0.1f},   {0.5f, 0.5f, 0.1f, -1}, {NAN, 0.5f, 0.1f, 0.1f},
                                   {0.5f, 0.5f, NAN, 0.1f}, {0, 0, INFINITY, 1},    {-1e30f, 0, 1, 1}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_status(few__preprocess_fill(pre, 0, bad[i], dims, &at, &err), FEW_EDECODE, &err);
    few__preprocess_destroy(pre);
    r.input.pixels.expand = 1000; // 200 x 1000 pixels a side
    pre = create(&r, 1);
    few__preprocess_begin(pre, &p.image);
    assert_status(few__preprocess_fill(pre, 0, (const float[]){0, 0, 1, 1}, dims, &at, &err), FEW_ELIMIT,
                  &err);
    few__preprocess_destroy(pre);
    free(p.memory);
}

/* ---- sharing ---- */

// Four models: 0 and 1 share the tensor, 2 their planes only, 3 nothing.
static void make_sharing(struct few__recipe r[4])
{
    for (size_t i = 0; i < 4; i++) r[i] = recipe(FEW__STRETCH, i == 3 ? 24 : 16, 16);
    r[2].input.mean[0] = 1;
    r[2].input.i_tensor = 1;
    r[3].input.i_tensor = 2;
    r[3].input.i_pixels = 1;
}

static void test_equal_work_is_done_once(void **state)
{
    (void)state;
    struct few__recipe r[4];
    make_sharing(r);
    struct picture p = draw(64, 64);
    struct few__preprocess *pre = create(r, 4);
    size_t n;
    float *shared = few__preprocess_buffer(pre, 0, &n);
    assert_int_equal(n, 3 * 16 * 16);
    assert_ptr_equal(shared, few__preprocess_buffer(pre, 1, &n));
    assert_ptr_not_equal(shared, few__preprocess_buffer(pre, 2, &n));
    for (int item = 0; item < 2; item++) {
        few__preprocess_begin(pre, &p.image);
        float first = fill(pre, 0, NULL).data[5];
        assert_near(first, 21.5, 1);
        // Wipe both sources: whoever works again shows it.
        shared[5] = -77;
        memset(p.memory, 0, p.image.stride * 64);
        assert_near(fill(pre, 1, NULL).data[5], -77, 0);
        assert_near(fill(pre, 2, NULL).data[5], first - 1, 0);
        assert_near(fill(pre, 3, NULL).data[5], 0, 0);
        assert_ptr_equal(shared, few__preprocess_buffer(pre, 0, &n));
        for (int i = 0; i < 64 * 64; i++)
            p.memory[(i / 64) * (int)p.image.stride + i % 64] = (uint8_t)(i % 64);
    }
    few__preprocess_destroy(pre);
    free(p.memory);
}

// Planes of a padded crop that needed no resizing lie in memory that the next crop uses: they must not be kept.
static void test_crops_do_not_mix(void **state)
{
    (void)state;
    struct few__recipe r[3] = {crop_recipe(FEW__SQUARE, 1, 20), crop_recipe(FEW__SQUARE, 2, 20),
                               crop_recipe(FEW__SQUARE, 1, 20)};
    r[1].input.i_pixels = r[1].input.i_tensor = 1;
    r[2].input.i_tensor = 2;
    r[2].input.mean[0] = 3;
    struct picture p = draw(200, 100);
    struct few__preprocess *pre = create(r, 3);
    few__preprocess_begin(pre, &p.image);
    const float box[4] = {-0.05f, 0.2f, 0.1f, 0.2f}; // from (-10, 20), side 20
    assert_near(fill(pre, 0, box).data[10], 0, 0);
    assert_near(fill(pre, 0, box).data[19], 9, 0);
    fill(pre, 1, box);
    assert_near(fill(pre, 2, box).data[10], -3, 0);
    assert_near(fill(pre, 2, box).data[19], 6, 0);
    few__preprocess_destroy(pre);
    free(p.memory);
}

/* ---- the rest ---- */

static void test_thumbnail(void **state)
{
    (void)state;
    struct few__recipe r = recipe(FEW__STRETCH, 8, 8);
    struct few__preprocess *pre = create(&r, 1);
    uint8_t rgb[FEW__THUMBNAIL_BYTES];
    struct few_error err;
    assert_status(few__preprocess_thumbnail(pre, rgb, &err), FEW_EINVAL, &err);
    struct picture same = draw(64, 64), large = draw(128, 128);
    few__preprocess_begin(pre, &same.image);
    assert_status(few__preprocess_thumbnail(pre, rgb, &err), FEW_OK, &err);
    for (int i = 0; i < 64 * 64; i++) {
        assert_int_equal(rgb[3 * i], i % 64);
        assert_int_equal(rgb[3 * i + 1], i / 64);
        assert_int_equal(rgb[3 * i + 2], 7);
    }
    few__preprocess_begin(pre, &large.image);
    assert_status(few__preprocess_thumbnail(pre, rgb, &err), FEW_OK, &err);
    assert_near(rgb[3 * (64 * 20 + 30)], 60.5, 1);
    assert_near(rgb[3 * (64 * 20 + 30) + 1], 40.5, 1);
    few__preprocess_destroy(pre);
    free(same.memory);
    free(large.memory);
}

// All ways into a resize that grows: letterbox, a crop inside the image, a crop that leaves it. By hand: R is the
// column, sampled at out / 2 - 1/2, so out 1 lies on column 0 and out 2 k on k - 1/2, which rounds up to k.
static void test_libvips_sampling(void **state)
{
    (void)state;
    struct few__recipe r[3] = {recipe(FEW__LETTERBOX_CENTRE, 32, 32), crop_recipe(FEW__BOX, 1, 16),
                               crop_recipe(FEW__SQUARE, 2, 32)};
    for (size_t i = 0; i < 3; i++) {
        r[i].input.pixels.sampling = FEW__LIBVIPS;
        r[i].input.i_pixels = r[i].input.i_tensor = i;
    }
    r[0].input.pixels.pad = 99;
    struct picture p = draw(16, 8);
    struct few__preprocess *pre = create(r, 3);
    few__preprocess_begin(pre, &p.image);
    struct filled f = fill(pre, 0, NULL); // 32 x 16, eight rows of pad above
    for (int x = 0; x < 32; x++) {
        assert_near(f.data[7 * 32 + x], 99, 0);
        assert_near(f.data[8 * 32 + x], x / 2, 0);
        assert_near(f.data[(32 + 8) * 32 + x], 0, 0);
        assert_near(f.data[(32 + 8 + 10) * 32 + x], 5, 0);
        assert_near(f.data[24 * 32 + x], 99, 0);
    }
    f = fill(pre, 1, (const float[]){0.25f, 0, 0.5f, 1}); // columns 4 .. 11
    for (int x = 0; x < 16; x++) assert_near(f.data[5 * 16 + x], 4 + x / 2, 0);
    f = fill(pre, 2,
             (const float[]){0, 0, 0.5f, 1}); // columns -4 .. 11: four columns of 200 before the image
    for (int x = 0; x < 8; x++) assert_near(f.data[16 * 32 + x], 200, 0);
    assert_near(f.data[16 * 32 + 8], 100, 0); // halfway from 200 to 0
    for (int x = 9; x < 32; x++) assert_near(f.data[16 * 32 + x], (x - 8) / 2, 0);
    few__preprocess_destroy(pre);
    free(p.memory);
}

static void assert_unsound(const struct few__recipe *r, size_t n, const char *word)
{
    struct few__preprocess *p;
    struct few_error err = {0};
    assert_status(few__preprocess_create(NULL, r, n, &p, &err), FEW_EINVAL, &err);
    assert_null(p);
    if (!strstr(err.message, word)) fail_msg("\"%s\" is not in \"%s\"", word, err.message);
}

static void test_unsound_recipes(void **state)
{
    (void)state;
    struct few__recipe r[4];
    r[0] = recipe(FEW__STRETCH, 0, 8);
    assert_unsound(r, 1, "size");
    r[0] = recipe(FEW__STRETCH, 8, FEW__SIDE_MAX + 1);
    assert_unsound(r, 1, "size");
    r[0] = recipe(FEW__HEIGHT, 16, 8);
    assert_unsound(r, 1, "size");
    r[0] = recipe(FEW__STRETCH, 8, 8);
    r[0].input.std[1] = 0;
    assert_unsound(r, 1, "std");
    r[0] = recipe(FEW__STRETCH, 8, 8);
    r[0].input.i_tensor = 1;
    assert_unsound(r, 1, "model 0");
    make_sharing(r);
    r[3].input.i_pixels = 0;
    assert_unsound(r, 4, "i_pixels 0");
    make_sharing(r);
    r[2].input.i_tensor = 0;
    assert_unsound(r, 4, "i_tensor 0");
    struct few__preprocess *none = create(NULL, 0); // a zoo whose models look at no image
    few__preprocess_begin(none, NULL);
    few__preprocess_destroy(none);
    few__preprocess_destroy(NULL);
}

static enum few_status run_items(const struct few_mem *mem, void *ud)
{
    size_t *calls = ud;
    struct few__recipe r[5];
    make_sharing(r);
    r[4] = crop_recipe(FEW__SQUARE, 2, 12);
    r[4].input.i_pixels = 2;
    r[4].input.i_tensor = 3;
    struct few_env env = {.mem = mem};
    struct few__preprocess *pre = NULL;
    struct picture a = draw(64, 48), b = draw(48, 64);
    enum few_status got = few__preprocess_create(&env, r, 5, &pre, NULL);
    for (int item = 0; got == FEW_OK && item < 8; item++) {
        few__preprocess_begin(pre, item % 2 ? &a.image : &b.image);
        int64_t dims[4];
        struct few__placement at;
        const float box[4] = {0.9f, 0.1f, 0.2f, 0.3f};
        for (size_t m = 0; got == FEW_OK && m < 5; m++)
            got = few__preprocess_fill(pre, m, box, dims, &at, NULL);
        if (calls && item < 2) calls[0] = ((const struct t_mem *)mem->ud)->calls;
    }
    few__preprocess_destroy(pre);
    free(a.memory);
    free(b.memory);
    return got;
}

static void test_allocations(void **state)
{
    (void)state;
    t_fail_each_allocation(run_items, NULL);
    struct t_mem t;
    t_mem_init(&t, 0);
    size_t after_two_items = 0;
    assert_int_equal(run_items(&t.mem, &after_two_items), FEW_OK);
    assert_int_equal(t.calls, after_two_items); // both sizes were seen by then
    assert_int_equal(t.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts_and_colours),
        cmocka_unit_test(test_geometry),
        cmocka_unit_test(test_pad),
        cmocka_unit_test(test_square_crop),
        cmocka_unit_test(test_box_crop),
        cmocka_unit_test(test_crops_that_are_none),
        cmocka_unit_test(test_equal_work_is_done_once),
        cmocka_unit_test(test_crops_do_not_mix),
        cmocka_unit_test(test_thumbnail),
        cmocka_unit_test(test_libvips_sampling),
        cmocka_unit_test(test_unsound_recipes),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
