// SPDX-License-Identifier: Apache-2.0
/* Whether a run may go on: everything that decides its results must be as it was. Costs, priorities and the place of
 * the zoo decide what is worth doing, not what comes out of it, and may change. */
#include "store/schema.h"

#include <string.h>

#include <jansson.h>

#include "core/error.h"

enum { SHOWN = 120 }; // bytes of a value in a message

/* ---- models ---- */

static bool same_labels(const struct few_model *a, const struct few_model *b)
{
    if (a->n_labels != b->n_labels || strcmp(a->space, b->space) != 0) return false;
    for (size_t i = 0; i < a->n_labels; i++) {
        bool null_a = a->is_null && a->is_null[i], null_b = b->is_null && b->is_null[i];
        if (null_a != null_b || strcmp(a->labels[i], b->labels[i]) != 0) return false;
    }
    return true;
}

// The name of the model that another one refers to.
static const char *name_at(const struct few_catalog *catalog, int index)
{
    return index < 0 ? "none" : catalog->models[index].name;
}

static enum few_status same_model(const char *path, const struct few_catalog *was,
                                  const struct few_catalog *now, size_t m, struct few_error *err)
{
    const struct few_model *a = &was->models[m], *b = &now->models[m];
    if (strcmp(a->name, b->name) != 0)
        return few__fail(err, FEW_EVERSION, "%s: model %zu was '%s', now '%s'", path, m, a->name, b->name);
    if (strcmp(a->digest, b->digest) != 0)
        return few__fail(err, FEW_EVERSION, "%s: model '%s' has changed (digest %.12s, now %.12s)", path,
                         a->name, *a->digest ? a->digest : "unknown", *b->digest ? b->digest : "unknown");
    if (a->kind != b->kind)
        return few__fail(err, FEW_EVERSION, "%s: model '%s' was of kind %s, now %s", path, a->name,
                         few_kind_name(a->kind), few_kind_name(b->kind));
    if (a->modality != b->modality)
        return few__fail(err, FEW_EVERSION, "%s: model '%s' was one of %s, now of %s", path, a->name,
                         few_modality_name(a->modality), few_modality_name(b->modality));
    if (!same_labels(a, b))
        return few__fail(err, FEW_EVERSION, "%s: model '%s' has other labels than before (%zu, now %zu)",
                         path, a->name, a->n_labels, b->n_labels);
    if (a->threshold != b->threshold || a->empty != b->empty)
        return few__fail(err, FEW_EVERSION, "%s: model '%s' had threshold %g and empty %g, now %g and %g",
                         path, a->name, (double)a->threshold, (double)a->empty, (double)b->threshold,
                         (double)b->empty);
    if (a->needs != b->needs)
        return few__fail(err, FEW_EVERSION, "%s: model '%s' needed %s, now %s", path, a->name,
                         name_at(was, a->needs), name_at(now, b->needs));
    if (a->variant_of != b->variant_of)
        return few__fail(err, FEW_EVERSION, "%s: model '%s' was a variant of %s, now of %s", path, a->name,
                         name_at(was, a->variant_of), name_at(now, b->variant_of));
    return FEW_OK;
}

static enum few_status same_models(const char *path, const struct few_catalog *was,
                                   const struct few_catalog *now, struct few_error *err)
{
    if (was->n_models != now->n_models)
        return few__fail(err, FEW_EVERSION, "%s: has %zu models, now %zu", path, was->n_models,
                         now->n_models);
    for (size_t m = 0; m < was->n_models; m++) FEW__TRY(same_model(path, was, now, m, err));
    return FEW_OK;
}

/* ---- configuration ---- */

static enum few_status parse(const char *path, const char *text, enum few_status code, json_t **out,
                             struct few_error *err)
{
    json_error_t why;
    *out = json_loads(text && *text ? text : "{}", JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(*out)) return FEW_OK;
    bool no_memory = !*out && json_error_code(&why) == json_error_out_of_memory;
    json_decref(*out);
    *out = NULL;
    if (no_memory) return few__no_memory(err, path);
    return few__fail(err, code, "%s: configuration: expected a JSON object, found %.60s", path, text);
}

// "random:1", "60", "none".
static void show(const json_t *value, char text[SHOWN])
{
    const char *string = value ? json_string_value(value) : "none";
    size_t n = string ? strlen(string) : json_dumpb(value, text, SHOWN - 1, JSON_COMPACT | JSON_ENCODE_ANY);
    if (n >= SHOWN) n = SHOWN - 1;
    if (string) memcpy(text, string, n);
    text[n] = 0;
}

static enum few_status same_values(const char *path, const json_t *was, const json_t *now,
                                   struct few_error *err)
{
    const json_t *const both[] = {now, was}; // keys of either
    for (size_t side = 0; side < 2; side++) {
        for (void *at = json_object_iter((json_t *)both[side]); at;
             at = json_object_iter_next((json_t *)both[side], at)) {
            const char *key = json_object_iter_key(at);
            const json_t *a = json_object_get(was, key), *b = json_object_get(now, key);
            if (json_equal(a, b)) continue;
            char before[SHOWN], after[SHOWN];
            show(a, before);
            show(b, after);
            return few__fail(err, FEW_EVERSION, "%s: was made with %s %s, now %s", path, key, before, after);
        }
    }
    return FEW_OK;
}

static enum few_status same_config(const char *path, const char *was, const char *now, struct few_error *err)
{
    json_t *a = NULL, *b = NULL;
    enum few_status status = parse(path, was, FEW_ESTORE, &a, err);
    if (status == FEW_OK) status = parse(path, now, FEW_EINVAL, &b, err);
    if (status == FEW_OK) status = same_values(path, a, b, err);
    json_decref(a);
    json_decref(b);
    return status;
}

enum few_status few__schema_same(const char *path, const struct few__store_new *was,
                                 const struct few__store_new *now, struct few_error *err)
{
    if (strcmp(was->purpose, now->purpose) != 0)
        return few__fail(err, FEW_EVERSION, "%s: expected a %s, found a %s", path, now->purpose,
                         was->purpose);
    FEW__TRY(same_models(path, was->catalog, now->catalog, err));
    return same_config(path, was->config_json, now->config_json, err);
}
