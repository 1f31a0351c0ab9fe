// SPDX-License-Identifier: Apache-2.0
/* A session from inside. Its files, from the ground up; each calls only those before it:
 *     session_result.c  a result is filled: from the executor, from an earlier item, or with a failure
 *     session_read.c    an item is read on a lane
 *     session_resume.c  what the store has of an item already, and how one is kept
 *     rehearsal.c       the policy and the executor with a virtual clock (rehearsal.h)
 *     session_models.c  models measured, loaded, on their lanes: once, when the first item needs them
 *     session_stream.c  what is known of each stream: what the store has of it, its row there, its counts
 *     session_moment.c  what becomes of a moment: the frame that others are like, its segment
 *     session_source.c  where items come from: failed ones of the store, paths, attached items
 *     session_item.c    admitted -> read on a lane -> finished by the executor -> a result
 *     forecast.c        what some items would take
 *     session.c         create, submit, receive, close
 * Beside them recall.c: answers of a trace. */
#ifndef FEW_SESSION_SESSION_INTERNAL_H
#define FEW_SESSION_SESSION_INTERNAL_H

#include <fewer/items.h>
#include <fewer/session.h>

#include <pthread.h>
#include <stdatomic.h>

#include "core/digest.h"
#include "core/env.h"
#include "core/error.h"
#include "core/file.h"
#include "exec/exec_live.h"
#include "item/explore.h"
#include "media/look.h"
#include "model/manifest.h"
#include "policy/policy.h"
#include "session/recall.h"
#include "source/items.h"
#include "store/store.h"

enum { FEW__ITEM_ARENA_MAX = 1 << 30, FEW__REASON_MAX = 256 };

enum few__step {     // of a passage
    FEW__STEP_EMPTY, // there is no item in it
    FEW__STEP_TAKEN, // out of its source; what the store has of it is not known yet
    FEW__STEP_WAITS, // a moment that has its number: others of its stream decide what becomes of it
    FEW__STEP_RUNS,  // in a place of the executor
    FEW__STEP_DONE,  // its result is complete
};

/* An item on its way through the session, from where it came until the receive after the one that gave it out. */
struct few__passage {
    enum few__step step;
    char path[FEW_PATH_MAX];
    char digest[FEW__SHA256_HEX];
    uint64_t size; // of its files, and when they were changed last; 0 = not known
    int64_t mtime_us;
    uint64_t id;     // its row in the store, or its number in a session without one
    bool replaces;   // the store has that row already
    bool from_store; // of opts.retry
    int64_t arrival_us, read_us;
    bool stored;  // and nothing has to wait for it any more
    bool counted; // by its stream, whose row says so
    struct few_result result;
    const struct few__cell *cells; // (n_models,) with packed outputs; only with a store
    const uint8_t *thumbnail;      // or NULL
    const uint8_t *look;           // look_room, if it is to be stored; else NULL
    uint8_t *look_room;            // (FEW__LOOK_BYTES,) owned; only where looks are stored
    int64_t runtime_us, run_all_us;

    struct few_error wrong; // code FEW_OK: nothing; else it cannot be read, and this is why
    struct few__record
        record; // of no stream; texts: `path`, session->texts, or the attached items' until the next

    // A moment, or what went wrong with a stream.
    struct few__flow *flow; // NULL = of no stream
    int64_t stream;         // its row in the store; -1 = none
    int64_t at_us, until_us, arrived_us, segment;
    struct few__item moment; // .moment: in hands until it has begun, or is done without that
    bool moment_taken;       // there was one
    bool explores, learned;  // its segment
    bool reused;             // it is like an earlier one
    bool in_counts;          // of the flow
    bool had_failed;         // from_store: as a whole
    double likeness;         // difference from the reference; -1 = not compared yet

    struct few__arena arena; // rows, reasons, outputs, cells, thumbnail, message
};

/* A place of the executor's. What its lanes look at lies here, since a cancelled run may look longer than the item is
 * waited for. */
struct few__place {
    struct few__passage *passage;
    char path[FEW_PATH_MAX];
    char digest[FEW__SHA256_HEX];
    struct few__record record;
    struct few__arena texts; // of record
    struct few__file_reader reader;
    const void *bytes; // in reader: of an image; NULL = the record is not read yet
    size_t n_bytes;
    struct few__item moment; // instead of a record; .moment NULL = none, or it was given back
    double *gains;           // (n_models,) of its segment
    int64_t deadline_us;
    struct few__record_reader *records;
    struct few__buffer planes; // of a moment

    // Made by the lane that reads; for others once is_read.
    atomic_bool is_read;
    struct few__image image; // of a moment
    struct few__parts parts;
    int64_t decode_us, read_at_us; // time it took, instant at which it ended
    bool has_thumbnail;
    uint8_t thumbnail[FEW__THUMBNAIL_BYTES];
};

/* The last frame of a stream that was analysed: those that look like it get its answers. */
struct few__reference {
    bool exists;
    const struct few__passage *passage; // while it is in flight; then NULL
    bool answers;                       // it neither failed nor was late
    int64_t segment;
    uint8_t *look;            // (FEW__LOOK_BYTES,) owned
    struct few_result result; // in arena: name and rows
    int64_t run_all_us;
    struct few__arena arena;
};

/* What the session knows of an entry that is a stream. */
struct few__flow {
    size_t entry;
    struct few__stream_row
        row; // counts: of what was given out. .id -1: not in the store; .message: `message`
    char message[256];
    bool seen;           // something was taken of it here
    bool could_not_open; // that was that it could not be opened
    bool told_end;       // that it broke off was taken
    uint64_t n_taken;    // moments; those that the store had too
    int64_t end_us;      // of the last one
    size_t n_inside;     // passages that are not given out

    // Of an earlier run.
    uint64_t n_kept;  // items that it had, if they are those of the file as it is now
    bool told_kept;   // they were given out, as one result
    bool is_known;    // the store has what comes next: up to known_us maybe, after that until one is missing
    int64_t known_us; //
    int64_t counted_us; // what is up to here is in the counts
    int64_t failed_id; // row of what could not be opened then, and is replaced by the first moment; -1 = none
    struct {
        uint64_t n_dropped, n_damaged, n_reconnects;
        uint64_t n_seen; // damaged ones that are met again
    } before;

    int64_t answered_us; // live: arrival of its newest answered moment; -1 = none
    struct few__reference reference;
};

struct few_session {
    struct few_env env;
    const struct few_zoo *zoo;
    size_t n_models;
    struct few_policy *own_policy; // made here because the caller gave none
    const struct few_policy *policy;
    struct few_session_opts opts; // its texts are the caller's and looked at in create only
    char *runtime;                // of opts, or NULL
    size_t n_lanes, n_places;
    enum few__variant_rule variants;

    // Models: session_models.c.
    bool measured, settled, awake; // spent is known; so are costs, base and budget; lanes run
    struct few_cost *costs;        // (n_models,) expected by the scheduler
    struct few_cost *spent;        // (n_models,) as measured; while recording, the mean time so far
    uint64_t *n_spent;             // (n_models,) runs that the mean is over
    bool *in_base;                 // (n_models,) whether it counts as a part of running everything
    uint64_t memory_bytes;         // budget of the models; FEW__NO_BUDGET = none
    uint64_t given_bytes; // what was given for it, before what the program holds was taken off; 0 = nothing
    size_t *rank;         // (n_models,) by falling worth
    struct few__recall *recall;
    struct few__workspace *workspace;
    struct few__sched *scheds; // (n_places,)
    struct few__live *live;
    struct few__place *places; // (n_places,)

    // Items: a ring in the order of submission.
    struct few__passage *passages; // (n_passages,)
    size_t n_passages, first, n_inside, n_running;
    const struct few__passage *blocker; // what the next item, of no stream, has to wait for
    size_t n_waiting;                   // of those inside
    size_t finished;                    // place whose result is still to be taken; SIZE_MAX = none
    int64_t finished_us;
    bool given_out; // the first one is the caller's until the next receive
    uint64_t next_id;
    struct few__file_reader reader;
    struct few__arena texts; // of the record that was taken last

    char (*queue)[FEW_PATH_MAX]; // (FEW_QUEUE_MAX,) ring
    size_t queue_first, queue_n;
    bool retrying; // failed items of the store come before the queue
    int64_t retried;

    // Attached items: session_source.c, session_stream.c.
    struct few_items *items;  // NULL = none
    bool items_ended;         // all were taken
    bool awaits;              // live streams alone may have more, and have not now
    struct few__flow **flows; // (n_flows,) by entry
    size_t n_flows, flows_room;
    size_t n_open;    // flows that were seen and are not over
    size_t n_to_tell; // flows that an earlier run had, and that are not given out yet
    int64_t segment_us;
    struct few__look_scratch *scratch; // NULL = nothing is reused
    bool stores_looks, explores;       // recording; the policy does
    size_t explore_first;
    double explore_keep;
    struct few__explore *explore;   // NULL = it does not, or no frame has come
    const struct few_output **said; // (n_models,) room for what it learns
    pthread_mutex_t poke_lock;      // of `poked`: streams call from their own threads
    struct few__live *poked;

    struct few__store *store; // NULL = results are not kept
    bool store_is_new;
    struct few__cell *cells;   // (n_models,) room for what the store gives
    struct few__totals totals; // without a store
    uint64_t n_kept;

    bool *forecast_runs; // (n_models,) of the last forecast
};

/* ---- session_result.c; each leaves the item done ---- */

/* The result of an item of which nothing is known yet. */
struct few_result few__session_blank(const struct few__passage *item);

/* Of the executor's slot, whose item was read or came too late for that. Errors: FEW_ENOMEM. */
enum few_status few__session_collect(struct few_session *s, size_t slot, struct few_error *err);

/* The rows of the store's item `id` as they are there, in the arena; the store's own bytes go with its next read.
 * Errors: those of few__store_get; FEW_ENOMEM. */
enum few_status few__session_recall(struct few_session *s, int64_t id, struct few__arena *arena,
                                    struct few__item_row *row, const struct few_result_row **rows,
                                    struct few_error *err);

/* The answers of an earlier item: what it executed is reused, for this reason; what it skipped is skipped.
 * from: its size and rows. Errors: FEW_ENOMEM. */
enum few_status few__session_repeat(struct few_session *s, struct few__passage *item,
                                    const struct few_result *from, int64_t run_all_us, const char *why,
                                    struct few_error *err);

/* The answers of the store's item `id`, whose bytes are the same. Errors: those of few__store_get; FEW_ENOMEM. */
enum few_status few__session_reuse(struct few_session *s, struct few__passage *item, int64_t id,
                                   struct few_error *err);

/* The item as a whole failed: every model failed, for the same reason. Errors: FEW_ENOMEM. */
enum few_status few__session_fail(struct few_session *s, struct few__passage *item, enum few_status status,
                                  const char *message, struct few_error *err);

/* Done by an earlier run: n items. */
void few__session_kept(struct few__passage *item, uint64_t n);

/* ---- session_read.c ---- */

/* Read the item of a place, on the thread of a lane. parts: out, what it has. */
enum few_status few__session_read(void *session, size_t index, unsigned *parts, struct few_error *err);

/* A moment in hands goes back; nothing happens where there is none. Any thread. */
void few__session_give_back(struct few_session *s, struct few__item *moment);

/* ---- session_resume.c ---- */

enum few__verdict {
    FEW__VERDICT_RUN,     // models have to look at it
    FEW__VERDICT_DONE,    // kept, reused or unreadable: its result is complete
    FEW__VERDICT_BLOCKED, // something in flight decides it
    FEW__VERDICT_GONE,    // kept, and part of a result that was given out before
};

/* What is to be done with an item of no stream; reads its file unless the store knows it to be unchanged.
 * bytes: out, RUN: of an image, in session->reader; else NULL. BLOCKED: by session->blocker. */
enum few_status few__session_look_up(struct few_session *s, struct few__passage *item, const void **bytes,
                                     size_t *n_bytes, enum few__verdict *verdict, struct few_error *err);

/* Whether the store has this record, unchanged. bytes: of its files, 0 = not known. */
enum few_status few__session_has(struct few_session *s, const struct few__record *record, bool *has,
                                 uint64_t *bytes, struct few_error *err);

/* What decides results, as the store keeps and compares it; owned (few__free). NULL: no memory. */
char *few__session_config(const struct few_session *s);

/* Into the store, or in the place of what was there. Done once: again only after a failure. */
enum few_status few__session_keep(struct few_session *s, struct few__passage *item, struct few_error *err);

/* ---- session_models.c ---- */

/* How models of an item run on so many lanes, with a memory budget (loads) or without. */
enum few__way few__session_way(const struct few_session *s, size_t n_lanes, bool loads);

/* Know what every model costs. The first call may load them all, one after the other. Errors: those of create. */
enum few_status few__session_measure(struct few_session *s, struct few_error *err);

/* Everything that an item needs to run: loaded models, lanes, decoders. */
enum few_status few__session_wake(struct few_session *s, struct few_error *err);
void few__session_sleep(struct few_session *s); // items in flight are given up

/* The costs of a store to go on with, if it has them. */
void few__session_recall_costs(struct few_session *s, const struct few_catalog *stored);

/* ---- session_stream.c ---- */

/* What is known of an entry; NULL = nothing. */
struct few__flow *few__flow_find(const struct few_session *s, size_t entry);

/* The entry is a stream: find it in the store, and what of it is there. Errors: FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__flow_open(struct few_session *s, size_t entry, struct few__flow **flow,
                               struct few_error *err);
void few__flows_close(struct few_session *s);

/* It is given out: count it, and renew the stream's row. Errors: FEW_ESTORE. */
enum few_status few__flow_count(struct few_session *s, struct few__passage *item, struct few_error *err);

/* Nothing more comes of any of them, or the session ends: renew the rows. Errors: FEW_ESTORE. */
enum few_status few__flows_renew(struct few_session *s, struct few_error *err);

/* Whether a recording ended before it should. */
bool few__flow_is_broken(const struct few__flow *flow, const struct few__stream_about *about);

/* What its source says of it now, into the row. */
void few__flow_look(const struct few_session *s, struct few__flow *flow);

/* An item more in the counts. */
void few__flow_add(struct few__flow *flow, const struct few__passage *item);

/* ---- session_moment.c ---- */

/* A moment was taken: number it, or find it in the store. verdict: BLOCKED it waits (few__flow_judge); DONE kept; GONE.
 * Errors: FEW_ESTORE; FEW_ENOMEM; those of few__session_measure. The next call does the same again. */
enum few_status few__flow_meet(struct few_session *s, struct few__passage *item, enum few__verdict *verdict,
                               struct few_error *err);

/* What becomes of a moment that waits. RUN: it may begin (few__flow_begin); DONE: it is like an earlier one. */
enum few_status few__flow_judge(struct few_session *s, struct few__passage *item, enum few__verdict *verdict,
                                struct few_error *err);

/* It begins: gains (n_models,) out, where its segment has shown some. false in *has_gains: none. Errors: FEW_ENOMEM. */
enum few_status few__flow_begin(struct few_session *s, struct few__passage *item, double *gains,
                                bool *has_gains, struct few_error *err);

/* It is done: what others of its stream get from it. Again after a failure. Errors: FEW_ENOMEM. */
enum few_status few__flow_learn(struct few_session *s, struct few__passage *item, struct few_error *err);

/* ---- session_source.c ---- */

/* The next item into an empty passage. FEW_END: there is none. FEW_AGAIN: live streams have none now.
 * Errors: FEW_ESTORE; FEW_ENOMEM. */
enum few_status few__session_pull(struct few_session *s, struct few__passage *item, struct few_error *err);

/* ---- session_item.c ---- */

/* Let items in while there is room, one after the other. */
enum few_status few__session_admit(struct few_session *s, struct few_error *err);

/* Take the result of s->finished out of the executor; the place is free then. */
enum few_status few__session_take(struct few_session *s, struct few_error *err);

#endif
