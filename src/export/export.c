// SPDX-License-Identifier: Apache-2.0
/* A trace or run file in forms that other programs read: the walk through it, and what the forms share. Items pass through
 * one at a time, so memory does not grow with their number. */
#include "export/export.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/error.h"
#include "store/trace.h"

#define TEXT_MAX  ((size_t)64 << 20) // bytes of one row
#define ITEM_MAX  ((size_t)4 << 30)  // bytes of one item's outputs
#define ARENA_MAX ((size_t)4 << 30)  // bytes beside them

/* ---- the file ---- */

static enum few_status load_streams(struct few__export *ex, struct few_error *err)
{
    ex->n_streams = (size_t)few__store_n_streams(ex->store);
    struct few__export_stream *streams = FEW__ARENA_NEW(&ex->arena, struct few__export_stream, ex->n_streams);
    if (!streams) return few__no_memory(err, ex->path);
    for (size_t i = 0; i < ex->n_streams; i++) {
        struct few__stream_row row = {.path = ""};
        enum few_status status = few__store_get_stream(ex->store, (int64_t)i, &row, err);
        if (status == FEW_END)
            return few__fail(err, FEW_ESTORE, "%s: damaged: stream %zu is missing", ex->path, i);
        if (status != FEW_OK) return status;
        streams[i].path = few__arena_strdup(&ex->arena, row.path);
        streams[i].is_live = row.is_live;
        if (!streams[i].path) return few__no_memory(err, ex->path);
    }
    ex->streams = streams;
    return FEW_OK;
}

enum few_status few__export_open(struct few__export *ex, const char *path, FILE *out, struct few_error *err)
{
    *ex = (struct few__export){.path = path, .out = out};
    few__arena_init(&ex->arena, NULL, ARENA_MAX);
    few__arena_init(&ex->scratch, NULL, ITEM_MAX);
    few__text_init(&ex->text, NULL, TEXT_MAX);
    few__text_init(&ex->field, NULL, TEXT_MAX);
    FEW__TRY(few__store_open(path, NULL, &ex->store, err));
    ex->catalog = few__store_catalog(ex->store);
    ex->cells = FEW__ARENA_NEW(&ex->arena, struct few__cell, ex->catalog->n_models);
    ex->outputs = FEW__ARENA_NEW(&ex->arena, const struct few_output *, ex->catalog->n_models);
    if (!ex->cells || !ex->outputs) return few__no_memory(err, path);
    return load_streams(ex, err);
}

void few__export_close(struct few__export *ex)
{
    (void)few__store_close(ex->store, NULL); // nothing was written
    few__arena_finish(&ex->arena);
    few__arena_finish(&ex->scratch);
    few__text_finish(&ex->text);
    few__text_finish(&ex->field);
}

/* ---- the walk ---- */

static enum few_status unpack(struct few__export *ex, int64_t item, size_t m, struct few_error *err)
{
    const struct few__cell *cell = &ex->cells[m];
    ex->outputs[m] = NULL;
    if (!cell->output) return FEW_OK;
    struct few_output *output = FEW__ARENA_NEW(&ex->scratch, struct few_output, 1);
    if (!output) return few__no_memory(err, ex->path);
    enum few_status status =
        few__trace_unpack(&ex->catalog->models[m], cell->output, cell->n_output, &ex->scratch, output, err);
    if (status == FEW_ENOMEM) return status;
    if (status != FEW_OK) return few__wrap(err, FEW_ESTORE, "%s: damaged: item %" PRId64, ex->path, item);
    ex->outputs[m] = output;
    return FEW_OK;
}

enum few_status few__export_each(struct few__export *ex, few__export_fn *fn, struct few_error *err)
{
    struct few__item_row item;
    enum few_status status;
    FEW__TRY(few__store_rewind(ex->store, true, err));
    while ((status = few__store_next(ex->store, &item, ex->cells, err)) == FEW_OK) {
        few__arena_reset(&ex->scratch);
        for (size_t m = 0; m < ex->catalog->n_models; m++) FEW__TRY(unpack(ex, item.id, m, err));
        FEW__TRY(fn(ex, &item, err));
    }
    return status == FEW_END ? FEW_OK : status;
}

bool few__export_answered(const struct few__export *ex, size_t m)
{
    for (size_t i = 0; i < ex->catalog->n_models && ex->outputs[m];
         i++) { // a damaged file's needs may go in circles
        if (ex->cells[m].outcome != FEW_SKIPPED) return true;
        if (ex->catalog->models[m].needs < 0) return false;
        m = (size_t)ex->catalog->models[m].needs;
    }
    return false;
}

enum few_status few__export_flush(struct few__export *ex, size_t at, struct few_error *err)
{
    if (!few__text_ok(&ex->text) || !few__text_ok(&ex->field)) return few__no_memory(err, ex->path);
    if (ex->text.n < at || ex->text.n == 0) return FEW_OK;
    if (fwrite(ex->text.s, 1, ex->text.n, ex->out) != ex->text.n)
        return few__fail_sys(err, FEW_EIO, "export of %s: cannot be written", ex->path);
    few__text_clear(&ex->text);
    return FEW_OK;
}

/* ---- labels and boxes ---- */

const char *few__export_label(const struct few_model *model, int32_t label)
{
    return model->n_labels ? model->labels[label] : model->name;
}

bool few__export_counts(const struct few_model *model, int32_t label, float confidence)
{
    return confidence > model->threshold && !(model->is_null && model->is_null[label]);
}

bool few__export_gives_boxes(const struct few_model *model)
{
    return model->kind == FEW_DETECTIONS || model->kind == FEW_BOX;
}

static bool has_place(const struct few_detection *box) // an imported label's may not be known
{
    return box->box[2] > 0 && box->box[3] > 0;
}

enum few_status few__export_boxes(struct few__export *ex, const struct few_output *output,
                                  const struct few_detection **boxes, size_t *n, struct few_error *err)
{
    *n = 0;
    *boxes = NULL;
    bool is_box = output && output->kind == FEW_BOX && output->n == 4;
    if (!is_box && !(output && output->kind == FEW_DETECTIONS)) return FEW_OK;
    struct few_detection *out = FEW__ARENA_NEW(&ex->scratch, struct few_detection, is_box ? 1 : output->n);
    if (!out) return few__no_memory(err, ex->path);
    *boxes = out;
    if (is_box) {
        *out = (struct few_detection){.confidence = output->confidence,
                                      .area = output->values[2] * output->values[3]};
        memcpy(out->box, output->values, sizeof out->box);
        *n = has_place(out);
        return FEW_OK;
    }
    for (size_t i = 0; i < output->n; i++)
        if (has_place(&output->detections[i])) out[(*n)++] = output->detections[i];
    return FEW_OK;
}

bool few__export_clip(const float box[4], double inside[4])
{
    for (int k = 0; k < 2; k++) {
        double low = (double)box[k], high = low + (double)box[k + 2];
        if (!(low >= 0)) low = 0;
        if (!(high <= 1)) high = 1;
        inside[k] = low;
        inside[k + 2] = high - low;
    }
    return inside[2] > 0 && inside[3] > 0;
}

bool few__export_words(struct few__text *text, const struct few_model *model, const struct few_output *output)
{
    if (!output || output->kind != FEW_SEQUENCE || !model->n_labels) return false;
    for (size_t i = 0; i < output->n; i++) few__text_put(text, model->labels[output->tokens[i]]);
    return true;
}

bool few__export_has_pixels(const struct few__item_row *item)
{
    return item->status == FEW_OK && item->width > 0 && item->height > 0;
}

void few__export_seconds(struct few__text *text, int64_t us)
{
    few__text_double(text, (double)us / 1e6, 15);
}

/* ---- classes ---- */

// The label of the catalog that a model's label is.
static int32_t catalog_label(const struct few_model *model, int32_t label)
{
    return model->label_ids ? model->label_ids[label] : model->own_label;
}

// -2 where a model can give the label, -1 elsewhere; returns how many.
static size_t mark_given(const struct few_catalog *catalog, bool (*gives)(const struct few_model *model),
                         int32_t *numbers)
{
    size_t n_given = 0;
    for (size_t i = 0; i < catalog->n_labels; i++) numbers[i] = -1;
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few_model *model = &catalog->models[m];
        size_t n = model->n_labels ? model->n_labels : 1;
        for (size_t i = 0; gives(model) && i < n; i++) {
            int32_t label = catalog_label(model, (int32_t)i);
            if (numbers[label] == -2 || (model->is_null && model->is_null[i])) continue;
            numbers[label] = -2;
            n_given++;
        }
    }
    return n_given;
}

struct named {
    const char *name;
    int32_t number;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

// Where a name comes twice: its space in front.
static enum few_status tell_apart(struct few__export *ex, const struct few_label **labels, size_t n,
                                  const char **names, struct few_error *err)
{
    struct named *sorted = FEW__ARENA_NEW(&ex->scratch, struct named, n);
    if (!sorted) return few__no_memory(err, ex->path);
    for (size_t i = 0; i < n; i++) sorted[i] = (struct named){labels[i]->name, (int32_t)i};
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 0; i < n; i++) {
        bool twice = (i > 0 && strcmp(sorted[i - 1].name, sorted[i].name) == 0) ||
                     (i + 1 < n && strcmp(sorted[i + 1].name, sorted[i].name) == 0);
        const struct few_label *label = labels[sorted[i].number];
        const char *name =
            twice ? few__arena_printf(&ex->arena, "%s/%s", label->space, label->name) : label->name;
        if (!name) return few__no_memory(err, ex->path);
        names[sorted[i].number] = name;
    }
    return FEW_OK;
}

enum few_status few__export_classes(struct few__export *ex, bool (*gives)(const struct few_model *model),
                                    struct few__export_classes *classes, struct few_error *err)
{
    const struct few_catalog *catalog = ex->catalog;
    int32_t *numbers = FEW__ARENA_NEW(&ex->arena, int32_t, catalog->n_labels);
    if (!numbers) return few__no_memory(err, ex->path);
    size_t n = mark_given(catalog, gives, numbers), at = 0;
    const char **names = FEW__ARENA_NEW(&ex->arena, const char *, n);
    const struct few_label **labels = FEW__ARENA_NEW(&ex->scratch, const struct few_label *, n);
    if (!names || !labels) return few__no_memory(err, ex->path);
    for (size_t i = 0; i < catalog->n_labels; i++) {
        if (numbers[i] == -1) continue;
        labels[at] = &catalog->labels[i];
        numbers[i] = (int32_t)at++;
    }
    *classes = (struct few__export_classes){.n = n, .names = names, .numbers = numbers};
    return tell_apart(ex, labels, n, names, err);
}

int32_t few__export_class(const struct few__export_classes *classes, const struct few_model *model,
                          int32_t label)
{
    return classes->numbers[catalog_label(model, label)];
}

enum few_status few__export_put_classes(struct few__export *ex, const struct few__export_classes *classes,
                                        struct few_error *err)
{
    few__text_put(&ex->text, "[");
    for (size_t i = 0; i < classes->n; i++) {
        few__text_put(&ex->text, i ? ",\n" : "\n");
        few__text_json(&ex->text, classes->names[i]);
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    few__text_put(&ex->text, "]");
    return FEW_OK;
}

/* ---- forms ---- */

static const struct {
    const char *name;
    enum few_status (*write)(struct few__export *ex, struct few_error *err);
} formats[] = {
    {"jsonl", few__export_jsonl},
    {"csv", few__export_csv},
    {"coco", few__export_coco},
    {"coco-results", few__export_coco_results},
    {"label-studio", few__export_label_studio},
    {"label-studio-config", few__export_label_studio_config},
    {"fiftyone", few__export_fiftyone},
    {"fiftyone-classes", few__export_fiftyone_classes},
    {"fiftyone-temporal", few__export_fiftyone_temporal},
};

// "jsonl, csv, ... or fiftyone-temporal".
static enum few_status say_formats(const char *found, struct few_error *err)
{
    struct few__text text;
    few__text_init(&text, NULL, 1024);
    size_t n = sizeof formats / sizeof *formats;
    for (size_t i = 0; i < n; i++)
        few__text_printf(&text, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", formats[i].name);
    enum few_status status =
        few__text_ok(&text) ? few__fail(err, FEW_EINVAL, "format: expected %s, found \"%s\"", text.s, found)
                            : few__no_memory(err, "export");
    few__text_finish(&text);
    return status;
}

enum few_status few_export(const char *path, const char *format, FILE *out, struct few_error *err)
{
    struct few__export ex;
    size_t i = 0, n = sizeof formats / sizeof *formats;
    while (i < n && strcmp(formats[i].name, format) != 0) i++;
    if (i == n) return say_formats(format, err);
    enum few_status status = few__export_open(&ex, path, out, err);
    if (status == FEW_OK) status = formats[i].write(&ex, err);
    if (status == FEW_OK) status = few__export_flush(&ex, 0, err);
    if (status == FEW_OK && fflush(out) != 0)
        status = few__fail_sys(err, FEW_EIO, "export of %s: cannot be written", path);
    few__export_close(&ex);
    return status;
}
