// SPDX-License-Identifier: Apache-2.0
/* Building a catalog.
 *
 * One open-addressing table holds every (space, name) once, in order of first appearance. Models whose lists
 * are equal share the arrays made from it, so that 4,096 models of one list cost one list. */
#include "model/catalog.h"

#include <assert.h>
#include <string.h>

#include "core/error.h"

struct slot {
    uint32_t hash;
    int32_t label; // -1 = free
};

/* How often a label's name came so far in one list. */
struct use {
    uint32_t list; // serial number from 1
    uint32_t times;
};

/* The arrays made of one list, shared by the models that bring an equal one. */
struct made_list {
    struct made_list *next;
    bool alphabet;
    const char *space;
    size_t n;
    const char *const *raw; // (n,) names as they came
    const char **names;     // (n,) of the catalog's labels, or raw for an alphabet
    int32_t *ids;
    bool *is_null;
};

struct few__catalog_builder {
    struct few__arena *arena;
    struct few_model *models;
    size_t n_models, max_models;
    struct few_label *labels;
    struct use *uses; // (room,) beside labels
    size_t n_labels, room;
    uint32_t n_lists;
    struct slot *slots; // n_slots = a power of two, at most half full
    size_t n_slots;
    struct made_list *lists;
};

enum { FIRST_SLOTS = 1024 };

static struct slot *new_slots(struct few__arena *arena, size_t n)
{
    struct slot *slots = FEW__ARENA_NEW(arena, struct slot, n);
    for (size_t i = 0; slots && i < n; i++) slots[i].label = -1;
    return slots;
}

struct few__catalog_builder *few__catalog_begin(struct few__arena *arena, size_t max_models)
{
    struct few__catalog_builder *b = FEW__ARENA_NEW(arena, struct few__catalog_builder, 1);
    if (!b || max_models > FEW_MODELS_MAX) return NULL;
    b->arena = arena;
    b->max_models = max_models;
    b->models = FEW__ARENA_NEW(arena, struct few_model, max_models);
    b->slots = new_slots(arena, FIRST_SLOTS);
    b->n_slots = FIRST_SLOTS;
    return b->models && b->slots ? b : NULL;
}

/* ---- labels ---- */

/* FNV-1a over both texts and the NUL between them. */
static uint32_t hash_of(const char *space, const char *name)
{
    uint32_t h = 2166136261u;
    for (const char *s = space; *s; s++) h = (h ^ (uint8_t)*s) * 16777619u;
    h *= 16777619u;
    for (const char *s = name; *s; s++) h = (h ^ (uint8_t)*s) * 16777619u;
    return h;
}

static size_t find_slot(const struct few__catalog_builder *b, uint32_t hash, const char *space,
                        const char *name)
{
    for (size_t i = hash & (b->n_slots - 1);; i = (i + 1) & (b->n_slots - 1)) {
        const struct slot *slot = &b->slots[i];
        if (slot->label < 0) return i;
        const struct few_label *label = &b->labels[slot->label];
        if (slot->hash == hash && strcmp(label->name, name) == 0 && strcmp(label->space, space) == 0)
            return i;
    }
}

static enum few_status grow(struct few__catalog_builder *b)
{
    if (b->n_labels == b->room) {
        size_t room = b->room ? 2 * b->room : 256;
        struct few_label *labels = FEW__ARENA_NEW(b->arena, struct few_label, room);
        struct use *uses = FEW__ARENA_NEW(b->arena, struct use, room);
        if (!labels || !uses) return FEW_ENOMEM;
        if (b->n_labels) memcpy(labels, b->labels, b->n_labels * sizeof *labels);
        if (b->n_labels) memcpy(uses, b->uses, b->n_labels * sizeof *uses);
        b->labels = labels;
        b->uses = uses;
        b->room = room;
    }
    if (2 * (b->n_labels + 1) <= b->n_slots) return FEW_OK;
    struct slot *old = b->slots, *slots = new_slots(b->arena, 2 * b->n_slots);
    if (!slots) return FEW_ENOMEM;
    size_t n_old = b->n_slots;
    b->slots = slots;
    b->n_slots = 2 * n_old;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].label < 0) continue;
        const struct few_label *label = &b->labels[old[i].label];
        slots[find_slot(b, old[i].hash, label->space, label->name)] = old[i];
    }
    return FEW_OK;
}

/* The number of a label, a new one if it is not there. space and name are kept: they lie in the arena. */
static enum few_status label_of(struct few__catalog_builder *b, const char *space, const char *name,
                                int32_t *label, struct few_error *err)
{
    uint32_t hash = hash_of(space, name);
    size_t i = find_slot(b, hash, space, name);
    *label = b->slots[i].label;
    if (*label >= 0) return FEW_OK;
    if (b->n_labels == FEW_LABELS_MAX)
        return few__fail(err, FEW_ELIMIT, "labels of one catalog: expected at most %d, found more",
                         FEW_LABELS_MAX);
    if (grow(b) != FEW_OK) return few__no_memory(err, "labels");
    *label = (int32_t)b->n_labels++;
    b->labels[*label] = (struct few_label){.space = space, .name = name};
    b->slots[find_slot(b, hash, space, name)] = (struct slot){.hash = hash, .label = *label};
    return FEW_OK;
}

/* ---- lists ---- */

static bool contains(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static bool same_list(const struct made_list *made, const struct few__label_list *list, bool alphabet)
{
    if (made->alphabet != alphabet || made->n != list->n || strcmp(made->space, list->space) != 0)
        return false;
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(made->raw[i], list->names[i]) != 0) return false;
    for (size_t i = 0; i < list->n && !alphabet; i++)
        if (made->is_null[i] != contains(list->null_names, list->n_null, list->names[i])) return false;
    return true;
}

/* The n-th time that a name comes in this list it is "name (n)". */
static enum few_status number_names(struct few__catalog_builder *b, struct made_list *made,
                                    struct few_error *err)
{
    uint32_t list = ++b->n_lists;
    for (size_t i = 0; i < made->n; i++) {
        int32_t label;
        FEW__TRY(label_of(b, made->space, made->raw[i], &label, err));
        struct use *use = &b->uses[label];
        if (use->list != list) *use = (struct use){.list = list};
        if (++use->times > 1) {
            const char *name = few__arena_printf(b->arena, "%s (%u)", made->raw[i], use->times);
            if (!name) return few__no_memory(err, "labels");
            FEW__TRY(label_of(b, made->space, name, &label, err));
        }
        made->ids[i] = label;
        made->names[i] = b->labels[label].name;
    }
    return FEW_OK;
}

static enum few_status copy_list(struct few__catalog_builder *b, const struct few__label_list *list,
                                 bool alphabet, struct made_list *made, struct few_error *err)
{
    const char **raw = FEW__ARENA_NEW(b->arena, const char *, list->n);
    *made = (struct made_list){.alphabet = alphabet, .n = list->n, .raw = raw};
    made->space = few__arena_strdup(b->arena, list->space);
    made->names = FEW__ARENA_NEW(b->arena, const char *, list->n);
    made->ids = FEW__ARENA_NEW(b->arena, int32_t, list->n);
    made->is_null = FEW__ARENA_NEW(b->arena, bool, list->n);
    if (!raw || !made->space || !made->names || !made->ids || !made->is_null)
        return few__no_memory(err, "labels");
    for (size_t i = 0; i < list->n; i++) {
        if (!(raw[i] = few__arena_strdup(b->arena, list->names[i]))) return few__no_memory(err, "labels");
        made->names[i] = raw[i];
        made->is_null[i] = contains(list->null_names, list->n_null, list->names[i]);
    }
    return alphabet ? FEW_OK : number_names(b, made, err);
}

static enum few_status make_list(struct few__catalog_builder *b, const struct few__label_list *list,
                                 bool alphabet, const struct made_list **out, struct few_error *err)
{
    for (struct made_list *made = b->lists; made; made = made->next) {
        if (!same_list(made, list, alphabet)) continue;
        *out = made;
        return FEW_OK;
    }
    for (size_t i = 0; i < list->n_null; i++)
        if (!contains(list->names, list->n, list->null_names[i]))
            return few__fail(err, FEW_EINVAL, "null label: expected a name of space \"%s\", found \"%s\"",
                             list->space, list->null_names[i]);
    struct made_list *made = FEW__ARENA_NEW(b->arena, struct made_list, 1);
    if (!made) return few__no_memory(err, "labels");
    FEW__TRY(copy_list(b, list, alphabet, made, err));
    made->next = b->lists;
    b->lists = made;
    *out = made;
    return FEW_OK;
}

/* ---- models ---- */

static enum few_status add_labels(struct few__catalog_builder *b, struct few_model *m,
                                  const struct few__label_list *list, struct few_error *err)
{
    const struct made_list *made = NULL;
    bool alphabet = m->kind == FEW_SEQUENCE;
    m->own_label = -1;
    m->space = m->name;
    m->n_labels = 0;
    m->labels = NULL;
    m->label_ids = NULL;
    m->is_null = NULL;
    if (list && list->n > 0) {
        FEW__TRY(make_list(b, list, alphabet, &made, err));
        assert(made);
        m->n_labels = made->n;
        m->labels = made->names;
    }
    if (!made || alphabet) return label_of(b, m->name, m->name, &m->own_label, err);
    m->space = made->space;
    m->label_ids = made->ids;
    m->is_null = made->is_null;
    return FEW_OK;
}

enum few_status few__catalog_add(struct few__catalog_builder *b, const struct few_model *model,
                                 const struct few__label_list *list, struct few_error *err)
{
    if (b->n_models == b->max_models)
        return few__fail(err, FEW_ELIMIT, "models of one catalog: expected at most %zu, found more",
                         b->max_models);
    struct few_model m = *model;
    m.name = few__arena_strdup(b->arena, model->name);
    m.task = few__arena_strdup(b->arena, model->task ? model->task : "");
    if (!m.name || !m.task) return few__no_memory(err, "models");
    FEW__TRY(add_labels(b, &m, list, err));
    b->models[b->n_models++] = m;
    return FEW_OK;
}

enum few_status few__catalog_end(struct few__catalog_builder *b, struct few_catalog *catalog,
                                 struct few_error *err)
{
    for (size_t i = 0; i < b->n_models; i++) {
        const struct few_model *m = &b->models[i];
        int n = (int)b->n_models;
        if (m->needs < -1 || m->needs >= n || m->variant_of < -1 || m->variant_of >= n)
            return few__fail(err, FEW_EINVAL,
                             "model \"%s\": expected needs and variant_of below %d, found %d and %d", m->name,
                             n, m->needs, m->variant_of);
    }
    *catalog = (struct few_catalog){
        .n_models = b->n_models, .models = b->models, .n_labels = b->n_labels, .labels = b->labels};
    return FEW_OK;
}

int few__catalog_find(const struct few_catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->n_models; i++)
        if (strcmp(catalog->models[i].name, name) == 0) return (int)i;
    return -1;
}
