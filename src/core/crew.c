// SPDX-License-Identifier: Apache-2.0
#include "core/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct crew {
    atomic_size_t next;
    size_t n;
    void (*work)(void *ud, size_t i);
    void *ud;
};

static void *take_jobs(void *arg)
{
    struct crew *crew = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&crew->next, 1);
        if (i >= crew->n) return NULL;
        crew->work(crew->ud, i);
    }
}

void few__crew_run(size_t n_threads, size_t n, void (*work)(void *ud, size_t i), void *ud)
{
    struct crew crew = {.n = n, .work = work, .ud = ud};
    pthread_t threads[FEW__CREW_MAX];
    size_t n_others = 0, most = n_threads < FEW__CREW_MAX ? n_threads : FEW__CREW_MAX;
    if (most > n) most = n;
    while (n_others + 1 < most && pthread_create(&threads[n_others], NULL, take_jobs, &crew) == 0) n_others++;
    take_jobs(&crew);
    for (size_t i = 0; i < n_others; i++) pthread_join(threads[i], NULL);
}
