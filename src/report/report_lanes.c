// SPDX-License-Identifier: Apache-2.0
/* Where and when the models of one item ran: a row a lane, from the item's arrival to its last answer. Drawn here, so that
 * it stands without the script, which only lets one point at it. */
#include <stdlib.h>

#include "report/report.h"

enum { RUNS_MAX = 512, LANES_MAX = 64, TICKS = 4 };

struct run {
    int lane;
    size_t model;
    double start_us, end_us;
    enum few_outcome outcome;
};

struct timeline {
    struct few__text *text;
    const struct few_catalog *catalog;
    double span_us; // of the axis
    size_t n;
    struct run runs[RUNS_MAX]; // by lane, then start
};

bool few__report_has_lanes(const struct few__report *report, const struct few__cell *cells)
{
    size_t n = 0;
    for (size_t m = 0; m < report->catalog->n_models; m++)
        n += cells[m].lane >= 0 && cells[m].lane < LANES_MAX && cells[m].start_us >= 0;
    return n >= 2;
}

static int by_place(const void *a, const void *b)
{
    const struct run *x = a, *y = b;
    if (x->lane != y->lane) return x->lane < y->lane ? -1 : 1;
    if (x->start_us != y->start_us) return x->start_us < y->start_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

static void collect(struct timeline *t, const struct few__report *report, const struct few__report_item *item)
{
    double last =
        (double)(item->row->elapsed_us > report->deadline_us ? item->row->elapsed_us : report->deadline_us);
    for (size_t m = 0; m < t->catalog->n_models && t->n < RUNS_MAX; m++) {
        const struct few__cell *cell = &item->cells[m];
        if (cell->lane < 0 || cell->lane >= LANES_MAX || cell->start_us < 0) continue;
        double start = (double)cell->start_us, end = start + (double)cell->time_us;
        if (end > last) last = end;
        t->runs[t->n++] = (struct run){cell->lane, m, start, end, cell->outcome};
    }
    qsort(t->runs, t->n, sizeof *t->runs, by_place);
    t->span_us = last > 0 ? last : 1;
}

/* ---- drawing ---- */

static void put_piece(struct timeline *t, const char *class, const char *name, double from_us,
                      double until_us, const char *outcome)
{
    few__text_printf(t->text, "<i class=\"run %s\" style=\"left:%.2f%%;width:%.2f%%\" data-words=\"", class,
                     100 * from_us / t->span_us, 100 * (until_us - from_us) / t->span_us);
    few__text_html(t->text, name);
    few__text_printf(t->text, ", %s: %.2f to %.2f ms\">", outcome, from_us / 1e3, until_us / 1e3);
    few__text_html(t->text, name);
    few__text_put(t->text, "</i>");
}

static void begin_row(struct timeline *t, const struct few__report *report, const char *who, int lane)
{
    few__text_printf(t->text, "<span class=\"who\">%s", who);
    if (lane >= 0) few__text_printf(t->text, " %d", lane + 1);
    few__text_put(t->text, "</span><div class=\"track\">");
    if (report->deadline_us > 0 && (double)report->deadline_us < t->span_us * 0.999)
        few__text_printf(t->text, "<i class=\"end\" style=\"left:%.2f%%\"></i>",
                         100 * (double)report->deadline_us / t->span_us);
}

static void put_rows(struct timeline *t, const struct few__report *report, int64_t decode_us)
{
    if (decode_us > 0) {
        begin_row(t, report, "reading", -1);
        put_piece(t, "reading", "reading", 0, (double)decode_us, "read and decoded");
        few__text_put(t->text, "</div>");
    }
    for (size_t i = 0; i < t->n; i++) {
        const struct run *run = &t->runs[i];
        if (i == 0 || run->lane != t->runs[i - 1].lane) begin_row(t, report, "lane", run->lane);
        const char *outcome = few_outcome_name(run->outcome);
        put_piece(t, outcome, t->catalog->models[run->model].name, run->start_us, run->end_us, outcome);
        if (i + 1 == t->n || run->lane != t->runs[i + 1].lane) few__text_put(t->text, "</div>");
    }
}

static void put_ticks(struct timeline *t)
{
    few__text_put(t->text, "<span class=\"who\"></span><div class=\"ticks\">");
    for (int i = 0; i <= TICKS; i++)
        few__text_printf(t->text, "<span style=\"left:%d%%\">%.3g%s</span>", 100 * i / TICKS,
                         t->span_us * i / TICKS / 1e3, i == TICKS ? " ms" : "");
    few__text_put(t->text, "</div>");
}

static void put_numbers(struct timeline *t)
{
    few__text_put(
        t->text,
        "<details class=\"numbers\"><summary>Numbers</summary><div class=\"wide\"><table><thead><tr>"
        "<th>model</th><th class=\"n\">lane</th><th class=\"n\">start, ms</th><th class=\"n\">time, ms</th>"
        "<th>outcome</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < t->n; i++) {
        const struct run *run = &t->runs[i];
        few__text_put(t->text, "<tr><td>");
        few__text_html(t->text, t->catalog->models[run->model].name);
        few__text_printf(t->text,
                         "</td><td class=\"n\">%d</td><td class=\"n\">%.2f</td><td "
                         "class=\"n\">%.2f</td><td>%s</td></tr>\n",
                         run->lane + 1, run->start_us / 1e3, (run->end_us - run->start_us) / 1e3,
                         few_outcome_name(run->outcome));
    }
    few__text_put(t->text, "</tbody></table></div></details>");
}

void few__report_lanes(struct few__report *report, const struct few__report_item *item)
{
    struct few__text *text = &report->lanes;
    struct timeline *t = FEW__ARENA_NEW(report->arena, struct timeline, 1);
    if (!t) {
        text->failed = true;
        return;
    }
    t->text = text;
    t->catalog = report->catalog;
    collect(t, report, item);
    const char *name = few__report_last_part(item->row->path);
    few__text_put(text, "<figure class=\"panel item-lanes\"><figcaption>");
    few__text_html(text, name);
    few__text_printf(text, " <small>%zu of %zu models, ", t->n, t->catalog->n_models);
    few__report_time(text, (double)item->row->elapsed_us);
    if (report->deadline_us > 0) {
        few__text_put(text, " of ");
        few__report_time(text, (double)report->deadline_us);
    }
    few__text_put(text, "</small></figcaption><div class=\"lanes\" aria-label=\"When each model ran on ");
    few__text_html(text, name);
    few__text_put(text, "\">");
    put_rows(t, report, item->row->decode_us);
    put_ticks(t);
    few__text_put(text, "</div>");
    put_numbers(t);
    few__text_put(text, "</figure>\n");
}
