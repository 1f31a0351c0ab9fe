// SPDX-License-Identifier: Apache-2.0
/* Schedulers on streams of random items: several in flight, models that are loaded and evicted, batches, variants, times
 * that are not met. The executor stops the program at an answer that it does not allow; the checker reads the log. */
#include "exec/world.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "item/sched_deadline.h"
#include "item/sched_pack.h"

enum { SLOTS = 4, ITEMS = 6, MODELS = 10 };

enum scheduler { RATIO, STOP, VALUE, FAITHFUL, IMPROVED, N_SCHEDULERS };

struct flight {
    struct t_world w;
    double q[T_MODELS];
    struct few__sched scheds[SLOTS];
    struct few__chooser choosers[SLOTS];
    size_t batch_max[T_MODELS];
    struct few__exec *exec;
    struct few__exec_log log;
    size_t n_executed, n_finished;
    bool ends; // a deadline does
};

static void score(void *self, const struct few__view *view, double *q)
{
    memcpy(q, ((struct flight *)self)->q, view->catalog->n_models * sizeof *q);
}

static enum few_status create(struct flight *f, enum scheduler which, struct few__sched *sched)
{
    static const enum few__rank ranks[] = {FEW__RANK_RATIO, FEW__RANK_STOP, FEW__RANK_VALUE};
    const struct few__value value = {.self = f, .name = "table", .score = score};
    const struct few_catalog *catalog = &f->w.catalog;
    if (which < FAITHFUL) return few__sched_deadline_create(catalog, value, ranks[which], NULL, sched, NULL);
    return few__sched_pack_create(catalog, value, which == FAITHFUL ? FEW__PACK_FAITHFUL : FEW__PACK_IMPROVED,
                                  NULL, sched, NULL);
}

static const struct few__sim_truth *truth_of(void *ud, uint64_t item, int64_t *read_us, bool *readable)
{
    struct flight *f = ud;
    *read_us = item % 3 ? 0 : 5;
    *readable = item != 4;
    return f->w.truth;
}

static void note_finished(void *ud, uint64_t item, size_t slot, int64_t now_us)
{
    struct flight *f = ud;
    (void)now_us;
    f->n_finished++;
    for (size_t m = 0; m < f->w.catalog.n_models; m++) {
        const struct few__exec_row *row = &few__exec_rows(f->exec, slot)[m];
        f->n_executed += row->outcome == FEW_EXECUTED;
        // Without a deadline, what could run did: nothing is left lying because it was not loaded.
        if (f->ends || item == 4) continue;
        if (row->reason == FEW__WHY_NOT_WORTH || row->reason == FEW__WHY_NO_TIME ||
            row->reason == FEW__WHY_NOT_LOADED)
            fail_msg("item %llu: model %zu was left out", (unsigned long long)item, m);
    }
}

static uint64_t make_models(struct flight *f, struct few__rng *rng)
{
    uint64_t largest = 1;
    t_world_random(&f->w, rng, MODELS);
    for (size_t m = 0; m < f->w.catalog.n_models; m++) {
        struct few_cost *cost = &f->w.costs[m];
        cost->weights_bytes = few__rng_below(rng, 20);
        cost->memory_bytes = cost->weights_bytes + few__rng_below(rng, 10);
        cost->load_us = (int64_t)few__rng_below(rng, 100);
        if (cost->memory_bytes > largest) largest = cost->memory_bytes;
        f->w.truth[m].unsure = few__rng_below(rng, 2) == 0;
        f->batch_max[m] = 1 + (size_t)few__rng_below(rng, 3);
        f->q[m] = (double)few__rng_below(rng, 12) / 8 - 0.25;
        // A group: this model and one before it that is in none.
        size_t first = m ? (size_t)few__rng_below(rng, m) : 0;
        if (!m || few__rng_below(rng, 4) || f->w.models[first].variant_of >= 0) continue;
        f->w.models[first].variant_of = f->w.models[m].variant_of = (int)first;
    }
    return largest;
}

static void fly(struct flight *f, enum scheduler which, uint64_t seed)
{
    struct few__rng rng;
    struct few_error err;
    int64_t end_us;
    few__rng_init(&rng, seed, 41);
    uint64_t largest = make_models(f, &rng);
    for (size_t s = 0; s < SLOTS; s++) {
        assert_int_equal(create(f, which, &f->scheds[s]), FEW_OK);
        f->choosers[s] = f->scheds[s].chooser;
    }
    few__exec_log_clear(&f->log);
    struct few__exec_opts opts = {.catalog = &f->w.catalog,
                                  .costs = f->w.costs,
                                  .choosers = f->choosers,
                                  .n_slots = 1 + (size_t)few__rng_below(&rng, SLOTS),
                                  .n_lanes = 1 + (size_t)few__rng_below(&rng, 4),
                                  .memory_bytes =
                                      few__rng_below(&rng, 4) ? largest + few__rng_below(&rng, 60) : 0,
                                  .loads = few__rng_below(&rng, 4) > 0,
                                  .batch_max = few__rng_below(&rng, 2) ? f->batch_max : NULL,
                                  .variants = (enum few__variant_rule)few__rng_below(&rng, 3),
                                  .log = &f->log,
                                  .keep_pace = few__rng_below(&rng, 2) == 0};
    f->ends = few__rng_below(&rng, 3) > 0 || which == STOP;
    struct few__sim_stream stream = {.n_items = ITEMS,
                                     .deadline_us =
                                         f->ends ? (int64_t)few__rng_below(&rng, 1200) : FEW__NO_DEADLINE,
                                     .truth = truth_of,
                                     .finished = note_finished,
                                     .ud = f};
    assert_status(few__exec_create(&opts, &f->exec, &err), FEW_OK, &err);
    assert_status(few__sim_stream(f->exec, &stream, 0, NULL, &end_us, &err), FEW_OK, &err);
    if (few__exec_check(&f->log, &opts, &err) != FEW_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.message);
    few__exec_destroy(f->exec);
    for (size_t s = 0; s < SLOTS; s++) few__sched_destroy(&f->scheds[s]);
}

static void test_streams(void **state)
{
    (void)state;
    static struct flight f;
    assert_int_equal(few__exec_log_init(&f.log, NULL, 4096, NULL), FEW_OK);
    for (enum scheduler which = RATIO; which < N_SCHEDULERS; which++) {
        f.n_executed = f.n_finished = 0;
        for (uint64_t seed = t_seed(); seed < t_seed() + 2000; seed++) fly(&f, which, seed);
        assert_int_equal(f.n_finished, 2000 * ITEMS);
        assert_true(f.n_executed > 2000 * ITEMS);
    }
    few__exec_log_finish(&f.log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
