// SPDX-License-Identifier: Apache-2.0
// fewer eval: replay every method on a trace; tables, JSON, an HTML page.
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "table.h"

enum { LIST_MAX = 64 };

static const char *const methods[] = {"run_all", "random", "static", "oracle"};

static const struct option_row options[] = {
    OPTION("method", 0, OPTION_TEXT, methods, "LIST", "of run_all, random, static, oracle (default all)"),
    OPTION("recall", 0, OPTION_TEXT, recalls, "LIST", "recalls to reach: 0.8,0.95 (default 0.1 ... 1)"),
    OPTION("deadline", 0, OPTION_TEXT, deadlines, "LIST", "deadlines to try: 60ms,0.2s"),
    OPTION_SEED,
    OPTION("output", 'o', OPTION_TEXT, output, "FILE", "write an HTML page with tables and curves"),
    OPTION_FORCE,
    OPTION_JSON,
    OPTION_QUIET,
};

struct lists {
    size_t n_recalls, n_deadlines, n_methods;
    double recalls[LIST_MAX];
    int64_t deadlines_us[LIST_MAX];
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

static int read_methods(const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many("method");
        lists->methods[i] = NULL;
        for (size_t j = 0; j < sizeof methods / sizeof *methods; j++)
            if (strlen(methods[j]) == n && strncmp(methods[j], part, n) == 0) lists->methods[i] = methods[j];
        if (!lists->methods[i]) return wrong_part("method", "run_all, random, static or oracle", part, n);
        lists->n_methods = i + 1;
    }
    return EXIT_OK;
}

/* ---- tables ---- */

// A table of one measure: a row for each method, a column for each key of methods.<name>.<group>.
static void print_group(const json_t *all, const char *group, const char *unit, const char *measure,
                        double factor, const char *title)
{
    const char *name, *key;
    json_t *method, *point;
    char align[TABLE_COLUMNS_MAX + 1] = "l";
    const json_t *first = json_object_get(json_object_iter_value(json_object_iter((json_t *)all)), group);
    size_t n = json_object_size(first);
    if (n == 0) return;
    if (n > TABLE_COLUMNS_MAX - 1) n = TABLE_COLUMNS_MAX - 1;
    memset(align + 1, 'r', n);
    align[n + 1] = 0;
    struct table table;
    table_init(&table, align);
    table_cell(&table, "%s", title);
    size_t i = 0;
    json_object_foreach((json_t *)first, key, point) if (i++ < n) table_cell(&table, "%s%s", key, unit);
    json_object_foreach((json_t *)all, name, method)
    {
        table_cell(&table, "%s", name);
        i = 0;
        json_object_foreach(json_object_get(method, group), key, point)
        {
            if (i++ >= n) break;
            table_cell(&table, "%.*f", factor > 1 ? 1 : 3,
                       factor * json_number_value(json_object_get(point, measure)));
        }
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
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
    print_group(by_method, "recall", "", "time_ratio", 100, "time to reach recall, %");
    print_group(by_method, "recall", "", "models", 1, "models to reach recall");
    print_group(by_method, "stop", "", "time_ratio", 100, "time at mean recall, %");
    print_group(by_method, "deadline", " ms", "recall", 1, "recall by deadline");
    print_group(by_method, "deadline", " ms", "agreement", 1, "agreement by deadline");
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

static int run(const struct args *args)
{
    static struct lists lists;
    if (read_recalls(args->recalls, &lists) || read_deadlines(args->deadlines, &lists) ||
        read_methods(args->methods, &lists))
        return EXIT_USAGE;
    struct few_eval_opts opts = {.size = sizeof opts,
                                 .seed = args->seed,
                                 .recalls = lists.n_recalls ? lists.recalls : NULL,
                                 .n_recalls = lists.n_recalls,
                                 .deadlines_us = lists.n_deadlines ? lists.deadlines_us : NULL,
                                 .n_deadlines = lists.n_deadlines,
                                 .methods = lists.n_methods ? lists.methods : NULL,
                                 .n_methods = lists.n_methods};
    char *text = NULL;
    struct few_error err = {0};
    enum few_status status = few_eval(args->rest[0], &opts, &text, &err);
    if (status != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    int page = args->output ? write_out(args, few_report, text) : EXIT_OK, shown = show(args, text);
    few_text_free(text);
    return page ? page : shown;
}

const struct verb verb_eval = {
    .name = "eval",
    .summary = "replay every method on a trace: time, models, recall, agreement",
    .operands = "TRACE",
    .about = "TRACE is what 'fewer record' or 'fewer import' made. Numbers are of the test items; what is "
             "learned\n"
             "comes from the others (docs/evaluate.md). A LIST has commas and no spaces.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
