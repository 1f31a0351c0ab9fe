// SPDX-License-Identifier: Apache-2.0
// Invariant: what the nets have added up is the evidence of all models that are marked in heard[].
#include "item/value_net.h"

#include <math.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "exec/chain.h"
#include "item/order.h"
#include "nn/single.h"

/* A share cannot be less than nothing. What is predicted to be is worth this much, so that among the useless the quick ones
 * come first: a negative value over time would prefer the long ones (algorithms.md 1.5). */
static const double least = 1e-3;

struct valuer {
    struct few__arena arena;
    const struct few__value_nets *nets;
    struct few__value_maps maps;
    const struct few_cost *costs;
    bool bundles;
    struct few__chains chains;
    struct few__single *singles[FEW__VALUE_NETS_MAX];
    bool *heard;    // (n_models,) of the catalog
    float *seen[2]; // (2 * (n_spaces + 1),) inputs that the nets have, and as they are now
    float *scratch; // (evidences.room,)
    float *fresh;   // numbers of one model
    float *mean;    // (n_models of the nets,)
    size_t *users;  // (n_models,)
};

size_t few__label_spaces(const struct few_catalog *catalog, uint32_t *space_of)
{
    size_t n = 0;
    for (size_t l = 0; l < catalog->n_labels; l++) {
        size_t same = 0;
        // Labels of a space stand together, so most are found at once.
        if (l > 0 && strcmp(catalog->labels[l].space, catalog->labels[l - 1].space) == 0) same = l - 1;
        else
            while (same < l && strcmp(catalog->labels[l].space, catalog->labels[same].space) != 0) same++;
        space_of[l] = same < l ? space_of[same] : (uint32_t)n++;
    }
    return n;
}

void few__seen_inputs(float *sums, size_t n_spaces)
{
    for (size_t k = 0; k < 2 * (n_spaces + 1); k++) sums[k] = logf(1 + sums[k]);
}

static uint32_t number_of(const struct valuer *v, size_t model)
{
    return v->maps.model_of ? v->maps.model_of[model] : (uint32_t)model;
}

static size_t n_seen(const struct valuer *v)
{
    return 2 * (v->nets->n_spaces + 1);
}

static void begin(void *self, const struct few__view *view)
{
    struct valuer *v = self;
    (void)view;
    memset(v->heard, 0, v->chains.n * sizeof *v->heard);
    memset(v->seen[0], 0, n_seen(v) * sizeof *v->seen[0]);
    for (size_t i = 0; i < v->nets->n_nets; i++) few__single_begin(v->singles[i]);
}

static void hear(struct valuer *v, const struct few__view *view, size_t model, uint32_t number)
{
    const struct few__evidences *e = &v->nets->evidences;
    const struct few__evidence *of = &e->models[number];
    const uint32_t bit = (uint32_t)(e->n + number);
    if (view->outputs[model])
        few__evidence_of(e, number, &view->catalog->models[model], view->outputs[model], v->scratch,
                         v->fresh);
    for (size_t i = 0; i < v->nets->n_nets; i++) {
        if (view->outputs[model])
            few__single_add_dense(v->singles[i], of->at, v->fresh, of->n_parts + of->n_summary);
        few__single_add(v->singles[i], &bit, NULL, 1);
    }
}

// What was seen as a whole, as far as it has changed.
static void look(struct valuer *v, const struct few__view *view)
{
    const struct few__evidences *e = &v->nets->evidences;
    size_t n_spaces = v->nets->n_spaces, n = n_seen(v);
    float *now = v->seen[1];
    memset(now, 0, n * sizeof *now);
    for (size_t i = 0; i < view->n_seen; i++) {
        size_t l = (size_t)view->seen_labels[i];
        uint32_t number = v->maps.label_of ? v->maps.label_of[l] : (uint32_t)l;
        size_t space = number == UINT32_MAX ? n_spaces : v->nets->space_of[number];
        for (size_t to = space;; to = n_spaces) {
            now[2 * to] += view->seen[l];
            now[2 * to + 1] += 1;
            if (to == n_spaces) break;
        }
    }
    few__seen_inputs(now, n_spaces);
    for (size_t k = 0; k < n; k++) {
        float more = now[k] - v->seen[0][k];
        for (size_t i = 0; more != 0 && i < v->nets->n_nets; i++)
            few__single_add_dense(v->singles[i], e->n + e->n_models + k, &more, 1);
        v->seen[0][k] = now[k];
    }
}

// Mean of the nets, in their numbers.
static void ask(struct valuer *v)
{
    size_t n = v->nets->evidences.n_models;
    memset(v->mean, 0, n * sizeof *v->mean);
    for (size_t i = 0; i < v->nets->n_nets; i++) {
        const float *out = few__single_out(v->singles[i]);
        for (size_t m = 0; m < n; m++) v->mean[m] += out[m];
    }
    for (size_t m = 0; m < n; m++) v->mean[m] /= (float)v->nets->n_nets;
}

static double time_of(const struct valuer *v, size_t model)
{
    return v->costs[model].time_us > 0 ? (double)v->costs[model].time_us : 1;
}

// Users of a need by falling value over time, ties by the lowest index; returns how many are worth anything.
static size_t rank_users(const struct valuer *v, const struct few__view *view, size_t need, const double *q)
{
    size_t n = 0;
    for (size_t k = v->chains.place[need] + 1; k < v->chains.end[need]; k++) {
        size_t m = v->chains.order[k], at;
        if (v->chains.needs[m] != (int)need || view->states[m] != FEW__PENDING || !(q[m] > 0)) continue;
        for (at = n++; at > 0 && q[v->users[at - 1]] / time_of(v, v->users[at - 1]) < q[m] / time_of(v, m);
             at--)
            v->users[at] = v->users[at - 1];
        v->users[at] = m;
    }
    return n;
}

/* The need's value becomes that of the best bundle, spread over the need's own time; those of its users go into it. Needs
 * from the ends of chains up. The time of users is charged whole, though they run only where the need finds something. */
static void bundle(struct valuer *v, const struct few__view *view, double *q)
{
    for (size_t k = v->chains.n; k-- > 0;) {
        size_t need = v->chains.order[k];
        if (v->chains.end[need] == k + 1 || view->states[need] == FEW__DONE) continue;
        size_t n = rank_users(v, view, need, q);
        double sum = q[need], time = time_of(v, need), best = sum / time;
        for (size_t i = 0; i < n; i++) {
            sum += q[v->users[i]];
            time += time_of(v, v->users[i]);
            if (sum / time > best) best = sum / time;
        }
        q[need] = best * time_of(v, need);
        for (size_t i = 0; i < n; i++) q[v->users[i]] = 0;
    }
}

static void score(void *self, const struct few__view *view, double *q)
{
    struct valuer *v = self;
    for (size_t m = 0; m < v->chains.n; m++) {
        uint32_t number = number_of(v, m);
        if (v->heard[m] || number == UINT32_MAX || view->states[m] != FEW__DONE ||
            view->outcomes[m] != FEW_EXECUTED)
            continue;
        v->heard[m] = true;
        hear(v, view, m, number);
    }
    look(v, view);
    ask(v);
    for (size_t m = 0; m < v->chains.n; m++) {
        uint32_t number = number_of(v, m);
        double share = number == UINT32_MAX ? 0 : fmax((double)v->mean[number], least);
        q[m] = share * (double)view->catalog->models[m].priority;
    }
    if (v->bundles) bundle(v, view, q);
}

static void destroy(void *self)
{
    struct valuer *v = self;
    const struct few_mem *mem = v->arena.mem;
    for (size_t i = 0; i < v->nets->n_nets; i++) few__single_destroy(v->singles[i]);
    few__arena_finish(&v->arena);
    few__free(mem, v);
}

static enum few_status build(struct valuer *v, const struct few_catalog *catalog, const struct few_env *env,
                             struct few_error *err)
{
    const struct few__evidences *e = &v->nets->evidences;
    size_t most = 0;
    for (size_t m = 0; m < e->n_models; m++)
        if (e->models[m].n_parts + e->models[m].n_summary > most)
            most = e->models[m].n_parts + e->models[m].n_summary;
    for (size_t i = 0; i < v->nets->n_nets; i++) {
        const struct few__net *net = v->nets->nets[i];
        if (net->n_in != few__value_nets_inputs(v->nets) || net->n_out != e->n_models)
            return few__fail(err, FEW_ESHAPE,
                             "value net %zu: expected %zu inputs and %zu outputs, found %zu and %zu", i,
                             few__value_nets_inputs(v->nets), e->n_models, net->n_in, net->n_out);
    }
    FEW__TRY(few__chains_build(catalog, &v->arena, &v->chains, err));
    v->heard = FEW__ARENA_NEW(&v->arena, bool, catalog->n_models);
    v->users = FEW__ARENA_NEW(&v->arena, size_t, catalog->n_models);
    v->scratch = FEW__ARENA_NEW(&v->arena, float, e->room);
    v->fresh = FEW__ARENA_NEW(&v->arena, float, most);
    v->mean = FEW__ARENA_NEW(&v->arena, float, e->n_models);
    for (int k = 0; k < 2; k++) v->seen[k] = FEW__ARENA_NEW(&v->arena, float, n_seen(v));
    if (!v->heard || !v->users || !v->scratch || !v->fresh || !v->mean || !v->seen[0] || !v->seen[1])
        return few__no_memory(err, "value nets");
    for (size_t i = 0; i < v->nets->n_nets; i++)
        FEW__TRY(few__single_create(v->nets->nets[i], env, &v->singles[i], err));
    return FEW_OK;
}

enum few_status few__value_net(const struct few__value_nets *nets, const struct few_catalog *catalog,
                               const struct few__value_maps *maps, const struct few_cost *costs, bool bundles,
                               const struct few_env *env, struct few__value *value, struct few_error *err)
{
    *value = (struct few__value){0};
    struct few_env e = few__env(env);
    if (nets->n_nets == 0 || nets->n_nets > FEW__VALUE_NETS_MAX)
        return few__fail(err, FEW_ESHAPE, "value nets: expected 1 to %d, found %zu", FEW__VALUE_NETS_MAX,
                         nets->n_nets);
    struct valuer *v = FEW__NEW(e.mem, struct valuer);
    if (!v) return few__no_memory(err, "value nets");
    v->nets = nets;
    if (maps) v->maps = *maps;
    v->costs = costs;
    v->bundles = bundles;
    few__arena_init(&v->arena, e.mem, SIZE_MAX / 2); // as large as the nets and labels are
    enum few_status status = build(v, catalog, &e, err);
    if (status != FEW_OK) {
        destroy(v);
        return status;
    }
    begin(v, NULL);
    *value = (struct few__value){
        .self = v, .name = "value_net", .begin = begin, .score = score, .destroy = destroy};
    return FEW_OK;
}
