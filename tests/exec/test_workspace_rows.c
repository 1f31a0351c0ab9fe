// SPDX-License-Identifier: Apache-2.0
/* Sound and text through the workspace, with small models whose answers can be computed here: windows in order on one lane,
 * answers combined, cancellation between windows, tokens, profiles. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "exec/workspace.h"
#include "support/support.h"

enum { SUM, SUM_MEAN, SUM_LAST, ENDS, TEXT, TEXT_32, MEAN, N_MODELS };
enum { N_SLOTS = 2, N_LANES = 2, RATE = 8000, N_SAMPLES = 2000, TEXT_LENGTH = 5 };

/* sum: twice the sum of all that was heard, windows of 4 after 2 samples of context; ends: the first and the last sample of
 * a window of 6 that overlaps the next by 3; text: its numbers. */
static const char manifest[] =
    "version: 1\n"
    "labels: {words: {names: [none, a, dog, cat]}}\n"
    "models:\n"
    "  - &sum {name: sum, file: sum.onnx, output: {kind: scalar, tensors: [total]},\n"
    "     input: &heard {kind: sound, rate: 8000, window: 4, context: 2, constants: {gain: 2},\n"
    "             states: [{input: before, output: after, dims: [1, 1]}]}}\n"
    "  - {<<: *sum, name: sum_mean, output: {kind: scalar, combine: mean}}\n"
    "  - {<<: *sum, name: sum_last, output: {kind: scalar, combine: last}}\n"
    "  - {name: ends, file: ends.onnx, input: {kind: sound, rate: 8000, window: 6, hop: 3},\n"
    "     output: {kind: vector, values: 2, combine: max}}\n"
    "  - &text {name: text, file: tokens.onnx, output: {kind: vector, values: 5},\n"
    "     input: {kind: text, length: 5, vocabulary: words, unknown: 9, pad: -1}}\n"
    "  - {<<: *text, name: text_32, file: tokens_int32.onnx}\n"
    "  - {name: mean, file: mean.onnx, input: {size: [4, 4]},\n"
    "     output: {kind: vector, values: 3, tensors: [mean]}}\n";

enum few_status __wrap_few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                       struct few__tensor *outputs, size_t *n_outputs, struct few_error *err);
enum few_status __real_few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                       struct few__tensor *outputs, size_t *n_outputs, struct few_error *err);

static struct few_error err;
static struct few_zoo *zoo;
static struct few__workspace *workspace;
static float samples[N_SAMPLES];
static atomic_size_t n_runs, n_first;
static size_t cancel_at, cancel_model; // lane 0's run of that number; 0 = none

enum few_status __wrap_few__runner_run(struct few__runner *runner, const struct few__run_input *input,
                                       struct few__tensor *outputs, size_t *n_outputs, struct few_error *e)
{
    n_first += input->first;
    if (++n_runs == cancel_at) few__workspace_cancel(workspace, 0, cancel_model);
    return __real_few__runner_run(runner, input, outputs, n_outputs, e);
}

static struct few__workspace_opts options(void)
{
    return (struct few__workspace_opts){
        .n_slots = N_SLOTS, .n_lanes = N_LANES, .runtime = {.library = t_runtime(), .threads = 1}};
}

static int set_up(void **state)
{
    (void)state;
    char root[4096];
    t_tmpdir();
    t_write(t_path("zoo.yaml"), manifest, strlen(manifest));
    snprintf(root, sizeof root, "%s/tests/backend/data", t_source());
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, &err), FEW_OK, &err);
    for (size_t i = 0; i < N_SAMPLES; i++) samples[i] = (float)(i % 17) - 5; // sums that float holds exactly
    if (!t_runtime()) return 0;
    const struct few__workspace_opts places = options();
    assert_status(few__workspace_create(zoo, &places, &workspace, &err), FEW_OK, &err);
    for (size_t m = 0; m < N_MODELS; m++)
        assert_status(few__workspace_load(workspace, m, &err), FEW_OK, &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few__workspace_destroy(workspace);
    few_zoo_close(zoo);
    return 0;
}

static void begin(size_t slot, const struct few__parts *parts)
{
    if (!workspace) skip();
    few__workspace_begin(workspace, slot, parts, "");
}

static void begin_sound(size_t slot, size_t n)
{
    const struct few__parts parts = {.n_sounds = 1, .sounds = {{RATE, n, samples}}};
    begin(slot, &parts);
}

static void begin_text(size_t slot, const char *text)
{
    const struct few__parts parts = {.text = text};
    begin(slot, &parts);
}

static struct few_output run(size_t slot, size_t lane, size_t model)
{
    struct few_output output;
    struct few__work work = {.slot = slot, .output = &output};
    few__workspace_run(workspace, lane, model, &work, 1);
    assert_status(work.status, FEW_OK, &work.error);
    return output;
}

/* ---- what must come out ---- */

// Twice the sum of everything that windows 0 .. k hold, the two samples before each included.
static double sum_until(size_t k, size_t n)
{
    double sum = 0;
    for (size_t w = 0; w <= k; w++)
        for (size_t i = 0; i < 6; i++) {
            size_t at = w * 4 + i;
            if (at >= 2 && at - 2 < n) sum += (double)samples[at - 2];
        }
    return 2 * sum;
}

static void test_windows_are_summed(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 3, 4, 5, 8, 9, 101, N_SAMPLES};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        size_t n = lengths[i], windows = (n + 3) / 4;
        double most = sum_until(0, n), mean = 0;
        for (size_t k = 0; k < windows; k++) {
            double sum = sum_until(k, n);
            most = sum > most ? sum : most;
            mean += sum / (double)windows;
        }
        begin_sound(0, n);
        n_runs = n_first = 0;
        assert_near(run(0, 0, SUM_LAST).values[0], sum_until(windows - 1, n), 0);
        assert_int_equal(n_runs, windows);
        assert_int_equal(n_first, 1);
        assert_near(run(0, 0, SUM).values[0], most, 0);
        assert_near(run(0, 1, SUM_MEAN).values[0], mean, 1e-3);
    }
}

// Windows of 6 each 3 samples: the largest first sample and the largest last one.
static void test_windows_overlap(void **state)
{
    (void)state;
    begin_sound(0, 13);
    n_runs = 0;
    const struct few_output output = run(0, 0, ENDS);
    assert_int_equal(output.n, 2);
    // windows at 0, 3, 6, 9; the last is filled up with two zeros
    assert_int_equal(n_runs, 4);
    assert_near(output.values[0], (double)samples[9], 0);
    assert_near(output.values[1], (double)samples[11], 0);
}

static void test_sound_without_samples(void **state)
{
    (void)state;
    begin_sound(0, 0);
    n_runs = 0;
    const struct few_output output = run(0, 0, SUM);
    assert_true(output.empty);
    assert_int_equal(output.kind, FEW_SCALAR);
    assert_int_equal(n_runs, 0);
}

// The caller knows what an item has; without it there is an error, not an answer.
static void test_parts_that_are_missing(void **state)
{
    (void)state;
    struct few_output output;
    struct few__work work = {.output = &output};
    const struct few__parts other = {.n_sounds = 1, .sounds = {{16000, 10, samples}}};
    begin(0, &other);
    few__workspace_run(workspace, 0, SUM, &work, 1);
    assert_status(work.status, FEW_EINVAL, &work.error);
    assert_string_equal(work.error.message,
                        "model 'sum': expected sound of 8000 samples a second, found none");
    few__workspace_run(workspace, 0, TEXT, &work, 1);
    assert_status(work.status, FEW_EINVAL, &work.error);
    assert_string_equal(work.error.message, "model 'text': expected text, found none");
    begin(0, NULL);
    few__workspace_run(workspace, 0, SUM, &work, 1);
    assert_status(work.status, FEW_EINVAL, &work.error);
}

static void test_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        float numbers[TEXT_LENGTH];
    } cases[] = {{"A dog, a cat", {1, 2, 1, 3, -1}},
                 {"", {-1, -1, -1, -1, -1}},
                 {"the dog and a cat and a dog", {9, 2, 9, 1, 3}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_text(0, cases[i].text);
        for (size_t model = TEXT; model <= TEXT_32; model++) {
            const struct few_output output = run(0, model == TEXT, model);
            assert_int_equal(output.n, TEXT_LENGTH);
            assert_near_all(output.values, cases[i].numbers, TEXT_LENGTH, 0);
        }
    }
}

/* ---- several at once ---- */

struct lane {
    size_t index;
    double wrong;
};

// The same model on two lanes, each with an item of its own: states do not mix.
static void *listen(void *arg)
{
    struct lane *lane = arg;
    for (int round = 0; round < 50; round++) {
        size_t n = 40 + lane->index * 17 + (size_t)round;
        const struct few__parts parts = {.n_sounds = 1, .sounds = {{RATE, n, samples}}, .text = "dog"};
        struct few_output output;
        struct few__work work = {.slot = lane->index, .output = &output};
        few__workspace_begin(workspace, lane->index, &parts, "");
        few__workspace_run(workspace, lane->index, SUM_LAST, &work, 1);
        if (work.status != FEW_OK || (double)output.values[0] != sum_until((n + 3) / 4 - 1, n)) lane->wrong++;
        few__workspace_run(workspace, lane->index, TEXT, &work, 1);
        if (work.status != FEW_OK || output.values[0] != 2) lane->wrong++;
    }
    return NULL;
}

static void test_two_lanes(void **state)
{
    (void)state;
    if (!workspace) skip();
    struct lane lanes[N_LANES] = {{.index = 0}, {.index = 1}};
    pthread_t threads[N_LANES];
    for (size_t i = 0; i < N_LANES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, listen, &lanes[i]), 0);
    for (size_t i = 0; i < N_LANES; i++) pthread_join(threads[i], NULL);
    for (size_t i = 0; i < N_LANES; i++) assert_near(lanes[i].wrong, 0, 0);
}

static void test_cancelled_between_windows(void **state)
{
    (void)state;
    struct few_output output;
    struct few__work work = {.output = &output};
    begin_sound(0, N_SAMPLES);
    n_runs = 0;
    cancel_at = 7;
    cancel_model = SUM_LAST;
    few__workspace_run(workspace, 0, SUM_LAST, &work, 1);
    cancel_at = 0;
    assert_status(work.status, FEW_ECANCELED, &work.error);
    assert_int_equal(n_runs, 7);
    few__workspace_reset(workspace, 0, SUM_LAST);
    assert_near(run(0, 0, SUM_LAST).values[0], sum_until(N_SAMPLES / 4 - 1, N_SAMPLES), 0); // from the start
}

/* ---- memory, profile ---- */

static void test_profile(void **state)
{
    (void)state;
    if (!workspace) skip();
    struct few_cost cost;
    n_runs = 0;
    assert_status(few__workspace_profile(workspace, SUM, &cost, &err), FEW_OK, &err);
    assert_int_equal(n_runs, 4 * RATE / 4); // a second, four times
    assert_true(cost.time_us > 0);
    n_runs = 0;
    assert_status(few__workspace_profile(workspace, TEXT_32, &cost, &err), FEW_OK, &err);
    assert_int_equal(n_runs, 4);
    assert_true(cost.time_us > 0 && cost.memory_bytes > 0);
}

// However many windows there are: answers of windows take no memory that stays.
static void test_memory_is_used_again(void **state)
{
    (void)state;
    if (!t_runtime()) skip();
    struct t_mem mem;
    t_mem_init(&mem, 0);
    struct few_zoo counted = *zoo;
    counted.env.mem = &mem.mem;
    struct few__workspace *own, *before = workspace;
    const struct few__workspace_opts places = options();
    assert_status(few__workspace_create(&counted, &places, &own, &err), FEW_OK, &err);
    workspace = own;
    assert_status(few__workspace_load(own, SUM, &err), FEW_OK, &err);
    assert_status(few__workspace_load(own, TEXT_32, &err), FEW_OK, &err);
    size_t calls = 0;
    for (int round = 0; round < 3; round++) {
        const struct few__parts parts = {
            .n_sounds = 1, .sounds = {{RATE, N_SAMPLES, samples}}, .text = "a cat"};
        begin(0, &parts);
        run(0, 0, SUM);
        run(0, 0, TEXT_32);
        if (round > 0) assert_int_equal(mem.calls, calls);
        calls = mem.calls;
    }
    few__workspace_destroy(own);
    workspace = before;
    assert_int_equal(mem.live, 0);
}

// Where working memory goes back, states stay between windows.
static void test_memory_is_given_back(void **state)
{
    (void)state;
    if (!t_runtime()) skip();
    struct few__workspace *own, *before = workspace;
    struct few__workspace_opts places = options();
    places.runtime.give_back = true;
    assert_status(few__workspace_create(zoo, &places, &own, &err), FEW_OK, &err);
    assert_status(few__workspace_load(own, SUM_LAST, &err), FEW_OK, &err);
    workspace = own;
    begin_sound(0, 101);
    for (int round = 0; round < 3; round++) assert_near(run(0, 0, SUM_LAST).values[0], sum_until(25, 101), 0);
    workspace = before;
    few__workspace_destroy(own);
}

static enum few_status create(const struct few_mem *mem, void *ud)
{
    (void)ud;
    struct few_zoo counted = *zoo;
    struct few__workspace *own = NULL;
    const struct few__workspace_opts places = options();
    counted.env.mem = mem;
    enum few_status status = few__workspace_create(&counted, &places, &own, NULL);
    if (status == FEW_OK) status = few__workspace_load(own, SUM, NULL);
    if (status == FEW_OK) status = few__workspace_load(own, TEXT_32, NULL);
    few__workspace_destroy(own);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    if (!t_runtime()) skip();
    t_fail_each_allocation(create, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows_are_summed),
        cmocka_unit_test(test_windows_overlap),
        cmocka_unit_test(test_sound_without_samples),
        cmocka_unit_test(test_parts_that_are_missing),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_two_lanes),
        cmocka_unit_test(test_cancelled_between_windows),
        cmocka_unit_test(test_profile),
        cmocka_unit_test(test_memory_is_used_again),
        cmocka_unit_test(test_memory_is_given_back),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
