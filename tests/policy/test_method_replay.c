// SPDX-License-Identifier: Apache-2.0
// Replays of a method: steps with what they were started for and what they added; one replay serves all prices.
#include "policy/method_replay.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "item/trace_world.h"
#include "model/output.h"

static struct few__replay *open_replay(struct t_trace *t, struct few__value value, bool outputs)
{
    struct few__replay *replay;
    struct few_error err;
    const struct few__replay_opts opts = {.trace = &t->trace, .costs = t->world.costs, .outputs = outputs};
    assert_status(few__replay_create(&opts, value, FEW__RANK_RATIO, NULL, &replay, &err), FEW_OK, &err);
    return replay;
}

static struct few__value gains_of(const double *gain, size_t n)
{
    struct few__value value;
    assert_int_equal(few__value_gains(gain, NULL, n, "gains", NULL, &value, NULL), FEW_OK);
    return value;
}

static void assert_step(const struct few__replay_step *step, size_t model, double value, int64_t worth_us,
                        double gain, double time_us)
{
    assert_int_equal(step->model, model);
    assert_near(step->worth.value, value, 1e-12);
    assert_int_equal(step->worth.time_us, worth_us);
    assert_near(step->gain, gain, 1e-6);
    assert_near(step->time_us, time_us, 0);
}

/* a (100 us): worth 1. b (200 us): 3, says label 0 (0.6). c needs b (100 us): 9, says labels 0 (0.9), 1 (0.8). The item takes
 * its own times. b is started for c's sake: 12 in 300 us. */
static void set_chain(struct t_trace *t)
{
    t_trace_init(t, 3, 3);
    t->world.models[2].needs = 1;
    t_world_time(&t->world, 1, 200);
    for (size_t i = 0; i < 3; i++) {
        t->trace.cells[3 * i + 1].time_us = 210;
        t->trace.cells[3 * i + 2].time_us = 90;
        t_trace_says(t, i, 1, 0, 0.6F);
        t_trace_says(t, i, 2, 0, 0.9F);
        t_trace_says(t, i, 2, 1, 0.8F);
    }
    t_trace_empty(t, 1, 1); // b finds nothing, so c did not run
    t_trace_empty(t, 1, 2);
    t->trace.cells[5].outcome = FEW_SKIPPED;
    t->trace.cells[7].outcome = FEW_FAILED; // b fails, so c did not run
    t->trace.cells[7].n_valuable = 0;
    t->trace.cells[8].outcome = FEW_SKIPPED;
    t->trace.cells[8].n_valuable = 0;
}

static const double chain_gain[3] = {1, 3, 9};

static void test_steps(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__replay_item item;
    struct few_error err;
    set_chain(&t);
    struct few__replay *replay = open_replay(&t, gains_of(chain_gain, 3), false);
    assert_status(few__replay_run(replay, 0, &item, &err), FEW_OK, &err);
    assert_int_equal(item.n_steps, 3);
    assert_step(&item.steps[0], 1, 12, 300, 0.6, 210);
    assert_step(&item.steps[1], 2, 9, 100, 0.3 + 0.8, 90);
    assert_step(&item.steps[2], 0, 1, 100, 0, 100);
    assert_near(item.value, 1.7, 1e-6);
    assert_near(item.time_us, 400, 0);
    assert_status(few__replay_run(replay, 1, &item, &err), FEW_OK, &err);
    assert_int_equal(item.n_steps, 2);
    assert_step(&item.steps[0], 1, 12, 300, 0, 210);
    assert_step(&item.steps[1], 0, 1, 100, 0, 100);
    assert_near(item.value, 0, 0);
    assert_near(item.time_us, 310, 0);
    assert_status(few__replay_run(replay, 2, &item, &err), FEW_OK, &err); // what failed took its time
    assert_int_equal(item.n_steps, 2);
    assert_near(item.time_us, 310, 0);
    few__replay_destroy(replay);
    t_trace_finish(&t);
}

// As if every model found something: the same steps on every item, and those out of reach are free and worth nothing.
static void test_wish(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__replay_item item;
    set_chain(&t);
    struct few__replay *replay = open_replay(&t, gains_of(chain_gain, 3), false);
    for (size_t i = 0; i < 3; i++) {
        few__replay_wish(replay, i, &item);
        assert_int_equal(item.n_steps, 3);
        assert_step(&item.steps[0], 1, 12, 300, i == 0 ? 0.6 : 0, 210);
        assert_step(&item.steps[1], 2, 9, 100, i == 0 ? 1.1 : 0, i == 0 ? 90 : 0);
        assert_step(&item.steps[2], 0, 1, 100, 0, 100);
        assert_near(item.time_us, i == 0 ? 400 : 310, 0);
    }
    few__replay_destroy(replay);
    t_trace_finish(&t);
}

/* ---- at random ---- */

// The steps add up to the value of what ran; with a price the same models start, up to the first that is not worth it.
static void test_one_replay_serves_all_prices(void **state)
{
    (void)state;
    size_t n_cut = 0;
    for (uint64_t seed = t_seed(); seed < t_seed() + 400; seed++) {
        struct t_trace t;
        struct few__rng rng;
        struct few__replay_item item;
        struct few_error err;
        double gain[10], ran_us = 0;
        bool ran[10] = {false};
        size_t order[T_MODELS], k = 0;
        few__rng_init(&rng, seed, 7);
        t_trace_init(&t, 10, 1);
        t_trace_random(&t, &rng);
        for (size_t m = 0; m < 10; m++) gain[m] = few__rng_unit(&rng) - 0.1;
        struct few__value value = gains_of(gain, 10), again = gains_of(gain, 10);
        struct few__replay *replay = open_replay(&t, value, false);
        assert_status(few__replay_run(replay, 0, &item, &err), FEW_OK, &err);
        double sum = 0, price = few__rng_unit(&rng) * 0.01 - 0.001, lowest = INFINITY;
        for (size_t i = 0; i < item.n_steps; i++) {
            ran[item.steps[i].model] = true;
            sum += item.steps[i].gain;
            ran_us += item.steps[i].time_us;
            lowest = fmin(lowest, item.steps[i].worth.value / (double)item.steps[i].worth.time_us);
            if (!(lowest < price)) k = i + 1;
        }
        assert_near(sum, t_set_value(&t, 0, ran), 1e-5);
        assert_near(item.value, sum, 1e-5); // all that could run did
        assert_near(item.time_us, ran_us, 0);
        size_t n = t_replay_price(&t, again, FEW__RANK_RATIO, price, order);
        if (n != k) fail_msg("seed %llu: %zu models, not %zu", (unsigned long long)seed, n, k);
        for (size_t i = 0; i < k; i++) assert_int_equal(order[i], item.steps[i].model);
        n_cut += k > 0 && k < item.n_steps;
        again.destroy(again.self);
        few__replay_destroy(replay);
        t_trace_finish(&t);
    }
    assert_true(n_cut > 200);
}

/* ---- outputs ---- */

struct looker {
    size_t n_seen, n_missing;
};

static void look(void *self, const struct few__view *view, double *q)
{
    struct looker *looker = self;
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        q[m] = 1;
        if (view->states[m] != FEW__DONE || view->outcomes[m] != FEW_EXECUTED) continue;
        if (!view->outputs[m]) looker->n_missing++;
        else looker->n_seen += view->outputs[m]->values[0] == (float)m;
    }
}

static void test_outputs(void **state)
{
    (void)state;
    struct t_trace t;
    struct few__arena arena;
    struct few__replay_item item;
    struct few_error err;
    t_trace_init(&t, 3, 1);
    few__arena_init(&arena, NULL, 1 << 16);
    for (size_t m = 0; m < 3; m++) {
        float number = (float)m;
        const struct few_output output = {.kind = FEW_VECTOR, .n = 1, .values = &number};
        t.world.models[m].kind = FEW_VECTOR;
        assert_int_equal(
            few__output_pack(&output, &arena, &t.trace.cells[m].packed, &t.trace.cells[m].n_packed), FEW_OK);
    }
    for (int with = 0; with < 2; with++) {
        struct looker looker = {0};
        struct few__replay *replay =
            open_replay(&t, (struct few__value){.self = &looker, .name = "look", .score = look}, with);
        assert_status(few__replay_run(replay, 0, &item, &err), FEW_OK, &err);
        assert_int_equal(looker.n_seen, with ? 3 : 0);
        assert_int_equal(looker.n_missing, with ? 0 : 3);
        few__replay_destroy(replay);
    }
    struct looker looker = {0};
    t.trace.cells[2].n_packed = 3; // damaged
    struct few__replay *replay =
        open_replay(&t, (struct few__value){.self = &looker, .name = "look", .score = look}, true);
    assert_status(few__replay_run(replay, 0, &item, &err), FEW_EPARSE, &err);
    few__replay_destroy(replay);
    few__arena_finish(&arena);
    t_trace_finish(&t);
}

/* ---- gaps ---- */

static void test_gaps(void **state)
{
    (void)state;
    struct t_trace t;
    t_trace_init(&t, 3, 1);
    t.world.models[2].needs = 1;
    struct few__trace_cell *cells = t.trace.cells;
    assert_int_equal(few__replay_gap(&t.trace, 0), 3);
    cells[0].outcome = FEW_FAILED;
    assert_int_equal(few__replay_gap(&t.trace, 0), 3);
    cells[0].outcome = FEW_SKIPPED;
    assert_int_equal(few__replay_gap(&t.trace, 0), 0);
    cells[0].empty = true; // of a modality that the item has not
    assert_int_equal(few__replay_gap(&t.trace, 0), 3);
    cells[2].outcome = FEW_LATE; // its need found something
    assert_int_equal(few__replay_gap(&t.trace, 0), 2);
    cells[1].empty = true;
    assert_int_equal(few__replay_gap(&t.trace, 0), 3);
    t_trace_finish(&t);
}

/* ---- memory ---- */

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct t_trace *t = ud;
    const struct few_env env = {.mem = mem};
    const struct few__replay_opts opts = {.trace = &t->trace, .costs = t->world.costs};
    struct few__value value;
    struct few__replay *replay;
    enum few_status status = few__value_gains(chain_gain, NULL, 3, "gains", &env, &value, NULL);
    if (status == FEW_OK) status = few__replay_create(&opts, value, FEW__RANK_RATIO, &env, &replay, NULL);
    if (status == FEW_OK) few__replay_destroy(replay);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct t_trace t;
    set_chain(&t);
    t_fail_each_allocation(create, &t);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),   cmocka_unit_test(test_wish),
        cmocka_unit_test(test_outputs), cmocka_unit_test(test_one_replay_serves_all_prices),
        cmocka_unit_test(test_gaps),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
