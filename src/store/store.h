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

enum { FEW__STORE_VERSION = 1 };

struct few__store;

struct few__store_new {                // what a new store is about
    const char *purpose;               // "trace" or "run"
    const struct few_catalog *catalog; // copied into the file
    const char *zoo_path, *zoo_digest; // "" = none
    const char *config_json;           // what it was made with
    bool overwrite;                    // replace an existing file; otherwise FEW_EEXIST
};

/* Whether a store could be made at path, to say so before the work begins; touches nothing.
 * Errors: FEW_EEXIST there is something and overwrite is false; FEW_EIO its folder is missing or read-only. */
enum few_status few__store_may_create(const char *path, bool overwrite, struct few_error *err);

/* Create: writes <path> with the catalog. Nothing else but the store touches the file; until it is closed, a
 * "-wal" and a "-shm" file lie beside it. Creating fails with FEW_ESTORE while somebody else writes to a file
 * that would be replaced.
 * Errors: FEW_EEXIST, FEW_EIO (folder missing, read-only: the message names the path), FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__store_create(const char *path, const struct few__store_new *what,
                                  const struct few_env *env, struct few__store **out, struct few_error *err);

/* Open for reading. Errors: FEW_ENOENT; FEW_ESTORE no Fewer file; FEW_EVERSION; FEW_ENOMEM. */
enum few_status few__store_open(const char *path, const struct few_env *env, struct few__store **out,
                                struct few_error *err);

/* Commits what is open. Frees also when it fails. NULL allowed. */
enum few_status few__store_close(struct few__store *store, struct few_error *err);

const struct few_catalog *few__store_catalog(const struct few__store *store); // borrowed
const char *few__store_purpose(const struct few__store *store);
const char *few__store_config(const struct few__store *store);
const char *few__store_zoo_path(const struct few__store *store);

/* The catalog once more, in an arena that outlives the store. */
enum few_status few__store_read_catalog(struct few__store *store, struct few__arena *arena,
                                        struct few_catalog *catalog, struct few_error *err);

enum { FEW__STORE_THUMBNAIL = 64 * 64 * 3 }; // red, green, blue of 64 x 64 pixels, row by row

struct few__item_row {
    int64_t id; // from 0, in the order of items; put: ignored, next: filled in
    const char *path;
    const char *digest; // SHA-256 of its bytes, "" = not known
    int width, height;
    int64_t decode_us, elapsed_us;
    bool deadline_missed;
    enum few_status status;
    const char *message;      // "" or what failed
    const uint8_t *thumbnail; // FEW__STORE_THUMBNAIL bytes, or NULL; next: only with outputs
};

struct few__cell { // one model on one item
    enum few_outcome outcome;
    const char *reason;
    int64_t start_us; // since arrival, -1 = not started
    int64_t time_us;
    const void *output; // packed (few__output_pack), or NULL
    size_t n_output;
};

/* Add an item with its n_models cells, in the catalog's order. Committed by the store every
 * FEW__STORE_BATCH items and at close. Errors: FEW_ESTORE (the item is then not in the file). */
enum { FEW__STORE_BATCH = 64 };
enum few_status few__store_put(struct few__store *store, const struct few__item_row *item,
                               const struct few__cell *cells, struct few_error *err);

/* Replace the models' costs (measured while recording). */
enum few_status few__store_set_costs(struct few__store *store, const struct few_cost *costs,
                                     struct few_error *err);

/* Read items in order: rewind, then next until FEW_END. cells: (n_models,) room. All pointers are borrowed until
 * the following call. with_outputs false leaves cells[].output NULL, which is much quicker. */
enum few_status few__store_rewind(struct few__store *store, bool with_outputs, struct few_error *err);
enum few_status few__store_next(struct few__store *store, struct few__item_row *item, struct few__cell *cells,
                                struct few_error *err);

/* Number of items, those included that are not committed yet. */
enum few_status few__store_count(struct few__store *store, int64_t *n_items, struct few_error *err);

/* Remove a store and what SQLite keeps beside it; it is no error if there is none.
 * Errors: FEW_EIO it is not a file; FEW_ESTORE somebody is writing to it. */
enum few_status few__store_remove(const char *path, struct few_error *err);

#endif
