// SPDX-License-Identifier: Apache-2.0
// fewer export: a trace or run in another form.
#include <string.h>

#include "cli.h"

static const char *const forms[] = {
    "jsonl",
    "csv",
    "coco",
    "coco-results",
    "label-studio",
    "label-studio-config",
    "fiftyone",
    "fiftyone-classes",
    "fiftyone-temporal",
    "yolo",
    "yolo-conf",
};

static const struct option_row options[] = {
    OPTION("format", 0, OPTION_TEXT, format, "FORM", "one of these (jsonl)"),
    OPTION_OUTPUT,
    OPTION_FORCE,
};

static bool is_form(const char *format)
{
    size_t i = 0, n = sizeof forms / sizeof *forms;
    while (i < n && strcmp(forms[i], format) != 0) i++;
    if (i < n) return true;
    fprintf(stderr, "fewer export: --format: expected ");
    for (i = 0; i < n; i++) fprintf(stderr, "%s%s", i ? "|" : "", forms[i]);
    fprintf(stderr, ", found '%s'\n", format);
    return false;
}

// A folder is there only when it is whole, as a file is; one with something in it is never replaced.
static int write_folder(const struct args *args)
{
    struct few_error err = {0};
    if (!args->output) {
        fprintf(stderr, "fewer export: --format %s needs -o FOLDER, a new or empty one\n", args->format);
        return EXIT_USAGE;
    }
    if (few_export_folder(args->rest[0], args->format, args->output, &err) == FEW_OK) return EXIT_OK;
    complain("%s", err.message);
    return EXIT_FAILED;
}

static int run(const struct args *args)
{
    const char *format = args->format ? args->format : "jsonl";
    if (!is_form(format)) return EXIT_USAGE;
    if (strncmp(format, "yolo", 4) == 0) return write_folder(args);
    return write_out(args, few_export, format);
}

static const char about[] =
    "RUN is what 'fewer label', 'record' or 'import' made. Without -o, stdout is written. Forms:\n\n"
    "  jsonl, csv           a line an item and model\n"
    "  coco, coco-results   images and boxes; the boxes alone, as loadRes wants them\n"
    "  label-studio         tasks with a prediction for each model\n"
    "  label-studio-config  the labelling configuration for them\n"
    "  fiftyone             labels.json of boxes\n"
    "  fiftyone-classes     labels.json of classes\n"
    "  fiftyone-temporal    labels.json of what is seen when in recordings\n"
    "  yolo                 a folder (-o) of text files with the boxes above the model's threshold\n"
    "  yolo-conf            the same with every box and its confidence";

const struct verb verb_export = {
    .name = "export",
    .summary = "write results in a form that other programs read",
    .operands = "RUN",
    .about = about,
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
