// SPDX-License-Identifier: Apache-2.0
// The agent in use: state by state against the whole net, maps between catalogs, no allocation.
#include "item/trace_world.h"

#include <string.h>

#include "item/value_dqn.h"

enum { HIDDEN = 20 };

static struct few__net *make_net(size_t n_in, size_t n_out, bool dueling)
{
    struct few__net *net;
    struct few__rng rng;
    struct few__net_spec spec = {.n_in = n_in,
                                 .n_layers = 2,
                                 .layers = {{HIDDEN, FEW__RELU, 0}, {n_out, FEW__LINEAR, 0}},
                                 .dueling = dueling};
    few__rng_init(&rng, t_seed(), n_in);
    assert_int_equal(few__net_create(&spec, NULL, &net, NULL), FEW_OK);
    few__net_init(net, FEW__GLOROT_UNIFORM, &rng);
    return net;
}

// Wraps a value function and compares each of its scores with a forward of the state that the view shows.
struct checked {
    struct few__value inner;
    const struct few__dqn_net *about;
    struct few__work *work;
    size_t n_scores;
};

static void check_begin(void *self, const struct few__view *view)
{
    struct checked *c = self;
    c->inner.begin(c->inner.self, view);
}

static void check_score(void *self, const struct few__view *view, double *q)
{
    struct checked *c = self;
    const struct few__dqn_net *about = c->about;
    uint32_t index[T_LABELS + T_MODELS], first[2] = {0, 0};
    c->inner.score(c->inner.self, view, q);
    for (uint32_t l = 0; l < T_LABELS; l++) {
        uint32_t label = about->label_of ? about->label_of[l] : l;
        if (about->input_of && label != UINT32_MAX) label = about->input_of[label];
        if (view->seen[l] > 0 && label != UINT32_MAX) index[first[1]++] = label;
    }
    for (uint32_t m = 0; about->executed_bits && m < view->catalog->n_models; m++) {
        uint32_t model = about->model_of ? about->model_of[m] : m;
        if (view->states[m] == FEW__DONE && view->outcomes[m] == FEW_EXECUTED && model != UINT32_MAX)
            index[first[1]++] = (uint32_t)about->n_labels + model;
    }
    const float *out = few__net_forward(
        about->net, c->work, &(struct few__net_input){.n = 1, .first = first, .index = index}, NULL);
    for (size_t m = 0; m < view->catalog->n_models; m++) {
        uint32_t model = about->model_of ? about->model_of[m] : (uint32_t)m;
        assert_near(q[m], model == UINT32_MAX ? 0 : out[model], 1e-5);
    }
    c->n_scores++;
}

static void check_replays(const struct few__dqn_net *about, uint64_t seed)
{
    struct t_trace t;
    struct few__rng rng;
    struct t_mem mem;
    struct few_error err;
    size_t order[T_MODELS];
    t_mem_init(&mem, 0);
    struct few_env env = {.mem = &mem.mem};
    struct checked c = {.about = about};
    few__rng_init(&rng, seed, 1);
    t_trace_init(&t, 12, 5);
    t_trace_random(&t, &rng);
    assert_status(few__value_dqn(about, &t.world.catalog, "dqn", &env, &c.inner, &err), FEW_OK, &err);
    assert_int_equal(few__work_create(about->net, 1, NULL, &c.work, NULL), FEW_OK);
    const struct few__value value = {
        .self = &c, .name = "checked", .begin = check_begin, .score = check_score};
    size_t calls = mem.calls;
    for (size_t i = 0; i < 10; i++)
        t_replay(&t, value, FEW__RANK_RATIO, (i * 3) % 5, FEW__NO_DEADLINE, order);
    assert_int_equal(mem.calls, calls); // a score allocates nothing
    assert_true(c.n_scores > 10);
    few__work_destroy(c.work);
    c.inner.destroy(c.inner.self);
    assert_int_equal(mem.live, 0);
    t_trace_finish(&t);
}

static void test_scores(void **state)
{
    (void)state;
    for (int bits = 0; bits < 2; bits++)
        for (int dueling = 0; dueling < 2; dueling++) {
            struct few__net *net = make_net(T_LABELS + (bits ? 12 : 0), 13, dueling);
            const struct few__dqn_net about = {
                .net = net, .n_labels = T_LABELS, .n_models = 12, .executed_bits = bits};
            for (uint64_t seed = t_seed(); seed < t_seed() + 20; seed++) check_replays(&about, seed);
            few__net_destroy(net);
        }
}

/* A policy that was trained with other models, in another order, and knows fewer labels, not all of which are inputs: 9 of the
 * catalog's labels are those 0 .. 8 of the policy backwards, and of these the even ones are inputs. */
static void test_another_catalog(void **state)
{
    (void)state;
    uint32_t label_of[T_LABELS], model_of[12], input_of[9];
    for (size_t l = 0; l < T_LABELS; l++) label_of[l] = l < 9 ? (uint32_t)(8 - l) : UINT32_MAX;
    for (size_t m = 0; m < 12; m++) model_of[m] = m % 4 ? (uint32_t)(19 - m) : UINT32_MAX;
    for (size_t l = 0; l < 9; l++) input_of[l] = l % 2 ? UINT32_MAX : (uint32_t)(l / 2);
    for (int all = 0; all < 2; all++) {
        size_t n_labels = all ? 9 : 5;
        struct few__net *net = make_net(n_labels + 20, 21, false);
        const struct few__dqn_net about = {.net = net,
                                           .n_labels = n_labels,
                                           .n_models = 20,
                                           .executed_bits = true,
                                           .input_of = all ? NULL : input_of,
                                           .n_known = 9,
                                           .label_of = label_of,
                                           .model_of = model_of};
        for (uint64_t seed = t_seed(); seed < t_seed() + 20; seed++) check_replays(&about, seed);
        few__net_destroy(net);
    }
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct t_world w;
    struct few__value value;
    struct few_error err;
    uint32_t map[T_LABELS] = {0};
    t_world_init(&w, 3);
    struct few__net *net = make_net(T_LABELS, 4, false);
    struct few__dqn_net about = {.net = net, .n_labels = T_LABELS, .n_models = 3};
    assert_status(few__value_dqn(&about, &w.catalog, "dqn", NULL, &value, &err), FEW_OK, &err);
    value.destroy(value.self);
    about.executed_bits = true;
    assert_int_equal(few__value_dqn(&about, &w.catalog, "dqn", NULL, &value, &err), FEW_ESHAPE);
    assert_string_equal(err.message, "agent: expected a net of 43 inputs and 4 outputs, found 40 and 4");
    assert_null(value.self);
    about.executed_bits = false;
    w.catalog.n_models = 4;
    assert_int_equal(few__value_dqn(&about, &w.catalog, "dqn", NULL, &value, &err), FEW_ESHAPE);
    w.catalog.n_models = 3;
    about.label_of = map;
    map[7] = T_LABELS;
    assert_int_equal(few__value_dqn(&about, &w.catalog, "dqn", NULL, &value, &err), FEW_ESHAPE);
    about.label_of = NULL;
    about.input_of = map;
    about.n_known = T_LABELS;
    assert_int_equal(few__value_dqn(&about, &w.catalog, "dqn", NULL, &value, &err), FEW_ESHAPE);
    few__net_destroy(net);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct t_world w;
    struct few__value value;
    t_world_init(&w, 3);
    const struct few__dqn_net about = {.net = ud, .n_labels = T_LABELS, .n_models = 3};
    enum few_status status = few__value_dqn(&about, &w.catalog, "dqn", &env, &value, NULL);
    if (status == FEW_OK) value.destroy(value.self);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct few__net *net = make_net(T_LABELS, 4, false);
    t_fail_each_allocation(create, net);
    few__net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scores), cmocka_unit_test(test_another_catalog),
                                       cmocka_unit_test(test_what_is_refused), cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
