// SPDX-License-Identifier: Apache-2.0
/* The frame of the page: head and foot, and the small pieces that every part uses. Nothing is loaded from elsewhere, and
 * the page's own policy forbids it: the browser runs the bundled script, known by its digest, and no other. */
#include <string.h>

#include "report/report.h"
#include "report/report_bundle.h"

void few__report_head(struct few__text *text, const char *title)
{
    few__text_put(text,
                  "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
                  "style-src 'unsafe-inline'; script-src '");
    few__text_put(text, few__report_script_digest);
    few__text_put(text, "'\">\n<link rel=\"icon\" href=\"data:,\">\n<title>");
    few__text_html(text, title);
    few__text_put(text, " - Fewer</title>\n<style>");
    few__text_add(text, (const char *)few__report_style, few__report_style_bytes);
    few__text_put(text, "</style>\n</head>\n<body>\n");
}

const char *few__report_last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

void few__report_title(struct few__text *text, const char *path, const char *what)
{
    few__text_put(text, "<header><p class=\"brand\">Fewer</p><h1 title=\"");
    few__text_html(text, path);
    few__text_put(text, "\">");
    few__text_html(text, few__report_last_part(path));
    few__text_printf(text, "</h1><p>%s", what);
}

void few__report_section(struct few__report *report, struct few__text *text, const char *id,
                         const char *title)
{
    if (report->n_sections < FEW__REPORT_SECTIONS) {
        report->sections[report->n_sections].id = id;
        report->sections[report->n_sections++].title = title;
    }
    few__text_printf(text, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
}

void few__report_nav(struct few__text *text, const struct few__report *report)
{
    few__text_put(text, "<nav aria-label=\"Sections\"><ul>");
    for (size_t i = 0; i < report->n_sections; i++)
        few__text_printf(text, "<li><a href=\"#%s\">%s</a></li>", report->sections[i].id,
                         report->sections[i].title);
    few__text_put(text, "</ul></nav>\n<main>\n");
}

// In a script element only "<" could end it; JSON has it in strings alone.
static void put_data(struct few__text *text, const char *json)
{
    for (const char *p = json; *p;) {
        size_t n = strcspn(p, "<");
        few__text_add(text, p, n);
        p += n;
        if (*p == '<') {
            few__text_put(text, "\\u003c");
            p++;
        }
    }
}

void few__report_foot(struct few__text *text, const struct few__report *report)
{
    few__text_printf(text,
                     "<footer>Made by Fewer %s. Run fewer models, keep the answers.</footer>\n</main>\n",
                     few_version());
    struct few__text labels;
    few__text_init(&labels, report->env.mem, text->max);
    few__report_label_data(&labels, report);
    few__text_put(text, "<script type=\"application/json\" id=\"data\">{\"plots\":[");
    put_data(text, report->plots.s ? report->plots.s : "");
    few__text_put(text, "],\"labels\":[");
    put_data(text, labels.s ? labels.s : "");
    few__text_put(text, "]}</script>\n<script>");
    if (!few__text_ok(&labels)) text->failed = true;
    few__text_finish(&labels);
    few__text_add(text, (const char *)few__report_script, few__report_script_bytes);
    few__text_put(text, "</script>\n</body>\n</html>\n");
}

void few__report_time(struct few__text *text, double us)
{
    if (us < 1e3) few__text_printf(text, "%.0f&nbsp;us", us);
    else if (us < 1e6) few__text_printf(text, "%.*f&nbsp;ms", us < 1e5 ? 1 : 0, us / 1e3);
    else if (us < 120e6) few__text_printf(text, "%.*f&nbsp;s", us < 1e7 ? 2 : 1, us / 1e6);
    else if (us < 7200e6) few__text_printf(text, "%.0f&nbsp;min", us / 60e6);
    else few__text_printf(text, "%.1f&nbsp;h", us / 3600e6);
}

void few__report_count(struct few__text *text, uint64_t n)
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < n_digits; i++) {
        if (n_digits > 4 && i > 0 && (n_digits - i) % 3 == 0) few__text_put(text, ",");
        few__text_add(text, &digits[i], 1);
    }
}

void few__report_mean(struct few__text *text, const struct few__report_mean *mean)
{
    if (mean->n) few__text_printf(text, "%.3f", mean->sum / (double)mean->n);
    else few__text_put(text, "-");
}

void few__report_bar(struct few__text *text, const uint64_t counts[FEW_OUTCOME_COUNT])
{
    uint64_t total = 0;
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) total += counts[i];
    few__text_put(text, "<div class=\"bar\">");
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) {
        if (counts[i] == 0) continue;
        const char *name = few_outcome_name((enum few_outcome)i);
        few__text_printf(text, "<i class=\"%s\" style=\"width:%.2f%%\" title=\"%s %llu\"></i>", name,
                         100 * (double)counts[i] / (double)total, name, (unsigned long long)counts[i]);
    }
    few__text_put(text, "</div>");
}
