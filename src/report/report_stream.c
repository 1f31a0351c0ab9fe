// SPDX-License-Identifier: Apache-2.0
/* Recordings and cameras: a table of them, and for the first ones what became of their moments along time, and how many of
 * what was seen. Time is cut into equal parts, no more than there are moments. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "report/report.h"

enum { SEEN_MAX = 64, SHOWN_MAX = 6, FEW_MOMENTS = 30 };
enum { ANALYSED, REUSED, FAILED, N_STATES };

struct seen { // one label on one stream
    int32_t label;
    double total, sum[FEW__REPORT_BINS];
};

struct stream {
    uint64_t n;
    int64_t first_us, last_us;
    size_t n_bins;
    double step_us, bin_us;
    double states[N_STATES][FEW__REPORT_BINS], moments[FEW__REPORT_BINS]; // moments: that have answers
    size_t n_seen;
    struct seen *seen[SEEN_MAX];
};

struct few__stream_times {
    int64_t n; // of the file
    struct stream of[FEW__REPORT_STREAMS];
    uint32_t *here, *most; // (n_labels,) of one model, of any model on one item; zeros between items
    int32_t *touched;      // (n_labels,)
};

enum few_status few__streams_create(struct few__report *report, struct few_error *err)
{
    int64_t n = few__store_n_streams(report->store);
    if (n == 0) return FEW_OK;
    size_t n_labels = report->catalog->n_labels;
    struct few__stream_times *streams = FEW__ARENA_NEW(report->arena, struct few__stream_times, 1);
    if (!streams) return few__no_memory(err, "report");
    streams->n = n;
    streams->here = FEW__ARENA_NEW(report->arena, uint32_t, n_labels);
    streams->most = FEW__ARENA_NEW(report->arena, uint32_t, n_labels);
    streams->touched = FEW__ARENA_NEW(report->arena, int32_t, n_labels);
    if (!streams->here || !streams->most || !streams->touched) return few__no_memory(err, "report");
    report->streams = streams;
    return FEW_OK;
}

static struct stream *stream_of(struct few__stream_times *streams, const struct few__item_row *row)
{
    if (!streams || row->stream < 0 || row->stream >= FEW__REPORT_STREAMS) return NULL;
    return &streams->of[row->stream];
}

void few__streams_scan(struct few__stream_times *streams, const struct few__item_row *row)
{
    struct stream *s = stream_of(streams, row);
    if (!s) return;
    if (s->n == 0 || row->at_us < s->first_us) s->first_us = row->at_us;
    if (s->n == 0 || row->at_us > s->last_us) s->last_us = row->at_us;
    s->n++;
}

/* ---- along time ---- */

// A part is a whole number of steps, so that regular moments come in equal numbers.
static void cut(struct stream *s)
{
    uint64_t many = (s->n + FEW__REPORT_BINS - 1) / FEW__REPORT_BINS, a_part = s->n <= FEW_MOMENTS ? 1
                                                                               : many < 2          ? 2
                                                                                                   : many;
    s->n_bins = (size_t)((s->n + a_part - 1) / a_part);
    s->step_us = s->n > 1 ? ((double)s->last_us - (double)s->first_us) / (double)(s->n - 1) : 1e6;
    if (s->step_us <= 0) s->step_us = 1;
    s->bin_us = s->step_us * (double)a_part;
}

// A moment stands in the middle of its step, so that regular ones fall one into each part.
static size_t bin_of(struct stream *s, int64_t at_us)
{
    if (s->n_bins == 0) cut(s);
    double at = ((double)at_us - (double)s->first_us + s->step_us / 2) / s->bin_us;
    return at <= 0 ? 0 : at >= (double)s->n_bins ? s->n_bins - 1 : (size_t)at;
}

static int state_of(const struct few__report *report, const struct few__report_item *item)
{
    bool reused = false;
    if (item->row->status != FEW_OK) return FAILED;
    for (size_t m = 0; m < report->catalog->n_models; m++) {
        if (item->cells[m].outcome == FEW_EXECUTED || item->cells[m].outcome == FEW_LATE) return ANALYSED;
        reused = reused || item->cells[m].outcome == FEW_REUSED;
    }
    return reused ? REUSED : ANALYSED;
}

static void add_seen(struct few__report *report, struct stream *s, size_t bin, int32_t label, uint32_t n)
{
    size_t i = 0;
    while (i < s->n_seen && s->seen[i]->label != label) i++;
    if (i == SEEN_MAX) return;
    if (i == s->n_seen) {
        s->seen[i] = FEW__ARENA_NEW(report->arena, struct seen, 1);
        if (!s->seen[i]) return;
        s->seen[i]->label = label;
        s->n_seen++;
    }
    s->seen[i]->sum[bin] += n;
    s->seen[i]->total += n;
}

// The detections of one model by label: here, and what is new in the list of those touched.
static size_t count_detections(struct few__report *report, const struct few_model *model,
                               const struct few_output *output, size_t n_touched)
{
    struct few__stream_times *streams = report->streams;
    for (size_t i = 0; i < output->n; i++) {
        const struct few_detection *d = &output->detections[i];
        if (d->confidence <= model->threshold || (model->is_null && model->is_null[d->label])) continue;
        int32_t label = report->same_name[model->label_ids ? model->label_ids[d->label] : model->own_label];
        if (streams->most[label] == 0 && streams->here[label] == 0) streams->touched[n_touched++] = label;
        streams->here[label]++;
    }
    for (size_t i = 0; i < n_touched; i++) {
        int32_t label = streams->touched[i];
        if (streams->here[label] > streams->most[label]) streams->most[label] = streams->here[label];
        streams->here[label] = 0;
    }
    return n_touched;
}

void few__streams_add(struct few__report *report, const struct few__report_item *item)
{
    struct few__stream_times *streams = report->streams;
    struct stream *s = stream_of(streams, item->row);
    if (!s || s->n == 0) return;
    size_t bin = bin_of(s, item->row->at_us), n_touched = 0;
    int state = state_of(report, item);
    s->states[state][bin]++;
    if (state == FAILED) return;
    s->moments[bin]++;
    for (size_t m = 0; m < report->catalog->n_models; m++)
        if (report->catalog->models[m].kind == FEW_DETECTIONS && item->cells[m].output)
            n_touched = count_detections(report, &report->catalog->models[m], &item->outputs[m], n_touched);
    for (size_t i = 0; i < n_touched; i++) {
        int32_t label = streams->touched[i];
        add_seen(report, s, bin, label, streams->most[label]);
        streams->most[label] = 0;
    }
}

/* ---- plots ---- */

static int by_total(const void *a, const void *b)
{
    const struct seen *x = *(struct seen *const *)a, *y = *(struct seen *const *)b;
    if (x->total != y->total) return x->total > y->total ? -1 : 1;
    return x->label < y->label ? -1 : x->label > y->label;
}

static void put_states(struct few__report *report, struct few__text *text, const struct stream *s,
                       struct few__plot *plot)
{
    static const char *const names[N_STATES] = {"analysed", "reused", "failed"};
    static const char *const colours[N_STATES] = {"executed", "reused", "failed"};
    struct few__series series[N_STATES];
    size_t n = 0;
    for (int i = 0; i < N_STATES; i++) {
        double sum = 0;
        for (size_t b = 0; b < s->n_bins; b++) sum += s->states[i][b];
        if (sum > 0) series[n++] = (struct few__series){names[i], colours[i], s->states[i], false};
    }
    plot->kind = "stack";
    plot->title = "What became of its moments";
    plot->label = "Moments analysed, reused and failed along time";
    plot->y_name = "moments";
    plot->series = series;
    plot->n_series = n;
    few__report_plot(report, text, plot);
}

// How many of a label there are in a moment, on average over each part of the time.
static void put_seen(struct few__report *report, struct few__text *text, struct stream *s,
                     struct few__plot *plot)
{
    static const char *const colours[SHOWN_MAX] = {"c2", "c1", "c4", "c3", "c6", "c5"};
    struct few__series series[SHOWN_MAX];
    size_t n = s->n_seen < SHOWN_MAX ? s->n_seen : SHOWN_MAX;
    if (n == 0) return;
    qsort(s->seen, s->n_seen, sizeof *s->seen, by_total);
    for (size_t i = 0; i < n; i++) {
        struct seen *seen = s->seen[i];
        for (size_t b = 0; b < s->n_bins; b++)
            seen->sum[b] = s->moments[b] > 0 ? seen->sum[b] / s->moments[b] : (double)NAN;
        series[i] =
            (struct few__series){report->catalog->labels[seen->label].name, colours[i], seen->sum, false};
    }
    plot->kind = "lines";
    plot->title = "What was seen";
    plot->label = "How many of each label were detected along time";
    plot->y_name = "in a moment, mean";
    plot->series = series;
    plot->n_series = n;
    few__report_plot(report, text, plot);
}

static void put_plots(struct few__report *report, struct few__text *text, struct stream *s, size_t number,
                      bool is_live)
{
    char group[24];
    double x[FEW__REPORT_BINS];
    if (s->n == 0) return;
    if (s->n_bins == 0) cut(s);
    double begin = ((is_live ? 0 : (double)s->first_us) - s->step_us / 2) / 1e6;
    for (size_t b = 0; b < s->n_bins; b++) x[b] = begin + ((double)b + 0.5) * s->bin_us / 1e6;
    snprintf(group, sizeof group, "stream%zu", number);
    struct few__plot plot = {.group = group,
                             .x_name = "time",
                             .x_unit = "time",
                             .y_unit = "",
                             .n = s->n_bins,
                             .x = x,
                             .x_range = {begin, begin + (double)s->n_bins * s->bin_us / 1e6},
                             .own = {(double)NAN, (double)NAN}};
    put_states(report, text, s, &plot);
    put_seen(report, text, s, &plot);
}

/* ---- words ---- */

static void put_looks(struct few__text *text, const struct few__stream_row *row)
{
    const char *between = "";
    if (row->is_live) {
        few__text_put(text, "live");
        between = ", ";
    }
    if (row->width > 0) {
        few__text_printf(text, "%s%d x %d", between, row->width, row->height);
        between = ", ";
    }
    if (row->fps > 0) {
        few__text_printf(text, "%s%.3g a second", between, row->fps);
        between = ", ";
    }
    if (row->duration_us > 0) {
        few__text_put(text, between);
        few__report_time(text, (double)row->duration_us);
    }
}

static void put_number(struct few__text *text, uint64_t n, bool bad)
{
    few__text_put(text, bad && n ? "<td class=\"n bad\">" : "<td class=\"n\">");
    few__report_count(text, n);
    few__text_put(text, "</td>");
}

static void put_end(struct few__text *text, const struct few__stream_row *row)
{
    few__text_put(text, row->ended ? "ended" : "not taken to its end");
    if (row->n_reconnects)
        few__text_printf(text, ", reconnected %llu times", (unsigned long long)row->n_reconnects);
    if (row->newest_age_us >= 0) {
        few__text_put(text, ", newest answer after ");
        few__report_time(text, (double)row->newest_age_us);
    }
    if (!*row->message) return;
    few__text_put(text, "<small>");
    few__text_html(text, row->message);
    few__text_put(text, "</small>");
}

static void put_row(struct few__text *text, const struct few__stream_row *row)
{
    few__text_put(text, "<tr><th scope=\"row\">");
    few__text_html(text, few__report_last_part(row->path));
    few__text_put(text, "<small>");
    put_looks(text, row);
    few__text_put(text, "</small></th>");
    put_number(text, row->n_in, false);
    put_number(text, row->n_analysed, false);
    put_number(text, row->n_reused, false);
    put_number(text, row->n_dropped, true);
    put_number(text, row->n_failed, true);
    put_number(text, row->n_damaged, true);
    few__text_put(text, "<td class=\"words\">");
    put_end(text, row);
    few__text_put(text, "</td></tr>\n");
}

static enum few_status put_table(struct few__report *report, struct few__text *text, struct few_error *err)
{
    int64_t n = report->streams->n, n_rows = n < FEW__REPORT_STREAM_ROWS ? n : FEW__REPORT_STREAM_ROWS;
    few__text_put(
        text,
        "<div class=\"panel wide\"><table><thead><tr><th>stream</th><th class=\"n\">moments</th>"
        "<th class=\"n\">analysed</th><th class=\"n\">reused</th><th class=\"n\">dropped</th>"
        "<th class=\"n\">failed</th><th class=\"n\">damaged</th><th>how it went</th></tr></thead><tbody>\n");
    for (int64_t i = 0; i < n_rows; i++) {
        struct few__stream_row row;
        enum few_status status = few__store_get_stream(report->store, i, &row, err);
        if (status != FEW_OK && status != FEW_END) return status;
        if (status == FEW_OK) put_row(text, &row);
    }
    few__text_put(text, "</tbody></table></div>\n");
    if (n > n_rows)
        few__text_printf(text, "<p class=\"note\">The first %lld of %lld.</p>\n", (long long)n_rows,
                         (long long)n);
    return FEW_OK;
}

static void put_stream(struct few__report *report, struct few__text *text, const struct few__stream_row *row,
                       size_t i)
{
    few__text_put(text, "<div class=\"stream\"><h3>");
    few__text_html(text, few__report_last_part(row->path));
    few__text_put(text, " <small>");
    put_looks(text, row);
    few__text_put(text, "</small></h3>");
    if (*row->message) {
        few__text_put(text, "<p class=\"note\">");
        few__text_html(text, row->message);
        few__text_put(text, "</p>");
    }
    if (row->n_dropped)
        few__text_printf(
            text,
            "<p class=\"note\">%llu moments were dropped, being late; where all were, there is a gap.</p>",
            (unsigned long long)row->n_dropped);
    few__text_put(text, "<div class=\"charts\">");
    put_plots(report, text, &report->streams->of[i], i, row->is_live);
    few__text_put(text, "</div></div>\n");
}

enum few_status few__streams_put(struct few__text *text, struct few__report *report, struct few_error *err)
{
    if (!report->streams) return FEW_OK;
    few__report_section(report, text, "streams", "Streams");
    FEW__TRY(put_table(report, text, err));
    for (int64_t i = 0; i < report->streams->n && i < FEW__REPORT_STREAMS; i++) {
        struct few__stream_row row;
        enum few_status status = few__store_get_stream(report->store, i, &row, err);
        if (status != FEW_OK && status != FEW_END) return status;
        if (status == FEW_OK) put_stream(report, text, &row, (size_t)i);
    }
    if (report->streams->n > FEW__REPORT_STREAMS)
        few__text_printf(text, "<p class=\"note\">Plots are of the first %d.</p>\n", FEW__REPORT_STREAMS);
    few__text_put(text, "</section>\n");
    return FEW_OK;
}
