// SPDX-License-Identifier: Apache-2.0
/* Command lines: one table of options for each verb, from which both the parser and --help come. */
#ifndef FEW_CLI_ARGS_H
#define FEW_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARGS_BYTES_MAX (UINT64_C(1) << 50) // of a size: a pebibyte

/* So many bytes, or a share of what all models take together. The other member is 0; both are 0 = no limit. */
struct args_memory {
    uint64_t bytes;
    double share; // (0, 1]
};

/* What any verb may be told; a verb reads the members that its table names. */
struct args {
    bool json, quiet, force, no_pixels, all_variants, dry_run;
    const char *root, *policy, *output, *runtime, *format, *zoo, *rules;
    const char *trace, *eval; // of report
    bool no_curves, transfer;
    const char *priority;                                 // of eval
    const char *recalls, *deadlines, *memories, *methods; // lists of eval, separated by commas
    const char *progress, *reuse;
    uint64_t split; // of eval, plan, train
    uint64_t limit, seed, runs, lanes, in_flight, storage;
    uint64_t every, streams, reconnects, threads;
    double fps, rate, recall;
    const char *source, *only, *from; // of train
    int64_t deadline_us;
    int64_t from_us, to_us, clip_us, segment_us, live_timeout_us, for_us;
    struct args_memory memory;
    char **rest; // (n_rest,) what is no option, in order
    size_t n_rest;
};

enum option_type {
    OPTION_FLAG,     // bool
    OPTION_TEXT,     // const char *
    OPTION_CHOICE,   // const char *, one of `value` = "a|b|c"
    OPTION_COUNT,    // uint64_t in min .. max
    OPTION_DECIMAL,  // double, more than 0 and at most max
    OPTION_DURATION, // int64_t, microseconds
    OPTION_BYTES,    // uint64_t
    OPTION_MEMORY,   // struct args_memory
};

struct option_row {
    const char *name;
    char letter; // short form, or 0
    enum option_type type;
    size_t offset;     // in struct args
    const char *value; // how the help calls the value: "FILE"
    const char *help;
    uint64_t min, max; // COUNT, DECIMAL
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

/* "300MiB", "1.5GiB", "500MB", "1048576": at least one byte, at most ARGS_BYTES_MAX. */
bool args_bytes(const char *text, size_t n, uint64_t *bytes);

/* The same, or a share: "25%", more than 0 and at most 100. */
bool args_memory(const char *text, size_t n, struct args_memory *memory);

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

/* Which items; label and record. */
#define OPTION_FPS                                                                               \
    {                                                                                            \
        "fps", 0, OPTION_DECIMAL, offsetof(struct args, fps), "N",                               \
            "take N pictures a second of recordings and streams: 2, 0.5 (default: all)", 0, 1000 \
    }
#define OPTION_EVERY OPTION_NUMBER("every", every, 1, UINT64_MAX, "take each N-th picture of them")
#define OPTION_FROM \
    OPTION("from", 0, OPTION_DURATION, from_us, "TIME", "begin there in each recording: 12.5s")
#define OPTION_TO OPTION("to", 0, OPTION_DURATION, to_us, "TIME", "end there in each recording")
#define OPTION_CLIP \
    OPTION("clip", 0, OPTION_DURATION, clip_us, "TIME", "length of an item that is sound alone (default: 1s)")
#define OPTION_STREAMS \
    OPTION_NUMBER("streams", streams, 1, FEW_STREAMS_MAX, "let N recordings take turns (default: 4)")
#define OPTION_RECONNECTS                                  \
    OPTION_NUMBER("reconnects", reconnects, 1, UINT64_MAX, \
                  "give a live stream up after N failed attempts in a row (default: never)")
#define OPTION_LIVE_TIMEOUT                                             \
    OPTION("live-timeout", 0, OPTION_DURATION, live_timeout_us, "TIME", \
           "connect again to a live stream that is silent for so long (default: 10s)")
#define OPTION_FOR \
    OPTION("for", 0, OPTION_DURATION, for_us, "TIME", "end after that time; what is done is kept: 60s")
/* All of them: which moments of recordings and live streams are items, and for how long. */
#define OPTIONS_OF_STREAMS                                                                              \
    OPTION_FPS, OPTION_EVERY, OPTION_FROM, OPTION_TO, OPTION_CLIP, OPTION_STREAMS, OPTION_LIVE_TIMEOUT, \
        OPTION_RECONNECTS, OPTION_FOR
#define OPTION_PROGRESS                                                    \
    OPTION("progress", 0, OPTION_CHOICE, progress, "auto|plain|json|none", \
           "how to tell how far it is, on stderr")

/* What label, record and retry share; FEW_LANES_MAX, FEW_IN_FLIGHT_MAX: <fewer/session.h>. */
#define OPTION_LANES \
    OPTION_NUMBER("lanes", lanes, 1, FEW_LANES_MAX, "run N models at once (default: one for each core)")
#define OPTION_IN_FLIGHT                                        \
    OPTION_NUMBER("in-flight", in_flight, 1, FEW_IN_FLIGHT_MAX, \
                  "take up N items at once (default: 1 with a deadline, else one more than lanes)")
#define OPTION_MEMORY_LIMIT                            \
    OPTION("memory", 0, OPTION_MEMORY, memory, "SIZE", \
           "of all models together: 300MiB, 2GiB, or a share of what all of them take: 25%")
#define OPTION_STORAGE \
    OPTION("storage", 0, OPTION_BYTES, storage, "SIZE", "the most that FILE may grow to: 500MB, 2GiB")
#define OPTION_AGAIN OPTION("force", 'f', OPTION_FLAG, force, NULL, "start again and replace FILE")
#define OPTION_DRY_RUN \
    OPTION("dry-run", 'n', OPTION_FLAG, dry_run, NULL, "say what it would take; write nothing")

#define OPTION_JSON    OPTION("json", 0, OPTION_FLAG, json, NULL, "print one JSON object on stdout")
#define OPTION_QUIET   OPTION("quiet", 'q', OPTION_FLAG, quiet, NULL, "no progress, no summary; errors only")
#define OPTION_FORCE   OPTION("force", 'f', OPTION_FLAG, force, NULL, "replace FILE if it exists")
#define OPTION_ROOT    OPTION("root", 0, OPTION_TEXT, root, "DIR", "start relative paths of the zoo from DIR")
#define OPTION_OUTPUT  OPTION("output", 'o', OPTION_TEXT, output, "FILE", "write FILE")
#define OPTION_RUNTIME OPTION("runtime", 0, OPTION_TEXT, runtime, "LIB", "use this ONNX Runtime library")
#define OPTION_LIMIT   OPTION_NUMBER("limit", limit, 1, UINT64_MAX, "take the first N items only")
#define OPTION_SPLIT                     \
    OPTION_NUMBER("split", split, 1, 99, \
                  "learn from N of 100 items, test on the others (default: the policy's, 20)")
#define OPTION_SEED OPTION_NUMBER("seed", seed, 0, UINT64_MAX, "seed of what is random")

#endif
