// SPDX-License-Identifier: Apache-2.0
/* What the verbs share. stdout carries data, stderr carries words. */
#ifndef FEW_CLI_CLI_H
#define FEW_CLI_CLI_H

#include <stdio.h>

#include <fewer/fewer.h>
#include <jansson.h>

#include "args.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

extern const struct verb verb_check, verb_record, verb_import, verb_label, verb_export, verb_eval, verb_plan,
    verb_report, verb_status, verb_retry, verb_train;

/* "fewer: ..." and a new line on stderr. */
void complain(const char *format, ...) FEW_PRINTF(1, 2);

/* Open a manifest; every mistake goes to stderr on its own line, then how many. NULL: it has been said. */
struct few_zoo *open_zoo(const char *path, const char *root);

/* A string, for names that may not be UTF-8: what is not ASCII in those becomes '?'. NULL: no memory. */
json_t *json_name(const char *name);

/* Print an object on stdout and drop it; takes NULL (no memory). Returns an exit status. */
int print_json(json_t *object);

/* Let `write` (few_export, few_report) fill the file that -o names, or stdout, from the verb's operand. The file appears
 * under its name only when it is complete; what goes wrong is said. Returns an exit status. */
typedef enum few_status out_fn(const char *path, const char *text, FILE *out, struct few_error *err);
int write_out(const struct args *args, out_fn *write, const char *text);

/* The size of a file; 0 = there is none. */
uint64_t file_bytes(const char *path);

/* "12.3 ms", "4.56 s", "2 min"; "1.5 MiB"; "1000", "10,000"; in text, which is returned. */
const char *show_time(double us, char *text, size_t n);
const char *show_bytes(uint64_t bytes, char *text, size_t n);
const char *show_count(uint64_t count, char *text, size_t n);

#endif
