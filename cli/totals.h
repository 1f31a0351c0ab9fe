// SPDX-License-Identifier: Apache-2.0
// What a run came to, or has come to so far: the same words and the same JSON in label, record, retry and status.
#ifndef FEW_CLI_TOTALS_H
#define FEW_CLI_TOTALS_H

#include "cli.h"

struct totals {
    uint64_t models, items, items_failed, deadline_missed;
    uint64_t counts[FEW_OUTCOME_COUNT];
    int64_t spent_us, run_all_us;
    const char *base; // what run_all_us is of
};

struct totals totals_of_session(const struct few_session_stats *stats, uint64_t n_models);
struct totals totals_of_file(const struct few_run_status *status);

/* What "running everything" means: a phrase. */
const char *totals_base(bool all_models);

/* items, items_failed, models, counts, time_ms, deadline_missed. NULL: no memory. */
json_t *totals_json(const struct totals *totals);

/* A line for each outcome that there is: name, number, share. */
void totals_print_counts(const struct totals *totals, FILE *to);

/* "models took 1.2 s; running everything takes 3.4 s: 64.7% saved" and a new line. */
void totals_print_times(const struct totals *totals, FILE *to);

#endif
