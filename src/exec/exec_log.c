// SPDX-License-Identifier: Apache-2.0
// The schedule as a list of records of fixed room. Invariant: n <= max; what did not fit is in `lost`.
#include "exec/exec_log.h"

#include <inttypes.h>

#include "core/error.h"
#include "core/mem.h"

_Static_assert(sizeof(struct few__log_record) == 64 + sizeof(size_t) - 8, "no padding in a record");

enum few_status few__exec_log_init(struct few__exec_log *log, const struct few_mem *mem, size_t max,
                                   struct few_error *err)
{
    *log = (struct few__exec_log){.mem = mem, .max = max};
    if (max == 0) return FEW_OK;
    log->records = FEW__NEW_N(mem, struct few__log_record, max);
    if (log->records) return FEW_OK;
    log->max = 0;
    return few__no_memory(err, "log of the executor");
}

void few__exec_log_finish(struct few__exec_log *log)
{
    few__free(log->mem, log->records);
    *log = (struct few__exec_log){.mem = log->mem};
}

void few__exec_log_clear(struct few__exec_log *log)
{
    log->n = log->lost = 0;
}

void few__exec_log_add(struct few__exec_log *log, struct few__log_record record)
{
    if (log->n < log->max) log->records[log->n++] = record;
    else log->lost++;
}

static const char *model_name(const struct few_catalog *catalog, size_t model)
{
    return model < catalog->n_models ? catalog->models[model].name : "?";
}

static const char *result_name(enum few__result result)
{
    static const char *const names[] = {"ok", "empty", "failed", "canceled"};
    return (size_t)result < sizeof names / sizeof *names ? names[result] : "?";
}

// What an item has, unless it is everything.
static void print_parts(const struct few__log_record *r, struct few__text *text)
{
    if (r->has_parts == FEW__ALL_PARTS) return;
    few__text_put(text, r->has_parts ? " with" : " with nothing");
    for (int m = 0; m < FEW_MODALITY_COUNT; m++)
        if (r->has_parts >> m & 1) few__text_printf(text, " %s", few_modality_name((enum few_modality)m));
}

static void print_what(const struct few__log_record *r, const char *model, struct few__text *text)
{
    switch (r->kind) {
    case FEW__LOG_ITEM:
        few__text_printf(text, "item %" PRIu64, r->item);
        if (r->deadline_us != FEW__NO_DEADLINE) few__text_printf(text, " deadline %" PRId64, r->deadline_us);
        if (r->ready) print_parts(r, text);
        break;
    case FEW__LOG_READ: few__text_put(text, "read"); break;
    case FEW__LOG_HAS_READ:
        few__text_printf(text, "has read %s", result_name(r->result));
        if (r->result == FEW__RESULT_OK) print_parts(r, text);
        break;
    case FEW__LOG_START: few__text_printf(text, "start %s", model); break;
    case FEW__LOG_JOIN: few__text_printf(text, "join %s", model); break;
    case FEW__LOG_DONE:
        few__text_printf(text, "done %s %s%s", model, result_name(r->result), r->unsure ? " unsure" : "");
        break;
    case FEW__LOG_DEADLINE: few__text_put(text, "deadline"); break;
    case FEW__LOG_CANCEL: few__text_printf(text, "cancel %s", model); break;
    case FEW__LOG_FINISH: few__text_printf(text, "finish %" PRIu64, r->item); break;
    case FEW__LOG_LOAD: few__text_printf(text, "load %s", model); break;
    case FEW__LOG_LOADED: few__text_printf(text, "loaded %s %s", model, result_name(r->result)); break;
    case FEW__LOG_EVICT: few__text_printf(text, "evict %s", model); break;
    }
}

// Lane and slot 0 are not printed.
static void print_record(const struct few__log_record *r, const struct few_catalog *catalog,
                         struct few__text *text)
{
    few__text_printf(text, "%" PRId64 " ", r->at_us);
    print_what(r, model_name(catalog, r->model), text);
    if (r->lane) few__text_printf(text, " lane %zu", r->lane);
    if (r->slot) few__text_printf(text, " slot %zu", r->slot);
    few__text_put(text, "\n");
}

void few__exec_log_print(const struct few__exec_log *log, const struct few_catalog *catalog,
                         struct few__text *text)
{
    for (size_t i = 0; i < log->n; i++) print_record(&log->records[i], catalog, text);
    if (log->lost) few__text_printf(text, "%zu records lost\n", log->lost);
}
