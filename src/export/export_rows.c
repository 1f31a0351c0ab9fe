// SPDX-License-Identifier: Apache-2.0
// Export row by row, one for each item and model: JSON Lines, and CSV (RFC 4180).
#include "export/export.h"

#include <math.h>
#include <string.h>

#include "core/error.h"

struct row {
    const struct few__item_row *item;
    const struct few_model *model;
    const struct few__cell *cell;
    const struct few_output *output; // NULL = none
};

static struct row row_of(const struct few__export *ex, const struct few__item_row *item, size_t m)
{
    return (struct row){item, &ex->catalog->models[m], &ex->cells[m], ex->outputs[m]};
}

/* ---- outputs ---- */

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
        few__text_json(text, few__export_label(model, d->label));
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

/* ---- jsonl ---- */

static void put_moment(struct few__export *ex, const struct few__item_row *item)
{
    if (item->stream < 0) return;
    few__text_put(&ex->text, ",\"stream\":");
    few__text_json(&ex->text, ex->streams[item->stream].path);
    few__text_put(&ex->text, ",\"at\":");
    few__export_seconds(&ex->text, item->at_us);
}

static enum few_status put_line(struct few__export *ex, const struct row *row, struct few_error *err)
{
    struct few__text *text = &ex->text;
    few__text_put(text, "{\"item\":");
    few__text_json(text, row->item->path);
    put_moment(ex, row->item);
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
    if (few__export_words(&ex->field, row->model, row->output)) {
        few__text_put(text, ",\"text\":");
        few__text_json(text, ex->field.n ? ex->field.s : "");
    }
    few__text_put(text, "}\n");
    return few__export_flush(ex, FEW__EXPORT_FLUSH, err);
}

static enum few_status put_lines(struct few__export *ex, const struct few__item_row *item,
                                 struct few_error *err)
{
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        const struct row row = row_of(ex, item, m);
        FEW__TRY(put_line(ex, &row, err));
    }
    return FEW_OK;
}

enum few_status few__export_jsonl(struct few__export *ex, struct few_error *err)
{
    return few__export_each(ex, put_lines, err);
}

/* ---- csv ---- */

static const char csv_header[] = "item,model,status,reason,time_ms,kind,output,confidence,text";

static void put_field(struct few__text *text, const char *s)
{
    if (!strpbrk(s, ",\"\r\n")) {
        few__text_put(text, s);
        return;
    }
    few__text_put(text, "\"");
    for (; *s; s++) few__text_add(text, *s == '"' ? "\"\"" : s, *s == '"' ? 2 : 1);
    few__text_put(text, "\"");
}

// The field that was put together last, and a comma in front.
static void put_scratch(struct few__export *ex)
{
    few__text_put(&ex->text, ",");
    put_field(&ex->text, ex->field.n ? ex->field.s : "");
    few__text_clear(&ex->field);
}

static enum few_status put_record(struct few__export *ex, const struct row *row, struct few_error *err)
{
    struct few__text *text = &ex->text;
    const char *const fields[] = {row->item->path, row->model->name, few_outcome_name(row->cell->outcome),
                                  row->cell->reason};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        put_field(text, fields[i]);
        few__text_put(text, ",");
    }
    few__text_double(text, (double)row->cell->time_us / 1000, 15);
    few__text_printf(text, ",%s", few_kind_name(row->model->kind));
    few__text_clear(&ex->field);
    if (row->output) put_output(&ex->field, row);
    put_scratch(ex);
    few__text_put(text, ",");
    if (row->output) few__text_float(text, row->output->confidence);
    (void)few__export_words(&ex->field, row->model, row->output);
    put_scratch(ex);
    if (ex->n_streams) {
        few__text_put(text, ",");
        if (row->item->stream >= 0) put_field(text, ex->streams[row->item->stream].path);
        few__text_put(text, ",");
        if (row->item->stream >= 0) few__export_seconds(text, row->item->at_us);
    }
    few__text_put(text, "\r\n");
    return few__export_flush(ex, FEW__EXPORT_FLUSH, err);
}

static enum few_status put_records(struct few__export *ex, const struct few__item_row *item,
                                   struct few_error *err)
{
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        const struct row row = row_of(ex, item, m);
        FEW__TRY(put_record(ex, &row, err));
    }
    return FEW_OK;
}

enum few_status few__export_csv(struct few__export *ex, struct few_error *err)
{
    few__text_put(&ex->text, csv_header);
    few__text_put(&ex->text, ex->n_streams ? ",stream,at\r\n" : "\r\n");
    return few__export_each(ex, put_records, err);
}
