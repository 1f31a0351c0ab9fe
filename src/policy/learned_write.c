// SPDX-License-Identifier: Apache-2.0
// The words of a policy file, docs/policy.md. Numbers are written so that they read back as the same.
#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "policy/learned_inside.h"

#define TEXT_MAX ((size_t)48 << 20)

enum { DIGITS = 17 };

static void put_key(struct few__text *text, const char *key)
{
    few__text_printf(text, ", \"%s\": ", key);
}

static void put_text(struct few__text *text, const char *key, const char *value)
{
    put_key(text, key);
    few__text_json(text, value);
}

static void put_number(struct few__text *text, const char *key, double value)
{
    put_key(text, key);
    few__text_double(text, value, DIGITS);
}

/* ---- label lists ---- */

static bool same_list(const struct few_model *a, const struct few_model *b)
{
    return a->labels == b->labels && a->is_null == b->is_null && a->n_labels == b->n_labels;
}

// The first model that has the list of model m.
static size_t owner_of(const struct few_catalog *catalog, size_t m)
{
    size_t i = 0;
    while (!same_list(&catalog->models[i], &catalog->models[m])) i++;
    return i;
}

static bool owns_list(const struct few_catalog *catalog, size_t m)
{
    return catalog->models[m].n_labels > 0 && owner_of(catalog, m) == m;
}

static size_t number_of_list(const struct few_catalog *catalog, size_t m)
{
    size_t owner = owner_of(catalog, m), number = 0;
    for (size_t i = 0; i < owner; i++) number += owns_list(catalog, i);
    return number;
}

static void put_list(struct few__text *text, const struct few_model *model)
{
    const char *comma = "";
    if (model->is_null) {
        few__text_put(text, "\n  {\"space\": ");
        few__text_json(text, model->space);
        few__text_put(text, ", \"null\": [");
        for (size_t i = 0; i < model->n_labels; i++) {
            if (!model->is_null[i]) continue;
            few__text_printf(text, "%s%zu", comma, i);
            comma = ", ";
        }
        few__text_put(text, "]");
    } else {
        few__text_put(text, "\n  {\"space\": null, \"null\": []");
    }
    few__text_put(text, ", \"names\": [");
    for (size_t i = 0; i < model->n_labels; i++) {
        if (i > 0) few__text_put(text, ", ");
        few__text_json(text, model->labels[i]);
    }
    few__text_put(text, "]}");
}

static void put_lists(struct few__text *text, const struct few_catalog *catalog)
{
    bool first = true;
    few__text_put(text, ",\n \"lists\": [");
    for (size_t m = 0; m < catalog->n_models; m++) {
        if (!owns_list(catalog, m)) continue;
        if (!first) few__text_put(text, ",");
        put_list(text, &catalog->models[m]);
        first = false;
    }
    few__text_put(text, "]");
}

/* ---- models ---- */

static void put_name_of(struct few__text *text, const char *key, const struct few_catalog *catalog, int model)
{
    if (model >= 0) put_text(text, key, catalog->models[model].name);
}

static void put_model(struct few__text *text, const struct few_catalog *catalog, size_t m,
                      const struct few_cost *cost)
{
    const struct few_model *model = &catalog->models[m];
    few__text_put(text, m == 0 ? "\n  {\"name\": " : ",\n  {\"name\": ");
    few__text_json(text, model->name);
    put_text(text, "kind", few_kind_name(model->kind));
    put_text(text, "input", few_modality_name(model->modality));
    if (model->n_labels > 0) few__text_printf(text, ", \"list\": %zu", number_of_list(catalog, m));
    put_number(text, "threshold", (double)model->threshold);
    put_number(text, "empty", (double)model->empty);
    put_number(text, "tolerance", (double)model->tolerance);
    put_number(text, "priority", (double)model->priority);
    put_name_of(text, "needs", catalog, model->needs);
    put_name_of(text, "variant_of", catalog, model->variant_of);
    put_text(text, "digest", model->digest);
    few__text_printf(text, ", \"time_us\": %" PRId64 ", \"memory_bytes\": %" PRIu64, cost->time_us,
                     cost->memory_bytes);
    few__text_printf(text,
                     ", \"weights_bytes\": %" PRIu64 ", \"load_us\": %" PRId64 ", \"more_us\": %" PRId64,
                     cost->weights_bytes, cost->load_us, cost->more_us);
    few__text_put(text, "}");
}

/* ---- methods ---- */

static void put_stop(struct few__text *text, const struct few__learned_stop *stop)
{
    few__text_put(text, "{\"recall\": ");
    few__text_double(text, stop->recall, DIGITS);
    put_number(text, "price", stop->price); // -INFINITY: null
    put_number(text, "got", stop->got);
    put_number(text, "low", stop->low);
    put_number(text, "high", stop->high);
    put_number(text, "time_ratio", stop->time_ratio);
    few__text_put(text, "}");
}

static void put_method(struct few__text *text, const struct few__learned_method *method)
{
    few__text_put(text, "{\"name\": ");
    few__text_json(text, method->name);
    few__text_printf(text, ", \"folds\": %zu, \"stops\": [", method->folds);
    for (size_t i = 0; i < method->n_stops; i++) {
        few__text_put(text, i == 0 ? "\n   " : ",\n   ");
        put_stop(text, &method->stops[i]);
    }
    few__text_put(text, "]}");
}

static void put_all(struct few__text *text, const struct few__learned_about *about)
{
    const struct few_catalog *catalog = about->catalog;
    few__text_printf(text, "{\"version\": %d,\n \"seed\": \"%" PRIu64 "\"", FEW__POLICY_VERSION, about->seed);
    few__text_printf(text, ", \"split\": %d", about->split);
    put_text(text, "source", about->source);
    few__text_printf(text, ", \"items\": %zu", about->n_items);
    put_text(text, "trace", about->trace);
    put_lists(text, catalog);
    few__text_put(text, ",\n \"models\": [");
    for (size_t m = 0; m < catalog->n_models; m++) put_model(text, catalog, m, &about->costs[m]);
    few__text_put(text, "],\n \"methods\": [");
    for (size_t i = 0; i < about->n_methods; i++) {
        few__text_put(text, i == 0 ? "\n  " : ",\n  ");
        put_method(text, &about->methods[i]);
    }
    few__text_put(text, "],\n \"preferred\": ");
    few__text_json(text, about->n_methods ? about->methods[about->preferred].name : "");
    few__text_put(text, "}");
}

enum few_status few__learned_write(const struct few__learned_about *about, struct few__tensors *tensors,
                                   const char *path, struct few_error *err)
{
    struct few__text text;
    few__text_init(&text, tensors->mem, TEXT_MAX);
    put_all(&text, about);
    enum few_status status =
        few__text_ok(&text) ? few__tensors_say(tensors, FEW__POLICY_WORD, text.s, err) : FEW_ENOMEM;
    if (!few__text_ok(&text)) status = few__no_memory(err, path);
    few__text_finish(&text);
    return status == FEW_OK ? few__tensors_write(tensors, path, err) : status;
}
