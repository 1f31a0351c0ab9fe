// SPDX-License-Identifier: Apache-2.0
// A small catalog with a model of every kind, and outputs for it; for the tests of what lies in a store.
#ifndef FEW_TESTS_STORE_FIXTURE_H
#define FEW_TESTS_STORE_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "support/support.h"

#include "core/mem.h"
#include "model/catalog.h"
#include "model/output.h"
#include "store/store.h"

/* Change a database behind the store's back. */
static inline void fix_sql(const char *path, const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK) fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

/* A whole file; free() it. */
static inline char *fix_slurp(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *n = (size_t)ftell(file);
    rewind(file);
    char *data = malloc(*n + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *n, file), *n);
    fclose(file);
    return data;
}

enum { SCENE, TAGS, OBJECTS, OBJECTS_BIG, FACE, AGE, POSE, WORDS, HAND, MODELS };

static inline void fix_add(struct few__catalog_builder *builder, struct few_model model,
                           const struct few__label_list *list)
{
    struct few_error err;
    model.threshold = 0.5f;
    model.priority = 1;
    assert_status(few__catalog_add(builder, &model, list, &err), FEW_OK, &err);
}

static inline struct few_catalog fix_catalog(struct few__arena *arena)
{
    static const char *const scene[] = {"beach", "background", "beach"}, *const tags[] = {"day", "b, \"c\""};
    static const char *const coco[] = {"person", "dog", "void"}, *const letters[] = {"a", "b", " ",
                                                                                     "\xc3\xa9"};
    const struct few__label_list scene_list = {"scene", 3, scene, 1, scene + 1},
                                 tags_list = {"tags", 2, tags, 0, NULL},
                                 coco_list = {"coco", 3, coco, 1, coco + 2},
                                 alphabet = {"latin", 4, letters, 0, NULL};
    struct few__catalog_builder *b = few__catalog_begin(arena, MODELS);
    assert_non_null(b);
    fix_add(b,
            (struct few_model){.name = "scene",
                               .task = "where",
                               .kind = FEW_CLASSES,
                               .modality = FEW_SOUND,
                               .needs = -1,
                               .variant_of = -1,
                               .cost = {.time_us = 1500, .memory_bytes = 1 << 20},
                               .digest = "00ff"},
            &scene_list);
    fix_add(b,
            (struct few_model){.name = "tags",
                               .task = "",
                               .kind = FEW_LABELS,
                               .modality = FEW_TEXT,
                               .needs = -1,
                               .variant_of = -1},
            &tags_list);
    fix_add(b,
            (struct few_model){
                .name = "objects", .task = "", .kind = FEW_DETECTIONS, .needs = -1, .variant_of = 2},
            &coco_list);
    fix_add(b,
            (struct few_model){.name = "objects_big",
                               .task = "",
                               .kind = FEW_DETECTIONS,
                               .needs = -1,
                               .variant_of = 2,
                               .cost = {.time_us = 9000}},
            &coco_list);
    fix_add(
        b,
        (struct few_model){.name = "face", .task = "", .kind = FEW_DETECTIONS, .needs = -1, .variant_of = -1},
        NULL);
    fix_add(b,
            (struct few_model){.name = "age",
                               .task = "",
                               .kind = FEW_SCALAR,
                               .needs = FACE,
                               .variant_of = -1,
                               .empty = 0.1f,
                               .tolerance = 0.3f,
                               .cost = {.time_us = 250}},
            NULL);
    fix_add(
        b,
        (struct few_model){.name = "pose", .task = "", .kind = FEW_VECTOR, .needs = FACE, .variant_of = -1},
        NULL);
    fix_add(
        b,
        (struct few_model){.name = "words", .task = "", .kind = FEW_SEQUENCE, .needs = -1, .variant_of = -1},
        &alphabet);
    fix_add(b, (struct few_model){.name = "hand", .task = "", .kind = FEW_BOX, .needs = -1, .variant_of = -1},
            NULL);
    struct few_catalog catalog;
    struct few_error err;
    assert_status(few__catalog_end(b, &catalog, &err), FEW_OK, &err);
    return catalog;
}

/* What a model says of item i, packed in the arena. */
static inline void fix_output(struct few__arena *arena, size_t model, int i, struct few__cell *cell)
{
    float x = (float)(i % 8) / 8;
    float three[] = {1 - x, x, 0}, two[] = {x, 0.75f}, pose[] = {-10.5f, x, 3},
          hand[] = {0.25f, 0.5f, 0.125f, x};
    struct few_detection boxes[] = {{1, 0.75f, {0.25f, 0.5f, 0.25f, 0.25f}, 0.0625f},
                                    {0, 0.5f, {0, 0, 1, 1}, 0.5f}};
    struct few_detection face = {0, 0.875f, {x, 0.25f, 0.125f, 0.5f}, 0.0625f};
    int32_t tokens[] = {3, 2, 0};
    const struct few_output said[MODELS] = {
        [SCENE] = {.kind = FEW_CLASSES, .confidence = three[0], .n = 3, .values = three},
        [TAGS] = {.kind = FEW_LABELS, .confidence = 0.75f, .n = 2, .values = two},
        [OBJECTS] = {.kind = FEW_DETECTIONS, .empty = true},
        [OBJECTS_BIG] = {.kind = FEW_DETECTIONS, .confidence = 0.75f, .n = 2, .detections = boxes},
        [FACE] = {.kind = FEW_DETECTIONS, .confidence = 0.875f, .n = 1, .detections = &face},
        [AGE] = {.kind = FEW_SCALAR, .confidence = 1, .n = 1, .values = three},
        [POSE] = {.kind = FEW_VECTOR, .confidence = 1, .n = 3, .values = pose},
        [WORDS] = {.kind = FEW_SEQUENCE, .confidence = 0.625f, .n = 3, .tokens = tokens},
        [HAND] = {.kind = FEW_BOX, .confidence = 0.5625f, .n = 4, .values = hand},
    };
    assert_int_equal(few__output_pack(&said[model], arena, &cell->output, &cell->n_output), FEW_OK);
}

/* The look of item i: soft stripes, and every seventh time noise, which nothing makes smaller. */
static inline void fix_look(uint8_t look[FEW__STORE_LOOK], int i)
{
    uint32_t noise = (uint32_t)i + 1;
    for (size_t k = 0; k < FEW__STORE_LOOK; k++) {
        noise = noise * 1664525u + 1013904223u;
        look[k] = i % 7 == 6 ? (uint8_t)(noise >> 24) : (uint8_t)(k / 160 + 3 * (k % 160) + (size_t)i);
    }
}

/* One more stream; its id. */
static inline int64_t fix_stream(struct few__store *store, const char *path)
{
    struct few__stream_row row = {.id = -1, .path = path, .n_in = 3, .last_us = -1, .newest_age_us = -1};
    struct few_error err;
    assert_status(few__store_put_stream(store, &row, &err), FEW_OK, &err);
    return row.id;
}

/* The cells of item i: all executed, except that every fourth item has no face and tags were too late there. */
static inline void fix_cells(struct few__arena *arena, int i, struct few__cell cells[MODELS])
{
    for (size_t m = 0; m < MODELS; m++) {
        cells[m] = (struct few__cell){
            FEW_EXECUTED, "chosen", 10 * (int64_t)m, 100 * (int64_t)m + i, (int)m % 2, NULL, 0};
        fix_output(arena, m, i, &cells[m]);
    }
    if (i % 4 != 3) return;
    struct few_output none = {.kind = FEW_SCALAR, .empty = true};
    cells[TAGS] = (struct few__cell){FEW_LATE, "not finished by the deadline", 10, 5000, 1, NULL, 0};
    cells[AGE] = (struct few__cell){FEW_SKIPPED, "its need face found nothing", -1, 0, -1, NULL, 0};
    assert_int_equal(few__output_pack(&none, arena, &cells[AGE].output, &cells[AGE].n_output), FEW_OK);
    cells[POSE] = (struct few__cell){FEW_SKIPPED, "no time left", -1, 0, -1, NULL, 0};
}

/* A store of n items "dir/item_0.jpg", ... of 200 x 100 pixels; the last one failed if broken is set. */
static inline void fix_store(const char *path, int n, bool broken)
{
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 24);
    struct few_catalog catalog = fix_catalog(&arena);
    struct few__store_new what = {.purpose = "trace", .catalog = &catalog, .overwrite = true};
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(path, &what, NULL, &store, &err), FEW_OK, &err);
    for (int i = 0; i < n; i++) {
        struct few__cell cells[MODELS];
        char name[64];
        snprintf(name, sizeof name, "dir/item_%d.jpg", i);
        struct few__item_row item = {
            .path = name, .width = 200, .height = 100, .decode_us = 7, .elapsed_us = 900, FEW__NO_STREAM};
        fix_cells(&arena, i, cells);
        if (broken && i == n - 1) {
            item.status = FEW_EDECODE;
            item.message = "cut short";
            item.width = item.height = 0;
            for (size_t m = 0; m < MODELS; m++)
                cells[m] = (struct few__cell){FEW_FAILED, "the item could not be read", -1, 0, -1, NULL, 0};
        }
        assert_status(few__store_put(store, &item, cells, &err), FEW_OK, &err);
    }
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    few__arena_finish(&arena);
}

/* What the rows of a store add up to. */
static inline void fix_totals(struct few__store *store, struct few__totals *sums)
{
    struct few__cell cells[MODELS];
    struct few__item_row item;
    struct few_error err;
    enum few_status status;
    memset(sums, 0, sizeof *sums);
    assert_status(few__store_rewind(store, false, &err), FEW_OK, &err);
    while ((status = few__store_next(store, &item, cells, &err)) == FEW_OK) {
        sums->items++;
        sums->items_failed += item.status != FEW_OK;
        sums->deadline_missed += item.deadline_missed;
        sums->runtime_us += item.runtime_us;
        sums->run_all_us += item.run_all_us;
        for (size_t m = 0; m < MODELS; m++) {
            sums->counts[cells[m].outcome]++;
            sums->spent_us += cells[m].time_us;
        }
    }
    assert_status(status, FEW_END, &err);
}

#endif
