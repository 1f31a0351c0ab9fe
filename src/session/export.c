// SPDX-License-Identifier: Apache-2.0
/* A trace or run file in forms that other programs read. Items pass through one at a time, so memory does not grow
 * with their number. */
#include <fewer/trace.h>

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "store/store.h"
#include "store/trace.h"

#define TEXT_MAX  ((size_t)64 << 20) // bytes of one row
#define ITEM_MAX  ((size_t)4 << 30)  // bytes of one item's outputs
#define ARENA_MAX ((size_t)1 << 30)  // bytes beside them

enum { FLUSH_AT = 64 << 10 };

struct export
{
    const char *path;
    FILE *out;
    struct few__store *store;
    const struct few_catalog *catalog;
    struct few__cell *cells; // (n_models,)
    struct few__arena arena, scratch;
    struct few__text text, field;
    uint64_t n_rows; // of the array that is being written
};

struct row {
    const struct few__item_row *item;
    const struct few_model *model;
    const struct few__cell *cell;
    const struct few_output *output; // NULL = none
};

typedef enum few_status (*row_fn)(struct export *ex, const struct row *row, struct few_error *err);

/* ---- writing ---- */

static enum few_status flush(struct export *ex, size_t at, struct few_error *err)
{
    if (!few__text_ok(&ex->text) || !few__text_ok(&ex->field)) return few__no_memory(err, ex->path);
    if (ex->text.n < at || ex->text.n == 0) return FEW_OK;
    if (fwrite(ex->text.s, 1, ex->text.n, ex->out) != ex->text.n)
        return few__fail_sys(err, FEW_EIO, "export of %s: cannot be written", ex->path);
    few__text_clear(&ex->text);
    return FEW_OK;
}

static void put_numbers(struct few__text *text, const float *values, size_t n)
{
    few__text_put(text, "[");
    for (size_t i = 0; i < n; i++) {
        if (i) few__text_put(text, ",");
        if (values[i] == 0 && !signbit(values[i])) few__text_put(text, "0"); // most numbers of most vectors
        else few__text_float(text, values[i]);
    }
    few__text_put(text, "]");
}

static const char *label_name(const struct few_model *model, int32_t label)
{
    return model->n_labels ? model->labels[label] : model->name;
}

// The area says something of its own only where the model gave a mask.
static bool has_mask(const struct few_detection *d)
{
    return fabsf(d->area - d->box[2] * d->box[3]) > 1e-6f;
}

static void put_detections(struct few__text *text, const struct few_model *model,
                           const struct few_output *output)
{
    few__text_put(text, "[");
    for (size_t i = 0; i < output->n; i++) {
        const struct few_detection *d = &output->detections[i];
        few__text_put(text, i ? ",{\"label\":" : "{\"label\":");
        few__text_json(text, label_name(model, d->label));
        few__text_put(text, ",\"confidence\":");
        few__text_float(text, d->confidence);
        few__text_put(text, ",\"box\":");
        put_numbers(text, d->box, 4);
        if (has_mask(d)) {
            few__text_put(text, ",\"area\":");
            few__text_float(text, d->area);
        }
        few__text_put(text, "}");
    }
    few__text_put(text, "]");
}

static void put_tokens(struct few__text *text, const struct few_output *output)
{
    few__text_put(text, "[");
    for (size_t i = 0; i < output->n; i++) few__text_printf(text, i ? ",%d" : "%d", (int)output->tokens[i]);
    few__text_put(text, "]");
}

static void put_output(struct few__text *text, const struct row *row)
{
    if (!row->output) few__text_put(text, "null");
    else if (row->output->kind == FEW_DETECTIONS) put_detections(text, row->model, row->output);
    else if (row->output->kind == FEW_SEQUENCE) put_tokens(text, row->output);
    else put_numbers(text, row->output->values, row->output->n);
}

// The words of a sequence: its tokens' names in a row. False where there is none.
static bool put_words(struct few__text *text, const struct row *row)
{
    if (!row->output || row->output->kind != FEW_SEQUENCE || !row->model->n_labels) return false;
    for (size_t i = 0; i < row->output->n; i++)
        few__text_put(text, row->model->labels[row->output->tokens[i]]);
    return true;
}

/* ---- jsonl ---- */

static enum few_status write_jsonl(struct export *ex, const struct row *row, struct few_error *err)
{
    struct few__text *text = &ex->text;
    few__text_put(text, "{\"item\":");
    few__text_json(text, row->item->path);
    few__text_put(text, ",\"model\":");
    few__text_json(text, row->model->name);
    few__text_printf(text, ",\"status\":\"%s\",\"reason\":", few_outcome_name(row->cell->outcome));
    few__text_json(text, row->cell->reason);
    few__text_put(text, ",\"time_ms\":");
    few__text_double(text, (double)row->cell->time_us / 1000, 15);
    few__text_printf(text, ",\"kind\":\"%s\",\"output\":", few_kind_name(row->model->kind));
    put_output(text, row);
    few__text_put(text, ",\"confidence\":");
    if (row->output) few__text_float(text, row->output->confidence);
    else few__text_put(text, "null");
    few__text_clear(&ex->field);
    if (put_words(&ex->field, row)) {
        few__text_put(text, ",\"text\":");
        few__text_json(text, ex->field.n ? ex->field.s : "");
    }
    few__text_put(text, "}\n");
    return flush(ex, FLUSH_AT, err);
}

/* ---- csv: RFC 4180 ---- */

static const char csv_header[] = "item,model,status,reason,time_ms,kind,output,confidence,text\r\n";

static void put_field(struct few__text *text, const char *s, char end)
{
    bool plain = !strpbrk(s, ",\"\r\n");
    if (plain) {
        few__text_put(text, s);
    } else {
        few__text_put(text, "\"");
        for (; *s; s++) few__text_add(text, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
        few__text_put(text, "\"");
    }
    few__text_add(text, &end, 1);
}

static enum few_status write_csv(struct export *ex, const struct row *row, struct few_error *err)
{
    struct few__text *text = &ex->text, *field = &ex->field;
    put_field(text, row->item->path, ',');
    put_field(text, row->model->name, ',');
    put_field(text, few_outcome_name(row->cell->outcome), ',');
    put_field(text, row->cell->reason, ',');
    few__text_double(text, (double)row->cell->time_us / 1000, 15);
    few__text_printf(text, ",%s,", few_kind_name(row->model->kind));
    few__text_clear(field);
    if (row->output) put_output(field, row);
    put_field(text, field->n ? field->s : "", ',');
    if (row->output) few__text_float(text, row->output->confidence);
    few__text_put(text, ",");
    few__text_clear(field);
    bool words = put_words(field, row);
    put_field(text, words && field->n ? field->s : "", '\r');
    few__text_put(text, "\n");
    return flush(ex, FLUSH_AT, err);
}

/* ---- coco ---- */

static bool gives_boxes(const struct few_model *model)
{
    return model->kind == FEW_DETECTIONS || model->kind == FEW_BOX;
}

// The label of the catalog that a model's label is.
static int32_t category_of(const struct few_model *model, int32_t label)
{
    return model->label_ids ? model->label_ids[label] : model->own_label;
}

static enum few_status put_categories(struct export *ex, struct few_error *err)
{
    bool *used = FEW__ARENA_NEW(&ex->arena, bool, ex->catalog->n_labels);
    if (!used) return few__no_memory(err, ex->path);
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        const struct few_model *model = &ex->catalog->models[m];
        size_t n = model->n_labels ? model->n_labels : 1;
        for (size_t i = 0; gives_boxes(model) && i < n; i++) used[category_of(model, (int32_t)i)] = true;
    }
    few__text_put(&ex->text, "{\"categories\":[");
    const char *between = "";
    for (size_t i = 0; i < ex->catalog->n_labels; i++) {
        if (!used[i]) continue;
        few__text_printf(&ex->text, "%s\n{\"id\":%zu,\"name\":", between, i + 1);
        few__text_json(&ex->text, ex->catalog->labels[i].name);
        few__text_put(&ex->text, ",\"supercategory\":");
        few__text_json(&ex->text, ex->catalog->labels[i].space);
        few__text_put(&ex->text, "}");
        between = ",";
        FEW__TRY(flush(ex, FLUSH_AT, err));
    }
    return FEW_OK;
}

// Boxes in pixels need the item's size.
static bool has_pixels(const struct few__item_row *item)
{
    return item->status == FEW_OK && item->width > 0 && item->height > 0;
}

static enum few_status put_images(struct export *ex, struct few_error *err)
{
    struct few__item_row item;
    enum few_status status;
    const char *between = "";
    few__text_put(&ex->text, "],\n\"images\":[");
    FEW__TRY(few__store_rewind(ex->store, false, err));
    while ((status = few__store_next(ex->store, &item, ex->cells, err)) == FEW_OK) {
        if (!has_pixels(&item)) continue;
        few__text_printf(&ex->text, "%s\n{\"id\":%" PRId64 ",\"file_name\":", between, item.id + 1);
        few__text_json(&ex->text, item.path);
        few__text_printf(&ex->text, ",\"width\":%d,\"height\":%d}", item.width, item.height);
        between = ",";
        FEW__TRY(flush(ex, FLUSH_AT, err));
    }
    if (status == FEW_END) few__text_put(&ex->text, "],\n\"annotations\":[");
    return status == FEW_END ? FEW_OK : status;
}

static void put_annotation(struct export *ex, const struct row *row, int32_t label, const float box[4],
                           double area, float score)
{
    double width = row->item->width, height = row->item->height;
    if (!(box[2] > 0) || !(box[3] > 0)) return; // an imported label of which the place is not known
    struct few__text *text = &ex->text;
    ex->n_rows++;
    few__text_printf(text, "%s\n{\"id\":%" PRIu64 ",\"image_id\":%" PRId64 ",\"category_id\":%d,\"bbox\":[",
                     ex->n_rows > 1 ? "," : "", ex->n_rows, row->item->id + 1,
                     (int)category_of(row->model, label) + 1);
    for (int k = 0; k < 4; k++) {
        if (k) few__text_put(text, ",");
        few__text_double(text, (double)box[k] * (k % 2 ? height : width), 7);
    }
    few__text_put(text, "],\"area\":");
    few__text_double(text, area * width * height, 7);
    few__text_put(text, ",\"score\":");
    few__text_float(text, score);
    few__text_put(text, ",\"iscrowd\":0,\"model\":");
    few__text_json(text, row->model->name);
    few__text_put(text, "}");
}

static enum few_status write_boxes(struct export *ex, const struct row *row, struct few_error *err)
{
    const struct few_output *output = row->output;
    if (!output || !has_pixels(row->item)) return FEW_OK;
    if (output->kind == FEW_DETECTIONS)
        for (size_t i = 0; i < output->n; i++) {
            const struct few_detection *d = &output->detections[i];
            put_annotation(ex, row, d->label, d->box, (double)d->area, d->confidence);
        }
    if (output->kind == FEW_BOX && output->n == 4)
        put_annotation(ex, row, 0, output->values, (double)output->values[2] * (double)output->values[3],
                       output->confidence);
    return flush(ex, FLUSH_AT, err);
}

/* ---- all rows ---- */

static enum few_status each_cell(struct export *ex, const struct few__item_row *item, size_t m, row_fn fn,
                                 struct few_error *err)
{
    const struct few__cell *cell = &ex->cells[m];
    struct few_output output;
    struct row row = {.item = item, .model = &ex->catalog->models[m], .cell = cell};
    few__arena_reset(&ex->scratch);
    if (cell->output) {
        enum few_status status =
            few__trace_unpack(row.model, cell->output, cell->n_output, &ex->scratch, &output, err);
        if (status == FEW_ENOMEM) return status;
        if (status != FEW_OK)
            return few__wrap(err, FEW_ESTORE, "%s: damaged: item %" PRId64, ex->path, item->id);
        row.output = &output;
    }
    return fn(ex, &row, err);
}

static enum few_status each_row(struct export *ex, row_fn fn, struct few_error *err)
{
    struct few__item_row item;
    enum few_status status;
    FEW__TRY(few__store_rewind(ex->store, true, err));
    while ((status = few__store_next(ex->store, &item, ex->cells, err)) == FEW_OK)
        for (size_t m = 0; m < ex->catalog->n_models; m++) FEW__TRY(each_cell(ex, &item, m, fn, err));
    return status == FEW_END ? FEW_OK : status;
}

static enum few_status export_jsonl(struct export *ex, struct few_error *err)
{
    return each_row(ex, write_jsonl, err);
}

static enum few_status export_csv(struct export *ex, struct few_error *err)
{
    few__text_put(&ex->text, csv_header);
    return each_row(ex, write_csv, err);
}

static enum few_status export_coco(struct export *ex, struct few_error *err)
{
    FEW__TRY(put_categories(ex, err));
    FEW__TRY(put_images(ex, err));
    FEW__TRY(each_row(ex, write_boxes, err));
    few__text_put(&ex->text, "]}\n");
    return FEW_OK;
}

static const struct {
    const char *name;
    enum few_status (*write)(struct export *ex, struct few_error *err);
} formats[] = {{"jsonl", export_jsonl}, {"csv", export_csv}, {"coco", export_coco}};

static enum few_status export(struct export *ex, const char *format, struct few_error *err) {
    size_t i = 0, n = sizeof formats / sizeof *formats;
    while (i < n && strcmp(formats[i].name, format) != 0) i++;
    if (i == n) return few__fail(err, FEW_EINVAL, "format: expected jsonl, csv or coco, found \"%s\"",
                                 format);
    FEW__TRY(few__store_open(ex->path, NULL, &ex->store, err));
    ex->catalog = few__store_catalog(ex->store);
    ex->cells = FEW__ARENA_NEW(&ex->arena, struct few__cell, ex->catalog->n_models);
    if (!ex->cells) return few__no_memory(err, ex->path);
    FEW__TRY(formats[i].write(ex, err));
    FEW__TRY(flush(ex, 0, err));
    return fflush(ex->out) == 0 ? FEW_OK
                                : few__fail_sys(err, FEW_EIO, "export of %s: cannot be written", ex->path);
}

enum few_status few_export(const char *path, const char *format, FILE *out, struct few_error *err)
{
    struct export ex = {.path = path, .out = out};
    few__arena_init(&ex.arena, NULL, ARENA_MAX);
    few__arena_init(&ex.scratch, NULL, ITEM_MAX);
    few__text_init(&ex.text, NULL, TEXT_MAX);
    few__text_init(&ex.field, NULL, TEXT_MAX);
    enum few_status status = export(&ex, format, err);
    (void)few__store_close(ex.store, NULL); // nothing was written
    few__arena_finish(&ex.arena);
    few__arena_finish(&ex.scratch);
    few__text_finish(&ex.text);
    few__text_finish(&ex.field);
    return status;
}
