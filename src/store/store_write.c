// SPDX-License-Identifier: Apache-2.0
/* Putting items into a store. An item is in the file with all its cells or not at all (a savepoint around each), and
 * a transaction holds FEW__STORE_BATCH of them, or what came within FEW__STORE_BATCH_US. Reasons are few and come
 * again and again: rows hold their number. */
#include "store/store_inside.h"

#include <inttypes.h>
#include <string.h>

#include "core/env.h"
#include "core/error.h"

/* ---- reasons ---- */

static struct few__reason *slot_of_text(struct few__store *store, const char *text)
{
    uint32_t hash = 2166136261u; // FNV-1a
    for (const char *p = text; *p; p++) hash = (hash ^ (unsigned char)*p) * 16777619u;
    return &store->reasons[hash % FEW__REASON_SLOTS];
}

void few__reason_remember(struct few__reason *slot, int64_t id, const char *text)
{
    size_t n = strlen(text);
    if (n >= sizeof slot->text) return;
    slot->id = id;
    memcpy(slot->text, text, n + 1);
}

static enum few_status reason_id(struct few__store *store, const char *text, int64_t *id,
                                 struct few_error *err)
{
    struct few__reason *slot = slot_of_text(store, text);
    if (slot->id && strcmp(slot->text, text) == 0) {
        *id = slot->id;
        return FEW_OK;
    }
    sqlite3_stmt *find, *put;
    FEW__TRY(few__store_statement(store, FEW__FIND_REASON, &find, err));
    sqlite3_bind_text(find, 1, text, -1, SQLITE_STATIC);
    enum few_status status = few__db_step(&store->db, find, err);
    if (status == FEW_OK) {
        *id = sqlite3_column_int64(find, 0);
        sqlite3_reset(find);
    } else if (status == FEW_END) {
        FEW__TRY(few__store_statement(store, FEW__PUT_REASON, &put, err));
        sqlite3_bind_text(put, 1, text, -1, SQLITE_STATIC);
        FEW__TRY(few__db_run(&store->db, put, err));
        *id = sqlite3_last_insert_rowid(store->db.sql);
    } else {
        return status;
    }
    few__reason_remember(slot, *id, text);
    return FEW_OK;
}

/* ---- totals ---- */

static int64_t plus(int64_t a, int64_t b) // wraps: a damaged file may hold anything
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void add_totals(struct few__totals *to, const struct few__totals *from)
{
    to->items += from->items;
    to->items_failed += from->items_failed;
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) to->counts[i] += from->counts[i];
    to->deadline_missed += from->deadline_missed;
    to->spent_us = plus(to->spent_us, from->spent_us);
    to->runtime_us = plus(to->runtime_us, from->runtime_us);
    to->run_all_us = plus(to->run_all_us, from->run_all_us);
}

static void take_totals(struct few__totals *to, const struct few__totals *from)
{
    to->items -= from->items;
    to->items_failed -= from->items_failed;
    for (int i = 0; i < FEW_OUTCOME_COUNT; i++) to->counts[i] -= from->counts[i];
    to->deadline_missed -= from->deadline_missed;
    to->spent_us = plus(to->spent_us, -from->spent_us);
    to->runtime_us = plus(to->runtime_us, -from->runtime_us);
    to->run_all_us = plus(to->run_all_us, -from->run_all_us);
}

static struct few__totals totals_of(const struct few__store *store, const struct few__item_row *item,
                                    const struct few__cell *cells)
{
    struct few__totals t = {.items = 1,
                            .items_failed = item->status != FEW_OK,
                            .deadline_missed = item->deadline_missed,
                            .runtime_us = item->runtime_us,
                            .run_all_us = item->run_all_us};
    for (size_t m = 0; m < store->catalog.n_models; m++) {
        t.counts[cells[m].outcome]++;
        t.spent_us = plus(t.spent_us, cells[m].time_us);
    }
    return t;
}

// Those of an item that is in the file. Errors: FEW_ENOENT; FEW_ESTORE.
static enum few_status old_totals(struct few__store *store, int64_t id, struct few__totals *t,
                                  struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__OLD_ITEM, &stmt, err));
    sqlite3_bind_int64(stmt, 1, id);
    enum few_status status = few__db_step(&store->db, stmt, err);
    if (status == FEW_END) return few__fail(err, FEW_ENOENT, "%s: has no item %" PRId64, store->path, id);
    if (status != FEW_OK) return status;
    *t = (struct few__totals){.items = 1,
                              .items_failed = sqlite3_column_int(stmt, 0) != FEW_OK,
                              .deadline_missed = sqlite3_column_int(stmt, 1) != 0,
                              .runtime_us = sqlite3_column_int64(stmt, 2),
                              .run_all_us = sqlite3_column_int64(stmt, 3)};
    sqlite3_reset(stmt);
    FEW__TRY(few__store_statement(store, FEW__OLD_CELLS, &stmt, err));
    sqlite3_bind_int64(stmt, 1, id);
    while ((status = few__db_step(&store->db, stmt, err)) == FEW_OK) {
        int outcome = sqlite3_column_int(stmt, 0);
        if (outcome < 0 || outcome >= FEW_OUTCOME_COUNT) {
            sqlite3_reset(stmt);
            return few__fail(err, FEW_ESTORE, "%s: damaged: item %" PRId64 " is not whole", store->path, id);
        }
        t->counts[outcome]++;
        t->spent_us = plus(t->spent_us, sqlite3_column_int64(stmt, 1));
    }
    return status == FEW_END ? FEW_OK : status;
}

/* ---- one item ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

static bool has(const struct few__store *store, const struct few__cell *cells, enum few_outcome outcome)
{
    for (size_t m = 0; m < store->catalog.n_models; m++)
        if (cells[m].outcome == outcome) return true;
    return false;
}

static void bind_item(const struct few__store *store, sqlite3_stmt *stmt, int64_t id,
                      const struct few__item_row *item, const struct few__cell *cells)
{
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_text(stmt, 2, or_empty(item->path), -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, or_empty(item->digest), -1, SQLITE_STATIC);
    sqlite3_bind_int64(stmt, 4, (int64_t)item->size);
    sqlite3_bind_int64(stmt, 5, item->mtime_us);
    sqlite3_bind_int(stmt, 6, item->width);
    sqlite3_bind_int(stmt, 7, item->height);
    sqlite3_bind_int64(stmt, 8, item->decode_us);
    sqlite3_bind_int64(stmt, 9, item->elapsed_us);
    sqlite3_bind_int64(stmt, 10, item->runtime_us);
    sqlite3_bind_int64(stmt, 11, item->run_all_us);
    sqlite3_bind_int(stmt, 12, item->deadline_missed);
    sqlite3_bind_int(stmt, 13, (int)item->status);
    sqlite3_bind_text(stmt, 14, or_empty(item->message), -1, SQLITE_STATIC);
    if (item->stream < 0) sqlite3_bind_null(stmt, 15);
    else sqlite3_bind_int64(stmt, 15, item->stream);
    sqlite3_bind_int64(stmt, 16, item->at_us);
    sqlite3_bind_int64(stmt, 17, item->until_us);
    sqlite3_bind_int64(stmt, 18, item->age_us);
    sqlite3_bind_int(stmt, 19, item->status != FEW_OK || has(store, cells, FEW_FAILED));
    sqlite3_bind_int(stmt, 20, has(store, cells, FEW_LATE));
}

static enum few_status put_bytes(struct few__store *store, enum few__statement which, int64_t id,
                                 const void *bytes, size_t n, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, which, &stmt, err));
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_blob64(stmt, 2, bytes, n, SQLITE_STATIC);
    return few__db_run(&store->db, stmt, err);
}

static enum few_status put_item(struct few__store *store, int64_t id, const struct few__item_row *item,
                                const struct few__cell *cells, struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__PUT_ITEM, &stmt, err));
    bind_item(store, stmt, id, item, cells);
    FEW__TRY(few__db_run(&store->db, stmt, err));
    if (item->thumbnail)
        FEW__TRY(put_bytes(store, FEW__PUT_THUMBNAIL, id, item->thumbnail, FEW__STORE_THUMBNAIL, err));
    if (!item->look) return FEW_OK;
    const void *packed;
    size_t n;
    if (few__look_pack(&store->packer, item->look, &packed, &n) != FEW_OK)
        return few__no_memory(err, store->path);
    return put_bytes(store, FEW__PUT_LOOK, id, packed, n, err);
}

static enum few_status put_cell(struct few__store *store, int64_t id, size_t model,
                                const struct few__cell *cell, struct few_error *err)
{
    int64_t reason;
    sqlite3_stmt *stmt;
    FEW__TRY(reason_id(store, or_empty(cell->reason), &reason, err));
    FEW__TRY(few__store_statement(store, FEW__PUT_CELL, &stmt, err));
    sqlite3_bind_int64(stmt, 1, id);
    sqlite3_bind_int64(stmt, 2, (int64_t)model);
    sqlite3_bind_int(stmt, 3, (int)cell->outcome);
    sqlite3_bind_int64(stmt, 4, reason);
    sqlite3_bind_int64(stmt, 5, cell->start_us);
    sqlite3_bind_int64(stmt, 6, cell->time_us);
    sqlite3_bind_int(stmt, 7, cell->start_us < 0 ? -1 : cell->lane); // what did not start has none
    if (cell->output) sqlite3_bind_blob64(stmt, 8, cell->output, cell->n_output, SQLITE_STATIC);
    else sqlite3_bind_null(stmt, 8);
    return few__db_run(&store->db, stmt, err);
}

static enum few_status drop_item(struct few__store *store, int64_t id, struct few__totals *totals,
                                 struct few_error *err)
{
    static const enum few__statement drops[] = {FEW__DROP_CELLS, FEW__DROP_THUMBNAIL, FEW__DROP_LOOK};
    struct few__totals old = {0};
    FEW__TRY(old_totals(store, id, &old, err));
    for (size_t i = 0; i < sizeof drops / sizeof *drops; i++) {
        sqlite3_stmt *stmt;
        FEW__TRY(few__store_statement(store, drops[i], &stmt, err));
        sqlite3_bind_int64(stmt, 1, id);
        FEW__TRY(few__db_run(&store->db, stmt, err));
    }
    take_totals(totals, &old); // the row itself is replaced
    return FEW_OK;
}

/* ---- the limit ---- */

/* Bytes on the disk once the transaction is committed, at most: all pages in the file, and in the log those that are
 * new or touched. An item touches the end of a few tables and a place of its own in each index. */
static enum few_status check_limit(struct few__store *store, struct few_error *err)
{
    enum { FRAME = 24, TOUCHED = 16, TOUCHED_BY_ITEM = 6, TOUCHED_BY_STREAM = 2 };
    if (!store->max_bytes) return FEW_OK;
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__PAGES, &stmt, err));
    FEW__TRY(few__db_step(&store->db, stmt, err));
    int64_t pages = sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    int64_t written = pages - store->pages_begun + TOUCHED + TOUCHED_BY_ITEM * (store->n_pending + 1) +
                      TOUCHED_BY_STREAM * store->n_renewed;
    uint64_t bytes = (uint64_t)(pages * store->page_bytes + written * (store->page_bytes + FRAME)) +
                     few__db_log_bytes(&store->db);
    if (bytes <= store->max_bytes) return FEW_OK;
    return few__fail(err, FEW_ELIMIT,
                     "%s: full: the next item would need %" PRIu64
                     " bytes with its log, the limit is %" PRIu64
                     "; what is done is kept, go on with a higher limit",
                     store->path, bytes, store->max_bytes);
}

/* ---- transactions ---- */

/* A full disk makes SQLite roll the whole transaction back by itself; otherwise this item alone is undone. Either
 * way a reason may be gone from the file that the cache still has. */
static void undo(struct few__store *store)
{
    memset(store->reasons, 0, sizeof store->reasons);
    bool gone = sqlite3_get_autocommit(store->db.sql);
    if (!gone && few__store_run(store, FEW__BACK, NULL) == FEW_OK &&
        few__store_run(store, FEW__RELEASE, NULL) == FEW_OK)
        return;
    few__store_roll_back(store); // never half an item
}

static enum few_status write_item(struct few__store *store, int64_t id, const struct few__item_row *item,
                                  const struct few__cell *cells, struct few__totals *totals,
                                  struct few_error *err)
{
    if ((uint64_t)id < totals->items) FEW__TRY(drop_item(store, id, totals, err));
    FEW__TRY(put_item(store, id, item, cells, err));
    for (size_t m = 0; m < store->catalog.n_models; m++) FEW__TRY(put_cell(store, id, m, &cells[m], err));
    FEW__TRY(check_limit(store, err));
    return few__store_run(store, FEW__RELEASE, err);
}

static enum few_status place(struct few__store *store, int64_t id, const struct few__item_row *item,
                             const struct few__cell *cells, struct few_error *err)
{
    FEW__TRY(few__store_begin(store, err));
    struct few__totals totals = store->totals;
    enum few_status status = few__store_run(store, FEW__SAVEPOINT, err);
    if (status != FEW_OK) {
        (void)few__store_check_alive(store, NULL);
        return status;
    }
    status = write_item(store, id, item, cells, &totals, err);
    if (status != FEW_OK) {
        undo(store);
        return status;
    }
    const struct few__totals own = totals_of(store, item, cells);
    add_totals(&totals, &own);
    store->totals = totals;
    store->n_pending++;
    return FEW_OK;
}

// Everything so far into the file, whose log then needs no room.
static enum few_status make_room(struct few__store *store, struct few_error *err)
{
    FEW__TRY(few__store_commit(store, err));
    return few__db_checkpoint(&store->db, err);
}

static enum few_status keep(struct few__store *store, int64_t id, const struct few__item_row *item,
                            const struct few__cell *cells, struct few_error *err)
{
    if (item->stream >= store->n_streams) // a row that was only zeroed says stream 0
        return few__fail(err, FEW_EINVAL,
                         "%s: expected an item of no stream or of %" PRId64 ", found one of stream %" PRId64,
                         store->path, store->n_streams, item->stream);
    enum few_status status = place(store, id, item, cells, err);
    if (status == FEW_ELIMIT) {
        FEW__TRY(make_room(store, err));
        status = place(store, id, item, cells, err);
    }
    if (status == FEW_ELIMIT) FEW__TRY(few__store_commit(store, err)); // nothing, but it is open
    if (status != FEW_OK) return status;
    return few__store_commit_due(store, err);
}

enum few_status few__store_put(struct few__store *store, const struct few__item_row *item,
                               const struct few__cell *cells, struct few_error *err)
{
    return keep(store, (int64_t)store->totals.items, item, cells, err);
}

enum few_status few__store_replace(struct few__store *store, int64_t id, const struct few__item_row *item,
                                   const struct few__cell *cells, struct few_error *err)
{
    if (id < 0 || (uint64_t)id >= store->totals.items)
        return few__fail(err, FEW_ENOENT, "%s: has no item %" PRId64, store->path, id);
    return keep(store, id, item, cells, err);
}

static enum few_status write_costs(struct few__store *store, const struct few_cost *costs,
                                   struct few_error *err)
{
    sqlite3_stmt *stmt;
    FEW__TRY(few__store_statement(store, FEW__SET_COST, &stmt, err));
    for (size_t m = 0; m < store->catalog.n_models; m++) {
        sqlite3_bind_int64(stmt, 1, (int64_t)m);
        sqlite3_bind_int64(stmt, 2, costs[m].time_us);
        sqlite3_bind_int64(stmt, 3, (int64_t)costs[m].memory_bytes);
        sqlite3_bind_int64(stmt, 4, (int64_t)costs[m].weights_bytes);
        sqlite3_bind_int64(stmt, 5, costs[m].load_us);
        sqlite3_bind_int64(stmt, 6, costs[m].more_us);
        FEW__TRY(few__db_run(&store->db, stmt, err));
    }
    return few__store_commit(store, err);
}

enum few_status few__store_set_costs(struct few__store *store, const struct few_cost *costs,
                                     struct few_error *err)
{
    FEW__TRY(few__store_commit(store, err)); // so that a failure here undoes nothing else
    FEW__TRY(few__store_begin(store, err));
    enum few_status status = write_costs(store, costs, err);
    if (status == FEW_OK || !store->in_transaction) return status;
    few__store_roll_back(store);
    return status;
}
