// SPDX-License-Identifier: Apache-2.0
/* The names by which parts of a manifest use each other: label lists and their files, needs, variants. */
#include <string.h>

#include "core/error.h"
#include "core/text.h"
#include "model/kind.h"
#include "model/labels.h"
#include "model/manifest_draft.h"

/* ---- label lists ---- */

static void list_problem(struct few__reader *r, const struct few__list_draft *list, const char *key,
                         const char *found, const char *expected)
{
    struct few__where labels = {.key = "labels"}, entry = {.up = &labels, .key = list->name};
    struct few__where where = {.up = &entry, .key = key};
    const struct few__yaml *node = few__yaml_get(list->node, key);
    few__problem(r->problems, (node ? node : list->node)->place, &where, found, "%s", expected);
}

static void read_label_file(struct few__reader *r, struct few__list_draft *list)
{
    struct few__label_file file;
    struct few_error err;
    enum few_status status = few__labels_read(list->file, r->arena, &file, &err);
    if (status == FEW_ENOMEM) r->problems->no_memory = true;
    else if (status != FEW_OK) list_problem(r, list, "file", err.message, "a label file");
    else if (file.n == 0) list_problem(r, list, "file", "none in it", "at least one name");
    if (status != FEW_OK) return;
    list->n = file.n;
    list->names = file.names;
    if (!list->space) list->space = file.space;
}

static bool has_name(const struct few__list_draft *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->names[i], name) == 0) return true;
    return false;
}

static void check_list(struct few__reader *r, struct few__list_draft *list)
{
    struct few__arena *words = r->problems->arena;
    if (list->count && list->n && list->count != list->n) {
        const char *expected = few__arena_printf(words, "%zu, the number of its names", list->n);
        list_problem(r, list, "count", few__arena_printf(words, "%zu", list->count),
                     expected ? expected : "");
    }
    const struct few__yaml *nulls = few__yaml_get(list->node, "null_labels");
    for (size_t i = 0; list->n && i < list->n_null; i++) {
        struct few__where labels = {.key = "labels"}, entry = {.up = &labels, .key = list->name};
        struct few__where key = {.up = &entry, .key = "null_labels"}, where = {.up = &key, .index = i};
        if (has_name(list, list->null_names[i])) continue;
        bool full = few__problems_full(r->problems);
        const char *nearest = few__nearest_name(list->null_names[i], list->names, full ? 0 : list->n);
        few__problem(r->problems, nulls->items[i]->place, &where, few__yaml_found(words, nulls->items[i]),
                     nearest ? "a name of the list, perhaps \"%s\"" : "a name of the list%s",
                     nearest ? nearest : "");
    }
    if (!list->space) list->space = list->name;
}

static void read_list(struct few__reader *r, const struct few__where *where,
                      const struct few__yaml_pair *pair, struct few__list_draft *list)
{
    list->node = pair->value;
    list->key = pair->key;
    list->name = pair->key->text;
    few__section_read(r, &few__list_section, where, pair->value, list);
    if (pair->value->type != FEW__YAML_MAP) return;
    bool file = few__yaml_get(list->node, "file"), names = few__yaml_get(list->node, "names");
    if (file == names)
        few__problem(r->problems, list->node->place, where, file ? "both" : "neither", "file or names");
    else if (list->file) read_label_file(r, list);
    check_list(r, list);
}

static const struct few__list_draft *find_list(const struct few__manifest_draft *manifest, const char *name)
{
    for (size_t k = 0; k < manifest->n_lists; k++)
        if (strcmp(manifest->lists[k].name, name) == 0) return &manifest->lists[k];
    return NULL;
}

void few__read_lists(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                     const struct few__field *field, void *to)
{
    struct few__manifest_draft *manifest = (void *)((char *)to - field->offset);
    if (node->type != FEW__YAML_MAP || node->n > field->max) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    manifest->lists = FEW__ARENA_NEW(r->arena, struct few__list_draft, node->n);
    if (!manifest->lists) {
        r->problems->no_memory = true;
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        const struct few__yaml *key = node->pairs[i].key;
        struct few__where entry = {.up = where, .key = key->text};
        if (key->type != FEW__YAML_TEXT || key->text[0] == '\0') {
            few__unexpected(r, where, key, "a key that is a text");
            continue;
        }
        const struct few__list_draft *first = find_list(manifest, key->text);
        if (first) few__twice(r, &entry, key, first->key);
        else read_list(r, &entry, &node->pairs[i], &manifest->lists[manifest->n_lists++]);
    }
}

/* ---- models ---- */

/* The first model of that name that has one, or -1. */
static int find_model(const struct few__manifest_draft *m, const char *name)
{
    for (size_t i = 0; i < m->n_models; i++)
        if (m->models[i].model.name && strcmp(m->models[i].model.name, name) == 0) return (int)i;
    return -1;
}

/* "a name under labels, perhaps "coco80"" */
static void unknown_name(struct few__reader *r, const struct few__manifest_draft *m, size_t i,
                         const char *section, const char *key, const char *name, const char *expected)
{
    if (few__problems_full(r->problems)) {
        few__model_problem(r, &m->models[i], i, section, key, NULL, expected);
        return;
    }
    bool lists = section != NULL;
    size_t n = 0, n_all = lists ? m->n_lists : m->n_models;
    const char **names = FEW__ARENA_NEW(r->problems->arena, const char *, n_all);
    if (!names) {
        r->problems->no_memory = true;
        return;
    }
    for (size_t k = 0; k < n_all; k++) {
        names[n] = lists ? m->lists[k].name : m->models[k].model.name;
        if (names[n]) n++;
    }
    const char *nearest = few__nearest_name(name, names, n);
    const char *both =
        few__arena_printf(r->problems->arena, "%s, perhaps \"%s\"", expected, nearest ? nearest : "");
    few__model_problem(r, &m->models[i], i, section, key, NULL, nearest && both ? both : expected);
}

static void check_name(struct few__reader *r, const struct few__manifest_draft *m, size_t i)
{
    const struct few__model_draft *d = &m->models[i];
    int first = d->model.name ? find_model(m, d->model.name) : (int)i;
    if ((size_t)first == i) return;
    const char *found = few__arena_printf(r->problems->arena, "\"%s\" again after line %d", d->model.name,
                                          m->models[first].node->place.line);
    few__model_problem(r, d, i, NULL, "name", found ? found : "it again", "a name that no other model has");
}

static void resolve_labels(struct few__reader *r, const struct few__manifest_draft *m, size_t i)
{
    struct few__model_draft *d = &m->models[i];
    if (!d->labels) return;
    d->list = find_list(m, d->labels);
    if (!d->list) {
        unknown_name(r, m, i, "output", "labels", d->labels, "a name under labels");
        return;
    }
    bool each = d->model.kind == FEW_CLASSES || d->model.kind == FEW_LABELS;
    if (!each || !d->recipe.decode.n_values || !d->list->n || d->recipe.decode.n_values == d->list->n) return;
    const char *expected = few__arena_printf(r->problems->arena, "%zu, one for each label", d->list->n);
    few__model_problem(r, d, i, "output", "values", NULL, expected ? expected : "");
}

static void resolve_vocabulary(struct few__reader *r, const struct few__manifest_draft *m, size_t i)
{
    struct few__model_draft *d = &m->models[i];
    if (!d->vocabulary) return;
    const struct few__list_draft *list = find_list(m, d->vocabulary);
    if (!list) {
        unknown_name(r, m, i, "input", "vocabulary", d->vocabulary, "a name under labels");
        return;
    }
    d->recipe.input.tokens.n_names = list->n;
    d->recipe.input.tokens.names = list->names;
}

static void resolve_needs(struct few__reader *r, const struct few__manifest_draft *m, size_t i)
{
    struct few__model_draft *d = &m->models[i];
    if (!d->needs) return;
    int needs = find_model(m, d->needs);
    if (needs < 0) {
        unknown_name(r, m, i, NULL, "needs", d->needs, "the name of a model");
        return;
    }
    enum few_kind kind = m->models[needs].model.kind;
    if (kind != FEW_DETECTIONS && kind != FEW_BOX && kind != FEW_KIND_COUNT) {
        const char *found =
            few__arena_printf(r->problems->arena, "\"%s\" of kind %s", d->needs, few__kind_names[kind]);
        few__model_problem(r, d, i, NULL, "needs", found ? found : "", "a model of kind detections or box");
    }
    d->model.needs = needs;
}

static void resolve_variant(struct few__reader *r, const struct few__manifest_draft *m, size_t i)
{
    struct few__model_draft *d = &m->models[i];
    if (!d->variant_of) return;
    int first = find_model(m, d->variant_of);
    if (first < 0) {
        unknown_name(r, m, i, NULL, "variant_of", d->variant_of, "the name of a model");
        return;
    }
    struct few__model_draft *group = &m->models[first];
    if (group->variant_of && strcmp(group->variant_of, d->variant_of) != 0)
        few__model_problem(r, d, i, NULL, "variant_of", NULL,
                           "the first model of a group, no variant itself");
    else if (group->model.kind != d->model.kind && group->model.kind != FEW_KIND_COUNT &&
             d->model.kind != FEW_KIND_COUNT)
        few__model_problem(r, d, i, NULL, "variant_of", NULL, "a model of the same output kind");
    else if (group->model.modality != d->model.modality && group->input_is_known && d->input_is_known)
        few__model_problem(r, d, i, NULL, "variant_of", NULL, "a model of the same kind of input");
    d->model.variant_of = group->model.variant_of = first;
}

/* ---- circles ---- */

static const char *circle_text(struct few__reader *r, const struct few__manifest_draft *m, size_t start)
{
    struct few__text text;
    few__text_init(&text, r->problems->arena->mem, 1024);
    few__text_put(&text, m->models[start].model.name);
    for (size_t at = start, steps = 0; steps == 0 || at != start; steps++) {
        at = (size_t)m->models[at].model.needs;
        if (steps < 8 || at == start) few__text_printf(&text, " > %.30s", m->models[at].model.name);
        else if (steps == 8) few__text_put(&text, " > ...");
    }
    const char *copy = few__text_ok(&text) ? few__arena_strdup(r->problems->arena, text.s) : NULL;
    few__text_finish(&text);
    return copy;
}

/* Follow needs from each model; a circle is noted once, at its first model. */
static void check_circles(struct few__reader *r, struct few__manifest_draft *m)
{
    size_t *visit =
        FEW__ARENA_NEW(r->problems->arena, size_t, m->n_models); // 0 = not yet, else from which + 1
    if (!visit) {
        r->problems->no_memory = true;
        return;
    }
    for (size_t i = 0; i < m->n_models; i++) {
        int at = (int)i;
        for (; at >= 0 && visit[at] == 0; at = m->models[at].model.needs) visit[at] = i + 1;
        if (at < 0 || visit[at] != i + 1) continue;
        size_t first = (size_t)at;
        for (int k = m->models[at].model.needs; k != at; k = m->models[k].model.needs)
            if ((size_t)k < first) first = (size_t)k;
        few__model_problem(r, &m->models[first], first, NULL, "needs", circle_text(r, m, first),
                           "models that do not need each other in a circle");
    }
}

/* ---- rates ---- */

// Sound is made once at each rate; too many of them are noted once.
static void check_rates(struct few__reader *r, const struct few__manifest_draft *m)
{
    int rates[FEW__RATES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < m->n_models; i++) {
        int rate = m->models[i].recipe.input.window.rate;
        size_t k = 0;
        while (k < n && rates[k] != rate) k++;
        if (rate == 0 || k < n) continue;
        if (n < FEW__RATES_MAX) {
            rates[n++] = rate;
            continue;
        }
        const char *expected = few__arena_printf(
            r->problems->arena, "one of the %d rates that models before it have (%d, %d, %d, %d)",
            FEW__RATES_MAX, rates[0], rates[1], rates[2], rates[3]);
        few__model_problem(r, &m->models[i], i, "input", "rate", NULL, expected ? expected : "");
        return;
    }
}

void few__links_resolve(struct few__reader *r, struct few__manifest_draft *draft)
{
    for (size_t i = 0; i < draft->n_models; i++) {
        if (draft->models[i].node->type != FEW__YAML_MAP) continue;
        check_name(r, draft, i);
        resolve_labels(r, draft, i);
        resolve_vocabulary(r, draft, i);
        resolve_needs(r, draft, i);
        resolve_variant(r, draft, i);
    }
    check_circles(r, draft);
    check_rates(r, draft);
}
