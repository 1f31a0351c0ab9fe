// SPDX-License-Identifier: Apache-2.0
// Every table of kernels against loops written straight from the definitions, and all tables against each other to the bit.
#include "nn/kernels.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"

#include "support/support.h"

enum { SIDE = 200, ROOM = SIDE * 2 * SIDE };

static float a[ROOM], b[ROOM], c[ROOM], expected[ROOM], start[2 * SIDE];
static uint32_t indices[SIDE];

static void fill(struct few__rng *rng, float *v, size_t n, double scale)
{
    for (size_t i = 0; i < n; i++) v[i] = (float)(scale * (2 * few__rng_unit(rng) - 1));
}

static struct few__rng set_up(uint64_t stream)
{
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), stream);
    fill(&rng, a, ROOM, 1);
    fill(&rng, b, ROOM, 1);
    fill(&rng, start, 2 * SIDE, 1);
    return rng;
}

static void assert_same(const float *x, const float *y, size_t n)
{
    assert_memory_equal(x, y, n * sizeof *x);
}

static void reference_product(const struct few__product *p, float *out)
{
    for (size_t i = 0; i < p->m; i++)
        for (size_t j = 0; j < p->n; j++) {
            float sum = p->start ? p->start[j] : 0;
            for (size_t t = 0; t < p->k; t++)
                sum = fmaf(p->a[i * p->a_row + t * p->a_step], p->b[t * p->b_stride + j], sum);
            out[i * p->c_stride + j] = sum;
        }
}

static void test_product(void **state)
{
    (void)state;
    struct few__rng rng = set_up(1);
    static const size_t rows[] = {1, 2, 3, 4, 7, 8, 9, 12, 13, 31, 33}, columns[] = {16, 32, 48, 64, 80},
                        terms[] = {0, 1, 2, 17, 64};
    for (size_t x = 0; x < sizeof rows / sizeof *rows; x++)
        for (size_t y = 0; y < sizeof columns / sizeof *columns; y++)
            for (size_t z = 0; z < sizeof terms / sizeof *terms; z++) {
                bool turned = few__rng_below(&rng, 2), begins = few__rng_below(&rng, 2);
                struct few__product p = {.c = c,
                                         .a = a + 1,
                                         .b = b + 3,
                                         .start = begins ? start + 1 : NULL,
                                         .c_stride = columns[y] + 5,
                                         .b_stride = columns[y] + 7,
                                         .m = rows[x],
                                         .n = columns[y],
                                         .k = terms[z]};
                p.a_row = turned ? 1 : terms[z] + 3;
                p.a_step = turned ? rows[x] + 2 : 1;
                reference_product(&p, expected);
                for (size_t i = 0; few__kernels_at(i); i++) {
                    memset(c, 0, sizeof c);
                    few__kernels_at(i)->product(&p);
                    for (size_t r = 0; r < p.m; r++)
                        assert_same(c + r * p.c_stride, expected + r * p.c_stride, p.n);
                    assert_true(c[p.m * p.c_stride] == 0 && c[p.n] == 0); // nothing beside the matrix
                }
            }
}

static void test_transpose(void **state)
{
    (void)state;
    set_up(2);
    for (size_t rows = 1; rows < 40; rows += 3)
        for (size_t columns = 1; columns < 40; columns += 2)
            for (size_t i = 0; few__kernels_at(i); i++) {
                size_t out_stride = few__padded(rows) + 16;
                memset(c, 0xff, sizeof c);
                few__kernels_at(i)->transpose(c, out_stride, a, columns + 5, rows, columns);
                for (size_t j = 0; j < columns; j++)
                    for (size_t r = 0; r < few__padded(rows); r++)
                        assert_true(c[j * out_stride + r] == (r < rows ? a[r * (columns + 5) + j] : 0));
                assert_true(isnan(c[columns * out_stride]) && isnan(c[few__padded(rows)]));
            }
}

static void test_gather(void **state)
{
    (void)state;
    struct few__rng rng = set_up(3);
    for (size_t n = 16; n <= 160; n += 16)
        for (size_t k = 0; k < 9; k++)
            for (size_t i = 0; few__kernels_at(i); i++) {
                const float *value = n % 32 ? b : NULL;
                for (size_t t = 0; t < k; t++) indices[t] = (uint32_t)few__rng_below(&rng, 50);
                for (size_t j = 0; j < n; j++) {
                    expected[j] = start[j];
                    for (size_t t = 0; t < k; t++)
                        expected[j] = fmaf(value ? value[t] : 1, a[indices[t] * n + j], expected[j]);
                }
                few__kernels_at(i)->gather(c, start, a, n, indices, value, k, n);
                assert_same(c, expected, n);
                memcpy(c, start, n * sizeof *c);
                few__kernels_at(i)->gather(c, c, a, n, indices, value, k, n);
                assert_same(c, expected, n);
            }
}

static void test_row_product(void **state)
{
    (void)state;
    set_up(4);
    for (size_t n = 16; n <= 96; n += 16)
        for (size_t k = 0; k < 23; k++)
            for (size_t i = 0; few__kernels_at(i); i++) {
                for (size_t j = 0; j < n; j++) {
                    float sums[4] = {start[j]};
                    for (size_t t = 0; t < k; t++) sums[t % 4] = fmaf(a[t], b[t * (n + 1) + j], sums[t % 4]);
                    expected[j] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
                }
                few__kernels_at(i)->row_product(c, start, a, b, n + 1, k, n);
                assert_same(c, expected, n);
            }
}

static void test_elements(void **state)
{
    (void)state;
    enum { N = 320 };
    set_up(5);
    for (size_t i = 0; few__kernels_at(i); i++) {
        const struct few__kernels *k = few__kernels_at(i);
        memcpy(c, a, N * sizeof *c);
        k->add_scaled(c, b, 0.3F, N);
        for (size_t j = 0; j < N; j++) assert_true(c[j] == fmaf(0.3F, b[j], a[j]));
        memcpy(c, a, N * sizeof *c);
        k->multiply(c, b, N);
        for (size_t j = 0; j < N; j++) assert_true(c[j] == a[j] * b[j]);
        memcpy(c, a, N * sizeof *c);
        k->relu(c, N);
        for (size_t j = 0; j < N; j++) assert_true(c[j] == (a[j] > 0 ? a[j] : 0));
        memcpy(expected, b, N * sizeof *c);
        k->relu_back(expected, c, N);
        for (size_t j = 0; j < N; j++) assert_true(expected[j] == (a[j] > 0 ? b[j] : 0));
    }
}

// Worst distance from the C library's doubles, relative to the result.
static double worst(void (*kernel)(float *, size_t), double (*truth)(double), double from, double to)
{
    enum { N = 40000 };
    double most = 0;
    for (size_t j = 0; j < N; j++) c[j] = (float)(from + (to - from) * (double)j / N);
    memcpy(a, c, N * sizeof *c);
    kernel(c, N);
    for (size_t j = 0; j < N; j++) {
        double y = truth((double)a[j]), error = fabs((double)c[j] - y) / fmax(fabs(y), 1e-37);
        if (a[j] != 0 && error > most) most = error;
    }
    return most;
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static void test_activations_are_accurate(void **state)
{
    (void)state;
    for (size_t i = 0; few__kernels_at(i); i++) {
        const struct few__kernels *k = few__kernels_at(i);
        assert_true(worst(k->exp, exp, -87, 0) < 2e-7);
        assert_true(worst(k->sigmoid, sigmoid, -80, 80) < 3e-7);
        assert_true(worst(k->tanh, tanh, -1, 1) < 3e-7);
        assert_true(worst(k->tanh, tanh, -40, 40) < 3e-7);
    }
}

static void test_activations_at_the_ends(void **state)
{
    (void)state;
    static const float ends[16] = {0, -0.0F, 1e-30F, -1e-30F, 1e30F, -1e30F, INFINITY, -INFINITY, NAN};
    for (size_t i = 0; few__kernels_at(i); i++) {
        const struct few__kernels *k = few__kernels_at(i);
        float y[16];
        memcpy(y, ends, sizeof y);
        k->sigmoid(y, 16);
        assert_true(y[0] == 0.5F && y[4] == 1 && y[6] == 1 && y[5] < 1e-37F && y[7] < 1e-37F && isnan(y[8]));
        memcpy(y, ends, sizeof y);
        k->tanh(y, 16);
        assert_true(y[0] == 0 && y[2] == 1e-30F && y[3] == -1e-30F && y[6] == 1 && y[7] == -1 && isnan(y[8]));
        memcpy(y, ends, sizeof y);
        k->relu(y, 16);
        assert_true(y[4] == 1e30F && y[5] == 0 && y[7] == 0 && isnan(y[8]));
        memcpy(y, ends, sizeof y);
        k->exp(y, 16);
        assert_true(y[0] == 1 && y[7] > 0 && y[7] < 2e-38F && isnan(y[8]));
    }
}

static void test_tables_agree(void **state)
{
    (void)state;
    enum { N = 4096 };
    struct few__rng rng = set_up(6);
    const struct few__step step = {.keep1 = 0.9F,
                                   .take1 = 0.1F,
                                   .keep2 = 0.999F,
                                   .take2 = 0.001F,
                                   .rate = 0.01F,
                                   .root_scale = 1.7F,
                                   .epsilon = 1e-8F,
                                   .epsilon_inside = 1e-9F,
                                   .shrink = 0.99F};
    static float g[N], first[4][N], one[4][N];
    fill(&rng, g, N, 30);
    for (size_t i = 0; few__kernels_at(i); i++) {
        const struct few__kernels *k = few__kernels_at(i);
        float(*to)[N] = i ? one : first;
        memcpy(to[0], a, sizeof *to);
        memcpy(to[1], b, sizeof *to);
        for (size_t j = 0; j < N; j++) to[2][j] = fabsf(b[j]);
        k->adam(to[0], to[1], to[2], g, N, &step);
        k->rmsprop(to[0], to[2], g, N, &step);
        memcpy(to[3], g, sizeof *to);
        k->exp(to[3], N / 4);
        k->tanh(to[3] + N / 4, N / 4);
        k->sigmoid(to[3] + N / 2, N / 4);
        k->sigmoid_back(to[3], to[3] + N / 2, N / 8);
        k->tanh_back(to[3] + N / 8, to[3] + N / 4, N / 8);
        if (i) assert_memory_equal(first, one, sizeof one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_transpose),
        cmocka_unit_test(test_gather),
        cmocka_unit_test(test_row_product),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(test_activations_are_accurate),
        cmocka_unit_test(test_activations_at_the_ends),
        cmocka_unit_test(test_tables_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
