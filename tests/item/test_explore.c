// SPDX-License-Identifier: Apache-2.0
/* Explore and exploit: subsets computed by hand, the greedy choice against its definition, the phases of streams, and what
 * the executor makes of gains. */
#include "item/explore.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "item/trace_world.h"

enum { LABELS = 12 };

/* ---- what models say ---- */

static const int32_t label_ids[LABELS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
static const bool no_nulls[LABELS];

static void init(struct t_trace *t, size_t n_models, size_t n_items)
{
    t_trace_init(t, n_models, n_items);
    for (size_t m = 0; m < n_models; m++) {
        struct few_model *model = &t->world.models[m];
        model->kind = FEW_LABELS;
        model->n_labels = LABELS;
        model->label_ids = label_ids;
        model->is_null = no_nulls;
        model->threshold = 0.5f;
    }
}

struct said {
    float values[T_MODELS][LABELS];
    struct few_output outputs[T_MODELS];
    const struct few_output *all[T_MODELS];
};

// What the models said on an item of the trace; where they said nothing, one is NULL and another is empty.
static const struct few_output *const *outputs_of(const struct t_trace *t, size_t item, struct said *said)
{
    memset(said, 0, sizeof *said);
    for (size_t m = 0; m < t->trace.catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(&t->trace, item, m);
        for (size_t v = 0; v < cell->n_valuable; v++) {
            float *value = &said->values[m][cell->valuable[v].label];
            *value = fmaxf(*value, cell->valuable[v].confidence);
        }
        said->outputs[m] = (struct few_output){
            .kind = FEW_LABELS, .empty = cell->empty, .n = LABELS, .values = said->values[m]};
        said->all[m] = cell->empty && m % 2 ? NULL : &said->outputs[m];
    }
    return said->all;
}

static struct few__explore *create(const struct t_trace *t, size_t n_first, double keep)
{
    struct few__explore_opts opts = {
        .catalog = &t->world.catalog, .costs = t->world.costs, .n_first = n_first, .keep = keep};
    struct few__explore *explore;
    struct few_error err;
    assert_status(few__explore_create(&opts, NULL, &explore, &err), FEW_OK, &err);
    return explore;
}

static void begin(struct few__explore *explore, size_t stream, int64_t segment)
{
    struct few_error err;
    assert_int_equal(few__explore_phase(explore, stream, segment), FEW__PHASE_EXPLORE);
    assert_status(few__explore_begin(explore, stream, segment, &err), FEW_OK, &err);
}

static void learn(struct few__explore *explore, size_t stream, int64_t segment, const struct t_trace *t,
                  size_t item)
{
    struct said said;
    struct few_error err;
    assert_status(few__explore_learn(explore, stream, segment, true, outputs_of(t, item, &said), &err),
                  FEW_OK, &err);
}

static void give_up(struct few__explore *explore, size_t stream, int64_t segment)
{
    struct few_error err;
    assert_status(few__explore_learn(explore, stream, segment, false, NULL, &err), FEW_OK, &err);
}

// Explores items from .. from + n - 1 of the trace.
static const double *explore_items(struct few__explore *explore, size_t stream, int64_t segment,
                                   const struct t_trace *t, size_t from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        begin(explore, stream, segment);
        learn(explore, stream, segment, t, from + i);
    }
    assert_int_equal(few__explore_phase(explore, stream, segment), FEW__PHASE_EXPLOIT);
    return few__explore_gains(explore, stream);
}

static void assert_gains(const struct t_trace *t, size_t n_first, double keep, const double *expected)
{
    struct few__explore *explore = create(t, n_first, keep);
    const double *gains = explore_items(explore, 0, 0, t, 0, n_first);
    for (size_t m = 0; m < t->world.catalog.n_models; m++) assert_near(gains[m], expected[m], 1e-6);
    few__explore_destroy(explore);
}

/* ---- the subset, by hand ---- */

static void test_subset(void **state)
{
    (void)state;
    struct t_trace t;
    init(&t, 3, 2);
    t_world_time(&t.world, 2, 200);
    for (size_t i = 0; i < 2; i++) {
        t_trace_says(&t, i, 0, 0, 0.9f);
        t_trace_says(&t, i, 2, 2, 0.6f);
    }
    t_trace_says(&t, 0, 1, 0, 0.8f);
    t_trace_says(&t, 0, 1, 1, 0.7f);
    // A second of a brings 9,000; of b 7,500, and after a 3,500; of c 3,000. Of 1.85 an item a has 0.9, with b 1.25.
    assert_gains(&t, 2, 1, (double[]){0.9, 0.35, 0.6});
    assert_gains(&t, 2, 0, (double[]){0.9, 0.35, 0.6}); // 0 = 1
    assert_gains(&t, 2, 0.68, (double[]){0.9, 0.35, 0.6});
    assert_gains(&t, 2, 0.67, (double[]){0.9, 0.35, 0});
    assert_gains(&t, 2, 0.49, (double[]){0.9, 0.35, 0});
    assert_gains(&t, 2, 0.48, (double[]){0.9, 0, 0});
    assert_gains(&t, 2, 1e-9, (double[]){0.9, 0, 0});
    t_world_time(&t.world, 0, 1000); // too dear to be first: then it adds 0.1 and 0.9
    assert_gains(&t, 2, 1, (double[]){0.5, 0.75, 0.6});
    t_trace_finish(&t);
}

static void test_ties_and_nothing(void **state)
{
    (void)state;
    struct t_trace t;
    init(&t, 4, 3);
    assert_gains(&t, 3, 1, (double[]){0, 0, 0, 0}); // nothing was said: nothing is worth running
    for (size_t m = 1; m < 4; m++) t_trace_says(&t, 1, m, 5, 0.75f);
    assert_gains(&t, 3, 1, (double[]){0, 0.25, 0, 0});
    t_world_time(&t.world, 3, 99);
    assert_gains(&t, 3, 1, (double[]){0, 0, 0, 0.25});
    t_trace_finish(&t);
}

static void test_needs(void **state)
{
    (void)state;
    struct t_trace t;
    init(&t, 4, 1);
    // c looks at d's boxes, a at c's. d says nothing of value itself.
    t.world.models[2].needs = 3;
    t.world.models[0].needs = 2;
    t_world_time(&t.world, 1, 150);
    t_trace_says(&t, 0, 0, 0, 0.6f);
    t_trace_says(&t, 0, 1, 1, 0.9f);
    t_trace_says(&t, 0, 2, 2, 0.8f);
    // An ms of d, c brings 4; of d, c, a 4.67; of b 6. So b, d, c, a, with 2.3 in all.
    assert_gains(&t, 1, 1, (double[]){0.6, 0.9, 0.8, 0});
    assert_gains(&t, 1, 0.74, (double[]){0.6, 0.9, 0.8, 0});
    assert_gains(&t, 1, 0.73,
                 (double[]){0, 0.9, 0.8, 0}); // 1.7 is enough without a; the scheduler starts d for c
    assert_gains(&t, 1, 0.392, (double[]){0, 0.9, 0.8, 0});
    assert_gains(&t, 1, 0.391, (double[]){0, 0.9, 0, 0});
    t_trace_finish(&t);
}

/* ---- the subset, as it is defined ---- */

static double value_of(const struct t_trace *t, const bool *in)
{
    double value = 0;
    for (size_t i = 0; i < t->trace.n_items; i++) value += t_set_value(t, i, in);
    return value / (double)t->trace.n_items;
}

// The model and its needs that are missing join `in`; returns what they take.
static double join_chain(const struct t_trace *t, size_t model, bool *in)
{
    double time = 0;
    for (int m = (int)model; m >= 0 && !in[m]; m = t->world.models[m].needs) {
        in[m] = true;
        time += (double)t->world.costs[m].time_us;
    }
    return time;
}

// Of a chain, needs first, until what is in is worth enough.
static void add_while(const struct t_trace *t, const bool *with, double enough, bool *in)
{
    for (bool added = true; added && value_of(t, in) < enough;) {
        added = false;
        for (size_t m = 0; m < t->world.catalog.n_models && !added; m++) {
            int need = t->world.models[m].needs;
            if (!with[m] || in[m] || (need >= 0 && !in[need])) continue;
            in[m] = added = true;
        }
    }
}

static void check_greedy(const struct t_trace *t, double keep, const double *gains)
{
    size_t n = t->world.catalog.n_models;
    bool all[T_MODELS], in[T_MODELS] = {false};
    double gained = 0;
    memset(all, true, sizeof all);
    double whole = value_of(t, all);
    while (value_of(t, in) < keep * whole - 1e-7) {
        bool best[T_MODELS] = {false};
        double best_ratio = 0, now = value_of(t, in);
        for (size_t m = 0; m < n; m++) {
            bool with[T_MODELS];
            memcpy(with, in, sizeof with);
            if (in[m]) continue;
            double time = join_chain(t, m, with), ratio = (value_of(t, with) - now) / time;
            if (ratio <= best_ratio * (1 + 1e-9)) continue;
            best_ratio = ratio;
            memcpy(best, with, sizeof best);
        }
        add_while(t, best, keep * whole - 1e-7, in);
    }
    for (size_t m = 0; m < n; m++) {
        if (!in[m]) assert_near(gains[m], 0, 0);
        gained += gains[m];
    }
    assert_near(gained, value_of(t, in), 1e-5);
    assert_true(gained >= keep * whole - 1e-5);
}

static void test_greedy(void **state)
{
    (void)state;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    static const double keeps[] = {1, 0.99, 0.9, 0.7, 0.3};
    for (int round = 0; round < 100; round++) {
        struct t_trace t;
        init(&t, 1 + (size_t)few__rng_below(&rng, 12), 1 + (size_t)few__rng_below(&rng, 4));
        t_trace_random(&t, &rng);
        struct few__explore *explore = create(&t, t.trace.n_items, keeps[round % 5]);
        const double *gains = explore_items(explore, 0, 0, &t, 0, t.trace.n_items);
        check_greedy(&t, keeps[round % 5], gains);
        few__explore_destroy(explore);
        t_trace_finish(&t);
    }
}

/* ---- phases ---- */

static void test_phases(void **state)
{
    (void)state;
    struct t_trace t;
    init(&t, 2, 4);
    t_trace_says(&t, 0, 0, 0, 0.9f);
    t_trace_says(&t, 3, 1, 1, 0.8f);
    struct few__explore *explore = create(&t, 0, 0); // 3 items, all their value
    for (int i = 0; i < 3; i++) begin(explore, 0, 7);
    assert_int_equal(few__explore_phase(explore, 0, 7), FEW__PHASE_WAIT);
    learn(explore, 0, 7, &t, 0);
    give_up(explore, 0, 7);
    begin(explore, 0, 7); // another one instead
    assert_int_equal(few__explore_phase(explore, 0, 7), FEW__PHASE_WAIT);
    learn(explore, 0, 7, &t, 1);
    assert_int_equal(few__explore_phase(explore, 0, 7), FEW__PHASE_WAIT);
    learn(explore, 0, 7, &t, 2);
    assert_int_equal(few__explore_phase(explore, 0, 7), FEW__PHASE_EXPLOIT);
    assert_near(few__explore_gains(explore, 0)[0], 0.3, 1e-6);
    assert_near(few__explore_gains(explore, 0)[1], 0, 0);
    // The next segment knows nothing of this one.
    begin(explore, 0, 8);
    begin(explore, 0, 8);
    learn(explore, 0, 8, &t, 3);
    // It ends before its explorers are learned: what they say comes too late.
    begin(explore, 0, 9);
    learn(explore, 0, 8, &t, 3);
    give_up(explore, 0, 8);
    learn(explore, 0, 9, &t, 1);
    begin(explore, 0, 9);
    begin(explore, 0, 9);
    learn(explore, 0, 9, &t, 3);
    learn(explore, 0, 9, &t, 2);
    assert_int_equal(few__explore_phase(explore, 0, 9), FEW__PHASE_EXPLOIT);
    assert_near(few__explore_gains(explore, 0)[0], 0, 0);
    assert_near(few__explore_gains(explore, 0)[1], 0.8 / 3, 1e-6);
    assert_int_equal(few__explore_phase(explore, 0, 10), FEW__PHASE_EXPLORE);
    few__explore_destroy(explore);
    t_trace_finish(&t);
}

static void test_streams(void **state)
{
    (void)state;
    struct t_trace t;
    init(&t, 3, 3);
    for (size_t m = 0; m < 3; m++) t_trace_says(&t, m, m, (int32_t)m, 0.9f);
    struct few__explore *explore = create(&t, 1, 1);
    begin(explore, 5, 0);
    begin(explore, 0, 0);
    begin(explore, 40, 0);
    for (size_t i = 0; i < 3; i++) {
        static const size_t streams[] = {40, 5, 0};
        assert_int_equal(few__explore_phase(explore, streams[i], 0), FEW__PHASE_WAIT);
        learn(explore, streams[i], 0, &t, i);
    }
    assert_near(few__explore_gains(explore, 40)[0], 0.9, 1e-6);
    assert_near(few__explore_gains(explore, 5)[1], 0.9, 1e-6);
    assert_near(few__explore_gains(explore, 0)[2], 0.9, 1e-6);
    assert_near(few__explore_gains(explore, 0)[0], 0, 0);
    begin(explore, 5, 1); // one goes on, the others stay
    assert_int_equal(few__explore_phase(explore, 40, 0), FEW__PHASE_EXPLOIT);
    assert_int_equal(few__explore_phase(explore, 3, 0), FEW__PHASE_EXPLORE); // none that ever began
    give_up(explore, 3, 0);
    give_up(explore, 1000, 0);
    few__explore_destroy(explore);
    t_trace_finish(&t);
}

static void test_limits(void **state)
{
    (void)state;
    struct t_trace t;
    struct few_error err;
    struct few__explore *explore;
    init(&t, 1, 1);
    struct few__explore_opts opts = {.catalog = &t.world.catalog, .costs = t.world.costs};
    opts.n_first = FEW__EXPLORE_FIRST_MAX;
    assert_status(few__explore_create(&opts, NULL, &explore, &err), FEW_OK, &err);
    few__explore_destroy(explore);
    opts.n_first++;
    assert_status(few__explore_create(&opts, NULL, &explore, &err), FEW_EINVAL, &err);
    assert_null(explore);
    assert_non_null(strstr(err.message, "at most 1000 items of a segment, found 1001"));
    opts.n_first = 1;
    static const double wrong[] = {-0.1, 1.1, NAN};
    for (size_t i = 0; i < 3; i++) {
        opts.keep = wrong[i];
        assert_status(few__explore_create(&opts, NULL, &explore, &err), FEW_EINVAL, &err);
    }
    few__explore_destroy(NULL);
    t_trace_finish(&t);
}

/* ---- memory ---- */

static enum few_status explore_twice(const struct few_mem *mem, void *ud)
{
    const struct t_trace *t = ud;
    struct few__explore_opts opts = {.catalog = &t->world.catalog, .costs = t->world.costs, .n_first = 2};
    struct few_env env = {.mem = mem};
    struct few__explore *explore;
    struct said said;
    enum few_status status = few__explore_create(&opts, &env, &explore, NULL);
    for (size_t i = 0; status == FEW_OK && i < 4; i++) {
        status = few__explore_begin(explore, i % 2, 0, NULL);
        if (status == FEW_OK)
            status = few__explore_learn(explore, i % 2, 0, true, outputs_of(t, i, &said), NULL);
    }
    few__explore_destroy(explore);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 2);
    init(&t, 6, 4);
    t_trace_random(&t, &rng);
    t_fail_each_allocation(explore_twice, &t);
    t_trace_finish(&t);
}

// Segments after the first take no memory.
static void test_no_allocation_later(void **state)
{
    (void)state;
    struct t_trace t;
    struct t_mem mem;
    struct few_error err;
    struct few__explore *explore;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 3);
    init(&t, 10, 3);
    t_trace_random(&t, &rng);
    t_mem_init(&mem, 0);
    struct few__explore_opts opts = {.catalog = &t.world.catalog, .costs = t.world.costs};
    assert_status(few__explore_create(&opts, &(struct few_env){.mem = &mem.mem}, &explore, &err), FEW_OK,
                  &err);
    explore_items(explore, 0, 0, &t, 0, 3);
    size_t calls = mem.calls;
    for (int64_t segment = 1; segment < 20; segment++) explore_items(explore, 0, segment, &t, 0, 3);
    assert_int_equal(mem.calls, calls);
    few__explore_destroy(explore);
    assert_int_equal(mem.live, 0);
    t_trace_finish(&t);
}

/* ---- gains in the executor ---- */

// The models that start on an item, as letters.
static void assert_runs(struct t_world *world, enum few__variant_rule variants, const double *gains,
                        const char *expected)
{
    struct few__value value;
    struct few__sched sched;
    struct few__exec *exec;
    struct few_error err;
    char letters[T_MODELS + 1];
    size_t n = 0;
    assert_status(few__value_segment(&world->catalog, NULL, &value, &err), FEW_OK, &err);
    assert_string_equal(value.name, "explore_exploit");
    assert_status(few__sched_deadline_create(&world->catalog, value, FEW__RANK_STOP, NULL, &sched, &err),
                  FEW_OK, &err);
    struct few__exec_opts opts = {
        .catalog = &world->catalog, .costs = world->costs, .choosers = &sched.chooser, .variants = variants};
    assert_status(few__exec_create(&opts, &exec, &err), FEW_OK, &err);
    struct few__sim_about about = {.has_parts = FEW__ALL_PARTS, .gains = gains};
    int64_t end = few__sim_item_about(exec, 0, &about, 0, FEW__NO_DEADLINE, world->truth);
    const struct few__exec_row *rows = few__exec_rows(exec, 0);
    for (int64_t at = 0; at <= end; at++)
        for (size_t m = 0; m < world->catalog.n_models; m++)
            if (rows[m].start_us == at) letters[n++] = (char)('a' + m);
    letters[n] = 0;
    assert_string_equal(letters, expected);
    few__exec_destroy(exec);
    few__sched_destroy(&sched);
}

static void test_gains_decide(void **state)
{
    (void)state;
    struct t_world world;
    t_world_init(&world, 4);
    t_world_time(&world, 1, 50);
    assert_runs(&world, FEW__VARIANTS_ALL, NULL, "abcd"); // nothing is known: everything
    assert_runs(&world, FEW__VARIANTS_ALL, (double[]){0.3, 0.3, 0.9, 0}, "cba");
    assert_runs(&world, FEW__VARIANTS_ALL, (double[]){0, 0, 0, 0}, "");
    world.models[0].needs = 3;
    assert_runs(&world, FEW__VARIANTS_ALL, NULL, "dabc");                      // d comes forward
    assert_runs(&world, FEW__VARIANTS_ALL, (double[]){0.9, 0.1, 0, 0}, "dab"); // d only for a
    world.truth[3].result = FEW__RESULT_EMPTY;
    assert_runs(&world, FEW__VARIANTS_ALL, (double[]){0.9, 0.1, 0, 0}, "db");
}

static void test_gains_of_variants(void **state)
{
    (void)state;
    struct t_world world;
    t_world_init(&world, 4);
    for (size_t m = 0; m < 3; m++) {
        world.models[m].variant_of = 0;
        t_world_time(&world, m, 100 * (int64_t)(m + 1));
    }
    double only_dear[] = {0, 0, 0.6, 0.1}, only_cheap[] = {0.6, 0, 0, 0.1}, none[] = {0, 0, 0, 0.1};
    assert_runs(&world, FEW__VARIANTS_CASCADE, only_dear, "ad"); // a was sure: nobody asks c
    world.truth[0].unsure = true;
    assert_runs(&world, FEW__VARIANTS_CASCADE, only_dear, "abd"); // so was b
    world.truth[1].unsure = true;
    assert_runs(&world, FEW__VARIANTS_CASCADE, only_dear, "abcd");
    assert_runs(&world, FEW__VARIANTS_CASCADE, only_cheap, "ad");
    assert_runs(&world, FEW__VARIANTS_CASCADE, none, "d");
    assert_runs(&world, FEW__VARIANTS_ALL, only_dear, "cd"); // models of their own
}

static enum few_status create_value(const struct few_mem *mem, void *ud)
{
    struct few__value value;
    enum few_status status = few__value_segment(ud, &(struct few_env){.mem = mem}, &value, NULL);
    if (status == FEW_OK) value.destroy(value.self);
    return status;
}

static void test_value_no_memory(void **state)
{
    (void)state;
    struct t_world world;
    t_world_init(&world, 5);
    t_fail_each_allocation(create_value, &world.catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subset),
        cmocka_unit_test(test_ties_and_nothing),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_no_allocation_later),
        cmocka_unit_test(test_gains_decide),
        cmocka_unit_test(test_gains_of_variants),
        cmocka_unit_test(test_value_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
