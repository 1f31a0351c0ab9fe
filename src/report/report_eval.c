// SPDX-License-Identifier: Apache-2.0
/* Curves of an evaluation, and where a run lies among them. Reads few_eval's JSON, so that any such object can be shown. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "report/report.h"
#include "report/report_json.h"

enum { POINTS_MAX = 256, COLOURS = 8, MEMORIES_MAX = 6 };

struct chart {
    const char *title, *group, *measure; // methods.<name>.<group>.<key>.<measure>; both are paths
    const char *x_name, *x_unit, *y_name, *y_unit;
    double x_scale, y_scale;
    double x_range[2], y_range[2];
};

enum { OWN_STOP, UNDER_DEADLINE }; // those that are shown beside a run

static const struct chart charts[] = {
    {"Time to have a mean recall, each deciding by itself when to stop: lower is better",
     "stop",
     "time_ratio",
     "recall",
     "",
     "time, % of running everything",
     "%",
     1,
     100,
     {0, 1.02},
     {0, 0}},
    {"Recall under a deadline",
     "deadline",
     "recall",
     "deadline",
     " ms",
     "recall",
     "",
     1,
     1,
     {0, 0},
     {0, 1.05}},
    {"The same time as a share of static's: below 100% is less",
     "stop",
     "against_static/time_ratio",
     "recall",
     "",
     "time, % of static",
     "%",
     1,
     100,
     {0, 1.02},
     {0, 0}},
    {"Time to reach a recall, stopping when the truth says so: lower is better",
     "recall",
     "time_ratio",
     "recall",
     "",
     "time, % of running everything",
     "%",
     1,
     100,
     {0, 1.02},
     {0, 0}},
    {"Of the time between static and oracle, what is gone when the truth says stop",
     "gap_closed",
     "",
     "recall",
     "",
     "share of the gap, %",
     "%",
     1,
     100,
     {0, 1.02},
     {-20, 105}},
    {"Agreement under a deadline",
     "deadline",
     "agreement",
     "deadline",
     " ms",
     "agreement",
     "",
     1,
     1,
     {0, 0},
     {0, 1.05}},
    {"Models to have a mean recall, each deciding by itself",
     "stop",
     "models",
     "recall",
     "",
     "models, mean of an item",
     "",
     1,
     1,
     {0, 1.02},
     {0, 0}},
    {"Models to reach a recall",
     "recall",
     "models",
     "recall",
     "",
     "models, mean of an item",
     "",
     1,
     1,
     {0, 1.02},
     {0, 0}},
    {"Agreement at a mean recall",
     "stop",
     "agreement",
     "recall",
     "",
     "agreement",
     "",
     1,
     1,
     {0, 1.02},
     {0, 1.05}},
    {"Position in the order by priority",
     "priority",
     "position",
     "priority",
     "",
     "position, from 1",
     "",
     1,
     1,
     {0, 0},
     {0, 0}},
};

/* ---- one chart ---- */

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

// The places that any method has, rising, each once; at most POINTS_MAX of them.
static size_t find_places(json_t *methods, const struct chart *chart, double *places)
{
    const char *name, *key;
    json_t *method, *point;
    size_t n = 0;
    json_object_foreach(methods, name, method)
    {
        json_object_foreach(few__json_path(method, chart->group), key, point)
        {
            double place = strtod(key, NULL) * chart->x_scale;
            bool known = !isfinite(place);
            for (size_t i = 0; i < n && !known; i++) known = places[i] == place;
            if (!known && n < POINTS_MAX) places[n++] = place;
        }
    }
    qsort(places, n, sizeof *places, by_value);
    return n;
}

static bool read_line(json_t *points, const struct chart *chart, const double *places, size_t n, double *line)
{
    const char *key;
    json_t *point;
    bool any = false;
    for (size_t i = 0; i < n; i++) line[i] = (double)NAN;
    json_object_foreach(points, key, point)
    {
        json_t *value = few__json_path(point, chart->measure);
        double place = strtod(key, NULL) * chart->x_scale;
        for (size_t i = 0; i < n && json_is_number(value); i++)
            if (places[i] == place) line[i] = json_number_value(value) * chart->y_scale;
        any = any || json_is_number(value);
    }
    return any;
}

/* Beside the methods of a policy these are there for whoever asks: they lie far off, or on another line. */
static bool is_background(const char *name)
{
    static const char *const names[] = {"run_all", "random", "q_greedy", "density_greedy"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool put_chart(struct few__report *report, struct few__text *text, const struct chart *chart,
                      json_t *methods, const double own[2])
{
    static const char colours[COLOURS][3] = {"c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"};
    struct few__series series[FEW__REPORT_SERIES];
    double *places = FEW__ARENA_NEW(report->arena, double, POINTS_MAX);
    if (!places) return false;
    struct few__plot plot = {.title = chart->title,
                             .kind = "lines",
                             .label = chart->title,
                             .group = "",
                             .x_name = chart->x_name,
                             .x_unit = chart->x_unit,
                             .y_name = chart->y_name,
                             .y_unit = chart->y_unit,
                             .x = places,
                             .series = series};
    memcpy(plot.x_range, chart->x_range, sizeof plot.x_range);
    memcpy(plot.y_range, chart->y_range, sizeof plot.y_range);
    plot.own[0] = own[0];
    plot.own[1] = own[1];
    plot.n = find_places(methods, chart, places);
    const char *name;
    json_t *method;
    size_t colour = 0;
    bool has_policy = few__report_has_policy(methods);
    json_object_foreach(methods, name, method)
    {
        const char *mine = colours[colour++ % COLOURS]; // of one method everywhere
        double *line = FEW__ARENA_NEW(report->arena, double, plot.n);
        if (!line) return false;
        if (plot.n_series == FEW__REPORT_SERIES) break;
        if (!read_line(few__json_path(method, chart->group), chart, places, plot.n, line)) continue;
        series[plot.n_series++] = (struct few__series){
            .name = name, .colour = mine, .values = line, .hidden = has_policy && is_background(name)};
    }
    if (plot.n_series) few__report_plot(report, text, &plot);
    return true;
}

// Deadlines within each memory budget, of those that fit on a page.
static bool put_memories(struct few__report *report, struct few__text *text, json_t *methods)
{
    static const double nowhere[2] = {(double)NAN, (double)NAN};
    const char *name, *key;
    json_t *method, *memory, *first = NULL;
    size_t n = 0;
    json_object_foreach(methods, name, method) if (!first) first = json_object_get(method, "memory");
    json_object_foreach(first, key, memory)
    {
        char *title =
            few__arena_printf(report->arena, "Recall under a deadline, side by side within %s MiB", key);
        char *group = few__arena_printf(report->arena, "memory/%s/deadline", key);
        if (!title || !group) return false;
        struct chart chart = charts[UNDER_DEADLINE];
        chart.title = title;
        chart.group = group;
        if (n++ < MEMORIES_MAX && !put_chart(report, text, &chart, methods, nowhere)) return false;
    }
    return true;
}

/* ---- the page ---- */

static void put_tiles(struct few__text *text, json_t *eval)
{
    static const struct {
        const char *key, *words;
    } tiles[] = {{"test_items", "test items"}, {"train_items", "items to learn from"}, {"models", "models"}};
    few__text_put(text, "<div class=\"tiles\">\n");
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++) {
        json_int_t n = json_integer_value(json_object_get(eval, tiles[i].key));
        few__text_put(text, "<div class=\"tile\"><b>");
        few__report_count(text, n > 0 ? (uint64_t)n : 0);
        few__text_printf(text, "</b><span>%s</span></div>\n", tiles[i].words);
    }
    few__text_put(text, "<div class=\"tile\"><b>");
    few__report_time(text,
                     1e3 * json_number_value(json_object_get(json_object_get(eval, "run_all"), "time_ms")));
    few__text_put(text, "</b><span>to run everything on an item</span></div></div>\n");
    const char *split = json_string_value(json_object_get(eval, "split"));
    if (split && strcmp(split, "sha1") != 0)
        few__text_put(text,
                      "<p class=\"note bad\">Too few items for a split: all of them train and test.</p>\n");
}

static bool put_alone(struct few__report *report, struct few__text *text, json_t *eval, json_t *methods)
{
    static const double nowhere[2] = {(double)NAN, (double)NAN};
    few__report_section(report, text, "saved", "What was replayed");
    put_tiles(text, eval);
    few__text_put(text, "</section>\n");
    few__report_section(report, text, "curves", "Curves");
    few__text_put(text, "<div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        if (!put_chart(report, text, &charts[i], methods, nowhere)) return false;
    if (!put_memories(report, text, methods)) return false;
    few__text_put(text, "</div></section>\n");
    few__report_section(report, text, "methods", "Methods");
    few__report_methods(text, methods);
    few__text_put(text, "</section>\n");
    if (few__report_has_policy(methods)) {
        few__report_section(report, text, "promises", "What was promised");
        few__report_promises(text, methods);
        few__text_put(text, "</section>\n");
    }
    if (json_object_size(json_object_get(eval, "sources")) > 0) {
        few__report_section(report, text, "sources", "Sources");
        few__report_sources(text, json_object_get(eval, "sources"));
        few__text_put(text, "</section>\n");
    }
    return true;
}

static bool put_beside(struct few__report *report, struct few__text *text, json_t *eval, json_t *methods,
                       const double *own)
{
    double deadline_ms = report->deadline_us > 0 ? (double)report->deadline_us / 1e3 : (double)NAN;
    const double saving[2] = {own ? own[0] : (double)NAN, own ? 100 * own[1] : (double)NAN};
    const double under[2] = {deadline_ms, own ? own[0] : (double)NAN};
    few__report_section(report, text, "curves", "Beside the baselines");
    few__text_printf(text,
                     "<p>Every method replayed on %lld items of a trace, one model after the "
                     "other%s.</p><div class=\"charts\">\n",
                     (long long)json_integer_value(json_object_get(eval, "test_items")),
                     own ? "; the diamond is this run, at the trace's times" : "");
    bool right = put_chart(report, text, &charts[OWN_STOP], methods, saving) &&
                 put_chart(report, text, &charts[UNDER_DEADLINE], methods, under);
    few__text_put(text, "</div></section>\n");
    return right;
}

enum few_status few__report_eval(struct few__report *report, struct few__text *text, const char *eval_json,
                                 const double *own, struct few_error *err)
{
    json_error_t where;
    json_t *eval = json_loads(eval_json, 0, &where);
    json_t *methods = json_object_get(eval, "methods");
    enum few_status status = FEW_OK;
    if (!eval)
        status = few__fail(err, FEW_EPARSE, "evaluation: line %d, column %d: %s", where.line, where.column,
                           where.text);
    else if (json_object_size(methods) == 0)
        status = few__fail(err, FEW_EPARSE, "evaluation: expected \"methods\" with a method, found none");
    else if (report->path ? !put_beside(report, text, eval, methods, own)
                          : !put_alone(report, text, eval, methods))
        status = few__no_memory(err, "evaluation");
    json_decref(eval);
    return status;
}
