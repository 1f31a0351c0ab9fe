// SPDX-License-Identifier: Apache-2.0
/* The HTML report: one page that stands alone. report.c reads the file and puts the page together; the other files each
 * write one part of it. docs/report.md says what is on it. */
#ifndef FEW_REPORT_REPORT_H
#define FEW_REPORT_REPORT_H

#include <fewer/trace.h>

#include "core/text.h"
#include "store/store.h"

enum {
    FEW__REPORT_ITEMS = 48,        // items with a picture
    FEW__REPORT_FAILURES = 50,     // failures listed
    FEW__REPORT_SIDE = 240,        // pixels of a picture's longer side
    FEW__REPORT_TOP = 4,           // labels shown of a model
    FEW__REPORT_LANES = 4,         // items whose lanes are shown
    FEW__REPORT_REASONS = 64,      // different reasons listed; further ones count as others
    FEW__REPORT_SECTIONS = 16,     // of a page
    FEW__REPORT_SERIES = 24,       // of a plot
    FEW__REPORT_STREAMS = 8,       // streams with plots
    FEW__REPORT_STREAM_ROWS = 200, // streams in the table
    FEW__REPORT_BINS = 120,        // parts of a stream's time
    FEW__REPORT_WORDS = 128,       // bytes of a reason without its numbers
};

/* ---- what is counted ---- */

/* What one model did over the whole file. */
struct few__report_model {
    uint64_t counts[FEW_OUTCOME_COUNT];
    double time_us; // of executed and late runs
    double done_us; // of executed runs
    size_t n_ids;
    int32_t *ids;         // (n_ids,) its labels of the catalog, rising
    uint32_t *n_items_of; // (n_ids,) items on which each was valuable
};

struct few__report_reason {
    enum few_outcome outcome;
    const char *words;
    uint64_t n;
    uint64_t *n_of; // (n_models,)
};

/* A sum of measures in [0, 1], and how many they are. */
struct few__report_mean {
    double sum;
    uint64_t n;
};

struct few__quality;
struct few__stream_times;

struct few__report {
    struct few_env env;
    struct few__arena *arena;
    struct few__store *store;
    const struct few_catalog *catalog;
    const char *path; // NULL = an evaluation alone
    bool is_trace;
    int64_t deadline_us;              // of an item, 0 = none
    struct few__report_model *models; // (n_models,)
    int32_t *same_name;               // (n_labels,) the first label of the catalog with the same name
    uint32_t *n_cards;                // (n_labels,) cards that have it, by same_name
    uint32_t *card;                   // (n_labels,) of the last card that had it, from 1
    uint32_t n_drawn;                 // cards
    int64_t n_items, n_timed;         // in the file; those of them whose lanes are known
    uint64_t n_failed, n_missed, n_failures, n_lanes;
    size_t n_reasons;
    struct few__report_reason
        *reasons; // (FEW__REPORT_REASONS + FEW_OUTCOME_COUNT,) the rest: others of each outcome
    struct few__quality *quality;      // NULL = not measured
    struct few__stream_times *streams; // NULL = none
    struct few__record_reader *reader;
    struct few__text gallery, failures, lanes; // written while reading
    struct few__text plots;                    // JSON, for the script
    size_t n_plots, n_sections;
    struct {
        const char *id, *title;
    } sections[FEW__REPORT_SECTIONS];
};

/* One item as a card and a timeline want it. */
struct few__report_item {
    const struct few__item_row *row;
    const struct few__cell *cells;    // (n_models,)
    const struct few_output *outputs; // (n_models,) empty where there is none
};

/* ---- report_page.c: the frame ---- */

void few__report_head(struct few__text *text, const char *title);
void few__report_title(struct few__text *text, const char *path, const char *what); // leaves its <p> open
void few__report_nav(struct few__text *text, const struct few__report *report); // closes the head of the page
/* Begins a section that the navigation names; strings are borrowed. Ends with "</section>". */
void few__report_section(struct few__report *report, struct few__text *text, const char *id,
                         const char *title);
void few__report_foot(struct few__text *text, const struct few__report *report,
                      const struct few__text *labels); // data (labels: few__report_label_data) and script
const char *few__report_last_part(const char *path);   // the file's name, inside path
void few__report_time(struct few__text *text, double us);
void few__report_count(struct few__text *text, uint64_t n);                             // 12,345
void few__report_mean(struct few__text *text, const struct few__report_mean *mean);     // 0.973, or a dash
void few__report_bar(struct few__text *text, const uint64_t counts[FEW_OUTCOME_COUNT]); // stacked

/* ---- report_plot.c: a plot, drawn by the script, with the table of its numbers ---- */

struct few__series {
    const char *name;
    const char *colour;   // name of a variable of the style sheet
    const double *values; // (n,) NaN = none
    bool hidden;          // until its name is clicked
};

struct few__plot {
    const char *title; // NULL = none
    const char *kind;  // "lines" or "stack"
    const char *label; // for those who do not see it
    const char *group; // plots of one move together; "" = alone
    const char *x_name, *y_name;
    const char *x_unit, *y_unit;   // behind a number; x "time": seconds
    double x_range[2], y_range[2]; // both 0 = as the numbers are
    size_t n, n_series;
    const double *x; // (n,) rising
    const struct few__series *series;
    double own[2]; // where this run is; NaN = nowhere
};

void few__report_plot(struct few__report *report, struct few__text *text, const struct few__plot *plot);

/* ---- the parts ---- */

/* report_run.c: what was saved, and what happened. */
void few__report_summary(struct few__text *text, struct few__report *report);

/* report_models.c: what each model did, and why. Errors: FEW_ENOMEM. */
enum few_status few__report_models_init(struct few__report *report, struct few_error *err);
void few__report_count_cells(struct few__report *report, const struct few__cell *cells);
void few__report_count_labels(struct few__report *report, size_t model, const struct few_valuable *found,
                              size_t n);
void few__report_reasons(struct few__text *text, struct few__report *report);
void few__report_models(struct few__text *text, struct few__report *report);

/* report_why.c: a reason without what is of one item alone, its numbers or the item that an answer came from; in words, or
 * borrowed. */
const char *few__report_general(const struct few__cell *cell, char words[FEW__REPORT_WORDS]);
/* What a policy expected against its price, drawn; nothing where the reason has no such numbers. */
void few__report_worth(struct few__text *text, const char *reason);
/* order: (n_models,) out, the models as they were started on the item, then the others by number. Returns how many were
 * started; 0 also where there is no memory. */
size_t few__report_order(const struct few__report *report, const struct few__cell *cells,
                         struct few__arena *arena, size_t *order);

/* report_item.c: one card of the contact sheet, and the labels that it can be filtered by. */
void few__report_card(struct few__report *report, const struct few__report_item *item);
void few__report_label_data(struct few__text *text, const struct few__report *report); // JSON

/* report_picture.c: an <img> with the picture in it, or a box with words where there is none. */
void few__report_picture(struct few__report *report, const struct few__item_row *row);

/* report_lanes.c: where and when the models of an item ran. */
bool few__report_has_lanes(const struct few__report *report, const struct few__cell *cells);
void few__report_lanes(struct few__report *report, const struct few__report_item *item);

/* report_eval.c: curves of few_eval's JSON. own: recall and share of the time of this run, or NULL.
 * Errors: FEW_EPARSE it is none; FEW_ENOMEM. */
enum few_status few__report_eval(struct few__report *report, struct few__text *text, const char *eval_json,
                                 const double *own, struct few_error *err);

/* report_methods.c: tables of few_eval's JSON: of "methods", and of "sources". */
struct json_t;
void few__report_methods(struct few__text *text, const struct json_t *methods);
void few__report_promises(struct few__text *text, const struct json_t *methods);
void few__report_sources(struct few__text *text, const struct json_t *sources);
bool few__report_has_policy(const struct json_t *methods);

/* ---- report_stream.c: recordings and cameras along their time. Reading comes twice: few__streams_scan takes each item without
 * its outputs, few__streams_add takes it with them. ---- */

/* *streams stays NULL where the file has none. Errors: FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__streams_create(struct few__report *report, struct few_error *err);
void few__streams_scan(struct few__stream_times *streams, const struct few__item_row *row);
void few__streams_add(struct few__report *report,
                      const struct few__report_item *item); // no memory: a label less
/* Errors: FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__streams_put(struct few__text *text, struct few__report *report, struct few_error *err);

/* ---- report_quality.c: a run beside a trace that knows what running everything says ---- */

struct few__quality_sums {
    uint64_t n_items, n_known; // of the run; those that the trace knows
    size_t n_models;           // that both have, with the same labels
    struct few__report_mean recall, label_recall, all, given,
        present;             // given: predicted or reused; present: not both empty
    double ran_us, whole_us; // at the trace's times: what ran here, everything
};

/* Errors: those of few__store_open. */
enum few_status few__quality_create(const char *trace, const struct few_catalog *catalog,
                                    const struct few_env *env, struct few__quality **quality,
                                    struct few_error *err);
void few__quality_destroy(struct few__quality *quality);
/* Errors: FEW_EPARSE a damaged output in the trace; FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__quality_add(struct few__quality *quality, const struct few__report_item *item,
                                 struct few__arena *scratch, struct few_error *err);
const struct few__quality_sums *few__quality_sums(const struct few__quality *quality);
const struct few__report_mean *few__quality_of(const struct few__quality *quality,
                                               size_t model);       // its agreement
const char *few__quality_trace(const struct few__quality *quality); // path

#endif
