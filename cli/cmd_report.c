// SPDX-License-Identifier: Apache-2.0
// fewer report: one HTML page about a run or a trace.
#include "cli.h"

static const struct option_row options[] = {
    OPTION_OUTPUT,
    OPTION_FORCE,
};

static int run(const struct args *args)
{
    struct few_error err = {0};
    struct out_file out;
    if (!out_open(&out, args->output, args->force)) return EXIT_FAILED;
    enum few_status status = few_report(args->rest[0], NULL, out.file, &err);
    if (status != FEW_OK) complain("%s", err.message);
    bool closed = out_close(&out, status == FEW_OK);
    return status == FEW_OK && closed ? EXIT_OK : EXIT_FAILED;
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
