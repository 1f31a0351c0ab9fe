// SPDX-License-Identifier: Apache-2.0
/* Streams and containers in place of the library's, for tests of what takes their moments: link with fake_stream_args.
 * A recording is a file that holds "moments N": one every half second. Anything else is no recording. A live stream is a
 * URL; it has what the test puts into it. */
#ifndef FEW_TESTS_FAKE_STREAM_H
#define FEW_TESTS_FAKE_STREAM_H

#include "source/stream.h"
#include "support/support.h"

enum { T_LIVE_MAX = 4 };

struct t_live {
    const char *url;
    int waiting;             // moments that have come
    bool ended;              // for good, after those
    enum few_status failure; // given once, after those
    int64_t next_us;
};

extern struct t_streams {
    struct t_live live[T_LIVE_MAX];
    size_t n_open, n_open_max, n_opened; // now, at most, ever
    size_t n_containers;                 // opened
    size_t in_hands;                     // moments
    struct few__stream_opts last;        // of the last one opened
    enum few_status refuse;              // open fails so
} t_streams;

/* The file of a recording, under t_path(name); n < 0: it opens, and gives FEW_EDECODE. */
const char *t_recording(const char *name, int n);

#endif
