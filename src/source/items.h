// SPDX-License-Identifier: Apache-2.0
/* The items of a run one after the other: records and moments of streams, in fair turns. */
#ifndef FEW_SOURCE_ITEMS_H
#define FEW_SOURCE_ITEMS_H

#include <fewer/items.h>

#include "source/record.h"
#include "source/stream.h"

struct few__item {
    const char *key;                  // borrowed until the next few__items_next
    size_t stream;                    // entry of the items (few_items_path), SIZE_MAX = no stream's
    struct few__moment *moment;       // of a stream: given back by who took it (few__items_give_back)
    const struct few__record *record; // of no stream: borrowed until the next few__items_next
    char digest[65];                  // of a moment: of its file's fingerprint and time; "" = live
};

/* The next item. FEW_AGAIN: only live sources are left, and nothing has come. FEW_END: that was all.
 * An entry that cannot be opened or read gives one item with neither moment nor record: FEW_OK, and err->code is FEW_EDECODE,
 * FEW_ENOENT ... with its message; the items go on after it. (err is cleared first; it must not be NULL.)
 * Errors that end everything: FEW_ENOMEM. */
enum few_status few__items_next(struct few_items *items, struct few__item *item, struct few_error *err);
void few__items_give_back(struct few_items *items, const struct few__item *item); // any thread

/* Before anything was taken. Of an entry that is a recording: leave it out, or begin at at_us. n_taken: items that an earlier
 * run had of it. They count for the limit and for whose turn it is, so that items come in the order in which they would have
 * come without the interruption. is_recording looks into a file whose name does not tell. */
bool few__items_is_recording(struct few_items *items, size_t entry);
void few__items_leave_out(struct few_items *items, size_t entry, uint64_t n_taken);
void few__items_start_at(struct few_items *items, size_t entry, int64_t at_us, uint64_t n_taken);

/* The record of that name in the lists of records; NULL = none. Borrowed until close. */
const struct few__record *few__items_record(const struct few_items *items, const char *name);

/* JSON: what decides which moments of a recording are items: "{\"fps\": 2}". Borrowed until close. */
const char *few__items_options(const struct few_items *items);

/* What is known of an entry that is a stream, after it was opened. */
void few__items_about(struct few_items *items, size_t entry, struct few__stream_about *about);

/* Once, before the first next: how many moments callers hold at most; whether looks are wanted; whom to call, from any
 * thread, when a live source has something. */
struct few__items_needs {
    size_t in_hands;
    bool wants_look;
    void (*on_ready)(void *ud);
    void *ud;
};
/* Errors: FEW_ENOMEM. */
enum few_status few__items_begin(struct few_items *items, const struct few__items_needs *needs,
                                 struct few_error *err);

/* Nothing more is taken: every moment is back, nobody is called any more when this returns. What is known of streams stays.
 * Safe where it was not begun. */
void few__items_end(struct few_items *items);

#endif
