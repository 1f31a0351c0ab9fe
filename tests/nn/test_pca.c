// SPDX-License-Identifier: Apache-2.0
// Principal components: planted directions, the definition, what is degenerate, and what is refused.
#include "nn/pca.h"

#include <math.h>
#include <string.h>

#include "core/rng.h"
#include "support/support.h"

enum { N = 60, D = 40, K = 5 };

static double dot(const float *a, const float *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

// Rows 2 + 3 x_i u + y_i v with x, y uncorrelated of deviation 1, u and v two coordinates.
static void test_planted_directions(void **state)
{
    (void)state;
    float rows[4 * 10] = {0}, mean[10], basis[2 * 10], spread[2];
    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 10; j++) rows[i * 10 + j] = 2;
        rows[i * 10 + 7] += i < 2 ? 3 : -3;
        rows[i * 10 + 4] += i % 2 ? 1 : -1;
    }
    assert_int_equal(few__pca(rows, 4, 10, 2, 1, NULL, mean, basis, spread, NULL), FEW_OK);
    for (size_t j = 0; j < 10; j++) {
        assert_near(mean[j], 2, 1e-6);
        assert_near(basis[j], j == 7, 1e-6);
        assert_near(basis[10 + j], j == 4, 1e-6);
    }
    assert_near(spread[0], 3, 1e-6);
    assert_near(spread[1], 1, 1e-6);
}

static void fill(float *rows, size_t n)
{
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < D; j++)
            rows[i * D + j] = (float)(few__rng_normal(&rng) * (j < 8 ? 8 - (double)j : 0.3) + (double)j);
}

// Orthonormal; each is an eigenvector of the covariance; no random direction spreads more than the first.
static void test_they_are_components(void **state)
{
    (void)state;
    static float rows[N * D], basis[K * D];
    float mean[D], spread[K];
    fill(rows, N);
    assert_int_equal(few__pca(rows, N, D, K, 1, NULL, mean, basis, spread, NULL), FEW_OK);
    for (size_t a = 0; a < K; a++) {
        const float *v = basis + a * D;
        double image[D] = {0}, lambda = (double)spread[a] * (double)spread[a];
        for (size_t b = 0; b < K; b++) assert_near(dot(v, basis + b * D, D), a == b, 1e-5);
        if (a) assert_true(spread[a] <= spread[a - 1]);
        for (size_t i = 0; i < N; i++) {
            double along = dot(rows + i * D, v, D);
            for (size_t j = 0; j < D; j++) image[j] += along * (double)rows[i * D + j] / N;
        }
        for (size_t j = 0; j < D; j++) assert_near(image[j] / lambda, v[j], 2e-3);
    }
}

static void test_the_sign_is_settled(void **state)
{
    (void)state;
    static float rows[N * D], basis[K * D];
    float mean[D], spread[K];
    fill(rows, N);
    assert_int_equal(few__pca(rows, N, D, K, 9, NULL, mean, basis, spread, NULL), FEW_OK);
    for (size_t a = 0; a < K; a++) {
        float most = 0;
        for (size_t j = 0; j < D; j++)
            if (fabsf(basis[a * D + j]) > fabsf(most)) most = basis[a * D + j];
        assert_true(most > 0);
    }
}

static void test_same_seed_same_bits(void **state)
{
    (void)state;
    static float rows[N * D], basis[2][K * D];
    float mean[D], spread[2][K];
    for (int round = 0; round < 2; round++) {
        fill(rows, N);
        assert_int_equal(few__pca(rows, N, D, K, 5, NULL, mean, basis[round], spread[round], NULL), FEW_OK);
    }
    assert_memory_equal(basis[0], basis[1], sizeof basis[0]);
    assert_memory_equal(spread[0], spread[1], sizeof spread[0]);
}

static void test_fewer_directions_than_asked_for(void **state)
{
    (void)state;
    static float rows[N * D], basis[K * D];
    float mean[D], spread[K];
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < D; j++) rows[i * D + j] = (float)((double)i - 7) * (j == 3);
    assert_int_equal(few__pca(rows, N, D, K, 1, NULL, mean, basis, spread, NULL), FEW_OK);
    assert_near(basis[3], 1, 1e-5);
    for (size_t a = 1; a < K; a++) assert_near(spread[a], 0, 1e-5);
    assert_int_equal(few__pca(rows, 0, D, K, 1, NULL, mean, basis, spread, NULL), FEW_OK);
    for (size_t i = 0; i < K * D; i++) assert_near(basis[i], 0, 0);
    for (size_t a = 0; a < K; a++) assert_near(spread[a], 0, 0);
}

static void test_all_of_few(void **state)
{
    (void)state;
    float rows[] = {1, 2, 3, 5, 5, 7}, mean[2], basis[4], spread[2];
    assert_int_equal(few__pca(rows, 3, 2, 2, 1, NULL, mean, basis, spread, NULL), FEW_OK);
    assert_near(spread[0] * spread[0] + spread[1] * spread[1], (8.0 / 3) + (38.0 / 9), 1e-4);
    assert_near(dot(basis, basis + 2, 2), 0, 1e-6);
}

static void test_refused(void **state)
{
    (void)state;
    struct few_error err;
    static float basis[(FEW__PCA_MAX + 1) * 100];
    float rows[200] = {0}, mean[100], spread[FEW__PCA_MAX + 1];
    assert_status(few__pca(rows, 2, 2, 0, 1, NULL, mean, basis, spread, &err), FEW_EINVAL, &err);
    assert_status(few__pca(rows, 2, 2, 3, 1, NULL, mean, basis, spread, &err), FEW_EINVAL, &err);
    assert_status(few__pca(rows, 2, 100, FEW__PCA_MAX, 1, NULL, mean, basis, spread, &err), FEW_OK, &err);
    assert_status(few__pca(rows, 2, 100, FEW__PCA_MAX + 1, 1, NULL, mean, basis, spread, &err), FEW_EINVAL,
                  &err);
    rows[3] = NAN;
    assert_status(few__pca(rows, 2, 2, 1, 1, NULL, mean, basis, spread, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "column 1"));
}

static enum few_status once(const struct few_mem *mem, void *ud)
{
    static float rows[N * D], basis[K * D];
    float mean[D], spread[K];
    (void)ud;
    fill(rows, N);
    return few__pca(rows, N, D, K, 1, &(struct few_env){.mem = mem}, mean, basis, spread, NULL);
}

static void test_without_memory(void **state)
{
    (void)state;
    t_fail_each_allocation(once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_planted_directions),
        cmocka_unit_test(test_they_are_components),
        cmocka_unit_test(test_the_sign_is_settled),
        cmocka_unit_test(test_same_seed_same_bits),
        cmocka_unit_test(test_fewer_directions_than_asked_for),
        cmocka_unit_test(test_all_of_few),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
