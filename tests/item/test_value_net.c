// SPDX-License-Identifier: Apache-2.0
// Values by networks: as in a batch, bundles of needs by hand, maps, priorities; scoring allocates nothing.
#include "item/value_net.h"

#include <math.h>
#include <string.h>

#include "item/trace_world.h"

enum { M = 4, D = 3 };            // models, numbers of evidence of each
static const double LEAST = 1e-3; // that a value is

/* Models a, b, c, d of kind vector with three numbers each, whose evidence is the numbers themselves. */
struct made {
    struct t_world world;
    struct few__evidence evidence[M];
    struct few__value_nets nets;
    struct few__net *net[2];
    const struct few__net *list[2];
    uint32_t space_of[T_LABELS];
    float mean[D], basis[D * D];

    // A view.
    enum few__state states[M];
    enum few_outcome outcomes[M];
    float numbers[M][D], seen[T_LABELS];
    int32_t seen_labels[T_LABELS];
    struct few_output outputs[M];
    const struct few_output *said[M];
    struct few__view view;
};

static void make(struct made *w, size_t n_nets)
{
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 4);
    memset(w, 0, sizeof *w);
    t_world_init(&w->world, M);
    for (size_t i = 0; i < D; i++) w->basis[i * D + i] = 1;
    for (size_t m = 0; m < M; m++) {
        w->world.models[m].kind = FEW_VECTOR;
        w->world.models[m].priority = 1;
        few__evidence_sizes(&w->world.models[m], D, &w->evidence[m]);
        w->evidence[m].at = m * D;
        w->evidence[m].mean = w->mean, w->evidence[m].basis = w->basis;
        w->outputs[m] = (struct few_output){.kind = FEW_VECTOR, .n = D, .values = w->numbers[m]};
        for (size_t i = 0; i < D; i++) w->numbers[m][i] = (float)few__rng_normal(&rng);
    }
    w->nets.evidences = (struct few__evidences){.n_models = M, .n = M * D, .models = w->evidence, .room = D};
    w->nets.n_labels = T_LABELS;
    w->nets.n_spaces = few__label_spaces(&w->world.catalog, w->space_of);
    w->nets.space_of = w->space_of;
    w->nets.n_nets = n_nets;
    w->nets.nets = w->list;
    for (size_t i = 0; i < n_nets; i++) {
        const struct few__net_spec spec = {.n_in = few__value_nets_inputs(&w->nets),
                                           .n_layers = 2,
                                           .layers = {{8, FEW__RELU, 0.5F}, {M, FEW__LINEAR, 0}}};
        assert_int_equal(few__net_create(&spec, NULL, &w->net[i], NULL), FEW_OK);
        few__net_init(w->net[i], FEW__GLOROT_UNIFORM, &rng);
        w->list[i] = w->net[i];
    }
    w->view = (struct few__view){.catalog = &w->world.catalog,
                                 .costs = w->world.costs,
                                 .states = w->states,
                                 .outcomes = w->outcomes,
                                 .outputs = w->said,
                                 .seen = w->seen,
                                 .seen_labels = w->seen_labels};
}

static void finish(struct made *w)
{
    for (size_t i = 0; i < w->nets.n_nets; i++) few__net_destroy(w->net[i]);
}

static void run(struct made *w, size_t m)
{
    w->states[m] = FEW__DONE;
    w->outcomes[m] = FEW_EXECUTED;
    w->said[m] = &w->outputs[m];
}

static void see(struct made *w, int32_t label, float confidence)
{
    if (!(w->seen[label] > 0)) w->seen_labels[w->view.n_seen++] = label;
    w->seen[label] = confidence;
}

// Inputs written down from the definition.
static void inputs_of(const struct made *w, float *x)
{
    float *sums = x + M * D + M;
    memset(x, 0, few__value_nets_inputs(&w->nets) * sizeof *x);
    for (size_t m = 0; m < M; m++) {
        if (!w->said[m]) continue;
        for (size_t i = 0; i < D; i++) x[m * D + i] = fminf(4, fmaxf(-4, w->numbers[m][i]));
        x[M * D + m] = 1;
    }
    for (size_t l = 0; l < T_LABELS; l++) {
        if (!(w->seen[l] > 0)) continue;
        sums[2 * w->space_of[l]] += w->seen[l], sums[2 * w->space_of[l] + 1] += 1;
        sums[2 * w->nets.n_spaces] += w->seen[l], sums[2 * w->nets.n_spaces + 1] += 1;
    }
    for (size_t k = 0; k < 2 * (w->nets.n_spaces + 1); k++) sums[k] = logf(1 + sums[k]);
}

static void assert_values(struct made *w, struct few__value *value)
{
    float x[256];
    double q[M], expected[M] = {0};
    inputs_of(w, x);
    for (size_t i = 0; i < w->nets.n_nets; i++) {
        struct few__work *work;
        const struct few__net_input input = {.n = 1, .dense = x, .n_dense = few__value_nets_inputs(&w->nets)};
        assert_int_equal(few__work_create(w->net[i], 1, NULL, &work, NULL), FEW_OK);
        const float *out = few__net_forward(w->net[i], work, &input, NULL);
        for (size_t m = 0; m < M; m++) expected[m] += (double)out[m] / (double)w->nets.n_nets;
        few__work_destroy(work);
    }
    value->score(value->self, &w->view, q);
    for (size_t m = 0; m < M; m++) assert_near(q[m], fmax(expected[m], LEAST), 1e-5);
    value->score(value->self, &w->view, q); // asked again at the same instant
    for (size_t m = 0; m < M; m++) assert_near(q[m], fmax(expected[m], LEAST), 1e-5);
}

static void test_values_are_those_of_a_batch(void **state)
{
    (void)state;
    struct made w;
    struct few__value value;
    make(&w, 2);
    assert_int_equal(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, NULL),
                     FEW_OK);
    for (int item = 0; item < 2; item++) {
        value.begin(value.self, &w.view);
        assert_values(&w, &value);
        run(&w, 2), see(&w, 3, 0.75F);
        assert_values(&w, &value);
        run(&w, 0), run(&w, 1), see(&w, 3, 0.9F), see(&w, 9, 0.6F);
        assert_values(&w, &value);
        memset(w.states, 0, sizeof w.states), memset(w.said, 0, sizeof w.said),
            memset(w.seen, 0, sizeof w.seen), w.view.n_seen = 0;
    }
    value.destroy(value.self);
    finish(&w);
}

// Outputs are the biases: whatever was seen, the values are these.
static void fix_values(struct made *w, const float *q)
{
    const struct few__layer *last = &w->net[0]->layers[1];
    memset(w->net[0]->params, 0, w->net[0]->n_block * sizeof *w->net[0]->params);
    memcpy(w->net[0]->params + last->bias, q, M * sizeof *q);
}

/* a in 10 us for .1; its users b in 2 us for .3, c in 4 us for .2, d in 100 us for .1. Bundles: with b .4 / 12, with c too
 * .6 / 16, with d too .7 / 116: the second is best, and a is worth 10 us of it. */
static void test_a_need_is_worth_its_best_bundle(void **state)
{
    (void)state;
    struct made w;
    struct few__value value;
    double q[M];
    make(&w, 1);
    fix_values(&w, (const float[]){0.1F, 0.3F, 0.2F, 0.1F});
    const int64_t times[] = {10, 2, 4, 100};
    for (size_t m = 0; m < M; m++) t_world_time(&w.world, m, times[m]), w.world.models[m].needs = m ? 0 : -1;
    assert_int_equal(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, NULL),
                     FEW_OK);
    value.score(value.self, &w.view, q);
    assert_near(q[0], 10 * 0.6 / 16, 1e-6);
    for (size_t m = 1; m < M; m++) assert_near(q[m], 0, 0);
    run(&w, 0); // now they stand for themselves
    value.score(value.self, &w.view, q);
    assert_near(q[1], 0.3, 1e-6);
    assert_near(q[3], 0.1, 1e-6);
    value.destroy(value.self);

    memset(w.states, 0, sizeof w.states), memset(w.said, 0, sizeof w.said);
    assert_int_equal( // for packing every model has what it adds
        few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, false, NULL, &value, NULL), FEW_OK);
    value.score(value.self, &w.view, q);
    assert_near(q[0], 0.1, 1e-6);
    assert_near(q[1], 0.3, 1e-6);
    value.destroy(value.self);
    finish(&w);
}

static void test_a_bundle_of_bundles(void **state)
{
    (void)state;
    struct made w;
    struct few__value value;
    double q[M];
    make(&w, 1);
    fix_values(&w, (const float[]){0, 0, 0.8F,
                                   -0.5F}); // c needs b, b needs a; d needs a and is worth less than nothing
    const int64_t times[] = {2, 2, 4, 1};
    for (size_t m = 0; m < M; m++) t_world_time(&w.world, m, times[m]);
    w.world.models[1].needs = 0, w.world.models[2].needs = 1, w.world.models[3].needs = 0;
    assert_int_equal(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, NULL),
                     FEW_OK);
    value.score(value.self, &w.view, q);
    double b = 2 * (LEAST + 0.8) / 6; // worth of b, and of a, 2 us of (its own + b) / 4 us
    assert_near(q[0], 2 * (LEAST + b) / 4, 1e-6);
    assert_near(q[1], 0, 0);
    run(&w, 0);
    value.score(value.self, &w.view, q);
    assert_near(q[1], b, 1e-6);
    assert_near(q[3], LEAST, 1e-9); // what is predicted to be worth less than nothing is worth a little
    value.destroy(value.self);
    finish(&w);
}

static void test_maps_and_priorities(void **state)
{
    (void)state;
    struct made w;
    struct few__value value;
    double q[M];
    uint32_t labels[T_LABELS];
    make(&w, 1);
    fix_values(&w, (const float[]){0.1F, 0.2F, 0.3F, 0.4F});
    const uint32_t models[] = {3, UINT32_MAX, 0, 1};
    const struct few__value_maps maps = {models, labels};
    for (size_t l = 0; l < T_LABELS; l++) labels[l] = l ? (uint32_t)l - 1 : UINT32_MAX;
    w.world.models[2].priority = 5;
    assert_int_equal(
        few__value_net(&w.nets, &w.world.catalog, &maps, w.world.costs, true, NULL, &value, NULL), FEW_OK);
    run(&w, 1), see(&w, 0, 0.9F); // what the nets do not know counts over all only
    value.score(value.self, &w.view, q);
    const double expected[] = {0.4, 0, 0.5, 0.2};
    for (size_t m = 0; m < M; m++) assert_near(q[m], expected[m], 1e-6);
    value.destroy(value.self);
    finish(&w);
}

static void test_refused(void **state)
{
    (void)state;
    struct made w;
    struct few__value value;
    struct few_error err;
    make(&w, 1);
    w.evidence[0].n_summary++; // the sizes do not fit the net any more
    w.nets.evidences.n++;
    assert_status(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, &err),
                  FEW_ESHAPE, &err);
    w.nets.evidences.n--;
    w.nets.n_nets = 0;
    assert_status(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, &err),
                  FEW_ESHAPE, &err);
    w.nets.n_nets = FEW__VALUE_NETS_MAX + 1;
    assert_status(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, &err),
                  FEW_ESHAPE, &err);
    w.nets.n_nets = 1;
    w.world.models[0].needs = 1, w.world.models[1].needs = 0;
    assert_status(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, NULL, &value, &err),
                  FEW_EINVAL, &err);
    finish(&w);
}

static enum few_status create_once(const struct few_mem *mem, void *ud)
{
    struct made *w = ud;
    struct few__value value;
    const struct few_env env = {.mem = mem};
    enum few_status status =
        few__value_net(&w->nets, &w->world.catalog, NULL, w->world.costs, true, &env, &value, NULL);
    if (status == FEW_OK) value.destroy(value.self);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct made w;
    make(&w, 2);
    t_fail_each_allocation(create_once, &w);
    struct t_mem mem;
    struct few__value value;
    double q[M];
    t_mem_init(&mem, 0);
    const struct few_env env = {.mem = &mem.mem};
    assert_int_equal(few__value_net(&w.nets, &w.world.catalog, NULL, w.world.costs, true, &env, &value, NULL),
                     FEW_OK);
    size_t calls = mem.calls;
    for (size_t m = 0; m < M; m++) {
        value.begin(value.self, &w.view);
        run(&w, m);
        value.score(value.self, &w.view, q);
    }
    assert_int_equal(mem.calls, calls);
    value.destroy(value.self);
    assert_int_equal(mem.live, 0);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_those_of_a_batch),
        cmocka_unit_test(test_a_need_is_worth_its_best_bundle),
        cmocka_unit_test(test_a_bundle_of_bundles),
        cmocka_unit_test(test_maps_and_priorities),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
