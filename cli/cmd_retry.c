// SPDX-License-Identifier: Apache-2.0
/* fewer retry: the failed items of a run again, as the run's own command would do them. The file's notes say how; the
 * items' paths are relative to the folder that the run was started in, so that is where it goes. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "notes.h"
#include "totals.h"
#include "work.h"

static const struct option_row options[] = {
    OPTION_LANES, OPTION_STORAGE, OPTION_RUNTIME, OPTION_JSON, OPTION_PROGRESS, OPTION_QUIET,
};

static int nothing_to_do(const struct args *args, const struct few_run_status *status)
{
    char items[32];
    if (args->json) {
        const struct totals totals = totals_of_file(status);
        json_t *object = totals_json(&totals);
        if (object) json_object_set_new(object, "items_retried", json_integer(0));
        return print_json(object);
    }
    if (!args->quiet)
        fprintf(stderr, "nothing to retry: none of the %s items of %s failed\n",
                show_count(status->items, items, sizeof items), args->rest[0]);
    return EXIT_OK;
}

// Names given here are relative to here, those in the notes to where the run was started.
static bool make_absolute(const char *path, char text[FEW_PATH_MAX])
{
    size_t used = 0;
    if (path[0] != '/') {
        if (!getcwd(text, FEW_PATH_MAX - 1)) return false;
        used = strlen(text);
        text[used++] = '/';
    }
    int n = snprintf(text + used, FEW_PATH_MAX - used, "%s", path);
    return n >= 0 && (size_t)n < FEW_PATH_MAX - used;
}

static int retry(const struct args *given, const json_t *notes, const struct few_run_status *before)
{
    static char file[FEW_PATH_MAX], runtime[FEW_PATH_MAX];
    struct args args = *given;
    enum few_purpose purpose;
    const char *cwd = NULL;
    if (!make_absolute(given->rest[0], file) || (given->runtime && !make_absolute(given->runtime, runtime))) {
        complain("%s: the path is too long", given->rest[0]);
        return EXIT_FAILED;
    }
    if (given->runtime) args.runtime = runtime;
    if (!notes_read(notes, given->rest[0], &args, &purpose, &cwd)) return EXIT_FAILED;
    args.output = file;
    if (chdir(cwd) == 0) return work_again(&args, purpose, before);
    complain("%s: the run was started in this folder: %s", cwd, strerror(errno));
    return EXIT_FAILED;
}

static int run(const struct args *args)
{
    struct few_run_status status = {.size = sizeof status};
    struct few_error err = {0};
    int exit_status = EXIT_FAILED;
    if (few_run_status(args->rest[0], &status, &err) != FEW_OK) {
        complain("%s", err.message);
        return EXIT_FAILED;
    }
    json_t *notes = json_loads(status.notes, 0, NULL);
    if (status.counts[FEW_FAILED] == 0) exit_status = nothing_to_do(args, &status);
    else exit_status = retry(args, notes, &status);
    json_decref(notes);
    few_text_free(status.config);
    few_text_free(status.notes);
    return exit_status;
}

const struct verb verb_retry = {
    .name = "retry",
    .summary = "do the failed items of a run again",
    .operands = "FILE",
    .about =
        "FILE is what 'fewer label' or 'fewer record' made. Its failed items are done again with the zoo and "
        "the\n"
        "options of the command that made it, from the folder in which that was started; the others stay as\n"
        "they are.",
    .min_rest = 1,
    .max_rest = 1,
    .options = options,
    .n_options = sizeof options / sizeof *options,
    .run = run,
};
