// SPDX-License-Identifier: Apache-2.0
#include "eval/trace_made.h"

#include <stdio.h>
#include <string.h>

#include "model/catalog.h"
#include "model/output.h"
#include "support/support.h"

static void open_new(struct made_trace *trace, const char *path, const char *purpose,
                     const struct made_model *models, size_t n_models, const uint64_t *memory,
                     unsigned sounds)
{
    static const char letters[8][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct few_error err = {0};
    trace->run_all_us = 0;
    trace->whys = NULL;
    few__arena_init(&trace->arena, NULL, (size_t)64 << 20);
    struct few__catalog_builder *builder = few__catalog_begin(&trace->arena, n_models);
    assert_non_null(builder);
    for (size_t m = 0; m < n_models; m++) {
        const char *names[MADE_LABELS_MAX];
        struct few__label_list list = {.space = "letters", .n = strlen(models[m].labels), .names = names};
        for (size_t i = 0; i < list.n; i++) names[i] = letters[models[m].labels[i] - 'a'];
        struct few_model model = {.name = models[m].name,
                                  .task = "",
                                  .kind = models[m].kind,
                                  .modality = sounds >> m & 1 ? FEW_SOUND : FEW_IMAGE,
                                  .threshold = 0.5F,
                                  .priority = 1,
                                  .needs = models[m].needs,
                                  .variant_of = -1,
                                  .cost = {.memory_bytes = memory ? memory[m] : 0}};
        assert_status(few__catalog_add(builder, &model, &list, &err), FEW_OK, &err);
    }
    assert_status(few__catalog_end(builder, &trace->catalog, &err), FEW_OK, &err);
    struct few__store_new what = {.purpose = purpose,
                                  .catalog = &trace->catalog,
                                  .zoo_path = "",
                                  .zoo_digest = "",
                                  .config_json = "{}"};
    assert_status(few__store_create(path, &what, NULL, &trace->store, &err), FEW_OK, &err);
}

void made_open(struct made_trace *trace, const char *path, const char *purpose,
               const struct made_model *models, size_t n_models)
{
    open_new(trace, path, purpose, models, n_models, NULL, 0);
}

void made_open_memory(struct made_trace *trace, const char *path, const struct made_model *models,
                      size_t n_models, const uint64_t *memory)
{
    open_new(trace, path, "trace", models, n_models, memory, 0);
}

void made_open_sounds(struct made_trace *trace, const char *path, const struct made_model *models,
                      size_t n_models, unsigned sounds)
{
    open_new(trace, path, "trace", models, n_models, NULL, sounds);
}

static struct few_output output_of(struct made_trace *trace, size_t m, const struct made_cell *cell)
{
    const struct few_model *model = &trace->catalog.models[m];
    struct few_output output = few__output_empty(model);
    if (cell->outcome != FEW_EXECUTED && cell->outcome != FEW_REUSED) return output;
    output.values = FEW__ARENA_NEW(&trace->arena, float, model->n_labels);
    output.detections = FEW__ARENA_NEW(&trace->arena, struct few_detection, model->n_labels);
    for (size_t i = 0; i < model->n_labels; i++) {
        float confidence = cell->confidences[i];
        output.values[i] = confidence;
        if (confidence > output.confidence) output.confidence = confidence;
        if (model->kind == FEW_DETECTIONS && confidence > 0)
            output.detections[output.n++] = (struct few_detection){.label = (int32_t)i,
                                                                   .confidence = confidence,
                                                                   .box = {0.1F, 0.1F, 0.5F, 0.5F},
                                                                   .area = 0.25F};
    }
    if (model->kind == FEW_LABELS) output.n = model->n_labels;
    if (model->kind == FEW_LABELS) output.detections = NULL;
    else output.values = NULL;
    output.empty = output.n == 0;
    return output;
}

static void put_item(struct made_trace *trace, struct few__item_row *row, const struct made_cell *cells)
{
    struct few__cell packed[MADE_MODELS_MAX];
    struct few_error err = {0};
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        struct few_output output = output_of(trace, m, &cells[m]);
        packed[m] = (struct few__cell){.outcome = cells[m].outcome,
                                       .reason = few_outcome_name(cells[m].outcome),
                                       .start_us = cells[m].time_us > 0 ? row->decode_us : -1,
                                       .time_us = cells[m].time_us};
        if (trace->whys) packed[m].reason = trace->whys[m].reason;
        if (trace->whys) packed[m].start_us = trace->whys[m].start_us;
        if (!cells[m].no_output)
            assert_int_equal(few__output_pack(&output, &trace->arena, &packed[m].output, &packed[m].n_output),
                             FEW_OK);
    }
    row->digest = row->message = "";
    row->width = 4;
    row->height = 3;
    row->run_all_us = trace->run_all_us;
    assert_status(few__store_put(trace->store, row, packed, &err), FEW_OK, &err);
}

void made_item(struct made_trace *trace, const char *path, int64_t decode_us, const struct made_cell *cells)
{
    struct few__item_row row = {.path = path, .decode_us = decode_us, FEW__NO_STREAM};
    put_item(trace, &row, cells);
}

void made_stream(struct made_trace *trace, const char *path)
{
    struct few_error err = {0};
    struct few__stream_row row = {
        .id = -1, .path = path, .options = "{}", .last_us = -1, .newest_age_us = -1, .message = ""};
    assert_status(few__store_put_stream(trace->store, &row, &err), FEW_OK, &err);
}

void made_moment(struct made_trace *trace, int64_t stream, int64_t at_us, const uint8_t *look,
                 int64_t decode_us, const struct made_cell *cells)
{
    char path[64];
    snprintf(path, sizeof path, "stream %d at %.6f", (int)stream, (double)at_us / 1e6);
    struct few__item_row row = {.path = path,
                                .decode_us = decode_us,
                                .stream = stream,
                                .at_us = at_us,
                                .until_us = at_us,
                                .age_us = -1,
                                .look = look};
    put_item(trace, &row, cells);
}

void made_close(struct made_trace *trace)
{
    struct few_error err = {0};
    assert_status(few__store_close(trace->store, &err), FEW_OK, &err);
    few__arena_finish(&trace->arena);
}
