// SPDX-License-Identifier: Apache-2.0
/* A container read ahead on a thread of its own. Recordings wait when nobody takes their moments; live sources drop the
 * oldest, and are connected to again, later and later, when they end or break. */
#ifndef FEW_SOURCE_STREAM_H
#define FEW_SOURCE_STREAM_H

#include "source/container.h"

struct few__stream;

struct few__stream_opts {
    struct few__container_opts container; // stop, ud: ignored
    size_t ahead;                         // moments that wait; 0 = 4
    size_t in_hands;                      // moments that callers may hold at once
    uint64_t reconnects;                  // live: attempts in a row that may give nothing; 0 = no limit
    int64_t backoff_us;                   // live: before the first attempt, 0 = 0.5 s; doubled each time
    int64_t backoff_max_us;               // 0 = 30 s
    void (*on_ready)(void *ud);           // on its thread: a moment came, or the end; may be NULL
    void *ud;
};

struct few__stream_about {
    struct few__container_about container; // zero until it is open
    bool is_open, ended;                   // ended: nothing more will come, though moments may still wait
    uint64_t n_in;                         // moments that came, those dropped too
    uint64_t n_dropped, n_damaged;
    uint64_t n_reconnects; // times that it was connected to again
    int64_t newest_us;     // few__now_us when the newest moment came; -1 = none
    char message[256];     // "" or the last thing that went wrong
};

/* Starts the thread; opening happens there, so a slow camera holds nobody up. Errors: FEW_EIO no thread; FEW_ENOMEM. */
enum few_status few__stream_open(const char *url, const struct few__stream_opts *opts,
                                 const struct few_env *env, struct few__stream **stream,
                                 struct few_error *err);

/* At once, whatever it is doing. Moments in hands must be back. */
void few__stream_close(struct few__stream *stream);

/* The oldest moment that waits. block: wait for it (recordings). FEW_AGAIN: none yet; FEW_END: the end, or it broke off
 * after it was opened (about: message). Errors, once, then FEW_END: it could not be opened, those of few__container_open;
 * live: only after `reconnects`. */
enum few_status few__stream_next(struct few__stream *stream, bool block, struct few__moment **moment,
                                 struct few_error *err);
void few__stream_give_back(struct few__stream *stream, struct few__moment *moment); // any thread

/* Before the first next: begin there instead (few__container_seek). Live streams do not care. */
void few__stream_start_at(struct few__stream *stream, int64_t at_us);

void few__stream_about(struct few__stream *stream, struct few__stream_about *about);

#endif
