// SPDX-License-Identifier: Apache-2.0
// fewer label: the main job.
#include "work.h"

static const struct option_row options[] = {
    OPTION_OUTPUT,
    OPTION("policy", 'p', OPTION_TEXT, policy, "SPEC",
           "FILE of 'train', run_all, random, static:TRACE, rules:FILE, explore_exploit"),
    {"recall", 0, OPTION_DECIMAL, offsetof(struct args, recall), "R",
     "with --policy FILE: stop by itself, for a mean recall of R: 0.95", 0, 1},
    OPTION("deadline", 0, OPTION_DURATION, deadline_us, "TIME",
           "for each item, decoding included: 60ms, 1.5s"),
    OPTION_MEMORY_LIMIT,
    OPTION_LANES,
    OPTION_IN_FLIGHT,
    OPTION("reuse", 0, OPTION_TEXT, reuse, "FEATURE:BELOW",
           "reuse answers while frames differ by less: area:0.02 (pixel, edge, corner)"),
    OPTION("segment", 0, OPTION_DURATION, segment_us, "TIME",
           "what is reused or explored of a stream ends with its segment (default: 10s)"),
    OPTION("all-variants", 0, OPTION_FLAG, all_variants, NULL, "variants of a model are models of their own"),
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
    return work(args, FEW_LABEL);
}

const struct verb verb_label = {
    .name = "label",
    .summary = "label items with the models that a policy chooses",
    .operands = "ZOO DATA...",
    .about =
        "ZOO is a manifest (zoo.yaml). DATA are photographs, recordings (video and sound), live streams "
        "(rtsp://...),\n"
        "lists of records (.jsonl), folders, globs, or - for a list on stdin.\n"
        "Results go to FILE as they come. A run that was interrupted, even killed, goes on where it was "
        "when\n"
        "the same command is given again; --force starts again. 'fewer status FILE' tells how far it is,\n"
        "'fewer retry FILE' does what failed again, 'fewer export FILE' and 'fewer report FILE' show it.",
    .min_rest = 2,
    .max_rest = SIZE_MAX,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
