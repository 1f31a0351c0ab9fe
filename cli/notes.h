// SPDX-License-Identifier: Apache-2.0
/* What a run's file keeps of the command that made it, so that people can read it and `retry` can do it again. */
#ifndef FEW_CLI_NOTES_H
#define FEW_CLI_NOTES_H

#include "cli.h"

/* The notes as JSON text, for free(); NULL: no memory. Names that are not UTF-8 are left out. base: totals_base. */
char *notes_make(const struct args *args, enum few_purpose purpose, const char *base);

/* Back into options, which borrow from notes. *cwd is the folder that the command was started in. What misses is said.
 * Returns whether everything is there that doing it again needs. */
bool notes_read(const json_t *notes, const char *path, struct args *args, enum few_purpose *purpose,
                const char **cwd);

/* The command line that goes on with the run, for a shell, as far as the notes have it. */
void notes_print_command(const json_t *notes, const char *path, FILE *to);

#endif
