// SPDX-License-Identifier: Apache-2.0
// Batches, one tensor for all lanes, loading and profiling, with small real models.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/rng.h"
#include "exec/workspace.h"
#include "support/support.h"

enum { SIDE = 4, WIDTH_MAX = 16, N_SLOTS = 4, N_LANES = 2, IMAGE_MAX = 64 };

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { IS_SANITIZED = 1 };
#else
enum { IS_SANITIZED = 0 };
#endif

enum { MEAN, BATCH, CROP, WIDTH, ENDLESS, LARGE, N_MODELS }; // CROP: BATCH on a box of MEAN

// The linker leads the workspace's runs here.
enum few_status __wrap_few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                       struct few__tensor *outputs, size_t *n_outputs, struct few_error *err);
enum few_status __real_few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                       struct few__tensor *outputs, size_t *n_outputs, struct few_error *err);

static struct few_error err;
static char files[N_MODELS][4096];
static struct few_model models[N_MODELS];
static struct few__recipe recipes[N_MODELS];
static struct few_zoo zoo;
static struct few__workspace *workspace;
static struct {
    uint8_t planes[3][IMAGE_MAX * IMAGE_MAX];
    struct few__image image;
} images[N_SLOTS];
static atomic_size_t n_runs;
static atomic_size_t largest_run;

enum few_status __wrap_few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                       struct few__tensor *outputs, size_t *n_outputs, struct few_error *e)
{
    n_runs++;
    if ((size_t)input->dims[0] > largest_run) largest_run = (size_t)input->dims[0];
    return __real_few__runner_run(runner, input, outputs, n_outputs, e);
}

/* ---- a zoo made by hand ---- */

static void add(size_t i, const char *name, const char *file, const char *output, enum few_kind kind)
{
    snprintf(files[i], sizeof files[i], "%s/tests/backend/data/%s", t_source(), file);
    models[i] = (struct few_model){
        .name = name, .kind = kind, .space = name, .needs = -1, .variant_of = -1, .priority = 1};
    recipes[i] = (struct few__recipe){
        .backend = "onnx",
        .file = files[i],
        .batch = 1,
        .timeout_us = 60000000,
        .input = {.pixels = {.width = SIDE, .height = SIDE, .needs = -1, .expand = 1},
                  .std = {1, 1, 1},
                  .i_pixels = i,
                  .i_tensor = i},
        .decode = {.kind = FEW__DECODE_VALUES, .n_outputs = 1, .outputs = {output}, .n_values = 3}};
}

static void make_zoo(void)
{
    add(MEAN, "mean", "mean.onnx", "mean", FEW_VECTOR);
    add(BATCH, "batch", "batch.onnx", "mean", FEW_VECTOR);
    recipes[BATCH].batch = 3;
    recipes[BATCH].input.i_pixels = recipes[BATCH].input.i_tensor = MEAN; // the same input
    add(CROP, "crop", "batch.onnx", "mean", FEW_VECTOR);
    recipes[CROP].batch = N_SLOTS;
    recipes[CROP].input.pixels.needs = models[CROP].needs = MEAN;
    recipes[CROP].input.pixels.crop = FEW__BOX;
    add(WIDTH, "width", "width.onnx", "steps", FEW_SEQUENCE);
    models[WIDTH].n_labels = 2;
    recipes[WIDTH].batch = N_SLOTS;
    recipes[WIDTH].decode.kind = FEW__DECODE_CTC;
    recipes[WIDTH].input.pixels.resize = FEW__HEIGHT;
    recipes[WIDTH].input.pixels.width = WIDTH_MAX;
    recipes[WIDTH].input.pixels.min_width = 1;
    add(ENDLESS, "endless", "endless.onnx", "last", FEW_VECTOR);
    recipes[ENDLESS].input.pixels.width = recipes[ENDLESS].input.pixels.height = 64;
    recipes[ENDLESS].input.colour = FEW__GRAY;
    recipes[ENDLESS].decode.n_values = 4096;
    add(LARGE, "large", "large.onnx", "mean", FEW_VECTOR);
    recipes[LARGE].input.i_pixels = recipes[LARGE].input.i_tensor = MEAN;
    zoo = (struct few_zoo){.catalog = {.n_models = N_MODELS, .models = models}, .recipes = recipes};
}

static void make_image(size_t i, int width, int height)
{
    struct few__rng rng;
    few__rng_init(&rng, t_seed(), i);
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < width * height; k++) images[i].planes[c][k] = (uint8_t)few__rng_below(&rng, 256);
    images[i].image = (struct few__image){
        width, height, (size_t)width, {images[i].planes[0], images[i].planes[1], images[i].planes[2]}};
}

static struct few__workspace_opts options(void)
{
    return (struct few__workspace_opts){.n_slots = N_SLOTS,
                                        .n_lanes = N_LANES,
                                        .runtime = {.library = t_runtime(), .threads = 1, .give_back = true}};
}

static int set_up(void **state)
{
    (void)state;
    make_zoo();
    zoo.env = few__env(NULL);
    if (!t_runtime()) return 0;
    const struct few__workspace_opts opts = options();
    assert_status(few__workspace_create(&zoo, &opts, &workspace, &err), FEW_OK, &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few__workspace_destroy(workspace);
    return 0;
}

static void load(size_t model)
{
    if (!workspace) skip();
    assert_status(few__workspace_load(workspace, model, &err), FEW_OK, &err);
}

static void begin(size_t slot, int width, int height)
{
    make_image(slot, width, height);
    const struct few__parts parts = {.image = &images[slot].image};
    few__workspace_begin(workspace, slot, &parts, "");
}

/* ---- what a run must say ---- */

// Runs of n items each say what a run of the item alone says.
static void expect_same_as_alone(size_t model, size_t n, const struct few_output *needs)
{
    struct few_output together[N_SLOTS], alone[N_SLOTS];
    struct few__work work[N_SLOTS];
    for (size_t i = 0; i < n; i++)
        work[i] = (struct few__work){.slot = i, .need = needs ? &needs[i] : NULL, .output = &together[i]};
    few__workspace_run(workspace, 0, model, work, n);
    for (size_t i = 0; i < n; i++) {
        struct few__work one = {.slot = i, .need = needs ? &needs[i] : NULL, .output = &alone[i]};
        few__workspace_run(workspace, 1, model, &one, 1);
        assert_status(work[i].status, FEW_OK, &work[i].error);
        assert_status(one.status, FEW_OK, &one.error);
        assert_int_equal(together[i].n, alone[i].n);
        if (alone[i].values) assert_near_all(together[i].values, alone[i].values, alone[i].n, 1e-4);
        if (alone[i].tokens)
            assert_memory_equal(together[i].tokens, alone[i].tokens, alone[i].n * sizeof *alone[i].tokens);
        assert_near(together[i].confidence, alone[i].confidence, 1e-5);
        assert_true(few__workspace_runtime_us(workspace, i) >= 0);
    }
}

static void test_batch(void **state)
{
    (void)state;
    load(BATCH);
    for (size_t i = 0; i < 3; i++) begin(i, 20 + (int)i, 30);
    n_runs = 0;
    largest_run = 0;
    expect_same_as_alone(BATCH, 3, NULL);
    assert_int_equal(largest_run, 3);
    assert_int_equal(n_runs, 1 + 3);
    largest_run = 0;
    expect_same_as_alone(BATCH, 2, NULL); // a smaller one after a larger one
    assert_int_equal(largest_run, 2);
}

static void test_batch_of_other_images_differs(void **state)
{
    (void)state;
    load(BATCH);
    struct few_output out[2];
    struct few__work work[2] = {{.slot = 0, .output = &out[0]}, {.slot = 1, .output = &out[1]}};
    begin(0, 20, 20);
    begin(1, 20, 20);
    few__workspace_run(workspace, 0, BATCH, work, 2);
    assert_status(work[0].status, FEW_OK, &work[0].error);
    assert_status(work[1].status, FEW_OK, &work[1].error);
    assert_memory_not_equal(out[0].values, out[1].values, 3 * sizeof(float));
}

// Tensors of items 0 and 2 are 8 wide, of 1 and 3 they are 16.
static void test_batch_of_several_shapes(void **state)
{
    (void)state;
    static const int widths[N_SLOTS] = {32, 64, 16, 60};
    load(WIDTH);
    for (size_t i = 0; i < N_SLOTS; i++) begin(i, widths[i], 16);
    n_runs = 0;
    largest_run = 0;
    expect_same_as_alone(WIDTH, N_SLOTS, NULL);
    assert_int_equal(largest_run, 2);
    assert_int_equal(n_runs, 2 + N_SLOTS);
}

static void test_bad_crop_fails_alone(void **state)
{
    (void)state;
    load(CROP);
    float boxes[3][4] = {{0, 0, 0.5F, 0.5F}, {3, 0, 1, 1}, {0.25F, 0.25F, 0.5F, 0.5F}};
    struct few_output needs[3], out[3];
    struct few__work work[3];
    for (size_t i = 0; i < 3; i++) {
        begin(i, 40, 40);
        needs[i] = (struct few_output){.kind = FEW_BOX, .n = 4, .values = boxes[i]};
        work[i] = (struct few__work){.slot = i, .need = &needs[i], .output = &out[i]};
    }
    largest_run = 0;
    few__workspace_run(workspace, 0, CROP, work, 3);
    assert_int_equal(largest_run, 2);
    assert_status(work[0].status, FEW_OK, &work[0].error);
    assert_status(work[1].status, FEW_EDECODE, &work[1].error);
    assert_non_null(strstr(work[1].error.message, "crop"));
    assert_status(work[2].status, FEW_OK, &work[2].error);
    boxes[1][0] = 0;
    expect_same_as_alone(CROP, 3, needs);
    needs[1].empty = true;
    few__workspace_run(workspace, 0, CROP, &work[1], 1);
    assert_status(work[1].status, FEW_EINVAL, &work[1].error);
    assert_non_null(strstr(work[1].error.message, "has no box"));
}

/* ---- several lanes on one item ---- */

static void *run_mean(void *arg)
{
    struct few__work *work = arg;
    for (size_t i = 0; i < 50; i++) few__workspace_run(workspace, 1, MEAN, work, 1);
    return NULL;
}

// They share its tensor; outputs of both live until the next item.
static void test_lanes_share_an_item(void **state)
{
    (void)state;
    load(MEAN);
    load(BATCH);
    for (size_t round = 0; round < 20; round++) {
        struct few_output a, b;
        struct few__work mine = {.slot = 0, .output = &a}, theirs = {.slot = 0, .output = &b};
        pthread_t thread;
        begin(0, 33, 17);
        assert_int_equal(pthread_create(&thread, NULL, run_mean, &theirs), 0);
        for (size_t i = 0; i < 50; i++) few__workspace_run(workspace, 0, BATCH, &mine, 1);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_status(mine.status, FEW_OK, &mine.error);
        assert_status(theirs.status, FEW_OK, &theirs.error);
        assert_near_all(a.values, b.values, 3, 1e-4);
    }
}

/* ---- loading ---- */

static void test_load_and_unload(void **state)
{
    (void)state;
    load(MEAN);
    load(MEAN); // again: nothing
    struct few_output out;
    struct few__work work = {.slot = 0, .output = &out};
    begin(0, 8, 8);
    few__workspace_unload(workspace, MEAN);
    few__workspace_unload(workspace, MEAN);
    few__workspace_run(workspace, 0, MEAN, &work, 1);
    assert_status(work.status, FEW_EINVAL, &work.error);
    assert_string_equal(work.error.message, "model 'mean' is not loaded");
    few__workspace_cancel(workspace, 0, MEAN); // of nothing: nothing
    few__workspace_reset(workspace, 0, MEAN);
    load(MEAN);
    few__workspace_run(workspace, 1, MEAN, &work, 1);
    assert_status(work.status, FEW_OK, &work.error);
}

static void test_load_of_no_model(void **state)
{
    (void)state;
    if (!workspace) skip();
    const char *before = recipes[MEAN].file;
    few__workspace_unload(workspace, MEAN);
    recipes[MEAN].file = "/nowhere/model.onnx";
    assert_status(few__workspace_load(workspace, MEAN, &err), FEW_ENOENT, &err);
    struct few_cost cost;
    assert_status(few__workspace_profile(workspace, MEAN, &cost, &err), FEW_ENOENT, &err);
    assert_ptr_equal(strstr(err.message, "model 'mean': "), err.message);
    assert_null(strstr(err.message + 1, "model 'mean'"));
    recipes[MEAN].file = before;
    load(MEAN);
}

static void test_cancel(void **state)
{
    (void)state;
    load(MEAN);
    struct few_output out;
    struct few__work work = {.slot = 0, .output = &out};
    begin(0, 8, 8);
    few__workspace_cancel(workspace, 0, MEAN);
    few__workspace_run(workspace, 0, MEAN, &work, 1);
    assert_status(work.status, FEW_ECANCELED, &work.error);
    few__workspace_run(workspace, 1, MEAN, &work, 1); // the other lane goes on
    assert_status(work.status, FEW_OK, &work.error);
    few__workspace_reset(workspace, 0, MEAN);
    few__workspace_run(workspace, 0, MEAN, &work, 1);
    assert_status(work.status, FEW_OK, &work.error);
}

static void test_bad_options(void **state)
{
    (void)state;
    struct few__workspace *w;
    struct few__workspace_opts opts = options();
    opts.n_lanes = 65;
    assert_status(few__workspace_create(&zoo, &opts, &w, &err), FEW_ELIMIT, &err);
    assert_null(w);
    opts = options();
    opts.n_slots = 65;
    assert_status(few__workspace_create(&zoo, &opts, &w, &err), FEW_ELIMIT, &err);
    opts = options();
    recipes[CROP].backend = "abacus";
    assert_status(few__workspace_create(&zoo, &opts, &w, &err), FEW_EINVAL, &err);
    assert_non_null(strstr(err.message, "'abacus'"));
    recipes[CROP].backend = "onnx";
}

static enum few_status create_and_load(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few__workspace *w;
    struct few_zoo with = zoo;
    with.env.mem = mem;
    const struct few__workspace_opts opts = options();
    enum few_status status = few__workspace_create(&with, &opts, &w, &err);
    if (status == FEW_OK) status = few__workspace_load(w, BATCH, &err);
    few__workspace_destroy(w);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!workspace) skip();
    t_fail_each_allocation(create_and_load, NULL);
}

/* ---- profile ---- */

static void test_profile(void **state)
{
    (void)state;
    if (!workspace) skip();
    struct few_cost cost;
    assert_status(few__workspace_profile(workspace, BATCH, &cost, &err), FEW_OK, &err);
    assert_true(cost.time_us >= 1 && cost.load_us >= 1 && cost.more_us >= 1);
    assert_true(cost.memory_bytes >= cost.weights_bytes + (3 * SIDE * SIDE + 3) * sizeof(float));
    assert_status(few__workspace_profile(workspace, CROP, &cost, &err), FEW_OK,
                  &err); // grey has no box: all of it
    assert_status(few__workspace_profile(workspace, MEAN, &cost, &err), FEW_OK, &err);
    assert_int_equal(cost.more_us, 0);
    struct few_output out; // it stays loaded
    struct few__work work = {.slot = 0, .output = &out};
    begin(0, 8, 8);
    few__workspace_run(workspace, 1, MEAN, &work, 1);
    assert_status(work.status, FEW_OK, &work.error);
}

// A tensor of 96 MiB in the middle of the model is working memory, not weights, though all sessions share one arena.
static void test_profile_of_working_memory(void **state)
{
    (void)state;
    if (!workspace || IS_SANITIZED) skip(); // sanitizers keep memory of their own
    struct few_cost cost;
    const uint64_t mib = 1 << 20;
    for (size_t round = 0; round < 2; round++) {
        assert_status(few__workspace_profile(workspace, LARGE, &cost, &err), FEW_OK, &err);
        uint64_t working = cost.memory_bytes - cost.weights_bytes;
        if (working < 90 * mib || working > 200 * mib || cost.weights_bytes > 32 * mib)
            fail_msg("weights %llu MiB, working %llu MiB", (unsigned long long)(cost.weights_bytes / mib),
                     (unsigned long long)(working / mib));
    }
}

static void test_profile_of_endless_model(void **state)
{
    (void)state;
    if (!workspace) skip();
    struct few_cost cost;
    recipes[ENDLESS].timeout_us = 30000;
    assert_status(few__workspace_profile(workspace, ENDLESS, &cost, &err), FEW_ELIMIT, &err);
    assert_string_equal(err.message, "model 'endless': took longer than 30 ms");
    assert_status(few__workspace_profile(workspace, MEAN, &cost, &err), FEW_OK, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_batch_of_other_images_differs),
        cmocka_unit_test(test_batch_of_several_shapes),
        cmocka_unit_test(test_bad_crop_fails_alone),
        cmocka_unit_test(test_lanes_share_an_item),
        cmocka_unit_test(test_load_and_unload),
        cmocka_unit_test(test_load_of_no_model),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_bad_options),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_profile_of_working_memory),
        cmocka_unit_test(test_profile_of_endless_model),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
