// SPDX-License-Identifier: Apache-2.0
// The loop that label, record and retry share: items in, results kept, failures told.
#ifndef FEW_CLI_WORK_H
#define FEW_CLI_WORK_H

#include "cli.h"

/* label, record. args: rest = zoo and data. Goes on with args->output if it is there, unless --force; with --dry-run,
 * says what that would take. Returns an exit status. */
int work(const struct args *args, enum few_purpose purpose);

/* retry. args: zoo = the zoo, output = the file; before: of that file, which keeps its notes. */
int work_again(const struct args *args, enum few_purpose purpose, const struct few_run_status *before);

#endif
