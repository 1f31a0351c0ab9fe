// SPDX-License-Identifier: Apache-2.0
// fewer eval: replay every method on a trace; tables, JSON, an HTML page.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "table.h"

enum { LIST_MAX = 64 };

static const char *const methods[] = {
    "run_all",        "random", "rules",           "static",  "q_greedy",          "oracle",
    "density_greedy", "bound",  "explore_exploit", "reducto", "reducto_successive"};
#define METHODS(between)                                                               \
    "run_all, random, rules, static, q_greedy, oracle, density_greedy, bound," between \
    "explore_exploit, reducto, reducto_successive"

static const struct option_row options[] = {
    OPTION("method", 0, OPTION_TEXT, methods, "LIST", "these methods only"),
    OPTION("recall", 0, OPTION_TEXT, recalls, "LIST", "recalls to reach: 0.8,0.95 (default 0.1 ... 1)"),
    OPTION("deadline", 0, OPTION_TEXT, deadlines, "LIST", "deadlines to try: 60ms,0.2s"),
    OPTION("memory", 0, OPTION_TEXT, memories, "LIST",
           "memory to try with every deadline: 300MiB,25% (of what all models take)"),
    OPTION("segment", 0, OPTION_DURATION, segment_us, "TIME",
           "what is reused or explored of a stream ends with its segment (default: 10s)"),
    OPTION("rules", 0, OPTION_TEXT, rules, "FILE", "rules of thumb, for the method rules"),
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

static int read_methods(const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many("method");
        lists->methods[i] = NULL;
        for (size_t j = 0; j < sizeof methods / sizeof *methods; j++)
            if (strlen(methods[j]) == n && strncmp(methods[j], part, n) == 0) lists->methods[i] = methods[j];
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

/* ---- tables ---- */

enum { GROUP_DEPTH = 3 };

struct group {
    const char *path[GROUP_DEPTH + 1]; // keys below a method, NULL at the end
    const char *unit;                  // of the keys in it
};

static const json_t *find_group(const json_t *method, const struct group *group)
{
    for (size_t i = 0; method && group->path[i]; i++) method = json_object_get(method, group->path[i]);
    return method;
}

static const json_t *first_group(const json_t *all, const struct group *group)
{
    const char *name;
    json_t *method;
    json_object_foreach((json_t *)all, name, method)
    {
        const json_t *found = find_group(method, group);
        if (json_object_size(found) > 0) return found;
    }
    return NULL;
}

// A table of one measure: a row for each method that has the group, a column for each key in it.
static void print_group(const json_t *all, const struct group *group, const char *measure, double factor,
                        const char *title)
{
    const char *name, *key;
    json_t *method, *point;
    char align[TABLE_COLUMNS_MAX + 1] = "l";
    const json_t *first = first_group(all, group);
    size_t n = json_object_size(first);
    if (n == 0) return;
    if (n > TABLE_COLUMNS_MAX - 1) n = TABLE_COLUMNS_MAX - 1;
    memset(align + 1, 'r', n);
    align[n + 1] = 0;
    struct table table;
    table_init(&table, align);
    table_cell(&table, "%s", title);
    size_t i = 0;
    json_object_foreach((json_t *)first, key, point) if (i++ < n)
        table_cell(&table, "%s%s", key, group->unit);
    json_object_foreach((json_t *)all, name, method)
    {
        const json_t *found = find_group(method, group);
        if (!found) continue;
        table_cell(&table, "%s", name);
        i = 0;
        json_object_foreach((json_t *)first, key, point)
        {
            if (i++ >= n) break;
            const json_t *value = json_object_get(json_object_get(found, key), measure);
            if (value) table_cell(&table, "%.*f", factor > 1 ? 1 : 3, factor * json_number_value(value));
            else table_cell(&table, "-");
        }
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
}

// What reuse was chosen for each budget: the numbers of --reuse.
static void print_reuse(const json_t *all)
{
    const char *key;
    json_t *point;
    const json_t *budgets = json_object_get(json_object_get(all, "reducto"), "budget");
    if (json_object_size(budgets) == 0) return;
    struct table table;
    table_init(&table, "llr");
    table_cell(&table, "reducto: budget");
    table_cell(&table, "feature");
    table_cell(&table, "below");
    json_object_foreach((json_t *)budgets, key, point)
    {
        table_cell(&table, "%s", key);
        table_cell(&table, "%s", json_string_value(json_object_get(point, "feature")));
        table_cell(&table, "%.4g", json_number_value(json_object_get(point, "threshold")));
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
}

// For each memory, recall by deadline with models side by side, by our packing and by Algorithm 2 as it was published.
static void print_memories(const json_t *all)
{
    const char *key;
    json_t *memory;
    const struct group memories = {{"memory"}, ""};
    json_object_foreach((json_t *)first_group(all, &memories), key, memory)
    {
        char title[64];
        double mib = strtod(key, NULL);
        const struct group deadline = {{"memory", key, "deadline"}, " ms"};
        const struct group faithful = {{"memory", key, "faithful"}, " ms"};
        snprintf(title, sizeof title, "recall with %.4g MiB", mib);
        print_group(all, &deadline, "recall", 1, title);
        snprintf(title, sizeof title, "as published, %.4g MiB", mib);
        print_group(all, &faithful, "recall", 1, title);
    }
}

static void print_tables(const json_t *eval)
{
    const json_t *by_method = json_object_get(eval, "methods");
    char all[32];
    double run_all_ms = json_number_value(json_object_get(json_object_get(eval, "run_all"), "time_ms"));
    printf("%lld test items, %lld to learn from; %lld models take %s an item\n\n",
           (long long)json_integer_value(json_object_get(eval, "test_items")),
           (long long)json_integer_value(json_object_get(eval, "train_items")),
           (long long)json_integer_value(json_object_get(eval, "models")),
           show_time(run_all_ms * 1e3, all, sizeof all));
    const struct group recall = {{"recall"}, ""}, stop = {{"stop"}, ""}, deadline = {{"deadline"}, " ms"};
    print_group(by_method, &recall, "time_ratio", 100, "time to reach recall, %");
    print_group(by_method, &recall, "models", 1, "models to reach recall");
    print_group(by_method, &stop, "time_ratio", 100, "time at mean recall, %");
    print_group(by_method, &deadline, "recall", 1, "recall by deadline");
    print_group(by_method, &deadline, "agreement", 1, "agreement by deadline");
    const struct group keep = {{"keep"}, ""}, budget = {{"budget"}, ""};
    print_group(by_method, &keep, "time_ratio", 100, "time by value kept, %");
    print_group(by_method, &keep, "recall", 1, "recall by value kept");
    print_group(by_method, &budget, "time_ratio", 100, "time by budget, %");
    print_group(by_method, &budget, "recall", 1, "recall by budget");
    print_group(by_method, &budget, "agreement", 1, "agreement by budget");
    print_reuse(by_method);
    print_memories(by_method);
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
    print_tables(eval);
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
        read_memories(args->memories, &lists) || read_methods(args->methods, &lists))
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
