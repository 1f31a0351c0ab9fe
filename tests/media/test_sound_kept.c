// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "core/rng.h"
#include "media/sound_kept.h"
#include "support/support.h"

enum { PLACES = 4000, RATE = 50 };

/* Random puts and drops, and a plain array of all places beside it. */
static void test_against_an_array(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    for (int round = 0; round < 200; round++) {
        struct few__sound_kept kept;
        static float plain[PLACES], out[PLACES];
        struct few_error err;
        int64_t next = 0;
        float value = 1;
        memset(plain, 0, sizeof plain);
        few__kept_init(&kept, NULL, RATE);
        while (next < PLACES - 200) {
            float samples[40];
            size_t n = few__rng_below(&rng, 40);
            int64_t first = next - 20 + (int64_t)few__rng_below(&rng, few__rng_below(&rng, 8) ? 30 : 180);
            for (size_t i = 0; i < n; i++) samples[i] = value++;
            assert_status(few__kept_put(&kept, first, samples, n, &err), FEW_OK, &err);
            for (size_t i = 0; i < n; i++)
                if (first + (int64_t)i >= next) plain[first + (int64_t)i] = samples[i];
            if (n && first + (int64_t)n > next) next = first + (int64_t)n;
            assert_int_equal(kept.next, next);
            int64_t before = few__rng_below(&rng, 4) ? 0 : next - (int64_t)few__rng_below(&rng, 300);
            few__kept_drop(&kept, before);
            for (int64_t i = 0; i < before; i++) plain[i] = 0;
            int64_t from = (int64_t)few__rng_below(&rng, PLACES),
                    to = from + (int64_t)few__rng_below(&rng, PLACES);
            if (to > PLACES) to = PLACES;
            few__kept_take(&kept, from, to, out);
            assert_memory_equal(out, plain + from, (size_t)(to - from) * sizeof *out);
        }
        few__kept_finish(&kept);
    }
}

// What is let go of makes room: memory stays that of what is kept.
static void test_room_is_used_again(void **state)
{
    (void)state;
    struct few__sound_kept kept;
    struct few_error err;
    static const float samples[1000] = {1};
    few__kept_init(&kept, NULL, 1000);
    for (int64_t k = 0; k < 10000; k++) {
        assert_status(few__kept_put(&kept, k * 1000, samples, 1000, &err), FEW_OK, &err);
        few__kept_drop(&kept, k * 1000 - 5000);
    }
    assert_true(kept.room <= 1 << 14);
    few__kept_clear(&kept);
    assert_int_equal(kept.next, 0);
    few__kept_finish(&kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_an_array),
        cmocka_unit_test(test_room_is_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
