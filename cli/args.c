// SPDX-License-Identifier: Apache-2.0
/* Command lines against a verb's table of options. Numbers are read whole or not at all: "10x" is no number. */
#include "args.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64, NUMBER_MAX = 40 };

/* ---- words ---- */

// Levenshtein's distance, neighbours swapped counting 1; words longer than WORD_MAX are far from everything.
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), rows[3][WORD_MAX + 1];
    if (n > WORD_MAX || m > WORD_MAX) return WORD_MAX;
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++) last[j] = before[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best) best = last[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < best) best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[m];
}

const char *args_nearest(const char *word, const char *(*name)(const void *ud, size_t i), const void *ud,
                         size_t n)
{
    const char *nearest = NULL;
    size_t least = strlen(word) < 5 ? 2 : 3; // two slips are a typing mistake, in a short word one is
    for (size_t i = 0; i < n; i++) {
        const char *other = name(ud, i);
        bool starts = strlen(word) > 1 && strncmp(other, word, strlen(word)) == 0;
        size_t d = starts ? 1 : distance(word, other);
        if (d >= least) continue;
        least = d;
        nearest = other;
    }
    return nearest;
}

/* ---- values ---- */

bool args_number(const char *text, size_t n, double min, double max, double *value)
{
    char copy[NUMBER_MAX + 1];
    if (n == 0 || n > NUMBER_MAX || strspn(text, "0123456789.") < n) return false;
    if (text[0] == '.' || text[n - 1] == '.') return false;
    memcpy(copy, text, n);
    copy[n] = 0;
    char *end = NULL;
    *value = strtod(copy, &end);
    return *end == 0 && *value >= min && *value <= max;
}

bool args_duration(const char *text, size_t n, int64_t *us)
{
    static const struct {
        const char *unit;
        double us;
    } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};
    const double day = 86400e6;
    size_t digits = strspn(text, "0123456789.");
    if (digits > n) digits = n;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double value = 0;
        if (n - digits != strlen(units[i].unit) || strncmp(text + digits, units[i].unit, n - digits) != 0)
            continue;
        if (!args_number(text, digits, 0, day, &value)) return false;
        value = round(value * units[i].us);
        *us = (int64_t)value;
        return value >= 1 && value <= day;
    }
    return false;
}

bool args_bytes(const char *text, size_t n, uint64_t *bytes)
{
    static const struct {
        const char *unit;
        double bytes;
    } units[] = {{"", 1},
                 {"B", 1},
                 {"kB", 1e3},
                 {"KB", 1e3},
                 {"MB", 1e6},
                 {"GB", 1e9},
                 {"TB", 1e12},
                 {"KiB", 1024.0},
                 {"MiB", 1048576.0},
                 {"GiB", 1073741824.0},
                 {"TiB", 1099511627776.0}};
    const double max = (double)ARGS_BYTES_MAX;
    size_t digits = strspn(text, "0123456789.");
    if (digits > n) digits = n;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        double value = 0;
        if (n - digits != strlen(units[i].unit) || strncmp(text + digits, units[i].unit, n - digits) != 0)
            continue;
        if (!args_number(text, digits, 0, max, &value)) return false;
        value *= units[i].bytes;
        if (units[i].bytes == 1 && value != floor(value)) return false;
        if (value < 1 || value > max) return false;
        *bytes = (uint64_t)round(value);
        return true;
    }
    return false;
}

bool args_memory(const char *text, size_t n, struct args_memory *memory)
{
    struct args_memory value = {0};
    double percent = 0;
    bool right = false;
    if (n > 0 && text[n - 1] == '%') {
        right = args_number(text, n - 1, 0, 100, &percent) && percent > 0;
        value.share = percent / 100;
    } else {
        right = args_bytes(text, n, &value.bytes);
    }
    if (right) *memory = value;
    return right;
}

bool args_part(const char *list, size_t nth, const char **part, size_t *n)
{
    for (; nth > 0; nth--) {
        list += strcspn(list, ",");
        if (*list == 0) return false;
        list++;
    }
    *part = list;
    *n = strcspn(list, ",");
    return true;
}

static bool read_count(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    if (text[0] == 0 || strspn(text, "0123456789") != strlen(text)) return false;
    errno = 0;
    unsigned long long number = strtoull(text, NULL, 10);
    *value = number;
    return errno == 0 && number >= min && number <= max;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    for (const char *c = choices; n > 0 && (c = strstr(c, text)); c += n)
        if ((c == choices || c[-1] == '|') && (c[n] == 0 || c[n] == '|')) return true;
    return false;
}

static void expected(const struct verb *verb, const struct option_row *row, const char *what,
                     const char *found)
{
    fprintf(stderr, "fewer %s: --%s: expected %s, found '%s'\n", verb->name, row->name, what, found);
}

static bool set_option(const struct verb *verb, const struct option_row *row, const char *text,
                       struct args *args)
{
    void *at = (char *)args + row->offset;
    char range[96];
    switch (row->type) {
    case OPTION_FLAG: *(bool *)at = true; return true;
    case OPTION_TEXT:
        if (*text == 0) {
            expected(verb, row, row->value, text);
            return false;
        }
        *(const char **)at = text;
        return true;
    case OPTION_CHOICE:
        *(const char **)at = text;
        if (!is_choice(row->value, text)) expected(verb, row, row->value, text);
        return is_choice(row->value, text);
    case OPTION_COUNT:
        if (read_count(text, row->min, row->max, at)) return true;
        if (row->max == UINT64_MAX)
            snprintf(range, sizeof range, "a whole number of at least %llu", (unsigned long long)row->min);
        else
            snprintf(range, sizeof range, "a whole number from %llu to %llu", (unsigned long long)row->min,
                     (unsigned long long)row->max);
        expected(verb, row, range, text);
        return false;
    case OPTION_DECIMAL:
        if (args_number(text, strlen(text), 0, (double)row->max, at) && *(double *)at > 0) return true;
        snprintf(range, sizeof range, "a number above 0, at most %llu", (unsigned long long)row->max);
        expected(verb, row, range, text);
        return false;
    case OPTION_DURATION:
        if (args_duration(text, strlen(text), at)) return true;
        expected(verb, row, "a time such as 200us, 60ms or 1.5s", text);
        return false;
    case OPTION_BYTES:
        if (args_bytes(text, strlen(text), at)) return true;
        expected(verb, row, "a size such as 300MiB, 2GiB or 500MB", text);
        return false;
    case OPTION_MEMORY:
        if (args_memory(text, strlen(text), at)) return true;
        expected(verb, row, "a size such as 300MiB, 2GiB or 500MB, or a share such as 25%", text);
        return false;
    }
    return false;
}

/* ---- the line ---- */

static const char *option_name(const void *ud, size_t i)
{
    return ((const struct verb *)ud)->options[i].name;
}

static const struct option_row *find_option(const struct verb *verb, const char *name, size_t n, char letter)
{
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct option_row *row = &verb->options[i];
        if (letter ? row->letter == letter : strlen(row->name) == n && strncmp(row->name, name, n) == 0)
            return row;
    }
    return NULL;
}

static enum parsed unknown_option(const struct verb *verb, const char *word)
{
    char name[WORD_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *bare = name + strspn(name, "-");
    const char *nearest = args_nearest(bare, option_name, verb, verb->n_options);
    fprintf(stderr, "fewer %s: unknown option %s", verb->name, name);
    if (nearest && name[1] == '-') fprintf(stderr, "; did you mean --%s?", nearest);
    fprintf(stderr, "\n'fewer %s --help' lists the options\n", verb->name);
    return PARSED_WRONG;
}

// Reads the option at argv[*i], and its value, which may be the next word.
static enum parsed read_option(const struct verb *verb, int argc, char **argv, int *i, struct args *args)
{
    const char *word = argv[*i], *value = NULL;
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) return PARSED_HELP;
    const struct option_row *row;
    if (word[1] == '-') {
        size_t n = strcspn(word + 2, "=");
        row = find_option(verb, word + 2, n, 0);
        if (word[2 + n] == '=') value = word + 2 + n + 1;
    } else {
        row = find_option(verb, NULL, 0, word[1]);
        if (word[2] != 0) value = word + 2;
    }
    if (!row) return unknown_option(verb, word);
    if (row->type == OPTION_FLAG) {
        if (value) {
            fprintf(stderr, "fewer %s: --%s takes no value, found '%s'\n", verb->name, row->name, value);
            return PARSED_WRONG;
        }
    } else if (!value) {
        if (*i + 1 >= argc) {
            fprintf(stderr, "fewer %s: --%s: expected %s, found the end of the line\n", verb->name, row->name,
                    row->value);
            return PARSED_WRONG;
        }
        value = argv[++*i];
    }
    return set_option(verb, row, value ? value : "", args) ? PARSED : PARSED_WRONG;
}

enum parsed args_parse(const struct verb *verb, int argc, char **argv, struct args *args)
{
    args->rest = argv + 1; // operands move forward over the options that are read
    args->n_rest = 0;
    bool only_operands = false;
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (only_operands || word[0] != '-' || word[1] == 0) {
            args->rest[args->n_rest++] = argv[i];
        } else if (strcmp(word, "--") == 0) {
            only_operands = true;
        } else {
            enum parsed parsed = read_option(verb, argc, argv, &i, args);
            if (parsed != PARSED) return parsed;
        }
    }
    if (args->n_rest >= verb->min_rest && args->n_rest <= verb->max_rest) return PARSED;
    fprintf(stderr, "fewer %s: expected %s, found %zu argument%s\n'fewer %s --help' says more\n", verb->name,
            verb->operands, args->n_rest, args->n_rest == 1 ? "" : "s", verb->name);
    return PARSED_WRONG;
}

void args_help(const struct verb *verb)
{
    printf("fewer %s: %s\n\nUsage: fewer %s %s [options]\n\n%s\n\nOptions:\n", verb->name, verb->summary,
           verb->name, verb->operands, verb->about);
    for (size_t i = 0; i < verb->n_options; i++) {
        const struct option_row *row = &verb->options[i];
        char left[64], letter[8] = "    ";
        if (row->letter) snprintf(letter, sizeof letter, "-%c, ", row->letter);
        snprintf(left, sizeof left, "%s--%s %s", letter, row->name, row->value ? row->value : "");
        printf("  %-28s %s\n", left, row->help);
    }
    printf("  %-28s %s\n", "-h, --help", "print this");
}
