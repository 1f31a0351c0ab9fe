// SPDX-License-Identifier: Apache-2.0
// The learner of value nets: it finds what there is to find, gives the same bytes again, and stops when told.
#include "train/learner_value_net.h"

#include <string.h>

#include "core/mem.h"
#include "item/trace_world.h"
#include "item/value_net.h"
#include "model/output.h"
#include "policy/methods.h"

enum { N_ITEMS = 60, A = 0, B, C, M };

/* a says a number and label 0; where the number is above 0, b says label 1 and c nothing new, else c says label 2. */
struct made {
    struct t_trace t;
    struct few__arena arena;
    size_t items[N_ITEMS];
    struct few__lesson lesson;
};

static float number_of(size_t i)
{
    return i % 2 ? 1 : -1;
}

static struct few_output vector_of(float *number)
{
    return (struct few_output){.kind = FEW_VECTOR, .n = 1, .values = number};
}

static void make(struct made *w)
{
    t_trace_init(&w->t, M, N_ITEMS);
    few__arena_init(&w->arena, NULL, 1 << 20);
    w->t.trace.catalog.n_labels = T_LABELS;
    for (size_t m = 0; m < M; m++) {
        w->t.world.models[m].kind = FEW_VECTOR;
        w->t.world.models[m].priority = 1;
    }
    for (size_t i = 0; i < N_ITEMS; i++) {
        struct few__trace_cell *cells = &w->t.trace.cells[i * M];
        float number = number_of(i), zero = 0;
        for (size_t m = 0; m < M; m++) {
            struct few_output output = vector_of(m == A ? &number : &zero);
            assert_int_equal(few__output_pack(&output, &w->arena, &cells[m].packed, &cells[m].n_packed),
                             FEW_OK);
        }
        t_trace_says(&w->t, i, A, 0, 0.9F);
        t_trace_says(&w->t, i, number > 0 ? B : C, number > 0 ? 1 : 2, 0.9F);
        w->items[i] = i;
    }
    w->lesson = (struct few__lesson){.trace = &w->t.trace,
                                     .items = w->items,
                                     .n_items = N_ITEMS,
                                     .costs = w->t.world.costs,
                                     .seed = t_seed()};
}

static void finish(struct made *w)
{
    few__arena_finish(&w->arena);
    t_trace_finish(&w->t);
}

static const struct few__net_learn_opts quick = {
    .n_nets = 2, .hidden = 16, .steps = 300, .batch = 32, .dropout = 0.05, .rate = 0.01};

static struct few__tensors *learn(const struct made *w)
{
    struct few__tensors *tensors;
    struct few_error err;
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_status(few__net_learn(&w->lesson, &quick, tensors, &err), FEW_OK, &err);
    return tensors;
}

// Values once a has said this number.
static void ask(struct few__value *value, const struct t_world *world, float number, double *q)
{
    const struct few_output output = vector_of(&number);
    const struct few_output *said[M] = {&output};
    const enum few__state states[M] = {FEW__DONE};
    const enum few_outcome outcomes[M] = {FEW_EXECUTED};
    const float seen[T_LABELS] = {0.9F};
    const int32_t seen_labels[] = {0};
    const struct few__view view = {.catalog = &world->catalog,
                                   .costs = world->costs,
                                   .states = states,
                                   .outcomes = outcomes,
                                   .outputs = said,
                                   .seen = seen,
                                   .seen_labels = seen_labels,
                                   .n_seen = 1};
    value->begin(value->self, &view);
    value->score(value->self, &view, q);
}

static void test_it_learns_what_an_output_tells(void **state)
{
    (void)state;
    struct made w;
    struct few_error err;
    struct few__value value;
    void *self;
    double q[M];
    make(&w);
    struct few__tensors *tensors = learn(&w);
    const struct few__method_map map = {.catalog = &w.t.world.catalog};
    assert_status(few__method_value_net.open(tensors, &w.t.trace.catalog, NULL, &self, &err), FEW_OK, &err);
    assert_status(few__method_value_net.value(self, &map, w.t.world.costs, false, NULL, &value, &err), FEW_OK,
                  &err);
    ask(&value, &w.t.world, 1, q);
    assert_near(q[B], 0.5, 0.1); // one of two labels: half of the item's value
    assert_near(q[C], 0, 0.1);
    ask(&value, &w.t.world, -1, q);
    assert_near(q[B], 0, 0.1);
    assert_near(q[C], 0.5, 0.1);
    value.destroy(value.self);
    few__method_value_net.close(self);
    few__tensors_free(tensors);
    finish(&w);
}

static void test_same_seed_same_bytes(void **state)
{
    (void)state;
    struct made w;
    make(&w);
    struct few__tensors *one = learn(&w), *two = learn(&w);
    w.lesson.seed++;
    struct few__tensors *other = learn(&w);
    size_t differ = 0;
    assert_int_equal(one->n, two->n);
    for (size_t i = 0; i < one->n; i++) {
        const struct few__named_tensor *a = &one->list[i], *b = few__tensors_find(other, a->name);
        size_t n = a->n * (a->dtype == FEW__I64 ? 8 : 4);
        assert_string_equal(a->name, two->list[i].name);
        assert_memory_equal(a->data, two->list[i].data, n);
        differ += memcmp(a->data, b->data, n) != 0;
    }
    assert_true(differ > 0);
    few__tensors_free(one);
    few__tensors_free(two);
    few__tensors_free(other);
    finish(&w);
}

struct asked {
    size_t n, stop_at;
    double share;
};

static bool progress(void *ud, double share)
{
    struct asked *asked = ud;
    assert_true(share >= asked->share && share <= 1);
    asked->share = share;
    return ++asked->n != asked->stop_at;
}

static void test_it_tells_and_stops(void **state)
{
    (void)state;
    struct made w;
    struct few__tensors *tensors;
    struct few_error err;
    struct asked asked = {0};
    make(&w);
    w.lesson.progress = progress;
    w.lesson.ud = &asked;
    few__tensors_free(learn(&w));
    assert_true(asked.n > 5 && asked.share > 0.8);
    asked = (struct asked){.stop_at = 3};
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_status(few__net_learn(&w.lesson, &quick, tensors, &err), FEW_ECANCELED, &err);
    assert_int_equal(asked.n, 3);
    few__tensors_free(tensors);
    finish(&w);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    struct made w;
    struct few__tensors *tensors;
    struct few_error err;
    struct few__net_learn_opts opts = quick;
    make(&w);
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    opts.n_nets = FEW__VALUE_NETS_MAX + 1;
    assert_status(few__net_learn(&w.lesson, &opts, tensors, &err), FEW_EINVAL, &err);
    w.t.trace.cells[A].packed = "\xff\xff\xff"; // damaged
    w.t.trace.cells[A].n_packed = 3;
    assert_status(few__net_learn(&w.lesson, &quick, tensors, &err), FEW_EPARSE, &err);
    w.lesson.n_items = 0;
    assert_status(few__net_learn(&w.lesson, &quick, tensors, &err), FEW_EINVAL, &err);
    few__tensors_free(tensors);
    finish(&w);
}

// Nothing of value anywhere, one model, models that never ran: values are about zero, and finite.
static void test_nothing_to_learn(void **state)
{
    (void)state;
    struct made w;
    make(&w);
    for (size_t i = 0; i < N_ITEMS * M; i++) {
        w.t.trace.cells[i].n_valuable = 0;
        if (i % M == C) w.t.trace.cells[i].outcome = FEW_FAILED;
    }
    struct few__tensors *tensors = learn(&w);
    struct few__value value;
    void *self;
    double q[M];
    const struct few__method_map map = {.catalog = &w.t.world.catalog};
    assert_int_equal(few__method_value_net.open(tensors, &w.t.trace.catalog, NULL, &self, NULL), FEW_OK);
    assert_int_equal(few__method_value_net.value(self, &map, w.t.world.costs, false, NULL, &value, NULL),
                     FEW_OK);
    ask(&value, &w.t.world, 1, q);
    for (size_t m = 0; m < M; m++) assert_near(q[m], 0, 0.05);
    value.destroy(value.self);
    few__method_value_net.close(self);
    few__tensors_free(tensors);
    finish(&w);
}

static enum few_status learn_once(const struct few_mem *mem, void *ud)
{
    struct made *w = ud;
    struct few__tensors *tensors;
    const struct few__net_learn_opts tiny = {.n_nets = 1, .hidden = 4, .steps = 2, .batch = 4};
    const struct few__method_map map = {.catalog = &w->t.world.catalog};
    w->lesson.env.mem = mem;
    void *self = NULL;
    struct few__value value = {0};
    enum few_status status = few__tensors_create(&w->lesson.env, &tensors, NULL);
    if (status != FEW_OK) return status;
    status = few__net_learn(&w->lesson, &tiny, tensors, NULL);
    if (status == FEW_OK)
        status = few__method_value_net.open(tensors, &w->t.trace.catalog, &w->lesson.env, &self, NULL);
    if (status == FEW_OK)
        status =
            few__method_value_net.value(self, &map, w->t.world.costs, false, &w->lesson.env, &value, NULL);
    if (value.destroy) value.destroy(value.self);
    few__method_value_net.close(self);
    few__tensors_free(tensors);
    return status;
}

static void test_without_memory(void **state)
{
    (void)state;
    struct made w;
    make(&w);
    w.lesson.n_items = 5;
    t_fail_each_allocation(learn_once, &w);
    finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_learns_what_an_output_tells),
        cmocka_unit_test(test_same_seed_same_bytes),
        cmocka_unit_test(test_it_tells_and_stops),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_nothing_to_learn),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
