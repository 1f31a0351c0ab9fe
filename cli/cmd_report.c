// SPDX-License-Identifier: Apache-2.0
// fewer report: one HTML page about a run or a trace.
#include "cli.h"

static const struct option_row options[] = {
    OPTION_OUTPUT,
    OPTION_FORCE,
};

static int run(const struct args *args)
{
    return write_out(args, few_report, NULL);
}

const struct verb verb_report = {
    .name = "report",
    .summary = "write an HTML page: what ran, what it saved, items to look at",
    .operands = "RUN",
    .about = "RUN is what 'fewer label', 'record' or 'import' made. The page stands alone: nothing else is "
             "loaded.\n"
             "Without -o, stdout is written.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
