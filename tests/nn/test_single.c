// SPDX-License-Identifier: Apache-2.0
// One sample, input by input, against the batch.
#include "nn/single.h"

#include <string.h>

#include "support/support.h"

enum { IN = 50 };

static void check(const struct few__net_spec *spec)
{
    struct few__net *net;
    struct few__work *work;
    struct few__single *single;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), spec->n_layers);
    assert_int_equal(few__net_create(spec, NULL, &net, NULL), FEW_OK);
    few__net_init(net, FEW__HE_NORMAL, &rng);
    assert_int_equal(few__work_create(net, 1, NULL, &work, NULL), FEW_OK);
    assert_int_equal(few__single_create(net, NULL, &single, NULL), FEW_OK);
    for (int round = 0; round < 3; round++) {
        float dense[IN] = {0}, x[20];
        few__single_begin(single);
        for (uint32_t step = 0; step < 12; step++) {
            uint32_t index[3] = {step, step + 20, (step * 7) % IN};
            float value[3] = {0.5F, -1, (float)step};
            bool valued = step % 2;
            few__single_add(single, index, valued ? value : NULL, step % 4);
            for (size_t i = 0; i < step % 4; i++) dense[index[i]] += valued ? value[i] : 1;
            if (step == 5) {
                for (size_t i = 0; i < 20; i++) dense[30 + i] += x[i] = (float)few__rng_normal(&rng);
                few__single_add_dense(single, 30, x, 20);
            }
            struct few__net_input input = {.n = 1, .dense = dense, .n_dense = IN};
            assert_near_all(few__single_out(single), few__net_forward(net, work, &input, NULL), net->n_out,
                            2e-5);
        }
    }
    few__single_destroy(single);
    few__work_destroy(work);
    few__net_destroy(net);
}

static void test_single_is_a_batch_of_one(void **state)
{
    (void)state;
    static const size_t hidden[] = {1, 16, 31, 64, 100};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        for (int dueling = 0; dueling < 2; dueling++) {
            struct few__net_spec spec = {
                .n_in = IN, .n_layers = 1, .layers = {{hidden[i], FEW__LINEAR, 0}}, .dueling = dueling};
            check(&spec);
            spec = (struct few__net_spec){.n_in = IN,
                                          .n_layers = 2,
                                          .layers = {{hidden[i], FEW__RELU, 0.5F}, {31, FEW__LINEAR, 0}},
                                          .dueling = dueling};
            check(&spec);
            spec = (struct few__net_spec){
                .n_in = IN,
                .n_layers = 3,
                .layers = {{40, FEW__TANH, 0}, {hidden[i], FEW__SIGMOID, 0}, {7, FEW__SOFTMAX, 0}}};
            check(&spec);
        }
}

static enum few_status make(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__single *single = NULL;
    enum few_status status = few__single_create(ud, &env, &single, NULL);
    few__single_destroy(single);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct few__net *net;
    struct few__net_spec spec = {.n_in = 3, .n_layers = 1, .layers = {{4, FEW__RELU, 0}}};
    assert_int_equal(few__net_create(&spec, NULL, &net, NULL), FEW_OK);
    t_fail_each_allocation(make, net);
    few__net_destroy(net);
    few__single_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_is_a_batch_of_one),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
