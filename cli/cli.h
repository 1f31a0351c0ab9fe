// SPDX-License-Identifier: Apache-2.0
/* What the verbs share. stdout carries data, stderr carries words. */
#ifndef FEW_CLI_CLI_H
#define FEW_CLI_CLI_H

#include <stdio.h>

#include <fewer/fewer.h>
#include <jansson.h>

#include "args.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

extern const struct verb verb_check, verb_record, verb_import, verb_label, verb_export, verb_eval,
    verb_report;

/* "fewer: ..." and a new line on stderr. */
void complain(const char *format, ...) FEW_PRINTF(1, 2);

/* Open a manifest; every mistake goes to stderr on its own line, then how many. NULL: it has been said. */
struct few_zoo *open_zoo(const char *path, const char *root);

/* Print an object on stdout and drop it; takes NULL (no memory). Returns an exit status. */
int print_json(json_t *object);

/* A file that appears under its name only when it is complete. */
struct out_file {
    FILE *file;
    const char *path; // NULL: stdout
    char *part;       // its name until then
};
bool out_open(struct out_file *out, const char *path, bool force); // says what is wrong
bool out_close(struct out_file *out, bool keep);                   // the same; keep false removes it

/* "12.3 ms", "4.56 s", "2 min 3 s"; "1.5 MiB"; in text, which is returned. */
const char *show_time(double us, char *text, size_t n);
const char *show_bytes(uint64_t bytes, char *text, size_t n);

#endif
