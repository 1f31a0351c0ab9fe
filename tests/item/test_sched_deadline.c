// SPDX-License-Identifier: Apache-2.0
// AMS Algorithm 1: the hand-computed examples of its corner cases, then random workloads.
#include "item/trace_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"

// A value function that copies numbers.
struct table {
    double q[T_MODELS];
    size_t n;
    size_t n_destroyed;
};

static void score(void *self, const struct few__view *view, double *q)
{
    const struct table *table = self;
    (void)view;
    memcpy(q, table->q, table->n * sizeof *q);
}

static void count_destroy(void *self)
{
    ((struct table *)self)->n_destroyed++;
}

static struct few__value table_value(struct table *table)
{
    return (struct few__value){.self = table, .name = "table", .score = score, .destroy = count_destroy};
}

/* Replay one item of models with these times and values; the models started are `expected`, as letters. */
static void assert_starts(const char *expected, size_t n, const int64_t *times_us, const int *needs,
                          const double *q, enum few__rank rule, int64_t deadline_us)
{
    struct t_trace t;
    struct table table = {.n = n};
    memcpy(table.q, q, n * sizeof *q);
    t_trace_init(&t, n, 1);
    for (size_t m = 0; m < n; m++) {
        t_world_time(&t.world, m, times_us[m]);
        t.trace.cells[m].time_us = times_us[m] > 0 ? (int32_t)times_us[m] : 1;
        if (needs) t.world.models[m].needs = needs[m];
    }
    size_t order[T_MODELS];
    size_t started = t_replay(&t, table_value(&table), rule, 0, deadline_us, order);
    char letters[T_MODELS + 1] = "";
    for (size_t i = 0; i < started; i++) letters[i] = t.world.names[order[i]][0];
    letters[started] = 0;
    assert_string_equal(letters, expected);
    t_trace_finish(&t);
}

#define TIMES     (const int64_t[])
#define NEEDS     (const int[])
#define Q         (const double[])
#define RATIO     FEW__RANK_RATIO
#define UNLIMITED FEW__NO_DEADLINE

// A (0.3 s, 0.9), B (0.2, 0.5), C (0.5, 1.2), budget 0.5 s.
static void test_cost_q_greedy_against_q_greedy(void **state)
{
    (void)state;
    const int64_t times[] = {300000, 200000, 500000};
    const double q[] = {0.9, 0.5, 1.2};
    assert_starts("ab", 3, times, NULL, q, RATIO, 500000);
    assert_starts("c", 3, times, NULL, q, FEW__RANK_VALUE, 500000);
    assert_starts("cab", 3, times, NULL, q, FEW__RANK_VALUE, UNLIMITED);
    assert_starts("abc", 3, times, NULL, q, RATIO, UNLIMITED);
}

// Equal to what is left is admissible, one microsecond more is not; and the loop ends although time remains.
static void test_filter_is_strict(void **state)
{
    (void)state;
    assert_starts("a", 1, TIMES{100}, NULL, Q{1}, RATIO, 100);
    assert_starts("", 1, TIMES{101}, NULL, Q{1}, RATIO, 100);
    assert_starts("ba", 3, TIMES{60, 40, 1}, NULL, Q{1, 1, 1e-9}, RATIO, 100);
    assert_starts("bac", 3, TIMES{60, 40, 1}, NULL, Q{1, 1, 1e-9}, RATIO, 101);
    assert_starts("", 2, TIMES{60, 40}, NULL, Q{1, 1}, RATIO, 0);
    assert_starts("b", 2, TIMES{60, 40}, NULL, Q{9, 1}, RATIO, 59);
}

// -0.5 / 0.1 = -5 < -0.9 / 0.4 = -2.25: the quotient prefers the long useless model, the product -0.05 >
// -0.36 the short one.
static void test_negative_values(void **state)
{
    (void)state;
    const int64_t times[] = {100000, 400000};
    const double q[] = {-0.5, -0.9};
    assert_starts("ba", 2, times, NULL, q, RATIO, UNLIMITED);
    assert_starts("b", 2, times, NULL, q, RATIO, 400000);
    assert_starts("", 2, times, NULL, q, FEW__RANK_STOP, UNLIMITED);
    assert_starts("ab", 2, times, NULL, q, FEW__RANK_PRODUCT, UNLIMITED);
    // Positive ones come first whatever their time; zero is not worth running for STOP.
    const int64_t times3[] = {100, 400, 100};
    const double q3[] = {-0.5, 0.01, 0};
    assert_starts("bca", 3, times3, NULL, q3, FEW__RANK_PRODUCT, UNLIMITED);
    assert_starts("b", 3, times3, NULL, q3, FEW__RANK_STOP, UNLIMITED);
    // STOP looks at what still fits: the positive one does not.
    assert_starts("", 3, times3, NULL, q3, FEW__RANK_STOP, 399);
}

static void test_ties_go_to_the_lowest_index(void **state)
{
    (void)state;
    assert_starts("abcd", 4, TIMES{100, 50, 200, 100}, NULL, Q{1, .5, 2, 1}, RATIO, UNLIMITED);
    assert_starts("abcd", 4, TIMES{100, 50, 200, 100}, NULL, Q{0, 0, 0, 0}, RATIO, UNLIMITED);
    // b needs d, so d is looked at before b; a, c and d still tie by index.
    assert_starts("acdb", 4, TIMES{100, 100, 100, 100}, NEEDS{-1, 3, -1, -1}, Q{1, .5, 1, 1}, RATIO,
                  UNLIMITED);
}

static void test_time_zero_counts_as_one_microsecond(void **state)
{
    (void)state;
    // 5 / 1 us against 400 / 100 us; then two of time 0 are ordered by q.
    assert_starts("ab", 2, TIMES{0, 100}, NULL, Q{5, 400}, RATIO, UNLIMITED);
    assert_starts("ba", 2, TIMES{0, -3}, NULL, Q{5, 6}, RATIO, UNLIMITED);
    assert_starts("b", 2, TIMES{0, 0}, NULL, Q{5, 6}, RATIO, 1);
}

static void test_values_that_are_no_numbers(void **state)
{
    (void)state;
    const int64_t times[] = {100, 100, 100};
    assert_starts("cba", 3, times, NULL, Q{NAN, -1e300, 1}, RATIO, UNLIMITED);
    assert_starts("cab", 3, times, NULL, Q{NAN, NAN, 1}, RATIO, UNLIMITED);
    assert_starts("cba", 3, times, NULL, Q{NAN, -1, 1}, FEW__RANK_PRODUCT, UNLIMITED);
    assert_starts("c", 3, times, NULL, Q{NAN, -1, 1}, FEW__RANK_STOP, UNLIMITED);
    assert_starts("cab", 3, times, NULL, Q{-INFINITY, NAN, INFINITY}, RATIO, UNLIMITED);
    // The chain of a and b is the sum of both infinities, which counts as minus infinity; a alone is plus.
    assert_starts("acb", 3, times, NEEDS{-1, 0, -1}, Q{INFINITY, -INFINITY, 1}, RATIO, UNLIMITED);
}

// AMS says so itself: density greedy can be arbitrarily bad. Kept as it is; the optimum would be b, worth 1.
static void test_density_greedy_can_be_arbitrarily_bad(void **state)
{
    (void)state;
    assert_starts("a", 2, TIMES{10000, 1000000}, NULL, Q{0.02, 1}, RATIO, 1000000);
}

static void test_chains(void **state)
{
    (void)state;
    // b (worth 3) needs a (worth 0): 3 / 200 beats c's 1 / 100; then b alone is 3 / 100.
    assert_starts("abc", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 1}, RATIO, UNLIMITED);
    // ... and loses against 2 / 100.
    assert_starts("cab", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 2}, RATIO, UNLIMITED);
    // The chain must fit as a whole: 200 > 199. a alone does, and is worth nothing.
    assert_starts("ab", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 1}, RATIO, 200);
    assert_starts("c", 3, TIMES{100, 100, 100}, NEEDS{-1, 0, -1}, Q{0, 3, 1}, RATIO, 199);
    // Three deep, the user's index below its needs': a <- b <- c backwards.
    assert_starts("cbad", 4, TIMES{10, 10, 10, 10}, NEEDS{1, 2, -1, -1}, Q{9, 0, 0, 2}, RATIO, UNLIMITED);
    assert_starts("dcba", 4, TIMES{10, 10, 10, 10}, NEEDS{1, 2, -1, -1}, Q{9, 0, 0, 4}, RATIO, UNLIMITED);
    // A worthless user does not pull its need down: a alone is better than a and b.
    assert_starts("acb", 3, TIMES{10, 90, 50}, NEEDS{-1, 0, -1}, Q{1, 0, 2}, RATIO, UNLIMITED);
    // STOP: the chain is worth something although its need is not.
    assert_starts("ab", 3, TIMES{10, 10, 10}, NEEDS{-1, 0, -1}, Q{-1, 1.5, -1}, FEW__RANK_STOP, UNLIMITED);
    assert_starts("", 3, TIMES{10, 10, 10}, NEEDS{-1, 0, -1}, Q{-1, 1, -1}, FEW__RANK_STOP, UNLIMITED);
}

static void test_chain_after_an_empty_need(void **state)
{
    (void)state;
    struct t_trace t;
    struct table table = {.n = 3, .q = {0, 9, 1}};
    t_trace_init(&t, 3, 1);
    t.world.models[1].needs = 0;
    t_trace_empty(&t, 0, 0);
    size_t order[T_MODELS];
    assert_int_equal(t_replay(&t, table_value(&table), RATIO, 0, UNLIMITED, order), 2);
    assert_int_equal(order[0], 0);
    assert_int_equal(order[1], 2);
    t_trace_finish(&t);
}

// What a running need may still find is waited for, with every mode.
static void test_two_lanes_wait_for_a_need(void **state)
{
    (void)state;
    for (enum few__rank mode = RATIO; mode <= FEW__RANK_VALUE; mode++) {
        struct t_world w;
        struct table table = {.n = 2, .q = {1, 2}};
        struct few__sched sched;
        struct few__exec_log log;
        t_world_init(&w, 2);
        w.models[1].needs = 0;
        assert_int_equal(
            few__sched_deadline_create(&w.catalog, table_value(&table), mode, NULL, &sched, NULL), FEW_OK);
        assert_int_equal(few__exec_log_init(&log, NULL, 16, NULL), FEW_OK);
        struct few__exec *exec = t_exec(&w, sched.chooser, 2, &log);
        few__sim_item(exec, 0, 0, 300, w.truth);
        t_assert_log(
            &log, &w,
            "0 item 0 deadline 300\n0 start a\n100 done a ok\n100 start b\n200 done b ok\n200 finish 0\n");
        few__exec_log_finish(&log);
        few__exec_destroy(exec);
        few__sched_destroy(&sched);
        assert_int_equal(table.n_destroyed, 1);
    }
}

/* ---- what is not loaded, held, short of memory, slow: views made by hand ---- */

struct scene {
    struct t_world w;
    struct table table;
    struct few__sched sched;
    struct few__view view;
    enum few__state states[T_MODELS];
    enum few_outcome outcomes[T_MODELS];
    bool found[T_MODELS], held[T_MODELS], resident[T_MODELS];
    uint64_t working[T_MODELS];
    double slow[T_MODELS];
    size_t chosen[T_MODELS];
};

// n models of 100 us worth n, n - 1 ... that are loaded and need a byte of eight; loading takes 1000 us.
static void set_scene(struct scene *s, size_t n)
{
    *s = (struct scene){.table = {.n = n}};
    t_world_init(&s->w, n);
    for (size_t m = 0; m < n; m++) {
        s->table.q[m] = (double)(n - m);
        s->resident[m] = true;
        s->working[m] = 1;
        s->slow[m] = 1;
        s->w.costs[m].load_us = 1000;
    }
    s->view = (struct few__view){.catalog = &s->w.catalog,
                                 .costs = s->w.costs,
                                 .states = s->states,
                                 .outcomes = s->outcomes,
                                 .found = s->found,
                                 .held = s->held,
                                 .n_pending = n,
                                 .n_lanes = 2,
                                 .n_free_lanes = 2,
                                 .memory_bytes = 8,
                                 .free_bytes = 8,
                                 .working_bytes = s->working,
                                 .resident = s->resident,
                                 .slow = s->slow,
                                 .pace = 1,
                                 .deadline_us = UNLIMITED};
}

// Once the needs are as they shall be.
static void open_scene(struct scene *s)
{
    assert_int_equal(
        few__sched_deadline_create(&s->w.catalog, table_value(&s->table), RATIO, NULL, &s->sched, NULL),
        FEW_OK);
}

static void assert_choice(struct scene *s, enum few__answer answer, size_t model, size_t wish)
{
    struct few__choice choice = {.models = s->chosen};
    s->sched.chooser.choose(s->sched.chooser.self, &s->view, &choice);
    assert_int_equal(choice.answer, answer);
    if (answer == FEW__START) assert_int_equal(choice.n, 1);
    if (answer == FEW__START) assert_int_equal(choice.models[0], model);
    assert_int_equal(choice.wish, wish);
}

#define NONE SIZE_MAX

static void test_what_is_not_loaded_is_wished_for(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3);
    open_scene(&s);
    assert_choice(&s, FEW__START, 0, 0);
    s.resident[0] = false; // b goes on meanwhile
    assert_choice(&s, FEW__START, 1, 0);
    s.resident[1] = s.resident[2] = false; // nothing can start: wait, if a would be ready in time
    assert_choice(&s, FEW__WAIT, 0, 0);
    s.view.deadline_us = 1100;
    assert_choice(&s, FEW__WAIT, 0, 0);
    s.view.deadline_us = 1099; // the next item may want it all the same
    assert_choice(&s, FEW__STOP, 0, 0);
    s.w.costs[2].load_us = 999; // only c would be: that is what is waited for
    assert_choice(&s, FEW__WAIT, 0, 2);
    s.view.deadline_us = 99;
    assert_choice(&s, FEW__STOP, 0, NONE);
    few__sched_destroy(&s.sched);
}

static void test_chains_of_what_is_not_loaded(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3);
    s.w.models[0].needs = 1;
    open_scene(&s);
    // a's chain is worth 5 / 200, b 2 / 100, c 1 / 100. While a is loaded, its need may go on.
    s.resident[0] = false;
    assert_choice(&s, FEW__START, 1, 0);
    s.view.deadline_us = 1199; // ... if that is in time: b alone is worth 2 / 100
    assert_choice(&s, FEW__START, 1, 0);
    s.table.q[1] = 0; // then b is worth nothing without a
    assert_choice(&s, FEW__START, 2, 0);
    s.view.deadline_us = 1200;
    assert_choice(&s, FEW__START, 1, 0);
    s.resident[1] = false; // both absent: the need is loaded first
    assert_choice(&s, FEW__START, 2, 1);
    few__sched_destroy(&s.sched);
}

static void test_what_has_no_memory_waits(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 2);
    open_scene(&s);
    s.view.free_bytes = 3;
    s.working[0] = 4;
    assert_choice(&s, FEW__START, 1, 0);
    s.working[1] = 4; // another item's runs will give it back
    assert_choice(&s, FEW__WAIT, 0, 0);
    s.working[0] = 9; // more than there is: never
    assert_choice(&s, FEW__WAIT, 0, 1);
    s.working[1] = 9;
    assert_choice(&s, FEW__STOP, 0, NONE);
    few__sched_destroy(&s.sched);
}

static void test_what_is_held_is_left_alone(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3);
    open_scene(&s);
    s.held[0] = true;
    assert_choice(&s, FEW__START, 1, 1);
    few__sched_destroy(&s.sched);
    s.w.models[1].needs = 0; // out of reach as long as its need is held
    open_scene(&s);
    assert_choice(&s, FEW__START, 2, 2);
    s.held[2] = true;
    assert_choice(&s, FEW__STOP, 0, NONE);
    few__sched_destroy(&s.sched);
}

static void test_what_is_slow_beside_others_counts_as_long(void **state)
{
    (void)state;
    struct scene s;
    set_scene(&s, 3);
    open_scene(&s);
    s.slow[0] = 1.6; // 3 / 160 < 2 / 100
    assert_choice(&s, FEW__START, 1, 1);
    s.slow[1] = 1.4; // 2 / 140 < 3 / 160
    assert_choice(&s, FEW__START, 0, 0);
    s.view.deadline_us = 159;
    assert_choice(&s, FEW__START, 1, 1);
    few__sched_destroy(&s.sched);
}

/* ---- life ---- */

static enum few_status create_in(const struct few_mem *mem, void *ud)
{
    struct t_world w;
    struct table *table = ud;
    struct few_env env = {.mem = mem};
    struct few__sched sched;
    t_world_init(&w, 30);
    table->n_destroyed = 0;
    enum few_status status =
        few__sched_deadline_create(&w.catalog, table_value(table), RATIO, &env, &sched, NULL);
    if (status != FEW_OK) assert_null(sched.chooser.self);
    few__sched_destroy(&sched);
    assert_int_equal(table->n_destroyed, 1); // also on failure
    return status;
}

static void test_create_without_memory(void **state)
{
    (void)state;
    struct table table = {.n = 30};
    t_fail_each_allocation(create_in, &table);
}

static void test_create_refuses_a_circle(void **state)
{
    (void)state;
    struct t_world w;
    struct table table = {.n = 2};
    struct few_error err;
    struct few__sched sched;
    t_world_init(&w, 2);
    w.models[0].needs = 1, w.models[1].needs = 0;
    assert_status(few__sched_deadline_create(&w.catalog, table_value(&table), RATIO, NULL, &sched, &err),
                  FEW_EINVAL, &err);
    assert_null(sched.chooser.self);
    assert_int_equal(table.n_destroyed, 1);
}

/* ---- random workloads ---- */

// The choice by a search over all models that walks every chain by itself.
static size_t reference_choice(const struct few__view *view, const double *q, enum few__rank rule)
{
    size_t best = SIZE_MAX, best_first = SIZE_MAX;
    double best_rank = 0;
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        if (view->states[m] != FEW__PENDING) continue;
        // From the top down, as the scheduler adds: sums of doubles depend on the order.
        size_t chain[T_MODELS], n = 0;
        int up = (int)m;
        for (; up >= 0 && view->states[up] == FEW__PENDING; up = view->catalog->models[up].needs)
            chain[n++] = (size_t)up;
        if (up >= 0 && !view->found[up]) continue;
        double value = q[chain[n - 1]];
        int64_t time = view->costs[chain[n - 1]].time_us;
        for (size_t k = n - 1; k-- > 0;) {
            value = q[chain[k]] + value;
            time += view->costs[chain[k]].time_us;
        }
        if (view->deadline_us != FEW__NO_DEADLINE && time > view->deadline_us - view->now_us) continue;
        if (rule == FEW__RANK_STOP && value <= 0) continue;
        double rank = rule == FEW__RANK_VALUE                   ? value
                      : rule == FEW__RANK_PRODUCT && value <= 0 ? value * (double)time
                                                                : value / (double)time;
        if (best != SIZE_MAX && rank <= best_rank) continue;
        best = m;
        best_rank = rank;
        best_first = chain[n - 1];
    }
    return best_first;
}

struct compared {
    struct few__chooser chooser;
    const double *q;
    enum few__rank rule;
    uint64_t seed;
    size_t n_starts, n_stops;
};

static void compare_choice(void *self, const struct few__view *view, struct few__choice *choice)
{
    struct compared *c = self;
    c->chooser.choose(c->chooser.self, view, choice);
    size_t expected = reference_choice(view, c->q, c->rule);
    bool same = expected == SIZE_MAX
                    ? choice->answer == (view->n_running ? FEW__WAIT : FEW__STOP)
                    : choice->answer == FEW__START && choice->n == 1 && choice->models[0] == expected;
    if (!same) fail_msg("seed %llu: another choice than %zu", (unsigned long long)c->seed, expected);
    if (choice->answer == FEW__START) c->n_starts++;
    if (choice->answer == FEW__STOP) c->n_stops++;
}

static void test_random_workloads(void **state)
{
    (void)state;
    struct few__exec_log log;
    size_t n_starts = 0, n_stops = 0;
    assert_int_equal(few__exec_log_init(&log, NULL, 256, NULL), FEW_OK);
    for (uint64_t seed = t_seed(); seed < t_seed() + 10000; seed++) {
        struct few__rng rng;
        struct t_world w;
        struct table table = {0};
        struct few__sched sched;
        struct few_error err;
        few__rng_init(&rng, seed, 3);
        t_world_random(&w, &rng, 16);
        table.n = w.catalog.n_models;
        for (size_t m = 0; m < table.n; m++) table.q[m] = (double)few__rng_below(&rng, 9) / 4 - 0.75;
        enum few__rank rule = (enum few__rank)few__rng_below(&rng, 4);
        size_t n_lanes = 1 + (size_t)few__rng_below(&rng, 2);
        assert_status(few__sched_deadline_create(&w.catalog, table_value(&table), rule, NULL, &sched, &err),
                      FEW_OK, &err);
        struct compared c = {.chooser = sched.chooser, .q = table.q, .rule = rule, .seed = seed};
        struct few__chooser chooser = {.self = &c, .name = "compared", .choose = compare_choice};
        struct few__exec *exec = t_exec(&w, chooser, n_lanes, &log);
        few__exec_log_clear(&log);
        int64_t deadline = few__rng_below(&rng, 4) ? (int64_t)few__rng_below(&rng, 1500) : UNLIMITED;
        few__sim_item(exec, seed, 0, deadline, w.truth);
        t_check(&log, &w, n_lanes);
        // Without a deadline nothing but STOP and bad luck leaves a model out.
        for (size_t m = 0; deadline == UNLIMITED && rule != FEW__RANK_STOP && m < table.n; m++) {
            enum few__reason why = few__exec_rows(exec, 0)[m].reason;
            if (why != FEW__WHY_CHOSEN && why != FEW__WHY_FAILED && why != FEW__WHY_NEED_EMPTY &&
                why != FEW__WHY_NEED_FAILED)
                fail_msg("seed %llu: model %zu was left out", (unsigned long long)seed, m);
        }
        n_starts += c.n_starts, n_stops += c.n_stops;
        few__exec_destroy(exec);
        few__sched_destroy(&sched);
    }
    assert_true(n_starts > 10000 && n_stops > 1000);
    few__exec_log_finish(&log);
}

static void test_choosing_allocates_nothing(void **state)
{
    (void)state;
    struct t_world w;
    struct table table = {.n = 30};
    struct t_mem mem;
    struct few__sched sched;
    t_world_init(&w, 30);
    for (size_t m = 0; m < 30; m++) table.q[m] = (double)(m * 7 % 30);
    t_mem_init(&mem, 0);
    struct few_env env = {.mem = &mem.mem};
    assert_int_equal(few__sched_deadline_create(&w.catalog, table_value(&table), RATIO, &env, &sched, NULL),
                     FEW_OK);
    struct few__exec *exec = t_exec(&w, sched.chooser, 1, NULL);
    size_t calls = mem.calls;
    few__sim_item(exec, 0, 0, 2000, w.truth);
    assert_int_equal(mem.calls, calls);
    few__exec_destroy(exec);
    few__sched_destroy(&sched);
    assert_int_equal(mem.live, 0);
}

/* a: 6 for 2 us, b: 5 for 5, c: -1 for 1, user d of b: 20 for 1. A price below the chain's 25 / 6 lets b start for d's sake. */
static void test_a_price_stops(void **state)
{
    (void)state;
    static const struct {
        double price;
        const char *starts;
    } cases[] = {{-INFINITY, "bdac"}, {-2, "bdac"}, {0, "bda"}, {3, "bda"}, {4.1, "bd"}, {4.2, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct t_trace t;
        struct table table = {.q = {6, 5, -1, 20}, .n = 4};
        t_trace_init(&t, 4, 1);
        const int64_t times[] = {2, 5, 1, 1};
        for (size_t m = 0; m < 4; m++) {
            t_world_time(&t.world, m, times[m]);
            t.trace.cells[m].time_us = (int32_t)times[m];
        }
        t.world.models[3].needs = 1;
        size_t order[T_MODELS];
        size_t started = t_replay_price(&t, table_value(&table), RATIO, cases[i].price, order);
        char letters[T_MODELS + 1] = "";
        for (size_t k = 0; k < started; k++) letters[k] = t.world.names[order[k]][0];
        assert_string_equal(letters, cases[i].starts);
        t_trace_finish(&t);
    }
}

/* What is told: of a start what it is started for, of the rest its own chain; models that run beside count nothing. */
static void test_it_tells_what_things_are_worth(void **state)
{
    (void)state;
    struct t_trace t;
    struct table table = {.n = 4, .q = {1, 3, -2, 5}};
    struct few__sched sched;
    char text[128];
    t_trace_init(&t, 4, 1);
    for (size_t m = 0; m < 4; m++) t_world_time(&t.world, m, 1000);
    t.world.models[3].needs = 0; // started first, for the sake of d: (1 + 5) / 2 ms
    for (size_t m = 0; m < 4; m++) t.trace.cells[m].time_us = 1000;
    assert_int_equal(
        few__sched_deadline_create(&t.world.catalog, table_value(&table), RATIO, NULL, &sched, NULL), FEW_OK);
    assert_null(sched.chooser.explain);
    few__sched_deadline_price(&sched, 3.001e-3);
    struct few__exec *exec = t_exec(&t.world, sched.chooser, 1, NULL);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, t_trace_truth(&t, 0));
    few__reason_text(exec, 0, 0, text, sizeof text);
    assert_string_equal(text, "not worth its time, says table: 1/ms, price 3/ms");
    few__reason_text(exec, 0, 3, text, sizeof text);
    assert_string_equal(text, "not worth its time, says table: 3/ms, price 3/ms");
    few__exec_destroy(exec);
    few__sched_deadline_price(&sched, 2.5e-3);
    exec = t_exec(&t.world, sched.chooser, 1, NULL);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, t_trace_truth(&t, 0));
    static const char *const reasons[] = {
        "chosen by table: worth 3/ms, price 2.5/ms", "chosen by table: worth 3/ms, price 2.5/ms",
        "not worth its time, says table: -2/ms, price 2.5/ms", "chosen by table: worth 5/ms, price 2.5/ms"};
    for (size_t m = 0; m < 4; m++) {
        few__reason_text(exec, 0, m, text, sizeof text);
        assert_string_equal(text, reasons[m]);
    }
    few__exec_destroy(exec);
    few__sched_destroy(&sched);
    t_trace_finish(&t);
}

// On two lanes: as long as one model of the item runs the next waits, and how slow models are side by side does not count.
static void test_in_turn(void **state)
{
    (void)state;
    struct t_world w;
    struct table table = {.n = 3, .q = {3, 2, 1}};
    struct few__sched sched;
    struct few__exec_log log;
    t_world_init(&w, 3);
    assert_int_equal(few__sched_deadline_create(&w.catalog, table_value(&table), RATIO, NULL, &sched, NULL),
                     FEW_OK);
    few__sched_deadline_in_turn(&sched);
    assert_int_equal(few__exec_log_init(&log, NULL, 64, NULL), FEW_OK);
    struct few__exec *exec = t_exec(&w, sched.chooser, 2, &log);
    few__sim_item(exec, 0, 0, FEW__NO_DEADLINE, w.truth);
    t_assert_log(
        &log, &w,
        "0 item 0\n0 start a\n100 done a ok\n100 start b\n200 done b ok\n200 start c\n300 done c ok\n"
        "300 finish 0\n");
    few__exec_log_finish(&log);
    few__exec_destroy(exec);
    few__sched_destroy(&sched);
}

// The view of an item whose model 0 takes four times as long beside what runs now.
static size_t first_of(struct few__sched *sched, const struct t_world *w, const double *slow)
{
    enum few__state states[3] = {FEW__PENDING, FEW__PENDING, FEW__PENDING};
    const bool no[3] = {false}, yes[3] = {true, true, true};
    const uint64_t bytes[3] = {0};
    size_t models[3];
    struct few__choice choice = {.models = models, .wish = SIZE_MAX};
    const struct few__view view = {.catalog = &w->catalog,
                                   .costs = w->costs,
                                   .states = states,
                                   .found = no,
                                   .held = no,
                                   .n_pending = 3,
                                   .n_lanes = 2,
                                   .n_free_lanes = 1,
                                   .memory_bytes = FEW__NO_BUDGET,
                                   .free_bytes = FEW__NO_BUDGET,
                                   .working_bytes = bytes,
                                   .resident = yes,
                                   .slow = slow,
                                   .pace = 1,
                                   .deadline_us = FEW__NO_DEADLINE};
    sched->chooser.choose(sched->chooser.self, &view, &choice);
    return choice.answer == FEW__START ? models[0] : SIZE_MAX;
}

static void test_a_price_is_for_the_time_alone(void **state)
{
    (void)state;
    struct t_world w;
    struct table table = {.n = 3, .q = {3, 2, 1}};
    struct few__sched sched;
    const double slow[3] = {4, 1, 1};
    t_world_init(&w, 3);
    assert_int_equal(few__sched_deadline_create(&w.catalog, table_value(&table), RATIO, NULL, &sched, NULL),
                     FEW_OK);
    assert_int_equal(first_of(&sched, &w, slow), 1);
    few__sched_deadline_price(&sched, 0.025); // model 0 is worth 0.03 alone, 0.0075 as it is now
    assert_int_equal(first_of(&sched, &w, slow), 0);
    few__sched_deadline_price(&sched, 0.031);
    assert_int_equal(first_of(&sched, &w, slow), SIZE_MAX);
    few__sched_deadline_price(&sched, 0);
    few__sched_deadline_in_turn(&sched);
    assert_int_equal(first_of(&sched, &w, slow), 0);
    few__sched_destroy(&sched);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost_q_greedy_against_q_greedy),
        cmocka_unit_test(test_filter_is_strict),
        cmocka_unit_test(test_negative_values),
        cmocka_unit_test(test_ties_go_to_the_lowest_index),
        cmocka_unit_test(test_time_zero_counts_as_one_microsecond),
        cmocka_unit_test(test_values_that_are_no_numbers),
        cmocka_unit_test(test_density_greedy_can_be_arbitrarily_bad),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_chain_after_an_empty_need),
        cmocka_unit_test(test_two_lanes_wait_for_a_need),
        cmocka_unit_test(test_what_is_not_loaded_is_wished_for),
        cmocka_unit_test(test_chains_of_what_is_not_loaded),
        cmocka_unit_test(test_what_has_no_memory_waits),
        cmocka_unit_test(test_what_is_held_is_left_alone),
        cmocka_unit_test(test_what_is_slow_beside_others_counts_as_long),
        cmocka_unit_test(test_a_price_stops),
        cmocka_unit_test(test_it_tells_what_things_are_worth),
        cmocka_unit_test(test_in_turn),
        cmocka_unit_test(test_a_price_is_for_the_time_alone),
        cmocka_unit_test(test_create_without_memory),
        cmocka_unit_test(test_create_refuses_a_circle),
        cmocka_unit_test(test_random_workloads),
        cmocka_unit_test(test_choosing_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
