// SPDX-License-Identifier: Apache-2.0
// fewer plan: before a run, what a policy needs and gives under a range of budgets.
#include <math.h>
#include <stdlib.h>

#include "cli.h"
#include "lists.h"
#include "table.h"

static const struct option_row options[] = {
    OPTION("policy", 'p', OPTION_TEXT, policy, "FILE", "what 'fewer train' made"),
    OPTION("method", 0, OPTION_TEXT, methods, "NAME", "of its methods (default: the one that it prefers)"),
    OPTION("recall", 0, OPTION_TEXT, recalls, "LIST",
           "wanted recalls: 0.8,0.95 (default: those it promises)"),
    OPTION("deadline", 0, OPTION_TEXT, deadlines, "LIST", "deadlines to try: 60ms,0.2s"),
    OPTION("memory", 0, OPTION_TEXT, memories, "LIST",
           "memory to try with every deadline: 300MiB,25% (default: 25%,50% of all)"),
    {"rate", 0, OPTION_DECIMAL, offsetof(struct args, rate), "N",
     "items a second to keep up with: how many cores that takes", 0, 1000000},
    OPTION_SPLIT,
    OPTION_SEED,
    OPTION_JSON,
    OPTION_QUIET,
};

/* ---- words ---- */

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void print_point(struct table *table, const json_t *point, bool has_rate)
{
    char all[32];
    table_cell(table, "%s", show_time(number(point, "time_ms") * 1e3, all, sizeof all));
    table_cell(table, "%.1f", 100 * number(point, "time_ratio"));
    table_cell(table, "%.0f MiB", number(point, "memory_mib"));
    table_cell(table, "%.1f", number(point, "models"));
    table_cell(table, "%.3f (%.3f .. %.3f)", number(point, "recall"), number(point, "recall_low"),
               number(point, "recall_high"));
    table_cell(table, "%.3f (%.3f .. %.3f)", number(point, "agreement"), number(point, "agreement_low"),
               number(point, "agreement_high"));
    table_cell(table, "%s", show_count((uint64_t)number(point, "items_per_hour"), all, sizeof all));
    if (has_rate) table_cell(table, "%.0f", ceil(number(point, "cores")));
}

static void print_budgets(const json_t *points, const char *unit, const char *title, bool has_rate)
{
    const char *key;
    json_t *point;
    if (json_object_size(points) == 0) return;
    struct table table;
    table_init(&table, has_rate ? "lrrrrrrrr" : "lrrrrrrr");
    table_cell(&table, "%s", title);
    table_cell(&table, "time an item");
    table_cell(&table, "%% of all");
    table_cell(&table, "memory");
    table_cell(&table, "models");
    table_cell(&table, "recall (95%%)");
    table_cell(&table, "agreement (95%%)");
    table_cell(&table, "items/hour, core");
    if (has_rate) table_cell(&table, "cores");
    json_object_foreach((json_t *)points, key, point)
    {
        table_cell(&table, "%s%s", key, unit);
        print_point(&table, point, has_rate);
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
}

static void print_plan(const json_t *plan)
{
    const char *key;
    json_t *memory;
    char all[32];
    const json_t *budgets = json_object_get(plan, "plan"), *run_all = json_object_get(plan, "run_all");
    bool has_rate = json_object_get(plan, "rate");
    printf("%s on %lld items that it was not learned from; %lld models take %s an item\n",
           json_string_value(json_object_get(plan, "method")),
           (long long)json_integer_value(json_object_get(plan, "test_items")),
           (long long)json_integer_value(json_object_get(plan, "models")),
           show_time(number(run_all, "time_ms") * 1e3, all, sizeof all));
    if (has_rate) printf("cores: to keep up with %g items a second\n", number(plan, "rate"));
    putchar('\n');
    print_budgets(json_object_get(budgets, "recall"), "", "stops by itself at recall", has_rate);
    print_budgets(json_object_get(budgets, "deadline"), " ms", "deadline, one lane", has_rate);
    json_object_foreach(json_object_get(budgets, "memory"), key, memory)
    {
        char title[64];
        snprintf(title, sizeof title, "deadline, %.4g MiB", strtod(key, NULL));
        print_budgets(json_object_get(memory, "deadline"), " ms", title, has_rate);
    }
}

static int show(const struct args *args, const char *text)
{
    if (args->json) {
        puts(text);
        return EXIT_OK;
    }
    if (args->quiet) return EXIT_OK;
    json_t *plan = json_loads(text, 0, NULL);
    if (!plan) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    print_plan(plan);
    json_decref(plan);
    return EXIT_OK;
}

static int run(const struct args *args)
{
    static struct lists lists;
    if (!args->policy) {
        fputs("fewer plan: expected --policy FILE; 'fewer train' makes one\n", stderr);
        return EXIT_USAGE;
    }
    if (lists_read("plan", args, &lists)) return EXIT_USAGE;
    if (lists_measure(args->rest[0], &lists) != EXIT_OK) return EXIT_FAILED;
    struct few_plan_opts opts = {.size = sizeof opts,
                                 .seed = args->seed,
                                 .policy = args->policy,
                                 .method = args->methods,
                                 .split = (int)args->split,
                                 .recalls = lists.n_recalls ? lists.recalls : NULL,
                                 .n_recalls = lists.n_recalls,
                                 .deadlines_us = lists.n_deadlines ? lists.deadlines_us : NULL,
                                 .n_deadlines = lists.n_deadlines,
                                 .memories = lists.n_memories ? lists.memories_bytes : NULL,
                                 .n_memories = lists.n_memories,
                                 .rate = args->rate};
    char *text = NULL;
    struct few_error err = {0};
    if (few_plan(args->rest[0], &opts, &text, &err) != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    int shown = show(args, text);
    few_text_free(text);
    return shown;
}

const struct verb verb_plan = {
    .name = "plan",
    .summary = "before a run: time, memory, recall and agreement to expect for a range of budgets",
    .operands = "TRACE",
    .about = "TRACE is what 'fewer record' or 'fewer import' made. Numbers are of the items that the policy "
             "was not\n"
             "learned from, with 95% intervals (docs/evaluate.md). A LIST has commas and no spaces.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
