// SPDX-License-Identifier: Apache-2.0
#include "train/recall_time.h"

#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "policy/method_replay.h"

static const double slack = 1e-9; // what sums in another order may differ by, relative

struct few__recall_time {
    const struct few_mem *mem;
    const size_t *items;
    size_t n_items, n_levels;
    double levels[FEW__RECALL_LEVELS_MAX];
    struct few__replay *replay;
};

// Adds the item's times to ratio[], and the time of everything to *all_us.
static void add_item(struct few__recall_time *r, size_t item, double *ratio, double *all_us)
{
    struct few__replay_item said;
    double value = 0, time_us = 0;
    size_t level = 0;
    if (few__replay_run(r->replay, item, &said, NULL) != FEW_OK) return; // without outputs it cannot fail
    *all_us += said.time_us;
    size_t n = said.value > 0 ? said.n_steps : 0;
    for (size_t k = 0; k <= n; k++) {
        if (k > 0) {
            value += said.steps[k - 1].gain;
            time_us += said.steps[k - 1].time_us;
        }
        while (level < r->n_levels && (k == n || value >= (r->levels[level] - slack) * said.value))
            ratio[level++] += time_us;
    }
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

enum few_status few__recall_time_create(const struct few__trace *trace, const size_t *items, size_t n_items,
                                        const struct few_cost *costs, const double *levels, size_t n_levels,
                                        struct few__value value, enum few__rank rank,
                                        const struct few_env *env, struct few__recall_time **out,
                                        struct few_error *err)
{
    const struct few_mem *mem = few__env(env).mem;
    const struct few__replay_opts opts = {.trace = trace, .costs = costs};
    struct few__replay *replay;
    *out = NULL;
    FEW__TRY(few__replay_create(&opts, value, rank, env, &replay, err));
    enum few_status status = check(trace, items, n_items, levels, n_levels, err);
    struct few__recall_time *r = status == FEW_OK ? FEW__NEW(mem, struct few__recall_time) : NULL;
    if (!r) {
        few__replay_destroy(replay);
        return status == FEW_OK ? few__no_memory(err, "measuring recall") : status;
    }
    *r = (struct few__recall_time){
        .mem = mem, .items = items, .n_items = n_items, .n_levels = n_levels, .replay = replay};
    memcpy(r->levels, levels, n_levels * sizeof *levels);
    *out = r;
    return FEW_OK;
}

void few__recall_time_destroy(struct few__recall_time *r)
{
    if (!r) return;
    const struct few_mem *mem = r->mem;
    few__replay_destroy(r->replay);
    few__free(mem, r);
}
