// SPDX-License-Identifier: Apache-2.0
/* The executor's log: one record for each event and action, in order; the schedule itself. Same seed, same
 * bytes (exec_sim). exec_check.h verifies it without looking at the executor. */
#ifndef FEW_EXEC_EXEC_LOG_H
#define FEW_EXEC_EXEC_LOG_H

#include "core/text.h"
#include "exec/exec.h"

enum few__log_kind {
    FEW__LOG_ITEM,
    FEW__LOG_START,
    FEW__LOG_DONE,
    FEW__LOG_DEADLINE,
    FEW__LOG_CANCEL,
    FEW__LOG_FINISH
};

struct few__log_record {
    int64_t at_us;
    enum few__log_kind kind;
    enum few__result result; // DONE
    size_t model;            // START, DONE, CANCEL
    uint64_t item;           // ITEM, FINISH
    int64_t deadline_us;     // ITEM
};

/* Room for `max` records is taken at init; more are counted as lost and make few__exec_check fail. */
struct few__exec_log {
    const struct few_mem *mem;
    struct few__log_record *records;
    size_t n, max, lost;
};

enum few_status few__exec_log_init(struct few__exec_log *log, const struct few_mem *mem, size_t max,
                                   struct few_error *err);
void few__exec_log_finish(struct few__exec_log *log);
void few__exec_log_clear(struct few__exec_log *log);
void few__exec_log_add(struct few__exec_log *log, struct few__log_record record);

/* One line of text for each record. */
void few__exec_log_print(const struct few__exec_log *log, const struct few_catalog *catalog,
                         struct few__text *text);

/* exec_check.c: re-verify a log against the catalog: nothing starts twice, needs before users and only if the
 * need found something, at most n_lanes at once, nothing starts at or after the deadline or runs past it
 * without CANCEL, DEADLINE recorded if the item lasts that long, time never goes back, every item finishes
 * once.
 * Errors: FEW_EINVAL with the number of the record (from 0) and the broken rule; FEW_ENOMEM. */
enum few_status few__exec_check(const struct few__exec_log *log, const struct few_catalog *catalog,
                                size_t n_lanes, struct few_error *err);

#endif
