// SPDX-License-Identifier: Apache-2.0
// Recordings and live streams of a run: which are worked on now, what came of all of them, in words and as JSON.
#ifndef FEW_CLI_STREAMS_H
#define FEW_CLI_STREAMS_H

#include "cli.h"

enum { STREAMS_ACTIVE_MAX = 2 * FEW_STREAMS_MAX };

/* Those that items came of lately. */
struct streams {
    const struct few_items *items; // NULL: there are none
    size_t active[STREAMS_ACTIVE_MAX], n_active;
    struct few_stream_stats rows[STREAMS_ACTIVE_MAX];
};

/* All live streams; recordings are known once something came of them. */
void streams_begin(struct streams *streams, const struct few_items *items);

/* An item came of that entry (SIZE_MAX: of no stream). */
void streams_saw(struct streams *streams, size_t entry);

/* Fill rows anew; those that have ended are left out from now on. Returns how many there are. */
size_t streams_look(struct streams *streams, const struct few_session *session);

/* Every stream of the run, for free(); before the session is closed. NULL: none, or no memory. */
struct few_stream_stats *streams_all(const struct few_items *items, const struct few_session *session,
                                     size_t *n);

/* One of them. whole: with everything that does not change. NULL: no memory. */
json_t *stream_json(const struct few_stream_stats *stream, bool whole);
json_t *streams_json(const struct few_stream_stats *rows, size_t n);

/* A line for all together, and one for each of which there is something to say. troubles: those alone. */
void streams_print(const struct few_stream_stats *rows, size_t n, bool troubles, FILE *to);

#endif
