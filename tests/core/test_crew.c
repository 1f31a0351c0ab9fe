// SPDX-License-Identifier: Apache-2.0
// Jobs on several threads: each is done once, whatever the number of threads.
#include "core/crew.h"

#include <stdatomic.h>

#include "support/support.h"

enum { N = 500 };

struct job {
    atomic_int done[N];
    long square[N];
};

static void square(void *ud, size_t i)
{
    struct job *job = ud;
    atomic_fetch_add(&job->done[i], 1);
    job->square[i] = (long)(i * i);
}

static void test_each_once(void **state)
{
    (void)state;
    static const size_t threads[] = {0, 1, 2, 7, FEW__CREW_MAX, 10 * FEW__CREW_MAX};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        static struct job job;
        job = (struct job){0};
        few__crew_run(threads[t], N, square, &job);
        for (size_t i = 0; i < N; i++) {
            assert_int_equal(atomic_load(&job.done[i]), 1);
            assert_int_equal(job.square[i], (long)(i * i));
        }
    }
}

static void test_few_jobs(void **state)
{
    (void)state;
    static struct job job;
    few__crew_run(8, 0, square, &job);
    assert_int_equal(atomic_load(&job.done[0]), 0);
    few__crew_run(8, 1, square, &job);
    assert_int_equal(atomic_load(&job.done[0]), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_once),
        cmocka_unit_test(test_few_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
