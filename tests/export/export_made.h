// SPDX-License-Identifier: Apache-2.0
// A run of two recordings and a camera that take turns, and a photograph; and what an export makes of it.
#ifndef FEW_TESTS_SESSION_EXPORT_MADE_H
#define FEW_TESTS_SESSION_EXPORT_MADE_H

#include "store/fixture.h"

#include <fewer/trace.h>
#include <jansson.h>

/* What an export of a.db wrote, NUL behind it; owned. */
static inline char *made_export(const char *format, size_t *n)
{
    struct few_error err;
    FILE *out = tmpfile();
    assert_non_null(out);
    assert_status(few_export(t_path("a.db"), format, out, &err), FEW_OK, &err);
    *n = (size_t)ftell(out);
    rewind(out);
    char *text = calloc(1, *n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *n, out), *n);
    fclose(out);
    return text;
}

static inline json_t *made_json(const char *format)
{
    size_t n;
    json_error_t why;
    char *text = made_export(format, &n);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);
    if (!root) fail_msg("%s: %d: %s", format, why.position, why.text);
    free(text);
    return root;
}

/* A moment of a.db that is being made: which of the fixture's detectors saw what. */
struct made_moment {
    int64_t stream; // -1 = a photograph
    const char *path;
    double at, until;    // seconds
    bool failed, unseen; // unseen: no model looked
    int dogs;            // boxes of objects_big above the threshold
};

/* Streams 0 "clips/a.mp4", 1 "/abs/b.mp4", 2 a camera. */
static inline void made_run(const struct made_moment *moments, size_t n)
{
    struct few__arena arena;
    few__arena_init(&arena, NULL, 1 << 24);
    struct few_catalog catalog = fix_catalog(&arena);
    struct few__store_new what = {.purpose = "run", .catalog = &catalog, .overwrite = true};
    struct few__stream_row live = {.id = -1, .path = "rtsp://camera/1", .is_live = true};
    struct few__store *store;
    struct few_error err;
    assert_status(few__store_create(t_path("a.db"), &what, NULL, &store, &err), FEW_OK, &err);
    fix_stream(store, "clips/a.mp4");
    fix_stream(store, "/abs/b.mp4");
    assert_status(few__store_put_stream(store, &live, &err), FEW_OK, &err);
    for (size_t i = 0; i < n; i++) {
        struct few__cell cells[MODELS];
        const struct made_moment *moment = &moments[i];
        struct few_detection dogs[] = {{1, 0.75f, {0.25f, 0.5f, 0.25f, 0.25f}, 0.0625f},
                                       {1, 0.625f, {0.5f, 0.5f, 0.75f, 0.25f}, 0.1875f}};
        const struct few_output seen = {.kind = FEW_DETECTIONS,
                                        .empty = moment->dogs == 0,
                                        .confidence = 0.5f + 0.125f * (float)moment->dogs,
                                        .n = (size_t)moment->dogs,
                                        .detections = dogs};
        for (size_t m = 0; m < MODELS; m++)
            cells[m] = (struct few__cell){FEW_SKIPPED, "no time left", -1, 0, -1, NULL, 0};
        if (!moment->unseen && !moment->failed) {
            cells[OBJECTS_BIG] = (struct few__cell){FEW_EXECUTED, "chosen", 1, 1, 0, NULL, 0};
            assert_int_equal(
                few__output_pack(&seen, &arena, &cells[OBJECTS_BIG].output, &cells[OBJECTS_BIG].n_output),
                FEW_OK);
        }
        const struct few__item_row row = {.path = moment->path,
                                          .width = 200,
                                          .height = 100,
                                          .status = moment->failed ? FEW_EDECODE : FEW_OK,
                                          .message = moment->failed ? "cut short" : "",
                                          .stream = moment->stream,
                                          .at_us = (int64_t)(moment->at * 1e6),
                                          .until_us = (int64_t)(moment->until * 1e6),
                                          .age_us = -1};
        assert_status(few__store_put(store, &row, cells, &err), FEW_OK, &err);
    }
    assert_status(few__store_close(store, &err), FEW_OK, &err);
    few__arena_finish(&arena);
}

#endif
