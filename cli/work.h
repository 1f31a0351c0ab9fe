// SPDX-License-Identifier: Apache-2.0
// The loop that label and record share: items in, results kept, failures told.
#ifndef FEW_CLI_WORK_H
#define FEW_CLI_WORK_H

#include "cli.h"

/* args: rest = zoo and data. policy: its form, or NULL = run_all. Returns an exit status. */
int work(const struct args *args, enum few_purpose purpose, const char *policy);

#endif
