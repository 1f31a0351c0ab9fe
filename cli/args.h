// SPDX-License-Identifier: Apache-2.0
/* Command lines: one table of options for each verb, from which both the parser and --help come. */
#ifndef FEW_CLI_ARGS_H
#define FEW_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What any verb may be told; a verb reads the members that its table names. */
struct args {
    bool json, quiet, force, no_pixels;
    const char *root, *policy, *output, *runtime, *format, *zoo;
    const char *recalls, *deadlines, *methods; // lists of eval, separated by commas
    uint64_t limit, seed, runs;
    int64_t deadline_us;
    char **rest; // (n_rest,) what is no option, in order
    size_t n_rest;
};

enum option_type {
    OPTION_FLAG,     // bool
    OPTION_TEXT,     // const char *
    OPTION_CHOICE,   // const char *, one of `value` = "a|b|c"
    OPTION_COUNT,    // uint64_t in min .. max
    OPTION_DURATION, // int64_t, microseconds
};

struct option_row {
    const char *name;
    char letter; // short form, or 0
    enum option_type type;
    size_t offset;     // in struct args
    const char *value; // how the help calls the value: "FILE"
    const char *help;
    uint64_t min, max; // COUNT
};

struct verb {
    const char *name, *summary;
    const char *operands; // "ZOO DATA..."
    const char *about;    // a paragraph for --help, lines broken
    size_t min_rest, max_rest;
    const struct option_row *options; // (n_options,)
    size_t n_options;
    int (*run)(const struct args *args); // exit status
};

enum parsed { PARSED, PARSED_HELP, PARSED_WRONG };

/* argv[0] is the verb. Says what is wrong on stderr. Members that no option set are left as they are. */
enum parsed args_parse(const struct verb *verb, int argc, char **argv, struct args *args);
void args_help(const struct verb *verb);

/* "60ms", "1.5s", "200us": more than 0, at most a day. */
bool args_duration(const char *text, size_t n, int64_t *us);

/* A whole text of n bytes that is a decimal number in min .. max. */
bool args_number(const char *text, size_t n, double min, double max, double *value);

/* The nth part of a text separated by commas, or false. */
bool args_part(const char *list, size_t nth, const char **part, size_t *n);

/* The name that is meant by a mistyped word, or NULL if none is near. */
const char *args_nearest(const char *word, const char *(*name)(const void *ud, size_t i), const void *ud,
                         size_t n);

#define OPTION(opt, letter, kind, member, value, help)                      \
    {                                                                       \
        opt, letter, kind, offsetof(struct args, member), value, help, 0, 0 \
    }
#define OPTION_NUMBER(opt, member, low, high, help)                               \
    {                                                                             \
        opt, 0, OPTION_COUNT, offsetof(struct args, member), "N", help, low, high \
    }

#define OPTION_JSON    OPTION("json", 0, OPTION_FLAG, json, NULL, "print one JSON object on stdout")
#define OPTION_QUIET   OPTION("quiet", 'q', OPTION_FLAG, quiet, NULL, "no progress, no summary; errors only")
#define OPTION_FORCE   OPTION("force", 'f', OPTION_FLAG, force, NULL, "replace FILE if it exists")
#define OPTION_ROOT    OPTION("root", 0, OPTION_TEXT, root, "DIR", "start relative paths of the zoo from DIR")
#define OPTION_OUTPUT  OPTION("output", 'o', OPTION_TEXT, output, "FILE", "write FILE")
#define OPTION_RUNTIME OPTION("runtime", 0, OPTION_TEXT, runtime, "LIB", "use this ONNX Runtime library")
#define OPTION_LIMIT   OPTION_NUMBER("limit", limit, 1, UINT64_MAX, "take the first N items only")
#define OPTION_SEED    OPTION_NUMBER("seed", seed, 0, UINT64_MAX, "seed of what is random")

#endif
