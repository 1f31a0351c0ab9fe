// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that tells how far a run is. Nothing where stderr is no terminal.
#ifndef FEW_CLI_PROGRESS_H
#define FEW_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/session.h>

struct progress {
    bool on;
    size_t total, n_models; // total 0 = not known
    double began_s, drawn_s;
};

void progress_begin(struct progress *progress, size_t n_items, size_t n_models, bool quiet);

/* Redraws ten times a second at most. */
void progress_show(struct progress *progress, size_t done, const struct few_session_stats *stats);

/* Leaves an empty line behind. */
void progress_end(struct progress *progress);

/* Seconds since some fixed instant. */
double progress_now_s(void);

/* The line itself, at most `width` characters, for tests and for progress_show. */
void progress_line(const struct progress *progress, double elapsed_s, size_t done,
                   const struct few_session_stats *stats, size_t width, char *line, size_t n);

#endif
