// SPDX-License-Identifier: Apache-2.0
#include "train/random_trace.h"

#include <stdio.h>

#include "core/mem.h"
#include "core/rng.h"
#include "model/catalog.h"
#include "model/output.h"
#include "store/store.h"
#include "support/support.h"

enum { LABELS = 3 };

static void make_catalog(struct few__arena *arena, size_t n_models, struct few_catalog *catalog)
{
    static const char *const names[] = {"x", "y", "z"};
    static const struct few__label_list list = {"letters", LABELS, names, 0, NULL};
    struct few__catalog_builder *builder = few__catalog_begin(arena, n_models);
    assert_non_null(builder);
    for (size_t m = 0; m < n_models; m++) {
        char name[24];
        snprintf(name, sizeof name, "m%zu", m);
        // Model 0 finds something to look at for every third of the others.
        const struct few_model model = {.name = name,
                                        .kind = m == 0 ? FEW_DETECTIONS : FEW_LABELS,
                                        .threshold = 0.5F,
                                        .priority = 1,
                                        .needs = m > 0 && m % 3 == 0 ? 0 : -1,
                                        .variant_of = -1};
        assert_int_equal(few__catalog_add(builder, &model, m == 1 ? &list : NULL, NULL), FEW_OK);
    }
    assert_int_equal(few__catalog_end(builder, catalog, NULL), FEW_OK);
}

static struct few_output say(struct few__arena *arena, const struct few_model *model, struct few__rng *rng,
                             bool nothing)
{
    struct few_output output = few__output_empty(model);
    if (nothing) return output;
    if (model->kind == FEW_DETECTIONS) {
        output.n = 1;
        output.detections = FEW__ARENA_NEW(arena, struct few_detection, 1);
        output.detections[0] = (struct few_detection){
            .confidence = 0.5F + 0.5F * (float)few__rng_unit(rng), .box = {0, 0, 1, 1}, .area = 1};
        output.confidence = output.detections[0].confidence;
    } else {
        output.n = model->n_labels ? model->n_labels : 1;
        output.values = FEW__ARENA_NEW(arena, float, output.n);
        for (size_t i = 0; i < output.n; i++) output.values[i] = (float)few__rng_unit(rng);
    }
    output.empty = false;
    return output;
}

static void put_item(struct few__store *store, const struct few_catalog *catalog, size_t i,
                     struct few__rng *rng)
{
    struct few__arena arena;
    char path[40];
    few__arena_init(&arena, NULL, (size_t)64 << 20);
    struct few__cell *cells = FEW__ARENA_NEW(&arena, struct few__cell, catalog->n_models);
    bool found = few__rng_below(rng, 2);
    assert_non_null(cells);
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few_model *model = &catalog->models[m];
        bool out_of_reach = model->needs >= 0 && !found;
        const struct few_output output = say(&arena, model, rng, out_of_reach || (m == 0 && !found));
        cells[m] = (struct few__cell){.outcome = out_of_reach ? FEW_SKIPPED : FEW_EXECUTED,
                                      .reason = "",
                                      .start_us = out_of_reach ? -1 : 0,
                                      .time_us = out_of_reach ? 0 : 100 + 37 * (int64_t)(m % 11)};
        assert_int_equal(few__output_pack(&output, &arena, &cells[m].output, &cells[m].n_output), FEW_OK);
    }
    snprintf(path, sizeof path, "%c_%zu.jpg", i % 2 ? 'b' : 'a', i);
    const struct few__item_row row = {
        .path = path, .digest = "", .message = "", .width = 4, .height = 3, FEW__NO_STREAM};
    assert_int_equal(few__store_put(store, &row, cells, NULL), FEW_OK);
    few__arena_finish(&arena);
}

void random_trace_of(const char *path, size_t n_models, size_t n_items, uint64_t seed)
{
    struct few__arena arena;
    struct few__rng rng;
    struct few_catalog catalog;
    struct few__store *store;
    struct few_error err;
    few__arena_init(&arena, NULL, (size_t)64 << 20);
    few__rng_init(&rng, seed, 1);
    make_catalog(&arena, n_models, &catalog);
    const struct few__store_new what = {.purpose = "trace",
                                        .catalog = &catalog,
                                        .zoo_path = "",
                                        .zoo_digest = "",
                                        .config_json = "{}",
                                        .overwrite = true};
    assert_status(few__store_create(path, &what, NULL, &store, &err), FEW_OK, &err);
    for (size_t i = 0; i < n_items; i++) put_item(store, &catalog, i, &rng);
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    few__arena_finish(&arena);
}

void random_trace(const char *path, size_t n_items, uint64_t seed)
{
    random_trace_of(path, RANDOM_MODELS, n_items, seed);
}
