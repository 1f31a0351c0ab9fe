// SPDX-License-Identifier: Apache-2.0
// fewer export: a trace or run in another form.
#include "cli.h"

static const struct option_row options[] = {
    OPTION("format", 0, OPTION_CHOICE, format, "jsonl|csv|coco",
           "a line an item and model, or images and boxes"),
    OPTION_OUTPUT,
    OPTION_FORCE,
};

static int run(const struct args *args)
{
    return write_out(args, few_export, args->format ? args->format : "jsonl");
}

const struct verb verb_export = {
    .name = "export",
    .summary = "write results as jsonl, csv or coco",
    .operands = "RUN",
    .about =
        "RUN is what 'fewer label', 'record' or 'import' made. Without -o, stdout is written; the format is\n"
        "jsonl unless told otherwise.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
