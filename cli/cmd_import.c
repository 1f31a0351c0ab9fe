// SPDX-License-Identifier: Apache-2.0
// fewer import: a trace of outputs that something else computed.
#include "cli.h"

static const struct option_row options[] = {
    OPTION_OUTPUT, OPTION("zoo", 0, OPTION_TEXT, zoo, "ZOO", "manifest that describes the models (zoo.yaml)"),
    OPTION_ROOT,   OPTION_FORCE,
    OPTION_JSON,   OPTION_QUIET,
};

static int import_file(const struct args *args, const struct few_zoo *zoo)
{
    struct few_import_stats stats = {0};
    struct few_error err = {0};
    enum few_status status = few_import(args->rest[0], zoo, args->output, args->force, &stats, &err);
    if (status != FEW_OK) {
        complain("%s%s", err.message, status == FEW_EEXIST ? "; --force replaces it" : "");
        return EXIT_FAILED;
    }
    size_t n_models = few_zoo_catalog(zoo)->n_models;
    if (args->json)
        return print_json(json_pack("{s:I, s:I, s:I, s:I, s:I}", "items", (json_int_t)stats.items,
                                    "items_failed", (json_int_t)stats.items_failed, "models",
                                    (json_int_t)n_models, "outputs", (json_int_t)stats.outputs, "unknown",
                                    (json_int_t)stats.unknown));
    if (args->quiet) return EXIT_OK;
    fprintf(stderr, "%llu items, %zu models, %llu outputs, kept in %s\n", (unsigned long long)stats.items,
            n_models, (unsigned long long)stats.outputs, args->output);
    if (stats.items_failed)
        fprintf(stderr, "%llu of the items carry an error of their own\n",
                (unsigned long long)stats.items_failed);
    if (stats.unknown)
        fprintf(stderr, "%llu outputs of models that the zoo does not have were left out\n",
                (unsigned long long)stats.unknown);
    return EXIT_OK;
}

static int run(const struct args *args)
{
    if (!args->zoo || !args->output) {
        fputs("fewer import: expected --zoo ZOO and -o FILE\n", stderr);
        return EXIT_USAGE;
    }
    struct few_zoo *zoo = open_zoo(args->zoo, args->root);
    if (!zoo) return EXIT_FAILED;
    int status = import_file(args, zoo);
    few_zoo_close(zoo);
    return status;
}

const struct verb verb_import = {
    .name = "import",
    .summary = "make a trace of outputs that something else computed",
    .operands = "OUTPUTS",
    .about = "OUTPUTS is a file of JSON Lines, gzipped or not, or - for stdin; docs/import.md has the form.\n"
             "Times come from its lines, else from the costs in the manifest.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
