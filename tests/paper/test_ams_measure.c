// SPDX-License-Identifier: Apache-2.0
// Measuring methods on the made-up world: which items, and what is counted, against the definition.
#include "support/support.h"

#include <math.h>
#include <string.h>

#include "paper/ams_methods.h"

static struct ams_world world;
static struct ams_item item;
static struct ams_sum sum;
static struct ams_row row;
static struct ams_subject subject;

static int setup(void **state)
{
    (void)state;
    struct few_error err;
    assert_status(ams_world_init(&world, AMS_SEED, NULL, &err), FEW_OK, &err);
    ams_row_init(&row, &world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ams_world_finish(&world);
    return 0;
}

/* ---- which items ---- */

static void test_the_whole_corpus(void **state)
{
    (void)state;
    uint64_t n[2] = {0}, last = 0, number, id;
    enum ams_dataset dataset;
    for (int train = 0; train < 2; train++) {
        struct ams_walk walk = {.source = {.corpus = true}, .train = train};
        for (; ams_walk_next(&walk, &dataset, &number, &id); last = id) {
            assert_true(n[train] == 0 || id > last);
            assert_int_equal(ams_corpus_at(id, &last), dataset);
            assert_int_equal(last, number);
            assert_int_equal(ams_is_train(dataset, number), train);
            n[train]++;
        }
    }
    assert_int_equal(n[0] + n[1], AMS_CORPUS);
}

static void test_samples(void **state)
{
    (void)state;
    uint64_t number, id, last = 0, n[AMS_DATASETS] = {0};
    enum ams_dataset dataset;
    struct ams_walk walk = {.source = {.corpus = true}, .n = 1000};
    for (; ams_walk_next(&walk, &dataset, &number, &id); last = id) {
        assert_true(last == 0 || id > last);
        assert_false(ams_is_train(dataset, number));
        n[dataset]++;
    }
    assert_int_equal(n[AMS_COCO] + n[AMS_MIRFLICKR] + n[AMS_PLACES], 1000);
    assert_near((double)n[AMS_COCO], 1000 * 163957.0 / AMS_CORPUS, 2);
    walk = (struct ams_walk){.source = {.dataset = AMS_VOC}, .train = true, .n = 50};
    for (last = 0; ams_walk_next(&walk, &dataset, &number, &id); last = number, n[AMS_VOC]++) {
        assert_int_equal(dataset, AMS_VOC);
        assert_true(ams_is_train(dataset, number) && (n[AMS_VOC] == 0 || number > last));
    }
    assert_int_equal(n[AMS_VOC], 50);
}

/* ---- what is counted ---- */

// A set's value straight from the definition.
static double value_of(const bool *in)
{
    float best[AMS_LABELS] = {0};
    double value = 0;
    for (size_t m = 0; m < AMS_MODELS; m++)
        for (size_t v = 0; in[m] && v < item.truth[m].n_valuable; v++)
            best[item.truth[m].valuable[v].label] =
                fmaxf(best[item.truth[m].valuable[v].label], item.truth[m].valuable[v].confidence);
    for (size_t l = 0; l < AMS_LABELS; l++) value += (double)best[l];
    return value;
}

// The last first, so that no method's own order helps.
static enum few_status make_backwards(const struct ams_context *context, bool packed,
                                      struct few__value *value, struct few_error *err)
{
    size_t order[AMS_MODELS];
    struct few_cost costs[AMS_MODELS];
    (void)packed;
    for (size_t m = 0; m < AMS_MODELS; m++) {
        order[m] = AMS_MODELS - 1 - m;
        costs[m] = context->world->catalog.models[m].cost;
    }
    return few__value_order(order, AMS_MODELS, "backwards", costs, NULL, value, err);
}

static const struct ams_method backwards = {"backwards", FEW__RANK_RATIO, false, false, make_backwards};

static void test_counts_by_definition(void **state)
{
    (void)state;
    enum { N = 40 };
    const struct ams_context context = {.world = &world, .row = &row};
    double executions[AMS_RECALLS] = {0}, time_us[AMS_RECALLS] = {0}, reached = 0;
    struct few__bounder *bounder;
    assert_int_equal(few__bounder_create(&world.catalog, NULL, &bounder, NULL), FEW_OK);
    assert_int_equal(ams_subject_open(&subject, &backwards, &context, NULL), FEW_OK);
    for (uint64_t i = 0; i < N; i++) {
        bool all[AMS_MODELS];
        struct ams_facts facts;
        memset(all, 1, sizeof all);
        ams_world_item(&world, (enum ams_dataset)(i % AMS_DATASETS), i, &item);
        ams_facts_of(bounder, &world, &item, &sum, &facts);
        assert_near(facts.total, value_of(all), 1e-6);
        ams_subject_measure(&subject, i, &item, &facts, &sum, AMS_EVERYTHING);
        for (size_t r = 0; r < AMS_RECALLS; r++) {
            bool in[AMS_MODELS] = {false};
            for (size_t m = AMS_MODELS; value_of(in) < ams_recalls[r] * facts.total - 1e-7;) {
                in[--m] = true;
                executions[r]++;
                time_us[r] += (double)world.catalog.models[m].cost.time_us;
            }
        }
        bool in[AMS_MODELS] = {false};
        int64_t left_us = ams_deadlines_us[0];
        for (size_t m = AMS_MODELS; m-- > 0;) {
            in[m] = world.catalog.models[m].cost.time_us <= left_us;
            if (in[m]) left_us -= world.catalog.models[m].cost.time_us;
        }
        reached += value_of(in) / facts.total;
    }
    for (size_t r = 0; r < AMS_RECALLS; r++) {
        assert_near(subject.executions[r], executions[r], 1e-9);
        assert_near(subject.time_us[r], time_us[r], 1e-3);
    }
    assert_near(subject.deadline[0], reached, 1e-6);
    for (size_t m = 0; m < AMS_MODELS; m++) assert_near(subject.position[m], N * (double)(AMS_MODELS - m), 0);
    ams_subject_close(&subject);
    few__bounder_destroy(bounder);
}

// More time, more memory, the better packing, the truth: none of them less.
static void test_what_helps_helps(void **state)
{
    (void)state;
    enum { N = 300 };
    static struct ams_subject optimal, oracle;
    const struct ams_context context = {.world = &world, .row = &row};
    struct few__bounder *bounder;
    uint64_t number, id;
    enum ams_dataset dataset;
    struct ams_walk walk = {.source = {.corpus = true}, .n = N};
    assert_int_equal(few__bounder_create(&world.catalog, NULL, &bounder, NULL), FEW_OK);
    assert_int_equal(ams_subject_open(&optimal, &ams_baselines[4], &context, NULL), FEW_OK);
    assert_int_equal(ams_subject_open(&oracle, &ams_baselines[5], &context, NULL), FEW_OK);
    while (ams_walk_next(&walk, &dataset, &number, &id)) {
        struct ams_facts facts;
        ams_world_item(&world, dataset, number, &item);
        ams_row_set(&row, &item);
        ams_facts_of(bounder, &world, &item, &sum, &facts);
        ams_subject_measure(&optimal, id, &item, &facts, &sum, AMS_FREELY);
        ams_subject_measure(&oracle, id, &item, &facts, &sum, AMS_EVERYTHING);
    }
    assert_true(oracle.time_us[AMS_RECALLS - 1] < optimal.time_us[AMS_RECALLS - 1]);
    for (size_t d = 1; d < AMS_DEADLINES; d++) assert_true(oracle.deadline[d] > oracle.deadline[d - 1]);
    for (size_t k = 0; k < AMS_MEMORIES; k++) assert_true(oracle.memory[k][1] > oracle.memory[k][0]);
    assert_true(oracle.of_relaxed[0] / N > 0.95);
    ams_subject_close(&optimal);
    ams_subject_close(&oracle);
    few__bounder_destroy(bounder);
}

/* ---- static ---- */

static void test_static_is_learned(void **state)
{
    (void)state;
    const struct ams_source corpus = {.name = "corpus", .corpus = true};
    struct ams_context context = {.world = &world};
    struct few_error err;
    bool seen[AMS_MODELS] = {false};
    assert_status(ams_learn_static(&world, &corpus, 500, &context, &err), FEW_OK, &err);
    for (size_t p = 0; p < AMS_MODELS; p++) seen[context.order[p]] = true;
    for (size_t m = 0; m < AMS_MODELS; m++) assert_true(seen[m] && context.gain[m] >= 0);
    const struct few_model *models = world.catalog.models;
    size_t first = context.order[0], last = context.order[AMS_MODELS - 1];
    assert_true(context.gain[first] / (double)models[first].cost.time_us >
                context.gain[last] / (double)models[last].cost.time_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_whole_corpus),     cmocka_unit_test(test_samples),
        cmocka_unit_test(test_counts_by_definition), cmocka_unit_test(test_what_helps_helps),
        cmocka_unit_test(test_static_is_learned),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
