// SPDX-License-Identifier: Apache-2.0
#include "train/split.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/rng.h"
#include "policy/method_replay.h"

enum { SLICE_US = 10000000, STREAM_FOLDS = 1 };

struct moment {
    int64_t stream, slice;
    size_t at; // of the split's items
};

static bool is_of(const char *path, const char *source)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    return strncmp(name, source, strlen(source)) == 0;
}

static int by_slice(const void *a, const void *b)
{
    const struct moment *x = a, *y = b;
    if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
    if (x->slice != y->slice) return x->slice < y->slice ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

// moments: (n_items,) scratch.
static void number_units(const struct few__trace *trace, struct few__split *s, struct moment *moments)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_items; i++) {
        const struct few__trace_item *item = &trace->items[s->items[i]];
        int64_t slice = item->at_us > 0 ? item->at_us / SLICE_US : 0;
        if (item->stream < 0) s->unit_of[i] = s->n_units++;
        else moments[n++] = (struct moment){item->stream, slice, i};
    }
    if (n > 0) qsort(moments, n, sizeof *moments, by_slice);
    for (size_t i = 0; i < n; i++) {
        bool same =
            i > 0 && moments[i].stream == moments[i - 1].stream && moments[i].slice == moments[i - 1].slice;
        if (!same) s->n_units++;
        s->unit_of[moments[i].at] = s->n_units - 1;
    }
}

static enum few_status no_items(const struct few__trace *trace, int split, const char *source,
                                const struct few__split *s, struct few_error *err)
{
    if (trace->n_items == 0) return few__fail(err, FEW_EINVAL, "expected items to learn from, found none");
    if (s->n_gaps > 0)
        return few__fail(
            err, FEW_EINVAL,
            "expected items on which every model ran, found none: %zu lack an output, as %s on %s", s->n_gaps,
            trace->catalog.models[few__replay_gap(trace, s->items[0])].name, trace->items[s->items[0]].path);
    if (*source)
        return few__fail(err, FEW_EINVAL,
                         "expected items to learn from, found none of %zu whose names begin with '%s' among "
                         "the %d of 100 that train",
                         trace->n_items, source, split);
    return few__fail(err, FEW_EINVAL,
                     "expected items to learn from, found none of %zu among the %d of 100 that train",
                     trace->n_items, split);
}

enum few_status few__split_create(const struct few__trace *trace, int split, const char *source,
                                  struct few__arena *arena, struct few__split *out, struct few_error *err)
{
    size_t n = trace->n_items, first_gap = 0;
    struct few__split s = {.items = FEW__ARENA_NEW(arena, size_t, n + 1),
                           .unit_of = FEW__ARENA_NEW(arena, size_t, n)};
    struct moment *moments = FEW__ARENA_NEW(arena, struct moment, n);
    *out = (struct few__split){0};
    if (!s.items || !s.unit_of || !moments) return few__no_memory(err, "items to learn from");
    for (size_t i = 0; i < n; i++) {
        if (trace->items[i].bucket >= split || !is_of(trace->items[i].path, source)) continue;
        bool gap = few__replay_gap(trace, i) < trace->catalog.n_models;
        if (!gap) s.items[s.n_items++] = i;
        else if (s.n_gaps++ == 0) first_gap = i;
    }
    if (s.n_items == 0) {
        s.items[0] = first_gap;
        return no_items(trace, split, source, &s, err);
    }
    number_units(trace, &s, moments);
    *out = s;
    return FEW_OK;
}

void few__split_folds(const struct few__split *split, size_t n_folds, uint64_t seed, size_t *units,
                      size_t *fold_of)
{
    struct few__rng rng;
    few__rng_init(&rng, seed, STREAM_FOLDS);
    for (size_t u = 0; u < split->n_units; u++) units[u] = u % n_folds;
    few__rng_shuffle(&rng, units, split->n_units);
    for (size_t i = 0; i < split->n_items; i++) fold_of[i] = units[split->unit_of[i]];
}
