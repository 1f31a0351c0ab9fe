// SPDX-License-Identifier: Apache-2.0
// fewer record: run everything on a sample and keep a trace.
#include "work.h"

static const struct option_row options[] = {
    OPTION_OUTPUT, OPTION_LIMIT,   OPTION("no-pixels", 0, OPTION_FLAG, no_pixels, NULL, "keep no thumbnails"),
    OPTION_ROOT,   OPTION_RUNTIME, OPTION_FORCE,
    OPTION_JSON,   OPTION_QUIET,
};

static int run(const struct args *args)
{
    return work(args, FEW_RECORD, NULL);
}

const struct verb verb_record = {
    .name = "record",
    .summary = "run every model on a sample and keep a trace",
    .operands = "ZOO DATA...",
    .about = "ZOO is a manifest (zoo.yaml). DATA are files, folders, globs, or - for a list on stdin.\n"
             "The trace is what policies learn from and 'fewer eval' replays.",
    .min_rest = 2,
    .max_rest = SIZE_MAX,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
