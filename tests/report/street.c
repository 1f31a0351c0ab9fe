// SPDX-License-Identifier: Apache-2.0
#include "report/street.h"

#include <string.h>

#include "model/catalog.h"
#include "model/output.h"
#include "support/support.h"

enum { STEP_US = 500000, SIDE = 64 };
static const int64_t since_1970_us = INT64_C(1795242793000000); // the camera's first moment
static const int64_t times_us[STREET_MODELS] = {9000, 3000, 5000, 2000};

struct writer {
    struct few__arena arena, scratch;
    struct few_catalog catalog;
    struct few__store *store;
    const struct street *street;
    uint8_t thumbnail[FEW__STORE_THUMBNAIL];
};

int street_persons(size_t i)
{
    return (int)(1 + i / 10 % 4);
}

int street_cars(size_t i)
{
    return (int)(i / 7 % 3);
}

bool street_is_reused(size_t i)
{
    return i % 3 == 2;
}

bool street_is_failed(size_t i)
{
    return i % 50 == 49 && !street_is_reused(i);
}

bool street_is_late(size_t i)
{
    return i % 20 == 6 && !street_is_reused(i);
}

/* ---- the models ---- */

static void add(struct few__catalog_builder *builder, struct few_model model,
                const struct few__label_list *list)
{
    struct few_error err = {0};
    model.task = "";
    model.threshold = 0.5F;
    model.priority = 1;
    model.variant_of = -1;
    assert_status(few__catalog_add(builder, &model, list, &err), FEW_OK, &err);
}

static void make_catalog(struct writer *w)
{
    static const char *const things[] = {"person", "car", "bus"}, *const skies[] = {"sun", "rain",
                                                                                    "</script><b>fog"};
    const struct few__label_list things_list = {.space = "street", .n = 3, .names = things};
    const struct few__label_list skies_list = {.space = "sky", .n = 3, .names = skies};
    struct few_error err = {0};
    struct few__catalog_builder *builder = few__catalog_begin(&w->arena, STREET_MODELS);
    assert_non_null(builder);
    add(builder,
        (struct few_model){.name = "objects", .kind = FEW_DETECTIONS, .needs = -1, .cost = {.time_us = 9000}},
        &things_list);
    add(builder,
        (struct few_model){.name = "weather<i>", .kind = FEW_CLASSES, .needs = -1, .cost = {.time_us = 3000}},
        &skies_list);
    add(builder,
        (struct few_model){.name = "crowd", .kind = FEW_SCALAR, .needs = -1, .cost = {.time_us = 5000}},
        NULL);
    add(builder,
        (struct few_model){
            .name = "face", .kind = FEW_BOX, .needs = STREET_OBJECTS, .cost = {.time_us = 2000}},
        NULL);
    assert_status(few__catalog_end(builder, &w->catalog, &err), FEW_OK, &err);
}

/* ---- what they say ---- */

static void say_objects(struct writer *w, size_t i, struct few_output *output)
{
    int persons = street_persons(i), n = persons + street_cars(i);
    output->detections = FEW__ARENA_NEW(&w->scratch, struct few_detection, (size_t)n);
    for (int k = 0; k < n; k++) {
        bool car = k >= persons;
        struct few_detection *d = &output->detections[output->n++];
        *d = (struct few_detection){.label = car, .confidence = 0.9F - 0.01F * (float)k};
        d->box[0] = 0.05F + 0.14F * (float)k;
        d->box[1] = car ? 0.62F : 0.35F;
        d->box[2] = car ? 0.2F : 0.08F;
        d->box[3] = car ? 0.16F : 0.3F;
        d->area = d->box[2] * d->box[3];
    }
    output->confidence = 0.9F;
}

static void say_numbers(struct writer *w, struct few_output *output, size_t n, const float *numbers)
{
    output->values = FEW__ARENA_NEW(&w->scratch, float, n);
    memcpy(output->values, numbers, n * sizeof *numbers);
    output->n = n;
    output->confidence = 0.8F;
}

static struct few_output say(struct writer *w, size_t m, size_t i)
{
    struct few_output output = few__output_empty(&w->catalog.models[m]);
    float sky[3] = {0.1F, 0.1F, 0.1F}, crowd = (float)street_persons(i), face[4] = {0.1F, 0.3F, 0.05F, 0.05F};
    sky[i / 30 % 3] = 0.8F;
    output.empty = false;
    if (m == STREET_OBJECTS) say_objects(w, i, &output);
    if (m == STREET_WEATHER) say_numbers(w, &output, 3, sky);
    if (m == STREET_CROWD) say_numbers(w, &output, 1, &crowd);
    if (m == STREET_FACE) say_numbers(w, &output, 4, face);
    return output;
}

/* ---- what happened ---- */

static bool runs(const struct writer *w, size_t m, size_t i)
{
    if (strcmp(w->street->purpose, "trace") == 0) return true;
    return m == STREET_OBJECTS || (m == STREET_WEATHER && i % 2 == 0) ||
           (m == STREET_FACE && !street_is_late(i));
}

static void set_ran(struct few__cell *cell, size_t m)
{
    cell->outcome = FEW_EXECUTED;
    cell->reason = "chosen by <i>static";
    cell->time_us = times_us[m];
    cell->lane = m == STREET_WEATHER || m == STREET_CROWD;
    cell->start_us = m == STREET_FACE ? 11000 : m == STREET_CROWD ? 5000 : 2000;
}

// shown: the moment whose answers these are, i itself or an earlier one.
static void set_cell(struct writer *w, struct few__cell *cell, size_t m, size_t i, size_t shown)
{
    *cell = (struct few__cell){
        .outcome = FEW_SKIPPED, .reason = "not worth its time, says static", .start_us = -1, .lane = -1};
    bool whole = runs(w, m, shown);
    if (shown == i && whole) set_ran(cell, m);
    if (shown == i && !whole && m == STREET_FACE) {
        set_ran(cell, m);
        cell->outcome = FEW_LATE;
        cell->reason = "not finished at the deadline";
    }
    if (shown != i && whole) {
        cell->outcome = FEW_REUSED;
        cell->reason = "unchanged since the moment before";
    }
    if (!whole) return;
    struct few_output output = say(w, m, shown);
    assert_int_equal(few__output_pack(&output, &w->scratch, &cell->output, &cell->n_output), FEW_OK);
}

static void draw(struct writer *w, size_t i)
{
    for (size_t y = 0; y < SIDE; y++)
        for (size_t x = 0; x < SIDE; x++) {
            uint8_t *p = &w->thumbnail[(y * SIDE + x) * 3];
            bool road = y > SIDE * 2 / 3, mark = road && y > 52 && y < 55 && (x + i) % 16 < 8;
            p[0] = (uint8_t)(mark ? 235 : road ? 92 : 120 + y);
            p[1] = (uint8_t)(mark ? 230 : road ? 94 : 160 + y / 2);
            p[2] = (uint8_t)(mark ? 200 : road ? 98 : 215);
        }
}

static void put_item(struct writer *w, size_t i)
{
    const struct street *street = w->street;
    struct few_error err = {0};
    struct few__cell cells[STREET_MODELS];
    bool is_run = strcmp(street->purpose, "run") == 0;
    int64_t s = street->n_streams ? (int64_t)(i % street->n_streams) : -1;
    size_t turn = street->n_streams ? i / street->n_streams : i;
    bool reused = is_run && street_is_reused(i) && i > 0, failed = is_run && street_is_failed(i);
    for (size_t m = 0; m < STREET_MODELS; m++) set_cell(w, &cells[m], m, i, reused ? i - 1 : i);
    for (size_t m = 0; failed && m < STREET_MODELS; m++)
        cells[m] = (struct few__cell){
            .outcome = FEW_FAILED, .reason = "damaged <picture>", .start_us = -1, .lane = -1};
    draw(w, i);
    char *name = few__arena_printf(&w->scratch, s < 0 ? "street/%zu&.jpg" : "street/%zu<u>.mp4#t=%g",
                                   s < 0 ? i : (size_t)s, (double)turn * STEP_US / 1e6);
    struct few__item_row row = {.path = name,
                                .digest =
                                    street->no_digests ? "" : few__arena_printf(&w->scratch, "%064zx", i + 1),
                                .width = 640,
                                .height = 480,
                                .decode_us = 1800,
                                .elapsed_us = reused ? 2000 : 13000,
                                .run_all_us = 19000,
                                .deadline_missed = is_run && street_is_late(i),
                                .status = failed ? FEW_EDECODE : FEW_OK,
                                .message = failed ? "damaged <picture>" : "",
                                .thumbnail = w->thumbnail,
                                .stream = s,
                                .at_us = (int64_t)turn * STEP_US + (s == 1 ? since_1970_us : 0),
                                .age_us = -1};
    assert_status(few__store_put(w->store, &row, cells, &err), FEW_OK, &err);
    few__arena_reset(&w->scratch);
}

// The second one is a camera that lost some of its moments, further ones are recordings.
static void put_stream(struct writer *w, size_t s)
{
    struct few_error err = {0};
    size_t n = w->street->n_items / w->street->n_streams;
    struct few__stream_row row = {.id = -1,
                                  .path = few__arena_printf(&w->scratch, "street/%zu<u>.mp4", s),
                                  .options = "{}",
                                  .is_live = s == 1,
                                  .width = 640,
                                  .height = 480,
                                  .fps = 25,
                                  .duration_us = s == 1 ? 0 : (int64_t)n * STEP_US,
                                  .n_in = n + (s == 1 ? 7 : 0),
                                  .n_analysed = n - n / 3,
                                  .n_reused = n / 3,
                                  .n_dropped = s == 1 ? 7 : 0,
                                  .n_damaged = s == 0 ? 3 : 0,
                                  .n_reconnects = s == 1 ? 2 : 0,
                                  .last_us = (int64_t)n * STEP_US,
                                  .newest_age_us = s == 1 ? 85000 : -1,
                                  .ended = s != 1,
                                  .message = s == 0   ? "3 packets <damaged> at 0:12"
                                             : s == 1 ? "gave nothing for 10 s, twice"
                                                      : ""};
    if (w->street->n_streams == 1) row.n_damaged = 0;
    assert_status(few__store_put_stream(w->store, &row, &err), FEW_OK, &err);
}

void street_write(const char *path, const struct street *street)
{
    static struct writer w;
    memset(&w, 0, sizeof w);
    w.street = street;
    few__arena_init(&w.arena, NULL, (size_t)16 << 20);
    few__arena_init(&w.scratch, NULL, (size_t)16 << 20);
    make_catalog(&w);
    struct few_error err = {0};
    struct few__store_new what = {.purpose = street->purpose,
                                  .catalog = &w.catalog,
                                  .zoo_path = "",
                                  .zoo_digest = "",
                                  .config_json = "{\"policy\": \"static:<b>trace.db\", \"deadline_ms\": 12}",
                                  .overwrite = true};
    assert_status(few__store_create(path, &what, NULL, &w.store, &err), FEW_OK, &err);
    for (size_t s = 0; s < street->n_streams; s++) put_stream(&w, s);
    for (size_t i = 0; i < street->n_items; i++) put_item(&w, i);
    assert_status(few__store_close(w.store, &err), FEW_OK, &err);
    few__arena_finish(&w.arena);
    few__arena_finish(&w.scratch);
}
