// SPDX-License-Identifier: Apache-2.0
#include "nn/net_file.h"

#include <math.h>
#include <string.h>

#include "support/support.h"

static const struct few__net_spec spec = {
    .n_in = 5, .n_layers = 2, .layers = {{18, FEW__RELU, 0}, {3, FEW__LINEAR, 0}}, .dueling = true};

static struct few__net *make(const struct few__net_spec *what)
{
    struct few__net *net;
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), 1);
    assert_int_equal(few__net_create(what, NULL, &net, NULL), FEW_OK);
    few__net_init(net, FEW__HE_NORMAL, &rng);
    return net;
}

static void test_round_trip(void **state)
{
    (void)state;
    struct few_error err;
    struct few__tensors *tensors;
    struct few__net *net = make(&spec), *other = make(&spec);
    for (size_t l = 0; l < 2; l++) net->params[net->layers[l].bias + 2] = 0.5F;
    memset(other->params, 0, other->n_block * sizeof(float));
    assert_int_equal(few__tensors_create(NULL, &tensors, NULL), FEW_OK);
    assert_status(few__net_put(net, tensors, "agent", &err), FEW_OK, &err);
    assert_int_equal(tensors->n, 4);
    assert_int_equal(few__tensors_find(tensors, "agent.1.weight")->dims[1], 4); // V is the last
    assert_status(few__net_take(other, tensors, "agent", &err), FEW_OK, &err);
    assert_memory_equal(net->params, other->params, net->n_block * sizeof(float));

    assert_int_equal(few__net_take(other, tensors, "nobody", &err), FEW_ENOENT);
    struct few__net_spec wider = spec;
    wider.layers[0].n_out = 19;
    struct few__net *wide = make(&wider);
    assert_int_equal(few__net_take(wide, tensors, "agent", &err), FEW_ESHAPE);
    ((float *)few__tensors_find(tensors, "agent.0.bias")->data)[17] = NAN;
    assert_int_equal(few__net_take(other, tensors, "agent", &err), FEW_EPARSE);
    char prefix[300];
    memset(prefix, 'p', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = 0;
    assert_int_equal(few__net_put(net, tensors, prefix, &err), FEW_ELIMIT);
    assert_int_equal(few__net_take(net, tensors, prefix, &err), FEW_ELIMIT);
    few__net_destroy(wide);
    few__net_destroy(other);
    few__net_destroy(net);
    few__tensors_free(tensors);
}

static enum few_status put(const struct few_mem *mem, void *ud)
{
    struct few_env env = {.mem = mem};
    struct few__tensors *tensors = NULL;
    enum few_status status = few__tensors_create(&env, &tensors, NULL);
    if (status == FEW_OK) status = few__net_put(ud, tensors, "p", NULL);
    few__tensors_free(tensors);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    struct few__net *net = make(&spec);
    t_fail_each_allocation(put, net);
    few__net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
