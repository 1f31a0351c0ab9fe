// SPDX-License-Identifier: Apache-2.0
// Units of the test items, the sources that they come from, and what a method does on each source.
#include "eval/eval_tally.h"

#include <string.h>

#include "core/error.h"
#include "core/rng.h"

struct place { // of a test item
    size_t source;
    size_t cluster; // among those of its source: an item, or what is alike
};

static const char other[] = "other"; // items whose names have no source, and sources beyond the limit

static bool is_source(const struct few__eval *eval, size_t source, const char *name, size_t n)
{
    return strlen(eval->sources[source].name) == n && memcmp(eval->sources[source].name, name, n) == 0;
}

// SIZE_MAX: no memory.
static size_t find_source(struct few__eval *eval, size_t item)
{
    size_t n, source = 0;
    const char *name = few__trace_source(eval->trace->items[item].path, &n);
    if (n == 0 || eval->n_sources + 1 >= FEW__EVAL_SOURCES_MAX) {
        while (n > 0 && source < eval->n_sources && !is_source(eval, source, name, n)) source++;
        if (n > 0 && source < eval->n_sources) return source;
        name = other;
        n = strlen(other);
    }
    for (source = 0; source < eval->n_sources; source++)
        if (is_source(eval, source, name, n)) return source;
    struct few__eval_source *added = &eval->sources[eval->n_sources];
    added->name = few__arena_strndup(eval->arena, name, n);
    return added->name ? eval->n_sources++ : SIZE_MAX;
}

static bool is_alike(const struct few__eval *eval, size_t a, size_t b)
{
    const struct few__trace_item *items = eval->trace->items;
    return items[a].stream >= 0 && items[a].stream == items[b].stream &&
           few__eval_segment(eval, a) == few__eval_segment(eval, b);
}

static enum few_status find_places(struct few__eval *eval, struct place *places, size_t *clusters,
                                   struct few_error *err)
{
    for (size_t i = 0; i < eval->n_test; i++) {
        size_t source = find_source(eval, eval->test[i]);
        if (source == SIZE_MAX) return few__no_memory(err, "evaluation");
        bool alike =
            i > 0 && places[i - 1].source == source && is_alike(eval, eval->test[i - 1], eval->test[i]);
        clusters[source] += !alike;
        places[i] = (struct place){source, clusters[source] - 1};
        eval->sources[source].n_items++;
        eval->sources[source].all_us += eval->wholes[i].time_us;
    }
    return FEW_OK;
}

// Units of one source follow each other.
static size_t share_units(struct few__eval *eval, const size_t *clusters)
{
    size_t all = 0, n = 0;
    for (size_t s = 0; s < eval->n_sources; s++) all += clusters[s];
    for (size_t s = 0; s < eval->n_sources; s++) {
        size_t share = all <= FEW__EVAL_UNITS_MAX ? clusters[s] : clusters[s] * FEW__EVAL_UNITS_MAX / all;
        eval->sources[s].first_unit = n;
        eval->sources[s].n_units = share > 0 ? share : 1;
        n += eval->sources[s].n_units;
    }
    return n;
}

/* By lot, since what comes in turn may be alike in turn. lots: (clusters of all sources,) out: which unit of its source a
 * cluster is of, one source after the other. */
static void draw_lots(const struct few__eval *eval, const size_t *clusters, size_t *lots)
{
    struct few__rng rng;
    for (size_t s = 0; s < eval->n_sources; lots += clusters[s++]) {
        for (size_t c = 0; c < clusters[s]; c++) lots[c] = c;
        few__rng_init(&rng, s, 0);
        if (eval->sources[s].n_units < clusters[s]) few__rng_shuffle(&rng, lots, clusters[s]);
        for (size_t c = 0; c < clusters[s]; c++) lots[c] %= eval->sources[s].n_units;
    }
}

enum few_status few__eval_units(struct few__eval *eval, struct few_error *err)
{
    size_t clusters[FEW__EVAL_SOURCES_MAX] = {0};
    struct place *places = FEW__ARENA_NEW(eval->arena, struct place, eval->n_test);
    uint32_t *units = FEW__ARENA_NEW(eval->arena, uint32_t, eval->n_test);
    size_t *lots = FEW__ARENA_NEW(eval->arena, size_t, eval->n_test), before[FEW__EVAL_SOURCES_MAX] = {0};
    if (!places || !units || !lots) return few__no_memory(err, "evaluation");
    FEW__TRY(find_places(eval, places, clusters, err));
    eval->n_units = share_units(eval, clusters);
    double *items = FEW__ARENA_NEW(eval->arena, double, eval->n_units);
    double *us = FEW__ARENA_NEW(eval->arena, double, eval->n_units);
    if (!items || !us) return few__no_memory(err, "evaluation");
    draw_lots(eval, clusters, lots);
    for (size_t s = 1; s < eval->n_sources; s++) before[s] = before[s - 1] + clusters[s - 1];
    for (size_t i = 0; i < eval->n_test; i++) {
        size_t source = places[i].source;
        units[i] = (uint32_t)(eval->sources[source].first_unit + lots[before[source] + places[i].cluster]);
        items[units[i]]++;
        us[units[i]] += eval->wholes[i].time_us;
    }
    eval->units = units;
    eval->unit_items = items;
    eval->unit_us = us;
    return FEW_OK;
}

enum few_status few__eval_tally_create(const struct few__eval *eval, size_t n_points,
                                       struct few__arena *arena, struct few__eval_tally *tally,
                                       struct few_error *err)
{
    size_t n_columns = 3 * eval->n_recalls + 2 * n_points;
    *tally = (struct few__eval_tally){.n_recalls = eval->n_recalls,
                                      .n_points = n_points,
                                      .n_columns = n_columns,
                                      .sums = FEW__ARENA_NEW(arena, double, eval->n_units *n_columns)};
    return tally->sums ? FEW_OK : few__no_memory(err, "evaluation");
}

/* ---- by source ---- */

// sums: (n_columns,) of one source.
static void read_source(const struct few__eval *eval, const struct few__eval_source *source,
                        const struct few__eval_tally *tally, const double *sums,
                        struct few__eval_point *curve, struct few__eval_at_source *at)
{
    const struct few__eval_tally row = {.n_recalls = tally->n_recalls, .n_points = tally->n_points};
    const double *points = sums + row.n_recalls, *promises = points + 2 * row.n_points;
    double n = (double)source->n_items, all_us = source->all_us > 0 ? source->all_us : 1;
    for (size_t k = 0; k < row.n_points; k++)
        curve[k] =
            (struct few__eval_point){.time_ratio = points[2 * k] / all_us, .recall = points[2 * k + 1] / n};
    for (size_t i = 0; i < eval->n_recalls; i++) {
        at[i].recall_time = sums[i] / all_us;
        at[i].stop = few__eval_curve_at(curve, row.n_points - 1, eval->recalls[i]);
        at[i].promise_time = promises[2 * i] / all_us;
        at[i].promise_recall = promises[2 * i + 1] / n;
    }
}

enum few_status few__eval_by_source(const struct few__eval *eval, const struct few__eval_tally *tally,
                                    struct few__eval_result *result, struct few_error *err)
{
    struct few__eval_point *curve = FEW__ARENA_NEW(eval->arena, struct few__eval_point, tally->n_points);
    double *sums = FEW__ARENA_NEW(eval->arena, double, tally->n_columns);
    result->by_source =
        FEW__ARENA_NEW(eval->arena, struct few__eval_at_source, eval->n_sources * eval->n_recalls);
    if (!curve || !sums || !result->by_source) return few__no_memory(err, "evaluation");
    for (size_t s = 0; s < eval->n_sources; s++) {
        const struct few__eval_source *source = &eval->sources[s];
        memset(sums, 0, tally->n_columns * sizeof *sums);
        for (size_t u = 0; u < source->n_units; u++) {
            const double *row = few__eval_tally_recall(tally, source->first_unit + u, 0);
            for (size_t c = 0; c < tally->n_columns; c++) sums[c] += row[c];
        }
        read_source(eval, source, tally, sums, curve, &result->by_source[s * eval->n_recalls]);
    }
    return FEW_OK;
}
