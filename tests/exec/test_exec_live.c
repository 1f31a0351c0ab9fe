// SPDX-License-Identifier: Apache-2.0
/* The executor with the real clock and real models: those of the demo, and one that computes for hours, so that only
 * a deadline or a time-out ends it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fewer/items.h>

#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/rng.h"
#include "exec/exec_live.h"
#include "exec/exec_log.h"
#include "item/sched_deadline.h"
#include "model/output.h"
#include "support/support.h"

enum { N_ITEMS = 8, ROUNDS = 200, MODELS_MAX = 32, N_SLOTS = 3, N_LANES = 2 };

static const char endless_model[] = "  - name: endless\n"
                                    "    file: %s/tests/backend/data/endless.onnx\n"
                                    "    input: {size: [64, 64], colour: GRAY}\n"
                                    "    output: {kind: vector, values: 4096}\n"
                                    "    cost: {time_ms: 0.5}\n";

static struct few_error err;
static struct few_zoo *zoo;
static struct few__workspace *workspace;
static struct few_items *items;
static struct few__live_opts live_opts;
static struct few_cost costs[MODELS_MAX];
static struct place {
    size_t item;
    struct few__file_reader reader;
    struct few__image_decoder *decoder;
    struct few__image image;
} places[N_SLOTS];
static size_t n_models, endless;
static struct few__arena arena; // for comparing

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

// A lane's work before models may look at the slot's item.
static enum few_status read_slot(void *ud, size_t slot, unsigned *parts, struct few_error *e)
{
    (void)ud;
    struct place *place = &places[slot];
    const void *bytes;
    size_t n;
    const char *path = few_items_path(items, place->item);
    FEW__TRY(few__file_reader_read(&place->reader, path, FEW__IMAGE_BYTES_MAX, &bytes, &n, e));
    FEW__TRY(few__image_decode(place->decoder, path, bytes, n, &place->image, e));
    const struct few__parts picture = {.image = &place->image};
    few__workspace_begin(workspace, slot, &picture, "");
    *parts = few__parts_mask(&picture);
    return FEW_OK;
}

static void describe_live(const struct few__chooser *choosers, size_t n_slots, size_t n_lanes,
                          struct few__exec_log *log)
{
    for (size_t i = 0; i < n_models; i++) costs[i] = zoo->catalog.models[i].cost;
    live_opts = (struct few__live_opts){.exec = {.catalog = &zoo->catalog,
                                                 .costs = costs,
                                                 .choosers = choosers,
                                                 .n_slots = n_slots,
                                                 .n_lanes = n_lanes,
                                                 .log = log},
                                        .workspace = workspace,
                                        .recipes = zoo->recipes,
                                        .read = read_slot};
}

static struct few__live *open_live(const struct few__chooser *choosers, size_t n_slots, size_t n_lanes,
                                   struct few__exec_log *log)
{
    describe_live(choosers, n_slots, n_lanes, log);
    struct few__live *live;
    assert_status(few__live_create(&live_opts, &live, &err), FEW_OK, &err);
    return live;
}

static size_t begin(struct few__live *live, size_t item, int64_t deadline_us)
{
    size_t slot;
    assert_int_equal(few__live_slot(live, &slot), FEW_OK);
    places[slot].item = item;
    few__live_begin(live, slot, item, deadline_us, NULL);
    return slot;
}

static size_t finish(struct few__live *live, int64_t *end_us)
{
    size_t slot;
    assert_int_equal(few__live_wait(live, &slot, end_us), FEW_OK);
    return slot;
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
    const struct few__chooser chooser = {.self = &all, .choose = choose_all};
    struct few__live *live = open_live(&chooser, 1, 1, NULL);
    for (size_t k = 0; k < N_ITEMS; k++) {
        int64_t end_us;
        begin(live, k, FEW__NO_DEADLINE);
        size_t slot = finish(live, &end_us);
        for (size_t i = 0; i < n_models; i++) {
            const struct few_output *output = few__live_output(live, slot, i);
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
    assert_status(few_items_open(&folder, 1, NULL, &items, &err), FEW_OK, &err);
    assert_int_equal(few_items_count(items), N_ITEMS);
    t_tmpdir();
    write_manifest(t_path("zoo.yaml"));
    const struct few_zoo_opts opts = {.size = sizeof opts, .root = root};
    assert_status(few_zoo_open(t_path("zoo.yaml"), &opts, &zoo, &err), FEW_OK, &err);
    n_models = zoo->catalog.n_models;
    endless = n_models - 1;
    assert_true(n_models <= MODELS_MAX);
    const struct few__workspace_opts places_opts = {
        .n_slots = N_SLOTS, .n_lanes = N_LANES, .runtime = {.library = t_runtime(), .threads = 1}};
    assert_status(few__workspace_create(zoo, &places_opts, &workspace, &err), FEW_OK, &err);
    for (size_t i = 0; i < n_models; i++)
        assert_status(few__workspace_load(workspace, i, &err), FEW_OK, &err);
    for (size_t i = 0; i < N_SLOTS; i++) {
        few__file_reader_init(&places[i].reader, NULL);
        assert_status(few__image_decoder_create(NULL, &places[i].decoder, &err), FEW_OK, &err);
    }
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
    for (size_t i = 0; i < N_SLOTS; i++) {
        few__file_reader_finish(&places[i].reader);
        few__image_decoder_destroy(places[i].decoder);
    }
    few__workspace_destroy(workspace);
    few_zoo_close(zoo);
    few_items_close(items);
    return 0;
}

/* ---- what must hold of an item ---- */

static void check_output(const struct few__live *live, size_t slot, size_t model)
{
    const struct few_output *output = few__live_output(live, slot, model);
    size_t item = places[slot].item;
    assert_non_null(output);
    struct packed got = pack(output, &arena);
    assert_non_null(right[item][model].bytes);
    assert_int_equal(got.n, right[item][model].n);
    assert_memory_equal(got.bytes, right[item][model].bytes, got.n);
}

// What was executed is right, what was not has no output.
static void check_item(const struct few__live *live, size_t slot, size_t counts[FEW_OUTCOME_COUNT])
{
    const struct few__exec_row *rows = few__exec_rows(few__live_exec(live), slot);
    few__arena_reset(&arena);
    for (size_t i = 0; i < n_models; i++) {
        counts[rows[i].outcome]++;
        if (rows[i].outcome == FEW_EXECUTED) check_output(live, slot, i);
        else assert_null(few__live_output(live, slot, i));
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
    size_t counts[FEW_OUTCOME_COUNT] = {0}, n_late = 0;
    struct all all = {endless};
    const struct few__chooser only_endless = {.self = &endless, .choose = choose_one};
    const struct few__chooser the_others = {.self = &all, .choose = choose_all};
    struct few__live *slow = open_live(&only_endless, 1, 1, NULL);
    struct few__live *others = open_live(&the_others, 1, 1, NULL);
    for (size_t k = 0; k < N_ITEMS; k++) {
        int64_t deadline = in_us(20000), end_us;
        begin(slow, k, deadline);
        size_t slot = finish(slow, &end_us);
        assert_true(end_us >= deadline);
        const struct few__exec_row *row = &few__exec_rows(few__live_exec(slow), slot)[endless];
        n_late += row->outcome == FEW_LATE; // else this machine was away for the whole time
        assert_true(row->outcome == FEW_LATE || row->outcome == FEW_SKIPPED);
        assert_int_equal(row->reason, FEW__WHY_DEADLINE);
        assert_true(row->outcome == FEW_SKIPPED || row->end_us >= deadline);
        assert_null(few__live_output(slow, slot, endless));

        few__live_settle(slow); // the same workspace goes on with another item
        begin(others, (k + 1) % N_ITEMS, FEW__NO_DEADLINE);
        check_item(others, finish(others, &end_us), counts);
    }
    assert_true(n_late > 0);
    assert_int_equal(counts[FEW_LATE] + counts[FEW_FAILED], 0);
    assert_true(counts[FEW_EXECUTED] > N_ITEMS * n_models / 2);
    few__live_destroy(slow);
    few__live_destroy(others);
}

static void test_time_out(void **state)
{
    (void)state;
    struct few__recipe recipes[MODELS_MAX];
    memcpy(recipes, zoo->recipes, n_models * sizeof *recipes);
    recipes[endless].timeout_us = 10000;
    const struct few__chooser chooser = {.self = &endless, .choose = choose_one};
    describe_live(&chooser, 1, 1, NULL);
    live_opts.recipes = recipes;
    struct few__live *live;
    assert_status(few__live_create(&live_opts, &live, &err), FEW_OK, &err);
    for (size_t k = 0; k < 3; k++) {
        int64_t end_us;
        begin(live, k, FEW__NO_DEADLINE);
        size_t slot = finish(live, &end_us);
        assert_int_equal(few__exec_rows(few__live_exec(live), slot)[endless].outcome, FEW_FAILED);
        assert_string_equal(few__live_message(live, slot, endless), "took longer than 10 ms");
    }
    few__live_destroy(live);
}

/* Items in flight on two lanes, with random orders and deadlines through the scheduler of AMS Algorithm 1; the endless
 * model is thought to be short. */
static void test_random_items_and_deadlines(void **state)
{
    (void)state;
    struct few__rng rng;
    struct few__exec_log log;
    struct few__sched scheds[N_SLOTS];
    struct few__chooser choosers[N_SLOTS];
    size_t counts[FEW_OUTCOME_COUNT] = {0}, begun = 0, done = 0, slot;
    few__rng_init(&rng, t_seed(), 0);
    assert_status(few__exec_log_init(&log, NULL, ROUNDS * (4 * n_models + 5), &err), FEW_OK, &err);
    for (size_t i = 0; i < N_SLOTS; i++) {
        struct few__value value;
        assert_status(few__value_random(&zoo->catalog, t_seed() + i, NULL, &value, &err), FEW_OK, &err);
        assert_status(
            few__sched_deadline_create(&zoo->catalog, value, FEW__RANK_RATIO, NULL, &scheds[i], &err), FEW_OK,
            &err);
        choosers[i] = scheds[i].chooser;
    }
    struct few__live *live = open_live(choosers, N_SLOTS, N_LANES, &log);
    while (done < ROUNDS) {
        while (begun < ROUNDS && few__live_slot(live, &slot) == FEW_OK) {
            begin(live, (size_t)few__rng_below(&rng, N_ITEMS),
                  in_us((int64_t)few__rng_below(&rng, 40000) - 500));
            begun++;
        }
        int64_t end_us;
        check_item(live, finish(live, &end_us), counts);
        done++;
    }
    few__live_settle(live);
    assert_int_equal(log.lost, 0);
    assert_status(few__exec_check(&log, &live_opts.exec, &err), FEW_OK, &err);
    size_t sum = 0;
    for (size_t k = 0; k < FEW_OUTCOME_COUNT; k++) sum += counts[k];
    assert_int_equal(sum, ROUNDS * n_models);
    assert_true(counts[FEW_EXECUTED] > 0 && counts[FEW_SKIPPED] > 0 && counts[FEW_LATE] > 0);
    assert_int_equal(counts[FEW_FAILED], 0);
    few__live_destroy(live);
    for (size_t i = 0; i < N_SLOTS; i++) few__sched_destroy(&scheds[i]);
    few__exec_log_finish(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deadline_in_the_middle_of_a_model),
        cmocka_unit_test(test_time_out),
        cmocka_unit_test(test_random_items_and_deadlines),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
