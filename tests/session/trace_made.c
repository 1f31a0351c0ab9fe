// SPDX-License-Identifier: Apache-2.0
#include "session/trace_made.h"

#include <string.h>

#include "model/catalog.h"
#include "model/output.h"
#include "support/support.h"

static void open_new(struct made_trace *trace, const char *path, const char *purpose,
                     const struct made_model *models, size_t n_models, const uint64_t *memory)
{
    static const char letters[8][2] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    struct few_error err = {0};
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
    trace->run_all_us = 0;
    open_new(trace, path, purpose, models, n_models, NULL);
}

void made_open_memory(struct made_trace *trace, const char *path, const struct made_model *models,
                      size_t n_models, const uint64_t *memory)
{
    trace->run_all_us = 0;
    open_new(trace, path, "trace", models, n_models, memory);
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

void made_item(struct made_trace *trace, const char *path, int64_t decode_us, const struct made_cell *cells)
{
    struct few__cell packed[MADE_MODELS_MAX];
    struct few_error err = {0};
    for (size_t m = 0; m < trace->catalog.n_models; m++) {
        struct few_output output = output_of(trace, m, &cells[m]);
        packed[m] = (struct few__cell){.outcome = cells[m].outcome,
                                       .reason = few_outcome_name(cells[m].outcome),
                                       .start_us = cells[m].time_us > 0 ? decode_us : -1,
                                       .time_us = cells[m].time_us};
        if (!cells[m].no_output)
            assert_int_equal(few__output_pack(&output, &trace->arena, &packed[m].output, &packed[m].n_output),
                             FEW_OK);
    }
    struct few__item_row row = {.path = path,
                                .digest = "",
                                .width = 4,
                                .height = 3,
                                .decode_us = decode_us,
                                .message = "",
                                .run_all_us = trace->run_all_us,
                                FEW__NO_STREAM};
    assert_status(few__store_put(trace->store, &row, packed, &err), FEW_OK, &err);
}

void made_close(struct made_trace *trace)
{
    struct few_error err = {0};
    assert_status(few__store_close(trace->store, &err), FEW_OK, &err);
    few__arena_finish(&trace->arena);
}
