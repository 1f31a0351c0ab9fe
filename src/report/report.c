// SPDX-License-Identifier: Apache-2.0
/* few_report: reads the file once, item by item, and puts the page together. Gallery and failures are written while
 * reading and stand below the numbers that are known only at the end. */
#include <stdlib.h>
#include <string.h>

#include <fewer/trace.h>

#include "core/env.h"
#include "core/error.h"
#include "media/image.h"
#include "model/output.h"
#include "report/report.h"

#define ARENA_MAX ((size_t)1 << 30)
#define TEXT_MAX  ((size_t)256 << 20)

/* ---- reading ---- */

static int by_id(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool begin_model(struct few__report *report, size_t m)
{
    const struct few_model *model = &report->catalog->models[m];
    struct few__report_model *stats = &report->models[m];
    stats->n_ids = model->label_ids ? model->n_labels : 1;
    stats->ids = FEW__ARENA_NEW(report->arena, int32_t, stats->n_ids);
    stats->n_items_of = FEW__ARENA_NEW(report->arena, uint32_t, stats->n_ids);
    if (!stats->ids || !stats->n_items_of) return false;
    for (size_t i = 0; i < stats->n_ids; i++)
        stats->ids[i] = model->label_ids ? model->label_ids[i] : model->own_label;
    qsort(stats->ids, stats->n_ids, sizeof *stats->ids, by_id);
    return true;
}

static void count_labels(struct few__report *report, size_t m, const struct few_output *output,
                         struct few_valuable *room)
{
    struct few__report_model *stats = &report->models[m];
    const struct few_model *model = &report->catalog->models[m];
    size_t n = few__valuable(model, output, room, few__valuable_max(model));
    for (size_t i = 0; i < n; i++) {
        const int32_t *id = bsearch(&room[i].label, stats->ids, stats->n_ids, sizeof *stats->ids, by_id);
        if (id) stats->n_items_of[id - stats->ids]++;
    }
}

static void note_failure(struct few__report *report, const char *path, const char *model, const char *why)
{
    struct few__text *text = &report->failures;
    if (report->n_failures++ >= FEW__REPORT_FAILURES) return;
    few__text_put(text, "<tr><td>");
    few__text_html(text, path);
    few__text_put(text, "</td><td>");
    few__text_html(text, model);
    few__text_put(text, "</td><td>");
    few__text_html(text, why);
    few__text_put(text, "</td></tr>\n");
}

static void count_cell(struct few__report *report, size_t m, const struct few__cell *cell)
{
    struct few__report_model *stats = &report->models[m];
    stats->counts[cell->outcome]++;
    stats->time_us += (double)cell->time_us;
    if (cell->outcome == FEW_EXECUTED) stats->done_us += (double)cell->time_us;
}

// outputs: (n_models,) room. shown: it has a card in the gallery.
static enum few_status read_item(struct few__report *report, const struct few__item_row *row,
                                 const struct few__cell *cells, struct few_output *outputs, bool shown,
                                 struct few__arena *scratch, struct few_error *err)
{
    const struct few_catalog *catalog = report->catalog;
    bool whole = row->status == FEW_OK;
    if (!whole) note_failure(report, row->path, "", row->message);
    report->n_failed += !whole;
    report->n_missed += row->deadline_missed;
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few__cell *cell = &cells[m];
        outputs[m] = few__output_empty(&catalog->models[m]);
        if (cell->output)
            FEW__TRY(few__output_unpack(cell->output, cell->n_output, scratch, &outputs[m], err));
        count_cell(report, m, cell);
        if (whole && cell->outcome == FEW_FAILED)
            note_failure(report, row->path, catalog->models[m].name, cell->reason);
        if (!cell->output || outputs[m].empty) continue;
        struct few_valuable *room =
            FEW__ARENA_NEW(scratch, struct few_valuable, few__valuable_max(&catalog->models[m]));
        if (!room) return few__no_memory(err, "report");
        count_labels(report, m, &outputs[m], room);
    }
    struct few__report_item item = {.row = row, .cells = cells, .outputs = outputs};
    if (shown) few__report_card(report, &item);
    return FEW_OK;
}

// Pictures are spread evenly over the file: item i is shown if it begins another of FEW__REPORT_ITEMS parts.
static bool is_shown(int64_t i, int64_t n)
{
    return i == 0 || i * FEW__REPORT_ITEMS / n != (i - 1) * FEW__REPORT_ITEMS / n;
}

static enum few_status read_items(struct few__report *report, struct few_error *err)
{
    size_t n_models = report->catalog->n_models;
    struct few__cell *cells = FEW__ARENA_NEW(report->arena, struct few__cell, n_models);
    struct few_output *outputs = FEW__ARENA_NEW(report->arena, struct few_output, n_models);
    report->models = FEW__ARENA_NEW(report->arena, struct few__report_model, n_models);
    if (!cells || !outputs || !report->models) return few__no_memory(err, "report");
    for (size_t m = 0; m < n_models; m++)
        if (!begin_model(report, m)) return few__no_memory(err, "report");
    FEW__TRY(few__store_count(report->store, &report->n_items, err));
    FEW__TRY(few__store_rewind(report->store, true, err));
    struct few__arena scratch;
    few__arena_init(&scratch, report->env.mem, ARENA_MAX);
    struct few__item_row row = {0};
    enum few_status status = FEW_OK;
    for (int64_t i = 0; status == FEW_OK; i++) {
        status = few__store_next(report->store, &row, cells, err);
        if (status == FEW_OK)
            status = read_item(report, &row, cells, outputs, is_shown(i, report->n_items), &scratch, err);
        few__arena_reset(&scratch);
    }
    few__arena_finish(&scratch);
    return status == FEW_END ? FEW_OK : status;
}

/* ---- the page ---- */

static void put_failures(struct few__text *text, const struct few__report *report)
{
    if (report->n_failures == 0) return;
    few__text_printf(text, "<section><h2>Failures</h2><p>%llu in all",
                     (unsigned long long)report->n_failures);
    if (report->n_failures > FEW__REPORT_FAILURES)
        few__text_printf(text, "; the first %d", FEW__REPORT_FAILURES);
    few__text_put(text,
                  ".</p><div class=\"panel\"><table><thead><tr><th>item</th><th>model</th><th>what happened"
                  "</th></tr></thead><tbody>\n");
    if (report->failures.s) few__text_put(text, report->failures.s);
    few__text_put(text, "</tbody></table></div></section>\n");
}

static void put_gallery(struct few__text *text, const struct few__report *report)
{
    if (!report->gallery.s) return;
    few__text_put(text, "<section><h2>Items</h2>");
    if (report->n_items > FEW__REPORT_ITEMS)
        few__text_printf(text, "<p>%d of %lld, spread evenly over the file.</p>", FEW__REPORT_ITEMS,
                         (long long)report->n_items);
    few__text_put(text, "<div class=\"gallery\">\n");
    few__text_put(text, report->gallery.s);
    few__text_put(text, "</div></section>\n");
}

static enum few_status write_run(struct few__report *report, struct few__text *text, struct few_error *err)
{
    FEW__TRY(few__image_decoder_create(&report->env, &report->decoder, err));
    FEW__TRY(read_items(report, err));
    few__report_head(text, few__report_last_part(report->path));
    few__report_summary(text, report);
    put_failures(text, report);
    put_gallery(text, report);
    few__report_models(text, report);
    few__report_foot(text);
    return FEW_OK;
}

static enum few_status write_eval(const struct few__report *report, const char *eval_json,
                                  struct few__text *text, struct few_error *err)
{
    few__report_head(text, few__report_last_part(report->path));
    few__report_title(text, report->path, "An evaluation: every method replayed on the same items");
    few__text_put(text, "</p></header>\n");
    FEW__TRY(few__report_eval(text, eval_json, err));
    few__report_foot(text);
    return FEW_OK;
}

static enum few_status write_out(const struct few__text *text, const struct few__report *report, FILE *out,
                                 struct few_error *err)
{
    bool whole = few__text_ok(text) && few__text_ok(&report->gallery) && few__text_ok(&report->failures);
    if (!whole) return few__no_memory(err, "report");
    if (fwrite(text->s, 1, text->n, out) != text->n || fflush(out) != 0)
        return few__fail_sys(err, FEW_EIO, "report: cannot be written");
    return FEW_OK;
}

enum few_status few_report(const char *path, const char *eval_json, FILE *out, struct few_error *err)
{
    struct few__report report = {.env = few__env(NULL), .path = path};
    FEW__TRY(few__store_open(path, &report.env, &report.store, err));
    struct few__arena arena;
    struct few__text text;
    few__arena_init(&arena, report.env.mem, ARENA_MAX);
    few__text_init(&text, report.env.mem, TEXT_MAX);
    few__text_init(&report.gallery, report.env.mem, TEXT_MAX);
    few__text_init(&report.failures, report.env.mem, TEXT_MAX);
    report.arena = &arena;
    report.catalog = few__store_catalog(report.store);
    enum few_status status =
        eval_json ? write_eval(&report, eval_json, &text, err) : write_run(&report, &text, err);
    if (status == FEW_OK) status = write_out(&text, &report, out, err);
    few__image_decoder_destroy(report.decoder);
    few__text_finish(&text);
    few__text_finish(&report.gallery);
    few__text_finish(&report.failures);
    few__arena_finish(&arena);
    few__store_close(report.store, NULL);
    return status;
}
