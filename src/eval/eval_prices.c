// SPDX-License-Identifier: Apache-2.0
/* Where on its curve a method of a policy is looked at: prices chosen on the train items, so that the test items decide
 * nothing. At a price p an item runs its steps up to the first that is worth less than p a microsecond; so a step is
 * run at all prices up to the lowest worth among it and those before it. */
#include <math.h>
#include <stdlib.h>

#include "core/error.h"
#include "core/mem.h"
#include "eval/eval_lane.h"

enum { ITEMS_MAX = 1000 }; // as many train items, evenly taken, place prices well enough

struct gain { // of one step of one item
    double price;
    double recall, time_us; // that it adds
    size_t number;          // among all of them: equal prices keep their order
};

struct prices {
    const struct few__eval *eval;
    struct few__eval_lane lane;
    struct few__eval_item state;
    struct few__arena scratch; // the gains
    size_t n_items, n;
    struct gain *gains; // (n,)
};

static int by_falling_price(const void *a, const void *b)
{
    const struct gain *x = a, *y = b;
    if (x->price != y->price) return x->price > y->price ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static void note_steps(struct prices *p, const struct few__eval_whole *whole)
{
    double lowest = INFINITY;
    few__eval_lane_freely(&p->lane, false);
    few__eval_begin(&p->state, p->lane.said.item);
    for (size_t k = 0; k < p->lane.n_steps; k++) {
        const struct few__eval_step *step = &p->lane.steps[k];
        double value = p->state.value, time_us = p->state.time_us;
        lowest = fmin(lowest, step->worth.value / (double)step->worth.time_us);
        few__eval_run(&p->state, step->model);
        p->gains[p->n] =
            (struct gain){.price = lowest,
                          .recall = whole->value > 0 ? (p->state.value - value) / whole->value : 0,
                          .time_us = p->state.time_us - time_us,
                          .number = p->n};
        p->n++;
    }
}

static enum few_status note_items(struct prices *p, struct few_error *err)
{
    const struct few__eval *eval = p->eval;
    float *seen = FEW__ARENA_NEW(&p->scratch, float, eval->trace->catalog.n_labels);
    p->gains = FEW__ARENA_NEW(&p->scratch, struct gain, p->n_items * eval->trace->catalog.n_models);
    if (!seen || !p->gains) return few__no_memory(err, "evaluation");
    for (size_t i = 0; i < p->n_items; i++) {
        size_t item = eval->train[i * eval->n_train / p->n_items];
        struct few__eval_whole whole = few__eval_whole(eval->trace, item, seen);
        FEW__TRY(few__eval_lane_item(&p->lane, item, err));
        note_steps(p, &whole);
    }
    return FEW_OK;
}

// Half of a step's size is its share of all recall, half its share of all time.
static void cut(struct prices *p, size_t n, double *prices)
{
    double recall = 0, time_us = 0, done = 0;
    size_t k = 0;
    qsort(p->gains, p->n, sizeof *p->gains, by_falling_price);
    for (size_t i = 0; i < p->n; i++) {
        recall += p->gains[i].recall;
        time_us += p->gains[i].time_us;
    }
    for (size_t i = 0; i < p->n; i++) {
        done += recall > 0 ? p->gains[i].recall / recall / 2 : 0;
        done += time_us > 0 ? p->gains[i].time_us / time_us / 2 : 0;
        while (k < n && done * (double)(n + 1) >= (double)(k + 1)) prices[k++] = p->gains[i].price;
    }
    while (k < n) prices[k++] = p->n > 0 ? p->gains[p->n - 1].price : 0;
}

enum few_status few__eval_prices(const struct few__eval *eval, const struct few__eval_method *method,
                                 size_t n, double *prices, struct few_error *err)
{
    struct prices p = {.eval = eval, .n_items = eval->n_train < ITEMS_MAX ? eval->n_train : ITEMS_MAX};
    FEW__TRY(few__eval_item_create(eval, &p.state, err));
    few__arena_init(&p.scratch, eval->env.mem, FEW__EVAL_SCRATCH_MAX);
    enum few_status status = few__eval_lane_open(eval, method, NULL, &p.lane, err);
    if (status == FEW_OK) status = note_items(&p, err);
    if (status == FEW_OK) cut(&p, n, prices);
    few__eval_lane_close(&p.lane);
    few__arena_finish(&p.scratch);
    return status;
}
