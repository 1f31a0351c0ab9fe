// SPDX-License-Identifier: Apache-2.0
/* make_policy TRACE POLICY SPLIT: a policy for tests of commands and pages: the static order, and one small network after a few
 * steps, which knows next to nothing. A training for people takes minutes. Stops are those of the items that it was learned from. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/learned.h"
#include "train/curve.h"
#include "train/learner_value_net.h"
#include "train/learners.h"
#include "train/split.h"

enum { STOPS = 4, METHODS = 2 };

static const double wanted[STOPS] = {0.5, 0.8, 0.9, 1};

struct maker {
    struct few__trace *trace;
    struct few__arena arena;
    struct few__split split;
    struct few_cost *costs; // (n_models,)
    struct few__tensors *tensors;
    struct few__learned_stop stops[METHODS][STOPS];
    struct few__learned_method methods[METHODS];
};

static void check(enum few_status status, const struct few_error *err)
{
    if (status == FEW_OK) return;
    fprintf(stderr, "make_policy: %s\n", err->message);
    exit(1);
}

static void learn(struct maker *m)
{
    struct few_error err = {0};
    struct few__lesson lesson = {.trace = m->trace,
                                 .items = m->split.items,
                                 .n_items = m->split.n_items,
                                 .costs = m->costs,
                                 .seed = 1,
                                 .n_threads = 1};
    const struct few__net_learn_opts small = {.n_nets = 1, .hidden = 8, .steps = 40, .batch = 16};
    check(few__tensors_create(NULL, &m->tensors, &err), &err);
    check(few__learner_static.learn(&lesson, m->tensors, &err), &err);
    check(few__net_learn(&lesson, &small, m->tensors, &err), &err);
}

static void measure(struct maker *m, size_t i, const char *name)
{
    struct few_error err = {0};
    const struct few__method *row = few__method_find(name);
    if (!row) exit(1);
    struct few__curve *curve;
    const struct few__curve_opts opts = {.trace = m->trace,
                                         .costs = m->costs,
                                         .method = row,
                                         .n_items = m->split.n_items,
                                         .n_units = m->split.n_units};
    for (size_t s = 0; s < STOPS; s++) m->stops[i][s].recall = wanted[s];
    check(few__curve_create(&opts, NULL, &curve, &err), &err);
    check(few__curve_add(curve, m->tensors, m->split.items, m->split.unit_of, m->split.n_items, &err), &err);
    check(few__curve_finish(curve, &err), &err);
    check(few__curve_stops(curve, m->tensors, 1, m->stops[i], STOPS, &err), &err);
    few__curve_destroy(curve);
    m->methods[i] = (struct few__learned_method){.name = row->name,
                                                 .rank = row->rank,
                                                 .blind = row->blind,
                                                 .has_outputs = row->has_outputs,
                                                 .n_stops = STOPS,
                                                 .stops = m->stops[i],
                                                 .folds = 1};
}

int main(int argc, char **argv)
{
    struct few_error err = {0};
    struct maker m = {0};
    if (argc != 4) return 2;
    int split = (int)strtol(argv[3], NULL, 10);
    check(few__trace_load(argv[1], true, NULL, &m.trace, &err), &err);
    few__arena_init(&m.arena, NULL, (size_t)1 << 30);
    check(few__split_create(m.trace, split, "", &m.arena, &m.split, &err), &err);
    size_t n = m.trace->catalog.n_models;
    m.costs = FEW__ARENA_NEW(&m.arena, struct few_cost, n);
    if (!m.costs) return 1;
    for (size_t i = 0; i < n; i++) m.costs[i] = m.trace->catalog.models[i].cost;
    learn(&m);
    measure(&m, 0, "static");
    measure(&m, 1, "value_net");
    const struct few__learned_about about = {.seed = 1,
                                             .split = split,
                                             .n_items = m.split.n_items,
                                             .n_methods = METHODS,
                                             .methods = m.methods,
                                             .preferred = 1,
                                             .n_models = n,
                                             .costs = m.costs,
                                             .source = "",
                                             .trace = "",
                                             .catalog = &m.trace->catalog};
    check(few__learned_write(&about, m.tensors, argv[2], &err), &err);
    few__tensors_free(m.tensors);
    few__arena_finish(&m.arena);
    few__trace_free(m.trace);
    return 0;
}
