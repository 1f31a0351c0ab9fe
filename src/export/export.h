// SPDX-License-Identifier: Apache-2.0
/* What the forms of an export share: the file, item by item with what every model said, and the text that is written.
 * export.c walks; each form has a file of its own. docs/export.md says what each of them holds and why. */
#ifndef FEW_EXPORT_EXPORT_H
#define FEW_EXPORT_EXPORT_H

#include <stdio.h>

#include <fewer/model.h>

#include "core/mem.h"
#include "core/text.h"
#include "store/store.h"

enum { FEW__EXPORT_FLUSH = 64 << 10 }; // bytes that are held back before writing

struct few__export_stream {
    const char *path;
    bool is_live;
};

struct few__export {
    const char *path;
    FILE *out; // NULL: text goes elsewhere
    struct few__store *store;
    const struct few_catalog *catalog;
    size_t n_streams;
    const struct few__export_stream *streams; // (n_streams,)
    struct few__cell *cells;                  // (n_models,) of the item
    const struct few_output **outputs;        // (n_models,) of the item, NULL where there is none
    struct few__arena arena, scratch;         // as long as the export; as long as an item
    struct few__text text, field;             // what is to be written; for pieces of it
    uint64_t n_rows;                          // of the array that is being written
    void *form;                               // of the form that is being written
};

/* Called for each item, in order; ex->cells and ex->outputs are its. */
typedef enum few_status few__export_fn(struct few__export *ex, const struct few__item_row *item,
                                       struct few_error *err);

/* Open the file. few__export_close also after a failure. Errors: those of few_export. */
enum few_status few__export_open(struct few__export *ex, const char *path, FILE *out, struct few_error *err);
void few__export_close(struct few__export *ex);

enum few_status few__export_each(struct few__export *ex, few__export_fn *fn, struct few_error *err);

/* Whether model m looked at the item, or its need did and found nothing for it. What is skipped because the item has no picture,
 * sound or text for it has an empty output too, but says nothing. */
bool few__export_answered(const struct few__export *ex, size_t m);

/* Write the text, if it has `at` bytes or more. Errors: FEW_EIO; FEW_ENOMEM, also of what was put before. */
enum few_status few__export_flush(struct few__export *ex, size_t at, struct few_error *err);

/* The name of one of the model's labels; without a list it is the model's own. */
const char *few__export_label(const struct few_model *model, int32_t label);

/* Whether it says something: above the model's threshold, and not a null label. */
bool few__export_counts(const struct few_model *model, int32_t label, float confidence);

/* The boxes of an output, whatever their confidence, those without a place left out; 0 for NULL and for other kinds.
 * boxes  out, in the scratch arena or the output's own. Errors: FEW_ENOMEM. */
bool few__export_gives_boxes(const struct few_model *model);
enum few_status few__export_boxes(struct few__export *ex, const struct few_output *output,
                                  const struct few_detection **boxes, size_t *n, struct few_error *err);

/* The part of a box that is inside the picture: x, y, width, height as shares. False: nothing of it is. */
bool few__export_clip(const float box[4], double inside[4]);

/* The words of a sequence, its tokens' names in a row. False where there is none, or no alphabet. */
bool few__export_words(struct few__text *text, const struct few_model *model,
                       const struct few_output *output);

/* A picture's size is known, and it was read. */
bool few__export_has_pixels(const struct few__item_row *item);

/* Seconds, as short as they are exact. */
void few__export_seconds(struct few__text *text, int64_t us);

/* Classes: the labels that models of some kinds can give, null labels left out, each with a name of its own: where two label
 * spaces have the same name, "space/name". */
struct few__export_classes {
    size_t n;
    const char **names;     // (n,)
    const int32_t *numbers; // (n_labels of the catalog,) of each label, -1 = it is none of them
};

/* All in the arena of ex. Errors: FEW_ENOMEM. */
enum few_status few__export_classes(struct few__export *ex, bool (*gives)(const struct few_model *model),
                                    struct few__export_classes *classes, struct few_error *err);

/* The class of one of the model's labels, -1 = none. */
int32_t few__export_class(const struct few__export_classes *classes, const struct few_model *model,
                          int32_t label);

/* A JSON array of their names. */
enum few_status few__export_put_classes(struct few__export *ex, const struct few__export_classes *classes,
                                        struct few_error *err);

/* The forms. Errors: those of few_export. */
enum few_status few__export_jsonl(struct few__export *ex, struct few_error *err);
enum few_status few__export_csv(struct few__export *ex, struct few_error *err);
enum few_status few__export_coco(struct few__export *ex, struct few_error *err);
enum few_status few__export_coco_results(struct few__export *ex, struct few_error *err);
enum few_status few__export_label_studio(struct few__export *ex, struct few_error *err);
enum few_status few__export_label_studio_config(struct few__export *ex, struct few_error *err);
enum few_status few__export_fiftyone(struct few__export *ex, struct few_error *err);
enum few_status few__export_fiftyone_classes(struct few__export *ex, struct few_error *err);
enum few_status few__export_fiftyone_temporal(struct few__export *ex, struct few_error *err);

#endif
