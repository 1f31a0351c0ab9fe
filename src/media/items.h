// SPDX-License-Identifier: Apache-2.0
/* The items of a run one after the other: records and moments of streams, in fair turns. */
#ifndef FEW_MEDIA_ITEMS_H
#define FEW_MEDIA_ITEMS_H

#include <fewer/items.h>

#include "media/record.h"
#include "media/stream.h"

struct few__item {
    const char *key;                  // borrowed until the next few__items_next
    size_t stream;                    // entry of the items (few_items_path), SIZE_MAX = no stream's
    struct few__moment *moment;       // of a stream: given back by who took it (few__items_give_back)
    const struct few__record *record; // of no stream: borrowed until the next few__items_next
    char digest[65];                  // of a moment: of its file's fingerprint and time; "" = live
};

/* The next item. FEW_AGAIN: only live sources are left, and nothing has come. FEW_END: that was all.
 * An entry that cannot be opened or read gives one item with neither moment nor record, and `err` says why: its status is
 * FEW_EDECODE, FEW_ENOENT ... and the items go on after it.
 * Errors that end everything: FEW_ENOMEM. */
enum few_status few__items_next(struct few_items *items, struct few__item *item, struct few_error *err);
void few__items_give_back(struct few_items *items, const struct few__item *item); // any thread

/* Before anything was taken. Of an entry that is a recording: leave it out, or begin at at_us. */
bool few__items_is_recording(const struct few_items *items, size_t entry);
void few__items_leave_out(struct few_items *items, size_t entry);
void few__items_start_at(struct few_items *items, size_t entry, int64_t at_us);

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
enum few_status few__items_begin(struct few_items *items, const struct few__items_needs *needs,
                                 struct few_error *err);

#endif
