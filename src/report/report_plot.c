// SPDX-License-Identifier: Apache-2.0
/* A plot stands twice on the page: as JSON for the script, which draws it, and as a table, which is what is left without a
 * script and what can be copied. */
#include <math.h>

#include "report/report.h"

enum { DIGITS = 5 };

/* ---- for the script ---- */

static void put_text(struct few__text *json, const char *key, const char *value)
{
    few__text_printf(json, "\"%s\":", key);
    few__text_json(json, value ? value : "");
}

static void put_numbers(struct few__text *json, const char *key, const double *values, size_t n)
{
    few__text_printf(json, "\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        if (i) few__text_put(json, ",");
        few__text_double(json, values[i], DIGITS);
    }
    few__text_put(json, "]");
}

static void put_axis(struct few__text *json, const char *key, const char *name, const char *unit,
                     const double range[2])
{
    few__text_printf(json, "\"%s\":{", key);
    put_text(json, "name", name);
    few__text_put(json, ",");
    put_text(json, "unit", unit);
    if (range[0] < range[1]) {
        few__text_put(json, ",");
        put_numbers(json, "range", range, 2);
    }
}

static void put_json(struct few__text *json, const struct few__plot *plot)
{
    few__text_put(json, "{");
    put_text(json, "kind", plot->kind);
    few__text_put(json, ",");
    put_text(json, "label", plot->label);
    few__text_put(json, ",");
    put_text(json, "group", plot->group);
    few__text_put(json, ",");
    put_axis(json, "x", plot->x_name, plot->x_unit, plot->x_range);
    few__text_put(json, ",");
    put_numbers(json, "values", plot->x, plot->n);
    few__text_put(json, "},");
    put_axis(json, "y", plot->y_name, plot->y_unit, plot->y_range);
    few__text_put(json, "},\"series\":[");
    for (size_t s = 0; s < plot->n_series; s++) {
        few__text_put(json, s ? ",{" : "{");
        put_text(json, "name", plot->series[s].name);
        few__text_put(json, ",");
        put_text(json, "colour", plot->series[s].colour);
        few__text_put(json, ",");
        put_numbers(json, "values", plot->series[s].values, plot->n);
        few__text_put(json, plot->series[s].hidden ? ",\"hidden\":true}" : "}");
    }
    few__text_put(json, "]");
    if (isfinite(plot->own[0]) && isfinite(plot->own[1]))
        few__text_printf(json, ",\"own\":{\"x\":%.5g,\"y\":%.5g}", plot->own[0], plot->own[1]);
    few__text_put(json, "}");
}

/* ---- for everybody ---- */

static void put_place(struct few__text *text, const struct few__plot *plot, double x)
{
    long tenths = lround(x * 10);
    if (plot->x_unit[0] == 't')
        few__text_printf(text, "%ld:%02ld.%ld", tenths / 600, tenths / 10 % 60, tenths % 10);
    else few__text_printf(text, "%g%s", x, plot->x_unit);
}

static void put_table(struct few__text *text, const struct few__plot *plot)
{
    few__text_put(
        text,
        "<details class=\"numbers\"><summary>Numbers</summary><div class=\"wide\"><table><thead><tr><th>");
    few__text_html(text, plot->x_name);
    few__text_put(text, "</th>");
    for (size_t s = 0; s < plot->n_series; s++) {
        few__text_put(text, "<th class=\"n\">");
        few__text_html(text, plot->series[s].name);
        few__text_put(text, "</th>");
    }
    few__text_put(text, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < plot->n; i++) {
        few__text_put(text, "<tr><td>");
        put_place(text, plot, plot->x[i]);
        few__text_put(text, "</td>");
        for (size_t s = 0; s < plot->n_series; s++) {
            double value = plot->series[s].values[i];
            few__text_put(text, "<td class=\"n\">");
            if (isfinite(value)) few__text_printf(text, "%.3g%s", value, plot->y_unit);
            few__text_put(text, "</td>");
        }
        few__text_put(text, "</tr>\n");
    }
    few__text_put(text, "</tbody></table></div></details>");
}

void few__report_plot(struct few__report *report, struct few__text *text, const struct few__plot *plot)
{
    if (report->n_plots) few__text_put(&report->plots, ",\n");
    put_json(&report->plots, plot);
    few__text_printf(text, "<figure class=\"panel plot\" data-plot=\"%zu\">", report->n_plots++);
    if (plot->title) {
        few__text_put(text, "<figcaption>");
        few__text_html(text, plot->title);
        few__text_put(text, "</figcaption>");
    }
    few__text_put(text, "<div class=\"draw\"></div>");
    put_table(text, plot);
    few__text_put(text, "</figure>\n");
}
