// SPDX-License-Identifier: Apache-2.0
/* What the verbs share: messages, the manifest's mistakes, JSON and files on the way out. */
#include "cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("fewer: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* ---- zoo ---- */

struct problems {
    size_t n;
};

static void print_problem(void *ud, const struct few_problem *problem)
{
    struct problems *problems = ud;
    problems->n++;
    fprintf(stderr, "%s:", problem->file);
    if (problem->line > 0) fprintf(stderr, "%d:%d:", problem->line, problem->column);
    fprintf(stderr, " %s%sexpected %s, found %s\n", problem->where, *problem->where ? ": " : "",
            problem->expected, problem->found);
}

struct few_zoo *open_zoo(const char *path, const char *root)
{
    struct problems problems = {0};
    struct few_zoo_opts opts = {
        .size = sizeof opts, .root = root, .on_problem = print_problem, .ud = &problems};
    struct few_zoo *zoo = NULL;
    struct few_error err = {0};
    if (few_zoo_open(path, &opts, &zoo, &err) == FEW_OK) return zoo;
    if (problems.n == 0) complain("%s", err.message);
    else complain("%s: %zu mistake%s", path, problems.n, problems.n == 1 ? "" : "s");
    return NULL;
}

/* ---- on the way out ---- */

int print_json(json_t *object)
{
    if (!object) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(object);
    return EXIT_OK;
}

json_t *json_name(const char *name)
{
    json_t *text = json_string(name);
    char *plain = text ? NULL : strdup(name);
    for (char *c = plain; c && *c; c++)
        if (*c & 0x80) *c = '?';
    if (plain) text = json_string(plain);
    free(plain);
    return text;
}

// A file that appears under its name only when it is complete.
struct out_file {
    FILE *file;
    const char *path; // NULL: stdout
    char *part;       // its name until then
};

static bool out_open(struct out_file *out, const char *path, bool force)
{
    *out = (struct out_file){.file = stdout, .path = path};
    if (!path) return true;
    if (!force && access(path, F_OK) == 0) {
        complain("%s: exists already; --force replaces it", path);
        return false;
    }
    size_t n = strlen(path) + sizeof ".part";
    out->part = malloc(n);
    if (!out->part) {
        complain("%s: out of memory", path);
        return false;
    }
    snprintf(out->part, n, "%s.part", path);
    out->file = fopen(out->part, "wb");
    if (out->file) return true;
    complain("%s: cannot be written: %s", path, strerror(errno));
    free(out->part);
    return false;
}

static bool out_close(struct out_file *out, bool keep)
{
    if (!out->path) return true; // main looks after stdout
    bool right = keep;
    if (fclose(out->file) != 0 && keep) right = false;
    if (right) right = rename(out->part, out->path) == 0;
    if (keep && !right) complain("%s: cannot be written: %s", out->path, strerror(errno));
    if (!right) remove(out->part);
    free(out->part);
    return right || !keep;
}

int write_out(const struct args *args, out_fn *write, const char *text)
{
    struct few_error err = {0};
    struct out_file out;
    if (!out_open(&out, args->output, args->force)) return EXIT_FAILED;
    enum few_status status = write(args->rest[0], text, out.file, &err);
    if (status != FEW_OK) complain("%s", err.message);
    bool closed = out_close(&out, status == FEW_OK);
    return status == FEW_OK && closed ? EXIT_OK : EXIT_FAILED;
}

uint64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

const char *show_time(double us, char *text, size_t n)
{
    if (us < 1e3) snprintf(text, n, "%.0f us", us);
    else if (us < 1e6) snprintf(text, n, "%.*f ms", us < 1e5 ? 1 : 0, us / 1e3);
    else if (us < 120e6) snprintf(text, n, "%.*f s", us < 1e7 ? 2 : 1, us / 1e6);
    else if (us < 7200e6) snprintf(text, n, "%.0f min", us / 60e6);
    else snprintf(text, n, "%.1f h", us / 3600e6);
    return text;
}

const char *show_bytes(uint64_t bytes, char *text, size_t n)
{
    const double mib = 1024.0 * 1024.0;
    if ((double)bytes < mib) snprintf(text, n, "%.0f KiB", (double)bytes / 1024);
    else if ((double)bytes < 1024 * mib) snprintf(text, n, "%.1f MiB", (double)bytes / mib);
    else snprintf(text, n, "%.2f GiB", (double)bytes / mib / 1024);
    return text;
}

const char *show_count(uint64_t count, char *text, size_t n)
{
    char digits[24];
    int n_digits = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t at = 0;
    for (int i = 0; i < n_digits && at + 2 < n; i++) {
        if (n_digits > 4 && i > 0 && (n_digits - i) % 3 == 0) text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = 0;
    return text;
}
