// SPDX-License-Identifier: Apache-2.0
/* A zoo may have fewer models than the policy, and in another order; those that it has must be what the policy saw: what it
 * says of labels and values would be of something else otherwise. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "model/catalog.h"
#include "policy/learned_inside.h"

enum { SHOWN_MAX = 80 };

struct pair {
    const char *name; // of the policy's file
    const struct few_model *known, *found;
    const struct few_catalog *known_in, *found_in;
};

static enum few_status changed(const struct pair *p, const char *what, const char *expected,
                               const char *found, struct few_error *err)
{
    return few__fail(err, FEW_EINVAL,
                     "%s: model '%s' has changed since the policy was learned: expected %s %s, found %s; "
                     "train again on a trace of the zoo as it is",
                     p->name, p->known->name, what, expected, found);
}

static const char *need_of(const struct few_catalog *catalog, const struct few_model *model)
{
    return model->needs < 0 ? "none" : catalog->models[model->needs].name;
}

static enum few_status check_labels(const struct pair *p, struct few_error *err)
{
    const struct few_model *a = p->known, *b = p->found;
    char expected[SHOWN_MAX], found[SHOWN_MAX];
    snprintf(expected, sizeof expected, "%zu labels", a->n_labels);
    snprintf(found, sizeof found, "%zu", b->n_labels);
    if (a->n_labels != b->n_labels) return changed(p, "a list of", expected, found, err);
    if (strcmp(a->space, b->space) != 0) return changed(p, "the label space", a->space, b->space, err);
    for (size_t i = 0; i < a->n_labels; i++) {
        snprintf(expected, sizeof expected, "%zu to be '%s'", i, a->labels[i]);
        if (strcmp(a->labels[i], b->labels[i]) != 0) return changed(p, "label", expected, b->labels[i], err);
        if (!a->is_null || a->is_null[i] == b->is_null[i]) continue;
        snprintf(expected, sizeof expected, "'%s' to be %s", a->labels[i],
                 a->is_null[i] ? "a null label" : "valuable");
        return changed(p, "label", expected, "the contrary", err);
    }
    return FEW_OK;
}

static enum few_status check_number(const struct pair *p, const char *what, float known, float now,
                                    struct few_error *err)
{
    char expected[SHOWN_MAX], found[SHOWN_MAX];
    if (known == now) return FEW_OK;
    snprintf(expected, sizeof expected, "%g", (double)known);
    snprintf(found, sizeof found, "%g", (double)now);
    return changed(p, what, expected, found, err);
}

static enum few_status check(const struct pair *p, struct few_error *err)
{
    const struct few_model *a = p->known, *b = p->found;
    if (a->kind != b->kind) return changed(p, "kind", few_kind_name(a->kind), few_kind_name(b->kind), err);
    if (a->modality != b->modality)
        return changed(p, "input", few_modality_name(a->modality), few_modality_name(b->modality), err);
    const char *need = need_of(p->known_in, a), *need_now = need_of(p->found_in, b);
    if (strcmp(need, need_now) != 0) return changed(p, "needs", need, need_now, err);
    FEW__TRY(check_labels(p, err));
    FEW__TRY(check_number(p, "threshold", a->threshold, b->threshold, err));
    if (a->kind == FEW_SCALAR) {
        FEW__TRY(check_number(p, "empty", a->empty, b->empty, err));
        FEW__TRY(check_number(p, "tolerance", a->tolerance, b->tolerance, err));
    }
    bool both = *a->digest && *b->digest;
    if (both && strcmp(a->digest, b->digest) != 0)
        return changed(p, "a file with SHA-256", a->digest, b->digest, err);
    return FEW_OK;
}

static void map_labels(const struct few_model *known, const struct few_model *found, uint32_t *label_of)
{
    if (found->own_label >= 0) label_of[found->own_label] = (uint32_t)known->own_label;
    for (size_t i = 0; found->label_ids && i < found->n_labels; i++)
        label_of[found->label_ids[i]] = (uint32_t)known->label_ids[i];
}

enum few_status few__learned_map(const struct few__learned *l, const struct few_catalog *catalog,
                                 struct few__arena *arena, struct few__method_map *map, struct few_error *err)
{
    uint32_t *model_of = FEW__ARENA_NEW(arena, uint32_t, catalog->n_models);
    uint32_t *label_of = FEW__ARENA_NEW(arena, uint32_t, catalog->n_labels);
    if (!model_of || !label_of) return few__no_memory(err, l->name);
    memset(label_of, 0xff, catalog->n_labels * sizeof *label_of);
    for (size_t m = 0; m < catalog->n_models; m++) {
        const struct few_model *found = &catalog->models[m];
        int known = few__catalog_find(&l->catalog, found->name);
        if (known < 0)
            return few__fail(
                err, FEW_EINVAL,
                "%s: expected models that the policy was learned with, found '%s', which it does "
                "not know; train again on a trace that has it",
                l->name, found->name);
        const struct pair pair = {l->name, &l->catalog.models[known], found, &l->catalog, catalog};
        FEW__TRY(check(&pair, err));
        model_of[m] = (uint32_t)known;
        map_labels(pair.known, found, label_of);
    }
    *map = (struct few__method_map){.catalog = catalog, .model_of = model_of, .label_of = label_of};
    return FEW_OK;
}
