// SPDX-License-Identifier: Apache-2.0
/* decide_30, decide_1000: one scheduling decision of AMS Algorithm 1 beside its value function, which here
 * copies numbers. Every model is pending, every third needs another, half of the chains fit: nothing is
 * cheaper than in earnest. Wanted: at most 3 us among 30 models, 60 us among 1000, no allocation.
 * decide_pack: the same of the improved Algorithm 2 among 34 models, one second and twice the largest model's memory, so
 * that every rule is played to the end. Wanted: at most 60 us.
 *
 *     decide 30|1000|pack */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "core/rng.h"
#include "exec/exec.h"
#include "item/sched_deadline.h"
#include "item/sched_pack.h"

enum {
    MODELS_MAX = 1000,
    TABLES = 64,
    ROUNDS = 15,
    DECISIONS = 100000
}; // DECISIONS: models looked at in a round

struct world {
    struct few_model models[MODELS_MAX];
    struct few_cost costs[MODELS_MAX];
    enum few__state states[MODELS_MAX];
    enum few_outcome outcomes[MODELS_MAX];
    bool found[MODELS_MAX], held[MODELS_MAX], resident[MODELS_MAX];
    uint64_t working_bytes[MODELS_MAX];
    double slow[MODELS_MAX];
    double tables[TABLES][MODELS_MAX]; // values
    int64_t left_us[TABLES];
    size_t chosen[MODELS_MAX];
    struct few_catalog catalog;
    size_t n_scored;
};

static size_t n_allocations;

static void *count_resize(void *ud, void *ptr, size_t size)
{
    (void)ud;
    n_allocations++;
    if (size) return realloc(ptr, size);
    free(ptr);
    return NULL;
}

static void copy_numbers(void *self, const struct few__view *view, double *q)
{
    struct world *w = self;
    memcpy(q, w->tables[w->n_scored++ % TABLES], view->catalog->n_models * sizeof *q);
}

static void make_world(struct world *w, size_t n)
{
    struct few__rng rng;
    few__rng_init(&rng, 1, n);
    w->catalog = (struct few_catalog){.n_models = n, .models = w->models};
    for (size_t m = 0; m < n; m++) {
        w->models[m] = (struct few_model){.name = "m", .needs = -1, .variant_of = -1};
        if (m > 0 && m % 3 == 0) w->models[m].needs = (int)few__rng_below(&rng, m);
        w->resident[m] = true;
        w->slow[m] = 1;
        w->working_bytes[m] = 500 + few__rng_below(&rng, 7500);              // AMS: 500 .. 8000 MB
        w->costs[m].time_us = 50000 + (int64_t)few__rng_below(&rng, 350000); // AMS: 50 .. 400 ms
    }
    for (size_t t = 0; t < TABLES; t++) {
        for (size_t m = 0; m < n; m++) w->tables[t][m] = few__rng_normal(&rng);
        w->left_us[t] = 100000 + (int64_t)few__rng_below(&rng, 300000);
    }
}

// Nanoseconds of one decision, over `n_decisions`.
static double time_decisions(struct world *w, const struct few__chooser *chooser, struct few__view *view,
                             size_t n_decisions)
{
    struct few__choice choice = {.models = w->chosen};
    size_t n_started = 0;
    int64_t start = bench_now_ns();
    for (size_t i = 0; i < n_decisions; i++) {
        view->item = i; // a plan is kept for its item
        view->deadline_us = w->left_us[i % TABLES] + (view->n_lanes > 1 ? 600000 : 0);
        chooser->choose(chooser->self, view, &choice);
        n_started += choice.answer == FEW__START;
    }
    int64_t end = bench_now_ns();
    if (n_started == 0) {
        fprintf(stderr, "decide: nothing was ever started\n");
        exit(1);
    }
    return (double)(end - start) / (double)n_decisions;
}

static enum few_status make_scheduler(const struct world *w, struct few__value value, bool packs,
                                      const struct few_env *env, struct few__sched *sched,
                                      struct few_error *err)
{
    if (packs) return few__sched_pack_create(&w->catalog, value, FEW__PACK_IMPROVED, env, sched, err);
    return few__sched_deadline_create(&w->catalog, value, FEW__RANK_RATIO, env, sched, err);
}

static int run(struct world *w, const char *name, size_t n, bool packs, double bound_ns)
{
    const struct few_mem mem = {.resize = count_resize};
    const struct few_env env = {.mem = &mem};
    struct few_error err;
    struct few__sched sched;
    const struct few__value value = {.self = w, .name = "copy", .score = copy_numbers};
    make_world(w, n);
    if (make_scheduler(w, value, packs, &env, &sched, &err) != FEW_OK) {
        fprintf(stderr, "decide: %s\n", err.message);
        return 1;
    }
    struct few__chooser chooser = sched.chooser;
    struct few__view view = {.catalog = &w->catalog,
                             .costs = w->costs,
                             .states = w->states,
                             .outcomes = w->outcomes,
                             .found = w->found,
                             .held = w->held,
                             .n_pending = n,
                             .n_lanes = packs ? FEW__LANES_MAX : 1,
                             .n_free_lanes = packs ? FEW__LANES_MAX : 1,
                             .memory_bytes = packs ? 16000 : FEW__NO_BUDGET,
                             .free_bytes = packs ? 16000 : FEW__NO_BUDGET,
                             .working_bytes = w->working_bytes,
                             .resident = w->resident,
                             .slow = w->slow,
                             .pace = 1};
    double ours[ROUNDS], calib[ROUNDS];
    size_t before = n_allocations;
    for (size_t round = 0; round < ROUNDS; round++) {
        ours[round] = time_decisions(w, &chooser, &view, DECISIONS / n);
        calib[round] = bench_calibrate();
    }
    bool allocated = n_allocations != before;
    few__sched_destroy(&sched);
    if (allocated) {
        fprintf(stderr, "decide: a decision allocated memory\n");
        return 1;
    }
    double median = bench_median(ours, ROUNDS);
    bench_print(name, median, bound_ns, "bound", "ns", bound_ns / median, bench_median(calib, ROUNDS));
    return 0;
}

int main(int argc, char **argv)
{
    static struct world world;
    if (argc == 2 && strcmp(argv[1], "30") == 0) return run(&world, "decide_30", 30, false, 3000);
    if (argc == 2 && strcmp(argv[1], "1000") == 0) return run(&world, "decide_1000", 1000, false, 60000);
    if (argc == 2 && strcmp(argv[1], "pack") == 0) return run(&world, "decide_pack", 34, true, 60000);
    fprintf(stderr, "usage: decide 30|1000|pack\n");
    return 2;
}
