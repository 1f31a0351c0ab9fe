// SPDX-License-Identifier: Apache-2.0
// fewer check: validate a zoo, load and profile every model, print the table.
#include "cli.h"
#include "progress.h"
#include "table.h"

enum { RUNS_MAX = 1000 };

static const struct option_row options[] = {
    OPTION_NUMBER("runs", runs, 1, RUNS_MAX, "time N runs of each model (default 10)"),
    OPTION_SEED,
    OPTION_ROOT,
    OPTION_RUNTIME,
    OPTION_JSON,
    OPTION_QUIET,
};

struct check {
    const struct few_catalog *catalog;
    struct table table;
    json_t *models;   // NULL: the table is wanted
    bool on_terminal; // a line there tells how far it is
    size_t n_failed;
    double run_ms;
    uint64_t loaded_bytes;
};

static void add_json(struct check *check, const struct few_model *model, const struct few_profile *profile)
{
    json_array_append_new(check->models,
                          json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:f, s:I, s:I}", "name", model->name,
                                    "kind", few_kind_name(model->kind), "status",
                                    profile->status == FEW_OK ? "ok" : few_status_name(profile->status),
                                    "message", profile->message, "load_ms", profile->load_ms, "run_ms",
                                    profile->run_ms, "run_p90_ms", profile->run_p90_ms, "loaded_bytes",
                                    (json_int_t)profile->loaded_bytes, "peak_bytes",
                                    (json_int_t)profile->peak_bytes));
}

static void add_row(struct check *check, const struct few_model *model, const struct few_profile *profile)
{
    struct table *table = &check->table;
    char loaded[32], peak[32];
    table_cell(table, "%s", model->name);
    table_cell(table, "%s", few_kind_name(model->kind));
    if (profile->status != FEW_OK) {
        for (int i = 0; i < 5; i++) table_cell(table, "-");
        table_cell(table, "%s", few_status_text(profile->status));
        return;
    }
    table_cell(table, "%.1f", profile->load_ms);
    table_cell(table, "%.2f", profile->run_ms);
    table_cell(table, "%.2f", profile->run_p90_ms);
    table_cell(table, "%s", show_bytes(profile->loaded_bytes, loaded, sizeof loaded));
    table_cell(table, "%s", show_bytes(profile->peak_bytes, peak, sizeof peak));
    table_cell(table, "ok");
}

static void on_profile(void *ud, size_t i_model, const struct few_profile *profile)
{
    struct check *check = ud;
    const struct few_model *model = &check->catalog->models[i_model];
    if (profile->status != FEW_OK) {
        if (check->on_terminal) fputs("\r\033[K", stderr);
        complain("%s: %s", model->name, profile->message);
        check->n_failed++;
    }
    check->run_ms += profile->run_ms;
    check->loaded_bytes += profile->loaded_bytes;
    if (check->models) add_json(check, model, profile);
    else add_row(check, model, profile);
    if (check->on_terminal) fprintf(stderr, "\r%zu/%zu models\033[K", i_model + 1, check->catalog->n_models);
}

static void print_table(const struct check *check)
{
    char loaded[32];
    table_print(&check->table, stdout);
    printf("%zu models: %.1f ms an item for all of them, %s loaded", check->catalog->n_models, check->run_ms,
           show_bytes(check->loaded_bytes, loaded, sizeof loaded));
    if (check->n_failed) printf("; %zu cannot be used", check->n_failed);
    putchar('\n');
}

static int profile_all(const struct args *args, const struct few_zoo *zoo)
{
    struct check check = {.catalog = few_zoo_catalog(zoo), .models = args->json ? json_array() : NULL};
    struct few_check_opts opts = {
        .size = sizeof opts, .runtime = args->runtime, .runs = (unsigned)args->runs, .seed = args->seed};
    static const char *const heads[] = {"model",  "kind",   "load ms", "run ms",
                                        "p90 ms", "loaded", "peak",    "status"};
    table_init(&check.table, "llrrrrrl");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) table_cell(&check.table, "%s", heads[i]);
    check.on_terminal = !args->quiet && progress_on_terminal();
    struct few_error err = {0};
    enum few_status status = few_check(zoo, &opts, on_profile, &check, &err);
    if (check.on_terminal) fputs("\r\033[K", stderr);
    int exit_status = status == FEW_OK ? EXIT_OK : EXIT_FAILED;
    if (status != FEW_OK) complain("%s", err.message);
    if (status != FEW_OK && status != FEW_EBACKEND) {
        json_decref(check.models); // nothing was profiled: words only
    } else if (check.models) {
        if (print_json(json_pack("{s:s, s:I, s:o}", "zoo", args->rest[0], "failed",
                                 (json_int_t)check.n_failed, "models", check.models)) != EXIT_OK)
            exit_status = EXIT_FAILED;
    } else {
        print_table(&check);
    }
    table_finish(&check.table);
    return exit_status;
}

static int run(const struct args *args)
{
    struct few_zoo *zoo = open_zoo(args->rest[0], args->root);
    if (!zoo) return EXIT_FAILED;
    int status = profile_all(args, zoo);
    few_zoo_close(zoo);
    return status;
}

const struct verb verb_check = {
    .name = "check",
    .summary = "validate a zoo, load and profile every model",
    .operands = "ZOO",
    .about = "ZOO is a manifest (zoo.yaml). Times are those of the runtime alone on random input, after a\n"
             "warm-up; memory is what the process grew by.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
