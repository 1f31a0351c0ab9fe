// SPDX-License-Identifier: Apache-2.0
// The top of the page: what was saved, what was kept of the answers, and what happened to each model on each item.
#include <string.h>

#include <jansson.h>

#include "report/report.h"

struct totals {
    uint64_t counts[FEW_OUTCOME_COUNT], n_cells;
    double spent_us, run_all_us;
};

static struct totals add_up(const struct few__report *report)
{
    struct totals totals = {0};
    for (size_t m = 0; m < report->catalog->n_models; m++) {
        const struct few__report_model *stats = &report->models[m];
        for (int i = 0; i < FEW_OUTCOME_COUNT; i++) {
            totals.counts[i] += stats->counts[i];
            totals.n_cells += stats->counts[i];
        }
        totals.spent_us += stats->time_us;
    }
    struct few__totals stored;
    few__store_totals(report->store, &stored);
    totals.run_all_us = (double)stored.run_all_us;
    return totals;
}

/* ---- tiles ---- */

static void put_count(struct few__text *text, uint64_t n, const char *words)
{
    few__text_put(text, "<div class=\"tile\"><b>");
    few__report_count(text, n);
    few__text_printf(text, "</b><span>%s</span></div>\n", words);
}

// A trace ran everything on purpose: nothing was saved, and no deadline was there to miss.
static void put_saved(struct few__text *text, const struct few__report *report, const struct totals *totals)
{
    double ratio = totals->run_all_us > 0 ? 1 - totals->spent_us / totals->run_all_us : 0;
    few__text_printf(
        text, "<div class=\"tile hero\"><b>%.1f&thinsp;%%</b><span>of the models' time saved</span></div>\n",
        100 * ratio);
    const struct few__quality_sums *sums = report->quality ? few__quality_sums(report->quality) : NULL;
    if (sums && sums->n_known) {
        few__text_put(text, "<div class=\"tile hero\"><b>");
        few__report_mean(text, &sums->recall);
        few__text_put(text, "</b><span>recall of value</span></div>\n<div class=\"tile hero\"><b>");
        few__report_mean(text, &sums->all);
        few__text_put(text, "</b><span>agreement with running everything</span></div>\n");
    } else {
        few__text_put(text,
                      "<div class=\"tile\"><b>not measured</b><span>recall and agreement</span></div>\n");
    }
    if (report->deadline_us > 0) put_count(text, report->n_missed, "items over their deadline");
}

static void put_failed(struct few__text *text, const struct few__report *report)
{
    if (report->n_failures) few__text_put(text, "<a class=\"tile bad\" href=\"#failures\"><b>");
    else few__text_put(text, "<div class=\"tile\"><b>");
    few__report_count(text, report->n_failures);
    few__text_printf(text, "</b><span>failures</span></%s>\n", report->n_failures ? "a" : "div");
}

/* ---- time ---- */

// What running everything means in this file: "all models" or "dearest of each variant group".
static void put_base(struct few__text *text, const char *config)
{
    json_t *object = json_loads(config, 0, NULL);
    const char *base = json_string_value(json_object_get(object, "base"));
    few__text_html(text, base ? base : "everything");
    json_decref(object);
}

static void put_spent(struct few__text *text, const struct few__report *report, const struct totals *totals)
{
    double share = totals->run_all_us > 0 ? totals->spent_us / totals->run_all_us : 1;
    few__text_put(text, "<div class=\"panel\"><h3>Time of the models</h3><div class=\"spent\">"
                        "<div class=\"line\"><span>this run</span><span><i class=\"own\"");
    few__text_printf(text, " style=\"width:%.2f%%\"></i></span><b>", 100 * (share > 1 ? 1 : share));
    few__report_time(text, totals->spent_us);
    few__text_put(text, "</b></div><div class=\"line\"><span>");
    put_base(text, few__store_config(report->store));
    few__text_put(text, "</span><span><i style=\"width:100%\"></i></span><b>");
    few__report_time(text, totals->run_all_us);
    few__text_put(text, "</b></div></div></div>\n");
}

/* ---- answers ---- */

static void put_measure(struct few__text *text, const char *words, const char *more,
                        const struct few__report_mean *mean, const char *of)
{
    few__text_printf(text, "<tr><th scope=\"row\">%s<small>%s</small></th><td class=\"n\">", words, more);
    few__report_mean(text, mean);
    few__text_put(text, "</td><td class=\"n\">");
    few__report_count(text, mean->n);
    few__text_printf(text, " %s</td></tr>\n", of);
}

static void put_measured(struct few__text *text, const struct few__report *report,
                         const struct few__quality_sums *sums)
{
    few__text_put(text, "<div class=\"panel\"><h3>Answers, beside running everything <small>");
    few__report_count(text, sums->n_known);
    few__text_put(text, " of ");
    few__report_count(text, sums->n_items);
    few__text_printf(text, " items and %zu of %zu models are in ", sums->n_models, report->catalog->n_models);
    few__text_html(text, few__report_last_part(few__quality_trace(report->quality)));
    few__text_put(
        text,
        "</small></h3><table><thead><tr><th>measure</th><th class=\"n\">mean</th><th class=\"n\">over</th>"
        "</tr></thead><tbody>\n");
    put_measure(text, "recall of value", "each label counts its highest confidence", &sums->recall, "items");
    put_measure(text, "label recall", "each label counts one", &sums->label_recall, "items");
    put_measure(text, "agreement, all models", "a model that did not run said nothing", &sums->all,
                "answers");
    put_measure(text, "agreement, predicted or reused", "those answers alone", &sums->given, "answers");
    put_measure(text, "agreement, something there", "where either side is not empty", &sums->present,
                "answers");
    few__text_put(text, "</tbody></table></div>\n");
}

static void put_not_measured(struct few__text *text, const struct few__report *report)
{
    few__text_put(text, "<div class=\"panel\"><h3>Recall and agreement were not measured</h3>");
    if (report->quality) {
        few__text_put(text, "<p class=\"note\">None of these items is in <code>");
        few__text_html(text, few__quality_trace(report->quality));
        few__text_put(text, "</code>, by its bytes or by its path.</p>");
    } else {
        few__text_put(
            text,
            "<p class=\"note\">Record what every model says about some of these items, and give the trace to "
            "the report:</p><pre><code>fewer record ZOO ITEMS --limit 200 -o trace.db\nfewer report ");
        few__text_html(text, few__report_last_part(report->path));
        few__text_put(text, " --trace trace.db -o report.html</code></pre>");
    }
    few__text_put(text, "</div>\n");
}

/* ---- outcomes ---- */

static void put_outcomes(struct few__text *text, const struct totals *totals)
{
    few__text_put(text, "<div class=\"panel\"><h3>What happened to each model on each item</h3>");
    few__report_bar(text, totals->counts);
    few__text_put(text, "<ul class=\"legend\">");
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) {
        if (totals->counts[i] == 0) continue;
        const char *name = few_outcome_name((enum few_outcome)i);
        few__text_printf(text, "<li><i class=\"swatch %s\"></i>%s <b>", name, name);
        few__report_count(text, totals->counts[i]);
        few__text_printf(text, "</b> (%.1f&nbsp;%%)</li>",
                         100 * (double)totals->counts[i] / (double)totals->n_cells);
    }
    few__text_put(text, "</ul></div>\n");
}

void few__report_summary(struct few__text *text, struct few__report *report)
{
    struct totals totals = add_up(report);
    few__report_section(report, text, "saved", report->is_trace ? "Summary" : "What was saved");
    few__text_put(text, "<div class=\"tiles\">\n");
    if (!report->is_trace) put_saved(text, report, &totals);
    put_count(text, (uint64_t)report->n_items, "items");
    put_count(text, report->catalog->n_models, "models");
    put_failed(text, report);
    if (report->is_trace) {
        few__text_put(text, "<div class=\"tile\"><b>");
        few__report_time(text, totals.spent_us);
        few__text_put(text, "</b><span>time of the models</span></div>\n");
    }
    few__text_put(text, "</div>\n");
    const struct few__quality_sums *sums = report->quality ? few__quality_sums(report->quality) : NULL;
    few__text_put(text, "<div class=\"charts\"><div>");
    if (!report->is_trace) put_spent(text, report, &totals);
    put_outcomes(text, &totals);
    few__text_put(text, "</div>");
    if (sums && sums->n_known) put_measured(text, report, sums);
    else if (!report->is_trace) put_not_measured(text, report);
    few__text_put(text, "</div></section>\n");
}
