// SPDX-License-Identifier: Apache-2.0
// What the parts of the store share: its state, its statements.
#ifndef FEW_STORE_STORE_INSIDE_H
#define FEW_STORE_STORE_INSIDE_H

#include "store/schema.h"
#include "store/store_look.h"

enum {
    FEW__REASON_SLOTS = 256,
    FEW__REASON_CACHED = 120
}; // longer reasons are looked up in the file each time

enum few__statement {
    FEW__BEGIN,
    FEW__COMMIT,
    FEW__SAVEPOINT,
    FEW__RELEASE,
    FEW__BACK,
    FEW__PUT_ITEM,
    FEW__PUT_THUMBNAIL,
    FEW__PUT_LOOK,
    FEW__PUT_STREAM,
    FEW__PUT_CELL,
    FEW__PUT_REASON,
    FEW__FIND_REASON,
    FEW__SET_COST,
    FEW__SET_TOTALS,
    FEW__OLD_ITEM,
    FEW__OLD_CELLS,
    FEW__DROP_CELLS,
    FEW__DROP_THUMBNAIL,
    FEW__DROP_LOOK,
    FEW__PAGES,
    FEW__GET_ITEMS,
    FEW__GET_ITEM,
    FEW__GET_CELLS,
    FEW__GET_OUTPUTS,
    FEW__GET_THUMBNAIL,
    FEW__GET_LOOK,
    FEW__GET_STREAM,
    FEW__FIND_STREAM,
    FEW__COUNT_MOMENTS,
    FEW__GET_REASON,
    FEW__FIND_PATH,
    FEW__FIND_DIGEST,
    FEW__FIND_FAILED,
    FEW__STATEMENTS
};

struct few__reason { // in the slot that its number or its text leads to
    int64_t id;      // 0 = free
    char text[FEW__REASON_CACHED];
};

struct few__store {
    struct few_env env;
    struct few__db db;
    char *path;
    struct few__arena arena; // catalog, meta
    struct few__arena row;   // the item read last
    struct few_catalog catalog;
    const char *purpose, *config, *notes, *zoo_path;
    uint64_t planned;
    bool writing, with_outputs;

    bool reading; // in a transaction that only looks up
    bool in_transaction;
    int64_t n_pending;                 // items put or replaced in it
    int64_t n_renewed;                 // streams put or renewed in it
    int64_t begun_us;                  // when the first of them came
    int64_t pages_begun, page_bytes;   // of the database when it began
    struct few__totals totals, before; // now; as committed
    int64_t n_streams, streams_before; // the same
    uint64_t max_bytes;                // 0 = no limit

    sqlite3_stmt *statements[FEW__STATEMENTS]; // prepared at first use
    struct few__reason reasons[FEW__REASON_SLOTS];
    struct few__look_packer packer;
};

enum few_status few__store_statement(struct few__store *store, enum few__statement which, sqlite3_stmt **stmt,
                                     struct few_error *err);

/* A transaction to write in, if there is none. Errors: FEW_EINVAL opened for reading; FEW_ESTORE. */
enum few_status few__store_begin(struct few__store *store, struct few_error *err);

/* Run a statement that has no parameters and gives no rows. */
enum few_status few__store_run(struct few__store *store, enum few__statement which, struct few_error *err);

/* Look-ups of one who writes share a transaction until the next write: otherwise each of them locks and unlocks the
 * file, which takes longer than the look-up. */
enum few_status few__store_begin_reading(struct few__store *store, struct few_error *err);
void few__store_end_reading(struct few__store *store);

/* What is open, with the totals. Fails: nothing of it is in the file. */
enum few_status few__store_commit(struct few__store *store, struct few_error *err);

/* The same, if enough is together or has waited long enough. */
enum few_status few__store_commit_due(struct few__store *store, struct few_error *err);

/* Undo the whole transaction, unless SQLite has: back to what is in the file. */
void few__store_roll_back(struct few__store *store);

/* Whatever statement failed, without memory or disk SQLite may have given up the whole transaction: then nothing may be
 * written as if it were still there. Errors: FEW_ESTORE it is gone; the store is as after the last commit. */
enum few_status few__store_check_alive(struct few__store *store, struct few_error *err);

/* Keep a reason and its number at hand. */
void few__reason_remember(struct few__reason *slot, int64_t id, const char *text);

#endif
