// SPDX-License-Identifier: Apache-2.0
// A policy file in use: methods as value functions for a catalog, and the price for a wanted recall.
#include "policy/learned.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "policy/learned_inside.h"

#define ARENA_MAX ((size_t)1 << 30)

/* ---- life ---- */

static enum few_status open_methods(struct few__learned *l, struct few_error *err)
{
    for (size_t i = 0; i < l->about.n_methods; i++) {
        enum few_status status = l->rows[i]->open(l->tensors, &l->catalog, &l->env, &l->selves[i], err);
        if (status == FEW_OK) continue;
        if (status != FEW_ENOMEM) status = FEW_EPARSE; // a tensor that is missing, or of another shape
        return few__wrap(err, status, "%s: method %s", l->name, l->rows[i]->name);
    }
    return FEW_OK;
}

static enum few_status fill(struct few__learned *l, const char *name, struct few_error *err)
{
    const char *text = few__tensors_word(l->tensors, FEW__POLICY_WORD);
    l->name = few__arena_strdup(&l->arena, name);
    if (!l->name) return few__no_memory(err, name);
    if (!text)
        return few__fail(err, FEW_EPARSE, "%s: expected a policy, found tensors without the words of one",
                         name);
    FEW__TRY(few__learned_read(l, text, err));
    return open_methods(l, err);
}

// tensors are taken over.
static enum few_status open_tensors(struct few__tensors *tensors, const char *name, const struct few_env *env,
                                    struct few__learned **learned, struct few_error *err)
{
    struct few__learned *l = FEW__NEW(env->mem, struct few__learned);
    if (!l) {
        few__tensors_free(tensors);
        return few__no_memory(err, name);
    }
    l->env = *env;
    l->tensors = tensors;
    few__arena_init(&l->arena, env->mem, ARENA_MAX);
    enum few_status status = fill(l, name, err);
    if (status == FEW_OK) *learned = l;
    else few__learned_close(l);
    return status;
}

// A trace or a run, which is easily mistaken for one.
static bool is_store(const char *path)
{
    static const char begins[] = "SQLite format 3";
    char found[sizeof begins] = "";
    FILE *file = fopen(path, "rb");
    size_t n = file ? fread(found, 1, sizeof found, file) : 0;
    if (file) fclose(file);
    return n == sizeof found && memcmp(found, begins, sizeof begins) == 0;
}

enum few_status few__learned_open(const char *path, const struct few_env *env, struct few__learned **learned,
                                  struct few_error *err)
{
    struct few_env e = few__env(env);
    struct few__tensors *tensors;
    *learned = NULL;
    enum few_status status = few__tensors_read(path, &e, &tensors, err);
    if (status == FEW_OK) return open_tensors(tensors, path, &e, learned, err);
    if (status == FEW_ENOMEM || !is_store(path)) return status;
    return few__fail(err, FEW_EPARSE,
                     "%s: expected a policy, found a trace or run; 'fewer train' makes one of it", path);
}

enum few_status few__learned_parse(const void *bytes, size_t n, const char *name, const struct few_env *env,
                                   struct few__learned **learned, struct few_error *err)
{
    struct few_env e = few__env(env);
    struct few__tensors *tensors;
    *learned = NULL;
    FEW__TRY(few__tensors_parse(bytes, n, name, &e, &tensors, err));
    return open_tensors(tensors, name, &e, learned, err);
}

void few__learned_close(struct few__learned *l)
{
    if (!l) return;
    for (size_t i = 0; l->selves && i < l->about.n_methods; i++)
        if (l->selves[i]) l->rows[i]->close(l->selves[i]);
    few__arena_finish(&l->arena);
    few__tensors_free(l->tensors);
    few__free(l->env.mem, l);
}

struct few__learned_about few__learned_about(const struct few__learned *l)
{
    return l->about;
}

const struct few__tensors *few__learned_tensors(const struct few__learned *l)
{
    return l->tensors;
}

/* ---- values ---- */

// A value function with the map that it looks through.
struct mapped {
    struct few__arena arena;
    struct few__method_map map;
    struct few__value value;
};

static void begin(void *self, const struct few__view *view)
{
    struct mapped *m = self;
    if (m->value.begin) m->value.begin(m->value.self, view);
}

static void score(void *self, const struct few__view *view, double *q)
{
    struct mapped *m = self;
    m->value.score(m->value.self, view, q);
}

static void destroy(void *self)
{
    struct mapped *m = self;
    const struct few_mem *mem = m->arena.mem;
    if (m->value.destroy) m->value.destroy(m->value.self);
    few__arena_finish(&m->arena);
    few__free(mem, m);
}

// Of the catalog's models, as the policy has them.
static struct few_cost *learned_costs(const struct few__learned *l, struct mapped *m)
{
    size_t n = m->map.catalog->n_models;
    struct few_cost *costs = FEW__ARENA_NEW(&m->arena, struct few_cost, n);
    for (size_t i = 0; costs && i < n; i++) costs[i] = l->about.costs[m->map.model_of[i]];
    return costs;
}

static enum few_status fill_mapped(const struct few__learned *l, size_t i, const struct few_catalog *catalog,
                                   const struct few_cost *costs, bool packs, struct mapped *m,
                                   struct few_error *err)
{
    FEW__TRY(few__learned_map(l, catalog, &m->arena, &m->map, err));
    if (!costs && !(costs = learned_costs(l, m))) return few__no_memory(err, l->name);
    return l->rows[i]->value(l->selves[i], &m->map, costs, packs, &l->env, &m->value, err);
}

// costs NULL: those of the policy.
static enum few_status make(const struct few__learned *l, size_t i, const struct few_catalog *catalog,
                            const struct few_cost *costs, bool packs, const struct few_env *env,
                            struct few__value *value, struct few_error *err)
{
    const struct few_mem *mem = few__env(env).mem;
    struct mapped *m = FEW__NEW(mem, struct mapped);
    *value = (struct few__value){0};
    if (!m) return few__no_memory(err, l->name);
    few__arena_init(&m->arena, mem, ARENA_MAX);
    enum few_status status = fill_mapped(l, i, catalog, costs, packs, m, err);
    if (status != FEW_OK) destroy(m);
    else
        *value = (struct few__value){
            .self = m, .name = l->rows[i]->name, .begin = begin, .score = score, .destroy = destroy};
    return status;
}

enum few_status few__learned_value(const struct few__learned *l, size_t i, const struct few_catalog *catalog,
                                   const struct few_cost *costs, const struct few_env *env,
                                   struct few__value *value, struct few_error *err)
{
    return make(l, i, catalog, costs, false, env, value, err);
}

enum few_status few__learned_gains(const struct few__learned *l, size_t i, const struct few_catalog *catalog,
                                   const struct few_env *env, struct few__value *value, struct few_error *err)
{
    return make(l, i, catalog, NULL, true, env, value, err);
}

/* ---- prices ---- */

static double between(double a, double b, double share)
{
    return share >= 1 || a == b ? b : a + share * (b - a);
}

enum few_status few__learned_price(const struct few__learned *l, size_t i, double recall,
                                   struct few__learned_stop *stop, struct few_error *err)
{
    const struct few__learned_method *method = &l->about.methods[i];
    size_t n = method->n_stops, s = 0;
    *stop = (struct few__learned_stop){0};
    while (s < n && method->stops[s].recall < recall) s++;
    if (n == 0 || s == n || !(recall >= method->stops[0].recall))
        return few__fail(err, FEW_EINVAL, "%s: method %s: expected a recall from %g to %g, found %g", l->name,
                         method->name, n ? method->stops[0].recall : 0.0,
                         n ? method->stops[n - 1].recall : 0.0, recall);
    const struct few__learned_stop *b = &method->stops[s], *a = s > 0 ? &method->stops[s - 1] : b;
    double share = a == b ? 1 : (recall - a->recall) / (b->recall - a->recall);
    *stop = (struct few__learned_stop){
        .recall = recall,
        .price = isinf(b->price) ? b->price : between(a->price, b->price, share),
        .got = between(a->got, b->got, share),
        .low = between(a->low, b->low, share),
        .high = between(a->high, b->high, share),
        .time_ratio = between(a->time_ratio, b->time_ratio, share),
    };
    return FEW_OK;
}
