// SPDX-License-Identifier: Apache-2.0
#include "eval_tables.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "table.h"

enum { GROUP_DEPTH = 3, AGAINST_MAX = 4 };

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

static double number_of(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static bool has_against(const json_t *group)
{
    const char *key;
    json_t *point;
    json_object_foreach((json_t *)group, key,
                        point) if (json_object_get(point, "against_static")) return true;
    return false;
}

static void print_percent(struct table *table, const json_t *against)
{
    if (!against) table_cell(table, "-");
    else
        table_cell(table, "%.1f (%.1f .. %.1f)", 100 * number_of(against, "time_ratio"),
                   100 * number_of(against, "low"), 100 * number_of(against, "high"));
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

// Time over that of static, with its interval: "83.1 (81.0 .. 85.2)".
static void print_against(const json_t *all, const char *group, const char *title)
{
    const char *name, *key;
    json_t *method, *point;
    char align[TABLE_COLUMNS_MAX + 1] = "l";
    const struct group where = {{group}, ""};
    const json_t *first = first_group(all, &where);
    size_t n = json_object_size(first), from = n > AGAINST_MAX ? n - AGAINST_MAX : 0, i = 0;
    if (n == 0) return;
    memset(align + 1, 'r', n - from);
    align[1 + n - from] = 0;
    struct table table;
    table_init(&table, align);
    table_cell(&table, "%s", title);
    json_object_foreach((json_t *)first, key, point) if (i++ >= from) table_cell(&table, "%s", key);
    json_object_foreach((json_t *)all, name, method)
    {
        if (!has_against(json_object_get(method, group))) continue;
        table_cell(&table, "%s", name);
        i = 0;
        json_object_foreach((json_t *)first, key, point)
        {
            if (i++ < from) continue;
            print_percent(&table, json_object_get(json_object_get(json_object_get(method, group), key),
                                                  "against_static"));
        }
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
}

// What a policy promises for a recall, and what became of it.
static void print_promises(const json_t *all)
{
    const char *name, *key;
    json_t *method, *point;
    const struct group promise = {{"promise"}, ""};
    if (!first_group(all, &promise)) return;
    struct table table;
    table_init(&table, "lrrlrr");
    table_cell(&table, "promised recall");
    table_cell(&table, "wanted");
    table_cell(&table, "got");
    table_cell(&table, "95%%");
    table_cell(&table, "time, %%");
    table_cell(&table, "models");
    json_object_foreach((json_t *)all, name, method)
    {
        json_object_foreach(json_object_get(method, "promise"), key, point)
        {
            table_cell(&table, "%s", name);
            table_cell(&table, "%s", key);
            table_cell(&table, "%.3f", number_of(point, "recall"));
            table_cell(&table, "%.3f .. %.3f", number_of(point, "recall_low"),
                       number_of(point, "recall_high"));
            table_cell(&table, "%.1f", 100 * number_of(point, "time_ratio"));
            table_cell(&table, "%.1f", number_of(point, "models"));
        }
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
}

// A row for each source, a column for each method: time at one recall.
static void print_sources(const json_t *eval, const char *group, const char *recall, const char *title)
{
    const char *name, *source;
    json_t *method, *at;
    json_t *sources = json_object_get(eval, "sources");
    json_t *first = json_object_get(json_object_iter_value(json_object_iter(sources)), "methods");
    size_t n = json_object_size(first) + 1, i = 0;
    char align[TABLE_COLUMNS_MAX + 1] = "l";
    if (n == 1) return;
    if (n > TABLE_COLUMNS_MAX - 1) n = TABLE_COLUMNS_MAX - 1;
    memset(align + 1, 'r', n);
    align[n + 1] = 0;
    struct table table;
    table_init(&table, align);
    table_cell(&table, "%s", title);
    table_cell(&table, "items");
    json_object_foreach(first, name, method) if (++i < n) table_cell(&table, "%s", name);
    json_object_foreach(sources, source, at)
    {
        table_cell(&table, "%s", source);
        table_cell(&table, "%.0f", number_of(at, "test_items"));
        i = 0;
        json_object_foreach(json_object_get(at, "methods"), name, method)
        {
            if (++i >= n) break;
            json_t *point = json_object_get(json_object_get(method, group), recall);
            if (point) table_cell(&table, "%.1f", 100 * number_of(point, "time_ratio"));
            else table_cell(&table, "-");
        }
    }
    table_print(&table, stdout);
    putchar('\n');
    table_finish(&table);
}

static void print_all_sources(const json_t *eval)
{
    print_sources(eval, "recall", "0.8", "time to reach recall 0.8, %");
    print_sources(eval, "recall", "0.9", "time to reach recall 0.9, %");
    print_sources(eval, "stop", "0.8", "time at mean recall 0.8, %");
    print_sources(eval, "stop", "0.9", "time at mean recall 0.9, %");
}

void eval_tables(const json_t *eval)
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
    print_group(by_method, &stop, "models", 1, "models at mean recall");
    print_against(by_method, "recall", "to reach recall, % of static");
    print_against(by_method, "stop", "at mean recall, % of static");
    print_promises(by_method);
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
    const struct group priority = {{"priority"}, ""};
    print_group(by_method, &priority, "position", 1, "position by priority");
    print_group(by_method, &priority, "time_ratio", 100, "time to reach recall 1 by priority, %");
    print_all_sources(eval);
}
