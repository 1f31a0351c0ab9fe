// SPDX-License-Identifier: Apache-2.0
/* Export as labels.json of FiftyOne's own data sets: boxes or classes of pictures, each with its confidence and its model, so
 * that everything may be filtered there. */
#include "export/export.h"

#include <string.h>

#include "core/error.h"
#include "export/export_fiftyone.h"

/* ---- what the files have in common ---- */

static const char *plain(const char *path)
{
    while (path[0] == '.' && path[1] == '/') path += 2;
    return path;
}

enum few_status few__fiftyone_see(struct few__fiftyone *all, struct few__export *ex, const char *path,
                                  struct few_error *err)
{
    if (strstr(path, "://")) return FEW_OK;
    path = plain(path);
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    if (!all->folder) {
        all->folder = few__arena_strndup(&ex->arena, path, n);
        all->n = n;
        return all->folder ? FEW_OK : few__no_memory(err, ex->path);
    }
    size_t same = 0;
    while (same < all->n && same < n && all->folder[same] == path[same]) same++;
    while (same > 0 && path[same - 1] != '/') same--;
    all->n = same;
    return FEW_OK;
}

// The root has everything in it, which is no folder of pictures.
static size_t folder_length(const struct few__fiftyone *all)
{
    return all->n > 1 ? all->n : 0;
}

enum few_status few__fiftyone_begin(struct few__export *ex, const struct few__fiftyone *all,
                                    const struct few__export_classes *classes, struct few_error *err)
{
    size_t n = folder_length(all);
    few__text_clear(&ex->field);
    if (n) few__text_add(&ex->field, all->folder, n - 1);
    else few__text_put(&ex->field, ".");
    few__text_put(&ex->text, "{\"data_path\":");
    few__text_json(&ex->text, ex->field.n ? ex->field.s : "");
    few__text_put(&ex->text, ",\n\"classes\":");
    FEW__TRY(few__export_put_classes(ex, classes, err));
    few__text_put(&ex->text, ",\n\"labels\":{");
    return FEW_OK;
}

void few__fiftyone_end(struct few__export *ex)
{
    few__text_put(&ex->text, "\n}}\n");
}

void few__fiftyone_key(struct few__export *ex, const struct few__fiftyone *all, const char *path,
                       bool is_file)
{
    size_t n = folder_length(all);
    path = plain(path);
    if (n && strncmp(path, all->folder, n) == 0) path += n;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path, *dot = strrchr(name, '.');
    bool has_stem = is_file && path[0] != '/' && dot && dot != name && !strstr(path, "://");
    few__text_clear(&ex->field);
    few__text_add(&ex->field, path, has_stem ? (size_t)(dot - path) : strlen(path));
    few__text_put(&ex->text, ex->n_rows++ ? ",\n" : "\n");
    few__text_json(&ex->text, ex->field.n ? ex->field.s : "");
    few__text_put(&ex->text, ":");
}

// "label": 3, "confidence": 0.5, "attributes": {"model": "objects"}
static void put_label(struct few__export *ex, const struct few_model *model, int32_t number, float confidence)
{
    few__text_printf(&ex->text, "{\"label\":%d,\"confidence\":", (int)number);
    few__text_float(&ex->text, confidence);
    few__text_put(&ex->text, ",\"attributes\":{\"model\":");
    few__text_json(&ex->text, model->name);
    few__text_put(&ex->text, "}");
}

/* ---- items ---- */

struct form {
    struct few__export_classes classes;
    struct few__fiftyone all;
    bool (*gives)(const struct few_model *model);
    enum few_status (*put)(struct few__export *ex, size_t m, const char **between, struct few_error *err);
};

static bool is_answered(const struct few__export *ex, const struct form *form)
{
    for (size_t m = 0; m < ex->catalog->n_models; m++)
        if (form->gives(&ex->catalog->models[m]) && few__export_answered(ex, m)) return true;
    return false;
}

// null where nobody looked, [] where nothing was found.
static enum few_status put_item(struct few__export *ex, const struct few__item_row *item,
                                struct few_error *err)
{
    const struct form *form = ex->form;
    const char *between = "";
    if (item->status != FEW_OK) return FEW_OK;
    few__fiftyone_key(ex, &form->all, item->path, item->stream < 0);
    bool answered = is_answered(ex, form);
    few__text_put(&ex->text, answered ? "[" : "null");
    for (size_t m = 0; answered && m < ex->catalog->n_models; m++)
        if (ex->outputs[m] && form->gives(&ex->catalog->models[m])) FEW__TRY(form->put(ex, m, &between, err));
    if (answered) few__text_put(&ex->text, "]");
    return few__export_flush(ex, FEW__EXPORT_FLUSH, err);
}

static enum few_status see_all(struct few__export *ex, struct few__fiftyone *all, struct few_error *err)
{
    struct few__item_row item;
    enum few_status status;
    FEW__TRY(few__store_rewind(ex->store, false, err));
    while ((status = few__store_next(ex->store, &item, ex->cells, err)) == FEW_OK)
        if (item.status == FEW_OK) FEW__TRY(few__fiftyone_see(all, ex, item.path, err));
    return status == FEW_END ? FEW_OK : status;
}

static enum few_status write_form(struct few__export *ex, struct form *form, struct few_error *err)
{
    FEW__TRY(few__export_classes(ex, form->gives, &form->classes, err));
    ex->form = form;
    FEW__TRY(see_all(ex, &form->all, err));
    FEW__TRY(few__fiftyone_begin(ex, &form->all, &form->classes, err));
    FEW__TRY(few__export_each(ex, put_item, err));
    few__fiftyone_end(ex);
    return FEW_OK;
}

/* ---- detections ---- */

static enum few_status put_detections(struct few__export *ex, size_t m, const char **between,
                                      struct few_error *err)
{
    const struct form *form = ex->form;
    const struct few_model *model = &ex->catalog->models[m];
    const struct few_detection *boxes;
    size_t n;
    FEW__TRY(few__export_boxes(ex, ex->outputs[m], &boxes, &n, err));
    for (size_t i = 0; i < n; i++) {
        int32_t number = few__export_class(&form->classes, model, boxes[i].label);
        if (number < 0) continue;
        few__text_put(&ex->text, *between);
        put_label(ex, model, number, boxes[i].confidence);
        few__text_put(&ex->text, ",\"bounding_box\":[");
        for (int k = 0; k < 4; k++) {
            if (k) few__text_put(&ex->text, ",");
            few__text_float(&ex->text, boxes[i].box[k]);
        }
        few__text_put(&ex->text, "]}");
        *between = ",\n ";
    }
    return FEW_OK;
}

enum few_status few__export_fiftyone(struct few__export *ex, struct few_error *err)
{
    struct form form = {.gives = few__export_gives_boxes, .put = put_detections};
    return write_form(ex, &form, err);
}

/* ---- classes ---- */

static bool gives_classes(const struct few_model *model)
{
    return (model->kind == FEW_CLASSES || model->kind == FEW_LABELS) && model->n_labels > 0;
}

// A number for each class would drown what was seen: only what counts.
static enum few_status put_classes(struct few__export *ex, size_t m, const char **between,
                                   struct few_error *err)
{
    (void)err;
    const struct form *form = ex->form;
    const struct few_model *model = &ex->catalog->models[m];
    const struct few_output *output = ex->outputs[m];
    for (size_t i = 0; !output->empty && i < output->n; i++) {
        if (!few__export_counts(model, (int32_t)i, output->values[i])) continue;
        few__text_put(&ex->text, *between);
        put_label(ex, model, few__export_class(&form->classes, model, (int32_t)i), output->values[i]);
        few__text_put(&ex->text, "}");
        *between = ",\n ";
    }
    return FEW_OK;
}

enum few_status few__export_fiftyone_classes(struct few__export *ex, struct few_error *err)
{
    struct form form = {.gives = gives_classes, .put = put_classes};
    return write_form(ex, &form, err);
}
