// SPDX-License-Identifier: Apache-2.0
/* Explore and exploit for the segments of streams. AMS says of correlated chunks (TKDD 2022; algorithms.md 1.1): run nearly
 * all models on the start of the chunk, keep the best subset for the rest. The best subset is greedy, as static's order is,
 * on the explored items of this segment.
 *
 * Invariants: n_learned <= n_begun <= n_first; said[0 .. n_said-1] are the valuable labels of the learned items, one (item,
 * model) after the other, which end at ends[]; gains[] hold exactly while n_learned == n_first. */
#include "item/explore.h"

#include <assert.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"
#include "core/mem.h"
#include "item/value.h"
#include "model/output.h"

enum { FIRST_DEFAULT = 3 };

static const double slack = 1e-9; // what sums in another order may differ by, relative

struct stream {
    bool known;
    int64_t segment;
    size_t n_begun, n_learned;
    struct few_valuable *said;
    size_t n_said, room;
    size_t *ends;  // (n_first, n_models)
    double *gains; // (n_models,)
};

struct few__explore {
    struct few_env env;
    struct few__explore_opts opts;
    struct stream *streams; // (n_streams,)
    size_t n_streams;

    // Scratch.
    struct few__arena arena;
    struct few__trace trace; // of the explored items: its catalog and cells
    size_t *items, *order;   // (n_first,) 0, 1 ...; (n_models,)
    struct few_valuable *valuable;
    size_t valuable_max;
};

/* ---- life ---- */

static enum few_status take_scratch(struct few__explore *x, struct few_error *err)
{
    const struct few_mem *mem = x->env.mem;
    const struct few_catalog *catalog = x->opts.catalog;
    size_t n_first = x->opts.n_first, n = catalog->n_models;
    for (size_t m = 0; m < n; m++) {
        size_t max = few__valuable_max(&catalog->models[m]);
        if (max > x->valuable_max) x->valuable_max = max;
    }
    x->trace = (struct few__trace){.catalog = *catalog, .n_items = n_first};
    x->trace.cells = FEW__NEW_N(mem, struct few__trace_cell, n_first * n + 1);
    x->items = FEW__NEW_N(mem, size_t, n_first);
    x->order = FEW__NEW_N(mem, size_t, n + 1);
    x->valuable = FEW__NEW_N(mem, struct few_valuable, x->valuable_max + 1);
    if (!x->trace.cells || !x->items || !x->order || !x->valuable) return few__no_memory(err, "exploring");
    for (size_t k = 0; k < n_first; k++) x->items[k] = k;
    return FEW_OK;
}

enum few_status few__explore_create(const struct few__explore_opts *opts, const struct few_env *env,
                                    struct few__explore **explore, struct few_error *err)
{
    *explore = NULL;
    struct few_env e = few__env(env);
    if (opts->n_first > FEW__EXPLORE_FIRST_MAX)
        return few__fail(err, FEW_EINVAL, "exploring: expected at most %d items of a segment, found %zu",
                         FEW__EXPLORE_FIRST_MAX, opts->n_first);
    if (!(opts->keep >= 0 && opts->keep <= 1))
        return few__fail(err, FEW_EINVAL, "exploring: expected a share of 0 to 1 to keep, found %g",
                         opts->keep);
    struct few__explore *x = FEW__NEW(e.mem, struct few__explore);
    if (!x) return few__no_memory(err, "exploring");
    x->env = e;
    x->opts = *opts;
    if (x->opts.n_first == 0) x->opts.n_first = FIRST_DEFAULT;
    if (x->opts.keep == 0) x->opts.keep = 1;
    few__arena_init(&x->arena, e.mem, SIZE_MAX / 2); // labels of n_first items are the limit
    enum few_status status = take_scratch(x, err);
    if (status == FEW_OK) *explore = x;
    else few__explore_destroy(x);
    return status;
}

void few__explore_destroy(struct few__explore *x)
{
    if (!x) return;
    const struct few_mem *mem = x->env.mem;
    for (size_t i = 0; i < x->n_streams; i++) {
        few__free(mem, x->streams[i].said);
        few__free(mem, x->streams[i].ends);
        few__free(mem, x->streams[i].gains);
    }
    few__free(mem, x->streams);
    few__free(mem, x->trace.cells);
    few__free(mem, x->items);
    few__free(mem, x->order);
    few__free(mem, x->valuable);
    few__arena_finish(&x->arena);
    few__free(mem, x);
}

/* ---- a segment begins ---- */

static enum few_status add_streams(struct few__explore *x, size_t n, struct few_error *err)
{
    size_t room = n > 2 * x->n_streams ? n : 2 * x->n_streams;
    struct stream *streams = few__resize(x->env.mem, x->streams, room, sizeof *streams);
    if (!streams) return few__no_memory(err, "exploring");
    memset(streams + x->n_streams, 0, (room - x->n_streams) * sizeof *streams);
    x->streams = streams;
    x->n_streams = room;
    return FEW_OK;
}

static enum few_status open_stream(struct few__explore *x, struct stream *s, struct few_error *err)
{
    size_t n = x->opts.catalog->n_models;
    if (!s->ends) s->ends = FEW__NEW_N(x->env.mem, size_t, x->opts.n_first * n + 1);
    if (!s->gains) s->gains = FEW__NEW_N(x->env.mem, double, n + 1);
    return s->ends && s->gains ? FEW_OK : few__no_memory(err, "exploring");
}

static bool is_of(const struct few__explore *x, size_t stream, int64_t segment)
{
    return stream < x->n_streams && x->streams[stream].known && x->streams[stream].segment == segment;
}

enum few__phase few__explore_phase(const struct few__explore *x, size_t stream, int64_t segment)
{
    if (!is_of(x, stream, segment)) return FEW__PHASE_EXPLORE;
    const struct stream *s = &x->streams[stream];
    if (s->n_begun < x->opts.n_first) return FEW__PHASE_EXPLORE;
    return s->n_learned < x->opts.n_first ? FEW__PHASE_WAIT : FEW__PHASE_EXPLOIT;
}

enum few_status few__explore_begin(struct few__explore *x, size_t stream, int64_t segment,
                                   struct few_error *err)
{
    assert(few__explore_phase(x, stream, segment) == FEW__PHASE_EXPLORE);
    if (stream >= x->n_streams) FEW__TRY(add_streams(x, stream + 1, err));
    struct stream *s = &x->streams[stream];
    FEW__TRY(open_stream(x, s, err));
    if (!is_of(x, stream, segment)) {
        s->known = true;
        s->segment = segment;
        s->n_begun = s->n_learned = s->n_said = 0;
    }
    s->n_begun++;
    return FEW_OK;
}

/* ---- an item has explored ---- */

static enum few_status keep_said(struct few__explore *x, struct stream *s, size_t n, struct few_error *err)
{
    if (s->n_said + n > s->room) {
        size_t room = s->n_said + n > 2 * s->room ? s->n_said + n : 2 * s->room;
        struct few_valuable *said = few__resize(x->env.mem, s->said, room, sizeof *said);
        if (!said) return few__no_memory(err, "exploring");
        s->said = said;
        s->room = room;
    }
    if (n) memcpy(s->said + s->n_said, x->valuable, n * sizeof *s->said);
    s->n_said += n;
    return FEW_OK;
}

static enum few_status keep_outputs(struct few__explore *x, struct stream *s,
                                    const struct few_output *const *outputs, struct few_error *err)
{
    const struct few_catalog *catalog = x->opts.catalog;
    size_t *ends = s->ends + s->n_learned * catalog->n_models;
    for (size_t m = 0; m < catalog->n_models; m++) {
        size_t n = 0;
        if (outputs[m]) n = few__valuable(&catalog->models[m], outputs[m], x->valuable, x->valuable_max);
        FEW__TRY(keep_said(x, s, n, err));
        ends[m] = s->n_said;
    }
    return FEW_OK;
}

// Gains of the whole order, then without those beyond the share that is kept.
static enum few_status plan(struct few__explore *x, struct stream *s, struct few_error *err)
{
    size_t n_models = x->opts.catalog->n_models, from = 0;
    for (size_t i = 0; i < x->opts.n_first * n_models; i++) {
        size_t n = s->ends[i] - from;
        x->trace.cells[i] = (struct few__trace_cell){.outcome = FEW_EXECUTED,
                                                     .empty = n == 0,
                                                     .n_valuable = (uint32_t)n,
                                                     .valuable = n ? s->said + from : NULL};
        from = s->ends[i];
    }
    const struct few__static_plan all = {.order = x->order, .gain = s->gains};
    few__arena_reset(&x->arena);
    FEW__TRY(few__static_plan_in(&x->arena, &x->trace, x->items, x->opts.n_first, x->opts.costs, &all, err));
    double total = 0, sum = 0;
    for (size_t m = 0; m < n_models; m++) total += s->gains[m];
    for (size_t p = 0; p < n_models; p++) {
        double *gain = &s->gains[x->order[p]];
        if (sum >= x->opts.keep * total * (1 - slack)) *gain = 0;
        sum += *gain;
    }
    return FEW_OK;
}

enum few_status few__explore_learn(struct few__explore *x, size_t stream, int64_t segment, bool ok,
                                   const struct few_output *const *outputs, struct few_error *err)
{
    if (!is_of(x, stream, segment)) return FEW_OK; // the segment is over
    struct stream *s = &x->streams[stream];
    assert(s->n_learned < s->n_begun);
    enum few_status status = FEW_OK;
    size_t n_said = s->n_said;
    if (ok) {
        status = keep_outputs(x, s, outputs, err);
        if (status == FEW_OK && s->n_learned + 1 == x->opts.n_first) status = plan(x, s, err);
        if (status == FEW_OK) {
            s->n_learned++;
            return FEW_OK;
        }
    }
    s->n_said = n_said;
    s->n_begun--;
    return status;
}

const double *few__explore_gains(const struct few__explore *x, size_t stream)
{
    return x->streams[stream].gains;
}
