// SPDX-License-Identifier: Apache-2.0
/* A trace in memory, for learning and replay: what every model said about every item, reduced to what decisions
 * need, and the packed outputs beside it. */
#ifndef FEW_STORE_TRACE_H
#define FEW_STORE_TRACE_H

#include <fewer/env.h>
#include <fewer/model.h>

#include "core/mem.h"

struct few__trace_cell {
    enum few_outcome outcome; // EXECUTED, which a reused output counts as, or what happened instead
    bool empty;               // executed and nothing there, or not run because its need found nothing
    int32_t time_us;          // of this run; the model's mean where it did not run here
    uint32_t n_valuable;
    const struct few_valuable *valuable; // (n_valuable,)
    const void *packed;                  // few__output_pack bytes, or NULL
    size_t n_packed;
};

struct few__trace_item {
    const char *path;
    /* SHA-1 of the file name (last part of the path), as a number, modulo 100: items below a split are learned from, the
     * others test. Of a stream's moment: of "NAME#K", K the tens of seconds since its start, so that what is alike stays
     * together. */
    int bucket;
    int64_t decode_us;
    int64_t stream; // of its moment, -1 = none: items of a stream are in the order of time
    int64_t at_us;
    const uint8_t *look; // FEW__STORE_LOOK bytes, or NULL; only with outputs
};

enum { FEW__SPLIT_DEFAULT = 20 };

struct few__trace {
    struct few_env env;
    struct few__arena arena;
    struct few_catalog catalog; // costs: mean measured time over executed cells, else the stored cost
    size_t n_items;             // items that failed as a whole are left out
    size_t n_failed;
    struct few__trace_item *items; // (n_items,)
    struct few__trace_cell *cells; // (n_items, n_models)
};

/* Load a whole trace (or run) file. with_outputs: keep the packed outputs too.
 * Errors: FEW_ENOENT, FEW_ESTORE, FEW_EVERSION, FEW_EPARSE a damaged output, FEW_ENOMEM. */
enum few_status few__trace_load(const char *path, bool with_outputs, const struct few_env *env,
                                struct few__trace **out, struct few_error *err);
void few__trace_free(struct few__trace *trace);

/* A stored output back in memory, checked to be one that this model can have given (its kind, as many numbers as it
 * has labels, labels inside its list), so that nobody has to check again.
 * Errors: FEW_EPARSE; FEW_ENOMEM. */
enum few_status few__trace_unpack(const struct few_model *model, const void *bytes, size_t n_bytes,
                                  struct few__arena *arena, struct few_output *output, struct few_error *err);

/* Where an item comes from, as its file name says: what is before its first '_', if that is a letter and then letters and digits
 * ("ade" of "a/ade_0001.jpg"). n: out, how many; 0 = it does not say. Not terminated. */
const char *few__trace_source(const char *path, size_t *n);

static inline const struct few__trace_cell *few__trace_cell(const struct few__trace *trace, size_t item,
                                                            size_t model)
{
    return &trace->cells[item * trace->catalog.n_models + model];
}

#endif
