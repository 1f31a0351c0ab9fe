// SPDX-License-Identifier: Apache-2.0
// What a run came to, in words and as JSON.
#include "totals.h"

#include <string.h>

struct totals totals_of_session(const struct few_session_stats *stats, uint64_t n_models)
{
    struct totals totals = {.models = n_models,
                            .items = stats->items,
                            .items_failed = stats->items_failed,
                            .deadline_missed = stats->deadline_missed,
                            .spent_us = stats->spent_us,
                            .run_all_us = stats->run_all_us};
    memcpy(totals.counts, stats->counts, sizeof totals.counts);
    return totals;
}

struct totals totals_of_file(const struct few_run_status *status)
{
    _Static_assert(sizeof status->counts == sizeof((struct totals *)0)->counts, "six outcomes");
    struct totals totals = {.models = status->models,
                            .items = status->items,
                            .items_failed = status->items_failed,
                            .deadline_missed = status->deadline_missed,
                            .spent_us = status->spent_us,
                            .run_all_us = status->run_all_us};
    memcpy(totals.counts, status->counts, sizeof totals.counts);
    return totals;
}

const char *totals_base(bool all_models)
{
    return all_models ? "all models" : "dearest of each variant group";
}

// What running everything takes is an expectation from measured or declared costs; a slow machine may exceed it.
static double saved_ratio(const struct totals *totals)
{
    return totals->run_all_us > 0 ? 1 - (double)totals->spent_us / (double)totals->run_all_us : 0;
}

json_t *totals_json(const struct totals *totals)
{
    json_t *counts = json_object();
    for (int i = 0; counts && i < FEW_OUTCOME_COUNT; i++)
        json_object_set_new(counts, few_outcome_name((enum few_outcome)i),
                            json_integer((json_int_t)totals->counts[i]));
    json_t *times =
        json_pack("{s:f, s:f, s:f, s:s*}", "spent", (double)totals->spent_us / 1e3, "run_all",
                  (double)totals->run_all_us / 1e3, "saved_ratio", saved_ratio(totals), "base", totals->base);
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:I}", "items", (json_int_t)totals->items, "items_failed",
                     (json_int_t)totals->items_failed, "models", (json_int_t)totals->models, "counts", counts,
                     "time_ms", times, "deadline_missed", (json_int_t)totals->deadline_missed);
}

void totals_print_counts(const struct totals *totals, FILE *to)
{
    char text[32];
    uint64_t sum = 0;
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) sum += totals->counts[i];
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++)
        if (totals->counts[i] > 0)
            fprintf(to, "  %-10s %12s  %5.1f%%\n", few_outcome_name((enum few_outcome)i),
                    show_count(totals->counts[i], text, sizeof text),
                    100 * (double)totals->counts[i] / (double)sum);
}

void totals_print_times(const struct totals *totals, FILE *to)
{
    char spent[32], all[32];
    fprintf(to, "models took %s", show_time((double)totals->spent_us, spent, sizeof spent));
    if (totals->run_all_us > 0) {
        const char *what = totals->base && strcmp(totals->base, totals_base(true)) != 0
                               ? "running the dearest of each variant group"
                               : "running everything";
        fprintf(to, "; %s takes %s", what, show_time((double)totals->run_all_us, all, sizeof all));
        if (saved_ratio(totals) >= 0) fprintf(to, ": %.1f%% saved", 100 * saved_ratio(totals));
    }
    fputc('\n', to);
}
