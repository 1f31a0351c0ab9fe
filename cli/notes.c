// SPDX-License-Identifier: Apache-2.0
/* What a run's file keeps of the command that made it. A member that was not given is not there. */
#include "notes.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DATA_MAX = 16, CWD_MAX = 4096 }; // a glob that a shell has opened is not worth keeping

/* ---- in ---- */

static void put_text(json_t *notes, const char *key, const char *text)
{
    if (text) json_object_set_new(notes, key, json_string(text));
}

static void put_number(json_t *notes, const char *key, uint64_t number)
{
    if (number) json_object_set_new(notes, key, json_integer((json_int_t)number));
}

static void put_flag(json_t *notes, const char *key, bool flag)
{
    if (flag) json_object_set_new(notes, key, json_true());
}

static void put_time(json_t *notes, const char *key, int64_t us)
{
    put_number(notes, key, us > 0 ? (uint64_t)us : 0);
}

// A URL is kept without user and password.
static json_t *operand(const char *text)
{
    const char *host = strstr(text, "://"), *at = NULL;
    if (!host) return json_string(text);
    host += 3;
    size_t n = strcspn(host, "/?#");
    for (size_t i = 0; i < n; i++)
        if (host[i] == '@') at = host + i;
    return at ? json_sprintf("%.*s%s", (int)(host - text), text, at + 1) : json_string(text);
}

static bool is_list(const char *text)
{
    size_t n = strlen(text);
    return n > 6 && strcasecmp(text + n - 6, ".jsonl") == 0;
}

// Lists of records are kept even beside a glob that a shell has opened: retry finds its items in them.
static void put_data(json_t *notes, const struct args *args)
{
    bool all = args->n_rest - 1 <= DATA_MAX;
    json_t *data = json_array(), *lists = json_array();
    for (size_t i = 1; data && all && i < args->n_rest; i++)
        json_array_append_new(data, operand(args->rest[i]));
    for (size_t i = 1; lists && i < args->n_rest && json_array_size(lists) < DATA_MAX; i++)
        if (is_list(args->rest[i])) json_array_append_new(lists, json_string(args->rest[i]));
    if (all && json_array_size(data) == args->n_rest - 1) json_object_set(notes, "data", data);
    if (json_array_size(lists) > 0) json_object_set(notes, "lists", lists);
    json_decref(data);
    json_decref(lists);
}

// What is taken of recordings and streams.
static void put_streams(json_t *notes, const struct args *args)
{
    if (args->fps > 0) json_object_set_new(notes, "fps", json_real(args->fps));
    put_number(notes, "every", args->every);
    put_time(notes, "from_us", args->from_us);
    put_time(notes, "to_us", args->to_us);
    put_time(notes, "clip_us", args->clip_us);
    put_number(notes, "streams", args->streams);
    put_text(notes, "reuse", args->reuse);
    put_time(notes, "segment_us", args->segment_us);
    put_time(notes, "live_timeout_us", args->live_timeout_us);
    put_number(notes, "reconnects", args->reconnects);
    put_time(notes, "for_us", args->for_us);
}

char *notes_make(const struct args *args, enum few_purpose purpose, const char *base)
{
    char cwd[CWD_MAX];
    json_t *notes = json_object();
    if (!notes) return NULL;
    put_text(notes, "verb", purpose == FEW_RECORD ? "record" : "label");
    put_text(notes, "cwd", getcwd(cwd, sizeof cwd));
    put_text(notes, "zoo", args->rest[0]);
    put_data(notes, args);
    put_text(notes, "root", args->root);
    put_text(notes, "policy", args->policy);
    if (args->recall > 0) json_object_set_new(notes, "recall", json_real(args->recall));
    put_text(notes, "runtime", args->runtime);
    put_number(notes, "deadline_us", (uint64_t)args->deadline_us);
    put_number(notes, "memory_bytes", args->memory.bytes);
    if (args->memory.share > 0) json_object_set_new(notes, "memory_share", json_real(args->memory.share));
    put_number(notes, "lanes", args->lanes);
    put_number(notes, "in_flight", args->in_flight);
    put_number(notes, "storage_bytes", args->storage);
    put_number(notes, "limit", args->limit);
    put_streams(notes, args);
    put_flag(notes, "all_variants", args->all_variants);
    put_flag(notes, "no_pixels", args->no_pixels);
    put_text(notes, "base", base);
    char *text = json_dumps(notes, JSON_REAL_PRECISION(9));
    json_decref(notes);
    return text;
}

/* ---- out ---- */

static const char *text_of(const json_t *notes, const char *key)
{
    return json_string_value(json_object_get(notes, key));
}

static uint64_t number_of(const json_t *notes, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(notes, key));
    return number > 0 ? (uint64_t)number : 0;
}

static bool flag_of(const json_t *notes, const char *key)
{
    return json_is_true(json_object_get(notes, key));
}

// As operands, after the zoo.
static void read_lists(const json_t *notes, struct args *args)
{
    static char *rest[DATA_MAX + 1];
    size_t i;
    json_t *word;
    const json_t *lists = json_object_get(notes, "lists");
    args->rest = rest;
    args->n_rest = 1;
    json_array_foreach((json_t *)lists, i, word) if (json_is_string(word) && args->n_rest <= DATA_MAX)
        rest[args->n_rest++] = (char *)(uintptr_t)json_string_value(word);
}

bool notes_read(const json_t *notes, const char *path, struct args *args, enum few_purpose *purpose,
                const char **cwd)
{
    static const char *const needed[] = {"verb", "cwd", "zoo"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!text_of(notes, needed[i])) {
            complain("%s: expected a file of 'fewer label' or 'record', found no '%s' in its notes", path,
                     needed[i]);
            return false;
        }
    *purpose = strcmp(text_of(notes, "verb"), "record") == 0 ? FEW_RECORD : FEW_LABEL;
    *cwd = text_of(notes, "cwd");
    args->zoo = text_of(notes, "zoo");
    args->root = text_of(notes, "root");
    args->policy = text_of(notes, "policy");
    args->recall = json_number_value(json_object_get(notes, "recall"));
    if (!args->runtime) args->runtime = text_of(notes, "runtime");
    args->deadline_us = (int64_t)number_of(notes, "deadline_us");
    args->memory.bytes = number_of(notes, "memory_bytes");
    args->memory.share = json_number_value(json_object_get(notes, "memory_share"));
    if (!args->lanes) args->lanes = number_of(notes, "lanes");
    args->in_flight = number_of(notes, "in_flight");
    if (!args->storage) args->storage = number_of(notes, "storage_bytes");
    args->all_variants = flag_of(notes, "all_variants");
    args->no_pixels = flag_of(notes, "no_pixels");
    args->reuse = text_of(notes, "reuse");
    args->segment_us = (int64_t)number_of(notes, "segment_us");
    read_lists(notes, args);
    return true;
}

/* ---- as a command ---- */

static void print_word(const char *word, FILE *to)
{
    const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%";
    fputc(' ', to);
    if (*word && word[strspn(word, plain)] == 0) {
        fputs(word, to);
        return;
    }
    fputc('\'', to);
    for (; *word; word++) {
        if (*word == '\'') fputs("'\\''", to);
        else fputc(*word, to);
    }
    fputc('\'', to);
}

static void print_text(const json_t *notes, const char *key, const char *option, FILE *to)
{
    const char *text = text_of(notes, key);
    if (!text) return;
    fprintf(to, " %s", option);
    print_word(text, to);
}

static void print_number(const json_t *notes, const char *key, const char *option, const char *unit, FILE *to)
{
    uint64_t number = number_of(notes, key);
    if (number) fprintf(to, " %s %llu%s", option, (unsigned long long)number, unit);
}

void notes_print_command(const json_t *notes, const char *path, FILE *to)
{
    size_t i;
    json_t *word;
    const json_t *data = json_object_get(notes, "data");
    fprintf(to, "fewer %s", text_of(notes, "verb"));
    print_word(text_of(notes, "zoo"), to);
    json_array_foreach((json_t *)data, i, word) if (json_is_string(word))
        print_word(json_string_value(word), to);
    if (!data) fputs(" DATA...", to);
    fputs(" -o", to);
    print_word(path, to);
    print_text(notes, "root", "--root", to);
    print_text(notes, "policy", "--policy", to);
    double recall = json_number_value(json_object_get(notes, "recall"));
    if (recall > 0) fprintf(to, " --recall %.9g", recall);
    print_text(notes, "runtime", "--runtime", to);
    print_number(notes, "deadline_us", "--deadline", "us", to);
    print_number(notes, "memory_bytes", "--memory", "", to);
    double share = json_number_value(json_object_get(notes, "memory_share"));
    if (share > 0) fprintf(to, " --memory %g%%", 100 * share);
    print_number(notes, "lanes", "--lanes", "", to);
    print_number(notes, "in_flight", "--in-flight", "", to);
    print_number(notes, "storage_bytes", "--storage", "", to);
    double fps = json_number_value(json_object_get(notes, "fps"));
    if (fps > 0) fprintf(to, " --fps %.9g", fps);
    print_number(notes, "every", "--every", "", to);
    print_number(notes, "from_us", "--from", "us", to);
    print_number(notes, "to_us", "--to", "us", to);
    print_number(notes, "clip_us", "--clip", "us", to);
    print_number(notes, "streams", "--streams", "", to);
    print_text(notes, "reuse", "--reuse", to);
    print_number(notes, "segment_us", "--segment", "us", to);
    print_number(notes, "live_timeout_us", "--live-timeout", "us", to);
    print_number(notes, "reconnects", "--reconnects", "", to);
    print_number(notes, "for_us", "--for", "us", to);
    print_number(notes, "limit", "--limit", "", to);
    if (flag_of(notes, "all_variants")) fputs(" --all-variants", to);
    if (flag_of(notes, "no_pixels")) fputs(" --no-pixels", to);
    fputc('\n', to);
}
