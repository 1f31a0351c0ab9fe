// SPDX-License-Identifier: Apache-2.0
// fewer report: one HTML page about a run or a trace, measured against a trace where there is one.
#include <stdlib.h>

#include "cli.h"

// The methods that a run stands beside: quick ones, which need nothing learned but an order.
static const char *const baselines[] = {"random", "static", "q_greedy", "oracle"};

static const struct option_row options[] = {
    OPTION("trace", 0, OPTION_TEXT, trace, "TRACE",
           "measure recall and agreement against this trace of (some of) the items"),
    OPTION("policy", 'p', OPTION_TEXT, policy, "FILE",
           "with TRACE: draw the curves of this policy's methods, too"),
    OPTION("eval", 0, OPTION_TEXT, eval, "JSON", "draw the curves of this file, of 'fewer eval --json'"),
    OPTION("no-curves", 0, OPTION_FLAG, no_curves, NULL,
           "do not replay TRACE for curves, which takes a while when it is large"),
    OPTION_OUTPUT,
    OPTION_FORCE,
};

// Owned (free); NULL: it has been said.
static char *read_eval(const char *path)
{
    json_error_t where;
    json_t *eval = json_load_file(path, 0, &where);
    char *text = eval ? json_dumps(eval, 0) : NULL;
    if (!eval && where.line < 1) complain("%s: %s", path, where.text);
    else if (!eval) complain("%s: line %d, column %d: %s", path, where.line, where.column, where.text);
    else if (!text) complain("out of memory");
    json_decref(eval);
    return text;
}

// A trace with nothing but gaps cannot be replayed but still measures; the page then has no curves. False: it has been said.
static bool replay(const char *trace, const char *policy, char **text)
{
    struct few_eval_opts opts = {.size = sizeof opts, .policy = policy};
    if (!policy) {
        opts.methods = baselines;
        opts.n_methods = sizeof baselines / sizeof *baselines;
    }
    struct few_error err = {0};
    enum few_status status = few_eval(trace, &opts, text, &err);
    if (status != FEW_OK) complain("%s%s", status == FEW_EINVAL ? "no curves: " : "", err.message);
    return status == FEW_OK || status == FEW_EINVAL;
}

static const char *measured_against; // few_report's options, for write_page

static enum few_status write_page(const char *path, const char *eval_json, FILE *out, struct few_error *err)
{
    const struct few_report_opts opts = {
        .size = sizeof opts, .trace = measured_against, .eval_json = eval_json};
    return few_report(path, &opts, out, err);
}

static int run(const struct args *args)
{
    char *given = NULL, *made = NULL;
    if (args->eval && !(given = read_eval(args->eval))) return EXIT_FAILED;
    bool replays = args->trace && !args->eval && !args->no_curves;
    if (replays && !replay(args->trace, args->policy, &made)) return EXIT_FAILED;
    measured_against = args->trace;
    int status = write_out(args, write_page, given ? given : made);
    free(given);
    few_text_free(made);
    return status;
}

const struct verb verb_report = {
    .name = "report",
    .summary = "write an HTML page: what ran, what it saved, items to look at",
    .operands = "RUN",
    .about = "RUN is what 'fewer label', 'record' or 'import' made. The page stands alone: nothing else is "
             "loaded.\n"
             "Without -o, stdout is written. Recall and agreement need a TRACE: 'fewer record' on some of "
             "the items.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
