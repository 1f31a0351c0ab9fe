// SPDX-License-Identifier: Apache-2.0
// Detectors on grids small enough for a pencil, and against plain maxima on random grids.
#include <math.h>
#include <stdlib.h>

#include "core/rng.h"
#include "decode_support.h"

static void strides(struct scene *s, size_t n, int a, int b)
{
    s->recipe.decode.n_strides = n;
    s->recipe.decode.strides[0] = a;
    s->recipe.decode.strides[1] = b;
}

/* ---- each decoder by hand ---- */

// 32 x 32, strides 16 and 32: rows (0,0) (1,0) (0,1) (1,1) of the first grid, then one of the second.
static void yolox_scene(struct scene *s, float rows[5][7])
{
    scene_init(s, FEW__DECODE_YOLOX, FEW_DETECTIONS, 32, 32);
    strides(s, 2, 16, 32);
    s->model.n_labels = 2;
    memset(rows, 0, 5 * sizeof *rows);
    const float third[7] = {0.5F, 0.25F, 0, logf(0.5F), 0.9F, 0.8F, 0.5F};
    const float last[7] = {0.5F, 0.5F, logf(0.5F), logf(0.5F), 0.5F, 0.9F, 0.1F};
    memcpy(rows[3], third, sizeof third);
    memcpy(rows[4], last, sizeof last);
    SCENE_TENSOR(s, "output", &rows[0][0], 1, 5, 7);
}

static void test_yolox(void **state)
{
    (void)state;
    float rows[5][7];
    struct scene s;
    yolox_scene(&s, rows);
    assert_status(scene_check(&s), FEW_OK, &s.err);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 3);
    scene_detection(&s, 0, 0, 0.72, 0.5, 0.5, 0.5, 0.25); // centre (24, 20), 16 x 8 pixels
    scene_detection(&s, 1, 1, 0.45, 0.5, 0.5, 0.5, 0.25);
    scene_detection(&s, 2, 0, 0.45, 0.25, 0.25, 0.5, 0.5);
    assert_near(s.output.confidence, 0.72, 1e-5);
    assert_near(s.output.detections[0].area, 0.125, 1e-5);
    s.recipe.decode.iou = 0.15F; // the two of label 0 overlap by 64 / 320
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 2);
    rows[3][2] = 200; // exp() is infinite
    rows[4][4] = 0;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_true(s.output.empty);
    s.model.n_labels = 3;
    scene_refused(&s, FEW_ESHAPE, "output 'output': expected [1,5,8], found [1,5,7]");
    s.model.n_labels = 2;
    strides(&s, 0, 0, 0);
    scene_refused(&s, FEW_ESHAPE, "expected 1 to 4 strides above 0, found 0");
    scene_finish(&s);
}

static void test_fastestdet(void **state)
{
    (void)state;
    enum { N = 4 };            // 2 x 2 cells
    float t[7][N] = {{0.01F}}; // channels first
    struct scene s;
    scene_init(&s, FEW__DECODE_FASTESTDET, FEW_DETECTIONS, 32, 32);
    s.model.n_labels = 2;
    const float cell[7] = {0.5F, 0, atanhf(0.5F), 0, -logf(3), 0.9F, 0.01F};
    for (size_t i = 0; i < 7; i++) t[i][1] = cell[i];
    SCENE_TENSOR(&s, "758", &t[0][0], 1, 7, 2, 2);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    scene_detection(&s, 0, 0, pow(0.5, 0.6) * pow(0.9, 0.4), 0.25, 0.125, 0.5, 0.25);
    s.recipe.decode.keep = 0.1F; // the second class scores 0.1046
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 2);
    scene_detection(&s, 1, 1, pow(0.5, 0.6) * pow(0.01, 0.4), 0.25, 0.125, 0.5, 0.25);
    s.model.n_labels = 0;
    scene_refused(&s, FEW_ESHAPE, "expected [1,6,?,?], found [1,7,2,2]");
    scene_finish(&s);
}

static void test_fastestv2(void **state)
{
    (void)state;
    float rows[5][16] = {{0}};
    struct scene s;
    scene_init(&s, FEW__DECODE_FASTESTV2, FEW_DETECTIONS, 32, 32);
    strides(&s, 2, 16, 32);
    const float anchors[12] = {1, 1, 1, 1, 1, 1, 2, 2, 8, 16, 3, 3};
    s.recipe.decode.n_anchors = 12;
    memcpy(s.recipe.decode.anchors, anchors, sizeof anchors);
    const float cell[16] = {0, 0, 0, 0, 0.5F, 0.5F, 0.5F, 0.25F, 0, 0, 0, 0, 0.1F, 0.8F, 0.2F, 0.75F};
    memcpy(rows[4], cell, sizeof cell);
    SCENE_TENSOR(&s, "845", &rows[0][0], 5, 16);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    scene_detection(&s, 0, 0, 0.6, 0.375, 0.4375, 0.25, 0.125); // centre (16, 16), 8 x 4 pixels
    s.recipe.decode.n_anchors = 6;
    scene_refused(&s, FEW_ESHAPE, "expected 12 anchor numbers, found 6");
    s.recipe.decode.n_anchors = 12;
    s.model.n_labels = 4;
    scene_refused(&s, FEW_ESHAPE, "expected [5,19], found [5,16]");
    scene_finish(&s);
}

static void test_nanodet(void **state)
{
    (void)state;
    const float scores[2][2] = {{0.1F, 0.2F}, {0.3F, 0.8F}}; // 0.3 is not above keep
    const float bins[2][8] = {{0}, {0, 0, 20, -20, 0, 0, logf(3), 0}};
    struct scene s;
    scene_init(&s, FEW__DECODE_NANODET, FEW_DETECTIONS, 32, 16);
    strides(&s, 1, 16, 0);
    s.model.n_labels = 2;
    SCENE_TENSOR(&s, "cls", &scores[0][0], 1, 2, 2);
    SCENE_TENSOR(&s, "dis", &bins[0][0], 1, 2, 8);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    scene_detection(&s, 0, 1, 0.8, 0.5, 0.5, 0.5, 0.25); // (24 - 8, 8 - 0, 24 + 8, 8 + 4)
    s.tensors[1].dims[2] = 7;
    s.tensors[1].n = 14;
    scene_refused(&s, FEW_ESHAPE,
                  "output 'dis': expected four distributions of 2 bins or more, found [1,2,7]");
    s.n_tensors = 1;
    scene_refused(&s, FEW_ESHAPE, "decoder nanodet: expected 2 outputs, found 1");
    scene_finish(&s);
}

static void test_centernet(void **state)
{
    (void)state;
    float heat[4][4][2] = {{{0}}}, sides[4][4][4] = {{{0}}};
    struct scene s;
    scene_init(&s, FEW__DECODE_CENTERNET, FEW_DETECTIONS, 16, 16);
    s.model.n_labels = 2;
    heat[1][2][1] = 0.8F;
    heat[1][3][1] = 0.7F; // beside the peak
    heat[2][2][1] = 0.8F; // as high: the first counts
    heat[3][0][0] = 0.4F; // in a corner, another class
    const float d[4] = {4, 2, 4, 6};
    memcpy(sides[1][2], d, sizeof d);
    memcpy(sides[3][0], d, sizeof d);
    SCENE_TENSOR(&s, "keypoints", &heat[0][0][0], 1, 4, 4, 2);
    SCENE_TENSOR(&s, "wh", &sides[0][0][0], 1, 4, 4, 4);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 2);
    scene_detection(&s, 0, 1, 0.8, 0.25, 0.125, 0.5, 0.5); // (8 - 4, 4 - 2, 8 + 4, 4 + 6)
    scene_detection(&s, 1, 0, 0.4, 0, 0.625, 0.25, 0.375); // (-4, 10, 4, 18), cut
    s.tensors[1].dims[1] = 2;
    scene_refused(&s, FEW_ESHAPE, "output 'wh': expected [1,4,4,4], found [1,2,4,4]");
    scene_finish(&s);
}

static void test_ultraface(void **state)
{
    (void)state;
    const float scores[3][2] = {{0.1F, 0.9F}, {0.2F, 0.8F}, {0.8F, 0.2F}};
    const float corners[3][4] = {{0, 0, 1, 1}, {0, 0, 1, 0.9F}, {0, 0, 0.5F, 0.5F}};
    struct scene s;
    scene_init(&s, FEW__DECODE_ULTRAFACE, FEW_DETECTIONS, 40, 40);
    // The input is a crop: 20 x 20 pixels of a 100 x 100 image, from (50, 40).
    s.placement = (struct few__placement){.image_width = 100,
                                          .image_height = 100,
                                          .image_x = 50,
                                          .image_y = 40,
                                          .scale_x = 2,
                                          .scale_y = 2,
                                          .width = 40,
                                          .height = 40};
    SCENE_TENSOR(&s, "scores", &scores[0][0], 1, 3, 2);
    SCENE_TENSOR(&s, "boxes", &corners[0][0], 1, 3, 4);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    scene_detection(&s, 0, 0, 0.9, 0.5, 0.4, 0.2, 0.2);
    s.model.kind = FEW_BOX; // the best one
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 4);
    assert_near_all(s.output.values, ((float[]){0.5F, 0.4F, 0.2F, 0.2F}), 4, 1e-6);
    assert_near(s.output.confidence, 0.9, 1e-6);
    s.model.n_labels = 2;
    scene_refused(&s, FEW_ESHAPE, "expected at most one label, found 2");
    s.model.n_labels = 1;
    s.tensors[1].dims[1] = 2;
    scene_refused(&s, FEW_ESHAPE, "output 'boxes': expected [1,3,4], found [1,2,4]");
    scene_finish(&s);
}

static void test_yunet(void **state)
{
    (void)state;
    // One stride of 16 on 32 x 16: two cells; scores are cut to [0, 1] before the root.
    const float class[2] = {1.5F, 0.81F}, objectness[2] = {-1, 1};
    const float b[2][4] = {{0}, {0.5F, 0.25F, 0, logf(0.5F)}};
    struct scene s;
    scene_init(&s, FEW__DECODE_YUNET, FEW_DETECTIONS, 32, 16);
    strides(&s, 1, 16, 0);
    SCENE_TENSOR(&s, "cls", class, 1, 2, 1);
    SCENE_TENSOR(&s, "obj", objectness, 1, 2, 1);
    SCENE_TENSOR(&s, "bbox", &b[0][0], 1, 2, 4);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    scene_detection(&s, 0, 0, 0.9, 0.5, 0, 0.5, 0.5); // centre (24, 4), 16 x 8 pixels
    s.tensors[2].dims[2] = 3;
    scene_refused(&s, FEW_ESHAPE, "output 'bbox': expected [1,2,4], found [1,2,3]");
    scene_finish(&s);
}

/* ---- placement and limits ---- */

// 100 x 50 in the middle of 32 x 32: eight rows of padding above and below.
static void test_letterbox(void **state)
{
    (void)state;
    float rows[5][7];
    struct scene s;
    yolox_scene(&s, rows);
    s.placement.image_width = 100;
    s.placement.image_height = 50;
    s.placement.scale_x = s.placement.scale_y = 0.32F;
    s.placement.inner_y = 8;
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 3);
    scene_detection(&s, 0, 0, 0.72, 0.5, 0.5, 0.5, 0.5);
    rows[3][1] = 0.75F; // centre (24, 28), 16 x 8: in the padding
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, 1);
    scene_detection(&s, 0, 0, 0.45, 0.25, 0, 0.5, 1);
    scene_finish(&s);
}

static void test_at_most_300(void **state)
{
    (void)state;
    enum { SIDE = 20, N = SIDE * SIDE };
    static float scores[N][2], corners[N][4];
    struct scene s;
    scene_init(&s, FEW__DECODE_ULTRAFACE, FEW_DETECTIONS, 100, 100);
    for (size_t i = 0; i < N; i++) {
        float x = (float)(i % SIDE) / SIDE, y = (float)(i / SIDE) / SIDE;
        scores[i][1] = 0.5F + (float)i / 1000;
        const float c[4] = {x, y, x + 1.0F / SIDE, y + 1.0F / SIDE};
        memcpy(corners[i], c, sizeof c);
    }
    SCENE_TENSOR(&s, "scores", &scores[0][0], 1, N, 2);
    SCENE_TENSOR(&s, "boxes", &corners[0][0], 1, N, 4);
    assert_status(scene_decode(&s), FEW_OK, &s.err);
    assert_int_equal(s.output.n, FEW_DETECTIONS_MAX);
    for (size_t i = 0; i < FEW_DETECTIONS_MAX; i++)
        assert_near(s.output.detections[i].confidence, 0.5 + (double)(N - 1 - i) / 1000, 1e-6);
    scene_finish(&s);
}

/* ---- random grids: the best of each label is the plain maximum ---- */

static float random_share(struct few__rng *rng)
{
    return (float)few__rng_unit(rng);
}

// The best confidence of each label among the detections is what `best` says, or below keep.
static void expect_best(struct scene *s, const float *best, size_t n)
{
    assert_status(scene_decode(s), FEW_OK, &s->err);
    assert_true(s->output.n < FEW_DETECTIONS_MAX);
    for (size_t c = 0; c < n; c++) {
        float found = 0;
        for (size_t i = 0; i < s->output.n; i++)
            if (s->output.detections[i].label == (int)c && s->output.detections[i].confidence > found)
                found = s->output.detections[i].confidence;
        assert_near(found, best[c] > s->recipe.decode.keep ? best[c] : 0, 2e-6);
    }
}

static void test_best_of_yolox(void **state)
{
    (void)state;
    enum { CELLS = 80, C = 5 }; // 64 x 64, strides 8 and 16
    static float rows[CELLS][5 + C];
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (int round = 0; round < 20; round++) {
        struct scene s;
        float best[C] = {0};
        scene_init(&s, FEW__DECODE_YOLOX, FEW_DETECTIONS, 64, 64);
        strides(&s, 2, 8, 16);
        s.model.n_labels = C;
        for (size_t i = 0; i < CELLS; i++) {
            for (size_t k = 0; k < 5 + C; k++) rows[i][k] = random_share(&rng);
            for (size_t k = 5; k < 5 + C; k++) rows[i][k] *= rows[i][k] * rows[i][k];
            for (size_t c = 0; c < C; c++) best[c] = fmaxf(best[c], rows[i][4] * rows[i][5 + c]);
        }
        SCENE_TENSOR(&s, "output", &rows[0][0], 1, CELLS, 5 + C);
        expect_best(&s, best, C);
        scene_finish(&s);
    }
}

static void test_best_of_fastestdet(void **state)
{
    (void)state;
    enum { G = 6, C = 5 };
    static float t[5 + C][G * G];
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 2);
    for (int round = 0; round < 20; round++) {
        struct scene s;
        float best[C] = {0};
        scene_init(&s, FEW__DECODE_FASTESTDET, FEW_DETECTIONS, 96, 96);
        s.model.n_labels = C;
        s.recipe.decode.keep = 0.6F;
        for (size_t i = 0; i < G * G; i++) {
            for (size_t k = 0; k < 5 + C; k++) t[k][i] = random_share(&rng);
            for (size_t c = 0; c < C; c++)
                best[c] = fmaxf(best[c], powf(t[0][i], 0.6F) * powf(t[5 + c][i], 0.4F));
        }
        SCENE_TENSOR(&s, "758", &t[0][0], 1, 5 + C, G, G);
        expect_best(&s, best, C);
        scene_finish(&s);
    }
}

static void test_best_of_centernet(void **state)
{
    (void)state;
    enum { G = 9, C = 4 };
    static float heat[G * G][C], sides[G * G][4];
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3);
    for (int round = 0; round < 20; round++) {
        struct scene s;
        float best[C] = {0};
        scene_init(&s, FEW__DECODE_CENTERNET, FEW_DETECTIONS, 36, 36);
        s.model.n_labels = C;
        for (size_t i = 0; i < G * G; i++)
            for (size_t c = 0; c < C; c++) {
                heat[i][c] = floorf(10 * random_share(&rng)) / 10; // with plateaus
                best[c] = fmaxf(best[c], heat[i][c]);
                sides[i][c] = 1 + 9 * random_share(&rng);
            }
        SCENE_TENSOR(&s, "keypoints", &heat[0][0], 1, G, G, C);
        SCENE_TENSOR(&s, "wh", &sides[0][0], 1, G, G, 4);
        expect_best(&s, best, C);
        scene_finish(&s);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    float rows[5][7];
    struct scene s;
    yolox_scene(&s, rows);
    scene_fail_each_allocation(&s);
    s.model.kind = FEW_BOX;
    scene_fail_each_allocation(&s);
    s.model.kind = FEW_DETECTIONS;
    for (size_t i = 0; i < 3; i++) memcpy(rows[i], rows[3], sizeof rows[3]);
    scene_fail_each_allocation(&s);
}

// More candidates than the first block of the arena holds.
static void test_no_memory_for_many(void **state)
{
    (void)state;
    enum { N = 2000 };
    static float scores[N][2], corners[N][4];
    struct scene s;
    scene_init(&s, FEW__DECODE_ULTRAFACE, FEW_DETECTIONS, 100, 100);
    for (size_t i = 0; i < N; i++) {
        scores[i][1] = 0.9F;
        corners[i][2] = corners[i][3] = 1;
    }
    SCENE_TENSOR(&s, "scores", &scores[0][0], 1, N, 2);
    SCENE_TENSOR(&s, "boxes", &corners[0][0], 1, N, 4);
    scene_fail_each_allocation(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yolox),
        cmocka_unit_test(test_fastestdet),
        cmocka_unit_test(test_fastestv2),
        cmocka_unit_test(test_nanodet),
        cmocka_unit_test(test_centernet),
        cmocka_unit_test(test_ultraface),
        cmocka_unit_test(test_yunet),
        cmocka_unit_test(test_letterbox),
        cmocka_unit_test(test_at_most_300),
        cmocka_unit_test(test_best_of_yolox),
        cmocka_unit_test(test_best_of_fastestdet),
        cmocka_unit_test(test_best_of_centernet),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_memory_for_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
