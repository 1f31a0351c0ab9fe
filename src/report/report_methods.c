// SPDX-License-Identifier: Apache-2.0
/* Tables of an evaluation: what each method takes and how sure that is, what a policy promised and what it gave, and the same by
 * source. What few_eval's JSON does not have is not there. */
#include <jansson.h>
#include <string.h>

#include "report/report.h"
#include "report/report_json.h"

static const char *const told[] = {"0.8", "0.9", "0.95"}; // recalls; a page for people has few columns
enum { N_TOLD = sizeof told / sizeof *told };

static void put_head(struct few__text *text, const char *first, const char *const *columns, size_t n)
{
    few__text_printf(text, "<div class=\"panel wide\"><table><thead><tr><th>%s</th>", first);
    for (size_t i = 0; i < n; i++) few__text_printf(text, "<th class=\"n\">%s</th>", columns[i]);
    few__text_put(text, "</tr></thead><tbody>\n");
}

static void put_row(struct few__text *text, const char *name)
{
    few__text_put(text, "<tr><th>");
    few__text_html(text, name);
    few__text_put(text, "</th>");
}

static void put_foot(struct few__text *text)
{
    few__text_put(text, "</tbody></table></div>\n");
}

// "12.3 %" with its interval, and how much that is of static.
static void put_time(struct few__text *text, const json_t *point)
{
    few__text_put(text, "<td class=\"n\">");
    if (point) {
        few__text_printf(text, "%.1f&thinsp;%%", 100 * few__json_number(point, "time_ratio"));
        if (json_object_get(point, "low"))
            few__text_printf(text, "<small>%.1f to %.1f</small>", 100 * few__json_number(point, "low"),
                             100 * few__json_number(point, "high"));
    }
    few__text_put(text, "</td><td class=\"n\">");
    const json_t *against = json_object_get(point, "against_static");
    if (against)
        few__text_printf(text, "%.0f&thinsp;%%<small>%.1f to %.1f</small>",
                         100 * few__json_number(against, "time_ratio"),
                         100 * few__json_number(against, "low"), 100 * few__json_number(against, "high"));
    few__text_put(text, "</td>");
}

bool few__report_has_policy(const json_t *methods)
{
    const char *name;
    json_t *method;
    json_object_foreach((json_t *)methods, name, method) if (json_object_get(method, "promise")) return true;
    return false;
}

static bool has_told(const json_t *methods, const char *group)
{
    const char *name;
    json_t *method;
    json_object_foreach(
        (json_t *)methods, name,
        method) for (size_t i = 0; i < N_TOLD;
                     i++) if (json_object_get(json_object_get(method, group), told[i])) return true;
    return false;
}

static void put_stops(struct few__text *text, const json_t *methods, const char *group, const char *words)
{
    static const char *const columns[] = {"recall 0.8", "of static",   "recall 0.9",
                                          "of static",  "recall 0.95", "of static"};
    const char *name;
    json_t *method;
    if (!has_told(methods, group)) return;
    few__text_printf(text, "<p>%s</p>\n", words);
    put_head(text, "method", columns, 2 * N_TOLD);
    json_object_foreach((json_t *)methods, name, method)
    {
        const json_t *points = json_object_get(method, group);
        if (!points) continue;
        put_row(text, name);
        for (size_t i = 0; i < N_TOLD; i++) put_time(text, json_object_get(points, told[i]));
        few__text_put(text, "</tr>\n");
    }
    put_foot(text);
}

/* ---- promises ---- */

static void put_promise(struct few__text *text, const char *name, const char *wanted, const json_t *point)
{
    double low = few__json_number(point, "recall_low"), high = few__json_number(point, "recall_high");
    put_row(text, name);
    few__text_printf(text, "<td class=\"n\">%s</td><td class=\"n%s\">%.3f<small>%.3f to %.3f</small></td>",
                     wanted, high < few__json_number(json_object_get(point, "promised"), "low") ? " bad" : "",
                     few__json_number(point, "recall"), low, high);
    few__text_printf(text, "<td class=\"n\">%.1f&thinsp;%%<small>%.1f to %.1f</small></td>",
                     100 * few__json_number(point, "time_ratio"), 100 * few__json_number(point, "low"),
                     100 * few__json_number(point, "high"));
    few__text_printf(text, "<td class=\"n\">%.1f</td></tr>\n", few__json_number(point, "models"));
}

void few__report_promises(struct few__text *text, const json_t *methods)
{
    static const char *const columns[] = {"wanted recall", "got", "time", "models"};
    const char *name, *key;
    json_t *method, *point;
    few__text_put(
        text,
        "<p>A policy has one price for each recall that it promises, found on items that the method was not "
        "fitted on. What became of it on the test items:</p>\n");
    put_head(text, "method", columns, 4);
    json_object_foreach((json_t *)methods, name, method)
        json_object_foreach(json_object_get(method, "promise"), key, point)
            put_promise(text, name, key, point);
    put_foot(text);
}

/* ---- methods ---- */

void few__report_methods(struct few__text *text, const json_t *methods)
{
    put_stops(text, methods, "stop",
              "Time at a mean recall when each method decides by itself when to stop, as a share of running "
              "everything, "
              "and of the time of static; small: 95% intervals.");
    put_stops(text, methods, "recall",
              "The same when the truth tells each item to stop, which compares the orders alone.");
}

/* ---- sources ---- */

// A row a source, a column a method: the time of its own stop.
static void put_source_rows(struct few__text *text, const json_t *sources, const char *group, const char *key,
                            const char *measure, double factor, const char *title)
{
    const char *source, *name;
    json_t *at, *method;
    json_t *first = json_object_iter_value(json_object_iter((json_t *)sources));
    few__text_printf(text,
                     "<details class=\"panel\"><summary>%s %s</summary><div "
                     "class=\"wide\"><table><thead><tr><th>source</th>"
                     "<th class=\"n\">items</th>",
                     title, key);
    json_object_foreach(json_object_get(first, "methods"), name, method)
    {
        if (!few__json_at(method, group, key)) continue;
        few__text_put(text, "<th class=\"n\">");
        few__text_html(text, name);
        few__text_put(text, "</th>");
    }
    few__text_put(text, "</tr></thead><tbody>\n");
    json_object_foreach((json_t *)sources, source, at)
    {
        put_row(text, source);
        few__text_printf(text, "<td class=\"n\">%.0f</td>", few__json_number(at, "test_items"));
        json_object_foreach(json_object_get(at, "methods"), name, method)
        {
            const json_t *point = few__json_at(method, group, key);
            if (point)
                few__text_printf(text, "<td class=\"n\">%.3g</td>",
                                 factor * few__json_number(point, measure));
        }
        few__text_put(text, "</tr>\n");
    }
    few__text_put(text, "</tbody></table></div></details>\n");
}

static bool is_known(const json_t *sources, const char *group, const char *key)
{
    const char *name;
    json_t *method;
    json_t *first = json_object_iter_value(json_object_iter((json_t *)sources));
    json_object_foreach(json_object_get(first, "methods"), name,
                        method) if (few__json_at(method, group, key)) return true;
    return false;
}

void few__report_sources(struct few__text *text, const json_t *sources)
{
    for (size_t i = 0; i < N_TOLD; i++)
        if (is_known(sources, "stop", told[i]))
            put_source_rows(text, sources, "stop", told[i], "time_ratio", 100,
                            "Time when it decides by itself, % of running everything, at mean recall");
    for (size_t i = 0; i < N_TOLD; i++)
        if (is_known(sources, "promise", told[i]))
            put_source_rows(text, sources, "promise", told[i], "recall", 1,
                            "Recall that it got where it promised");
}
