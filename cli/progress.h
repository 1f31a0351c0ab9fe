// SPDX-License-Identifier: Apache-2.0
/* How far a run is, on stderr: a line that is drawn again on a terminal, a plain line now and then elsewhere, or JSON lines
 * for programs. */
#ifndef FEW_CLI_PROGRESS_H
#define FEW_CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fewer/session.h>

enum progress_mode { PROGRESS_NONE, PROGRESS_LINE, PROGRESS_PLAIN, PROGRESS_JSON };

struct progress {
    enum progress_mode mode;
    uint64_t total; // items; 0 = not known
    size_t n_models;
    double began_s, shown_s; // shown_s: the last one
    uint64_t shown_done;
    bool drawn; // a line stands on the terminal
};

/* What there is to tell. */
struct progress_state {
    double now_s;
    uint64_t done, kept; // items; kept of them were done by an earlier run
    const struct few_session_stats *stats;
    const struct few_stream_stats *streams; // (n_streams,) that are being worked on
    size_t n_streams;
    bool ended;
};

/* Whether stderr is a terminal on which a line can be drawn again. */
bool progress_on_terminal(void);

/* how: "auto", "plain", "json", "none", or NULL: auto, which is none when quiet. */
void progress_begin(struct progress *progress, const char *how, bool quiet, uint64_t total, size_t n_models);

/* Whether it is time to tell: on a terminal ten times a second; plain after ten seconds, then for each tenth of the items, but
 * not twice in half a minute and at least every five minutes; as JSON once a second. */
bool progress_due(const struct progress *progress, double now_s, uint64_t done);

/* Tell. */
void progress_show(struct progress *progress, const struct progress_state *state);

/* Leaves an empty line behind; JSON: tells for the last time. */
void progress_end(struct progress *progress, const struct progress_state *state);

/* Seconds since some fixed instant. */
double progress_now_s(void);

/* The line itself, at most `width` characters; plain: without the bar. */
void progress_line(const struct progress *progress, const struct progress_state *state, bool plain,
                   size_t width, char *line, size_t n);

#endif
