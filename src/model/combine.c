// SPDX-License-Identifier: Apache-2.0
/* Invariant: values holds the largest or the last number so far, sums the sum; both have n entries from the first answer
 * on. Means are of sums in double, so that they do not depend on how many windows there are. */
#include "model/combine.h"

#include <string.h>

#include "core/error.h"

void few__combine_begin(struct few__combined *c, enum few__combine how, enum few_kind kind,
                        struct few__arena *arena)
{
    *c = (struct few__combined){.how = how, .kind = kind, .arena = arena};
}

static enum few_status take_memory(struct few__combined *c, size_t n, struct few_error *err)
{
    c->n = n;
    c->values = FEW__ARENA_NEW(c->arena, float, n);
    if (c->how == FEW__MEAN) c->sums = FEW__ARENA_NEW(c->arena, double, n);
    return c->values && (c->sums || c->how != FEW__MEAN) ? FEW_OK : few__no_memory(err, "answers of windows");
}

enum few_status few__combine_add(struct few__combined *c, const struct few_output *output,
                                 struct few_error *err)
{
    bool is_list =
        c->kind == FEW_CLASSES || c->kind == FEW_LABELS || c->kind == FEW_SCALAR || c->kind == FEW_VECTOR;
    if (!is_list || output->kind != c->kind)
        return few__fail(err, FEW_ESHAPE,
                         "answers of windows: expected classes, labels, a scalar or a vector, found %s",
                         few_kind_name(output->kind));
    if (output->empty) return FEW_OK;
    if (c->n_windows == 0) FEW__TRY(take_memory(c, output->n, err));
    if (output->n != c->n)
        return few__fail(err, FEW_ESHAPE, "answers of windows: expected %zu numbers in each, found %zu", c->n,
                         output->n);
    bool first = c->n_windows++ == 0;
    for (size_t i = 0; i < c->n; i++) {
        float v = output->values[i];
        if (c->how == FEW__MEAN) c->sums[i] += (double)v;
        else if (first || c->how == FEW__LAST || v > c->values[i]) c->values[i] = v;
    }
    return FEW_OK;
}

void few__combine_end(const struct few__combined *c, struct few_output *output)
{
    *output = (struct few_output){.kind = c->kind, .empty = c->n_windows == 0};
    if (output->empty) return;
    for (size_t i = 0; c->how == FEW__MEAN && i < c->n; i++)
        c->values[i] = (float)(c->sums[i] / (double)c->n_windows);
    output->n = c->n;
    output->values = c->values;
    output->confidence = 1;
    if (c->kind != FEW_CLASSES && c->kind != FEW_LABELS) return;
    output->confidence = c->n ? c->values[0] : 0;
    for (size_t i = 1; i < c->n; i++)
        if (c->values[i] > output->confidence) output->confidence = c->values[i];
}
