// SPDX-License-Identifier: Apache-2.0
/* A rules file to drafts by the tables of manifest_fields, then names to numbers of the catalog. Mistakes are collected, so
 * that all of them are told at once. */
#include "model/rules_file.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/file.h"
#include "model/catalog.h"
#include "model/manifest_fields.h"

#define COUNT(array)       (sizeof(array) / sizeof *(array))
#define TO(type, member)   .offset = offsetof(struct type, member)
#define N_OF(type, member) .count_offset = offsetof(struct type, member)

static const size_t SCRATCH_MAX = (size_t)256 << 20; // bytes: the tree of a file at its limit, and messages

/* ---- drafts ---- */

struct when_draft {
    const char *space, *model;
    size_t n_labels;
    const char *const *labels;
};

struct rule_draft {
    const struct few__yaml *node;
    struct when_draft when;
    size_t n_models, n_tasks;
    const char *const *models, *const *tasks;
    double times;
};

struct rules_draft {
    int version;
    size_t n;
    struct rule_draft *rules;
};

#define WHEN(member) TO(when_draft, member)
static const struct few__field when_fields[] = {
    {"space", few__read_text, WHEN(space), .expected = "a label space"},
    {"model", few__read_text, WHEN(model), .expected = "the name of a model"},
    {"labels", few__read_text_list, WHEN(labels), .expected = "a list of 1 to 4096 names of labels",
     .max = FEW__RULE_LABELS_MAX, N_OF(when_draft, n_labels)},
};
static const struct few__section when_section = {"when", when_fields, COUNT(when_fields)};

#define RULE(member) TO(rule_draft, member)
static const struct few__field rule_fields[] = {
    {"when", few__read_section, RULE(when), .expected = "a map", .required = true, .section = &when_section},
    {"models", few__read_text_list, RULE(models), .expected = "a list of 1 to 4096 names of models",
     .max = FEW_MODELS_MAX, N_OF(rule_draft, n_models)},
    {"tasks", few__read_text_list, RULE(tasks), .expected = "a list of 1 to 4096 tasks of models",
     .max = FEW_MODELS_MAX, N_OF(rule_draft, n_tasks)},
    {"times", few__read_double, RULE(times), .expected = "a number from 0.001 to 1000", .required = true,
     .low = 0.001, .high = 1000},
};
static const struct few__section rule_section = {"rules", rule_fields, COUNT(rule_fields)};

static few__read_fn read_rules;
#define RULES(member) TO(rules_draft, member)
static const struct few__field file_fields[] = {
    {"version", few__read_int, RULES(version), .expected = "1", .required = true, .low = FEW__RULES_VERSION,
     .high = FEW__RULES_VERSION},
    {"rules", read_rules, RULES(rules), .expected = "a list of 1 to 256 rules", .required = true,
     .max = FEW__RULES_MAX, N_OF(rules_draft, n)},
};
static const struct few__section file_section = {"rules file", file_fields, COUNT(file_fields)};

static void read_rules(struct few__reader *r, const struct few__where *where, const struct few__yaml *node,
                       const struct few__field *field, void *to)
{
    struct rules_draft *draft = (void *)((char *)to - field->offset);
    if (node->type != FEW__YAML_LIST || node->n == 0 || node->n > field->max) {
        few__unexpected(r, where, node, field->expected);
        return;
    }
    draft->rules = FEW__ARENA_NEW(r->arena, struct rule_draft, node->n);
    if (!draft->rules) {
        r->problems->no_memory = true;
        return;
    }
    draft->n = node->n;
    for (size_t i = 0; i < node->n; i++) {
        struct few__where entry = {.up = where, .index = i};
        draft->rules[i].node = node->items[i];
        few__section_read(r, &rule_section, &entry, node->items[i], &draft->rules[i]);
    }
}

/* ---- names ---- */

struct resolver {
    struct few__reader *reader;
    const struct few_catalog *catalog;
    struct few__arena *arena; // of the rules
    const struct rule_draft *rule;
    size_t i_rule;
    bool *taken; // (max(n_models, n_labels),) scratch, zeros
};

/* Note a mistake of a list's entry, or of `key` itself where the node is no list; section NULL = the rule. */
static void wrong(const struct resolver *v, const char *section, const char *key, size_t index,
                  const char *found, const char *expected)
{
    struct few__where rules = {.key = "rules"}, entry = {.up = &rules, .index = v->i_rule};
    struct few__where part = {.up = &entry, .key = section};
    struct few__where of_key = {.up = section ? &part : &entry, .key = key};
    struct few__where of_item = {.up = &of_key, .index = index};
    const struct few__yaml *map = section ? few__yaml_map(v->rule->node, section) : v->rule->node;
    const struct few__yaml *node = map && map->type == FEW__YAML_MAP ? few__yaml_get(map, key) : NULL;
    bool item = node && node->type == FEW__YAML_LIST && index < node->n;
    if (item) node = node->items[index];
    if (!node) node = map ? map : v->rule->node;
    few__problem(v->reader->problems, node->place, item ? &of_item : &of_key, found, "%s", expected);
}

/* The same where a name is not known: names[] are those that are. */
static void unknown(const struct resolver *v, const char *section, const char *key, size_t index,
                    const char *name, const char *expected, const char *const *names, size_t n)
{
    struct few__arena *scratch = v->reader->problems->arena;
    const char *nearest = few__problems_full(v->reader->problems) ? NULL : few__nearest_name(name, names, n);
    if (nearest) expected = few__arena_printf(scratch, "%s, perhaps \"%s\"", expected, nearest);
    const char *found = few__quoted(scratch, name);
    if (expected && found) wrong(v, section, key, index, found, expected);
    else v->reader->problems->no_memory = true;
}

static const char **names_room(const struct resolver *v, size_t n)
{
    const char **names = FEW__ARENA_NEW(v->reader->problems->arena, const char *, n);
    if (!names) v->reader->problems->no_memory = true;
    return names;
}

static void unknown_model(const struct resolver *v, const char *section, const char *key, size_t index,
                          const char *name, bool by_task)
{
    size_t n = v->catalog->n_models;
    const char **names = names_room(v, n);
    for (size_t m = 0; names && m < n; m++)
        names[m] = by_task ? v->catalog->models[m].task : v->catalog->models[m].name;
    if (names)
        unknown(v, section, key, index, name, by_task ? "the task of a model" : "the name of a model", names,
                n);
}

/* ---- what makes a rule hold ---- */

static bool is_of_model(const struct few_model *model, size_t label)
{
    if (!model->label_ids) return model->own_label == (int32_t)label;
    for (size_t i = 0; i < model->n_labels; i++)
        if (model->label_ids[i] == (int32_t)label) return true;
    return false;
}

/* Marks the labels of the space or of the model; returns how many. Several models may share them. */
static size_t mark_source(const struct resolver *v, int model)
{
    const struct few_catalog *c = v->catalog;
    size_t n = 0;
    for (size_t l = 0; l < c->n_labels; l++) {
        bool of_it = model >= 0 ? is_of_model(&c->models[model], l)
                                : strcmp(c->labels[l].space, v->rule->when.space) == 0;
        v->taken[l] = of_it;
        n += of_it;
    }
    return n;
}

static void unknown_space(const struct resolver *v)
{
    const char **names = names_room(v, v->catalog->n_models);
    for (size_t m = 0; names && m < v->catalog->n_models; m++) names[m] = v->catalog->models[m].space;
    if (names)
        unknown(v, "when", "space", 0, v->rule->when.space, "a label space", names, v->catalog->n_models);
}

static void unknown_label(const struct resolver *v, size_t index)
{
    const struct few_catalog *c = v->catalog;
    const char **names = names_room(v, c->n_labels);
    size_t n = 0;
    for (size_t l = 0; names && l < c->n_labels; l++)
        if (v->taken[l]) names[n++] = c->labels[l].name;
    if (names) unknown(v, "when", "labels", index, v->rule->when.labels[index], "a label of it", names, n);
}

/* The marked label of that name, or -1. */
static int32_t find_label(const struct resolver *v, const char *name)
{
    for (size_t l = 0; l < v->catalog->n_labels; l++)
        if (v->taken[l] && strcmp(v->catalog->labels[l].name, name) == 0) return (int32_t)l;
    return -1;
}

static void resolve_labels(const struct resolver *v, size_t n_marked, struct few__rule *rule)
{
    const struct when_draft *when = &v->rule->when;
    size_t n = when->n_labels ? when->n_labels : n_marked;
    int32_t *labels = FEW__ARENA_NEW(v->arena, int32_t, n);
    if (!labels) {
        v->reader->problems->no_memory = true;
        return;
    }
    rule->labels = labels;
    for (size_t i = 0; i < when->n_labels && when->labels; i++) {
        int32_t label = find_label(v, when->labels[i]);
        if (label >= 0) labels[rule->n_labels++] = label;
        else if (when->labels[i][0] != '\0') unknown_label(v, i); // an empty one was noted when it was read
    }
    for (size_t l = 0; when->n_labels == 0 && l < v->catalog->n_labels; l++)
        if (v->taken[l]) labels[rule->n_labels++] = (int32_t)l;
}

static void resolve_when(const struct resolver *v, struct few__rule *rule)
{
    const struct when_draft *when = &v->rule->when;
    if (!few__yaml_map(v->rule->node, "when")) return; // noted when it was read
    if (!when->space == !when->model) {
        wrong(v, "when", when->space ? "model" : "space", 0, when->space ? "both" : "nothing",
              "a space or a model");
        return;
    }
    int model = when->model ? few__catalog_find(v->catalog, when->model) : -1;
    if (when->model && model < 0) {
        unknown_model(v, "when", "model", 0, when->model, false);
        return;
    }
    size_t n = mark_source(v, model);
    if (n > 0) resolve_labels(v, n, rule);
    else if (when->space) unknown_space(v);
    else
        wrong(v, "when", "model", 0, few__quoted(v->reader->problems->arena, when->model),
              "a model that has labels");
}

/* ---- what it is about ---- */

static bool mark_models(const struct resolver *v, const char *name, bool by_task)
{
    bool any = false;
    for (size_t m = 0; m < v->catalog->n_models; m++) {
        const struct few_model *model = &v->catalog->models[m];
        if (strcmp(by_task ? model->task : model->name, name) != 0) continue;
        v->taken[m] = any = true;
    }
    return any;
}

static void resolve_models(const struct resolver *v, struct few__rule *rule)
{
    const struct rule_draft *d = v->rule;
    size_t n = v->catalog->n_models;
    size_t *models = FEW__ARENA_NEW(v->arena, size_t, n);
    if (!models) {
        v->reader->problems->no_memory = true;
        return;
    }
    if (d->n_models + d->n_tasks == 0 && d->node->type == FEW__YAML_MAP &&
        !few__yaml_get(d->node, "models") && !few__yaml_get(d->node, "tasks"))
        wrong(v, NULL, "models", 0, "nothing", "models or tasks");
    memset(v->taken, 0, n * sizeof *v->taken);
    for (size_t i = 0; d->models && i < d->n_models; i++)
        if (d->models[i][0] && !mark_models(v, d->models[i], false))
            unknown_model(v, NULL, "models", i, d->models[i], false);
    for (size_t i = 0; d->tasks && i < d->n_tasks; i++)
        if (d->tasks[i][0] && !mark_models(v, d->tasks[i], true))
            unknown_model(v, NULL, "tasks", i, d->tasks[i], true);
    rule->models = models;
    for (size_t m = 0; m < n; m++)
        if (v->taken[m]) models[rule->n_models++] = m;
}

static enum few_status resolve(struct few__reader *reader, const struct rules_draft *draft,
                               const struct few_catalog *catalog, struct few__arena *arena,
                               struct few__rules *rules, struct few_error *err)
{
    size_t most = catalog->n_labels > catalog->n_models ? catalog->n_labels : catalog->n_models;
    struct few__rule *list = FEW__ARENA_NEW(arena, struct few__rule, draft->n);
    struct resolver v = {.reader = reader,
                         .catalog = catalog,
                         .arena = arena,
                         .taken = FEW__ARENA_NEW(reader->problems->arena, bool, most)};
    if (!list || !v.taken) return few__no_memory(err, "rules");
    for (size_t i = 0; i < draft->n; i++) {
        v.rule = &draft->rules[i];
        v.i_rule = i;
        list[i].times = v.rule->times;
        resolve_when(&v, &list[i]);
        resolve_models(&v, &list[i]);
    }
    *rules = (struct few__rules){.n = draft->n, .rules = list};
    return FEW_OK;
}

/* ---- the file ---- */

static enum few_status read_text(const char *path, const char *bytes, size_t n,
                                 const struct few_catalog *catalog, struct few__arena *arena,
                                 struct few__arena *scratch, few_problem_fn on_problem, void *ud,
                                 struct few__rules *rules, struct few_error *err)
{
    struct rules_draft draft = {0};
    struct few__problems *problems = FEW__ARENA_NEW(scratch, struct few__problems, 1);
    struct few__reader reader = {.arena = scratch, .problems = problems, .root = ""};
    const struct few__yaml *root = NULL;
    if (!problems) return few__no_memory(err, "rules");
    *problems = (struct few__problems){.arena = scratch, .file = path, .what = "rules"};
    FEW__TRY(few__yaml_read(bytes, n, scratch, problems, &root, err));
    if (root) few__section_read(&reader, &file_section, NULL, root, &draft);
    if (root) FEW__TRY(resolve(&reader, &draft, catalog, arena, rules, err));
    return few__problems_report(problems, on_problem, ud, err);
}

enum few_status few__rules_read(const char *path, const struct few_catalog *catalog, struct few__arena *arena,
                                few_problem_fn on_problem, void *ud, struct few__rules *rules,
                                struct few_error *err)
{
    struct few__arena scratch;
    char *bytes = NULL;
    size_t n = 0;
    *rules = (struct few__rules){0};
    few__arena_init(&scratch, arena->mem, SCRATCH_MAX);
    enum few_status status = few__file_read(path, FEW__RULES_FILE_MAX, arena->mem, &bytes, &n, err);
    if (status == FEW_OK)
        status = read_text(path, bytes, n, catalog, arena, &scratch, on_problem, ud, rules, err);
    if (status != FEW_OK) *rules = (struct few__rules){0};
    few__free(arena->mem, bytes);
    few__arena_finish(&scratch);
    return status;
}
