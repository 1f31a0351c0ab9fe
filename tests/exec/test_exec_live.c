// SPDX-License-Identifier: Apache-2.0
/* The executor with the real clock and real models: those of the demo, and one that computes for hours, so that only
 * the deadline ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fewer/items.h>

#include "core/env.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "exec/exec_live.h"
#include "exec/exec_log.h"
#include "item/sched_deadline.h"
#include "model/output.h"
#include "support/support.h"

enum { N_ITEMS = 8, ROUNDS = 200, MODELS_MAX = 32 };

static const char endless_model[] = "  - name: endless\n"
                                    "    file: %s/tests/backend/data/endless.onnx\n"
                                    "    input: {size: [64, 64], colour: GRAY}\n"
                                    "    output: {kind: vector, values: 4096}\n"
                                    "    cost: {time_ms: 0.5}\n";

static struct few_error err;
static struct few_zoo *zoo;
static struct few__runtime *runtime;
static struct few__workspace *workspace;
static struct few__image_decoder *decoder;
static struct few_items *items;
static size_t n_models, endless;
static struct few__arena arena; // outputs of the current item

struct packed {
    const void *bytes;
    size_t n;
};
static struct few__arena right_arena;
static struct packed right[N_ITEMS]
                          [MODELS_MAX]; // what each model says of each item; NULL = its need found nothing

/* ---- choosers ---- */

// Every model that can run, in the zoo's order, but for one.
struct all {
    size_t except;
};

static void choose_all(void *self, const struct few__view *view, struct few__choice *choice)
{
    const struct all *all = self;
    choice->answer = FEW__STOP;
    for (size_t k = 0; k < n_models; k++) {
        size_t i = zoo->order[k];
        int need = view->catalog->models[i].needs;
        if (i == all->except || view->states[i] != FEW__PENDING || (need >= 0 && !view->found[need]))
            continue;
        choice->answer = FEW__START;
        choice->n = 1;
        choice->models[0] = i;
        return;
    }
}

// One model and no more.
static void choose_one(void *self, const struct few__view *view, struct few__choice *choice)
{
    const size_t *model = self;
    bool waits = view->states[*model] == FEW__PENDING;
    choice->answer = waits ? FEW__START : FEW__STOP;
    choice->n = 1;
    choice->models[0] = *model;
}

/* ---- set-up ---- */

static struct few__live *open_live(struct few__chooser chooser, struct few__exec_log *log)
{
    struct few_cost costs[MODELS_MAX];
    for (size_t i = 0; i < n_models; i++) costs[i] = zoo->catalog.models[i].cost;
    const struct few__exec_opts opts = {
        .catalog = &zoo->catalog, .costs = costs, .choosers = &chooser, .n_lanes = 1, .log = log};
    struct few__live *live;
    assert_status(few__live_create(&opts, workspace, &live, &err), FEW_OK, &err);
    return live;
}

static void begin(size_t item)
{
    static struct few__file_reader reader;
    static struct few__image image;
    const void *bytes;
    size_t n;
    const char *path = few_items_path(items, item);
    few__file_reader_init(&reader, NULL);
    assert_status(few__file_reader_read(&reader, path, FEW__IMAGE_BYTES_MAX, &bytes, &n, &err), FEW_OK, &err);
    assert_status(few__image_decode(decoder, path, bytes, n, &image, &err), FEW_OK, &err);
    few__file_reader_finish(&reader);
    few__workspace_begin(workspace, &image);
    few__arena_reset(&arena);
}

static struct packed pack(const struct few_output *output, struct few__arena *where)
{
    struct packed packed;
    assert_status(few__output_pack(output, where, &packed.bytes, &packed.n), FEW_OK, NULL);
    return packed;
}

static void find_right_answers(void)
{
    struct all all = {endless};
    struct few__live *live = open_live((struct few__chooser){.self = &all, .choose = choose_all}, NULL);
    for (size_t k = 0; k < N_ITEMS; k++) {
        begin(k);
        few__live_item(live, k, FEW__NO_DEADLINE, &arena);
        for (size_t i = 0; i < n_models; i++) {
            const struct few_output *output = few__live_output(live, i);
            if (output) right[k][i] = pack(output, &right_arena);
        }
    }
    few__live_destroy(live);
}

static void write_manifest(const char *path)
{
    char demo[512], *text = NULL;
    size_t n;
    snprintf(demo, sizeof demo, "%s/demo/zoo.yaml", t_source());
    assert_status(few__file_read(demo, 1 << 20, NULL, &text, &n, &err), FEW_OK, &err);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fprintf(file, endless_model, t_source());
    assert_int_equal(fclose(file), 0);
    few__free(NULL, text);
}

static int set_up(void **state)
{
    (void)state;
    char command[2048], root[512];
    const char *folder = t_tmpdir();
    snprintf(root, sizeof root, "%s/demo", t_source());
    snprintf(command, sizeof command, "%s/.venv/bin/python %s/draw.py %s %d >/dev/null", t_source(), root,
             folder, N_ITEMS);
    assert_int_equal(system(command), 0);
    assert_status(few_items_open(&folder, 1, NULL, NULL, &items, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(items), N_ITEMS);
    t_tmpdir();
    write_manifest(t_path("zoo.yaml"));
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, &err), FEW_OK, &err);
    n_models = zoo->catalog.n_models;
    endless = n_models - 1;
    assert_true(n_models <= MODELS_MAX);
    const struct few__runtime_opts library = {.name = "onnx", .library = t_runtime(), .threads = 1};
    assert_status(few__runtime_open(&library, NULL, &runtime, &err), FEW_OK, &err);
    assert_status(few__workspace_create(zoo, runtime, &workspace, &err), FEW_OK, &err);
    assert_status(few__image_decoder_create(NULL, &decoder, &err), FEW_OK, &err);
    few__arena_init(&arena, NULL, SIZE_MAX);
    few__arena_init(&right_arena, NULL, SIZE_MAX);
    find_right_answers();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    few__arena_finish(&arena);
    few__arena_finish(&right_arena);
    few__image_decoder_destroy(decoder);
    few__workspace_destroy(workspace);
    few__runtime_close(runtime);
    few_zoo_close(zoo);
    few_items_close(items);
    return 0;
}

/* ---- what must hold of an item ---- */

static void check_output(const struct few__live *live, size_t item, size_t model)
{
    const struct few_output *output = few__live_output(live, model);
    assert_non_null(output);
    struct packed got = pack(output, &arena);
    assert_non_null(right[item][model].bytes);
    assert_int_equal(got.n, right[item][model].n);
    assert_memory_equal(got.bytes, right[item][model].bytes, got.n);
}

// What was executed is right, what was not has no output.
static void check_item(const struct few__live *live, size_t item, size_t counts[FEW_OUTCOME_COUNT])
{
    const struct few__exec_row *rows = few__exec_rows(few__live_exec(live), 0);
    for (size_t i = 0; i < n_models; i++) {
        counts[rows[i].outcome]++;
        if (rows[i].outcome == FEW_EXECUTED) check_output(live, item, i);
        else assert_null(few__live_output(live, i));
        bool started = rows[i].outcome == FEW_EXECUTED || rows[i].outcome == FEW_LATE;
        assert_int_equal(rows[i].start_us >= 0, started);
        assert_true(!started || rows[i].end_us >= rows[i].start_us);
        if (i == endless) assert_true(rows[i].outcome == FEW_SKIPPED || rows[i].outcome == FEW_LATE);
    }
}

static int64_t in_us(int64_t us)
{
    const struct few_env env = few__env(NULL);
    return few__now_us(&env) + us;
}

/* ---- tests ---- */

static void test_deadline_in_the_middle_of_a_model(void **state)
{
    (void)state;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    struct all all = {endless};
    struct few__live *slow = open_live((struct few__chooser){.self = &endless, .choose = choose_one}, NULL);
    struct few__live *others = open_live((struct few__chooser){.self = &all, .choose = choose_all}, NULL);
    for (size_t k = 0; k < N_ITEMS; k++) {
        begin(k);
        int64_t deadline = in_us(20000);
        assert_true(few__live_item(slow, k, deadline, &arena) >= deadline);
        const struct few__exec_row *row = &few__exec_rows(few__live_exec(slow), 0)[endless];
        assert_int_equal(row->outcome, FEW_LATE);
        assert_int_equal(row->reason, FEW__WHY_DEADLINE);
        assert_true(row->end_us >= deadline);
        assert_null(few__live_output(slow, endless));

        begin((k + 1) % N_ITEMS); // the same workspace goes on with another item
        few__live_item(others, k, FEW__NO_DEADLINE, &arena);
        check_item(others, (k + 1) % N_ITEMS, counts);
    }
    assert_int_equal(counts[FEW_LATE] + counts[FEW_FAILED], 0);
    assert_true(counts[FEW_EXECUTED] > N_ITEMS * n_models / 2);
    few__live_destroy(slow);
    few__live_destroy(others);
}

static void test_deadline_that_is_over(void **state)
{
    (void)state;
    struct few__live *live = open_live((struct few__chooser){.self = &endless, .choose = choose_one}, NULL);
    begin(0);
    few__live_item(live, 0, in_us(0), &arena);
    assert_int_equal(few__exec_rows(few__live_exec(live), 0)[endless].outcome, FEW_SKIPPED);
    few__live_item(live, 1, in_us(-1000000), &arena);
    assert_int_equal(few__exec_rows(few__live_exec(live), 0)[endless].outcome, FEW_SKIPPED);
    few__live_destroy(live);
}

/* Random orders and deadlines through the scheduler of AMS Algorithm 1; the endless model is thought to be short. */
static void test_random_items_and_deadlines(void **state)
{
    (void)state;
    struct few__rng rng;
    struct few__exec_log log;
    struct few__value value;
    struct few__sched_deadline *sched;
    size_t counts[FEW_OUTCOME_COUNT] = {0};
    few__rng_init(&rng, t_seed(), 0);
    assert_status(few__exec_log_init(&log, NULL, ROUNDS * (3 * n_models + 3), &err), FEW_OK, &err);
    assert_status(few__value_random(&zoo->catalog, t_seed(), NULL, &value, &err), FEW_OK, &err);
    assert_status(
        few__sched_deadline_create(&zoo->catalog, value, FEW__NEGATIVE_FAITHFUL, NULL, &sched, &err), FEW_OK,
        &err);
    struct few__live *live = open_live(few__sched_deadline_chooser(sched), &log);
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t item = (size_t)few__rng_below(&rng, N_ITEMS);
        begin(item);
        few__live_item(live, round, in_us((int64_t)few__rng_below(&rng, 25000) - 500), &arena);
        check_item(live, item, counts);
    }
    assert_int_equal(log.lost, 0);
    struct few_cost costs[MODELS_MAX];
    for (size_t i = 0; i < n_models; i++) costs[i] = zoo->catalog.models[i].cost;
    const struct few__exec_opts had = {.catalog = &zoo->catalog, .costs = costs};
    assert_status(few__exec_check(&log, &had, &err), FEW_OK, &err);
    size_t sum = 0;
    for (size_t k = 0; k < FEW_OUTCOME_COUNT; k++) sum += counts[k];
    assert_int_equal(sum, ROUNDS * n_models);
    assert_true(counts[FEW_EXECUTED] > 0 && counts[FEW_SKIPPED] > 0 && counts[FEW_LATE] > 0);
    assert_int_equal(counts[FEW_FAILED], 0);
    few__live_destroy(live);
    few__sched_deadline_destroy(sched);
    few__exec_log_finish(&log);
}

static void test_one_lane(void **state)
{
    (void)state;
    struct few__live *live;
    const struct few__exec_opts opts = {.catalog = &zoo->catalog, .n_lanes = 2};
    assert_status(few__live_create(&opts, workspace, &live, &err), FEW_EINVAL, &err);
    assert_null(live);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline_in_the_middle_of_a_model),
        cmocka_unit_test(test_deadline_that_is_over),
        cmocka_unit_test(test_random_items_and_deadlines),
        cmocka_unit_test(test_one_lane),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
