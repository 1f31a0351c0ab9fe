// SPDX-License-Identifier: Apache-2.0
#include "lists.h"

#include <math.h>
#include <string.h>

#include "cli.h"

static int wrong_part(const char *verb, const char *option, const char *expected, const char *part, size_t n)
{
    fprintf(stderr, "fewer %s: --%s: expected %s, found '%.*s'\n", verb, option, expected, (int)n, part);
    return EXIT_USAGE;
}

static int too_many(const char *verb, const char *option)
{
    fprintf(stderr, "fewer %s: --%s: expected at most %d values\n", verb, option, LIST_MAX);
    return EXIT_USAGE;
}

static int read_recalls(const char *verb, const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many(verb, "recall");
        if (!args_number(part, n, 0, 1, &lists->recalls[i]))
            return wrong_part(verb, "recall", "numbers from 0 to 1", part, n);
        lists->n_recalls = i + 1;
    }
    return EXIT_OK;
}

static int read_deadlines(const char *verb, const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many(verb, "deadline");
        if (!args_duration(part, n, &lists->deadlines_us[i]))
            return wrong_part(verb, "deadline", "times such as 200us, 60ms or 1.5s", part, n);
        lists->n_deadlines = i + 1;
    }
    return EXIT_OK;
}

static int read_memories(const char *verb, const char *list, struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; list && args_part(list, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many(verb, "memory");
        if (!args_memory(part, n, &lists->memories[i]))
            return wrong_part(verb, "memory", "sizes such as 300MiB or shares such as 25%", part, n);
        lists->n_memories = i + 1;
    }
    return EXIT_OK;
}

int lists_read(const char *verb, const struct args *args, struct lists *lists)
{
    bool wrong = read_recalls(verb, args->recalls, lists) || read_deadlines(verb, args->deadlines, lists) ||
                 read_memories(verb, args->memories, lists);
    return wrong ? EXIT_USAGE : EXIT_OK;
}

static const char *find(const char *const *names, size_t n_names, const char *part, size_t n)
{
    for (size_t i = 0; i < n_names; i++)
        if (strlen(names[i]) == n && strncmp(names[i], part, n) == 0) return names[i];
    return NULL;
}

static int wrong_method(const char *verb, const char *const *names, size_t n_names, const char *part,
                        size_t n)
{
    char all[400] = "one of ";
    size_t used = strlen(all);
    for (size_t i = 0; i < n_names && used < sizeof all; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, i ? ", %s" : "%s", names[i]);
    return wrong_part(verb, "method", all, part, n);
}

int lists_methods(const char *verb, const struct args *args, const char *const *methods, size_t n_methods,
                  struct lists *lists)
{
    const char *part = NULL;
    size_t n = 0;
    for (size_t i = 0; args->methods && args_part(args->methods, i, &part, &n); i++) {
        if (i == LIST_MAX) return too_many(verb, "method");
        lists->methods[i] = find(methods, n_methods, part, n);
        if (!lists->methods[i] && args->policy && n <= METHOD_NAME_MAX) {
            memcpy(lists->names[i], part, n);
            lists->methods[i] = lists->names[i];
        }
        if (!lists->methods[i]) return wrong_method(verb, methods, n_methods, part, n);
        lists->n_methods = i + 1;
    }
    return EXIT_OK;
}

int lists_measure(const char *trace, struct lists *lists)
{
    uint64_t all = 0;
    for (size_t i = 0; i < lists->n_memories; i++) {
        const struct args_memory *memory = &lists->memories[i];
        if (memory->share > 0 && all == 0) {
            struct few_run_status status = {.size = sizeof status};
            struct few_error err = {0};
            if (few_run_status(trace, &status, &err) != FEW_OK) {
                complain("%s", err.message);
                return EXIT_FAILED;
            }
            all = status.models_bytes;
            few_text_free(status.config);
            few_text_free(status.notes);
        }
        if (memory->share > 0 && all == 0) {
            complain("--memory: %s: the memory of its models is not known, expected a size such as 300MiB",
                     trace);
            return EXIT_FAILED;
        }
        double share = ceil(memory->share * (double)all);
        lists->memories_bytes[i] = memory->share > 0 ? (uint64_t)share : memory->bytes;
    }
    return EXIT_OK;
}
