// SPDX-License-Identifier: Apache-2.0
// What a run would take: which models, how long, how much disk and memory.
#include "dry_run.h"

#include <stdlib.h>

#include "table.h"

struct shown {
    const struct args *args;
    const struct few_catalog *catalog;
    struct few_session_stats stats;
    struct few_forecast forecast;
    uint64_t n;       // items asked for; 0 = not known
    const char *base; // what run_all is of
    uint64_t models_bytes;
};

static json_t *models_json(const struct shown *shown)
{
    json_t *models = json_array();
    for (size_t m = 0; models && m < shown->catalog->n_models; m++) {
        const struct few_cost *cost = &shown->forecast.costs[m];
        json_array_append_new(
            models, json_pack("{s:s, s:b, s:f, s:I}", "name", shown->catalog->models[m].name, "runs",
                              shown->forecast.runs[m], "time_ms", (double)cost->time_us / 1e3, "memory_bytes",
                              (json_int_t)cost->memory_bytes));
    }
    return models;
}

static int show_json(const struct shown *shown)
{
    const struct few_forecast *f = &shown->forecast;
    json_t *times =
        json_pack("{s:f, s:f, s:f, s:s}", "item", (double)f->item_us / 1e3, "total",
                  (double)f->total_us / 1e3, "run_all", (double)f->run_all_us / 1e3, "base", shown->base);
    return print_json(json_pack(
        "{s:I, s:b, s:I, s:I, s:o, s:f, s:o, s:I, s:I, s:I, s:I}", "items", (json_int_t)f->items,
        "items_known", shown->n > 0, "items_kept", (json_int_t)f->kept, "bytes", (json_int_t)f->bytes,
        "models", models_json(shown), "models_expected", f->models, "time_ms", times, "lanes",
        (json_int_t)shown->stats.lanes, "memory_bytes", (json_int_t)shown->stats.memory_bytes, "models_bytes",
        (json_int_t)shown->models_bytes, "store_bytes", (json_int_t)f->store_bytes));
}

static void print_models(const struct shown *shown)
{
    struct table table;
    char time[32], memory[32];
    table_init(&table, "lrrl");
    table_cell(&table, "model");
    table_cell(&table, "time");
    table_cell(&table, "memory");
    table_cell(&table, "expected to");
    for (size_t m = 0; m < shown->catalog->n_models; m++) {
        const struct few_cost *cost = &shown->forecast.costs[m];
        table_cell(&table, "%s", shown->catalog->models[m].name);
        table_cell(&table, "%s", show_time((double)cost->time_us, time, sizeof time));
        table_cell(&table, "%s",
                   cost->memory_bytes ? show_bytes(cost->memory_bytes, memory, sizeof memory) : "-");
        table_cell(&table, "%s", shown->forecast.runs[m] ? "run" : "be left out");
    }
    table_print(&table, stdout);
    table_finish(&table);
}

static void print_sums(const struct shown *shown)
{
    const struct few_forecast *f = &shown->forecast;
    const struct few_session_stats *stats = &shown->stats;
    char item[32], all[32], total[32], grow[32], models[32], most[32];
    printf("\nan item    %.1f of %zu models, %s (%s, one after the other: %s), decoding left out\n",
           f->models, shown->catalog->n_models, show_time((double)f->item_us, item, sizeof item), shown->base,
           show_time((double)f->run_all_us, all, sizeof all));
    if (shown->n > 0)
        printf("all items  %s with %zu lane%s\n", show_time((double)f->total_us, total, sizeof total),
               stats->lanes, stats->lanes == 1 ? "" : "s");
    if (shown->n > 0)
        printf("disk       %s more in %s\n", show_bytes(f->store_bytes, grow, sizeof grow),
               shown->args->output ? shown->args->output : "FILE");
    printf("memory     each with working memory of its own, all models take %s",
           show_bytes(shown->models_bytes, models, sizeof models));
    if (stats->memory_bytes > 0)
        printf("; at most %s at once", show_bytes(stats->memory_bytes, most, sizeof most));
    putchar('\n');
}

static int show_words(const struct shown *shown)
{
    char items[32], kept[32], all[32], bytes[32];
    const struct few_forecast *f = &shown->forecast;
    if (f->kept > 0 && shown->n > 0)
        printf("%s of %s items were done before\n", show_count(f->kept, kept, sizeof kept),
               show_count(shown->n, all, sizeof all));
    if (shown->n == 0)
        puts("how many items there will be is not known: a live stream, or a recording that does not say");
    else
        printf("%s item%s to do, %s\n", show_count(f->items, items, sizeof items), f->items == 1 ? "" : "s",
               show_bytes(f->bytes, bytes, sizeof bytes));
    if (f->items == 0 && shown->n > 0) return EXIT_OK;
    putchar('\n');
    print_models(shown);
    print_sums(shown);
    return EXIT_OK;
}

int dry_run_show(const struct args *args, const struct few_zoo *zoo, struct few_session *session,
                 struct few_items *items, uint64_t n, const char *base)
{
    struct shown shown = {.args = args,
                          .catalog = few_zoo_catalog(zoo),
                          .forecast = {.size = sizeof shown.forecast},
                          .n = n,
                          .base = base};
    struct few_error err = {0};
    if (few_session_forecast(session, items, &shown.forecast, &err) != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    few_session_stats(session, &shown.stats);
    for (size_t m = 0; m < shown.catalog->n_models; m++)
        shown.models_bytes += shown.forecast.costs[m].memory_bytes;
    return args->json ? show_json(&shown) : show_words(&shown);
}
