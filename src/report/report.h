// SPDX-License-Identifier: Apache-2.0
/* The HTML report: one page that stands alone. report.c reads the file once and puts the page together; the other
 * files each write one part of it. docs/report.md says what is on it. */
#ifndef FEW_REPORT_REPORT_H
#define FEW_REPORT_REPORT_H

#include "core/text.h"
#include "store/store.h"

enum {
    FEW__REPORT_ITEMS = 24,    // items with a picture
    FEW__REPORT_FAILURES = 50, // failures listed
    FEW__REPORT_SIDE = 240,    // pixels of a picture's longer side
    FEW__REPORT_TOP = 4,       // labels shown of a model
};

/* What one model did over the whole file. */
struct few__report_model {
    uint64_t counts[FEW_OUTCOME_COUNT];
    double time_us; // of executed and late runs
    double done_us; // of executed runs
    size_t n_ids;
    int32_t *ids;         // (n_ids,) its labels of the catalog, rising
    uint32_t *n_items_of; // (n_ids,) items on which each was valuable
};

struct few__report {
    struct few_env env;
    struct few__arena *arena;
    struct few__store *store;
    const struct few_catalog *catalog;
    const char *path;
    struct few__report_model *models; // (n_models,)
    int64_t n_items;                  // in the file
    uint64_t n_failed, n_missed, n_failures;
    struct few__text gallery, failures; // written while reading
    struct few__image_decoder *decoder;
};

/* One item as the gallery wants it. */
struct few__report_item {
    const struct few__item_row *row;
    const struct few__cell *cells;    // (n_models,)
    const struct few_output *outputs; // (n_models,) of the cells that have one
};

/* report_page.c: the frame. */
void few__report_head(struct few__text *text, const char *title);
void few__report_title(struct few__text *text, const char *path, const char *what); // leaves its <p> open
void few__report_foot(struct few__text *text);
const char *few__report_last_part(const char *path); // the file's name, inside path
void few__report_time(struct few__text *text, double us);
void few__report_bar(struct few__text *text, const uint64_t counts[FEW_OUTCOME_COUNT]); // stacked

/* report_run.c: what ran and what it saved. */
void few__report_summary(struct few__text *text, const struct few__report *report);
void few__report_models(struct few__text *text, const struct few__report *report);

/* report_item.c: one card of the gallery. */
void few__report_card(struct few__report *report, const struct few__report_item *item);

/* report_picture.c: an <img> with the picture in it, or a box with words where there is none. */
void few__report_picture(struct few__report *report, const struct few__item_row *row);

/* report_eval.c: tables and curves of few_eval's JSON. Errors: FEW_EPARSE it is none. */
enum few_status few__report_eval(struct few__text *text, const char *eval_json, struct few_error *err);

#endif
