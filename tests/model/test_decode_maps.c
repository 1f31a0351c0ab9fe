// SPDX-License-Identifier: Apache-2.0
// Segmentation and regions: by hand, and against plain code on random maps.
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "decode_support.h"

enum { SIDE = 37, PIXELS = SIDE * SIDE, CLASSES = 6 }; // 1369 pixels: blocks of 64 leave a rest

static const float shares[4][3] = {
    {0.7F, 0.2F, 0.1F}, {0.1F, 0.8F, 0.1F}, {0.5F, 0.25F, 0.25F}, {0.2F, 0.2F, 0.6F}};
static const float means_of_two[3] = {(0.7F + 0.5F) / 2, (0.8F + 0.25F) / 2, (0.6F + 0.25F) / 2};

static void test_seg_mean(void **state)
{
    (void)state;
    float nhwc[4][3], nchw[3][4];
    struct scene s;
    scene_init(&s, FEW__DECODE_SEG_MEAN, FEW_LABELS, 2, 2);
    s.model.n_labels = 3;
    s.recipe.decode.fraction = 0.5F;
    s.recipe.decode.layout = FEW__NHWC;
    for (size_t i = 0; i < 4; i++)
        for (size_t c = 0; c < 3; c++) nhwc[i][c] = nchw[c][i] = logf(shares[i][c]) + (float)i;
    SCENE_TENSOR(&s, "map", &nhwc[0][0], 1, 2, 2, 3);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, means_of_two, 3, 1e-6);
    assert_near(s.output.confidence, 0.6, 1e-6);
    s.recipe.decode.fraction = 0.001F; // at least one pixel
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, ((float[]){0.7F, 0.8F, 0.6F}), 3, 1e-6);
    s.recipe.decode.layout = FEW__NCHW;
    s.recipe.decode.fraction = 0.5F;
    s.n_tensors = 0;
    SCENE_TENSOR(&s, "map", &nchw[0][0], 1, 3, 2, 2);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_near_all(s.output.values, means_of_two, 3, 1e-6);
    s.model.n_labels = 4;
    scene_refused(&s, FEW_ESHAPE, "output 'map': expected [1,4,?,?], found [1,3,2,2]");
    scene_finish(&s);
}

/* ---- against plain code ---- */

static int falling(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static void plain_seg_mean(const float *map, size_t k, float out[CLASSES])
{
    static double p[CLASSES][PIXELS];
    for (size_t i = 0; i < PIXELS; i++) {
        double sum = 0;
        for (size_t c = 0; c < CLASSES; c++) sum += p[c][i] = exp((double)map[i * CLASSES + c]);
        for (size_t c = 0; c < CLASSES; c++) p[c][i] /= sum;
    }
    for (size_t c = 0; c < CLASSES; c++) {
        double sum = 0;
        qsort(p[c], PIXELS, sizeof p[c][0], falling);
        for (size_t i = 0; i < k; i++) sum += p[c][i];
        out[c] = (float)(sum / (double)k);
    }
}

// Maps whose best pixels come first, last, everywhere and nowhere: the running selection sees all orders.
static float pixel(int shape, size_t i, size_t c, struct few__rng *rng)
{
    switch (shape) {
    case 0: return (float)(12 * few__rng_unit(rng) - 6);
    case 1: return (float)i * 0.01F * (float)(c + 1);
    case 2: return -(float)i * 0.01F * (float)(c + 1);
    case 3: return (float)c; // all pixels alike
    default: return c == i % CLASSES ? 90 : -90;
    }
}

static void test_seg_mean_random(void **state)
{
    (void)state;
    static float map[PIXELS * CLASSES];
    const float fractions[] = {0.0007F, 0.01F, 0.3F, 1};
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 4);
    for (int shape = 0; shape < 5; shape++) {
        for (size_t i = 0; i < PIXELS * CLASSES; i++) map[i] = pixel(shape, i / CLASSES, i % CLASSES, &rng);
        for (size_t f = 0; f < 4; f++) {
            struct scene s;
            float expected[CLASSES];
            scene_init(&s, FEW__DECODE_SEG_MEAN, FEW_LABELS, SIDE, SIDE);
            s.model.n_labels = CLASSES;
            s.recipe.decode.fraction = fractions[f];
            s.recipe.decode.layout = FEW__NHWC;
            SCENE_TENSOR(&s, "map", map, 1, SIDE, SIDE, CLASSES);
            assert_status(scene_decode(&s), FEW_OK, &s.err);
            plain_seg_mean(map, (size_t)fmax(1, floor(PIXELS * (double)fractions[f] + 0.5)), expected);
            assert_near_all(s.output.values, expected, CLASSES, 1e-6);
            scene_finish(&s);
        }
    }
}

static void test_seg_share(void **state)
{
    (void)state;
    static float map[PIXELS][CLASSES];
    size_t counts[CLASSES] = {0};
    struct few__rng rng;
    struct scene s;
    scene_init(&s, FEW__DECODE_SEG_SHARE, FEW_LABELS, SIDE, SIDE);
    s.model.n_labels = CLASSES;
    s.recipe.decode.layout = FEW__NHWC;
    few__rng_init(&rng, t_seed(), 5);
    for (size_t i = 0; i < PIXELS; i++) {
        size_t best = 0;
        for (size_t c = 0; c < CLASSES; c++) {
            map[i][c] = (float)floor(8 * few__rng_unit(&rng)); // often equal: the lowest class counts
            if (map[i][c] > map[i][best]) best = c;
        }
        counts[best]++;
    }
    SCENE_TENSOR(&s, "map", &map[0][0], 1, SIDE, SIDE, CLASSES);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, CLASSES);
    for (size_t c = 0; c < CLASSES; c++) assert_near(s.output.values[c], (double)counts[c] / PIXELS, 1e-6);
    scene_finish(&s);
}

static void test_mask_share(void **state)
{
    (void)state;
    const float mask[5] = {0.5F, 0.51F, 0.9F, 0, -3};
    struct scene s;
    scene_init(&s, FEW__DECODE_MASK_SHARE, FEW_SCALAR, 5, 1);
    s.recipe.decode.mask_threshold = 0.5F;
    SCENE_TENSOR(&s, "mask", mask, 1, 1, 5, 1);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    assert_near(s.output.values[0], 0.4, 1e-6);
    scene_finish(&s);
}

/* ---- regions ---- */

static void regions_scene(struct scene *s, float map[6][8])
{
    scene_init(s, FEW__DECODE_REGIONS, FEW_DETECTIONS, 16, 12); // the map has half the input's size
    s->recipe.decode.keep = 0;
    s->recipe.decode.iou = 0;
    s->recipe.decode.mask_threshold = 0.3F;
    s->recipe.decode.region_mean = 0.6F;
    s->recipe.decode.region_pixels = 16;
    s->recipe.decode.unclip = 1.5F;
    memset(map, 0, 6 * sizeof *map);
    for (size_t y = 1; y < 5; y++)
        for (size_t x = 2; x < 6; x++) map[y][x] = 0.9F;
    SCENE_TENSOR(s, "map", &map[0][0], 1, 1, 6, 8);
}

static void test_regions(void **state)
{
    (void)state;
    float map[6][8];
    struct scene s;
    regions_scene(&s, map);
    map[5][6] = 0.9F; // touches at a corner only: another region, too small
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    // 16 pixels around 16: grows by 1.5 on each side, from (2, 1)-(6, 5); cut above and below.
    scene_detection(&s, 0, 0, 0.9, 0.5 / 8, 0, 7.0 / 8, 1);
    assert_near(s.output.detections[0].area, 16.0 / 48, 1e-6);
    s.recipe.decode.unclip = 0;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    scene_detection(&s, 0, 0, 0.9, 2.0 / 8, 1.0 / 6, 4.0 / 8, 4.0 / 6);
    s.recipe.decode.layout = FEW__NHWC;
    s.n_tensors = 0;
    SCENE_TENSOR(&s, "map", &map[0][0], 1, 6, 8, 1);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    scene_detection(&s, 0, 0, 0.9, 2.0 / 8, 1.0 / 6, 4.0 / 8, 4.0 / 6);
    scene_finish(&s);
}

static void test_regions_left_out(void **state)
{
    (void)state;
    float map[6][8];
    struct scene s;
    regions_scene(&s, map);
    map[1][2] = 0.29F; // fifteen pixels are too few
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_true(s.output.empty);
    map[1][2] = 0.3F; // the threshold itself counts; the mean is 0.8625
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    s.recipe.decode.region_mean = 0.87F;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_true(s.output.empty);
    s.recipe.decode.region_mean = 0.6F;
    s.recipe.decode.keep = 0.87F;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_true(s.output.empty);
    s.tensors[0].dims[3] = FEW__SIDE_MAX + 1;
    scene_refused(&s, FEW_ESHAPE, "expected sides of at most 8192");
    s.model.n_labels = 2;
    scene_refused(&s, FEW_ESHAPE, "expected at most one label, found 2");
    scene_finish(&s);
}

// A comb: one region whose pixels are found in a long walk, and the whole map as one region.
static void test_regions_shapes(void **state)
{
    (void)state;
    enum { W = 33, H = 20 };
    static float map[H][W];
    struct scene s;
    scene_init(&s, FEW__DECODE_REGIONS, FEW_DETECTIONS, W, H);
    s.recipe.decode.iou = 0;
    s.recipe.decode.mask_threshold = 0.3F;
    for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++) map[y][x] = x % 2 == 0 || y == H - 1 ? 1 : 0;
    SCENE_TENSOR(&s, "map", &map[0][0], 1, 1, H, W);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    assert_near(s.output.detections[0].area, (17.0 * H + 16) / (W * H), 1e-6);
    for (size_t x = 0; x < W; x++) map[H - 1][x] = x % 2 == 0; // the comb without its back
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 17);
    for (size_t y = 0; y < H; y++)
        for (size_t x = 0; x < W; x++) map[y][x] = 1;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    assert_near(s.output.detections[0].area, 1, 1e-6);
    scene_finish(&s);
}

static void test_no_memory(void **state)
{
    (void)state;
    static float map[PIXELS * CLASSES];
    float small[6][8];
    struct scene s;
    const enum few__decoder decoders[] = {FEW__DECODE_SEG_MEAN, FEW__DECODE_SEG_SHARE};
    for (size_t i = 0; i < 2; i++) {
        scene_init(&s, decoders[i], FEW_LABELS, SIDE, SIDE);
        s.model.n_labels = CLASSES;
        s.recipe.decode.fraction = 0.5F;
        s.recipe.decode.layout = FEW__NHWC;
        SCENE_TENSOR(&s, "map", map, 1, SIDE, SIDE, CLASSES);
        scene_fail_each_allocation(&s);
    }
    scene_init(&s, FEW__DECODE_MASK_SHARE, FEW_SCALAR, SIDE, SIDE);
    SCENE_TENSOR(&s, "mask", map, 1, SIDE, SIDE, CLASSES);
    scene_fail_each_allocation(&s);
    regions_scene(&s, small);
    scene_fail_each_allocation(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seg_mean),       cmocka_unit_test(test_seg_mean_random),
        cmocka_unit_test(test_seg_share),      cmocka_unit_test(test_mask_share),
        cmocka_unit_test(test_regions),        cmocka_unit_test(test_regions_left_out),
        cmocka_unit_test(test_regions_shapes), cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
