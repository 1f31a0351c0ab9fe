// SPDX-License-Identifier: Apache-2.0
#include "item/trace_world.h"

#include <math.h>
#include <string.h>

#include "core/mem.h"

static struct few__trace_cell *cell_at(struct t_trace *t, size_t item, size_t model)
{
    return &t->trace.cells[item * t->trace.catalog.n_models + model];
}

void t_trace_init(struct t_trace *t, size_t n_models, size_t n_items)
{
    memset(t, 0, sizeof *t);
    t_world_init(&t->world, n_models);
    size_t n_cells = n_models * n_items;
    t->trace.catalog = t->world.catalog;
    t->trace.n_items = n_items;
    t->trace.cells = FEW__NEW_N(NULL, struct few__trace_cell, n_cells + 1);
    t->valuable = FEW__NEW_N(NULL, struct few_valuable, (n_cells + 1) * T_VALUABLE);
    assert_non_null(t->trace.cells);
    assert_non_null(t->valuable);
    for (size_t i = 0; i < n_cells; i++)
        t->trace.cells[i] = (struct few__trace_cell){
            .outcome = FEW_EXECUTED, .time_us = 100, .valuable = &t->valuable[i * T_VALUABLE]};
}

void t_trace_finish(struct t_trace *t)
{
    few__free(NULL, t->trace.cells);
    few__free(NULL, t->valuable);
}

void t_trace_says(struct t_trace *t, size_t item, size_t model, int32_t label, float confidence)
{
    struct few__trace_cell *cell = cell_at(t, item, model);
    size_t first = (item * t->trace.catalog.n_models + model) * T_VALUABLE;
    assert_true(cell->n_valuable < T_VALUABLE);
    t->valuable[first + cell->n_valuable++] = (struct few_valuable){.label = label, .confidence = confidence};
}

void t_trace_empty(struct t_trace *t, size_t item, size_t model)
{
    cell_at(t, item, model)->empty = true;
    cell_at(t, item, model)->n_valuable = 0;
}

void t_trace_random(struct t_trace *t, struct few__rng *rng)
{
    size_t n = t->trace.catalog.n_models, rank[T_MODELS];
    for (size_t m = 0; m < n; m++) rank[m] = m;
    few__rng_shuffle(rng, rank, n);
    for (size_t k = 0; k < n; k++) {
        if (k > 0 && few__rng_below(rng, 3) == 0)
            t->world.models[rank[k]].needs = (int)rank[few__rng_below(rng, k)];
        t_world_time(&t->world, rank[k], 1 + (int64_t)few__rng_below(rng, 200));
    }
    for (size_t i = 0; i < t->trace.n_items; i++)
        for (size_t k = 0; k < n; k++) {
            size_t m = rank[k];
            int need = t->world.models[m].needs;
            cell_at(t, i, m)->time_us = (int32_t)t->world.costs[m].time_us;
            if ((need >= 0 && cell_at(t, i, (size_t)need)->empty) || few__rng_below(rng, 4) == 0) {
                t_trace_empty(t, i, m);
                if (need >= 0 && cell_at(t, i, (size_t)need)->empty) cell_at(t, i, m)->outcome = FEW_SKIPPED;
                continue;
            }
            for (uint64_t v = few__rng_below(rng, 4); v > 0; v--)
                t_trace_says(t, i, m, (int32_t)few__rng_below(rng, 12),
                             (float)(0.5 + 0.5 * few__rng_unit(rng)));
        }
}

const struct few__sim_truth *t_trace_truth(struct t_trace *t, size_t item)
{
    for (size_t m = 0; m < t->trace.catalog.n_models; m++) {
        const struct few__trace_cell *cell = cell_at(t, item, m);
        t->world.truth[m] =
            (struct few__sim_truth){.time_us = cell->time_us,
                                    .result = cell->empty ? FEW__RESULT_EMPTY : FEW__RESULT_OK,
                                    .valuable = cell->valuable,
                                    .n_valuable = cell->n_valuable};
    }
    return t->world.truth;
}

static size_t replay(struct t_trace *t, struct few__value value, enum few__rank rank, double price,
                     size_t item, int64_t deadline_us, size_t *order)
{
    struct few_error err;
    struct few__sched sched;
    struct few__exec_log log;
    value.destroy = NULL; // stays with the caller
    assert_status(few__sched_deadline_create(&t->world.catalog, value, rank, NULL, &sched, &err), FEW_OK,
                  &err);
    few__sched_deadline_price(&sched, price);
    assert_int_equal(few__exec_log_init(&log, NULL, 2 * T_MODELS + 4, NULL), FEW_OK);
    struct few__exec *exec = t_exec(&t->world, sched.chooser, 1, &log);
    few__sim_item(exec, item, 1000, deadline_us, t_trace_truth(t, item));
    t_check(&log, &t->world, 1);
    size_t n = 0;
    for (size_t i = 0; i < log.n; i++)
        if (log.records[i].kind == FEW__LOG_START) order[n++] = log.records[i].model;
    few__exec_log_finish(&log);
    few__exec_destroy(exec);
    few__sched_destroy(&sched);
    return n;
}

size_t t_replay(struct t_trace *t, struct few__value value, enum few__rank rank, size_t item,
                int64_t deadline_us, size_t *order)
{
    return replay(t, value, rank, -INFINITY, item, deadline_us, order);
}

size_t t_replay_price(struct t_trace *t, struct few__value value, enum few__rank rank, double price,
                      size_t *order)
{
    return replay(t, value, rank, price, 0, FEW__NO_DEADLINE, order);
}

size_t t_replay_price_on(struct t_trace *t, struct few__value value, enum few__rank rank, double price,
                         size_t item, size_t *order)
{
    return replay(t, value, rank, price, item, FEW__NO_DEADLINE, order);
}

double t_set_value(const struct t_trace *t, size_t item, const bool *in)
{
    float best[T_LABELS] = {0};
    double value = 0;
    for (size_t m = 0; m < t->trace.catalog.n_models; m++) {
        const struct few__trace_cell *cell = few__trace_cell(&t->trace, item, m);
        for (size_t v = 0; in[m] && v < cell->n_valuable; v++)
            if (cell->valuable[v].confidence > best[cell->valuable[v].label])
                best[cell->valuable[v].label] = cell->valuable[v].confidence;
    }
    for (size_t l = 0; l < T_LABELS; l++) value += (double)best[l];
    return value;
}
