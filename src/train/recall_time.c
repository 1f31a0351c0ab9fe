// SPDX-License-Identifier: Apache-2.0
#include "train/recall_time.h"

#include <stdlib.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "exec/exec_sim.h"

static const double slack = 1e-9; // what sums in another order may differ by, relative

struct start {
    int64_t at_us;
    size_t model;
};

struct few__recall_time {
    struct few__arena arena; // holds the arrays
    const struct few__trace *trace;
    const size_t *items;
    size_t n_items, n_levels;
    double levels[FEW__RECALL_LEVELS_MAX];
    struct few__sched sched;
    struct few__exec *exec;
    struct few__sim_truth *truth; // (n_models,)
    struct start *starts;         // (n_models,)
    float *seen;                  // (n_labels,) zero between items
    int64_t clock_us;             // of the executor, which never goes back
};

static void set_truth(struct few__recall_time *r, size_t item)
{
    for (size_t m = 0; m < r->trace->catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(r->trace, item, m);
        bool found = cell->outcome == FEW_EXECUTED && !cell->empty;
        r->truth[m] = (struct few__sim_truth){.time_us = cell->time_us > 0 ? cell->time_us : 1,
                                              .result = cell->outcome == FEW_FAILED ? FEW__RESULT_FAILED
                                                        : found                     ? FEW__RESULT_OK
                                                                                    : FEW__RESULT_EMPTY,
                                              .valuable = cell->valuable,
                                              .n_valuable = found ? cell->n_valuable : 0};
    }
}

// What the labels of a model add to what has been seen.
static double gain(struct few__recall_time *r, size_t model)
{
    double sum = 0;
    for (size_t i = 0; i < r->truth[model].n_valuable; i++) {
        const struct few_valuable *said = &r->truth[model].valuable[i];
        float *seen = &r->seen[said->label];
        if (said->confidence <= *seen) continue;
        sum += (double)said->confidence - (double)*seen;
        *seen = said->confidence;
    }
    return sum;
}

static void forget(struct few__recall_time *r)
{
    for (size_t m = 0; m < r->trace->catalog.n_models; m++)
        for (size_t i = 0; i < r->truth[m].n_valuable; i++) r->seen[r->truth[m].valuable[i].label] = 0;
}

static int by_start(const void *a, const void *b)
{
    const struct start *x = a, *y = b;
    if (x->at_us != y->at_us) return x->at_us < y->at_us ? -1 : 1;
    return x->model < y->model ? -1 : x->model > y->model;
}

static size_t replay(struct few__recall_time *r, size_t item)
{
    size_t n = 0;
    r->clock_us = few__sim_item(r->exec, item, r->clock_us, FEW__NO_DEADLINE, r->truth);
    const struct few__exec_row *rows = few__exec_rows(r->exec, 0);
    for (size_t m = 0; m < r->trace->catalog.n_models; m++)
        if (rows[m].start_us >= 0) r->starts[n++] = (struct start){rows[m].start_us, m};
    qsort(r->starts, n, sizeof *r->starts, by_start);
    return n;
}

// Adds the item's times to ratio[], and the time of everything to *all_us.
static void add_item(struct few__recall_time *r, size_t item, double *ratio, double *all_us)
{
    double total = 0, value = 0, time_us = 0;
    size_t level = 0;
    set_truth(r, item);
    for (size_t m = 0; m < r->trace->catalog.n_models; m++) {
        total += gain(r, m);
        if (few__trace_cell(r->trace, item, m)->outcome == FEW_EXECUTED)
            *all_us += (double)r->truth[m].time_us;
    }
    forget(r);
    size_t n = total > 0 ? replay(r, item) : 0;
    for (size_t k = 0; k <= n; k++) {
        if (k > 0) {
            value += gain(r, r->starts[k - 1].model);
            time_us += (double)r->truth[r->starts[k - 1].model].time_us;
        }
        while (level < r->n_levels && (k == n || value >= (r->levels[level] - slack) * total))
            ratio[level++] += time_us;
    }
    forget(r);
}

double few__recall_time(struct few__recall_time *r, double *ratio)
{
    double sums[FEW__RECALL_LEVELS_MAX] = {0}, all_us = 0, mean = 0;
    for (size_t i = 0; i < r->n_items; i++) add_item(r, r->items[i], sums, &all_us);
    for (size_t level = 0; level < r->n_levels; level++) {
        double share = all_us > 0 ? sums[level] / all_us : 0;
        if (ratio) ratio[level] = share;
        mean += share / (double)r->n_levels;
    }
    return mean;
}

static enum few_status check(const struct few__trace *trace, const size_t *items, size_t n_items,
                             const double *levels, size_t n_levels, struct few_error *err)
{
    if (n_items == 0) return few__fail(err, FEW_EINVAL, "measuring recall needs items, found none");
    for (size_t i = 0; i < n_items; i++)
        if (items[i] >= trace->n_items)
            return few__fail(err, FEW_EINVAL, "item %zu of a trace of %zu", items[i], trace->n_items);
    if (n_levels < 1 || n_levels > FEW__RECALL_LEVELS_MAX)
        return few__fail(err, FEW_ELIMIT, "expected 1 to %d recalls, found %zu", FEW__RECALL_LEVELS_MAX,
                         n_levels);
    for (size_t i = 0; i < n_levels; i++)
        if (!(levels[i] > 0 && levels[i] <= 1) || (i > 0 && levels[i] < levels[i - 1]))
            return few__fail(err, FEW_EINVAL, "expected rising recalls above 0 and at most 1, found %g",
                             levels[i]);
    return FEW_OK;
}

static enum few_status prepare(struct few__recall_time *r, const struct few_cost *costs,
                               const struct few_env *env, struct few_error *err)
{
    size_t n = r->trace->catalog.n_models;
    r->truth = FEW__ARENA_NEW(&r->arena, struct few__sim_truth, n);
    r->starts = FEW__ARENA_NEW(&r->arena, struct start, n);
    r->seen = FEW__ARENA_NEW(&r->arena, float, r->trace->catalog.n_labels);
    if (!r->truth || !r->starts || !r->seen) return few__no_memory(err, "measuring recall");
    struct few__exec_opts opts = {.env = env,
                                  .catalog = &r->trace->catalog,
                                  .costs = costs,
                                  .choosers = &r->sched.chooser,
                                  .n_lanes = 1};
    return few__exec_create(&opts, &r->exec, err);
}

enum few_status few__recall_time_create(const struct few__trace *trace, const size_t *items, size_t n_items,
                                        const struct few_cost *costs, const double *levels, size_t n_levels,
                                        struct few__value value, enum few__rank rank,
                                        const struct few_env *env, struct few__recall_time **out,
                                        struct few_error *err)
{
    struct few_env e = few__env(env);
    struct few__sched sched;
    *out = NULL;
    FEW__TRY(few__sched_deadline_create(&trace->catalog, value, rank, &e, &sched, err));
    struct few__recall_time *r = NULL;
    enum few_status status = check(trace, items, n_items, levels, n_levels, err);
    if (status == FEW_OK) {
        r = FEW__NEW(e.mem, struct few__recall_time);
        if (!r) status = few__no_memory(err, "measuring recall");
    }
    if (!r) {
        few__sched_destroy(&sched);
        return status;
    }
    *r = (struct few__recall_time){
        .trace = trace, .items = items, .n_items = n_items, .n_levels = n_levels, .sched = sched};
    memcpy(r->levels, levels, n_levels * sizeof *levels);
    few__arena_init(&r->arena, e.mem, SIZE_MAX);
    status = prepare(r, costs, &e, err);
    if (status == FEW_OK) *out = r;
    else few__recall_time_destroy(r);
    return status;
}

void few__recall_time_destroy(struct few__recall_time *r)
{
    if (!r) return;
    const struct few_mem *mem = r->arena.mem;
    few__exec_destroy(r->exec);
    few__sched_destroy(&r->sched);
    few__arena_finish(&r->arena);
    few__free(mem, r);
}
