// SPDX-License-Identifier: Apache-2.0
/* Builds the forest of needs in preorder. Invariant: order is a permutation, and [place[m], end[m]) of two
 * models are nested or apart. */
#include "exec/chain.h"

#include "core/error.h"

enum { NONE = -1 };

struct forest {
    int first_root;
    int *first_user; // (n,) lowest user of a model
    int *next;       // (n,) next model with the same need
};

static enum few_status link_users(const struct few_catalog *catalog, struct few__chains *chains,
                                  struct forest *forest, struct few_error *err)
{
    forest->first_root = NONE;
    for (size_t i = 0; i < chains->n; i++) forest->first_user[i] = NONE;
    // From the last to the first, so that every list rises.
    for (size_t i = chains->n; i-- > 0;) {
        int need = catalog->models[i].needs;
        if (need < NONE || (need >= 0 && (size_t)need >= chains->n))
            return few__fail(err, FEW_EINVAL, "model '%s' needs model number %d, expected 0 .. %zu or -1",
                             catalog->models[i].name, need, chains->n - 1);
        int *head = need < 0 ? &forest->first_root : &forest->first_user[need];
        chains->needs[i] = need;
        forest->next[i] = *head;
        *head = (int)i;
    }
    return FEW_OK;
}

// Returns how many models a walk from the roots reaches: all of them unless needs go in a circle.
static size_t walk(const struct forest *forest, struct few__chains *chains)
{
    size_t n = 0;
    for (int at = forest->first_root; at != NONE;) {
        chains->place[at] = n;
        chains->order[n++] = (size_t)at;
        if (forest->first_user[at] != NONE) {
            at = forest->first_user[at];
            continue;
        }
        chains->end[at] = n;
        while (forest->next[at] == NONE && chains->needs[at] != NONE) {
            at = chains->needs[at];
            chains->end[at] = n;
        }
        at = forest->next[at];
    }
    return n;
}

enum few_status few__chains_build(const struct few_catalog *catalog, struct few__arena *arena,
                                  struct few__chains *chains, struct few_error *err)
{
    size_t n = catalog->n_models;
    *chains = (struct few__chains){0};
    if (n > FEW_MODELS_MAX)
        return few__fail(err, FEW_ELIMIT, "%zu models, expected at most %d", n, FEW_MODELS_MAX);
    struct forest forest = {.first_user = FEW__ARENA_NEW(arena, int, n),
                            .next = FEW__ARENA_NEW(arena, int, n)};
    struct few__chains c = {.n = n,
                            .order = FEW__ARENA_NEW(arena, size_t, n),
                            .place = FEW__ARENA_NEW(arena, size_t, n),
                            .end = FEW__ARENA_NEW(arena, size_t, n),
                            .needs = FEW__ARENA_NEW(arena, int, n)};
    if (!forest.first_user || !forest.next || !c.order || !c.place || !c.end || !c.needs)
        return few__no_memory(err, "needs of the models");
    FEW__TRY(link_users(catalog, &c, &forest, err));
    if (walk(&forest, &c) < n) {
        // A model of a circle, or one above it, was not reached and has no end.
        size_t lost = 0;
        while (c.end[lost]) lost++;
        return few__fail(err, FEW_EINVAL, "model '%s': its needs go in a circle", catalog->models[lost].name);
    }
    *chains = c;
    return FEW_OK;
}

size_t few__chains_missing(const struct few__chains *chains, const bool *have, size_t model, size_t *missing)
{
    size_t n = 0;
    for (int m = (int)model; m >= 0 && !have[m]; m = chains->needs[m]) n++;
    size_t at = n;
    for (int m = (int)model; at > 0; m = chains->needs[m]) missing[--at] = (size_t)m;
    return n;
}
