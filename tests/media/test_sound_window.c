// SPDX-License-Identifier: Apache-2.0
#include "core/rng.h"
#include "media/sound_window.h"
#include "support/support.h"

enum { N = 64 };
static float samples[N]; // 1, 2, 3, ..

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) samples[i] = (float)(i + 1);
    return 0;
}

static void assert_window(const struct few__window *window, size_t n, size_t k, const float *expected)
{
    float out[32];
    const struct few__sound sound = {.rate = window->rate, .n = n, .samples = samples};
    for (size_t i = 0; i < 32; i++) out[i] = -1;
    few__window_fill(window, &sound, k, out);
    for (size_t i = 0; i < window->context + window->length; i++) assert_true(out[i] == expected[i]);
    assert_true(out[window->context + window->length] == -1); // not one number more
}

static void test_by_hand(void **state)
{
    (void)state;
    const struct few__window plain = {.rate = 8000, .length = 4, .hop = 4};
    assert_int_equal(few__window_count(&plain, 0), 0);
    assert_int_equal(few__window_count(&plain, 1), 1);
    assert_int_equal(few__window_count(&plain, 4), 1);
    assert_int_equal(few__window_count(&plain, 5), 2);
    assert_int_equal(few__window_count(&plain, 8), 2);
    assert_window(&plain, 5, 0, (float[]){1, 2, 3, 4});
    assert_window(&plain, 5, 1, (float[]){5, 0, 0, 0});
    assert_window(&plain, 0, 0, (float[]){0, 0, 0, 0});
    assert_window(&plain, 2, 0, (float[]){1, 2, 0, 0});

    const struct few__window context = {.rate = 8000, .length = 4, .hop = 2, .context = 3};
    assert_int_equal(few__window_count(&context, 8), 3);
    assert_int_equal(few__window_count(&context, 9), 4);
    assert_window(&context, 9, 0, (float[]){0, 0, 0, 1, 2, 3, 4});
    assert_window(&context, 9, 1, (float[]){0, 1, 2, 3, 4, 5, 6});
    assert_window(&context, 9, 2, (float[]){2, 3, 4, 5, 6, 7, 8});
    assert_window(&context, 9, 3, (float[]){4, 5, 6, 7, 8, 9, 0});

    const struct few__window sparse = {
        .rate = 8000, .length = 2, .hop = 5, .context = 1}; // some are never looked at
    assert_int_equal(few__window_count(&sparse, 5), 1);
    assert_int_equal(few__window_count(&sparse, 6), 2);
    assert_int_equal(few__window_count(&sparse, 10), 2);
    assert_int_equal(few__window_count(&sparse, 11), 3);
    assert_window(&sparse, 6, 1, (float[]){5, 6, 0});

    const struct few__window far = {
        .rate = 8000, .length = 2, .hop = 2, .context = 9}; // reaches over several windows
    assert_window(&far, 20, 1, (float[]){0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4});
    assert_window(&far, 20, 6, (float[]){4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14});
    assert_window(&far, 2, 30,
                  (float[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}); // beyond the end, and its context too
}

/* The definition, one number at a time; and no window too many or too few. */
static void test_against_the_definition(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (int round = 0; round < 2000; round++) {
        const struct few__window w = {.rate = 16000,
                                      .length = 1 + few__rng_below(&rng, 12),
                                      .hop = 1 + few__rng_below(&rng, 16),
                                      .context = few__rng_below(&rng, 12)};
        const struct few__sound sound = {.rate = 16000, .n = few__rng_below(&rng, N + 1), .samples = samples};
        size_t count = 0, covered = 0; // windows follow while one begins in the sound and shows something new
        for (; sound.n && (count == 0 || (count * w.hop < sound.n && covered < sound.n)); count++)
            covered = count * w.hop + w.length;
        assert_int_equal(few__window_count(&w, sound.n), count);
        for (size_t k = 0; k < count; k++) {
            float expected[24], out[24];
            for (size_t i = 0; i < w.context + w.length; i++) {
                size_t place = k * w.hop + i; // + context
                bool is = place >= w.context && place - w.context < sound.n;
                expected[i] = is ? samples[place - w.context] : 0;
            }
            few__window_fill(&w, &sound, k, out);
            assert_memory_equal(out, expected, (w.context + w.length) * sizeof *out);
        }
    }
}

static void test_sound_of_a_rate(void **state)
{
    (void)state;
    struct few__parts parts = {.n_sounds = 2, .sounds = {{.rate = 8000}, {.rate = 16000}, {.rate = 44100}}};
    assert_ptr_equal(few__parts_sound(&parts, 16000), &parts.sounds[1]);
    assert_null(few__parts_sound(&parts, 44100));
    parts.n_sounds = 0;
    assert_null(few__parts_sound(&parts, 8000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_against_the_definition),
        cmocka_unit_test(test_sound_of_a_rate),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
