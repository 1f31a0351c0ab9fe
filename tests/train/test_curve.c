// SPDX-License-Identifier: Apache-2.0
// Curves of recall by time: a case by hand, then what a stop says against replays with its price.
#include "train/curve.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/mem.h"
#include "item/trace_world.h"
#include "policy/methods.h"
#include "train/learners.h"

enum { MODELS = 8, ITEMS = 30 };

/* ---- a method whose values are fixed: tensor "fixed.gain" ---- */

static enum few_status open_fixed(const struct few__tensors *tensors, const struct few_catalog *catalog,
                                  const struct few_env *env, void **self, struct few_error *err)
{
    const struct few__named_tensor *tensor;
    (void)env;
    *self = NULL;
    FEW__TRY(few__tensors_get(tensors, "fixed.gain", FEW__F64, &catalog->n_models, 1, &tensor, err));
    *self = (void *)(uintptr_t)tensor->data;
    return FEW_OK;
}

static void close_fixed(void *self)
{
    (void)self;
}

static enum few_status value_fixed(const void *self, const struct few__method_map *map,
                                   const struct few_cost *costs, bool packs, const struct few_env *env,
                                   struct few__value *value, struct few_error *err)
{
    (void)costs;
    assert_false(packs);
    return few__value_gains(self, NULL, map->catalog->n_models, "fixed", env, value, err);
}

static const struct few__method fixed = {
    .name = "fixed", .rank = FEW__RANK_RATIO, .open = open_fixed, .close = close_fixed, .value = value_fixed};

static struct few__tensors *fixed_tensors(const double *gain, size_t n)
{
    struct few__tensors *tensors;
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_int_equal(few__tensors_add(tensors, "fixed.gain", FEW__F64, &n, 1, gain, NULL, NULL), FEW_OK);
    return tensors;
}

static struct few__curve *open_curve(struct t_trace *t, const struct few__method *method,
                                     const struct few__tensors *tensors)
{
    struct few__curve *curve;
    struct few_error err;
    size_t items[ITEMS], n = t->trace.n_items;
    const struct few__curve_opts opts = {
        .trace = &t->trace, .costs = t->world.costs, .method = method, .n_items = n, .n_units = n};
    for (size_t i = 0; i < n; i++) items[i] = i;
    for (size_t m = 0; m < t->trace.catalog.n_models; m++) t->world.models[m].priority = 1;
    assert_status(few__curve_create(&opts, NULL, &curve, &err), FEW_OK, &err);
    // In two parts, as folds are.
    assert_status(few__curve_add(curve, tensors, items, items, n / 2, &err), FEW_OK, &err);
    assert_status(few__curve_add(curve, tensors, items + n / 2, items + n / 2, n - n / 2, &err), FEW_OK,
                  &err);
    assert_status(few__curve_finish(curve, &err), FEW_OK, &err);
    return curve;
}

static struct few__learned_stop stop_at(const struct few__curve *curve, const struct few__tensors *whole,
                                        double recall)
{
    struct few__learned_stop stop = {.recall = recall};
    struct few_error err;
    assert_status(few__curve_stops(curve, whole, 1, &stop, 1, &err), FEW_OK, &err);
    return stop;
}

/* Values 4, 3, 2, 1 in 100 us each. Item 0: a has all of it. Item 1: b half, d half. Item 2: nothing of value. */
static void test_by_hand(void **state)
{
    (void)state;
    struct t_trace t;
    const double gain[4] = {4, 3, 2, 1};
    t_trace_init(&t, 4, 3);
    t_trace_says(&t, 0, 0, 0, 0.8F);
    t_trace_says(&t, 1, 1, 0, 0.6F);
    t_trace_says(&t, 1, 3, 1, 0.6F);
    struct few__tensors *tensors = fixed_tensors(gain, 4);
    struct few__curve *curve = open_curve(&t, &fixed, tensors);
    // Recall 1/3 for nothing, 2/3 after a (3 of 12 runs), 5/6 after b (6 of 12), 1 after d (12 of 12).
    static const struct {
        double wanted, got, price, time;
    } cases[] = {{0.1, 1.0 / 3, 0.08, 0},    {0.34, 2.0 / 3, 0.035, 0.25}, {0.6, 2.0 / 3, 0.035, 0.25},
                 {0.7, 5.0 / 6, 0.025, 0.5}, {0.84, 1, 0.005, 1},          {0.99, 1, 0.005, 1},
                 {1, 1, -INFINITY, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct few__learned_stop stop = stop_at(curve, tensors, cases[i].wanted);
        assert_near(stop.got, cases[i].got, 1e-9);
        assert_near(stop.time_ratio, cases[i].time, 1e-9);
        if (isinf(cases[i].price)) assert_true(stop.price == cases[i].price);
        else assert_near(stop.price, cases[i].price, 1e-9);
        assert_true(stop.low <= stop.got && stop.got <= stop.high);
    }
    // On the straight line between two stops.
    assert_near(few__curve_time(curve, 0.2), 0, 1e-9);
    assert_near(few__curve_time(curve, 0.5), 0.125, 1e-9);
    assert_near(few__curve_time(curve, 0.75), 0.375, 1e-9);
    assert_near(few__curve_time(curve, 5.0 / 6), 0.5, 1e-6);
    assert_near(few__curve_time(curve, 1), 1, 1e-9);
    few__curve_destroy(curve);
    few__tensors_free(tensors);
    t_trace_finish(&t);
}

/* ---- a stop is kept ---- */

// Mean recall and share of the time of replays with a price.
static void replay_all(struct t_trace *t, const struct few__method *method,
                       const struct few__tensors *tensors, double price, double *recall, double *share)
{
    double spent_us = 0, all_us = 0;
    size_t n = t->trace.catalog.n_models, order[T_MODELS];
    uint32_t same[T_LABELS];
    void *self;
    struct few__value value;
    *recall = 0;
    for (uint32_t i = 0; i < T_LABELS; i++) same[i] = i;
    const struct few__method_map map = {&t->trace.catalog, same, same};
    assert_int_equal(method->open(tensors, &t->trace.catalog, NULL, &self, NULL), FEW_OK);
    assert_int_equal(method->value(self, &map, t->world.costs, false, NULL, &value, NULL), FEW_OK);
    for (size_t i = 0; i < t->trace.n_items; i++) {
        bool in[T_MODELS] = {false}, all[T_MODELS];
        for (size_t m = 0; m < n; m++) {
            const struct few__trace_cell *cell = few__trace_cell(&t->trace, i, m);
            all[m] = cell->outcome == FEW_EXECUTED;
            all_us += all[m] ? cell->time_us : 0;
        }
        size_t started = t_replay_price_on(t, value, method->rank, price, i, order);
        for (size_t k = 0; k < started; k++) {
            in[order[k]] = true;
            spent_us += few__trace_cell(&t->trace, i, order[k])->time_us;
        }
        double whole = t_set_value(t, i, all);
        *recall += whole > 0 ? t_set_value(t, i, in) / whole : 1;
    }
    *recall /= (double)t->trace.n_items;
    *share = spent_us / all_us;
    value.destroy(value.self);
    method->close(self);
}

static void assert_kept(struct t_trace *t, const struct few__method *method,
                        const struct few__tensors *tensors)
{
    struct few__curve *curve = open_curve(t, method, tensors);
    double before = 0;
    for (double wanted = 0.05; wanted < 1.01; wanted += 0.05) {
        struct few__learned_stop stop = stop_at(curve, tensors, wanted < 1 ? wanted : 1);
        double recall, share;
        replay_all(t, method, tensors, stop.price, &recall, &share);
        assert_near(recall, stop.got, 1e-5);
        assert_near(share, stop.time_ratio, 1e-9);
        assert_true(stop.got >= stop.recall - 1e-6 && stop.got >= before);
        assert_true(stop.low <= stop.got + 1e-9 && stop.got <= stop.high + 1e-9);
        before = stop.got;
    }
    few__curve_destroy(curve);
}

static void test_stops_are_kept(void **state)
{
    (void)state;
    for (uint64_t seed = t_seed(); seed < t_seed() + 40; seed++) {
        struct t_trace t;
        struct few__rng rng;
        double gain[MODELS];
        size_t items[ITEMS];
        few__rng_init(&rng, seed, 3);
        t_trace_init(&t, MODELS, ITEMS);
        t_trace_random(&t, &rng);
        for (size_t i = 0; i < ITEMS; i++) items[i] = i;
        for (size_t m = 0; m < MODELS; m++) gain[m] = few__rng_unit(&rng) - 0.2;
        struct few__tensors *tensors = fixed_tensors(gain, MODELS);
        assert_kept(&t, &fixed, tensors);
        few__tensors_free(tensors);
        // One order for all items: stops are places in it.
        const struct few__lesson lesson = {
            .trace = &t.trace, .items = items, .n_items = ITEMS, .costs = t.world.costs};
        assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
        assert_int_equal(few__learner_static.learn(&lesson, tensors, NULL), FEW_OK);
        assert_kept(&t, &few__method_static, tensors);
        few__tensors_free(tensors);
        t_trace_finish(&t);
    }
}

/* ---- intervals ---- */

// Recall is 1 or 0 after the first model; the deviation of the mean of n is that of a share.
static void test_intervals(void **state)
{
    (void)state;
    struct t_trace t;
    const double gain[2] = {2, 1};
    t_trace_init(&t, 2, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) t_trace_says(&t, i, i % 3 ? 0 : 1, 0, 0.9F);
    struct few__tensors *tensors = fixed_tensors(gain, 2);
    struct few__curve *curve = open_curve(&t, &fixed, tensors);
    struct few__learned_stop a = stop_at(curve, tensors, 0.6), b = stop_at(curve, tensors, 0.6);
    assert_near(a.got, 2.0 / 3, 1e-9);
    assert_near(a.got - a.low, 1.96 * sqrt(2.0 / 9 / ITEMS), 0.04);
    assert_near(a.high - a.got, 1.96 * sqrt(2.0 / 9 / ITEMS), 0.04);
    assert_memory_equal(&a, &b, sizeof a);
    struct few__learned_stop all = stop_at(curve, tensors, 1);
    assert_near(all.low, 1, 0);
    assert_near(all.high, 1, 0);
    few__curve_destroy(curve);
    few__tensors_free(tensors);
    t_trace_finish(&t);
}

/* ---- memory ---- */

struct asked {
    struct t_trace *t;
    struct few__tensors *tensors;
};

static enum few_status all_of_it(const struct few_mem *mem, void *ud)
{
    struct asked *asked = ud;
    const struct few_env env = {.mem = mem};
    const size_t items[2] = {0, 1};
    struct few__curve *curve;
    struct few__learned_stop stops[2] = {{.recall = 0.5}, {.recall = 1}};
    const struct few__curve_opts opts = {.trace = &asked->t->trace,
                                         .costs = asked->t->world.costs,
                                         .method = &few__method_static,
                                         .n_items = 2,
                                         .n_units = 2};
    enum few_status status = few__curve_create(&opts, &env, &curve, NULL);
    if (status != FEW_OK) return status;
    status = few__curve_add(curve, asked->tensors, items, items, 2, NULL);
    if (status == FEW_OK) status = few__curve_finish(curve, NULL);
    if (status == FEW_OK) status = few__curve_stops(curve, asked->tensors, 1, stops, 2, NULL);
    few__curve_destroy(curve);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct t_trace t;
    const size_t items[2] = {0, 1};
    struct asked asked = {.t = &t};
    t_trace_init(&t, 3, 2);
    t_trace_says(&t, 0, 0, 0, 0.9F);
    for (size_t m = 0; m < 3; m++) t.world.models[m].priority = 2;
    const struct few__lesson lesson = {
        .trace = &t.trace, .items = items, .n_items = 2, .costs = t.world.costs};
    assert_int_equal(few__tensors_create(NULL, &asked.tensors, NULL), FEW_OK);
    assert_int_equal(few__learner_static.learn(&lesson, asked.tensors, NULL), FEW_OK);
    t_fail_each_allocation(all_of_it, &asked);
    few__tensors_free(asked.tensors);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_stops_are_kept),
        cmocka_unit_test(test_intervals),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
