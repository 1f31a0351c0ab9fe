// SPDX-License-Identifier: Apache-2.0
/* What the tests of streams share: recordings of plain grey frames, a zoo whose models look at their brightness, and runs
 * over attached items. Failures end the test. */
#ifndef FEW_TESTS_STREAMS_WORLD_H
#define FEW_TESTS_STREAMS_WORLD_H

#include "session_world.h"

/* "NAME" in the last t_tmpdir: n frames of 32 x 24 pixels at `fps`, frame i wholly of brightness levels[i] (16 .. 235), encoded
 * without loss. Skips the test where there is no ffmpeg command. */
void w_clip(const char *name, const uint8_t *levels, size_t n, int fps);

/* The ffmpeg command in the last t_tmpdir; skips the test where it is not there. */
void w_ffmpeg(const char *arguments);

/* A zoo "NAME" that looks and listens: "mean" of a picture, "ends" of sound at 8 kHz. */
struct few_zoo *w_sound_zoo(const char *name);

/* A zoo "NAME" of three models: "mean" (always valuable), "bright" (frames above 128), "never". */
struct few_zoo *w_bright_zoo(const char *name, const struct few_mem *mem);

enum { W_LOG_MAX = 600 };

/* Of a run over attached items, in the order of the results. */
struct w_log {
    size_t n;                  // results
    uint64_t n_kept;           // items that results stood for
    size_t n_failed;           // items
    char paths[W_LOG_MAX][64]; // last parts
    char outcomes[W_LOG_MAX]
                 [4]; // of "mean", "bright", "never": e x (executed), r, s, l, f; "k" kept, "F" failed
    struct few_session_stats stats;
    struct few_stream_stats streams[8]; // of the first entries; .path NULL = none
};

/* Open a session, attach what args name, receive until `take` results came (SIZE_MAX = all), close.
 * root of the names: the last t_tmpdir. log: out. */
void w_attach(struct few_zoo *zoo, const char *spec, struct few_session_opts opts, const char *const *args,
              size_t n_args, const struct few_items_opts *items_opts, size_t take, struct w_log *log);

/* The outcomes of one model, a letter an item: "eeerr". text: static. */
const char *w_column(const struct w_log *log, size_t model);

#endif
