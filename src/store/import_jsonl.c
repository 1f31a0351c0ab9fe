// SPDX-License-Identifier: Apache-2.0
/* A trace of outputs that something else computed. It is written beside its place and moved there when it is whole:
 * an import that fails leaves nothing. */
#include <fewer/trace.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include <fewer/items.h>

#include "core/error.h"
#include "core/mem.h"
#include "core/text.h"
#include "model/manifest.h"
#include "model/output.h"
#include "store/import_output.h"
#include "store/lines.h"
#include "store/store.h"

#define OUTPUTS_MAX ((size_t)4 << 30) // bytes of one line's outputs

static const double time_max_ms = 1e9;

struct import {
    const struct few_catalog *catalog;
    struct few__lines lines;
    struct few__store *store;
    struct few__cell *cells;             // (n_models,)
    const struct few__token **alphabets; // (n_models,) NULL where the model gives no sequence
    struct few_cost *costs;              // (n_models,) sums of the times that lines gave
    int64_t *timed;                      // (n_models,) how many
    struct few__arena arena, line;
    struct few_import_stats stats;
};

/* ---- one model on one line ---- */

// Milliseconds that the line says, or a negative number.
static enum few_status said_ms(const struct few__import_place *place, const json_t *said, double *ms,
                               struct few_error *err)
{
    double pre = 0, post = 0;
    *ms = -1;
    FEW__TRY(few__import_number(place, said, "ms", 0, time_max_ms, ms, err));
    FEW__TRY(few__import_number(place, said, "pre_ms", 0, time_max_ms, &pre, err));
    FEW__TRY(few__import_number(place, said, "post_ms", 0, time_max_ms, &post, err));
    if (*ms >= 0) *ms += pre + post;
    return FEW_OK;
}

static enum few_status pack(struct import *im, const struct few_output *output, struct few__cell *cell,
                            struct few_error *err)
{
    enum few_status status = few__output_pack(output, &im->line, &cell->output, &cell->n_output);
    return status == FEW_ENOMEM ? few__no_memory(err, im->lines.name) : status;
}

static enum few_status executed(struct import *im, const struct few__import_place *place, size_t m,
                                const json_t *said, struct few__cell *cell, struct few_error *err)
{
    const struct few_model *model = &im->catalog->models[m];
    struct few_output output;
    double ms;
    FEW__TRY(said_ms(place, said, &ms, err));
    FEW__TRY(few__import_output(place, model, im->alphabets[m], said, &im->line, &output, err));
    cell->outcome = FEW_EXECUTED;
    cell->reason = "imported";
    cell->time_us = ms >= 0 ? llround(1000 * ms) : model->cost.time_us;
    im->stats.outputs++;
    if (ms >= 0) {
        im->costs[m].time_us += cell->time_us;
        im->timed[m]++;
    }
    return pack(im, &output, cell, err);
}

// A model that did not run: it failed, or its need found nothing; then its output is known to be empty.
static enum few_status not_executed(struct import *im, size_t m, const char *error, struct few__cell *cell,
                                    struct few_error *err)
{
    const struct few_model *model = &im->catalog->models[m];
    if (error || model->needs < 0) {
        cell->outcome = FEW_FAILED;
        cell->reason = few__arena_strdup(&im->line, error ? error : "did not run");
        return cell->reason ? FEW_OK : few__no_memory(err, im->lines.name);
    }
    struct few_output output = few__output_empty(model);
    cell->outcome = FEW_SKIPPED;
    cell->reason =
        few__arena_printf(&im->line, "its need %s found nothing", im->catalog->models[model->needs].name);
    if (!cell->reason) return few__no_memory(err, im->lines.name);
    return pack(im, &output, cell, err);
}

static enum few_status take_cell(struct import *im, const struct few__import_place *line, size_t m,
                                 const json_t *said, struct few__cell *cell, struct few_error *err)
{
    struct few__import_place place = *line;
    place.model = im->catalog->models[m].name;
    char found[64];
    *cell = (struct few__cell){
        .outcome = FEW_SKIPPED, .reason = "not in the imported line", .start_us = -1, .lane = -1};
    if (!said) return FEW_OK;
    if (!json_is_object(said))
        return few__import_bad(&place, NULL, err, "expected an object, found %s",
                               few__import_describe(said, found));
    const json_t *ran = json_object_get(said, "ran");
    if (ran && !json_is_boolean(ran))
        return few__import_bad(&place, "ran", err, "expected true or false, found %s",
                               few__import_describe(ran, found));
    const char *error = json_string_value(json_object_get(said, "error"));
    if (error || json_is_false(ran)) return not_executed(im, m, error, cell, err);
    return executed(im, &place, m, said, cell, err);
}

/* ---- one line ---- */

static enum few_status take_path(const struct few__import_place *place, const json_t *root, const char **path,
                                 struct few_error *err)
{
    const char *key = json_object_get(root, "image") ? "image" : "item";
    const json_t *value = json_object_get(root, key);
    const char *text = json_string_value(value);
    char found[64];
    *path = text;
    if (text && *text && strlen(text) <= FEW_PATH_MAX) return FEW_OK;
    return few__import_bad(place, key, err,
                           "expected a path of 1 to %d bytes as \"image\" or \"item\", found %s",
                           FEW_PATH_MAX, few__import_describe(value, found));
}

static enum few_status take_head(const struct few__import_place *place, const json_t *root,
                                 struct few__item_row *item, struct few_error *err)
{
    double width = 0, height = 0, load_ms = 0;
    *item = (struct few__item_row){.digest = "", .message = "", FEW__NO_STREAM};
    FEW__TRY(take_path(place, root, &item->path, err));
    FEW__TRY(few__import_number(place, root, "w", 0, 1e9, &width, err));
    FEW__TRY(few__import_number(place, root, "h", 0, 1e9, &height, err));
    FEW__TRY(few__import_number(place, root, "load_ms", 0, time_max_ms, &load_ms, err));
    item->width = (int)width;
    item->height = (int)height;
    item->decode_us = item->elapsed_us = llround(1000 * load_ms);
    return FEW_OK;
}

// As if the models had run one after the other, in the order of the catalog.
static void lay_out(const struct import *im, struct few__item_row *item)
{
    for (size_t m = 0; m < im->catalog->n_models; m++) {
        if (im->cells[m].outcome != FEW_EXECUTED) continue;
        im->cells[m].start_us = item->elapsed_us;
        item->elapsed_us += im->cells[m].time_us;
    }
}

static enum few_status take_models(struct import *im, const struct few__import_place *place,
                                   const json_t *root, struct few_error *err)
{
    const json_t *models = json_object_get(root, "models");
    char found[64];
    if (!json_is_object(models))
        return few__import_bad(place, "models", err, "expected an object, found %s",
                               few__import_describe(models, found));
    size_t known = 0;
    for (size_t m = 0; m < im->catalog->n_models; m++) {
        const json_t *said = json_object_get(models, im->catalog->models[m].name);
        if (said) known++;
        FEW__TRY(take_cell(im, place, m, said, &im->cells[m], err));
    }
    im->stats.unknown += json_object_size(models) - known;
    return FEW_OK;
}

static enum few_status take_item(struct import *im, const struct few__import_place *place, const json_t *root,
                                 struct few_error *err)
{
    struct few__item_row item;
    if (!json_is_object(root)) return few__import_bad(place, NULL, err, "expected an object, found an array");
    FEW__TRY(take_head(place, root, &item, err));
    const char *error = json_string_value(json_object_get(root, "error"));
    if (error) {
        item.status = FEW_EDECODE;
        item.message = error;
        im->stats.items_failed++;
        for (size_t m = 0; m < im->catalog->n_models; m++)
            im->cells[m] = (struct few__cell){
                .outcome = FEW_FAILED, .reason = "the item could not be read", .start_us = -1, .lane = -1};
    } else {
        FEW__TRY(take_models(im, place, root, err));
        lay_out(im, &item);
    }
    im->stats.items++;
    return few__store_put(im->store, &item, im->cells, err);
}

static enum few_status take_line(struct import *im, const char *text, size_t n, struct few_error *err)
{
    if (strspn(text, " \t\r") == n) return FEW_OK;
    json_error_t why;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &why);
    unsigned long long line = im->lines.number;
    if (!root && json_error_code(&why) == json_error_out_of_memory)
        return few__no_memory(err, im->lines.name);
    if (!root)
        return few__fail(err, FEW_EPARSE, "%s:%llu:%d: expected JSON: %s", im->lines.name, line,
                         why.column > 0 ? why.column : 1, why.text);
    few__arena_reset(&im->line);
    struct few__import_place place = {.file = im->lines.name, .line = line, .text = text};
    enum few_status status = take_item(im, &place, root, err);
    json_decref(root);
    return status;
}

/* ---- the whole file ---- */

static enum few_status make_room(struct import *im, struct few_error *err)
{
    size_t n = im->catalog->n_models;
    im->cells = FEW__ARENA_NEW(&im->arena, struct few__cell, n);
    im->alphabets = FEW__ARENA_NEW(&im->arena, const struct few__token *, n);
    im->costs = FEW__ARENA_NEW(&im->arena, struct few_cost, n);
    im->timed = FEW__ARENA_NEW(&im->arena, int64_t, n);
    if (!im->cells || !im->alphabets || !im->costs || !im->timed) return few__no_memory(err, im->lines.name);
    for (size_t m = 0; m < n; m++) {
        if (im->catalog->models[m].kind != FEW_SEQUENCE) continue;
        im->alphabets[m] = few__import_alphabet(&im->catalog->models[m], &im->arena);
        if (!im->alphabets[m]) return few__no_memory(err, im->lines.name);
    }
    return FEW_OK;
}

// Mean times where lines gave any; otherwise as the manifest has it.
static enum few_status write_costs(struct import *im, struct few_error *err)
{
    for (size_t m = 0; m < im->catalog->n_models; m++) {
        struct few_cost cost = im->catalog->models[m].cost;
        if (im->timed[m]) cost.time_us = (im->costs[m].time_us + im->timed[m] / 2) / im->timed[m];
        im->costs[m] = cost;
    }
    return few__store_set_costs(im->store, im->costs, err);
}

static enum few_status write_all(struct import *im, struct few_error *err)
{
    char *text;
    size_t n;
    enum few_status status;
    FEW__TRY(make_room(im, err));
    while ((status = few__lines_next(&im->lines, &text, &n, err)) == FEW_OK)
        FEW__TRY(take_line(im, text, n, err));
    return status == FEW_END ? write_costs(im, err) : status;
}

static enum few_status create(struct import *im, const struct few_zoo *zoo, const char *part,
                              struct few_error *err)
{
    struct few__text config;
    few__text_init(&config, zoo->env.mem, 8 * (size_t)FEW_PATH_MAX);
    few__text_put(&config, "{\"imported_from\": ");
    few__text_json(&config, im->lines.name);
    few__text_put(&config, "}");
    struct few__store_new what = {.purpose = "trace",
                                  .catalog = &zoo->catalog,
                                  .zoo_path = zoo->path,
                                  .zoo_digest = zoo->digest,
                                  .config_json = config.s,
                                  .overwrite = true};
    enum few_status status = few__text_ok(&config)
                                 ? few__store_create(part, &what, &zoo->env, &im->store, err)
                                 : few__no_memory(err, im->lines.name);
    few__text_finish(&config);
    return status;
}

static enum few_status move(const char *part, const char *path, struct few_error *err)
{
    FEW__TRY(few__store_remove(path, err)); // with a log that a killed run may have left beside it
    return rename(part, path) == 0 ? FEW_OK : few__fail_sys(err, FEW_EIO, "%s: cannot be written", path);
}

static enum few_status import(struct import *im, const struct few_zoo *zoo, const char *out_path,
                              struct few_error *err)
{
    const char *part = few__arena_printf(&im->arena, "%s.part", out_path);
    if (!part) return few__no_memory(err, out_path);
    enum few_status status = create(im, zoo, part, err);
    if (status != FEW_OK) return status;
    status = write_all(im, err);
    enum few_status closed = few__store_close(im->store, status == FEW_OK ? err : NULL);
    if (status == FEW_OK) status = closed;
    if (status == FEW_OK) status = move(part, out_path, err);
    if (status != FEW_OK) (void)few__store_remove(part, NULL);
    return status;
}

enum few_status few_import(const char *path, const struct few_zoo *zoo, const char *out_path, bool overwrite,
                           struct few_import_stats *stats, struct few_error *err)
{
    struct import im = {.catalog = &zoo->catalog};
    if (stats) *stats = im.stats;
    FEW__TRY(few__store_may_create(out_path, overwrite, err));
    FEW__TRY(few__lines_open(&im.lines, path, zoo->env.mem, err));
    few__arena_init(&im.arena, zoo->env.mem, OUTPUTS_MAX);
    few__arena_init(&im.line, zoo->env.mem, OUTPUTS_MAX);
    enum few_status status = import(&im, zoo, out_path, err);
    few__lines_close(&im.lines);
    few__arena_finish(&im.arena);
    few__arena_finish(&im.line);
    if (stats && status == FEW_OK) *stats = im.stats;
    return status;
}
