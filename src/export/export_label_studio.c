// SPDX-License-Identifier: Apache-2.0
/* Export as pre-annotations of Label Studio: a task for each item with a prediction for each model that said something, and
 * the labelling configuration that these predictions want. A control of the configuration stands for a model; its name is
 * the from_name of the results, and both are made here. People correct what they see, so only what counts is shown. */
#include "export/export.h"

#include <inttypes.h>
#include <string.h>

#include "core/error.h"

struct studio {
    const char *object;    // tag and data key of what is looked at: "image", "audio" or "text"
    const char **controls; // (n_models,) names
};

/* ---- what both files say ---- */

// An item is one thing to look at: its picture, if any model looks at pictures.
static const char *object_of(const struct few_catalog *catalog)
{
    enum few_modality best = FEW_TEXT;
    for (size_t m = 0; m < catalog->n_models; m++)
        if (catalog->models[m].modality < best) best = catalog->models[m].modality;
    return best == FEW_IMAGE || catalog->n_models == 0 ? "image" : best == FEW_SOUND ? "audio" : "text";
}

static bool has_label(const struct few_model *model)
{
    for (size_t i = 0; i < model->n_labels; i++)
        if (!model->is_null || !model->is_null[i]) return true;
    return false;
}

// Whether the model has a control: vectors have none, boxes only on pictures, choices only if there are any.
static bool has_control(const struct studio *studio, const struct few_model *model)
{
    bool on_picture = strcmp(studio->object, "image") == 0;
    switch (model->kind) {
    case FEW_CLASSES:
    case FEW_LABELS: return has_label(model);
    case FEW_DETECTIONS: return on_picture && (model->n_labels == 0 || has_label(model));
    case FEW_BOX: return on_picture;
    case FEW_SCALAR:
    case FEW_SEQUENCE: return true;
    case FEW_VECTOR:
    case FEW_KIND_COUNT: break;
    }
    return false;
}

static bool is_taken(const struct studio *studio, size_t n, const char *name)
{
    if (strcmp(name, studio->object) == 0) return true;
    for (size_t i = 0; i < n; i++)
        if (strcmp(studio->controls[i], name) == 0) return true;
    return false;
}

// The model's name in the letters that every part of Label Studio takes; "_" behind it until nobody else has it.
static enum few_status name_control(struct few__export *ex, struct studio *studio, size_t m,
                                    struct few_error *err)
{
    char *name = few__arena_strdup(&ex->arena, ex->catalog->models[m].name);
    for (char *p = name; p && *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", *p)) *p = '_';
    while (name && is_taken(studio, m, name)) name = few__arena_printf(&ex->arena, "%s_", name);
    if (!name) return few__no_memory(err, ex->path);
    studio->controls[m] = name;
    return FEW_OK;
}

static enum few_status prepare(struct few__export *ex, struct studio *studio, struct few_error *err)
{
    studio->object = object_of(ex->catalog);
    studio->controls = FEW__ARENA_NEW(&ex->arena, const char *, ex->catalog->n_models);
    if (!studio->controls) return few__no_memory(err, ex->path);
    for (size_t m = 0; m < ex->catalog->n_models; m++) FEW__TRY(name_control(ex, studio, m, err));
    return FEW_OK;
}

/* ---- results ---- */

struct place { // of a result
    const struct studio *studio;
    const struct few__item_row *item;
    size_t model;
    size_t n; // results of this model on this item so far
};

// All of a result but what is in its value.
static void begin_result(struct few__export *ex, struct place *place, const char *type, float score)
{
    struct few__text *text = &ex->text;
    few__text_printf(
        text, "%s\n  {\"id\":\"%" PRId64 "-%zu-%zu\",\"type\":\"%s\",\"from_name\":\"%s\",\"to_name\":\"%s\"",
        place->n ? "," : "", place->item->id, place->model, place->n, type,
        place->studio->controls[place->model], place->studio->object);
    if (few__export_has_pixels(place->item))
        few__text_printf(text, ",\"original_width\":%d,\"original_height\":%d,\"image_rotation\":0",
                         place->item->width, place->item->height);
    few__text_put(text, ",\"score\":");
    few__text_float(text, score);
    few__text_put(text, ",\"value\":{");
    place->n++;
}

static void end_result(struct few__export *ex)
{
    few__text_put(&ex->text, "}}");
}

static enum few_status put_boxes(struct few__export *ex, struct place *place, struct few_error *err)
{
    static const char *const keys[] = {"\"x\":", ",\"y\":", ",\"width\":", ",\"height\":"};
    const struct few_model *model = &ex->catalog->models[place->model];
    const struct few_detection *boxes;
    size_t n;
    FEW__TRY(few__export_boxes(ex, ex->outputs[place->model], &boxes, &n, err));
    for (size_t i = 0; i < n; i++) {
        double inside[4];
        if (!few__export_counts(model, boxes[i].label, boxes[i].confidence)) continue;
        if (!few__export_clip(boxes[i].box, inside)) continue;
        begin_result(ex, place, "rectanglelabels", boxes[i].confidence);
        for (int k = 0; k < 4; k++) {
            few__text_put(&ex->text, keys[k]);
            few__text_double(&ex->text, 100 * inside[k], 7);
        }
        few__text_put(&ex->text, ",\"rotation\":0,\"rectanglelabels\":[");
        few__text_json(&ex->text, few__export_label(model, boxes[i].label));
        few__text_put(&ex->text, "]");
        end_result(ex);
    }
    return FEW_OK;
}

// Of classes the best one, of labels all that count.
static void put_choices(struct few__export *ex, struct place *place)
{
    const struct few_model *model = &ex->catalog->models[place->model];
    const struct few_output *output = ex->outputs[place->model];
    size_t n = output->n < model->n_labels ? output->n : model->n_labels, best = 0, n_chosen = 0;
    for (size_t i = 1; i < n; i++)
        if (output->values[i] > output->values[best]) best = i;
    for (size_t i = 0; i < n; i++) {
        if (!few__export_counts(model, (int32_t)i, output->values[i])) continue;
        if (model->kind == FEW_CLASSES && i != best) continue;
        if (n_chosen == 0) {
            begin_result(ex, place, "choices", output->values[best]);
            few__text_put(&ex->text, "\"choices\":[");
        }
        few__text_put(&ex->text, n_chosen++ ? "," : "");
        few__text_json(&ex->text, model->labels[i]);
    }
    if (n_chosen == 0) return;
    few__text_put(&ex->text, "]");
    end_result(ex);
}

static void put_words(struct few__export *ex, struct place *place)
{
    const struct few_model *model = &ex->catalog->models[place->model];
    const struct few_output *output = ex->outputs[place->model];
    few__text_clear(&ex->field);
    if (!few__export_words(&ex->field, model, output)) // no alphabet: its tokens' numbers
        for (size_t i = 0; i < output->n; i++)
            few__text_printf(&ex->field, i ? " %d" : "%d", (int)output->tokens[i]);
    if (ex->field.n == 0) return;
    begin_result(ex, place, "textarea", output->confidence);
    few__text_put(&ex->text, "\"text\":[");
    few__text_json(&ex->text, ex->field.s);
    few__text_put(&ex->text, "]");
    end_result(ex);
}

static void put_number(struct few__export *ex, struct place *place)
{
    const struct few_output *output = ex->outputs[place->model];
    if (output->n != 1) return;
    begin_result(ex, place, "number", output->confidence);
    few__text_put(&ex->text, "\"number\":");
    few__text_float(&ex->text, output->values[0]);
    end_result(ex);
}

static enum few_status put_value(struct few__export *ex, struct place *place, struct few_error *err)
{
    switch (ex->catalog->models[place->model].kind) {
    case FEW_DETECTIONS:
    case FEW_BOX: return put_boxes(ex, place, err);
    case FEW_CLASSES:
    case FEW_LABELS: put_choices(ex, place); return FEW_OK;
    case FEW_SEQUENCE: put_words(ex, place); return FEW_OK;
    case FEW_SCALAR: put_number(ex, place); return FEW_OK;
    case FEW_VECTOR:
    case FEW_KIND_COUNT: break;
    }
    return FEW_OK;
}

/* ---- tasks ---- */

static enum few_status put_prediction(struct few__export *ex, const struct studio *studio,
                                      const struct few__item_row *item, size_t m, struct few_error *err)
{
    const struct few_output *output = ex->outputs[m];
    struct place place = {.studio = studio, .item = item, .model = m};
    few__text_put(&ex->text, " {\"model_version\":");
    few__text_json(&ex->text, ex->catalog->models[m].name);
    few__text_put(&ex->text, ",\"score\":");
    few__text_float(&ex->text, output->confidence);
    few__text_put(&ex->text, ",\"result\":[");
    if (!output->empty) FEW__TRY(put_value(ex, &place, err));
    few__text_put(&ex->text, "]}");
    return FEW_OK;
}

static enum few_status put_task(struct few__export *ex, const struct few__item_row *item,
                                struct few_error *err)
{
    const struct studio *studio = ex->form;
    struct few__text *text = &ex->text;
    const char *between = "\n";
    if (item->status != FEW_OK) return FEW_OK;
    few__text_printf(text, "%s\n{\"data\":{\"%s\":", ex->n_rows++ ? "," : "", studio->object);
    few__text_json(text, item->path);
    few__text_put(text, "},\"predictions\":[");
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        if (!few__export_answered(ex, m) || !has_control(studio, &ex->catalog->models[m])) continue;
        few__text_put(text, between);
        FEW__TRY(put_prediction(ex, studio, item, m, err));
        between = ",\n";
    }
    few__text_put(text, "]}");
    return few__export_flush(ex, FEW__EXPORT_FLUSH, err);
}

enum few_status few__export_label_studio(struct few__export *ex, struct few_error *err)
{
    struct studio studio;
    FEW__TRY(prepare(ex, &studio, err));
    ex->form = &studio;
    few__text_put(&ex->text, "[");
    FEW__TRY(few__export_each(ex, put_task, err));
    few__text_put(&ex->text, "]\n");
    return FEW_OK;
}

/* ---- configuration ---- */

// As the value of an attribute. Bytes that are no UTF-8, and control characters, cannot be in XML.
static void put_xml(struct few__export *ex, const char *s)
{
    few__text_clear(&ex->field);
    few__text_utf8(&ex->field, s);
    for (const char *p = ex->field.n ? ex->field.s : ""; *p; p++) {
        if (*p == '\n' || *p == '\t' || *p == '\r') few__text_printf(&ex->text, "&#%d;", *p);
        else if ((unsigned char)*p < 0x20) few__text_put(&ex->text, "\xef\xbf\xbd");
        else few__text_html(&ex->text, (const char[]){*p, 0});
    }
}

static void put_values(struct few__export *ex, const struct few_model *model, const char *tag)
{
    size_t n = model->n_labels ? model->n_labels : 1;
    for (size_t i = 0; i < n; i++) {
        if (model->is_null && model->is_null[i]) continue;
        few__text_printf(&ex->text, "    <%s value=\"", tag);
        put_xml(ex, few__export_label(model, (int32_t)i));
        few__text_put(&ex->text, "\"/>\n");
    }
}

static void put_control(struct few__export *ex, const struct studio *studio, size_t m)
{
    static const struct {
        const char *tag, *more, *value; // value: tag of its labels, NULL = it has none
    } controls[FEW_KIND_COUNT] = {
        [FEW_CLASSES] = {"Choices", " choice=\"single\"", "Choice"},
        [FEW_LABELS] = {"Choices", " choice=\"multiple\"", "Choice"},
        [FEW_DETECTIONS] = {"RectangleLabels", "", "Label"},
        [FEW_BOX] = {"RectangleLabels", "", "Label"},
        [FEW_SCALAR] = {"Number", "", NULL},
        [FEW_SEQUENCE] = {"TextArea", " editable=\"true\"", NULL},
    };
    const struct few_model *model = &ex->catalog->models[m];
    const char *tag = controls[model->kind].tag, *value = controls[model->kind].value;
    few__text_put(&ex->text, "  <Header value=\"");
    put_xml(ex, *model->task ? model->task : model->name);
    few__text_printf(&ex->text, "\"/>\n  <%s name=\"%s\" toName=\"%s\"%s%s>\n", tag, studio->controls[m],
                     studio->object, controls[model->kind].more, value ? "" : "/");
    if (!value) return;
    put_values(ex, model, value);
    few__text_printf(&ex->text, "  </%s>\n", tag);
}

enum few_status few__export_label_studio_config(struct few__export *ex, struct few_error *err)
{
    struct studio studio;
    FEW__TRY(prepare(ex, &studio, err));
    const char *tag = studio.object[0] == 'i' ? "Image" : studio.object[0] == 'a' ? "Audio" : "Text";
    few__text_printf(&ex->text, "<View>\n  <%s name=\"%s\" value=\"$%s\"/>\n", tag, studio.object,
                     studio.object);
    for (size_t m = 0; m < ex->catalog->n_models; m++) {
        if (has_control(&studio, &ex->catalog->models[m])) put_control(ex, &studio, m);
        FEW__TRY(few__export_flush(ex, FEW__EXPORT_FLUSH, err));
    }
    few__text_put(&ex->text, "</View>\n");
    return FEW_OK;
}
