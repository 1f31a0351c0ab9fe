// SPDX-License-Identifier: Apache-2.0
// What a run would take, for --dry-run.
#ifndef FEW_CLI_DRY_RUN_H
#define FEW_CLI_DRY_RUN_H

#include "cli.h"

/* Forecast for the items and print it on stdout: a table, or one object with --json. n: how many they will be, 0 = not
 * known. base: totals_base. Returns an exit status. */
int dry_run_show(const struct args *args, const struct few_zoo *zoo, struct few_session *session,
                 struct few_items *items, uint64_t n, const char *base);

#endif
