// SPDX-License-Identifier: Apache-2.0
/* A whole trace in memory. Outputs are unpacked once, here, and reduced to their valuable labels; what is kept of an
 * item is a few hundred bytes. */
#include "store/trace.h"

#include <inttypes.h>
#include <string.h>

#include <fewer/items.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/error.h"
#include "model/output.h"
#include "store/store.h"

#define TRACE_MAX ((size_t)64 << 30) // bytes of a trace in memory
#define ITEM_MAX  ((size_t)4 << 30)  // bytes of one item's outputs

enum { NOT_MEASURED = -1 };
enum { SLICE_US = 10000000 }; // of a stream, all of it in one bucket

/* ---- one output ---- */

static bool has_labels(const struct few_model *model)
{
    return model->n_labels > 0 && (model->kind == FEW_CLASSES || model->kind == FEW_LABELS);
}

static bool indices_fit(const struct few_model *model, const struct few_output *output)
{
    size_t n_labels = model->n_labels ? model->n_labels : 1;
    for (size_t i = 0; output->kind == FEW_DETECTIONS && i < output->n; i++) {
        int32_t label = output->detections[i].label;
        if (label < 0 || (size_t)label >= n_labels) return false;
    }
    for (size_t i = 0; output->kind == FEW_SEQUENCE && model->n_labels && i < output->n; i++) {
        int32_t token = output->tokens[i];
        if (token < 0 || (size_t)token >= n_labels) return false;
    }
    return true;
}

enum few_status few__trace_unpack(const struct few_model *model, const void *bytes, size_t n_bytes,
                                  struct few__arena *arena, struct few_output *output, struct few_error *err)
{
    enum few_status status = few__output_unpack(bytes, n_bytes, arena, output, err);
    if (status != FEW_OK) return few__wrap(err, status, "model %s", model->name);
    if (output->kind != model->kind)
        return few__fail(err, FEW_EPARSE, "model %s: expected an output of kind %s, found %s", model->name,
                         few_kind_name(model->kind), few_kind_name(output->kind));
    size_t n = has_labels(model) ? model->n_labels : model->kind == FEW_BOX ? 4 : 1;
    bool counted = has_labels(model) || model->kind == FEW_BOX || model->kind == FEW_SCALAR;
    if (counted && output->n != n && !(output->empty && output->n == 0))
        return few__fail(err, FEW_EPARSE, "model %s: expected %zu numbers, found %zu", model->name, n,
                         output->n);
    if (!indices_fit(model, output))
        return few__fail(err, FEW_EPARSE, "model %s: expected labels below %zu, found another", model->name,
                         model->n_labels);
    return FEW_OK;
}

/* ---- loading ---- */

struct loader {
    struct few__trace *trace;
    struct few__store *store;
    const char *path;
    bool with_outputs;
    size_t room;           // of trace->items
    struct few__cell *row; // (n_models,)
    size_t n_streams;
    const char **streams;          // (n_streams,) their file names, NULL = not in the file
    struct few_valuable *valuable; // room for any model's
    size_t max_valuable;
    struct few__arena scratch; // one item's outputs
    int64_t *sum_us, *runs;    // (n_models,) over executed cells
};

// The number that the hexadecimal digits are, modulo 100.
static int hex_mod_100(const char *hex)
{
    int rest = 0;
    for (; *hex; hex++) rest = (rest * 16 + (*hex <= '9' ? *hex - '0' : *hex - 'a' + 10)) % 100;
    return rest;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

const char *few__trace_source(const char *path, size_t *n)
{
    const char *name = file_name(path), *end = name;
    while ((*end >= 'a' && *end <= 'z') || (*end >= 'A' && *end <= 'Z') ||
           (end > name && *end >= '0' && *end <= '9'))
        end++;
    *n = *end == '_' ? (size_t)(end - name) : 0;
    return name;
}

static enum few_status bucket_of(struct loader *l, const struct few__trace_item *item, int *out)
{
    const char *name = file_name(item->path);
    if (item->stream >= 0)
        name = few__arena_printf(&l->scratch, "%s#%" PRId64, l->streams[item->stream],
                                 item->at_us > 0 ? item->at_us / SLICE_US : 0);
    char hex[FEW__SHA1_HEX];
    if (!name || few__sha1(name, strlen(name), hex) != FEW_OK) return FEW_ENOMEM;
    *out = hex_mod_100(hex);
    return FEW_OK;
}

static int32_t clamp_us(int64_t us)
{
    return us < 0 ? 0 : us > INT32_MAX ? INT32_MAX : (int32_t)us;
}

static void *keep(struct loader *l, const void *bytes, size_t n, size_t size)
{
    void *copy = few__arena_alloc(&l->trace->arena, n, size);
    if (copy && n) memcpy(copy, bytes, n * size);
    return copy;
}

static enum few_status load_output(struct loader *l, const struct few_model *model,
                                   const struct few__cell *from, struct few__trace_cell *to,
                                   struct few_error *err)
{
    struct few_output output;
    FEW__TRY(few__trace_unpack(model, from->output, from->n_output, &l->scratch, &output, err));
    to->empty = output.empty;
    size_t n = few__valuable(model, &output, l->valuable, l->max_valuable);
    to->n_valuable = (uint32_t)n;
    if (n && !(to->valuable = keep(l, l->valuable, n, sizeof *l->valuable)))
        return few__no_memory(err, l->path);
    if (!l->with_outputs) return FEW_OK;
    to->n_packed = from->n_output;
    to->packed = keep(l, from->output, from->n_output, 1);
    return to->packed ? FEW_OK : few__no_memory(err, l->path);
}

static enum few_status load_cell(struct loader *l, size_t m, struct few__trace_cell *to,
                                 struct few_error *err)
{
    const struct few_model *model = &l->trace->catalog.models[m];
    const struct few__cell *from = &l->row[m];
    bool reused = from->outcome == FEW_REUSED && from->output; // what the model says of the same bytes
    to->outcome = reused ? FEW_EXECUTED : from->outcome;
    to->time_us = NOT_MEASURED;
    if (from->outcome == FEW_EXECUTED) {
        if (!from->output)
            return few__fail(err, FEW_EPARSE, "model %s: executed, but there is no output", model->name);
        to->time_us = clamp_us(from->time_us);
        l->sum_us[m] += to->time_us;
        l->runs[m]++;
    }
    return from->output ? load_output(l, model, from, to, err) : FEW_OK;
}

static enum few_status load_head(struct loader *l, const struct few__item_row *row,
                                 struct few__trace_item *item, struct few_error *err)
{
    if (row->stream >= (int64_t)l->n_streams || (row->stream >= 0 && !l->streams[row->stream]))
        return few__fail(err, FEW_ESTORE, "%s: damaged: item %" PRId64 " is of a stream that is missing",
                         l->path, row->id);
    item->path = few__arena_strdup(&l->trace->arena, row->path);
    item->decode_us = row->decode_us;
    item->stream = row->stream;
    item->at_us = row->at_us;
    if (l->with_outputs && row->look) item->look = keep(l, row->look, FEW__STORE_LOOK, 1);
    bool whole = item->path && (item->look || !l->with_outputs || !row->look);
    if (!whole || bucket_of(l, item, &item->bucket) != FEW_OK) return few__no_memory(err, l->path);
    return FEW_OK;
}

static enum few_status load_item(struct loader *l, const struct few__item_row *row, struct few_error *err)
{
    struct few__trace *trace = l->trace;
    size_t n_models = trace->catalog.n_models;
    few__arena_reset(&l->scratch);
    FEW__TRY(load_head(l, row, &trace->items[trace->n_items], err));
    for (size_t m = 0; m < n_models; m++) {
        enum few_status status = load_cell(l, m, &trace->cells[trace->n_items * n_models + m], err);
        if (status != FEW_OK) return few__wrap(err, status, "%s: item %" PRId64, l->path, row->id);
    }
    trace->n_items++;
    return FEW_OK;
}

// The mean where a model did not run here; the catalog as the store has it, with measured times.
static enum few_status fill_times(struct loader *l, struct few_error *err)
{
    struct few__trace *trace = l->trace;
    size_t n_models = trace->catalog.n_models;
    struct few_model *models = keep(l, trace->catalog.models, n_models, sizeof *models);
    if (!models) return few__no_memory(err, l->path);
    trace->catalog.models = models;
    for (size_t m = 0; m < n_models; m++) {
        if (l->runs[m]) models[m].cost.time_us = (l->sum_us[m] + l->runs[m] / 2) / l->runs[m];
        for (size_t i = 0; i < trace->n_items; i++) {
            struct few__trace_cell *cell = &trace->cells[i * n_models + m];
            if (cell->time_us == NOT_MEASURED) cell->time_us = clamp_us(models[m].cost.time_us);
        }
    }
    return FEW_OK;
}

static enum few_status load_streams(struct loader *l, struct few_error *err)
{
    struct few__arena *arena = &l->trace->arena;
    struct few__stream_row row;
    size_t n = (size_t)few__store_n_streams(l->store);
    l->streams = FEW__ARENA_NEW(arena, const char *, n);
    if (!l->streams) return few__no_memory(err, l->path);
    for (l->n_streams = 0; l->n_streams < n; l->n_streams++) {
        enum few_status status = few__store_get_stream(l->store, (int64_t)l->n_streams, &row, err);
        if (status == FEW_END) continue;
        if (status != FEW_OK) return status;
        l->streams[l->n_streams] = few__arena_strdup(arena, file_name(row.path));
        if (!l->streams[l->n_streams]) return few__no_memory(err, l->path);
    }
    return FEW_OK;
}

static enum few_status prepare(struct loader *l, struct few_error *err)
{
    struct few__trace *trace = l->trace;
    int64_t n_items;
    FEW__TRY(few__store_read_catalog(l->store, &trace->arena, &trace->catalog, err));
    FEW__TRY(few__store_count(l->store, &n_items, err));
    if (n_items > FEW_ITEMS_MAX)
        return few__fail(err, FEW_ELIMIT, "%s: expected at most %d items, found %" PRId64, l->path,
                         FEW_ITEMS_MAX, n_items);
    const struct few_catalog *catalog = &trace->catalog;
    for (size_t m = 0; m < catalog->n_models; m++) {
        size_t max = few__valuable_max(&catalog->models[m]);
        if (max > l->max_valuable) l->max_valuable = max;
    }
    size_t n = l->room = (size_t)n_items; // n x n_models cannot overflow: both have limits
    trace->items = FEW__ARENA_NEW(&trace->arena, struct few__trace_item, n);
    trace->cells = FEW__ARENA_NEW(&trace->arena, struct few__trace_cell, n * catalog->n_models);
    l->row = FEW__ARENA_NEW(&trace->arena, struct few__cell, catalog->n_models);
    l->sum_us = FEW__ARENA_NEW(&trace->arena, int64_t, catalog->n_models);
    l->runs = FEW__ARENA_NEW(&trace->arena, int64_t, catalog->n_models);
    l->valuable = FEW__ARENA_NEW(&trace->arena, struct few_valuable, l->max_valuable);
    if (!trace->items || !trace->cells || !l->row || !l->sum_us || !l->runs || !l->valuable)
        return few__no_memory(err, l->path);
    FEW__TRY(load_streams(l, err));
    return few__store_rewind(l->store, true, err);
}

static enum few_status load(struct loader *l, const struct few_env *env, struct few_error *err)
{
    FEW__TRY(few__store_open(l->path, env, &l->store, err));
    FEW__TRY(prepare(l, err));
    struct few__item_row row;
    enum few_status status;
    while ((status = few__store_next(l->store, &row, l->row, err)) == FEW_OK) {
        if (row.status != FEW_OK) l->trace->n_failed++;
        else if (l->trace->n_items < l->room) FEW__TRY(load_item(l, &row, err));
    }
    return status == FEW_END ? fill_times(l, err) : status;
}

enum few_status few__trace_load(const char *path, bool with_outputs, const struct few_env *env,
                                struct few__trace **out, struct few_error *err)
{
    struct few_env full = few__env(env);
    *out = NULL;
    struct few__trace *trace = FEW__NEW(full.mem, struct few__trace);
    if (!trace) return few__no_memory(err, path);
    trace->env = full;
    few__arena_init(&trace->arena, full.mem, TRACE_MAX);
    struct loader l = {.trace = trace, .path = path, .with_outputs = with_outputs};
    few__arena_init(&l.scratch, full.mem, ITEM_MAX);
    enum few_status status = load(&l, &full, err);
    few__arena_finish(&l.scratch);
    (void)few__store_close(l.store, NULL); // nothing was written
    if (status != FEW_OK) few__trace_free(trace);
    else *out = trace;
    return status;
}

void few__trace_free(struct few__trace *trace)
{
    if (!trace) return;
    struct few_env env = trace->env;
    few__arena_finish(&trace->arena);
    few__free(env.mem, trace);
}
