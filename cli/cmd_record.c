// SPDX-License-Identifier: Apache-2.0
// fewer record: run everything on a sample and keep a trace.
#include "work.h"

static const struct option_row options[] = {
    OPTION_OUTPUT,
    OPTION_MEMORY_LIMIT,
    OPTION_LANES,
    OPTION_IN_FLIGHT,
    OPTION("no-pixels", 0, OPTION_FLAG, no_pixels, NULL, "keep no thumbnails and no looks of frames"),
    OPTION_STORAGE,
    OPTIONS_OF_STREAMS,
    OPTION_LIMIT,
    OPTION_ROOT,
    OPTION_RUNTIME,
    OPTION_DRY_RUN,
    OPTION_AGAIN,
    OPTION_JSON,
    OPTION_PROGRESS,
    OPTION_QUIET,
};

static int run(const struct args *args)
{
    return work(args, FEW_RECORD);
}

const struct verb verb_record = {
    .name = "record",
    .summary = "run every model on a sample and keep a trace",
    .operands = "ZOO DATA...",
    .about =
        "ZOO is a manifest (zoo.yaml). DATA are photographs, recordings (video and sound), live streams "
        "(rtsp://...),\n"
        "lists of records (.jsonl), folders, globs, or - for a list on stdin.\n"
        "The trace is what policies learn from and 'fewer eval' replays. A recording that was interrupted\n"
        "goes on where it was when the same command is given again; --force starts again.",
    .min_rest = 2,
    .max_rest = SIZE_MAX,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
