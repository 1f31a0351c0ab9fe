// SPDX-License-Identifier: Apache-2.0
/* Inside the items of a run, from the ground up: its entries (items_entries.c), lists of records (items_list.c), entries and
 * streams that take turns (items.c), and how it is opened (items_open.c). */
#ifndef FEW_SOURCE_ITEMS_INTERNAL_H
#define FEW_SOURCE_ITEMS_INTERNAL_H

#include <stdatomic.h>

#include "source/items.h"

enum {
    FEW__ITEMS_WINDOW = 4, // recordings that take turns, unless the options say so
    FEW__KEY_ROOM = 48,    // bytes that a time adds to the name of a recording
};

enum few__entry_kind {
    FEW__ENTRY_PATH,    // of a still image, or of a place in a recording: one item
    FEW__ENTRY_UNKNOWN, // the name does not tell whether it is a recording; looked into when its turn comes
    FEW__ENTRY_RECORDING,
    FEW__ENTRY_LIVE,
    FEW__ENTRY_RECORD, // of a list of records: one item
};

struct few__entry {
    const char *path; // in the arena: path, URL without a password, name
    uint32_t extra;   // record: index of listed; live: of urls; recording, unknown: of sources
    uint8_t kind;
};

/* A recording or a live stream, as soon as anything is known of it. */
struct few__source {
    struct few__stream *stream;     // NULL: not yet, or no longer
    struct few__stream_about about; // once it was closed
    char fingerprint[65];
    bool left_out;
    int64_t start_us; // of an earlier run; 0 = from the beginning
    uint64_t n_taken; // by an earlier run
    atomic_size_t in_hands;
    struct few__source *next_closing; // ended, with moments in hands
};

/* Somebody whose turn comes round: an entry that is being worked through. */
struct few__turn {
    enum { FEW__TURN_EMPTY, FEW__TURN_ONE, FEW__TURN_STREAM, FEW__TURN_BROKEN } what;
    size_t entry;
    struct few__source *source; // stream
    uint64_t skip;              // turns that an earlier run has taken
    struct few_error error;     // broken: why
};

struct few__listed {
    struct few__record record;
    const char *list; // path of the list
    size_t line;
};

struct few_items {
    struct few_env env;
    struct few_items_opts opts;
    struct few__arena arena; // all texts, records, sources
    struct few__entry *entries;
    size_t n, room;
    struct few__listed **listed; // records in the order of the lists
    size_t n_listed, listed_room;
    struct few__listed **by_name; // (n_listed,)
    char *urls[FEW_STREAMS_MAX];  // of live entries, with everything
    size_t n_urls;
    struct few__source *live[FEW_STREAMS_MAX]; // (n_urls,) NULL: nothing is known of it yet
    struct few__source **sources;              // (n_sources,) the same of recordings
    size_t n_sources;
    // What of a recording is wanted.
    bool wants_picture;
    size_t n_rates;
    int rates[FEW__RATES_MAX];
    char *options;
    bool ended;
    bool expected_known, no_memory; // memory ran out where nobody could be told
    uint64_t expected;
    // Turns.
    struct few__items_needs needs;
    struct few__turn *turns; // (n_turns,) n_window recordings and others, then live streams; NULL: not begun
    size_t n_window, n_turns, at, next_entry;
    uint64_t n_given; // with those of an earlier run
    struct few__source *closing;
    struct few__arena record_arena; // of the item that was given last
    struct few__record record;
    char key[FEW_PATH_MAX + 64];
};

/* The options of its container. */
void few__items_container(const struct few_items *items, bool is_live, struct few__container_opts *opts);

/* What kind an entry is; one whose name does not tell is looked into. */
enum few__entry_kind few__items_kind(struct few_items *items, size_t entry);

/* Add the records of a list. Errors: those of few_items_open. */
enum few_status few__items_add_list(struct few_items *items, const char *path, struct few_error *err);

/* Once all are there: their index by name. Errors: FEW_EPARSE a name that is there twice; FEW_ENOMEM. */
enum few_status few__items_index(struct few_items *items, struct few_error *err);

/* Add one entry; text is copied unless it lies in the arena. Errors: FEW_ELIMIT, FEW_ENOMEM. */
enum few_status few__items_add(struct few_items *items, enum few__entry_kind kind, const char *path,
                               uint32_t extra, struct few_error *err);

#endif
