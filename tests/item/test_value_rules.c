// SPDX-License-Identifier: Apache-2.0
// Rules: how often each model comes next, against the weights that it should have.
#include "item/trace_world.h"

#include <math.h>
#include <string.h>

#include "model/rules_file.h"

enum { ITEMS = 8000 };

static struct few__value open_rules(struct t_trace *t, const struct few__rules *rules, uint64_t seed)
{
    struct few__value value;
    assert_int_equal(few__value_rules(rules, &t->world.catalog, seed, NULL, &value, NULL), FEW_OK);
    assert_string_equal(value.name, "rules");
    return value;
}

/* counts[m] += how often model m is the position-th to run on items that say the same. */
static void count_at(struct t_trace *t, struct few__value value, size_t position, int64_t deadline_us,
                     size_t *counts)
{
    size_t order[T_MODELS];
    for (size_t i = 0; i < t->trace.n_items; i++) {
        size_t n = t_replay(t, value, FEW__RANK_RATIO, i, deadline_us, order);
        if (position < n) counts[order[position]]++;
    }
}

// share of n, within 4 standard errors.
static void assert_share(size_t count, size_t n, double share)
{
    assert_near((double)count / (double)n, share, 4 * sqrt(share * (1 - share) / (double)n));
}

static void test_without_what_holds_it_is_uniform(void **state)
{
    (void)state;
    struct t_trace t;
    size_t counts[T_MODELS] = {0};
    const int32_t labels[] = {3};
    const size_t models[] = {1};
    const struct few__rule rule = {1, 1, labels, models, 500};
    const struct few__rules rules = {1, &rule};
    t_trace_init(&t, 5, ITEMS);
    for (size_t m = 0; m < 5; m++) t_world_time(&t.world, m, 100 + (int64_t)m * 5000); // times do not matter
    struct few__value value = open_rules(&t, &rules, t_seed());
    count_at(&t, value, 0, FEW__NO_DEADLINE, counts);
    for (size_t m = 0; m < 5; m++) assert_share(counts[m], ITEMS, 0.2);
    value.destroy(value.self);
    t_trace_finish(&t);
}

/* Model a says label 0, and nobody else anything. Once it has been seen b counts 4 and c a half. */
static void test_weights_by_hand(void **state)
{
    (void)state;
    struct t_trace t;
    size_t second[T_MODELS] = {0}, n = 0, order[T_MODELS];
    const int32_t zero[] = {7, 0}, other[] = {8};
    const size_t b[] = {1}, c[] = {2}, d[] = {3};
    const struct few__rule list[] = {
        {2, 1, zero, b, 2}, {1, 1, zero + 1, b, 2}, {1, 1, zero + 1, c, 0.5}, {1, 1, other, d, 100}};
    const struct few__rules rules = {4, list};
    t_trace_init(&t, 4, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) t_trace_says(&t, i, 0, 0, 0.9F);
    struct few__value value = open_rules(&t, &rules, t_seed());
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(t_replay(&t, value, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, order), 4);
        if (order[0] != 0) continue;
        n++;
        second[order[1]]++;
    }
    assert_share(n, ITEMS, 0.25);
    assert_share(second[1], n, 4 / 5.5); // renormalised over what is left: 4, 0.5, 1
    assert_share(second[2], n, 0.5 / 5.5);
    assert_share(second[3], n, 1 / 5.5);
    value.destroy(value.self);
    t_trace_finish(&t);
}

// One model that says two labels of a rule applies it once.
static void test_a_model_applies_a_rule_once(void **state)
{
    (void)state;
    struct t_trace t;
    size_t n = 0, second = 0, order[T_MODELS];
    const int32_t both[] = {0, 1};
    const size_t b[] = {1};
    const struct few__rule rule = {2, 1, both, b, 3};
    const struct few__rules rules = {1, &rule};
    t_trace_init(&t, 3, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) {
        t_trace_says(&t, i, 0, 0, 0.9F);
        t_trace_says(&t, i, 0, 1, 0.6F);
    }
    struct few__value value = open_rules(&t, &rules, t_seed());
    for (size_t i = 0; i < ITEMS; i++) {
        t_replay(&t, value, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, order);
        if (order[0] != 0) continue;
        n++;
        second += order[1] == 1;
    }
    assert_share(second, n, 0.75);
    value.destroy(value.self);
    t_trace_finish(&t);
}

// Two models that say the same label apply the rule twice, the second with a lower confidence too; a third finds nothing.
static void test_each_model_that_says_it_counts(void **state)
{
    (void)state;
    struct t_trace t;
    size_t n = 0, third = 0, order[T_MODELS];
    const int32_t zero[] = {0};
    const size_t d[] = {3};
    const struct few__rule rule = {1, 1, zero, d, 3};
    const struct few__rules rules = {1, &rule};
    t_trace_init(&t, 5, ITEMS);
    for (size_t i = 0; i < ITEMS; i++) {
        t_trace_says(&t, i, 0, 0, 0.9F);
        t_trace_says(&t, i, 1, 0, 0.6F);
        t_trace_says(&t, i, 1, 0, 0.7F); // twice in one output
    }
    struct few__value value = open_rules(&t, &rules, t_seed());
    for (size_t i = 0; i < ITEMS; i++) {
        t_replay(&t, value, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, order);
        if (order[0] + order[1] != 1) continue;
        n++;
        third += order[2] == 3;
    }
    assert_share(third, n, 9.0 / 11);
    value.destroy(value.self);
    t_trace_finish(&t);
}

// Items begin anew: what held on one does not hold on the next.
static void test_items_are_apart(void **state)
{
    (void)state;
    struct t_trace t;
    size_t a[T_MODELS], b[T_MODELS];
    const int32_t zero[] = {0};
    const size_t last[] = {9};
    const struct few__rule rule = {1, 1, zero, last, 1000};
    const struct few__rules rules = {1, &rule};
    t_trace_init(&t, 10, 60);
    for (size_t m = 0; m < 10; m++) t_trace_says(&t, 0, m, 0, 0.9F);
    struct few__value one = open_rules(&t, &rules, 7), two = open_rules(&t, &rules, 7),
                      other = open_rules(&t, &rules, 8);
    size_t n_same = 0;
    for (size_t i = 1; i < 60; i++) {
        t_replay(&t, one, FEW__RANK_RATIO, 0, FEW__NO_DEADLINE, a);
        t_replay(&t, one, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, a);
        t_replay(&t, two, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, b);
        assert_memory_equal(a, b, 10 * sizeof *a);
        t_replay(&t, other, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, b);
        n_same += memcmp(a, b, 10 * sizeof *a) == 0;
    }
    assert_int_equal(n_same, 0);
    one.destroy(one.self);
    two.destroy(two.self);
    other.destroy(other.self);
    t_trace_finish(&t);
}

// To ask again at the same instant gives the same values; a model that was started gives new ones.
static void test_asked_twice(void **state)
{
    (void)state;
    struct t_trace t;
    double first[6], again[6], next[6];
    enum few__state states[6] = {FEW__PENDING};
    double slow[6] = {1, 1, 1, 1, 1, 1};
    uint16_t n_said[T_LABELS] = {0};
    const struct few__rules rules = {0, NULL};
    t_trace_init(&t, 6, 1);
    struct few__value value = open_rules(&t, &rules, 3);
    struct few__view view = {.catalog = &t.world.catalog,
                             .costs = t.world.costs,
                             .states = states,
                             .slow = slow,
                             .n_said = n_said,
                             .n_pending = 6,
                             .item = 11};
    value.begin(value.self, &view);
    value.score(value.self, &view, first);
    value.score(value.self, &view, again);
    assert_memory_equal(first, again, sizeof first);
    states[2] = FEW__RUNNING;
    view.n_pending = 5;
    value.score(value.self, &view, next);
    assert_true(memcmp(first, next, sizeof first) != 0);
    for (size_t m = 0; m < 6; m++) assert_true(isfinite(next[m]) && (m == 2) == (next[m] == 0));
    value.destroy(value.self);
    t_trace_finish(&t);
}

/* c needs a. While a has not run, c is not among those that are drawn, whatever it weighs; then it is. */
static void test_needs(void **state)
{
    (void)state;
    struct t_trace t;
    size_t first[T_MODELS] = {0}, second = 0, n = 0, order[T_MODELS];
    const int32_t zero[] = {0};
    const size_t c[] = {2};
    const struct few__rule rule = {1, 1, zero, c, 8};
    const struct few__rules rules = {1, &rule};
    t_trace_init(&t, 4, ITEMS);
    t.world.models[2].needs = 0;
    t_world_time(&t.world, 2, 9000);
    for (size_t i = 0; i < ITEMS; i++) t_trace_says(&t, i, 0, 0, 0.9F);
    for (size_t i = 0; i < ITEMS; i++) t_trace_says(&t, i, 1, 0, 0.9F);
    struct few__value value = open_rules(&t, &rules, t_seed());
    for (size_t i = 0; i < ITEMS; i++) {
        assert_int_equal(t_replay(&t, value, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, order), 4);
        first[order[0]]++;
        if (order[0] == 0) second += order[1] == 2, n++;
        if (order[0] == 1) assert_true(order[1] != 2);
    }
    assert_int_equal(first[2], 0);
    for (size_t m = 0; m < 4; m++)
        if (m != 2) assert_share(first[m], ITEMS, 1.0 / 3);
    assert_share(second, n, 0.8);
    value.destroy(value.self);
    t_trace_finish(&t);
}

// Of what does not fit nothing is drawn: the rest share by weight.
static void test_drawn_from_what_fits(void **state)
{
    (void)state;
    struct t_trace t;
    size_t counts[T_MODELS] = {0};
    const struct few__rules rules = {0, NULL};
    t_trace_init(&t, 4, ITEMS);
    t_world_time(&t.world, 1, 1000);
    struct few__value value = open_rules(&t, &rules, t_seed());
    count_at(&t, value, 0, 500, counts);
    assert_int_equal(counts[1], 0);
    for (size_t m = 0; m < 4; m++)
        if (m != 1) assert_share(counts[m], ITEMS, 1.0 / 3);
    value.destroy(value.self);
    t_trace_finish(&t);
}

// As many rules as a file may have, all about one model: its weight stays a number, and so does the least.
static void test_many_rules(void **state)
{
    (void)state;
    struct t_trace t;
    size_t order[T_MODELS];
    struct few__rule list[FEW__RULES_MAX];
    const int32_t zero[] = {0};
    const size_t b[] = {1}, c[] = {2};
    for (size_t i = 0; i < FEW__RULES_MAX; i++)
        list[i] = i % 2 ? (struct few__rule){1, 1, zero, b, 1000} : (struct few__rule){1, 1, zero, c, 0.001};
    const struct few__rules rules = {FEW__RULES_MAX, list};
    t_trace_init(&t, 6, 200);
    for (size_t i = 0; i < 200; i++) t_trace_says(&t, i, 0, 0, 0.9F);
    struct few__value value = open_rules(&t, &rules, 1);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(t_replay(&t, value, FEW__RANK_RATIO, i, FEW__NO_DEADLINE, order), 6);
        if (order[0] != 0) continue;
        assert_int_equal(order[1], 1);
        assert_int_equal(order[5], 2);
    }
    value.destroy(value.self);
    t_trace_finish(&t);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    struct t_trace *t = ud;
    struct few__value value;
    const struct few_env env = {.mem = mem};
    const struct few__rules rules = {0, NULL};
    enum few_status status = few__value_rules(&rules, &t->world.catalog, 1, &env, &value, NULL);
    if (status == FEW_OK) value.destroy(value.self);
    else assert_null(value.self);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct t_trace t;
    t_trace_init(&t, 4, 1);
    t_fail_each_allocation(create, &t);
    t_trace_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_what_holds_it_is_uniform),
        cmocka_unit_test(test_weights_by_hand),
        cmocka_unit_test(test_a_model_applies_a_rule_once),
        cmocka_unit_test(test_each_model_that_says_it_counts),
        cmocka_unit_test(test_items_are_apart),
        cmocka_unit_test(test_asked_twice),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_drawn_from_what_fits),
        cmocka_unit_test(test_many_rules),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
