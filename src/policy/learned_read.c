// SPDX-License-Identifier: Apache-2.0
/* The words of a policy file, checked: whatever is in the file, what comes out can be used without another look.
 * docs/policy.md has every key. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/error.h"
#include "model/catalog.h"
#include "policy/learned_inside.h"

#define COUNT_MAX INT64_C(1000000000000000000)

struct reader {
    struct few__learned *l;
    struct few_error *err;
    size_t n_lists;
    struct few__label_list *lists; // (n_lists,)
    bool *alphabet;                // (n_lists,)
};

/* ---- values ---- */

static enum few_status wrong(struct reader *r, const char *where, const char *expected)
{
    return few__fail(r->err, FEW_EPARSE, "%s: damaged policy: %s: expected %s", r->l->name, where, expected);
}

static enum few_status no_memory(struct reader *r)
{
    return few__no_memory(r->err, r->l->name);
}

static enum few_status read_text(struct reader *r, const json_t *object, const char *key, const char **text)
{
    const char *s = json_string_value(json_object_get(object, key));
    if (!s) return wrong(r, key, "a text");
    *text = few__arena_strdup(&r->l->arena, s);
    return *text ? FEW_OK : no_memory(r);
}

static enum few_status read_count(struct reader *r, const json_t *object, const char *key, json_int_t max,
                                  json_int_t *count)
{
    const json_t *value = json_object_get(object, key);
    *count = json_integer_value(value);
    if (json_is_integer(value) && *count >= 0 && *count <= max) return FEW_OK;
    return wrong(r, key, "a whole number that is not too large");
}

// missing: what null stands for; NaN = null is not allowed.
static enum few_status read_number(struct reader *r, const json_t *object, const char *key, double missing,
                                   double *number)
{
    const json_t *value = json_object_get(object, key);
    *number = json_is_null(value) ? missing : json_number_value(value);
    if ((json_is_number(value) || json_is_null(value)) && !isnan(*number)) return FEW_OK;
    return wrong(r, key, "a number");
}

static enum few_status read_float(struct reader *r, const json_t *object, const char *key, float *number)
{
    double value;
    FEW__TRY(read_number(r, object, key, NAN, &value));
    *number = (float)value;
    return isfinite(*number) ? FEW_OK : wrong(r, key, "a number that is not too large");
}

static enum few_status read_array(struct reader *r, const json_t *object, const char *key, size_t max,
                                  const json_t **array)
{
    *array = json_object_get(object, key);
    if (json_is_array(*array) && json_array_size(*array) <= max) return FEW_OK;
    return wrong(r, key, "a list that is not too long");
}

/* ---- label lists ---- */

static enum few_status read_names(struct reader *r, const json_t *from, struct few__label_list *list)
{
    const json_t *names;
    FEW__TRY(read_array(r, from, "names", FEW_LABELS_MAX, &names));
    list->n = json_array_size(names);
    if (list->n == 0) return wrong(r, "names", "at least one");
    const char **to = FEW__ARENA_NEW(&r->l->arena, const char *, list->n);
    if (!to) return no_memory(r);
    list->names = to;
    for (size_t i = 0; i < list->n; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!name) return wrong(r, "names", "texts");
        if (!(to[i] = few__arena_strdup(&r->l->arena, name))) return no_memory(r);
    }
    return FEW_OK;
}

static enum few_status read_nulls(struct reader *r, const json_t *from, struct few__label_list *list)
{
    const json_t *nulls;
    FEW__TRY(read_array(r, from, "null", list->n, &nulls));
    list->n_null = json_array_size(nulls);
    const char **to = FEW__ARENA_NEW(&r->l->arena, const char *, list->n_null);
    if (!to) return no_memory(r);
    list->null_names = to;
    for (size_t i = 0; i < list->n_null; i++) {
        const json_t *at = json_array_get(nulls, i);
        if (!json_is_integer(at) || json_integer_value(at) < 0 ||
            json_integer_value(at) >= (json_int_t)list->n)
            return wrong(r, "null", "numbers of names");
        to[i] = list->names[json_integer_value(at)];
    }
    return FEW_OK;
}

static enum few_status read_lists(struct reader *r, const json_t *root)
{
    const json_t *lists;
    FEW__TRY(read_array(r, root, "lists", FEW_MODELS_MAX, &lists));
    r->n_lists = json_array_size(lists);
    r->lists = FEW__ARENA_NEW(&r->l->arena, struct few__label_list, r->n_lists);
    r->alphabet = FEW__ARENA_NEW(&r->l->arena, bool, r->n_lists);
    if (!r->lists || !r->alphabet) return no_memory(r);
    for (size_t i = 0; i < r->n_lists; i++) {
        const json_t *from = json_array_get(lists, i);
        r->alphabet[i] = json_is_null(json_object_get(from, "space"));
        r->lists[i].space = "";
        if (!r->alphabet[i]) FEW__TRY(read_text(r, from, "space", &r->lists[i].space));
        FEW__TRY(read_names(r, from, &r->lists[i]));
        FEW__TRY(read_nulls(r, from, &r->lists[i]));
    }
    return FEW_OK;
}

/* ---- models ---- */

// The number of the model that is named there, -1 = none.
static enum few_status read_reference(struct reader *r, const json_t *models, const json_t *from,
                                      const char *key, int *model)
{
    const json_t *value = json_object_get(from, key);
    *model = -1;
    if (!value) return FEW_OK;
    const char *name = json_string_value(value);
    for (size_t i = 0; name && i < json_array_size(models); i++) {
        const char *other = json_string_value(json_object_get(json_array_get(models, i), "name"));
        if (!other || strcmp(name, other) != 0) continue;
        *model = (int)i;
        return FEW_OK;
    }
    return wrong(r, key, "the name of a model");
}

static enum few_status read_cost(struct reader *r, const json_t *from, struct few_cost *cost)
{
    json_int_t time_us, memory, weights, load_us, more_us;
    FEW__TRY(read_count(r, from, "time_us", COUNT_MAX, &time_us));
    FEW__TRY(read_count(r, from, "memory_bytes", COUNT_MAX, &memory));
    FEW__TRY(read_count(r, from, "weights_bytes", COUNT_MAX, &weights));
    FEW__TRY(read_count(r, from, "load_us", COUNT_MAX, &load_us));
    FEW__TRY(read_count(r, from, "more_us", COUNT_MAX, &more_us));
    *cost = (struct few_cost){.time_us = time_us,
                              .memory_bytes = (uint64_t)memory,
                              .weights_bytes = (uint64_t)weights,
                              .load_us = load_us,
                              .more_us = more_us};
    return FEW_OK;
}

static enum few_status read_words_of_model(struct reader *r, const json_t *from, struct few_model *model)
{
    const char *kind = json_string_value(json_object_get(from, "kind"));
    const char *input = json_string_value(json_object_get(from, "input"));
    const char *digest = json_string_value(json_object_get(from, "digest"));
    FEW__TRY(read_text(r, from, "name", &model->name));
    model->kind = kind ? few_kind_parse(kind) : FEW_KIND_COUNT;
    if (model->kind == FEW_KIND_COUNT) return wrong(r, "kind", "a kind of output");
    model->modality = input ? few_modality_parse(input) : FEW_MODALITY_COUNT;
    if (model->modality == FEW_MODALITY_COUNT) return wrong(r, "input", "what a model looks at");
    if (!digest || strlen(digest) >= sizeof model->digest) return wrong(r, "digest", "a SHA-256, or nothing");
    memcpy(model->digest, digest, strlen(digest) + 1);
    return FEW_OK;
}

static enum few_status read_model(struct reader *r, const json_t *models, size_t i, struct few_model *model)
{
    const json_t *from = json_array_get(models, i);
    FEW__TRY(read_words_of_model(r, from, model));
    FEW__TRY(read_float(r, from, "threshold", &model->threshold));
    FEW__TRY(read_float(r, from, "empty", &model->empty));
    FEW__TRY(read_float(r, from, "tolerance", &model->tolerance));
    FEW__TRY(read_float(r, from, "priority", &model->priority));
    if (!(model->priority > 0)) return wrong(r, "priority", "more than 0");
    FEW__TRY(read_reference(r, models, from, "needs", &model->needs));
    FEW__TRY(read_reference(r, models, from, "variant_of", &model->variant_of));
    return read_cost(r, from, &model->cost);
}

// The list of the model's labels; NULL: it has none.
static enum few_status find_list(struct reader *r, const json_t *from, enum few_kind kind,
                                 const struct few__label_list **list)
{
    json_int_t at;
    *list = NULL;
    if (!json_object_get(from, "list")) return FEW_OK;
    FEW__TRY(read_count(r, from, "list", FEW_MODELS_MAX, &at));
    if (at >= (json_int_t)r->n_lists || r->alphabet[at] != (kind == FEW_SEQUENCE))
        return wrong(r, "list", "the number of a list for this kind of model");
    *list = &r->lists[at];
    return FEW_OK;
}

static enum few_status add_models(struct reader *r, const json_t *models,
                                  struct few__catalog_builder *builder)
{
    for (size_t i = 0; i < json_array_size(models); i++) {
        struct few_model model = {0};
        const struct few__label_list *list;
        FEW__TRY(read_model(r, models, i, &model));
        FEW__TRY(find_list(r, json_array_get(models, i), model.kind, &list));
        enum few_status status = few__catalog_add(builder, &model, list, r->err);
        if (status != FEW_OK) return few__wrap(r->err, status, "%s", r->l->name);
    }
    return few__catalog_end(builder, &r->l->catalog, r->err);
}

static enum few_status read_models(struct reader *r, const json_t *root)
{
    struct few__learned *l = r->l;
    const json_t *models;
    FEW__TRY(read_array(r, root, "models", FEW_MODELS_MAX, &models));
    size_t n = json_array_size(models);
    struct few__catalog_builder *builder = few__catalog_begin(&l->arena, n);
    const char **names = FEW__ARENA_NEW(&l->arena, const char *, n);
    struct few_cost *costs = FEW__ARENA_NEW(&l->arena, struct few_cost, n);
    if (!builder || !names || !costs) return no_memory(r);
    FEW__TRY(add_models(r, models, builder));
    for (size_t i = 0; i < n; i++) {
        names[i] = l->catalog.models[i].name;
        costs[i] = l->catalog.models[i].cost;
        if (few__catalog_find(&l->catalog, names[i]) != (int)i) return wrong(r, "models", "each name once");
    }
    l->about.n_models = n;
    l->about.models = names;
    l->about.costs = costs;
    l->about.catalog = &l->catalog;
    return FEW_OK;
}

/* ---- methods ---- */

static enum few_status read_stop(struct reader *r, const json_t *from, struct few__learned_stop *stop)
{
    FEW__TRY(read_number(r, from, "recall", NAN, &stop->recall));
    FEW__TRY(read_number(r, from, "price", -INFINITY, &stop->price));
    FEW__TRY(read_number(r, from, "got", NAN, &stop->got));
    FEW__TRY(read_number(r, from, "low", NAN, &stop->low));
    FEW__TRY(read_number(r, from, "high", NAN, &stop->high));
    return read_number(r, from, "time_ratio", NAN, &stop->time_ratio);
}

static enum few_status read_stops(struct reader *r, const json_t *from, struct few__learned_method *method)
{
    const json_t *stops;
    FEW__TRY(read_array(r, from, "stops", FEW__POLICY_STOPS_MAX, &stops));
    method->n_stops = json_array_size(stops);
    struct few__learned_stop *to = FEW__ARENA_NEW(&r->l->arena, struct few__learned_stop, method->n_stops);
    if (!to) return no_memory(r);
    method->stops = to;
    for (size_t i = 0; i < method->n_stops; i++) {
        FEW__TRY(read_stop(r, json_array_get(stops, i), &to[i]));
        double before = i > 0 ? to[i - 1].recall : -1;
        if (!(to[i].recall > before && to[i].recall >= 0 && to[i].recall <= 1))
            return wrong(r, "recall", "rising numbers from 0 to 1");
    }
    return FEW_OK;
}

static enum few_status read_method(struct reader *r, const json_t *from, size_t i,
                                   struct few__learned_method *method)
{
    const char *name = json_string_value(json_object_get(from, "name"));
    json_int_t folds;
    if (!name) return wrong(r, "methods", "names");
    const struct few__method *row = few__method_find(name);
    if (!row)
        return few__fail(r->err, FEW_EVERSION,
                         "%s: expected methods that this version of Fewer knows, found '%s'", r->l->name,
                         name);
    for (size_t k = 0; k < i; k++)
        if (r->l->rows[k] == row) return wrong(r, "methods", "each once");
    FEW__TRY(read_count(r, from, "folds", COUNT_MAX, &folds));
    r->l->rows[i] = row;
    *method = (struct few__learned_method){.name = row->name,
                                           .rank = row->rank,
                                           .blind = row->blind,
                                           .has_outputs = row->has_outputs,
                                           .folds = (size_t)folds};
    return read_stops(r, from, method);
}

static enum few_status read_methods(struct reader *r, const json_t *root)
{
    struct few__learned *l = r->l;
    const json_t *methods;
    const char *preferred = json_string_value(json_object_get(root, "preferred"));
    FEW__TRY(read_array(r, root, "methods", FEW__POLICY_METHODS_MAX, &methods));
    size_t n = json_array_size(methods);
    struct few__learned_method *to = FEW__ARENA_NEW(&l->arena, struct few__learned_method, n);
    l->rows = FEW__ARENA_NEW(&l->arena, const struct few__method *, n);
    l->selves = FEW__ARENA_NEW(&l->arena, void *, n);
    if (!to || !l->rows || !l->selves) return no_memory(r);
    l->about.preferred = n;
    for (size_t i = 0; i < n; i++) {
        FEW__TRY(read_method(r, json_array_get(methods, i), i, &to[i]));
        if (preferred && strcmp(preferred, to[i].name) == 0) l->about.preferred = i;
    }
    if (l->about.preferred == n) return wrong(r, "preferred", "one of its methods");
    l->about.methods = to;
    l->about.n_methods = n;
    return FEW_OK;
}

/* ---- all ---- */

static enum few_status read_head(struct reader *r, const json_t *root)
{
    struct few__learned_about *about = &r->l->about;
    json_int_t version, split, n_items;
    FEW__TRY(read_count(r, root, "version", COUNT_MAX, &version));
    if (version != FEW__POLICY_VERSION)
        return few__fail(r->err, FEW_EVERSION,
                         "%s: expected version %d of policies, found %lld: another version of Fewer made it",
                         r->l->name, FEW__POLICY_VERSION, (long long)version);
    const char *seed = json_string_value(json_object_get(root, "seed"));
    char *end = NULL;
    errno = 0;
    if (seed) about->seed = strtoull(seed, &end, 10);
    if (!seed || errno || !*seed || *end) return wrong(r, "seed", "a whole number as text");
    FEW__TRY(read_count(r, root, "split", 100, &split));
    FEW__TRY(read_count(r, root, "items", COUNT_MAX, &n_items));
    FEW__TRY(read_text(r, root, "source", &about->source));
    FEW__TRY(read_text(r, root, "trace", &about->trace));
    about->split = (int)split;
    about->n_items = (size_t)n_items;
    return FEW_OK;
}

static enum few_status read_all(struct reader *r, const json_t *root)
{
    if (!json_is_object(root)) return wrong(r, FEW__POLICY_WORD, "a JSON object");
    FEW__TRY(read_head(r, root));
    FEW__TRY(read_lists(r, root));
    FEW__TRY(read_models(r, root));
    return read_methods(r, root);
}

enum few_status few__learned_read(struct few__learned *learned, const char *text, struct few_error *err)
{
    struct reader r = {.l = learned, .err = err};
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    enum few_status status = read_all(&r, root);
    json_decref(root);
    return status;
}
