// SPDX-License-Identifier: Apache-2.0
/* Traces and runs: one SQLite file each, same schema (docs/store.md). Results are committed in transactions:
 * an item is there whole or not at all. */
#ifndef FEW_STORE_STORE_H
#define FEW_STORE_STORE_H

#include <stdbool.h>
#include <stdio.h>

#include <fewer/env.h>
#include <fewer/model.h>

#include "core/mem.h"

enum { FEW__STORE_VERSION = 3 };

struct few__store;

struct few__store_new {                // what a new store is about
    const char *purpose;               // "trace" or "run"
    const struct few_catalog *catalog; // copied into the file
    const char *zoo_path, *zoo_digest; // "" = none
    const char *config_json;           // what decides its results: a JSON object, compared when a run goes on
    const char *notes_json;            // what a person or `retry` may want to know beside that; NULL = "{}"
    uint64_t items_planned; // how many items it is asked for; 0 = "items" of the notes, if they say
    bool overwrite;         // replace an existing file; otherwise FEW_EEXIST
};

/* Whether a store could be made at path, to say so before the work begins; touches nothing.
 * Errors: FEW_EEXIST there is something and overwrite is false; FEW_EIO its folder is missing or read-only. */
enum few_status few__store_may_create(const char *path, bool overwrite, struct few_error *err);

/* Create: writes <path> with the catalog, in one step: whoever is killed here leaves what was there before, or a whole
 * empty store, and at most a "-new" file that the next creation removes. Nothing else but the store touches the file;
 * until it is closed, a "-wal" and a "-shm" file lie beside it. Creating fails with FEW_ESTORE while somebody else
 * writes to a file that would be replaced, or makes one there.
 * Errors: FEW_EEXIST, FEW_EIO (folder missing, read-only: the message names the path), FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__store_create(const char *path, const struct few__store_new *what,
                                  const struct few_env *env, struct few__store **out, struct few_error *err);

/* Open an existing store to go on with it. One process at a time may; readers may look on.
 *
 * what  as it would be made now: purpose, models (names, kinds, labels, digests) and config_json must be those of the
 *       file; notes_json replaces the old one
 * Errors: FEW_ENOENT; FEW_AGAIN another process is writing to it; FEW_EVERSION another version of the schema, or another
 *         zoo or configuration (the message says what differs: expected, found); FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__store_append(const char *path, const struct few__store_new *what,
                                  const struct few_env *env, struct few__store **out, struct few_error *err);

/* Open for reading. Errors: FEW_ENOENT; FEW_ESTORE no Fewer file; FEW_EVERSION; FEW_ENOMEM. */
enum few_status few__store_open(const char *path, const struct few_env *env, struct few__store **out,
                                struct few_error *err);

/* Commits what is open. Frees also when it fails. NULL allowed. */
enum few_status few__store_close(struct few__store *store, struct few_error *err);

const struct few_catalog *few__store_catalog(const struct few__store *store); // borrowed
const char *few__store_purpose(const struct few__store *store);
const char *few__store_config(const struct few__store *store);
const char *few__store_notes(const struct few__store *store);
uint64_t
few__store_planned(const struct few__store *store); // items, as of the last few__store_new; 0 = not known
const char *few__store_zoo_path(const struct few__store *store);

/* The catalog once more, in an arena that outlives the store. */
enum few_status few__store_read_catalog(struct few__store *store, struct few__arena *arena,
                                        struct few_catalog *catalog, struct few_error *err);

enum {
    FEW__STORE_THUMBNAIL = 64 * 64 * 3, // red, green, blue of 64 x 64 pixels, row by row
    FEW__STORE_LOOK = 160 * 120, // brightness of a frame: what unchanged frames are told by (media/look.h)
    FEW__STREAMS_MAX = 1000000,  // of one file
};

/* A recording or a camera whose moments are items. Counts are of all its moments that were taken. */
struct few__stream_row {
    int64_t id;          // from 0, in the order of first put
    const char *path;    // or URL, without what a password may be in
    const char *options; // JSON: what decides which of its moments are items; "{}"
    uint64_t size;       // bytes of the file, and
    int64_t mtime_us;    // when it was changed last; 0 = not a file
    bool is_live;
    int width, height;   // 0 = no picture
    double fps;          // of its pictures as they are; 0 = not known
    int64_t duration_us; // 0 = not known
    uint64_t n_in;       // moments that came: analysed + reused + dropped + failed
    uint64_t n_analysed, n_reused, n_dropped, n_failed;
    uint64_t n_damaged;    // pictures or packets of it that could not be decoded
    uint64_t n_reconnects; // live
    int64_t last_us;       // time of its last moment that is an item; -1 = none
    int64_t newest_age_us; // live: from the newest moment's arrival to its answer; -1 = none
    bool ended;            // everything of it was taken
    const char *message;   // "" or what happened to it: how it ended, why it could not be opened
};

struct few__item_row {
    int64_t id; // from 0, in the order of items; put: ignored, next: filled in
    const char *path;
    const char *digest; // SHA-256 of its bytes, "" = not known
    uint64_t size;      // bytes of the file, and
    int64_t mtime_us;   // when it was changed last: tells an unchanged file without reading it; 0 = not known
    int width, height;
    int64_t decode_us, elapsed_us;
    int64_t runtime_us; // inside the model runtimes
    int64_t run_all_us; // what running everything would have cost
    bool deadline_missed;
    enum few_status status;
    const char *message;      // "" or what failed
    const uint8_t *thumbnail; // FEW__STORE_THUMBNAIL bytes, or NULL; next: only with outputs
    int64_t stream;           // few__stream_row.id, -1 = none: FEW__NO_STREAM
    int64_t at_us, until_us;  // of the stream's time that it covers
    int64_t age_us;           // live: from its arrival to its last answer; -1 = none
    const uint8_t *look;      // FEW__STORE_LOOK bytes, or NULL; next: only with outputs
};

#define FEW__NO_STREAM .stream = -1, .age_us = -1 // in the initializer of a few__item_row

struct few__cell { // one model on one item
    enum few_outcome outcome;
    const char *reason;
    int64_t start_us; // since arrival, -1 = not started
    int64_t time_us;
    int lane;           // that it ran on; -1 = none, as put also where it was not started
    const void *output; // packed (few__output_pack), or NULL
    size_t n_output;
};

/* Add an item with its n_models cells, in the catalog's order. Committed by the store when FEW__STORE_BATCH items or
 * FEW__STORE_BATCH_US are together, and at close. Errors: FEW_ESTORE (the item is then not in the file); FEW_ELIMIT the
 * file would exceed few__store_limit (everything before is kept); FEW_EINVAL it is of a stream that was not put. */
enum { FEW__STORE_BATCH = 64, FEW__STORE_BATCH_US = 1000000 };
enum few_status few__store_put(struct few__store *store, const struct few__item_row *item,
                               const struct few__cell *cells, struct few_error *err);

/* Put in the place of item id, which has been done again or whose file has changed. Errors: as put; FEW_ENOENT. */
enum few_status few__store_replace(struct few__store *store, int64_t id, const struct few__item_row *item,
                                   const struct few__cell *cells, struct few_error *err);

/* The most bytes that the file may have; 0 = no limit. */
void few__store_limit(struct few__store *store, uint64_t max_bytes);
uint64_t few__store_bytes(const struct few__store *store);

/* What the store knows of an item, to go on after a break. */
struct few__known {
    int64_t id;
    char digest[65];
    uint64_t size;
    int64_t mtime_us;
    bool failed; // as a whole, or one of its models
    bool late;   // one of its models
};

/* The item of this path (the first one put), or the first one with this digest that is neither failed nor late.
 * FEW_END: none. What is put but not committed counts. Errors: FEW_ESTORE, FEW_ENOMEM. Cost: O(log items). */
enum few_status few__store_find_path(struct few__store *store, const char *path, struct few__known *known,
                                     struct few_error *err);
enum few_status few__store_find_digest(struct few__store *store, const char *digest, struct few__known *known,
                                       struct few_error *err);

/* One item by its id, outputs included; pointers are borrowed until the next read. FEW_END: none. */
enum few_status few__store_get(struct few__store *store, int64_t id, struct few__item_row *item,
                               struct few__cell *cells, struct few_error *err);

/* The next item after `after` (-1 = the first) that failed, as a whole or in a model. FEW_END: none left. path: borrowed
 * until the next read. */
enum few_status few__store_next_failed(struct few__store *store, int64_t after, int64_t *id,
                                       const char **path, struct few_error *err);

/* Add a stream (row->id < 0: out, its id) or renew what is known of it, in the transaction of the items.
 * Errors: FEW_ESTORE; FEW_ENOENT no such id; FEW_ELIMIT FEW__STREAMS_MAX. */
enum few_status few__store_put_stream(struct few__store *store, struct few__stream_row *row,
                                      struct few_error *err);

/* The stream of this path, or of this id. Texts are borrowed until the next read. FEW_END: none.
 * What is put but not committed counts. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__store_find_stream(struct few__store *store, const char *path,
                                       struct few__stream_row *row, struct few_error *err);
enum few_status few__store_get_stream(struct few__store *store, int64_t id, struct few__stream_row *row,
                                      struct few_error *err);
/* How many items of a stream begin before that time. Cost: O(items). Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__store_count_moments(struct few__store *store, int64_t stream, int64_t before_us,
                                         uint64_t *n, struct few_error *err);

/* Streams, those included that are not committed yet. Their ids are below, and so are those of all items that are read. */
int64_t few__store_n_streams(const struct few__store *store);

/* Sums over all items, kept up to date with every commit, so that asking costs nothing however many there are. */
struct few__totals {
    uint64_t items, items_failed;
    uint64_t counts[FEW_OUTCOME_COUNT];
    uint64_t deadline_missed;
    int64_t spent_us, runtime_us, run_all_us;
};
void few__store_totals(const struct few__store *store, struct few__totals *totals);

/* Is a process writing to it now? */
bool few__store_is_busy(const char *path);

/* Replace the models' costs (measured while recording). */
enum few_status few__store_set_costs(struct few__store *store, const struct few_cost *costs,
                                     struct few_error *err);

/* Read items in order: rewind, then next until FEW_END. cells: (n_models,) room. All pointers are borrowed until
 * the following call. with_outputs false leaves cells[].output NULL, which is much quicker. */
enum few_status few__store_rewind(struct few__store *store, bool with_outputs, struct few_error *err);
enum few_status few__store_next(struct few__store *store, struct few__item_row *item, struct few__cell *cells,
                                struct few_error *err);

/* Number of items, those included that are not committed yet. One who reads has the items that there were when it opened the
 * file, however many come meanwhile. */
enum few_status few__store_count(struct few__store *store, int64_t *n_items, struct few_error *err);

/* Remove a store and what SQLite keeps beside it; it is no error if there is none.
 * Errors: FEW_EIO it is not a file; FEW_ESTORE somebody is writing to it. */
enum few_status few__store_remove(const char *path, struct few_error *err);

#endif
