// SPDX-License-Identifier: Apache-2.0
/* The frame of the page: style sheet, head and foot, and the small pieces that every part uses. Nothing is loaded
 * from elsewhere; colours follow the reader's light or dark setting. */
#include <string.h>

#include "report/report.h"

static const char style_frame[] =
    ":root{--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5c6775;--line:#e1e5ea;--accent:#0b7a75;"
    "--executed:#0b7a75;--predicted:#7a5bd0;--reused:#3b8fd9;--skipped:#c9d0d8;--late:#e39a1b;--failed:#"
    "d0453e;"
    "--c0:#8a95a3;--c1:#d0703e;--c2:#0b7a75;--c3:#7a5bd0;--c4:#3b8fd9;--c5:#b0863a;color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--bg:#12161b;--card:#1b2128;--ink:#e6eaef;--soft:#98a4b3;"
    "--line:#2c343d;--accent:#3cc0b8;--executed:#2aa198;--predicted:#9d84e8;--reused:#5ba7ea;--skipped:#"
    "454f5b;"
    "--late:#e8ab3c;--failed:#e8675f;--c0:#98a4b3;--c1:#e8935f;--c2:#3cc0b8;--c3:#a893ee;--c4:#5ba7ea;"
    "--c5:#d3ab63}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    "main{max-width:1180px;margin:0 auto;padding:24px 16px 64px}"
    "header h1{font-size:26px;line-height:1.2;margin:0;letter-spacing:-.02em;overflow-wrap:anywhere}"
    "header p{margin:6px 0 0;color:var(--soft);overflow-wrap:anywhere}"
    ".brand{color:var(--accent);font-weight:700;letter-spacing:.02em;margin:0 0 4px}"
    "h2{font-size:18px;margin:40px 0 12px;letter-spacing:-.01em}"
    "section>p{color:var(--soft);margin:-6px 0 12px;max-width:75ch}"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-top:20px}"
    ".tile,.panel,.card{background:var(--card);border:1px solid var(--line);border-radius:10px}"
    ".tile{padding:14px 16px}.tile b{display:block;font-size:26px;line-height:1.15;letter-spacing:-.02em;"
    "font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:13px}.tile.hero "
    "b{color:var(--accent)}"
    ".panel{padding:16px;overflow-x:auto}"
    ".spent{display:grid;grid-template-columns:max-content 1fr max-content;gap:8px 12px;align-items:center;"
    "font-variant-numeric:tabular-nums}.spent "
    "i{display:block;height:14px;border-radius:4px;background:var(--skipped);"
    "min-width:2px}.spent i.own{background:var(--accent)}"
    ".bar{display:flex;height:12px;border-radius:4px;overflow:hidden;background:var(--line);min-width:110px}"
    ".bar i{display:block;height:100%}.legend{display:flex;flex-wrap:wrap;gap:4px 16px;margin:10px 0 "
    "0;padding:0;"
    "list-style:none;color:var(--soft);font-size:13px}.legend "
    "i,.dot{display:inline-block;width:10px;height:10px;"
    "border-radius:3px;margin-right:6px}.legend b{color:var(--ink);font-variant-numeric:tabular-nums}";

static const char style_parts[] =
    ".executed{background:var(--executed)}.predicted{background:var(--predicted)}.reused{background:var(--"
    "reused)}"
    ".skipped{background:var(--skipped)}.late{background:var(--late)}.failed{background:var(--failed)}"
    "table{border-collapse:collapse;width:100%;font-size:14px}th{font-weight:600;color:var(--soft);font-size:"
    "12.5px;"
    "text-align:left;white-space:nowrap}td,th{padding:6px 10px;border-bottom:1px solid "
    "var(--line);vertical-align:top}"
    "tr:last-child "
    "td{border-bottom:0}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "td small{color:var(--soft);display:block}td .bar{margin-top:5px}"
    ".chip{display:inline-block;border:1px solid var(--line);border-radius:99px;padding:0 8px;margin:0 4px "
    "4px 0;"
    "font-size:12.5px;white-space:nowrap;max-width:100%;overflow:hidden;text-overflow:ellipsis}"
    ".chip b{font-weight:500;color:var(--soft);font-variant-numeric:tabular-nums;margin-left:4px}"
    ".gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(250px,1fr));gap:14px;align-items:"
    "start}"
    ".card{overflow:hidden}.pic{position:relative;background:var(--line);display:flex;justify-content:center}"
    ".pic .fit{position:relative;height:180px;max-width:100%}"
    ".pic img{display:block;width:100%;height:100%}.pic svg{position:absolute;inset:0;width:100%;height:100%}"
    ".pic rect{fill:none;stroke:#fff;stroke-width:1.6;vector-effect:non-scaling-stroke;"
    "filter:drop-shadow(0 0 1px #000)}.none{height:180px;display:flex;align-items:center;color:var(--soft)}"
    ".card .in{padding:10px 12px 12px}.card h3{font-size:14px;margin:0 0 6px;overflow-wrap:anywhere}"
    ".card .meta{color:var(--soft);font-size:12.5px;margin:8px 0 0;font-variant-numeric:tabular-nums}"
    "details{margin-top:8px;font-size:13px}summary{cursor:pointer;color:var(--accent)}details "
    "table{font-size:12.5px;"
    "margin-top:6px}details td{padding:4px 4px 4px 0;overflow-wrap:anywhere}details "
    "td:first-child{white-space:nowrap;"
    "padding-right:10px}.meta+.bar{margin-top:4px}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:14px}"
    ".charts svg{width:100%;height:auto;display:block}.charts h3{font-size:14px;margin:0 0 8px}"
    ".grid{stroke:var(--line)}.axis{fill:var(--soft);font-size:12px}.curve{fill:none;stroke-width:2.2;"
    "stroke-linejoin:round}.bad{color:var(--failed)}code{font-size:13px;overflow-wrap:anywhere}"
    "footer{color:var(--soft);font-size:13px;margin-top:48px}";

void few__report_head(struct few__text *text, const char *title)
{
    few__text_put(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                        "<link rel=\"icon\" href=\"data:,\">\n<title>");
    few__text_html(text, title);
    few__text_put(text, " - Fewer</title>\n<style>");
    few__text_put(text, style_frame);
    few__text_put(text, style_parts);
    few__text_put(text, "</style>\n</head>\n<body>\n<main>\n");
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

void few__report_foot(struct few__text *text)
{
    few__text_printf(text, "<footer>Made by Fewer %s. Run fewer models, keep the answers.</footer>\n",
                     few_version());
    few__text_put(text, "</main>\n</body>\n</html>\n");
}

void few__report_time(struct few__text *text, double us)
{
    if (us < 1e3) few__text_printf(text, "%.0f&nbsp;us", us);
    else if (us < 1e6) few__text_printf(text, "%.*f&nbsp;ms", us < 1e5 ? 1 : 0, us / 1e3);
    else if (us < 120e6) few__text_printf(text, "%.*f&nbsp;s", us < 1e7 ? 2 : 1, us / 1e6);
    else if (us < 7200e6) few__text_printf(text, "%.0f&nbsp;min", us / 60e6);
    else few__text_printf(text, "%.1f&nbsp;h", us / 3600e6);
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
