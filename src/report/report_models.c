// SPDX-License-Identifier: Apache-2.0
// What each model did over the whole file: how often, for how long, with which labels, and why or why not.
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "model/kind.h"
#include "report/report.h"

enum { MODELS_SHOWN = 6 }; // of a reason

/* ---- counting ---- */

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

// The last ones take what has no place of its own, one for each outcome.
static bool begin_reasons(struct few__report *report)
{
    size_t n = (size_t)FEW__REPORT_REASONS + FEW_OUTCOME_COUNT;
    report->reasons = FEW__ARENA_NEW(report->arena, struct few__report_reason, n);
    for (size_t i = 0; report->reasons && i < FEW_OUTCOME_COUNT; i++) {
        struct few__report_reason *rest = &report->reasons[FEW__REPORT_REASONS + i];
        *rest = (struct few__report_reason){.outcome = (enum few_outcome)i, .words = "other reasons"};
        rest->n_of = FEW__ARENA_NEW(report->arena, uint64_t, report->catalog->n_models);
        if (!rest->n_of) return false;
    }
    return report->reasons != NULL;
}

enum few_status few__report_models_init(struct few__report *report, struct few_error *err)
{
    size_t n = report->catalog->n_models;
    report->models = FEW__ARENA_NEW(report->arena, struct few__report_model, n);
    if (!report->models || !begin_reasons(report)) return few__no_memory(err, "report");
    for (size_t m = 0; m < n; m++)
        if (!begin_model(report, m)) return few__no_memory(err, "report");
    return FEW_OK;
}

void few__report_count_labels(struct few__report *report, size_t model, const struct few_valuable *found,
                              size_t n)
{
    struct few__report_model *stats = &report->models[model];
    for (size_t i = 0; i < n; i++) {
        const int32_t *id = bsearch(&found[i].label, stats->ids, stats->n_ids, sizeof *stats->ids, by_id);
        if (id) stats->n_items_of[id - stats->ids]++;
    }
}

static struct few__report_reason *find_reason(struct few__report *report, enum few_outcome outcome,
                                              const char *words)
{
    struct few__report_reason *rest = &report->reasons[FEW__REPORT_REASONS + outcome];
    for (size_t i = 0; i < report->n_reasons; i++)
        if (report->reasons[i].outcome == outcome && strcmp(report->reasons[i].words, words) == 0)
            return &report->reasons[i];
    if (report->n_reasons == FEW__REPORT_REASONS) return rest;
    struct few__report_reason *reason = &report->reasons[report->n_reasons];
    reason->outcome = outcome;
    reason->words = few__arena_strdup(report->arena, words);
    reason->n_of = FEW__ARENA_NEW(report->arena, uint64_t, report->catalog->n_models);
    if (!reason->words || !reason->n_of) return rest;
    report->n_reasons++;
    return reason;
}

void few__report_count_cells(struct few__report *report, const struct few__cell *cells)
{
    for (size_t m = 0; m < report->catalog->n_models; m++) {
        const struct few__cell *cell = &cells[m];
        struct few__report_model *stats = &report->models[m];
        char general[FEW__REPORT_WORDS];
        stats->counts[cell->outcome]++;
        stats->time_us += (double)cell->time_us;
        if (cell->outcome == FEW_EXECUTED) stats->done_us += (double)cell->time_us;
        const char *words = few__report_general(cell, general);
        struct few__report_reason *reason =
            find_reason(report, cell->outcome, *words ? words : few_outcome_name(cell->outcome));
        reason->n++;
        reason->n_of[m]++;
    }
}

/* ---- reasons ---- */

static int by_weight(const void *a, const void *b)
{
    const struct few__report_reason *x = a, *y = b;
    if (x->outcome != y->outcome) return x->outcome < y->outcome ? -1 : 1;
    if (x->n != y->n) return x->n > y->n ? -1 : 1;
    return strcmp(x->words, y->words);
}

// The models that it befell most, ties by the lowest; n_of is used up.
static void put_who(struct few__text *text, const struct few__report *report, uint64_t *n_of)
{
    size_t n_models = report->catalog->n_models, n = 0;
    for (size_t m = 0; m < n_models; m++) n += n_of[m] > 0;
    for (size_t i = 0; i < n && i < MODELS_SHOWN; i++) {
        size_t best = 0;
        for (size_t m = 1; m < n_models; m++)
            if (n_of[m] > n_of[best]) best = m;
        few__text_put(text, "<span class=\"chip\">");
        few__text_html(text, report->catalog->models[best].name);
        few__text_put(text, "<b>");
        few__report_count(text, n_of[best]);
        few__text_put(text, "</b></span>");
        n_of[best] = 0;
    }
    if (n > MODELS_SHOWN)
        few__text_printf(text, "<span class=\"more\">and %zu more</span>", n - MODELS_SHOWN);
}

void few__report_reasons(struct few__text *text, struct few__report *report)
{
    size_t n = report->n_reasons + FEW_OUTCOME_COUNT; // the rest moves up behind those that there are
    memmove(&report->reasons[report->n_reasons], &report->reasons[FEW__REPORT_REASONS],
            FEW_OUTCOME_COUNT * sizeof *report->reasons);
    qsort(report->reasons, n, sizeof *report->reasons, by_weight);
    few__report_section(report, text, "why", "Why models ran or not");
    few__text_put(text, "<div class=\"panel wide\"><table><thead><tr><th>outcome</th><th>reason</th><th "
                        "class=\"n\">times</th>"
                        "<th>models</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < n; i++) {
        const struct few__report_reason *reason = &report->reasons[i];
        if (reason->n == 0) continue;
        const char *outcome = few_outcome_name(reason->outcome);
        few__text_printf(text, "<tr><td class=\"nowrap\"><i class=\"dot %s\"></i>%s</td><td class=\"words\">",
                         outcome, outcome);
        few__text_html(text, reason->words);
        few__text_put(text, "</td><td class=\"n\">");
        few__report_count(text, reason->n);
        few__text_put(text, "</td><td class=\"labels\">");
        put_who(text, report, reason->n_of);
        few__text_put(text, "</td></tr>\n");
    }
    few__text_put(text, "</tbody></table></div></section>\n");
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

static void put_number(struct few__text *text, uint64_t n)
{
    few__text_put(text, "<td class=\"n\">");
    few__report_count(text, n);
    few__text_put(text, "</td>");
}

static void put_name(struct few__text *text, const struct few_model *model)
{
    few__text_put(text, "<tr><th scope=\"row\">");
    few__text_html(text, model->name);
    few__text_printf(text, "<small>%s", few_kind_name(model->kind));
    if (*model->task) {
        few__text_put(text, ", ");
        few__text_html(text, model->task);
    }
    few__text_put(text, "</small></th>");
}

static void put_model(struct few__text *text, const struct few__report *report, size_t m, double most_us)
{
    const struct few__report_model *stats = &report->models[m];
    uint64_t n = stats->counts[FEW_EXECUTED];
    put_name(text, &report->catalog->models[m]);
    few__text_put(text, "<td>");
    few__report_bar(text, stats->counts);
    few__text_put(text, "</td>");
    put_number(text, n);
    few__text_put(text, "<td class=\"n\">");
    if (stats->time_us > 0) {
        few__report_time(text, stats->time_us);
        few__text_printf(text, "<i class=\"part\" style=\"width:%.1f%%\"></i>",
                         100 * stats->time_us / most_us);
    }
    few__text_put(text, "</td><td class=\"n\">");
    if (n) few__report_time(text, stats->done_us / (double)n);
    few__text_put(text, "</td>");
    put_number(text, stats->counts[FEW_LATE]);
    put_number(text, stats->counts[FEW_FAILED]);
    if (report->quality) {
        few__text_put(text, "<td class=\"n\">");
        few__report_mean(text, few__quality_of(report->quality, m));
        few__text_put(text, "</td>");
    }
    few__text_put(text, "<td class=\"labels\">");
    put_top_labels(text, report, stats);
    few__text_put(text, "</td></tr>\n");
}

void few__report_models(struct few__text *text, struct few__report *report)
{
    double most_us = 0;
    for (size_t m = 0; m < report->catalog->n_models; m++)
        if (report->models[m].time_us > most_us) most_us = report->models[m].time_us;
    few__report_section(report, text, "models", "Models");
    few__text_put(text, "<div class=\"panel wide\"><table><thead><tr><th>model</th><th>outcomes</th><th "
                        "class=\"n\">executed</th>"
                        "<th class=\"n\">time in all</th><th class=\"n\">mean</th><th class=\"n\">late</th>"
                        "<th class=\"n\">failed</th>");
    if (report->quality) few__text_put(text, "<th class=\"n\">agreement</th>");
    few__text_put(text, "<th>most frequent labels (items)</th></tr></thead><tbody>\n");
    for (size_t m = 0; m < report->catalog->n_models; m++) put_model(text, report, m, most_us);
    few__text_put(text, "</tbody></table></div></section>\n");
}
