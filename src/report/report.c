// SPDX-License-Identifier: Apache-2.0
/* few_report: reads the file twice, quickly for what must be known before, then item by item, and puts the page together.
 * Contact sheet, timelines and failures are written while reading; numbers that are known only at the end stand above them. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/env.h"
#include "core/error.h"
#include "media/record.h"
#include "model/output.h"
#include "store/trace.h"

#define ARENA_MAX ((size_t)1 << 30)
#define TEXT_MAX  ((size_t)256 << 20)

/* ---- before ---- */

struct named {
    const char *name;
    int32_t label;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->label < y->label ? -1 : x->label > y->label;
}

static enum few_status find_same_names(struct few__report *report, struct few_error *err)
{
    size_t n = report->catalog->n_labels;
    struct named *all = FEW__NEW_N(report->env.mem, struct named, n + 1);
    report->same_name = FEW__ARENA_NEW(report->arena, int32_t, n);
    report->n_cards = FEW__ARENA_NEW(report->arena, uint32_t, n);
    report->card = FEW__ARENA_NEW(report->arena, uint32_t, n);
    bool there = all && report->same_name && report->n_cards && report->card;
    for (size_t i = 0; there && i < n; i++)
        all[i] = (struct named){report->catalog->labels[i].name, (int32_t)i};
    if (there) qsort(all, n, sizeof *all, by_name);
    for (size_t i = 0, first = 0; there && i < n; i++) {
        if (strcmp(all[i].name, all[first].name) != 0) first = i;
        report->same_name[all[i].label] = all[first].label;
    }
    few__free(report->env.mem, all);
    return there ? FEW_OK : few__no_memory(err, "report");
}

// What the page says first needs the number of items with lanes and the extent of each stream.
static enum few_status scan(struct few__report *report, struct few__cell *cells, struct few_error *err)
{
    struct few__item_row row;
    enum few_status status;
    FEW__TRY(few__store_rewind(report->store, false, err));
    while ((status = few__store_next(report->store, &row, cells, err)) == FEW_OK) {
        report->n_items++;
        report->n_timed += few__report_has_lanes(report, cells);
        few__streams_scan(report->streams, &row);
    }
    return status == FEW_END ? FEW_OK : status;
}

/* ---- reading ---- */

static void note_failure(struct few__report *report, const char *path, const char *model, const char *why)
{
    struct few__text *text = &report->failures;
    if (report->n_failures++ >= FEW__REPORT_FAILURES) return;
    few__text_put(text, "<tr><td class=\"path\">");
    few__text_html(text, path);
    few__text_put(text, "</td><td>");
    few__text_html(text, model);
    few__text_put(text, "</td><td class=\"words\">");
    few__text_html(text, why);
    few__text_put(text, "</td></tr>\n");
}

static enum few_status read_outputs(struct few__report *report, const struct few__report_item *item,
                                    struct few_output *outputs, struct few__arena *scratch,
                                    struct few_error *err)
{
    const struct few_catalog *catalog = report->catalog;
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few__cell *cell = &item->cells[m];
        const struct few_model *model = &catalog->models[m];
        outputs[m] = few__output_empty(model);
        if (cell->output)
            FEW__TRY(few__trace_unpack(model, cell->output, cell->n_output, scratch, &outputs[m], err));
        if (item->row->status == FEW_OK && cell->outcome == FEW_FAILED)
            note_failure(report, item->row->path, model->name, cell->reason);
        if (!cell->output || outputs[m].empty) continue;
        size_t max = few__valuable_max(model);
        struct few_valuable *found = FEW__ARENA_NEW(scratch, struct few_valuable, max);
        if (!found) return few__no_memory(err, "report");
        few__report_count_labels(report, m, found, few__valuable(model, &outputs[m], found, max));
    }
    return FEW_OK;
}

// Spread evenly over n: the i-th is shown if it begins another of so many parts.
static bool is_shown(int64_t i, int64_t n, int64_t parts)
{
    return i == 0 || i * parts / n != (i - 1) * parts / n;
}

static enum few_status read_item(struct few__report *report, const struct few__report_item *item, int64_t i,
                                 struct few_output *outputs, struct few__arena *scratch,
                                 struct few_error *err)
{
    const struct few__item_row *row = item->row;
    if (row->status != FEW_OK) note_failure(report, row->path, "", row->message);
    report->n_failed += row->status != FEW_OK;
    report->n_missed += row->deadline_missed;
    FEW__TRY(read_outputs(report, item, outputs, scratch, err));
    few__report_count_cells(report, item->cells);
    few__streams_add(report, item);
    if (report->quality) FEW__TRY(few__quality_add(report->quality, item, scratch, err));
    if (i < report->n_items && is_shown(i, report->n_items, FEW__REPORT_ITEMS))
        few__report_card(report, item);
    if (!few__report_has_lanes(report, item->cells) || (int64_t)report->n_lanes >= report->n_timed)
        return FEW_OK;
    if (is_shown((int64_t)report->n_lanes, report->n_timed, FEW__REPORT_LANES))
        few__report_lanes(report, item);
    report->n_lanes++;
    return FEW_OK;
}

static enum few_status read_items(struct few__report *report, struct few_error *err)
{
    size_t n_models = report->catalog->n_models;
    struct few__cell *cells = FEW__ARENA_NEW(report->arena, struct few__cell, n_models);
    struct few_output *outputs = FEW__ARENA_NEW(report->arena, struct few_output, n_models);
    if (!cells || !outputs) return few__no_memory(err, "report");
    FEW__TRY(scan(report, cells, err));
    FEW__TRY(few__store_rewind(report->store, true, err));
    struct few__arena scratch;
    few__arena_init(&scratch, report->env.mem, ARENA_MAX);
    struct few__item_row row = {0};
    struct few__report_item item = {.row = &row, .cells = cells, .outputs = outputs};
    enum few_status status = FEW_OK;
    for (int64_t i = 0; status == FEW_OK; i++) {
        status = few__store_next(report->store, &row, cells, err);
        if (status == FEW_OK) status = read_item(report, &item, i, outputs, &scratch, err);
        few__arena_reset(&scratch);
    }
    few__arena_finish(&scratch);
    return status == FEW_END ? FEW_OK : status;
}

/* ---- the page ---- */

static void put_failures(struct few__text *text, struct few__report *report)
{
    if (report->n_failures == 0) return;
    few__report_section(report, text, "failures", "Failures");
    few__text_printf(text, "<p>%llu in all", (unsigned long long)report->n_failures);
    if (report->n_failures > FEW__REPORT_FAILURES)
        few__text_printf(text, "; the first %d", FEW__REPORT_FAILURES);
    few__text_put(
        text, ".</p><div class=\"panel wide\"><table><thead><tr><th>item</th><th>model</th><th>what happened"
              "</th></tr></thead><tbody>\n");
    if (report->failures.s) few__text_put(text, report->failures.s);
    few__text_put(text, "</tbody></table></div></section>\n");
}

static void put_gallery(struct few__text *text, struct few__report *report)
{
    if (!report->gallery.s) return;
    few__report_section(report, text, "items", "Items");
    if (report->n_items > FEW__REPORT_ITEMS)
        few__text_printf(text, "<p>%d of %lld, spread evenly over the file.</p>", FEW__REPORT_ITEMS,
                         (long long)report->n_items);
    few__text_put(text, "<div class=\"filter\"></div><div class=\"gallery\">\n");
    few__text_put(text, report->gallery.s);
    few__text_put(text, "</div></section>\n");
}

static void put_lanes(struct few__text *text, struct few__report *report)
{
    if (!report->lanes.s) return;
    few__report_section(report, text, "lanes", "When models ran");
    few__text_put(text, "<p>Some items, from their arrival to their last answer; a row is a lane.</p><div "
                        "class=\"charts\">\n");
    few__text_put(text, report->lanes.s);
    few__text_put(text, "</div></section>\n");
}

/* "policy static:trace.db, deadline 60 ms" from the configuration that the command left in the file. */
static void put_config(struct few__text *text, const struct few__report *report)
{
    json_t *object = json_loads(few__store_config(report->store), 0, NULL);
    const char *policy = json_string_value(json_object_get(object, "policy"));
    if (policy) {
        few__text_put(text, ", policy <code>");
        few__text_html(text, policy);
        few__text_put(text, "</code>");
    }
    if (report->deadline_us > 0) {
        few__text_put(text, ", deadline ");
        few__report_time(text, (double)report->deadline_us);
        few__text_put(text, " an item");
    }
    json_decref(object);
}

static enum few_status put_run(struct few__report *report, const struct few_report_opts *opts,
                               struct few__text *body, struct few_error *err)
{
    const struct few__quality_sums *sums = report->quality ? few__quality_sums(report->quality) : NULL;
    few__report_summary(body, report);
    if (opts->eval_json) {
        double own[2] = {0};
        bool measured = sums && sums->n_known && sums->whole_us > 0;
        if (measured) own[0] = sums->recall.sum / (double)sums->recall.n;
        if (measured) own[1] = sums->ran_us / sums->whole_us;
        FEW__TRY(few__report_eval(report, body, opts->eval_json, measured ? own : NULL, err));
    }
    FEW__TRY(few__streams_put(body, report, err));
    put_gallery(body, report);
    put_failures(body, report);
    put_lanes(body, report);
    few__report_reasons(body, report);
    few__report_models(body, report);
    return FEW_OK;
}

static void put_page(struct few__text *page, const struct few__report *report, const struct few__text *body)
{
    const char *name = report->path ? report->path : "evaluation";
    few__report_head(page, few__report_last_part(name));
    few__text_put(page, "<div class=\"top\">");
    few__report_title(page, name,
                      !report->path      ? "Every method, replayed on the same items"
                      : report->is_trace ? "A trace"
                                         : "A run");
    if (report->path) put_config(page, report);
    few__text_put(page, "</p></header></div>\n");
    few__report_nav(page, report);
    if (body->s) few__text_add(page, body->s, body->n);
    few__report_foot(page, report);
}

static enum few_status open_run(struct few__report *report, const struct few_report_opts *opts,
                                struct few_error *err)
{
    FEW__TRY(few__store_open(report->path, &report->env, &report->store, err));
    report->catalog = few__store_catalog(report->store);
    report->is_trace = strcmp(few__store_purpose(report->store), "trace") == 0;
    json_t *config = json_loads(few__store_config(report->store), 0, NULL);
    double deadline_ms = json_number_value(json_object_get(config, "deadline_ms"));
    if (deadline_ms > 0 && deadline_ms < 1e12) report->deadline_us = (int64_t)(deadline_ms * 1e3);
    json_decref(config);
    FEW__TRY(find_same_names(report, err));
    FEW__TRY(few__report_models_init(report, err));
    FEW__TRY(few__streams_create(report, err));
    FEW__TRY(few__record_reader_create(&report->env, NULL, 0, &report->reader, err));
    if (!opts->trace) return FEW_OK;
    return few__quality_create(opts->trace, report->catalog, &report->env, &report->quality, err);
}

static enum few_status write_out(const struct few__text *page, const struct few__report *report, FILE *out,
                                 struct few_error *err)
{
    bool whole = few__text_ok(page) && few__text_ok(&report->gallery) && few__text_ok(&report->failures) &&
                 few__text_ok(&report->lanes) && few__text_ok(&report->plots);
    if (!whole) return few__no_memory(err, "report");
    if (fwrite(page->s, 1, page->n, out) != page->n || fflush(out) != 0)
        return few__fail_sys(err, FEW_EIO, "report: cannot be written");
    return FEW_OK;
}

static enum few_status make(struct few__report *report, const struct few_report_opts *opts,
                            struct few__text *body, struct few_error *err)
{
    if (!report->path) return few__report_eval(report, body, opts->eval_json, NULL, err);
    FEW__TRY(open_run(report, opts, err));
    FEW__TRY(read_items(report, err));
    return put_run(report, opts, body, err);
}

static void finish(struct few__report *report)
{
    few__record_reader_destroy(report->reader);
    few__quality_destroy(report->quality);
    few__text_finish(&report->gallery);
    few__text_finish(&report->failures);
    few__text_finish(&report->lanes);
    few__text_finish(&report->plots);
    (void)few__store_close(report->store, NULL); // nothing was written
    few__arena_finish(report->arena);
}

enum few_status few_report(const char *path, const struct few_report_opts *opts, FILE *out,
                           struct few_error *err)
{
    const struct few_report_opts defaults = {.size = sizeof defaults};
    if (!opts) opts = &defaults;
    if (opts->size != sizeof *opts)
        return few__fail(err, FEW_EINVAL, "report options: expected size %zu, found %zu", sizeof *opts,
                         opts->size);
    if (!path && !opts->eval_json)
        return few__fail(err, FEW_EINVAL, "report: expected a file or an evaluation, found neither");
    struct few__arena arena;
    struct few__report report = {.env = few__env(NULL), .path = path, .arena = &arena};
    struct few__text page, body;
    few__arena_init(&arena, report.env.mem, ARENA_MAX);
    few__text_init(&page, report.env.mem, TEXT_MAX);
    few__text_init(&body, report.env.mem, TEXT_MAX);
    few__text_init(&report.gallery, report.env.mem, TEXT_MAX);
    few__text_init(&report.failures, report.env.mem, TEXT_MAX);
    few__text_init(&report.lanes, report.env.mem, TEXT_MAX);
    few__text_init(&report.plots, report.env.mem, TEXT_MAX);
    enum few_status status = make(&report, opts, &body, err);
    if (status == FEW_OK && !few__text_ok(&body)) status = few__no_memory(err, "report");
    if (status == FEW_OK) put_page(&page, &report, &body);
    if (status == FEW_OK) status = write_out(&page, &report, out, err);
    few__text_finish(&page);
    few__text_finish(&body);
    finish(&report);
    return status;
}
