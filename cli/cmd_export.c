// SPDX-License-Identifier: Apache-2.0
// fewer export: a trace or run in another form.
#include <string.h>

#include "cli.h"

#define FORMS                                                                                 \
    "jsonl|csv|coco|coco-results|label-studio|label-studio-config|fiftyone|fiftyone-classes|" \
    "fiftyone-temporal|yolo|yolo-conf"

static const struct option_row options[] = {
    OPTION("format", 0, OPTION_CHOICE, format, FORMS, "the form, see above"),
    OPTION_OUTPUT,
    OPTION_FORCE,
};

// A folder is there only when it is whole, as a file is; it is never emptied.
static int write_folder(const struct args *args)
{
    struct few_error err = {0};
    if (!args->output) {
        complain("export: --format %s needs -o FOLDER, a new or empty one", args->format);
        return EXIT_USAGE;
    }
    if (few_export_folder(args->rest[0], args->format, args->output, &err) == FEW_OK) return EXIT_OK;
    complain("%s", err.message);
    return EXIT_FAILED;
}

static int run(const struct args *args)
{
    const char *format = args->format ? args->format : "jsonl";
    if (strncmp(format, "yolo", 4) == 0) return write_folder(args);
    return write_out(args, few_export, format);
}

const struct verb verb_export = {
    .name = "export",
    .summary = "write results in a form that other programs read",
    .operands = "RUN",
    .about =
        "RUN is what 'fewer label', 'record' or 'import' made. Without -o, stdout is written; the format is\n"
        "jsonl unless told otherwise.\n\n"
        "  jsonl, csv           a line an item and model\n"
        "  coco, coco-results   images and boxes; the boxes alone, as loadRes wants them\n"
        "  label-studio         tasks with a prediction for each model\n"
        "  label-studio-config  the labelling configuration for them\n"
        "  fiftyone             labels.json of boxes\n"
        "  fiftyone-classes     labels.json of classes\n"
        "  fiftyone-temporal    labels.json of what is seen when in recordings\n"
        "  yolo, yolo-conf      a folder (-o) of text files; with confidences, then every box",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
