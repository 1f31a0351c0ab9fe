// SPDX-License-Identifier: Apache-2.0
/* The progress line: bar, items, rate, time left, models executed of total, time saved. Items that an earlier run has
 * done fill the bar, the rate is of the others. */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 20, WIDTH_DEFAULT = 80, LINE_MAX_BYTES = 512 };

double progress_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_begin(struct progress *progress, size_t n_items, size_t n_models, bool quiet)
{
    const char *terminal = getenv("TERM");
    bool dumb = terminal && strcmp(terminal, "dumb") == 0;
    *progress = (struct progress){.on = !quiet && !dumb && isatty(STDERR_FILENO),
                                  .total = n_items,
                                  .n_models = n_models,
                                  .began_s = progress_now_s()};
}

static void show_left(double seconds, char *text, size_t n)
{
    long s = seconds > 359999 ? 359999 : (long)(seconds + 0.5);
    if (s >= 3600) snprintf(text, n, "%ld:%02ld:%02ld left", s / 3600, s / 60 % 60, s % 60);
    else snprintf(text, n, "%ld:%02ld left", s / 60, s % 60);
}

void progress_line(const struct progress *progress, double elapsed_s, size_t done,
                   const struct few_session_stats *stats, size_t width, char *line, size_t n)
{
    char bar[BAR + 1], left[32] = "", text[LINE_MAX_BYTES], saved[32] = "";
    size_t kept = stats->items_kept < done ? (size_t)stats->items_kept : done;
    double rate = elapsed_s > 0 ? (double)(done - kept) / elapsed_s : 0;
    if (width < n) n = width + 1;
    if (!progress->total) {
        snprintf(line, n, "%zu items  %.1f/s", done, rate);
        return;
    }
    size_t filled = done * BAR / progress->total;
    for (size_t i = 0; i < BAR; i++) bar[i] = i < filled ? '#' : '.';
    bar[BAR] = 0;
    if (rate > 0) show_left((double)(progress->total - done) / rate, left, sizeof left);
    if (stats->run_all_us > stats->spent_us)
        snprintf(saved, sizeof saved, "  %.0f%% time saved",
                 100 - 100 * (double)stats->spent_us / (double)stats->run_all_us);
    snprintf(text, sizeof text, "[%s] %zu/%zu items  %.1f/s  %s  %llu/%llu models%s", bar, done,
             progress->total, rate, left, (unsigned long long)stats->counts[FEW_EXECUTED],
             (unsigned long long)stats->items * progress->n_models, saved);
    snprintf(line, n, "%s", text);
}

static size_t terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return WIDTH_DEFAULT;
    return size.ws_col;
}

void progress_show(struct progress *progress, size_t done, const struct few_session_stats *stats)
{
    if (!progress->on) return;
    double now_s = progress_now_s();
    if (now_s - progress->drawn_s < 0.1 && done < progress->total) return;
    progress->drawn_s = now_s;
    char line[LINE_MAX_BYTES];
    progress_line(progress, now_s - progress->began_s, done, stats, terminal_width() - 1, line, sizeof line);
    fprintf(stderr, "\r%s\033[K", line);
}

void progress_end(struct progress *progress)
{
    if (progress->on && progress->drawn_s > 0) fputs("\r\033[K", stderr);
    progress->on = false;
}
