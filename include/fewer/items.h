// SPDX-License-Identifier: Apache-2.0
/* Which items a run is about: photographs, recordings and live streams, records, folders of them (searched through, hidden
 * ones left out), globs, lists. docs/items.md says what each of them gives.
 *
 * A photograph is one item. A recording or a live stream gives an item for each picture that is taken ("clip.mp4#t=12.5"), or
 * for each span of its sound. Streams take fair turns, a few at a time; otherwise the order is always the same: arguments
 * as given, a folder's or a glob's files by name. */
#ifndef FEWER_ITEMS_H
#define FEWER_ITEMS_H

#include <stdbool.h>

#include <fewer/zoo.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FEW_ITEMS_MAX   10000000 // entries of one run
#define FEW_PATH_MAX    4096     // bytes of one path, or of the name of an item
#define FEW_STREAMS_MAX 64       // streams that take turns

struct few_items;

struct few_items_opts {
    size_t size; // sizeof(struct few_items_opts)
    struct few_env env;
    const struct few_zoo
        *zoo;        // decides whether pictures, sound or both of a recording are wanted; NULL = pictures.
                     // Borrowed until close
    void *list;      // what "-" reads, a path a line: a FILE *, or NULL
    double fps;      // pictures a second of recordings and streams; 0 = all
    uint64_t every;  // each n-th picture; 0 = all. One of fps and every
    int64_t clip_us; // length of an item that is sound alone; 0 = 1 s
    int64_t from_us, until_us; // of each recording; until 0 = to its end
    size_t streams;            // recordings that take turns; 0 = 4. Live streams all do
    uint64_t limit;            // items at most; 0 = all
    int64_t live_timeout_us;   // a live stream that gives nothing for so long is connected to again; 0 = 10 s
    uint64_t live_reconnects;  // failed attempts in a row after which it is given up; 0 = never
    bool only_names; // nothing is taken of them: a session that retries finds records by their names
};

/* Collect what args name. A folder gives the files in it whose names end like a photograph's (a recording's too, where the
 * zoo or opts ask for it: a zoo that looks at sound, or fps or every); a file named outright is taken whatever its name;
 * "x.jsonl" is a list of records; "rtsp://...", and what else has "://", a live stream (a recording if it has an end).
 *
 * args   (n_args,) borrowed for the call
 * opts   NULL = defaults; copied
 * items  out, owned: few_items_close
 *
 * Errors: FEW_ENOENT an argument or a glob that names nothing; FEW_EINVAL options; FEW_EPARSE a list of records, with line;
 *         FEW_ELIMIT; FEW_EIO; FEW_ENOMEM. */
FEW_API FEW_MUST_USE enum few_status few_items_open(const char *const *args, size_t n_args,
                                                    const struct few_items_opts *opts,
                                                    struct few_items **items, struct few_error *err);
FEW_API void few_items_close(struct few_items *items); // no session may have them any more

/* Entries: photographs, recordings, streams, records; where each of them is one item, no more than the limit. */
FEW_API size_t few_items_count(const struct few_items *items);

/* The path, URL (without a password) or name of entry i; borrowed until close. */
FEW_API const char *few_items_path(const struct few_items *items, size_t i);

/* How many items there will be, as the recordings' headers say, limit included; 0 = not known (live, or a header that does
 * not say). The first call opens each recording. */
FEW_API uint64_t few_items_expected(struct few_items *items);

#ifdef __cplusplus
}
#endif
#endif
