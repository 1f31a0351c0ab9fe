// SPDX-License-Identifier: Apache-2.0
/* The command: finds the verb, reads its options, runs it. Exit status: 0 ok, 1 failed (also when items
 * failed), 2 wrong usage, 130 interrupted. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static const struct verb *const verbs[] = {&verb_check, &verb_record, &verb_import, &verb_train,
                                           &verb_label, &verb_status, &verb_retry,  &verb_plan,
                                           &verb_eval,  &verb_export, &verb_report};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

static void print_verbs(FILE *to)
{
    fputs("Fewer: run fewer models, keep the answers.\n\nUsage: fewer VERB ... [options]\n\nVerbs:\n", to);
    for (size_t i = 0; i < N_VERBS; i++) fprintf(to, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    fputs("  help       print this, or what 'fewer help VERB' says of a verb\n\n"
          "'fewer VERB --help' lists a verb's options; 'fewer --version' tells the version.\n",
          to);
}

static const char *verb_name(const void *ud, size_t i)
{
    (void)ud;
    return verbs[i]->name;
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < N_VERBS; i++)
        if (strcmp(verbs[i]->name, name) == 0) return verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *nearest = args_nearest(name, verb_name, NULL, N_VERBS);
    fprintf(stderr, "fewer: unknown %s '%s'", name[0] == '-' ? "option" : "verb", name);
    if (nearest) fprintf(stderr, "; did you mean '%s'?", nearest);
    fputs("\n'fewer help' lists the verbs\n", stderr);
    return EXIT_USAGE;
}

static int help(int argc, char **argv)
{
    if (argc < 2) {
        print_verbs(stdout);
        return EXIT_OK;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (!verb) return unknown_verb(argv[1]);
    args_help(verb);
    return EXIT_OK;
}

static int run_verb(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return help(1, NULL);
    if (strcmp(argv[1], "help") == 0) return help(argc - 1, argv + 1);
    if (strcmp(argv[1], "--version") == 0) {
        printf("fewer %s\n", few_version());
        return EXIT_OK;
    }
    const struct verb *verb = find_verb(argv[1]);
    if (!verb) return unknown_verb(argv[1]);
    struct args args = {0};
    switch (args_parse(verb, argc - 1, argv + 1, &args)) {
    case PARSED: return verb->run(&args);
    case PARSED_HELP: args_help(verb); return EXIT_OK;
    case PARSED_WRONG: break;
    }
    return EXIT_USAGE;
}

/* ONNX Runtime as Microsoft builds it keeps records of its use in the user's folders to send them home, from the moment
 * that it is opened; this is what it asks for to be left alone. */
static void refuse_telemetry(void)
{
    setenv("ORT_DISABLE_TELEMETRY", "1", 0);
}

// What could not be written to stdout is a failure, whatever the verb thinks.
int main(int argc, char **argv)
{
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow (ulimit -f) is a failed write, with a message
    refuse_telemetry();
    int status = run_verb(argc, argv);
    bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || status != EXIT_OK) return status;
    complain("stdout: cannot be written");
    return EXIT_FAILED;
}
