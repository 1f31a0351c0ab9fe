// SPDX-License-Identifier: Apache-2.0
// fewer eval: replay every method on a trace; tables, JSON, an HTML page.
#include <unistd.h>

#include "cli.h"
#include "eval_tables.h"
#include "lists.h"

enum { THREADS_MAX = 64 };

static const char *const methods[] = {
    "run_all",        "random", "rules",           "static",  "q_greedy",          "oracle",
    "density_greedy", "bound",  "explore_exploit", "reducto", "reducto_successive"};
#define METHODS(between)                                                               \
    "run_all, random, rules, static, q_greedy, oracle, density_greedy, bound," between \
    "explore_exploit, reducto, reducto_successive"

static const struct option_row options[] = {
    OPTION("policy", 'p', OPTION_TEXT, policy, "FILE", "what 'fewer train' made: its methods compete too"),
    OPTION_SPLIT,
    OPTION("method", 0, OPTION_TEXT, methods, "LIST", "these methods only"),
    OPTION("recall", 0, OPTION_TEXT, recalls, "LIST",
           "recalls to reach: 0.8,0.95 (default 0.1 ... 0.9, 0.95, 1)"),
    OPTION("deadline", 0, OPTION_TEXT, deadlines, "LIST", "deadlines to try: 60ms,0.2s"),
    OPTION("memory", 0, OPTION_TEXT, memories, "LIST",
           "memory to try with every deadline: 300MiB,25% (of what all models take)"),
    OPTION("segment", 0, OPTION_DURATION, segment_us, "TIME",
           "what is reused or explored of a stream ends with its segment (default: 10s)"),
    OPTION("rules", 0, OPTION_TEXT, rules, "FILE", "rules of thumb, for the method rules"),
    OPTION("transfer", 0, OPTION_FLAG, transfer, NULL,
           "each source of items alone, too: what a file name has before its first '_'"),
    OPTION("priority", 0, OPTION_TEXT, priority, "MODEL",
           "where this model stands in the order when its priority is 1, 2, 5, 10"),
    OPTION_NUMBER("threads", threads, 1, THREADS_MAX,
                  "replay N methods at once (default: one for each core)"),
    OPTION_SEED,
    OPTION("output", 'o', OPTION_TEXT, output, "FILE", "write an HTML page with tables and curves"),
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_QUIET,
};

static int show(const struct args *args, const char *text)
{
    if (args->json) {
        puts(text);
        return EXIT_OK;
    }
    if (args->quiet) return EXIT_OK;
    json_t *eval = json_loads(text, 0, NULL);
    if (!eval) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    eval_tables(eval);
    json_decref(eval);
    return EXIT_OK;
}

static enum few_status write_page(const char *trace, const char *eval_json, FILE *out, struct few_error *err)
{
    const struct few_report_opts opts = {.size = sizeof opts, .eval_json = eval_json};
    (void)trace;
    return few_report(NULL, &opts, out, err);
}

static size_t n_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

static int run(const struct args *args)
{
    static struct lists lists;
    if (lists_read("eval", args, &lists) ||
        lists_methods("eval", args, methods, sizeof methods / sizeof *methods, &lists))
        return EXIT_USAGE;
    if (lists_measure(args->rest[0], &lists) != EXIT_OK) return EXIT_FAILED;
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .seed = args->seed,
                                 .recalls = lists.n_recalls ? lists.recalls : NULL,
                                 .n_recalls = lists.n_recalls,
                                 .deadlines_us = lists.n_deadlines ? lists.deadlines_us : NULL,
                                 .n_deadlines = lists.n_deadlines,
                                 .memories = lists.n_memories ? lists.memories_bytes : NULL,
                                 .n_memories = lists.n_memories,
                                 .methods = lists.n_methods ? lists.methods : NULL,
                                 .n_methods = lists.n_methods,
                                 .segment_us = args->segment_us,
                                 .policy = args->policy,
                                 .split = (int)args->split,
                                 .priority = args->priority,
                                 .n_threads = args->threads ? (size_t)args->threads : n_cores(),
                                 .by_source = args->transfer,
                                 .rules = args->rules};
    char *text = NULL;
    struct few_error err = {0};
    enum few_status status = few_eval(args->rest[0], &opts, &text, &err);
    if (status != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    int page = args->output ? write_out(args, write_page, text) : EXIT_OK, shown = show(args, text);
    few_text_free(text);
    return page ? page : shown;
}

const struct verb verb_eval = {
    .name = "eval",
    .summary = "replay every method on a trace: time, models, recall, agreement",
    .operands = "TRACE",
    .about = "TRACE is what 'fewer record' or 'fewer import' made. Numbers are of the test items; what is "
             "learned\n"
             "comes from the others (docs/evaluate.md). A LIST has commas and no spaces.\n"
             "Methods: " METHODS("\n"),
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
