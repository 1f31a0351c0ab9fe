// SPDX-License-Identifier: Apache-2.0
/* One card of the gallery: the picture with boxes on it, the labels found, and what happened to every model. */
#include <stdlib.h>
#include <string.h>

#include "model/agreement.h"
#include "model/output.h"
#include "report/report.h"

enum { CHIPS_MAX = 6, BOXES_MAX = 24, NAMES_MAX = 4, TOKENS_SHOWN = 60 };
static const double same_box = 0.5; // boxes that overlap more are drawn once

/* ---- boxes ---- */

struct box {
    int32_t label; // of the catalog, the first with its name
    float box[4];
};

// label: by same_name.
static bool is_drawn(const struct box *boxes, size_t n, const struct box *box)
{
    for (size_t i = 0; i < n; i++)
        if (boxes[i].label == box->label && few__iou(boxes[i].box, box->box) > same_box) return true;
    return false;
}

static void draw_box(struct few__text *text, const struct few__report *report, const struct box *box)
{
    const char *name = report->catalog->labels[box->label].name;
    few__text_printf(text,
                     "<i class=\"box\" data-label=\"%d\" "
                     "style=\"left:%.2f%%;top:%.2f%%;width:%.2f%%;height:%.2f%%\" title=\"",
                     (int)box->label, 100 * (double)box->box[0], 100 * (double)box->box[1],
                     100 * (double)box->box[2], 100 * (double)box->box[3]);
    few__text_html(text, name);
    few__text_put(text, "\"><b>");
    few__text_html(text, name);
    few__text_put(text, "</b></i>");
}

static void put_boxes(struct few__report *report, const struct few__report_item *item)
{
    struct box boxes[BOXES_MAX];
    size_t n = 0;
    for (size_t m = 0; m < report->catalog->n_models; m++) {
        const struct few_model *model = &report->catalog->models[m];
        const struct few_output *output = &item->outputs[m];
        if (!item->cells[m].output || model->kind != FEW_DETECTIONS) continue;
        for (size_t i = 0; i < output->n && n < BOXES_MAX; i++) {
            const struct few_detection *d = &output->detections[i];
            if (d->confidence <= model->threshold || (model->is_null && model->is_null[d->label])) continue;
            int32_t label = model->label_ids ? model->label_ids[d->label] : model->own_label;
            struct box box = {.label = report->same_name[label]};
            memcpy(box.box, d->box, sizeof box.box);
            if (box.box[2] <= 0 || box.box[3] <= 0) continue; // imported without a place
            if (is_drawn(boxes, n, &box)) continue;
            boxes[n++] = box;
            draw_box(&report->gallery, report, &box);
        }
    }
}

static void put_picture(struct few__report *report, const struct few__report_item *item)
{
    struct few__text *text = &report->gallery;
    const struct few__item_row *row = item->row;
    few__text_put(text, "<div class=\"pic\"><div class=\"fit\"");
    if (row->width > 0 && row->height > 0)
        few__text_printf(text, " style=\"aspect-ratio:%d/%d\"", row->width, row->height);
    few__text_put(text, ">");
    few__report_picture(report, row);
    put_boxes(report, item);
    few__text_put(text, "</div></div>");
}

/* ---- labels ---- */

static int by_confidence(const void *a, const void *b)
{
    const struct few_valuable *x = a, *y = b;
    if (x->confidence != y->confidence) return x->confidence > y->confidence ? -1 : 1;
    return x->label < y->label ? -1 : x->label > y->label;
}

static void put_chip(struct few__text *text, const struct few_catalog *catalog,
                     const struct few_valuable *found)
{
    few__text_printf(text, "<span class=\"chip\" data-label=\"%d\">", (int)found->label);
    few__text_html(text, catalog->labels[found->label].name);
    few__text_printf(text, "<b>%.2f</b></span>", (double)found->confidence);
}

// A number's own label, or a vector's, tells nothing but that it is there.
static bool says_labels(const struct few_model *model, const struct few__cell *cell)
{
    return cell->output && model->kind != FEW_SCALAR && model->kind != FEW_VECTOR;
}

/* Every valuable label of the item once, by falling confidence, the highest that a model gave it. Spaces that call something
 * alike are one here. Returns how many; *out in the arena. */
static size_t find_labels(struct few__report *report, const struct few__report_item *item,
                          struct few__arena *arena, struct few_valuable **out)
{
    size_t n = 0, most = 0, n_kept = 0;
    const struct few_model *models = report->catalog->models;
    for (size_t m = 0; m < report->catalog->n_models; m++)
        if (says_labels(&models[m], &item->cells[m])) most += few__valuable_max(&models[m]);
    struct few_valuable *found = *out = FEW__ARENA_NEW(arena, struct few_valuable, most);
    if (!found) return 0;
    for (size_t m = 0; m < report->catalog->n_models; m++)
        if (says_labels(&models[m], &item->cells[m]))
            n += few__valuable(&models[m], &item->outputs[m], found + n, most - n);
    for (size_t i = 0; i < n; i++) found[i].label = report->same_name[found[i].label];
    qsort(found, n, sizeof *found, by_confidence);
    report->n_drawn++;
    for (size_t i = 0; i < n; i++) {
        if (report->card[found[i].label] == report->n_drawn) continue;
        report->card[found[i].label] = report->n_drawn;
        report->n_cards[found[i].label]++;
        found[n_kept++] = found[i];
    }
    return n_kept;
}

static void put_labels(struct few__report *report, const struct few_valuable *found, size_t n)
{
    for (size_t i = 0; i < n && i < CHIPS_MAX; i++) put_chip(&report->gallery, report->catalog, &found[i]);
    if (n > CHIPS_MAX)
        few__text_printf(&report->gallery, "<span class=\"more\">and %zu more</span>", n - CHIPS_MAX);
    if (n == 0) few__text_put(&report->gallery, "<span class=\"more\">no label</span>");
}

void few__report_label_data(struct few__text *text, const struct few__report *report)
{
    for (uint32_t n = report->n_drawn, first = 1; n > 0; n--) // the most frequent first, ties by the lowest
        for (size_t i = 0; report->n_cards && i < report->catalog->n_labels; i++) {
            if (report->n_cards[i] != n) continue;
            few__text_printf(text, "%s{\"id\":%zu,\"items\":%u,\"name\":", first ? "" : ",", i, (unsigned)n);
            few__text_json(text, report->catalog->labels[i].name);
            few__text_put(text, "}");
            first = 0;
        }
}

/* ---- models ---- */

static void put_detections(struct few__text *text, const struct few_model *model,
                           const struct few_output *output)
{
    size_t n = 0;
    for (size_t i = 0; i < output->n; i++) {
        const struct few_detection *d = &output->detections[i];
        if (d->confidence <= model->threshold || n++ >= NAMES_MAX) continue;
        if (n > 1) few__text_put(text, ", ");
        if (model->n_labels) few__text_html(text, model->labels[d->label]);
        few__text_printf(text, " %.2f", (double)d->confidence);
    }
    if (n > NAMES_MAX) few__text_printf(text, " and %zu more", n - NAMES_MAX);
    if (n == 0) few__text_printf(text, "none above %g", (double)model->threshold);
}

static void put_confident(struct few__text *text, const struct few_model *model,
                          const struct few_output *output)
{
    size_t n = 0;
    for (size_t i = 0; i < output->n && n < NAMES_MAX; i++) {
        if (output->values[i] <= model->threshold) continue;
        if (n++) few__text_put(text, ", ");
        if (i < model->n_labels) few__text_html(text, model->labels[i]);
        few__text_printf(text, " %.2f", (double)output->values[i]);
    }
    if (n == 0) few__text_printf(text, "none above %g", (double)model->threshold);
}

static void put_output(struct few__text *text, const struct few_model *model, const struct few_output *output)
{
    int top;
    if (output->empty) {
        few__text_put(text, "nothing");
        return;
    }
    switch (model->kind) {
    case FEW_CLASSES:
        top = few__top(output);
        if (top < 0) return;
        if ((size_t)top < model->n_labels) few__text_html(text, model->labels[top]);
        few__text_printf(text, " %.2f", (double)output->values[top]);
        return;
    case FEW_LABELS: put_confident(text, model, output); return;
    case FEW_DETECTIONS: put_detections(text, model, output); return;
    case FEW_BOX: few__text_printf(text, "box, %.2f", (double)output->confidence); return;
    case FEW_SCALAR: few__text_printf(text, "%.3g", output->n ? (double)output->values[0] : 0.0); return;
    case FEW_SEQUENCE:
        for (size_t i = 0; i < output->n && i < TOKENS_SHOWN; i++)
            if ((size_t)output->tokens[i] < model->n_labels)
                few__text_html(text, model->labels[output->tokens[i]]);
        return;
    case FEW_VECTOR: few__text_printf(text, "%zu numbers", output->n); return;
    case FEW_KIND_COUNT: break;
    }
}

// place: in the order of execution, from 1; 0 = was not started. What it said, then why it was asked.
static void put_model_row(struct few__text *text, const struct few_model *model, const struct few__cell *cell,
                          const struct few_output *output, size_t place)
{
    const char *outcome = few_outcome_name(cell->outcome);
    few__text_put(text, "<tr><td class=\"n\">");
    if (place) few__text_printf(text, "%zu", place);
    few__text_printf(text, "</td><td><i class=\"dot %s\" title=\"%s\"></i>", outcome, outcome);
    few__text_html(text, model->name);
    bool told = cell->output && (cell->outcome == FEW_REUSED || cell->outcome == FEW_EXECUTED);
    if (told) few__text_put(text, "<span class=\"said\">");
    if (told) put_output(text, model, output);
    few__text_put(text, told ? "</span><small>" : "<small>");
    few__text_html(text, *cell->reason ? cell->reason : outcome);
    few__text_put(text, "</small>");
    few__report_worth(text, cell->reason);
    few__text_put(text, "</td><td class=\"n\">");
    if (cell->time_us > 0) few__report_time(text, (double)cell->time_us);
    few__text_put(text, "</td></tr>\n");
}

// In the order in which they were started, then those that were not.
static void put_models(struct few__report *report, const struct few__report_item *item,
                       struct few__arena *arena)
{
    struct few__text *text = &report->gallery;
    size_t n = report->catalog->n_models, *order = FEW__ARENA_NEW(arena, size_t, n);
    if (!order) return;
    size_t n_started = few__report_order(report, item->cells, arena, order);
    few__text_put(text, "<details><summary>every model, and why</summary><div class=\"wide\"><table>\n");
    for (size_t i = 0; i < n; i++) {
        size_t m = order[i];
        put_model_row(text, &report->catalog->models[m], &item->cells[m], &item->outputs[m],
                      i < n_started ? i + 1 : 0);
    }
    few__text_put(text, "</table></div></details>");
}

void few__report_card(struct few__report *report, const struct few__report_item *item)
{
    struct few__text *text = &report->gallery;
    const struct few__item_row *row = item->row;
    uint64_t counts[FEW_OUTCOME_COUNT] = {0};
    double spent_us = 0;
    for (size_t m = 0; m < report->catalog->n_models; m++) {
        counts[item->cells[m].outcome]++;
        spent_us += (double)item->cells[m].time_us;
    }
    struct few__arena arena;
    struct few_valuable *found;
    few__arena_init(&arena, report->env.mem, (size_t)64 << 20);
    size_t n = find_labels(report, item, &arena, &found);
    few__text_put(text, "<article class=\"card\" data-labels=\"");
    for (size_t i = 0; i < n; i++) few__text_printf(text, i ? " %d" : "%d", (int)found[i].label);
    few__text_put(text, "\">");
    put_picture(report, item);
    few__text_put(text, "<div class=\"in\"><h3 title=\"");
    few__text_html(text, row->path);
    few__text_put(text, "\">");
    few__text_html(text, few__report_last_part(row->path));
    few__text_put(text, "</h3>");
    if (row->status == FEW_OK) {
        put_labels(report, found, n);
    } else {
        few__text_put(text, "<span class=\"bad\">");
        few__text_html(text, row->message);
        few__text_put(text, "</span>");
    }
    few__text_printf(text, "<p class=\"meta\">%llu of %zu models, ", (unsigned long long)counts[FEW_EXECUTED],
                     report->catalog->n_models);
    few__report_time(text, spent_us);
    few__text_put(text, row->deadline_missed ? ", <span class=\"bad\">deadline missed</span></p>" : "</p>");
    few__report_bar(text, counts);
    put_models(report, item, &arena);
    few__arena_finish(&arena);
    few__text_put(text, "</div></article>\n");
}
