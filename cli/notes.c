// SPDX-License-Identifier: Apache-2.0
/* What a run's file keeps of the command that made it. A member that was not given is not there. */
#include "notes.h"

#include <stdlib.h>
#include <string.h>
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

static void put_data(json_t *notes, const struct args *args)
{
    if (args->n_rest - 1 > DATA_MAX) return;
    json_t *data = json_array();
    for (size_t i = 1; data && i < args->n_rest; i++) json_array_append_new(data, json_string(args->rest[i]));
    if (json_array_size(data) == args->n_rest - 1) json_object_set(notes, "data", data);
    json_decref(data);
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
    put_text(notes, "runtime", args->runtime);
    put_number(notes, "deadline_us", (uint64_t)args->deadline_us);
    put_number(notes, "memory_bytes", args->memory.bytes);
    if (args->memory.share > 0) json_object_set_new(notes, "memory_share", json_real(args->memory.share));
    put_number(notes, "lanes", args->lanes);
    put_number(notes, "in_flight", args->in_flight);
    put_number(notes, "storage_bytes", args->storage);
    put_number(notes, "limit", args->limit);
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
    if (!args->runtime) args->runtime = text_of(notes, "runtime");
    args->deadline_us = (int64_t)number_of(notes, "deadline_us");
    args->memory.bytes = number_of(notes, "memory_bytes");
    args->memory.share = json_number_value(json_object_get(notes, "memory_share"));
    if (!args->lanes) args->lanes = number_of(notes, "lanes");
    args->in_flight = number_of(notes, "in_flight");
    if (!args->storage) args->storage = number_of(notes, "storage_bytes");
    args->all_variants = flag_of(notes, "all_variants");
    args->no_pixels = flag_of(notes, "no_pixels");
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
    print_text(notes, "runtime", "--runtime", to);
    print_number(notes, "deadline_us", "--deadline", "us", to);
    print_number(notes, "memory_bytes", "--memory", "", to);
    double share = json_number_value(json_object_get(notes, "memory_share"));
    if (share > 0) fprintf(to, " --memory %g%%", 100 * share);
    print_number(notes, "lanes", "--lanes", "", to);
    print_number(notes, "in_flight", "--in-flight", "", to);
    print_number(notes, "storage_bytes", "--storage", "", to);
    print_number(notes, "limit", "--limit", "", to);
    if (flag_of(notes, "all_variants")) fputs(" --all-variants", to);
    if (flag_of(notes, "no_pixels")) fputs(" --no-pixels", to);
    fputc('\n', to);
}
