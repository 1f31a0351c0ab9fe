// SPDX-License-Identifier: Apache-2.0
/* Export as COCO has it, with every box whatever its score: the data set (images, categories, annotations), and the results
 * alone, which refer to the numbers of the data set. */
#include "export/export.h"

#include <inttypes.h>

#include <fewer/version.h>

#include "core/error.h"

// The category is the label of the catalog, whichever model says it, counted from 1.
static int32_t category_of(const struct few_model *model, int32_t label)
{
    return (model->label_ids ? model->label_ids[label] : model->own_label) + 1;
}

/* ---- head ---- */

static void put_info(struct few__export *ex)
{
    few__text_put(&ex->text, "{\"info\":{\"description\":");
    few__text_json(&ex->text, ex->path);
    few__text_put(&ex->text, ",\"contributor\":\"fewer " FEW_VERSION "\"},\n\"licenses\":[],\n");
}

static enum few_status put_categories(struct few__export *ex, struct few_error *err)
{
    bool *used = FEW__ARENA_NEW(&ex->arena, bool, ex->catalog->n_labels + 1);
    if (!used) return few__no_memory(err, ex->path);
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        const struct few_model *model = &ex->catalog->models[m];
        size_t n = model->n_labels ? model->n_labels : 1;
        for (size_t i = 0; few__export_gives_boxes(model) && i < n; i++)
            used[category_of(model, (int32_t)i)] = true;
    }
    few__text_put(&ex->text, "\"categories\":[");
    const char *between = "";
    for (size_t i = 1; i <= ex->catalog->n_labels; i++) {
        if (!used[i]) continue;
        few__text_printf(&ex->text, "%s\n{\"id\":%zu,\"name\":", between, i);
        few__text_json(&ex->text, ex->catalog->labels[i - 1].name);
        few__text_put(&ex->text, ",\"supercategory\":");
        few__text_json(&ex->text, ex->catalog->labels[i - 1].space);
        few__text_put(&ex->text, "}");
        between = ",";
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    return FEW_OK;
}

static enum few_status put_images(struct few__export *ex, struct few_error *err)
{
    struct few__item_row item;
    enum few_status status;
    const char *between = "";
    few__text_put(&ex->text, "],\n\"images\":[");
    FEW__TRY(few__store_rewind(ex->store, false, err));
    while ((status = few__store_next(ex->store, &item, ex->cells, err)) == FEW_OK) {
        if (!few__export_has_pixels(&item)) continue;
        few__text_printf(&ex->text, "%s\n{\"id\":%" PRId64 ",\"file_name\":", between, item.id + 1);
        few__text_json(&ex->text, item.path);
        few__text_printf(&ex->text, ",\"width\":%d,\"height\":%d}", item.width, item.height);
        between = ",";
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    if (status == FEW_END) few__text_put(&ex->text, "],\n\"annotations\":[");
    return status == FEW_END ? FEW_OK : status;
}

/* ---- boxes ---- */

static void put_place(struct few__text *text, const struct few__item_row *item,
                      const struct few_detection *box)
{
    few__text_put(text, "\"bbox\":[");
    for (int k = 0; k < 4; k++) {
        if (k) few__text_put(text, ",");
        few__text_double(text, (double)box->box[k] * (k % 2 ? item->height : item->width), 7);
    }
    few__text_put(text, "]");
}

static void put_annotation(struct few__export *ex, const struct few__item_row *item,
                           const struct few_model *model, const struct few_detection *box)
{
    struct few__text *text = &ex->text;
    ex->n_rows++;
    few__text_printf(text, "%s\n{\"id\":%" PRIu64 ",\"image_id\":%" PRId64 ",\"category_id\":%d,",
                     ex->n_rows > 1 ? "," : "", ex->n_rows, item->id + 1,
                     (int)category_of(model, box->label));
    put_place(text, item, box);
    few__text_put(text, ",\"area\":");
    few__text_double(text, (double)box->area * item->width * item->height, 7);
    few__text_put(text, ",\"score\":");
    few__text_float(text, box->confidence);
    few__text_put(text, ",\"iscrowd\":0,\"model\":");
    few__text_json(text, model->name);
    few__text_put(text, "}");
}

static void put_result(struct few__export *ex, const struct few__item_row *item,
                       const struct few_model *model, const struct few_detection *box)
{
    struct few__text *text = &ex->text;
    few__text_printf(text, "%s\n{\"image_id\":%" PRId64 ",\"category_id\":%d,", ex->n_rows++ ? "," : "",
                     item->id + 1, (int)category_of(model, box->label));
    put_place(text, item, box);
    few__text_put(text, ",\"score\":");
    few__text_float(text, box->confidence);
    few__text_put(text, "}");
}

typedef void put_fn(struct few__export *ex, const struct few__item_row *item, const struct few_model *model,
                    const struct few_detection *box);

static enum few_status each_box(struct few__export *ex, const struct few__item_row *item, put_fn *put,
                                struct few_error *err)
{
    const struct few_detection *boxes;
    size_t n;
    if (!few__export_has_pixels(item)) return FEW_OK;
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        FEW__TRY(few__export_boxes(ex, ex->outputs[m], &boxes, &n, err));
        for (size_t i = 0; i < n; i++) put(ex, item, &ex->catalog->models[m], &boxes[i]);
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    return FEW_OK;
}

static enum few_status put_annotations(struct few__export *ex, const struct few__item_row *item,
                                       struct few_error *err)
{
    return each_box(ex, item, put_annotation, err);
}

static enum few_status put_results(struct few__export *ex, const struct few__item_row *item,
                                   struct few_error *err)
{
    return each_box(ex, item, put_result, err);
}

enum few_status few__export_coco(struct few__export *ex, struct few_error *err)
{
    put_info(ex);
    FEW__TRY(put_categories(ex, err));
    FEW__TRY(put_images(ex, err));
    FEW__TRY(few__export_each(ex, put_annotations, err));
    few__text_put(&ex->text, "]}\n");
    return FEW_OK;
}

enum few_status few__export_coco_results(struct few__export *ex, struct few_error *err)
{
    few__text_put(&ex->text, "[");
    FEW__TRY(few__export_each(ex, put_results, err));
    few__text_put(&ex->text, "]\n");
    return FEW_OK;
}
