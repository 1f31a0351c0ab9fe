// SPDX-License-Identifier: Apache-2.0
// AMS's agents from a lesson into tensors, and from tensors into value functions.
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "item/trace_world.h"
#include "policy/methods.h"
#include "train/learners.h"

enum { MODELS = 4, ITEMS = 40 };
static const char *const names[] = {"dqn", "double_dqn", "dueling_dqn", "deep_sarsa"};

/* a says label 0 on every other item; there b says label 1, and c says label 2 on the others; d says what nobody else does on one
 * item alone. All take the same time. */
struct made {
    struct t_trace t;
    size_t items[ITEMS];
    struct few__lesson lesson;
};

static void make(struct made *w)
{
    t_trace_init(&w->t, MODELS, ITEMS);
    for (size_t m = 0; m < MODELS; m++) w->t.world.models[m].priority = 1;
    for (size_t i = 0; i < ITEMS; i++) {
        if (i % 2) t_trace_says(&w->t, i, 0, 0, 0.9f);
        t_trace_says(&w->t, i, i % 2 ? 1 : 2, i % 2 ? 1 : 2, 0.9f);
        w->items[i] = i;
    }
    t_trace_says(&w->t, 5, 3, 7, 0.9f);
    w->lesson = (struct few__lesson){
        .trace = &w->t.trace, .items = w->items, .n_items = ITEMS, .costs = w->t.world.costs, .seed = 4};
}

static const struct few__learner *learner_of(const char *name)
{
    size_t i = 0;
    while (few__learner_at(i) && strcmp(few__learner_at(i)->name, name) != 0) i++;
    assert_non_null(few__learner_at(i));
    return few__learner_at(i);
}

static struct few__tensors *learn(const struct few__lesson *lesson, const char *name)
{
    struct few__tensors *tensors;
    struct few_error err;
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_status(learner_of(name)->learn(lesson, tensors, &err), FEW_OK, &err);
    return tensors;
}

// The second model to run on an item whose first is a.
static size_t after_a(struct made *w, struct few__value *value, size_t item)
{
    double q[MODELS];
    size_t best = 1;
    enum few__state states[MODELS] = {FEW__DONE};
    enum few_outcome outcomes[MODELS] = {FEW_EXECUTED};
    const int32_t labels[] = {0};
    const struct few__view view = {.catalog = &w->t.world.catalog,
                                   .states = states,
                                   .outcomes = outcomes,
                                   .item = item,
                                   .seen_labels = labels,
                                   .n_seen = item % 2};
    value->begin(value->self, &view);
    value->score(value->self, &view, q);
    for (size_t m = 2; m < MODELS; m++)
        if (q[m] > q[best]) best = m;
    return best;
}

static void test_what_was_said_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct made w;
        struct few_error err;
        struct few__value value;
        void *self;
        make(&w);
        struct few__tensors *tensors = learn(&w.lesson, names[i]);
        const struct few__method *method = few__method_find(names[i]);
        const struct few__method_map map = {.catalog = &w.t.world.catalog};
        assert_non_null(method);
        assert_status(method->open(tensors, &w.t.world.catalog, NULL, &self, &err), FEW_OK, &err);
        assert_status(method->value(self, &map, w.t.world.costs, false, NULL, &value, &err), FEW_OK, &err);
        assert_string_equal(value.name, names[i]);
        assert_int_equal(after_a(&w, &value, 1), 1);
        assert_int_equal(after_a(&w, &value, 2), 2);
        value.destroy(value.self);
        method->close(self);
        few__tensors_free(tensors);
        t_trace_finish(&w.t);
    }
}

static void test_tensors(void **state)
{
    (void)state;
    struct made w;
    char name[64];
    make(&w);
    for (size_t i = 0; i < 4; i++) {
        w.lesson.n_items = i ? 12 : ITEMS;
        struct few__tensors *tensors = learn(&w.lesson, names[i]), *again = learn(&w.lesson, names[i]);
        assert_int_equal(tensors->n, again->n);
        for (size_t k = 0; k < tensors->n; k++) {
            assert_string_equal(tensors->list[k].name, again->list[k].name);
            assert_memory_equal(tensors->list[k].data, again->list[k].data, tensors->list[k].n);
        }
        snprintf(name, sizeof name, "%s.inputs", names[i]); // label 7 came on one item, which is not enough
        const struct few__named_tensor *inputs = few__tensors_find(tensors, name);
        assert_int_equal(inputs->n, 3);
        assert_memory_equal(inputs->data, ((int32_t[]){0, 1, 2}), 3 * sizeof(int32_t));
        snprintf(name, sizeof name, "%s.net.1.bias", names[i]);
        assert_int_equal(few__tensors_find(tensors, name)->n, MODELS + 1 + (i == 2));
        few__tensors_free(tensors);
        few__tensors_free(again);
    }
    t_trace_finish(&w.t);
}

static bool stop_halfway(void *ud, double share)
{
    *(double *)ud = share;
    return share < 0.4;
}

static void test_progress_and_refusals(void **state)
{
    (void)state;
    struct made w;
    struct few_error err;
    struct few__tensors *tensors;
    double share = 0;
    make(&w);
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    w.lesson.progress = stop_halfway;
    w.lesson.ud = &share;
    assert_int_equal(learner_of("dqn")->learn(&w.lesson, tensors, &err), FEW_ECANCELED);
    assert_true(share >= 0.3 && share <= 1);
    w.lesson.n_items = 0;
    assert_int_equal(learner_of("dqn")->learn(&w.lesson, tensors, &err), FEW_EINVAL);
    assert_string_equal(err.message, "dqn: expected items and models to learn from, found 0 and 4");
    assert_int_equal(tensors->n, 0);
    few__tensors_free(tensors);
    t_trace_finish(&w.t);
}

// The tensors of a policy with one of them changed.
static void refuse(struct made *w, const struct few__tensors *good, const char *name, enum few__dtype dtype,
                   size_t n, const void *data, enum few_status status)
{
    struct few__tensors *bad;
    struct few_error err;
    void *self = w;
    assert_int_equal(few__tensors_create(NULL, &bad, NULL), FEW_OK);
    for (size_t i = 0; i < good->n; i++) {
        const struct few__named_tensor *t = &good->list[i];
        if (strcmp(t->name, name) == 0) {
            if (n > 0) assert_int_equal(few__tensors_add(bad, name, dtype, &n, 1, data, NULL, NULL), FEW_OK);
            continue;
        }
        assert_int_equal(few__tensors_add(bad, t->name, t->dtype, t->dims, t->n_dims, t->data, NULL, NULL),
                         FEW_OK);
    }
    assert_int_equal(few__method_find("dqn")->open(bad, &w->t.world.catalog, NULL, &self, &err), status);
    assert_null(self);
    few__tensors_free(bad);
}

static void test_damaged_policies(void **state)
{
    (void)state;
    struct made w;
    static const float few[3] = {0};
    make(&w);
    struct few__tensors *good = learn(&w.lesson, "dqn");
    refuse(&w, good, "dqn.inputs", FEW__I32, 0, NULL, FEW_ENOENT);
    refuse(&w, good, "dqn.inputs", FEW__I32, 3, (int32_t[]){0, 1, T_LABELS}, FEW_EPARSE);
    refuse(&w, good, "dqn.inputs", FEW__I32, 3, (int32_t[]){0, 1, -1}, FEW_EPARSE);
    refuse(&w, good, "dqn.inputs", FEW__I32, 3, (int32_t[]){0, 1, 1}, FEW_EPARSE);
    refuse(&w, good, "dqn.inputs", FEW__I32, 2, (int32_t[]){0, 1}, FEW_ESHAPE);
    refuse(&w, good, "dqn.inputs", FEW__F32, 3, few, FEW_ESHAPE);
    refuse(&w, good, "dqn.executed_bits", FEW__U8, 1, (uint8_t[]){0}, FEW_ESHAPE);
    refuse(&w, good, "dqn.net.0.bias", FEW__F32, 3, few, FEW_ESHAPE);
    refuse(&w, good, "dqn.net.1.bias", FEW__F32, 3, few, FEW_ESHAPE);
    few__tensors_free(good);
    t_trace_finish(&w.t);
}

static enum few_status open_all(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct made *w = ud;
    const struct few__method *method = few__method_find("dueling_dqn");
    const struct few__method_map map = {.catalog = &w->t.world.catalog};
    struct few__tensors *tensors = NULL;
    struct few__value value;
    void *self = NULL;
    w->lesson.env = env;
    w->lesson.n_items = 6;
    enum few_status status = few__tensors_create(&env, &tensors, NULL);
    if (status == FEW_OK) status = learner_of("dueling_dqn")->learn(&w->lesson, tensors, NULL);
    if (status == FEW_OK) status = method->open(tensors, &w->t.world.catalog, &env, &self, NULL);
    if (status == FEW_OK) status = method->value(self, &map, w->t.world.costs, false, &env, &value, NULL);
    if (status == FEW_OK) value.destroy(value.self);
    if (self) method->close(self);
    few__tensors_free(tensors);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct made w;
    make(&w);
    t_fail_each_allocation(open_all, &w);
    t_trace_finish(&w.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_said_decides),
        cmocka_unit_test(test_tensors),
        cmocka_unit_test(test_progress_and_refusals),
        cmocka_unit_test(test_damaged_policies),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
