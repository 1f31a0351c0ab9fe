// SPDX-License-Identifier: Apache-2.0
/* What ran and what it saved: the numbers at the top and the table of models. */
#include <string.h>

#include <jansson.h>

#include "report/report.h"

/* ---- numbers ---- */

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

static void put_tile(struct few__text *text, const char *value, const char *words)
{
    few__text_printf(text, "<div class=\"tile\"><b>%s</b><span>%s</span></div>\n", value, words);
}

static void put_count(struct few__text *text, uint64_t n, const char *words)
{
    char value[32];
    snprintf(value, sizeof value, "%llu", (unsigned long long)n);
    put_tile(text, value, words);
}

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
    few__text_put(text, "<section><h2>Time of the models</h2><div class=\"panel\"><div class=\"spent\">"
                        "<span>this run</span><span><i class=\"own\"");
    few__text_printf(text, " style=\"width:%.2f%%\"></i></span><b>", 100 * (share > 1 ? 1 : share));
    few__report_time(text, totals->spent_us);
    few__text_put(text, "</b><span>");
    put_base(text, few__store_config(report->store));
    few__text_put(text, "</span><span><i style=\"width:100%\"></i></span><b>");
    few__report_time(text, totals->run_all_us);
    few__text_put(text, "</b></div></div></section>\n");
}

static void put_outcomes(struct few__text *text, const struct totals *totals)
{
    few__text_put(text, "<div class=\"panel\">");
    few__report_bar(text, totals->counts);
    few__text_put(text, "<ul class=\"legend\">");
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) {
        if (totals->counts[i] == 0) continue;
        const char *name = few_outcome_name((enum few_outcome)i);
        few__text_printf(text, "<li><i class=\"%s\"></i>%s <b>%llu</b> (%.1f&nbsp;%%)</li>", name, name,
                         (unsigned long long)totals->counts[i],
                         100 * (double)totals->counts[i] / (double)totals->n_cells);
    }
    few__text_put(text, "</ul></div>\n");
}

/* "policy static:trace.db, deadline 60 ms" from the configuration that the command left in the file. */
static void put_config(struct few__text *text, const char *config)
{
    json_t *object = json_loads(config, 0, NULL);
    const char *policy = json_string_value(json_object_get(object, "policy"));
    double deadline_ms = json_number_value(json_object_get(object, "deadline_ms"));
    if (policy) {
        few__text_put(text, ", policy <code>");
        few__text_html(text, policy);
        few__text_put(text, "</code>");
    }
    if (deadline_ms > 0) {
        few__text_put(text, ", deadline ");
        few__report_time(text, deadline_ms * 1e3);
        few__text_put(text, " an item");
    }
    json_decref(object);
}

// A trace ran everything on purpose: nothing was saved, and no deadline was there to miss.
static void put_saved(struct few__text *text, const struct few__report *report, const struct totals *totals)
{
    double ratio = totals->run_all_us > 0 ? 1 - totals->spent_us / totals->run_all_us : 0;
    few__text_printf(
        text, "<div class=\"tile hero\"><b>%.1f&thinsp;%%</b><span>of the models' time saved</span></div>\n",
        100 * ratio);
    put_count(text, report->n_missed, "items over their deadline");
}

void few__report_summary(struct few__text *text, const struct few__report *report)
{
    struct totals totals = add_up(report);
    bool is_trace = strcmp(few__store_purpose(report->store), "trace") == 0;
    few__report_title(text, report->path, is_trace ? "A trace" : "A run");
    put_config(text, few__store_config(report->store));
    few__text_put(text, "</p></header>\n<div class=\"tiles\">\n");
    if (!is_trace) put_saved(text, report, &totals);
    put_count(text, (uint64_t)report->n_items, "items");
    put_count(text, report->catalog->n_models, "models");
    put_count(text, totals.counts[FEW_EXECUTED], "models executed");
    put_count(text, report->n_failures, "failures");
    if (is_trace) {
        few__text_put(text, "<div class=\"tile\"><b>");
        few__report_time(text, totals.spent_us);
        few__text_put(text, "</b><span>time of the models</span></div>\n");
    }
    few__text_put(text, "</div>\n");
    if (!is_trace) put_spent(text, report, &totals);
    few__text_put(text, "<section><h2>What happened to each model on each item</h2>");
    put_outcomes(text, &totals);
    few__text_put(text, "</section>\n");
}

/* ---- models ---- */

static void put_top_labels(struct few__text *text, const struct few__report *report,
                           const struct few__report_model *stats)
{
    size_t shown[FEW__REPORT_TOP], n = 0;
    for (; n < FEW__REPORT_TOP; n++) { // the next most frequent one, ties by the lowest label
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < stats->n_ids; i++) {
            bool taken = stats->n_items_of[i] == 0;
            for (size_t j = 0; j < n; j++) taken = taken || shown[j] == i;
            if (!taken && (best == SIZE_MAX || stats->n_items_of[i] > stats->n_items_of[best])) best = i;
        }
        if (best == SIZE_MAX) break;
        shown[n] = best;
        few__text_put(text, "<span class=\"chip\">");
        few__text_html(text, report->catalog->labels[stats->ids[best]].name);
        few__text_printf(text, "<b>%u</b></span>", (unsigned)stats->n_items_of[best]);
    }
}

static void put_model(struct few__text *text, const struct few__report *report, size_t m)
{
    const struct few_model *model = &report->catalog->models[m];
    const struct few__report_model *stats = &report->models[m];
    uint64_t n = stats->counts[FEW_EXECUTED];
    few__text_put(text, "<tr><td>");
    few__text_html(text, model->name);
    few__text_put(text, "<small>");
    few__text_put(text, few_kind_name(model->kind));
    if (*model->task) {
        few__text_put(text, ", ");
        few__text_html(text, model->task);
    }
    few__text_put(text, "</small></td><td>");
    few__report_bar(text, stats->counts);
    few__text_printf(text, "</td><td class=\"n\">%llu</td><td class=\"n\">", (unsigned long long)n);
    if (n) few__report_time(text, stats->done_us / (double)n);
    else few__text_put(text, "-");
    few__text_printf(text, "</td><td class=\"n\">%llu</td><td class=\"n\">%llu</td><td>",
                     (unsigned long long)stats->counts[FEW_LATE],
                     (unsigned long long)stats->counts[FEW_FAILED]);
    put_top_labels(text, report, stats);
    few__text_put(text, "</td></tr>\n");
}

void few__report_models(struct few__text *text, const struct few__report *report)
{
    few__text_put(text,
                  "<section><h2>Models</h2><div class=\"panel\"><table><thead><tr><th>model</th>"
                  "<th>outcomes</th><th class=\"n\">executed</th><th class=\"n\">mean time</th>"
                  "<th class=\"n\">late</th><th class=\"n\">failed</th><th>most frequent labels (items)</th>"
                  "</tr></thead><tbody>\n");
    for (size_t m = 0; m < report->catalog->n_models; m++) put_model(text, report, m);
    few__text_put(text, "</tbody></table></div></section>\n");
}
