// SPDX-License-Identifier: Apache-2.0
// fewer label: the main job.
#include "work.h"

static const struct option_row options[] = {
    OPTION_OUTPUT,
    OPTION("policy", 'p', OPTION_TEXT, policy, "SPEC", "run_all (default), random[:SEED] or static:TRACE"),
    OPTION("deadline", 0, OPTION_DURATION, deadline_us, "TIME",
           "for each item, decoding included: 60ms, 1.5s"),
    OPTION_LIMIT,
    OPTION_ROOT,
    OPTION_RUNTIME,
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_QUIET,
};

static int run(const struct args *args)
{
    return work(args, FEW_LABEL, args->policy);
}

const struct verb verb_label = {
    .name = "label",
    .summary = "label items with the models that a policy chooses",
    .operands = "ZOO DATA...",
    .about = "ZOO is a manifest (zoo.yaml). DATA are files, folders, globs, or - for a list on stdin.\n"
             "Results go to FILE as they come; Ctrl-C ends after the current item and keeps the rest.\n"
             "'fewer export FILE' and 'fewer report FILE' show them.",
    .min_rest = 2,
    .max_rest = SIZE_MAX,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
