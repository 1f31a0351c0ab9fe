// SPDX-License-Identifier: Apache-2.0
/* Bar, items, rate, time left, models executed of total, time saved; of live streams how old the newest answer is, and what
 * was dropped. Items that an earlier run has done fill the bar, the rate is of the others. Nothing is told that is not
 * known: no time left before there is a rate, no share of a total that nobody knows. */
#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "streams.h"

enum { BAR = 20, WIDTH_DEFAULT = 80, LINE_MAX_BYTES = 512 };

static const double first_s = 10, again_s = 30, at_least_s = 300;

double progress_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool progress_on_terminal(void)
{
    const char *terminal = getenv("TERM");
    bool dumb = terminal && strcmp(terminal, "dumb") == 0;
    return !dumb && isatty(STDERR_FILENO);
}

static enum progress_mode mode_of(const char *how, bool quiet)
{
    if (how && strcmp(how, "none") == 0) return PROGRESS_NONE;
    if (how && strcmp(how, "plain") == 0) return PROGRESS_PLAIN;
    if (how && strcmp(how, "json") == 0) return PROGRESS_JSON;
    if (quiet) return PROGRESS_NONE;
    return progress_on_terminal() ? PROGRESS_LINE : PROGRESS_PLAIN;
}

void progress_begin(struct progress *progress, const char *how, bool quiet, uint64_t total, size_t n_models)
{
    double now_s = progress_now_s();
    *progress = (struct progress){.mode = mode_of(how, quiet),
                                  .total = total,
                                  .n_models = n_models,
                                  .began_s = now_s,
                                  .shown_s = now_s};
}

bool progress_due(const struct progress *progress, double now_s, uint64_t done)
{
    double since_s = now_s - progress->shown_s;
    bool first = progress->shown_s == progress->began_s;
    switch (progress->mode) {
    case PROGRESS_NONE: return false;
    case PROGRESS_LINE: return first || since_s >= 0.1 || (progress->total && done >= progress->total);
    case PROGRESS_JSON: return since_s >= 1;
    case PROGRESS_PLAIN:
        if (first) return since_s >= first_s;
        if (since_s < again_s) return false;
        return !progress->total || since_s >= at_least_s ||
               (double)(done - progress->shown_done) >= 0.1 * (double)progress->total;
    }
    return false;
}

/* ---- numbers ---- */

static double rate_of(const struct progress *progress, const struct progress_state *state)
{
    double elapsed_s = state->now_s - progress->began_s;
    return elapsed_s > 0 ? (double)(state->done - state->kept) / elapsed_s : 0;
}

// Seconds left; -1 = not known.
static double left_of(const struct progress *progress, const struct progress_state *state)
{
    double rate = rate_of(progress, state);
    if (!progress->total || rate <= 0) return -1;
    return state->done < progress->total ? (double)(progress->total - state->done) / rate : 0;
}

static int64_t newest_age_us(const struct progress_state *state)
{
    int64_t age_us = -1; // of the live stream that is furthest behind
    for (size_t i = 0; i < state->n_streams; i++)
        if (state->streams[i].is_live && state->streams[i].newest_age_us > age_us)
            age_us = state->streams[i].newest_age_us;
    return age_us;
}

/* ---- words ---- */

struct words {
    char *text;
    size_t n, used;
    const char *between;
};

static void add(struct words *words, const char *format, ...) FEW_PRINTF(2, 3);
static void add(struct words *words, const char *format, ...)
{
    char piece[128];
    va_list args;
    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    int n = snprintf(words->text + words->used, words->n - words->used, "%s%s",
                     words->used ? words->between : "", piece);
    if (n > 0) words->used += (size_t)n < words->n - words->used ? (size_t)n : words->n - words->used - 1;
}

static void add_left(struct words *words, double seconds)
{
    long s = seconds > 359999 ? 359999 : (long)(seconds + 0.5);
    if (s >= 3600) add(words, "%ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else add(words, "%ld:%02ld left", s / 60, s % 60);
}

static void add_live(struct words *words, const struct progress_state *state)
{
    char age[32], count[32];
    uint64_t dropped = 0, reused = 0;
    for (size_t i = 0; i < state->n_streams; i++) {
        dropped += state->streams[i].n_dropped;
        reused += state->streams[i].n_reused;
    }
    int64_t age_us = newest_age_us(state);
    if (age_us >= 0) add(words, "newest answer %s old", show_time((double)age_us, age, sizeof age));
    if (reused > 0) add(words, "%s reused", show_count(reused, count, sizeof count));
    if (dropped > 0) add(words, "%s dropped", show_count(dropped, count, sizeof count));
}

void progress_line(const struct progress *progress, const struct progress_state *state, bool plain,
                   size_t width, char *line, size_t n)
{
    const struct few_session_stats *stats = state->stats;
    char text[LINE_MAX_BYTES] = "", bar[BAR + 1], items[32];
    struct words words = {text, sizeof text, 0, plain ? ", " : "  "};
    double left_s = left_of(progress, state);
    if (width < n) n = width + 1;
    show_count(state->done, items, sizeof items);
    if (progress->total) {
        uint64_t filled = state->done >= progress->total ? BAR : state->done * BAR / progress->total;
        for (size_t i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
        bar[BAR] = 0;
        if (plain) add(&words, "%s of %llu items", items, (unsigned long long)progress->total);
        else
            add(&words, "[%s] %llu/%llu items", bar, (unsigned long long)state->done,
                (unsigned long long)progress->total);
    } else {
        add(&words, "%s items", items);
    }
    add(&words, "%.1f/s", rate_of(progress, state));
    if (left_s >= 0) add_left(&words, left_s);
    if (!plain)
        add(&words, "%llu/%llu models", (unsigned long long)stats->counts[FEW_EXECUTED],
            (unsigned long long)stats->items * progress->n_models);
    if (stats->run_all_us > stats->spent_us)
        add(&words, "%.0f%% time saved", 100 - 100 * (double)stats->spent_us / (double)stats->run_all_us);
    add_live(&words, state);
    if (n > 0) snprintf(line, n, "%s", text);
}

/* ---- JSON ---- */

static json_t *number_or_null(bool known, double value)
{
    return known ? json_real(value) : json_null();
}

static void show_json(const struct progress *progress, const struct progress_state *state)
{
    const struct few_session_stats *stats = state->stats;
    double left_s = left_of(progress, state);
    json_t *counts = json_object(), *streams = json_array();
    for (int i = 0; counts && i < FEW_OUTCOME_COUNT; i++)
        json_object_set_new(counts, few_outcome_name((enum few_outcome)i),
                            json_integer((json_int_t)stats->counts[i]));
    for (size_t i = 0; streams && i < state->n_streams; i++)
        json_array_append_new(streams, stream_json(&state->streams[i], false));
    json_t *line =
        json_pack("{s:I, s:o, s:I, s:f, s:o, s:o, s:{s:f, s:f}, s:o, s:b}", "items", (json_int_t)state->done,
                  "expected", progress->total ? json_integer((json_int_t)progress->total) : json_null(),
                  "kept", (json_int_t)state->kept, "rate", rate_of(progress, state), "eta_s",
                  number_or_null(left_s >= 0, left_s), "counts", counts, "time_ms", "spent",
                  (double)stats->spent_us / 1e3, "run_all", (double)stats->run_all_us / 1e3, "streams",
                  streams, "ended", state->ended);
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (text) fprintf(stderr, "%s\n", text);
    free(text);
    json_decref(line);
}

/* ---- telling ---- */

static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return WIDTH_DEFAULT;
    return size.ws_col;
}

void progress_show(struct progress *progress, const struct progress_state *state)
{
    char line[LINE_MAX_BYTES] = "";
    progress->shown_s = state->now_s > progress->began_s ? state->now_s : progress->began_s;
    progress->shown_done = state->done;
    switch (progress->mode) {
    case PROGRESS_NONE: break;
    case PROGRESS_LINE:
        progress_line(progress, state, false, terminal_width() - 1, line, sizeof line);
        fprintf(stderr, "\r%s\033[K", line);
        progress->drawn = true;
        break;
    case PROGRESS_PLAIN:
        progress_line(progress, state, true, sizeof line - 1, line, sizeof line);
        fprintf(stderr, "fewer: %s\n", line);
        break;
    case PROGRESS_JSON: show_json(progress, state); break;
    }
}

void progress_end(struct progress *progress, const struct progress_state *state)
{
    if (progress->mode == PROGRESS_JSON) progress_show(progress, state);
    if (progress->drawn) fputs("\r\033[K", stderr);
    progress->drawn = false;
    progress->mode = PROGRESS_NONE;
}
