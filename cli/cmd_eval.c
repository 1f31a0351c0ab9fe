// SPDX-License-Identifier: Apache-2.0
// fewer eval: replay every method on a trace; tables, JSON, an HTML page.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "eval_tables.h"

enum { LIST_MAX = 64, METHOD_NAME_MAX = 63 };

static const char *const methods[] = {
    "run_all",        "random", "static",          "q_greedy", "oracle",
    "density_greedy", "bound",  "explore_exploit", "reducto",  "reducto_successive"};
#define METHODS(between)                                                                         \
    "run_all, random, static, q_greedy, oracle, density_greedy, bound, explore_exploit," between \
    "reducto, reducto_successive"

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
    OPTION("transfer", 0, OPTION_FLAG, transfer, NULL,
           "each source of items alone, too: what a file name has before its first '_'"),
    OPTION("priority", 0, OPTION_TEXT, priority, "MODEL",
           "where this model stands in the order when its priority is 1, 2, 5, 10"),
    OPTION_SEED,
    OPTION("output", 'o', OPTION_TEXT, output, "FILE", "write an HTML page with tables and curves"),
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_QUIET,
};

struct lists {
    size_t n_recalls, n_deadlines, n_memories, n_methods;
    double recalls[LIST_MAX];
    int64_t deadlines_us[LIST_MAX];
    struct args_memory memories[LIST_MAX];
    uint64_t memories_bytes[LIST_MAX];
    const char *methods[LIST_MAX];
    char names[LIST_MAX][METHOD_NAME_MAX + 1]; // of those that only a policy may have
};

static int wrong_part(const char *option, const char *expected, const char *part, size_t n)
{
    fprintf(stderr, "fewer eval: --%s: expected %s, found '%.*s'\n", option, expected, (int)n, part);
    return EXIT_USAGE;
}

static int too_many(const char *option)
{
    fprintf(stderr, "fewer eval: --%s: expected at most %d values\n", option, LIST_MAX);
    return EXIT_USAGE;
}

static int read_recalls(const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many("recall");
        if (!args_number(part, n, 0, 1, &lists->recalls[i]))
            return wrong_part("recall", "numbers from 0 to 1", part, n);
        lists->n_recalls = i + 1;
    }
    return EXIT_OK;
}

static int read_deadlines(const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many("deadline");
        if (!args_duration(part, n, &lists->deadlines_us[i]))
            return wrong_part("deadline", "times such as 200us, 60ms or 1.5s", part, n);
        lists->n_deadlines = i + 1;
    }
    return EXIT_OK;
}

static int read_memories(const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many("memory");
        if (!args_memory(part, n, &lists->memories[i]))
            return wrong_part("memory", "sizes such as 300MiB or shares such as 25%", part, n);
        lists->n_memories = i + 1;
    }
    return EXIT_OK;
}

// Which others a policy has, few_eval knows.
static int read_methods(const char *list, bool has_policy, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many("method");
        lists->methods[i] = NULL;
        for (size_t j = 0; j < sizeof methods / sizeof *methods; j++)
            if (strlen(methods[j]) == n && strncmp(methods[j], part, n) == 0) lists->methods[i] = methods[j];
        if (!lists->methods[i] && has_policy && n <= METHOD_NAME_MAX) {
            memcpy(lists->names[i], part, n);
            lists->methods[i] = lists->names[i];
        }
        if (!lists->methods[i]) return wrong_part("method", "one of " METHODS(" "), part, n);
        lists->n_methods = i + 1;
    }
    return EXIT_OK;
}

/* Shares are of what all models of the trace take together. */
static int measure_memories(const char *trace, struct lists *lists)
{
    uint64_t all = 0;
    for (size_t i = 0; i < lists->n_memories; i++) {
        const struct args_memory *memory = &lists->memories[i];
        if (memory->share > 0 && all == 0) {
            struct few_run_status status = {.size = sizeof status};
            struct few_error err = {0};
            if (few_run_status(trace, &status, &err) != FEW_OK) {
                complain("%s", err.message);
                return EXIT_FAILED;
            }
            all = status.models_bytes;
            few_text_free(status.config);
            few_text_free(status.notes);
        }
        if (memory->share > 0 && all == 0) {
            complain("--memory: %s: the memory of its models is not known, expected a size such as 300MiB",
                     trace);
            return EXIT_FAILED;
        }
        double share = ceil(memory->share * (double)all);
        lists->memories_bytes[i] = memory->share > 0 ? (uint64_t)share : memory->bytes;
    }
    return EXIT_OK;
}

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

static int run(const struct args *args)
{
    static struct lists lists;
    if (read_recalls(args->recalls, &lists) || read_deadlines(args->deadlines, &lists) ||
        read_memories(args->memories, &lists) || read_methods(args->methods, args->policy, &lists))
        return EXIT_USAGE;
    if (measure_memories(args->rest[0], &lists) != EXIT_OK) return EXIT_FAILED;
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
                                 .by_source = args->transfer};
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
