// SPDX-License-Identifier: Apache-2.0
// The schedule as a list of records of fixed room. Invariant: n <= max; what did not fit is in `lost`.
#include "exec/exec_log.h"

#include <inttypes.h>

#include "core/error.h"
#include "core/mem.h"

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

static void print_record(const struct few__log_record *r, const struct few_catalog *catalog,
                         struct few__text *text)
{
    static const char *const results[] = {"ok", "empty", "failed"};
    few__text_printf(text, "%" PRId64 " ", r->at_us);
    switch (r->kind) {
    case FEW__LOG_ITEM:
        few__text_printf(text, "item %" PRIu64, r->item);
        if (r->deadline_us != FEW__NO_DEADLINE) few__text_printf(text, " deadline %" PRId64, r->deadline_us);
        break;
    case FEW__LOG_START: few__text_printf(text, "start %s", model_name(catalog, r->model)); break;
    case FEW__LOG_DONE:
        few__text_printf(text, "done %s %s", model_name(catalog, r->model),
                         (size_t)r->result < sizeof results / sizeof *results ? results[r->result] : "?");
        break;
    case FEW__LOG_DEADLINE: few__text_put(text, "deadline"); break;
    case FEW__LOG_CANCEL: few__text_printf(text, "cancel %s", model_name(catalog, r->model)); break;
    case FEW__LOG_FINISH: few__text_printf(text, "finish %" PRIu64, r->item); break;
    }
    few__text_put(text, "\n");
}

void few__exec_log_print(const struct few__exec_log *log, const struct few_catalog *catalog,
                         struct few__text *text)
{
    for (size_t i = 0; i < log->n; i++) print_record(&log->records[i], catalog, text);
    if (log->lost) few__text_printf(text, "%zu records lost\n", log->lost);
}
