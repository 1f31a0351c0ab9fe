// SPDX-License-Identifier: Apache-2.0
/* The executor's log: one record for each event and action, in order; the schedule itself. Same seed, same
 * bytes (exec_sim). exec_check.c verifies it without looking at the executor. */
#ifndef FEW_EXEC_EXEC_LOG_H
#define FEW_EXEC_EXEC_LOG_H

#include "core/text.h"
#include "exec/exec.h"

enum few__log_kind {
    FEW__LOG_ITEM,     // slot, item, deadline_us, ready, has_parts if it is
    FEW__LOG_READ,     // slot, lane
    FEW__LOG_HAS_READ, // slot, lane, result, has_parts
    FEW__LOG_START,    // model, lane, slot
    FEW__LOG_JOIN,     // model, lane, slot: one more item of the run that the record before it started
    FEW__LOG_DONE, // model, lane, slot, result, unsure: one for each item of the run, in the order of START
    FEW__LOG_DEADLINE, // slot
    FEW__LOG_CANCEL,   // model, lane
    FEW__LOG_FINISH,   // slot, item
    FEW__LOG_LOAD,     // model
    FEW__LOG_LOADED,   // model, result
    FEW__LOG_EVICT,    // model
};

/* result of DONE and HAS_READ: CANCELED also where nobody heard it any more, because the item had finished or its
 * deadline was over. */
struct few__log_record {
    int64_t at_us, deadline_us;
    uint64_t item;
    enum few__log_kind kind;
    enum few__result result;
    size_t model, lane, slot;
    int16_t unsure, ready; // 0 or 1
    uint32_t has_parts;    // bit m = the item has modality m; without padding, equal logs have equal bytes
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

/* exec_check.c: re-verify a log against the options that the executor had (catalog, costs, lanes, slots, memory, loads,
 * resident, batch_max, variants, keep_pace are read). Nothing starts twice, needs before users and only if the need found
 * something, none whose modality the item lacks, lanes and slots are used by one at a time, nothing starts at or after a
 * deadline or runs past it without CANCEL, memory within its budget at every instant, models loaded one at a time and neither run nor wanted elsewhere
 * while they are absent or evicted, batches within their maximum and (at mean times) their deadlines, variants as the
 * rule says, every item finishes once: docs/exec.md has the list.
 * Errors: FEW_EINVAL with the number of the record (from 0) and the broken rule; FEW_ENOMEM. */
enum few_status few__exec_check(const struct few__exec_log *log, const struct few__exec_opts *opts,
                                struct few_error *err);

#endif
