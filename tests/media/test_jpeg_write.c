// SPDX-License-Identifier: Apache-2.0
// few__jpeg_write: what it writes can be read again, fits its room whatever the pixels are, and memory may be missing.
#include "support/support.h"

#include "core/rng.h"
#include "media/image.h"
#include "media/jpeg_write.h"

enum { WIDTH = 61, HEIGHT = 47 };

static uint8_t pixels[HEIGHT][WIDTH][3];

static void read_back(const uint8_t *bytes, size_t n, int width, int height, double tolerance)
{
    struct few_error err = {0};
    struct few__image_decoder *decoder = NULL;
    struct few__image image;
    assert_status(few__image_decoder_create(NULL, &decoder, &err), FEW_OK, &err);
    assert_status(few__image_decode(decoder, "written", bytes, n, &image, &err), FEW_OK, &err);
    assert_int_equal(image.width, width);
    assert_int_equal(image.height, height);
    for (int y = 0; y < height && tolerance < 255; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                assert_near(image.planes[c][(size_t)y * image.stride + (size_t)x], pixels[y][x][c],
                            tolerance);
    few__image_decoder_destroy(decoder);
}

static void test_smooth_pixels_come_back(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err = {0};
    const uint8_t *bytes = NULL;
    size_t n = 0;
    few__arena_init(&arena, NULL, (size_t)1 << 20);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            pixels[y][x][0] = (uint8_t)(2 * x + 40);
            pixels[y][x][1] = (uint8_t)(3 * y + 50);
            pixels[y][x][2] = 120;
        }
    assert_status(few__jpeg_write(&pixels[0][0][0], WIDTH, HEIGHT, 90, &arena, &bytes, &n, &err), FEW_OK,
                  &err);
    assert_true(n > 100 && n < sizeof pixels / 2);
    read_back(bytes, n, WIDTH, HEIGHT, 6);
    few__arena_finish(&arena);
}

// The worst there is: noise at the highest quality, and one pixel.
static void test_noise_fits(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err = {0};
    const uint8_t *bytes = NULL;
    size_t n = 0;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 0);
    few__arena_init(&arena, NULL, (size_t)1 << 20);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < 3; c++) pixels[y][x][c] = few__rng_below(&rng, 2) ? 255 : 0;
    assert_status(few__jpeg_write(&pixels[0][0][0], WIDTH, HEIGHT, 100, &arena, &bytes, &n, &err), FEW_OK,
                  &err);
    read_back(bytes, n, WIDTH, HEIGHT, 255);
    assert_status(few__jpeg_write(&pixels[0][0][0], 1, 1, 1, &arena, &bytes, &n, &err), FEW_OK, &err);
    read_back(bytes, n, 1, 1, 255);
    few__arena_finish(&arena);
}

static enum few_status write_one(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few__arena arena;
    struct few_error err = {0};
    const uint8_t *bytes;
    size_t n;
    few__arena_init(&arena, mem, (size_t)1 << 20);
    enum few_status status = few__jpeg_write(&pixels[0][0][0], WIDTH, HEIGHT, 80, &arena, &bytes, &n, &err);
    few__arena_finish(&arena);
    return status;
}

static void test_each_allocation(void **state)
{
    (void)state;
    t_fail_each_allocation(write_one, NULL);
}

// A size that the format has not.
static void test_too_wide(void **state)
{
    (void)state;
    struct few__arena arena;
    struct few_error err = {0};
    const uint8_t *bytes = NULL;
    size_t n = 0;
    few__arena_init(&arena, NULL, (size_t)4 << 20);
    assert_status(few__jpeg_write(&pixels[0][0][0], 70000, 1, 80, &arena, &bytes, &n, &err), FEW_ELIMIT,
                  &err);
    assert_null(bytes);
    few__arena_finish(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smooth_pixels_come_back),
        cmocka_unit_test(test_noise_fits),
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_too_wide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
