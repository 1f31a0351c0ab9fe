// SPDX-License-Identifier: Apache-2.0
/* Tables and curves of an evaluation. Reads few_eval's JSON, so that any such object can be shown. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "report/report.h"

enum { COLOURS = 6, POINTS_MAX = 128 };
enum {
    WIDTH = 520,
    HEIGHT = 300,
    LEFT = 52,
    RIGHT = 14,
    TOP = 12,
    BOTTOM = 42
}; // of a chart, in its own units

struct chart {
    const char *title, *group, *measure; // methods.<name>.<group>.<key>.<measure>
    const char *x_name, *y_name;
    double x_max, y_scale; // y runs from 0 to 1, printed times y_scale
};

/* ---- curves ---- */

static double x_at(const struct chart *chart, double x)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * x / chart->x_max;
}

static double y_at(double y)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y;
}

// The largest of 1, 2, 5 times a power of ten that gives four steps or more.
static double step_of(double max)
{
    double unit = pow(10, floor(log10(max)));
    if (max / unit >= 4) return unit;
    return max / unit >= 2 ? unit / 2 : unit / 5;
}

static void put_axes(struct few__text *text, const struct chart *chart)
{
    for (int i = 0; i <= 5; i++) {
        double y = i / 5.0;
        few__text_printf(text, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT,
                         WIDTH - RIGHT, y_at(y), y_at(y));
        few__text_printf(text, "<text class=\"axis\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>",
                         LEFT - 8, y_at(y) + 4, y * chart->y_scale);
    }
    double step = step_of(chart->x_max);
    for (int i = 0; i * step <= chart->x_max * 1.0001; i++)
        few__text_printf(text, "<text class=\"axis\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>",
                         x_at(chart, i * step), HEIGHT - BOTTOM + 18, i * step);
    few__text_printf(text, "<text class=\"axis\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                     (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, chart->x_name);
    few__text_printf(text,
                     "<text class=\"axis\" transform=\"translate(14 %d) rotate(-90)\" "
                     "text-anchor=\"middle\">%s</text>",
                     (TOP + HEIGHT - BOTTOM) / 2, chart->y_name);
}

static int by_x(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return x[0] < y[0] ? -1 : x[0] > y[0];
}

static void put_curve(struct few__text *text, const struct chart *chart, json_t *points, size_t colour)
{
    double xy[POINTS_MAX][2];
    size_t n = 0;
    const char *key;
    json_t *point;
    json_object_foreach(points, key, point)
    {
        if (n == POINTS_MAX) break;
        xy[n][0] = strtod(key, NULL);
        xy[n++][1] = fmin(1, json_number_value(json_object_get(point, chart->measure)));
    }
    qsort(xy, n, sizeof xy[0], by_x);
    few__text_printf(text, "<polyline class=\"curve\" stroke=\"var(--c%zu)\" points=\"", colour);
    for (size_t i = 0; i < n; i++)
        few__text_printf(text, "%.1f,%.1f ", x_at(chart, xy[i][0]), y_at(xy[i][1]));
    few__text_put(text, "\"/>");
    for (size_t i = 0; i < n; i++)
        few__text_printf(
            text,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"var(--c%zu)\"><title>%g: %.3g</title>"
            "</circle>",
            x_at(chart, xy[i][0]), y_at(xy[i][1]), colour, xy[i][0], xy[i][1] * chart->y_scale);
}

static void put_chart(struct few__text *text, const struct chart *chart, json_t *methods)
{
    const char *name;
    json_t *method;
    size_t colour = 0;
    few__text_printf(text, "<div class=\"panel\"><h3>%s</h3><svg viewBox=\"0 0 %d %d\" role=\"img\">",
                     chart->title, WIDTH, HEIGHT);
    put_axes(text, chart);
    json_object_foreach(methods, name, method)
        put_curve(text, chart, json_object_get(method, chart->group), colour++ % COLOURS);
    few__text_put(text, "</svg><ul class=\"legend\">");
    colour = 0;
    json_object_foreach(methods, name, method)
    {
        few__text_printf(text, "<li><i style=\"background:var(--c%zu)\"></i>", colour++ % COLOURS);
        few__text_html(text, name);
        few__text_put(text, "</li>");
    }
    few__text_put(text, "</ul></div>\n");
}

/* ---- tables ---- */

static void put_row(struct few__text *text, const char *name, json_t *points, const char *measure,
                    double scale)
{
    const char *key;
    json_t *point;
    few__text_put(text, "<tr><td>");
    few__text_html(text, name);
    few__text_put(text, "</td>");
    json_object_foreach(points, key, point)
        few__text_printf(text, "<td class=\"n\">%.*f</td>", scale > 1 ? 1 : 2,
                         scale * json_number_value(json_object_get(point, measure)));
    few__text_put(text, "</tr>\n");
}

static void put_table(struct few__text *text, json_t *methods, const char *group, const char *measure,
                      double scale, const char *title, const char *unit)
{
    const char *name, *key;
    json_t *method, *point;
    json_t *first = json_object_get(json_object_iter_value(json_object_iter(methods)), group);
    if (json_object_size(first) == 0) return;
    few__text_printf(text, "<section><h2>%s</h2><div class=\"panel\"><table><thead><tr><th>method</th>",
                     title);
    json_object_foreach(first, key, point)
    {
        few__text_put(text, "<th class=\"n\">");
        few__text_html(text, key);
        few__text_printf(text, "%s</th>", unit);
    }
    few__text_put(text, "</tr></thead><tbody>\n");
    json_object_foreach(methods, name, method)
        put_row(text, name, json_object_get(method, group), measure, scale);
    few__text_put(text, "</tbody></table></div></section>\n");
}

static double largest_key(json_t *methods, const char *group)
{
    const char *key;
    json_t *point;
    double largest = 0;
    json_t *first = json_object_get(json_object_iter_value(json_object_iter(methods)), group);
    json_object_foreach(first, key, point) largest = fmax(largest, strtod(key, NULL));
    return largest;
}

static void put_tiles(struct few__text *text, json_t *eval)
{
    static const struct {
        const char *key, *words;
    } tiles[] = {{"test_items", "test items"}, {"train_items", "items to learn from"}, {"models", "models"}};
    few__text_put(text, "<div class=\"tiles\">\n");
    for (size_t i = 0; i < sizeof tiles / sizeof *tiles; i++)
        few__text_printf(text, "<div class=\"tile\"><b>%lld</b><span>%s</span></div>\n",
                         (long long)json_integer_value(json_object_get(eval, tiles[i].key)), tiles[i].words);
    few__text_put(text, "<div class=\"tile\"><b>");
    few__report_time(text,
                     1e3 * json_number_value(json_object_get(json_object_get(eval, "run_all"), "time_ms")));
    few__text_put(text, "</b><span>to run everything on an item</span></div></div>\n");
    const char *split = json_string_value(json_object_get(eval, "split"));
    if (split && strcmp(split, "sha1") != 0)
        few__text_put(text, "<p class=\"bad\">Too few items for a split: all of them train and test.</p>\n");
}

static void put_page(struct few__text *text, json_t *eval, json_t *methods)
{
    double deadline_ms = largest_key(methods, "deadline");
    struct chart charts[] = {
        {"Stopped when the truth says that the recall is reached", "recall", "time_ratio", "recall",
         "time, % of running everything", 1, 100},
        {"Stopped after a number of models, by mean recall", "stop", "time_ratio", "mean recall",
         "time, % of running everything", 1, 100},
        {"Recall under a deadline", "deadline", "recall", "deadline, ms", "recall", deadline_ms, 1},
        {"Agreement under a deadline", "deadline", "agreement", "deadline, ms", "agreement", deadline_ms, 1},
    };
    put_tiles(text, eval);
    few__text_put(text, "<section><h2>Curves</h2><div class=\"charts\">\n");
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++)
        if (charts[i].x_max > 0) put_chart(text, &charts[i], methods);
    few__text_put(text, "</div></section>\n");
    put_table(text, methods, "recall", "time_ratio", 100, "Time to reach a recall, % of running everything",
              "");
    put_table(text, methods, "recall", "models", 1, "Models to reach a recall", "");
    put_table(text, methods, "stop", "time_ratio", 100, "Time at a mean recall, % of running everything", "");
    put_table(text, methods, "stop", "agreement", 1, "Agreement at a mean recall", "");
    put_table(text, methods, "deadline", "recall", 1, "Recall by deadline", "&nbsp;ms");
    put_table(text, methods, "deadline", "agreement", 1, "Agreement by deadline", "&nbsp;ms");
}

enum few_status few__report_eval(struct few__text *text, const char *eval_json, struct few_error *err)
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
    else put_page(text, eval, methods);
    json_decref(eval);
    return status;
}
