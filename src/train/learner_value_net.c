// SPDX-License-Identifier: Apache-2.0
/* A sample: an item, a random set of models that ran on it, and for each other model the share of the item's value that it would
 * add (0 where it has none). Sets are the first so many models of static's order, shaken by Gumbel noise of three
 * strengths, so that likely and unlikely ones come. All nets see the same items; their draws differ. */
#include "train/learner_value_net.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "exec/chain.h"
#include "item/marginals.h"
#include "item/value.h"
#include "item/value_net.h"
#include "nn/net_file.h"
#include "nn/optim.h"
#include "train/evidence_learn.h"

enum { HIDDEN_LAYERS = 2, REPORT_EVERY = 50 };
static const double step_of_order = 0.3;       // between neighbours of static's order, in units of the noise
static const double strengths[] = {0.3, 1, 3}; // of the noise
static const double largest_set = 0.65;        // of the models
static const double pi = 3.14159265358979323846;

struct school {
    const struct few__lesson *lesson;
    struct few__net_learn_opts opts;
    struct few__arena arena;
    size_t n_models;
    struct few__value_nets shape; // of the inputs
    size_t n_in;
    float *table; // (n_items, evidences.n)
    struct few__marginals values;
    struct few__chains chains;
    double *place; // (n_models,) in static's order, as a score: higher goes first

    // One sample.
    double *score; // (n_models,)
    size_t *drawn; // (n_models,) models by falling score
    bool *ran;     // (n_models,)
    float *seen;   // (values.most_slots,)

    // One batch.
    float *inputs;  // (batch, n_in)
    float *targets; // (batch, n_models)
    float *weights; // (batch, n_models) 1: counts
};

/* ---- a sample ---- */

static const struct few__trace_cell *cell_of(const struct school *s, size_t i, size_t m)
{
    return few__trace_cell(s->lesson->trace, s->lesson->items[i], m);
}

static void rank_models(struct school *s, struct few__rng *rng)
{
    double strength = strengths[few__rng_below(rng, sizeof strengths / sizeof *strengths)];
    for (size_t m = 0; m < s->n_models; m++) {
        double u = (few__rng_unit(rng) + 0x1p-54);
        s->score[m] = s->place[m] - strength * log(-log(u));
    }
    for (size_t m = 0; m < s->n_models; m++) {
        size_t at = m;
        for (; at > 0 && s->score[s->drawn[at - 1]] < s->score[m]; at--) s->drawn[at] = s->drawn[at - 1];
        s->drawn[at] = m;
    }
}

// What could have run: a need goes before its users, and has to find something for them.
static void draw_set(struct school *s, size_t i, struct few__rng *rng)
{
    uint64_t most = 1 + (uint64_t)(largest_set * (double)s->n_models), n = few__rng_below(rng, most);
    rank_models(s, rng);
    memset(s->ran, 0, s->n_models * sizeof *s->ran);
    for (size_t k = 0; k < n; k++) s->ran[s->drawn[k]] = true;
    for (size_t k = 0; k < s->n_models; k++) {
        size_t m = s->chains.order[k];
        int need = s->chains.needs[m];
        const struct few__trace_cell *above = need < 0 ? NULL : cell_of(s, i, (size_t)need);
        if (cell_of(s, i, m)->outcome != FEW_EXECUTED) s->ran[m] = false;
        if (above && (!s->ran[need] || above->empty)) s->ran[m] = false;
    }
}

static void hear_set(struct school *s, size_t i)
{
    memset(s->seen, 0, (s->values.base[i + 1] - s->values.base[i]) * sizeof *s->seen);
    for (size_t m = 0; m < s->n_models; m++)
        if (s->ran[m]) few__marginal_add(&s->values, i, m, s->seen, NULL);
}

static void write_inputs(const struct school *s, size_t i, float *x)
{
    const struct few__evidences *e = &s->shape.evidences;
    const float *from = s->table + i * e->n;
    memset(x, 0, s->n_in * sizeof *x);
    for (size_t m = 0; m < s->n_models; m++) {
        if (!s->ran[m]) continue;
        const struct few__evidence *of = &e->models[m];
        memcpy(x + of->at, from + of->at, (of->n_parts + of->n_summary) * sizeof *x);
        x[e->n + m] = 1;
    }
    float *sums = x + e->n + s->n_models;
    size_t n_spaces = s->shape.n_spaces, base = s->values.base[i];
    for (size_t k = 0; k < s->values.base[i + 1] - base; k++) {
        size_t space = s->shape.space_of[s->values.labels[base + k]];
        if (!(s->seen[k] > 0)) continue;
        sums[2 * space] += s->seen[k];
        sums[2 * space + 1] += 1;
        sums[2 * n_spaces] += s->seen[k];
        sums[2 * n_spaces + 1] += 1;
    }
    few__seen_inputs(sums, n_spaces);
}

// Nobody asks for a model that ran, or whose need ran and found nothing.
static bool counts(const struct school *s, size_t i, size_t m)
{
    int need = s->chains.needs[m];
    return !s->ran[m] && (need < 0 || !s->ran[need] || !cell_of(s, i, (size_t)need)->empty);
}

static void write_targets(struct school *s, size_t i, float *targets, float *weights)
{
    double whole = s->values.whole[i];
    for (size_t m = 0; m < s->n_models; m++) {
        weights[m] = counts(s, i, m);
        targets[m] = whole > 0 ? (float)(few__marginal(&s->values, i, m, s->seen) / whole) : 0;
    }
}

static void draw_batch(struct school *s, struct few__rng *rng)
{
    size_t n_in = s->n_in;
    for (size_t b = 0; b < s->opts.batch; b++) {
        size_t i = (size_t)few__rng_below(rng, s->lesson->n_items);
        draw_set(s, i, rng);
        hear_set(s, i);
        write_inputs(s, i, s->inputs + b * n_in);
        write_targets(s, i, s->targets + b * s->n_models, s->weights + b * s->n_models);
    }
}

/* ---- a net ---- */

static enum few_status tell(const struct school *s, size_t net, size_t step, struct few_error *err)
{
    double share = ((double)net + (double)step / (double)s->opts.steps) / (double)s->opts.n_nets;
    if (step % REPORT_EVERY || !s->lesson->progress || s->lesson->progress(s->lesson->ud, share))
        return FEW_OK;
    return few__fail(err, FEW_ECANCELED, "learning was stopped");
}

/* Targets are a few hundredths; outputs of Glorot's size, and dropout's noise in them, would have to be unlearned first, and
 * what was learned until then is mostly their average. So: hidden weights of half the size, outputs from zero. */
static void begin_small(struct few__net *net, struct few__rng *rng)
{
    few__net_init(net, FEW__GLOROT_UNIFORM, rng);
    for (size_t l = 0; l < net->n_layers; l++) {
        float scale = l + 1 < net->n_layers ? 0.5F : 0;
        float *weights = net->params + net->layers[l].weights;
        for (size_t i = 0; i < net->layers[l].n_in * net->layers[l].stride; i++) weights[i] *= scale;
    }
}

static enum few_status fit(struct school *s, size_t number, struct few__net *net, struct few__work *work,
                           struct few__optim *optim, struct few__rng *rng, struct few_error *err)
{
    const struct few__net_input input = {.n = s->opts.batch, .dense = s->inputs, .n_dense = s->n_in};
    const struct few__targets targets = {
        .t = s->targets, .weights = s->weights, .weight_stride = s->n_models};
    const struct few__loss loss = {.kind = FEW__SQUARED, .scale = 1 / (float)s->opts.batch};
    begin_small(net, rng);
    for (size_t step = 0; step < s->opts.steps; step++) {
        FEW__TRY(tell(s, number, step, err));
        few__optim_set_rate(optim, net,
                            s->opts.rate * (0.5 + 0.5 * cos(pi * (double)step / (double)s->opts.steps)));
        draw_batch(s, rng);
        few__net_forward(net, work, &input, rng);
        few__net_loss(net, work, &loss, &targets, NULL);
        few__net_backward(net, work, &input);
        few__optim_step(optim, net, work);
    }
    return FEW_OK;
}

static enum few_status learn_net(struct school *s, size_t number, struct few__tensors *tensors,
                                 struct few_error *err)
{
    const float dropout = (float)s->opts.dropout;
    const struct few__net_spec spec = {.n_in = s->n_in,
                                       .n_layers = HIDDEN_LAYERS + 1,
                                       .layers = {{s->opts.hidden, FEW__RELU, dropout},
                                                  {s->opts.hidden, FEW__RELU, dropout},
                                                  {s->n_models, FEW__LINEAR, 0}}};
    struct few__optim_spec adam = few__adam;
    adam.rate = s->opts.rate;
    adam.decay = s->opts.decay;
    struct few__net *net = NULL;
    struct few__work *work = NULL;
    struct few__optim *optim = NULL;
    struct few__rng rng;
    few__rng_init(&rng, s->lesson->seed, number);
    char prefix[48];
    snprintf(prefix, sizeof prefix, "value_net.net.%zu", number);
    enum few_status status = few__net_create(&spec, &s->lesson->env, &net, err);
    if (status == FEW_OK) status = few__work_create(net, s->opts.batch, &s->lesson->env, &work, err);
    if (status == FEW_OK) status = few__optim_create(net, &adam, &s->lesson->env, &optim, err);
    if (status == FEW_OK) status = fit(s, number, net, work, optim, &rng, err);
    if (status == FEW_OK) status = few__net_put(net, tensors, prefix, err);
    few__optim_destroy(optim);
    few__work_destroy(work);
    few__net_destroy(net);
    return status;
}

/* ---- all ---- */

static enum few_status place_models(struct school *s, struct few_error *err)
{
    const struct few__lesson *lesson = s->lesson;
    size_t *order = FEW__ARENA_NEW(&s->arena, size_t, s->n_models);
    s->place = FEW__ARENA_NEW(&s->arena, double, s->n_models);
    if (!order || !s->place) return few__no_memory(err, "value net");
    FEW__TRY(few__static_order(lesson->trace, lesson->items, lesson->n_items, lesson->costs, &lesson->env,
                               order, err));
    for (size_t p = 0; p < s->n_models; p++) s->place[order[p]] = -step_of_order * (double)p;
    return FEW_OK;
}

static enum few_status prepare(struct school *s, struct few_error *err)
{
    const struct few__lesson *lesson = s->lesson;
    size_t batch = s->opts.batch, n = s->n_models;
    FEW__TRY(few__chains_build(&lesson->trace->catalog, &s->arena, &s->chains, err));
    FEW__TRY(place_models(s, err));
    FEW__TRY(
        few__marginals_create(lesson->trace, lesson->items, lesson->n_items, &s->arena, &s->values, err));
    FEW__TRY(few__evidence_learn(lesson, &s->arena, &s->shape.evidences, &s->table, err));
    uint32_t *spaces = FEW__ARENA_NEW(&s->arena, uint32_t, lesson->trace->catalog.n_labels);
    if (!spaces) return few__no_memory(err, "value net");
    s->shape.n_spaces = few__label_spaces(&lesson->trace->catalog, spaces);
    s->shape.space_of = spaces;
    s->n_in = few__value_nets_inputs(&s->shape);
    s->score = FEW__ARENA_NEW(&s->arena, double, n);
    s->drawn = FEW__ARENA_NEW(&s->arena, size_t, n);
    s->ran = FEW__ARENA_NEW(&s->arena, bool, n);
    s->seen = FEW__ARENA_NEW(&s->arena, float, s->values.most_slots);
    s->inputs = FEW__ARENA_NEW(&s->arena, float, batch * s->n_in);
    s->targets = FEW__ARENA_NEW(&s->arena, float, batch *n);
    s->weights = FEW__ARENA_NEW(&s->arena, float, batch *n);
    bool whole = s->score && s->drawn && s->ran && s->seen && s->inputs && s->targets && s->weights;
    return whole ? FEW_OK : few__no_memory(err, "value net");
}

static enum few_status learn(struct school *s, struct few__tensors *tensors, struct few_error *err)
{
    const size_t one = 1;
    const int64_t n_nets = (int64_t)s->opts.n_nets;
    FEW__TRY(prepare(s, err));
    FEW__TRY(few__tensors_add(tensors, "value_net.n_nets", FEW__I64, &one, 1, &n_nets, NULL, err));
    FEW__TRY(few__evidences_put(&s->shape.evidences, tensors, "value_net.evidence", err));
    for (size_t i = 0; i < s->opts.n_nets; i++) FEW__TRY(learn_net(s, i, tensors, err));
    return FEW_OK;
}

// Below 600 items fewer steps do as well: on 200 of the demo, 500 steps as 2,200.
static size_t usual_steps(size_t n_items)
{
    if (n_items < 600) return 200 + 4 * n_items;
    return 2000 + (n_items < 6000 ? n_items : 6000);
}

static struct few__net_learn_opts filled(const struct few__net_learn_opts *given, size_t n_items)
{
    struct few__net_learn_opts o = *given;
    if (!o.n_nets) o.n_nets = 5;
    if (!o.hidden) o.hidden = 192;
    if (!o.steps) o.steps = usual_steps(n_items);
    if (!o.batch) o.batch = 256;
    if (!(o.dropout > 0)) o.dropout = 0.5;
    if (!(o.rate > 0)) o.rate = 1e-3;
    if (!(o.decay > 0)) o.decay = 0.03;
    return o;
}

enum few_status few__net_learn(const struct few__lesson *lesson, const struct few__net_learn_opts *opts,
                               struct few__tensors *tensors, struct few_error *err)
{
    struct school s = {
        .lesson = lesson, .opts = filled(opts, lesson->n_items), .n_models = lesson->trace->catalog.n_models};
    if (lesson->n_items == 0 || s.n_models == 0)
        return few__fail(err, FEW_EINVAL,
                         "value_net: expected items and models to learn from, found %zu and %zu",
                         lesson->n_items, s.n_models);
    if (s.opts.n_nets > FEW__VALUE_NETS_MAX)
        return few__fail(err, FEW_EINVAL, "value_net: expected at most %d nets, found %zu",
                         FEW__VALUE_NETS_MAX, s.opts.n_nets);
    few__arena_init(&s.arena, few__env(&lesson->env).mem, SIZE_MAX / 2); // the trace in memory is the limit
    enum few_status status = learn(&s, tensors, err);
    few__arena_finish(&s.arena);
    return status;
}

static enum few_status learn_default(const struct few__lesson *lesson, struct few__tensors *tensors,
                                     struct few_error *err)
{
    return few__net_learn(lesson, &(struct few__net_learn_opts){0}, tensors, err);
}

const struct few__learner few__learner_value_net = {
    .name = "value_net", .learn = learn_default, .weight = 100};
